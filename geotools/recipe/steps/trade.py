"""trade_balance.csv: CO2 embodied in the trade of Russia and China, nations and regions."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from geotools.carbon import to_species
from geotools.catalog import trade_tables
from geotools.recipe.context import Context
from geotools.recipe.steps.tables import write_csv
from geotools.trade import (
    balance,
    embodied,
    latest_year,
    regional_shares,
    sector_trade,
    trade_anchored_shares,
)
from geotools.trade.regions import check_proxy

if TYPE_CHECKING:
    import pandas as pd

PATH = "trade_balance.csv"
COUNTRIES = {"RU": "CN", "CN": "RU"}


def run(context: Context) -> list[Path]:
    """Write the balances as a long table."""
    path = context.out / PATH
    write_csv(_beside_sinks(context, compute(context)), path)
    return [path]


def compute(context: Context) -> pd.DataFrame:
    """Balances of both nations and their regions, by sector and in total, for every method of the recipe."""
    import pandas as pd

    settings, uncertainty = context.recipe.trade, context.recipe.uncertainty
    files = {name: context.catalog[name].path for name in trade_tables.TRADE_TABLES}
    totals = trade_tables.national_trade(files["trade_national"])
    year = latest_year(totals, reporter=settings.reporter) if settings.year is None else settings.year
    trade = sector_trade(
        totals,
        trade_tables.sector_shares(files["trade_sector_shares"]),
        year=year,
        reporter=settings.reporter,
    )
    rates = trade_tables.exchange_rates(files["fx"])
    shares = _shares(context, files, year, rates)
    parts = []
    for method in settings.methods:
        # The same seed for every method: they differ by what they count and not by chance.
        flows = embodied(
            trade,
            trade_tables.sector_intensities(files["trade_intensities"]),
            method=method,
            bridge=trade_tables.sector_bridge("fcs_group", "wiod35", path=files["sector_bridge"]),
            supply_chains=trade_tables.supply_chains(files["trade_supply_chains"]),
            fx=rates,
            price_index=settings.price_index,
            sector_cv=settings.sector_cv,
            national_cv=settings.national_cv,
            vintage_cv_per_year=settings.vintage_cv_per_year,
            draws=uncertainty.draws,
            rng=np.random.default_rng(uncertainty.seed),
        )
        parts += [
            balance(
                flows,
                reporter=reporter,
                partner=partner,
                shares=shares,
                proxy_cv=settings.proxy_cv,
                rng=np.random.default_rng([uncertainty.seed, 1]),
            )
            for reporter, partner in COUNTRIES.items()
        ]
    return pd.concat(parts, ignore_index=True)


def _beside_sinks(context: Context, table: pd.DataFrame) -> pd.DataFrame:
    """The natural net ecosystem exchange of each region beside its balance, for reading and not for adding.

    `natural_tco2` with its interval is the carbon of the budget as CO2, positive to the atmosphere; it stands in the
    rows of the total only, since a sink belongs to a region and not to a sector.
    """
    import pandas as pd

    budget = pd.read_csv(context.out / "budget.csv", keep_default_na=False, na_values=[""])
    rows = budget[budget["term"] == "net_ecosystem_exchange"].set_index("zone")
    tonnes = {
        c: rows[c].map(lambda tg: to_species(tg, "CO2-C", "CO2") * 1e6) for c in ("value", "lo95", "hi95")
    }
    total = table["sector"] == "total"
    names = {"value": "natural_tco2", "lo95": "natural_lo95", "hi95": "natural_hi95"}
    for column, name in names.items():
        table[name] = table["region"].map(tonnes[column]).where(total)
    table["natural_valid_fraction"] = table["region"].map(rows["valid_fraction"]).where(total)
    return table


def _shares(context: Context, files: dict[str, Path], year: int, rates: pd.DataFrame) -> pd.DataFrame:
    import pandas as pd

    proxy = context.recipe.trade.regional_proxy
    check_proxy(proxy)
    emissions = trade_tables.regional_emissions(files["regional_emissions"])
    anchors = trade_tables.regional_anchors(files["regional_anchors"])
    parts = []
    for country, partner in COUNTRIES.items():
        own = regional_shares(emissions, country=country, year=year)
        if proxy == "trade_anchor":
            theirs = anchors[anchors["partner"] == partner]
            own = trade_anchored_shares(own, theirs, year=year, fx=rates)
        parts.append(own)
    return pd.concat(parts, ignore_index=True)
