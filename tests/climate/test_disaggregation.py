"""Daily values from monthly means: exact means in every calendar, smooth, and within bounds."""

from pathlib import Path

import dask
import numpy as np
import pandas as pd
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy.interpolate import CubicSpline

from geotools.climate import daily_from_monthly, snow_from_monthly
from geotools.climate.calendar import MEAN_YEAR
from geotools.errors import DataError, UsageError

STATIONS = Path(__file__).parents[3] / "shared" / "data" / "stations"
YAKUTSK = [-37.2, -33.0, -19.2, -4.5, 7.8, 16.5, 19.3, 15.1, 6.1, -7.5, -27.2, -36.9]
PR = [0.3, 0.3, 0.2, 0.3, 0.6, 1.0, 1.3, 1.2, 1.0, 0.6, 0.6, 0.3]
EXACT = {"rtol": 0, "atol": 1e-10}


def days(start="2003-01-01", end="2005-12-31", calendar="standard"):
    return xr.date_range(start, end, calendar=calendar, use_cftime=calendar != "standard")


def mean_year(values=YAKUTSK, shape=(), **attrs):
    table = np.array(values, dtype="float64").reshape(12, *(1,) * len(shape))
    table = table + np.arange(np.prod(shape, dtype=int)).reshape(shape)
    dims = ("month", "lat", "lon")[: 1 + len(shape)]
    attrs = {"units": "degC", **attrs}
    return xr.DataArray(table, dims=dims, coords={"month": range(1, 13)}, attrs=attrs, name="tas")


def series(values, start="2001-03-01", calendar="standard"):
    time = xr.date_range(
        start, periods=len(values), freq="MS", calendar=calendar, use_cftime=calendar != "standard"
    )
    return xr.DataArray(
        np.array(values), dims="time", coords={"time": time}, attrs={"units": "degC"}, name="x"
    )


def monthly(daily, dim="time"):
    key = daily[dim].dt.year * 12 + daily[dim].dt.month
    return daily.groupby(key.rename("key")).mean(dim)


@pytest.mark.parametrize("calendar", ["standard", "noleap", "all_leap", "360_day", "julian"])
@pytest.mark.parametrize("method", ["spline", "constant"])
def test_every_month_of_every_calendar_has_its_mean(calendar, method):
    end = "2005-12-30" if calendar == "360_day" else "2005-12-31"
    out = daily_from_monthly(mean_year(), time=days(end=end, calendar=calendar), dim="month", method=method)
    assert out.sizes["month"] == {"standard": 1096, "noleap": 1095, "julian": 1096}.get(
        calendar, 1098 if calendar == "all_leap" else 1080
    )
    np.testing.assert_allclose(monthly(out, "month"), np.tile(YAKUTSK, 3), **EXACT)


@settings(max_examples=60)
@given(
    hnp.arrays("float64", st.integers(2, 40), elements=st.floats(-60, 40)),
    st.sampled_from(["standard", "noleap", "360_day"]),
)
def test_a_series_of_any_months_has_its_means(values, calendar):
    if values.size == 12:
        values = np.append(values, 0.0)
    out = daily_from_monthly(series(values, calendar=calendar))
    np.testing.assert_allclose(monthly(out), values, **EXACT)


@settings(max_examples=60)
@given(
    hnp.arrays("float64", st.integers(2, 40), elements=st.one_of(st.just(0.0), st.just(1.0), st.floats(0, 1)))
)
def test_bounds_are_kept_and_the_means_with_them(values):
    field = series(values)
    out = daily_from_monthly(field, bounds=(0.0, 1.0))
    assert float(out.min()) >= 0.0
    assert float(out.max()) <= 1.0
    np.testing.assert_allclose(monthly(out), values, **EXACT)


def test_days_are_means_of_the_derivative_of_the_spline_through_the_sums():
    # What the nodes are for: an independent way to the same curve.
    lengths = np.array([31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31], dtype="float64")
    ends = np.append(0.0, np.cumsum(np.tile(lengths, 2)))
    values = np.tile(YAKUTSK, 2) + np.arange(24)
    sums = np.append(0.0, np.cumsum(values * np.tile(lengths, 2)))
    expected = np.diff(CubicSpline(ends, sums, bc_type="natural")(np.arange(731)))
    out = daily_from_monthly(series(values, start="2001-01-01"))
    np.testing.assert_allclose(out, expected, rtol=0, atol=1e-9)


def test_a_mean_year_is_the_periodic_spline():
    ends = np.append(0.0, np.cumsum(MEAN_YEAR))
    anomaly = np.array(YAKUTSK) - np.average(YAKUTSK, weights=MEAN_YEAR)
    sums = np.append(0.0, np.cumsum(anomaly * MEAN_YEAR))
    sums[-1] = 0.0
    curve = CubicSpline(ends, sums, bc_type="periodic")
    out = daily_from_monthly(YAKUTSK, time=days("2003-07-01", "2003-07-31"))
    begin = ends[6]
    expected = np.diff(curve(begin + np.arange(32))) + np.average(YAKUTSK, weights=MEAN_YEAR)
    np.testing.assert_allclose(out, expected, rtol=0, atol=1e-9)


def test_no_smoother_daily_series_has_these_means():
    # Rymes and Myers (2001) repeat: smooth over three days, put the monthly means back. Their fixed point.
    daily = daily_from_monthly(YAKUTSK, time=days("2003-01-01", "2003-12-31", "noleap"))
    month = np.repeat(np.arange(12), np.round(MEAN_YEAR).astype(int))
    x = np.array(YAKUTSK)[month]
    for _ in range(6000):
        x = (np.roll(x, 1) + x + np.roll(x, -1)) / 3
        x += (np.array(YAKUTSK) - np.bincount(month, x) / np.bincount(month))[month]
    np.testing.assert_allclose(daily, x, atol=0.05)


def test_a_sinusoid_comes_back():
    # Means over months of -9 + 28 cos, and its means over days, both exact.
    def mean_of(a, b):
        w = 2 * np.pi / 365.25
        return -9 + 28 * (np.sin(w * (b - 200)) - np.sin(w * (a - 200))) / (w * (b - a))

    ends = np.append(0.0, np.cumsum(MEAN_YEAR))
    daily = daily_from_monthly(mean_of(ends[:-1], ends[1:]), time=days("2003-01-01", "2003-12-31"))
    day = np.arange(365.0) + np.where(np.arange(365) >= 59, 0.25, 0.0)
    np.testing.assert_allclose(daily, mean_of(day, day + 1), atol=0.15)


def test_a_constant_stays_constant():
    out = daily_from_monthly(np.full(12, -7.3), time=days())
    np.testing.assert_allclose(out, -7.3, rtol=0, atol=1e-12)


def test_a_series_that_rises_evenly_does_so_within_months():
    # Equal lengths make the means of a straight line even; away from the level ends it comes back.
    out = daily_from_monthly(series(np.arange(120.0), calendar="360_day"))
    np.testing.assert_allclose(np.diff(out)[900:-900], 1 / 30, atol=1e-12)


def test_years_and_months_join_without_a_step():
    out = daily_from_monthly(YAKUTSK, time=days("1999-01-01", "2010-12-31"))
    assert np.abs(np.diff(out)).max() < 0.8
    assert np.abs(np.diff(out, 2)).max() < 0.05


def test_a_part_of_the_days_is_that_part_of_all():
    whole = daily_from_monthly(mean_year(), time=days(), dim="month")
    part = daily_from_monthly(mean_year(), time=days("2004-02-11", "2004-10-02"), dim="month")
    xr.testing.assert_identical(part, whole.sel(month=part.month))


def test_twelve_months_may_begin_anywhere():
    turned = mean_year().isel(month=[*range(6, 12), *range(6)])
    args = {"time": days(), "dim": "month"}
    np.testing.assert_allclose(
        daily_from_monthly(turned, **args), daily_from_monthly(mean_year(), **args), **EXACT
    )


def test_snow_is_never_negative_and_keeps_its_means():
    snd = snow_from_monthly(
        mean_year().rename(month="time"), mean_year(PR, units="kg m-2 d-1").rename(month="time")
    )
    monthly_depth = snd["snd"]
    daily = daily_from_monthly(monthly_depth, time=days())
    assert float(daily.min()) == 0.0
    np.testing.assert_allclose(monthly(daily), np.tile(monthly_depth, 3), **EXACT)
    assert float(daily.where(daily.time.dt.month.isin([7, 8])).max()) == 0.0
    free = daily_from_monthly(monthly_depth, time=days(), bounds=(-np.inf, np.inf))
    assert float(free.min()) < 0.0
    # Where the bound is not near, it changes nothing.
    winter = daily.time.dt.month.isin([12, 1, 2])
    np.testing.assert_allclose(daily[winter], free[winter], **EXACT)
    assert "within 0 to inf" in daily.attrs["history"]


def test_a_bounded_curve_does_not_jump():
    daily = daily_from_monthly(
        [0.4, 0.42, 0.4, 0.2, 0.01, 0, 0, 0, 0, 0.05, 0.2, 0.3], time=days(), bounds=(0, np.inf)
    )
    assert np.abs(np.diff(daily)).max() < 0.02


def test_months_at_opposite_bounds_jump_and_nothing_else_does():
    values = [0.0, 1.0, 0.5, 0.5]
    daily = daily_from_monthly(series(values), bounds=(0.0, 1.0))
    np.testing.assert_array_equal(daily[:31], 0.0)
    np.testing.assert_array_equal(daily[31:61], 1.0)
    assert np.abs(np.diff(daily[61:])).max() < 0.1


def test_lazy_fields_give_the_same_in_one_task_per_chunk():
    field = mean_year(shape=(4, 6)).rename(month="time").astype("float32")
    eager = daily_from_monthly(field, time=days())

    def refuse(*_, **__):
        raise AssertionError("something was computed early")

    with dask.config.set(scheduler=refuse):
        lazy = daily_from_monthly(field.chunk(time=5, lat=2, lon=3), time=days())
    assert lazy.data.npartitions == 4
    assert eager.dims == lazy.dims == ("time", "lat", "lon")
    xr.testing.assert_identical(lazy.compute(scheduler="synchronous"), eager)
    np.testing.assert_allclose(monthly(eager)[:12], field.astype("float64"), **EXACT)
    assert eager.attrs["units"] == "degC"
    assert "Delhez" in eager.attrs["history"]


def test_only_the_days_of_a_missing_month_are_missing():
    values = np.arange(30.0) % 7
    holed = series(values)
    holed[[4, 15]] = np.nan
    out = daily_from_monthly(holed)
    np.testing.assert_allclose(monthly(out.dropna("time")), np.delete(values, [4, 15]), **EXACT)
    key = (out.time.dt.year * 12 + out.time.dt.month).values
    assert set(key[np.isnan(out)]) == {2001 * 12 + 7, 2002 * 12 + 6}


def test_a_missing_month_of_a_mean_year_leaves_the_others():
    grid = mean_year(shape=(1, 3)).rename(month="time")
    grid[0, 0, 1] = np.nan
    grid[:, 0, 2] = np.nan
    out = daily_from_monthly(grid, time=days("2003-01-01", "2003-12-31"), bounds=(-100.0, 100.0))
    np.testing.assert_allclose(monthly(out.isel(lat=0, lon=1).dropna("time")), grid[1:, 0, 1], **EXACT)
    assert int(np.isnan(out.isel(lat=0, lon=1)).sum()) == 31
    assert np.isnan(out.isel(lon=2)).all()
    assert not np.isnan(out.isel(lon=0)).any()


def test_missing_days_of_a_series_are_found_by_its_own_dates():
    out = daily_from_monthly(series(np.arange(13.0)))
    assert pd.Timestamp(out.time.values[0]) == pd.Timestamp("2001-03-01")
    assert pd.Timestamp(out.time.values[-1]) == pd.Timestamp("2002-03-31")


@pytest.mark.parametrize(
    ("call", "error", "text"),
    [
        (lambda: daily_from_monthly(mean_year(), dim="month"), UsageError, "a mean year has no dates"),
        (lambda: daily_from_monthly(YAKUTSK), UsageError, "a mean year has no dates"),
        (lambda: daily_from_monthly(mean_year(), time=days()), UsageError, r"name the dimension.*dim="),
        (lambda: daily_from_monthly(np.zeros(11), time=days()), UsageError, "12 months of a mean year"),
        (lambda: daily_from_monthly(YAKUTSK, time=np.arange(5)), UsageError, "a sequence of dates"),
        (lambda: daily_from_monthly(YAKUTSK, time=days(), method="cubic"), UsageError, "spline or constant"),
        (
            lambda: daily_from_monthly(series(np.zeros(24)), time=days()),
            UsageError,
            r"2003-03-01.* outside the 24 months",
        ),
        (
            lambda: daily_from_monthly(series(np.zeros(24)).drop_isel(time=3)),
            DataError,
            r"left out, repeated or out of order.*asfreq",
        ),
        (
            lambda: daily_from_monthly(series(np.zeros(24)).isel(time=slice(None, None, -1))),
            DataError,
            "months in a row",
        ),
        (
            lambda: daily_from_monthly(
                xr.DataArray(np.zeros(365), dims="time", coords={"time": days()[:365]})
            ),
            UsageError,
            r"several steps lie in one month.*resample",
        ),
        (
            lambda: daily_from_monthly(YAKUTSK, time=pd.date_range("2001-01-01", periods=9, freq="6h")),
            UsageError,
            "several steps lie in one day",
        ),
        (
            lambda: daily_from_monthly(mean_year().rename("snd"), time=days(), dim="month"),
            DataError,
            "a monthly value of -37.2.*values from 0 to inf",
        ),
        (
            lambda: daily_from_monthly(mean_year(), time=days(), dim="month", bounds=(1.0, 0.0)),
            UsageError,
            "the lower one first",
        ),
        (lambda: daily_from_monthly(xr.DataArray(np.zeros(5), dims="time")), UsageError, "5 values and no"),
        (lambda: daily_from_monthly(YAKUTSK, time=2001), UsageError, "2001; expected a sequence of dates"),
        (lambda: daily_from_monthly(YAKUTSK, time=days()[::-1]), UsageError, "2005-12-30 follows 2005-12-31"),
        (lambda: daily_from_monthly(["a"] * 12, time=days()), UsageError, "a list that holds no numbers"),
        (lambda: daily_from_monthly(mean_year().to_dataset(), time=days()), UsageError, "take one variable"),
        (
            lambda: daily_from_monthly(YAKUTSK, time=days(), bounds=0.0),
            UsageError,
            "two numbers, the lower one",
        ),
        (lambda: daily_from_monthly(YAKUTSK, time=days(), bounds=(None, 5)), UsageError, "two numbers"),
    ],
)
def test_what_makes_no_days_is_refused(call, error, text):
    with pytest.raises(error, match=text):
        call()


def station_year(wmo, kind):
    """Mean of each day of the year 1991-2020 at a station."""
    files = {
        "air": ("air_precip", [5, 5, 3, 3, 2, 6, 2, 6, 2], [0, 1, 2, 3, 7, 8]),
        "snow": ("snow", [5, 5, 3, 3, 5, 3, 2, 2], [0, 1, 2, 3, 4, 7]),
    }
    name, widths, used = files[kind]
    path = STATIONS / f"rihmi_{name}_yakutsk_verkhoyansk_zhigansk.txt.gz"
    if not path.exists():
        pytest.skip("the station records of RIHMI-WDC are not here (../shared/data)")
    table = pd.read_fwf(path, widths=widths, header=None, usecols=used, compression="gzip")
    table.columns = ["wmo", "year", "month", "day", "value", "flag"]
    leap = (table["month"] == 2) & (table["day"] == 29)
    table = table[(table["wmo"] == wmo) & (table["flag"] == 0) & table["year"].between(1991, 2020) & ~leap]
    table = table[table["value"] < 999]
    daily = table.groupby(["month", "day"])["value"].mean()
    assert len(daily) == 365
    return daily.to_numpy() * (0.01 if kind == "snow" else 1.0)


@pytest.mark.parametrize("wmo", [24959, 24266, 24343], ids=["Yakutsk", "Verkhoyansk", "Zhigansk"])
@pytest.mark.parametrize(("kind", "error", "better"), [("air", 1.1, 0.8), ("snow", 0.01, 0.45)])
def test_days_of_stations_come_back_from_their_months(wmo, kind, error, better):
    daily, time = station_year(wmo, kind), days("2001-01-01", "2001-12-31")
    means = np.array([daily[time.month == month].mean() for month in range(1, 13)])
    bounds = (0.0, np.inf) if kind == "snow" else None
    out = daily_from_monthly(means, time=time, bounds=bounds)
    lengths = np.round(MEAN_YEAR)
    middles = np.cumsum(lengths) - lengths / 2
    lines = np.interp(
        np.arange(365) + 0.5,
        np.concatenate([[middles[-1] - 365], middles, [middles[0] + 365]]),
        np.concatenate([means[-1:], means, means[:1]]),
    )
    rmse, rmse_of_lines = (np.sqrt(np.mean((x - daily) ** 2)) for x in (out, lines))
    # The mean of thirty years still has weather, which no month knows of.
    assert rmse < error
    assert rmse < better * rmse_of_lines


def test_a_climatology_with_dates_of_some_year_has_no_days_of_its_own():
    field = mean_year().rename(month="time")
    time = xr.DataArray(xr.date_range("2013-01-16", periods=12, freq="30D"), dims="time")
    field = field.assign_coords(time=time.assign_attrs(climatology="climatology_bounds"))
    with pytest.raises(UsageError, match="a mean year has no dates"):
        daily_from_monthly(field)
