"""Depth of annual thaw by the Stefan equation, in uniform and in layered ground."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from geotools.errors import DataError, UsageError
from geotools.face import apply_core, face
from geotools.guards import Array, ensure_degree_days, ensure_range
from geotools.metadata import VARIABLES, Variable

LATENT_HEAT = 3.34e8  # of fusion, per volume of water: 1000 kg m-3 x 3.34e5 J kg-1
_DAY = 86400.0
_GROUND = {"conductivity": "W m-1 K-1", "melted_water_fraction": "1"}

# UDUNITS has no square root of K d, so the factor is told as the depth it gives at one degree-day.
EDAPHIC_FACTOR = Variable("edaphic_factor", "m", "edaphic factor: thaw depth at one thawing degree-day")


def _ensure_ground(conductivity: Array, melted: Array, n_factor: Array) -> None:
    ensure_range("conductivity", conductivity, 0.0, 20.0, "W m-1 K-1", above=True)
    ensure_range(
        "melted_water_fraction",
        melted,
        0.0,
        1.0,
        "1",
        above=True,
        todo="give the volumetric fraction of water that melts, not per cent and not gravimetric",
    )
    ensure_range("n_factor", n_factor, 0.0, 3.0, "1")


@face({**_GROUND, "n_factor": "1"}, EDAPHIC_FACTOR)
def edaphic_factor(conductivity: Any, melted_water_fraction: Any, n_factor: Any = 1.0) -> Any:
    r"""Edaphic factor: thaw depth over the root of the thawing degree-days.

    Parameters
    ----------
    conductivity : float, array or xarray.DataArray [any dims; W m-1 K-1]
        Of the thawed ground.
    melted_water_fraction : float, array or xarray.DataArray [any dims; 1]
        Volume of water that melts over that of the ground: not the porosity, and not gravimetric.
    n_factor : float, array or xarray.DataArray [any dims; 1]
        Thawing n-factor.

    Returns
    -------
    float, array or xarray.DataArray [m (K d)-1/2]
        Typically 0.010 to 0.055.

    Raises
    ------
    DataError
        When a parameter is out of its range.

    Notes
    -----
    .. math:: E = \sqrt{2 \cdot 86400\, k_t n_t / (\rho_w L_f \Delta\theta)}

    References
    ----------
    Nelson, F. E., & Outcalt, S. I. (1987). Arct. Alp. Res. 19, 279-288. doi:10.2307/1551363

    Examples
    --------
    >>> round(edaphic_factor(1.0, 0.35), 7)
    0.0384472
    """
    return _edaphic(conductivity, melted_water_fraction, n_factor)


def _edaphic(conductivity: Array, melted: Array, n_factor: Array) -> Array:
    n_factor = np.asarray(n_factor)
    _ensure_ground(conductivity, melted, n_factor)
    return np.asarray(np.sqrt(2.0 * _DAY * conductivity * n_factor / (LATENT_HEAT * melted)))


def fit_edaphic_factor(thaw_depth: Any, thawing_degree_days: Any, *, dim: str = "year") -> Any:
    r"""Edaphic factor of a site from its measured thaw depths.

    Parameters
    ----------
    thaw_depth : array or xarray.DataArray [..., year; m]
        At the end of the season. The years are the last axis of a NumPy array.
    thawing_degree_days : array or xarray.DataArray [..., year; K d]
        Of the air, up to the day of the measurement.
    dim : str
        The dimension of the years.

    Returns
    -------
    float, array or xarray.DataArray [...; m (K d)-1/2]
        The line through the origin, over the years that have both; NaN where none has.

    Raises
    ------
    DataError
        When a depth or degree-days are negative.

    Notes
    -----
    .. math:: E = \sum Z \sqrt{TDD} / \sum TDD

    the least squares of Z = E sqrt(TDD).

    References
    ----------
    Nelson, F. E., & Outcalt, S. I. (1987). Arct. Alp. Res. 19, 279-288. doi:10.2307/1551363

    Examples
    --------
    >>> round(fit_edaphic_factor([1.5, 1.7, float("nan")], [1600.0, 1900.0, 1700.0]), 4)
    0.0383
    """
    return apply_core(
        _fit,
        {"thaw_depth": thaw_depth, "thawing_degree_days": thawing_degree_days},
        units={"thaw_depth": "m", "thawing_degree_days": "K d"},
        returns=EDAPHIC_FACTOR,
        core_dim=dim,
        along=("thaw_depth", "thawing_degree_days"),
    )


def _fit(thaw_depth: Array, thawing_degree_days: Array) -> Array:
    """Factor [...] from depths and degree-days [..., year]."""
    ensure_range("thaw_depth", thaw_depth, 0.0, 50.0, "m", todo="give the depth in m")
    ensure_degree_days("thawing_degree_days", thawing_degree_days)
    both = ~np.isnan(thaw_depth + thawing_degree_days)
    total = np.where(both, thawing_degree_days, 0.0).sum(axis=-1)
    product = np.where(both, thaw_depth * np.sqrt(thawing_degree_days), 0.0).sum(axis=-1)
    return np.asarray(product / np.where(total > 0.0, total, np.nan))


@face({"thawing_degree_days": "K d", **_GROUND, "n_factor": "1"}, "thaw_depth")
def stefan_thaw_depth(
    thawing_degree_days: Any, *, conductivity: Any, melted_water_fraction: Any, n_factor: Any = 1.0
) -> Any:
    r"""Depth of annual thaw in uniform ground.

    Parameters
    ----------
    thawing_degree_days : float, array or xarray.DataArray [any dims; K d]
        Of the air.
    conductivity, melted_water_fraction, n_factor
        As for `edaphic_factor`.

    Returns
    -------
    float, array or xarray.DataArray [m]
        It is the active-layer thickness only where there is permafrost.

    Raises
    ------
    DataError
        When degree-days are negative or a parameter is out of its range.

    Notes
    -----
    .. math:: Z = \sqrt{2 \cdot 86400\, k_t n_t TDD / (\rho_w L_f \Delta\theta)}

    Sensible heat and the cold of the permafrost below are left out: the depth is 2 to 10 % too large.

    References
    ----------
    Nelson, F. E., & Outcalt, S. I. (1987). Arct. Alp. Res. 19, 279-288. doi:10.2307/1551363

    Examples
    --------
    >>> round(stefan_thaw_depth(1600.0, conductivity=1.0, melted_water_fraction=0.35), 6)
    1.537888
    """
    ensure_degree_days("thawing_degree_days", thawing_degree_days)
    return _edaphic(conductivity, melted_water_fraction, n_factor) * np.sqrt(thawing_degree_days)


@dataclass(frozen=True)
class Layer:
    """A layer of ground, from the surface down.

    Parameters
    ----------
    thickness : float, array or xarray.DataArray [m]
        Infinite for the lowest layer; 0 where the layer is absent.
    conductivity : float, array or xarray.DataArray [W m-1 K-1]
        Of the thawed layer.
    melted_water_fraction : float, array or xarray.DataArray [1]
        Volume of water that melts over that of the layer.
    """

    thickness: Any
    conductivity: Any
    melted_water_fraction: Any


def layered_stefan_thaw_depth(
    thawing_degree_days: Any, *, layers: Sequence[Layer], n_factor: Any = 1.0
) -> Any:
    r"""Depth of annual thaw in layered ground, such as an organic layer on mineral soil.

    Parameters
    ----------
    thawing_degree_days : float, array or xarray.DataArray [any dims; K d]
        Of the air.
    layers : sequence of Layer
        From the surface down; the last one is usually infinite.
    n_factor : float, array or xarray.DataArray [any dims; 1]
        Thawing n-factor.

    Returns
    -------
    float, array or xarray.DataArray [m]

    Raises
    ------
    UsageError
        When there are no layers.
    DataError
        When degree-days are negative, a parameter is out of its range, or thaw goes through all layers.

    Notes
    -----
    Layer i of thickness h uses up, below layers of the summed thermal resistance R,

    .. math:: DD_i = \rho_w L_f \Delta\theta_i h_i (R + h_i / 2k_i) / 86400

    and the thaw ends in the layer where the degree-days do. This is the form of Xie and Gough, and not the
    "JL" algorithm, which is mathematically wrong. Identical layers give the depth of `stefan_thaw_depth`.

    References
    ----------
    Xie, C., & Gough, W. A. (2013). Permafrost Periglac. Process. 24, 201-206. doi:10.1002/ppp.1770

    Examples
    --------
    >>> organic, mineral = Layer(0.1, 0.3, 0.4), Layer(float("inf"), 1.0, 0.35)
    >>> round(layered_stefan_thaw_depth(1600.0, layers=[organic, mineral]), 3)
    1.328
    """
    if not layers:
        raise UsageError("no layers", where="argument 'layers'", expected="at least one Layer")
    arrays = {"thawing_degree_days": thawing_degree_days, "n_factor": n_factor}
    units = {"thawing_degree_days": "K d", "n_factor": "1"}
    for i, layer in enumerate(layers):
        for field, unit in (("thickness", "m"), *_GROUND.items()):
            arrays[f"{field}_{i}"] = getattr(layer, field)
            units[f"{field}_{i}"] = unit
    return apply_core(
        _layered, arrays, units=units, returns=VARIABLES["thaw_depth"], options={"count": len(layers)}
    )


def _layered(thawing_degree_days: Array, n_factor: Array, count: int, **layers: Array) -> Array:
    """Thaw depth [...] from arrays [...]; layer i is `thickness_i`, `conductivity_i`, ..."""
    ensure_degree_days("thawing_degree_days", thawing_degree_days)
    left = n_factor * thawing_degree_days * _DAY  # heat still to be spent, in K s
    depth, resistance, missing = np.zeros_like(left), np.zeros_like(left), np.isnan(left)
    for i in range(count):
        thickness, k = layers[f"thickness_{i}"], layers[f"conductivity_{i}"]
        melted = layers[f"melted_water_fraction_{i}"]
        ensure_range(f"thickness of layer {i}", thickness, 0.0, np.inf, "m")
        _ensure_ground(k, melted, n_factor)
        missing = missing | np.isnan(thickness + k + melted)
        heat = LATENT_HEAT * melted
        need = heat * thickness * (resistance + 0.5 * thickness / k)
        # The root of heat (h**2 / 2k + resistance h) = left, in the form that does not cancel.
        root = resistance + np.sqrt(resistance**2 + 2.0 * left / (heat * k))
        part = np.where(root > 0.0, 2.0 * left / (heat * np.where(root > 0.0, root, 1.0)), 0.0)
        through = left > need
        depth = depth + np.where(through, thickness, part)
        left = np.where(through, left - np.where(through, need, 0.0), 0.0)
        resistance = resistance + np.where(through, thickness / k, 0.0)
    left = np.where(missing, 0.0, left)
    if np.any(left > 0.0):
        raise DataError(
            f"thaw goes through all layers in {int((left > 0.0).sum())} places",
            where="argument 'layers'",
            expected="layers deeper than the thaw",
            todo="make the last layer infinite: Layer(float('inf'), ...)",
        )
    return np.where(missing, np.nan, depth)
