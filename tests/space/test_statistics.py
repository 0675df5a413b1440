"""Variance, extremes and means by class: answers that can be done by eye, and both storages against each other."""

import geopandas as gpd
import numpy as np
import pytest
import shapely
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st

from geotools.errors import DataError, UsageError
from geotools.space import reductions
from geotools.space.grid import Grid
from geotools.space.matrix import CellMatrix
from geotools.space.overlap import Overlap

CLASSES = {"flag_values": np.array([1, 2], "int8"), "flag_meanings": "forest tundra"}


@pytest.fixture
def overlap(zones, grid):
    return Overlap.between(zones, grid)


def test_variance_of_cells_of_equal_area(overlap, nine):
    """South holds 0, 1 and half of... 0 whole and 1 in half: weights 1 and 1/2, mean 1/3, variance 2/9."""
    out = overlap.variance(nine)
    assert out.sel(zone="south").item() == pytest.approx(2 / 9, rel=1e-6)
    assert np.isnan(out.sel(zone="away"))
    assert out.attrs["units"] == "(kg m-2)2"
    assert out.attrs["cell_methods"] == "area: variance"


def test_variance_keeps_its_digits_beside_a_large_mean(overlap, nine):
    """The mean of squares less the square of the mean would leave three digits."""
    plain, lifted = overlap.variance(nine), overlap.variance(nine + 1e6)
    np.testing.assert_allclose(lifted, plain, rtol=1e-9)


def test_extremes_take_every_touched_cell(overlap, nine):
    np.testing.assert_array_equal(overlap.minimum(nine), [0, 0, np.nan])
    np.testing.assert_array_equal(overlap.maximum(nine), [1, 6, np.nan])
    assert overlap.maximum(nine).attrs["cell_methods"] == "area: maximum"


def test_extremes_pass_over_missing_cells(overlap, nine):
    holes = nine.where((nine != 0) & (nine != 6))
    np.testing.assert_array_equal(overlap.minimum(holes), [1, 3, np.nan])
    np.testing.assert_array_equal(overlap.maximum(-holes), [-1, -3, np.nan])
    assert np.isnan(overlap.maximum(nine.where(nine > 100))).all()


def test_min_valid_fraction_blanks_what_stands_on_too_little(overlap, nine):
    holes = nine.where(nine > 2)
    assert np.isnan(overlap.maximum(holes, min_valid_fraction=0.9).sel(zone="west"))
    assert overlap.maximum(holes, min_valid_fraction=0.5).sel(zone="west") == 6
    assert np.isnan(overlap.variance(holes, min_valid_fraction=0.9).sel(zone="west"))


def test_means_by_class_in_one_pass(overlap, grid, nine):
    kinds = grid.wrap(np.array([[1, 1, 2], [2, 1, 1], [2, 2, 1]], "int8")).assign_attrs(CLASSES)
    out = overlap.mean_by_class(nine, kinds)
    assert out.dims == ("class", "zone")
    assert out["class"].values.tolist() == ["forest", "tundra"]
    south = out.sel(zone="south")
    # Cell 0 whole and cell 1 in half, both forest; no tundra.
    assert south.values[0] == pytest.approx(1 / 3, rel=1e-6)
    assert np.isnan(south.values[1])
    west = overlap.mean_by_class(nine.where(nine != 6), kinds).sel(zone="west")
    assert west.values.tolist() == [0, 3]
    areas = grid.cell_areas()
    np.testing.assert_allclose(
        west["valid_fraction"], [1, areas[1, 0] / (areas[1, 0] + areas[2, 0])], rtol=1e-9
    )
    assert "area of the class" in west["valid_fraction"].attrs["long_name"]


def test_means_and_areas_by_class_add_up_to_the_mean(overlap, grid, nine):
    kinds = grid.wrap(np.array([[1, 1, 2], [2, 1, 1], [2, 2, 1]], "int8")).assign_attrs(CLASSES)
    inside = slice(0, 2)
    share = overlap.class_fraction(kinds).isel(zone=inside)
    means = overlap.mean_by_class(nine, kinds).isel(zone=inside)
    np.testing.assert_allclose((share * means).sum("class"), overlap.mean(nine).isel(zone=inside), rtol=1e-13)


def test_classes_may_change_in_time(overlap, grid, nine):
    kinds = grid.wrap(np.array([np.full((3, 3), 1), np.full((3, 3), 2)], "int8"), ("time",)).assign_attrs(
        CLASSES
    )
    out = overlap.mean_by_class(nine, kinds)
    assert out.dims == ("time", "class", "zone")
    mean = overlap.mean(nine).values
    np.testing.assert_allclose(out.isel(time=1).sel({"class": "tundra"}), mean)
    assert np.isnan(out.isel(time=0).sel({"class": "tundra"})).all()


def test_a_class_without_meaning_and_a_field_that_is_no_class_are_refused(overlap, grid, nine):
    kinds = grid.wrap(np.full((3, 3), 7, "int8")).assign_attrs(CLASSES)
    with pytest.raises(DataError, match="class codes 7 occur"):
        overlap.mean_by_class(nine, kinds)
    with pytest.raises(UsageError, match="mean_by_class\\(\\) was called on a density"):
        overlap.mean_by_class(nine, nine)
    with pytest.raises(UsageError, match="mean_by_class\\(\\) was called on a class"):
        overlap.mean_by_class(kinds, kinds)
    with pytest.raises(DataError, match="another grid"):
        overlap.mean_by_class(nine, kinds.assign_coords(lon=kinds.lon + 5))


@pytest.mark.parametrize("call", ["variance", "minimum", "maximum"])
def test_amounts_are_refused(overlap, nine, call):
    with pytest.raises(UsageError, match=f"{call}\\(\\) was called on an amount per cell"):
        getattr(overlap, call)(nine.assign_attrs(units="t", cell_methods="area: sum"))


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10_000), st.booleans())
def test_both_storages_agree(seed, whole_numbers):
    rng = np.random.default_rng(seed)
    grid = Grid(np.cumsum(np.r_[120.0, rng.uniform(0.2, 1, 12)]), np.linspace(60, 52, 15), 4326)
    shapes = [shapely.Point(*rng.uniform((121, 53), (126, 59))).buffer(rng.uniform(0.1, 3)) for _ in range(4)]
    runs = Overlap.between(gpd.GeoDataFrame(geometry=shapes, crs=4326), grid).matrix
    csr = runs.csr.tocoo()
    cells = CellMatrix(csr.row, csr.col, csr.data, csr.shape, grid)
    values = rng.normal(1000, 3, size=(3, grid.size))
    values = (
        values.astype("int16") if whole_numbers else np.where(rng.random(values.shape) < 0.3, np.nan, values)
    )
    codes = rng.integers(0, 3, size=(1, grid.size)).astype("uint8")
    for one, other in zip(runs.moments(values), cells.moments(values), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-9, atol=1e-9)
    for greatest in (True, False):
        for one, other in zip(
            runs.extremes(values, greatest=greatest), cells.extremes(values, greatest=greatest), strict=True
        ):
            np.testing.assert_allclose(one, other, rtol=1e-12)
    classes = np.array([2, 0])
    (one, strange), (other, too) = (m.class_means(values, codes, classes) for m in (runs, cells))
    np.testing.assert_allclose(one, other, rtol=1e-12)
    assert strange.tolist() == too.tolist()


@settings(max_examples=20, deadline=None)
@given(st.floats(-1e3, 1e3), st.floats(0.1, 10))
def test_variance_under_shift_and_scale(shift, scale):
    grid = Grid.regular((126, 60, 129, 63), 1)
    zone = gpd.GeoDataFrame(geometry=[shapely.box(126.3, 60.2, 128.1, 62.9)], crs=4326)
    field = grid.wrap(np.arange(9.0).reshape(3, 3)).assign_attrs(units="degC")
    overlap = Overlap.between(zone, grid)
    with xr.set_options(keep_attrs=True):
        moved = overlap.variance(field * scale + shift)
    assert moved.item() == pytest.approx(overlap.variance(field).item() * scale**2, rel=1e-9)


def test_quantiles_of_large_zones_are_the_same_one_field_at_a_time(overlap, nine, monkeypatch):
    """And an error on the way does not keep the next field waiting for good."""
    plain = overlap.quantile(nine, [0.1, 0.5, 0.9])
    monkeypatch.setattr(reductions, "_LARGE", 0)
    entered = []

    class Watched:
        def __enter__(self):
            entered.append(self)

        def __exit__(self, *_):
            return False

    monkeypatch.setattr(reductions, "_one_large_zone", Watched())
    np.testing.assert_array_equal(overlap.quantile(nine, [0.1, 0.5, 0.9]), plain)
    assert len(entered) == 1
    monkeypatch.undo()
    monkeypatch.setattr(reductions, "_LARGE", 0)

    def broken(*_):
        raise MemoryError

    with monkeypatch.context() as patched:
        patched.setattr(reductions, "_quantiles", broken)
        with pytest.raises(MemoryError):
            overlap.quantile(nine, 0.5)
    np.testing.assert_array_equal(overlap.quantile(nine, [0.1, 0.5, 0.9]), plain)
