"""Carbon terms of a run: natural fluxes scaled from land cover, territorial emissions, and closed budgets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from geotools.carbon import Ledger, Term, scale_flux_density
from geotools.recipe.context import Context

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

SWATH = "transect_swath"
# Zones made of others, and basins whose river leaves through the mouth of another.
JOINT = {"lena_amur": ("lena", "amur")}
MOUTHS = {"amur_with_kherlen": "amur"}
_DRAWS = 10_000


def segment_label(number: int) -> str:
    """The zone key of a transect segment."""
    return f"segment_{number:03d}"


def natural_terms(
    context: Context,
    densities: pd.DataFrame | None = None,
    shares: Mapping[str, xr.DataArray] | None = None,
) -> list[Term]:
    """Fluxes scaled from the areas of land cover: zones, transect segments and the whole swath.

    Parameters
    ----------
    context : Context
        After the step that writes the fields.
    densities : pandas.DataFrame, optional
        Flux densities; the bundled ones when absent.
    shares : mapping of str to xarray.DataArray, optional
        Mean shares of land cover of the zones and of the segments; computed here when absent.
    """
    from geotools.catalog.densities import flux_densities

    name, entry = context.inputs["land_cover"]
    table = flux_densities() if densities is None else densities
    terms: list[Term] = []
    for kind in ("zones", "segments"):
        areas, whole = land_cover_areas(context, kind, shares[kind] if shares else None)
        terms += scale_flux_density(
            areas, table, zone_areas=whole, draws=_DRAWS, rng=context.recipe.uncertainty.seed, area_source=name,
            period=entry.period or ("", ""),
        )  # fmt: skip
    return terms


def territorial_terms(context: Context, emissions: pd.DataFrame | None = None) -> list[Term]:
    """Fossil emissions of the regions spread by the population of towns: zones, segments and the whole swath.

    Parameters
    ----------
    context : Context
    emissions : pandas.DataFrame, optional
        Regional emissions as a table; the bundled one when absent.
    """
    import geopandas as gpd
    import pandas as pd

    from geotools.carbon import region_zone_shares
    from geotools.carbon import territorial_terms as of_zones
    from geotools.catalog import admin_regions, towns

    segments = context.transect.segments
    labels = [segment_label(int(n)) for n in segments.index]
    polygons = gpd.GeoDataFrame(
        geometry=pd.concat([context.zones.geometry, segments.set_axis(labels).to_crs(4326).geometry])
    )
    areas = context.overlap("segments").zone_areas.values
    shares = region_zone_shares(admin_regions(), polygons.rename_axis("zone"), towns())
    return of_zones(
        recent_emissions(emissions), shares.with_whole(SWATH, labels, list(areas)), draws=_DRAWS,
        rng=context.recipe.uncertainty.seed,
    )  # fmt: skip


def territorial_field(context: Context, emissions: pd.DataFrame | None = None) -> xr.Dataset:
    """Fossil emissions of the regions on the joint grid.

    Parameters
    ----------
    context : Context
    emissions : pandas.DataFrame, optional
        Regional emissions as a table; the bundled one when absent.

    Returns
    -------
    xarray.Dataset
        `emissions` [lat, lon; Tg yr-1 of CO2 per cell], `outside` [region] and `fallback` [region].
    """
    from geotools.carbon import spread_to_cells
    from geotools.carbon.territorial import REMAINDER
    from geotools.catalog import admin_regions, towns

    values = recent_emissions(emissions)["value"]
    values = values[~values.index.str.endswith(REMAINDER)]
    return spread_to_cells(values, admin_regions(), context.grid, towns())


def recent_emissions(emissions: pd.DataFrame | None = None) -> pd.DataFrame:
    """Emissions of regions and remainders in the latest year that all have; the bundled table when absent."""
    from geotools.carbon import national_sums, regional_emissions
    from geotools.catalog import data_dir
    from geotools.catalog.readers import table

    if emissions is None:
        emissions = table.read(data_dir() / "trade" / "regional_emissions.csv", key=("region", "year"))
    if {"role", "country"} <= set(emissions.columns):
        national_sums(emissions)
    return regional_emissions(emissions)


def closed_terms(
    ledger: Ledger, *, zones: Sequence[str] | None = None, prefer: Sequence[str] = (), seed: int = 20260101
) -> list[Term]:
    """Net fluxes of all zones of a ledger, the joint basin from its parts.

    Parameters
    ----------
    ledger : Ledger
        With natural, lateral and territorial rows.
    zones : sequence of str, optional
        All when absent.
    prefer : sequence of str
        Sources to take before others.
    seed : int
    """
    there = {t.zone for t in ledger.terms()}
    joint = {whole: parts for whole, parts in JOINT.items() if {whole, *parts} <= there}
    mouths = {zone: mouth for zone, mouth in MOUTHS.items() if {zone, mouth} <= there}
    closed = ledger.close(zones=zones, prefer=prefer, joint=joint, mouths=mouths, draws=_DRAWS, seed=seed)
    return list(closed.rows)


def land_cover_areas(
    context: Context, kind: str, share: xr.DataArray | None = None
) -> tuple[pd.DataFrame, pd.Series]:
    """Area of each land-cover class by zone, or by segment with the swath as the last row [m2], and whole areas.

    Parameters
    ----------
    context : Context
    kind : {"zones", "segments"}
    share : xarray.DataArray [class, zone or segment; 1], optional
        Mean shares of land cover; computed here when absent.

    Returns
    -------
    (pandas.DataFrame, pandas.Series) [zone x class code; m2], [zone; m2]
    """
    import pandas as pd

    overlap = context.overlap(kind)
    if share is None:
        share = overlap.mean(context.fields()["land_cover_fraction"]).compute()
    share = share.transpose("class", ...)
    codes = share["flag_value"].values.astype(int)
    valid = share["valid_fraction"].transpose(..., overlap.zone_areas.dims[0]).values
    area = np.nan_to_num(share.values) * valid * overlap.zone_areas.values
    labels = [str(z) for z in overlap.zone_areas[overlap.zone_areas.dims[0]].values]
    if kind == "segments":
        labels = [segment_label(int(n)) for n in labels]
    areas = pd.DataFrame(area.T, index=labels, columns=codes)
    whole = pd.Series(overlap.zone_areas.values, index=labels)
    if kind == "segments":
        areas.loc[SWATH], whole.loc[SWATH] = areas.sum(), whole.sum()
    return areas, whole
