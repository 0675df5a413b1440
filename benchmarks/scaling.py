"""Cost against the number of cells, steps and polygons, with the slope in the logarithms; and conservation."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from benchmarks import timing, workloads

# Columns of the grids (with 7/15 of it as rows), steps, polygons; each over a factor of at least 8.
FULL = {
    "cells": (750, 1500, 3000, 6000),
    "steps": (8, 16, 32, 64, 128),
    "polygons": (25, 50, 100, 200, 400),
}
QUICK = {"cells": (90, 150, 225, 300), "steps": (4, 8, 16, 32), "polygons": (3, 6, 12, 24)}


def _rows(columns: int) -> int:
    return columns * 7 // 15


def slope(sizes: Sequence[float], seconds: Sequence[float]) -> dict[str, float]:
    """Exponent of a power law through the points, with its standard error."""
    x, y = np.log(sizes), np.log(seconds)
    apart = x - x.mean()
    exponent = float((apart * y).sum() / (apart**2).sum())
    residual = y - y.mean() - exponent * apart
    variance = float((residual**2).sum()) / max(1, len(x) - 2)
    return {"slope": exponent, "standard_error": math.sqrt(variance / float((apart**2).sum()))}


def _cases(along: str, sizes: Sequence[int], quick: bool) -> Any:
    """Columns, steps and polygons of each point."""
    columns, steps, polygons = (150, 4, 6) if quick else (1500, 16, 100)
    for size in sizes:
        yield {
            "cells": (size, steps, polygons),
            "steps": (columns, size, polygons),
            "polygons": (columns, steps, size),
        }[along]


def series(along: str, runs: int, quick: bool) -> dict[str, Any]:
    """Times of building an overlap and of a mean with it for growing cells, steps or polygons."""
    from geotools.space import Overlap

    sizes = (QUICK if quick else FULL)[along]
    points = []
    for columns, steps, polygons in _cases(along, sizes, quick):
        grid, zones = workloads.cell_grid(columns, _rows(columns)), workloads.polygons(polygons)
        values = workloads.field(columns, _rows(columns), steps)
        field = grid.wrap(values, ("time",)).assign_attrs(units="degC")
        overlap = Overlap.between(zones, grid)
        calls: dict[str, Callable[[], Any]] = {
            "mean": lambda overlap=overlap, field=field: overlap.mean(field),
            "build": lambda zones=zones, grid=grid: Overlap.between(zones, grid),
        }
        # The first call of all compiles.
        timing.interleaved(calls, 1)
        times = timing.interleaved(calls, runs)
        size = {"cells": columns * _rows(columns), "steps": steps, "polygons": polygons}[along]
        points.append(
            {
                "size": size,
                "vertices": int(zones.count_coordinates().sum()),
                **{f"{name}_seconds": timing.median_of(t)["seconds"] for name, t in times.items()},
            }
        )
    found: dict[str, Any] = {"points": points}
    numbers = [p["size"] for p in points]
    for name in ("mean", "build"):
        found[name] = slope(numbers, [p[f"{name}_seconds"] for p in points])
    return found


def conservation(quick: bool) -> dict[str, Any]:
    """Totals of polygons that tile the domain against the sum over all cells."""
    from geotools.space import Overlap

    columns, steps = (150, 2) if quick else (1500, 4)
    grid, zones = workloads.cell_grid(columns, _rows(columns)), workloads.tiling(40 if quick else 400)
    values = workloads.field(columns, _rows(columns), steps)
    field = grid.wrap(values, ("time",)).assign_attrs(units="kg m-2")
    totals = Overlap.between(zones, grid).total(field)
    # A zone without any data is NaN by right; any other NaN must show in the error and not vanish from it.
    empty = totals["valid_fraction"].values == 0
    found = np.where(empty, 0.0, totals.values)
    areas, errors = grid.cell_areas(), []
    for step, parts in zip(values, found, strict=True):
        known = ~np.isnan(step)
        amounts = step[known].astype("float64") * areas[known]
        # Against the sum of sizes: a field that cancels out would make any error look large.
        errors.append(abs(math.fsum(parts) - math.fsum(amounts)) / math.fsum(np.abs(amounts)))
    worst = float(np.max(errors))
    if not math.isfinite(worst):
        raise ValueError("zones with data have no total")
    return {
        "polygons": len(zones),
        "cells": grid.size,
        "zones_without_data": int(empty[0].sum()),
        "largest_relative_error": worst,
    }
