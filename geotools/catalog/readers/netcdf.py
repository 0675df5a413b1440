"""NetCDF and Zarr, opened lazily."""

from __future__ import annotations

from pathlib import Path

import xarray as xr

from geotools.errors import DataError


def read(path: Path, kind: str) -> xr.Dataset:
    """Open a NetCDF file or Zarr store with dask arrays, one chunk per storage chunk at least.

    Parameters
    ----------
    path : pathlib.Path
    kind : {"netcdf", "zarr"}

    Returns
    -------
    xarray.Dataset [lazy]

    Raises
    ------
    DataError
        When the file is truncated or of another format.
    """
    try:
        engine = "zarr" if kind == "zarr" else "netcdf4"
        return xr.open_dataset(path, chunks={}, engine=engine, decode_coords="all")
    except (OSError, ValueError, RuntimeError, KeyError) as error:
        size = f"{path.stat().st_size:,} bytes" if path.is_file() else "a folder"
        raise DataError(
            f"the file cannot be opened as {kind} ({size}; {_first_line(error)})",
            where=str(path),
            expected=f"a complete {kind} file",
            todo="fetch or write the file again; it is probably truncated or of another format",
        ) from error


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]
