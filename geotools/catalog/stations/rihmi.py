"""Daily station records of RIHMI-WDC (Obninsk): air and precipitation, snow, soil temperature."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from geotools.catalog.stations.exclusions import Exclusion, apply_exclusions
from geotools.catalog.stations.fixed_width import Layout, Table, read_fixed_width
from geotools.catalog.stations.records import Station, daily_cube, dress_stations, select_stations
from geotools.catalog.stations.text import broken_line
from geotools.errors import DataError
from geotools.guards import Array
from geotools.metadata import VARIABLES, Variable, append_history

SOIL_DEPTHS_CM = (2, 5, 10, 15, 20, 40, 60, 80, 120, 160, 240, 320)
_DATE = {"station": 5, "year": 4, "month": 2, "day": 2}
AIR_LAYOUT = Layout(
    "the daily air temperature and precipitation of RIHMI-WDC",
    {
        **_DATE, "quality": 1, "tasmin": 5, "tasmin flag": 1, "tas": 5, "tas flag": 1, "tasmax": 5,
        "tasmax flag": 1, "pr": 5, "pr kind": 1, "pr flag": 1,
    },
)  # fmt: skip
SNOW_LAYOUT = Layout(
    "the daily snow cover of RIHMI-WDC",
    {**_DATE, "snd": 4, "snc": 2, "snd kind": 1, "snd flag": 1, "snd temperature flag": 1},
)
SOIL_LAYOUT = Layout(
    "the daily soil temperature of RIHMI-WDC",
    _DATE | {k: w for d in SOIL_DEPTHS_CM for k, w in ((f"tsl {d} cm", 5), (f"tsl {d} cm flag", 1))},
)
EXTREMES = {
    "tasmin": Variable("tasmin", "degC", "daily minimum air temperature", "air_temperature", "time: minimum"),
    "tasmax": Variable("tasmax", "degC", "daily maximum air temperature", "air_temperature", "time: maximum"),
}
SNOW_SHARE = Variable(
    "snc",
    "1",
    "share of the surroundings that is covered by snow",
    "surface_snow_area_fraction",
    "time: point",
)
_SOURCE = {
    "institution": "All-Russian Research Institute of Hydrometeorological Information - World Data Centre",
    "source": "daily observations of weather stations",
}


@dataclass(frozen=True)
class Field:
    """A column of values and what tells of its quality.

    Parameters
    ----------
    name : str
        Column of the layout.
    missing : float, optional
        Number that means no value, beside blanks.
    scale : float
        What a value is multiplied with.
    flags : tuple of str
        Columns in which anything but 0 makes a value doubtful.
    doubtful : dict of str to int, optional
        Columns of another meaning, and the code there that makes a value doubtful.
    valid : (float, float)
        Smallest and largest number that can be one. Ground under the sun reaches 70 degC.
    """

    name: str
    missing: float | None = None
    scale: float = 1.0
    flags: tuple[str, ...] = ()
    doubtful: Mapping[str, int] | None = None
    valid: tuple[float, float] = (-90.0, 80.0)


# A sum over several days is no sum of a day.
_AIR = [
    *(Field(n, flags=(f"{n} flag",)) for n in ("tas", "tasmin", "tasmax")),
    Field("pr", flags=("pr flag",), doubtful={"pr kind": 1}, valid=(0.0, 500.0)),
]
_SNOW = [
    Field("snd", 9999.0, 0.01, ("snd flag", "snd temperature flag"), valid=(0.0, 1000.0)),
    Field("snc", 99.0, 0.1, valid=(0.0, 10.0)),
]
_SOIL = [Field(f"tsl {d} cm", 999.9, flags=(f"tsl {d} cm flag",)) for d in SOIL_DEPTHS_CM]


def read_rihmi_air(
    path: str | Path,
    *,
    stations: Mapping[int, Station] | None = None,
    select: Sequence[int] | None = None,
    keep_flagged: bool = False,
    exclude: Iterable[Exclusion] = (),
) -> xr.Dataset:
    """Daily air temperature and precipitation.

    Parameters
    ----------
    path : str or pathlib.Path
        Text of fixed width, plain or gzip.
    stations : mapping of WMO index to Station, optional
        Names and places, which the file does not have. A station of the file that is not among them is an error.
    select : sequence of int, optional
        WMO indices of the stations wanted; all by default.
    keep_flagged : bool
        Keep values whose quality flag is not 0, and precipitation that fell in several days. They are masked by
        default.
    exclude : iterable of Exclusion
        Periods that are known to be bad.

    Returns
    -------
    xarray.Dataset [station, time]
        tas, tasmin, tasmax [degC] and pr [kg m-2 d-1], NaN where there is no value, on a time axis without gaps; a
        CF discrete sampling geometry of type ``timeSeries``. The history counts what was masked, and the lines of
        days that no calendar has, which are left out.

    Raises
    ------
    UsageError
        When the file or a selected station is not there, or an exclusion fits nothing.
    DataError
        When a line has the wrong width, a cell is no number or out of range, a day stands twice, or a station is not in
        `stations`. The message tells the line.
    """
    table = read_fixed_width(Path(path), AIR_LAYOUT)
    time, cube, ids, history = _read(table, _AIR, stations, select, keep_flagged)
    known = {"tas": VARIABLES["tas"], **EXTREMES, "pr": VARIABLES["pr"]}
    methods = {"tas": "time: mean", "pr": "time: sum"}
    out = xr.Dataset(coords={"station": ids, "time": time})
    for i, (name, variable) in enumerate(known.items()):
        out[name] = (("station", "time"), cube[..., i], variable.attrs())
        out[name].attrs["cell_methods"] = methods.get(name, variable.cell_methods)
    out = dress_stations(out, stations, feature_type="timeSeries", attrs={**_SOURCE, "history": history})
    return apply_exclusions(out, exclude)


def read_rihmi_snow(
    path: str | Path,
    *,
    stations: Mapping[int, Station] | None = None,
    select: Sequence[int] | None = None,
    keep_flagged: bool = False,
    exclude: Iterable[Exclusion] = (),
) -> xr.Dataset:
    """Daily snow depth and snow cover.

    Parameters
    ----------
    path, stations, select, exclude
        As in `read_rihmi_air`.
    keep_flagged : bool
        Keep depths that the provider doubts by themselves or beside the air temperature. Masked by default.

    Returns
    -------
    xarray.Dataset [station, time]
        snd [m] and snc [1], NaN where there is no value; otherwise as of `read_rihmi_air`.

    Raises
    ------
    UsageError, DataError
        As `read_rihmi_air`.
    """
    table = read_fixed_width(Path(path), SNOW_LAYOUT)
    time, cube, ids, history = _read(table, _SNOW, stations, select, keep_flagged)
    out = xr.Dataset(coords={"station": ids, "time": time})
    for i, variable in enumerate((VARIABLES["snd"], SNOW_SHARE)):
        out[variable.name] = (("station", "time"), cube[..., i], variable.attrs())
        out[variable.name].attrs["cell_methods"] = "time: point"
    out = dress_stations(out, stations, feature_type="timeSeries", attrs={**_SOURCE, "history": history})
    return apply_exclusions(out, exclude)


def read_rihmi_soil(
    path: str | Path,
    *,
    stations: Mapping[int, Station] | None = None,
    select: Sequence[int] | None = None,
    keep_flagged: bool = False,
    exclude: Iterable[Exclusion] = (),
) -> xr.Dataset:
    """Daily soil temperature at twelve depths from 0.02 to 3.2 m.

    Parameters
    ----------
    path, stations, select, keep_flagged, exclude
        As in `read_rihmi_air`.

    Returns
    -------
    xarray.Dataset [station, time, depth]
        tsl [degC], NaN where there is no value; a CF discrete sampling geometry of type ``timeSeriesProfile``.

    Raises
    ------
    UsageError, DataError
        As `read_rihmi_air`.
    """
    table = read_fixed_width(Path(path), SOIL_LAYOUT)
    time, cube, ids, history = _read(table, _SOIL, stations, select, keep_flagged)
    depths = [d / 100 for d in SOIL_DEPTHS_CM]
    variable = VARIABLES["tsl"]
    out = xr.Dataset(
        {"tsl": (("station", "time", "depth"), cube, {**variable.attrs(), "cell_methods": "time: point"})},
        coords={"station": ids, "time": time, "depth": depths},
    )
    attrs = {**_SOURCE, "history": history}
    out = dress_stations(out, stations, feature_type="timeSeriesProfile", attrs=attrs)
    return apply_exclusions(out, exclude)


def _read(
    table: Table,
    fields: Sequence[Field],
    stations: Mapping[int, Station] | None,
    select: Sequence[int] | None,
    keep_flagged: bool,
) -> tuple[pd.DatetimeIndex, Array, list[int], str]:
    """Time, values [station, time, field], stations and history."""
    indices = table.integers("station")
    values, doubted = _values(table, fields, keep_flagged)
    days = _days(table)
    real = ~np.isnat(days)
    _ensure_once(table, indices, days)
    chosen = select_stations(select, np.unique(indices).tolist(), str(table.path))
    if stations is not None:
        _ensure_known(table, indices, chosen, stations)
    keep = real & np.isin(indices, chosen)
    if not keep.any():
        raise DataError("no day that exists", where=str(table.path), expected="records of days")
    ids, time, cube = daily_cube(indices[keep], days[keep], values[keep])
    notes = [f"{len(indices)} lines of {table.path.name} read as {table.layout.name}"]
    if not real.all():
        lost = int((~np.isnan(values[~real])).sum())
        notes.append(f"{int((~real).sum())} lines of days that no calendar has left out, with {lost} values")
    kept = "kept" if keep_flagged else "masked"
    notes.append(f"{int(doubted[keep].sum())} values with a quality flag {kept}")
    history = ""
    for note in notes:
        history = append_history({"history": history}, note)["history"]
    order = [ids.index(c) for c in chosen]
    return time, cube[order], chosen, history


def _values(table: Table, fields: Sequence[Field], keep_flagged: bool) -> tuple[Array, NDArray[np.bool_]]:
    """Values [line, field] and which have a flag."""
    values = np.empty((table.characters.shape[0], len(fields)))
    doubted = np.zeros(values.shape, dtype=bool)
    for i, field in enumerate(fields):
        column = table.numbers(field.name)
        if field.missing is not None:
            column[column == field.missing] = np.nan
        bad = np.zeros(column.shape, dtype=bool)
        for flag in field.flags:
            bad |= table.numbers(flag) != 0.0
        for flag, code in (field.doubtful or {}).items():
            bad |= table.numbers(flag) == code
        doubted[:, i] = bad & ~np.isnan(column)
        if not keep_flagged:
            column[bad] = np.nan
        odd = (column < field.valid[0]) | (column > field.valid[1])
        if odd.any():
            at = int(np.argmax(odd))
            raise broken_line(
                table.path,
                at + 1,
                f"column {field.name!r} holds {column[at]:g}",
                expected=f"{field.valid[0]:g} to {field.valid[1]:g}",
                todo="mask it by its flag, if it stands for a missing value",
            )
        values[:, i] = column * field.scale
    return values, doubted


def _days(table: Table) -> NDArray[np.datetime64]:
    """Days of the lines [datetime64[D]]; NaT for those that no calendar has."""
    parts = {name: table.integers(name) for name in ("year", "month", "day")}
    for name, low, high in (("year", 1700, 2200), ("month", 1, 12), ("day", 1, 31)):
        odd = (parts[name] < low) | (parts[name] > high)
        if odd.any():
            at = int(np.argmax(odd))
            raise broken_line(
                table.path, at + 1, f"{name} {parts[name][at]}", expected=f"a {name} from {low} to {high}"
            )
    months = ((parts["year"] - 1970) * 12 + parts["month"] - 1).astype("datetime64[M]")
    days = months.astype("datetime64[D]") + (parts["day"] - 1).astype("timedelta64[D]")
    # The soil files give every month 31 days, and 1900 is a leap year in the air files.
    days[days.astype("datetime64[M]") != months] = np.datetime64("NaT")
    return np.asarray(days)


def _ensure_once(table: Table, indices: NDArray[np.int64], days: NDArray[np.datetime64]) -> None:
    real = np.flatnonzero(~np.isnat(days))
    frame = pd.DataFrame({"station": indices[real], "day": days[real]})
    double = frame.duplicated().to_numpy()
    if double.any():
        second = int(real[np.argmax(double)])
        same = (indices == indices[second]) & (days == days[second])
        raise broken_line(
            table.path,
            second + 1,
            f"station {indices[second]} has {days[second]} for the second time, after line {int(np.argmax(same)) + 1}",
            expected="one line per station and day",
            todo="remove one of the lines",
        )


def _ensure_known(
    table: Table, indices: NDArray[np.int64], chosen: Sequence[int], stations: Mapping[int, Station]
) -> None:
    for station in chosen:
        if station not in stations:
            raise broken_line(
                table.path,
                int(np.argmax(indices == station)) + 1,
                f"station {station} is not known",
                expected=f"one of {', '.join(str(s) for s in stations)}",
                todo="add it to `stations`, or leave it out by `select`",
            )
