"""Input-output cores: answers known by hand first, then the real table, then what must always hold."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from geotools.errors import DataError, UsageError
from geotools.trade import (
    InputOutput,
    bilateral_exports,
    embodied_flows,
    leontief_inverse,
    multipliers,
    pollution_terms_of_trade,
    production_and_consumption,
    technical_coefficients,
)
from tests.trade.conftest import two_by_two

# --- known answers ---------------------------------------------------------------------------


def test_multipliers_of_the_worked_example(table):
    np.testing.assert_allclose(table.intensity, [0.5, 0.1, 0.6, 0.1])
    np.testing.assert_allclose(
        table.multiplier, [0.60663031, 0.31641023, 0.98233790, 0.28652507], rtol=0, atol=5e-9
    )


def test_accounts_of_the_worked_example(table):
    found = production_and_consumption(table)
    assert found.regions == ("R1", "R2")
    np.testing.assert_allclose(found.production, [60, 80], rtol=1e-12)
    np.testing.assert_allclose(found.consumption, [47.86266424, 92.13733576], rtol=0, atol=5e-9)
    np.testing.assert_allclose(found.imports, [11.46809737, 23.60543313], rtol=0, atol=5e-9)
    np.testing.assert_allclose(found.exports, [23.60543313, 11.46809737], rtol=0, atol=5e-9)


@pytest.mark.parametrize(
    ("exporter", "importer", "traded", "domestic", "direct", "eebt"),
    [
        ("R1", "R2", [30, 30], [0.58227848, 0.24050633], 18, 24.683544303797465),
        ("R2", "R1", [10, 20], [0.92592593, 0.24074074], 8, 14.074074074074074),
    ],
)
def test_flows_of_the_worked_example(table, exporter, importer, traded, domestic, direct, eebt):
    np.testing.assert_allclose(bilateral_exports(table, exporter, importer), traded)
    np.testing.assert_allclose(table.domestic(exporter)[1], domestic, rtol=0, atol=5e-9)
    flows = embodied_flows(table, exporter, importer)
    assert flows["direct"].sum() == pytest.approx(direct, rel=1e-12)
    assert flows["eebt"].sum() == pytest.approx(eebt, rel=1e-12)


def test_balances_of_the_worked_example(table):
    out, back = embodied_flows(table, "R1", "R2"), embodied_flows(table, "R2", "R1")
    found = {method: out[method].sum() - back[method].sum() for method in out}
    assert found == pytest.approx(
        {"direct": 10, "eebt": 10.60947022972339, "mrio": 12.13733575725329}, rel=1e-12
    )
    terms = pollution_terms_of_trade((out["eebt"].sum(), back["eebt"].sum()), (60, 30))
    assert terms == pytest.approx(0.876915389740173, rel=1e-12)


def test_wiod_2011(wiod):
    """Direct and EEBT flows of 2011 in Mt CO2, and the multi-regional flows as a memo."""
    out, back = embodied_flows(wiod, "RUS", "CHN"), embodied_flows(wiod, "CHN", "RUS")
    sums = {m: (round(out[m].sum(), 2), round(back[m].sum(), 2)) for m in out}
    assert sums == {"direct": (24.52, 6.24), "eebt": (54.32, 51.53), "mrio": (59.19, 59.78)}
    assert out["eebt"].sum() - back["eebt"].sum() == pytest.approx(2.80, abs=0.005)
    assert out["direct"].sum() - back["direct"].sum() == pytest.approx(18.28, abs=0.005)
    traded = (bilateral_exports(wiod, "RUS", "CHN").sum(), bilateral_exports(wiod, "CHN", "RUS").sum())
    assert traded == pytest.approx((47.7e3, 57.6e3), rel=2e-3)
    terms = pollution_terms_of_trade((out["eebt"].sum(), back["eebt"].sum()), traded)
    assert terms == pytest.approx(1.27, abs=0.01)


def test_wiod_2011_interval(wiod):
    """An independent 20 % error of each emitting sector gives the known 80 % interval of the balance."""
    rng = np.random.default_rng(1)
    sigma = np.sqrt(np.log1p(0.2**2))
    drawn = []
    for a, b in (("RUS", "CHN"), ("CHN", "RUS")):
        rows = wiod.rows(a)
        domestic = leontief_inverse(wiod.coefficients[np.ix_(rows, rows)])
        emitted = wiod.intensity[rows] * (domestic @ bilateral_exports(wiod, a, b))
        assert emitted.sum() == pytest.approx(embodied_flows(wiod, a, b)["eebt"].sum())
        drawn.append(np.exp(rng.normal(0, sigma, (20000, rows.size))) @ emitted)
    low, high = np.quantile(drawn[0] - drawn[1], [0.1, 0.9])
    assert (low, high) == pytest.approx((-6.6, 12.3), abs=0.3)


# --- guards ----------------------------------------------------------------------------------


def test_a_sector_without_output_has_no_intensity():
    np.testing.assert_array_equal(multipliers([1.0, 2.0], [0.0, 4.0]), [0.0, 0.5])
    np.testing.assert_array_equal(multipliers([1.0], [1e-7]), [0.0])
    np.testing.assert_array_equal(technical_coefficients([[1, 1], [1, 1]], [0, 2]), [[0, 0.5], [0, 0.5]])


def test_no_leontief_inverse():
    with pytest.raises(DataError, match="no Leontief inverse"):
        leontief_inverse(np.eye(2))


@pytest.mark.parametrize(
    ("changes", "match"),
    [
        ({"x": [100, 100, 100]}, r"'x'.*shape \(3,\)"),
        ({"Z": [[10]]}, "'Z'"),
        ({"F": [50, -10, 60, 20]}, "'F'.*-10 was found"),
        ({"x": [100, 100, 100, 250]}, "the row R2 s2 sums to 200 and its output is 250"),
        ({"sector": ["s1"]}, "'sector'"),
    ],
)
def test_bad_tables(changes, match):
    with pytest.raises(DataError, match=match):
        two_by_two(**changes)


def test_unknown_region(table):
    with pytest.raises(UsageError, match=r"unknown region 'R3'.*one of R1, R2"):
        embodied_flows(table, "R1", "R3")
    with pytest.raises(UsageError, match="exporter and importer"):
        bilateral_exports(table, "R1", "R1")


def test_a_region_without_emissions():
    partial = two_by_two(F=[50, 10, np.nan, np.nan])
    whole = embodied_flows(two_by_two(), "R1", "R2")
    assert embodied_flows(partial, "R1", "R2")["mrio"] == pytest.approx(whole["mrio"])
    with pytest.raises(DataError, match="'R2' has no emissions"):
        embodied_flows(partial, "R2", "R1")
    with pytest.raises(DataError, match="'R2' has no emissions"):
        production_and_consumption(partial)


def test_terms_of_trade_without_trade():
    assert np.isnan(pollution_terms_of_trade((1, 0), (1, 0)))


# --- what must always hold -------------------------------------------------------------------


@st.composite
def tables(draw):
    """Productive tables: inputs of at most 60 % of the output."""
    positive = st.floats(0, 10)
    Z = draw(arrays(float, (4, 4), elements=positive))
    Y = draw(arrays(float, (4, 2), elements=positive))
    x = Z.sum(axis=1) + Y.sum(axis=1)
    # Final demand is raised where a column would need more than it gives.
    need = np.maximum(Z.sum(axis=0) / 0.6 - x, 0) + 1
    Y[:, 0] += need
    x = x + need
    F = draw(arrays(float, 4, elements=st.floats(0, 100)))
    return InputOutput(Z, Y, x, F, region=["R1", "R1", "R2", "R2"], sector=["s1", "s2"] * 2)


def scaled(table, **changes):
    parts = {"Z": table.Z, "Y": table.Y, "x": table.x, "F": table.F} | changes
    return InputOutput(*parts.values(), region=table.region, sector=table.sector)


@settings(max_examples=60, deadline=None)
@given(tables(), st.floats(0.1, 10))
def test_properties(table, factor):
    found = production_and_consumption(table)
    assert found.production.sum() == pytest.approx(found.consumption.sum(), rel=1e-9, abs=1e-9)
    np.testing.assert_allclose(
        found.consumption, found.production - found.exports + found.imports, rtol=1e-9, atol=1e-9
    )
    flows = embodied_flows(table, "R1", "R2")
    assert (flows["eebt"] >= flows["direct"] - 1e-9).all()
    more = embodied_flows(scaled(table, F=table.F * factor), "R1", "R2")
    for method, values in flows.items():
        np.testing.assert_allclose(more[method], values * factor, rtol=1e-9, atol=1e-9)
    # Other money, same emissions.
    other = scaled(table, Z=table.Z * factor, Y=table.Y * factor, x=table.x * factor)
    for method, values in embodied_flows(other, "R1", "R2").items():
        np.testing.assert_allclose(values, flows[method], rtol=1e-6, atol=1e-6)


def test_without_inputs_eebt_is_direct():
    table = two_by_two(Z=np.zeros((4, 4)), x=[60, 70, 45, 130])
    flows = embodied_flows(table, "R1", "R2")
    np.testing.assert_allclose(flows["eebt"], flows["direct"])
    np.testing.assert_allclose(flows["mrio"], flows["direct"])


def test_final_demand_may_emit_itself():
    found = production_and_consumption(two_by_two(F_Y=[7, 0]))
    np.testing.assert_allclose(found.production, [67, 80])
    np.testing.assert_allclose(found.consumption, found.production - found.exports + found.imports)
