"""Projections: a baseline climate changed by fields and along pathways that the user gives; no numbers of our own."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import xarray as xr

from geotools.climate.calendar import ensure_field, ensure_years, is_series, mean_year, pick, whole_years
from geotools.errors import DataError, UnitsError, UsageError
from geotools.face import apply_core
from geotools.guards import Array, ensure_range
from geotools.metadata import Variable, append_history
from geotools.units import conversion, units_of

# What change and share are, and what is made of them.
_KINDS = {
    ("K", "1"): "difference",
    ("1", "K"): "difference",
    ("1", "1"): "ratio",
    ("K-1", "K"): "sensitivity",
}
_TOLD = {
    "difference": "baseline + share x change",
    "ratio": "baseline x (1 + share x (change - 1))",
    "sensitivity": "baseline x (1 + share x change)",
}


def linear_ramp(years: Iterable[int], *, start: int, end: int) -> xr.DataArray:
    """Share of a change that is reached in each year, growing evenly.

    Parameters
    ----------
    years : sequence of int
    start : int
        The share is 0 up to it: the middle of the period that the change is relative to.
    end : int
        The share is 1 from it on: the middle of the period that the change is for.

    Returns
    -------
    xarray.DataArray [year; 1]

    Raises
    ------
    UsageError
        When `end` is not after `start`, or there are no years.

    Examples
    --------
    >>> linear_ramp(range(2010, 2101, 30), start=2010, end=2100).values.round(3).tolist()
    [0.0, 0.333, 0.667, 1.0]
    """
    if not end > start:
        raise UsageError(f"a ramp from {start} to {end}", expected="an end after the start")
    when = whole_years(years)
    share = np.clip((when - start) / (end - start), 0.0, 1.0)
    attrs = {"units": "1", "long_name": f"share of the change, evenly from {start} to {end}"}
    return xr.DataArray(share, dims="year", coords={"year": when}, attrs=attrs)


def apply_change(
    baseline: xr.DataArray, change: xr.DataArray, *, reference: str, share: Any = 1.0, dim: str = "time"
) -> xr.DataArray:
    r"""A baseline climate with a change that the user gives.

    Parameters
    ----------
    baseline : xarray.DataArray [month, any dims; its units] or [time, any dims; its units]
        Twelve months of a mean year, or a dated series of days or months.
    change : xarray.DataArray [(month,) any dims; K, 1 or K-1]
        On the cells of `baseline`; other dimensions, such as members, come to the result. A difference of temperatures
        in K; a ratio of new to old in 1, for precipitation and snow; or, with a `share` in K, the local difference [1]
        or the relative change [K-1] per kelvin of it.
    reference : str
        Where the change is from, and between which periods; it goes into the attributes.
    share : float or xarray.DataArray [year, any dims; 1 or K]
        How much of the change is reached, as from `linear_ramp`, or the yearly warming of a pathway in K that scales
        a pattern. A number holds for all years.
    dim : str
        The dimension of the months or dates.

    Returns
    -------
    xarray.DataArray [(year,) month, any dims] or [time, any dims]
        In the units of `baseline`; lazy where any of the three is. A mean year gets the dimension `month`, and `year`
        where the share has it.

    Raises
    ------
    UnitsError
        When units do not make a difference or a ratio.
    DataError
        When a ratio is negative, or dates do not grow.
    UsageError
        When years, months or the reference are missing.

    Notes
    -----
    .. math::

        x' = x + s\,\Delta, \quad x' = x\,(1 + s\,(r - 1)), \quad x' = x\,(1 + s\,\beta)

    Within a calendar year the share is the same, so that monthly means change by exactly the share of the change.
    """
    ensure_field("baseline", baseline)
    ensure_field("change", change)
    if not isinstance(reference, str) or not reference.strip():
        raise UsageError(
            "no reference",
            where="argument 'reference'",
            expected="where the change is from, and between which periods",
            todo="tell it, such as 'MPI-ESM1-2-HR ssp245, 2071-2100 less 1981-2010'",
        )
    share = _share(share)
    kind, units = _kind(change, share)
    if dim in change.dims and "month" not in change.dims:
        change = mean_year(change, dim)
    _ensure_dims(change, share, dim)
    if "month" in change.dims and set(np.asarray(change["month"])) != set(range(1, 13)):
        raise UsageError(
            f"months {np.asarray(change['month']).tolist()}",
            where="argument 'change'",
            expected="a coordinate 'month' from 1 to 12",
            todo="assign it: change.assign_coords(month=range(1, 13))",
        )
    if is_series(baseline, dim):
        years = baseline[dim].dt.year.values
        if np.any(np.diff(years) < 0):
            raise DataError(
                "years that fall",
                where=f"variable {baseline.name!r}, dimension {dim!r}",
                expected="dates that grow",
                todo=f"sort the series: field.sortby({dim!r})",
            )
        parts = [_of_year(baseline, change, share, int(y), dim, kind, units) for y in np.unique(years)]
        out = (
            xr.concat(parts, dim, coords="minimal", compat="override", join="exact")
            if parts[1:]
            else parts[0]
        )
        out = out.transpose(*baseline.dims, ...)
    else:
        months = mean_year(baseline, dim)
        out = _changed(months, change, share, kind, units)
        out = out.transpose(*(d for d in ("year",) if d in out.dims), *months.dims, ...)
    out = out.rename(baseline.name)
    out.attrs = append_history(
        {**baseline.attrs, "scenario_reference": reference.strip()},
        f"apply_change: {_TOLD[kind]}, {_share_text(share)}",
    )
    return out


def _kind(change: xr.DataArray, share: xr.DataArray) -> tuple[str, tuple[str, str]]:
    """What a change and a share make, and their units in the core."""
    found = []
    for what, field, known in (("change", change, ("K", "1", "K-1")), ("share", share, ("1", "K"))):
        units = units_of(field)
        percent = units.strip() in ("%", "percent")
        if percent or (_converts(units, "K") and conversion(units, "K")[1] != 0.0):
            raise UnitsError(
                f"units {units!r}",
                where=f"argument {what!r}",
                expected="a difference in 'K', or a ratio of new to old in '1'",
                todo="a rise of 10 % is the ratio 1.1, with the units '1'"
                if percent
                else "give kelvins, with the units 'K', as a difference must not be shifted by 273.15",
            )
        fits = [k for k in known if _converts(units, k)]
        if not fits:
            raise UnitsError(f"units {units!r}", where=f"argument {what!r}", expected=" or ".join(known))
        found.append(fits[0])
    pair = (found[0], found[1])
    if pair not in _KINDS:
        raise UnitsError(
            f"a change in {found[0]!r} and a share in {found[1]!r}",
            expected="a change in 'K' or '1' with a share in '1', or a change in '1' or 'K-1' with a share in 'K'",
            todo="a pattern in K per K of global warming has the units '1'",
        )
    return _KINDS[pair], pair


def _share(share: Any) -> xr.DataArray:
    if isinstance(share, xr.DataArray):
        return share
    if isinstance(share, bool) or not isinstance(share, int | float | np.number) or not np.isfinite(share):
        raise UsageError(
            f"{share!r}",
            where="argument 'share'",
            expected="a number, or a DataArray with the dimension 'year'",
            todo="make one with linear_ramp",
        )
    return xr.DataArray(float(share), attrs={"units": "1"})


def _ensure_dims(change: xr.DataArray, share: xr.DataArray, dim: str) -> None:
    # Further dimensions, such as members of an ensemble, are welcome; axes of time under another name are not.
    for name, field, own in (("change", change, "month"), ("share", share, "year")):
        other = sorted({dim, "time", "month", "year"} & {str(d) for d in field.dims} - {own})
        if other:
            raise UsageError(
                f"a dimension {other[0]!r}",
                where=f"argument {name!r}",
                expected=f"{own!r} as its only dimension of time",
                todo=f"rename it, or select one step of it: {name}.isel({other[0]}=0)",
            )


def _converts(units: str, target: str) -> bool:
    try:
        conversion(units, target)
    except UnitsError:
        return False
    return True


def _changed(
    baseline: xr.DataArray, change: xr.DataArray, share: xr.DataArray, kind: str, units: tuple[str, str]
) -> xr.DataArray:
    own = units_of(baseline)
    if kind == "difference" and conversion(own, "K")[0] != 1.0:
        raise UnitsError(
            f"units {own!r}",
            where=f"variable {baseline.name!r}",
            expected="'degC' or 'K', to which kelvins can be added",
            todo="convert the baseline first",
        )
    try:
        out: xr.DataArray = apply_core(
            _CORES[kind],
            {"baseline": baseline, "change": change, "share": share},
            units={"baseline": own, "change": units[0], "share": units[1]},
            returns=Variable(str(baseline.name or "field"), own, ""),
        )
    except xr.AlignmentError as error:
        raise UsageError(
            f"baseline, change and share lie on different grids ({str(error).splitlines()[0]})",
            where="argument 'change'",
            expected="the same cells",
            todo="bring the change to the grid of the baseline first",
        ) from error
    return out


def _difference(baseline: Array, change: Array, share: Array) -> Array:
    ensure_range("change", change, -100.0, 100.0, "K", todo="give a difference, not the new climate")
    return baseline + share * change


def _ratio(baseline: Array, change: Array, share: Array) -> Array:
    ensure_range("change", change, 0.0, np.inf, "1", todo="give new over old: a fall by 10 % is 0.9")
    return baseline * _not_negative(1.0 + share * (change - 1.0))


def _sensitivity(baseline: Array, change: Array, share: Array) -> Array:
    return baseline * _not_negative(1.0 + share * change)


def _not_negative(factor: Array) -> Array:
    ensure_range("change and share", factor, 0.0, np.inf, "1", todo="no amount falls by more than all of it")
    return factor


_CORES = {"difference": _difference, "ratio": _ratio, "sensitivity": _sensitivity}


def _of_year(
    baseline: xr.DataArray,
    change: xr.DataArray,
    share: xr.DataArray,
    year: int,
    dim: str,
    kind: str,
    units: tuple[str, str],
) -> xr.DataArray:
    """One calendar year of a dated series; the year's piece of a change that goes by months is small."""
    steps = np.flatnonzero(baseline[dim].dt.year.values == year)
    # A slice, as picking steps one by one would cut chunks.
    part = baseline.isel({dim: slice(int(steps[0]), int(steps[-1]) + 1)})
    if "month" in change.dims:
        change = change.chunk() if part.chunks is not None else change
        change = pick(change.sortby("month"), "month", part[dim].dt.month.values - 1, dim)
    if "year" in share.dims:
        ensure_years(share["year"], np.array([year]), "argument 'share'")
        share = share.sel(year=year, drop=True)
    return _changed(part, change, share, kind, units)


def _share_text(share: xr.DataArray) -> str:
    if share.ndim == 0 and share.chunks is None:
        return f"share {float(share):g}"
    if share.dims == ("year",) and share.chunks is None:
        ends = [f"{float(share[i]):g} in {int(share['year'][i])}" for i in (0, -1)]
        return f"share {ends[0]} to {ends[1]} [{share.attrs.get('units')}]"
    return "share given as a field"
