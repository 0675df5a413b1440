"""Blocks: the pieces a step is cut into, each of them done whole, once, and by any process."""

from __future__ import annotations

import importlib
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from geotools.catalog.catalog import identity
from geotools.errors import GeotoolsError
from geotools.recipe import files, provenance
from geotools.recipe.journal import key_of

if TYPE_CHECKING:
    from geotools.recipe.context import Context

FOLDER = ".blocks"


@dataclass(frozen=True)
class Block:
    """One piece of a step: a function, what it is called with, and the one file it writes.

    Parameters
    ----------
    name : str
        Unique in the run, e.g. ``uncertainty/0000-0019``; starts with the name of its step.
    function : str
        ``module:name`` of a function of (context, path, **arguments) that writes `path`, importable on a worker.
    arguments : dict
        Plain JSON. The result may depend on them, on the recipe and on what the step reads, and on nothing else.
    output : str
        Path of the file relative to the run directory, below ``.blocks/<step>/``.
    """

    name: str
    function: str
    arguments: dict[str, Any]
    output: str

    def key(self, step_key: str) -> str:
        """The key of this block under that of its step, which stands for settings, inputs and code."""
        return key_of({"step": step_key, "function": self.function, "arguments": self.arguments})


class Pool(Protocol):
    """Something that calls a function many times, here or elsewhere."""

    def map(
        self, function: Callable[..., Any], arguments: Sequence[tuple[Any, ...]]
    ) -> Iterator[tuple[int, Any]]:
        """Call the function with each tuple; gives its place and the result as they complete, in any order."""


class InTurn:
    """The pool of one process: one block after the other, each with the threads of dask."""

    def map(
        self, function: Callable[..., Any], arguments: Sequence[tuple[Any, ...]]
    ) -> Iterator[tuple[int, Any]]:
        """Call the function here."""
        for index, each in enumerate(arguments):
            yield index, function(*each)


_HELD: dict[str, Context] = {}
_GUARD = threading.Lock()


def adopt(context: Context) -> None:
    """Let the blocks that this process performs share a context, with the overlaps it has built."""
    from geotools.recipe.loading import resolved

    with _GUARD:
        _HELD.clear()
        _HELD[_name(resolved(context.recipe), str(context.out))] = context


def _context(recipe: dict[str, Any], out: str) -> Context:
    from geotools.recipe.context import Context
    from geotools.recipe.model import Recipe

    name = _name(recipe, out)
    with _GUARD:
        if name not in _HELD:
            # One only: a worker serves one run at a time, and overlaps are large.
            _HELD.clear()
            _HELD[name] = Context(Recipe.model_validate(recipe), Path(out))
        return _HELD[name]


def _name(recipe: dict[str, Any], out: str) -> str:
    return key_of([recipe, out])


def perform(block: Block, recipe: dict[str, Any], out: str) -> dict[str, Any]:
    """Do one block: what a worker runs.

    Parameters
    ----------
    block : Block
    recipe : dict
        Resolved, as plain JSON.
    out : str
        The run directory.

    Returns
    -------
    dict
        `sha256` of the file, `seconds`, and `peak_memory_bytes` of the process; or `error`, a GeotoolsError
        that stopped the block, which then has no file.
    """
    start = time.perf_counter()
    path = Path(out) / block.output
    module, _, name = block.function.partition(":")
    try:
        context = _context(recipe, out)
        with files.replacing(path) as temporary:
            getattr(importlib.import_module(module), name)(context, temporary, **block.arguments)
        digest = identity(path)
    except GeotoolsError as error:
        # Handed back and not raised, so that whoever runs the blocks knows which one it was.
        return {"error": error}
    return {
        "sha256": digest,
        "seconds": round(time.perf_counter() - start, 3),
        "peak_memory_bytes": provenance.peak_memory_bytes(),
    }


def discard(out: Path, step: str | None = None) -> None:
    """Remove the block files of a step that is finished, and their folder once it is empty."""
    if step is not None:
        files.remove(out / FOLDER / step)
    with suppress(OSError):
        # Goes with the last step that had blocks.
        (out / FOLDER).rmdir()


def keep_only(out: Path, step: str, blocks: Sequence[Block]) -> None:
    """Remove the files of blocks that a step had when it was cut otherwise, by other code or another recipe."""
    folder = out / FOLDER / step
    if not folder.is_dir():
        return
    wanted = {out / block.output for block in blocks}
    wanted |= {parent for path in wanted for parent in path.parents}
    for path in sorted(folder.rglob("*")):
        if path not in wanted:
            files.remove(path)
