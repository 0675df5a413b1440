"""Series of zones and segments: known answers, what is read, what is refused."""

from collections import Counter

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from geotools.errors import DataError, ProblemsError, UsageError
from geotools.recipe.check import check
from geotools.recipe.series_inputs import block_steps
from tests.recipe.conftest import mean_year
from tests.recipe.test_blocks import arrays, done, perform

VARIABLES = {"tas": {"name": "t2m"}, "pr": {"name": "tp"}}
LAT, LON = np.arange(51.5, 75), np.arange(102.5, 142)


def source(path, change=lambda d: d, **chunks):
    """Write 24 months whose values are known, and the entry for them."""
    data = mean_year(LAT, LON)
    data = xr.concat([data, data.assign_coords(time=data["time"] + np.timedelta64(365, "D"))], "time")
    # The same everywhere: every statistic of a zone is the value itself, step by step.
    data["t2m"] = data["t2m"].copy(data=np.broadcast_to(np.arange(24.0)[:, None, None], data["t2m"].shape))
    data = change(data)
    if path.suffix == ".zarr":
        data.chunk(chunks).to_zarr(path, zarr_format=2)
    else:
        sizes = tuple(chunks.get(d, data.sizes[d]) for d in data["t2m"].dims)
        data.to_netcdf(path, encoding={n: {"chunksizes": sizes} for n in data.data_vars} if chunks else {})
    return {"path": path.name, "variables": VARIABLES, "tier": "observed", "licence": "CC0"}


STATISTICS = ("mean", "minimum", "maximum", "p10", "p50", "p90")


def item(entry, **more):
    return {
        "source": entry,
        "variables": ["tas"],
        "statistics": ["mean", "variance", *STATISTICS[1:]],
        **more,
    }


def test_a_field_that_is_the_same_everywhere_gives_its_value_in_every_statistic(recipe_file, tmp_path):
    recipe = recipe_file(series=[item(source(tmp_path / "my.nc"), time_block=5)])
    perform(recipe, tmp_path / "out", "series")
    data = arrays(tmp_path / "out" / "series" / "my.nc")
    for dim in ("zone", "segment"):
        for statistic in STATISTICS:
            field = data[f"tas_{statistic}_{dim}"].transpose("time", dim)
            np.testing.assert_allclose(
                field, np.broadcast_to(np.arange(24.0)[:, None], field.shape), atol=1e-9
            )
            assert field.attrs["units"] == "degC"
        np.testing.assert_allclose(data[f"tas_valid_fraction_{dim}"], 1.0, atol=1e-9)
        np.testing.assert_allclose(data[f"tas_variance_{dim}"], 0.0, atol=1e-9)
    assert data["tas_variance_zone"].attrs["units"] == "(degC)2"
    assert data["zone_name"].values.tolist() == ["lena"]
    assert data["tas_mean_zone"].attrs["cell_methods"].endswith("area: mean")
    assert data.attrs["Conventions"] == "CF-1.11, ACDD-1.3"
    assert "Open Database License" in data.attrs["license"]
    assert data["time"].values[13] == np.datetime64("2002-02-15")


def test_the_series_is_what_an_overlap_gives(recipe_file, tmp_path):
    import geotools

    recipe = recipe_file(
        series=[
            {
                "source": "era5_climatology",
                "variables": ["pr"],
                "statistics": ["mean", "p90"],
                "time_block": 5,
            }
        ]
    )
    perform(recipe, tmp_path / "out", "series")
    data = arrays(tmp_path / "out" / "series" / "era5_climatology.nc")
    climate = geotools.open_catalog().open("era5_climatology")["pr"].load()
    overlap = geotools.Overlap.between(geotools.basins("lena"), climate)
    np.testing.assert_allclose(
        data["pr_mean_zone"].values[:, 0], overlap.mean(climate).values[:, 0], rtol=1e-12
    )
    np.testing.assert_allclose(data["pr_p90_zone"].values[:, 0], overlap.quantile(climate, 0.9).values[:, 0])
    bounds = xr.open_dataset(tmp_path / "out" / "series" / "era5_climatology.nc")
    with bounds:
        # Over which years the months are means.
        name = bounds["time"].attrs.get("climatology") or bounds["time"].encoding["climatology"]
        assert bounds[name].dims == ("time", "nv")


def test_a_calendar_of_its_own_is_kept(recipe_file, tmp_path):
    def noleap(data):
        return data.assign_coords(
            time=xr.date_range("2004-02-27", periods=24, freq="D", calendar="noleap", use_cftime=True)
        )

    recipe = recipe_file(series=[item(source(tmp_path / "my.nc", noleap), time_block=7)])
    perform(recipe, tmp_path / "out", "series")
    data = arrays(tmp_path / "out" / "series" / "my.nc")
    assert data["time"].dt.calendar == "noleap"
    # No 29 February.
    assert [str(t)[:10] for t in data["time"].values[:3]] == ["2004-02-27", "2004-02-28", "2004-03-01"]
    table = pd.read_csv(tmp_path / "out" / "series" / "my.csv")
    assert table["time"].iloc[-1].startswith("2004-03-22")


def test_a_further_dimension_is_kept_with_its_coordinate(recipe_file, tmp_path):
    def deep(data):
        depth = xr.DataArray([0.5, 2.0], dims="depth", attrs={"units": "m", "positive": "down", "axis": "Z"})
        out = data.rename(t2m="tsl").drop_vars("tp").expand_dims(depth=depth)
        out["tsl"] = out["tsl"].transpose("time", "depth", ...) + xr.DataArray([0.0, 5.0], dims="depth")
        out["tsl"].attrs["units"] = "degC"
        return out.assign(t2m=out["tsl"])

    entry = {**source(tmp_path / "my.nc", deep), "variables": {"tsl": {}}}
    recipe = recipe_file(series=[item(entry, variables=["tsl"], time_block=10)])
    perform(recipe, tmp_path / "out", "series")
    data = arrays(tmp_path / "out" / "series" / "my.nc")
    assert data["tsl_mean_zone"].dims == ("time", "depth", "zone")
    assert data["depth"].values.tolist() == [0.5, 2.0]
    np.testing.assert_allclose(
        data["tsl_p50_zone"].sel(depth=2.0).isel(zone=0), np.arange(24.0) + 5, atol=1e-9
    )
    assert not (tmp_path / "out" / "series" / "my.csv").exists()


def test_the_table_says_the_same_as_the_arrays(recipe_file, tmp_path):
    recipe = recipe_file(series=[item(source(tmp_path / "my.nc"), variables=["tas", "pr"])])
    perform(recipe, tmp_path / "out", "series")
    table = pd.read_csv(tmp_path / "out" / "series" / "my.csv")
    data = arrays(tmp_path / "out" / "series" / "my.nc")
    rows = table[(table["target"] == "segment") & (table["variable"] == "pr")]
    assert len(rows) == 24 * data.sizes["segment"]
    np.testing.assert_allclose(rows["mean"], data["pr_mean_segment"].values.ravel(), rtol=1e-6)
    assert set(table["unit"]) == {"degC", "kg m-2 d-1"}
    assert set(table["tier"]) == {"observed"}
    assert rows["time"].iloc[0].startswith("2001-01-15")


def test_a_table_that_would_be_long_is_left_out(recipe_file, tmp_path, monkeypatch):
    from geotools.recipe.steps import series

    monkeypatch.setattr(series, "_CSV_ROWS", 24)
    recipe = recipe_file(series=[item(source(tmp_path / "my.nc"))])
    perform(recipe, tmp_path / "out", "series")
    assert [p.name for p in (tmp_path / "out" / "series").iterdir()] == ["my.nc"]


@pytest.mark.parametrize("time_block", [1, 5, 24, "auto"])
@pytest.mark.parametrize("name", ["my.nc", "my.zarr"])
def test_values_do_not_depend_on_blocks_nor_on_storage_chunks(recipe_file, tmp_path, time_block, name):
    def rough(data):
        noise = np.random.default_rng(3).normal(0, 5, data["t2m"].shape)
        data["t2m"] = data["t2m"].copy(data=np.where(noise > 8, np.nan, noise))
        return data

    reference = recipe_file("a.yml", series=[item(source(tmp_path / "whole.nc", rough))])
    perform(reference, tmp_path / "a", "series")
    entry = source(tmp_path / name, rough, time=4, latitude=7, longitude=13)
    perform(recipe_file("b.yml", series=[item(entry, time_block=time_block)]), tmp_path / "b", "series")
    one, other = arrays(tmp_path / "a/series/whole.nc"), arrays(tmp_path / "b/series/my.nc")
    xr.testing.assert_allclose(one, other, rtol=1e-12)


def test_every_chunk_is_read_once_for_all_statistics_of_zones_and_segments(
    recipe_file, tmp_path, monkeypatch
):
    from zarr.storage import LocalStore

    entry = source(tmp_path / "my.zarr", time=4, latitude=12, longitude=20)
    recipe = recipe_file(series=[item(entry, time_block=8)])
    read: Counter[str] = Counter()
    real = LocalStore.get

    async def counted(self, key, *rest, **named):
        read[key] += 1
        return await real(self, key, *rest, **named)

    from geotools.recipe.session import session
    from geotools.recipe.steps import series

    with session(recipe, tmp_path / "out") as run:
        # Opening looks at some values, to see that they can be in their units.
        (tmp_path / "out" / ".blocks").mkdir()
        series.prepare(run.context)
        monkeypatch.setattr(LocalStore, "get", counted)
        for number, block in enumerate(series.blocks(run.context)):
            series.block(run.context, tmp_path / f"{number}.nc", **block.arguments)
    chunks = {key: times for key, times in read.items() if key.startswith("t2m/") and key[4].isdigit()}
    assert len(chunks) == 6 * 2 * 2
    assert set(chunks.values()) == {1}


def test_a_block_takes_whole_storage_chunks_up_to_its_bytes():
    def field(steps, chunk, cells):
        import dask.array as da

        return xr.DataArray(da.zeros((steps, cells), chunks=(chunk, -1), dtype="f4"), dims=("time", "cell"))

    # 4 MB a step: 16 steps in 64 MB.
    assert block_steps(field(120, 1, 1_000_000), "auto") == 16
    assert block_steps(field(120, 5, 1_000_000), "auto") == 15
    assert block_steps(field(120, 30, 1_000_000), "auto") == 30
    assert block_steps(field(120, 1, 100), "auto") == 120
    assert block_steps(field(120, 5, 1_000_000), 7) == 7
    assert block_steps(field(3, 1, 100), 7) == 3


def test_a_file_without_chunks_is_not_read_whole(tmp_path, monkeypatch):
    from geotools.catalog.readers import netcdf

    source(tmp_path / "my.nc")
    monkeypatch.setattr(netcdf, "_PIECE_BYTES", 3 * LAT.size * LON.size * 8)
    with netcdf.read(tmp_path / "my.nc", "netcdf") as data:
        assert data["t2m"].chunks[0] == (3,) * 8
        assert data["t2m"].chunks[1:] == ((LAT.size,), (LON.size,))


def test_check_tells_what_cut_chunks_cost(recipe_file, tmp_path):
    entry = source(tmp_path / "my.nc", time=12, latitude=24, longitude=40)
    lines = check(recipe_file(series=[item(entry, time_block=4)]))
    line = next(line for line in lines if "series 0" in line)
    assert "24 steps in 6 blocks" in line
    assert "3 times as much is read; set time_block to a multiple of 12" in line
    lines = check(recipe_file(series=[item(entry, time_block=12)]))
    assert "as much is read" not in "".join(lines)


def test_a_source_without_time_is_refused(recipe_file, tmp_path):
    entry = source(tmp_path / "my.nc", lambda d: d.isel(time=0, drop=True))
    with pytest.raises(
        DataError, match=r"my\.nc: tas has no time axis; expected a variable with a time axis"
    ):
        check(recipe_file(series=[item(entry)]))


def test_a_statistic_that_the_variable_cannot_have_is_refused(recipe_file, tmp_path):
    entry = source(tmp_path / "my.nc")
    with pytest.raises(
        UsageError, match="the total was asked of tas, which is intensive; expected for total: density"
    ):
        check(recipe_file(series=[item(entry, statistics=["mean", "total"])]))


def test_all_problems_of_series_are_reported_together(recipe_file, tmp_path):
    entry = source(tmp_path / "my.nc")
    series = [
        item({**entry, "path": "no.nc"}),
        item(entry, variables=["tas", "snd"]),
        item("era5_climatology"),
    ]
    with pytest.raises(ProblemsError, match=r"(?s)2 problems.*no\.nc.*no snd"):
        check(recipe_file(series=series))


def test_a_source_that_is_not_in_the_catalogue_is_one_problem(recipe_file):
    with pytest.raises(UsageError, match=r"there is no catalogue entry 'era5'; expected .*era5_climatology"):
        check(recipe_file(series=[item("era5")]))


def test_two_sources_of_one_name_are_refused(recipe_file, tmp_path):
    entry = source(tmp_path / "my.nc")
    with pytest.raises(UsageError, match=r"two series are called 'my\.nc'.*list all variables"):
        check(recipe_file(series=[item(entry), item(entry, variables=["pr"])]))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"statistics": ["median"]}, r"series\.0\.statistics\.0"),
        ({"statistics": ["p10", "p10"]}, "'p10' stands twice"),
        ({"targets": ["basins"]}, r"series\.0\.targets\.0"),
        ({"time_block": 0}, r"series\.0\.time_block"),
        ({"variable": ["tas"]}, r"unknown key 'series\.0\.variable'; expected .*variables"),
    ],
)
def test_a_wrong_key_of_a_series_is_named(recipe_file, changes, message):
    with pytest.raises((UsageError, ProblemsError), match=message):
        check(recipe_file(series=[{"source": "era5_climatology", "variables": ["tas"], **changes}]))


def test_no_series_is_in_order(recipe_file, tmp_path):
    perform(recipe_file(series=[]), tmp_path / "out", "series")
    assert done(tmp_path / "out") == []
    assert not (tmp_path / "out" / "series").exists()


def test_workers_take_the_overlaps_that_were_built_for_them(recipe_file, tmp_path, monkeypatch):
    from geotools.recipe import blocks
    from geotools.recipe.blocks import InTurn
    from geotools.space import cache

    built = []
    real = cache.target_of
    monkeypatch.setattr(cache, "target_of", lambda *a: (built.append(1), real(*a))[1])

    class Elsewhere(InTurn):
        def map(self, function, arguments):
            for index, each in enumerate(arguments):
                # A worker starts with nothing in memory.
                blocks._HELD.clear()
                yield index, function(*each)

    perform(
        recipe_file(series=[item(source(tmp_path / "my.nc"), time_block=8)]),
        tmp_path / "out",
        "series",
        pool=Elsewhere(),
    )
    assert len(built) == 2
    assert [p for p in (tmp_path / "out").iterdir() if p.name.startswith(".")] == []


@pytest.mark.filterwarnings("ignore::geotools.errors.GeotoolsWarning")
def test_a_zone_outside_the_source_is_named_and_missing_and_not_dropped(recipe_file, tmp_path):
    entry = source(tmp_path / "my.nc")
    recipe = recipe_file(zones={"basins": ["lena", "amur"], "regions": ["CN-HI"]}, series=[item(entry)])
    perform(recipe, tmp_path / "out", "series")
    data = arrays(tmp_path / "out" / "series" / "my.nc")
    place = data["zone_name"].values.tolist().index("CN-HI")
    assert np.isnan(data["tas_mean_zone"].values[:, place]).all()
    assert (data["tas_valid_fraction_zone"].values[:, place] == 0).all()
    amur = data["tas_valid_fraction_zone"].values[:, data["zone_name"].values.tolist().index("amur")]
    assert ((amur > 0) & (amur < 1)).all()
