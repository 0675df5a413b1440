"""Delimited text as rows under a header, with the lines they stand in."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from geotools.catalog.stations.text import broken_line, read_text
from geotools.errors import DataError
from geotools.guards import Array

# Names of the column of times, in small letters. "Date/Depth" heads the exports of GTN-P until 2025.
TIME_NAMES = ("date/depth", "date/time", "datetime", "date_time", "timestamp", "utc_time", "time", "date")


@dataclass(frozen=True)
class Rows:
    """The lines of a table under its header."""

    path: Path
    header: list[str]
    cells: list[list[str]]
    lines: list[int]

    def column(self, at: int) -> list[str]:
        """Cells of a column without the blanks around them."""
        return [row[at].strip() for row in self.cells]


def read_rows(path: Path) -> Rows:
    """Header and rows, without the comment of PANGAEA, with the lines they stand in.

    Raises
    ------
    UsageError
        When the file is not there.
    DataError
        When there is no table, or a row has more or fewer cells than the header.
    """
    text = read_text(path)
    skipped = 0
    if text.lstrip().startswith("/*"):
        end = text.find("*/")
        if end < 0:
            raise DataError("a comment that does not end", where=str(path), expected="'*/' before the table")
        skipped = text[: end + 2].count("\n")
        rest = text[end + 2 :]
        # The remainder of the line of "*/" belongs to the comment.
        text = rest[rest.find("\n") + 1 :]
        skipped += 1
    first = next((line for line in text.splitlines() if line.strip()), "")
    delimiter = max("\t;,", key=first.count)
    reader = csv.reader(text.splitlines(), delimiter=delimiter)
    header: list[str] = []
    cells, lines = [], []
    for row in reader:
        if not any(c.strip() for c in row):
            continue
        line = reader.line_num + skipped
        if not header:
            header = [c.strip() for c in row]
            continue
        if len(row) != len(header):
            raise broken_line(
                path, line, f"{len(row)} cells", expected=f"{len(header)} cells, as the header has"
            )
        cells.append(row)
        lines.append(line)
    if len(header) < 2 or not cells:
        raise DataError(
            f"{len(header)} columns and {len(cells)} rows",
            where=str(path),
            expected="a header and rows below it",
        )
    return Rows(path, header, cells, lines)


def time_column(rows: Rows, wanted: str | None) -> int:
    """Place of the column of times.

    Raises
    ------
    DataError
        When there is none.
    """
    small = [h.lower() for h in rows.header]
    names = TIME_NAMES if wanted is None else (wanted.lower(),)
    for name in names:
        if name in small:
            return small.index(name)
    raise DataError(
        f"no column of times among {', '.join(rows.header[:8])}",
        where=str(rows.path),
        expected=f"one of {', '.join(names)}",
        todo="name it by `time_column`",
    )


def times_of(rows: Rows, at: int) -> NDArray[np.datetime64]:
    """A column of times; those with a zone become UTC.

    Raises
    ------
    DataError
        When a cell is no time.
    """
    texts = rows.column(at)
    # Mixed: an hour is left out at midnight by some exports.
    times = pd.to_datetime(pd.Series(texts), format="ISO8601", errors="coerce")
    if times.isna().any():
        bad = int(times.isna().to_numpy().argmax())
        raise broken_line(
            rows.path,
            rows.lines[bad],
            f"the time {texts[bad]!r}",
            expected="a time such as 2005-08-31 or 2005-08-31 12:00:00",
            todo="write times in the order year, month, day",
        )
    if times.dt.tz is not None:
        times = times.dt.tz_convert("UTC").dt.tz_localize(None)
    return np.asarray(times.to_numpy(), dtype="datetime64[ns]")


def numbers_of(rows: Rows, at: int) -> Array:
    """A column of numbers; blanks are NaN.

    Raises
    ------
    DataError
        When a cell is neither.
    """
    texts = rows.column(at)
    out = np.empty(len(texts))
    for i, text in enumerate(texts):
        if text.lower() in ("", "nan", "na", "n/a", "-"):
            out[i] = np.nan
            continue
        try:
            out[i] = float(text.replace(",", "."))
        except ValueError as error:
            raise broken_line(
                rows.path,
                rows.lines[i],
                f"column {rows.header[at]!r} holds {text!r}",
                expected="a number or a blank",
            ) from error
    return out
