"""Areas and stocks of zones, or of the transect's segments and the whole swath, as ledger terms."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from geotools.carbon import Term
from geotools.recipe.context import ZONE_ROLES, Context, at_once
from geotools.recipe.steps.carbon_terms import SWATH, land_cover_areas, segment_label
from geotools.recipe.steps.fields import label_of, soil_layers
from geotools.recipe.steps.uncertainty import intervals
from geotools.vocabulary import Species, Tier

if TYPE_CHECKING:
    from collections.abc import Sequence

    import xarray as xr
    from numpy.typing import NDArray

    Statistics = dict[str, xr.DataArray]

# The dimension of each kind of target; of segments the swath as a whole is added.
_DIMS = {"zones": "zone", "segments": "segment"}


def area_terms(context: Context, kind: str, found: Statistics | None = None) -> list[Term]:
    """Area, permafrost, land cover, water and soil carbon.

    Parameters
    ----------
    context : Context
        After the steps that write fields and draws.
    kind : {"zones", "segments"}
    found : dict of str to xarray.DataArray, optional
        From `zonal_statistics`; computed here when absent.
    """
    found = zonal_statistics(context, (kind,))[kind] if found is None else found
    outlines = _zone_areas(context) if kind == "zones" else _strip_areas(context)
    parts = (_permafrost, _land_cover, _water, _soil_carbon)
    return [*outlines, *(term for part in parts for term in part(context, kind, found))]


def zonal_statistics(context: Context, kinds: Sequence[str]) -> dict[str, Statistics]:
    """What the ledger takes from the fields, for zones and segments at once: every chunk of the fields is read once.

    Parameters
    ----------
    context : Context
    kinds : sequence of {"zones", "segments"}

    Returns
    -------
    dict of str to dict of str to xarray.DataArray [zone or segment; in memory]
        By kind: the mean `permafrost_probability`, the areas of `permafrost_zone`, the mean `land_cover` shares,
        and the totals `precipitation`, `snow_water_storage_max` and those of soil carbon.
    """
    fields = context.fields()
    snow = fields["snw"].max("time").assign_attrs(fields["snw"].attrs)
    totals = {"precipitation": fields["annual_precipitation"], "snow_water_storage_max": snow}
    totals |= {name: fields[name] for name in soil_layers(context)}
    lazy = {}
    for kind in kinds:
        overlap = context.overlap(kind)
        lazy[kind] = {
            "permafrost_probability": overlap.mean(fields["permafrost_probability"]),
            "permafrost_zone": overlap.area_by_class(fields["permafrost_zone"]),
            "land_cover": overlap.mean(fields["land_cover_fraction"]),
            **{name: overlap.total(field) for name, field in totals.items()},
        }
    found: dict[str, Statistics] = at_once(lazy)[0]
    return found


def _zone_areas(context: Context) -> list[Term]:
    zones = context.zones
    sources = zones["source"] if "source" in zones else zones["zone_kind"]
    terms = []
    for zone, area in context.overlap("zones").zone_areas.to_series().items():
        of = zones.loc[zone, "zone_kind"]
        terms.append(
            Term(
                zone=str(zone),
                term="drainage_area" if of == "basin" else "area",
                value=area / 1e6,
                unit="km2",
                tier=Tier.MODELLED,
                valid_fraction=1.0,
                method="area of the polygon on the WGS84 ellipsoid",
                source=str(sources[zone]),
                note=context.inputs[ZONE_ROLES[of]][1].notice,
            )
        )
    return terms


def _strip_areas(context: Context) -> list[Term]:
    areas = context.overlap("segments").zone_areas / 1e6
    return _terms(
        context,
        "segments",
        areas,
        np.ones(areas.size),
        term="area",
        unit="km2",
        tier=Tier.MODELLED,
        method="area of the strip on the WGS84 ellipsoid",
        source=context.transect.name,
    )


def _permafrost(context: Context, kind: str, found: Statistics) -> list[Term]:
    overlap = context.overlap(kind)
    share, by_zone = found["permafrost_probability"], found["permafrost_zone"]
    region = by_zone.sel({"class": [c for c in by_zone["class"].values if c != "none"]}).sum("class") / 1e6
    valid = share["valid_fraction"].values
    known = overlap.zone_areas.values * valid / 1e6
    common: dict[str, Any] = {
        "unit": "km2",
        "tier": Tier.MODELLED,
        "source": context.sources,
        "period": context.period,
    }
    by_cell = f"sum of probability times cell area; {label_of(context)}"
    by_region = f"area of cells in any permafrost zone; {label_of(context)}"
    low, high = _scaled(context, kind, "permafrost_probability", known)
    region = region.where(share.notnull())
    return [
        *_terms(
            context, kind, share * known, valid, low, high, term="permafrost_area", method=by_cell, **common
        ),
        *_terms(context, kind, region, valid, term="permafrost_region_area", method=by_region, **common),
    ]


def _land_cover(context: Context, kind: str, found: Statistics) -> list[Term]:
    shares = found["land_cover"]
    areas, whole = land_cover_areas(context, kind, shares)
    name, entry = context.inputs["land_cover"]
    meanings = dict(zip(shares["flag_value"].values.astype(int), shares["class"].values, strict=True))
    start, end = entry.period or ("", "")
    return [
        Term(
            zone=str(zone),
            term=f"land_cover_area_{meanings[code]}",
            value=float(area) / 1e6,
            unit="km2",
            tier=entry.tier,
            method="area of the majority class",
            source=name,
            # Shares were stored with 7 digits.
            valid_fraction=min(float(row.sum() / whole[str(zone)]), 1.0),
            period_start=start,
            period_end=end,
        )
        for zone, row in areas.iterrows()
        for code, area in row.items()
        if area > 0
    ]


def _water(context: Context, kind: str, found: Statistics) -> list[Term]:
    overlap = context.overlap(kind)
    source, entry = context.inputs["climate"]
    largest = f"total of each cell's largest month; {label_of(context)}"
    rows = (
        ("precipitation", "annual_precipitation", "km3 yr-1", entry.tier, "total of the mean year"),
        ("snow_water_storage_max", "", "km3", Tier.MODELLED, largest),
    )
    terms = []
    for name, drawn, unit, tier, method in rows:
        # 1 km3 of water is 1e12 kg.
        total = found[name] / 1e12
        valid = total["valid_fraction"].values
        low, high = _scaled(context, kind, drawn, overlap.zone_areas.values * valid / 1e12)
        common: dict[str, Any] = {"unit": unit, "tier": tier, "method": method, "source": source}
        terms += _terms(
            context,
            kind,
            total,
            valid,
            low,
            high,
            term=name,
            species=Species.WATER,
            period=context.period,
            **common,
        )
    return terms


def _soil_carbon(context: Context, kind: str, found: Statistics) -> list[Term]:
    terms = []
    for name, (source, entry) in soil_layers(context).items():
        total = found[name] / 1e12
        terms += _terms(
            context,
            kind,
            total,
            total["valid_fraction"].values,
            term="soil_organic_carbon",
            unit="Pg",
            tier=entry.tier,
            method="total of the input",
            species=Species.C,
            source=source,
            components=frozenset({"soil"}),
            depth_top_m=entry.depth_top_m,
            depth_bottom_m=entry.depth_bottom_m,
            period=entry.period or ("", ""),
        )
    return terms


def _scaled(
    context: Context, kind: str, name: str, factor: NDArray[np.float64]
) -> tuple[NDArray[np.float64] | None, NDArray[np.float64] | None]:
    """Bounds of the mean of a drawn variable as bounds of its total, where it was drawn."""
    found = intervals(context, _DIMS[kind]).get(name)
    return (found[0] * factor, found[1] * factor) if found else (None, None)


def _terms(
    context: Context,
    kind: str,
    values: xr.DataArray,
    valid: NDArray[np.float64],
    low: NDArray[np.float64] | None = None,
    high: NDArray[np.float64] | None = None,
    *,
    period: tuple[str, str] = ("", ""),
    **common: Any,
) -> list[Term]:
    """One term per target that has a value, and of segments their sum over the swath."""
    overlap = context.overlap(kind)
    labels = [str(z) for z in overlap.zone_areas[_DIMS[kind]].values]
    numbers = np.asarray(values.values, dtype="float64")
    if kind == "segments":
        labels = [segment_label(int(n)) for n in labels]
        there = np.isfinite(numbers)
        if there.any():
            areas = overlap.zone_areas.values
            labels, numbers = [*labels, SWATH], np.append(numbers, numbers[there].sum())
            valid = np.append(valid, (valid * areas).sum() / areas.sum())
            if low is not None and high is not None:
                # A draw moves every cell alike, so that the bounds of the swath are the sums of those of its parts.
                low, high = np.append(low, np.nansum(low)), np.append(high, np.nansum(high))
    terms = []
    for i in np.flatnonzero(np.isfinite(numbers)):
        bounds: dict[str, Any] = {}
        if low is not None and high is not None and np.isfinite(low[i]) and np.isfinite(high[i]):
            # The central run need not lie inside the band of the draws when the answer is not linear in them.
            bounds = {"lo95": min(float(low[i]), numbers[i]), "hi95": max(float(high[i]), numbers[i])}
        terms.append(
            Term(
                zone=labels[i],
                value=float(numbers[i]),
                valid_fraction=float(valid[i]),
                period_start=period[0],
                period_end=period[1],
                **bounds,
                **common,
            )
        )
    return terms
