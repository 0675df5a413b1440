"""Air, surface and Stefan frost numbers of Nelson and Outcalt, and their zones."""

from __future__ import annotations

from typing import Any

import numpy as np

from geotools.errors import DataError
from geotools.face import face
from geotools.guards import Array, ensure_celsius, ensure_degree_days, ensure_range
from geotools.metadata import VARIABLES, Variable, flag_attrs
from geotools.permafrost.snow_conductivity import damping

STEFAN_FROST_NUMBER = Variable("stefan_frost_number", "1", "Stefan frost number of Nelson and Outcalt")
ZONE = Variable("nelson_outcalt_zone", "1", "permafrost zone by frost number", "", "area: mode")
# Lower limits of sporadic, extensive discontinuous and continuous permafrost, Nelson and Outcalt (1987).
LIMITS = (0.500, 0.600, 0.666)
MEANINGS = {0: "none", 1: "sporadic", 2: "extensive discontinuous", 3: "continuous"}
MISSING = -1


@face({"ddf": "K d", "ddt": "K d"}, "air_frost_number")
def frost_number(ddf: Any, ddt: Any) -> Any:
    r"""Frost number: the share of freezing in the year, between 0 and 1.

    Parameters
    ----------
    ddf, ddt : float, array or xarray.DataArray [any dims; K d]
        Freezing and thawing degree-days, both positive; of the air for the air frost number, of the ground
        surface for the surface frost number.

    Returns
    -------
    float, array or xarray.DataArray [1]
        NaN where both are 0.

    Raises
    ------
    DataError
        When degree-days are negative.

    Notes
    -----
    .. math:: F = \sqrt{DDF} / (\sqrt{DDF} + \sqrt{DDT})

    References
    ----------
    Nelson, F. E., & Outcalt, S. I. (1987). Arct. Alp. Res. 19, 279-288. doi:10.2307/1551363

    Examples
    --------
    >>> round(frost_number(5008.05, 1986.20), 6)
    0.613586
    """
    ensure_degree_days("ddf", ddf)
    ensure_degree_days("ddt", ddt)
    return _ratio(np.sqrt(ddf), np.sqrt(ddt))


def _ratio(freezing: Array, thawing: Array) -> Array:
    total = freezing + thawing
    return np.where(total > 0.0, freezing / np.where(total > 0.0, total, 1.0), np.nan)


@face(
    {"warmest_month": "degC", "coldest_month": "degC"},
    (VARIABLES["thawing_degree_days"], VARIABLES["freezing_degree_days"]),
)
def nelson_outcalt_degree_days(warmest_month: Any, coldest_month: Any, *, period_days: float = 365.0) -> Any:
    r"""Degree-days of a year whose temperature is a sinusoid through the warmest and the coldest month.

    Parameters
    ----------
    warmest_month, coldest_month : float, array or xarray.DataArray [any dims; degC]
        Means of the two months.
    period_days : float
        Length of the year [d]; 365 in the original.

    Returns
    -------
    (thawing, freezing) or xarray.Dataset [any dims; K d]
        Both are positive.

    Raises
    ------
    UnitsError
        When a temperature is above 100.
    DataError
        When the warmest month is colder than the coldest.

    Notes
    -----
    With T = (T_h + T_c)/2, A = (T_h - T_c)/2 and beta = arccos(-T/A), the mean temperatures and lengths of
    summer and winter are

    .. math:: T_s = T + A \sin\beta/\beta,\ T_w = T - A \sin\beta/(\pi-\beta),\
              L_s = P \beta/\pi,\ L_w = P - L_s

    and DDT = T_s L_s, DDF = -T_w L_w. Where T >= A there is no winter, where T <= -A no summer.

    References
    ----------
    Nelson, F. E., & Outcalt, S. I. (1987). Arct. Alp. Res. 19, 279-288. doi:10.2307/1551363

    Examples
    --------
    >>> thawing, freezing = nelson_outcalt_degree_days(10.0, -20.0)
    >>> round(thawing, 4), round(freezing, 4)
    (927.9938, 2752.9938)
    """
    thawing, freezing = seasons(warmest_month, coldest_month, np.ones(()), period_days)
    return thawing, freezing


def seasons(
    warmest: Array, coldest: Array, amplitude_ratio: Array, period_days: float
) -> tuple[Array, Array]:
    """DDT of the air and DDF below a cover that damps the amplitude, from two monthly means."""
    ensure_celsius("warmest_month", warmest)
    ensure_celsius("coldest_month", coldest)
    if np.any(warmest < coldest):
        raise DataError(
            f"the warmest month is colder than the coldest in {int((warmest < coldest).sum())} places",
            where="arguments 'warmest_month' and 'coldest_month'",
            expected="the warmer one first",
        )
    mean, amplitude = 0.5 * (warmest + coldest), 0.5 * (warmest - coldest)
    bounded = np.maximum(amplitude, np.abs(mean))
    beta = np.arccos(-mean / np.where(bounded > 0.0, bounded, 1.0))
    # numpy.sinc(x) is sin(pi x)/(pi x), and 1 at 0: no division by zero where a season vanishes.
    summer = mean + amplitude * np.sinc(beta / np.pi)
    winter = mean - amplitude * amplitude_ratio * np.sinc(1.0 - beta / np.pi)
    summer_length = period_days * beta / np.pi
    thawing = np.maximum(summer * summer_length, 0.0)
    return thawing, np.maximum(-winter * (period_days - summer_length), 0.0)


@face(
    {"warmest_month": "degC", "coldest_month": "degC", "snow_depth": "m", "snow_density": "kg m-3"},
    "surface_frost_number",
)
def surface_frost_number(
    warmest_month: Any,
    coldest_month: Any,
    snow_depth: Any,
    *,
    snow_density: Any,
    conductivity_method: str,
    period_days: float = 365.0,
) -> Any:
    r"""Frost number of the ground surface, below the snow.

    Parameters
    ----------
    warmest_month, coldest_month : float, array or xarray.DataArray [any dims; degC]
    snow_depth : float, array or xarray.DataArray [any dims; m]
        Mean depth of the winter, not the largest.
    snow_density : float, array or xarray.DataArray [any dims; kg m-3]
    conductivity_method : str
        Method of `snow_thermal_conductivity`; state it with the result.
    period_days : float
        Length of the year [d]; 365 in the original.

    Returns
    -------
    float, array or xarray.DataArray [1]

    Raises
    ------
    DataError
        When a temperature, depth or density cannot be one.
    UsageError
        When the method is not known.

    Notes
    -----
    The winter of `nelson_outcalt_degree_days` with the amplitude of `snow_damping`:

    .. math:: T_{w+} = T - A_+ \sin\beta/(\pi-\beta),\ DDF_+ = \max(-T_{w+} L_w, 0)

    References
    ----------
    Nelson, F. E., & Outcalt, S. I. (1987). Arct. Alp. Res. 19, 279-288. doi:10.2307/1551363

    Examples
    --------
    >>> snow = {"snow_density": 250.0, "conductivity_method": "devaux"}
    >>> round(surface_frost_number(10.0, -20.0, 0.3, **snow), 6)
    0.6218
    """
    ratio = damping(snow_depth, snow_density, conductivity_method, period_days)
    thawing, freezing = seasons(warmest_month, coldest_month, ratio, period_days)
    return _ratio(np.sqrt(freezing), np.sqrt(thawing))


@face(
    {
        "warmest_month": "degC",
        "coldest_month": "degC",
        "snow_depth": "m",
        "snow_density": "kg m-3",
        "thawed_conductivity": "W m-1 K-1",
        "frozen_conductivity": "W m-1 K-1",
    },
    STEFAN_FROST_NUMBER,
)
def stefan_frost_number(
    warmest_month: Any,
    coldest_month: Any,
    snow_depth: Any,
    *,
    thawed_conductivity: Any,
    frozen_conductivity: Any,
    snow_density: Any,
    conductivity_method: str,
    period_days: float = 365.0,
) -> Any:
    r"""Frost number from the depths of frost and thaw below the snow, by the Stefan equation.

    Parameters
    ----------
    warmest_month, coldest_month, snow_depth, snow_density, conductivity_method, period_days
        As for `surface_frost_number`.
    thawed_conductivity, frozen_conductivity : float, array or xarray.DataArray [any dims; W m-1 K-1]
        Of the ground.

    Returns
    -------
    float, array or xarray.DataArray [1]

    Raises
    ------
    DataError
        When a temperature, depth, density or conductivity cannot be one.
    UsageError
        When the method is not known.

    Notes
    -----
    The latent heats cancel:

    .. math:: F^* = \sqrt{k_f DDF_+} / (\sqrt{k_f DDF_+} + \sqrt{k_t DDT})

    References
    ----------
    Nelson, F. E., & Outcalt, S. I. (1987). Arct. Alp. Res. 19, 279-288. doi:10.2307/1551363

    Examples
    --------
    >>> ground = {"thawed_conductivity": 1.0, "frozen_conductivity": 1.8}
    >>> snow = {"snow_density": 250.0, "conductivity_method": "devaux"}
    >>> round(stefan_frost_number(10.0, -20.0, 0.3, **ground, **snow), 6)
    0.688065
    """
    ensure_range("thawed_conductivity", thawed_conductivity, 0.0, 20.0, "W m-1 K-1", above=True)
    ensure_range("frozen_conductivity", frozen_conductivity, 0.0, 20.0, "W m-1 K-1", above=True)
    ratio = damping(snow_depth, snow_density, conductivity_method, period_days)
    thawing, freezing = seasons(warmest_month, coldest_month, ratio, period_days)
    return _ratio(np.sqrt(frozen_conductivity * freezing), np.sqrt(thawed_conductivity * thawing))


def nelson_outcalt_zone(frost_number: Any) -> Any:
    """Permafrost zone of a frost number.

    Parameters
    ----------
    frost_number : float, array or xarray.DataArray [any dims; 1]

    Returns
    -------
    int, int8 array or xarray.DataArray [same dims]
        0 none, 1 sporadic (from 0.5), 2 extensive discontinuous (from 0.6), 3 continuous (from 0.666), and -1
        where the frost number is missing, which is no class.

    Raises
    ------
    DataError
        When a number lies outside 0 to 1.

    References
    ----------
    Nelson, F. E., & Outcalt, S. I. (1987). Arct. Alp. Res. 19, 279-288. doi:10.2307/1551363

    Examples
    --------
    >>> nelson_outcalt_zone(0.632675)
    2
    """
    from geotools.permafrost.zonation import classified

    return classified(frost_number, "frost_number", LIMITS, ZONE, flag_attrs(MEANINGS))
