"""What targets give to cells, block by block: the way back of `geotools.space.apply`."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from geotools.space.reductions import weights_of
from geotools.space.runs import Matrix


@dataclass(frozen=True)
class _Call:
    """What a task needs besides its blocks and the matrix; the dimensions of each of them before the last ones."""

    lead: tuple[Any, ...]
    given: tuple[Any, ...]
    weighed: tuple[Any, ...]
    amounts: bool

    def of_tile(
        self,
        by_weight: NDArray[np.float64],
        by_area: NDArray[np.float64],
        weights: NDArray[Any],
        place: tuple[slice, slice],
        matrix: Matrix,
    ) -> NDArray[np.float64]:
        """Amounts of the cells [*lead, y, x] of a tile; NaN in cells of no target."""
        tile = matrix.window(*place)
        shape = weights.shape[-2:]
        weights = self._spaced(weights, self.weighed, 2)
        each = [self._spaced(part, self.given, 1)[..., tile.targets] for part in (by_weight, by_area)]
        lead = np.broadcast_shapes(weights.shape[:-2], each[0].shape[:-1])
        each = [np.broadcast_to(part, (*lead, part.shape[-1])) for part in each]
        out = np.full((*lead, shape[0] * shape[1]), np.nan)
        # One look at the weights for all steps that share them.
        for step in itertools.product(*map(range, weights.shape[:-2])):
            where: tuple[slice, ...] = tuple(
                slice(None) if size == 1 else slice(k, k + 1)
                for k, size in zip(step, weights.shape, strict=False)
            )
            given = [np.ascontiguousarray(part[where].reshape(-1, tile.targets.size)) for part in each]
            cells = tile.matrix.give(
                given[0], given[1], weights_of(tile, weights[step].reshape(-1)), amounts=self.amounts
            )
            touched: tuple[Any, ...] = (*where, tile.matrix.cells)
            out[touched] = cells.reshape(*each[0][where].shape[:-1], -1)
        return out.reshape(*lead, *shape)

    def _spaced(self, values: NDArray[Any], own: tuple[Any, ...], more: int) -> NDArray[Any]:
        """An array [*own, last ones] with a length of 1 for each leading dimension that it lacks."""
        sizes = dict(zip(own, values.shape, strict=False))
        return values.reshape(*(sizes.get(d, 1) for d in self.lead), *values.shape[values.ndim - more :])


def to_cells(
    by_weight: xr.DataArray,
    by_area: xr.DataArray,
    weights: xr.DataArray,
    *,
    matrix: Matrix,
    zone_dim: str,
    source_dims: tuple[str, str],
    amounts: bool,
) -> xr.DataArray:
    """Amounts per cell from what each target gives per weight and per area, eagerly or one task per block.

    Parameters
    ----------
    by_weight, by_area : xarray.DataArray [any dims, target]
        See `CellMatrix.give`.
    weights : xarray.DataArray [any dims, y, x]
    matrix : CellMatrix or RunMatrix
    zone_dim : str
    source_dims : (str, str)
    amounts : bool
        The weights are amounts per cell.

    Returns
    -------
    xarray.DataArray [any dims of either, y, x]
    """
    by_weight, by_area = (part.transpose(..., zone_dim) for part in xr.broadcast(by_weight, by_area))
    weights = weights.transpose(..., *source_dims)
    given, weighed = by_weight.dims[:-1], weights.dims[:-2]
    lead = tuple(dict.fromkeys((*given, *weighed)))
    call = _Call(lead, given, weighed, amounts)
    coords = {
        name: coordinate
        for part in (by_weight, weights)
        for name, coordinate in part.coords.items()
        if not set(coordinate.dims) & {zone_dim, *source_dims}
    }
    if by_weight.chunks is None and weights.chunks is None:
        place = (slice(0, weights.shape[-2]), slice(0, weights.shape[-1]))
        out: Any = call.of_tile(by_weight.values, by_area.values, weights.values, place, matrix)
    else:
        out = _lazily(call, (by_weight, by_area, weights), matrix, zone_dim, source_dims)
    return xr.DataArray(out, dims=[*lead, *source_dims], coords=coords)


def _lazily(
    call: _Call,
    fields: tuple[xr.DataArray, xr.DataArray, xr.DataArray],
    matrix: Matrix,
    zone_dim: str,
    source_dims: tuple[str, str],
) -> Any:
    import dask.array as da
    from dask.delayed import delayed
    from dask.layers import ArraySliceDep

    # dask has no types.
    blockwise: Any = da.blockwise
    places: Any = ArraySliceDep
    chunked = (f if f.chunks is not None else f.chunk() for f in fields)
    lazy: Any = xr.unify_chunks(*(f.chunk({zone_dim: -1}) if zone_dim in f.dims else f for f in chunked))
    weights = lazy[2]
    index = {dim: n for n, dim in enumerate((*call.lead, *source_dims, zone_dim))}
    arrays = [item for f in lazy for item in (f.data, tuple(index[d] for d in f.dims))]
    at = tuple(index[d] for d in source_dims)
    place = places(weights.data.chunks[-2:])
    held = delayed(matrix, pure=True, traverse=False, name=f"overlap-{matrix.key}")
    out = tuple(index[d] for d in (*call.lead, *source_dims))
    return blockwise(
        call.of_tile, out, *arrays, place, at, held, None,
        concatenate=True, align_arrays=False, dtype="float64", meta=np.empty((0,) * len(out)),
    )  # fmt: skip
