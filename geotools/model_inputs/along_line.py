"""CF-1.11 files of what lies along a line: segments of a transect, or points on it.

Which of the discrete sampling geometries of CF (chapter 9, appendix H) a transect is, follows from its coordinates:

* A *trajectory* is a path that something took, with a time for every place that increases along the path. A
  transect has no such order; CF 9.1 counts paths without a suitable time among what cannot be written as one.
* Each segment is a place of its own instead: a *timeSeries* where there is no depth (for a climatology with one time,
  a scalar with the bounds of its period), a *profile* for values over depth at one time, a *timeSeriesProfile*
  with both. The segment is the instance dimension; `distance_km` beside it gives the order along the line.
* Values of a segment stand for an area. Since CF 1.8 (7.5) data may point to a geometry: the polygons of the strip
  go with them, so that nobody has to take a mean over 25 km by 50 km for a value at its middle.
* Time is mandatory in all three. Where no period is known, the attribute featureType is left out and the same
  arrays are the orthogonal multidimensional representation, which is what CF 9.1 gives for this case.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from geotools.errors import DataError
from geotools.model_inputs.generic import global_attributes, plain_labels, require

if TYPE_CHECKING:
    from geotools.space import Transect

_CDM = {"timeSeries": "TimeSeries", "profile": "Profile", "timeSeriesProfile": "TimeSeriesProfile"}
_ROLE = {"timeSeries": "timeseries_id", "profile": "profile_id", "timeSeriesProfile": "timeseries_id"}
GEOMETRY, _NODE, _PART = "swath", "swath_node", "swath_part"
_PLACES: dict[str, dict[str, Any]] = {
    "lat": {"standard_name": "latitude", "long_name": "latitude", "units": "degrees_north", "axis": "Y"},
    "lon": {"standard_name": "longitude", "long_name": "longitude", "units": "degrees_east", "axis": "X"},
    "distance_km": {"long_name": "distance from the start of the transect", "units": "km"},
    "depth": {
        "standard_name": "depth", "long_name": "depth below the ground surface", "units": "m",
        "positive": "down", "axis": "Z",
    },
    "time": {
        "standard_name": "time", "long_name": "time", "axis": "T", "units_metadata": "leap_seconds: none",
    },
}  # fmt: skip


def prepare_line(
    data: xr.Dataset, *, transect: Transect | None = None, period: tuple[str, str] | None = None, **attrs: Any
) -> xr.Dataset:
    """Make a dataset along a line ready to be written as a CF discrete sampling geometry.

    Parameters
    ----------
    data : xarray.Dataset [segment or point, time and depth where there are any, others; CF units]
        With the coordinates `lat`, `lon` and `distance_km` along the first dimension. Every variable has `units`
        and `long_name`.
    transect : Transect, optional
        Whose segments these are: their polygons are put beside the values.
    period : (str, str), optional
        First and last day that values without a time of their own stand for.
    **attrs
        ACDD attributes; `title`, `summary`, `licence`, `source` and `history` are required.

    Returns
    -------
    xarray.Dataset [the dimension of the line comes first, then time, then depth]
        For `write_netcdf`. The attribute `featureType` is timeSeries, profile or timeSeriesProfile; without a time
        and without a period there is none.

    Raises
    ------
    DataError
        When coordinates, units or required attributes are missing, depth does not increase, variables are of more
        than one feature type, or the transect has other segments.
    """
    require(attrs, "a file along a line")
    dim = line_dim(data)
    out = plain_labels(data.copy())
    _check_variables(out, dim)
    feature = _feature_type(out, dim, period)
    out = out.transpose(dim, "time", "depth", ..., missing_dims="ignore")
    for name, field in out.data_vars.items():
        if "flag_values" in field.attrs and field.dtype.kind == "f":
            # Classes with missing values are floats in memory; CF wants the type of their flag values.
            dtype = np.asarray(field.attrs["flag_values"]).dtype
            out[name] = field.fillna(_no_class(dtype)).astype(dtype).assign_attrs(field.attrs)
    if "depth" in out.dims:
        _check_depth(out["depth"].values)
    for name, found in _PLACES.items():
        if name in out.coords:
            # What the data say of themselves comes first, but for the words that tell axes.
            own = out[name].attrs
            out[name].attrs = {
                **found,
                **{k: v for k, v in own.items() if k not in ("standard_name", "axis")},
            }
    out = _numbered(out, dim)
    if feature:
        out[dim].attrs["cf_role"] = _ROLE[feature]
    if period is not None and "time" not in out.dims:
        out = _with_period(out, period)
    out = _with_crs(out, dim)
    if transect is not None:
        out = _with_polygons(out, dim, transect)
    # Bounds are no coordinates, or they would be listed among those of the data.
    out = out.reset_coords([n for n in out.coords if str(n).endswith(("_bnds", "_bounds"))])
    out.attrs = _globals(out, feature, attrs)
    for variable in map(str, out.variables):
        out[variable].encoding = _encoding(out, variable)
    return out


def line_dim(data: xr.Dataset) -> str:
    """The dimension along the line.

    Raises
    ------
    DataError
    """
    missing = [n for n in ("lat", "lon", "distance_km") if n not in data.coords]
    if missing or data["distance_km"].ndim != 1:
        raise DataError(
            f"the coordinates {', '.join(missing)} are missing"
            if missing
            else "distance_km has not one dimension",
            where="data along a line",
            expected="lat, lon and distance_km along one dimension, as Transect.extract gives them",
        )
    return str(data["distance_km"].dims[0])


def _check_variables(data: xr.Dataset, dim: str) -> None:
    for name, field in data.data_vars.items():
        if dim not in field.dims or str(name).endswith(("_bnds", "_bounds")):
            continue
        missing = [a for a in ("units", "long_name") if a not in field.attrs]
        if missing:
            raise DataError(
                f"variable {name!r} has no {' and no '.join(missing)}",
                where="data along a line",
                todo=f"set its {missing[0]}",
            )


def _check_depth(depth: np.ndarray) -> None:
    if not (np.isfinite(depth).all() and (np.diff(depth) > 0).all()):
        raise DataError(
            f"depth does not increase: {np.array2string(depth[:6], separator=', ')} ...",
            where="data along a line",
            expected="metres below the surface, positive and increasing",
            todo="sort the data by depth",
        )


def _feature_type(data: xr.Dataset, dim: str, period: tuple[str, str] | None) -> str | None:
    """What all variables are, those along the line alone apart: such are properties of the instance (CF 9.2)."""
    kinds: dict[tuple[str, ...], str] = {}
    for name, field in data.data_vars.items():
        if dim in field.dims and not str(name).endswith(("_bnds", "_bounds")):
            kinds.setdefault(tuple(d for d in ("time", "depth") if d in field.dims), str(name))
    kinds.pop((), None)
    if len(kinds) > 1:
        named = ", ".join(f"{name!r} ({', '.join((dim, *dims))})" for dims, name in kinds.items())
        raise DataError(
            f"its variables are of more than one feature type: {named}",
            where="data along a line",
            expected="one feature type per file, as CF 9.4 wants it",
            todo="write one file for each",
        )
    found = next(iter(kinds), ())
    if "time" not in data.coords and period is None:
        return None
    if "depth" not in found:
        return "timeSeries"
    return "timeSeriesProfile" if "time" in found else "profile"


def _numbered(data: xr.Dataset, dim: str) -> xr.Dataset:
    if dim not in data.coords:
        data = data.assign_coords({dim: np.arange(data.sizes[dim], dtype="int32")})
    data[dim].attrs.setdefault("long_name", f"number of the {dim} from the start of the transect")
    return data


def _with_period(data: xr.Dataset, period: tuple[str, str]) -> xr.Dataset:
    first, last = (np.datetime64(day, "ns") for day in period)
    ends = np.array([first, last + np.timedelta64(1, "D")])
    if not ends[0] < ends[1]:
        raise DataError(
            f"the period ends before it starts: {period[0]} to {period[1]}", where="data along a line"
        )
    middle = ends[0] + (ends[1] - ends[0]) / 2
    time = xr.Variable((), middle, {**_PLACES["time"], "bounds": "time_bnds"})
    return data.drop_vars("time", errors="ignore").assign_coords(time=time).assign(time_bnds=("nv", ends))


def _with_crs(data: xr.Dataset, dim: str) -> xr.Dataset:
    from pyproj import CRS

    data = data.drop_vars(["spatial_ref", "crs"], errors="ignore")
    data["crs"] = ((), np.int32(0), CRS.from_epsg(4326).to_cf())
    for field in data.data_vars.values():
        if dim in field.dims:
            field.attrs["grid_mapping"] = "crs"
    return data


def _with_polygons(data: xr.Dataset, dim: str, transect: Transect) -> xr.Dataset:
    """The polygons of the segments as a CF geometry container (7.5), to which data of areas point."""
    import shapely

    segments = transect.segments
    apart = segments["distance_km"].size != data.sizes[dim]
    if apart or np.abs(segments["distance_km"].to_numpy() - data["distance_km"].values).max() > 0.01:
        raise DataError(
            f"{transect!r} has {len(segments)} segments, and the data have {data.sizes[dim]} of other places",
            where="data along a line",
            todo="give the transect that the data were extracted along",
        )
    # The exterior runs anticlockwise in CF, an interior clockwise.
    shapes = shapely.orient_polygons(segments.geometry.to_numpy())
    polygons, owner = shapely.get_parts(shapes, return_index=True)
    rings, polygon = shapely.get_rings(polygons, return_index=True)
    lengths = shapely.get_num_coordinates(rings)
    inner = np.concatenate(([False], polygon[1:] == polygon[:-1]))
    nodes = shapely.get_coordinates(rings)
    for k, name in enumerate(("lon", "lat")):
        # Without a standard name, which would make them a second latitude and longitude of the data.
        place = {a: _PLACES[name][a] for a in ("units", "axis")}
        data[f"{GEOMETRY}_{name}"] = (
            (_NODE,),
            nodes[:, k],
            {**place, "long_name": f"{name} of the outline"},
        )
        data[name].attrs["nodes"] = f"{GEOMETRY}_{name}"
    counts = np.bincount(owner[polygon], weights=lengths, minlength=len(shapes)).astype("int32")
    data[f"{GEOMETRY}_node_count"] = ((dim,), counts, {"long_name": "vertices of the outline"})
    container = {
        "geometry_type": "polygon",
        "node_count": f"{GEOMETRY}_node_count",
        "node_coordinates": f"{GEOMETRY}_lon {GEOMETRY}_lat",
        "grid_mapping": "crs",
        "long_name": f"strip of {2 * transect.half_width_km:g} km around {transect.name}, by segment",
    }
    if rings.size > counts.size:
        container |= {
            "part_node_count": f"{GEOMETRY}_part_node_count",
            "interior_ring": f"{GEOMETRY}_interior_ring",
        }
        data[container["part_node_count"]] = (
            (_PART,),
            lengths.astype("int32"),
            {"long_name": "vertices of a ring"},
        )
        data[container["interior_ring"]] = ((_PART,), inner.astype("int32"), {"long_name": "1 for a hole"})
    data[GEOMETRY] = ((), np.int32(0), container)
    for field in data.data_vars.values():
        if dim in field.dims and "area:" in str(field.attrs.get("cell_methods", "")):
            field.attrs["geometry"] = GEOMETRY
    return data


def _globals(data: xr.Dataset, feature: str | None, attrs: dict[str, Any]) -> dict[str, Any]:
    kind = {"featureType": feature, "cdm_data_type": _CDM[feature]} if feature else {}
    return global_attributes(data["lat"].values, data["lon"].values, attrs, **kind)


def _encoding(data: xr.Dataset, name: str) -> dict[str, Any]:
    field = data[name]
    if field.dtype.kind == "M":
        return {
            "units": "days since 2000-01-01",
            "calendar": "standard",
            "dtype": "float64",
            "_FillValue": None,
        }
    if "flag_values" in field.attrs:
        return {"_FillValue": field.dtype.type(_no_class(field.dtype))}
    if field.dtype.kind != "f":
        return {}
    if name in data.coords or name.endswith(("_bnds", "_bounds")) or name.startswith(f"{GEOMETRY}_"):
        return {"_FillValue": None}
    return {"dtype": "float32", "zlib": True, "complevel": 4, "_FillValue": np.float32(9.96921e36)}


def _no_class(dtype: np.dtype[Any]) -> int:
    """The code of a class that is missing: -1, or the largest of a type without it."""
    return -1 if dtype.kind == "i" else int(np.iinfo(dtype).max)
