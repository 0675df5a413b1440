"""Ground columns run in parts: stopped anywhere, the results are those of a run that was not."""

import json
import os
import signal
import subprocess
import sys
import textwrap
import time

import dask
import numpy as np
import pytest
import xarray as xr

from geotools.errors import StorageError, UsageError
from geotools.permafrost import ForcingGapError, SpinUp, column_state, simulate
from geotools.recipe import files, ground_runs
from geotools.recipe.ground_runs import run_checkpointed
from tests.permafrost.columns import SNOW, air, column, snow_like

QUICK = {"initial_temperature": -4.0, "depths": [0.0, 0.5, 2.0]}


class Killed(BaseException):
    """Like a kill: nothing handles it."""


def forcing(end="2006-12-31", start="2001-01-01"):
    return air(start, end, shape=(2, 3))


def same(one, other):
    xr.testing.assert_identical(one.compute(), other.compute())


def part_files(folder):
    return sorted(p.name for p in folder.glob("ground_*.nc"))


@pytest.mark.parametrize("lazy", [False, True])
@pytest.mark.parametrize("start", ["2001-01-01", "2000-09-15"])
def test_parts_give_what_one_run_gives(tmp_path, lazy, start):
    given = forcing(start=start, end="2006-03-31")
    snow = snow_like(given)
    options = QUICK | {"snow": SNOW, "outputs": ("annual", "series")}
    whole = simulate(column(), given, snow_depth=snow, **options)
    if lazy:
        given, snow = given.chunk(lat=1, time=200), snow.chunk(time=300)
    out = run_checkpointed(tmp_path, column(), given, snow_depth=snow, years=2, **options)
    assert len(part_files(tmp_path)) == 3
    for name in (
        "tsl_mean",
        "tsl_maximum",
        "active_layer_thickness",
        "magt",
        "tsl",
        "state_enthalpy",
        "state_end",
    ):
        xr.testing.assert_equal(out[name].compute(), whole[name])
    assert out.tsl_mean.dims == whole.tsl_mean.dims
    assert out.tsl_mean.attrs == whole.tsl_mean.attrs
    assert float(out.energy_residual.max()) < 1e-9
    assert out.attrs["column"] == whole.attrs["column"]


def test_spin_up_repeats_the_same_years_as_in_one_run(tmp_path):
    given = forcing()
    how = SpinUp(min_years=6, max_years=90, cycle_years=3, tolerance=0.5)
    whole = simulate(column(), given, depths=[0.5], spin_up=how)
    out = run_checkpointed(tmp_path, column(), given, depths=[0.5], spin_up=how, years=1)
    assert part_files(tmp_path) == [
        f"ground_{y}.nc" for y in ("2001-2003", "2004-2004", "2005-2005", "2006-2006")
    ]
    for name in ("tsl_mean", "spin_up_years", "spin_up_change", "state_enthalpy"):
        xr.testing.assert_equal(out[name].compute(), whole[name])
    assert out.attrs["spin_up"] == whole.attrs["spin_up"]


@pytest.mark.parametrize("at", ["before", "within", "after"])
def test_a_run_killed_in_any_part_goes_on_there(tmp_path, monkeypatch, at):
    given = forcing().chunk(lat=1)
    expected = run_checkpointed(tmp_path / "whole", column(), given, years=2, **QUICK)
    true_simulate, true_entry, calls = ground_runs.simulate, ground_runs.Journal.add_block, []

    def stop(*args, **options):
        calls.append(args)
        if len(calls) == 2 and at == "before":
            raise Killed
        result = true_simulate(*args, **options)
        if len(calls) == 2 and at == "within":
            (tmp_path / "cut" / ".ground_2003-2004.part-0a1b2c3d.nc").write_bytes(b"half")
            raise Killed
        return result

    def entry(self, name, *args, **options):
        if at == "after" and len(calls) == 2:
            raise Killed
        true_entry(self, name, *args, **options)

    with monkeypatch.context() as patch:
        patch.setattr(ground_runs, "simulate", stop)
        patch.setattr(ground_runs.Journal, "add_block", entry)
        with pytest.raises(Killed):
            run_checkpointed(tmp_path / "cut", column(), given, years=2, **QUICK)
    kept = (tmp_path / "cut" / "ground_2001-2002.nc").stat().st_mtime_ns
    told = []
    out = run_checkpointed(
        tmp_path / "cut", column(), given, years=2, progress=lambda *n: told.append(n), **QUICK
    )
    same(out, expected)
    assert told == [(1, 3), (2, 3), (3, 3)]
    assert (tmp_path / "cut" / "ground_2001-2002.nc").stat().st_mtime_ns == kept
    assert not [p for p in (tmp_path / "cut").iterdir() if files.is_leftover(p.name)]


def test_a_process_that_is_really_killed_goes_on(tmp_path):
    script = tmp_path / "run.py"
    script.write_text(
        textwrap.dedent(
            """
            import sys, time
            from geotools.recipe.ground_runs import run_checkpointed
            from tests.permafrost.columns import air, column

            slow = (lambda *_: time.sleep(60)) if "slow" in sys.argv else None
            run_checkpointed(
                sys.argv[1], column(), air("2001-01-01", "2004-12-31", shape=(2, 3)).chunk(lat=1), years=1,
                initial_temperature=-4.0, depths=[0.0, 0.5, 2.0], progress=slow,
            )
            """
        )
    )
    folder = tmp_path / "run"
    process = subprocess.Popen([sys.executable, str(script), str(folder), "slow"])
    try:
        for _ in range(600):
            if (folder / "journal.jsonl").is_file():
                break
            time.sleep(0.1)
        os.kill(process.pid, signal.SIGKILL)
    finally:
        process.kill()
        process.wait()
    assert part_files(folder) == ["ground_2001-2001.nc"]
    given = air("2001-01-01", "2004-12-31", shape=(2, 3)).chunk(lat=1)
    out = run_checkpointed(folder, column(), given, years=1, **QUICK)
    same(out, run_checkpointed(tmp_path / "whole", column(), given, years=1, **QUICK))


def test_nothing_is_done_twice(tmp_path, monkeypatch):
    first = run_checkpointed(tmp_path, column(), forcing(), years=3, **QUICK)
    monkeypatch.setattr(ground_runs, "simulate", lambda *_, **__: pytest.fail("a part was done again"))
    same(run_checkpointed(tmp_path, column(), forcing(), years=3, **QUICK), first)


def counted(monkeypatch):
    begins, true_simulate = [], ground_runs.simulate

    def count(column, surface, **options):
        begins.append(str(surface.time.values[0])[:4])
        return true_simulate(column, surface, **options)

    monkeypatch.setattr(ground_runs, "simulate", count)
    return begins


def test_a_gap_keeps_what_was_done_before_it(tmp_path, monkeypatch):
    given = forcing()
    holed = given.copy()
    holed.loc[{"time": "2005-05-05"}] = np.nan
    with pytest.raises(ForcingGapError, match="no value at 2005-05-05"):
        run_checkpointed(tmp_path / "holed", column(), holed, years=2, **QUICK)
    begins = counted(monkeypatch)
    out = run_checkpointed(tmp_path / "holed", column(), given, years=2, **QUICK)
    assert begins == ["2005"]
    same(out, run_checkpointed(tmp_path / "whole", column(), given, years=2, **QUICK))


def test_a_lazy_gap_keeps_what_was_done_before_it(tmp_path, monkeypatch):
    given = forcing()
    holed = given.copy()
    holed.loc[{"time": "2003-05-05", "lat": 1}] = np.nan
    with pytest.raises(ForcingGapError, match="no value at 2003-05-05"):
        run_checkpointed(tmp_path, column(), holed.chunk(lat=1), years=2, **QUICK)
    begins = counted(monkeypatch)
    run_checkpointed(tmp_path, column(), given.chunk(lat=1), years=2, **QUICK)
    assert begins == ["2003", "2005"]


def test_changed_forcing_is_run_again_from_where_it_changed(tmp_path, monkeypatch):
    given = forcing()
    run_checkpointed(tmp_path, column(), given, years=2, **QUICK)
    changed = given.copy()
    changed.loc[{"time": "2004"}] += 1.0
    begins = counted(monkeypatch)
    out = run_checkpointed(tmp_path, column(), changed, years=2, **QUICK)
    assert begins == ["2003", "2005"]
    xr.testing.assert_equal(out.tsl_mean.compute(), simulate(column(), changed, **QUICK).tsl_mean)


def test_further_years_are_added(tmp_path, monkeypatch):
    run_checkpointed(tmp_path, column(), forcing(end="2004-12-31"), years=2, **QUICK)
    longer = xr.concat([forcing(end="2004-12-31"), forcing("2006-12-31", "2005-01-01")], "time")
    begins = counted(monkeypatch)
    out = run_checkpointed(tmp_path, column(), longer, years=2, **QUICK)
    assert begins == ["2005"]
    assert out.year.values.tolist() == list(range(2001, 2007))


def test_the_key_stands_for_what_a_lazy_forcing_holds(tmp_path, monkeypatch):
    lazy = forcing().chunk(lat=1)
    run_checkpointed(tmp_path, column(), lazy, years=3, key="files of May", **QUICK)
    begins = counted(monkeypatch)
    run_checkpointed(tmp_path, column(), lazy, years=3, key="files of May", **QUICK)
    assert begins == []
    run_checkpointed(tmp_path, column(), lazy, years=3, key="files of June", **QUICK)
    assert begins == ["2001", "2004"]


def test_a_spoilt_part_is_done_again(tmp_path, monkeypatch):
    expected = run_checkpointed(tmp_path, column(), forcing(), years=2, **QUICK).load()
    (tmp_path / "ground_2003-2004.nc").write_bytes(b"spoilt")
    begins = counted(monkeypatch)
    same(run_checkpointed(tmp_path, column(), forcing(), years=2, **QUICK), expected)
    assert begins == ["2003", "2005"]


def test_what_is_read_is_a_part_and_not_the_whole(tmp_path, monkeypatch):
    sizes, true_simulate = [], ground_runs.simulate

    def note(column, surface, **options):
        sizes.append(surface.sizes["time"])
        return true_simulate(column, surface, **options)

    monkeypatch.setattr(ground_runs, "simulate", note)
    run_checkpointed(tmp_path, column(), forcing().chunk(lat=1), years=1, **QUICK)
    assert sizes == [365, 365, 365, 366, 365, 365]


def test_a_part_reads_its_own_chunks_of_a_lazy_forcing(tmp_path):
    read, after = [], []

    def note(block):
        read.append(block.shape)
        return block

    given = forcing(end="2004-12-31").chunk(time=[365, 365, 365, 366])
    noted = given.copy(data=given.data.map_blocks(note, dtype="float64", meta=np.empty((0, 0, 0))))
    with dask.config.set(scheduler="synchronous"):
        run_checkpointed(
            tmp_path, column(), noted, years=1, progress=lambda *_: after.append(len(read)), **QUICK
        )
    assert after == [1, 2, 3, 4]


def test_a_state_of_a_part_goes_on_by_hand(tmp_path):
    given = forcing()
    run_checkpointed(tmp_path, column(), given, years=3, **QUICK)
    with xr.open_dataset(tmp_path / "ground_2001-2003.nc") as part:
        rest = simulate(
            column(),
            given.sel(time=slice("2004", None)),
            state=column_state(part.load()),
            depths=QUICK["depths"],
        )
    xr.testing.assert_equal(
        rest.tsl_mean, simulate(column(), given, **QUICK).tsl_mean.sel(year=slice(2004, None))
    )


@pytest.mark.parametrize(
    ("changes", "match"),
    [
        ({"depths": [0.5]}, r"these keys differ: ground_run\.depths"),
        ({"years": 3}, r"ground_run\.years"),
        ({"initial_temperature": -3.0}, "initial_temperature"),
        ({"outputs": ("series",)}, "outputs"),
    ],
)
def test_a_folder_of_another_run_is_refused(tmp_path, changes, match):
    options = QUICK | {"years": 2}
    run_checkpointed(tmp_path, column(), forcing(), **options)
    with pytest.raises(UsageError, match=match):
        run_checkpointed(tmp_path, column(), forcing(), **(options | changes))


def test_other_ground_and_other_columns_are_another_run(tmp_path):
    run_checkpointed(tmp_path, column(), forcing(), **QUICK)
    with pytest.raises(UsageError, match=r"ground_run\.column"):
        run_checkpointed(tmp_path, column().with_layer(0, water=0.3), forcing(), **QUICK)
    porosity = xr.DataArray([0.4, 0.5, 0.6], dims="lon", attrs={"units": "1"})
    with pytest.raises(UsageError, match=r"ground_run\.column"):
        run_checkpointed(tmp_path, column().with_layer(1, porosity=porosity), forcing(), **QUICK)
    with pytest.raises(UsageError, match=r"ground_run\.columns"):
        run_checkpointed(tmp_path, column(), forcing().assign_coords(lon=[1.0, 2.0, 3.0]), **QUICK)


def test_a_folder_with_something_else_is_refused(tmp_path):
    (tmp_path / "thesis.txt").write_text("chapter 1")
    with pytest.raises(UsageError, match="holds no geotools run"):
        run_checkpointed(tmp_path, column(), forcing(), **QUICK)


def test_a_full_disk_keeps_what_is_done(tmp_path, monkeypatch):
    true_write, calls = xr.Dataset.to_netcdf, []

    def full(self, path, **options):
        calls.append(path)
        if len(calls) == 2:
            raise OSError(28, "No space left on device")
        return true_write(self, path, **options)

    monkeypatch.setattr(xr.Dataset, "to_netcdf", full)
    with pytest.raises(StorageError, match="goes on from the last finished block"):
        run_checkpointed(tmp_path, column(), forcing(), years=2, **QUICK)
    assert part_files(tmp_path) == ["ground_2001-2002.nc"]
    entries = [json.loads(line) for line in (tmp_path / "journal.jsonl").read_text().splitlines()]
    assert entries[-1]["failed"] == "ground_2003-2004"
    run_checkpointed(tmp_path, column(), forcing(), years=2, **QUICK)


@pytest.mark.parametrize("years", [0, -1, 2.5, True, "10"])
def test_years_of_a_part_are_whole(tmp_path, years):
    with pytest.raises(UsageError, match="whole years of a part"):
        run_checkpointed(tmp_path, column(), forcing(), years=years, **QUICK)
