"""Fields in chunks of any shape: the answer is the same, every chunk is loaded once, and nothing is joined."""

import threading
from collections import Counter

import dask
import dask.array as da
import geopandas as gpd
import numpy as np
import pytest
import shapely
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st

from geotools.errors import GeotoolsWarning
from geotools.space.chunks import times_read
from geotools.space.grid import Grid
from geotools.space.overlap import Overlap
from geotools.space.runs import RunMatrix

CLASSES = {"flag_values": np.array([1, 2, 3], "int8"), "flag_meanings": "forest tundra bog"}
GRIDS = {
    "even": Grid.regular((120, 50, 130, 58), 1),
    "uneven": Grid(np.cumsum(np.r_[120.0, np.tile([0.5, 1.0, 0.7], 4)]), np.arange(58.0, 49.0, -0.8), 4326),
    "polar": Grid.regular((2.2e6, 1.0e6, 3.2e6, 2.0e6), 1e5, "EPSG:3995"),
}


def targets_on(grid):
    """Zones that overlap and one that leaves the grid; a coarser grid; points."""
    west, south, east, north = grid.bounds
    side = min(east - west, north - south)
    middle = shapely.Point((west + east) / 2, (south + north) / 2)
    shapes = [middle.buffer(0.4 * side), shapely.box(west, south, east - 0.3 * side, north - 0.2 * side)]
    zones = gpd.GeoDataFrame(geometry=[*shapes, middle.buffer(2 * side)], crs=grid.crs)
    return {
        "zones": zones,
        "cells": Grid.regular(grid.bounds, ((east - west) / 3, (north - south) / 2), grid.crs),
        "points": gpd.GeoDataFrame(geometry=[middle, shapely.Point(west, south)], crs=grid.crs),
    }


def field_on(grid, steps=5, seed=1):
    rng = np.random.default_rng(seed)
    values = rng.normal(10, 1, size=(steps, *grid.shape)).astype("float32")
    values[rng.random(values.shape) < 0.2] = np.nan
    values[0] = np.nan
    values[1] = 4.0
    return grid.wrap(values, ("time",)).rename("x").assign_attrs(units="kg m-2")


def classes_on(grid, seed=2):
    codes = np.random.default_rng(seed).integers(1, 4, size=grid.shape).astype("int8")
    return grid.wrap(codes).assign_attrs(CLASSES)


def calls_of(overlap, classes):
    amounts = {"units": "t", "cell_methods": "area: sum"}
    calls = {
        "mean": overlap.mean,
        "variance": overlap.variance,
        "minimum": overlap.minimum,
        "maximum": overlap.maximum,
        "valid_fraction": overlap.valid_fraction,
    }
    if overlap.target.what != "points":
        calls["total"] = overlap.total
        calls["sum"] = lambda f: overlap.sum(f.assign_attrs(amounts))
        calls["area_by_class"] = lambda f: overlap.area_by_class(
            f.round().clip(9, 11).fillna(0).astype("int8"), classes={9: "a", 10: "b", 11: "c", 4: "d", 0: "e"}
        )
        chunks = {}

        def by_class(f):
            chunks.update({d: c for d, c in f.chunksizes.items() if d in classes.dims})
            return overlap.mean_by_class(f, classes.chunk(chunks) if chunks else classes)

        calls["mean_by_class"] = by_class
    if overlap.target.what != "cells":
        calls["quantile"] = lambda f: overlap.quantile(f, [0.1, 0.9])
    if overlap.target.what == "cells":
        calls["regrid"] = overlap.regrid
    return calls


def assert_close(one, other):
    xr.testing.assert_allclose(one, other, rtol=1e-12, atol=1e-12)
    np.testing.assert_array_equal(np.isnan(one), np.isnan(other))
    assert one.attrs == other.attrs


@pytest.mark.parametrize("what", ["zones", "cells", "points"])
@pytest.mark.parametrize("name", GRIDS)
@settings(max_examples=3, deadline=None)
@given(st.data())
def test_chunks_in_time_and_space_do_not_change_the_answer(name, what, data):
    grid = GRIDS[name]
    field, classes = field_on(grid), classes_on(grid)
    overlap = Overlap.between(targets_on(grid)[what], grid)
    chunks = {d: data.draw(st.integers(1, n), label=d) for d, n in field.sizes.items()}
    for call in calls_of(overlap, classes).values():
        assert_close(call(field.chunk(chunks)).compute(), call(field))


@pytest.mark.parametrize("name", GRIDS)
def test_chunks_in_time_alone_do_not_change_a_bit(name):
    grid = GRIDS[name]
    overlap = Overlap.between(targets_on(grid)["zones"], grid)
    for call in calls_of(overlap, classes_on(grid)).values():
        xr.testing.assert_identical(call(field_on(grid).chunk(time=2)).compute(), call(field_on(grid)))


@pytest.mark.parametrize("name", GRIDS)
def test_full_data_in_tiles_stand_on_exactly_the_area(name):
    grid = GRIDS[name]
    overlap = Overlap.between(targets_on(grid)["zones"][:2], grid)
    y, x = grid.dims
    ones = grid.wrap(np.ones(grid.shape)).assign_attrs(units="kg m-2").chunk({y: 3, x: 4})
    np.testing.assert_array_equal(overlap.mean(ones)["valid_fraction"].compute(), [1.0, 1.0])


class Storage:
    """Chunks that count how often each is loaded."""

    def __init__(self, values, chunks):
        self.values, self.loads, self.lock = values, Counter(), threading.Lock()
        slices = da.core.slices_from_chunks(da.core.normalize_chunks(chunks, values.shape))
        places = [tuple((s.start, s.stop) for s in place) for place in slices]
        numbers = da.core.normalize_chunks(chunks, values.shape)
        keys = list(np.ndindex(*map(len, numbers)))
        name = f"storage-{id(self)}"
        graph = {(name, *k): (self.load, place) for k, place in zip(keys, places, strict=True)}
        self.array = da.Array(graph, name, numbers, values.dtype)

    def load(self, place):
        with self.lock:
            self.loads[place] += 1
        return self.values[tuple(slice(*part) for part in place)]


@pytest.mark.parametrize("chunks", [(1, 8, 10), (2, 3, 4), (5, 1, 10)])
def test_every_chunk_is_loaded_once_for_all_statistics_of_two_targets(chunks):
    grid = GRIDS["even"]
    field, targets = field_on(grid), targets_on(grid)
    storage = Storage(field.values, chunks)
    lazy = field.copy(data=storage.array)
    results = []
    for what in ("zones", "cells"):
        overlap = Overlap.between(targets[what], grid)
        results += [call(lazy) for call in calls_of(overlap, classes_on(grid)).values()]
    dask.compute(*results)
    assert len(storage.loads) == int(np.prod(storage.array.numblocks))
    assert set(storage.loads.values()) == {1}


@pytest.mark.parametrize("what", ["zones", "cells", "points"])
def test_chunks_beside_all_targets_are_not_loaded(what):
    grid = Grid.regular((0, 0, 20, 16), 1)
    targets = {
        "zones": gpd.GeoDataFrame(
            geometry=[shapely.box(9.5, 2.5, 11.5, 3), shapely.box(13, 5, 14, 6)], crs=4326
        ),
        "cells": Grid.regular((9, 2, 14, 6), (2.5, 2)),
        "points": gpd.GeoDataFrame(geometry=gpd.points_from_xy([9.2, 13.5], [2.5, 5.5]), crs=4326),
    }[what]
    overlap = Overlap.between(targets, grid)
    field, classes = field_on(grid), classes_on(grid)
    for chunks in [(2, 4, 5), (1, 16, 3), (5, 7, 20), (5, 16, 10)]:
        storage = Storage(field.values, chunks)
        lazy = field.copy(data=storage.array)
        for call in calls_of(overlap, classes).values():
            assert_close(call(lazy).compute(), call(field))
        # All targets lie in rows 2 to 6 and columns 9 to 14.
        beside = [p for p in storage.loads if p[1][1] <= 2 or p[1][0] >= 6 or p[2][1] <= 9 or p[2][0] >= 14]
        assert storage.loads
        assert not beside


def test_a_field_that_no_target_meets_gives_nothing_and_is_hardly_read():
    grid = Grid.regular((0, 0, 20, 16), 1)
    overlap = Overlap.between(gpd.GeoDataFrame(geometry=[shapely.box(40, 40, 41, 41)], crs=4326), grid)
    storage = Storage(field_on(grid).values, (5, 4, 5))
    mean = overlap.mean(field_on(grid).copy(data=storage.array)).compute()
    assert np.isnan(mean).all()
    assert mean["valid_fraction"].values.tolist() == [[0.0]] * 5
    assert len(storage.loads) == 1


@pytest.mark.parametrize("chunks", [(1, 8, 10), (2, 3, 4)])
@pytest.mark.parametrize("cell_methods", ["area: sum", "area: mean"])
def test_amounts_are_spread_tile_by_tile_with_weights_loaded_once(chunks, cell_methods):
    grid = GRIDS["even"]
    overlap = Overlap.between(targets_on(grid)["zones"], grid)
    weights = abs(field_on(grid)).assign_attrs(units="1", cell_methods=cell_methods)
    given = overlap.zone_areas.rename("co2").assign_attrs(units="t")
    storage = Storage(weights.values, chunks)
    lazy = overlap.spread(given, weights.copy(data=storage.array), partly_outside="fold")
    assert lazy["co2"].data.chunks == storage.array.chunks
    xr.testing.assert_allclose(
        lazy.compute(), overlap.spread(given, weights, partly_outside="fold"), rtol=1e-12
    )
    assert set(storage.loads.values()) == {1}


def tasks(field):
    """Tasks that are left when dask has put together what it can."""
    (optimised,) = dask.optimize(field)
    return len(dict(optimised.__dask_graph__()))


@pytest.mark.parametrize("chunks", [{"time": 1}, {"time": 1, "lat": 2, "lon": 5}, {"lat": 1}])
def test_one_task_per_chunk_and_a_few_per_step(chunks):
    grid = GRIDS["even"]
    lazy = field_on(grid, steps=20).chunk(chunks)
    overlap = Overlap.between(targets_on(grid)["zones"], grid)
    steps = lazy.data.numblocks[0]
    # Joining the tiles, and the two views of what comes out; once, the matrix.
    most = lazy.data.npartitions + 3 * steps + 1
    assert tasks(overlap.mean(lazy)) - tasks(lazy) <= most


def test_the_matrix_stands_in_the_graph_once_and_not_in_every_task():
    grid = GRIDS["even"]
    overlap = Overlap.between(targets_on(grid)["zones"], grid)
    lazy = field_on(grid, steps=20).chunk(time=1, lat=4)
    graph = dict(overlap.mean(lazy).__dask_graph__())
    held = [key for key, task in graph.items() if isinstance(getattr(task, "value", task), RunMatrix)]
    assert len(held) == 1


def test_a_tile_holds_only_the_targets_that_reach_into_it():
    grid = Grid.regular((0, 0, 10, 10), 1)
    zones = gpd.GeoDataFrame(geometry=[shapely.box(0, 0, 2, 2), shapely.box(7.5, 7.5, 9, 9)], crs=4326)
    overlap = Overlap.between(zones, grid)
    tile = overlap.matrix.window(slice(5, 10), slice(5, 10))
    assert tile.targets.tolist() == [1]
    assert tile.cells.tolist() == [77, 78, 87, 88]
    assert overlap.matrix.window(slice(3, 5), slice(3, 5)).targets.size == 0


@pytest.mark.parametrize(
    ("chunks", "times"),
    [
        ((4, 4, 2), 1.0),
        ((8, 2), 1.0),
        ((2, 2, 2, 2, 2), 5 / 3),
        ((1,) * 10, 10 / 3),
        ((3, 4, 3), 1.0),
        ((6, 4), 4 / 3),
    ],
)
def test_how_often_storage_chunks_are_read(chunks, times):
    field = xr.DataArray(da.zeros(10, chunks=(chunks,)), dims="time")
    field.encoding["preferred_chunks"] = {"time": 4}
    assert times_read(field) == pytest.approx(times)


def test_chunks_that_cut_across_the_storage_are_named_with_what_they_cost():
    grid = GRIDS["even"]
    overlap = Overlap.between(targets_on(grid)["zones"], grid)
    field = field_on(grid, steps=12)
    lazy = field.chunk(time=4)
    lazy.encoding["preferred_chunks"] = {"time": 12, "lat": 8, "lon": 10}
    with pytest.warns(GeotoolsWarning, match=r"'x'.*cut across.*'time': 12.*read 3.0 times.*chunks=\{\}"):
        overlap.mean(lazy)
    lazy.encoding["preferred_chunks"] = {"time": 2, "lat": 8, "lon": 10}
    overlap.mean(lazy)
