"""Shares of regions by a named proxy, and balances of regions."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geotools.errors import DataError, UnitsError, UsageError
from geotools.trade import balance, embodied, regional_shares, trade_anchored_shares
from geotools.trade.regions import check_proxy
from tests.trade.conftest import emission_table, intensity_table, trade_table

ANCHORS = pd.DataFrame(
    {
        "region": ["RU-SA", "RU-SA", "RU-SA"],
        "year": [2009, 2010, 2015],
        "value": [1.0, 150.0, 9.0],
        "unit": ["bn USD", "bn RUB", "bn USD"],
        "national_value": 10.0,
        "national_unit": "bn USD",
    }
)
FX = pd.DataFrame({"currency": ["RUB"], "year": [2010], "lcu_per_usd": [30.0], "n_obs": [250]})


def test_shares_by_emissions():
    shares = regional_shares(emission_table(), country="RU", year=2013)
    assert dict(zip(shares["region"], shares["share"], strict=True)) == pytest.approx(
        {"RU-SA": 0.1, "RU-AMU": 0.3, "RU-_X": 0.6}
    )
    assert set(shares["proxy"]) == {"proxy:regional_co2_share of 2011"}


def test_anchored_shares():
    """The latest anchor not after the year counts: 150 bn RUB are 5 of 10 bn USD."""
    shares = regional_shares(emission_table(), country="RU", year=2011)
    found = trade_anchored_shares(shares, ANCHORS, year=2011, fx=FX).set_index("region")
    assert found["share"].to_dict() == pytest.approx({"RU-SA": 0.5, "RU-AMU": 0.5 / 3, "RU-_X": 1 / 3})
    assert found.loc["RU-SA", "proxy"] == "proxy:regional_trade_anchor (turnover of 2010)"
    assert "of what regions with a trade figure leave" in found.loc["RU-AMU", "proxy"]
    # Nothing to anchor by leaves the shares as they are.
    pd.testing.assert_frame_equal(trade_anchored_shares(shares, ANCHORS, year=2000), shares)


def test_regions_sum_to_the_nation_and_name_their_proxy():
    flows = embodied(trade_table(value=[9.0, 4.0]), intensity_table(), draws=200)
    shares = regional_shares(emission_table(), country="RU", year=2011)
    table = balance(flows, shares=shares)
    nation, regions = table[table["tier"] == "scaled"], table[table["tier"] == "proxied"]
    assert set(nation["region"]) == {"RU"}
    assert set(regions["region"]) == {"RU-SA", "RU-AMU", "RU-_X"}
    assert regions["basis"].str.startswith("proxy:regional_co2_share of 2011; share 0.").all()
    for column in ("export_tco2", "import_tco2", "balance_tco2"):
        sums = regions.groupby("sector")[column].sum()
        np.testing.assert_allclose(sums, nation.set_index("sector")[column].reindex(sums.index), rtol=1e-9)


def test_a_proxy_cannot_tell_the_sign_of_a_region():
    flows = embodied(trade_table(value=[9.0, 5.0]), intensity_table(), draws=2000)
    shares = regional_shares(emission_table(), country="RU", year=2011)
    table = balance(flows, shares=shares).set_index(["region", "sector"])
    assert table.loc[("RU", "total"), "sign_certain"]
    assert not table.loc[("RU-SA", "total"), "sign_certain"]


@settings(max_examples=30, deadline=None)
@given(st.lists(st.floats(0, 1e3), min_size=3, max_size=3).filter(lambda v: sum(v) > 1e-3))
def test_shares_always_sum_to_one(values):
    table = emission_table(value=[sum(values), *values])
    shares = regional_shares(table, country="RU", year=2011)
    assert shares["share"].sum() == pytest.approx(1, abs=1e-12)
    assert (shares["share"] >= 0).all()


# --- the sum of the regions against the nation -----------------------------------------------


def without_remainder(nation):
    return emission_table(value=[nation, 10.0, 30.0, 60.0]).iloc[:3]


def test_regions_that_miss_the_nation_are_refused():
    with pytest.raises(DataError, match=r"sum to 4e\+07 t CO2, the nation is 1e\+08.*add the row RU-_X"):
        regional_shares(without_remainder(100.0), country="RU", year=2011)
    shares = regional_shares(without_remainder(100.0), country="RU", year=2011, make_remainder=True)
    assert shares.set_index("region").loc["RU-_X", "share"] == pytest.approx(0.6)


def test_a_small_gap_becomes_the_remainder():
    shares = regional_shares(without_remainder(41.0), country="RU", year=2011)
    assert shares.set_index("region").loc["RU-_X", "share"] == pytest.approx(1 / 41)


def test_regions_above_the_nation():
    shares = regional_shares(without_remainder(39.5), country="RU", year=2011)
    assert shares["share"].sum() == pytest.approx(1)
    assert shares["proxy"].str.contains("regions sum to 1.0127 of the nation").all()
    for make_remainder in (False, True):
        with pytest.raises(DataError, match="check for rows that hold others"):
            regional_shares(without_remainder(30.0), country="RU", year=2011, make_remainder=make_remainder)


# --- bad input -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "error", "match"),
    [
        ({"unit": "Mt"}, UnitsError, "tonnes of goods are not tonnes of CO2"),
        ({"unit": "Mt C"}, UnitsError, "44/12"),
        ({"region": ["RU", "RU-XX", "RU-AMU", "RU-_X"]}, DataError, "unknown region code 'RU-XX'"),
        ({"region": ["RU", "10", "RU-AMU", "RU-_X"]}, DataError, "unknown region code '10'"),
        ({"region": ["RU", "CN-HL", "RU-AMU", "RU-_X"]}, DataError, "'CN-HL' does not belong to RU"),
        ({"region": ["RU", "RU-SA", "RU-SA", "RU-_X"]}, DataError, "RU-SA stands twice"),
        ({"region": ["RU", "RU-SA", "RU-AMU", "CN-_X"]}, DataError, "'CN-_X' does not belong to RU"),
        ({"value": [100.0, -10.0, 50.0, 60.0]}, DataError, "emissions of RU-SA are negative"),
        ({"value": 0.0}, DataError, "zero everywhere"),
        ({"role": ["region", "region", "region", "remainder"]}, DataError, "unknown region code 'RU'"),
        ({"role": ["nation", "region", "part", "remainder"]}, DataError, "a role is unknown"),
        ({"year": 2020}, DataError, "no emissions of RU for 2013 or before"),
    ],
)
def test_bad_emissions(changes, error, match):
    with pytest.raises(error, match=match):
        regional_shares(emission_table(**changes), country="RU", year=2013)


def test_no_nation():
    with pytest.raises(DataError, match="0 rows of the nation RU"):
        regional_shares(emission_table().iloc[1:], country="RU", year=2011)


@pytest.mark.parametrize("value", [-1.0, 11.0])
def test_bad_anchor(value):
    shares = regional_shares(emission_table(), country="RU", year=2011)
    with pytest.raises(DataError, match="trade of RU-SA in 2009"):
        trade_anchored_shares(shares, ANCHORS.assign(value=value), year=2009)


def test_anchors_that_leave_nothing():
    shares = regional_shares(emission_table(), country="RU", year=2011)
    both = pd.concat([ANCHORS.head(1), ANCHORS.head(1).assign(region="RU-AMU")]).assign(value=6.0)
    with pytest.raises(DataError, match=r"anchors hold 1.200 of the trade"):
        trade_anchored_shares(shares, both, year=2009)


def test_shares_that_do_not_close():
    flows = embodied(trade_table(), intensity_table(), draws=0)
    shares = regional_shares(emission_table(), country="RU", year=2011)
    with pytest.raises(DataError, match=r"shares of the regions of RU sum to 0.4"):
        balance(flows, shares=shares.iloc[:2])


def test_unknown_proxy():
    assert check_proxy("co2_share") == "proxy:regional_co2_share"
    with pytest.raises(UsageError, match=r"unknown regional proxy 'gdp'.*trade_anchor, co2_share"):
        check_proxy("gdp")
