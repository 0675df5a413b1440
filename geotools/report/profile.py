"""The profile along the transect: temperature, snow, permafrost, thaw depth and zones."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from geotools.report.style import (
    BLUE,
    GREEN,
    GREY,
    INK,
    ORANGE,
    PURPLE,
    RC,
    SKY,
    VERMILION,
    ZONE_COLOURS,
    sources_line,
)
from geotools.vocabulary import Zone

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def transect_profile(
    table: pd.DataFrame, places: list[tuple[str, float]], *, title: str, sources: str, label: str
) -> Figure:
    """Draw a transect table as stacked panels over distance.

    Parameters
    ----------
    table : pandas.DataFrame
        transect.csv: one row per segment, variable and class.
    places : list of (name, distance in km)
        Marked by vertical lines.
    title, sources : str
    label : str
        What the modelled values are called, e.g. "modelled from ERA5".

    Returns
    -------
    matplotlib.figure.Figure
    """
    import matplotlib.pyplot as plt

    with plt.rc_context(RC):
        figure, panels = plt.subplots(
            5,
            1,
            figsize=(8.2, 10.4),
            sharex=True,
            gridspec_kw={"height_ratios": [3.4, 1.9, 2, 2, 1.5], "hspace": 0.16},
        )
        figure.subplots_adjust(left=0.085, right=0.9, top=0.9, bottom=0.165)
        _temperature(panels[0], table, label)
        _snow(panels[1], table, label)
        _probability(panels[2], table, label)
        _thaw(panels[3], table, label)
        _zone_bar(panels[4], table, label)
        last = float(table["distance_km"].max())
        for panel in panels:
            panel.set_xlim(0, last)
            for _, distance in places:
                panel.axvline(distance, color=GREY, linewidth=0.4, linestyle=":", zorder=0)
        for name, distance in places:
            panels[0].annotate(
                name,
                (distance, 1.02),
                xycoords=("data", "axes fraction"),
                rotation=45,
                fontsize=7,
                ha="left",
                va="bottom",
            )
        _latitudes(panels[-1], table)
        figure.suptitle(title, x=0.01, y=0.99, ha="left", fontsize=10.5, fontweight="bold")
        sources_line(figure, sources, width=158)
    return figure


def _rows(table: pd.DataFrame, variable: str) -> pd.DataFrame:
    return table[(table["variable"] == variable)].sort_values("distance_km")


def _band(
    axes: Axes, table: pd.DataFrame, variable: str, colour: str, label: str, *, spread: bool = True
) -> None:
    rows = _rows(table, variable)
    x = rows["distance_km"]
    if rows["lo95"].notna().any():
        axes.fill_between(x, rows["lo95"], rows["hi95"], color=colour, alpha=0.18, linewidth=0)
    if spread:
        axes.plot(x, rows["p10"], color=colour, linewidth=0.5, linestyle="--")
        axes.plot(x, rows["p90"], color=colour, linewidth=0.5, linestyle="--")
    axes.plot(x, rows["mean"], color=colour, linewidth=1.5, label=label)


def _temperature(axes: Axes, table: pd.DataFrame, label: str) -> None:
    _band(axes, table, "maat", VERMILION, "air, mean annual", spread=False)
    _band(
        axes, table, "mean_annual_ground_surface_temperature", GREEN, f"ground surface, {label}", spread=False
    )
    _band(axes, table, "magt", BLUE, f"top of permafrost, {label}")
    axes.axhline(0, color=INK, linewidth=0.6)
    axes.set_ylabel("temperature (°C)")
    low, high = axes.get_ylim()
    axes.set_ylim(low - 0.3 * (high - low), high)
    axes.legend(
        loc="lower left",
        title="mean; 95 % band; dashed: 10th and 90th percentile of the swath",
        alignment="left",
    )


def _snow(axes: Axes, table: pd.DataFrame, label: str) -> None:
    _band(axes, table, "snow_depth_winter_mean", PURPLE, f"winter-mean snow depth, {label}")
    axes.set_ylabel("snow depth (m)")
    axes.set_ylim(0, axes.get_ylim()[1] * 1.3)
    other = axes.twinx()
    other.spines["right"].set_visible(True)
    rows = _rows(table, "annual_precipitation")
    other.plot(rows["distance_km"], rows["mean"], color=SKY, linewidth=1.3, label="annual precipitation")
    other.set_ylabel("precipitation\n(mm per year)")
    other.set_ylim(0, other.get_ylim()[1] * 1.3)
    lines = axes.get_lines()[-1:] + other.get_lines()
    axes.legend(lines, [str(line.get_label()) for line in lines], loc="upper right", ncols=2)


def _probability(axes: Axes, table: pd.DataFrame, label: str) -> None:
    _band(axes, table, "permafrost_probability", BLUE, f"permafrost probability, {label}")
    axes.set_ylim(0, 1.02)
    axes.set_ylabel("probability (1)")
    axes.legend(loc="lower right")


def _thaw(axes: Axes, table: pd.DataFrame, label: str) -> None:
    _band(axes, table, "active_layer_thickness", ORANGE, f"active-layer thickness where permafrost, {label}")
    rows = _rows(table, "thaw_depth")
    axes.plot(
        rows["distance_km"],
        rows["mean"],
        color=INK,
        linewidth=0.8,
        linestyle="-.",
        label="Stefan thaw depth, all cells",
    )
    axes.set_ylim(bottom=0)
    axes.invert_yaxis()
    axes.set_ylabel("depth (m)")
    axes.legend(loc="lower right")


def _zone_bar(axes: Axes, table: pd.DataFrame, label: str) -> None:
    rows = table[table["variable"] == "permafrost_zone"]
    shares = rows.pivot_table(index="distance_km", columns="class", values="mean").fillna(0.0)
    centres = shares.index.to_numpy()
    width = np.gradient(centres) if len(centres) > 1 else np.array([1.0])
    base = np.zeros(len(centres))
    for zone in reversed(Zone):
        if zone.value in shares:
            axes.bar(
                centres,
                shares[zone.value],
                width,
                base,
                color=ZONE_COLOURS[zone],
                edgecolor="none",
                label=zone.value,
            )
            base = base + shares[zone.value].to_numpy()
    axes.set_ylim(0, 1)
    axes.set_ylabel("share of the\nswath (1)")
    axes.legend(loc="upper center", bbox_to_anchor=(0.5, -0.62), ncols=5, title=f"permafrost zone, {label}")


def _latitudes(axes: Axes, table: pd.DataFrame) -> None:
    """Distance on the axis itself, latitude below it at the first crossing of each 5 degrees."""
    rows = _rows(table, "maat")
    distance, lat = rows["distance_km"].to_numpy(), rows["lat"].to_numpy()
    axes.set_xlabel("distance along the transect (km)", labelpad=1)
    below = axes.secondary_xaxis(-0.42)
    ticks, labels = [], []
    for value in range(-90, 91, 5):
        crossed = np.flatnonzero(np.diff(np.sign(lat - value)))
        if crossed.size:
            ticks.append(float(distance[crossed[0]]))
            labels.append(f"{value}°N")
    below.set_xticks(ticks, labels)
    below.tick_params(length=3, labelsize=7.5)
    below.spines["bottom"].set_linewidth(0.4)
