"""The files of a finished run, read and checked."""

from __future__ import annotations

import csv
import hashlib
import io
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from geotools.errors import UsageError

if TYPE_CHECKING:
    import pandas as pd

# The columns a table must have, those of them that hold numbers, and further columns that do when present.
_TABLES: dict[str, tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]] = {
    "basins.csv": (
        ("zone", "variable", "class", "unit", "tier", "method"),
        ("mean", "lo95", "hi95", "valid_fraction"),
        (),
    ),
    "transect.csv": (
        ("variable", "class", "unit"),
        ("segment", "distance_km", "lat", "lon", "mean", "lo95", "hi95"),
        ("valid_fraction",),
    ),
    "budget.csv": (
        ("zone", "term", "species", "account", "unit", "tier", "source"),
        ("value", "lo95", "hi95"),
        ("valid_fraction", "depth_top_m", "depth_bottom_m"),
    ),
    "town_ground.csv": (
        ("name", "reason", "climate_1", "climate_2", "pile", "tier", "method", "strength", "references"),
        (
            "lat",
            "ground_temperature_depth_m",
            "ground_temperature_1_degC",
            "ground_temperature_2_degC",
            "active_layer_1_m",
            "active_layer_2_m",
            "bearing_capacity_1_kN",
            "bearing_capacity_change_percent",
        ),
        (),
    ),
    "trade_balance.csv": (
        ("region", "partner", "sector", "account", "sign_certain", "basis"),
        ("year", "export_tco2", "import_tco2", "balance_tco2", "lo95", "hi95"),
        (),
    ),
}
_AGAIN = "run `geotools run` again into a new folder, then write the report of that run"


@dataclass(frozen=True)
class RunFiles:
    """What a report is made from.

    Parameters
    ----------
    folder : pathlib.Path
    record : dict
        run.json.
    tables : dict of str to pandas.DataFrame
        By file name; only those that are there.
    figures : list of pathlib.Path
        PNG files, by name.
    """

    folder: Path
    record: dict[str, Any]
    tables: dict[str, pd.DataFrame] = field(default_factory=dict)
    figures: list[Path] = field(default_factory=list)

    def table(self, name: str) -> pd.DataFrame | None:
        """A table, or nothing where the run has none."""
        return self.tables.get(name)

    @property
    def missing(self) -> list[str]:
        """Tables every run writes that are not there."""
        return [n for n in ("basins.csv", "transect.csv", "budget.csv") if n not in self.tables]


def read(run_dir: str | Path) -> RunFiles:
    """Read what a finished run left.

    Parameters
    ----------
    run_dir : path

    Returns
    -------
    RunFiles

    Raises
    ------
    UsageError
        When the folder is missing, the run is not finished, or a file is not whole.
    """
    folder = Path(run_dir).resolve()
    if not folder.is_dir():
        raise UsageError(
            "there is no such folder", where=str(run_dir), expected="the directory of a finished run",
            todo=f"make one with `geotools run --out {run_dir}`",
        )  # fmt: skip
    record = _record(folder)
    digests = record.get("outputs")
    digests = digests if isinstance(digests, dict) else {}
    tables = {n: _table(folder / n, digests.get(n)) for n in _TABLES if (folder / n).is_file()}
    figures = sorted((folder / "figures").glob("[!.]*.png"))
    return RunFiles(folder, record, tables, figures)


def _record(folder: Path) -> dict[str, Any]:
    unfinished = UsageError(
        f"the run in {folder} is not finished", expected="run.json with status 'finished'",
        todo="give the same `geotools run` command again; it goes on where it stopped",
    )  # fmt: skip
    path = folder / "run.json"
    if not path.is_file():
        raise unfinished
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, UnicodeDecodeError) as error:
        raise UsageError(
            f"run.json cannot be read ({error})",
            where=str(folder),
            expected="the record that a run writes last",
            todo=_AGAIN,
        ) from error
    if not isinstance(record, dict) or record.get("status") != "finished":
        raise unfinished
    return record


def _table(path: Path, digest: object) -> pd.DataFrame:
    """A table with numbers as numbers and everything else as text, blank where empty."""
    import pandas as pd

    words, numbers, more = _TABLES[path.name]
    data = path.read_bytes()

    def problem(found: str, expected: str) -> UsageError:
        return UsageError(found, where=str(path), expected=expected, todo=_AGAIN)

    # A file cut between two rows looks whole; only its hash tells.
    if isinstance(digest, str) and hashlib.sha256(data).hexdigest() != digest:
        raise problem("the table is not as the run wrote it: it was cut or changed", f"sha256 {digest[:12]}…")
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise problem("the table is no text in UTF-8", "a table as the run writes it") from error
    rows = list(csv.reader(io.StringIO(text)))
    if not rows or not text.endswith("\n"):
        raise problem("the table is cut off: its last line has no end", "whole lines")
    lacking = [c for c in (*words, *numbers) if c not in rows[0]]
    if lacking:
        raise problem(f"the table has no column {', '.join(lacking)}", f"{', '.join((*words, *numbers))}")
    short = next((i for i, r in enumerate(rows[1:], 2) if len(r) != len(rows[0])), None)
    if short is not None:
        raise problem(f"row {short} has {len(rows[short - 1])} fields", f"{len(rows[0])}, as in the header")
    frame = pd.DataFrame(rows[1:], columns=rows[0], dtype=str)
    for column in (*numbers, *(c for c in more if c in frame)):
        values = pd.to_numeric(frame[column].replace("", "nan"), errors="coerce")
        wrong = values.isna() & ~frame[column].isin(["", "nan", "NaN"])
        if wrong.any():
            i = int(wrong.to_numpy().argmax())
            raise problem(
                f"row {i + 2} has {frame[column].iloc[i]!r} in column {column}", "a number or nothing"
            )
        frame[column] = values.astype(float)
    return frame
