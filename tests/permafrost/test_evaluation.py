"""Modelled against observed ground temperatures: numbers done by hand, and what does not count."""

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st

from geotools.errors import DataError, UnitsError, UsageError
from geotools.permafrost import annual_means, compare_with_observations, day_of_year_climatology


def ground(values, depths=(1.6,), start="2001-01-01", units="degC", stations=None):
    values = np.asarray(values, dtype="float64")
    dims = ("station", "time", "depth") if stations else ("time", "depth")
    if not stations:
        values = values.reshape(-1, len(depths))
    time = pd.date_range(start, periods=values.shape[-2])
    coords = {"time": time, "depth": list(depths)} | ({"station": list(stations)} if stations else {})
    return xr.DataArray(values, dims=dims, coords=coords, attrs={"units": units})


def test_errors_by_hand():
    table = compare_with_observations(ground([1.0, 2.0, 4.0]), ground([0.0, 2.0, 1.0]))
    row = table.iloc[0]
    assert len(table) == 1
    assert (row["n"], row["depth_m"], row["depths_m"]) == (3, 1.6, "1.6")
    assert row["bias"] == pytest.approx(4 / 3)
    assert row["rmse"] == pytest.approx(np.sqrt(10 / 3))
    assert row["rmse_unbiased"] == pytest.approx(np.sqrt(10 / 3 - 16 / 9))
    assert row["correlation"] == pytest.approx(np.corrcoef([1, 2, 4], [0, 2, 1])[0, 1])
    assert (row["first"], row["last"]) == (pd.Timestamp("2001-01-01"), pd.Timestamp("2001-01-03"))


def test_only_days_count_on_which_both_have_a_value():
    model = ground([1.0, np.nan, 3.0, 9.0])
    seen = ground([0.0, 0.0, np.nan, 8.0, 5.0])
    row = compare_with_observations(model, seen).iloc[0]
    assert (row["n"], row["bias"]) == (2, 1.0)
    assert row["observed_mean"] == 4.0


def test_depths_and_stations_are_pooled_by_their_days():
    model = ground(np.ones((2, 3, 2)), (1.6, 3.2), stations=("A", "B"))
    seen = model.copy()
    seen[0, :, 0], seen[0, 1:, 1], seen[1, :, 1] = 0.0, np.nan, np.nan
    table = compare_with_observations(model, seen)
    assert table[["station", "depths_m", "n"]].values.tolist() == [
        ["A", "1.6", 3],
        ["A", "3.2", 1],
        ["A", "1.6, 3.2", 4],
        ["B", "1.6", 3],
        ["all", "1.6, 3.2", 7],
    ]
    assert table["bias"].tolist() == pytest.approx([1.0, 0.0, 0.75, 0.0, 3 / 7])
    assert np.isnan(table["correlation"].iloc[0])


def test_units_and_hours_of_the_day_do_not_matter():
    seen = ground([0.0, 2.0, 1.0])
    kelvins = (ground([1.0, 2.0, 4.0]) + 273.15).assign_attrs(units="K")
    noon = kelvins.assign_coords(time=kelvins["time"] + np.timedelta64(12, "h"))
    pd.testing.assert_frame_equal(
        compare_with_observations(noon, seen), compare_with_observations(ground([1.0, 2.0, 4.0]), seen)
    )


def test_a_reference_gives_the_skill():
    model, seen, usual = ground([1.0, 1.0, 5.0]), ground([0.0, 0.0, 5.0]), ground([2.0, 2.0, np.nan])
    row = compare_with_observations(model, seen, reference=usual).iloc[0]
    # The third day does not count for the model either.
    assert (row["n"], row["rmse"], row["rmse_reference"]) == (2, 1.0, 2.0)
    assert row["skill"] == 0.75


@settings(deadline=None)
@given(st.lists(st.floats(-30, 30), min_size=3, max_size=30), st.floats(-5, 5))
def test_a_shift_is_bias_and_nothing_else(values, shift):
    row = compare_with_observations(ground(np.add(values, shift)), ground(values)).iloc[0]
    assert row["bias"] == pytest.approx(shift, abs=1e-9)
    assert row["rmse"] == pytest.approx(abs(shift), abs=1e-9)
    assert row["rmse_unbiased"] == pytest.approx(0.0, abs=1e-6)


def test_the_model_needs_the_depths_of_the_observations():
    with pytest.raises(
        DataError, match=r"the model has no depth of 1.6 m; expected one of its depths, 0.2, 3.2 m"
    ):
        compare_with_observations(ground(np.ones((2, 2)), (0.2, 3.2)), ground([0.0, 1.0]))


@pytest.mark.parametrize(
    ("model", "seen", "error", "message"),
    [
        (ground([1.0, 2.0]), ground([1.0, 2.0], start="2009-01-01"), DataError, "days in common"),
        (ground([1.0, 2.0]), ground([np.nan, np.nan]), DataError, "no day on which both have a value"),
        (ground([280.0, 281.0]), ground([1.0, 2.0]), UnitsError, "280 degC"),
        (ground([1.0, 2.0]).drop_attrs(), ground([1.0, 2.0]), UnitsError, "no units"),
        (ground([1.0, 2.0]).isel(depth=0, drop=True), ground([1.0, 2.0]), UsageError, "time and depth"),
        (ground(np.ones((1, 2, 1)), stations="A"), ground([1.0, 2.0]), UsageError, "in both, station"),
        (ground([1.0, 2.0]).expand_dims(member=2), ground([1.0, 2.0]), UsageError, "select one member"),
    ],
)
def test_what_cannot_be_compared_is_refused(model, seen, error, message):
    with pytest.raises(error, match=message):
        compare_with_observations(model, seen)


def test_hourly_values_are_refused():
    hourly = ground(np.ones(48)).assign_coords(time=pd.date_range("2001-01-01", periods=48, freq="h"))
    with pytest.raises(DataError, match="more than one value a day"):
        compare_with_observations(hourly, ground([1.0, 2.0]))


def test_the_climatology_is_the_mean_of_each_day():
    seen = ground(np.concatenate([np.full(365, 1.0), np.full(365, 3.0)]))
    seen[10] = np.nan
    later = pd.date_range("2004-01-01", "2004-12-31")
    usual = day_of_year_climatology(seen, xr.DataArray(later, dims="time"))
    assert usual.dims == seen.dims
    assert usual.sizes["time"] == 366
    assert usual[10].item() == 3.0
    assert usual[11].item() == 2.0
    assert usual.attrs["units"] == "degC"


def test_29_february_is_as_28_february_and_later_days_do_not_slip():
    days = np.arange(365.0)
    usual = day_of_year_climatology(
        ground(days), xr.DataArray(pd.date_range("2004-02-28", "2004-03-01"), dims="time")
    )
    assert usual.values.ravel().tolist() == [58.0, 58.0, 59.0]
    # 2004 is a leap year: 1 March is its 61st day.
    leap = ground(np.arange(366.0), start="2004-01-01")
    march = xr.DataArray(pd.to_datetime(["2001-03-01"]), dims="time")
    assert day_of_year_climatology(leap, march).item() == 60.0


def test_a_window_goes_round_the_year():
    seen = ground(np.r_[9.0, np.zeros(363), 3.0])
    usual = day_of_year_climatology(seen, seen["time"], window=3)
    assert usual[0].item() == pytest.approx(4.0)
    assert usual[-1].item() == pytest.approx(4.0)
    with pytest.raises(UsageError, match="an odd number of days"):
        day_of_year_climatology(seen, seen["time"], window=2)


def test_days_that_no_year_has_stay_missing():
    seen = ground(np.r_[np.nan, np.ones(364)])
    assert np.isnan(day_of_year_climatology(seen, seen["time"])[0])


def test_annual_means_need_every_month():
    seen = ground(np.zeros(730))
    seen[31:45] = np.nan  # half of the first February
    table = annual_means(ground(np.r_[np.zeros(365), np.full(365, 2.0)]), seen)
    assert table[["depth_m", "year", "observed", "model", "difference"]].values.tolist() == [
        [1.6, 2002, 0, 2, 2]
    ]
    both = annual_means(ground(np.zeros(730)), seen, min_days=14)
    assert both["year"].tolist() == [2001, 2002]


def test_annual_means_weigh_months_by_days_in_common_and_not_by_values():
    # Without its coldest days a month must not warm the model only.
    seen = ground(np.arange(365.0) / 10)
    seen[0:8] = np.nan
    table = annual_means(ground(np.arange(365.0) / 10), seen)
    assert table["difference"].tolist() == pytest.approx([0.0])
