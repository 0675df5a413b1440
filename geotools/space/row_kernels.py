"""Kernels that apply an overlap stored as runs: one pass over each row of a field.

The ends of all runs of a row cut it into segments. A kernel adds up each segment once, in float64, and then puts
every run together from its segments and adds the edge cells one by one. Rows and cells of no zone are not
read. Segments and not differences of running sums: one infinite or absurd value then stays with the zones
that hold it, and no digits are lost.

All take `layout`, which `RunMatrix` prepares: see `Layout`.
"""
# mypy: disable-error-code="no-untyped-def, no-untyped-call"

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from geotools.space.compiled import kernel, reordering_kernel
from geotools.space.lanes import WIDTH, across, add_product, choose, fill, load, reaches, store
from geotools.space.vector_sums import known_sum

# Steps that are added up side by side, in the lanes of a vector: what a row is made of is looked up once for all.
STEPS = WIDTH


class Layout(NamedTuple):
    """Runs and edge cells in order of rows.

    `*_start` [row + 1] say where each row starts. A segment is its first column and the one behind its last;
    `segment_weight` says where in `weights` the areas of its cells start, for which `row_area` is then only a
    factor. A run is its zone and the range of segments it is made of. An edge cell is its zone, its column,
    the covered share and the area [m2].
    """

    segment_start: NDArray[np.int64]
    segment_first: NDArray[np.int32]
    segment_stop: NDArray[np.int32]
    segment_weight: NDArray[np.int64]
    run_start: NDArray[np.int64]
    run_zone: NDArray[np.int32]
    run_low: NDArray[np.int32]
    run_high: NDArray[np.int32]
    edge_start: NDArray[np.int64]
    edge_zone: NDArray[np.int32]
    edge_column: NDArray[np.int32]
    edge_share: NDArray[np.float64]
    edge_area: NDArray[np.float64]
    row_area: NDArray[np.float64]
    weights: NDArray[np.float64]
    even: bool


@kernel
def cut_rows(run_start, first, last):
    """Segments of each row: where rows start, first and stop column; and of each run, its range of segments."""
    rows = run_start.size - 1
    start = np.zeros(rows + 1, np.int64)
    segment_first = np.empty(2 * first.size, np.int32)
    segment_stop = np.empty(2 * first.size, np.int32)
    low = np.empty(first.size, np.int32)
    high = np.empty(first.size, np.int32)
    n = 0
    for r in range(rows):
        a, b = run_start[r], run_start[r + 1]
        start[r] = n
        if b > a:
            cuts = np.unique(np.concatenate((first[a:b], last[a:b] + np.int32(1))))
            depth = np.zeros(cuts.size, np.int64)
            at = np.searchsorted(cuts, first[a:b])
            to = np.searchsorted(cuts, last[a:b] + np.int32(1))
            for k in range(b - a):
                depth[at[k]] += 1
                depth[to[k]] -= 1
            # Cuts between which no run lies make no segment.
            number = np.empty(cuts.size, np.int32)
            covers, s = 0, 0
            for k in range(cuts.size):
                number[k] = s
                covers += depth[k]
                if covers > 0:
                    segment_first[n], segment_stop[n] = cuts[k], cuts[k + 1]
                    n += 1
                    s += 1
            for k in range(b - a):
                low[a + k], high[a + k] = number[at[k]], number[to[k]]
    start[rows] = n
    return start, segment_first[:n].copy(), segment_stop[:n].copy(), low, high


@reordering_kernel
def _weighted_segment(row, first, weights):
    total, plain, area = 0.0, 0.0, 0.0
    for i in range(weights.size):
        v = row[np.uint32(first + i)]
        known = v == v
        here = np.float64(v) if known else 0.0
        plain += here
        total += here * weights[i]
        area += np.float64(known) * weights[i]
    return total, plain, area


@kernel
def zone_areas(layout, out):
    """Add the whole area of each zone to `out` [zone; m2]."""
    for r in range(layout.run_start.size - 1):
        start = layout.segment_start[r]
        for k in range(layout.run_start[r], layout.run_start[r + 1]):
            area = 0.0
            for s in range(start + layout.run_low[k], start + layout.run_high[k]):
                width = layout.segment_stop[s] - layout.segment_first[s]
                if layout.even:
                    area += width
                else:
                    for i in range(layout.segment_weight[s], layout.segment_weight[s] + width):
                        area += layout.weights[i]
            out[layout.run_zone[k]] += area * layout.row_area[r]
        for k in range(layout.edge_start[r], layout.edge_start[r + 1]):
            out[layout.edge_zone[k]] += layout.edge_area[k]


@kernel
def _most_segments(start, r0, r1):
    most = 0
    for r in range(r0, r1):
        most = max(most, start[r + 1] - start[r])
    return most


@kernel
def _row_sums_of_one(values, step, r0, r1, layout, amounts, sums, areas):
    """As `row_sums` for a single step, without the arrays that hold steps side by side."""
    start, columns = layout.segment_start, values.shape[2]
    flat, here = values.reshape(-1), step * values.shape[1] * columns
    part = np.zeros((_most_segments(start, r0, r1), 2))
    zone = np.zeros((sums.shape[1], 2))
    for r in range(r0, r1):
        row = here + r * columns
        scale = 1.0 if amounts else layout.row_area[r]
        for s in range(start[r], start[r + 1]):
            k = s - start[r]
            first, stop = layout.segment_first[s], layout.segment_stop[s]
            if layout.even:
                part[k, 0], part[k, 1] = known_sum(flat, row + first, stop - first, columns)
            else:
                w = layout.segment_weight[s]
                weighted, plain, area = _weighted_segment(
                    values[step, r], first, layout.weights[w : w + stop - first]
                )
                part[k, 0], part[k, 1] = plain if amounts else weighted, area
        for k in range(layout.run_start[r], layout.run_start[r + 1]):
            run_total, run_area = 0.0, 0.0
            for s in range(layout.run_low[k], layout.run_high[k]):
                run_total += part[s, 0]
                run_area += part[s, 1]
            z = layout.run_zone[k]
            zone[z, 0] += run_total * scale
            zone[z, 1] += run_area * layout.row_area[r]
        for k in range(layout.edge_start[r], layout.edge_start[r + 1]):
            z, v = layout.edge_zone[k], flat[row + layout.edge_column[k]]
            covered = layout.edge_area[k]
            weight = layout.edge_share[k] if amounts else covered
            known = v == v
            zone[z, 0] += (np.float64(v) if known else 0.0) * weight
            zone[z, 1] += np.float64(known) * covered
    for z in range(zone.shape[0]):
        sums[step, z] += zone[z, 0]
        areas[step, z] += zone[z, 1]


@kernel
def row_sums(values, t0, t1, r0, r1, layout, amounts, sums, areas):
    """Sums and valid areas [step, zone] of the steps t0 to t1 and the rows r0 to r1.

    `values` [step, y, x], contiguous; with `amounts` the values are amounts per cell and are weighted by shares of
    cells. The result of a step does not depend on which steps are added up beside it.
    """
    start, columns = layout.segment_start, values.shape[2]
    flat, stride = values.reshape(-1), values.shape[1] * columns
    most = _most_segments(start, r0, r1)
    total, area = np.zeros((most, STEPS)), np.zeros((most, STEPS))
    zone_total, zone_area = np.zeros((sums.shape[1], STEPS)), np.zeros((sums.shape[1], STEPS))
    nothing = fill(0.0)
    for b in range(t0, t1, STEPS):
        n = min(STEPS, t1 - b)
        if n == 1:
            _row_sums_of_one(values, b, r0, r1, layout, amounts, sums, areas)
            continue
        zone_total[:], zone_area[:] = 0.0, 0.0
        for r in range(r0, r1):
            scale = 1.0 if amounts else layout.row_area[r]
            row = b * stride + r * columns
            for s in range(start[r], start[r + 1]):
                k = s - start[r]
                first, stop = layout.segment_first[s], layout.segment_stop[s]
                if layout.even:
                    for t in range(n):
                        at = row + t * stride + first
                        total[k, t], area[k, t] = known_sum(flat, at, stop - first, columns)
                else:
                    w = layout.segment_weight[s]
                    weights = layout.weights[w : w + stop - first]
                    for t in range(n):
                        weighted, plain, area[k, t] = _weighted_segment(values[b + t, r], first, weights)
                        total[k, t] = plain if amounts else weighted
            for k in range(layout.run_start[r], layout.run_start[r + 1]):
                run_total, run_area = nothing, nothing
                for s in range(layout.run_low[k], layout.run_high[k]):
                    run_total = run_total + load(total, s)
                    run_area = run_area + load(area, s)
                z = layout.run_zone[k]
                store(zone_total, z, add_product(load(zone_total, z), run_total, scale))
                store(zone_area, z, add_product(load(zone_area, z), run_area, layout.row_area[r]))
            for k in range(layout.edge_start[r], layout.edge_start[r + 1]):
                z, covered = layout.edge_zone[k], layout.edge_area[k]
                weight = layout.edge_share[k] if amounts else covered
                v = across(flat, row + layout.edge_column[k], stride, n)
                known = reaches(v, v)  # not NaN
                store(zone_total, z, add_product(load(zone_total, z), choose(known, v, nothing), weight))
                store(zone_area, z, load(zone_area, z) + choose(known, fill(covered), nothing))
        for t in range(n):
            for z in range(sums.shape[1]):
                sums[b + t, z] += zone_total[z, t]
                areas[b + t, z] += zone_area[z, t]


@kernel
def class_of(code, classes, last):
    """Position of a code among the ascending classes, -1 for none; `last` is tried first."""
    if last >= 0 and classes[last] == code:
        return last
    at = np.searchsorted(classes, code)
    return at if at < classes.size and classes[at] == code else -1


@kernel
def class_sums(codes, t0, t1, r0, r1, layout, classes, areas, unknown):
    """Areas [step, class, zone] of each class, as `row_sums`.

    Of the codes that are no class, the first few are put into `unknown` [8]; gives how many are there.
    """
    start = layout.segment_start
    most = _most_segments(start, r0, r1)
    area = np.zeros((most, classes.size))
    strange, c = 0, -1
    for r in range(r0, r1):
        for t in range(t0, t1):
            for s in range(start[r], start[r + 1]):
                k = s - start[r]
                area[k, :] = 0.0
                first, w = layout.segment_first[s], layout.segment_weight[s]
                for i in range(first, layout.segment_stop[s]):
                    code = codes[t, r, i]
                    if code != code:
                        continue
                    c = class_of(code, classes, c)
                    if c >= 0:
                        area[k, c] += 1.0 if layout.even else layout.weights[w + i - first]
                    else:
                        strange = note(code, unknown, strange)
            for k in range(layout.run_start[r], layout.run_start[r + 1]):
                z = layout.run_zone[k]
                for s in range(layout.run_low[k], layout.run_high[k]):
                    for c in range(classes.size):
                        areas[t, c, z] += area[s, c] * layout.row_area[r]
            for k in range(layout.edge_start[r], layout.edge_start[r + 1]):
                code = codes[t, r, layout.edge_column[k]]
                if code == code:
                    c = class_of(code, classes, c)
                    if c >= 0:
                        areas[t, c, layout.edge_zone[k]] += layout.edge_area[k]
                    else:
                        strange = note(code, unknown, strange)
    return strange


@kernel
def note(code, unknown, n):
    """Put a code among the first n of `unknown`, if it is not there and there is room; gives the new number."""
    for k in range(n):
        if unknown[k] == code:
            return n
    if n < unknown.size:
        unknown[n] = code
        return n + 1
    return n
