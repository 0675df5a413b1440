"""Ground under towns in two climates: temperature, active layer, what piles bear, and settlement."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from geotools.errors import DataError, UsageError
from geotools.guards import ensure_range
from geotools.permafrost.bearing_capacity import (
    REFERENCE,
    SETTLEMENT_REFERENCE,
    Pile,
    bearing_capacity_change,
    pile_bearing_capacity,
    thaw_settlement,
)
from geotools.permafrost.equilibrium import EquilibriumSettings
from geotools.permafrost.frozen_strength import STRENGTHS, FrozenStrength
from geotools.permafrost.ground_balance import ground_in_balance
from geotools.permafrost.ground_layers import ColumnSettings
from geotools.permafrost.parameters import FIELDS

if TYPE_CHECKING:
    import pandas as pd

OUTSIDE = "outside of the grid"
NO_CLIMATE = "no climate data in the cell of the town"
NO_GROUND = "no ground in the cell of the town, which is water or ice"
NEVER = "no permafrost in balance with either climate"
ONLY_SECOND = "no permafrost in balance with the first climate, so that there is nothing to compare with"
ONLY_FIRST = "permafrost in balance with the first climate only"
METHOD = (
    "modelled: transient column in balance with the mean year of the grid cell that holds the town, with the natural "
    "ground of its land cover; not the ground of the town, which buildings, snow clearing and pipes change"
)
_NUMBERS = (
    "ground_temperature_1_degC", "ground_temperature_2_degC", "active_layer_1_m", "active_layer_2_m",
    "active_layer_change_m", "bearing_capacity_1_kN", "bearing_capacity_2_kN", "bearing_capacity_change_percent",
    "thaw_settlement_m",
)  # fmt: skip


def town_ground_change(
    towns: Any,
    first: xr.Dataset,
    second: xr.Dataset,
    ground: xr.Dataset,
    *,
    labels: tuple[str, str],
    depth: float = 10.0,
    pile: Pile | None = None,
    soil: str | FrozenStrength = "clay",
    excess_ice: float | None = None,
    settings: EquilibriumSettings | None = None,
    column: ColumnSettings | None = None,
    years: int = 40,
) -> pd.DataFrame:
    """Change of the ground under towns between two climates.

    Parameters
    ----------
    towns : pandas.DataFrame
        One town to a row with the columns ``name``, ``lat`` and ``lon`` [degrees]; other columns are kept.
    first, second : xarray.Dataset [time (12), lat, lon]
        Monthly ``tas`` and ``pr`` of the mean years of two periods on one grid with longitude and latitude. A second
        without ``pr`` is a sensitivity to the temperature of the air alone: the snow stays that of the first.
    ground : xarray.Dataset [lat, lon]
        From `ground_parameters`.
    labels : (str, str)
        What the two climates are called.
    depth : float [m]
        Where ground temperature is told.
    pile, soil
        As for `pile_bearing_capacity`.
    excess_ice : float, optional [1]
        Volume of excess ice over that of the ground. Without it nothing is said of settlement.
    settings, column, years
        As for `ground_in_balance`.

    Returns
    -------
    pandas.DataFrame
        The towns in their order with the cell they lie in, mean annual temperature at `depth`, active-layer thickness
        and bearing capacity in both climates and their changes, settlement, and a `reason` wherever a number is
        missing. No town is dropped. `attrs` hold the method, the references, the pile and the labels.

    Raises
    ------
    UsageError, DataError
        When towns have no names or places, the climates are not of one grid, or as for the functions named above.

    Notes
    -----
    Both climates are balanced: what is told is where the ground comes to when a climate stays, not when. Bearing
    capacity takes the warmest temperature of the year at each depth, as the building code does.
    """
    import pandas as pd
    from dask import base

    table = pd.DataFrame(towns).reset_index(drop=True)
    _ensure_towns(table)
    _ensure_grid("first", first, ("tas", "pr"), ground)
    _ensure_grid("second", second, ("tas",), ground)
    ensure_range("depth", np.asarray(depth, dtype="float64"), 0.0, (column or ColumnSettings()).depth, "m")
    pile = pile or Pile()
    rows, columns = (
        _cells(table[one], ground[one], ground[other]) for one, other in (("lat", "lon"), ("lon", "lat"))
    )
    found = (rows >= 0) & (columns >= 0)
    table["cell_lat"] = np.where(found, ground["lat"].values[rows], np.nan)
    table["cell_lon"] = np.where(found, ground["lon"].values[columns], np.nan)
    for name in _NUMBERS:
        table[name] = np.nan
    table["reason"] = np.where(found, "", OUTSIDE)
    if found.any():
        # Towns share cells, and a cell is stepped once.
        cells, member = np.unique(np.stack((rows, columns))[:, found], axis=1, return_inverse=True)
        # Few cells of a grid that may be large: from here on in memory, and read once for all that is made of them.
        compute: Any = base.compute
        one, two, soils = compute(_pick(first, cells), _pick(second, cells), _pick(ground, cells))
        numbers, reasons = _of_cells(one, two, soils, depth, pile, soil, excess_ice, settings, column, years)
        for name, values in numbers.items():
            table.loc[found, name] = values[member.ravel()]
        table.loc[found, "reason"] = reasons[member.ravel()]
    strength = STRENGTHS[soil] if isinstance(soil, str) else soil
    table.attrs = {
        "method": METHOD,
        "climate_1": labels[0],
        "climate_2": labels[1],
        "snow_2": "from the second climate" if "pr" in second else "that of the first climate, kept",
        "ground_temperature": f"mean of the year at {depth:g} m",
        "column": (column or ColumnSettings()).describe(),
        "pile": pile.describe(),
        "strength": strength.source,
        "settlement": "not told: no content of ground ice was given"
        if excess_ice is None
        else f"excess ice {excess_ice:g} of the volume; {SETTLEMENT_REFERENCE}",
        "references": REFERENCE,
    }
    return table


def _of_cells(
    first: xr.Dataset,
    second: xr.Dataset,
    ground: xr.Dataset,
    depth: float,
    pile: Pile,
    soil: str | FrozenStrength,
    excess_ice: float | None,
    settings: EquilibriumSettings | None,
    column: ColumnSettings | None,
    years: int,
) -> tuple[dict[str, Any], Any]:
    """Numbers and reasons of cells."""
    levels = np.unique(
        [*np.arange(0.0, 2.0, 0.1).round(1), *np.arange(2.0, pile.embedment, 0.5), pile.embedment, depth]
    )
    # Months of two mean years need not bear the same dates.
    one_year = {"time": np.arange(1, 13)}
    before = first[["tas", "pr"]].assign_coords(one_year)
    before["snow_tas"] = before["tas"]
    after = second.assign_coords(one_year)
    after["snow_tas"] = after["tas"] if "pr" in second else before["tas"]
    both = [before, after.assign(pr=after.get("pr", before["pr"]))[list(before)]]
    climate = xr.concat(both, dim="climate", combine_attrs="override", coords="minimal", compat="override")
    out = ground_in_balance(
        climate["tas"],
        climate["pr"],
        ground,
        settings=settings,
        column=column,
        snow_tas=climate["snow_tas"],
        depths=levels.tolist(),
        years=years,
    )
    thaw = out["active_layer_thickness"]
    capacity = pile_bearing_capacity(out["tsl_maximum"], thaw, pile=pile, soil=soil)
    # Where nothing is known of the ground, nothing is borne either way.
    known = out["tsl_mean"].isel(depth=0).notnull()  # noqa: PD004 (xarray, not pandas)
    capacity = capacity.where(known)
    one, two = {"climate": 0}, {"climate": 1}
    here = out["tsl_mean"].sel(depth=depth)
    settled = (
        xr.full_like(thaw.isel(one), np.nan)
        if excess_ice is None
        else thaw_settlement(thaw.isel(one), thaw.isel(two), excess_ice=excess_ice)
    )
    values = (
        here.isel(one), here.isel(two), thaw.isel(one), thaw.isel(two), thaw.isel(two) - thaw.isel(one),
        capacity.isel(one), capacity.isel(two),
        bearing_capacity_change(capacity.isel(one), capacity.isel(two)), settled,
    )  # fmt: skip
    frozen = ~np.isnan(thaw.transpose("climate", ...).values)
    bare = ~known.transpose("climate", ...).values.all(axis=0)
    needed = (climate["tas"] + climate["pr"].drop_attrs()).transpose("climate", "time", ...).values
    reasons = np.full(bare.shape, "", dtype=object)
    # From the least to the most: what is said last stands.
    for where, reason in (
        (frozen[0] & ~frozen[1], ONLY_FIRST),
        (~frozen[0], ONLY_SECOND),
        (~frozen.any(axis=0), NEVER),
        (bare, NO_GROUND),
        (np.isnan(needed).any(axis=(0, 1)), NO_CLIMATE),
    ):
        reasons[where] = reason
    return dict(zip(_NUMBERS, (v.values for v in values), strict=True)), reasons


def _pick(data: xr.Dataset, cells: Any) -> xr.Dataset:
    """Cells by row and column [2, cell] as columns of their own."""
    rows, columns = (xr.DataArray(c, dims="cell_of_town") for c in cells)
    return data.isel(lat=rows, lon=columns).drop_vars(("lat", "lon"))


def _cells(places: Any, centres: xr.DataArray, others: xr.DataArray) -> Any:
    """Number of the cell that holds each place along an axis, and -1 outside; a single cell is square."""
    at, middle = np.asarray(places, dtype="float64"), np.asarray(centres.values, dtype="float64")
    nearest = np.abs(at[:, None] - middle[None]).argmin(axis=1)
    half = 0.5 * np.abs(np.diff(middle if middle.size > 1 else others.values)).max()
    return np.where(np.abs(at - middle[nearest]) <= half * (1 + 1e-9), nearest, -1)


def _ensure_towns(table: pd.DataFrame) -> None:
    missing = [name for name in ("name", "lat", "lon") if name not in table]
    if missing:
        raise UsageError(
            f"no column {', '.join(missing)}",
            where="argument 'towns'",
            expected="name, lat and lon",
            todo="take them from the geometry of points: lat=points.y, lon=points.x",
        )
    for name, most in (("lat", 90.0), ("lon", 180.0)):
        values = np.asarray(table[name], dtype="float64")
        wrong = ~(np.abs(values) <= most)
        if wrong.any():
            raise DataError(
                f"{name} of {table['name'].iloc[int(wrong.argmax())]} is {values[wrong.argmax()]:g}",
                where="argument 'towns'",
                expected=f"degrees from {-most:g} to {most:g}",
            )


def _ensure_grid(name: str, data: xr.Dataset, variables: tuple[str, ...], ground: xr.Dataset) -> None:
    lacking = [v for v in variables if v not in data] + [v for v in FIELDS if v not in ground]
    if lacking:
        raise UsageError(
            f"no {', '.join(lacking)}",
            where=f"argument {name!r} or 'ground'",
            expected="monthly tas and pr, and the parameters of ground_parameters",
        )
    if data.sizes.get("time") != 12:
        raise UsageError(
            f"{data.sizes.get('time', 0)} months",
            where=f"argument {name!r}",
            expected="the twelve months of a mean year",
            todo="average first: data.groupby('time.month').mean()",
        )
    for dim in ("lat", "lon"):
        if ground.sizes.get("lat", 0) * ground.sizes.get("lon", 0) < 2:
            raise UsageError(
                "a single cell, or none",
                where="argument 'ground'",
                expected="a grid, whose cells have a size",
            )
        if dim not in data.coords or dim not in ground.coords or not np.array_equal(data[dim], ground[dim]):
            raise UsageError(
                f"its {dim} differs from that of 'ground', or is missing",
                where=f"argument {name!r}",
                expected="climates and ground on one grid of longitude and latitude",
                todo="bring them to one grid with Overlap.regrid",
            )
