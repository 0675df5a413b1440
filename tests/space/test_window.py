"""The part of a source grid that a target needs, and shares of cells row by row."""

import geopandas as gpd
import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from pyproj import CRS

from geotools.space import Grid, Overlap
from geotools.space.window import pairs_of, part_of, window_on

GLOBE = Grid.regular((-180, -90, 180, 90), 2.5)


def regridded(source, target, values):
    return Overlap.between(target, source).regrid(source.wrap(values).assign_attrs(units="degC"))


@settings(max_examples=25, deadline=None)
@given(west=st.floats(-179, 150), south=st.floats(-89, 60), step=st.sampled_from([0.5, 1.0, 3.0]))
def test_a_window_gives_the_same_bits_as_the_whole_source(west, south, step):
    target = Grid.regular((west, south, west + 9 * step, south + 6 * step), step)
    values = np.random.default_rng(1).normal(size=GLOBE.shape)
    window = window_on(GLOBE, target)
    part = regridded(part_of(GLOBE, window), target, values[window])
    np.testing.assert_array_equal(part.values, regridded(GLOBE, target, values).values)
    assert part.size < values.size


def test_a_target_over_the_antimeridian_finds_both_ends_of_the_source():
    target = Grid.regular((170, 60, 190, 70), 1)
    rows, columns = window_on(GLOBE, target)
    assert (columns.start, columns.stop) == (0, GLOBE.shape[1])
    assert rows.stop - rows.start < 12


def test_a_descending_axis_is_cut_at_the_same_place():
    turned = Grid(GLOBE.x_edges, GLOBE.y_edges[::-1], GLOBE.crs)
    target = Grid.regular((100, 50, 140, 70), 1)
    rows, turned_rows = window_on(GLOBE, target)[0], window_on(turned, target)[0]
    n = GLOBE.shape[0]
    assert (n - turned_rows.stop, n - turned_rows.start) == (rows.start, rows.stop)


def test_a_projected_source_is_cut_and_loses_no_cell():
    crs = CRS.from_epsg(6931)
    edges = np.arange(-5_000_000.0, 5_000_001.0, 100_000.0)
    source = Grid(edges, edges, crs)
    target = Grid.regular((105, 50, 140, 58), 1)
    window = window_on(source, target)
    values = np.random.default_rng(2).normal(size=source.shape)
    part = part_of(source, window)
    assert part.size < source.size / 4
    expected = regridded(source, target, values).values
    np.testing.assert_allclose(regridded(part, target, values[window]).values, expected, rtol=1e-9)


def test_a_seam_of_the_projection_in_the_target_asks_for_the_whole_source():
    crs = CRS.from_proj4("+proj=sinu +lon_0=0 +R=6371007.181 +units=m")
    source = Grid(np.linspace(-2.0e7, 2.0e7, 41), np.linspace(-1.0e7, 1.0e7, 21), crs)
    target = Grid.regular((170, 50, 190, 60), 1)
    assert window_on(source, target) == (slice(0, 20), slice(0, 40))


def test_grids_that_do_not_meet_still_give_a_field_to_read():
    source = Grid.regular((0, 0, 10, 10), 1)
    target = Grid.regular((100, 50, 110, 60), 1)
    window = window_on(source, target)
    assert source.wrap(np.zeros(source.shape)).values[window].size == 1
    assert regridded(part_of(source, window), target, np.zeros((1, 1))).isnull().all()


def test_pairs_of_parallel_grids_are_counted():
    source, target = Grid.regular((0, 0, 4, 4), 1), Grid.regular((0.5, 0.5, 2.5, 1.5), 0.5)
    assert pairs_of(source, target) == Overlap.between(target, source).area.nnz


@pytest.fixture(scope="module")
def zones():
    shapes = [
        shapely.Polygon([(100.3, 50.2), (109.1, 51.0), (104.0, 58.7)]),
        shapely.box(103, 53, 107, 56).difference(shapely.box(104.2, 54.2, 105.1, 55.3)),
        shapely.box(95, 49, 101.5, 70),
    ]
    return gpd.GeoDataFrame(geometry=shapes, index=["a", "b", "c"], crs=4326).rename_axis("zone")


@pytest.mark.parametrize("rows", [1, 7, 100])
def test_shares_row_by_row_are_those_of_all_cells(zones, rows):
    grid = Grid.regular((100, 50, 110, 60), 0.25)
    overlap = Overlap.between(zones, grid)
    lazy = overlap.lazy_fraction(rows)
    assert lazy.chunks[1][0] == min(rows, grid.shape[0])
    np.testing.assert_allclose(lazy.values, overlap.fraction.values, rtol=0, atol=1e-12)
    assert lazy.values.max() <= 1 + 1e-12


def test_shares_of_some_targets_are_named_after_them(zones):
    overlap = Overlap.between(zones, Grid.regular((100, 50, 110, 60), 0.5))
    lazy = overlap.lazy_fraction(4, [2, 0])
    assert lazy["zone"].values.tolist() == ["c", "a"]
    np.testing.assert_allclose(lazy.values, overlap.fraction.values[[2, 0]], rtol=0, atol=1e-12)
