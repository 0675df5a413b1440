"""transect.csv, transect.nc and transect_line.nc: statistics of every segment of the swath, and points of its line.

Where the recipe names observations, transect_stations.csv says where they lie along it.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import xarray as xr

from geotools.model_inputs.along_line import prepare_line
from geotools.model_inputs.generic import write_netcdf
from geotools.recipe.context import ALONG_ONLY, Context, at_once
from geotools.recipe.files import replacing
from geotools.recipe.steps.fields import label_of
from geotools.recipe.steps.observations import BUFFER_KM, FILE, observations
from geotools.recipe.steps.tables import Found, long_table, summarised, write_csv
from geotools.recipe.transect_layers import Layer, along, layers, tell_if_missing
from geotools.space.summary import tabulate
from geotools.space.transect_extract import STATISTICS, covered, extract, sample

if TYPE_CHECKING:
    import pandas as pd

COLUMNS = [
    "segment", "distance_km", "lat", "lon", "variable", "depth_m", "class", "mean", "median", "sd", "p10", "p90",
    "lo95", "hi95", "valid_fraction", "cells", "unit", "tier", "level", "method", "source",
]  # fmt: skip
COVER = "land_cover_fraction"
# The table gives whatever is known of a segment with its valid fraction; files for other programs keep to the rule.
MIN_COVERAGE = 0.5
_OFFSETS = ("surface_offset", "thermal_offset", "nival_offset")
_LAYER_METHOD = "area-weighted mean of the input on its own grid"


def run(context: Context) -> list[Path]:
    """Write the table, and the same with samples of the line as NetCDF."""
    fields = context.fields()
    names = summarised(context)
    chosen = {**{name: fields[name] for name in names}, **offsets(fields)}
    overlap = context.overlap("segments")
    line = context.transect
    # All of them at once, so that every chunk is read once for everything that is made of it.
    found, shares, points = at_once(
        extract(line, chosen, statistics=STATISTICS, min_coverage=0.0, overlap=overlap),
        extract(line, fields[COVER], statistics=("mean",), min_coverage=0.0, overlap=overlap),
        sample(line, chosen, spacing_km=10.0, min_coverage=MIN_COVERAGE),
    )
    beside = []
    for layer in layers(context):
        # One after the other: each has a grid of its own, and the finest decides what is held.
        of_segments, of_points = at_once(*along(context, layer, min_coverage=MIN_COVERAGE))
        tell_if_missing(context, layer, of_segments)
        found, points = _joined(found, of_segments), _joined(points, of_points)
        beside.append(layer)
    paths = [context.out / "transect.csv"]
    write_csv(_table(context, found, shares, beside), paths[0])
    both = covered(_joined(found, shares), MIN_COVERAGE)
    # The polygons go with the segments; a point of the line is no area.
    for data, path, of_areas in (
        (both, context.out / "transect.nc", True),
        (points, context.out / "transect_line.nc", False),
    ):
        period = context.period if all(context.period) else None
        attrs = _attributes(context, fields, data)
        with replacing(path) as temporary:
            prepared = prepare_line(data, transect=line if of_areas else None, period=period, **attrs)
            write_netcdf(prepared, temporary)
        paths.append(path)
    return [*paths, *_stations(context)]


def _joined(one: xr.Dataset, other: xr.Dataset) -> xr.Dataset:
    """Both along the same line, whose places and words are those of the first."""
    return xr.merge([one, other], compat="override", combine_attrs="override")


def _stations(context: Context) -> list[Path]:
    """Where stations lie along the line, those that are too far off among them."""
    import pandas as pd

    table = observations(context)
    if table is None:
        return []
    within, outside = context.transect.stations(table, buffer_km=BUFFER_KM)
    path = context.out / FILE
    write_csv(pd.concat([within.assign(within=True), outside.assign(within=False)]), path)
    return [path]


def offsets(fields: xr.Dataset) -> dict[str, xr.DataArray]:
    """Surface, thermal and nival offset, lazily.

    The nival offset is that of the months with air below 0 degC, in which the surface has the temperature of the air
    times the freezing n-factor.

    Parameters
    ----------
    fields : xarray.Dataset [lat, lon]
        With the three mean annual temperatures, air temperature by month, and the freezing n-factor.

    Returns
    -------
    dict of str to xarray.DataArray [lat, lon; K]
    """
    from geotools.permafrost import nival_offset, surface_offset, thermal_offset

    ground, air = fields["mean_annual_ground_surface_temperature"], fields["tas"]
    winter = (air * fields["n_factor_freezing"]).where(air < 0.0, air).assign_attrs(units="degC")
    found = {
        "surface_offset": surface_offset(ground, fields["maat"]),
        "thermal_offset": thermal_offset(fields["magt"], ground),
        "nival_offset": nival_offset(winter, air)["nival_offset"],
    }
    told = {"cell_methods": "area: mean time: mean", "grid_mapping": "crs"}
    return {name: offset.assign_attrs(told) for name, offset in found.items()}


def _table(context: Context, found: xr.Dataset, shares: xr.Dataset, beside: list[Layer]) -> pd.DataFrame:
    import pandas as pd

    table = long_table(context, "segments", _as_summarised(context, found, shares))
    more = [
        _rows_of(found, name).assign(method=label_of(context), tier="modelled", source=context.sources)
        for name in _OFFSETS
    ]
    more += [
        _rows_of(found, layer.name).assign(
            method=_LAYER_METHOD, tier=layer.entry.tier.value, source=layer.source
        )
        for layer in beside
    ]
    table = pd.concat([table, *more])
    names = (*summarised(context), *_OFFSETS, *(layer.name for layer in beside))
    wide = [_further(found, name) for name in names]
    cover = shares[f"{COVER}_cells"].isel({"class": 0}).rename("cells").to_series().reset_index()
    further = pd.concat([*wide, cover.assign(variable="land_cover")])
    table = table.merge(further, on=["segment", "variable"], how="left")
    places = context.transect.segments[["distance_km", "lat", "lon"]]
    return table.join(places, on="segment").sort_values("segment", kind="stable")[COLUMNS]


def _as_summarised(context: Context, found: xr.Dataset, shares: xr.Dataset) -> Found:
    """What was extracted in the form that tables of zones are made of."""
    by_name: dict[str, dict[str, xr.DataArray]] = {}
    for name in summarised(context):
        by_name[name] = _statistics(found, name)
    mean = shares[f"{COVER}_mean"].reset_coords(["distance_km", "lat", "lon"], drop=True)
    # Of classes the land cover is known or not, whichever of them it is.
    valid = shares[f"{COVER}_coverage"].variable
    return by_name, mean.assign_coords(valid_fraction=valid)


def _statistics(found: xr.Dataset, name: str) -> dict[str, xr.DataArray]:
    """The statistics of one variable in the form that a table is made of."""
    valid = found[f"{name}_coverage"].variable
    if f"{name}_fraction" in found:
        share = found[f"{name}_fraction"].rename({f"{name}_class": "class"})
        return {"share": share.assign_coords(valid_fraction=valid)}
    low, high = (found[f"{name}_{statistic}"] for statistic in ("p10", "p90"))
    spread = xr.concat([low, high], "quantile", coords="minimal", compat="override", combine_attrs="drop")
    return {"mean": found[f"{name}_mean"].assign_coords(valid_fraction=valid), "spread": spread}


def _rows_of(found: xr.Dataset, name: str) -> pd.DataFrame:
    unit = found[f"{name}_mean"].attrs["units"] if f"{name}_mean" in found else "1"
    rows = tabulate(_statistics(found, name), name, unit)
    return rows.assign(lo95=np.nan, hi95=np.nan, depth_m=np.nan, level="")


def _further(found: xr.Dataset, name: str) -> pd.DataFrame:
    """Median, standard deviation and number of cells, which only segments are given."""
    import pandas as pd

    values = {n: found[f"{name}_{n}"].values for n in ("median", "sd", "cells") if f"{name}_{n}" in found}
    return pd.DataFrame({"segment": found["segment"].values, "variable": name, **values})


def _attributes(context: Context, fields: xr.Dataset, data: xr.Dataset) -> dict[str, str]:
    now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    roles = ("climate", "land_cover", "soil", *ALONG_ONLY)
    entries = [e for role, (_, e) in context.inputs.items() if role.startswith(roles)]
    licences = [f"{e.description or e.path.name}: {e.licence}. {e.notice}".strip() for e in entries]
    start, end = context.period
    return {
        "title": f"{context.recipe.title}: {context.transect.name}",
        "summary": f"{data.attrs['comment']} Permafrost and snow fields are {label_of(context)}, not observed.",
        "source": "; ".join([context.sources, *(layer.source for layer in layers(context))]),
        "history": f"{fields.attrs['history']}\n{now} geotools: taken along the transect",
        "licence": " ".join(dict.fromkeys(licences)),
        "acknowledgement": "; ".join(dict.fromkeys(e.attribution for e in entries if e.attribution)),
        "references": "; ".join(dict.fromkeys(e.citation for e in entries if e.citation)),
        "keywords": "permafrost, transect, air temperature, snow, active layer, land cover",
        "creator_name": "geotools",
        "date_created": now,
        "time_coverage_start": start,
        "time_coverage_end": end,
        "project": "geotools",
        "processing_level": "modelled",
    }
