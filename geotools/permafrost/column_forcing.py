"""Checks of what drives a column: its time axis, gaps, and values that are in other units."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, NamedTuple

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from geotools.errors import DataError, UsageError
from geotools.guards import Array, ensure_celsius, ensure_snow_depth
from geotools.units import convert


class ForcingGapError(DataError):
    """The forcing has a gap; what came before it was run.

    Attributes
    ----------
    state : xarray.Dataset or None
        State at the end of the last step before the gap, to resume from. None where the gap was only met when a
        lazy result was computed.
    """

    state: xr.Dataset | None = None


class TimeAxis(NamedTuple):
    """Steps of a forcing and the years they make."""

    step: float  # [s]
    year: NDArray[np.int64]  # calendar year of each step [time]
    last: NDArray[np.bool_]  # whether the step is the last of its year [time]
    days: NDArray[np.float64]  # length of that year [time; d]
    gap: int | None  # first step after a gap


def forcing_field(field: Any, name: str, units: str) -> xr.DataArray:
    """A forcing in the units of the model, with one chunk along time.

    Raises
    ------
    UsageError
        When it is no DataArray with a dimension ``time`` and its coordinate.
    UnitsError
        When its units cannot be converted.
    """
    if not isinstance(field, xr.DataArray) or "time" not in field.dims or "time" not in field.coords:
        found = (
            f"the dimensions are {field.dims}"
            if isinstance(field, xr.DataArray)
            else f"a {type(field).__name__}"
        )
        raise UsageError(
            found,
            where=f"argument {name!r}",
            expected="a DataArray with a dimension 'time' and its coordinate",
            todo="wrap it: xarray.DataArray(values, dims='time', coords={'time': times}, attrs={'units': ...})",
        )
    if field.sizes["time"] == 0:
        raise DataError("no steps", where=f"argument {name!r}", expected="at least one step")
    field = convert(field, units)
    whole: xr.DataArray = field.chunk(time=-1) if field.chunks is not None else field
    return whole


def time_axis(time: xr.DataArray) -> TimeAxis:
    """Steps and years of a time coordinate, and where it first leaves out a step.

    Raises
    ------
    DataError
        When times do not grow, or the steps are of different length.
    """
    values = time.values
    years = np.asarray(time.dt.year.values, dtype="int64")
    days = np.asarray(time.dt.days_in_year.values, dtype="float64")
    if values.size < 2:
        raise DataError(
            "a single step", where="coordinate 'time'", expected="at least two steps, which tell their length"
        )
    steps = np.diff(values)
    seconds = (
        steps / np.timedelta64(1, "s")
        if np.issubdtype(values.dtype, np.datetime64)
        else np.array([s.total_seconds() for s in steps])
    ).astype("float64")
    if np.any(seconds <= 0.0):
        at = int(np.argmax(seconds <= 0.0))
        raise DataError(
            f"{values[at + 1]} follows {values[at]}",
            where="coordinate 'time'",
            expected="times that grow",
            todo="sort the forcing by time, and drop repeated times",
        )
    step = float(np.min(seconds))
    ratio = seconds / step
    if np.any(np.abs(ratio - np.round(ratio)) > 1e-6):
        raise DataError(
            f"steps of {step / 86400:g} d to {float(np.max(seconds)) / 86400:g} d",
            where="coordinate 'time'",
            expected="steps of one length",
            todo="make a daily series of monthly means first",
        )
    late = np.flatnonzero(ratio > 1.5)
    # A year also ends where the next step is in another one; at the end of the record that is not known by then.
    last = np.append(years[1:] != years[:-1], _next_year(time, step, int(years[-1])))
    return TimeAxis(step, years, last, days, int(late[0]) + 1 if late.size else None)


def _next_year(time: xr.DataArray, step: float, year: int) -> bool:
    final = time.values[-1]
    if np.issubdtype(time.dtype, np.datetime64):
        return (
            int((final + np.timedelta64(round(step), "s")).astype("datetime64[Y]").astype(int)) + 1970 != year
        )
    return bool((final + timedelta(seconds=step)).year != year)


def ensure_forcing(surface_temperature: Array, snow_depth: Array | None = None) -> None:
    """Refuse temperatures in kelvins and snow in centimetres.

    Raises
    ------
    UnitsError, DataError
    """
    ensure_celsius("surface_temperature", surface_temperature)
    if snow_depth is not None:
        ensure_snow_depth("argument 'snow_depth'", snow_depth)


def first_gap(surface: Array, snow_depth: Array | None = None) -> int | None:
    """First step [time is the last axis] at which a column misses a value that it has at other times.

    Columns without any temperature are missing, and make no gap.
    """
    missing: NDArray[np.bool_] = np.isnan(surface)
    used: NDArray[np.bool_] = np.asarray(~missing.all(axis=-1))
    if snow_depth is not None:
        missing = missing | np.isnan(snow_depth)
        # A column where snow was never known is as missing as one without temperatures.
        used = np.asarray(used & ~np.isnan(snow_depth).all(axis=-1))
    steps = (missing & used[..., None]).reshape(-1, missing.shape[-1]).any(axis=0)
    return int(np.argmax(steps)) if steps.any() else None
