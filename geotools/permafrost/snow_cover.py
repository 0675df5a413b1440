"""The snow on a column: one body with a thermal resistance and a heat capacity."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from geotools.errors import UsageError
from geotools.guards import ensure_range, one_of
from geotools.permafrost.snow_conductivity import METHODS, SNOW_HEAT_CAPACITY, ensure_density
from geotools.permafrost.soil_checks import number_or_field, number_text


@dataclass(frozen=True, eq=False)
class SnowCover:
    """Properties of the snow.

    Parameters
    ----------
    density : float or xarray.DataArray [kg m-3]
    conductivity_method : str, optional
        Method of `snow_thermal_conductivity`; there is no default, because they differ by a factor of two.
    conductivity : float or xarray.DataArray, optional [W m-1 K-1]
        In place of a method.
    heat_capacity : float
        [J kg-1 K-1]

    Raises
    ------
    UsageError
        When both or none of method and conductivity are given.
    DataError
        When a conductivity is not above 0, or a density not that of snow.
    UnitsError
        When a density is in g cm-3.
    """

    density: Any
    conductivity_method: str | None = None
    conductivity: Any = None
    heat_capacity: float = SNOW_HEAT_CAPACITY

    def __post_init__(self) -> None:
        if (self.conductivity_method is None) == (self.conductivity is None):
            given = "neither" if self.conductivity is None else "both"
            raise UsageError(
                f"{given} of conductivity_method and conductivity given",
                where="SnowCover",
                expected="one of them",
                todo=f"choose a method: {', '.join(METHODS)}",
            )
        if self.conductivity_method is not None:
            one_of("conductivity_method", self.conductivity_method, METHODS)
        density = number_or_field("SnowCover, density", self.density, "kg m-3")
        object.__setattr__(self, "density", density)
        if isinstance(density, float):
            ensure_density("density", np.asarray(density))
        if self.conductivity is not None:
            value = number_or_field("SnowCover, conductivity", self.conductivity, "W m-1 K-1")
            object.__setattr__(self, "conductivity", value)
            if isinstance(value, float):
                ensure_range("snow conductivity", np.asarray(value), 0.0, 3.0, "W m-1 K-1", above=True)
        capacity = np.asarray(number_or_field("SnowCover, heat_capacity", self.heat_capacity, "J kg-1 K-1"))
        ensure_range(
            "heat_capacity", capacity, 500.0, 5000.0, "J kg-1 K-1", todo="give J kg-1 K-1: ice has 2100"
        )

    def describe(self) -> str:
        """The snow in a line, for the attributes of results."""
        density = number_text(self.density, "kg m-3")
        how = self.conductivity_method or number_text(self.conductivity, "W m-1 K-1")
        return (
            f"density {density}, thermal conductivity {how}, heat capacity {self.heat_capacity:g} J kg-1 K-1"
        )
