"""Weather noise: exact monthly means, the asked spread, and the same weather on the same date."""

import dask
import numpy as np
import pytest
import xarray as xr

from geotools.climate import add_weather, daily_from_monthly, degree_days
from geotools.errors import DataError, UnitsError, UsageError

YAKUTSK = [-37.2, -33.0, -19.2, -4.5, 7.8, 16.5, 19.3, 15.1, 6.1, -7.5, -27.2, -36.9]


def smooth(start="2001-01-01", end="2004-12-31", calendar="standard", shape=()):
    table = np.array(YAKUTSK).reshape(12, *(1,) * len(shape)) + np.zeros(shape)
    field = xr.DataArray(
        table, dims=("time", "lat", "lon")[: 1 + len(shape)], attrs={"units": "degC"}, name="tas"
    )
    time = xr.date_range(start, end, calendar=calendar, use_cftime=calendar != "standard")
    return daily_from_monthly(field, time=time)


def monthly(daily):
    return daily.groupby((daily.time.dt.year * 12 + daily.time.dt.month).rename("key")).mean("time")


@pytest.mark.parametrize("calendar", ["standard", "noleap", "360_day"])
@pytest.mark.parametrize("autocorrelation", [0.0, 0.77, 0.95])
def test_monthly_means_stay_exact(calendar, autocorrelation):
    daily = smooth(end="2004-12-30", calendar=calendar)
    if calendar != "360_day":
        daily = smooth(calendar=calendar)
    out = add_weather(daily, 6.0, seed=3, autocorrelation=autocorrelation)
    np.testing.assert_allclose(monthly(out), np.tile(YAKUTSK, 4), rtol=0, atol=1e-10)
    assert float(abs(out - daily).max()) > 5.0


def test_the_spread_and_the_memory_are_those_asked_for():
    daily = smooth("1701-01-01", "1900-12-31", calendar="noleap")
    noise = (add_weather(daily, 4.0, seed=1) - daily).values
    # The spread within months is exact in expectation; 200 years give it to a few per cent.
    months = noise.reshape(200, 365)[:, :31]
    assert np.sqrt((months**2).mean()) == pytest.approx(4.0, rel=0.04)
    lagged = np.corrcoef(noise[:-1], noise[1:])[0, 1]
    # Without monthly means, part of the memory is gone.
    assert lagged == pytest.approx(0.70, abs=0.02)


def test_degree_days_are_those_of_the_normal_distribution():
    # Its analytic sub-monthly correction knows nothing of this noise.
    thawing, freezing = degree_days(YAKUTSK, submonthly_sd=4.0)
    constant = daily_from_monthly(
        xr.DataArray(YAKUTSK, dims="time", attrs={"units": "degC"}),
        time=xr.date_range("1701-01-01", "1900-12-31"),
        method="constant",
    )
    out = add_weather(constant, 4.0, seed=5)
    assert float(out.clip(min=0).sum()) / 200 == pytest.approx(thawing, rel=0.01)
    assert float((-out).clip(min=0).sum()) / 200 == pytest.approx(freezing, rel=0.005)


def test_a_date_has_its_weather_whatever_else_is_asked_for():
    whole = add_weather(smooth(), 4.0, seed=7)
    part = add_weather(smooth("2003-03-05", "2004-02-10"), 4.0, seed=7)
    xr.testing.assert_identical(part, whole.sel(time=part.time))
    assert not np.allclose(whole, add_weather(smooth(), 4.0, seed=8))
    assert not np.allclose(whole[:365] - smooth()[:365], whole[365:730] - smooth()[365:730])


def test_cells_and_months_may_have_their_own_spread():
    daily = smooth(shape=(2, 2))
    months = xr.DataArray(np.arange(12.0) * 0.8, dims="month", coords={"month": range(1, 13)})
    cells = xr.DataArray([[1.0, 2.0], [0.0, 3.0]], dims=("lat", "lon"))
    sd = (months * cells).assign_attrs(units="K")
    with dask.config.set(scheduler=lambda *_, **__: pytest.fail("something was computed early")):
        lazy = add_weather(daily.chunk(lat=1), sd, seed=1)
    out = lazy.compute(scheduler="synchronous")
    xr.testing.assert_allclose(out, add_weather(daily, sd, seed=1))
    assert out.dims == daily.dims
    np.testing.assert_allclose(monthly(out), monthly(daily), rtol=0, atol=1e-10)
    np.testing.assert_array_equal(out.isel(lat=1, lon=0), daily.isel(lat=1, lon=0))
    noise = out - daily
    np.testing.assert_allclose(noise.isel(lat=0, lon=1), 2 * noise.isel(lat=0, lon=0), atol=1e-9)
    assert float(abs(noise.sel(time="2001-01")).max()) == 0.0
    assert out.attrs["units"] == "degC"
    assert "seed 1" in out.attrs["history"]


@pytest.mark.parametrize(
    ("call", "error", "text"),
    [
        (lambda: add_weather(smooth(), 4.0, seed=-1), UsageError, "argument 'seed'"),
        (lambda: add_weather(smooth(), 4.0, seed=1.5), UsageError, "a whole number"),
        (lambda: add_weather(smooth(), "4", seed=1), UsageError, "argument 'sd': '4'"),
        (lambda: add_weather(smooth().values, 4.0, seed=1), UsageError, "a ndarray; expected a DataArray"),
        (
            lambda: add_weather(smooth(), xr.DataArray(4.0, attrs={"units": "degC"}), seed=1),
            UnitsError,
            r"must not be shifted by 273\.15",
        ),
        (lambda: add_weather(smooth(), -1.0, seed=1), DataError, "argument 'sd'"),
        (lambda: add_weather(smooth(), 4.0, seed=1, autocorrelation=1.0), DataError, "autocorrelation"),
        (
            lambda: add_weather(smooth().assign_attrs(units="m"), 4.0, seed=1),
            UnitsError,
            "cannot be converted",
        ),
        (
            lambda: add_weather(smooth().drop_vars("time"), 4.0, seed=1),
            UsageError,
            "daily_from_monthly first",
        ),
        (
            lambda: add_weather(
                smooth(), xr.DataArray(np.ones(12), dims="month", attrs={"units": "K"}), seed=1
            ),
            DataError,
            "from 1 to 12",
        ),
    ],
)
def test_what_is_no_weather_is_refused(call, error, text):
    with pytest.raises(error, match=text):
        call()
