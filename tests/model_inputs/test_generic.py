"""Files for models: complete metadata, the same values in both formats."""

import numpy as np
import pytest
import xarray as xr
from pyproj import CRS

from geotools.errors import DataError
from geotools.model_inputs import prepare, write_netcdf, write_zarr

GLOBALS = {"title": "t", "summary": "s", "licence": "l", "source": "x", "history": "h"}


@pytest.fixture
def fields():
    values = np.arange(12.0).reshape(2, 2, 3)
    values[0, 0, 0] = np.nan
    return xr.Dataset(
        {
            "tas": (("lat", "lon", "time"), values.transpose(1, 2, 0), {"units": "degC", "long_name": "air"}),
            "zone": (
                ("lat", "lon"),
                np.array([[0, 1, -1], [1, 1, 0]], dtype="int8"),
                {"units": "1", "long_name": "z"},
            ),
            "share": (("basin", "lat", "lon"), np.ones((2, 2, 3)), {"units": "1", "long_name": "share"}),
            "crs": ((), 0, CRS.from_epsg(4326).to_cf()),
        },
        coords={
            "time": np.array(["2001-01-15", "2001-02-15"], dtype="datetime64[ns]"),
            "lat": [60.0, 61.0],
            "lon": [120.0, 121.0, 122.0],
            "basin": ["lena", "amur"],
        },
    )


def test_bounds_extent_and_conventions_are_written(fields):
    out = prepare(fields, **GLOBALS)
    assert out["lat_bnds"].values.tolist() == [[59.5, 60.5], [60.5, 61.5]]
    assert out.attrs["geospatial_lon_min"] == 119.5
    assert out.attrs["geospatial_lat_max"] == 61.5
    assert out.attrs["Conventions"] == "CF-1.11, ACDD-1.3"
    assert out["lat"].attrs["bounds"] == "lat_bnds"


def test_text_labels_become_auxiliary_coordinates(fields):
    out = prepare(fields, **GLOBALS)
    assert "basin" not in out.coords
    assert out["basin_name"].dims == ("basin",)
    assert out["basin_name"].values.tolist() == ["lena", "amur"]


def test_time_comes_first_and_the_grid_last(fields):
    out = prepare(fields, **GLOBALS)
    assert out["tas"].dims == ("time", "lat", "lon")
    assert out["share"].dims == ("basin", "lat", "lon")


def test_both_formats_hold_the_same_values_with_missing_ones(fields, tmp_path):
    out = prepare(fields, **GLOBALS)
    write_netcdf(out, tmp_path / "a.nc")
    write_zarr(out, tmp_path / "a.zarr")
    with xr.open_dataset(tmp_path / "a.nc") as one, xr.open_zarr(tmp_path / "a.zarr") as two:
        for name in ("tas", "zone", "share", "lat_bnds"):
            np.testing.assert_array_equal(one[name].values, two[name].values)
        assert np.isnan(one["tas"].values[0, 0, 0])
        assert np.isnan(one["zone"].values[0, 2])
        assert one["time"].values.tolist() == fields["time"].values.tolist()


def test_a_missing_global_attribute_is_named(fields):
    with pytest.raises(DataError, match="global attributes are missing: licence"):
        prepare(fields, **{**GLOBALS, "licence": ""})


@pytest.mark.parametrize("attribute", ["units", "long_name"])
def test_a_field_without_units_or_name_is_refused(fields, attribute):
    del fields["tas"].attrs[attribute]
    with pytest.raises(DataError, match=f"variable 'tas' has no {attribute}"):
        prepare(fields, **GLOBALS)
