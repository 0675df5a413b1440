import pickle
import tracemalloc

import geopandas as gpd
import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from geotools.space.geodesy import polygon_area
from geotools.space.grid import Grid
from geotools.space.matrix import CellMatrix
from geotools.space.overlap import Overlap
from geotools.space.runs import RunMatrix

UNEVEN = Grid(np.cumsum(np.r_[70.0, np.tile([0.5, 1.0, 0.7], 30)]), np.arange(75.0, 39.0, -0.8), 4326)
GRIDS = {
    "even": Grid.regular((70, 40, 145, 75), 0.5),
    "uneven": UNEVEN,
    "polar": Grid.regular((1.2e6, -1.0e6, 6.2e6, 5.5e6), 5e4, "EPSG:3995"),
}


def zones_of(shapes):
    return gpd.GeoDataFrame(geometry=list(shapes), crs=4326)


@pytest.fixture(params=GRIDS)
def both(request, stars):
    """The same overlap in both storages."""
    overlap = Overlap.between(zones_of(stars(6, seed=7)), GRIDS[request.param])
    assert isinstance(overlap.matrix, RunMatrix)
    csr = overlap.area.tocoo()
    cells = CellMatrix(csr.row, csr.col, csr.data, csr.shape, overlap.grid)
    return overlap.matrix, cells


def values_of(matrix, dtype="float32", steps=3):
    rng = np.random.default_rng(5)
    values = rng.normal(10, 3, size=(steps, matrix.shape[1])).astype(dtype)
    if values.dtype.kind == "f":
        values[rng.random(values.shape) < 0.2] = np.nan
    return values


@pytest.mark.parametrize("amounts", [False, True])
@pytest.mark.parametrize("dtype", ["float32", "float64", ">f4", "float16", "int16", "uint8", "bool"])
def test_sums_are_those_of_the_cells(both, dtype, amounts):
    runs, cells = both
    values = values_of(runs, dtype)
    for one, other in zip(
        runs.sums(values, amounts=amounts), cells.sums(values, amounts=amounts), strict=True
    ):
        np.testing.assert_allclose(one, other, rtol=1e-12)


def test_class_areas_are_those_of_the_cells(both):
    runs, cells = both
    codes = np.random.default_rng(0).integers(1, 7, size=(2, runs.shape[1])).astype("int8")
    classes = np.array([5, 1, 2, 3])
    (one, strange), (other, too) = (m.class_areas(codes, classes) for m in both)
    np.testing.assert_allclose(one, other, rtol=1e-12)
    assert strange.tolist() == too.tolist() == [4, 6]
    with_nan = np.where(codes == 5, np.nan, codes).astype("float32")
    np.testing.assert_allclose(
        runs.class_areas(with_nan, classes)[0], cells.class_areas(with_nan, classes)[0], rtol=1e-12
    )


def test_everything_else_is_that_of_the_cells(both):
    runs, cells = both
    np.testing.assert_allclose(runs.row_sums, cells.row_sums, rtol=1e-13)
    np.testing.assert_allclose(runs.column_sums, cells.column_sums, rtol=1e-12)
    np.testing.assert_array_equal(runs.cells, cells.cells)
    for (one, area), (other, too) in zip(runs.rows(), cells.rows(), strict=True):
        np.testing.assert_array_equal(one, other)
        np.testing.assert_allclose(area, too, rtol=1e-12)
    rng = np.random.default_rng(1)
    given, weights = rng.random((2, 2, 6)), rng.random(cells.cells.size)
    for amounts in (False, True):
        one, other = (m.give(*given, weights, amounts=amounts) for m in (runs, cells))
        np.testing.assert_allclose(one, other, rtol=1e-12)


def test_threads_and_steps_together_change_nothing(both):
    runs, _ = both
    values = values_of(runs, steps=7)
    whole = runs.sums(values)
    for one, other in zip(runs.sums(values, threads=3), whole, strict=True):
        np.testing.assert_array_equal(one, other)
    alone = np.concatenate([runs.sums(values[k : k + 1])[0] for k in range(7)])
    np.testing.assert_array_equal(alone, whole[0])
    codes = values_of(runs, "int16")
    one, other = (runs.class_areas(codes, np.arange(5), threads=n)[0] for n in (1, 2))
    np.testing.assert_array_equal(one, other)


def test_full_data_stand_on_exactly_the_area_and_no_data_on_none(both):
    runs, _ = both
    values = np.zeros((2, runs.shape[1]))
    values[1] = np.nan
    areas = runs.sums(values)[1]
    np.testing.assert_array_equal(areas[0], runs.row_sums)
    np.testing.assert_array_equal(areas[1], 0)


@pytest.mark.parametrize("absurd", [np.inf, 1e30])
def test_an_absurd_value_stays_with_its_zones(absurd):
    """Running sums over the whole row would carry it, or lose the digits of the others."""
    grid = Grid.regular((0, 60, 10, 61), 1)
    overlap = Overlap.between(zones_of([shapely.box(0, 60, 3, 61), shapely.box(5, 60, 9, 61)]), grid)
    field = grid.wrap([[absurd, 1, 1, 1, 1, 1, 2, 3, 4, 1]]).assign_attrs(units="degC")
    assert overlap.mean(field)[1].item() == pytest.approx(2.5, rel=1e-14)


def test_it_travels_without_what_can_be_had_again(both):
    runs, _ = both
    values = values_of(runs)
    assert runs.pairs.shape == runs.shape
    small = pickle.dumps(runs)
    assert "pairs" not in vars(pickle.loads(small))
    np.testing.assert_array_equal(pickle.loads(small).sums(values)[0], runs.sums(values)[0])
    assert pickle.loads(small).key == runs.key


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000), st.integers(2, 8), st.sampled_from(sorted(GRIDS)))
def test_zones_that_tile_the_domain_anywhere_conserve_the_total(seed, n, name):
    rng = np.random.default_rng(seed)
    grid = GRIDS[name]
    west, south, east, north = grid.bounds
    points = shapely.MultiPoint(rng.uniform((west, south), (east, north), (n, 2)))
    around = shapely.box(west, south, east, north)
    tiles = shapely.get_parts(shapely.voronoi_polygons(points, extend_to=around.buffer(1e-3 * (east - west))))
    if name != "polar":
        tiles = shapely.intersection(tiles, shapely.box(west - 1, south - 1, east + 1, north + 1))
    tiles = gpd.GeoDataFrame(geometry=list(tiles), crs=grid.crs)
    field = grid.wrap(rng.gamma(2, size=grid.shape)).assign_attrs(units="kg m-2")
    overlap = Overlap.between(tiles, grid)
    true = float((field * grid.cell_areas()).sum())
    # True areas of polar pixels are known to 1e-9: they depend on the plane in which they are taken.
    within = 1e-8 if name == "polar" else 1e-12
    assert float(overlap.total(field).sum()) == pytest.approx(true, rel=within)
    amounts = field.assign_attrs(units="t", cell_methods="area: sum")
    assert float(overlap.sum(amounts).sum()) == pytest.approx(float(field.sum()), rel=1e-12)


@pytest.mark.parametrize("step", [0.1, 0.25, 1.0, 5.0])
def test_zone_areas_are_those_of_the_polygons(stars, step):
    """Both follow edges densified in the same way: they agree to rounding."""
    shapes = stars(20)
    overlap = Overlap.between(zones_of(shapes), Grid.regular((70, 40, 145, 75), step))
    np.testing.assert_allclose(overlap.matrix.row_sums, polygon_area(shapes), rtol=1e-11)


def test_memory_grows_with_the_edge_and_not_with_the_area(stars):
    zones = zones_of(stars(5, seed=1))
    held = [Overlap.between(zones, Grid.regular((70, 40, 145, 75), s)).matrix.nbytes for s in (0.1, 0.05)]
    # Four times the cells.
    assert held[1] / held[0] < 3


def test_a_sum_makes_no_copy_of_the_field(stars):
    grid = Grid.regular((70, 40, 145, 75), 0.1)
    matrix = Overlap.between(zones_of(stars(5, seed=1)), grid).matrix
    values = np.zeros((4, grid.size), "float32")
    matrix.sums(values)
    tracemalloc.start()
    matrix.sums(values)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 0.05 * values.nbytes
