"""Permafrost in balance with a mean year: the chain from monthly climate to zones and active layer."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import xarray as xr

from geotools.climate.degree_days import degree_days
from geotools.climate.seasonal import annual_mean, annual_sum, monthly_extremes
from geotools.climate.snow import (
    ALL_RAIN_ABOVE,
    ALL_SNOW_BELOW,
    MELT_FACTOR,
    REFREEZING_COEFFICIENT,
    SUBLIMATION_FRACTION,
    snow_from_monthly,
)
from geotools.climate.snow_class import TAIGA_DENSITY, TUNDRA_DENSITY, snow_density, tundra_snow_share
from geotools.guards import one_of
from geotools.metadata import VARIABLES
from geotools.permafrost.frost_number import frost_number
from geotools.permafrost.n_factor import METHODS, freezing_n_factor, gisnas_freezing_n_factor
from geotools.permafrost.stefan import Layer, layered_stefan_thaw_depth
from geotools.permafrost.ttop import mean_annual_ground_surface_temperature, ttop
from geotools.permafrost.zonation import permafrost_probability, permafrost_zone

N_FACTOR_METHODS = ("by_snow_class", "gisnas", *METHODS)


@dataclass(frozen=True, kw_only=True)
class EquilibriumSettings:
    """Parameters that are the same everywhere; those of the ground vary with land cover.

    Parameters
    ----------
    submonthly_sd_K : float [K]
        See `geotools.climate.degree_days`.
    all_snow_below_degC, all_rain_above_degC : float [degC]
    melt_factor : float [kg m-2 K-1 d-1]
    refreezing_coefficient, sublimation_fraction : float [1]
        See `geotools.climate.snow_from_monthly` for these.
    taiga_snow_density, tundra_snow_density : float [kg m-3]
        See `geotools.climate.snow_density`.
    n_factor_method : str
        One of `N_FACTOR_METHODS`. ``by_snow_class`` takes ``gisnas`` for taiga snow and ``kudryavtsev`` for
        tundra snow; docs/permafrost.md compares them with station records.
    snow_conductivity_method : str
        See `geotools.permafrost.snow_thermal_conductivity`.
    magt_sd_K : float [K]
        Error of the ground temperature of a cell, which turns it into a probability.
    """

    submonthly_sd_K: float = 5.0
    all_snow_below_degC: float = ALL_SNOW_BELOW
    all_rain_above_degC: float = ALL_RAIN_ABOVE
    melt_factor: float = MELT_FACTOR
    refreezing_coefficient: float = REFREEZING_COEFFICIENT
    sublimation_fraction: float = SUBLIMATION_FRACTION
    taiga_snow_density: float = TAIGA_DENSITY
    tundra_snow_density: float = TUNDRA_DENSITY
    n_factor_method: str = "by_snow_class"
    snow_conductivity_method: str = "sturm1997"
    magt_sd_K: float = 2.0


@dataclass(frozen=True, kw_only=True)
class Perturbation:
    """One draw: how far inputs and parameters are moved, everywhere alike.

    Parameters
    ----------
    air_temperature_K : float [K]
        Added.
    precipitation, thaw_conductivity, melted_water : float [1]
        Factors.
    n_freezing, n_thawing, conductivity_ratio : float [1]
        Added.
    """

    air_temperature_K: float = 0.0
    precipitation: float = 1.0
    n_freezing: float = 0.0
    n_thawing: float = 0.0
    conductivity_ratio: float = 0.0
    thaw_conductivity: float = 1.0
    melted_water: float = 1.0


@dataclass(frozen=True, kw_only=True)
class Spread:
    """Standard deviations of the perturbations; ``cv`` are relative and drawn log-normal.

    Parameters
    ----------
    air_temperature_sd_K : float [K]
    precipitation_cv, thaw_conductivity_cv, melted_water_cv : float [1]
    n_freezing_sd, n_thawing_sd, conductivity_ratio_sd : float [1]
    """

    air_temperature_sd_K: float = 1.0
    precipitation_cv: float = 0.15
    n_freezing_sd: float = 0.12
    n_thawing_sd: float = 0.08
    conductivity_ratio_sd: float = 0.07
    thaw_conductivity_cv: float = 0.2
    melted_water_cv: float = 0.2


def draw_perturbations(spread: Spread, draws: int, rng: np.random.Generator) -> Iterator[Perturbation]:
    """Independent draws of all inputs and parameters.

    Parameters
    ----------
    spread : Spread
    draws : int
    rng : numpy.random.Generator

    Yields
    ------
    Perturbation

    Notes
    -----
    A relative error c becomes a log-normal factor with mean 1 and coefficient of variation c.

    Examples
    --------
    >>> still = Spread(**{name: 0.0 for name in Spread.__dataclass_fields__})
    >>> next(draw_perturbations(still, 1, np.random.default_rng(1))) == Perturbation()
    True
    """

    def factor(cv: float) -> float:
        variance = np.log1p(cv**2)
        return float(np.exp(rng.normal(-variance / 2, np.sqrt(variance))))

    for _ in range(draws):
        yield Perturbation(
            air_temperature_K=float(rng.normal(0.0, spread.air_temperature_sd_K)),
            precipitation=factor(spread.precipitation_cv),
            n_freezing=float(rng.normal(0.0, spread.n_freezing_sd)),
            n_thawing=float(rng.normal(0.0, spread.n_thawing_sd)),
            conductivity_ratio=float(rng.normal(0.0, spread.conductivity_ratio_sd)),
            thaw_conductivity=factor(spread.thaw_conductivity_cv),
            melted_water=factor(spread.melted_water_cv),
        )


def equilibrium_permafrost(
    tas: xr.DataArray,
    pr: xr.DataArray,
    ground: xr.Dataset,
    *,
    settings: EquilibriumSettings,
    perturbation: Perturbation | None = None,
) -> xr.Dataset:
    """Climate indices, snow, ground temperature, permafrost and thaw depth of a mean year.

    Parameters
    ----------
    tas : xarray.DataArray [time (12), ...; degC]
        Monthly mean air temperature.
    pr : xarray.DataArray [time (12), ...; kg m-2 d-1]
        Monthly mean precipitation.
    ground : xarray.Dataset [...]
        From `ground_parameters`; missing where there is no ground, as is then all that depends on it.
    settings : EquilibriumSettings
    perturbation : Perturbation, optional
        Moves inputs and parameters for one draw.

    Returns
    -------
    xarray.Dataset [...]
        `maat`, `annual_precipitation`, `thawing_degree_days`, `freezing_degree_days`, `snd` and `snw` (by
        month), `snow_depth_winter_mean`, `snow_depth_max`, `n_factor_freezing`, `air_frost_number`,
        `surface_frost_number`, `mean_annual_ground_surface_temperature`, `magt`, `permafrost_probability`,
        `permafrost_zone`, `thaw_depth` and `active_layer_thickness` (thaw depth where the ground
        temperature is at most 0 degC).

    Raises
    ------
    UsageError
        When a method of `settings` is not known.

    Notes
    -----
    Equilibrium: the ground knows only the mean year, so that permafrost that outlived a colder climate is
    missed, and thawing lags behind. Warmer air can cool the ground where it thins the snow. See
    docs/permafrost.md.
    """
    moved = perturbation or Perturbation()
    tas = (tas + moved.air_temperature_K).assign_attrs(tas.attrs)
    pr = (pr * moved.precipitation).assign_attrs(pr.attrs)
    out: xr.Dataset = degree_days(tas, submonthly_sd=settings.submonthly_sd_K)
    out["maat"] = annual_mean(tas)
    out["annual_precipitation"] = annual_sum(pr).assign_attrs(VARIABLES["annual_precipitation"].attrs())
    months = monthly_extremes(tas)
    tundra = tundra_snow_share(months["warmest_month"])
    density = snow_density(
        tundra, taiga_density=settings.taiga_snow_density, tundra_density=settings.tundra_snow_density
    )
    snow = snow_from_monthly(
        tas,
        pr,
        submonthly_sd=settings.submonthly_sd_K,
        melt_factor=settings.melt_factor,
        refreezing_coefficient=settings.refreezing_coefficient,
        snow_density=density,
        sublimation_fraction=settings.sublimation_fraction,
        all_snow_below=settings.all_snow_below_degC,
        all_rain_above=settings.all_rain_above_degC,
    )
    out = out.assign(snow.data_vars)
    factor = _n_factor(out, months, tundra, density, settings) + moved.n_freezing
    out["n_factor_freezing"] = factor.clip(0.05, 1.0).assign_attrs(VARIABLES["n_factor_freezing"].attrs())
    n_thawing = (ground["n_factor_thawing"] + moved.n_thawing).clip(0.05, 2.0).assign_attrs(units="1")
    ratio = (ground["conductivity_ratio"] + moved.conductivity_ratio).clip(0.05, 1.0).assign_attrs(units="1")
    freezing, thawing = out["freezing_degree_days"], out["thawing_degree_days"]
    factors = {"n_freezing": out["n_factor_freezing"], "n_thawing": n_thawing}
    out["air_frost_number"] = frost_number(freezing, thawing)
    surface = frost_number(
        (freezing * out["n_factor_freezing"]).assign_attrs(units="K d"),
        (thawing * n_thawing).assign_attrs(units="K d"),
    )
    out["surface_frost_number"] = surface.rename("surface_frost_number").assign_attrs(
        VARIABLES["surface_frost_number"].attrs()
    )
    out["mean_annual_ground_surface_temperature"] = mean_annual_ground_surface_temperature(
        freezing, thawing, **factors
    )
    out["magt"] = ttop(freezing, thawing, conductivity_ratio=ratio, **factors)
    out["permafrost_probability"] = permafrost_probability(out["magt"], settings.magt_sd_K)
    out["permafrost_zone"] = permafrost_zone(out["permafrost_probability"])
    out["thaw_depth"] = layered_stefan_thaw_depth(thawing, layers=_layers(ground, moved), n_factor=n_thawing)
    out["active_layer_thickness"] = out["thaw_depth"].where(out["magt"] <= 0.0)
    out["active_layer_thickness"].attrs = VARIABLES["active_layer_thickness"].attrs()
    return out.drop_attrs(deep=False)


def _layers(ground: xr.Dataset, moved: Perturbation) -> list[Layer]:
    """The organic layer on mineral ground, with moved conductivity and water."""

    def conductivity(name: str) -> xr.DataArray:
        return (ground[name] * moved.thaw_conductivity).assign_attrs(units="W m-1 K-1")

    def water(name: str) -> xr.DataArray:
        return (ground[name] * moved.melted_water).clip(0.01, 1.0).assign_attrs(units="1")

    organic = Layer(
        ground["organic_thickness"],
        conductivity("organic_conductivity"),
        water("organic_melted_water_fraction"),
    )
    return [organic, Layer(np.inf, conductivity("thawed_conductivity"), water("melted_water_fraction"))]


def _n_factor(
    out: xr.Dataset,
    months: xr.Dataset,
    tundra: xr.DataArray,
    density: xr.DataArray,
    settings: EquilibriumSettings,
) -> xr.DataArray:
    method = settings.n_factor_method
    one_of("n_factor_method", method, N_FACTOR_METHODS)
    empirical: xr.DataArray = gisnas_freezing_n_factor(out["snow_depth_max"])
    if method == "gisnas":
        return empirical
    physical: xr.DataArray = freezing_n_factor(
        out["freezing_degree_days"],
        months["warmest_month"],
        months["coldest_month"],
        out["snow_depth_winter_mean"],
        snow_density=density,
        method="kudryavtsev" if method == "by_snow_class" else method,
        conductivity_method=settings.snow_conductivity_method,
    )
    return tundra * physical + (1.0 - tundra) * empirical if method == "by_snow_class" else physical
