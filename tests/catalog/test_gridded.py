"""NetCDF and Zarr as they are opened: lazily, quietly, and with an error that names what is broken."""

import warnings

import numpy as np
import pytest
import xarray as xr

from geotools.catalog.checks import value_range
from geotools.catalog.readers import netcdf
from geotools.errors import DataError


def field():
    values = np.arange(24.0, dtype="f4").reshape(2, 3, 4)
    return xr.Dataset(
        {"tas": (("time", "lat", "lon"), values, {"units": "degC"})},
        coords={"time": [0, 1], "lat": [60.0, 61.0, 62.0], "lon": [120.0, 121.0, 122.0, 123.0]},
    )


@pytest.mark.filterwarnings("ignore:Consolidated metadata is currently not part")
@pytest.mark.parametrize("consolidated", [True, False])
@pytest.mark.parametrize("version", [2, 3])
def test_zarr_of_both_versions_opens_quietly_with_and_without_metadata_in_one_place(
    tmp_path, version, consolidated
):
    store = tmp_path / "field.zarr"
    field().to_zarr(store, zarr_format=version, consolidated=consolidated)
    opened = netcdf.read(store, "zarr")
    assert opened["tas"].chunks is not None
    xr.testing.assert_equal(opened.compute(), field())


def test_netcdf_opens_lazily(tmp_path):
    field().to_netcdf(tmp_path / "field.nc")
    opened = netcdf.read(tmp_path / "field.nc", "netcdf")
    assert opened["tas"].chunks is not None
    xr.testing.assert_equal(opened.compute(), field())


def test_stores_that_are_broken_are_named(tmp_path):
    empty, cut, text = tmp_path / "empty.zarr", tmp_path / "cut.zarr", tmp_path / "text.nc"
    empty.mkdir()
    field().to_zarr(cut, zarr_format=3, consolidated=False)
    about = cut / "zarr.json"
    about.write_bytes(about.read_bytes()[:10])
    text.write_text("no grid")
    for path, kind in ((empty, "zarr"), (cut, "zarr"), (text, "netcdf")):
        with pytest.raises(DataError, match=rf"{path.name}.*cannot be opened as {kind}"):
            netcdf.read(path, kind)


@pytest.mark.parametrize("dtype", ["f4", "f8", "i2"])
def test_the_range_of_a_field_leaves_out_what_is_missing_and_gives_no_warning_to_silence(dtype, monkeypatch):
    # Warnings are errors in these tests, and what silences them may meet another thread: here it never works.
    for name in ("filterwarnings", "simplefilter"):
        monkeypatch.setattr(warnings, name, lambda *_, **__: None)
    values = np.arange(-4, 20).reshape(4, 6).astype(dtype)
    field = xr.DataArray(values, dims=("y", "x"), name="x")
    if dtype != "i2":
        # A chunk without any data, as at sea.
        field[:2, :3] = np.nan
        field[2, 5] = np.nan
    wanted = (-1.0, 19.0) if dtype != "i2" else (-4.0, 19.0)
    assert value_range(field, where="x.nc") == wanted
    assert value_range(field.chunk(y=2, x=3), where="x.nc") == wanted
    nothing = value_range(xr.full_like(field, np.nan, dtype="f4").chunk(y=2), where="x.nc")
    assert np.isnan(nothing).all()
