"""Snow conductivity, damping and freezing n-factors."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from geotools.errors import DataError, UnitsError, UsageError
from geotools.permafrost import (
    freezing_n_factor,
    gisnas_freezing_n_factor,
    kudryavtsev_snow_offset,
    snow_damping,
    snow_thermal_conductivity,
)

YAKUTSK = (5021.9, 19.3, -37.2)


@pytest.mark.parametrize(
    ("method", "at200", "at300"),
    [
        ("sturm1997", 0.06532, 0.12597),
        ("devaux", 0.11600, 0.26100),
        ("yen1981", 0.10703, 0.22984),
        ("calonne2011", 0.0994, 0.2121),
    ],
)
def test_conductivity(method, at200, at300):
    np.testing.assert_array_equal(
        snow_thermal_conductivity(np.array([200.0, 300.0]), method=method).round(5), [at200, at300]
    )


def test_light_snow_has_its_own_line():
    assert snow_thermal_conductivity(100.0, method="sturm1997") == pytest.approx(0.0464)


def test_damping_of_the_known_answer():
    ratio = snow_damping(0.3, snow_density=250.0, conductivity_method="devaux", period_days=365.0)
    assert round(15.0 * ratio, 6) == 12.767451


def test_kudryavtsev():
    snow = {"snow_density": 250.0, "conductivity_method": "sturm1997", "heat_capacity": 2090.0}
    offset = kudryavtsev_snow_offset(20.0, 0.2, **snow)
    assert round(offset, 4) == 2.8571
    assert round(20.0 - 2 / np.pi * offset, 4) == 18.1811


@pytest.mark.parametrize("method", ["kudryavtsev", "nelson_outcalt"])
def test_no_snow_damps_nothing(method):
    assert freezing_n_factor(*YAKUTSK, 0.0, snow_density=194.0, method=method) == 1.0


def test_the_factor_gives_the_warming_of_kudryavtsev():
    factor = freezing_n_factor(*YAKUTSK, 0.2, snow_density=194.0)
    offset = kudryavtsev_snow_offset(28.25, 0.2, snow_density=194.0, conductivity_method="sturm1997")
    assert (1.0 - factor) * YAKUTSK[0] / 365.25 == pytest.approx(offset)


@pytest.mark.parametrize("method", ["kudryavtsev", "nelson_outcalt"])
@given(depth=st.floats(0, 3), more=st.floats(0, 2))
def test_more_snow_never_raises_the_factor(method, depth, more):
    thin, thick = (
        freezing_n_factor(*YAKUTSK, d, snow_density=194.0, method=method) for d in (depth, depth + more)
    )
    assert 0.0 <= thick <= thin + 1e-12 <= 1.0 + 1e-12


@given(st.floats(0, 3), st.floats(0, 2))
def test_more_snow_never_raises_the_factor_of_gisnas(depth, more):
    assert 0.1 <= gisnas_freezing_n_factor(depth + more) <= gisnas_freezing_n_factor(depth) <= 1.0


def test_a_better_conductor_damps_less():
    factors = [
        freezing_n_factor(*YAKUTSK, 0.2, snow_density=194.0, conductivity_method=m)
        for m in ("sturm1997", "calonne2011", "devaux")
    ]
    assert factors == sorted(factors)


@pytest.mark.parametrize("method", ["kudryavtsev", "nelson_outcalt"])
def test_where_nothing_freezes_the_factor_is_one(method):
    assert freezing_n_factor(0.0, 25.0, 5.0, 0.1, snow_density=194.0, method=method) == 1.0


def test_missing_values_stay_missing():
    assert np.isnan(freezing_n_factor(*YAKUTSK, np.nan, snow_density=194.0))
    assert np.isnan(gisnas_freezing_n_factor(np.nan))


@pytest.mark.parametrize(("depth", "factor"), [(0.0, 1.0), (0.001, 1.0), (0.3, 0.454675), (5.0, 0.1)])
def test_gisnas(depth, factor):
    assert round(gisnas_freezing_n_factor(depth), 6) == factor


@pytest.mark.parametrize(
    ("call", "error", "text"),
    [
        (lambda: snow_thermal_conductivity(0.2, method="devaux"), UnitsError, "multiply by 1000"),
        (lambda: snow_thermal_conductivity(0.0, method="devaux"), DataError, "above 0"),
        (lambda: snow_thermal_conductivity(700.0, method="sturm1997"), DataError, "another method for firn"),
        (lambda: snow_thermal_conductivity(200.0, method="best"), UsageError, "'best' is not known"),
        (
            lambda: freezing_n_factor(*YAKUTSK, 0.2, snow_density=194.0, method="obu"),
            UsageError,
            "kudryavtsev or",
        ),
        (
            lambda: freezing_n_factor(-1.0, 19.0, -37.0, 0.2, snow_density=194.0),
            DataError,
            "positive numbers",
        ),
        (lambda: gisnas_freezing_n_factor(-0.1), DataError, "snow_depth_max"),
    ],
)
def test_what_cannot_be_is_refused(call, error, text):
    with pytest.raises(error, match=text):
        call()
