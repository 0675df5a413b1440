"""What a run was made from and by."""

from __future__ import annotations

import json
import platform
import resource
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from geotools.catalog.catalog import identity
from geotools.catalog.schema import Entry

PACKAGES = (
    "lena-amur-geotools", "xarray", "dask", "numpy", "pandas", "scipy", "rasterio", "rioxarray", "geopandas", "shapely",
    "pyproj", "numba", "netCDF4", "zarr", "pint", "pydantic", "matplotlib",
)  # fmt: skip


def input_record(name: str, entry: Entry) -> dict[str, Any]:
    """Identity, licence and source of one input.

    Parameters
    ----------
    name : str
    entry : Entry
        With an absolute path.

    Returns
    -------
    dict
    """
    record: dict[str, Any] = {
        "name": name,
        "path": str(entry.path),
        "sha256": identity(entry.path),
        "bytes": size_on_disk(entry.path),
        "tier": str(entry.tier),
        "description": entry.description,
        "licence": entry.licence,
        "attribution": entry.attribution,
        "citation": entry.citation,
    }
    if entry.period:
        record["period"] = list(entry.period)
    return record


def versions() -> dict[str, str]:
    """Versions of Python and of the packages that shape the numbers."""
    found = {"python": platform.python_version()}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "not installed"
    return found


def peak_memory_bytes() -> int:
    """Largest resident memory of this process so far, in bytes."""
    try:
        # Of this program alone: what getrusage gives begins with the peak of the process that started it.
        status = Path("/proc/self/status").read_text()
        return int(status.partition("VmHWM:")[2].split()[0]) * 1024
    except (OSError, IndexError, ValueError):
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return peak if sys.platform == "darwin" else peak * 1024


def write(path: Path, record: dict[str, Any]) -> None:
    """Write run.json whole or not at all."""
    from geotools.recipe.files import replacing

    with replacing(path) as temporary:
        temporary.write_text(json.dumps(record, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def size_on_disk(path: Path) -> int:
    """Bytes of a file, or of all files of a folder."""
    if path.is_dir():
        return sum(p.stat().st_size for p in path.rglob("*") if p.is_file())
    return path.stat().st_size
