"""The figures of a run."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from geotools.recipe.context import Context
from geotools.recipe.files import replacing
from geotools.recipe.steps.fields import label_of

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def run(context: Context) -> list[Path]:
    """Draw the map and the transect profile as PNG."""
    import matplotlib as mpl

    # A batch node has no display.
    mpl.use("Agg")
    from geotools.report.style import save

    folder = context.out / "figures"
    paths = []
    for name, draw in (("basins_map", _map), ("transect_profile", _profile)):
        path = folder / f"{name}.png"
        with replacing(path) as temporary:
            save(draw(context), temporary)
        paths.append(path)
    return paths


def _sources(context: Context) -> str:
    parts = [
        f"{label_of(context)[0].upper()}{label_of(context)[1:]} by degree-days, a monthly snow model and TTOP."
    ]
    for name, entry in context.inputs.values():
        if entry.licence != "not stated":
            parts.append(
                f"{entry.description or name} ({entry.licence}{'; ' + entry.attribution if entry.attribution else ''})."
            )
    parts += list(dict.fromkeys(entry.notice for _, entry in context.inputs.values() if entry.notice))
    return "Sources: " + " ".join(parts)


def _map(context: Context) -> Figure:
    from geotools.catalog.locations import data_dir
    from geotools.catalog.readers import vector
    from geotools.report.map import MapLayers, basin_map

    maps = data_dir() / "maps"
    layers = MapLayers(
        *(vector.read(maps / f"{name}.geojson") for name in ("land", "lakes", "rivers", "borders"))
    )
    zones = context.zones[~context.zones.index.str.startswith("lena_amur")]
    return basin_map(
        context.fields()["permafrost_zone"],
        zones,
        context.transect.segments,
        list(context.recipe.transect.points),
        layers,
        title=f"Permafrost zones {label_of(context)}, basins and transect",
        sources=_sources(context),
    )


def _profile(context: Context) -> Figure:
    import pandas as pd

    from geotools.report.profile import transect_profile

    table = pd.read_csv(context.out / "transect.csv", keep_default_na=False, na_values=[""])
    transect = context.transect
    places = list(zip(transect.vertices["name"], transect.vertices["distance_km"], strict=True))
    return transect_profile(
        table,
        places,
        title=f"{transect.name}: {transect.length_km:.0f} km, swath {2 * transect.half_width_km:.0f} km wide",
        sources=_sources(context),
        label=label_of(context),
    )
