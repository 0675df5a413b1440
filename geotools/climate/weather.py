"""Day-to-day weather on top of a smooth daily series, without a change of its monthly means."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
import xarray as xr
from scipy.signal import lfilter

from geotools.climate.calendar import ensure_field, holds_dates, lengths_of_months
from geotools.climate.monthly_spline import day_weights, node_values
from geotools.errors import DataError, UnitsError, UsageError
from geotools.guards import Array, ensure_range
from geotools.metadata import append_history
from geotools.units import conversion, convert, units_of

# Of daily mean air temperatures less their season at Verkhoyansk, Zhigansk and Yakutsk, 1970-2020: 0.75, 0.79, 0.78.
AUTOCORRELATION = 0.77


def add_weather(
    daily: xr.DataArray, sd: Any, *, seed: int, autocorrelation: float = AUTOCORRELATION, dim: str = "time"
) -> xr.DataArray:
    r"""Daily temperatures with weather added; the mean of every month stays as it was.

    For what hangs on days on both sides of 0 degC, such as degree-days of spring and autumn. All cells have the same
    weather, so that neighbours do not part.

    Parameters
    ----------
    daily : xarray.DataArray [day, any dims; temperature]
        Such as `daily_from_monthly` gives.
    sd : float or xarray.DataArray [K]
        Standard deviation of daily values about the mean of their month that is due to weather. A DataArray may vary
        over cells, and with a dimension `month` (1 to 12) over the year. Yakutsk has 5 K in winter and 3 K in summer.
    seed : int
        The same seed gives the same weather on the same date, whatever other days are asked for.
    autocorrelation : float [1]
        Of one day with the next.
    dim : str
        The dimension of the days.

    Returns
    -------
    xarray.DataArray [same dims; units of `daily`]
        Lazy where `daily` is.

    Raises
    ------
    UsageError
        When `daily` has no dates.
    UnitsError
        When its units are no temperature, or those of `sd` no difference of temperatures.
    DataError
        When `sd` is negative, or the autocorrelation not from 0 to below 1.

    Notes
    -----
    Every calendar year by itself has a first-order autoregressive series of normal variates. The mean-preserving
    spline through its own monthly means is taken off, and every month is scaled to the standard deviation 1 that is
    expected of it then. Between 31 December and 1 January days are not correlated.

    Examples
    --------
    >>> from geotools.climate import daily_from_monthly
    >>> months = xr.DataArray([-37.2, -33.0, -19.2, -4.5, 7.8, 16.5, 19.3, 15.1, 6.1, -7.5, -27.2, -36.9], dims="time")
    >>> smooth = daily_from_monthly(months.assign_attrs(units="degC"), time=xr.date_range("2001-01-01", "2001-12-31"))
    >>> daily = add_weather(smooth, 4.0, seed=1)
    >>> bool(abs(daily - smooth).max() > 5), round(float(daily.sel(time="2001-04").mean()), 10)
    (True, -4.5)
    """
    ensure_field("daily", daily)
    if isinstance(seed, bool) or not isinstance(seed, int | np.integer) or seed < 0:
        raise UsageError(f"{seed!r}", where="argument 'seed'", expected="a whole number, at least 0")
    ensure_range("autocorrelation", np.array(autocorrelation), 0.0, 0.999, "1")
    if dim not in daily.dims or dim not in daily.coords or not holds_dates(daily[dim]):
        raise UsageError(
            f"dimensions {daily.dims} without dates along {dim!r}",
            where=f"variable {daily.name!r}",
            expected="daily values with dates",
            todo="make them with daily_from_monthly first",
        )
    units = units_of(daily)
    convert(daily.isel({dim: slice(0)}), "degC")  # refuses what is no temperature
    spread = _spread(sd)
    if not isinstance(spread, xr.DataArray) or spread.chunks is None:
        ensure_range("sd", np.asarray(spread), 0.0, 30.0, "K")
    months = daily[dim].dt.month.drop_vars(dim)
    if isinstance(spread, xr.DataArray) and "month" in spread.dims:
        if set(np.asarray(spread["month"])) != set(range(1, 13)):
            raise DataError(
                f"months {np.asarray(spread['month']).tolist()}",
                where="argument 'sd'",
                expected="a coordinate 'month' from 1 to 12",
                todo="assign it: sd.assign_coords(month=range(1, 13))",
            )
        spread = spread.sel(month=months).drop_vars("month")
    noise = _noise(daily[dim], seed, autocorrelation, dim)
    out: xr.DataArray = (daily + spread * noise).transpose(*daily.dims)
    told = f"{sd:g} K" if isinstance(sd, int | float) else "given as a field"
    out.attrs = append_history(
        {**daily.attrs, "units": units},
        f"add_weather: AR(1) noise, lag-1 autocorrelation {autocorrelation:g}, standard deviation {told}, seed {seed}; "
        "monthly means as before",
    )
    return out.rename(daily.name)


def _spread(sd: Any) -> Any:
    """A standard deviation in kelvins."""
    if isinstance(sd, xr.DataArray):
        if conversion(units_of(sd), "K")[1] != 0.0:
            raise UnitsError(
                f"units {units_of(sd)!r}",
                where="argument 'sd'",
                expected="a difference, in 'K'",
                todo="set the units to 'K', as a difference must not be shifted by 273.15",
            )
        return convert(sd, "K")
    if isinstance(sd, bool) or not isinstance(sd, int | float | np.number):
        raise UsageError(f"{sd!r}", where="argument 'sd'", expected="a number [K] or a DataArray")
    return float(sd)


def _noise(time: xr.DataArray, seed: int, autocorrelation: float, dim: str) -> xr.DataArray:
    """Weather with the standard deviation 1 on the days of a coordinate."""
    years, days = time.dt.year.values, time.dt.dayofyear.values - 1
    values = np.empty(time.size)
    for year in np.unique(years):
        here = years == year
        lengths = lengths_of_months(int(year), time.dt.calendar)
        values[here] = _year(seed, int(year), lengths, autocorrelation)[days[here]]
    return xr.DataArray(values, dims=dim)


def _year(seed: int, year: int, lengths: tuple[int, ...], autocorrelation: float) -> Array:
    """Weather of a calendar year [day; 1]."""
    draws = np.random.default_rng([seed, year]).standard_normal(sum(lengths))
    draws[1:] *= np.sqrt(1.0 - autocorrelation**2)
    raw = lfilter([1.0], [1.0, -autocorrelation], draws)
    smooth, scale = _operator(lengths, autocorrelation)
    return np.asarray((raw - smooth @ raw) * scale)


@lru_cache(maxsize=16)
def _operator(lengths: tuple[int, ...], autocorrelation: float) -> tuple[Array, Array]:
    """The spline of the monthly means as a matrix [day, day], and what makes the rest one of standard deviation 1."""
    days = np.array(lengths)
    month = np.repeat(np.arange(12), days)
    day = np.arange(month.size) - np.repeat(np.cumsum(days) - days, days)
    means = (month == np.arange(12)[:, None]) / days[:, None]
    nodes = node_values(np.eye(12), days.astype("float64"), cyclic=True)
    spline = np.eye(12)[:, month]
    for end, weight in zip((nodes[:, :-1], nodes[:, 1:]), day_weights(day, days[month]), strict=True):
        spline = spline + weight * (end - np.eye(12))[:, month]
    smooth = spline.T @ means
    apart = np.abs(np.subtract.outer(np.arange(month.size), np.arange(month.size)))
    rest = np.eye(month.size) - smooth
    variance = np.einsum("ij,ij->i", rest @ autocorrelation**apart, rest)
    return smooth, 1.0 / np.sqrt((means @ variance)[month])
