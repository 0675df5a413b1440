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

# After the scheme "muted" of Paul Tol, https://personal.sron.nl/~pault/: neighbours differ in lightness as well.
CLASS_COLOURS = {
    "water": "#332288",
    "evergreen needleleaf forest": "#0b4f2a",
    "evergreen broadleaf forest": "#117733",
    "deciduous needleleaf forest": "#44AA99",
    "deciduous broadleaf forest": "#999933",
    "mixed forest": "#5d8f52",
    "closed shrubland": "#882255",
    "open shrubland": "#CC6677",
    "woody savanna": "#bfa640",
    "savanna": "#efe3b0",
    "grassland": "#b9d58f",
    "permanent wetland": "#88CCEE",
    "cropland": "#E69F00",
    "urban and built-up": "#222222",
    "cropland and natural vegetation mosaic": "#f3c775",
    "snow and ice": "#f4f4f4",
    "barren": "#a8a8a8",
}
# For classes of other legends.
OTHER_COLOURS = (
    "#117733",
    "#DDCC77",
    "#88CCEE",
    "#CC6677",
    "#332288",
    "#999933",
    "#AA4499",
    "#44AA99",
    "#882255",
)

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


def save(figure: Figure, *paths: Path) -> None:
    """Write a figure as PNG or PDF without a date, so that equal runs give equal files.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
    *paths : pathlib.Path
    """
    import matplotlib as mpl

    # Text of a PDF stays text, which can be searched and edited.
    with mpl.rc_context({"pdf.fonttype": 42}):
        for path in paths:
            told = (
                {"Creator": "geotools", "CreationDate": None}
                if path.suffix == ".pdf"
                else {"Software": "geotools"}
            )
            figure.savefig(path, metadata=told, facecolor="white")
