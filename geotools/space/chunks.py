"""Chunks of a lazy field against the chunks of the file it comes from."""

from __future__ import annotations

import warnings

import numpy as np
import xarray as xr

from geotools.errors import GeotoolsWarning
from geotools.space.fields import label_of


def times_read(field: xr.DataArray) -> float:
    """How often each storage chunk is read on average, 1 at best; 1 also where the storage is not known.

    Parameters
    ----------
    field : xarray.DataArray
        Lazy, with the chunks of its storage in ``encoding["preferred_chunks"]``, as xarray opens it.
    """
    stored = (field.encoding.get("preferred_chunks") or {}) if field.chunks is not None else {}
    shape = field.encoding.get("original_shape", ())
    original = dict(zip(field.dims, shape, strict=True)) if len(shape) == field.ndim else {}
    times = 1.0
    for dim, chunks in field.chunksizes.items():
        size = stored.get(dim)
        if not isinstance(size, int) or size < 1:
            continue
        cuts = np.cumsum(chunks)[:-1]
        whole = original.get(dim, field.sizes[dim]) == field.sizes[dim] and chunks[0] == max(chunks)
        offsets = np.unique(cuts % size)
        # A part of a longer series need not start with a whole storage chunk.
        offset = 0 if whole or offsets.size != 1 else offsets[0]
        inside = np.count_nonzero(cuts % size != offset)
        times *= 1 + inside / -(-field.sizes[dim] // size)
    return float(times)


def warn_of_cut_chunks(field: xr.DataArray) -> None:
    """Warn when storage chunks are read several times because the chunks of a field cut across them."""
    times = times_read(field)
    if times > 1:
        stored = {d: n for d, n in field.encoding["preferred_chunks"].items() if d in field.dims}
        warnings.warn(
            f"{label_of(field)}: its chunks cut across those of its storage {stored}, so that each of these is read "
            f"{times:.1f} times on average; open it with chunks={{}}, or rechunk to multiples of them",
            GeotoolsWarning,
            stacklevel=6,
        )


def blocks_with(chunks: tuple[int, ...], extent: tuple[int, int]) -> slice:
    """Numbers of the blocks that hold what lies from the first to the last of some rows or columns."""
    first, last = np.searchsorted(np.cumsum(chunks), extent, side="right")
    return slice(int(first), int(last) + 1)
