"""Zonal means with exact shares of cells: this library against exactextract, on the same arrays.

``python -m benchmarks.zonal --json OUT`` writes medians, ratios and peak memory. Every method runs in a process
of its own, which also tells its peak memory; kernels are compiled before the clock starts. Used once counts
building the overlap and one mean; reused counts the mean alone. exactextract goes cell row by cell row
("raster-sequential") with an area raster as weights and has nothing to reuse.
"""

from __future__ import annotations

import argparse
import json
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import workloads

METHODS = ("read", "geotools", "exactextract")
RUNS = {"read": 7, "geotools": 7, "exactextract": 3}


def median_seconds(call: Callable[[], Any], runs: int) -> tuple[float, Any]:
    """Median time of some calls, and what the last gave."""
    times, out = [], None
    for _ in range(runs):
        start = time.perf_counter()
        out = call()
        times.append(time.perf_counter() - start)
    return statistics.median(times), out


def measure(method: str, kind: str, runs: int) -> dict[str, Any]:
    """Times [s], peak memory [MB] and means of one method on one workload."""
    from geotools.space import Grid, Overlap

    x, y, _ = workloads.grid(kind)
    dx, dy = 75 / x.size, 35 / y.size
    edges = (70 + dx * np.arange(x.size + 1), 75 - dy * np.arange(y.size + 1))
    grid = Grid(*edges, "EPSG:4326", "lon", "lat")
    zones = workloads.polygons()
    values = workloads.field(kind)
    found: dict[str, Any] = {"input_mb": values.nbytes / 1e6}
    if method == "read":
        found["seconds"], _ = median_seconds(lambda: values.max(initial=0, where=True), runs)
    elif method == "geotools":
        field = grid.wrap(values, ("time",)).assign_attrs(units="kg m-2")
        start = time.perf_counter()
        Overlap.between(zones, grid).mean(field)
        found["first_call_seconds"] = time.perf_counter() - start
        found["build_seconds"], overlap = median_seconds(lambda: Overlap.between(zones, grid), runs)
        found["reused_seconds"], means = median_seconds(lambda: overlap.mean(field), runs)
        found["once_seconds"], _ = median_seconds(lambda: Overlap.between(zones, grid).mean(field), runs)
        found["storage_mb"] = overlap.matrix.nbytes / 1e6
        found["means"] = means.values.T.tolist()
    else:
        found["once_seconds"], means = median_seconds(lambda: _exactextract(values, grid, zones), runs)
        found["reused_seconds"] = found["once_seconds"]
        found["means"] = means.tolist()
    found["peak_mb"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3
    return found


def _exactextract(values: Any, grid: Any, zones: Any) -> Any:
    """Means [zone, step] of the plain shares of cells, weighted by the areas of cells."""
    from exactextract import exact_extract
    from exactextract.raster import NumPyRasterSource

    west, south, east, north = grid.bounds
    box = {"xmin": west, "ymin": south, "xmax": east, "ymax": north}
    bands = [NumPyRasterSource(band, **box, name=f"b{k}") for k, band in enumerate(values)]
    areas = NumPyRasterSource(grid.cell_areas(), **box, name="area")
    table = exact_extract(
        bands, zones, "weighted_mean", weights=areas, strategy="raster-sequential", output="pandas"
    )
    return table.to_numpy(dtype="float64")


def compare(kind: str, runs: dict[str, int]) -> dict[str, Any]:
    """All methods on one workload, each in a process of its own."""
    out: dict[str, Any] = {}
    for method in METHODS:
        command = [sys.executable, "-m", "benchmarks.zonal", "--one", method, kind, str(runs[method])]
        out[method] = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    ours, theirs = out["geotools"], out["exactextract"]
    apart = np.abs(np.array(ours.pop("means")) - np.array(theirs.pop("means")))
    out["largest_difference"] = float(np.nanmax(apart))
    out["ratio_reused"] = theirs["once_seconds"] / ours["reused_seconds"]
    out["ratio_used_once"] = theirs["once_seconds"] / ours["once_seconds"]
    out["times_reading"] = ours["reused_seconds"] / out["read"]["seconds"]
    return out


def main() -> None:
    """Measure, print and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", type=Path, help="file to write")
    parser.add_argument("--kind", choices=("coarse", "fine"), action="append", help="both by default")
    parser.add_argument("--one", nargs=3, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.one:
        print(json.dumps(measure(given.one[0], given.one[1], int(given.one[2]))))
        return
    results = {}
    for kind in given.kind or ("coarse", "fine"):
        results[kind] = compare(kind, RUNS)
        print(kind, json.dumps(results[kind], indent=1))
    if given.json:
        given.json.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
