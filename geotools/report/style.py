"""What all figures share: colours that colour-blind readers can tell apart, sizes, and the source line."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from geotools.vocabulary import Zone

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# Okabe and Ito (2008), https://jfly.uni-koeln.de/color/
BLUE, VERMILION, GREEN, ORANGE, PURPLE, SKY = "#0072B2", "#D55E00", "#009E73", "#E69F00", "#CC79A7", "#56B4E9"
INK, GREY = "#222222", "#808080"

# Light to dark with probability, so that the order survives greyscale print.
ZONE_COLOURS = {
    Zone.NONE: "#f7f3ea",
    Zone.ISOLATED: "#d3e5ef",
    Zone.SPORADIC: "#9ecae1",
    Zone.DISCONTINUOUS: "#4a90c2",
    Zone.CONTINUOUS: "#0b4a8a",
}

RC: Any = {
    "font.size": 8.5,
    "axes.titlesize": 9.5,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.labelsize": 8.5,
    "legend.fontsize": 7.5,
    "legend.frameon": False,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "figure.dpi": 110,
    "savefig.dpi": 200,
    "font.family": "DejaVu Sans",
}


def sources_line(figure: Figure, text: str, *, width: int) -> None:
    """Put the sources under a figure.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
    text : str
    width : int
        Characters to a line.
    """
    import textwrap

    figure.text(0.01, 0.005, textwrap.fill(text, width), fontsize=5.8, color=GREY, va="bottom", ha="left")


def save(figure: Figure, path: Path) -> None:
    """Write a figure as PNG without a date, so that equal runs give equal files.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
    path : pathlib.Path
    """
    import matplotlib.pyplot as plt

    figure.savefig(path, metadata={"Software": "geotools"}, facecolor="white")
    plt.close(figure)
