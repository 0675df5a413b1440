"""What each step of a run reads, writes and holds, told from the recipe and the shapes of its inputs."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from geotools.model_inputs.generic import storage_rows
from geotools.permafrost.parameters import FIELDS as GROUND
from geotools.recipe import zone_cells
from geotools.recipe.bands import (
    CHAIN_BYTES,
    MONTHS,
    band_bytes,
    looked_through,
    pieces_read,
    raster_roles,
    window_bytes,
)
from geotools.recipe.context import SECOND_CLIMATE, SUMMARISED, Context
from geotools.recipe.need import Need
from geotools.recipe.series_inputs import block_steps, chunk_reads, opened, storage_steps
from geotools.recipe.steps.fields import soil_layers
from geotools.recipe.steps.figures import PIXELS
from geotools.recipe.steps.model_inputs import fits_in_memory
from geotools.recipe.transect_layers import layers as transect_layers
from geotools.recipe.transect_layers import needed
from geotools.recipe.zone_cells import FLOAT as _FLOAT
from geotools.recipe.zone_cells import STORED as _STORED
from geotools.space.compiled import is_compiled
from geotools.space.grids import grid_of
from geotools.space.row_kernels import row_sums

# What a process holds by itself when a step starts: libraries, compiled kernels, polygons of zones, regions and maps.
# Measured on a grid of a few cells, where fields take next to nothing.
_LOADED = {
    "opening": 380, "fields": 390, "model_inputs": 415, "uncertainty": 425, "basins": 430, "transect": 430,
    "cross_section": 480, "town_ground": 485,
    "budget": 485, "trade": 485, "series": 485, "figures": 500,
}  # fmt: skip
# What compiling the kernels takes in the first run on a machine.
_COMPILING = 200
_FIRST_RUN = (f"compiling takes {_COMPILING} MB, in the first run on a machine",)
_MB = 1_000_000
_MONTHLY = ("tas", "pr", "snd", "snw")
# Copies of a chunk on its way: as it is packed, decoded, and in the layout that kernels take.
_COPIES = 3
# Bands share the rows of the input along their edges, which is not worth a word.
_WORTH_TELLING = 1.5
# Of a pixel of the map: two corners in longitude and latitude and on paper, a colour, a value.
_PIXEL_BYTES = 100


def needs(context: Context, *, memory_only: bool = False) -> list[Need]:
    """What each step needs, in order; the first is opening and checking the inputs.

    Parameters
    ----------
    context : Context
    memory_only : bool
        Leave out what the bands read, which takes long to count where there are thousands.

    Returns
    -------
    list of Need
    """
    steps: tuple[Callable[[Context], Need], ...] = (
        _model_inputs, _uncertainty, _zonal("basins", "zones"), _zonal("transect", "segments"),
        _cross_section, _town_ground, _budget, _trade, _series, _figures,
    )  # fmt: skip
    fields = _fields(context, counted=not memory_only)
    return [_opening(context), fields, *(step(context) for step in steps)]


def layers(context: Context) -> dict[str, int]:
    """Layers of each variable of the fields on the joint grid."""
    cover = context.open_raster("land_cover", ("land_cover",))["land_cover"]
    return {
        **dict.fromkeys(_MONTHLY, MONTHS),
        **dict.fromkeys((*SUMMARISED, *GROUND), 1),
        "land_cover_fraction": np.atleast_1d(cover.attrs["flag_values"]).size,
        **dict.fromkeys(soil_layers(context), 1),
    }


def cell_bytes(context: Context, names: tuple[str, ...] | None = None) -> int:
    """Bytes of a cell of the fields on the joint grid as they are stored: floats, and classes in one byte."""
    held = layers(context)
    return sum(
        held[n] * (1 if n == "permafrost_zone" else _STORED) for n in (held if names is None else names)
    )


def _compiling() -> int:
    """Memory for compiling kernels, unless an earlier run has."""
    return 0 if is_compiled(row_sums) else _COMPILING


def _need(step: str, held: int, **more: object) -> Need:
    compiling = 0 if step == "opening" else _compiling()
    return Need(step, peak_bytes=(_LOADED[step] + compiling) * _MB + held, **more)  # type: ignore[arg-type]


def _chunks(context: Context) -> tuple[int, int]:
    """Number of the chunks in which the fields are read, and cells of one."""
    rows, (height, width) = context.chunk_rows, context.grid.shape
    return -(-height // rows), rows * width


def _chunk_bytes(context: Context) -> int:
    """What one chunk of the widest variable holds on its way."""
    return _COPIES * max(layers(context).values()) * _STORED * _chunks(context)[1]


def _opening(context: Context) -> Need:
    along = transect_layers(context)
    looked = {
        role: looked_through(context, role)
        for role in (*raster_roles(context), *(la.role for la in along), *_series_roles(context))
    }
    held = max((n for parts in looked.values() for n in parts), default=0)
    return _need(
        "opening",
        2 * held,
        loads=sum(len(parts) for parts in looked.values()),
        read_bytes=sum(sum(parts) for parts in looked.values()),
        layout=["the values of inputs with units are looked through once, up to 1 GB of each"],
    )


def _fields(context: Context, *, counted: bool) -> Need:
    cells, bands = context.grid.size, context.bands
    zones = len(context.zones)
    read = loads = 0
    for first, last in bands if counted else []:
        for role, variables in raster_roles(context).items():
            read += window_bytes(context, slice(first, last), role, variables)
            loads += pieces_read(context, slice(first, last), role, variables)
        # Zones without climate data are looked for before.
        read += window_bytes(context, slice(first, last), "climate", ("tas",))
        loads += pieces_read(context, slice(first, last), "climate", ("tas",))
    rows = bands[0][1] - bands[0][0]
    joined = _chunk_bytes(context) + 2 * zones * _FLOAT * _chunks(context)[1]
    once = cells * cell_bytes(context)
    return _need(
        "fields",
        max(band_bytes(context, rows), joined, _STORED * cells),
        blocks=len(bands),
        loads=loads + len(bands) * len(layers(context)),
        read_bytes=read + once,
        written_bytes=2 * once + zones * _STORED * cells,
        layout=[
            _counted(len(bands), "band", rows),
            *(_rereading(context) if counted else []),
            *(_FIRST_RUN if _compiling() else ()),
        ],
    )


def _rereading(context: Context) -> list[str]:
    """Which inputs are read several times because bands cut across their chunks, and how often."""
    found = []
    for role, variables in raster_roles(context).items():
        bands = [slice(*band) for band in context.bands]
        once = window_bytes(context, slice(0, context.grid.shape[0]), role, variables)
        times = sum(window_bytes(context, band, role, variables) for band in bands) / once
        if times > _WORTH_TELLING:
            dim = context.source_grid(role).y_dim
            data = context.open_raster(role, variables)
            chunk = max(data[variables[0]].chunksizes[dim])
            found.append(f"{role} is read {times:.1f} times: its chunks of {chunk} rows are cut by the bands")
    return found


def _model_inputs(context: Context) -> Need:
    per_cell = cell_bytes(context) - 2 * _STORED
    chunk, read, written, held, loads = _chunks(context)[1], 0, 0, 0, 0
    for cells, regions in zone_cells.zone_boxes(context):
        size = cells * (per_cell + _STORED * (2 + regions))
        whole = fits_in_memory(context, cells * (per_cell + _FLOAT * (2 + regions)))
        formats = 1 if whole else 2
        read, written = read + formats * cells * per_cell, written + 2 * size
        loads += formats * len(layers(context)) * -(-cells // chunk)
        # The part of the regions is made anew for each chunk that is written.
        streamed = _chunk_bytes(context) + 3 * _FLOAT * regions * chunk
        held = max(held, 3 * size if whole else streamed)
    # Which regions touch a zone is told from the cells of both, each a number, an area and its place in order.
    listed = 4 * _FLOAT * (zone_cells.touched(context, "zones")[1] + zone_cells.largest_region(context))
    return _need(
        "model_inputs",
        max(held, listed) + 2 * _FLOAT * context.grid.size,
        loads=loads,
        read_bytes=read,
        written_bytes=written,
        layout=[
            "each zone is read once for both formats where it is small, and twice where it is not",
            *_cut_across(context),
        ],
    )


def _straddled(context: Context) -> float:
    """How often a chunk on disk is unpacked when rows are read from the middle of one, in pieces of `chunk_rows`."""
    rows, stored = context.chunk_rows, storage_rows(context.grid.shape)
    return (-(-rows // stored) + 1) / -(-rows // stored) if rows < context.grid.shape[0] else 1.0


def _uncertainty(context: Context) -> Need:
    from geotools.recipe.steps.uncertainty import blocks

    cells, (number, chunk) = context.grid.size, _chunks(context)
    names = ("tas", "pr", *GROUND)
    per_cell, pieces = cell_bytes(context, names), len(blocks(context))
    draws = context.recipe.uncertainty.draws
    # A grid of one chunk is held for all draws of a block.
    times = (pieces if number == 1 else draws) if draws else 0
    band = min((context.bands[0][1] - context.bands[0][0]) * context.grid.shape[1], chunk)
    held = CHAIN_BYTES * band + (per_cell + 3 * (len(SUMMARISED) - 1) * _FLOAT) * chunk
    return _need(
        "uncertainty",
        held if draws else 0,
        blocks=pieces,
        loads=times * number * len(names),
        read_bytes=times * cells * per_cell,
        layout=[f"each draw goes through {_counted(number, 'chunk', context.chunk_rows)}"] if draws else [],
    )


def _zonal(step: str, kind: str) -> Callable[[Context], Need]:
    def need(context: Context) -> Need:
        names = (*SUMMARISED, *soil_layers(context), "land_cover_fraction")
        if step == "transect":
            # For the nival offset.
            names = (*names, "tas")
        along = [needed(context, layer) for layer in transect_layers(context)] if step == "transect" else []
        chunks, cells = zone_cells.joint_chunks_around(context, kind)
        return _need(
            step,
            max(
                _threads() * _chunk_bytes(context) + zone_cells.gathered(context, kind, _threads()),
                *(held for _, _, held in along),
                0,
            ),
            loads=len(names) * chunks + sum(pieces for _, pieces, _ in along),
            read_bytes=cells * cell_bytes(context, names) + sum(size for size, _, _ in along),
            layout=[
                f"quantiles gather the values of about {zone_cells.touched(context, kind)[0]:,} cells at a time"
            ],
        )

    return need


def _cross_section(context: Context) -> Need:
    from geotools.recipe.steps.cross_section import NEEDED

    segments = len(context.transect.segments)
    return _need(
        "cross_section",
        _threads() * _chunk_bytes(context) + _column_bytes(context, segments),
        loads=len(NEEDED) * _chunks(context)[0],
        read_bytes=context.grid.size * cell_bytes(context, NEEDED),
        layout=[f"{segments} columns to {context.recipe.ground_column.depth_m:g} m are brought into balance"],
    )


def _town_ground(context: Context) -> Need:
    from geotools.recipe.steps.town_ground import CLIMATE, NEEDED, rows_of, towns

    pieces = rows_of(context, context.chunk_rows)
    read = sum(last - first for first, last in pieces) * context.grid.shape[1] * cell_bytes(context, NEEDED)
    loads, held = len(NEEDED) * len(pieces), _threads() * _chunk_bytes(context)
    if SECOND_CLIMATE in context.inputs:
        bands = context.bands
        # Each variable is brought to the grid by itself, in the bands of the fields.
        for band in (slice(*b) for b in rows_of(context, bands[0][1] - bands[0][0])):
            read += window_bytes(context, band, SECOND_CLIMATE, CLIMATE)
            loads += pieces_read(context, band, SECOND_CLIMATE, CLIMATE)
        held = max(held, band_bytes(context, bands[0][1] - bands[0][0]))
    columns = 2 * len(towns(context))
    return _need(
        "town_ground",
        held + _column_bytes(context, columns),
        loads=loads,
        read_bytes=read,
        layout=[f"up to {columns} columns are brought into balance"],
    )


def _column_bytes(context: Context, columns: int) -> int:
    """Forcing of a year by days, as it is made and as the column takes it, and the cells of the columns."""
    return 10 * 365 * _FLOAT * columns + 100 * 100 * _FLOAT * columns


def _budget(context: Context) -> Need:
    names = (
        "permafrost_probability", "permafrost_zone", "annual_precipitation", "land_cover_fraction", "snw",
        *soil_layers(context),
    )  # fmt: skip
    cover = context.open_raster("land_cover", ("land_cover",))["land_cover"]
    piece = int(np.prod([max(c) for c in (cover.chunks or ((n,) for n in cover.shape))]))
    return _need(
        "budget",
        _threads() * max(_chunk_bytes(context), _COPIES * piece * _FLOAT),
        loads=len(names) * _chunks(context)[0] + int(np.prod(cover.data.numblocks)),
        read_bytes=context.grid.size * cell_bytes(context, names) + cover.nbytes,
        layout=["land cover of the regions is read whole, as it is stored"],
    )


def _trade(context: Context) -> Need:
    return _need("trade", 0)


def _series(context: Context) -> Need:
    from geotools.recipe.steps.series import blocks

    read = loads = held = 0
    layout = []
    for number, series in enumerate(context.recipe.series):
        data = opened(context, number)
        for variable in series.variables:
            values = data[variable]
            steps, size = values.sizes["time"], block_steps(values, series.time_block)
            times = chunk_reads(steps, storage_steps(values), size)
            grid = grid_of(values)
            chunks = [values.chunksizes[d] for d in grid.dims]
            across, cells = zone_cells.chunks_around(context, series.targets, grid, chunks)
            read += values.nbytes // grid.size * cells
            step_bytes = values.nbytes // steps
            piece = values.dtype.itemsize * int(np.prod([max(c) for c in values.chunks or ()]))
            gathered = any(s.startswith("p") and s[1:].isdigit() for s in series.statistics)
            # Quantiles want all cells of the zones together: as pieces and joined, for every target.
            whole = 2 * len(series.targets) * step_bytes * size if gathered else 0
            held = max(held, _threads() * _COPIES * piece + whole)
            loads += round(times * -(-steps // storage_steps(values))) * across
            if times > 1:
                layout.append(
                    f"{variable}: blocks of {size} steps cut chunks of {storage_steps(values)}, each unpacked "
                    f"{times:.2g} times"
                )
    return _need("series", held, blocks=len(blocks(context)), loads=loads, read_bytes=read, layout=layout)


def _figures(context: Context) -> Need:
    step = [max(1, -(-n // PIXELS)) for n in context.grid.shape]
    shown = int(np.prod([-(-(n - (k - 1) // 2) // k) for n, k in zip(context.grid.shape, step, strict=True)]))
    return _need(
        "figures",
        _PIXEL_BYTES * shown,
        loads=_chunks(context)[0],
        read_bytes=shown,
        layout=[f"one of {step[0]} x {step[1]} cells is shown"] if max(step) > 1 else [],
    )


def _series_roles(context: Context) -> dict[str, tuple[str, ...]]:
    return {f"series_{n}": tuple(series.variables) for n, series in enumerate(context.recipe.series)}


def _threads() -> int:
    from dask import config
    from dask.system import CPU_COUNT

    return int(config.get("num_workers", None) or CPU_COUNT)


def _counted(number: int, what: str, rows: int) -> str:
    return f"{number} {what}{'' if number == 1 else 's'} of {rows} rows"


def _cut_across(context: Context) -> list[str]:
    times = _straddled(context)
    return (
        [f"its rows cut across chunks on disk, which are unpacked up to {times:.2g} times"]
        if times > 1
        else []
    )
