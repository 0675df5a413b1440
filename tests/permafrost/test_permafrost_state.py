"""Permafrost by definition, from daily ground temperatures."""

import dask
import numpy as np
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from geotools.errors import DataError, UnitsError, UsageError
from geotools.permafrost import permafrost_state


def refuse(*args, **kwargs):
    pytest.fail("something was computed early")


def ground(values):
    values = np.asarray(values, dtype="float64")
    time = xr.date_range("2001-01-01", periods=values.shape[-1])
    dims = ("depth", "time")[-values.ndim :]
    return xr.DataArray(values, dims=dims, coords={"time": time}, attrs={"units": "degC"})


def frozen(days=1500):
    return np.full(days, -0.1)


@pytest.mark.parametrize(
    ("days", "state"), [(730, 1), (731, 1), (729, -1), (2, -1)], ids=["two years", "more", "less", "far less"]
)
def test_two_years_in_a_row(days, state):
    assert permafrost_state(ground(frozen(days))).item() == state


def test_zero_counts_as_frozen():
    assert permafrost_state(ground(np.zeros(730))).item() == 1


@pytest.mark.parametrize(("at", "state"), [(729, 0), (730, 1), (668, 1), (669, 0)])
def test_one_warm_day_splits_the_time(at, state):
    values = frozen(1399)
    values[at] = 0.01
    assert permafrost_state(ground(values)).item() == state


def test_ground_that_thaws_every_summer_is_none():
    values = -5.0 + 8.0 * np.sin(2 * np.pi * np.arange(2000) / 365.25)
    assert permafrost_state(ground(values)).item() == 0
    assert permafrost_state(ground(values[:365])).item() == 0


def test_a_gap_decides_only_where_it_can():
    values = frozen(1200)
    values[[0, 400, 800, 1199]] = 1.0
    assert permafrost_state(ground(values)).item() == 0
    values[400] = np.nan  # frozen or not: 799 days, or 399
    assert permafrost_state(ground(values)).item() == -1
    longer = frozen(2000)
    longer[100] = np.nan
    assert permafrost_state(ground(longer)).item() == 1


def test_days_absent_from_the_dates_are_not_frozen_days():
    field = ground(frozen(900))
    assert permafrost_state(field.drop_isel(time=400)).item() == -1
    assert permafrost_state(field.drop_isel(time=100)).item() == 1


@given(hnp.arrays("float64", 12, elements=st.sampled_from([-1.0, 1.0, np.nan])), st.integers(1, 12))
def test_the_state_is_that_of_counting(values, least):
    sure = max(len(r) for r in "".join("x" if v <= 0 else " " for v in values).split(" "))
    maybe = max(len(r) for r in "".join(" " if v > 0 else "x" for v in values).split(" "))
    expected = 1 if sure >= least else 0 if (values > 0).any() and maybe < least else -1
    assert permafrost_state(ground(values), min_days=least).item() == expected


def test_every_depth_is_for_itself_eager_and_lazy():
    values = np.stack([frozen(1000), frozen(1000) + 1.0, np.full(1000, np.nan)])
    field = ground(values)
    eager = permafrost_state(field)
    np.testing.assert_array_equal(eager, [1, 0, -1])
    assert eager.dtype == np.int8
    assert eager.attrs["flag_meanings"] == "no_permafrost permafrost"
    kelvin = (field + 273.15).assign_attrs(units="K")
    with dask.config.set(scheduler=refuse):
        lazy = permafrost_state(kelvin.chunk(depth=1, time=100))
    np.testing.assert_array_equal(lazy.compute(scheduler="synchronous"), eager)


@pytest.mark.parametrize(
    ("call", "error", "text"),
    [
        (lambda: permafrost_state(ground(frozen()).drop_attrs()), UnitsError, "no units attribute"),
        (
            lambda: permafrost_state((ground(frozen()) + 273.15).assign_attrs(units="degC")),
            UnitsError,
            r"subtract 273\.15",
        ),
        (lambda: permafrost_state(ground(frozen())[::30]), UsageError, "30 days apart"),
        (lambda: permafrost_state(ground(frozen()), min_days=0), DataError, "min_days"),
    ],
)
def test_what_cannot_be_is_refused(call, error, text):
    with pytest.raises(error, match=text):
        call()
