"""The hand-compiled table of published basin numbers."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from geotools.units import conversion
from geotools.vocabulary import Account, Interval, Species

TABLE = Path(__file__).resolve().parents[2] / "data" / "published" / "basin_numbers.csv"
COLUMNS = [
    *("zone", "term", "species", "account", "components", "period_start", "period_end"),
    *("depth_top_m", "depth_bottom_m", "value", "lo", "hi", "interval_kind", "lo95", "hi95"),
    *("unit", "confidence", "site", "reference", "doi", "status", "note"),
]
BOUNDS = ["lo", "hi", "lo95", "hi95"]
NUMBERS = ["period_start", "period_end", "depth_top_m", "depth_bottom_m", "value", *BOUNDS]
UNIT_OF = {
    "drainage_area": "km2",
    "discharge": "km3 yr-1",
    "doc_export": "Tg yr-1",
    "dic_export": "Tg yr-1",
    "poc_export": "Tg yr-1",
    "toc_export": "Tg yr-1",
    "inland_water_evasion": "Tg yr-1",
    "fire_emission": "Tg yr-1",
    "mean_annual_ground_temperature": "degC",
    "active_layer_thickness": "m",
    "permafrost_fraction_continuous": "1",
    "permafrost_fraction_total": "1",
}
FLUXES = {term for term, unit in UNIT_OF.items() if unit == "Tg yr-1"}
EXPORTS = {"doc_export": "doc", "dic_export": "dic", "poc_export": "poc", "toc_export": "doc+poc"}
COMPONENTS = {"doc", "dic", "poc", "river_evasion", "fire"}


@pytest.fixture(scope="module")
def raw() -> pd.DataFrame:
    return pd.read_csv(TABLE, dtype=str, keep_default_na=False)


@pytest.fixture(scope="module")
def table(raw: pd.DataFrame) -> pd.DataFrame:
    numeric = {name: pd.to_numeric(raw[name].replace("", np.nan)) for name in NUMBERS}
    return raw.assign(**numeric)


def pick(table: pd.DataFrame, **wanted: str) -> pd.DataFrame:
    rows = np.logical_and.reduce([table[name] == value for name, value in wanted.items()])
    return table[rows]


def test_columns(raw):
    assert list(raw.columns) == COLUMNS
    assert len(raw) > 30
    assert not raw.map(lambda cell: cell != cell.strip()).any(axis=None)


@pytest.mark.parametrize(
    ("column", "allowed"),
    [
        ("zone", {"lena", "amur", "amur_with_kherlen"}),
        ("term", set(UNIT_OF)),
        ("species", {"C", "CO2-C", "CH4-C", ""}),
        ("account", {"natural", "lateral", "memo", ""}),
        ("interval_kind", {"ci95", "range", "sd", "se", "expert_range", "none"}),
        ("confidence", {"high", "medium", "low"}),
        ("status", {"read", "computed", "recalled"}),
    ],
)
def test_allowed_values(raw, column, allowed):
    assert set(raw[column]) <= allowed


def test_vocabulary_is_the_package_s(raw):
    assert set(raw["account"]) - {""} <= set(Account)
    assert set(raw["species"]) <= set(Species)
    assert set(raw["interval_kind"]) <= set(Interval)


def test_key_is_unique(raw):
    key = ["zone", "term", "site", "reference", "period_start", "period_end"]
    assert not raw.duplicated(key).any()


def test_every_term_has_its_unit_and_one_row_at_least(raw):
    assert (raw["unit"] == raw["term"].map(UNIT_OF)).all()
    assert set(raw["term"]) == set(UNIT_OF)


def test_every_row_has_value_reference_and_note(table):
    assert table["value"].notna().all()
    assert (table["reference"] != "").all()
    assert (table["note"] != "").all()


def test_doi_syntax(raw):
    given = raw.loc[raw["doi"] != "", "doi"]
    assert given.map(lambda doi: bool(re.fullmatch(r"10\.\d{4,9}/[^\s,;]+", doi))).all()
    assert raw.loc[given.index].groupby("doi")["reference"].nunique().eq(1).all()


def test_periods_and_depths_are_ordered_pairs(table):
    for first, last in (("period_start", "period_end"), ("depth_top_m", "depth_bottom_m")):
        assert (table[first].isna() == table[last].isna()).all()
        both = table[table[first].notna()]
        assert (both[first] <= both[last]).all()
    years = table[["period_start", "period_end"]].to_numpy()
    assert ((years >= 1900) & (years <= 2030) | np.isnan(years)).all()


def test_intervals(table):
    none = table["interval_kind"] == "none"
    assert table.loc[none, BOUNDS].isna().all(axis=None)
    given = table[~none]
    assert given[BOUNDS].notna().all(axis=None)
    assert (given["lo95"] <= given["value"]).all()
    assert (given["value"] <= given["hi95"]).all()
    assert (given["lo"] <= given["value"]).all()
    assert (given["value"] <= given["hi"]).all()
    # A literature range is taken as it stands, and the row says what was done.
    kept = given[given["interval_kind"].isin(["range", "expert_range", "ci95"])]
    assert np.array_equal(kept[["lo", "hi"]], kept[["lo95", "hi95"]])
    assert kept["note"].str.contains("lo95/hi95").all()
    # One sd or one se either side becomes 1.96 of them (within the rounding of the table).
    spread = given[given["interval_kind"].isin(["sd", "se"])]
    for side, side95 in (("lo", "lo95"), ("hi", "hi95")):
        wanted = spread["value"] + 1.96 * (spread[side] - spread["value"])
        tolerance = np.where(spread["unit"] == "m", 2e-3, 0.11)
        assert (np.abs(spread[side95] - wanted) <= tolerance).all()


def test_an_expert_range_or_a_remembered_interval_is_of_low_confidence(table):
    assert (table.loc[table["interval_kind"] == "expert_range", "confidence"] == "low").all()
    assert not ((table["status"] == "recalled") & (table["confidence"] == "high")).any()


def test_carbon_fluxes_and_only_they_carry_species_account_and_components(raw):
    flux = raw["term"].isin(FLUXES)
    for column in ("species", "account", "components"):
        assert ((raw[column] != "") == flux).all()
    tags = raw.loc[flux, "components"].str.split("+").explode()
    assert set(tags) <= COMPONENTS


def test_accounts_follow_the_sign_convention(table):
    exports = table[table["term"].isin(EXPORTS)]
    assert (exports["account"] == "lateral").all()
    assert (exports["species"] == "C").all()
    assert (exports["components"] == exports["term"].map(EXPORTS)).all()
    evasion = pick(table, term="inland_water_evasion")
    assert set(evasion["account"]) == {"natural"}
    assert set(evasion["species"]) == {"CO2-C"}
    fluxes = table[table["term"].isin(FLUXES)]
    assert (fluxes["value"] > 0).all()


def test_fire_of_another_area_is_memo_only(table):
    fire = pick(table, term="fire_emission")
    elsewhere = fire["site"] != ""
    assert ((fire["account"] == "memo") == elsewhere).all()
    assert pick(fire, zone="lena")["account"].eq("memo").all()


def test_site_values_say_that_they_are_not_basin_values(table):
    local = ["mean_annual_ground_temperature", "active_layer_thickness"]
    rows = table[table["term"].isin(local)]
    assert (rows["site"] != "").all()
    assert rows["note"].str.contains("not a basin mean").all()
    gauges = table[table["site"].str.contains("gauge")]
    assert gauges["note"].str.contains("not the mouth|not the whole basin").all()


def test_computed_rows_tell_how(table):
    notes = table.loc[table["status"] == "computed", "note"]
    assert notes.str.contains(" x | = |Mean of|[Bb]y equal-area|^Equal-area|By elimination").all()


def test_plausible_magnitudes(table):
    area = pick(table, term="drainage_area")
    assert pick(area, zone="lena")["value"].between(2.4e6, 2.5e6).all()
    assert pick(area, zone="amur")["value"].between(1.8e6, 1.9e6).all()
    assert pick(area, zone="amur_with_kherlen")["value"].between(2.05e6, 2.25e6).all()
    discharge = pick(table, term="discharge")
    assert pick(discharge, zone="lena")["value"].between(500, 620).all()
    assert pick(discharge, zone="amur")["value"].between(300, 400).all()
    assert pick(table, term="mean_annual_ground_temperature")["value"].between(-12, 0).all()
    assert pick(table, term="active_layer_thickness")["value"].between(0.2, 2.5).all()
    fractions = table[table["unit"] == "1"]
    shares = fractions[["value", *BOUNDS]].to_numpy()
    assert ((shares >= 0) & (shares <= 1) | np.isnan(shares)).all()


def test_total_permafrost_is_no_less_than_continuous_of_the_same_map(table):
    for zone in ("lena", "amur_with_kherlen"):
        reference = pick(table, zone=zone, term="permafrost_fraction_total")["reference"].item()
        same = pick(table, zone=zone, reference=reference).set_index("term")["value"]
        assert same["permafrost_fraction_continuous"] < same["permafrost_fraction_total"]


def test_mean_doc_concentration_and_yield_of_the_lena_are_known(table):
    holmes = pick(
        table,
        zone="lena",
        reference=pick(table, doi="10.1007/s12237-011-9386-6")["reference"].iloc[0],
    )
    load = pick(holmes, term="doc_export")
    water = pick(holmes, term="discharge")
    gauged = pick(holmes, term="drainage_area", site="Kyusyur (gauge)")
    to_mg_per_l, offset = conversion("Tg km-3", "mg L-1")
    assert offset == 0
    assert to_mg_per_l == pytest.approx(1000.0)
    concentration = load["value"].item() / water["value"].item() * to_mg_per_l
    assert concentration == pytest.approx(9.78, abs=0.005)
    to_g_per_m2, _ = conversion("Tg km-2 yr-1", "g m-2 yr-1")
    assert load["value"].item() / gauged["value"].item() * to_g_per_m2 == pytest.approx(2.34, abs=0.005)


def test_known_conversions_of_the_computed_rows(table):
    # Alkalinity as DIC: umol/L x km3/yr x g/mol = 1e-6 x 1e12 L x g = 1e-6 Tg.
    dic = pick(table, zone="lena", term="dic_export", status="computed")["value"].item()
    assert dic == pytest.approx(953 * 531 * 12.011e-6, abs=0.005)
    # End member and load of the Amur imply a discharge near the gauged one.
    doc = pick(table, zone="amur", term="doc_export")["value"].item()
    assert 280 < doc / (690e-6 * 12.011) < 330
    # Summer loads of the Amur, every day of a year, bound the row from above.
    toc = pick(table, zone="amur", term="toc_export")
    assert toc["value"].item() < 9168 * 365e-6 < 11029 * 365e-6
    assert toc["hi95"].item() == pytest.approx(11029 * 365e-6, abs=0.03)
    # The three country areas of the UNECE add up to its total.
    unece = pick(table, zone="amur_with_kherlen", term="drainage_area", confidence="high")
    assert unece["value"].item() == 902_300 + 195_263 + 1_003_000
    # All burning of the Amur, and the part that is not crop residue.
    carbon = 153.57 * 12.011 / 44.009 + 6.16 * 12.011 / 28.010 + 0.21 * 12.011 / 16.043
    assert carbon == pytest.approx(44.71, abs=0.005)
    fire = pick(table, zone="amur_with_kherlen", term="fire_emission")["value"].item()
    assert fire == pytest.approx(carbon * (87.18 + 56.53) / 153.57, abs=0.05)
    sakha = pick(table, zone="lena", term="fire_emission").set_index("period_start")["value"]
    assert sakha[2019] == pytest.approx(208 * 12.011 / 44.009, abs=0.05)
    assert sakha[2020] == pytest.approx(395 * 12.011 / 44.009, abs=0.05)


def test_permafrost_fraction_is_extent_times_cover(table):
    extents = {
        "lena": (0.7964, 0.1143, 0.0621, 0.0265),
        "amur_with_kherlen": (0.0524, 0.1222, 0.1193, 0.2945),
    }
    cover = {
        "lo": (0.9, 0.5, 0.1, 0.0),
        "value": (0.95, 0.7, 0.3, 0.05),
        "hi": (1.0, 0.9, 0.5, 0.1),
    }
    for zone, extent in extents.items():
        row = pick(table, zone=zone, term="permafrost_fraction_total").iloc[0]
        for column, share in cover.items():
            assert row[column] == pytest.approx(np.dot(extent, share), abs=1e-3)


def test_samoylov_mean_is_of_the_ten_annual_values(table):
    site = pick(table, term="mean_annual_ground_temperature", site="Samoylov Island")
    annual = [-8.6, -8.4, -8.4, -8.2, -8.1, -7.9, -7.7, -7.4, -7.2, -7.1]
    decade = site[site["period_start"] == 2011]
    assert decade["value"].item() == pytest.approx(np.mean(annual))


def test_the_amur_has_no_row_that_nobody_published(table):
    amur = table[table["zone"].str.startswith("amur")]
    assert not set(amur["term"]) & {"dic_export", "poc_export", "inland_water_evasion"}
    assert (amur.loc[amur["term"].isin(EXPORTS), "confidence"] == "low").all()
