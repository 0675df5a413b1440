"""Modelled against observed ground temperatures: tables of errors, each with its depth."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from geotools.errors import DataError, UsageError
from geotools.guards import Array, ensure_celsius
from geotools.units import convert

_NEAR = 0.005  # m
POOLED = "all"


def matched(model: xr.DataArray, observed: xr.DataArray) -> tuple[xr.DataArray, xr.DataArray]:
    """Both at the depths and days that they share.

    Parameters
    ----------
    model, observed : xarray.DataArray [time, depth, any dims; their units]
        Daily, with times anywhere in the day.

    Returns
    -------
    (xarray.DataArray, xarray.DataArray) [time, depth, any dims; degC]
        The depths are those of the observations.

    Raises
    ------
    UsageError
        When dimensions are missing.
    DataError
        When the model lacks a depth of the observations, there is no day in common, or a day stands twice.
    UnitsError
        When units are missing or temperatures cannot be degC.
    """
    pair = []
    for name, field in (("model", model), ("observed", observed)):
        if not isinstance(field, xr.DataArray) or not {"time", "depth"} <= set(field.coords):
            raise UsageError(
                "no DataArray with coordinates time and depth",
                where=f"argument {name!r}",
                expected="ground temperatures over time and depth",
                todo="keep the depth as a coordinate: .sel(depth=[1.6])",
            )
        field = convert(field, "degC")
        if "depth" not in field.dims:
            field = field.expand_dims("depth")
        days = field.assign_coords(time=field["time"].dt.floor("D"))
        if days.get_index("time").has_duplicates:
            raise DataError(
                "more than one value a day",
                where=f"argument {name!r}",
                expected="daily values",
                todo="take daily means first: field.resample(time='1D').mean()",
            )
        pair.append(days)
    ours, theirs = pair
    at = []
    for depth in theirs["depth"].values:
        distance = np.abs(ours["depth"].values - depth)
        if not distance.size or distance.min() > _NEAR:
            raise DataError(
                f"the model has no depth of {depth:g} m",
                where="argument 'model'",
                expected=f"one of its depths, {', '.join(f'{d:g}' for d in ours['depth'].values)} m",
                todo="ask for them: simulate(..., depths=[...]), or select depths of the observations",
            )
        at.append(int(np.argmin(distance)))
    ours = ours.isel(depth=at).assign_coords(depth=theirs["depth"])
    common = ours.get_index("time").intersection(theirs.get_index("time"))
    if common.empty:
        raise DataError(
            f"model from {ours['time'].values[0]} to {ours['time'].values[-1]}, observations from "
            f"{theirs['time'].values[0]} to {theirs['time'].values[-1]}",
            where="times",
            expected="days in common",
        )
    return ours.sel(time=common), theirs.sel(time=common)


def compare_with_observations(
    model: xr.DataArray, observed: xr.DataArray, *, reference: xr.DataArray | None = None
) -> pd.DataFrame:
    """How well modelled ground temperatures fit observed ones, by station and depth, and pooled.

    Parameters
    ----------
    model, observed : xarray.DataArray [time, depth, station (optional); their units]
        Daily. Only days count on which both, and the reference, have a value.
    reference : xarray.DataArray, optional [time, depth, station (optional); its units]
        What a model must beat, such as `day_of_year_climatology` of earlier years.

    Returns
    -------
    pandas.DataFrame
        A row per station and depth with values, one per station with all its depths pooled, and, with more than one
        station, one with all pooled. `station`; `depth_m` (NaN where pooled); `depths_m`, the depths as text; `n`, days
        times depths; `first`, `last`; `observed_mean`, `model_mean` [degC]; `bias` (model less observed), `rmse`,
        `rmse_unbiased` [K]; `correlation` (NaN where one does not vary); with a reference `rmse_reference` [K] and
        `skill`, 1 - (rmse / rmse_reference)^2, above 0 where the model is better.

    Raises
    ------
    UsageError, DataError, UnitsError
        As `matched`; a DataError also when there is no day on which both have a value.
    """
    ours, theirs = matched(model, observed)
    parts = [ours, theirs]
    if reference is not None:
        parts = [ours, *reversed(matched(reference, theirs))]
        parts = [parts[0].sel(time=parts[1]["time"]), parts[1], parts[2]]
    extra = set(theirs.dims) - {"time", "depth", "station"}
    if extra or any(set(p.dims) != set(theirs.dims) for p in parts):
        raise UsageError(
            f"dimensions {ours.dims} and {theirs.dims}",
            where="compare_with_observations",
            expected="time, depth and, in both, station",
            todo="select one member or cell",
        )
    if "station" not in theirs.dims:
        parts = [p.expand_dims(station=[str(theirs.name or "observed")]) for p in parts]
    parts = list(xr.align(*parts, join="inner"))
    order = ("station", "depth", "time")
    values = [p.transpose(*order).values.astype("float64") for p in parts]
    for name, value in zip(("model", "observed", "reference"), values, strict=False):
        ensure_celsius(name, value)
    stations, depths = parts[0]["station"].values, parts[0]["depth"].values.astype("float64")
    days = pd.DatetimeIndex(parts[0]["time"].values)
    rows = []
    for i, station in enumerate(stations):
        own = [_row(station, [d], [v[i, [k]] for v in values], days) for k, d in enumerate(depths)]
        own = [row for row in own if row["n"] > 0]
        rows += own
        if len(own) > 1:
            at = np.flatnonzero(np.isin(depths, [row["depth_m"] for row in own]))
            rows.append(_row(station, depths[at], [v[i, at] for v in values], days))
    if len(stations) > 1 and rows:
        seen = sorted({row["depth_m"] for row in rows if not np.isnan(row["depth_m"])})
        flat = [v.transpose(1, 0, 2) for v in values]
        at = np.flatnonzero(np.isin(depths, seen))
        rows.append(_row(POOLED, depths[at], [v[at] for v in flat], days))
    if not rows:
        raise DataError(
            "no day on which both have a value", where="compare_with_observations", expected="common days"
        )
    return pd.DataFrame(rows)


def _row(
    station: Any, depths: Sequence[float] | Array, parts: list[Array], days: pd.DatetimeIndex
) -> dict[str, Any]:
    """Errors of arrays [depth, ..., time]."""
    known = np.logical_and.reduce([~np.isnan(p) for p in parts])
    model, seen = parts[0][known], parts[1][known]
    row: dict[str, Any] = {
        "station": station,
        "depth_m": float(depths[0]) if len(depths) == 1 else np.nan,
        "depths_m": ", ".join(f"{d:g}" for d in depths),
        "n": int(known.sum()),
    }
    if not row["n"]:
        return row
    when = np.flatnonzero(known.reshape(-1, known.shape[-1]).any(axis=0))
    error = model - seen
    row |= {
        "first": days[when[0]],
        "last": days[when[-1]],
        "observed_mean": float(seen.mean()),
        "model_mean": float(model.mean()),
        "bias": float(error.mean()),
        "rmse": float(np.sqrt((error**2).mean())),
        "rmse_unbiased": float(error.std()),
        "correlation": _correlation(model, seen),
    }
    if len(parts) > 2:
        other = float(np.sqrt(((parts[2][known] - seen) ** 2).mean()))
        row |= {"rmse_reference": other, "skill": 1.0 - (row["rmse"] / other) ** 2 if other else np.nan}
    return row


def _correlation(first: Array, second: Array) -> float:
    """Pearson's correlation; NaN where one of both does not vary."""
    a, b = first - first.mean(), second - second.mean()
    spread = float(np.sqrt((a**2).sum()) * np.sqrt((b**2).sum()))
    return float((a * b).sum()) / spread if spread > 0.0 else np.nan


def day_of_year_climatology(observed: xr.DataArray, time: xr.DataArray, *, window: int = 1) -> xr.DataArray:
    """Mean of each day of the year over the years of a record, laid out over other times.

    Parameters
    ----------
    observed : xarray.DataArray [time, any dims]
        Daily, of the years to take the mean of.
    time : xarray.DataArray
        Where it is wanted.
    window : int
        Odd number of days of the year that are averaged: 1 is the plain mean of each day.

    Returns
    -------
    xarray.DataArray [time, any dims; units of `observed`]
        NaN on days of the year that no year has a value for. 29 February counts as 28 February.

    Raises
    ------
    UsageError
        When the window is even or below 1.
    """
    if window < 1 or window % 2 == 0:
        raise UsageError(f"a window of {window}", where="argument 'window'", expected="an odd number of days")
    day = _common_day(observed["time"])
    filled = observed.fillna(0.0)
    total = filled.groupby(day).sum().reindex(day=np.arange(365), fill_value=0.0)
    count = observed.notnull().groupby(day).sum().reindex(day=np.arange(365), fill_value=0)  # noqa: PD004
    half = window // 2
    if half:
        total, count = (
            xr.concat([f.roll(day=k, roll_coords=False) for k in range(-half, half + 1)], "k").sum("k")
            for f in (total, count)
        )
    usual = (total / count.where(count > 0)).sel(day=_common_day(time)).drop_vars("day")
    return usual.assign_coords(time=time).transpose(*observed.dims).assign_attrs(observed.attrs)


def _common_day(time: xr.DataArray) -> xr.DataArray:
    """Day of a year of 365 days, from 0."""
    day = time.dt.dayofyear - 1
    leap = time.dt.is_leap_year & (day >= 59)
    return (day - leap.astype("int64")).rename("day")


def annual_means(model: xr.DataArray, observed: xr.DataArray, *, min_days: int = 20) -> pd.DataFrame:
    """Annual means of both over the days on which both have a value.

    Parameters
    ----------
    model, observed : xarray.DataArray [time, depth, station (optional); their units]
        Daily.
    min_days : int
        Days that every month of a year must have, so that a missing season does not shift its mean.

    Returns
    -------
    pandas.DataFrame
        `station`, `depth_m`, `year`, `observed`, `model` [degC], `difference` [K], one row per year that is complete.

    Raises
    ------
    UsageError, DataError, UnitsError
        As `matched`.
    """
    ours, theirs = matched(model, observed)
    if "station" not in theirs.dims:
        ours, theirs = (p.expand_dims(station=[str(observed.name or "observed")]) for p in (ours, theirs))
    both = xr.Dataset({"model": ours, "observed": theirs})
    both = both.where(~np.isnan(both["model"]) & ~np.isnan(both["observed"]))
    frame = both[["model", "observed"]].to_dataframe()[["model", "observed"]].dropna().reset_index()
    when = pd.DatetimeIndex(frame["time"])
    frame["year"], frame["month"] = when.year, when.month
    keys = ["station", "depth", "year"]
    months = frame.groupby([*keys, "month"])[["model", "observed"]].agg(["mean", "count"])
    enough = months[months["model", "count"] >= min_days]
    means = enough.xs("mean", axis=1, level=1).groupby(level=keys)
    years = means.mean()[means.size() == 12].reset_index().rename(columns={"depth": "depth_m"})
    years["difference"] = years["model"] - years["observed"]
    return years[["station", "depth_m", "year", "observed", "model", "difference"]]
