"""Projections: the given change at the given year, no change from none, and one year of memory."""

import dask
import numpy as np
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st

from geotools.climate import (
    apply_change,
    daily_from_monthly,
    daily_years,
    linear_ramp,
    repeat_days,
    snow_from_monthly,
)
from geotools.errors import DataError, UnitsError, UsageError

YAKUTSK = [-37.2, -33.0, -19.2, -4.5, 7.8, 16.5, 19.3, 15.1, 6.1, -7.5, -27.2, -36.9]
PR = [0.3, 0.3, 0.2, 0.3, 0.6, 1.0, 1.3, 1.2, 1.0, 0.6, 0.6, 0.3]
MADE_UP = "made up for a test"


def months(values, units="degC", name="tas", cells=2, dim="month"):
    table = np.array(values, dtype="float64")[:, None] + np.zeros(cells)
    return xr.DataArray(table, dims=(dim, "x"), coords={dim: range(1, 13)}, attrs={"units": units}, name=name)


def warming(values=range(1, 13)):
    return months(values, units="K", name="change")


def record(start="2001-01-01", end="2004-12-31", calendar="standard"):
    time = xr.date_range(start, end, calendar=calendar)
    return xr.DataArray(
        np.arange(float(time.size)), dims="time", coords={"time": time}, attrs={"units": "degC"}, name="tas"
    )


def refuse(*_, **__):
    raise AssertionError("something was computed early")


def test_the_end_year_has_the_whole_change_and_the_start_none():
    ramp = linear_ramp(range(2010, 2111), start=2015, end=2100)
    out = apply_change(months(YAKUTSK), warming(), share=ramp, reference=MADE_UP)
    assert out.dims == ("year", "month", "x")
    for year, share in ((2010, 0), (2015, 0), (2100, 1), (2110, 1)):
        expected = np.array(YAKUTSK) + share * np.arange(1, 13)
        np.testing.assert_allclose(out.sel(year=year, x=0), expected, rtol=0, atol=1e-12)
    half = apply_change(
        months(YAKUTSK), warming(), share=linear_ramp([2050], start=2000, end=2100), reference=MADE_UP
    )
    np.testing.assert_allclose(half[0, :, 0], np.array(YAKUTSK) + np.arange(1, 13) / 2, rtol=0, atol=1e-12)
    assert out.attrs["units"] == "degC"
    assert out.attrs["scenario_reference"] == MADE_UP
    assert "share 0 in 2010 to 1 in 2110" in out.attrs["history"]


def test_no_change_gives_the_identical_baseline():
    base = months(YAKUTSK)
    ramp = linear_ramp(range(2001, 2006), start=2001, end=2005)
    still = apply_change(base, warming(np.zeros(12)), share=ramp, reference=MADE_UP)
    for year in ramp.year.values:
        np.testing.assert_array_equal(still.sel(year=year), base)
    none = apply_change(base, warming(), share=0.0, reference=MADE_UP)
    np.testing.assert_array_equal(none, base)
    np.testing.assert_array_equal(daily_years(still), daily_years(base, range(2001, 2006)))
    same = apply_change(
        months(PR, "kg m-2 d-1", "pr"), months(np.ones(12), "1"), share=ramp, reference=MADE_UP
    )
    np.testing.assert_array_equal(same.sel(year=2003), months(PR))


def test_daily_years_have_the_projected_monthly_means():
    ramp = linear_ramp(range(2003, 2009), start=2000, end=2010)
    projected = apply_change(months(YAKUTSK), warming(), share=ramp, reference=MADE_UP)
    daily = daily_years(projected)
    assert daily.sizes["time"] == 6 * 365 + 2
    means = (
        daily.compute().groupby((daily.time.dt.year * 12 + daily.time.dt.month).rename("key")).mean("time")
    )
    np.testing.assert_allclose(means, projected.values.reshape(72, 2), rtol=0, atol=1e-10)
    assert abs(daily.diff("time")).max() < 1.0


def test_precipitation_and_snow_change_by_ratios():
    out = apply_change(
        months(PR, "kg m-2 d-1", "pr"), months(np.full(12, 1.3), "1"), share=0.5, reference=MADE_UP
    )
    np.testing.assert_allclose(out[:, 0], np.array(PR) * 1.15)
    percent = months(np.full(12, 130.0), "%")
    with pytest.raises(UnitsError, match=r"a rise of 10 % is the ratio 1\.1"):
        apply_change(months(PR, "kg m-2 d-1", "pr"), percent, reference=MADE_UP)


def test_a_pattern_is_scaled_by_a_pathway_in_kelvins():
    pathway = xr.DataArray([0.5, 3.0], dims="year", coords={"year": [2030, 2100]}, attrs={"units": "K"})
    pattern = months(np.full(12, 1.6), "K K-1")
    out = apply_change(months(YAKUTSK), pattern, share=pathway, reference=MADE_UP)
    np.testing.assert_allclose(out.sel(year=2100, x=0), np.array(YAKUTSK) + 4.8)
    wetter = apply_change(
        months(PR, "kg m-2 d-1", "pr"), months(np.full(12, 0.05), "K-1"), share=pathway, reference=MADE_UP
    )
    np.testing.assert_allclose(wetter.sel(year=2100, x=0), np.array(PR) * 1.15)


def test_snow_follows_from_projected_months():
    ramp = linear_ramp(range(2020, 2101, 40), start=2020, end=2100)
    tas = apply_change(months(YAKUTSK), warming(np.full(12, 5.0)), share=ramp, reference=MADE_UP)
    pr = apply_change(months(PR, "kg m-2 d-1", "pr"), months(np.ones(12), "1"), share=ramp, reference=MADE_UP)
    snow = snow_from_monthly(tas, pr, dim="month")["snd"]
    assert snow.sel(year=2100).sum() < snow.sel(year=2020).sum()
    daily = daily_years(snow)
    assert daily.sizes["time"] == 366 + 366 + 365
    assert float(daily.min()) == 0.0


@given(st.floats(-5, 8), st.sampled_from(["standard", "noleap"]))
def test_a_dated_series_changes_by_the_month_and_year_of_its_dates(delta, calendar):
    series = record("2001-11-15", "2003-02-20", calendar)
    change = xr.DataArray(
        delta * np.arange(12.0), dims="month", coords={"month": range(1, 13)}, attrs={"units": "K"}
    )
    share = xr.DataArray(
        [0.0, 0.5, 1.0], dims="year", coords={"year": [2001, 2002, 2003]}, attrs={"units": "1"}
    )
    out = apply_change(series, change, share=share, reference=MADE_UP)
    when = series.time.dt
    expected = series.values + (when.year.values - 2001) * 0.5 * delta * (when.month.values - 1)
    np.testing.assert_allclose(out, expected, rtol=0, atol=1e-9)
    np.testing.assert_array_equal(out.time, series.time)


def test_projections_are_lazy_in_chunks_of_a_year():
    base, change = months(YAKUTSK, cells=4).chunk(x=2), warming([1.0] * 12).isel(x=0)
    ramp = linear_ramp(range(2001, 2101), start=2000, end=2100)
    with dask.config.set(scheduler=refuse):
        daily = daily_years(apply_change(base, change, share=ramp, reference=MADE_UP))
        weather = apply_change(
            repeat_days(record(), range(2001, 2101)), change, share=ramp, reference=MADE_UP
        )
    assert set(daily.chunksizes["time"]) == {365, 366}
    assert daily.chunksizes["x"] == (2, 2)
    assert set(weather.chunksizes["time"]) == {365, 366}
    last = daily.sel(time="2100").compute(scheduler="synchronous")
    np.testing.assert_allclose(
        last.mean("time"), 1.0 + np.average(YAKUTSK, weights=[31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31])
    )
    np.testing.assert_array_equal(
        weather.sel(time="2050-07").compute(scheduler="synchronous"),
        record().sel(time="2002-07") + 0.5,
    )


def test_a_year_alone_costs_the_tasks_of_a_year():
    daily = daily_years(months(YAKUTSK).chunk(x=1), range(1801, 2101))
    one = daily.sel(time="1950")
    graph = one.data.__dask_graph__().cull(one.data.__dask_keys__())
    assert len(graph.to_dict()) < 40


def test_a_record_is_repeated_from_its_first_year():
    out = repeat_days(record("2001-01-01", "2002-12-31"), range(2003, 2006)).compute()
    assert out.sizes["time"] == 365 + 366 + 365
    np.testing.assert_array_equal(out.sel(time="2003"), record().sel(time="2001"))
    # 2004 has a day more than 2002: the last of February stays.
    assert float(out.sel(time="2004-02-29")) == float(out.sel(time="2004-02-28"))
    np.testing.assert_array_equal(
        out.sel(time=slice("2004-03-01", "2004-12-31")), record().sel(time=slice("2002-03-01", "2002-12-31"))
    )
    np.testing.assert_array_equal(out.sel(time="2005"), record().sel(time="2001"))
    leap = repeat_days(record("2004-01-01", "2004-12-31"), [2001])
    assert leap.sizes["time"] == 365


def test_other_calendars_fill_the_days_they_lack():
    source = record("2001-01-01", "2001-12-30", "360_day")
    out = repeat_days(source, [2001]).compute()
    assert out.sizes["time"] == 365
    assert float(out.sel(time="2001-01-31")) == float(out.sel(time="2001-01-30")) == 29.0
    assert float(out.sel(time="2001-03-01")) == 60.0


def test_a_dated_mean_year_keeps_its_months():
    dated = months(YAKUTSK, dim="time").assign_coords(
        time=xr.date_range("2013-01-16", periods=12, freq="30D")
    )
    turned = dated.roll(time=-6).assign_coords(time=xr.date_range("2013-07-16", periods=12, freq="30D"))
    out = apply_change(turned, warming(), reference=MADE_UP)
    np.testing.assert_allclose(out.sel(month=1), -37.2 + 1)
    np.testing.assert_allclose(out.sel(month=7), 19.3 + 7)
    np.testing.assert_allclose(daily_years(turned, [2001]), daily_years(dated, [2001]))


@pytest.mark.parametrize(
    ("call", "error", "text"),
    [
        (lambda: apply_change(months(YAKUTSK), warming(), reference=" "), UsageError, "no reference"),
        (
            lambda: apply_change(months(YAKUTSK), warming().assign_attrs(units="degC"), reference=MADE_UP),
            UnitsError,
            r"must not be shifted by 273\.15",
        ),
        (
            lambda: apply_change(months(YAKUTSK), warming().drop_attrs(), reference=MADE_UP),
            UnitsError,
            "no units",
        ),
        (
            lambda: apply_change(months(PR, "kg m-2 d-1"), warming(), reference=MADE_UP),
            UnitsError,
            "cannot be converted to 'K'",
        ),
        (
            lambda: apply_change(months(YAKUTSK), warming(np.full(12, 280.0)), reference=MADE_UP),
            DataError,
            "give a difference, not the new climate",
        ),
        (
            lambda: apply_change(months(PR, "kg m-2 d-1"), months(np.full(12, -0.1), "1"), reference=MADE_UP),
            DataError,
            r"a fall by 10 % is 0\.9",
        ),
        (
            lambda: apply_change(
                months(PR, "kg m-2 d-1"), months(np.full(12, 0.5), "1"), share=3.0, reference=MADE_UP
            ),
            DataError,
            "no amount falls by more than all of it",
        ),
        (
            lambda: apply_change(
                months(YAKUTSK), warming(), share=xr.DataArray(2.0, attrs={"units": "K"}), reference=MADE_UP
            ),
            UnitsError,
            "a change in 'K' and a share in 'K'",
        ),
        (
            lambda: apply_change(months(YAKUTSK), warming().drop_vars("month"), reference=MADE_UP),
            UsageError,
            "a coordinate 'month' from 1 to 12",
        ),
        (
            lambda: apply_change(
                record(),
                warming(),
                share=linear_ramp(range(2001, 2004), start=2000, end=2100),
                reference=MADE_UP,
            ),
            UsageError,
            "no year 2004.*for every year",
        ),
        (
            lambda: apply_change(record().isel(time=slice(None, None, -1)), warming(), reference=MADE_UP),
            DataError,
            "sort the series",
        ),
        (
            lambda: apply_change(months(YAKUTSK), 3.0, reference=MADE_UP),
            UsageError,
            "'change': a float",
        ),
        (
            lambda: apply_change(np.zeros(12), warming(), reference=MADE_UP),
            UsageError,
            "'baseline': a ndarray",
        ),
        (
            lambda: apply_change(months(YAKUTSK).to_dataset(), warming(), reference=MADE_UP),
            UsageError,
            r"take one variable: dataset\['tas'\]",
        ),
        (
            lambda: apply_change(months(YAKUTSK), warming(), share=float("nan"), reference=MADE_UP),
            UsageError,
            "make one with linear_ramp",
        ),
        (
            lambda: apply_change(months(YAKUTSK), warming(), share=[0.0, 1.0], reference=MADE_UP),
            UsageError,
            "argument 'share'",
        ),
        (
            lambda: apply_change(
                months(YAKUTSK),
                warming(),
                share=linear_ramp([2001], start=2000, end=2100).rename(year="time"),
                reference=MADE_UP,
            ),
            UsageError,
            "a dimension 'time'.*'year' as its only dimension of time",
        ),
        (
            lambda: apply_change(
                months(YAKUTSK).assign_coords(x=[0, 1]), warming().assign_coords(x=[0, 2]), reference=MADE_UP
            ),
            UsageError,
            "on different grids.*to the grid of the baseline first",
        ),
        (lambda: linear_ramp(2001, start=2000, end=2100), UsageError, "calendar years that grow"),
        (lambda: daily_years(months(YAKUTSK), [2001], calendar="lunar"), UsageError, "'lunar' is not known"),
        (lambda: daily_years(np.zeros(12), [2001]), UsageError, "'monthly': a ndarray"),
        (lambda: linear_ramp(range(2000, 2100), start=2100, end=2000), UsageError, "an end after the start"),
        (lambda: linear_ramp([], start=2000, end=2100), UsageError, "calendar years that grow"),
        (lambda: daily_years(months(YAKUTSK)), UsageError, "the years that are wanted"),
        (lambda: daily_years(months(YAKUTSK), [2002, 2001]), UsageError, "calendar years that grow"),
        (lambda: daily_years(months(YAKUTSK).isel(month=slice(5)), [2001]), UsageError, "5 months"),
        (lambda: repeat_days(record("2001-02-01"), [2001]), DataError, "every day of whole calendar years"),
        (lambda: repeat_days(record().drop_isel(time=40), [2001]), DataError, "fill the gaps"),
        (lambda: repeat_days(months(YAKUTSK), [2001]), UsageError, "daily_years"),
    ],
)
def test_what_makes_no_projection_is_refused(call, error, text):
    with pytest.raises(error, match=text):
        call()


def test_only_the_days_asked_for_match_the_climatology():
    daily = daily_years(months(YAKUTSK), [2001], calendar="noleap")
    same = daily_from_monthly(
        months(YAKUTSK, dim="time"), time=xr.date_range("2001-01-01", "2001-12-31", calendar="noleap")
    )
    np.testing.assert_array_equal(daily, same)


def test_members_of_an_ensemble_come_to_the_result():
    members = warming().expand_dims(member=[1, 2]) * xr.DataArray([1.0, 2.0], dims="member")
    members = members.assign_attrs(units="K")
    ramp = linear_ramp(range(2001, 2005), start=2000, end=2004)
    out = apply_change(months(YAKUTSK), members, share=ramp, reference=MADE_UP)
    assert out.sizes == {"year": 4, "month": 12, "x": 2, "member": 2}
    dated = apply_change(record(), members, share=ramp, reference=MADE_UP)
    assert dated.dims[0] == "time"
    difference = (dated.isel(member=1) - record()) - 2 * (dated.isel(member=0) - record())
    np.testing.assert_allclose(difference, 0.0, atol=1e-9)


def test_a_change_may_have_dated_months():
    dated = (
        warming().rename(month="time").assign_coords(time=xr.date_range("2085-01-16", periods=12, freq="30D"))
    )
    np.testing.assert_array_equal(
        apply_change(months(YAKUTSK), dated, reference=MADE_UP),
        apply_change(months(YAKUTSK), warming(), reference=MADE_UP),
    )


def test_a_baseline_in_kelvins_stays_in_kelvins():
    kelvins = (months(YAKUTSK) + 273.15).assign_attrs(units="K")
    out = apply_change(kelvins, warming(), reference=MADE_UP)
    assert out.attrs["units"] == "K"
    np.testing.assert_allclose(out[:, 0], np.array(YAKUTSK) + 273.15 + np.arange(1, 13))
