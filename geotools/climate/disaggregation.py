"""Daily values from monthly means that have exactly these means again."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from geotools.climate.calendar import (
    MEAN_YEAR,
    ensure_field,
    ensure_months_along,
    holds_dates,
    month_lengths,
)
from geotools.climate.monthly_spline import day_weights, limited_ends, node_values
from geotools.errors import DataError, UsageError
from geotools.guards import Array, one_of
from geotools.metadata import VARIABLES, append_history

METHODS = ("spline", "constant")
_TOLD = {
    "spline": "daily means of the mean-preserving quadratic spline (Delhez 2003, doi:10.1016/S0893-9659(02)00176-8)",
    "constant": "the monthly mean on every day",
}


class _Months(NamedTuple):
    """The months of a field, in a row."""

    first: int  # counted from year 0, or the number of the first month of a mean year from 0
    lengths: Array  # [month; d]
    cyclic: bool


def daily_from_monthly(
    field: Any,
    *,
    time: Any = None,
    method: str = "spline",
    bounds: tuple[float, float] | None = None,
    dim: str = "time",
) -> Any:
    r"""Daily values whose means over every month are the monthly values given.

    Parameters
    ----------
    field : float array or xarray.DataArray [..., month; any units]
        Means of twelve months in a row, which are taken for a mean year that repeats, or of any other number of months
        in a row. The months are the last axis of a NumPy array of twelve, and begin with January.
    time : sequence of dates or xarray.DataArray, optional
        The days that are wanted, in any calendar, such as ``xarray.date_range("2001-01-01", "2020-12-31")``. By
        default all days of the months of `field`, which then must have dates.
    method : {"spline", "constant"}
        A mean-preserving spline, or the monthly mean on every day.
    bounds : (float, float), optional [units of `field`]
        What no day may leave. By default at least 0 for a DataArray with the name of a canonical variable that cannot
        be negative (`snd`, `snw`, `pr`), and none for others; ``(-inf, inf)`` takes them off.
    dim : str
        The dimension of the months of a DataArray.

    Returns
    -------
    array or xarray.DataArray [..., day; units of `field`]
        A DataArray has the days in the place of the months, under the name `dim`. Under dask one task makes one chunk
        of cells. The days of a missing month are missing, and no others.

    Raises
    ------
    UsageError
        When the steps of `field` are no months, or `time` holds no days or none of these months.
    DataError
        When a month is left out, or a monthly value lies outside the bounds.

    Notes
    -----
    Within month j, with s from 0 to 1, its mean m and nodes a and b at its ends,

    .. math:: x(s) = a + (6 m - 4 a - 2 b) s + (3 a + 3 b - 6 m) s^2

    has the mean m. The nodes make the slope continuous: this is the derivative of the cubic spline through the summed
    monthly amounts (Delhez 2003; Ruiz-Arias 2022), which has the smallest mean square slope of all curves with these
    means, as what the iteration of Rymes and Myers (2001) converges to. A value of the result is the mean of the curve
    over its day, so that the monthly means are exact in all calendars and leap years.

    Bounds are kept by moving nodes to where both parabolas stay within them (the condition of Fritsch and Carlson 1980
    on the summed amounts, as in the filter of Hyman 1983). There the curve is continuous but may have a kink, and it
    jumps only where neighbouring months leave nothing else.

    A mean year uses 28.25 days for February to place the nodes, the same in all years; a series begins and ends level.

    References
    ----------
    Rymes, M. D., & Myers, D. R. (2001). Sol. Energy 71, 225-231. doi:10.1016/S0038-092X(01)00052-4
    Delhez, E. J. M. (2003). Appl. Math. Lett. 16, 17-22. doi:10.1016/S0893-9659(02)00176-8
    Ruiz-Arias, J. A. (2022). Sol. Energy 248, 121-127. doi:10.1016/j.solener.2022.10.038
    Fritsch, F. N., & Carlson, R. E. (1980). SIAM J. Numer. Anal. 17, 238-246. doi:10.1137/0717021
    Hyman, J. M. (1983). SIAM J. Sci. Stat. Comput. 4, 645-654. doi:10.1137/0904045

    Examples
    --------
    >>> yakutsk = [-37.2, -33.0, -19.2, -4.5, 7.8, 16.5, 19.3, 15.1, 6.1, -7.5, -27.2, -36.9]
    >>> days = xr.date_range("2004-01-01", "2004-12-31")
    >>> daily = daily_from_monthly(yakutsk, time=days)
    >>> daily.shape, round(float(daily[31:60].mean()), 10)  # 29 days of February
    ((366,), -33.0)
    """
    one_of("method", method, METHODS)
    _ensure_bounds(bounds)
    if not isinstance(field, xr.DataArray):
        if isinstance(field, xr.Dataset):
            ensure_field("field", field)
        values = _numbers(field)
        if values.shape[-1:] != (12,):
            raise UsageError(
                f"an array of shape {values.shape}",
                where="argument 'field'",
                expected="the 12 months of a mean year on the last axis",
                todo="give a DataArray with dates for other months",
            )
        months = _Months(0, np.array(MEAN_YEAR), True)
        days = _days(time, dim)
        low, high = bounds if bounds is not None else (-np.inf, np.inf)
        return _daily(values, months, *_places(days, months), method, low, high)
    months = _months(field, dim)
    days = _days(time, dim) if time is not None else _all_days(field, dim)
    low, high = bounds if bounds is not None else _known_bounds(field)
    at = _places(days, months)
    plain = field.drop_vars([name for name, c in field.coords.items() if dim in c.dims])
    out: xr.DataArray = xr.apply_ufunc(
        lambda values: _daily(values, months, *at, method, low, high),
        plain.chunk({dim: -1}) if plain.chunks is not None else plain,
        input_core_dims=[[dim]],
        output_core_dims=[[dim]],
        exclude_dims={dim},
        dask="parallelized",
        output_dtypes=["float64"],
        dask_gufunc_kwargs={"output_sizes": {dim: days.size}},
        keep_attrs="override",
    )
    out = out.transpose(*field.dims).assign_coords({dim: days})
    if "cell_methods" in out.attrs:
        out.attrs["cell_methods"] = "area: mean time: mean"
    out.attrs = append_history(out.attrs, f"daily_from_monthly: {_TOLD[method]}{_bounds_text(low, high)}")
    return out


def _numbers(field: Any) -> Array:
    try:
        return np.asarray(field, dtype="float64")
    except (TypeError, ValueError):
        raise UsageError(
            f"a {type(field).__name__} that holds no numbers", where="argument 'field'", expected="numbers"
        ) from None


def _ensure_bounds(bounds: Any) -> None:
    try:
        if bounds is None or (bounds[0] < bounds[1] and len(bounds) == 2):
            return
    except (TypeError, IndexError, KeyError):
        pass
    raise UsageError(
        f"{bounds!r}",
        where="argument 'bounds'",
        expected="two numbers, the lower one first",
        todo="give (0, float('inf')) for what is only bounded below",
    )


def _bounds_text(low: float, high: float) -> str:
    return "" if np.isinf(low) and np.isinf(high) else f", within {low:g} to {high:g} (Hyman 1983)"


def _known_bounds(field: xr.DataArray) -> tuple[float, float]:
    known = VARIABLES.get(str(field.name))
    # Other limits of the plausible depend on units and must not bend a curve.
    return (0.0 if known and known.valid and known.valid[0] == 0.0 else -np.inf), np.inf


def _months(field: xr.DataArray, dim: str) -> _Months:
    """The months of a field, once it is sure that they are months in a row."""
    where = f"variable {field.name!r}, dimension {dim!r}"
    ensure_months_along(field, dim)
    size = field.sizes[dim]
    if dim not in field.coords:
        if size != 12:
            raise UsageError(
                f"{size} values and no coordinate",
                where=where,
                expected="the 12 months of a mean year, January first, or a coordinate of dates",
                todo="give the dimension its dates",
            )
        return _Months(0, np.array(MEAN_YEAR), True)
    time = field[dim]
    lengths = month_lengths(time).values
    dated = holds_dates(time)
    number = time.dt.year.values * 12 + time.dt.month.values - 1 if dated else time.values.astype(int) - 1
    step = np.diff(number)
    if np.any(step == 0):
        raise UsageError(
            "several steps lie in one month",
            where=where,
            expected="monthly means",
            todo=f"average first: field.resample({dim}='MS').mean()",
        )
    # A climatology may carry any years, and the twelve months of a mean year may begin with any month.
    cyclic = size == 12 and bool(np.all(step % 12 == 1))
    if cyclic:
        first = int(number[0]) % 12
        return _Months(first, np.roll(np.array(MEAN_YEAR), -first), True)
    if not dated or np.any(step != 1):
        raise DataError(
            f"{size} monthly values with months left out, repeated or out of order",
            where=where,
            expected="months in a row",
            todo=f"put in the missing ones as NaN: field.resample({dim}='MS').asfreq()",
        )
    return _Months(int(number[0]), lengths, False)


def _days(time: Any, dim: str) -> xr.DataArray:
    """The days that are wanted as a coordinate."""
    if time is None:
        raise UsageError(
            "no days",
            where="argument 'time'",
            expected="the days that are wanted, as a mean year has no dates",
            todo='give them, such as time=xarray.date_range("2001-01-01", "2020-12-31")',
        )
    if isinstance(time, xr.DataArray):
        days = time
    else:
        found = np.asarray(time)
        days = xr.DataArray(found, dims=[dim] * found.ndim if found.ndim < 2 else None)
    if days.ndim != 1 or not holds_dates(days):
        raise UsageError(
            f"{time!r}" if days.ndim != 1 else f"an array of type {days.dtype}",
            where="argument 'time'",
            expected="a sequence of dates",
            todo='give them, such as time=xarray.date_range("2001-01-01", "2020-12-31")',
        )
    days = xr.DataArray(days.values, dims=dim, attrs=days.attrs)
    step = np.diff(_stamps(days))
    if np.any(step < 0):
        at = int(np.argmax(step < 0))
        raise UsageError(
            f"{str(days.values[at + 1])[:10]} follows {str(days.values[at])[:10]}",
            where="argument 'time'",
            expected="days that grow",
            todo="sort them",
        )
    if np.any(step == 0):
        raise UsageError(
            "several steps lie in one day",
            where="argument 'time'",
            expected="days",
            todo="leave out the hours: one time per day",
        )
    return days


def _stamps(days: xr.DataArray) -> NDArray[np.int64]:
    when = days.dt
    return np.asarray((when.year * 12 + when.month) * 32 + when.day, dtype="int64")


def _all_days(field: xr.DataArray, dim: str) -> xr.DataArray:
    """All days of the months of a field, in its calendar."""
    time = field.coords.get(dim)
    # The dates of a climatology are those of some year that stands for many.
    if time is None or not holds_dates(time) or "climatology" in {*time.attrs, *time.encoding}:
        return _days(None, dim)
    calendar, plain = time.dt.calendar, np.issubdtype(time.dtype, np.datetime64)
    first, last = (f"{int(t.dt.year):04d}-{int(t.dt.month):02d}" for t in (time[0], time[-1]))
    end = int(time[-1].dt.days_in_month)
    index = xr.date_range(f"{first}-01", f"{last}-{end:02d}", calendar=calendar, use_cftime=not plain)
    return xr.DataArray(index, dims=dim, attrs={k: v for k, v in time.attrs.items() if k in _KEPT})


_KEPT = ("standard_name", "axis", "units_metadata")


def _places(days: xr.DataArray, months: _Months) -> tuple[Any, Any, Any]:
    """Month [day], day of the month from 0 [day], and length of the month [day] of the days that are wanted."""
    number = days.dt.year.values * 12 + days.dt.month.values - 1 - months.first
    count = months.lengths.size
    if months.cyclic:
        number = number % 12
    elif number.size and (number.min() < 0 or number.max() >= count):
        outside = (number < 0) | (number >= count)
        raise UsageError(
            f"{str(days.values[np.argmax(outside)])[:10]} lies outside the {count} months of the field",
            where="argument 'time'",
            expected="days of these months",
            todo="select them, or average the field to a mean year first: field.groupby('time.month').mean()",
        )
    return number, days.dt.day.values - 1, days.dt.days_in_month.values


def _daily(
    mean: Array, months: _Months, month: Any, day: Any, length: Any, method: str, low: float, high: float
) -> Array:
    """[..., day] from mean [..., month]."""
    mean = np.asarray(mean, dtype="float64")
    outside = (mean < low) | (mean > high)
    if outside.any():
        raise DataError(
            f"a monthly value of {float(mean[outside].flat[0]):g}",
            where="argument 'field'",
            expected=f"values from {low:g} to {high:g}",
            todo="mask fill values, or give other bounds",
        )
    if method == "constant":
        return mean[..., month]
    nodes = node_values(mean, months.lengths, months.cyclic)
    left, right = limited_ends(mean, nodes, low, high, months.cyclic)
    out = mean[..., month]
    for end, weight in zip((left, right), day_weights(day, length), strict=True):
        out += weight * (end - mean)[..., month]
    # Only what rounding puts outside.
    return np.clip(out, low, high, out=out)
