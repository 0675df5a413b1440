"""The kernel that takes amounts of targets back to cells, the reverse of `row_kernels.row_sums`."""
# mypy: disable-error-code="no-untyped-def, no-untyped-call"

from __future__ import annotations

import numpy as np

from geotools.space.compiled import kernel


@kernel
def row_spread(weights, layout, amounts, by_weight, by_area, out):
    """Add what each zone gives to its cells.

    Per m2 of a cell a zone gives `by_weight` [step, zone] times the weight of the cell [y, x] plus `by_area`
    [step, zone]; with `amounts` the weights are amounts per cell, and the first part is given per share of the cell.
    `out` is [step, y, x].
    """
    start = layout.segment_start
    most = 0
    for r in range(start.size - 1):
        most = max(most, start[r + 1] - start[r])
    of_weight, of_area = np.empty(most), np.empty(most)
    for r in range(start.size - 1):
        for t in range(out.shape[0]):
            of_weight[:] = 0.0
            of_area[:] = 0.0
            for k in range(layout.run_start[r], layout.run_start[r + 1]):
                z = layout.run_zone[k]
                for s in range(layout.run_low[k], layout.run_high[k]):
                    of_weight[s] += by_weight[t, z]
                    of_area[s] += by_area[t, z]
            for s in range(start[r], start[r + 1]):
                k = s - start[r]
                first, w = layout.segment_first[s], layout.segment_weight[s]
                for i in range(first, layout.segment_stop[s]):
                    area = layout.row_area[r] * (1.0 if layout.even else layout.weights[w + i - first])
                    share = 1.0 if amounts else area
                    out[t, r, i] += share * of_weight[k] * weights[r, i] + area * of_area[k]
            for k in range(layout.edge_start[r], layout.edge_start[r + 1]):
                z, i = layout.edge_zone[k], layout.edge_column[k]
                share = layout.edge_share[k] if amounts else layout.edge_area[k]
                out[t, r, i] += share * by_weight[t, z] * weights[r, i] + layout.edge_area[k] * by_area[t, z]
