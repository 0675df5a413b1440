"""Cells with corners anywhere, drawn in equal-area planes in which their edges are straight.

A grid of longitudes and latitudes is drawn on up to three sheets: the cylindrical equal-area plane, in which
parallels and meridians are straight, and Lambert's azimuthal plane at either pole for the cells that hold the pole
or lie so close to it that an edge turns through many degrees of longitude. A grid in a projection has one sheet.
Every cell is on one sheet, and two cells that share an edge draw it alike.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from pyproj import CRS, Transformer

from geotools.errors import DataError, GeometryError
from geotools.space.crs import WGS84, is_equal_area, is_lonlat, name_of
from geotools.space.geodesy import (
    CYLINDER,
    SEMI_MAJOR_AXIS,
    cylindrical,
    equal_area_crs,
    from_cylindrical,
    polar,
)
from geotools.space.pole_cells import AT_POLE
from geotools.space.sheets import Sheet, twice_area

# Beyond this latitude an edge that turns further than this in longitude is a chord of the polar plane, for there it
# is off by an eighth of its turn. One along a parallel is taken at its word.
_POLAR_LATITUDE = 60.0
_POLAR_TURN = 0.5
_PARALLEL_TURN = 5.0
_PARALLEL = 1e-4
# Edges shared by two sheets are cut into steps of this many degrees. The gap between both shrinks with the square.
_SEAM_STEP = 0.0025
_WIDEST = 60.0
_MAX_EDGE_METRES = 5000.0
_MAX_PARTS = 64
_FURTHEST = 110.0
# Twice the area of a cell below this share of the product of its diagonals is rounding: a line or a point.
_FLAT = 1e-11
# Once round the Earth in the cylindrical plane [m], and what is at a pole in degrees.
_ROUND = 2 * np.pi * SEMI_MAJOR_AXIS
_AT_POLE_DEGREES = np.rad2deg(AT_POLE / SEMI_MAJOR_AXIS)

Corners = NDArray[np.float64]


def draw(x: Corners, y: Corners, crs: CRS, exists: NDArray[np.bool_]) -> list[Sheet]:
    """Draw the cells of a grid.

    Parameters
    ----------
    x, y : numpy.ndarray [y + 1, x + 1; units of the CRS]
        NaN for corners of cells that do not exist.
    crs : pyproj.CRS
    exists : numpy.ndarray of bool [y, x]
        Cells that do; those with a NaN corner do not in any case.

    Returns
    -------
    list of Sheet
        Cells without area are on none.

    Raises
    ------
    DataError
        When a cell crosses itself, or is so large that its shape is not known from its corners.
    GeometryError
        When a grid in a projection that is not equal-area reaches far over a hemisphere.
    """
    if is_lonlat(crs):
        return _draw_lonlat(x, y, exists)
    quads = np.stack((_round(x), _round(y)), axis=-1)
    cells = np.flatnonzero(np.isfinite(quads).all(axis=(1, 2)) & exists.ravel())
    shape = (x.shape[0] - 1, x.shape[1] - 1)
    if is_equal_area(crs):
        return _kept([Sheet(crs, cells, quads[cells], {})], shape)
    lon, lat = Transformer.from_crs(crs, WGS84, always_xy=True).transform(x, y)
    plane = _plane_around(np.asarray(lon), np.asarray(lat), crs)
    to_plane = Transformer.from_crs(crs, plane, always_xy=True)
    rings = along_edges(quads[cells], _parts(quads[cells], crs))
    dense = np.stack(to_plane.transform(rings[..., 0], rings[..., 1]), axis=-1)
    parts = dense.shape[1] // 4
    return _kept([Sheet(plane, cells, dense[:, ::parts], {}, dense if parts > 1 else None)], shape)


def along_edges(quads: NDArray[np.float64], parts: int) -> NDArray[np.float64]:
    """Outlines [cell, 4 * parts, 2] with further vertices on the straight edges of cells [cell, 4, 2].

    The vertices of an edge are the same numbers in whichever direction it is followed.
    """
    if parts == 1:
        return quads
    start, stop = quads, np.roll(quads, -1, axis=1)
    turned = (stop[..., 0] < start[..., 0]) | (
        (stop[..., 0] == start[..., 0]) & (stop[..., 1] < start[..., 1])
    )
    low = np.where(turned[..., None], stop, start)[:, :, None]
    high = np.where(turned[..., None], start, stop)[:, :, None]
    step = np.arange(parts)
    number = np.where(turned[..., None], parts - step, step)[..., None]
    points = low + (high - low) * (number / parts)
    points = np.where(number == parts, high, points)
    return np.asarray(points.reshape(quads.shape[0], 4 * parts, 2))


def _draw_lonlat(lon: Corners, lat: Corners, exists: NDArray[np.bool_]) -> list[Sheet]:
    shape = (lon.shape[0] - 1, lon.shape[1] - 1)
    x, y = _round(lon), _round(lat)
    finite = np.isfinite(x + y).all(axis=1) & exists.ravel()
    x, y = np.where(finite[:, None], x, 0.0), np.where(finite[:, None], y, 0.0)
    x = _with_longitudes_at_poles(x, y)
    turn = np.abs(_turn(np.roll(x, -1, axis=1) - x))
    end = np.roll(y, -1, axis=1)
    high = np.maximum(np.abs(y), np.abs(end)) > _POLAR_LATITUDE
    parallel = (np.abs(end - y) <= _PARALLEL * turn) & (turn <= _PARALLEL_TURN * (1 + 1e-9))
    wide = finite[:, None] & (turn > _POLAR_TURN) & high & ~parallel
    too_wide = (finite[:, None] & (turn > _WIDEST) & ~high).any(axis=1)
    polar = wide.any(axis=1)
    over = polar & ((y > 0).any(axis=1) & (y < 0).any(axis=1))
    for k in np.flatnonzero(too_wide | over)[:1]:
        raise DataError(
            f"it reaches from ({x[k].min():g}, {y[k].min():g}) to ({x[k].max():g}, {y[k].max():g})",
            where=place(int(k), shape),
            expected="cells narrower than 60 degrees of longitude that lie on one side of the equator "
            "where they are near a pole",
            todo="divide the cells, or set the corners of cells that do not exist to NaN",
        )
    belt = np.flatnonzero(finite & ~polar)
    first = x[:, :1] - 360 * np.round(x[:, :1] / 360)
    x = x + 360 * np.round((first - x) / 360)
    flat = cylindrical(np.stack((x, y), axis=-1))
    parts = _parts_at_seams(x, y, turn, finite & polar, finite & ~polar, wide, parallel)
    seams = {
        int(k): _cut_edges(flat[belt[k]], parts[belt[k]])
        for k in np.flatnonzero((parts[belt] > 1).any(axis=1))
    }
    sheets = [Sheet(CYLINDER, belt, flat[belt], {}, seams=seams)]
    for pole in (90.0, -90.0):
        near = np.flatnonzero(polar & (np.sign(y.sum(axis=1)) == np.sign(pole)))
        if near.size:
            sheets.append(_draw_polar(near, flat[near], parts[near], pole))
    return _kept(sheets, shape)


def _with_longitudes_at_poles(lon: NDArray[np.float64], lat: NDArray[np.float64]) -> NDArray[np.float64]:
    """Longitudes [cell, 4] in which a corner at a pole, where any will do, has that of a corner beside it."""
    at_pole = 90 - np.abs(lat) < _AT_POLE_DEGREES
    out = lon
    for beside in (1, -1):
        known = at_pole & ~np.roll(at_pole, beside, axis=1)
        out = np.where(known, np.roll(lon, beside, axis=1), out)
    return np.asarray(out)


def _parts_at_seams(
    lon: NDArray[np.float64],
    lat: NDArray[np.float64],
    turn: NDArray[np.float64],
    polar: NDArray[np.bool_],
    belt: NDArray[np.bool_],
    wide: NDArray[np.bool_],
    parallel: NDArray[np.bool_],
) -> NDArray[np.int64]:
    """Into how many chords each edge [cell, 4] is cut: parallels of polar cells, and what they share with the belt."""
    parts = np.ones(lon.shape, dtype="int64")
    # The neighbour may be at the other end of the array, so edges are known by the place of their middle.
    lowest = np.abs(lat[polar]).min(initial=90.0) - 1e-6
    high = np.flatnonzero((polar | belt) & (np.abs(lat).max(axis=1) >= lowest))
    a, b = np.deg2rad(lon[high]), np.deg2rad(lat[high])
    points = np.stack((np.cos(b) * np.cos(a), np.cos(b) * np.sin(a), np.sin(b)), axis=-1)
    middle = np.round((points + np.roll(points, -1, axis=1)) / 2, 9).reshape(-1, 3) + 0.0
    _, name = np.unique(middle, axis=0, return_inverse=True)
    name = name.reshape(-1, 4)
    in_belt = np.zeros(name.max(initial=0) + 1, dtype=bool)
    in_belt[name[belt[high]]] = True
    at_pole = np.zeros(in_belt.size, dtype=bool)
    at_pole[name[polar[high]]] = True
    seam = polar[high][:, None] & (in_belt[name] | parallel[high]) & ~wide[high]
    seam |= belt[high][:, None] & at_pole[name]
    climb = np.where(turn[high] > 1e-9, np.abs(np.roll(lat[high], -1, axis=1) - lat[high]), 0.0)
    steps = np.maximum(np.ceil(np.maximum(turn[high], climb) / _SEAM_STEP), 1).astype("int64")
    parts[high] = np.where(seam, steps, 1)
    return parts


def _draw_polar(
    near: NDArray[np.int64], flat: NDArray[np.float64], parts: NDArray[np.int64], pole: float
) -> Sheet:
    crs = equal_area_crs(pole, 0.0)

    def to_plane(points: NDArray[np.float64]) -> NDArray[np.float64]:
        out = polar(from_cylindrical(points), pole)
        # A corner at the pole has any longitude, and may have several.
        out[np.hypot(out[..., 0], out[..., 1]) < AT_POLE] = 0.0
        return out

    corners = to_plane(flat)
    rings = {}
    for k in np.flatnonzero((parts > 1).any(axis=1)).tolist():
        rings[k] = to_plane(_cut_edges(flat[k], parts[k], round_the_pole=True))
        # Corners are the same numbers in all cells, with further vertices or without.
        rings[k][np.cumsum(parts[k]) - parts[k]] = corners[k]
    return Sheet(crs, near, corners, rings, pole=pole)


def _cut_edges(
    quad: NDArray[np.float64], parts: NDArray[np.int64], *, round_the_pole: bool = False
) -> NDArray[np.float64]:
    """Outline [vertex, 2] of one cell of the cylindrical plane with each edge cut into a number of its own.

    With `round_the_pole` every edge goes the shorter way round, wherever its cell begins.
    """
    pieces = []
    for edge, n in enumerate(parts.tolist()):
        start, stop = quad[edge], quad[(edge + 1) % 4].copy()
        if round_the_pole:
            stop[0] -= _ROUND * np.round((stop[0] - start[0]) / _ROUND)
        pieces.append(along_edges(np.stack((start, stop, stop, start))[None], n)[0, :n])
    return np.concatenate(pieces)


def _kept(sheets: list[Sheet], shape: tuple[int, int]) -> list[Sheet]:
    """Sheets without the cells that have no area; an error for those that cross themselves."""
    out = []
    for sheet in sheets:
        if not np.isfinite(sheet.corners).all():
            raise GeometryError(
                "corners of the grid cannot be brought to the ellipsoid",
                expected="corners inside the area of use of the CRS",
                todo="check the CRS of the corners, or set corners outside the projection to NaN",
            )
        crossed = _crosses_itself(sheet.corners)
        for k in np.flatnonzero(crossed)[:1]:
            raise DataError(
                f"the cell crosses itself ({crossed.sum()} cells do)",
                where=place(int(sheet.cells[k]), shape),
                expected="four corners in order round the cell",
                todo="check the order of the corners, or set those of cells that do not exist to NaN",
            )
        one, other = (sheet.corners[:, k + 2] - sheet.corners[:, k] for k in (0, 1))
        size = np.abs(one[:, 0] * other[:, 1]) + np.abs(one[:, 1] * other[:, 0])
        keep = np.flatnonzero(np.abs(twice_area(sheet.corners)) > _FLAT * size)
        number = {int(k): n for n, k in enumerate(keep)} if sheet.rings or sheet.seams else {}
        rings, seams = (
            {number[k]: ring for k, ring in part.items() if k in number}
            for part in (sheet.rings, sheet.seams)
        )
        outlines = sheet.outlines[keep] if sheet.outlines is not None else None
        if keep.size:
            cells, corners = sheet.cells[keep], sheet.corners[keep]
            out.append(Sheet(sheet.crs, cells, corners, rings, outlines, sheet.pole, seams))
    if not out:
        raise DataError("no cell of the grid has an area", expected="corners that are finite and differ")
    return out


def place(cell: int, shape: tuple[int, int]) -> str:
    """Where a cell stands, for messages."""
    return f"cell (y {cell // shape[1]}, x {cell % shape[1]})"


def _round(corners: Corners) -> NDArray[np.float64]:
    """The four corners of every cell [cell, 4], in order round it."""
    four = (corners[:-1, :-1], corners[:-1, 1:], corners[1:, 1:], corners[1:, :-1])
    return np.stack([part.ravel() for part in four], axis=-1)


def _turn(degrees: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(degrees - 360 * np.round(degrees / 360))


def _crosses_itself(quads: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Whether the edges of quadrilaterals cross: they then turn twice to the left and twice to the right."""
    edge = np.roll(quads, -1, axis=1) - quads
    following = np.roll(edge, -1, axis=1)
    bend = edge[..., 0] * following[..., 1] - edge[..., 1] * following[..., 0]
    size = np.abs(edge).max(axis=(1, 2)) if len(edge) else np.zeros(0)
    rounding = 1e-12 * (np.abs(edge[..., 0]).max(axis=1) * np.abs(edge[..., 1]).max(axis=1))[:, None]
    left, right = (bend > rounding).sum(axis=1), (bend < -rounding).sum(axis=1)
    return np.asarray((left == 2) & (right == 2) & (size > 0))


def _parts(quads: NDArray[np.float64], crs: CRS) -> int:
    unit = crs.axis_info[0].unit_conversion_factor if crs.axis_info else 1.0
    metres = 6.4e6 * unit if crs.axis_info and "degree" in crs.axis_info[0].unit_name else unit
    longest = np.abs(np.roll(quads, -1, axis=1) - quads).max(initial=0.0) * metres
    return int(np.clip(np.ceil(longest / _MAX_EDGE_METRES), 1, _MAX_PARTS))


def _plane_around(lon: Corners, lat: Corners, crs: CRS) -> CRS:
    known = np.isfinite(lon) & np.isfinite(lat)
    a, b = np.deg2rad(lon[known]), np.deg2rad(lat[known])
    points = np.stack((np.cos(b) * np.cos(a), np.cos(b) * np.sin(a), np.sin(b)))
    middle = points.mean(axis=1) if points.size else np.full(3, np.nan)
    middle = middle / np.linalg.norm(middle)
    if points.size and np.rad2deg(np.arccos(np.clip(middle @ points, -1, 1))).max() > _FURTHEST:
        raise GeometryError(
            f"the corners, given in {name_of(crs)}, reach far over a hemisphere",
            expected=f"corners within {_FURTHEST:g} degrees of the middle of the grid",
            todo="give the corners in longitude and latitude, or cut the grid in two",
        )
    return equal_area_crs(np.rad2deg(np.arcsin(middle[2])), np.rad2deg(np.arctan2(middle[1], middle[0])))
