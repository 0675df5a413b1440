"""Days of a daily series in the data's own calendar, and the seasons they fill."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from geotools.errors import DataError, UsageError
from geotools.guards import Array

Days = NDArray[np.int64]


class Season(NamedTuple):
    """Twelve months of a daily series.

    Parameters
    ----------
    year : int
        Calendar year of its first day.
    steps : slice
        Its steps in the series.
    position : array of int [step; d]
        Day of each step, counted from 0 on the first day of the season.
    length : int [d]
        In the calendar of the series.
    whole : bool
        Whether the series begins no later and ends no earlier than the season.
    """

    year: int
    steps: slice
    position: Days
    length: int
    whole: bool


def daily_series(field: Any, name: str, dim: str) -> Days:
    """Days of a series, from any fixed day, with a check that it is daily.

    Parameters
    ----------
    field : xarray.DataArray [`dim`, ...]
        Days may be absent from the coordinate, or be missing values.
    name : str
        The argument, for messages.
    dim : str

    Returns
    -------
    array of int [step; d]

    Raises
    ------
    UsageError
        When it is no DataArray with dates along `dim`, or has several values a day or one every few days.
    DataError
        When the dates are not in order, or one is missing.
    """
    where = f"argument {name!r}"
    if not isinstance(field, xr.DataArray) or dim not in field.dims:
        raise UsageError(
            f"the dimensions are {field.dims}"
            if isinstance(field, xr.DataArray)
            else f"a {type(field).__name__}",
            where=where,
            expected=f"a DataArray of daily values along {dim!r}",
            todo="name the dimension of the days with dim=, and give it its dates",
        )
    if dim not in field.coords or not has_dates(field[dim]):
        raise UsageError(
            f"the coordinate {dim!r} holds no dates",
            where=where,
            expected="the date of every value",
            todo="decode the times: xarray.decode_cf(dataset)",
        )
    days = _days(field[dim], where)
    steps = np.diff(days)
    if np.any(steps < 0):
        raise DataError(
            "dates that go back",
            where=where,
            expected="days in order",
            todo=f"sort them: field.sortby('{dim}')",
        )
    if np.any(steps == 0):
        raise UsageError(
            "several values lie in one day",
            where=where,
            expected="one mean value a day",
            todo=f"average first: field.resample({dim}='1D').mean()",
        )
    if steps.size == 0 or np.median(steps) > 1:
        found = (
            "fewer than two values" if steps.size == 0 else f"values mostly {np.median(steps):g} days apart"
        )
        raise UsageError(
            found,
            where=where,
            expected="daily values",
            todo="for monthly means there is geotools.climate.degree_days()",
        )
    return days


def has_dates(time: xr.DataArray) -> bool:
    """Whether a coordinate holds dates, ``datetime64`` or cftime."""
    if np.issubdtype(time.dtype, np.datetime64):
        return True
    return bool(time.dtype == object and time.size and hasattr(time.values[0], "toordinal"))


def _days(time: xr.DataArray, where: str) -> Days:
    if time.dtype == object:
        return np.array([t.toordinal() for t in time.values], dtype="int64")
    if np.isnat(time.values).any():
        raise DataError("a missing date", where=where, expected="the date of every value")
    days: Days = time.values.astype("datetime64[D]").astype("int64")
    return days


def seasons(time: xr.DataArray, days: Days, start_month: int) -> list[Season]:
    """One season for every calendar year of a daily series, whole or not.

    Parameters
    ----------
    time : xarray.DataArray [step]
        Dates.
    days : array of int [step; d]
        From `daily_series`.
    start_month : int
        Month with whose first day a season begins; it ends a year later.

    Returns
    -------
    list of Season
    """
    first, last = (int(y) for y in time.dt.year.values[[0, -1]])
    starts = [_first_of(time, year, start_month) for year in range(first, last + 2)]
    bounds = np.searchsorted(days, starts)
    out = []
    for i, year in enumerate(range(first, last + 1)):
        steps = slice(int(bounds[i]), int(bounds[i + 1]))
        whole = days[0] <= starts[i] and days[-1] >= starts[i + 1] - 1
        out.append(Season(year, steps, days[steps] - starts[i], starts[i + 1] - starts[i], bool(whole)))
    return out


def days_of(field: xr.DataArray, season: Season, dim: str) -> tuple[xr.DataArray, Days]:
    """Values of one season, and their days in it; where it has none, a missing value on its first day."""
    if season.position.size:
        return field.isel({dim: season.steps}), season.position
    # dask does not work along an axis without length.
    nothing: xr.DataArray = field.isel({dim: slice(1)}).where(False)
    return nothing, np.zeros(1, dtype="int64")


def ensure_month(name: str, month: Any) -> None:
    """Refuse what is no number of a month.

    Raises
    ------
    UsageError
    """
    if month not in range(1, 13):
        raise UsageError(f"{month!r} is no month", where=f"option {name!r}", expected="1 to 12")


def _first_of(time: xr.DataArray, year: int, month: int) -> int:
    if time.dtype == object:
        midnight = {"hour": 0, "minute": 0, "second": 0, "microsecond": 0}
        return int(time.values[0].replace(year=year, month=month, day=1, **midnight).toordinal())
    return int(np.datetime64(f"{year:04d}-{month:02d}-01", "D").astype("int64"))


def longest_gap(valid: NDArray[np.bool_], position: Days, length: int) -> Days:
    """Most days in a row without a value.

    Parameters
    ----------
    valid : array of bool [..., step]
    position : array of int [step; d]
        Days of the steps, from 0 to `length` - 1, in order; a day without step has no value.
    length : int

    Returns
    -------
    array of int [...; d]
    """
    edge = (*valid.shape[:-1], 1)
    at = np.concatenate(
        [np.full(edge, -1), np.where(valid, position, -1), np.full(edge, length)], axis=-1
    ).astype("int32")
    # Between a value and the one before it lie all days that have none.
    longest: Days = np.diff(np.maximum.accumulate(at, axis=-1), axis=-1).max(axis=-1).astype("int64") - 1
    return longest


def accepted(
    valid: NDArray[np.bool_],
    position: Days,
    length: int,
    *,
    whole: bool,
    max_missing_share: float,
    max_gap_days: int,
) -> tuple[NDArray[np.bool_], Array, Array]:
    """Whether a season has enough days, and how many are missing, in all and in a row.

    Parameters
    ----------
    valid, position, length
        As for `longest_gap`.
    whole : bool
        A season that the series does not cover is never accepted.
    max_missing_share : float [1]
    max_gap_days : int [d]

    Returns
    -------
    (array of bool, array, array) [...; 1, d, d]
    """
    missing = length - valid.sum(axis=-1)
    gap = longest_gap(valid, position, length)
    # The tolerance is for shares of whole days that binary fractions miss by a rounding error.
    enough = (missing <= max_missing_share * length + 1e-9) & (gap <= max_gap_days)
    return enough & whole, missing.astype("float64"), gap.astype("float64")
