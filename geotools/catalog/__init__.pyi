from .basins import basins
from .catalog import Catalog, open_catalog, open_entry
from .daily import daily_series
from .densities import flux_densities
from .locations import data_dir
from .published import published_numbers
from .regions import admin_regions, check_region_codes, towns
from .schema import DailyTable, Entry, VariableSource
from .stations.borehole import read_boreholes
from .stations.calm import read_calm
from .stations.exclusions import Exclusion, apply_exclusions, read_exclusions
from .stations.records import Station
from .stations.rihmi import read_rihmi_air, read_rihmi_snow, read_rihmi_soil

__all__ = [
    "Catalog",
    "DailyTable",
    "Entry",
    "Exclusion",
    "Station",
    "VariableSource",
    "admin_regions",
    "apply_exclusions",
    "basins",
    "check_region_codes",
    "daily_series",
    "data_dir",
    "flux_densities",
    "open_catalog",
    "open_entry",
    "published_numbers",
    "read_boreholes",
    "read_calm",
    "read_exclusions",
    "read_rihmi_air",
    "read_rihmi_snow",
    "read_rihmi_soil",
    "towns",
]
