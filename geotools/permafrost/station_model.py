"""The transient column under a weather station: snow and turf over mineral ground, with few named parameters."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr

from geotools.errors import UsageError
from geotools.guards import ensure_range
from geotools.permafrost.column_plan import SpinUp
from geotools.permafrost.column_simulation import STATION_DEPTHS, simulate
from geotools.permafrost.snow_conductivity import snow_thermal_conductivity
from geotools.permafrost.snow_cover import SnowCover
from geotools.permafrost.soil_checks import number_text
from geotools.permafrost.soil_column import SoilColumn, SoilLayer, column_edges
from geotools.units import convert


@dataclass(frozen=True)
class GroundParameter:
    """A parameter of the ground under a station.

    Parameters
    ----------
    units : str
    value : float
        From the literature; no station was fitted for it.
    low, high : float
        Between which it may lie, and a calibration searches.
    meaning, source : str
    """

    units: str
    value: float
    low: float
    high: float
    meaning: str
    source: str


STATION_PARAMETERS: dict[str, GroundParameter] = {
    "snow_density": GroundParameter(
        "kg m-3", 194.0, 150.0, 300.0, "density of the snow, all winter",
        "taiga snow of the former USSR: Zhong et al. 2014, doi:10.5194/tc-8-785-2014",
    ),
    "snow_conductivity_factor": GroundParameter(
        "1", 1.0, 0.6, 1.6, "conductivity of the snow over that of the method",
        "spread between methods: sturm1997 is 0.7, yen1981 1.1 and devaux 1.2 times calonne2011 at 194 kg m-3",
    ),
    "turf_thickness": GroundParameter(
        "m", 0.10, 0.01, 0.25, "thickness of turf and the humous soil under it",
        "grass plots of weather stations; no single source",
    ),
    "turf_water": GroundParameter(
        "1", 0.40, 0.15, 0.75, "water in the turf, volume per volume",
        "between dry and wet turf of 0.85 porosity: Farouki 1981",
    ),
    "soil_porosity": GroundParameter(
        "1", 0.45, 0.30, 0.50, "pores of the mineral ground, volume per volume",
        "0.3 in dense sand to 0.5 in silt: Farouki 1981",
    ),
    "soil_saturation": GroundParameter(
        "1", 0.80, 0.15, 1.0, "share of the pores of the mineral ground that water and ice fill",
        "sandy loam and silt that permafrost keeps from draining; no single source",
    ),
    "solid_conductivity": GroundParameter(
        "W m-1 K-1", 3.0, 2.0, 6.0, "conductivity of the mineral grains",
        "2 without quartz, above 5 in quartz sand: Johansen 1975",
    ),
    "n_thawing": GroundParameter(
        "1", 1.0, 0.75, 1.25, "ground surface over air degree-days while it thaws without snow",
        "about 1 in short grass, above 1 on bare ground: Lunardini 1978",
    ),
    "geothermal_flux": GroundParameter(
        "W m-2", 0.05, 0.03, 0.07, "heat flux from below", "0.03 to 0.07 in most of the region"
    ),
}  # fmt: skip
TURF_POROSITY = 0.85


def station_parameters(parameters: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """All parameters of a station model: those given, and the literature for the others.

    Parameters
    ----------
    parameters : mapping of str to float or xarray.DataArray, optional

    Returns
    -------
    dict of str to float or xarray.DataArray

    Raises
    ------
    UsageError
        When a name is not known.
    """
    given = dict(parameters or {})
    unknown = sorted(set(given) - set(STATION_PARAMETERS))
    if unknown:
        raise UsageError(
            f"unknown parameter {unknown[0]!r}",
            where="argument 'parameters'",
            expected=f"one of {', '.join(STATION_PARAMETERS)}",
        )
    return {name: given.get(name, known.value) for name, known in STATION_PARAMETERS.items()}


def surface_temperature(air: xr.DataArray, snow_depth: xr.DataArray, n_thawing: Any) -> xr.DataArray:
    """Temperature of the ground or snow surface from that of the air.

    Parameters
    ----------
    air : xarray.DataArray [time, any dims; its units]
    snow_depth : xarray.DataArray [time, any dims; its units]
    n_thawing : float or xarray.DataArray [1]
        Positive temperatures without snow are multiplied by it.

    Returns
    -------
    xarray.DataArray [degC]
        That of the air with snow and below 0 degC.

    Raises
    ------
    DataError
        When the factor is not above 0 and at most 2.
    """
    ensure_range("n_thawing", np.asarray(n_thawing, dtype="float64"), 0.0, 2.0, "1", above=True)
    air, snow_depth = convert(air, "degC"), convert(snow_depth, "m")
    thawing = (air > 0.0) & ~(snow_depth > 0.0)
    out: xr.DataArray = (air * n_thawing).where(thawing, air).assign_attrs(units="degC")
    return out


def simulate_station(
    air_temperature: xr.DataArray,
    snow_depth: xr.DataArray,
    *,
    conductivity_method: str,
    parameters: Mapping[str, Any] | None = None,
    depths: Sequence[float] = STATION_DEPTHS,
    outputs: Collection[str] = ("series",),
    spin_up: SpinUp | None = None,
    depth: float = 60.0,
) -> xr.Dataset:
    """Ground temperatures under turf and snow, from the air temperature and snow depth of a station.

    Parameters
    ----------
    air_temperature : xarray.DataArray [time, any dims; its units]
        Daily, without gaps: `climate.fill_daily_gaps` fills them.
    snow_depth : xarray.DataArray [time, any dims; its units]
    conductivity_method : str
        Method of `snow_thermal_conductivity`; there is no default, because they differ by a factor of two.
    parameters : mapping of str to float or xarray.DataArray, optional
        In place of the literature values of `STATION_PARAMETERS`. DataArrays may have dimensions that the forcing
        does not have, so that many sets are one call.
    depths, outputs, spin_up
        As in `simulate`; spin-up of at least 120 years by default.
    depth : float
        Of the column [m].

    Returns
    -------
    xarray.Dataset
        As of `simulate`, with the parameters as attributes.

    Raises
    ------
    UsageError
        When a parameter or the method is not known.
    DataError
        When a parameter is out of its range, or as `simulate`.

    Notes
    -----
    Two layers: turf (porosity 0.85, all solids organic) over mineral ground. The surface of snow or
    ground has the temperature of the air, but for the factor `n_thawing`. That neglects that snow radiates and is
    colder than the air in clear nights, and that grass shades and dry soil heats.
    """
    used = station_parameters(parameters)
    density, factor = used["snow_density"], used["snow_conductivity_factor"]
    if isinstance(density, xr.DataArray):
        density = density.assign_attrs(units="kg m-3")
    conductivity = snow_thermal_conductivity(density, method=conductivity_method) * factor
    layers = [
        SoilLayer(
            _in(used["turf_thickness"], "m"), water=used["turf_water"], porosity=TURF_POROSITY,
            organic=1.0, name="turf",
        ),
        SoilLayer(
            float("inf"), water=used["soil_saturation"] * used["soil_porosity"], porosity=used["soil_porosity"],
            solid_conductivity=_in(used["solid_conductivity"], "W m-1 K-1"), name="mineral ground",
        ),
    ]  # fmt: skip
    # The same cells whatever the turf, so that a set of a calibration gives the same when it is run alone.
    column = SoilColumn(
        layers, edges=column_edges(depth), geothermal_flux=_in(used["geothermal_flux"], "W m-2")
    )
    result = simulate(
        column,
        surface_temperature(air_temperature, snow_depth, used["n_thawing"]),
        snow_depth=snow_depth,
        snow=SnowCover(density, conductivity=_in(conductivity, "W m-1 K-1")),
        depths=depths,
        outputs=outputs,
        spin_up=spin_up or SpinUp(min_years=120, max_years=400),
    )
    told = {f"parameter_{k}": number_text(v, STATION_PARAMETERS[k].units) for k, v in used.items()}
    result.attrs |= {"snow_conductivity_method": conductivity_method, **told}
    return result


def _in(value: Any, units: str) -> Any:
    return value.assign_attrs(units=units) if isinstance(value, xr.DataArray) else value
