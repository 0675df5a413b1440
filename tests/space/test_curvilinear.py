import pickle

import affine
import geopandas as gpd
import numpy as np
import pytest
import shapely
import xarray as xr
from conftest import make_stars
from hypothesis import given, settings
from hypothesis import strategies as st
from pyproj import Transformer

from geotools.errors import DataError, GeometryError, UsageError
from geotools.space import CurvilinearGrid, Grid, Overlap
from geotools.space.geodesy import geographic_cell_areas, polygon_area

ROTATED = "+proj=ob_tran +o_proj=longlat +o_lon_p=0 +o_lat_p=39.25 +lon_0=18 +R=6371229"
LAMBERT = "+proj=lcc +lat_1=50 +lat_2=70 +lat_0=60 +lon_0=120 +datum=WGS84"


def curved(grid):
    """The corners of a rectilinear grid, as longitudes and latitudes."""
    x, y = np.meshgrid(grid.x_edges, grid.y_edges)
    if not grid.is_lonlat:
        x, y = Transformer.from_crs(grid.crs, 4326, always_xy=True).transform(x, y)
    return CurvilinearGrid(x, y)


def frame(shapes, crs=4326):
    return gpd.GeoDataFrame(geometry=list(np.atleast_1d(shapes)), crs=crs)


def crooked(seed=0, n=(5, 4), bounds=(100, 40, 120, 56), shift=0.3):
    """Cells with corners moved by up to `shift` of a cell, but not those on the outline."""
    grid = Grid(
        np.linspace(bounds[0], bounds[2], n[1] + 1), np.linspace(bounds[1], bounds[3], n[0] + 1), 4326
    )
    x, y = np.meshgrid(grid.x_edges, grid.y_edges)
    rng = np.random.default_rng(seed)
    for part, edges in ((x, grid.x_edges), (y, grid.y_edges)):
        part[1:-1, 1:-1] += shift * (edges[1] - edges[0]) * rng.uniform(-1, 1, (n[0] - 1, n[1] - 1))
    return CurvilinearGrid(x, y), shapely.box(*bounds)


def test_a_sheared_cell_by_eye():
    """A parallelogram between two parallels is as large as the rectangle between them."""
    grid = CurvilinearGrid([[0, 1, 2], [5, 6, 7]], [[10, 10, 10], [20, 20, 20]])
    np.testing.assert_allclose(grid.cell_areas(), geographic_cell_areas([10, 20], [0, 1, 2]), rtol=1e-13)
    left = frame(shapely.box(-1, 0, 0, 30))
    assert Overlap.between(left, grid).covered_fraction.item() == 0


@pytest.mark.parametrize("step", [0.25, 2.5, 5.0])
def test_corners_of_a_lonlat_grid_give_the_overlap_of_that_grid(step):
    grid = Grid.regular((70, 40, 145, 75), step)
    zones = frame(make_stars(8))
    curvilinear = curved(grid)
    np.testing.assert_allclose(curvilinear.cell_areas(), grid.cell_areas(), rtol=1e-12)
    one, other = Overlap.between(zones, curvilinear), Overlap.between(zones, grid)
    assert abs(one.area - other.area).max() < 1e-12 * grid.cell_areas().max()
    values = np.random.default_rng(0).random(grid.shape)
    np.testing.assert_allclose(one.mean(curvilinear.wrap(values)), other.mean(grid.wrap(values)), rtol=1e-12)
    np.testing.assert_allclose(one.zone_areas, polygon_area(np.array(zones.geometry)), rtol=1e-12)


def test_a_global_lonlat_grid_is_the_earth():
    for grid in (Grid.regular((0, -90, 360, 90), 2.5), Grid.regular((-180, -90, 180, 90), 5)):
        assert curved(grid).cell_areas().sum() == pytest.approx(grid.cell_areas().sum(), rel=1e-13)


@pytest.mark.parametrize("lat", [65, 80, 88])
def test_polar_cap_on_corners_of_a_polar_projection(lat):
    """A grid of two sheets with the pole inside a cell: the area of a cap is known."""
    grid = curved(Grid.regular((-4.05e6, -4.05e6, 4.05e6, 4.05e6), 1e5, "EPSG:3995"))
    assert [sheet.pole for sheet in grid.sheets] == [0, 90]
    true = geographic_cell_areas([lat, 90], [-180, 180])[0, 0]
    cap = frame(shapely.box(-180, lat, 180, 90))
    assert Overlap.between(cap, grid).matrix.row_sums[0] == pytest.approx(true, rel=2e-9)
    around = shapely.segmentize(shapely.box(-180, lat, 180, 90), 0.02).exterior.coords
    ring = [p for p in around if p[1] == lat]
    x, y = Transformer.from_crs(4326, 3995, always_xy=True).transform(*np.transpose(ring))
    drawn = frame(shapely.Polygon(np.column_stack((x, y))), 3995)
    assert Overlap.between(drawn, grid).matrix.row_sums[0] == pytest.approx(true, rel=1e-7)


def test_the_south_pole():
    grid = curved(Grid.regular((-2e6, -2e6, 2e6, 2e6), 1e5, "EPSG:3031"))
    true = geographic_cell_areas([-90, -75], [-180, 180])[0, 0]
    cap = frame(shapely.box(-180, -90, 180, -75))
    assert Overlap.between(cap, grid).matrix.row_sums[0] == pytest.approx(true, rel=2e-9)
    world = frame(shapely.box(-180, -90, 180, 90))
    assert Overlap.between(world, grid).matrix.row_sums[0] == pytest.approx(grid.cell_areas().sum(), rel=1e-9)


def test_projected_corners_against_the_grid_of_that_projection():
    """Edges are drawn along longitude and latitude, which moves them by metres: cells differ, zones hardly."""
    grid = Grid.regular((-1e6, -1e6, 1e6, 1e6), 2e4, LAMBERT)
    zones = frame(make_stars(4, bounds=(100, 50, 140, 70)))
    zones = zones[zones.covered_by(shapely.box(106, 53, 134, 67))]
    assert len(zones) >= 1
    one, other = Overlap.between(zones, curved(grid)), Overlap.between(zones, grid)
    np.testing.assert_allclose(one.zone_areas, other.zone_areas, rtol=3e-6)
    np.testing.assert_allclose(curved(grid).cell_areas(), grid.cell_areas(), rtol=2e-3)
    values = np.cos(grid.y / 5e5)[:, None] + np.sin(grid.x / 3e5)
    np.testing.assert_allclose(one.mean(curved(grid).wrap(values)), other.mean(grid.wrap(values)), atol=5e-5)
    x, y = np.meshgrid(grid.x_edges, grid.y_edges)
    own = CurvilinearGrid(x, y, LAMBERT)
    np.testing.assert_allclose(own.cell_areas(), grid.cell_areas(), rtol=1e-7)


def test_rotated_corners_against_the_rotated_grid():
    grid = Grid.regular((-5, -5, 5, 5), 0.25, ROTATED)
    zone = frame(shapely.box(14, 47, 22, 53))
    one, other = Overlap.between(zone, curved(grid)), Overlap.between(zone, grid)
    assert one.covered_fraction.item() == pytest.approx(1, abs=1e-9)
    assert other.covered_fraction.item() == pytest.approx(1, abs=1e-6)
    np.testing.assert_allclose(curved(grid).cell_areas(), grid.cell_areas(), rtol=1e-4)


def test_a_turned_raster_by_its_affine():
    turned = (
        affine.Affine.translation(1e5, -1e6) * affine.Affine.rotation(30) * affine.Affine.scale(1e4, -1e4)
    )
    grid = CurvilinearGrid.from_affine(turned, (30, 40), "EPSG:6931")
    np.testing.assert_allclose(grid.cell_areas(), 1e8, rtol=1e-12)
    inside = shapely.transform(shapely.box(2, 3, 20, 11), lambda c: np.array([turned * tuple(p) for p in c]))
    overlap = Overlap.between(frame(inside, "EPSG:6931"), grid)
    expected = np.zeros(grid.shape)
    expected[3:11, 2:20] = 1e8
    np.testing.assert_allclose(overlap.area.toarray().reshape(grid.shape), expected, atol=1e-3)
    with pytest.raises(UsageError, match=r"the transform is a tuple; expected an affine\.Affine"):
        CurvilinearGrid.from_affine((1, 0, 0, 0, 1, 0), (2, 2), 4326)


@settings(max_examples=12, deadline=None)
@given(st.integers(0, 10_000), st.integers(2, 8), st.sampled_from([40, 52, 70]))
def test_tilings_of_a_domain_share_out_every_cell(seed, pieces, south):
    """On one sheet and on two; the tiles reach beyond the grid."""
    grid, inner = crooked(seed, bounds=(100, south, 120, south + 16))
    domain = shapely.box(98, south - 2, 122, south + 18)
    points = shapely.MultiPoint(
        np.random.default_rng(seed).uniform(*np.reshape(inner.bounds, (2, 2)), (pieces, 2))
    )
    tiles = shapely.intersection(
        shapely.get_parts(shapely.voronoi_polygons(points, extend_to=domain)), domain
    )
    shared = np.asarray(Overlap.between(frame(tiles), grid).area.sum(axis=0)).ravel()
    np.testing.assert_allclose(shared, grid.cell_areas().ravel(), rtol=1e-12)


@settings(max_examples=6, deadline=None)
@given(st.integers(0, 10_000), st.sampled_from([(40, 1e-12), (52, 3e-7), (70, 3e-7)]))
def test_zones_inside_are_as_large_as_their_cells(seed, case):
    """Exact on the cylindrical sheet; towards a pole slanting edges bend by the decimetre that densifying leaves."""
    grid, domain = crooked(seed, bounds=(100, case[0], 120, case[0] + 16))
    zones = frame(make_stars(3, seed=seed, bounds=domain.bounds))
    sums = Overlap.between(zones[zones.covered_by(domain)], grid).matrix.row_sums
    np.testing.assert_allclose(
        sums, polygon_area(np.array(zones[zones.covered_by(domain)].geometry)), rtol=case[1]
    )
    assert grid.cell_areas().sum() == pytest.approx(polygon_area(domain), rel=1e-9)


def test_holes_parts_and_nested_zones():
    grid, domain = crooked()
    hole = shapely.box(105, 45, 110, 50)
    zones = frame([domain, domain.difference(hole), hole, shapely.union(hole, shapely.box(112, 42, 118, 44))])
    sums = Overlap.between(zones, grid).matrix.row_sums
    np.testing.assert_allclose(sums, polygon_area(np.array(zones.geometry)), rtol=1e-12)
    assert sums[1] + sums[2] == pytest.approx(sums[0], rel=1e-12)


@pytest.mark.parametrize("turn", [-360, 0])
def test_over_the_antimeridian_and_in_0_to_360(turn):
    grid, _ = crooked(bounds=(170, 40, 190, 56))
    wrapped = CurvilinearGrid(
        np.where(grid.x_corners > 180, grid.x_corners - 360, grid.x_corners), grid.y_corners
    )
    np.testing.assert_allclose(wrapped.cell_areas(), grid.cell_areas(), rtol=1e-11)
    zone = shapely.transform(shapely.box(172, 42, 188, 54), lambda c: c + np.array([turn, 0.0]))
    for one in (grid, wrapped):
        overlap = Overlap.between(frame(zone), one)
        assert overlap.matrix.row_sums[0] == pytest.approx(polygon_area(zone), rel=1e-12)


def test_points_lie_in_their_cells():
    grid, _ = crooked()
    lon, lat = grid.centres
    points = gpd.GeoDataFrame(geometry=gpd.points_from_xy([*lon.ravel(), 0.0], [*lat.ravel(), 0.0]), crs=4326)
    values = grid.wrap(np.arange(20.0).reshape(5, 4))
    out = Overlap.between(points, grid).mean(values)
    np.testing.assert_array_equal(out, [*range(20), np.nan])
    polar = curved(Grid.regular((-1e6, -1e6, 1e6, 1e6), 2e5, "EPSG:3995"))
    pole = gpd.GeoDataFrame(geometry=gpd.points_from_xy([7.0], [89.95]), crs=4326)
    assert Overlap.between(pole, polar).area.indices.tolist() in ([54], [55], [44], [45])


def test_cells_without_area_and_without_corners_are_never_touched():
    x, y = np.meshgrid([0.0, 1, 1, 2, 3], [0.0, 1, 2])
    x[0, 4] = np.nan
    grid = CurvilinearGrid(x, y)
    assert (grid.cell_areas() > 0).tolist() == [[True, False, True, False], [True, False, True, True]]
    overlap = Overlap.between(frame(shapely.box(0, 0, 3, 2)), grid)
    assert overlap.matrix.cells.tolist() == [0, 2, 4, 6, 7]
    field = grid.wrap([[1.0, 99, 1, 99], [1, 99, 1, 1]])
    assert overlap.mean(field).item() == pytest.approx(1)
    people = field.assign_attrs(units="1", cell_methods="area: sum")
    assert overlap.sum(people).item() == pytest.approx(5)
    back = Overlap.between(grid, Grid.regular((0, 0, 3, 2), 1)).zone_areas
    assert np.isnan(back.values).tolist() == (grid.cell_areas() == 0).tolist()


def test_cf_bounds_in_any_order_of_the_vertices():
    grid, _ = crooked()
    data = grid.to_dataset()
    assert data["lat"].attrs["bounds"] == "lat_bnds"
    for order in ([0, 1, 2, 3], [3, 2, 1, 0], [2, 3, 0, 1], [1, 0, 3, 2]):
        turned = data.isel(vertex=order)
        found = CurvilinearGrid.from_dataset(turned)
        assert found.matches(grid)
        np.testing.assert_allclose(found.cell_areas(), grid.cell_areas(), rtol=1e-10)
    zones = frame(shapely.box(104, 43, 111, 50))
    field = grid.wrap(np.random.default_rng(0).random(grid.shape))
    direct = Overlap.between(zones, data.assign(tas=field)).mean(field)
    np.testing.assert_allclose(direct, Overlap.between(zones, grid).mean(field), rtol=1e-9)


def test_a_masked_cell_among_others_comes_back_masked():
    grid, _ = crooked()
    missing = np.zeros(grid.shape, dtype=bool)
    missing[2, 1] = True
    masked = CurvilinearGrid(grid.x_corners, grid.y_corners, missing=missing)
    assert masked.cell_areas()[2, 1] == 0
    assert (masked.cell_areas() > 0).sum() == 19
    again = CurvilinearGrid.from_dataset(masked.to_dataset())
    assert again.matches(masked)
    assert not again.matches(grid)


def test_bounds_that_do_not_touch_name_the_place():
    data = crooked()[0].to_dataset()
    data["lon_bnds"][3, 2:] += 0.5
    with pytest.raises(
        DataError, match=r"do not share corners between the cells \(y 3, x 1\) and \(y 3, x 2\)"
    ):
        CurvilinearGrid.from_dataset(data)


def test_centres_without_bounds_are_not_enough():
    field = crooked()[0].wrap(np.zeros((5, 4)))
    with pytest.raises(DataError, match=r"'lon' has no bounds; .*not guessed.*CurvilinearGrid\(lon_corners"):
        Overlap.between(frame(shapely.box(104, 43, 111, 50)), field)


def test_cells_that_come_twice():
    grid, _ = crooked()
    halo = grid.to_dataset().isel(x=[0, 1, 2, 3])
    twice = xr.concat([halo, halo], dim="y")
    with pytest.raises(DataError, match=r"do not share corners between the cells \(y 4, x 0\)"):
        CurvilinearGrid.from_dataset(twice)
    lon, lat = np.meshgrid(np.arange(0, 374, 4.0), [10.0, 14, 18])
    ocean = CurvilinearGrid(lon, lat).to_dataset()
    with pytest.raises(DataError, match=r"6 cells come a second time, the first of them cell \(y 0, x 90\)"):
        CurvilinearGrid.from_dataset(ocean)
    dropped = CurvilinearGrid.from_dataset(ocean, repeated="drop")
    assert dropped.cell_areas().sum() == pytest.approx(geographic_cell_areas([10, 18], [0, 360]).sum())
    with pytest.raises(UsageError, match="repeated is 'keep'"):
        CurvilinearGrid.from_dataset(ocean, repeated="keep")


@pytest.mark.parametrize(
    ("x", "y", "message"),
    [
        ([[0, 1], [1, 0]], [[0, 0], [1, 1]], r"cell \(y 0, x 0\): the cell crosses itself"),
        ([[0, 1], [0, 1]], [[0, 0], [1, 91]], r"corner \(1, 1\): a corner has the latitude 91"),
        ([[0, 1e5], [0, 1e5]], [[0, 0], [1, 1]], "longitudes of the corners run from 0 to 100000"),
        ([[0, 90], [0, 90]], [[0, 0], [1, 1]], "expected cells narrower than 60 degrees"),
        ([[0, 1], [0, np.inf]], [[0, 0], [1, 1]], "corners are infinite"),
        ([[np.nan] * 2] * 2, [[0, 0], [1, 1]], "all corners are NaN"),
        ([[0, 0], [0, 0]], [[0, 0], [1, 1]], "no cell of the grid has an area"),
        ([0, 1], [0, 1], r"the corners have the shapes \(2,\) and \(2,\)"),
    ],
)
def test_corners_that_are_no_cells(x, y, message):
    with pytest.raises(DataError, match=message):
        CurvilinearGrid(x, y)


def test_projected_corners_beyond_a_hemisphere():
    x, y = np.meshgrid(np.linspace(-2e7, 2e7, 20), np.linspace(-1.5e7, 1.5e7, 20))
    with pytest.raises(GeometryError, match=r"reach far over a hemisphere.*give the corners in longitude"):
        CurvilinearGrid(x, y, "EPSG:3395")


def test_a_field_must_lie_on_the_grid():
    grid, _ = crooked()
    overlap = Overlap.between(frame(shapely.box(104, 43, 111, 50)), grid)
    field = grid.wrap(np.random.default_rng(0).random(grid.shape))
    expected = overlap.mean(field)
    bare = field.drop_vars(["lon", "lat", "spatial_ref"])
    np.testing.assert_array_equal(overlap.mean(bare), expected)
    np.testing.assert_array_equal(overlap.mean(field.transpose("x", "y")), expected)
    np.testing.assert_allclose(overlap.mean(field.chunk(y=2)), expected, rtol=1e-14)
    with pytest.raises(DataError, match=r"dimensions \(y 4, x 4\).*expected y 5, x 4"):
        overlap.mean(bare.isel(y=slice(4)))
    with pytest.raises(DataError, match="'lon' and 'lat' do not lie in the cells"):
        overlap.mean(field.isel(y=slice(None, None, -1)))


def test_identity_and_travel():
    grid, _ = crooked()
    again = CurvilinearGrid(grid.x_corners, grid.y_corners)
    assert grid == again
    assert hash(grid) == hash(again)
    assert grid != crooked(1)[0]
    assert grid.matches(again)
    there = pickle.loads(pickle.dumps(grid))
    assert there == grid
    np.testing.assert_array_equal(there.cell_areas(), grid.cell_areas())
    assert str(grid) == "5 x 4 curvilinear cells, y 40 to 56, x 100 to 120, EPSG:4326 (WGS 84)"
    assert grid.area().sum() == pytest.approx(polygon_area(shapely.box(100, 40, 120, 56)), rel=1e-12)


def test_spread_and_quantile_work_on_it():
    grid, _ = crooked()
    zones = frame(shapely.box(104, 43, 111, 50)).rename_axis("region")
    overlap = Overlap.between(zones, grid)
    amounts = xr.DataArray([8.0], coords={"region": [0]}, attrs={"units": "t"}, name="co2")
    cells = overlap.spread(amounts)["co2"]
    assert float(cells.sum()) == pytest.approx(8, rel=1e-12)
    assert overlap.quantile(grid.wrap(np.full(grid.shape, 3.0)), 0.5).item() == 3
