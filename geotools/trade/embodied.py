"""CO2 embodied in exports: trade by sector times intensities, with intervals."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from geotools.errors import DataError, UsageError
from geotools.trade.national import refuse_bad_values
from geotools.trade.quantities import usd_per
from geotools.trade.sectors import INTENSITY_OF, by_emitter, check_bridge, check_intensities, composition
from geotools.vocabulary import Account, Tier

if TYPE_CHECKING:
    import pandas as pd

Array = NDArray[np.float64]

METHODS = tuple(INTENSITY_OF)
ACCOUNTS = {"direct": Account.EMBODIED_DIRECT, "eebt": Account.EMBODIED_EEBT}
SEED = 20260101
QUANTILES = {"lo95": 0.025, "hi95": 0.975, "lo80": 0.1, "hi80": 0.9}
_MEANING = {
    "direct": "emissions of the exporting sectors alone",
    "eebt": "emissions of the exporter's whole domestic supply chain",
}
_KEY = ["exporter", "importer", "sector", "year"]


@dataclass(frozen=True)
class Embodied:
    """CO2 embodied in trade flows.

    Parameters
    ----------
    table : pandas.DataFrame
        One row per exporter, importer, sector and year: `account`, `method`, `value_tco2` with `lo95`, `hi95`,
        `lo80`, `hi80` [t CO2], `tier`, `trade_basis`, `basis` and `source`.
    draws : array [draw, row; t CO2]
        Monte Carlo draws of the rows, so that sums and differences get their own intervals.
    basis : str
        Method, intensities and price basis in words.
    """

    table: pd.DataFrame
    draws: Array
    basis: str

    @property
    def method(self) -> str:
        """``direct`` or ``eebt``."""
        return str(self.table["method"].iloc[0])

    def total(self, exporter: str, importer: str, year: int | None = None) -> float:
        """Sum over the sectors [t CO2]."""
        t = self.table
        rows = (t["exporter"] == exporter) & (t["importer"] == importer)
        if year is not None:
            rows &= t["year"] == year
        return float(t.loc[rows, "value_tco2"].sum())


def embodied(
    trade: pd.DataFrame,
    intensities: pd.DataFrame,
    *,
    method: str = "eebt",
    bridge: pd.DataFrame | None = None,
    supply_chains: pd.DataFrame | None = None,
    fx: pd.DataFrame | None = None,
    price_index: Mapping[str, float] | None = None,
    sector_cv: float = 0.2,
    national_cv: float = 0.04,
    vintage_cv_per_year: float = 0.03,
    draws: int = 1000,
    rng: np.random.Generator | None = None,
) -> Embodied:
    """CO2 embodied in exports by sector.

    Parameters
    ----------
    trade : pandas.DataFrame
        One row per `exporter`, `importer`, `sector` and `year`, with `value` and `unit` of money; `trade_basis` and
        `source` are passed on.
    intensities : pandas.DataFrame
        One row per `country` and `sector`: `direct` and `total_domestic` emissions per output, `unit`, and the
        `year` and `price_year` they are of.
    method : {"eebt", "direct"}
        ``eebt`` takes total domestic intensities, ``direct`` those of the exporting sector alone.
    bridge : pandas.DataFrame, optional
        Weights from the sectors of the trade to those of the intensities.
    supply_chains : pandas.DataFrame, optional
        Shares of the emitting sectors in each total intensity. With them the error of a sector's CO2 is common to all
        goods that its products go into, electricity above all; without them goods err independently under EEBT,
        and the interval comes out too narrow.
    fx : pandas.DataFrame, optional
        Annual means, for trade in roubles or yuan.
    price_index : mapping of str to float [1], optional
        Price of a traded sector in the year of the trade over its price in the price year of the intensities; a
        sector that is not named has 1. Without it the trade is not deflated, and `basis` says so.
    sector_cv : float [1]
        Relative standard deviation of each sector's emissions, independent between sectors.
    national_cv : float [1]
        The same for the national total, common to the sectors of a country.
    vintage_cv_per_year : float [1 yr-1]
        Further error common to the sectors of a country per year between trade and intensities.
    draws : int
        Number of draws; 0 leaves the intervals blank.
    rng : numpy.random.Generator, optional
        With the seed 20260101 when absent.

    Returns
    -------
    Embodied

    Raises
    ------
    UnitsError
        When trade is not money or an intensity not CO2 per USD.
    DataError
        When trade is negative, missing or double, an intensity is missing or outside 1e-4 to 50 kg/USD, or an
        exchange rate does not stand for its year.
    UsageError
        When the method or a setting is wrong.

    Notes
    -----
    E[r, s, i] = T[r, s, i] sum_j w[i, j] m[r, j], with m the direct intensity S_r, or S_r (I - A_rr)^-1. The errors
    are lognormal with mean 1.

    References
    ----------
    Peters (2008), doi:10.1016/j.ecolecon.2007.10.014; Kanemoto et al. (2012), doi:10.1021/es202239t; errors of
    national totals: Schulte et al. (2024), doi:10.5194/essd-16-2669-2024.
    """
    _check_settings(method, price_index, (sector_cv, national_cv, vintage_cv_per_year), draws)
    trade = _check_trade(trade)
    intensities = check_intensities(intensities)
    if bridge is not None:
        check_bridge(bridge)
    price_index = dict(price_index or {})
    of_year, price_year = _one(intensities, "year"), _one(intensities, "price_year")
    parts = []
    for row in trade.to_dict("records"):
        exporter, sector, year = str(row["exporter"]), str(row["sector"]), int(row["year"])
        usd = float(row["value"]) * usd_per(str(row["unit"]), year=year, fx=fx, where="table of trade")
        usd /= price_index.get(sector, 1.0)
        made_of = composition(exporter, sector, intensities, method, bridge, year=year) if usd > 0 else {}
        # One kg per USD is 1e-3 t per USD.
        emitted = {code: usd * weight * value * 1e-3 for code, (weight, value) in made_of.items()}
        if method == "eebt" and supply_chains is not None:
            emitted = by_emitter(exporter, emitted, supply_chains)
        parts.append(emitted)
    values = np.array([sum(part.values()) for part in parts])
    drawn = _draw(
        trade,
        parts,
        sector_cv,
        national_cv,
        vintage_cv_per_year * np.abs(trade["year"].to_numpy() - of_year),
        draws,
        np.random.default_rng(SEED) if rng is None else rng,
    )
    prices = (
        "trade deflated by sector"
        if price_index
        else f"trade in USD of its own year, not deflated to {price_year}"
    )
    basis = (
        f"{method}: {_MEANING[method]}; intensities of {of_year} per USD of {price_year}; {prices}; CV {sector_cv:g} "
        f"per sector, {national_cv:g} per nation, {vintage_cv_per_year:g} per year between trade and intensities"
    )
    table = trade[_KEY].assign(
        account=ACCOUNTS[method].value,
        method=method,
        value_tco2=values,
        **intervals(drawn, values),
        tier=Tier.SCALED.value,
        trade_basis=trade["trade_basis"],
        basis=trade["trade_basis"] + "; " + basis,
        source=trade["source"],
    )
    return Embodied(table.reset_index(drop=True), drawn, basis)


def intervals(draws: Array, values: Array) -> dict[str, Array]:
    """The bounds of each column of draws; NaN without draws.

    Parameters
    ----------
    draws : array [draw, row]
    values : array [row]
        Central values, which the bounds always enclose.

    Returns
    -------
    dict of str to array [row]
    """
    if not len(draws):
        return {name: np.full(values.shape, np.nan) for name in QUANTILES}
    found = dict(zip(QUANTILES, np.quantile(draws, list(QUANTILES.values()), axis=0), strict=True))
    return {n: (np.minimum if n.startswith("lo") else np.maximum)(q, values) for n, q in found.items()}


def lognormal(rng: np.random.Generator, cv: float | Array, shape: tuple[int, ...]) -> Array:
    """Positive factors of mean 1 and the given relative standard deviation."""
    variance = np.log1p(np.square(cv))
    return np.asarray(np.exp(rng.standard_normal(shape) * np.sqrt(variance) - variance / 2))


def _draw(
    trade: pd.DataFrame,
    parts: list[dict[str, float]],
    sector_cv: float,
    national_cv: float,
    vintage_cv: Array,
    draws: int,
    rng: np.random.Generator,
) -> Array:
    exporters = trade["exporter"].astype(str).to_list()
    # In sorted order, so that the draws do not depend on the order of the rows.
    countries = sorted(set(exporters))
    codes = sorted({(e, code) for e, part in zip(exporters, parts, strict=True) for code in part})
    nation = dict(zip(countries, lognormal(rng, national_cv, (len(countries), draws)), strict=True))
    other_year = dict(zip(countries, rng.standard_normal((len(countries), draws)), strict=True))
    sector = dict(zip(codes, lognormal(rng, sector_cv, (len(codes), draws)), strict=True))
    out = np.zeros((draws, len(parts)))
    for i, (exporter, part) in enumerate(zip(exporters, parts, strict=True)):
        variance = np.log1p(vintage_cv[i] ** 2)
        common = nation[exporter] * np.exp(other_year[exporter] * np.sqrt(variance) - variance / 2)
        for code, value in part.items():
            out[:, i] += value * sector[exporter, code] * common
    return out


def _check_settings(
    method: str, price_index: Mapping[str, float] | None, cvs: tuple[float, ...], draws: int
) -> None:
    if method not in METHODS:
        raise UsageError(
            f"unknown method {method!r}",
            expected="'direct' or 'eebt'",
            todo="multi-regional flows need a whole table: see embodied_flows",
        )
    if draws < 0 or any(not 0 <= cv <= 2 for cv in cvs):
        raise UsageError(
            f"relative errors {cvs} and {draws} draws",
            expected="errors of 0 to 2 and no negative number of draws",
            todo="give errors as fractions, 0.2 for 20 %",
        )
    for sector, index in (price_index or {}).items():
        if not index > 0:
            raise UsageError(
                f"the price index of {sector!r} is {index:g}", expected="a positive ratio", todo="correct it"
            )


def _check_trade(trade: pd.DataFrame) -> pd.DataFrame:
    missing = [c for c in (*_KEY, "value", "unit") if c not in trade]
    if missing or trade.empty:
        raise DataError(
            f"columns are missing: {', '.join(missing)}" if missing else "there are no rows",
            where="table of trade",
            expected=", ".join((*_KEY, "value", "unit")),
            todo="see geotools.trade.sector_trade",
        )
    refuse_bad_values(trade, "value", where="table of trade")
    double = trade[trade.duplicated(_KEY)]
    if len(double):
        row = double.iloc[0]
        raise DataError(
            f"{row['exporter']} to {row['importer']}, {row['sector']}, {row['year']} stands twice",
            where="table of trade",
            expected="one row per flow, sector and year",
            todo="choose one reporter and one vintage; they are never added",
        )
    filled = trade.reset_index(drop=True)
    for name in ("trade_basis", "source"):
        if name not in filled:
            filled[name] = ""
    return filled


def _one(intensities: pd.DataFrame, column: str) -> int:
    years = sorted(set(intensities[column]))
    if len(years) != 1:
        raise DataError(
            f"{column} holds {', '.join(str(y) for y in years) or 'nothing'}",
            where="table of intensities",
            expected="one year, so that exports and imports are on one price basis",
            todo="keep the rows of one year",
        )
    return int(years[0])
