"""From the cells of a grid to points of a line: bilinear weights, means around a point, or the cell that holds it.

Each is a sparse matrix of weights, applied like an overlap: lazily, chunk by chunk, with the valid share beside it.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import shapely
from numpy.typing import NDArray
from pyproj import Transformer

from geotools.errors import GeometryError
from geotools.space.crs import WGS84, same_crs
from geotools.space.geodesy import GEOD
from geotools.space.grid import Grid
from geotools.space.grids import AnyGrid
from geotools.space.matrix import CellMatrix
from geotools.space.overlap import Overlap
from geotools.space.targets import Target, target_of

if TYPE_CHECKING:
    from geotools.space.transect import Transect

_CORNERS = 64


def cell_size_km(cells: Overlap) -> float:
    """Typical size of the cells that hold some points: the root of the median area [km]; NaN when none does."""
    held = cells.matrix.cells
    return float(np.sqrt(np.median(cells.grid.areas_of(held))) / 1000) if held.size else float("nan")


def holding(points: gpd.GeoDataFrame, grid: AnyGrid, *, tell_outside: bool = True) -> Overlap:
    """The cell that holds each point; a warning where none does, unless the caller tells it in words of its own."""
    if not tell_outside:
        return untold(points[["geometry"]], grid, "point")
    return Overlap.between(points[["geometry"]], grid, zone_dim="point")


def untold(target: gpd.GeoDataFrame | Transect, grid: AnyGrid, zone_dim: str | None = None) -> Overlap:
    """An overlap without a warning of what lies outside: for callers that tell it in words of their own."""
    described, matrix = target_of(target, grid, zone_dim, None, ())
    return Overlap(matrix, described, grid)


def around(
    points: gpd.GeoDataFrame, grid: AnyGrid, radius_km: float, *, tell_outside: bool = True
) -> Overlap:
    """The cells within some distance of each point, by their area in it; of points outside as `holding`.

    Raises
    ------
    GeometryError
        When a circle reaches a pole or the antimeridian.
    """
    azimuth = np.linspace(0.0, -360.0, _CORNERS, endpoint=False)
    shape = (len(points), _CORNERS)
    lat, lon = (np.broadcast_to(points[n].to_numpy()[:, None], shape) for n in ("lat", "lon"))
    x, y, _ = GEOD.fwd(lon, lat, np.broadcast_to(azimuth, shape), np.full(shape, radius_km * 1000))
    circles = shapely.polygons(np.stack((x, y), axis=-1))
    bounds = shapely.bounds(circles)
    off = bounds[:, 2] - bounds[:, 0] > 90
    if off.any():
        raise GeometryError(
            f"the circle around the point at {points['distance_km'].iloc[int(off.argmax())]:.0f} km reaches a pole "
            "or the antimeridian",
            where="points along a transect",
            todo="shorten the transect or the spacing",
        )
    frame = gpd.GeoDataFrame(geometry=circles, index=points.index, crs="EPSG:4326")
    if not tell_outside:
        return untold(frame, grid, "point")
    return Overlap.between(frame, grid, zone_dim="point", cache=False)


def bilinear(points: gpd.GeoDataFrame, grid: Grid) -> Overlap:
    """The four cells whose centres surround each point, by their bilinear weights in the plane of the grid.

    Beyond the outermost centres the weights are those of the edge; off the grid there are none.
    """
    x, y = points["lon"].to_numpy("float64"), points["lat"].to_numpy("float64")
    if not same_crs(WGS84, grid.crs):
        x, y = Transformer.from_crs(WGS84, grid.crs, always_xy=True).transform(x, y)
    west, south, east, north = grid.bounds
    if grid.is_lonlat:
        x = np.where(x < west, x + 360, np.where(x > east, x - 360, x))
    inside = (x >= west) & (x <= east) & (y >= south) & (y <= north)
    columns, to_east = _between(np.where(inside, x, west), grid.x, 360.0 if grid.is_global else None)
    rows, to_north = _between(np.where(inside, y, south), grid.y, None)
    weight = (to_north[:, :, None] * to_east[:, None, :]).reshape(-1, 4)
    cell = (rows[:, :, None] * grid.shape[1] + columns[:, None, :]).reshape(-1, 4)
    point, corner = np.nonzero((weight > 0) & inside[:, None])
    n = len(points)
    matrix = CellMatrix(point, cell[point, corner], weight[point, corner], (n, grid.size), grid)
    key = hashlib.sha256(b"bilinear" + np.ascontiguousarray((x, y)).tobytes()).hexdigest()
    target = Target(
        ("point",), (n,), {"point": ("point", points.index.to_numpy())}, np.ones(n), "points", key
    )
    return Overlap(matrix, target, grid)


def _between(
    place: NDArray[np.float64], centres: NDArray[np.float64], turn: float | None
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """The centres on both sides of each place on an axis, and their weights [place, 2]."""
    if centres.size == 1:
        return np.zeros((place.size, 2), dtype="int64"), np.tile([1.0, 0.0], (place.size, 1))
    sign = 1.0 if centres[-1] > centres[0] else -1.0
    axis, at = sign * centres, sign * place
    number = np.arange(axis.size)
    if turn is not None:
        # Round the globe the last column is the neighbour of the first.
        axis = np.concatenate(([axis[-1] - turn], axis, [axis[0] + turn]))
        number = np.concatenate((number[-1:], number, number[:1]))
    low = np.clip(np.searchsorted(axis, at, side="right") - 1, 0, axis.size - 2)
    share = np.clip((at - axis[low]) / (axis[low + 1] - axis[low]), 0.0, 1.0)
    return np.stack((number[low], number[low + 1]), axis=1), np.stack((1 - share, share), axis=1)
