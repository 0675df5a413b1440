"""Ground and surface parameters of the default run by land cover, every one with its range and its source."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import numpy as np

from geotools.errors import DataError, UsageError
from geotools.face import apply_core
from geotools.guards import Array, ensure_range
from geotools.metadata import Variable

# Standard deviation of the mean annual ground temperature: its error against boreholes, K.
MAGT_SD = 2.0
MAGT_SD_SOURCE = "RMSE of about 2 K against boreholes, Obu et al. (2019), doi:10.1016/j.earscirev.2019.04.023"


class Tag(StrEnum):
    """Whether a value was read in its source or is sound general knowledge of the literature."""

    SOURCE = "from source"
    GENERAL = "default within the literature range"


@dataclass(frozen=True)
class Parameter:
    """A default value.

    Parameters
    ----------
    value, low, high : float
        The default and its range in the literature.
    source : str
        Reference.
    tag : Tag
    """

    value: float
    low: float
    high: float
    source: str
    tag: Tag = Tag.GENERAL


class Group(StrEnum):
    """Broad land-cover groups that share their parameters."""

    FOREST = "forest"
    SHRUB_TUNDRA = "shrub and tundra"
    GRASS_CROP = "grass and crop"
    WETLAND = "wetland"
    BARREN = "barren and urban"
    NO_GROUND = "water and ice"


# IGBP class to group; 0 and 17 are both in use for water. In this region savanna is open larch woodland.
IGBP = {
    **dict.fromkeys((1, 2, 3, 4, 5, 8, 9), Group.FOREST),
    **dict.fromkeys((6, 7), Group.SHRUB_TUNDRA),
    **dict.fromkeys((10, 12, 14), Group.GRASS_CROP),
    11: Group.WETLAND,
    **dict.fromkeys((13, 16), Group.BARREN),
    **dict.fromkeys((0, 15, 17), Group.NO_GROUND),
}
UNCLASSIFIED = 255

FIELDS = {
    v.name: v
    for v in (
        Variable("n_factor_thawing", "1", "thawing n-factor"),
        Variable("conductivity_ratio", "1", "thawed over frozen thermal conductivity of the ground"),
        Variable(
            "thawed_conductivity",
            "W m-1 K-1",
            "thermal conductivity of thawed mineral ground",
            "soil_thermal_conductivity",
        ),
        Variable("melted_water_fraction", "1", "volumetric fraction of water that melts in mineral ground"),
        Variable("organic_thickness", "m", "thickness of the organic layer"),
        Variable(
            "organic_conductivity",
            "W m-1 K-1",
            "thermal conductivity of the thawed organic layer",
            "soil_thermal_conductivity",
        ),
        Variable(
            "organic_melted_water_fraction",
            "1",
            "volumetric fraction of water that melts in the organic layer",
        ),
    )
}

_N = "Lunardini (1978); Smith & Riseborough (2002), doi:10.1002/ppp.410"
_R = "0.3 (peat) to 0.95 (bedrock, dry sand): Smith & Riseborough (2002), doi:10.1002/ppp.410"
_K = "thawed mineral soil 1.0 to 1.5, coarse or dry ground more: Farouki (1981), CRREL Monograph 81-1"
_W = "ice of silt and loam, below a porosity of 0.4 to 0.5: Farouki (1981), CRREL Monograph 81-1"
_O = "moss and litter of larch taiga and tundra: Loranty et al. (2018), doi:10.5194/bg-15-5287-2018"
_P = "moss and peat 0.2 to 0.5: Farouki (1981), CRREL Monograph 81-1"


def _set(
    n_thawing: tuple[float, float, float],
    ratio: tuple[float, float, float],
    conductivity: tuple[float, float, float],
    water: tuple[float, float, float],
    organic: tuple[float, float, float],
    organic_conductivity: tuple[float, float, float],
    organic_water: tuple[float, float, float],
) -> dict[str, Parameter]:
    return {
        "n_factor_thawing": Parameter(*n_thawing, _N),
        "conductivity_ratio": Parameter(*ratio, _R),
        "thawed_conductivity": Parameter(*conductivity, _K),
        "melted_water_fraction": Parameter(*water, _W),
        "organic_thickness": Parameter(*organic, _O),
        "organic_conductivity": Parameter(*organic_conductivity, _P),
        "organic_melted_water_fraction": Parameter(*organic_water, _P),
    }


# (default, low, high) of n_t, r_k, k_t, water of mineral ground; thickness, k_t, water of the organic layer.
DEFAULTS: dict[Group, dict[str, Parameter]] = {
    Group.FOREST: _set(
        (0.75, 0.4, 1.0),
        (0.70, 0.5, 0.9),
        (1.2, 0.8, 1.8),
        (0.30, 0.15, 0.45),
        (0.10, 0.03, 0.30),
        (0.30, 0.2, 0.5),
        (0.30, 0.1, 0.6),
    ),
    Group.SHRUB_TUNDRA: _set(
        (0.85, 0.6, 1.0),
        (0.65, 0.4, 0.9),
        (1.2, 0.8, 1.8),
        (0.40, 0.2, 0.6),
        (0.12, 0.03, 0.30),
        (0.40, 0.2, 0.5),
        (0.50, 0.2, 0.8),
    ),
    Group.GRASS_CROP: _set(
        (0.95, 0.8, 1.1),
        (0.80, 0.6, 0.95),
        (1.2, 0.8, 1.8),
        (0.25, 0.1, 0.4),
        (0.02, 0.0, 0.10),
        (0.40, 0.2, 0.5),
        (0.30, 0.1, 0.6),
    ),
    Group.WETLAND: _set(
        (0.80, 0.6, 1.0),
        (0.45, 0.3, 0.7),
        (1.2, 0.8, 1.8),
        (0.45, 0.3, 0.6),
        (0.40, 0.2, 2.0),
        (0.50, 0.3, 0.6),
        (0.80, 0.6, 0.9),
    ),
    Group.BARREN: _set(
        (1.10, 0.9, 1.4),
        (0.90, 0.8, 0.95),
        (1.8, 1.0, 3.0),
        (0.15, 0.03, 0.3),
        (0.0, 0.0, 0.05),
        (0.40, 0.2, 0.5),
        (0.30, 0.1, 0.6),
    ),
}


def ground_parameters(
    land_cover: Any,
    *,
    overrides: Mapping[str, Mapping[str, float]] | None = None,
    class_dim: str | None = None,
) -> Any:
    """Ground and surface parameters of every cell, by land cover.

    Parameters
    ----------
    land_cover : int, array or xarray.DataArray [any dims; IGBP class]
        Or, with `class_dim`, an xarray.DataArray of area fractions whose coordinate along `class_dim` holds
        the IGBP classes.
    overrides : mapping of group to mapping of field to float, optional
        Values in place of those of `DEFAULTS`, such as ``{"forest": {"n_factor_thawing": 0.6}}``.
    class_dim : str, optional
        The dimension of the classes, when fractions are given. The parameters are then means weighted with
        the fractions of the classes that are ground. They enter formulas that are not linear, so that this
        is an approximation.

    Returns
    -------
    dict of array or xarray.Dataset [same dims]
        One entry for every name in `FIELDS`. Water, ice, the code 255 (unclassified) and missing values give
        NaN.

    Raises
    ------
    UsageError
        When a group or field of `overrides` does not exist, or the classes of `class_dim` are not named.
    DataError
        When a class is not one of IGBP, a fraction is negative, or an override is out of its physical range.

    Notes
    -----
    The values are defaults for maps, not measurements of a site. `DEFAULTS` holds the range and source of
    each.

    References
    ----------
    Obu, J., et al. (2019). Earth-Sci. Rev. 193, 299-316. doi:10.1016/j.earscirev.2019.04.023

    Examples
    --------
    >>> parameters = ground_parameters(np.array([3, 17]))
    >>> parameters["n_factor_thawing"]
    array([0.75,  nan])
    """
    import xarray as xr

    table = parameter_table(overrides or {})
    units = {"land_cover": "1"}
    if class_dim is None:
        out = apply_core(
            look_up,
            {"land_cover": land_cover},
            units=units,
            returns=list(FIELDS.values()),
            options={"table": table},
        )
    else:
        if not isinstance(land_cover, xr.DataArray) or class_dim not in land_cover.coords:
            raise UsageError(
                "area fractions without the classes they belong to",
                where="argument 'land_cover'",
                expected=f"a DataArray with the IGBP classes as coordinate {class_dim!r}",
            )
        classes = np.asarray(land_cover[class_dim].values, dtype="float64")
        out = apply_core(
            mix,
            {"land_cover": land_cover},
            units=units,
            returns=list(FIELDS.values()),
            options={"values": np.stack(look_up(classes, table))},
            core_dim=class_dim,
            along=("land_cover",),
        )
    return out if isinstance(out, xr.Dataset) else dict(zip(FIELDS, out, strict=True))


def parameter_table(overrides: Mapping[str, Mapping[str, float]]) -> Array:
    """Parameters [field, class] of the IGBP classes 0 to 17; NaN where there is no ground."""
    for group, fields in overrides.items():
        unknown = set(fields) - set(FIELDS)
        if group not in {str(g) for g in DEFAULTS} or unknown:
            raise UsageError(
                f"{group!r} with {sorted(unknown) or sorted(fields)}",
                where="argument 'overrides'",
                expected=f"groups {[str(g) for g in DEFAULTS]} and fields {list(FIELDS)}",
            )
        for name, value in fields.items():
            _ensure_physical(name, np.asarray(value, dtype="float64"))
    table = np.full((len(FIELDS), 18), np.nan)
    for code, group in IGBP.items():
        if group is not Group.NO_GROUND:
            own = overrides.get(group, {})
            table[:, code] = [own.get(name, DEFAULTS[group][name].value) for name in FIELDS]
    return table


def _ensure_physical(name: str, value: Array) -> None:
    highest = {"n_factor_thawing": 3.0, "organic_thickness": 20.0}
    if name.endswith("_conductivity"):
        highest[name] = 20.0
    ensure_range(
        f"overrides, {name}",
        value,
        0.0,
        highest.get(name, 1.0),
        FIELDS[name].units,
        above=name != "organic_thickness",
    )


def look_up(land_cover: Array, table: Array) -> tuple[Array, ...]:
    """One array [...] for every field from classes [...]."""
    land_cover = np.where(land_cover == UNCLASSIFIED, np.nan, land_cover)
    ensure_range("land_cover", land_cover, 0.0, 17.0, "1", todo="give IGBP classes, and NaN or 255 for none")
    missing = np.isnan(land_cover)
    if np.any(land_cover % 1.0 > 0.0):
        raise DataError(
            f"a land cover class of {float(land_cover[land_cover % 1.0 > 0.0].flat[0]):g}",
            where="argument 'land_cover'",
            expected="whole IGBP classes",
            todo="give the dimension of the classes with class_dim= if these are area fractions",
        )
    code = np.where(missing, 0, land_cover).astype(int)
    return tuple(np.where(missing, np.nan, row[code]) for row in table)


def mix(land_cover: Array, values: Array) -> tuple[Array, ...]:
    """One array [...] for every field from fractions [..., class] and values [field, class]."""
    ensure_range("land_cover", land_cover, 0.0, 1.0 + 1e-6, "1", todo="divide percentages by 100")
    ground = np.where(np.isnan(values[0]), 0.0, land_cover)
    weight = ground.sum(axis=-1)
    mean = ground @ np.nan_to_num(values).T / np.where(weight > 0.0, weight, np.nan)[..., None]
    return tuple(np.moveaxis(mean, -1, 0))
