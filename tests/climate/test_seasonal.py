"""Annual means and sums, and the warmest and coldest month."""

import dask
import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st

from geotools.climate import annual_mean, annual_sum, monthly_extremes
from geotools.errors import UnitsError

YAKUTSK = [-37.2, -33.0, -19.2, -4.5, 7.8, 16.5, 19.3, 15.1, 6.1, -7.5, -27.2, -36.9]


def monthly(values, units, name):
    month = range(1, 13)
    return xr.DataArray(values, dims="time", coords={"time": month}, attrs={"units": units}, name=name)


def test_mean_annual_air_temperature():
    out = annual_mean(monthly(YAKUTSK, "degC", "tas"))
    assert round(float(out), 4) == -8.2734
    assert out.attrs["units"] == "degC"
    assert out.attrs["cell_methods"] == "area: mean time: mean"


@pytest.mark.parametrize(("units", "factor"), [("kg m-2 d-1", 1.0), ("kg m-2 s-1", 86400.0)])
def test_annual_precipitation(units, factor):
    out = annual_sum(monthly(np.full(12, 2.0 / factor), units, "pr"))
    assert float(out) == pytest.approx(730.5)
    assert out.attrs["units"] == "kg m-2"


def test_what_is_no_rate_has_no_sum():
    with pytest.raises(UnitsError, match="are no rate"):
        annual_sum(monthly(YAKUTSK, "degC", "tas"))


def test_extremes():
    out = monthly_extremes(monthly(YAKUTSK, "degC", "tas"))
    assert [round(float(v), 2) for v in out.values()] == [19.3, -37.2, 28.25]
    assert list(out) == ["warmest_month", "coldest_month", "annual_amplitude"]


def test_a_missing_month_makes_the_year_missing():
    tas = monthly([np.nan, *YAKUTSK[1:]], "degC", "tas")
    assert np.isnan(annual_mean(tas))
    assert monthly_extremes(tas).isnull().all()


@settings(max_examples=10, deadline=None)
@given(st.integers(1, 24), st.integers(1, 3))
def test_chunks_do_not_change_the_answer(time, x):
    when = xr.date_range("2003-01-01", periods=24, freq="MS")
    values = np.random.default_rng(0).normal(size=(24, 3))
    tas = xr.DataArray(values, dims=("time", "x"), coords={"time": when}, attrs={"units": "degC"}, name="tas")
    with dask.config.set(scheduler="synchronous"):
        xr.testing.assert_allclose(annual_mean(tas.chunk(time=time, x=x)), annual_mean(tas))
        xr.testing.assert_allclose(monthly_extremes(tas.chunk(time=time, x=x)), monthly_extremes(tas))
    assert annual_mean(tas).dims == ("year", "x")
