"""Dasymetric mapping: the amount of each zone over its cells, by weights."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from geotools.errors import DataError, UsageError
from geotools.metadata import kind_of
from geotools.space.fields import label_of, one_block, result_attrs
from geotools.space.overlay import Overlay
from geotools.space.runs import Matrix
from geotools.vocabulary import Kind

_WHOLLY_INSIDE = 1 - 1e-6


def spread(
    overlay: Overlay, amounts: xr.DataArray, weights: xr.DataArray | None, partly_outside: str
) -> xr.Dataset:
    """Split the amount of every target over its cells; see `Overlap.spread`."""
    zones = overlay.zone_size("spread")
    zone_dim = next(iter(zones))
    _ensure_inside(overlay, zone_dim, partly_outside)
    amounts = _in_order(overlay, amounts, zone_dim)
    dims = overlay.grid.dims
    sizes = dict(zip(dims, overlay.grid.shape, strict=True))
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
    options: dict[str, Any] = {
        "matrix": overlay.matrix,
        "cell_areas": overlay.cell_areas if per_cell else None,
        "shape": overlay.grid.shape,
    }
    common: dict[str, Any] = {"dask": "parallelized", "kwargs": options, "keep_attrs": "override"}
    if amounts.chunks is not None:
        amounts = amounts.chunk({zone_dim: -1})
    weights = one_block(weights, dims)
    cells = xr.apply_ufunc(
        _spread_block,
        amounts,
        weights,
        input_core_dims=[[zone_dim], list(dims)],
        output_core_dims=[list(dims)],
        output_dtypes=["float64"],
        dask_gufunc_kwargs={"output_sizes": sizes},
        **common,
    )
    fallback = xr.apply_ufunc(
        _fallback_block,
        weights,
        input_core_dims=[list(dims)],
        output_core_dims=[[zone_dim]],
        output_dtypes=["bool"],
        dask_gufunc_kwargs={"output_sizes": zones},
        **common,
    )
    name = amounts.name or "amount"
    attrs = {**result_attrs(amounts, "sum"), "grid_mapping": "spatial_ref"}
    cells = cells.drop_vars(list(overlay.target.coords), errors="ignore")
    cells = cells.assign_coords(overlay.grid.coordinates()).assign_attrs(attrs)
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


def _spread_block(
    amounts: NDArray[Any],
    weights: NDArray[Any],
    *,
    matrix: Matrix,
    cell_areas: NDArray[np.float64] | None,
    shape: tuple[int, int],
) -> NDArray[np.float64]:
    """Amounts [..., target] and weights [..., y, x] to amounts per cell [..., y, x]."""
    lead = np.broadcast_shapes(amounts.shape[:-1], weights.shape[:-2])
    out = np.full((*lead, shape[0] * shape[1]), np.nan)
    # Dimensions the weights lack need no second look at them.
    own = (1,) * (len(lead) - weights.ndim + 2) + weights.shape[:-2]
    amount = np.broadcast_to(amounts, (*lead, amounts.shape[-1])).astype("float64")
    step: tuple[int, ...]
    for step in np.ndindex(own):
        where = tuple(
            slice(None) if size == 1 else slice(k, k + 1) for k, size in zip(step, own, strict=True)
        )
        one = weights.reshape(*own, *weights.shape[-2:])[step]
        part = amount[where]
        cells, _ = matrix.spread(part.reshape(-1, part.shape[-1]), _weights(one, matrix, cell_areas))
        out[(*where, matrix.cells)] = cells.reshape(*part.shape[:-1], -1)
    return out.reshape(*lead, *shape)


def _fallback_block(
    weights: NDArray[Any],
    *,
    matrix: Matrix,
    cell_areas: NDArray[np.float64] | None,
    shape: tuple[int, int],
) -> NDArray[np.bool_]:
    """Weights [..., y, x] to whether each target falls back to area [..., target]."""
    lead = weights.shape[:-2]
    none = np.zeros((1, matrix.shape[0]))
    flat = weights.reshape(-1, *shape)
    flags = [matrix.spread(none, _weights(one, matrix, cell_areas))[1] for one in flat]
    return np.array(flags, dtype=bool).reshape(*lead, matrix.shape[0])


def _weights(
    field: NDArray[Any], matrix: Matrix, cell_areas: NDArray[np.float64] | None
) -> NDArray[np.float64]:
    """Weights per area of the touched cells; NaN is 0."""
    values = np.nan_to_num(matrix.touched(field.reshape(-1)).astype("float64"), nan=0.0, posinf=np.inf)
    if (values < 0).any() or np.isinf(values).any():
        raise DataError(
            f"the weights run from {values.min():g} to {values.max():g}",
            expected="finite weights of 0 or more",
            todo="mend the weights; negative densities have no meaning here",
        )
    return np.asarray(values if cell_areas is None else values / cell_areas)
