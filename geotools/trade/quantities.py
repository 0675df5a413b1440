"""Units of trade and emissions: money to USD, mass of CO2 to tonnes, intensities to kg CO2 per USD.

Tonnes of goods, tonnes of carbon and tonnes of CO2 are three things, so that a bare tonne is refused.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from geotools.errors import DataError, UnitsError

if TYPE_CHECKING:
    import pandas as pd

CURRENCIES = ("USD", "RUB", "CNY")
# Fewer daily quotes than this are no annual mean: the rouble of 2022 has 42 in the ECB series.
MIN_QUOTES = 200

_COUNTS = {
    "": 1.0, "k": 1e3, "thousand": 1e3, "M": 1e6, "mn": 1e6, "mln": 1e6, "million": 1e6,
    "G": 1e9, "bn": 1e9, "billion": 1e9,
}  # fmt: skip
_TONNES = {
    "kg": 1e-3, "t": 1.0, "tonne": 1.0, "tonnes": 1.0, "kt": 1e3, "Mt": 1e6, "Gt": 1e9, "Mg": 1.0, "Gg": 1e3,
    "Tg": 1e6, "Pg": 1e9,
}  # fmt: skip
_CO2 = frozenset({"CO2", "CO₂"})


def usd_per(unit: str, *, year: int | None = None, fx: pd.DataFrame | None = None, where: str = "") -> float:
    """How many USD one unit of trade is.

    Parameters
    ----------
    unit : str
        A count and a currency: ``USD``, ``million USD``, ``bn USD``, ``bn RUB``, ``thousand CNY``.
    year : int, optional
        Year of the trade, needed for roubles and yuan.
    fx : pandas.DataFrame, optional
        Annual means with `currency`, `year`, `lcu_per_usd` and `n_obs`, needed for roubles and yuan.
    where : str
        For the message.

    Returns
    -------
    float [USD per unit]

    Raises
    ------
    UnitsError
        When the unit is not one of money.
    DataError
        When the exchange rate is missing or stands on fewer than 200 quotes.

    Examples
    --------
    >>> usd_per("bn USD")
    1000000000.0
    >>> usd_per("Mt")
    Traceback (most recent call last):
        ...
    geotools.errors.UnitsError: the units 'Mt' are not those of money; expected a count and a currency, such as \
'USD', 'million USD' or 'bn RUB'. To mend it: give the value of the trade, not the tonnes of goods.
    """
    *count, currency = unit.split() or [""]
    if len(count) > 1 or currency not in CURRENCIES or (factor := _COUNTS.get("".join(count))) is None:
        goods = unit.split()[:1] and unit.split()[0] in _TONNES
        raise UnitsError(
            f"the units {unit!r} are not those of money",
            where=where or None,
            expected="a count and a currency, such as 'USD', 'million USD' or 'bn RUB'",
            todo="give the value of the trade, not the tonnes of goods"
            if goods
            else "correct the column 'unit'",
        )
    return factor if currency == "USD" else factor / _rate(currency, year, fx, where)


@cache
def tonnes_co2_per(unit: str) -> float:
    """How many tonnes of CO2 one unit of emissions is.

    Parameters
    ----------
    unit : str
        A mass and its species: ``Mt CO2``, ``t CO2``, ``Gg CO2``.

    Returns
    -------
    float [t CO2 per unit]

    Raises
    ------
    UnitsError
        When the unit does not say CO2: a bare ``t`` may be tonnes of goods, and ``Mt C`` is carbon.

    Examples
    --------
    >>> tonnes_co2_per("Mt CO2")
    1000000.0
    """
    mass, _, species = unit.strip().partition(" ")
    if mass in _TONNES and species.strip() in _CO2:
        return _TONNES[mass]
    todo = "name the units, such as 'Mt CO2'"
    if mass in _TONNES and species.strip() == "C":
        todo = "multiply carbon by 44/12 and name the units 'CO2'"
    elif mass in _TONNES:
        todo = "tonnes of goods are not tonnes of CO2; if these are emissions, write 't CO2'"
    raise UnitsError(
        f"the units {unit!r} are not a mass of CO2",
        expected="a mass and the species CO2, such as 't CO2' or 'Mt CO2'",
        todo=todo,
    )


@cache
def kg_co2_per_usd(unit: str) -> float:
    """How many kg of CO2 per USD one unit of intensity is.

    Parameters
    ----------
    unit : str
        A mass of CO2, a slash and money: ``kg CO2/USD``, ``kt CO2/million USD``.

    Returns
    -------
    float [kg CO2 per USD per unit]

    Raises
    ------
    UnitsError

    Examples
    --------
    >>> kg_co2_per_usd("t CO2/k USD")
    1.0
    """
    mass, slash, money = unit.partition("/")
    if not slash or not money.strip().endswith("USD"):
        raise UnitsError(
            f"the units {unit!r} are not those of an intensity",
            expected="a mass of CO2 per USD, such as 'kg CO2/USD'",
            todo="convert the output to USD of the base year first",
        )
    return tonnes_co2_per(mass.strip()) * 1e3 / usd_per(money.strip())


def _rate(currency: str, year: int | None, fx: pd.DataFrame | None, where: str) -> float:
    place = where or "argument 'fx'"
    if fx is None or year is None:
        raise DataError(
            f"the trade is in {currency} and no exchange rates are given",
            where=place,
            expected="a table of annual means and the year of the trade",
            todo="pass fx=geotools.catalog.exchange_rates()",
        )
    rows = fx[(fx["currency"] == currency) & (fx["year"] == year)]
    if len(rows) != 1:
        raise DataError(
            f"{len(rows)} exchange rates of {currency} for {year}",
            where=place,
            expected="one row per currency and year",
            todo="add the annual mean",
        )
    quotes, rate = float(rows["n_obs"].iloc[0]), float(rows["lcu_per_usd"].iloc[0])
    if not quotes >= MIN_QUOTES:
        raise DataError(
            f"the mean of {currency} for {year} stands on {quotes:g} daily quotes",
            where=place,
            expected=f"{MIN_QUOTES} or more, so that it stands for the year",
            todo="take the mean of the central bank of that country",
        )
    if not rate > 0:
        raise DataError(f"an exchange rate of {rate:g}", where=place, expected="a positive number")
    return rate
