"""Thawing and freezing degree-days from daily temperatures, season by season, with rules for missing days."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr

from geotools.climate.daily_axis import Days, Season, accepted, daily_series, days_of, ensure_month, seasons
from geotools.face import apply_core
from geotools.guards import Array, ensure_celsius, ensure_range
from geotools.metadata import VARIABLES, Variable

_MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)


def daily_degree_days(
    tas: xr.DataArray,
    *,
    year_start_month: int = 7,
    max_missing_share: float = 0.05,
    max_gap_days: int = 10,
    fill: bool = False,
    dim: str = "time",
) -> xr.Dataset:
    r"""Thawing and freezing degree-days of every year of a daily series.

    Thawing degree-days are those of the calendar year. Freezing degree-days are those of twelve months that begin
    in summer, so that they belong to one winter and one snow cover.

    Parameters
    ----------
    tas : xarray.DataArray [`dim`, ...; temperature]
        Daily means with dates (``datetime64`` or cftime of any calendar). A day that is absent from the dates is
        missing just like a NaN.
    year_start_month : int
        Month with which the year of the freezing degree-days begins. 1 makes it the calendar year: their
        difference is then the sum of the temperatures, and each joins the ends of two winters.
    max_missing_share : float [1]
        A season with a larger share of missing days is rejected.
    max_gap_days : int [d]
        So is one with more missing days in a row, counted within the season.
    fill : bool
        Multiply the sum of an accepted season with its days over its days with data. Otherwise the days with data
        are summed, and missing days count as 0 degC.
    dim : str
        The dimension of the days.

    Returns
    -------
    xarray.Dataset [year, ...]
        `thawing_degree_days` and `freezing_degree_days` [K d], both positive, by calendar year and by the year in
        which the winter begins. NaN in rejected seasons and in those that the series does not cover from the
        first to the last day. `thawing_missing_days`, `thawing_longest_gap`, `freezing_missing_days` and
        `freezing_longest_gap` [d] say how many days have no value, in all and in a row. Lazy where `tas` is;
        one year is worked on at a time.

    Raises
    ------
    UnitsError
        When the units cannot be converted to degC, or a temperature is above 100 degC.
    UsageError
        When the values are not daily, or `year_start_month` is no month.
    DataError
        When dates are not in order, or an option is out of its range.

    Notes
    -----
    .. math:: TDD = \sum \max(T_d, 0) \cdot 1\,d, \quad FDD = \sum \max(-T_d, 0) \cdot 1\,d

    so that TDD - FDD of the same days is the sum of T. Multiplying up takes a missing day for a mean day of the
    season, whatever the month it lies in.

    Examples
    --------
    >>> time = xr.date_range("2001-01-01", "2002-12-31")
    >>> tas = xr.where(time.month.isin([5, 6, 7, 8, 9]), 10.0, -20.0)
    >>> tas = xr.DataArray(tas, dims="time", coords={"time": time}, attrs={"units": "degC"})
    >>> out = daily_degree_days(tas)
    >>> out["thawing_degree_days"].values, out["freezing_degree_days"].values
    (array([1530., 1530.]), array([4240.,   nan]))
    """
    days = daily_series(tas, "tas", dim)
    ensure_month("year_start_month", year_start_month)
    ensure_range("max_missing_share", np.asarray(max_missing_share), 0.0, 1.0, "1", todo="give a share of 1")
    ensure_range("max_gap_days", np.asarray(max_gap_days), 0.0, 366.0, "d")
    rules = {"max_missing_share": max_missing_share, "max_gap_days": max_gap_days, "fill": fill}
    parts = []
    for name, sign, month in (("thawing", 1.0, 1), ("freezing", -1.0, year_start_month)):
        span = f"{_MONTHS[0]} to December" if month == 1 else _spelled(year_start_month)
        table = [_one(tas, name, sign, season, rules, dim, span) for season in seasons(tas[dim], days, month)]
        parts.append(
            xr.concat(table, "year", data_vars="all", coords="minimal", compat="override", join="exact")
        )
    out: xr.Dataset = xr.merge(parts, compat="override", join="exact")
    out.attrs["missing_days"] = (
        f"a season with more than {max_missing_share:.3g} of its days or more than {max_gap_days} days in a row "
        f"missing is rejected; {'sums multiplied up' if fill else 'days with data summed'} in the others"
    )
    return out


def _spelled(month: int) -> str:
    last = _MONTHS[(month + 10) % 12]
    return f"{_MONTHS[month - 1]} to {last} of the next year, under the year in which it begins"


def _one(
    tas: xr.DataArray, name: str, sign: float, season: Season, rules: dict[str, Any], dim: str, span: str
) -> xr.Dataset:
    """One season [...] of a daily series."""
    values, position = days_of(tas, season, dim)
    returns = (
        VARIABLES[f"{name}_degree_days"],
        Variable(f"{name}_missing_days", "d", f"days without value in the year of {name} degree-days"),
        Variable(f"{name}_longest_gap", "d", f"most such days in a row in the year of {name} degree-days"),
    )
    out: xr.Dataset = apply_core(
        _season,
        {"tas": values},
        units={"tas": "degC"},
        returns=returns,
        options={
            "sign": sign,
            "position": position,
            "length": season.length,
            "whole": season.whole,
            **rules,
        },
        core_dim=dim,
        along=("tas",),
    )
    for variable in returns:
        out[variable.name].attrs["season"] = span
    return out.assign_coords(year=season.year)


def _season(
    tas: Array,
    sign: float,
    position: Days,
    length: int,
    whole: bool,
    max_missing_share: float,
    max_gap_days: int,
    fill: bool,
) -> tuple[Array, Array, Array]:
    """Degree-days, missing days and longest gap [...] from tas [..., day]."""
    ensure_celsius("tas", tas)
    valid = ~np.isnan(tas)
    enough, missing, gap = accepted(
        valid, position, length, whole=whole, max_missing_share=max_missing_share, max_gap_days=max_gap_days
    )
    total = np.where(valid, np.maximum(sign * tas, 0.0), 0.0).sum(axis=-1)
    if fill:
        total = total * (length / np.maximum(length - missing, 1.0))
    return np.where(enough, total, np.nan), missing, gap
