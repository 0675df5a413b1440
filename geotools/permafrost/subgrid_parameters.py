"""How much snow, n-factors and conductivity ratios vary within a cell, by land cover."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import xarray as xr

from geotools.errors import UsageError
from geotools.face import apply_core
from geotools.guards import Array, ensure_range
from geotools.metadata import Variable
from geotools.permafrost.parameters import (
    DEFAULTS,
    FIELDS,
    IGBP,
    Group,
    Parameter,
    look_up,
    mix,
    parameter_table,
)

_CV = (
    "log-normal snow depths, 0.1 (forest) to 0.9 (exposed tundra): Liston (2004), "
    "doi:10.1175/1520-0442(2004)017<1381:RSSCHI>2.0.CO;2; Obu et al. (2019), doi:10.1016/j.earscirev.2019.04.023"
)
SNOW_DEPTH_CV: dict[Group, Parameter] = {
    Group.FOREST: Parameter(0.1, 0.05, 0.3, _CV),
    Group.SHRUB_TUNDRA: Parameter(0.5, 0.3, 0.9, _CV),
    Group.GRASS_CROP: Parameter(0.4, 0.2, 0.9, _CV),
    Group.WETLAND: Parameter(0.3, 0.1, 0.5, _CV),
    Group.BARREN: Parameter(0.9, 0.4, 1.0, _CV),
}
# A range of the literature is taken for that of 95 % of the places, four standard deviations.
_RANGE_IN_SD = 4.0
_MEANS = ("n_factor_thawing", "conductivity_ratio")
SPREADS = {
    v.name: v
    for v in (
        Variable("n_factor_thawing_sd", "1", "standard deviation of the thawing n-factor within the cell"),
        Variable(
            "conductivity_ratio_sd",
            "1",
            "standard deviation of the thawed over frozen thermal conductivity within the cell",
        ),
        Variable("snow_depth_cv", "1", "coefficient of variation of snow depth within the cell"),
    )
}


def ensemble_parameters(
    land_cover: Any,
    *,
    overrides: Mapping[str, Mapping[str, float]] | None = None,
    class_dim: str | None = None,
) -> Any:
    """What `ttop_ensemble` needs of the ground: parameters and how they vary within a cell, by land cover.

    Parameters
    ----------
    land_cover : int, array or xarray.DataArray [any dims; IGBP class]
        Or, with `class_dim`, area fractions as for `ground_parameters`.
    overrides : mapping of group to mapping of field to float, optional
        Values in place of the defaults, such as ``{"forest": {"snow_depth_cv": 0.2}}``.
    class_dim : str, optional
        The dimension of the classes, when fractions are given.

    Returns
    -------
    dict of array or xarray.Dataset [same dims; 1]
        `n_factor_thawing` and `conductivity_ratio` as from `ground_parameters`, `n_factor_thawing_sd`,
        `conductivity_ratio_sd` and `snow_depth_cv`. NaN where there is no ground.

    Raises
    ------
    UsageError
        When a group or field of `overrides` does not exist, or the classes of `class_dim` are not named.
    DataError
        When a class is not one of IGBP, a fraction is negative, or an override is out of its physical range.

    Notes
    -----
    A standard deviation is a quarter of the range that `parameters.DEFAULTS` gives. In a cell of several classes it
    is the root of the variance within the classes plus that between them; the coefficient of variation of the snow is
    the mean of theirs, since nothing is known of how deep the snow is on each. The defaults are judgements within the
    ranges of the sources, not values read for this region; `SNOW_DEPTH_CV` holds them with range and source.

    References
    ----------
    Liston, G. E. (2004). J. Climate 17, 1381-1397.
    Obu, J., et al. (2019). Earth-Sci. Rev. 193, 299-316. doi:10.1016/j.earscirev.2019.04.023

    Examples
    --------
    >>> parameters = ensemble_parameters(np.array([3, 13]))
    >>> parameters["snow_depth_cv"], parameters["n_factor_thawing_sd"].round(3)
    (array([0.1, 0.9]), array([0.15 , 0.125]))
    """
    means, spreads = _tables(overrides or {})
    returns = [*(FIELDS[name] for name in _MEANS), *SPREADS.values()]
    units = {"land_cover": "1"}
    if class_dim is None:
        out = apply_core(
            look_up,
            {"land_cover": land_cover},
            units=units,
            returns=returns,
            options={"table": np.concatenate([means, spreads])},
        )
    else:
        if not isinstance(land_cover, xr.DataArray) or class_dim not in land_cover.coords:
            raise UsageError(
                "area fractions without the classes they belong to",
                where="argument 'land_cover'",
                expected=f"a DataArray with the IGBP classes as coordinate {class_dim!r}",
            )
        classes = np.asarray(land_cover[class_dim].values, dtype="float64")
        # Of every class the mean, the mean square, and the coefficient of variation.
        moments = np.concatenate([means, means**2 + spreads[:2] ** 2, spreads[2:]])
        out = apply_core(
            _combine,
            {"land_cover": land_cover},
            units=units,
            returns=returns,
            options={"values": np.stack(look_up(classes, moments))},
            core_dim=class_dim,
            along=("land_cover",),
        )
    return out if isinstance(out, xr.Dataset) else out._asdict()


def _tables(overrides: Mapping[str, Mapping[str, float]]) -> tuple[Array, Array]:
    """Means [field, class] and spreads [field, class] of the IGBP classes 0 to 17."""
    for group, fields in overrides.items():
        unknown = set(fields) - {*_MEANS, *SPREADS}
        if group not in {str(g) for g in DEFAULTS} or unknown:
            raise UsageError(
                f"{group!r} with {sorted(unknown) or sorted(fields)}",
                where="argument 'overrides'",
                expected=f"groups {[str(g) for g in DEFAULTS]} and fields {[*_MEANS, *SPREADS]}",
            )
        for name in set(fields) & set(SPREADS):
            ensure_range(f"overrides, {name}", np.asarray(fields[name], dtype="float64"), 0.0, 3.0, "1")
    all_means = parameter_table(
        {g: {k: v for k, v in fields.items() if k in _MEANS} for g, fields in overrides.items()}
    )
    means = all_means[[list(FIELDS).index(name) for name in _MEANS]]
    spreads = np.full((len(SPREADS), means.shape[1]), np.nan)
    for code, group in IGBP.items():
        if group is not Group.NO_GROUND:
            default = {f"{name}_sd": _sd(DEFAULTS[group][name]) for name in _MEANS}
            default["snow_depth_cv"] = SNOW_DEPTH_CV[group].value
            values = {**default, **overrides.get(group, {})}
            spreads[:, code] = [values[name] for name in SPREADS]
    return means, spreads


def _sd(parameter: Parameter) -> float:
    return (parameter.high - parameter.low) / _RANGE_IN_SD


def _combine(land_cover: Array, values: Array) -> tuple[Array, ...]:
    """Means, standard deviations and coefficient of variation [...] from fractions [..., class]."""
    n, r, n_square, r_square, cv = mix(land_cover, values)
    # A variance of nothing may come out a rounding error below 0.
    n_sd, r_sd = (
        np.sqrt(np.maximum(square - mean**2, 0.0)) for mean, square in ((n, n_square), (r, r_square))
    )
    return n, r, n_sd, r_sd, cv
