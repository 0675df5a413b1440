"""Thermal conductivity of snow from its density, and how much a snow cover damps the annual wave."""

from __future__ import annotations

from typing import Any

import numpy as np

from geotools.errors import UnitsError
from geotools.face import face
from geotools.guards import Array, ensure_range, one_of
from geotools.metadata import Variable

METHODS = ("sturm1997", "devaux", "yen1981", "calonne2011")
# Ice near -10 degC; Nelson and Outcalt (1987) use 2100.
SNOW_HEAT_CAPACITY = 2100.0

CONDUCTIVITY = Variable("snow_thermal_conductivity", "W m-1 K-1", "effective thermal conductivity of snow")
DAMPING = Variable("snow_damping", "1", "ratio of the annual amplitudes below and above the snow cover")


@face({"density": "kg m-3"}, CONDUCTIVITY)
def snow_thermal_conductivity(density: Any, *, method: str) -> Any:
    """Effective thermal conductivity of snow.

    The methods differ by a factor of two at the same density, which moves ground temperatures by more than
    1 K: there is no default, and a result should say which one it used.

    Parameters
    ----------
    density : float, array or xarray.DataArray [any dims; kg m-3]
        Bulk density of the snow.
    method : {"sturm1997", "devaux", "yen1981", "calonne2011"}
        ``sturm1997`` is a regression of 488 needle-probe measurements, many of them in the depth hoar of
        Alaskan taiga and tundra, the snow most like that of Yakutia; needle probes may read low.
        ``calonne2011`` is computed from images of the microstructure of mostly denser, alpine snow.

    Returns
    -------
    float, array or xarray.DataArray [same dims; W m-1 K-1]

    Raises
    ------
    UnitsError
        When a density is below 1: g cm-3.
    DataError
        When a density is above that of ice, or, for ``sturm1997``, above 600 kg m-3.
    UsageError
        When the method is not known.

    Notes
    -----
    With the density rho in kg m-3, and r in g cm-3:

    * ``sturm1997``: 0.138 - 1.01 r + 3.233 r^2 for 0.156 <= r <= 0.6, and 0.023 + 0.234 r below,
    * ``devaux``: 2.9e-6 rho^2,
    * ``yen1981``: 2.22362 r^1.885,
    * ``calonne2011``: 2.5e-6 rho^2 - 1.23e-4 rho + 0.024.

    References
    ----------
    Sturm, M., et al. (1997). J. Glaciol. 43, 26-41. doi:10.3189/S0022143000002781
    Devaux, J. (1933). Ann. Phys. 10, 5-67.
    Yen, Y.-C. (1981). CRREL Report 81-10.
    Calonne, N., et al. (2011). Geophys. Res. Lett. 38, L23501. doi:10.1029/2011GL049234

    Examples
    --------
    >>> round(snow_thermal_conductivity(200.0, method="sturm1997"), 5)
    0.06532
    >>> round(snow_thermal_conductivity(200.0, method="devaux"), 5)
    0.116
    """
    return _conductivity(density, method)


def _conductivity(density: Array, method: str) -> Array:
    one_of("method", method, METHODS)
    ensure_density("density", density)
    r = density / 1000.0
    if method == "sturm1997":
        ensure_range("density", density, 0.0, 600.0, "kg m-3", todo="use another method for firn")
        return np.where(r < 0.156, 0.023 + 0.234 * r, 0.138 - 1.01 * r + 3.233 * r**2)
    if method == "devaux":
        return np.asarray(2.9e-6 * density**2)
    if method == "yen1981":
        return np.asarray(2.22362 * r**1.885)
    return np.asarray(2.5e-6 * density**2 - 1.23e-4 * density + 0.024)


def ensure_density(name: str, density: Array) -> None:
    """Refuse snow densities in g cm-3 and above that of ice.

    Raises
    ------
    UnitsError, DataError
    """
    ensure_range(name, density, 0.0, 917.0, "kg m-3", above=True)
    if np.any(density < 1.0):
        raise UnitsError(
            f"a snow density of {float(density[density < 1.0].flat[0]):g} kg m-3",
            where=f"argument {name!r}",
            expected="kg m-3",
            todo="multiply by 1000 if the values are g cm-3",
        )


@face({"snow_depth": "m", "snow_density": "kg m-3"}, DAMPING)
def snow_damping(
    snow_depth: Any,
    *,
    snow_density: Any,
    conductivity_method: str,
    period_days: float = 365.25,
    heat_capacity: float = SNOW_HEAT_CAPACITY,
) -> Any:
    r"""Ratio of the annual temperature amplitudes below and above a snow cover.

    Parameters
    ----------
    snow_depth : float, array or xarray.DataArray [any dims; m]
        Mean depth of the winter, not the largest.
    snow_density : float, array or xarray.DataArray [any dims; kg m-3]
    conductivity_method : str
        Method of `snow_thermal_conductivity`.
    period_days : float
        Length of the year [d].
    heat_capacity : float
        Of snow [J kg-1 K-1].

    Returns
    -------
    float, array or xarray.DataArray [1]
        1 without snow.

    Raises
    ------
    DataError
        When a depth is negative, or a density is no density of snow.
    UsageError
        When the method is not known.

    Notes
    -----
    With the diffusivity a of snow and the period P,

    .. math:: A_+ / A = \exp(-Z_s \sqrt{\pi / (a P)}), \quad a = \lambda_s / (\rho_s c_s)

    This is the damping inside a deep body of snow. Below it lies ground that conducts better, so that the
    real damping is stronger.

    References
    ----------
    Nelson, F. E., & Outcalt, S. I. (1987). Arct. Alp. Res. 19, 279-288. doi:10.2307/1551363

    Examples
    --------
    >>> round(snow_damping(0.3, snow_density=250.0, conductivity_method="devaux", period_days=365), 5)
    0.85116
    """
    return damping(snow_depth, snow_density, conductivity_method, period_days, heat_capacity)


def damping(
    snow_depth: Array,
    snow_density: Array,
    conductivity_method: str,
    period_days: float,
    heat_capacity: float = SNOW_HEAT_CAPACITY,
) -> Array:
    """The core of `snow_damping`, for the cores of other modules."""
    return np.asarray(
        np.exp(-damping_depths(snow_depth, snow_density, conductivity_method, period_days, heat_capacity))
    )


def damping_depths(
    snow_depth: Array,
    snow_density: Array,
    conductivity_method: str,
    period_days: float,
    heat_capacity: float = SNOW_HEAT_CAPACITY,
) -> Array:
    """Snow depth over the depth in which the annual wave falls to 1/e."""
    ensure_range("snow_depth", snow_depth, 0.0, 50.0, "m", todo="give the depth in m")
    diffusivity = _conductivity(snow_density, conductivity_method) / (snow_density * heat_capacity)
    return np.asarray(snow_depth * np.sqrt(np.pi / (diffusivity * period_days * 86400.0)))
