"""Windows of an overlap's matrix, and how what was made of them is joined."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from geotools.space.runs import Matrix

# Nearer to the area of a target than this, what is missing is rounding.
_ROUNDING = 1e-12


class Tile(NamedTuple):
    """A window of a matrix: `matrix` counts its targets from 0 and its cells from the corner of the window.

    `targets` [target of the window] are the numbers of its targets in the whole matrix, `columns_in_all` is
    the number of columns of the whole grid.
    """

    matrix: Matrix
    targets: NDArray[np.int64]
    rows: slice
    columns: slice
    columns_in_all: int

    @property
    def cells(self) -> NDArray[np.int64]:
        """Flat numbers, in the whole grid, of the touched cells of the window."""
        row, column = np.divmod(self.matrix.cells, self.columns.stop - self.columns.start)
        return np.asarray((row + self.rows.start) * self.columns_in_all + column + self.columns.start)


def span(numbers: NDArray[np.integer[Any]]) -> tuple[int, int]:
    """Least and greatest of some numbers, 0 and 0 of none."""
    return (int(numbers.min()), int(numbers.max())) if numbers.size else (0, 0)


def whole_areas(areas: NDArray[np.float64], row_sums: NDArray[np.float64]) -> NDArray[np.float64]:
    """Valid areas [..., target; m2]; a target with all its data stands on exactly its area."""
    return np.where(np.abs(areas - row_sums) <= _ROUNDING * row_sums, row_sums, areas)


def join_moments(
    one: NDArray[np.float64], other: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Mean, sum of squared deviations and area [3, ...] of two samples together.

    References
    ----------
    Chan, T. F., Golub, G. H. and LeVeque, R. J. (1983): Algorithms for computing the sample variance. Am. Stat.
    37, 242. doi:10.1080/00031305.1983.10483115
    """
    area = one[2] + other[2]
    share = np.divide(other[2], area, out=np.zeros_like(area), where=area > 0)
    apart = other[0] - one[0]
    return one[0] + apart * share, one[1] + other[1] + apart * apart * one[2] * share, area
