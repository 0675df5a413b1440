"""How many cells of the joint grid zones and segments take up, told from their outlines alone."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import shapely

if TYPE_CHECKING:
    import geopandas as gpd

    from geotools.recipe.context import Context

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


def near_regions(context: Context) -> gpd.GeoDataFrame:
    """The regions near the grid."""
    west, south, east, north = context.grid.bounds
    return context.open("regions").cx[west:east, south:north]


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
