import warnings

import numpy as np
import pytest
import xarray as xr
from pyproj import CRS

from geotools.errors import CRSError, DataError
from geotools.space.crs import as_crs, is_equal_area, name_of, read_crs, same_crs
from geotools.space.geodesy import areal_scale, geographic_cell_areas
from geotools.space.grid import Grid

LAT = {"units": "degrees_north"}
LON = {"units": "degrees_east"}


def field(lat, lon, *, lat_attrs=LAT, lon_attrs=LON, dims=("lat", "lon"), **attrs):
    lat, lon = np.asarray(lat), np.asarray(lon)
    return xr.DataArray(
        np.zeros((lat.size, lon.size)),
        dims=dims,
        coords={dims[0]: (dims[0], lat, lat_attrs), dims[1]: (dims[1], lon, lon_attrs)},
        name="tas",
        attrs=attrs,
    )


def test_edges_from_regular_centres():
    grid = Grid.from_dataarray(field([62.5, 61.5, 60.5], [126.5, 127.5]))
    assert grid.y_edges.tolist() == [63, 62, 61, 60]
    assert grid.x_edges.tolist() == [126, 127, 128]
    assert grid.shape == (3, 2)
    assert grid.dims == ("lat", "lon")
    assert grid.bounds == (126, 60, 128, 63)
    np.testing.assert_allclose(grid.cell_areas(), geographic_cell_areas([63, 62, 61, 60], [126, 127, 128]))


def test_float32_coordinates_of_a_fine_grid():
    lon = (70 + (np.arange(4500) + 0.5) / 60).astype("float32")
    grid = Grid.from_dataarray(field([60.5, 61.5], lon))
    assert grid.x_edges[[0, -1]] == pytest.approx([70, 145], abs=1e-4)


def test_cf_bounds_of_an_irregular_axis():
    data = field([60, 61, 64], [126.5, 127.5]).to_dataset()
    data["lat"].attrs["bounds"] = "lat_bnds"
    data["lat_bnds"] = (("lat", "bnds"), [[59.5, 60.5], [60.5, 62], [62, 66]])
    assert Grid.from_dataarray(data).y_edges.tolist() == [59.5, 60.5, 62, 66]


def test_bounds_with_a_gap():
    data = field([60, 61, 64], [126.5, 127.5]).to_dataset()
    data["lat"].attrs["bounds"] = "lat_bnds"
    data["lat_bnds"] = (("lat", "bnds"), [[59.5, 60.5], [60.5, 62], [63, 66]])
    with pytest.raises(DataError, match="'lat_bnds' leave a gap or overlap between cells 1 and 2"):
        Grid.from_dataarray(data)


def test_global_grid_with_centres_on_the_poles_ends_there():
    grid = Grid.from_dataarray(field(np.linspace(90, -90, 73), np.arange(0, 360, 5.0)))
    assert grid.y_edges[[0, -1]].tolist() == [90, -90]
    assert grid.cell_areas().sum() / 1e6 == pytest.approx(510_065_622, abs=0.5)


@pytest.mark.parametrize(
    ("lat", "lon", "message"),
    [
        (
            [60, 61, 63],
            [126, 127],
            "'lat' is irregular: its steps run from 1 to 2; expected equal steps, or CF bounds",
        ),
        ([60, np.nan], [126, 127], "'lat' holds 1 NaN"),
        ([60, 60, 61], [126, 127], "'lat' holds 60 twice"),
        ([60, 61, 60.5], [126, 127], "'lat' is not sorted"),
        ([60.0], [126, 127], "'lat' has one cell and no bounds"),
        ([60, 61], np.arange(-10.5, 360), "more than once round the Earth"),
        ([60, 61], [600, 601], "longitude edges run from 599.5 to 601.5"),
        ([89.8, 90.8], [126, 127], "latitude edges reach 91.3"),
    ],
)
def test_coordinates_that_cannot_be_cells(lat, lon, message):
    with pytest.raises(DataError, match=message):
        Grid.from_dataarray(field(lat, lon))


def test_curvilinear():
    data = xr.DataArray(np.zeros((2, 2)), dims=("j", "i"), coords={"lat": (("j", "i"), np.zeros((2, 2)))})
    with pytest.raises(DataError, match=r"lat are two-dimensional.*call CurvilinearGrid.from_dataset"):
        Grid.from_dataarray(data)


def test_no_crs_is_an_error():
    with pytest.raises(CRSError, match="'tas': the grid has no coordinate reference system"):
        Grid.from_dataarray(field([0, 1], [0, 1], lat_attrs={}, lon_attrs={}, dims=("y", "x")))


def test_names_alone_are_no_crs():
    with pytest.raises(CRSError, match="no coordinate reference system"):
        Grid.from_dataarray(field([0, 1], [0, 1], lat_attrs={}, lon_attrs={}))


@pytest.mark.parametrize("how", ["grid_mapping", "spatial_ref", "crs attribute", "cf parameters"])
def test_ways_to_say_the_crs(how):
    crs = CRS.from_epsg(3995)
    metres = {"units": "m"}
    data = field([0, 1000], [0, 1000], lat_attrs=metres, lon_attrs=metres, dims=("y", "x"))
    attrs = crs.to_cf()
    if how == "crs attribute":
        data.attrs["crs"] = "EPSG:3995"
    elif how == "spatial_ref":
        data = data.assign_coords(spatial_ref=((), 0, attrs))
    else:
        if how == "cf parameters":
            attrs.pop("crs_wkt")
        data = data.assign_coords(polar=((), 0, attrs))
        data.attrs["grid_mapping"] = "polar"
    assert same_crs(Grid.from_dataarray(data).crs, crs)


def test_comparing_two_crs_silences_no_warning_but_that_of_proj_strings(monkeypatch):
    def to_dict(crs):
        warnings.warn("of another thread", UserWarning, stacklevel=1)
        return original(crs)

    original = CRS.to_dict
    monkeypatch.setattr(CRS, "to_dict", to_dict)
    with pytest.warns(UserWarning, match="of another thread") as told:
        # Of no other test, for what was told of a CRS is remembered.
        assert not same_crs(*(CRS.from_proj4(f"+proj=laea +lat_0={lat} +lon_0=100") for lat in (51.2, 51.3)))
    assert {str(w.message) for w in told} == {"of another thread"}


def test_grid_mapping_that_did_not_come_along():
    with pytest.raises(CRSError, match=r"grid_mapping names 'polar'.*set_coords\('polar'\)"):
        Grid.from_dataarray(field([60, 61], [126, 127], grid_mapping="polar"))


def test_kilometres_become_metres():
    km = {"units": "km"}
    data = field([0, 1], [0, 2], lat_attrs=km, lon_attrs=km, dims=("y", "x"), crs="EPSG:6931")
    assert Grid.from_dataarray(data).bounds == (-1000, -500, 3000, 1500)


def test_units_that_contradict_the_crs():
    with pytest.raises(CRSError, match="has the units 'degrees_east' but the grid is in EPSG:3995"):
        Grid.from_dataarray(field([60, 61], [126, 127], crs="EPSG:3995"))
    none = {"lat_attrs": {}, "lon_attrs": {}, "dims": ("y", "x")}
    with pytest.raises(CRSError, match="too much for degrees"):
        Grid.from_dataarray(field([0, 1e5], [0, 1e5], crs="EPSG:4326", **none))


def test_a_model_on_a_sphere_is_wgs84():
    data = field([60, 61], [126, 127]).assign_coords(
        crs=((), 0, {"grid_mapping_name": "latitude_longitude", "earth_radius": 6371229.0})
    )
    assert read_crs(data, lonlat_units=True).to_epsg() == 4326


def test_cells_of_an_equal_area_projection_are_all_alike():
    areas = Grid.regular((0, -3e6, 1e6, -2e6), 1e5, "EPSG:6931").cell_areas()
    assert np.ptp(areas) == 0
    assert areas[0, 0] == 1e10
    assert not is_equal_area(CRS.from_proj4("+proj=sinu +R=6371007.181 +units=m"))


def test_polar_stereographic_cells_by_their_scale():
    grid = Grid.regular((1.0e6, 2.0e6, 1.05e6, 2.05e6), 1000, "EPSG:3995")
    from pyproj import Transformer

    lon, lat = Transformer.from_crs(3995, 4326, always_xy=True).transform(*np.meshgrid(grid.x, grid.y))
    np.testing.assert_allclose(grid.cell_areas(), 1e6 / areal_scale(3995, lat, lon), rtol=1e-7)


def test_polar_stereographic_cells_sum_to_the_outline():
    from shapely import box

    from geotools.space.geodesy import polygon_area

    grid = Grid.regular((-2e6, -3e6, 2e6, 1e6), 2e5, "EPSG:3995")
    assert grid.cell_areas().sum() == pytest.approx(polygon_area(box(*grid.bounds), "EPSG:3995"), rel=1e-7)


def test_window_and_flat_cells():
    for crs, bounds, step in (("EPSG:4326", (70, 40, 145, 75), 2.5), ("EPSG:3995", (0, 0, 1e6, 2e6), 1e5)):
        grid = Grid.regular(bounds, step, crs)
        areas = grid.cell_areas()
        cells = np.array([5, 17, 31])
        np.testing.assert_allclose(grid.areas_of(cells), areas.ravel()[cells], rtol=1e-9)
        np.testing.assert_allclose(grid.cell_areas(slice(2, 4), slice(1, 5)), areas[2:4, 1:5], rtol=1e-9)
    assert grid.areas_of(np.zeros(0, dtype="int64")).size == 0


def test_identity():
    grid = Grid.regular((126, 60, 129, 63), 1)
    assert grid == Grid.regular((126, 60, 129, 63), 1)
    assert len({grid, Grid.regular((126, 60, 129, 63), 1)}) == 1
    assert grid != Grid.regular((126, 60, 129, 63), 0.5)
    assert grid != "grid"
    assert grid.matches(Grid(grid.x_edges + 1e-4, grid.y_edges, grid.crs))
    assert not grid.matches(Grid(grid.x_edges + 0.1, grid.y_edges, grid.crs))
    assert str(grid) == "3 x 3 cells, lat 60 to 63, lon 126 to 129, EPSG:4326 (WGS 84)"


def test_edges_cannot_be_changed():
    grid = Grid.regular((126, 60, 129, 63), 1)
    with pytest.raises(ValueError, match="read-only"):
        grid.x_edges[0] = 0


def test_round_trip_through_a_field():
    for grid in (Grid.regular((126, 60, 129, 63), 1), Grid.regular((0, 0, 4e3, 2e3), 1e3, "EPSG:3995")):
        assert Grid.from_dataarray(grid.area()).matches(grid)


def test_bounds_that_are_no_whole_number_of_steps():
    with pytest.raises(DataError, match="from 60 to 63 are not a whole number of steps of 2"):
        Grid.regular((126, 60, 130, 63), 2)


def test_unsorted_edges():
    with pytest.raises(DataError, match="x_edges is neither strictly ascending nor strictly descending"):
        Grid([1, 3, 2], [0, 1], "EPSG:4326")


def test_a_crs_without_a_name_is_told_by_what_it_is():
    unnamed = {"grid_mapping_name": "latitude_longitude", "semi_major_axis": 6378137.0}
    assert name_of(as_crs(CRS.from_cf({**unnamed, "inverse_flattening": 298.257223563}))) == (
        "longitude and latitude, radius 6378.137 km, flattening 1/298.257"
    )
    sphere = CRS.from_proj4("+proj=ob_tran +o_proj=longlat +o_lon_p=0 +o_lat_p=39.25 +lon_0=18 +R=6371229")
    assert "a sphere" in name_of(sphere)
    assert name_of(as_crs("EPSG:3995")).startswith("EPSG:3995 (WGS 84")
