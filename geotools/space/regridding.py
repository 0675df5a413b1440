"""Areas that the cells of two rectilinear grids share."""

from __future__ import annotations

import numpy as np
import shapely
from numpy.typing import NDArray

from geotools.space.coverage import Pairs, polygon_coverage
from geotools.space.crs import same_crs
from geotools.space.grid import Grid


def cell_overlaps(target: Grid, source: Grid) -> tuple[Pairs, NDArray[np.bool_]]:
    """Shared areas of target cells and source cells.

    Parameters
    ----------
    target, source : Grid

    Returns
    -------
    pairs : Pairs
    inside : numpy.ndarray of bool [target cell]
        Whether the whole target cell lies on the source grid.

    Notes
    -----
    Two grids in the same CRS: the overlap of two rectangles is the product of the overlaps of their sides, in
    the plane of `Grid.plane_edges`; no polygon is needed and the areas are exact. Otherwise the target cells
    become polygons.
    """
    if not same_crs(target.crs, source.crs) and not (target.is_lonlat and source.is_lonlat):
        return polygon_coverage(cell_polygons(target), target.crs, source)
    (tx, ty), (sx, sy) = target.plane_edges(), source.plane_edges()
    turns = (-360.0, 0.0, 360.0) if source.is_lonlat else (0.0,)
    columns = [_line_overlaps(tx + turn, sx) for turn in turns]
    i_target, i_source, width = (np.concatenate(part) for part in zip(*columns, strict=True))
    j_target, j_source, height = _line_overlaps(ty, sy)
    cell_target = (j_target[:, None] * target.shape[1] + i_target).ravel()
    cell_source = (j_source[:, None] * source.shape[1] + i_source).ravel()
    area = (height[:, None] * width).ravel()
    if not source.plane_is_equal_area:
        plane = np.abs(np.outer(np.diff(sy), np.diff(sx))).ravel()[cell_source]
        area = area / plane * source.areas_of(cell_source)
    covered_x = np.bincount(i_target, width, minlength=target.shape[1]) / np.abs(np.diff(tx))
    covered_y = np.bincount(j_target, height, minlength=target.shape[0]) / np.abs(np.diff(ty))
    inside = np.outer(covered_y > 1 - 1e-9, covered_x > 1 - 1e-9).ravel()
    return Pairs(cell_target, cell_source, area), inside


def _line_overlaps(
    one: NDArray[np.float64], other: NDArray[np.float64]
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
    """Pairs of intervals of two lines of edges that overlap, and by how much."""
    n, m = one.size - 1, other.size - 1
    a, b = np.sort(one), np.sort(other)
    cuts = np.union1d(a, b)
    cuts = cuts[(cuts >= max(a[0], b[0])) & (cuts <= min(a[-1], b[-1]))]
    if cuts.size < 2:
        empty = np.zeros(0, dtype="int64")
        return empty, empty, np.zeros(0)
    middle = (cuts[:-1] + cuts[1:]) / 2
    i = np.clip(np.searchsorted(a, middle, side="right") - 1, 0, n - 1)
    k = np.clip(np.searchsorted(b, middle, side="right") - 1, 0, m - 1)
    i = n - 1 - i if one[0] > one[-1] else i
    k = m - 1 - k if other[0] > other[-1] else k
    length = np.diff(cuts)
    kept = length > 0
    return i[kept], k[kept], length[kept]


def cell_polygons(grid: Grid) -> NDArray[np.object_]:
    """The cells of a grid as shapely boxes [cell], in its own CRS."""
    x, y = grid.x_edges, grid.y_edges
    west, east = np.minimum(x[:-1], x[1:]), np.maximum(x[:-1], x[1:])
    south, north = np.minimum(y[:-1], y[1:]), np.maximum(y[:-1], y[1:])
    boxes = shapely.box(west[None, :], south[:, None], east[None, :], north[:, None])
    return np.asarray(boxes).ravel()
