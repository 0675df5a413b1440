"""How many cells of the joint grid zones and segments take up, told from their outlines alone."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import shapely

if TYPE_CHECKING:
    import geopandas as gpd

    from geotools.recipe.context import Context
    from geotools.space.grids import AnyGrid

# Bytes of a number as it is worked with, and as it is stored.
FLOAT, STORED = 8, 4


def outlines(context: Context, kind: str) -> gpd.GeoSeries:
    """The polygons of zones or segments in longitude and latitude."""
    return (context.zones if kind == "zones" else context.transect.segments).to_crs(4326).geometry


def touched(context: Context, kind: str) -> tuple[int, int]:
    """About how many cells all zones or segments cover together, and the largest of them."""
    polygons = outlines(context, kind)
    # All cells of the joint grid have the same size in degrees.
    cell = context.recipe.grid.resolution_deg**2
    largest = max(shapely.area(polygons.to_numpy())) / cell
    return int(shapely.area(shapely.union_all(polygons.to_numpy())) / cell), int(largest)


def gathered(context: Context, kind: str, threads: int) -> int:
    """Bytes of quantiles: of each field the values as pieces and joined, the cells of all, and one zone in order."""
    every, largest = touched(context, kind)
    # While a thread puts one field together, the pieces of its last one are not yet given back.
    fields = 2 * threads
    # Known cells of segments are counted, which takes a byte of each piece and of the whole.
    counted = 2 * every if kind == "segments" else 0
    return every * (fields * 2 * STORED + 2 * FLOAT) + counted + 8 * FLOAT * largest


def chunks_around(
    context: Context, kinds: Iterable[str], grid: AnyGrid, chunks: Sequence[tuple[int, ...]]
) -> tuple[int, int]:
    """Chunks of a field, and their cells, that lie in the rectangles around zones or segments; no others are read.

    Parameters
    ----------
    context : Context
    kinds : iterable of str
    grid : Grid or CurvilinearGrid
    chunks : sequence of tuple of int
        Of the rows and columns of the grid.
    """
    from geotools.space import Grid
    from geotools.space.chunks import blocks_with
    from geotools.space.window import window_around

    held: set[tuple[int, ...]] = set()
    for kind in kinds:
        bounds = outlines(context, kind).total_bounds
        window = window_around(grid, bounds) if isinstance(grid, Grid) else [slice(0, n) for n in grid.shape]
        near = [blocks_with(c, (part.start, part.stop - 1)) for c, part in zip(chunks, window, strict=True)]
        held.update(itertools.product(*(range(part.start, part.stop) for part in near)))
    return len(held), sum(chunks[0][row] * chunks[1][column] for row, column in held)


def joint_chunks_around(context: Context, kind: str) -> tuple[int, int]:
    """As `chunks_around`, for fields on the joint grid."""
    rows, (height, width) = context.chunk_rows, context.grid.shape
    bands = tuple(min(rows, height - start) for start in range(0, height, rows))
    return chunks_around(context, (kind,), context.grid, (bands, (width,)))


def near_regions(context: Context) -> gpd.GeoDataFrame:
    """The regions near the grid."""
    west, south, east, north = context.grid.bounds
    return context.open("regions").cx[west:east, south:north]


def largest_region(context: Context) -> int:
    """About how many cells of the joint grid the largest region near it takes up, at most all."""
    areas = shapely.area(near_regions(context).geometry.to_numpy())
    return min(context.grid.size, int(max(areas, default=0) / context.recipe.grid.resolution_deg**2))


def zone_boxes(context: Context) -> list[tuple[int, int]]:
    """Cells of the rectangle around each zone as it is written, and the regions that it touches."""
    g, (height, width) = context.recipe.grid, context.grid.shape
    near, boxes = near_regions(context), []
    for polygon in outlines(context, "zones"):
        west, south, east, north = polygon.bounds
        sides = []
        for low, high, start, size in ((west, east, g.west, width), (south, north, g.south, height)):
            first = math.floor((low - start) / g.resolution_deg) - 1
            last = math.ceil((high - start) / g.resolution_deg) + 1
            sides.append(min(last, size) - max(first, 0))
        boxes.append((sides[0] * sides[1], int(near.intersects(polygon).sum())))
    return boxes
