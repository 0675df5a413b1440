"""Ground temperatures of boreholes from delimited text: exports of GTN-P, PANGAEA, and tables like them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import xarray as xr

from geotools.catalog.stations.delimited import Rows, numbers_of, read_rows, times_of
from geotools.catalog.stations.delimited import time_column as find_time_column
from geotools.catalog.stations.exclusions import Exclusion, apply_exclusions
from geotools.catalog.stations.records import Station, dress_stations
from geotools.catalog.stations.text import broken_line
from geotools.errors import DataError, UnitsError, UsageError
from geotools.metadata import VARIABLES, append_history
from geotools.units import conversion

STATION_NAMES = ("dataset_id", "station", "site", "borehole", "event")
# -999 in GTN-P; the others are common in exports of loggers.
MISSING = (-999.0, -999.9, -9999.0, -6999.0, 6999.0)
_NUMBER = r"[-+]?\d+(?:[.,]\d+)?"
# "0.5", "0.5 m", "50cm", "T_0.5m", "depth 0.5", "T soil [°C] (0.5 m)".
_DEPTH = re.compile(rf"({_NUMBER})\s*(cm|mm|m)?\b(?!.*\d)", re.IGNORECASE)
_UNITS = re.compile(r"\[([^\]]*)\]")
_SCALE = {"m": 1.0, "cm": 0.01, "mm": 0.001}


def read_boreholes(
    path: str | Path,
    *,
    stations: Mapping[str, Station] | None = None,
    time_column: str | None = None,
    units: str | None = None,
    depth_units: str | None = None,
    depth_positive: str = "down",
    missing: Sequence[float] = MISSING,
    exclude: Iterable[Exclusion] = (),
) -> xr.Dataset:
    """Ground temperatures over time and depth from delimited text.

    Parameters
    ----------
    path : str or pathlib.Path
        Commas, semicolons or tabs between cells, plain or gzip. Either one column of times and one per depth (the
        exports of GTN-P until 2025 head them ``Date/Depth`` and with numbers; ``0.5 m``, ``50cm`` and
        ``T_0.5m`` do as well), or one row per time and depth, with columns of depth and temperature (GTN-P since 2026,
        with a ``dataset_id``; PANGAEA). What PANGAEA puts before the table, from ``/*`` to ``*/``, is skipped.
    stations : mapping of str to Station, optional
        Names and places by what the column of stations holds, or by the stem of the file name where there is none.
    time_column : str, optional
        Where the column of times has an unusual name. Times have no zone: they stay as they stand.
    units : str, optional
        Of the temperatures, where the header does not give them in brackets. degC by default.
    depth_units : {"m", "cm", "mm"}, optional
        Where the header does not tell them. m by default.
    depth_positive : {"down", "up"}
        Whether ground is at positive or negative numbers.
    missing : sequence of float
        Numbers that mean no value, beside blanks and NaN.
    exclude : iterable of Exclusion

    Returns
    -------
    xarray.Dataset [station, time, depth]
        tsl [degC], NaN where there is no value; a CF discrete sampling geometry of type ``timeSeriesProfile``.

    Raises
    ------
    UsageError
        When the file is not there, or an option does not fit.
    DataError
        When there is no column of times, depths or temperatures, a row is cut off, a cell is no number or no time, a
        depth lies above the ground, or a value stands twice. The message tells the line.
    UnitsError
        When temperatures cannot be what their units say.

    References
    ----------
    Biskaborn, B. K., et al. (2015). Earth Syst. Sci. Data 7, 245-259. doi:10.5194/essd-7-245-2015
    """
    path = Path(path)
    for name, value, options in (
        ("depth_positive", depth_positive, ("down", "up")),
        ("depth_units", depth_units or "m", tuple(_SCALE)),
    ):
        if value not in options:
            raise UsageError(
                f"{value!r} is not known", where=f"option {name!r}", expected=" or ".join(options)
            )
    rows = read_rows(path)
    when = find_time_column(rows, time_column)
    frame, used, found = _long(rows, when, depth_units) or _wide(rows, when, depth_units)
    frame["depth"] *= 1.0 if depth_positive == "down" else -1.0
    _ensure_below(rows, frame, depth_positive)
    frame.loc[np.isin(frame["value"], list(missing)), "value"] = np.nan
    known = units or found or "degC"
    scale, offset = conversion(known, "degC")
    frame["value"] = frame["value"] * scale + offset
    _ensure_plausible(rows, frame, known)
    _ensure_once(rows, frame)
    cube = frame.set_index(["station", "time", "depth"])["value"].to_xarray()
    variable = VARIABLES["tsl"]
    out = xr.Dataset({"tsl": cube.transpose("station", "time", "depth").assign_attrs(variable.attrs())})
    out["tsl"].attrs["cell_methods"] = "time: point"
    ids = [str(s) for s in out["station"].values]
    out = out.assign_coords(station=ids)
    if stations is not None:
        unknown = [i for i in ids if i not in stations]
        if unknown:
            raise DataError(
                f"station {unknown[0]!r} is not known",
                where=str(path),
                expected=f"one of {', '.join(stations)}",
                todo="add it to `stations`",
            )
    history = append_history(
        {"history": f"{len(rows.cells)} rows of {path.name}, {known} to degC"},
        f"{out.sizes['depth']} depths from {float(out['depth'][0]):g} to {float(out['depth'][-1]):g} m",
    )["history"]
    ignored = [h for i, h in enumerate(rows.header) if i != when and i not in used]
    if ignored:
        history = append_history({"history": history}, f"columns not read: {', '.join(ignored)}")["history"]
    attrs = {"source": "ground temperatures of boreholes", "history": history}
    out = dress_stations(out, stations, feature_type="timeSeriesProfile", attrs=attrs)
    return apply_exclusions(out, exclude)


def _is_depth(name: str) -> bool:
    return re.match(r"depth|borehole depth|geocode 1", name.lower()) is not None and not re.search(
        r"\d", _UNITS.sub("", name)
    )


def _is_temperature(name: str) -> bool:
    return re.match(r"(t|temp|temperature|tsl|ground|soil)\b", name.lower()) is not None


def _long(rows: Rows, when: int, depth_units: str | None) -> tuple[pd.DataFrame, set[int], str | None] | None:
    """Rows of one time and depth each; None where there is no column of depths."""
    others = [i for i in range(len(rows.header)) if i != when]
    depth = next((i for i in others if _is_depth(rows.header[i])), None)
    if depth is None:
        return None
    values = [i for i in others if i != depth and _is_temperature(rows.header[i])]
    if len(values) != 1:
        raise DataError(
            f"{len(values)} columns of temperature beside {rows.header[depth]!r}",
            where=str(rows.path),
            expected="one, such as 'temperature' or 'T [°C]'",
            todo="rename the column that is meant, or remove the others",
        )
    brackets = _UNITS.search(rows.header[depth])
    unit = depth_units or (brackets.group(1) if brackets else "m")
    if unit not in _SCALE:
        raise UnitsError(
            f"depths in {unit!r}",
            where=str(rows.path),
            expected="m, cm or mm",
            todo="name them by `depth_units`",
        )
    names = [i for i in others if rows.header[i].lower() in STATION_NAMES]
    station = rows.column(names[0]) if names else [rows.path.name.split(".")[0]] * len(rows.cells)
    frame = pd.DataFrame(
        {
            "station": station,
            "time": times_of(rows, when),
            "depth": (numbers_of(rows, depth) * _SCALE[unit]).round(6),
            "value": numbers_of(rows, values[0]),
            "line": rows.lines,
        }
    )
    unknown = frame["depth"].isna()
    if unknown.any():
        line = int(frame["line"].to_numpy()[int(np.argmax(unknown))])
        raise broken_line(rows.path, line, "no depth", expected="a depth in every row")
    return frame, {depth, values[0], *names}, _bracketed(rows.header[values[0]])


def _bracketed(name: str) -> str | None:
    found = _UNITS.search(name)
    return found.group(1).strip() if found else None


def _wide(rows: Rows, when: int, depth_units: str | None) -> tuple[pd.DataFrame, set[int], str | None]:
    """Rows of one time each, with a column for every depth."""
    columns: dict[int, float] = {}
    for i, name in enumerate(rows.header):
        found = _DEPTH.search(_UNITS.sub(" ", name))
        if i != when and found:
            unit = (found.group(2) or depth_units or "m").lower()
            columns[i] = round(float(found.group(1).replace(",", ".")) * _SCALE[unit], 6)
    if not columns:
        raise DataError(
            f"no depths in the header {', '.join(rows.header[:8])}",
            where=str(rows.path),
            expected="columns such as 0.5, 0.5 m or T_0.5m, or a column of depths",
        )
    double = [d for d in columns.values() if list(columns.values()).count(d) > 1]
    if double:
        raise DataError(
            f"two columns for {double[0]:g} m", where=str(rows.path), expected="one column per depth"
        )
    time = times_of(rows, when)
    parts = [
        pd.DataFrame({"time": time, "depth": depth, "value": numbers_of(rows, i), "line": rows.lines})
        for i, depth in columns.items()
    ]
    frame = pd.concat(parts, ignore_index=True)
    frame.insert(0, "station", rows.path.name.split(".")[0])
    units = {u for u in (_bracketed(rows.header[i]) for i in columns) if u}
    if len(units) > 1:
        raise UnitsError(
            f"temperatures in {' and '.join(sorted(units))}",
            where=str(rows.path),
            expected="one unit for all depths",
        )
    return frame, set(columns), units.pop() if units else None


def _ensure_below(rows: Rows, frame: pd.DataFrame, positive: str) -> None:
    above = frame["depth"] < 0.0
    if above.any():
        raise DataError(
            f"a depth of {float(frame['depth'][above].iloc[0]):g} m, above the ground",
            where=str(rows.path),
            expected=f"depths, counted positive {positive}",
            todo="set depth_positive='up' if ground is at negative numbers, or remove what lies above",
        )


def _ensure_plausible(rows: Rows, frame: pd.DataFrame, units: str) -> None:
    odd = (frame["value"] < -70.0) | (frame["value"] > 80.0)
    if odd.any():
        first = frame[odd].iloc[0]
        raise UnitsError(
            f"line {first['line']}: {first['value']:g} degC at {first['depth']:g} m, read as {units}",
            where=str(rows.path),
            expected="ground temperatures",
            todo="name the units by `units`, or the number for missing values by `missing`",
        )


def _ensure_once(rows: Rows, frame: pd.DataFrame) -> None:
    double = frame.duplicated(["station", "time", "depth"])
    if double.any():
        first = frame[double].iloc[0]
        raise broken_line(
            rows.path,
            int(first["line"]),
            f"{first['time']} at {first['depth']:g} m for the second time",
            expected="one value per time and depth",
            todo="remove one of them",
        )
