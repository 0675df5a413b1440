"""Tables from CSV files."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from geotools.catalog.keys import refuse_duplicates
from geotools.errors import DataError


def read(
    path: Path,
    *,
    key: str | Sequence[str] | None = None,
    columns: Sequence[str] = (),
    numbers: Sequence[str] = (),
    text: Sequence[str] = (),
) -> pd.DataFrame:
    """Read a CSV table and check its key and columns.

    Parameters
    ----------
    path : pathlib.Path
    key : str or sequence of str, optional
        Column, or columns together, that identify a row.
    columns : sequence of str
        Columns that must be there.
    numbers : sequence of str
        Columns whose cells must be numbers or blank, where the table has them.
    text : sequence of str
        Columns that stay text even where they look like numbers, blank cells being empty text.

    Returns
    -------
    pandas.DataFrame

    Raises
    ------
    DataError
        When the file is not a table, lacks a column, holds text for a number, or a key twice.
    """
    try:
        # Region and country codes include "NA", which is not a missing value here.
        frame = pd.read_csv(path, keep_default_na=False, na_values=[""], dtype=dict.fromkeys(text, str))
    except (pd.errors.ParserError, pd.errors.EmptyDataError, UnicodeDecodeError) as error:
        raise DataError(
            f"the table cannot be read ({str(error).splitlines()[0]})",
            where=str(path),
            expected="a comma-separated table in UTF-8 with a header line",
            todo="open the file in a text editor and mend the named line",
        ) from error
    missing = [c for c in columns if c not in frame.columns]
    if missing:
        raise DataError(
            f"columns are missing: {', '.join(missing)}",
            where=str(path),
            expected=", ".join(columns),
            todo="add the columns; blank cells are allowed",
        )
    frame = frame.fillna(dict.fromkeys(text, ""))
    for column in (name for name in numbers if name in frame):
        as_number = pd.to_numeric(frame[column], errors="coerce")
        bad = frame.index[as_number.isna() & frame[column].notna()]
        if len(bad):
            raise DataError(
                f"column {column!r} holds {frame[column][bad[0]]!r} in line {bad[0] + 2}",
                where=str(path),
                expected="a number or a blank",
                todo="mend the cell",
            )
        frame[column] = as_number
    if key is not None:
        refuse_duplicates(frame, key, where=str(path), row="line", first=2)
    return frame
