"""The ERA5 climatology: right units, right places, CF."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from builders import climate
from builders.common import SourceError

DAYS = xr.DataArray([31, 28.25, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31], dims="time")


@pytest.fixture(scope="module")
def era5(data: Path):
    with xr.open_dataset(data / "climate" / "era5_monthly_climatology.nc") as dataset:
        yield dataset


@pytest.mark.parametrize(
    ("lat", "lon", "january", "july", "precipitation"),
    [
        pytest.param(62.0, 129.75, -38.0, 19.9, 277, id="Yakutsk"),
        pytest.param(45.75, 126.75, -18.3, 23.7, 654, id="Harbin"),
    ],
)
def test_known_places(era5, lat, lon, january, july, precipitation):
    place = era5.sel(lat=lat, lon=lon)
    assert float(place.tas[0]) == pytest.approx(january, abs=0.06)
    assert float(place.tas[6]) == pytest.approx(july, abs=0.06)
    assert float((place.pr * DAYS).sum()) == pytest.approx(precipitation, abs=0.6)


def test_tiksi_annual_mean(era5):
    place = era5.tas.sel(lat=71.75, lon=128.75)
    assert float((place * DAYS).sum() / 365.25) == pytest.approx(-11.7, abs=0.06)


def test_grid(era5):
    assert era5.tas.dims == ("time", "lat", "lon")
    assert dict(era5.sizes) == {"time": 12, "lat": 221, "lon": 301, "nv": 2}
    np.testing.assert_array_equal(era5.lat, np.linspace(20, 75, 221))
    np.testing.assert_array_equal(era5.lon, np.linspace(70, 145, 301))
    np.testing.assert_array_equal(era5.lat_bnds[0], [19.875, 20.125])
    np.testing.assert_array_equal(era5.lon_bnds[-1], [144.875, 145.125])


def test_no_gaps_and_plausible_range(era5):
    assert era5.tas.dtype == np.float32
    assert not era5.tas.isnull().any()
    assert not era5.pr.isnull().any()
    assert -60 < float(era5.tas.min()) < float(era5.tas.max()) < 45
    assert float(era5.pr.min()) >= 0
    # Cherrapunji is in the domain; 100 mm a day in the wettest month is not too much there.
    assert 20 < float(era5.pr.max()) < 120


def test_metadata(era5):
    assert era5.tas.attrs["units"] == "degC"
    assert era5.tas.attrs["standard_name"] == "air_temperature"
    assert era5.pr.attrs["units"] == "kg m-2 d-1"
    assert era5.pr.attrs["standard_name"] == "precipitation_flux"
    for name in ("tas", "pr"):
        assert era5[name].attrs["cell_methods"].endswith("time: mean within years time: mean over years")
        assert "crs" in (
            era5[name].attrs.get("grid_mapping"),
            era5[name].encoding.get("grid_mapping"),
        )
    assert era5.attrs["Conventions"].startswith("CF-1.11")
    assert "'K' -> 'degC'" in era5.attrs["history"]
    assert "'m' -> 'mm month-1'" in era5.attrs["history"]


def test_climatological_time(era5):
    months = era5.time.dt.month.values
    np.testing.assert_array_equal(months, np.arange(1, 13))
    bounds = era5.climatology_bounds.values.astype("M8[D]")
    np.testing.assert_array_equal(
        bounds[[0, 1, 11]],
        np.array(
            [
                ["2000-01-01", "2025-02-01"],
                ["2000-02-01", "2025-03-01"],
                ["2000-12-01", "2026-01-01"],
            ],
            "M8[D]",
        ),
    )


def mislabelled(temperature=(-38.0, 19.9), rain=(5.0, 120.0)) -> xr.Dataset:
    """A field with the attributes of the pinned file."""
    dims = ("month", "point")
    return xr.Dataset(
        {
            "t2m": (
                dims,
                np.array([temperature]),
                {"units": "K", "long_name": "2 metre temperature"},
            ),
            "tp": (dims, np.array([rain]), {"units": "m"}),
        }
    )


def test_wrong_attributes_are_corrected():
    source = mislabelled()
    corrected = climate.correct_units(source)
    assert corrected.t2m.attrs == {"units": "degC", "long_name": "2 metre temperature"}
    assert corrected.tp.attrs["units"] == "mm month-1"
    np.testing.assert_array_equal(corrected.t2m, source.t2m)
    np.testing.assert_array_equal(corrected.tp, source.tp)
    assert source.t2m.attrs["units"] == "K", "the input must not change"


def test_correcting_twice_is_refused():
    with pytest.raises(SourceError, match="units attribute is 'degC'"):
        climate.correct_units(climate.correct_units(mislabelled()))


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"temperature": (235.0, 293.0)}, "are kelvin as the attribute says"),
        ({"temperature": (-38.0, 70.0)}, "do not look like degC"),
        ({"rain": (0.005, 0.12)}, "are metres as the attribute says"),
        ({"rain": (-5.0, 120.0)}, "do not look like mm per month"),
    ],
)
def test_other_values_are_refused(values, message):
    with pytest.raises(SourceError, match=message):
        climate.correct_units(mislabelled(**values))


def test_crop_turns_0_360_and_descending_latitude():
    lat = np.arange(90.0, -91.0, -5.0)
    lon = np.arange(0.0, 360.0, 5.0)
    field = lat[:, None] * 1000 + lon[None, :]
    source = xr.Dataset({"t2m": (("latitude", "longitude"), field)}, {"latitude": lat, "longitude": lon})
    cropped = climate.crop(source)
    np.testing.assert_array_equal(cropped.latitude, np.arange(20.0, 76.0, 5.0))
    np.testing.assert_array_equal(cropped.longitude, np.arange(70.0, 146.0, 5.0))
    assert float(cropped.t2m.sel(latitude=60, longitude=130)) == 60_130


def test_round_to_bits():
    values = np.array([0.0, 1.0, 1.0 + 2**-12, 123.456])
    rounded = climate.round_to_bits(values, 12)
    assert rounded.dtype == np.float32
    np.testing.assert_allclose(rounded, values, rtol=2**-12)
    assert rounded[2] == 1.0
