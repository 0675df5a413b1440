"""Times and peak memory of calls within one process."""

from __future__ import annotations

import os
import resource
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any


def seconds_of(call: Callable[[], Any], runs: int) -> list[float]:
    """Times of some calls [s]."""
    times = []
    for _ in range(runs):
        start = time.perf_counter()
        call()
        times.append(time.perf_counter() - start)
    return times


def median_of(times: list[float]) -> dict[str, Any]:
    """Median, quickest and number of some times [s]."""
    return {"seconds": statistics.median(times), "quickest": min(times), "runs": len(times)}


def interleaved(calls: dict[str, Callable[[], Any]], runs: int) -> dict[str, list[float]]:
    """Times of several calls in turn, so that a slow spell of the machine meets all of them [s]."""
    times: dict[str, list[float]] = {name: [] for name in calls}
    for _ in range(runs):
        for name, call in calls.items():
            times[name] += seconds_of(call, 1)
    return times


def peak_of(call: Callable[[], Any]) -> tuple[Any, dict[str, float]]:
    """What a call gives, and memory of this process [MB].

    `baseline_mb` is held before the call (imports and input), `peak_mb` is the most while it ran, and `added_mb` the
    difference: what the method itself takes.
    """
    before = _resident_mb()
    reset = _reset_peak()
    out = call()
    peak = _peak_mb()
    found = {"baseline_mb": before, "peak_mb": peak, "added_mb": max(0.0, peak - before)}
    # Without a reset the peak may be that of what made the input.
    return out, found if reset else {**found, "peak_includes_setup": True}


def _status_mb(name: str) -> float | None:
    status = Path("/proc/self/status")
    if not status.exists():
        return None
    line = next((line for line in status.read_text().splitlines() if line.startswith(name + ":")), None)
    return None if line is None else int(line.split()[1]) * 1024 / 1e6


def _resident_mb() -> float:
    found = _status_mb("VmRSS")
    return _rusage_mb() if found is None else found


def _peak_mb() -> float:
    found = _status_mb("VmHWM")
    return _rusage_mb() if found is None else found


def _rusage_mb() -> float:
    # Kilobytes on Linux, bytes on macOS.
    return (
        resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024) / 1e6
    )


def _reset_peak() -> bool:
    try:
        descriptor = os.open("/proc/self/clear_refs", os.O_WRONLY)
    except OSError:
        return False
    try:
        os.write(descriptor, b"5")
    except OSError:
        return False
    finally:
        os.close(descriptor)
    return True
