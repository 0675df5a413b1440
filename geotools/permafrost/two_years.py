"""Whether ground is permafrost by definition: at or below 0 degC for at least two years in a row."""

from __future__ import annotations

import numpy as np
import xarray as xr

from geotools.climate.daily_axis import Days, daily_series, longest_gap
from geotools.face import apply_core
from geotools.guards import Array, ensure_celsius, ensure_range
from geotools.metadata import Variable, flag_attrs

STATE = Variable(
    "permafrost_state", "1", "ground at or below 0 degC for two years in a row", "", "area: mode"
)
MISSING = -1


def permafrost_state(temperature: xr.DataArray, *, min_days: int = 730, dim: str = "time") -> xr.DataArray:
    """Whether measured ground temperatures show permafrost.

    Parameters
    ----------
    temperature : xarray.DataArray [`dim`, ...; temperature]
        Daily means with dates. Days that are absent from the dates are missing.
    min_days : int [d]
        How long in a row the ground must be at or below 0 degC.
    dim : str
        The dimension of the days.

    Returns
    -------
    int8 xarray.DataArray [...; 1]
        1 where there was such a time in the record; 0 where the ground thawed, and the times between were too short
        even if all missing days were frozen; and -1 where missing days decide, or nothing thawed in a record that is
        too short. -1 stands in `_FillValue` of the encoding and is no class.

    Raises
    ------
    UnitsError
        When a temperature is above 100 degC.
    UsageError
        When the values are not daily.
    DataError
        When dates are not in order, or `min_days` is not positive.

    References
    ----------
    van Everdingen, R. O. (ed., 2005). Multi-language glossary of permafrost and related ground-ice terms. NSIDC.

    Examples
    --------
    >>> time = xr.date_range("2001-01-01", "2002-12-31")
    >>> cold = xr.DataArray(np.full(730, -0.5), dims="time", coords={"time": time}, attrs={"units": "degC"})
    >>> permafrost_state(cold).item(), permafrost_state(cold[1:]).item()
    (1, -1)
    """
    days = daily_series(temperature, "temperature", dim)
    ensure_range("min_days", np.asarray(min_days, dtype="float64"), 0.0, np.inf, "d", above=True)
    out: xr.DataArray = apply_core(
        _state,
        {"temperature": temperature},
        units={"temperature": "degC"},
        returns=STATE,
        options={"position": days - days[0], "min_days": min_days},
        core_dim=dim,
        along=("temperature",),
    ).astype("int8")
    out.attrs.update(flag_attrs({0: "no permafrost", 1: "permafrost"}))
    out.encoding["_FillValue"] = np.int8(MISSING)
    return out


def _state(temperature: Array, position: Days, min_days: int) -> Array:
    """1, 0 or -1 [...] from temperatures [..., step]."""
    ensure_celsius("temperature", temperature)
    warm, known = temperature > 0.0, ~np.isnan(temperature)
    length = int(position[-1]) + 1
    frozen = np.zeros((*known.shape[:-1], length), dtype=bool)
    frozen[..., position] = known & ~warm
    surely = longest_gap(~frozen, np.arange(length), length)
    perhaps = longest_gap(warm, position, length)
    thawed = warm.any(axis=-1) & (perhaps < min_days)
    return np.where(surely >= min_days, 1.0, np.where(thawed, 0.0, float(MISSING)))
