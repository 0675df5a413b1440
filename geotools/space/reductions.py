"""What can be made of the values of each target: each reduction tile by tile, joined and finished.

A reduction takes blocks of fields [step, cell] that lie on a tile of the grid, makes a part of them
[step, item, place], and adds the part to the whole. For most, a place is a target; for quantiles it is a touched cell.
A whole is finished into values and valid fractions, stacked so that dask holds one product per chunk.
"""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import dataclass, field
from threading import Lock
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from geotools.errors import DataError
from geotools.space.runs import Matrix
from geotools.space.tiles import Tile, join_moments, whole_areas

# Cells of all targets together, from which on quantiles of one field at a time are put in order.
_LARGE = 1 << 20
_one_large_zone = Lock()

# A fully valid target may come out at 1 - 1e-16.
_ROUNDING = 1e-9

Blocks = tuple[NDArray[Any], ...]
Part = NDArray[Any]
Places = NDArray[np.int64] | slice


class Reduction(Protocol):
    """One way from values to a number per target."""

    def part(self, tile: Tile, blocks: Blocks, threads: int) -> Part:
        """The part of a tile [step, item, place of the tile]."""

    def places(self, tile: Tile, matrix: Matrix) -> Places:
        """Where the places of a tile stand in the whole."""

    def start(self, like: Part, matrix: Matrix) -> Part:
        """The whole before any part is added [step, item, place]."""

    def add(self, whole: Part, part: Part, places: Places) -> None:
        """Add the part of a tile to the whole."""

    def finish(
        self, whole: Part, matrix: Matrix, target_areas: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Values and valid fractions, of one shape [step, ..., target]."""


class _ByTarget:
    """A reduction whose parts add up target by target."""

    def places(self, tile: Tile, matrix: Matrix) -> Places:
        return tile.targets

    def start(self, like: Part, matrix: Matrix) -> Part:
        return np.zeros((*like.shape[:-1], matrix.shape[0]))

    def add(self, whole: Part, part: Part, places: Places) -> None:
        whole[..., places] += part


@dataclass(frozen=True)
class Sums(_ByTarget):
    """Averages or integrals.

    Parameters
    ----------
    average : bool
        Divide the sum by the area it stands on.
    amounts : bool
        The values are amounts per cell.
    min_valid_fraction : float
        Targets with less of their area valid become NaN.
    """

    average: bool
    amounts: bool = False
    min_valid_fraction: float = 0.0

    def part(self, tile: Tile, blocks: Blocks, threads: int) -> Part:
        return np.stack(tile.matrix.sums(blocks[0], amounts=self.amounts, threads=threads), axis=1)

    def finish(
        self, whole: Part, matrix: Matrix, target_areas: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        sums, areas = whole[:, 0], whole_areas(whole[:, 1], matrix.row_sums)
        valid = areas / target_areas
        divisor = areas if self.average else 1.0
        return _where(_enough(areas, valid, self.min_valid_fraction), sums, divisor), valid


@dataclass(frozen=True)
class WeightTotals(_ByTarget):
    """Totals of weights by which amounts are split; a missing weight is 0."""

    amounts: bool

    def part(self, tile: Tile, blocks: Blocks, threads: int) -> Part:
        for step in blocks[0]:
            weights_of(tile, step)
        return tile.matrix.sums(blocks[0], amounts=self.amounts, threads=threads)[0][:, None]

    def finish(
        self, whole: Part, matrix: Matrix, target_areas: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        return whole[:, 0], np.ones_like(whole[:, 0])


def weights_of(tile: Tile, values: NDArray[Any]) -> NDArray[np.float64]:
    """Weights of the touched cells of a tile [touched cell] from values [cell]; NaN is 0.

    Raises
    ------
    DataError
        For a negative or infinite weight.
    """
    weights = np.nan_to_num(tile.matrix.touched(values).astype("float64"), nan=0.0, posinf=np.inf)
    if (weights < 0).any() or np.isinf(weights).any():
        raise DataError(
            f"the weights run from {weights.min():g} to {weights.max():g}",
            expected="finite weights of 0 or more",
            todo="mend the weights; negative densities have no meaning here",
        )
    return np.asarray(weights)


@dataclass(frozen=True)
class Variances(_ByTarget):
    """Area-weighted variances about the mean of each target."""

    min_valid_fraction: float = 0.0

    def part(self, tile: Tile, blocks: Blocks, threads: int) -> Part:
        return np.stack(tile.matrix.moments(blocks[0], threads=threads), axis=1)

    def add(self, whole: Part, part: Part, places: Places) -> None:
        joined = join_moments(np.moveaxis(whole[..., places], 1, 0), np.moveaxis(part, 1, 0))
        whole[..., places] = np.stack(joined, axis=1)

    def finish(
        self, whole: Part, matrix: Matrix, target_areas: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        areas = whole_areas(whole[:, 2], matrix.row_sums)
        valid = areas / target_areas
        return _where(_enough(areas, valid, self.min_valid_fraction), whole[:, 1], areas), valid


@dataclass(frozen=True)
class Extremes(_ByTarget):
    """Greatest or least values of the cells that a target touches, however little of them it holds."""

    greatest: bool
    min_valid_fraction: float = 0.0

    def part(self, tile: Tile, blocks: Blocks, threads: int) -> Part:
        return np.stack(tile.matrix.extremes(blocks[0], greatest=self.greatest, threads=threads), axis=1)

    def start(self, like: Part, matrix: Matrix) -> Part:
        whole = super().start(like, matrix)
        whole[:, 0] = -np.inf if self.greatest else np.inf
        return whole

    def add(self, whole: Part, part: Part, places: Places) -> None:
        choose = np.maximum if self.greatest else np.minimum
        whole[:, 0, places] = choose(whole[:, 0, places], part[:, 0])
        whole[:, 1, places] += part[:, 1]

    def finish(
        self, whole: Part, matrix: Matrix, target_areas: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        areas = whole_areas(whole[:, 1], matrix.row_sums)
        valid = areas / target_areas
        return _where(_enough(areas, valid, self.min_valid_fraction), whole[:, 0], 1.0), valid


@dataclass(frozen=True)
class ClassAreas(_ByTarget):
    """Areas, or shares of the valid area, of classes [class]."""

    classes: NDArray[Any]
    fraction: bool

    def part(self, tile: Tile, blocks: Blocks, threads: int) -> Part:
        areas, unknown = tile.matrix.class_areas(blocks[0], self.classes, threads=threads)
        _refuse_unknown(unknown, self.classes)
        return areas

    def finish(
        self, whole: Part, matrix: Matrix, target_areas: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        whole = whole_areas(whole, matrix.row_sums)
        total = whole_areas(whole.sum(axis=1, keepdims=True), matrix.row_sums)
        values = _where(np.broadcast_to(total > 0, whole.shape), whole, total if self.fraction else 1.0)
        return values, np.broadcast_to(total / target_areas, whole.shape)


@dataclass(frozen=True)
class ClassMeans(_ByTarget):
    """Means by class [class]; the valid fraction is the share of the area of the class that had data."""

    classes: NDArray[Any]

    def part(self, tile: Tile, blocks: Blocks, threads: int) -> Part:
        values, codes = blocks
        sums, unknown = tile.matrix.class_means(values, codes, self.classes, threads=threads)
        _refuse_unknown(unknown, self.classes)
        return np.concatenate(tuple(sums), axis=1)

    def finish(
        self, whole: Part, matrix: Matrix, target_areas: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        sums, valid, areas = np.split(whole, 3, axis=1)
        return _where(valid > 0, sums, valid), _where(areas > 0, np.minimum(valid, areas), areas)


@dataclass(frozen=True)
class Quantiles:
    """Area-weighted quantiles [level]; the values of the touched cells are gathered first.

    Notes
    -----
    With the values in order and S their running area, value k stands at ``(S_k - w_k / 2) / S_n``, and the
    quantile is interpolated in between. With equal areas that is type 5 of Hyndman and Fan (Hazen).

    References
    ----------
    Hyndman, R. J. and Fan, Y. (1996): Sample quantiles in statistical packages. Am. Stat. 50, 361.
    doi:10.1080/00031305.1996.10473566
    """

    levels: NDArray[np.float64]
    min_valid_fraction: float = 0.0

    def part(self, tile: Tile, blocks: Blocks, threads: int) -> Part:
        return tile.matrix.touched(blocks[0])[:, None]

    def places(self, tile: Tile, matrix: Matrix) -> Places:
        # Cells are in order, so that the ends tell whether the tile holds all in between, as a band of rows does.
        cells = tile.cells
        if cells.size == 0:
            return slice(0, 0)
        first, last = (int(k) for k in np.searchsorted(matrix.cells, cells[[0, -1]]))
        if last - first == cells.size - 1:
            return slice(first, last + 1)
        return np.searchsorted(matrix.cells, cells)

    def start(self, like: Part, matrix: Matrix) -> Part:
        return np.empty((*like.shape[:-1], matrix.cells.size), like.dtype)

    def add(self, whole: Part, part: Part, places: Places) -> None:
        whole[..., places] = part

    def finish(
        self, whole: Part, matrix: Matrix, target_areas: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        shape = (whole.shape[0], self.levels.size, target_areas.size)
        values, fractions = np.full(shape, np.nan), np.zeros(shape)
        # Some ten arrays as long as a zone are held; with many threads, each with a field of its own, that adds up.
        with _one_large_zone if whole.shape[-1] > _LARGE else nullcontext():
            for target, (cells, areas) in enumerate(matrix.rows()):
                place = np.searchsorted(matrix.cells, cells)
                del cells
                for step in range(whole.shape[0]):
                    here = whole[step, 0, place]
                    known = ~np.isnan(here)
                    weights = areas if known.all() else areas[known]
                    valid = weights.sum() / target_areas[target]
                    fractions[step, :, target] = valid
                    if known.any() and valid >= self.min_valid_fraction - _ROUNDING:
                        values[step, :, target] = _quantiles(self.levels, here[known], weights)
        return values, fractions


def _quantiles(
    levels: NDArray[np.float64], values: NDArray[Any], areas: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Quantiles of values [cell] with areas [cell]; no more arrays as long as these are held than it takes."""
    order = np.argsort(values, kind="stable")
    values, areas = values[order], areas[order]
    del order
    stand = np.cumsum(areas)
    wanted = levels * areas.sum()
    areas *= 0.5
    stand -= areas
    above = np.clip(np.searchsorted(stand, wanted), 1, max(stand.size - 1, 1))
    near = np.minimum(np.stack((above - 1, above)), stand.size - 1)
    out = np.empty(levels.size)
    for k, (pair, at) in enumerate(zip(near.T, wanted, strict=True)):
        out[k] = np.interp(at, stand[pair], values[pair].astype("float64"))
    return out


@dataclass(frozen=True)
class Counts(Quantiles):
    """Number of cells with data that each target touches, however little of them it holds."""

    levels: NDArray[np.float64] = field(default_factory=lambda: np.empty(0))

    def part(self, tile: Tile, blocks: Blocks, threads: int) -> Part:
        return ~np.isnan(super().part(tile, blocks, threads))

    def finish(
        self, whole: Part, matrix: Matrix, target_areas: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        counts, valid = (np.zeros((whole.shape[0], target_areas.size)) for _ in range(2))
        for target, (cells, areas) in enumerate(matrix.rows()):
            known = whole[:, 0, np.searchsorted(matrix.cells, cells)]
            counts[:, target] = known.sum(axis=1)
            valid[:, target] = known @ areas / target_areas[target]
        return counts, valid


def _enough(
    areas: NDArray[np.float64], valid: NDArray[np.float64], min_valid_fraction: float
) -> NDArray[np.bool_]:
    return np.asarray((areas > 0) & (valid >= min_valid_fraction - _ROUNDING))


def _where(
    keep: NDArray[np.bool_], values: NDArray[np.float64], divisor: NDArray[np.float64] | float
) -> NDArray[np.float64]:
    out = np.full(values.shape, np.nan)
    np.divide(values, divisor, out=out, where=keep)
    return out


def _refuse_unknown(unknown: NDArray[Any], classes: NDArray[Any]) -> None:
    if unknown.size:
        raise DataError(
            f"the class codes {', '.join(f'{c:g}' for c in unknown[:8])} occur but have no meaning",
            expected=f"one of {', '.join(f'{c:g}' for c in classes)}",
            todo="add them to flag_values and flag_meanings, or set their cells to NaN",
        )
