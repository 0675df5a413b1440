"""Figures of the page: budget terms and carbon along the transect."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Any

import matplotlib as mpl
import numpy as np

from geotools.report.answer import CARBON, carbon_label, cell, chosen, closed, fluxes
from geotools.report.names import term_name, zone_name
from geotools.report.numbers import pretty_unit
from geotools.report.style import BLUE, GREEN, INK, ORANGE, PURPLE, RC, VERMILION

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

PALETTE = (BLUE, VERMILION, ORANGE, GREEN, PURPLE)
MARKERS = ("o", "s", "D", "^", "v")
_ROW = 0.21
# Names come from files, where a dollar is a dollar.
CHART_RC: Any = {**RC, "text.parse_math": False}
# Narrow, so that its letters can be read where the page is as narrow as a phone.
WIDTH = 5.0
_TITLES = {"memo": "Closed budget"}
_AXIS = {
    "natural": "{unit}, positive to the atmosphere",
    "lateral": "{unit}, positive out of the zone",
    "territorial": "{unit}, positive to the atmosphere",
}


def blank(width: float, height: float) -> Figure:
    """An empty figure of a size in inches."""
    # Not by pyplot, which would need a display setting and keep the figure.
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height))


def budget(table: pd.DataFrame, zones: list[str]) -> Figure | None:
    """Draw the terms of the budget as dots with intervals, one panel per account, gas and unit.

    Parameters
    ----------
    table : pandas.DataFrame
        budget.csv.
    zones : list of str
        Which zones, in order.

    Returns
    -------
    matplotlib.figure.Figure or None
        Nothing where no zone has a flux.
    """
    import pandas as pd

    table = table[table["zone"].isin(zones) & table["value"].notna()]
    rows = chosen(fluxes(table))
    rows = pd.concat([closed(table), rows[rows["account"] != ""]])
    if rows.empty:
        return None
    mass = rows["species"].where(~rows["species"].isin(CARBON), "C")
    groups = [(k, g) for k, g in rows.groupby([rows["account"], mass, rows["unit"]], sort=False)]
    order = ["memo", "natural", "lateral", "territorial"]
    groups.sort(key=lambda g: order.index(g[0][0]) if g[0][0] in order else 9)
    lines = [
        _budget_lines(group.sort_values("zone", key=lambda z: z.map(zones.index), kind="stable"))
        for _, group in groups
    ]
    heights = [_ROW * (len(found) + 0.6) for found in lines]
    with mpl.rc_context(CHART_RC):
        used = [z for z in zones if z in set(rows["zone"])]
        legend = 0.17 * math.ceil(len(used) / 2) + 0.1
        total = sum(heights) + 0.72 * len(groups) + legend
        figure = blank(WIDTH, total)
        top = total - 0.25 - legend
        for (key, _), found, height in zip(groups, lines, heights, strict=True):
            axes = figure.add_axes((0.36, (top - height) / total, 0.61, height / total))
            _dots(axes, found, zones)
            account, species, unit = (str(part) for part in key)
            axes.set_xlabel(_AXIS.get(account, "{unit}").format(unit=pretty_unit(unit, species)))
            axes.set_title(_TITLES.get(account, account.capitalize()), x=-0.58, fontsize=9)
            top -= height + 0.72
        from matplotlib.lines import Line2D

        handles: list[Any] = [
            Line2D([], [], color=_style(z, zones)[0], marker=_style(z, zones)[1], linestyle="", label=zone_name(z))
            for z in used
        ]  # fmt: skip
        figure.legend(
            handles=handles, loc="upper left", ncols=2, bbox_to_anchor=(0.0, 1.0), borderaxespad=0.2
        )
    return figure


def _style(zone: str, zones: list[str]) -> tuple[str, str]:
    i = zones.index(zone)
    return PALETTE[i % len(PALETTE)], MARKERS[i % len(MARKERS)]


def _budget_lines(group: pd.DataFrame) -> list[tuple[str, str, Any]]:
    """Heading or source of each line, from top to bottom: (text, kind, row)."""
    found: list[tuple[str, str, Any]] = []
    carbon = set(group["species"]) <= CARBON
    for (term, species), part in group.groupby(["term", "species"], sort=False):
        label = carbon_label(str(species)) if carbon else ""
        found.append((term_name(str(term)) + (f" [{label}]" if label else ""), "heading", None))
        for row in part.to_dict("records"):
            derived = row["account"] == "memo" or cell(row, "tier") != "published"
            words = zone_name(str(row["zone"])) if derived else cell(row, "source").split(",")[0]
            found.append((shortened(words), "row", row))
    return found


def shortened(text: str, limit: int = 30) -> str:
    """A text cut to a number of letters."""
    return text if len(text) <= limit else text[: limit - 1].rstrip() + "…"


def _dots(axes: Axes, lines: list[tuple[str, str, Any]], zones: list[str]) -> None:
    for i, (text, kind, row) in enumerate(lines):
        if kind == "heading":
            axes.annotate(
                text, (-0.58, -i), xycoords=("axes fraction", "data"), fontsize=7.5, fontweight="bold", va="center",
                bbox={"facecolor": "white", "edgecolor": "none", "pad": 1.0},
            )  # fmt: skip
            continue
        axes.annotate(
            text, (-0.03, -i), xycoords=("axes fraction", "data"), fontsize=7.2, ha="right", va="center"
        )
        colour, marker = _style(row["zone"], zones)
        if math.isfinite(row["lo95"]) and math.isfinite(row["hi95"]):
            axes.plot(
                [row["lo95"], row["hi95"]], [-i, -i], color=colour, linewidth=1.8, solid_capstyle="butt"
            )
            face = colour
        else:
            # Hollow, so that a value without an interval is not taken for an exact one.
            face = "white"
        axes.plot(row["value"], -i, marker, color=colour, markerfacecolor=face, markersize=5.2, zorder=3)
    axes.set_ylim(-len(lines) + 0.4, 0.6)
    axes.set_yticks([])
    axes.spines["left"].set_visible(False)
    low, high = axes.get_xlim()
    axes.set_xlim(min(low, 0), max(high, 0))
    axes.axvline(0, color=INK, linewidth=0.7)
    axes.grid(axis="x", color="#dddddd", linewidth=0.5)
    axes.set_axisbelow(True)


def along(table: pd.DataFrame, distances: dict[str, float]) -> Figure | None:
    """Draw the carbon terms of the segments over distance, one panel per term.

    Parameters
    ----------
    table : pandas.DataFrame
        Rows of budget.csv whose zones are segments.
    distances : dict of str to float [km]
        Of each zone's middle.

    Returns
    -------
    matplotlib.figure.Figure or None
    """
    import pandas as pd

    rows = pd.concat([closed(table), chosen(fluxes(table))])
    keys = list(rows.groupby(["term", "species", "unit"], sort=False))
    if not keys:
        return None
    with mpl.rc_context(CHART_RC):
        figure = blank(WIDTH, 1.25 * len(keys) + 0.4)
        panels = figure.subplots(len(keys), 1, sharex=True, squeeze=False)[:, 0]
        figure.subplots_adjust(
            left=0.15, right=0.98, top=0.97, bottom=0.5 / figure.get_figheight(), hspace=0.45
        )
        for axes, ((term, species, unit), part), colour in zip(panels, keys, PALETTE * 9, strict=False):
            x = part["zone"].map(distances).to_numpy(dtype=float)
            order = np.argsort(x)
            values, low, high = (part[c].to_numpy()[order] for c in ("value", "lo95", "hi95"))
            axes.fill_between(x[order], low, high, color=colour, alpha=0.2, linewidth=0)
            axes.plot(x[order], values, color=colour, linewidth=1.3)
            axes.axhline(0, color=INK, linewidth=0.5)
            axes.set_title(f"{re.sub(r' [(][^)]*[)]$', '', term_name(str(term)))} per segment", fontsize=8)
            axes.set_ylabel(pretty_unit(str(unit), str(species)), fontsize=7.5)
        panels[-1].set_xlabel("distance along the transect (km)")
    return figure
