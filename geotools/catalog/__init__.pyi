from .basins import basins
from .catalog import Catalog, open_catalog, open_entry
from .daily import daily_series
from .densities import flux_densities
from .locations import data_dir
from .published import published_numbers
from .regions import admin_regions, check_region_codes, towns
from .schema import DailyTable, Entry, VariableSource

__all__ = [
    "Catalog",
    "DailyTable",
    "Entry",
    "VariableSource",
    "admin_regions",
    "basins",
    "check_region_codes",
    "daily_series",
    "data_dir",
    "flux_densities",
    "open_catalog",
    "open_entry",
    "published_numbers",
    "towns",
]
