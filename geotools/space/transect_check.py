"""Whether a transect stays within the cells of a grid."""

from __future__ import annotations

import numpy as np

from geotools.errors import GeometryError
from geotools.space.grid import Grid
from geotools.space.targets import target_of
from geotools.space.transect import Transect


def check_inside(transect: Transect, grid: Grid) -> None:
    """Refuse a transect whose strip leaves the cells of a grid.

    Raises
    ------
    GeometryError
        Naming the segments outside and how far along the line they lie.
    """
    segments = transect.segments
    # Not through Overlap.between, whose warning of segments outside would come before the error.
    target, matrix = target_of(transect, grid, None, None, ())
    covered = matrix.row_sums / target.areas
    outside = np.flatnonzero(covered < 1 - 1e-6)
    if outside.size == 0:
        return
    km = segments.iloc[outside]
    named = ", ".join(
        f"{k} ({a:.0f} to {b:.0f} km, {c:.0%} inside)"
        for k, a, b, c in zip(
            outside[:5], km["distance_start_km"], km["distance_end_km"], covered[outside], strict=False
        )
    )
    more = f" and {outside.size - 5} more" if outside.size > 5 else ""
    raise GeometryError(
        f"the transect leaves the data in {outside.size} of {len(segments)} segments: {named}{more}",
        where=f"transect {transect.name!r}",
        expected=f"a strip inside {grid}",
        todo="move its places, narrow half_width_km, use data that reach further, or widen the grid",
    )
