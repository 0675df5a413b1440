"""Joint model inputs: the fields cropped to each zone, with the shares of zone and regions in every cell."""

from __future__ import annotations

from pathlib import Path

import xarray as xr

from geotools.errors import UsageError
from geotools.model_inputs.generic import crop, prepare, write_netcdf, write_zarr
from geotools.recipe.context import Context
from geotools.recipe.files import replacing
from geotools.recipe.steps.carbon_terms import recent_emissions, territorial_field
from geotools.recipe.steps.fields import global_attributes, label_of, zone_fractions

_KG_PER_TG = 1e9
_SECONDS_PER_YEAR = 31_557_600.0


def run(context: Context) -> list[Path]:
    """Write one NetCDF file and one Zarr store for each zone."""
    fields = context.fields()
    regions, emissions = _regions(context), _fossil_emissions(context)
    fields = fields.assign({emissions.name: emissions.drop_vars("spatial_ref", errors="ignore")})
    shares = xr.concat(
        [f.rename({f.dims[0]: "zone"}) for f in zone_fractions(context).values()],
        dim="zone",
        combine_attrs="drop",
    )
    paths: list[Path] = []
    names = [_file_name(str(zone)) for zone in context.zones.index]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise UsageError(
            f"several zones would be written to {twice[0]}.nc",
            where="model inputs",
            expected="names that differ in letters and digits",
            todo="rename the polygons",
        )
    for zone in context.zones.index:
        data = _of_zone(context, fields, shares.sel(zone=zone, drop=True), regions, str(zone))
        netcdf = context.out / "model_inputs" / f"{_file_name(str(zone))}.nc"
        store = netcdf.with_suffix(".zarr")
        with replacing(netcdf) as temporary:
            write_netcdf(data, temporary)
        with replacing(store) as temporary:
            write_zarr(data, temporary)
        paths += [netcdf, store]
    return paths


def _of_zone(
    context: Context, fields: xr.Dataset, share: xr.DataArray, regions: xr.DataArray, zone: str
) -> xr.Dataset:
    kind = context.zones.loc[zone, "zone_kind"]
    inside = share.values > 0
    touching = (regions.values[:, inside] > 0).any(axis=1)
    # Shares of all zones of the run, and bounds, are for the whole grid and not for this file.
    data = fields.drop_vars(
        [
            n
            for n in fields.variables
            if str(n).endswith(("_fraction", "_bnds")) and n != "land_cover_fraction"
        ]
    )
    data = data.drop_dims([d for d in ("basin", "region", "polygon") if d in data.dims])
    share = share.drop_vars("spatial_ref", errors="ignore")
    data[f"{kind}_fraction"] = share.assign_attrs(
        long_name=f"share of the cell's area in {zone}", standard_name="area_fraction", units="1"
    )
    data["region_fraction"] = regions[touching].assign_attrs(
        long_name="share of the cell's area that lies in the region", standard_name="area_fraction", units="1"
    )
    data = crop(data, inside)
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


def _regions(context: Context) -> xr.DataArray:
    """Shares of first-order regions in every cell, of those that touch the grid [region, lat, lon; 1]."""
    from geotools.space import Overlap

    frame = context.open("regions").rename_axis("region")
    west, south, east, north = context.grid.bounds
    overlap = Overlap.between(frame.cx[west:east, south:north], context.grid)
    shares = overlap.fraction.drop_vars(
        ["valid_fraction", "covered_fraction", "spatial_ref"], errors="ignore"
    )
    return shares.drop_attrs(deep=False)


def _fossil_emissions(context: Context) -> xr.DataArray:
    """Territorial fossil emissions on the joint grid [lat, lon; kg m-2 s-1 of CO2]."""
    table = recent_emissions()
    per_cell = territorial_field(context)["emissions"]
    field = per_cell * _KG_PER_TG / context.grid.cell_areas() / _SECONDS_PER_YEAR
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
