"""One measurement in a process of its own.

`run` starts the process and reads its answer; as a module this is that process. A peer that is not installed
is told as skipped, and one that fails as failed: neither stops the others.
"""

from __future__ import annotations

import importlib
import json
import os
import subprocess
import sys
from typing import Any

_ANSWER = "benchmark answer: "
_LIMIT_SECONDS = 3600
# Names of modules that may be absent; of all others the absence is a fault.
_PEERS = ("exactextract", "xvec", "regionmask", "xarray_regrid", "rasterio", "rasterstats")


def run(function: str, options: dict[str, Any], note: str = "", *, apart: bool = True) -> dict[str, Any]:
    """What a function gives.

    Parameters
    ----------
    function : str
        As "module:name".
    options : dict
        Its arguments.
    note : str
        What to print meanwhile.
    apart : bool
        In a process of its own. Otherwise in this one, which is quicker but measures no memory.
    """
    print(f"  {note or function} ...", end=" ", flush=True, file=sys.stderr)
    if not apart:
        return _told(_called(function, options))
    environment = {k: v for k, v in os.environ.items() if k != "GEOTOOLS_CACHE"}
    task = json.dumps({"function": function, "options": options})
    try:
        done = subprocess.run(
            [sys.executable, "-m", "benchmarks.worker"],
            input=task, capture_output=True, text=True, env=environment, timeout=_LIMIT_SECONDS, check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return _told({"failed": f"no answer within {_LIMIT_SECONDS} s"})
    answers = [line for line in done.stdout.splitlines() if line.startswith(_ANSWER)]
    if done.returncode or not answers:
        last = done.stderr.strip().splitlines()[-1:] or [f"ended with code {done.returncode}"]
        return _told({"failed": last[0]})
    return _told(json.loads(answers[-1].removeprefix(_ANSWER)))


def _told(found: dict[str, Any]) -> dict[str, Any]:
    said = found.get("skipped") or found.get("failed")
    print(said or (f"{found['seconds']:.4g} s" if "seconds" in found else "done"), file=sys.stderr)
    return found


def _called(function: str, options: dict[str, Any]) -> dict[str, Any]:
    module, name = function.split(":")
    try:
        found: dict[str, Any] = getattr(importlib.import_module(module), name)(**options)
    except ModuleNotFoundError as error:
        if (error.name or "").split(".")[0] not in _PEERS:
            raise
        return {"skipped": f"{error.name} is not installed"}
    return found


def main() -> None:
    """Do the task on standard input."""
    task = json.loads(sys.stdin.read())
    print(_ANSWER + json.dumps(_called(task["function"], task["options"])))


if __name__ == "__main__":
    main()
