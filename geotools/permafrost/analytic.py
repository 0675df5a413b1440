"""Exact solutions of heat conduction, two of them with phase change, to verify numerical ones with."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from scipy.optimize import brentq, root
from scipy.special import erf, erfc, erfcx

from geotools.errors import DataError, UsageError
from geotools.guards import Array, ensure_celsius, ensure_range

_DAY = 86400.0


class NeumannSolution(NamedTuple):
    """Front and temperatures of the Neumann problem."""

    front: Any  # depth of the front [time; m]
    temperature: Any  # [time, depth; degC]
    coefficient: float  # front over twice the root of diffusivity times time


class LunardiniSolution(NamedTuple):
    """Fronts and temperatures of the Lunardini problem."""

    frozen_front: Any  # depth to which all is frozen [time; m]
    freezing_front: Any  # depth to which freezing has come [time; m]
    temperature: Any  # [time, depth; degC]
    psi: float
    gamma: float


def _positive(**values: float) -> None:
    for name, value in values.items():
        ensure_range(name, np.asarray(value, dtype="float64"), 0.0, np.inf, "1", above=True)


def neumann_solution(
    time_days: Any,
    depth: Any = 0.0,
    *,
    surface_temperature: float,
    initial_temperature: float,
    conductivity_thawed: float,
    conductivity_frozen: float,
    heat_capacity_thawed: float,
    heat_capacity_frozen: float,
    latent_heat: float,
    freezing_point: float = 0.0,
) -> NeumannSolution:
    r"""Neumann solution: uniform ground whose surface is suddenly kept above, or below, the freezing point.

    Parameters
    ----------
    time_days : float or array [time; d]
        Since the surface changed; above 0.
    depth : float or array [depth; m]
    surface_temperature : float [degC]
        Above the freezing point for thawing, below it for freezing.
    initial_temperature : float [degC]
        On the other side of the freezing point, or at it.
    conductivity_thawed, conductivity_frozen : float [W m-1 K-1]
    heat_capacity_thawed, heat_capacity_frozen : float [J m-3 K-1]
    latent_heat : float [J m-3]
        Of the water in the ground: 3.34e8 times its volumetric content.
    freezing_point : float [degC]

    Returns
    -------
    NeumannSolution
        front [time; m], temperature [time, depth; degC] (without the axes of scalars) and the coefficient.

    Raises
    ------
    UsageError
        When surface and initial temperature lie on one side of the freezing point.
    DataError
        When a property or a time is not above 0.

    Notes
    -----
    The front is at :math:`X = 2 \lambda \sqrt{\alpha t}`, where, with 1 for the ground that the front has passed
    and 2 for the ground ahead of it,

    .. math::

        \frac{e^{-\lambda^2}}{\mathrm{erf} \lambda} - \frac{k_2}{k_1} \sqrt{\frac{\alpha_1}{\alpha_2}}
        \frac{|T_f - T_i|}{|T_s - T_f|} \frac{e^{-\lambda^2 \alpha_1 / \alpha_2}}
        {\mathrm{erfc}(\lambda \sqrt{\alpha_1 / \alpha_2})} = \frac{\lambda L \sqrt{\pi}}{C_1 |T_s - T_f|}

    References
    ----------
    Carslaw, H. S., & Jaeger, J. C. (1959). Conduction of heat in solids, 2nd ed., 11.2. Oxford.

    Examples
    --------
    >>> solution = neumann_solution(
    ...     100.0, surface_temperature=5.0, initial_temperature=-2.0, conductivity_thawed=1.0,
    ...     conductivity_frozen=1.8, heat_capacity_thawed=2.8e6, heat_capacity_frozen=2.0e6, latent_heat=1.336e8)
    >>> round(solution.coefficient, 10), round(solution.front, 7)
    (0.2105850602, 0.7398359)
    """
    _positive(
        conductivity_thawed=conductivity_thawed,
        conductivity_frozen=conductivity_frozen,
        heat_capacity_thawed=heat_capacity_thawed,
        heat_capacity_frozen=heat_capacity_frozen,
        latent_heat=latent_heat,
    )
    ts, ti = surface_temperature - freezing_point, initial_temperature - freezing_point
    if ts == 0.0 or ts * ti > 0.0:
        raise UsageError(
            f"a surface of {surface_temperature:g} degC over ground of {initial_temperature:g} degC",
            expected="temperatures on both sides of the freezing point",
        )
    passed, ahead = (conductivity_thawed, heat_capacity_thawed), (conductivity_frozen, heat_capacity_frozen)
    if ts < 0.0:
        passed, ahead = ahead, passed
    (k1, c1), (k2, c2) = passed, ahead
    ratio = np.sqrt((k1 / c1) / (k2 / c2))

    def imbalance(x: float) -> float:
        # e^-(r x)^2 / erfc(r x) is 1 / erfcx, which does not overflow.
        ahead_flux = (k2 / k1) * ratio * abs(ti / ts) / erfcx(x * ratio)
        return float(
            np.exp(-(x**2)) / erf(x) - ahead_flux - x * latent_heat * np.sqrt(np.pi) / (c1 * abs(ts))
        )

    coefficient = float(brentq(imbalance, 1e-12, 20.0, xtol=1e-15, rtol=1e-14))
    time, z, shape = _axes(time_days, depth)
    spread = 2.0 * np.sqrt(k1 / c1 * time)
    front = coefficient * spread
    behind = ts * (1.0 - erf(z / spread) / erf(coefficient))
    before = ti * (1.0 - erfc(z / spread * ratio) / erfc(coefficient * ratio))
    temperature = freezing_point + np.where(z < front, behind, before)
    return NeumannSolution(_plain(front[..., 0], shape[:1]), _plain(temperature, shape), coefficient)


def lunardini_solution(
    time_days: Any,
    depth: Any = 0.0,
    *,
    surface_temperature: float,
    initial_temperature: float,
    residual_temperature: float,
    conductivities: tuple[float, float, float],
    heat_capacity: float,
    latent_heat: float,
    freezing_point: float = 0.0,
) -> LunardiniSolution:
    r"""Lunardini solution: ground freezing from above over a range of temperatures, in three zones.

    Parameters
    ----------
    time_days : float or array [time; d]
    depth : float or array [depth; m]
    surface_temperature : float [degC]
        Below `residual_temperature`.
    initial_temperature : float [degC]
        Above the freezing point.
    residual_temperature : float [degC]
        T_m, at which the last water that freezes is frozen.
    conductivities : tuple of float [W m-1 K-1]
        Of frozen, partly frozen and thawed ground.
    heat_capacity : float [J m-3 K-1]
        Of all three.
    latent_heat : float [J m-3]
        Set free from the freezing point to `residual_temperature`.
    freezing_point : float [degC]

    Returns
    -------
    LunardiniSolution

    Raises
    ------
    UsageError
        When the temperatures are not in order.
    DataError
        When a property or a time is not above 0.

    Notes
    -----
    With :math:`\alpha_4 = k_2 / (C + L / (T_f - T_m))` in the middle zone, the fronts are at
    :math:`X_1 = 2 \psi \sqrt{\alpha_1 t}` and :math:`X = 2 \gamma \sqrt{\alpha_4 t}`, where psi and gamma make the
    heat flux continuous at both.

    References
    ----------
    Lunardini, V. J. (1985). Freezing of soil with phase change occurring over a finite temperature zone. OMAE.
    McKenzie, J. M., et al. (2007). Adv. Water Resour. 30, 966-983. doi:10.1016/j.advwatres.2006.08.008

    Examples
    --------
    >>> solution = lunardini_solution(
    ...     1.0, surface_temperature=-6.0, initial_temperature=4.0, residual_temperature=-1.0,
    ...     conductivities=(3.464352, 2.941352, 2.418352), heat_capacity=690360.0,
    ...     latent_heat=334720 * 1680 * (0.2 - 0.0782))
    >>> round(solution.frozen_front, 7), round(solution.freezing_front, 7)
    (0.180928, 0.2497117)
    """
    k1, k2, k3 = conductivities
    _positive(k1=k1, k2=k2, k3=k3, heat_capacity=heat_capacity, latent_heat=latent_heat)
    order = (surface_temperature, residual_temperature, freezing_point, initial_temperature)
    if not (order[0] < order[1] < order[2] < order[3]):
        raise UsageError(
            f"temperatures of {', '.join(f'{t:g}' for t in order)} degC",
            expected="surface below residual below freezing below initial temperature",
        )
    width = freezing_point - residual_temperature
    a1, a3 = k1 / heat_capacity, k3 / heat_capacity
    a4 = k2 / (heat_capacity + latent_heat / width)
    to, of = np.sqrt(a1 / a4), np.sqrt(a4 / a3)

    def fluxes(unknown: Array) -> list[float]:
        psi, gamma = np.exp(unknown[0]), np.exp(unknown[0]) * to + np.exp(unknown[1])
        between = erf(gamma) - erf(psi * to)
        frozen = (
            k1 * (residual_temperature - surface_temperature) / np.sqrt(a1) * np.exp(-(psi**2)) / erf(psi)
        )
        upper = k2 * width / np.sqrt(a4) * np.exp(-((psi * to) ** 2)) / between
        lower = k2 * width / np.sqrt(a4) * np.exp(-(gamma**2)) / between
        thawed = k3 * (initial_temperature - freezing_point) / np.sqrt(a3) / erfcx(gamma * of)
        return [float(np.log(upper / frozen)), float(np.log(lower / thawed))]

    # Logarithms keep psi above 0 and the second front ahead of the first.
    tries = (root(fluxes, guess, tol=1e-14) for guess in _guesses(to))
    found = next((t for t in tries if np.abs(t.fun).max() < 1e-9), None)
    if found is None:
        raise DataError("no fronts were found", expected="properties of freezing ground")
    psi = float(np.exp(found.x[0]))
    gamma = float(psi * to + np.exp(found.x[1]))
    time, z, shape = _axes(time_days, depth)
    frozen_front, freezing_front = 2.0 * psi * np.sqrt(a1 * time), 2.0 * gamma * np.sqrt(a4 * time)
    ts, tm = surface_temperature, residual_temperature
    first = ts + (tm - ts) * erf(z / (2.0 * np.sqrt(a1 * time))) / erf(psi)
    share = (erf(z / (2.0 * np.sqrt(a4 * time))) - erf(gamma)) / (erf(gamma) - erf(psi * to))
    second = freezing_point + width * share
    ahead = erfc(z / (2.0 * np.sqrt(a3 * time))) / erfc(gamma * of)
    third = initial_temperature - (initial_temperature - freezing_point) * ahead
    temperature = np.where(z < frozen_front, first, np.where(z < freezing_front, second, third))
    return LunardiniSolution(
        _plain(frozen_front[..., 0], shape[:1]),
        _plain(freezing_front[..., 0], shape[:1]),
        _plain(temperature, shape),
        psi,
        gamma,
    )


def _guesses(to: float) -> list[Array]:
    return [np.log([psi, gap]) for psi in (0.1, 0.3, 0.03, 1.0) for gap in (0.5, 0.1, 1.5) if psi * to < 6.0]


def periodic_solution(
    time_days: Any,
    depth: Any = 0.0,
    *,
    mean: float,
    amplitude: float,
    diffusivity: float,
    period_days: float = 365.25,
) -> Any:
    r"""Temperature below a surface that follows a sine, in uniform ground without phase change.

    Parameters
    ----------
    time_days : float or array [time; d]
        The surface has its mean, rising, at 0.
    depth : float or array [depth; m]
    mean : float [degC]
    amplitude : float [K]
        Half the range of the surface.
    diffusivity : float [m2 s-1]
    period_days : float [d]

    Returns
    -------
    float or array [time, depth; degC]
        Without the axes of scalars.

    Raises
    ------
    DataError
        When diffusivity or period are not above 0.

    Notes
    -----
    .. math:: T = \bar T + A e^{-z/d} \sin(\omega t - z/d), \quad d = \sqrt{\alpha P / \pi}

    Examples
    --------
    >>> round(periodic_solution(91.3125 + 91.7072, 5.0, mean=0.0, amplitude=20.0, diffusivity=1e-6), 5)
    4.12946
    """
    _positive(diffusivity=diffusivity, period_days=period_days)
    ensure_celsius("mean", np.asarray(mean, dtype="float64"))
    time, z = np.asarray(time_days, dtype="float64"), np.asarray(depth, dtype="float64")
    damping = z.reshape(1, -1) / np.sqrt(diffusivity * period_days * _DAY / np.pi)
    angle = 2.0 * np.pi * time.reshape(-1, 1) / period_days - damping
    out = mean + amplitude * np.exp(-damping) * np.sin(angle)
    return _plain(out, (time.ndim, z.ndim))


def _axes(time_days: Any, depth: Any) -> tuple[Array, Array, tuple[int, int]]:
    """Times [time, 1; s] and depths [1, depth; m], and how many axes the user gave each."""
    time, z = np.asarray(time_days, dtype="float64"), np.asarray(depth, dtype="float64")
    ensure_range("time_days", time, 0.0, np.inf, "d", above=True)
    ensure_range("depth", z, 0.0, np.inf, "m")
    return time.reshape(-1, 1) * _DAY, z.reshape(1, -1), (time.ndim, z.ndim)


def _plain(values: Array, axes: tuple[int, ...]) -> Any:
    """Drop the axes that stand for scalars."""
    shape = tuple(n for n, given in zip(np.atleast_1d(values).shape, axes, strict=False) if given)
    out = np.reshape(values, shape)
    return out.item() if not shape else out
