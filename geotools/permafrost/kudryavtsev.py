"""Ground temperature and active layer after Kudryavtsev: snow, vegetation and ground damp the annual wave in turn."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr

from geotools.climate.degree_days import ensure_amplitude, sinusoid_excess
from geotools.errors import UsageError
from geotools.face import apply_core
from geotools.guards import Array, ensure_celsius, ensure_range
from geotools.metadata import VARIABLES, Variable
from geotools.permafrost.annual_penetration import penetration
from geotools.permafrost.n_factor import SNOW_OFFSET
from geotools.permafrost.offsets import THERMAL_OFFSET
from geotools.permafrost.snow_conductivity import SNOW_HEAT_CAPACITY, damping
from geotools.permafrost.stefan import LATENT_HEAT

_UNITS = {
    "maat": "degC",
    "amplitude": "K",
    "snow_depth": "m",
    "snow_density": "kg m-3",
    "melted_water_fraction": "1",
    "thawed_conductivity": "W m-1 K-1",
    "frozen_conductivity": "W m-1 K-1",
    "thawed_heat_capacity": "J m-3 K-1",
    "frozen_heat_capacity": "J m-3 K-1",
    "vegetation_height_winter": "m",
    "vegetation_height_summer": "m",
    "vegetation_diffusivity_winter": "m2 s-1",
    "vegetation_diffusivity_summer": "m2 s-1",
}
RETURNS = (
    VARIABLES["magt"],
    VARIABLES["active_layer_thickness"],
    Variable("seasonal_frost_depth", "m", "depth of annual freezing where there is no permafrost"),
    VARIABLES["mean_annual_ground_surface_temperature"],
    Variable("ground_surface_amplitude", "K", "half the annual range of temperature at the ground surface"),
    SNOW_OFFSET,
    Variable("vegetation_offset", "K", "warming of the mean annual ground-surface temperature by vegetation"),
    THERMAL_OFFSET,
)


def kudryavtsev(
    maat: Any,
    amplitude: Any,
    snow_depth: Any,
    *,
    snow_density: Any,
    conductivity_method: str,
    melted_water_fraction: Any,
    thawed_conductivity: Any,
    frozen_conductivity: Any,
    thawed_heat_capacity: Any,
    frozen_heat_capacity: Any,
    vegetation_height_winter: Any = 0.0,
    vegetation_height_summer: Any = 0.0,
    vegetation_diffusivity_winter: Any = None,
    vegetation_diffusivity_summer: Any = None,
    period_days: float = 365.25,
    snow_heat_capacity: float = SNOW_HEAT_CAPACITY,
) -> Any:
    r"""Temperature at the permafrost table and active-layer thickness in balance with a mean year.

    Parameters
    ----------
    maat : float, array or xarray.DataArray [any dims; degC]
        Mean annual air temperature.
    amplitude : float, array or xarray.DataArray [any dims; K]
        Half the annual range of the air temperature.
    snow_depth : float, array or xarray.DataArray [any dims; m]
        Mean depth of the winter, not the largest.
    snow_density : float, array or xarray.DataArray [any dims; kg m-3]
    conductivity_method : str
        Method of `snow_thermal_conductivity`. There is no default, because the methods differ by a factor of two;
        the attributes of a Dataset name the one used.
    melted_water_fraction : float, array or xarray.DataArray [any dims; 1]
        Volume of water that freezes and melts over that of the ground. 0 for dry rock.
    thawed_conductivity, frozen_conductivity : float, array or xarray.DataArray [any dims; W m-1 K-1]
    thawed_heat_capacity, frozen_heat_capacity : float, array or xarray.DataArray [any dims; J m-3 K-1]
        Per volume of ground, water included; `ground_heat_capacity` gives them.
    vegetation_height_winter, vegetation_height_summer : float, array or xarray.DataArray [any dims; m]
        Of moss and low plants, in the frozen and in the thawed season.
    vegetation_diffusivity_winter, vegetation_diffusivity_summer : float, array or xarray.DataArray [any dims; m2 s-1]
        Needed where there is vegetation.
    period_days : float
        Length of the year [d].
    snow_heat_capacity : float
        Of snow [J kg-1 K-1].

    Returns
    -------
    named tuple or xarray.Dataset [any dims]
        `magt` [degC] at the permafrost table, or at the base of seasonal frost; `active_layer_thickness` [m], NaN
        without permafrost; `seasonal_frost_depth` [m], NaN with it; `mean_annual_ground_surface_temperature`
        [degC], `ground_surface_amplitude`, `snow_offset`, `vegetation_offset` and `thermal_offset` [K].

    Raises
    ------
    UnitsError
        When a temperature is above 100, or a snow density below 1.
    DataError
        When an amplitude, depth, density or property of the ground cannot be one.
    UsageError
        When the method is not known, or vegetation has no diffusivity.

    Notes
    -----
    Snow and vegetation warm or cool the mean T and damp the amplitude A of the annual sinusoid. With T and A at
    the ground surface, the temperature at the permafrost table is the mean of k(T) T over the year,

    .. math::

        T_{ps} = \frac{1}{k} \left[ \frac{T (k_f + k_t)}{2} + \frac{A (k_t - k_f)}{\pi}
                 \left( \frac{T}{A} \arcsin\frac{T}{A} + \sqrt{1 - \frac{T^2}{A^2}} \right) \right]

    divided by k_f where it is at most 0 (permafrost), and by k_t otherwise. It is `ttop` with the degree-days of
    that sinusoid and n-factors of 1. Where the mean is farther from 0 than the amplitude, the ground is frozen or
    thawed all year: T_ps = T, and nothing thaws or freezes.

    The depth of thaw is that of Kudryavtsev's formula with thawed properties, that of seasonal frost with frozen
    ones. Without water it is where the wave has shrunk to T_ps, exactly. With water it is smaller than that of the
    transient column (`simulate`), by 2 to 28 %, most in wet ground with a small amplitude; T_ps agrees within 0.1 K.

    References
    ----------
    Anisimov, O. A., et al. (1997). Glob. Planet. Change 15, 61-77. doi:10.1016/S0921-8181(97)00009-X
    Romanovsky, V. E., & Osterkamp, T. E. (1997). Permafrost Periglac. Process. 8, 1-22.
    Sazonova, T. S., & Romanovsky, V. E. (2003). Permafrost Periglac. Process. 14. doi:10.1002/ppp.449

    Examples
    --------
    >>> silt = {"melted_water_fraction": 0.4, "thawed_conductivity": 1.0, "frozen_conductivity": 1.8}
    >>> capacities = {"thawed_heat_capacity": 2.6e6, "frozen_heat_capacity": 2.0e6}
    >>> snow = {"snow_density": 250.0, "conductivity_method": "sturm1997", "snow_heat_capacity": 2090.0}
    >>> out = kudryavtsev(-10.0, 20.0, 0.2, **snow, **silt, **capacities)
    >>> round(out.magt, 4), round(out.active_layer_thickness, 4)
    (-8.3289, 0.7642)
    """
    given = {
        "maat": maat,
        "amplitude": amplitude,
        "snow_depth": snow_depth,
        "snow_density": snow_density,
        "melted_water_fraction": melted_water_fraction,
        "thawed_conductivity": thawed_conductivity,
        "frozen_conductivity": frozen_conductivity,
        "thawed_heat_capacity": thawed_heat_capacity,
        "frozen_heat_capacity": frozen_heat_capacity,
        "vegetation_height_winter": vegetation_height_winter,
        "vegetation_height_summer": vegetation_height_summer,
        "vegetation_diffusivity_winter": vegetation_diffusivity_winter,
        "vegetation_diffusivity_summer": vegetation_diffusivity_summer,
    }
    out = apply_core(
        _kudryavtsev,
        {name: value for name, value in given.items() if value is not None},
        units=_UNITS,
        returns=RETURNS,
        options={
            "conductivity_method": conductivity_method,
            "period_days": period_days,
            "snow_heat_capacity": snow_heat_capacity,
        },
    )
    if isinstance(out, xr.Dataset):
        for name in ("magt", "active_layer_thickness", "seasonal_frost_depth", "snow_offset"):
            out[name].attrs["snow_conductivity_method"] = conductivity_method
        out.attrs["snow_conductivity_method"] = conductivity_method
    return out


def _kudryavtsev(
    maat: Array,
    amplitude: Array,
    snow_depth: Array,
    snow_density: Array,
    melted_water_fraction: Array,
    thawed_conductivity: Array,
    frozen_conductivity: Array,
    thawed_heat_capacity: Array,
    frozen_heat_capacity: Array,
    vegetation_height_winter: Array,
    vegetation_height_summer: Array,
    conductivity_method: str,
    period_days: float,
    snow_heat_capacity: float,
    vegetation_diffusivity_winter: Array | None = None,
    vegetation_diffusivity_summer: Array | None = None,
) -> tuple[Array, ...]:
    ensure_celsius("maat", maat)
    ensure_amplitude("amplitude", amplitude)
    ensure_range("melted_water_fraction", melted_water_fraction, 0.0, 1.0, "1", todo="divide per cent by 100")
    for name, value in (("thawed", thawed_conductivity), ("frozen", frozen_conductivity)):
        ensure_range(f"{name}_conductivity", value, 0.0, 20.0, "W m-1 K-1", above=True)
    for name, value in (("thawed", thawed_heat_capacity), ("frozen", frozen_heat_capacity)):
        ensure_range(
            f"{name}_heat_capacity",
            value,
            1e5,
            1e7,
            "J m-3 K-1",
            todo="give the heat capacity per volume: that per mass times the density",
        )
    ratio = damping(snow_depth, snow_density, conductivity_method, period_days, snow_heat_capacity)
    snow_offset = amplitude * (1.0 - ratio)
    mean, swing = maat + snow_offset, amplitude - 2.0 / np.pi * snow_offset
    winter = _winter_share(maat, amplitude)
    through_winter = _transmitted(
        "winter", vegetation_height_winter, vegetation_diffusivity_winter, winter * period_days
    )
    through_summer = _transmitted(
        "summer", vegetation_height_summer, vegetation_diffusivity_summer, (1.0 - winter) * period_days
    )
    # A season that the snow leaves no part of has no amplitude to damp.
    less_winter = np.maximum(swing - mean, 0.0) * (1.0 - through_winter) * winter
    less_summer = np.maximum(swing + mean, 0.0) * (1.0 - through_summer) * (1.0 - winter)
    vegetation_offset = 2.0 / np.pi * (less_winter - less_summer)
    mean, swing = mean + vegetation_offset, np.maximum(swing - less_winter - less_summer, 0.0)

    above, below = sinusoid_excess(mean, swing)
    balance = thawed_conductivity * above - frozen_conductivity * below
    frozen = balance <= 0.0
    magt = balance / np.where(frozen, frozen_conductivity, thawed_conductivity)
    depth, _, _ = penetration(
        swing,
        magt,
        np.where(frozen, thawed_conductivity, frozen_conductivity),
        np.where(frozen, thawed_heat_capacity, frozen_heat_capacity),
        LATENT_HEAT * melted_water_fraction,
        period_days,
    )
    known = ~np.isnan(balance)
    return np.broadcast_arrays(
        magt,
        np.where(frozen & known, depth, np.nan),
        np.where(~frozen & known, depth, np.nan),
        mean,
        swing,
        snow_offset,
        vegetation_offset,
        magt - mean,
    )


def _winter_share(mean: Array, amplitude: Array) -> Array:
    """Share of the year in which a sinusoid is below 0."""
    bounded = np.maximum(amplitude, np.abs(mean))
    return np.asarray(0.5 - np.arcsin(mean / np.where(bounded > 0.0, bounded, 1.0)) / np.pi)


def _transmitted(season: str, height: Array, diffusivity: Array | None, days: Array) -> Array:
    """Ratio of the amplitudes below and above a plant cover over a season of so many days."""
    ensure_range(f"vegetation_height_{season}", height, 0.0, 10.0, "m", todo="give the height in m")
    if diffusivity is None:
        if np.any(height > 0.0):
            raise UsageError(
                "vegetation without its thermal diffusivity",
                where=f"argument 'vegetation_diffusivity_{season}'",
                expected="a value in m2 s-1, such as 1e-7 for living moss",
            )
        return np.asarray(1.0 + 0.0 * height)
    ensure_range(f"vegetation_diffusivity_{season}", diffusivity, 0.0, 1e-4, "m2 s-1", above=True)
    with np.errstate(divide="ignore", invalid="ignore"):
        # A season of no days damps all of nothing; no plants damp nothing even then.
        exponent = height * np.sqrt(np.pi / (2.0 * diffusivity * days * 86400.0))
    return np.asarray(np.exp(-np.where(height == 0.0, 0.0, exponent)))
