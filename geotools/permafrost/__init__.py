"""Frost numbers, snow damping, Stefan thaw depth, TTOP and permafrost zones; no files."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "frost_number": [
            "frost_number",
            "nelson_outcalt_degree_days",
            "nelson_outcalt_zone",
            "stefan_frost_number",
            "surface_frost_number",
        ],
        "n_factor": ["freezing_n_factor", "gisnas_freezing_n_factor", "kudryavtsev_snow_offset"],
        "parameters": ["ground_parameters"],
        "snow_conductivity": ["snow_damping", "snow_thermal_conductivity"],
        "stefan": ["Layer", "edaphic_factor", "layered_stefan_thaw_depth", "stefan_thaw_depth"],
        "ttop": ["mean_annual_ground_surface_temperature", "ttop"],
        "zonation": ["permafrost_extent", "permafrost_probability", "permafrost_zone"],
    },
)
