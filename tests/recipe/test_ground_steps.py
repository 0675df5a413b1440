"""The steps of the cross-section and of the ground under towns: files, labels, second climates."""

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from geotools.errors import DataError, UsageError
from geotools.recipe.check import check
from geotools.recipe.context import Context
from geotools.recipe.loading import load
from geotools.recipe.plan import plan
from geotools.recipe.steps import cross_section, fields, town_ground
from tests.recipe.conftest import perform

GROUND = {"ground_column": {"years": 10}, "towns": {"min_population": 20_000}}


@pytest.fixture
def prepared(recipe_file, tmp_path):
    """A context with fields."""

    def make(**changes):
        context = Context(load(recipe_file(**{**GROUND, **changes})), tmp_path / "out")
        context.out.mkdir(exist_ok=True)
        perform(fields, context)
        return context

    return make


def test_the_cross_section_is_written_as_sampling_geometry_table_and_figures(prepared):
    context = prepared()
    paths = cross_section.run(context)
    assert [p.relative_to(context.out).as_posix() for p in paths] == [
        "cross_section.nc", "cross_section.csv", "figures/cross_section.png", "figures/cross_section.pdf",
    ]  # fmt: skip
    assert paths[2].read_bytes()[:4] == b"\x89PNG"
    assert paths[3].read_bytes()[:4] == b"%PDF"
    data = xr.open_dataset(paths[0])
    assert data.attrs["featureType"] == "profile"
    assert data["tsl_mean"].dims[0] == "segment"
    assert data.sizes["segment"] == len(context.transect.segments)
    assert {"lat", "lon", "distance_km", "depth"} <= set(data.coords)
    assert "modelled from ERA5" in data["tsl_mean"].attrs["comment"]
    assert "assumed" in data["permafrost_base_depth"].attrs["comment"]
    assert "not observed" in data.attrs["summary"]
    assert float(data["depth"].max()) == 500.0
    table = pd.read_csv(paths[1])
    assert {
        "tsl_mean",
        "active_layer_thickness",
        "permafrost_base_depth",
        "ttop",
        "difference_from_ttop",
    } <= set(table["variable"])
    deep = table[(table["variable"] == "tsl_mean") & (table["depth"] > 60.0)]
    assert not deep["simulated"].any()


def test_the_difference_from_ttop_is_that_of_both_columns_of_the_file(prepared):
    context = prepared()
    section = cross_section.computed(context)
    np.testing.assert_allclose(
        section["difference_from_ttop"], section["ground_temperature_top"] - section["ttop"], atol=1e-9
    )
    # TTOP of mean inputs and the mean of TTOP of the cells are not the same, but near.
    of_cells = context.overlap("segments").mean(context.fields()["magt"]).compute()
    np.testing.assert_allclose(section["ttop"], of_cells, atol=1.0)


def test_towns_of_the_zones_and_places_of_the_transect_are_told_with_labels(prepared):
    context = prepared()
    (path,) = town_ground.run(context)
    table = pd.read_csv(path, keep_default_na=False, na_values=[""])
    assert table["name"].tolist()[:2] == ["Yakutsk", "Zhigansk"]
    assert (table.loc[~table["on_transect"], "population"] >= 20_000).all()
    assert table["name"].value_counts()["Yakutsk"] == 1
    assert set(table["tier"]) == {"modelled"}
    (second,) = set(table["climate_2"])
    assert second == "ERA5 2000-2025, every month +1 K, snow kept (a sensitivity, not a projection)"
    known = table.dropna(subset="ground_temperature_1_degC")
    assert (known["ground_temperature_2_degC"] > known["ground_temperature_1_degC"]).all()
    assert table["thaw_settlement_m"].isna().all()
    unknown = table["bearing_capacity_change_percent"].isna()
    assert table.loc[unknown, "reason"].notna().all()


def test_a_town_outside_of_the_grid_keeps_its_row_and_says_why(prepared):
    points = [["Yakutsk", 62.03, 129.73], ["Zhigansk", 66.77, 123.37]]
    context = prepared(transect={"points": points, "segment_length_km": 100})
    elsewhere = context.recipe.transect.model_copy(
        update={"points": [*context.recipe.transect.points, ("Moscow", 55.75, 37.62)]}
    )
    object.__setattr__(context, "recipe", context.recipe.model_copy(update={"transect": elsewhere}))
    table = town_ground.table(context).set_index("name")
    assert table.loc["Moscow", "reason"] == "outside of the grid"
    assert np.isnan(table.loc["Moscow", "ground_temperature_1_degC"])


def test_a_warming_and_excess_ice_of_the_recipe_are_used_and_named(prepared):
    towns = {"min_population": 100_000, "warming_K": 2.5, "excess_ice": 0.2}
    table = town_ground.table(prepared(towns=towns))
    assert "+2.5 K" in table["climate_2"].iloc[0]
    both = table.dropna(subset=["active_layer_1_m", "active_layer_2_m"])
    expected = 0.2 * both["active_layer_change_m"].clip(lower=0.0)
    np.testing.assert_allclose(both["thaw_settlement_m"], expected)
    assert "0.2 of the volume" in table["settlement"].iloc[0]


def test_a_second_climate_replaces_the_warming_and_is_read_as_planned(prepared, climate_file, recipe_file):
    entry = climate_file(lambda d: d.assign(t2m=(d["t2m"] + 3.0).assign_attrs(d["t2m"].attrs)))
    entry |= {"period": ["2041-01-01", "2060-12-31"], "label": "a model"}
    towns = {"min_population": 100_000, "second_climate": entry}
    climate = climate_file(name="first.nc")
    context = prepared(towns=towns, inputs={"climate": climate})
    table = town_ground.table(context).set_index("name")
    assert set(table["climate_2"]) == {"a model 2041-2060"}
    # Under no less snow, which cannot be said of every place.
    yakutsk = table.loc["Yakutsk"]
    assert yakutsk["ground_temperature_2_degC"] > yakutsk["ground_temperature_1_degC"] + 0.5
    path = recipe_file(**{**GROUND, "towns": towns, "inputs": {"climate": climate}})
    assert any("second_climate" in line for line in check(path))
    assert {"cross_section", "town_ground"} <= {need.step for need in plan(path).steps}


def test_a_second_climate_that_is_no_mean_year_is_found_by_check(recipe_file, climate_file):
    entry = climate_file(lambda d: d.isel(time=slice(6)))
    with pytest.raises(DataError, match="12 monthly means"):
        check(recipe_file(towns={"second_climate": entry}))


@pytest.mark.parametrize(
    ("section", "words"),
    [
        ({"ground_column": {"soil_depth_m": 80}}, "reach into the rock"),
        ({"ground_column": {"geothermal_flux_W_m2": 50}}, "geothermal_flux_W_m2"),
        ({"towns": {"soil": "loess"}}, "towns.soil"),
        ({"towns": {"excess_ice": 20}}, "excess_ice"),
        ({"towns": {"warmingK": 2}}, "warming_K"),
    ],
)
def test_a_recipe_that_cannot_be_right_is_refused(recipe_file, section, words):
    with pytest.raises(UsageError, match=words):
        load(recipe_file(**section))
