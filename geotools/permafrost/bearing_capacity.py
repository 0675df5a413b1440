"""What a pile frozen into permafrost bears, by the tables of the Russian building code, and thaw settlement."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from geotools.errors import DataError, UsageError
from geotools.face import apply_core
from geotools.guards import Array, ensure_celsius, ensure_range, one_of
from geotools.metadata import Variable
from geotools.permafrost.frozen_strength import STRENGTHS, FrozenStrength

REFERENCE = (
    "Streletskiy, Shiklomanov & Nelson (2012), doi:10.1657/1938-4246-44.3.368, with the building code "
    "SNiP 2.02.04-88 / SP 25.13330.2012"
)
SETTLEMENT_REFERENCE = (
    "Nelson, Anisimov & Shiklomanov (2001), doi:10.1038/35073746: product of the increase of thaw depth and the "
    "volumetric content of ground ice"
)
CAPACITY = Variable("bearing_capacity", "kN", "bearing capacity of a standard pile frozen into permafrost")
CHANGE = Variable("bearing_capacity_change", "percent", "change of the bearing capacity")
SETTLEMENT = Variable("thaw_settlement", "m", "settlement when the excess ice of newly thawed ground melts")
_SLICES = 200


@dataclass(frozen=True)
class Pile:
    """A pile frozen into the ground.

    Parameters
    ----------
    side : float [m]
        Of the square section, or the diameter of a round one.
    embedment : float [m]
        Depth of its end below the ground surface.
    section : {"square", "round"}
    temperature_factor, conditions_factor : float
        The coefficients gamma_t and gamma_c of the code.

    Raises
    ------
    DataError
        When a length or a coefficient is not above 0.
    """

    side: float = 0.35
    embedment: float = 10.0
    section: str = "square"
    temperature_factor: float = 1.0
    conditions_factor: float = 1.0

    def __post_init__(self) -> None:
        one_of("section", self.section, ("square", "round"))
        for name, high, units in (
            ("side", 5.0, "m"),
            ("embedment", 100.0, "m"),
            ("temperature_factor", 2.0, "1"),
            ("conditions_factor", 2.0, "1"),
        ):
            value = np.asarray(getattr(self, name), dtype="float64")
            ensure_range(f"Pile, {name}", value, 0.0, high, units, above=True)

    @property
    def perimeter(self) -> float:
        """Of the section [m]."""
        return (4.0 if self.section == "square" else np.pi) * self.side

    @property
    def area(self) -> float:
        """Of the end [m2]."""
        return (1.0 if self.section == "square" else np.pi / 4.0) * self.side**2

    def describe(self) -> str:
        """The pile in a line, for the attributes of results."""
        return (
            f"{self.section} pile, {self.side:g} m wide, {self.embedment:g} m deep, gamma_t "
            f"{self.temperature_factor:g}, gamma_c {self.conditions_factor:g}"
        )


def pile_bearing_capacity(
    temperature: Any,
    active_layer_thickness: Any,
    *,
    depths: Any = None,
    pile: Pile | None = None,
    soil: str | FrozenStrength = "clay",
) -> Any:
    r"""Bearing capacity of a pile frozen into permafrost.

    Parameters
    ----------
    temperature : array or xarray.DataArray [..., depth; degC]
        Of the ground around the pile. The code wants the warmest of the year at each depth. Depth is the last
        axis of a NumPy array.
    active_layer_thickness : float, array or xarray.DataArray [...; m]
        Depth above which nothing holds the pile. NaN: no permafrost.
    depths : sequence of float, optional [m]
        Depths of the temperatures, growing from at or near the surface to at least the end of the pile; the
        coordinate ``depth`` of a DataArray by default.
    pile : Pile, optional
        A square reinforced concrete pile of 0.35 m, 10 m deep, by default, which is customary in such
        assessments.
    soil : {"clay", "sand"} or FrozenStrength
        Strength table.

    Returns
    -------
    float, array or xarray.DataArray [...; kN]
        0 without permafrost, and where it begins below the end of the pile. NaN where temperatures at the pile
        are missing.

    Raises
    ------
    UnitsError
        When temperatures are kelvins.
    DataError
        When depths do not grow or end above the end of the pile, or a thickness is negative.
    UsageError
        When the soil is not known, or depths are not given.

    Notes
    -----
    .. math:: F_u = \gamma_t \gamma_c \left( R(T_L) A + u \int_{z_a}^{L} R_{af}(T(z))\, dz \right)

    with the perimeter u and the end A of the pile, the active-layer thickness z_a and the embedment L. Warmer ground
    or a deeper active layer never bears more. Nothing is said of frost heave, of negative friction in thawing
    ground, of salt, or of how long a load acts. It is an indicator for comparing climates, not a design.

    References
    ----------
    Streletskiy, D. A., Shiklomanov, N. I., & Nelson, F. E. (2012). Arct. Antarct. Alp. Res. 44, 368-380.
    doi:10.1657/1938-4246-44.3.368

    Examples
    --------
    >>> round(pile_bearing_capacity(np.array([-2.0, -2.0]), 2.0, depths=[0.0, 20.0]), 3)
    1833.125
    """
    import xarray as xr

    pile = pile or Pile()
    strength = soil
    if isinstance(strength, str):
        one_of("soil", strength, tuple(STRENGTHS))
        strength = STRENGTHS[strength]
    if depths is None:
        if not isinstance(temperature, xr.DataArray) or "depth" not in temperature.coords:
            raise UsageError(
                "temperatures without their depths",
                where="argument 'temperature'",
                expected="a DataArray with the coordinate 'depth', or depths=",
            )
        depths = temperature["depth"].values
    at = np.asarray(depths, dtype="float64")
    if at.ndim != 1 or at.size < 2 or np.any(np.diff(at) <= 0.0) or at[0] < 0.0 or at[-1] < pile.embedment:
        raise DataError(
            f"depths of {', '.join(f'{d:g}' for d in at.flat)} m",
            where="argument 'depths'",
            expected=f"depths that grow, at least to the end of the pile at {pile.embedment:g} m",
            todo="ask for temperatures further down, or take a shorter pile",
        )
    out = apply_core(
        _capacity,
        {"temperature": temperature, "active_layer_thickness": active_layer_thickness},
        units={"temperature": "degC", "active_layer_thickness": "m"},
        returns=CAPACITY,
        options={"depths": at, "pile": pile, "strength": strength},
        core_dim="depth",
        along=("temperature",),
    )
    if isinstance(out, xr.DataArray):
        out.attrs |= {"method": pile.describe(), "strength": strength.source, "references": REFERENCE}
    return out


def _capacity(
    temperature: Array, active_layer_thickness: Array, depths: Array, pile: Pile, strength: FrozenStrength
) -> Array:
    """Capacity [...] from temperatures [..., depth] and active layers [...]."""
    ensure_celsius("temperature", temperature)
    ensure_range(
        "active_layer_thickness", active_layer_thickness, 0.0, np.inf, "m", todo="depths are positive down"
    )
    edges = np.linspace(0.0, pile.embedment, _SLICES + 1)
    middles, height = 0.5 * (edges[1:] + edges[:-1]), edges[1] - edges[0]
    at_shaft, at_end = (
        _interpolated(temperature, depths, middles),
        _interpolated(temperature, depths, edges[-1:]),
    )
    top = active_layer_thickness[..., None]
    # A slice that the base of the active layer cuts counts with its frozen part.
    held = np.clip((edges[1:] - np.nan_to_num(top, nan=np.inf)) / height, 0.0, 1.0)
    shear = np.where(held > 0.0, strength.at(at_shaft, "shear"), 0.0)
    shaft = pile.perimeter * height * (shear * held).sum(axis=-1)
    end = pile.area * np.where(held[..., -1] > 0.0, strength.at(at_end[..., 0], "pressure"), 0.0)
    return np.asarray(pile.temperature_factor * pile.conditions_factor * (shaft + end))


def _interpolated(temperature: Array, depths: Array, at: Array) -> Array:
    """Temperatures [..., at] by linear interpolation, and those of the shallowest depth above it."""
    below = np.clip(np.searchsorted(depths, at, side="left"), 1, depths.size - 1)
    share = np.clip((at - depths[below - 1]) / (depths[below] - depths[below - 1]), 0.0, 1.0)
    upper, lower = temperature[..., below - 1], temperature[..., below]
    # Not a weighted sum where a sensor is hit, lest a missing neighbour of no weight counts.
    mixed = np.where(share >= 1.0, lower, np.where(share <= 0.0, upper, upper + share * (lower - upper)))
    return np.asarray(mixed)


def bearing_capacity_change(before: Any, after: Any) -> Any:
    """Relative change of the bearing capacity between two periods.

    Parameters
    ----------
    before, after : float, array or xarray.DataArray [any dims; kN]

    Returns
    -------
    float, array or xarray.DataArray [percent]
        Negative where less is borne. NaN where nothing was borne before: there is no base to compare with.

    Raises
    ------
    DataError
        When a capacity is negative.

    Examples
    --------
    >>> bearing_capacity_change(2000.0, 1500.0)
    -25.0
    """
    return apply_core(
        _change, {"before": before, "after": after}, units={"before": "kN", "after": "kN"}, returns=CHANGE
    )


def _change(before: Array, after: Array) -> Array:
    for name, values in (("before", before), ("after", after)):
        ensure_range(name, values, 0.0, np.inf, "kN")
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(np.where(before > 0.0, 100.0 * (after - before) / before, np.nan))


def thaw_settlement(before: Any, after: Any, *, excess_ice: Any) -> Any:
    """Settlement index: how far the ground sinks when the ice of the newly thawed layer melts.

    Parameters
    ----------
    before, after : float, array or xarray.DataArray [any dims; m]
        Active-layer thickness of two periods.
    excess_ice : float, array or xarray.DataArray [any dims; 1]
        Volume of excess ice over that of the ground below the active layer.

    Returns
    -------
    float, array or xarray.DataArray [m]
        0 where the active layer did not grow; NaN where one of the periods has no permafrost, as then all
        ground ice may melt.

    Raises
    ------
    DataError
        When a thickness is negative, or the ice is no share.

    References
    ----------
    Nelson, F. E., Anisimov, O. A., & Shiklomanov, N. I. (2001). Nature 410, 889-890. doi:10.1038/35073746

    Examples
    --------
    >>> round(thaw_settlement(1.5, 1.9, excess_ice=0.25), 3)
    0.1
    """
    return apply_core(
        _settlement,
        {"before": before, "after": after, "excess_ice": excess_ice},
        units={"before": "m", "after": "m", "excess_ice": "1"},
        returns=SETTLEMENT,
    )


def _settlement(before: Array, after: Array, excess_ice: Array) -> Array:
    for name, values in (("before", before), ("after", after)):
        ensure_range(name, values, 0.0, np.inf, "m", todo="depths are positive down")
    ensure_range("excess_ice", excess_ice, 0.0, 1.0, "1", todo="give a share of the volume, not per cent")
    return np.asarray(np.maximum(after - before, 0.0) * excess_ice)
