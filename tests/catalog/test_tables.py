"""Tables, polygons and codes."""

import geopandas as gpd
import pytest
import shapely

from geotools.catalog import admin_regions, basins, check_region_codes, open_catalog, published_numbers, towns
from geotools.catalog.published import COLUMNS
from geotools.catalog.readers import table, vector
from geotools.errors import CRSError, DataError, UsageError


def test_csv_with_a_duplicate_key_names_the_key_and_the_lines(tmp_path):
    path = tmp_path / "regions.csv"
    path.write_text("region,value\nRU-SA,1\nCN-HL,2\nRU-SA,3\n")
    with pytest.raises(DataError, match=r"the key region='RU-SA' stands more than once \(lines 2, 4\)"):
        table.read(path, key="region")


def test_text_for_a_number_names_the_line(tmp_path):
    path = tmp_path / "values.csv"
    path.write_text("region,value\nRU-SA,1\nCN-HL,about 2\n")
    with pytest.raises(DataError, match="column 'value' holds 'about 2' in line 3"):
        table.read(path, numbers=["value"])


def test_missing_column_is_named(tmp_path):
    path = tmp_path / "values.csv"
    path.write_text("region\nRU-SA\n")
    with pytest.raises(DataError, match="columns are missing: value"):
        table.read(path, columns=["region", "value"])


def test_namibia_and_not_available_are_told_apart(tmp_path):
    path = tmp_path / "codes.csv"
    path.write_text("country\nNA\n")
    assert table.read(path)["country"].tolist() == ["NA"]


def test_binary_file_is_no_table(tmp_path):
    path = tmp_path / "values.csv"
    path.write_bytes(b"\xff\xfe\x00\x81" * 10)
    with pytest.raises(DataError, match="the table cannot be read"):
        table.read(path)


def test_unknown_region_code_is_refused_with_a_hint():
    check_region_codes(["RU-SA", "CN-HL", "MN-1"], where="test")
    with pytest.raises(DataError, match=r"unknown region code 'RU-YA'.*ISO 3166-2"):
        check_region_codes(["RU-YA"], where="my.csv, column region")


def test_unknown_basin_is_refused_with_a_hint():
    with pytest.raises(
        UsageError, match=r"unknown basin 'lenna'; expected a known name; the nearest is 'lena'"
    ):
        basins("lenna")


def test_joined_basin_is_the_union_of_its_parts():
    both, parts = basins("lena_amur"), basins(["lena", "amur"])
    assert both["area_km2"].iloc[0] == parts["area_km2"].sum()
    for key in parts.index:
        assert shapely.covers(shapely.buffer(both.geometry.iloc[0], 1e-9), parts.geometry[key])


def test_regions_of_a_country_only():
    assert set(admin_regions("MN")["country"]) == {"MN"}
    with pytest.raises(UsageError, match="unknown country 'USA'"):
        admin_regions("USA")


def test_towns_hold_the_places_of_the_transect():
    frame = towns()
    assert {"Yakutsk", "Tiksi", "Harbin"} <= set(frame["name"])
    assert frame.crs.to_epsg() == 4326


def test_polygons_without_crs_are_refused(tmp_path):
    path = tmp_path / "zones.shp"
    gpd.GeoDataFrame({"zone": ["a"]}, geometry=[shapely.box(0, 0, 1, 1)], crs=4326).to_file(path)
    path.with_suffix(".prj").unlink()
    with pytest.raises(CRSError, match=r"name no coordinate reference system.*\.prj"):
        vector.read(path)


def test_polygon_file_with_a_duplicate_key_is_refused(tmp_path):
    path = tmp_path / "zones.geojson"
    squares = [shapely.box(i, 0, i + 1, 1) for i in range(2)]
    gpd.GeoDataFrame({"zone": ["a", "a"]}, geometry=squares, crs=4326).to_file(path)
    with pytest.raises(DataError, match=r"the key zone='a' stands more than once \(features 1, 2\)"):
        vector.read(path, key="zone")


def test_polygon_file_without_the_key_names_its_columns(tmp_path):
    path = tmp_path / "zones.geojson"
    gpd.GeoDataFrame({"name": ["a"]}, geometry=[shapely.box(0, 0, 1, 1)], crs=4326).to_file(path)
    with pytest.raises(UsageError, match="there is no column 'zone'; expected one of the columns name"):
        vector.read(path, key="zone")


def test_published_numbers_keep_their_columns_and_intervals():
    frame = published_numbers()
    assert set(COLUMNS) <= set(frame.columns)
    held = frame.dropna(subset=["lo95", "hi95"])
    assert ((held["lo95"] <= held["value"]) & (held["value"] <= held["hi95"])).all()


def test_user_catalogue_adds_entries_with_paths_beside_it(tmp_path):
    (tmp_path / "numbers.csv").write_text("a\n1\n")
    (tmp_path / "catalog.yml").write_text("mine:\n  path: numbers.csv\n  tier: observed\n")
    catalog = open_catalog(tmp_path / "catalog.yml")
    assert catalog.open("mine")["a"].tolist() == [1]
    assert "era5_climatology" in catalog


def test_a_name_of_the_bundled_catalogue_cannot_be_taken(tmp_path):
    (tmp_path / "catalog.yml").write_text("basins:\n  path: mine.geojson\n")
    with pytest.raises(UsageError, match="the name 'basins' is taken"):
        open_catalog(tmp_path / "catalog.yml")


def test_catalogue_with_an_unknown_key_names_it(tmp_path):
    (tmp_path / "catalog.yml").write_text("mine:\n  pth: numbers.csv\n")
    with pytest.raises(UsageError, match="entry 'mine', key 'path'"):
        open_catalog(tmp_path / "catalog.yml")


def test_unknown_entry_names_the_nearest():
    with pytest.raises(UsageError, match="there is no catalogue entry 'era5'; expected"):
        open_catalog()["era5"]
