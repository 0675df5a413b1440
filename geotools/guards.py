"""Checks that an array core makes of its arguments, whatever the number of cells, before it computes.

They run inside the core, so that a lazy array is checked when it is computed, chunk by chunk. Missing values
(NaN) pass: they come out as NaN.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from geotools.errors import DataError, UnitsError

Array = NDArray[np.float64]
HOTTEST_KELVIN = 400.0  # K; no ground is warmer, and no code for a missing value is lower
DEEPEST_SNOW = 10.0  # m; more than was ever measured on ground in this region, less than 10 cm given as 10


def ensure_celsius(name: str, values: Array) -> None:
    """Refuse temperatures that cannot be degrees Celsius.

    Raises
    ------
    UnitsError
        When a value is from 100 to 400: kelvins under the name of degrees Celsius.
    DataError
        When a value is below -100 or above 400: an unmasked fill value, or degrees Celsius converted from kelvins once
        more.
    """
    ensure_range(name, values, -np.inf, HOTTEST_KELVIN, "degC", todo="mask the fill value")
    if np.any(values > 100.0):
        raise UnitsError(
            f"a temperature of {float(values[values > 100.0].flat[0]):g} degC was found",
            where=f"argument {name!r}",
            expected="air or ground temperatures in degC, below 100",
            todo="subtract 273.15 if the values are kelvins, or set the units attribute to 'K'",
        )
    todo = "mask the fill value"
    if np.any(values < -100.0) and float(np.nanmin(values)) > -400.0:
        todo = "set the units attribute to 'degC' if 273.15 was taken off twice, or mask the fill value"
    ensure_range(name, values, -100.0, np.inf, "degC", todo=todo)


def ensure_range(
    name: str,
    values: Array,
    low: float,
    high: float,
    units: str,
    *,
    above: bool = False,
    todo: str = "correct the input",
) -> None:
    """Refuse values outside an interval.

    Parameters
    ----------
    name : str
        The argument, for the message.
    values : array [any shape; `units`]
    low, high : float
        The interval, ends included.
    units : str
        For the message.
    above : bool
        Whether `low` itself is refused too.
    todo : str
        What the user can do about it.

    Raises
    ------
    DataError
        When a value that is not NaN lies outside.
    """
    bad = (values <= low if above else values < low) | (values > high)
    if np.any(bad):
        bounds = [f"{'above' if above else 'at least'} {low:g}"] if np.isfinite(low) else []
        bounds += [f"at most {high:g}"] if np.isfinite(high) else []
        raise DataError(
            f"{int(bad.sum())} of {values.size} values lie outside, such as {float(values[bad].flat[0]):g}",
            where=f"argument {name!r}",
            expected=" and ".join(bounds) + ("" if units == "1" else f" {units}"),
            todo=todo,
        )


def ensure_snow_depth(where: str, values: Array) -> None:
    """Refuse snow depths in centimetres.

    Raises
    ------
    UnitsError
        When a depth is above 10 m, or all are whole numbers of several metres: nobody measures snow so.
    DataError
        When a depth is negative.
    """
    known = values[~np.isnan(values)]
    if np.any(known < 0.0):
        raise DataError(
            f"{int((known < 0.0).sum())} of {values.size} snow depths are negative, such as {float(known.min()):g}",
            where=where,
            expected="at least 0 m",
            todo="mask the fill value",
        )
    deepest = float(known.max(initial=0.0))
    whole = (
        deepest >= 3.0 and bool(np.all(known == np.round(known))) and np.unique(known[known > 0.0]).size > 2
    )
    if deepest > DEEPEST_SNOW or whole:
        raise UnitsError(
            f"a snow depth of {deepest:g} m" + (", and only whole metres" if whole else ""),
            where=where,
            expected=f"metres, at most {DEEPEST_SNOW:g}",
            todo="mask the fill value"
            if deepest > 100.0 * DEEPEST_SNOW
            else "divide by 100 if the values are centimetres, or set the units to 'cm'",
        )


def ensure_degree_days(name: str, values: Array) -> None:
    """Refuse negative degree-days: freezing degree-days are reported positive.

    Raises
    ------
    DataError
        When a value is negative or above 50,000 K d.
    """
    ensure_range(
        name, values, 0.0, 5e4, "K d", todo="give degree-days as positive numbers, freezing degree-days too"
    )


def one_of(name: str, value: Any, options: tuple[str, ...]) -> None:
    """Refuse an option that does not exist.

    Raises
    ------
    UsageError
        When `value` is not among `options`.
    """
    from geotools.errors import UsageError

    if value not in options:
        raise UsageError(f"{value!r} is not known", where=f"option {name!r}", expected=" or ".join(options))
