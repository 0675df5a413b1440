"""Basins from small elevation models whose watersheds can be seen by eye."""

from __future__ import annotations

import sys

import numpy as np
import pytest
import shapely
from affine import Affine
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from geotools.errors import DataError, GeometryError, UsageError
from geotools.space.delineation import (
    burn_rivers,
    cell_at,
    flow_directions,
    lowest_cell,
    mask_to_polygon,
    trace_upstream,
)

pytest.importorskip("pyflwdir", reason="pyflwdir is optional: pip install 'lena-amur-geotools[delineate]'")

# Cells of one unit, upper left corner at 100, 50.
GRID = Affine(1, 0, 100, 0, -1, 50)

# Water runs to the middle column and then down the page.
VALLEY = np.array(
    [
        [28, 18, 8, 18, 28],
        [26, 16, 6, 16, 26],
        [24, 14, 4, 14, 24],
        [22, 12, 2, 12, 22],
        [20, 10, 0, 10, 20],
    ]
)
VALLEY_MOUTH = (4, 2)

# Two valleys in columns 1 and 4, with the divide between columns 2 and 3.
TWO_VALLEYS = np.array(
    [
        [14, 4, 14, 14, 4, 14],
        [13, 3, 13, 13, 3, 13],
        [12, 2, 12, 12, 2, 12],
        [11, 1, 11, 11, 1, 11],
        [10, 0, 10, 10, 0, 10],
    ]
)
TWO_MOUTHS = [(4, 1), (4, 4)]

# A slope to the right with a hole in the middle.
BOWL = np.array(
    [
        [5, 4, 4, 4, 1],
        [5, 4, 4, 4, 1],
        [5, 4, 0, 4, 1],
        [5, 4, 4, 4, 1],
        [5, 4, 4, 4, 0],
    ]
)


def everywhere(elevation):
    return np.ones(np.shape(elevation), dtype=bool)


def basin(elevation, outlets, mask=None):
    mask = everywhere(elevation) if mask is None else mask
    directions = flow_directions(elevation, mask=mask, outlets=outlets)
    return trace_upstream(directions, outlets=outlets, mask=mask)


def test_the_whole_valley_drains_to_its_mouth():
    directions = flow_directions(VALLEY, mask=everywhere(VALLEY), outlets=[VALLEY_MOUTH])
    # Down the middle it runs south (4), and at the mouth it ends (0).
    assert directions[:, 2].tolist() == [4, 4, 4, 4, 0]
    # From the left side it runs east or south-east, from the right side west or south-west.
    assert set(directions[:, :2].ravel()) <= {1, 2}
    assert set(directions[:, 3:].ravel()) <= {8, 16}
    assert (basin(VALLEY, [VALLEY_MOUTH]) == 1).all()


def test_an_outlet_half_way_up_leaves_the_lower_part_out():
    directions = flow_directions(VALLEY, mask=everywhere(VALLEY), outlets=[VALLEY_MOUTH])
    upper = trace_upstream(directions, outlets=[(2, 2)], mask=everywhere(VALLEY))
    assert upper[:3, 2].tolist() == [1, 1, 1]
    assert not upper[3:].any()


def test_an_upper_basin_keeps_its_own_label():
    directions = flow_directions(VALLEY, mask=everywhere(VALLEY), outlets=[VALLEY_MOUTH])
    nested = trace_upstream(directions, outlets=[VALLEY_MOUTH, (2, 2)], mask=everywhere(VALLEY))
    assert nested[:, 2].tolist() == [2, 2, 2, 1, 1]
    assert (nested > 0).all()


def test_two_valleys_are_divided_at_their_ridge():
    expected = np.repeat([[1, 1, 1, 2, 2, 2]], 5, axis=0)
    assert (basin(TWO_VALLEYS, TWO_MOUTHS) == expected).all()


def test_the_edge_of_the_mask_is_a_wall():
    mask = everywhere(TWO_VALLEYS)
    mask[:, 3:] = False
    labels = basin(TWO_VALLEYS, TWO_MOUTHS[:1], mask)
    assert (labels == np.where(mask, 1, 0)).all()


def test_without_the_second_mouth_the_second_valley_spills_over_the_ridge():
    assert (basin(TWO_VALLEYS, TWO_MOUTHS[:1]) == 1).all()


def test_a_burned_river_carries_water_through_a_ridge():
    # The river leaves the right valley at its second row and crosses to the left one.
    river = shapely.LineString([(104.5, 48.5), (101.5, 48.5), (101.5, 45.5)])
    burned = burn_rivers(TWO_VALLEYS, [river], transform=GRID, depth_m=100)
    labels = basin(burned, TWO_MOUTHS)
    assert (labels[:2] == 1).all()
    assert labels[4].tolist() == [1, 1, 1, 2, 2, 2]


def test_burning_lowers_only_the_cells_of_the_river():
    river = shapely.LineString([(102.5, 49.5), (102.5, 45.5)])
    burned = burn_rivers(VALLEY, [river, None, shapely.LineString()], transform=GRID, depth_m=7)
    lowered = VALLEY - burned
    assert (lowered[:, 2] == 7).all()
    assert not lowered[:, [0, 1, 3, 4]].any()
    assert VALLEY[0, 2] == 8


def test_burning_nothing_changes_nothing():
    assert (burn_rivers(VALLEY, [], transform=GRID) == VALLEY).all()


def test_a_depression_spills_unless_its_bottom_is_an_outlet():
    mouth, bottom = (4, 4), (2, 2)
    assert (basin(BOWL, [mouth]) == 1).all()
    closed = basin(BOWL, [mouth, bottom])
    assert closed[2, 2] == 2
    assert (closed[:, 4] == 1).all()
    assert (closed > 0).all()


def test_equal_outlets_count_once():
    assert (basin(VALLEY, [VALLEY_MOUTH]) == 1).all()
    directions = flow_directions(VALLEY, mask=everywhere(VALLEY), outlets=[VALLEY_MOUTH] * 2)
    assert np.count_nonzero(directions == 0) == 1


def test_lowest_cell():
    assert lowest_cell(BOWL, around=(1, 1), radius=1) == (2, 2)
    assert lowest_cell(BOWL, around=(0, 0), radius=0) == (0, 0)
    # The window is cut at the edges; of equal cells the first in row order is taken.
    assert lowest_cell(BOWL, around=(0, 4), radius=1) == (0, 4)
    assert lowest_cell([[np.nan, 3.0], [2.0, np.nan]], around=(0, 0), radius=5) == (1, 0)


@pytest.mark.parametrize(
    ("point", "cell"), [((100.0, 50.0), (0, 0)), ((102.5, 48.5), (1, 2)), ((104.99, 45.01), (4, 4))]
)
def test_cell_at(point, cell):
    assert cell_at(*point, transform=GRID, shape=VALLEY.shape) == cell


@pytest.mark.parametrize("point", [(99.9, 48.0), (105.0, 48.0), (102.0, 50.1), (102.0, 45.0)])
def test_cell_at_refuses_a_point_beside_the_grid(point):
    with pytest.raises(DataError, match=r"point .*: the point lies outside the grid; expected"):
        cell_at(*point, transform=GRID, shape=VALLEY.shape)


@pytest.mark.parametrize("outlet", [(0, 0), (5, 2), (-1, 2)])
def test_an_outlet_outside_the_mask_is_an_error(outlet):
    mask = everywhere(VALLEY)
    mask[0] = False
    message = r"outlet at row -?\d, column \d: the outlet lies outside the mask; expected a cell inside"
    with pytest.raises(DataError, match=message):
        flow_directions(VALLEY, mask=mask, outlets=[outlet])
    directions = flow_directions(VALLEY, mask=mask, outlets=[VALLEY_MOUTH])
    with pytest.raises(DataError, match=message):
        trace_upstream(directions, outlets=[outlet], mask=mask)


def test_flow_needs_an_outlet():
    with pytest.raises(DataError, match="no outlet is given"):
        flow_directions(VALLEY, mask=everywhere(VALLEY), outlets=[])


def test_every_part_of_the_mask_needs_an_outlet():
    mask = everywhere(TWO_VALLEYS)
    mask[:, 2:4] = False
    with pytest.raises(DataError, match="1 of 2 separate parts of the mask have no outlet"):
        flow_directions(TWO_VALLEYS, mask=mask, outlets=TWO_MOUTHS[:1])


def test_missing_heights_are_an_error_inside_the_mask_only():
    elevation = VALLEY.astype(float)
    elevation[0, 0] = np.nan
    with pytest.raises(DataError, match="elevation is missing in 1 cells of the mask"):
        flow_directions(elevation, mask=everywhere(VALLEY), outlets=[VALLEY_MOUTH])
    mask = np.isfinite(elevation)
    assert basin(elevation, [VALLEY_MOUTH], mask)[0, 0] == 0


def test_a_mask_of_another_shape_is_an_error():
    with pytest.raises(DataError, match=r"mask has the shape \(5, 4\); expected .* \(5, 5\)"):
        flow_directions(VALLEY, mask=everywhere(VALLEY)[:, :4], outlets=[VALLEY_MOUTH])


@pytest.mark.parametrize("depth_m", [0.0, -5.0, float("nan")])
def test_burn_depth_must_be_positive(depth_m):
    with pytest.raises(UsageError, match="expected a positive depth in m"):
        burn_rivers(VALLEY, [], transform=GRID, depth_m=depth_m)


def test_the_error_without_pyflwdir_names_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "pyflwdir", None)
    with pytest.raises(UsageError, match=r'pip install "lena-amur-geotools\[delineate\]"'):
        flow_directions(VALLEY, mask=everywhere(VALLEY), outlets=[VALLEY_MOUTH])


def test_outline_follows_the_cell_edges():
    mask = np.zeros((4, 4), dtype=bool)
    mask[1:3, 1:3] = True
    outline = mask_to_polygon(mask, transform=GRID)
    assert outline.equals(shapely.box(101, 47, 103, 49))
    assert outline.exterior.is_ccw


def test_outline_keeps_holes_and_separates_parts_that_meet_in_a_corner():
    ring = np.ones((3, 3), dtype=bool)
    ring[1, 1] = False
    assert len(mask_to_polygon(ring, transform=GRID).interiors) == 1
    corner = mask_to_polygon(np.eye(2, dtype=bool), transform=GRID)
    assert corner.geom_type == "MultiPolygon"
    assert corner.is_valid


def test_an_empty_mask_has_no_outline():
    with pytest.raises(GeometryError, match="the mask is empty"):
        mask_to_polygon(np.zeros((2, 2), dtype=bool), transform=GRID)


@given(hnp.arrays(bool, (6, 7)).filter(np.any))
def test_outline_is_valid_and_has_the_area_of_its_cells(mask):
    outline = mask_to_polygon(mask, transform=GRID)
    assert outline.is_valid
    assert outline.area == pytest.approx(np.count_nonzero(mask))


@settings(deadline=None, max_examples=50)
@given(
    hnp.arrays(float, (6, 7), elements=st.integers(0, 9).map(float)),
    st.sets(st.tuples(st.integers(0, 5), st.integers(0, 6)), min_size=1, max_size=4),
)
def test_every_cell_drains_to_exactly_one_outlet(elevation, outlets):
    outlets = sorted(outlets)
    labels = basin(elevation, outlets)
    assert labels.min() >= 1
    assert [labels[outlet] for outlet in outlets] == list(range(1, len(outlets) + 1))
