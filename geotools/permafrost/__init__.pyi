from .equilibrium import EquilibriumSettings, equilibrium_permafrost
from .frost_number import (
    frost_number,
    nelson_outcalt_degree_days,
    nelson_outcalt_zone,
    stefan_frost_number,
    surface_frost_number,
)
from .n_factor import freezing_n_factor, gisnas_freezing_n_factor, kudryavtsev_snow_offset
from .parameters import ground_parameters
from .snow_conductivity import snow_damping, snow_thermal_conductivity
from .stefan import Layer, edaphic_factor, layered_stefan_thaw_depth, stefan_thaw_depth
from .ttop import mean_annual_ground_surface_temperature, ttop
from .zonation import permafrost_extent, permafrost_probability, permafrost_zone

__all__ = [
    "EquilibriumSettings",
    "Layer",
    "edaphic_factor",
    "equilibrium_permafrost",
    "freezing_n_factor",
    "frost_number",
    "gisnas_freezing_n_factor",
    "ground_parameters",
    "kudryavtsev_snow_offset",
    "layered_stefan_thaw_depth",
    "mean_annual_ground_surface_temperature",
    "nelson_outcalt_degree_days",
    "nelson_outcalt_zone",
    "permafrost_extent",
    "permafrost_probability",
    "permafrost_zone",
    "snow_damping",
    "snow_thermal_conductivity",
    "stefan_frost_number",
    "stefan_thaw_depth",
    "surface_frost_number",
    "ttop",
]
