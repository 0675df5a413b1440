"""The part of a source grid that a target grid needs."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from pyproj import Transformer

from geotools.space.crs import WGS84, same_crs
from geotools.space.grid import Grid

Window = tuple[slice, slice]
# Outlines bulge between the points that are carried over; cells more on each side hold them.
_MARGIN = 2
_POINTS_PER_SIDE = 1024
# Neighbouring points further apart than this share of their extent lie on either side of a seam of the projection.
_SEAM = 0.25


def part_of(grid: Grid, window: Window) -> Grid:
    """The cells of a window as a grid of their own, with exactly the edges they have in the whole.

    Parameters
    ----------
    grid : Grid
    window : (slice, slice)
        Rows and columns, at least one of each.

    Returns
    -------
    Grid
    """
    (j0, j1, _), (i0, i1, _) = (part.indices(size) for part, size in zip(window, grid.shape, strict=True))
    return Grid(grid.x_edges[i0 : i1 + 1], grid.y_edges[j0 : j1 + 1], grid.crs, grid.x_dim, grid.y_dim)


def window_on(source: Grid, target: Grid) -> Window:
    """Rows and columns of a source grid that hold all cells which a target grid may touch.

    Parameters
    ----------
    source, target : Grid

    Returns
    -------
    (slice, slice)
        At least one row and one column, so that there is always a field to read; where the grids do not meet,
        it shares no area with the target.
    """
    bounds = target.bounds
    if not (same_crs(source.crs, target.crs) or (source.is_lonlat and target.is_lonlat)):
        found = _bounds_in(source, target)
        if found is None:
            return slice(0, source.shape[0]), slice(0, source.shape[1])
        bounds = found
    west, south, east, north = bounds
    turns = (-360.0, 0.0, 360.0) if source.is_lonlat else (0.0,)
    columns = [_cells(source.x_edges, west + turn, east + turn) for turn in turns]
    met = [part for part in columns if part is not None]
    across = slice(min(p.start for p in met), max(p.stop for p in met)) if met else slice(0, 1)
    return _cells(source.y_edges, south, north) or slice(0, 1), across


def window_around(source: Grid, bounds: Sequence[float]) -> Window:
    """As `window_on`, for west, south, east and north of a rectangle [degree]."""
    west, south, east, north = bounds
    return window_on(source, Grid(np.array([west, east]), np.array([south, north]), WGS84, "lon", "lat"))


def _bounds_in(source: Grid, target: Grid) -> tuple[float, float, float, float] | None:
    """Bounds of the target in the CRS of the source; None where its outline is broken there."""
    west, south, east, north = target.bounds
    share = np.linspace(0.0, 1.0, _POINTS_PER_SIDE)
    along_x, along_y = west + share * (east - west), south + share * (north - south)
    x = np.concatenate((along_x, np.full_like(share, east), along_x[::-1], np.full_like(share, west)))
    y = np.concatenate((np.full_like(share, south), along_y, np.full_like(share, north), along_y[::-1]))
    px, py = Transformer.from_crs(target.crs, source.crs, always_xy=True).transform(x, y)
    for line in (px, py):
        if not np.isfinite(line).all() or np.abs(np.diff(line)).max() > _SEAM * np.ptp(line):
            return None
    # From a projection to longitudes, a pole or the antimeridian inside does not show on the outline.
    if source.is_lonlat:
        return None
    return float(px.min()), float(py.min()), float(px.max()), float(py.max())


def _cells(edges: NDArray[np.float64], low: float, high: float) -> slice | None:
    """Numbers of the cells between edges that reach between two places, some more on each side; None if none do."""
    ascending = bool(edges[-1] > edges[0])
    line = edges if ascending else edges[::-1]
    if high <= line[0] or low >= line[-1]:
        return None
    last = edges.size - 1
    start = max(int(np.searchsorted(line, low, side="right")) - 1 - _MARGIN, 0)
    stop = min(int(np.searchsorted(line, high, side="left")) + _MARGIN, last)
    return slice(start, stop) if ascending else slice(last - stop, last - start)


def pairs_of(source: Grid, target: Grid) -> int:
    """About how many pairs of cells of two grids share land: exact where their cells are parallel.

    Parameters
    ----------
    source, target : Grid

    Returns
    -------
    int
    """
    if same_crs(source.crs, target.crs) or (source.is_lonlat and target.is_lonlat):
        turns = (-360.0, 0.0, 360.0) if source.is_lonlat else (0.0,)
        across = sum(_pieces(target.x_edges + turn, source.x_edges) for turn in turns)
        return across * _pieces(target.y_edges, source.y_edges)
    # Cells that lie askew: each of either grid is cut by the other's edges about twice.
    return 4 * max(source.size, target.size)


def _pieces(one: NDArray[np.float64], other: NDArray[np.float64]) -> int:
    low, high = max(one.min(), other.min()), min(one.max(), other.max())
    cuts = np.union1d(one, other)
    return max(int(((cuts >= low) & (cuts <= high)).sum()) - 1, 0)
