"""basins.csv and basins.gpkg: statistics of every zone."""

from __future__ import annotations

from pathlib import Path

from geotools.recipe.context import ZONE_ROLES, Context
from geotools.recipe.files import replacing
from geotools.recipe.steps.tables import long_table, write_csv

COLUMNS = [
    "zone", "variable", "depth_m", "level", "class", "mean", "p10", "p90", "lo95", "hi95", "valid_fraction", "unit",
    "tier", "method", "source", "notice",
]  # fmt: skip
_ON_MAP = (
    "maat", "annual_precipitation", "magt", "permafrost_probability", "thaw_depth", "active_layer_thickness",
    "thawing_degree_days", "freezing_degree_days", "snow_depth_winter_mean",
)  # fmt: skip


def run(context: Context) -> list[Path]:
    """Write the long table and the polygons with their main numbers."""
    table = long_table(context, "zones")
    notices = {role: entry.notice for role, (_, entry) in context.inputs.items()}
    kinds = context.zones["zone_kind"]
    table["notice"] = table["zone"].map(lambda z: notices.get(ZONE_ROLES[kinds[z]], ""))
    csv, gpkg = context.out / "basins.csv", context.out / "basins.gpkg"
    write_csv(table[COLUMNS], csv)
    zones = context.zones.copy()
    for name in _ON_MAP:
        rows = table[table["variable"] == name].set_index("zone")
        for column in ("mean", "lo95", "hi95", "valid_fraction"):
            if column == "mean" or rows[column].notna().any():
                zones[name if column == "mean" else f"{name}_{column}"] = rows[column]
    zones["area_km2"] = context.overlap("zones").zone_areas.to_series().reindex(zones.index) / 1e6
    zones["tier"], zones["method"] = "modelled", rows["method"].iloc[0]
    zones["notice"] = [notices.get(ZONE_ROLES[k], "") for k in zones["zone_kind"]]
    with replacing(gpkg) as temporary:
        zones.reset_index().to_file(temporary, layer="zones", driver="GPKG")
    return [csv, gpkg]
