"""Totals from areas of land cover and flux densities."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geotools.carbon import Ledger, scale_flux_density
from geotools.carbon.draws import bounds, two_piece
from geotools.catalog.densities import flux_densities
from geotools.errors import DataError
from geotools.vocabulary import Account, Species, Tier


def density(group="forest", classes="1", value=-50.0, lo=-100.0, hi=0.0, **more):
    row = {
        "group": group, "igbp_classes": classes, "term": "net_ecosystem_exchange", "area_basis": "igbp_majority_class",
        "species": "CO2-C", "account": "natural", "components": "nee_ecosystem", "value": value, "lo95": lo, "hi95": hi,
        "unit": "g m-2 yr-1", "reference": "a paper",
    }  # fmt: skip
    return {**row, **more}


def scaled(areas, rows, zone_areas=None, **options):
    frame = pd.DataFrame(areas).T
    whole = frame.sum(axis=1) if zone_areas is None else pd.Series(zone_areas)
    terms = scale_flux_density(frame, pd.DataFrame(rows), zone_areas=whole, **options)
    return {t.zone: t for t in terms}


def test_known_total_and_interval_of_one_class():
    # 1e6 km2 at -50 gC m-2 yr-1 is -50 TgC yr-1, and the interval is that of the density.
    term = scaled({"z": {1: 1e12}}, [density()], draws=20_000)["z"]
    assert term.value == pytest.approx(-50.0)
    assert (term.lo95, term.hi95) == (pytest.approx(-100.0, abs=1.5), pytest.approx(0.0, abs=1.5))
    assert (term.unit, term.tier, term.account, term.species) == (
        "Tg yr-1",
        Tier.SCALED,
        Account.NATURAL,
        Species.CO2_C,
    )
    assert term.components == {"nee_ecosystem"}


def test_errors_inside_a_class_do_not_average_out():
    one = scaled({"z": {1: 1e12}}, [density(classes="1+3")])["z"]
    two = scaled({"z": {1: 5e11, 3: 5e11}}, [density(classes="1+3")])["z"]
    assert (one.lo95, one.hi95) == (pytest.approx(two.lo95), pytest.approx(two.hi95))


def test_errors_of_different_classes_do():
    rows = [density("a", "1"), density("b", "2")]
    term = scaled({"z": {1: 5e11, 2: 5e11}}, rows, draws=50_000)["z"]
    assert term.hi95 - term.lo95 == pytest.approx(100 / np.sqrt(2), rel=0.03)


def test_zones_share_their_draws_so_that_a_sum_has_the_sum_of_the_errors():
    found = scaled({"a": {1: 1e12}, "b": {1: 3e12}, "ab": {1: 4e12}}, [density()])
    for bound in ("value", "lo95", "hi95"):
        parts = getattr(found["a"], bound) + getattr(found["b"], bound)
        assert parts == pytest.approx(getattr(found["ab"], bound), rel=1e-9, abs=1e-9)


def test_valid_fraction_is_the_share_with_a_density():
    term = scaled({"z": {1: 6e11, 0: 4e11}}, [density()])["z"]
    assert term.valid_fraction == pytest.approx(0.6)
    assert term.note == "forest -30 Tg"


def test_a_zone_without_land_cover_has_no_row_and_one_without_the_class_has_zero():
    found = scaled({"none": {1: 0.0, 10: 0.0}, "grass": {1: 0.0, 10: 1e12}}, [density()],
                   zone_areas={"none": 1.0, "grass": 1e12})  # fmt: skip
    assert set(found) == {"grass"}
    assert (found["grass"].value, found["grass"].lo95, found["grass"].hi95) == (0.0, 0.0, 0.0)


def test_seed_and_order_of_rows():
    rows = [density("a", "1"), density("b", "2", value=-10.0, lo=-30.0, hi=5.0)]
    areas = {"z": {1: 1e12, 2: 2e12}}
    first = scaled(areas, rows)["z"]
    assert scaled(areas, rows[::-1])["z"] == first
    assert scaled(areas, rows, rng=7)["z"].lo95 != first.lo95


def test_methane_is_not_scaled_with_classes_of_a_land_cover_map():
    methane = density("wetland", "11", value=10.0, lo=5.0, hi=20.0, species="CH4-C", components="wetland_ch4",
                      term="wetland_methane")  # fmt: skip
    with pytest.raises(DataError, match=r"methane would be scaled with classes.*class 11 misses most"):
        scaled({"z": {11: 1e10}}, [methane])
    of_wetlands = {**methane, "area_basis": "wetland"}
    with pytest.raises(DataError, match="mean 'wetland' and would be multiplied by 'igbp_majority_class'"):
        scaled({"z": {11: 1e10}}, [of_wetlands])
    term = scaled({"z": {11: 1e10}}, [of_wetlands], area_basis="wetland")["z"]
    assert (term.value, term.species) == (pytest.approx(0.1), Species.CH4_C)


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([density("a", "1+3"), density("b", "3")], "class 3 has two densities.*'a' and 'b'"),
        ([density(lo=-40.0)], "lo95 <= value <= hi95"),
        ([density(hi=np.nan)], "none missing"),
    ],
)
def test_bad_densities(rows, message):
    with pytest.raises(DataError, match=message):
        scaled({"z": {1: 1e12}}, rows)


def test_negative_and_missing_areas():
    for bad in (-1.0, np.nan):
        with pytest.raises(DataError, match="negative or missing"):
            scaled({"z": {1: bad}}, [density()])


def test_classes_that_cover_more_than_the_zone():
    with pytest.raises(DataError, match="zone 'z' cover 2 times its area"):
        scaled({"z": {1: 1e12, 2: 1e12}}, [density()], zone_areas={"z": 1e12})
    with pytest.raises(DataError, match="times its area"):
        scaled({"z": {1: 1e12}}, [density()], zone_areas={"other": 1e12})


@settings(max_examples=25)
@given(st.lists(st.floats(0, 1e12), min_size=3, max_size=3), st.floats(1, 10))
def test_totals_are_linear_in_the_areas(areas, factor):
    rows = [density("a", "1"), density("b", "5", value=-20.0, lo=-90.0, hi=10.0)]
    first = dict(zip((1, 5, 0), areas, strict=True))
    more = {k: factor * a for k, a in first.items()}
    found = scaled({"one": first, "more": more}, rows, zone_areas={"one": 1e13, "more": 1e14}, draws=200)
    if "one" in found and "more" in found:
        assert found["more"].value == pytest.approx(factor * found["one"].value, rel=1e-9, abs=1e-9)
        assert found["more"].lo95 == pytest.approx(factor * found["one"].lo95, rel=1e-9, abs=1e-9)


def test_bundled_densities_make_two_rows_that_may_be_added():
    areas = pd.DataFrame([{1: 1e12, 8: 1e12, 12: 1e12}], index=["z"])
    terms = scale_flux_density(areas, flux_densities(), zone_areas=pd.Series({"z": 3e12}))
    assert {t.term for t in terms} == {"net_ecosystem_exchange", "crop_harvest"}
    total, unit = Ledger(terms).total("z", account="natural", species="CO2-C")
    assert (total, unit) == (pytest.approx(-46 - 29 - 272 + 227), "Tg yr-1")


@given(st.floats(-100, 100), st.floats(0.1, 50), st.floats(0.1, 50))
def test_draws_keep_median_and_lopsided_bounds(value, below, above):
    z = np.random.default_rng(0).standard_normal(40_000)
    low, middle, high = np.quantile(two_piece(value, value - below, value + above, z), [0.025, 0.5, 0.975])
    assert low == pytest.approx(value - below, abs=0.06 * below)
    assert middle == pytest.approx(value, abs=0.03 * (below + above))
    assert high == pytest.approx(value + above, abs=0.06 * above)


def test_positive_draws_and_bounds_that_hold_the_value():
    z = np.array([-9.0, 0.0, 9.0])
    assert two_piece(1.0, 0.0, 2.0, z, positive=True)[0] == 0.0
    assert bounds(np.array([2.0, 3.0]), 1.0) == (1.0, pytest.approx(2.975))
