"""Unit conversion at function boundaries.

Units are UDUNITS strings in attributes at rest. pint (with the CF syntax of cf-xarray) is only asked for
the two numbers of a linear conversion, so that data stay plain NumPy or dask arrays.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import xarray as xr

from geotools.errors import UnitsError

# UDUNITS and pint read `degC` in a product as an offset unit; a degree-day is a kelvin-day.
_ALIASES = {
    "degC d": "K d",
    "degC day": "K d",
    "°C": "degC",
    "celsius": "degC",
    "Celsius": "degC",
    "C": "degC",
}
_MONTHS = frozenset({"month", "months", "mon"})


@cache
def _registry() -> Any:
    # pint takes 0.4 s to import, and most commands never convert.
    from cf_xarray.units import units

    return units


def _parse(unit: str) -> Any:
    import pint

    if any(word.rstrip("-+0123456789^") in _MONTHS for word in unit.split()):
        raise UnitsError(
            f"the units {unit!r} count by the month, which has no fixed length",
            expected="a unit per day or second",
            todo="divide monthly totals by the days of each month first",
        )
    try:
        return _registry().parse_units(_ALIASES.get(unit.strip(), unit.strip()) or "dimensionless")
    except (pint.errors.PintError, AttributeError, ValueError, TypeError, AssertionError) as error:
        raise UnitsError(
            f"the units {unit!r} cannot be read",
            expected="a UDUNITS string such as 'degC', 'kg m-2' or 'mm d-1'",
            todo="correct the units attribute",
        ) from error


def require_readable(unit: str) -> None:
    """Raise when a units string cannot be read.

    Raises
    ------
    UnitsError
    """
    _parse(unit)


@cache
def conversion(source: str, target: str, *, liquid_water: bool = False) -> tuple[float, float]:
    """Scale and offset that turn values in `source` units into `target` units.

    Parameters
    ----------
    source, target : str
        UDUNITS strings.
    liquid_water : bool
        Let a depth stand for a mass of water per area, 1 mm for 1 kg m-2. Right for precipitation and wrong for
        the depth of snow, so that it must be asked for.

    Returns
    -------
    (float, float)
        ``value_in_target = value_in_source * scale + offset``.

    Raises
    ------
    UnitsError
        When a string cannot be read or the dimensions differ.

    Examples
    --------
    >>> conversion("kg m-2 s-1", "mm d-1")
    Traceback (most recent call last):
        ...
    geotools.errors.UnitsError: units 'kg m-2 s-1' cannot be converted to 'mm d-1'; expected units of the \
dimension of 'mm d-1'. To mend it: correct the units attribute.
    >>> conversion("mm d-1", "kg m-2 d-1", liquid_water=True)
    (1.0, 0.0)
    >>> scale, offset = conversion("K", "degC")
    >>> scale, round(offset, 2)
    (1.0, -273.15)
    """
    if source == target:
        return 1.0, 0.0
    import pint

    ureg, unit_in, unit_out = _registry(), _parse(source), _parse(target)
    if liquid_water and (unit_in * ureg("kg m-3")).dimensionality == unit_out.dimensionality:
        unit_in = unit_in * ureg("1000 kg m-3")
        return float(unit_in.to(unit_out).magnitude), 0.0
    try:
        zero, one = ureg.Quantity(np.array([0.0, 1.0]), unit_in).to(unit_out).magnitude
    except pint.errors.PintError as error:
        raise UnitsError(
            f"units {source!r} cannot be converted to {target!r}",
            expected=f"units of the dimension of {target!r}",
            todo="correct the units attribute",
        ) from error
    return float(one - zero), float(zero)


def convert(field: xr.DataArray, target: str, *, liquid_water: bool = False) -> xr.DataArray:
    """A field in other units, lazily, with its `units` attribute changed.

    Parameters
    ----------
    field : xarray.DataArray [any dims; its `units` attribute]
    target : str
        UDUNITS string.

    Returns
    -------
    xarray.DataArray [same dims; `target`]

    Raises
    ------
    UnitsError
        When the field has no units attribute or the dimensions differ.
    """
    source = units_of(field)
    scale, offset = conversion(source, target, liquid_water=liquid_water)
    out = field
    if (scale, offset) != (1.0, 0.0):
        out = field * scale + offset if offset else field * scale
    out = out.copy(deep=False)
    out.attrs = {**field.attrs, "units": target}
    return out


def units_of(field: xr.DataArray) -> str:
    """The `units` attribute of a field.

    Raises
    ------
    UnitsError
        When there is none.
    """
    units = field.attrs.get("units")
    if not isinstance(units, str):
        raise UnitsError(
            "no units attribute",
            where=f"variable {field.name!r}",
            expected="a UDUNITS string",
            todo="set field.attrs['units'], or name the units in the recipe entry of this input",
        )
    return units


def parse_quantity(text: str, target: str) -> float:
    """Turn a text such as ``"0 degC"`` into a number in the target units.

    Parameters
    ----------
    text : str
        A number, a blank and a unit.
    target : str
        UDUNITS string.

    Returns
    -------
    float

    Examples
    --------
    >>> parse_quantity("25 km", "m")
    25000.0
    """
    number, _, unit = text.strip().partition(" ")
    try:
        value = float(number)
    except ValueError as error:
        raise UnitsError(
            f"{text!r} is not a quantity", expected="a number and a unit, such as '0 degC'"
        ) from error
    scale, offset = conversion(unit.strip(), target)
    return value * scale + offset


def times_area(unit: str) -> str:
    """The units of a density after it was multiplied by an area in m2.

    Raises
    ------
    UnitsError
        When the unit is not a density per area.

    Examples
    --------
    >>> times_area("kg m-2"), times_area("W m-2"), times_area("kg m-2 s-1"), times_area("m-2")
    ('kg', 'W', 'kg s-1', '1')
    """
    parts = unit.split()
    if "m-2" not in parts:
        raise UnitsError(
            f"units {unit!r} are not a density per area",
            expected="units that contain 'm-2', such as 'kg m-2'",
            todo="take mean() for an intensive field, or sum() for amounts per cell",
        )
    parts.remove("m-2")
    return " ".join(parts) or "1"
