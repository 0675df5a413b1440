"""Storage of an overlap cell by cell: one sparse matrix of areas, and the few products that need it.

For grids and points. Polygons are kept as runs of cells, with the same methods: see `geotools.space.runs`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from functools import cached_property
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from geotools.space.grids import AnyGrid
from geotools.space.tiles import Tile, span, whole_areas

# Steps of a field that are turned to float64 together.
_STEPS_AT_ONCE = 8


class CellMatrix:
    """Areas shared by targets and source cells.

    Parameters
    ----------
    target, cell : numpy.ndarray [pair]
        Row and flat source cell of each pair; a pair that comes twice is added up.
    area : numpy.ndarray [pair; m2]
    shape : tuple of int
        Number of targets and of source cells.
    grid : Grid or CurvilinearGrid
        Of the source cells.
    """

    def __init__(
        self,
        target: NDArray[np.int64],
        cell: NDArray[np.int64],
        area: NDArray[np.float64],
        shape: tuple[int, int],
        grid: AnyGrid,
    ) -> None:
        self.shape = shape
        self.grid = grid
        self._windows: dict[tuple[int, int, int, int], Tile] = {}
        # Only the cells that any target touches are kept as columns: a basin is a small part of a globe.
        if cell.size < shape[1] // 16:
            self.cells, column = np.unique(cell, return_inverse=True)
        else:
            touched = np.zeros(shape[1], dtype=bool)
            touched[cell] = True
            self.cells = np.flatnonzero(touched)
            column = (np.cumsum(touched) - 1)[cell]
        number = "int32" if max(self.cells.size, shape[0]) < 2**31 else "int64"
        pairs: Any = (area, (target.astype(number), column.astype(number)))
        self._csr = sparse.csr_array(pairs, shape=(shape[0], self.cells.size), dtype="float64")
        self._csr.sum_duplicates()

    def parts(self) -> dict[str, NDArray[Any]]:
        """What `from_parts` makes the same matrix of, bit by bit."""
        csr = self._csr
        stored = {"data": csr.data, "indices": csr.indices, "indptr": csr.indptr}
        return {"cells": self.cells, **stored, "row_sums": self.row_sums}

    @classmethod
    def from_parts(cls, parts: Mapping[str, NDArray[Any]], targets: int, grid: AnyGrid) -> CellMatrix:
        """The matrix that `parts` was called on."""
        out = cls.__new__(cls)
        out.shape, out.grid, out._windows = (targets, grid.size), grid, {}
        out.cells = parts["cells"]
        stored: Any = (parts["data"], parts["indices"], parts["indptr"])
        out._csr = sparse.csr_array(stored, shape=(targets, out.cells.size))
        out.row_sums = parts["row_sums"]
        return out

    @property
    def nbytes(self) -> int:
        """Memory that the storage takes [bytes]."""
        return sum(part.nbytes for part in (self.cells, self._csr.data, self._csr.indices, self._csr.indptr))

    @cached_property
    def extent(self) -> tuple[tuple[int, int], tuple[int, int]]:
        """First and last row, first and last column that any target touches; see `RunMatrix.extent`."""
        rows, columns = np.divmod(self.cells, self.grid.shape[1])
        return span(rows), span(columns)

    @property
    def csr(self) -> sparse.csr_array:
        """The matrix with a column for every source cell [target, source cell; m2]."""
        return sparse.csr_array(
            (self._csr.data, self.cells[self._csr.indices], self._csr.indptr), shape=self.shape
        )

    @cached_property
    def row_sums(self) -> NDArray[np.float64]:
        """Covered area of each target [target; m2]."""
        return np.asarray(self._csr @ np.ones(self.cells.size))

    @cached_property
    def column_sums(self) -> NDArray[np.float64]:
        """Area of each touched cell that belongs to any target, overlaps counted twice [touched cell; m2]."""
        return np.asarray(self._csr.T @ np.ones(self.shape[0]))

    @cached_property
    def key(self) -> str:
        """Identity of the matrix."""
        digest = hashlib.sha256(repr(self.shape).encode())
        for part in (self.cells, self._csr.data, self._csr.indices, self._csr.indptr):
            digest.update(np.ascontiguousarray(part).tobytes())
        return digest.hexdigest()

    def __dask_tokenize__(self) -> str:
        return self.key

    def __getstate__(self) -> dict[str, Any]:
        # What can be had from the rest does not travel.
        kept = ("shape", "grid", "cells", "_csr", "row_sums", "_cell_areas")
        return {name: value for name, value in vars(self).items() if name in kept}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state, _windows={})

    @cached_property
    def _csc(self) -> sparse.csc_array:
        return self._csr.tocsc()

    def window(self, rows: slice, columns: slice) -> Tile:
        """The part of the matrix that lies in a rectangle of cells; see `RunMatrix.window`."""
        height, width = self.grid.shape
        place = (rows.start, rows.stop, columns.start, columns.stop)
        if place == (0, height, 0, width):
            return Tile(self, np.arange(self.shape[0]), rows, columns, width)
        if place not in self._windows:
            row, column = np.divmod(self.cells, width)
            held = np.flatnonzero(
                (row >= place[0]) & (row < place[1]) & (column >= place[2]) & (column < place[3])
            )
            shared = self._csc[:, held].tocsr()
            targets = np.flatnonzero(np.diff(shared.indptr))
            part = object.__new__(type(self))
            part.grid, part._windows, part._csr = self.grid, {}, shared[targets]
            part.cells = (row[held] - place[0]) * (place[3] - place[2]) + column[held] - place[2]
            part.shape = (targets.size, (place[1] - place[0]) * (place[3] - place[2]))
            vars(part)["_cell_areas"] = self._cell_areas[held]
            self._windows[place] = Tile(part, targets, rows, columns, width)
        return self._windows[place]

    def touched(self, values: NDArray[np.generic]) -> NDArray[np.generic]:
        """The values [..., cell] at the touched cells only."""
        return values if self.cells.size == self.shape[1] else values[..., self.cells]

    def rows(self) -> Iterator[tuple[NDArray[np.int64], NDArray[np.float64]]]:
        """For each target, the flat numbers of its cells, ascending, and the shared areas [m2]."""
        pointer = self._csr.indptr
        for start, stop in pairwise(pointer):
            yield self.cells[self._csr.indices[start:stop]], self._csr.data[start:stop]

    @cached_property
    def _cell_areas(self) -> NDArray[np.float64]:
        """True areas of the touched cells [touched cell; m2]."""
        return self.grid.areas_of(self.cells)

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
            Not used here.

        Returns
        -------
        sums : numpy.ndarray [step, target; units of the values times m2, or units of the values]
        areas : numpy.ndarray [step, target; m2]
        """
        steps = values.shape[0]
        sums, areas = np.empty((steps, self.shape[0])), np.empty((steps, self.shape[0]))
        for start in range(0, steps, _STEPS_AT_ONCE):
            part = slice(start, min(start + _STEPS_AT_ONCE, steps))
            block = np.array(self.touched(values[part]), dtype="float64")
            missing = np.isnan(block)
            block[missing] = 0.0
            if amounts:
                block /= self._cell_areas
            sums[part] = (self._csr @ np.ascontiguousarray(block.T)).T
            if not missing.any():
                areas[part] = self.row_sums
            elif (missing == missing[:1]).all():
                areas[part] = self._csr @ (~missing[0]).astype("float64")
            else:
                areas[part] = (self._csr @ np.ascontiguousarray((~missing).T.astype("float64"))).T
        return sums, whole_areas(areas, self.row_sums)

    def moments(
        self, values: NDArray[np.generic], *, threads: int = 1
    ) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
        """Mean, sum of squared deviations times area, and valid area; see `RunMatrix.moments`."""
        sums, areas = self.sums(values)
        mean = np.divide(sums, areas, out=np.zeros_like(sums), where=areas > 0)
        squares = np.empty_like(mean)
        for step in range(values.shape[0]):
            apart = self._of_pairs(values[step]) - mean[step, self._target_of_pair]
            weighted = np.where(np.isnan(apart), 0.0, apart * apart) * self._csr.data
            squares[step] = np.bincount(self._target_of_pair, weighted, minlength=self.shape[0])
        return mean, squares, areas

    def extremes(
        self, values: NDArray[np.generic], *, greatest: bool, threads: int = 1
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Greatest or least value and valid area; see `RunMatrix.extremes`."""
        worst = -np.inf if greatest else np.inf
        out = np.full((values.shape[0], self.shape[0]), worst)
        there = np.flatnonzero(np.diff(self._csr.indptr))
        choose = np.fmax if greatest else np.fmin
        for step in range(values.shape[0]):
            here = self._of_pairs(values[step])
            if there.size:
                out[step, there] = choose(worst, choose.reduceat(here, self._csr.indptr[there]))
        return out, self.sums(values)[1]

    @cached_property
    def _target_of_pair(self) -> NDArray[np.int64]:
        return np.repeat(np.arange(self.shape[0]), np.diff(self._csr.indptr))

    def _of_pairs(self, values: NDArray[np.generic]) -> NDArray[np.float64]:
        """The value of the cell of each pair [pair]."""
        return np.asarray(self.touched(values)[self._csr.indices], dtype="float64")

    def class_areas(
        self, codes: NDArray[np.generic], classes: NDArray[np.generic], *, threads: int = 1
    ) -> tuple[NDArray[np.float64], NDArray[np.generic]]:
        """Area of every class in every target.

        Parameters
        ----------
        codes : numpy.ndarray [step, cell]
        classes : numpy.ndarray [class]

        Returns
        -------
        areas : numpy.ndarray [step, class, target; m2]
        unknown : numpy.ndarray [code]
            Codes in touched cells that are no class; NaN is none.
        """
        seen = np.unique(self.touched(codes))
        if seen.dtype.kind == "f":
            seen = seen[~np.isnan(seen)]
        out = np.empty((codes.shape[0], classes.size, self.shape[0]))
        for step in range(codes.shape[0]):
            here = self.touched(codes[step]) == classes[:, None]
            out[step] = (self._csr @ np.ascontiguousarray(here.T, dtype="float64")).T
        return out, np.setdiff1d(seen, classes)

    def class_means(
        self,
        values: NDArray[np.generic],
        codes: NDArray[np.generic],
        classes: NDArray[np.generic],
        *,
        threads: int = 1,
    ) -> tuple[NDArray[np.float64], NDArray[np.generic]]:
        """Sums of values, valid areas and whole areas of every class; see `RunMatrix.class_means`."""
        areas, unknown = self.class_areas(codes, classes)
        out = np.empty((3, values.shape[0], classes.size, self.shape[0]))
        out[2] = areas
        for step in range(values.shape[0]):
            here = self.touched(values[step]).astype("float64")
            known = ~np.isnan(here)
            kind = self.touched(codes[min(step, codes.shape[0] - 1)]) == classes[:, None]
            weighted = np.where(known, here, 0.0) * kind
            out[0, step] = (self._csr @ np.ascontiguousarray(weighted.T)).T
            out[1, step] = (self._csr @ np.ascontiguousarray((kind & known).T, dtype="float64")).T
        return out, unknown

    def give(
        self,
        by_weight: NDArray[np.float64],
        by_area: NDArray[np.float64],
        weights: NDArray[np.float64],
        *,
        amounts: bool,
    ) -> NDArray[np.float64]:
        """What the targets give to their cells: the way back of `sums`.

        Parameters
        ----------
        by_weight : numpy.ndarray [step, target; units per unit of weight and m2, or per unit of weight]
        by_area : numpy.ndarray [step, target; units m-2]
        weights : numpy.ndarray [touched cell]
        amounts : bool
            The weights are amounts per cell and not densities.

        Returns
        -------
        numpy.ndarray [step, touched cell; units]
        """
        back = self._csr.T
        if amounts:
            weights = weights / self._cell_areas
        by_weight, by_area = np.ascontiguousarray(by_weight.T), np.ascontiguousarray(by_area.T)
        return np.asarray((weights[:, None] * (back @ by_weight) + back @ by_area).T)
