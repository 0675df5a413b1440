import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geotools.errors import UsageError
from geotools.space.grid import Grid
from geotools.space.overlap import Overlap

FINE = Grid.regular((100, 50, 118, 68), 0.1)
COARSE = Grid.regular((100, 50, 118, 68), 0.36)


def gradient(grid):
    """A field that changes with latitude: planar methods look good on any other."""
    values = 10 + 0.2 * (grid.y[:, None] - 57) + np.sin(np.deg2rad(7 * grid.x))
    return grid.wrap(values).assign_attrs(units="kg m-2")


def integral(field, grid):
    return float((field * grid.cell_areas()).sum())


def test_two_cells_into_one(nine):
    out = Overlap.between(Grid.regular((126, 60, 129, 63), 3), nine).regrid(nine)
    area = Grid.from_dataarray(nine).cell_areas()
    assert out.item() == pytest.approx(float((nine.values * area).sum() / area.sum()), rel=1e-14)
    assert out.dims == ("lat", "lon")
    assert out.attrs["units"] == "kg m-2"


def test_to_finer_cells_is_a_copy(nine, grid):
    fine = Overlap.between(Grid.regular((126, 60, 129, 63), 0.5), grid).regrid(nine)
    np.testing.assert_allclose(fine, np.repeat(np.repeat(nine.values, 2, 0), 2, 1), rtol=1e-14)


def test_same_grid_is_the_identity(nine, grid):
    np.testing.assert_array_equal(Overlap.between(grid, grid).regrid(nine), nine)


def test_integral_is_kept_with_a_latitude_gradient():
    field = gradient(FINE)
    out = Overlap.between(COARSE, FINE).regrid(field)
    assert integral(out, COARSE) == pytest.approx(integral(field, FINE), rel=1e-13)
    assert (out["valid_fraction"] == 1).all()


def test_amounts_are_shared_out():
    people = gradient(FINE).assign_attrs(units="1", cell_methods="area: sum")
    out = Overlap.between(COARSE, FINE).regrid(people)
    assert float(out.sum()) == pytest.approx(float(people.sum()), rel=1e-13)


def test_missing_values_are_renormalised_and_integral_kept():
    field = gradient(FINE)
    holes = field.where(np.random.default_rng(0).random(field.shape) > 0.3)
    overlap = Overlap.between(COARSE, FINE)
    out = overlap.regrid(holes)
    assert float((out * out["valid_fraction"] * COARSE.cell_areas()).sum()) == pytest.approx(
        integral(holes, FINE), rel=1e-13
    )
    constant = overlap.regrid(holes * 0 + 3.0)
    np.testing.assert_allclose(constant, 3.0, rtol=1e-12)


def test_min_valid_fraction_by_eye(nine):
    """Four cells into one, of which one is known, the south-eastern: a little more than a quarter."""
    one = Grid.regular((126, 60, 128, 62), 2)
    overlap = Overlap.between(one, nine)
    known = nine.where(nine == 1)
    assert overlap.regrid(known).item() == 1
    assert overlap.regrid(known)["valid_fraction"].item() == pytest.approx(0.2539, abs=1e-4)
    assert np.isnan(overlap.regrid(known, min_valid_fraction=0.5).item())
    assert overlap.regrid(nine, min_valid_fraction=1.0).notnull().all()


def test_cells_outside_the_source_are_nan(nine):
    out = Overlap.between(Grid.regular((125, 59, 131, 65), 2), nine).regrid(nine)
    assert np.isnan(out.values[2, 2])
    assert out["valid_fraction"].values[0, 0] == pytest.approx(0.25, abs=0.01)


@pytest.mark.parametrize("descending", [False, True])
def test_direction_of_the_axes(descending):
    turned = Grid(COARSE.x_edges, COARSE.y_edges[::-1], COARSE.crs, "lon", "lat") if descending else COARSE
    out = Overlap.between(turned, FINE).regrid(gradient(FINE)).sortby("lat")
    np.testing.assert_allclose(out, Overlap.between(COARSE, FINE).regrid(gradient(FINE)), rtol=1e-13)


def test_0_to_360_against_180():
    half = Grid.regular((0, 50, 360, 70), 2)
    whole = Grid.regular((-180, 50, 180, 70), (3, 2.5))
    field = half.wrap(np.random.default_rng(0).random(half.shape)).assign_attrs(units="kg m-2")
    out = Overlap.between(whole, half).regrid(field)
    assert integral(out, whole) == pytest.approx(integral(field, half), rel=1e-13)


def test_from_polar_stereographic():
    polar = Grid.regular((2.0e6, 1.5e6, 3.4e6, 2.9e6), 2e4, "EPSG:3995")
    lonlat = Grid.regular((128, 56, 134, 62), 1)
    overlap = Overlap.between(lonlat, polar)
    assert (overlap.covered_fraction > 0.9999).all()
    out = overlap.regrid(polar.wrap(np.full(polar.shape, 7.0)))
    np.testing.assert_allclose(out, 7, rtol=1e-12)
    # Measured: the areas of one-degree cells out of 20 km pixels are good to 3e-6.
    np.testing.assert_allclose(overlap.matrix.row_sums, lonlat.cell_areas().ravel(), rtol=1e-5)


def test_between_polar_grids_of_one_crs():
    fine = Grid.regular((0, 0, 1e6, 1e6), 1e4, "EPSG:3995")
    coarse = Grid.regular((0, 0, 1e6, 1e6), 5e4, "EPSG:3995")
    field = gradient(fine)
    out = Overlap.between(coarse, fine).regrid(field)
    assert integral(out, coarse) == pytest.approx(integral(field, fine), rel=1e-9)


@settings(max_examples=20, deadline=None)
@given(st.integers(2, 40), st.integers(2, 40), st.integers(0, 100))
def test_any_pair_of_grids_keeps_the_integral(n, m, seed):
    one = Grid(np.linspace(100, 118, n + 1), np.linspace(50, 68, m + 1), "EPSG:4326", "lon", "lat")
    field = one.wrap(np.random.default_rng(seed).normal(size=one.shape)).assign_attrs(units="kg m-2")
    out = Overlap.between(COARSE, one).regrid(field)
    scale = integral(abs(field), one)
    assert abs(integral(out, COARSE) - integral(field, one)) < 1e-12 * scale


def test_zones_are_no_grid(zones, grid, nine):
    with pytest.raises(UsageError, match=r"regrid\(\) was called on an overlap with zones"):
        Overlap.between(zones, grid).regrid(nine)


def test_classes_become_shares(nine, grid):
    codes = nine.copy(data=[[1, 1, 2]] * 3).astype("int8")
    codes.attrs = {"flag_values": [1, 2], "flag_meanings": "tundra taiga"}
    overlap = Overlap.between(Grid.regular((126, 60, 129, 63), 3), grid)
    out = overlap.class_fraction(codes)
    assert out.dims == ("class", "lat", "lon")
    np.testing.assert_allclose(out.values.ravel(), [2 / 3, 1 / 3])
    with pytest.raises(UsageError, match=r"regrid\(\) was called on a class"):
        overlap.regrid(codes)
