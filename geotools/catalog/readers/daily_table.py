"""Daily series of stations from text tables, with the line of whatever is wrong."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from geotools.catalog.keys import closest
from geotools.catalog.schema import DailyTable, Entry
from geotools.errors import DataError, UsageError

if TYPE_CHECKING:
    from numpy.typing import NDArray

_BLANK = {"", "nan", "NaN", "NA"}


def read(entry: Entry, table: DailyTable) -> dict[str, pd.Series]:
    """Columns of numbers by canonical name, as the file has them.

    Parameters
    ----------
    entry : Entry
    table : DailyTable

    Returns
    -------
    dict of str to pandas.Series
        With an index of days, or of stations and days, growing and without repetition. Blanks, missing-value codes
        and values whose flag is not good are NaN.

    Raises
    ------
    DataError, UsageError
    """
    where = str(entry.path)
    columns = {name: source.name or name for name, source in entry.variables.items()}
    dates = [table.date] if isinstance(table.date, str) else list(table.date)
    wanted = [*columns.values(), *dates, *([table.station] if table.station else []), *table.quality.values()]
    frame = _rows(entry.path, table, wanted)
    index = {"time": _days(frame, dates, table, where)}
    if table.station:
        index = {"station": frame[table.station].str.strip()} | index
    keys = pd.DataFrame(index)
    _ensure_single(keys, where)
    if table.gaps == "error":
        _ensure_whole(keys, where)
    labels = pd.MultiIndex.from_frame(keys) if table.station else pd.Index(keys["time"])
    out = {}
    for name, column in columns.items():
        values = _numbers(frame, column, table.decimal, where)
        nodata = entry.variables[name].nodata
        if nodata is not None:
            values[values == nodata] = np.nan
        if name in table.quality:
            values[~frame[table.quality[name]].str.strip().isin(table.good).to_numpy()] = np.nan
        out[name] = pd.Series(values, index=labels).sort_index()
    return out


def _rows(path: Path, table: DailyTable, wanted: list[str]) -> pd.DataFrame:
    """The table as text, labelled with the lines of the file."""
    where = str(path)
    try:
        with path.open(encoding=table.encoding, newline="") as file:
            for _ in range(table.skip_lines):
                file.readline()
            reader = csv.reader(file, delimiter=table.separator, strict=True)
            rows = [(table.skip_lines + reader.line_num, row) for row in reader if any(map(str.strip, row))]
    except (csv.Error, UnicodeError, LookupError) as error:
        raise DataError(
            f"the table cannot be read ({str(error).splitlines()[0]})",
            where=where,
            expected=f"text in {table.encoding}, with columns separated by {table.separator!r} under a header line",
            todo="mend the file, or set separator, encoding or skip_lines",
        ) from error
    if len(rows) < 2:
        raise DataError("no rows", where=where, expected="one row per day under the header")
    header = [name.strip().lstrip("\ufeff") for name in rows.pop(0)[1]]
    _ensure_columns(header, wanted, table, where)
    for line, row in rows:
        if len(row) != len(header) and (len(row) < len(header) or any(map(str.strip, row[len(header) :]))):
            raise DataError(
                f"line {line} has {len(row)} cells, the header {len(header)}",
                where=where,
                expected="as many",
                todo="mend the line: it breaks off, or the separator stands within a cell",
            )
    cells = [row[: len(header)] for _, row in rows]
    return pd.DataFrame(cells, columns=header, index=[line for line, _ in rows])


def _ensure_columns(header: list[str], wanted: list[str], table: DailyTable, where: str) -> None:
    missing = [c for c in wanted if c not in header]
    if not missing:
        return
    head = header[0]
    other = next((s for s in (";", "\t", ",", "|") if s != table.separator and s in head), None)
    if len(header) == 1 and other is not None:
        raise DataError(
            f"the header is one column, {head!r}",
            where=where,
            expected=f"columns separated by {table.separator!r}",
            todo=f"set separator={other!r}",
        )
    raise UsageError(
        f"there is no column {missing[0]!r}",
        where=where,
        expected=closest(missing[0], header),
        todo="name the columns of the file: date='...', or {'tas': {'name': '...'}}",
    )


def _days(frame: pd.DataFrame, dates: list[str], table: DailyTable, where: str) -> pd.Series:
    """Day of each row."""
    if len(dates) == 1:
        text = frame[dates[0]].str.strip()
        days = pd.to_datetime(text, format=table.date_format or "ISO8601", errors="coerce")
    else:
        parts = {
            part: pd.Series(_numbers(frame, column, table.decimal, where), index=frame.index)
            for part, column in zip(("year", "month", "day"), dates, strict=True)
        }
        text = parts["year"].map("{:04.0f}".format) + "-" + parts["month"].map("{:02.0f}".format)
        text = text + "-" + parts["day"].map("{:02.0f}".format)
        days = pd.to_datetime(text, format="%Y-%m-%d", errors="coerce")
    bad = days.index[days.isna()]
    if len(bad):
        raise DataError(
            f"{text[bad[0]]!r} in line {bad[0]} is no date" + _more(len(bad)),
            where=where,
            expected="days of the calendar"
            + (f" written as {table.date_format!r}" if table.date_format else ""),
            todo="mend the lines"
            if table.date_format or len(dates) > 1
            else "mend the line, or say how dates are written, such as date_format='%d.%m.%Y'",
        )
    return days.dt.normalize()


def _more(count: int) -> str:
    return f" (and {count - 1} more)" if count > 1 else ""


def _ensure_single(keys: pd.DataFrame, where: str) -> None:
    double = keys.index[keys.duplicated(keep=False)]
    if not len(double):
        return
    first = keys.loc[double[0]]
    same = keys.index[(keys == first).all(axis=1)]
    others = len(keys.loc[double].drop_duplicates()) - 1
    day = f"{first['time']:%Y-%m-%d}" + (f" of {first['station']!r}" if "station" in first else "")
    raise DataError(
        f"the day {day} stands in lines {', '.join(map(str, same[:5]))}"
        + (f", and {others} more days so" if others else ""),
        where=where,
        expected="one row per day" + ("" if "station" in keys else ", or a column that tells the station"),
        todo="remove the repeated rows, take daily means of what is hourly, or set station='...'",
    )


def _ensure_whole(keys: pd.DataFrame, where: str) -> None:
    """Refuse a record that leaves out days; stations may begin and end at different times."""
    groups = keys.groupby("station")["time"] if "station" in keys else [("", keys["time"])]
    for station, days in groups:
        days = days.sort_values()
        steps = days.diff().dt.days.to_numpy()[1:]
        late = np.flatnonzero(steps > 1)
        if late.size:
            before = days.index[late[0]]
            raise DataError(
                f"{int((steps[late] - 1).sum())} days are left out in {late.size} places, the first after "
                f"{days[before]:%Y-%m-%d} in line {before}",
                where=f"{where}, station {station!r}" if station else where,
                expected="every day from the first to the last",
                todo="fill them, or take them in as missing with gaps='missing'",
            )


def _numbers(frame: pd.DataFrame, column: str, decimal: str, where: str) -> NDArray[np.float64]:
    """A column as numbers; blank cells are NaN."""
    text = frame[column].str.strip()
    plain = text.str.replace(decimal, ".", regex=False) if decimal != "." else text
    values = pd.to_numeric(plain.mask(text.isin(_BLANK)), errors="coerce")
    bad = frame.index[values.isna() & ~text.isin(_BLANK)]
    if len(bad):
        cell = text[bad[0]]
        comma: Any = decimal == "." and cell.count(",") == 1 and cell.replace(",", "").lstrip("-").isdigit()
        raise DataError(
            f"column {column!r} holds {cell!r} in line {bad[0]}{_more(len(bad))}",
            where=where,
            expected="a number or a blank",
            todo="set decimal=','"
            if comma
            else "mend the cell, or name the code for missing values with nodata",
        )
    return np.array(values, dtype="float64")
