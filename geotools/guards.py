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


def ensure_celsius(name: str, values: Array) -> None:
    """Refuse temperatures that cannot be degrees Celsius.

    Raises
    ------
    UnitsError
        When a value is above 100: kelvins under the name of degrees Celsius.
    DataError
        When a value is below -100: an unmasked fill value.
    """
    if np.any(values > 100.0):
        raise UnitsError(
            f"a temperature of {float(values[values > 100.0].flat[0]):g} degC was found",
            where=f"argument {name!r}",
            expected="air or ground temperatures in degC, below 100",
            todo="subtract 273.15 if the values are kelvins, or set the units attribute to 'K'",
        )
    ensure_range(name, values, -100.0, np.inf, "degC", todo="mask the fill value")


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
        bound = f"{'above' if above else 'at least'} {low:g}"
        raise DataError(
            f"{int(bad.sum())} of {values.size} values lie outside, such as {float(values[bad].flat[0]):g}",
            where=f"argument {name!r}",
            expected=(f"{bound} and at most {high:g}" if np.isfinite(high) else bound)
            + ("" if units == "1" else f" {units}"),
            todo=todo,
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
