"""What a run directory has finished, so that a run that was stopped goes on where it was."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any

from geotools.catalog.catalog import identity
from geotools.errors import UsageError

FILE = "journal.jsonl"
MARKER = "recipe.json"


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
    """The finished steps of one run directory.

    Parameters
    ----------
    folder : pathlib.Path
        The run directory.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._file = folder / FILE
        self._done: dict[str, dict[str, Any]] = {}
        if self._file.is_file():
            for line in self._file.read_text(encoding="utf-8").splitlines():
                try:
                    entry = json.loads(line)
                except json.JSONDecodeError:
                    # The last line of a killed run may be cut; its step is simply done again.
                    continue
                self._done[entry["step"]] = entry

    def entry(self, step: str) -> dict[str, Any]:
        """The record of a finished step."""
        return self._done[step]

    def has(self, step: str, key: str) -> bool:
        """Whether a step was finished under this key and its outputs are still what it wrote."""
        entry = self._done.get(step)
        if entry is None or entry["key"] != key:
            return False
        return all(
            (self._folder / name).exists() and identity(self._folder / name) == digest
            for name, digest in entry["outputs"].items()
        )

    def add(self, step: str, key: str, outputs: Iterable[Path], **more: Any) -> None:
        """Record a finished step with the hashes of what it wrote."""
        hashes = {p.relative_to(self._folder).as_posix(): identity(p) for p in outputs}
        entry = {"step": step, "key": key, "outputs": hashes, **more}
        with self._file.open("a", encoding="utf-8") as file:
            file.write(json.dumps(entry) + "\n")
            file.flush()
            os.fsync(file.fileno())
        self._done[step] = entry


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
        old = json.loads(marker.read_text(encoding="utf-8"))
        if old == recipe:
            return
        differing = ", ".join(sorted(_differences(old, recipe))) or "the recipe"
        raise UsageError(
            f"the folder holds a run of another recipe; these keys differ: {differing}",
            where=str(folder),
            expected="an empty folder or a run of the same recipe",
            todo="choose another folder with --out, or delete this one",
        )
    if any(folder.iterdir()):
        raise UsageError(
            "the folder is not empty and holds no geotools run",
            where=str(folder),
            expected="an empty folder or a run of the same recipe",
            todo="choose another folder with --out",
        )
    temporary = marker.with_suffix(".part")
    temporary.write_text(json.dumps(recipe, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    temporary.replace(marker)


def _differences(old: Any, new: Any, place: str = "") -> set[str]:
    if isinstance(old, dict) and isinstance(new, dict):
        found: set[str] = set()
        for name in old.keys() | new.keys():
            found |= _differences(old.get(name), new.get(name), f"{place}.{name}" if place else str(name))
        return found
    return set() if old == new else {place}
