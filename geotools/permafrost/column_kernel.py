"""Stepping a block of eight columns through a forcing, with all statistics taken on the way."""

from __future__ import annotations

import numpy as np

from geotools.guards import Array
from geotools.permafrost.column_arrays import Forcing, Ground, Ledger, Requests, State, Work
from geotools.permafrost.column_solver import advance, larger, resist, saturate, smaller
from geotools.space.compiled import kernel
from geotools.space.lanes import WIDTH, choose, element, fill, less, load, store


@kernel
def cover(forcing: Forcing, step: int, snow: Array, work: Work) -> None:
    """Boundary condition at the top of the ground: the heat flux into it is ``top[1] - top[0] T``.

    The snow is one body with its heat capacity between two half resistances. Its temperature is linear in that
    of the ground and is eliminated, so that the form holds down to no snow at all.
    """
    surface, half = load(forcing.surface, step), load(work.resistance, 0)
    if forcing.snow_depth.shape[0] == 0:
        g = 1.0 / half
        store(work.top, 0, g)
        store(work.top, 1, g * surface)
        return
    zero = fill(0.0)
    depth, k2 = load(forcing.snow_depth, step), 2.0 * load(forcing.snow_conductivity, 0)
    lies = less(zero, depth)
    # Snow does not get warmer than its melting point.
    surface = choose(lies, smaller(surface, zero), surface)
    # What fell since the last step has the temperature of the surface; what melted had that of the snow.
    old = smaller(load(snow, 1), depth)
    whole = choose(lies, depth, fill(1.0))
    mixed = (old * load(snow, 0) + (depth - old) * surface) / whole
    start = choose(lies, mixed, surface)
    to_ground = 1.0 / (depth / k2 + half)
    stored = load(forcing.snow_capacity, 0) * depth * depth / fill(forcing.step)
    fixed = stored + k2
    total = fixed + depth * to_ground
    constant = (stored * start + k2 * surface) / total
    store(work.snow, 0, constant)
    store(work.snow, 1, depth * to_ground / total)
    store(work.top, 0, to_ground * (fixed / total))
    store(work.top, 1, to_ground * constant)
    store(snow, 1, depth)


@kernel
def settle(ground: Ground, forcing: Forcing, state: State, ledger: Ledger, work: Work) -> None:
    """After a step: fluxes into the ledger, and temperatures of snow, surface and base."""
    cells = ground.thickness.size
    first = load(work.temperature, 1)
    flux = load(work.top, 1) - load(work.top, 0) * first
    store(work.temperature, 0, first + flux * load(work.resistance, 0))
    deep = load(forcing.geothermal, 0)
    last = load(work.temperature, cells)
    store(work.temperature, cells + 1, last + deep * load(work.resistance, cells - 1))
    if forcing.snow_depth.shape[0] > 0:
        store(state.snow, 0, load(work.snow, 0) + load(work.snow, 1) * first)
    for j in range(WIDTH):
        q = work.top[1, j] - work.top[0, j] * work.temperature[1, j]
        q0 = forcing.geothermal[0, j]
        ledger.gain[j] += (q + q0) * forcing.step
        ledger.turnover[j] += (abs(q) + abs(q0)) * forcing.step


@kernel
def count(state: State, work: Work, reset: bool) -> None:
    """Take a step into the sums and extremes of the year."""
    rows = work.temperature.shape[0]
    if reset:
        state.counted[0] = 0
        for i in range(rows):
            store(state.total, i, fill(0.0))
            store(state.low, i, fill(np.inf))
            store(state.high, i, fill(-np.inf))
    state.counted[0] += 1
    for i in range(rows):
        t = load(work.temperature, i)
        store(state.total, i, load(state.total, i) + t)
        store(state.low, i, smaller(load(state.low, i), t))
        store(state.high, i, larger(load(state.high, i), t))


@kernel
def thaw_of_year(ground: Ground, centres: Array, state: State, lane: int) -> tuple[float, float]:
    """Depth to which ground thawed in the year, and the mean temperature of the year there.

    From the largest temperature of each cell: from the surface down to the first ground that stayed frozen.
    NaN when nothing in the column stayed frozen.
    """
    cells, j = ground.thickness.size, lane
    edge = element(ground.end, 0, j) if ground.tabulated else element(ground.start, 0, j)
    if state.high[0, j] <= edge:
        return 0.0, state.total[0, j] / state.counted[0]
    depth = 0.0
    for i in range(cells):
        start, end = element(ground.start, i, j), element(ground.end, i, j)
        warmest = state.high[i + 1, j]
        if warmest >= end:
            depth += ground.thickness[i]
            continue
        if ground.tabulated:
            # Freezing goes on over kelvins: the front is where the freezing point is, between two centres.
            above = state.high[i, j]
            share = (above - end) / (above - warmest) if above > end else 0.0
            depth = centres[i] + share * (centres[i + 1] - centres[i])
        else:
            depth += ground.thickness[i] * max(warmest - start, 0.0) / (end - start)
        k = 1
        while k < cells + 1 and centres[k] < depth:
            k += 1
        share = (depth - centres[k - 1]) / (centres[k] - centres[k - 1])
        mean = state.total[k - 1, j] + share * (state.total[k, j] - state.total[k - 1, j])
        return depth, mean / state.counted[0]
    return np.nan, np.nan


@kernel
def write_year(ground: Ground, requests: Requests, state: State, year: int) -> None:
    """Put the statistics of a year into the results."""
    for d in range(requests.rows.size):
        i, w = requests.rows[d], requests.weights[d]
        for j in range(WIDTH):
            total = (1.0 - w) * state.total[i, j] + w * state.total[i + 1, j]
            requests.annual[year, 0, d, j] = total / state.counted[0]
            requests.annual[year, 1, d, j] = (1.0 - w) * state.low[i, j] + w * state.low[i + 1, j]
            requests.annual[year, 2, d, j] = (1.0 - w) * state.high[i, j] + w * state.high[i + 1, j]
    for j in range(WIDTH):
        depth, mean = thaw_of_year(ground, requests.centres, state, j)
        requests.thaw[year, 0, j] = depth
        requests.thaw[year, 1, j] = mean


@kernel
def march(
    ground: Ground,
    forcing: Forcing,
    state: State,
    requests: Requests,
    ledger: Ledger,
    work: Work,
) -> None:
    """Step a block through its forcing; the memory used does not depend on the number of steps.

    Conductivities are those at the start of each step, which keeps every step a convex problem.
    """
    cells = ground.thickness.size
    for n in range(forcing.surface.shape[0]):
        saturate(ground, state.enthalpy, work)
        resist(ground, work)
        cover(forcing, n, state.snow, work)
        advance(ground, state.enthalpy, forcing.geothermal, forcing.step, work, ledger.counts, ledger.stuck)
        settle(ground, forcing, state, ledger, work)
        if requests.year.size:
            count(state, work, requests.reset[n])
            if requests.year[n] >= 0:
                write_year(ground, requests, state, requests.year[n])
        if requests.series.shape[0]:
            for d in range(requests.rows.size):
                i, w = requests.rows[d], requests.weights[d]
                for j in range(WIDTH):
                    requests.series[n, d, j] = (1.0 - w) * work.temperature[i, j] + w * work.temperature[
                        i + 1, j
                    ]
        if requests.profile.shape[0]:
            saturate(ground, state.enthalpy, work)
            for i in range(cells):
                for j in range(WIDTH):
                    requests.profile[n, i, j] = work.temperature[i + 1, j]
                    requests.liquid[n, i, j] = work.liquid[i, j]
    for i in range(cells):
        store(ledger.temperature, i, load(work.temperature, i + 1))
