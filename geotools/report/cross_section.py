"""Ground temperature over depth along a transect: the cross-section from the surface to the base of permafrost."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from geotools.report.style import BLUE, GREY, INK, RC, VERMILION, sources_line

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Depths [m] at which the axis changes its scale, and where on the panel they lie: the active layer, the ground that
# knows the seasons, and all below have about as much room.
_DEPTHS = (0.0, 2.0, 20.0, 500.0)
_HEIGHTS = (0.0, 1.0, 2.0, 3.0)
_TICKS = (0, 0.5, 1, 1.5, 2, 5, 10, 15, 20, 100, 200, 300, 400, 500)
# Symmetric about 0 degC with a class of its own around it, which is white.
_STEPS = (0.25, 1.0, 2.0, 3.0, 4.0, 6.0, 8.0, 10.0)
LEVELS = (*(-s for s in reversed(_STEPS)), *_STEPS)

_LINES: dict[str, tuple[str, dict[str, Any]]] = {
    "active_layer_thickness": ("base of the active layer", {"color": "#B8860B", "linewidth": 1.6}),
    "zero_annual_amplitude_depth": (
        "zero annual amplitude (0.1 K)",
        {"color": "#5B2A86", "linewidth": 1.2, "linestyle": "-."},
    ),
    "permafrost_base_depth": (
        "permafrost base, heat flux assumed",
        {"color": INK, "linewidth": 1.5, "linestyle": (0, (5, 2))},
    ),
    "permafrost_base_depth_ttop": (
        "permafrost base from TTOP, likewise",
        {"color": BLUE, "linewidth": 1.2, "linestyle": (0, (5, 2))},
    ),
}


def to_height(depth: Any) -> Any:
    """Place on the panel of depths [m], in units of a third of its height.

    Examples
    --------
    >>> to_height([0, 1, 2, 11, 20, 260]).tolist()
    [0.0, 0.5, 1.0, 1.5, 2.0, 2.5]
    """
    depth = np.asarray(depth, dtype="float64")
    beyond = _HEIGHTS[-1] + (depth - _DEPTHS[-1]) * (1.0 / (_DEPTHS[-1] - _DEPTHS[-2]))
    return np.where(depth > _DEPTHS[-1], beyond, np.interp(depth, _DEPTHS, _HEIGHTS))


def to_depth(height: Any) -> Any:
    """Depth [m] at a place on the panel, the inverse of `to_height`."""
    height = np.asarray(height, dtype="float64")
    beyond = _DEPTHS[-1] + (height - _HEIGHTS[-1]) * (_DEPTHS[-1] - _DEPTHS[-2])
    return np.where(height > _HEIGHTS[-1], beyond, np.interp(height, _HEIGHTS, _DEPTHS))


def ground_cross_section(
    section: xr.Dataset, places: list[tuple[str, float]], *, title: str, sources: str, label: str
) -> Figure:
    """Draw mean annual ground temperature over distance and depth.

    Parameters
    ----------
    section : xarray.Dataset [segment, depth]
        From `ground_in_balance` along a transect, with `distance_km` and `lat` along the segments, and `maat`.
    places : list of (name, distance in km)
        Named on top.
    title, sources : str
    label : str
        What the values are called, e.g. "modelled from ERA5".

    Returns
    -------
    matplotlib.figure.Figure
    """
    import matplotlib as mpl
    from matplotlib.figure import Figure

    with mpl.rc_context(RC):
        figure = Figure(figsize=(8.6, 8.5))
        above, axes = figure.subplots(
            2, 1, sharex=True, gridspec_kw={"height_ratios": [1.25, 4.0], "hspace": 0.06}
        )
        figure.subplots_adjust(left=0.085, right=0.875, top=0.872, bottom=0.222)
        distance = section["distance_km"].values
        _temperatures(above, section, label)
        filled = _filled(axes, section)
        lines = _lines(axes, section)
        _depth_axis(axes, section)
        for panel in (above, axes):
            panel.set_xlim(float(distance[0]), float(distance[-1]))
            for _, at in places:
                panel.axvline(at, color=GREY, linewidth=0.5, linestyle=":", zorder=3)
        for name, at in places:
            above.annotate(
                name,
                (at, 1.03),
                xycoords=("data", "axes fraction"),
                rotation=45,
                fontsize=7.5,
                ha="left",
                va="bottom",
            )
        _latitudes(axes, section)
        axes.legend(
            handles=lines, loc="upper center", bbox_to_anchor=(0.5, -0.155), ncols=3, handlelength=2.6,
            title=f"equilibrium with the mean year, {label}",
        )  # fmt: skip
        box = axes.get_position()
        bar = figure.add_axes((0.893, box.y0, 0.016, box.height))
        figure.colorbar(filled, cax=bar, ticks=LEVELS, format="%g", extendfrac=0.04)
        bar.set_ylabel("mean annual ground temperature (°C)")
        bar.tick_params(length=2, labelsize=7.5)
        figure.suptitle(title, x=0.01, y=0.99, ha="left", fontsize=10.5, fontweight="bold")
        sources_line(figure, sources, width=165)
    return figure


def _temperatures(axes: Axes, section: xr.Dataset, label: str) -> None:
    x = section["distance_km"].values
    axes.axhline(0.0, color=INK, linewidth=0.6)
    axes.plot(x, section["maat"], color=VERMILION, linewidth=1.2, label="air")
    axes.plot(
        x, section["ground_temperature_top"], color=BLUE, linewidth=1.6, label="ground, transient column"
    )
    axes.plot(x, section["ttop"], color=BLUE, linewidth=1.0, linestyle="--", label="ground, TTOP")
    axes.set_ylabel("mean annual\ntemperature (°C)")
    low, high = axes.get_ylim()
    axes.set_ylim(low, high + 0.25 * (high - low))
    axes.legend(
        loc="upper right", ncols=3, title="ground: at the top of permafrost or the base of seasonal frost"
    )


def _filled(axes: Axes, section: xr.Dataset) -> Any:
    import matplotlib as mpl
    from matplotlib.colors import BoundaryNorm, ListedColormap

    # Red and blue of one lightness on both sides are told apart by colour-blind readers too.
    scale = mpl.colormaps["RdBu_r"]
    half = np.linspace(0.0, 1.0, len(_STEPS) + 1)[1:]
    colours = [*scale(0.5 - 0.5 * half[::-1]), (1.0, 1.0, 1.0, 1.0), *scale(0.5 + 0.5 * half)]
    palette = ListedColormap(colours[1:-1]).with_extremes(under=colours[0], over=colours[-1])
    field = section["tsl_mean"].transpose("depth", "segment")
    filled = axes.contourf(
        section["distance_km"].values,
        to_height(section["depth"].values),
        field.values,
        levels=LEVELS,
        cmap=palette,
        norm=BoundaryNorm(LEVELS, palette.N),
        extend="both",
    )
    axes.contour(
        section["distance_km"].values, to_height(section["depth"].values), field.values, levels=LEVELS, colors=GREY,
        linewidths=0.25,
    )  # fmt: skip
    axes.set_facecolor("#d9d9d9")
    return filled


def _lines(axes: Axes, section: xr.Dataset) -> list[Any]:
    """Lines over the temperatures, and what they are called."""
    from matplotlib.lines import Line2D

    x = section["distance_km"].values
    axes.contour(
        x, to_height(section["depth"].values), section["tsl_mean"].transpose("depth", "segment").values, levels=[0.0],
        colors=INK, linewidths=1.3,
    )  # fmt: skip
    halo: dict[str, Any] = {"color": "white", "linewidth": 2.6, "zorder": 4}
    handles = [Line2D([], [], color=INK, linewidth=1.3, label="0 °C, mean annual")]
    for name, (words, style) in _LINES.items():
        y = to_height(section[name].values)
        y = np.where(y <= _HEIGHTS[-1], y, np.nan)
        axes.plot(x, y, **halo)
        axes.plot(x, y, zorder=5, **style)
        handles.append(Line2D([], [], label=words, **style))
    return handles


def _depth_axis(axes: Axes, section: xr.Dataset) -> None:
    axes.set_ylim(_HEIGHTS[-1], _HEIGHTS[0])
    axes.set_yticks(to_height(_TICKS), [f"{t:g}" for t in _TICKS])
    axes.tick_params(axis="y", labelsize=7.5)
    for bound in _HEIGHTS[1:-1]:
        axes.axhline(bound, color="white", linewidth=1.8, zorder=3)
        axes.axhline(bound, color=INK, linewidth=0.6, zorder=3)
    axes.set_ylabel("depth (m), three scales")
    simulated = section["depth"].values[section["simulated"].values == 1]
    if simulated.size < section["depth"].size:
        at = to_height(simulated[-1])
        axes.axhline(at, color=GREY, linewidth=0.8, linestyle=(0, (1, 2)), zorder=3)
        axes.text(
            0.995,
            at + 0.02,
            f"below {simulated[-1]:g} m: geothermal gradient, heat flux assumed",
            fontsize=6.5,
            va="top",
            ha="right",
            transform=axes.get_yaxis_transform(),
            color=INK,
            zorder=6,
            bbox={"facecolor": "white", "edgecolor": "none", "alpha": 0.7, "pad": 1.0},
        )


def _latitudes(axes: Axes, section: xr.Dataset) -> None:
    """Latitude on the axis itself, at its first crossings, and distance below it."""
    distance, lat = section["distance_km"].values, section["lat"].values
    ticks, labels = [], []
    for value in range(-90, 91, 2):
        crossed = np.flatnonzero(np.diff(np.sign(lat - value)))
        if crossed.size:
            k = int(crossed[0])
            share = (value - lat[k]) / (lat[k + 1] - lat[k])
            ticks.append(float(distance[k] + share * (distance[k + 1] - distance[k])))
            labels.append(f"{abs(value)}°{'N' if value >= 0 else 'S'}")
    axes.set_xticks(ticks, labels, fontsize=7.5)
    axes.set_xlabel("latitude along the transect", labelpad=1)
    below = axes.secondary_xaxis(-0.085)
    below.set_xlabel("distance (km)", labelpad=1)
    below.tick_params(length=3, labelsize=7.5)
    below.spines["bottom"].set_linewidth(0.4)
