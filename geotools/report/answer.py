"""The answer first: the carbon budget and the state of each basin."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, TypeAlias

from geotools.report.names import account_name, term_name, zone_name
from geotools.report.numbers import Quantity, pretty_species, quantity
from geotools.report.run_files import RunFiles
from geotools.vocabulary import Account, Species

if TYPE_CHECKING:
    import pandas as pd

# Heading, lines, and notes under them.
Group: TypeAlias = "tuple[str, list[Line], list[str]]"
CARBON = frozenset({Species.C.value, Species.CO2_C.value, Species.CH4_C.value})
_ORDER = [Account.NATURAL, Account.LATERAL, Account.TERRITORIAL, Account.PRODUCTION]
# Information that is not about the zone as a whole stands further down.
_ASIDE = frozenset({Account.MEMO, Account.EMBODIED_DIRECT, Account.EMBODIED_EEBT, Account.EMBODIED_MRIO})
_CLOSING = (
    "net_biome_exchange", "net_biome_production", "territorial_emissions", "net_carbon_exchange",
    "net_ecosystem_carbon_balance",
)  # fmt: skip
CLOSED = "Closed budget, computed from the terms below"
_MARKS = frozenset({"chosen", "closed"})

# Variable of basins.csv or term of budget.csv, what it is called, and the unit a reader expects.
_STATE = (
    ("budget", "drainage_area", "Area", ""),
    ("basins", "permafrost_probability", "Share underlain by permafrost", ""),
    ("budget", "permafrost_area", "Permafrost area", ""),
    ("basins", "maat", "Air temperature, annual mean", ""),
    ("basins", "magt", "Ground temperature at the top of permafrost", ""),
    ("basins", "active_layer_thickness", "Active-layer thickness where there is permafrost", ""),
    ("basins", "annual_precipitation", "Precipitation", "mm yr-1"),
)


@dataclass(frozen=True)
class Line:
    """One number of the page with its origin.

    Parameters
    ----------
    name : str
    quantity : Quantity
    tier : str
    origin : list of str
        Source, period, share with data, caveats.
    doi : str
    short : str
        Few words for the source.
    caveats : list of str
        What must not be missed: period, share with data, status.
    again : bool
        Whether the row before is of the same term.
    """

    name: str
    quantity: Quantity
    tier: str
    origin: list[str]
    doi: str = ""
    short: str = ""
    caveats: list[str] = field(default_factory=list)
    again: bool = False


@dataclass
class Card:
    """A zone.

    Parameters
    ----------
    zone, name : str
    carbon : list of (heading, lines, notes)
    state : list of Line
    hidden : int
        Rows of the same terms that are not shown, since others are marked as chosen.
    """

    zone: str
    name: str
    carbon: list[Group] = field(default_factory=list)
    state: list[Line] = field(default_factory=list)
    hidden: int = 0


def cell(row: Any, column: str) -> str:
    """Text of a row's column, blank where the table has none."""
    value = row.get(column, "")
    return "" if value is None or (isinstance(value, float) and math.isnan(value)) else str(value).strip()


def zones(files: RunFiles) -> list[str]:
    """The zones of basins.csv, or where that is missing, those of the budget that are no segments."""
    basins, budget = files.table("basins.csv"), files.table("budget.csv")
    if basins is not None:
        return list(dict.fromkeys(basins["zone"]))
    if budget is None:
        return []
    return [z for z in dict.fromkeys(budget["zone"]) if not re.fullmatch(r"segment_\d+|transect_swath", z)]


def cards(files: RunFiles, chosen_zones: list[str]) -> list[Card]:
    """One card per zone."""
    return [_card(files, zone) for zone in chosen_zones]


def _card(files: RunFiles, zone: str) -> Card:
    card = Card(zone, zone_name(zone))
    budget = files.table("budget.csv")
    if budget is not None:
        rows = budget[budget["zone"] == zone]
        card.carbon = groups(rows)
        card.hidden = len(fluxes(rows)) - len(chosen(fluxes(rows)))
    for table, name, words, unit in _STATE:
        frame = budget if table == "budget" else files.table("basins.csv")
        line = _state_line(frame, zone, name, words, unit, is_budget=table == "budget")
        if line is not None:
            card.state.append(line)
    return card


def groups(rows: pd.DataFrame) -> list[Group]:
    """The carbon rows of a zone under headings: what closes the budget first, then each account."""
    net = closed(rows)
    found = [(CLOSED, lines_of(net), _lacks(net))]
    shown = chosen(fluxes(rows))
    accounts = sorted(set(shown["account"]), key=_place)
    found += [(account_name(a), lines_of(shown[shown["account"] == a]), []) for a in accounts]
    return [group for group in found if group[1]]


def _lacks(net: pd.DataFrame) -> list[str]:
    """What closed rows say they miss or assume, once for all of them."""
    if net.empty or "method" not in net:
        return []
    missing = [m[1] for text in net["method"] if (m := re.search(r"missing ([^;]+)", text))]
    names = list(dict.fromkeys(part.strip() for text in missing for part in text.split(",")))
    assumed = [part.strip() for text in net["method"] for part in text.split(";")[1:] if "assumed" in part]
    notes = [f"Missing, and not taken for zero: {_plain(', '.join(names))}."] if names else []
    return notes + [f"{_plain(part)[0].upper()}{_plain(part)[1:]}." for part in dict.fromkeys(assumed)]


def _plain(text: str) -> str:
    return text.replace("_", " ").replace("-/+", "±").replace("ch4", "CH₄").replace("co2", "CO₂")


def lines_of(rows: pd.DataFrame) -> list[Line]:
    """Rows of budget.csv, those of a term together."""
    lines = [budget_line(r) for r in _records(rows)]
    return [replace(x, again=i > 0 and lines[i - 1].name == x.name) for i, x in enumerate(lines)]


def closed(rows: pd.DataFrame) -> pd.DataFrame:
    """Derived rows that close a budget. They are memo rows, as their parts are in the budget already."""
    return rows[(rows["account"] == Account.MEMO.value) & rows["term"].isin(_CLOSING)]


def fluxes(rows: pd.DataFrame) -> pd.DataFrame:
    """Rows of a budget that are masses of carbon or a gas and stand for the whole zone."""
    gases = set(Species) - {Species.WATER, Species.NONE}
    keep = rows["species"].isin(gases) & ~rows["account"].isin(_ASIDE)
    if "site" in rows:
        keep &= rows["site"] == ""
    return rows[keep]


def chosen(rows: pd.DataFrame) -> pd.DataFrame:
    """Of several sources of a term the marked ones, or all where none is marked; never their sum."""
    if rows.empty:
        return rows
    marked = rows["status"].isin(_MARKS) if "status" in rows else rows["term"].isna()
    if "chosen" in rows:
        marked |= rows["chosen"].str.lower().isin(["true", "1", "yes"])
    keys = ["zone", "account", "term", "species"]
    has_marked = marked.groupby([rows[k] for k in keys]).transform("any")
    return rows[marked | ~has_marked]


def budget_line(row: Any) -> Line:
    """A row of budget.csv."""
    species = cell(row, "species")
    name = term_name(cell(row, "term"))
    top, bottom = row.get("depth_top_m", math.nan), row.get("depth_bottom_m", math.nan)
    if math.isfinite(top) and math.isfinite(bottom):
        depth = f"{top:g} m" if top == bottom else f"{top:g} to {bottom:g} m"
        name += f", {depth}"
    return Line(
        name=name,
        quantity=quantity(row["value"], row["lo95"], row["hi95"], unit=cell(row, "unit"), species=species),
        tier=cell(row, "tier"),
        origin=_origin(row),
        doi=cell(row, "doi"),
        short=_short(row),
        caveats=_caveats(row),
    )


def _origin(row: Any) -> list[str]:
    # What a published source is called says enough; what was done matters for the others.
    return [cell(row, "source" if cell(row, "tier") == "published" else "method"), *_caveats(row)]


def _short(row: Any) -> str:
    if cell(row, "term") in _CLOSING:
        return _plain(cell(row, "method").split(";")[0]).replace("= -", "= −").replace(" - ", " − ")
    if cell(row, "tier") == "published":
        return cell(row, "source").split(",")[0]
    return cell(row, "method").split(";")[0]


def _caveats(row: Any) -> list[str]:
    start, end = cell(row, "period_start")[:4], cell(row, "period_end")[:4]
    period = (start if start == end else f"{start}–{end}") if start else ""
    recalled = "recalled, to be verified" if cell(row, "status") == "recalled" else ""
    incomplete = "incomplete" if "incomplete: " in cell(row, "method") else ""
    valid = valid_text(row.get("valid_fraction", math.nan))
    if cell(row, "tier") == "scaled":
        # What has no such land cover has no such flux; that is no gap in the data.
        valid = valid.replace("data on", "from")
    return [p for p in (period, valid, recalled, incomplete) if p]


def valid_text(share: float) -> str:
    """The share of the area that had data, where it is not all of it."""
    if not math.isfinite(share) or share >= 0.9995:
        return ""
    return f"data on {100 * share:.3g} % of the area"


def _state_line(
    frame: pd.DataFrame | None, zone: str, name: str, words: str, unit: str, *, is_budget: bool
) -> Line | None:
    if frame is None:
        return None
    column = "term" if is_budget else "variable"
    rows = frame[(frame["zone"] == zone) & (frame[column] == name)]
    if is_budget:
        # Published areas stand beside each other in the section on sources.
        rows = rows[rows["tier"] != "published"]
    if rows.empty:
        return None
    row = rows.iloc[0]
    value = row["value"] if is_budget else row["mean"]
    # 1 kg m-2 of water is 1 mm; the amount is that of the mean year.
    shown = quantity(value, row["lo95"], row["hi95"], unit=unit or cell(row, "unit"))
    valid = valid_text(row["valid_fraction"])
    origin = [p for p in (cell(row, "method"), cell(row, "level"), valid) if p]
    short = cell(row, "method") if cell(row, "tier") == "modelled" and not is_budget else ""
    # The badge says "modelled" already.
    short = "" if short.startswith("area-weighted") else short.removeprefix("modelled ")
    return Line(words, shown, cell(row, "tier"), origin, short=short, caveats=origin[-1:] if valid else [])


def _place(account: str) -> int:
    return next((i for i, a in enumerate(_ORDER) if a == account), len(_ORDER) + (account == ""))


def _records(rows: pd.DataFrame) -> list[Any]:
    """Rows as mappings, terms together in the order they first appear."""
    order = {t: i for i, t in enumerate(dict.fromkeys(rows["term"]))}
    found: list[Any] = rows.to_dict("records")
    return sorted(found, key=lambda r: order[r["term"]])


def carbon_label(species: str) -> str:
    """The species where it is not plainly carbon."""
    return "" if species == Species.C else pretty_species(species)
