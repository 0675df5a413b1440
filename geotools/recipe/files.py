"""Output files that are whole or absent: written under another name, then renamed into place."""

from __future__ import annotations

import errno
import os
import re
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from geotools.errors import GeotoolsError, StorageError, UsageError

# Hidden names, `.<stem>.<what>-<token><suffix>`: being written, set aside to be replaced, on its way out.
_PART, _OLD, _GONE = "part", "old", "gone"
_LEFTOVER = re.compile(r"\.(?P<stem>.+)\.(?P<what>part|old|gone)(-[0-9a-f]{8})?(?P<suffix>\..*)?")
# What a file system answers when it takes no more: full, quota, size of a file, read-only.
_REFUSED = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS}
_PROBE_BYTES = 4_000_000


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

    Raises
    ------
    StorageError
        When the disk is full.
    """
    # Of its own, so that a worker that was given up and writes on cannot spoil the file of the one in its place.
    temporary = _beside(path, _PART)
    try:
        with storing(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            yield temporary
            if path.is_dir():
                _swap(temporary, path)
            else:
                os.replace(temporary, path)
    finally:
        remove(temporary)


@contextmanager
def storing(path: Path) -> Iterator[None]:
    """Turn the many ways in which libraries report a full disk into one error that says what to do.

    Parameters
    ----------
    path : pathlib.Path
        What is being written.

    Raises
    ------
    StorageError
    """
    try:
        yield
    except GeotoolsError:
        raise
    except Exception as error:
        why = _refusal(path.parent, error)
        if why is None:
            raise
        raise StorageError(
            f"it could not be written: {why}",
            where=str(path),
            todo="free some space, or have the quota raised, and give the same command again: it goes on from "
            "the last finished block",
        ) from error


def _refusal(folder: Path, error: Exception) -> str | None:
    if isinstance(error, OSError) and error.errno in _REFUSED:
        return os.strerror(error.errno)
    # NetCDF, GDAL and SQLite have words of their own for it; whether it is so shows a file that is tried.
    probe = _beside(folder / "probe", _PART)
    try:
        with probe.open("wb") as file:
            file.write(bytes(_PROBE_BYTES))
            file.flush()
            os.fsync(file.fileno())
    except OSError as refused:
        return os.strerror(refused.errno) if refused.errno in _REFUSED else None
    finally:
        probe.unlink(missing_ok=True)
    return None


def _swap(new: Path, path: Path) -> None:
    # A folder cannot be replaced in one step. In between it is absent, and `tidy` puts the old one back if the
    # process dies there.
    old = _beside(path, _OLD)
    path.rename(old)
    try:
        new.rename(path)
    except OSError:
        old.rename(path)
        raise
    shutil.rmtree(old)


def _beside(path: Path, what: str) -> Path:
    return path.with_name(f".{path.stem}.{what}-{uuid.uuid4().hex[:8]}{path.suffix}")


def remove(path: Path) -> None:
    """Remove a file or folder, if it is there; a folder is never seen half removed."""
    if not path.is_dir():
        path.unlink(missing_ok=True)
        return
    if not is_leftover(path.name):
        gone = _beside(path, _GONE)
        path.rename(gone)
        path = gone
    shutil.rmtree(path)


def tidy(folder: Path) -> None:
    """Clear away what a killed process left half done in a run directory.

    Parameters
    ----------
    folder : pathlib.Path
        A run directory that no process writes to.
    """
    for path in [p for p in folder.rglob(".*") if is_leftover(p.name)]:
        found = _LEFTOVER.fullmatch(path.name)
        if not found or not path.exists():
            # The second when it went with a folder that was removed before it.
            continue
        final = path.with_name(f"{found['stem']}{found['suffix'] or ''}")
        if found["what"] == _OLD and not final.exists():
            path.rename(final)
        else:
            remove(path)


def is_leftover(name: str) -> bool:
    """Whether a file has this name only while something is being written."""
    return _LEFTOVER.fullmatch(name) is not None


def writable_folder(path: Path) -> Path:
    """Make a folder and see that it can be written to.

    Raises
    ------
    UsageError
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
        probe = _beside(path / "write-test", _PART)
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
