"""Temperature at the top of permafrost (TTOP) and at the ground surface, from degree-days and n-factors."""

from __future__ import annotations

from typing import Any

import numpy as np

from geotools.face import face
from geotools.guards import Array, ensure_degree_days, ensure_range

_INPUTS = {
    "freezing_degree_days": "K d",
    "thawing_degree_days": "K d",
    "n_freezing": "1",
    "n_thawing": "1",
    "conductivity_ratio": "1",
}


@face(_INPUTS, "magt")
def ttop(
    freezing_degree_days: Any,
    thawing_degree_days: Any,
    *,
    n_freezing: Any,
    n_thawing: Any,
    conductivity_ratio: Any,
    period_days: float = 365.25,
) -> Any:
    r"""Mean annual temperature at the top of permafrost, or at the base of seasonal frost.

    Parameters
    ----------
    freezing_degree_days, thawing_degree_days : float, array or xarray.DataArray [any dims; K d]
        Of the air, both positive.
    n_freezing, n_thawing : float, array or xarray.DataArray [any dims; 1]
        Ground-surface over air degree-days. Literature: 0.1 to 1.0, and 0.4 to 1.4.
    conductivity_ratio : float, array or xarray.DataArray [any dims; 1]
        Thermal conductivity of the thawed over that of the frozen ground, at most 1. Literature: 0.3 (peat)
        to 0.95 (bedrock, dry sand).
    period_days : float
        Length of the year [d].

    Returns
    -------
    float, array or xarray.DataArray [degC]

    Raises
    ------
    DataError
        When degree-days or factors are negative, or the ratio is not above 0 and at most 1.

    Notes
    -----
    With N = r n_t TDD - n_f FDD,

    .. math:: TTOP = N / P \ (N \le 0), \quad TTOP = (n_t TDD - n_f FDD / r) / P \ (N > 0)

    The first is the permafrost branch, the second that of seasonal frost; they meet at N = 0. Equilibrium of
    ground and climate is assumed.

    References
    ----------
    Smith, M. W., & Riseborough, D. W. (1996). Permafrost Periglac. Process. 7, 301-309.
    Smith, M. W., & Riseborough, D. W. (2002). Permafrost Periglac. Process. 13, 1-15. doi:10.1002/ppp.410

    Examples
    --------
    >>> round(ttop(3500.0, 1200.0, n_freezing=0.45, n_thawing=0.85, conductivity_ratio=0.7), 6)
    -2.35729
    """
    _ensure(freezing_degree_days, thawing_degree_days, n_freezing, n_thawing)
    ensure_range(
        "conductivity_ratio",
        conductivity_ratio,
        0.0,
        1.0,
        "1",
        above=True,
        todo="give thawed over frozen conductivity, not the inverse",
    )
    return top_temperature(
        n_freezing * freezing_degree_days, n_thawing * thawing_degree_days, conductivity_ratio, period_days
    )


def top_temperature(freezing: Array, thawing: Array, conductivity_ratio: Array, period_days: float) -> Array:
    """The core of `ttop` from the degree-days of the ground surface, for the cores of other modules."""
    balance = conductivity_ratio * thawing - freezing
    # The branch of seasonal frost divides by the thawed conductivity, that of permafrost by the frozen one.
    return np.asarray(np.where(balance > 0.0, balance / conductivity_ratio, balance) / period_days)


@face(
    {k: v for k, v in _INPUTS.items() if k != "conductivity_ratio"}, "mean_annual_ground_surface_temperature"
)
def mean_annual_ground_surface_temperature(
    freezing_degree_days: Any,
    thawing_degree_days: Any,
    *,
    n_freezing: Any,
    n_thawing: Any,
    period_days: float = 365.25,
) -> Any:
    """Mean annual temperature of the ground surface.

    Its difference from the air is the surface offset; that of `ttop` from it is the thermal offset.

    Parameters
    ----------
    freezing_degree_days, thawing_degree_days, n_freezing, n_thawing, period_days
        As for `ttop`.

    Returns
    -------
    float, array or xarray.DataArray [degC]

    Raises
    ------
    DataError
        When degree-days or factors are negative.

    Notes
    -----
    .. math:: MAGST = (n_t TDD - n_f FDD) / P

    References
    ----------
    Smith, M. W., & Riseborough, D. W. (2002). Permafrost Periglac. Process. 13, 1-15. doi:10.1002/ppp.410

    Examples
    --------
    >>> round(mean_annual_ground_surface_temperature(3500.0, 1200.0, n_freezing=0.45, n_thawing=0.85), 4)
    -1.5195
    """
    _ensure(freezing_degree_days, thawing_degree_days, n_freezing, n_thawing)
    return (n_thawing * thawing_degree_days - n_freezing * freezing_degree_days) / period_days


def _ensure(freezing: Array, thawing: Array, n_freezing: Array, n_thawing: Array) -> None:
    ensure_degree_days("freezing_degree_days", freezing)
    ensure_degree_days("thawing_degree_days", thawing)
    ensure_range("n_freezing", n_freezing, 0.0, 2.0, "1")
    ensure_range("n_thawing", n_thawing, 0.0, 3.0, "1")
