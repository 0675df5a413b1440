"""budget.csv: the ledger of a run as a long table."""

from __future__ import annotations

from pathlib import Path

from geotools.carbon import Ledger, published_terms
from geotools.catalog import published_numbers
from geotools.recipe.context import Context
from geotools.recipe.steps.area_terms import area_terms, zonal_statistics
from geotools.recipe.steps.carbon_terms import closed_terms, natural_terms, territorial_terms
from geotools.recipe.steps.region_terms import region_terms
from geotools.recipe.steps.tables import write_csv


def run(context: Context) -> list[Path]:
    """Write the ledger as a long table."""
    path = context.out / "budget.csv"
    write_csv(compute(context).to_frame(), path)
    return [path]


def compute(context: Context) -> Ledger:
    """The ledger of a run: zones, transect segments and the swath as a whole, and the net fluxes at the end."""
    kinds = ("zones", "segments")
    found = zonal_statistics(context, kinds)
    ledger = Ledger([term for kind in kinds for term in area_terms(context, kind, found[kind])])
    segments = {t.zone for t in ledger.terms()} - set(context.zones.index)
    natural = natural_terms(context, shares={kind: found[kind]["land_cover"] for kind in kinds})
    for term in (*natural, *territorial_terms(context), *region_terms(context)):
        ledger.add(term)
    for table in (None, *context.recipe.inputs.published):
        for term in published_terms(published_numbers(table)):
            if term.zone in context.zones.index:
                ledger.add(term)
    # Regions that stand beside the trade balance only have a natural sink; there is nothing to close.
    closed = sorted(segments | set(context.zones.index))
    for term in closed_terms(ledger, zones=closed, seed=context.recipe.uncertainty.seed):
        ledger.add(term)
    return ledger
