"""One sitting at a run: the folder is locked and tidied, what is left is done, and every piece is journalled."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from geotools.errors import GeotoolsError
from geotools.recipe import blocks, files, journal, memory, provenance
from geotools.recipe.blocks import Block, Pool
from geotools.recipe.context import SHARED, Context
from geotools.recipe.inputs import Inputs
from geotools.recipe.loading import continued, load, resolved
from geotools.recipe.lock import Lock, locked
from geotools.recipe.model import Recipe
from geotools.recipe.progress import Progress
from geotools.recipe.steps import STEPS, Step
from geotools.space.memory import give_back

RECORD = "run.json"
REPORT = "report.html"


@contextmanager
def session(recipe: str | Path | Recipe | None, out: str | Path) -> Iterator[Session]:
    """Claim a run directory for a recipe and hold it.

    Parameters
    ----------
    recipe : path, Recipe or None
        Without one the run that the folder holds goes on, or the default recipe starts.
    out : path

    Yields
    ------
    Session

    Raises
    ------
    UsageError, DataError
        When the recipe, an input or the folder cannot be used, or another run goes on there.
    """
    from geotools.recipe.check import examine

    folder = Path(out).resolve()
    chosen = load(recipe) if recipe is not None else continued(folder)
    files.writable_folder(folder)
    with locked(folder) as lock:
        known = (folder / journal.MARKER).is_file()
        if known:
            journal.claim(folder, resolved(chosen))
        context = Context(chosen, folder)
        place = ["inputs"]
        try:
            # Input problems come before a new folder is claimed, so that a mended recipe can use it.
            examine(context)
            journal.claim(folder, resolved(chosen))
            files.tidy(folder)
            yield Session(context, journal.Journal(folder), lock, place)
        except Exception as error:
            if known or (folder / journal.MARKER).is_file():
                _note(folder, place[0], error)
            raise


def _note(folder: Path, place: str, error: Exception) -> None:
    kind, code = type(error).__name__, getattr(error, "exit_code", 1)
    # On a full disk there may be no room even for this line, and the error itself matters more.
    with suppress(OSError, GeotoolsError):
        journal.Journal(folder).add_failure(place, str(error), kind=kind, exit_code=code)


class Session:
    """What is done and left of a run, while its folder is held.

    Parameters
    ----------
    context : Context
    book : Journal
    lock : Lock
    place : list of str
        Its one item says what is being done, for the record of a failure.
    """

    def __init__(self, context: Context, book: journal.Journal, lock: Lock, place: list[str]) -> None:
        self.context, self.book = context, book
        self._lock, self._place = lock, place
        self._inputs = Inputs(context, book)
        self.keys = self._keys()
        # Keys of blocks that were done since every file of the inputs was last looked at.
        self._unsure: list[str] = []
        blocks.adopt(context)

    def perform(self, steps: Sequence[Step], progress: Progress, pool: Pool) -> list[Step]:
        """Do the steps that are not done; returns those that were not."""
        folder = self.context.out
        progress.plan([step.name for step in steps])
        progress.note(memory.text(*memory.limit()))
        pending = [step for step in steps if not self.book.has(step.name, self.keys[step.name])]
        if pending:
            self.book.add_start(journal.code_version(), host=socket.gethostname(), pid=os.getpid())
            # What tells of a finished run must not stand beside unfinished steps.
            files.remove(folder / RECORD)
            files.remove(folder / REPORT)
        for step in steps:
            if step in pending:
                progress.step(step.name)
                seconds = self._step(step, progress, pool)
                progress.finish(step.name, seconds)
            else:
                progress.step(step.name, done=True)
            blocks.discard(folder, step.name)
        files.remove(folder / SHARED)
        blocks.discard(folder)
        self._place[0] = "report"
        return pending

    def _step(self, step: Step, progress: Progress, pool: Pool) -> float:
        self._place[0], start = step.name, time.perf_counter()
        roles = [role for role in self.context.inputs if step.reads(role)]
        every = step.blocks(self.context)
        blocks.keep_only(self.context.out, step.name, every)
        # What the steps and blocks before have left behind would count against this one.
        give_back()
        try:
            self._blocks(step, every, roles, progress, pool)
            give_back()
            self._place[0] = step.name
            outputs = step.run(self.context)
            self._inputs.ensure(roles)
        except Exception:
            # Says so when the error only tells what a vanished input led to.
            self._ensure_or_void(roles)
            raise
        self._lock.ensure()
        seconds = time.perf_counter() - start
        done = [self.book.block(block.key(self.keys[step.name])) for block in every]
        peaks = [provenance.peak_memory_bytes(), *(entry["peak_memory_bytes"] for entry in done)]
        self.book.add(
            step.name,
            self.keys[step.name],
            outputs,
            seconds=round(seconds, 3),
            peak_memory_bytes=max(peaks),
            blocks=len(every),
        )
        return seconds

    def _blocks(
        self, step: Step, every: list[Block], roles: list[str], progress: Progress, pool: Pool
    ) -> None:
        if not every:
            return
        keys = {block.name: block.key(self.keys[step.name]) for block in every}
        left = [block for block in every if not self.book.has_block(keys[block.name])]
        self.book.add_plan(step.name, self.keys[step.name], len(every))
        done = len(every) - len(left)
        progress.blocks(step.name, done, len(every))
        if left:
            step.prepare(self.context)
        settings, out = resolved(self.context.recipe), str(self.context.out)
        for index, result in pool.map(blocks.perform, [(block, settings, out) for block in left]):
            block = left[index]
            if "error" in result:
                self._place[0] = block.name
                raise result["error"]
            self._lock.ensure()
            if self._inputs.ensure(roles, all_files=False):
                self._unsure.clear()
            else:
                self._unsure.append(keys[block.name])
            key = keys[block.name]
            self.book.add_block(block.name, key, block.output, step_key=self.keys[step.name], **result)
            done += 1
            progress.blocks(step.name, done, len(every))

    def _ensure_or_void(self, roles: list[str]) -> None:
        try:
            self._inputs.ensure(roles)
        except GeotoolsError:
            if self._unsure:
                self.book.add_void(self._unsure)
            raise

    def _keys(self) -> dict[str, str]:
        """The key of each step: its settings, the hashes of its inputs, the keys of what it needs, the code."""
        settings = resolved(self.context.recipe)
        # The entry counts as well: other units or another name in the file make other numbers of the same bytes.
        inputs = {
            role: [self._inputs.hashes[role], entry.model_dump(mode="json", exclude={"path"})]
            for role, (_, entry) in self.context.inputs.items()
        }
        keys: dict[str, str] = {}
        for step in STEPS:
            keys[step.name] = journal.key_of(
                {
                    "step": step.name,
                    "settings": {name: journal.shaping(name, settings[name]) for name in step.settings},
                    "inputs": {role: inputs[role] for role in inputs if step.reads(role)},
                    "needs": {name: keys[name] for name in step.needs},
                    "code": journal.code_version(),
                }
            )
        return keys
