"""The panels of the profile: each draws what a transect table holds of its variables, or is left out."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from geotools.report.profile_parts import (
    ExtraPanel,
    Panel,
    Profile,
    finish,
    line,
    room,
    shares_of,
    stack,
    written_unit,
)
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

_GROUND = "mean_annual_ground_surface_temperature"
# Classes of land cover that are told apart; the rest is one.
_CLASSES = 7
# Of emissions below this the axis is even, so that 0 has a place on it.
_EVEN_BELOW = 10.0


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
        Panel(("permafrost_zone",), 1.0, _zones),
        Panel(carbon, 0.9, lambda axes, of: _carbon(axes, of, carbon)),
        Panel(("land_cover",), 1.9, _land_cover),
        *(
            Panel((extra.variable,), 0.8, partial(_extra, extra=extra))
            for extra in profile.extra
            if extra.variable != "orog"
        ),
        Panel(("net_ecosystem_exchange",), 0.9, _net_exchange),
        Panel(("fossil_emissions",), 0.9, _fossil),
    )
    return [panel for panel in every if panel.wanted(profile)]


def _elevation(axes: Axes, profile: Profile) -> None:
    rows = profile.rows("orog")
    axes.fill_between(rows["distance_km"], rows["p10"], rows["p90"], color=GREY, alpha=0.3, linewidth=0)
    axes.plot(rows["distance_km"], rows["mean"], color=INK, linewidth=1.2, label="mean of the swath")
    axes.set_ylim(bottom=min(0.0, float(rows["p10"].min())))
    told = next(
        (extra for extra in profile.extra if extra.variable == "orog"), ExtraPanel("orog", "Elevation")
    )
    finish(axes, "m", "Elevation", told.origin)


def _temperature(axes: Axes, profile: Profile) -> None:
    line(axes, profile, "maat", VERMILION, "air (MAAT)")
    line(axes, profile, _GROUND, GREEN, f"ground surface (MAGST),\n{profile.label}", bands=False)
    line(
        axes, profile, "magt", BLUE, f"top of permafrost or base of\nseasonal frost (MAGT),\n{profile.label}"
    )
    axes.axhline(0, color=INK, linewidth=0.6)
    room(axes)
    finish(axes, "°C", "Temperature, mean annual")


def _offsets(axes: Axes, profile: Profile) -> None:
    line(axes, profile, "surface_offset", VERMILION, "surface: MAGST − MAAT")
    line(axes, profile, "nival_offset", PURPLE, "nival: winter surface − air", style="--")
    line(axes, profile, "thermal_offset", BLUE, "thermal: MAGT − MAGST")
    axes.axhline(0, color=INK, linewidth=0.6)
    room(axes)
    finish(axes, "K", "Offsets", profile.label)


def _precipitation(axes: Axes, profile: Profile) -> None:
    line(axes, profile, "annual_precipitation", SKY, "annual")
    axes.set_ylim(bottom=0)
    finish(axes, "mm yr$^{-1}$", "Precipitation")


def _snow(axes: Axes, profile: Profile) -> None:
    line(axes, profile, "snow_depth_max", INK, "largest monthly mean", bands=False, style="--")
    line(axes, profile, "snow_depth_winter_mean", PURPLE, "winter mean")
    axes.set_ylim(bottom=0)
    finish(axes, "m", "Snow depth", profile.label)


def _n_factor(axes: Axes, profile: Profile) -> None:
    line(axes, profile, "n_factor_freezing", PURPLE, "surface over air freezing\ndegree-days")
    axes.set_ylim(0, 1)
    finish(axes, "$n_f$", "Freezing n-factor", profile.label)


def _thaw(axes: Axes, profile: Profile) -> None:
    line(axes, profile, "thaw_depth", GREY, "thaw depth (Stefan), all cells", bands=False, style="-.")
    line(axes, profile, "active_layer_thickness", ORANGE, "where there is permafrost")
    axes.set_ylim(bottom=0)
    axes.invert_yaxis()
    finish(axes, "m", "Active layer", profile.label)


def _probability(axes: Axes, profile: Profile) -> None:
    line(axes, profile, "permafrost_probability", BLUE, "mean of the swath")
    axes.set_ylim(0, 1.03)
    finish(axes, "probability", "Permafrost probability", profile.label)


def _carbon(axes: Axes, profile: Profile, variables: tuple[str, ...]) -> None:
    for variable, colour in zip(variables, (ORANGE, VERMILION, PURPLE, INK), strict=False):
        depth = variable.removeprefix("csoil_").removesuffix("m").replace("p", ".").replace("_", "–")
        line(axes, profile, variable, colour, f"{depth} m")
    axes.set_ylim(bottom=0)
    finish(axes, "kg m$^{-2}$", "Soil organic carbon")


def _zones(axes: Axes, profile: Profile) -> None:
    shares = shares_of(profile, "permafrost_zone")
    names = [zone.value for zone in reversed(Zone) if zone.value in shares and shares[zone.value].any()]
    colours = [ZONE_COLOURS[Zone(name)] for name in names]
    stack(axes, shares[names], names, colours)
    finish(axes, "share", "Permafrost zones", profile.label, columns=2)


def _land_cover(axes: Axes, profile: Profile) -> None:
    _classes(axes, shares_of(profile, "land_cover"))
    finish(axes, "share", "Land cover")


def _classes(axes: Axes, shares: pd.DataFrame) -> None:
    """The largest classes, in the order of the table, so that kinds of forest stand together, and the rest as one."""
    largest = set(shares.mean().loc[lambda mean: mean > 0].nlargest(_CLASSES).index)
    kept = [name for name in shares.columns if name in largest]
    drawn = shares[kept]
    rest = shares.drop(columns=kept).sum(axis=1)
    names = [str(name).replace("_", " ") for name in kept]
    others = iter(OTHER_COLOURS)
    colours = [CLASS_COLOURS.get(name) or next(others) for name in names]
    if rest.max() > 0.005:
        drawn = drawn.assign(**{"other classes": rest})
        names, colours = [*names, "other"], [*colours, "#dddddd"]
    stack(axes, drawn, names, colours)


def _extra(axes: Axes, profile: Profile, *, extra: ExtraPanel) -> None:
    rows = profile.rows(extra.variable)
    title = extra.title[:1].upper() + extra.title[1:]
    if (rows["class"].fillna("") != "").any():
        _classes(axes, shares_of(profile, extra.variable))
        finish(axes, "share", title, extra.origin, columns=2)
        return
    line(axes, profile, extra.variable, GREEN, "mean of the swath")
    # A quantity that is never negative is seen from 0, unless it hardly changes.
    low, high = float(rows[["mean", "p10"]].min().min()), float(rows[["mean", "p90"]].max().max())
    if 0 <= low <= high / 2:
        axes.set_ylim(bottom=0)
    elif low < 0 < high:
        axes.axhline(0, color=INK, linewidth=0.6)
    room(axes)
    finish(axes, written_unit(profile.word(extra.variable, "unit")), title, extra.origin)


def _net_exchange(axes: Axes, profile: Profile) -> None:
    line(axes, profile, "net_ecosystem_exchange", GREEN, "positive to the atmosphere")
    axes.axhline(0, color=INK, linewidth=0.6)
    room(axes)
    tier = profile.word("net_ecosystem_exchange", "tier")
    finish(axes, "g C m$^{-2}$\nyr$^{-1}$", "Net ecosystem exchange", f"{tier} from land cover")


def _fossil(axes: Axes, profile: Profile) -> None:
    from matplotlib.ticker import FixedLocator, NullLocator

    axes.set_yscale("symlog", linthresh=_EVEN_BELOW)
    rows = profile.rows("fossil_emissions")
    x, high = rows["distance_km"], rows[["mean", "hi95"]].max().max()
    # Towns lie in one segment and not in the next; a line between them would show emissions where there are none.
    axes.fill_between(x, rows["lo95"], rows["hi95"], step="mid", color=VERMILION, alpha=0.16, linewidth=0)
    axes.step(x, rows["mean"], where="mid", color=VERMILION, linewidth=1.2, label="to the atmosphere")
    decades = [0.0] + [10.0**k for k in range(1, 10, 2) if 10.0**k <= max(high, _EVEN_BELOW)]
    axes.set_ylim(0, 2 * max(high, _EVEN_BELOW))
    axes.yaxis.set_major_locator(FixedLocator(decades))
    axes.yaxis.set_minor_locator(NullLocator())
    tier = profile.word("fossil_emissions", "tier")
    finish(axes, "g CO$_2$ m$^{-2}$\nyr$^{-1}$", "Fossil CO$_2$ emissions", f"{tier} by population of towns")
