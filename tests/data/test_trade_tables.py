"""The hand-compiled trade tables: they close, agree with their sources, and give the balance that the docs state."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from geotools.catalog import open_catalog, trade_tables
from geotools.errors import DataError, UsageError
from geotools.trade import (
    METHODS,
    balance,
    check_bridge,
    check_intensities,
    check_totals,
    embodied,
    embodied_flows,
    latest_year,
    regional_shares,
    sector_trade,
    trade_anchored_shares,
    usd_per,
)

READERS = {
    "trade_national": trade_tables.national_trade,
    "trade_sector_shares": trade_tables.sector_shares,
    "trade_intensities": trade_tables.sector_intensities,
    "trade_supply_chains": trade_tables.supply_chains,
    "sector_bridge": lambda path: trade_tables.sector_bridge(path=path),
    "fx": trade_tables.exchange_rates,
    "regional_emissions": trade_tables.regional_emissions,
    "regional_anchors": trade_tables.regional_anchors,
}
STATUS = {"read", "computed", "recalled"}

# kg CO2/USD, direct and total, as printed where the intensities were first worked out.
PRINTED = {
    "RU": {
        "c1": (0.31, 0.75), "c2": (0.30, 0.83), "c4": (0.07, 0.56), "c6": (0.27, 0.91), "c7": (0.50, 1.21),
        "c8": (0.28, 1.14), "c9": (0.67, 1.76), "c10": (0.05, 1.01), "c11": (1.47, 2.57), "c12": (2.35, 3.74),
        "c13": (0.11, 1.25), "c14": (0.07, 1.28), "c15": (0.11, 0.94), "c17": (3.77, 4.64),
    },
    "CN": {
        "c1": (0.07, 0.38), "c2": (0.29, 1.36), "c4": (0.05, 0.72), "c6": (0.04, 0.75), "c7": (0.15, 0.98),
        "c8": (0.37, 1.07), "c9": (0.25, 1.40), "c10": (0.03, 1.02), "c11": (2.10, 3.62), "c12": (0.86, 2.31),
        "c13": (0.07, 1.21), "c14": (0.01, 0.92), "c15": (0.03, 0.95), "c17": (5.12, 7.77),
    },
}  # fmt: skip
# Mt CO2, as printed by the source or worked out from it.
KNOWN_EMISSIONS = {
    ("RU", 2005): 1462.6, ("RU", 2010): 1498.4, ("RU", 2019): 1549.5, ("RU-SA", 2005): 16.38,
    ("RU-SA", 2013): 14.03, ("RU-SA", 2019): 17.67, ("RU-AMU", 2019): 10.39, ("RU-KHA", 2019): 13.78,
    ("RU-PRI", 2017): 19.86, ("RU-YEV", 2019): 0.67, ("RU-IRK", 2010): 34.19, ("RU-ZAB", 2019): 12.59,
    ("RU-BU", 2019): 12.05, ("RU-KYA", 2013): 60.55, ("CN", 2005): 5398.3, ("CN", 2019): 9794.8,
    ("CN-HL", 2005): 158.1, ("CN-HL", 2019): 278.2, ("CN-JL", 2015): 208.3, ("CN-NM", 2010): 490.6,
    ("CN-LN", 2019): 533.4,
}  # fmt: skip


def test_every_table_is_in_the_catalogue():
    catalog = open_catalog()
    assert set(trade_tables.TRADE_TABLES) == set(READERS)
    for name, read in READERS.items():
        entry = catalog[name]
        assert entry.citation
        assert entry.label
        frame = read(entry.path)
        assert set(frame["status"]) <= STATUS
        source = next(c for c in ("reference", "source") if c in frame)
        assert (frame[source] != "").all()
        assert len(catalog.open(name)) == len(frame)


def test_totals_close():
    totals = trade_tables.national_trade()
    check_totals(totals)
    assert latest_year(totals) == 2020
    with pytest.raises(DataError, match="'FCS' gives no year with both flows"):
        latest_year(totals, reporter="FCS")
    flows = totals[(totals["reporter"] == "GACC") & (totals["year"] == 2020)].set_index("flow")["value"]
    assert flows.to_dict() == {"CN_to_RU": 50.58, "RU_to_CN": 57.18, "turnover": 107.76}
    # Two vintages of 2015 stand side by side.
    assert list(totals[totals["year"] == 2015]["value"]) == [64.2, 68.0]


def test_shares_and_bridge_close():
    shares = trade_tables.sector_shares()
    sums = shares.groupby(["exporter", "importer", "year"])["share"].sum()
    np.testing.assert_allclose(sums, 1, atol=1e-6)
    bridge = trade_tables.sector_bridge()
    check_bridge(bridge)
    groups = set(shares["sector"])
    for exporter in ("RU", "CN"):
        own = bridge[(bridge["exporter"] == exporter) & (bridge["from_scheme"] == "fcs_group")]
        assert set(own["from_code"]) == groups
    assert set(trade_tables.sector_bridge("hs_sector", "fcs_group")["to_code"]) <= groups
    with pytest.raises(UsageError, match="unknown from scheme of sectors 'hs'"):
        trade_tables.sector_bridge("hs")


def test_intensities_are_those_that_were_printed():
    table = check_intensities(trade_tables.sector_intensities()).set_index(["country", "sector"])
    for country, sectors in PRINTED.items():
        for sector, (direct, total) in sectors.items():
            found = table.loc[(country, sector)]
            assert (found["direct"], found["total_domestic"]) == pytest.approx((direct, total), abs=0.006)
    assert len(table) == 67


def test_supply_chains_close_and_hold_the_direct_emissions():
    chains = trade_tables.supply_chains()
    sums = chains.groupby(["country", "sector"])["share"].sum()
    np.testing.assert_allclose(sums, 1, atol=1e-3)
    table = trade_tables.sector_intensities().set_index(["country", "sector"])
    own = chains[chains["sector"] == chains["emitting_sector"]].set_index(["country", "sector"])["share"]
    # What a sector emits for itself is its direct intensity and what comes back to it through others.
    direct = (table["direct"] / table["total_domestic"]).reindex(own.index)
    assert (own >= direct - 1e-3).all()


def test_derived_figures_come_from_the_tables(shared):
    """The carried figures of 2011 are those of the real table."""
    from geotools.trade import InputOutput

    folder = shared / "trade"
    Z, Y, x = (pd.read_csv(folder / f"wiod2011_3reg_{name}.csv", index_col=0) for name in "ZYx")
    F = pd.read_csv(folder / "wiod2011_RUS_CHN_F_mtco2.csv", index_col=0)["mt_co2"].reindex(x.index)
    labels = [str(label).partition("_") for label in x.index]
    table = InputOutput(
        Z, Y, x["x"], F, region=[r for r, _, _ in labels], sector=[s for _, _, s in labels], tolerance=5e-3
    )
    carried = trade_tables.sector_intensities().set_index(["country", "sector"])
    for code, name in (("RU", "RUS"), ("CN", "CHN")):
        direct, total = table.domestic(name)
        for i, sector in enumerate(f"c{k}" for k in range(1, 36)):
            if (code, sector) in carried.index:
                row = carried.loc[(code, sector)]
                assert row["total_domestic"] * 1e-3 == pytest.approx(total[i], rel=1e-5)
                assert np.nan_to_num(row["direct"]) * 1e-3 == pytest.approx(direct[i], rel=1e-5, abs=1e-7)
    # Goods of 2011: totals, shares and bridge together give the flows of the goods sectors.
    trade = sector_trade(
        trade_tables.national_trade(), trade_tables.sector_shares(), year=2011, reporter="WIOD"
    )
    for method in METHODS:
        flows = _flows(trade, method, draws=0)
        for (a, b), (c, d) in ((("RUS", "CHN"), ("RU", "CN")), (("CHN", "RUS"), ("CN", "RU"))):
            goods = embodied_flows(table, a, b)[method][:17].sum()
            assert flows.total(c, d) / 1e6 == pytest.approx(goods, rel=1e-4)


def test_exchange_rates():
    rates = trade_tables.exchange_rates()
    assert usd_per("bn RUB", year=2018, fx=rates) == pytest.approx(1e9 / 62.81, rel=1e-3)
    assert usd_per("bn CNY", year=2011, fx=rates) == pytest.approx(1e9 / 6.462, rel=1e-3)
    with pytest.raises(DataError, match="mean of RUB for 2022 stands on 42 daily quotes"):
        usd_per("bn RUB", year=2022, fx=rates)


def test_regional_emissions():
    table = trade_tables.regional_emissions()
    values = table.set_index(["region", "year"])["value"]
    for key, known in KNOWN_EMISSIONS.items():
        assert values[key] == pytest.approx(known, abs=0.051 if known > 100 else 0.0051), key
    for country in ("RU", "CN"):
        for _, year in table[table["country"] == country].groupby("year"):
            nation = year.loc[year["role"] == "nation", "value"].iloc[0]
            assert year.loc[year["role"] != "nation", "value"].sum() == pytest.approx(nation, abs=1e-6)
        shares = regional_shares(table, country=country, year=2020)
        assert shares["share"].sum() == pytest.approx(1, abs=1e-12)
    assert len(trade_tables.regional_emissions(regions=["RU-SA", "RU-_X"])) == 16
    with pytest.raises(UsageError, match="unknown region of the emission table 'RU-KAM'"):
        trade_tables.regional_emissions(regions=["RU-KAM"])


def test_heilongjiang_by_proxy_and_by_customs():
    """The share by CO2 is a ninth of what customs clear in the province, hence the anchor."""
    table, anchors = trade_tables.regional_emissions(), trade_tables.regional_anchors()
    by_co2 = regional_shares(table, country="CN", year=2020)
    anchored = trade_anchored_shares(by_co2, anchors, year=2020, fx=trade_tables.exchange_rates())
    found = [f.set_index("region").loc["CN-HL", "share"] for f in (by_co2, anchored)]
    assert found == pytest.approx([0.0284, 0.2435], abs=1e-4)
    assert anchored["share"].sum() == pytest.approx(1, abs=1e-12)


def test_balance_of_2020():
    """The default year, as docs/trade.md states it."""
    trade = sector_trade(trade_tables.national_trade(), trade_tables.sector_shares(), year=2020)
    totals = {}
    for method in METHODS:
        table = balance(_flows(trade, method, draws=4000)).set_index("sector")
        totals[method] = table.loc["total"]
    direct, eebt = totals["direct"], totals["eebt"]
    assert (direct[["export_tco2", "import_tco2"]] / 1e6).to_list() == pytest.approx([24.4, 4.9], abs=0.06)
    assert (eebt[["export_tco2", "import_tco2"]] / 1e6).to_list() == pytest.approx([62.4, 45.3], abs=0.06)
    assert direct["sign_certain"]
    assert not eebt["sign_certain"]


# --- the step --------------------------------------------------------------------------------


def _settings(**changes):
    base = {
        "year": None, "reporter": "GACC", "methods": ["direct", "eebt"], "sector_cv": 0.2, "national_cv": 0.04,
        "vintage_cv_per_year": 0.03, "price_index": {}, "regional_proxy": "trade_anchor", "proxy_cv": 0.5,
    }  # fmt: skip
    return SimpleNamespace(**(base | changes))


def _context(out, draws=100, **changes):
    recipe = SimpleNamespace(trade=_settings(**changes), uncertainty=SimpleNamespace(draws=draws, seed=1))
    return SimpleNamespace(recipe=recipe, out=out, catalog=open_catalog())


def test_step(tmp_path):
    from geotools.recipe.steps import trade as step

    table = step.compute(_context(tmp_path))
    assert list(table)[:12] == [
        "region", "partner", "sector", "year", "account", "export_tco2", "import_tco2", "balance_tco2", "lo95",
        "hi95", "sign_certain", "basis",
    ]  # fmt: skip
    assert set(table["year"]) == {2020}
    assert set(table["account"]) == {"embodied_direct", "embodied_eebt"}
    assert {"RU", "CN", "RU-SA", "CN-HL", "RU-_X", "CN-_X"} <= set(table["region"])
    assert not table.duplicated(["region", "partner", "sector", "year", "account"]).any()
    assert table["sign_certain"].dtype == bool
    regional = table["tier"] == "proxied"
    assert (regional == table["region"].str.contains("-")).all()
    assert table[regional]["basis"].str.startswith("proxy:").all()
    assert not table[~regional]["basis"].str.contains("proxy").any()
    again = step.compute(_context(tmp_path))
    pd.testing.assert_frame_equal(again, step.compute(_context(tmp_path)))
    # Regions sum to their nation in every sector and account, before the figures are rounded for the file.
    keys = ["partner", "sector", "account"]
    columns = ["export_tco2", "import_tco2", "balance_tco2"]
    nation = again[again["tier"] == "scaled"].groupby(keys)[columns].sum()
    regions = again[again["tier"] == "proxied"].groupby(keys)[columns].sum()
    pd.testing.assert_frame_equal(nation, regions, rtol=1e-9)
    # What Russia exports, China imports.
    totals = again[(again["sector"] == "total") & (again["account"] == "embodied_eebt")].set_index("region")
    assert totals.loc["RU", "export_tco2"] == pytest.approx(totals.loc["CN", "import_tco2"])
    assert totals.loc["RU", "lo95"] == pytest.approx(-totals.loc["CN", "hi95"])


def test_step_settings(tmp_path):
    from geotools.recipe.steps import trade as step

    chosen = step.compute(_context(tmp_path, 0, regional_proxy="co2_share", year=2018, methods=["eebt"]))
    assert set(chosen["year"]) == {2018}
    assert chosen["lo95"].isna().all()
    assert not chosen["sign_certain"].any()
    assert not chosen["basis"].str.contains("regional_trade_anchor").any()
    with pytest.raises(UsageError, match="unknown regional proxy 'gdp'"):
        step.compute(_context(tmp_path, regional_proxy="gdp"))
    with pytest.raises(
        UsageError, match=r"0 totals of RU_to_CN by GACC for 2021.*2016, 2017, 2018, 2019, 2020"
    ):
        step.compute(_context(tmp_path, year=2021))


def _flows(trade, method, *, draws):
    return embodied(
        trade,
        trade_tables.sector_intensities(),
        method=method,
        bridge=trade_tables.sector_bridge("fcs_group", "wiod35"),
        supply_chains=trade_tables.supply_chains(),
        draws=draws,
    )
