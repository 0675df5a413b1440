"""The rules of the ledger."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from geotools.carbon import Ledger, Term, published_terms
from geotools.carbon.term import COLUMNS
from geotools.catalog import published_numbers
from geotools.errors import DataError, UnitsError, UsageError
from geotools.vocabulary import Account, Species, Tier

CONTRACT = (
    "zone", "period_start", "period_end", "term", "species", "account", "components", "depth_top_m",
    "depth_bottom_m", "value", "lo95", "hi95", "unit", "tier", "valid_fraction", "method", "source",
)  # fmt: skip


def term(name="doc_export", value=5.0, tags=("doc",), **more):
    given = {
        "zone": "lena", "term": name, "value": value, "unit": "Tg yr-1", "tier": Tier.PUBLISHED, "method": "m",
        "source": "s", "species": Species.C, "account": Account.LATERAL, "components": frozenset(tags),
    }  # fmt: skip
    return Term(**{**given, **more})


def test_columns_begin_with_those_of_the_contract():
    assert COLUMNS[: len(CONTRACT)] == CONTRACT
    assert tuple(Ledger([term()]).to_frame().columns) == COLUMNS


def test_total_adds_distinct_components_and_converts_units():
    ledger = Ledger([term(), term("dic_export", 6000.0, ("dic",), unit="Gg yr-1")])
    assert ledger.total("lena", account="lateral", species="C") == (11.0, "Tg yr-1")


def test_carbon_is_never_added_to_carbon_dioxide():
    ledger = Ledger([term(), term("co2", 3.0, ("co2",), species=Species.CO2)])
    with pytest.raises(DataError, match=r"C would be added to CO2; expected one species.*molar mass"):
        ledger.total("lena", account="lateral", species="C", terms=["doc_export", "co2"])
    assert ledger.total("lena", account="lateral", species="C")[0] == 5.0
    assert ledger.total("lena", account="lateral", species="CO2")[0] == 3.0


@pytest.mark.parametrize(
    "account", ["memo", "consumption", "embodied_direct", "embodied_eebt", "embodied_mrio"]
)
def test_memo_and_reallocated_accounts_are_never_summed(account):
    ledger = Ledger([term(account=Account(account))])
    with pytest.raises(UsageError, match="never enter a sum"):
        ledger.total("lena", account=account, species="C")


def test_a_component_counted_twice_is_refused_and_named():
    ledger = Ledger([term(), term("toc_export", 7.0, ("doc", "poc"))])
    with pytest.raises(
        DataError, match=r"component 'doc' is in 'doc_export' \(s\) and in 'toc_export' \(s\)"
    ):
        ledger.total("lena", account="lateral", species="C")
    assert ledger.total("lena", account="lateral", species="C", terms=["toc_export"])[0] == 7.0


def test_two_published_values_of_one_flux_are_alternatives_not_parts():
    ledger = Ledger([term(), term(source="another paper", value=6.0)])
    with pytest.raises(DataError, match="component 'doc'"):
        ledger.total("lena", account="lateral", species="C")


def test_stocks_of_different_depths_are_not_added():
    stock = {"account": Account.LATERAL, "unit": "Pg"}
    ledger = Ledger([
        term("soc", 1.0, ("a",), depth_top_m=0.0, depth_bottom_m=1.0, **stock),
        term("soc2", 2.0, ("b",), depth_top_m=0.0, depth_bottom_m=3.0, **stock),
    ])  # fmt: skip
    with pytest.raises(DataError, match="different depths: 0-1 m, 0-3 m"):
        ledger.total("lena", account="lateral", species="C")


def test_site_values_do_not_stand_for_the_basin():
    ledger = Ledger([term(), term("spring", 1.0, ("dic",), site="Samoylov")])
    assert ledger.total("lena", account="lateral", species="C")[0] == 5.0


def test_the_same_quantity_of_the_same_origin_is_entered_once():
    ledger = Ledger([term()])
    with pytest.raises(DataError, match="entered twice"):
        ledger.add(term(value=9.0))


def test_interval_must_hold_the_value():
    with pytest.raises(DataError, match="does not hold the value"):
        term(lo95=6.0, hi95=7.0)


def test_account_needs_a_species_and_a_flux_needs_components():
    with pytest.raises(DataError, match="account 'lateral' without a species"):
        term(species=Species.NONE)
    with pytest.raises(DataError, match="without components"):
        term(tags=())


def test_unreadable_unit_and_missing_value_are_refused():
    with pytest.raises(UnitsError, match="cannot be read"):
        term(unit="tons/annum??")
    with pytest.raises(DataError, match="value is missing"):
        term(value=math.nan)


def test_empty_total_and_unknown_zone_are_refused():
    with pytest.raises(UsageError, match="nothing to add"):
        Ledger().total("lena", account="natural", species="C")
    with pytest.raises(UsageError, match="zone 'amur' has no rows; expected one of lena"):
        Ledger([term()]).summary("amur")


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=8))
def test_total_does_not_hang_on_the_order_of_entry(values):
    terms = [term(f"t{i}", v, (f"c{i}",)) for i, v in enumerate(values)]
    forward = Ledger(terms).total("lena", account="lateral", species="C")[0]
    backward = Ledger(terms[::-1]).total("lena", account="lateral", species="C")[0]
    assert forward == pytest.approx(backward, abs=1e-6)


def test_bundled_published_numbers_all_enter_the_ledger_with_their_tier():
    terms = published_terms(published_numbers())
    frame = Ledger(terms).to_frame()
    assert len(frame) == len(published_numbers())
    assert set(frame["tier"]) == {"published"}
    assert (frame["source"] != "").all()
