"""Areas that polygons, points and the cells of other grids share with the cells of a curvilinear grid."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import shapely
from numpy.typing import NDArray
from pyproj import CRS, Transformer

from geotools.space.cell_tree import CellTree
from geotools.space.coverage import Pairs, coverage_in_plane
from geotools.space.crs import WGS84, is_lonlat
from geotools.space.curvilinear import CurvilinearGrid
from geotools.space.geodesy import (
    CYLINDER,
    MAX_SEGMENT_DEGREES,
    MAX_SEGMENT_METRES,
    cylindrical,
    default_max_segment,
    from_cylindrical,
    polar,
)
from geotools.space.grid import Grid
from geotools.space.grids import AnyGrid
from geotools.space.plane import Geometries, to_crs
from geotools.space.pole_cells import from_polar, to_polar
from geotools.space.regridding import cell_overlaps, cell_polygons
from geotools.space.sheets import Sheet
from geotools.space.windows import cut_to_window, window

_AT_ONCE = 20_000
_VERTICES_AT_ONCE = 500_000
# An edge of a large cell is cut into so many chords where it bends.
_PARTS = 32
_INSIDE = 1e-7
_TURN = 360.0 * float(cylindrical(np.array([1.0, 0.0]))[0])
# A polygon that reaches this far to the other side has no shape in the plane round a pole.
_OTHER_SIDE = 60.0
# Chords of a parallel round a pole take 1.3e-9 off the area inside it.
_POLAR_STEP = 0.005


class Drawn(NamedTuple):
    """Polygons whose edges are straight in a CRS, in that CRS.

    `step` is the longest piece of an edge that is left where it bends, by default that of `default_max_segment`;
    `pole` the pole on which the plane of cells is centred [degrees_north], 0 for other planes and for zones.
    """

    shapes: Geometries
    crs: CRS
    step: float | None = None
    pole: float = 0.0

    def lonlat(self, middle: float = 0.0) -> Geometries:
        """In longitude and latitude, continuous over the antimeridian."""
        if is_lonlat(self.crs):
            return to_crs(self.shapes, self.crs, WGS84)
        if self.crs is CYLINDER:
            return np.asarray(shapely.transform(self.shapes, from_cylindrical))
        if not self.pole:
            return to_crs(self.shapes, self.crs, WGS84, self.step)
        points, number = shapely.get_coordinates(self.shapes, return_index=True)
        opened = np.append(number[1:] == number[:-1], False)
        start = np.searchsorted(number[opened], np.arange(len(self.shapes) + 1))
        return from_polar(start, points[opened], self.pole, middle)

    def in_crs_of(self, grid: Grid) -> Geometries:
        """In the CRS of a rectilinear grid, with the vertices that they need there."""
        if grid.is_lonlat:
            return self.lonlat((grid.bounds[0] + grid.bounds[2]) / 2)
        if self.crs is not CYLINDER and not self.pole:
            return to_crs(self.shapes, self.crs, grid.crs, self.step)
        # By way of longitude and latitude on either sheet, so that cells of both draw a shared edge alike.
        cut = shapely.segmentize(self.shapes, self.step) if self.crs is CYLINDER else self.shapes
        around = self._replace(shapes=cut).lonlat()
        _, south, _, north = window(grid)
        box = shapely.bounds(around)
        out = np.full(len(around), shapely.MultiPolygon(), dtype=object)
        near = np.flatnonzero((box[:, 1] < north) & (box[:, 3] > south))
        dense = shapely.segmentize(around[near], MAX_SEGMENT_DEGREES)
        _, inside = cut_to_window(dense, grid)
        plain = np.flatnonzero(~shapely.is_empty(inside))
        out[near[plain]] = to_crs(inside[plain], WGS84, grid.crs)
        return out


def polygon_cells(polygons: Geometries, crs: CRS, grid: CurvilinearGrid) -> Pairs:
    """Areas that polygons share with the cells of a curvilinear grid.

    Parameters
    ----------
    polygons : numpy.ndarray of shapely polygons [polygon]
        Valid; their edges are straight in `crs`.
    crs : pyproj.CRS
    grid : CurvilinearGrid

    Returns
    -------
    Pairs

    Notes
    -----
    Polygons are cut in the equal-area planes of the grid, down along a tree of boxes round groups of cells: groups
    inside a polygon are taken whole, and a cell at its edge meets the few vertices near it.
    """
    trees = [CellTree(sheet) for sheet in grid.sheets]
    found = []
    for k in _batches(polygons, crs):
        pairs = [_cut(Drawn(polygons[k], crs), tree) for tree in trees]
        found += [Pairs(part.target + k.start, part.cell, part.area) for part in pairs]
    return _joined(found)


def shared_cells(target: AnyGrid, source: AnyGrid) -> tuple[Pairs, NDArray[np.bool_]]:
    """Areas that the cells of two grids of any kind share, and which target cells lie wholly on the source."""
    if isinstance(target, Grid) and isinstance(source, Grid):
        return cell_overlaps(target, source)
    if isinstance(source, Grid):
        parts, inside = [], np.zeros(target.size, dtype=bool)
        for cells, drawn in _outlines(target):
            pairs, whole = coverage_in_plane(drawn.in_crs_of(source), source)
            inside[cells] = whole
            parts.append(Pairs(cells[pairs.target], pairs.cell, pairs.area))
        return _joined(parts), inside
    trees = [CellTree(sheet) for sheet in source.sheets]
    found = []
    for cells, drawn in _outlines(target):
        for tree in trees:
            pairs = _cut(drawn, tree)
            found.append(Pairs(cells[pairs.target], pairs.cell, pairs.area))
    joined = _joined(found)
    areas = target.cell_areas().ravel()
    return joined, whole_targets(joined, areas)


def whole_targets(pairs: Pairs, areas: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Which targets [target] lie on the grid with their whole area [target; m2]."""
    covered = np.bincount(pairs.target, pairs.area, minlength=areas.size)
    return np.asarray((np.abs(covered - areas) <= _INSIDE * areas) & (areas > 0))


def cells_of_points(
    lon: NDArray[np.float64], lat: NDArray[np.float64], grid: CurvilinearGrid
) -> NDArray[np.int64]:
    """Flat number of the cell that holds each point [degrees]; -1 off the grid."""
    out = np.full(lon.size, -1, dtype="int64")
    for sheet in grid.sheets:
        tree = CellTree(sheet)
        if sheet.is_cylindrical:
            points = cylindrical(np.stack((lon, lat), axis=-1))
            tries = [points + np.array([turn, 0.0]) for turn in (0.0, -_TURN, _TURN)]
        else:
            to_plane = Transformer.from_crs(WGS84, sheet.crs, always_xy=True)
            tries = [np.stack(to_plane.transform(lon, lat), axis=-1)]
        for place in tries:
            open_ = np.flatnonzero((out < 0) & np.isfinite(place).all(axis=-1))
            out[open_] = tree.holding(place[open_])
    return out


def _batches(polygons: Geometries, crs: CRS) -> Iterator[slice]:
    """Some polygons at a time, for densified they take many times the memory."""
    size = shapely.length(polygons) / default_max_segment(crs) + shapely.get_num_coordinates(polygons)
    number = np.concatenate(([0.0], np.cumsum(size)[:-1])) // _VERTICES_AT_ONCE
    cuts = [0, *(np.flatnonzero(np.diff(number)) + 1).tolist(), len(polygons)]
    return (slice(a, b) for a, b in pairwise(cuts))


def _outlines(grid: AnyGrid) -> Iterator[tuple[NDArray[np.int64], Drawn]]:
    """Cells of a grid in batches: their flat numbers, and how they are drawn."""
    step = _step(grid)
    if isinstance(grid, Grid):
        polygons, cells = cell_polygons(grid), np.arange(grid.size)
        crs = CYLINDER if grid.is_lonlat else grid.crs
        for k in range(0, cells.size, _AT_ONCE):
            shapes = polygons[k : k + _AT_ONCE]
            shapes = np.asarray(shapely.transform(shapes, cylindrical)) if grid.is_lonlat else shapes
            yield cells[k : k + _AT_ONCE], Drawn(shapes, crs, step)
        return
    for sheet in grid.sheets:
        for k in range(0, sheet.cells.size, _AT_ONCE):
            which = np.arange(k, min(k + _AT_ONCE, sheet.cells.size))
            yield sheet.cells[which], Drawn(sheet.polygons(which, seams=True), sheet.crs, step, sheet.pole)


def _step(grid: AnyGrid) -> float:
    """Longest piece of an edge where it bends [units of the CRS]; one for a grid, as neighbours share edges."""
    if isinstance(grid, Grid) and not grid.is_lonlat:
        widest = max(float(np.abs(np.diff(edges)).max()) for edges in (grid.x_edges, grid.y_edges))
        return max(default_max_segment(grid.crs), widest / _PARTS)
    return max(MAX_SEGMENT_METRES, float(np.sqrt(grid.cell_areas().max())) / _PARTS)


def _cut(drawn: Drawn, tree: CellTree) -> Pairs:
    """Areas shared with the cells of one sheet."""
    index, shapes = _on_sheet(drawn, tree.sheet)
    pairs = tree.cut(shapes)
    return Pairs(index[pairs.target], pairs.cell, pairs.area)


def _on_sheet(drawn: Drawn, sheet: Sheet) -> tuple[NDArray[np.int64], Geometries]:
    """Polygons in the plane of a sheet, and their positions; some come twice, a turn apart, some not at all."""
    if sheet.is_cylindrical:
        flat = drawn.shapes if drawn.crs is CYLINDER else shapely.transform(drawn.lonlat(), cylindrical)
        low, high = sheet.boxes[0].min(), sheet.boxes[2].max()
        bounds = shapely.bounds(flat)
        turns = (-_TURN, 0.0, _TURN)
        index = [np.flatnonzero((bounds[:, 0] + t < high) & (bounds[:, 2] + t > low)) for t in turns]
        copies = [
            shapely.transform(flat[k], lambda c, t=t: c + np.array([t, 0.0]))
            for k, t in zip(index, turns, strict=True)
        ]
        return np.concatenate(index), np.concatenate(copies)
    if drawn.crs is CYLINDER and sheet.pole:
        return _cells_at_pole(drawn.shapes, sheet)
    if sheet.pole and not drawn.pole:
        return _zones_at_pole(drawn, sheet)
    if drawn.pole and drawn.pole == -sheet.pole:
        return np.zeros(0, dtype="int64"), drawn.shapes[:0]
    return np.arange(len(drawn.shapes)), to_crs(drawn.shapes, drawn.crs, sheet.crs, drawn.step)


def _cells_at_pole(flat: Geometries, sheet: Sheet) -> tuple[NDArray[np.int64], Geometries]:
    """Cells of the cylindrical plane round a pole, cut off where they reach far to the other side of the Earth."""
    side = np.sign(sheet.pole)
    near, far = side * _ordinates([_lowest(sheet), -_OTHER_SIDE])
    bounds = shapely.bounds(flat)
    index = np.flatnonzero(bounds[:, 3] > near if side > 0 else bounds[:, 1] < near)
    cut = flat[index]
    beyond = bounds[index, 1] < far if side > 0 else bounds[index, 3] > far
    if beyond.any():
        low, high = sorted((far, side * _ordinates([90.0])[0]))
        cut[beyond] = shapely.intersection(cut[beyond], shapely.box(-1e9, low, 1e9, high))
    parts, number = shapely.get_parts(cut, return_index=True)
    whole = shapely.get_type_id(parts) == shapely.GeometryType.POLYGON
    return index[number[whole]], to_polar(parts[whole], sheet.pole)


def _zones_at_pole(drawn: Drawn, sheet: Sheet) -> tuple[NDArray[np.int64], Geometries]:
    """Polygons round a pole. What reaches the other side of the Earth has no shape there and is cut off before."""
    side = np.sign(sheet.pole)
    around = drawn.lonlat()
    bounds = shapely.bounds(around)
    furthest = bounds[:, 1] if side > 0 else -bounds[:, 3]
    nearest = bounds[:, 3] if side > 0 else -bounds[:, 1]
    index = np.flatnonzero(nearest > _lowest(sheet))
    beyond = index[furthest[index] < -_OTHER_SIDE]
    out = np.array(drawn.shapes, dtype=object)
    if is_lonlat(drawn.crs):
        beyond = index
    else:
        direct = np.setdiff1d(index, beyond)
        if direct.size:
            out[direct] = to_crs(out[direct], drawn.crs, sheet.crs, drawn.step)
    if beyond.size:
        low, high = sorted((sheet.pole, -side * _OTHER_SIDE))
        cut = around[beyond]
        far = furthest[beyond] < -_OTHER_SIDE
        cut[far] = shapely.intersection(cut[far], shapely.box(-1000.0, low, 1000.0, high))
        dense = shapely.segmentize(shapely.force_2d(cut), _POLAR_STEP)
        out[beyond] = shapely.transform(dense, lambda c: polar(c, sheet.pole))
    return index, out[index]


def _lowest(sheet: Sheet) -> float:
    """How near to the equator the cells of a polar sheet come [degrees]."""
    x, y = sheet.corners.reshape(-1, 2).T
    _, lat = Transformer.from_crs(sheet.crs, WGS84, always_xy=True).transform(x, y)
    return float(np.abs(lat).min()) - 1e-6


def _ordinates(lat: list[float]) -> NDArray[np.float64]:
    """Ordinates of latitudes in the cylindrical plane [m]."""
    return cylindrical(np.column_stack((np.zeros(len(lat)), lat)))[:, 1]


def _joined(parts: list[Pairs]) -> Pairs:
    none = np.zeros(0, dtype="int64")
    parts = [*parts, Pairs(none, none, np.zeros(0))]
    return Pairs(*(np.concatenate(part) for part in zip(*parts, strict=True)))
