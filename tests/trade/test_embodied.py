"""Embodied emissions and balances from trade tables."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geotools.errors import DataError, UnitsError, UsageError
from geotools.trade import COLUMNS, balance, embodied, kg_co2_per_usd, sector_trade, tonnes_co2_per, usd_per
from geotools.vocabulary import Account
from tests.trade.conftest import intensity_table, trade_table

# --- known answers ---------------------------------------------------------------------------


@pytest.mark.parametrize(("method", "out", "back"), [("direct", 5e6, 2e6), ("eebt", 10e6, 8e6)])
def test_ten_billion_dollars(method, out, back):
    flows = embodied(trade_table(), intensity_table(), method=method, draws=0)
    assert flows.total("RU", "CN") == pytest.approx(out)
    assert flows.total("CN", "RU", 2011) == pytest.approx(back)
    table = balance(flows)
    assert tuple(table) == COLUMNS
    total = table[table["sector"] == "total"].iloc[0]
    assert total["balance_tco2"] == pytest.approx(out - back)
    assert total["account"] == f"embodied_{method}"
    assert Account(total["account"])
    assert np.isnan(total["lo95"])
    assert not total["sign_certain"]
    assert total["tier"] == "scaled"
    assert "positive = net exporter" in total["basis"]
    assert "not deflated to 2011" in total["basis"]


def test_bridge_and_prices():
    bridge = pd.DataFrame(
        {
            "exporter": ["RU", "RU", ""],
            "from_scheme": "g",
            "from_code": ["x", "x", "x"],
            "to_scheme": ["t", "t", "other"],
            "to_code": ["a", "b", "a"],
            "weight": [0.25, 0.75, 1.0],
        }
    )
    mine = bridge[bridge["to_scheme"] == "t"]
    trade = trade_table(sector=["x", "x"]).head(1)
    flows = embodied(trade, intensity_table(), bridge=mine, draws=0)
    assert flows.total("RU", "CN") == pytest.approx(10e6 * (0.25 * 1.0 + 0.75 * 0.4))
    cheaper = embodied(trade, intensity_table(), bridge=mine, draws=0, price_index={"x": 0.5})
    assert cheaper.total("RU", "CN") == pytest.approx(2 * flows.total("RU", "CN"))
    assert "trade deflated by sector" in cheaper.basis


def test_interval_of_one_lognormal_sector():
    flows = embodied(
        trade_table().head(1), intensity_table(), national_cv=0, vintage_cv_per_year=0, draws=40000
    )
    sigma = np.sqrt(np.log1p(0.04))
    row = flows.table.iloc[0]
    expected = 1e7 * np.exp(np.array([-1.96, 1.96, -1.2816, 1.2816]) * sigma - sigma**2 / 2)
    assert row[["lo95", "hi95", "lo80", "hi80"]].to_numpy(float) == pytest.approx(expected, rel=0.01)
    assert flows.draws.mean() == pytest.approx(1e7, rel=0.01)


def test_the_sign_is_certain_only_when_the_interval_leaves_out_zero():
    far = balance(embodied(trade_table(value=[100.0, 1.0]), intensity_table()))
    assert far["sign_certain"].all()
    near = balance(embodied(trade_table(value=[8.0, 10.0]), intensity_table()))
    assert not near["sign_certain"].any()
    assert (near["lo95"] < 0).all()
    assert (near["hi95"] > 0).all()


def test_years_between_trade_and_intensities_widen_the_interval():
    widths = []
    for year in (2011, 2020):
        table = embodied(trade_table(year=year), intensity_table(), draws=2000).table
        widths.append((table["hi95"] - table["lo95"]).to_numpy())
    assert (widths[1] > 1.3 * widths[0]).all()


CHAINS = pd.DataFrame(
    {
        "country": ["RU", "RU", "CN", "CN"],
        "sector": ["a", "b", "a", "b"],
        "emitting_sector": "power",
        "share": 1.0,
    }
)


def test_goods_of_one_power_sector_err_together():
    trade = trade_table(value=[10.0, 25.0], exporter="RU", importer="CN", sector=["a", "b"])
    spread = []
    for chains in (None, CHAINS):
        flows = embodied(trade, intensity_table(), supply_chains=chains, draws=4000)
        assert flows.total("RU", "CN") == pytest.approx(20e6)
        spread.append(flows.draws.sum(axis=1).std())
    assert spread[1] / spread[0] == pytest.approx(np.sqrt(0.04 + 0.0016) / np.sqrt(0.02 + 0.0016), rel=0.05)


def test_supply_chains_that_do_not_close():
    with pytest.raises(DataError, match="emitting sectors of RU 'a' sum to 0;"):
        embodied(trade_table(), intensity_table(), supply_chains=CHAINS.iloc[1:])
    # The direct method asks for none.
    embodied(trade_table(), intensity_table(), method="direct", supply_chains=CHAINS.iloc[1:])


def test_row_order_does_not_matter():
    trade = trade_table()
    a = embodied(trade, intensity_table(), draws=50).table.set_index("exporter")["hi95"]
    b = embodied(trade.iloc[::-1], intensity_table(), draws=50).table.set_index("exporter")["hi95"]
    pd.testing.assert_series_equal(a.sort_index(), b.sort_index())


def test_units_of_trade():
    assert usd_per("USD") == 1
    assert usd_per("million USD") == 1e6
    assert kg_co2_per_usd("kt CO2/million USD") == pytest.approx(1)
    assert tonnes_co2_per("kt CO2") == 1e3
    million = embodied(trade_table(10e3, "million USD"), intensity_table(), draws=0)
    assert million.total("RU", "CN") == pytest.approx(10e6)


FX = pd.DataFrame(
    {"currency": ["RUB", "RUB"], "year": [2011, 2022], "lcu_per_usd": [30.0, 78.1], "n_obs": [250, 42]}
)


def test_trade_in_roubles():
    flows = embodied(trade_table(300.0, "bn RUB"), intensity_table(), fx=FX, draws=0)
    assert flows.total("RU", "CN") == pytest.approx(10e6)


# --- what must always hold -------------------------------------------------------------------

values = st.one_of(st.just(0.0), st.floats(1e-6, 1e3))


@settings(max_examples=40, deadline=None)
@given(values, values, st.floats(0.1, 10), st.sampled_from(["direct", "eebt"]))
def test_properties(out, back, factor, method):
    flows = embodied(trade_table(value=[out, back]), intensity_table(), method=method, draws=20)
    own, theirs = balance(flows), balance(flows, reporter="CN", partner="RU")
    # Who reports only changes the sign.
    np.testing.assert_allclose(own["balance_tco2"], -theirs["balance_tco2"], atol=1e-6)
    np.testing.assert_allclose(own["lo95"], -theirs["hi95"], rtol=1e-9, atol=1e-6)
    assert (own["lo95"] <= own["balance_tco2"] + 1e-6).all()
    assert (own["balance_tco2"] <= own["hi95"] + 1e-6).all()
    more = embodied(
        trade_table(value=[out * factor, back * factor]), intensity_table(), method=method, draws=20
    )
    np.testing.assert_allclose(more.table["value_tco2"], flows.table["value_tco2"] * factor, rtol=1e-9)
    both = [
        embodied(trade_table(value=[out, back]), intensity_table(), method=m, draws=0)
        for m in ("direct", "eebt")
    ]
    assert (both[1].table["value_tco2"] >= both[0].table["value_tco2"]).all()


def test_no_trade_no_emissions():
    table = balance(embodied(trade_table(0.0), intensity_table(), draws=10))
    assert (table[["export_tco2", "import_tco2", "balance_tco2", "lo95", "hi95"]] == 0).all(axis=None)
    assert not table["sign_certain"].any()


def test_zero_trade_needs_no_intensity():
    trade = trade_table(value=[1.0, 0.0], sector=["a", "unknown"])
    assert embodied(trade, intensity_table(), draws=0).total("CN", "RU") == 0


# --- bad input -------------------------------------------------------------------------------


def test_negative_trade():
    with pytest.raises(DataError, match=r"value of CN RU a 2011 is -1.*positive numbers"):
        embodied(trade_table(value=[1.0, -1.0]), intensity_table())


def test_missing_trade_is_not_zero():
    with pytest.raises(DataError, match=r"is missing.*suppressed"):
        embodied(trade_table(value=[1.0, np.nan]), intensity_table())


@pytest.mark.parametrize("unit", ["t", "Mt", "Mt CO2"])
def test_tonnes_of_goods_are_not_money(unit):
    with pytest.raises(UnitsError, match=r"not those of money.*tonnes of goods"):
        embodied(trade_table(unit=unit), intensity_table())


@pytest.mark.parametrize(
    ("unit", "match"),
    [
        ("t", "tonnes of goods are not tonnes of CO2"),
        ("Mt C", "multiply carbon by 44/12"),
        ("km", "not a mass of CO2"),
        ("Mt CO2-eq", "not a mass of CO2"),
    ],
)
def test_tonnes_of_what(unit, match):
    with pytest.raises(UnitsError, match=match):
        tonnes_co2_per(unit)


@pytest.mark.parametrize("unit", ["kg CO2", "kg/USD", "kg CO2/RUB", "kg C/USD"])
def test_intensity_units(unit):
    with pytest.raises(UnitsError):
        embodied(trade_table(), intensity_table(unit=unit))


def test_missing_intensity_names_the_sector():
    with pytest.raises(DataError, match="no total_domestic intensity of CN for the sector 'z'"):
        embodied(trade_table(sector=["a", "z"]), intensity_table())
    with pytest.raises(DataError, match="no direct intensity of RU for the sector 'a'"):
        embodied(trade_table(), intensity_table(direct=[np.nan, 0.1, 0.2, 0.3]), method="direct")


@pytest.mark.parametrize("bad", [0.0, 9e-5, 51.0, 500.0])
def test_intensity_out_of_range(bad):
    with pytest.raises(DataError, match=r"the total_domestic intensity of RU a is .*0.0001 to 50"):
        embodied(trade_table(), intensity_table(total_domestic=[bad, 0.4, 0.8, 0.9]))


def test_total_below_direct():
    with pytest.raises(DataError, match="total intensity of RU a is below the direct one"):
        embodied(trade_table(), intensity_table(direct=[2.0, 0.1, 0.2, 0.3]))


def test_intensities_of_two_years():
    with pytest.raises(DataError, match="year holds 2007, 2011"):
        embodied(trade_table(), intensity_table(year=[2011, 2011, 2007, 2007]))


def test_double_rows():
    trade = pd.concat([trade_table(), trade_table()])
    with pytest.raises(DataError, match=r"RU to CN, a, 2011 stands twice.*never added"):
        embodied(trade, intensity_table())
    with pytest.raises(DataError, match="RU a stands twice"):
        embodied(trade_table(), intensity_table(sector=["a", "a", "a", "b"]))


def test_one_direction_only():
    with pytest.raises(DataError, match="no flow from CN to RU in 2011"):
        balance(embodied(trade_table().head(1), intensity_table()))


def test_bridge_that_does_not_close():
    bridge = pd.DataFrame(
        {
            "exporter": "",
            "from_scheme": "g",
            "from_code": "a",
            "to_scheme": "t",
            "to_code": ["a", "b"],
            "weight": 0.4,
        }
    )
    with pytest.raises(DataError, match=r"weights of 'a' in t sum to 0.8"):
        embodied(trade_table(), intensity_table(), bridge=bridge)
    with pytest.raises(DataError, match="'q' of RU is not in the bridge"):
        embodied(trade_table(sector="q"), intensity_table(), bridge=bridge.assign(weight=0.5))
    with pytest.raises(DataError, match="weight of 'a' in 'a' is 0;"):
        embodied(trade_table(), intensity_table(), bridge=bridge.assign(weight=0.0))


def test_exchange_rates():
    with pytest.raises(DataError, match=r"stands on 42 daily quotes.*200 or more"):
        embodied(trade_table(unit="bn RUB", year=2022), intensity_table(), fx=FX)
    with pytest.raises(DataError, match="no exchange rates are given"):
        embodied(trade_table(unit="bn RUB"), intensity_table())
    with pytest.raises(DataError, match="0 exchange rates of CNY for 2011"):
        embodied(trade_table(unit="bn CNY"), intensity_table(), fx=FX)


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"method": "mrio"}, "unknown method 'mrio'"),
        ({"sector_cv": 20.0}, "0.2 for 20 %"),
        ({"draws": -1}, "-1 draws"),
        ({"price_index": {"a": 0.0}}, "price index of 'a' is 0"),
    ],
)
def test_bad_options(options, match):
    with pytest.raises(UsageError, match=match):
        embodied(trade_table(), intensity_table(), **options)


def test_columns():
    with pytest.raises(DataError, match="columns are missing: unit"):
        embodied(trade_table().drop(columns="unit"), intensity_table())


# --- national totals times shares ------------------------------------------------------------

TOTALS = pd.DataFrame(
    {
        "reporter": "GACC",
        "flow": ["RU_to_CN", "CN_to_RU", "turnover"],
        "year": 2020,
        "vintage": "v",
        "value": [60.0, 40.0, 100.0],
        "unit": "bn USD",
        "price_basis": "CIF",
        "reference": "r",
    }
)
SHARES = pd.DataFrame(
    {
        "exporter": ["RU", "RU", "CN", "RU"],
        "importer": ["CN", "CN", "RU", "CN"],
        "year": [2020, 2020, 2011, 2021],
        "sector": ["a", "b", "a", "a"],
        "share": [0.25, 0.75, 1.0, 1.0],
        "reference": "s",
    }
)


def test_sector_trade():
    trade = sector_trade(TOTALS, SHARES, year=2020)
    assert trade.set_index(["exporter", "sector"])["value"].to_dict() == {
        ("RU", "a"): 15.0,
        ("RU", "b"): 45.0,
        ("CN", "a"): 40.0,
    }
    assert list(trade["trade_basis"].unique()) == [
        "GACC 2020 (CIF), structure of 2020",
        "GACC 2020 (CIF), structure of 2011",
    ]


@pytest.mark.parametrize(
    ("totals", "shares", "year", "error", "match"),
    [
        (TOTALS, SHARES, 2019, UsageError, "0 totals of RU_to_CN by GACC for 2019.*the years 2020"),
        (TOTALS.assign(value=[60, -1, 59]), SHARES, 2020, DataError, "value of CN_to_RU 2020 is -1"),
        (TOTALS.assign(value=[60, 40, 90]), SHARES, 2020, DataError, "GACC in 2020 miss the turnover by -10"),
        (
            pd.concat([TOTALS, TOTALS.assign(vintage="w")]), SHARES, 2020, DataError,
            "2 totals of RU_to_CN by GACC for 2020.*one vintage",
        ),
        (TOTALS, SHARES.assign(share=0.5), 2020, DataError, "shares of CN to RU in 2011 sum to 0.5"),
        (TOTALS, SHARES[SHARES["exporter"] == "RU"], 2020, DataError, "no sector shares of CN to RU"),
    ],
)  # fmt: skip
def test_bad_totals_and_shares(totals, shares, year, error, match):
    with pytest.raises(error, match=match):
        sector_trade(totals, shares, year=year)
