"""Snow of a mean year from monthly temperature and precipitation: the monthly degree-day snow model."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np

from geotools.climate.calendar import MEAN_YEAR, by_month
from geotools.climate.degree_days import expected_excess
from geotools.errors import UsageError
from geotools.face import apply_core
from geotools.guards import Array, ensure_celsius, ensure_range
from geotools.metadata import VARIABLES

# The defaults, each with where it comes from; `snow_from_monthly` takes every one as a keyword.
MELT_FACTOR = 3.0
MELT_FACTOR_SOURCE = (
    "kg m-2 K-1 d-1, between 2.4 (forest) and 3.5 (open ground) of 12 Finnish snow stake stations, Kuusisto "
    "(1980), Nordic Hydrology 11, 235-242; the method is reviewed by Hock (2003), "
    "doi:10.1016/S0022-1694(03)00257-9"
)
REFREEZING_COEFFICIENT = 0.05
REFREEZING_COEFFICIENT_SOURCE = (
    "refreezing per negative degree-day over melt per degree-day, the customary value of the HBV model, as "
    "described by Girons Lopez et al. (2020), doi:10.5194/hess-24-4441-2020"
)
SNOW_DENSITY = 194.0
SNOW_DENSITY_SOURCE = (
    "kg m-3, mean of the former USSR, 194 +- 46, taiga snow being the lightest: Zhong et al. (2014), "
    "doi:10.5194/tc-8-785-2014"
)
SUBLIMATION_FRACTION = 0.08
SUBLIMATION_FRACTION_SOURCE = (
    "share of the snow, 8 % of the ablation of April and May 2002 in larch forest and in the open, in the "
    "headwaters of Lena and Amur ('Snow ablation in an open field and larch forest of the southern "
    "mountainous region of eastern Siberia'); more where it is windy: 20 to 22 % of the snowfall in "
    "Mongolia, Zhang et al. (2008), doi:10.1002/hyp.6960, and 40 % in the tundra near Tiksi, Hirashima et "
    "al. (2004), J. Hydrometeorol. 5, 373-389"
)
ALL_SNOW_BELOW, ALL_RAIN_ABOVE = 0.0, 2.0
PHASE_SOURCE = "degC; default, literature range -1 to 4"

_RETURNS = (
    VARIABLES["snd"],
    VARIABLES["snw"],
    dataclasses.replace(
        VARIABLES["snow_depth_winter_mean"],
        long_name="mean snow depth of the months with a mean air temperature below 0 degC",
        cell_methods="area: mean time: mean",
    ),
    VARIABLES["snow_depth_max"],
)


def snow_from_monthly(
    tas: Any,
    pr: Any,
    *,
    submonthly_sd: Any = 4.0,
    melt_factor: Any = MELT_FACTOR,
    refreezing_coefficient: Any = REFREEZING_COEFFICIENT,
    snow_density: Any = SNOW_DENSITY,
    sublimation_fraction: Any = SUBLIMATION_FRACTION,
    all_snow_below: float = ALL_SNOW_BELOW,
    all_rain_above: float = ALL_RAIN_ABOVE,
    days_in_month: Any = None,
    dim: str = "time",
) -> Any:
    r"""Snow depth and snow water equivalent of a mean year, by the monthly degree-day snow model.

    Parameters
    ----------
    tas : float array or xarray.DataArray [..., month; degC]
        Monthly mean air temperature of twelve months in a row. The months are the last axis of a NumPy array.
    pr : float array or xarray.DataArray [..., month; kg m-2 d-1]
        Monthly mean precipitation.
    submonthly_sd : float or xarray.DataArray [K]
        Standard deviation of daily temperatures within a month, as in `degree_days`.
    melt_factor : float or xarray.DataArray [kg m-2 K-1 d-1]
        Melt per degree-day above 0 degC; `MELT_FACTOR_SOURCE`.
    refreezing_coefficient : float or xarray.DataArray [1]
        Refreezing per degree-day below 0 degC, as a share of `melt_factor`;
        `REFREEZING_COEFFICIENT_SOURCE`. Without it the warm days of a cold October would melt the new snow.
    snow_density : float or xarray.DataArray [kg m-3]
        Bulk density of the snow cover, the same all winter; `SNOW_DENSITY_SOURCE`.
    sublimation_fraction : float or xarray.DataArray [1]
        Share of the snowfall that sublimates; `SUBLIMATION_FRACTION_SOURCE`.
    all_snow_below, all_rain_above : float [degC]
        Daily temperatures between which the share of snow falls linearly from 1 to 0; `PHASE_SOURCE`.
    days_in_month : sequence of float, optional
        Lengths of the months [d], as in `degree_days`.
    dim : str
        The dimension of the months of DataArrays.

    Returns
    -------
    (snd, snw, snow_depth_winter_mean, snow_depth_max) or xarray.Dataset
        `snd` [..., month; m] and `snw` [..., month; kg m-2] are means of the months, `snow_depth_winter_mean`
        [...; m] is the mean, weighted with time, of the months with a mean temperature below 0 degC (0 where
        there is none), and `snow_depth_max` [...; m] is the largest monthly mean.

    Raises
    ------
    UnitsError
        When a temperature is above 100.
    DataError
        When precipitation is negative, or a parameter is out of its range.
    UsageError
        When the input is not one mean year.

    Notes
    -----
    Daily temperatures are normal about the monthly mean T with standard deviation s. With ``E(x) = x
    Phi(x/s) + s phi(x/s)`` the expected excess above 0, the snowfall of a month at the precipitation rate
    P, and its melt, are the rates

    .. math:: F = P (1 - f_{sub}) \frac{E(T_r - T) - E(T_s - T)}{T_r - T_s}, \quad
              M = d \max(E(T) - c E(-T), 0)

    Within a month the rates are constant, and the snow water equivalent is ``max(S0 + (F - M) t, 0)``; the
    monthly mean is its exact integral. The year is run twice from bare ground, and the second is the result,
    which is the equilibrium wherever snow melts at some time of the year. Where it does not (glaciers), there
    is no equilibrium, and the numbers are those of the second year. Wind does not move the snow, and its
    density does not grow with age.

    References
    ----------
    Hock, R. (2003). J. Hydrol. 282, 104-115. doi:10.1016/S0022-1694(03)00257-9
    Girons Lopez, M., et al. (2020). Hydrol. Earth Syst. Sci. 24, 4441-4461. doi:10.5194/hess-24-4441-2020
    Zhong, X., et al. (2014). The Cryosphere 8, 785-799. doi:10.5194/tc-8-785-2014
    Zhang, Y., et al. (2008). Hydrol. Process. 22. doi:10.1002/hyp.6960

    Examples
    --------
    >>> tas = [-37.2, -33.0, -19.2, -4.5, 7.8, 16.5, 19.3, 15.1, 6.1, -7.5, -27.2, -36.9]
    >>> pr = [0.3, 0.3, 0.2, 0.3, 0.6, 1.0, 1.3, 1.2, 1.0, 0.6, 0.6, 0.3]
    >>> snd, snw, winter, largest = snow_from_monthly(tas, pr)
    >>> round(winter, 2), round(largest, 2)
    (0.22, 0.34)
    """
    import xarray as xr

    arrays: dict[str, Any] = {
        "melt_factor": melt_factor,
        "refreezing_coefficient": refreezing_coefficient,
        "snow_density": snow_density,
        "sublimation_fraction": sublimation_fraction,
        "submonthly_sd": submonthly_sd,
    }
    coordinate = None
    if isinstance(tas, xr.DataArray) != isinstance(pr, xr.DataArray):
        raise UsageError("only one of tas and pr is a DataArray", expected="two DataArrays, or two arrays")
    if isinstance(tas, xr.DataArray):
        for name, field in (("tas", tas), ("pr", pr)):
            if field.sizes.get(dim) != 12:
                raise UsageError(
                    f"{field.sizes.get(dim, 0)} months along {dim!r}",
                    where=f"argument {name!r}",
                    expected="the twelve months of a mean year",
                    todo=f"average first: field.groupby('{dim}.month').mean()",
                )
        coordinate = tas.coords.get(dim)
        arrays["tas"], arrays["days"] = by_month(tas, dim=dim, days=days_in_month)
        arrays["pr"], _ = by_month(pr, dim=dim)
        _ensure_same_months(coordinate, pr.coords.get(dim))
    else:
        arrays["tas"], arrays["pr"] = np.asarray(tas, dtype="float64"), np.asarray(pr, dtype="float64")
        arrays["days"] = np.asarray(MEAN_YEAR if days_in_month is None else days_in_month, dtype="float64")
        if any(arrays[n].shape[-1:] != (12,) for n in ("tas", "pr", "days")):
            raise UsageError(
                f"arrays of shape {arrays['tas'].shape} and {arrays['pr'].shape}",
                where="arguments 'tas' and 'pr'",
                expected="the twelve months of a mean year on the last axis",
            )
    if not all_rain_above > all_snow_below:
        raise UsageError("all_rain_above is not above all_snow_below", expected="two different temperatures")
    out = apply_core(
        _snow,
        arrays,
        units={
            "tas": "degC",
            "pr": "kg m-2 d-1",
            "days": "d",
            "submonthly_sd": "K",
            "melt_factor": "kg m-2 K-1 d-1",
            "refreezing_coefficient": "1",
            "snow_density": "kg m-3",
            "sublimation_fraction": "1",
        },
        returns=_RETURNS,
        options={"all_snow_below": all_snow_below, "all_rain_above": all_rain_above},
        core_dim="month",
        along=("tas", "pr", "days"),
        keeps=("snd", "snw"),
    )
    if not isinstance(out, xr.Dataset):
        return out
    out = out.rename({"month": dim}) if dim != "month" else out
    return out if coordinate is None else out.assign_coords({dim: coordinate})


def _ensure_same_months(a: Any, b: Any) -> None:
    if a is not None and b is not None and not np.array_equal(a.values, b.values):
        raise UsageError(
            "tas and pr have different months",
            expected="the same coordinate",
            todo="select the same twelve months of both",
        )


def _snow(
    tas: Array,
    pr: Array,
    days: Array,
    submonthly_sd: Array,
    melt_factor: Array,
    refreezing_coefficient: Array,
    snow_density: Array,
    sublimation_fraction: Array,
    all_snow_below: float,
    all_rain_above: float,
) -> tuple[Array, Array, Array, Array]:
    """Two arrays [..., 12] and two [...] from tas, pr, days [..., 12] and the others [...]."""
    ensure_celsius("tas", tas)
    ensure_range("pr", pr, 0.0, 500.0, "kg m-2 d-1", todo="check the units and mask the fill value")
    ensure_range("submonthly_sd", submonthly_sd, 0.0, 30.0, "K")
    ensure_range("melt_factor", melt_factor, 0.0, 30.0, "kg m-2 K-1 d-1", above=True)
    ensure_range("refreezing_coefficient", refreezing_coefficient, 0.0, 1.0, "1")
    ensure_range("snow_density", snow_density, 20.0, 917.0, "kg m-3", todo="give kg m-3, not g cm-3")
    ensure_range("sublimation_fraction", sublimation_fraction, 0.0, 1.0, "1")
    sd = submonthly_sd[..., None]
    warmth, cold = expected_excess(tas, sd)
    snow_share = (
        expected_excess(all_rain_above - tas, sd)[0] - expected_excess(all_snow_below - tas, sd)[0]
    ) / (all_rain_above - all_snow_below)
    gain = pr * snow_share * (1.0 - sublimation_fraction[..., None])
    rate = gain - melt_factor[..., None] * np.maximum(warmth - refreezing_coefficient[..., None] * cold, 0.0)
    rate, lengths = np.broadcast_arrays(rate, days)
    snw = np.empty(rate.shape)
    store = np.zeros(rate.shape[:-1])
    for month in [*range(12), *range(12)]:
        n, r = lengths[..., month], rate[..., month]
        after = np.maximum(store + r * n, 0.0)
        # Days until the snow is gone; only used where it goes within the month.
        duration = np.where(store + r * n >= 0.0, n, store / np.maximum(-r, 1e-12))
        snw[..., month] = 0.5 * (store + after) * duration / n
        store = after
    snd = snw / snow_density[..., None]
    frozen = np.where(tas < 0.0, days, 0.0)
    total = frozen.sum(axis=-1)
    winter = (snd * frozen).sum(axis=-1) / np.where(total > 0.0, total, 1.0)
    return snd, snw, winter, snd.max(axis=-1)
