"""Ground under towns: which cell, two climates, reasons for what is missing, and input that is wrong."""

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from geotools.errors import DataError, UsageError
from geotools.permafrost import Pile, ground_parameters, pile_bearing_capacity, town_ground_change
from geotools.permafrost import town_ground as module

LAT, LON = np.array([60.0, 61.0, 62.0]), np.array([120.0, 121.0, 122.0])
LABELS = ("base", "base +2 K, a sensitivity")


def climate(warming=0.0):
    """Rows of -14, -8 and +9 degC without snow; the last column has no data."""
    means = np.array([-14.0, -8.0, 9.0])[:, None] + np.zeros(3)
    wave = -20.0 * np.cos(2 * np.pi * np.arange(12) / 12)
    tas = wave[:, None, None] + means + warming
    tas[:, :, 2] = np.nan
    coords = {"time": np.arange(1, 13), "lat": LAT, "lon": LON}
    dims = ("time", "lat", "lon")
    return xr.Dataset(
        {
            "tas": (dims, tas, {"units": "degC"}),
            "pr": (dims, np.where(np.isnan(tas), np.nan, 0.0), {"units": "kg m-2 d-1"}),
        },
        coords=coords,
    )


def soil():
    """Forest, and water in the north of the second column."""
    classes = np.full((3, 3), 3.0)
    classes[0, 1] = 17.0
    return ground_parameters(
        xr.DataArray(classes, dims=("lat", "lon"), coords={"lat": LAT, "lon": LON}, attrs={"units": "1"})
    )


TOWNS = pd.DataFrame(
    {
        "name": ["Cold", "Cool", "Near Cool", "Warm", "Far", "Blank", "Lake"],
        "lat": [60.2, 61.0, 60.6, 62.4, 45.0, 61.0, 60.0],
        "lon": [120.1, 120.0, 119.6, 120.0, 120.0, 122.0, 121.0],
        "population": [1, 2, 3, 4, 5, 6, 7],
    }
)


@pytest.fixture(scope="module")
def table():
    return town_ground_change(TOWNS, climate(), climate(2.0), soil(), labels=LABELS).set_index("name")


def test_no_town_is_dropped_and_every_gap_has_its_reason(table):
    assert list(table.index) == list(TOWNS["name"])
    assert table["population"].tolist() == TOWNS["population"].tolist()
    assert table.loc["Far", "reason"] == module.OUTSIDE
    assert table.loc["Blank", "reason"] == module.NO_CLIMATE
    assert table.loc["Lake", "reason"] == module.NO_GROUND
    assert table.loc["Warm", "reason"] == module.NEVER
    assert table.loc[["Cold", "Cool"], "reason"].tolist() == ["", ""]
    missing = table[list(module._NUMBERS)].drop(columns="thaw_settlement_m").isna().any(axis=1)
    assert (table["reason"] != "")[missing].all()


def test_towns_of_one_cell_have_the_same_ground(table):
    assert table.loc["Near Cool", "cell_lat"] == table.loc["Cool", "cell_lat"] == 61.0
    for name in module._NUMBERS[:-1]:
        assert table.loc["Near Cool", name] == table.loc["Cool", name]


def test_warming_deepens_thaw_and_lessens_what_piles_bear(table):
    frozen = table.loc[["Cold", "Cool"]]
    np.testing.assert_allclose(
        frozen["ground_temperature_2_degC"] - frozen["ground_temperature_1_degC"], 2.0, atol=0.4
    )
    assert (frozen["active_layer_change_m"] > 0.0).all()
    assert (frozen["bearing_capacity_change_percent"] < -3.0).all()
    assert (frozen["bearing_capacity_2_kN"] > 0.0).all()
    change = 100.0 * (frozen["bearing_capacity_2_kN"] / frozen["bearing_capacity_1_kN"] - 1.0)
    np.testing.assert_allclose(frozen["bearing_capacity_change_percent"], change)


def test_warm_ground_has_a_temperature_and_bears_nothing(table):
    assert table.loc["Warm", "ground_temperature_1_degC"] > 3.0
    assert table.loc["Warm", "bearing_capacity_1_kN"] == 0.0
    assert np.isnan(table.loc["Warm", "bearing_capacity_change_percent"])


def test_the_table_says_that_it_is_modelled_and_by_what(table):
    attrs = town_ground_change(TOWNS[:1], climate(), climate(2.0), soil(), labels=LABELS).attrs
    assert "modelled" in attrs["method"]
    assert "not the ground of the town" in attrs["method"]
    assert "10.1657/1938-4246-44.3.368" in attrs["references"]
    assert "recalled" in attrs["strength"]
    assert attrs["climate_2"] == "base +2 K, a sensitivity"
    assert "no content of ground ice" in attrs["settlement"]


def test_settlement_is_told_only_where_ice_is_given(table):
    assert table["thaw_settlement_m"].isna().all()
    icy = town_ground_change(TOWNS, climate(), climate(2.0), soil(), labels=LABELS, excess_ice=0.3).set_index(
        "name"
    )
    expected = 0.3 * table.loc["Cool", "active_layer_change_m"]
    assert icy.loc["Cool", "thaw_settlement_m"] == pytest.approx(expected)


def test_permafrost_that_one_climate_has_no_more_is_a_loss_of_all():
    lost = town_ground_change(TOWNS[1:2], climate(), climate(12.0), soil(), labels=LABELS).iloc[0]
    assert lost["reason"] == module.ONLY_FIRST
    assert lost["bearing_capacity_change_percent"] == -100.0
    won = town_ground_change(TOWNS[1:2], climate(12.0), climate(), soil(), labels=LABELS).iloc[0]
    assert won["reason"] == module.ONLY_SECOND
    assert np.isnan(won["bearing_capacity_change_percent"])


def test_without_its_own_precipitation_the_second_climate_keeps_the_snow_of_the_first():
    snowy = climate().assign(pr=(climate()["pr"] + 1.0).assign_attrs(climate()["pr"].attrs))
    warmer = snowy.assign(tas=(snowy["tas"] + 1.0).assign_attrs(snowy["tas"].attrs))
    kept = town_ground_change(TOWNS[1:2], snowy, warmer.drop_vars("pr"), soil(), labels=LABELS)
    own = town_ground_change(TOWNS[1:2], snowy, warmer, soil(), labels=LABELS)
    assert kept["ground_temperature_1_degC"].item() == own["ground_temperature_1_degC"].item()
    assert kept["ground_temperature_2_degC"].item() > kept["ground_temperature_1_degC"].item()
    assert kept["ground_temperature_2_degC"].item() != own["ground_temperature_2_degC"].item()
    assert kept.attrs["snow_2"] == "that of the first climate, kept"


def test_a_longer_pile_bears_more():
    call = {"labels": LABELS}
    short = town_ground_change(TOWNS[:1], climate(), climate(2.0), soil(), **call)
    long = town_ground_change(TOWNS[:1], climate(), climate(2.0), soil(), pile=Pile(embedment=14.0), **call)
    assert long["bearing_capacity_1_kN"].iloc[0] > 1.3 * short["bearing_capacity_1_kN"].iloc[0]
    assert "14 m deep" in long.attrs["pile"]


def test_capacity_is_that_of_the_warmest_temperatures_of_the_year():
    # Colder than any mean of the year could be: between capacity by mean and by even colder ground.
    one = town_ground_change(TOWNS[:1], climate(), climate(2.0), soil(), labels=LABELS).iloc[0]
    even = np.full(2, one["ground_temperature_1_degC"])
    by_mean = pile_bearing_capacity(even, one["active_layer_1_m"], depths=[0.0, 20.0])
    assert 0.5 * by_mean < one["bearing_capacity_1_kN"] < by_mean


def test_lazy_climates_give_the_same_table():
    lazy = town_ground_change(
        TOWNS,
        climate().chunk({"lat": 1}),
        climate(2.0).chunk({"lat": 2}),
        soil().chunk({"lat": 1}),
        labels=LABELS,
    )
    eager = town_ground_change(TOWNS, climate(), climate(2.0), soil(), labels=LABELS)
    pd.testing.assert_frame_equal(lazy, eager, rtol=1e-9)


@pytest.mark.parametrize(
    ("change", "error", "words"),
    [
        ({"towns": TOWNS.drop(columns="lat")}, UsageError, "no column lat"),
        ({"towns": TOWNS.assign(lat=95.0)}, DataError, "lat of Cold is 95"),
        ({"first": climate().isel(time=slice(6))}, UsageError, "6 months"),
        ({"first": climate().drop_vars("pr")}, UsageError, "no pr"),
        ({"second": climate().drop_vars("tas")}, UsageError, "no tas"),
        ({"second": climate().assign_coords(lat=LAT + 0.5)}, UsageError, "one grid"),
        ({"depth": 100.0}, DataError, "depth"),
        ({"excess_ice": 30.0}, DataError, "per cent"),
        ({"soil": "loess"}, UsageError, "clay or sand"),
    ],
)
def test_input_that_cannot_be_right_is_refused(change, error, words):
    given = {
        "towns": TOWNS,
        "first": climate(),
        "second": climate(2.0),
        "ground": soil(),
        "labels": LABELS,
        **change,
    }
    places = [given.pop(name) for name in ("towns", "first", "second", "ground")]
    if "soil" in change:
        given["soil"] = change["soil"]
    with pytest.raises(error, match=words):
        town_ground_change(*places, **given)
