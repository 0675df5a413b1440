"""Months: their lengths in the data's own calendar, and a monthly series laid out by year and month."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from typing import Any

import numpy as np
import xarray as xr

from geotools.errors import DataError, UsageError
from geotools.guards import one_of

_COMMON = (31.0, 28.0, 31.0, 30.0, 31.0, 30.0, 31.0, 31.0, 30.0, 31.0, 30.0, 31.0)
# February of a mean year: three years of 28 days and one of 29.
MEAN_YEAR = (31.0, 28.25, *_COMMON[2:])
_MEAN_YEAR_OF = {
    "noleap": _COMMON,
    "365_day": _COMMON,
    "all_leap": (31.0, 29.0, *_COMMON[2:]),
    "366_day": (31.0, 29.0, *_COMMON[2:]),
    "360_day": (30.0,) * 12,
}


def month_lengths(time: xr.DataArray) -> xr.DataArray:
    """Lengths of the months of a time coordinate, in its own calendar.

    Parameters
    ----------
    time : xarray.DataArray [one dimension]
        Dates (``datetime64`` or cftime), or the month numbers 1 to 12 of a mean year. Dates with a
        `climatology` attribute stand for a mean year.

    Returns
    -------
    xarray.DataArray [same dimension; d]
        In a mean year of the standard calendar February has 28.25 days and the year 365.25.

    Raises
    ------
    UsageError
        When the coordinate holds neither dates nor month numbers.

    Examples
    --------
    >>> month_lengths(xr.DataArray([1, 2, 12], dims="month")).values
    array([31.  , 28.25, 31.  ])
    >>> dates = xr.DataArray(np.array(["2003-02-15", "2004-02-15"], "datetime64[ns]"), dims="time")
    >>> month_lengths(dates).values
    array([28., 29.])
    """
    if holds_dates(time):
        if "climatology" in time.attrs or "climatology" in time.encoding:
            table = np.array(_MEAN_YEAR_OF.get(time.dt.calendar, MEAN_YEAR))
            days = table[time.dt.month.values - 1]
        else:
            days = time.dt.days_in_month.values.astype("float64")
    elif np.issubdtype(time.dtype, np.number) and np.isin(time.values, np.arange(1, 13)).all():
        days = np.array(MEAN_YEAR)[time.values.astype(int) - 1]
    else:
        raise UsageError(
            f"a coordinate of type {time.dtype} is no calendar",
            where=f"coordinate {time.name!r}",
            expected="dates, or the month numbers 1 to 12",
            todo="decode the times, or give days_in_month",
        )
    return xr.DataArray(days, dims=time.dims, attrs={"units": "d", "long_name": "length of the month"})


def holds_dates(time: xr.DataArray) -> bool:
    """Whether a coordinate holds dates, of whichever calendar."""
    if np.issubdtype(time.dtype, np.datetime64):
        return True
    return time.dtype == object and time.size > 0 and hasattr(time.values.flat[0], "calendar")


_CALENDARS = ("standard", "gregorian", "proleptic_gregorian", "julian", *_MEAN_YEAR_OF)


def ensure_field(name: str, value: Any) -> None:
    """Refuse what is no DataArray.

    Raises
    ------
    UsageError
    """
    if not isinstance(value, xr.DataArray):
        raise UsageError(
            f"a {type(value).__name__}",
            where=f"argument {name!r}",
            expected="a DataArray",
            todo="take one variable: dataset['tas']"
            if isinstance(value, xr.Dataset)
            else "wrap it: xarray.DataArray(values, dims=..., coords=..., attrs={'units': ...})",
        )


def days_of_year(year: int, calendar: str = "standard") -> xr.DataArray:
    """The days of a calendar year as a coordinate ``time``.

    Raises
    ------
    UsageError
        When there is no such calendar.
    """
    one_of("calendar", calendar, _CALENDARS)
    months = lengths_of_months(year, calendar)
    return xr.DataArray(
        xr.date_range(f"{year:04d}-01-01", periods=sum(months), calendar=calendar), dims="time"
    )


@lru_cache(maxsize=1024)
def lengths_of_months(year: int, calendar: str = "standard") -> tuple[int, ...]:
    """Days of the months of a calendar year."""
    months = xr.date_range(f"{year:04d}-01-01", periods=12, freq="MS", calendar=calendar)
    return tuple(xr.DataArray(months, dims="time").dt.days_in_month.values.tolist())


def ensure_months_along(field: xr.DataArray, dim: str) -> None:
    """Refuse a field without the dimension that is said to hold its months."""
    if dim not in field.dims:
        raise UsageError(
            f"the dimensions are {field.dims}",
            where=f"variable {field.name!r}",
            expected=f"monthly values along {dim!r}",
            todo="name the dimension of the months with dim=",
        )


def by_month(
    field: xr.DataArray, *, dim: str = "time", days: Any = None
) -> tuple[xr.DataArray, xr.DataArray]:
    """A monthly series with the dimension `month`, and `year` when it has more than one.

    Parameters
    ----------
    field : xarray.DataArray [`dim`, ...; any units]
        Monthly values of a mean year, of any twelve months in a row, or of whole calendar years.
    dim : str
        The dimension of the months.
    days : sequence of float or xarray.DataArray, optional
        Lengths of the months; by default those of the coordinate, and without coordinate those of a mean
        year.

    Returns
    -------
    (xarray.DataArray, xarray.DataArray) [(`year`,) `month`, ...]
        The values and the lengths of the months [d].

    Raises
    ------
    UsageError
        When the steps are no months.
    DataError
        When a month is missing or out of order.
    """
    ensure_months_along(field, dim)
    size = field.sizes[dim]
    months, years = _months_and_years(field, dim)
    if days is None:
        lengths = month_lengths(field[dim] if dim in field.coords else xr.DataArray(months, dims=dim)).values
    else:
        lengths = np.asarray(days, dtype="float64")
        if lengths.shape != (size,):
            raise UsageError(
                f"{lengths.size} lengths of months for {size} months",
                where="argument 'days_in_month'",
                expected="one length for every month",
            )
    field = field.drop_vars(
        [
            n
            for n, c in field.coords.items()
            if dim in c.dims or (n in ("year", "month") and n not in field.dims)
        ]
    )
    if size == 12:
        return field.rename({dim: "month"}), _days(lengths, ("month",))
    if field.chunks is not None and any(c % 12 for c in field.chunksizes[dim]):
        field = field.chunk({dim: 12})
    table = field.coarsen({dim: 12}).construct({dim: ("year", "month")}, keep_attrs=True)
    return table.assign_coords(year=years[::12]), _days(
        lengths.reshape(-1, 12), ("year", "month"), years[::12]
    )


def _days(values: Any, dims: tuple[str, ...], years: Any = None) -> xr.DataArray:
    coords = {} if years is None else {"year": years}
    return xr.DataArray(values, dims=dims, coords=coords, attrs={"units": "d"})


def _months_and_years(field: xr.DataArray, dim: str) -> tuple[Any, Any]:
    size, where = field.sizes[dim], f"variable {field.name!r}, dimension {dim!r}"
    if dim not in field.coords:
        if size != 12:
            raise UsageError(
                f"{size} values and no coordinate",
                where=where,
                expected="the 12 months of a mean year, January first, or a coordinate of dates",
                todo="give the dimension its dates",
            )
        return np.arange(1, 13), np.zeros(12, dtype=int)
    time = field[dim]
    if holds_dates(time):
        months, years = time.dt.month.values, time.dt.year.values
    else:
        months, years = time.values, np.zeros(size, dtype=int)
    step = np.diff(months) + 12 * np.diff(years)
    if np.any(step == 0):
        raise UsageError(
            "several steps lie in one month",
            where=where,
            expected="monthly means",
            todo=f"average first: field.resample({dim}='MS').mean()",
        )
    # A climatology may carry any years, and the twelve months of a mean year may begin with any month.
    in_a_row = np.all(np.diff(months) % 12 == 1) if size == 12 else np.all(step == 1)
    whole = size == 12 or (size % 12 == 0 and size > 0 and months[0] == 1)
    if not (in_a_row and whole):
        raise DataError(
            f"{size} monthly values that are not whole calendar years without gaps, in order",
            where=where,
            expected="January to December of every year",
            todo=f"select whole years, such as field.sel({dim}=slice('1991', '2020')), or take one year at a "
            f"time with field.groupby('{dim}.year'), or average to a mean year with "
            f"field.groupby('{dim}.month').mean()",
        )
    return months, years


def is_series(field: xr.DataArray, dim: str) -> bool:
    """Whether a field is a series with dates and no mean year."""
    return dim in field.coords and field.sizes.get(dim) != 12 and holds_dates(field[dim])


def mean_year(field: xr.DataArray, dim: str) -> xr.DataArray:
    """Twelve months of a mean year with the dimension `month`, January first.

    Raises
    ------
    DataError, UsageError
        When there are not twelve months in a row.
    """
    if "month" in field.dims:
        dim = "month"
    if field.sizes.get(dim) != 12:
        raise UsageError(
            f"{field.sizes.get(dim, 0)} months along {dim!r}",
            where=f"variable {field.name!r}",
            expected="the twelve months of a mean year",
            todo=f"average first: field.groupby('{dim}.month').mean()",
        )
    table, _ = by_month(field, dim=dim)
    first = 1
    if dim in field.coords:
        first = int(field[dim].dt.month[0]) if holds_dates(field[dim]) else int(field[dim][0])
    numbers = (np.arange(12) + first - 1) % 12 + 1
    return table.assign_coords(month=numbers).sortby("month")


def pick(field: xr.DataArray, dim: str, at: Any, to: str) -> xr.DataArray:
    """Steps of a dimension, in any order and repeated, along a dimension `to` without coordinate.

    Of a lazy field in one task per chunk, where indexing would cut it into many.
    """
    plain = field.drop_vars([name for name, c in field.coords.items() if dim in c.dims])
    out: xr.DataArray = xr.apply_ufunc(
        lambda values: values[..., at],
        plain.chunk({dim: -1}) if plain.chunks is not None else plain,
        input_core_dims=[[dim]],
        output_core_dims=[[to]],
        exclude_dims={dim},
        dask="parallelized",
        output_dtypes=[field.dtype],
        dask_gufunc_kwargs={"output_sizes": {to: len(at)}},
        keep_attrs="override",
    )
    return out.transpose(*(to if d == dim else d for d in field.dims))


def whole_years(years: Iterable[int]) -> Any:
    """Calendar years as an array, once it is sure that they grow.

    Raises
    ------
    UsageError
    """
    when = np.asarray(list(years) if isinstance(years, Iterable) else years)
    if (
        when.ndim != 1
        or when.size == 0
        or not np.issubdtype(when.dtype, np.integer)
        or np.any(np.diff(when) <= 0)
    ):
        raise UsageError(
            f"years {when.ravel().tolist()[:5]}",
            where="argument 'years'",
            expected="calendar years that grow, such as range(2001, 2101)",
        )
    return when.astype("int64")


def ensure_years(have: xr.DataArray, want: Any, where: str) -> None:
    """Refuse a field that lacks years that are wanted.

    Raises
    ------
    UsageError
    """
    missing = np.setdiff1d(want, have.values)
    if missing.size:
        raise UsageError(
            f"no year {missing[0]}" + (f" and {missing.size - 1} more" if missing.size > 1 else ""),
            where=where,
            expected=f"all years from {want[0]} to {want[-1]}",
            todo="give the pathway for every year of the projection",
        )
