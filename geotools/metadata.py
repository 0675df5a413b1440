"""CF-1.11 and ACDD-1.3 attributes: one entry per canonical variable, and what a field is per cell."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import xarray as xr

from geotools.vocabulary import Kind

CONVENTIONS = "CF-1.11, ACDD-1.3"


@dataclass(frozen=True)
class Variable:
    """What geotools knows about a canonical variable.

    Parameters
    ----------
    name : str
        Canonical (CMIP or CF short) name.
    units : str
        UDUNITS string of the values.
    long_name : str
    standard_name : str, optional
        CF standard name; empty where the CF table has none.
    cell_methods : str, optional
    valid : tuple of float, optional
        Smallest and largest plausible value, in `units`. A field outside is refused.
    liquid_water : bool
        Whether files may give it as a depth of liquid water.
    """

    name: str
    units: str
    long_name: str
    standard_name: str = ""
    cell_methods: str = "area: mean"
    valid: tuple[float, float] | None = None
    liquid_water: bool = False

    def attrs(self) -> dict[str, Any]:
        """The CF attributes of an array of this variable."""
        attrs: dict[str, Any] = {
            "long_name": self.long_name,
            "units": self.units,
            "cell_methods": self.cell_methods,
        }
        if self.standard_name:
            attrs["standard_name"] = self.standard_name
        if {"degC", "K", "K-1"} & set(self.units.split()):
            # CF-1.11 wants to know whether a temperature is a point on a scale or a difference.
            attrs["units_metadata"] = f"temperature: {'on_scale' if self.units == 'degC' else 'difference'}"
        return attrs


VARIABLES: dict[str, Variable] = {
    v.name: v
    for v in (
        Variable("tas", "degC", "near-surface air temperature", "air_temperature", valid=(-90.0, 60.0)),
        Variable(
            "pr", "kg m-2 d-1", "precipitation", "precipitation_flux", valid=(0.0, 500.0), liquid_water=True
        ),
        Variable("snd", "m", "snow depth", "surface_snow_thickness", valid=(0.0, 50.0)),
        Variable("snw", "kg m-2", "snow water equivalent", "surface_snow_amount", valid=(0.0, 20000.0)),
        Variable("tsl", "degC", "soil temperature", "soil_temperature", valid=(-70.0, 70.0)),
        Variable("csoil", "kg m-2", "soil carbon", "soil_mass_content_of_carbon", valid=(0.0, 2000.0)),
        Variable("orog", "m", "surface altitude", "surface_altitude", valid=(-500.0, 9000.0)),
        Variable(
            "ndvi",
            "1",
            "normalized difference vegetation index",
            "normalized_difference_vegetation_index",
            valid=(-1.0, 1.0),
        ),
        Variable("population", "1", "number of persons per cell", "", "area: sum", valid=(0.0, 1e9)),
        Variable("land_cover", "1", "land cover class", "", "area: mode"),
        Variable(
            "thawing_degree_days",
            "K d",
            "thawing degree-days of the air",
            "integral_wrt_time_of_air_temperature_excess",
            valid=(0.0, 15000.0),
        ),
        Variable(
            "freezing_degree_days",
            "K d",
            "freezing degree-days of the air, reported positive",
            "integral_wrt_time_of_air_temperature_deficit",
            valid=(0.0, 25000.0),
        ),
        Variable(
            "maat",
            "degC",
            "mean annual air temperature",
            "air_temperature",
            "area: mean time: mean",
            (-90.0, 60.0),
        ),
        Variable(
            "annual_precipitation",
            "kg m-2",
            "precipitation of the mean year",
            "precipitation_amount",
            "area: mean time: sum",
            (0.0, 20000.0),
        ),
        Variable(
            "snow_depth_winter_mean",
            "m",
            "mean snow depth of the months with snow on frozen ground",
            "surface_snow_thickness",
            valid=(0.0, 50.0),
        ),
        Variable(
            "snow_depth_max",
            "m",
            "largest monthly mean snow depth",
            "surface_snow_thickness",
            "area: mean time: maximum",
            (0.0, 50.0),
        ),
        Variable(
            "n_factor_freezing",
            "1",
            "freezing n-factor: ground-surface over air freezing degree-days",
            valid=(0.0, 1.0),
        ),
        Variable(
            "n_factor_thawing",
            "1",
            "thawing n-factor: ground-surface over air thawing degree-days",
            valid=(0.0, 2.0),
        ),
        Variable("air_frost_number", "1", "air frost number of Nelson and Outcalt", valid=(0.0, 1.0)),
        Variable("surface_frost_number", "1", "surface frost number of Nelson and Outcalt", valid=(0.0, 1.0)),
        Variable(
            "magt",
            "degC",
            "mean annual ground temperature at the top of permafrost",
            "soil_temperature",
            "area: mean time: mean",
            (-60.0, 60.0),
        ),
        Variable(
            "mean_annual_ground_surface_temperature",
            "degC",
            "mean annual ground-surface temperature",
            "surface_temperature",
            "area: mean time: mean",
            (-60.0, 60.0),
        ),
        Variable(
            "active_layer_thickness",
            "m",
            "active-layer thickness: depth of annual thaw above permafrost",
            "permafrost_active_layer_thickness",
            "area: mean",
            (0.0, 50.0),
        ),
        Variable(
            "thaw_depth", "m", "depth of annual thaw by the Stefan equation", "", "area: mean", (0.0, 50.0)
        ),
        Variable(
            "permafrost_probability",
            "1",
            "probability of permafrost; in the mean, the permafrost area fraction",
            "permafrost_area_fraction",
            valid=(0.0, 1.0),
        ),
        Variable("permafrost_zone", "1", "permafrost zone", "", "area: mode"),
    )
}


def kind_of(field: xr.DataArray) -> Kind:
    """What a field is per cell: a class, an amount, a density per area, or an intensive quantity.

    Parameters
    ----------
    field : xarray.DataArray
        Its attributes decide: `flag_values` make a class, ``area: sum`` in `cell_methods` an amount, a
        ``m-2`` in `units` a density, and anything else is intensive.

    Returns
    -------
    Kind
    """
    if "flag_values" in field.attrs:
        return Kind.CLASS
    methods = str(field.attrs.get("cell_methods", ""))
    if "area: mode" in methods:
        return Kind.CLASS
    if "area: sum" in methods:
        return Kind.AMOUNT
    if "m-2" in str(field.attrs.get("units", "")).split():
        return Kind.DENSITY
    return Kind.INTENSIVE


def flag_attrs(meanings: dict[int, str]) -> dict[str, Any]:
    """CF `flag_values` and `flag_meanings` of a categorical variable.

    Parameters
    ----------
    meanings : dict of int to str
        Code to meaning; blanks become underscores, as CF asks.
    """
    import numpy as np

    return {
        "flag_values": np.array(sorted(meanings), dtype="int8" if max(meanings) < 128 else "int16"),
        "flag_meanings": " ".join(meanings[k].strip().replace(" ", "_") for k in sorted(meanings)),
    }


def append_history(attrs: dict[str, Any], entry: str) -> dict[str, Any]:
    """Attributes with one more line at the end of `history`."""
    old = str(attrs.get("history", "")).strip()
    return {**attrs, "history": f"{old}\n{entry}" if old else entry}
