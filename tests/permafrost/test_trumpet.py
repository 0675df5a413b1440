"""Trumpet curves of waves whose answer is known, and years that are not complete."""

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from geotools.errors import DataError, UnitsError, UsageError
from geotools.permafrost import periodic_solution, trumpet_curve, zero_annual_amplitude_depth

DEPTHS = np.arange(0.0, 20.5, 0.5)


def wave(years=2, depths=DEPTHS, mean=-3.0, amplitude=15.0):
    time = np.arange(365 * years) + 0.5
    values = periodic_solution(
        time, depths, mean=mean, amplitude=amplitude, diffusivity=1e-6, period_days=365.0
    )
    return xr.DataArray(
        values,
        dims=("time", "depth"),
        coords={
            "time": pd.date_range("2001-01-01", periods=time.size),
            "depth": ("depth", depths, {"units": "m"}),
        },
        attrs={"units": "degC"},
    )


def test_the_envelope_is_that_of_the_wave():
    curves = trumpet_curve(wave())
    amplitude = 15.0 * np.exp(-DEPTHS / np.sqrt(1e-6 * 365 * 86400 / np.pi))
    np.testing.assert_allclose(curves["tsl_maximum"], -3.0 + amplitude, atol=2e-3)
    np.testing.assert_allclose(curves["tsl_minimum"], -3.0 - amplitude, atol=2e-3)
    np.testing.assert_allclose(curves["tsl_mean"], -3.0, atol=1e-3)
    assert set(curves["complete_years"].values.tolist()) == {2}
    assert curves.attrs["years"] == "2001 to 2002"


def test_the_ground_temperature_is_at_the_depth_of_zero_amplitude():
    curves = trumpet_curve(wave())
    # 2 A e^(-z/d) = 0.1 K.
    expected = np.sqrt(1e-6 * 365 * 86400 / np.pi) * np.log(300.0)
    assert float(curves["zero_annual_amplitude_depth"]) == pytest.approx(expected, abs=0.05)
    assert float(curves["magt_depth"]) == float(curves["zero_annual_amplitude_depth"])
    assert float(curves["magt"]) == pytest.approx(-3.0, abs=1e-3)
    assert curves["magt_depth"].attrs["units"] == "m"
    of_a_year = zero_annual_amplitude_depth(wave())
    np.testing.assert_allclose(of_a_year, curves["zero_annual_amplitude_depth"], atol=1e-6)


def test_shallow_sensors_give_the_deepest_complete_depth_and_say_so():
    shallow = wave(depths=np.array([0.5, 1.6, 3.2]))
    shallow[:, 2] = shallow[:, 2].where(shallow["time"].dt.month != 7)
    curves = trumpet_curve(shallow)
    assert np.isnan(curves["zero_annual_amplitude_depth"])
    assert float(curves["magt_depth"]) == 1.6
    assert float(curves["magt"]) == pytest.approx(-3.0, abs=1e-3)
    assert curves["complete_years"].values.tolist() == [2, 2, 0]
    assert np.isnan(curves["tsl_mean"][2])


def test_only_complete_years_count():
    field = wave(years=2)
    field[365:, :] += 1.0
    field[100, :] = np.nan
    assert trumpet_curve(field).attrs["years"] == "2002"
    np.testing.assert_allclose(trumpet_curve(field)["tsl_mean"], -2.0, atol=1e-3)
    both = trumpet_curve(field, max_missing=0.01)
    assert both.attrs["years"] == "2001 to 2002"
    np.testing.assert_allclose(both["tsl_mean"], -2.5, atol=0.03)


def test_half_years_at_the_ends_do_not_count():
    field = wave(years=3).isel(time=slice(200, 900))
    assert trumpet_curve(field).attrs["years"] == "2002"


def test_hourly_records_count_by_days_and_their_daily_means():
    daily = wave(years=1, depths=np.array([0.5, 1.0]))
    hours = pd.date_range("2001-01-01", periods=365 * 4, freq="6h")
    often = xr.DataArray(
        np.repeat(daily.values, 4, axis=0) + np.tile([1.0, -1.0, 1.0, -1.0], 365)[:, None],
        dims=daily.dims,
        coords={"time": hours, "depth": daily["depth"]},
        attrs=daily.attrs,
    )
    np.testing.assert_allclose(trumpet_curve(often)["tsl_maximum"], trumpet_curve(daily)["tsl_maximum"])


def test_places_are_done_each_for_itself():
    field = xr.concat([wave(), wave(mean=-8.0)], "station")
    curves = trumpet_curve(field)
    np.testing.assert_allclose(curves["magt"], [-3.0, -8.0], atol=1e-3)
    np.testing.assert_allclose(curves["tsl_mean"].isel(station=1), -8.0, atol=1e-3)


def test_monthly_values_are_no_complete_year():
    monthly = wave().isel(time=slice(None, None, 30))
    with pytest.raises(DataError, match=r"no complete year: at most 4 % of the days"):
        trumpet_curve(monthly)


@pytest.mark.parametrize(
    ("field", "options", "error", "message"),
    [
        (wave().isel(time=slice(0, 300)), {}, DataError, "no complete year"),
        (wave().isel(depth=slice(None, None, -1)), {}, DataError, "depths that grow"),
        (wave().isel(depth=0), {}, UsageError, "time and depth"),
        ((wave() + 273.15).assign_attrs(units="degC"), {}, UnitsError, "expected air or ground temperatures"),
        (wave(), {"max_missing": 5.0}, DataError, "max_missing"),
        (wave(), {"tolerance": 0.0}, DataError, "tolerance"),
    ],
)
def test_what_makes_no_trumpet_is_refused(field, options, error, message):
    with pytest.raises(error, match=message):
        trumpet_curve(field, **options)
