"""The ground as a column of layers, and the cells it is cut into."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from geotools.errors import DataError, UsageError
from geotools.guards import Array, ensure_range, one_of
from geotools.permafrost.freezing_curves import FreezingCurve, MushyZone
from geotools.permafrost.soil_checks import (
    LAYER_UNITS,
    depths_array,
    ensure_edges,
    ensure_geothermal,
    ensure_layer,
    ensure_reaches,
    number_or_field,
    number_text,
)

_REQUIRED = ("thickness", "water", "porosity")

CONDUCTIVITY_BLENDS = ("geometric", "arithmetic", "three_zone")


@dataclass(frozen=True, eq=False)
class SoilLayer:
    """A layer of ground.

    Every number may also be a DataArray over columns. What is left out follows from the composition:
    conductivities after Johansen, heat capacities as the sum of the parts.

    Parameters
    ----------
    thickness : float or xarray.DataArray [m]
        Infinite for the lowest layer.
    water : float or xarray.DataArray [1]
        Volume of all water, frozen or not, over that of the ground, counted as liquid: ground ice of ice-rich
        ground is water up to the porosity, which is then 0.8 and more. Layers do not settle when it melts.
    porosity : float or xarray.DataArray [1]
        Volume that is not solid over that of the ground.
    organic : float or xarray.DataArray [1]
        Share of the solids, by volume, that is organic.
    conductivity_thawed, conductivity_frozen : float or xarray.DataArray, optional [W m-1 K-1]
        With all water liquid, and with all of it frozen.
    heat_capacity_thawed, heat_capacity_frozen : float or xarray.DataArray, optional [J m-3 K-1]
    solid_conductivity : float or xarray.DataArray [W m-1 K-1]
        Of the mineral grains, where conductivity follows from the composition.
    freezing_curve : FreezingCurve
    name : str

    Raises
    ------
    DataError
        When a porosity is above 1, there is more water than pores, a conductivity is not above 0, or a thickness is
        negative.
    UsageError
        When a value is no number and no DataArray.
    """

    thickness: Any
    water: Any
    porosity: Any
    organic: Any = 0.0
    conductivity_thawed: Any = None
    conductivity_frozen: Any = None
    heat_capacity_thawed: Any = None
    heat_capacity_frozen: Any = None
    solid_conductivity: Any = 3.0
    freezing_curve: FreezingCurve = field(default_factory=MushyZone)
    name: str = ""

    def __post_init__(self) -> None:
        where = f"layer {self.name!r}" if self.name else "layer"
        numbers = {}
        for name, units in LAYER_UNITS.items():
            if getattr(self, name) is not None or name in _REQUIRED:
                value = number_or_field(f"{where}, {name}", getattr(self, name), units)
                object.__setattr__(self, name, value)
                if isinstance(value, float):
                    numbers[name] = np.asarray(value)
        ensure_layer(where, numbers)
        if not all(hasattr(self.freezing_curve, part) for part in ("freezing_point", "liquid_share")):
            raise UsageError(
                f"{self.freezing_curve!r} is no freezing curve",
                where=where,
                expected="MushyZone, PowerLaw or VanGenuchten",
                todo="give one, such as freezing_curve=MushyZone(0.05)",
            )


@dataclass(frozen=True, eq=False)
class SoilColumn:
    """Layers of ground from the surface down, and the cells they are cut into.

    Parameters
    ----------
    layers : sequence of SoilLayer
        The last one may be infinite.
    edges : array, optional [m]
        Depths of the faces of the cells, from 0 down; `column_edges` makes them. By default 0.02 m to 1 m depth,
        and growing by 1.15 to `depth` below. A cell across bounds of layers takes a share of each.
    depth : float, optional
        Of the column [m], where `edges` are not given. 50 m do for decades, 100 to 200 m for centuries.
    geothermal_flux : float or xarray.DataArray [W m-2]
        Into the base; 0.03 to 0.07 in most of the region.
    conductivity_blend : {"geometric", "arithmetic", "three_zone"}
        How the conductivity of partly frozen ground follows from those of frozen and thawed ground:
        k_f^(1-s) k_t^s with the liquid share s, which is also what Johansen's formula does in saturated ground;
        their weighted mean; or their plain mean whatever s.

    Raises
    ------
    UsageError
        When there are no layers, or a number is none.
    DataError
        When depths do not grow from 0, the layers end above the base, or one lies below an infinite one.

    Examples
    --------
    >>> turf = SoilLayer(0.1, water=0.5, porosity=0.85, organic=1.0, name="turf")
    >>> silt = SoilLayer(float("inf"), water=0.35, porosity=0.42, name="silt")
    >>> column = SoilColumn([turf, silt], depth=50.0)
    >>> column.edges[:3].round(3).tolist(), float(column.edges[-1])
    ([0.0, 0.02, 0.04], 50.0)
    """

    layers: Sequence[SoilLayer]
    edges: Any = None
    depth: float = 50.0
    geothermal_flux: Any = 0.05
    conductivity_blend: str = "geometric"

    def __post_init__(self) -> None:
        given = self.layers
        if not isinstance(given, Sequence) or not given or not all(isinstance(g, SoilLayer) for g in given):
            raise UsageError(
                "no layers" if isinstance(given, Sequence) and not given else f"a {type(given).__name__}",
                where="argument 'layers'",
                expected="a list of SoilLayer, from the surface down",
                todo="give at least one: [SoilLayer(...)]",
            )
        one_of("conductivity_blend", self.conductivity_blend, CONDUCTIVITY_BLENDS)
        object.__setattr__(self, "layers", tuple(self.layers))
        flux = number_or_field("argument 'geothermal_flux'", self.geothermal_flux, "W m-2")
        object.__setattr__(self, "geothermal_flux", flux)
        if isinstance(flux, float):
            ensure_geothermal(np.asarray(flux))
        ensure_order(self.layers)
        edges = self.edges
        if edges is None:
            steps = [layer.thickness for layer in self.layers]
            bounds = np.cumsum(steps) if all(np.isscalar(s) for s in steps) else np.empty(0)
            depth = number_or_field("argument 'depth'", self.depth, "m")
            edges = column_edges(depth, interfaces=bounds[np.isfinite(bounds)])
        edges = depths_array("argument 'edges'", edges)
        ensure_edges(edges)
        object.__setattr__(self, "edges", edges)
        object.__setattr__(self, "depth", float(edges[-1]))
        thickness = [layer.thickness for layer in self.layers]
        if all(np.isscalar(t) for t in thickness):
            ensure_reaches(np.asarray(sum(thickness), dtype="float64"), self.depth)

    @property
    def thickness(self) -> Array:
        """Thickness of the cells [cell; m]."""
        return np.diff(self.edges)

    @property
    def centres(self) -> Array:
        """Depths of the centres of the cells [cell; m]."""
        return np.asarray(0.5 * (self.edges[1:] + self.edges[:-1]))

    def with_layer(self, index: int, **changes: Any) -> SoilColumn:
        """The same column with one layer changed, as in a calibration."""
        layers = list(self.layers)
        layers[index] = replace(layers[index], **changes)
        return replace(self, layers=layers)

    def describe(self) -> str:
        """The column in a line, for the attributes of results."""
        parts = []
        for layer in self.layers:
            numbers = [
                f"{k} {number_text(getattr(layer, k))}" for k in LAYER_UNITS if getattr(layer, k) is not None
            ]
            parts.append(f"{layer.name or 'layer'}({', '.join([*numbers, repr(layer.freezing_curve)])})")
        return (
            f"{'; '.join(parts)}; {self.edges.size - 1} cells to {self.depth:g} m; "
            f"conductivity of partly frozen ground: {self.conductivity_blend}"
        )


def column_edges(
    depth: float,
    *,
    spacing: float = 0.02,
    uniform_depth: float = 1.0,
    growth: float = 1.15,
    interfaces: Any = (),
) -> Array:
    """Depths of the faces of cells that are even near the surface and grow below.

    Parameters
    ----------
    depth : float
        Of the last face [m].
    spacing : float
        Thickness of the upper cells [m].
    uniform_depth : float
        Down to which cells have this thickness [m].
    growth : float
        Ratio of the thicknesses of neighbours below that; at most 1.2 keeps the error small.
    interfaces : array
        Depths that must be faces, such as the bounds of layers [m]. The closest face moves there, or one is put
        in where that is already taken.

    Returns
    -------
    array [face; m]
        From 0 to `depth`.

    Raises
    ------
    DataError
        When a number is out of its range.

    Examples
    --------
    >>> column_edges(10.0, spacing=0.5, uniform_depth=2.0, growth=1.2).round(2).tolist()
    [0.0, 0.5, 1.0, 1.5, 2.0, 2.48, 3.07, 3.76, 4.6, 5.61, 6.81, 8.26, 10.0]
    """
    for name, value, low, high in (
        ("depth", depth, 0.0, 5000.0),
        ("spacing", spacing, 0.0, depth),
        ("uniform_depth", uniform_depth, 0.0, np.inf),
    ):
        ensure_range(name, np.asarray(value, dtype="float64"), low, high, "m", above=True)
    ensure_range("growth", np.asarray(growth, dtype="float64"), 1.0, 2.0, "1")
    even = round(min(uniform_depth, depth) / spacing)
    edges = [spacing * i for i in range(even + 1)]
    step = spacing
    while edges[-1] < depth:
        step *= growth
        edges.append(edges[-1] + step)
    below = np.array(edges[even:])
    if below.size > 1:
        # Stretched or shrunk a little, so that the last face is at the depth asked for.
        below = below[0] + (below - below[0]) * (depth - below[0]) / (below[-1] - below[0])
    out = np.concatenate([edges[:even], below]) if below.size > 1 else np.array(edges)
    out[-1] = depth
    kept = {0.0, float(depth)}
    for bound in np.unique(np.asarray(interfaces, dtype="float64")):
        if 0.0 < bound < depth:
            at = int(np.argmin(np.abs(out - bound)))
            out = np.sort(np.append(out, bound)) if out[at] in kept else out
            out[int(np.argmin(np.abs(out - bound)))] = bound
            kept.add(float(bound))
    return out


def ensure_order(layers: Sequence[SoilLayer]) -> None:
    """Refuse layers below an infinite one.

    Raises
    ------
    DataError
    """
    for number, layer in enumerate(layers[:-1]):
        if np.isscalar(layer.thickness) and np.isinf(layer.thickness):
            raise DataError(
                f"layer {layer.name or number!r} is infinite, and {len(layers) - number - 1} more lie below it",
                where="argument 'layers'",
                expected="an infinite thickness for the lowest layer only",
                todo="give the upper layers their thickness in metres",
            )
