"""Recipes: every mistake is named with the way out."""

import pytest
import yaml

from geotools.errors import ProblemsError, UsageError
from geotools.recipe.loading import load, resolved, to_yaml, write_default
from geotools.recipe.model import Recipe


def test_the_written_default_is_the_default():
    text = to_yaml(Recipe())
    assert Recipe.model_validate(yaml.safe_load(text)) == Recipe()


def test_every_key_is_visible_with_its_meaning():
    text = to_yaml(Recipe())
    for key in ("submonthly_sd_K", "half_width_km", "n_factor_method", "seed", "min_valid_fraction"):
        line = next(line for line in text.splitlines() if line.strip().startswith(key))
        assert "#" in line, key


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("permafrots: {}\n", r"unknown key 'permafrots'; expected a known name; the nearest is 'permafrost'"),
        ("snow: {densty: 3}\n", "unknown key 'snow.densty'"),
        (
            "transect: {half_width_km: -5}\n",
            r"key 'transect.half_width_km': input should be greater than 0 \(found -5\)",
        ),
        ("transect: {points: [[Yakutsk, 62, 130]]}\n", "key 'transect.points'"),
        (
            "transect: {points: silk}\n",
            "there is no route 'silk'; points are .* one of harbin_tiksi, meridian_126e",
        ),
        ("recipe: 2\n", "key 'recipe'"),
        ("zones: {basins: []}\n", "no zone is named"),
        ("grid: {resolution_deg: 0.4}\n", "cells apart; a whole number"),
        ("inputs: {climate: {path: a.grib}}\n", "names no known format"),
        ("inputs: {climate: {path: a.nc, crs_name: x}}\n", "unknown key 'inputs.climate.crs_name'"),
        ("a: [unclosed\n", "not YAML"),
        ("", "the recipe is empty"),
    ],
)
def test_mistakes_are_named(tmp_path, text, message):
    path = tmp_path / "recipe.yml"
    path.write_text(text)
    with pytest.raises(UsageError, match=message):
        load(path)


def test_a_route_may_be_named_and_is_recorded_as_its_places(tmp_path):
    path = tmp_path / "recipe.yml"
    path.write_text("transect: {points: meridian_126e}\n")
    transect = load(path).transect
    assert transect.points == [("45.8°N", 45.8, 126.0), ("72.5°N", 72.5, 126.0)]
    assert transect.name == "Meridian 126°E, 45.8 to 72.5°N"
    path.write_text("transect: {points: harbin_tiksi, name: mine}\n")
    assert load(path).transect == Recipe().transect.model_copy(update={"name": "mine"})


def test_all_mistakes_are_reported_at_once(tmp_path):
    path = tmp_path / "recipe.yml"
    path.write_text("titel: x\nsnow: {melt_factor: 0}\n")
    with pytest.raises(ProblemsError, match=r"(?s)2 problems.*(titel.*melt_factor|melt_factor.*titel)"):
        load(path)


def test_paths_start_at_the_folder_of_the_recipe(tmp_path):
    path = tmp_path / "recipe.yml"
    path.write_text("inputs: {climate: {path: data/a.nc}}\nzones: {polygons: z.gpkg}\n")
    recipe = load(path)
    assert recipe.inputs.climate.path == tmp_path / "data" / "a.nc"
    assert recipe.zones.polygons == tmp_path / "z.gpkg"


def test_missing_recipe_is_named(tmp_path):
    with pytest.raises(UsageError, match="the file does not exist"):
        load(tmp_path / "no.yml")


def test_init_does_not_overwrite(tmp_path):
    path = tmp_path / "recipe.yml"
    write_default(path)
    with pytest.raises(UsageError, match="is there already"):
        write_default(path)
    write_default(path, force=True)
    assert resolved(load(path)) == resolved(Recipe())


def test_defaults_of_the_recipe_are_those_of_the_science():
    from geotools.permafrost.equilibrium import EquilibriumSettings, Spread
    from geotools.recipe.context import Context
    from geotools.recipe.steps.fields import permafrost_settings
    from geotools.recipe.steps.uncertainty import spread_of

    context = Context(Recipe(), None)
    assert permafrost_settings(context) == EquilibriumSettings()
    assert spread_of(context) == Spread()
