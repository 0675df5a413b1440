"""Joint model inputs: the fields cropped to each zone, with the shares of zone and regions in every cell."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from geotools.errors import UsageError
from geotools.model_inputs.generic import crop, prepare, write_netcdf, write_zarr
from geotools.recipe.context import Context, in_chunks
from geotools.recipe.files import replacing
from geotools.recipe.steps.carbon_terms import recent_emissions, territorial_field
from geotools.recipe.steps.fields import global_attributes, label_of

if TYPE_CHECKING:
    from geotools.space import Overlap

# Of what is written, at the most: as read, with shares in float64, as it is packed.
_COPIES = 4
_KG_PER_TG = 1e9
_SECONDS_PER_YEAR = 31_557_600.0


def run(context: Context) -> list[Path]:
    """Write one NetCDF file and one Zarr store for each zone."""
    names = [_file_name(str(zone)) for zone in context.zones.index]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise UsageError(
            f"several zones would be written to {twice[0]}.nc",
            where="model inputs",
            expected="names that differ in letters and digits",
            todo="rename the polygons",
        )
    fields, emissions = context.fields(chunked=False), _fossil_emissions(context)
    fields = fields.assign({emissions.name: emissions.drop_vars("spatial_ref", errors="ignore")})
    paths: list[Path] = []
    inside, touching = _extents(context)
    for number, name in enumerate(names):
        netcdf = context.out / "model_inputs" / f"{name}.nc"
        store = netcdf.with_suffix(".zarr")
        data = _of_zone(context, fields, number, inside[number], touching[number])
        if fits_in_memory(context, data.nbytes):
            # Otherwise it is read for each of the two formats.
            data = data.load()
        with replacing(netcdf) as temporary:
            write_netcdf(data, temporary)
        with replacing(store) as temporary:
            write_zarr(data, temporary)
        paths += [netcdf, store]
    return paths


def fits_in_memory(context: Context, size: int) -> bool:
    """Whether the fields of a zone of some bytes are held to be written, within `limits.block_memory_mb`."""
    return size * _COPIES <= context.recipe.limits.block_memory_mb * 1e6


def _of_zone(
    context: Context,
    fields: xr.Dataset,
    number: int,
    inside: NDArray[np.bool_],
    touching: NDArray[np.bool_],
) -> xr.Dataset:
    zone = str(context.zones.index[number])
    kind = context.zones.loc[zone, "zone_kind"]
    # Shares of all zones of the run, and bounds, are for the whole grid and not for this file.
    data = fields.drop_vars(
        [
            n
            for n in fields.variables
            if str(n).endswith(("_fraction", "_bnds")) and n != "land_cover_fraction"
        ]
    )
    data = data.drop_dims([d for d in ("basin", "region", "polygon") if d in data.dims])
    share = context.overlap("zones").lazy_fraction(context.chunk_rows, [number]).isel(zone=0, drop=True)
    share = share.drop_vars("spatial_ref")
    data[f"{kind}_fraction"] = share.assign_attrs(
        long_name=f"share of the cell's area in {zone}", standard_name="area_fraction", units="1"
    )
    regions = _regions(context).lazy_fraction(context.chunk_rows, np.flatnonzero(touching).tolist())
    regions = regions.drop_vars("spatial_ref").drop_attrs(deep=False)
    data["region_fraction"] = regions.assign_attrs(
        long_name="share of the cell's area that lies in the region", standard_name="area_fraction", units="1"
    )
    data = in_chunks(crop(data, inside), context.chunk_rows)
    for field in data.data_vars.values():
        if {"lat", "lon"} <= set(field.dims):
            field.attrs["grid_mapping"] = "crs"
    name = context.zones.loc[zone, "name"]
    return prepare(
        data.reset_coords("crs"),
        **{
            **global_attributes(context, fields),
            "title": f"{context.recipe.title}: joint model inputs for {name}",
            "summary": (
                f"Monthly air temperature and precipitation, land cover, equilibrium permafrost, fossil emissions, and "
                f"shares of zone and regions per cell. Permafrost and snow fields are {label_of(context)}, not "
                f"observed; emissions are regional totals spread by population."
            ),
        },
    )


def _extents(context: Context) -> tuple[list[NDArray[np.bool_]], NDArray[np.bool_]]:
    """The rows and columns of each zone [lat, lon], and which regions share a cell with it [zone, region]."""
    zones, regions = context.overlap("zones").matrix, _regions(context).matrix
    inside, shared = [], np.zeros((zones.shape[0], regions.shape[0]), dtype=bool)
    for number, (cells, _) in enumerate(zones.rows()):
        here = np.zeros(context.grid.shape, dtype=bool)
        here.flat[cells] = True
        inside.append(np.logical_and.outer(here.any(axis=1), here.any(axis=0)))
        shared[number] = [here.flat[cells].any() for cells, _ in regions.rows()]
    return inside, shared


def _regions(context: Context) -> Overlap:
    """The first-order regions that touch the grid, and its cells."""
    from geotools.space import Overlap

    with context.guard:
        if "regions joint" not in context.overlaps:
            frame = context.open("regions").rename_axis("region")
            west, south, east, north = context.grid.bounds
            near = frame.cx[west:east, south:north]
            context.overlaps["regions joint"] = Overlap.between(near, context.grid)
        return context.overlaps["regions joint"]


def _fossil_emissions(context: Context) -> xr.DataArray:
    """Territorial fossil emissions on the joint grid [lat, lon; kg m-2 s-1 of CO2]."""
    table = recent_emissions()
    per_cell = territorial_field(context)["emissions"].chunk({"lat": context.chunk_rows})
    areas = xr.DataArray(context.grid.cell_areas(columns=slice(0, 1)), dims=("lat", "one")).isel(one=0)
    field = per_cell * _KG_PER_TG / areas / _SECONDS_PER_YEAR
    field.attrs = {
        "long_name": "fossil emissions of CO2",
        "standard_name": "tendency_of_atmosphere_mass_content_of_carbon_dioxide_due_to_emission",
        "units": "kg m-2 s-1",
        "cell_methods": "area: mean",
        "comment": (
            f"proxied: emissions of the regions in {int(table['year'].iloc[0])} spread by the population of towns; "
            "regions without a figure have none"
        ),
        "references": "; ".join(dict.fromkeys(table["reference"].astype(str))),
    }
    return field.rename("fossil_co2_emissions")


def _file_name(zone: str) -> str:
    # Names of one's own polygons may hold anything.
    return "".join(c if c.isalnum() or c in "-_" else "_" for c in zone)
