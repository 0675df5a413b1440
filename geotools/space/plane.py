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

from geotools.errors import GeometryError
from geotools.space.crs import same_crs
from geotools.space.geodesy import authalic_ordinate, default_max_segment, densify, transformed
from geotools.space.grid import Grid
from geotools.space.walker import Rings

Geometries = NDArray[Any]


def to_grid_crs(polygons: Geometries, crs: CRS, grid: Grid) -> Geometries:
    """Polygons, densified where they are straight, in the CRS of the grid.

    Raises
    ------
    GeometryError
        When a ring encloses a pole and the grid is in longitude and latitude, where it has no closed shape.
    """
    dense = densify(shapely.force_2d(polygons), default_max_segment(crs))
    if same_crs(crs, grid.crs):
        return np.asarray(dense)
    out = np.asarray(transformed(dense, Transformer.from_crs(crs, grid.crs, always_xy=True)))
    return _unwrap(out) if grid.is_lonlat else out


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


def _unwrap(polygons: Geometries) -> Geometries:
    """Rings that cross the antimeridian as continuous rings, which then leave -180 to 180."""
    kind, coordinates, offsets = shapely.to_ragged_array(polygons)
    lon, rings = coordinates[:, 0].copy(), offsets[0]
    leaps = np.abs(np.diff(lon)) > 180
    leaps[rings[1:-1] - 1] = False
    if not leaps.any():
        return polygons
    first_of_polygon = set(offsets[1].tolist()) if len(offsets) > 1 else {0}
    shell = 0.0
    for ring in range(rings.size - 1):
        part = slice(rings[ring], rings[ring + 1])
        lon[part] = np.unwrap(lon[part], period=360)
        if abs(lon[part][0] - lon[part][-1]) > 180:
            raise GeometryError(
                "a ring encloses a pole and cannot be drawn in longitude and latitude",
                where=f"ring that reaches latitude {coordinates[part, 1].max():.1f}",
                todo="cut the polygon along a meridian, or use a grid in a polar projection",
            )
        if ring in first_of_polygon:
            shell = float(lon[part].mean())
        else:
            lon[part] += 360 * np.round((shell - lon[part].mean()) / 360)
    out = shapely.from_ragged_array(kind, np.column_stack((lon, coordinates[:, 1])), offsets)
    return np.asarray(out)
