"""Thaw depth, zero curtain and depth of zero annual amplitude from series of ground temperature."""

import dask
import numpy as np
import pandas as pd
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st

from geotools.errors import DataError, UnitsError, UsageError
from geotools.permafrost import (
    active_layer_thickness,
    periodic_solution,
    zero_annual_amplitude_depth,
    zero_curtain,
)


def ground(values, depths, start="2001-01-01", units="degC"):
    values = np.asarray(values, dtype="float64")
    time = pd.date_range(start, periods=values.shape[0])
    dims = ("time", "depth", "x")[: values.ndim]
    coords = {"time": time, "depth": ("depth", depths, {"units": "m"})}
    return xr.DataArray(values, dims=dims, coords=coords, attrs={"units": units})


def wave(depths, mean=-3.0, amplitude=15.0, years=1):
    time = np.arange(365 * years) + 0.5
    values = periodic_solution(
        time, depths, mean=mean, amplitude=amplitude, diffusivity=1e-6, period_days=365.0
    )
    return ground(values, depths)


def test_the_crossing_is_interpolated_by_hand():
    highest = [[4.0, 1.0, -1.0, -2.0]]
    field = ground(np.repeat(highest, 365, axis=0), [0.2, 0.8, 1.6, 3.2])
    assert active_layer_thickness(field).values.tolist() == pytest.approx([1.2])


def test_the_wave_thaws_to_where_its_amplitude_is_its_mean():
    # 15 e^(-z/d) = 3 at z = d ln 5.
    depths = np.arange(0.0, 12.0, 0.1)
    d = np.sqrt(1e-6 * 365 * 86400 / np.pi)
    thickness = active_layer_thickness(wave(depths, years=2))
    np.testing.assert_allclose(thickness, d * np.log(5.0), atol=0.01)
    assert thickness.year.values.tolist() == [2001, 2002]
    assert thickness.attrs["standard_name"] == "permafrost_active_layer_thickness"


def test_the_annual_mean_would_give_another_depth():
    depths = np.arange(0.0, 12.0, 0.1)
    assert wave(depths).mean("time").max() < 0.0
    assert active_layer_thickness(wave(depths)).item() > 4.0


@pytest.mark.parametrize(
    ("highest", "expected"),
    [
        ([5.0, 3.0, 1.0], np.nan),  # thawed to the deepest sensor
        ([-1.0, -2.0, -3.0], 0.0),  # never thawed
        ([np.nan, 1.0, -1.0], 1.5),  # a gap above the crossing does not matter
        ([1.0, -1.0, np.nan], np.nan),  # below, it may hide thawed ground
        ([2.0, np.nan, -1.0], np.nan),
        ([1.0, -1.0, 2.0], np.nan),
        ([1.0, 0.0, -1.0], 1.0),
    ],
)
def test_profiles_without_a_clear_crossing(highest, expected):
    field = ground(np.repeat([highest], 365, axis=0), [0.5, 1.0, 2.0])
    np.testing.assert_allclose(active_layer_thickness(field), [expected])


def test_a_missing_day_makes_the_year_missing():
    field = wave([0.5, 2.0, 8.0, 12.0])
    field[180, 1] = np.nan
    assert np.isnan(active_layer_thickness(field).item())


@given(st.floats(-6, -1), st.floats(0.0, 3.0))
def test_warmer_ground_never_thaws_less(mean, more):
    depths = np.linspace(0.1, 30, 60)
    cold, warm = (active_layer_thickness(wave(depths, mean=m)).item() for m in (mean, min(mean + more, -0.2)))
    assert np.isnan(warm) or warm >= cold


def test_kelvins_are_converted_and_kelvins_called_degrees_refused():
    field = wave([0.5, 2.0, 8.0])
    kelvins = (field + 273.15).assign_attrs(units="K")
    np.testing.assert_allclose(active_layer_thickness(kelvins), active_layer_thickness(field), atol=1e-9)
    with pytest.raises(UnitsError, match=r"subtract 273\.15"):
        active_layer_thickness(kelvins.assign_attrs(units="degC"))


def test_zero_amplitude_is_where_the_wave_has_the_tolerance():
    depths = np.arange(0.0, 40.0, 0.5)
    d = np.sqrt(1e-6 * 365 * 86400 / np.pi)
    found = zero_annual_amplitude_depth(wave(depths, amplitude=20.0), tolerance=0.1)
    # 0.1 K is the whole range, 40 e^(-z/d).
    np.testing.assert_allclose(found, d * np.log(400.0), atol=0.01)
    assert zero_annual_amplitude_depth(wave(depths, amplitude=20.0), tolerance=0.2).item() == pytest.approx(
        16.7925 * np.sqrt(365 / 365.25), abs=0.01
    )


def test_shallow_boreholes_have_no_zero_amplitude():
    assert np.isnan(zero_annual_amplitude_depth(wave([0.5, 1.0, 5.0])).item())


def test_calm_ground_has_it_at_its_first_sensor():
    field = ground(np.full((365, 3), -2.0), [0.5, 1.0, 5.0])
    assert zero_annual_amplitude_depth(field).item() == 0.5


def test_statistics_of_chunks_are_those_of_the_whole_and_wait_to_be_computed():
    depths = [0.5, 2.0, 8.0, 20.0]
    field = xr.concat([wave(depths, mean=m) for m in (-4.0, -3.0, -2.0)], "x").transpose("time", "depth", "x")

    def refuse(*_, **__):
        raise AssertionError("something was computed early")

    chunked = field.chunk(x=1, time=100)
    for function in (
        active_layer_thickness,
        zero_annual_amplitude_depth,
        lambda f: zero_curtain(f.isel(depth=1)),
    ):
        with dask.config.set(scheduler=refuse):
            lazy = function(chunked)
        xr.testing.assert_allclose(lazy.compute(scheduler="synchronous"), function(field))


def curtain_series(days=40, start=270):
    """Warm to day `start`, then so many days at 0 degC, then cold, and warm again in the next year."""
    year = np.full(365, -8.0)
    year[120:start] = 6.0
    year[start : start + days] = 0.05
    return np.concatenate([year, year])


def one_depth(values, **changes):
    return ground(np.asarray(values)[:, None], [0.5], **changes).isel(depth=0)


def test_the_curtain_is_counted_by_hand():
    out = zero_curtain(one_depth(curtain_series()))
    assert out.zero_curtain_days.values.tolist() == [40.0, 40.0]
    assert out.zero_curtain_start.values.tolist() == [271.0, 271.0]
    assert out.zero_curtain_end.values.tolist() == [310.0, 310.0]
    assert out.zero_curtain_days.attrs["units"] == "d"


def test_a_curtain_into_the_new_year_is_counted_whole():
    values = curtain_series(days=95)
    values[365:390] = 0.0
    out = zero_curtain(one_depth(values))
    assert out.zero_curtain_days.values[0] == 120.0
    assert out.zero_curtain_end.values[0] == 390.0


def test_the_longest_of_two_runs_is_told():
    values = curtain_series(days=10)
    values[285:310] = -0.1
    values[330] = -9.0
    out = zero_curtain(one_depth(values))
    assert out.zero_curtain_days.values[0] == 25.0
    assert out.zero_curtain_start.values[0] == 286.0


def test_spring_at_zero_is_no_curtain():
    values = curtain_series(days=10)
    values[90:120] = 0.0
    values[365 + 90 : 365 + 120] = 0.0
    assert zero_curtain(one_depth(values)).zero_curtain_days.values.tolist() == [10.0, 10.0]


def test_dry_ground_has_a_curtain_of_nothing_and_frozen_ground_none():
    assert zero_curtain(one_depth(curtain_series(days=0))).zero_curtain_days.values.tolist() == [0.0, 0.0]
    assert np.isnan(zero_curtain(one_depth(np.full(365, -3.0))).zero_curtain_days).all()


def test_a_wider_tolerance_never_shortens_the_curtain():
    rng = np.random.default_rng(2)
    values = curtain_series() + rng.normal(0, 0.08, 730)
    lengths = [zero_curtain(one_depth(values), tolerance=t).zero_curtain_days.values for t in (0.1, 0.2, 0.4)]
    assert (lengths[0] <= lengths[1]).all()
    assert (lengths[1] <= lengths[2]).all()


def test_a_gap_in_the_curtain_makes_it_unknown():
    values = curtain_series()
    values[280] = np.nan
    assert np.isnan(zero_curtain(one_depth(values)).zero_curtain_days.values[0])


def test_days_are_counted_from_january_when_the_record_begins_later():
    values = curtain_series()[100:]
    out = zero_curtain(one_depth(values, start="2001-04-11"))
    assert out.zero_curtain_start.values.tolist() == [271.0, 271.0]


def test_missing_times_are_refused():
    field = one_depth(curtain_series())
    with pytest.raises(DataError, match="with gaps"):
        zero_curtain(field.isel(time=[i for i in range(730) if i != 300]))
    with pytest.raises(DataError, match="daily values or more"):
        zero_curtain(field.isel(time=slice(None, None, 10)))


def test_fields_without_depth_or_order_are_refused():
    field = wave([0.5, 2.0, 8.0])
    with pytest.raises(UsageError, match="time and depth"):
        active_layer_thickness(field.isel(depth=0))
    with pytest.raises(UsageError, match="a DataArray"):
        zero_annual_amplitude_depth(np.zeros(3))
    with pytest.raises(UsageError, match="no coordinate 'depth'"):
        active_layer_thickness(field.drop_vars("depth"))
    with pytest.raises(DataError, match="depths that grow"):
        active_layer_thickness(field.isel(depth=[0, 2, 1]))
    with pytest.raises(DataError, match="tolerance"):
        zero_annual_amplitude_depth(field, tolerance=0.0)
    with pytest.raises(UnitsError, match="no units attribute"):
        active_layer_thickness(field.drop_attrs())


def test_a_curtain_that_the_record_cuts_off_is_unknown():
    values = curtain_series(days=95)[:365]
    assert np.isnan(zero_curtain(one_depth(values)).zero_curtain_days.item())
