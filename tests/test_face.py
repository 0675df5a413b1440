"""The face of a core: floats, NumPy arrays, DataArrays and dask give the same, lazily and in few tasks."""

import dask
import dask.array
import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st

from geotools.errors import DataError, UnitsError, UsageError
from geotools.face import apply_core, face
from geotools.guards import ensure_celsius, ensure_range
from geotools.metadata import Variable


@face({"tas": "degC", "weight": "1"}, "maat")
def weighted(tas, weight=1.0, *, shift=0.0):
    return tas * weight + shift


@face({"tas": "degC"}, ("maat", "tas"), core_dim="time", along=("tas",), keeps=("tas",))
def anomalies(tas):
    mean = tas.mean(axis=-1)
    return mean, tas - mean[..., None]


def field(**kwargs):
    lat = xr.DataArray([50.0, 60.0], dims="lat", attrs={"units": "degrees_north"})
    values = np.arange(6.0).reshape(3, 2)
    return xr.DataArray(values, dims=("time", "lat"), coords={"lat": lat}, attrs={"units": "degC"}, **kwargs)


def refuse(*args, **kwargs):
    pytest.fail("something was computed early")


@pytest.mark.parametrize("value", [3.0, 3, "3 degC", "276.15 K"])
def test_numbers_and_texts_give_a_float(value):
    out = weighted(value, 2.0, shift=1.0)
    assert type(out) is float
    assert out == pytest.approx(7.0)


def test_arrays_give_arrays():
    np.testing.assert_array_equal(weighted(np.array([1.0, 2.0]), 2.0), [2.0, 4.0])


def test_kelvins_are_converted_and_attributes_set():
    kelvin = (field() + 273.15).assign_attrs(units="K", history="kept nowhere")
    out = weighted(kelvin)
    np.testing.assert_allclose(out, field().values)
    assert out.name == "maat"
    assert out.attrs["units"] == "degC"
    assert out.attrs["standard_name"] == "air_temperature"
    assert "history" not in out.attrs


def test_coordinates_keep_their_attributes():
    assert weighted(field(), field().assign_attrs(units="1")).lat.attrs == {"units": "degrees_north"}


def test_units_are_required():
    with pytest.raises(UnitsError, match="no units attribute"):
        weighted(field().drop_attrs())


def test_a_number_without_dimension_needs_no_units():
    np.testing.assert_array_equal(weighted(field(), field().drop_attrs()), field().values ** 2)


def test_results_that_keep_the_dimension_come_back_in_the_order_of_the_input():
    out = anomalies(field())
    assert out["maat"].dims == ("lat",)
    assert out["tas"].dims == ("time", "lat")
    np.testing.assert_array_equal(out["maat"], [2.0, 3.0])
    mean, rest = anomalies(np.array([1.0, 2.0, 6.0]))
    assert type(mean) is float
    np.testing.assert_array_equal(rest, [-2.0, -1.0, 3.0])


def test_a_plain_array_next_to_dataarrays_is_refused():
    with pytest.raises(UsageError, match="wrap it in a DataArray"):
        weighted(field(), np.ones(2))


def test_a_dataset_is_refused():
    with pytest.raises(UsageError, match=r"pass dataset\['name'\]"):
        weighted(field().to_dataset(name="tas"))


def test_a_missing_dimension_is_named():
    with pytest.raises(UsageError, match="expected a dimension 'time'"):
        anomalies(field().rename(time="step"))


def test_coordinates_that_differ_are_not_joined():
    with pytest.raises(ValueError, match="exact"):
        weighted(field(), field().assign_coords(lat=[50.0, 61.0]).assign_attrs(units="1"))


@settings(max_examples=6, deadline=None)
@given(st.integers(1, 3), st.integers(1, 2))
def test_chunks_do_not_change_the_answer(time, lat):
    chunked = anomalies(field().chunk(time=time, lat=lat)).compute(scheduler="synchronous")
    xr.testing.assert_identical(chunked, anomalies(field()))


def test_nothing_computes_early_and_every_chunk_is_one_call():
    calls = []

    def core(tas):
        calls.append(tas.shape)
        return tas + 1.0

    lazy = field().chunk(time=1)
    with dask.config.set(scheduler=refuse):
        out = apply_core(core, {"tas": lazy}, units={"tas": "degC"}, returns="maat")
    assert not calls
    out.compute(scheduler="synchronous")
    assert calls == [(1, 2)] * 3


def test_a_core_known_at_run_time_returns_a_tuple_for_numbers():
    one = Variable("one", "1", "one")
    assert apply_core(lambda a: (a,), {"a": 2.0}, units={"a": "1"}, returns=[one]) == (2.0,)


@pytest.mark.parametrize(
    ("values", "error", "text"),
    [
        ([280.0, np.nan], UnitsError, "280 degC was found.*subtract 273.15"),
        ([-999.0, 1.0], DataError, "1 of 2 values lie outside, such as -999.*mask the fill value"),
        ([np.inf, 20.0], DataError, "such as inf; expected at most 400 degC.*mask the fill value"),
    ],
)
def test_temperatures_that_cannot_be(values, error, text):
    with pytest.raises(error, match=text):
        ensure_celsius("tas", np.array(values))


def test_missing_temperatures_pass():
    ensure_celsius("tas", np.array([np.nan, -60.0, 40.0]))


@pytest.mark.parametrize(("value", "above"), [(0.0, True), (-1.0, False), (2.0, False)])
def test_the_ends_of_a_range(value, above):
    with pytest.raises(DataError, match=r"argument 'x': 1 of 1 values.*at most 1 m"):
        ensure_range("x", np.array([value]), 0.0, 1.0, "m", above=above)


def test_guards_run_when_a_lazy_array_is_computed():
    @face({"tas": "degC"}, "maat")
    def core(tas):
        ensure_celsius("tas", tas)
        return tas

    lazy = core((field() + 273.15).assign_attrs(units="degC").chunk(time=1))
    with pytest.raises(UnitsError, match="degC was found"):
        lazy.compute(scheduler="synchronous")
