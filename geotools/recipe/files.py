"""Output files that are whole or absent: written under another name, then renamed into place."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from geotools.errors import UsageError


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A temporary path beside `path` that takes its place when the block ends without an error.

    Parameters
    ----------
    path : pathlib.Path
        File or folder to be written.

    Yields
    ------
    pathlib.Path
        Where to write. It keeps the ending of `path`, which some writers choose the format by.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.stem}.part{path.suffix}")
    remove(temporary)
    try:
        yield temporary
        if path.is_dir():
            # A folder cannot be replaced in one step; the journal entry is what makes it count as finished.
            shutil.rmtree(path)
        os.replace(temporary, path)
    finally:
        remove(temporary)


def remove(path: Path) -> None:
    """Remove a file or folder, if it is there."""
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def writable_folder(path: Path) -> Path:
    """Make a folder and see that it can be written to.

    Raises
    ------
    UsageError
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
        probe = path / ".write-test"
        probe.write_text("")
        probe.unlink()
    except OSError as error:
        raise UsageError(
            f"the output folder cannot be written ({error.strerror or error})",
            where=str(path),
            expected="a folder you may write to",
            todo="choose another folder with --out, or change its permissions",
        ) from error
    return path
