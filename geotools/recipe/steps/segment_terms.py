"""Areas and stocks of the transect's segments and of its whole swath as ledger terms."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from geotools.carbon import Term
from geotools.recipe.context import Context
from geotools.recipe.steps.carbon_terms import SWATH, land_cover_areas, segment_label
from geotools.recipe.steps.fields import label_of, soil_layers
from geotools.recipe.steps.uncertainty import intervals
from geotools.vocabulary import Species, Tier

if TYPE_CHECKING:
    from numpy.typing import NDArray


def segment_terms(context: Context) -> list[Term]:
    """Area, permafrost area, land cover and soil carbon of each segment and of the swath.

    Fluxes come from `natural_terms` and `territorial_terms`, which hold the segments as well.
    """
    return [*_areas(context), *_permafrost(context), *_land_cover(context), *_soil_carbon(context)]


def _areas(context: Context) -> list[Term]:
    areas = context.overlap("segments").zone_areas.values / 1e6
    return _terms(
        context, areas, np.ones(areas.size), term="area", unit="km2", tier=Tier.MODELLED,
        method="area of the strip on the WGS84 ellipsoid", source=context.transect.name,
    )  # fmt: skip


def _permafrost(context: Context) -> list[Term]:
    overlap = context.overlap("segments")
    share = overlap.mean(context.fields()["permafrost_probability"])
    valid = share["valid_fraction"].values
    known = overlap.zone_areas.values * valid / 1e6
    found = intervals(context, "segment").get("permafrost_probability")
    # A draw moves every cell the same way, so that the bounds of the swath are the sums of those of its segments.
    low, high = (known * b for b in found) if found else (None, None)
    return _terms(
        context, share.values * known, valid, low, high, term="permafrost_area", unit="km2", tier=Tier.MODELLED,
        method=f"sum of probability times cell area; {label_of(context)}", source=context.sources,
        period=context.period,
    )  # fmt: skip


def _land_cover(context: Context) -> list[Term]:
    areas, whole = land_cover_areas(context, "segments")
    name, entry = context.inputs["land_cover"]
    fractions = context.fields()["land_cover_fraction"]
    meanings = dict(zip(fractions["flag_value"].values.astype(int), fractions["class"].values, strict=True))
    period = entry.period or ("", "")
    return [
        Term(
            zone=str(zone), term=f"land_cover_area_{meanings[code]}", value=float(area) / 1e6, unit="km2",
            tier=entry.tier, method="area of the majority class", source=name,
            valid_fraction=min(1.0, float(row.sum() / whole[str(zone)])), period_start=period[0], period_end=period[1],
        )
        for zone, row in areas.iterrows()
        for code, area in row.items()
        if area > 0
    ]  # fmt: skip


def _soil_carbon(context: Context) -> list[Term]:
    fields, terms = context.fields(), []
    for name, (source, entry) in soil_layers(context).items():
        total = context.overlap("segments").total(fields[name])
        terms += _terms(
            context, total.values / 1e12, total["valid_fraction"].values, term="soil_organic_carbon", unit="Pg",
            tier=entry.tier, method="total of the input", species=Species.C, source=source,
            components=frozenset({"soil"}), depth_top_m=entry.depth_top_m, depth_bottom_m=entry.depth_bottom_m,
            period=entry.period or ("", ""),
        )  # fmt: skip
    return terms


def _terms(
    context: Context,
    values: NDArray[np.float64],
    valid: NDArray[np.float64],
    low: NDArray[np.float64] | None = None,
    high: NDArray[np.float64] | None = None,
    *,
    period: tuple[str, str] = ("", ""),
    **common: Any,
) -> list[Term]:
    """One term per segment with a value, and their sum over the swath."""
    areas = context.overlap("segments").zone_areas.values
    there = np.isfinite(values)
    labels = [segment_label(int(n)) for n in context.transect.segments.index]
    if there.any():
        labels, values, there = (
            [*labels, SWATH],
            np.append(values, values[there].sum()),
            np.append(there, True),
        )
        valid = np.append(valid, (valid * areas).sum() / areas.sum())
        if low is not None and high is not None:
            low, high = np.append(low, np.nansum(low)), np.append(high, np.nansum(high))
    terms = []
    for i in np.flatnonzero(there):
        bounds: dict[str, Any] = {}
        if low is not None and high is not None and np.isfinite(low[i]) and np.isfinite(high[i]):
            # The central run need not lie inside the band of the draws when the answer is not linear in them.
            bounds = {
                "lo95": min(float(low[i]), float(values[i])),
                "hi95": max(float(high[i]), float(values[i])),
            }
        terms.append(
            Term(
                zone=labels[i], value=float(values[i]), valid_fraction=float(valid[i]), period_start=period[0],
                period_end=period[1], **bounds, **common,
            )
        )  # fmt: skip
    return terms
