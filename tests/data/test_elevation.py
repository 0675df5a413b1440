"""ETOPO5 heights: grid, known places, the sea left out, and how far they can be trusted."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import shapely
import xarray as xr
from builders import elevation
from builders.common import SourceError

import geotools


@pytest.fixture(scope="module")
def heights(data: Path):
    with xr.open_dataset(data / "elevation" / "etopo5.nc") as source:
        yield source["orog"].load()


def around(field: xr.DataArray, lat: float, lon: float, degrees: float) -> xr.DataArray:
    return field.sel(lat=slice(lat - degrees, lat + degrees), lon=slice(lon - degrees, lon + degrees))


@pytest.mark.parametrize(
    ("lat", "lon", "low", "high"),
    [
        # Heights of the towns by their airports: 99, 95, 681, 6, 140 m; of Belukha 4506 m, of Lake Baikal 456 m.
        pytest.param(62.03, 129.73, 80, 200, id="Yakutsk"),
        pytest.param(66.77, 123.37, 50, 200, id="Zhigansk"),
        pytest.param(58.60, 125.40, 600, 1200, id="Aldan highlands"),
        pytest.param(71.64, 128.87, 0, 250, id="Tiksi"),
        pytest.param(45.75, 126.65, 100, 220, id="Harbin"),
        pytest.param(49.80, 86.60, 2000, 4600, id="Belukha"),
        pytest.param(53.30, 107.70, 450, 470, id="the surface of Lake Baikal"),
    ],
)
def test_known_heights(heights, lat, lon, low, high):
    assert low <= float(around(heights, lat, lon, 0.13).median()) <= high


def test_grid_is_that_of_whole_twelfths(heights):
    np.testing.assert_array_equal(heights.lat, 20 + np.arange(661) / 12)
    np.testing.assert_array_equal(heights.lon, 70 + np.arange(901) / 12)


def test_the_sea_is_missing_and_no_land_lies_below_it(heights):
    assert around(heights, 55.0, 144.0, 0.5).isnull().all(), "Sea of Okhotsk"
    assert around(heights, 74.5, 125.0, 0.3).isnull().all(), "Laptev Sea"
    assert float(heights.min()) == 0
    assert 7000 < float(heights.max()) < 8850
    assert 0.79 < float(heights.notnull().mean()) < 0.82


def test_the_catalogue_gives_cf_attributes(heights):
    field = geotools.open_catalog().open("etopo5")["orog"]
    assert field.attrs["standard_name"] == "surface_altitude"
    assert field.attrs["units"] == "m"
    assert field.attrs["cell_methods"] == "area: point"
    xr.testing.assert_equal(field.compute().drop_vars("crs"), heights.drop_vars("crs", errors="ignore"))


def test_the_file_says_what_it_is_not_good_for(data):
    with xr.open_dataset(data / "elevation" / "etopo5.nc") as source:
        assert source.attrs["Conventions"].startswith("CF-1.11")
        assert "set missing" in source.attrs["history"]
        assert "Not for slopes" in source.attrs["comment"]


def world(change=lambda values: values) -> xr.DataArray:
    values = change(np.full((2161, 4320), 250.0, dtype="float32"))
    lat = np.linspace(-90, 90, 2161)
    lon = np.linspace(0, 360 - 1 / 12, 4320)
    return xr.DataArray(
        values, dims=elevation.AXES, coords=dict(zip(elevation.AXES, (lat, lon), strict=True))
    )


def test_the_domain_is_cut_where_its_twelfths_are():
    def mark(values):
        # 62N 130E.
        values[(62 + 90) * 12, 130 * 12] = 99.0
        return values

    cut = elevation.crop(world(mark))
    assert cut.shape == (661, 901)
    assert cut[(62 - 20) * 12, (130 - 70) * 12] == 99.0
    assert (cut == 99.0).sum() == 1


def test_cells_off_the_land_and_below_the_sea_are_missing():
    values = elevation.crop(world())
    values[:, :400] = -10.0
    known = elevation.without_sea(values, shapely.box(80, 30, 140, 60))
    lat, lon = elevation.centres(20, 75), elevation.centres(70, 145)
    # 400 columns are 33.3 degrees.
    inside = ((lat > 30) & (lat < 60))[:, None] & ((lon > 103.3) & (lon < 140))
    np.testing.assert_array_equal(np.isfinite(known), inside)


@pytest.mark.parametrize(
    ("source", "message"),
    [
        (lambda: world()[:, :-1], "the global 5 minute grid"),
        (lambda: world().assign_coords(ETOPO05_X=np.arange(4320) / 11.9), "off the twelfths"),
        (lambda: world(lambda v: v + 0.5), "whole metres"),
        (lambda: world(lambda v: v * 100), "whole metres between -12000 and 9000"),
    ],
)
def test_a_source_of_another_grid_or_unit_is_refused(source, message):
    with pytest.raises(SourceError, match=message):
        elevation.crop(source())
