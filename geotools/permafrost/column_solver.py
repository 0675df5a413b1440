"""One implicit step of heat conduction with phase change, for eight columns at once.

Enthalpy is the unknown. Every step is solved by Newton iterations on straight lines through the enthalpy curve
of each cell: when no cell leaves the line it was put on, the solution is exact. Columns that have not settled
after some iterations go to `nested_newton` one by one.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from geotools.guards import Array
from geotools.permafrost.column_arrays import ARITHMETIC, GEOMETRIC, Ground, Work
from geotools.permafrost.nested_newton import nested_newton, segment
from geotools.space.compiled import kernel
from geotools.space.lanes import (
    WIDTH,
    any_of,
    both,
    choose,
    either,
    element,
    fill,
    less,
    load,
    reaches,
    store,
)

ITERATIONS = 12
# J m-3: within this of the end of a line a cell counts as on it. Rounding is a thousand times smaller, and ground
# changes its temperature by less than 1e-11 K with it.
_SLACK = 1e-5
_FAR = 1e300


@kernel
def smaller(a: Any, b: Any) -> Any:
    """Column by column the smaller of two vectors."""
    return choose(less(b, a), b, a)


@kernel
def larger(a: Any, b: Any) -> Any:
    """Column by column the larger of two vectors."""
    return choose(less(a, b), b, a)


@kernel
def exponential(x: Any) -> Any:
    """Exponential function of a vector, to 1e-8 for arguments between -4 and 4."""
    y = x * 0.0625
    p = 1.0 + y * (1.0 + y * (1 / 2 + y * (1 / 6 + y * (1 / 24 + y * (1 / 120 + y * (1 / 720))))))
    p = p * p
    p = p * p
    p = p * p
    return p * p


@kernel
def find_line(nodes: Array, enthalpies: Array, material: int, lane: int, enthalpy: float) -> int:
    """Number of nodes of a table at or below an enthalpy."""
    low, high = 0, nodes.shape[1]
    while low < high:
        middle = (low + high) // 2
        if enthalpies[material, middle, lane] <= enthalpy:
            low = middle + 1
        else:
            high = middle
    return low


@kernel
def look_up_lines(ground: Ground, enthalpy: Array, work: Work) -> None:
    """From the tables: straight line ``H = slope T + intercept`` through each cell, and where it ends.

    Cells mostly stay on the line they were on; only those that left it are looked up.
    """
    count = ground.temperatures.shape[1]
    for i in range(ground.thickness.size):
        h = load(enthalpy, i)
        if not any_of(either(less(h, load(work.lower, i)), reaches(h, load(work.upper, i)))):
            continue
        for j in range(WIDTH):
            if work.lower[i, j] <= enthalpy[i, j] < work.upper[i, j]:
                continue
            m = ground.material[i, j]
            k = find_line(ground.temperatures, ground.enthalpies, m, j, enthalpy[i, j])
            at = max(k - 1, 0)
            node, low = ground.temperatures[m, at, j], ground.enthalpies[m, at, j]
            rise = 0.0
            if k == 0:
                slope = element(ground.capacity_frozen, i, j)
            elif k == count:
                slope = element(ground.capacity_thawed, i, j)
            else:
                step = ground.enthalpies[m, k, j] - low
                slope = step / (ground.temperatures[m, k, j] - node)
                rise = (ground.saturations[m, k, j] - ground.saturations[m, at, j]) / step
            work.slope[i, j] = slope
            work.intercept[i, j] = low - slope * node
            work.lower[i, j] = low if k > 0 else -_FAR
            work.upper[i, j] = ground.enthalpies[m, k, j] if k < count else _FAR
            work.first[i, j] = ground.saturations[m, at, j]
            work.rise[i, j] = rise


@kernel
def saturate(ground: Ground, enthalpy: Array, work: Work) -> None:
    """Share of the water that is liquid, into `work.liquid`."""
    cells = ground.thickness.size
    if not ground.tabulated:
        for i in range(cells):
            share = load(enthalpy, i) / load(ground.heat, i)
            store(work.liquid, i, smaller(larger(share, fill(0.0)), fill(1.0)))
        return
    look_up_lines(ground, enthalpy, work)
    for i in range(cells):
        above = load(enthalpy, i) - load(work.lower, i)
        store(work.liquid, i, load(work.first, i) + load(work.rise, i) * above)


@kernel
def resist(ground: Ground, work: Work) -> None:
    """Thermal resistance of half of each cell, and conductance of its upper face."""
    one = fill(1.0)
    last = fill(0.0)
    for i in range(ground.thickness.size):
        s = load(work.liquid, i)
        frozen, thawed = load(ground.resistance_frozen, i), load(ground.resistance_thawed, i)
        if ground.blend == GEOMETRIC:
            half = frozen * exponential(s * load(ground.log_ratio, i))
        elif ground.blend == ARITHMETIC:
            half = one / ((one - s) / frozen + s / thawed)
        else:
            partly = 2.0 / (one / frozen + one / thawed)
            half = choose(less(fill(0.0), s), choose(less(s, one), partly, thawed), frozen)
        store(work.resistance, i, half)
        store(work.conductance, i, one / (last + half))
        last = half


@kernel
def solve_lines(ground: Ground, enthalpy: Array, geothermal: Array, step: float, work: Work) -> Any:
    """One linear solution, put into `enthalpy` and `work.temperature` where the lane still runs.

    Returns whether any lane has a cell that left its line. Without tables the lines are found on the way, which
    is most of what makes the difference in speed.
    """
    cells = ground.thickness.size
    zero, far = fill(0.0), fill(_FAR)
    factor, carried = zero, zero
    per_step = 1.0 / step  # the divider is busy enough
    g = load(work.top, 0)
    source = load(work.top, 1)
    for i in range(cells):
        below = load(work.conductance, i + 1) if i < cells - 1 else zero
        if i == cells - 1:
            source = source + load(geothermal, 0)
        if ground.tabulated:
            slope, intercept = load(work.slope, i), load(work.intercept, i)
        else:
            h, heat = load(enthalpy, i), load(ground.heat, i)
            thawed = less(heat, h)
            partly = choose(thawed, load(ground.capacity_thawed, i), load(ground.capacity_between, i))
            slope = choose(less(h, zero), load(ground.capacity_frozen, i), partly)
            from_end = heat - slope * load(ground.end, i)
            intercept = choose(thawed, from_end, zero - slope * load(ground.start, i))
            store(work.slope, i, slope)
            store(work.intercept, i, intercept)
        storage = fill(ground.thickness[i] * per_step)
        known = storage * (load(work.before, i) - intercept) + source
        pivot = 1.0 / (storage * slope + below + g * (1.0 - factor))
        carried = (known + g * carried) * pivot
        factor = below * pivot
        store(work.eliminated, i, factor)
        store(work.reduced, i, carried)
        g = below
        source = zero
    running = less(zero, load(work.running, 0))
    left = less(zero, zero)
    t = zero
    for i in range(cells - 1, -1, -1):
        t = load(work.reduced, i) + load(work.eliminated, i) * t
        h = load(work.slope, i) * t + load(work.intercept, i)
        old = load(enthalpy, i)
        if ground.tabulated:
            lower, upper = load(work.lower, i), load(work.upper, i)
        else:
            heat = load(ground.heat, i)
            frozen, thawed = less(old, zero), less(heat, old)
            lower = choose(frozen, zero - far, choose(thawed, heat, zero))
            upper = choose(frozen, zero, choose(thawed, far, heat))
        left = either(left, either(less(h, lower - _SLACK), less(upper + _SLACK, h)))
        store(work.temperature, i + 1, choose(running, t, load(work.temperature, i + 1)))
        store(enthalpy, i, choose(running, h, old))
    left = both(left, running)
    store(work.running, 0, choose(left, fill(1.0), zero))
    return any_of(left)


@kernel
def solve_nested(
    ground: Ground, enthalpy: Array, geothermal: Array, step: float, work: Work, lane: int
) -> bool:
    """The same step for one lane by nested Newton iterations."""
    cells, j = ground.thickness.size, lane
    count = ground.temperatures.shape[1] if ground.tabulated else 2
    nodes, values = np.empty((cells, count)), np.empty((cells, count))
    below, above = np.empty(cells), np.empty(cells)
    storage, conductance, source = np.empty(cells), np.zeros(cells + 1), np.empty(cells)
    guess = np.empty(cells)
    for i in range(cells):
        if ground.tabulated:
            m = ground.material[i, j]
            nodes[i], values[i] = ground.temperatures[m, :, j], ground.enthalpies[m, :, j]
        else:
            nodes[i, 0], nodes[i, 1] = element(ground.start, i, j), element(ground.end, i, j)
            values[i, 0], values[i, 1] = 0.0, element(ground.heat, i, j)
        below[i] = element(ground.capacity_frozen, i, j)
        above[i] = element(ground.capacity_thawed, i, j)
        storage[i] = ground.thickness[i] * (1.0 / step)
        conductance[i] = work.conductance[i, j] if i else work.top[0, j]
        source[i] = storage[i] * work.before[i, j]
        h = work.before[i, j]
        k = 0
        while k < count and values[i, k] <= h:
            k += 1
        at = max(k - 1, 0)
        slope = below[i] if k == 0 else above[i]
        if 0 < k < count:
            slope = (values[i, k] - values[i, at]) / (nodes[i, k] - nodes[i, at])
        guess[i] = nodes[i, at] + (h - values[i, at]) / slope
    source[0] += work.top[1, j]
    source[cells - 1] += geothermal[0, j]
    if not nested_newton(nodes, values, below, above, storage, conductance, source, guess):
        return False
    for i in range(cells):
        # From the fluxes and not from the curve: what leaves one cell enters the next to the last digit.
        t = guess[i]
        flux = work.top[1, j] - work.top[0, j] * t if i == 0 else conductance[i] * (guess[i - 1] - t)
        out = conductance[i + 1] * (t - guess[i + 1]) if i < cells - 1 else -geothermal[0, j]
        enthalpy[i, j] = work.before[i, j] + (flux - out) / storage[i]
        work.temperature[i + 1, j] = t
    return True


@kernel
def advance(
    ground: Ground,
    enthalpy: Array,
    geothermal: Array,
    step: float,
    work: Work,
    counts: Array,
    stuck: Array,
) -> None:
    """Take one step; `work` holds the conductances and the boundary condition of the top."""
    for i in range(ground.thickness.size):
        store(work.before, i, load(enthalpy, i))
    store(work.running, 0, fill(1.0))
    for _ in range(ITERATIONS):
        if ground.tabulated:
            look_up_lines(ground, enthalpy, work)
        counts[0] += 1
        if not solve_lines(ground, enthalpy, geothermal, step, work):
            return
    for j in range(WIDTH):
        if work.running[0, j] > 0.0:
            counts[1 + j] += 1
            if not solve_nested(ground, enthalpy, geothermal, step, work, j):
                stuck[j] = True


__all__ = ["ITERATIONS", "advance", "larger", "resist", "saturate", "segment", "smaller"]
