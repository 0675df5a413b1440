"""The ground as a column of layers, and the cells it is cut into."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from geotools.errors import DataError, UsageError
from geotools.guards import Array, ensure_range, one_of
from geotools.permafrost.freezing_curves import FreezingCurve, MushyZone

CONDUCTIVITY_BLENDS = ("geometric", "arithmetic", "three_zone")
# Fields of a layer that may be arrays over columns, and their units.
LAYER_UNITS = {
    "thickness": "m",
    "water": "1",
    "porosity": "1",
    "organic": "1",
    "conductivity_thawed": "W m-1 K-1",
    "conductivity_frozen": "W m-1 K-1",
    "heat_capacity_thawed": "J m-3 K-1",
    "heat_capacity_frozen": "J m-3 K-1",
    "solid_conductivity": "W m-1 K-1",
}


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
        When a porosity is above 1, there is more water than pores, or a conductivity or a thickness is not
        above 0.
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
        given = {k: getattr(self, k) for k in LAYER_UNITS if getattr(self, k) is not None}
        numbers = {k: np.asarray(v, dtype="float64") for k, v in given.items() if np.isscalar(v)}
        ensure_layer(f"layer {self.name!r}" if self.name else "layer", numbers)


def ensure_layer(where: str, values: dict[str, Array]) -> None:
    """Refuse what no ground can be; values that are not given pass.

    Raises
    ------
    DataError
    """
    for name, low, above in (("thickness", 0.0, False), ("water", 0.0, False), ("organic", 0.0, False)):
        if name in values:
            high = np.inf if name == "thickness" else 1.0
            todo = "give volumes per volume, not per cent" if name != "thickness" else "give metres"
            ensure_range(
                f"{where}, {name}", values[name], low, high, LAYER_UNITS[name], above=above, todo=todo
            )
    if "porosity" in values:
        ensure_range(
            f"{where}, porosity",
            values["porosity"],
            0.0,
            1.0,
            "1",
            todo="give a share of the volume, not per cent",
        )
    for name in ("conductivity_thawed", "conductivity_frozen", "solid_conductivity"):
        if name in values:
            ensure_range(f"{where}, {name}", values[name], 0.0, 20.0, "W m-1 K-1", above=True)
    for name in ("heat_capacity_thawed", "heat_capacity_frozen"):
        if name in values:
            todo = "give the capacity per volume, in J m-3 K-1"
            ensure_range(f"{where}, {name}", values[name], 1e5, 1e7, "J m-3 K-1", todo=todo)
    if "water" in values and "porosity" in values:
        excess = values["water"] - values["porosity"]
        if np.any(excess > 1e-12):
            at = int(np.argmax(excess))
            water, porosity = np.broadcast_arrays(values["water"], values["porosity"])
            raise DataError(
                f"water or ice fills {float(water.flat[at]):g} of the volume, the pores {float(porosity.flat[at]):g}",
                where=where,
                expected="water of at most the porosity",
                todo="raise the porosity: in ice-rich ground it counts the excess ice",
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
        and growing by 1.15 to `depth` below.
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
        When there are no layers.
    DataError
        When depths do not grow from 0, or the layers end above the base.

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
        if not self.layers:
            raise UsageError("no layers", where="argument 'layers'", expected="at least one SoilLayer")
        one_of("conductivity_blend", self.conductivity_blend, CONDUCTIVITY_BLENDS)
        object.__setattr__(self, "layers", tuple(self.layers))
        if np.isscalar(self.geothermal_flux):
            ensure_geothermal(np.asarray(self.geothermal_flux, dtype="float64"))
        edges = self.edges
        if edges is None:
            steps = [layer.thickness for layer in self.layers]
            bounds = np.cumsum(steps) if all(np.isscalar(s) for s in steps) else np.empty(0)
            edges = column_edges(self.depth, interfaces=bounds[np.isfinite(bounds)])
        edges = np.asarray(edges, dtype="float64")
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


def ensure_edges(edges: Array) -> None:
    """Refuse faces of cells that do not grow from 0.

    Raises
    ------
    DataError
    """
    if edges.ndim != 1 or edges.size < 3 or edges[0] != 0.0 or not np.all(np.isfinite(edges)):
        raise DataError(
            f"an array of shape {edges.shape}" + (f" from {edges.flat[0]:g}" if edges.size else ""),
            where="argument 'edges'",
            expected="depths of the faces of at least two cells, from 0 down",
        )
    steps = np.diff(edges)
    if np.any(steps <= 0.0):
        at = int(np.argmax(steps <= 0.0))
        raise DataError(
            f"{edges[at + 1]:g} m follows {edges[at]:g} m",
            where="argument 'edges'",
            expected="depths that grow, positive down",
            todo="sort them, and drop repeated ones",
        )


def ensure_reaches(total: Array, depth: float) -> None:
    """Refuse layers that end above the base of the column.

    Raises
    ------
    DataError
    """
    if np.any(total < depth - 1e-9):
        raise DataError(
            f"the layers end at {float(np.min(total)):g} m",
            where="argument 'layers'",
            expected=f"layers down to the base of the column at {depth:g} m",
            todo="make the last layer infinite: thickness=float('inf')",
        )


def ensure_geothermal(flux: Array) -> None:
    """Refuse heat fluxes in mW m-2.

    Raises
    ------
    DataError
    """
    ensure_range("geothermal_flux", flux, -1.0, 1.0, "W m-2", todo="give W m-2: 50 mW m-2 are 0.05")


def number_text(value: Any, units: str = "") -> str:
    """A number for an attribute, or that it varies over columns."""
    if isinstance(value, int | float | np.number):
        return f"{float(value):g} {units}".strip()
    return "varies"
