"""From a file's own names, axes and units to the canonical ones, with every change put on record."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import xarray as xr

from geotools.catalog.checks import check_units_against_values
from geotools.catalog.keys import closest
from geotools.catalog.schema import Entry, VariableSource
from geotools.errors import CRSError, DataError, UsageError
from geotools.metadata import VARIABLES, Variable, append_history, flag_attrs
from geotools.units import convert, require_readable, units_of

_LATITUDE = {"degrees_north", "degree_north", "degree_N", "degrees_N"}
_LONGITUDE = {"degrees_east", "degree_east", "degree_E", "degrees_E"}


def harmonise(raw: xr.Dataset, entry: Entry) -> xr.Dataset:
    """Bring an opened raster to canonical variables, axes, CRS, missing values and units.

    Parameters
    ----------
    raw : xarray.Dataset [lazy]
        As a reader returned it.
    entry : Entry
        Names the canonical variables.

    Returns
    -------
    xarray.Dataset [lazy]
        `lat`/`lon` ascending with longitude in [-180, 180) for geographic grids, `y`/`x` ascending otherwise; a
        scalar `crs` variable; canonical names and units; one `history` line per change.

    Raises
    ------
    UsageError
        When a variable is not in the file or not known to geotools.
    CRSError
        When there is no CRS.
    DataError, UnitsError
        When axes, missing values or units cannot be right.
    """
    where = str(entry.path)
    notes: list[str] = []
    data = _select(raw, entry, where)
    data = _rename_axes(data, where)
    data, crs = _crs(data, entry, where, notes)
    data = _normalise_axes(data, crs, where, notes)
    for name, source in entry.variables.items():
        data[name] = _values(data[name], name, source, where, notes)
    data = data.assign_coords(crs=((), np.int32(0), crs.to_cf()))
    for name in entry.variables:
        data[name].attrs["grid_mapping"] = "crs"
        data[name].encoding = {}
    history = raw.attrs.get("history", "")
    data.attrs = {"history": str(history), "source": entry.description or where}
    for note in notes:
        data.attrs = append_history(data.attrs, f"geotools: {note}")
    return data


def _select(raw: xr.Dataset, entry: Entry, where: str) -> xr.Dataset:
    if not raw.data_vars:
        raise DataError(
            "the file holds no variables", where=where, expected="gridded fields", todo="check the file"
        )
    wanted = {}
    for name, source in entry.variables.items():
        if name not in VARIABLES and source.long_name is None:
            raise UsageError(
                f"unknown canonical variable {name!r}",
                where=f"catalogue entry for {where}",
                expected=closest(name, VARIABLES),
                todo="use a canonical name on the left and put the file's name under `name:`; a variable of another "
                "kind says what it is by `long_name:`",
            )
        stored = source.name or name
        if stored not in raw.data_vars:
            raise UsageError(
                f"there is no variable {stored!r}",
                where=where,
                expected=f"one of {', '.join(map(str, raw.data_vars))}",
                todo=f"set `variables: {{{name}: {{name: ...}}}}` in the recipe or catalogue",
            )
        wanted[stored] = name
    if not wanted:
        raise UsageError(
            "no variables are named",
            where=where,
            expected="a `variables` mapping from canonical names to names in the file",
            todo="add it to the entry",
        )
    keep = [*wanted, *(n for n in _grid_mappings(raw) if n in raw.variables)]
    out = raw[keep].rename(wanted)
    for bounds in _time_bounds(out):
        if bounds in raw.variables:
            # It says over which years the months are means; without it a February of 28.25 days is lost.
            out = out.assign_coords({bounds: raw[bounds]})
    return out


def _time_bounds(data: xr.Dataset) -> list[str]:
    found = (c.attrs.get("climatology") or c.encoding.get("climatology") for c in data.coords.values())
    return [str(name) for name in found if name]


def _grid_mappings(raw: xr.Dataset) -> list[str]:
    found = []
    for variable in raw.data_vars.values():
        name = variable.attrs.get("grid_mapping") or variable.encoding.get("grid_mapping")
        if isinstance(name, str):
            found.append(name.split(":")[0].strip())
    return list(dict.fromkeys(found))


def _rename_axes(data: xr.Dataset, where: str) -> xr.Dataset:
    names: dict[str, str] = {}
    for dim in map(str, data.dims):
        if dim not in data.coords:
            continue
        attrs = data[dim].attrs
        units, standard, axis = attrs.get("units"), attrs.get("standard_name"), attrs.get("axis")
        if units in _LATITUDE or standard == "latitude" or dim.lower() in {"latitude", "lat"}:
            names[dim] = "lat"
        elif units in _LONGITUDE or standard == "longitude" or dim.lower() in {"longitude", "lon", "long"}:
            names[dim] = "lon"
        elif standard == "projection_y_coordinate" or axis == "Y" or dim == "y":
            names[dim] = "y"
        elif standard == "projection_x_coordinate" or axis == "X" or dim == "x":
            names[dim] = "x"
        elif standard == "time" or axis == "T" or dim in {"time", "valid_time", "month"}:
            names[dim] = "time"
    data = data.rename({k: v for k, v in names.items() if k != v})
    if not ({"lat", "lon"} <= set(data.dims) or {"y", "x"} <= set(data.dims)):
        raise DataError(
            f"the horizontal axes cannot be told among the dimensions {', '.join(map(str, data.dims))}",
            where=where,
            expected="coordinate variables with units degrees_north and degrees_east, or projected y and x",
            todo="add coordinate variables with CF attributes to the file",
        )
    return data


def _crs(data: xr.Dataset, entry: Entry, where: str, notes: list[str]) -> tuple[xr.Dataset, Any]:
    from pyproj import CRS
    from pyproj.exceptions import CRSError as ProjError

    declared = None
    for name in [*_grid_mappings(data), "spatial_ref", "crs"]:
        if name in data.variables:
            try:
                declared = CRS.from_cf(dict(data[name].attrs))
            except (ProjError, KeyError):
                continue
            break
    data = data.drop_vars([n for n in {*_grid_mappings(data), "spatial_ref", "crs"} if n in data.variables])
    for variable in data.data_vars.values():
        variable.attrs.pop("grid_mapping", None)
    if entry.crs is not None:
        try:
            given = CRS.from_user_input(entry.crs)
        except ProjError as error:
            raise CRSError(
                f"the CRS {entry.crs!r} cannot be read",
                where=where,
                expected="a code such as EPSG:4326 or WKT",
                todo="correct `crs` in the recipe or catalogue",
            ) from error
        if declared is not None and not declared.equals(given, ignore_axis_order=True):
            raise CRSError(
                f"the file says its CRS is {declared.name!r}, the entry says {given.name!r}",
                where=where,
                expected="one CRS",
                todo="remove `crs` from the entry, or correct the file",
            )
        if declared is None:
            notes.append(f"CRS {entry.crs} taken from the catalogue entry")
        return data, given
    if declared is not None:
        return data, declared
    if {"lat", "lon"} <= set(data.dims) and data["lat"].attrs.get("units") in _LATITUDE:
        # CF 4.1-4.2: axes in degrees_north and degrees_east are geographic; the datum is left to the reader.
        notes.append(
            "no grid mapping in the file; axes in degrees_north and degrees_east read as WGS84 (EPSG:4326)"
        )
        return data, CRS.from_epsg(4326)
    raise CRSError(
        "the raster names no coordinate reference system",
        where=where,
        expected="a CF grid mapping, a GeoTIFF CRS, or axes with units degrees_north and degrees_east",
        todo="set `crs: EPSG:...` on the entry if you know it",
    )


def _normalise_axes(data: xr.Dataset, crs: Any, where: str, notes: list[str]) -> xr.Dataset:
    if crs.is_geographic and {"y", "x"} <= set(data.dims):
        data = data.rename({"y": "lat", "x": "lon"})
    y, x = ("lat", "lon") if "lat" in data.dims else ("y", "x")
    for dim in (y, x):
        values = np.asarray(data[dim].values, dtype="float64")
        if not np.isfinite(values).all():
            raise DataError(
                f"the coordinate {dim!r} holds missing values",
                where=where,
                expected="finite coordinates",
                todo="correct the coordinate variable of the file",
            )
        if len(np.unique(values)) != len(values):
            raise DataError(
                f"the coordinate {dim!r} holds the same value twice",
                where=where,
                expected="strictly monotonic coordinates",
                todo="remove the duplicate rows or columns",
            )
    if x == "lon":
        lon = data["lon"].values.astype("float64")
        if lon.max() >= 180.0:
            if lon.max() > 360.0 or lon.min() < -180.0:
                raise DataError(
                    f"longitudes run from {lon.min():g} to {lon.max():g}",
                    where=where,
                    expected="-180 to 180 or 0 to 360",
                    todo="correct the longitude axis",
                )
            data = data.assign_coords(lon=("lon", (lon + 180.0) % 360.0 - 180.0, data["lon"].attrs))
            notes.append("longitude moved from 0-360 to [-180, 180)")
    for dim in (x, y):
        values = data[dim].values
        if np.any(np.diff(values) < 0):
            data = data.sortby(dim)
            notes.append(f"{dim} sorted into ascending order")
    names = {
        "lat": {"standard_name": "latitude", "units": "degrees_north", "axis": "Y", "long_name": "latitude"},
        "lon": {"standard_name": "longitude", "units": "degrees_east", "axis": "X", "long_name": "longitude"},
        "y": {"standard_name": "projection_y_coordinate", "units": "m", "axis": "Y"},
        "x": {"standard_name": "projection_x_coordinate", "units": "m", "axis": "X"},
    }
    for dim in (y, x):
        unit = data[dim].attrs.get("units", "m")
        data[dim].attrs = {**names[dim], **({"units": unit} if dim in "yx" else {})}
        data[dim].encoding = {}
    return data


def _values(
    field: xr.DataArray, name: str, source: VariableSource, where: str, notes: list[str]
) -> xr.DataArray:
    variable = _variable(field, name, source)
    attrs = dict(field.attrs)
    if source.nodata is not None:
        field = field.where(field != source.nodata)
        notes.append(f"{name}: {source.nodata:g} read as missing")
    if source.flags is not None:
        field.attrs = {**variable.attrs(), **flag_attrs(source.flags)}
        return field
    if source.units is not None:
        if attrs.get("units") not in (None, source.units):
            notes.append(f"{name}: units attribute {attrs['units']!r} overridden by {source.units!r}")
        attrs["units"] = source.units
    field.attrs = attrs
    stored = attrs.get("units")
    check_units_against_values(field, variable, where=where)
    field = convert(field, variable.units, liquid_water=variable.liquid_water)
    if stored != variable.units:
        notes.append(f"{name}: converted from {stored!r} to {variable.units!r}")
    methods = attrs.get("cell_methods")
    field.attrs = variable.attrs()
    if isinstance(methods, str) and "area:" in methods:
        field.attrs["cell_methods"] = methods
    return field


def _variable(field: xr.DataArray, name: str, source: VariableSource) -> Variable:
    """What is known of a variable: by its canonical name, or by what the entry and the file say of it."""
    known = VARIABLES.get(name)
    words = source.long_name
    if known is not None:
        if source.valid is not None:
            raise UsageError(
                f"the variable {name!r} has a plausible range already",
                where=f"catalogue entry, variables.{name}.valid",
                expected="`valid` only on variables of other names",
                todo="remove `valid`",
            )
        return known if words is None else replace(known, long_name=words)
    assert words is not None, "refused when variables were chosen"
    standard = field.attrs.get("standard_name")
    # Classes have no units.
    units = "1" if source.flags is not None else source.units or units_of(field)
    require_readable(units)
    return Variable(name, units, words, standard if isinstance(standard, str) else "", valid=source.valid)
