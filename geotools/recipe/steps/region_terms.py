"""The natural fluxes of the regions that trade, which stand beside their embodied emissions."""

from __future__ import annotations

import numpy as np

from geotools.carbon import Term, scale_flux_density
from geotools.recipe.context import Context
from geotools.recipe.steps.carbon_terms import recent_emissions


def region_terms(context: Context) -> list[Term]:
    """Natural fluxes of every region with a trade balance, scaled from land cover.

    A region may reach beyond the land-cover map; `valid_fraction` then says how much of it was scaled.
    """
    import pandas as pd

    from geotools.catalog.densities import flux_densities
    from geotools.space import Overlap

    frame = context.open("regions")
    named = [r for r in recent_emissions().index if r in frame.index and r not in context.zones.index]
    regions = frame.loc[named].rename_axis("region")
    cover = context.open_raster("land_cover", ("land_cover",))["land_cover"]
    overlap = Overlap.between(regions, cover)
    area = overlap.area_by_class(cover).transpose("region", "class").compute()
    name, entry = context.inputs["land_cover"]
    codes = area["flag_value"].values.astype(int)
    return scale_flux_density(
        pd.DataFrame(np.nan_to_num(area.values), index=regions.index, columns=codes),
        flux_densities(),
        zone_areas=overlap.zone_areas.to_series(),
        rng=context.recipe.uncertainty.seed,
        area_source=name,
        period=entry.period or ("", ""),
    )
