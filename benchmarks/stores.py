"""Zarr stores of a workload, written step by step, and a count of the chunks that are read."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import workloads

# Steps of a chunk, and into how many parts its rows and columns are cut. The last is what Zarr chooses
# by itself for twelve fine steps.
LAYOUTS = {"tiles": (1, 4, 6), "blocks": (6, 8, 12), "steps": (1, 1, 1), "default": (1, 8, 8)}


def chunk_shape(columns: int, rows: int, layout: str) -> tuple[int, int, int]:
    """Steps, rows and columns of a chunk."""
    steps, down, across = LAYOUTS[layout]
    return steps, -(-rows // down), -(-columns // across)


def write(folder: Path, columns: int, rows: int, count: int, layout: str) -> dict[str, Any]:
    """Write a field in Zarr v3 with zstd, holding no more than the steps of one chunk in memory."""
    import zarr

    x, y = (0.5 * (e[1:] + e[:-1]) for e in workloads.edges(columns, rows))
    group = zarr.create_group(store=folder, zarr_format=3, overwrite=True)
    lonlat = {"lon": ("degrees_east", x), "lat": ("degrees_north", y)}
    for name, (units, values) in lonlat.items():
        axis = group.create_array(name, shape=values.shape, dtype="f8", dimension_names=(name,))
        axis[:] = values
        axis.attrs["units"] = units
    time = group.create_array("time", shape=(count,), dtype="i8", dimension_names=("time",))
    time[:] = np.arange(count)
    field = group.create_array(
        "field",
        shape=(count, rows, columns),
        chunks=chunk_shape(columns, rows, layout),
        dtype="f4",
        compressors=zarr.codecs.ZstdCodec(level=3),
        fill_value=float("nan"),
        dimension_names=("time", "lat", "lon"),
    )
    field.attrs["units"] = "degC"
    every = workloads.steps(x, y, count)
    for k in range(0, count, field.chunks[0]):
        together = np.stack(list(itertools.islice(every, field.chunks[0])))
        field[k : k + len(together)] = together
    stored = sum(path.stat().st_size for path in Path(folder).rglob("*") if path.is_file())
    return {"stored_mb": stored / 1e6}


def open_field(store: Any, steps: int | None = None) -> Any:
    """The lazy field, in the chunks of the store."""
    import xarray as xr

    field = xr.open_zarr(store, chunks={}, consolidated=False)["field"]
    return field if steps is None else field.isel(time=slice(0, steps))


def read_all(field: Any, use: Callable[[Any], float] = lambda block: 0.0) -> None:
    """Read and decode every chunk, and keep nothing of it but one number, which is 0 if not told otherwise."""

    def used(block: Any) -> Any:
        return np.full((1,) * block.ndim, use(block), dtype="f4")

    chunks = tuple((1,) * n for n in field.data.numblocks)
    field.data.map_blocks(used, dtype="f4", chunks=chunks, meta=np.empty((0,) * field.ndim, "f4")).compute()


def counting(folder: Path) -> tuple[Any, list[str]]:
    """A store that notes the key of every chunk of the field that is asked of it."""
    from zarr.storage import LocalStore, WrapperStore

    read: list[str] = []
    lock = threading.Lock()

    class Counting(WrapperStore[LocalStore]):
        async def get(self, key: str, prototype: Any, byte_range: Any = None) -> Any:
            if key.startswith("field/c/"):
                with lock:
                    read.append(key)
            return await super().get(key, prototype, byte_range)

    return Counting(LocalStore(folder, read_only=True)), read
