"""The one peer in Python: the Kudryavtsev model of permamodel, which solves another problem.

It gives the equilibrium of one year from six numbers per column, in closed form, where the transient column steps
through every day. Columns per second of the two are no match for each other; they tell what a map of either costs.
Its formula for the temperature at the top of permafrost differs from the published one (a square of pi in place of that
of the surface temperature), so that no agreement is looked for either.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import xarray as xr

_SCALARS = {
    "temperature_amplitude": 25.0,
    "snow_thickness": 0.2,
    "snow_density": 200.0,
    "soil_water_content": 0.4,
    "frozen_vegetation_height": 0.1,
    "thawed_vegetation_height": 0.1,
    "frozen_vegetation_diffusivity": 2.39e-6,
    "thawed_vegetation_diffusivity": 1.06e-6,
}
_SILT = {
    "scalar_fraction": 1.0,
    "nc_file": "",
    "bulk_density": 1400.0,
    "heat_capacity": 1300.0,
    "conductivity_thawed_dry": 1.05,
    "conductivity_frozen_dry": 1.25,
}
_CONSTANTS = {"uwc": 0.05, "snow_heat_capacity": 2090.0, "sec_per_a": 31_557_600.0, "latent_heat": 3.34e5}


def installed() -> bool:
    """Whether permamodel is there."""
    from importlib.util import find_spec

    return find_spec("permamodel") is not None


def with_permamodel(side: int) -> Callable[[], np.ndarray]:
    """A run of its vectorised model over a square of columns; returns thaw depth and temperature [2, column].

    A square, as it takes the two sides of other grids for each other.
    """
    from permamodel.components.Ku import Ku_model

    model = Ku_model()
    model.number_of_years, model.grid_shape = 1, [side, side]
    model.info = {name: {"nc_file": "", "scalar": value} for name, value in _SCALARS.items()}
    model.soils = {"silt": dict(_SILT)}
    model.constants = dict(_CONSTANTS)
    model.read_input_files()
    air = np.linspace(-15.0, -8.0, side * side).reshape(1, side, side)
    model.air_temperature = xr.DataArray(air, dims=("time", "x", "y"))
    model.construct_results()

    def run() -> np.ndarray:
        model.run_all_steps()
        names = ("active_layer_thickness", "permafrost_temperature")
        return np.array([model.results[name].ravel() for name in names])

    return run
