"""Polygons in longitude and latitude that cross the antimeridian or hold a pole."""

from __future__ import annotations

from typing import Any

import numpy as np
import shapely
import shapely.affinity
from numpy.typing import NDArray
from pyproj import CRS, Transformer

from geotools.errors import GeometryError
from geotools.space.crs import WGS84, is_lonlat
from geotools.space.geodesy import polar
from geotools.space.pole_cells import from_polar

_NEAR = 1e-6
# Degrees: of longitude by which a step past a pole may miss half a turn, and of latitude, less than a metre.
_HALF_TURN = 1e-3
_AT_POLE = 2e-6

Geometries = NDArray[Any]


def unwrap(polygons: Geometries, source: Geometries, crs: CRS) -> Geometries:
    """Polygons as continuous shapes, which may leave -180 to 180.

    Parameters
    ----------
    polygons : numpy.ndarray of shapely polygons [polygon]
        In longitude and latitude, with leaps where they cross the antimeridian.
    source : numpy.ndarray of shapely polygons [polygon]
        The same, vertex by vertex, in the CRS they came in.
    crs : pyproj.CRS
        Of `source`.

    Returns
    -------
    numpy.ndarray of shapely polygons [polygon]
        One that holds a pole, inside or on its outline, ends in the line of the pole.
    """
    kind, coordinates, offsets = shapely.to_ragged_array(polygons)
    lon, rings = coordinates[:, 0].copy(), offsets[0]
    step = np.abs(np.diff(lon))
    step[rings[1:-1] - 1] = 0.0
    # An outline with a pole on it leaps by half a turn there, or has a vertex without a longitude of its own.
    at_pole = np.append(np.abs(np.mod(step, 360) - 180) < _HALF_TURN, False)
    at_pole |= np.abs(coordinates[:, 1]) > 90 - _AT_POLE
    ring_of = np.repeat(np.arange(rings.size - 1), np.diff(rings))
    open_rings = set() if is_lonlat(crs) else set(ring_of[at_pole].tolist())
    if not (step > 180).any() and not open_rings:
        return polygons
    first_of_polygon = set(offsets[1].tolist())
    shell = 0.0
    for ring in range(rings.size - 1):
        part = slice(rings[ring], rings[ring + 1])
        lon[part] = np.unwrap(lon[part], period=360)
        if abs(lon[part][0] - lon[part][-1]) > 180:
            open_rings.add(ring)
        elif ring in first_of_polygon:
            shell = float(lon[part].mean())
        else:
            lon[part] += 360 * np.round((shell - lon[part].mean()) / 360)
    if not open_rings:
        return np.asarray(shapely.from_ragged_array(kind, np.column_stack((lon, coordinates[:, 1])), offsets))
    parts = np.searchsorted(offsets[1], sorted(open_rings), side="right") - 1
    affected = np.unique(np.searchsorted(offsets[2], parts, side="right") - 1 if len(offsets) > 2 else parts)
    out = np.array(polygons, dtype=object)
    others = np.setdiff1d(np.arange(len(out)), affected)
    if others.size:
        out[others] = unwrap(out[others], source[others], crs)
    for k in affected.tolist():
        out[k] = _around_pole(out[k], source[k], crs)
    return out


def _around_pole(polygon: Any, source: Any, crs: CRS) -> Any:
    """A polygon that holds a pole, inside or on its outline, closed along the line of the pole."""
    pieces = []
    for part, drawn in zip(shapely.get_parts(polygon), shapely.get_parts(source), strict=True):
        shell = _closed(part.exterior, drawn.exterior, crs)
        holes = [_closed(h, d, crs) for h, d in zip(part.interiors, drawn.interiors, strict=True)]
        for turn in (-360.0, 0.0, 360.0) if holes else ():
            shell = shapely.difference(shell, shapely.affinity.translate(shapely.union_all(holes), turn))
        pieces += [p for p in shapely.get_parts(shell) if p.geom_type == "Polygon"]
    return pieces[0] if len(pieces) == 1 else shapely.MultiPolygon(pieces)


def _closed(ring: Any, drawn: Any, crs: CRS) -> Any:
    """What a ring encloses."""
    points = shapely.get_coordinates(ring)
    lon = np.unwrap(points[:, 0], period=360)
    on_outline = np.abs(np.mod(np.abs(np.diff(points[:, 0])), 360) - 180) < _HALF_TURN
    touching = np.append(on_outline, False) | (np.abs(points[:, 1]) > 90 - _AT_POLE)
    if abs(lon[-1] - lon[0]) > 180 and not touching.any():
        pole = _pole_in(drawn, crs)
    elif touching.any():
        pole = 90.0 * float(np.sign(points[touching, 1].sum()))
    else:
        return shapely.Polygon(np.column_stack((lon, points[:, 1])))
    flat = polar(points, pole)[:-1]
    if not shapely.is_ccw(shapely.LinearRing(flat)):
        flat = flat[::-1]
    return from_polar(np.array([0, len(flat)]), flat, pole, chords=False)[0]


def _pole_in(ring: Any, crs: CRS) -> float:
    """The latitude of the pole that a ring of a projected plane goes round."""
    area = shapely.Polygon(ring)
    to_plane = Transformer.from_crs(WGS84, crs, always_xy=True)
    for pole in (90.0, -90.0):
        place = to_plane.transform(0.0, pole)
        # A corner may be the pole itself, within rounding.
        if np.isfinite(place).all() and shapely.distance(area, shapely.Point(place)) <= _NEAR * area.length:
            return pole
    raise GeometryError(
        "a ring goes round the Earth but holds no pole of its projection",
        where="ring from ({:.6g}, {:.6g}) to ({:.6g}, {:.6g})".format(*area.bounds),
        expected="a polygon that its projection can show",
        todo="cut the polygon along a meridian",
    )
