"""Ground temperatures of stations: trumpet curves, and modelled beside observed series."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from geotools.errors import UsageError
from geotools.report.style import BLUE, GREY, INK, ORANGE, RC, VERMILION, sources_line

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_OBSERVED, _LOW, _HIGH = INK, BLUE, VERMILION


def trumpet_figure(
    observed: Mapping[str, xr.Dataset],
    modelled: Mapping[str, xr.Dataset] | None = None,
    *,
    title: str,
    sources: str,
    label: str = "modelled",
) -> Figure:
    """Draw trumpet curves, a panel for each place.

    Parameters
    ----------
    observed : mapping of str to xarray.Dataset
        Of `permafrost.trumpet_curve`, by the name of the place.
    modelled : mapping of str to xarray.Dataset, optional
        The same of a model, drawn as lines beside the points of the observations.
    title, sources : str
    label : str
        What the modelled curves are called.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    UsageError
        When there is nothing to draw, or a place is modelled that is not observed.
    """
    import matplotlib as mpl
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D

    _ensure_places(observed, modelled or {})
    with mpl.rc_context(RC):
        figure = Figure(figsize=(2.75 * len(observed) + 0.6, 4.4))
        panels = figure.subplots(1, len(observed), sharey=True, squeeze=False)
        figure.subplots_adjust(
            left=0.75 / figure.get_figwidth(), right=0.985, top=0.83, bottom=0.225, wspace=0.12
        )
        for panel, (name, curves) in zip(panels[0], observed.items(), strict=True):
            model = (modelled or {}).get(name)
            _trumpet(panel, curves, model)
            panel.set_title(name, pad=25)
            panel.set_xlabel("temperature (°C)")
            panel.text(0.0, 1.02, _ground_text(curves, model, label), transform=panel.transAxes, fontsize=6.8)
        panels[0, 0].set_ylabel("depth (m)")
        panels[0, 0].set_ylim(bottom=0.0)
        panels[0, 0].invert_yaxis()
        handles = [
            Line2D([], [], color=c, marker="o", markersize=4, linestyle="none" if modelled else "-", label=t)
            for c, t in ((_LOW, "lowest"), (_OBSERVED, "mean"), (_HIGH, "highest of the year, observed"))
        ]
        if modelled:
            handles.append(Line2D([], [], color=GREY, label=label))
        figure.legend(handles=handles, loc="lower left", bbox_to_anchor=(0.01, 0.045), ncols=4)
        figure.suptitle(title, x=0.01, y=0.99, ha="left", fontsize=10.5, fontweight="bold")
        sources_line(figure, sources, width=int(21 * figure.get_figwidth()))
    return figure


def _trumpet(axes: Axes, observed: xr.Dataset, modelled: xr.Dataset | None) -> None:
    axes.axvline(0.0, color=INK, linewidth=0.6)
    for name, colour in (("minimum", _LOW), ("mean", _OBSERVED), ("maximum", _HIGH)):
        curve = observed[f"tsl_{name}"].dropna("depth")
        style = {"linestyle": "none"} if modelled is not None else {"linewidth": 1.2}
        axes.plot(curve, curve["depth"], color=colour, marker="o", markersize=4, **style)
        if modelled is not None:
            line = modelled[f"tsl_{name}"].dropna("depth")
            axes.plot(line, line["depth"], color=colour, linewidth=1.3)


def _ground_text(observed: xr.Dataset, modelled: xr.Dataset | None, label: str) -> str:
    return "\n".join(
        f"{words}: {float(curves['magt']):.1f} °C at {float(curves['magt_depth']):g} m, {curves.attrs['years']}"
        for words, curves in (("observed", observed), (label, modelled))
        if curves is not None
    )


def comparison_figure(
    observed: Mapping[str, xr.DataArray],
    modelled: Mapping[str, xr.DataArray],
    scores: pd.DataFrame,
    *,
    title: str,
    sources: str,
    label: str = "modelled",
    since: Mapping[str, str] | None = None,
) -> Figure:
    """Draw modelled and observed ground temperatures over time, a panel for each place and depth.

    Parameters
    ----------
    observed : mapping of str to xarray.DataArray [time, depth; degC]
        Daily, by the name of the place; each depth makes a panel.
    modelled : mapping of str to xarray.DataArray [time, depth; degC]
        With the depths of the observations.
    scores : pandas.DataFrame
        Of `permafrost.compare_with_observations`, with the names as `station`; written into the panels.
    title, sources : str
    label : str
    since : mapping of str to str, optional
        From which day on the scores count, where that is not the whole record; marked by a line.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    UsageError
        When there is nothing to draw, or a place is modelled that is not observed.
    """
    import matplotlib as mpl
    from matplotlib.figure import Figure

    _ensure_places(observed, modelled)
    pairs = [(n, float(d)) for n, field in observed.items() for d in field["depth"].values]
    with mpl.rc_context(RC):
        figure = Figure(figsize=(8.2, 1.12 * len(pairs) + 1.1))
        panels = figure.subplots(len(pairs), 1, sharex=True, squeeze=False)
        height = figure.get_figheight()
        figure.subplots_adjust(
            left=0.075, right=0.985, top=1 - 0.45 / height, bottom=0.95 / height, hspace=0.18
        )
        for panel, (name, depth) in zip(panels[:, 0], pairs, strict=True):
            seen = observed[name].sel(depth=depth)
            ours = modelled[name].sel(depth=depth, method="nearest")
            panel.axhline(0.0, color=INK, linewidth=0.4)
            panel.plot(ours["time"], ours, color=ORANGE, linewidth=0.9, label=label)
            panel.plot(seen["time"], seen, color=INK, linewidth=0.6, label="observed")
            if since and name in since:
                panel.axvline(
                    np.datetime64(since[name]).astype("datetime64[D]"),
                    color=GREY,
                    linewidth=0.8,
                    linestyle=":",
                )
            low, high = panel.get_ylim()
            panel.set_ylim(low, high + 0.42 * (high - low))
            panel.text(
                0.008, 0.97, _score_text(name, depth, scores), transform=panel.transAxes, fontsize=7, va="top"
            )
        panels[len(pairs) // 2, 0].set_ylabel("ground temperature (°C)")
        panels[-1, 0].legend(loc="lower right", ncols=2, bbox_to_anchor=(1.0, -0.62))
        figure.suptitle(title, x=0.01, y=1 - 0.06 / height, ha="left", fontsize=10.5, fontweight="bold")
        sources_line(figure, sources, width=158)
    return figure


def _score_text(name: str, depth: float, scores: pd.DataFrame) -> str:
    rows = scores[(scores["station"] == name) & (abs(scores["depth_m"] - depth) < 1e-6)]
    if rows.empty:
        return f"{name}, {depth:g} m"
    row = rows.iloc[0]
    text = f"{name}, {depth:g} m: bias {row['bias'] + 0.0:+.2f} K, RMSE {row['rmse']:.2f} K, n = {row['n']}"
    if "skill" in row and np.isfinite(row["skill"]):
        text += f", climatology {row['rmse_reference']:.2f} K"
    return text


def _ensure_places(observed: Mapping[str, object], modelled: Mapping[str, object]) -> None:
    if not observed:
        raise UsageError("no place", where="argument 'observed'", expected="at least one")
    lost = [name for name in modelled if name not in observed]
    if lost:
        raise UsageError(
            f"no observations of {lost[0]!r}",
            where="argument 'observed'",
            expected=f"one of {', '.join(modelled)}",
        )
