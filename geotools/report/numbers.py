"""Numbers with units and intervals as a reader wants to see them."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

from geotools.vocabulary import Species

THIN = "\u202f"  # narrow and never broken
MINUS = "\u2212"
_SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
_SUBSCRIPTS = {"CO2": "CO₂", "CH4": "CH₄", "N2O": "N₂O", "H2O": "H₂O"}
_MASSES = re.compile(r"^([kMGTP]?g|[kMG]?t)\b")


@dataclass(frozen=True)
class Quantity:
    """A value, its 95 % interval and its unit as text.

    Parameters
    ----------
    value, interval, unit : str
        `interval` is blank where there is none.
    """

    value: str
    interval: str
    unit: str

    def __str__(self) -> str:
        text = f"{self.value} {self.unit}".strip()
        return f"{text} ({self.interval})" if self.interval else text


def quantity(
    value: float,
    lo95: float = math.nan,
    hi95: float = math.nan,
    *,
    unit: str,
    species: str = "",
    significant: int = 4,
) -> Quantity:
    """A value with as many digits as its interval supports.

    Parameters
    ----------
    value, lo95, hi95 : float [`unit`]
        NaN bounds mean no interval. Shares (unit ``1``) come out in per cent.
    unit : str
        UDUNITS string.
    species : str
        What a mass is a mass of.
    significant : int
        Digits of a value without an interval.

    Returns
    -------
    Quantity

    Examples
    --------
    >>> print(quantity(8.3, 3.4, 13.2, unit="Tg yr-1", species="CO2-C"))
    8.3 Tg CO₂-C yr⁻¹ (3.4 to 13.2)
    >>> print(quantity(0.794, 0.212, 0.964, unit="1"))
    79 % (21 to 96)
    """
    if unit.strip() == "1":
        value, lo95, hi95 = 100 * value, 100 * lo95, 100 * hi95
    if not math.isfinite(value):
        return Quantity("no value", "", "")
    if math.isfinite(lo95) and math.isfinite(hi95):
        digits = _digits((hi95 - lo95) / 2 or value, 2)
        if digits < 0:
            # An interval wider than the value must not coarsen it much, or sums could not be followed.
            digits = max(digits, min(_digits(value, 2), digits + 1))
        digits = _without_idle_zeros(digits, (value, lo95, hi95))
        interval = " to ".join(number(b, _places(b, digits)) for b in (lo95, hi95))
    else:
        digits, interval = _without_idle_zeros(_digits(value, significant), (value,)), ""
    return Quantity(number(value, _places(value, digits)), interval, pretty_unit(unit, species))


def number(value: float, digits: int) -> str:
    """A number rounded to a place after (or, when negative, before) the point, with thin thousands.

    Examples
    --------
    >>> number(1985124.0, -4).replace(THIN, " "), number(-7.355, 1)
    ('1 990 000', '−7.4')
    """
    rounded = round(value, digits) + 0.0
    whole = f"{abs(rounded):,.{max(digits, 0)}f}"
    # Four figures read well unbroken.
    whole = whole.replace(",", THIN if abs(rounded) >= 10_000 else "")
    return f"{MINUS if rounded < 0 else ''}{whole}"


def _digits(scale: float, significant: int) -> int:
    if scale == 0 or not math.isfinite(scale):
        return 0
    return significant - 1 - math.floor(math.log10(abs(scale)) + 1e-12)


def _places(value: float, digits: int) -> int:
    """One digit more where rounding would turn a number that is not nought into nought, and so hide its sign."""
    return _digits(value, 1) if value and round(value, digits) == 0 and abs(value) > 1e-6 else digits


def _without_idle_zeros(digits: int, values: tuple[float, ...]) -> int:
    """Fewer places after the point where the values, as they were given, need no more."""
    while digits > 0 and all(math.isclose(round(v, digits - 1), v, rel_tol=1e-9) for v in values):
        digits -= 1
    return digits


def pretty_unit(unit: str, species: str = "") -> str:
    """A unit with superscripts and the name of what a mass is a mass of.

    Examples
    --------
    >>> pretty_unit("Tg yr-1", "CO2-C"), pretty_unit("degC"), pretty_unit("1"), pretty_unit("km2")
    ('Tg CO₂-C yr⁻¹', '°C', '%', 'km²')
    """
    if unit.strip() == "1":
        return "%"
    text = re.sub(
        r"([A-Za-z])(-?\d+)\b", lambda m: m[1] + m[2].translate(_SUPERSCRIPTS), unit.replace("degC", "°C")
    )
    if species and species != Species.WATER and _MASSES.match(unit):
        text = _MASSES.sub(lambda m: f"{m[1]} {pretty_species(species)}", text)
    return text


def pretty_species(species: str) -> str:
    """CO2 as CO₂ and the like."""
    for plain, pretty in _SUBSCRIPTS.items():
        species = species.replace(plain, pretty)
    return species


def duration(seconds: float) -> str:
    """Seconds in words.

    Examples
    --------
    >>> duration(46.3), duration(312)
    ('46.3 s', '5 min 12 s')
    """
    if seconds < 120:
        return f"{seconds:.1f} s"
    return f"{int(seconds // 60)} min {round(seconds % 60):d} s"


def size(count: float) -> str:
    """Bytes in kB, MB or GB.

    Examples
    --------
    >>> size(420028416)
    '420 MB'
    """
    for unit, scale in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if count >= scale:
            return f"{count / scale:.3g} {unit}"
    return f"{count:.0f} bytes"
