"""True areas of the cells of a rectilinear grid in any projection."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from pyproj import CRS, Transformer

from geotools.space.crs import WGS84, is_equal_area, is_lonlat
from geotools.space.geodesy import equal_area_crs, geographic_cell_areas

_ROWS_AT_ONCE = 256
_MAX_SEGMENT_METRES = 2500.0


def cell_areas(
    x_edges: NDArray[np.float64],
    y_edges: NDArray[np.float64],
    crs: CRS,
    *,
    centre: tuple[float, float] | None = None,
) -> NDArray[np.float64]:
    """Areas on the WGS84 ellipsoid of the cells between edges.

    Parameters
    ----------
    x_edges : numpy.ndarray [x + 1; units of the CRS]
    y_edges : numpy.ndarray [y + 1; units of the CRS]
    crs : pyproj.CRS
    centre : (float, float), optional [units of the CRS]
        Of the plane in which areas are taken where neither is exact; by default the centre of the cells.

    Returns
    -------
    numpy.ndarray [y, x; m2]

    Notes
    -----
    Exact for longitude and latitude and for equal-area projections. In any other projection the outline of
    each cell, with vertices at most 2.5 km apart, is carried to Lambert's azimuthal equal-area plane centred
    on the cells; the polar stereographic pixel, for one, is not as large as its side says.
    """
    if is_lonlat(crs):
        return geographic_cell_areas(y_edges, x_edges)
    if is_equal_area(crs):
        return np.outer(np.abs(np.diff(y_edges)), np.abs(np.diff(x_edges)))
    x, y = centre or ((x_edges[0] + x_edges[-1]) / 2, (y_edges[0] + y_edges[-1]) / 2)
    to_plane = _to_plane(crs, float(x), float(y))
    unit = crs.axis_info[0].unit_conversion_factor if crs.axis_info else 1.0
    # A degree of a rotated pole is about 111 km.
    metres = 6.4e6 * unit if "degree" in crs.axis_info[0].unit_name else unit
    longest = max(np.abs(np.diff(x_edges)).max(), np.abs(np.diff(y_edges)).max()) * metres
    parts = max(1, int(np.ceil(longest / _MAX_SEGMENT_METRES)))
    bands = [
        _outline_areas(x_edges, y_edges[j : j + _ROWS_AT_ONCE + 1], to_plane, parts)
        for j in range(0, y_edges.size - 1, _ROWS_AT_ONCE)
    ]
    return np.concatenate(bands)


@lru_cache(maxsize=8)
def _to_plane(crs: CRS, x: float, y: float) -> Transformer:
    lon, lat = Transformer.from_crs(crs, WGS84, always_xy=True).transform(x, y)
    return Transformer.from_crs(crs, equal_area_crs(lat, lon), always_xy=True)


def _outline_areas(
    x_edges: NDArray[np.float64], y_edges: NDArray[np.float64], to_plane: Transformer, parts: int
) -> NDArray[np.float64]:
    # Twice the area swept from the origin along every cell edge; a cell's area is the sum round its outline.
    def swept(x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.float64]:
        full_x, full_y = np.broadcast_arrays(x, y)
        px, py = to_plane.transform(full_x, full_y)
        cross = np.asarray(px[:, :-1] * py[:, 1:] - px[:, 1:] * py[:, :-1], dtype="float64")
        return np.asarray(cross.reshape(cross.shape[0], -1, parts).sum(axis=2))

    along_x = swept(_split(x_edges, parts)[None, :], y_edges[:, None])
    along_y = swept(x_edges[:, None], _split(y_edges, parts)[None, :]).T
    return np.asarray(np.abs(along_x[:-1] + along_y[:, 1:] - along_x[1:] - along_y[:, :-1]) / 2)


def _split(edges: NDArray[np.float64], parts: int) -> NDArray[np.float64]:
    return np.interp(np.arange((edges.size - 1) * parts + 1) / parts, np.arange(edges.size), edges)
