"""transect.csv: statistics of every segment of the swath."""

from __future__ import annotations

from pathlib import Path

from geotools.recipe.context import Context
from geotools.recipe.steps.tables import long_table, write_csv

COLUMNS = [
    "segment", "distance_km", "lat", "lon", "variable", "depth_m", "class", "mean", "p10", "p90", "lo95", "hi95",
    "valid_fraction", "unit", "tier", "level", "method", "source",
]  # fmt: skip


def run(context: Context) -> list[Path]:
    """Write the long table with the place of each segment."""
    table = long_table(context, "segments")
    places = context.transect.segments[["distance_km", "lat", "lon"]]
    table = table.join(places, on="segment")
    table = table.sort_values("segment", kind="stable")
    path = context.out / "transect.csv"
    write_csv(table[COLUMNS], path)
    return [path]
