"""Freezing n-factors: how much a snow cover lessens the freezing degree-days of the ground surface."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from geotools.climate.degree_days import ensure_amplitude
from geotools.face import face
from geotools.guards import Array, ensure_degree_days, ensure_range, one_of
from geotools.metadata import Variable
from geotools.permafrost.frost_number import seasons
from geotools.permafrost.snow_conductivity import SNOW_HEAT_CAPACITY, damping

METHODS = ("kudryavtsev", "nelson_outcalt")
SNOW_OFFSET = Variable(
    "snow_offset", "K", "warming of the mean annual ground-surface temperature by the snow cover"
)


@face({"amplitude": "K", "snow_depth": "m", "snow_density": "kg m-3"}, SNOW_OFFSET)
def kudryavtsev_snow_offset(
    amplitude: Any,
    snow_depth: Any,
    *,
    snow_density: Any,
    conductivity_method: str,
    period_days: float = 365.25,
    heat_capacity: float = SNOW_HEAT_CAPACITY,
) -> Any:
    r"""Warming of the mean annual temperature by snow, after Kudryavtsev.

    Parameters
    ----------
    amplitude : float, array or xarray.DataArray [any dims; K]
        Half the annual range of the air temperature.
    snow_depth : float, array or xarray.DataArray [any dims; m]
        Mean depth of the winter, not the largest.
    snow_density : float, array or xarray.DataArray [any dims; kg m-3]
    conductivity_method : str
        Method of `snow_thermal_conductivity`.
    period_days : float
        Length of the year [d].
    heat_capacity : float
        Of snow [J kg-1 K-1].

    Returns
    -------
    float, array or xarray.DataArray [K]

    Raises
    ------
    DataError
        When an amplitude, depth or density cannot be one.
    UsageError
        When the method is not known.

    Notes
    -----
    .. math:: \Delta T_{sn} = A [1 - \exp(-Z_s \sqrt{\pi / (P a_{sn})})]

    References
    ----------
    Anisimov, O. A., et al. (1997). Glob. Planet. Change 15, 61-77. doi:10.1016/S0921-8181(97)00009-X
    Sazonova, T. S., & Romanovsky, V. E. (2003). Permafrost Periglac. Process. 14. doi:10.1002/ppp.449

    Examples
    --------
    >>> snow = {"snow_density": 250.0, "conductivity_method": "sturm1997", "heat_capacity": 2090.0}
    >>> round(kudryavtsev_snow_offset(20.0, 0.2, **snow), 4)
    2.8571
    """
    ensure_amplitude("amplitude", amplitude)
    return amplitude * (
        1.0 - damping(snow_depth, snow_density, conductivity_method, period_days, heat_capacity)
    )


@face(
    {
        "freezing_degree_days": "K d",
        "warmest_month": "degC",
        "coldest_month": "degC",
        "snow_depth": "m",
        "snow_density": "kg m-3",
    },
    "n_factor_freezing",
)
def freezing_n_factor(
    freezing_degree_days: Any,
    warmest_month: Any,
    coldest_month: Any,
    snow_depth: Any,
    *,
    snow_density: Any,
    method: str = "kudryavtsev",
    conductivity_method: str = "sturm1997",
    period_days: float = 365.25,
) -> Any:
    r"""Freezing n-factor from the damping of the annual wave by snow.

    Parameters
    ----------
    freezing_degree_days : float, array or xarray.DataArray [any dims; K d]
        Of the air, positive.
    warmest_month, coldest_month : float, array or xarray.DataArray [any dims; degC]
        Means of the two months, whose half range is the amplitude.
    snow_depth : float, array or xarray.DataArray [any dims; m]
        Mean depth of the winter, not the largest.
    snow_density : float, array or xarray.DataArray [any dims; kg m-3]
    method : {"kudryavtsev", "nelson_outcalt"}
        ``kudryavtsev`` takes the warming of `kudryavtsev_snow_offset` from the freezing degree-days, and
        nothing below 0. ``nelson_outcalt`` is the ratio of the winters of `surface_frost_number` with and
        without snow; it counts only the damping inside the snow, and gives 0.85 to 0.95 for 0.2 to 0.3 m of
        snow in Yakutia, where records at 0.2 m depth in the ground give 0.2 to 0.6.
    conductivity_method : str
        Method of `snow_thermal_conductivity`. The default rests on measurements in taiga and tundra with
        depth hoar. At 194 kg m-3 it gives 0.064 W m-1 K-1, and 0.10 to 0.11 by the other methods.
    period_days : float
        Length of the year [d].

    Returns
    -------
    float, array or xarray.DataArray [1]
        1 without snow and where nothing freezes.

    Raises
    ------
    DataError
        When a temperature, depth or density cannot be one, or degree-days are negative.
    UsageError
        When a method is not known.

    Notes
    -----
    ``kudryavtsev``, with the mean surface temperature raised in winter alone:

    .. math:: n_f = \max(1 - P \Delta T_{sn} / FDD,\ 0)

    ``nelson_outcalt``: n_f = DDF_+ / DDF.

    References
    ----------
    Anisimov, O. A., et al. (1997). Glob. Planet. Change 15, 61-77. doi:10.1016/S0921-8181(97)00009-X
    Nelson, F. E., & Outcalt, S. I. (1987). Arct. Alp. Res. 19, 279-288. doi:10.2307/1551363

    Examples
    --------
    >>> yakutsk = (5021.9, 19.3, -37.2, 0.2)
    >>> round(freezing_n_factor(*yakutsk, snow_density=194.0), 2)
    0.7
    >>> round(freezing_n_factor(*yakutsk, snow_density=194.0, method="nelson_outcalt"), 2)
    0.91
    """
    one_of("method", method, METHODS)
    ratio = damping(snow_depth, snow_density, conductivity_method, period_days)
    return damped_n_factor(freezing_degree_days, warmest_month, coldest_month, method, period_days)(ratio)


def damped_n_factor(
    freezing_degree_days: Array, warmest: Array, coldest: Array, method: str, period_days: float
) -> Callable[[Array], Array]:
    """The core of `freezing_n_factor`, as a function of the ratio of the amplitudes below and above the snow."""
    ensure_degree_days("freezing_degree_days", freezing_degree_days)
    _, bare = seasons(warmest, coldest, np.ones(()), period_days)
    total = bare if method == "nelson_outcalt" else freezing_degree_days
    freezes = total > 0.0
    total = np.where(freezes | np.isnan(total), total, 1.0)
    full = period_days * 0.5 * (warmest - coldest)

    def factor(ratio: Array) -> Array:
        if method == "nelson_outcalt":
            lost = bare - seasons(warmest, coldest, ratio, period_days)[1]
        else:
            lost = full * (1.0 - ratio)
        part = lost / total
        return np.clip(np.where(freezes | np.isnan(part), 1.0 - part, 1.0), 0.0, 1.0)

    return factor


@face({"snow_depth_max": "m"}, "n_factor_freezing")
def gisnas_freezing_n_factor(snow_depth_max: Any) -> Any:
    r"""Freezing n-factor from the largest snow depth, by a regression for Norway.

    Parameters
    ----------
    snow_depth_max : float, array or xarray.DataArray [any dims; m]
        Largest depth of the winter, not the mean.

    Returns
    -------
    float, array or xarray.DataArray [1]
        Between 0.1 and 1, where the regression is cut off. 1 without snow.

    Raises
    ------
    DataError
        When a depth is negative.

    Notes
    -----
    .. math:: n_f = \min(\max(0.25 - 0.17 \ln Z_{max},\ 0.1),\ 1)

    Calibrated in Norwegian mountains, not in taiga with depth hoar nor in wind-packed tundra.

    References
    ----------
    Gisnås, K., et al. (2014). The Cryosphere 8, 2063-2074. doi:10.5194/tc-8-2063-2014

    Examples
    --------
    >>> round(gisnas_freezing_n_factor(0.3), 4)
    0.4547
    """
    ensure_range("snow_depth_max", snow_depth_max, 0.0, 50.0, "m")
    return gisnas_regression(snow_depth_max)


def gisnas_regression(snow_depth_max: Array) -> Array:
    """The core of `gisnas_freezing_n_factor`, for the cores of other modules."""
    # The regression reaches 1 at 0.012 m; the floor only keeps the logarithm finite.
    return np.clip(0.25 - 0.17 * np.log(np.maximum(snow_depth_max, 1e-9)), 0.1, 1.0)
