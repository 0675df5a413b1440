"""Lines of text files, compressed or not, and how a broken one is told."""

from __future__ import annotations

import gzip
import zlib
from pathlib import Path

from geotools.catalog.catalog import require_file
from geotools.errors import DataError


def read_bytes(path: Path) -> bytes:
    """The bytes of a file, unpacked where they are gzip, whatever the file is called.

    Raises
    ------
    UsageError
        When the file is not there.
    DataError
        When it is a folder, is empty, or its compression is broken.
    """
    require_file(path)
    if path.is_dir():
        raise DataError("a folder", where=str(path), expected="a file")
    with path.open("rb") as file:
        packed = file.read(2) == b"\x1f\x8b"
    try:
        content = gzip.decompress(path.read_bytes()) if packed else path.read_bytes()
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise DataError(
            f"the compressed file is cut off or damaged ({error})",
            where=str(path),
            expected="a whole gzip file",
            todo="fetch the file again",
        ) from error
    if not content.strip():
        raise DataError("an empty file", where=str(path), expected="records", todo="fetch the file again")
    return content


def read_text(path: Path) -> str:
    """The text of a file in UTF-8, unpacked where it is gzip.

    Raises
    ------
    UsageError
        When the file is not there.
    DataError
        When it cannot be read, or is not UTF-8.
    """
    content = read_bytes(path)
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise DataError(
            f"line {line} is not UTF-8",
            where=str(path),
            expected="a text file in UTF-8",
            todo="save the file again with the encoding UTF-8",
        ) from error


def broken_line(
    path: Path, line: int, found: str, *, expected: str, todo: str = "mend the line"
) -> DataError:
    """The error for a line, counted from 1."""
    return DataError(f"line {line}: {found}", where=str(path), expected=expected, todo=todo)
