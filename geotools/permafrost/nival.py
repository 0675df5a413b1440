"""How far the ground surface departs from the air in winter."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import numpy as np
import xarray as xr

from geotools.climate.calendar import by_month
from geotools.climate.daily_axis import accepted, daily_series, days_of, ensure_month, has_dates, seasons
from geotools.errors import DataError, UsageError
from geotools.face import apply_core
from geotools.guards import Array, ensure_celsius, ensure_range
from geotools.metadata import Variable

NIVAL_OFFSET = Variable(
    "nival_offset", "K", "mean temperature of the ground surface above that of the air in winter"
)
AIR_BELOW_ZERO = "air_below_zero"


def nival_offset(
    ground_surface_temperature: xr.DataArray,
    air_temperature: xr.DataArray,
    *,
    winter: str | Collection[int] = AIR_BELOW_ZERO,
    year_start_month: int = 7,
    max_missing_share: float = 0.05,
    max_gap_days: int = 10,
    dim: str = "time",
) -> xr.Dataset:
    """How much warmer the ground surface is than the air in winter, mostly through snow.

    Parameters
    ----------
    ground_surface_temperature, air_temperature : xarray.DataArray [`dim`, ...; temperature]
        At the same times: daily means, monthly means of the twelve months of a mean year, or monthly means with dates.
    winter : ``"air_below_zero"`` or collection of int
        What is winter: the days (or months) whose air is below 0 degC, or the months with these numbers. The
        result names it.
    year_start_month : int
        Month with which the twelve months begin of which the winter is a part.
    max_missing_share : float [1]
        Of a daily series, twelve months with a larger share of days that miss one of the temperatures are
        rejected. Of a monthly series, none may be missing.
    max_gap_days : int [d]
        So are those with more such days in a row.
    dim : str
        The dimension of the days or months.

    Returns
    -------
    xarray.Dataset [(year,) ...]
        `nival_offset` [K], NaN where a winter is rejected, is not wholly within the series, or has no day; and
        `winter_days` [d], the days (with data) it is the mean of. The year is that in which the twelve months
        begin; a mean year has none.

    Raises
    ------
    UnitsError
        When units cannot be converted to degC, or a temperature is above 100 degC.
    UsageError
        When the series are neither daily nor monthly, or there is no such winter.
    DataError
        When the series have different times, or dates are not in order.

    References
    ----------
    Smith, M. W., & Riseborough, D. W. (2002). Permafrost Periglac. Process. 13, 1-15. doi:10.1002/ppp.410

    Examples
    --------
    >>> air = xr.DataArray([-40.0, -35, -20, -5, 8, 17, 20, 15, 5, -9, -29, -39], dims="month", attrs={"units": "degC"})
    >>> ground = (0.5 * air).assign_attrs(units="degC")
    >>> nival_offset(ground, air, winter=[12, 1, 2], dim="month")["nival_offset"].round(2).item()
    19.05
    """
    months = _winter(winter)
    ensure_month("year_start_month", year_start_month)
    _ensure_pair(ground_surface_temperature, air_temperature, dim)
    fields = {"ground": ground_surface_temperature, "air": air_temperature}
    if _is_monthly(air_temperature, dim):
        out = _monthly(fields, months, year_start_month, dim)
    else:
        rules = {"max_missing_share": max_missing_share, "max_gap_days": max_gap_days}
        out = _daily(fields, months, year_start_month, rules, dim)
    kind = "air temperature below 0 degC" if months is None else "months " + ", ".join(map(str, months))
    for name in out:
        out[name].attrs["winter"] = kind
    return out


def _winter(winter: Any) -> tuple[int, ...] | None:
    """Numbers of the months, or None where the air decides."""
    months = tuple(winter) if isinstance(winter, Collection) and not isinstance(winter, str) else None
    known = winter == AIR_BELOW_ZERO if months is None else bool(months)
    known = known and all(month in range(1, 13) for month in months or ())
    if not known:
        raise UsageError(
            f"{winter!r} is no winter",
            where="option 'winter'",
            expected=f"{AIR_BELOW_ZERO!r} or numbers of months, such as [12, 1, 2]",
        )
    return months


def _ensure_pair(ground: Any, air: Any, dim: str) -> None:
    for name, field in (("ground_surface_temperature", ground), ("air_temperature", air)):
        if not isinstance(field, xr.DataArray) or dim not in field.dims:
            raise UsageError(
                f"the dimensions are {field.dims}"
                if isinstance(field, xr.DataArray)
                else f"a {type(field).__name__}",
                where=f"argument {name!r}",
                expected=f"a DataArray of daily or monthly means along {dim!r}",
                todo="name the dimension with dim=",
            )
    if not ground.get_index(dim).equals(air.get_index(dim)):
        raise DataError(
            f"{ground.sizes[dim]} and {air.sizes[dim]} values at different times",
            where="arguments 'ground_surface_temperature' and 'air_temperature'",
            expected="the same times",
            todo="keep those that both have: xarray.align(ground, air)",
        )


def _is_monthly(field: xr.DataArray, dim: str) -> bool:
    """Whether a series has about one value for every month; what is neither this nor daily is refused later."""
    if field.sizes[dim] == 12 or dim not in field.coords or not has_dates(field[dim]):
        return field.sizes[dim] == 12
    time = field[dim].dt
    steps = np.diff(12 * time.year.values + time.month.values)
    return bool(steps.size and np.median(steps) >= 1)


def _monthly(
    fields: dict[str, xr.DataArray], months: tuple[int, ...] | None, first: int, dim: str
) -> xr.Dataset:
    size = fields["air"].sizes[dim]
    if size == 12:
        return _mean_of_months(fields, months, dim)
    time = fields["air"][dim].dt
    begins = np.flatnonzero(time.month.values == first)
    begins = begins[begins + 12 <= size]
    if begins.size == 0:
        raise DataError(
            f"{size} months without twelve from month {first} on",
            where=f"dimension {dim!r}",
            expected="at least one whole year that begins with year_start_month",
        )
    table = [
        _mean_of_months(
            {k: f.isel({dim: slice(b, b + 12)}) for k, f in fields.items()}, months, dim
        ).assign_coords(year=time.year.values[b])
        for b in begins
    ]
    return _joined(table)


def _joined(table: list[xr.Dataset]) -> xr.Dataset:
    return xr.concat(table, "year", data_vars="all", coords="minimal", compat="override", join="exact")


def _mean_of_months(fields: dict[str, xr.DataArray], months: tuple[int, ...] | None, dim: str) -> xr.Dataset:
    if dim in fields["air"].coords:
        time = fields["air"][dim]
        number = time.values if np.issubdtype(time.dtype, np.number) else time.dt.month.values
    else:
        number = np.arange(1, 13)
    tables = {k: by_month(f, dim=dim) for k, f in fields.items()}
    return _apply(
        {k: table for k, (table, _) in tables.items()},
        "month",
        weight=tables["air"][1].values,
        inside=None if months is None else np.isin(number, months),
    )


def _daily(
    fields: dict[str, xr.DataArray],
    months: tuple[int, ...] | None,
    first: int,
    rules: dict[str, float],
    dim: str,
) -> xr.Dataset:
    ensure_range("max_missing_share", np.asarray(rules["max_missing_share"]), 0.0, 1.0, "1")
    ensure_range("max_gap_days", np.asarray(rules["max_gap_days"]), 0.0, 366.0, "d")
    days = daily_series(fields["air"], "air_temperature", dim)
    table = []
    for season in seasons(fields["air"][dim], days, first):
        parts = {k: days_of(f, season, dim) for k, f in fields.items()}
        number = parts["air"][0][dim].dt.month.values
        table.append(
            _apply(
                {k: values for k, (values, _) in parts.items()},
                dim,
                weight=np.ones(number.size),
                inside=None if months is None else np.isin(number, months),
                days={
                    "position": parts["air"][1],
                    "length": season.length,
                    "whole": season.whole,
                    **rules,
                },
            ).assign_coords(year=season.year)
        )
    return _joined(table)


def _apply(fields: dict[str, xr.DataArray], dim: str, **options: Any) -> xr.Dataset:
    out: xr.Dataset = apply_core(
        _offset,
        fields,
        units={"ground": "degC", "air": "degC"},
        returns=(NIVAL_OFFSET, Variable("winter_days", "d", "days of the winter with data")),
        options=options,
        core_dim=dim,
        along=("ground", "air"),
    )
    return out


def _offset(
    ground: Array,
    air: Array,
    weight: Array,
    inside: Any,
    days: dict[str, Any] | None = None,
) -> tuple[Array, Array]:
    """Offset and days of the winter [...] from temperatures [..., step] and the lengths of the steps [step]."""
    ensure_celsius("ground_surface_temperature", ground)
    ensure_celsius("air_temperature", air)
    difference = ground - air
    valid = ~np.isnan(difference)
    if days is None:
        enough = valid.all(axis=-1)
    else:
        enough, _, _ = accepted(valid, **days)
    winter = valid & ((air < 0.0) if inside is None else inside)
    total = (winter * weight).sum(axis=-1)
    summed = (np.where(winter, difference, 0.0) * weight).sum(axis=-1)
    mean = summed / np.where(total > 0.0, total, np.nan)
    return np.where(enough, mean, np.nan), np.where(enough, total, np.nan)
