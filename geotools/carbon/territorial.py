"""Territorial fossil emissions of regions, spread by the population of towns to zones and cells."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from geotools.carbon.allocation import TownShares, region_zone_shares, spread_to_cells
from geotools.carbon.draws import bounds
from geotools.carbon.term import Term
from geotools.errors import DataError, UsageError
from geotools.vocabulary import Account, Species, Tier

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "TownShares", "national_sums", "region_zone_shares", "regional_emissions", "spread_to_cells", "territorial_terms",
]  # fmt: skip

REMAINDER = "_X"
UNIT = "Tg yr-1"
# Relative standard deviation of the emissions of a region by country: half of the 2-sigma usually given for the nation
# (RU 15 %, CN 10 %), doubled, since a part of a nation is known less well.
EMISSION_CV = {"RU": 0.15, "CN": 0.10}
# Spread of a town's share on the logit scale. A factor of 2.7 either way for small shares, 0.27 to 0.73 for a half, and
# nothing for a region that lies wholly inside or outside, where it does not matter how it is split.
PROXY_SD_LOGIT = 0.5
_COLUMNS = ("region", "year", "value", "unit")
_UNITS = {"Mt CO2": 1.0, "Mt CO2 yr-1": 1.0, "Mt yr-1": 1.0, "Tg yr-1": 1.0}
# A region that covers less of a zone than this is not worth naming as missing.
_NAMED_ABOVE = 1e-3


def regional_emissions(table: pd.DataFrame, *, year: int | None = None) -> pd.DataFrame:
    """The emissions of regions in one year, checked.

    Parameters
    ----------
    table : pandas.DataFrame
        With `region`, `year`, `value` and `unit` (``Mt CO2``, or ``Mt yr-1`` with `species` CO2), and `source` or
        `reference`. Rows whose `role` is ``nation`` are left out. A code that ends in ``_X`` is what is left of a
        nation, which lies nowhere in particular.
    year : int, optional
        The latest year that all regions share when absent.

    Returns
    -------
    pandas.DataFrame [index: region]
        `value` [Tg yr-1 of CO2], `year`, `reference`, `coverage`.

    Raises
    ------
    DataError
        When columns are missing, an amount is negative or missing, is no mass of CO2, or a region stands twice.
    UsageError
        When the year is not there.
    """
    where = "regional emissions"
    lacking = [c for c in _COLUMNS if c not in table.columns]
    if lacking:
        raise DataError(
            f"columns are missing: {', '.join(lacking)}", where=where, expected=", ".join(_COLUMNS)
        )
    rows = table[table["role"] != "nation"] if "role" in table else table
    by_year = [{int(y) for y in years} for _, years in rows.groupby("region")["year"]]
    if year is None:
        shared = set.intersection(*by_year) if by_year else set()
        if not shared:
            raise DataError("no year has all regions", where=where, expected="one year with every region",
                            todo="name the year")  # fmt: skip
        year = max(shared)
    rows = rows[rows["year"] == year]
    if rows.empty:
        known = ", ".join(str(y) for y in sorted(set().union(*by_year)))
        raise UsageError(f"there are no emissions of {year}", where=where, expected=f"one of {known}")
    for row in rows.to_dict("records"):
        place = f"{where}, {row['region']} {year}"
        species = str(row.get("species", "") or ("CO2" if "CO2" in str(row["unit"]) else ""))
        if row["unit"] not in _UNITS or species != Species.CO2.value:
            raise DataError(
                f"the unit is {row['unit']!r} of {species or 'something not named'}", where=place,
                expected="a mass of CO2 in Mt, not of carbon and not of goods", todo="convert it, and name the species",
            )  # fmt: skip
        if not row["value"] >= 0:
            raise DataError(
                f"the emission is {row['value']!r}", where=place, expected="a number of 0 or more",
                todo="mend the row; sinks are not territorial emissions",
            )  # fmt: skip
    twice = rows.loc[rows["region"].duplicated(), "region"].tolist()
    if twice:
        raise DataError(
            f"region {twice[0]!r} stands twice in {year}", where=where, expected="one row per region"
        )
    out = rows.set_index("region")
    named = out[next((c for c in ("reference", "source") if c in out), "unit")]
    coverage = out.get("coverage", "")
    found = out.assign(value=out["value"] * out["unit"].map(_UNITS), reference=named, coverage=coverage)
    return found[["value", "year", "reference", "coverage"]]


def national_sums(table: pd.DataFrame, *, rtol: float = 1e-6) -> pd.DataFrame:
    """National figures beside the sums of their regions and remainders.

    Parameters
    ----------
    table : pandas.DataFrame
        With `role` nation, region and remainder, `country` and `year`.
    rtol : float
        How far apart they may be.

    Returns
    -------
    pandas.DataFrame [index: country, year]
        `nation` and `regions` [Mt].

    Raises
    ------
    DataError
        When a region table does not sum to its nation.
    """
    nation = table[table["role"] == "nation"].groupby(["country", "year"])["value"].sum()
    parts = table[table["role"] != "nation"].groupby(["country", "year"])["value"].sum()
    both = nation.to_frame("nation").join(parts.rename("regions"))
    for row in both.reset_index().to_dict("records"):
        country, of_nation, of_parts = row["country"], row["nation"], row["regions"]
        if not abs(of_parts - of_nation) <= rtol * of_nation:
            raise DataError(
                f"the regions of {country} sum to {of_parts:g} in {row['year']}, the nation has {of_nation:g}",
                where="regional emissions", expected="the same, the rest of a nation standing as one row with _X",
                todo=f"correct the row {country}-_X",
            )  # fmt: skip
    return both


def territorial_terms(
    emissions: pd.DataFrame,
    shares: TownShares,
    *,
    draws: int = 10_000,
    rng: np.random.Generator | int = 20260101,
) -> list[Term]:
    """Fossil emissions of each zone, with intervals.

    Parameters
    ----------
    emissions : pandas.DataFrame
        From `regional_emissions`. The remainder of a nation is in no zone.
    shares : TownShares
        From `region_zone_shares`, with all regions that the zones may touch, also those without a figure.
    draws : int
    rng : numpy.random.Generator or int

    Returns
    -------
    list of Term
        Of tier ``proxied``, account ``territorial``, species CO2. `valid_fraction` is the share of the zone's area that
        lies in regions with a figure; the note names the others.

    Notes
    -----
    ``E_zone = sum_r E_r s_r,zone``. In a draw the emission of each region moves by its own relative error and its share
    by an error on the logit scale, ``logit s' = logit s + 0.5 z``, the same for all zones of the region. A region that
    reaches into the zone without a town there adds nothing to the value, and its share by area to the upper bound.
    """
    generator = np.random.default_rng(rng)
    figures = emissions[~emissions.index.str.endswith(REMAINDER)]
    unknown = [r for r in figures.index if r not in shares.share.index]
    if unknown:
        raise DataError(
            f"there are emissions but no polygon for {', '.join(unknown[:5])}", where="territorial emissions",
            expected="regions of the shares", todo="add the polygon, or put the amount into the remainder _X",
        )  # fmt: skip
    regions = sorted(figures.index)
    amount = figures.loc[regions, "value"].to_numpy(dtype="float64")
    cv = np.array([EMISSION_CV.get(r.split("-")[0], max(EMISSION_CV.values())) for r in regions])
    factors = np.maximum(1 + cv[:, None] * generator.standard_normal((len(regions), draws)), 0.0)
    shift = np.exp(PROXY_SD_LOGIT * generator.standard_normal((len(regions), draws)))
    start = str(int(figures["year"].iloc[0])) if len(figures) else ""
    reference = figures.loc[regions, "reference"].astype(str).to_numpy()
    terms = []
    for zone in shares.share.columns:
        share = shares.share.loc[regions, zone].to_numpy(dtype="float64")
        value = float(amount @ share)
        touched = share > 0
        odds = share[touched, None] * shift[touched]
        moved = odds / (odds + 1 - share[touched, None])
        low, high = bounds((amount[touched, None] * factors[touched] * moved).sum(axis=0), value)
        # A region without a town in the zone may still emit there: at most what its area would give.
        high += float(amount[~touched] @ shares.by_area.loc[regions, zone].to_numpy()[~touched])
        covered = shares.area_fraction[zone]
        source = "; ".join(dict.fromkeys(reference[touched])) or "; ".join(dict.fromkeys(reference))
        terms.append(
            Term(
                zone=str(zone), term="fossil_emissions", value=value, lo95=low, hi95=high, unit=UNIT,
                tier=Tier.PROXIED, species=Species.CO2, account=Account.TERRITORIAL,
                components=frozenset({"fossil", "cement"}), period_start=start, period_end=start,
                valid_fraction=min(1.0, float(covered[regions].sum())), confidence="low",
                method=f"regional emissions spread by {shares.proxy}", source=source,
                note=_note(zone, figures.loc[regions], shares),
            )
        )  # fmt: skip
    return terms


def _note(zone: Any, figures: pd.DataFrame, shares: TownShares) -> str:
    """What the number hangs on: regions without a figure, fallbacks, coverage, and what area would have given."""
    covered, share = shares.area_fraction[zone], shares.share.loc[figures.index, zone]
    without = covered[(covered > _NAMED_ABOVE) & ~covered.index.isin(figures.index)]
    parts = []
    if len(without):
        listed = ", ".join(
            f"{r} ({f:.1%} of the area)" for r, f in without.sort_values(ascending=False).items()
        )
        parts.append(f"no figure for {listed}")
    fallen = share.index[shares.fallback[figures.index] & (share > 0)]
    if len(fallen):
        parts.append(f"no weight in {', '.join(fallen)}: split by area")
    empty = share.index[(share == 0) & (shares.by_area.loc[figures.index, zone] > 0)]
    if len(empty):
        parts.append(f"no town in the part of {', '.join(empty)}: from 0 to its share by area")
    inside = figures[share > 0]
    kinds = inside["coverage"].groupby(inside.index.str[:2]).first() if len(inside) else {}
    parts += [f"{country}: {what}" for country, what in kinds.items() if what]
    by_area = float(figures["value"].to_numpy() @ shares.by_area.loc[figures.index, zone].to_numpy())
    return "; ".join([*parts, f"by area instead {by_area:.4g} Tg"])
