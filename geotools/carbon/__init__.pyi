from .closure import ClosedBudget, ZoneBudget
from .equivalence import WarmingPotentials, gwp, to_species
from .ledger import Ledger
from .published import published_terms
from .scaling import scale_flux_density
from .selection import sum_of
from .spatial import spatial_sd
from .term import COLUMNS, Term
from .territorial import (
    TownShares,
    national_sums,
    region_zone_shares,
    regional_emissions,
    spread_to_cells,
    territorial_terms,
)

__all__ = [
    "COLUMNS",
    "ClosedBudget",
    "Ledger",
    "Term",
    "TownShares",
    "WarmingPotentials",
    "ZoneBudget",
    "gwp",
    "national_sums",
    "published_terms",
    "region_zone_shares",
    "regional_emissions",
    "scale_flux_density",
    "spatial_sd",
    "spread_to_cells",
    "sum_of",
    "territorial_terms",
    "to_species",
]
