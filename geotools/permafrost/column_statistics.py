"""What a series of ground temperatures says: thaw depth, zero curtain, depth of zero annual amplitude."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import xarray as xr

from geotools.errors import DataError, UsageError
from geotools.guards import Array, ensure_celsius, ensure_range
from geotools.metadata import VARIABLES, Variable
from geotools.units import convert

ZERO_AMPLITUDE = Variable(
    "zero_annual_amplitude_depth",
    "m",
    "depth of zero annual amplitude",
    "",
    "area: mean",
)
CURTAIN = {
    "zero_curtain_days": Variable("zero_curtain_days", "d", "length of the zero curtain"),
    "zero_curtain_start": Variable(
        "zero_curtain_start", "1", "first day of the zero curtain, from 1 January"
    ),
    "zero_curtain_end": Variable("zero_curtain_end", "1", "last day of the zero curtain, from 1 January"),
}
_DEPTH = "depth"


def _profile(temperature: Any, *dims: str) -> xr.DataArray:
    """Ground temperatures in degC with their dimensions, eager or lazy."""
    if not isinstance(temperature, xr.DataArray) or not set(dims) <= set(temperature.dims):
        raise UsageError(
            f"dimensions {temperature.dims}" if isinstance(temperature, xr.DataArray) else "no DataArray",
            where="argument 'temperature'",
            expected=f"a DataArray with {' and '.join(dims)}",
            todo="name its dimensions",
        )
    for dim in dims:
        if dim not in temperature.coords:
            raise UsageError(
                f"no coordinate {dim!r}",
                where="argument 'temperature'",
                expected="the values of the dimension",
            )
    field = convert(temperature, "degC")
    return field.chunk(dict.fromkeys(dims, -1)) if field.chunks is not None else field


def _depths(field: xr.DataArray) -> Array:
    coordinate = field[_DEPTH]
    units = coordinate.attrs.get("units")
    if units is not None:
        coordinate = convert(coordinate, "m")
    values = np.asarray(coordinate.values, dtype="float64")
    if values.size < 2 or np.any(np.diff(values) <= 0.0) or values[0] < 0.0:
        raise DataError(
            f"depths of {', '.join(f'{d:g}' for d in values)} m",
            where="coordinate 'depth'",
            expected="at least two depths that grow, positive down",
            todo="sort by depth: temperature.sortby('depth')",
        )
    return values


def active_layer_thickness(temperature: xr.DataArray) -> xr.DataArray:
    """Depth of annual thaw from temperatures at several depths.

    Parameters
    ----------
    temperature : xarray.DataArray [time, depth, any dims; its units], or [year, depth, any dims] of annual maxima
        Of whole years; the coordinate ``depth`` in m, positive down.

    Returns
    -------
    xarray.DataArray [year, any dims; m]
        Depth of the deepest 0 degC crossing, by linear interpolation, of the largest temperatures of each year.
        NaN where the deepest sensor thaws, 0 where the shallowest does not, and NaN in years that miss a value
        at the sensors around the crossing.

    Raises
    ------
    UsageError
        When there is no dimension ``depth``, or neither ``time`` nor ``year``.
    DataError
        When depths do not grow.

    Examples
    --------
    >>> highest = xr.DataArray([[8.0, 2.0, -1.0, -2.0]], dims=("year", "depth"), attrs={"units": "degC"},
    ...                        coords={"year": [2000], "depth": [0.2, 0.8, 1.6, 3.2]})
    >>> active_layer_thickness(highest).round(3).values.tolist()
    [1.333]
    """
    by_year = isinstance(temperature, xr.DataArray) and "year" in temperature.dims
    field = _profile(temperature, "year" if by_year else "time", _DEPTH)
    depths = _depths(field)
    # Missing days stay missing: the warmest may be among them.
    highest = field if by_year else _by_year(field).max("time", skipna=False)
    out = xr.apply_ufunc(
        _deepest_crossing,
        highest,
        kwargs={"depths": depths},
        input_core_dims=[[_DEPTH]],
        dask="parallelized",
        output_dtypes=["float64"],
    )
    out.attrs = VARIABLES["active_layer_thickness"].attrs()
    named: xr.DataArray = out.rename("active_layer_thickness")
    return named


def _by_year(field: xr.DataArray) -> Any:
    return field.groupby(field["time"].dt.year.rename("year"))


def _deepest_crossing(highest: Array, depths: Array) -> Array:
    """Deepest 0 degC crossing from thawed above to frozen below [..., depth]."""
    ensure_celsius("temperature", highest)
    above, below = highest[..., :-1], highest[..., 1:]
    crosses = (above > 0.0) & (below <= 0.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        at = depths[:-1] + np.diff(depths) * above / (above - below)
    deepest = np.where(crosses, at, -np.inf).max(axis=-1)
    index = np.where(crosses, np.arange(above.shape[-1]), -1).max(axis=-1)
    # A gap below the crossing may hide a deeper one; above it, nothing that matters.
    unknown = (np.isnan(highest) & (np.arange(depths.size) > index[..., None])).any(axis=-1)
    frozen = (index < 0) & (highest[..., 0] <= 0.0)
    thawed = highest[..., -1] > 0.0
    out = np.where(index >= 0, deepest, np.where(frozen, 0.0, np.nan))
    return np.where(unknown | thawed, np.nan, out)


def zero_annual_amplitude_depth(temperature: xr.DataArray, *, tolerance: float = 0.1) -> xr.DataArray:
    """Shallowest depth at which the temperature of a year varies by no more than a tolerance.

    Parameters
    ----------
    temperature : xarray.DataArray [time, depth, any dims; its units]
        Of whole years; the coordinate ``depth`` in m, positive down.
    tolerance : float
        Largest minus smallest temperature of the year [K].

    Returns
    -------
    xarray.DataArray [year, any dims; m]
        Interpolated between sensors, with the logarithm of the range. NaN where even the deepest varies more.

    Raises
    ------
    UsageError
        When ``time`` or ``depth`` are missing.
    DataError
        When depths do not grow or the tolerance is not above 0.
    """
    ensure_range("tolerance", np.asarray(tolerance, dtype="float64"), 0.0, 10.0, "K", above=True)
    field = _profile(temperature, "time", _DEPTH)
    depths = _depths(field)
    groups = _by_year(field)
    spread = groups.max("time", skipna=False) - groups.min("time", skipna=False)
    out = xr.apply_ufunc(
        _shallowest_calm,
        spread,
        kwargs={"depths": depths, "tolerance": tolerance},
        input_core_dims=[[_DEPTH]],
        dask="parallelized",
        output_dtypes=["float64"],
    )
    out.attrs = ZERO_AMPLITUDE.attrs() | {"tolerance": f"{tolerance:g} K between the extremes of the year"}
    named: xr.DataArray = out.rename(ZERO_AMPLITUDE.name)
    return named


def _shallowest_calm(spread: Array, depths: Array, tolerance: float) -> Array:
    """Shallowest depth [...] whose range is at most the tolerance, from ranges [..., depth]."""
    calm = spread <= tolerance
    first = np.argmax(calm, axis=-1)
    before = np.maximum(first - 1, 0)
    wide = np.take_along_axis(spread, before[..., None], axis=-1)[..., 0]
    narrow = np.take_along_axis(spread, first[..., None], axis=-1)[..., 0]
    # The range falls as an exponential of the depth.
    low = np.log(np.maximum(narrow, 1e-6 * tolerance))
    with np.errstate(divide="ignore", invalid="ignore"):
        share = (np.log(wide) - np.log(tolerance)) / (np.log(wide) - low)
    at = depths[before] + np.where(first > 0, share, 0.0) * (depths[first] - depths[before])
    unknown = (
        np.isnan(spread) & (np.arange(depths.size) < np.where(calm.any(axis=-1), first, 0)[..., None])
    ).any(axis=-1)
    return np.where(calm.any(axis=-1) & ~unknown, at, np.nan)


def zero_curtain(temperature: xr.DataArray, *, tolerance: float = 0.2) -> xr.Dataset:
    r"""Autumn weeks in which freezing ground stays at 0 degC.

    Parameters
    ----------
    temperature : xarray.DataArray [time, any dims; its units]
        Daily or more often, of whole years: one value per step, from the same depth.
    tolerance : float
        How far from 0 degC still counts [K]: the accuracy of the sensor, 0.1 to 0.25.

    Returns
    -------
    xarray.Dataset
        zero_curtain_days [year, any dims; d], 0 where there is none, and its first and last day, counted from
        1 January of the year of thaw, so that days above 365 are in the next year. NaN where the ground did
        not thaw or not freeze, and where the record ends or has a gap before the curtain is over.

    Raises
    ------
    UsageError
        When there is no dimension ``time``.
    DataError
        When steps are longer than a day, or differ.

    Notes
    -----
    Of all runs with |T| <= tolerance that begin after the first T <= tolerance following the warmest day of the
    year, and before the coldest time of the winter, the longest.
    """
    ensure_range("tolerance", np.asarray(tolerance, dtype="float64"), 0.0, 2.0, "K", above=True)
    field = _profile(temperature, "time")
    from geotools.permafrost.column_forcing import time_axis

    axis = time_axis(field["time"])
    if axis.step > 86400.0 or axis.gap is not None:
        raise DataError(
            f"steps of {axis.step / 86400:g} d" + (" with gaps" if axis.gap is not None else ""),
            where="coordinate 'time'",
            expected="daily values or more, without gaps in the times",
            todo="insert the missing times as NaN: temperature.resample(time='1D').asfreq()",
        )
    years = np.unique(axis.year)
    names = list(CURTAIN)
    begin = np.array([int(np.argmax(axis.year == y)) for y in years])
    # Days from 1 January to the first step, for records that begin later.
    late = float((field["time"].dt.dayofyear.values[0] - 1) if years.size else 0)
    results = xr.apply_ufunc(
        _curtains,
        field,
        kwargs={"begin": begin, "step": axis.step / 86400.0, "late": late, "tolerance": tolerance},
        input_core_dims=[["time"]],
        output_core_dims=[["year"]] * 3,
        vectorize=False,
        dask="parallelized",
        output_dtypes=["float64"] * 3,
        dask_gufunc_kwargs={"output_sizes": {"year": years.size}},
    )
    out = xr.Dataset(dict(zip(names, results, strict=True))).assign_coords(year=years)
    for name in names:
        out[name] = out[name].transpose("year", ...)
        out[name].attrs = CURTAIN[name].attrs() | {"tolerance": f"{tolerance:g} K"}
    return out


def _curtains(
    temperature: Array, begin: Array, step: float, late: float, tolerance: float
) -> tuple[Array, Array, Array]:
    """Length, first and last day of the curtain [..., year] from temperatures [..., time]."""
    ensure_celsius("temperature", temperature)
    flat = temperature.reshape(-1, temperature.shape[-1])
    out = np.full((3, flat.shape[0], begin.size), np.nan)
    bounds = [*(int(b) for b in begin), flat.shape[1]]
    spans = [slice(*pair) for pair in pairwise(bounds)]
    for column, series in enumerate(flat):
        # Step of the largest temperature of each year; -1 in a year without any.
        warmest = [
            -1 if np.isnan(series[span]).all() else span.start + int(np.nanargmax(series[span]))
            for span in spans
        ]
        for year, first in enumerate(warmest):
            if first < 0 or series[first] <= tolerance:
                continue
            following = warmest[year + 1] if year + 1 < len(warmest) else -1
            length, start = _curtain(series, first, following if following > 0 else series.size, tolerance)
            day = (start - bounds[year]) * step + (late if year == 0 else 0.0) + 1.0
            out[:, column, year] = length * step, day, day + length * step - step
    shaped = out.reshape(3, *temperature.shape[:-1], begin.size)
    return shaped[0], shaped[1], shaped[2]


def _curtain(series: Array, warmest: int, following: int, tolerance: float) -> tuple[float, float]:
    """Steps and first step of the longest run near 0 degC between a summer and the coldest of its winter."""
    unknown, nothing = (np.nan, np.nan), (0.0, np.nan)
    part = series[warmest:following]
    # Spring's passage through 0 degC comes after the coldest time, the curtain before.
    part = part[: int(np.nanargmin(part)) + 1]
    if not part[-1] < -tolerance:  # it is not over yet, or the ground does not freeze
        return unknown
    start = int(np.argmax(part <= tolerance))
    inside = np.abs(part[start:]) <= tolerance
    edges = np.flatnonzero(np.diff(np.concatenate([[False], inside, [False]]).astype(int)))
    begins, ends = edges[::2], edges[1::2]
    at = int(np.argmax(ends - begins)) if edges.size else 0
    stop = start + int(ends[at]) if edges.size else start
    if np.isnan(part[: stop + 1]).any():
        return unknown
    if edges.size == 0:
        return nothing
    return float(ends[at] - begins[at]), float(warmest + start + begins[at])
