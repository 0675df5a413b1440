"""Periods of a record that the user knows to be bad: a table with reasons, applied and told of."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import xarray as xr

from geotools.catalog.readers import table
from geotools.errors import DataError, UsageError
from geotools.metadata import append_history


@dataclass(frozen=True)
class Exclusion:
    """Values that must not be used, and why.

    Parameters
    ----------
    reason : str
        Stands in the history of what is read.
    station : int or str, optional
        All stations without it.
    variable : str, optional
        All variables without it.
    start, end : str, optional
        First and last day, as ISO dates. The record from its beginning, or to its end, without it.
    depth : float, optional
        [m] All depths without it.

    Raises
    ------
    UsageError
        When a date cannot be read, or the end comes before the start.

    Examples
    --------
    >>> Exclusion("the thermometer hung at another depth", station=24266, variable="tsl", depth=1.6,
    ...           start="1980-01-01", end="1982-12-31").describe()
    'station 24266, tsl, 1.6 m, 1980-01-01 to 1982-12-31: the thermometer hung at another depth'
    """

    reason: str
    station: int | str | None = None
    variable: str | None = None
    start: str | None = None
    end: str | None = None
    depth: float | None = None

    def __post_init__(self) -> None:
        days = []
        for name in ("start", "end"):
            text = getattr(self, name)
            try:
                days.append(None if text is None else pd.Timestamp(text))
            except ValueError as error:
                raise UsageError(
                    f"the {name} {text!r}", where="Exclusion", expected="a date such as 1980-01-31"
                ) from error
        if days[0] is not None and days[1] is not None and days[1] < days[0]:
            raise UsageError(
                f"{self.start} to {self.end}", where="Exclusion", expected="a start before the end"
            )

    def describe(self) -> str:
        """The exclusion in a line."""
        parts = [
            "all stations" if self.station is None else f"station {self.station}",
            self.variable or "all variables",
            *([f"{self.depth:g} m"] if self.depth is not None else []),
            f"{self.start or 'the beginning'} to {self.end or 'the end'}",
        ]
        return f"{', '.join(parts)}: {self.reason}"


def read_exclusions(path: str | Path) -> list[Exclusion]:
    """Exclusions from a CSV table.

    Parameters
    ----------
    path : str or pathlib.Path
        Columns ``station``, ``variable``, ``depth``, ``start``, ``end`` and ``reason``; blank cells stand for all.

    Returns
    -------
    list of Exclusion

    Raises
    ------
    DataError
        When a column is missing, a depth is no number, or a row gives no reason.
    """
    text = ("station", "variable", "start", "end", "reason")
    frame = table.read(Path(path), columns=(*text, "depth"), numbers=("depth",), text=text)
    out = []
    for line, row in enumerate(frame.to_dict("records"), start=2):
        if not row["reason"].strip():
            raise DataError(
                f"no reason in line {line}", where=str(path), expected="why the values must not be used"
            )
        station = row["station"].strip()
        out.append(
            Exclusion(
                row["reason"].strip(),
                station=int(station) if station.isdigit() else station or None,
                variable=row["variable"].strip() or None,
                start=row["start"].strip() or None,
                end=row["end"].strip() or None,
                depth=None if np.isnan(row["depth"]) else float(row["depth"]),
            )
        )
    return out


def apply_exclusions(records: xr.Dataset, exclusions: Iterable[Exclusion]) -> xr.Dataset:
    """Mask values, with a line of history for each exclusion.

    Parameters
    ----------
    records : xarray.Dataset [station, time, ...]
    exclusions : iterable of Exclusion

    Returns
    -------
    xarray.Dataset
        The same with NaN where something is excluded.

    Raises
    ------
    UsageError
        When an exclusion names a station, variable or depth that the records do not have, so that it would do
        nothing.
    """
    out = records.copy()
    for exclusion in exclusions:
        names = _names(out, exclusion)
        masked = 0
        for name in names:
            field = out[name]
            bad = xr.ones_like(field, dtype=bool)
            if exclusion.station is not None:
                bad = bad & (field["station"] == exclusion.station)
            if exclusion.depth is not None:
                bad = bad & (abs(field["depth"] - exclusion.depth) < 1e-6)
            if exclusion.start is not None:
                bad = bad & (field["time"] >= np.datetime64(pd.Timestamp(exclusion.start)))
            if exclusion.end is not None:
                # The last day counts whole, also in hourly records.
                bad = bad & (
                    field["time"] < np.datetime64(pd.Timestamp(exclusion.end) + pd.Timedelta(days=1))
                )
            masked += int((bad & ~np.isnan(field)).sum())
            out[name] = field.where(~bad)
        out.attrs = append_history(out.attrs, f"{masked} values masked: {exclusion.describe()}")
    return out


def _names(records: xr.Dataset, exclusion: Exclusion) -> list[str]:
    """The variables that an exclusion is for."""
    dated = [str(n) for n, v in records.data_vars.items() if {"station", "time"} <= set(v.dims)]
    if exclusion.depth is not None:
        dated = [n for n in dated if "depth" in records[n].dims]
    known: dict[str, list[object]] = {
        "variable": list(dated),
        "station": list(records["station"].values.tolist()),
        "depth": list(records["depth"].values.tolist()) if "depth" in records.coords else [],
    }
    for key, values in known.items():
        wanted = getattr(exclusion, key)
        near = (
            key == "depth" and wanted is not None and any(abs(wanted - float(str(v))) < 1e-6 for v in values)
        )
        if wanted is not None and wanted not in values and not near:
            raise UsageError(
                f"there is no {key} {wanted!r}",
                where=f"exclusion {exclusion.describe()!r}",
                expected=f"one of {', '.join(str(v) for v in values[:14])}",
                todo="correct or remove the exclusion",
            )
    return [exclusion.variable] if exclusion.variable else dated
