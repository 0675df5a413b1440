"""Heat capacity of ground from its composition."""

from __future__ import annotations

from typing import Any

import numpy as np

from geotools.face import face
from geotools.guards import ensure_range
from geotools.metadata import Variable

_CAPACITIES = (
    Variable("thawed_heat_capacity", "J m-3 K-1", "volumetric heat capacity of thawed ground"),
    Variable("frozen_heat_capacity", "J m-3 K-1", "volumetric heat capacity of frozen ground"),
)


@face({"water_fraction": "1", "porosity": "1", "organic_fraction": "1"}, _CAPACITIES)
def ground_heat_capacity(water_fraction: Any, porosity: Any, organic_fraction: Any = 0.0) -> Any:
    r"""Volumetric heat capacity of thawed and frozen ground from its composition.

    Parameters
    ----------
    water_fraction : float, array or xarray.DataArray [any dims; 1]
        Volume of water over that of the ground, counted as liquid.
    porosity : float, array or xarray.DataArray [any dims; 1]
    organic_fraction : float, array or xarray.DataArray [any dims; 1]
        Share of the solids, by volume.

    Returns
    -------
    (thawed, frozen) or xarray.Dataset [any dims; J m-3 K-1]

    Raises
    ------
    DataError
        When a fraction lies outside 0 to 1, or there is more water than pores.

    Notes
    -----
    .. math:: C_t = C_s (1 - \phi) + 4.19 \cdot 10^6\, \theta, \quad
              C_f = C_s (1 - \phi) + 1.93 \cdot 10^6\, \theta

    with 2.1e6 (mineral) and 2.5e6 J m-3 K-1 (organic) for the solids, as in the transient column. The heat capacity of
    water is that of a volume: the density is in it.

    References
    ----------
    de Vries, D. A. (1963). Thermal properties of soils. In: Physics of Plant Environment, North-Holland.

    Examples
    --------
    >>> thawed, frozen = ground_heat_capacity(0.4, 0.45)
    >>> round(thawed), round(frozen)
    (2831000, 1927000)
    """
    # Here, because that module brings the compiler of the column with it.
    from geotools.permafrost.soil_properties import (
        ICE_CAPACITY,
        MINERAL_CAPACITY,
        ORGANIC_CAPACITY,
        WATER_CAPACITY,
    )

    organic = np.asarray(organic_fraction)
    for name, value in (
        ("water_fraction", water_fraction),
        ("porosity", porosity),
        ("organic_fraction", organic),
    ):
        ensure_range(name, value, 0.0, 1.0, "1", todo="divide per cent by 100")
    ensure_range(
        "water_fraction",
        water_fraction - porosity,
        -np.inf,
        1e-9,
        "1 above the porosity",
        todo="give a porosity that holds the water",
    )
    solids = (1.0 - porosity) * ((1.0 - organic) * MINERAL_CAPACITY + organic * ORGANIC_CAPACITY)
    return solids + WATER_CAPACITY * water_fraction, solids + ICE_CAPACITY * water_fraction
