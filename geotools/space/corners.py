"""Corners of a curvilinear grid from the two-dimensional coordinates and CF bounds of a dataset."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from geotools.errors import DataError
from geotools.space.coordinates import LONLAT_UNITS

_NAMES = {"X": ("longitude", "lon", "nav_lon"), "Y": ("latitude", "lat", "nav_lat")}
# Vertices nearer than this share of the size of their cell are one corner.
_SAME_WITHIN = 1e-3
_ORDERS = [
    tuple((start + step * k) % 4 for k in range(4)) for step in (1, -1) for start in range(4)
]  # of (j, i), (j, i + 1), (j + 1, i + 1), (j + 1, i)


class Corners(NamedTuple):
    """Corner longitudes and latitudes [y + 1, x + 1; degrees], cells that do not exist [y, x], dimensions."""

    lon: NDArray[np.float64]
    lat: NDArray[np.float64]
    missing: NDArray[np.bool_]
    y_dim: str
    x_dim: str


def find_centres(field: xr.DataArray | xr.Dataset) -> tuple[str, str] | None:
    """Names of two-dimensional longitude and latitude of the same dimensions; none without such a pair."""
    variables = field.variables if isinstance(field, xr.Dataset) else field.coords

    def along(axis: str) -> list[str]:
        return [
            str(name)
            for name, v in variables.items()
            if v.ndim == 2
            and (
                v.attrs.get("standard_name") == _NAMES[axis][0]
                or v.attrs.get("units") in LONLAT_UNITS[axis]
                or str(name).lower() in _NAMES[axis]
            )
        ]

    pairs = [
        (x, y)
        for x in along("X")
        for y in along("Y")
        if variables[x].dims == variables[y].dims and not _is_bounds(field, x)
    ]
    # A dataset may hold the grids of other variables too; those that say what they are come first.
    named = [p for p in pairs if field[p[0]].attrs.get("bounds") or field[p[0]].encoding.get("bounds")]
    if not pairs:
        return None
    best = named or pairs
    if len(best) > 1:
        raise DataError(
            f"several pairs of two-dimensional coordinates: {', '.join(' and '.join(p) for p in best)}",
            todo="pass the variable you mean with its own coordinates, or drop the others",
        )
    return best[0]


def _is_bounds(field: xr.DataArray | xr.Dataset, name: str) -> bool:
    variables = field.variables if isinstance(field, xr.Dataset) else field.coords
    return any(name in (v.attrs.get("bounds"), v.encoding.get("bounds")) for v in variables.values())


def read_corners(field: xr.DataArray | xr.Dataset) -> Corners:
    """Corners of the cells of a dataset with two-dimensional latitude and longitude and their CF bounds.

    Parameters
    ----------
    field : xarray.Dataset or xarray.DataArray
        Coordinates [y, x; degrees] whose attribute `bounds` names variables [y, x, 4; degrees]. The vertices
        may run either way round and start anywhere, in the same manner for all cells. Cells with a NaN among
        their vertices do not exist.

    Returns
    -------
    Corners

    Raises
    ------
    DataError
        When there are no bounds, or cells do not share the corners of their neighbours.
    """
    names = find_centres(field)
    if names is None:
        raise DataError(
            "no two-dimensional longitude and latitude",
            where=f"dimensions ({', '.join(map(str, field.dims))})",
            expected="coordinates with the units degrees_east and degrees_north",
        )
    y_dim, x_dim = map(str, field[names[0]].dims)
    lon, lat = (_vertices(field, name, (y_dim, x_dim)) for name in names)
    missing = np.asarray(~np.isfinite(lon + lat).all(axis=-1))
    lon[missing], lat[missing] = np.nan, np.nan
    points = on_sphere(lon, lat)
    size = np.linalg.norm(points[..., 2, :] - points[..., 0, :], axis=-1)
    scale = float(np.nanmedian(size)) if np.isfinite(size).any() else 0.0
    order = min(
        _ORDERS, key=lambda o: sum(int((g > _SAME_WITHIN).sum()) for g in _gaps(points, o, scale)[:2])
    )
    for gap, (dj, di) in zip(_gaps(points, order, scale), ((0, 1), (1, 0)), strict=True):
        if (gap > _SAME_WITHIN).any():
            j, i = np.argwhere(gap > _SAME_WITHIN)[0].tolist()
            raise DataError(
                f"the bounds of {names[1]!r} and {names[0]!r} do not share corners between the cells "
                f"({y_dim} {j}, {x_dim} {i}) and ({y_dim} {j + dj}, {x_dim} {i + di})",
                expected="cells that touch, with their vertices in the same order everywhere",
                todo="set the bounds of cells that do not exist to NaN, or give the corners: "
                "CurvilinearGrid(lon_corners, lat_corners)",
            )
    return Corners(_joined(lon, order), _joined(lat, order), missing, y_dim, x_dim)


def _vertices(field: xr.DataArray | xr.Dataset, name: str, dims: tuple[str, str]) -> NDArray[np.float64]:
    bounds = field[name].attrs.get("bounds") or field[name].encoding.get("bounds")
    if bounds is None or bounds not in field.coords | getattr(field, "data_vars", {}):
        raise DataError(
            f"the two-dimensional coordinate {name!r} has no bounds"
            + ("" if bounds is None else f": {bounds!r} did not come along"),
            expected="CF bounds [y, x, 4]; the corners of cells are not guessed from their centres",
            todo="pass the dataset that holds the bounds, or give the corners: "
            "Overlap.between(zones, CurvilinearGrid(lon_corners, lat_corners))",
        )
    variable = field[bounds]
    rest = [d for d in variable.dims if d not in dims]
    if len(rest) != 1 or variable.sizes[rest[0]] != 4 or not set(dims) <= set(variable.dims):
        raise DataError(
            f"the bounds {bounds!r} have the dimensions {dict(variable.sizes)}",
            expected=f"({dims[0]}, {dims[1]}, 4): four vertices for each cell",
        )
    return np.array(variable.transpose(*dims, rest[0]).values, dtype="float64")


def on_sphere(lon: NDArray[np.float64], lat: NDArray[np.float64]) -> NDArray[np.float64]:
    """Points of the unit sphere [..., 3] from longitudes and latitudes [...; degrees]."""
    a, b = np.deg2rad(lon), np.deg2rad(lat)
    return np.stack((np.cos(b) * np.cos(a), np.cos(b) * np.sin(a), np.sin(b)), axis=-1)


def _gaps(points: NDArray[np.float64], order: Any, scale: float) -> list[NDArray[np.float64]]:
    """How far the corners of neighbours in x and in y lie apart, as a share of the size of a cell."""
    sw, se, ne, nw = (points[..., k, :] for k in order)

    def apart(one: NDArray[np.float64], other: NDArray[np.float64]) -> NDArray[np.float64]:
        gap = np.linalg.norm(one - other, axis=-1)
        return np.where(np.isfinite(gap), gap, 0.0)

    in_x = np.maximum(apart(se[:, :-1], sw[:, 1:]), apart(ne[:, :-1], nw[:, 1:]))
    in_y = np.maximum(apart(nw[:-1], sw[1:]), apart(ne[:-1], se[1:]))
    return [np.asarray(gap / scale if scale else gap) for gap in (in_x, in_y)]


def _joined(vertices: NDArray[np.float64], order: Any) -> NDArray[np.float64]:
    """Corners [y + 1, x + 1] from vertices [y, x, 4]: of up to four cells the first that exists."""
    rows, columns = vertices.shape[:2]
    out = np.full((rows + 1, columns + 1), np.nan)
    for place, (dj, di) in zip(order, ((0, 0), (0, 1), (1, 1), (1, 0)), strict=True):
        part = out[dj : dj + rows, di : di + columns]
        np.copyto(part, vertices[..., place], where=np.isnan(part))
    return out
