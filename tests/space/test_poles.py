"""Cells round a pole: every source cell is shared out whole, wherever the pole lies in the cells."""

import geopandas as gpd
import numpy as np
import pytest
import shapely
from hypothesis import example, given, settings
from hypothesis import strategies as st
from pyproj import Transformer

from geotools.space import CurvilinearGrid, Grid, Overlap
from geotools.space.geodesy import cylindrical, from_cylindrical, geographic_cell_areas, polar
from geotools.space.pole_cells import from_polar, to_polar

EARTH = geographic_cell_areas([-90, 90], [-180, 180])[0, 0]


def rotated(pole_lat, pole_lon, columns, rows, shift=0.0):
    """Corners of a global grid with its own pole elsewhere, in longitude and latitude."""
    crs = f"+proj=ob_tran +o_proj=longlat +o_lon_p=0 +o_lat_p={pole_lat} +lon_0={pole_lon} +R=6371229"
    x, y = np.meshgrid(np.linspace(-180, 180, columns + 1) + shift, np.linspace(-90, 90, rows + 1))
    return CurvilinearGrid(*Transformer.from_crs(crs, 4326, always_xy=True).transform(x, y))


def shares(target, source):
    """Share of each source cell that all targets have, and of each target that the source covers."""
    area = Overlap.between(target, source).area
    given_away, covered = (np.asarray(area.sum(axis=axis)).ravel() for axis in (0, 1))
    return given_away / source.cell_areas().ravel(), covered / target.cell_areas().ravel()


def assert_shared_out(one, other, covered=1e-6):
    for target, source in ((one, other), (other, one)):
        from_source, of_target = shares(target, source)
        np.testing.assert_allclose(from_source, 1, rtol=1e-11)
        np.testing.assert_allclose(of_target, 1, rtol=covered)


PLACES = {
    "in a cell": (42.5, 2.5),
    "at a corner": (40.0, 0.0),
    "on an edge along its latitude": (40.0, 2.5),
    "on an edge along its longitude": (42.5, 0.0),
    "a hundredth of a millimetre beside a corner": (40.0 + 1e-10, 1e-10),
}


@pytest.mark.parametrize("place", PLACES)
def test_every_cell_is_shared_out_with_the_pole(place):
    pole_lat, shift = PLACES[place]
    grid = rotated(pole_lat, 0.0, 72, 36, shift)
    assert grid.cell_areas().sum() == pytest.approx(EARTH, rel=1e-9)
    west = 0 if shift else -180
    assert_shared_out(grid, Grid.regular((west, -90, west + 360, 90), 10))


@settings(max_examples=3, deadline=None)
@given(
    st.floats(-90, 90),
    st.floats(-180, 180),
    st.integers(60, 80),
    st.integers(30, 40),
    st.sampled_from([10, 15]),
)
@example(0.0, 90.0, 72, 36, 15)
@example(40.0005, 0.0, 72, 36, 10)
# The pole is a row of corners of any longitude, and one cell has them half a turn from the others.
@example(-90.0, 1.0, 72, 30, 10)
def test_every_cell_is_shared_out_by_any_rotated_grid(pole_lat, pole_lon, columns, rows, step):
    grid = rotated(pole_lat, pole_lon, columns, rows)
    lonlat = Grid.regular((-180, -90, 180, 90), step)
    for target, source in ((grid, lonlat), (lonlat, grid)):
        np.testing.assert_allclose(shares(target, source)[0], 1, rtol=1e-9)


def test_cells_with_thousands_of_vertices_at_the_seam():
    """A round zone meets every edge of a large cell, and each may add a vertex to what is left of the zone."""
    grid = rotated(42.5, 0.0, 24, 12)
    angle = np.linspace(0, 2 * np.pi, 20_000, endpoint=False)
    zone = shapely.Polygon(3.3e6 * np.column_stack((np.cos(angle), np.sin(angle))))
    overlap = Overlap.between(gpd.GeoDataFrame(geometry=[zone], crs=6931), grid)
    assert overlap.matrix.row_sums[0] == pytest.approx(zone.area, rel=1e-6)


def test_two_rotated_grids_share_each_other_out():
    assert_shared_out(rotated(40.0, 0.0, 72, 36), rotated(37.3, 50.0, 60, 30), covered=1e-5)


def test_a_rotated_grid_shares_out_a_projected_one():
    """Cells of two sheets, far on the other side of the Earth, and round the pole of the projection."""
    source = Grid.regular((-3e6, -3e6, 3e6, 3e6), 2e5, "EPSG:3995")
    grid = rotated(40.0, 0.0, 72, 36)
    given_away, covered = shares(grid, source)
    np.testing.assert_allclose(given_away, 1, rtol=1e-11)
    lat = grid.centres[1].ravel()
    assert (covered[lat < 40] == 0).all()
    np.testing.assert_allclose(covered[lat > 75], 1, rtol=1e-3)


@pytest.mark.parametrize("offset", [0.0, 5e4])
def test_projected_cells_with_the_pole_at_a_corner_and_on_an_edge(offset):
    polar_grid = Grid.regular((-2e6 + offset, -2e6, 2e6 + offset, 2e6), 1e5, "EPSG:3995")
    lonlat = Grid.regular((-180, -90, 180, 90), 2.5)
    given_away, covered = shares(polar_grid, lonlat)
    np.testing.assert_allclose(covered, 1, rtol=2e-4)
    np.testing.assert_allclose(given_away.reshape(lonlat.shape)[lonlat.y > 76], 1, rtol=1e-12)


def test_zones_that_meet_at_the_pole_tile_what_they_cover():
    wedges = [
        shapely.Polygon([(0, 0), *(1e6 * np.column_stack((np.cos(a), np.sin(a))))])
        for a in (np.deg2rad([k, k + 40, k + 80, k + 120]) for k in (10, 130, 250))
    ]
    zones = gpd.GeoDataFrame(geometry=wedges, crs=3995)
    grid = Grid.regular((-180, 60, 180, 90), 1)
    overlap = Overlap.between(zones, grid)
    given_away = np.asarray(overlap.area.sum(axis=0)).reshape(grid.shape) / grid.cell_areas()
    np.testing.assert_allclose(given_away[grid.y > 82], 1, rtol=1e-11)
    np.testing.assert_allclose(overlap.matrix.row_sums, overlap.matrix.row_sums[0], rtol=1e-3)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 100_000), st.floats(3e4, 1e6), st.floats(0, 3e6), st.sampled_from([90.0, -90.0]))
def test_a_cell_is_as_large_in_one_plane_as_in_the_other(seed, size, distance, pole):
    """Up to an edge that turns by less than a step of a seam, which is one chord."""
    rng = np.random.default_rng(seed)
    angle = np.sort(rng.uniform(0, 2 * np.pi, 4) / 4 + np.arange(4) * np.pi / 2)
    points = size * np.column_stack((np.cos(angle), np.sin(angle))) + [distance, distance / 3]
    there = from_polar(np.array([0, 4]), points, pole)
    in_cylinder = shapely.transform(there, cylindrical)
    area = shapely.Polygon(points).area
    assert shapely.area(in_cylinder)[0] == pytest.approx(area, rel=2e-5)
    back = to_polar(in_cylinder, pole)
    assert shapely.area(back)[0] == pytest.approx(area, rel=2e-5)
    corners = polar(from_cylindrical(shapely.get_coordinates(in_cylinder)), pole)
    for corner in points:
        assert np.hypot(*(corners - corner).T).min() < 1e-3 or np.hypot(*corner) < 1
