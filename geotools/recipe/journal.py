"""What a run directory has finished, so that a run that was stopped goes on where it was."""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any

from geotools.catalog.catalog import identity
from geotools.errors import UsageError
from geotools.recipe import files, lock

FILE = "journal.jsonl"
MARKER = "recipe.json"
# What an entry has besides the field that says what it is.
_FIELDS: dict[str, set[str]] = {
    "step": {"key", "outputs"},
    "start": {"code"},
    "block": {"under", "key", "outputs"},
    "plan": {"key", "blocks"},
    "void": set(),
    "input": {"stamp", "sha256"},
    "failed": {"error"},
}


@cache
def code_version() -> str:
    """Version of geotools with a hash of its source, so that changed code never passes for finished work."""
    from importlib.metadata import version

    package = Path(__file__).resolve().parents[1]
    digest = hashlib.sha256()
    for file in sorted(package.rglob("*.py")):
        digest.update(file.relative_to(package).as_posix().encode())
        digest.update(file.read_bytes())
    return f"{version('lena-amur-geotools')}+{digest.hexdigest()[:12]}"


def key_of(content: Any) -> str:
    """A hash of anything that is plain JSON."""
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


class Journal:
    """What one run directory has finished, and what failed: one line of JSON for each, in the order they happened.

    Parameters
    ----------
    folder : pathlib.Path
        The run directory.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._file = folder / FILE
        self._steps: dict[str, dict[str, Any]] = {}
        self._blocks: dict[str, dict[str, Any]] = {}
        self._inputs: dict[tuple[str, str], str] = {}
        self.entries = read(self._file)
        for entry in self.entries:
            self._take(entry)

    def entry(self, step: str) -> dict[str, Any]:
        """The record of a finished step."""
        return self._steps[step]

    def has(self, step: str, key: str) -> bool:
        """Whether a step was finished under this key and its outputs are still what it wrote."""
        entry = self._steps.get(step)
        return entry is not None and entry["key"] == key and self._intact(entry["outputs"])

    def block(self, key: str) -> dict[str, Any]:
        """The record of a finished block."""
        return self._blocks[key]

    def has_block(self, key: str) -> bool:
        """Whether a block was finished under this key and its file is still what it wrote."""
        entry = self._blocks.get(key)
        return entry is not None and self._intact(entry["outputs"])

    def add(self, step: str, key: str, outputs: Iterable[Path], **more: Any) -> None:
        """Record a finished step with the hashes of what it wrote."""
        hashes = {p.relative_to(self._folder).as_posix(): identity(p) for p in outputs}
        self._write({"step": step, "key": key, "outputs": hashes, **more})

    def add_start(self, code: str, **more: Any) -> None:
        """Record that somebody sits down to the run."""
        self._write({"start": more, "code": code})

    def add_block(
        self, block: str, key: str, output: str, sha256: str, *, step_key: str, **more: Any
    ) -> None:
        """Record a finished block with the hash of its file."""
        self._write({"block": block, "under": step_key, "key": key, "outputs": {output: sha256}, **more})

    def add_failure(self, what: str, error: str, **more: Any) -> None:
        """Record that a step or block was stopped by an error."""
        self._write({"failed": what, "error": error, **more})

    def add_plan(self, step: str, key: str, blocks: int) -> None:
        """Record into how many blocks a step is cut, for those who ask how far the run is."""
        self._write({"plan": step, "key": key, "blocks": blocks})

    def add_void(self, keys: list[str]) -> None:
        """Record that blocks must be done again, because their input was found spoilt after them."""
        self._write({"void": keys})

    def add_input(self, path: str, stamp: str, sha256: str) -> None:
        """Record the hash of an input with what tells that it was not changed since."""
        self._write({"input": path, "stamp": stamp, "sha256": sha256})

    def input_hash(self, path: str, stamp: str) -> str | None:
        """The hash of an input that was not changed since it was recorded."""
        return self._inputs.get((path, stamp))

    def _intact(self, outputs: dict[str, str]) -> bool:
        return all(
            (self._folder / name).exists() and identity(self._folder / name) == digest
            for name, digest in outputs.items()
        )

    def _write(self, entry: dict[str, Any]) -> None:
        entry = {**entry, "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())}
        line = json.dumps(entry).encode() + b"\n"
        with files.storing(self._file), self._file.open("a+b") as file:
            if file.seek(0, os.SEEK_END):
                file.seek(-1, os.SEEK_END)
                if file.read(1) != b"\n":
                    # A run was killed within its last line, which must not swallow this one.
                    line = b"\n" + line
            file.write(line)
            file.flush()
            os.fsync(file.fileno())
        self._take(entry)

    def _take(self, entry: dict[str, Any]) -> None:
        if "step" in entry:
            self._steps[entry["step"]] = entry
        elif "block" in entry:
            self._blocks[entry["key"]] = entry
        elif "void" in entry:
            for key in entry["void"]:
                self._blocks.pop(key, None)
        elif "input" in entry:
            self._inputs[entry["input"], entry["stamp"]] = entry["sha256"]


def read(path: Path) -> list[dict[str, Any]]:
    """The entries of a journal; lines that are no entry, as a killed run may leave, are passed over.

    Parameters
    ----------
    path : pathlib.Path
        It need not be there.

    Returns
    -------
    list of dict
    """
    if not path.is_file():
        return []
    found = []
    for line in path.read_bytes().split(b"\n"):
        try:
            entry = json.loads(line)
        except ValueError:
            # A line that was cut; what it told of is simply done again.
            continue
        if isinstance(entry, dict) and any(_FIELDS[k] <= entry.keys() for k in _FIELDS.keys() & entry.keys()):
            found.append(entry)
    return found


def claim(folder: Path, recipe: dict[str, Any]) -> None:
    """Mark a folder as the run of a recipe, or refuse it.

    Parameters
    ----------
    folder : pathlib.Path
        Exists and can be written to.
    recipe : dict
        The resolved recipe.

    Raises
    ------
    UsageError
        When the folder holds something else, or a run of another recipe; the keys that differ are named.
    """
    marker = folder / MARKER
    if marker.is_file():
        try:
            old = json.loads(marker.read_text(encoding="utf-8"))
        except ValueError as error:
            raise UsageError(
                f"the recipe of the run in this folder is damaged ({error})",
                where=str(marker),
                todo="choose another folder with --out",
            ) from error
        differences = _differences(old, recipe)
        keys = {key for key in differences if not _shapes_no_number(key)}
        if not keys:
            if differences:
                _mark(marker, recipe)
            return
        differing = ", ".join(sorted(keys)) or "the recipe"
        raise UsageError(
            f"the folder holds a run of another recipe; these keys differ: {differing}",
            where=str(folder),
            expected="an empty folder or a run of the same recipe",
            todo="choose another folder with --out, or delete this one",
        )
    if any(not (files.is_leftover(p.name) or p.name == lock.FILE) for p in folder.iterdir()):
        raise UsageError(
            "the folder is not empty and holds no geotools run",
            where=str(folder),
            expected="an empty folder or a run of the same recipe",
            todo="choose another folder with --out",
        )
    _mark(marker, recipe)


def _mark(marker: Path, recipe: dict[str, Any]) -> None:
    with files.replacing(marker) as temporary:
        temporary.write_text(json.dumps(recipe, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def shaping(section: str, settings: Any) -> Any:
    """The settings of a section of a recipe without those that no number depends on.

    Where a run is worked on, and in pieces of what size, may change when it goes on: a run that was stopped because
    it needed too much memory goes on in smaller pieces.
    """
    if not isinstance(settings, dict):
        return settings
    return {name: value for name, value in settings.items() if not _shapes_no_number(f"{section}.{name}")}


def _shapes_no_number(key: str) -> bool:
    return key.partition(".")[0] == "cluster" or key in ("limits.block_memory_mb", "limits.memory_mb")


def _differences(old: Any, new: Any, place: str = "") -> set[str]:
    if isinstance(old, dict) and isinstance(new, dict):
        found: set[str] = set()
        for name in old.keys() | new.keys():
            found |= _differences(old.get(name), new.get(name), f"{place}.{name}" if place else str(name))
        return found
    return set() if old == new else {place}
