"""Zonal means from a Zarr store with the threads of dask, beside merely reading the store."""

from __future__ import annotations

import statistics
from pathlib import Path
from typing import Any

import dask
import numpy as np

from benchmarks import stores, timing, workloads
from geotools.space.compiled import available_cores

# What is set against reading, and what the ratio is called.
_RATIOS = {
    "mean": "", "numpy_sum": "_of_sum", "numpy_nanmean": "_of_nanmean", "more_threads": "_with_one_more_thread",
}  # fmt: skip


def _overlap(columns: int, rows: int, zones: int) -> Any:
    """An overlap, with the kernels compiled."""
    from geotools.space import Overlap

    small = workloads.cell_grid(40, 20)
    Overlap.between(workloads.polygons(2), small).mean(
        small.wrap(workloads.field(40, 20, 2), ("time",)).assign_attrs(units="degC")
    )
    return Overlap.between(workloads.polygons(zones), workloads.cell_grid(columns, rows))


def write(folder: str, size: tuple[int, int], steps: int, layout: str) -> dict[str, Any]:
    """Write the store, so that no process that is measured has done it."""
    return stores.write(Path(folder), *size, steps, layout)


def against_reading(folder: str, size: tuple[int, int], zones: int, steps: int, runs: int) -> dict[str, Any]:
    """Reading all chunks against their zonal means, in turn; and how often each chunk was read.

    Beside them the least that can be done with the values of a chunk: NumPy's sum of all, and its mean of
    those that are not missing; and the zonal means with one thread more than there are cores.
    """
    overlap = _overlap(*size, zones)
    field = stores.open_field(folder, steps)

    def with_one_more() -> None:
        with dask.config.set(num_workers=available_cores() + 1):
            overlap.mean(field).compute()

    with dask.config.set(scheduler="threads"):
        # So that every run finds the file system's cache in the same state, and the overlap cut into its tiles.
        stores.read_all(field)
        first = timing.seconds_of(lambda: overlap.mean(field).compute(), 1)[0]
        times = timing.interleaved(
            {
                "read": lambda: stores.read_all(field),
                "mean": lambda: overlap.mean(field).compute(),
                "numpy_sum": lambda: stores.read_all(field, np.sum),
                "numpy_nanmean": lambda: stores.read_all(field, np.nanmean),
                "more_threads": with_one_more,
            },
            runs,
        )
        store, read = stores.counting(Path(folder))
        counted = stores.open_field(store, steps)
        del read[:]
        overlap.mean(counted).compute()
    pairs = [mean / reading for mean, reading in zip(times["mean"], times["read"], strict=True)]
    return {
        **timing.median_of(times["mean"]),
        "read": timing.median_of(times["read"]),
        **{
            f"ratio{suffix}": statistics.median(times[name]) / statistics.median(times["read"])
            for name, suffix in _RATIOS.items()
        },
        "ratios_of_pairs": sorted(pairs),
        "first_call_seconds": first,
        "chunks": int(field.data.npartitions),
        "chunk_loads": len(read),
        "chunks_loaded": len(set(read)),
    }


def memory(folder: str, size: tuple[int, int], zones: int, steps: int) -> dict[str, Any]:
    """Peak memory of a process that does nothing but the zonal means of some steps."""
    overlap = _overlap(*size, zones)
    field = stores.open_field(folder, steps)
    times: list[float] = []

    def call() -> None:
        with dask.config.set(scheduler="threads"):
            times.extend(timing.seconds_of(lambda: overlap.mean(field).compute(), 1))

    _, found = timing.peak_of(call)
    return {"steps": steps, "array_mb": field.nbytes / 1e6, "seconds": times[0], **found}


def reading_memory(folder: str, steps: int) -> dict[str, Any]:
    """Peak memory of a process that merely reads: what decoding takes without any overlap."""
    field = stores.open_field(folder, steps)

    def call() -> None:
        with dask.config.set(scheduler="threads"):
            stores.read_all(field)

    _, found = timing.peak_of(call)
    return {"steps": steps, **found}
