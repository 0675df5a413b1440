from . import carbon, catalog, climate, errors, model_inputs, permafrost, recipe, report, space
from .carbon import Ledger
from .catalog import admin_regions, basins, open_catalog, published_numbers, towns
from .recipe import Recipe, run
from .space import CurvilinearGrid, Grid, Overlap, Transect

__version__: str

__all__ = [
    "CurvilinearGrid",
    "Grid",
    "Ledger",
    "Overlap",
    "Recipe",
    "Transect",
    "admin_regions",
    "basins",
    "carbon",
    "catalog",
    "climate",
    "errors",
    "model_inputs",
    "open_catalog",
    "permafrost",
    "published_numbers",
    "recipe",
    "report",
    "run",
    "space",
    "towns",
]
