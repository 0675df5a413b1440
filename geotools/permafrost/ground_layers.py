"""The layers of a transient column from the ground parameters of the default run, and what lies below the soil."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr

from geotools.errors import UsageError
from geotools.guards import ensure_range, one_of
from geotools.permafrost.parameters import FIELDS
from geotools.permafrost.soil_checks import ensure_geothermal
from geotools.permafrost.soil_column import SoilColumn, SoilLayer, column_edges
from geotools.permafrost.soil_properties import ICE_CONDUCTIVITY, WATER_CONDUCTIVITY

GEOTHERMAL_SOURCE = (
    "W m-2, assumed: 0.03 to 0.07 in most of the region, more in the Baikal rift and the Verkhoyansk Range"
)
ROCK_SOURCE = (
    "W m-1 K-1, assumed: 1.5 to 3.5 in most rocks, Clauser & Huenges (1995), AGU Reference Shelf 3, 105-126"
)

WINTERS = ("n_factor", "snow")


@dataclass(frozen=True, kw_only=True)
class ColumnSettings:
    """What a column needs beside the parameters of its land cover; the same for all columns.

    Parameters
    ----------
    depth : float [m]
        Of the column that is stepped. Below, temperatures follow the geothermal gradient.
    soil_depth : float [m]
        Of organic and mineral soil together; rock lies below.
    geothermal_flux : float [W m-2]
        `GEOTHERMAL_SOURCE`.
    rock_conductivity : float [W m-1 K-1]
        `ROCK_SOURCE`.
    rock_porosity : float [1]
        Filled with water.
    soil_porosity, organic_porosity : float [1]
        Of mineral soil and the organic layer; at least their water.
    winter : {"n_factor", "snow"}
        What stands between cold air and ground: the freezing n-factor of the equilibrium chain, so that column and TTOP
        know the same surface, or the snow itself.
    snow_conductivity_method : str
        Of the snow on a column; see `geotools.permafrost.snow_thermal_conductivity`.

    Raises
    ------
    DataError
        When a number is out of its range.
    UsageError
        When the column ends within the soil, or `winter` is none of the two.
    """

    depth: float = 60.0
    soil_depth: float = 10.0
    geothermal_flux: float = 0.05
    rock_conductivity: float = 2.5
    rock_porosity: float = 0.03
    soil_porosity: float = 0.45
    organic_porosity: float = 0.85
    winter: str = "n_factor"
    snow_conductivity_method: str = "yen1981"

    def __post_init__(self) -> None:
        ensure_geothermal(np.asarray(self.geothermal_flux, dtype="float64"))
        for name, low, high, units in (
            ("depth", 15.0, 1000.0, "m"),
            ("soil_depth", 1.0, 1000.0, "m"),
            ("rock_conductivity", 0.1, 10.0, "W m-1 K-1"),
            ("rock_porosity", 0.0, 0.6, "1"),
            ("soil_porosity", 0.05, 0.95, "1"),
            ("organic_porosity", 0.05, 0.99, "1"),
        ):
            ensure_range(
                f"ColumnSettings, {name}", np.asarray(getattr(self, name), dtype="float64"), low, high, units
            )
        one_of("winter", self.winter, WINTERS)
        if self.soil_depth >= self.depth:
            raise UsageError(
                f"soil down to {self.soil_depth:g} m in a column of {self.depth:g} m",
                where="ColumnSettings",
                expected="a column that reaches into the rock",
                todo="raise depth, or lower soil_depth",
            )

    def describe(self) -> str:
        """The settings in a line, for the attributes of results."""
        winter = (
            f"snow conductivity {self.snow_conductivity_method}"
            if self.winter == "snow"
            else "freezing n-factor in winter"
        )
        return (
            f"organic layer and mineral soil by land cover to {self.soil_depth:g} m, rock of "
            f"{self.rock_conductivity:g} W m-1 K-1 below, geothermal flux {self.geothermal_flux:g} W m-2 (assumed), "
            f"{winter}"
        )


def ground_column(ground: xr.Dataset, *, settings: ColumnSettings | None = None) -> SoilColumn:
    """The column of organic layer, mineral soil and rock that ground parameters stand for.

    Parameters
    ----------
    ground : xarray.Dataset [any dims]
        From `ground_parameters`.
    settings : ColumnSettings, optional

    Returns
    -------
    SoilColumn

    Raises
    ------
    UsageError
        When a parameter is missing.

    Notes
    -----
    Frozen mineral soil conducts what thawed soil does over the conductivity ratio of TTOP, so that both methods know
    the same ground. In the organic layer ice takes the place of water, by (k_ice / k_water) to the power of its
    water.
    """
    settings = settings or ColumnSettings()
    missing = [name for name in FIELDS if name not in ground]
    if missing:
        raise UsageError(
            f"no {', '.join(missing)}", where="argument 'ground'", expected="a Dataset of ground_parameters"
        )
    organic_water, water = ground["organic_melted_water_fraction"], ground["melted_water_fraction"]
    organic_thawed = ground["organic_conductivity"]
    organic = SoilLayer(
        _plain(ground["organic_thickness"], "m"),
        water=_plain(organic_water, "1"),
        porosity=_plain(organic_water.clip(min=settings.organic_porosity), "1"),
        organic=1.0,
        conductivity_thawed=_plain(organic_thawed, "W m-1 K-1"),
        conductivity_frozen=_plain(
            organic_thawed * (ICE_CONDUCTIVITY / WATER_CONDUCTIVITY) ** organic_water, "W m-1 K-1"
        ),
        name="organic layer",
    )
    soil = SoilLayer(
        _plain((settings.soil_depth - ground["organic_thickness"]).clip(min=0.0), "m"),
        water=_plain(water, "1"),
        porosity=_plain(water.clip(min=settings.soil_porosity), "1"),
        conductivity_thawed=_plain(ground["thawed_conductivity"], "W m-1 K-1"),
        conductivity_frozen=_plain(ground["thawed_conductivity"] / ground["conductivity_ratio"], "W m-1 K-1"),
        name="mineral soil",
    )
    rock = SoilLayer(
        float("inf"),
        water=settings.rock_porosity,
        porosity=settings.rock_porosity,
        conductivity_thawed=settings.rock_conductivity,
        conductivity_frozen=settings.rock_conductivity,
        name="rock",
    )
    return SoilColumn(
        [organic, soil, rock],
        edges=column_edges(settings.depth, interfaces=[settings.soil_depth]),
        geothermal_flux=settings.geothermal_flux,
    )


def resistance_above(column: SoilColumn, depth: float, frozen: xr.DataArray) -> xr.DataArray:
    """Thermal resistance of the ground above a depth.

    Parameters
    ----------
    column : SoilColumn
        With conductivities that are given.
    depth : float [m]
    frozen : xarray.DataArray of bool [any dims]
        Whether the ground is frozen or thawed.

    Returns
    -------
    xarray.DataArray [same dims; m2 K W-1]
    """
    left: Any = xr.full_like(frozen, depth, dtype="float64")
    total: Any = xr.zeros_like(left)
    for layer in column.layers:
        passed = np.minimum(left, layer.thickness)
        conductivity = xr.zeros_like(left) + layer.conductivity_frozen
        conductivity = conductivity.where(frozen, layer.conductivity_thawed)
        total = total + passed / conductivity
        left = left - passed
    found: xr.DataArray = total
    return found


def _plain(field: xr.DataArray, units: str) -> xr.DataArray:
    """A parameter with its units alone: arithmetic left other attributes or none."""
    out = field.copy()
    out.attrs = {"units": units}
    return out
