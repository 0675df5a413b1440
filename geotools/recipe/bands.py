"""How many rows of the joint grid are worked on at a time, from what the work on a row holds."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from geotools.model_inputs.generic import storage_rows

if TYPE_CHECKING:
    import xarray as xr

    from geotools.recipe.context import Context
    from geotools.space.window import Window

MONTHS = 12
_FLOAT = 8
# Bytes per cell that are held at once at the most: months of air temperature and precipitation, as they are and as the
# chain takes them, shares of land cover, parameters of the ground, results so far, and the work of the snow model.
CHAIN_BYTES = (4 * MONTHS + 17 + 7 + 10 + 10 * MONTHS) * _FLOAT
# Bytes of a pair of cells while the overlap of two grids is built: both numbers, the area, and the sorted matrix.
_PAIR = 66
# Numbers per source cell while its classes are told apart, and while eight months are weighted.
_CLASSES, _STEPS = 17, 8
# Cells of a chunk of later steps; the widest field then takes some 10 MB.
_CHUNK_CELLS = 131_072


def bands(context: Context) -> list[tuple[int, int]]:
    """First row and the one behind the last of each band in which the fields are computed.

    Parameters
    ----------
    context : Context

    Returns
    -------
    list of (int, int)
        From south to north, as many rows in each as `limits.block_memory_mb` allows; at least one.
    """
    height, budget = context.grid.shape[0], context.recipe.limits.block_memory_mb * 1e6
    rows, stored = height, storage_rows(context.grid.shape)
    while rows > 1 and (needed := band_bytes(context, rows)) > budget:
        rows = max(1, min(rows - 1, int(rows * budget / needed)))
    if stored < rows < height:
        # Later steps that go by bands then read each chunk on disk once.
        rows -= rows % stored
    return [(start, min(start + rows, height)) for start in range(0, height, rows)]


def chunk_rows(shape: tuple[int, int]) -> int:
    """Rows that later steps read at a time: a whole number of the chunks on disk.

    It hangs on the grid alone and not on the memory there is: sums over other chunks would round otherwise.

    Parameters
    ----------
    shape : (int, int)
        Rows and columns of the joint grid.
    """
    stored = storage_rows(shape)
    return min(max(_CHUNK_CELLS // shape[1] // stored, 1) * stored, shape[0])


def band_bytes(context: Context, rows: int) -> int:
    """Bytes of the arrays that are held while a band of some rows is computed, of the band that holds the most.

    Parameters
    ----------
    context : Context
    rows : int
    """
    height = context.grid.shape[0]
    starts = {0, max(0, (height - rows) // 2), max(0, height - rows)}
    return max(_of_band(context, slice(start, start + rows)) for start in starts)


def raster_roles(context: Context) -> dict[str, tuple[str, ...]]:
    """The gridded inputs of the joint grid and their variables."""
    soil = {role: ("csoil",) for role in context.inputs if role.startswith("soil_carbon")}
    return {"climate": ("tas", "pr"), "land_cover": ("land_cover",), **soil}


def wider(rows: slice, height: int) -> slice:
    """One row more on each side, as far as the grid reaches."""
    return slice(max(rows.start - 1, 0), min(rows.stop + 1, height))


def window_bytes(context: Context, rows: slice, role: str, variables: tuple[str, ...]) -> int:
    """Bytes of an input that are read for some rows of the joint grid.

    Parameters
    ----------
    context : Context
    rows : slice
    role : str
    variables : tuple of str

    Returns
    -------
    int
        Of a variable that is taken as it is stored, the part that is needed; of one that is turned or converted on
        the way, all chunks that the part lies in.
    """
    data, source = context.open_raster(role, variables), context.source_grid(role)
    named = dict(zip(source.dims, _window(context, rows, role), strict=True))
    return sum(part_bytes(data[name], named) for name in variables)


def part_bytes(field: xr.DataArray, part: Mapping[str, slice]) -> int:
    """Bytes that are read for a part of a lazy field, by dimension.

    Parameters
    ----------
    field : xarray.DataArray [lazy]
    part : mapping of str to slice
    """
    sizes = {str(dim): n for dim, n in field.sizes.items()}
    for dim, cut in part.items():
        start, stop, _ = cut.indices(sizes[dim])
        ends = np.cumsum(field.chunksizes[dim])
        if not _read_in_parts(field):
            start = int(np.append(0, ends)[np.searchsorted(ends, start, side="right")])
            stop = int(ends[np.searchsorted(ends, stop)])
        sizes[dim] = stop - start
    return math.prod(sizes.values()) * field.dtype.itemsize


def _read_in_parts(field: xr.DataArray) -> bool:
    """Whether a cut reaches the file: dask takes it through nothing but the opening itself."""
    return all("open_" in layer for layer in field.data.dask.layers)


def pieces_read(context: Context, rows: slice, role: str, variables: tuple[str, ...]) -> int:
    """Chunks of an input that some rows of the joint grid read."""
    data, source = context.open_raster(role, variables), context.source_grid(role)
    named = dict(zip(source.dims, _window(context, rows, role), strict=True))
    return sum(int(np.prod([len(c) for c in data[v].isel(named).chunks or ()])) for v in variables)


def looked_through(context: Context, role: str) -> list[int]:
    """Bytes of the variables of an input whose values are compared with their units when it is opened."""
    from geotools.catalog.checks import bytes_looked_through

    entry = context.inputs[role][1]
    data = context.open_raster(role, ())
    return [
        bytes_looked_through(data[name]) for name, source in entry.variables.items() if source.flags is None
    ]


def _window(context: Context, rows: slice, role: str) -> Window:
    """Rows and columns of an opened input that some rows of the joint grid need."""
    from geotools.space.window import window_on

    return window_on(context.source_grid(role), context.rows(wider(rows, context.grid.shape[0])))


def _of_band(context: Context, rows: slice) -> int:
    cells = context.rows(wider(rows, context.grid.shape[0])).size
    monthly, shares = 2 * MONTHS * _FLOAT * cells, 17 * _FLOAT * cells
    held = [CHAIN_BYTES * cells]
    for role, variables in raster_roles(context).items():
        # What is made before is held meanwhile: months, then shares, then all that the chain gives.
        before = {"climate": 0, "land_cover": monthly}.get(role, 2 * monthly + shares + 40 * _FLOAT * cells)
        held.append(before + _regridding(context, rows, role, variables))
    return max(held)


def _regridding(context: Context, rows: slice, role: str, variables: tuple[str, ...]) -> int:
    """Bytes held while a part of an input is brought to some rows of the joint grid."""
    from geotools.space.window import pairs_of, part_of

    data, source = context.open_raster(role, variables), context.source_grid(role)
    grid = context.rows(wider(rows, context.grid.shape[0]))
    part = part_of(source, _window(context, rows, role))
    steps = max(data[v].size // source.size for v in variables)
    read = sum(part.size * (data[v].size // source.size) * data[v].dtype.itemsize for v in variables)
    built = _PAIR * pairs_of(part, grid)
    if role == "land_cover":
        # What each class is compared with, and areas, shares and valid fractions of every class.
        work = _CLASSES * (part.size * (_FLOAT + 1) + 4 * grid.size * _FLOAT)
    else:
        work = 2 * min(steps, _STEPS) * part.size * _FLOAT + 4 * steps * grid.size * _FLOAT
    return read + max(built, built // 4 + work)
