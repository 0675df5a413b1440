"""Figures of the trade section: balances by sector, and by region on a map."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import matplotlib as mpl

from geotools.report.charts import CHART_RC, MARKERS, PALETTE, WIDTH, blank, shortened
from geotools.report.names import term_name
from geotools.report.style import BLUE, GREY, INK, VERMILION

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def sectors(rows: list[dict[str, Any]], accounts: list[str], names: dict[str, str]) -> Figure:
    """Draw the balance of each sector by account, with intervals.

    Parameters
    ----------
    rows : list of dict
        `sector`, `account`, `balance`, `lo95`, `hi95` in Mt.
    accounts : list of str
    names : dict of str to str
        What the accounts are called.

    Returns
    -------
    matplotlib.figure.Figure
    """
    order = list(dict.fromkeys(r["sector"] for r in rows))
    with mpl.rc_context(CHART_RC):
        height = 0.3 * len(order) + 1.0
        figure = blank(WIDTH, height)
        axes = figure.add_axes((0.36, 0.5 / height, 0.61, (height - 0.95) / height))
        for k, account in enumerate(accounts):
            colour, marker = PALETTE[k % 5], MARKERS[k % 5]
            part = [r for r in rows if r["account"] == account]
            y = [-order.index(r["sector"]) + 0.13 * (len(accounts) - 1) - 0.26 * k for r in part]
            for r, place in zip(part, y, strict=True):
                axes.plot([r["lo95"], r["hi95"]], [place, place], color=colour, linewidth=1.6)
            axes.plot(
                [r["balance"] for r in part], y, marker, color=colour, markersize=4.5,
                label=names.get(account, account),
            )  # fmt: skip
        axes.axvline(0, color=INK, linewidth=0.7)
        axes.set_yticks(
            [-i for i in range(len(order))], [shortened(term_name(s), 32) for s in order], fontsize=7.2
        )
        axes.set_ylim(-len(order) + 0.4, 0.6)
        axes.tick_params(axis="y", length=0)
        axes.spines["left"].set_visible(False)
        axes.grid(axis="x", color="#dddddd", linewidth=0.5)
        axes.set_axisbelow(True)
        axes.set_xlabel("balance, Mt CO₂ per year")
        figure.legend(loc="upper right", ncols=len(accounts), bbox_to_anchor=(0.99, 1.0))
    return figure


def region_map(values: dict[str, float], *, title: str) -> Figure | None:
    """Draw the balance of each region on an equal-area map, colours centred on zero.

    Parameters
    ----------
    values : dict of str to float [Mt CO2 per year]
        By ISO 3166-2 code; codes without a polygon are not drawn.
    title : str

    Returns
    -------
    matplotlib.figure.Figure or None
        Nothing where no code has a polygon.
    """
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import LinearSegmentedColormap, Normalize

    from geotools.catalog import admin_regions
    from geotools.report.map import _PROJECTION, _halo

    regions = admin_regions().to_crs(_PROJECTION)
    shown = regions[regions.index.isin(list(values))]
    if shown.empty:
        return None
    regions = regions.assign(geometry=regions.geometry.simplify(6000))
    largest = max(abs(values[str(k)]) for k in shown.index) or 1.0
    norm = Normalize(-largest, largest)
    colours = LinearSegmentedColormap.from_list("balance", [BLUE, "#f7f7f7", VERMILION])
    west, south, east, north = shown.total_bounds
    margin = 0.04 * max(east - west, north - south)
    ratio = (north - south + 2 * margin) / (east - west + 2 * margin)
    with mpl.rc_context(CHART_RC):
        height = WIDTH * 0.96 * ratio + 0.85
        figure = blank(WIDTH, height)
        axes = figure.add_axes((0.02, 0.6 / height, 0.96, (height - 0.85) / height))
        axes.set_xlim(west - margin, east + margin)
        axes.set_ylim(south - margin, north + margin)
        axes.set_aspect("equal")
        axes.set_facecolor("#e9eef2")
        box = regions.cx[west - margin : east + margin, south - margin : north + margin]
        rest = box[~box.index.isin(shown.index)]
        if len(rest):
            rest.plot(ax=axes, color="#eeeeea", edgecolor="#bbbbbb", linewidth=0.3, hatch=None, aspect=None)
        part = regions.loc[shown.index]
        fill = [colours(norm(values[str(k)])) for k in part.index]
        part.plot(ax=axes, color=fill, edgecolor=INK, linewidth=0.5, aspect=None)
        for key, geometry in part.geometry.items():
            point = geometry.representative_point()
            axes.annotate(
                f"{key}\n{_signed(values[str(key)])}",
                (point.x, point.y), fontsize=6, ha="center", va="center", color=INK, annotation_clip=True,
                path_effects=_halo(),
            )  # fmt: skip
        axes.set(xticks=[], yticks=[], xlabel="", ylabel="")
        for spine in axes.spines.values():
            spine.set_visible(True)
            spine.set_color(GREY)
        axes.set_title(title, fontsize=8.5)
        scale = figure.add_axes((0.2, 0.42 / height, 0.6, 0.1 / height))
        figure.colorbar(
            ScalarMappable(norm, colours), cax=scale, orientation="horizontal",
            label="balance, Mt CO₂ per year (positive: exports embody more)",
        )  # fmt: skip
    return figure


def _signed(value: float) -> str:
    return f"{value:+.2g}".replace("-", "−")
