"""The strip along one geodesic leg, cut into pieces."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import shapely
from numpy.typing import NDArray

from geotools.errors import GeometryError
from geotools.space.geodesy import GEOD, SEMI_MAJOR_AXIS, destination

_SPACING_M = 5000.0


def leg_strips(
    origin: tuple[float, float, float],
    cuts: NDArray[np.float64],
    half_width: float,
    bends: tuple[float, float],
) -> list[shapely.Polygon]:
    """Pieces of the strip along a geodesic.

    Parameters
    ----------
    origin : tuple of float [degrees]
        Latitude and longitude of the start and azimuth of the leg there.
    cuts : numpy.ndarray [piece + 1; m]
        Distances from the start at which the strip is cut.
    half_width : float [m]
    bends : tuple of float [degrees]
        Change of direction at the start and at the end, positive to the right.

    Returns
    -------
    list of shapely.Polygon
        In longitude and latitude. The strip ends on the bisectors of the bends.

    Notes
    -----
    Pieces are cut out in the plane of distance along the leg and distance to the right of it, and carried
    over point by point: along the leg, then along the perpendicular geodesic. The bisector of a bend is
    straight in both planes that meet there but for ``half_width^3 / R^2``: 0.4 m at 25 km and 25 m at 100 km.
    Strips reach over it by twice as much, so that no gap opens; `without_double_cover` takes the rest away.
    """
    length = float(cuts[-1])
    # On the outer side of a bend the strip reaches on to the bisector, but not further than its half width.
    reach = [
        min(half_width, half_width * abs(np.tan(np.deg2rad(b) / 2))) + _margin(half_width, b) for b in bends
    ]
    ends = cuts.astype("float64").copy()
    ends[0] -= reach[0]
    ends[-1] += reach[1]
    corridor = _between_bisectors(length, half_width, bends)
    pieces = []
    for start, stop in pairwise(ends):
        piece = shapely.box(start, -half_width, stop, half_width).intersection(corridor)
        pieces.append(_on_earth(shapely.segmentize(piece, _SPACING_M), origin))
    return pieces


def _between_bisectors(length: float, half_width: float, bends: tuple[float, float]) -> shapely.Geometry:
    far = 10 * (length + half_width)
    corridor = shapely.box(-far, -half_width, length + far, half_width)
    # Facing along the leg, the bisector of a right turn at its end leans back on the right-hand side.
    for place, bend, side in ((0.0, bends[0], 1.0), (length, bends[1], -1.0)):
        slope = side * np.clip(np.tan(np.deg2rad(bend) / 2), -50, 50)
        at = half_width * slope
        place -= side * _margin(half_width, bend)
        half_plane = shapely.Polygon(
            [
                (place - at, -half_width),
                (place + at, half_width),
                (place + side * 10 * far, half_width),
                (place + side * 10 * far, -half_width),
            ]
        )
        corridor = corridor.intersection(half_plane)
    return corridor


def _margin(half_width: float, bend: float) -> float:
    return 0.0 if bend == 0 else 2 * half_width**3 / SEMI_MAJOR_AXIS**2


def _on_earth(piece: shapely.Geometry, origin: tuple[float, float, float]) -> shapely.Geometry:
    lat0, lon0, azimuth0 = origin

    def carry(c: NDArray[np.float64]) -> NDArray[np.float64]:
        n = np.ones(len(c))
        lon, lat, back = GEOD.fwd(lon0 * n, lat0 * n, azimuth0 * n, c[:, 0])
        # GEOD.fwd gives the azimuth back to the start, which for a negative distance is the one ahead.
        heading = np.asarray(back) + 180.0
        lat, lon = destination(lat, lon, heading + 90.0, c[:, 1])
        return np.column_stack((lon, lat))

    return shapely.transform(piece, carry)


def without_double_cover(pieces: Sequence[shapely.Geometry], where: str) -> NDArray[np.object_]:
    """Pieces from which the land of earlier ones is taken away.

    Raises
    ------
    GeometryError
        When nothing is left of a piece, or one reaches a pole or the antimeridian.
    """
    shapes = np.array(pieces, dtype=object)
    bounds = shapely.bounds(shapes)
    off = (bounds[:, 2] - bounds[:, 0] > 90) | (np.abs(bounds[:, [1, 3]]).max(axis=1) > 89.5)
    if off.any():
        raise GeometryError(
            f"segment {int(off.argmax())} reaches a pole or the antimeridian",
            where=where,
            todo="shorten the transect or narrow half_width_km",
        )
    tree = shapely.STRtree(shapes)
    one, other = tree.query(shapes, predicate="intersects")
    # Two neighbours share an edge; only pairs that share land are cut.
    shared = (other < one) & (shapely.area(shapely.intersection(shapes[one], shapes[other])) > 0)
    for k in np.unique(one[shared]):
        earlier = shapely.union_all(shapes[other[shared & (one == k)]])
        shapes[k] = shapely.difference(shapes[k], earlier)
    parts, owner = shapely.get_parts(shapes, return_index=True)
    area = shapely.area(parts)
    # What the reach over a bisector leaves beside a piece is no land of its own.
    kept = area > np.maximum(1e-10, 1e-4 * shapely.area(shapes)[owner])
    for k in range(shapes.size):
        mine = parts[kept & (owner == k)]
        shapes[k] = mine[0] if mine.size == 1 else shapely.MultiPolygon(list(mine))
    if shapely.is_empty(shapes).any():
        raise GeometryError(
            f"segment {int(shapely.is_empty(shapes).argmax())} lies wholly in the strip of earlier segments",
            where=where,
            expected="a strip narrower than its legs are long",
            todo="reduce half_width_km, or leave out places that lie close together",
        )
    return shapes
