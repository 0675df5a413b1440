"""Nested Newton iterations for one column, which converge whatever the step and the forcing.

Enthalpy is split into two convex functions of temperature, H = H1 - H2, and linearised in one of them at a time
(Casulli and Zanolli). Both are chains of straight lines here, so that the iterations end after finitely many.
"""

from __future__ import annotations

import numpy as np

from geotools.guards import Array
from geotools.space.compiled import kernel

_OUTER, _INNER = 200, 200
# Enthalpies closer than this are equal: 1e-12 K of ground, or the rounding of a steep line.
_SMALL, _ROUNDING = 1e-6, 1e-13


@kernel
def segment(nodes: Array, temperature: float) -> int:
    """Number of nodes at or below a temperature."""
    low, high = 0, nodes.size
    while low < high:
        middle = (low + high) // 2
        if nodes[middle] <= temperature:
            low = middle + 1
        else:
            high = middle
    return low


@kernel
def nested_newton(
    nodes: Array,
    enthalpies: Array,
    below: Array,
    above: Array,
    storage: Array,
    conductance: Array,
    source: Array,
    temperature: Array,
) -> bool:
    """Solve one implicit step of one column.

    The equation of cell i is, with the temperatures of its neighbours,
    ``storage H(T) + (g[i] + g[i+1]) T - g[i] T[i-1] - g[i+1] T[i+1] = source``.

    Parameters
    ----------
    nodes, enthalpies : array [cell, node; degC, J m-3]
        Enthalpy as a function of temperature.
    below, above : array [cell; J m-3 K-1]
        Heat capacities beyond the first and the last node.
    storage : array [cell; m s-1]
        Thickness over step.
    conductance : array [cell + 1; W m-2 K-1]
        Of the faces; that of the last one is 0.
    source : array [cell; W m-2]
    temperature : array [cell; degC]
        First guess, and the solution afterwards.

    Returns
    -------
    bool
        Whether it converged.

    References
    ----------
    Casulli, V., & Zanolli, P. (2010). SIAM J. Sci. Comput. 32, 2255-2273. doi:10.1137/100786320
    Tubini, N., Gruber, S., & Rigon, R. (2021). Cryosphere 15, 2541-2568. doi:10.5194/tc-15-2541-2021
    """
    cells, count = nodes.shape
    # Jordan decomposition of dH/dT: rise and fall are its summed increases and decreases, segment by segment.
    rise, fall = np.empty((cells, count + 1)), np.empty((cells, count + 1))
    convex, concave = np.empty((cells, count)), np.empty((cells, count))  # H1 and H2 at the nodes
    start, top = np.empty(cells), np.empty(cells)
    for i in range(cells):
        slope, up, down = below[i], below[i], 0.0
        rise[i, 0], fall[i, 0] = up, down
        # From the last line before dH/dT first falls, and from where it last rises.
        first, last = nodes[i, count - 1], nodes[i, 0]
        for k in range(1, count + 1):
            new = above[i]
            if k < count:
                new = (enthalpies[i, k] - enthalpies[i, k - 1]) / (nodes[i, k] - nodes[i, k - 1])
            if new > slope:
                up += new - slope
                last = max(last, nodes[i, k - 1])
            elif new < slope:
                down += slope - new
                first = min(first, nodes[i, k - 2] if k > 1 else nodes[i, 0] - 1.0)
            rise[i, k], fall[i, k], slope = up, down, new
        concave[i, 0] = 0.0
        for k in range(1, count):
            concave[i, k] = concave[i, k - 1] + fall[i, k] * (nodes[i, k] - nodes[i, k - 1])
        for k in range(count):
            convex[i, k] = enthalpies[i, k] + concave[i, k]
        start[i], top[i] = first, last
    # From below, where H2 is flat, the outer iterates only grow; from above the inner ones only fall.
    for i in range(cells):
        temperature[i] = min(temperature[i], start[i])
    inner, trial = np.empty(cells), np.empty(cells)
    falls, rises = np.empty(cells, np.int64), np.empty(cells, np.int64)
    eliminated, reduced = np.empty(cells), np.empty(cells)
    for _ in range(_OUTER):
        for i in range(cells):
            falls[i] = segment(nodes[i], temperature[i])
            inner[i] = max(temperature[i], top[i])
        settled = False
        for _ in range(_INNER):
            for i in range(cells):
                k, s = segment(nodes[i], inner[i]), falls[i]
                rises[i] = k
                at, of = max(k - 1, 0), max(s - 1, 0)
                # Both lines through their nodes: H1 = convex + rise (T - node), H2 = concave + fall (T - node).
                slope = rise[i, k] - fall[i, s]
                constant = (convex[i, at] - rise[i, k] * nodes[i, at]) - (
                    concave[i, of] - fall[i, s] * nodes[i, of]
                )
                g, h = conductance[i], conductance[i + 1]
                from_above, carried = (1.0 - eliminated[i - 1], reduced[i - 1]) if i else (1.0, 0.0)
                pivot = storage[i] * slope + h + g * from_above
                eliminated[i] = h / pivot
                reduced[i] = (source[i] - storage[i] * constant + g * carried) / pivot
            for i in range(cells - 1, -1, -1):
                trial[i] = reduced[i] + (eliminated[i] * trial[i + 1] if i < cells - 1 else 0.0)
            settled = _on_curve(nodes, rise, rises, trial)
            inner[:] = trial
            if settled:
                break
        done = settled and _on_curve(nodes, fall, falls, inner)
        temperature[:] = inner
        if done:
            return True
    return False


@kernel
def _on_curve(nodes: Array, slopes: Array, segments: Array, temperature: Array) -> bool:
    """Whether the lines that were used meet the chain of lines at the temperatures that came out."""
    for i in range(temperature.size):
        k, used, t = segment(nodes[i], temperature[i]), segments[i], temperature[i]
        apart = 0.0
        for m in range(min(k, used), max(k, used)):
            # Each node that was passed turns the line by the difference of the slopes.
            apart += (slopes[i, m + 1] - slopes[i, m]) * (t - nodes[i, m])
        if abs(apart) > _SMALL + _ROUNDING * slopes[i, max(k, used)] * (1.0 + abs(t)):
            return False
    return True
