"""The part of the Earth that a projected grid lies on, so that polygons elsewhere are never projected.

A projection has no place for the other side of the Earth, or tears it apart. What lies there is cut off before.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray
from pyproj import Transformer

from geotools.space.crs import WGS84
from geotools.space.geodesy import MAX_SEGMENT_DEGREES
from geotools.space.grid import Grid

_SAMPLES = 65
_MARGIN = 3.0  # degrees; more than the Earth turns between two samples of the largest sensible grid, at least
_EVERYWHERE = (-180.0, 180.0)
_TURNS = (-720.0, -360.0, 0.0, 360.0, 720.0)
_ROUND_A_POINT = ("azimuthal", "stereographic", "gnomonic", "orthographic", "perspective")
# Points on the meridian itself may be shown on either side; this is a tenth of a millimetre.
_ASIDE = 1e-9

Geometries = NDArray[Any]


def window(grid: Grid) -> tuple[float, float, float, float]:
    """West, south, east and north of a grid [degrees], with a margin; east may lie beyond 180."""
    x = np.interp(np.linspace(0, 1, _SAMPLES), np.linspace(0, 1, grid.x_edges.size), grid.x_edges)
    y = np.interp(np.linspace(0, 1, _SAMPLES), np.linspace(0, 1, grid.y_edges.size), grid.y_edges)
    to_lonlat = Transformer.from_crs(grid.crs, WGS84, always_xy=True)
    lon, lat = to_lonlat.transform(*np.meshgrid(x, y))
    known = np.isfinite(lon) & np.isfinite(lat)
    if not known.any():
        return -180.0, -90.0, 180.0, 90.0
    step = np.abs(np.diff(np.where(known, lat, np.nan), axis=0))
    margin = max(_MARGIN, float(np.nanmax(step, initial=0.0)) * 2)
    south, north = lat[known].min() - margin, lat[known].max() + margin
    west, east = _arc(lon[known], margin)
    back = Transformer.from_crs(WGS84, grid.crs, always_xy=True)
    low_x, low_y, high_x, high_y = grid.bounds
    for pole in (-90.0, 90.0):
        px, py = back.transform(0.0, pole)
        near = south <= -90 + margin if pole < 0 else north >= 90 - margin
        if near or (low_x <= px <= high_x and low_y <= py <= high_y):
            west, east = _EVERYWHERE
            south, north = (-90.0, north) if pole < 0 else (south, 90.0)
    return west, max(south, -90.0), east, min(north, 90.0)


def _arc(lon: NDArray[np.float64], margin: float) -> tuple[float, float]:
    """The shortest arc of longitude that holds all of some."""
    line = np.sort(np.mod(lon, 360))
    gaps = np.diff(np.append(line, line[0] + 360))
    widest = int(gaps.argmax())
    if gaps[widest] <= 4 * margin:
        return _EVERYWHERE
    west = line[(widest + 1) % line.size]
    return float(west - margin), float(west + 360 - gaps[widest] + margin)


def cut_to_window(lonlat: Geometries, grid: Grid) -> tuple[NDArray[np.bool_], Geometries]:
    """Cut polygons in longitude and latitude to the window of a grid.

    Returns
    -------
    changed : numpy.ndarray of bool [polygon]
    polygons : numpy.ndarray of shapely polygons [polygon]
        Empty where a polygon lies wholly elsewhere.
    """
    west, south, east, north = window(grid)
    bounds = shapely.bounds(lonlat)
    spans = [(west + t, east + t) for t in _TURNS] if east - west < 360 else [(-1000.0, 1000.0)]
    seam = _seam(grid)
    if seam is not None:
        sheets = [(seam + t + _ASIDE, seam + t + 360 - _ASIDE) for t in _TURNS]
        both = [(max(a, c), min(b, d)) for a, b in spans for c, d in sheets]
        spans = [(low, high) for low, high in both if low < high]
    inside = np.any([(bounds[:, 0] >= low) & (bounds[:, 2] <= high) for low, high in spans], axis=0)
    inside &= (bounds[:, 1] >= south) & (bounds[:, 3] <= north)
    out = np.array(lonlat, dtype=object)
    for k in np.flatnonzero(~inside).tolist():
        dense = shapely.segmentize(lonlat[k], MAX_SEGMENT_DEGREES)
        here = [(low, high) for low, high in spans if low < bounds[k, 2] and high > bounds[k, 0]]
        cut = shapely.intersection(dense, [shapely.box(low, south, high, north) for low, high in here])
        parts = shapely.get_parts(shapely.get_parts(np.array(cut, dtype=object)))
        out[k] = shapely.MultiPolygon([part for part in parts if part.geom_type == "Polygon"])
    return ~inside, out


def _seam(grid: Grid) -> float | None:
    """The meridian along which a projection tears the Earth open; none for those round a point."""
    operation = grid.crs.coordinate_operation
    method = operation.method_name.lower() if operation is not None else ""
    if not grid.crs.is_projected or operation is None or any(word in method for word in _ROUND_A_POINT):
        return None
    middle = [p.value for p in operation.params if "longitude" in p.name.lower()]
    return float(middle[0]) - 180 if middle else None
