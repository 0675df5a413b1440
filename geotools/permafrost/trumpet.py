"""Trumpet curves: the lowest, mean and highest temperature of the year at each depth."""

from __future__ import annotations

import numpy as np
import xarray as xr

from geotools.errors import DataError
from geotools.guards import Array, ensure_celsius, ensure_range
from geotools.metadata import Variable
from geotools.permafrost.column_statistics import ZERO_AMPLITUDE, _depths, _profile, _shallowest_calm

_SOIL = "soil_temperature"
_CURVES = {
    name: Variable(f"tsl_{name}", "degC", words, _SOIL, f"time: {method}")
    for name, words, method in (
        ("minimum", "lowest temperature in complete years", "minimum"),
        ("mean", "mean temperature of complete years", "mean"),
        ("maximum", "highest temperature in complete years", "maximum"),
    )
}
_MAGT = Variable("magt", "degC", "mean annual ground temperature at magt_depth", _SOIL, "time: mean")
_DAY = np.timedelta64(1, "D")


def trumpet_curve(
    temperature: xr.DataArray, *, max_missing: float = 0.0, tolerance: float = 0.1
) -> xr.Dataset:
    """Lowest, mean and highest temperature over complete years, and what follows from them.

    Parameters
    ----------
    temperature : xarray.DataArray [time, depth, any dims; its units]
        Daily or more often; the coordinate ``depth`` in m, positive down.
    max_missing : float
        Share of the days of a year that may be missing at a depth. Missing days may hide the extremes.
    tolerance : float
        Range of the year that counts as none [K], for the depth of zero annual amplitude.

    Returns
    -------
    xarray.Dataset
        Over the years that are complete at a depth: tsl_minimum and tsl_maximum, the extremes of daily means, and
        tsl_mean [depth, any dims; degC], with complete_years [depth, any dims]; NaN where there is no such year.
        zero_annual_amplitude_depth [any dims; m] from the mean range of the years, NaN where the deepest sensor
        varies more. magt [any dims; degC], the mean temperature at magt_depth [any dims; m]: the depth of zero annual
        amplitude where it is reached, and otherwise the deepest depth that has a complete year.

    Raises
    ------
    UsageError
        When ``time`` or ``depth`` are missing.
    DataError
        When no year is complete at any depth, or depths do not grow.
    UnitsError
        When temperatures cannot be degC.

    Notes
    -----
    Years are those of the calendar. Depths with different years are not of one time: `complete_years` tells.
    """
    ensure_range("max_missing", np.asarray(max_missing, dtype="float64"), 0.0, 1.0, "1")
    ensure_range("tolerance", np.asarray(tolerance, dtype="float64"), 0.0, 10.0, "K", above=True)
    field = _profile(temperature, "time", "depth").load()
    depths = _depths(field)
    ensure_celsius("temperature", field.values)
    daily = _daily(field)
    year = daily["time"].dt.year.rename("year")
    length = daily["time"].dt.days_in_year.groupby(year).first()
    days = daily.notnull().groupby(year).sum()
    complete = days >= (1.0 - max_missing) * length - 1e-9
    if not bool(complete.any()):
        most = float((days / length).max())
        raise DataError(
            f"no complete year: at most {100 * most:.0f} % of the days of one at one depth",
            where="argument 'temperature'",
            expected="at least one calendar year of daily values at some depth",
            todo="allow some days to be missing by `max_missing`, if they are not those of an extreme",
        )
    groups = daily.groupby(year)
    low, mean, high = (getattr(groups, name)("time").where(complete) for name in ("min", "mean", "max"))
    out = xr.Dataset(
        {
            "tsl_minimum": low.min("year"),
            "tsl_mean": mean.mean("year"),
            "tsl_maximum": high.max("year"),
            "complete_years": complete.sum("year"),
        }
    )
    spread = (high - low).mean("year")
    calm, at, value = xr.apply_ufunc(
        _ground,
        spread,
        out["tsl_mean"],
        kwargs={"depths": depths, "tolerance": tolerance},
        input_core_dims=[["depth"], ["depth"]],
        output_core_dims=[[], [], []],
    )
    out["zero_annual_amplitude_depth"], out["magt"], out["magt_depth"] = calm, value, at
    for name, variable in _CURVES.items():
        out[f"tsl_{name}"].attrs = variable.attrs()
    out["complete_years"].attrs = {"long_name": "number of complete years", "units": "1"}
    out["zero_annual_amplitude_depth"].attrs = ZERO_AMPLITUDE.attrs() | {"tolerance": f"{tolerance:g} K"}
    out["magt"].attrs = _MAGT.attrs()
    out["magt_depth"].attrs = {
        "long_name": "depth of magt",
        "units": "m",
        "standard_name": "depth",
        "positive": "down",
    }
    whole = complete.any([d for d in complete.dims if d != "year"])
    years = [int(y) for y in complete["year"].values[whole.values]]
    out.attrs = {
        "years": f"{years[0]} to {years[-1]}" if len(years) > 1 else str(years[0]),
        "max_missing": max_missing,
    }
    return out


def _daily(field: xr.DataArray) -> xr.DataArray:
    """Daily means, for records that are more frequent."""
    floor = field["time"].dt.floor("D")
    if np.unique(floor.values).size == floor.size:
        return field.assign_coords(time=floor)
    mean: xr.DataArray = field.assign_coords(time=floor).groupby("time").mean()
    return mean


def _ground(spread: Array, mean: Array, depths: Array, tolerance: float) -> tuple[Array, Array, Array]:
    """Depth of zero amplitude, and depth and value of the mean ground temperature, from [..., depth]."""
    calm = _shallowest_calm(spread, depths, tolerance)
    known = ~np.isnan(mean)
    deepest = np.where(known.any(axis=-1), mean.shape[-1] - 1 - np.argmax(known[..., ::-1], axis=-1), 0)
    at = np.where(np.isnan(calm), np.where(known.any(axis=-1), depths[deepest], np.nan), calm)
    flat_at, flat_mean = np.atleast_1d(at).ravel(), mean.reshape(-1, mean.shape[-1])
    value = np.full(flat_at.shape, np.nan)
    for i, (z, profile) in enumerate(zip(flat_at, flat_mean, strict=True)):
        good = ~np.isnan(profile)
        if good.any():
            value[i] = np.interp(z, depths[good], profile[good])
    return calm, at, value.reshape(np.shape(at))
