"""The trade balance on the page: by sector, and by region beside its natural exchange."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from geotools.report import trade_charts
from geotools.report.answer import Line, cell, chosen, closed, fluxes, lines_of
from geotools.report.images import inline_svg
from geotools.report.names import is_region, zone_name
from geotools.report.numbers import Quantity, quantity
from geotools.report.run_files import RunFiles
from geotools.vocabulary import Account

if TYPE_CHECKING:
    import pandas as pd

_NAMES = {"embodied_direct": "direct", "embodied_eebt": "EEBT", "embodied_mrio": "MRIO"}
_ORDER = list(_NAMES)
_SEE = "The numbers stand in the table."
_TOTALS = frozenset({"total", "all", "all_sectors", ""})


@dataclass(frozen=True)
class Balance:
    """What one account says of one sector or region, in Mt of CO2 per year."""

    exported: Quantity
    imported: Quantity
    balance: Quantity
    certain: str
    tier: str


@dataclass
class SectorTable:
    """Balances of one region with one partner in one year."""

    title: str
    year: str
    accounts: list[str]
    rows: list[tuple[str, bool, list[Balance | None]]]
    chart: str
    basis: list[str]


@dataclass
class RegionTable:
    """Balances of the regions of a year, beside their natural exchange."""

    accounts: list[str]
    rows: list[tuple[str, str, str, list[Balance | None], list[Line]]]
    map: str
    mapped: str
    unmapped: list[str]
    basis: list[str]
    has_natural: bool


@dataclass
class Trade:
    """The section."""

    sectors: list[SectorTable] = field(default_factory=list)
    regions: RegionTable | None = None
    years: list[str] = field(default_factory=list)


def section(files: RunFiles) -> Trade | None:
    """The trade section, or nothing where the run has no trade_balance.csv or it is empty."""
    table = files.table("trade_balance.csv")
    if table is None or table.empty:
        return None
    table = table.assign(year=[_year(y) for y in table["year"]])
    years = sorted(set(table["year"]))
    # One year is enough for a page; the file has all.
    table = table[table["year"] == years[-1]]
    split = table["region"].map(lambda r: is_region(r) and "-" in r)
    trade = Trade(years=years)
    nations = table[~split] if (~split).any() else table
    seen: set[frozenset[str]] = set()
    for i, ((region, partner), part) in enumerate(nations.groupby(["region", "partner"], sort=False)):
        # The partner's table is the same with the sign turned.
        if frozenset((str(region), str(partner))) not in seen:
            seen.add(frozenset((str(region), str(partner))))
            trade.sectors.append(_sectors(part, str(region), str(partner), i))
    if split.any():
        trade.regions = _regions(table[split], files.table("budget.csv"))
    return trade


def _year(value: float) -> str:
    return f"{value:.0f}" if value == value else ""


def _accounts(part: pd.DataFrame) -> list[str]:
    found = set(part["account"])
    return [a for a in _ORDER if a in found] + sorted(found - set(_ORDER))


def _mt(value: float, low: float = float("nan"), high: float = float("nan")) -> Quantity:
    return quantity(value / 1e6, low / 1e6, high / 1e6, unit="Mt yr-1", species="CO2", significant=3)


def _balance(row: Any) -> Balance:
    certain = cell(row, "sign_certain").lower()
    words = {"true": "yes", "1": "yes", "false": "no", "0": "no"}.get(certain, certain or "not stated")
    return Balance(
        _mt(row["export_tco2"]), _mt(row["import_tco2"]), _mt(row["balance_tco2"], row["lo95"], row["hi95"]),
        words, cell(row, "tier"),
    )  # fmt: skip


def _sectors(part: pd.DataFrame, region: str, partner: str, index: int) -> SectorTable:
    accounts = _accounts(part)
    found = {(r["sector"], r["account"]): r for r in part.to_dict("records")}
    names = list(dict.fromkeys(part["sector"]))
    names.sort(key=lambda s: s.lower() in _TOTALS)
    rows = []
    for name in names:
        total = name.lower() in _TOTALS
        cells = [_balance(found[name, a]) if (name, a) in found else None for a in accounts]
        rows.append(("All sectors" if total else _words(name), total, cells))
    drawn = [
        {
            "sector": "all sectors" if s.lower() in _TOTALS else s, "account": a,
            "balance": r["balance_tco2"] / 1e6, "lo95": r["lo95"] / 1e6, "hi95": r["hi95"] / 1e6,
        }
        for s in names for a in accounts if (r := found.get((s, a))) is not None
    ]  # fmt: skip
    title = f"{zone_name(region)} with {zone_name(partner)}"
    figure = trade_charts.sectors(drawn, accounts, _NAMES)
    text = f"Balance of CO2 embodied in trade, {title}, by sector and account, with 95 % intervals. {_SEE}"
    return SectorTable(
        title, str(part["year"].iloc[0]), [_NAMES.get(a, a) for a in accounts], rows,
        inline_svg(figure, f"sectors{index}", text), _basis(part),
    )  # fmt: skip


def _words(sector: str) -> str:
    text = sector.replace("_", " ")
    return text[:1].upper() + text[1:]


def _regions(part: pd.DataFrame, budget: pd.DataFrame | None) -> RegionTable:
    accounts = _accounts(part)
    totals = part[part["sector"].str.lower().isin(_TOTALS)]
    rows, values = [], {}
    # The account that may be set beside a monetary balance is EEBT.
    drawn = Account.EMBODIED_EEBT.value if Account.EMBODIED_EEBT in accounts else accounts[0]
    found = {(r["region"], r["partner"], r["account"]): r for r in totals.to_dict("records")}
    for region, partner in dict.fromkeys(zip(part["region"], part["partner"], strict=True)):
        cells = [_balance(r) if (r := found.get((region, partner, a))) else None for a in accounts]
        rows.append((region, zone_name(region), zone_name(partner), cells, _natural(budget, region)))
        if (region, partner, drawn) in found:
            values[region] = float(found[region, partner, drawn]["balance_tco2"]) / 1e6
    mapped = _NAMES.get(drawn, drawn)
    figure = trade_charts.region_map(
        values, title=f"CO₂ embodied in trade, {part['year'].iloc[0]}, {mapped}, proxied"
    )
    alt = f"Map of the balance of CO2 embodied in trade by region, proxied. {_SEE}"
    return RegionTable(
        [_NAMES.get(a, a) for a in accounts], rows, inline_svg(figure, "regions", alt) if figure else "", mapped,
        [zone_name(r) for r in values if r.endswith("-_X")], _basis(part), any(r[4] for r in rows),
    )  # fmt: skip


def _natural(budget: pd.DataFrame | None, region: str) -> list[Line]:
    """The net biome exchange of a region, or where its budget is not closed, its natural terms."""
    if budget is None:
        return []
    rows = budget[budget["zone"] == region]
    net = closed(rows)
    net = net[net["term"] == "net_biome_exchange"]
    natural = rows[rows["account"] == Account.NATURAL.value]
    return lines_of(net if len(net) else chosen(fluxes(natural)))


def _basis(part: pd.DataFrame) -> list[str]:
    """What the rows rest on, once each; the share of each region is left to the file."""
    texts = [re.sub(r"share [\d.]+, ", "", t) for c in ("basis", "source") if c in part for t in part[c]]
    return [t for t in dict.fromkeys(texts) if t]
