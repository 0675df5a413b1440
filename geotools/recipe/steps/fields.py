"""Climate and land cover brought to the joint grid, and the permafrost that is in balance with them.

The grid is cut into bands of rows, each of which is computed and written by itself: every cell is for itself here.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import xarray as xr

from geotools.catalog.schema import Entry
from geotools.errors import DataError, UsageError
from geotools.model_inputs.generic import prepare as prepared
from geotools.model_inputs.generic import write_netcdf
from geotools.recipe.bands import wider
from geotools.recipe.blocks import FOLDER, Block
from geotools.recipe.context import (
    ALONG_ONLY,
    FIELDS,
    SECOND_CLIMATE,
    ZONE_ROLES,
    Context,
    in_chunks,
    with_names,
)
from geotools.recipe.files import replacing

if TYPE_CHECKING:
    from geotools.permafrost.equilibrium import EquilibriumSettings


def blocks(context: Context) -> list[Block]:
    """The bands of rows of the joint grid."""
    found = []
    for first, last in context.bands:
        name = f"fields/rows_{first:05d}-{last - 1:05d}"
        arguments = {"first": first, "last": last}
        found.append(Block(name, f"{__name__}:block", arguments, f"{FOLDER}/{name}.nc"))
    return found


def prepare(context: Context) -> None:
    """Stop when a zone or segment lacks climate data, before any band is computed in vain.

    Raises
    ------
    DataError
    """
    _refuse_empty(context)


def block(context: Context, path: Path, first: int, last: int) -> None:
    """Write the fields of the rows from `first` to before `last`."""
    climate = context.open_raster("climate", ("tas", "pr"))
    edges = context.rows(slice(first, last)).y_edges
    # The centre of a single row does not tell how high it is.
    bounds = {"lat_bnds": (("lat", "nv"), np.stack((edges[:-1], edges[1:]), axis=1))}
    data = _prepare(context, of_rows(context, slice(first, last)).assign(bounds), climate)
    for variable in data.variables.values():
        # Only to be read once more: packing would take longer than reading what is not packed.
        for key in ("zlib", "complevel", "shuffle", "chunksizes"):
            variable.encoding.pop(key, None)
    write_netcdf(data, path)


def run(context: Context) -> list[Path]:
    """Write the harmonised and modelled fields, which all later steps read, from the bands."""
    parts = [context.out / each.output for each in blocks(context)]
    climate = context.open_raster("climate", ("tas", "pr"))
    path = context.out / FIELDS
    with _joined(parts) as joined:
        # As they are read later, so that no packed chunk on disk is written twice.
        out = in_chunks(joined, context.chunk_rows).assign(zone_fractions(context))
        out = _prepare(context, _with_climatology(out, climate), climate)
        with replacing(path) as temporary:
            write_netcdf(out, temporary)
    return [path]


def _joined(parts: list[Path]) -> xr.Dataset:
    """The bands as one lazy dataset."""
    opened = [with_names(xr.open_dataset(part, chunks={}, engine="netcdf4")) for part in parts]
    return xr.concat(
        [each.drop_vars([n for n in each.variables if str(n).endswith("_bnds")]) for each in opened],
        dim="lat",
        data_vars="minimal",
        coords="minimal",
        compat="override",
        join="override",
        combine_attrs="override",
    )


def of_rows(context: Context, rows: slice) -> xr.Dataset:
    """All fields on some rows of the joint grid, in memory; of the inputs only what they need is read."""
    from geotools.permafrost.equilibrium import equilibrium_permafrost
    from geotools.permafrost.parameters import ground_parameters

    monthly = brought(context, rows, "climate", dict.fromkeys(("tas", "pr"), "regrid"))
    fractions = brought(context, rows, "land_cover", {"land_cover": "class_fraction"})["land_cover"]
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
    return out.assign(_soil_carbon(context, rows).data_vars)


def brought(context: Context, rows: slice, role: str, calls: dict[str, str]) -> dict[str, xr.DataArray]:
    """Variables of a raster input on some rows of the joint grid, in memory.

    Parameters
    ----------
    context : Context
    rows : slice
    role : str
    calls : dict of str to str
        Variables, and the method of `Overlap` that brings each of them to the grid.

    Returns
    -------
    dict of str to xarray.DataArray [any dims, lat, lon]
        Without coordinates that are for one field only, such as its valid fraction or its height.
    """
    from geotools.space import Overlap
    from geotools.space.window import part_of, window_on

    # Where the edges of two grids differ by rounding only, the row beyond decides which row the sliver between
    # them goes to, and it has to be the same however the grid is cut.
    more = wider(rows, context.grid.shape[0])
    kept = slice(rows.start - more.start, rows.stop - more.start)
    grid, data, source = (
        context.rows(more),
        context.open_raster(role, tuple(calls)),
        context.source_grid(role),
    )
    window = window_on(source, grid)
    read = data[list(calls)].isel(dict(zip(source.dims, window, strict=True))).compute()
    overlap = Overlap.between(grid, part_of(source, window))
    found = {}
    for name, call in calls.items():
        field: xr.DataArray = getattr(overlap, call)(read[name]).isel({grid.y_dim: kept})
        # A copy, for values and valid fractions come as views of one array.
        found[name] = field.drop_vars(
            ["valid_fraction", "covered_fraction", "height"], errors="ignore"
        ).copy()
    return found


def _refuse_empty(context: Context) -> None:
    """Stop when a zone or segment lacks climate data, so that its means would stand for something else."""
    known = np.full(context.grid.shape, np.nan, dtype="float32")
    for first, last in context.bands:
        monthly = brought(context, slice(first, last), "climate", {"tas": "regrid"})["tas"]
        known[first:last][monthly.notnull().all("time").values] = 1.0
    field = context.grid.wrap(known)
    for kind in ("zones", "segments"):
        valid = context.overlap(kind).valid_fraction(field)
        what, least = str(valid.dims[0]), context.recipe.limits.min_valid_fraction
        poor = valid[((valid < least) | (valid == 0)).values]
        if poor.size:
            names = ", ".join(
                f"{label} ({share:.0%})"
                for label, share in zip(poor[what].values[:6], poor.values, strict=False)
            )
            raise DataError(
                f"{poor.size} {what}{'s have' if poor.size > 1 else ' has'} too little valid climate data: {names}",
                where=str(context.inputs["climate"][1].path),
                expected=f"valid data on at least {least:.0%} of the area of each {what} (limits.min_valid_fraction)",
                todo="use data that cover it, widen the joint grid (section grid), leave it out, or lower the limit",
            )


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


def _soil_carbon(context: Context, rows: slice) -> xr.Dataset:
    found = {}
    for name, (_, entry) in soil_layers(context).items():
        role = next(r for r, (_, e) in context.inputs.items() if e is entry)
        field = brought(context, rows, role, {"csoil": "regrid"})["csoil"]
        depth = f"{entry.depth_top_m:g}-{entry.depth_bottom_m:g} m"
        found[name] = field.assign_attrs(
            long_name=f"soil carbon, {depth}",
            depth_top_m=entry.depth_top_m,
            depth_bottom_m=entry.depth_bottom_m,
        )
    return xr.Dataset(found)


def zone_fractions(context: Context) -> dict[str, xr.DataArray]:
    """One lazy variable for each kind of zone, so that basins and regions have dimensions of their own."""
    fraction, kinds = context.overlap("zones").lazy_fraction(context.chunk_rows), context.zones["zone_kind"]
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
    return prepared(data, **global_attributes(context, climate))


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
        e
        for role, (_, e) in context.inputs.items()
        if not role.startswith(("published", "observations", "map", "series", SECOND_CLIMATE, *ALONG_ONLY))
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
