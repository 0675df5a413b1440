"""Annual means and sums, and the warmest and the coldest month, weighted with the lengths of the months."""

from __future__ import annotations

from typing import Any

import xarray as xr

from geotools.climate.calendar import by_month
from geotools.errors import UnitsError
from geotools.face import apply_core
from geotools.guards import Array, ensure_celsius
from geotools.metadata import Variable
from geotools.units import units_of

WARMEST_MONTH = Variable("warmest_month", "degC", "mean temperature of the warmest month", "air_temperature")
COLDEST_MONTH = Variable("coldest_month", "degC", "mean temperature of the coldest month", "air_temperature")
ANNUAL_AMPLITUDE = Variable(
    "annual_amplitude", "K", "half the range between the warmest and the coldest month"
)

_SECONDS = {"d-1": 1.0, "day-1": 1.0, "s-1": 86400.0}


def annual_mean(field: xr.DataArray, *, days_in_month: Any = None, dim: str = "time") -> xr.DataArray:
    r"""Mean of a year, every month weighted with its length.

    Parameters
    ----------
    field : xarray.DataArray [`dim`, ...; any units]
        Monthly means of a mean year, of any twelve months in a row, or of whole calendar years.
    days_in_month : sequence of float, optional
        Lengths of the months [d]; by default those of the calendar of `field`.
    dim : str
        The dimension of the months.

    Returns
    -------
    xarray.DataArray [(`year`,) ...; units of `field`]
        A missing month makes its year missing.

    Raises
    ------
    DataError, UsageError
        When `field` does not hold whole years of months.

    Notes
    -----
    .. math:: \bar{x} = \sum n_m x_m / \sum n_m
    """
    table, days = by_month(field, dim=dim, days=days_in_month)
    return _weighted(table, days, units_of(field), units_of(field), 0.0, "mean")


def annual_sum(field: xr.DataArray, *, days_in_month: Any = None, dim: str = "time") -> xr.DataArray:
    r"""Sum of a year of a rate, such as precipitation.

    Parameters
    ----------
    field : xarray.DataArray [`dim`, ...; a rate per day or second, such as kg m-2 d-1]
        Monthly means.
    days_in_month, dim
        As for `annual_mean`.

    Returns
    -------
    xarray.DataArray [(`year`,) ...; the units without the time, such as kg m-2]
        A missing month makes its year missing.

    Raises
    ------
    UnitsError
        When the units are no rate.
    DataError, UsageError
        When `field` does not hold whole years of months.

    Notes
    -----
    .. math:: X = \sum n_m x_m
    """
    units = units_of(field)
    parts = units.split()
    rates = [part for part in parts if part in _SECONDS]
    if len(rates) != 1:
        raise UnitsError(
            f"units {units!r} are no rate",
            where=f"variable {field.name!r}",
            expected="units that contain 'd-1' or 's-1', such as 'kg m-2 d-1'",
            todo="take annual_mean() for what is no rate, or convert monthly amounts to a rate first",
        )
    parts.remove(rates[0])
    table, days = by_month(field, dim=dim, days=days_in_month)
    return _weighted(table, days, units, " ".join(parts) or "1", _SECONDS[rates[0]], "sum")


def _weighted(
    table: xr.DataArray, days: xr.DataArray, units_in: str, units_out: str, factor: float, method: str
) -> xr.DataArray:
    attrs = table.attrs
    result = Variable(
        str(table.name or "field"),
        units_out,
        f"{method} of the year of {attrs.get('long_name', table.name or 'field')}",
        "" if method == "sum" else str(attrs.get("standard_name", "")),
        f"{attrs.get('cell_methods', 'area: mean')} time: {method}",
    )
    out: xr.DataArray = apply_core(
        _mean if method == "mean" else _sum,
        {"values": table, "days": days},
        units={"values": units_in, "days": "d"},
        returns=result,
        options={} if method == "mean" else {"factor": factor},
        core_dim="month",
        along=("values", "days"),
    )
    return out


def _mean(values: Array, days: Array) -> Array:
    """[...] from values [..., 12] and days [(...,) 12]."""
    return (values * days).sum(axis=-1) / days.sum(axis=-1)  # type: ignore[no-any-return]


def _sum(values: Array, days: Array, factor: float) -> Array:
    """[...] from rates per day or (factor 86400) per second [..., 12] and days [(...,) 12]."""
    return (values * days).sum(axis=-1) * factor  # type: ignore[no-any-return]


def monthly_extremes(tas: xr.DataArray, *, dim: str = "time") -> xr.Dataset:
    """Means of the warmest and the coldest month, and the annual amplitude.

    Parameters
    ----------
    tas : xarray.DataArray [`dim`, ...; temperature]
        Monthly means of a mean year, of any twelve months in a row, or of whole calendar years.
    dim : str
        The dimension of the months.

    Returns
    -------
    xarray.Dataset [(`year`,) ...]
        `warmest_month` and `coldest_month` [degC], and `annual_amplitude` [K], which is half the
        range. A missing month makes them missing.

    Raises
    ------
    UnitsError
        When a temperature is above 100 degC.
    DataError, UsageError
        When `tas` does not hold whole years of months.
    """
    table, _ = by_month(tas, dim=dim)
    out: xr.Dataset = apply_core(
        _extremes,
        {"tas": table},
        units={"tas": "degC"},
        returns=(WARMEST_MONTH, COLDEST_MONTH, ANNUAL_AMPLITUDE),
        core_dim="month",
        along=("tas",),
    )
    return out


def _extremes(tas: Array) -> tuple[Array, Array, Array]:
    """Three arrays [...] from tas [..., 12]."""
    ensure_celsius("tas", tas)
    warmest, coldest = tas.max(axis=-1), tas.min(axis=-1)
    return warmest, coldest, 0.5 * (warmest - coldest)
