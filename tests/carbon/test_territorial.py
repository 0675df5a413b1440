"""Emissions of regions spread by towns to zones and cells."""

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from geotools.carbon import (
    national_sums,
    region_zone_shares,
    regional_emissions,
    spread_to_cells,
    territorial_terms,
)
from geotools.catalog import admin_regions, basins, towns
from geotools.errors import DataError, UsageError
from geotools.space import Grid, intersections
from geotools.vocabulary import Account, Species, Tier

GRID = Grid.regular((0, 60, 4, 62), 1)
# Two regions that share the cells of column 1, because their border runs through its middle.
REGIONS = gpd.GeoDataFrame(
    geometry=[shapely.box(0, 60, 1.5, 62), shapely.box(1.5, 60, 4, 62)], index=["RU-A", "CN-B"], crs=4326
).rename_axis("region")
ZONES = gpd.GeoDataFrame(
    geometry=[shapely.box(0, 60, 1, 62), shapely.box(1, 60, 3, 62), shapely.box(0, 60, 3, 62)],
    index=["west", "middle", "both"], crs=4326,
).rename_axis("zone")  # fmt: skip

PLACES = st.tuples(st.floats(0.01, 3.99), st.floats(60.01, 61.99), st.integers(0, 10**6))


def people(*places):
    lon, lat, number = zip(*places, strict=True)
    return gpd.GeoDataFrame({"population": number}, geometry=gpd.points_from_xy(lon, lat), crs=4326)


TOWNS = people((0.5, 60.5, 300.0), (1.2, 60.5, 100.0), (1.8, 60.5, 50.0), (3.5, 61.5, 150.0))


def table(**values):
    rows = [
        {"region": r.replace("_X", "-_X") if r.endswith("_X") else r.replace("_", "-"), "year": 2019, "value": v,
         "unit": "Mt CO2", "source": "s"}
        for r, v in values.items()
    ]  # fmt: skip
    return pd.DataFrame(rows)


EMISSIONS = regional_emissions(table(RU_A=8.0, CN_B=20.0))


def test_known_shares_by_towns():
    shares = region_zone_shares(REGIONS, ZONES, TOWNS)
    assert shares.share.loc["RU-A"].to_dict() == {"west": 0.75, "middle": 0.25, "both": 1.0}
    assert shares.share.loc["CN-B"].to_dict() == {"west": 0.0, "middle": 0.25, "both": 0.25}
    assert not shares.fallback.any()


def test_known_terms():
    found = {t.zone: t for t in territorial_terms(EMISSIONS, region_zone_shares(REGIONS, ZONES, TOWNS))}
    assert found["west"].value == pytest.approx(6.0)
    assert found["middle"].value == pytest.approx(2.0 + 5.0)
    one = found["west"]
    assert (one.tier, one.account, one.species, one.unit, one.period_start) == (
        Tier.PROXIED, Account.TERRITORIAL, Species.CO2, "Tg yr-1", "2019",
    )  # fmt: skip
    assert one.components == {"fossil", "cement"}
    assert "by area instead 5.333 Tg" in one.note
    assert one.lo95 < one.value < one.hi95


def test_joint_is_the_sum_and_zones_with_the_outside_hold_all():
    shares = region_zone_shares(REGIONS, ZONES, TOWNS)
    amount = EMISSIONS["value"]
    zones = amount @ shares.share[["west", "middle"]]
    assert zones.sum() + (amount * shares.outside("west", "middle")).sum() == pytest.approx(28.0, rel=1e-9)
    assert (amount @ shares.share["both"]) == pytest.approx(zones.sum(), rel=1e-12)
    whole = shares.with_whole("sum", ["west", "middle"], [1.0, 2.0])
    assert whole.share["sum"].tolist() == shares.share["both"].tolist()


def test_cells_hold_the_amounts_of_two_regions_that_share_a_cell():
    found = spread_to_cells(EMISSIONS["value"], REGIONS, GRID, TOWNS)
    np.testing.assert_allclose(found["emissions"], [[6.0, 2.0 + 5.0, 0, 0], [0, 0, 0, 15.0]])
    assert found["outside"].values.tolist() == [0.0, 0.0]
    assert found["emissions"].attrs["units"] == "Tg yr-1"
    assert found["emissions"].attrs["cell_methods"] == "area: sum"


def test_what_lies_beyond_the_grid_is_told():
    small = Grid.regular((0, 60, 2, 62), 1)
    found = spread_to_cells(EMISSIONS["value"], REGIONS, small, TOWNS)
    assert found["outside"].sel(region="CN-B").item() == pytest.approx(15.0)
    assert float(found["emissions"].sum() + found["outside"].sum()) == pytest.approx(28.0, rel=1e-12)


def test_no_weight_anywhere_falls_back_to_area_and_is_flagged():
    nobody = people((0.5, 60.5, 10.0), (1.8, 60.5, 0.0))
    shares = region_zone_shares(REGIONS, ZONES, nobody)
    assert shares.fallback.to_dict() == {"RU-A": False, "CN-B": True}
    assert shares.share.loc["CN-B", "middle"] == pytest.approx(0.6, rel=1e-3)
    found = {t.zone: t for t in territorial_terms(EMISSIONS, shares)}
    assert "no weight in CN-B: split by area" in found["middle"].note
    cells = spread_to_cells(EMISSIONS["value"], REGIONS, GRID, nobody)
    assert cells["fallback"].values.tolist() == [False, True]
    assert float(cells["emissions"].sum()) == pytest.approx(28.0, rel=1e-9)
    assert float(cells["emissions"].isel(lon=3).sum()) == pytest.approx(8.0, rel=1e-6)


def test_a_zone_without_a_town_has_zero_with_an_upper_bound():
    ends = people((3.5, 60.5, 1.0), (0.5, 60.5, 1.0))
    found = {t.zone: t for t in territorial_terms(EMISSIONS, region_zone_shares(REGIONS, ZONES, ends))}
    middle = found["middle"]
    assert (middle.value, middle.lo95) == (0.0, 0.0)
    assert middle.hi95 == pytest.approx(8.0 / 3 + 20.0 * 0.6, rel=1e-3)
    assert "no town in the part of CN-B, RU-A: from 0 to its share by area" in middle.note


def test_uniform_weights_give_the_shares_of_the_area():
    grid = Grid.regular((0, 60, 4, 62), 0.25)
    uniform = grid.wrap(np.full(grid.shape, 3.0)).rename("w").assign_attrs(units="m-2")
    by_field = region_zone_shares(REGIONS, ZONES, uniform).share
    shared = intersections(REGIONS, ZONES, dims=("region", "zone"))
    np.testing.assert_allclose(by_field, shared / shared["area_a"], rtol=1e-6)
    np.testing.assert_allclose(region_zone_shares(REGIONS, ZONES).share, by_field, rtol=1e-6)


def test_weights_on_a_grid_go_through_the_intersection():
    # All people of the shared column live in the cell that both regions hold half of.
    number = (
        GRID.wrap([[0.0, 10.0, 0.0, 0.0], [0.0] * 4])
        .rename("n")
        .assign_attrs(units="1", cell_methods="area: sum")
    )
    shares = region_zone_shares(REGIONS, ZONES, number).share
    assert shares.loc["RU-A", "middle"] == pytest.approx(1.0)
    assert shares.loc["RU-A", "west"] == 0.0
    assert shares.loc["CN-B", "middle"] == pytest.approx(1.0)


def test_weights_on_a_grid_that_a_region_leaves_are_refused():
    small = Grid.regular((0, 60, 2, 62), 1)
    with pytest.raises(DataError, match="a region leaves the grid of the weights"):
        region_zone_shares(REGIONS, ZONES, small.wrap(np.ones(small.shape)).assign_attrs(units="m-2"))


@settings(max_examples=20, deadline=None)
@given(st.lists(PLACES, min_size=1, max_size=12), st.floats(0, 1e3), st.floats(0, 1e3))
def test_amounts_are_kept_whatever_the_weights(places, one, two):
    points = people(*[(lon, lat, float(n)) for lon, lat, n in places])
    amounts = pd.Series({"RU-A": one, "CN-B": two})
    cells = spread_to_cells(amounts, REGIONS, GRID, points)
    assert float(cells["emissions"].sum() + cells["outside"].sum()) == pytest.approx(
        one + two, rel=1e-9, abs=1e-9
    )
    assert float(cells["emissions"].min()) >= 0
    doubled = points.assign(population=2 * points["population"])
    np.testing.assert_allclose(
        spread_to_cells(amounts, REGIONS, GRID, doubled)["emissions"], cells["emissions"]
    )
    shares = region_zone_shares(REGIONS, ZONES, points)
    pd.testing.assert_frame_equal(region_zone_shares(REGIONS, ZONES, doubled).share, shares.share)
    assert ((shares.share >= 0) & (shares.share <= 1 + 1e-9)).all(axis=None)


def test_a_town_on_the_border_counts_for_the_region_it_names():
    edge = people((1.5, 60.5, 7.0), (3.5, 60.5, 1.0)).assign(region=["RU-A", "CN-B"])
    assert region_zone_shares(REGIONS, ZONES, edge).share.loc["RU-A", "middle"] == 1.0


def test_negative_weights_and_amounts_are_refused():
    with pytest.raises(DataError, match="weights are negative or missing"):
        region_zone_shares(REGIONS, ZONES, people((0.5, 60.5, -1.0)))
    with pytest.raises(DataError, match="emissions are negative or missing"):
        spread_to_cells(pd.Series({"RU-A": -1.0}), REGIONS, GRID, TOWNS)
    with pytest.raises(DataError, match="no polygon for RU-Z"):
        spread_to_cells(pd.Series({"RU-Z": 1.0}), REGIONS, GRID, TOWNS)
    with pytest.raises(UsageError, match="no column 'people'"):
        region_zone_shares(REGIONS, ZONES, TOWNS, column="people")


def test_remainders_lie_nowhere_and_regions_without_a_figure_are_named():
    emissions = regional_emissions(table(RU_A=8.0, RU_X=100.0))
    assert list(emissions.index) == ["RU-A", "RU-_X"]
    found = {t.zone: t for t in territorial_terms(emissions, region_zone_shares(REGIONS, ZONES, TOWNS))}
    assert found["both"].value == pytest.approx(8.0)
    assert "no figure for CN-B (50.0% of the area)" in found["both"].note
    assert found["both"].valid_fraction == pytest.approx(0.5, rel=1e-6)
    with pytest.raises(DataError, match="no polygon for RU-Q"):
        territorial_terms(regional_emissions(table(RU_Q=1.0)), region_zone_shares(REGIONS, ZONES, TOWNS))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"value": -1.0}, "the emission is -1.0; expected a number of 0 or more"),
        ({"value": np.nan}, "the emission is nan"),
        ({"unit": "Mt"}, "'Mt' of something not named.*not of carbon and not of goods"),
        ({"unit": "Mt yr-1", "species": "C"}, "'Mt yr-1' of C"),
    ],
)
def test_bad_tables(change, message):
    with pytest.raises(DataError, match=message):
        regional_emissions(table(RU_A=1.0).assign(**change))


def test_table_is_checked_for_columns_years_and_doubles():
    good = table(RU_A=1.0, CN_B=2.0)
    with pytest.raises(DataError, match="columns are missing: unit"):
        regional_emissions(good.drop(columns="unit"))
    with pytest.raises(UsageError, match="no emissions of 1999; expected one of 2019"):
        regional_emissions(good, year=1999)
    with pytest.raises(DataError, match="'RU-A' stands twice"):
        regional_emissions(pd.concat([good, good.iloc[:1]]))
    with pytest.raises(DataError, match="no year has all regions"):
        regional_emissions(good.assign(year=[2018, 2019]))
    assert regional_emissions(good.assign(unit="Mt yr-1", species="CO2"))["value"].tolist() == [1.0, 2.0]


def test_regions_that_do_not_sum_to_their_nation_are_refused():
    rows = table(RU=10.0, RU_A=4.0, RU_X=6.0).assign(country="RU", role=["nation", "region", "remainder"])
    assert national_sums(rows).loc[("RU", 2019), "regions"] == 10.0
    assert "RU" not in regional_emissions(rows).index
    with pytest.raises(DataError, match="regions of RU sum to 11 in 2019, the nation has 10"):
        national_sums(rows.assign(value=[10.0, 5.0, 6.0]))


@pytest.fixture(scope="module")
def of_basins():
    zones = basins(["lena", "amur", "amur_with_kherlen", "lena_amur"])
    return region_zone_shares(admin_regions(), zones, towns())


def test_joint_basin_is_lena_and_amur(of_basins):
    share = of_basins.share
    np.testing.assert_allclose(share["lena_amur"], share["lena"] + share["amur"], rtol=1e-9, atol=1e-12)


def test_inner_mongolia_by_people_and_by_area(of_basins):
    # 794 Mt in 2019, mostly in the south-west: area puts twice as much into the basin as people do.
    assert of_basins.share.loc["CN-NM", "amur"] == pytest.approx(0.116, abs=0.002)
    assert of_basins.by_area.loc["CN-NM", "amur"] == pytest.approx(0.235, abs=0.002)


def test_mongolia_is_named_as_missing(of_basins):
    emissions = regional_emissions(
        pd.DataFrame(
            {"region": ["CN-HL"], "year": [2019], "value": [278.2], "unit": ["Mt CO2"], "source": ["s"]}
        )
    )
    found = {t.zone: t for t in territorial_terms(emissions, of_basins)}
    assert "MN-061 (4.6% of the area)" in found["amur_with_kherlen"].note
    assert found["amur"].value == pytest.approx(278.2 * of_basins.share.loc["CN-HL", "amur"])
