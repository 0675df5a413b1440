"""Stefan thaw depth in uniform and layered ground."""

import numpy as np
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st

from geotools.errors import DataError, UsageError
from geotools.permafrost import (
    Layer,
    edaphic_factor,
    fit_edaphic_factor,
    layered_stefan_thaw_depth,
    neumann_solution,
    stefan_thaw_depth,
)

DEGREE_DAYS = st.floats(0, 5000, allow_subnormal=False)
CONDUCTIVITY = st.floats(0.1, 3.0)
WATER = st.floats(0.05, 0.9)
DEEP = float("inf")


@pytest.mark.parametrize(
    ("conductivity", "water", "n_factor", "degree_days", "factor", "depth"),
    [(1.0, 0.35, 1.0, 1600.0, 0.0384472, 1.537888), (0.8, 0.45, 0.8, 1200.0, 0.0271258, 0.939665)],
)
def test_known_answers(conductivity, water, n_factor, degree_days, factor, depth):
    assert round(edaphic_factor(conductivity, water, n_factor), 7) == factor
    ground = {"conductivity": conductivity, "melted_water_fraction": water, "n_factor": n_factor}
    assert round(stefan_thaw_depth(degree_days, **ground), 6) == depth


def test_without_sensible_heat_the_depth_is_a_little_too_large():
    # 100 days at 5 degC, against the exact front of ground at 0 degC.
    depth = stefan_thaw_depth(500.0, conductivity=1.0, melted_water_fraction=0.4)
    exact = neumann_solution(
        100.0,
        [0.5],
        surface_temperature=5.0,
        initial_temperature=0.0,
        latent_heat=3.34e8 * 0.4,
        conductivity_thawed=1.0,
        conductivity_frozen=1.8,
        heat_capacity_thawed=2.8e6,
        heat_capacity_frozen=2.0e6,
    )
    assert round(depth, 7) == 0.8041807
    assert round(exact.front, 7) == 0.7906725


@given(
    DEGREE_DAYS,
    CONDUCTIVITY,
    WATER,
    st.lists(st.floats(0, 1, allow_subnormal=False), max_size=4),
    st.floats(0.3, 1.4),
)
def test_identical_layers_are_uniform_ground(degree_days, conductivity, water, thicknesses, n_factor):
    layers = [Layer(h, conductivity, water) for h in (*thicknesses, DEEP)]
    assert layered_stefan_thaw_depth(degree_days, layers=layers, n_factor=n_factor) == pytest.approx(
        stefan_thaw_depth(
            degree_days, conductivity=conductivity, melted_water_fraction=water, n_factor=n_factor
        ),
        rel=1e-9,
        abs=1e-9,
    )


@given(DEGREE_DAYS, st.floats(0, 500, allow_subnormal=False), st.floats(0, 0.5, allow_subnormal=False))
def test_more_degree_days_never_thaw_less(degree_days, more, organic):
    layers = [Layer(organic, 0.3, 0.4), Layer(DEEP, 1.2, 0.3)]
    before, after = (layered_stefan_thaw_depth(d, layers=layers) for d in (degree_days, degree_days + more))
    assert after >= before - 1e-12


@given(st.floats(1, 5000), *[st.floats(0, 0.5, allow_subnormal=False)] * 2)
def test_a_thicker_organic_layer_never_thaws_deeper_than_its_growth(degree_days, organic, more):
    # Moss that conducts worse and holds as much ice as the soil below.
    thin, thick = (
        layered_stefan_thaw_depth(degree_days, layers=[Layer(h, 0.3, 0.3), Layer(DEEP, 1.2, 0.3)])
        for h in (organic, organic + more)
    )
    assert thick <= thin + 1e-9


def test_two_layers_by_hand():
    # 0.1 m at k 0.5 and 0.5 water uses 334e6 * 0.5 * 0.1 * 0.1 / 86400 = 19.3287 K d.
    used = 3.34e8 * 0.5 * 0.1 * (0.05 / 0.5) / 86400
    layers = [Layer(0.1, 0.5, 0.5), Layer(DEEP, 1.0, 0.3)]
    assert layered_stefan_thaw_depth(used, layers=layers) == pytest.approx(0.1)
    # Below it, 0.2 m more cost 334e6 * 0.3 * 0.2 * (0.2 + 0.1) / 86400.
    more = 3.34e8 * 0.3 * 0.2 * (0.1 / 0.5 + 0.2 / 2.0) / 86400
    assert layered_stefan_thaw_depth(used + more, layers=layers) == pytest.approx(0.3)


def test_layers_may_be_fields():
    lat = xr.DataArray([1.0, 2.0, 3.0], dims="lat")
    degree_days = xr.DataArray([0.0, 800.0, np.nan], dims="lat", coords={"lat": lat}, attrs={"units": "K d"})
    thickness = xr.DataArray([0.1, 0.0, 0.1], dims="lat", coords={"lat": lat}, attrs={"units": "m"})
    layers = [Layer(thickness, 0.3, 0.4), Layer(DEEP, 1.0, 0.35)]
    eager = layered_stefan_thaw_depth(degree_days, layers=layers)
    lazy = layered_stefan_thaw_depth(degree_days.chunk(lat=1), layers=layers).compute(scheduler="synchronous")
    np.testing.assert_array_equal(lazy, eager)
    expected = stefan_thaw_depth(800.0, conductivity=1.0, melted_water_fraction=0.35)
    np.testing.assert_allclose(eager, [0.0, expected, np.nan])
    assert eager.attrs["units"] == "m"


@given(st.floats(0.005, 0.1), st.lists(st.floats(1, 5000), min_size=1, max_size=9))
def test_a_fit_finds_the_factor_that_made_the_depths(factor, degree_days):
    depths = factor * np.sqrt(degree_days)
    assert fit_edaphic_factor(depths, degree_days) == pytest.approx(factor)


def test_a_fit_by_hand_takes_the_years_that_have_both():
    depths = [[1.0, 2.0, np.nan, 9.0], [np.nan] * 4]
    degree_days = np.array([400.0, 900.0, 1000.0, np.nan])
    # (1 x 20 + 2 x 30) / (400 + 900), and not the mean of 1/20 and 2/30.
    expected = [80.0 / 1300.0, np.nan]
    np.testing.assert_allclose(fit_edaphic_factor(np.array(depths), degree_days), expected)
    sites = xr.DataArray(depths, dims=("site", "year"), attrs={"units": "m"})
    summers = xr.DataArray(degree_days, dims="year", attrs={"units": "K d"})
    fitted = fit_edaphic_factor(sites.chunk(year=1), summers)
    np.testing.assert_allclose(fitted, expected)
    assert fitted.dims == ("site",)


def test_thaw_depths_in_centimetres_are_refused():
    with pytest.raises(DataError, match=r"thaw_depth.*give the depth in m"):
        fit_edaphic_factor([80.0, 95.0], [1200.0, 1500.0])


def test_missing_thickness_stays_missing():
    layers = [Layer(np.nan, 0.3, 0.4), Layer(DEEP, 1.0, 0.35)]
    assert np.isnan(layered_stefan_thaw_depth(800.0, layers=layers))


@pytest.mark.parametrize(
    ("call", "error", "text"),
    [
        (lambda: edaphic_factor(0.0, 0.3), DataError, "argument 'conductivity'"),
        (lambda: edaphic_factor(1.0, 0.0), DataError, "not per cent and not gravimetric"),
        (lambda: edaphic_factor(1.0, 35.0), DataError, "not per cent and not gravimetric"),
        (
            lambda: stefan_thaw_depth(-1.0, conductivity=1.0, melted_water_fraction=0.3),
            DataError,
            "thawing_degree_days",
        ),
        (lambda: layered_stefan_thaw_depth(800.0, layers=[]), UsageError, "at least one Layer"),
        (
            lambda: layered_stefan_thaw_depth(800.0, layers=[Layer(-0.1, 1.0, 0.3), Layer(DEEP, 1.0, 0.3)]),
            DataError,
            "thickness of layer 0",
        ),
        (
            lambda: layered_stefan_thaw_depth(800.0, layers=[Layer(0.2, 1.0, 0.3)]),
            DataError,
            "thaw goes through all layers in 1 places.*make the last layer infinite",
        ),
    ],
)
def test_what_cannot_be_is_refused(call, error, text):
    with pytest.raises(error, match=text):
        call()
