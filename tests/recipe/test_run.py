"""A whole run: what it writes, that it resumes, and that it stops clearly."""

import json
import math
import shutil

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
import xarray as xr

import geotools
from geotools.errors import (
    CRSError,
    DataError,
    GeometryError,
    GeotoolsError,
    ProblemsError,
    UnitsError,
    UsageError,
)
from geotools.recipe.execution import run
from geotools.recipe.journal import Journal
from geotools.recipe.steps import STEPS
from tests.recipe.conftest import SMALL, Told

BUDGET = (
    "zone", "period_start", "period_end", "term", "species", "account", "components", "depth_top_m",
    "depth_bottom_m", "value", "lo95", "hi95", "unit", "tier", "valid_fraction", "method", "source",
)  # fmt: skip
TRANSECT = {
    "segment", "distance_km", "lat", "lon", "variable", "depth_m", "class", "mean", "p10", "p90", "lo95", "hi95",
    "valid_fraction", "unit", "tier",
}  # fmt: skip
TIERS = {"observed", "published", "modelled", "scaled", "proxied"}


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    """One small run for all tests that only read."""
    import yaml

    folder = tmp_path_factory.mktemp("run")
    (folder / "recipe.yml").write_text(yaml.safe_dump(SMALL))
    return geotools.run(folder / "recipe.yml", folder / "out")


def test_every_promised_file_is_there_and_opens(done):
    assert set(done.budget.columns[: len(BUDGET)]) == set(BUDGET)
    assert set(done.transect.columns) >= TRANSECT
    zones = gpd.read_file(done.out / "basins.gpkg")
    assert zones["zone"].tolist() == ["lena"]
    assert "Open Database License" in zones["notice"][0]
    with xr.open_dataset(done.out / "model_inputs" / "lena.nc") as data:
        assert data.attrs["Conventions"] == "CF-1.11, ACDD-1.3"
        assert "Open Database License" in data.attrs["license"]
        store = xr.open_zarr(done.out / "model_inputs" / "lena.zarr")
        for name in data.data_vars:
            np.testing.assert_array_equal(np.asarray(store[name]).astype(data[name].dtype), data[name].values)
    for name in ("basins_map", "transect_profile"):
        header = (done.out / "figures" / f"{name}.png").read_bytes()[:8]
        assert header == b"\x89PNG\r\n\x1a\n"


def test_the_page_and_the_trade_table_are_there(done):
    page = (done.out / "report.html").read_text()
    assert "net biome exchange" in page.lower()
    trade = done.trade_balance
    assert list(trade.columns[:12]) == [
        "region", "partner", "sector", "year", "account", "export_tco2", "import_tco2", "balance_tco2", "lo95",
        "hi95", "sign_certain", "basis",
    ]  # fmt: skip
    beside = trade[(trade["region"] == "RU-SA") & (trade["sector"] == "total")].iloc[0]
    sink = done.budget[
        (done.budget["zone"] == "RU-SA") & (done.budget["term"] == "net_ecosystem_exchange")
    ].iloc[0]
    # Tg of carbon in the ledger, tonnes of CO2 beside the balance.
    assert beside["natural_tco2"] == pytest.approx(sink["value"] * 1e6 * 44.009 / 12.011, rel=1e-5)
    assert 0 < beside["natural_valid_fraction"] < 1


def test_the_same_ledger_holds_basins_segments_and_the_whole_swath(done):
    rows = done.budget[done.budget["term"] == "net_ecosystem_exchange"].set_index("zone")["value"]
    segments = rows[rows.index.str.startswith("segment_")]
    assert len(segments) == done.transect["segment"].nunique()
    assert rows["transect_swath"] == pytest.approx(segments.sum(), rel=1e-4)
    assert "lena" in rows.index


def test_model_inputs_hold_the_whole_zone_and_the_regions_that_touch_it(done):
    from geotools.space import Overlap

    with xr.open_dataset(done.out / "model_inputs" / "lena.nc", decode_coords="all") as data:
        grid = Overlap.between(geotools.basins("lena"), data["tas"])
        share = grid.fraction.isel(basin=0)
        np.testing.assert_allclose(data["basin_fraction"].values, share.values, atol=1e-6)
        assert grid.covered_fraction.item() == pytest.approx(1.0, abs=1e-9)
        names = data["region_name"].values.tolist()
        assert {"RU-SA", "RU-IRK", "RU-BU", "RU-ZAB"} <= set(names)
        assert not {"RU-PRI", "CN-HL", "RU-MOW"} & set(names)
        # Away from the coast, whose outlines differ, every cell is shared out among regions whole.
        inland = (data["basin_fraction"] == 1) & (data["lat"] < 70)
        total = data["region_fraction"].sum("region").where(inland)
        np.testing.assert_allclose(total.values[np.isfinite(total.values)], 1.0, atol=2e-3)


def test_export_writes_model_inputs_only_and_the_run_can_go_on(recipe_file, tmp_path):
    from geotools.recipe.execution import export

    out = tmp_path / "out"
    paths = export("generic", recipe_file(), out)
    assert {p.suffix for p in paths} == {".nc", ".zarr"}
    assert not (out / "run.json").exists()
    assert not (out / "basins.csv").exists()
    told = Told()
    run(recipe_file(), out, progress=told)
    assert told.skipped == ["fields", "model_inputs"]


def test_an_unknown_target_model_is_refused(recipe_file, tmp_path):
    from geotools.recipe.execution import export

    with pytest.raises(UsageError, match="unknown target 'clm'; expected one of generic"):
        export("clm", recipe_file(), tmp_path / "out")


def test_run_json_tells_what_the_run_was_made_from(done):
    record = json.loads((done.out / "run.json").read_text())
    assert record["status"] == "finished"
    assert record["recipe"]["title"] == "small"
    assert record["seed"] == 20260101
    assert len(record["inputs"]["climate"]["sha256"]) == 64
    assert record["versions"]["xarray"] == xr.__version__
    assert set(record["duration_s"]) == {s.name for s in STEPS}
    assert record["peak_memory_bytes"] > 1e8
    assert any("Open Database License" in n for n in record["notices"])


def test_tables_hold_units_tiers_and_valid_fractions_everywhere(done):
    for table in (done.transect, done.basins):
        assert set(table["tier"]) <= TIERS
        assert table["unit"].notna().all()
        assert table["valid_fraction"].between(0, 1 + 1e-9).all()
    assert set(done.budget["tier"]) <= TIERS
    assert (done.budget["source"].str.len() > 0).all()


def test_modelled_values_have_intervals_that_hold_them_or_stand_beside(done):
    rows = done.transect[done.transect["variable"] == "magt"]
    assert rows["lo95"].notna().all()
    assert (rows["lo95"] <= rows["hi95"]).all()


def test_permafrost_is_labelled_as_modelled(done):
    rows = done.transect[done.transect["variable"].str.contains("permafrost|magt|thaw_depth")]
    assert set(rows["method"]) == {"modelled from ERA5"}
    assert set(rows["tier"]) == {"modelled"}
    for name in ("magt", "permafrost_probability", "permafrost_zone", "active_layer_thickness", "thaw_depth"):
        assert done.fields[name].attrs["comment"] == "modelled from ERA5"


def test_class_shares_of_a_segment_add_up_to_one(done):
    for name in ("permafrost_zone", "land_cover"):
        rows = done.transect[done.transect["variable"] == name]
        np.testing.assert_allclose(rows.groupby("segment")["mean"].sum(), 1.0, atol=1e-5)


def test_permafrost_area_is_the_share_times_the_valid_area(done):
    rows = done.budget[(done.budget["zone"] == "lena") & (done.budget["tier"] == "modelled")]
    budget = rows.set_index("term")["value"]
    share = done.basins[done.basins["variable"] == "permafrost_probability"].iloc[0]
    expected = share["mean"] * share["valid_fraction"] * budget["drainage_area"]
    assert budget["permafrost_area"] == pytest.approx(expected, rel=1e-5)
    assert budget["permafrost_region_area"] >= budget["permafrost_area"]


def test_summary_names_values_with_their_labels(done):
    text = done.text()
    assert "lena" in text
    assert "modelled from ERA5" in text
    assert "% of the area valid" in text


def test_a_second_run_repeats_nothing_and_changes_nothing(done, tmp_path):
    shutil.copytree(done.out, tmp_path / "out")
    before = {p: p.read_bytes() for p in (tmp_path / "out").rglob("*") if p.is_file()}
    told = Told()
    run(done.out.parent / "recipe.yml", tmp_path / "out", progress=told)
    assert told.skipped == [s.name for s in STEPS]
    assert {p: p.read_bytes() for p in before} == before


def test_a_stopped_run_goes_on_and_gives_the_same_tables(done, tmp_path):
    out = tmp_path / "out"
    shutil.copytree(done.out, out)
    # As after a kill while the transect step was writing: its entry is cut, later ones are missing.
    lines = (out / "journal.jsonl").read_text().splitlines()
    fourth = next(i for i, line in enumerate(lines) if json.loads(line).get("step") == STEPS[3].name)
    (out / "journal.jsonl").write_text("\n".join(lines[:fourth]) + "\n" + lines[fourth][:40])
    for name in ("run.json", "budget.csv"):
        (out / name).unlink()
    told = Told()
    again = run(done.out.parent / "recipe.yml", out, progress=told)
    assert told.skipped == [s.name for s in STEPS[:3]]
    pd.testing.assert_frame_equal(again.budget, done.budget)
    pd.testing.assert_frame_equal(again.transect, done.transect)
    assert json.loads((out / "run.json").read_text())["resumed"] is True


def test_a_changed_output_is_made_again(done, tmp_path):
    out = tmp_path / "out"
    shutil.copytree(done.out, out)
    (out / "transect.csv").write_text("tampered")
    told = Told()
    run(done.out.parent / "recipe.yml", out, progress=told)
    assert "transect" not in told.skipped
    assert (out / "transect.csv").read_bytes() == (done.out / "transect.csv").read_bytes()


def test_a_folder_with_a_run_of_another_recipe_is_refused_and_the_keys_named(done, recipe_file):
    other = recipe_file(snow={"melt_factor": 4.0})
    with pytest.raises(UsageError, match=r"another recipe; these keys differ: snow.melt_factor.*--out"):
        run(other, done.out)


def test_a_folder_with_other_things_is_refused(tmp_path, recipe_file):
    out = tmp_path / "out"
    out.mkdir()
    (out / "thesis.doc").write_text("x")
    with pytest.raises(UsageError, match="not empty and holds no geotools run"):
        run(recipe_file(), out)
    assert [p.name for p in out.iterdir()] == ["thesis.doc"]


def test_an_output_folder_that_cannot_be_written_is_refused(tmp_path, recipe_file):
    blocked = tmp_path / "file"
    blocked.write_text("")
    with pytest.raises(UsageError, match="the output folder cannot be written"):
        run(recipe_file(), blocked / "out")


def test_a_failed_step_leaves_nothing_that_looks_finished(tmp_path, recipe_file, monkeypatch):
    import geotools.recipe.steps.fields as step

    def half(data, path):
        path.write_bytes(b"half")
        raise DataError("the disk is full")

    monkeypatch.setattr(step, "write_netcdf", half)
    with pytest.raises(DataError, match="disk is full"):
        run(recipe_file(), tmp_path / "out")
    left = [p for p in (tmp_path / "out").rglob("*") if p.is_file()]
    # Overlaps of blocks are kept for the next try, hidden.
    assert {p.name for p in left if ".blocks" not in p.parts} == {"journal.jsonl", "recipe.json"}
    assert not list((tmp_path / "out").rglob(".*.part-*"))
    entries = Journal(tmp_path / "out").entries
    assert [e["failed"] for e in entries if "failed" in e] == ["fields/rows_00000-00023"]
    assert not any("step" in e or "block" in e for e in entries)


def own_climate(climate_file, recipe_file, change=lambda d: d, **options):
    entry = climate_file(change, **options)
    return recipe_file(inputs={"climate": entry})


def test_own_climate_with_0_360_longitudes_and_descending_latitude_gives_the_same_numbers(
    climate_file, recipe_file, tmp_path
):
    plain = run(own_climate(climate_file, recipe_file), tmp_path / "a")

    def turned(data):
        return data.sortby("latitude", ascending=False).assign_coords(longitude=data["longitude"])

    entry = climate_file(turned, name="turned.nc")
    other = run(recipe_file("b.yml", inputs={"climate": entry}), tmp_path / "b")
    pd.testing.assert_frame_equal(
        plain.basins.drop(columns="source"), other.basins.drop(columns="source"), rtol=1e-6
    )
    assert "modelled from test climate" in set(other.basins["method"])
    with xr.open_dataset(tmp_path / "b" / "model_inputs" / "lena.nc") as data:
        assert "lat sorted into ascending order" in data.attrs["history"]


def test_climate_in_kelvin_is_converted(climate_file, recipe_file, tmp_path):
    def kelvin(data):
        data["t2m"] = (data["t2m"] + 273.15).assign_attrs(units="K")
        return data

    warm = run(own_climate(climate_file, recipe_file, kelvin), tmp_path / "a").basins
    cold = run(recipe_file("b.yml", inputs={"climate": climate_file(name="b.nc")}), tmp_path / "b").basins
    pd.testing.assert_series_equal(warm["mean"], cold["mean"], rtol=1e-5, atol=1e-5)


def test_climate_missing_over_a_basin_stops_the_run_and_names_it(climate_file, recipe_file, tmp_path):
    # Data only where the transect runs, and almost none in the basin.
    def patchy(data):
        return data.where((data["longitude"] > 121) & (data["longitude"] < 132) & (data["latitude"] > 60.5))

    path = recipe_file(inputs={"climate": climate_file(patchy)}, transect={"half_width_km": 10})
    with pytest.raises(
        DataError, match=r"1 zone has too little valid climate data: lena \(\d+%\).*min_valid_fraction"
    ):
        run(path, tmp_path / "out")
    assert {p.name for p in (tmp_path / "out").iterdir()} == {".blocks", "journal.jsonl", "recipe.json"}


def test_climate_all_missing_over_a_basin_is_never_zero(climate_file, recipe_file, tmp_path):
    def south(data):
        return data.where(data["latitude"] < 52)

    path = recipe_file(inputs={"climate": climate_file(south)}, limits={"min_valid_fraction": 0.0})
    with pytest.raises(DataError, match=r"lena \(0%\)"):
        run(path, tmp_path / "out")


def test_units_that_contradict_the_values_stop_before_anything_is_written(
    climate_file, recipe_file, tmp_path
):
    def mislabelled(data):
        data["t2m"].attrs["units"] = "K"
        return data

    with pytest.raises(UnitsError, match="set `units: degC`"):
        run(own_climate(climate_file, recipe_file, mislabelled), tmp_path / "out")
    assert list((tmp_path / "out").iterdir()) == []


def test_a_transect_leaving_the_data_names_the_segments(recipe_file, tmp_path):
    path = recipe_file(transect={"points": [["Yakutsk", 62.03, 129.73], ["Harbin", 45.75, 126.65]]})
    with pytest.raises(GeotoolsError, match=r"leaves the data in \d+ of \d+ segments.*widen the grid"):
        run(path, tmp_path / "out")


def test_a_polygon_that_crosses_itself_is_refused(recipe_file, tmp_path):
    bow = shapely.Polygon([(120, 60), (125, 65), (125, 60), (120, 65)])
    gpd.GeoDataFrame({"zone": ["bow"]}, geometry=[bow], crs=4326).to_file(tmp_path / "z.geojson")
    with pytest.raises(GeometryError, match=r"(?i)bow.*self-intersection"):
        run(recipe_file(zones={"polygons": "z.geojson"}), tmp_path / "out")


def test_an_empty_polygon_is_refused(recipe_file, tmp_path):
    frame = gpd.GeoDataFrame(
        {"zone": ["void", "box"]}, geometry=[shapely.Polygon(), shapely.box(120, 60, 125, 65)], crs=4326
    )
    frame.to_file(tmp_path / "z.gpkg")
    with pytest.raises(GeometryError, match=r"(?i)void.*empty"):
        run(recipe_file(zones={"polygons": "z.gpkg"}), tmp_path / "out")


def test_polygons_and_regions_of_ones_own_are_summarised(recipe_file, tmp_path):
    square = gpd.GeoDataFrame({"zone": ["square"]}, geometry=[shapely.box(120, 60, 125, 65)], crs=4326)
    square = square.set_geometry(square.segmentize(0.5)).to_crs(6931)
    square.to_file(tmp_path / "z.gpkg")
    path = recipe_file(zones={"basins": ["lena"], "polygons": "z.gpkg", "regions": ["RU-SA"]}, grid={"east": 163.0},
                       inputs={"climate": "era5_climatology"}, limits={"min_valid_fraction": 0.3})  # fmt: skip
    result = run(path, tmp_path / "out")
    assert set(result.basins["zone"]) == {"lena", "RU-SA", "square"}
    area = result.budget[(result.budget["zone"] == "square") & (result.budget["term"] == "area")][
        "value"
    ].iloc[0]
    assert area == pytest.approx(5 * 5 * 111.3**2 * math.cos(math.radians(62.5)), rel=0.02)
    with xr.open_dataset(tmp_path / "out" / "fields.nc") as data:
        assert data["region_fraction"].dims == ("region", "lat", "lon")
    assert sorted(p.name for p in (tmp_path / "out" / "model_inputs").glob("*.nc")) == [
        "RU-SA.nc",
        "lena.nc",
        "square.nc",
    ]


def test_polygons_whose_files_would_overwrite_each_other_are_refused(recipe_file, tmp_path):
    boxes = [shapely.box(120, 60, 125, 65), shapely.box(110, 60, 115, 65)]
    gpd.GeoDataFrame({"zone": ["a b", "a/b"]}, geometry=boxes, crs=4326).to_file(tmp_path / "z.gpkg")
    with pytest.raises(UsageError, match=r"several zones would be written to a_b\.nc"):
        run(recipe_file(zones={"polygons": "z.gpkg"}), tmp_path / "out")


def test_an_unknown_region_code_is_refused(recipe_file, tmp_path):
    with pytest.raises(DataError, match="unknown region code 'RU-YAK'"):
        run(recipe_file(zones={"regions": ["RU-YAK"]}), tmp_path / "out")


def test_all_problems_are_reported_together(recipe_file, tmp_path):
    path = recipe_file(
        inputs={"climate": {"path": "no.nc", "variables": {"tas": {}, "pr": {}}}},
        zones={"basins": ["lenna"], "regions": ["RU-YAK"]},
        trade={"year": 1999},
    )
    with pytest.raises(ProblemsError, match=r"(?s)4 problems.*no\.nc.*lenna.*RU-YAK.*1999"):
        run(path, tmp_path / "out")
    assert list((tmp_path / "out").iterdir()) == []


def test_a_raster_without_crs_is_refused(climate_file, recipe_file, tmp_path):
    def bare(data):
        return (
            data.rename(latitude="y", longitude="x")
            .drop_attrs()
            .assign(
                t2m=data["t2m"].rename(latitude="y", longitude="x").drop_attrs().assign_attrs(units="degC")
            )
        )

    with pytest.raises(CRSError, match="names no coordinate reference system"):
        run(own_climate(climate_file, recipe_file, bare), tmp_path / "out")


def test_climate_in_another_crs_is_regridded(recipe_file, climate_file, tmp_path):
    from pyproj import CRS, Transformer

    crs = CRS.from_epsg(6931)
    axis = np.arange(-1_000_000.0, 5_000_001.0, 100_000.0)
    x, y = np.meshgrid(axis, axis)
    _, lat = Transformer.from_crs(crs, 4326, always_xy=True).transform(x, y)
    month = np.arange(12)
    tas = -25 * np.cos(2 * np.pi * (month - 0.5) / 12)[:, None, None] - 0.7 * (lat - 50)
    data = xr.Dataset(
        {
            "tas": (("time", "y", "x"), tas, {"units": "degC", "grid_mapping": "crs"}),
            "pr": (
                ("time", "y", "x"),
                np.full(tas.shape, 1.2),
                {"units": "kg m-2 d-1", "grid_mapping": "crs"},
            ),
            "crs": ((), 0, crs.to_cf()),
        },
        coords={
            "time": np.array([f"2001-{m:02d}-15" for m in range(1, 13)], dtype="datetime64[ns]"),
            "y": ("y", axis, {"standard_name": "projection_y_coordinate", "units": "m"}),
            "x": ("x", axis, {"standard_name": "projection_x_coordinate", "units": "m"}),
        },
    )
    data.to_netcdf(tmp_path / "polar.nc")
    path = recipe_file(inputs={"climate": {"path": "polar.nc", "variables": {"tas": {}, "pr": {}}}})
    maat = run(path, tmp_path / "out").basins.set_index("variable").loc["maat"]
    plain = run(recipe_file("b.yml", inputs={"climate": climate_file()}), tmp_path / "b").basins.set_index(
        "variable"
    )
    # The same field on a geographic grid; both are linear in latitude but for the curvature of 100 km cells.
    assert maat["mean"] == pytest.approx(plain.loc["maat", "mean"], abs=0.05)
    assert maat["valid_fraction"] == pytest.approx(1.0, abs=1e-6)


def test_soil_carbon_of_ones_own_becomes_a_stock_with_its_depth(recipe_file, tmp_path, climate_file):
    lat, lon = np.arange(51.5, 75), np.arange(102.5, 142)
    data = xr.Dataset(
        {"csoil": (("lat", "lon"), np.full((len(lat), len(lon)), 20.0), {"units": "kg m-2"})},
        coords={
            "lat": ("lat", lat, {"units": "degrees_north"}),
            "lon": ("lon", lon, {"units": "degrees_east"}),
        },
    )
    data.to_netcdf(tmp_path / "soil.nc")
    entry = {
        "path": "soil.nc",
        "variables": {"csoil": {}},
        "depth_top_m": 0.0,
        "depth_bottom_m": 1.0,
        "tier": "observed",
    }
    result = run(recipe_file(inputs={"soil_carbon": [entry]}), tmp_path / "out")
    row = result.budget[result.budget["term"] == "soil_organic_carbon"].iloc[0]
    area = result.budget[result.budget["term"] == "drainage_area"]["value"].iloc[0]
    # 20 kg m-2 everywhere: 20 kg times the basin's area, in Pg.
    assert row["value"] == pytest.approx(20.0 * area * 1e6 / 1e12, rel=1e-3)
    assert (row["depth_top_m"], row["depth_bottom_m"], row["species"]) == (0.0, 1.0, "C")
    assert row["tier"] == "observed"


def test_own_published_numbers_stand_beside_the_bundled_ones(recipe_file, tmp_path):
    bundled = geotools.published_numbers()
    mine = (
        bundled[(bundled["zone"] == "lena") & (bundled["term"] == "doc_export")]
        .iloc[[0]]
        .assign(reference="My own sampling", value=7.0)
    )
    mine.to_csv(tmp_path / "mine.csv", index=False)
    result = run(recipe_file(inputs={"published": ["mine.csv"]}), tmp_path / "out")
    assert "My own sampling" in set(result.budget["source"])
