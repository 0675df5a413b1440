"""Permafrost probability from ground temperature, permafrost zones, region and area."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from scipy.special import ndtr

from geotools.errors import UsageError
from geotools.face import apply_core, face
from geotools.guards import Array, ensure_celsius, ensure_range
from geotools.metadata import VARIABLES, Variable, flag_attrs
from geotools.vocabulary import Zone

# Lower limits of the probability of isolated, sporadic, discontinuous and continuous permafrost, after Brown
# et al. (1997) and Obu et al. (2019). Below 0.01 a Gaussian tail is no permafrost.
LIMITS = (0.01, 0.10, 0.50, 0.90)
ZONES = (Zone.NONE, Zone.ISOLATED, Zone.SPORADIC, Zone.DISCONTINUOUS, Zone.CONTINUOUS)
MISSING = -1

REGION_AREA = Variable(
    "permafrost_region_area", "m2", "area of the cells in any permafrost zone", cell_methods="area: sum"
)
AREA = Variable(
    "permafrost_area", "m2", "area underlain by permafrost: probability times area", cell_methods="area: sum"
)
VALID = Variable("valid_fraction", "1", "share of the area that had data")


@face({"magt": "degC", "sd": "K"}, "permafrost_probability")
def permafrost_probability(magt: Any, sd: Any) -> Any:
    r"""Probability that the ground is frozen, from its mean annual temperature and the spread of that.

    Parameters
    ----------
    magt : float, array or xarray.DataArray [any dims; degC]
        Mean annual ground temperature at the top of permafrost.
    sd : float, array or xarray.DataArray [any dims; K]
        Standard deviation of its error and of its variation within the cell.

    Returns
    -------
    float, array or xarray.DataArray [1]

    Raises
    ------
    UnitsError
        When a temperature is above 100.
    DataError
        When the standard deviation is not above 0.

    Notes
    -----
    .. math:: p = \Phi(-MAGT / \sigma)

    The mean of p over an area is the share of it underlain by permafrost.

    References
    ----------
    Obu, J., et al. (2019). Earth-Sci. Rev. 193, 299-316. doi:10.1016/j.earscirev.2019.04.023

    Examples
    --------
    >>> round(permafrost_probability(-2.0, 2.0), 6), round(permafrost_probability(-0.5, 1.5), 6)
    (0.841345, 0.630559)
    """
    ensure_celsius("magt", magt)
    ensure_range("sd", sd, 0.0, 50.0, "K", above=True, todo="give the standard deviation in K, such as 2")
    return ndtr(-magt / sd)


def permafrost_zone(probability: Any) -> Any:
    """Permafrost zone of a probability.

    Parameters
    ----------
    probability : float, array or xarray.DataArray [any dims; 1]
        Between 0 and 1, not in percent.

    Returns
    -------
    int, int8 array or xarray.DataArray [same dims]
        0 none, 1 isolated (from 0.01), 2 sporadic (from 0.10), 3 discontinuous (from 0.50), 4 continuous
        (from 0.90). A missing probability gives -1, which stands in `_FillValue` of the encoding and not
        among the `flag_values`: it is no class, and counts neither as permafrost nor as none.

    Raises
    ------
    DataError
        When a probability lies outside 0 to 1.

    References
    ----------
    Brown, J., et al. (1997). Circum-Arctic map of permafrost and ground-ice conditions. USGS Map CP-45.
    Obu, J., et al. (2019). Earth-Sci. Rev. 193, 299-316. doi:10.1016/j.earscirev.2019.04.023

    Examples
    --------
    >>> permafrost_zone(np.array([0.0, 0.01, 0.1, 0.5, 0.9, np.nan]))
    array([ 0,  1,  2,  3,  4, -1], dtype=int8)
    """
    flags = flag_attrs({code: str(zone) for code, zone in enumerate(ZONES)})
    return classified(probability, "probability", LIMITS, VARIABLES["permafrost_zone"], flags)


def classified(
    values: Any, name: str, limits: tuple[float, ...], variable: Variable, flags: dict[str, Any]
) -> Any:
    """Codes 0, 1, ... of the intervals that begin at `limits`, as int8, and -1 where a value is missing."""

    def core(values: Array) -> Array:
        ensure_range(name, values, 0.0, 1.0, "1", todo="divide percentages by 100")
        return np.where(np.isnan(values), MISSING, np.searchsorted(limits, values, side="right"))

    out = apply_core(core, {"values": values}, units={"values": "1"}, returns=variable)
    if isinstance(out, float | int):
        return int(out)
    if isinstance(out, np.ndarray):
        return out.astype("int8")
    out = out.astype("int8")
    out.attrs.update(flags)
    out.encoding["_FillValue"] = np.int8(MISSING)
    return out


class PermafrostExtent(NamedTuple):
    """Areas in the units of the cell areas, and the share of the area that had data."""

    region_area: float
    permafrost_area: float
    valid_fraction: float


def permafrost_extent(probability: Any, area: Any) -> Any:
    """Area of the permafrost region and area underlain by permafrost, which are not the same.

    Parameters
    ----------
    probability : array or xarray.DataArray [..., cells; 1]
    area : array or xarray.DataArray [cells; m2]
        Area of every cell, or of the part of it that lies in the zone.

    Returns
    -------
    PermafrostExtent or xarray.Dataset
        `region_area` is the area of the cells in any zone (probability from 0.01), `permafrost_area` the
        sum of probability times area, both over the cells with data (NaN where there is none), and
        `valid_fraction` their share of the area. The variables of the Dataset are `permafrost_region_area`,
        `permafrost_area` [m2] and `valid_fraction`, without the dimensions of `area`.

    Raises
    ------
    DataError
        When a probability lies outside 0 to 1 or an area is negative.
    UsageError
        When only one of the two is a DataArray.

    Notes
    -----
    The permafrost region of the northern hemisphere has about 21 Mkm2, of which about 14 Mkm2 are underlain
    by permafrost.

    References
    ----------
    Obu, J. (2021). J. Geophys. Res. Earth Surf. 126, e2021JF006123. doi:10.1029/2021JF006123

    Examples
    --------
    >>> permafrost_extent(np.array([0.0, 0.05, 0.95, np.nan]), np.array([1.0, 1.0, 1.0, 1.0]))
    PermafrostExtent(region_area=2.0, permafrost_area=1.0, valid_fraction=0.75)
    """
    import xarray as xr

    if isinstance(probability, xr.DataArray) != isinstance(area, xr.DataArray):
        raise UsageError(
            "only one of probability and area is a DataArray", expected="two DataArrays, or none"
        )
    if not isinstance(probability, xr.DataArray):
        p, a = np.broadcast_arrays(np.asarray(probability, "float64"), np.asarray(area, "float64"))
        parts = [v.sum() for v in _extent(p, a)]
        known = parts[2] > 0
        return PermafrostExtent(
            float(parts[0]) if known else float("nan"),
            float(parts[1]) if known else float("nan"),
            float(parts[2] / parts[3]) if parts[3] > 0 else float("nan"),
        )
    names = [REGION_AREA, AREA, Variable("valid_area", "m2", ""), Variable("all_area", "m2", "")]
    fields = apply_core(
        _extent,
        {"probability": probability, "area": area},
        units={"probability": "1", "area": "m2"},
        returns=names,
    )
    sums = fields.sum(area.dims, skipna=False)
    known = sums["valid_area"] > 0
    out = xr.Dataset(
        {
            REGION_AREA.name: sums[REGION_AREA.name].where(known),
            AREA.name: sums[AREA.name].where(known),
            VALID.name: sums["valid_area"] / sums["all_area"].where(sums["all_area"] > 0),
        }
    )
    for variable in (REGION_AREA, AREA, VALID):
        out[variable.name].attrs = variable.attrs()
    return out


def _extent(probability: Array, area: Array) -> tuple[Array, Array, Array, Array]:
    """Area in the region, underlain, with data, and all, of every cell."""
    ensure_range("probability", probability, 0.0, 1.0, "1", todo="divide percentages by 100")
    ensure_range("area", area, 0.0, np.inf, "m2")
    valid = ~np.isnan(probability)
    p = np.where(valid, probability, 0.0)
    return area * (p >= LIMITS[0]), area * p, area * valid, area * np.ones_like(p)
