import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from oracle import cut_at_edges
from pyproj import CRS, Transformer

from geotools.space.coverage import polygon_coverage
from geotools.space.geodesy import densify, polygon_area
from geotools.space.grid import Grid
from geotools.space.regridding import cell_polygons

WGS84 = CRS.from_epsg(4326)


def shares(polygons, grid, crs=WGS84):
    """Dense areas [polygon, y, x; m2]."""
    pairs, _ = polygon_coverage(np.atleast_1d(np.array(polygons, dtype=object)), crs, grid)
    out = np.zeros((np.size(polygons), grid.size))
    np.add.at(out, (pairs.target, pairs.cell), pairs.area)
    return out.reshape(-1, *grid.shape)


def test_whole_and_half_cells_by_eye(grid):
    area = shares([shapely.box(126, 61, 127.5, 63)], grid)[0] / grid.cell_areas()
    np.testing.assert_allclose(area, [[0, 0, 0], [1, 0.5, 0], [1, 0.5, 0]], atol=1e-7)


@pytest.mark.parametrize(("flip_x", "flip_y"), [(True, False), (False, True), (True, True)])
def test_axes_that_run_the_other_way(grid, flip_x, flip_y):
    polygon = shapely.Polygon([(126.2, 60.1), (128.7, 60.4), (127.1, 62.9)])
    turned = Grid(
        grid.x_edges[::-1] if flip_x else grid.x_edges, grid.y_edges[::-1] if flip_y else grid.y_edges, WGS84
    )
    area = shares(polygon, turned)[0]
    area = area[:, ::-1] if flip_x else area
    np.testing.assert_allclose(area[::-1] if flip_y else area, shares(polygon, grid)[0], rtol=1e-6)


@pytest.mark.parametrize(("step", "planar_error"), [(0.25, 0.0030), (5.0, 0.056)])
def test_edge_cells_at_70_n_against_the_planar_share(step, planar_error):
    """The southern half of a cell is larger than half of it; the share of the degrees cannot know."""
    grid = Grid.regular((120, 70 - step / 2, 120 + step, 70 + step / 2), step)
    half = shapely.box(120, 70 - step / 2, 120 + step, 70)
    true = polygon_area(half)
    planar = 0.5 * grid.cell_areas()[0, 0]
    assert 1 - planar / true == pytest.approx(planar_error, rel=0.1)
    assert shares(half, grid)[0, 0, 0] == pytest.approx(true, rel=1e-7)


@pytest.mark.parametrize("step", [0.1, 0.25, 1.0, 5.0])
def test_total_of_a_zone_against_its_true_area(stars, step):
    """Measured: 6e-10 at 0.1 degrees, 2e-9 at 0.25, 4e-8 at 5, all from float32 shares of edge cells."""
    polygons = stars(20)
    grid = Grid.regular((70, 40, 145, 75), step)
    covered = shares(polygons, grid).sum(axis=(1, 2))
    np.testing.assert_allclose(covered, polygon_area(polygons), rtol=1e-7)


def test_each_cell_against_shapely(stars):
    polygon = stars(1, seed=3)[0]
    grid = Grid.regular((70, 40, 145, 75), 1)
    dense = densify(polygon, 0.02)
    expected = polygon_area(np.array(shapely.intersection(dense, cell_polygons(grid)))).reshape(grid.shape)
    np.testing.assert_allclose(shares(polygon, grid)[0], expected, atol=1e-6 * expected.max())


def test_irregular_edges(stars):
    polygon = stars(1, seed=5)[0]
    fine = Grid.regular((70, 40, 145, 75), 0.5)
    y = fine.y_edges[np.sort(np.random.default_rng(0).choice(np.arange(1, 70), 20, replace=False))]
    y = np.concatenate(([40.0], y, [75.0]))
    irregular = Grid(fine.x_edges[::3], y, WGS84)
    joined = np.add.reduceat(shares(polygon, fine)[0], np.searchsorted(fine.y_edges[:-1], y[:-1]), axis=0)
    joined = joined.reshape(len(y) - 1, -1, 3).sum(axis=2)
    np.testing.assert_allclose(shares(polygon, irregular)[0], joined, atol=1e-7 * joined.max())


def test_holes_and_parts(grid):
    ring = shapely.box(126, 60, 129, 63).difference(shapely.box(127, 61, 128, 62))
    two = shapely.MultiPolygon([shapely.box(126, 60, 127, 61), shapely.box(128, 62, 129, 63)])
    area = shares([ring, two], grid) / grid.cell_areas()
    np.testing.assert_allclose(area[0], [[1, 1, 1], [1, 0, 1], [1, 1, 1]], atol=1e-7)
    np.testing.assert_allclose(area[1], [[1, 0, 0], [0, 0, 0], [0, 0, 1]], atol=1e-7)


def test_inside_of_the_grid(grid):
    polygons = np.array([shapely.box(*b) for b in ((126, 60, 129, 63), (126, 60, 129.1, 63), (0, 0, 1, 1))])
    assert polygon_coverage(polygons, WGS84, grid)[1].tolist() == [True, False, False]


@pytest.mark.parametrize("lon", [126, -234, 486])
def test_longitudes_a_turn_apart(grid, lon):
    assert shares(shapely.box(lon, 60, lon + 1, 61), grid)[0].sum() == pytest.approx(grid.cell_areas()[0, 0])


def test_a_zone_over_the_seam_of_a_0_to_360_grid():
    grid = Grid.regular((0, 50, 360, 70), 2)
    zone = shapely.box(-11, 55, 7, 65)
    assert shares(zone, grid)[0].sum() == pytest.approx(polygon_area(zone), rel=1e-7)
    assert polygon_coverage(np.array([zone]), WGS84, grid)[1].all()


def test_a_projected_zone_over_the_antimeridian():
    to_polar = Transformer.from_crs(4326, 3995, always_xy=True)
    outline = np.asarray(densify(shapely.box(170, 62, 200, 70), 0.05).exterior.coords)
    zone = shapely.Polygon(np.column_stack(to_polar.transform(outline[:, 0], outline[:, 1])))
    grid = Grid.regular((-180, 50, 180, 80), 1)
    pairs, inside = polygon_coverage(np.array([zone]), CRS.from_epsg(3995), grid)
    assert pairs.area.sum() == pytest.approx(polygon_area(shapely.box(170, 62, 200, 70)), rel=1e-6)
    assert inside.all()


def test_a_ring_round_the_pole_ends_in_it():
    cap = shapely.Point(0, 0).buffer(1e6)
    lonlat = Grid.regular((-180, 50, 180, 90), 1)
    area = shares(cap, lonlat, CRS.from_epsg(3995))[0]
    assert area.sum() == pytest.approx(polygon_area(cap, 3995), rel=2e-6)
    np.testing.assert_allclose(area[-9:], lonlat.cell_areas()[-9:], rtol=1e-12)
    polar = Grid.regular((-2e6, -2e6, 2e6, 2e6), 1e5, "EPSG:3995")
    assert shares(cap, polar, CRS.from_epsg(3995))[0].sum() == pytest.approx(
        polygon_area(cap, 3995), rel=2e-3
    )


@pytest.mark.parametrize("step", [5e3, 50e3])
def test_a_zone_of_polar_stereographic_cells_is_as_large_as_on_the_ellipsoid(step):
    """Below 1e-7 of a basin 1000 km wide; with plain shares of the plane 7e-6 at 50 km."""
    grid = Grid.regular((1.5e6, 1.0e6, 4.0e6, 3.5e6), step, "EPSG:3995")
    to_lonlat = Transformer.from_crs(3995, 4326, always_xy=True)
    zone = shapely.transform(
        shapely.Point(2.7e6, 2.2e6).buffer(5e5, 64), lambda c: np.column_stack(to_lonlat.transform(*c.T))
    )
    assert shares(zone, grid)[0].sum() == pytest.approx(polygon_area(zone), rel=1e-7)


@pytest.mark.parametrize(("step", "error"), [(5e3, 1e-7), (25e3, 2e-6), (50e3, 8e-6)])
@pytest.mark.parametrize("side", ["x", "y", "both"])
def test_half_a_polar_stereographic_cell_has_its_part_of_the_true_area(step, error, side):
    """The change of scale within the cell counts: 9e-4 of the cell at 50 km with the plain share."""
    west, south = 2.4e6, -2.4e6
    grid = Grid(
        (west, west + step, west + 2 * step),
        (south - step, south, south + step, south + 2 * step),
        "EPSG:3995",
    )
    east, north = west + step, south + step
    half = {
        "x": shapely.box(west, south, west + step / 2, north),
        "y": shapely.box(west, south, east, south + step / 2),
        "both": shapely.Polygon([(west, south), (east, south), (west, north)]),
    }[side]
    true = polygon_area(shapely.segmentize(half, 500.0), 3995)
    cell = grid.cell_areas()[1, 0]
    assert abs(shares(half, grid, CRS.from_epsg(3995))[0, 1, 0] - true) / cell < error


def test_scale_that_cannot_be_told_or_is_steep_leaves_shares_between_0_and_1():
    """A single row has no neighbours; near the pole of Mercator a cell may be several times its neighbour."""
    zone = np.array([shapely.box(120, 84, 121, 89.5)])
    for grid in (
        Grid([1.3e7, 1.36e7], [5e6, 1.2e7, 2.5e7, 4e7], "EPSG:3395"),
        Grid([1.3e7, 1.36e7], [1.2e7, 4e7], "EPSG:3395"),
    ):
        gradients = grid.scale_gradients_of(np.arange(grid.size))
        assert np.isfinite(gradients).all()
        assert (np.abs(gradients).sum(axis=0) < 2).all()
        found = shares(zone, grid)[0] / grid.cell_areas()
        assert ((found >= 0) & (found <= 1)).all()
        assert found.max() > 0


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000), st.integers(2, 6))
def test_zones_that_tile_the_domain_share_out_every_cell(seed, n):
    rng = np.random.default_rng(seed)
    grid = Grid.regular((120, 60, 132, 68), 2)
    domain = shapely.box(*grid.bounds)
    points = shapely.MultiPoint(rng.uniform((120, 60), (132, 68), (n, 2)))
    tiles = [t.intersection(domain) for t in shapely.voronoi_polygons(points, extend_to=domain).geoms]
    np.testing.assert_allclose(shares(tiles, grid).sum(axis=0), grid.cell_areas(), rtol=1e-11)


def test_vertices_where_lines_cross_edges():
    x, y, rings = cut_at_edges(
        np.array([0.5, 2.5, 0.5, 0.5]),
        np.array([0.5, 0.5, 1.5, 0.5]),
        np.array([0, 4]),
        np.arange(4.0),
        np.arange(3.0),
    )
    assert x.tolist() == [0.5, 1, 2, 2.5, 2, 1.5, 1, 0.5, 0.5, 0.5]
    assert y.tolist() == [0.5, 0.5, 0.5, 0.5, 0.75, 1, 1.25, 1.5, 1, 0.5]
    assert rings.tolist() == [0, 10]


def test_regions_whose_boundary_passes_corners_of_cells_keep_their_area():
    """Rounding folds the ring of such a polygon where vertices are added, and whole cells may get lost."""
    from geotools.catalog import admin_regions
    from geotools.space import Grid, Overlap

    regions = admin_regions().loc[["RU-PRI", "RU-AMU", "CN-HL", "CN-NM", "MN-061"]]
    for resolution in (0.05, 0.1, 0.25):
        overlap = Overlap.between(regions, Grid.regular((70, 20, 145, 75), resolution))
        covered = overlap.area.sum(axis=1)
        np.testing.assert_allclose(covered, overlap.zone_areas.values, rtol=1e-7)


def test_a_neighbour_without_a_place_on_earth_leaves_the_plain_share(monkeypatch):
    grid = Grid.regular((0, 0, 5e4, 5e4), 1e4, "EPSG:3995")
    known = grid.cell_areas()

    def torn(self, rows=slice(None), columns=slice(None)):
        areas = known.copy()
        areas[:, 3:] = np.inf
        return areas[rows, columns]

    monkeypatch.setattr(Grid, "cell_areas", torn)
    found = grid.scale_gradients_of(np.arange(grid.size)).reshape(2, *grid.shape)
    assert (found[:, :, 2:] == 0).all()
    assert (found[:, :, 1] != 0).any()
    assert np.isfinite(found).all()
