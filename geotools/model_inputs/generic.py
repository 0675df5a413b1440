"""Plain CF-1.11 and ACDD-1.3 files on one grid, for any model."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from geotools.errors import DataError
from geotools.metadata import CONVENTIONS

# A map on disk is cut into chunks of about this many cells, and of at most this many columns.
_CHUNK_CELLS = 32_768
_CHUNK_COLUMNS = 1024
_CACHE_BYTES = 1_000_000
_REQUIRED = ("title", "summary", "licence", "source", "history")


def prepare(fields: xr.Dataset, **attrs: Any) -> xr.Dataset:
    """Put global attributes, cell bounds and encodings on fields of a geographic grid.

    Parameters
    ----------
    fields : xarray.Dataset [.., lat, lon; CF units]
        Every data variable has `units` and `long_name`, and refers to `crs`. Labels along a dimension become
        `<dimension>_name`. Bounds that are there are kept.
    **attrs
        ACDD attributes; `title`, `summary`, `licence`, `source` and `history` are required.

    Returns
    -------
    xarray.Dataset [same variables; `lat_bnds` and `lon_bnds` added]

    Raises
    ------
    DataError
        When a variable lacks units or a required global attribute is missing.
    """
    require(attrs, "model inputs")
    out = plain_labels(fields).transpose("time", ..., "lat", "lon", "nv", missing_dims="ignore")
    for name, field in out.data_vars.items():
        for attr in ("units", "long_name"):
            if attr not in field.attrs and {"lat", "lon"} <= set(field.dims):
                raise DataError(
                    f"variable {name!r} has no {attr}", where="model inputs", todo=f"set its {attr}"
                )
    for name, field in out.data_vars.items():
        if "flag_values" in field.attrs and field.dtype.kind == "f":
            # Reading made floats of classes with missing cells; CF wants the type of their flag values.
            out[name] = field.fillna(-1).astype(field.attrs["flag_values"].dtype).assign_attrs(field.attrs)
    for dim in ("lat", "lon"):
        if f"{dim}_bnds" not in out:
            out[f"{dim}_bnds"] = ((dim, "nv"), _bounds(out[dim].values))
        out[dim].attrs["bounds"] = f"{dim}_bnds"
        out[dim].attrs.setdefault("long_name", {"lat": "latitude", "lon": "longitude"}[dim])
    for field in out.data_vars.values():
        if {"lat", "lon"} <= set(field.dims):
            classes = "flag_values" in field.attrs
            field.attrs["coverage_content_type"] = "thematicClassification" if classes else "modelResult"
    out.attrs = _globals(out, attrs)
    for name in (*out.data_vars, *out.coords):
        out[name].encoding = _encoding(out[name], str(name))
    return out


def storage_rows(shape: tuple[int, int]) -> int:
    """Rows of a chunk on disk, of a map of a given shape [y, x]: few enough for maps and for bands of rows alike."""
    return max(min(_CHUNK_CELLS // min(shape[1], _CHUNK_COLUMNS), shape[0]), 1)


def crop(fields: xr.Dataset, inside: np.ndarray, *, margin: int = 1) -> xr.Dataset:
    """Cut fields to the rows and columns that hold some cells.

    Parameters
    ----------
    fields : xarray.Dataset [.., lat, lon]
    inside : numpy.ndarray of bool [lat, lon]
        At least one is true.
    margin : int
        Cells to keep around them, as far as the grid reaches.

    Returns
    -------
    xarray.Dataset [.., fewer lat, fewer lon]

    Raises
    ------
    DataError
        When no cell is inside.
    """
    if not inside.any():
        raise DataError(
            "no cell is inside", where="model inputs", expected="a zone on the grid", todo="widen the grid"
        )
    cut = {}
    for dim, axis in (("lat", 1), ("lon", 0)):
        held = np.flatnonzero(inside.any(axis=axis))
        cut[dim] = slice(max(int(held[0]) - margin, 0), int(held[-1]) + 1 + margin)
    return fields.isel(cut)


def write_netcdf(fields: xr.Dataset, path: Path) -> None:
    """Write prepared fields as NetCDF-4; lazy ones chunk by chunk.

    Parameters
    ----------
    fields : xarray.Dataset
        From `prepare`.
    path : pathlib.Path
    """
    import dask

    # The library writes one chunk at a time whatever the threads, which would only hold more of them.
    with dask.config.set(scheduler="synchronous"), small_chunk_cache():
        fields.to_netcdf(path, engine="netcdf4", format="NETCDF4")


def write_zarr(fields: xr.Dataset, path: Path) -> None:
    """Write prepared fields as a Zarr store, one chunk per variable and time step, or more of a large grid.

    Parameters
    ----------
    fields : xarray.Dataset
        From `prepare`. Lazy fields are written chunk by chunk; their chunks of rows are alike but for the last.
    path : pathlib.Path
    """
    import dask

    out = fields.copy()
    for name in (*out.data_vars, *out.coords):
        fill = out[name].encoding.get("_FillValue")
        # The settings of one format's codecs are errors in the other.
        out[name].encoding = {} if fill is None else {"_FillValue": fill}
        if out[name].chunks is not None:
            rows = out[name].chunksizes["lat"][0]
            steps = [1] * (out[name].ndim - 2)
            out[name].encoding["chunks"] = (*steps, rows, out.sizes["lon"])
    # Format 2 is what R, GDAL and older xarray read; consolidated metadata are part of it.
    with dask.config.set(scheduler="synchronous"):
        out.to_zarr(path, mode="w", consolidated=True, zarr_format=2)


@contextmanager
def small_chunk_cache() -> Iterator[None]:
    """NetCDF files opened meanwhile keep little of what was read or written.

    By default each variable keeps 16 MB or more until its file is closed. Whole chunks are read and written here, each
    once, so that nothing is gained by it.
    """
    import netCDF4

    before = netCDF4.get_chunk_cache()
    netCDF4.set_chunk_cache(_CACHE_BYTES, before[1], before[2])
    try:
        yield
    finally:
        netCDF4.set_chunk_cache(*before)


def require(attrs: Mapping[str, Any], where: str) -> None:
    """Refuse global attributes without those that every file has.

    Raises
    ------
    DataError
    """
    missing = [name for name in _REQUIRED if not attrs.get(name)]
    if missing:
        raise DataError(f"global attributes are missing: {', '.join(missing)}", where=where, todo="pass them")


def plain_labels(fields: xr.Dataset) -> xr.Dataset:
    """Text along a dimension as an auxiliary coordinate `<dim>_name`: CF wants coordinate variables to be numbers."""
    for dim in map(str, fields.dims):
        if dim in fields.coords and fields[dim].dtype.kind in "UO":
            fields = fields.reset_index(dim).rename_vars({dim: f"{dim}_name"})
            fields[f"{dim}_name"].attrs = {"long_name": f"name of the {dim}"}
    return fields


def _bounds(centres: np.ndarray) -> np.ndarray:
    step = np.diff(centres)
    edges = np.concatenate(
        [[centres[0] - step[0] / 2], centres[:-1] + step / 2, [centres[-1] + step[-1] / 2]]
    )
    return np.stack([edges[:-1], edges[1:]], axis=1)


def _encoding(field: xr.DataArray, name: str) -> dict[str, Any]:
    if field.dtype.kind == "M":
        # Times and their bounds must be written in the same units.
        return {
            "units": "days since 2000-01-01",
            "calendar": "standard",
            "dtype": "float64",
            "_FillValue": None,
        }
    if name in field.dims or name.endswith("_bnds") or field.dtype.kind not in "fi" or field.ndim < 2:
        # Coordinates and bounds have no missing values, and CF forbids a fill value on them.
        return {"_FillValue": None} if field.dtype.kind == "f" else {}
    chunks = {}
    if field.dims[-2:] == ("lat", "lon"):
        shape = (field.sizes["lat"], field.sizes["lon"])
        chunks["chunksizes"] = (
            *[1] * (field.ndim - 2), storage_rows(shape), min(shape[1], _CHUNK_COLUMNS)
        )  # fmt: skip
    if field.dtype.kind == "i":
        return {"zlib": True, "complevel": 4, "_FillValue": field.dtype.type(-1), **chunks}
    return {
        **chunks,
        "dtype": "float32",
        "zlib": True,
        "complevel": 4,
        "shuffle": True,
        "_FillValue": np.float32(9.96921e36),
    }


def global_attributes(
    lat: NDArray[np.float64], lon: NDArray[np.float64], attrs: dict[str, Any], **more: Any
) -> dict[str, Any]:
    """The global attributes of a file by CF and ACDD.

    Parameters
    ----------
    lat, lon : numpy.ndarray [any; degrees]
        Whose extent is that of the data.
    attrs : dict
        title, summary, source, history and licence, and any others; those that are empty are left out.
    **more
        What goes with the kind of the data.
    """
    given = dict(attrs)
    out = {
        "Conventions": CONVENTIONS,
        "title": given.pop("title"),
        "summary": given.pop("summary"),
        "source": given.pop("source"),
        "history": given.pop("history"),
        "license": given.pop("licence"),
        "geospatial_lat_min": float(lat.min()),
        "geospatial_lat_max": float(lat.max()),
        "geospatial_lat_units": "degrees_north",
        "geospatial_lon_min": float(lon.min()),
        "geospatial_lon_max": float(lon.max()),
        "geospatial_lon_units": "degrees_east",
        "geospatial_bounds_crs": "EPSG:4326",
        "standard_name_vocabulary": "CF Standard Name Table v90",
    }
    return {**out, **more, **{k: v for k, v in given.items() if v}}


def _globals(fields: xr.Dataset, attrs: dict[str, Any]) -> dict[str, Any]:
    lat, lon = fields["lat_bnds"].values, fields["lon_bnds"].values
    return global_attributes(
        lat,
        lon,
        attrs,
        geospatial_lat_resolution=float(abs(lat[0, 1] - lat[0, 0])),
        geospatial_lon_resolution=float(abs(lon[0, 1] - lon[0, 0])),
        cdm_data_type="Grid",
    )
