"""A reduction mapped over the blocks of fields, lazily when the fields are lazy.

Each block is read once and in one task, whatever the chunks in time and space: a block makes the part of its
tile, and the parts of all tiles of a time step are joined in one more task. Chunks are never joined, and those
outside the rectangle in which the targets lie are not read.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from geotools.space.chunks import blocks_with, warn_of_cut_chunks
from geotools.space.compiled import available_cores
from geotools.space.reductions import Reduction
from geotools.space.runs import Matrix

_PART = "__part__"
# Values, valid fractions.
_PARTS = 2


@dataclass(frozen=True)
class _Call:
    """A reduction with all it needs besides the matrix; `shape` is that of one step of the result."""

    reduction: Reduction
    target_areas: NDArray[np.float64]
    shape: tuple[int, ...]

    def whole(self, *blocks: NDArray[Any], matrix: Matrix, threads: int = 1) -> NDArray[np.float64]:
        """The result of blocks [..., y, x] that hold the whole grid [..., 2, *shape]."""
        (height, width), lead = blocks[0].shape[-2:], blocks[0].shape[:-2]
        tile = matrix.window(slice(0, height), slice(0, width))
        part = self.reduction.part(tile, _steps(blocks), threads)
        return self._finish(part, matrix, lead)

    def of_tile(self, *blocks: Any) -> NDArray[np.object_]:
        """The part of one tile as an array of one object; the last arguments are its place and the matrix."""
        *fields, place, matrix = blocks
        tile = matrix.window(*place)
        out = np.empty((1,) * fields[0].ndim, dtype=object)
        part = self.reduction.part(tile, _steps(fields), 1)
        out[(0,) * out.ndim] = (part, self.reduction.places(tile, matrix), fields[0].shape[:-2])
        return out

    def joined(self, tiles: list[list[NDArray[np.object_]]], *, matrix: Matrix) -> NDArray[np.float64]:
        """The result of all tiles of some steps."""
        whole = lead = None
        for row in tiles:
            for tile in row:
                part, places, lead = tile.item()
                if whole is None:
                    whole = self.reduction.start(part, matrix)
                self.reduction.add(whole, part, places)
        assert whole is not None
        assert lead is not None
        return self._finish(whole, matrix, lead)

    def _finish(self, whole: NDArray[Any], matrix: Matrix, lead: tuple[int, ...]) -> NDArray[np.float64]:
        both = np.stack(self.reduction.finish(whole, matrix, self.target_areas), axis=1)
        return both.reshape(*lead, _PARTS, *self.shape)


def _steps(blocks: Any) -> tuple[NDArray[Any], ...]:
    """Blocks [..., y, x] as [step, cell]; a later one may have a single step for all."""
    lead = blocks[0].shape[:-2]
    more = [b if b.ndim == 2 else np.broadcast_to(b, (*lead, *b.shape[-2:])) for b in blocks[1:]]
    return tuple(b.reshape(-1, b.shape[-2] * b.shape[-1]) for b in (blocks[0], *more))


def over_targets(
    reduction: Reduction,
    fields: tuple[xr.DataArray, ...],
    *,
    matrix: Matrix,
    target_areas: NDArray[np.float64],
    source_dims: tuple[str, str],
    sizes: dict[str, int],
) -> tuple[xr.DataArray, xr.DataArray]:
    """Apply a reduction to fields.

    Parameters
    ----------
    reduction : Reduction
    fields : tuple of xarray.DataArray [any dims, y, x]
        The first has all dimensions; others have them all or only y and x.
    matrix : CellMatrix or RunMatrix
    target_areas : numpy.ndarray [target; m2]
    source_dims : (str, str)
    sizes : dict of str to int
        Dimensions of the result besides the leading ones of the field.

    Returns
    -------
    values, valid_fraction : xarray.DataArray [leading dims, *sizes]
    """
    for field in fields:
        warn_of_cut_chunks(field)
    fields = tuple(f.transpose(..., *source_dims) for f in fields)
    lead = [d for d in fields[0].dims if d not in source_dims]
    call = _Call(reduction, target_areas, tuple(sizes.values()))
    if all(f.chunks is None for f in fields):
        # Only here: dask has its own threads, one chunk in each.
        blocks = [np.asarray(f.data) for f in fields]
        out = call.whole(*blocks, matrix=matrix, threads=available_cores())
    else:
        out = _lazily(call, fields, matrix, source_dims)
    first = fields[0]
    coords = {n: c for n, c in first.coords.items() if not set(c.dims) & set(source_dims)}
    both = xr.DataArray(out, dims=[*lead, _PART, *sizes], coords=coords)
    return both.isel({_PART: 0}), both.isel({_PART: 1})


def _lazily(
    call: _Call, fields: tuple[xr.DataArray, ...], matrix: Matrix, source_dims: tuple[str, str]
) -> Any:
    """Two tasks per chunk at most: apply_ufunc would take more, and would want the tiles joined."""
    import dask.array as da
    from dask.delayed import delayed
    from dask.layers import ArraySliceDep

    # dask has no types.
    blockwise: Any = da.blockwise
    places: Any = ArraySliceDep
    lazy: Any = xr.unify_chunks(*(f if f.chunks is not None else f.chunk() for f in fields))
    fields = lazy
    dims = fields[0].dims
    index = {dim: n for n, dim in enumerate(dims)}
    y, x = (index[d] for d in source_dims)
    lead = tuple(range(len(dims) - 2))
    arrays = [item for f in fields for item in (f.data, tuple(index[d] for d in f.dims))]
    new = {len(dims) + k: size for k, size in enumerate((_PARTS, *call.shape))}
    out = (*lead, *new)
    common = {"new_axes": new, "dtype": "float64", "meta": np.empty((0,) * len(out))}
    # A key of its own, so that a cluster sends the matrix to each worker once and not with every task.
    held = delayed(matrix, pure=True, traverse=False, name=f"overlap-{matrix.key}")
    if all(fields[0].data.numblocks[k] == 1 for k in (y, x)):
        return blockwise(call.whole, out, *arrays, matrix=held, concatenate=True, **common)
    # Slices, and not arrays of row and column numbers: these would be tasks of their own.
    place = places(tuple(fields[0].data.chunks[k] for k in (y, x)))
    every = tuple(range(len(dims)))
    parts = blockwise(
        call.of_tile, every, *arrays, place, (y, x), held, None,
        align_arrays=False, adjust_chunks={y: 1, x: 1}, dtype=object, meta=np.empty((0,) * len(dims), dtype=object),
    )  # fmt: skip
    near = tuple(
        blocks_with(chunks, extent)
        for chunks, extent in zip(fields[0].data.chunks[-2:], matrix.extent, strict=True)
    )
    if tuple(held.stop - held.start for held in near) != parts.numblocks[-2:]:
        # Nobody then asks for the other parts, nor for their chunks.
        parts = parts.blocks[(..., *near)]
    return blockwise(call.joined, out, parts, every, matrix=held, concatenate=False, **common)
