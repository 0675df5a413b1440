"""The bundled basins by their keys."""

from __future__ import annotations

from collections.abc import Sequence

import geopandas as gpd

from geotools.catalog.keys import require_known
from geotools.catalog.locations import data_dir
from geotools.catalog.readers import vector

STORED = ("lena", "amur", "amur_with_kherlen")
JOINED = {"lena_amur": ("lena", "amur")}


def basins(names: str | Sequence[str] = STORED) -> gpd.GeoDataFrame:
    """Basin polygons by key.

    Parameters
    ----------
    names : str or sequence of str
        ``lena``; ``amur`` (without the closed Kherlen and Hulun part); ``amur_with_kherlen``; ``lena_amur`` (the
        first two joined).

    Returns
    -------
    geopandas.GeoDataFrame [index: basin; EPSG:4326]
        With `name`, `definition`, `area_km2`, `published_area_km2`, `source` and `licence`.

    Raises
    ------
    UsageError
        When a name is not known.

    Notes
    -----
    The polygons derive from MERIT Hydro and stand under the Open Database License 1.0; files derived
    from them must carry its notice.

    Examples
    --------
    >>> list(basins("lena").index)
    ['lena']
    """
    import pandas as pd

    names = [names] if isinstance(names, str) else list(names)
    require_known(names, [*STORED, *JOINED], what="basin", where="basins", todo="use one of the known keys")
    frame = vector.read(data_dir() / "basins" / "basins.geojson", key="key")
    frame.index.name = "basin"
    rows = []
    for name in names:
        if name in JOINED:
            parts = frame.loc[list(JOINED[name])]
            row = parts.iloc[[0]].copy()
            row.index = pd.Index([name], name="basin")
            row["geometry"] = gpd.GeoSeries([parts.geometry.union_all()], index=row.index, crs=frame.crs)
            row["name"] = " and ".join(parts["name"])
            row["definition"] = "the basins " + " and ".join(JOINED[name]) + " joined"
            for column in ("area_km2", "published_area_km2"):
                row[column] = parts[column].sum()
            rows.append(row)
        else:
            rows.append(frame.loc[[name]])
    return gpd.GeoDataFrame(pd.concat(rows), crs=frame.crs)
