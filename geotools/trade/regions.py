"""Shares of regions in national trade, by a proxy that every row names."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from geotools.errors import DataError, UsageError
from geotools.trade.quantities import tonnes_co2_per, usd_per

if TYPE_CHECKING:
    import pandas as pd

CO2_SHARE, TRADE_ANCHOR = "proxy:regional_co2_share", "proxy:regional_trade_anchor"
# Names in a recipe.
PROXIES = {"trade_anchor": TRADE_ANCHOR, "co2_share": CO2_SHARE}
REMAINDER = "_X"
LARGEST_GAP = 0.05


def regional_shares(
    emissions: pd.DataFrame, *, country: str, year: int, make_remainder: bool = False
) -> pd.DataFrame:
    """Shares of a nation's regions by their CO2.

    Parameters
    ----------
    emissions : pandas.DataFrame
        `region`, `country`, `role` (nation, region or remainder), `year`, `value` and `unit`.
    country : str
        ISO 3166-1 code.
    year : int
        The latest year of the table that is not after it is taken.
    make_remainder : bool
        Make the row ``<country>-_X`` of what the regions leave of the nation, however much that is. Without it a
        table whose regions miss more than 5 % of the nation is refused.

    Returns
    -------
    pandas.DataFrame
        `region`, `country`, `share` [1], which sum to 1, and `proxy`, which names the proxy and its year.

    Raises
    ------
    UnitsError
        When the units are not a mass of CO2: tonnes of goods are no proxy of this name.
    DataError
        When a code is unknown or double, a value is negative, regions do not sum to the nation, or all are zero.
    """
    import pandas as pd

    where = "table of regional emissions"
    own = emissions[(emissions["country"] == country) & (emissions["year"] <= year)]
    if own.empty:
        raise DataError(
            f"no emissions of {country} for {year} or before",
            where=where,
            expected="a nation with its regions",
            todo="choose a later year",
        )
    own = own[own["year"] == own["year"].max()]
    of_year = int(own["year"].iloc[0])
    tonnes = own["value"].to_numpy(dtype=float) * own["unit"].map(tonnes_co2_per).to_numpy()
    _check_regions(own, tonnes, country, where)
    nation = tonnes[(own["role"] == "nation").to_numpy()]
    if len(nation) != 1:
        raise DataError(
            f"{len(nation)} rows of the nation {country} in {of_year}",
            where=where,
            expected="one row with the role 'nation'",
            todo="add the national total",
        )
    parts = dict(
        zip(own.loc[own["role"] != "nation", "region"], tonnes[own["role"] != "nation"], strict=True)
    )
    gap = float(nation[0]) - sum(parts.values())
    rest = f"{country}-{REMAINDER}"
    too_far = abs(gap) > LARGEST_GAP * nation[0]
    if too_far and (gap < 0 or rest in parts or not make_remainder):
        raise DataError(
            f"the regions of {country} in {of_year} sum to {sum(parts.values()):g} t CO2, the nation is {nation[0]:g}",
            where=where,
            expected=f"a sum within {LARGEST_GAP:.0%}",
            todo=f"add the row {rest}, or pass make_remainder=True"
            if gap > 0 and rest not in parts
            else "check for rows that hold others, and for units",
        )
    if gap > 0 and rest not in parts:
        parts[rest] = gap
    total = sum(parts.values())
    if not total > 0:
        raise DataError(
            f"the emissions of {country} are zero everywhere",
            where=where,
            expected="a weight above zero",
            todo="take another proxy",
        )
    over = (
        f", regions sum to {total / nation[0]:.4f} of the nation" if abs(total / nation[0] - 1) > 1e-6 else ""
    )
    return pd.DataFrame(
        {
            "region": list(parts),
            "country": country,
            "share": np.array(list(parts.values())) / total,
            "proxy": f"{CO2_SHARE} of {of_year}{over}",
        }
    )


def trade_anchored_shares(
    shares: pd.DataFrame, anchors: pd.DataFrame, *, year: int, fx: pd.DataFrame | None = None
) -> pd.DataFrame:
    """Shares in which regions with a published trade figure have the share of that figure.

    Parameters
    ----------
    shares : pandas.DataFrame
        As `regional_shares` returns them, of one country.
    anchors : pandas.DataFrame
        Trade of a region with the partner, `value` and `unit`, and the national figure of the same year,
        `national_value` and `national_unit`; `region` and `year`. The latest not after `year` counts.
    year : int
    fx : pandas.DataFrame, optional
        For anchors in roubles or yuan.

    Returns
    -------
    pandas.DataFrame
        The same columns. The regions without an anchor share what the others leave in proportion to `shares`.

    Raises
    ------
    DataError
        When an anchor is negative, or the anchors leave nothing.
    """
    out = shares.copy()
    usable = anchors[anchors["region"].isin(shares["region"]) & (anchors["year"] <= year)].sort_values("year")
    fixed = {}
    for row in usable.to_dict("records"):
        part, whole = (
            float(row[name]) * usd_per(str(row[unit]), year=int(row["year"]), fx=fx, where="regional anchors")
            for name, unit in (("value", "unit"), ("national_value", "national_unit"))
        )
        if not 0 <= part <= whole or whole == 0:
            raise DataError(
                f"the trade of {row['region']} in {row['year']} is {part:g} USD of {whole:g} of its nation",
                where="regional anchors",
                expected="a part of the nation's trade, not below zero",
                todo="correct the row",
            )
        fixed[str(row["region"])] = (part / whole, int(row["year"]))
    if not fixed:
        return out
    anchored = out["region"].isin(list(fixed)).to_numpy()
    left, base = 1.0 - sum(share for share, _ in fixed.values()), float(out.loc[~anchored, "share"].sum())
    if left < 0 or (left > 0 and base == 0):
        raise DataError(
            f"the anchors hold {1 - left:.3f} of the trade",
            where="regional anchors",
            expected="less than all of it, and other regions for the rest",
            todo="check that the regions do not hold one another",
        )
    out.loc[~anchored, "share"] *= left / base if base else 0.0
    out.loc[~anchored, "proxy"] = out.loc[~anchored, "proxy"] + ", of what regions with a trade figure leave"
    for region, (share, of_year) in fixed.items():
        here = out["region"] == region
        out.loc[here, "share"] = share
        out.loc[here, "proxy"] = f"{TRADE_ANCHOR} (turnover of {of_year})"
    return out


def _check_regions(own: pd.DataFrame, tonnes: Any, country: str, where: str) -> None:
    from geotools.catalog import check_region_codes

    codes = own.loc[own["role"] == "region", "region"].astype(str)
    check_region_codes(codes, where=f"{where}, column 'region'")
    stray = [c for c in codes if not c.startswith(f"{country}-")]
    stray += [c for c in own.loc[own["role"] == "remainder", "region"] if c != f"{country}-{REMAINDER}"]
    if stray or not own["role"].isin(["nation", "region", "remainder"]).all():
        raise DataError(
            f"the row {stray[0]!r} does not belong to {country}" if stray else "a role is unknown",
            where=where,
            expected=f"regions of {country} and the remainder {country}-{REMAINDER}",
            todo="correct the columns 'region', 'country' and 'role'",
        )
    if own["region"].duplicated().any():
        raise DataError(
            f"{own.loc[own['region'].duplicated(), 'region'].iloc[0]} stands twice in {own['year'].iloc[0]}",
            where=where,
            expected="one row per region and year",
            todo="remove one",
        )
    if not (tonnes >= 0).all():
        name = own["region"].iloc[int(np.flatnonzero(~(tonnes >= 0))[0])]
        raise DataError(
            f"the emissions of {name} are negative or missing",
            where=where,
            expected="zero or more",
            todo="mend it",
        )


def check_proxy(name: str) -> str:
    """The label of a proxy as the recipe names it.

    Raises
    ------
    UsageError
    """
    if name not in PROXIES:
        raise UsageError(
            f"unknown regional proxy {name!r}",
            expected=f"one of {', '.join(PROXIES)}",
            todo="choose one of them",
        )
    return PROXIES[name]
