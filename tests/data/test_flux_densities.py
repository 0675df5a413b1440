"""The hand-compiled table of flux densities."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from geotools.catalog.densities import COLUMNS, flux_densities
from geotools.errors import DataError
from geotools.units import conversion
from geotools.vocabulary import Account, Interval, Species

DATA = Path(__file__).resolve().parents[2] / "data"
TABLE = DATA / "published" / "flux_densities.csv"
BOUNDS = ["lo", "hi", "lo95", "hi95"]


@pytest.fixture(scope="module")
def table() -> pd.DataFrame:
    return flux_densities(TABLE)


def test_columns_are_those_the_reader_wants(table):
    assert set(table.columns) == set(COLUMNS)
    raw = pd.read_csv(TABLE, dtype=str, keep_default_na=False)
    assert not raw.map(lambda cell: cell != cell.strip()).any(axis=None)


def test_vocabulary(table):
    assert set(table["species"]) <= {Species.CO2_C.value, Species.CH4_C.value}
    assert set(table["account"]) == {Account.NATURAL.value}
    assert set(table["interval_kind"]) <= set(Interval)
    assert set(table["status"]) <= {"read", "computed", "recalled"}
    assert set(table["area_basis"]) == {"igbp_majority_class"}
    assert set(table["components"]) == {"nee_ecosystem", "crop_harvest"}


def test_no_methane_is_scaled_with_land_cover_classes(table):
    assert not (table["species"] == "CH4-C").any()


def test_each_class_has_one_density_per_term_and_is_a_class_of_the_map(table):
    classes = set(pd.read_csv(DATA / "landcover" / "igbp_classes.csv")["value"])
    for _, rows in table.groupby("term"):
        codes = [int(c) for row in rows["igbp_classes"] for c in row.split("+")]
        assert len(codes) == len(set(codes))
        assert set(codes) <= classes


def test_classes_without_a_density_are_those_the_docs_name(table):
    scaled = {int(c) for row in table["igbp_classes"] for c in row.split("+")}
    assert set(range(17)) - scaled == {0, 11, 13, 15, 16}


def test_every_row_is_cited_and_told(table):
    assert (table["reference"] != "").all()
    assert (table["note"] != "").all()
    given = table.loc[table["doi"] != "", "doi"]
    assert given.map(lambda doi: bool(re.fullmatch(r"10\.\d{4,9}/[^\s,;]+", doi))).all()
    assert ((table["doi"] != "") | (table["status"] == "computed")).all()


def test_intervals_are_wide_judgements_of_low_confidence(table):
    assert (table["interval_kind"] == "expert_range").all()
    assert (table["confidence"] == "low").all()
    assert np.array_equal(table[["lo", "hi"]], table[["lo95", "hi95"]])
    assert (table["lo95"] < table["value"]).all()
    assert (table["value"] < table["hi95"]).all()
    assert table["note"].str.contains("lo95/hi95 by judgement").all()


def test_units_are_a_mass_per_area_and_time(table):
    for unit in table["unit"].unique():
        assert conversion(unit, "kg m-2 s-1")[0] > 0


def test_computed_row_is_the_mean_of_two_others(table):
    nee = table[table["term"] == "net_ecosystem_exchange"].set_index("group")["value"]
    wanted = (nee["closed_conifer_forest"] + nee["broadleaf_forest"]) / 2
    assert nee["mixed_forest"] == pytest.approx(wanted, abs=0.06)


def test_harvest_is_no_more_than_the_field_takes_up(table):
    crops = table[table["group"] == "cropland"].set_index("term")["value"]
    assert 0 < crops["crop_harvest"] < -crops["net_ecosystem_exchange"]


def test_a_table_of_ones_own_must_have_the_columns(tmp_path):
    path = tmp_path / "own.csv"
    path.write_text("group,term,species\nforest,nee,C\n")
    with pytest.raises(DataError, match="columns are missing"):
        flux_densities(path)
