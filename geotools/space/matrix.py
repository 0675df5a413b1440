"""Storage of an overlap cell by cell: one sparse matrix of areas, and the few products that need it.

For grids and points. Polygons are kept as runs of cells, with the same methods: see `geotools.space.runs`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from functools import cached_property
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from geotools.space.grid import Grid

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
    grid : Grid
        Of the source cells.
    """

    def __init__(
        self,
        target: NDArray[np.int64],
        cell: NDArray[np.int64],
        area: NDArray[np.float64],
        shape: tuple[int, int],
        grid: Grid,
    ) -> None:
        self.shape = shape
        self.grid = grid
        # Only the cells that any target touches are kept as columns: a basin is a small part of a globe.
        touched = np.zeros(shape[1], dtype=bool)
        touched[cell] = True
        self.cells = np.flatnonzero(touched)
        number = "int32" if max(self.cells.size, shape[0]) < 2**31 else "int64"
        column = (np.cumsum(touched, dtype=number) - 1)[cell]
        pairs: Any = (area, (target.astype(number), column))
        self._csr = sparse.csr_array(pairs, shape=(shape[0], self.cells.size), dtype="float64")
        self._csr.sum_duplicates()

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
        return sums, areas

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

    def spread(
        self, amounts: NDArray[np.float64], weights: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
        """Split the amount of each target over its cells in proportion to area times weight.

        Parameters
        ----------
        amounts : numpy.ndarray [step, target]
        weights : numpy.ndarray [touched cell]
            Finite and not negative. A target whose weights are all zero is split by area.

        Returns
        -------
        amounts : numpy.ndarray [step, touched cell]
        fallback : numpy.ndarray of bool [target]
        """
        share = self._csr.copy()
        share.data = share.data * weights[share.indices]
        total = np.asarray(share @ np.ones(self.cells.size))
        fallback = (total == 0) & (self.row_sums > 0)
        target = np.repeat(np.arange(self.shape[0]), np.diff(share.indptr))
        share.data = np.where(fallback[target], self._csr.data, share.data)
        total = np.where(fallback, self.row_sums, total)
        share.data /= total[target]
        return np.asarray((share.T @ np.ascontiguousarray(amounts.T)).T), fallback
