"""Overlaps in files: equal after a round trip, refused when anything is wrong with the file."""

import json
import multiprocessing
import os
import re
import time
import zipfile

import geopandas as gpd
import numpy as np
import pyproj
import pytest
import shapely
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st

from geotools.errors import CRSError, DataError, GeometryError, GeotoolsWarning, UsageError
from geotools.space import CurvilinearGrid, Grid, Overlap, Transect
from geotools.space import cache as cache_module
from geotools.space import store as store_module
from geotools.space.coverage import ALGORITHM, polygon_runs

GRIDS = {
    "even": Grid.regular((70, 40, 145, 75), 0.5),
    "uneven": Grid(np.cumsum(np.linspace(0.1, 0.9, 151)) + 70, np.linspace(75, 40, 71), 4326, "lon", "lat"),
    "polar": Grid.regular((-3e6, -3e6, 3e6, 3e6), 50_000, "EPSG:3995"),
    # Digits that WKT does not keep.
    "laea": Grid.regular((-3e6, -3e6, 3e6, 3e6), 50_000, "+proj=laea +lat_0=63.123456789012345 +lon_0=110.1"),
}

# Without the pole, round which no cell can be drawn in longitude and latitude.
POLAR_PART = Grid.regular((1e6, -3e6, 3e6, 3e6), 100_000, "EPSG:3995")
LAEA_PART = Grid.regular((-1e6, -1e6, 1e6, 1e6), 50_000, GRIDS["laea"].crs)


def slanted(missing=None):
    """Cells that lean over, one of them without corners."""
    lon, lat = np.meshgrid(np.arange(80.0, 141.0, 5.0), np.arange(35.0, 61.0, 5.0))
    lat[0, 0] = np.nan
    return CurvilinearGrid(lon + 0.3 * (lat - 35), lat, x_dim="i", y_dim="j", missing=missing)


@pytest.fixture
def basins(stars):
    names = np.array([f"z{k}" for k in range(12)])
    return gpd.GeoDataFrame(geometry=stars(12, seed=3), index=names, crs=4326).rename_axis("basin")


def fields_on(grid):
    rng = np.random.default_rng(5)
    values = rng.normal(size=(3, *grid.shape)).astype("float32")
    values[:, rng.random(grid.shape) < 0.1] = np.nan
    intensive = grid.wrap(values, ("time",)).rename("tas").assign_attrs(units="degC")
    codes = grid.wrap(rng.integers(1, 4, grid.shape).astype("uint8")).rename("cover")
    return {
        "intensive": intensive,
        "density": intensive.assign_attrs(units="kg m-2"),
        "amount": abs(intensive).assign_attrs(units="1", cell_methods="area: sum"),
        "classes": codes.assign_attrs(flag_values=[1, 2, 3], flag_meanings="a b c"),
    }


def results(overlap):
    """Everything that an overlap can be asked for."""
    field = fields_on(overlap.grid)
    out = {"mean": overlap.mean(field["intensive"]), "valid": overlap.valid_fraction(field["intensive"])}
    if overlap.target.what == "points":
        return out
    out |= {"total": overlap.total(field["density"]), "sum": overlap.sum(field["amount"])}
    out |= {"classes": overlap.area_by_class(field["classes"]), "areas": overlap.zone_areas}
    for name in ("variance", "minimum", "maximum"):
        out[name] = getattr(overlap, name)(field["intensive"])
    out["by_class"] = overlap.mean_by_class(field["intensive"], field["classes"])
    chunks = {"time": 1, overlap.grid.y_dim: 13, overlap.grid.x_dim: 17}
    out["lazy"] = overlap.mean(field["intensive"].chunk(chunks)).compute()
    if overlap.target.what == "cells":
        return out | {"regrid": overlap.regrid(field["intensive"])}
    out |= {"quantile": overlap.quantile(field["intensive"], [0.1, 0.5]), "fraction": overlap.fraction}
    if (overlap.covered_fraction > 0).all():
        amounts = xr.DataArray(np.arange(1.0, len(overlap.labels) + 1), {overlap.zone_dim: overlap.labels})
        weights = field["amount"][0].fillna(0)
        cells = overlap.spread(amounts.rename("co2").assign_attrs(units="t"), weights, partly_outside="fold")
        out |= {"spread": cells["co2"], "fallback": cells["fallback"]}
    return out


def assert_same(one, other):
    again = results(other)
    for name, expected in results(one).items():
        found = again[name]
        xr.testing.assert_identical(found, expected)
        for coordinate in expected.coords:
            assert found[coordinate].dtype == expected[coordinate].dtype
        np.testing.assert_array_equal(found.values.view("uint8"), expected.values.view("uint8"))
    assert (other.key, other.matrix.key, other.grid.key) == (one.key, one.matrix.key, one.grid.key)
    assert type(other.matrix) is type(one.matrix)
    assert repr(other) == repr(one)


def round_trip(overlap, tmp_path):
    overlap.save(tmp_path / "overlap.npz")
    return Overlap.load(tmp_path / "overlap.npz")


@pytest.mark.parametrize("name", GRIDS)
def test_zones_are_the_same_after_a_round_trip(basins, name, tmp_path):
    overlap = Overlap.between(basins, GRIDS[name])
    assert_same(overlap, round_trip(overlap, tmp_path))


def test_points_segments_and_cells_are_the_same_after_a_round_trip(tmp_path):
    grid = GRIDS["even"]
    towns = gpd.GeoDataFrame(geometry=gpd.points_from_xy([126.6, 129.7, 0], [45.8, 62.0, 0]), crs=4326)
    line = Transect([(45.8, 126.0), (60.0, 130.0)], segment_length_km=50)
    for target in (towns, line, Grid.regular((80, 42, 140, 72), 2.0), POLAR_PART, LAEA_PART):
        overlap = Overlap.between(target, grid)
        assert_same(overlap, round_trip(overlap, tmp_path))


def test_overlaps_with_a_curvilinear_grid_are_the_same_after_a_round_trip(basins, tmp_path):
    grid = slanted(np.eye(5, 12, dtype=bool))
    towns = gpd.GeoDataFrame(geometry=gpd.points_from_xy([126.6, 129.7, 0], [47.8, 62.0, 0]), crs=4326)
    line = Transect([(47.8, 116.0), (60.0, 120.0)], segment_length_km=200)
    coarse = Grid.regular((90, 45, 130, 65), 5.0)
    lcc = "+proj=lcc +lat_1=50 +lat_2=70 +lat_0=60.123456789012345 +lon_0=110 +datum=WGS84"
    corners = np.meshgrid(np.linspace(-1e6, 1e6, 6), np.linspace(-1e6, 1e6, 5))
    own = CurvilinearGrid(*corners, lcc)
    for target, source in (
        (basins, grid),
        (towns, grid),
        (line, grid),
        (coarse, grid),
        (own, grid),
        (grid, coarse),
    ):
        overlap = Overlap.between(target, source)
        again = round_trip(overlap, tmp_path)
        assert_same(overlap, again)
        assert again.grid == source
        if overlap.target.what == "cells":
            assert again.target.grid == target


def test_a_saved_result_by_eye(grid, nine, tmp_path):
    zones = gpd.GeoDataFrame(geometry=[shapely.box(126, 60, 128, 61)], index=["south"], crs=4326)
    assert round_trip(Overlap.between(zones, grid), tmp_path).mean(nine).item() == 0.5


def test_zones_that_miss_the_grid_altogether(grid, nine, zones, tmp_path):
    overlap = Overlap.between(zones.loc[["away"]], grid)
    assert np.isnan(round_trip(overlap, tmp_path).mean(nine)).all()


def test_names_and_carried_columns_keep_their_kind(grid, nine, zones, tmp_path):
    zones = zones.assign(
        code=np.array([3, 1, 2], "int32"),
        river=["Лена", "黑龙江", "x"],
        length=[1.5, np.nan, 2.0],
        big=[True, False, True],
        since=np.array(["2001", "2002", "2003"], "M8[ns]"),
    )
    carried = ("river", "length", "big", "since")
    overlap = Overlap.between(zones, grid, column="code", coordinates=carried)
    before, after = overlap.mean(nine), round_trip(overlap, tmp_path).mean(nine)
    xr.testing.assert_identical(after, before)
    for name in ("code", *carried):
        assert after[name].dtype == before[name].dtype


def test_a_column_of_mixed_kinds_cannot_be_saved(grid, zones, tmp_path):
    overlap = Overlap.between(zones.assign(rank=[1, "b", None]), grid, coordinates=("rank",))
    with pytest.raises(UsageError, match=r"the column 'rank' holds object.*expected text, numbers or dates"):
        overlap.save(tmp_path / "overlap.npz")
    assert list(tmp_path.iterdir()) == []


def test_saving_replaces_a_file_and_leaves_nothing_else(grid, zones, tmp_path):
    path = tmp_path / "basins.dat"
    path.write_text("something older")
    Overlap.between(zones, grid).save(str(path))
    assert [p.name for p in tmp_path.iterdir()] == ["basins.dat"]
    assert len(Overlap.load(str(path)).labels) == 3


def test_a_file_that_fails_half_way_leaves_the_old_one(grid, zones, tmp_path, monkeypatch):
    path = tmp_path / "basins.npz"
    overlap = Overlap.between(zones, grid)
    overlap.save(path)
    before = path.read_bytes()

    def full(stream, **_):
        stream.write(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(store_module.np, "savez", full)
    with pytest.raises(UsageError, match=r"basins.npz: the overlap cannot be written \(No space left"):
        overlap.save(path)
    assert [p.name for p in tmp_path.iterdir()] == ["basins.npz"]
    assert path.read_bytes() == before


def test_a_folder_that_is_not_there(grid, zones, tmp_path):
    with pytest.raises(UsageError, match=r"cannot be written .No such file or directory.*choose a folder"):
        Overlap.between(zones, grid).save(tmp_path / "none" / "basins.npz")
    with pytest.raises(UsageError, match=r"cannot be opened .No such file or directory.*correct the path"):
        Overlap.load(tmp_path / "none.npz")


def test_the_same_overlap_makes_the_same_file(grid, zones, tmp_path):
    for name in "ab":
        Overlap.between(zones, grid).save(tmp_path / name)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


@pytest.fixture
def saved(grid, zones, tmp_path):
    Overlap.between(zones, grid).save(tmp_path / "basins.npz")
    return tmp_path / "basins.npz"


@pytest.mark.parametrize(
    "content",
    [b"", b"PK\x03\x04", b"zone,area\n1,2\n", np.zeros(3).tobytes(), b"\x89HDF\r\n\x1a\n" + bytes(64)],
    ids=["empty", "start of a zip", "text", "bytes", "hdf"],
)
def test_a_foreign_file(content, tmp_path):
    path = tmp_path / "other.npz"
    path.write_bytes(content)
    with pytest.raises(DataError, match=r"other.npz: no overlap can be read from it.*expected a whole file"):
        Overlap.load(path)


def test_arrays_of_someone_else(tmp_path):
    np.savez(tmp_path / "other.npz", x=np.arange(3))
    with pytest.raises(DataError, match=r"no overlap can be read from it .*header"):
        Overlap.load(tmp_path / "other.npz")
    np.save(tmp_path / "one.npy", np.arange(3))
    with pytest.raises(DataError, match="no overlap can be read from it"):
        Overlap.load(tmp_path / "one.npy")
    header = np.frombuffer(json.dumps({"kind": "a map"}).encode(), "uint8")
    np.savez(tmp_path / "map.npz", header=header)
    with pytest.raises(DataError, match="it holds a 'a map'; expected 'geotools overlap'"):
        Overlap.load(tmp_path / "map.npz")


def test_pickled_objects_are_never_read(tmp_path):
    np.savez(tmp_path / "evil.npz", header=np.array([print], dtype=object), allow_pickle=True)
    with pytest.raises(DataError, match="Object arrays cannot be loaded"):
        Overlap.load(tmp_path / "evil.npz")


def rewritten(path, change, *, sign=False):
    """The same file with another header or other arrays; signed as if `write` had written it."""
    with np.load(path) as archive:
        arrays = dict(archive)
    header = json.loads(arrays.pop("header").tobytes())
    change(header, arrays)
    if sign:
        header["content"] = store_module._digest(header, arrays)
    np.savez(path, header=np.frombuffer(json.dumps(header).encode(), "uint8"), **arrays)


@pytest.mark.parametrize("what", ["format", "algorithm"])
@pytest.mark.parametrize("version", [0, None, ALGORITHM + 1])
def test_an_outdated_file_says_its_version(saved, what, version):
    rewritten(saved, lambda header, _: header.update({what: version}), sign=True)
    message = rf"basins.npz: it was written with version {version} of the {what}; expected version \d.*build it again"
    with pytest.raises(DataError, match=message):
        Overlap.load(saved)


@pytest.mark.parametrize(
    "change",
    [
        lambda header, arrays: arrays["matrix_share"].__setitem__(0, 0.25),
        lambda header, arrays: header["target"].update(what="cells"),
        lambda header, arrays: arrays.pop("areas"),
        lambda header, arrays: arrays.update(more=np.zeros(1)),
    ],
)
def test_content_that_is_not_what_was_written(saved, change):
    rewritten(saved, change)
    with pytest.raises(DataError, match=r"the file is damaged .its content is not what was written"):
        Overlap.load(saved)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda h, a: a["matrix_run"].__setitem__((1, 0), 99), "an index is out of range"),
        (lambda h, a: a["matrix_edge"].__setitem__((0, 0), -1), "an index is out of range"),
        (lambda h, a: a["matrix_edge"].__setitem__((2, 0), 3), "an index is out of range"),
        (lambda h, a: a["matrix_share"].__setitem__(0, np.nan), "share is not between"),
        (lambda h, a: a.update(matrix_share=a["matrix_share"][:-1]), "runs of another shape"),
        (lambda h, a: a.update(matrix_run=a["matrix_run"].astype("float64")), "numbers of another type"),
        (lambda h, a: a.update(areas=a["areas"][1:]), "the number of areas is not that of targets"),
        (lambda h, a: a.update(label_0=a["label_0"][1:]), "the number of labels is not that of targets"),
        (lambda h, a: a.update(grid_x_edges=a["grid_x_edges"][::2]), "an index is out of range"),
        (lambda h, a: a["grid_x_edges"].__setitem__(0, np.nan), "values that are not finite"),
        (lambda h, a: h["grid"].update(wkt="nowhere"), "Invalid WKT"),
    ],
)
def test_parts_that_do_not_fit_never_reach_the_kernels(saved, change, message):
    rewritten(saved, change, sign=True)
    with pytest.raises(DataError, match=f"the file is damaged .*{message}"):
        Overlap.load(saved)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda h, a: a.update(matrix_weights=a["matrix_weights"][1:]), "cell areas is not that of cells"),
        (lambda h, a: a.update(matrix_edge_area=a["matrix_edge_area"][1:]), "not that of edge cells"),
    ],
)
def test_cell_areas_that_do_not_fit_never_reach_the_kernels(basins, tmp_path, change, message):
    path = tmp_path / "polar.npz"
    Overlap.between(basins, GRIDS["polar"]).save(path)
    rewritten(path, change, sign=True)
    with pytest.raises(DataError, match=message):
        Overlap.load(path)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda h, a: a["matrix_cells"].__setitem__(0, 10**6), "an index is out of range"),
        (lambda h, a: a["matrix_indices"].__setitem__(0, 10**6), "an index is out of range"),
        (lambda h, a: a.update(matrix_data=a["matrix_data"][1:]), "rows of another length"),
        (lambda h, a: a["matrix_indptr"].__setitem__(1, 10**6), "rows are not in order"),
        (lambda h, a: h["target"].update(shape=[5, 1]), "the target grid has another shape|number of areas"),
    ],
)
def test_pairs_that_do_not_fit_are_refused(grid, tmp_path, change, message):
    path = tmp_path / "cells.npz"
    Overlap.between(Grid.regular((126, 60, 129, 62), 0.5), grid).save(path)
    rewritten(path, change, sign=True)
    with pytest.raises(DataError, match=message):
        Overlap.load(path)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda h, a: a.update(grid_x_corners=a["grid_x_corners"][1:]), "the corners have the shapes"),
        (lambda h, a: a.update(grid_missing=a["grid_missing"][1:]), "missing has the shape"),
        (lambda h, a: a["grid_y_corners"].__setitem__((2, 2), np.inf), "corners are infinite"),
        (lambda h, a: a.pop("grid_y_corners"), "y_corners"),
        (lambda h, a: a.update(grid_more=np.zeros(1)), "more"),
        (lambda h, a: h["grid"].update(cells="hexagons"), "hexagons"),
        (lambda h, a: h["grid"].update(cells="rectilinear"), "x_corners"),
        (lambda h, a: h.update(storage="runs"), "runs on cells that have no rows"),
        (lambda h, a: a["matrix_cells"].__setitem__(-1, 10**6), "an index is out of range"),
    ],
)
def test_corners_that_do_not_fit_are_refused(basins, tmp_path, change, message):
    path = tmp_path / "curvilinear.npz"
    Overlap.between(basins, slanted()).save(path)
    rewritten(path, change, sign=True)
    with pytest.raises(DataError, match=f"the file is damaged .*{message}"):
        Overlap.load(path)


def test_a_damaged_file_of_a_curvilinear_grid_is_refused(basins, tmp_path):
    path = tmp_path / "curvilinear.npz"
    Overlap.between(basins, slanted()).save(path)
    rewritten(path, lambda _, arrays: arrays["grid_x_corners"].__setitem__((1, 1), 85.0))
    with pytest.raises(DataError, match="its content is not what was written"):
        Overlap.load(path)


@pytest.fixture(scope="module")
def small_file(tmp_path_factory):
    zones = gpd.GeoDataFrame(geometry=[shapely.box(126.1, 60.2, 127.5, 61.7)], index=["a"], crs=4326)
    overlap = Overlap.between(zones, Grid.regular((126, 60, 129, 63), 1))
    path = tmp_path_factory.mktemp("small") / "damaged.npz"
    overlap.save(path)
    return path, path.read_bytes(), overlap.matrix.key


@given(data=st.data(), cut=st.booleans())
@settings(max_examples=200, deadline=None)
def test_a_damaged_or_cut_file_is_refused_or_makes_no_difference(small_file, data, cut):
    path, whole, key = small_file
    damaged = bytearray(whole[: data.draw(st.integers(1, len(whole) - 1))] if cut else whole)
    for at in data.draw(st.lists(st.integers(0, len(damaged) - 1), min_size=1 - cut, max_size=3)):
        damaged[at] ^= data.draw(st.integers(1, 255))
    path.write_bytes(damaged)
    try:
        loaded = Overlap.load(path)
    except DataError:
        return
    # A byte of the archive that nobody reads, such as a date.
    assert loaded.matrix.key == key
    assert loaded.labels.tolist() == ["a"]


# The cache


@pytest.fixture
def builds(monkeypatch):
    """Count how often an overlap is really built."""
    counted, build = [], cache_module.target_of

    def counting(*arguments):
        counted.append(arguments)
        return build(*arguments)

    monkeypatch.setattr(cache_module, "target_of", counting)
    return counted


@pytest.fixture
def stars_and_grid(basins):
    return basins, GRIDS["even"]


def test_the_second_time_it_is_read_and_equal(stars_and_grid, builds, tmp_path):
    zones, grid = stars_and_grid
    plain = Overlap.between(zones, grid)
    folder = tmp_path / "made" / "here"
    first = Overlap.between(zones, grid, cache=folder)
    second = Overlap.between(zones, grid, cache=str(folder))
    assert len(builds) == 2
    assert_same(plain, first)
    assert_same(plain, second)
    assert len(list(folder.iterdir())) == 1


def test_the_environment_names_the_folder_and_false_overrules_it(
    stars_and_grid, builds, tmp_path, monkeypatch
):
    Overlap.between(*stars_and_grid)
    monkeypatch.setenv("GEOTOOLS_CACHE", "")
    Overlap.between(*stars_and_grid)
    monkeypatch.setenv("GEOTOOLS_CACHE", str(tmp_path))
    Overlap.between(*stars_and_grid, cache=False)
    assert list(tmp_path.iterdir()) == []
    for _ in range(2):
        Overlap.between(*stars_and_grid)
    assert len(builds) == 4
    with pytest.raises(
        UsageError, match="cache is True; expected a folder, None for the one of GEOTOOLS_CACHE"
    ):
        Overlap.between(*stars_and_grid, cache=True)


def test_whatever_decides_the_overlap_decides_the_key(zones, grid, builds, tmp_path):
    zones = zones.assign(code=[1, 2, 3], note=["a", "b", "c"])
    moved = zones.set_geometry(zones.translate(1e-9))
    finer = Grid.regular((126, 60, 129, 63), 0.5)
    renamed = Grid(grid.x_edges, grid.y_edges, grid.crs, "x", "y")
    line = Transect([(60.2, 126.2), (62.8, 128.8)], segment_length_km=100)
    calls = [
        (zones, grid, {}),
        (zones, grid, {"zone_dim": "basin"}),
        (zones, grid, {"column": "code"}),
        (zones, grid, {"column": "note"}),
        (zones, grid, {"coordinates": ("note",)}),
        (zones.assign(note=["a", "b", "d"]), grid, {"coordinates": ("note",)}),
        (zones.assign(note=[1.0, 2.0, 3.0]), grid, {"coordinates": ("note",)}),
        (zones.assign(note=[1, 2, 3]), grid, {"coordinates": ("note",)}),
        (zones.rename_axis("basin"), grid, {}),
        (zones.rename({"away": "far"}), grid, {}),
        (zones.iloc[::-1], grid, {}),
        (zones.iloc[:2], grid, {}),
        (moved, grid, {}),
        (zones.set_crs(4258, allow_override=True), grid, {}),
        (zones, finer, {}),
        (zones, renamed, {}),
        (line, grid, {}),
        (line.segments, grid, {}),
        (Grid.regular((-4e6, 1e6, -3e6, 2e6), 5e5, "EPSG:3995"), grid, {}),
        (Grid.regular((-4e6, 1e6, -3e6, 2e6), 2.5e5, "EPSG:3995"), grid, {}),
    ]
    plain = [Overlap.between(target, on, **options) for target, on, options in calls]
    builds.clear()
    for expected, (target, on, options) in zip(plain, calls, strict=True):
        cached = Overlap.between(target, on, cache=tmp_path, **options)
        assert (cached.matrix.key, cached.key) == (expected.matrix.key, expected.key)
    assert len(builds) == len(calls)
    assert len(list(tmp_path.iterdir())) == len(calls)
    builds.clear()
    for expected, (target, on, options) in zip(plain, calls, strict=True):
        cached = Overlap.between(target, on, cache=tmp_path, **options)
        assert (cached.matrix.key, cached.key) == (expected.matrix.key, expected.key)
        xr.testing.assert_identical(cached.covered_fraction, expected.covered_fraction)
    assert builds == []


def test_a_new_version_of_the_algorithm_builds_anew(stars_and_grid, builds, tmp_path, monkeypatch):
    Overlap.between(*stars_and_grid, cache=tmp_path)
    for module in (cache_module, store_module):
        monkeypatch.setattr(module, "ALGORITHM", ALGORITHM + 1)
    Overlap.between(*stars_and_grid, cache=tmp_path)
    assert len(builds) == 2
    assert len(list(tmp_path.iterdir())) == 2


def test_curvilinear_grids_are_kept_on_either_side(basins, builds, tmp_path):
    grid, other = slanted(), slanted(np.eye(5, 12, dtype=bool))
    coarse = Grid.regular((90, 45, 130, 65), 5.0)
    calls = [(basins, grid), (basins, other), (grid, coarse), (other, coarse), (coarse, grid), (other, grid)]
    first = [Overlap.between(*call, cache=tmp_path) for call in calls]
    assert len(builds) == len(list(tmp_path.iterdir())) == len(calls)
    for made, call in zip(first, calls, strict=True):
        again = Overlap.between(*call, cache=tmp_path)
        assert (again.key, again.matrix.key) == (made.key, made.matrix.key)
        xr.testing.assert_identical(again.zone_areas, made.zone_areas)
    assert len(builds) == len(calls)


def test_what_is_faster_built_than_read_is_not_kept(grid, tmp_path):
    towns = gpd.GeoDataFrame(geometry=gpd.points_from_xy([126.6], [60.8]), crs=4326)
    for target in (towns, Grid.regular((126, 60, 129, 63), 0.5)):
        Overlap.between(target, grid, cache=tmp_path / "cache")
    assert list(tmp_path.iterdir()) == []


def spoil_cut(path):
    path.write_bytes(path.read_bytes()[:-100])


def spoil_empty(path):
    path.write_bytes(b"")


def spoil_bit(path):
    content = bytearray(path.read_bytes())
    with zipfile.ZipFile(path) as archive:
        info = archive.getinfo("matrix_share.npy")
    content[info.header_offset + 300] ^= 1
    path.write_bytes(content)


def spoil_version(path):
    rewritten(path, lambda header, _: header.update(algorithm=0), sign=True)


def spoil_key(path):
    rewritten(path, lambda header, _: header.update(key="another"), sign=True)


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (spoil_cut, "no overlap can be read"),
        (spoil_empty, "no overlap can be read"),
        (spoil_bit, "the file is damaged"),
        (spoil_version, "version 0 of the algorithm"),
        (spoil_key, "it holds another overlap than its name says"),
    ],
)
def test_a_spoilt_file_is_told_rebuilt_and_replaced(stars_and_grid, builds, tmp_path, spoil, reason):
    plain = Overlap.between(*stars_and_grid, cache=tmp_path)
    (path,) = tmp_path.iterdir()
    good = path.read_bytes()
    spoil(path)
    message = rf"{re.escape(str(path))}: .*{reason}.*\. The file is not used; the overlap is built anew"
    with pytest.warns(GeotoolsWarning, match=message):
        again = Overlap.between(*stars_and_grid, cache=tmp_path)
    assert_same(plain, again)
    assert len(builds) == 2
    assert path.read_bytes() == good


def test_the_file_of_another_overlap_under_this_name(stars_and_grid, zones, tmp_path):
    right = Overlap.between(*stars_and_grid, cache=tmp_path)
    (path,) = tmp_path.iterdir()
    Overlap.between(zones.loc[["south"]], stars_and_grid[1]).save(path)
    with pytest.warns(GeotoolsWarning, match="it holds another overlap than its name says"):
        assert_same(right, Overlap.between(*stars_and_grid, cache=tmp_path))


def test_a_folder_that_cannot_be_written_is_told_once_and_costs_only_time(stars_and_grid, builds, tmp_path):
    not_a_folder = tmp_path / "file"
    not_a_folder.write_text("")
    plain = Overlap.between(*stars_and_grid)
    message = r"The cache .*file cannot be written \(.*\)\. Results are the same.*this one took \d+\.\d s.*set GEOTOOLS"
    with pytest.warns(GeotoolsWarning, match=message) as caught:
        first = Overlap.between(*stars_and_grid, cache=not_a_folder)
    assert caught[0].filename == __file__
    # A second warning would be an error here.
    second = Overlap.between(*stars_and_grid, cache=not_a_folder)
    assert_same(plain, first)
    assert_same(plain, second)


@pytest.mark.parametrize(
    ("number", "text"), [(13, "Permission denied"), (30, "Read-only file system"), (28, "No space")]
)
def test_a_read_only_or_full_folder_still_gives_what_it_holds(
    stars_and_grid, zones, builds, tmp_path, monkeypatch, number, text
):
    Overlap.between(*stars_and_grid, cache=tmp_path)

    def refuse(*_, **__):
        raise OSError(number, text)

    monkeypatch.setattr(store_module, "write", refuse)
    Overlap.between(*stars_and_grid, cache=tmp_path)
    assert len(builds) == 1
    with pytest.warns(GeotoolsWarning, match=rf"cannot be written \({text}\)"):
        Overlap.between(zones, stars_and_grid[1], cache=tmp_path)
    assert len(builds) == 2


def test_a_file_that_may_not_be_opened_is_built_anew(stars_and_grid, builds, tmp_path, monkeypatch):
    plain = Overlap.between(*stars_and_grid, cache=tmp_path)

    def refuse(*_):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(store_module.Path, "open", refuse)
    with pytest.warns(GeotoolsWarning, match=r"cannot be written \(Permission denied\)"):
        assert_same(plain, Overlap.between(*stars_and_grid, cache=tmp_path))
    assert len(builds) == 2


def test_a_column_that_cannot_be_kept_is_told(grid, zones, nine, tmp_path):
    with pytest.warns(
        GeotoolsWarning, match=r"cannot be written .labels of the targets: the column 'rank' holds"
    ):
        overlap = Overlap.between(
            zones.assign(rank=[1, "b", None]), grid, coordinates=("rank",), cache=tmp_path
        )
    assert overlap.mean(nine)["rank"].values.tolist() == [1, "b", None]


def test_what_a_killed_process_left_is_removed_but_not_what_another_writes(stars_and_grid, tmp_path):
    old, new, foreign = (tmp_path / f".{name}.tmp" for name in ("overlap-1", "overlap-2", "other"))
    for path in (old, new, foreign):
        path.write_bytes(b"half")
    for path in (old, foreign):
        os.utime(path, (time.time() - 7200,) * 2)
    Overlap.between(*stars_and_grid, cache=tmp_path)
    assert not old.exists()
    assert new.exists()
    assert foreign.exists()


def fill(zones, grid, folder):
    return Overlap.between(zones, grid, cache=folder).matrix.key


def test_several_processes_fill_one_folder(stars_and_grid, tmp_path):
    call = (*stars_and_grid, tmp_path)
    with multiprocessing.get_context("spawn").Pool(4) as pool:
        keys = pool.starmap(fill, [call] * 8)
    assert set(keys) == {fill(*call)}
    assert [path.suffix for path in tmp_path.iterdir()] == [".npz"]


def test_bad_targets_are_refused_whatever_the_cache_holds(zones, grid, tmp_path):
    Overlap.between(zones, grid, cache=tmp_path)
    bow_tie = shapely.Polygon([(126, 60), (128, 62), (128, 60), (126, 62)])
    for bad, error, message in (
        (zones.set_geometry([bow_tie, *zones.geometry[1:]]), GeometryError, "Self-intersection"),
        (zones.set_geometry([None, *zones.geometry[1:]]), GeometryError, "the polygon is empty"),
        (zones.set_axis(["a", "a", "b"]), GeometryError, "'a' comes more than once"),
        (zones.set_crs(None, allow_override=True), CRSError, "no coordinate reference system"),
        (list(zones.geometry), UsageError, "target of an overlap is a list"),
    ):
        for _ in range(2):
            with pytest.raises(error, match=message):
                Overlap.between(bad, grid, cache=tmp_path)
    with pytest.raises(UsageError, match="there is no column 'code'"):
        Overlap.between(zones, grid, coordinates=("code",), cache=tmp_path)
    assert len(list(tmp_path.iterdir())) == 1


# Versions


# Sums over the runs, the edge cells and, weighted by their place, the covered shares.
NUMBERS_OF_VERSION = {
    3: {
        "even": (13231, 127186, 244.7366307442627),
        "uneven": (14989, 123047, 211.7602846928588),
        "polar": (7717, 70802, 77.00840143933048),
        "laea": (10924, 83562, 169.79304866894077),
    }
}
AREAS_OF_VERSION = {3: (5.512260803715752e12, 35.31769012417966e12)}


def test_the_areas_are_those_of_this_version_of_the_algorithm(stars):
    """When this fails, areas come out otherwise: raise ALGORITHM in coverage.py and write the new numbers here.

    Without that, overlaps of old caches would be taken for new ones.
    """
    shapes = stars(8, seed=11)
    for name, (runs, edges, shares) in NUMBERS_OF_VERSION[ALGORITHM].items():
        walked, _ = polygon_runs(shapes, pyproj.CRS(4326), GRIDS[name])
        place = np.arange(1, walked.share.size + 1) / walked.share.size
        assert (walked.run.sum(), walked.edge.sum()) == (runs, edges), name
        np.testing.assert_allclose(walked.share @ place, shares, rtol=1e-10, err_msg=name)
    shared = Overlap.between(POLAR_PART, GRIDS["even"]).area.sum()
    np.testing.assert_allclose(
        (shared, GRIDS["polar"].cell_areas().sum()), AREAS_OF_VERSION[ALGORITHM], rtol=1e-10
    )
