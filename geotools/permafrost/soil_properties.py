"""Thermal properties of the layers of a column from what they are made of."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from geotools.guards import Array
from geotools.permafrost.soil_checks import LAYER_UNITS, ensure_layer, ensure_reaches
from geotools.permafrost.soil_column import SoilColumn

# J m-3 K-1. Water and ice per volume of water; solids after de Vries (1963), of which clay has somewhat more and
# quartz somewhat less.
WATER_CAPACITY, ICE_CAPACITY = 4.19e6, 1.93e6
MINERAL_CAPACITY, ORGANIC_CAPACITY = 2.1e6, 2.5e6
# W m-1 K-1. Farouki (1981) for the organic values.
WATER_CONDUCTIVITY, ICE_CONDUCTIVITY = 0.57, 2.2
ORGANIC_CONDUCTIVITY, DRY_ORGANIC_CONDUCTIVITY = 0.25, 0.05
_GRAIN_DENSITY = 2700.0  # kg m-3


def johansen_conductivity(
    water: Array, porosity: Array, organic: Array, solid_conductivity: Array
) -> tuple[Array, Array]:
    r"""Conductivity of thawed and of frozen ground from its composition.

    Parameters
    ----------
    water, porosity, organic, solid_conductivity : array [any shape; 1, 1, 1, W m-1 K-1]
        As in `SoilLayer`.

    Returns
    -------
    thawed, frozen : array [W m-1 K-1]

    Notes
    -----
    .. math::

        k = K_e k_{sat} + (1 - K_e) k_{dry}, \quad k_{sat} = k_s^{1-\phi} k_w^{\phi}

    with the conductivity of ice in place of water where frozen. With the saturation S = water / porosity, K_e is
    1 + log10 S, not below 0, in thawed ground (fine-grained soils) and S in frozen ground. Solids and dry ground
    are means of their mineral and organic values.

    References
    ----------
    Johansen, O. (1975). Thermal conductivity of soils. Thesis, Trondheim (CRREL Draft Translation 637).
    Farouki, O. T. (1981). CRREL Monograph 81-1.
    Lawrence, D. M., & Slater, A. G. (2008). Clim. Dyn. 30, 145-160. doi:10.1007/s00382-007-0278-1
    """
    density = _GRAIN_DENSITY * (1.0 - porosity)
    mineral = (0.135 * density + 64.7) / (_GRAIN_DENSITY - 0.947 * density)
    dry = (1.0 - organic) * mineral + organic * DRY_ORGANIC_CONDUCTIVITY
    solids = (1.0 - organic) * solid_conductivity + organic * ORGANIC_CONDUCTIVITY
    share = np.clip(water / np.where(porosity > 0.0, porosity, 1.0), 0.0, 1.0)
    kersten = np.clip(1.0 + np.log10(np.maximum(share, 1e-6)), 0.0, 1.0)
    skeleton = solids ** (1.0 - porosity)
    thawed = kersten * skeleton * WATER_CONDUCTIVITY**porosity + (1.0 - kersten) * dry
    frozen = share * skeleton * ICE_CONDUCTIVITY**porosity + (1.0 - share) * dry
    return thawed, frozen


class Layers(NamedTuple):
    """Properties of the layers of some columns, [layer, column]."""

    bottom: Array
    water: Array
    porosity: Array
    thawed: Array
    frozen: Array
    capacity_thawed: Array
    capacity_frozen: Array


def layer_properties(column: SoilColumn, values: Mapping[tuple[int, str], Array], count: int) -> Layers:
    """Complete the layers of some columns from their composition.

    Parameters
    ----------
    column : SoilColumn
    values : mapping of (int, str) to array [column]
        What varies over columns, by the number of the layer and the field; all else is taken from `column`.
    count : int
        Number of columns.

    Returns
    -------
    Layers
        NaN in columns where a value is missing.

    Raises
    ------
    DataError
        When no ground can be like that.
    """
    rows: list[list[Array]] = []
    depth = np.zeros(count)
    for number, layer in enumerate(column.layers):
        known = {}
        for name in LAYER_UNITS:
            value = values.get((number, name), getattr(layer, name))
            if value is not None:
                known[name] = np.broadcast_to(np.asarray(value, dtype="float64"), (count,))
        ensure_layer(f"layer {layer.name or number!r}", known)
        depth = depth + known["thickness"]
        water, porosity, organic = known["water"], known["porosity"], known["organic"]
        thawed, frozen = johansen_conductivity(water, porosity, organic, known["solid_conductivity"])
        solids = (1.0 - porosity) * ((1.0 - organic) * MINERAL_CAPACITY + organic * ORGANIC_CAPACITY)
        rows.append(
            [
                depth,
                water,
                porosity,
                known.get("conductivity_thawed", thawed),
                known.get("conductivity_frozen", frozen),
                known.get("heat_capacity_thawed", solids + WATER_CAPACITY * water),
                known.get("heat_capacity_frozen", solids + ICE_CAPACITY * water),
            ]
        )
    ensure_reaches(depth[~np.isnan(depth)], column.depth) if np.any(~np.isnan(depth)) else None
    return Layers(*(np.array(field) for field in zip(*rows, strict=True)))
