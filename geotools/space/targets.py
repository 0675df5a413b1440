"""What an overlap leads to: named polygons, points, the cells of a grid or the segments of a transect."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import geopandas as gpd
import numpy as np
import shapely
import xarray as xr
from numpy.typing import NDArray
from pyproj import CRS, Transformer

from geotools.errors import GeometryError, ProblemsError, UsageError
from geotools.space.cell_clipping import cells_of_points, polygon_cells, shared_cells, whole_targets
from geotools.space.coverage import polygon_runs
from geotools.space.crs import WGS84, as_crs, is_equal_area, is_lonlat, same_crs
from geotools.space.curvilinear import CurvilinearGrid
from geotools.space.geodesy import default_max_segment, densify, polygon_area
from geotools.space.grid import Grid
from geotools.space.grids import AnyGrid, grid_of
from geotools.space.matrix import CellMatrix
from geotools.space.runs import Matrix, RunMatrix
from geotools.space.transect import Transect
from geotools.space.zones import check_zones, named_by, not_finite, range_problems

# A polygon and its cells are the same area computed twice; more apart than this means that one is wrong.
_CLOSES_WITHIN = 1e-3
# In a plane that is not equal-area the covered share of a large edge cell is not its share of the true area.
_CLOSES_ROUGHLY_WITHIN = 0.1
# Targets that a message names before it counts.
_NAMED = 5


@dataclass(frozen=True)
class Target:
    """Dimensions, coordinates and true areas of the targets.

    Parameters
    ----------
    dims : tuple of str
    shape : tuple of int
    coords : dict
        For xarray, without `valid_fraction`.
    areas : numpy.ndarray [target; m2]
        Whole area, also of the part outside the grid; 1 for points.
    what : str
        ``zones``, ``cells`` or ``points``.
    key : str
        Identity of the shapes and names.
    grid : Grid or CurvilinearGrid, optional
        When the targets are cells.
    """

    dims: tuple[str, ...]
    shape: tuple[int, ...]
    coords: dict[str, Any]
    areas: NDArray[np.float64]
    what: str
    key: str
    grid: AnyGrid | None = field(default=None)


def target_of(
    target: Any, source: AnyGrid, zone_dim: str | None, column: str | None, coordinates: Sequence[str]
) -> tuple[Target, Matrix]:
    """Sort out what a target is, and the areas it shares with the source cells; 1 for a point."""
    if isinstance(target, Transect):
        extra = ("distance_km", "lat", "lon", *coordinates)
        return _zones(named_by(target.segments, column), source, zone_dim or "segment", extra)
    if isinstance(target, xr.DataArray | xr.Dataset):
        target = grid_of(target)
    if isinstance(target, Grid | CurvilinearGrid):
        return _cells(target, source)
    if not isinstance(target, gpd.GeoDataFrame):
        raise UsageError(
            f"the target of an overlap is a {type(target).__name__}",
            expected="a GeoDataFrame of polygons or points, a grid, a DataArray on a grid, or a Transect",
        )
    target = named_by(target, column)
    kinds = target.geom_type.dropna()
    if len(kinds) and (kinds == "Point").all():
        return _points(target, source, zone_dim, coordinates)
    return _zones(target, source, zone_dim, coordinates)


def outside_text(target: Target, covered: NDArray[np.float64]) -> str:
    """Which zones share nothing with the grid, for a warning; blank when all do.

    Parameters
    ----------
    target : Target
    covered : numpy.ndarray [target; m2]
    """
    outside = np.flatnonzero(covered == 0)
    if target.what != "zones" or outside.size == 0:
        return ""
    names = np.asarray(target.coords[target.dims[0]][1])[outside].tolist()
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    named = ", ".join(map(repr, names[:_NAMED])) + more
    if len(names) == 1:
        return f"zone {named} lies wholly outside the grid; its valid fraction is 0"
    return f"zones {named} lie wholly outside the grid; their valid fraction is 0"


def _zones(
    zones: gpd.GeoDataFrame,
    source: AnyGrid,
    zone_dim: str | None,
    coordinates: Sequence[str],
) -> tuple[Target, Matrix]:
    zones = check_zones(zones)
    crs, shapes = as_crs(zones.crs), np.array(zones.geometry.array, dtype=object)
    # Once, for the areas and for the walk.
    dense = None if is_equal_area(crs) else densify(shapely.force_2d(shapes), default_max_segment(crs))
    areas = np.atleast_1d(np.asarray(polygon_area(shapes, crs, dense=dense), dtype="float64"))
    if isinstance(source, CurvilinearGrid):
        pairs = polygon_cells(shapes, crs, source)
        inside = whole_targets(pairs, areas)
        matrix: Matrix = CellMatrix(*pairs, (len(zones), source.size), source)
    else:
        walked, inside = polygon_runs(shapes, crs, source, dense=dense)
        matrix = RunMatrix(walked, len(zones), source)
    covered = matrix.row_sums
    exact = isinstance(source, CurvilinearGrid) or source.plane_is_equal_area
    limit = _CLOSES_WITHIN if exact else _CLOSES_ROUGHLY_WITHIN
    apart = np.where(inside, np.abs(covered / areas - 1), covered / areas - 1)
    if (lost := inside & (covered == 0)).any():
        worst = int(lost.argmax())
        raise GeometryError(
            f"the polygon has an area of {areas[worst]:.3g} m2, which is lost in the rounding of the grid",
            where=f"zone {zones.index[worst]!r}",
            expected="a polygon of at least a millionth of a millionth of a cell",
            todo="drop the row, or give the zone as a point",
        )
    if (apart > limit).any():
        worst = int(apart.argmax())
        raise GeometryError(
            f"its cells hold {covered[worst] / 1e6:.6g} km2 but the polygon {areas[worst] / 1e6:.6g} km2",
            where=f"zone {zones.index[worst]!r}",
            expected=f"agreement within {limit:g}",
            todo="check the polygon for parts, and the grid for cells, that lie on each other",
        )
    dim = zone_dim or (str(zones.index.name) if zones.index.name else "zone")
    described = Target(
        (dim,),
        (len(zones),),
        _label_coords(zones, dim, coordinates),
        # A zone on the grid is as large as its cells, so that full data give a valid fraction of exactly 1.
        np.where(inside, covered, areas),
        "zones",
        _digest(shapely.to_wkb(shapes), crs, zones.index),
    )
    return described, matrix


def _label_coords(frame: gpd.GeoDataFrame, dim: str, coordinates: Sequence[str]) -> dict[str, Any]:
    coords: dict[str, Any] = {dim: (dim, plain_names(frame.index))}
    for name in coordinates:
        if name not in frame.columns:
            raise UsageError(f"there is no column {name!r}", where="coordinates of the zones")
        coords[name] = (dim, plain_names(frame[name]), {"units": "km"} if name == "distance_km" else {})
    return coords


def plain_names(values: Any) -> NDArray[Any]:
    """Names as plain text and numbers as they are; pandas strings are neither for NetCDF."""
    array = np.asarray(values)
    if array.dtype.kind in "OTU" and all(isinstance(v, str) for v in array):
        return np.array([str(v) for v in array])
    return array


def _digest(shapes: Any, crs: CRS, names: Any) -> str:
    digest = hashlib.sha256(crs.to_wkt().encode())
    for shape, name in zip(shapes, names, strict=True):
        digest.update(repr(name).encode() + b"|" + shape + b"|")
    return digest.hexdigest()


def _cells(target: AnyGrid, source: AnyGrid) -> tuple[Target, Matrix]:
    pairs, inside = shared_cells(target, source)
    areas = target.cell_areas().ravel()
    covered = np.bincount(pairs.target, pairs.area, minlength=target.size)
    described = Target(
        target.dims,
        target.shape,
        target.coordinates(),
        # Without an area there is no share of it.
        np.where(inside, covered, np.where(areas > 0, areas, np.nan)),
        "cells",
        target.key,
        target,
    )
    return described, CellMatrix(*pairs, (target.size, source.size), source)


def _points(
    points: gpd.GeoDataFrame,
    source: AnyGrid,
    zone_dim: str | None,
    coordinates: Sequence[str],
) -> tuple[Target, Matrix]:
    crs = as_crs(points.crs, where="points")
    twice = points.index[points.index.duplicated()]
    places = np.array(points.geometry.array, dtype=object)
    empty = points.index[shapely.is_missing(places) | shapely.is_empty(places) | not_finite(places)]
    if len(twice) or len(empty):
        raise GeometryError(
            f"{twice[0]!r} comes more than once"
            if len(twice)
            else f"{empty[0]!r} has no place: its coordinates are absent, NaN or infinite",
            where="points",
        )
    if is_lonlat(crs) and (problems := range_problems(places, points.index, "point")):
        raise problems[0] if len(problems) == 1 else ProblemsError(problems)
    x, y = points.geometry.x.to_numpy(), points.geometry.y.to_numpy()
    cell = _cells_of(x, y, crs, source)
    found = np.flatnonzero(cell >= 0)
    dim = zone_dim or (str(points.index.name) if points.index.name else "point")
    described = Target(
        (dim,),
        (len(points),),
        _label_coords(points, dim, coordinates),
        np.ones(len(points)),
        "points",
        _digest(shapely.to_wkb(places), crs, points.index),
    )
    return described, CellMatrix(found, cell[found], np.ones(found.size), (len(points), source.size), source)


def _cells_of(x: NDArray[np.float64], y: NDArray[np.float64], crs: CRS, source: AnyGrid) -> NDArray[np.int64]:
    """Flat number of the cell that holds each point, -1 outside."""
    wanted = WGS84 if isinstance(source, CurvilinearGrid) else source.crs
    if not same_crs(crs, wanted):
        x, y = Transformer.from_crs(crs, wanted, always_xy=True).transform(x, y)
    if isinstance(source, CurvilinearGrid):
        return cells_of_points(x, y, source)
    west, _, east, _ = source.bounds
    if source.is_lonlat:
        x = np.where(x < west, x + 360, np.where(x > east, x - 360, x))
    column, row = _cell_number(x, source.x_edges), _cell_number(y, source.y_edges)
    return np.where((column >= 0) & (row >= 0), row * source.shape[1] + column, -1)


def _cell_number(values: NDArray[np.float64], edges: NDArray[np.float64]) -> NDArray[np.int64]:
    """Cell that holds each value, -1 outside. A value on an inner edge belongs to the cell above it."""
    ascending = np.sort(edges)
    last = edges.size - 2
    number = np.searchsorted(ascending, values, side="right") - 1
    number = np.where(values == ascending[-1], last, number)
    outside = ~((values >= ascending[0]) & (values <= ascending[-1]))
    number = number if edges[0] < edges[-1] else last - number
    return np.where(outside, -1, number).astype("int64")
