"""Depth of annual thaw or freezing below a sinusoid, after Kudryavtsev."""

from __future__ import annotations

import numpy as np

from geotools.guards import Array


def penetration(
    amplitude: Array,
    mean: Array,
    conductivity: Array,
    heat_capacity: Array,
    latent_heat: Array,
    period_days: float,
) -> tuple[Array, Array, Array]:
    r"""Depth to which the ground thaws and freezes every year, after Kudryavtsev.

    Parameters
    ----------
    amplitude : array [K]
        At the ground surface.
    mean : array [degC]
        At that depth.
    conductivity, heat_capacity : array [W m-1 K-1, J m-3 K-1]
        Of the ground above it.
    latent_heat : array [J m-3]
        Of the water in the ground.
    period_days : float [d]

    Returns
    -------
    (array, array, array) [m, K, m]
        The depth Z, the amplitude A_z halfway to it, and the depth Z_c without the warmth of the ground below.

    Notes
    -----
    With t = abs(mean), q = L/(2C) and B = sqrt(k P/(pi C)),

    .. math::

        A_z = \frac{A - t}{\ln[(A + q)/(t + q)]} - q, \quad
        Z_c = \frac{2 (A - t) \sqrt{k P C/\pi}}{2 A_z C + L}, \quad
        Z = Z_c \left(1 + \frac{L B}{(2 A_z C + L)(Z_c + B)}\right)

    the last being Kudryavtsev's equation with what is common taken out. Where A is at most t the depth is 0. Dry
    ground at 0 degC freezes and thaws to any depth.
    """
    t = np.abs(mean)
    spread = np.maximum(amplitude - t, 0.0)
    seconds, q = period_days * 86400.0, latent_heat / (2.0 * heat_capacity)
    with np.errstate(divide="ignore", invalid="ignore"):
        x = spread / (t + q)
        # Logarithmic mean; the ratio goes to 1 where the amplitude goes to the mean.
        middle = (t + q) * np.where(x > 0.0, x / np.log1p(x), 1.0 + 0.0 * x)
        middle = np.where((t + q == 0.0) & (spread > 0.0), 0.0, middle) - q
        heat = 2.0 * middle * heat_capacity + latent_heat
        simple = 2.0 * spread * np.sqrt(conductivity * seconds * heat_capacity / np.pi) / heat
        b = np.sqrt(conductivity * seconds / (np.pi * heat_capacity))
        # Nothing is added where there is no water, however deep that is.
        more = np.where(latent_heat == 0.0, 0.0, latent_heat * b / (heat * (simple + b)))
        depth = simple * (1.0 + more)
    return np.where(spread == 0.0, 0.0, depth), middle, np.where(spread == 0.0, 0.0, simple)
