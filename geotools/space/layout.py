"""How runs and edge cells are laid out by row, for a whole grid and for a window of it."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from geotools.space.grid import Grid
from geotools.space.row_kernels import Layout, cut_rows
from geotools.space.walker import Walked

Runs = NDArray[np.int32]


def layout_of(
    walked: Walked, grid: Grid, known: tuple[NDArray[np.float64], NDArray[np.float64]] | None = None
) -> tuple[Layout, Runs]:
    """The layout of walked polygons; and the zone, first and last column of each run [3, run], by row.

    Parameters
    ----------
    walked : Walked
    grid : Grid
    known : tuple of numpy.ndarray, optional [cell of a segment; m2], [edge cell; m2]
        `weights` and `edge_area` of the layout that `walked` was read from, where areas are not a product of
        a factor of the row and one of the column.
    """
    columns = grid.shape[1]
    run = walked.run[:, np.argsort(walked.run[1], kind="stable")]
    # By row, zone and column: one number each sorts faster than three, and at once where they are in order.
    zone, row, column = walked.edge.astype("int64")
    by_row = np.argsort((row * (zone.max(initial=0) + 1) + zone) * columns + column, kind="stable")
    edge, share = walked.edge[:, by_row], walked.share[by_row]
    if grid.plane_is_equal_area:
        x_edges, y_edges = grid.plane_edges()
        row_area, weights = np.abs(np.diff(y_edges)), np.abs(np.diff(x_edges))
        cell_area = row_area[edge[1]] * weights[edge[2]]
        even = bool(np.ptp(weights) <= 8 * np.spacing(np.abs(x_edges).max()))
        if even:
            # Steps of an even grid differ by rounding of the coordinates only.
            row_area, weights = row_area * weights.mean(), np.zeros(0)
        return _assemble(run, edge, share, share * cell_area, row_area, weights, even=even)
    if known is not None:
        weights, edge_area = known
        ones = np.ones(grid.shape[0])
        return _assemble(run, edge, share, edge_area, ones, lambda _: weights, columns=columns)
    edge_cell = edge[1].astype("int64") * columns + edge[2]
    areas_of_edges: list[NDArray[np.float64]] = []

    def areas_of(cells: NDArray[np.int64]) -> NDArray[np.float64]:
        # In one call, for the plane in which areas are taken depends on the cells that are asked for.
        areas = grid.areas_of(np.concatenate((cells, edge_cell)))
        areas_of_edges.append(areas[cells.size :])
        return areas[: cells.size].copy()

    layout, runs = _assemble(run, edge, share, share, np.ones(grid.shape[0]), areas_of, columns=columns)
    return frozen(layout._replace(edge_area=share * areas_of_edges[0])), runs


def walked_of(layout: Layout, runs: Runs) -> Walked:
    """The walked polygons of a layout, in the order of its rows; `layout_of` makes the same layout of them."""
    zone, first, last = runs
    rows = layout.row_area.size
    run_row, edge_row = (
        _row_of(start, 0, rows).astype("int32") for start in (layout.run_start, layout.edge_start)
    )
    edge = np.stack((layout.edge_zone, edge_row, layout.edge_column))
    return Walked(np.stack((zone, run_row, first, last)), edge, layout.edge_share)


def cut(
    layout: Layout, runs: Runs, rows: slice, columns: slice, shape: tuple[int, int], *, separable: bool
) -> tuple[Layout, Runs, NDArray[np.int64]]:
    """The part of a layout that lies in a window, and the zones that reach into it.

    Parameters
    ----------
    layout, runs
        From `layout_of`.
    rows, columns : slice
        With start and stop.
    shape : (int, int)
        Rows and columns of the whole grid.
    separable : bool
        Whether the area of a cell is a product of a factor of its row and one of its column.

    Returns
    -------
    layout, runs
        Rows and columns count from the corner of the window, zones from 0.
    zones : numpy.ndarray [zone of the window]
        Their numbers in the whole layout.
    """
    r0, r1, c0, c1 = rows.start, rows.stop, columns.start, columns.stop
    there = slice(layout.run_start[r0], layout.run_start[r1])
    zone, first, last = runs[:, there]
    row = _row_of(layout.run_start, r0, r1)
    kept = (first < c1) & (last >= c0)
    run = np.stack((zone, row, np.maximum(first, c0) - c0, np.minimum(last, c1 - 1) - c0))[:, kept]
    singles = slice(layout.edge_start[r0], layout.edge_start[r1])
    column = layout.edge_column[singles]
    held = (column >= c0) & (column < c1)
    edge = np.stack((layout.edge_zone[singles], _row_of(layout.edge_start, r0, r1), column - c0))[:, held]
    zones, number = np.unique(np.concatenate((run[0], edge[0])), return_inverse=True)
    run[0], edge[0] = number[: run.shape[1]], number[run.shape[1] :]
    weights: NDArray[np.float64] | Callable[[NDArray[np.int64]], NDArray[np.float64]]
    if separable:
        weights = layout.weights[:0] if layout.even else layout.weights[c0:c1]
    else:
        weights = _known_areas(layout, r0, r1, c0, c1 - c0, shape[1])
    part, runs = _assemble(
        run.astype("int32"),
        edge.astype("int32"),
        layout.edge_share[singles][held],
        layout.edge_area[singles][held],
        layout.row_area[r0:r1],
        weights,
        even=layout.even,
        columns=c1 - c0,
    )
    return part, runs, zones.astype("int64")


def segment_cells(
    start: NDArray[np.int64], first: NDArray[np.int32], stop: NDArray[np.int32], columns: int
) -> NDArray[np.int64]:
    """Flat numbers of the cells of all segments, ascending."""
    length = (stop - first).astype("int64")
    row = np.repeat(np.arange(start.size - 1), np.diff(start))
    begin = row * columns + first - np.cumsum(length) + length
    return np.asarray(np.arange(length.sum()) + np.repeat(begin, length))


def frozen(layout: Layout) -> Layout:
    """The layout as arrays that are not written to, for which the kernels are compiled."""
    for part in layout:
        if isinstance(part, np.ndarray):
            part.flags.writeable = False
    return layout


def _known_areas(
    layout: Layout, r0: int, r1: int, c0: int, width: int, columns: int
) -> Callable[[NDArray[np.int64]], NDArray[np.float64]]:
    """Areas of the cells of a window, looked up among those that the whole layout holds."""
    start = layout.segment_start[r0 : r1 + 1]
    segments = slice(start[0], start[-1])
    first, stop = layout.segment_first[segments], layout.segment_stop[segments]
    held = segment_cells(start - start[0], first, stop, columns)
    begin = layout.segment_weight[start[0]] if held.size else 0

    def areas_of(cells: NDArray[np.int64]) -> NDArray[np.float64]:
        row, column = np.divmod(cells, width)
        at = np.searchsorted(held, row * columns + column + c0)
        return np.asarray(layout.weights[begin + at])

    return areas_of


def _row_of(start: NDArray[np.int64], r0: int, r1: int) -> NDArray[np.int64]:
    return np.repeat(np.arange(r1 - r0), np.diff(start[r0 : r1 + 1]))


def _assemble(
    run: NDArray[np.int32],
    edge: NDArray[np.int32],
    share: NDArray[np.float64],
    edge_area: NDArray[np.float64],
    row_area: NDArray[np.float64],
    weights: NDArray[np.float64] | Callable[[NDArray[np.int64]], NDArray[np.float64]],
    *,
    even: bool = False,
    columns: int = 0,
) -> tuple[Layout, Runs]:
    """Runs (zone, row, first, last) by row and edge cells (zone, row, column) by row, zone and column.

    `weights` are those of the columns, or a function of the cells of all segments.
    """
    rows = row_area.size
    run_start, edge_start = (np.searchsorted(part[1], np.arange(rows + 1)) for part in (run, edge))
    start, first, stop, low, high = cut_rows(run_start, run[2], run[3])
    if callable(weights):
        segment_weight = np.cumsum(stop - first, dtype="int64") - (stop - first)
        weights = weights(segment_cells(start, first, stop, columns))
    elif even:
        segment_weight = np.zeros(first.size, dtype="int64")
    else:
        segment_weight = first.astype("int64")
    layout = Layout(
        start, first, stop, segment_weight, run_start, run[0].copy(), low, high,
        edge_start, edge[0].copy(), edge[2].copy(), share, edge_area, row_area.copy(), weights.copy(), even,
    )  # fmt: skip
    return frozen(layout), run[[0, 2, 3]]
