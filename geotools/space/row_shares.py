"""Shares of cells written out from runs and edge cells, for some rows and some targets."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from geotools.space.layout import Runs
from geotools.space.row_kernels import Layout


def dense_shares(
    layout: Layout, runs: Runs, grid_shape: tuple[int, int], rows: slice, targets: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Share of each cell of some rows that each of some targets covers.

    Parameters
    ----------
    layout, runs
        Of an overlap with polygons.
    grid_shape : (int, int)
    rows : slice
    targets : numpy.ndarray [target]
        Their numbers.

    Returns
    -------
    numpy.ndarray [target, row, x; 1]
    """
    start, stop, _ = rows.indices(grid_shape[0])
    place = np.full(
        max(targets.max(initial=-1), layout.run_zone.max(initial=-1), layout.edge_zone.max(initial=-1)) + 1,
        -1,
    )
    place[targets] = np.arange(targets.size)
    # One column more, for the step down behind a run that ends with the row.
    out = np.zeros((targets.size, stop - start, grid_shape[1] + 1))

    def add(
        counts: NDArray[np.int64],
        zone: NDArray[np.int32],
        column: NDArray[np.int32],
        share: NDArray[np.float64],
    ) -> None:
        part = slice(counts[start], counts[stop])
        row = np.repeat(np.arange(stop - start), np.diff(counts[start : stop + 1]))
        target = place[zone[part]]
        kept = target >= 0
        np.add.at(out, (target[kept], row[kept], column[part][kept]), share[part][kept])

    zone, first, last = runs
    one = np.broadcast_to(np.float64(1.0), zone.shape)
    add(layout.run_start, zone, first, one)
    add(layout.run_start, zone, last + 1, -one)
    np.cumsum(out, axis=2, out=out)
    add(layout.edge_start, layout.edge_zone, layout.edge_column, layout.edge_share)
    return out[:, :, :-1]
