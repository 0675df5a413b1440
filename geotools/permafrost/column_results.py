"""Names and attributes of what a simulation gives back, and its state."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr

from geotools.errors import UsageError
from geotools.metadata import CONVENTIONS, Variable

_PREFIX = "state_"
STATE = {
    "state_enthalpy": (
        ("cell",),
        Variable("state_enthalpy", "J m-3", "enthalpy of the cells at the end of the run", "", "area: mean"),
    ),
    "state_snow": (
        ("snow_property",),
        Variable("state_snow", "1", "temperature (degC) and depth (m) of the snow", "", "area: mean"),
    ),
    **{
        f"state_{key}": (
            ("row",),
            Variable(f"state_{key}", "degC", f"{words} of this year so far", "", "area: mean"),
        )
        for key, words in (
            ("total", "sum of temperatures"),
            ("low", "lowest temperature"),
            ("high", "highest temperature"),
        )
    },
}
_SOIL = "soil_temperature"


def _annual(kind: str, method: str) -> Variable:
    return Variable(
        f"tsl_{kind}", "degC", f"annual {kind} soil temperature", _SOIL, f"area: mean time: {method}"
    )


RESULTS: dict[str, tuple[tuple[str, ...], Variable]] = {
    "tsl_mean": (("year", "depth"), _annual("mean", "mean")),
    "tsl_minimum": (("year", "depth"), _annual("minimum", "minimum")),
    "tsl_maximum": (("year", "depth"), _annual("maximum", "maximum")),
    "active_layer_thickness": (
        ("year",),
        Variable(
            "active_layer_thickness",
            "m",
            "active-layer thickness: depth of the first ground that stayed frozen all year",
            "permafrost_active_layer_thickness",
            "area: mean time: maximum",
        ),
    ),
    "magt": (
        ("year",),
        Variable(
            "magt",
            "degC",
            "mean annual ground temperature at the top of permafrost",
            _SOIL,
            "area: mean time: mean",
        ),
    ),
    "tsl": (("time", "depth"), Variable("tsl", "degC", "soil temperature", _SOIL, "area: mean time: point")),
    "tsl_profile": (
        ("time", "cell"),
        Variable("tsl_profile", "degC", "soil temperature of the cells", _SOIL, "area: mean time: point"),
    ),
    "liquid_share": (
        ("time", "cell"),
        Variable("liquid_share", "1", "share of the soil water that is liquid", "", "area: mean time: point"),
    ),
    "spin_up_years": ((), Variable("spin_up_years", "year", "years of spin-up")),
    "spin_up_change": (
        (),
        Variable("spin_up_change", "K", "largest change of temperature over the last repetition of spin-up"),
    ),
    "energy_residual": (
        (),
        Variable(
            "energy_residual", "1", "change of heat content less what went in, over what went in and out"
        ),
    ),
    "nested_share": (
        (),
        Variable("nested_share", "1", "share of the steps that needed nested Newton iterations"),
    ),
    **STATE,
}


@dataclass(frozen=True)
class Coordinates:
    """Coordinates of the results, beside those of the forcing."""

    time: xr.DataArray
    years: Sequence[int]
    depths: Any
    centres: Any


def dress(arrays: dict[str, xr.DataArray], at: Coordinates, attrs: dict[str, Any]) -> xr.Dataset:
    """Dataset of the results with CF attributes."""
    variables = {}
    for name, array in arrays.items():
        array.attrs = RESULTS[name][1].attrs()
        if "time" in array.dims:
            array.attrs["comment"] = "at the end of the step that begins at this time"
        variables[name] = array.rename(name)
    out = xr.Dataset(variables)
    out = out.assign_coords(cell_depth=("cell", at.centres, _depth("depth of the centre of the cell")))
    dims = set(out.dims)
    if "depth" in dims:
        out = out.assign_coords(
            depth=("depth", at.depths, {**_depth("depth below the ground surface"), "axis": "Z"})
        )
    if "year" in dims:
        out = out.assign_coords(
            year=("year", np.asarray(at.years, dtype="int64"), {"long_name": "calendar year", "units": "1"})
        )
    if "time" in dims:
        out = out.assign_coords(time=at.time)
    out["state_snow"] = out["state_snow"].assign_coords(snow_property=["temperature", "depth"])
    out["state_end"] = at.time.isel(time=-1).drop_vars("time").drop_attrs()
    out["state_end"].attrs = {"long_name": "beginning of the last step that was run"}
    out.attrs = {"Conventions": CONVENTIONS, **attrs}
    return out


def _depth(long_name: str) -> dict[str, Any]:
    return {"long_name": long_name, "standard_name": "depth", "units": "m", "positive": "down"}


def column_state(result: xr.Dataset) -> xr.Dataset:
    """What `simulate` needs to go on where a run ended.

    Parameters
    ----------
    result : xarray.Dataset
        Of `simulate`.

    Returns
    -------
    xarray.Dataset
        To be given as `state`; it may be written to a file in between.

    Raises
    ------
    UsageError
        When the Dataset is no result of `simulate`.

    Examples
    --------
    A century in two parts gives the same as in one::

        first = simulate(column, air.sel(time=slice("1901", "1950")))
        second = simulate(column, air.sel(time=slice("1951", "2000")), state=column_state(first))
    """
    ensure_state(result)
    out = result[[name for name in result.data_vars if str(name).startswith(_PREFIX)]]
    keep = ("column", "step_seconds", "steps_of_year", "Conventions")
    out.attrs = {k: v for k, v in result.attrs.items() if k in keep}
    return out


def ensure_state(state: xr.Dataset) -> None:
    """Refuse a Dataset that is no state.

    Raises
    ------
    UsageError
    """
    missing = [name for name in (*STATE, "state_end") if name not in state]
    if missing or not {"column", "step_seconds", "steps_of_year"} <= set(state.attrs):
        raise UsageError(
            f"it has no {', '.join(missing) or 'attributes of a state'}",
            where="argument 'state'",
            expected="a result of simulate, or of column_state",
        )
