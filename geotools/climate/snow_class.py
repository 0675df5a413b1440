"""Taiga or tundra snow, told by the warmest month."""

from __future__ import annotations

from typing import Any

import numpy as np

from geotools.errors import UsageError
from geotools.face import face
from geotools.guards import ensure_celsius, ensure_range
from geotools.metadata import Variable

# Mean temperature of the warmest month: all tundra below, all taiga above.
ALL_TUNDRA_BELOW, ALL_TAIGA_ABOVE = 8.0, 12.0
TREE_LINE_SOURCE = (
    "10 degC in the warmest month is the limit of trees in Koeppen's system; 2 K to either side by choice"
)
TAIGA_DENSITY, TUNDRA_DENSITY = 194.0, 300.0
TAIGA_DENSITY_SOURCE = (
    "kg m-3, mean of the former USSR, taiga being the lightest: "
    "Zhong et al. (2014), doi:10.5194/tc-8-785-2014"
)
TUNDRA_DENSITY_SOURCE = "kg m-3, wind-packed, 243 to 363: Sturm et al. (2010), doi:10.1175/2010JHM1202.1"

TUNDRA_SHARE = Variable(
    "tundra_snow_share", "1", "share of tundra snow, the rest being taiga snow", valid=(0.0, 1.0)
)
DENSITY = Variable(
    "snow_density", "kg m-3", "bulk density of the snow cover, by snow class", valid=(50.0, 917.0)
)


@face({"warmest_month": "degC"}, TUNDRA_SHARE)
def tundra_snow_share(
    warmest_month: Any,
    *,
    all_tundra_below: float = ALL_TUNDRA_BELOW,
    all_taiga_above: float = ALL_TAIGA_ABOVE,
) -> Any:
    """Share of wind-packed tundra snow, falling from 1 to 0 about the tree line.

    Parameters
    ----------
    warmest_month : float, array or xarray.DataArray [any dims; degC]
        Mean temperature of the warmest month.
    all_tundra_below, all_taiga_above : float [degC]

    Returns
    -------
    float, array or xarray.DataArray [1]

    Raises
    ------
    UnitsError
        When a temperature is above 100.
    UsageError
        When `all_taiga_above` is not above `all_tundra_below`.

    Notes
    -----
    Snow classes follow wind, which follows trees (Sturm et al. 1995). Land-cover maps call much of the tundra
    grassland, so that the climate tells it better.

    References
    ----------
    Sturm, M., Holmgren, J., & Liston, G. E. (1995). J. Clim. 8, 1261-1283.
    doi:10.1175/1520-0442(1995)008<1261:ASSCCS>2.0.CO;2

    Examples
    --------
    >>> tundra_snow_share(7.0), tundra_snow_share(10.0), tundra_snow_share(19.0)
    (1.0, 0.5, 0.0)
    """
    ensure_celsius("warmest_month", warmest_month)
    if not all_taiga_above > all_tundra_below:
        raise UsageError(
            "all_taiga_above is not above all_tundra_below", expected="two different temperatures"
        )
    return np.clip((all_taiga_above - warmest_month) / (all_taiga_above - all_tundra_below), 0.0, 1.0)


@face({"tundra_share": "1"}, DENSITY)
def snow_density(
    tundra_share: Any, *, taiga_density: float = TAIGA_DENSITY, tundra_density: float = TUNDRA_DENSITY
) -> Any:
    """Bulk density of the snow cover, mixed from both classes.

    Parameters
    ----------
    tundra_share : float, array or xarray.DataArray [any dims; 1]
        From `tundra_snow_share`.
    taiga_density, tundra_density : float [kg m-3]
        `TAIGA_DENSITY_SOURCE`, `TUNDRA_DENSITY_SOURCE`.

    Returns
    -------
    float, array or xarray.DataArray [kg m-3]

    Raises
    ------
    DataError
        When a share lies outside 0 to 1.

    Examples
    --------
    >>> snow_density(0.0), snow_density(0.5)
    (194.0, 247.0)
    """
    ensure_range("tundra_share", tundra_share, 0.0, 1.0, "1", todo="divide percentages by 100")
    return taiga_density + tundra_share * (tundra_density - taiga_density)
