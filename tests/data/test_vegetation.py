"""Largest NDVI: grid, known places, water left out, and its licence."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import rasterio
import xarray as xr
from builders import vegetation
from builders.common import SourceError
from rasterio.io import MemoryFile

import geotools


@pytest.fixture(scope="module")
def ndvi(data: Path):
    with xr.open_dataset(data / "vegetation" / "ndvi_maximum.nc") as source:
        yield source["ndvi"].load()


def around(field: xr.DataArray, lat: float, lon: float, degrees: float) -> float:
    part = field.sel(lat=slice(lat - degrees, lat + degrees), lon=slice(lon - degrees, lon + degrees))
    return float(part.mean())


@pytest.mark.parametrize(
    ("lat", "lon", "expected"),
    [
        pytest.param(62.03, 129.73, 0.68, id="Yakutsk with its fields and meadows"),
        pytest.param(43.00, 105.00, 0.16, id="Gobi"),
        pytest.param(59.00, 125.00, 0.80, id="taiga of Aldan"),
        pytest.param(71.50, 128.00, 0.55, id="tundra of Tiksi"),
    ],
)
def test_known_places(ndvi, lat, lon, expected):
    assert around(ndvi, lat, lon, 0.2) == pytest.approx(expected, abs=0.05)


def test_water_is_missing_and_the_land_is_complete(ndvi, data):
    with rasterio.open(data / "landcover" / "modis_igbp_2019.tif") as cover:
        water = cover.read(1)[::-1] == 0
    np.testing.assert_array_equal(np.isnan(ndvi), water)


def test_grid_and_range(ndvi):
    assert ndvi.dtype == np.float32
    assert dict(ndvi.sizes) == {"lat": 1100, "lon": 1500}
    np.testing.assert_allclose(ndvi.lat[[0, -1]], [20.025, 74.975], rtol=1e-15)
    np.testing.assert_allclose(ndvi.lon[[0, -1]], [70.025, 144.975], rtol=1e-15)
    assert -0.2 <= float(ndvi.min()) < 0.0 < 0.99 < float(ndvi.max()) <= 1.0
    steps = (ndvi.values[np.isfinite(ndvi.values)].astype("float64") + 0.2) / 0.005
    np.testing.assert_allclose(steps, np.round(steps), atol=1e-4)


def test_the_catalogue_gives_cf_attributes(ndvi):
    field = geotools.open_catalog().open("ndvi_maximum")["ndvi"]
    assert field.attrs["standard_name"] == "normalized_difference_vegetation_index"
    assert field.attrs["units"] == "1"
    assert field.attrs["cell_methods"] == "area: mean time: maximum"
    assert field.attrs["long_name"] == "largest NDVI of a cell"
    np.testing.assert_array_equal(field.values, ndvi.values)


def test_what_is_not_known_of_the_source_is_told(data):
    with xr.open_dataset(data / "vegetation" / "ndvi_maximum.nc") as source:
        assert "neither sensor nor period" in source.attrs["comment"]


def test_the_licence_stands_beside_the_file_and_says_what_was_changed(data):
    text = (data / "vegetation" / "LICENSE-Apache-2.0.txt").read_text(encoding="utf-8")
    head, _, licence = text.partition("The text of the licence follows.")
    assert "was changed by geotools" in head
    for part in (
        "Apache License",
        "Version 2.0, January 2004",
        "4. Redistribution",
        "END OF TERMS AND CONDITIONS",
    ):
        assert part in licence


def raster(values: np.ndarray, width: int = 7200, west: float = -180.0):
    transform = rasterio.transform.from_origin(west, 90.0, 0.05, 0.05)
    file = MemoryFile()
    profile = {"driver": "GTiff", "dtype": "float32", "count": 1, "crs": "EPSG:4326", "nodata": -3000.0}
    with file.open(**profile, width=width, height=3600, transform=transform, compress="deflate") as out:
        out.write(values.astype("float32"), 1)
    return file.open()


def test_what_the_source_marks_as_missing_is_missing():
    values = np.full((3600, 7200), 0.5)
    values[300, 5000] = -3000.0
    cut = vegetation.crop(raster(values))
    assert cut.shape == (1100, 1500)
    assert np.isnan(cut[0, 0])
    assert np.isnan(cut).sum() == 1


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: raster(np.full((3600, 7200), 5000.0)), "5000 to 5000, which are no NDVI"),
        (lambda: raster(np.full((3600, 3600), 0.5), width=3600), "global 0.05 degree grid"),
        (lambda: raster(np.full((3600, 7200), 0.5), west=0.0), "global 0.05 degree grid"),
    ],
)
def test_a_source_of_another_grid_or_scale_is_refused(make, message):
    with pytest.raises(SourceError, match=message):
        vegetation.crop(make())
