"""Checks of values against what their metadata say."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
import xarray as xr

from geotools.errors import DataError, GeotoolsError, UnitsError
from geotools.metadata import Variable
from geotools.units import conversion, units_of

# Above this size only some chunks are read for the check, so that opening a large cube stays cheap.
_WHOLE_BYTES = 1_000_000_000
_SAMPLED_STEPS = 12


def value_range(field: xr.DataArray, *, where: str) -> tuple[float, float]:
    """Smallest and largest value of a field.

    Parameters
    ----------
    field : xarray.DataArray [any dims]
        Up to 1 GB is read whole; of a larger field, 12 evenly spaced steps of the first dimension.
    where : str
        File name for messages.

    Returns
    -------
    (float, float)
        NaN twice when nothing is valid.

    Raises
    ------
    DataError
        When the file breaks off while it is read.
    """
    field = _sample(field)
    try:
        low, high = _extremes(field)
    except GeotoolsError:
        raise
    except Exception as error:  # GDAL, HDF5 and codecs each raise their own kind
        raise DataError(
            f"variable {field.name!r} cannot be read to its end ({(str(error).splitlines() or ['?'])[0]})",
            where=where,
            expected="a complete file",
            todo="fetch or write the file again; it is probably truncated",
        ) from error
    return low, high


def _extremes(field: xr.DataArray) -> tuple[float, float]:
    """Least and greatest value but for NaN; the chunks are read once for both."""
    import dask.array as da

    # Not nanmin: where all is missing it gives a warning that dask silences, which is not safe among threads.
    reduction: Any = da.reduction
    lazy = field.chunk().data if field.chunks is None else field.data
    both = []
    for choose in (np.fmin, np.fmax):
        step = partial(_chosen, choose=choose)
        both.append(reduction(lazy, chunk=step, aggregate=step, dtype=field.dtype))
    found = xr.Dataset({"low": ((), both[0]), "high": ((), both[1])}).compute()
    return float(found["low"]), float(found["high"])


def _chosen(block: Any, axis: Any, keepdims: bool, choose: Any) -> Any:
    return choose.reduce(block, axis=axis, keepdims=keepdims)


def bytes_looked_through(field: xr.DataArray) -> int:
    """Bytes of a field that `value_range` reads."""
    return int(_sample(field).nbytes)


def _sample(field: xr.DataArray) -> xr.DataArray:
    first = field.dims[0]
    if field.nbytes <= _WHOLE_BYTES or field.sizes[first] <= _SAMPLED_STEPS:
        return field
    steps = np.unique(np.linspace(0, field.sizes[first] - 1, _SAMPLED_STEPS).astype(int))
    return field.isel({first: steps})


def check_units_against_values(field: xr.DataArray, variable: Variable, *, where: str) -> None:
    """Refuse a field whose values cannot be in the units it names.

    Parameters
    ----------
    field : xarray.DataArray [any dims; its `units` attribute]
    variable : Variable
        Gives the plausible range.
    where : str
        File name for messages.

    Raises
    ------
    UnitsError
        When the values, converted from the named units, leave the plausible range.
    DataError
        When no value is valid.
    """
    stated = units_of(field)
    scale, offset = conversion(stated, variable.units, liquid_water=variable.liquid_water)
    low, high = value_range(field, where=where)
    if np.isnan(low):
        raise DataError(
            f"variable {variable.name!r} has no valid value at all",
            where=where,
            expected="at least one cell with data",
            todo="check the file and its missing-value code",
        )
    if variable.valid is None:
        return
    least, most = variable.valid
    if least <= low * scale + offset and high * scale + offset <= most:
        return
    raise UnitsError(
        f"variable {variable.name!r} says its units are {stated!r}, but its values run from {low:g} to {high:g}",
        where=where,
        expected=f"{least:g} to {most:g} {variable.units} after conversion",
        todo=_advice(low, high, variable),
    )


def units_that_fit(low: float, high: float, variable: Variable) -> str | None:
    """Usual units of a variable in which a range of values is plausible, or None."""
    if variable.valid is None:
        return None
    least, most = variable.valid
    for guess in dict.fromkeys((variable.units, *_USUAL.get(variable.name, ()))):
        scale, offset = conversion(guess, variable.units, liquid_water=variable.liquid_water)
        if least <= low * scale + offset and high * scale + offset <= most:
            return guess
    return None


def _advice(low: float, high: float, variable: Variable) -> str:
    guess = units_that_fit(low, high, variable)
    if guess is not None:
        return f"if the values are really in {guess!r}, set `units: {guess}` for this variable in the recipe"
    assert variable.valid is not None
    code = low if low < variable.valid[0] else high
    return f"if {code:g} means missing, set `nodata: {code:g}` for this variable in the recipe"


_USUAL = {
    "tas": ("K",),
    "tsl": ("K",),
    "magt": ("K",),
    "pr": ("kg m-2 s-1", "m d-1", "m s-1"),
    "snd": ("cm", "mm"),
}
