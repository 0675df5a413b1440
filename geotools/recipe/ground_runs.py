"""Long runs of ground columns in parts of years: killed at any moment, they go on at the part they were in."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Callable, Collection, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import xarray as xr

from geotools.catalog.catalog import identity
from geotools.errors import GeotoolsError, UsageError
from geotools.permafrost import SnowCover, SoilColumn, SpinUp, column_state, simulate
from geotools.permafrost.column_forcing import forcing_field, time_axis
from geotools.permafrost.column_simulation import STATION_DEPTHS
from geotools.recipe import files, journal
from geotools.recipe.journal import Journal, code_version, key_of
from geotools.recipe.lock import locked

_STEP = "ground"
_DAY = 86400.0


class _Part(NamedTuple):
    """Years that are run at once."""

    first: int  # step
    end: int  # step behind the last
    path: Path
    key: str


def run_checkpointed(
    folder: str | Path,
    column: SoilColumn,
    surface_temperature: xr.DataArray,
    *,
    snow_depth: xr.DataArray | None = None,
    snow: SnowCover | None = None,
    depths: Sequence[float] = STATION_DEPTHS,
    outputs: Collection[str] = ("annual",),
    spin_up: SpinUp | None = None,
    initial_temperature: Any = None,
    years: int = 10,
    key: str = "",
    progress: Callable[[int, int], None] | None = None,
) -> xr.Dataset:
    """Run columns through many years in parts, and keep what is done in a folder.

    After a kill, a full disk or a gap in the forcing the same call goes on behind the last part that was finished, and
    the results are those of a run that was never stopped, bit by bit. Memory and the size of dask graphs are those of
    a part.

    Parameters
    ----------
    folder : str or pathlib.Path
        Empty, or of this same run. It gets one NetCDF file per part, with the state at its end.
    column, surface_temperature, snow_depth, snow, depths, outputs, initial_temperature
        As for `simulate`.
    spin_up : SpinUp, optional
        As for `simulate`; the first part holds at least the years that it repeats.
    years : int
        Calendar years of a part.
    key : str
        Stands for what a lazy forcing holds, such as the hash of its files: a part whose key changed is run again, with
        all that follow. What an array in memory holds is looked at anyway, that of a lazy one is not.
    progress : callable, optional
        Called with the number of parts that are done, and of all.

    Returns
    -------
    xarray.Dataset
        As of `simulate`, opened lazily: statistics of all years, series of all steps, the spin-up of the first part,
        the state of the last, the largest `energy_residual` of the parts and their mean `nested_share`.

    Raises
    ------
    ForcingGapError
        When values are missing; all parts before are kept. Fill the gap, and call again.
    UsageError
        When the folder holds something else or a run with other arguments, or another process is at it.
    StorageError
        When the disk is full.
    DataError, UnitsError
        As `simulate`.
    """
    if isinstance(years, bool) or not isinstance(years, int | np.integer) or years < 1:
        raise UsageError(
            f"years={years!r}", where="run_checkpointed", expected="whole years of a part, at least 1"
        )
    fields = {"surface_temperature": surface_temperature}
    if snow_depth is not None:
        fields["snow_depth"] = snow_depth
    for name, units in (("surface_temperature", "degC"), ("snow_depth", "m")):
        if name in fields:
            # For its checks; it joins all times to one chunk, which only a part may do.
            forcing_field(fields[name], name, units)
    outputs = (outputs,) if isinstance(outputs, str) else tuple(outputs)
    if spin_up is None and initial_temperature is None:
        spin_up = SpinUp()
    asked = {
        "column": [column.describe(), _print_of(column)],
        "snow": _print_of(snow),
        "depths": [float(d) for d in np.ravel(depths)],
        "outputs": sorted(outputs),
        "spin_up": repr(spin_up),
        "initial_temperature": _print_of(initial_temperature),
        "columns": {n: _print_of(f.isel(time=0, drop=True).coords.to_dataset()) for n, f in fields.items()},
        "years": int(years),
    }
    home = files.writable_folder(Path(folder))
    with locked(home) as lock:
        journal.claim(home, {"ground_run": asked})
        files.tidy(home)
        book = Journal(home)
        parts = _parts(home, fields, asked, years, spin_up, key)
        options: dict[str, Any] = {"snow": snow, "depths": depths, "outputs": outputs}
        done = 0
        while done < len(parts) and book.has_block(parts[done].key):
            done += 1
        for number, part in enumerate(parts):
            if number >= done:
                lock.ensure()
                start = {"spin_up": spin_up, "initial_temperature": initial_temperature}
                if number:
                    start = {"state": _state(parts[number - 1].path)}
                _run(part, column, fields, book, options | start)
            if progress is not None:
                progress(number + 1, len(parts))
        for path in home.glob("ground_*.nc"):
            if path not in [part.path for part in parts]:
                files.remove(path)
    return _opened([part.path for part in parts])


def _run(
    part: _Part, column: SoilColumn, fields: dict[str, xr.DataArray], book: Journal, options: dict[str, Any]
) -> None:
    """One part into its file."""
    here: dict[str, Any] = {n: field.isel(time=slice(part.first, part.end)) for n, field in fields.items()}
    try:
        result = simulate(column, here.pop("surface_temperature"), **here, **options)
        with files.replacing(part.path) as temporary:
            result.to_netcdf(temporary)
    except GeotoolsError as error:
        book.add_failure(part.path.stem, str(error))
        raise
    book.add_block(part.path.stem, part.key, part.path.name, identity(part.path), step_key=_STEP)


def _state(path: Path) -> xr.Dataset:
    with xr.open_dataset(path) as stored:
        return column_state(stored).load()


def _parts(
    home: Path,
    fields: dict[str, xr.DataArray],
    asked: dict[str, Any],
    years: int,
    spin_up: SpinUp | None,
    key: str,
) -> list[_Part]:
    """Parts of whole calendar years; what is left of a year goes with the whole ones beside it."""
    axis = time_axis(fields["surface_temperature"]["time"])
    ends = np.flatnonzero(np.append(axis.year[1:] != axis.year[:-1], True)) + 1
    begins = np.append(0, ends[:-1])
    whole = np.abs((ends - begins) * axis.step - axis.days[begins] * _DAY) < 0.5 * axis.step
    # The years that spin-up repeats must all be there at the start.
    first = max(years, spin_up.cycle_years) if spin_up is not None else years
    cuts, counted, wanted = [0], 0, first
    for end, is_whole in zip(ends.tolist(), whole.tolist(), strict=True):
        counted += is_whole
        if counted >= wanted:
            cuts.append(end)
            counted, wanted = 0, years
    steps = int(ends[-1])
    if cuts[-1] != steps:
        if counted or len(cuts) == 1:
            cuts.append(steps)
        else:
            cuts[-1] = steps
    found: list[_Part] = []
    before = key_of([asked, code_version()])
    for begin, end in pairwise(cuts):
        held = {name: _print_of(field.isel(time=slice(begin, end))) for name, field in fields.items()}
        before = key_of([before, begin, end, held, key])
        path = home / f"ground_{axis.year[begin]:04d}-{axis.year[end - 1]:04d}.nc"
        found.append(_Part(begin, end, path, before))
    return found


def _print_of(value: Any) -> Any:
    """What tells one argument from another, as plain JSON: the hash of arrays, the shape of lazy ones."""
    if isinstance(value, xr.Dataset):
        return {str(name): _print_of(field) for name, field in sorted(value.variables.items(), key=str)}
    if isinstance(value, xr.DataArray | xr.Variable | np.ndarray):
        array = (
            value
            if isinstance(value, np.ndarray)
            else value.variable
            if isinstance(value, xr.DataArray)
            else value
        )
        about = [list(map(str, getattr(array, "dims", ()))), list(array.shape), str(array.dtype)]
        about.append(str(getattr(array, "attrs", {}).get("units", "")))
        if getattr(array, "chunks", None) is not None:
            return [*about, "lazy"]
        values = np.ascontiguousarray(array if isinstance(array, np.ndarray) else array.values)
        content = repr(values.tolist()).encode() if values.dtype.kind == "O" else values.tobytes()
        digest = [*about, hashlib.sha256(content).hexdigest()]
        if isinstance(value, xr.DataArray) and "time" in value.coords:
            digest.append(_print_of(value["time"].variable))
        return digest
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {f.name: _print_of(getattr(value, f.name)) for f in dataclasses.fields(value)}
    if isinstance(value, tuple | list):
        return [_print_of(v) for v in value]
    return value if value is None or isinstance(value, bool | int | float | str) else repr(value)


def _opened(paths: list[Path]) -> xr.Dataset:
    """The parts as one Dataset, lazily."""
    parts = [xr.open_dataset(path, chunks={}) for path in paths]
    variables = {}
    for name, field in parts[-1].data_vars.items():
        along = next((d for d in ("year", "time") if d in field.dims), None)
        if along is not None:
            pieces = [part[name] for part in parts]
            variables[name] = xr.concat(pieces, along, join="exact", coords="minimal", compat="override")
        else:
            variables[name] = field
    out = xr.Dataset(variables, attrs=parts[-1].attrs)
    every = [xr.concat([p[n] for p in parts], "part") for n in ("energy_residual", "nested_share")]
    out["energy_residual"] = every[0].max("part", keep_attrs=True)
    out["nested_share"] = every[1].mean("part", keep_attrs=True)
    for name in ("spin_up_years", "spin_up_change"):
        if name in parts[0]:
            out[name] = parts[0][name]
    out.attrs["spin_up"] = parts[0].attrs["spin_up"]
    return out
