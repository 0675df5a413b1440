"""Gaps of daily records: how they are filled, and that it is told."""

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st

from geotools.climate import fill_daily_gaps
from geotools.errors import DataError, UsageError


def series(values, start="2001-01-01", name="tas"):
    values = np.asarray(values, dtype="float64")
    time = pd.date_range(start, periods=values.size)
    return xr.DataArray(values, dims="time", coords={"time": time}, name=name, attrs={"units": "degC"})


def annual(years=4):
    time = pd.date_range("2001-01-01", f"{2000 + years}-12-31")
    return series(-10.0 + 20.0 * np.cos(2 * np.pi * (time.day_of_year - 200) / 365.25))


def test_a_short_gap_is_interpolated():
    filled = fill_daily_gaps(series([1.0, np.nan, np.nan, 4.0]))
    assert filled["tas"].values.tolist() == [1.0, 2.0, 3.0, 4.0]
    assert filled["gap"].values.tolist() == [0, 1, 1, 0]
    assert filled["tas"].attrs["units"] == "degC"


def test_a_long_gap_gets_the_mean_of_its_days_of_the_year():
    whole = annual()
    holed = whole.where(
        (whole["time"] < np.datetime64("2002-03-01")) | (whole["time"] > np.datetime64("2002-06-01"))
    )
    filled = fill_daily_gaps(holed, window=1)
    np.testing.assert_allclose(filled["tas"], whole, atol=0.3)
    assert int((filled["gap"] == 2).sum()) == 93
    assert "0 values in gaps of up to 10 d interpolated, 93 set to the mean" in filled.attrs["history"]


def test_a_gap_of_just_the_longest_length_is_interpolated_and_one_more_is_not():
    for days, kind in ((10, 1), (11, 2)):
        holed = annual()
        holed[400 : 400 + days] = np.nan
        assert set(fill_daily_gaps(holed)["gap"].values[400 : 400 + days].tolist()) == {kind}


def test_gaps_at_the_ends_are_not_interpolated():
    holed = annual()
    holed[0], holed[-1] = np.nan, np.nan
    gap = fill_daily_gaps(holed)["gap"]
    assert (gap[0], gap[-1]) == (2, 2)


def test_days_that_are_left_out_are_put_in():
    short = series(np.arange(5.0)).isel(time=[0, 1, 4])
    filled = fill_daily_gaps(short)
    assert filled["tas"].values.tolist() == [0.0, 1.0, 2.0, 3.0, 4.0]
    assert filled["gap"].values.tolist() == [0, 0, 1, 1, 0]


def test_columns_are_filled_each_for_itself_and_empty_ones_stay_empty():
    whole = annual()
    both = xr.concat([whole, whole + 5.0, whole * np.nan], "station")
    both[1, 300] = np.nan
    filled = fill_daily_gaps(both)
    assert filled["tas"].dims == both.dims
    np.testing.assert_allclose(filled["tas"][1, 300], whole[300] + 5.0, atol=0.2)
    assert np.isnan(filled["tas"][2]).all()
    assert int(filled["gap"].sum()) == 1


@settings(deadline=None)
@given(st.sets(st.integers(1, 700), max_size=60), st.integers(0, 20))
def test_what_was_observed_is_never_changed(missing, longest):
    whole = annual(2)
    holed = whole.copy()
    holed[sorted(missing)] = np.nan
    filled = fill_daily_gaps(holed, longest_interpolated=longest)
    np.testing.assert_array_equal(filled["tas"].values[~np.isnan(holed.values)], holed.dropna("time").values)
    assert not np.isnan(filled["tas"]).any()
    np.testing.assert_array_equal(filled["gap"].values > 0, np.isnan(holed.values))


def test_a_season_that_no_year_has_cannot_be_filled():
    holed = annual(2)
    holed = holed.where(holed["time"].dt.month != 3)
    with pytest.raises(DataError, match="a day of the year that has no value in any year"):
        fill_daily_gaps(holed)


@pytest.mark.parametrize(
    ("field", "options", "error", "message"),
    [
        (annual().rename(time="day"), {}, UsageError, "expected a dimension time"),
        (annual(), {"window": 4}, UsageError, "an odd window"),
        (annual(), {"longest_interpolated": -1}, UsageError, "a length of 0 or more"),
        (annual()[::-1], {}, DataError, "do not grow by whole days"),
    ],
)
def test_what_cannot_be_filled_is_refused(field, options, error, message):
    with pytest.raises(error, match=message):
        fill_daily_gaps(field, **options)


def test_hourly_values_are_no_daily_values():
    time = pd.date_range("2001-01-01", periods=48, freq="h")
    hourly = xr.DataArray(np.ones(48), dims="time", coords={"time": time})
    with pytest.raises(DataError, match="do not grow by whole days"):
        fill_daily_gaps(hourly)
