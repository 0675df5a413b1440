"""The inputs of the series: how they are opened, cut into blocks, and what is wrong with them."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from geotools.errors import DataError, UsageError
from geotools.metadata import kind_of
from geotools.recipe.model import SeriesSettings
from geotools.vocabulary import Kind

if TYPE_CHECKING:
    import xarray as xr

    from geotools.recipe.context import Context

# Decoded bytes of a block: small enough for many at once, large enough that its file does not count.
BLOCK_BYTES = 64_000_000
# What each statistic can be taken of; a quantile is like a mean.
_AVERAGED = (Kind.INTENSIVE, Kind.DENSITY)
_KINDS = {"total": (Kind.DENSITY,), "sum": (Kind.AMOUNT,)}


def levels_of(series: SeriesSettings) -> dict[str, float]:
    """The quantiles among the statistics, by name."""
    found = [s for s in series.statistics if s.startswith("p") and s[1:].isdigit()]
    return {name: int(name[1:]) / 100 for name in found}


def source_names(context: Context) -> list[str]:
    """What the files of each series are called: the catalogue name, or the name of the file without its ending.

    Raises
    ------
    UsageError
        When two are the same.
    """
    names = []
    for number, series in enumerate(context.recipe.series):
        name, entry = context.inputs[f"series_{number}"]
        names.append(series.source if isinstance(series.source, str) else entry.path.stem)
        if names.count(names[-1]) > 1:
            raise UsageError(
                f"two series are called {name!r}",
                where="series",
                expected="sources whose names differ, as their files are called after them",
                todo="list all variables of a source under one item, or name a file in a catalogue of your own",
            )
    return names


def opened(context: Context, number: int) -> xr.Dataset:
    """A source with its variables, opened once by each process.

    Raises
    ------
    UsageError, DataError
        When it cannot be opened, or lacks a variable or a time axis.
    """
    role = f"series_{number}"
    with context.guard:
        if role not in context.rasters:
            series, entry = context.recipe.series[number], context.inputs[role][1]
            data = context.open_raster(role, tuple(series.variables))
            data = data.drop_vars([v for v in data.data_vars if v not in series.variables])
            for variable in series.variables:
                _ensure_series(data[variable], variable, series, str(entry.path))
            context.rasters[role] = data
        return context.rasters[role]


def _ensure_series(field: xr.DataArray, variable: str, series: SeriesSettings, where: str) -> None:
    if "time" not in field.dims:
        raise DataError(
            f"{variable} has no time axis",
            where=where,
            expected="a variable with a time axis",
            todo="leave it out of `series`; fields of one time go under `inputs`",
        )
    kind = kind_of(field)
    for statistic in series.statistics:
        fitting = _KINDS.get(statistic, _AVERAGED)
        if kind not in fitting:
            raise UsageError(
                f"the {statistic} was asked of {variable}, which is {kind.value}",
                where=f"series, {where}",
                expected=f"for {statistic}: {' or '.join(k.value for k in fitting)}",
                todo="take `sum` for amounts per cell and `total` for densities, or leave the variable out",
            )


def storage_steps(field: xr.DataArray) -> int:
    """Time steps of a storage chunk."""
    return int(field.chunksizes["time"][0]) if field.chunks else 1


def block_steps(field: xr.DataArray, wanted: int | str) -> int:
    """Time steps of a block.

    Parameters
    ----------
    field : xarray.DataArray [time, ...; lazy, in its storage chunks]
    wanted : int or "auto"
        "auto" takes as many whole storage chunks along time as `BLOCK_BYTES` hold, and at least one.

    Returns
    -------
    int
    """
    steps = field.sizes["time"]
    if isinstance(wanted, int):
        return min(wanted, steps)
    chunk = storage_steps(field)
    per_chunk = max(1, field.nbytes // steps) * chunk
    return min(chunk * max(1, BLOCK_BYTES // per_chunk), steps)


def describe(context: Context, number: int) -> str:
    """One line on a series that is in order, for `geotools check`.

    Raises
    ------
    UsageError, DataError
    """
    series, data = context.recipe.series[number], opened(context, number)
    source = source_names(context)[number]
    parts = []
    for variable in series.variables:
        field = data[variable]
        size, chunk = block_steps(field, series.time_block), storage_steps(field)
        text = f"{variable} {field.sizes['time']} steps in {math.ceil(field.sizes['time'] / size)} blocks"
        reads = chunk_reads(field.sizes["time"], chunk, size)
        if reads > 1:
            text += (
                f" (storage chunks of {chunk} steps are cut, so that {reads:.2g} times as much is read; "
                f"set time_block to a multiple of {chunk}, or auto)"
            )
        parts.append(text)
    return f"{source}, {', '.join(parts)}"


def chunk_reads(steps: int, chunk: int, size: int) -> float:
    """How often a storage chunk is read on average when blocks cut across chunks.

    Parameters
    ----------
    steps, chunk, size : int
        Time steps in all, of a storage chunk and of a block.

    Returns
    -------
    float

    Examples
    --------
    >>> chunk_reads(120, 12, 12), chunk_reads(120, 12, 24), chunk_reads(12, 12, 4)
    (1.0, 1.0, 3.0)
    """
    read = sum(
        (min(start + size, steps) - 1) // chunk - start // chunk + 1 for start in range(0, steps, size)
    )
    return read / math.ceil(steps / chunk)
