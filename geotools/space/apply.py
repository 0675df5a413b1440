"""Array cores of the overlap: each takes one block of a field, spatial dimensions last, and gives one array.

Values and their valid fractions leave a core stacked in one array, so that dask holds one product per chunk.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from geotools.errors import DataError
from geotools.space.compiled import available_cores
from geotools.space.fields import one_block
from geotools.space.runs import Matrix

# Values, valid fractions.
PARTS = 2
_PART = "__part__"
# A fully valid target may come out at 1 - 1e-16.
_ROUNDING = 1e-9

Core = Callable[..., NDArray[np.float64]]


def weighted(
    block: NDArray[Any],
    *,
    matrix: Matrix,
    target_areas: NDArray[np.float64],
    target_shape: tuple[int, ...],
    average: bool,
    amounts: bool = False,
    min_valid_fraction: float = 0.0,
    threads: int = 1,
) -> NDArray[np.float64]:
    """Averages or integrals over targets.

    Parameters
    ----------
    block : numpy.ndarray [..., y, x]
    matrix : CellMatrix or RunMatrix
    target_areas : numpy.ndarray [target; m2]
    target_shape : tuple of int
    average : bool
        Divide the sum by the area it stands on.
    amounts : bool
        The values are amounts per cell.
    min_valid_fraction : float
        Targets with less of their area valid become NaN.
    threads : int

    Returns
    -------
    numpy.ndarray [..., 2, *target_shape]
        Values and valid fractions. Without any valid area the value is NaN.
    """
    lead = block.shape[:-2]
    sums, areas = matrix.sums(_steps(block), amounts=amounts, threads=threads)
    valid = areas / target_areas
    keep = (areas > 0) & (valid >= min_valid_fraction - _ROUNDING)
    values = np.full(sums.shape, np.nan)
    np.divide(sums, areas if average else 1.0, out=values, where=keep)
    stacked = np.stack((values, valid), axis=1)
    return stacked.reshape(*lead, PARTS, *target_shape)


def class_areas(
    block: NDArray[Any],
    *,
    matrix: Matrix,
    target_areas: NDArray[np.float64],
    target_shape: tuple[int, ...],
    classes: NDArray[np.generic],
    fraction: bool,
    threads: int = 1,
) -> NDArray[np.float64]:
    """Areas, or shares of the valid area, of classes.

    Returns
    -------
    numpy.ndarray [..., 2, class, *target_shape]
        Values and valid fractions, these repeated for every class.

    Raises
    ------
    DataError
        When a code occurs that is not among the classes.
    """
    lead = block.shape[:-2]
    areas, unknown = matrix.class_areas(_steps(block), classes, threads=threads)
    if unknown.size:
        raise DataError(
            f"the class codes {', '.join(f'{c:g}' for c in unknown[:8])} occur but have no meaning",
            expected=f"one of {', '.join(f'{c:g}' for c in classes)}",
            todo="add them to flag_values and flag_meanings, or set their cells to NaN",
        )
    total = areas.sum(axis=1, keepdims=True)
    values = np.full(areas.shape, np.nan)
    np.divide(areas, total if fraction else 1.0, out=values, where=total > 0)
    valid = np.broadcast_to(total / target_areas, areas.shape)
    stacked = np.stack((values, valid), axis=1)
    return stacked.reshape(*lead, PARTS, classes.size, *target_shape)


def quantiles(
    block: NDArray[Any],
    *,
    matrix: Matrix,
    target_areas: NDArray[np.float64],
    levels: NDArray[np.float64],
    min_valid_fraction: float,
    threads: int = 1,
) -> NDArray[np.float64]:
    """Area-weighted quantiles.

    Returns
    -------
    numpy.ndarray [..., 2, level, target]

    Notes
    -----
    With the values in order and S their running area, value k stands at ``(S_k - w_k / 2) / S_n``, and the
    quantile is interpolated in between. With equal areas that is type 5 of Hyndman and Fan (Hazen).

    References
    ----------
    Hyndman, R. J. and Fan, Y. (1996): Sample quantiles in statistical packages. Am. Stat. 50, 361.
    doi:10.1080/00031305.1996.10473566
    """
    lead, values = block.shape[:-2], _steps(block)
    out = np.full((values.shape[0], PARTS, levels.size, target_areas.size), np.nan)
    out[:, 1] = 0.0
    for target, (cells, areas) in enumerate(matrix.rows()):
        for step in range(values.shape[0]):
            here = values[step, cells].astype("float64")
            known = ~np.isnan(here)
            valid = areas[known].sum() / target_areas[target]
            out[step, 1, :, target] = valid
            if known.any() and valid >= min_valid_fraction - _ROUNDING:
                order = np.argsort(here[known], kind="stable")
                area = areas[known][order]
                place = np.cumsum(area) - area / 2
                out[step, 0, :, target] = np.interp(levels * area.sum(), place, here[known][order])
    return out.reshape(*lead, *out.shape[1:])


def _steps(block: NDArray[Any]) -> NDArray[Any]:
    return block.reshape(-1, block.shape[-2] * block.shape[-1])


def over_targets(
    core: Core,
    field: xr.DataArray,
    *,
    source_dims: tuple[str, str],
    sizes: dict[str, int],
    options: dict[str, Any],
) -> tuple[xr.DataArray, xr.DataArray]:
    """Map a core over the blocks of a field, lazily when the field is lazy.

    Parameters
    ----------
    core : callable
        Takes an array [..., y, x] and gives one [..., 2, *sizes].
    field : xarray.DataArray [any dims, y, x]
    source_dims : (str, str)
    sizes : dict of str to int
        Dimensions of the result besides the leading ones of the field.
    options : dict
        Keyword arguments of the core.

    Returns
    -------
    values, valid_fraction : xarray.DataArray
    """
    data = one_block(field, source_dims).transpose(..., *source_dims).data
    lead = [str(d) for d in field.dims if d not in source_dims]
    if field.chunks is None:
        # Only here: dask has its own threads, one chunk in each.
        out = core(np.asarray(data), **options, threads=available_cores())
    else:
        out = _blockwise(functools.partial(core, **options), data, len(lead), (PARTS, *sizes.values()))
    coords = {n: c for n, c in field.coords.items() if not set(c.dims) & set(source_dims)}
    both = xr.DataArray(out, dims=[*lead, _PART, *sizes], coords=coords)
    return both.isel({_PART: 0}), both.isel({_PART: 1})


def _blockwise(core: Core, data: Any, lead: int, new: tuple[int, ...]) -> Any:
    """One task per chunk. apply_ufunc would add two: for the choice among outputs, and for axes in place."""
    import dask.array as da

    kept = tuple(range(lead))
    added = {lead + 2 + k: size for k, size in enumerate(new)}
    blockwise: Any = da.blockwise
    return blockwise(
        core,
        (*kept, *added),
        data,
        (*kept, lead, lead + 1),
        new_axes=added,
        concatenate=True,
        dtype="float64",
        meta=np.empty((0,) * (lead + len(new))),
    )
