"""Unit conversion at function boundaries."""

import numpy as np
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st

from geotools.errors import UnitsError
from geotools.units import conversion, convert, parse_quantity, times_area, units_of


@pytest.mark.parametrize(
    ("source", "target", "value", "expected"),
    [
        ("K", "degC", 273.15, 0.0),
        ("degC", "K", -40.0, 233.15),
        ("°C", "degC", 5.0, 5.0),
        ("kg m-2 s-1", "kg m-2 d-1", 1.0, 86400.0),
        ("degC d", "K d", 100.0, 100.0),
        ("g cm-3", "kg m-3", 0.2, 200.0),
        ("km2", "m2", 1.0, 1e6),
        ("percent", "1", 50.0, 0.5),
    ],
)
def test_conversions(source, target, value, expected):
    scale, offset = conversion(source, target)
    assert value * scale + offset == pytest.approx(expected)


@pytest.mark.parametrize(("source", "target"), [("m", "kg"), ("kg m-2 d-1", "mm d-1"), ("degC", "m")])
def test_other_dimensions_are_refused(source, target):
    with pytest.raises(UnitsError, match="cannot be converted"):
        conversion(source, target)


def test_unreadable_units_are_refused():
    with pytest.raises(UnitsError, match="cannot be read"):
        conversion("no such unit", "m")


def test_convert_is_lazy_and_keeps_the_input():
    field = xr.DataArray(np.array([280.0]), dims="x", attrs={"units": "K"}).chunk(x=1)
    out = convert(field, "degC")
    assert out.chunks is not None
    assert out.attrs["units"] == "degC"
    assert field.attrs["units"] == "K"
    assert float(out[0]) == pytest.approx(6.85)


def test_units_are_required():
    with pytest.raises(UnitsError, match="variable 'tas': no units attribute"):
        units_of(xr.DataArray(1.0, name="tas"))


@given(st.floats(-90, 60))
def test_there_and_back(value):
    there, back = conversion("degC", "K"), conversion("K", "degC")
    assert (value * there[0] + there[1]) * back[0] + back[1] == pytest.approx(value, abs=1e-9)


def test_a_text_without_number_is_refused():
    with pytest.raises(UnitsError, match="is not a quantity"):
        parse_quantity("warm degC", "degC")


def test_amounts_are_no_densities():
    with pytest.raises(UnitsError, match="not a density"):
        times_area("kg")
