"""Coordinate reference systems: reading them from CF metadata, and what geotools asks of them."""

from __future__ import annotations

import warnings
from functools import lru_cache
from typing import Any

import xarray as xr
from pyproj import CRS
from pyproj.exceptions import CRSError as PyprojCRSError

from geotools.errors import CRSError

WGS84 = CRS.from_epsg(4326)

_EQUAL_AREA = (
    "lambert azimuthal equal area",
    "lambert cylindrical equal area",
    "albers equal area",
    "mollweide",
    "sinusoidal",
    "equal earth",
)


def as_crs(crs: Any, *, where: str | None = None) -> CRS:
    """A pyproj CRS from anything pyproj reads: an EPSG code, a WKT or PROJ string, a CRS.

    Raises
    ------
    CRSError
        When there is none or it cannot be read.
    """
    if crs is None:
        raise CRSError(
            "there is no coordinate reference system",
            where=where,
            expected="a CRS such as EPSG:4326",
            todo="find out which one it is and set it (zones.set_crs('EPSG:...')); geotools assigns none",
        )
    try:
        return CRS.from_user_input(crs)
    except PyprojCRSError as error:
        raise CRSError(f"{crs!r} is not a coordinate reference system", where=where) from error


def name_of(crs: CRS) -> str:
    """A short name for messages: ``EPSG:3995 (WGS 84 / Arctic Polar Stereographic)``."""
    authority = crs.to_authority(min_confidence=100)
    if authority:
        return f"{':'.join(authority)} ({crs.name})"
    if crs.name not in ("undefined", "unknown", "unnamed"):
        return str(crs.name)
    # A grid mapping need not have a name.
    operation = crs.coordinate_operation
    kind = operation.method_name if operation else "longitude and latitude"
    ellipsoid = crs.ellipsoid
    if ellipsoid is None:
        return str(kind)
    flat = (
        f", flattening 1/{ellipsoid.inverse_flattening:.3f}" if ellipsoid.inverse_flattening else ", a sphere"
    )
    return f"{kind}, radius {ellipsoid.semi_major_metre / 1000:.3f} km{flat}"


def is_lonlat(crs: CRS) -> bool:
    """Whether the coordinates are plain longitude and latitude in degrees (a rotated pole is not)."""
    plain = bool(crs.is_geographic) and "Derived" not in crs.type_name
    return plain and all("degree" in axis.unit_name for axis in crs.axis_info[:2])


def is_equal_area(crs: CRS) -> bool:
    """Whether areas in the plane of the projection are areas on the WGS84 ellipsoid.

    A projection of a sphere, such as the sinusoidal one of MODIS, is not: it takes geodetic latitudes for
    spherical ones, and its areas are off by up to 0.7 %.
    """
    operation, ellipsoid = crs.coordinate_operation, crs.ellipsoid
    if not crs.is_projected or operation is None or ellipsoid is None:
        return False
    method = operation.method_name.lower()
    on_wgs84 = (
        abs(ellipsoid.semi_major_metre - 6378137.0) < 1
        and abs(ellipsoid.inverse_flattening - 298.2572) < 1e-3
    )
    metres = all(axis.unit_conversion_factor == 1.0 for axis in crs.axis_info[:2])
    return on_wgs84 and metres and "spherical" not in method and method.startswith(_EQUAL_AREA)


def same_crs(one: CRS, other: CRS) -> bool:
    """Whether two CRSs mean the same coordinates, whatever their names and the order of their axes."""
    if one.equals(other, ignore_axis_order=True):
        return True
    if one.is_projected != other.is_projected:
        return False
    a, b = _parameters(one), _parameters(other)
    return bool(a) and a == b


@lru_cache(maxsize=64)
def _parameters(crs: CRS) -> dict[str, Any]:
    """Parameters of a CRS by their names in PROJ."""
    with warnings.catch_warnings():
        # A PROJ string says less than WKT, but the parameters of the projection are in it. Only this warning
        # is silenced: another thread may give one of its own meanwhile.
        warnings.filterwarnings(
            "ignore", "You will likely lose important projection information", UserWarning
        )
        found = crs.to_dict()
    return {name: value for name, value in found.items() if name not in ("no_defs", "type")}


def read_crs(field: xr.DataArray | xr.Dataset, *, lonlat_units: bool) -> CRS:
    """The CRS of a field by CF (`grid_mapping`), by a `spatial_ref` or `crs` coordinate or attribute.

    Parameters
    ----------
    field : xarray.DataArray or xarray.Dataset
    lonlat_units : bool
        Whether the coordinates carry the CF units of longitude and latitude, which CF takes as WGS84 when
        nothing else is said.

    Returns
    -------
    pyproj.CRS
        A longitude-latitude CRS on a sphere, as climate models declare, is returned as WGS84: the
        coastlines and forcings of these models are placed by geodetic latitude.

    Raises
    ------
    CRSError
        When there is none, or the one named is absent or cannot be read.
    """
    where = _name(field)
    crs = _declared(field, where)
    if crs is None:
        if lonlat_units:
            return WGS84
        raise CRSError(
            "the grid has no coordinate reference system",
            where=where,
            expected="a grid_mapping variable, a spatial_ref coordinate, or latitude and longitude "
            "with the units degrees_north and degrees_east",
            todo="find out which one it is and write it: field.assign_coords(spatial_ref=xr.DataArray(0, "
            "attrs=pyproj.CRS('EPSG:...').to_cf()))",
        )
    if is_lonlat(crs) and crs.ellipsoid is not None and crs.ellipsoid.inverse_flattening == 0:
        return WGS84
    return crs


def _name(field: xr.DataArray | xr.Dataset) -> str:
    if isinstance(field, xr.Dataset):
        return "dataset"
    return f"variable {field.name!r}" if field.name is not None else "unnamed variable"


def _declared(field: xr.DataArray | xr.Dataset, where: str) -> CRS | None:
    fields = list(field.data_vars.values()) if isinstance(field, xr.Dataset) else [field]
    named = {str(m) for f in fields if (m := f.attrs.get("grid_mapping") or f.encoding.get("grid_mapping"))}
    variables = field.variables if isinstance(field, xr.Dataset) else field.coords
    if len(named) > 1:
        raise CRSError(
            f"the variables name different grid mappings: {', '.join(sorted(named))}",
            where=where,
            todo="pass one variable, not the dataset",
        )
    for name in named:
        # CF allows "mapping: x y"; the first word is the variable.
        variable = name.split(":")[0].split()[0]
        if variable not in variables:
            raise CRSError(
                f"grid_mapping names {variable!r}, which did not come along",
                where=where,
                expected="the grid mapping variable among the coordinates",
                todo=f"call dataset.set_coords({variable!r}) before taking the variable out of the dataset",
            )
        return _from_attrs(variables[variable].attrs, f"grid mapping {variable!r}")
    for variable in ("spatial_ref", "crs"):
        if variable in variables and variables[variable].ndim == 0 and variables[variable].attrs:
            return _from_attrs(variables[variable].attrs, f"coordinate {variable!r}")
    attribute = field.attrs.get("crs") or field.attrs.get("crs_wkt") or field.attrs.get("spatial_ref")
    return as_crs(attribute, where=where) if attribute else None


def _from_attrs(attrs: dict[str, Any], where: str) -> CRS:
    text = attrs.get("crs_wkt") or attrs.get("spatial_ref") or attrs.get("proj4") or attrs.get("epsg_code")
    if text:
        return as_crs(text, where=where)
    try:
        return CRS.from_cf(dict(attrs))
    except (PyprojCRSError, KeyError, ValueError, TypeError) as error:
        raise CRSError(
            f"its attributes {sorted(attrs)} do not describe a coordinate reference system",
            where=where,
            expected="crs_wkt, or grid_mapping_name with its parameters",
        ) from error
