"""Thermal properties of the cells of a column from the layers they lie in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from geotools.errors import DataError
from geotools.guards import Array
from geotools.permafrost.column_arrays import Ground
from geotools.permafrost.freezing_curves import MushyZone, curve_table
from geotools.permafrost.soil_checks import LAYER_UNITS, ensure_layer, ensure_reaches
from geotools.permafrost.soil_column import CONDUCTIVITY_BLENDS, SoilColumn
from geotools.permafrost.stefan import LATENT_HEAT
from geotools.space.lanes import WIDTH

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


def build_ground(column: SoilColumn, layers: Layers) -> Ground:
    """Arrays of a block of `WIDTH` columns for the kernel.

    A cell belongs to the layer in which its centre lies.

    Raises
    ------
    DataError
        When a freezing curve does not fit its layer.
    """
    cells = column.thickness
    material = np.minimum(
        (column.centres[:, None, None] >= layers.bottom[None]).sum(axis=1), len(column.layers) - 1
    ).astype("int64")

    def spread(values: Array) -> Array:
        return np.ascontiguousarray(np.take_along_axis(values, material, axis=0))

    curves = [layer.freezing_curve for layer in column.layers]
    tabulated = not all(isinstance(c, MushyZone) for c in curves)
    latent = LATENT_HEAT * layers.water
    frozen, thawed = layers.capacity_frozen, layers.capacity_thawed
    if tabulated:
        tables = [_table(c, layers, number) for number, c in enumerate(curves)]
        temperatures, enthalpies, saturations = (np.array(part) for part in zip(*tables, strict=True))
        # Water that is still liquid at the coldest node stays so below it.
        frozen = frozen + (thawed - frozen) * saturations[:, 0]
        start, end, heat = temperatures[:, 0], temperatures[:, -1], enthalpies[:, -1]
    else:
        width = np.array([[c.width] for c in curves if isinstance(c, MushyZone)])
        end = np.array([[c.upper] for c in curves if isinstance(c, MushyZone)]) + np.zeros(latent.shape)
        start = end - width
        heat = latent + 0.5 * (frozen + thawed) * width
        temperatures = enthalpies = saturations = np.zeros((1, 2, WIDTH))
    half = 0.5 * cells[:, None]
    conductivity_thawed, conductivity_frozen = spread(layers.thawed), spread(layers.frozen)
    return Ground(
        thickness=cells,
        start=spread(start),
        end=spread(end),
        heat=spread(heat),
        capacity_frozen=spread(frozen),
        capacity_between=spread(heat / (end - start)),
        capacity_thawed=spread(thawed),
        resistance_frozen=half / conductivity_frozen,
        resistance_thawed=half / conductivity_thawed,
        log_ratio=np.log(conductivity_frozen / conductivity_thawed),
        blend=CONDUCTIVITY_BLENDS.index(column.conductivity_blend),
        tabulated=tabulated,
        material=np.ascontiguousarray(material),
        temperatures=np.ascontiguousarray(temperatures),
        enthalpies=np.ascontiguousarray(enthalpies),
        saturations=np.ascontiguousarray(saturations),
    )


def shared(ground: Ground) -> Ground:
    """The same ground with one number per cell [cell], where all lanes are alike.

    The less memory the kernel goes through, the faster it is.
    """
    names = ["start", "end", "heat", "resistance_frozen", "resistance_thawed", "log_ratio"]
    names += ["capacity_frozen", "capacity_between", "capacity_thawed"]
    one: dict[str, Any] = {name: np.ascontiguousarray(getattr(ground, name)[:, 0]) for name in names}
    return ground._replace(**one)


def _table(curve: object, layers: Layers, number: int) -> tuple[Array, Array, Array]:
    """Nodes, enthalpies and liquid shares [node, column] of one layer."""
    water, porosity = layers.water[number], layers.porosity[number]
    temperature, share = curve_table(curve, water, porosity)  # type: ignore[arg-type]
    if np.any(np.diff(temperature, axis=0) <= 0.0) or np.any((share < 0.0) | (share > 1.0)):
        raise DataError(
            f"{curve!r} does not give shares from 0 to 1 that grow with temperature",
            where=f"freezing curve of layer {number}",
            expected="a curve that fits the water content and the porosity",
        )
    frozen, thawed = layers.capacity_frozen[number], layers.capacity_thawed[number]
    step = np.diff(temperature, axis=0)
    warmed = np.zeros(temperature.shape)
    warmed[1:] = np.cumsum(0.5 * (share[1:] + share[:-1]) * step, axis=0)
    enthalpy = (
        frozen * (temperature - temperature[0])
        + (thawed - frozen) * warmed
        + LATENT_HEAT * water * (share - share[0])
    )
    return temperature, enthalpy, share


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
