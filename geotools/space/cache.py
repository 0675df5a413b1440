"""A folder of overlaps, each under a key of all that decides what it holds.

An overlap that is there is read and not built. The key is made of the shapes, names, grid and versions before
anything is built, and a file is only written once its targets passed all checks: a bad target never has one.
"""

from __future__ import annotations

import hashlib
import os
import time
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pyproj
import shapely
import xarray as xr

from geotools.errors import DataError, GeotoolsError, GeotoolsWarning, UsageError
from geotools.space import store
from geotools.space.coverage import ALGORITHM
from geotools.space.crs import same_crs
from geotools.space.curvilinear import CurvilinearGrid
from geotools.space.grid import Grid
from geotools.space.grids import AnyGrid, grid_of
from geotools.space.memory import give_back
from geotools.space.runs import Matrix
from geotools.space.targets import Target, outside_text, plain_names, target_of
from geotools.space.transect import Transect

VARIABLE = "GEOTOOLS_CACHE"
Cache = str | os.PathLike[str] | bool | None

# Building an overlap of more than this [bytes] leaves free memory behind that is worth giving back.
_LARGE = 1 << 22
# Left behind by a process that was killed while it wrote.
_ABANDONED_SECONDS = 3600.0
_already_told: set[Path] = set()


def folder_of(cache: Cache) -> Path | None:
    """The folder that is meant: the one given, that of the environment, or none.

    Raises
    ------
    UsageError
        For anything but a path, None and False.
    """
    if cache is False:
        return None
    if cache is None:
        cache = os.environ.get(VARIABLE) or None
        if cache is None:
            return None
    if cache is True or not isinstance(cache, str | os.PathLike):
        raise UsageError(
            f"cache is {cache!r}", expected=f"a folder, None for the one of {VARIABLE}, or False for none"
        )
    return Path(cache).expanduser()


def overlay_of(
    target: Any,
    grid: AnyGrid,
    zone_dim: str | None,
    column: str | None,
    coordinates: Sequence[str],
    cache: Cache,
) -> tuple[Target, Matrix]:
    """Targets and the areas they share with the cells of a grid, from the cache or built and put there.

    Takes the arguments of `Overlap.between`, and warns in the name of who called that.
    """
    folder = folder_of(cache)
    key = key_of(target, grid, zone_dim, column, coordinates) if folder is not None else None
    if folder is None or key is None:
        described, matrix = target_of(target, grid, zone_dim, column, coordinates)
    else:
        path = folder / f"overlap-{key}.npz"
        found, spoilt = _taken(path, key)
        if spoilt:
            _warn(spoilt)
        if found is not None:
            described, matrix = found.target, found.matrix
        else:
            started = time.perf_counter()
            described, matrix = target_of(target, grid, zone_dim, column, coordinates)
            seconds = time.perf_counter() - started
            if refused := _put(path, store.Stored(matrix, described, grid, key), seconds):
                _warn(refused)
    if outside := outside_text(described, matrix.row_sums):
        _warn(outside)
    if matrix.nbytes > _LARGE:
        give_back()
    return described, matrix


def _warn(text: str) -> None:
    # Up to the line that called Overlap.between: this function, overlay_of, between.
    warnings.warn(text, GeotoolsWarning, stacklevel=4)


def _taken(path: Path, key: str) -> tuple[store.Stored | None, str]:
    """What a file holds, or why it is not used; blank when there is none."""
    try:
        found = store.read(path)
    except UsageError:
        return None, ""  # not there, or not to be opened, and then writing it will tell
    except DataError as error:
        reason = error.found + (f"; expected {error.expected}" if error.expected else "")
    else:
        if found.key == key:
            return found, ""
        reason = "it holds another overlap than its name says"
    return None, f"{path}: {reason}. The file is not used; the overlap is built anew and the file replaced."


def _put(path: Path, stored: store.Stored, seconds: float) -> str:
    """Write a file; or, once for each folder, what it costs that this is not possible."""
    folder = path.parent
    try:
        folder.mkdir(parents=True, exist_ok=True)
        store.write(path, stored)
        _remove_abandoned(folder)
    except (OSError, GeotoolsError) as error:
        if folder in _already_told:
            return ""
        _already_told.add(folder)
        reason = (error.strerror or str(error)) if isinstance(error, OSError) else str(error).rstrip(".")
        return (
            f"The cache {folder} cannot be written ({reason}). Results are the same, but overlaps are built "
            f"each time; this one took {seconds:.1f} s. To mend it: make the folder writable or free some "
            f"space, set {VARIABLE} to another folder, or pass cache=False."
        )
    return ""


def _remove_abandoned(folder: Path) -> None:
    for path in folder.glob(".overlap-*.tmp"):
        try:
            if time.time() - path.stat().st_mtime > _ABANDONED_SECONDS:
                path.unlink()
        except OSError:
            continue  # another process was faster


def key_of(
    target: Any, grid: AnyGrid, zone_dim: str | None, column: str | None, coordinates: Sequence[str]
) -> str | None:
    """Identity of an overlap before it is built.

    Returns
    -------
    str or None
        None for targets that are built faster than read (points, rectilinear grids in the same CRS) and for those that
        lack what a key is made of, about which building them says more.
    """
    if isinstance(target, xr.DataArray | xr.Dataset):
        target = grid_of(target)
    digest = hashlib.sha256(f"{store.FORMAT}|{ALGORITHM}|{pyproj.__proj_version__}|{grid.key}|".encode())
    if isinstance(target, Grid | CurvilinearGrid):
        both = isinstance(target, Grid) and isinstance(grid, Grid)
        if both and (same_crs(target.crs, grid.crs) or (target.is_lonlat and grid.is_lonlat)):
            return None
        digest.update(f"cells|{target.key}".encode())
        return digest.hexdigest()
    frame = target.segments if isinstance(target, Transect) else target
    named = [] if column is None else [column]
    if (
        not isinstance(frame, gpd.GeoDataFrame)
        or frame.active_geometry_name is None
        or frame.crs is None
        or not {*named, *coordinates} <= set(frame.columns)
    ):
        return None
    shapes = np.array(frame.geometry.array, dtype=object)
    if shapely.is_missing(shapes).any() or (shapely.get_type_id(shapes) == shapely.GeometryType.POINT).any():
        return None
    is_transect = isinstance(target, Transect)
    head = (is_transect, zone_dim, column, frame.index.name, list(coordinates), frame.crs.to_wkt())
    digest.update(repr(head).encode())
    for shape in shapely.to_wkb(shapes):
        digest.update(len(shape).to_bytes(8, "little") + shape)
    carried = [*named, *(("distance_km", "lat", "lon") if is_transect else ()), *coordinates]
    for values in (frame.index, *(frame[name] for name in carried)):
        labels = plain_names(values)
        digest.update(f"|{labels.dtype}|".encode() + repr(labels.tolist()).encode())
    return digest.hexdigest()
