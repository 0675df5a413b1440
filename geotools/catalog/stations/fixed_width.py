"""Tables of fixed width, read column by column for the whole file at once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from geotools.catalog.stations.text import broken_line, read_bytes
from geotools.guards import Array


@dataclass(frozen=True)
class Layout:
    """Columns of a file whose fields are parted by one blank.

    Parameters
    ----------
    name : str
        What the file is called in messages.
    widths : dict of str to int
        Characters of the columns, in their order.
    """

    name: str
    widths: Mapping[str, int]

    @property
    def length(self) -> int:
        """Characters of a line."""
        return sum(self.widths.values()) + len(self.widths) - 1

    def columns(self) -> dict[str, slice]:
        """Where each column stands in a line."""
        out, at = {}, 0
        for name, width in self.widths.items():
            out[name] = slice(at, at + width)
            at += width + 1
        return out


@dataclass(frozen=True)
class Table:
    """A file that was cut into columns.

    Parameters
    ----------
    path : pathlib.Path
    layout : Layout
    characters : array [line, character; uint8]
    """

    path: Path
    layout: Layout
    characters: NDArray[np.uint8]

    def text(self, name: str) -> NDArray[np.bytes_]:
        """A column [line] without the blanks around its cells."""
        part = np.ascontiguousarray(self.characters[:, self.layout.columns()[name]])
        return np.char.strip(part.view(f"S{part.shape[1]}")[:, 0])

    def numbers(self, name: str) -> Array:
        """A column of numbers [line]; blank cells are NaN.

        Raises
        ------
        DataError
            When a cell is neither blank nor a number.
        """
        cells = self.text(name)
        blank = cells == b""
        try:
            values = np.where(blank, b"nan", cells).astype("float64")
        except ValueError:
            values = np.array([_number(cell) for cell in cells])
        odd = ~np.isfinite(values) & ~blank
        if odd.any():
            at = int(np.argmax(odd))
            raise broken_line(
                self.path,
                at + 1,
                f"column {name!r} holds {cells[at].decode('ascii', 'replace')!r}",
                expected="a number or blanks",
            )
        return np.asarray(values)

    def integers(self, name: str) -> NDArray[np.int64]:
        """A column of whole numbers [line].

        Raises
        ------
        DataError
            When a cell is blank or not a whole number.
        """
        values = self.numbers(name)
        odd = np.isnan(values) | (np.floor(values) != values)
        if odd.any():
            at = int(np.argmax(odd))
            cell = self.text(name)[at].decode("ascii", "replace")
            raise broken_line(self.path, at + 1, f"column {name!r} holds {cell!r}", expected="a whole number")
        return values.astype("int64")


def _number(cell: bytes) -> float:
    try:
        return float(cell) if cell else np.nan
    except ValueError:
        return np.inf


def read_fixed_width(path: Path, layout: Layout) -> Table:
    """Cut a file into the columns of its layout.

    Parameters
    ----------
    path : pathlib.Path
        Plain or gzip; lines end in LF or CR LF.
    layout : Layout

    Returns
    -------
    Table

    Raises
    ------
    UsageError
        When the file is not there.
    DataError
        When a line is shorter or longer than the layout, or something stands between two columns.
    """
    lines = read_bytes(path).replace(b"\r\n", b"\n").split(b"\n")
    while lines and not lines[-1].strip():
        lines.pop()
    lengths = np.fromiter(map(len, lines), dtype="int64", count=len(lines))
    wrong = lengths != layout.length
    if wrong.any():
        at = int(np.argmax(wrong))
        last = at == len(lines) - 1 and lengths[at] < layout.length
        raise broken_line(
            path,
            at + 1,
            f"{lengths[at]} characters",
            expected=f"{layout.length} characters, as {layout.name} has",
            todo="fetch the file again: it is cut off here" if last else "check that this is such a file",
        )
    characters = np.frombuffer(b"".join(lines), dtype="uint8").reshape(len(lines), layout.length)
    gaps = [part.stop for part in layout.columns().values()][:-1]
    filled = characters[:, gaps] != ord(" ")
    if filled.any():
        at = int(np.argmax(filled.any(axis=1)))
        gap = gaps[int(np.argmax(filled[at]))]
        raise broken_line(
            path,
            at + 1,
            f"character {gap + 1} is {chr(characters[at, gap])!r}",
            expected=f"a blank between two columns, as {layout.name} has",
            todo="check that this is such a file",
        )
    return Table(path, layout, characters)
