"""The edge walker: which cells of a rectilinear grid polygons cover, wholly or in part.

Every edge of a polygon is followed from cell to cell. In each cell it leaves two numbers: how far it climbs
within the row (`climb`), and the area between it and the eastern side of the cell (`swept`), both in units
of the cell and with the sign of the direction. Summed over all edges and along a row from the west, the climb
says whether a cell without edges lies inside (1) or outside (0), and in a cell with edges the sum so far
plus what is swept there is the covered share. Nothing is as large as the grid.

Where the scale of the plane changes within a cell, the first moments of the covered part about the centre of the
cell are needed as well. They are taken in the same way: those of the area that is swept, and that of the climb.
"""

from __future__ import annotations

from functools import partial
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from geotools.space.compiled import available_cores, kernel, run_all

# Shares nearer to 0 or 1 than this are rounding of coordinates.
_ROUNDING = 1e-12
# Below this number of vertices threads cost more than they save.
_VERTICES_PER_THREAD = 5000


class Rings(NamedTuple):
    """Polygons as rings of vertices, in the plane in which the cells are rectangles.

    x, y [vertex]; `ring` [ring + 1] says where each ring starts, `polygon` [polygon + 1] which ring is the
    first of each polygon, and `hole` [ring] which rings bound a hole. Every ring ends where it starts.
    """

    x: NDArray[np.float64]
    y: NDArray[np.float64]
    ring: NDArray[np.int64]
    polygon: NDArray[np.int64]
    hole: NDArray[np.bool_]


class Walked(NamedTuple):
    """Runs of whole cells and single cells that are covered in part, ordered by polygon and row.

    `run` is polygon, row, first and last column [4, run]; `edge` is polygon, row and column [3, edge cell],
    and `share` the covered share [edge cell].
    """

    run: NDArray[np.int32]
    edge: NDArray[np.int32]
    share: NDArray[np.float64]


def walk(rings: Rings, x_edges: NDArray[np.float64], y_edges: NDArray[np.float64]) -> Walked:
    """Cells that polygons cover.

    Parameters
    ----------
    rings : Rings
        May leave the grid, touch and repeat; the direction of the rings does not matter.
    x_edges, y_edges : numpy.ndarray [edge]
        Cell edges in the order of the array, ascending or descending, evenly spaced or not.

    Returns
    -------
    Walked

    Notes
    -----
    An edge is always followed from its lesser end, so that two zones that share it put the same numbers, of
    opposite sign, into the same cells: zones that tile a domain share out every cell to rounding.
    """
    return _walk_all(rings, x_edges, y_edges, moments=False)[0]


def walk_with_moments(
    rings: Rings, x_edges: NDArray[np.float64], y_edges: NDArray[np.float64]
) -> tuple[Walked, NDArray[np.float64]]:
    """As `walk`, and the first moments of the covered part of each edge cell about the centre of the cell.

    Returns
    -------
    walked : Walked
    moments : numpy.ndarray [2, edge cell]
        Towards ascending x and y: the integral of the distance from the centre over the covered part, where sides
        of the cell are 1 long. Those of a whole cell are 0.
    """
    return _walk_all(rings, x_edges, y_edges, moments=True)


def _walk_all(
    rings: Rings, x_edges: NDArray[np.float64], y_edges: NDArray[np.float64], *, moments: bool
) -> tuple[Walked, NDArray[np.float64]]:
    x_up, y_up = np.sort(x_edges), np.sort(y_edges)
    count = rings.polygon.size - 1
    threads = min(available_cores(), 1 + rings.x.size // _VERTICES_PER_THREAD)
    vertices = rings.ring[rings.polygon]
    cuts = np.searchsorted(vertices, np.linspace(0, vertices[-1], 4 * threads + 1)[1:-1])
    bounds = [0, *np.unique(cuts[(cuts > 0) & (cuts < count)]).tolist(), count]
    tasks = [partial(_walk, *rings, x_up, y_up, int(a), int(b), moments) for a, b in pairwise(bounds)]
    parts: list[Any] = run_all(tasks, threads)
    run, edge, share, moment = (np.concatenate(part, axis=-1) for part in zip(*parts, strict=True))
    if x_edges[0] > x_edges[-1]:
        last = x_edges.size - 2
        run[2], run[3] = last - run[3], last - run[2]
        edge[2] = last - edge[2]
    if y_edges[0] > y_edges[-1]:
        run[1] = y_edges.size - 2 - run[1]
        edge[1] = y_edges.size - 2 - edge[1]
    return Walked(run, edge, share), moment


@kernel
def _cell_of(value: float, edges: NDArray[np.float64]) -> int:
    """Cell that holds a value, -1 before the first and the number of cells behind the last."""
    last = edges.size - 1
    if not value >= edges[0]:
        return -1
    if value >= edges[last]:
        return last
    # Right at once on an even grid, and a good start on others.
    guess = int((value - edges[0]) / (edges[last] - edges[0]) * last)
    low, high = 0, last
    if edges[guess] <= value:
        low = guess
        if guess + 1 < last and value < edges[guess + 1]:
            return guess
    else:
        high = guess
    while high - low > 1:
        middle = (low + high) // 2
        if edges[middle] <= value:
            low = middle
        else:
            high = middle
    return low


@kernel
def _within(value: float, cell: int, edges: NDArray[np.float64]) -> float:
    """Place within a cell, from 0 to 1."""
    if cell < 0 or cell >= edges.size - 1:
        return 0.0
    place = (value - edges[cell]) / (edges[cell + 1] - edges[cell])
    return float(min(max(place, 0.0), 1.0))


@kernel
def _direction(x: NDArray[np.float64], y: NDArray[np.float64], start: int, stop: int) -> float:
    """1 for a ring that turns to the left, -1 for one to the right."""
    area = 0.0
    for k in range(start, stop - 1):
        area += (x[k] - x[start]) * (y[k + 1] - y[start]) - (x[k + 1] - x[start]) * (y[k] - y[start])
    return -1.0 if area < 0 else 1.0


@kernel
def _walk_edge(x0, y0, c0, r0, x1, y1, c1, r1, sign, xe, ye, key, climb, swept, moment, n):  # type: ignore[no-untyped-def]
    """Follow one edge from its lesser end; gives the new number of records."""
    columns, rows = xe.size - 1, ye.size - 1
    dx, dy = x1 - x0, y1 - y0
    c, r = c0, r0
    up = 1 if r1 > r0 else -1
    u, v = _within(x0, c, xe), _within(y0, r, ye)
    while True:
        at_x = (xe[c + 1] - x0) / dx if c < c1 else np.inf
        at_y = (ye[r + 1 if up == 1 else r] - y0) / dy if r != r1 else np.inf
        at_end = c >= c1 and r == r1
        if at_end:
            u_out, v_out = _within(x1, c, xe), _within(y1, r, ye)
        elif at_x <= at_y:
            u_out, v_out = 1.0, _within(y0 + at_x * dy, r, ye)
        else:
            u_out, v_out = _within(x0 + at_y * dx, c, xe), 1.0 if up == 1 else 0.0
        # A level edge changes no sum, but the cell that it cuts must be known as cut.
        if 0 <= r < rows and c < columns and (v_out != v or 0.0 < v < 1.0):
            height = sign * (v_out - v)
            # Column 0 of the key stands for all that lies west of the grid.
            here = r * (columns + 1) + c + 1
            if n == 0 or key[n - 1] != here:
                key[n], climb[n], swept[n] = here, 0.0, 0.0
                if moment.shape[1] > 0:
                    moment[:, n] = 0.0
                n += 1
            climb[n - 1] += height
            swept[n - 1] += height * (1.0 - 0.5 * (u + u_out))
            if moment.shape[1] > 0:
                # Of the swept area in x and in y, and of the climb in y.
                low, rise, west, more = v - 0.5, v_out - v, 1.0 - u, u - u_out
                moment[0, n - 1] += height * ((u + u_out) / 4 - (u * u + u * u_out + u_out * u_out) / 6)
                moment[1, n - 1] += height * (west * low + (west * rise + more * low) / 2 + more * rise / 3)
                moment[2, n - 1] += height * (low + rise / 2)
        if at_end:
            return n
        if at_x <= at_y:
            c, u, v = c + 1, 0.0, v_out
        else:
            r, u, v = r + up, u_out, 0.0 if up == 1 else 1.0


@kernel
def _sweep(p, columns, key, climb, swept, moment, run, n_run, edge, share, moments, n_edge):  # type: ignore[no-untyped-def]
    """Add up the records of one polygon along each row, from the west; gives the new numbers of results."""
    order = np.argsort(key, kind="mergesort")
    at = 0
    while at < key.size:
        here = key[order[at]] // (columns + 1)
        inside, leaning = 0.0, 0.0  # the climb so far, and its moment
        next_column = 0
        open_run = False
        while at < key.size and key[order[at]] // (columns + 1) == here:
            this = key[order[at]]
            c = this - here * (columns + 1) - 1
            rise, area, of_x, of_y, of_rise = 0.0, 0.0, 0.0, 0.0, 0.0
            while at < key.size and key[order[at]] == this:
                k = order[at]
                rise += climb[k]
                area += swept[k]
                if moment.shape[1] > 0:
                    of_x += moment[0, k]
                    of_y += moment[1, k]
                    of_rise += moment[2, k]
                at += 1
            if c > next_column:
                # Cells without edges: the climb is a whole number there, but for rounding.
                inside, leaning = np.rint(inside), 0.0
                if inside >= 1:
                    if not open_run:
                        run[0, n_run], run[1, n_run], run[2, n_run] = p, here, next_column
                        n_run += 1
                    run[3, n_run - 1] = c - 1
                    open_run = True
                else:
                    open_run = False
            if c >= 0:
                part = inside + area
                if part > 1 - _ROUNDING:
                    if not open_run:
                        run[0, n_run], run[1, n_run], run[2, n_run] = p, here, c
                        n_run += 1
                    run[3, n_run - 1] = c
                    open_run = True
                else:
                    open_run = False
                    if part > _ROUNDING:
                        edge[0, n_edge], edge[1, n_edge], edge[2, n_edge] = p, here, c
                        share[n_edge] = part
                        if moment.shape[1] > 0:
                            moments[0, n_edge], moments[1, n_edge] = of_x, leaning + of_y
                        n_edge += 1
                next_column = c + 1
            inside += rise
            leaning += of_rise
        if next_column < columns and np.rint(inside) >= 1:
            if not open_run:
                run[0, n_run], run[1, n_run], run[2, n_run] = p, here, next_column
                n_run += 1
            run[3, n_run - 1] = columns - 1
    return n_run, n_edge


@kernel
def _walk(x, y, ring, polygon, hole, xe, ye, p0, p1, with_moments):  # type: ignore[no-untyped-def]
    """Walk the polygons p0 to p1: runs [4, run], edge cells [3, edge cell], their shares and moments."""
    first, last = ring[polygon[p0]], ring[polygon[p1]]
    columns, rows = xe.size - 1, ye.size - 1
    column = np.empty(last - first, np.int32)
    row = np.empty(last - first, np.int32)
    for k in range(first, last):
        column[k - first] = _cell_of(x[k], xe)
        row[k - first] = _cell_of(y[k], ye)
    most = 0
    total = 0
    for p in range(p0, p1):
        size = 1
        for k in range(ring[polygon[p]] - first, ring[polygon[p + 1]] - first - 1):
            size += 1 + abs(column[k + 1] - column[k]) + abs(row[k + 1] - row[k])
        most = max(most, size)
        total += size
    key = np.empty(most, np.int64)
    climb = np.empty(most, np.float64)
    swept = np.empty(most, np.float64)
    moment = np.empty((3, most if with_moments else 0), np.float64)
    run = np.empty((4, 2 * total), np.int32)
    edge = np.empty((3, total), np.int32)
    share = np.empty(total, np.float64)
    moments = np.empty((2, total if with_moments else 0), np.float64)
    n_run, n_edge = 0, 0
    for p in range(p0, p1):
        n = 0
        for q in range(polygon[p], polygon[p + 1]):
            sign = _direction(x, y, ring[q], ring[q + 1])
            # From the west a ring that turns to the left is entered where it goes down.
            sign = sign if hole[q] else -sign
            for k in range(ring[q], ring[q + 1] - 1):
                a, b, turn = k, k + 1, sign
                if x[b] < x[a] or (x[b] == x[a] and y[b] < y[a]):
                    a, b, turn = k + 1, k, -sign
                i, j = a - first, b - first
                if column[i] >= columns or (row[i] < 0 and row[j] < 0) or (row[i] >= rows and row[j] >= rows):
                    continue
                n = _walk_edge(
                    x[a], y[a], column[i], row[i], x[b], y[b], column[j], row[j], turn,
                    xe, ye, key, climb, swept, moment, n,
                )  # fmt: skip
        n_run, n_edge = _sweep(
            p, columns, key[:n], climb, swept, moment, run, n_run, edge, share, moments, n_edge
        )  # fmt: skip
    return run[:, :n_run].copy(), edge[:, :n_edge].copy(), share[:n_edge].copy(), moments[:, :n_edge].copy()
