"""Thawing and freezing degree-days of the air, from monthly means or from an annual sinusoid."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.special import ndtr

from geotools.climate.calendar import MEAN_YEAR, by_month
from geotools.errors import UnitsError, UsageError
from geotools.face import apply_core, face
from geotools.guards import Array, ensure_celsius, ensure_range

_RETURNS = ("thawing_degree_days", "freezing_degree_days")


def degree_days(tas: Any, *, submonthly_sd: Any = 4.0, days_in_month: Any = None, dim: str = "time") -> Any:
    r"""Thawing and freezing degree-days from monthly mean temperatures.

    Parameters
    ----------
    tas : float array or xarray.DataArray [..., month; degC]
        Monthly means of a mean year, of any twelve months in a row, or (DataArrays) of whole calendar years.
        The months are the last axis of a NumPy array, and begin with January.
    submonthly_sd : float or xarray.DataArray [K]
        Standard deviation of daily temperatures within a month; 0 gives the simple sum of monthly means. 4
        K is a default for a single year, in a range of 2 to 6 K. A mean of many years hides their
        differences as well: the root of the summed squares, about 5 K, then fits better.
    days_in_month : sequence of float, optional
        Lengths of the months [d]. By default they follow the calendar of `tas`; a mean year has 365.25 d.
    dim : str
        The dimension of the months of a DataArray.

    Returns
    -------
    (thawing, freezing) or xarray.Dataset [...; K d]
        Both are positive. A DataArray of more than twelve months gives one value per `year`. A missing month
        makes the sums of its year missing.

    Raises
    ------
    UnitsError
        When a temperature is above 100: kelvins without units.
    DataError
        When a DataArray does not hold whole years.
    UsageError
        When the months are no months, or `submonthly_sd` is negative.

    Notes
    -----
    With daily temperatures normally distributed about the monthly mean T with standard deviation s, and n
    days,

    .. math:: TDD = \sum n [T \Phi(T/s) + s \phi(T/s)], \quad
              FDD = \sum n [-T \Phi(-T/s) + s \phi(T/s)]

    so that TDD - FDD is the sum of n T, whatever s. Freezing degree-days of a mean year need no choice
    between calendar year and winter; those of a single calendar year join the ends of two winters.

    References
    ----------
    Calov, R., & Greve, R. (2005). J. Glaciol. 51, 173-175. doi:10.3189/172756505781829601

    Examples
    --------
    >>> yakutsk = [-37.2, -33.0, -19.2, -4.5, 7.8, 16.5, 19.3, 15.1, 6.1, -7.5, -27.2, -36.9]
    >>> thawing, freezing = degree_days(yakutsk)
    >>> round(thawing, 1), round(freezing, 1)
    (2000.0, 5021.9)
    >>> thawing, freezing = degree_days(yakutsk, submonthly_sd=0)
    >>> round(thawing, 2), round(freezing, 2)
    (1986.2, 5008.05)
    """
    import xarray as xr

    months: Any
    days: Any
    if isinstance(tas, xr.DataArray):
        months, days = by_month(tas, dim=dim, days=days_in_month)
    else:
        months = np.asarray(tas, dtype="float64")
        if months.shape[-1:] != (12,):
            raise UsageError(
                f"an array of shape {months.shape}",
                where="argument 'tas'",
                expected="the 12 monthly means of a year on the last axis",
                todo="move the axis of the months to the end, or give a DataArray with dates",
            )
        days = np.asarray(MEAN_YEAR if days_in_month is None else days_in_month, dtype="float64")
    return apply_core(
        _degree_days,
        {"tas": months, "days": days, "submonthly_sd": submonthly_sd},
        units={"tas": "degC", "days": "d", "submonthly_sd": "K"},
        returns=_RETURNS,
        core_dim="month",
        along=("tas", "days"),
    )


def _degree_days(tas: Array, days: Array, submonthly_sd: Array) -> tuple[Array, Array]:
    """TDD and FDD [...] from tas [..., 12], days [(...,) 12] and submonthly_sd [...]."""
    ensure_celsius("tas", tas)
    ensure_range("submonthly_sd", submonthly_sd, 0.0, 30.0, "K")
    above, below = expected_excess(tas, submonthly_sd[..., None])
    return (above * days).sum(axis=-1), (below * days).sum(axis=-1)


def expected_excess(mean: Array, sd: Array) -> tuple[Array, Array]:
    """Expected excess above and deficit below 0 of a normal variable; both positive.

    Parameters
    ----------
    mean, sd : array [any shapes that broadcast; the same units]
        `sd` may be 0, which gives ``max(mean, 0)`` and ``max(-mean, 0)``.

    Returns
    -------
    (array, array)
        Their difference is `mean`.
    """
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        x = np.where(sd > 0, mean / sd, np.copysign(np.inf, mean))
    # Beyond 40 standard deviations nothing is left of the tail; the cut keeps the square finite.
    x = np.where(np.isnan(mean), np.nan, np.clip(x, -40.0, 40.0))
    density = np.exp(-0.5 * x**2) / np.sqrt(2.0 * np.pi)
    above = mean * ndtr(x) + sd * density
    below = -mean * ndtr(-x) + sd * density
    # Far from 0 the two terms cancel to a rounding error of either sign.
    return np.maximum(above, 0.0), np.maximum(below, 0.0)


@face({"mean": "degC", "amplitude": "K"}, _RETURNS)
def degree_days_sinusoid(mean: Any, amplitude: Any, *, period_days: float = 365.25) -> Any:
    r"""Thawing and freezing degree-days of a year whose temperature is a sinusoid.

    Parameters
    ----------
    mean : float, array or xarray.DataArray [any dims; degC]
        Mean annual temperature.
    amplitude : float, array or xarray.DataArray [any dims; K]
        Half the range between the warmest and the coldest temperature.
    period_days : float
        Length of the year [d].

    Returns
    -------
    (thawing, freezing) or xarray.Dataset [any dims; K d]
        Both are positive.

    Raises
    ------
    UnitsError
        When the mean or the amplitude is above 100: kelvins, or an amplitude converted as a temperature.
    DataError
        When the amplitude is negative.

    Notes
    -----
    With T the mean, A the amplitude, x = T/A and P the period, for abs(x) < 1

    .. math:: TDD = P [T (1/2 + \arcsin(x)/\pi) + \sqrt{A^2 - T^2}/\pi], \quad FDD = TDD - P T

    and otherwise one of the two is 0.

    References
    ----------
    Lunardini, V. J. (1981). Heat Transfer in Cold Climates. Van Nostrand Reinhold.

    Examples
    --------
    >>> thawing, freezing = degree_days_sinusoid(-5.0, 15.0)
    >>> round(thawing, 4), round(freezing, 4)
    (928.6294, 2754.8794)
    """
    ensure_celsius("mean", mean)
    ensure_amplitude("amplitude", amplitude)
    above, below = sinusoid_excess(mean, amplitude)
    return period_days * above, period_days * below


def sinusoid_excess(mean: Array, amplitude: Array) -> tuple[Array, Array]:
    """Mean excess above and deficit below 0 of a sinusoid over its period; both positive.

    Parameters
    ----------
    mean, amplitude : array [any shapes that broadcast; the same units]
        Where the mean is farther from 0 than the amplitude, one of the two is 0.

    Returns
    -------
    (array, array)
        Their difference is `mean`.
    """
    a = np.maximum(amplitude, np.abs(mean))
    with np.errstate(invalid="ignore"):
        x = np.where(a > 0, np.divide(mean, a, where=a > 0, out=np.zeros_like(a)), mean)
    # Squares would cancel, and might not to 0 where the two are equal.
    root = np.sqrt((a - mean) * (a + mean))
    above = mean * (0.5 + np.arcsin(x) / np.pi) + root / np.pi
    below = -mean * (0.5 - np.arcsin(x) / np.pi) + root / np.pi
    return np.maximum(above, 0.0), np.maximum(below, 0.0)


def ensure_amplitude(name: str, values: Array) -> None:
    """Refuse amplitudes that are negative or were converted as if they were temperatures.

    Raises
    ------
    UnitsError, DataError
    """
    if np.any(values > 100.0):
        raise UnitsError(
            f"an amplitude of {float(values[values > 100.0].flat[0]):g} K",
            where=f"argument {name!r}",
            expected="half the annual range, below 100 K",
            todo="set the units of the amplitude to 'K': a difference in degC must not be shifted by 273.15",
        )
    ensure_range(name, values, 0.0, 100.0, "K")
