"""The steps of a run, in order: adapters from the recipe to the science, each writing its own files."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from geotools.recipe.blocks import Block
    from geotools.recipe.context import Context


@dataclass(frozen=True)
class Step:
    """One idempotent piece of a run.

    Parameters
    ----------
    name : str
    settings : tuple of str
        Sections of the recipe that shape its result.
    inputs : tuple of str
        Roles of the inputs it reads, without a trailing number.
    needs : tuple of str
        Steps whose files it reads.
    """

    name: str
    settings: tuple[str, ...]
    inputs: tuple[str, ...]
    needs: tuple[str, ...]

    def run(self, context: Context) -> list[Path]:
        """Write the files of this step, out of those of its blocks where it has any, and return their paths."""
        function: Callable[[Context], list[Path]] = self._module().run
        return function(context)

    def blocks(self, context: Context) -> list[Block]:
        """The blocks of this step, in the order they are wanted; none where it is done in one go."""
        function: Callable[[Context], list[Block]] | None = getattr(self._module(), "blocks", None)
        return function(context) if function else []

    def prepare(self, context: Context) -> None:
        """Make what all blocks share, once, before any of them is done."""
        function: Callable[[Context], None] | None = getattr(self._module(), "prepare", None)
        if function:
            function(context)

    def _module(self) -> ModuleType:
        # Looked up late so that planning and --help import no science.
        return importlib.import_module(f"geotools.recipe.steps.{self.name}")

    def reads(self, role: str) -> bool:
        """Whether an input role, e.g. ``soil_carbon_0``, is one this step reads."""
        return any(role == name or role.rpartition("_")[0] == name for name in self.inputs)


_ZONES = ("basins", "regions", "polygons")
_TRADE = (
    "trade_national", "trade_sector_shares", "trade_intensities", "trade_supply_chains", "sector_bridge",
    "regional_anchors", "regional_emissions", "fx",
)  # fmt: skip

STEPS = (
    Step(
        "fields",
        ("inputs", "zones", "transect", "grid", "climate", "snow", "permafrost", "limits"),
        ("climate", "land_cover", "soil_carbon", *_ZONES),
        (),
    ),
    Step("model_inputs", ("zones", "grid"), ("towns", "regional_emissions", "regions", *_ZONES), ("fields",)),
    Step(
        "uncertainty",
        ("zones", "transect", "climate", "snow", "permafrost", "uncertainty"),
        _ZONES,
        ("fields",),
    ),
    Step("basins", ("zones",), _ZONES, ("fields", "uncertainty")),
    Step(
        "transect",
        ("transect", "inputs"),
        ("observations", "elevation", "ndvi", "transect_layer"),
        ("fields", "uncertainty"),
    ),
    Step(
        "cross_section",
        ("transect", "climate", "snow", "permafrost", "ground_column"),
        ("climate", "land_cover"),
        ("fields",),
    ),
    Step(
        "town_ground",
        ("zones", "transect", "climate", "snow", "permafrost", "ground_column", "towns"),
        ("towns", "climate", "second_climate", *_ZONES),
        ("fields",),
    ),
    Step(
        "budget",
        ("zones", "transect", "uncertainty"),
        ("published", "towns", "flux_densities", "regional_emissions", "land_cover", "regions", *_ZONES),
        ("fields", "uncertainty"),
    ),
    Step("trade", ("trade", "uncertainty"), _TRADE, ("budget",)),
    Step("series", ("series", "zones", "transect"), ("series", *_ZONES), ()),
    Step(
        "figures", ("transect",), ("map", *_ZONES), ("fields", "uncertainty", "basins", "transect", "budget")
    ),
)
