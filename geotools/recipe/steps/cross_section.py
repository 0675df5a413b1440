"""cross_section.nc, .csv and its figure: ground temperature over depth along the transect."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import xarray as xr

from geotools.permafrost.parameters import FIELDS as GROUND
from geotools.recipe.context import Context, at_once
from geotools.recipe.files import replacing
from geotools.recipe.steps.fields import global_attributes, label_of, permafrost_settings
from geotools.recipe.steps.tables import write_csv

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from geotools.permafrost.ground_layers import ColumnSettings

NAME = "cross_section"
# What columns are made from; the same on the segments as on the cells.
NEEDED = ("tas", "pr", *GROUND)
_DEEPEST_M = 500.0


def run(context: Context) -> list[Path]:
    """Bring a column under every segment into balance, and write it as numbers and as a figure."""
    section = computed(context)
    paths = [context.out / f"{NAME}.nc", context.out / f"{NAME}.csv"]
    _write(context, section, *paths)
    figures = [context.out / "figures" / f"{NAME}.{ending}" for ending in ("png", "pdf")]
    _draw(context, section, figures)
    return [*paths, *figures]


def column_settings(context: Context) -> ColumnSettings:
    """The settings of the recipe as the science takes them."""
    from geotools.permafrost.ground_layers import ColumnSettings

    chosen = context.recipe.ground_column
    return ColumnSettings(
        depth=chosen.depth_m,
        soil_depth=chosen.soil_depth_m,
        geothermal_flux=chosen.geothermal_flux_W_m2,
        rock_conductivity=chosen.rock_conductivity_W_m1_K1,
        winter=chosen.winter,
        snow_conductivity_method=chosen.snow_conductivity_method,
    )


def computed(context: Context) -> xr.Dataset:
    """Profiles of all segments [segment, depth], in memory."""
    from geotools.climate import annual_mean
    from geotools.permafrost.ground_balance import ground_in_balance

    overlap, fields = context.overlap("segments"), context.fields()
    (means,) = at_once({name: overlap.mean(fields[name]) for name in NEEDED})
    places = ("segment", "distance_km", "lat", "lon", "time")
    segments = xr.Dataset(
        {n: v.drop_vars([c for c in v.coords if c not in places]) for n, v in means.items()}
    )
    below = column_settings(context)
    out = ground_in_balance(
        segments["tas"],
        segments["pr"],
        segments,
        settings=permafrost_settings(context),
        column=below,
        depths=levels(below.depth),
        years=context.recipe.ground_column.years,
    )
    out["maat"] = annual_mean(segments["tas"]).assign_attrs(fields["maat"].attrs)
    for name in out.data_vars:
        if "segment" in out[name].dims and name != "maat":
            out[name].attrs["comment"] = "; ".join(
                filter(None, (out[name].attrs.get("comment", ""), label_of(context)))
            )
    return out


def levels(simulated: float) -> list[float]:
    """Depths [m] of the profile: those of the default, with the end of the column among them."""
    from geotools.permafrost.ground_balance import PROFILE_DEPTHS

    return sorted({*PROFILE_DEPTHS, simulated, max(_DEEPEST_M, simulated)})


def _write(context: Context, section: xr.Dataset, path: Path, table: Path) -> None:
    from geotools.model_inputs import prepare_line, tidy_table, write_netcdf

    climate = context.open_raster("climate", ("tas", "pr"))
    told = global_attributes(context, climate) | {
        "title": f"{context.recipe.title}: ground temperature along {context.transect.name}",
        "summary": (
            "Mean, lowest and highest ground temperature of a year, active layer, depth of zero annual amplitude and "
            "base of permafrost under the segments of a transect, from columns in balance with the mean year. They are "
            f"{label_of(context)}, not observed. Geothermal flux and rock are assumed; where the variable simulated is "
            "0, temperatures only follow the geothermal gradient."
        ),
        "keywords": "permafrost, ground temperature, active layer, transect",
        **{name: str(section.attrs[name]) for name in ("method", "ground", "winter")},
    }
    period = context.period if all(context.period) else None
    ready = prepare_line(section, transect=context.transect, period=period, **told)
    with replacing(path) as temporary:
        write_netcdf(ready, temporary)
    rows = tidy_table(section)
    simulated = section["simulated"].to_series().astype(bool)
    rows["simulated"] = rows["depth"].map(simulated).astype("boolean")
    write_csv(rows.assign(tier="modelled", method=label_of(context)), table)


def _draw(context: Context, section: xr.Dataset, paths: list[Path]) -> None:
    from geotools.report.style import save

    for path in paths:
        with replacing(path) as temporary:
            save(_figure(context, section), temporary)


def _figure(context: Context, section: xr.Dataset) -> Figure:
    from geotools.recipe.steps.figures import sources_of
    from geotools.report.cross_section import ground_cross_section

    transect = context.transect
    places = list(zip(transect.vertices["name"], transect.vertices["distance_km"], strict=True))
    differences = np.abs(section["difference_from_ttop"].values)
    return ground_cross_section(
        section,
        places,
        title=f"Ground temperature along {transect.name}, {label_of(context)}",
        sources=(
            f"{sources_of(context)} Column: {section.attrs['ground']}. It differs from TTOP by "
            f"{np.nanmean(differences):.2g} K in the mean of the segments."
        ),
        label=label_of(context),
    )
