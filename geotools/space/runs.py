"""Storage of an overlap with polygons: runs of whole cells per row, and single cells covered in part."""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Callable, Iterator, Mapping
from functools import cache, cached_property, partial, reduce
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from geotools.space.compiled import run_all
from geotools.space.grid import Grid
from geotools.space.layout import Runs, cut, frozen, layout_of, segment_cells, walked_of
from geotools.space.matrix import CellMatrix
from geotools.space.row_kernels import STEPS, Layout, class_sums, row_sums, zone_areas
from geotools.space.row_shares import dense_shares
from geotools.space.row_spread import row_spread
from geotools.space.row_statistics import class_means, row_extremes, row_moments
from geotools.space.tiles import Tile, join_moments, span, whole_areas
from geotools.space.walker import Walked

# Bands into which the rows of a large grid are always cut, whatever the number of threads: their sums are added in
# this order. A small one takes less time than the threads to begin.
_BANDS = 4
_CELLS_OF_BANDS = 1 << 21
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
        self.grid = grid
        self._hold(targets, grid.shape, *layout_of(walked, grid))

    def _hold(self, targets: int, grid_shape: tuple[int, int], layout: Layout, runs: Runs) -> None:
        self.shape = (targets, grid_shape[0] * grid_shape[1])
        self.grid_shape = grid_shape
        self._layout, self._runs = layout, runs
        self._windows: dict[tuple[int, int, int, int], Tile] = {}

    def parts(self) -> dict[str, NDArray[Any]]:
        """What `from_parts` makes the same matrix of, bit by bit."""
        parts = {**walked_of(self._layout, self._runs)._asdict(), "row_sums": self.row_sums}
        if not self.grid.plane_is_equal_area:
            # They take long, and depend on which cells are asked for together.
            parts |= {"weights": self._layout.weights, "edge_area": self._layout.edge_area}
        return parts

    @classmethod
    def from_parts(cls, parts: Mapping[str, NDArray[Any]], targets: int, grid: Grid) -> RunMatrix:
        """The matrix that `parts` was called on."""
        out = object.__new__(cls)
        out.grid = grid
        known = None if grid.plane_is_equal_area else (parts["weights"], parts["edge_area"])
        walked = Walked(parts["run"], parts["edge"], parts["share"])
        out._hold(targets, grid.shape, *layout_of(walked, grid, known))
        out.row_sums = parts["row_sums"]
        return out

    def __getstate__(self) -> dict[str, Any]:
        # What can be had from the rest does not travel.
        kept = ("shape", "grid", "grid_shape", "_layout", "_runs", "row_sums")
        return {name: value for name, value in vars(self).items() if name in kept}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state, _windows={})
        frozen(self._layout)

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

    def window(self, rows: slice, columns: slice) -> Tile:
        """The part of the matrix that lies in a rectangle of cells; kept, for other fields come in the same tiles.

        Parameters
        ----------
        rows, columns : slice
            With start and stop.
        """
        place = (rows.start, rows.stop, columns.start, columns.stop)
        if place == (0, self.grid_shape[0], 0, self.grid_shape[1]):
            return Tile(self, np.arange(self.shape[0]), rows, columns, self.grid_shape[1])
        if place not in self._windows:
            layout, runs, targets = cut(
                self._layout, self._runs, rows, columns, self.grid_shape, separable=self.grid.plane_is_equal_area
            )  # fmt: skip
            part = object.__new__(type(self))
            part.grid = self.grid
            part._hold(targets.size, (place[1] - place[0], place[3] - place[2]), layout, runs)
            self._windows[place] = Tile(part, targets, rows, columns, self.grid_shape[1])
        return self._windows[place]

    @cached_property
    def row_sums(self) -> NDArray[np.float64]:
        """Covered area of each target [target; m2]."""
        out = np.zeros(self.shape[0])
        zone_areas(self._layout, out)
        return out

    @cached_property
    def pairs(self) -> CellMatrix:
        """The same cell by cell, for what needs the cells themselves; as large as the covered area."""
        found = list(self.rows())
        target = np.repeat(np.arange(self.shape[0]), [cells.size for cells, _ in found])
        cell, area = (np.concatenate(part) for part in zip(*found, strict=True))
        return CellMatrix(target, cell, area, self.shape, self.grid)

    @cached_property
    def cells(self) -> NDArray[np.int64]:
        """Flat numbers of the cells that any target touches, ascending [touched cell]."""
        layout, columns = self._layout, self.grid_shape[1]
        touched = np.zeros(self.shape[1], dtype=bool)
        touched[segment_cells(layout.segment_start, layout.segment_first, layout.segment_stop, columns)] = (
            True
        )
        row = np.repeat(np.arange(self.grid_shape[0]), np.diff(layout.edge_start))
        touched[row * columns + layout.edge_column] = True
        return np.flatnonzero(touched)

    @cached_property
    def extent(self) -> tuple[tuple[int, int], tuple[int, int]]:
        """First and last row, first and last column that any target touches; the first cell if there are none."""
        layout, (_, first, last) = self._layout, self._runs
        rows = np.flatnonzero(np.diff(layout.run_start) + np.diff(layout.edge_start))
        return span(rows), span(np.concatenate((first, last, layout.edge_column)))

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
        return values if self.cells.size == self.shape[1] else values[..., self.cells]

    def give(
        self,
        by_weight: NDArray[np.float64],
        by_area: NDArray[np.float64],
        weights: NDArray[np.float64],
        *,
        amounts: bool,
    ) -> NDArray[np.float64]:
        """What the targets give to their cells; see `CellMatrix.give`."""
        every = np.zeros(self.shape[1])
        every[self.cells] = weights
        out = np.zeros((by_weight.shape[0], *self.grid_shape))
        row_spread(every.reshape(self.grid_shape), self._layout, amounts, by_weight, by_area, out)
        return out.reshape(-1, self.shape[1])[:, self.cells]

    def rows(self) -> Iterator[tuple[NDArray[np.int64], NDArray[np.float64]]]:
        """For each target, the flat numbers of its cells, ascending, and the shared areas [m2]."""
        layout, (_, first, last) = self._layout, self._runs
        columns = self.grid.shape[1]
        area_of = self.grid.areas_of
        if not self.grid.plane_is_equal_area:
            known = segment_cells(layout.segment_start, layout.segment_first, layout.segment_stop, columns)

            def area_of(cells: NDArray[np.int64]) -> NDArray[np.float64]:
                return layout.weights[np.searchsorted(known, cells)]

        number = np.arange(self.grid.shape[0])
        row = np.repeat(number, np.diff(layout.run_start))
        begin = row * columns + first
        length = (last - first + 1).astype("int64")
        single = np.repeat(number, np.diff(layout.edge_start)) * columns + layout.edge_column
        run_of, edge_of = _by_zone(layout.run_zone, self.shape[0]), _by_zone(layout.edge_zone, self.shape[0])
        for runs, edges in zip(run_of, edge_of, strict=True):
            size = length[runs]
            cells = np.arange(size.sum())
            cells += np.repeat(begin[runs] - np.cumsum(size) + size, size)
            whole = np.repeat(layout.row_area[row[runs]], size) if layout.even else area_of(cells)
            areas = np.concatenate((whole, layout.edge_area[edges]))
            del whole
            cells = np.concatenate((cells, single[edges]))
            order = np.argsort(cells, kind="stable")
            cells, areas = cells[order], areas[order]
            # Not kept while the caller works on a large zone.
            del order
            found = [(cells, areas)]
            del cells, areas
            yield found.pop()

    def shares(self, rows: slice, targets: NDArray[np.int64] | None = None) -> NDArray[np.float64]:
        """Share of each source cell of some rows that each target, or each of some, covers [target, row, x; 1]."""
        wanted = np.arange(self.shape[0]) if targets is None else targets
        return dense_shares(self._layout, self._runs, self.grid_shape, rows, wanted)

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

        def add(t: tuple[int, int], rows: tuple[int, int], out: NDArray[np.float64]) -> None:
            row_sums(cube, *t, *rows, self._layout, amounts, *out)

        sums, areas = self._in_bands(add, (2, cube.shape[0], self.shape[0]), threads).sum(axis=0)
        return sums, self._whole(areas)

    def moments(
        self, values: NDArray[np.generic], *, threads: int = 1
    ) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
        """Area-weighted mean, sum of squared deviations from it times area, and the valid area.

        Parameters
        ----------
        values : numpy.ndarray [step, cell]
        threads : int
            The result does not depend on it.

        Returns
        -------
        mean, squares, areas : numpy.ndarray [step, target; units, units2 m2, m2]
        """
        cube = self._cube(values)

        def add(t: tuple[int, int], rows: tuple[int, int], out: NDArray[np.float64]) -> None:
            row_moments(cube, *t, *rows, self._layout, *out)

        parts = self._in_bands(add, (3, cube.shape[0], self.shape[0]), threads)
        mean, squares, areas = reduce(join_moments, parts)
        return mean, squares, self._whole(areas)

    def extremes(
        self, values: NDArray[np.generic], *, greatest: bool, threads: int = 1
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Greatest or least value of any touched cell, and the valid area [step, target]; infinite without any."""
        cube, sign = self._cube(values), 1.0 if greatest else -1.0

        def add(t: tuple[int, int], rows: tuple[int, int], out: NDArray[np.float64]) -> None:
            out[0, t[0] : t[1]] = -np.inf
            row_extremes(cube, *t, *rows, self._layout, sign, *out)

        parts = self._in_bands(add, (2, cube.shape[0], self.shape[0]), threads)
        return sign * parts[:, 0].max(axis=0), self._whole(parts[:, 1].sum(axis=0))

    def class_areas(
        self, codes: NDArray[np.generic], classes: NDArray[np.generic], *, threads: int = 1
    ) -> tuple[NDArray[np.float64], NDArray[np.generic]]:
        """Area of every class in every target, and codes that are none; see `CellMatrix.class_areas`."""
        cube, order, strange = self._cube(codes), np.argsort(classes), []

        def add(t: tuple[int, int], rows: tuple[int, int], out: NDArray[np.float64]) -> None:
            unknown = np.zeros(_UNKNOWN_NAMED, cube.dtype)
            found = class_sums(cube, *t, *rows, self._layout, classes[order], out[0], unknown)
            strange.append(unknown[:found])

        shape = (1, cube.shape[0], classes.size, self.shape[0])
        areas = self._in_bands(add, shape, threads).sum(axis=0)[0]
        out = np.empty_like(areas)
        out[:, order] = self._whole(areas)
        return out, np.unique(np.concatenate(strange))

    def class_means(
        self,
        values: NDArray[np.generic],
        codes: NDArray[np.generic],
        classes: NDArray[np.generic],
        *,
        threads: int = 1,
    ) -> tuple[NDArray[np.float64], NDArray[np.generic]]:
        """Sums of values, valid areas and whole areas of every class in every target, in one pass.

        Parameters
        ----------
        values : numpy.ndarray [step, cell]
        codes : numpy.ndarray [step or 1, cell]
        classes : numpy.ndarray [class]
        threads : int
            The result does not depend on it.

        Returns
        -------
        sums : numpy.ndarray [3, step, class, target; units m2, m2, m2]
        unknown : numpy.ndarray [code]
        """
        cube, kinds = self._cube(values), self._cube(codes)
        order, strange = np.argsort(classes), []

        def add(t: tuple[int, int], rows: tuple[int, int], out: NDArray[np.float64]) -> None:
            unknown = np.zeros(_UNKNOWN_NAMED, kinds.dtype)
            found = class_means(cube, kinds, *t, *rows, self._layout, classes[order], *out, unknown)
            strange.append(unknown[:found])

        shape = (3, cube.shape[0], classes.size, self.shape[0])
        found = self._in_bands(add, shape, threads).sum(axis=0)
        out = np.empty_like(found)
        out[:, :, order] = found
        return out, np.unique(np.concatenate(strange))

    def _in_bands(
        self, add: Callable[..., None], shape: tuple[int, ...], threads: int
    ) -> NDArray[np.float64]:
        """What a kernel adds up in each band of rows [band, *shape]; the second dimension of the shape are steps."""
        bands = _bands(*self.grid_shape)
        parts = np.zeros((len(bands), *shape))
        run_all(
            [
                partial(add, steps, rows, part)
                for steps in _step_ranges(shape[1], threads)
                for rows, part in zip(bands, parts, strict=True)
            ],
            threads,
        )
        return parts

    def _whole(self, areas: NDArray[np.float64]) -> NDArray[np.float64]:
        return whole_areas(areas, self.row_sums)

    def _cube(self, values: NDArray[np.generic]) -> NDArray[Any]:
        """The values [step, y, x] in a memory layout and type that the kernels are compiled for."""
        dtype = values.dtype.newbyteorder("=")
        if dtype.kind == "b":
            dtype = np.dtype("uint8")
        elif dtype.kind == "f" and dtype.itemsize not in (4, 8):
            dtype = np.dtype("float32" if dtype.itemsize < 4 else "float64")
        cube = np.ascontiguousarray(values, dtype=dtype).reshape(-1, *self.grid_shape)
        # Kernels are compiled once for arrays that are not written to, and then take every array.
        cube = cube.view()
        cube.flags.writeable = False
        return cube


def _by_zone(zone: NDArray[np.int32], count: int) -> list[NDArray[np.int64]]:
    return np.split(np.argsort(zone, kind="stable"), np.cumsum(np.bincount(zone, minlength=count))[:-1])


# Kept, for they are asked for with every chunk.
@cache
def _bands(rows: int, columns: int) -> list[tuple[int, int]]:
    count = min(_BANDS, rows) if rows * columns >= _CELLS_OF_BANDS else 1
    cuts = np.linspace(0, rows, count + 1).astype(int).tolist()
    return list(itertools.pairwise(cuts))


@cache
def _step_ranges(steps: int, threads: int) -> list[tuple[int, int]]:
    """As many steps as a kernel adds up side by side, fewer only where threads would wait for work."""
    count = -(-steps // STEPS)
    if threads > 1:
        count = min(steps, max(count, 4 * threads // _BANDS))
    cuts = np.linspace(0, steps, count + 1).astype(int).tolist()
    return list(itertools.pairwise(cuts))


# What an overlap may be stored as.
Matrix = CellMatrix | RunMatrix
