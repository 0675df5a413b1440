"""Grids of either kind, and which of them an xarray object lies on."""

from __future__ import annotations

import xarray as xr

from geotools.errors import DataError
from geotools.space.coordinates import LONLAT_UNITS, find_dims
from geotools.space.corners import find_centres
from geotools.space.crs import is_lonlat, read_crs
from geotools.space.curvilinear import CurvilinearGrid
from geotools.space.grid import Grid

AnyGrid = Grid | CurvilinearGrid


def grid_of(source: AnyGrid | xr.DataArray | xr.Dataset) -> AnyGrid:
    """The grid itself, or the grid of a field.

    A field with one-dimensional coordinates lies on a `Grid`, also when it carries longitude and latitude in two
    dimensions beside them, as rotated-pole models do. Where the one-dimensional coordinates are mere numbers of
    rows and columns, or are absent, the two-dimensional ones and their bounds make a `CurvilinearGrid`.
    """
    if isinstance(source, Grid | CurvilinearGrid):
        return source
    if is_curvilinear(source):
        return CurvilinearGrid.from_dataset(source)
    return Grid.from_dataarray(source)


def is_curvilinear(field: xr.DataArray | xr.Dataset) -> bool:
    """Whether two-dimensional longitude and latitude are all that says where the cells of a field lie."""
    if find_centres(field) is None:
        return False
    try:
        y_dim, x_dim = find_dims(field)
        units = {axis: str(field[d].attrs.get("units", "")) for axis, d in (("Y", y_dim), ("X", x_dim))}
        crs = read_crs(field, lonlat_units=all(units[axis] in LONLAT_UNITS[axis] for axis in units))
    except DataError:
        return True
    return is_lonlat(crs) and not any(units.values())
