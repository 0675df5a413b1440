"""Checks of what drives a column: its time axis, gaps, and values that are in other units."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, NamedTuple

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from geotools.climate.calendar import holds_dates
from geotools.errors import DataError, UnitsError, UsageError
from geotools.guards import Array, ensure_celsius, ensure_snow_depth
from geotools.units import convert


class ForcingGapError(DataError):
    """The forcing has a gap; what came before it was run.

    Attributes
    ----------
    state : xarray.Dataset or None
        State at the end of the last step before the gap, to resume from. None where the gap was only met when a
        lazy result was computed: then run the times before `time`, and go on from the state of that run.
    time : numpy.datetime64, cftime.datetime or None
        The first step without forcing.
    """

    state: xr.Dataset | None = None
    time: Any = None

    def __reduce__(self) -> tuple[Any, ...]:
        return *super().__reduce__(), {"state": self.state, "time": self.time}


class Gap(NamedTuple):
    """Where columns first miss a value that they have at other times."""

    step: int
    where: str  # the forcing that is missing
    columns: int
    of: int


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
    if field.dtype.kind not in "fiu":
        raise DataError(
            f"values of type {field.dtype}",
            where=f"argument {name!r}",
            expected="numbers",
            todo="find the text among the values, then make numbers of them: field.astype('float64')",
        )
    field = in_units(field, units, f"argument {name!r}")
    whole: xr.DataArray = field.chunk(time=-1) if field.chunks is not None else field
    return whole


def in_units(field: xr.DataArray, units: str, where: str) -> xr.DataArray:
    """A field in the units of the model.

    Raises
    ------
    UnitsError
        Names the argument, and not the variable, which may have any name.
    """
    try:
        return convert(field, units)
    except UnitsError as error:
        raise UnitsError(error.found, where=where, expected=error.expected, todo=error.todo) from None


def time_axis(time: xr.DataArray) -> TimeAxis:
    """Steps and years of a time coordinate, and where it first leaves out a step.

    Raises
    ------
    DataError
        When times do not grow, or the steps are of different length.
    """
    values = time.values
    if not holds_dates(time):
        raise UsageError(
            f"times of type {time.dtype}",
            where="coordinate 'time'",
            expected="dates",
            todo="give it dates: field.assign_coords(time=xarray.date_range('2001-01-01', periods=...))",
        )
    if time.isnull().any():
        raise DataError(
            f"step {int(time.isnull().values.argmax()) + 1} has no date",
            where="coordinate 'time'",
            expected="dates",
        )
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
            todo="make days of monthly means with climate.daily_from_monthly, and fill other steps",
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


def moment(time: Any) -> str:
    """A time for a message: without the hours where they are midnight."""
    return str(time).replace("T", " ")[:16].removesuffix(" 00:00")


# Numbers that stand for a missing value in tables of temperatures, and lie within what is plausible.
_CODES = (99.0, 99.9, 99.99, -99.0, -99.9, -99.99)


def ensure_forcing(surface_temperature: Array, snow_depth: Array | None = None) -> None:
    """Refuse temperatures in kelvins, codes for missing values, and snow in centimetres.

    Raises
    ------
    UnitsError, DataError
    """
    ensure_celsius("surface_temperature", surface_temperature)
    codes = [c for c in _CODES if np.any(surface_temperature == surface_temperature.dtype.type(c))]
    if codes:
        raise DataError(
            f"{int((surface_temperature == surface_temperature.dtype.type(codes[0])).sum())} of "
            f"{surface_temperature.size} values are {codes[0]:g}",
            where="argument 'surface_temperature'",
            expected="temperatures, and NaN where they are missing",
            todo=f"mask the code for missing values: field.where(field != {codes[0]:g})",
        )
    if snow_depth is not None:
        ensure_snow_depth("argument 'snow_depth'", snow_depth)


def first_gap(surface: Array, snow_depth: Array | None = None) -> Gap | None:
    """First step [time is the last axis] at which a column misses a value that it has at other times.

    Columns without any temperature are missing, and make no gap.
    """
    fields = {"surface_temperature": surface} | ({} if snow_depth is None else {"snow_depth": snow_depth})
    missing = {name: np.isnan(field) for name, field in fields.items()}
    # A column where snow was never known is as missing as one without temperatures.
    used = ~np.any([m.all(axis=-1) for m in missing.values()], axis=0)
    either = np.any(list(missing.values()), axis=0) & used[..., None]
    steps = either.reshape(-1, either.shape[-1]).any(axis=0)
    if not steps.any():
        return None
    step = int(np.argmax(steps))
    names = [name for name, m in missing.items() if (m[..., step] & used).any()]
    return Gap(step, " and ".join(names), int(either[..., step].sum()), int(used.sum()))


def gap_error(gap: Gap, time: Any, step: float, resumable: bool) -> ForcingGapError:
    """The error for values that are missing at a time."""
    columns = f" in {gap.columns} of {gap.of} columns" if gap.of > 1 else ""
    fill = "fill the gap" + (
        " (where no snow means missing: snow_depth.fillna(0))" if "snow_depth" in gap.where else ""
    )
    if gap.step == 0:
        todo = f"begin where the record does, or {fill}"
    elif resumable:
        todo = f"{fill}, and go on from this error's `state`, which is that before the gap"
    else:
        todo = f"{fill}; or run the times before {moment(time)}, and go on from the state of that run later"
    error = ForcingGapError(
        f"no value at {moment(time)}{columns}",
        where=gap.where,
        expected=f"a value every {step / 86400:g} d in every column that has any",
        todo=todo,
    )
    error.time = time
    return error
