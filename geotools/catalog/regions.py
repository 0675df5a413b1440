"""First-order regions of Russia, China and Mongolia, and towns."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import geopandas as gpd

from geotools.catalog.keys import closest, require_known
from geotools.catalog.locations import data_dir
from geotools.catalog.readers import table, vector
from geotools.errors import DataError

COUNTRIES = ("RU", "CN", "MN")


def admin_regions(countries: str | Sequence[str] = COUNTRIES) -> gpd.GeoDataFrame:
    """First-order regions by ISO 3166-2 code.

    Parameters
    ----------
    countries : str or sequence of str
        ISO 3166-1 codes out of RU, CN and MN.

    Returns
    -------
    geopandas.GeoDataFrame [index: region; EPSG:4326]
        With `name` and `country`.

    Raises
    ------
    UsageError
        When a country is not known.

    Examples
    --------
    >>> admin_regions("RU").loc["RU-SA", "name"]
    'Sakha Republic (Yakutia)'
    """
    countries = [countries] if isinstance(countries, str) else list(countries)
    require_known(countries, COUNTRIES, what="country", where="admin_regions", todo="use RU, CN or MN")
    frame = vector.read(data_dir() / "admin" / "regions.geojson", key="region")
    return frame[frame["country"].isin(countries)]


def check_region_codes(codes: Iterable[str], *, where: str) -> None:
    """Refuse codes that ISO 3166-2 does not list for Russia, China or Mongolia.

    Parameters
    ----------
    codes : iterable of str
    where : str
        File and column for the message.

    Raises
    ------
    DataError
    """
    known = set(table.read(data_dir() / "admin" / "iso3166_2.csv", key="region")["region"])
    for code in codes:
        if code not in known:
            raise DataError(
                f"unknown region code {code!r}",
                where=where,
                expected=f"{closest(str(code), known)}, by ISO 3166-2 for RU, CN and MN",
                todo="correct the code",
            )


def towns() -> gpd.GeoDataFrame:
    """Towns with population, as points.

    Returns
    -------
    geopandas.GeoDataFrame [index: geonameid; EPSG:4326]
        With `name`, `country`, `region` and `population` (persons).
    """
    frame = table.read(data_dir() / "towns" / "towns.csv", key="geonameid").set_index("geonameid")
    points = gpd.points_from_xy(frame.pop("lon"), frame.pop("lat"))
    return gpd.GeoDataFrame(frame, geometry=points, crs=4326)
