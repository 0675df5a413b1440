"""Probability, zones, region and area."""

import dask
import numpy as np
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st

from geotools.errors import DataError, UnitsError, UsageError
from geotools.permafrost import permafrost_extent, permafrost_probability, permafrost_zone


def refuse(*args, **kwargs):
    pytest.fail("something was computed early")


def field(values, units="1"):
    return xr.DataArray(values, dims="cell", attrs={"units": units})


@pytest.mark.parametrize(
    ("magt", "sd", "expected"), [(-2.0, 2.0, 0.841345), (-0.5, 1.5, 0.630559), (0.0, 3.0, 0.5)]
)
def test_probability(magt, sd, expected):
    assert round(permafrost_probability(magt, sd), 6) == expected


@given(st.floats(-20, 20), st.floats(0, 5), st.floats(0.1, 5))
def test_warmer_is_never_more_probable(magt, warming, sd):
    assert permafrost_probability(magt + warming, sd) <= permafrost_probability(magt, sd)


@pytest.mark.parametrize(
    ("probability", "zone"),
    [
        (0, 0),
        (0.0099, 0),
        (0.01, 1),
        (0.0999, 1),
        (0.1, 2),
        (0.4999, 2),
        (0.5, 3),
        (0.8999, 3),
        (0.9, 4),
        (1, 4),
    ],
)
def test_zones(probability, zone):
    assert permafrost_zone(probability) == zone
    assert type(permafrost_zone(probability)) is int


def test_missing_is_no_class():
    out = permafrost_zone(field([0.95, np.nan]))
    assert out.dtype == np.int8
    np.testing.assert_array_equal(out, [4, -1])
    np.testing.assert_array_equal(out.attrs["flag_values"], [0, 1, 2, 3, 4])
    assert out.attrs["flag_meanings"] == "none isolated sporadic discontinuous continuous"
    assert out.encoding["_FillValue"] == -1


def test_zones_survive_a_file(tmp_path):
    permafrost_zone(field([0.95, np.nan])).to_netcdf(tmp_path / "zone.nc")
    with xr.open_dataarray(tmp_path / "zone.nc") as back:
        np.testing.assert_array_equal(back, [4.0, np.nan])
    with xr.open_dataarray(tmp_path / "zone.nc", mask_and_scale=False) as raw:
        assert raw.dtype == np.int8


def test_region_and_area_differ():
    extent = permafrost_extent(np.array([0.0, 0.05, 0.95, np.nan]), np.array([10.0, 10.0, 10.0, 10.0]))
    assert extent == (20.0, 10.0, 0.75)


def test_no_data_is_not_no_permafrost():
    extent = permafrost_extent(np.array([np.nan]), np.array([10.0]))
    assert np.isnan(extent.region_area)
    assert np.isnan(extent.permafrost_area)
    assert extent.valid_fraction == 0.0


def test_every_kind_of_input_gives_the_same():
    p, a = field([0.0, 0.05, 0.95, np.nan]), field([1.0, 2.0, 3.0, 4.0], "km2")
    eager = permafrost_extent(p, a)
    with dask.config.set(scheduler=refuse):
        zone = permafrost_zone(p.chunk(cell=1))
        lazy = permafrost_extent(p.chunk(cell=1), a.chunk(cell=2))
    xr.testing.assert_allclose(lazy.compute(scheduler="synchronous"), eager)
    np.testing.assert_array_equal(zone.compute(scheduler="synchronous"), [0, 1, 4, -1])
    assert float(eager["permafrost_region_area"]) == pytest.approx(5e6)
    assert float(eager["permafrost_area"]) == pytest.approx(2.95e6)
    assert float(eager["valid_fraction"]) == pytest.approx(0.6)
    assert eager["permafrost_area"].attrs["units"] == "m2"


def test_dimensions_without_area_stay():
    p = xr.DataArray([[0.0, 1.0], [1.0, 1.0]], dims=("time", "cell"))
    out = permafrost_extent(p, field([1.0, 1.0], "m2"))
    np.testing.assert_array_equal(out["permafrost_area"], [1.0, 2.0])


@pytest.mark.parametrize(
    ("call", "error", "text"),
    [
        (lambda: permafrost_probability(-2.0, 0.0), DataError, "standard deviation in K"),
        (lambda: permafrost_probability(271.0, 2.0), UnitsError, "subtract 273.15"),
        (lambda: permafrost_zone(84.0), DataError, "divide percentages by 100"),
        (lambda: permafrost_extent(np.array([50.0]), np.array([1.0])), DataError, "divide percentages"),
        (lambda: permafrost_extent(np.array([0.5]), np.array([-1.0])), DataError, "argument 'area'"),
        (
            lambda: permafrost_extent(field([0.5]), np.array([1.0])),
            UsageError,
            "only one of probability and area",
        ),
    ],
)
def test_what_cannot_be_is_refused(call, error, text):
    with pytest.raises(error, match=text):
        call()
