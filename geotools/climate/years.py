"""Daily forcing of many years, lazily and year by year."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import xarray as xr

from geotools.climate.calendar import (
    days_of_year,
    ensure_field,
    ensure_years,
    is_series,
    lengths_of_months,
    mean_year,
    pick,
    whole_years,
)
from geotools.climate.disaggregation import daily_from_monthly
from geotools.errors import DataError, UsageError
from geotools.metadata import append_history


def daily_years(
    monthly: xr.DataArray,
    years: Iterable[int] | None = None,
    *,
    calendar: str = "standard",
    method: str = "spline",
    bounds: tuple[float, float] | None = None,
) -> xr.DataArray:
    """Daily values of many years from a mean year, or from one mean year for each of them.

    Parameters
    ----------
    monthly : xarray.DataArray [(year,) month, any dims; any units]
        As from `apply_change`; the months may also be dated.
    years : sequence of int, optional
        By default those of `monthly`; a mean year needs them.
    calendar : str
        Of the days.
    method, bounds
        As for `daily_from_monthly`.

    Returns
    -------
    xarray.DataArray [time, any dims; units of `monthly`]
        Always lazy, in one chunk per year: what works year by year needs the memory of one.

    Raises
    ------
    UsageError, DataError
        When years are missing, and as `daily_from_monthly` does.

    Notes
    -----
    In each year December joins January of the same year, so that a year does not need its neighbours. With a steady
    change a step of a year's worth of it stays at New Year. Real months of single years are better given to
    `daily_from_monthly` as one series.
    """
    ensure_field("monthly", monthly)
    if years is None:
        if "year" not in monthly.coords:
            raise UsageError(
                "no years",
                where="argument 'years'",
                expected="the years that are wanted",
                todo="years=range(2001, 2101)",
            )
        years = monthly["year"].values
    when = whole_years(years)
    if "year" in monthly.dims:
        ensure_years(monthly["year"], when, "argument 'monthly'")
        field = monthly if "month" in monthly.dims else monthly.rename(time="month")
    else:
        field = mean_year(monthly, "month" if "month" in monthly.dims else "time")
    field = field if field.chunks is not None else field.chunk()
    parts = []
    for year in when:
        part = field.sel(year=int(year), drop=True) if "year" in field.dims else field
        days = days_of_year(int(year), calendar)
        parts.append(daily_from_monthly(part.rename(month="time"), time=days, method=method, bounds=bounds))
    out: xr.DataArray = xr.concat(parts, "time", coords="minimal", compat="override", join="exact")
    return out.transpose("time", ...)


def repeat_days(daily: xr.DataArray, years: Iterable[int], *, calendar: str = "standard") -> xr.DataArray:
    """A daily record repeated over other years: the first year again after the last.

    Parameters
    ----------
    daily : xarray.DataArray [time, any dims; any units]
        Whole calendar years without gaps.
    years : sequence of int
        Growing.
    calendar : str
        Of the result. A day that the repeated year does not have, such as 29 February, gets the value of the last day
        before it.

    Returns
    -------
    xarray.DataArray [time, any dims; units of `daily`]
        Always lazy, in one chunk per year.

    Raises
    ------
    DataError
        When `daily` does not hold whole years of days.
    UsageError
        When it has no dates, or years do not grow.
    """
    ensure_field("daily", daily)
    if not is_series(daily, "time"):
        raise UsageError(
            f"dimensions {daily.dims} without dates along 'time'",
            where="argument 'daily'",
            expected="daily values with dates",
            todo="make them of a mean year with daily_years",
        )
    when, stamps = whole_years(years), daily["time"].dt
    have = np.unique(stamps.year.values)
    if daily.sizes["time"] != int(sum(stamps.days_in_year.values[stamps.year.values == y][0] for y in have)):
        raise DataError(
            f"{daily.sizes['time']} steps in the years {have[0]} to {have[-1]}",
            where="argument 'daily'",
            expected="every day of whole calendar years",
            todo="fill the gaps, and select whole years: daily.sel(time=slice('1991', '2020'))",
        )
    begins = {int(y): int(np.argmax(stamps.year.values == y)) for y in have}
    plain = daily.chunk() if daily.chunks is None else daily
    parts = []
    for number, year in enumerate(when):
        source = int(have[number % have.size])
        days = days_of_year(int(year), calendar)
        lengths = np.array(lengths_of_months(source, stamps.calendar))
        month, day = days.dt.month.values - 1, days.dt.day.values - 1
        at = (np.cumsum(lengths) - lengths)[month] + np.minimum(day, lengths[month] - 1)
        part = plain.isel(time=slice(begins[source], begins[source] + int(lengths.sum())))
        parts.append(pick(part, "time", at, "time").assign_coords(time=days))
    out: xr.DataArray = xr.concat(parts, "time", coords="minimal", compat="override", join="exact")
    out.attrs = append_history(
        daily.attrs, f"repeat_days: {have[0]} to {have[-1]} for {when[0]} to {when[-1]}"
    )
    return out
