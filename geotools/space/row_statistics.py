"""Kernels for what is more than a sum: variances, extremes, and means by class. As in `row_kernels`.

Each row is cut into segments, each segment is looked at once, and runs are put together from segments.
"""
# mypy: disable-error-code="no-untyped-def, no-untyped-call"

from __future__ import annotations

import numpy as np

from geotools.space.compiled import kernel, reordering_kernel
from geotools.space.row_kernels import class_of, note


@reordering_kernel
def _sum_and_area(part, weights, even):
    total, area = 0.0, 0.0
    for i in range(part.size):
        v = part[i]
        w = 1.0 if even else weights[i]
        known = v == v
        total += np.float64(v) * w if known else 0.0
        area += w if known else 0.0
    return total, area


@reordering_kernel
def _squares(part, weights, even, mean):
    total = 0.0
    for i in range(part.size):
        v = part[i]
        w = 1.0 if even else weights[i]
        apart = np.float64(v) - mean
        total += apart * apart * w if v == v else 0.0
    return total


@kernel
def _add_moments(mean, squares, area, t, z, more_mean, more_squares, more_area):
    """Join two samples by the pairwise rule of Chan et al. (1983), which cancels no digits."""
    if more_area > 0.0:
        whole = area[t, z] + more_area
        apart = more_mean - mean[t, z]
        squares[t, z] += more_squares + apart * apart * area[t, z] * more_area / whole
        mean[t, z] += apart * more_area / whole
        area[t, z] = whole


@kernel
def row_moments(values, t0, t1, r0, r1, layout, mean, squares, area):
    """Mean, sum of squared deviations times area, and valid area [step, zone]; added to what is there."""
    start = layout.segment_start
    most = 0
    for r in range(r0, r1):
        most = max(most, start[r + 1] - start[r])
    means, deviations, areas = np.zeros(most), np.zeros(most), np.zeros(most)
    for r in range(r0, r1):
        scale = layout.row_area[r]
        for t in range(t0, t1):
            for s in range(start[r], start[r + 1]):
                k = s - start[r]
                first, stop, w = layout.segment_first[s], layout.segment_stop[s], layout.segment_weight[s]
                part = values[t, r, first:stop]
                weights = layout.weights[w : w + stop - first]
                total, areas[k] = _sum_and_area(part, weights, layout.even)
                means[k], deviations[k] = 0.0, 0.0
                if areas[k] > 0.0:
                    means[k] = total / areas[k]
                    deviations[k] = _squares(part, weights, layout.even, means[k])
            for k in range(layout.run_start[r], layout.run_start[r + 1]):
                z = layout.run_zone[k]
                for s in range(layout.run_low[k], layout.run_high[k]):
                    _add_moments(
                        mean, squares, area, t, z, means[s], deviations[s] * scale, areas[s] * scale
                    )  # fmt: skip
            for k in range(layout.edge_start[r], layout.edge_start[r + 1]):
                v = values[t, r, layout.edge_column[k]]
                if v == v:
                    z = layout.edge_zone[k]
                    _add_moments(mean, squares, area, t, z, np.float64(v), 0.0, layout.edge_area[k])


@kernel
def row_extremes(values, t0, t1, r0, r1, layout, sign, most, area):
    """Greatest value times `sign`, and valid area [step, zone]; the sign -1 makes it the least."""
    start = layout.segment_start
    size = 0
    for r in range(r0, r1):
        size = max(size, start[r + 1] - start[r])
    peaks, areas = np.zeros(size), np.zeros(size)
    for r in range(r0, r1):
        for t in range(t0, t1):
            for s in range(start[r], start[r + 1]):
                k = s - start[r]
                first, w = layout.segment_first[s], layout.segment_weight[s]
                peak, there = -np.inf, 0.0
                for i in range(first, layout.segment_stop[s]):
                    v = values[t, r, i]
                    if v == v:
                        peak = max(peak, np.float64(v) * sign)
                        there += 1.0 if layout.even else layout.weights[w + i - first]
                peaks[k], areas[k] = peak, there
            for k in range(layout.run_start[r], layout.run_start[r + 1]):
                z = layout.run_zone[k]
                for s in range(layout.run_low[k], layout.run_high[k]):
                    most[t, z] = max(most[t, z], peaks[s])
                    area[t, z] += areas[s] * layout.row_area[r]
            for k in range(layout.edge_start[r], layout.edge_start[r + 1]):
                v = values[t, r, layout.edge_column[k]]
                if v == v:
                    z = layout.edge_zone[k]
                    most[t, z] = max(most[t, z], np.float64(v) * sign)
                    area[t, z] += layout.edge_area[k]


@kernel
def class_means(values, codes, t0, t1, r0, r1, layout, classes, sums, valid, area, unknown):
    """Sum of the values, valid area and whole area [step, class, zone] of each class.

    `codes` [step or 1, y, x] on the cells of `values` [step, y, x]. Codes that are no class are put into
    `unknown` as by `class_sums`.
    """
    start = layout.segment_start
    most = 0
    for r in range(r0, r1):
        most = max(most, start[r + 1] - start[r])
    # Sum, valid area and whole area of a segment by class.
    part = np.zeros((most, 3, classes.size))
    strange, c = 0, -1
    for r in range(r0, r1):
        scale = layout.row_area[r]
        for t in range(t0, t1):
            u = t if codes.shape[0] > 1 else 0
            for s in range(start[r], start[r + 1]):
                k = s - start[r]
                part[k] = 0.0
                first, w = layout.segment_first[s], layout.segment_weight[s]
                for i in range(first, layout.segment_stop[s]):
                    code = codes[u, r, i]
                    if code != code:
                        continue
                    c = class_of(code, classes, c)
                    if c < 0:
                        strange = note(code, unknown, strange)
                        continue
                    weight = 1.0 if layout.even else layout.weights[w + i - first]
                    v = values[t, r, i]
                    part[k, 2, c] += weight
                    if v == v:
                        part[k, 0, c] += np.float64(v) * weight
                        part[k, 1, c] += weight
            for k in range(layout.run_start[r], layout.run_start[r + 1]):
                z = layout.run_zone[k]
                for s in range(layout.run_low[k], layout.run_high[k]):
                    for c in range(classes.size):
                        sums[t, c, z] += part[s, 0, c] * scale
                        valid[t, c, z] += part[s, 1, c] * scale
                        area[t, c, z] += part[s, 2, c] * scale
            for k in range(layout.edge_start[r], layout.edge_start[r + 1]):
                code = codes[u, r, layout.edge_column[k]]
                if code == code:
                    c = class_of(code, classes, c)
                    if c < 0:
                        strange = note(code, unknown, strange)
                        continue
                    z, weight = layout.edge_zone[k], layout.edge_area[k]
                    v = values[t, r, layout.edge_column[k]]
                    area[t, c, z] += weight
                    if v == v:
                        sums[t, c, z] += np.float64(v) * weight
                        valid[t, c, z] += weight
    return strange
