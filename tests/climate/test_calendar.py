"""Month lengths in the data's own calendar, and the layout by year and month."""

import numpy as np
import pytest
import xarray as xr

from geotools.climate import month_lengths
from geotools.climate.calendar import by_month
from geotools.errors import DataError, UsageError


def series(start, periods, calendar="standard", freq="MS"):
    time = xr.date_range(
        start, periods=periods, freq=freq, calendar=calendar, use_cftime=calendar != "standard"
    )
    return xr.DataArray(
        np.arange(float(periods)), dims="time", coords={"time": time}, attrs={"units": "degC"}
    )


@pytest.mark.parametrize(
    ("calendar", "february", "year"),
    [("standard", 29, 366), ("noleap", 28, 365), ("all_leap", 29, 366), ("360_day", 30, 360)],
)
def test_a_real_year_follows_its_calendar(calendar, february, year):
    days = month_lengths(series("2004-01-01", 12, calendar).time)
    assert days[1] == february
    assert days.sum() == year
    assert days.attrs["units"] == "d"


@pytest.mark.parametrize(
    ("calendar", "year"), [("standard", 365.25), ("noleap", 365.0), ("all_leap", 366.0), ("360_day", 360.0)]
)
@pytest.mark.parametrize("where", ["attrs", "encoding"])
def test_a_climatology_is_a_mean_year(calendar, year, where):
    time = series("2004-01-01", 12, calendar).time
    getattr(time, where)["climatology"] = "climatology_bounds"
    assert month_lengths(time).sum() == year


def test_an_index_is_no_calendar():
    with pytest.raises(UsageError, match="expected dates, or the month numbers"):
        month_lengths(xr.DataArray([13, 14], dims="time", name="time"))


def test_years_become_a_dimension():
    table, days = by_month(series("2003-01-01", 24))
    assert table.dims == days.dims == ("year", "month")
    np.testing.assert_array_equal(table.year, [2003, 2004])
    np.testing.assert_array_equal(days.sum("month"), [365, 366])
    np.testing.assert_array_equal(table.sel(year=2004), np.arange(12, 24))


def test_twelve_months_of_any_year_stay_one_year():
    table, days = by_month(series("2003-07-01", 12))
    assert table.dims == ("month",)
    assert days[7] == 29  # February 2004


@pytest.mark.parametrize(
    "bad",
    [
        series("2003-03-01", 24),
        series("2003-01-01", 30),
        series("2003-01-01", 24).isel(time=slice(None, None, -1)),
        series("2003-01-01", 25).drop_isel(time=5),
        series("2003-01-01", 5),
    ],
    ids=["starts in March", "half a year", "descending", "a gap", "too short"],
)
def test_anything_but_whole_years_is_refused(bad):
    with pytest.raises(DataError, match=r"not whole calendar years.*groupby\('time.year'\)"):
        by_month(bad)


def test_daily_values_are_refused():
    with pytest.raises(UsageError, match=r"several steps lie in one month.*resample"):
        by_month(series("2003-01-01", 365, freq="D"))


def test_twelve_values_without_coordinate_are_a_mean_year():
    _, days = by_month(xr.DataArray(np.zeros(12), dims="time"))
    assert days.sum() == 365.25


def test_more_values_without_coordinate_are_refused():
    with pytest.raises(UsageError, match="24 values and no coordinate"):
        by_month(xr.DataArray(np.zeros(24), dims="time"))


def test_a_missing_dimension_is_named():
    with pytest.raises(UsageError, match="dim="):
        by_month(xr.DataArray(np.zeros(12), dims="month"))


def test_lengths_must_fit():
    with pytest.raises(UsageError, match="3 lengths of months for 12 months"):
        by_month(xr.DataArray(np.zeros(12), dims="time"), days=[31, 28, 31])
