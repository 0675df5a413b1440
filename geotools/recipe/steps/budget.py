"""budget.csv: published terms beside areas and stocks of this run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from geotools.carbon import Ledger, Term, published_terms
from geotools.catalog import published_numbers
from geotools.recipe.context import ZONE_ROLES, Context
from geotools.recipe.steps.carbon_terms import closed_terms, natural_terms, territorial_terms
from geotools.recipe.steps.fields import label_of, soil_layers
from geotools.recipe.steps.region_terms import region_terms
from geotools.recipe.steps.segment_terms import segment_terms
from geotools.recipe.steps.tables import write_csv
from geotools.recipe.steps.uncertainty import intervals
from geotools.vocabulary import Species, Tier


def run(context: Context) -> list[Path]:
    """Write the ledger as a long table."""
    path = context.out / "budget.csv"
    write_csv(compute(context).to_frame(), path)
    return [path]


def compute(context: Context) -> Ledger:
    """The ledger of a run: zones, transect segments and the swath as a whole, and the net fluxes at the end."""
    ledger = Ledger()
    for part in (*_COMPUTED, segment_terms, natural_terms, territorial_terms, region_terms):
        for term in part(context):
            ledger.add(term)
    zones = set(context.zones.index)
    for table in (None, *context.recipe.inputs.published):
        for term in published_terms(published_numbers(table)):
            if term.zone in zones:
                ledger.add(term)
    segments = {t.zone for t in ledger.terms() if t.zone.startswith(("segment_", "transect_"))}
    # Regions that stand beside the trade balance only have a natural sink; there is nothing to close.
    for term in closed_terms(ledger, zones=sorted(zones | segments), seed=context.recipe.uncertainty.seed):
        ledger.add(term)
    return ledger


def _areas(context: Context) -> list[Term]:
    zones = context.zones
    sources = zones["source"] if "source" in zones else zones["zone_kind"]
    terms = []
    for zone, area in context.overlap("zones").zone_areas.to_series().items():
        notice = context.inputs[ZONE_ROLES[zones.loc[zone, "zone_kind"]]][1].notice
        terms.append(
            Term(
                zone=str(zone), term="drainage_area" if zones.loc[zone, "zone_kind"] == "basin" else "area",
                value=area / 1e6, unit="km2", tier=Tier.MODELLED, valid_fraction=1.0,
                method="area of the polygon on the WGS84 ellipsoid", source=str(sources[zone]), note=notice,
            )
        )  # fmt: skip
    return terms


def _permafrost(context: Context) -> list[Term]:
    overlap, fields = context.overlap("zones"), context.fields()
    share = overlap.mean(fields["permafrost_probability"])
    by_zone = overlap.area_by_class(fields["permafrost_zone"])
    region = by_zone.sel({"class": [c for c in by_zone["class"].values if c != "none"]}).sum("class") / 1e6
    valid_km2 = overlap.zone_areas * share["valid_fraction"] / 1e6
    bounds = intervals(context, "zone").get("permafrost_probability")
    low, high = (valid_km2 * b for b in bounds) if bounds else (None, None)
    common: dict[str, Any] = {"unit": "km2", "tier": Tier.MODELLED, "source": context.sources}
    by_cell = f"sum of probability times cell area; {label_of(context)}"
    by_region = f"area of cells in any permafrost zone; {label_of(context)}"
    valid = share["valid_fraction"]
    return [
        *_terms(
            context,
            share * valid_km2,
            valid,
            lo95=low,
            hi95=high,
            term="permafrost_area",
            method=by_cell,
            **common,
        ),
        *_terms(
            context,
            region.where(share.notnull()),
            valid,
            term="permafrost_region_area",
            method=by_region,
            **common,
        ),
    ]


def _land_cover(context: Context) -> list[Term]:
    overlap = context.overlap("zones")
    share = overlap.mean(context.fields()["land_cover_fraction"])
    name, entry = context.inputs["land_cover"]
    terms = []
    for cover in share["class"].values:
        part = share.sel({"class": cover})
        area = part * part["valid_fraction"] * overlap.zone_areas / 1e6
        terms += _terms(
            context,
            area.where(area > 0),
            part["valid_fraction"],
            term=f"land_cover_area_{cover}",
            unit="km2",
            tier=entry.tier,
            method="area of the majority class",
            source=name,
            period=entry.period or ("", ""),
        )
    return terms


def _water(context: Context) -> list[Term]:
    fields = context.fields()
    source, entry = context.inputs["climate"]
    snow = fields["snw"].max("time").assign_attrs(fields["snw"].attrs)
    largest = f"total of each cell's largest month; {label_of(context)}"
    rows = (
        (
            "precipitation",
            "annual_precipitation",
            fields["annual_precipitation"],
            "km3 yr-1",
            entry.tier,
            "total of the mean year",
        ),
        ("snow_water_storage_max", "", snow, "km3", Tier.MODELLED, largest),
    )
    overlap, bounds = context.overlap("zones"), intervals(context, "zone")
    terms = []
    for name, drawn, field, unit, tier, method in rows:
        # 1 km3 of water is 1e12 kg.
        total = overlap.total(field) / 1e12
        per_unit = overlap.zone_areas * total["valid_fraction"] / 1e12
        low, high = (per_unit * b for b in bounds[drawn]) if drawn in bounds else (None, None)
        common: dict[str, Any] = {"unit": unit, "tier": tier, "method": method, "source": source}
        terms += _terms(
            context,
            total,
            total["valid_fraction"],
            lo95=low,
            hi95=high,
            term=name,
            species=Species.WATER,
            **common,
        )
    return terms


def _soil_carbon(context: Context) -> list[Term]:
    fields, terms = context.fields(), []
    for name, (source, entry) in soil_layers(context).items():
        total = context.overlap("zones").total(fields[name])
        terms += _terms(
            context, total / 1e12, total["valid_fraction"], term="soil_organic_carbon", unit="Pg", tier=entry.tier,
            method="total of the input", species=Species.C, source=source, components=frozenset({"soil"}),
            depth_top_m=entry.depth_top_m, depth_bottom_m=entry.depth_bottom_m, period=entry.period or ("", ""),
        )  # fmt: skip
    return terms


def _terms(
    context: Context,
    values: xr.DataArray,
    valid: xr.DataArray,
    *,
    lo95: xr.DataArray | None = None,
    hi95: xr.DataArray | None = None,
    period: tuple[str, str] | None = None,
    **common: Any,
) -> list[Term]:
    """One term per zone that has a value."""
    start, end = period or context.period
    terms = []
    for i, zone in enumerate(values["zone"].values):
        value = float(values[i])
        if not np.isfinite(value):
            continue
        if lo95 is not None and hi95 is not None:
            # The central run need not lie inside the band of the draws when the answer is not linear in them.
            common |= {"lo95": min(float(lo95[i]), value), "hi95": max(float(hi95[i]), value)}
        terms.append(
            Term(
                zone=str(zone),
                value=value,
                valid_fraction=float(valid[i]),
                period_start=start,
                period_end=end,
                **common,
            )
        )
    return terms


_COMPUTED = (_areas, _permafrost, _land_cover, _water, _soil_carbon)
