"""Conservative regridding: this library and its peers on the same arrays.

``python -m benchmarks.regrid --json OUT`` writes medians, ratios, peak memory, and how far each method is from
conserving the integral of the field over the ellipsoid, with and without missing values.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from pathlib import Path
from typing import Any

from benchmarks import machine
from benchmarks.worker import run
from benchmarks.zonal import failures

_METHODS = "benchmarks.regrid_methods:"
METHODS = (
    "geotools_reused",
    "geotools_once",
    "xarray_regrid_conservative",
    "rasterio_average",
)
ABSENT = {"xesmf_conservative": {"skipped": "cannot be installed with pip, for there are no wheels of ESMF"}}
CASES = ("lonlat", "polar")


def compare(case: str, missing: bool, quick: bool, folder: Path, runs: int) -> dict[str, Any]:
    """All methods on one case."""
    print(f"regridding, {case}, {'with' if missing else 'without'} missing values", file=sys.stderr)
    given = {"name": case, "missing": missing, "quick": quick, "path": str(folder / f"{case}_{missing}.npz")}
    truth = run(_METHODS + "truth", given, "truth", apart=not quick)
    methods = {name: run(_METHODS + name, {**given, "runs": runs}, name, apart=not quick) for name in METHODS}
    seconds = {name: found["seconds"] for name, found in methods.items() if "seconds" in found}
    ratios = {
        f"{peer}/{ours}": seconds[peer] / seconds[ours]
        for ours in ("geotools_reused", "geotools_once")
        for peer in seconds
        if ours in seconds and not peer.startswith("geotools")
    }
    return {"truth": truth, "methods": {**methods, **ABSENT}, "ratios": ratios}


def measure(quick: bool, runs: int) -> dict[str, Any]:
    """Everything of regridding, as goes into the JSON."""
    out: dict[str, Any] = {"machine": machine.describe(), "quick": quick}
    with tempfile.TemporaryDirectory() as folder:
        for case in CASES:
            out[case] = {
                "missing" if missing else "complete": compare(case, missing, quick, Path(folder), runs)
                for missing in (False, True)
            }
    out["load_average_after"] = machine.describe()["load_average"]
    return out


def main() -> None:
    """Measure and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", type=Path, required=True, help="file to write")
    parser.add_argument("--quick", action="store_true", help="small sizes: whether it works, not how fast")
    parser.add_argument("--runs", type=int, default=9)
    given = parser.parse_args()
    found = measure(given.quick, 1 if given.quick else given.runs)
    given.json.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    if wrong := failures(found):
        sys.exit("failed: " + "; ".join(wrong))


if __name__ == "__main__":
    main()
