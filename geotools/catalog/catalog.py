"""The catalogue: named entries from YAML files, opened on request."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from geotools.catalog.keys import closest
from geotools.catalog.locations import data_dir
from geotools.catalog.schema import Entry
from geotools.errors import UsageError


class Catalog(Mapping[str, Entry]):
    """Data sources by name.

    Parameters
    ----------
    entries : dict of str to Entry
        With absolute paths.
    """

    def __init__(self, entries: dict[str, Entry]) -> None:
        self._entries = dict(entries)

    def __getitem__(self, name: str) -> Entry:
        if name not in self._entries:
            raise UsageError(
                f"there is no catalogue entry {name!r}",
                expected=closest(name, self._entries),
                todo="see `geotools catalog list`, or name a file by `path:` in the recipe",
            )
        return self._entries[name]

    def __contains__(self, name: object) -> bool:
        return name in self._entries

    def __iter__(self) -> Iterator[str]:
        return iter(self._entries)

    def __len__(self) -> int:
        return len(self._entries)

    def with_entries(self, more: Mapping[str, Entry]) -> Catalog:
        """A catalogue that also holds other entries."""
        return Catalog({**self._entries, **more})

    def open(self, name: str) -> Any:
        """Open an entry.

        Returns
        -------
        xarray.Dataset, geopandas.GeoDataFrame or pandas.DataFrame
            Rasters are lazy, with canonical names, units and axes.
        """
        return open_entry(self[name])

    def table(self) -> Any:
        """The entries as a table: name, format, description, licence.

        Returns
        -------
        pandas.DataFrame
        """
        import pandas as pd

        rows = [
            {
                "name": n,
                "format": e.kind,
                "tier": str(e.tier),
                "description": e.description,
                "licence": e.licence,
            }
            for n, e in self._entries.items()
        ]
        return pd.DataFrame(rows).set_index("name")


def open_catalog(*files: str | Path) -> Catalog:
    """The bundled catalogue, joined by the entries of further YAML files.

    Parameters
    ----------
    *files : str or pathlib.Path
        Catalogue files: a mapping from names to entries. Relative paths in a file start at its own folder.

    Returns
    -------
    Catalog

    Raises
    ------
    UsageError
        When a file is missing, an entry does not fit the schema, or a name is taken.
    """
    catalog = Catalog(_read(data_dir() / "catalog.yml"))
    for file in files:
        more = _read(Path(file))
        taken = [name for name in more if name in catalog]
        if taken:
            raise UsageError(
                f"the name {taken[0]!r} is taken by another catalogue",
                where=str(file),
                expected="names of your own",
                todo="rename the entry",
            )
        catalog = catalog.with_entries(more)
    return catalog


def open_entry(entry: Entry) -> Any:
    """Open the file of an entry with the reader of its format.

    Parameters
    ----------
    entry : Entry
        With an absolute path.

    Returns
    -------
    xarray.Dataset, geopandas.GeoDataFrame or pandas.DataFrame
        A daily table is a Dataset, as from `daily_series`.

    Raises
    ------
    UsageError
        When the file is not there.
    DataError
        When it cannot be used.
    """
    require_file(entry.path)
    if entry.kind == "vector":
        from geotools.catalog.readers import vector

        return vector.read(entry.path, key=entry.key, layer=entry.layer)
    if entry.kind == "table" and entry.daily is not None:
        from geotools.catalog.daily import open_daily

        return open_daily(entry, entry.daily)
    if entry.kind == "table":
        from geotools.catalog.readers import table

        return table.read(entry.path, key=entry.key)
    from geotools.catalog.harmonise import harmonise
    from geotools.catalog.readers import geotiff, netcdf

    raw = geotiff.read(entry.path) if entry.kind == "geotiff" else netcdf.read(entry.path, entry.kind)
    return harmonise(raw, entry)


def require_file(path: Path) -> None:
    """Raise when a file is not there.

    Raises
    ------
    UsageError
    """
    if not path.exists():
        folder = path.parent
        near = (
            closest(path.name, [p.name for p in folder.iterdir()])
            if folder.is_dir()
            else f"{folder} is not a folder"
        )
        raise UsageError("the file does not exist", where=str(path), expected=near, todo="correct the path")


def identity(path: Path) -> str:
    """sha256 of a file, or of the sorted files of a folder such as a Zarr store.

    Parameters
    ----------
    path : pathlib.Path

    Returns
    -------
    str [64 hexadecimal digits]
    """
    if path.is_dir():
        parts = (f"{p.relative_to(path)} {identity(p)}" for p in sorted(path.rglob("*")) if p.is_file())
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()
    status = path.stat()
    return _sha256(path, status.st_size, status.st_mtime_ns)


@lru_cache(maxsize=1024)
def _sha256(path: Path, size: int, mtime: int) -> str:
    # Size and time of change are only there to make the cache forget a file that changed.
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _read(file: Path) -> dict[str, Entry]:
    import yaml
    from pydantic import ValidationError

    require_file(file)
    try:
        content = yaml.safe_load(file.read_text(encoding="utf-8")) or {}
    except yaml.YAMLError as error:
        raise UsageError(
            f"not YAML ({str(error).splitlines()[0]})", where=str(file), todo="mend the file"
        ) from error
    if not isinstance(content, dict):
        raise UsageError("the file holds no mapping", where=str(file), expected="names with their entries")
    entries = {}
    for name, fields in content.items():
        try:
            entries[str(name)] = Entry.model_validate(fields).located(file.resolve().parent)
        except ValidationError as error:
            first = error.errors()[0]
            key = ".".join(str(part) for part in first["loc"])
            raise UsageError(
                f"entry {name!r}, key {key!r}: {first['msg']}", where=str(file), todo="correct the entry"
            ) from error
    return entries
