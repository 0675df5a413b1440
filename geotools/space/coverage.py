"""Area of each cell that each polygon covers: the polygons, brought to the plane of the grid and walked."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from pyproj import CRS

from geotools.space.grid import Grid
from geotools.space.plane import Geometries, to_grid_crs, to_rings
from geotools.space.walker import Rings, Walked, walk, walk_with_moments

# Version of all that decides which area a target and a cell share: this module, `walker`, `plane`, `geodesy`,
# `cell_areas`, `regridding`, `poles` and `targets`, and for curvilinear grids `charts`, `pole_cells`,
# `cell_clipping` and `cut_kernels`. Raise it with every change after which an area may come out otherwise:
# overlaps saved before it are then refused, and those in caches built anew.
ALGORITHM = 3


class Pairs(NamedTuple):
    """Pairs of a target and a source cell [pair], with the area they share [pair; m2]."""

    target: NDArray[np.int64]
    cell: NDArray[np.int64]
    area: NDArray[np.float64]


def polygon_runs(
    polygons: Geometries, crs: CRS, grid: Grid, *, dense: Geometries | None = None
) -> tuple[Walked, NDArray[np.bool_]]:
    """Cells of a grid that polygons cover, as runs of whole cells and single cells covered in part.

    Parameters
    ----------
    polygons : numpy.ndarray of shapely polygons [polygon]
        Valid; their edges are straight in `crs`.
    crs : pyproj.CRS
    grid : Grid
    dense : numpy.ndarray of shapely polygons [polygon], optional
        The polygons with the vertices of `densify`, where they are at hand.

    Returns
    -------
    walked : Walked
        Only cells that are covered. A polygon that misses the grid has none.
    inside : numpy.ndarray of bool [polygon]
        Whether the whole polygon lies on the grid.

    Notes
    -----
    The area of a cell in part is the covered share times the true area of the cell. On longitude-latitude
    grids the share is taken in the cylindrical equal-area plane and on equal-area projections in their own,
    so it is the share of the area on the ellipsoid; the plain share of the longitude-latitude rectangle would
    put a half-covered cell at 70 N off by 0.3 % at 0.25 degrees and by 5.6 % at 5 degrees. In any other
    projection the share is that of the plane, corrected to first order for the change of scale within the cell.

    One error remains: edges bend by at most 0.1 m between the vertices that densifying adds.
    """
    return _runs_in_plane(to_grid_crs(polygons, crs, grid, dense=dense), grid)


def _runs_in_plane(polygons: Geometries, grid: Grid) -> tuple[Walked, NDArray[np.bool_]]:
    index, rings = to_rings(polygons, grid)
    x_edges, y_edges = grid.plane_edges()
    if grid.plane_is_equal_area:
        walked = walk(rings, x_edges, y_edges)
    else:
        walked, moments = walk_with_moments(rings, x_edges, y_edges)
        cell = walked.edge[1].astype("int64") * grid.shape[1] + walked.edge[2]
        # To first order in the scale; the shares of zones that share out a cell still add up to 1.
        walked = walked._replace(share=walked.share + (grid.scale_gradients_of(cell) * moments).sum(axis=0))
    walked.run[0] = index[walked.run[0]]
    walked.edge[0] = index[walked.edge[0]]
    inside = np.zeros(len(polygons), dtype=bool)
    inside[index[_on_grid(rings, x_edges, y_edges, grid.is_global)]] = True
    return walked, inside


def polygon_coverage(polygons: Geometries, crs: CRS, grid: Grid) -> tuple[Pairs, NDArray[np.bool_]]:
    """Areas that polygons share with the cells of a grid, cell by cell: `polygon_runs` written out.

    Returns
    -------
    pairs : Pairs
        Only pairs with a shared area.
    inside : numpy.ndarray of bool [polygon]
    """
    return coverage_in_plane(to_grid_crs(polygons, crs, grid), grid)


def coverage_in_plane(polygons: Geometries, grid: Grid) -> tuple[Pairs, NDArray[np.bool_]]:
    """`polygon_coverage` of polygons that already are in the CRS of the grid, with all the vertices they need."""
    walked, inside = _runs_in_plane(polygons, grid)
    columns = grid.shape[1]
    target, row, first, last = walked.run.astype("int64")
    length = last - first + 1
    start = np.cumsum(length) - length
    whole = np.arange(length.sum()) + np.repeat(row * columns + first - start, length)
    edge = walked.edge.astype("int64")
    cell = np.concatenate((whole, edge[1] * columns + edge[2]))
    area = grid.areas_of(cell)
    area[whole.size :] *= walked.share
    return Pairs(np.concatenate((np.repeat(target, length), edge[0])), cell, area), inside


def _on_grid(
    rings: Rings, x_edges: NDArray[np.float64], y_edges: NDArray[np.float64], round_the_earth: bool
) -> NDArray[np.bool_]:
    """Whether the whole of each polygon is within the edges, but for 1e-9 of their extent."""
    start = rings.ring[rings.polygon[:-1]]
    if start.size == 0:
        return np.zeros(0, dtype=bool)

    def lies_in(values: NDArray[np.float64], edges: NDArray[np.float64]) -> NDArray[np.bool_]:
        low, high = edges.min(), edges.max()
        slack = 1e-9 * (high - low)
        least, most = np.minimum.reduceat(values, start), np.maximum.reduceat(values, start)
        return np.asarray((least >= low - slack) & (most <= high + slack))

    in_y = lies_in(rings.y, y_edges)
    return in_y if round_the_earth else in_y & lies_in(rings.x, x_edges)
