"""Polygons in the plane of a grid, in which a share of a cell is a plain area.

The way there: the CRS of the polygons, the CRS of the grid, and the plane in which its cells are compared (the
cylindrical equal-area one for longitude and latitude). That is where polygons are walked (`to_rings`).

To compare with other software there is the index plane too (`to_index_plane`), with one unit square per cell.
Going to column and row numbers is linear inside a cell but not across edges. So a vertex is put wherever an
edge of a polygon crosses an edge of the grid; after that, straight lines stay straight and irregular grids
need no other treatment.
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


def to_index_plane(polygons: Geometries, grid: Grid) -> tuple[NDArray[np.int64], Geometries]:
    """Polygons of the grid's CRS with column and row numbers for coordinates.

    Parameters
    ----------
    polygons : numpy.ndarray of shapely polygons [polygon]
    grid : Grid

    Returns
    -------
    index : numpy.ndarray [piece]
        Position in `polygons`. Those that miss the grid are left out; on a longitude-latitude grid one may
        come twice, a whole turn apart.
    pieces : numpy.ndarray [piece]
        x is the column edge number, y the row edge number, rows in the order of the array.
    """
    x_edges, y_edges = grid.plane_edges()
    bounds = shapely.bounds(polygons)
    west, south, east, north = grid.bounds
    index, pieces = [], []
    for turn in (-360.0, 0.0, 360.0) if grid.is_lonlat else (0.0,):
        meets = np.flatnonzero(
            (bounds[:, 0] + turn < east)
            & (bounds[:, 2] + turn > west)
            & (bounds[:, 1] < north)
            & (bounds[:, 3] > south)
        )
        if meets.size:
            index.append(meets)
            pieces.append(_number(polygons[meets], turn, x_edges, y_edges, grid.is_lonlat))
    if not index:
        return np.zeros(0, dtype="int64"), np.zeros(0, dtype=object)
    return np.concatenate(index), np.concatenate(pieces)


def _number(
    polygons: Geometries,
    turn: float,
    x_edges: NDArray[np.float64],
    y_edges: NDArray[np.float64],
    lonlat: bool,
) -> Geometries:
    kind, coordinates, offsets = shapely.to_ragged_array(polygons)
    x = coordinates[:, 0] + turn
    y = authalic_ordinate(coordinates[:, 1]) if lonlat else coordinates[:, 1]
    rings = offsets[0]
    x, y, rings = cut_at_edges(x, y, rings, np.sort(x_edges), np.sort(y_edges))
    numbered = np.column_stack((_edge_number(x, x_edges), _edge_number(y, y_edges)))
    pieces = np.asarray(shapely.from_ragged_array(kind, numbered, (rings, *offsets[1:])))
    # Where a boundary passes a corner of cells within rounding, two new vertices may come in the wrong order and
    # fold the ring by 1e-12 of a cell. Walkers other than ours lose whole cells over such a fold.
    folded = ~shapely.is_valid(pieces)
    if folded.any():
        pieces[folded] = shapely.make_valid(pieces[folded], method="structure", keep_collapsed=False)
    return pieces


def cut_at_edges(
    x: NDArray[np.float64],
    y: NDArray[np.float64],
    rings: NDArray[np.int64],
    x_edges: NDArray[np.float64],
    y_edges: NDArray[np.float64],
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.int64]]:
    """Rings with a vertex wherever they cross a line of the grid.

    Parameters
    ----------
    x, y : numpy.ndarray [vertex]
    rings : numpy.ndarray [ring + 1]
        Where each ring starts; the last number is the number of vertices.
    x_edges, y_edges : numpy.ndarray [edge]
        Ascending.

    Returns
    -------
    x, y, rings
        With the new vertices in their place.
    """
    line = np.ones(x.size, dtype=bool)
    line[rings[1:] - 1] = False  # the last vertex of a ring starts no edge
    start = np.flatnonzero(line)
    dx, dy = x[start + 1] - x[start], y[start + 1] - y[start]
    edge_x, at_x = _crossings(x[start], x[start + 1], x_edges)
    edge_y, at_y = _crossings(y[start], y[start + 1], y_edges)
    along_x = (at_x - x[start][edge_x]) / dx[edge_x]
    along_y = (at_y - y[start][edge_y]) / dy[edge_y]
    new_x = np.concatenate((x, at_x, x[start][edge_y] + along_y * dx[edge_y]))
    new_y = np.concatenate((y, y[start][edge_x] + along_x * dy[edge_x], at_y))
    vertex = np.concatenate((np.arange(x.size), start[edge_x], start[edge_y]))
    order = np.lexsort((np.concatenate((np.zeros(x.size), along_x, along_y)), vertex))
    added = np.bincount(np.concatenate((start[edge_x], start[edge_y])), minlength=x.size)
    before = np.concatenate(([0], np.cumsum(1 + added)))
    return new_x[order], new_y[order], before[rings]


def _crossings(
    one: NDArray[np.float64], other: NDArray[np.float64], edges: NDArray[np.float64]
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Which lines cross which edges strictly between their ends, and where."""
    first = np.searchsorted(edges, np.minimum(one, other), side="right")
    count = np.maximum(np.searchsorted(edges, np.maximum(one, other), side="left") - first, 0)
    line = np.repeat(np.arange(one.size), count)
    rank = np.arange(line.size) - np.repeat(np.cumsum(count) - count, count)
    return line, edges[first[line] + rank]


def _edge_number(values: NDArray[np.float64], edges: NDArray[np.float64]) -> NDArray[np.float64]:
    """Position among the edges; beyond the grid it grows on, so that shapes outside stay shapes."""
    numbers = np.arange(edges.size, dtype="float64")
    if edges[0] > edges[-1]:
        edges, numbers = edges[::-1], numbers[::-1]
    step = 1.0 if numbers[-1] > numbers[0] else -1.0
    scale = float(edges[-1] - edges[0])
    inside = np.interp(values, edges, numbers)
    below, above = np.minimum(values - edges[0], 0.0), np.maximum(values - edges[-1], 0.0)
    return np.asarray(inside + step * (below + above) / scale)


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
