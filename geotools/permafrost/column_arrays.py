"""The arrays that the column kernel works on, eight columns to a block."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from geotools.guards import Array
from geotools.space.lanes import WIDTH

# How conductivity depends on the share of the water that is liquid.
GEOMETRIC, ARITHMETIC, THREE_ZONE = 0, 1, 2


def lanes_array(*rows: int) -> Array:
    """Zeros [..., lane] whose rows each lie in one line of the cache."""
    size = int(np.prod(rows, dtype=int)) * WIDTH
    memory = np.zeros(size + WIDTH)
    start = -memory.ctypes.data % (8 * WIDTH) // 8
    return memory[start : start + size].reshape(*rows, WIDTH)


class Ground(NamedTuple):
    """Properties of the cells of a block, [cell, lane], or [cell] where all lanes are alike.

    Enthalpy is counted from the ground just about to thaw, at `start`: below it ground is frozen, up to `heat`
    partly frozen, and thawed above.
    """

    thickness: Array  # [cell; m]
    start: Array  # temperature at which ground begins to thaw [degC]
    end: Array  # temperature at which it is thawed [degC]
    heat: Array  # enthalpy from start to end [J m-3]
    capacity_frozen: Array  # [J m-3 K-1]
    capacity_between: Array  # latent heat included [J m-3 K-1]
    capacity_thawed: Array  # [J m-3 K-1]
    resistance_frozen: Array  # of half a cell [m2 K W-1]
    resistance_thawed: Array  # of half a cell [m2 K W-1]
    log_ratio: Array  # log of thawed over frozen resistance [1]
    blend: int  # GEOMETRIC, ARITHMETIC or THREE_ZONE
    tabulated: bool  # whether freezing curves are tables, not straight lines from start to end
    material: NDArray[np.int64]  # table of the cell [cell, lane]
    temperatures: Array  # nodes of the tables, ascending [material, node, lane; degC]
    enthalpies: Array  # [material, node, lane; J m-3]
    saturations: Array  # share of the water that is liquid [material, node, lane; 1]


class Forcing(NamedTuple):
    """What acts on a block while it is stepped."""

    surface: Array  # [time, lane; degC]
    snow_depth: Array  # [time, lane; m]; no steps when there is no snow
    snow_conductivity: Array  # [1, lane; W m-1 K-1]
    snow_capacity: Array  # [1, lane; J m-3 K-1]
    geothermal: Array  # [1, lane; W m-2]
    step: float  # [s]


class State(NamedTuple):
    """What a block must remember from one step to the next; changed in place."""

    enthalpy: Array  # [cell, lane; J m-3]
    snow: Array  # temperature and depth [2, lane; degC, m]
    total: Array  # sum of temperatures in this year, surface, cells and base [cell + 2, lane; degC]
    low: Array  # [cell + 2, lane; degC]
    high: Array  # [cell + 2, lane; degC]
    counted: NDArray[np.int64]  # steps in these three [1]


class Requests(NamedTuple):
    """Which results to keep, and where to put them."""

    rows: NDArray[np.int64]  # row above each depth, of surface, cells and base [depth]
    weights: Array  # weight of the row below [depth]
    centres: Array  # depths of surface, cell centres and base [cell + 2; m]
    year: NDArray[np.int64]  # where the year that ends with this step is written, or -1 [time]
    reset: NDArray[np.bool_]  # whether this step begins a year [time]
    series: Array  # [time or 0, depth, lane; degC]
    profile: Array  # [time or 0, cell, lane; degC]
    liquid: Array  # [time or 0, cell, lane; 1]
    annual: Array  # mean, minimum and maximum [year or 0, 3, depth, lane; degC]
    thaw: Array  # thaw depth, and annual mean temperature there [year or 0, 2, lane; m, degC]


class Ledger(NamedTuple):
    """What a block took up and gave off, and how hard it was to solve; added to in place."""

    gain: Array  # heat that entered [lane; J m-2]
    turnover: Array  # sum of its absolute values [lane; J m-2]
    temperature: Array  # of the last step [cell, lane; degC]
    counts: NDArray[np.int64]  # linear solutions of the block, and nested ones of each lane [1 + lane]
    stuck: NDArray[np.bool_]  # whether nested iterations ran out too [lane]


class Work(NamedTuple):
    """Memory of the kernel, [cell + 2, lane]."""

    temperature: Array  # surface, cells, base [degC]
    before: Array  # enthalpy at the start of the step [J m-3]
    liquid: Array
    resistance: Array
    conductance: Array  # of the upper face of each cell [W m-2 K-1]
    slope: Array  # dH/dT of the straight line through the present iterate
    intercept: Array
    lower: Array  # enthalpies between which that line holds
    upper: Array
    first: Array  # with tables, the share of liquid water at the lower end of the line [1]
    rise: Array  # and its increase with enthalpy [m3 J-1]
    eliminated: Array  # of the tridiagonal system
    reduced: Array
    running: Array  # [1, lane]: 1 while the lane has not converged
    top: Array  # conductance and heat flux of the linear boundary condition [2, lane]
    snow: Array  # constant and factor of the snow temperature [2, lane]
