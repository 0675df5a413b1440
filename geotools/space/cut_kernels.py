"""Kernels that cut polygons down along a tree of boxes and with the cells at its leaves.

Rings are cut half-plane by half-plane (Sutherland and Hodgman). What that leaves may run back and forth along the
line of the cut, which adds nothing to its signed area, so polygons need not be convex nor even valid. A crossing is
computed from the lesser end of an edge and of a line, the same for both polygons and both cells that share it.

References
----------
Sutherland, I. E. and Hodgman, G. W. (1974): Reentrant polygon clipping. Communications of the ACM 17, 32.
doi:10.1145/360767.360802
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from geotools.space.compiled import kernel

# Shares nearer to 0 or 1 than this are rounding of coordinates.
_ROUNDING = 1e-13

Floats = NDArray[np.float64]
Buffers = tuple[Floats, Floats]
Indices = NDArray[np.int64]


class Tree(NamedTuple):
    """Boxes of all levels and the cells at the leaves.

    `level` [depth + 1] says where the boxes of each level start in `boxes` [4, node], leaves first; `leaf` is the
    number of cells of a leaf. Cells are in the order of the tree: `cell_boxes` [4, cell], `area` [cell; m2],
    `convex` [cell], and their outlines `x`, `y` [vertex], counter-clockwise, from `start` [cell + 1].
    """

    level: Indices
    boxes: Floats
    leaf: int
    cell_boxes: Floats
    area: Floats
    convex: NDArray[np.bool_]
    start: Indices
    x: Floats
    y: Floats


@kernel
def _grown(values: Any, needed: int) -> Any:
    """The array, or a larger copy of it when it is too small."""
    if needed <= values.size:
        return values
    out = np.empty(max(needed, 2 * values.size), values.dtype)
    out[: values.size] = values
    return out


@kernel
def _ring_area(x: Floats, y: Floats, start: int, stop: int) -> float:
    area = 0.0
    x0, y0 = x[start], y[start]
    for k in range(start + 1, stop - 1):
        area += (x[k] - x0) * (y[k + 1] - y0) - (x[k + 1] - x0) * (y[k] - y0)
    return area / 2


@kernel
def _half_plane(
    x: Floats, y: Floats, n: int, ax: float, ay: float, bx: float, by: float, to_x: Floats, to_y: Floats
) -> int:
    """Cut a ring with the line from a to b and keep what lies to its left."""
    flip = 1.0
    if bx < ax or (bx == ax and by < ay):
        ax, ay, bx, by, flip = bx, by, ax, ay, -1.0
    dx, dy = bx - ax, by - ay
    out = 0
    qx, qy = x[n - 1], y[n - 1]
    side_q = flip * (dx * (qy - ay) - dy * (qx - ax))
    for k in range(n):
        px, py = x[k], y[k]
        side_p = flip * (dx * (py - ay) - dy * (px - ax))
        if (side_p >= 0) != (side_q >= 0):
            if px < qx or (px == qx and py < qy):
                t = side_p / (side_p - side_q)
                cut_x, cut_y = px + t * (qx - px), py + t * (qy - py)
            else:
                t = side_q / (side_q - side_p)
                cut_x, cut_y = qx + t * (px - qx), qy + t * (py - qy)
            # An upright or level line is met exactly, which tells whether a box is full.
            to_x[out] = ax if dx == 0 else cut_x
            to_y[out] = ay if dy == 0 else cut_y
            out += 1
        if side_p >= 0:
            to_x[out], to_y[out] = px, py
            out += 1
        qx, qy, side_q = px, py, side_p
    return out


@kernel
def _cut_to_box(
    x: Floats,
    y: Floats,
    start: int,
    stop: int,
    box: Floats,
    a: tuple[Floats, Floats],
    b: tuple[Floats, Floats],
) -> int:
    """Cut a ring to a box; what is left is in the buffers `a`."""
    n = stop - start
    a[0][:n], a[1][:n] = x[start:stop], y[start:stop]
    west, south, east, north = box
    for side in range(4):
        if n < 3:
            return 0
        low_x, high_x, low_y, high_y = a[0][0], a[0][0], a[1][0], a[1][0]
        for k in range(1, n):
            low_x, high_x = min(low_x, a[0][k]), max(high_x, a[0][k])
            low_y, high_y = min(low_y, a[1][k]), max(high_y, a[1][k])
        if low_x > east or high_x < west or low_y > north or high_y < south:
            return 0
        if side == 0 and low_x < west:
            n = _half_plane(a[0], a[1], n, west, north, west, south, b[0], b[1])
        elif side == 1 and high_x > east:
            n = _half_plane(a[0], a[1], n, east, south, east, north, b[0], b[1])
        elif side == 2 and low_y < south:
            n = _half_plane(a[0], a[1], n, west, south, east, south, b[0], b[1])
        elif side == 3 and high_y > north:
            n = _half_plane(a[0], a[1], n, east, north, west, north, b[0], b[1])
        else:
            continue
        a[0][:n], a[1][:n] = b[0][:n], b[1][:n]
    return n if n >= 3 else 0


@kernel
def _shared(
    x: Floats,
    y: Floats,
    start: int,
    stop: int,
    tree: Tree,
    cell: int,
    a: tuple[Floats, Floats],
    b: tuple[Floats, Floats],
) -> float:
    """Signed area that a ring shares with a cell."""
    first, last = tree.start[cell], tree.start[cell + 1]
    if tree.convex[cell]:
        n = stop - start
        a[0][:n], a[1][:n] = x[start:stop], y[start:stop]
        for k in range(first, last):
            if 2 * n + 2 > a[0].size:
                # Each of the many edges of a cell at a seam may add a vertex.
                a = (_grown(a[0], 4 * n), _grown(a[1], 4 * n))
                b = (np.empty(a[0].size), np.empty(a[0].size))
            m = k + 1 if k + 1 < last else first
            n = _half_plane(a[0], a[1], n, tree.x[k], tree.y[k], tree.x[m], tree.y[m], b[0], b[1])
            if n < 3:
                return 0.0
            a[0][:n], a[1][:n] = b[0][:n], b[1][:n]
        whole: float = _ring_area(a[0], a[1], 0, n)
        return whole
    # Any outline is the sum of the triangles from its first vertex, those that turn back counted negative.
    total = 0.0
    for k in range(first + 1, last - 1):
        corner = (first, k, k + 1)
        turn = (tree.x[k] - tree.x[first]) * (tree.y[k + 1] - tree.y[first]) - (
            tree.x[k + 1] - tree.x[first]
        ) * (tree.y[k] - tree.y[first])
        if turn == 0:
            continue
        n = stop - start
        a[0][:n], a[1][:n] = x[start:stop], y[start:stop]
        for e in range(3):
            i, j = corner[e], corner[(e + 1) % 3]
            if turn < 0:
                i, j = j, i
            n = _half_plane(a[0], a[1], n, tree.x[i], tree.y[i], tree.x[j], tree.y[j], b[0], b[1])
            if n < 3:
                break
            a[0][:n], a[1][:n] = b[0][:n], b[1][:n]
        if n >= 3:
            total += _ring_area(a[0], a[1], 0, n) * (1.0 if turn > 0 else -1.0)
    return total


@kernel
def cut_polygons(
    x: Floats, y: Floats, ring: Indices, polygon: Indices, first: int, last: int, tree: Tree
) -> tuple[Indices, Indices, Floats]:
    """Areas that some polygons share with the cells of a tree.

    Parameters
    ----------
    x, y : numpy.ndarray [vertex]
    ring : numpy.ndarray [ring + 1]
        Where each ring starts; rings are not closed, outer ones run counter-clockwise and holes clockwise.
    polygon : numpy.ndarray [polygon + 1]
        First ring of each polygon.
    first, last : int
        The polygons to cut.
    tree : Tree

    Returns
    -------
    polygon, cell : numpy.ndarray [pair]
        Cells in the order of the tree.
    area : numpy.ndarray [pair; m2]
    """
    found, size = 0, 1024
    targets, cells, areas = np.empty(size, "int64"), np.empty(size, "int64"), np.empty(size)
    # A stack of pieces: depth, node and rings of each, and the vertices of all.
    item = np.empty((256, 4), "int64")
    ring_from, ring_to = np.empty(1024, "int64"), np.empty(1024, "int64")
    sx, sy = np.empty(4096), np.empty(4096)
    a, b = (np.empty(4096), np.empty(4096)), (np.empty(4096), np.empty(4096))
    depths = tree.level.size - 1
    number = tree.area.size
    for p in range(first, last):
        # The polygon itself is the piece from which the root is cut.
        items = rings = top = 0
        px, py = x, y
        piece_from, piece_to = ring[polygon[p] : polygon[p + 1]], ring[polygon[p] + 1 : polygon[p + 1] + 1]
        depth, node, children = depths - 1, 0, 1
        while True:
            for child in range(node, node + children):
                place = tree.level[depth] + child
                if place >= tree.level[depth + 1]:
                    continue
                box = tree.boxes[:, place]
                begin_ring, begin = rings, top
                area, on_edge = 0.0, True
                for r in range(piece_from.size):
                    n = piece_to[r] - piece_from[r]
                    if 6 * n + 64 > a[0].size:
                        a = (np.empty(12 * n + 128), np.empty(12 * n + 128))
                        b = (np.empty(12 * n + 128), np.empty(12 * n + 128))
                    n = _cut_to_box(px, py, piece_from[r], piece_to[r], box, a, b)
                    if n == 0:
                        continue
                    sx, sy = _grown(sx, top + n), _grown(sy, top + n)
                    ring_from, ring_to = _grown(ring_from, rings + 1), _grown(ring_to, rings + 1)
                    for k in range(n):
                        u, v = a[0][k], a[1][k]
                        sx[top + k], sy[top + k] = u, v
                        if u != box[0] and u != box[2] and v != box[1] and v != box[3]:
                            on_edge = False
                    ring_from[rings], ring_to[rings] = top, top + n
                    area += _ring_area(sx, sy, top, top + n)
                    top += n
                    rings += 1
                whole = (box[2] - box[0]) * (box[3] - box[1])
                low = child * (tree.leaf << depth)
                high = min(low + (tree.leaf << depth), number)
                keep = False
                if rings > begin_ring and on_edge and area >= (1 - _ROUNDING) * whole:
                    for cell in range(low, high):
                        if found == targets.size:
                            targets, cells = _grown(targets, found + 1), _grown(cells, found + 1)
                            areas = _grown(areas, found + 1)
                        targets[found], cells[found], areas[found] = p, cell, tree.area[cell]
                        found += 1
                elif rings > begin_ring and not (on_edge and abs(area) <= _ROUNDING * whole):
                    if depth > 0:
                        keep = True
                    else:
                        west, south, east, north = np.inf, np.inf, -np.inf, -np.inf
                        for k in range(begin, top):
                            west, east = min(west, sx[k]), max(east, sx[k])
                            south, north = min(south, sy[k]), max(north, sy[k])
                        for cell in range(low, high):
                            w, s, e, t = tree.cell_boxes[:, cell]
                            if w >= east or e <= west or s >= north or t <= south:
                                continue
                            shared = 0.0
                            for r in range(begin_ring, rings):
                                shared += _shared(sx, sy, ring_from[r], ring_to[r], tree, cell, a, b)
                            if abs(shared - tree.area[cell]) <= _ROUNDING * tree.area[cell]:
                                shared = tree.area[cell]
                            if shared > _ROUNDING * tree.area[cell]:
                                if found == targets.size:
                                    targets, cells = _grown(targets, found + 1), _grown(cells, found + 1)
                                    areas = _grown(areas, found + 1)
                                targets[found], cells[found], areas[found] = p, cell, shared
                                found += 1
                if keep:
                    item[items] = (depth - 1, 2 * child, begin_ring, rings)
                    items += 1
                else:
                    top, rings = begin, begin_ring
            if items == 0:
                break
            # The last piece leaves the stack and is cut for its two halves.
            items -= 1
            depth, node, children = item[items, 0], item[items, 1], 2
            begin_ring, end_ring = item[items, 2], item[items, 3]
            start = ring_from[begin_ring]
            px, py = sx[start:top].copy(), sy[start:top].copy()
            piece_from = ring_from[begin_ring:end_ring] - start
            piece_to = ring_to[begin_ring:end_ring] - start
            top, rings = start, begin_ring
    return targets[:found], cells[:found], areas[:found]
