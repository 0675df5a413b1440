"""Draw how an overlap is made and applied: ``python docs/make_overlap_figure.py``."""

from __future__ import annotations

import itertools
from pathlib import Path

import geopandas as gpd
import matplotlib as mpl
import numpy as np
import shapely

from geotools.report.style import save
from geotools.space import Grid
from geotools.space.coverage import polygon_runs
from geotools.space.crs import WGS84

mpl.use("Agg")
from matplotlib import pyplot as plt
from matplotlib.patches import Rectangle

OUT = Path(__file__).parent / "images" / "overlap.png"
WHOLE, EDGE, OTHER, INK = "#56a0c8", "#e69f00", "#7b5ea7", "#222222"


def zones() -> gpd.GeoSeries:
    """Two zones that overlap."""
    angle = np.linspace(0, 2 * np.pi, 40)[:-1]
    radius = 1 + 0.22 * np.sin(3 * angle) + 0.08 * np.cos(5 * angle)
    one = shapely.Polygon(
        np.column_stack((5.2 + 4.2 * radius * np.cos(angle), 4.1 + 3.0 * radius * np.sin(angle)))
    )
    other = shapely.Polygon([(4.6, 1.2), (13.2, 2.4), (12.4, 6.7), (5.4, 5.9)])
    return gpd.GeoSeries([one, other], crs=WGS84)


def written(share: float) -> str:
    """A share of a cell in part; it is never 0 or 1."""
    return f"{min(max(share, 0.01), 0.99):.2f}"


def draw_cells(axes: plt.Axes, shape: shapely.Polygon, grid: Grid) -> None:
    """Runs of whole cells and edge cells of one zone."""
    walked, _ = polygon_runs(np.array([shape], dtype=object), WGS84, grid)
    for _, row, first, last in walked.run.T:
        axes.add_patch(Rectangle((first + 0.06, row + 0.14), last - first + 0.88, 0.72, color=WHOLE, lw=0))
    for (_, row, column), share in zip(walked.edge.T, walked.share, strict=True):
        axes.add_patch(Rectangle((column, row), 1, 1, facecolor=EDGE, alpha=0.15 + 0.6 * share, lw=0))
        axes.text(column + 0.5, row + 0.5, written(share), ha="center", va="center", fontsize=6, color=INK)
    axes.plot(*shape.exterior.xy, color=INK, lw=1.2)


def draw_grid(axes: plt.Axes, grid: Grid) -> None:
    """Lines of the grid."""
    for x in grid.x_edges:
        axes.plot([x, x], grid.y_edges[[0, -1]], color="#bbbbbb", lw=0.5, zorder=0)
    for y in grid.y_edges:
        axes.plot(grid.x_edges[[0, -1]], [y, y], color="#bbbbbb", lw=0.5, zorder=0)


def draw_row(axes: plt.Axes, shapes: gpd.GeoSeries, grid: Grid, row: int) -> None:
    """The runs of both zones in one row, and the segments into which their ends cut it."""
    walked, _ = polygon_runs(np.array(shapes.array, dtype=object), WGS84, grid)
    cuts: set[int] = set()
    whole = np.zeros(grid.shape[1], dtype=bool)
    for zone, r, first, last in walked.run.T:
        if r == row:
            cuts |= {int(first), int(last) + 1}
            whole[first : last + 1] = True
            color = (WHOLE, OTHER)[zone]
            axes.add_patch(Rectangle((first + 0.05, 2.2 - zone), last - first + 0.9, 0.6, color=color, lw=0))
    for (zone, r, column), share in zip(walked.edge.T, walked.share, strict=True):
        if r == row:
            axes.add_patch(
                Rectangle(
                    (column + 0.05, 2.2 - zone), 0.9, 0.6, facecolor=EDGE, alpha=0.15 + 0.6 * share, lw=0
                )
            )
            axes.text(column + 0.5, 2.5 - zone, written(share), ha="center", va="center", fontsize=6)
    ordered = sorted(cuts)
    segments = [(low, high) for low, high in itertools.pairwise(ordered) if whole[low]]
    for number, (low, high) in enumerate(segments, 1):
        axes.add_patch(
            Rectangle((low + 0.05, 0.2), high - low - 0.1, 0.6, facecolor="#dddddd", edgecolor=INK, lw=0.6)
        )
        axes.text((low + high) / 2, 0.5, str(number), ha="center", va="center", fontsize=7)
    for cut in cuts:
        axes.plot([cut, cut], [0.1, 2.95], color=INK, lw=0.5, ls=":")
    for y, words in ((2.5, "zone A"), (1.5, "zone B"), (0.5, "segments")):
        axes.text(-0.15, y, words, ha="right", va="center", fontsize=8)
    axes.set_xlim(0, grid.shape[1])
    axes.set_ylim(0, 3.1)
    axes.axis("off")


def main() -> None:
    """Draw both panels."""
    grid = Grid.regular((0, 0, 14, 8), 1)
    shapes = zones()
    row = 3
    figure, (top, bottom) = plt.subplots(
        2, 1, figsize=(7.2, 6.4), height_ratios=(8, 3.1), layout="constrained", sharex=True
    )
    draw_grid(top, grid)
    draw_cells(top, shapes[0], grid)
    top.plot(*shapes[1].exterior.xy, color=OTHER, lw=1.2, ls="--")
    top.add_patch(Rectangle((0, row), 14, 1, fill=False, edgecolor=INK, lw=1.4))
    top.text(14.1, row + 0.5, "row of b", ha="left", va="center", fontsize=7)
    top.set_aspect("equal")
    top.axis("off")
    top.set_title(
        "a  Built once: zone A as runs of whole cells (blue) and edge cells with their covered share (orange)",
        fontsize=8.5, loc="left",
    )  # fmt: skip
    draw_row(bottom, shapes, grid, row)
    bottom.set_title(
        "b  Applied to every step: the ends of runs cut a row into segments, each added up once for all zones",
        fontsize=8.5, loc="left",
    )  # fmt: skip
    save(figure, OUT)


if __name__ == "__main__":
    main()
