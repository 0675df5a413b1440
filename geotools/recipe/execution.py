"""The execution of a recipe."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from geotools.catalog.catalog import identity
from geotools.catalog.keys import require_known
from geotools.recipe import blocks, files, journal, provenance
from geotools.recipe.blocks import InTurn, Pool
from geotools.recipe.context import Context
from geotools.recipe.loading import load, resolved
from geotools.recipe.model import Recipe
from geotools.recipe.progress import Progress, Silent
from geotools.recipe.steps import STEPS, Step

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

RECORD = "run.json"
REPORT = "report.html"
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
        A recipe file, a recipe made in Python, or nothing for the default recipe on the bundled data.
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
        When an input cannot be used.
    """
    from geotools.report import write as write_report

    context, book, pending = _execute(recipe, out, STEPS, progress or Silent(), pool or InTurn())
    if pending or not (context.out / RECORD).is_file():
        record = _record(context, book, resumed=len(pending) < len(STEPS))
        provenance.write(context.out / RECORD, record)
    if pending or not (context.out / REPORT).is_file():
        # Last, because the page tells what run.json tells.
        write_report(context.out)
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
    context, book, _ = _execute(recipe, out, steps, progress or Silent(), pool or InTurn())
    return [context.out / name for name in book.entry(last)["outputs"]]


def _execute(
    recipe: str | Path | Recipe | None, out: str | Path, steps: Sequence[Step], progress: Progress, pool: Pool
) -> tuple[Context, journal.Journal, list[Step]]:
    """Run the steps that are not done; returns those that were not."""
    from geotools.recipe.check import examine

    chosen = load(recipe)
    folder = files.writable_folder(Path(out).resolve())
    context = Context(chosen, folder)
    # Input problems come before the folder is claimed, so that a mended recipe can use the same folder.
    examine(context)
    journal.claim(folder, resolved(chosen))
    book = journal.Journal(folder)
    keys = _keys(context)
    blocks.adopt(context)
    progress.plan([step.name for step in steps])
    pending = [step for step in steps if not book.has(step.name, keys[step.name])]
    if pending:
        # What tells of a finished run must not stand beside unfinished steps.
        files.remove(folder / RECORD)
        files.remove(folder / REPORT)
    for step in steps:
        if step not in pending:
            blocks.discard(folder, step.name)
            progress.step(step.name, done=True)
            continue
        progress.step(step.name)
        start = time.perf_counter()
        peak = _perform(step, keys[step.name], context, book, progress, pool)
        outputs = step.run(context)
        seconds = time.perf_counter() - start
        peak = max(peak, provenance.peak_memory_bytes())
        book.add(step.name, keys[step.name], outputs, seconds=round(seconds, 3), peak_memory_bytes=peak)
        blocks.discard(folder, step.name)
        progress.finish(step.name, seconds)
    return context, book, pending


def _perform(
    step: Step, key: str, context: Context, book: journal.Journal, progress: Progress, pool: Pool
) -> int:
    """Do the blocks of a step that are not done; returns the peak memory of those who did them."""
    every = step.blocks(context)
    blocks.keep_only(context.out, step.name, every)
    keys = {block.name: block.key(key) for block in every}
    left = [block for block in every if not book.has_block(keys[block.name])]
    done, peak = len(every) - len(left), 0
    if every:
        progress.blocks(step.name, done, len(every))
    settings, out = resolved(context.recipe), str(context.out)
    for index, result in pool.map(blocks.perform, [(block, settings, out) for block in left]):
        block = left[index]
        if "error" in result:
            raise result["error"]
        book.add_block(step.name, block.name, keys[block.name], block.output, **result)
        done, peak = done + 1, max(peak, result["peak_memory_bytes"])
        progress.blocks(step.name, done, len(every))
    return peak


def _keys(context: Context) -> dict[str, str]:
    """The key of each step: its settings, the identities of its inputs, the keys of what it needs, the code."""
    settings = resolved(context.recipe)
    # The entry counts as well: other units or another name in the file make other numbers of the same bytes.
    inputs = {
        role: [identity(entry.path), entry.model_dump(mode="json", exclude={"path"})]
        for role, (_, entry) in context.inputs.items()
    }
    keys: dict[str, str] = {}
    for step in STEPS:
        keys[step.name] = journal.key_of(
            {
                "step": step.name,
                "settings": {name: settings[name] for name in step.settings},
                "inputs": {role: inputs[role] for role in inputs if step.reads(role)},
                "needs": {name: keys[name] for name in step.needs},
                "code": journal.code_version(),
            }
        )
    return keys


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
    return [
        f"{name}: {entry.licence}. {entry.attribution}. {entry.notice}".rstrip(". ") + "."
        for name, entry in context.inputs.values()
    ]


__all__ = ["RECORD", "TARGETS", "Result", "export", "run"]
