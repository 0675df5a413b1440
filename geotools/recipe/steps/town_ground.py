"""town_ground.csv: the ground under towns in two climates."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from geotools.permafrost.parameters import FIELDS as GROUND
from geotools.recipe.context import SECOND_CLIMATE, Context
from geotools.recipe.steps.cross_section import column_settings
from geotools.recipe.steps.fields import brought, label_of, permafrost_settings
from geotools.recipe.steps.tables import write_csv

if TYPE_CHECKING:
    import pandas as pd

CLIMATE = ("tas", "pr")
NEEDED = (*CLIMATE, *GROUND)
_FILE = "town_ground.csv"
# A place of the transect and a town of the same name are one if they lie this close, in degrees.
_SAME = 0.2


def run(context: Context) -> list[Path]:
    """Write the table of towns."""
    path = context.out / _FILE
    write_csv(table(context), path)
    return [path]


def table(context: Context) -> pd.DataFrame:
    """The towns with their ground in both climates; what is common to all stands in columns of their own."""
    from geotools.permafrost.bearing_capacity import Pile
    from geotools.permafrost.town_ground import town_ground_change

    chosen = context.recipe.towns
    # Lazy: only the cells of towns come into memory.
    fields = context.fields()
    first, ground = fields[list(CLIMATE)], fields[list(GROUND)]
    found = town_ground_change(
        towns(context),
        first,
        _second(context, first),
        ground,
        labels=labels(context),
        depth=chosen.depth_m,
        pile=Pile(chosen.pile_side_m, chosen.pile_depth_m),
        soil=chosen.soil,
        excess_ice=chosen.excess_ice,
        settings=permafrost_settings(context),
        column=column_settings(context),
        years=context.recipe.ground_column.years,
    )
    told = found.attrs
    return found.assign(
        climate_1=told["climate_1"],
        climate_2=told["climate_2"],
        ground_temperature_depth_m=chosen.depth_m,
        pile=told["pile"],
        tier="modelled",
        method=f"{label_of(context)}; {told['method'].removeprefix('modelled: ')}; {told['column']}",
        strength=told["strength"],
        settlement=told["settlement"],
        references=told["references"],
    )


def labels(context: Context) -> tuple[str, str]:
    """What the two climates are called, so that a warming that was given is never taken for data."""
    chosen = context.recipe.towns
    name, entry = context.inputs["climate"]
    first = _label(entry.label or name, context.period)
    if chosen.second_climate is not None:
        other, second = context.inputs[SECOND_CLIMATE]
        return first, _label(second.label or other, second.period or ("", ""))
    return first, f"{first}, every month {chosen.warming_K:+g} K, snow kept (a sensitivity, not a projection)"


def _label(name: str, period: tuple[str, str]) -> str:
    years = "-".join(day[:4] for day in period if day)
    return f"{name} {years}".strip()


def towns(context: Context) -> pd.DataFrame:
    """Places of the transect in order, then the towns of the zones, the largest first."""
    import pandas as pd

    known = _known(context)
    places = pd.DataFrame(list(context.recipe.transect.points), columns=["name", "lat", "lon"])
    apart = np.maximum(
        np.abs(known["lat"].to_numpy()[None] - places["lat"].to_numpy()[:, None]),
        np.abs(known["lon"].to_numpy()[None] - places["lon"].to_numpy()[:, None]),
    )
    same = (apart < _SAME) & (known["name"].to_numpy()[None] == places["name"].to_numpy()[:, None])
    twin = np.where(same.any(axis=1), same.argmax(axis=1), -1)
    for column in ("country", "region", "population"):
        values = known[column].to_numpy(dtype=object)
        places[column] = [values[i] if i >= 0 else None for i in twin]
    rest = known.drop(index=known.index[twin[twin >= 0]])
    rest = rest[rest["in_zone"] & (rest["population"] >= context.recipe.towns.min_population)]
    rest = rest.sort_values(["population", "name"], ascending=[False, True], kind="stable")
    every = [places.assign(on_transect=True), rest[places.columns].assign(on_transect=False)]
    return pd.concat([part.astype(object) for part in every if len(part)], ignore_index=True).astype(
        {"lat": float, "lon": float, "on_transect": bool}
    )


def _known(context: Context) -> pd.DataFrame:
    """All bundled towns, and whether they lie in a zone."""
    import pandas as pd
    import shapely

    from geotools.catalog import towns as bundled

    found = bundled()
    lon, lat = (np.asarray(v, dtype="float64") for v in (found.geometry.x, found.geometry.y))
    zones = shapely.union_all(context.zones.to_crs(4326).geometry.to_numpy())
    return pd.DataFrame(found.drop(columns="geometry")).assign(
        lat=lat, lon=lon, in_zone=shapely.contains_xy(zones, lon, lat)
    )


def rows_of(context: Context, size: int) -> list[tuple[int, int]]:
    """Pieces of some rows of the joint grid that hold towns: first row, and the one behind the last."""
    height = context.grid.shape[0]
    row = np.searchsorted(context.grid.y_edges, towns(context)["lat"].to_numpy(), side="right") - 1
    lon, edges = towns(context)["lon"].to_numpy(), context.grid.x_edges
    inside = (row >= 0) & (row < height) & (lon >= edges[0]) & (lon <= edges[-1])
    return [(k * size, min((k + 1) * size, height)) for k in np.unique(row[inside] // size).tolist()]


def _second(context: Context, first: xr.Dataset) -> xr.Dataset:
    if context.recipe.towns.second_climate is None:
        warmer = (first["tas"] + context.recipe.towns.warming_K).assign_attrs(first["tas"].attrs)
        # The snow stays as it is: the monthly snow model overdoes what a kelvin takes from the snow of October, and
        # ground under less snow is colder.
        return xr.Dataset({"tas": warmer})
    context.open_raster(SECOND_CLIMATE, CLIMATE)
    return xr.Dataset({name: _brought(context, name, first) for name in CLIMATE})


def _brought(context: Context, name: str, like: xr.Dataset) -> xr.DataArray:
    """A variable of the second climate on the joint grid, lazily in the bands of the run."""
    import dask.array as da
    from dask.delayed import delayed

    lazy: Any = da

    def values(first: int, last: int) -> Any:
        found = brought(context, slice(first, last), SECOND_CLIMATE, {name: "regrid"})[name]
        return np.asarray(found.transpose("time", "lat", "lon").values, dtype="float64")

    width = context.grid.shape[1]
    parts = [
        lazy.from_delayed(delayed(values, traverse=False)(*band), (12, band[1] - band[0], width), "float64")
        for band in context.bands
    ]
    attrs = context.rasters[SECOND_CLIMATE][name].attrs
    return xr.DataArray(
        lazy.concatenate(parts, axis=1),
        dims=("time", "lat", "lon"),
        coords={"lat": like["lat"], "lon": like["lon"]},
        attrs={"units": attrs["units"]},
    )
