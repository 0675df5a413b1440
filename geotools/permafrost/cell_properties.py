"""Thermal properties of the cells of a column, from the layers that lie in them."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from geotools.errors import DataError
from geotools.guards import Array
from geotools.permafrost.column_arrays import Ground
from geotools.permafrost.freezing_curves import MushyZone, curve_table
from geotools.permafrost.soil_column import CONDUCTIVITY_BLENDS, SoilColumn
from geotools.permafrost.soil_properties import Layers
from geotools.permafrost.stefan import LATENT_HEAT
from geotools.space.lanes import WIDTH

# Of the depth of the column: a bound this close to a face is on it but for the rounding of sums of thicknesses.
_ROUNDING = 1e-12
_APART = 1e-6  # K: nodes closer to the ends of a table would make lines of rounding errors


def layer_shares(column: SoilColumn, bottom: Array) -> Array:
    """Share of the thickness of each cell that each layer takes.

    Parameters
    ----------
    column : SoilColumn
    bottom : array [layer, lane; m]
        Depths of the lower bounds of the layers. The lowest layer reaches to the base, wherever it ends.

    Returns
    -------
    array [layer, cell, lane; 1]
        Exactly 1 where a cell lies in one layer.
    """
    edges, bounds = column.edges, bottom[:-1]
    nearest = edges[np.abs(edges[:, None, None] - bounds).argmin(axis=0)]
    bounds = np.where(np.abs(bounds - nearest) <= _ROUNDING * column.depth, nearest, bounds)
    outer = np.zeros((1, bottom.shape[1]))
    top = np.concatenate([outer, bounds])[:, None]
    base = np.concatenate([bounds, outer + np.inf])[:, None]
    held = np.minimum(base, edges[1:, None]) - np.maximum(top, edges[:-1, None])
    return np.asarray(np.maximum(held, 0.0) / column.thickness[:, None])


def build_ground(column: SoilColumn, layers: Layers) -> Ground:
    """Arrays of a block of `WIDTH` columns for the kernel.

    A cell that lies across bounds of layers is one material made of them: heat capacities and latent heat by their
    shares of the cell, and resistances in series. So properties change continuously with the thickness of a layer,
    and no water is lost. Where mushy zones differ, the temperatures at which the cell begins and ends to freeze are
    means over its water, which keeps the mean temperature at which latent heat is given off. With tables the liquid
    share at each temperature is such a mean, which is what layers of one temperature have.

    Raises
    ------
    DataError
        When a freezing curve does not fit its layer.
    """
    shares = layer_shares(column, layers.bottom)
    of_water = _shares_of_water(shares, layers.water)

    def mean(values: Array, weights: Array = shares) -> Array:
        return np.asarray((weights * values[:, None]).sum(axis=0))

    frozen, thawed = mean(layers.capacity_frozen), mean(layers.capacity_thawed)
    water = mean(layers.water)
    curves = [layer.freezing_curve for layer in column.layers]
    tabulated = not all(isinstance(c, MushyZone) for c in curves)
    if tabulated:
        tables, material = _tables(column, layers, shares, of_water, np.stack([water, frozen, thawed]))
        # Water that is still liquid at the coldest node stays so below it.
        frozen = frozen + (thawed - frozen) * _of_cells(tables.saturations[:, 0], material)
        start = _of_cells(tables.temperatures[:, 0], material)
        end = _of_cells(tables.temperatures[:, -1], material)
        heat = _of_cells(tables.enthalpies[:, -1], material)
    else:
        zones = [c for c in curves if isinstance(c, MushyZone)]
        width = mean(np.array([[c.width] for c in zones]), of_water)
        end = mean(np.array([[c.upper] for c in zones]), of_water)
        start = end - width
        heat = LATENT_HEAT * water + 0.5 * (frozen + thawed) * width
        tables, material = _Tables(*[np.zeros((1, 2, WIDTH))] * 3), shares.argmax(axis=0)
    half = shares * (0.5 * column.thickness[:, None])
    parts = half / layers.frozen[:, None]
    resistance_frozen = parts.sum(axis=0)
    resistance_thawed = (half / layers.thawed[:, None]).sum(axis=0)
    return Ground(
        thickness=column.thickness,
        start=start,
        end=end,
        heat=heat,
        capacity_frozen=frozen,
        capacity_between=heat / (end - start),
        capacity_thawed=thawed,
        resistance_frozen=resistance_frozen,
        resistance_thawed=resistance_thawed,
        # By the ratios of the layers, so that a cell of one layer has its ratio to the last digit.
        log_ratio=np.log(mean(layers.frozen / layers.thawed, parts / resistance_frozen)),
        blend=CONDUCTIVITY_BLENDS.index(column.conductivity_blend),
        tabulated=tabulated,
        material=np.ascontiguousarray(material, dtype="int64"),
        temperatures=np.ascontiguousarray(tables.temperatures),
        enthalpies=np.ascontiguousarray(tables.enthalpies),
        saturations=np.ascontiguousarray(tables.saturations),
    )


def _shares_of_water(shares: Array, water: Array) -> Array:
    """Share of the water of each cell that lies in each layer [layer, cell, lane; 1]."""
    held = shares * water[:, None]
    total = held.sum(axis=0)
    # In dry ground it does not matter where nothing freezes.
    return np.where(total > 0.0, held / np.where(total > 0.0, total, 1.0), shares)


def _of_cells(values: Array, material: NDArray[np.int64]) -> Array:
    """Values [material, lane] in the cells."""
    return np.ascontiguousarray(np.take_along_axis(values, material, axis=0))


class _Tables(NamedTuple):
    """Freezing curves as in `Ground`, [material, node, lane]."""

    temperatures: Array
    enthalpies: Array
    saturations: Array


def _tables(
    column: SoilColumn, layers: Layers, shares: Array, of_water: Array, cells: Array
) -> tuple[_Tables, NDArray[np.int64]]:
    """Tables of the layers, and after them of the cells across bounds; and the number of that of each cell.

    A layer can be the uppermost of one such cell only, so that as many as there are bounds do for every lane.
    `cells` has water and capacities of frozen and thawed ground [3, cell, lane].
    """
    count, lanes = len(column.layers), range(WIDTH)
    curves = [_curve(layer.freezing_curve, layers, n) for n, layer in enumerate(column.layers)]
    grounds = list(np.stack([layers.water, layers.capacity_frozen, layers.capacity_thawed], axis=1))
    material = shares.argmax(axis=0)
    across, uppermost = shares.max(axis=0) < 1.0, (shares > 0.0).argmax(axis=0)
    known = np.array(curves)
    for number in range(count - 1 if across.any() else 0):
        here = across & (uppermost == number)
        # Lanes without such a cell get the table of another one, which nothing points to.
        at = here.argmax(axis=0)
        curves.append(np.stack([_mixed(of_water[:, at[j], j], known[..., j]) for j in lanes], axis=-1))
        grounds.append(cells[:, at, lanes])
        material = np.where(here, count + number, material)
    temperature, saturation = np.array(curves).swapaxes(0, 1)
    water, frozen, thawed = np.array(grounds).swapaxes(0, 1)[:, :, None]
    warmed = np.zeros(temperature.shape)
    steps = np.diff(temperature, axis=1)
    warmed[:, 1:] = np.cumsum(0.5 * (saturation[:, 1:] + saturation[:, :-1]) * steps, axis=1)
    enthalpy = (
        frozen * (temperature - temperature[:, :1])
        + (thawed - frozen) * warmed
        + LATENT_HEAT * water * (saturation - saturation[:, :1])
    )
    return _Tables(temperature, enthalpy, saturation), material


def _curve(curve: object, layers: Layers, number: int) -> Array:
    """Nodes and liquid shares of one layer [2, node, lane]."""
    temperature, share = curve_table(curve, layers.water[number], layers.porosity[number])  # type: ignore[arg-type]
    if np.any(np.diff(temperature, axis=0) <= 0.0) or np.any((share < 0.0) | (share > 1.0)):
        raise DataError(
            f"{curve!r} does not give shares from 0 to 1 that grow with temperature",
            where=f"freezing curve of layer {number}",
            expected="a curve that fits the water content and the porosity",
        )
    return np.stack([temperature, share])


def _mixed(weights: Array, curves: Array) -> Array:
    """Nodes and liquid shares [2, node] of ground whose water is shared out to layers [layer], [layer, 2, node].

    As many nodes as one layer has lie where theirs are, in proportion to the water of each, and where a curve ends.
    """
    held = [(weights[n], *curves[n]) for n in np.flatnonzero(weights)]
    ranks = np.linspace(0.0, 1.0, curves.shape[-1])
    nodes = np.unique([own for _, own, _ in held])
    passed = sum(w * np.interp(nodes, own, ranks) for w, own, _ in held)
    chosen = np.interp(ranks, passed, nodes)
    # Without nodes there, the last line would cut across the ends, and a trace of a layer would change the curve.
    for end in np.ravel([own[[0, -1]] for _, own, _ in held]):
        if chosen[0] + _APART < end < chosen[-1] - _APART:
            chosen[1 + np.abs(chosen[1:-1] - end).argmin()] = end
    share = np.minimum(sum(w * np.interp(chosen, own, liquid) for w, own, liquid in held), 1.0)
    share[-1] = 1.0  # but for the rounding of weights
    return np.stack([chosen, share])


def shared(ground: Ground) -> Ground:
    """The same ground with one number per cell [cell], where all lanes are alike.

    The less memory the kernel goes through, the faster it is.
    """
    names = ["start", "end", "heat", "resistance_frozen", "resistance_thawed", "log_ratio"]
    names += ["capacity_frozen", "capacity_between", "capacity_thawed"]
    one: dict[str, Any] = {name: np.ascontiguousarray(getattr(ground, name)[:, 0]) for name in names}
    return ground._replace(**one)


def enthalpy_of(ground: Ground, temperature: Array) -> Array:
    """Enthalpy of the cells at some temperatures [cell, lane; J m-3]."""
    if not ground.tabulated:
        below = ground.capacity_frozen * (temperature - ground.start)
        between = ground.capacity_between * (temperature - ground.start)
        above = ground.heat + ground.capacity_thawed * (temperature - ground.end)
        return np.where(temperature < ground.start, below, np.where(temperature > ground.end, above, between))
    out = np.empty(temperature.shape)
    for i, j in np.ndindex(*temperature.shape):
        m, t = ground.material[i, j], temperature[i, j]
        nodes, values = ground.temperatures[m, :, j], ground.enthalpies[m, :, j]
        out[i, j] = np.interp(t, nodes, values)
        out[i, j] += ground.capacity_frozen[i, j] * min(t - nodes[0], 0.0)
        out[i, j] += ground.capacity_thawed[i, j] * max(t - nodes[-1], 0.0)
    return out


def steady_temperature(ground: Ground, surface: Array, geothermal: Array) -> Array:
    """Temperature of cells in balance with a constant surface and the flux from below [cell, lane; degC]."""
    frozen = surface[None] <= 0.0
    half = np.where(frozen, ground.resistance_frozen, ground.resistance_thawed)
    depth = np.cumsum(2.0 * half, axis=0) - half
    return np.asarray(surface[None] + geothermal[None] * depth)
