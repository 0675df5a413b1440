"""How far a run is, read from its folder without touching it."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from geotools.errors import UsageError
from geotools.recipe import journal, lock
from geotools.recipe.session import RECORD
from geotools.recipe.steps import STEPS

# Of `geotools status`: what a script asks first.
EXIT_CODES = {"finished": 0, "going on": 5, "failed": 6, "stopped": 6}


@dataclass(frozen=True)
class StepStatus:
    """One step of a run.

    Parameters
    ----------
    name : str
    state : {"done", "going on", "failed", "begun", "left", "files missing"}
    blocks_done, blocks : int
        Both 0 for a step that is done in one go or was not begun.
    seconds : float
        That it took, or its blocks so far.
    """

    name: str
    state: str
    blocks_done: int = 0
    blocks: int = 0
    seconds: float = 0.0


@dataclass(frozen=True)
class Failure:
    """An error that stopped a run.

    Parameters
    ----------
    what : str
        Step or block; "inputs" before any of them.
    error : str
    time : str
        ISO 8601, UTC.
    """

    what: str
    error: str
    time: str


@dataclass(frozen=True)
class Status:
    """How far a run is.

    Parameters
    ----------
    folder : pathlib.Path
    title : str
    state : {"finished", "going on", "failed", "stopped"}
        A run that was killed is "stopped": it could not say more.
    owner : str
        Process and machine of a run that goes on, else empty.
    steps : list of StepStatus
    failures : list of Failure
        In the order they happened, those of earlier tries as well.
    other_code : bool
        The last try was with other code than this, so that all steps will be done again.
    """

    folder: Path
    title: str
    state: str
    owner: str
    steps: list[StepStatus]
    failures: list[Failure]
    other_code: bool

    @property
    def exit_code(self) -> int:
        """0 finished, 5 going on, 6 stopped or failed."""
        return EXIT_CODES[self.state]

    def text(self) -> str:
        """The status in words."""
        done = sum(step.state == "done" for step in self.steps)
        lines = [
            f"{self.folder}: {self.title}",
            f"{self.state}{f', {self.owner}' if self.owner else ''}; {done} of {len(self.steps)} steps done",
        ]
        for step in self.steps:
            blocks = f"{step.blocks_done} of {step.blocks} blocks" if step.blocks else ""
            seconds = f"{step.seconds:9.1f} s" if step.seconds else ""
            lines.append(f"  {step.name:14} {step.state:14} {blocks:24} {seconds}".rstrip())
        if self.failures and self.state != "finished":
            last = self.failures[-1]
            lines.append(f"last failure, {last.time}, {last.what}: {last.error}")
        if self.other_code and self.state != "going on":
            lines.append("geotools has changed since, so that every step will be done again")
        if self.state in ("failed", "stopped"):
            lines.append(f"`geotools run --out {self.folder}` goes on")
        return "\n".join(lines)


def status(folder: str | Path) -> Status:
    """Read how far a run is, whether it goes on, and what failed.

    Parameters
    ----------
    folder : path
        A run directory, also one that a run is writing to.

    Returns
    -------
    Status

    Raises
    ------
    UsageError
        When the folder holds no run.
    """
    place = Path(folder).resolve()
    title = _title(place)
    entries = journal.read(place / journal.FILE)
    owner = lock.alive(place)
    last_failed = bool(entries) and "failed" in entries[-1]
    failed_at = str(entries[-1]["failed"]).partition("/")[0] if last_failed and owner is None else ""
    steps = _steps(place, entries, failed_at, going=owner is not None)
    if owner is not None:
        state = "going on"
    elif (place / RECORD).is_file() and all(step.state == "done" for step in steps):
        state = "finished"
    else:
        state = "failed" if last_failed else "stopped"
    starts = [entry for entry in entries if "start" in entry]
    return Status(
        folder=place,
        title=title,
        state=state,
        owner=lock.owner_text(owner),
        steps=steps,
        failures=[Failure(e["failed"], e["error"], e.get("time", "")) for e in entries if "failed" in e],
        other_code=bool(starts) and starts[-1]["code"] != journal.code_version(),
    )


def _title(place: Path) -> str:
    marker = place / journal.MARKER
    try:
        recipe = json.loads(marker.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise UsageError(
            "this is no folder of a run" if place.is_dir() else "the folder does not exist",
            where=str(place),
            expected=f"a folder that `geotools run --out` made, with {journal.MARKER}",
            todo="name the folder of a run",
        ) from None
    except (OSError, ValueError) as error:
        raise UsageError(
            f"it cannot be read ({error})", where=str(marker), expected="the resolved recipe of a run"
        ) from error
    return str(recipe.get("title", "")) if isinstance(recipe, dict) else ""


def _steps(place: Path, entries: list[dict[str, Any]], failed_at: str, *, going: bool) -> list[StepStatus]:
    done = {e["step"]: e for e in entries if "step" in e}
    plans = {e["plan"]: e for e in entries if "plan" in e}
    void = {key for e in entries if "void" in e for key in e["void"]}
    found = []
    for step in STEPS:
        plan = plans.get(step.name)
        pieces = {
            e["key"]: e
            for e in entries
            if "block" in e and plan and e["under"] == plan["key"] and e["key"] not in void
        }
        total, seconds = (plan["blocks"] if plan else 0), sum(e.get("seconds", 0.0) for e in pieces.values())
        entry = done.get(step.name)
        if entry and (plan is None or plan["key"] == entry["key"]):
            here = all((place / name).exists() for name in entry["outputs"])
            state, seconds = "done" if here else "files missing", max(entry.get("seconds", 0.0), seconds)
        elif step.name == failed_at:
            state = "failed"
        else:
            state = "begun" if plan else "left"
        found.append(StepStatus(step.name, state, len(pieces), total, round(seconds, 3)))
    if going:
        # The journal tells what ended; what is being done is a step with blocks left, or else the first not done.
        begun = [i for i, step in enumerate(found) if step.state == "begun"]
        left = [i for i, step in enumerate(found) if step.state != "done"]
        for at in [*begun, *left][:1]:
            found[at] = replace(found[at], state="going on")
    return found
