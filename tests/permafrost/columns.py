"""A small column, its forcing and its snow, for the tests of the transient column."""

import numpy as np
import pandas as pd
import xarray as xr

from geotools.permafrost import SnowCover, SoilColumn, SoilLayer, simulate

DEEP = float("inf")
SNOW = SnowCover(200.0, conductivity_method="calonne2011")


def column(**changes):
    turf = SoilLayer(0.1, water=0.4, porosity=0.85, organic=1.0, name="turf")
    return SoilColumn([turf, SoilLayer(DEEP, water=0.35, porosity=0.42)], **{"depth": 15.0, **changes})


def air(start="2001-01-01", end="2003-12-31", shape=(), mean=-9.0, units="degC"):
    time = pd.date_range(start, end)
    day = time.day_of_year.to_numpy()
    noise = np.random.default_rng(1).normal(0, 3, (time.size, *shape))
    values = (mean + 24 * np.cos(2 * np.pi * (day - 200) / 365.25)).reshape(-1, *(1,) * len(shape)) + noise
    dims = ("time", "lat", "lon")[: 1 + len(shape)]
    return xr.DataArray(values, dims=dims, coords={"time": time}, attrs={"units": units}, name="tas")


def snow_like(field):
    day = field.time.dt.dayofyear
    depth = 0.3 * np.clip(np.cos(2 * np.pi * (day - 20) / 365.25), 0, None)
    return depth.drop_vars("dayofyear", errors="ignore").assign_attrs(units="m")


def run(forcing, **options):
    options = {"initial_temperature": -4.0, "depths": [0.0, 0.5, 2.0]} | options
    return simulate(column(), forcing, **options)
