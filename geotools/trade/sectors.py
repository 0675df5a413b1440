"""Sector schemes: the bridge between them and what a traded sector emits per USD."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from geotools.errors import DataError, UsageError
from geotools.trade.quantities import kg_co2_per_usd

if TYPE_CHECKING:
    import pandas as pd

# kg CO2 per USD: what lies outside is a slip of thousands against millions, or of roubles against dollars.
RANGE = (1e-4, 50.0)
# Column of the table of intensities by method.
INTENSITY_OF = {"direct": "direct", "eebt": "total_domestic"}
_CLOSES = 1e-6
_CHAIN_CLOSES = 1e-3


def check_bridge(bridge: pd.DataFrame) -> None:
    """Refuse a bridge whose weights do not sum to 1 for each code.

    Parameters
    ----------
    bridge : pandas.DataFrame
        With `exporter` (blank for any), `from_scheme`, `from_code`, `to_scheme`, `to_code` and `weight`.

    Raises
    ------
    DataError
    """
    if not bridge["weight"].between(0, 1, inclusive="right").all():
        row = bridge[~bridge["weight"].between(0, 1, inclusive="right")].iloc[0]
        raise DataError(
            f"the weight of {row['from_code']!r} in {row['to_code']!r} is {row['weight']:g}",
            where="sector bridge",
            expected="weights above 0 and at most 1",
            todo="leave rows without weight out",
        )
    sums = bridge.groupby(["exporter", "from_scheme", "from_code", "to_scheme"])["weight"].sum()
    bad = sums[(sums - 1).abs() > _CLOSES]
    if len(bad):
        exporter, _, code, scheme = bad.index[0]
        raise DataError(
            f"the weights of {code!r} {f'of {exporter} ' if exporter else ''}in {scheme} sum to {bad.iloc[0]:g}",
            where="sector bridge",
            expected="1 for every code",
            todo="complete the weights",
        )


def check_intensities(intensities: pd.DataFrame) -> pd.DataFrame:
    """Intensities in kg CO2 per USD, inside the plausible range.

    Parameters
    ----------
    intensities : pandas.DataFrame
        With `country`, `sector`, `direct`, `total_domestic` and `unit`; blank where not known.

    Returns
    -------
    pandas.DataFrame [kg CO2/USD]

    Raises
    ------
    UnitsError
        When a unit is not a mass of CO2 per USD.
    DataError
        When a value lies outside 1e-4 to 50 kg/USD, a total is below the direct one, or a sector stands twice.
    """
    factor = intensities["unit"].map(kg_co2_per_usd)
    table = intensities.assign(unit="kg CO2/USD")
    for name in INTENSITY_OF.values():
        table[name] = table[name] * factor
        outside = table[~(table[name].between(*RANGE) | table[name].isna())]
        if len(outside):
            row = outside.iloc[0]
            raise DataError(
                f"the {name} intensity of {row['country']} {row['sector']} is {row[name]:g} kg CO2/USD",
                where="table of intensities",
                expected=f"{RANGE[0]:g} to {RANGE[1]:g}; leave the cell blank where it is not known",
                todo="check thousands against millions, and the currency of the output",
            )
    below = table[table["total_domestic"] < table["direct"] * (1 - 1e-9)]
    if len(below):
        row = below.iloc[0]
        raise DataError(
            f"the total intensity of {row['country']} {row['sector']} is below the direct one",
            where="table of intensities",
            expected="direct emissions within the total",
            todo="check that the columns are not swapped",
        )
    key = [c for c in ("country", "scheme", "sector", "year") if c in table]
    if table.duplicated(key).any():
        row = table[table.duplicated(key)].iloc[0]
        raise DataError(
            f"{row['country']} {row['sector']} stands twice",
            where="table of intensities",
            expected="one row per country and sector",
            todo="choose one year and one scheme",
        )
    return table


def composition(
    exporter: str,
    sector: str,
    intensities: pd.DataFrame,
    method: str,
    bridge: pd.DataFrame | None,
    *,
    year: int | None = None,
) -> dict[str, tuple[float, float]]:
    """What one USD of a traded sector is made of.

    Parameters
    ----------
    exporter, sector : str
    intensities : pandas.DataFrame
        As `check_intensities` returns it.
    method : {"direct", "eebt"}
    bridge : pandas.DataFrame, optional
        From traded sectors to sectors of the intensities; without it the codes are the same.
    year : int, optional
        For the message.

    Returns
    -------
    dict of str to (float, float)
        Sector of the intensities to its weight [1] and its intensity [kg CO2/USD].

    Raises
    ------
    DataError
        When an intensity is missing or blank: the sector is named.
    """
    if method not in INTENSITY_OF:
        raise UsageError(
            f"unknown method {method!r}", expected="'direct' or 'eebt'", todo="choose one of the two"
        )
    weights = {sector: 1.0}
    if bridge is not None:
        rows = bridge[(bridge["from_code"] == sector) & bridge["exporter"].isin([exporter, ""])]
        weights = dict(zip(rows["to_code"], rows["weight"].astype(float), strict=True))
        if not weights:
            raise DataError(
                f"the sector {sector!r} of {exporter} is not in the bridge",
                where="sector bridge",
                expected=f"one of {', '.join(sorted(set(bridge['from_code'])))}",
                todo="add its weights, which sum to 1",
            )
    own = intensities[intensities["country"] == exporter].set_index("sector")[INTENSITY_OF[method]]
    found = {}
    for code, weight in weights.items():
        value = float(own.get(code, np.nan))
        if np.isnan(value):
            raise DataError(
                f"there is no {INTENSITY_OF[method]} intensity of {exporter} for the sector {code!r}"
                + (f", part of {sector!r}" if code != sector else "")
                + (f" (trade of {year})" if year else ""),
                where="table of intensities",
                expected="an intensity for every traded sector",
                todo="add it; a missing intensity is not zero emissions",
            )
        found[code] = (weight, value)
    return found


def by_emitter(exporter: str, emitted: dict[str, float], chains: pd.DataFrame) -> dict[str, float]:
    """Embodied emissions by the sector that emits them instead of the sector that exports.

    Parameters
    ----------
    exporter : str
    emitted : dict of str to float [t CO2]
        By exporting sector.
    chains : pandas.DataFrame
        `country`, `sector`, `emitting_sector` and `share` [1], which sums to 1 per country and sector.

    Returns
    -------
    dict of str to float [t CO2]
        The same total.

    Raises
    ------
    DataError
        When a sector is missing or its shares do not sum to 1.
    """
    own = chains[chains["country"] == exporter]
    out: dict[str, float] = {}
    for code, value in emitted.items():
        rows = own[own["sector"] == code]
        total = float(rows["share"].sum())
        if abs(total - 1) > _CHAIN_CLOSES or (rows["share"] < 0).any():
            raise DataError(
                f"the shares of the emitting sectors of {exporter} {code!r} sum to {total:g}",
                where="table of supply chains",
                expected="shares of zero or more that sum to 1 for every traded sector",
                todo="add the sector, with what is left as 'rest'",
            )
        for emitter, share in zip(
            rows["emitting_sector"].astype(str), rows["share"].astype(float), strict=True
        ):
            out[emitter] = out.get(emitter, 0.0) + value * share / total
    return out
