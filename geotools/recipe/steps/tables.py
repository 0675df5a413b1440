"""The long table that basins.csv and transect.csv share."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from geotools.recipe.context import SUMMARISED, Context
from geotools.recipe.steps.fields import label_of
from geotools.recipe.steps.uncertainty import intervals
from geotools.space.summary import summarise

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

# At which depth a ground temperature holds; a mean annual temperature without its depth cannot be compared.
_LEVELS = {"magt": "top of permafrost or base of seasonal frost", "mean_annual_ground_surface_temperature": "surface"}


def long_table(context: Context, kind: str) -> pd.DataFrame:
    """Statistics of every variable by zone or segment, with Monte Carlo intervals and tiers.

    Parameters
    ----------
    context : Context
    kind : {"zones", "segments"}

    Returns
    -------
    pandas.DataFrame
        `zone` or `segment`, `variable`, `depth_m`, `class`, `mean`, `p10`, `p90`, `lo95`, `hi95`,
        `valid_fraction`, `unit`, `tier`, `method`, `level`, `source`.
    """
    import pandas as pd

    overlap, fields = context.overlap(kind), context.fields()
    dim = str(overlap.zone_areas.dims[0])
    climate, cover = context.inputs["climate"], context.inputs["land_cover"]
    names = [n for n in SUMMARISED if n in fields] + [str(n) for n in fields.data_vars if str(n).startswith("csoil_")]
    tables = []
    for name in names:
        frame = summarise(overlap, fields[name])
        # Means and sums of the input itself keep its tier; what a model made of it does not.
        own = name in ("maat", "annual_precipitation")
        soil = _soil_entry(context, fields[name]) if name.startswith("csoil_") else None
        tier = climate[1].tier.value if own else soil[1].tier.value if soil else "modelled"
        frame["tier"] = tier
        frame["method"] = "area-weighted mean of the input" if own or soil else label_of(context)
        frame["source"] = soil[0] if soil else climate[0] if own else context.sources
        frame["depth_m"] = fields[name].attrs.get("depth_bottom_m", np.nan)
        frame["level"] = _LEVELS.get(name, "")
        tables.append(frame)
    shares = _class_shares(context, fields["land_cover_fraction"], kind)
    tables.append(shares.assign(tier=cover[1].tier.value, method="area share", source=cover[0], depth_m=np.nan, level=""))
    table = pd.concat(tables, ignore_index=True)
    table["lo95"] = table["hi95"] = np.nan
    order = {label: i for i, label in enumerate(overlap.zone_areas[dim].values)}
    for name, (low, high) in intervals(context, dim).items():
        rows = ((table["variable"] == name) & table["mean"].notna()).to_numpy()
        if not rows.any():
            continue
        place = table.loc[rows, dim].map(order).to_numpy(dtype=int)
        table.loc[rows, "lo95"], table.loc[rows, "hi95"] = low[place], high[place]
    return table


def _soil_entry(context: Context, field: xr.DataArray) -> tuple[str, object]:
    for role, (name, entry) in context.inputs.items():
        if role.startswith("soil_carbon") and entry.depth_bottom_m == field.attrs["depth_bottom_m"]:
            return name, entry
    raise AssertionError("a soil carbon field without its input")


def _class_shares(context: Context, fractions: xr.DataArray, kind: str) -> pd.DataFrame:
    overlap = context.overlap(kind)
    share = overlap.mean(fractions)
    frame = share.drop_vars(["covered_fraction"], errors="ignore").to_dataframe("mean").reset_index()
    return frame.assign(variable="land_cover", p10=np.nan, p90=np.nan, unit="1")[
        [str(overlap.zone_areas.dims[0]), "variable", "class", "mean", "p10", "p90", "valid_fraction", "unit"]
    ]


def refuse_empty(context: Context, table: pd.DataFrame, dim: str) -> None:
    """Stop when a zone lacks climate data, which would make its means stand for something else.

    Parameters
    ----------
    context : Context
    table : pandas.DataFrame
        From `long_table`.
    dim : {"zone", "segment"}

    Raises
    ------
    DataError
        Names the zones and their valid fractions.
    """
    from geotools.errors import DataError

    least = context.recipe.limits.min_valid_fraction
    rows = table[table["variable"] == "maat"]
    poor = rows[(rows["valid_fraction"] < least) | (rows["valid_fraction"] == 0)]
    if len(poor):
        names = ", ".join(f"{r[dim]} ({r['valid_fraction']:.0%})" for r in poor.head(6).to_dict("records"))
        raise DataError(
            f"{len(poor)} {dim}{'s have' if len(poor) > 1 else ' has'} too little valid climate data: {names}",
            where=str(context.inputs["climate"][1].path),
            expected=f"valid data on at least {least:.0%} of the area of each {dim} (limits.min_valid_fraction)",
            todo="use data that cover it, leave it out, or lower the limit",
        )


def write_csv(table: pd.DataFrame, path: object) -> None:
    """Write a table with 7 significant digits, whole or not at all."""
    from pathlib import Path

    from geotools.recipe.files import replacing

    assert isinstance(path, Path)
    with replacing(path) as temporary:
        table.to_csv(temporary, index=False, float_format="%.7g")
