"""Areas and distances on the WGS84 ellipsoid."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from itertools import pairwise
from typing import Any

import numpy as np
import shapely
from numpy.typing import ArrayLike, NDArray
from pyproj import CRS, Geod, Proj, Transformer

from geotools.errors import DataError, GeometryError
from geotools.space.compiled import available_cores, run_all
from geotools.space.crs import WGS84, as_crs, is_equal_area, is_lonlat

SEMI_MAJOR_AXIS = 6378137.0  # m
_FLATTENING = 1 / 298.257223563
_E2 = _FLATTENING * (2 - _FLATTENING)
_E = _E2**0.5

GEOD = Geod(ellps="WGS84")

# The equal-area plane in which parallels and meridians are straight.
CYLINDER = CRS.from_proj4("+proj=cea +lon_0=0 +datum=WGS84 +units=m")

# An edge of 0.02 degrees, straight in longitude and latitude, departs from the chord between its ends by
# 0.1 m in the equal-area plane; one of 2 km in any projection by about as much.
MAX_SEGMENT_DEGREES = 0.02
MAX_SEGMENT_METRES = 2000.0
# Below this number of vertices threads cost more than they save.
_VERTICES_IN_PARTS = 10_000

_NOT_SHOWN = "the shapes hold points that the other coordinate reference system cannot show"
_INSIDE = "coordinates inside the area of use of both systems"
_CHECK_CRS = "check that the CRS of the shapes is the one they were drawn in"


def authalic_ordinate(lat: ArrayLike) -> NDArray[np.float64]:
    """Ordinate of the cylindrical equal-area projection, scaled so that areas are products of differences.

    Parameters
    ----------
    lat : array_like [any; degrees_north]
        Geodetic latitude.

    Returns
    -------
    numpy.ndarray [any; m2 per degree of longitude]
        The area between two parallels and two meridians is the difference of this ordinate times the
        difference of the longitudes in degrees.

    Notes
    -----
    ``a^2 / 2 * (1 - e^2) * (s / (1 - e^2 s^2) + artanh(e s) / e)`` with s the sine of the latitude.

    References
    ----------
    Snyder, J. P. (1987): Map projections, a working manual. USGS Professional Paper 1395, eq. 3-12.
    doi:10.3133/pp1395
    """
    s = np.sin(np.deg2rad(np.asarray(lat, dtype="float64")))
    q = (1 - _E2) * (s / (1 - _E2 * s * s) + np.arctanh(_E * s) / _E)
    ordinate: NDArray[np.float64] = np.deg2rad(1.0) * SEMI_MAJOR_AXIS**2 / 2 * q
    return ordinate


def authalic_latitude(ordinate: ArrayLike) -> NDArray[np.float64]:
    """Latitude [any; degrees_north] of an ordinate [any; m2 per degree], the inverse of `authalic_ordinate`."""
    target = np.asarray(ordinate, dtype="float64") / (np.deg2rad(1.0) * SEMI_MAJOR_AXIS**2 / 2)
    s = np.clip(target / 2, -1.0, 1.0)
    # Newton's steps converge from the sphere to rounding in three.
    for _ in range(4):
        q = (1 - _E2) * (s / (1 - _E2 * s * s) + np.arctanh(_E * s) / _E)
        s = np.clip(s - (q - target) * (1 - _E2 * s * s) ** 2 / (2 * (1 - _E2)), -1.0, 1.0)
    return np.asarray(np.rad2deg(np.arcsin(s)), dtype="float64")


def cylindrical(lonlat: NDArray[np.float64]) -> NDArray[np.float64]:
    """Points [..., 2; m] of the plane `CYLINDER` from longitudes and latitudes [..., 2; degrees].

    PROJ would bring the longitudes to -180 to 180 and tear apart what crosses the antimeridian.
    """
    degree = np.deg2rad(1.0) * SEMI_MAJOR_AXIS
    return np.stack((lonlat[..., 0] * degree, authalic_ordinate(lonlat[..., 1]) / degree), axis=-1)


def from_cylindrical(points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Longitudes and latitudes [..., 2; degrees] from points [..., 2; m] of the plane `CYLINDER`."""
    degree = np.deg2rad(1.0) * SEMI_MAJOR_AXIS
    return np.stack((points[..., 0] / degree, authalic_latitude(points[..., 1] * degree)), axis=-1)


def polar(lonlat: NDArray[np.float64], pole: float) -> NDArray[np.float64]:
    """Points [..., 2; m] of Lambert's azimuthal equal-area plane at a pole from longitudes and latitudes.

    The same as PROJ with ``equal_area_crs(pole, 0)``, in a third of its time.
    """
    side = np.sign(pole)
    left = authalic_ordinate(90.0) - side * authalic_ordinate(lonlat[..., 1])
    radius = np.sqrt(np.maximum(2 * left / np.deg2rad(1.0), 0.0))
    lon = np.deg2rad(lonlat[..., 0])
    return np.stack((radius * np.sin(lon), -side * radius * np.cos(lon)), axis=-1)


def geographic_cell_areas(lat_edges: ArrayLike, lon_edges: ArrayLike) -> NDArray[np.float64]:
    """Exact areas of cells between parallels and meridians.

    Parameters
    ----------
    lat_edges : array_like [y + 1; degrees_north]
    lon_edges : array_like [x + 1; degrees_east]

    Returns
    -------
    numpy.ndarray [y, x; m2]

    Raises
    ------
    DataError
        When a latitude lies beyond a pole.

    Examples
    --------
    >>> float((geographic_cell_areas([60, 61], [0, 1]) / 1e6).round(3)[0, 0])
    6123.141
    """
    lat, lon = np.asarray(lat_edges, dtype="float64"), np.asarray(lon_edges, dtype="float64")
    if np.abs(lat).max() > 90:
        raise DataError(
            f"latitude edges reach {lat[np.abs(lat).argmax()]:g} degrees", expected="-90 to 90 degrees"
        )
    return np.outer(np.abs(np.diff(authalic_ordinate(lat))), np.abs(np.diff(lon)))


def in_parts(function: Callable[[NDArray[Any]], Any], geometries: NDArray[Any]) -> list[Any]:
    """What a function of GEOS, which releases the interpreter lock, makes of parts of an array, on all cores."""
    # A few parts for each core, of about as many vertices.
    vertices = np.cumsum(shapely.get_num_coordinates(geometries))
    count = 4 * available_cores() if vertices.size and vertices[-1] > _VERTICES_IN_PARTS else 1
    cuts = np.searchsorted(vertices, np.linspace(0, vertices[-1] if vertices.size else 0, count + 1)[1:-1])
    bounds = np.unique([0, *cuts.tolist(), geometries.size])
    parts = [geometries[a:b] for a, b in pairwise(bounds.tolist())] or [geometries]
    return run_all([partial(function, part) for part in parts], available_cores())


def densify(geometry: Any, max_segment: float) -> Any:
    """Geometry with more vertices on its edges, which stay straight in the coordinates they are in.

    Parameters
    ----------
    geometry : shapely geometry or array of them
    max_segment : float
        Longest edge that remains, in the units of the coordinates.
    """
    if np.ndim(geometry) != 1:
        return shapely.segmentize(geometry, max_segment)
    parts = in_parts(lambda part: shapely.segmentize(part, max_segment), np.asarray(geometry, dtype=object))
    return np.concatenate(parts)


def default_max_segment(crs: CRS) -> float:
    """Longest edge, in the units of the CRS, that needs no further vertices before a reprojection."""
    unit = crs.axis_info[0].unit_conversion_factor if crs.axis_info else 1.0
    return MAX_SEGMENT_DEGREES if crs.is_geographic else MAX_SEGMENT_METRES / unit


def equal_area_crs(lat: float, lon: float) -> CRS:
    """Lambert azimuthal equal-area CRS on WGS84, centred at a place."""
    if not (np.isfinite(lat) and np.isfinite(lon)):
        raise GeometryError(_NOT_SHOWN, expected=_INSIDE, todo=_CHECK_CRS)
    return CRS.from_proj4(f"+proj=laea +lat_0={lat:.6f} +lon_0={lon:.6f} +datum=WGS84 +units=m")


def transformed(geometries: Any, transformer: Transformer) -> Any:
    """Geometries with their coordinates sent through a transformer; an error where it has no answer."""
    out = shapely.transform(
        geometries, lambda c: np.column_stack(transformer.transform(c[:, 0], c[:, 1])), include_z=False
    )
    if not np.isfinite(shapely.get_coordinates(out)).all():
        raise GeometryError(_NOT_SHOWN, expected=_INSIDE, todo=_CHECK_CRS)
    return out


def polygon_area(geometry: Any, crs: Any = WGS84, *, dense: Any = None) -> Any:
    """Area on the WGS84 ellipsoid of polygons whose edges are straight in their own CRS.

    Parameters
    ----------
    geometry : shapely polygon or multipolygon, or array of them
    crs : optional
        Anything pyproj reads.
    dense : optional
        The geometry as `densify` makes it with `default_max_segment`, where it is at hand.

    Returns
    -------
    float or numpy.ndarray [same shape; m2]

    Raises
    ------
    GeometryError
        When coordinates cannot be brought to the ellipsoid.

    Notes
    -----
    Edges are cut to 0.02 degrees or 2 km, then the area is taken in an equal-area plane: the cylindrical one
    for longitude and latitude, where a polygon may hold a pole along the line of its latitude, otherwise
    Lambert's azimuthal one centred on the polygons. Between the added vertices the edge is off by at most
    0.1 m: below 1e-7 of the area of a basin of 1e6 km2, and about 1e-6 of a cell of one degree.

    Examples
    --------
    >>> import shapely
    >>> round(float(polygon_area(shapely.box(0, 60, 1, 61))) / 1e6, 3)
    6123.141
    """
    crs = as_crs(crs)
    if is_equal_area(crs):
        return shapely.area(geometry)
    if dense is None:
        dense = densify(shapely.force_2d(geometry), default_max_segment(crs))
    if is_lonlat(crs):
        return shapely.area(
            shapely.transform(dense, lambda c: np.column_stack((c[:, 0], authalic_ordinate(c[:, 1]))))
        )
    bounds = shapely.total_bounds(dense)
    if np.isnan(bounds).any():
        return shapely.area(dense)
    x, y = (bounds[0] + bounds[2]) / 2, (bounds[1] + bounds[3]) / 2
    lon, lat = Transformer.from_crs(crs, WGS84, always_xy=True).transform(x, y)
    return shapely.area(
        transformed(dense, Transformer.from_crs(crs, equal_area_crs(lat, lon), always_xy=True))
    )


def areal_scale(crs: Any, lat: ArrayLike, lon: ArrayLike) -> NDArray[np.float64]:
    """Area in the plane of a projection over area on the ellipsoid.

    Parameters
    ----------
    crs : projected CRS
    lat, lon : array_like [any; degrees]

    Returns
    -------
    numpy.ndarray [any; 1]
        Divide the nominal area of a pixel by it to get its true area.

    Examples
    --------
    >>> areal_scale("EPSG:3995", [50, 70], [126, 126]).round(4).tolist()
    [1.2132, 1.006]
    """
    factors = Proj(as_crs(crs)).get_factors(np.asarray(lon, "float64"), np.asarray(lat, "float64"))
    return np.asarray(factors.areal_scale, dtype="float64")


def distance(lat0: ArrayLike, lon0: ArrayLike, lat1: ArrayLike, lon1: ArrayLike) -> NDArray[np.float64]:
    """Geodesic distance.

    Parameters
    ----------
    lat0, lon0, lat1, lon1 : array_like [any, broadcast; degrees]

    Returns
    -------
    numpy.ndarray [any; m]

    Examples
    --------
    >>> round(float(distance(45.8, 126, 72.5, 126)) / 1000)
    2974
    """
    lat0, lon0, lat1, lon1 = np.broadcast_arrays(
        *(np.asarray(v, dtype="float64") for v in (lat0, lon0, lat1, lon1))
    )
    return np.asarray(GEOD.inv(lon0, lat0, lon1, lat1)[2], dtype="float64")


def destination(
    lat: ArrayLike, lon: ArrayLike, azimuth: ArrayLike, metres: ArrayLike
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Latitude and longitude [degrees] at the end of a geodesic of some azimuth [degrees] and length [m]."""
    lat, lon, azimuth, metres = np.broadcast_arrays(
        *(np.asarray(v, dtype="float64") for v in (lat, lon, azimuth, metres))
    )
    lon1, lat1, _ = GEOD.fwd(lon, lat, azimuth, metres)
    return np.asarray(lat1, dtype="float64"), np.asarray(lon1, dtype="float64")
