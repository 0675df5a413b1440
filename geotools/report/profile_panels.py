"""The panels of the profile: each draws what a transect table holds of its variables, or is left out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from geotools.report.style import (
    BLUE,
    CLASS_COLOURS,
    GREEN,
    GREY,
    INK,
    ORANGE,
    OTHER_COLOURS,
    PURPLE,
    SKY,
    VERMILION,
    ZONE_COLOURS,
)
from geotools.vocabulary import Zone

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

_ABBREVIATED = {"maat": "MAAT", "magt": "MAGT", "mean_annual_ground_surface_temperature": "MAGST"}
_GROUND = "mean_annual_ground_surface_temperature"
# Classes of land cover that are told apart; the rest is one.
_CLASSES = 7
# From the middle of a title to the legend below it.
_LINE_INCHES = 0.075


@dataclass(frozen=True)
class Profile:
    """What panels are drawn from.

    Parameters
    ----------
    table : pandas.DataFrame
        transect.csv: one row per segment, variable and class.
    label : str
        What the modelled values are called.
    observations : pandas.DataFrame
        Rows of stations near the line: `name`, `distance_km`, `variable`, `value`, and `depth_m` of temperatures.
    """

    table: pd.DataFrame
    label: str
    observations: pd.DataFrame

    def rows(self, variable: str) -> pd.DataFrame:
        """The rows of a variable along the line."""
        return self.table[self.table["variable"] == variable].sort_values("distance_km")

    def has(self, variable: str) -> bool:
        """Whether a variable has any value."""
        return bool(self.rows(variable)["mean"].notna().any())

    def observed(self, variable: str) -> pd.DataFrame:
        """Mean, least and greatest value of each station that observes a variable."""
        rows = self.observations[self.observations["variable"] == variable]
        by_station = rows.groupby(["name", "distance_km"], sort=False)["value"]
        found: pd.DataFrame = by_station.agg(["mean", "min", "max"]).reset_index()
        return found.dropna(subset="mean").sort_values("distance_km")

    def depth_of(self, variable: str) -> str:
        """At which depth stations measure a ground temperature: without it, it cannot be compared."""
        if variable != "magt":
            return ""
        rows = self.observations[self.observations["variable"] == variable]
        depth = rows["depth_m"].dropna() if "depth_m" in rows else rows["value"].iloc[:0]
        if depth.empty:
            return " (depth not told)"
        low, high = depth.min(), depth.max()
        return f" at {low:g} m" if low == high else f" at {low:g}–{high:g} m"


@dataclass(frozen=True)
class Panel:
    """One panel.

    Parameters
    ----------
    variables : tuple of str
        It is drawn where the table has any of them.
    height : float
        Relative to the others.
    draw : callable
    """

    variables: tuple[str, ...]
    height: float
    draw: Callable[[Axes, Profile], None]

    def wanted(self, profile: Profile) -> bool:
        """Whether there is anything to draw."""
        return any(profile.has(name) for name in self.variables)


def panels(profile: Profile) -> list[Panel]:
    """The panels of a table, top to bottom, without those that would be empty."""
    carbon = tuple(sorted({n for n in profile.table["variable"] if str(n).startswith("csoil")}))
    every = (
        Panel(("orog",), 0.9, _elevation),
        Panel(("maat", _GROUND, "magt"), 2.0, _temperature),
        Panel(("surface_offset", "thermal_offset", "nival_offset"), 1.1, _offsets),
        Panel(("annual_precipitation",), 0.75, _precipitation),
        Panel(("snow_depth_max", "snow_depth_winter_mean"), 0.9, _snow),
        Panel(("n_factor_freezing",), 0.75, _n_factor),
        Panel(("active_layer_thickness", "thaw_depth"), 1.35, _thaw),
        Panel(("permafrost_probability",), 0.9, _probability),
        Panel(("permafrost_zone",), 0.9, _zones),
        Panel(carbon, 0.9, lambda axes, of: _carbon(axes, of, carbon)),
        Panel(("land_cover",), 1.45, _land_cover),
    )
    return [panel for panel in every if panel.wanted(profile)]


def _line(
    axes: Axes,
    profile: Profile,
    variable: str,
    colour: str,
    label: str,
    *,
    bands: bool = True,
    style: str = "-",
) -> None:
    """Mean, 10th to 90th percentile of the swath (dark) and 95 % interval (light), and what was observed."""
    if not profile.has(variable):
        return
    rows = profile.rows(variable)
    x = rows["distance_km"]
    if bands:
        axes.fill_between(x, rows["lo95"], rows["hi95"], color=colour, alpha=0.16, linewidth=0)
        axes.fill_between(x, rows["p10"], rows["p90"], color=colour, alpha=0.4, linewidth=0)
    axes.plot(x, rows["mean"], color=colour, linewidth=1.4, linestyle=style, label=label)
    _stations(axes, profile, variable)


def _stations(axes: Axes, profile: Profile, variable: str) -> None:
    """Each station as a circle at the mean of its years, with a bar from the least to the greatest."""
    seen = profile.observed(variable)
    if seen.empty:
        return
    x = seen["distance_km"]
    axes.vlines(x, seen["min"], seen["max"], color=INK, linewidth=0.8, zorder=5, clip_on=False)
    depth = profile.depth_of(variable)
    said = f"{_ABBREVIATED.get(variable, '')} observed{depth}".strip()
    count = f"{len(seen)} station{'' if len(seen) == 1 else 's'}"
    axes.scatter(
        x, seen["mean"], 14, facecolor="white", edgecolor=INK, linewidth=0.9, zorder=6, clip_on=False,
        label=f"{said},\n{count}" if depth else f"{said}, {count}",
    )  # fmt: skip


def _finish(axes: Axes, unit: str, title: str, origin: str = "", *, columns: int = 1) -> None:
    """Label an axis, and put title, origin and legend beside the panel, where they hide nothing."""
    from matplotlib.ticker import MaxNLocator
    from matplotlib.transforms import ScaledTranslation

    axes.set_ylabel(unit)
    axes.yaxis.set_major_locator(MaxNLocator(4, steps=[1, 2, 5, 10]))
    # Lines of text are as high on any panel.
    scale: Any = axes.get_figure(root=True)
    below = ScaledTranslation(0.0, -_LINE_INCHES, scale.dpi_scale_trans)
    axes.text(1.012, 1.0, title, transform=axes.transAxes, fontsize=7.5, fontweight="bold", va="center")
    axes.legend(
        loc="upper left",
        bbox_to_anchor=(1.012, 1.0),
        bbox_transform=axes.transAxes + below,
        title=origin or None,
        title_fontsize=7,
        alignment="left",
        handlelength=1.3,
        borderaxespad=0,
        borderpad=0,
        labelspacing=0.25,
        columnspacing=0.8,
        fontsize=7,
        ncols=columns,
    )


def _room(axes: Axes, *, top: float = 0.08, bottom: float = 0.0) -> None:
    low, high = axes.get_ylim()
    axes.set_ylim(low - bottom * (high - low), high + top * (high - low))


def _elevation(axes: Axes, profile: Profile) -> None:
    rows = profile.rows("orog")
    axes.fill_between(rows["distance_km"], rows["p10"], rows["p90"], color=GREY, alpha=0.3, linewidth=0)
    axes.plot(rows["distance_km"], rows["mean"], color=INK, linewidth=1.2, label="mean of the swath")
    _finish(axes, "m", "Elevation")


def _temperature(axes: Axes, profile: Profile) -> None:
    _line(axes, profile, "maat", VERMILION, "air (MAAT)")
    _line(axes, profile, _GROUND, GREEN, f"ground surface (MAGST),\n{profile.label}", bands=False)
    _line(
        axes, profile, "magt", BLUE, f"top of permafrost or base of\nseasonal frost (MAGT),\n{profile.label}"
    )
    axes.axhline(0, color=INK, linewidth=0.6)
    _room(axes)
    _finish(axes, "°C", "Temperature, mean annual")


def _offsets(axes: Axes, profile: Profile) -> None:
    _line(axes, profile, "surface_offset", VERMILION, "surface: MAGST − MAAT")
    _line(axes, profile, "nival_offset", PURPLE, "nival: winter surface − air", style="--")
    _line(axes, profile, "thermal_offset", BLUE, "thermal: MAGT − MAGST")
    axes.axhline(0, color=INK, linewidth=0.6)
    _room(axes)
    _finish(axes, "K", "Offsets", profile.label)


def _precipitation(axes: Axes, profile: Profile) -> None:
    _line(axes, profile, "annual_precipitation", SKY, "annual")
    axes.set_ylim(bottom=0)
    _finish(axes, "mm yr$^{-1}$", "Precipitation")


def _snow(axes: Axes, profile: Profile) -> None:
    _line(axes, profile, "snow_depth_max", INK, "largest monthly mean", bands=False, style="--")
    _line(axes, profile, "snow_depth_winter_mean", PURPLE, "winter mean")
    axes.set_ylim(bottom=0)
    _finish(axes, "m", "Snow depth", profile.label)


def _n_factor(axes: Axes, profile: Profile) -> None:
    _line(axes, profile, "n_factor_freezing", PURPLE, "surface over air freezing\ndegree-days")
    axes.set_ylim(0, 1)
    _finish(axes, "$n_f$", "Freezing n-factor", profile.label)


def _thaw(axes: Axes, profile: Profile) -> None:
    _line(axes, profile, "thaw_depth", GREY, "thaw depth (Stefan), all cells", bands=False, style="-.")
    _line(axes, profile, "active_layer_thickness", ORANGE, "where there is permafrost")
    axes.set_ylim(bottom=0)
    axes.invert_yaxis()
    _finish(axes, "m", "Active layer", profile.label)


def _probability(axes: Axes, profile: Profile) -> None:
    _line(axes, profile, "permafrost_probability", BLUE, "mean of the swath")
    axes.set_ylim(0, 1.03)
    _finish(axes, "probability", "Permafrost probability", profile.label)


def _carbon(axes: Axes, profile: Profile, variables: tuple[str, ...]) -> None:
    for variable, colour in zip(variables, (ORANGE, VERMILION, PURPLE, INK), strict=False):
        depth = variable.removeprefix("csoil_").removesuffix("m").replace("p", ".").replace("_", "–")
        _line(axes, profile, variable, colour, f"{depth} m")
    axes.set_ylim(bottom=0)
    _finish(axes, "kg m$^{-2}$", "Soil organic carbon")


def _zones(axes: Axes, profile: Profile) -> None:
    shares = _shares(profile, "permafrost_zone")
    names = [zone.value for zone in reversed(Zone) if zone.value in shares and shares[zone.value].any()]
    colours = [ZONE_COLOURS[Zone(name)] for name in names]
    _stack(axes, shares[names], names, colours)
    _finish(axes, "share", "Permafrost zones", profile.label, columns=2)


def _land_cover(axes: Axes, profile: Profile) -> None:
    shares = _shares(profile, "land_cover")
    largest = set(shares.mean().loc[lambda mean: mean > 0].nlargest(_CLASSES).index)
    # In the order of the classes, so that kinds of forest stand together.
    kept = [name for name in shares.columns if name in largest]
    drawn = shares[kept]
    rest = shares.drop(columns=kept).sum(axis=1)
    names = [str(name).replace("_", " ") for name in kept]
    others = iter(OTHER_COLOURS)
    colours = [CLASS_COLOURS.get(name) or next(others) for name in names]
    if rest.max() > 0.005:
        drawn = drawn.assign(**{"other classes": rest})
        names, colours = [*names, "other"], [*colours, "#dddddd"]
    _stack(axes, drawn, names, colours)
    _finish(axes, "share", "Land cover")


def _shares(profile: Profile, variable: str) -> pd.DataFrame:
    """Shares of classes, in the order in which the table lists them."""
    rows = profile.rows(variable)
    order = list(dict.fromkeys(rows["class"]))
    table = rows.pivot_table(index="distance_km", columns="class", values="mean").fillna(0.0)
    return table.reindex(columns=[name for name in order if name in table.columns])


def _stack(axes: Axes, shares: pd.DataFrame, names: list[str], colours: list[str]) -> None:
    centres = shares.index.to_numpy()
    middles = (centres[1:] + centres[:-1]) / 2
    # The line starts at 0, and its last segment is as long behind its middle as before.
    first, last = (0.0, 2 * centres[-1] - middles[-1]) if len(centres) > 1 else (0.0, 2 * centres[0])
    edges = np.concatenate(([first], middles, [last]))
    base = np.zeros(len(centres))
    for name, label, colour in zip(shares, names, colours, strict=True):
        values = shares[name].to_numpy()
        axes.bar(
            edges[:-1],
            values,
            np.diff(edges),
            base,
            align="edge",
            color=colour,
            edgecolor="none",
            label=label,
        )
        base = base + values
    axes.set_ylim(0, 1)
