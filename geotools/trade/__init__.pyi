from .balance import COLUMNS, balance
from .embodied import ACCOUNTS, METHODS, Embodied, embodied
from .io_flows import (
    Accounts,
    bilateral_exports,
    embodied_flows,
    pollution_terms_of_trade,
    production_and_consumption,
)
from .io_model import InputOutput, leontief_inverse, multipliers, technical_coefficients
from .national import check_totals, latest_year, sector_trade
from .quantities import kg_co2_per_usd, tonnes_co2_per, usd_per
from .regions import PROXIES, regional_shares, trade_anchored_shares
from .sectors import by_emitter, check_bridge, check_intensities, composition

__all__ = [
    "ACCOUNTS",
    "COLUMNS",
    "METHODS",
    "PROXIES",
    "Accounts",
    "Embodied",
    "InputOutput",
    "balance",
    "bilateral_exports",
    "by_emitter",
    "check_bridge",
    "check_intensities",
    "check_totals",
    "composition",
    "embodied",
    "embodied_flows",
    "kg_co2_per_usd",
    "latest_year",
    "leontief_inverse",
    "multipliers",
    "pollution_terms_of_trade",
    "production_and_consumption",
    "regional_shares",
    "sector_trade",
    "technical_coefficients",
    "tonnes_co2_per",
    "trade_anchored_shares",
    "usd_per",
]
