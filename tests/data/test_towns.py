"""Populated places: complete, unique, in the right region."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import pandas as pd
import pytest
import shapely
from builders import towns as builder
from builders.common import SourceError


@pytest.fixture(scope="module")
def towns(data: Path) -> pd.DataFrame:
    return pd.read_csv(data / "towns" / "towns.csv", keep_default_na=False)


def test_columns_and_types(towns):
    assert tuple(towns.columns) == builder.COLUMNS
    assert towns.geonameid.dtype == "int64"
    assert towns.population.dtype == "int64"
    assert (towns.population >= 0).all()
    assert towns.lat.between(16, 82).all()
    assert towns.lon.between(-180, 180).all()
    assert (towns.name.str.strip() == towns.name).all()
    assert (towns.name != "").all()


def test_no_duplicates_and_sorted(towns):
    assert towns.geonameid.is_unique
    assert towns.geonameid.is_monotonic_increasing
    assert not towns.duplicated(["name", "lat", "lon"]).any()


def test_population_of_countries(towns):
    total = towns.groupby("country").population.sum()
    assert total["RU"] == 132_064_976
    assert total["CN"] == 754_113_061
    assert total["MN"] == 1_704_014


def test_regions(towns, data):
    listed = pd.read_csv(data / "admin" / "iso3166_2.csv", dtype=str)
    known = towns[towns.region != ""]
    assert set(known.region) <= set(listed.region)
    assert (known.region.str[:2] == known.country).all()
    assert len(towns) - len(known) == 6
    # Every mapped region has places, but for the two that GeoNames treats as countries.
    mapped = set(listed.region[listed.mapped == "yes"])
    assert mapped - set(known.region) == {"CN-HK", "CN-MO"}


def test_places_lie_near_their_region(towns, data):
    regions = gpd.read_file(data / "admin" / "regions.geojson").set_index("region").geometry
    for region, own in towns[towns.region != ""].groupby("region"):
        polygon = regions[region]
        shapely.prepare(polygon)
        points = shapely.points(own.lon, own.lat)
        outside = points[~shapely.contains(polygon, points)]
        if region != "MN-064":  # drawn at a ninth of its size in Natural Earth
            assert (shapely.distance(polygon, outside) <= 0.2).all(), region


@pytest.mark.parametrize(
    ("name", "region"),
    [
        ("Yakutsk", "RU-SA"),
        ("Harbin", "CN-HL"),
        ("Choibalsan", "MN-061"),
        # The generalised boundary along the Yenisei puts it into Krasnoyarsk Krai.
        ("Abakan", "RU-KK"),
        # Two towns face each other across the Amur.
        ("Blagoveshchensk", "RU-AMU"),
        ("Heihe", "CN-HL"),
    ],
)
def test_known_towns(towns, name, region):
    same_name = towns[(towns.name == name) & (towns.country == region[:2])]
    assert region in set(same_name.nlargest(1, "population").region)


@pytest.fixture
def two_squares() -> dict[str, shapely.Polygon]:
    return {"RU-A": shapely.box(0, 0, 1, 1), "RU-B": shapely.box(1, 0, 2, 1)}


def place(lon: float, lat: float, code: str) -> dict[str, object]:
    return {"longitude": lon, "latitude": lat, "admin1code": code}


def test_assignment(two_squares):
    inside = [place(0.3, 0.5, "01")] * 60 + [place(1.7, 0.5, "02")] * 60
    places = [
        *inside,
        place(1.05, 0.5, "01"),  # just across the line: the named region counts
        place(1.5, 0.5, "01"),  # far across: the polygon counts
        place(2.15, 0.5, ""),  # outside all, no code: the nearest within 0.2 degrees
        place(2.5, 0.5, ""),  # too far from any
    ]
    found = builder.assign("RU", places, two_squares)
    assert found[-4:] == ["RU-A", "RU-B", "RU-B", ""]


def test_swapped_keys_are_noticed(two_squares):
    places = [place(0.5, 0.5, "01")] * 50 + [place(1.5, 0.5, "01")] * 50
    with pytest.raises(SourceError, match="the region keys are wrong"):
        builder.assign("RU", places, two_squares)


def test_towns_of_the_default_transect_lie_where_they_are_listed(towns):
    """But for Tiksi, which GeoNames puts beside itself, within the rounding to 0.01 degrees."""
    from geotools.space import ROUTES
    from geotools.space.geodesy import distance

    listed = towns.query("region in ['CN-HL', 'RU-AMU', 'RU-SA']").set_index("name")
    found = [place for place in ROUTES["harbin_tiksi"].points if place[0] in listed.index]
    assert len(found) == 9
    for name, lat, lon in found:
        away = float(distance(lat, lon, listed.lat[name], listed.lon[name])) / 1000
        assert away < (6 if name == "Tiksi" else 1.5), name
