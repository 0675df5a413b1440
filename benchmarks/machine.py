"""What the figures were measured on and with."""

from __future__ import annotations

import os
import platform
from importlib import metadata
from pathlib import Path
from typing import Any

_PACKAGES = (
    "lena-amur-geotools", "numpy", "numba", "scipy", "xarray", "dask", "zarr", "shapely", "geopandas", "pyproj",
    "exactextract", "xvec", "regionmask", "rasterio", "rasterstats", "xarray-regrid",
)  # fmt: skip


def describe() -> dict[str, Any]:
    """Processor, cores, memory, load and versions, at this moment."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return {
        "processor": _first("/proc/cpuinfo", "model name") or platform.processor(),
        "cores": cores,
        "memory": _first("/proc/meminfo", "MemTotal"),
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "load_average": list(os.getloadavg()),
        "versions": {name: _version(name) for name in _PACKAGES},
    }


def _first(path: str, key: str) -> str:
    if not Path(path).exists():
        return ""
    lines = (line.split(":", 1) for line in Path(path).read_text().splitlines() if ":" in line)
    return next((value.strip() for name, value in lines if name.strip() == key), "")


def _version(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def figure(value: float | None) -> str:
    """A number with three digits that count, nothing for none."""
    if value is None:
        return ""
    if value == 0:
        return "0"
    size = abs(value)
    if size >= 1e4 or size < 1e-3:
        return f"{value:.1e}"
    return f"{value:.0f}" if size >= 100 else f"{value:#.3g}"
