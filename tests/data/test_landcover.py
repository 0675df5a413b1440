"""MODIS land cover: grid, classes, known places."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import rasterio
from builders import landcover
from builders.common import SourceError


@pytest.fixture(scope="module")
def raster(data: Path):
    with rasterio.open(data / "landcover" / "modis_igbp_2019.tif") as source:
        yield source


@pytest.fixture(scope="module")
def values(raster) -> np.ndarray:
    return raster.read(1)


@pytest.fixture(scope="module")
def classes(data: Path) -> pd.DataFrame:
    return pd.read_csv(data / "landcover" / "igbp_classes.csv", index_col="value")


def test_grid(raster):
    assert raster.crs.to_epsg() == 4326
    assert tuple(raster.bounds) == (70, 20, 145, 75)
    assert (raster.width, raster.height) == (1500, 1100)
    assert raster.dtypes == ("uint8",)
    assert raster.nodata == 255
    assert raster.compression.name == "deflate"


def test_every_value_has_a_class_and_water_is_0(values, classes):
    assert list(classes.index) == list(range(17))
    assert classes.name[0] == "water"
    assert set(np.unique(values)) == set(range(17))
    assert classes.name.is_unique
    assert not classes.isna().any(axis=None)


@pytest.mark.parametrize(
    ("lon", "lat", "expected"),
    [
        pytest.param(107.9, 53.4, {"water"}, id="Baikal"),
        pytest.param(144.0, 55.0, {"water"}, id="Sea of Okhotsk"),
        pytest.param(126.65, 45.75, {"urban_and_built_up"}, id="Harbin"),
        pytest.param(133.0, 47.0, {"cropland"}, id="Sanjiang plain"),
        pytest.param(105.0, 43.0, {"barren"}, id="Gobi"),
        pytest.param(131.0, 61.0, {"woody_savanna", "deciduous_needleleaf_forest"}, id="taiga"),
        pytest.param(120.0, 71.5, {"open_shrubland", "grassland"}, id="tundra"),
    ],
)
def test_known_places(raster, values, classes, lon, lat, expected):
    assert classes.name[values[raster.index(lon, lat)]] in expected


def test_crop_window_is_aligned_with_the_global_grid():
    window = landcover.crop_window()
    assert (window.col_off, window.row_off, window.width, window.height) == (5000, 300, 1500, 1100)


def test_unknown_class_is_refused():
    with pytest.raises(SourceError, match=r"values \[17\]"):
        landcover.check_classes(np.array([[0, 17, 255]], "uint8"), set(range(17)))
