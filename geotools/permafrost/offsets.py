"""How far in the mean of the year the ground surface departs from the air, and the top of permafrost from it."""

from __future__ import annotations

from typing import Any

from geotools.face import face
from geotools.guards import ensure_celsius
from geotools.metadata import Variable

SURFACE_OFFSET = Variable(
    "surface_offset", "K", "mean annual temperature of the ground surface above that of the air"
)
THERMAL_OFFSET = Variable(
    "thermal_offset",
    "K",
    "mean annual temperature at the top of permafrost above that of the ground surface",
)


@face({"ground_surface_temperature": "degC", "air_temperature": "degC"}, SURFACE_OFFSET)
def surface_offset(ground_surface_temperature: Any, air_temperature: Any) -> Any:
    """How much warmer the ground surface is than the air in the mean of the year.

    Parameters
    ----------
    ground_surface_temperature : float, array or xarray.DataArray [any dims; degC]
        Mean annual ground-surface temperature (MAGST).
    air_temperature : float, array or xarray.DataArray [any dims; degC]
        Mean annual air temperature (MAAT).

    Returns
    -------
    float, array or xarray.DataArray [any dims; K]
        MAGST - MAAT, mostly 1 to 8 K below snow.

    Raises
    ------
    UnitsError
        When a temperature is above 100.

    References
    ----------
    Smith, M. W., & Riseborough, D. W. (2002). Permafrost Periglac. Process. 13, 1-15. doi:10.1002/ppp.410

    Examples
    --------
    >>> surface_offset(-3.5, -9.0)
    5.5
    """
    ensure_celsius("ground_surface_temperature", ground_surface_temperature)
    ensure_celsius("air_temperature", air_temperature)
    return ground_surface_temperature - air_temperature


@face({"magt": "degC", "ground_surface_temperature": "degC"}, THERMAL_OFFSET)
def thermal_offset(magt: Any, ground_surface_temperature: Any) -> Any:
    """How much warmer the top of permafrost is than the ground surface in the mean of the year.

    Parameters
    ----------
    magt : float, array or xarray.DataArray [any dims; degC]
        Mean annual temperature at the top of permafrost (TTOP), or at the base of seasonal frost: not at another
        depth, where the geothermal gradient or past climates are in it.
    ground_surface_temperature : float, array or xarray.DataArray [any dims; degC]
        Mean annual ground-surface temperature (MAGST).

    Returns
    -------
    float, array or xarray.DataArray [any dims; K]
        TTOP - MAGST: negative where frozen ground conducts better than thawed, down to -2 K in wet peat.

    Raises
    ------
    UnitsError
        When a temperature is above 100.

    References
    ----------
    Smith, M. W., & Riseborough, D. W. (2002). Permafrost Periglac. Process. 13, 1-15. doi:10.1002/ppp.410

    Examples
    --------
    >>> thermal_offset(-4.25, -3.5)
    -0.75
    """
    ensure_celsius("magt", magt)
    ensure_celsius("ground_surface_temperature", ground_surface_temperature)
    return magt - ground_surface_temperature
