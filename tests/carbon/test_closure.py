"""Closing a budget."""

import re
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geotools.carbon import Ledger, Term, sum_of
from geotools.carbon.draws import Sampler
from geotools.carbon.selection import select
from geotools.errors import DataError, UsageError
from geotools.vocabulary import Account, Species, Tier

RATIO = 12.011 / 44.009
NO_INTERVAL = {"lo95": float("nan"), "hi95": float("nan")}


def term(name, value, tags, account="natural", species="CO2-C", zone="z", source=None, **more):
    given = {
        "zone": zone, "term": name, "value": value, "unit": "Tg yr-1", "tier": Tier.PUBLISHED, "method": "m",
        "source": source or f"paper on {name}", "species": Species(species), "account": Account(account),
        "components": frozenset(tags), "lo95": value - 1.0, "hi95": value + 1.0,
    }  # fmt: skip
    return Term(**{**given, **more})


def whole_budget(zone="z"):
    return [
        term("nee", -100.0, ["nee_ecosystem"], zone=zone), term("fire", 20.0, ["fire"], zone=zone),
        term("crops", 5.0, ["crop_harvest"], zone=zone), term("wood", 4.0, ["wood_harvest"], zone=zone),
        term("rivers", 8.0, ["river_evasion"], zone=zone), term("lakes", 2.0, ["lake_evasion"], zone=zone),
        term("marsh", 0.5, ["wetland_ch4"], species="CH4-C", lo95=0.1, hi95=0.9, zone=zone),
        term("lake methane", 0.5, ["lake_ch4"], species="CH4-C", lo95=0.1, hi95=0.9, zone=zone),
        term("doc", 6.0, ["doc"], "lateral", "C", zone=zone), term("dic", 4.0, ["dic"], "lateral", "C", zone=zone),
        term("poc", 1.0, ["poc"], "lateral", "C", lo95=0.5, hi95=1.5, zone=zone),
        term("grain and timber", 3.0, ["product_trade"], "lateral", "C", zone=zone),
        term("fuel", 44.009, ["fossil", "cement"], "territorial", "CO2", zone=zone),
        term("carbonation", -1.0, ["carbonation"], "territorial", "CO2", zone=zone),
    ]  # fmt: skip


def rows(terms, **options):
    closed = Ledger(terms).close(**options)
    return {(t.zone, t.term): t for t in closed.rows}


def test_known_whole_budget():
    found = rows(whole_budget())
    nbe = -100 + 20 + 5 + 4 + 8 + 2 + 0.5 + 0.5
    assert found["z", "net_biome_exchange"].value == pytest.approx(nbe)
    # A quarter of the dissolved inorganic carbon is taken for carbon of the rock.
    assert found["z", "net_biome_production"].value == pytest.approx(-nbe - (6 + 0.75 * 4 + 1 + 3))
    assert found["z", "territorial_emissions"].value == pytest.approx(43.009)
    assert found["z", "net_carbon_exchange"].value == pytest.approx(nbe + 43.009 * RATIO)
    assert found["z", "territorial_emissions"].species is Species.CO2
    assert found["z", "net_carbon_exchange"].species is Species.C
    assert all("; complete" in t.method for t in found.values())


def test_derived_rows_are_memo_and_never_enter_a_sum_again():
    terms = whole_budget()
    closed = Ledger(terms).close()
    assert {t.account for t in closed.rows} == {Account.MEMO}
    again = Ledger([*terms, *closed.rows]).close()
    assert [t.value for t in again.rows] == [t.value for t in closed.rows]
    assert len(closed.to_frame()) == 4


def test_an_incomplete_budget_says_what_is_missing():
    found = rows([term("nee", -100.0, ["nee_ecosystem"]), term("doc", 6.0, ["doc"], "lateral", "C")])
    nbe, nbp = found["z", "net_biome_exchange"], found["z", "net_biome_production"]
    assert "incomplete: missing fire, crop_harvest, wood_harvest, river_evasion, lake_evasion" in nbe.method
    assert "doc" not in nbe.method.split("missing")[1]
    assert "dic, poc, product_trade" in nbp.method
    assert ("z", "net_carbon_exchange") not in found


def test_without_an_ecosystem_flux_there_is_no_net_flux():
    assert rows([term("fire", 20.0, ["fire"])]) == {}
    assert set(rows([term("fuel", 1.0, ["fossil"], "territorial", "CO2")])) == {
        ("z", "territorial_emissions")
    }


def test_interval_of_independent_parts_adds_in_squares():
    parts = [
        term(f"part{i}", 10.0, [tag])
        for i, tag in enumerate(["nee_ecosystem", "fire", "wood_harvest", "doc4"])
    ]
    found = rows(parts, draws=40_000)["z", "net_biome_exchange"]
    assert (found.hi95 - found.lo95) / 2 == pytest.approx(2.0, rel=0.03)


def test_a_value_without_an_interval_gets_a_wide_one_and_says_so():
    parts = [
        term("nee", -100.0, ["nee_ecosystem"]),
        term("fire", 20.0, ["fire"], lo95=float("nan"), hi95=float("nan")),
    ]
    found = rows(parts)["z", "net_biome_exchange"]
    assert "no interval published for fire, -/+ 50% assumed" in found.method
    assert (found.hi95 - found.lo95) / 2 == pytest.approx(10.05, rel=0.05)


def test_units_are_converted():
    found = rows([term("nee", -100.0, ["nee_ecosystem"]), term("fire", 2e4, ["fire"], unit="Gg yr-1")])
    assert found["z", "net_biome_exchange"].value == pytest.approx(-80.0)


def test_the_tier_of_a_sum_is_that_of_its_weakest_part():
    found = rows([
        term("nee", -1.0, ["nee_ecosystem"], tier=Tier.SCALED),
        term("fuel", 1.0, ["fossil"], "territorial", "CO2", tier=Tier.PROXIED),
    ])  # fmt: skip
    assert found["z", "net_biome_exchange"].tier is Tier.SCALED
    assert found["z", "net_carbon_exchange"].tier is Tier.PROXIED


@pytest.mark.parametrize(
    ("better", "worse"),
    [
        ({"confidence": "high"}, {"confidence": "medium", "period_end": "2020"}),
        ({"confidence": "low"}, {"confidence": "low", **NO_INTERVAL, "period_end": "2020"}),
        ({"confidence": "low", "period_end": "2020"}, {"confidence": "low", "period_end": "2019"}),
        ({"confidence": "low", "period_end": "2019"}, {"confidence": "low"}),
        ({"tier": Tier.OBSERVED}, {"tier": Tier.PUBLISHED}),
        ({"tier": Tier.MODELLED}, {"tier": Tier.SCALED}),
    ],
)  # fmt: skip
def test_order_of_choice(better, worse):
    one = term("fire", 1.0, ["fire"], source="b", **better)
    other = term("fire", 2.0, ["fire"], source="a", **worse)
    assert select([other, one], where="test").chosen == (one,)


def test_preferred_source_comes_first_and_the_rest_is_set_aside_with_the_reason():
    terms = [
        term("fire", 20.0, ["fire"], source="good", confidence="high"),
        term("fire", 30.0, ["fire"], source="mine", confidence="low"),
        term("nee", -1.0, ["nee_ecosystem"]),
    ]
    assert rows(terms)["z", "net_biome_exchange"].value == pytest.approx(19.0)
    closed = Ledger(terms).close(prefer=["mine"])
    assert closed.rows[0].value == pytest.approx(29.0)
    aside = closed.choices().query("not taken")
    assert aside[["source", "reason"]].to_numpy().tolist() == [["good", "fire taken from mine"]]


def test_a_wider_row_that_overlaps_a_better_one_is_not_added():
    terms = [term("nee", -100.0, ["nee_ecosystem"], confidence="high"),
             term("inversion", -60.0, ["nee_ecosystem", "fire", "river_evasion"], confidence="low")]  # fmt: skip
    found = rows(terms)["z", "net_biome_exchange"]
    assert found.value == -100.0
    assert "missing fire" in found.method


def test_two_preferred_rows_with_a_common_component_are_refused():
    terms = [term("doc", 6.0, ["doc"], "lateral", "C", source="a"),
             term("toc", 7.0, ["doc", "poc"], "lateral", "C", source="b")]  # fmt: skip
    with pytest.raises(
        DataError, match=r"component 'doc' is in 'toc' \(b\) and in 'doc' \(a\).*both are preferred"
    ):
        Ledger(terms).close(prefer=["a", "b"])


def test_embodied_rows_stay_out_and_may_not_be_preferred():
    trade = term("steel", 9.0, ["fossil_in_goods"], "embodied_eebt", "CO2", source="trade")
    terms = [term("fuel", 5.0, ["fossil"], "territorial", "CO2"), trade]
    assert rows(terms)["z", "territorial_emissions"].value == 5.0
    with pytest.raises(UsageError, match="embodied_eebt never enter a budget"):
        Ledger(terms).close(prefer=["trade"])


def test_carbon_and_carbon_dioxide_in_one_account_are_refused():
    terms = [term("nee", -1.0, ["nee_ecosystem"]), term("fire", 3.0, ["fire"], species="CO2")]
    with pytest.raises(DataError, match=r"CO2 and CO2-C would be added.*to_species"):
        Ledger(terms).close()


def test_sites_stocks_and_other_units_are_no_fluxes_of_the_zone():
    terms = [term("nee", -1.0, ["nee_ecosystem"]), term("fire", 3.0, ["fire"], site="Yakutsk"),
             term("wood", 5.0, ["wood_harvest"], unit="Pg"),
             term("crops", 5.0, ["crop_harvest"], depth_top_m=0.0, depth_bottom_m=1.0)]  # fmt: skip
    assert rows(terms)["z", "net_biome_exchange"].value == -1.0


def test_joint_is_the_sum_of_its_parts():
    lena, amur = whole_budget("lena"), whole_budget("amur")[:4]
    own = [term("nee", -200.0, ["nee_ecosystem"], zone="lena_amur")]
    found = rows([*lena, *amur, *own], joint={"lena_amur": ("lena", "amur")})
    for name in ("net_biome_exchange",):
        parts = found["lena", name].value + found["amur", name].value
        assert found["lena_amur", name].value == pytest.approx(parts, rel=1e-12)
    text = found["lena_amur", "net_biome_exchange"].method
    assert "missing river_evasion of amur, lake_evasion of amur" in text
    assert found["lena_amur", "net_carbon_exchange"].value == pytest.approx(
        found["lena_amur", "net_biome_exchange"].value + 43.009 * RATIO
    )


def test_a_basin_with_a_closed_part_shares_the_mouth():
    terms = [
        term("nee", -9.0, ["nee_ecosystem"], zone="wide"),
        term("doc", 2.0, ["doc"], "lateral", "C", zone="amur"),
    ]
    assert ("wide", "net_biome_production") not in rows(terms)
    found = rows(terms, mouths={"wide": "amur"})
    assert found["wide", "net_biome_production"].value == pytest.approx(7.0)


@settings(max_examples=15, deadline=None)
@given(st.permutations(range(14)), st.integers(0, 5))
def test_order_and_company_do_not_change_a_number(order, seed):
    terms = whole_budget()
    first = Ledger(terms).close(draws=5000, seed=seed)
    shuffled = Ledger([terms[i] for i in order]).close(draws=5000, seed=seed)
    alone = {
        t.term: t
        for t in Ledger([*terms, *whole_budget("other")]).close(zones=["z"], seed=seed, draws=5000).rows
    }
    for one, two in zip(first.rows, shuffled.rows, strict=True):
        for bound in ("value", "lo95", "hi95"):
            assert getattr(two, bound) == pytest.approx(getattr(one, bound), rel=1e-9)
            assert getattr(alone[one.term], bound) == pytest.approx(getattr(one, bound), rel=1e-9)


def test_rounding_of_the_values_moves_the_interval_by_no_more():
    plain = Sampler(1000, 0)
    for value in (-100.0, 20.0, 1e-3):
        one = plain.of(term("nee", value, ["nee_ecosystem"]))
        other = plain.of(term("nee", value * (1 + 1e-12), ["nee_ecosystem"]))
        np.testing.assert_allclose(one, other, rtol=1e-9, atol=1e-11)
    apart = plain.of(term("nee", -100.0, ["nee_ecosystem"], source="another paper"))
    assert abs(np.corrcoef(plain.of(term("nee", -100.0, ["nee_ecosystem"])), apart)[0, 1]) < 0.2


def test_the_seed_changes_the_interval_only():
    one, two = rows(whole_budget(), seed=1), rows(whole_budget(), seed=2)
    key = ("z", "net_biome_exchange")
    assert one[key].value == two[key].value
    assert one[key].lo95 != two[key].lo95


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"draws": 200}, "200 draws.*at least 5000"),
        ({"zones": ["elsewhere"]}, "zone 'elsewhere' has no rows; expected one of z"),
        ({"prefer": ["nobody"]}, "no row has the source 'nobody'.*'paper on carbonation'"),
    ],
)
def test_bad_calls(options, message):
    with pytest.raises(UsageError, match=message):
        Ledger(whole_budget()).close(**options)


def test_sum_of_adds_what_may_be_added():
    terms = [
        term("fire", 20.0, ["fire"]),
        term("marsh", 5e2, ["wetland_ch4"], species="CH4-C", unit="Gg yr-1"),
    ]
    assert sum_of(terms) == (20.5, "Tg yr-1")
    with pytest.raises(UsageError, match="nothing to add"):
        sum_of([])


@pytest.mark.parametrize(
    ("other", "error", "message"),
    [
        (("steel", 9.0, ["goods"], "embodied_direct", "CO2"), UsageError,
         "embodied_direct would be added to territorial.*re-allocation"),
        (("lost", 9.0, ["x"], "memo", "CO2"), UsageError, "memo would be added to territorial"),
        (("fire", 9.0, ["fire"], "natural", "CO2"), DataError, "several accounts: natural, territorial"),
        (("coal", 9.0, ["fossil"], "territorial", "CO2"), DataError, "component 'fossil'"),
        (("lime", 9.0, ["cement"], "territorial", "C"), DataError, "C and CO2 would be added"),
    ],
)  # fmt: skip
def test_sum_of_refuses(other, error, message):
    with pytest.raises(error, match=message):
        sum_of([term("fuel", 5.0, ["fossil"], "territorial", "CO2"), term(*other)])


def test_the_examples_of_the_page_run():
    page = Path(__file__).parents[2] / "docs" / "carbon_budget.md"
    blocks = re.findall(r"```python\n(.*?)```", page.read_text(encoding="utf-8"), flags=re.S)
    assert len(blocks) == 2
    for block in blocks:
        exec(compile(block, str(page), "exec"), {})
