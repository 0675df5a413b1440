"""Storage of an overlap with polygons: runs of whole cells per row, and single cells covered in part."""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Iterator
from functools import cached_property, partial
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from geotools.space.compiled import run_all
from geotools.space.grid import Grid
from geotools.space.matrix import CellMatrix
from geotools.space.row_kernels import Layout, class_sums, cut_rows, row_sums, zone_areas
from geotools.space.walker import Walked

# Bands into which rows are always cut, whatever the number of threads: their sums are added in this order.
_BANDS = 4
_ROWS_PER_BAND = 64
_UNKNOWN_NAMED = 8


class RunMatrix:
    """Areas shared by targets and source cells, as runs of whole cells and cells covered in part.

    Takes the place of a `CellMatrix` and has the same methods. A zone of n x n cells takes memory in
    proportion to n, where the area of a cell depends on its row only; elsewhere the area of every covered
    cell is held, once.

    Parameters
    ----------
    walked : Walked
    targets : int
        Number of targets.
    grid : Grid
        Of the source cells.
    """

    def __init__(self, walked: Walked, targets: int, grid: Grid) -> None:
        self.shape = (targets, grid.size)
        self.grid = grid
        self._layout, self._runs = _layout(walked, grid)

    def __getstate__(self) -> dict[str, Any]:
        # What can be had from the rest does not travel.
        kept = ("shape", "grid", "_layout", "_runs", "row_sums", "_cell_counts")
        return {name: value for name, value in vars(self).items() if name in kept}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state)
        _frozen(self._layout)

    @property
    def nbytes(self) -> int:
        """Memory that the storage takes [bytes]."""
        arrays = [part for part in self._layout if isinstance(part, np.ndarray)]
        return sum(part.nbytes for part in (*arrays, self._runs))

    @cached_property
    def key(self) -> str:
        """Identity of the matrix."""
        digest = hashlib.sha256(f"{self.shape}|{self.grid.key}".encode())
        for part in (self._runs, *self._layout):
            digest.update(np.ascontiguousarray(part).tobytes())
        return digest.hexdigest()

    def __dask_tokenize__(self) -> str:
        return self.key

    @cached_property
    def row_sums(self) -> NDArray[np.float64]:
        """Covered area of each target [target; m2]."""
        out = np.zeros(self.shape[0])
        zone_areas(self._layout, out)
        return out

    @cached_property
    def _cell_counts(self) -> NDArray[np.int64]:
        """Number of cells of each target."""
        _, first, last = self._runs
        whole = np.bincount(self._layout.run_zone, last - first + 1.0, minlength=self.shape[0])
        return (whole + np.bincount(self._layout.edge_zone, minlength=self.shape[0])).astype("int64")

    @cached_property
    def pairs(self) -> CellMatrix:
        """The same cell by cell, for what needs the cells themselves; as large as the covered area."""
        found = list(self.rows())
        target = np.repeat(np.arange(self.shape[0]), [cells.size for cells, _ in found])
        cell, area = (np.concatenate(part) for part in zip(*found, strict=True))
        return CellMatrix(target, cell, area, self.shape, self.grid)

    @property
    def cells(self) -> NDArray[np.int64]:
        """Flat numbers of the cells that any target touches [touched cell]."""
        return self.pairs.cells

    @property
    def csr(self) -> sparse.csr_array:
        """The matrix with a column for every source cell [target, source cell; m2]."""
        return self.pairs.csr

    @property
    def column_sums(self) -> NDArray[np.float64]:
        """Area of each touched cell that belongs to any target, overlaps counted twice [touched cell; m2]."""
        return self.pairs.column_sums

    def touched(self, values: NDArray[np.generic]) -> NDArray[np.generic]:
        """The values [..., cell] at the touched cells only."""
        return self.pairs.touched(values)

    def spread(
        self, amounts: NDArray[np.float64], weights: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
        """Split the amount of each target over its cells; see `CellMatrix.spread`."""
        return self.pairs.spread(amounts, weights)

    def rows(self) -> Iterator[tuple[NDArray[np.int64], NDArray[np.float64]]]:
        """For each target, the flat numbers of its cells, ascending, and the shared areas [m2]."""
        layout, (_, first, last) = self._layout, self._runs
        columns = self.grid.shape[1]
        area_of = self.grid.areas_of
        if not self.grid.plane_is_equal_area:
            known = _segment_cells(layout.segment_start, layout.segment_first, layout.segment_stop, columns)

            def area_of(cells: NDArray[np.int64]) -> NDArray[np.float64]:
                return layout.weights[np.searchsorted(known, cells)]

        number = np.arange(self.grid.shape[0])
        begin = np.repeat(number, np.diff(layout.run_start)) * columns + first
        length = (last - first + 1).astype("int64")
        single = np.repeat(number, np.diff(layout.edge_start)) * columns + layout.edge_column
        run_of, edge_of = _by_zone(layout.run_zone, self.shape[0]), _by_zone(layout.edge_zone, self.shape[0])
        for runs, edges in zip(run_of, edge_of, strict=True):
            size = length[runs]
            whole = np.arange(size.sum()) + np.repeat(begin[runs] - np.cumsum(size) + size, size)
            cells = np.concatenate((whole, single[edges]))
            areas = np.concatenate((area_of(whole), layout.edge_area[edges]))
            order = np.argsort(cells, kind="stable")
            yield cells[order], areas[order]

    def sums(
        self, values: NDArray[np.generic], *, amounts: bool = False, threads: int = 1
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Area-weighted sums of the values that are not NaN, and the area they stand on.

        Parameters
        ----------
        values : numpy.ndarray [step, cell]
        amounts : bool
            The values are amounts per cell and not densities.
        threads : int
            The result does not depend on it.

        Returns
        -------
        sums : numpy.ndarray [step, target; units of the values times m2, or units of the values]
        areas : numpy.ndarray [step, target; m2]
        """
        cube = self._cube(values)
        bands, size = _bands(cube.shape[1]), (cube.shape[0], self.shape[0])
        parts = [(np.zeros(size), np.zeros(size), np.zeros(size, "int64")) for _ in bands]
        run_all(
            [
                partial(row_sums, cube, t0, t1, r0, r1, self._layout, amounts, *part)
                for t0, t1 in _step_ranges(size[0], threads)
                for (r0, r1), part in zip(bands, parts, strict=True)
            ],
            threads,
        )
        sums, areas, counts = (sum(part[1:], part[0]) for part in zip(*parts, strict=True))
        # A target with all its data stands on exactly its area.
        return sums, np.where(counts == self._cell_counts, self.row_sums, areas)

    def class_areas(
        self, codes: NDArray[np.generic], classes: NDArray[np.generic], *, threads: int = 1
    ) -> tuple[NDArray[np.float64], NDArray[np.generic]]:
        """Area of every class in every target, and codes that are none; see `CellMatrix.class_areas`."""
        cube = self._cube(codes)
        order = np.argsort(classes)
        bands, size = _bands(cube.shape[1]), (cube.shape[0], classes.size, self.shape[0])
        parts = [(np.zeros(size), np.zeros(size, "int64")) for _ in bands]
        ranges = _step_ranges(cube.shape[0], threads)
        strange = [np.zeros(_UNKNOWN_NAMED, cube.dtype) for _ in range(len(bands) * len(ranges))]
        places = [(t, band, part) for t in ranges for band, part in zip(bands, parts, strict=True)]
        found = run_all(
            [
                partial(class_sums, cube, *t, *band, self._layout, classes[order], *part, unknown)
                for (t, band, part), unknown in zip(places, strange, strict=True)
            ],
            threads,
        )
        areas, counts = (sum(part[1:], part[0]) for part in zip(*parts, strict=True))
        out = np.empty(size)
        out[:, order] = np.where(counts == self._cell_counts, self.row_sums, areas)
        return out, np.unique(np.concatenate([u[:n] for u, n in zip(strange, found, strict=True)]))

    def _cube(self, values: NDArray[np.generic]) -> NDArray[Any]:
        """The values [step, y, x] in a memory layout and type that the kernels are compiled for."""
        dtype = values.dtype.newbyteorder("=")
        if dtype.kind == "b":
            dtype = np.dtype("uint8")
        elif dtype.kind == "f" and dtype.itemsize not in (4, 8):
            dtype = np.dtype("float32" if dtype.itemsize < 4 else "float64")
        cube = np.ascontiguousarray(values, dtype=dtype).reshape(-1, *self.grid.shape)
        # Kernels are compiled once for arrays that are not written to, and then take every array.
        cube = cube.view()
        cube.flags.writeable = False
        return cube


def _layout(walked: Walked, grid: Grid) -> tuple[Layout, NDArray[np.int32]]:
    """Runs and edge cells by row; and the zone, first and last column of each run [3, run]."""
    rows, columns = grid.shape
    run = walked.run[:, np.argsort(walked.run[1], kind="stable")]
    by_row = np.lexsort((walked.edge[2], walked.edge[0], walked.edge[1]))
    edge, share = walked.edge[:, by_row], walked.share[by_row]
    run_start, edge_start = (np.searchsorted(part[1], np.arange(rows + 1)) for part in (run, edge))
    start, first, stop, low, high = cut_rows(run_start, run[2], run[3])
    edge_cell = edge[1].astype("int64") * columns + edge[2]
    row_area, even = np.ones(rows), False
    segment_weight = np.zeros(first.size, dtype="int64")
    if grid.plane_is_equal_area:
        x_edges, y_edges = grid.plane_edges()
        row_area, weights = np.abs(np.diff(y_edges)), np.abs(np.diff(x_edges))
        cell_area = row_area[edge[1]] * weights[edge[2]]
        even = bool(np.ptp(weights) <= 8 * np.spacing(np.abs(x_edges).max()))
        if even:
            # Steps of an even grid differ by rounding of the coordinates only.
            row_area, weights = row_area * weights.mean(), np.zeros(0)
        else:
            segment_weight = first.astype("int64")
    else:
        cell = _segment_cells(start, first, stop, columns)
        # In one call, for the plane in which areas are taken depends on the cells that are asked for.
        areas = grid.areas_of(np.concatenate((cell, edge_cell)))
        weights, cell_area = areas[: cell.size].copy(), areas[cell.size :]
        segment_weight = np.cumsum(stop - first, dtype="int64") - (stop - first)
    group = np.flatnonzero(np.append(True, (np.diff(edge[0]) != 0) | (np.diff(edge[1]) != 0))[: share.size])
    layout = Layout(
        start, first, stop, segment_weight, run_start, run[0].copy(), low, high,
        edge_start, np.searchsorted(group, edge_start), np.append(group, share.size), edge[0][group],
        edge[0].copy(), edge[2].copy(), share, share * cell_area, row_area, weights, even,
    )  # fmt: skip
    return _frozen(layout), run[[0, 2, 3]]


def _segment_cells(
    start: NDArray[np.int64], first: NDArray[np.int32], stop: NDArray[np.int32], columns: int
) -> NDArray[np.int64]:
    """Flat numbers of the cells of all segments, ascending."""
    length = (stop - first).astype("int64")
    row = np.repeat(np.arange(start.size - 1), np.diff(start))
    begin = row * columns + first - np.cumsum(length) + length
    return np.asarray(np.arange(length.sum()) + np.repeat(begin, length))


def _frozen(layout: Layout) -> Layout:
    """The layout as arrays that are not written to, for which the kernels are compiled."""
    for part in layout:
        if isinstance(part, np.ndarray):
            part.flags.writeable = False
    return layout


def _by_zone(zone: NDArray[np.int32], count: int) -> list[NDArray[np.int64]]:
    return np.split(np.argsort(zone, kind="stable"), np.cumsum(np.bincount(zone, minlength=count))[:-1])


def _bands(rows: int) -> list[tuple[int, int]]:
    count = max(1, min(_BANDS, rows // _ROWS_PER_BAND))
    cuts = np.linspace(0, rows, count + 1).astype(int).tolist()
    return list(itertools.pairwise(cuts))


def _step_ranges(steps: int, threads: int) -> list[tuple[int, int]]:
    cuts = (
        np.linspace(0, steps, min(steps, 4 * threads) + 1).astype(int).tolist() if threads > 1 else [0, steps]
    )
    return list(itertools.pairwise(cuts))


# What an overlap may be stored as.
Matrix = CellMatrix | RunMatrix
