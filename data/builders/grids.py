"""What the builders of gridded NetCDF files share: axes with bounds, the CRS, attributes that every file has."""

from __future__ import annotations

import numpy as np
import xarray as xr

from builders.common import EAST, NORTH, SOUTH, WEST

# A constant: a clock here would change the bytes of every build.
DATE_CREATED = "2026-11-22"


def on_axes(field: xr.DataArray, lat: np.ndarray, lon: np.ndarray, step: float) -> xr.Dataset:
    """Put a field on axes of cell centres with their bounds and a CRS.

    Parameters
    ----------
    field : xarray.DataArray [lat, lon]
    lat, lon : numpy.ndarray [degrees, ascending]
    step : float
        Size of a cell, degrees.
    """
    axes = {}
    for name, centres, standard, unit, axis in (
        ("lat", lat, "latitude", "degrees_north", "Y"),
        ("lon", lon, "longitude", "degrees_east", "X"),
    ):
        attrs = {
            "standard_name": standard,
            "long_name": f"{standard} of the cell centre",
            "units": unit,
            "axis": axis,
            "bounds": f"{name}_bnds",
        }
        axes[name] = (name, centres, attrs)
    crs = {
        "grid_mapping_name": "latitude_longitude",
        "longitude_of_prime_meridian": 0.0,
        "semi_major_axis": 6378137.0,
        "inverse_flattening": 298.257223563,
    }
    data = xr.Dataset({str(field.name): field.assign_attrs(grid_mapping="crs")}).assign_coords(axes)
    data["crs"] = ((), np.int32(0), crs)
    for name, centres in (("lat", lat), ("lon", lon)):
        data[f"{name}_bnds"] = ((name, "nv"), np.stack([centres - step / 2, centres + step / 2], axis=1))
    return data


def file_attributes(**own: str) -> dict[str, str | float]:
    """CF and ACDD attributes: those of every file, and the file's own."""
    return {
        "Conventions": "CF-1.11, ACDD-1.3",
        **own,
        "creator_name": "geotools developers",
        "publisher_name": "geotools developers",
        "date_created": DATE_CREATED,
        "project": "geotools",
        "naming_authority": "geotools",
        "standard_name_vocabulary": "CF Standard Name Table v85",
        "geospatial_lat_min": SOUTH,
        "geospatial_lat_max": NORTH,
        "geospatial_lon_min": WEST,
        "geospatial_lon_max": EAST,
    }


def encoding(name: str, chunk: tuple[int, int], **packed: object) -> dict[str, dict[str, object]]:
    """Say how a field and its axes are stored: packed and deflated, in chunks of some rows and columns."""
    plain: dict[str, object] = {"_FillValue": None}
    field = {"zlib": True, "complevel": 9, "shuffle": True, "chunksizes": chunk, **packed}
    return {name: field, "crs": {}, **{axis: dict(plain) for axis in ("lat", "lon", "lat_bnds", "lon_bnds")}}
