"""The profile along the transect: climate, snow, ground temperature, permafrost, thaw depth and land cover."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from string import ascii_lowercase
from typing import TYPE_CHECKING, Any

import numpy as np

from geotools.report.profile_panels import panels
from geotools.report.profile_parts import ExtraPanel, Profile
from geotools.report.style import GREY, INK, RC, sources_line

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# A sheet of A4 with what a printer keeps free.
_WIDTH, _HEIGHT = 7.9, 11.2
_LEFT, _RIGHT = 0.104, 0.74
# Title and names of places above the panels; axes and sources below them, and each further line of sources.
_TOP_INCHES, _BOTTOM_INCHES, _SOURCE_INCHES = 1.176, 0.88, 0.09
_LETTERS = 150
# Where a profile has few panels, each keeps the height it has among many.
_INCHES_PER_UNIT = 0.78
# Where it has many, the sheet grows rather than that legends run into each other.
_LEAST_INCHES = 0.62
_BETWEEN = 0.24
# Between names, so that two at 45 degrees do not touch.
_NAME_INCHES = 0.155
_BANDS = (
    "Lines: mean of the swath. Light bands: 95 % interval of that mean. Dark bands: 10th to 90th percentile."
)
_SEEN = " Circles: stations, with the range of their years."


def transect_profile(
    table: pd.DataFrame,
    places: list[tuple[str, float]],
    *,
    title: str,
    sources: str,
    label: str,
    observations: pd.DataFrame | None = None,
    extra: Sequence[ExtraPanel] = (),
) -> Figure:
    """Draw a transect table as stacked panels over distance.

    Parameters
    ----------
    table : pandas.DataFrame
        transect.csv: one row per segment, variable and class. Variables that it does not hold have no panel.
    places : list of (name, distance in km)
        Marked by vertical lines.
    title, sources : str
    label : str
        What the modelled values are called, e.g. "modelled from ERA5".
    observations : pandas.DataFrame, optional
        Stations near the line, as `Transect.stations` gives them: columns `name`, `distance_km`, `variable` (as in the
        table), `value` (in its units), a row for each year, and `depth_m` for ground temperatures. Each station is a
        circle at its mean on the scale of the variable, with a bar over its years.
    extra : sequence of ExtraPanel, optional
        Variables of the table that have no panel by themselves, each with its title and origin.

    Returns
    -------
    matplotlib.figure.Figure
    """
    import matplotlib as mpl
    import pandas as pd
    from matplotlib.figure import Figure

    if observations is None:
        observations = pd.DataFrame(columns=["name", "distance_km", "variable", "value"])
    profile = Profile(table, label, observations, tuple(extra))
    wanted = panels(profile)
    units = sum(p.height for p in wanted) + _BETWEEN * (len(wanted) - 1)
    below = _BOTTOM_INCHES + _SOURCE_INCHES * len(textwrap.wrap(sources, _LETTERS))
    free = _TOP_INCHES + below
    height = min(max(_HEIGHT, free + _LEAST_INCHES * units), free + _INCHES_PER_UNIT * units)
    top, bottom = 1 - _TOP_INCHES / height, below / height
    mean = sum(p.height for p in wanted) / len(wanted)
    with mpl.rc_context(RC):
        figure = Figure(figsize=(_WIDTH, height))
        drawn = figure.subplots(
            len(wanted),
            1,
            sharex=True,
            squeeze=False,
            gridspec_kw={"height_ratios": [p.height for p in wanted], "hspace": _BETWEEN / mean},
        )
        figure.subplots_adjust(left=_LEFT, right=_RIGHT, top=top, bottom=bottom)
        last = _end(table)
        for letter, panel, axes in zip(ascii_lowercase, wanted, drawn[:, 0], strict=False):
            panel.draw(axes, profile)
            axes.set_xlim(0, last)
            # On a bar of any colour.
            behind = {"facecolor": "white", "alpha": 0.75, "edgecolor": "none", "pad": 1.0}
            axes.text(
                0.006, 0.95, letter, transform=axes.transAxes, fontweight="bold", va="top", zorder=9, bbox=behind
            )  # fmt: skip
            for _, distance in places:
                axes.axvline(distance, color=GREY, linewidth=0.4, linestyle=":", zorder=0.5)
        figure.align_ylabels(drawn[:, 0])
        _names(drawn[0, 0], places, last)
        _below(drawn[-1, 0], table)
        figure.suptitle(
            title, x=0.012, y=1 - 0.09 / height, ha="left", va="top", fontsize=10.5, fontweight="bold"
        )
        said = _BANDS + (_SEEN if len(observations) else "")
        figure.text(0.012, 1 - 0.31 / height, said, fontsize=6.8, color=INK, va="top")
        sources_line(figure, sources, width=_LETTERS)
    return figure


def _end(table: pd.DataFrame) -> float:
    """Where the line ends: as far behind the middle of the last segment as that lies behind the one before, halved."""
    centres = np.unique(table["distance_km"].to_numpy())
    step = centres[-1] - centres[-2] if centres.size > 1 else 2 * centres[-1]
    return float(centres[-1] + step / 2)


def _names(axes: Axes, places: list[tuple[str, float]], last: float) -> None:
    """Names above the panels, moved aside where they would touch, with a line to their places."""
    apart = _NAME_INCHES / (_WIDTH * (_RIGHT - _LEFT))
    at = spread_apart([distance / last for _, distance in places], apart)
    over = axes.get_xaxis_transform()
    for (name, distance), x in zip(places, at, strict=True):
        axes.plot(
            [distance, x * last], [1.0, 1.055], color=GREY, linewidth=0.5, transform=over, clip_on=False
        )
        turned: dict[str, Any] = {"rotation": 45, "rotation_mode": "anchor", "ha": "left", "va": "bottom"}
        axes.text(x * last, 1.06, name, transform=over, fontsize=7, **turned)


def spread_apart(places: list[float], apart: float) -> list[float]:
    """Places in order, moved as little as it takes that neighbours are no nearer than some distance.

    Parameters
    ----------
    places : list of float
        Ascending.
    apart : float

    Returns
    -------
    list of float
        Groups that had to be moved stay around the mean of their places.
    """
    groups: list[list[float]] = []
    for place in places:
        groups.append([place])
        # A group is as wide as its names need; one that touches the group before joins it.
        while len(groups) > 1 and _start(groups[-1], apart) < _start(groups[-2], apart) + apart * len(
            groups[-2]
        ):
            groups[-2:] = [[*groups[-2], *groups[-1]]]
    return [_start(group, apart) + apart * k for group in groups for k in range(len(group))]


def _start(group: list[float], apart: float) -> float:
    return sum(group) / len(group) - apart * (len(group) - 1) / 2


def _below(axes: Axes, table: pd.DataFrame) -> None:
    """Distance on the axis itself, latitude below it at the first crossing of each 5 degrees."""
    rows = table.drop_duplicates("distance_km").sort_values("distance_km")
    distance, lat = rows["distance_km"].to_numpy(), rows["lat"].to_numpy()
    axes.set_xlabel("distance along the transect (km)", labelpad=1)
    below = axes.secondary_xaxis(0.0)
    below.spines["bottom"].set_position(("outward", 30))
    ticks, labels = [], []
    for value in range(-90, 91, 5):
        crossed = np.flatnonzero(np.diff(np.sign(lat - value)))
        if crossed.size:
            ticks.append(float(distance[crossed[0]]))
            labels.append(f"{value}°N" if value >= 0 else f"{-value}°S")
    below.set_xticks(ticks, labels)
    below.tick_params(length=3, labelsize=7.5)
    below.spines["bottom"].set_linewidth(0.4)
