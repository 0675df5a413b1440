"""The bounded search and the station model: known minima, known parameters found again, and bounds."""

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st

from geotools.errors import DataError, UsageError
from geotools.permafrost import (
    STATION_PARAMETERS,
    SpinUp,
    bounded_search,
    calibrate_station,
    compare_with_observations,
    simulate_station,
    snow_thermal_conductivity,
)
from geotools.permafrost.station_model import surface_temperature


def test_the_minimum_of_a_bowl_is_found():
    found = bounded_search(
        lambda p: (p["x"] - 2.0) ** 2 + (p["y"] + 1.0) ** 2, {"x": (0.0, 10.0), "y": (-3.0, 0.0)}
    )
    assert found.parameters == pytest.approx({"x": 2.0, "y": -1.0}, abs=0.02)
    assert found.trials.sizes["member"] == 640
    assert found.trials["round"].values[[0, 63, 64, -1]].tolist() == [1, 1, 2, 10]


def test_a_valley_of_parameters_that_make_up_for_each_other_is_followed_and_told():
    # Only the product is known: any x with y = 1 / x is as good.
    found = bounded_search(
        lambda p: np.abs(np.log(p["x"] * p["y"])) + 1.0, {"x": (0.5, 2.0), "y": (0.5, 2.0)}
    )
    assert found.parameters["x"] * found.parameters["y"] == pytest.approx(1.0, abs=0.01)
    low, high = found.ranges(0.05)["x"]
    assert low < 0.7
    assert high > 1.4


def test_a_minimum_beyond_the_bounds_ends_at_the_bound_and_is_told():
    found = bounded_search(lambda p: p["x"] + (p["y"] - 0.5) ** 2, {"x": (1.0, 2.0), "y": (0.0, 1.0)})
    assert found.at_bounds() == ["x"]
    assert found.parameters["x"] >= 1.0


@settings(deadline=None)
@given(st.integers(0, 1000), st.floats(-1.0, 2.0))
def test_no_set_leaves_the_bounds(seed, centre):
    found = bounded_search(
        lambda p: (p["x"] - centre) ** 2, {"x": (0.0, 1.0)}, members=8, rounds=5, seed=seed
    )
    assert found.trials["x"].min() >= 0.0
    assert found.trials["x"].max() <= 1.0
    assert found.score == pytest.approx(float(found.trials["score"].min()))


def test_the_first_round_covers_every_slice_of_each_axis():
    found = bounded_search(lambda p: p["x"], {"x": (0.0, 1.0), "y": (5.0, 6.0)}, members=20, rounds=1)
    for name, low in (("x", 0.0), ("y", 5.0)):
        slices = np.floor((found.trials[name].values - low) * 20)
        assert sorted(slices.tolist()) == list(range(20))


def test_the_same_seed_gives_the_same_answer():
    one, two, other = (
        bounded_search(lambda p: (p["x"] - 0.3) ** 2, {"x": (0.0, 1.0)}, seed=s, rounds=3).trials
        for s in (1, 1, 2)
    )
    assert one.equals(two)
    assert not one.equals(other)


def test_more_searches_keep_the_best_of_all_and_the_first_is_that_of_one():
    """On a surface with many hollows one search may settle in the wrong one."""
    options = {"bounds": {"x": (0.0, 1.0)}, "members": 6, "rounds": 4, "seed": 5}

    def hollows(p):
        return (p["x"] - 0.7) ** 2 + 0.05 * np.cos(40.0 * p["x"])

    one, many = bounded_search(hollows, **options), bounded_search(hollows, searches=6, **options)
    assert many.trials.sizes["member"] == 6 * one.trials.sizes["member"]
    first = many.trials.where(many.trials["search"] == 1, drop=True)
    np.testing.assert_array_equal(first["x"], one.trials["x"])
    by_search = many.trials["score"].groupby(many.trials["search"]).min()
    assert np.unique(by_search).size > 1
    assert many.score == by_search.min() <= one.score


def test_sets_that_fail_are_passed_over():
    found = bounded_search(lambda p: xr.where(p["x"] > 0.5, np.nan, -p["x"]), {"x": (0.0, 1.0)})
    assert found.parameters["x"] == pytest.approx(0.5, abs=0.01)


@pytest.mark.parametrize(
    ("bounds", "options", "message"),
    [
        ({"x": (1.0, 0.0)}, {}, "x from 1 to 0"),
        ({}, {}, "at least one parameter"),
        ({"x": (0.0, 1.0)}, {"members": 3}, "four members per parameter"),
        ({"x": (0.0, 1.0)}, {"rounds": 0}, "0 rounds"),
        ({"x": (0.0, 1.0)}, {"searches": 0}, "0 searches"),
    ],
)
def test_searches_that_cannot_be(bounds, options, message):
    with pytest.raises(UsageError, match=message):
        bounded_search(lambda p: p["x"], bounds, **options)


def test_scores_that_are_no_numbers():
    with pytest.raises(DataError, match="no score among"):
        bounded_search(lambda p: p["x"] * np.nan, {"x": (0.0, 1.0)})


def forcing(years=3):
    time = pd.date_range("2001-01-01", periods=365 * years)
    day = np.arange(time.size)
    air = xr.DataArray(
        -9.0 + 28.0 * np.cos(2 * np.pi * (day - 200) / 365.0),
        dims="time",
        coords={"time": time},
        attrs={"units": "degC"},
    )
    snow = air.copy(data=0.35 * np.clip(np.cos(2 * np.pi * (day - 20) / 365.0), 0, None))
    return air, snow.assign_attrs(units="m")


SHORT = SpinUp(min_years=4, max_years=4, tolerance=100.0)
OPTIONS = {"conductivity_method": "calonne2011", "depths": [0.4, 1.6], "spin_up": SHORT}


def test_literature_values_lie_within_their_bounds():
    for known in STATION_PARAMETERS.values():
        assert known.low <= known.value <= known.high
        assert known.source


def test_many_sets_are_one_call_with_the_answers_of_single_ones():
    air, snow = forcing()
    sets = {
        "n_thawing": xr.DataArray([0.8, 1.1], dims="member"),
        "snow_density": xr.DataArray([180.0, 250.0], dims="member"),
        "turf_thickness": xr.DataArray([0.05, 0.2], dims="member"),
        "soil_saturation": xr.DataArray([0.3, 1.0], dims="member"),
    }
    both = simulate_station(air, snow, parameters=sets, **OPTIONS)["tsl"]
    for i in range(2):
        one = simulate_station(air, snow, parameters={k: float(v[i]) for k, v in sets.items()}, **OPTIONS)[
            "tsl"
        ]
        np.testing.assert_allclose(both.isel(member=i), one, atol=1e-9)


def test_more_conductive_snow_and_a_colder_summer_cool_the_ground():
    air, snow = forcing()
    usual = simulate_station(air, snow, **OPTIONS)
    for changed in ({"snow_conductivity_factor": 1.5}, {"n_thawing": 0.8}):
        colder = simulate_station(air, snow, parameters=changed, **OPTIONS)
        assert colder["tsl"].mean() < usual["tsl"].mean() - 0.2
    assert usual.attrs["snow_conductivity_method"] == "calonne2011"
    assert usual.attrs["parameter_snow_density"] == "194 kg m-3"
    conductivity = float(snow_thermal_conductivity(194.0, method="calonne2011"))
    assert f"{conductivity:g} W m-1 K-1" in usual.attrs["snow"]


def test_the_surface_is_that_of_the_air_but_in_summer():
    air = xr.DataArray([-20.0, 5.0, 5.0], dims="time", attrs={"units": "degC"})
    snow = xr.DataArray([0.0, 10.0, 0.0], dims="time", attrs={"units": "cm"})
    assert surface_temperature(air, snow, 0.8).values.tolist() == [-20.0, 5.0, 4.0]
    with pytest.raises(DataError, match="n_thawing"):
        surface_temperature(air, snow, -1.0)


def test_a_parameter_is_found_again_from_the_temperatures_it_made():
    air, snow = forcing()
    truth = simulate_station(air, snow, parameters={"snow_conductivity_factor": 1.3}, **OPTIONS)["tsl"]
    found = calibrate_station(
        air,
        snow,
        truth,
        conductivity_method="calonne2011",
        bounds={"snow_conductivity_factor": (0.6, 1.6)},
        members=8,
        rounds=5,
        spin_up=SHORT,
    )
    assert found.parameters["snow_conductivity_factor"] == pytest.approx(1.3, abs=0.02)
    assert found.score < 0.05
    again = simulate_station(air, snow, parameters=found.parameters, **OPTIONS)["tsl"]
    table = compare_with_observations(again, truth)
    assert table["rmse"].iloc[-1] == pytest.approx(found.score, abs=1e-6)


def test_the_relative_measure_counts_depths_alike():
    air, snow = forcing()
    truth = simulate_station(air, snow, **OPTIONS)["tsl"]
    # An error of a hundredth of its range at each depth.
    shifted = truth + 0.01 * truth.std("time")
    found = calibrate_station(
        air,
        snow,
        shifted.assign_attrs(units="degC"),
        conductivity_method="calonne2011",
        bounds={"geothermal_flux": (0.05, 0.05 + 1e-9)},
        measure="relative",
        members=4,
        rounds=1,
        spin_up=SHORT,
    )
    assert found.score == pytest.approx(0.01, rel=1e-3)


def test_what_cannot_be_calibrated_is_refused():
    air, snow = forcing()
    seen = air.expand_dims(depth=[1.6])
    with pytest.raises(UsageError, match="one station at a time"):
        calibrate_station(air.expand_dims(station=2), snow, seen, conductivity_method="yen1981")
    with pytest.raises(UsageError, match="unknown parameter 'moss'"):
        calibrate_station(air, snow, seen, conductivity_method="yen1981", bounds={"moss": (0.0, 1.0)})
    with pytest.raises(UsageError, match="'mae' is not known"):
        calibrate_station(air, snow, seen, conductivity_method="yen1981", measure="mae")
    with pytest.raises(UsageError, match="'sturm' is not known"):
        simulate_station(air, snow, conductivity_method="sturm")
