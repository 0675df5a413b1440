"""Map backgrounds: valid, inside the domain, right names."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import pytest
import shapely
from builders import maps
from builders.common import SourceError
from pyproj import Geod

GEOD = Geod(ellps="WGS84")
LAYERS = ("rivers", "lakes", "land", "borders")


@pytest.fixture(scope="module")
def layers(data: Path) -> dict[str, gpd.GeoDataFrame]:
    return {name: gpd.read_file(data / "maps" / f"{name}.geojson") for name in LAYERS}


def area_km2(geometry) -> float:
    return abs(GEOD.geometry_area_perimeter(geometry)[0]) / 1e6


def degrees_away(frame, lon: float, lat: float) -> float:
    return float(shapely.distance(frame.geometry.to_numpy(), shapely.Point(lon, lat)).min())


@pytest.mark.parametrize("name", LAYERS)
def test_valid_and_inside_the_domain(layers, name):
    frame = layers[name]
    assert frame.crs.to_epsg() == 4326
    assert frame.is_valid.all()
    assert not frame.is_empty.any()
    west, south, east, north = frame.total_bounds
    assert west >= 70
    assert south >= 20
    assert east <= 145
    assert north <= 75


@pytest.mark.parametrize(
    ("river", "lon", "lat"),
    [
        ("Lena", 129.8, 62.0),
        ("Aldan", 134.0, 62.7),
        ("Amur", 135.0, 48.5),
        ("Heilong Jiang (Amur)", 127.5, 50.25),
        ("Songhua (Sungari)", 126.6, 45.8),
        ("Zeya", 128.1, 51.4),
        ("Olëkma", 120.4, 60.3),
    ],
)
def test_rivers_run_where_they_do(layers, river, lon, lat):
    own = layers["rivers"][layers["rivers"].name == river]
    assert len(own)
    assert degrees_away(own, lon, lat) < 0.3


def test_river_names_have_no_lost_letters(layers):
    names = layers["rivers"].name.dropna()
    assert not names.str.contains(r"\?|�|  ").any()
    assert set(layers["rivers"].kind) == {"river", "lake centreline"}
    assert layers["rivers"].scalerank.between(1, 9).all()


def test_river_name_rules():
    assert maps.river_name("Ol?kma") == "Olëkma"
    assert maps.river_name("Syr  Darya") == "Syr Darya"
    assert maps.river_name(None) is None
    with pytest.raises(SourceError, match="has a lost letter"):
        maps.river_name("N?ver seen")


@pytest.mark.parametrize(("lake", "published"), [("Baikal", 31_722), ("Khanka", 4_070), ("Hulun Hu", 2_339)])
def test_areas_of_lakes(layers, lake, published):
    own = layers["lakes"][layers["lakes"].name == lake]
    assert len(own) == 1
    assert area_km2(own.geometry.iloc[0]) == pytest.approx(published, rel=0.03)


def test_land(layers):
    land = layers["land"]
    for lon, lat in ((129.7, 62.0), (126.6, 45.8), (142.7, 50.0)):
        assert land.contains(shapely.Point(lon, lat)).sum() == 1
    for lon, lat in ((144.0, 55.0), (128.0, 74.8), (125.0, 35.0)):
        assert not land.contains(shapely.Point(lon, lat)).any()


def test_borders(layers):
    borders = layers["borders"]
    assert set(borders.kind) == {"boundary", "disputed", "line of control", "indefinite"}
    pair = borders[borders.left.isin(["China", "Russia"]) & borders.right.isin(["China", "Russia"])]
    # Blagoveshchensk and Heihe face each other across it.
    assert degrees_away(pair, 127.5, 50.25) < 0.1
