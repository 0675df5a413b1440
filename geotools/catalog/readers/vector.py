"""Polygons from GeoJSON, GeoPackage, Shapefile or FlatGeobuf."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd

from geotools.catalog.keys import refuse_duplicates
from geotools.errors import CRSError, DataError, UsageError


def read(path: Path, *, key: str | None = None, layer: str | None = None) -> gpd.GeoDataFrame:
    """Read a vector file and index it by its key column.

    Parameters
    ----------
    path : pathlib.Path
    key : str, optional
        Column that identifies a feature.
    layer : str, optional

    Returns
    -------
    geopandas.GeoDataFrame [index: key]

    Raises
    ------
    DataError
        When the file cannot be read, has no features, or the key is not unique.
    CRSError
        When the file names no CRS.
    UsageError
        When the key column is not there.
    """
    import pyogrio

    try:
        frame = gpd.read_file(path, layer=layer)
    except (pyogrio.errors.DataSourceError, pyogrio.errors.DataLayerError, UnicodeDecodeError) as error:
        raise DataError(
            f"the polygons cannot be read ({str(error).splitlines()[0]})",
            where=str(path),
            expected="a GeoJSON, GeoPackage, Shapefile or FlatGeobuf file",
            todo="check the file and the layer name",
        ) from error
    if frame.crs is None:
        raise CRSError(
            "the polygons name no coordinate reference system",
            where=str(path),
            expected="a CRS, such as EPSG:4326",
            todo="write the file again with its CRS (a Shapefile needs its .prj)",
        )
    if len(frame) == 0:
        raise DataError(
            "there are no polygons", where=str(path), expected="at least one feature", todo="check the file"
        )
    if key is None:
        return frame
    if key not in frame.columns:
        raise UsageError(
            f"there is no column {key!r}",
            where=str(path),
            expected=f"one of the columns {', '.join(map(str, frame.columns.drop('geometry'))) or '(none)'}",
            todo="set `key` to the column that names the polygons",
        )
    refuse_duplicates(frame, key, where=str(path), row="feature", first=1)
    return frame.set_index(key, drop=True)
