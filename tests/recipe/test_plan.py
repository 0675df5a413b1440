"""The plan against what a run does: blocks, bytes that are read, and memory."""

import json
import subprocess
import sys

import numpy as np
import pytest
import rioxarray._io
from xarray.backends import netCDF4_

from geotools.errors import UsageError
from geotools.recipe import needs
from geotools.recipe.check import examine
from geotools.recipe.context import Context
from geotools.recipe.loading import load
from geotools.recipe.plan import plan
from geotools.recipe.provenance import peak_memory_bytes
from geotools.recipe.steps import STEPS
from geotools.space.compiled import is_compiled
from tests.recipe.conftest import perform


@pytest.fixture(autouse=True)
def compiled(monkeypatch):
    """Limits in these tests are those of kernels that are compiled, whichever test comes first."""
    monkeypatch.setattr(needs, "is_compiled", lambda kernel: True)


@pytest.fixture
def read(monkeypatch):
    """Count the bytes of maps that are read from files, and of how many pieces; not those of results by zone."""
    counted = {"bytes": 0, "loads": 0}

    def attributes(wrapped):
        return wrapped.get_array().ncattrs() if hasattr(wrapped, "get_array") else ()

    def watch(wrapper):
        original = wrapper._getitem

        def watched(self, key):
            out = original(self, key)
            if len(self.shape) > 1 and self.shape[-1] > 20:
                # Whole numbers that stand for others count as what they are decoded to.
                packed = out.dtype == np.dtype("int16") or "scale_factor" in attributes(self)
                counted["bytes"] += out.size * 4 if packed else out.nbytes
                counted["loads"] += out.nbytes > 0
            return out

        monkeypatch.setattr(wrapper, "_getitem", watched)

    watch(netCDF4_.NetCDF4ArrayWrapper)
    watch(rioxarray._io.RasterioArrayWrapper)
    return counted


@pytest.mark.parametrize("block_memory_mb", [256, 20])
def test_bytes_and_blocks_are_those_of_the_run(recipe_file, tmp_path, read, block_memory_mb):
    path = recipe_file(limits={"block_memory_mb": block_memory_mb}, uncertainty={"draws": 2})
    projected = {need.step: need for need in plan(path).steps}
    context = Context(load(path), tmp_path / "out")
    context.out.mkdir()
    read.update(bytes=0, loads=0)
    examine(context)
    assert read["bytes"] == projected["opening"].read_bytes
    for step in STEPS:
        read.update(bytes=0, loads=0)
        blocks = perform(step, context)
        need = projected[step.name]
        assert (step.name, blocks, read["bytes"]) == (step.name, need.blocks, need.read_bytes)
        if step.name in ("uncertainty", "basins", "transect", "figures"):
            assert read["loads"] == need.loads


def test_the_first_run_on_a_machine_is_told_what_compiling_takes(recipe_file, monkeypatch):
    path = recipe_file()
    later = plan(path)
    monkeypatch.setattr(needs, "is_compiled", lambda kernel: False)
    first = plan(path)
    assert first.peak_bytes - later.peak_bytes == 200e6
    assert any("compiling takes 200 MB" in line for line in first.steps[1].layout)
    assert first.steps[0].peak_bytes == later.steps[0].peak_bytes


def test_peak_memory_is_within_30_percent_of_the_plan(recipe_file, tmp_path, monkeypatch):
    # As it is before the run, which may have to compile.
    monkeypatch.setattr(needs, "is_compiled", is_compiled)
    # A process of its own, for the peak of this one is that of all tests before.
    path = recipe_file(grid={"resolution_deg": 0.25}, limits={"block_memory_mb": 64})
    code = (
        "import json, sys, geotools; from geotools.recipe.provenance import peak_memory_bytes; "
        f"geotools.run({str(path)!r}, {str(tmp_path / 'out')!r}); print(json.dumps(peak_memory_bytes()))"
    )
    projected = plan(path).peak_bytes
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert projected == pytest.approx(json.loads(done.stdout), rel=0.3)


def test_memory_does_not_grow_with_the_cells(recipe_file):
    coarse = plan(recipe_file(grid={"resolution_deg": 0.1})).peak_bytes
    fine = plan(recipe_file(grid={"resolution_deg": 0.02})).peak_bytes
    assert fine < 1.5 * coarse


def test_a_plan_that_does_not_fit_names_blocks_that_would(recipe_file):
    grid = {"resolution_deg": 0.05}
    with pytest.raises(
        UsageError, match=r"limits\.memory_mb.*set limits\.block_memory_mb to (\d+) or less"
    ) as told:
        plan(recipe_file(grid=grid, limits={"memory_mb": 580}))
    size = float(str(told.value).split("block_memory_mb to ")[1].split()[0])
    assert (
        plan(recipe_file(grid=grid, limits={"memory_mb": 580, "block_memory_mb": size})).peak_bytes <= 580e6
    )


def test_a_resolution_is_named_only_where_no_blocks_would_fit(recipe_file):
    grid = {"resolution_deg": 0.005}
    with pytest.raises(UsageError, match=r"set grid\.resolution_deg to 0\.0\d+ or more \(now 0\.005\)"):
        plan(recipe_file(grid=grid, limits={"memory_mb": 700}))


def test_a_plan_says_when_even_libraries_do_not_fit(recipe_file):
    with pytest.raises(UsageError, match="libraries and inputs alone do not fit"):
        plan(recipe_file(limits={"memory_mb": 100}))


def test_bands_that_cut_chunks_of_an_input_are_told(recipe_file):
    text = plan(recipe_file(limits={"block_memory_mb": 20})).text()
    assert "land_cover is read" in text
    assert "are cut by the bands" in text


def test_series_blocks_that_cut_chunks_are_told(recipe_file):
    series = [{"source": "era5_climatology", "variables": ["tas"], "time_block": 5}]
    steps = {need.step: need for need in plan(recipe_file(series=series)).steps}
    assert steps["series"].blocks == 3
    assert "blocks of 5 steps cut chunks of 12, each unpacked 3 times" in steps["series"].layout[0]


def test_peak_memory_is_that_of_the_program_and_not_of_what_started_it():
    ballast = np.ones(40_000_000)  # 320 MB that a child must not be told to hold
    code = "from geotools.recipe.provenance import peak_memory_bytes; print(peak_memory_bytes())"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert int(done.stdout) < ballast.nbytes < peak_memory_bytes()
