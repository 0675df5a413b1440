"""TTOP as the distribution within a cell: snow, n-factors and conductivity ratios that vary, in an ensemble."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import xarray as xr
from scipy.special import ndtri

from geotools.errors import UsageError
from geotools.face import apply_core
from geotools.guards import Array, ensure_degree_days, ensure_range, one_of
from geotools.metadata import VARIABLES, Variable
from geotools.permafrost.n_factor import METHODS, damped_n_factor, gisnas_regression
from geotools.permafrost.snow_conductivity import damping_depths
from geotools.permafrost.ttop import top_temperature
from geotools.permafrost.zonation import permafrost_zone

MAGT_SD = Variable(
    "magt_sd",
    "K",
    "standard deviation within the cell of the mean annual ground temperature at the top of permafrost",
)
_DAMPED = ("freezing_degree_days", "warmest_month", "coldest_month", "snow_depth", "snow_density")
# What each way to the freezing n-factor needs.
NEEDS = {
    "by_snow_class": (*_DAMPED, "snow_depth_max", "tundra_share"),
    "gisnas": ("snow_depth_max",),
    **dict.fromkeys(METHODS, _DAMPED),
}
_UNITS = {
    "freezing_degree_days": "K d",
    "thawing_degree_days": "K d",
    "n_thawing": "1",
    "n_thawing_sd": "1",
    "conductivity_ratio": "1",
    "conductivity_ratio_sd": "1",
    "snow_depth_cv": "1",
    "snow_depth": "m",
    "snow_depth_max": "m",
    "snow_density": "kg m-3",
    "warmest_month": "degC",
    "coldest_month": "degC",
    "tundra_share": "1",
}
_LOWEST_RATIO = 0.05
_SHUFFLES = 200


class TtopEnsemble(NamedTuple):
    """What `ttop_ensemble` gives for numbers and NumPy arrays."""

    magt: Any
    magt_sd: Any
    permafrost_probability: Any
    permafrost_zone: Any


def ttop_ensemble(
    freezing_degree_days: Any,
    thawing_degree_days: Any,
    *,
    n_thawing: Any,
    conductivity_ratio: Any,
    snow_depth_cv: Any,
    n_thawing_sd: Any = 0.0,
    conductivity_ratio_sd: Any = 0.0,
    snow_depth: Any = None,
    snow_depth_max: Any = None,
    snow_density: Any = None,
    warmest_month: Any = None,
    coldest_month: Any = None,
    tundra_share: Any = None,
    n_factor_method: str = "by_snow_class",
    conductivity_method: str = "sturm1997",
    members: int = 200,
    seed: int = 0,
    period_days: float = 365.25,
) -> Any:
    r"""Temperature at the top of permafrost over the snow, surfaces and soils of a cell, and how much of it is frozen.

    Parameters
    ----------
    freezing_degree_days, thawing_degree_days : float, array or xarray.DataArray [any dims; K d]
        Of the air, both positive.
    n_thawing, conductivity_ratio : float, array or xarray.DataArray [any dims; 1]
        Means within the cell; `ensemble_parameters` gives them and their spread by land cover.
    snow_depth_cv : float, array or xarray.DataArray [any dims; 1]
        Coefficient of variation of snow depth within the cell.
    n_thawing_sd, conductivity_ratio_sd : float, array or xarray.DataArray [any dims; 1]
        Standard deviations within the cell.
    snow_depth, snow_depth_max : float, array or xarray.DataArray [any dims; m]
        Mean depth of the winter, and its largest monthly mean, as means over the cell.
    snow_density : float, array or xarray.DataArray [any dims; kg m-3]
    warmest_month, coldest_month : float, array or xarray.DataArray [any dims; degC]
    tundra_share : float, array or xarray.DataArray [any dims; 1]
        From `geotools.climate.tundra_snow_share`.
    n_factor_method : {"by_snow_class", "gisnas", "kudryavtsev", "nelson_outcalt"}
        As in `equilibrium_permafrost`. ``gisnas`` needs `snow_depth_max`, the last two need `snow_depth`,
        `snow_density` and the two months, and the first needs all of them and `tundra_share`.
    conductivity_method : str
        Method of `snow_thermal_conductivity`; the attributes of a Dataset name the one used.
    members : int
        Realisations.
    seed : int
        Decides which values of the three quantities meet in a member.
    period_days : float
        Length of the year [d].

    Returns
    -------
    TtopEnsemble or xarray.Dataset [any dims]
        `magt` [degC], the mean of the members; `magt_sd` [K], their standard deviation; `permafrost_probability`
        [1], the share of members below 0 degC; and `permafrost_zone` of that probability.

    Raises
    ------
    UsageError
        When an option is not known, there are fewer than 2 members, or what the n-factor needs is not given.
    DataError
        When degree-days, factors or spreads are negative, or a property of snow or ground cannot be one.

    Notes
    -----
    Snow depth is log-normal with the mean of the cell and ``snow_depth_cv``; the thawing n-factor and the conductivity
    ratio are normal, cut off at 0, and at 0.05 and 1. They vary independently. Every quantity takes the midpoint
    quantiles of `members` equally likely strata, scaled to the exact standard deviation and, for snow, to the exact
    mean, in an order that the seed shuffles (Latin hypercube). All cells share these members, so that a result depends
    on nothing but the seed and the numbers of its own cell: not on chunks, the order of the cells, or what lies around
    them, and equal cells are equal. The members are a rule to integrate over the inside of a cell; they are no maps,
    and say nothing of how cells vary together.

    With no spread the result is `ttop`, and the probability is 0 or 1. The spread is that within the cell. The error
    of the climate and of the model (about 2 K against boreholes) is not in it: to join both, take
    ``permafrost_probability(magt, sqrt(magt_sd**2 + 2**2))``.

    References
    ----------
    Obu, J., et al. (2019). Earth-Sci. Rev. 193, 299-316. doi:10.1016/j.earscirev.2019.04.023
    Westermann, S., et al. (2015). The Cryosphere 9, 1303-1319. doi:10.5194/tc-9-1303-2015
    McKay, M. D., Beckman, R. J., & Conover, W. J. (1979). Technometrics 21, 239-245.

    Examples
    --------
    >>> out = ttop_ensemble(3500.0, 1600.0, n_thawing=0.9, n_thawing_sd=0.1, conductivity_ratio=0.8,
    ...                     snow_depth_cv=0.5, snow_depth_max=0.4, n_factor_method="gisnas")
    >>> round(out.magt, 1), round(out.magt_sd, 1), round(out.permafrost_probability, 2), out.permafrost_zone
    (-0.9, 0.9, 0.89, 3)
    """
    one_of("n_factor_method", n_factor_method, tuple(NEEDS))
    if not isinstance(members, int | np.integer) or members < 2:
        raise UsageError(f"{members!r} members", where="option 'members'", expected="at least 2, such as 200")
    if not isinstance(seed, int | np.integer) or seed < 0:
        raise UsageError(f"{seed!r} is no seed", where="option 'seed'", expected="a whole number from 0 on")
    needed = {
        "freezing_degree_days": freezing_degree_days,
        "snow_depth": snow_depth,
        "snow_depth_max": snow_depth_max,
        "snow_density": snow_density,
        "warmest_month": warmest_month,
        "coldest_month": coldest_month,
        "tundra_share": tundra_share,
    }
    lacking = [name for name in NEEDS[n_factor_method] if needed[name] is None]
    if lacking:
        raise UsageError(
            f"{' and '.join(lacking)} not given",
            where=f"n-factor {n_factor_method!r}",
            expected=", ".join(NEEDS[n_factor_method]),
            todo="give them, or choose another n_factor_method",
        )
    arrays = {
        "freezing_degree_days": freezing_degree_days,
        "thawing_degree_days": thawing_degree_days,
        "n_thawing": n_thawing,
        "n_thawing_sd": n_thawing_sd,
        "conductivity_ratio": conductivity_ratio,
        "conductivity_ratio_sd": conductivity_ratio_sd,
        "snow_depth_cv": snow_depth_cv,
        **{name: needed[name] for name in NEEDS[n_factor_method]},
    }
    out = apply_core(
        _ensemble,
        arrays,
        units=_UNITS,
        returns=(VARIABLES["magt"], MAGT_SD, VARIABLES["permafrost_probability"]),
        options={
            "n_factor_method": n_factor_method,
            "conductivity_method": conductivity_method,
            "deviates": standard_deviates(members, seed),
            "period_days": period_days,
        },
    )
    if not isinstance(out, xr.Dataset):
        magt, sd, probability = out
        return TtopEnsemble(magt, sd, probability, permafrost_zone(probability))
    out["permafrost_zone"] = permafrost_zone(out["permafrost_probability"])
    out.attrs = {"members": members, "seed": seed, "n_factor_method": n_factor_method}
    if n_factor_method != "gisnas":
        out.attrs["snow_conductivity_method"] = conductivity_method
    return out


def standard_deviates(members: int, seed: int) -> Array:
    """Deviates of snow, thawing n-factor and conductivity ratio, each with mean 0 and standard deviation 1.

    Parameters
    ----------
    members, seed : int

    Returns
    -------
    array [3, member]
        The same values in every row, each in an order of its own: of many shuffles that with the least correlation.
    """
    strata = ndtri((np.arange(members) + 0.5) / members)
    strata = strata / strata.std()
    rng = np.random.default_rng(seed)
    shuffled = np.stack([[rng.permutation(strata) for _ in range(3)] for _ in range(_SHUFFLES)])
    # Correlated rows would make quantities that vary independently add up or cancel.
    alike = np.abs(shuffled @ shuffled.transpose(0, 2, 1) / members - np.eye(3)).max(axis=(1, 2))
    best: Array = shuffled[np.argmin(alike)]
    return best


def _ensemble(
    freezing_degree_days: Array,
    thawing_degree_days: Array,
    n_thawing: Array,
    n_thawing_sd: Array,
    conductivity_ratio: Array,
    conductivity_ratio_sd: Array,
    snow_depth_cv: Array,
    n_factor_method: str,
    conductivity_method: str,
    deviates: Array,
    period_days: float,
    **snow: Array,
) -> tuple[Array, Array, Array]:
    """Mean, standard deviation and share below 0 [...] over the members, one after the other."""
    ensure_degree_days("freezing_degree_days", freezing_degree_days)
    ensure_degree_days("thawing_degree_days", thawing_degree_days)
    for name, value in (
        ("n_thawing", n_thawing),
        ("n_thawing_sd", n_thawing_sd),
        ("conductivity_ratio_sd", conductivity_ratio_sd),
        ("snow_depth_cv", snow_depth_cv),
    ):
        ensure_range(name, value, 0.0, 3.0, "1")
    ensure_range(
        "conductivity_ratio",
        conductivity_ratio,
        0.0,
        1.0,
        "1",
        above=True,
        todo="give thawed over frozen conductivity, not the inverse",
    )
    factor = _n_factor(freezing_degree_days, n_factor_method, conductivity_method, period_days, snow)
    sigma = np.sqrt(np.log1p(snow_depth_cv**2))
    # The members keep the mean snow of the cell, whatever tail their strata cannot reach.
    norm = sum(np.exp(sigma * z) for z in deviates[0]) / deviates.shape[1]
    lowest = np.minimum(conductivity_ratio, _LOWEST_RATIO)
    mean: Any = 0.0
    squares: Any = 0.0
    frozen: Any = 0.0
    for count, (z_snow, z_thawing, z_ratio) in enumerate(deviates.T, start=1):
        n_t = np.maximum(n_thawing + z_thawing * n_thawing_sd, 0.0)
        ratio = np.clip(conductivity_ratio + z_ratio * conductivity_ratio_sd, lowest, 1.0)
        n_f = factor(np.exp(sigma * z_snow) / norm)
        top = top_temperature(n_f * freezing_degree_days, n_t * thawing_degree_days, ratio, period_days)
        step = top - mean
        mean = mean + step / count
        squares = squares + step * (top - mean)
        frozen = frozen + (top < 0.0)
    members = deviates.shape[1]
    return mean, np.sqrt(squares / members), np.where(np.isnan(mean), np.nan, frozen / members)


def _n_factor(
    freezing_degree_days: Array,
    method: str,
    conductivity_method: str,
    period_days: float,
    snow: dict[str, Array],
) -> Callable[[Array], Array]:
    """Freezing n-factor as a function of the snow of a member over that of the cell."""
    if "snow_depth_max" in snow:
        ensure_range("snow_depth_max", snow["snow_depth_max"], 0.0, 50.0, "m", todo="give the depth in m")

    def empirical(share: Array) -> Array:
        return gisnas_regression(share * snow["snow_depth_max"])

    if method == "gisnas":
        return empirical
    damped = damped_n_factor(
        freezing_degree_days,
        snow["warmest_month"],
        snow["coldest_month"],
        "kudryavtsev" if method == "by_snow_class" else method,
        period_days,
    )
    depths = damping_depths(snow["snow_depth"], snow["snow_density"], conductivity_method, period_days)

    def physical(share: Array) -> Array:
        return damped(np.exp(-share * depths))

    if method != "by_snow_class":
        return physical
    tundra = snow["tundra_share"]
    ensure_range("tundra_share", tundra, 0.0, 1.0, "1", todo="divide percentages by 100")
    return lambda share: tundra * physical(share) + (1.0 - tundra) * empirical(share)
