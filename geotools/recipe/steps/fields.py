"""Climate and land cover brought to the joint grid, and the permafrost that is in balance with them."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

import xarray as xr

from geotools.catalog.schema import Entry
from geotools.errors import DataError, UsageError
from geotools.model_inputs.generic import prepare, write_netcdf
from geotools.recipe.context import FIELDS, ZONE_ROLES, Context
from geotools.recipe.files import replacing

if TYPE_CHECKING:
    from geotools.permafrost.equilibrium import EquilibriumSettings


def run(context: Context) -> list[Path]:
    """Write the harmonised and modelled fields, which all later steps read."""
    data = compute(context)
    path = context.out / FIELDS
    with replacing(path) as temporary:
        write_netcdf(data, temporary)
    return [path]


def compute(context: Context) -> xr.Dataset:
    """All fields on the joint grid, in memory."""
    from geotools.permafrost.equilibrium import equilibrium_permafrost
    from geotools.permafrost.parameters import ground_parameters
    from geotools.space import Overlap

    climate = context.open_raster("climate", ("tas", "pr"))
    cover = context.open_raster("land_cover", ("land_cover",))
    to_joint = Overlap.between(context.grid, climate)
    monthly = {name: _plain(to_joint.regrid(climate[name])) for name in ("tas", "pr")}
    for kind in ("zones", "segments"):
        _refuse_empty(context, monthly["tas"].mean("time", skipna=False, keep_attrs=True), kind)
    fractions = _plain(Overlap.between(context.grid, cover).class_fraction(cover["land_cover"]))
    fractions.attrs["standard_name"] = "area_fraction"
    ground = ground_parameters(
        fractions.swap_dims({"class": "flag_value"}),
        class_dim="flag_value",
        overrides=context.recipe.permafrost.ground,
    )
    modelled = equilibrium_permafrost(
        monthly["tas"], monthly["pr"], ground, settings=permafrost_settings(context)
    )
    label = label_of(context)
    for field in modelled.data_vars.values():
        field.attrs["comment"] = label
    out = xr.Dataset({**monthly, **modelled.data_vars, **ground.data_vars, "land_cover_fraction": fractions})
    out = out.assign(_soil_carbon(context).data_vars)
    out = out.assign(zone_fractions(context))
    out = _with_climatology(out, climate)
    return _prepare(context, out, climate)


def _refuse_empty(context: Context, field: xr.DataArray, kind: str) -> None:
    """Stop when a zone or segment lacks climate data, so that its means would stand for something else."""
    valid = context.overlap(kind).valid_fraction(field)
    what, least = str(valid.dims[0]), context.recipe.limits.min_valid_fraction
    poor = valid[((valid < least) | (valid == 0)).values]
    if poor.size:
        names = ", ".join(
            f"{label} ({share:.0%})" for label, share in zip(poor[what].values[:6], poor.values, strict=False)
        )
        raise DataError(
            f"{poor.size} {what}{'s have' if poor.size > 1 else ' has'} too little valid climate data: {names}",
            where=str(context.inputs["climate"][1].path),
            expected=f"valid data on at least {least:.0%} of the area of each {what} (limits.min_valid_fraction)",
            todo="use data that cover it, widen the joint grid (section grid), leave it out, or lower the limit",
        )


def _plain(field: xr.DataArray) -> xr.DataArray:
    """In memory, without coordinates that are for one field only, such as its valid fraction or its height."""
    return field.drop_vars(["valid_fraction", "covered_fraction", "height"], errors="ignore").compute()


def _with_climatology(out: xr.Dataset, climate: xr.Dataset) -> xr.Dataset:
    """Carry over the years that the months are means of."""
    time_axis = climate["time"]
    name = time_axis.attrs.get("climatology") or time_axis.encoding.get("climatology")
    if name is None or name not in climate.variables:
        return out
    out["time"].attrs["climatology"] = name
    bounds = climate[name].load()
    out[name] = (bounds.dims, bounds.values)
    return out


def label_of(context: Context) -> str:
    """What the modelled fields are called: "modelled from ERA5" in the default run."""
    name, entry = context.inputs["climate"]
    return f"modelled from {entry.label or name}"


def permafrost_settings(context: Context) -> EquilibriumSettings:
    """The settings of the recipe as the science takes them."""
    from geotools.permafrost.equilibrium import EquilibriumSettings

    recipe = context.recipe
    return EquilibriumSettings(
        submonthly_sd_K=recipe.climate.submonthly_sd_K,
        **recipe.snow.model_dump(exclude={"conductivity_method"}),
        snow_conductivity_method=recipe.snow.conductivity_method,
        magt_sd_K=recipe.permafrost.magt_sd_K,
    )


def soil_layers(context: Context) -> dict[str, tuple[str, Entry]]:
    """Variable name, source and entry of each soil carbon input.

    Raises
    ------
    UsageError
        When an entry does not say its depth interval, without which a stock cannot be compared.
    """
    layers = {}
    for role, (name, entry) in context.inputs.items():
        if not role.startswith("soil_carbon"):
            continue
        if entry.depth_top_m is None or entry.depth_bottom_m is None:
            raise UsageError(
                f"the soil carbon input {name!r} does not say its depth",
                where=str(entry.path),
                expected="depth_top_m and depth_bottom_m",
                todo="add both to the entry",
            )
        layers[f"csoil_{entry.depth_top_m:g}_{entry.depth_bottom_m:g}m".replace(".", "p")] = (name, entry)
    return layers


def _soil_carbon(context: Context) -> xr.Dataset:
    from geotools.space import Overlap

    found = {}
    for name, (_, entry) in soil_layers(context).items():
        role = next(r for r, (_, e) in context.inputs.items() if e is entry)
        data = context.open_raster(role, ("csoil",))
        field = _plain(Overlap.between(context.grid, data).regrid(data["csoil"]))
        depth = f"{entry.depth_top_m:g}-{entry.depth_bottom_m:g} m"
        found[name] = field.assign_attrs(
            long_name=f"soil carbon, {depth}",
            depth_top_m=entry.depth_top_m,
            depth_bottom_m=entry.depth_bottom_m,
        )
    return xr.Dataset(found)


def zone_fractions(context: Context) -> dict[str, xr.DataArray]:
    """One variable for each kind of zone, so that basins and regions have dimensions of their own."""
    fraction, kinds = _plain(context.overlap("zones").fraction), context.zones["zone_kind"]
    found = {}
    for kind in dict.fromkeys(kinds):
        part = fraction.sel(zone=kinds.index[kinds == kind].to_numpy()).rename(zone=kind)
        part.attrs = {
            "long_name": f"share of the cell's area that lies in the {kind}",
            "standard_name": "area_fraction",
            "units": "1",
        }
        notice = context.inputs[ZONE_ROLES[kind]][1].notice
        found[f"{kind}_fraction"] = part.assign_attrs({"license": notice} if notice else {})
    return found


def _prepare(context: Context, data: xr.Dataset, climate: xr.Dataset) -> xr.Dataset:
    data = data.drop_vars("crs", errors="ignore").rename({"spatial_ref": "crs"}).reset_coords("crs")
    for field in data.data_vars.values():
        if {"lat", "lon"} <= set(field.dims):
            field.attrs["grid_mapping"] = "crs"
    return prepare(data, **global_attributes(context, climate))


def global_attributes(context: Context, climate: xr.Dataset) -> dict[str, str]:
    """ACDD attributes of files on the joint grid.

    Parameters
    ----------
    context : Context
    climate : xarray.Dataset
        Its `history` is continued.
    """
    start, end = context.period
    records = [
        e for role, (_, e) in context.inputs.items() if not role.startswith(("published", "map", "series"))
    ]
    licences = [f"{e.description or e.path.name}: {e.licence}. {e.notice}".strip() for e in records]
    history = str(climate.attrs.get("history", "")).strip()
    now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    return {
        "title": f"{context.recipe.title}: fields on the joint grid",
        "summary": (
            f"Monthly air temperature and precipitation, land cover, basin fractions and equilibrium permafrost on one "
            f"grid. Permafrost and snow fields are {label_of(context)}, not observed."
        ),
        "source": context.sources,
        "history": f"{history}\n{now} geotools: brought to the joint grid".strip(),
        "licence": " ".join(dict.fromkeys(licences)),
        "acknowledgement": "; ".join(dict.fromkeys(e.attribution for e in records if e.attribution)),
        "references": "; ".join(dict.fromkeys(e.citation for e in records if e.citation)),
        "keywords": "permafrost, air temperature, precipitation, land cover, Lena, Amur, Heilongjiang",
        "creator_name": "geotools",
        "date_created": now,
        "time_coverage_start": start,
        "time_coverage_end": end,
        "time_coverage_resolution": "P1M",
        "project": "geotools",
        "processing_level": "modelled",
    }
