"""Shares of cells by exactextract, in the index plane, to compare the walker with.

The index plane has one unit square per cell. Going to column and row numbers is linear inside a cell but not across
edges, so a vertex is put wherever an edge of a polygon crosses an edge of the grid; straight lines then stay straight.
"""

import numpy as np
import shapely
from exactextract import exact_extract
from exactextract.feature import Feature, FeatureSource
from exactextract.raster import NumPyRasterSource

from geotools.space.geodesy import authalic_ordinate


class WKBFeature(Feature):
    def __init__(self, wkb):
        super().__init__()
        self.wkb = wkb

    def geometry(self):
        return self.wkb

    def fields(self):
        return []


class Pieces(FeatureSource):
    """Shapes in the orientation of exactextract, whose rows are numbered downwards."""

    def __init__(self, shapes):
        super().__init__()
        self.wkb = shapely.to_wkb(shapely.transform(shapes, lambda c: c * [1.0, -1.0]))

    def count(self):
        return len(self.wkb)

    def __iter__(self):
        return iter([WKBFeature(w) for w in self.wkb])

    def srs_wkt(self):
        return None


def exactextract_shares(pieces, shape):
    """Dense shares [piece, y, x] of the unit squares that each piece covers."""
    rows, columns = shape
    raster = NumPyRasterSource(np.zeros(shape, "float32"), xmin=0, ymin=-rows, xmax=columns, ymax=0)
    out = np.zeros((len(pieces), rows * columns))
    for row, found in zip(out, exact_extract(raster, Pieces(pieces), ["cell_id", "coverage"]), strict=True):
        row[np.asarray(found["properties"]["cell_id"], dtype="int64")] = found["properties"]["coverage"]
    return out.reshape(-1, *shape)


def to_index_plane(polygons, grid):
    """Polygons of the grid's CRS with column and row numbers for coordinates.

    Parameters
    ----------
    polygons : numpy.ndarray of shapely polygons [polygon]
    grid

    Returns
    -------
    index : numpy.ndarray [piece]
        Position in `polygons`. Those that miss the grid are left out; on a longitude-latitude grid one may
        come twice, a whole turn apart.
    pieces : numpy.ndarray [piece]
        x is the column edge number, y the row edge number, rows in the order of the array.
    """
    x_edges, y_edges = grid.plane_edges()
    bounds = shapely.bounds(polygons)
    west, south, east, north = grid.bounds
    index, pieces = [], []
    for turn in (-360.0, 0.0, 360.0) if grid.is_lonlat else (0.0,):
        meets = np.flatnonzero(
            (bounds[:, 0] + turn < east)
            & (bounds[:, 2] + turn > west)
            & (bounds[:, 1] < north)
            & (bounds[:, 3] > south)
        )
        if meets.size:
            index.append(meets)
            pieces.append(_number(polygons[meets], turn, x_edges, y_edges, grid.is_lonlat))
    if not index:
        return np.zeros(0, dtype="int64"), np.zeros(0, dtype=object)
    return np.concatenate(index), np.concatenate(pieces)


def _number(
    polygons,
    turn,
    x_edges,
    y_edges,
    lonlat,
):
    kind, coordinates, offsets = shapely.to_ragged_array(polygons)
    x = coordinates[:, 0] + turn
    y = authalic_ordinate(coordinates[:, 1]) if lonlat else coordinates[:, 1]
    rings = offsets[0]
    x, y, rings = cut_at_edges(x, y, rings, np.sort(x_edges), np.sort(y_edges))
    numbered = np.column_stack((_edge_number(x, x_edges), _edge_number(y, y_edges)))
    pieces = np.asarray(shapely.from_ragged_array(kind, numbered, (rings, *offsets[1:])))
    # Where a boundary passes a corner of cells within rounding, two new vertices may come in the wrong order and
    # fold the ring by 1e-12 of a cell. Walkers other than ours lose whole cells over such a fold.
    folded = ~shapely.is_valid(pieces)
    if folded.any():
        pieces[folded] = shapely.make_valid(pieces[folded], method="structure", keep_collapsed=False)
    return pieces


def cut_at_edges(
    x,
    y,
    rings,
    x_edges,
    y_edges,
):
    """Rings with a vertex wherever they cross a line of the grid.

    Parameters
    ----------
    x, y : numpy.ndarray [vertex]
    rings : numpy.ndarray [ring + 1]
        Where each ring starts; the last number is the number of vertices.
    x_edges, y_edges : numpy.ndarray [edge]
        Ascending.

    Returns
    -------
    x, y, rings
        With the new vertices in their place.
    """
    line = np.ones(x.size, dtype=bool)
    line[rings[1:] - 1] = False  # the last vertex of a ring starts no edge
    start = np.flatnonzero(line)
    dx, dy = x[start + 1] - x[start], y[start + 1] - y[start]
    edge_x, at_x = _crossings(x[start], x[start + 1], x_edges)
    edge_y, at_y = _crossings(y[start], y[start + 1], y_edges)
    along_x = (at_x - x[start][edge_x]) / dx[edge_x]
    along_y = (at_y - y[start][edge_y]) / dy[edge_y]
    new_x = np.concatenate((x, at_x, x[start][edge_y] + along_y * dx[edge_y]))
    new_y = np.concatenate((y, y[start][edge_x] + along_x * dy[edge_x], at_y))
    vertex = np.concatenate((np.arange(x.size), start[edge_x], start[edge_y]))
    order = np.lexsort((np.concatenate((np.zeros(x.size), along_x, along_y)), vertex))
    added = np.bincount(np.concatenate((start[edge_x], start[edge_y])), minlength=x.size)
    before = np.concatenate(([0], np.cumsum(1 + added)))
    return new_x[order], new_y[order], before[rings]


def _crossings(one, other, edges):
    """Which lines cross which edges strictly between their ends, and where."""
    first = np.searchsorted(edges, np.minimum(one, other), side="right")
    count = np.maximum(np.searchsorted(edges, np.maximum(one, other), side="left") - first, 0)
    line = np.repeat(np.arange(one.size), count)
    rank = np.arange(line.size) - np.repeat(np.cumsum(count) - count, count)
    return line, edges[first[line] + rank]


def _edge_number(values, edges):
    """Position among the edges; beyond the grid it grows on, so that shapes outside stay shapes."""
    numbers = np.arange(edges.size, dtype="float64")
    if edges[0] > edges[-1]:
        edges, numbers = edges[::-1], numbers[::-1]
    step = 1.0 if numbers[-1] > numbers[0] else -1.0
    scale = float(edges[-1] - edges[0])
    inside = np.interp(values, edges, numbers)
    below, above = np.minimum(values - edges[0], 0.0), np.maximum(values - edges[-1], 0.0)
    return np.asarray(inside + step * (below + above) / scale)
