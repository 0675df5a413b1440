"""Areas that two sets of polygons share."""

from __future__ import annotations

from typing import Any

import geopandas as gpd
import numpy as np
import shapely
import xarray as xr
from numpy.typing import NDArray
from pyproj import CRS, Transformer

from geotools.errors import UsageError
from geotools.space.crs import WGS84, as_crs, is_lonlat
from geotools.space.geodesy import (
    authalic_ordinate,
    default_max_segment,
    densify,
    equal_area_crs,
    transformed,
)
from geotools.space.targets import plain_names
from geotools.space.zones import check_zones


def intersections(
    zones_a: gpd.GeoDataFrame,
    zones_b: gpd.GeoDataFrame,
    *,
    dims: tuple[str, str] | None = None,
    columns: tuple[str | None, str | None] = (None, None),
) -> xr.DataArray:
    """Area that each zone of one set shares with each zone of another, such as regions with basins.

    Amounts of regions go to basins through these areas, never through the product of two coverages of cells,
    which takes land of both in one cell for shared land.

    Parameters
    ----------
    zones_a, zones_b : geopandas.GeoDataFrame
        Polygons. Edges are straight in the CRS of their own set.
    dims : (str, str), optional
        Dimensions of the result; the names of the two indexes by default.
    columns : (str or None, str or None)
        Columns that name the zones; the indexes by default.

    Returns
    -------
    xarray.DataArray [zone of a, zone of b; m2]
        Coordinates `area_a` and `area_b` [m2] hold the whole areas.

    Raises
    ------
    UsageError
        When both dimensions have the same name.
    CRSError, GeometryError
        When zones are not usable.

    Examples
    --------
    >>> import shapely
    >>> regions = gpd.GeoDataFrame(geometry=[shapely.box(0, 60, 2, 61)], index=["R"], crs=4326)
    >>> basins = gpd.GeoDataFrame(geometry=[shapely.box(1, 60, 3, 61)], index=["B"], crs=4326)
    >>> shared = intersections(regions, basins, dims=("region", "basin"))
    >>> (shared / shared.area_a).item()
    0.5
    """
    a = check_zones(zones_a, column=columns[0])
    b = check_zones(zones_b, column=columns[1])
    names = dims or (str(a.index.name or "zone"), str(b.index.name or "zone"))
    if names[0] == names[1]:
        raise UsageError(
            f"both sets of zones have the dimension {names[0]!r}", todo="pass dims=('region', 'basin')"
        )
    shapes_a, shapes_b = _in_one_plane(a, b)
    one, other = shapely.STRtree(shapes_b).query(shapes_a, predicate="intersects")
    shared = np.zeros((len(a), len(b)))
    shared[one, other] = shapely.area(shapely.intersection(shapes_a[one], shapes_b[other]))
    return xr.DataArray(
        shared,
        dims=names,
        coords={
            names[0]: plain_names(a.index),
            names[1]: plain_names(b.index),
            "area_a": (names[0], shapely.area(shapes_a), {"units": "m2"}),
            "area_b": (names[1], shapely.area(shapes_b), {"units": "m2"}),
        },
        name="shared_area",
        attrs={"long_name": "shared area on the WGS84 ellipsoid", "units": "m2", "cell_methods": "area: sum"},
    )


def _in_one_plane(a: gpd.GeoDataFrame, b: gpd.GeoDataFrame) -> tuple[NDArray[Any], NDArray[Any]]:
    """Both sets in one equal-area plane, edges densified before they bend."""
    crs_a, crs_b = as_crs(a.crs), as_crs(b.crs)
    dense = [
        densify(shapely.force_2d(np.array(z.geometry.array, dtype=object)), default_max_segment(crs))
        for z, crs in ((a, crs_a), (b, crs_b))
    ]
    if is_lonlat(crs_a) and crs_a.equals(crs_b, ignore_axis_order=True):
        flat = [
            shapely.transform(d, lambda c: np.column_stack((c[:, 0], authalic_ordinate(c[:, 1]))))
            for d in dense
        ]
        return flat[0], flat[1]
    plane = _plane_around(dense[0], crs_a)
    out = [
        np.asarray(transformed(d, Transformer.from_crs(crs, plane, always_xy=True)))
        for d, crs in zip(dense, (crs_a, crs_b), strict=True)
    ]
    return out[0], out[1]


def _plane_around(shapes: NDArray[Any], crs: CRS) -> CRS:
    west, south, east, north = shapely.total_bounds(shapes)
    lon, lat = Transformer.from_crs(crs, WGS84, always_xy=True).transform(
        (west + east) / 2, (south + north) / 2
    )
    return equal_area_crs(lat, lon)
