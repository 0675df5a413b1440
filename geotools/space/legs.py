"""Places of a transect, and the nearest point of its legs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from geotools.errors import GeometryError
from geotools.space.geodesy import GEOD

Place = tuple[float, float] | str
_Floats = NDArray[np.float64]


def read_places(
    points: Sequence[Place] | Mapping[str, tuple[float, float]], places: Mapping[str, tuple[float, float]]
) -> tuple[NDArray[np.float64], NDArray[np.float64], list[str]]:
    """Latitudes, longitudes and names (blank where there is none) of places.

    Raises
    ------
    GeometryError
        When there are fewer than two, or one is unknown or off the Earth.
    """
    items: list[tuple[str, tuple[float, float]]] = []
    if isinstance(points, Mapping):
        items = [(str(k), v) for k, v in points.items()]
    else:
        for point in points:
            if isinstance(point, str):
                if point not in places:
                    raise GeometryError(
                        f"the place {point!r} is unknown",
                        expected=f"one of {', '.join(sorted(places))}" if places else "(lat, lon)",
                        todo="give it as (lat, lon), or add it to places=",
                    )
                items.append((point, places[point]))
            else:
                items.append(("", point))
    if len(items) < 2:
        raise GeometryError(f"a transect of {len(items)} places", expected="two or more")
    lat, lon = (np.array([float(p[k]) for _, p in items]) for k in (0, 1))
    for k in np.flatnonzero(~(np.isfinite(lat) & np.isfinite(lon) & (np.abs(lat) <= 90))):
        raise GeometryError(
            f"place {k} is at latitude {lat[k]:g}, longitude {lon[k]:g}",
            expected="(latitude, longitude) with a latitude of -90 to 90 degrees",
            todo="check the order of the two numbers",
        )
    return lat, lon, [name for name, _ in items]


def nearest_on_legs(
    starts: tuple[_Floats, _Floats, _Floats], lengths: _Floats, lat: _Floats, lon: _Floats
) -> tuple[NDArray[np.int64], _Floats, _Floats, NDArray[np.bool_]]:
    """The nearest point of a chain of geodesic legs.

    Parameters
    ----------
    starts : tuple of numpy.ndarray [leg; degrees]
        Latitude, longitude and azimuth at the start of each leg.
    lengths : numpy.ndarray [leg; m]
    lat, lon : numpy.ndarray [place; degrees]

    Returns
    -------
    leg : numpy.ndarray [place]
    along : numpy.ndarray [place; m]
        From the start of the leg.
    across : numpy.ndarray [place; m]
        Distance from the nearest point, positive to the right.
    beside : numpy.ndarray of bool [place]
        Whether the nearest point is the foot of a perpendicular.

    Notes
    -----
    On every leg a point is moved by the part of its distance to the place that lies along the leg, until it
    moves by less than a millimetre.
    """
    shape = (lengths.size, lat.size)
    lat0, lon0, azimuth = (np.broadcast_to(v[:, None], shape) for v in starts)
    lat1, lon1 = np.broadcast_to(lat, shape), np.broadcast_to(lon, shape)

    def seen_from(along: _Floats) -> tuple[_Floats, _Floats, _Floats]:
        x, y, back = GEOD.fwd(lon0, lat0, azimuth, along)
        bearing, _, away = (np.asarray(v) for v in GEOD.inv(x, y, lon1, lat1))
        angle = np.deg2rad(bearing - np.asarray(back) - 180.0)
        return away * np.cos(angle), away * np.sin(angle), away

    along = np.repeat(lengths[:, None] / 2, lat.size, axis=1)
    for _ in range(100):
        moved = np.clip(along + seen_from(along)[0], 0.0, lengths[:, None])
        settled = np.abs(moved - along).max(initial=0.0) < 1e-3
        along = moved
        if settled:
            break
    ahead, right, away = seen_from(along)
    leg, place = away.argmin(axis=0), np.arange(lat.size)
    across = np.copysign(away, right)[leg, place]
    return leg, along[leg, place], across, np.abs(ahead[leg, place]) < 1.0
