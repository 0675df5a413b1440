"""What the steps of a run share: the recipe, opened inputs, zones, grid and overlaps."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from geotools.catalog.catalog import Catalog, open_catalog, open_entry
from geotools.catalog.schema import Entry
from geotools.errors import UsageError
from geotools.recipe.journal import MARKER
from geotools.recipe.model import Recipe

if TYPE_CHECKING:
    import geopandas as gpd
    import xarray as xr

    from geotools.space import Grid, Overlap, Transect

# What the workers of a run share while it goes on.
SHARED = ".blocks/overlaps"
FIELDS = "fields.nc"
# The climate that towns are compared in, where the recipe names one.
SECOND_CLIMATE = "second_climate"
DRAWS = "draws.nc"
# Rasters that are taken along the transect and nowhere else, in the order of their panels.
LAYER = "transect_layer"
ALONG_ONLY = ("elevation", "ndvi", LAYER)
# Tables that budget and trade are made from; role and catalogue name are the same.
TABLES = (
    "towns", "flux_densities", "regional_emissions", "trade_national", "trade_sector_shares", "trade_intensities",
    "trade_supply_chains", "sector_bridge", "regional_anchors", "fx",
)  # fmt: skip
MAP_LAYERS = ("land", "lakes", "rivers", "borders")
# The input that each kind of zone comes from.
ZONE_ROLES = {"basin": "basins", "region": "regions", "polygon": "polygons"}

# What a reader expects of a climate and permafrost transect, top to bottom.
SUMMARISED = (
    "maat", "annual_precipitation", "thawing_degree_days", "freezing_degree_days", "snow_depth_winter_mean",
    "snow_depth_max", "n_factor_freezing", "air_frost_number", "surface_frost_number",
    "mean_annual_ground_surface_temperature", "magt", "permafrost_probability", "thaw_depth",
    "active_layer_thickness", "permafrost_zone",
)  # fmt: skip


@dataclass
class Context:
    """One run.

    Parameters
    ----------
    recipe : Recipe
        With absolute paths.
    out : pathlib.Path
        The run directory.
    """

    recipe: Recipe
    out: Path
    overlaps: dict[str, Overlap] = field(default_factory=dict)
    rasters: dict[str, xr.Dataset] = field(default_factory=dict)
    source_grids: dict[str, Grid] = field(default_factory=dict)
    guard: threading.RLock = field(default_factory=threading.RLock, repr=False, compare=False)

    @cached_property
    def catalog(self) -> Catalog:
        """Bundled and user's catalogue."""
        return open_catalog(*self.recipe.catalogs)

    def entry(self, source: str | Entry) -> tuple[str, Entry]:
        """Name and entry of an input as the recipe names it."""
        if isinstance(source, Entry):
            return source.path.name, source
        return source, self.catalog[source]

    @cached_property
    def inputs(self) -> dict[str, tuple[str, Entry]]:
        """All inputs of the run: their role, name and entry."""
        chosen = self.recipe.inputs
        found = {"climate": self.entry(chosen.climate), "land_cover": self.entry(chosen.land_cover)}
        for number, source in enumerate(chosen.soil_carbon):
            found[f"soil_carbon_{number}"] = self.entry(source)
        for role, chosen_layer in (("elevation", chosen.elevation), ("ndvi", chosen.ndvi)):
            if chosen_layer is not None:
                found[role] = self.entry(chosen_layer)
        for number, source in enumerate(chosen.transect_layers.values()):
            found[f"{LAYER}_{number}"] = self.entry(source)
        if self.recipe.zones.basins:
            found["basins"] = self.entry("basins")
        found["regions"] = self.entry("admin_regions")
        if self.recipe.zones.polygons is not None:
            found["polygons"] = self.entry(Entry(path=self.recipe.zones.polygons, key=self.recipe.zones.key))
        found["published"] = self.entry("published_numbers")
        for number, path in enumerate(chosen.published):
            found[f"published_{number}"] = self.entry(Entry(path=path))
        for number, path in enumerate(chosen.observations):
            found[f"observations_{number}"] = self.entry(Entry(path=path))
        for name in TABLES:
            found[name] = self.entry(name)
        for layer in MAP_LAYERS:
            found[f"map_{layer}"] = self.entry(f"map_{layer}")
        if self.recipe.towns.second_climate is not None:
            found[SECOND_CLIMATE] = self.entry(self.recipe.towns.second_climate)
        for number, series in enumerate(self.recipe.series):
            found[f"series_{number}"] = self.entry(series.source)
        return found

    def open(self, role: str) -> Any:
        """Open an input by its role."""
        return open_entry(self.inputs[role][1])

    def open_raster(self, role: str, variables: tuple[str, ...]) -> xr.Dataset:
        """Open a raster input, once, and see that it has the variables its role needs.

        Raises
        ------
        UsageError
        """
        name, entry = self.inputs[role]
        missing = [v for v in variables if v not in entry.variables]
        if missing:
            raise UsageError(
                f"the input {name!r} for {role!r} has no {' and no '.join(missing)}",
                where=str(entry.path),
                expected=f"the variables {', '.join(variables)}",
                todo=f"add `variables: {{{missing[0]}: {{name: ...}}}}` to the entry",
            )
        with self.guard:
            if role not in self.rasters:
                # Opening looks through the values, so it is done once and not for every band.
                self.rasters[role] = self.open(role)
            return self.rasters[role]

    def source_grid(self, role: str) -> Grid:
        """The grid of a raster input that was opened before."""
        from geotools.space import Grid

        with self.guard:
            if role not in self.source_grids:
                self.source_grids[role] = Grid.from_dataarray(self.rasters[role])
            return self.source_grids[role]

    @cached_property
    def grid(self) -> Grid:
        """The joint grid."""
        from geotools.space import Grid

        g = self.recipe.grid
        return Grid.regular((g.west, g.south, g.east, g.north), g.resolution_deg, crs="EPSG:4326")

    def zone_frame(self, kind: str) -> gpd.GeoDataFrame:
        """The polygons of one kind of zone.

        Parameters
        ----------
        kind : {"basin", "region", "polygon"}

        Raises
        ------
        UsageError, DataError
            When a name is not known or a polygon cannot be used.
        """
        from geotools.catalog import admin_regions, basins, check_region_codes
        from geotools.space import check_zones

        settings = self.recipe.zones
        if kind == "basin":
            frame = basins(settings.basins)
        elif kind == "region":
            check_region_codes(settings.regions, where="zones.regions")
            frame = admin_regions().loc[settings.regions]
        else:
            frame = check_zones(self.open("polygons")).to_crs(4326)
        frame.index = frame.index.astype(str)
        return frame.assign(zone_kind=kind)

    @property
    def zone_kinds(self) -> list[str]:
        """The kinds of zone that the recipe names, basins first."""
        settings = self.recipe.zones
        named = {"basin": settings.basins, "region": settings.regions, "polygon": settings.polygons}
        return [kind for kind, there in named.items() if there]

    @cached_property
    def zones(self) -> gpd.GeoDataFrame:
        """The polygons that are summarised, basins first, index `zone`."""
        import pandas as pd

        from geotools.space import check_zones

        joined = pd.concat([self.zone_frame(kind) for kind in self.zone_kinds]).rename_axis("zone")
        # Polygons of one's own need not have a column of names.
        names = joined["name"] if "name" in joined else pd.Series(pd.NA, index=joined.index)
        joined["name"] = names.where(names.notna(), joined.index.to_series()).astype(str)
        return check_zones(joined)

    @cached_property
    def transect(self) -> Transect:
        """The transect with its segments."""
        from geotools.space import Transect

        t = self.recipe.transect
        return Transect(
            {name: (lat, lon) for name, lat, lon in t.points},
            segment_length_km=t.segment_length_km,
            half_width_km=t.half_width_km,
            name=t.name,
        )

    def overlap(self, kind: str) -> Overlap:
        """The overlap of the zones or of the transect's segments with the joint grid, built once."""
        return self.overlap_with(kind, "joint", lambda: self.grid)

    def overlap_with(
        self, kind: str, name: str, grid: Callable[[], Grid | xr.Dataset | xr.DataArray]
    ) -> Overlap:
        """The overlap of the zones or segments with any grid, built once and by one thread.

        Parameters
        ----------
        kind : {"zones", "segments"}
        name : str
            Of the grid, unique in the run.
        grid : callable
            Gives the grid, or a raster on it, when the overlap has to be built.

        Returns
        -------
        Overlap
        """
        from geotools.space import Overlap

        place = f"{kind} {name}"
        with self.guard:
            if place not in self.overlaps:
                target = self.zones if kind == "zones" else self.transect
                self.overlaps[place] = Overlap.between(target, grid(), cache=self._cache)
            return self.overlaps[place]

    @property
    def _cache(self) -> Path | None:
        """Where the workers of a run find what one of them built; a cache of one's own comes before it."""
        if os.environ.get("GEOTOOLS_CACHE") or not (self.out / MARKER).is_file():
            return None
        return self.out / SHARED

    def rows(self, rows: slice) -> Grid:
        """Some rows of the joint grid as a grid of their own."""
        from geotools.space.window import part_of

        return part_of(self.grid, (rows, slice(0, self.grid.shape[1])))

    @cached_property
    def bands(self) -> list[tuple[int, int]]:
        """First row and the one behind the last of each band in which fields are computed."""
        from geotools.recipe.bands import bands

        return bands(self)

    @cached_property
    def chunk_rows(self) -> int:
        """Rows that later steps read at a time."""
        from geotools.recipe.bands import chunk_rows

        return chunk_rows(self.grid.shape)

    def fields(self, *, chunked: bool = True) -> xr.Dataset:
        """The fields on the joint grid, as an earlier step wrote them; lazy, in chunks of rows or not yet cut.

        Parameters
        ----------
        chunked : bool
            Otherwise a part that is taken out can be cut into chunks of its own.
        """
        import xarray as xr

        from geotools.model_inputs.generic import small_chunk_cache

        with small_chunk_cache():
            data = with_names(xr.open_dataset(self.out / FIELDS, engine="netcdf4", chunks=None))
        return in_chunks(data, self.chunk_rows) if chunked else data

    @property
    def period(self) -> tuple[str, str]:
        """First and last day of the climate input, blank where the entry does not say."""
        return self.inputs["climate"][1].period or ("", "")

    @property
    def sources(self) -> str:
        """The inputs of the modelled fields in a few words."""
        return "; ".join(self.inputs[role][0] for role in ("climate", "land_cover"))


def with_names(data: xr.Dataset) -> xr.Dataset:
    """Fields as they were before they were written: labels along their dimensions, only maps lazy.

    Parameters
    ----------
    data : xarray.Dataset
        Opened from a file of prepared fields.

    Returns
    -------
    xarray.Dataset
    """
    small = {n: v.load() for n, v in data.variables.items() if not {"lat", "lon"} <= set(v.dims)}
    data = data.assign(small).set_coords([n for n in small if n in data.coords]).set_coords("crs")
    for name in [str(n) for n in data.coords if str(n).endswith("_name")]:
        dim = name.removesuffix("_name")
        data = data.rename_vars({name: dim}).set_xindex(dim)
    return data


def in_chunks(data: xr.Dataset, rows: int) -> xr.Dataset:
    """Maps of a dataset in lazy chunks of some rows; whatever else it holds stays as it is."""
    maps = {n: v for n, v in data.data_vars.items() if {"lat", "lon"} <= set(v.dims)}
    return data.assign({n: v.chunk({"lat": rows}) for n, v in maps.items()})


def at_once(*lazy: Any) -> tuple[Any, ...]:
    """Compute any number of lazy results, so that every chunk is read once for all that is made of it.

    Parameters
    ----------
    *lazy
        Lazy arrays, and lists and dicts of them.

    Returns
    -------
    tuple
        The same in memory.
    """
    from dask import base

    compute: Any = base.compute
    found: tuple[Any, ...] = compute(*lazy)
    return found
