"""Runs in bands and chunks of rows: the same numbers however the grid is cut."""

import json
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from geotools.model_inputs import generic
from geotools.recipe import bands
from geotools.recipe.context import Context
from geotools.recipe.execution import run
from geotools.recipe.loading import load
from geotools.recipe.model import Recipe
from geotools.recipe.steps import STEPS, model_inputs
from geotools.recipe.steps import fields as fields_step
from geotools.recipe.steps.figures import PIXELS, thinned
from tests.recipe.conftest import SMALL, Told

TABLES = ("basins.csv", "transect.csv", "budget.csv")


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """The small run in one band."""
    import yaml

    folder = tmp_path_factory.mktemp("whole")
    (folder / "recipe.yml").write_text(yaml.safe_dump(SMALL))
    return run(folder / "recipe.yml", folder / "out")


def values(path):
    with xr.open_dataset(path, mask_and_scale=False, decode_times=False) as data:
        return {str(name): field.values for name, field in data.variables.items()}


def test_results_are_the_same_bits_in_one_band_and_in_many(whole, recipe_file, tmp_path):
    path = recipe_file(limits={"block_memory_mb": 20})
    assert len(Context(load(path), tmp_path).bands) > 3
    cut = run(path, tmp_path / "out")
    for name in TABLES:
        assert (cut.out / name).read_bytes() == (whole.out / name).read_bytes()
    for name in ("fields.nc", "draws.nc", "model_inputs/lena.nc"):
        one, other = values(whole.out / name), values(cut.out / name)
        assert one.keys() == other.keys()
        for variable, field in one.items():
            np.testing.assert_array_equal(other[variable], field)


def test_a_run_goes_on_in_smaller_pieces(whole, recipe_file, tmp_path):
    """As after a kill for want of memory."""
    out = tmp_path / "out"
    shutil.copytree(whole.out, out)
    path = recipe_file(limits={"block_memory_mb": 20, "memory_mb": 4000})
    told = Told()
    run(path, out, progress=told)
    assert told.skipped == [s.name for s in STEPS]
    assert json.loads((out / "recipe.json").read_text())["limits"]["block_memory_mb"] == 20
    (out / "fields.nc").unlink()
    told = Told()
    run(None, out, progress=told)
    assert "fields" not in told.skipped
    one, other = values(whole.out / "fields.nc"), values(out / "fields.nc")
    for variable, field in one.items():
        np.testing.assert_array_equal(other[variable], field)


def test_chunks_of_rows_change_sums_by_rounding_only(whole, recipe_file, tmp_path, monkeypatch):
    monkeypatch.setattr(bands, "_CHUNK_CELLS", 240)
    monkeypatch.setattr(generic, "_CHUNK_CELLS", 120)
    monkeypatch.setattr(model_inputs, "fits_in_memory", lambda *_: False)
    path = recipe_file()
    assert Context(load(path), tmp_path).chunk_rows == 6
    cut = run(path, tmp_path / "out")
    for name in ("basins", "transect"):
        one, other = (getattr(result, name) for result in (whole, cut))
        pd.testing.assert_frame_equal(other, one, rtol=1e-6)
    one, other = values(whole.out / "draws.nc"), values(cut.out / "draws.nc")
    np.testing.assert_allclose(other["magt_zone"], one["magt_zone"], rtol=1e-12)
    with xr.open_zarr(cut.out / "model_inputs" / "lena.zarr") as store:
        assert store["tas"].chunksizes["lat"][0] == 6
        for variable in ("tas", "land_cover_fraction", "magt", "basin_fraction", "region_fraction"):
            field = values(whole.out / "model_inputs" / "lena.nc")[variable]
            held = np.where(field == np.float32(9.96921e36), np.nan, field)
            np.testing.assert_allclose(store[variable].values, held, rtol=1e-6, atol=1e-12)


def test_bands_cover_every_row_once_and_hold_no_more_than_allowed():
    recipe = Recipe.model_validate({"limits": {"block_memory_mb": 20}})
    context = Context(recipe, Path())
    rows = [row for first, last in context.bands for row in range(first, last)]
    assert rows == list(range(context.grid.shape[0]))
    first, last = context.bands[0]
    assert bands.band_bytes(context, last - first) <= 20e6
    assert len(Context(Recipe(), Path()).bands) == 1


def test_bands_of_a_fine_grid_end_with_chunks_on_disk():
    recipe = Recipe.model_validate(
        {
            "grid": {"west": 102.0, "south": 41.0, "east": 143.0, "north": 74.0, "resolution_deg": 0.02},
            "limits": {"block_memory_mb": 250},
        }
    )
    context = Context(recipe, Path())
    stored = generic.storage_rows(context.grid.shape)
    assert context.chunk_rows % stored == 0
    assert all(first % stored == 0 for first, _ in context.bands)


def test_a_band_of_one_row_is_computed_as_in_the_whole(tmp_path):
    context = Context(Recipe(), tmp_path)
    fields_step.block(context, tmp_path / "row.nc", 60, 61)
    with xr.open_dataset(tmp_path / "row.nc") as row:
        expected = fields_step.of_rows(context, slice(58, 64))["magt"].values[2]
        np.testing.assert_array_equal(row["magt"].values[0], expected.astype("float32"))
        np.testing.assert_array_equal(row["lat_bnds"].values[0], context.grid.y_edges[60:62])


def test_a_figure_of_a_fine_grid_shows_some_of_its_cells():
    field = xr.DataArray(np.arange(4 * PIXELS * 10).reshape(4 * PIXELS, 10), dims=("lat", "lon"))
    shown = thinned(field)
    assert shown.shape == (PIXELS, 10)
    assert shown[0, 0] == field[1, 0]
    assert thinned(field[:PIXELS]).equals(field[:PIXELS])


def test_the_cache_of_the_netcdf_library_is_what_it_was():
    import netCDF4

    before = netCDF4.get_chunk_cache()
    with generic.small_chunk_cache():
        assert netCDF4.get_chunk_cache()[0] < before[0]
    assert netCDF4.get_chunk_cache() == before
