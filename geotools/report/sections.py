"""The other sections: transect, origin of the numbers, published values, inputs, how to reproduce."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from geotools.report import charts
from geotools.report.answer import Group, Line, budget_line, cell, groups, valid_text, zones
from geotools.report.images import inline_svg
from geotools.report.names import TIERS, is_region, zone_name
from geotools.report.numbers import Quantity, duration, quantity, size
from geotools.report.run_files import RunFiles
from geotools.vocabulary import Tier

_AT_TOWNS = (
    ("maat", "Air, annual mean", ""),
    ("annual_precipitation", "Precipitation", "mm yr-1"),
    ("magt", "Top of permafrost", ""),
    ("permafrost_probability", "Permafrost probability", ""),
    ("active_layer_thickness", "Active layer", ""),
)


@dataclass(frozen=True)
class Town:
    """A named place of the transect and the segment it lies in."""

    name: str
    lat: str
    distance: str
    away: str
    cells: list[tuple[Quantity | None, str]]


@dataclass(frozen=True)
class Towns:
    """The table of the named places."""

    headings: list[str]
    tiers: list[str]
    rows: list[Town]
    method: str


def towns(files: RunFiles) -> Towns | None:
    """Values of the segment nearest to each named place, or nothing without a transect."""
    import numpy as np

    from geotools.space.geodesy import distance

    table = files.table("transect.csv")
    points = _settings(files, "transect").get("points") or []
    if table is None or table.empty or not points:
        return None
    segments = table.drop_duplicates("segment").set_index("segment")[["distance_km", "lat", "lon"]]
    shown = [v for v in _AT_TOWNS if v[0] in set(table["variable"])]
    rows = []
    for name, lat, lon in points:
        away = distance(
            np.full(len(segments), lat), np.full(len(segments), lon), segments["lat"], segments["lon"]
        )
        nearest = segments.index[int(np.argmin(away))]
        here = table[table["segment"] == nearest].drop_duplicates("variable").set_index("variable")
        cells: list[tuple[Quantity | None, str]] = []
        for variable, _, unit in shown:
            if variable not in here.index:
                cells.append((None, ""))
                continue
            row = here.loc[variable]
            value = quantity(row["mean"], row["lo95"], row["hi95"], unit=unit or row["unit"])
            cells.append((value, valid_text(row.get("valid_fraction", float("nan")))))
        rows.append(
            Town(
                str(name),
                f"{lat:.2f}°",
                f"{segments.loc[nearest, 'distance_km']:.0f} km",
                f"{float(np.min(away)) / 1000:.0f} km",
                cells,
            )
        )
    first = table.drop_duplicates("variable").set_index("variable")
    tiers = [cell(first.loc[v], "tier") for v, _, _ in shown]
    methods = [cell(first.loc[v], "method") for v, _, _ in shown if v not in ("maat", "annual_precipitation")]
    return Towns([w for _, w, _ in shown], tiers, rows, "; ".join(dict.fromkeys(m for m in methods if m)))


@dataclass(frozen=True)
class Swath:
    """Carbon of the segments and of the whole swath."""

    chart: str
    parts: list[tuple[str, list[Group]]]


def swath(files: RunFiles) -> Swath | None:
    """Carbon terms of the transect's segments, or nothing where the budget has none."""
    budget, transect = files.table("budget.csv"), files.table("transect.csv")
    if budget is None or transect is None:
        return None
    carded = set(zones(files))
    rest = budget[~budget["zone"].isin(carded) & ~budget["zone"].map(is_region)]
    places = dict(zip(transect["segment"].astype(int), transect["distance_km"], strict=True))
    distances = {}
    for zone in dict.fromkeys(rest["zone"]):
        found = re.search(r"(\d+)$", zone)
        if found and int(found[1]) in places:
            distances[zone] = float(places[int(found[1])])
    segments, others = rest[rest["zone"].isin(list(distances))], rest[~rest["zone"].isin(list(distances))]
    figure = charts.along(segments, distances)
    text = "Carbon of each segment along the transect with 95 % bands. The numbers stand in budget.csv."
    wholes = [(zone_name(str(zone)), groups(part)) for zone, part in others.groupby("zone", sort=False)]
    parts = [(name, part) for name, part in wholes if part]
    if figure is None and not parts:
        return None
    return Swath(inline_svg(figure, "along", text) if figure else "", parts)


@dataclass(frozen=True)
class TierRow:
    """How many rows of each table are of a tier."""

    tier: str
    meaning: str
    counts: list[str]


def tiers(files: RunFiles) -> tuple[list[str], list[TierRow]]:
    """Tables that name tiers, and the count of each tier in them."""
    named = {n: t for n, t in files.tables.items() if "tier" in t}
    rows = []
    for tier in Tier:
        counts = [int((table["tier"] == tier.value).sum()) for table in named.values()]
        rows.append(TierRow(tier.value, TIERS[tier], [f"{c:,}".replace(",", "\u202f") for c in counts]))
    return list(named), rows


@dataclass(frozen=True)
class Published:
    """A published value."""

    zone: str
    site: str
    line: Line
    status: str
    note: str


def published(files: RunFiles) -> list[Published]:
    """Every published row of the budget, with its place, reference and caveats."""
    budget = files.table("budget.csv")
    if budget is None:
        return []
    rows = budget[budget["tier"] == Tier.PUBLISHED.value].to_dict("records")
    order = {z: i for i, z in enumerate(dict.fromkeys(budget["zone"]))}
    terms = {t: i for i, t in enumerate(dict.fromkeys(budget["term"]))}
    rows.sort(key=lambda r: (order[r["zone"]], terms[r["term"]]))
    return [
        Published(
            zone_name(str(r["zone"])), cell(r, "site"), budget_line(r), cell(r, "status"), _notes(r)
        )
        for r in rows
    ]  # fmt: skip


def _notes(row: Any) -> str:
    # How a published interval was converted stands in the method.
    parts = [cell(row, "method").removeprefix("published value; "), cell(row, "note")]
    return ". ".join(p.rstrip(".") for p in parts if p) + "." if any(parts) else ""


@dataclass(frozen=True)
class Input:
    """An input of the run."""

    name: str
    role: str
    description: str
    tier: str
    period: str
    licence: str
    attribution: str
    citation: str
    size: str
    sha256: str


def inputs(files: RunFiles) -> list[Input]:
    """What the run read, as run.json names it."""
    found = files.record.get("inputs")
    rows = []
    for role, entry in found.items() if isinstance(found, dict) else ():
        period = "–".join(dict.fromkeys(str(p)[:4] for p in entry.get("period", [])))
        text = {k: str(entry.get(k, "") or "") for k in ("name", "description", "tier", "licence", "attribution",
                                                         "citation", "sha256")}  # fmt: skip
        rows.append(
            Input(
                text["name"], str(role).replace("_", " "), text["description"], text["tier"], period,
                text["licence"], text["attribution"], text["citation"], size(float(entry.get("bytes", 0))),
                text["sha256"][:12],
            )
        )  # fmt: skip
    return rows


@dataclass(frozen=True)
class Reproduction:
    """What another needs to get the same numbers."""

    recipe: str
    seed: str
    code: str
    versions: list[tuple[str, str]]
    durations: list[tuple[str, str]]
    total: str
    memory: str


def reproduction(files: RunFiles) -> Reproduction:
    """Recipe, seed, versions, durations and memory of the run."""
    import yaml

    record = files.record
    recipe = yaml.safe_dump(
        record.get("recipe", {}), sort_keys=False, allow_unicode=True, default_flow_style=None
    )
    return Reproduction(
        recipe=recipe,
        seed=str(record.get("seed", "not recorded")),
        code=str(record.get("code", "not recorded")),
        versions=[(str(k), str(v)) for k, v in (record.get("versions") or {}).items()],
        durations=[(str(k), duration(float(v))) for k, v in (record.get("duration_s") or {}).items()],
        total=duration(float(record.get("total_duration_s") or 0)),
        memory=size(float(record.get("peak_memory_bytes") or 0)),
    )


def _settings(files: RunFiles, name: str) -> dict[str, Any]:
    recipe = files.record.get("recipe")
    found = recipe.get(name) if isinstance(recipe, dict) else None
    return found if isinstance(found, dict) else {}


def settings(files: RunFiles, name: str) -> dict[str, Any]:
    """A section of the recipe, empty where it has none."""
    return _settings(files, name)
