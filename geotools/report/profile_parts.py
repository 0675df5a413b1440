"""What panels of the profile share: the data they are drawn from, lines with their bands, stacks of shares, legends."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from geotools.report.style import INK

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

_ABBREVIATED = {"maat": "MAAT", "magt": "MAGT", "mean_annual_ground_surface_temperature": "MAGST"}
# From the middle of a title to the legend below it, and from one line of a title to the next.
_LINE_INCHES, _TITLE_INCHES = 0.075, 0.115
# What fits beside a panel, and above it.
_TITLE_LETTERS, _UNIT_LETTERS = 30, 16
# Of a unit in two lines.
_SMALL = 7.0
_EXPONENT = re.compile(r"(?<=[A-Za-z)])\^?(-?\d+)\b")


@dataclass(frozen=True)
class ExtraPanel:
    """What a profile does not know by itself of a variable, which has a panel then; of `orog` the origin.

    Parameters
    ----------
    variable : str
        In the table, whose `unit` it is drawn with. A variable with classes is drawn in shares.
    title : str
    origin : str
        Where the values come from.
    """

    variable: str
    title: str
    origin: str = ""


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
    extra : tuple of ExtraPanel
    """

    table: pd.DataFrame
    label: str
    observations: pd.DataFrame
    extra: tuple[ExtraPanel, ...] = ()

    def rows(self, variable: str) -> pd.DataFrame:
        """The rows of a variable along the line."""
        return self.table[self.table["variable"] == variable].sort_values("distance_km")

    def has(self, variable: str) -> bool:
        """Whether a variable has any value."""
        return bool(self.rows(variable)["mean"].notna().any())

    def word(self, variable: str, column: str) -> str:
        """What a column says of a variable, the same in all rows; blank where the table has no such column."""
        if column not in self.table:
            return ""
        said = self.rows(variable)[column].dropna()
        return str(said.iloc[0]) if len(said) else ""

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


def written_unit(unit: str) -> str:
    """A unit as an axis shows it: exponents raised, nothing for a plain number.

    Parameters
    ----------
    unit : str
        UDUNITS.

    Returns
    -------
    str

    Examples
    --------
    >>> written_unit("kg m-2"), written_unit("1"), written_unit("degC")
    ('kg m$^{-2}$', '', '°C')
    """
    if unit in ("1", ""):
        return ""
    raised = _EXPONENT.sub(r"$^{\1}$", unit.replace("degC", "°C"))
    # A long one takes two lines beside a low panel.
    return raised if len(unit) <= _UNIT_LETTERS else "\n".join(_halves(raised))


def _halves(text: str) -> list[str]:
    words = text.split(" ")
    middle = (len(words) + 1) // 2
    return [" ".join(words[:middle]), " ".join(words[middle:])]


def line(
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


def finish(axes: Axes, unit: str, title: str, origin: str = "", *, columns: int = 1) -> None:
    """Label an axis, and put title, origin and legend beside the panel, where they hide nothing."""
    from matplotlib.ticker import MaxNLocator
    from matplotlib.transforms import ScaledTranslation

    axes.set_ylabel(unit, fontsize=_SMALL if "\n" in unit else None)
    if axes.get_yscale() == "linear":
        axes.yaxis.set_major_locator(MaxNLocator(4, steps=[1, 2, 5, 10]))
    lines = textwrap.wrap(title, _TITLE_LETTERS)
    # Lines of text are as high on any panel.
    scale: Any = axes.get_figure(root=True)
    for number, line_of_title in enumerate(lines):
        lower = ScaledTranslation(0.0, -number * _TITLE_INCHES, scale.dpi_scale_trans)
        axes.text(
            1.012, 1.0, line_of_title, transform=axes.transAxes + lower, fontsize=7.5, fontweight="bold", va="center"
        )  # fmt: skip
    below = ScaledTranslation(0.0, -_LINE_INCHES - (len(lines) - 1) * _TITLE_INCHES, scale.dpi_scale_trans)
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


def room(axes: Axes, *, top: float = 0.08, bottom: float = 0.0) -> None:
    """Widen an axis by shares of its range, so that no line touches the frame."""
    low, high = axes.get_ylim()
    axes.set_ylim(low - bottom * (high - low), high + top * (high - low))


def shares_of(profile: Profile, variable: str) -> pd.DataFrame:
    """Shares of classes, in the order in which the table lists them."""
    rows = profile.rows(variable)
    order = list(dict.fromkeys(rows["class"]))
    # Segments without data keep their place, or their neighbours would be drawn over it.
    table = rows.pivot(index="distance_km", columns="class", values="mean").fillna(0.0)  # noqa: PD010
    return table.reindex(columns=order)


def stack(axes: Axes, shares: pd.DataFrame, names: list[str], colours: list[str]) -> None:
    """Shares of classes above each other, each segment as wide as it is long."""
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
            # Viewers of PDF leave a hairline between neighbours without an edge.
            edgecolor=colour,
            linewidth=0.2,
            label=label,
        )
        base = base + values
    axes.set_ylim(0, 1)
