"""Basin outlines: areas, borders, and agreement with independent outlines of the same definition."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
import shapely
from pyproj import Geod

GEOD = Geod(ellps="WGS84")
KEYS = ("lena", "amur", "amur_with_kherlen")
PROPERTIES = {
    *("key", "name", "name_ru", "name_zh", "definition", "outlet_lon", "outlet_lat"),
    *("area_km2", "published_area_km2", "published_area_source", "source", "licence"),
}


def area_km2(geometry) -> float:
    return abs(GEOD.geometry_area_perimeter(geometry)[0]) / 1e6


def overlap_share(one, other) -> float:
    """Intersection over union of two outlines, by area on the ellipsoid."""
    return area_km2(one.intersection(other)) / area_km2(one.union(other))


@pytest.fixture(scope="module")
def path(data: Path) -> Path:
    return data / "basins" / "basins.geojson"


@pytest.fixture(scope="module")
def document(path) -> dict:
    return json.loads(path.read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def basins(path) -> gpd.GeoDataFrame:
    return gpd.read_file(path).set_index("key")


def test_file_is_small_and_rfc_7946(path, document, basins):
    assert path.stat().st_size < 1_500_000
    assert "crs" not in document
    assert basins.crs.to_epsg() == 4326
    for feature in document["features"]:
        rings = feature["geometry"]["coordinates"]
        assert feature["geometry"]["type"] == "Polygon"
        assert shapely.LinearRing(rings[0]).is_ccw
        numbers = np.asarray(rings[0])
        assert np.array_equal(numbers, np.round(numbers, 4))


def test_keys_and_properties(document):
    rows = [feature["properties"] for feature in document["features"]]
    assert tuple(row["key"] for row in rows) == KEYS
    for row in rows:
        assert set(row) == PROPERTIES
        assert all(value not in ("", None) for value in row.values())
        assert row["definition"].endswith(".")


def test_open_database_licence_is_stated(document, path, basins):
    assert document["license"] == "ODbL-1.0"
    assert (basins["licence"] == "ODbL-1.0").all()
    notice = (path.parent / "LICENSE-ODbL.txt").read_text(encoding="utf-8")
    for text in (notice, document["notice"]):
        assert "Open Database License" in text
        assert "https://opendatacommons.org/licenses/odbl/1-0/" in text
    for text in (notice, document["attribution"]):
        assert "MERIT Hydro" in text
        assert "10.1029/2019WR024873" in text
        assert "delineator" in text


@pytest.mark.parametrize("key", KEYS)
def test_one_valid_part_without_holes(basins, key):
    outline = basins.geometry[key]
    assert outline.is_valid
    assert outline.geom_type == "Polygon"
    assert not outline.interiors


@pytest.mark.parametrize("key", KEYS)
def test_no_needle_or_spike(basins, key):
    """A sliver would vanish when the outline is shrunk and grown again by a kilometre."""
    outline = basins.geometry[key]
    opened = outline.buffer(-0.01).buffer(0.012)
    assert area_km2(outline.difference(opened)) < 2e-3 * area_km2(outline)
    lengths = [shapely.Point(a).distance(shapely.Point(b)) for a, b in pairwise(outline.exterior.coords)]
    assert max(lengths) < 0.5


@pytest.mark.parametrize(
    ("key", "published_km2", "deviation"),
    [
        ("lena", 2_490_000, 0.0042),
        ("amur", 1_855_000, 0.0097),
        ("amur_with_kherlen", 2_100_563, -0.0092),
    ],
)
def test_area_against_the_published_one(basins, key, published_km2, deviation):
    row = basins.loc[key]
    area = area_km2(row.geometry)
    assert row["area_km2"] == round(area)
    assert row["published_area_km2"] == published_km2
    assert area == pytest.approx(published_km2, rel=0.02)
    assert area / published_km2 - 1 == pytest.approx(deviation, abs=0.0002)


@pytest.mark.parametrize(
    ("key", "low", "high"),
    [("lena", 2.46e6, 2.51e6), ("amur", 1.83e6, 1.90e6), ("amur_with_kherlen", 2.08e6, 2.13e6)],
)
def test_area_within_the_range_of_the_literature(basins, key, low, high):
    assert low <= basins.loc[key, "area_km2"] <= high


def test_outlets_lie_inside(basins):
    for row in basins.itertuples():
        assert row.geometry.covers(shapely.Point(row.outlet_lon, row.outlet_lat))


def test_amur_nests_in_the_wide_amur(basins):
    narrow, wide = basins.geometry["amur"], basins.geometry["amur_with_kherlen"]
    assert area_km2(narrow.difference(wide)) < 0.1
    closed = wide.difference(narrow)
    assert 180_000 < area_km2(closed) < 230_000
    # One piece, no crumbs along the common border.
    parts = sorted(map(area_km2, shapely.get_parts(closed)))
    assert parts[-1] == pytest.approx(area_km2(closed), abs=1)


def test_lena_and_amur_share_a_border_and_no_area(basins):
    lena, wide = basins.geometry["lena"], basins.geometry["amur_with_kherlen"]
    assert area_km2(lena.intersection(wide)) < 0.1
    assert lena.boundary.intersection(wide.boundary).length > 20  # degrees
    joined = lena.union(wide)
    assert joined.geom_type == "Polygon"
    assert not joined.interiors


@pytest.mark.parametrize(
    ("place", "lon", "lat", "expected"),
    [
        ("Yakutsk", 129.73, 62.03, "lena"),
        ("Mirny on the Vilyuy", 113.96, 62.54, "lena"),
        ("Neryungri", 124.72, 56.66, "lena"),
        ("Kachug, upper Lena", 105.88, 53.96, "lena"),
        ("Samoylov, Lena delta", 126.48, 72.37, "lena"),
        ("Khabarovsk", 135.07, 48.48, "amur"),
        ("Nikolayevsk", 140.73, 53.14, "amur"),
        ("Tynda", 124.72, 55.15, "amur"),
        ("Chita", 113.50, 52.03, "amur"),
        ("Borzya", 116.53, 50.39, "amur"),
        ("Hailar", 119.74, 49.21, "amur"),
        ("Harbin", 126.65, 45.75, "amur"),
        ("Changchun", 125.32, 43.88, "amur"),
        ("Huolingol", 119.66, 45.53, "amur"),
        ("Mudanjiang", 129.60, 44.58, "amur"),
        ("Lake Khanka", 132.40, 45.00, "amur"),
        ("Poliny Osipenko on the Amgun", 136.48, 52.42, "amur"),
        ("Ondorkhaan on the Kherlen", 110.66, 47.32, "closed"),
        ("Choibalsan on the Kherlen", 114.50, 48.07, "closed"),
        ("Lake Hulun", 117.40, 48.95, "closed"),
        ("Lake Buir", 117.70, 47.80, "closed"),
        ("Torey lakes", 115.60, 50.05, "closed"),
        ("Ulan-Ude (Yenisei)", 107.60, 51.83, "neither"),
        ("Bratsk (Yenisei)", 101.63, 56.15, "neither"),
        ("Olenek", 112.43, 68.50, "neither"),
        ("Verkhoyansk (Yana)", 133.39, 67.55, "neither"),
        ("Okhotsk", 143.24, 59.36, "neither"),
        ("Chumikan (Uda)", 135.31, 54.72, "neither"),
        ("Vanino (Sea of Japan)", 140.25, 49.09, "neither"),
        ("Ussuriysk (Razdolnaya)", 131.95, 43.80, "neither"),
        ("Yanji (Tumen)", 129.51, 42.89, "neither"),
        ("Shenyang (Liao)", 123.43, 41.80, "neither"),
        ("Tongliao (Liao)", 122.26, 43.65, "neither"),
        ("Xilinhot (closed steppe)", 116.08, 43.94, "neither"),
        ("Matad (closed steppe)", 115.27, 46.95, "neither"),
        ("Ulaanbaatar (Selenga)", 106.91, 47.92, "neither"),
    ],
)
def test_places_lie_in_the_right_basin(basins, place, lon, lat, expected):
    inside = {key for key in KEYS if basins.geometry[key].contains(shapely.Point(lon, lat))}
    wanted = {
        "lena": {"lena"},
        "amur": {"amur", "amur_with_kherlen"},
        "closed": {"amur_with_kherlen"},
        "neither": set(),
    }
    assert inside == wanted[expected], place


# --- independent outlines, beside the project ---------------------------------------------------


def test_lena_against_hydroatlas(basins, shared):
    other = gpd.read_file(shared / "basins" / "Lena.shp").geometry.make_valid().iloc[0]
    assert overlap_share(basins.geometry["lena"], other) == pytest.approx(0.984, abs=0.002)


@pytest.mark.parametrize(
    ("key", "name", "share"), [("lena", "Lena", 0.931), ("amur_with_kherlen", "Amur", 0.9775)]
)
def test_against_the_five_minute_basins(basins, shared, key, name, share):
    frame = gpd.read_file(shared / "basins" / "Global235_5arcmin.shp").set_index("basin_name")
    other = frame.geometry.make_valid()[name]
    assert share > 0.90
    assert overlap_share(basins.geometry[key], other) == pytest.approx(share, abs=0.002)


@pytest.mark.parametrize(
    ("key", "lon", "lat", "share"), [("lena", 128.75, 72.25, 0.941), ("amur", 140.75, 53.25, 0.943)]
)
def test_against_half_degree_flow_directions(basins, shared, key, lon, lat, share):
    pyflwdir = pytest.importorskip("pyflwdir", reason="pyflwdir is optional")
    rasterio = pytest.importorskip("rasterio")
    from geotools.space.delineation import mask_to_polygon

    with rasterio.open(shared / "basins" / "ldd_30min.tif") as source:
        directions, transform = source.read(1), source.transform
    flow = pyflwdir.from_array(directions, ftype="ldd", transform=transform, latlon=True)
    upstream = flow.basins(xy=([lon], [lat])) > 0
    other = mask_to_polygon(upstream, transform=transform)
    assert share > 0.90
    assert overlap_share(basins.geometry[key], other) == pytest.approx(share, abs=0.002)
