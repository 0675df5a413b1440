"""Areas that polygons, points and the cells of other grids share with the cells of a curvilinear grid."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import numpy as np
import shapely
from numpy.typing import NDArray
from pyproj import CRS, Transformer

from geotools.space.cell_tree import CellTree
from geotools.space.charts import Sheet
from geotools.space.coverage import Pairs, coverage_in_plane
from geotools.space.crs import WGS84, is_lonlat
from geotools.space.curvilinear import CurvilinearGrid
from geotools.space.geodesy import CYLINDER, cylindrical, default_max_segment, from_cylindrical, polar
from geotools.space.grid import Grid
from geotools.space.grids import AnyGrid
from geotools.space.plane import Geometries, to_crs
from geotools.space.regridding import cell_overlaps, cell_polygons

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
        pairs = [_cut(polygons[k], crs, tree) for tree in trees]
        found += [Pairs(part.target + k.start, part.cell, part.area) for part in pairs]
    return _joined(found)


def shared_cells(target: AnyGrid, source: AnyGrid) -> tuple[Pairs, NDArray[np.bool_]]:
    """Areas that the cells of two grids of any kind share, and which target cells lie wholly on the source."""
    if isinstance(target, Grid) and isinstance(source, Grid):
        return cell_overlaps(target, source)
    if isinstance(source, Grid):
        parts, inside = [], np.zeros(target.size, dtype=bool)
        for cells, polygons, crs in _outlines(target):
            pairs, whole = coverage_in_plane(_in_crs(polygons, crs, source), source)
            inside[cells] = whole
            parts.append(Pairs(cells[pairs.target], pairs.cell, pairs.area))
        return _joined(parts), inside
    trees = [CellTree(sheet) for sheet in source.sheets]
    found = []
    for cells, polygons, crs in _outlines(target):
        for tree in trees:
            pairs = _cut(polygons, crs, tree)
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


def _outlines(grid: AnyGrid) -> Iterator[tuple[NDArray[np.int64], Geometries, CRS]]:
    """Cells of a grid in batches: their flat numbers, their polygons and the CRS these are straight in."""
    if isinstance(grid, Grid):
        polygons, cells = cell_polygons(grid), np.arange(grid.size)
        for k in range(0, cells.size, _AT_ONCE):
            if grid.is_lonlat:
                flat = shapely.transform(polygons[k : k + _AT_ONCE], cylindrical)
                yield cells[k : k + _AT_ONCE], flat, CYLINDER
            else:
                yield cells[k : k + _AT_ONCE], polygons[k : k + _AT_ONCE], grid.crs
        return
    for sheet in grid.sheets:
        for k in range(0, sheet.cells.size, _AT_ONCE):
            which = np.arange(k, min(k + _AT_ONCE, sheet.cells.size))
            yield sheet.cells[which], sheet.polygons(which), sheet.crs


def _in_crs(polygons: Geometries, crs: CRS, grid: Grid) -> Geometries:
    """Cells in the CRS of a rectilinear grid, with the vertices that they need there."""
    if crs is CYLINDER and grid.is_lonlat:
        return np.asarray(shapely.transform(polygons, from_cylindrical))
    return to_crs(polygons, crs, grid.crs, _step(polygons, crs))


def _step(polygons: Geometries, crs: CRS) -> float:
    longest = float(np.sqrt(shapely.area(polygons).max(initial=0.0)))
    return max(default_max_segment(crs), longest / _PARTS)


def _cut(polygons: Geometries, crs: CRS, tree: CellTree) -> Pairs:
    """Areas shared with the cells of one sheet."""
    index, shapes = _drawn(polygons, crs, tree.sheet)
    pairs = tree.cut(shapes)
    return Pairs(index[pairs.target], pairs.cell, pairs.area)


def _drawn(polygons: Geometries, crs: CRS, sheet: Sheet) -> tuple[NDArray[np.int64], Geometries]:
    """Polygons in the plane of a sheet, and their positions; some come twice, a turn apart, some not at all."""
    if sheet.is_cylindrical:
        known = crs is CYLINDER
        flat = polygons if known else shapely.transform(to_crs(polygons, crs, WGS84), cylindrical)
        low, high = sheet.boxes[0].min(), sheet.boxes[2].max()
        bounds = shapely.bounds(flat)
        turns = (-_TURN, 0.0, _TURN)
        index = [np.flatnonzero((bounds[:, 0] + t < high) & (bounds[:, 2] + t > low)) for t in turns]
        copies = [
            shapely.transform(flat[k], lambda c, t=t: c + np.array([t, 0.0]))
            for k, t in zip(index, turns, strict=True)
        ]
        return np.concatenate(index), np.concatenate(copies)
    if sheet.pole:
        return _drawn_at_pole(polygons, crs, sheet)
    return np.arange(len(polygons)), to_crs(polygons, crs, sheet.crs)


def _drawn_at_pole(polygons: Geometries, crs: CRS, sheet: Sheet) -> tuple[NDArray[np.int64], Geometries]:
    """Polygons round a pole. What reaches the other side of the Earth has no shape there and is cut off before."""
    side = np.sign(sheet.pole)
    if crs is CYLINDER:
        around = np.asarray(shapely.transform(polygons, from_cylindrical))
    else:
        around = polygons if is_lonlat(crs) else to_crs(polygons, crs, WGS84)
    bounds = shapely.bounds(around)
    furthest = bounds[:, 1] if side > 0 else -bounds[:, 3]
    nearest = bounds[:, 3] if side > 0 else -bounds[:, 1]
    index = np.flatnonzero(nearest > _lowest(sheet))
    beyond = index[furthest[index] < -_OTHER_SIDE]
    out = np.array(polygons, dtype=object)
    if crs is not CYLINDER and not is_lonlat(crs):
        direct = np.setdiff1d(index, beyond)
        if direct.size:
            out[direct] = to_crs(out[direct], crs, sheet.crs)
    else:
        beyond = index
    if beyond.size:
        low, high = sorted((sheet.pole, -side * _OTHER_SIDE))
        cut = around[beyond]
        far = furthest[beyond] < -_OTHER_SIDE
        cut[far] = shapely.intersection(cut[far], shapely.box(-1000.0, low, 1000.0, high))
        step = _POLAR_STEP
        if crs is CYLINDER:
            # Small cells need no more vertices than large ones.
            step = max(step, float(np.sqrt(shapely.area(cut).max())) / _PARTS)
        dense = shapely.segmentize(shapely.force_2d(cut), step)
        out[beyond] = shapely.transform(dense, lambda c: polar(c, sheet.pole))
    return index, out[index]


def _lowest(sheet: Sheet) -> float:
    """How near to the equator the cells of a polar sheet come [degrees]."""
    x, y = sheet.corners.reshape(-1, 2).T
    _, lat = Transformer.from_crs(sheet.crs, WGS84, always_xy=True).transform(x, y)
    return float(np.abs(lat).min()) - 1e-6


def _joined(parts: list[Pairs]) -> Pairs:
    none = np.zeros(0, dtype="int64")
    parts = [*parts, Pairs(none, none, np.zeros(0))]
    return Pairs(*(np.concatenate(part) for part in zip(*parts, strict=True)))
