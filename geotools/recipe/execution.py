"""The execution of a recipe."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from geotools.catalog.keys import require_known
from geotools.recipe import blocks, files, journal, provenance
from geotools.recipe.blocks import InTurn, Pool
from geotools.recipe.context import Context
from geotools.recipe.loading import resolved
from geotools.recipe.model import Recipe
from geotools.recipe.progress import Progress, Silent
from geotools.recipe.session import RECORD, REPORT, session
from geotools.recipe.steps import STEPS

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

# The step that writes the inputs of each target model.
TARGETS = {"generic": "model_inputs"}


@dataclass(frozen=True)
class Result:
    """A finished run.

    Parameters
    ----------
    out : pathlib.Path
        The run directory.
    """

    out: Path

    @property
    def budget(self) -> pd.DataFrame:
        """budget.csv: one row per zone, term and source."""
        return self._table("budget.csv")

    @property
    def basins(self) -> pd.DataFrame:
        """basins.csv: one row per zone, variable and class."""
        return self._table("basins.csv")

    @property
    def transect(self) -> pd.DataFrame:
        """transect.csv: one row per segment, variable and class."""
        return self._table("transect.csv")

    @property
    def trade_balance(self) -> pd.DataFrame:
        """trade_balance.csv: one row per region, partner, sector and account."""
        return self._table("trade_balance.csv")

    @property
    def series(self) -> dict[str, xr.Dataset]:
        """series/<source>.nc: statistics of zones and segments for every time step, by source."""
        import xarray as xr

        return {path.stem: xr.open_dataset(path) for path in sorted((self.out / "series").glob("*.nc"))}

    @property
    def fields(self) -> xr.Dataset:
        """The fields on the joint grid."""
        import xarray as xr

        from geotools.recipe.context import FIELDS

        return xr.open_dataset(self.out / FIELDS)

    def text(self) -> str:
        """The main numbers and where the files are."""
        from geotools.recipe.summary import summary

        return summary(self.out, self.basins)

    def _table(self, name: str) -> pd.DataFrame:
        import pandas as pd

        return pd.read_csv(self.out / name, keep_default_na=False, na_values=[""])


def run(
    recipe: str | Path | Recipe | None,
    out: str | Path,
    *,
    progress: Progress | None = None,
    pool: Pool | None = None,
) -> Result:
    """Run a recipe; a run that was stopped goes on after its last finished block.

    Parameters
    ----------
    recipe : path, Recipe or None
        A recipe file, a recipe made in Python, or nothing: the run that `out` holds goes on, and in a new folder the
        default recipe runs on the bundled data.
    out : path
        Run directory: a new or empty folder, or one that holds a run of the same recipe.
    progress : Progress, optional
        Is told about the steps and their blocks.
    pool : Pool, optional
        Does the blocks; by default this process does, one after the other.

    Returns
    -------
    Result

    Raises
    ------
    UsageError
        When the recipe is wrong, an input is missing, or the folder cannot be used.
    DataError
        When an input cannot be used, is gone or was changed.
    StorageError
        When the disk is full.
    """
    from geotools.report import write as write_report

    with session(recipe, out) as run_:
        context, resumed = run_.context, any("step" in e or "block" in e for e in run_.book.entries)
        pending = run_.perform(STEPS, progress or Silent(), pool or InTurn())
        if pending or not (context.out / RECORD).is_file():
            provenance.write(context.out / RECORD, _record(context, run_.book, resumed=resumed))
        if pending or not (context.out / REPORT).is_file():
            # Last, because the page tells what run.json tells.
            with files.storing(context.out / REPORT):
                write_report(context.out)
        # A worker that was given up may have written on after its block was done by another.
        files.remove(context.out / blocks.FOLDER)
        files.tidy(context.out)
    return Result(context.out)


def export(
    target: str,
    recipe: str | Path | Recipe | None,
    out: str | Path,
    *,
    progress: Progress | None = None,
    pool: Pool | None = None,
) -> list[Path]:
    """Write only the joint inputs for a target model; `run` on the same folder adds the rest.

    Parameters
    ----------
    target : str
        One of `TARGETS`.
    recipe, out, progress, pool
        As for `run`.

    Returns
    -------
    list of pathlib.Path
        The files for the target.

    Raises
    ------
    UsageError, DataError
        As for `run`, and when the target is not known.
    """
    require_known([target], TARGETS, what="target", where="export", todo="use a known target")
    last = TARGETS[target]
    wanted = {last, *next(step.needs for step in STEPS if step.name == last)}
    steps = tuple(step for step in STEPS if step.name in wanted)
    with session(recipe, out) as run_:
        run_.perform(steps, progress or Silent(), pool or InTurn())
        return [run_.context.out / name for name in run_.book.entry(last)["outputs"]]


def _record(context: Context, book: journal.Journal, *, resumed: bool) -> dict[str, Any]:
    entries = {step.name: book.entry(step.name) for step in STEPS}
    outputs = {name: digest for entry in entries.values() for name, digest in entry["outputs"].items()}
    return {
        "status": "finished",
        "title": context.recipe.title,
        "finished": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "resumed": resumed,
        "recipe": resolved(context.recipe),
        "seed": context.recipe.uncertainty.seed,
        "inputs": {
            role: provenance.input_record(name, entry) for role, (name, entry) in context.inputs.items()
        },
        "versions": provenance.versions(),
        "code": journal.code_version(),
        "duration_s": {name: entry["seconds"] for name, entry in entries.items()},
        "total_duration_s": round(sum(entry["seconds"] for entry in entries.values()), 3),
        "peak_memory_bytes": max(entry["peak_memory_bytes"] for entry in entries.values()),
        "outputs": dict(sorted(outputs.items())),
        "notices": _notices(context),
    }


def _notices(context: Context) -> list[str]:
    """What the licences of the inputs ask to be passed on."""
    notices = (
        f"{name}: {entry.licence}. {entry.attribution}. {entry.notice}".rstrip(". ") + "."
        for name, entry in context.inputs.values()
    )
    # An input may serve twice, as climate and as a series.
    return list(dict.fromkeys(notices))


__all__ = ["RECORD", "TARGETS", "Result", "export", "run"]
