"""What a run would read and need, before anything is computed."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from geotools.errors import UsageError
from geotools.recipe import memory, provenance
from geotools.recipe.context import Context
from geotools.recipe.loading import load
from geotools.recipe.model import Recipe
from geotools.recipe.steps import STEPS

# Measured on the default recipe: imports and the opened libraries, then the arrays below.
_BASE_BYTES = 540_000_000
_FIELDS_PER_CELL = 110
_COPIES = 4


@dataclass(frozen=True)
class Plan:
    """Inputs, steps and memory of a run.

    Parameters
    ----------
    inputs : list of (str, str, int, str)
        Role, name, bytes on disk and shape.
    steps : list of str
    cells : int
        Cells of the joint grid.
    zones, segments, draws : int
    peak_bytes : int
        Projected peak memory.
    limit_bytes : int
    limit_origin : str
    """

    inputs: list[tuple[str, str, int, str]]
    steps: list[str]
    cells: int
    zones: int
    segments: int
    draws: int
    peak_bytes: int
    limit_bytes: int
    limit_origin: str

    def text(self) -> str:
        """The plan in words."""
        lines = ["inputs"]
        lines += [
            f"  {role:14} {name:24} {size / 1e6:8.1f} MB  {shape}" for role, name, size, shape in self.inputs
        ]
        lines += [
            f"joint grid       {self.cells:,} cells",
            f"zones            {self.zones}",
            f"segments         {self.segments}",
            f"draws            {self.draws}",
            f"steps            {', '.join(self.steps)}",
            f"peak memory      {self.peak_bytes / 1e9:.2f} GB projected, {self.limit_bytes / 1e9:.1f} GB available "
            f"({self.limit_origin})",
        ]
        return "\n".join(lines)


def plan(recipe: str | Path | Recipe | None = None) -> Plan:
    """Open the inputs of a recipe and project what a run needs.

    Parameters
    ----------
    recipe : path, Recipe or None

    Returns
    -------
    Plan

    Raises
    ------
    UsageError
        When the recipe is wrong, or the projected memory is above the limit; a cell size that would fit is named.
    """
    context = Context(load(recipe), Path())
    inputs, chunks = [], 0
    for role, (name, entry) in context.inputs.items():
        content = context.open(role)
        if hasattr(content, "sizes"):
            shape = " x ".join(f"{d} {n}" for d, n in content.sizes.items() if d != "nv")
            sizes = [content[v].nbytes for v in entry.variables]
            chunks = max(chunks, *sizes) if sizes else chunks
        else:
            shape = f"{len(content)} rows"
        inputs.append((role, name, provenance.size_on_disk(entry.path), shape))
    rows, columns = context.grid.shape
    cells = rows * columns
    segments, zones = len(context.transect.segments), len(context.zones)
    draws = context.recipe.uncertainty.draws
    arrays = cells * _FIELDS_PER_CELL * 8 * _COPIES
    peak = _BASE_BYTES + arrays + 2 * chunks + draws * (zones + segments) * 20 * 8
    bound, origin = memory.limit()
    result = Plan(inputs, [s.name for s in STEPS], cells, zones, segments, draws, int(peak), bound, origin)
    if peak > bound:
        fits = ((bound - _BASE_BYTES) / max(peak - _BASE_BYTES, 1)) ** 0.5
        resolution = context.recipe.grid.resolution_deg
        raise UsageError(
            f"the run would need about {peak / 1e9:.1f} GB of memory, and {bound / 1e9:.1f} GB are there ({origin})",
            where="plan",
            expected="a run that fits",
            todo=f"set grid.resolution_deg to {resolution / max(fits, 1e-3):.3g} or more (now {resolution:g}), "
            f"narrow the grid's edges, or use a machine with more memory",
        )
    return result
