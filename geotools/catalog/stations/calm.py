"""The summary table of the Circumpolar Active Layer Monitoring network (CALM): thaw depth per site and year."""

from __future__ import annotations

import csv
import io
import re
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
from pyproj import Geod

from geotools.catalog.stations.records import Station, dress_stations
from geotools.catalog.stations.text import broken_line, read_text
from geotools.errors import DataError, GeotoolsWarning, UsageError
from geotools.metadata import Variable, append_history

THAW_DEPTH = Variable(
    "thaw_depth",
    "m",
    "thaw depth at the end of the season, mean of the site",
    "permafrost_active_layer_thickness",
    "area: mean time: maximum",
)
# Code, name, latitude, longitude and method stand before the years.
_BEFORE = 5
_HEADER_LINES = 2
_NO_VALUE = {"", "-", "–", "—"}
_FAR_KM = 100.0


@dataclass
class _Site:
    code: str
    line: int
    station: Station
    method: str
    depths: list[float]
    bounds: list[bool]
    remarks: list[str] = field(default_factory=list)


def read_calm(
    path: str | Path,
    *,
    corrections: Mapping[str, Mapping[str, tuple[float, float]]] | None = None,
    keep_lower_bounds: bool = False,
) -> xr.Dataset:
    """Thaw depths of CALM sites from the summary table, saved as CSV.

    Parameters
    ----------
    path : str or pathlib.Path
        Two lines of header, the second with the years, of which any may be unreadable (``###``): they follow each
        other without a gap. Depths in cm. Plain or gzip.
    corrections : mapping of site code to {"lat" or "lon": (as it stands, as it must be)}, optional
        Wrong places. A correction that finds another value than it says is an error, so that it is noticed when
        the table was mended.
    keep_lower_bounds : bool
        Keep depths such as ``>263``, thaw deeper than the tube. By default they are NaN.

    Returns
    -------
    xarray.Dataset [station, year]
        thaw_depth [m], NaN where the cell holds a dash, a blank or words; thaw_exceeds_depth [1], 1 where the depth
        is a lower bound; the words of a row as `remark`, the sampling design as `method`. Stations are named by the
        code of the site. Sites of one number that lie more than 100 km apart are told in a warning.

    Raises
    ------
    UsageError
        When the file is not there, or a correction does not fit.
    DataError
        When years do not follow each other, a row is cut off or stands twice, or a cell is no depth. The message
        tells the line.

    Examples
    --------
    A place that is wrong in the table::

        read_calm("calm.csv", corrections={"R29 B": {"lon": (71.41917, 129.41917)}})
    """
    path = Path(path)
    rows = list(csv.reader(io.StringIO(read_text(path))))
    years = _years(path, rows)
    sites = [_site(path, number, cells, years) for number, cells in _records(rows)]
    if not sites:
        raise DataError("no sites", where=str(path), expected="rows below the two lines of header")
    _ensure_once(path, sites)
    notes = _correct(path, sites, corrections or {})
    _warn_of_scattered(path, sites)
    depths = np.array([s.depths for s in sites]) / 100.0
    bounds = np.array([s.bounds for s in sites])
    if not keep_lower_bounds:
        depths = np.where(bounds, np.nan, depths)
    out = xr.Dataset(
        {
            "thaw_depth": (("station", "year"), depths, THAW_DEPTH.attrs()),
            "thaw_exceeds_depth": (
                ("station", "year"),
                bounds.astype("int8"),
                {
                    "long_name": "whether thaw was deeper than could be measured",
                    "flag_values": np.array([0, 1], dtype="int8"),
                    "flag_meanings": "measured lower_bound",
                },
            ),
        },
        coords={"station": [s.code for s in sites], "year": years},
    )
    out["time"] = ("year", np.array([f"{y}-01-01" for y in years], dtype="datetime64[ns]"))
    out = out.set_coords("time")
    out["remark"] = (
        "station",
        ["; ".join(s.remarks) for s in sites],
        {"long_name": "words in place of depths"},
    )
    out["method"] = ("station", [s.method for s in sites], {"long_name": "sampling design"})
    history = f"{len(sites)} sites of {path.name}, {years[0]} to {years[-1]}, cm to m"
    kept = "kept" if keep_lower_bounds else "masked"
    history = append_history({"history": history}, f"{int(bounds.sum())} lower bounds {kept}")["history"]
    for note in notes:
        history = append_history({"history": history}, note)["history"]
    attrs = {
        "institution": "Circumpolar Active Layer Monitoring Network",
        "source": "probing, thaw tubes and ground temperatures at monitoring sites",
        "history": history,
    }
    out = dress_stations(out, {s.code: s.station for s in sites}, feature_type="timeSeries", attrs=attrs)
    out["year"].attrs = {"long_name": "calendar year", "units": "1"}
    return out


def _years(path: Path, rows: Sequence[Sequence[str]]) -> list[int]:
    """Years of the header; those that can be read must agree with their place."""
    if len(rows) < _HEADER_LINES:
        raise DataError(f"{len(rows)} lines", where=str(path), expected="two lines of header, and sites")
    cells = [c.strip() for c in rows[1][_BEFORE:]]
    while cells and not cells[-1]:
        cells.pop()
    read = {i: int(c) for i, c in enumerate(cells) if re.fullmatch(r"(19|20)\d\d", c)}
    odd = [c for c in cells if c.strip("#") and not re.fullmatch(r"(19|20)\d\d", c)]
    if odd or not read:
        raise broken_line(
            path,
            2,
            f"the years hold {odd[0]!r}" if odd else "no year",
            expected="years, or ### in their place",
        )
    first = {year - i for i, year in read.items()}
    if len(first) > 1:
        at, year = next((i, y) for i, y in read.items() if y - i != min(first))
        raise broken_line(
            path,
            2,
            f"year {year} in place {at + 1} after {min(first)}",
            expected="years that follow each other without a gap",
        )
    return [min(first) + i for i in range(len(cells))]


def _records(rows: Sequence[Sequence[str]]) -> list[tuple[int, Sequence[str]]]:
    numbered = enumerate(rows[_HEADER_LINES:], start=_HEADER_LINES + 1)
    return [(n, cells) for n, cells in numbered if any(c.strip() for c in cells)]


def _site(path: Path, line: int, cells: Sequence[str], years: Sequence[int]) -> _Site:
    if len(cells) < _BEFORE + len(years):
        raise broken_line(
            path,
            line,
            f"{len(cells)} cells",
            expected=f"at least {_BEFORE + len(years)}: {_BEFORE} of the site and {len(years)} years",
            todo="fetch the file again: the row is cut off",
        )
    code, name = cells[0].strip(), cells[1].strip()
    place = []
    for axis, text in (("latitude", cells[2]), ("longitude", cells[3])):
        try:
            place.append(float(text))
        except ValueError as error:
            raise broken_line(path, line, f"the {axis} {text!r}", expected="degrees") from error
    site = _Site(code, line, Station(name, *place), cells[4].strip(), [], [])
    for year, cell in zip(years, cells[_BEFORE : _BEFORE + len(years)], strict=True):
        text = cell.strip()
        bound = text.startswith(">")
        number = np.nan
        if re.fullmatch(r">?\s*\d+(\.\d+)?", text):
            number = float(text.lstrip("> "))
        elif text not in _NO_VALUE:
            if any(c.isdigit() for c in text):
                raise broken_line(
                    path, line, f"{text!r} for {year} at site {code}", expected="a depth in cm, '-', or words"
                )
            site.remarks.append(f"{year}: {text}")
        site.depths.append(number)
        site.bounds.append(bound and not np.isnan(number))
    return site


def _ensure_once(path: Path, sites: Sequence[_Site]) -> None:
    seen: dict[str, int] = {}
    for site in sites:
        if site.code in seen:
            raise broken_line(
                path,
                site.line,
                f"site {site.code!r} for the second time, after line {seen[site.code]}",
                expected="one row per site",
            )
        seen[site.code] = site.line


def _correct(
    path: Path, sites: Sequence[_Site], corrections: Mapping[str, Mapping[str, tuple[float, float]]]
) -> list[str]:
    """Mend places; what was done."""
    by_code = {site.code: site for site in sites}
    notes = []
    for code, changes in corrections.items():
        if code not in by_code:
            raise UsageError(f"there is no site {code!r}", where=f"corrections of {path}", todo="remove it")
        for axis, (wrong, right) in changes.items():
            if axis not in ("lat", "lon"):
                raise UsageError(
                    f"{axis!r} of site {code}", where="argument 'corrections'", expected="lat or lon"
                )
            old = by_code[code].station
            here: Any = getattr(old, axis)
            if abs(here - wrong) > 1e-4:
                raise UsageError(
                    f"the {axis} of site {code} is {here:g}",
                    where=str(path),
                    expected=f"{wrong:g}, which the correction replaces by {right:g}",
                    todo="remove the correction if the table was mended",
                )
            place = {"lat": old.lat, "lon": old.lon, axis: right}
            by_code[code].station = Station(old.name, **place)
            notes.append(f"{axis} of site {code} corrected from {wrong:g} to {right:g}")
    return notes


def _warn_of_scattered(path: Path, sites: Sequence[_Site]) -> None:
    """Sites of one number (M2 B, M2 D) are plots of one place."""
    groups: dict[str, list[_Site]] = {}
    for site in sites:
        number = re.match(r"[A-Za-z]+\d+", site.code)
        groups.setdefault(number.group() if number else site.code, []).append(site)
    geod, far = Geod(ellps="WGS84"), []
    for plots in groups.values():
        first = plots[0].station
        for plot in plots[1:]:
            km = geod.inv(first.lon, first.lat, plot.station.lon, plot.station.lat)[2] / 1000.0
            if km > _FAR_KM:
                far.append(f"{plot.code} {km:.0f} km from {plots[0].code}")
    if far:
        warnings.warn(
            f"{path.name}: sites of one number lie far apart: {'; '.join(far)}. Correct the place that is wrong by "
            "`corrections`.",
            GeotoolsWarning,
            stacklevel=3,
        )
