from .analytic import (
    LunardiniSolution,
    NeumannSolution,
    lunardini_solution,
    neumann_solution,
    periodic_solution,
)
from .bearing_capacity import Pile, bearing_capacity_change, pile_bearing_capacity, thaw_settlement
from .calibration import Calibration, bounded_search, calibrate_station
from .column_forcing import ForcingGapError
from .column_plan import SpinUp
from .column_results import column_state
from .column_run import EnergyError
from .column_simulation import simulate
from .column_statistics import active_layer_thickness, zero_annual_amplitude_depth, zero_curtain
from .equilibrium import EquilibriumSettings, equilibrium_permafrost
from .evaluation import annual_means, compare_with_observations, day_of_year_climatology
from .freezing_curves import FreezingCurve, MushyZone, PowerLaw, VanGenuchten
from .frost_number import (
    frost_number,
    nelson_outcalt_degree_days,
    nelson_outcalt_zone,
    stefan_frost_number,
    surface_frost_number,
)
from .frozen_strength import FrozenStrength
from .ground_balance import ground_in_balance
from .ground_layers import ColumnSettings, ground_column
from .heat_capacity import ground_heat_capacity
from .kudryavtsev import kudryavtsev
from .n_factor import freezing_n_factor, gisnas_freezing_n_factor, kudryavtsev_snow_offset
from .nival import nival_offset
from .offsets import surface_offset, thermal_offset
from .parameters import ground_parameters
from .snow_conductivity import snow_damping, snow_thermal_conductivity
from .snow_cover import SnowCover
from .soil_column import SoilColumn, SoilLayer, column_edges
from .station_model import STATION_PARAMETERS, simulate_station
from .stefan import Layer, edaphic_factor, fit_edaphic_factor, layered_stefan_thaw_depth, stefan_thaw_depth
from .subgrid_parameters import ensemble_parameters
from .town_ground import town_ground_change
from .trumpet import trumpet_curve
from .ttop import mean_annual_ground_surface_temperature, ttop
from .ttop_members import ttop_ensemble
from .two_years import permafrost_state
from .zonation import permafrost_extent, permafrost_probability, permafrost_zone

__all__ = [
    "STATION_PARAMETERS",
    "Calibration",
    "ColumnSettings",
    "EnergyError",
    "EquilibriumSettings",
    "ForcingGapError",
    "FreezingCurve",
    "FrozenStrength",
    "Layer",
    "LunardiniSolution",
    "MushyZone",
    "NeumannSolution",
    "Pile",
    "PowerLaw",
    "SnowCover",
    "SoilColumn",
    "SoilLayer",
    "SpinUp",
    "VanGenuchten",
    "active_layer_thickness",
    "annual_means",
    "bearing_capacity_change",
    "bounded_search",
    "calibrate_station",
    "column_edges",
    "column_state",
    "compare_with_observations",
    "day_of_year_climatology",
    "edaphic_factor",
    "ensemble_parameters",
    "equilibrium_permafrost",
    "fit_edaphic_factor",
    "freezing_n_factor",
    "frost_number",
    "gisnas_freezing_n_factor",
    "ground_column",
    "ground_heat_capacity",
    "ground_in_balance",
    "ground_parameters",
    "kudryavtsev",
    "kudryavtsev_snow_offset",
    "layered_stefan_thaw_depth",
    "lunardini_solution",
    "mean_annual_ground_surface_temperature",
    "nelson_outcalt_degree_days",
    "nelson_outcalt_zone",
    "neumann_solution",
    "nival_offset",
    "periodic_solution",
    "permafrost_extent",
    "permafrost_probability",
    "permafrost_state",
    "permafrost_zone",
    "pile_bearing_capacity",
    "simulate",
    "simulate_station",
    "snow_damping",
    "snow_thermal_conductivity",
    "stefan_frost_number",
    "stefan_thaw_depth",
    "surface_frost_number",
    "surface_offset",
    "thaw_settlement",
    "thermal_offset",
    "town_ground_change",
    "trumpet_curve",
    "ttop",
    "ttop_ensemble",
    "zero_annual_amplitude_depth",
    "zero_curtain",
]
