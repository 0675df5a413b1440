"""Cells of a sheet in a tree of boxes, and what polygons share with them."""

from __future__ import annotations

from functools import partial
from itertools import pairwise
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from geotools.space.compiled import available_cores, run_all
from geotools.space.coverage import Pairs
from geotools.space.cut_kernels import Tree, cut_polygons
from geotools.space.sheets import Sheet

_LEAF = 16
# Below this number of vertices threads cost more than they save.
_VERTICES_PER_TASK = 5000

Geometries = NDArray[Any]
Indices = NDArray[np.int64]
Floats = NDArray[np.float64]


class CellTree:
    """Boxes round groups of neighbouring cells, halved level by level.

    Parameters
    ----------
    sheet : Sheet
    """

    def __init__(self, sheet: Sheet) -> None:
        boxes = sheet.boxes
        self.sheet = sheet
        self._order = np.argsort(_morton((boxes[0] + boxes[2]) / 2, (boxes[1] + boxes[3]) / 2), kind="stable")
        ordered = boxes[:, self._order]
        levels = [_boxes_round(ordered, _LEAF)]
        while levels[-1].shape[1] > 1:
            levels.append(_boxes_round(levels[-1], 2))
        start, points = sheet.vertices(self._order)
        x, y = np.ascontiguousarray(points.T)
        self._tree = Tree(
            np.cumsum([0, *(level.shape[1] for level in levels)]),
            np.concatenate(levels, axis=1),
            _LEAF,
            np.ascontiguousarray(ordered),
            sheet.areas[self._order],
            _convex(x, y, start),
            start,
            x,
            y,
        )

    def cut(self, polygons: Geometries) -> Pairs:
        """Areas that polygons share with the cells.

        Parameters
        ----------
        polygons : numpy.ndarray of shapely polygons [polygon]
            In the plane of the sheet.

        Returns
        -------
        Pairs
            Positions of polygons, flat numbers of cells, areas [m2].
        """
        if len(polygons) == 0:
            return Pairs(np.zeros(0, "int64"), np.zeros(0, "int64"), np.zeros(0))
        rings = _rings(polygons)
        vertices = rings[2][rings[3]]
        tasks = int(np.clip(vertices[-1] // _VERTICES_PER_TASK, 1, 8 * available_cores()))
        cuts = np.unique(np.searchsorted(vertices, np.linspace(0, vertices[-1], tasks + 1)[1:-1]))
        bounds = [0, *cuts[(cuts > 0) & (cuts < len(polygons))].tolist(), len(polygons)]
        calls = [partial(cut_polygons, *rings, one, other, self._tree) for one, other in pairwise(bounds)]
        found = run_all(calls, available_cores())
        target, cell, area = (np.concatenate(part) for part in zip(*found, strict=True))
        return Pairs(target, self.sheet.cells[self._order[cell]], area)

    def holding(self, points: Floats) -> Indices:
        """Flat number of the cell that holds each point [point, 2]; -1 without one, the lowest of several."""
        out = np.full(len(points), -1, dtype="int64")
        cells = self.sheet.polygons()
        point, cell = shapely.STRtree(cells).query(shapely.points(points), predicate="intersects")
        # Written from the last to the first, so that a point on a shared edge has the lower number.
        back = np.argsort(-cell, kind="stable")
        out[point[back]] = self.sheet.cells[cell[back]]
        return out


def _rings(polygons: Geometries) -> tuple[Floats, Floats, Indices, Indices]:
    """Vertices, rings and polygons as the kernel takes them: open rings, holes the other way round."""
    kind, coordinates, offsets = shapely.to_ragged_array(polygons)
    ring, part = offsets[0].astype("int64"), offsets[1].astype("int64")
    polygon = part[offsets[2]] if kind == shapely.GeometryType.MULTIPOLYGON else part
    hole = np.ones(ring.size - 1, dtype=bool)
    hole[part[:-1][np.diff(part) > 0]] = False
    x, y = coordinates[:, 0], coordinates[:, 1]
    swept = np.zeros(x.size)
    origin = np.repeat(ring[:-1], np.diff(ring))
    dx, dy = x - x[origin], y - y[origin]
    swept[:-1] = dx[:-1] * dy[1:] - dx[1:] * dy[:-1]
    swept[ring[1:] - 1] = 0.0
    area = np.add.reduceat(swept, ring[:-1])
    turned = (area < 0) != hole
    place = np.arange(x.size)
    step = place - origin
    last = np.repeat(ring[1:] - 1, np.diff(ring))
    place = np.where(np.repeat(turned, np.diff(ring)), last - step, place)
    opened = np.ones(x.size, dtype=bool)
    opened[ring[1:] - 1] = False
    ring = ring - np.arange(ring.size)
    return x[place][opened], y[place][opened], ring, polygon


def _boxes_round(boxes: Floats, count: int) -> Floats:
    start = np.arange(0, boxes.shape[1], count)
    low = [np.minimum.reduceat(b, start) for b in boxes[:2]]
    return np.array(low + [np.maximum.reduceat(b, start) for b in boxes[2:]])


def _convex(x: Floats, y: Floats, start: Indices) -> NDArray[np.bool_]:
    following = np.arange(x.size) + 1
    following[start[1:] - 1] = start[:-1]
    dx, dy = x[following] - x, y[following] - y
    bend = dx * dy[following] - dy * dx[following]
    return np.asarray(np.minimum.reduceat(bend, start[:-1]) >= 0)


def _morton(x: Floats, y: Floats) -> NDArray[np.uint64]:
    """Numbers along a curve that keeps neighbours together."""
    out = np.zeros(x.size, dtype="uint64")
    for shift, values in enumerate((x, y)):
        extent = float(np.ptp(values)) or 1.0
        code = ((values - values.min()) / extent * 65535).astype("uint64")
        for step, mask in ((8, 0x00FF00FF), (4, 0x0F0F0F0F), (2, 0x33333333), (1, 0x55555555)):
            code = (code | (code << np.uint64(step))) & np.uint64(mask)
        out |= code << np.uint64(shift)
    return out
