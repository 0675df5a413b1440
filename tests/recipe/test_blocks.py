"""Blocks: done once, in any order, by anybody; what a kill, an error or a lost input leaves of them."""

import errno
import json
import pickle
import shutil
from collections import Counter
from contextlib import ExitStack

import numpy as np
import pytest
import xarray as xr
import yaml

from geotools.errors import DataError, StorageError, UsageError
from geotools.recipe import blocks, files
from geotools.recipe.blocks import Block, InTurn
from geotools.recipe.execution import run
from geotools.recipe.journal import read
from geotools.recipe.loading import resolved
from geotools.recipe.progress import Silent
from geotools.recipe.session import session
from geotools.recipe.status import status
from geotools.recipe.steps import STEPS, uncertainty
from tests.recipe.conftest import SMALL, mean_year, merged

ERA5 = {"source": "era5_climatology", "variables": ["tas", "pr"], "time_block": 4}
NAMES = [f"series/era5_climatology/{v}/{t}" for v in ("tas", "pr") for t in ("00-03", "04-07", "08-11")]


class Killed(BaseException):
    """Stands for SIGKILL."""


class Stopping(InTurn):
    """A pool that ends the process, or does something else, before some block."""

    def __init__(self, before, action):
        self.before, self.action = before, action

    def map(self, function, arguments):
        for index, each in enumerate(arguments):
            if index == self.before:
                self.action()
            yield index, function(*each)


class Shuffled(InTurn):
    """A pool whose blocks complete in another order, as on a cluster."""

    def map(self, function, arguments):
        order = np.random.default_rng(5).permutation(len(arguments))
        yield from ((int(i), function(*arguments[i])) for i in order)


def kill():
    raise Killed


def perform(recipe, out, *names, pool=None):
    """Only some steps, without opening what the others read."""
    with pytest.MonkeyPatch.context() as patch, ExitStack() as stack:
        patch.setattr("geotools.recipe.check.examine", lambda _: None)
        held = stack.enter_context(session(recipe, out))
        patch.undo()
        held.perform([step for step in STEPS if step.name in names], Silent(), pool or InTurn())


def done(out):
    return [entry["block"] for entry in read(out / "journal.jsonl") if "block" in entry]


def hidden(out):
    return sorted(p.name for p in out.iterdir() if p.name.startswith("."))


def arrays(path):
    with xr.open_dataset(path) as data:
        return data.load()


@pytest.fixture
def series_recipe(recipe_file):
    return recipe_file(series=[ERA5])


@pytest.fixture(scope="module")
def drawn(tmp_path_factory):
    """Fields and seven draws."""
    folder = tmp_path_factory.mktemp("drawn")
    recipe = folder / "recipe.yml"
    recipe.write_text(yaml.safe_dump(merged(SMALL, {"uncertainty": {"draws": 7}})))
    perform(recipe, folder / "out", "fields", "uncertainty")
    return recipe, folder / "out"


@pytest.mark.parametrize("most", [1, 3, 100])
def test_draws_do_not_depend_on_how_they_are_cut_nor_on_the_order(drawn, tmp_path, monkeypatch, most):
    recipe, whole = drawn
    out = tmp_path / "out"
    shutil.copytree(whole, out)
    (out / "draws.nc").unlink()
    monkeypatch.setattr(uncertainty, "_MOST_DRAWS", most)
    perform(recipe, out, "fields", "uncertainty", pool=Shuffled())
    xr.testing.assert_identical(arrays(out / "draws.nc"), arrays(whole / "draws.nc"))
    drawn_again = [name for name in done(out) if name.startswith("uncertainty")]
    assert len(drawn_again) == 1 + -(-7 // most)


def test_a_draw_is_the_same_whether_more_follow_it_or_not(drawn, tmp_path):
    recipe, whole = drawn
    fewer = tmp_path / "fewer.yml"
    fewer.write_text(recipe.read_text().replace("draws: 7", "draws: 4"))
    perform(fewer, tmp_path / "out", "fields", "uncertainty")
    few, many = arrays(tmp_path / "out" / "draws.nc"), arrays(whole / "draws.nc")
    for name in few.data_vars:
        np.testing.assert_array_equal(few[name].values, many[name].values[:4])


def test_no_draws_give_an_empty_file(recipe_file, tmp_path):
    perform(recipe_file(uncertainty={"draws": 0}), tmp_path / "out", "fields", "uncertainty")
    assert arrays(tmp_path / "out" / "draws.nc").sizes["draw"] == 0


@pytest.mark.parametrize("before", [0, 1, 3, 5])
def test_a_killed_run_repeats_no_finished_block_and_gives_the_same(series_recipe, tmp_path, before):
    whole, out = tmp_path / "whole", tmp_path / "out"
    perform(series_recipe, whole, "series")
    with pytest.raises(Killed):
        perform(series_recipe, out, "series", pool=Stopping(before, kill))
    assert done(out) == NAMES[:before]
    perform(series_recipe, out, "series", pool=Shuffled())
    assert Counter(done(out)) == Counter(NAMES)
    xr.testing.assert_equal(
        arrays(out / "series" / "era5_climatology.nc"), arrays(whole / "series" / "era5_climatology.nc")
    )
    csv = "series/era5_climatology.csv"
    assert (out / csv).read_bytes() == (whole / csv).read_bytes()
    assert hidden(out) == []


def test_a_block_whose_file_was_changed_or_lost_is_done_again(series_recipe, tmp_path):
    out = tmp_path / "out"
    with pytest.raises(Killed):
        perform(series_recipe, out, "series", pool=Stopping(3, kill))
    (out / ".blocks" / f"{NAMES[0]}.nc").write_bytes(b"tampered")
    (out / ".blocks" / f"{NAMES[2]}.nc").unlink()
    perform(series_recipe, out, "series")
    assert Counter(done(out)) == Counter(NAMES) + Counter([NAMES[0], NAMES[2]])


def test_what_a_killed_worker_left_is_cleared_away(series_recipe, tmp_path):
    out = tmp_path / "out"
    with pytest.raises(Killed):
        perform(series_recipe, out, "series", pool=Stopping(3, kill))
    (out / ".blocks/series/era5_climatology/tas/.00-03.part-0123abcd.nc").write_bytes(b"half")
    (out / ".blocks/series/of_another_cut").mkdir()
    (out / ".blocks/series/of_another_cut/0-3.nc").write_bytes(b"x")
    with pytest.raises(Killed):
        perform(series_recipe, out, "series", pool=Stopping(0, kill))
    assert {f"{p.relative_to(out / '.blocks')}"[:-3] for p in (out / ".blocks").rglob("*.nc")} == set(
        NAMES[:3]
    )


def test_the_key_of_a_block_is_of_its_step_and_arguments_and_not_of_its_name():
    one = Block("a/0", "m:f", {"start": 0}, ".blocks/a/0.nc")
    assert one.key("s") == Block("a/00", "m:f", {"start": 0}, ".blocks/a/00.nc").key("s")
    assert one.key("s") != Block("a/0", "m:f", {"start": 1}, ".blocks/a/0.nc").key("s")
    assert one.key("s") != Block("a/0", "m:g", {"start": 0}, ".blocks/a/0.nc").key("s")
    assert one.key("s") != one.key("other code, settings or inputs")


def test_an_error_in_a_block_is_journalled_with_its_name_and_the_run_goes_on(
    series_recipe, tmp_path, monkeypatch
):
    from geotools.recipe.steps import series

    out, real = tmp_path / "out", series.block

    def failing(context, path, *, number, variable, start, stop):
        if (variable, start) == ("pr", 4):
            path.write_bytes(b"half")
            raise DataError("the rain is wrong", where="pr")
        real(context, path, number=number, variable=variable, start=start, stop=stop)

    monkeypatch.setattr(series, "block", failing)
    with pytest.raises(DataError, match="pr: the rain is wrong"):
        perform(series_recipe, out, "series")
    assert done(out) == NAMES[:4]
    found = status(out)
    assert (found.state, found.exit_code) == ("failed", 6)
    assert (found.failures[0].what, found.failures[0].error) == (NAMES[4], "pr: the rain is wrong.")
    assert not list(out.rglob(".*.part-*"))
    monkeypatch.undo()
    perform(series_recipe, out, "series")
    assert Counter(done(out)) == Counter(NAMES)


def test_a_full_disk_stops_clearly_and_the_run_goes_on_once_there_is_space(
    series_recipe, tmp_path, monkeypatch
):
    out = tmp_path / "out"

    def fill():
        def full(*_, **__):
            raise OSError(errno.ENOSPC, "No space left on device")

        monkeypatch.setattr(xr.Dataset, "to_netcdf", full)

    with pytest.raises(StorageError, match=r"pr/00-03\.nc: it could not be written: No space left.*free"):
        perform(series_recipe, out, "series", pool=Stopping(3, fill))
    assert done(out) == NAMES[:3]
    assert status(out).failures[-1].what == NAMES[3]
    monkeypatch.undo()
    perform(series_recipe, out, "series")
    assert Counter(done(out)) == Counter(NAMES)
    assert hidden(out) == []


@pytest.fixture
def store(tmp_path, recipe_file):
    """A Zarr store of one's own as source."""
    data = mean_year(np.arange(51.5, 75), np.arange(102.5, 142))
    data.chunk(time=4, latitude=12, longitude=20).to_zarr(tmp_path / "my.zarr", zarr_format=2)
    entry = {"path": "my.zarr", "variables": {"tas": {"name": "t2m"}, "pr": {"name": "tp"}}}
    return tmp_path / "my.zarr", recipe_file(series=[{**ERA5, "source": entry}])


@pytest.mark.parametrize("before", [2, 4])
def test_an_input_that_vanishes_stops_the_run_and_no_block_of_missing_values_is_kept(store, tmp_path, before):
    path, recipe = store
    aside, whole, out = tmp_path / "aside", tmp_path / "whole", tmp_path / "out"
    perform(recipe, whole, "series")
    with pytest.raises(DataError, match=r"my\.zarr: the input is gone since the run started.*put it back"):
        perform(recipe, out, "series", pool=Stopping(before, lambda: path.rename(aside)))
    found = status(out)
    assert found.state == "failed"
    assert "is gone" in found.failures[-1].error
    aside.rename(path)
    perform(recipe, out, "series")
    xr.testing.assert_equal(arrays(out / "series" / "my.nc"), arrays(whole / "series" / "my.nc"))


def test_chunks_that_vanish_one_by_one_make_the_blocks_since_then_void(store, tmp_path, monkeypatch):
    from geotools.recipe import inputs

    path, recipe = store
    aside, whole, out = tmp_path / "aside", tmp_path / "whole", tmp_path / "out"
    perform(recipe, whole, "series")
    shutil.copytree(path, aside)
    # As for a store so large that looking at all its files after each block would take too long.
    monkeypatch.setattr(inputs, "_SHARE_OF_TIME", 1e-9)

    def lose():
        for chunk in (path / "t2m").glob("1.*"):
            chunk.unlink()

    with pytest.raises(DataError, match="the input was changed while the run went on"):
        perform(recipe, out, "series", pool=Stopping(1, lose))
    entries = read(out / "journal.jsonl")
    assert sum(len(e["void"]) for e in entries if "void" in e) == 5
    shutil.rmtree(path)
    shutil.copytree(aside, path)
    monkeypatch.undo()
    perform(recipe, out, "series")
    xr.testing.assert_equal(arrays(out / "series" / "my.nc"), arrays(whole / "series" / "my.nc"))


def test_an_input_that_is_gone_before_the_run_goes_on_is_journalled_as_well(store, tmp_path):
    path, recipe = store
    out = tmp_path / "out"
    with pytest.raises(Killed):
        perform(recipe, out, "series", pool=Stopping(2, kill))
    path.rename(tmp_path / "aside")
    with pytest.raises(UsageError, match=r"my\.zarr: the file does not exist"):
        run(recipe, out)
    assert status(out).failures[-1].what == "inputs"


def test_large_inputs_are_hashed_once(store, tmp_path, monkeypatch):
    from geotools.recipe import inputs

    path, recipe = store
    monkeypatch.setattr(inputs, "_LARGE_BYTES", 1)
    with pytest.raises(Killed):
        perform(recipe, tmp_path / "out", "series", pool=Stopping(2, kill))
    hashed = []
    monkeypatch.setattr(inputs, "identity", lambda p: hashed.append(p))
    with pytest.raises(Killed):
        perform(recipe, tmp_path / "out", "series", pool=Stopping(0, kill))
    assert hashed == []
    assert done(tmp_path / "out") == ["series/my/tas/00-03", "series/my/tas/04-07"]
    (path / "t2m" / "0.0.0").touch()
    with pytest.raises(Killed):
        perform(recipe, tmp_path / "out", "series", pool=Stopping(0, kill))
    assert hashed == [path]


def test_a_worker_needs_only_what_is_handed_to_it(series_recipe, tmp_path):
    with session(series_recipe, tmp_path / "out") as held:
        context = held.context
        step = next(step for step in STEPS if step.name == "series")
        block = step.blocks(context)[0]
        arguments = json.loads(json.dumps([resolved(context.recipe), str(context.out)]))
        handed = pickle.loads(pickle.dumps((block, *arguments)))
        here = blocks.perform(block, *arguments)
        # A worker has no context yet.
        blocks._HELD.clear()
        there = blocks.perform(*handed)
    assert here["sha256"] == there["sha256"]
    assert there["peak_memory_bytes"] > 1e6
    files.remove(tmp_path / "out" / ".blocks")
