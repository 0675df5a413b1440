"""Zonal means with exact shares of cells: this library and its peers on the same arrays.

``python -m benchmarks.zonal --json OUT`` writes medians, ratios and peak memory. Every method runs in a process
of its own, which also tells its memory; kernels are compiled before the clock starts. Used once counts building
the overlap and one mean; reused counts the mean alone. The peers have nothing to reuse. The figures to go by are the
ratios; the times are those of one machine.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Collection
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import machine, workloads
from benchmarks.worker import run

_METHODS = "benchmarks.zonal_methods:"
# Runs of each method: coarse, fine.
RUNS = {
    "read": (15, 9),
    "geotools_reused": (15, 9),
    "geotools_once": (7, 5),
    "geotools_build": (7, 5),
    "geotools_loaded": (7, 5),
    "geotools_cached": (7, 5),
    "exactextract_by_raster": (3, 3),
    "xvec_exactextract": (3, 1),
    "xvec_rasterize": (3, 1),
    "regionmask_fractions": (1, 1),
}
# Minutes rather than seconds: only when asked for.
SLOW = {"exactextract_by_feature": (1, 1), "rasterstats_means": (1, 1)}
PARTS = ("in_memory", "from_store", "growth", "conservation")
OURS = ("geotools_reused", "geotools_once", "geotools_loaded", "geotools_cached")
PEER = "exactextract_by_raster"


def in_memory(kind: str, slow: bool) -> dict[str, Any]:
    """All methods on one workload, and what they are to each other."""
    print(f"zonal means in memory, {kind}", file=sys.stderr)
    columns, rows, steps = workloads.SIZES[kind]
    wanted = {**RUNS, **(SLOW if slow else {})}
    apart = kind != "small"
    truth = run(_METHODS + "truth", {"kind": kind}, "area-weighted truth", apart=apart)
    methods = {}
    for name, runs in wanted.items():
        often = 2 if kind == "small" else runs[kind == "fine"]
        found = run(_METHODS + name, {"kind": kind, "runs": often}, name, apart=apart or name == "read")
        if "means" in found:
            found["difference_from_truth"] = _apart(found.pop("means"), truth["means"])
        methods[name] = found
    found = {
        "columns": columns,
        "rows": rows,
        "steps": steps,
        "zones": workloads.ZONES[kind],
        "methods": methods,
    }
    return {**found, "ratios": _ratios(methods)}


def _apart(means: Any, truth: Any) -> dict[str, Any]:
    """Largest difference of the means, in the units of the field and relative; and zones that only one of them has."""
    given, right = (np.array(m, dtype="float64") for m in (means, truth))
    both = ~np.isnan(given) & ~np.isnan(right)
    apart = np.abs(given - right)[both]
    return {
        "largest": float(apart.max()),
        "largest_relative": float((apart / np.abs(right[both])).max()),
        "zones_lost": int((np.isnan(given) != np.isnan(right)).any(axis=1).sum()),
    }


def _ratios(methods: dict[str, Any]) -> dict[str, float]:
    seconds = {name: found["seconds"] for name, found in methods.items() if "seconds" in found}
    ratios = {}
    for ours in OURS:
        for peer, theirs in seconds.items():
            if ours in seconds and not peer.startswith(("geotools", "read")):
                ratios[f"{peer}/{ours}"] = theirs / seconds[ours]
        if ours in seconds and "read" in seconds:
            ratios[f"{ours}/read"] = seconds[ours] / seconds["read"]
    return ratios


def from_store(folder: Path, quick: bool, runs: int) -> dict[str, Any]:
    """Means from a Zarr store for each layout of its chunks: time, loads, memory against length."""
    kind = "small" if quick else "fine"
    columns, rows, count = workloads.SIZES[kind]
    case = {"size": (columns, rows), "zones": workloads.ZONES[kind]}
    found: dict[str, Any] = {}
    for layout, longest in (("tiles", 10), ("blocks", 5), ("steps", 5), ("default", 5)):
        print(f"zonal means from Zarr, {kind}, chunks of {layout}", file=sys.stderr)
        lengths = [times * count for times in (1, 5, 10) if times <= longest]
        where = {"folder": str(folder / f"{layout}.zarr")}

        def told(name: str, where: dict[str, Any] = where, **options: Any) -> dict[str, Any]:
            note = f"{name}, {options['steps']} steps"
            return run(f"benchmarks.zonal_store:{name}", {**where, **options}, note, apart=not quick)

        found[layout] = {
            **told("write", size=(columns, rows), steps=lengths[-1], layout=layout),
            **told("against_reading", **case, steps=count, runs=runs),
            "memory": [told("memory", **case, steps=length) for length in lengths],
            "memory_of_reading": told("reading_memory", steps=count),
        }
    return found


def growth(quick: bool) -> dict[str, Any]:
    """Time against cells, steps and polygons."""
    print("growth", file=sys.stderr)
    options = {"runs": 2 if quick else 7, "quick": quick}
    return {
        along: run("benchmarks.scaling:series", {"along": along, **options}, along, apart=not quick)
        for along in ("cells", "steps", "polygons")
    }


def measure(quick: bool, slow: bool, kinds: list[str], folder: Path, runs: int) -> dict[str, Any]:
    """Everything of zonal means, as goes into the JSON; see `measure_parts`."""
    return measure_parts(PARTS, quick, slow, kinds, folder, runs)


def measure_parts(
    parts: Collection[str], quick: bool, slow: bool, kinds: list[str], folder: Path, runs: int
) -> dict[str, Any]:
    """Some of `PARTS`.

    Parameters
    ----------
    parts : collection of str
    quick : bool
        Small sizes, in this process.
    slow : bool
        Also the methods that take minutes.
    kinds : list of str
        Workloads in memory.
    folder : Path
        For the stores.
    runs : int
        Of the comparison with reading from Zarr.
    """
    if quick:
        kinds, runs = ["small"], 2
    out: dict[str, Any] = {"machine": machine.describe(), "quick": quick}
    if "in_memory" in parts:
        out["in_memory"] = {kind: in_memory(kind, slow) for kind in kinds}
    if "from_store" in parts:
        out["from_store"] = from_store(folder, quick, runs)
    if "growth" in parts:
        out["growth"] = growth(quick)
    if "conservation" in parts:
        out["conservation"] = run(
            "benchmarks.scaling:conservation", {"quick": quick}, "conservation", apart=not quick
        )
    out["load_average_after"] = machine.describe()["load_average"]
    return out


def failures(found: Any, path: str = "") -> list[str]:
    """Where anything failed, with the reason."""
    if not isinstance(found, dict | list):
        return []
    if isinstance(found, dict) and "failed" in found:
        return [f"{path}: {found['failed']}"]
    items = found.items() if isinstance(found, dict) else enumerate(found)
    return [line for key, value in items for line in failures(value, f"{path}/{key}")]


def main() -> None:
    """Measure and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", type=Path, required=True, help="file to write")
    parser.add_argument("--kind", choices=("coarse", "fine"), action="append", help="both by default")
    parser.add_argument("--part", choices=PARTS, action="append", help="all by default; others in OUT stay")
    parser.add_argument("--quick", action="store_true", help="small sizes: whether it works, not how fast")
    parser.add_argument("--slow", action="store_true", help="also the methods that take minutes")
    parser.add_argument("--runs", type=int, default=9, help="of the comparison with reading from Zarr")
    parser.add_argument(
        "--scratch", type=Path, help="folder for the stores, 15 GB; a temporary one by default"
    )
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=given.scratch) as folder:
        kinds = given.kind or ["coarse", "fine"]
        found = measure_parts(given.part or PARTS, given.quick, given.slow, kinds, Path(folder), given.runs)
    if given.part and given.json.exists():
        before = json.loads(given.json.read_text(encoding="utf-8"))
        # The page tells one load for all parts: the worst.
        loads = (before["machine"]["load_average"], found["machine"]["load_average"])
        found = {**before, **found}
        found["machine"]["load_average"] = max(loads)
    given.json.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    if wrong := failures(found):
        sys.exit("failed: " + "; ".join(wrong))


if __name__ == "__main__":
    main()
