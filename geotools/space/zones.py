"""Checks of a set of zones before anything is computed with it."""

from __future__ import annotations

from typing import Any

import geopandas as gpd
import numpy as np
import shapely
from numpy.typing import NDArray

from geotools.errors import GeometryError, GeotoolsError, ProblemsError, UsageError
from geotools.metadata import append_history
from geotools.space.crs import as_crs, is_lonlat
from geotools.space.geodesy import in_parts

_POLYGONS = (shapely.GeometryType.POLYGON, shapely.GeometryType.MULTIPOLYGON)


def check_zones(
    zones: gpd.GeoDataFrame, *, column: str | None = None, repair: bool = False
) -> gpd.GeoDataFrame:
    """Refuse zones that have no CRS, no area, the same name twice or a boundary that crosses itself.

    Parameters
    ----------
    zones : geopandas.GeoDataFrame
        Polygons or multipolygons.
    column : str, optional
        Column that names the zones; the index by default.
    repair : bool, optional
        Repair invalid polygons with `shapely.make_valid` (structure method, keeping areas only) and write
        which ones into ``attrs["history"]``. Off by default, since a repair may drop or add area.

    Returns
    -------
    geopandas.GeoDataFrame
        Zones indexed by their names. They may nest and overlap.

    Raises
    ------
    CRSError
        When there is no CRS.
    GeometryError
        For a single problem; the message names the zone, the reason and the place.
    ProblemsError
        For several.
    UsageError
        When `zones` is not a GeoDataFrame or the column is absent.
    """
    if not isinstance(zones, gpd.GeoDataFrame):
        raise UsageError(f"zones are a {type(zones).__name__}", expected="a geopandas.GeoDataFrame")
    zones = named_by(zones, column)
    crs = as_crs(zones.crs, where="zones")
    if len(zones) == 0:
        raise GeometryError("there are no zones")
    shapes = np.array(zones.geometry.array, dtype=object)
    repaired: list[str] = []
    if repair:
        shapes, repaired = _repair(shapes, zones.index)
    problems = [*_name_problems(zones), *_shape_problems(shapes, zones.index)]
    if is_lonlat(crs) and not problems:
        problems = range_problems(shapes, zones.index)
    if len(problems) == 1:
        raise problems[0]
    if problems:
        raise ProblemsError(problems)
    out = zones.set_geometry(gpd.GeoSeries(shapes, index=zones.index, crs=zones.crs))
    if repaired:
        out.attrs = append_history(dict(zones.attrs), "repaired with make_valid: " + "; ".join(repaired))
    return out


def named_by(frame: gpd.GeoDataFrame, column: str | None) -> gpd.GeoDataFrame:
    """Shapes indexed by the column that names them.

    Raises
    ------
    UsageError
        When there is no such column, or none with geometry.
    """
    if frame.active_geometry_name is None:
        raise UsageError(
            "the GeoDataFrame has no geometry",
            expected="a geometry column",
            todo="call set_geometry('column')",
        )
    if column is None:
        return frame
    if column not in frame.columns:
        raise UsageError(
            f"there is no column {column!r}", expected=f"one of {', '.join(map(str, frame.columns))}"
        )
    return frame.set_index(column)


def not_finite(shapes: Any) -> NDArray[np.bool_]:
    """Whether a shape has a coordinate that is NaN or infinite, about which GEOS is not always sure."""
    coordinates, index = shapely.get_coordinates(shapes, return_index=True)
    out = np.zeros(len(shapes), dtype=bool)
    out[index[~np.isfinite(coordinates).all(axis=1)]] = True
    return out


def _repair(shapes: Any, names: Any) -> tuple[Any, list[str]]:
    shapes, done = shapes.copy(), []
    # A vertex without a place would be left out, and the rest taken for the polygon.
    present = ~(shapely.is_missing(shapes) | shapely.is_empty(shapes) | not_finite(shapes))
    for k in np.flatnonzero(present & ~shapely.is_valid(shapes)):
        before = shapely.area(shapes[k])
        reason = shapely.is_valid_reason(shapes[k])
        shapes[k] = shapely.make_valid(shapes[k], method="structure", keep_collapsed=False)
        change = (shapely.area(shapes[k]) - before) / before if before else np.nan
        done.append(f"zone {names[k]!r} ({reason}; area in its own plane changed by {change:+.2%})")
    return shapes, done


def _name_problems(zones: gpd.GeoDataFrame) -> list[GeotoolsError]:
    index = zones.index
    twice = index[index.duplicated()].unique()
    problems: list[GeotoolsError] = []
    if len(twice):
        problems.append(
            GeometryError(
                f"the name{'s' if len(twice) > 1 else ''} {', '.join(map(repr, twice[:5]))} "
                f"come{'' if len(twice) > 1 else 's'} more than once",
                where="zones",
                expected="one row per zone",
                todo="dissolve the rows (zones.dissolve(by=...)) or choose another column as name",
            )
        )
    if index.hasnans:
        problems.append(GeometryError(f"{int(index.isna().sum())} zones have no name", where="zones"))
    return problems


def _shape_problems(shapes: Any, names: Any) -> list[GeotoolsError]:
    problems: list[GeotoolsError] = []
    kinds = shapely.get_type_id(shapes)
    empty = shapely.is_missing(shapes) | shapely.is_empty(shapes)
    polygon = np.isin(kinds, _POLYGONS)
    nowhere = not_finite(shapes)
    valid = empty | ~polygon | np.concatenate(in_parts(shapely.is_valid, shapes))
    flat = shapely.area(np.where(nowhere, None, shapes)) == 0
    for k in np.flatnonzero(empty | ~polygon | nowhere | ~valid | flat):
        where = f"zone {names[k]!r}"
        if empty[k]:
            problems.append(GeometryError("the polygon is empty", where=where, todo="drop the row"))
        elif not polygon[k]:
            problems.append(
                GeometryError(f"the shape is a {shapes[k].geom_type}", where=where, expected="a polygon")
            )
        elif nowhere[k]:
            problems.append(
                GeometryError(
                    "a vertex of the polygon is NaN or infinite",
                    where=where,
                    todo="find out where it belongs; repair=True cannot know",
                )
            )
        elif shapely.area(shapely.convex_hull(shapes[k])) == 0:
            problems.append(GeometryError("the polygon has no area", where=where, todo="drop the row"))
        else:
            # The reason of GEOS reads "Self-intersection[126.5 61.2]": kind and place.
            problems.append(
                GeometryError(
                    f"the polygon is invalid: {shapely.is_valid_reason(shapes[k])}",
                    where=where,
                    todo="mend it in a GIS, or pass repair=True to have it repaired and the repair recorded",
                )
            )
    return problems


def range_problems(shapes: Any, names: Any, what: str = "zone") -> list[GeotoolsError]:
    """Shapes that do not lie in longitudes and latitudes."""
    bounds = shapely.bounds(shapes)
    wrong = (bounds[:, 1] < -90) | (bounds[:, 3] > 90) | (bounds[:, 0] < -360) | (bounds[:, 2] > 540)
    return [
        GeometryError(
            "coordinates run from ({:g}, {:g}) to ({:g}, {:g})".format(*bounds[k]),
            where=f"{what} {names[k]!r}",
            expected="longitude and latitude in degrees",
            todo=f"check the CRS of the {what}s: projected coordinates may have been labelled EPSG:4326",
        )
        for k in np.flatnonzero(wrong)
    ]
