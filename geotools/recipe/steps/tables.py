"""The long table that basins.csv and transect.csv share."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from geotools.recipe.context import SUMMARISED, Context, at_once
from geotools.recipe.steps.fields import label_of, soil_layers
from geotools.recipe.steps.uncertainty import intervals
from geotools.space.summary import statistics, tabulate

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

# At which depth a ground temperature holds; a mean annual temperature without its depth cannot be compared.
_LEVELS = {
    "magt": "top of permafrost or base of seasonal frost",
    "mean_annual_ground_surface_temperature": "surface",
}


# Statistics of each variable, and the shares of land cover.
Found = tuple[dict[str, dict[str, "xr.DataArray"]], "xr.DataArray"]


def summarised(context: Context) -> tuple[str, ...]:
    """Names of the fields that are summarised."""
    return (*SUMMARISED, *soil_layers(context))


def long_table(context: Context, kind: str, found: Found | None = None) -> pd.DataFrame:
    """Statistics of every variable by zone or segment, with Monte Carlo intervals and tiers.

    Parameters
    ----------
    context : Context
    kind : {"zones", "segments"}
    found : tuple, optional
        The statistics in memory, where they are known already.

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
    layers = soil_layers(context)
    names = summarised(context)
    # All of them at once, so that every chunk is read once for everything that is made of it.
    by_name, shares = found or at_once(
        {name: statistics(overlap, fields[name]) for name in names},
        overlap.mean(fields["land_cover_fraction"]),
    )
    tables = []
    for name in names:
        frame = tabulate(by_name[name], name, fields[name].attrs.get("units", "1"))
        # Means and sums of the input itself keep its tier; what a model made of it does not.
        own = name in ("maat", "annual_precipitation")
        source = climate if own else layers.get(name)
        frame["tier"] = source[1].tier.value if source else "modelled"
        frame["method"] = "area-weighted mean of the input" if source else label_of(context)
        frame["source"] = source[0] if source else context.sources
        frame["depth_m"] = fields[name].attrs.get("depth_bottom_m", np.nan)
        frame["level"] = _LEVELS.get(name, "")
        tables.append(frame)
    tables.append(
        _class_shares(shares, dim).assign(
            tier=cover[1].tier.value, method="area share", source=cover[0], depth_m=np.nan, level=""
        )
    )
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


def _class_shares(share: xr.DataArray, dim: str) -> pd.DataFrame:
    frame = share.drop_vars(["covered_fraction"], errors="ignore").to_dataframe("mean").reset_index()
    return frame.assign(variable="land_cover", p10=np.nan, p90=np.nan, unit="1")[
        [dim, "variable", "class", "mean", "p10", "p90", "valid_fraction", "unit"]
    ]


def write_csv(table: pd.DataFrame, path: object) -> None:
    """Write a table with 7 significant digits, whole or not at all."""
    from pathlib import Path

    from geotools.recipe.files import replacing

    assert isinstance(path, Path)
    with replacing(path) as temporary:
        table.to_csv(temporary, index=False, float_format="%.7g")
