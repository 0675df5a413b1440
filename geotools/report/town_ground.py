"""The ground under towns on the page: where permafrost is in balance with one of two climates, and what changes."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from geotools.report.answer import cell
from geotools.report.numbers import number
from geotools.report.run_files import RunFiles

FILE = "town_ground.csv"
_SHOWN = 30


@dataclass(frozen=True)
class TownRow:
    """A town with numbers as text, blank where there are none."""

    name: str
    lat: str
    temperatures: tuple[str, str]
    active_layers: tuple[str, str]
    capacity: str
    change: str


@dataclass(frozen=True)
class GroundTable:
    """What the page says of the ground under towns."""

    climates: tuple[str, str]
    depth: str
    rows: list[TownRow]
    tier: str
    pile: str
    strength: str
    method: str
    references: str
    left_out: list[str]


def section(files: RunFiles) -> GroundTable | None:
    """The towns with permafrost in balance with a climate, or nothing where the run has no such table."""
    table = files.table(FILE)
    if table is None or table.empty:
        return None
    frozen = table["active_layer_1_m"].notna() | table["active_layer_2_m"].notna()
    shown = table[frozen].head(_SHOWN)
    more = int(frozen.sum()) - len(shown)
    counts = table.loc[~frozen, "reason"].value_counts()
    left_out = [f"{reason}: {count}" for reason, count in counts.items()]
    if more:
        left_out.append(f"with permafrost, in the table alone: {more}")
    first = table.iloc[0]
    return GroundTable(
        climates=(cell(first, "climate_1"), cell(first, "climate_2")),
        depth=f"{first['ground_temperature_depth_m']:g} m",
        rows=[_row(row) for row in shown.to_dict("records")],
        tier=cell(first, "tier"),
        pile=cell(first, "pile"),
        strength=cell(first, "strength"),
        method=cell(first, "method"),
        references=cell(first, "references"),
        left_out=left_out,
    )


def _row(row: dict[Any, Any]) -> TownRow:
    def text(name: str, digits: int) -> str:
        value = float(row[name])
        return number(value, digits) if math.isfinite(value) else ""

    return TownRow(
        name=str(row["name"]),
        lat=f"{row['lat']:.2f}°",
        temperatures=(text("ground_temperature_1_degC", 1), text("ground_temperature_2_degC", 1)),
        active_layers=(text("active_layer_1_m", 1), text("active_layer_2_m", 1)),
        capacity=text("bearing_capacity_1_kN", -1),
        change=text("bearing_capacity_change_percent", 0),
    )
