"""Soil freezing characteristics: which share of the water is liquid at a temperature below freezing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from geotools.errors import DataError
from geotools.guards import Array

_GRAVITY = 9.80665
_FUSION = 3.34e5  # J kg-1
_MELTING = 273.15
# A curve becomes a table of straight lines. Nodes lie closest to the freezing point, where it is steepest; with this
# many the liquid water is met to 0.003 of the whole.
NODES = 64
COLDEST = 80.0  # K below the freezing point; colder, the liquid water stays what it is there
_NEAREST = 1e-3


class FreezingCurve(Protocol):
    """What `SoilLayer` takes as a freezing curve."""

    def freezing_point(self, water: Any, porosity: Any) -> Array:
        """Temperature above which all water is liquid [degC]."""

    def liquid_share(self, temperature: Any, water: Any, porosity: Any) -> Array:
        """Share of the water that is liquid [1]."""


def _positive(name: str, value: float, high: float = np.inf) -> None:
    if not (0.0 < value <= high):
        raise DataError(
            f"{value:g}",
            where=f"freezing curve parameter {name!r}",
            expected="a number above 0" + (f" and at most {high:g}" if np.isfinite(high) else ""),
        )


def _not_above_zero(name: str, value: float) -> None:
    if not (-20.0 <= value <= 0.0):
        raise DataError(
            f"{value:g} degC", where=f"freezing curve parameter {name!r}", expected="-20 to 0 degC"
        )


@dataclass(frozen=True)
class MushyZone:
    """Water freezes in even shares between two temperatures.

    A narrow zone stands in for free water, which freezes at one temperature: 0.01 to 0.1 K.

    Parameters
    ----------
    width : float
        Of the zone [K].
    upper : float
        Where the last ice melts [degC].

    Raises
    ------
    DataError
        When the width is not above 0, or the upper end not between -20 and 0.
    """

    width: float = 0.05
    upper: float = 0.0

    def __post_init__(self) -> None:
        _positive("width", self.width, 20.0)
        _not_above_zero("upper", self.upper)

    def freezing_point(self, water: Any, porosity: Any) -> Array:
        """Temperature above which all water is liquid [degC]."""
        return np.broadcast_to(self.upper, np.broadcast_shapes(np.shape(water), np.shape(porosity)))

    def liquid_share(self, temperature: Any, water: Any, porosity: Any) -> Array:
        """Share of the water that is liquid [1]."""
        share = 1.0 + (np.asarray(temperature, dtype="float64") - self.upper) / self.width
        return np.asarray(np.clip(share, 0.0, 1.0))


@dataclass(frozen=True)
class PowerLaw:
    r"""Unfrozen water as a power of the temperature below freezing.

    Parameters
    ----------
    factor : float
        a [1]; 0.01 to 0.3.
    exponent : float
        b [1]; 0.2 to 0.9.
    upper : float
        T* [degC].

    Raises
    ------
    DataError
        When a parameter is out of its range.

    Notes
    -----
    .. math:: \theta_l = \min(\theta, a\,|T_* - T|^{-b})

    References
    ----------
    Lovell, C. W. (1957). Highw. Res. Board Bull. 168, 74-95.
    Nicolsky, D. J., et al. (2007). Geophys. Res. Lett. 34, L08501. doi:10.1029/2007GL029525
    """

    factor: float = 0.05
    exponent: float = 0.5
    upper: float = 0.0

    def __post_init__(self) -> None:
        _positive("factor", self.factor, 1.0)
        _positive("exponent", self.exponent, 3.0)
        _not_above_zero("upper", self.upper)

    def freezing_point(self, water: Any, porosity: Any) -> Array:
        """Temperature above which all water is liquid [degC]."""
        water = np.asarray(water, dtype="float64") + 0.0 * np.asarray(porosity)
        below = (np.maximum(water, 1e-12) / self.factor) ** (-1.0 / self.exponent)
        # With less water than there would be unfrozen at any temperature, nothing freezes.
        return np.asarray(self.upper - np.minimum(below, 200.0))

    def liquid_share(self, temperature: Any, water: Any, porosity: Any) -> Array:
        """Share of the water that is liquid [1]."""
        water = np.maximum(np.asarray(water, dtype="float64"), 1e-12)
        below = np.maximum(self.upper - np.asarray(temperature, dtype="float64"), 1e-12)
        return np.asarray(np.minimum(1.0, self.factor * below**-self.exponent / water))


@dataclass(frozen=True)
class VanGenuchten:
    r"""Unfrozen water from the water retention of the soil: freezing works like drying.

    Parameters
    ----------
    alpha : float
        Inverse of the suction of air entry [m-1]; 0.5 for silt or clay, 4 and more for sand and moss.
    n : float
        Above 1 [1].
    residual : float
        Water that never freezes [1], per volume of ground.

    Raises
    ------
    DataError
        When a parameter is out of its range.

    Notes
    -----
    With the suction head of the unfrozen ground, which follows from its water content and lowers the freezing
    point to T*,

    .. math::

        \psi = \psi_0 + \frac{L_f}{g T_*} (T - T_*), \quad
        \theta_l = \theta_r + (\phi - \theta_r) [1 + (-\alpha \psi)^n]^{-(1 - 1/n)}

    References
    ----------
    Dall'Amico, M., et al. (2011). Cryosphere 5, 469-484. doi:10.5194/tc-5-469-2011
    """

    alpha: float = 1.0
    n: float = 1.5
    residual: float = 0.0

    def __post_init__(self) -> None:
        _positive("alpha", self.alpha)
        if not (1.0 < self.n <= 15.0):
            raise DataError(
                f"{self.n:g}", where="freezing curve parameter 'n'", expected="above 1, at most 15"
            )
        if not (0.0 <= self.residual < 1.0):
            raise DataError(
                f"{self.residual:g}", where="freezing curve parameter 'residual'", expected="0 to 1"
            )

    def _head(self, water: Any, porosity: Any) -> Array:
        room = np.maximum(np.asarray(porosity, dtype="float64") - self.residual, 1e-12)
        share = np.clip((np.asarray(water, dtype="float64") - self.residual) / room, 1e-6, 1.0)
        m = 1.0 - 1.0 / self.n
        return np.asarray(-((share ** (-1.0 / m) - 1.0) ** (1.0 / self.n)) / self.alpha)

    def freezing_point(self, water: Any, porosity: Any) -> Array:
        """Temperature above which all water is liquid [degC]."""
        return np.maximum(_MELTING * _GRAVITY / _FUSION * self._head(water, porosity), -200.0)

    def liquid_share(self, temperature: Any, water: Any, porosity: Any) -> Array:
        """Share of the water that is liquid [1]."""
        water, porosity = np.asarray(water, dtype="float64"), np.asarray(porosity, dtype="float64")
        point = self.freezing_point(water, porosity)
        below = np.minimum(np.asarray(temperature, dtype="float64") - point, 0.0)
        head = self._head(water, porosity) + _FUSION / (_GRAVITY * (point + _MELTING)) * below
        m = 1.0 - 1.0 / self.n
        saturation = (1.0 + (-self.alpha * head) ** self.n) ** -m
        liquid = self.residual + np.maximum(porosity - self.residual, 0.0) * saturation
        return np.where(below < 0.0, np.minimum(1.0, liquid / np.maximum(water, 1e-12)), 1.0)


def curve_table(curve: FreezingCurve, water: Array, porosity: Array) -> tuple[Array, Array]:
    """Nodes of a freezing curve, ascending to the freezing point, and the liquid share there.

    Parameters
    ----------
    curve : FreezingCurve
    water, porosity : array [column; 1]

    Returns
    -------
    temperature : array [node, column; degC]
    share : array [node, column; 1]
        1 at the last node.
    """
    point = np.asarray(curve.freezing_point(water, porosity), dtype="float64")
    if isinstance(curve, MushyZone):
        below = np.linspace(curve.width, 0.0, NODES)
    else:
        below = np.append(np.geomspace(COLDEST, _NEAREST, NODES - 1), 0.0)
    temperature = point - below[:, None]
    share = np.array(curve.liquid_share(temperature, water, porosity))
    share[-1] = 1.0
    return temperature, np.maximum.accumulate(share, axis=0)
