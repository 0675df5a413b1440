"""Frost numbers: known answers, limits, and zones."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from geotools.errors import DataError, UnitsError, UsageError
from geotools.permafrost import (
    frost_number,
    nelson_outcalt_degree_days,
    nelson_outcalt_zone,
    stefan_frost_number,
    surface_frost_number,
)
from geotools.permafrost.frost_number import seasons

SNOW = {"snow_density": 250.0, "conductivity_method": "devaux"}
GROUND = {"thawed_conductivity": 1.0, "frozen_conductivity": 1.8}


@pytest.mark.parametrize(
    ("freezing", "thawing", "expected"), [(5008.05, 1986.20, 0.613586), (5021.8744, 2000.0244, 0.613090)]
)
def test_air_frost_number(freezing, thawing, expected):
    assert frost_number(freezing, thawing) == pytest.approx(expected, abs=1e-6)


def test_limits_of_the_air_frost_number():
    out = frost_number(np.array([0.0, 10.0, 0.0, np.nan]), np.array([10.0, 0.0, 0.0, 1.0]))
    np.testing.assert_array_equal(out, [0.0, 1.0, np.nan, np.nan])


def test_nelson_and_outcalt():
    thawing, freezing = nelson_outcalt_degree_days(10.0, -20.0)
    assert round(thawing, 4) == 927.9938
    assert round(freezing, 4) == 2752.9938
    assert round(frost_number(freezing, thawing), 6) == 0.632675


def test_nelson_and_outcalt_below_snow():
    ratio = np.array(12.767451 / 15.0)
    _, freezing = seasons(np.array(10.0), np.array(-20.0), ratio, 365.0)
    assert float(freezing) == pytest.approx(2508.4437, abs=2e-4)
    assert round(surface_frost_number(10.0, -20.0, 0.3, **SNOW), 6) == 0.621800
    assert round(stefan_frost_number(10.0, -20.0, 0.3, **GROUND, **SNOW), 6) == 0.688065


@pytest.mark.parametrize(
    ("warm", "cold", "thawing", "freezing"),
    [
        (-5.0, -25.0, 0.0, 15 * 365.0),
        (25.0, 5.0, 15 * 365.0, 0.0),
        (0.0, 0.0, 0.0, 0.0),
        (0.0, -20.0, 0.0, 3650.0),
    ],
)
def test_a_year_of_one_season(warm, cold, thawing, freezing):
    assert nelson_outcalt_degree_days(warm, cold) == pytest.approx((thawing, freezing), abs=1e-4)


@pytest.mark.parametrize(
    ("warm", "cold", "number"), [(-5.0, -25.0, 1.0), (25.0, 5.0, 0.0), (0.0, 0.0, np.nan)]
)
def test_a_year_of_one_season_has_the_frost_number_of_it(warm, cold, number):
    thawing, freezing = nelson_outcalt_degree_days(warm, cold)
    np.testing.assert_array_equal(frost_number(freezing, thawing), number)
    np.testing.assert_array_equal(surface_frost_number(warm, cold, 0.0, **SNOW), number)
    np.testing.assert_array_equal(stefan_frost_number(warm, cold, 0.0, **GROUND, **SNOW), number)


def test_the_seasons_of_nelson_and_outcalt():
    # beta 1.230959: a summer of 143.0167 d at 6.488710 degC, a winter of the rest at -12.401806 degC.
    thawing, freezing = nelson_outcalt_degree_days(10.0, -20.0)
    summer = 365.0 * 1.230959 / np.pi
    assert summer == pytest.approx(143.0167, abs=1e-4)
    assert thawing / summer == pytest.approx(6.488710, abs=1e-5)
    assert freezing / (365.0 - summer) == pytest.approx(12.401806, abs=1e-5)


@given(st.floats(-40, 30), st.floats(0, 60))
def test_the_degree_days_close_the_year(mean, half):
    warm, cold = mean + half / 2, mean - half / 2
    thawing, freezing = nelson_outcalt_degree_days(warm, cold)
    assert thawing - freezing == pytest.approx(365 * mean, abs=1e-6)


@given(st.floats(0, 2), st.floats(0, 1))
def test_more_snow_never_raises_the_surface_frost_number(depth, more):
    thin = surface_frost_number(18.0, -38.0, depth, **SNOW)
    assert surface_frost_number(18.0, -38.0, depth + more, **SNOW) <= thin + 1e-12


def test_no_snow_is_the_air():
    bare = surface_frost_number(10.0, -20.0, 0.0, **SNOW)
    assert round(bare, 6) == 0.632675


@pytest.mark.parametrize(
    ("number", "zone"),
    [(0.3, 0), (0.5, 1), (0.59, 1), (0.6, 2), (0.632675, 2), (0.666, 3), (1.0, 3), (np.nan, -1)],
)
def test_zones(number, zone):
    assert nelson_outcalt_zone(number) == zone


@pytest.mark.parametrize(
    ("call", "error", "text"),
    [
        (lambda: frost_number(-1.0, 10.0), DataError, "freezing degree-days too"),
        (lambda: nelson_outcalt_degree_days(-20.0, 10.0), DataError, "the warmer one first"),
        (lambda: nelson_outcalt_degree_days(283.0, 253.0), UnitsError, "subtract 273.15"),
        (lambda: surface_frost_number(10.0, -20.0, -0.1, **SNOW), DataError, "snow_depth"),
        (
            lambda: surface_frost_number(10.0, -20.0, 0.1, **{**SNOW, "snow_density": 0.25}),
            UnitsError,
            "1000",
        ),
        (
            lambda: surface_frost_number(10.0, -20.0, 0.1, snow_density=250.0, conductivity_method="sturm"),
            UsageError,
            "'sturm' is not known.*sturm1997",
        ),
        (
            lambda: stefan_frost_number(10.0, -20.0, 0.1, **{**GROUND, "thawed_conductivity": 0.0}, **SNOW),
            DataError,
            "thawed_conductivity",
        ),
        (lambda: nelson_outcalt_zone(62.0), DataError, "divide percentages by 100"),
    ],
)
def test_what_cannot_be_is_refused(call, error, text):
    with pytest.raises(error, match=text):
        call()
