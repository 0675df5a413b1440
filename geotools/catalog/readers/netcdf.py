"""NetCDF and Zarr, opened lazily."""

from __future__ import annotations

from pathlib import Path

import xarray as xr

from geotools.errors import DataError

# As much of a variable without chunks is read at once.
_PIECE_BYTES = 64_000_000


def read(path: Path, kind: str) -> xr.Dataset:
    """Open a NetCDF file or Zarr store with dask arrays in the chunks of the storage.

    A large variable that is stored in one piece is cut along its first dimension.

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
        with xr.open_dataset(path, chunks=None, engine=engine, decode_coords="all") as stored:
            chunks = _slabs(stored)
        return xr.open_dataset(path, chunks=chunks, engine=engine, decode_coords="all")
    except (OSError, ValueError, RuntimeError, KeyError) as error:
        size = f"{path.stat().st_size:,} bytes" if path.is_file() else "a folder"
        raise DataError(
            f"the file cannot be opened as {kind} ({size}; {_first_line(error)})",
            where=str(path),
            expected=f"a complete {kind} file",
            todo="fetch or write the file again; it is probably truncated or of another format",
        ) from error


def _slabs(data: xr.Dataset) -> dict[str, int]:
    """Steps along the first dimension of variables in one piece, where no other variable has chunks along it."""
    chunked = {dim for v in data.variables.values() for dim in v.encoding.get("preferred_chunks", {})}
    found: dict[str, int] = {}
    for variable in data.data_vars.values():
        dim = str(variable.dims[0]) if variable.dims else ""
        if (
            variable.nbytes > _PIECE_BYTES
            and dim not in chunked
            and "preferred_chunks" not in variable.encoding
        ):
            steps = max(1, _PIECE_BYTES * variable.sizes[dim] // variable.nbytes)
            found[dim] = min(found.get(dim, steps), steps)
    return found


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]
