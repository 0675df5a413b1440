"""Degree-days: known answers, the identity, and the same for every kind of input."""

import dask
import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from geotools.climate import degree_days, degree_days_sinusoid
from geotools.climate.calendar import MEAN_YEAR
from geotools.climate.degree_days import expected_excess
from geotools.errors import DataError, UnitsError, UsageError

YAKUTSK = [-37.2, -33.0, -19.2, -4.5, 7.8, 16.5, 19.3, 15.1, 6.1, -7.5, -27.2, -36.9]
MONTHS = hnp.arrays("float64", 12, elements=st.floats(-60, 40))


def refuse(*args, **kwargs):
    pytest.fail("something was computed early")


def cube():
    rng = np.random.default_rng(1)
    time = xr.date_range("2003-01-01", periods=36, freq="MS")
    values = rng.normal(-5, 20, (36, 3, 4))
    return xr.DataArray(values, dims=("time", "lat", "lon"), coords={"time": time}, attrs={"units": "degC"})


@pytest.mark.parametrize(("mean", "above"), [(0.0, 1.595769), (2.0, 2.791186), (-2.0, 0.791186)])
def test_expected_excess_of_a_day(mean, above):
    out, below = expected_excess(np.array(mean), np.array(4.0))
    assert round(float(out), 6) == above
    assert out - below == pytest.approx(mean)


@pytest.mark.parametrize(
    ("sd", "thawing", "freezing", "digits"), [(0, 1986.20, 5008.05, 2), (4.0, 2000.0244, 5021.8744, 4)]
)
def test_yakutsk(sd, thawing, freezing, digits):
    out = degree_days(YAKUTSK, submonthly_sd=sd)
    assert [round(v, digits) for v in out] == [thawing, freezing]


@pytest.mark.parametrize(
    ("mean", "amplitude", "thawing", "freezing"),
    [
        (-5.0, 15.0, 928.6294, 2754.8794),
        (0.0, 15.0, 1743.9403, 1743.9403),
        (-20.0, 15.0, 0.0, 7305.0),
        (20.0, 15.0, 7305.0, 0.0),
        (0.0, 0.0, 0.0, 0.0),
        (3.0, 0.0, 1095.75, 0.0),
    ],
)
def test_sinusoid(mean, amplitude, thawing, freezing):
    out = degree_days_sinusoid(mean, amplitude)
    assert [round(v, 4) for v in out] == [thawing, freezing]


@given(st.floats(-60, 60))
def test_a_year_without_seasons_has_only_one_kind_of_degree_days(mean):
    thawing, freezing = degree_days_sinusoid(mean, 0.0)
    assert thawing == pytest.approx(max(365.25 * mean, 0.0), rel=1e-12)
    assert freezing == pytest.approx(max(-365.25 * mean, 0.0), rel=1e-12)


def test_sinusoid_of_yakutsk():
    mean = float(np.dot(YAKUTSK, MEAN_YEAR) / 365.25)
    assert round(mean, 4) == -8.2734
    thawing, freezing = degree_days_sinusoid(mean, 28.25)
    assert round(thawing, 2) == 1915.38
    assert round(freezing, 2) == 4937.23


@given(MONTHS, st.floats(0, 10))
def test_the_difference_is_the_sum_of_the_temperatures(tas, sd):
    thawing, freezing = degree_days(tas, submonthly_sd=sd)
    assert thawing >= 0
    assert freezing >= 0
    assert thawing - freezing == pytest.approx(np.dot(tas, MEAN_YEAR), abs=1e-9)


@given(MONTHS, st.floats(0, 8), st.floats(0, 5))
def test_warmer_never_freezes_more(tas, sd, warming):
    before, after = degree_days(tas, submonthly_sd=sd), degree_days(tas + warming, submonthly_sd=sd)
    assert after[0] >= before[0] - 1e-9
    assert after[1] <= before[1] + 1e-9


@given(MONTHS, st.floats(0, 8), st.floats(0, 2))
def test_more_spread_never_lowers_either(tas, sd, more):
    before, after = degree_days(tas, submonthly_sd=sd), degree_days(tas, submonthly_sd=sd + more)
    assert after[0] >= before[0] - 1e-9
    assert after[1] >= before[1] - 1e-9


def test_every_kind_of_input_gives_the_same():
    number = degree_days(YAKUTSK)
    array = degree_days(np.tile(YAKUTSK, (2, 1)))
    month = xr.DataArray(YAKUTSK, dims="month", coords={"month": range(1, 13)}, attrs={"units": "degC"})
    eager = degree_days(month, dim="month")
    kelvin = degree_days((month + 273.15).assign_attrs(units="K").chunk(month=5), dim="month").compute()
    for i, name in enumerate(("thawing_degree_days", "freezing_degree_days")):
        np.testing.assert_array_equal(array[i], number[i])
        assert float(eager[name]) == number[i]
        assert float(kelvin[name]) == pytest.approx(number[i], rel=1e-10)
        assert eager[name].attrs["units"] == "K d"


def test_years_have_their_own_lengths():
    tas = xr.full_like(cube(), 1.0)
    out = degree_days(tas, submonthly_sd=0)
    np.testing.assert_array_equal(out["thawing_degree_days"].isel(lat=0, lon=0), [365, 366, 365])
    np.testing.assert_array_equal(out.year, [2003, 2004, 2005])


@settings(max_examples=15, deadline=None)
@given(st.integers(1, 36), st.integers(1, 3), st.integers(1, 4))
def test_chunks_do_not_change_the_answer(time, lat, lon):
    lazy = degree_days(cube().chunk(time=time, lat=lat, lon=lon)).compute(scheduler="synchronous")
    xr.testing.assert_allclose(lazy, degree_days(cube()), rtol=1e-12)


def test_nothing_computes_early():
    with dask.config.set(scheduler=refuse):
        out = degree_days(cube().chunk(time=1, lat=1))
    assert out["thawing_degree_days"].chunks is not None


def test_a_missing_month_makes_its_year_missing():
    tas = cube()
    tas[5, 0, 0] = np.nan
    out = degree_days(tas)["thawing_degree_days"]
    assert np.isnan(out.sel(year=2003)[0, 0])
    assert out.isnull().sum() == 1


@pytest.mark.parametrize("sd", [0.0, 4.0])
def test_kelvins_under_another_name_are_refused(sd):
    with pytest.raises(UnitsError, match=r"below 100.*subtract 273\.15"):
        degree_days(np.array(YAKUTSK) + 273.15, submonthly_sd=sd)


def test_kelvins_without_units_are_refused():
    with pytest.raises(UnitsError, match="no units attribute"):
        degree_days((cube() + 273.15).drop_attrs())


def test_lazy_kelvins_are_refused_when_computed():
    lazy = degree_days((cube() + 300.0).assign_attrs(units="degC").chunk(time=12))
    with pytest.raises(UnitsError, match="was found"):
        lazy.compute(scheduler="synchronous")


def test_the_months_must_be_the_last_axis():
    with pytest.raises(UsageError, match="12 monthly means of a year on the last axis"):
        degree_days(np.zeros((12, 5)))


def test_a_negative_spread_is_refused():
    with pytest.raises(DataError, match="submonthly_sd"):
        degree_days(YAKUTSK, submonthly_sd=-1.0)


def test_an_amplitude_in_degc_is_not_shifted_silently():
    mean = xr.DataArray([-5.0], dims="x", attrs={"units": "degC"})
    with pytest.raises(UnitsError, match="must not be shifted"):
        degree_days_sinusoid(mean, xr.DataArray([15.0], dims="x", attrs={"units": "degC"}))


def test_a_negative_amplitude_is_refused():
    with pytest.raises(DataError, match="argument 'amplitude'"):
        degree_days_sinusoid(0.0, -1.0)
