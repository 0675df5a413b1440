"""The inputs of a run: what they hold when it starts, and that they still do while it goes on."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from geotools.catalog.catalog import identity
from geotools.errors import DataError
from geotools.recipe.journal import Journal, key_of

if TYPE_CHECKING:
    from geotools.recipe.context import Context

# Smaller ones are read again at each start, which is safer and takes no time.
_LARGE_BYTES = 100_000_000
# Looking over a store of many files may take this share of the time of a run.
_SHARE_OF_TIME = 0.05


class Inputs:
    """Hashes and stamps of the inputs of a run.

    Parameters
    ----------
    context : Context
    book : Journal
        Remembers the hashes of large inputs, by size and time of change.
    """

    def __init__(self, context: Context, book: Journal) -> None:
        self._paths = {role: entry.path for role, (_, entry) in context.inputs.items()}
        self._stamps: dict[str, str] = {}
        self._next_look: dict[str, float] = {}
        self.hashes: dict[str, str] = {}
        for role, path in self._paths.items():
            stamp, size = _stamp(path)
            known = book.input_hash(str(path), stamp) if size >= _LARGE_BYTES else None
            self.hashes[role] = known or identity(path)
            if size >= _LARGE_BYTES and known is None:
                book.add_input(str(path), stamp, self.hashes[role])
            self._stamps[role] = stamp

    def ensure(self, roles: Iterable[str], *, all_files: bool = True) -> bool:
        """See that inputs are what they were when the run started.

        A chunk that is gone from a Zarr store reads as missing values, so that nothing else would tell.

        Parameters
        ----------
        roles : iterable of str
        all_files : bool
            Look at every file of a store, however long that takes.

        Returns
        -------
        bool
            Whether all files were looked at.

        Raises
        ------
        DataError
            When one is gone or was changed.
        """
        complete = True
        for role in roles:
            path, start = self._paths[role], time.monotonic()
            if not all_files and path.is_dir() and start < self._next_look.get(role, 0.0):
                complete = False
                continue
            try:
                same = _stamp(path)[0] == self._stamps[role]
            except FileNotFoundError:
                raise _gone(path) from None
            if not same:
                raise DataError(
                    "the input was changed while the run went on",
                    where=str(path),
                    expected="inputs that stay as they are until the run is finished",
                    todo="let it be complete, then give the same command again",
                )
            now = time.monotonic()
            self._next_look[role] = now + (now - start) / _SHARE_OF_TIME
        return complete


def _gone(path: Path) -> DataError:
    return DataError(
        "the input is gone since the run started",
        where=str(path),
        expected="inputs that stay where they are until the run is finished",
        todo="put it back, then give the same command again: it goes on from the last finished block",
    )


def _stamp(path: Path) -> tuple[str, int]:
    """What changes when a file, or any file of a folder, is changed; and the bytes it holds."""
    if not path.is_dir():
        status = path.stat()
        return f"{status.st_size} {status.st_mtime_ns}", status.st_size
    found, total, folders = [], 0, [str(path)]
    while folders:
        with os.scandir(folders.pop()) as entries:
            for entry in entries:
                if entry.is_dir():
                    folders.append(entry.path)
                    continue
                status = entry.stat()
                found.append(f"{entry.path} {status.st_size} {status.st_mtime_ns}")
                total += status.st_size
    return key_of(sorted(found)), total
