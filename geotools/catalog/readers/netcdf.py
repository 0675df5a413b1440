"""NetCDF and Zarr, opened lazily."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

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
        how: dict[str, Any] = {"engine": "netcdf4", "decode_coords": "all"}
        if kind == "zarr":
            # Told, or xarray warns of every store that has none; most of Zarr v3 have none.
            how |= {"engine": "zarr", "consolidated": _is_consolidated(path)}
        with xr.open_dataset(path, chunks=None, **how) as stored:
            chunks = _slabs(stored)
        return xr.open_dataset(path, chunks=chunks, **how)
    except (OSError, ValueError, RuntimeError, KeyError) as error:
        size = f"{path.stat().st_size:,} bytes" if path.is_file() else "a folder"
        raise DataError(
            f"the file cannot be opened as {kind} ({size}; {_first_line(error)})",
            where=str(path),
            expected=f"a complete {kind} file",
            todo="fetch or write the file again; it is probably truncated or of another format",
        ) from error


def _is_consolidated(path: Path) -> bool:
    """Whether a Zarr store keeps the metadata of all its arrays in one place."""
    about = path / "zarr.json"
    if about.is_file():
        return bool(json.loads(about.read_text(encoding="utf-8")).get("consolidated_metadata"))
    return (path / ".zmetadata").is_file()


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
