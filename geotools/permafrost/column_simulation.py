"""The transient column over stations and grids: the xarray face of the kernel."""

from __future__ import annotations

import warnings
from collections.abc import Collection, Sequence
from typing import Any

import numpy as np
import xarray as xr

from geotools.errors import DataError, GeotoolsWarning, UsageError
from geotools.permafrost.column_fields import ensure_alike, is_lazy, run_fields
from geotools.permafrost.column_forcing import (
    ForcingGapError,
    TimeAxis,
    ensure_forcing,
    first_gap,
    forcing_field,
    gap_error,
    moment,
    time_axis,
)
from geotools.permafrost.column_plan import SpinUp
from geotools.permafrost.column_results import column_state
from geotools.permafrost.snow_cover import SnowCover
from geotools.permafrost.soil_checks import number_or_field
from geotools.permafrost.soil_column import SoilColumn

OUTPUTS = ("annual", "series", "profiles")
# Depths of the soil thermometers of Russian weather stations, and the surface.
STATION_DEPTHS = (0.0, 0.2, 0.4, 0.8, 1.2, 1.6, 2.4, 3.2)


def simulate(
    column: SoilColumn,
    surface_temperature: xr.DataArray,
    *,
    snow_depth: xr.DataArray | None = None,
    snow: SnowCover | None = None,
    depths: Sequence[float] = STATION_DEPTHS,
    outputs: Collection[str] = ("annual",),
    spin_up: SpinUp | None = None,
    initial_temperature: Any = None,
    state: xr.Dataset | None = None,
) -> xr.Dataset:
    r"""Ground temperatures of columns of frozen ground through time.

    Parameters
    ----------
    column : SoilColumn
        The ground. Numbers of its layers may be DataArrays over dimensions of the forcing.
    surface_temperature : xarray.DataArray [time, any dims; its units]
        Of the ground surface or, with snow, of the surface of the snow: air temperature stands in for it. Steps
        of one length, each value holding from its time to the next. Under dask there is one task per chunk of
        columns; time becomes one chunk.
    snow_depth : xarray.DataArray, optional [time, any dims; its units]
    snow : SnowCover, optional
        Properties of the snow; needed with `snow_depth`.
    depths : sequence of float [m]
        Where temperatures are wanted: below the ground surface, growing. Between centres of cells they are
        interpolated.
    outputs : collection of str
        ``"annual"``: statistics of calendar years that the run covers whole; ``"series"``: temperatures at `depths`
        in every step; ``"profiles"``: temperature and liquid water of all cells in every step, which needs memory
        for as much.
    spin_up : SpinUp, optional
        By default one of `SpinUp` is made, unless `initial_temperature` or `state` is given.
    initial_temperature : float or xarray.DataArray, optional [degC]
        At the surface of the steady profile that the run, or its spin-up, begins with. The mean of the forcing by
        default.
    state : xarray.Dataset, optional
        Of `column_state`: go on where that run ended.

    Returns
    -------
    xarray.Dataset
        For ``"annual"`` tsl_mean, tsl_minimum, tsl_maximum [year, depth; degC], active_layer_thickness [year; m] (0
        where nothing thawed, NaN where no ground stayed frozen) and magt [year; degC], the mean temperature at
        that depth; for ``"series"`` tsl [time, depth; degC] at the end of the steps; for ``"profiles"`` tsl_profile
        and liquid_share [time, cell]. Always energy_residual, the state, and with a spin-up its length. Columns
        without forcing are NaN.

    Raises
    ------
    ForcingGapError
        When steps or values are missing; its `state` is that before the gap, but where a lazy result meets it.
    UnitsError
        When temperatures are kelvins called degC, or snow depths centimetres called m.
    DataError
        When the forcing is shorter than a year and annual statistics or a spin-up are asked for, the column is
        shallower than a depth, steps differ, or a property is out of its range.
    UsageError
        When arguments do not go together.
    EnergyError
        When heat content does not change by what went in and out, to 1e-9 of that.

    Notes
    -----
    .. math:: \partial H / \partial t = \partial_z (k\\, \partial_z T), \\quad H = \int C\\, dT + L \theta_l

    While snow lies its surface is at most at 0 degC. Melting of snow takes no heat, water does not move, and layers
    do not settle.

    References
    ----------
    Tubini, N., Gruber, S., & Rigon, R. (2021). Cryosphere 15, 2541-2568. doi:10.5194/tc-15-2541-2021
    """
    _ensure_kinds(column, snow, spin_up, state)
    outputs = (outputs,) if isinstance(outputs, str) else outputs
    unknown = set(outputs) - set(OUTPUTS)
    if unknown:
        raise UsageError(
            f"{sorted(unknown)} is not known", where="argument 'outputs'", expected=" or ".join(OUTPUTS)
        )
    if (snow_depth is None) != (snow is None):
        raise UsageError(
            "only one of snow_depth and snow is given",
            expected="both or none",
            todo="tell the properties of the snow: snow=SnowCover(density=200.0, conductivity_method=...)",
        )
    if state is not None and (spin_up is not None or initial_temperature is not None):
        raise UsageError(
            "a state came together with a spin-up or an initial temperature", expected="one of them"
        )
    if initial_temperature is not None:
        initial_temperature = number_or_field("argument 'initial_temperature'", initial_temperature, "degC")
    if spin_up is None and state is None and initial_temperature is None:
        spin_up = SpinUp()
    fields = {"surface_temperature": forcing_field(surface_temperature, "surface_temperature", "degC")}
    if snow_depth is not None:
        fields["snow_depth"] = forcing_field(snow_depth, "snow_depth", "m")
        _ensure_same_times(fields)
        ensure_alike(fields)
    axis = time_axis(fields["surface_temperature"]["time"])
    options: dict[str, Any] = {"snow": snow, "depths": depths, "spin_up": spin_up, "state": state}
    options["initial_temperature"] = initial_temperature
    hole = None
    if not is_lazy(fields):
        ensure_forcing(**{k: f.values for k, f in fields.items()})
        hole = first_gap(*(f.transpose(..., "time").values for f in xr.broadcast(*fields.values())))
        if all(bool(f.isnull().all()) for f in fields.values()):
            warnings.warn("all forcing is missing, and so are the results", GeotoolsWarning, stacklevel=2)
    if axis.gap is not None and (hole is None or axis.gap <= hole.step):
        raise _resumable(_left_out(fields, axis, axis.gap), column, fields, axis, axis.gap, options)
    if hole is not None:
        time = fields["surface_temperature"]["time"].values[hole.step]
        error = gap_error(hole, time, axis.step, resumable=True)
        raise _resumable(error, column, fields, axis, hole.step, options)
    return run_fields(column, fields, axis, outputs, **options)


def _ensure_kinds(column: Any, snow: Any, spin_up: Any, state: Any) -> None:
    for name, value, kind, optional in (
        ("column", column, SoilColumn, False),
        ("snow", snow, SnowCover, True),
        ("spin_up", spin_up, SpinUp, True),
        ("state", state, xr.Dataset, True),
    ):
        if not isinstance(value, kind) and not (optional and value is None):
            raise UsageError(
                f"a {type(value).__name__}", where=f"argument {name!r}", expected=f"a {kind.__name__}"
            )


def _ensure_same_times(fields: dict[str, xr.DataArray]) -> None:
    times = [f["time"].values for f in fields.values()]
    if times[0].shape != times[1].shape or np.any(times[0] != times[1]):
        raise DataError(
            f"{times[0].size} steps from {times[0][0]} and {times[1].size} from {times[1][0]}",
            where="time coordinates of surface_temperature and snow_depth",
            expected="the same times",
            todo="select the times that both have",
        )


def _left_out(fields: dict[str, xr.DataArray], axis: TimeAxis, gap: int) -> ForcingGapError:
    """The error for times that the forcing does not have."""
    time = fields["surface_temperature"]["time"].values
    length = time[1:] - time[:-1]
    error = ForcingGapError(
        f"no forcing between {moment(time[gap - 1])} and {moment(time[gap])}",
        where="coordinate 'time'",
        expected=f"a step every {axis.step / 86400:g} d",
        todo="fill the gap, and go on from this error's `state`, which is that before the gap",
    )
    error.time = time[gap - 1] + length.min()
    return error


def _resumable(
    error: ForcingGapError,
    column: SoilColumn,
    fields: dict[str, xr.DataArray],
    axis: TimeAxis,
    gap: int,
    options: dict[str, Any],
) -> ForcingGapError:
    """The error with the state of the run up to the gap."""
    if gap:
        before = {k: f.isel(time=slice(gap)) for k, f in fields.items()}
        shorter = TimeAxis(axis.step, axis.year[:gap], axis.last[:gap], axis.days[:gap], None)
        error.state = column_state(run_fields(column, before, shorter, (), **options))
    return error
