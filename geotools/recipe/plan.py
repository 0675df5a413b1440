"""What a run would read and need, before anything is computed."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from geotools.errors import UsageError
from geotools.recipe import memory, provenance
from geotools.recipe.context import Context
from geotools.recipe.loading import load
from geotools.recipe.model import Recipe
from geotools.recipe.need import Need
from geotools.recipe.needs import needs

_MB = 1_000_000
# Smaller blocks make more files and reading than they save memory.
_SMALLEST_BLOCK_MB = 4.0
_COARSER = 1.25


@dataclass(frozen=True)
class Plan:
    """Inputs, steps and memory of a run.

    Parameters
    ----------
    inputs : list of (str, str, int, str)
        Role, name, bytes on disk and shape.
    steps : list of Need
        Opening the inputs, then every step in order.
    cells : int
        Cells of the joint grid.
    zones, segments, draws : int
    limit_bytes : int
    limit_origin : str
    """

    inputs: list[tuple[str, str, int, str]]
    steps: list[Need]
    cells: int
    zones: int
    segments: int
    draws: int
    limit_bytes: int
    limit_origin: str

    @property
    def peak_bytes(self) -> int:
        """Projected peak memory: that of the step that needs the most."""
        return max(need.peak_bytes for need in self.steps)

    @property
    def read_bytes(self) -> int:
        """Values of gridded variables that all steps read."""
        return sum(need.read_bytes for need in self.steps)

    @property
    def blocks(self) -> int:
        """Pieces of all steps that are journalled one by one."""
        return sum(need.blocks for need in self.steps)

    def text(self) -> str:
        """The plan as a table."""
        lines = ["inputs"]
        lines += [f"  {role:19} {name:28} {_size(size)}  {shape}" for role, name, size, shape in self.inputs]
        lines += [
            f"joint grid       {self.cells:,} cells",
            f"zones            {self.zones}",
            f"segments         {self.segments}",
            f"draws            {self.draws}",
            "",
            f"{'step':14}{'blocks':>7}{'loads':>8}{'read':>12}{'written':>12}{'memory':>12}",
        ]
        for need in self.steps:
            blocks = str(need.blocks) if need.blocks else "-"
            sizes = "".join(f"  {_size(n)}" for n in (need.read_bytes, need.written_bytes, need.peak_bytes))
            lines.append(f"{need.step:14}{blocks:>7}{need.loads:>8,}{sizes}")
            lines += [f"  {words}" for words in need.layout]
        lines += [
            "",
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
        When the recipe is wrong, or the projected memory is above the limit; it names the size of blocks that
        would fit, or where none does, the resolution.
    """
    context = Context(load(recipe), Path())
    inputs = []
    for role, (name, entry) in context.inputs.items():
        content = context.open_raster(role, ()) if entry.variables else context.open(role)
        if hasattr(content, "sizes"):
            shape = " x ".join(f"{d} {n}" for d, n in content.sizes.items() if d != "nv")
        else:
            shape = f"{len(content)} rows"
        inputs.append((role, name, provenance.size_on_disk(entry.path), shape))
    draws = context.recipe.uncertainty.draws
    bound, origin = _limit(context.recipe)
    _refuse_too_large(context, bound, origin)
    return Plan(
        inputs, needs(context), context.grid.size, len(context.zones), len(context.transect.segments), draws,
        bound, origin,
    )  # fmt: skip


def _refuse_too_large(context: Context, bound: int, origin: str) -> None:
    worst = max(needs(context, memory_only=True), key=lambda need: need.peak_bytes)
    if worst.peak_bytes > bound:
        raise UsageError(
            f"the step {worst.step!r} would need about {worst.peak_bytes / 1e9:.1f} GB of memory, and "
            f"{bound / 1e9:.1f} GB are there ({origin})",
            where="plan",
            expected="a run that fits",
            todo=_advice(context, bound),
        )


def _limit(recipe: Recipe) -> tuple[int, str]:
    given = recipe.limits.memory_mb
    own = [] if given is None else [(int(given * _MB), "limits.memory_mb")]
    return min([memory.limit(), *own])


def _advice(context: Context, bound: int) -> str:
    """The change of the recipe that makes it fit: smaller blocks; only where none does, fewer cells."""
    given = context.recipe.limits.block_memory_mb
    size = given / 2
    while size >= _SMALLEST_BLOCK_MB:
        if _peak(context, limits={"block_memory_mb": size}) <= bound:
            return f"set limits.block_memory_mb to {size:g} or less (now {given:g})"
        size /= 2
    series = [each.model_copy(update={"time_block": 1}) for each in context.recipe.series]
    smallest = {"block_memory_mb": min(given, _SMALLEST_BLOCK_MB)}
    if _peak(context, limits=smallest, series=series) <= bound:
        return (
            f"set time_block of the series to fewer steps, and limits.block_memory_mb to less (now {given:g})"
        )
    resolution = context.recipe.grid.resolution_deg
    coarser = resolution
    while _peak(context, limits=smallest, grid={"resolution_deg": coarser}) > bound:
        coarser *= _COARSER
        if coarser > 100 * resolution:
            return "use a machine with more memory; libraries and inputs alone do not fit"
    return (
        f"set grid.resolution_deg to {coarser:.3g} or more (now {resolution:g}) with limits.block_memory_mb of "
        f"{smallest['block_memory_mb']:g}, narrow the grid's edges, or use a machine with more memory"
    )


def _peak(context: Context, *, series: list[Any] | None = None, **sections: dict[str, Any]) -> int:
    """Peak memory with some settings changed; the inputs stay open."""
    recipe, changes = context.recipe, {}
    for name, values in sections.items():
        # Edges need not be a whole number of coarser cells apart to tell what these would need.
        changes[name] = getattr(recipe, name).model_copy(update=values)
    if series is not None:
        changes["series"] = tuple(series)
    if "grid" in changes:
        g, step = changes["grid"], changes["grid"].resolution_deg
        whole = {
            "east": g.west + step * max(1, round((g.east - g.west) / step)),
            "north": min(g.south + step * max(1, round((g.north - g.south) / step)), 90.0),
        }
        whole["south"] = whole["north"] - step * max(1, round((whole["north"] - g.south) / step))
        changes["grid"] = g.model_copy(update=whole)
    other = Context(recipe.model_copy(update=changes), context.out)
    other.rasters, other.source_grids = context.rasters, context.source_grids
    # Nothing of these hangs on what is changed.
    vars(other).update({name: getattr(context, name) for name in ("catalog", "inputs", "zones", "transect")})
    return max(need.peak_bytes for need in needs(other, memory_only=True))


def _size(size: int) -> str:
    if size < 1e9:
        return f"{size / 1e6:7.1f} MB"
    return f"{size / 1e9:7.2f} GB"
