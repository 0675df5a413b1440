import geopandas as gpd
import numpy as np
import pytest
import shapely
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st

from geotools.errors import DataError, UsageError
from geotools.space.grid import Grid
from geotools.space.overlap import Overlap


@pytest.fixture
def halves():
    return gpd.GeoDataFrame(
        geometry=[shapely.box(126, 60, 127, 63), shapely.box(127, 60, 129, 63)],
        index=["west", "east"],
        crs=4326,
    ).rename_axis("region")


@pytest.fixture
def overlap(halves, grid):
    return Overlap.between(halves, grid)


def amounts(values, names=("west", "east"), **coords):
    dims = (*coords, "region")
    return xr.DataArray(
        values, dims=dims, coords={**coords, "region": list(names)}, name="co2", attrs={"units": "t"}
    )


def people(nine):
    return nine.assign_attrs(units="1", cell_methods="area: sum")


def test_by_eye(overlap, nine):
    """West has 0, 3 and 6 persons, east 1, 2, 4, 5, 7 and 8."""
    out = overlap.spread(amounts([90.0, 270.0]), people(nine))
    np.testing.assert_allclose(out["co2"], [[0, 10, 20], [30, 40, 50], [60, 70, 80]], rtol=1e-12)
    assert not out["fallback"].any()
    assert out["co2"].attrs["units"] == "t"
    assert out["co2"].attrs["cell_methods"] == "area: sum"


def test_densities_count_by_area(overlap, grid):
    flat = grid.wrap(np.ones((3, 3))).assign_attrs(units="km-2")
    by_weight = overlap.spread(amounts([1.0, 2.0]), flat)["co2"]
    by_area = overlap.spread(amounts([1.0, 2.0]))["co2"]
    np.testing.assert_allclose(by_weight, by_area, rtol=1e-14)
    area = grid.cell_areas()
    np.testing.assert_allclose(by_area[:, 0], area[:, 0] / area[:, 0].sum(), rtol=1e-12)


def test_zero_weights_fall_back_to_area_and_say_so(overlap, nine):
    out = overlap.spread(amounts([90.0, 270.0]), people(nine.where(nine["lon"] > 127, 0)))
    assert out["fallback"].values.tolist() == [True, False]
    assert float(out["co2"][:, 0].sum()) == pytest.approx(90, rel=1e-13)
    missing = overlap.spread(amounts([90.0, 270.0]), people(nine * np.nan))
    assert missing["fallback"].all()


def test_a_missing_amount_stays_missing(overlap, nine):
    out = overlap.spread(amounts([np.nan, 270.0]), people(nine))["co2"]
    assert np.isnan(out[:, 0]).all()
    assert float(out[:, 1:].sum()) == pytest.approx(270)


def test_cells_of_no_zone_are_nan(halves, grid, nine):
    out = Overlap.between(halves.iloc[:1], grid).spread(amounts([9.0], ["west"]), people(nine))["co2"]
    assert np.isnan(out[:, 1:]).all()


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10_000))
def test_spread_then_sum_gives_the_amounts_back(seed):
    rng = np.random.default_rng(seed)
    grid = Grid.regular((126, 60, 129, 63), 0.5)
    cut = rng.choice(grid.x_edges[1:-1])
    zones = gpd.GeoDataFrame(
        geometry=[shapely.box(126, 60, cut, 63), shapely.box(cut, 60, 129, 63)], crs=4326
    ).rename_axis("region")
    overlap = Overlap.between(zones, grid)
    weights = grid.wrap(rng.gamma(0.5, size=(2, *grid.shape)), ("time",))
    given_amounts = amounts(rng.normal(size=(2, 2)), [0, 1], time=[0, 1])
    out = overlap.spread(given_amounts, weights.assign_coords(time=[0, 1]))["co2"]
    np.testing.assert_allclose(overlap.sum(out), given_amounts, rtol=1e-12)


def test_zones_that_cut_cells_keep_the_grand_total(grid, nine):
    zones = gpd.GeoDataFrame(
        geometry=[shapely.box(126, 60, 127.3, 63), shapely.box(127.3, 60, 129, 63)], crs=4326
    ).rename_axis("region")
    out = Overlap.between(zones, grid).spread(amounts([1.0, 5.0], [0, 1]), people(nine))["co2"]
    assert float(out.sum()) == pytest.approx(6, rel=1e-13)


def test_leading_dimensions_of_either(overlap, nine):
    yearly = amounts([[1.0, 2.0], [3.0, 4.0]], year=[2000, 2001])
    out = overlap.spread(yearly, people(nine))["co2"]
    assert out.dims == ("year", "lat", "lon")
    np.testing.assert_allclose(out.sum(("lat", "lon")), [3, 7], rtol=1e-13)
    seasonal = people(nine).expand_dims(month=3)
    both = overlap.spread(yearly, seasonal)
    assert both["co2"].sizes == {"year": 2, "month": 3, "lat": 3, "lon": 3}
    np.testing.assert_allclose(both["co2"].sum(("lat", "lon")), [[3] * 3, [7] * 3], rtol=1e-13)
    assert both["fallback"].dims == ("month", "region")
    lazy = overlap.spread(yearly.chunk(year=1), seasonal.chunk(month=1, lat=1))
    xr.testing.assert_allclose(lazy.compute(), both)


def test_names_are_matched_not_positions(overlap, nine):
    out = overlap.spread(amounts([270.0, 90.0], ["east", "west"]), people(nine))["co2"]
    assert float(out[:, 0].sum()) == pytest.approx(90)


def test_names_that_do_not_fit(overlap, nine):
    with pytest.raises(DataError, match=r"amounts lack \['east'\] and name \['north'\] too many"):
        overlap.spread(amounts([1.0, 2.0], ["west", "north"]), people(nine))
    with pytest.raises(UsageError, match="the amounts do not name their targets"):
        overlap.spread(xr.DataArray([1.0, 2.0], dims="region"), people(nine))


def test_zones_outside_lose_nothing_silently(grid, nine):
    zones = gpd.GeoDataFrame(
        geometry=[shapely.box(128, 60, 130, 61), shapely.box(0, 0, 1, 1)], index=["east", "west"], crs=4326
    ).rename_axis("region")
    with pytest.raises(
        DataError, match=r"2 of 2 targets leave the grid: east \(50.0% inside\), west \(0.0% inside\)"
    ):
        Overlap.between(zones, grid).spread(amounts([1.0, 2.0]), people(nine))
    folded = Overlap.between(zones.iloc[:1], grid).spread(
        amounts([1.0], ["east"]), people(nine), partly_outside="fold"
    )
    assert float(folded["co2"].sum()) == pytest.approx(1)
    with pytest.raises(UsageError, match="partly_outside is 'ignore'"):
        Overlap.between(zones, grid).spread(amounts([1.0, 2.0]), partly_outside="ignore")


def test_negative_weights(overlap, nine):
    with pytest.raises(DataError, match="weights run from -8 to -0"):
        overlap.spread(amounts([1.0, 2.0]), people(-nine))


def test_plants_go_to_their_cells(grid, nine):
    plants = gpd.GeoDataFrame(
        geometry=gpd.points_from_xy([126.5, 126.6], [60.5, 60.6]), index=["west", "east"], crs=4326
    ).rename_axis("region")
    out = Overlap.between(plants, grid).spread(amounts([1.0, 2.0]))["co2"]
    assert out.values[0, 0] == 3
    assert np.isnan(out.values[1:]).all()
