"""Long tables of zonal statistics."""

import geopandas as gpd
import numpy as np
import pytest
import shapely

from geotools.space import Grid, Overlap
from geotools.space.summary import summarise


@pytest.fixture
def overlap():
    grid = Grid.regular((120, 60, 124, 61), 1)
    zones = gpd.GeoDataFrame(
        geometry=[shapely.box(120, 60, 124, 61), shapely.box(120, 60, 122, 61)], crs=4326
    )
    zones.index = ["all", "west"]
    return Overlap.between(zones.rename_axis("zone"), grid)


def test_mean_spread_and_valid_fraction_of_each_zone(overlap):
    field = overlap.grid.wrap([[1.0, 2.0, 3.0, np.nan]]).assign_attrs(units="degC").rename("t")
    table = summarise(overlap, field).set_index("zone")
    assert table["mean"].to_dict() == pytest.approx({"all": 2.0, "west": 1.5})
    assert table["valid_fraction"].to_dict() == pytest.approx({"all": 0.75, "west": 1.0})
    assert table.loc["all", "p10"] < 2.0 < table.loc["all", "p90"]
    assert set(table["unit"]) == {"degC"}


def test_classes_become_shares_that_add_up(overlap):
    field = overlap.grid.wrap([[1.0, 1.0, 2.0, np.nan]]).rename("cover")
    field = field.assign_attrs(flag_values=np.array([1, 2]), flag_meanings="a b", units="1")
    table = summarise(overlap, field).set_index(["zone", "class"])
    assert table.loc[("all", "a"), "mean"] == pytest.approx(2 / 3)
    assert table.loc[("west", "b"), "mean"] == 0.0
    assert table.loc[("all", "a"), "valid_fraction"] == pytest.approx(0.75)
    assert set(table["unit"]) == {"1"}


def test_the_code_for_missing_of_an_integer_field_in_memory_is_no_class(overlap):
    field = overlap.grid.wrap(np.array([[1, 1, 2, -1]], dtype="int8")).rename("cover")
    field = field.assign_attrs(flag_values=np.array([1, 2]), flag_meanings="a b", units="1")
    field.encoding["_FillValue"] = np.int8(-1)
    area = overlap.area_by_class(field)
    assert area["valid_fraction"].sel(zone="all").item() == pytest.approx(0.75)
    assert area.sel(zone="all").sum() == pytest.approx(0.75 * float(overlap.zone_areas.sel(zone="all")))
