"""What files are turned into: canonical names, axes, missing values and units, with a record of every change."""

from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from geotools.catalog import Entry, open_entry
from geotools.errors import CRSError, DataError, UnitsError, UsageError


def climate(lat, lon, values=-5.0, *, units="degC", **attrs):
    field = np.full((12, len(lat), len(lon)), values, dtype="float32")
    return xr.Dataset(
        {"t2m": (("time", "latitude", "longitude"), field, {"units": units, **attrs})},
        coords={
            "time": ("time", np.arange(12), {"units": "days since 2000-01-01"}),
            "latitude": ("latitude", lat, {"units": "degrees_north"}),
            "longitude": ("longitude", lon, {"units": "degrees_east"}),
        },
    )


def opened(path: Path, **variable):
    return open_entry(Entry(path=path, variables={"tas": {"name": "t2m", **variable}}))


@pytest.fixture
def netcdf(tmp_path):
    def write(data, name="climate.nc", **options):
        path = tmp_path / name
        data.to_netcdf(path, **options)
        return path

    return write


def test_longitude_0_360_and_descending_latitude_are_normalised_and_recorded(netcdf):
    data = climate([70.0, 60.0, 50.0], [100.0, 140.0, 180.0, 220.0])
    data["t2m"][:] = np.arange(12)[None, :].reshape(1, 3, 4)
    out = opened(netcdf(data))
    assert out["lat"].values.tolist() == [50.0, 60.0, 70.0]
    assert out["lon"].values.tolist() == [-180.0, -140.0, 100.0, 140.0]
    # The value that was at 50N, 220E (row 2, column 3 of the file) is now at 50N, 140W.
    assert out["tas"].sel(lat=50, lon=-140).values[0] == 11.0
    assert "longitude moved from 0-360" in out.attrs["history"]
    assert "lat sorted into ascending order" in out.attrs["history"]


def test_kelvin_with_a_right_attribute_is_converted(netcdf):
    out = opened(netcdf(climate([60.0, 61.0], [120.0, 121.0], 273.15, units="K")))
    np.testing.assert_allclose(out["tas"].values, 0.0, atol=1e-4)
    assert out["tas"].attrs["units"] == "degC"
    assert "converted from 'K' to 'degC'" in out.attrs["history"]


def test_units_attribute_that_contradicts_the_values_is_refused_with_the_way_out(netcdf):
    path = netcdf(climate([60.0, 61.0], [120.0, 121.0], -12.0, units="K"))
    with pytest.raises(
        UnitsError,
        match=r"'tas' says its units are 'K', but its values run from -12 to -12.*set `units: degC`",
    ):
        opened(path)
    out = opened(path, units="degC")
    np.testing.assert_allclose(out["tas"].values, -12.0)
    assert "units attribute 'K' overridden by 'degC'" in out.attrs["history"]


def test_kelvin_under_the_name_of_degrees_celsius_is_refused(netcdf):
    path = netcdf(climate([60.0, 61.0], [120.0, 121.0], 255.0, units="degC"))
    with pytest.raises(
        UnitsError, match=r"values run from 255 to 255.*if the values are really in 'K', set `units: K`"
    ):
        opened(path)


def test_undeclared_missing_value_code_is_refused_and_can_be_declared(netcdf):
    data = climate([60.0, 61.0], [120.0, 121.0])
    data["t2m"][:, 0, 0] = -9999.0
    path = netcdf(data)
    with pytest.raises(UnitsError, match=r"if -9999 means missing, set `nodata: -9999`"):
        opened(path)
    out = opened(path, nodata=-9999)
    assert np.isnan(out["tas"].values[:, 0, 0]).all()
    assert "-9999 read as missing" in out.attrs["history"]


def test_integer_nodata_of_a_geotiff_is_missing_and_never_averaged_in(tmp_path):
    import rasterio
    from rasterio.transform import from_origin

    path = tmp_path / "classes.tif"
    values = np.array([[1, 2], [255, 3]], dtype="uint8")
    with rasterio.open(path, "w", driver="GTiff", width=2, height=2, count=1, dtype="uint8", nodata=255,
                       crs="EPSG:4326", transform=from_origin(120, 62, 1, 1)) as file:  # fmt: skip
        file.write(values, 1)
    entry = Entry(path=path, variables={"land_cover": {"name": "band_1", "flags": {1: "a", 2: "b", 3: "c"}}})
    out = open_entry(entry)["land_cover"]
    assert out.dims == ("lat", "lon")
    np.testing.assert_array_equal(out.values, [[np.nan, 3], [1, 2]])


def test_raster_without_crs_is_refused_and_one_can_be_given(tmp_path):
    data = xr.Dataset(
        {"csoil": (("y", "x"), np.ones((2, 2)), {"units": "kg m-2"})},
        coords={"y": [2.0, 1.0], "x": [1.0, 2.0]},
    )
    path = tmp_path / "stock.nc"
    data.to_netcdf(path)
    with pytest.raises(CRSError, match=r"names no coordinate reference system.*set `crs: EPSG"):
        open_entry(Entry(path=path, variables={"csoil": {}}))
    out = open_entry(Entry(path=path, crs="EPSG:6931", variables={"csoil": {}}))
    assert "CRS EPSG:6931 taken from the catalogue entry" in out.attrs["history"]
    assert out["y"].values.tolist() == [1.0, 2.0]


def test_raster_in_another_crs_keeps_its_own_grid(tmp_path):
    import rasterio
    from rasterio.transform import from_origin

    path = tmp_path / "polar.tif"
    with rasterio.open(path, "w", driver="GTiff", width=4, height=3, count=1, dtype="float32", crs="EPSG:3995",
                       transform=from_origin(0, 3000, 1000, 1000)) as file:  # fmt: skip
        file.write(np.ones((3, 4), dtype="float32"), 1)
    out = open_entry(Entry(path=path, variables={"csoil": {"name": "band_1", "units": "kg m-2"}}))
    assert out["csoil"].dims == ("y", "x")
    assert "Stereographic" in out["crs"].attrs["crs_wkt"]


def test_entry_that_contradicts_the_crs_of_the_file_is_refused(tmp_path):
    import rasterio
    from rasterio.transform import from_origin

    path = tmp_path / "polar.tif"
    with rasterio.open(path, "w", driver="GTiff", width=2, height=2, count=1, dtype="float32", crs="EPSG:3995",
                       transform=from_origin(0, 2000, 1000, 1000)) as file:  # fmt: skip
        file.write(np.ones((2, 2), dtype="float32"), 1)
    with pytest.raises(CRSError, match="the file says its CRS is"):
        open_entry(
            Entry(path=path, crs="EPSG:4326", variables={"csoil": {"name": "band_1", "units": "kg m-2"}})
        )


def test_truncated_netcdf_is_named_as_such(netcdf):
    path = netcdf(climate([60.0, 61.0], [120.0, 121.0]))
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(DataError, match=r"cannot be opened as netcdf.*probably truncated"):
        opened(path)


def test_geotiff_cut_in_the_middle_is_named_as_such(tmp_path):
    import rasterio
    from rasterio.transform import from_origin

    path = tmp_path / "cut.tif"
    values = np.random.default_rng(0).normal(size=(600, 600)).astype("float32")
    with rasterio.open(path, "w", driver="GTiff", width=600, height=600, count=1, dtype="float32", crs="EPSG:4326",
                       compress="deflate", transform=from_origin(100, 70, 0.01, 0.01)) as file:  # fmt: skip
        file.write(values, 1)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(DataError, match="probably truncated"):
        open_entry(Entry(path=path, variables={"tas": {"name": "band_1", "units": "degC"}}))


def test_field_without_any_valid_value_is_refused(netcdf):
    with pytest.raises(DataError, match="no valid value at all"):
        opened(netcdf(climate([60.0, 61.0], [120.0, 121.0], np.nan)))


def test_missing_file_names_the_nearest_one(tmp_path):
    (tmp_path / "climate.nc").write_bytes(b"")
    with pytest.raises(
        UsageError,
        match=r"climat\.nc: the file does not exist; expected a known name; the nearest is 'climate\.nc'",
    ):
        opened(tmp_path / "climat.nc")


def test_unknown_variable_names_those_of_the_file(netcdf):
    path = netcdf(climate([60.0, 61.0], [120.0, 121.0]))
    with pytest.raises(UsageError, match="there is no variable 'temp'; expected one of t2m"):
        open_entry(Entry(path=path, variables={"tas": {"name": "temp"}}))


def test_unknown_canonical_name_is_refused(netcdf):
    path = netcdf(climate([60.0, 61.0], [120.0, 121.0]))
    with pytest.raises(UsageError, match="unknown canonical variable 'temperature'"):
        open_entry(Entry(path=path, variables={"temperature": {"name": "t2m"}}))


def flux(values=2.0, **attrs):
    """A variable that geotools has no name for."""
    data = climate([60.0, 61.0], [120.0, 121.0], values, units="g m-2 yr-1").isel(time=0, drop=True)
    data["t2m"].attrs |= attrs
    return data


def opened_flux(path, **source):
    return open_entry(Entry(path=path, variables={"ch4_flux": {"name": "t2m", **source}}))["ch4_flux"]


def test_a_variable_of_another_kind_keeps_its_values_units_and_words(netcdf):
    field = opened_flux(netcdf(flux(standard_name="a_name")), long_name="methane flux", valid=(-1.0, 5.0))
    assert (field.values == 2.0).all()
    assert field.attrs["units"] == "g m-2 yr-1"
    assert field.attrs["long_name"] == "methane flux"
    assert field.attrs["standard_name"] == "a_name"
    assert "standard_name" not in opened_flux(netcdf(flux(), "b.nc"), long_name="methane flux").attrs


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ({"units": "unknowable"}, "units 'unknowable' cannot be read"),
        ({"valid": (3.0, 5.0)}, "run from 2 to 2; expected 3 to 5 g m-2 yr-1"),
    ],
)
def test_a_variable_of_another_kind_with_impossible_units_or_values_is_refused(netcdf, source, message):
    with pytest.raises(UnitsError, match=message):
        opened_flux(netcdf(flux()), long_name="methane flux", **source)


def test_a_variable_of_another_kind_without_units_is_refused(netcdf):
    data = flux()
    del data["t2m"].attrs["units"]
    with pytest.raises(UnitsError, match="no units attribute"):
        opened_flux(netcdf(data), long_name="methane flux")


def test_a_plausible_range_is_not_put_in_place_of_a_known_one(netcdf):
    with pytest.raises(UsageError, match="'tas' has a plausible range already"):
        opened(netcdf(climate([60.0, 61.0], [120.0, 121.0])), valid=(-300.0, 300.0))
    with pytest.raises(ValueError, match="5 is not below the greatest, 1"):
        Entry(path="a.nc", variables={"ch4_flux": {"long_name": "x", "valid": (5.0, 1.0)}})


def test_words_of_the_entry_come_before_those_of_a_known_variable(netcdf):
    out = opened(netcdf(climate([60.0, 61.0], [120.0, 121.0])), long_name="air at the mast")
    assert out["tas"].attrs["long_name"] == "air at the mast"
    assert out["tas"].attrs["standard_name"] == "air_temperature"


def test_units_attribute_that_is_missing_is_refused(netcdf):
    data = climate([60.0, 61.0], [120.0, 121.0])
    del data["t2m"].attrs["units"]
    with pytest.raises(UnitsError, match="no units attribute"):
        opened(netcdf(data))


@pytest.mark.parametrize(("units", "value"), [("mm d-1", 2.0), ("m d-1", 0.002), ("kg m-2 s-1", 2.0 / 86400)])
def test_precipitation_as_a_depth_or_a_mass_is_the_same(netcdf, units, value):
    path = netcdf(climate([60.0, 61.0], [120.0, 121.0], value, units=units))
    out = open_entry(Entry(path=path, variables={"pr": {"name": "t2m"}}))["pr"]
    np.testing.assert_allclose(out.values, 2.0, rtol=1e-5)
    assert out.attrs["units"] == "kg m-2 d-1"


def test_precipitation_per_month_is_refused_since_a_month_has_no_fixed_length(netcdf):
    path = netcdf(climate([60.0, 61.0], [120.0, 121.0], 30.0, units="mm month-1"))
    with pytest.raises(UnitsError, match=r"'mm month-1' count by the month.*divide monthly totals"):
        open_entry(Entry(path=path, variables={"pr": {"name": "t2m"}}))


def test_a_snow_depth_is_no_depth_of_water(netcdf):
    path = netcdf(climate([60.0, 61.0], [120.0, 121.0], 0.3, units="m"))
    with pytest.raises(UnitsError, match="cannot be converted"):
        open_entry(Entry(path=path, variables={"snw": {"name": "t2m"}}))


def test_duplicate_coordinates_are_refused(netcdf):
    with pytest.raises(DataError, match="holds the same value twice"):
        opened(netcdf(climate([60.0, 60.0], [120.0, 121.0])))


def test_coordinates_with_missing_values_are_refused(netcdf):
    with pytest.raises(DataError, match="'lat' holds missing values"):
        opened(netcdf(climate([60.0, np.nan], [120.0, 121.0])))


def test_opening_reads_lazily(netcdf):
    assert opened(netcdf(climate([60.0, 61.0], [120.0, 121.0])))["tas"].chunks is not None


def test_climatology_bounds_are_kept_since_february_hangs_on_them():
    from geotools.catalog import open_catalog

    data = open_catalog().open("era5_climatology")
    assert "climatology_bounds" in data.coords
