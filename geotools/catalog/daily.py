"""Daily forcing from files: station tables, and gridded series through harmonisation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
import xarray as xr

from geotools.catalog.checks import check_units_against_values, units_that_fit
from geotools.catalog.keys import require_known
from geotools.catalog.schema import DailyTable, Entry, VariableSource
from geotools.errors import DataError, UnitsError, UsageError
from geotools.guards import ensure_snow_depth
from geotools.metadata import CONVENTIONS, VARIABLES, append_history
from geotools.units import convert


def daily_series(
    path: str | Path,
    variables: Mapping[str, VariableSource | Mapping[str, Any]],
    *,
    date: str | Sequence[str] = "date",
    station: str | None = None,
    date_format: str | None = None,
    separator: str = ",",
    decimal: Literal[".", ","] = ".",
    encoding: str = "utf-8",
    skip_lines: int = 0,
    quality: Mapping[str, str] | None = None,
    good: Sequence[str] = ("0",),
    gaps: Literal["error", "missing"] = "error",
) -> xr.Dataset:
    """Daily series of canonical variables from a table or a gridded file.

    Parameters
    ----------
    path : str or pathlib.Path
        A text table (``.csv``, ``.txt``, ``.tsv``) or what else `open_entry` takes for grids.
    variables : mapping of str to mapping
        Canonical name to ``name`` (column or variable in the file), ``units`` and ``nodata``. A table must be told the
        units.
    date : str or three of them
        Column of dates, or those of year, month and day. This and all that follow but `gaps` are for tables.
    station : str, optional
        Column that tells stations apart.
    date_format : str, optional
        How dates are written, such as ``"%d.%m.%Y"``; ISO dates by default.
    separator : str
        One character.
    decimal : {".", ","}
    encoding : str
    skip_lines : int
        Lines above the header.
    quality : mapping of str to str, optional
        Canonical name to the column of its quality flags.
    good : sequence of str
        Flags whose values count; all others are missing.
    gaps : {"error", "missing"}
        Refuse a record that leaves out days, or put them in as missing.

    Returns
    -------
    xarray.Dataset [time], [station, time] or, lazily, [time, lat, lon]
        In canonical units, sorted by time.

    Raises
    ------
    DataError
        When days are left out, repeated or do not exist, or a cell is no number; with the line of a table.
    UnitsError
        When units are missing, or values cannot be in them.
    UsageError
        When a file, a column or a canonical variable does not exist.

    Examples
    --------
    A record with a decimal comma::

        daily_series(
            "yakutsk.csv",
            {"tas": {"name": "T", "units": "degC"}, "snd": {"name": "snow", "units": "cm", "nodata": 9999}},
            date=("year", "month", "day"),
            separator=";",
            decimal=",",
        )
    """
    from pydantic import ValidationError

    from geotools.catalog.catalog import open_entry

    table = {
        "date": date if isinstance(date, str) else tuple(date),
        "station": station,
        "date_format": date_format,
        "separator": separator,
        "decimal": decimal,
        "encoding": encoding,
        "skip_lines": skip_lines,
        "quality": dict(quality or {}),
        "good": tuple(map(str, good)),
        "gaps": gaps,
    }
    where = Path(path).expanduser()
    sources = {k: dict(v) if isinstance(v, Mapping) else v for k, v in variables.items()}
    text = where.suffix.lower() in {".csv", ".txt", ".tsv", ".dat"}
    try:
        entry = Entry.model_validate(
            {"path": where, "variables": sources}
            | ({"format": "table", "daily": DailyTable.model_validate(table)} if text else {})
        )
    except ValidationError as error:
        first = error.errors()[0]
        raise UsageError(
            f"{'.'.join(map(str, first['loc'])) or 'arguments'}: {first['msg']}",
            where="arguments of daily_series",
            todo="correct the call",
        ) from error
    data: xr.Dataset = open_entry(entry)
    return data if text else whole_days(data, gaps, str(where))


def open_daily(entry: Entry, table: DailyTable) -> xr.Dataset:
    """The daily series of a table; as for `daily_series`."""
    from geotools.catalog.readers import daily_table

    where = str(entry.path)
    if not entry.variables:
        raise UsageError(
            "no variables are named",
            where=where,
            expected="a `variables` mapping from canonical names to columns",
            todo="add it, such as {'tas': {'name': 'T', 'units': 'degC'}}",
        )
    require_known(
        entry.variables,
        VARIABLES,
        what="canonical variable",
        where=where,
        todo="name the column under 'name'",
    )
    require_known(
        table.quality,
        entry.variables,
        what="variable",
        where=f"{where}, quality",
        todo="give its canonical name",
    )
    fields = {}
    for name, column in daily_table.read(entry, table).items():
        field = column.to_xarray().rename(name)
        fields[name] = _canonical(field, name, entry.variables[name].units, where)
    # What the table itself leaves out was told with its lines; between records of stations days may be missing.
    data = whole_days(xr.Dataset(fields), "missing", where)
    data.attrs = append_history(
        {"Conventions": CONVENTIONS, "source": entry.description or where},
        f"geotools: daily values of {', '.join(entry.variables)} read from {entry.path.name}",
    )
    return data


def _canonical(field: xr.DataArray, name: str, units: str | None, where: str) -> xr.DataArray:
    variable = VARIABLES[name]
    if units is None:
        low, high = float(field.min()), float(field.max())
        raise UnitsError(
            f"variable {name!r} has no units; its values run from {low:g} to {high:g}",
            where=where,
            expected=f"units, such as {units_that_fit(low, high, variable) or variable.units!r}",
            todo=f"tell them: {{'{name}': {{'name': ..., 'units': ...}}}}",
        )
    field = field.assign_attrs(units=units)
    check_units_against_values(field, variable, where=where)
    field = convert(field, variable.units, liquid_water=variable.liquid_water)
    if name == "snd":
        ensure_snow_depth(f"{where}, variable 'snd'", field.values)
    field.attrs = variable.attrs()
    return field


def whole_days(data: xr.Dataset, gaps: str, where: str) -> xr.Dataset:
    """Data with steps of a day, sorted; days that are left out are refused, or put in as missing.

    Raises
    ------
    DataError
        When steps are no days, are repeated, or leave out days without leave.
    """
    if "time" not in data.dims or data.sizes["time"] < 2:
        raise DataError(
            f"{data.sizes.get('time', 0)} steps in time", where=where, expected="daily values along 'time'"
        )
    data = data if data.indexes["time"].is_monotonic_increasing else data.sortby("time")
    time = data["time"]
    steps = np.diff(time.values)
    days = (
        steps / np.timedelta64(1, "D")
        if np.issubdtype(time.dtype, np.datetime64)
        else np.array([s.total_seconds() / 86400 for s in steps])
    )
    if np.any(days <= 0.0):
        at = int(np.argmax(days <= 0.0))
        raise DataError(f"{time.values[at]} stands twice", where=where, expected="one step per day")
    if days.min() != 1.0 or np.any(days % 1.0 != 0.0):
        raise DataError(
            f"steps of {days.min():g} to {days.max():g} d",
            where=where,
            expected="steps of a day",
            todo="make daily values of monthly means with climate.daily_from_monthly"
            if days.min() > 20.0
            else "take daily means first: data.resample(time='1D').mean()",
        )
    late = np.flatnonzero(days > 1.0)
    if not late.size:
        return data
    if gaps == "missing":
        return data.resample(time="1D").asfreq()
    after = str(time.values[late[0]])[:10]
    raise DataError(
        f"{int((days[late] - 1).sum())} days are left out in {late.size} places, the first after {after}",
        where=where,
        expected="every day from the first to the last",
        todo="fill them, or take them in as missing with gaps='missing'",
    )
