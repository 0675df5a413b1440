"""The figures of a run."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from geotools.recipe.context import ALONG_ONLY, MAP_LAYERS, ZONE_ROLES, Context
from geotools.recipe.files import replacing
from geotools.recipe.steps.carbon_terms import segment_label
from geotools.recipe.steps.fields import label_of
from geotools.recipe.steps.observations import FILE
from geotools.recipe.steps.transect import MIN_COVERAGE
from geotools.recipe.transect_layers import FLUXES, layers

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr
    from matplotlib.figure import Figure

# Cells of a map along each side: more than a printed page shows.
PIXELS = 1500


def run(context: Context) -> list[Path]:
    """Draw the map and the transect profile as PNG, and the profile as PDF."""
    from geotools.report.style import save

    folder = context.out / "figures"
    paths = []
    for name, draw, endings in (
        ("basins_map", _map, ("png",)),
        ("transect_profile", _profile, ("png", "pdf")),
    ):
        wanted = [folder / f"{name}.{ending}" for ending in endings]
        with ExitStack() as stack:
            save(draw(context), *(stack.enter_context(replacing(path)) for path in wanted))
        paths += wanted
    return paths


def sources_of(context: Context, *roles: str) -> str:
    """The sources of what a figure shows, once each."""
    parts = [
        f"{label_of(context)[0].upper()}{label_of(context)[1:]} by degree-days, a monthly snow model and TTOP."
    ]
    entries = [
        e for role, (_, e) in context.inputs.items() if role.startswith(("climate", "land_cover", *roles))
    ]
    for entry in entries:
        if entry.path.parent.name == "maps":
            parts.append(f"{entry.attribution}.")
        else:
            origin = f"{entry.licence}; {entry.attribution}" if entry.attribution else entry.licence
            parts.append(f"{entry.description or entry.path.name} ({origin}). {entry.notice}".strip())
    return "Sources: " + " ".join(dict.fromkeys(parts))


def thinned(field: xr.DataArray) -> xr.DataArray:
    """Every so many cells of a fine field: a figure shows no more, and classes have no mean."""
    step = {d: max(1, -(-n // PIXELS)) for d, n in field.sizes.items()}
    return field.isel({d: slice((k - 1) // 2, None, k) for d, k in step.items()})


def _map(context: Context) -> Figure:
    from geotools.report.map import MapLayers, basin_map

    layers = MapLayers(*(context.open(f"map_{name}") for name in MAP_LAYERS))
    zones = context.zones[~context.zones.index.str.startswith("lena_amur")]
    return basin_map(
        thinned(context.fields()["permafrost_zone"]).load(),
        zones,
        context.transect.segments,
        list(context.recipe.transect.points),
        layers,
        title=f"Permafrost zones {label_of(context)}, basins and transect",
        sources=sources_of(context, *context.zones["zone_kind"].map(ZONE_ROLES).unique(), "map"),
    )


def _profile(context: Context) -> Figure:
    import pandas as pd

    from geotools.report.profile import transect_profile
    from geotools.report.profile_parts import ExtraPanel

    table = pd.read_csv(context.out / "transect.csv", keep_default_na=False, na_values=[""])
    seen, sources = None, sources_of(context, *ALONG_ONLY)
    if context.recipe.inputs.observations:
        seen = pd.read_csv(context.out / FILE, keep_default_na=False, na_values=[""])
        seen = seen[seen["within"]]
        sources += f" Observations: {', '.join(path.name for path in context.recipe.inputs.observations)}."
    transect = context.transect
    told = layers(context)
    fluxes = _fluxes(context)
    table = pd.concat([table, fluxes], ignore_index=True)
    # Inputs of the run are named before.
    known = {name for name, _ in context.inputs.values()}
    named = (word for words in fluxes["source"].unique() for word in words.split("; ") if word not in known)
    sources += f" Carbon fluxes: {'; '.join(dict.fromkeys(named))}."
    places = list(zip(transect.vertices["name"], transect.vertices["distance_km"], strict=True))
    return transect_profile(
        table,
        places,
        title=f"{transect.name}: {transect.length_km:.0f} km, swath {2 * transect.half_width_km:.0f} km wide",
        sources=sources,
        label=label_of(context),
        observations=seen,
        extra=[ExtraPanel(layer.name, layer.title, layer.entry.label or layer.source) for layer in told],
    )


def _fluxes(context: Context) -> pd.DataFrame:
    """Net ecosystem exchange and fossil emissions of the segments by area, from the budget.

    Returns
    -------
    pandas.DataFrame
        As transect.csv; g m-2 yr-1 of C and of CO2, missing where less than half of a segment was known.
    """
    import pandas as pd

    budget = pd.read_csv(context.out / "budget.csv", keep_default_na=False, na_values=[""])
    segments = context.transect.segments
    by_zone = budget.set_index("zone").loc[lambda rows: rows.index.isin(map(segment_label, segments.index))]
    areas = by_zone.loc[by_zone["term"] == "area", "value"]
    places = segments[["distance_km", "lat", "lon"]].set_axis([segment_label(int(n)) for n in segments.index])
    found = []
    for term in FLUXES:
        rows = by_zone[by_zone["term"] == term].join(places)
        rows = rows[rows["valid_fraction"] >= MIN_COVERAGE]
        # From Tg yr-1 on km2.
        values = rows[["value", "lo95", "hi95"]].div(areas, axis=0).loc[rows.index] * 1e6
        columns = rows[["distance_km", "lat", "lon", "valid_fraction", "tier", "method", "source"]]
        found.append(
            values.rename(columns={"value": "mean"})
            .join(columns)
            .assign(variable=term, unit="g m-2 yr-1", **{"class": ""})
        )
    return pd.concat(found, ignore_index=True)
