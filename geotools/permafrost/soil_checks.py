"""Checks of what a column of ground is made of."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr

from geotools.errors import DataError, UnitsError, UsageError
from geotools.guards import Array, ensure_range

# Fields of a layer that may be arrays over columns, and their units.
LAYER_UNITS = {
    "thickness": "m",
    "water": "1",
    "porosity": "1",
    "organic": "1",
    "conductivity_thawed": "W m-1 K-1",
    "conductivity_frozen": "W m-1 K-1",
    "heat_capacity_thawed": "J m-3 K-1",
    "heat_capacity_frozen": "J m-3 K-1",
    "solid_conductivity": "W m-1 K-1",
}


def number_or_field(where: str, value: Any, units: str) -> Any:
    """A number as a float, or a DataArray over columns as it is.

    Raises
    ------
    UsageError
        When it is text, nothing, or an array without names.
    UnitsError
        When a DataArray has no units although it needs them.
    DataError
        When it is NaN.
    """
    if isinstance(value, xr.DataArray):
        if units != "1" and "units" not in value.attrs:
            raise UnitsError(
                "no units attribute",
                where=where,
                expected=f"units that convert to {units!r}",
                todo=f"set them: field.attrs['units'] = {units!r}",
            )
        return value
    try:
        if value is None or isinstance(value, str | bytes | bool):
            raise TypeError
        number = np.asarray(value, dtype="float64")
    except (TypeError, ValueError):
        raise UsageError(
            f"{value!r} is no number", where=where, expected="a number, or a DataArray over columns"
        ) from None
    if number.ndim:
        raise UsageError(
            f"an array of shape {number.shape}",
            where=where,
            expected="a number, or a DataArray over columns",
            todo="wrap it in a DataArray, so that its dimensions have names",
        )
    if np.isnan(number):
        raise DataError("NaN", where=where, expected="a number", todo="give a value for every layer")
    return float(number)


def ensure_layer(where: str, values: dict[str, Array]) -> None:
    """Refuse what no ground can be; values that are not given pass.

    Raises
    ------
    DataError
    """
    for name, low, above in (("thickness", 0.0, False), ("water", 0.0, False), ("organic", 0.0, False)):
        if name in values:
            high = np.inf if name == "thickness" else 1.0
            todo = "give volumes per volume, not per cent" if name != "thickness" else "give metres"
            ensure_range(
                f"{where}, {name}", values[name], low, high, LAYER_UNITS[name], above=above, todo=todo
            )
    if "porosity" in values:
        ensure_range(
            f"{where}, porosity",
            values["porosity"],
            0.0,
            1.0,
            "1",
            todo="give a share of the volume, not per cent",
        )
    for name in ("conductivity_thawed", "conductivity_frozen", "solid_conductivity"):
        if name in values:
            ensure_range(f"{where}, {name}", values[name], 0.0, 20.0, "W m-1 K-1", above=True)
    for name in ("heat_capacity_thawed", "heat_capacity_frozen"):
        if name in values:
            todo = "give the capacity per volume, in J m-3 K-1"
            ensure_range(f"{where}, {name}", values[name], 1e5, 1e7, "J m-3 K-1", todo=todo)
    if "water" in values and "porosity" in values:
        excess = values["water"] - values["porosity"]
        if np.any(excess > 1e-12):
            at = int(np.argmax(excess))
            water, porosity = np.broadcast_arrays(values["water"], values["porosity"])
            raise DataError(
                f"water or ice fills {float(water.flat[at]):g} of the volume, the pores {float(porosity.flat[at]):g}",
                where=where,
                expected="water of at most the porosity",
                todo="raise the porosity: in ice-rich ground it counts the excess ice",
            )


def ensure_edges(edges: Array) -> None:
    """Refuse faces of cells that do not grow from 0.

    Raises
    ------
    DataError
    """
    if edges.ndim != 1 or edges.size < 3 or edges[0] != 0.0 or not np.all(np.isfinite(edges)):
        raise DataError(
            f"an array of shape {edges.shape}" + (f" from {edges.flat[0]:g}" if edges.size else ""),
            where="argument 'edges'",
            expected="depths of the faces of at least two cells, from 0 down",
        )
    steps = np.diff(edges)
    if np.any(steps <= 0.0):
        at = int(np.argmax(steps <= 0.0))
        raise DataError(
            f"{edges[at + 1]:g} m follows {edges[at]:g} m",
            where="argument 'edges'",
            expected="depths that grow, positive down",
            todo="sort them, and drop repeated ones",
        )


def ensure_reaches(total: Array, depth: float) -> None:
    """Refuse layers that end above the base of the column.

    Raises
    ------
    DataError
    """
    if np.any(total < depth - 1e-9):
        raise DataError(
            f"the layers end at {float(np.min(total)):g} m",
            where="argument 'layers'",
            expected=f"layers down to the base of the column at {depth:g} m",
            todo="make the last layer infinite: thickness=float('inf')",
        )


def ensure_geothermal(flux: Array) -> None:
    """Refuse heat fluxes in mW m-2.

    Raises
    ------
    DataError
    """
    ensure_range("geothermal_flux", flux, -1.0, 1.0, "W m-2", todo="give W m-2: 50 mW m-2 are 0.05")


def number_text(value: Any, units: str = "") -> str:
    """A number for an attribute, or that it varies over columns."""
    if isinstance(value, int | float | np.number):
        return f"{float(value):g} {units}".strip()
    return "varies"


def depths_array(where: str, depths: Any) -> Array:
    """Depths as an array.

    Raises
    ------
    UsageError
        When they are no row of numbers.
    """
    try:
        if isinstance(depths, str):
            raise TypeError
        out = np.asarray(depths, dtype="float64")
    except (TypeError, ValueError):
        raise UsageError(
            f"{depths!r} are no numbers", where=where, expected="depths in metres, from 0 down"
        ) from None
    if out.ndim != 1 or out.size == 0:
        raise UsageError(
            "no depths" if out.ndim == 1 else f"an array of shape {out.shape}",
            where=where,
            expected="a list of depths in metres, from 0 down",
            todo="put a single depth in brackets" if out.ndim == 0 else "give at least one depth",
        )
    return out
