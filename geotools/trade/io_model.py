"""Input-output tables: technical coefficients, Leontief inverse and multipliers.

Rows and columns of all matrices are region-sector pairs in one order, such as R1s1, R1s2, R2s1, R2s2.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from geotools.errors import DataError, UsageError

Array = NDArray[np.float64]

# An output below this counts as none: a quotient by it would be an intensity of nothing.
SMALLEST_OUTPUT = 1e-6


@dataclass(frozen=True)
class InputOutput:
    """A multi-regional input-output table with emissions.

    Parameters
    ----------
    Z : array [n, n; money]
        Intermediate deliveries from row to column.
    Y : array [n, regions; money]
        Final demand of each region; negative entries are changes of inventories.
    x : array [n; money]
        Gross output.
    F : array [n; mass of CO2]
        Emissions of each sector. NaN where they are not known, which is allowed for whole regions only.
    region, sector : sequence of str [n]
        Labels of the rows.
    F_Y : array [regions; mass of CO2], optional
        Direct emissions of final demand; zero when absent.
    tolerance : float
        Largest relative difference of x from the row sums of Z and Y.

    Raises
    ------
    DataError
        When shapes differ, x is not Z 1 + Y 1, or a value is negative where none may be.
    """

    Z: Array
    Y: Array
    x: Array
    F: Array
    region: tuple[str, ...]
    sector: tuple[str, ...]
    F_Y: Array | None = None
    tolerance: float = 1e-3
    regions: tuple[str, ...] = field(init=False)

    def __init__(
        self,
        Z: ArrayLike,
        Y: ArrayLike,
        x: ArrayLike,
        F: ArrayLike,
        *,
        region: Sequence[str],
        sector: Sequence[str],
        F_Y: ArrayLike | None = None,
        tolerance: float = 1e-3,
    ) -> None:
        set_ = object.__setattr__
        for name, value in (("Z", Z), ("Y", Y), ("x", x), ("F", F)):
            set_(self, name, np.asarray(value, dtype=float))
        set_(self, "region", tuple(str(r) for r in region))
        set_(self, "sector", tuple(str(s) for s in sector))
        set_(self, "regions", tuple(dict.fromkeys(self.region)))
        set_(self, "F_Y", np.zeros(len(self.regions)) if F_Y is None else np.asarray(F_Y, dtype=float))
        set_(self, "tolerance", tolerance)
        _check(self)

    @cached_property
    def coefficients(self) -> Array:
        """Technical coefficients [n, n]."""
        return technical_coefficients(self.Z, self.x)

    @cached_property
    def intensity(self) -> Array:
        """Direct intensities [n; mass of CO2 per money]."""
        return multipliers(self.F, self.x)

    @cached_property
    def leontief(self) -> Array:
        """Leontief inverse of the whole table [n, n]."""
        return leontief_inverse(self.coefficients)

    @cached_property
    def multiplier(self) -> Array:
        """Multipliers: CO2 per money of final demand, anywhere [n]."""
        return multipliers(self.F, self.x, self.leontief)

    def rows(self, region: str) -> NDArray[np.intp]:
        """Positions of the rows of a region.

        Raises
        ------
        UsageError
            When there is no such region.
        """
        if region not in self.regions:
            raise UsageError(
                f"unknown region {region!r}", expected=f"one of {', '.join(self.regions)}", todo="correct it"
            )
        return np.flatnonzero(np.array(self.region) == region)

    def domestic(self, region: str) -> tuple[Array, Array]:
        """Direct intensities and total domestic multipliers of a region.

        Returns
        -------
        (array, array) [sectors of the region; mass of CO2 per money]
            S_r, and S_r (I - A_rr)^-1: imported inputs count nothing.
        """
        rows = self.rows(region)
        intensity = self.intensity[rows]
        if np.isnan(intensity).any():
            raise DataError(
                f"region {region!r} has no emissions",
                where="argument F",
                expected="CO2 of every sector of a region whose exports are asked for",
                todo="give its emissions, or ask for another region",
            )
        return intensity, intensity @ leontief_inverse(self.coefficients[np.ix_(rows, rows)])


def technical_coefficients(Z: ArrayLike, x: ArrayLike, *, tol: float = SMALLEST_OUTPUT) -> Array:
    """Inputs per unit of output; a column without output is zero.

    Parameters
    ----------
    Z : array [n, n; money]
    x : array [n; money]
    tol : float [money]
        Outputs below count as none.

    Returns
    -------
    array [n, n; 1]

    Notes
    -----
    A = Z diag(x)^-1.
    """
    return np.asarray(Z, dtype=float) * _reciprocal(np.asarray(x, dtype=float), tol)


def leontief_inverse(A: ArrayLike) -> Array:
    """Total requirements per unit of final demand.

    Parameters
    ----------
    A : array [n, n; 1]

    Returns
    -------
    array [n, n; 1]

    Raises
    ------
    DataError
        When the inverse does not exist.

    Notes
    -----
    L = (I - A)^-1.
    """
    matrix = np.asarray(A, dtype=float)
    try:
        return np.linalg.inv(np.eye(len(matrix)) - matrix)
    except np.linalg.LinAlgError as error:
        raise DataError(
            "the technical coefficients have no Leontief inverse",
            expected="sectors that need less than one unit of input per unit of output",
            todo="check that Z and x are in the same money",
        ) from error


def multipliers(
    F: ArrayLike, x: ArrayLike, L: ArrayLike | None = None, *, tol: float = SMALLEST_OUTPUT
) -> Array:
    """Emissions per unit of output, or per unit of final demand when a Leontief inverse is given.

    Parameters
    ----------
    F : array [n; mass of CO2]
    x : array [n; money]
    L : array [n, n; 1], optional
    tol : float [money]
        A sector with a smaller output has intensity 0.

    Returns
    -------
    array [n; mass of CO2 per money]

    Notes
    -----
    S = F diag(x)^-1, M = S L.
    """
    intensity: Array = np.asarray(F, dtype=float) * _reciprocal(np.asarray(x, dtype=float), tol)
    return intensity if L is None else np.asarray(intensity @ np.asarray(L, dtype=float))


def _reciprocal(x: Array, tol: float) -> Array:
    some = x > tol
    return np.where(some, 1.0 / np.where(some, x, 1.0), 0.0)


def _check(table: InputOutput) -> None:
    n, regions = len(table.region), len(table.regions)
    shapes: dict[str, tuple[Any, tuple[int, ...]]] = {
        "Z": (table.Z, (n, n)), "Y": (table.Y, (n, regions)), "x": (table.x, (n,)), "F": (table.F, (n,)),
        "F_Y": (table.F_Y, (regions,)), "sector": (np.array(table.sector), (n,)),
    }  # fmt: skip
    for name, (values, shape) in shapes.items():
        if values.shape != shape:
            raise DataError(
                f"shape {values.shape}",
                where=f"argument {name!r}",
                expected=f"{shape} for {n} rows and {regions} regions",
                todo="order rows and columns by the labels of `region`",
            )
    for name, values in (("Z", table.Z), ("x", table.x), ("F", table.F)):
        if (values < 0).any() or (name != "F" and np.isnan(values).any()):
            raise DataError(
                f"{float(values[~(values >= 0)].flat[0]):g} was found",
                where=f"argument {name!r}",
                expected="numbers of zero or more",
                todo="correct the table",
            )
    sums = table.Z.sum(axis=1) + table.Y.sum(axis=1)
    gap = np.abs(table.x - sums)
    # Tables in whole millions are out by the rounding of each of their cells.
    allowed = table.tolerance * np.maximum(table.x, table.x.mean() if n else 0.0)
    if (gap > allowed).any():
        worst = int(np.argmax(gap - allowed))
        raise DataError(
            f"the row {table.region[worst]} {table.sector[worst]} sums to {sums[worst]:g} and its output is "
            f"{table.x[worst]:g}",
            where="arguments Z, Y and x",
            expected=f"x = Z 1 + Y 1 within {table.tolerance:g}",
            todo="mend the table, or pass a larger tolerance when the difference is rounding",
        )
