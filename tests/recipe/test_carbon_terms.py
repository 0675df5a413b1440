"""Carbon terms of zones and of the transect."""

import numpy as np
import pandas as pd
import pytest

from geotools.carbon import Ledger, published_terms
from geotools.catalog import published_numbers
from geotools.errors import DataError
from geotools.recipe.context import Context
from geotools.recipe.model import Recipe
from geotools.recipe.steps import fields, uncertainty
from geotools.recipe.steps.area_terms import area_terms
from geotools.recipe.steps.carbon_terms import (
    SWATH,
    closed_terms,
    natural_terms,
    segment_label,
    territorial_field,
    territorial_terms,
)
from tests.recipe.conftest import SMALL, merged, perform

EMISSIONS = pd.DataFrame({
    "region": ["RU-SA", "RU-IRK", "RU-AMU", "CN-HL", "CN-NM", "RU-_X"], "year": 2019, "unit": "Mt CO2",
    "value": [17.669, 28.212, 10.387, 278.211, 794.279, 1384.0], "source": "test",
})  # fmt: skip


@pytest.fixture(scope="module")
def context(tmp_path_factory):
    """A small run up to its fields and draws, with three basins and a region."""
    recipe = merged(SMALL, {
        "zones": {"basins": ["lena", "amur", "lena_amur"], "regions": ["RU-YEV"]},
        "grid": {"west": 101.0, "south": 41.0, "east": 144.0},
    })  # fmt: skip
    made = Context(Recipe.model_validate(recipe), tmp_path_factory.mktemp("run"))
    for step in (fields, uncertainty):
        perform(step, made)
    return made


@pytest.fixture(scope="module")
def terms(context):
    found = [
        *natural_terms(context),
        *territorial_terms(context, EMISSIONS),
        *area_terms(context, "segments"),
    ]
    return {(t.zone, t.term): t for t in found}


def labels(context):
    return [segment_label(int(n)) for n in context.transect.segments.index]


def test_every_zone_segment_and_the_swath_have_their_fluxes(context, terms):
    zones = ["lena", "amur", "lena_amur", "RU-YEV", SWATH, *labels(context)]
    assert labels(context)[0] == "segment_000"
    for zone in zones:
        for name in ("net_ecosystem_exchange", "crop_harvest", "fossil_emissions"):
            assert (zone, name) in terms


def test_joint_is_the_sum_of_the_basins(terms):
    for name in ("net_ecosystem_exchange", "crop_harvest", "fossil_emissions"):
        parts = terms["lena", name].value + terms["amur", name].value
        assert terms["lena_amur", name].value == pytest.approx(parts, rel=2e-3)


@pytest.mark.parametrize(
    "name", ["net_ecosystem_exchange", "crop_harvest", "fossil_emissions", "area", "permafrost_area"]
)
def test_the_swath_is_the_sum_of_its_segments(context, terms, name):
    parts = [terms[zone, name].value for zone in labels(context)]
    assert terms[SWATH, name].value == pytest.approx(sum(parts), rel=1e-9, abs=1e-12)


def test_values_lie_in_their_intervals_and_fractions_are_shares(terms):
    for term in terms.values():
        assert not term.lo95 > term.value
        assert not term.hi95 < term.value
        assert 0 <= term.valid_fraction <= 1 + 1e-9


def test_a_region_that_lies_in_no_table_is_told_and_one_that_does_is_whole(context, terms):
    assert "no figure for RU-YEV" in terms["RU-YEV", "fossil_emissions"].note
    known = EMISSIONS.assign(region=EMISSIONS["region"].replace("RU-AMU", "RU-YEV"))
    again = {t.zone: t for t in territorial_terms(context, known)}
    assert again["RU-YEV"].value == pytest.approx(10.387, rel=1e-6)


def test_the_field_holds_what_the_regions_emit(context, terms):
    field = territorial_field(context, EMISSIONS)
    total = float(field["emissions"].sum() + field["outside"].sum())
    assert total == pytest.approx(EMISSIONS["value"][:-1].sum(), rel=1e-9)
    assert field["emissions"].dims == ("lat", "lon")
    assert not field["fallback"].any()


def test_regions_that_do_not_sum_to_their_nation_stop_the_step(context):
    rows = EMISSIONS.assign(country=EMISSIONS["region"].str[:2], role="region")
    nation = pd.DataFrame(
        {"region": ["RU"], "country": ["RU"], "role": ["nation"], "year": [2019], "value": [1.0]}
    )
    with pytest.raises(DataError, match=r"regions of RU sum to 1440\.27 in 2019, the nation has 1"):
        territorial_field(context, pd.concat([rows, nation], ignore_index=True))


def test_bundled_emissions_are_read_and_add_up(context):
    field = territorial_field(context)
    assert float(field["emissions"].sum()) > 500


def test_land_cover_of_a_segment_adds_up_to_its_area(context, terms):
    zone = labels(context)[0]
    cover = sum(t.value for (z, name), t in terms.items() if z == zone and name.startswith("land_cover_area"))
    assert cover == pytest.approx(terms[zone, "area"].value, rel=1e-3)


def test_permafrost_of_the_transect_has_intervals(terms):
    swath = terms[SWATH, "permafrost_area"]
    assert np.isfinite(swath.lo95)
    assert swath.lo95 <= swath.value <= swath.hi95 <= terms[SWATH, "area"].value * (1 + 1e-9)


def test_the_ledger_closes_for_all_zones(context, terms):
    zones = set(context.zones.index)
    published = [t for t in published_terms(published_numbers()) if t.zone in zones]
    ledger = Ledger([*terms.values(), *published])
    closed = {(t.zone, t.term): t for t in closed_terms(ledger)}
    for zone in ("lena", "amur", "lena_amur", "RU-YEV", SWATH, labels(context)[0]):
        row = closed[zone, "net_biome_exchange"]
        assert row.lo95 <= row.value <= row.hi95
        assert "incomplete: missing" in row.method
    nbe = {zone: closed[zone, "net_biome_exchange"].value for zone in ("lena", "amur", "lena_amur")}
    assert nbe["lena_amur"] == pytest.approx(nbe["lena"] + nbe["amur"], rel=2e-3)
    assert ("lena", "net_biome_production") in closed
    assert (SWATH, "net_biome_production") not in closed
    Ledger([*ledger.terms(), *closed.values()])


def test_soil_carbon_given_by_the_user_becomes_a_stock_per_segment(context, tmp_path, monkeypatch):
    from geotools.catalog.schema import Entry
    from geotools.recipe.steps import area_terms as module

    layer = context.fields()["tas"].isel(time=0, drop=True) * 0 + 10.0
    entry = Entry(path=tmp_path / "soil.nc", depth_top_m=0.0, depth_bottom_m=1.0)
    data = context.fields().assign(csoil_0_1m=layer.assign_attrs(units="kg m-2", grid_mapping="crs"))
    monkeypatch.setattr(module, "soil_layers", lambda _: {"csoil_0_1m": ("mine", entry)})
    monkeypatch.setattr(context, "fields", lambda: data)
    stocks = {t.zone: t for t in area_terms(context, "segments") if t.term == "soil_organic_carbon"}
    area = context.overlap("segments").zone_areas.values
    assert stocks[SWATH].value == pytest.approx(10.0 * area.sum() / 1e12, rel=1e-3)
    assert (stocks[SWATH].depth_bottom_m, stocks[SWATH].unit) == (1.0, "Pg")
