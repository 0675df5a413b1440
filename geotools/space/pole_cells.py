"""Outlines of cells between the cylindrical equal-area plane and Lambert's azimuthal plane at a pole.

An edge that is straight in one plane is bent in the other and is drawn there by a few chords. They are a function of
its two ends only, so that all cells that share an edge share its chords; and they are moved aside just so much that
the area under them is that under the edge, so that a cell is as large in one plane as in the other.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from geotools.space.geodesy import SEMI_MAJOR_AXIS, authalic_latitude, authalic_ordinate

# An edge that turns through less is one chord: it is a step of an edge that was cut where two sheets meet.
_ONE_CHORD = np.deg2rad(0.0025) * (1 + 1e-6)
# Chords turn through a fiftieth of a degree where an edge is short, up to a quarter of one near a pole.
_FINE, _COARSE = np.deg2rad(0.02), np.deg2rad(0.25)
_CHORDS = 32
# A corner nearer to the pole than this [m] is the pole: the sine of its latitude does not tell more.
AT_POLE = 0.3
# An edge that passes the pole nearer than this [m] goes through it.
_THROUGH = 1e-3

Geometries = NDArray[Any]
Floats = NDArray[np.float64]
Indices = NDArray[np.int64]


def to_polar(polygons: Geometries, pole: float) -> Geometries:
    """Polygons of the cylindrical plane, whose edges are straight there, in the plane at a pole.

    Parameters
    ----------
    polygons : numpy.ndarray of shapely polygons [polygon]
    pole : float [degrees_north]
    """
    side = np.sign(pole)
    points, ring = shapely.get_coordinates(polygons, return_index=True)
    lon = points[:, 0] / SEMI_MAJOR_AXIS
    # Half the squared distance from the pole is the area towards it per radian of longitude.
    left = np.maximum(_half() - side * points[:, 1] * SEMI_MAJOR_AXIS, 0.0)
    left[2 * left < AT_POLE**2] = 0.0
    first = np.flatnonzero(ring[1:] == ring[:-1])
    turned = _turned(points, first, first + 1)
    a, b = np.where(turned, first + 1, first), np.where(turned, first, first + 1)
    turn = lon[b] - lon[a]
    count = _chords(np.abs(turn))
    edge, step, inner = _inner(count)
    fraction = step / count[edge]
    radius = np.sqrt(2 * (left[a][edge] + (left[b] - left[a])[edge] * fraction))
    radius *= _scale_of_radii(np.sqrt(2 * left[a]), np.sqrt(2 * left[b]), radius, np.abs(turn), count, edge)
    phi = lon[a][edge] + turn[edge] * fraction
    start = np.sqrt(2 * left)
    first_points = np.stack((start * np.sin(lon), -side * start * np.cos(lon)), axis=-1)
    between = np.stack((radius * np.sin(phi), -side * radius * np.cos(phi)), axis=-1)
    # After each vertex come the inner points of its edge, in the direction of the ring.
    size = np.ones(len(points), dtype="int64")
    size[first] += inner
    begin = np.cumsum(size) - size
    out = np.empty((int(size.sum()), 2))
    out[begin] = first_points
    out[begin[first][edge] + np.where(turned[edge], count[edge] - step, step)] = between
    rings = shapely.linearrings(out, indices=np.repeat(ring, size))
    return np.asarray(shapely.polygons(rings), dtype=object)


def from_polar(
    start: Indices, points: Floats, pole: float, middle: float = 0.0, *, chords: bool = True
) -> Geometries:
    """Outlines in the plane at a pole, whose edges are straight there, as polygons in longitude and latitude.

    Parameters
    ----------
    start : numpy.ndarray [cell + 1]
        First vertex of each outline.
    points : numpy.ndarray [vertex, 2; m]
        Open rings, counter-clockwise.
    pole : float [degrees_north]
    middle : float [degrees_east]
        Polygons lie round this meridian. They are continuous, and those that hold the pole, inside or on their
        outline, are closed along the line of its latitude.
    chords : bool
        Whether edges get further vertices; those that have them already are as their neighbours draw them.
    """
    side = np.sign(pole)
    begin, chain, capped = _chains(start, points)
    ring = np.repeat(np.arange(begin.size - 1), np.diff(begin))
    first = np.flatnonzero(ring[1:] == ring[:-1])
    turned = _turned(chain, first, first + 1)
    a, b = chain[np.where(turned, first + 1, first)], chain[np.where(turned, first, first + 1)]
    cross = a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0]
    turn = np.arctan2(cross, (a * b).sum(axis=1))
    count = _chords(np.abs(turn)) if chords else np.ones(turn.size, dtype="int64")
    edge, phi, inner = _by_turn_and_length(a, b, turn, count)
    angle = np.arctan2(a[:, 1], a[:, 0])[edge] + phi
    along = (b - a)[edge]
    radius = cross[edge] / (np.cos(angle) * along[:, 1] - np.sin(angle) * along[:, 0])
    left = radius**2 / 2
    left *= _scale_of_squares(a, b, left, np.abs(turn), np.abs(phi), np.abs(cross), edge, inner)
    # Longitude goes on from vertex to vertex; its last digits are those of the vertex, as its neighbours have it.
    forward = np.zeros(len(chain))
    forward[first + 1] = side * np.where(turned, -turn, turn)
    lon = np.arctan2(chain[:, 0], -side * chain[:, 1])
    run = np.cumsum(forward)
    run += (lon - run)[begin[:-1]][ring]
    lon += 2 * np.pi * np.round((run - lon) / (2 * np.pi))
    step = np.arange(edge.size) - (np.cumsum(inner) - inner)[edge] + 1
    from_first = np.where(turned[edge], inner[edge] + 1 - step, step)
    from_a = lon[np.where(turned, first + 1, first)][edge]
    size = np.ones(len(chain), dtype="int64")
    size[first] += inner
    last = begin[1:] - 1
    size[last] += np.where(capped, 3, 0)
    at = np.cumsum(size) - size
    out = np.empty((int(size.sum()), 2))
    out[at] = np.stack((lon, (chain**2).sum(axis=1) / 2), axis=-1)
    out[at[first][edge] + from_first] = np.stack((from_a + side * phi, left), axis=-1)
    for k in np.flatnonzero(capped).tolist():
        head, tail = at[begin[k]], at[last[k]]
        out[tail + 1 : tail + 4] = [[out[tail, 0], 0.0], [out[head, 0], 0.0], out[head]]
    whole = np.append(at[begin[:-1]], len(out))
    low, high = (reduce(out[:, 0], whole[:-1]) for reduce in (np.minimum.reduceat, np.maximum.reduceat))
    turns = np.round((np.deg2rad(middle) - (low + high) / 2) / (2 * np.pi)) * 2 * np.pi
    out[:, 0] = np.rad2deg(out[:, 0] + np.repeat(turns, np.diff(whole)))
    out[:, 1] = side * np.where(
        out[:, 1] == 0, 90.0, authalic_latitude((_half() - out[:, 1]) * np.deg2rad(1.0))
    )
    rings = shapely.linearrings(out, indices=np.repeat(np.arange(len(whole) - 1), np.diff(whole)))
    return np.asarray(shapely.polygons(rings), dtype=object)


def _chains(start: Indices, points: Floats) -> tuple[Indices, Floats, NDArray[np.bool_]]:
    """Closed rings; those with the pole on their outline from the vertex behind it to the one before it.

    Returns
    -------
    start : numpy.ndarray [ring + 1]
    points : numpy.ndarray [vertex, 2]
    capped : numpy.ndarray of bool [ring]
        Whether the ring is still to be closed over the pole.
    """
    number = np.repeat(np.arange(start.size - 1), np.diff(start))
    following = np.arange(1, len(points) + 1)
    following[start[1:] - 1] = start[:-1]
    a, b = points, points[following]
    cross, dot = a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0], (a * b).sum(axis=1)
    at_pole = np.hypot(*a.T) < AT_POLE
    through = (dot < 0) & (np.abs(cross) < _THROUGH * np.hypot(*(b - a).T)) & ~at_pole & ~at_pole[following]
    around = np.bincount(number, np.arctan2(cross, dot), minlength=start.size - 1)
    touching = np.bincount(number, at_pole | through, minlength=start.size - 1) > 0
    capped = touching | (np.abs(around) > np.pi)
    count = np.diff(start) + 1
    own = {}
    for k in np.flatnonzero(touching).tolist():
        ring: list[tuple[float, float] | None] = []
        for v in range(start[k], start[k + 1]):
            ring.append(None if at_pole[v] else (points[v, 0], points[v, 1]))
            if through[v]:
                ring.append(None)
        pole = ring.index(None)
        own[k] = np.array([p for p in ring[pole:] + ring[:pole] if p is not None])
        count[k] = len(own[k])
    begin = np.concatenate(([0], np.cumsum(count)))
    out = np.empty((int(begin[-1]), 2))
    plain = ~touching[number]
    place = np.arange(len(points)) - start[number] + begin[number]
    out[place[plain]] = points[plain]
    rest = np.flatnonzero(~touching)
    out[begin[rest + 1] - 1] = points[start[rest]]
    for k, vertices in own.items():
        out[begin[k] : begin[k + 1]] = vertices
    return begin, out, capped


def _chords(turn: Floats) -> Indices:
    """How many chords draw an edge that turns so far [edge; radians]."""
    most = np.maximum(np.minimum(np.ceil(turn / _FINE), _CHORDS), np.ceil(turn / _COARSE))
    return np.where(turn <= _ONE_CHORD, 1, np.maximum(most, 2)).astype("int64")


def _inner(count: Indices) -> tuple[Indices, Indices, Indices]:
    """Edge and number of every point between two chords, and how many there are of each edge."""
    inner = count - 1
    edge = np.repeat(np.arange(count.size), inner)
    step = np.arange(edge.size) - np.repeat(np.cumsum(inner) - inner, inner) + 1
    return edge, step, inner


def _by_turn_and_length(
    a: Floats, b: Floats, turn: Floats, count: Indices
) -> tuple[Indices, Floats, Indices]:
    """Edge of each inner point and turn from `a` to it, and how many there are of each edge.

    Steps are even in turn, and for edges near a pole, which make most of their turn in a short part, also in length.
    """
    edge, step, inner = _inner(count)
    phi = turn[edge] * (step / count[edge])
    near = np.flatnonzero(count > _CHORDS)
    if near.size == 0:
        return edge, phi, inner
    share = np.arange(1, _CHORDS)[:, None, None] / _CHORDS
    points = a[near] + (b - a)[near] * share
    cross = a[near, 0] * points[..., 1] - a[near, 1] * points[..., 0]
    further = np.arctan2(cross, (a[near] * points).sum(axis=-1))
    edge = np.concatenate((edge, np.broadcast_to(near, further.shape).ravel()))
    phi = np.concatenate((phi, further.ravel()))
    order = np.lexsort((np.abs(phi), edge))
    return edge[order], phi[order], np.bincount(edge, minlength=count.size)


def _scale_of_squares(
    a: Floats,
    b: Floats,
    left: Floats,
    turn: Floats,
    phi: Floats,
    cross: Floats,
    edge: Indices,
    inner: Indices,
) -> Floats:
    """By how much the areas towards the pole change, so that chords of the cylindrical plane enclose what edges do."""
    last = np.cumsum(inner)[inner > 0] - 1
    first = last - inner[inner > 0] + 1
    before, behind = np.roll(phi, 1), np.roll(phi, -1)
    before[first], behind[last] = 0.0, turn[inner > 0]
    weighed = np.bincount(edge, left * (behind - before) / 2, minlength=inner.size)[inner > 0]
    at_a, at_b = ((end[inner > 0] ** 2).sum(axis=1) / 4 for end in (a, b))
    ends = at_a * phi[first] + at_b * (turn[inner > 0] - phi[last])
    scale = np.ones(inner.size)
    scale[inner > 0] = (cross[inner > 0] / 2 - ends) / weighed
    return np.asarray(scale[edge])


def _scale_of_radii(
    start: Floats, stop: Floats, radius: Floats, turn: Floats, count: Indices, edge: Indices
) -> Floats:
    """By how much the inner points move from the pole, so that the chords enclose what the edge does."""
    bent = np.flatnonzero((count > 1) & (np.maximum(start, stop) > 0))
    scale = np.ones(count.size)
    if bent.size:
        begin = np.cumsum(count - 1) - (count - 1)
        first, last = radius[begin[bent]], radius[begin[bent] + count[bent] - 2]
        paired = np.append(radius[:-1] * radius[1:] * (edge[1:] == edge[:-1]), 0.0)
        square = np.bincount(edge, paired, minlength=count.size)[bent]
        linear = start[bent] * first + stop[bent] * last
        wanted = (start[bent] ** 2 + stop[bent] ** 2) / 2 * turn[bent] / np.sin(turn[bent] / count[bent])
        # The positive root, in the form that also holds for two chords, when nothing is squared.
        scale[bent] = 2 * wanted / (linear + np.sqrt(linear**2 + 4 * square * wanted))
    return np.asarray(scale[edge])


def _turned(points: Floats, first: Indices, second: Indices) -> NDArray[np.bool_]:
    """Whether an edge comes from its greater end."""
    x, y = points.T
    return np.asarray((x[second] < x[first]) | ((x[second] == x[first]) & (y[second] < y[first])))


def _half() -> float:
    """Area between the equator and a pole per radian of longitude [m2]."""
    return float(authalic_ordinate(90.0) / np.deg2rad(1.0))
