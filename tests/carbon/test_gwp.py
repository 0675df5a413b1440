"""Molar masses and global warming potentials."""

import dataclasses
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import geotools.carbon
from geotools.carbon import gwp, to_species
from geotools.errors import UsageError

CARBON = ["C", "CO2-C", "CH4-C", "CO2", "CH4"]


def test_known_methane_of_the_permafrost_region():
    assert to_species(38.0, "CH4-C", "CH4") == pytest.approx(50.7563, abs=5e-5)
    assert gwp().co2_equivalent(38.0, "CH4-C", fossil=False) == pytest.approx(1370.42, abs=5e-3)
    assert gwp().co2_equivalent(38.0, "CH4-C", fossil=False, target="C") == pytest.approx(374.017, abs=5e-4)
    assert gwp(horizon=20).co2_equivalent(38.0, "CH4-C", fossil=False) == pytest.approx(4045.28, abs=5e-3)


def test_known_nitrous_oxide():
    assert to_species(0.6, "N2O-N", "N2O") == pytest.approx(0.942664, abs=5e-7)
    assert gwp().co2_equivalent(0.6, "N2O-N") == pytest.approx(257.347, abs=5e-4)


@pytest.mark.parametrize(
    ("report", "horizon", "fossil", "other", "n2o"),
    [("AR6", 100, 29.8, 27.0, 273), ("AR6", 20, 82.5, 79.7, 273), ("AR5", 100, 30, 28, 265), ("AR5", 20, 85, 84, 264),
     ("AR4", 100, 25, 25, 298), ("AR4", 20, 72, 72, 289)],
)  # fmt: skip
def test_sets_name_their_table(report, horizon, fossil, other, n2o):
    held = gwp(report=report, horizon=horizon)
    assert (held.ch4_fossil, held.ch4_non_fossil, held.n2o) == (fossil, other, n2o)
    assert report in held.table
    assert f"GWP{horizon}" in held.name
    assert math.isnan(held.ch4_uncertainty) == (report != "AR6")


def test_the_default_set_is_ar6_over_100_years_with_its_uncertainty():
    assert (gwp().name, gwp().ch4_uncertainty, gwp().n2o_uncertainty) == (
        "GWP100, AR6 WG1 Table 7.15",
        11.0,
        130.0,
    )
    with pytest.raises(dataclasses.FrozenInstanceError):
        gwp().n2o = 1.0


def test_the_function_is_what_the_package_offers():
    assert callable(geotools.carbon.gwp)


@pytest.mark.parametrize(("report", "horizon"), [("AR6", 500), ("SAR", 100), ("", 100), ("ar6", 100)])
def test_unnamed_sets_are_refused(report, horizon):
    with pytest.raises(
        UsageError, match=r"no set of global warming potentials.*one of AR6/100.*plain 'GWP' has no value"
    ):
        gwp(report=report, horizon=horizon)


def test_methane_needs_its_origin_and_carbon_its_gas():
    with pytest.raises(UsageError, match=r"methane without its origin.*fossil=False for wetlands"):
        gwp().co2_equivalent(1.0, "CH4")
    with pytest.raises(UsageError, match="'C' is not a greenhouse gas"):
        gwp().co2_equivalent(1.0, "C", fossil=False)
    with pytest.raises(UsageError, match="is no equivalent"):
        gwp().co2_equivalent(1.0, "CO2", target="CH4")


@pytest.mark.parametrize(("source", "target"), [("C", "N2O"), ("N2O-N", "CO2"), ("H2O", "C"), ("", "C")])
def test_other_elements_are_refused(source, target):
    with pytest.raises(UsageError, match=r"cannot be converted.*same element"):
        to_species(1.0, source, target)


def test_equivalents_are_no_molar_mass():
    with pytest.raises(UsageError, match=r"'CO2-eq' by molar mass.*gwp\(report"):
        to_species(1.0, "CH4", "CO2-eq")


def test_carbon_dioxide_is_its_own_equivalent():
    assert gwp().co2_equivalent(12.011, "CO2-C") == pytest.approx(44.009)


@given(st.floats(-1e6, 1e6), st.sampled_from(CARBON), st.sampled_from(CARBON))
def test_there_and_back(value, source, target):
    assert to_species(to_species(value, source, target), target, source) == pytest.approx(value, rel=1e-12)


def test_arrays_are_converted_as_a_whole():
    np.testing.assert_allclose(to_species(np.array([0.0, 12.011]), "C", "CO2"), [0.0, 44.009])
