"""First-order regions: complete, keyed right, joined without gaps."""

from __future__ import annotations

import json
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from builders import admin
from builders.common import SourceError


@pytest.fixture(scope="module")
def regions(data: Path) -> gpd.GeoDataFrame:
    return gpd.read_file(data / "admin" / "regions.geojson").set_index("region")


@pytest.fixture(scope="module")
def listed(data: Path) -> pd.DataFrame:
    return pd.read_csv(data / "admin" / "iso3166_2.csv", index_col="region", dtype=str)


@pytest.fixture(scope="module")
def towns(data: Path) -> pd.DataFrame:
    return pd.read_csv(data / "towns" / "towns.csv", keep_default_na=False)


def test_one_polygon_per_listed_region(regions, listed):
    mapped = listed[listed.mapped == "yes"]
    assert regions.index.is_unique
    assert set(regions.index) == set(mapped.index)
    assert list(listed[listed.mapped == "no"].index) == ["CN-TW"]
    for column in ("name", "name_local", "country"):
        assert (regions[column] == mapped.loc[regions.index, column]).all()


def test_numbers_of_regions(listed):
    assert listed.country.value_counts().to_dict() == {"RU": 83, "CN": 34, "MN": 22}
    assert listed.index.str[:2].tolist() == listed.country.tolist()
    assert not listed.isna().any(axis=None)
    assert not listed.name.duplicated().any()
    assert not listed.name_local.duplicated().any()


def test_russian_set_is_that_of_iso(regions):
    """Crimea and Sevastopol are UA-43 and UA-40 in ISO 3166-2."""
    assert not regions.index.isin(["UA-43", "UA-40"]).any()
    for lon, lat in ((34.11, 44.96), (33.52, 44.61)):
        assert not regions.contains(shapely.Point(lon, lat)).any()


def test_names_that_sources_get_wrong(regions):
    assert regions.name["RU-ZAB"] == "Zabaykalsky Krai"
    assert regions.name["RU-MOW"] == "Moscow"
    assert regions.name["RU-MOS"] == "Moscow Oblast"
    assert regions.name["RU-MAG"] == "Magadan Oblast"
    # The city lies in the ring of the oblast.
    assert regions.area_km2["RU-MOW"] < 3000 < 40_000 < regions.area_km2["RU-MOS"]


# Where the generalised boundary puts the capital beside its region: distance in degrees.
OFF_BY = {"RU-CHU": 0.04, "RU-KK": 0.06}
# Natural Earth draws this province at a ninth of its 5541 km2, without the capital.
TOO_SMALL = {"MN-064"}


def test_every_capital_lies_in_its_region(regions, towns):
    capitals = pd.read_csv(Path(__file__).with_name("capitals.csv"), index_col="region").capital
    assert set(capitals.index) == set(regions.index) - {"CN-HK", "CN-MO"}
    wrong = {}
    for key, capital in capitals.items():
        same_name = towns[(towns.country == key[:2]) & (towns.name == capital)]
        assert len(same_name), f"{key}: no town {capital}"
        town = same_name.loc[same_name.population.idxmax()]
        distance = regions.geometry[key].distance(shapely.Point(town.lon, town.lat))
        if distance > OFF_BY.get(key, 0):
            wrong[key] = round(distance, 3)
    assert set(wrong) == TOO_SMALL


@pytest.mark.parametrize(("key", "lon", "lat"), [("CN-HK", 114.17, 22.40), ("CN-MO", 113.545, 22.20)])
def test_special_administrative_regions(regions, key, lon, lat):
    assert regions.geometry[key].distance(shapely.Point(lon, lat)) < 0.02


@pytest.mark.parametrize(
    ("country", "published", "tolerance"),
    [
        # 17.098 Mkm2 without Crimea; official areas of coastal subjects include inlets of the sea.
        ("RU", 17.098e6, 0.01),
        # 9.6 Mkm2 counts territories that this set draws with their administrators or leaves out.
        ("CN", 9.6e6, 0.025),
        ("MN", 1.5641e6, 0.002),
    ],
)
def test_areas_of_countries(regions, country, published, tolerance):
    own = regions[regions.country == country]
    area = sum(admin.area_km2(geometry) for geometry in own.geometry)
    assert area == pytest.approx(published, rel=tolerance)
    assert own.area_km2.sum() == pytest.approx(area, rel=1e-5)


@pytest.mark.parametrize(
    ("key", "published", "tolerance"),
    [
        ("RU-SA", 3.0835e6, 0.005),
        ("RU-AMU", 361_908, 0.005),
        ("RU-KHA", 787_633, 0.005),
        ("RU-ZAB", 431_892, 0.005),
        ("RU-CHU", 721_481, 0.01),
        ("RU-YEV", 36_271, 0.015),
        ("CN-HL", 452_500, 0.005),
        ("CN-NM", 1.183e6, 0.04),
        ("MN-061", 123_597, 0.01),
    ],
)
def test_areas_of_regions(regions, key, published, tolerance):
    assert admin.area_km2(regions.geometry[key]) == pytest.approx(published, rel=tolerance)


def test_neighbours_share_their_vertices(regions):
    geometries = regions.geometry.to_numpy()
    assert shapely.is_valid(geometries).all()
    assert shapely.coverage_is_valid(geometries)
    assert set(shapely.get_type_id(geometries)) <= {3, 6}


def test_antimeridian(regions):
    """Chukotka reaches 180 degrees from both sides, without the gap that the source leaves."""
    west, _, east, _ = regions.geometry["RU-CHU"].bounds
    assert (west, east) == (-180.0, 180.0)
    assert regions.geometry["RU-CHU"].geom_type == "MultiPolygon"
    for lon in (-179.95, 179.95):
        assert regions.geometry["RU-CHU"].contains(shapely.Point(lon, 67.5))
        assert regions.geometry["RU-CHU"].contains(shapely.Point(lon, 71.2))


def test_coordinates_have_four_decimals(regions):
    xy = shapely.get_coordinates(regions.geometry.to_numpy())
    np.testing.assert_array_equal(xy, np.round(xy, 4))


def test_against_another_release(regions, shared):
    """The 1:50m release, which carries ISO keys, agrees but for its own two swaps."""
    path = shared / "admin" / "ne50m_admin1_RUS_CHN.geojson"
    if not path.is_file():
        pytest.skip("no 1:50m release in shared/data")
    other = gpd.read_file(path).set_index("iso_3166_2")
    other = other[other.index.isin(regions.index) & ~other.index.duplicated(keep=False)]
    mine = regions.geometry[other.index].to_numpy()
    theirs = shapely.make_valid(other.geometry.to_numpy())
    overlap = shapely.area(shapely.intersection(mine, theirs)) / shapely.area(shapely.union(mine, theirs))
    differing = set(other.index[overlap < 0.8])
    assert differing <= {"RU-MOW", "RU-MOS", "RU-KR", "RU-MUR"}


def test_unknown_names_are_refused():
    with pytest.raises(SourceError, match="region 'Atlantis' has no ISO 3166-2 key"):
        admin.region_key("RUS", "Atlantis", shapely.box(0, 0, 1, 1))
    with pytest.raises(SourceError, match="not the island that was known"):
        admin.region_key("RUS", None, shapely.box(0, 0, 1, 1))
    assert admin.region_key("RUS", "Crimea", shapely.box(0, 0, 1, 1)) is None


def test_file_is_plain_geojson(data):
    text = (data / "admin" / "regions.geojson").read_text(encoding="utf-8")
    collection = json.loads(text)
    assert collection["type"] == "FeatureCollection"
    assert "crs" not in collection, "RFC 7946 knows WGS 84 only"
    assert text.count("\n") == len(collection["features"]) + 2
