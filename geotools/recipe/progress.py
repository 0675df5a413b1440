"""What a user sees while a run goes on: a progress bar on a terminal, log lines in a batch job."""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

_SECONDS_BETWEEN_LINES = 5.0


class Progress(Protocol):
    """Something that is told about steps and their blocks."""

    def plan(self, names: list[str]) -> None:
        """Say which steps there are."""

    def step(self, name: str, *, done: bool = False) -> None:
        """Say that a step starts, or that it was done before."""

    def blocks(self, name: str, done: int, total: int) -> None:
        """Say how many blocks of a step are done."""

    def finish(self, name: str, seconds: float) -> None:
        """Say that a step ended."""

    def note(self, text: str) -> None:
        """Say something about the machines that do the work."""


class Silent:
    """Tells nothing; the default when geotools is called from Python."""

    def plan(self, names: list[str]) -> None:
        """Nothing."""

    def step(self, name: str, *, done: bool = False) -> None:
        """Nothing."""

    def blocks(self, name: str, done: int, total: int) -> None:
        """Nothing."""

    def finish(self, name: str, seconds: float) -> None:
        """Nothing."""

    def note(self, text: str) -> None:
        """Nothing."""


class LogLines:
    """One line with the time per event, for a batch job's log."""

    def __init__(self) -> None:
        self._names: list[str] = []
        self._told = -math.inf

    def plan(self, names: list[str]) -> None:
        """Keep the names to number the steps."""
        self._names = names

    def step(self, name: str, *, done: bool = False) -> None:
        """A line when a step starts or is skipped."""
        self._say(name, "done before, kept" if done else "started")

    def blocks(self, name: str, done: int, total: int) -> None:
        """A line for the first and the last blocks, and in between not more often than one can read."""
        now = time.monotonic()
        if done == total or now - self._told >= _SECONDS_BETWEEN_LINES:
            self._told = now
            self._say(name, f"{done} of {total} blocks done")

    def finish(self, name: str, seconds: float) -> None:
        """A line when a step ends."""
        self._say(name, f"finished in {seconds:.1f} s")

    def note(self, text: str) -> None:
        """A line."""
        print(f"{time.strftime('%Y-%m-%dT%H:%M:%S')} {text}", file=sys.stderr, flush=True)

    def _say(self, name: str, what: str) -> None:
        self.note(f"[{self._names.index(name) + 1}/{len(self._names)}] {name}: {what}")


class _Bar:
    def __init__(self, bar: object) -> None:
        from rich.progress import Progress as RichProgress

        assert isinstance(bar, RichProgress)
        self._bar, self._task = bar, bar.add_task("run", total=None)
        self._blocks = bar.add_task("blocks", total=None, visible=False)

    def plan(self, names: list[str]) -> None:
        self._bar.update(self._task, total=len(names))

    def step(self, name: str, *, done: bool = False) -> None:
        self._bar.update(self._task, description=name, advance=1 if done else 0)

    def blocks(self, name: str, done: int, total: int) -> None:
        self._bar.update(self._blocks, description="blocks", completed=done, total=total, visible=True)

    def finish(self, name: str, seconds: float) -> None:
        self._bar.update(self._task, advance=1)
        self._bar.update(self._blocks, visible=False)

    def note(self, text: str) -> None:
        self._bar.console.print(text, markup=False, highlight=False)


@contextmanager
def reporting() -> Iterator[Progress]:
    """A progress bar when standard error is a terminal, log lines otherwise."""
    if not sys.stderr.isatty():
        yield LogLines()
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
    from rich.progress import Progress as RichProgress

    columns = (TextColumn("{task.description:>14}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with RichProgress(*columns, console=Console(stderr=True), transient=True) as bar:
        yield _Bar(bar)
