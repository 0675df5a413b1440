"""Array core of the disaggregation: the smoothest curve whose means over months are given.

Within a month the curve is a parabola with the mean of the month and two values at its ends, the nodes. All that is to
be found are the nodes; every day of the month is then a weighted sum of the two and of the mean.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import solve_banded

from geotools.guards import Array

Months = NDArray[np.int64]


def node_values(mean: Array, lengths: Array, cyclic: bool) -> Array:
    """Values between the months that join their parabolas with equal slopes.

    The curve minimises the mean square slope; a series begins and ends level.

    Parameters
    ----------
    mean : array [..., month; any units]
        A missing month splits its series in two.
    lengths : array [month; d]
    cyclic : bool
        Whether the first month follows the last.

    Returns
    -------
    array [..., month + 1; units of `mean`]
    """
    table = mean.reshape(-1, mean.shape[-1])
    out = np.full((table.shape[0], table.shape[1] + 1), np.nan)
    known = ~np.isnan(table)
    whole = known.all(axis=1)
    out[whole] = _solve(table[whole], lengths, cyclic)
    partly = known.any(axis=1) & ~whole
    if partly.any():
        # Cells of one grid mostly share the months that they miss.
        for pattern in np.unique(known[partly], axis=0):
            same = (known == pattern).all(axis=1)
            out[same] = _solve_parts(table[same], lengths, pattern, cyclic)
    return out.reshape(*mean.shape[:-1], -1)


def _solve_parts(mean: Array, lengths: Array, known: NDArray[np.bool_], cyclic: bool) -> Array:
    """Nodes [cell, month + 1] of series with the same missing months, each run of months by itself."""
    # A mean year is turned to begin behind a missing month, so that no run goes over its end.
    turn = int(np.argmin(known)) + 1 if cyclic else 0
    order = np.roll(np.arange(known.size), -turn)
    present = known[order]
    begins = np.flatnonzero(present & ~np.append(False, present[:-1]))
    ends = np.flatnonzero(present & ~np.append(present[1:], False)) + 1
    left, right = np.full(mean.shape, np.nan), np.full(mean.shape, np.nan)
    for begin, end in zip(begins, ends, strict=True):
        at = order[begin:end]
        nodes = _solve(mean[:, at], lengths[at], False)
        left[:, at], right[:, at] = nodes[:, :-1], nodes[:, 1:]
    # Neighbours agree where both are known, and only one of them is elsewhere.
    before = np.roll(right, 1, axis=1)
    if not cyclic:
        before[:, 0] = np.nan
    first = np.where(np.isnan(left), before, left)
    return np.column_stack([first, first[:, 0] if cyclic else right[:, -1]])


def _solve(mean: Array, lengths: Array, cyclic: bool) -> Array:
    """Nodes [cell, month + 1] of months [cell, month] of which none is missing."""
    count = lengths.size
    if cyclic:
        inverse = 1.0 / lengths
        before = np.roll(inverse, 1)
        months = np.arange(count)
        matrix = np.diag(4.0 * (before + inverse))
        np.add.at(matrix, (months, (months - 1) % count), 2.0 * before)
        np.add.at(matrix, (months, (months + 1) % count), 2.0 * inverse)
        pull = 6.0 * (np.roll(mean, 1, axis=1) * before + mean * inverse)
        nodes = np.linalg.solve(matrix, pull.T).T
        return np.column_stack([nodes, nodes[:, 0]])
    inverse = np.concatenate([[0.0], 1.0 / lengths, [0.0]])
    padded = np.pad(mean, ((0, 0), (1, 1)))
    pull = 6.0 * (padded[:, :-1] * inverse[:-1] + padded[:, 1:] * inverse[1:])
    bands = np.zeros((3, count + 1))
    bands[1] = 4.0 * (inverse[:-1] + inverse[1:])
    bands[0, 1:] = bands[2, :-1] = 2.0 * inverse[1:-1]
    return np.ascontiguousarray(solve_banded((1, 1), bands, pull.T).T)


def limited_ends(mean: Array, nodes: Array, low: float, high: float, cyclic: bool) -> tuple[Array, Array]:
    """Ends of the parabola of each month, moved so far that no day leaves the bounds.

    A parabola of mean m above 0 is nowhere negative when both ends lie within 0 and 3 m. Between two months a node
    moves to what suits both; where nothing does, because one of them lies near the lower bound and the other near the
    upper one, the curve jumps.

    Parameters
    ----------
    mean : array [..., month]
        Within the bounds.
    nodes : array [..., month + 1]
    low, high : float
        Infinite where there is no bound.
    cyclic : bool

    Returns
    -------
    left, right : array [..., month]
    """
    floor, ceiling = np.full(mean.shape, low), np.full(mean.shape, high)
    if np.isfinite(low):
        ceiling = np.minimum(ceiling, low + 3.0 * (mean - low))
    if np.isfinite(high):
        floor = np.maximum(floor, high - 3.0 * (high - mean))

    def both_sides(limit: Array, none: float) -> tuple[Array, Array]:
        """What the months before and behind each node ask for."""
        end = np.full((*mean.shape[:-1], 1), none)
        before = np.concatenate([limit[..., -1:] if cyclic else end, limit], axis=-1)
        return before, np.concatenate([limit, limit[..., :1] if cyclic else end], axis=-1)

    # A missing month asks for nothing.
    least, most = np.fmax(*both_sides(floor, -np.inf)), np.fmin(*both_sides(ceiling, np.inf))
    moved = np.fmin(np.fmax(nodes, least), most)
    return np.clip(moved[..., :-1], floor, ceiling), np.clip(moved[..., 1:], floor, ceiling)


def day_weights(day: Months, length: Months) -> tuple[Array, Array]:
    """Weights of both ends of a month, less its mean, in the mean of one of its days, less that of the month.

    Parameters
    ----------
    day : array [day]
        From 0 on within the month.
    length : array [day; d]
        Of the month in which the day lies.

    Returns
    -------
    left, right : array [day; 1]
        Their means over the days of a month are 0.

    Notes
    -----
    With s from 0 to 1 over the month, and both ends a and b less its mean, the curve less the mean is
    a (1 - 4 s + 3 s^2) + b (3 s^2 - 2 s), here integrated over the day.
    """
    n = length.astype("float64")
    i = day.astype("float64")
    square = (2.0 * i + 1.0) / n
    cube = (3.0 * i * i + 3.0 * i + 1.0) / (n * n)
    return 1.0 - 2.0 * square + cube, cube - square
