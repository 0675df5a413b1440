"""Rasters that are taken along the transect only: elevation, a vegetation index, and whatever else the recipe names.

They are read on the grid they come on and not on the joint grid, whose cells would hide the relief of a swath.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import xarray as xr

from geotools.catalog.schema import Entry
from geotools.errors import DataError, GeotoolsWarning, UsageError
from geotools.metadata import VARIABLES, kind_of
from geotools.recipe.bands import part_bytes
from geotools.recipe.context import LAYER, SUMMARISED, Context
from geotools.recipe.zone_cells import FLOAT
from geotools.space.line_samples import untold
from geotools.space.transect_extract import STATISTICS, extract, sample
from geotools.space.window import window_around
from geotools.vocabulary import Kind

if TYPE_CHECKING:
    from geotools.space import Grid, Overlap

# Inputs that the recipe names by themselves, and the variable each is.
_NAMED = {"elevation": "orog", "ndvi": "ndvi"}
# Terms of the budget that the profile draws as well.
FLUXES = ("net_ecosystem_exchange", "fossil_emissions")
# What transect.csv and the profile hold besides; a second variable of the same name could not be told apart.
_TAKEN = (
    *SUMMARISED, "surface_offset", "thermal_offset", "nival_offset", "land_cover", "land_cover_fraction", *FLUXES,
    *_NAMED.values(),
    # Coordinates of the files along the line.
    "segment", "point", "distance_km", "lat", "lon", "time", "depth", "nv", "crs", "swath", "class",
)  # fmt: skip
# Of a cell while the quantiles of the segments are gathered: its value, its number, its place among the sorted.
_GATHERED = 7 * FLOAT


@dataclass(frozen=True)
class Layer:
    """One raster along the transect.

    Parameters
    ----------
    name : str
        Of the variable in transect.csv.
    role : str
        Of the input.
    variable : str
        Of the entry.
    source : str
        Name of the entry.
    entry : Entry
    """

    name: str
    role: str
    variable: str
    source: str
    entry: Entry

    @property
    def title(self) -> str:
        """What it is in words."""
        words = self.entry.variables[self.variable].long_name
        return words or (VARIABLES[self.variable].long_name if self.variable in VARIABLES else self.name)


def layers(context: Context) -> list[Layer]:
    """The layers of a run in the order of the recipe.

    Raises
    ------
    UsageError
        When a name is taken, or an entry has no variable or several to choose from.
    """
    found = [
        Layer(variable, role, variable, *context.inputs[role])
        for role, variable in _NAMED.items()
        if role in context.inputs
    ]
    for number, name in enumerate(context.recipe.inputs.transect_layers):
        role = f"{LAYER}_{number}"
        source, entry = context.inputs[role]
        found.append(Layer(name, role, _variable(name, entry), source, entry))
    return found


def _variable(name: str, entry: Entry) -> str:
    where = f"inputs.transect_layers.{name}"
    if name in _TAKEN or name.startswith("csoil_"):
        own = {v: k for k, v in _NAMED.items()}
        raise UsageError(
            f"the name {name!r} is taken by a variable of the transect",
            where=where,
            expected="a name of your own",
            todo=f"give it as inputs.{own[name]}" if name in own else "rename the layer",
        )
    if name in entry.variables:
        return name
    if len(entry.variables) != 1:
        raise UsageError(
            f"the entry has {'no variables' if not entry.variables else 'several variables and none of that name'}",
            where=f"{where}: {entry.path}",
            expected=f"`variables` with one variable, or with {name!r} among them",
            todo=f"add `variables: {{{name}: {{name: ..., units: ..., long_name: ...}}}}` to the entry",
        )
    return next(iter(entry.variables))


def opened(context: Context, layer: Layer) -> xr.DataArray:
    """The whole field of a layer.

    Returns
    -------
    xarray.DataArray [lat, lon or y, x; lazy; units of the layer]

    Raises
    ------
    UsageError, DataError, UnitsError
        When the file cannot be used, has several steps of time or depth, or holds amounts per cell.
    """
    field = context.open_raster(layer.role, (layer.variable,))[layer.variable].rename(layer.name)
    dims = context.source_grid(layer.role).dims
    more = {str(d): n for d, n in field.sizes.items() if d not in dims}
    where = f"{layer.entry.path}: variable {layer.variable!r}"
    if any(n > 1 for n in more.values()):
        raise DataError(
            f"it has {' and '.join(f'{n} steps of {d}' for d, n in more.items())}",
            where=where,
            expected="one map",
            todo="take one step, or a mean or maximum, and write that to a file",
        )
    if kind_of(field) is Kind.AMOUNT:
        raise DataError(
            "it holds amounts per cell, whose mean over a segment hangs on the size of the cells",
            where=where,
            expected="a density or a quantity that does not hang on the cell",
            todo="divide the values by the area of their cells",
        )
    return field.isel(dict.fromkeys(more, 0), drop=True)


def around(context: Context, layer: Layer) -> xr.DataArray:
    """The part of a layer around the strip of the transect, lazily."""
    field = opened(context, layer)
    return field.isel(_window(context, layer))


def _window(context: Context, layer: Layer) -> dict[str, slice]:
    source = context.source_grid(layer.role)
    found = window_around(source, context.transect.swath.bounds)
    # The size of a cell is read off its neighbour.
    whole = (
        cut
        if cut.stop - cut.start > 1 or size == 1
        else slice(min(cut.start, size - 2), min(cut.start, size - 2) + 2)
        for cut, size in zip(found, source.shape, strict=True)
    )
    return dict(zip(source.dims, whole, strict=True))


def reached(context: Context, layer: Layer) -> int:
    """How many segments the grid of a layer reaches, whether it has values there or not."""
    opened(context, layer)
    return int((_overlap(context, layer).matrix.row_sums > 0).sum())


def _part(context: Context, layer: Layer) -> Grid:
    from geotools.space.window import part_of

    rows, columns = _window(context, layer).values()
    return part_of(context.source_grid(layer.role), (rows, columns))


def along(context: Context, layer: Layer, *, min_coverage: float) -> tuple[xr.Dataset, xr.Dataset]:
    """Statistics of the segments and values every 10 km of a layer.

    Parameters
    ----------
    context : Context
    layer : Layer
    min_coverage : float
        Share of the surroundings of a point of the line that must have data; statistics of segments are given
        whatever is known of them.

    Returns
    -------
    (xarray.Dataset, xarray.Dataset) [segment; point; lazy]
    """
    field = around(context, layer)
    found = extract(
        context.transect, {layer.name: field}, statistics=STATISTICS, min_coverage=0.0, overlap=_overlap(context, layer)
    )  # fmt: skip
    points = sample(
        context.transect, {layer.name: field}, spacing_km=10.0, min_coverage=min_coverage, tell_outside=False
    )  # fmt: skip
    # Files along the line have one time, which is that of the climate.
    years = (
        " to ".join(layer.entry.period) if layer.entry.period else "a period that its source does not state"
    )
    for data in (found, points):
        for name in data.data_vars:
            own = str(data[name].attrs.get("comment", ""))
            if str(name).startswith(layer.name):
                said = f"of {years}, whatever the time of this file is"
                data[name].attrs["comment"] = f"{own}; {said}" if own else said
    return found, points


def _overlap(context: Context, layer: Layer) -> Overlap:
    # `tell_if_missing` names the layer, which a warning from here could not.
    return untold(context.transect, _part(context, layer))


def tell_if_missing(context: Context, layer: Layer, found: xr.Dataset) -> None:
    """Warn when a layer has data in none of the segments: its panel is left out.

    Parameters
    ----------
    context : Context
    layer : Layer
    found : xarray.Dataset
        From `along`, in memory.
    """
    if not (found[f"{layer.name}_coverage"] > 0).any():
        warnings.warn(
            f"{layer.name} ({layer.entry.path}) has data in none of the {found.sizes['segment']} segments of "
            f"{context.transect.name}; its valid fraction is 0 and its panel is left out of the profile",
            GeotoolsWarning,
            stacklevel=2,
        )


def needed(context: Context, layer: Layer) -> tuple[int, int, int]:
    """Bytes and pieces that are read of a layer, and bytes that are held meanwhile."""
    field, part = opened(context, layer), _window(context, layer)
    cut, swath = field.isel(part), context.transect.swath
    pieces = int(np.prod([len(c) for c in cut.chunks or ()]))
    # Of the rectangle around the strip only cells of the strip are gathered.
    touched = swath.area / swath.envelope.area * cut.size
    return part_bytes(field, part), pieces, int(2 * cut.nbytes + touched * _GATHERED)
