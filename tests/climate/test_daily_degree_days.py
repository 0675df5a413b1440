"""Degree-days of daily series: sums by hand, seasons, missing days, calendars, and what is refused."""

import dask
import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from geotools.climate import daily_degree_days
from geotools.climate.daily_axis import longest_gap
from geotools.errors import DataError, UnitsError, UsageError

NAMES = ("thawing", "freezing")


def refuse(*args, **kwargs):
    pytest.fail("something was computed early")


def series(start="2001-01-01", end="2004-12-31", calendar="standard", value=None):
    cf = calendar != "standard"
    time = xr.date_range(start, end, calendar=calendar, use_cftime=cf)
    day = np.arange(time.size)
    values = -5.0 + 15.0 * np.cos(2 * np.pi * (day + 0.5 - 200) / 365.25) if value is None else value
    values = np.broadcast_to(np.asarray(values, dtype="float64"), day.shape).copy()
    return xr.DataArray(values, dims="time", coords={"time": time}, attrs={"units": "degC"}, name="tas")


def of(out, name, year):
    return out[f"{name}_degree_days"].sel(year=year).item()


def test_a_sampled_sinusoid_has_the_degree_days_of_the_sinusoid():
    out = daily_degree_days(series(), year_start_month=1)
    # Four years are four periods of 365.25 d.
    assert out["thawing_degree_days"].mean().item() == pytest.approx(928.6294, abs=0.05)
    assert out["freezing_degree_days"].mean().item() == pytest.approx(2754.8794, abs=0.05)


@given(hnp.arrays("float64", 365, elements=st.floats(-60, 40)))
def test_the_difference_in_one_window_is_the_sum_of_the_temperatures(values):
    tas = series("2001-01-01", "2001-12-31", value=values)
    out = daily_degree_days(tas, year_start_month=1)
    assert of(out, "thawing", 2001) >= 0.0
    assert of(out, "freezing", 2001) >= 0.0
    assert of(out, "thawing", 2001) - of(out, "freezing", 2001) == pytest.approx(values.sum(), abs=1e-8)


def test_temperatures_that_binary_fractions_hold_give_the_identity_to_the_last_bit():
    rng = np.random.default_rng(3)
    tas = series("2001-01-01", "2001-12-31", value=rng.integers(-4000, 3000, 365) / 64.0)
    out = daily_degree_days(tas, year_start_month=1)
    assert of(out, "thawing", 2001) - of(out, "freezing", 2001) == tas.sum().item()


def test_a_winter_is_one_and_is_named_after_the_year_in_which_it_begins():
    tas = series("2001-01-01", "2003-12-31", value=0.0)
    tas.loc[{"time": slice("2001-12-25", "2002-01-05")}] = -10.0  # 12 days over New Year
    tas.loc[{"time": slice("2002-07-01", "2002-07-03")}] = 7.0
    out = daily_degree_days(tas)
    np.testing.assert_array_equal(out["year"], [2001, 2002, 2003])
    np.testing.assert_array_equal(out["freezing_degree_days"], [120.0, 0.0, np.nan])
    np.testing.assert_array_equal(out["thawing_degree_days"], [0.0, 21.0, 0.0])
    split = daily_degree_days(tas, year_start_month=1)
    np.testing.assert_array_equal(split["freezing_degree_days"], [70.0, 50.0, 0.0])
    assert "July to June of the next year" in out["freezing_degree_days"].attrs["season"]
    assert out["thawing_degree_days"].attrs["season"] == "January to December"


@pytest.mark.parametrize(("start", "month"), [("2001-08-01", 8), ("2001-07-01", 7), ("2001-10-01", 10)])
def test_the_first_month_can_be_chosen(start, month):
    tas = series("2001-01-01", "2002-12-31", value=0.0)
    tas.loc[{"time": start}] = -3.0
    tas.loc[{"time": np.datetime64(start) - np.timedelta64(1, "D")}] = -100.0
    assert of(daily_degree_days(tas, year_start_month=month), "freezing", 2001) == 3.0


@pytest.mark.parametrize("cut", ["2001-01-02", "2001-03-01"])
def test_a_first_year_without_its_first_days_is_not_summed(cut):
    out = daily_degree_days(series().sel(time=slice(cut, None)))
    assert np.isnan(of(out, "thawing", 2001))
    assert np.isfinite(of(out, "freezing", 2001))
    assert out["thawing_missing_days"].sel(year=2001).item() == (1 if cut.endswith("01-02") else 59)


def test_a_last_season_without_its_last_day_is_not_summed():
    out = daily_degree_days(series("2001-01-01", "2003-06-29"))
    np.testing.assert_array_equal(np.isnan(out["freezing_degree_days"]), [False, True, True])
    np.testing.assert_array_equal(np.isnan(out["thawing_degree_days"]), [False, False, True])
    whole = daily_degree_days(series("2001-01-01", "2003-06-30"))
    np.testing.assert_array_equal(np.isnan(whole["freezing_degree_days"]), [False, False, True])


@pytest.mark.parametrize("absent", [False, True], ids=["nan", "not among the dates"])
@pytest.mark.parametrize(
    ("scattered", "in_a_row", "accepted"),
    [(18, 0, True), (19, 0, False), (0, 10, True), (0, 11, False), (8, 10, True), (9, 10, False)],
)
def test_more_than_a_twentieth_or_ten_in_a_row_reject_a_season(scattered, in_a_row, accepted, absent):
    tas = series("2001-01-01", "2001-12-31", value=1.0)
    tas[np.arange(100, 100 + 2 * scattered, 2)] = np.nan
    tas[300 : 300 + in_a_row] = np.nan
    if absent:
        tas = tas.dropna("time")
    out = daily_degree_days(tas)
    lost = scattered + in_a_row
    assert out["thawing_missing_days"].item() == lost
    assert out["thawing_longest_gap"].item() == max(in_a_row, bool(scattered))
    np.testing.assert_array_equal(of(out, "thawing", 2001), 365.0 - lost if accepted else np.nan)


def test_a_gap_at_the_edge_of_a_season_counts():
    tas = series("2000-07-01", "2002-06-30", value=1.0)
    tas.loc[{"time": slice("2000-12-20", "2001-01-11")}] = np.nan
    out = daily_degree_days(tas)
    assert out["thawing_longest_gap"].sel(year=2001).item() == 11
    assert np.isnan(of(out, "thawing", 2001))
    assert out["freezing_longest_gap"].sel(year=2000).item() == 23


def test_a_year_that_is_absent_altogether_is_missing():
    tas = series()
    tas = tas.isel(time=tas.time.dt.year != 2002)
    for field in (tas, tas.chunk(time=100)):
        out = daily_degree_days(field).compute(scheduler="synchronous")
        np.testing.assert_array_equal(np.isnan(out["thawing_degree_days"]), [False, True, False, False])
        assert out["thawing_missing_days"].sel(year=2002).item() == 365
        assert out["thawing_longest_gap"].sel(year=2002).item() == 365


def test_gaps_are_multiplied_up_only_on_request():
    tas = series("2001-01-01", "2001-12-31", value=2.0)
    tas[10:20] = np.nan
    assert of(daily_degree_days(tas), "thawing", 2001) == 710.0
    assert of(daily_degree_days(tas, fill=True), "thawing", 2001) == pytest.approx(730.0)
    assert "multiplied up" in daily_degree_days(tas, fill=True).attrs["missing_days"]
    tas[20] = np.nan
    assert np.isnan(of(daily_degree_days(tas, fill=True), "thawing", 2001))


def test_the_rules_can_be_changed():
    tas = series("2001-01-01", "2001-12-31", value=1.0)
    tas[10:60] = np.nan
    assert np.isnan(of(daily_degree_days(tas, max_missing_share=0.2), "thawing", 2001))
    loose = daily_degree_days(tas, max_missing_share=0.2, max_gap_days=50)
    assert of(loose, "thawing", 2001) == 315.0


@given(hnp.arrays(bool, 12))
def test_the_longest_gap_is_that_of_counting(valid):
    runs = "".join("1" if v else "0" for v in valid).split("1")
    assert longest_gap(valid, np.arange(12), 12) == max(len(run) for run in runs)


@pytest.mark.parametrize(
    ("calendar", "lengths"),
    [
        ("standard", [365, 365, 365, 366]),
        ("noleap", [365] * 4),
        ("360_day", [360] * 4),
        ("all_leap", [366] * 4),
    ],
)
def test_every_calendar_has_its_own_years(calendar, lengths):
    end = "2004-12-30" if calendar == "360_day" else "2004-12-31"
    out = daily_degree_days(series(end=end, calendar=calendar, value=1.0))
    np.testing.assert_array_equal(out["thawing_degree_days"], lengths)
    cold = daily_degree_days(series(end=end, calendar=calendar, value=-1.0))
    # The last winter is half a one; that of 2003/04 holds 29 February.
    np.testing.assert_array_equal(cold["freezing_degree_days"], [lengths[0], lengths[1], lengths[3], np.nan])
    assert cold["freezing_missing_days"].max("year").item() >= 180


def test_without_29_february_the_winter_loses_the_cold_of_that_day():
    standard = series()
    noleap = standard.convert_calendar("noleap", use_cftime=True)
    a, b = daily_degree_days(standard), daily_degree_days(noleap)
    day = -standard.sel(time="2004-02-29").item()
    difference = (a - b)["freezing_degree_days"]
    np.testing.assert_allclose(difference, [0.0, 0.0, day, np.nan], atol=1e-9)
    np.testing.assert_allclose((a - b)["thawing_degree_days"], 0.0, atol=1e-9)


def test_times_of_day_do_not_matter():
    tas = series()
    noon = tas.assign_coords(time=tas.time + np.timedelta64(12, "h"))
    xr.testing.assert_identical(daily_degree_days(noon), daily_degree_days(tas))


def grid():
    rng = np.random.default_rng(1)
    time = xr.date_range("2001-01-01", "2003-12-31")
    values = rng.normal(-5, 15, (time.size, 3, 4))
    values[rng.random(values.shape) < 0.03] = np.nan
    values[200:300, 0, 0] = np.nan
    return xr.DataArray(values, dims=("time", "lat", "lon"), coords={"time": time}, attrs={"units": "degC"})


@settings(max_examples=8, deadline=None)
@given(st.integers(50, 1095), st.integers(1, 3), st.integers(1, 4))
def test_chunks_do_not_change_the_answer(time, lat, lon):
    lazy = daily_degree_days(grid().chunk(time=time, lat=lat, lon=lon)).compute(scheduler="synchronous")
    xr.testing.assert_allclose(lazy, daily_degree_days(grid()), rtol=1e-12)


def test_nothing_computes_early_and_a_task_holds_one_year():
    tas = grid().chunk(time=31, lat=1)
    with dask.config.set(scheduler=refuse):
        out = daily_degree_days(tas)
    chunks = out["freezing_degree_days"].chunksizes
    assert chunks["year"] == (1, 1, 1)
    assert chunks["lat"] == (1, 1, 1)


def test_a_cell_is_what_it_is_alone():
    out = daily_degree_days(grid())
    alone = daily_degree_days(grid().isel(lat=1, lon=2))
    xr.testing.assert_allclose(out.isel(lat=1, lon=2), alone)
    assert np.isnan(out["thawing_degree_days"].sel(year=2001)[0, 0])


def test_kelvins_are_converted_by_their_units_and_refused_without():
    tas = series()
    kelvin = (tas + 273.15).assign_attrs(units="K")
    xr.testing.assert_allclose(daily_degree_days(kelvin), daily_degree_days(tas), rtol=1e-9)
    with pytest.raises(UnitsError, match=r"below 100.*subtract 273\.15"):
        daily_degree_days(kelvin.assign_attrs(units="degC"))
    with pytest.raises(UnitsError, match="no units attribute"):
        daily_degree_days(tas.drop_attrs())


@pytest.mark.parametrize(
    ("change", "error", "text"),
    [
        (lambda t: t.resample(time="6h").ffill(), UsageError, "several values lie in one day.*resample"),
        (lambda t: t.resample(time="MS").mean(), UsageError, r"values mostly 31 days apart.*degree_days\(\)"),
        (lambda t: t[::8], UsageError, "values mostly 8 days apart"),
        (lambda t: t[:1], UsageError, "fewer than two values"),
        (lambda t: t[:0], UsageError, "fewer than two values"),
        (lambda t: t[::-1], DataError, "dates that go back.*sortby"),
        (lambda t: t.drop_vars("time"), UsageError, "no dates"),
        (lambda t: t.assign_coords(time=np.arange(t.size)), UsageError, "no dates.*decode"),
        (lambda t: t.rename(time="day"), UsageError, r"dimensions are \('day',\).*dim="),
        (lambda t: t.values, UsageError, "a ndarray"),
        (
            lambda t: t.assign_coords(time=np.where(t.time == t.time[5], np.datetime64("NaT"), t.time)),
            DataError,
            "a missing date",
        ),
    ],
    ids=[
        "6h",
        "monthly",
        "8 days",
        "one",
        "none",
        "descending",
        "no times",
        "index",
        "dimension",
        "array",
        "NaT",
    ],
)
def test_what_is_not_daily_is_refused(change, error, text):
    with pytest.raises(error, match=text):
        daily_degree_days(change(series("2001-01-01", "2002-12-31")))


@pytest.mark.parametrize(
    ("options", "error", "text"),
    [
        ({"year_start_month": 0}, UsageError, "0 is no month"),
        ({"year_start_month": "July"}, UsageError, "'July' is no month"),
        ({"max_missing_share": 5.0}, DataError, "max_missing_share"),
        ({"max_gap_days": -1}, DataError, "max_gap_days"),
    ],
)
def test_options_that_cannot_be_are_refused(options, error, text):
    with pytest.raises(error, match=text):
        daily_degree_days(series(), **options)
