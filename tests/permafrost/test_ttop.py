"""TTOP: known answers, continuity and monotonicity."""

import dask
import numpy as np
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st

from geotools.errors import DataError
from geotools.permafrost import mean_annual_ground_surface_temperature, ttop

DEGREE_DAYS = st.floats(0, 8000)
FACTOR = st.floats(0.1, 1.4)
RATIO = st.floats(0.3, 1.0)


def refuse(*args, **kwargs):
    pytest.fail("something was computed early")


@pytest.mark.parametrize(
    ("freezing", "thawing", "nf", "nt", "ratio", "expected"),
    [(3500.0, 1200.0, 0.45, 0.85, 0.7, -2.357290), (3000.0, 3000.0, 1.0, 1.0, 0.6, -3.285421)],
)
def test_known_answers(freezing, thawing, nf, nt, ratio, expected):
    out = ttop(freezing, thawing, n_freezing=nf, n_thawing=nt, conductivity_ratio=ratio)
    assert round(out, 6) == expected


def test_seasonal_frost_divides_by_the_thawed_conductivity():
    out = ttop(1000.0, 3000.0, n_freezing=0.5, n_thawing=0.9, conductivity_ratio=0.5)
    assert out == pytest.approx((0.9 * 3000 - 0.5 * 1000 / 0.5) / 365.25)


@given(st.floats(100, 5000), FACTOR, FACTOR, RATIO)
def test_the_branches_meet(thawing, nf, nt, ratio):
    freezing = ratio * nt * thawing / nf
    sides = [
        ttop(min(freezing * s, 5e4), thawing, n_freezing=nf, n_thawing=nt, conductivity_ratio=ratio)
        for s in (1 - 1e-9, 1 + 1e-9)
    ]
    assert freezing > 4.9e4 or sides == pytest.approx([0.0, 0.0], abs=1e-5)


@given(DEGREE_DAYS, DEGREE_DAYS, FACTOR, FACTOR, RATIO, st.floats(0, 500))
def test_warmer_is_never_colder(freezing, thawing, nf, nt, ratio, more):
    ground = {"n_thawing": nt, "conductivity_ratio": ratio}
    base = ttop(freezing, thawing, n_freezing=nf, **ground)
    assert ttop(freezing, thawing + more, n_freezing=nf, **ground) >= base
    assert ttop(freezing, thawing, n_freezing=0.9 * nf, **ground) >= base


@given(DEGREE_DAYS, DEGREE_DAYS, FACTOR, FACTOR, RATIO)
def test_the_thermal_offset_never_warms(freezing, thawing, nf, nt, ratio):
    factors = {"n_freezing": nf, "n_thawing": nt}
    surface = mean_annual_ground_surface_temperature(freezing, thawing, **factors)
    assert ttop(freezing, thawing, conductivity_ratio=ratio, **factors) <= surface + 1e-9
    assert ttop(freezing, thawing, conductivity_ratio=1.0, **factors) == pytest.approx(surface, abs=1e-9)


def test_every_kind_of_input_gives_the_same():
    rng = np.random.default_rng(0)
    dims = ("lat", "lon")
    freezing = xr.DataArray(rng.uniform(500, 6000, (4, 5)), dims=dims, attrs={"units": "K d"})
    thawing = xr.DataArray(rng.uniform(500, 3000, (4, 5)), dims=dims, attrs={"units": "degC d"})
    nf = xr.DataArray(rng.uniform(0.2, 1.0, 5), dims="lon")
    factors = {"n_thawing": 0.8, "conductivity_ratio": 0.7}
    eager = ttop(freezing, thawing, n_freezing=nf, **factors)
    with dask.config.set(scheduler=refuse):
        lazy = ttop(freezing.chunk(lat=1, lon=3), thawing.chunk(lat=4, lon=2), n_freezing=nf, **factors)
    np.testing.assert_array_equal(lazy.compute(scheduler="synchronous"), eager)
    array = ttop(freezing.values, thawing.values, n_freezing=nf.values, **factors)
    np.testing.assert_array_equal(array, eager)
    one = ttop(float(freezing[1, 2]), float(thawing[1, 2]), n_freezing=float(nf[2]), **factors)
    assert one == float(eager[1, 2])
    assert eager.name == "magt"
    assert eager.attrs["units"] == "degC"


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"freezing_degree_days": -100.0}, "freezing degree-days too"),
        ({"thawing_degree_days": -100.0}, "thawing_degree_days"),
        ({"conductivity_ratio": 0.0}, "conductivity_ratio"),
        ({"conductivity_ratio": 1.4}, "not the inverse"),
        ({"n_freezing": -0.1}, "n_freezing"),
        ({"n_thawing": -0.1}, "n_thawing"),
    ],
)
def test_what_cannot_be_is_refused(change, text):
    arguments = {
        "freezing_degree_days": 3500.0,
        "thawing_degree_days": 1200.0,
        "n_freezing": 0.45,
        "n_thawing": 0.85,
        "conductivity_ratio": 0.7,
        **change,
    }
    with pytest.raises(DataError, match=text):
        ttop(**arguments)
