"""All benchmarks by one command, and the page that tells them.

``python -m benchmarks.report OUT_FOLDER`` measures, keeps ``zonal.json`` and ``regrid.json`` in the folder and writes
docs/benchmarks.md from them; ``--from-json`` writes the page from files that are there. With ``--quick`` the page
stays in the folder, for figures of small sizes say nothing.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from pathlib import Path

from benchmarks import page, regrid, zonal

_DOCS = Path(__file__).resolve().parents[1] / "docs" / "benchmarks.md"


def main() -> None:
    """Measure everything and write the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="for the JSON files, and for 15 GB of stores meanwhile")
    parser.add_argument("--quick", action="store_true", help="small sizes: whether it works, not how fast")
    parser.add_argument("--slow", action="store_true", help="also the methods that take minutes")
    parser.add_argument("--from-json", action="store_true", help="measure nothing")
    given = parser.parse_args()
    given.folder.mkdir(parents=True, exist_ok=True)
    files = {name: given.folder / f"{name}.json" for name in ("zonal", "regrid")}
    if not given.from_json:
        with tempfile.TemporaryDirectory(dir=given.folder) as scratch:
            runs = 2 if given.quick else 9
            found = zonal.measure(given.quick, given.slow, ["coarse", "fine"], Path(scratch), runs)
        files["zonal"].write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
        measured = regrid.measure(given.quick, 1 if given.quick else 15)
        files["regrid"].write_text(json.dumps(measured, indent=1) + "\n", encoding="utf-8")
    results = {name: json.loads(file.read_text(encoding="utf-8")) for name, file in files.items()}
    quick = any(result["quick"] for result in results.values())
    out = given.folder / "benchmarks.md" if quick else _DOCS
    out.write_text(page.page(results["zonal"], results["regrid"]), encoding="utf-8")
    print(out)
    if wrong := [line for result in results.values() for line in zonal.failures(result)]:
        sys.exit("failed: " + "; ".join(wrong))


if __name__ == "__main__":
    main()
