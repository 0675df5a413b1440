"""Dasymetric mapping: the amount of each zone over its cells, by weights."""

from __future__ import annotations

import numpy as np
import xarray as xr

from geotools.errors import DataError, UsageError
from geotools.metadata import kind_of
from geotools.space.fields import label_of, result_attrs
from geotools.space.giving import to_cells
from geotools.space.overlay import Overlay
from geotools.space.reductions import WeightTotals
from geotools.vocabulary import Kind

_WHOLLY_INSIDE = 1 - 1e-6


def spread(
    overlay: Overlay, amounts: xr.DataArray, weights: xr.DataArray | None, partly_outside: str
) -> xr.Dataset:
    """Split the amount of every target over its cells; see `Overlap.spread`."""
    zone_dim = next(iter(overlay.zone_size("spread")))
    _ensure_inside(overlay, zone_dim, partly_outside)
    amounts = _in_order(overlay, amounts, zone_dim)
    dims = overlay.grid.dims
    if weights is None:
        weights, per_cell = xr.DataArray(np.ones(overlay.grid.shape), dims=dims), False
    else:
        weights = overlay.checked(weights)
        kind = kind_of(weights)
        if kind is Kind.CLASS:
            raise UsageError(
                "the weights are classes", where=label_of(weights), expected="densities or amounts per cell"
            )
        per_cell = kind is Kind.AMOUNT
        weights = weights.drop_vars([n for n, c in weights.coords.items() if not c.dims])
    total, _ = overlay.apply(WeightTotals(per_cell), weights)
    area = xr.DataArray(overlay.matrix.row_sums, dims=zone_dim)
    fallback = (total == 0) & (area > 0)
    by_weight = (amounts / total.where(total > 0, 1.0)).where(total > 0, 0.0)
    by_area = (amounts / area.where(area > 0, 1.0)).where(fallback, 0.0)
    cells = to_cells(
        by_weight, by_area, weights, matrix=overlay.matrix, zone_dim=zone_dim, source_dims=dims, amounts=per_cell
    )  # fmt: skip
    name = amounts.name or "amount"
    attrs = {**result_attrs(amounts, "sum"), "grid_mapping": "spatial_ref"}
    cells = cells.drop_vars(list(overlay.target.coords), errors="ignore")
    cells = cells.assign_coords(overlay.grid.coordinates()).assign_attrs(attrs)
    fallback = fallback.drop_vars(list(overlay.target.coords), errors="ignore")
    fallback = fallback.assign_coords({zone_dim: overlay.target.coords[zone_dim]}).assign_attrs(
        long_name="all weights of the zone were zero and its amount was split by area"
    )
    return xr.Dataset({name: cells, "fallback": fallback})


def _ensure_inside(overlay: Overlay, zone_dim: str, partly_outside: str) -> None:
    if partly_outside not in ("refuse", "fold"):
        raise UsageError(f"partly_outside is {partly_outside!r}", expected="'refuse' or 'fold'")
    covered = overlay.covered_fraction.values
    names = overlay.target.coords[zone_dim][1]
    limit = _WHOLLY_INSIDE if partly_outside == "refuse" else np.nextafter(0, 1)
    lost = np.flatnonzero(covered < limit)
    if lost.size:
        named = ", ".join(f"{names[k]} ({covered[k]:.1%} inside)" for k in lost[:5])
        raise DataError(
            f"{lost.size} of {len(names)} targets leave the grid: {named}",
            expected="targets inside the grid, so that no amount is lost or crowded into a part",
            todo="use a larger grid or drop them; for those partly inside you may pass partly_outside='fold'",
        )


def _in_order(overlay: Overlay, amounts: xr.DataArray, zone_dim: str) -> xr.DataArray:
    """The amounts in the order of the targets, by name."""
    if (
        not isinstance(amounts, xr.DataArray)
        or zone_dim not in amounts.dims
        or zone_dim not in amounts.coords
    ):
        raise UsageError(
            "the amounts do not name their targets",
            expected=f"a DataArray with a dimension and coordinate {zone_dim!r}",
        )
    names, given = overlay.labels.tolist(), amounts[zone_dim].values.tolist()
    missing = [n for n in names if n not in set(given)]
    extra = [g for g in given if g not in set(names)]
    if missing or extra or len(set(given)) != len(given):
        raise DataError(
            f"the amounts lack {missing[:5]} and name {extra[:5]} too many"
            if missing or extra
            else "the amounts name a target twice",
            where=label_of(amounts),
            expected=f"each of the {len(names)} targets once",
        )
    return amounts.sel({zone_dim: names})
