"""Gaps of daily records, filled in a stated way and counted."""

from __future__ import annotations

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from geotools.errors import DataError, UsageError
from geotools.guards import Array
from geotools.metadata import append_history


def fill_daily_gaps(series: xr.DataArray, *, longest_interpolated: int = 10, window: int = 15) -> xr.Dataset:
    """Fill the gaps of a daily record so that it can force a model.

    Parameters
    ----------
    series : xarray.DataArray [time, any dims]
        Daily values; days that are missing are NaN, and days left out are put in.
    longest_interpolated : int
        Gaps of up to so many days are interpolated in time. Longer ones get the mean of their day of the year over
        all years.
    window : int
        Odd number of days of the year that this mean is taken over.

    Returns
    -------
    xarray.Dataset
        The series under its own name (``series`` if it has none), and `gap` [time, any dims; 1]: 0 observed, 1
        interpolated, 2 mean of the day of the year. Gaps at the ends are not interpolated. The history counts both.

    Raises
    ------
    UsageError
        When there is no time, or a number of days is out of its range.
    DataError
        When steps are not days, or a day of the year has no value in any year. A column without any value stays
        missing.

    Notes
    -----
    The mean of the day of the year has the right annual cycle and no weather: fit for forcing the ground below a
    metre, not for extremes.

    Examples
    --------
    >>> time = xr.date_range("2001-01-01", periods=4)
    >>> air = xr.DataArray([1.0, np.nan, np.nan, 4.0], dims="time", coords={"time": time}, name="tas")
    >>> fill_daily_gaps(air)["tas"].values.tolist()
    [1.0, 2.0, 3.0, 4.0]
    """
    if "time" not in series.dims or "time" not in series.coords:
        raise UsageError(f"dimensions {series.dims}", where="argument 'series'", expected="a dimension time")
    if window < 1 or window % 2 == 0 or longest_interpolated < 0:
        raise UsageError(
            f"window {window}, longest_interpolated {longest_interpolated}",
            where="fill_daily_gaps",
            expected="an odd window, and a length of 0 or more",
        )
    steps = np.diff(series["time"].values) / np.timedelta64(1, "D")
    if steps.size == 0 or np.any(steps <= 0) or np.any(steps != np.floor(steps)):
        raise DataError(
            "times that do not grow by whole days",
            where="coordinate 'time'",
            expected="daily values",
            todo="take daily means first: series.resample(time='1D').mean()",
        )
    daily = series.resample(time="1D").asfreq() if steps.max() > 1 else series
    order = [*(d for d in daily.dims if d != "time"), "time"]
    values = np.array(daily.transpose(*order).values, dtype="float64")
    shape = values.shape
    flat = values.reshape(-1, shape[-1])
    kind = np.zeros(flat.shape, dtype="int8")
    day = np.asarray(daily["time"].dt.dayofyear.values) - 1
    for column, marks in zip(flat, kind, strict=True):
        if not np.isnan(column).all():
            _fill(column, marks, day, longest_interpolated, window)
    name = str(series.name or "series")
    filled = daily.transpose(*order).copy(data=flat.reshape(shape)).transpose(*daily.dims)
    gap = daily.transpose(*order).copy(data=kind.reshape(shape)).transpose(*daily.dims)
    gap.attrs = {
        "long_name": f"how a value of {name} was found",
        "flag_values": np.array([0, 1, 2], dtype="int8"),
        "flag_meanings": "observed interpolated mean_of_day_of_year",
    }
    filled.attrs = dict(series.attrs)
    note = (
        f"{int((kind == 1).sum())} values in gaps of up to {longest_interpolated} d interpolated, "
        f"{int((kind == 2).sum())} set to the mean of their day of the year over {window} d"
    )
    return xr.Dataset({name: filled, "gap": gap}, attrs=append_history({}, note))


def _fill(column: Array, marks: NDArray[np.int8], day: NDArray[np.int64], longest: int, window: int) -> None:
    """Fill one column [time] in place."""
    missing = np.isnan(column)
    bounds = np.flatnonzero(np.diff(np.concatenate([[0], missing.astype("int8"), [0]])))
    known = np.flatnonzero(~missing)
    usual = _usual(column, day, window) if missing.any() else np.empty(0)
    for start, stop in zip(bounds[::2], bounds[1::2], strict=True):
        inside = np.arange(start, stop)
        if stop - start <= longest and start > 0 and stop < column.size:
            column[inside] = np.interp(inside, known, column[known])
            marks[inside] = 1
            continue
        column[inside], marks[inside] = usual[day[inside]], 2
        if np.isnan(column[inside]).any():
            raise DataError(
                f"a gap of {stop - start} days with a day of the year that has no value in any year",
                where="argument 'series'",
                expected="a record of whole years",
                todo="take a longer record, or a wider window",
            )


def _usual(column: Array, day: NDArray[np.int64], window: int) -> Array:
    """Mean of each day of the year [366] over a window of days that goes round the year."""
    known = ~np.isnan(column)
    total = np.bincount(day[known], column[known], minlength=366)
    count = np.bincount(day[known], minlength=366).astype("float64")
    half = window // 2
    around = (np.arange(366)[:, None] + np.arange(-half, half + 1)) % 366
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(total[around].sum(axis=1) / count[around].sum(axis=1))
