"""Polygons in the plane of a grid, in which a share of a cell is a plain area.

The way there: the CRS of the polygons, the CRS of the grid, and the plane in which its cells are compared (the
cylindrical equal-area one for longitude and latitude). That is where polygons are walked (`to_rings`).
"""

from __future__ import annotations

from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray
from pyproj import CRS, Transformer

from geotools.space.crs import WGS84, is_lonlat, same_crs
from geotools.space.geodesy import authalic_ordinate, default_max_segment, densify, transformed
from geotools.space.grid import Grid
from geotools.space.poles import unwrap
from geotools.space.walker import Rings
from geotools.space.windows import cut_to_window

Geometries = NDArray[Any]


def to_grid_crs(polygons: Geometries, crs: CRS, grid: Grid, *, dense: Geometries | None = None) -> Geometries:
    """Polygons, densified where they are straight, in the CRS of the grid; empty where they lie far from it.

    `dense` are the polygons with the vertices of `densify`, where they are at hand.
    """
    if dense is not None and same_crs(crs, grid.crs):
        return dense
    if grid.is_lonlat or same_crs(crs, grid.crs):
        return to_crs(polygons, crs, grid.crs)
    changed, near = cut_to_window(polygons if is_lonlat(crs) else to_crs(polygons, crs, WGS84), grid)
    if not changed.any():
        return to_crs(polygons, crs, grid.crs)
    out = np.array(polygons, dtype=object)
    for which, shapes, own in ((changed, near, WGS84), (~changed, polygons, crs)):
        if which.any():
            out[which] = to_crs(shapes[which], own, grid.crs)
    return out


def to_crs(polygons: Geometries, crs: CRS, new: CRS, max_segment: float | None = None) -> Geometries:
    """Polygons, densified where they are straight, in another CRS.

    In longitude and latitude a polygon is continuous over the antimeridian and may leave -180 to 180; one that holds
    a pole is closed along the line of its latitude.

    Parameters
    ----------
    polygons : numpy.ndarray of shapely polygons [polygon]
    crs, new : pyproj.CRS
    max_segment : float, optional
        Longest edge that is left without further vertices; by default that of `default_max_segment`.

    Raises
    ------
    GeometryError
        When coordinates cannot be brought to the other CRS.
    """
    dense = np.asarray(densify(shapely.force_2d(polygons), max_segment or default_max_segment(crs)))
    if same_crs(crs, new):
        return dense
    out = np.asarray(transformed(dense, Transformer.from_crs(crs, new, always_xy=True)))
    return unwrap(out, dense, crs) if is_lonlat(new) else out


def to_rings(polygons: Geometries, grid: Grid) -> tuple[NDArray[np.int64], Rings]:
    """Polygons of the grid's CRS as rings in the plane in which its cells are compared.

    Parameters
    ----------
    polygons : numpy.ndarray of shapely polygons [polygon]
    grid : Grid

    Returns
    -------
    index : numpy.ndarray [piece]
        Position in `polygons`. Those that miss the grid are left out; on a longitude-latitude grid one may
        come twice, a whole turn apart.
    rings : Rings
    """
    bounds = shapely.bounds(polygons)
    west, south, east, north = grid.bounds
    index, turns = [], []
    for turn in (-360.0, 0.0, 360.0) if grid.is_lonlat else (0.0,):
        meets = np.flatnonzero(
            (bounds[:, 0] + turn < east)
            & (bounds[:, 2] + turn > west)
            & (bounds[:, 1] < north)
            & (bounds[:, 3] > south)
        )
        index.append(meets)
        turns.append(np.full(meets.size, turn))
    which, turned = np.concatenate(index), np.concatenate(turns)
    if which.size == 0:
        none = np.zeros(0)
        return which, Rings(none, none, np.zeros(1, "int64"), np.zeros(1, "int64"), none.astype(bool))
    kind, coordinates, offsets = shapely.to_ragged_array(polygons[which])
    ring = offsets[0].astype("int64")
    first = offsets[1].astype("int64")  # ring of each part
    hole = np.ones(ring.size - 1, dtype=bool)
    hole[first[:-1]] = False
    polygon = first[offsets[2]] if kind == shapely.GeometryType.MULTIPOLYGON else first
    x, y = coordinates[:, 0], coordinates[:, 1]
    if grid.is_lonlat:
        x = x + np.repeat(turned, np.diff(ring[polygon]))
        y = authalic_ordinate(y)
    rings = Rings(np.ascontiguousarray(x), np.ascontiguousarray(y), ring, polygon, hole)
    return which, rings
