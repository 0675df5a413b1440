"""series/<source>.nc and .csv: statistics of zones and segments for every time step of gridded inputs."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from geotools.errors import DataError
from geotools.metadata import CONVENTIONS
from geotools.recipe.blocks import FOLDER, Block
from geotools.recipe.context import ZONE_ROLES, Context
from geotools.recipe.files import replacing
from geotools.recipe.model import SeriesSettings
from geotools.recipe.series_inputs import block_steps, levels_of, opened, source_names
from geotools.recipe.steps.tables import write_csv

if TYPE_CHECKING:
    import pandas as pd

    from geotools.space import Overlap

NAME = "series"
_PLACE_ATTRS = {
    "lat": {"standard_name": "latitude", "units": "degrees_north"},
    "lon": {"standard_name": "longitude", "units": "degrees_east"},
    "distance_km": {"long_name": "distance of the middle of the segment along the transect"},
    "segment": {"long_name": "number of the segment along the transect", "units": "1"},
}
# A longer table is read from the NetCDF file.
_CSV_ROWS = 200_000


def blocks(context: Context) -> list[Block]:
    """One variable of one source over some time steps, each."""
    found = []
    for number, (source, series) in enumerate(zip(source_names(context), context.recipe.series, strict=True)):
        data = opened(context, number)
        for variable in series.variables:
            steps, size = data.sizes["time"], block_steps(data[variable], series.time_block)
            digits = len(str(steps - 1))
            for start in range(0, steps, size):
                stop = min(start + size, steps)
                name = f"{NAME}/{source}/{variable}/{start:0{digits}d}-{stop - 1:0{digits}d}"
                arguments = {"number": number, "variable": variable, "start": start, "stop": stop}
                found.append(Block(name, f"{__name__}:block", arguments, f"{FOLDER}/{name}.nc"))
    return found


def prepare(context: Context) -> None:
    """Build the overlaps once, here, before any worker needs them."""
    for number, series in enumerate(context.recipe.series):
        for kind in series.targets:
            _overlap(context, number, kind)


def block(context: Context, path: Path, *, number: int, variable: str, start: int, stop: int) -> None:
    """Write the statistics of some time steps.

    Parameters
    ----------
    context : Context
    path : pathlib.Path
    number : int
        Of the source in the recipe.
    variable : str
    start, stop : int
        The first time step, and the one after the last.
    """
    series = context.recipe.series[number]
    field = opened(context, number)[variable].isel(time=slice(start, stop))
    found = {}
    for kind in series.targets:
        for name, result in _statistics(_overlap(context, number, kind), field, series).items():
            found[f"{name}_{kind}"] = result
    lazy = xr.Dataset(found)
    try:
        # All at once, so that every chunk is read once for all statistics of zones and segments.
        data = lazy.compute()
    except (OSError, RuntimeError) as error:
        raise DataError(
            f"steps {start} to {stop - 1} of {variable} cannot be read ({str(error).splitlines()[0]})",
            where=str(context.inputs[f"{NAME}_{number}"][1].path),
            expected="a complete file that stays where it is",
            todo="put it back or fetch it again, then give the same command again",
        ) from error
    data.to_netcdf(path, engine="netcdf4")


def _overlap(context: Context, number: int, kind: str) -> Overlap:
    return context.overlap_with(kind, f"{NAME}_{number}", lambda: opened(context, number))


def _statistics(overlap: Overlap, field: xr.DataArray, series: SeriesSettings) -> dict[str, xr.Variable]:
    """Lazy results without coordinates: comparing their valid fractions would compute them one by one."""
    found: dict[str, xr.Variable] = {}
    valid: xr.Variable | None = None
    for statistic in series.statistics:
        if statistic not in levels_of(series):
            result: xr.DataArray = getattr(overlap, statistic)(field)
            found[statistic], valid = result.variable, result["valid_fraction"].variable
    if levels := levels_of(series):
        result = overlap.quantile(field, list(levels.values()))
        for i, statistic in enumerate(levels):
            found[statistic] = result.isel(quantile=i).variable
        valid = result["valid_fraction"].variable if valid is None else valid
    assert valid is not None
    return {**found, "valid_fraction": valid}


def run(context: Context) -> list[Path]:
    """Join the blocks of each source to one file, and to a table where that stays small."""
    paths: list[Path] = []
    for number, source in enumerate(source_names(context)):
        data = _joined(context, number)
        path = context.out / NAME / f"{source}.nc"
        with replacing(path) as temporary:
            data.to_netcdf(temporary, engine="netcdf4", encoding=_encoding(data))
        paths.append(path)
        table = _table(context, number, data)
        if table is not None:
            write_csv(table, path.with_suffix(".csv"))
            paths.append(path.with_suffix(".csv"))
    return paths


def _joined(context: Context, number: int) -> xr.Dataset:
    series, data = context.recipe.series[number], opened(context, number)
    out = xr.Dataset(coords=_time_axis(data), attrs=_attributes(context, number, data))
    for kind in series.targets:
        out = out.assign_coords(_places(_overlap(context, number, kind)))
    mine = [each for each in blocks(context) if each.arguments["number"] == number]
    for variable in series.variables:
        paths = [context.out / each.output for each in mine if each.arguments["variable"] == variable]
        parts = [xr.load_dataset(path, engine="netcdf4") for path in paths]
        for kind in series.targets:
            dim = _overlap(context, number, kind).zone_dim
            valid = f"{variable}_valid_fraction_{dim}"
            for statistic in (*series.statistics, "valid_fraction"):
                pieces = [part[f"{statistic}_{kind}"].variable for part in parts]
                axis, attrs = pieces[0].get_axis_num("time"), _words(data[variable], statistic, dim)
                values = np.concatenate([piece.values for piece in pieces], axis=axis)
                joined = xr.Variable(pieces[0].dims, values, {**pieces[0].attrs, **attrs})
                if statistic != "valid_fraction":
                    joined.attrs["ancillary_variables"] = valid
                out[f"{variable}_{statistic}_{dim}"] = joined
        further = [
            d for d in data[variable].dims if d in out.dims and d not in out.coords and d in data.coords
        ]
        out = out.assign_coords({d: data[d].variable.load() for d in further})
    return out


def _time_axis(data: xr.Dataset) -> dict[str, xr.Variable]:
    """Time with what says over which days or years its steps are."""
    found = {
        str(name): coordinate.variable.load()
        for name, coordinate in data.coords.items()
        if coordinate.dims[:1] == ("time",) and set(coordinate.dims) <= {"time", "nv", "bnds"}
    }
    for role in ("bounds", "climatology"):
        name = data["time"].attrs.get(role) or data["time"].encoding.get(role)
        if name in found:
            found["time"].attrs[role] = name
    return found


def _places(overlap: Overlap) -> dict[str, Any]:
    """Names, areas and places of the targets; CF wants coordinate variables to be numbers, and names beside them."""
    dim, areas = overlap.zone_dim, overlap.zone_areas
    found: dict[str, Any] = {f"{dim}_area": (dim, areas.values, areas.attrs)}
    covered = overlap.covered_fraction
    found[f"{dim}_covered_fraction"] = (dim, covered.values, covered.attrs)
    for name, coordinate in areas.coords.items():
        if coordinate.dims != (dim,):
            continue
        if coordinate.dtype.kind in "UO":
            label = f"{dim}_name" if name == dim else str(name)
            found[label] = (dim, coordinate.values.astype(object), {"long_name": f"name of the {dim}"})
        else:
            found[str(name)] = (
                dim,
                coordinate.values,
                {**_PLACE_ATTRS.get(str(name), {}), **coordinate.attrs},
            )
    return found


def _words(field: xr.DataArray, statistic: str, dim: str) -> dict[str, str]:
    what = field.attrs.get("long_name", str(field.name))
    if statistic == "valid_fraction":
        return {"long_name": f"share of the area of the {dim} that had data of {what}", "units": "1"}
    if statistic.startswith("p") and statistic[1:].isdigit():
        return {"long_name": f"{what}, {int(statistic[1:])} % quantile of the area of the {dim}"}
    return {"long_name": f"{what}, {statistic} of the {dim}"}


def _attributes(context: Context, number: int, data: xr.Dataset) -> dict[str, str]:
    name, entry = context.inputs[f"{NAME}_{number}"]
    kinds = context.zone_kinds if "zones" in context.recipe.series[number].targets else []
    outlines = [context.inputs[ZONE_ROLES[kind]][1] for kind in kinds]
    now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    history = str(data.attrs.get("history", "")).strip()
    licences = [
        f"{e.description or e.path.name}: {e.licence}. {e.notice}".strip() for e in (entry, *outlines)
    ]
    found = {
        "Conventions": CONVENTIONS,
        "title": f"{context.recipe.title}: series of zones and segments from {name}",
        "summary": "Area-weighted statistics of the cells of each zone and transect segment for every time step, with "
        "the share of its area that had data.",
        "source": entry.description or name,
        "history": f"{history}\n{now} geotools: statistics of zones and segments".strip(),
        "license": " ".join(dict.fromkeys(licences)),
        "acknowledgement": entry.attribution,
        "references": entry.citation,
        "processing_level": str(entry.tier),
    }
    return {key: value for key, value in found.items() if value}


def _encoding(data: xr.Dataset) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    for name, variable in data.variables.items():
        if "time" in variable.dims and (variable.dtype.kind in "MO"):
            # Bounds take units and calendar of their time.
            original = data["time"].encoding
            units = {k: original[k] for k in ("units", "calendar") if k in original}
            found[str(name)] = {**units, "dtype": "float64", "_FillValue": None}
        elif variable.dtype.kind == "f":
            found[str(name)] = (
                {"zlib": True, "complevel": 4} if "time" in variable.dims else {"_FillValue": None}
            )
    return found


def _table(context: Context, number: int, data: xr.Dataset) -> pd.DataFrame | None:
    import pandas as pd

    series, (name, entry) = context.recipe.series[number], context.inputs[f"{NAME}_{number}"]
    rows = len(series.variables) * data.sizes["time"]
    dims = {kind: _overlap(context, number, kind).zone_dim for kind in series.targets}
    plain = all({*field.dims} <= {"time", *dims.values()} for field in data.data_vars.values())
    if not plain or rows * sum(data.sizes[dim] for dim in dims.values()) > _CSV_ROWS:
        return None
    tables = []
    for kind, dim in dims.items():
        labels = _overlap(context, number, kind).labels
        for variable in series.variables:
            shape = (data.sizes["time"], labels.size)
            columns: dict[str, Any] = {
                "target": dim,
                "name": np.broadcast_to(labels.astype(str), shape).ravel(),
                "time": np.repeat([str(t)[:19] for t in data["time"].values], labels.size),
                "variable": variable,
            }
            for statistic in (*series.statistics, "valid_fraction"):
                field = data[f"{variable}_{statistic}_{dim}"].transpose("time", dim)
                columns[statistic] = field.values.ravel()
            unit = opened(context, number)[variable].attrs["units"]
            tables.append(pd.DataFrame({**columns, "unit": unit, "tier": entry.tier.value, "source": name}))
    return pd.concat(tables, ignore_index=True)
