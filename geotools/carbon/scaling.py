"""Totals from areas of land cover and flux densities."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from geotools.carbon.draws import bounds, two_piece
from geotools.carbon.term import Term
from geotools.errors import DataError
from geotools.units import conversion, times_area
from geotools.vocabulary import Account, Species, Tier

if TYPE_CHECKING:
    import pandas as pd

UNIT = "Tg yr-1"
# What the areas of a majority land-cover map mean. They are neither wetlands nor lakes.
IGBP_BASIS = "igbp_majority_class"


def scale_flux_density(
    areas: pd.DataFrame,
    densities: pd.DataFrame,
    *,
    zone_areas: pd.Series,
    draws: int = 10_000,
    rng: np.random.Generator | int = 20260101,
    area_basis: str = IGBP_BASIS,
    area_source: str = "",
    period: tuple[str, str] = ("", ""),
) -> list[Term]:
    """Totals per zone of flux densities over the areas of their land-cover classes.

    Parameters
    ----------
    areas : pandas.DataFrame [zone x class code; m2]
    densities : pandas.DataFrame
        With the columns of the bundled table; see docs/carbon_budget.md.
    zone_areas : pandas.Series [zone; m2]
        Whole areas, for the share that was scaled.
    draws : int
    rng : numpy.random.Generator or int
        Generator, or its seed.
    area_basis : str
        What the areas mean. A density for areas of another meaning is refused.
    area_source : str
        Name of the land-cover map.
    period : (str, str)
        Period of the areas.

    Returns
    -------
    list of Term
        One per zone and term, of tier ``scaled``. `valid_fraction` is the share of the zone that has a density.

    Raises
    ------
    DataError
        When a class has two densities of the same term, an area is negative, the classes cover more than the zone, or
        a density is for areas that mean something else, as those of methane from wetlands are.

    Notes
    -----
    ``F_zone = sum_g A_zone,g f_g``. What is unknown about a density is the same everywhere, so it is drawn once for
    all cells and zones (correlation 1 inside a group, 0 between groups). Averaging it away cell by cell would make the
    interval far too narrow; see `spatial_sd`.
    """
    generator = np.random.default_rng(rng)
    if not (areas.to_numpy() >= 0).all():
        raise DataError(
            "areas of land cover are negative or missing", where="scale_flux_density", expected="0 m2 or more",
            todo="fill classes that do not occur with 0",
        )  # fmt: skip
    covered = (areas.sum(axis=1) / zone_areas.reindex(areas.index)).fillna(np.inf)
    # Shares of cells come as 32-bit numbers, which add up to 1 within some 1e-7 only.
    if not (covered <= 1 + 1e-4).all():
        raise DataError(
            f"the classes of zone {covered.idxmax()!r} cover {covered.max():.4g} times its area",
            where="scale_flux_density", expected="at most the area of the zone", todo="check the units of both, m2",
        )  # fmt: skip
    _check(densities, area_basis)
    terms: list[Term] = []
    # In order of their names, so that the order of the rows changes nothing.
    for (name, species), rows in densities.groupby(["term", "species"], sort=True):
        ordered = rows.sort_values("group", kind="stable").to_dict("records")
        seen: dict[int, Any] = {}
        for row in ordered:
            for code in codes_of(row):
                if code in seen:
                    raise DataError(
                        f"class {code} has two densities of {name!r}: {seen[code]!r} and {row['group']!r}",
                        where="scale_flux_density", expected="one density per class", todo="choose one of them",
                    )  # fmt: skip
                seen[code] = row["group"]
        scales = [conversion(times_area(str(row["unit"])), UNIT)[0] for row in ordered]
        z = generator.standard_normal((len(ordered), draws))
        drawn = np.array(
            [
                two_piece(r["value"], r["lo95"], r["hi95"], z[i], positive=r["lo95"] >= 0) * scales[i]
                for i, r in enumerate(ordered)
            ]
        )
        best = np.array([r["value"] * s for r, s in zip(ordered, scales, strict=True)])
        area = np.column_stack([_area(areas, codes_of(row)) for row in ordered])
        for i, zone in enumerate(areas.index):
            if not areas.iloc[i].to_numpy().any():
                continue
            value = float(area[i] @ best)
            low, high = bounds(area[i] @ drawn, value)
            terms.append(
                Term(
                    zone=str(zone), term=str(name), value=value, lo95=low, hi95=high, unit=UNIT, tier=Tier.SCALED,
                    species=Species(str(species)), account=Account(ordered[0]["account"]),
                    components=frozenset(str(ordered[0]["components"]).split("+")),
                    valid_fraction=min(1.0, float(area[i].sum() / zone_areas[zone])),
                    method="areas of land cover times flux densities, errors alike inside a class",
                    source="; ".join([*([area_source] if area_source else []), "flux densities by land cover"]),
                    period_start=period[0], period_end=period[1], confidence="low",
                    note=_note(ordered, area[i], best),
                )
            )  # fmt: skip
    return terms


def codes_of(row: dict[Any, Any]) -> list[int]:
    """The class codes of a density."""
    return [int(code) for code in str(row["igbp_classes"]).split("+")]


def _area(areas: pd.DataFrame, codes: list[int]) -> NDArray[np.float64]:
    there = [c for c in codes if c in areas.columns]
    return np.asarray(areas[there].to_numpy(dtype="float64").sum(axis=1))


def _note(rows: list[dict[Any, Any]], area: Any, best: Any) -> str:
    """The parts that make up the total, largest first."""
    parts = sorted(zip(rows, area * best, strict=True), key=lambda p: -abs(p[1]))
    return "; ".join(f"{row['group']} {part:.3g} Tg" for row, part in parts if part != 0)


def _check(densities: pd.DataFrame, area_basis: str) -> None:
    for row in densities.to_dict("records"):
        where = f"flux density of {row['group']!r} ({row['reference']})"
        if row["area_basis"] != area_basis:
            raise DataError(
                f"it is for areas that mean {row['area_basis']!r} and would be multiplied by {area_basis!r}",
                where=where, expected="areas that mean what the density means",
                todo="pass the areas it is for, with area_basis=; land-cover classes are neither wetlands nor lakes",
            )  # fmt: skip
        numbers = [row["value"], row["lo95"], row["hi95"]]
        if any(math.isnan(n) for n in numbers) or not row["lo95"] <= row["value"] <= row["hi95"]:
            raise DataError(
                f"value and interval are {numbers}", where=where, expected="lo95 <= value <= hi95, none missing",
                todo="give a wide interval rather than none",
            )  # fmt: skip
        if Species(str(row["species"])) is Species.CH4_C and area_basis == IGBP_BASIS:
            raise DataError(
                "methane would be scaled with classes of a land-cover map", where=where,
                expected="a map of wetlands and lakes; class 11 misses most of them",
                todo="pass the areas of such a map with area_basis=",
            )  # fmt: skip
