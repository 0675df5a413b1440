"""Errors of sums over an area when the errors of its parts are alike."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from geotools.errors import DataError, UsageError

# Distances only set how alike errors are; 0.3 % on a length that is known to a factor of two at best.
_RADIUS_KM = 6371.0072
# Cells times cells are gone through in strips of about this many pairs, so that memory stays near 100 MB.
_PAIRS = 4_000_000


def spatial_sd(
    sd: ArrayLike,
    areas: ArrayLike,
    *,
    rho: float | None = None,
    length_km: float | None = None,
    distances_km: ArrayLike | None = None,
    lat: ArrayLike | None = None,
    lon: ArrayLike | None = None,
) -> float:
    """Standard deviation of the total of a density whose errors are correlated in space.

    Parameters
    ----------
    sd : array_like [cell; e.g. g m-2 yr-1]
        Standard deviation of the density of each cell; one number for all.
    areas : array_like [cell; m2]
    rho : float
        The same correlation between all pairs: 1 for an emission factor of a whole country, 0 for errors that have
        nothing to do with each other. Give either this or `length_km`.
    length_km : float
        Length over which the correlation falls to 1/e.
    distances_km : array_like [cell, cell; km]
        With `length_km`; or `lat` and `lon`.
    lat, lon : array_like [cell; degrees]
        Centres of the cells.

    Returns
    -------
    float [e.g. g yr-1]

    Raises
    ------
    UsageError
        When it is not said how the errors are correlated, or said twice.
    DataError
        When shapes differ, or a number is negative or missing.

    Notes
    -----
    ``Var = sum_ij a_i a_j s_i s_j rho_ij`` with ``rho_ij = exp(-d_ij / length_km)``. To take cells for independent
    when their errors are alike is the usual mistake: for 100 equal cells it makes the interval ten times too narrow.

    Examples
    --------
    >>> round(spatial_sd(50.0, [1e10] * 100, rho=1.0) / 1e12, 6)
    50.0
    """
    weights = _weights(sd, areas)
    given = [n for n, v in (("rho", rho), ("length_km", length_km)) if v is not None]
    if len(given) != 1:
        raise UsageError(
            f"the correlation is given by {' and '.join(given) or 'nothing'}", where="spatial_sd",
            expected="either rho or length_km", todo="pass rho=0 if the errors are known to be independent",
        )  # fmt: skip
    if rho is not None:
        if not 0 <= rho <= 1:
            raise UsageError(f"rho is {rho!r}", where="spatial_sd", expected="a number from 0 to 1")
        variance = (1 - rho) * float(weights @ weights) + rho * float(weights.sum()) ** 2
        return float(np.sqrt(variance))
    if not (length_km is not None and np.isfinite(length_km) and length_km > 0):
        raise UsageError(f"length_km is {length_km!r}", where="spatial_sd", expected="a positive length")
    if (distances_km is None) == (lat is None or lon is None):
        raise UsageError(
            "the distances are not given, or given twice", where="spatial_sd",
            expected="distances_km, or lat and lon", todo="pass the centres of the cells",
        )  # fmt: skip
    size = weights.size
    distances = None if distances_km is None else np.asarray(distances_km, dtype="float64")
    if distances is not None and (distances.shape != (size, size) or not (distances >= 0).all()):
        raise DataError(
            f"the distances have the shape {distances.shape}, or are negative", where="spatial_sd",
            expected=f"({size}, {size}) distances of 0 or more",
        )  # fmt: skip
    points = None if distances is not None else _unit_vectors(lat, lon, size)
    variance, step = 0.0, max(1, _PAIRS // max(size, 1))
    for start in range(0, size, step):
        strip = slice(start, start + step)
        if distances is not None:
            apart = distances[strip]
        else:
            assert points is not None
            apart = _RADIUS_KM * np.arccos(np.clip(points[strip] @ points.T, -1.0, 1.0))
            # arccos of a product that should be 1 is off by some metres; a cell is at no distance from itself.
            apart[np.arange(apart.shape[0]), np.arange(start, start + apart.shape[0])] = 0.0
        variance += float(weights[strip] @ np.exp(-apart / length_km) @ weights)
    return float(np.sqrt(variance))


def _weights(sd: ArrayLike, areas: ArrayLike) -> NDArray[np.float64]:
    area = np.atleast_1d(np.asarray(areas, dtype="float64"))
    spread = np.asarray(sd, dtype="float64")
    if area.ndim != 1 or spread.shape not in ((), area.shape):
        raise DataError(
            f"sd has the shape {spread.shape} and areas {area.shape}", where="spatial_sd",
            expected="one number per cell in each", todo="flatten both and drop cells without data",
        )  # fmt: skip
    # NaN fails the comparison too.
    if not ((area >= 0).all() and (spread >= 0).all()):
        raise DataError(
            "areas or standard deviations are negative or missing", where="spatial_sd",
            expected="numbers of 0 or more", todo="drop cells without data",
        )  # fmt: skip
    return np.asarray(area * spread)


def _unit_vectors(lat: ArrayLike | None, lon: ArrayLike | None, size: int) -> NDArray[np.float64]:
    phi = np.radians(np.asarray(lat, dtype="float64"))
    lam = np.radians(np.asarray(lon, dtype="float64"))
    if phi.shape != (size,) or lam.shape != (size,) or not np.isfinite(phi + lam).all():
        raise DataError(
            f"lat has the shape {phi.shape} and lon {lam.shape}, or numbers are missing", where="spatial_sd",
            expected=f"({size},) in both",
        )  # fmt: skip
    return np.column_stack((np.cos(phi) * np.cos(lam), np.cos(phi) * np.sin(lam), np.sin(phi)))
