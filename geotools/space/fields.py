"""Checks of a field before it meets an overlap, and the attributes of what comes out."""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Any

import numpy as np
import xarray as xr

from geotools.errors import CRSError, DataError, UsageError
from geotools.metadata import kind_of
from geotools.space.coordinates import centres_lie_in, find_dims
from geotools.space.corners import find_centres
from geotools.space.crs import read_crs, same_crs
from geotools.space.curvilinear import CurvilinearGrid
from geotools.space.grid import Grid
from geotools.space.grids import AnyGrid
from geotools.vocabulary import Kind

_SAYS = {
    Kind.INTENSIVE: "an intensive quantity",
    Kind.DENSITY: "a density per area",
    Kind.AMOUNT: "an amount per cell",
    Kind.CLASS: "a class",
}
_RIGHT_CALL = {
    Kind.INTENSIVE: "mean(field)",
    Kind.DENSITY: "mean(field), or total(field) for the integral over the zone",
    Kind.AMOUNT: "sum(field)",
    Kind.CLASS: "area_by_class(field) or class_fraction(field)",
}
_ENCODED = ("_FillValue", "missing_value", "nodata", "nodatavals", "scale_factor", "add_offset")


def label_of(field: xr.DataArray) -> str:
    """The name of a field for messages."""
    return f"variable {field.name!r}" if field.name is not None else "unnamed variable"


def ensure_kind(field: xr.DataArray, allowed: Collection[Kind], call: str) -> Kind:
    """The kind of a field, when a call takes it.

    Raises
    ------
    UsageError
        Naming the call that fits.
    """
    kind = kind_of(field)
    if kind not in allowed:
        attrs = {k: field.attrs[k] for k in ("units", "cell_methods") if k in field.attrs}
        raise UsageError(
            f"{call}() was called on {_SAYS[kind]} ({', '.join(f'{k}={v!r}' for k, v in attrs.items())})",
            where=label_of(field),
            expected=" or ".join(_SAYS[k] for k in Kind if k in allowed),
            todo=f"call {_RIGHT_CALL[kind]}, or correct units and cell_methods if they are wrong",
        )
    return kind


def ensure_field(field: Any) -> xr.DataArray:
    """One decoded, numeric variable.

    Raises
    ------
    UsageError
        For anything but a DataArray.
    DataError
        When the values are not numbers or still packed.
    """
    if isinstance(field, xr.Dataset):
        raise UsageError("a Dataset was given", expected="one variable", todo="pass dataset['name']")
    if not isinstance(field, xr.DataArray):
        raise UsageError(f"a {type(field).__name__} was given", expected="an xarray.DataArray on the grid")
    if field.dtype.kind not in "biuf":
        raise DataError(f"it holds {field.dtype}", where=label_of(field), expected="numbers")
    packed = [name for name in _ENCODED if name in field.attrs and not _is_nan(field.attrs[name])]
    if packed:
        raise DataError(
            f"the attribute {packed[0]} = {field.attrs[packed[0]]!r} says the values are not decoded",
            where=label_of(field),
            expected="missing values as NaN",
            todo="open the file with mask_and_scale=True, or read it through the catalog",
        )
    return field


def _is_nan(value: Any) -> bool:
    return np.ndim(value) == 0 and isinstance(value, float | np.floating) and bool(np.isnan(value))


def ensure_on_grid(field: xr.DataArray, grid: AnyGrid) -> tuple[str, str]:
    """The y and x dimension of a field that lies on a grid.

    Raises
    ------
    DataError
        When the grids differ; the message names both.
    """
    if isinstance(grid, CurvilinearGrid):
        return _ensure_on_curvilinear(field, grid)
    try:
        found = Grid.from_dataarray(field)
    except DataError as error:
        # CF bounds stay in the dataset when a variable is taken out of it. Without them an irregular axis or
        # one of a single cell cannot be read, but it can still be told whether it is that of the grid.
        if isinstance(error, CRSError) or not _may_lie_on(field, grid):
            raise
        return find_dims(field)
    if not found.matches(grid):
        turned = found.shape == grid.shape and (
            Grid(found.x_edges, found.y_edges[::-1], found.crs).matches(grid)
            or Grid(found.x_edges[::-1], found.y_edges, found.crs).matches(grid)
        )
        raise DataError(
            f"the field lies on another grid than the overlap: {found}",
            where=label_of(field),
            expected=f"the grid of the overlap: {grid}",
            todo="an axis runs the other way; sort the field (field.sortby(dim)) or build the overlap on it"
            if turned
            else "build the overlap on the grid of this field, or select the same part of it",
        )
    return found.dims


def _ensure_on_curvilinear(field: xr.DataArray, grid: CurvilinearGrid) -> tuple[str, str]:
    """The y and x dimension of a field whose cells are told by their place, and by their centres if it has any."""
    names = find_centres(field)
    dims = grid.dims
    if names and set(field[names[0]].dims) != set(dims):
        dims = (str(field[names[0]].dims[0]), str(field[names[0]].dims[1]))
    found = "dimensions ({})".format(", ".join(f"{d} {n}" for d, n in field.sizes.items()))
    if not set(dims) <= set(field.dims) or tuple(field.sizes[d] for d in dims) != grid.shape:
        raise DataError(
            f"the field does not lie on the grid of the overlap: it has the {found}",
            where=label_of(field),
            expected=f"{grid.y_dim} {grid.shape[0]}, {grid.x_dim} {grid.shape[1]}: {grid}",
            todo="select the same part of it, or build the overlap on the grid of this field",
        )
    if names:
        lon, lat = (np.asarray(field[n].transpose(*dims).values, dtype="float64") for n in names)
        if not grid.holds(lon, lat):
            raise DataError(
                f"the coordinates {names[0]!r} and {names[1]!r} do not lie in the cells of the overlap",
                where=label_of(field),
                expected=f"centres of {grid}",
                todo="check the order of both axes, or build the overlap on the grid of this field",
            )
    return dims


def _may_lie_on(field: xr.DataArray, grid: Grid) -> bool:
    y_dim, x_dim = find_dims(field)
    if not centres_lie_in(field, {y_dim: grid.y_edges, x_dim: grid.x_edges}):
        return False
    return same_crs(read_crs(field, lonlat_units=grid.is_lonlat), grid.crs)


def spatial_coordinates(field: xr.DataArray, dims: tuple[str, str]) -> list[str]:
    """Coordinates that lose their meaning with the grid: those along it, and its CRS."""
    mapping = str(field.attrs.get("grid_mapping", field.encoding.get("grid_mapping", "spatial_ref")))
    lost = {"spatial_ref", "crs", mapping}
    return [str(n) for n, c in field.coords.items() if n in lost or set(c.dims) & set(dims)]


_KEPT = ("units", "units_metadata", "long_name", "standard_name", "history")


def result_attrs(field: xr.DataArray, method: str | None, *, units: str | None = None) -> dict[str, Any]:
    """Attributes of an aggregated field.

    Parameters
    ----------
    field : xarray.DataArray
    method : str or None
        CF cell method over area, ``mean`` or ``sum``; none for a quantile, which CF cannot say.
    units : str, optional
        When they change; the standard name is then dropped, for it names a quantity of other units.
    """
    kept = {k: v for k, v in field.attrs.items() if k in _KEPT}
    old = re.sub(r"area: \w+\s*", "", str(field.attrs.get("cell_methods", ""))).strip()
    # CF lists methods in the order they were applied, and this one came last.
    methods = f"{old} area: {method}".strip() if method else old
    if units is not None and units != kept.get("units"):
        kept["units"] = units
        kept.pop("standard_name", None)
        kept.pop("units_metadata", None)
    return {**kept, "cell_methods": methods} if methods else kept
