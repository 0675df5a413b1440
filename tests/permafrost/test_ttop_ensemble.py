"""The TTOP ensemble: no spread, linear cases, and that a cell depends on nothing but itself and the seed."""

import dask
import numpy as np
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st

from geotools.climate.degree_days import expected_excess
from geotools.errors import DataError, UnitsError, UsageError
from geotools.permafrost import (
    EquilibriumSettings,
    ensemble_parameters,
    equilibrium_permafrost,
    freezing_n_factor,
    gisnas_freezing_n_factor,
    ground_parameters,
    permafrost_zone,
    ttop,
    ttop_ensemble,
)
from geotools.permafrost.parameters import DEFAULTS, Group
from geotools.permafrost.subgrid_parameters import SNOW_DEPTH_CV
from geotools.permafrost.ttop_members import NEEDS, standard_deviates

YEAR = 365.25
CELL = {
    "freezing_degree_days": 5021.9,
    "thawing_degree_days": 1600.0,
    "n_thawing": 0.75,
    "conductivity_ratio": 0.7,
    "snow_depth": 0.2,
    "snow_depth_max": 0.3,
    "snow_density": 210.0,
    "warmest_month": 19.3,
    "coldest_month": -37.2,
    "tundra_share": 0.25,
}
STILL = {"snow_depth_cv": 0.0, "n_thawing_sd": 0.0, "conductivity_ratio_sd": 0.0}
SPREAD = {"snow_depth_cv": 0.5, "n_thawing_sd": 0.1, "conductivity_ratio_sd": 0.08}
METHODS = list(NEEDS)


def refuse(*args, **kwargs):
    pytest.fail("something was computed early")


def factor(method):
    damped = [CELL[k] for k in ("freezing_degree_days", "warmest_month", "coldest_month", "snow_depth")]
    if method == "gisnas":
        return gisnas_freezing_n_factor(CELL["snow_depth_max"])
    if method == "by_snow_class":
        return 0.25 * factor("kudryavtsev") + 0.75 * factor("gisnas")
    return freezing_n_factor(*damped, snow_density=CELL["snow_density"], method=method)


@pytest.mark.parametrize("method", METHODS)
def test_without_spread_it_is_ttop(method):
    out = ttop_ensemble(**CELL, **STILL, n_factor_method=method)
    expected = ttop(
        CELL["freezing_degree_days"],
        CELL["thawing_degree_days"],
        n_freezing=factor(method),
        n_thawing=0.75,
        conductivity_ratio=0.7,
    )
    assert out.magt == pytest.approx(expected, rel=1e-12)
    assert out.magt_sd == pytest.approx(0.0, abs=1e-12)
    assert out.permafrost_probability == float(expected < 0)
    assert out.permafrost_zone == (4 if expected < 0 else 0)


@given(st.floats(0.4, 1.4), st.floats(0.0, 0.3), st.floats(0.3, 1.0), st.integers(2, 300), st.integers(0, 9))
def test_the_mean_and_the_spread_are_those_of_a_linear_case(n_thawing, sd, ratio, members, seed):
    # Cold enough that all members have permafrost: TTOP is linear in the thawing n-factor.
    out = ttop_ensemble(
        9000.0,
        500.0,
        n_thawing=n_thawing,
        n_thawing_sd=sd * n_thawing,
        conductivity_ratio=ratio,
        snow_depth_cv=0.0,
        snow_depth_max=0.2,
        n_factor_method="gisnas",
        members=members,
        seed=seed,
    )
    n_f = gisnas_freezing_n_factor(0.2)
    assert out.magt == pytest.approx((ratio * n_thawing * 500.0 - n_f * 9000.0) / YEAR, abs=1e-9)
    assert out.magt_sd == pytest.approx(ratio * sd * n_thawing * 500.0 / YEAR, abs=1e-9)
    assert out.permafrost_probability == 1.0


@pytest.mark.parametrize("cv", [0.1, 0.3, 0.5])
def test_log_normal_snow_in_a_factor_that_is_linear_in_its_logarithm(cv):
    # n_f = 0.25 - 0.17 ln Z, and E[ln Z] = ln(mean) - s2 / 2 with s2 = ln(1 + cv2).
    cold = {"n_thawing": 0.8, "conductivity_ratio": 0.7, "n_factor_method": "gisnas", "snow_depth_max": 0.3}
    out = ttop_ensemble(6000.0, 800.0, **cold, snow_depth_cv=cv, members=1000)
    variance = np.log1p(cv**2)
    n_f = 0.25 - 0.17 * (np.log(0.3) - variance / 2)
    assert out.magt == pytest.approx((0.7 * 0.8 * 800.0 - n_f * 6000.0) / YEAR, abs=0.01)
    assert out.magt_sd == pytest.approx(0.17 * np.sqrt(variance) * 6000.0 / YEAR, rel=1e-9)


def test_independent_spreads_add_as_variances():
    cold = {"snow_depth_max": 0.1, "n_factor_method": "gisnas", "members": 2000}
    out = ttop_ensemble(
        9000.0, 1600.0, n_thawing=0.8, n_thawing_sd=0.1, conductivity_ratio=0.6, conductivity_ratio_sd=0.06,
        snow_depth_cv=0.0, **cold,
    )  # fmt: skip
    product = 0.8**2 * 0.06**2 + 0.6**2 * 0.1**2 + 0.06**2 * 0.1**2
    assert out.magt_sd == pytest.approx(np.sqrt(product) * 1600.0 / YEAR, rel=0.02)


def test_no_member_has_ground_that_conducts_better_thawed_than_frozen():
    cold = {"snow_depth_max": 0.1, "n_factor_method": "gisnas", "members": 2000, "snow_depth_cv": 0.0}
    out = ttop_ensemble(
        9000.0, 1600.0, n_thawing=0.8, conductivity_ratio=0.95, conductivity_ratio_sd=0.2, **cold
    )  # fmt: skip
    # Of a normal ratio cut off at 1, the mean lacks what lies above.
    lost, _ = expected_excess(np.array(0.95 - 1.0), np.array(0.2))
    n_f = gisnas_freezing_n_factor(0.1)
    assert out.magt == pytest.approx(((0.95 - lost) * 0.8 * 1600.0 - n_f * 9000.0) / YEAR, abs=0.002)


def test_the_probability_is_the_share_of_members_below_zero():
    # TTOP crosses 0 where n_t does n_f FDD / (r TDD): here one standard deviation above its mean.
    n_f = gisnas_freezing_n_factor(0.5)
    crossing = n_f * 3000.0 / (0.8 * 1500.0)
    out = ttop_ensemble(
        3000.0,
        1500.0,
        n_thawing=crossing - 0.1,
        n_thawing_sd=0.1,
        conductivity_ratio=0.8,
        snow_depth_cv=0.0,
        snow_depth_max=0.5,
        n_factor_method="gisnas",
    )
    assert out.permafrost_probability == pytest.approx(0.841345, abs=0.006)
    assert out.permafrost_zone == 3


def test_members_keep_mean_and_spread_and_hardly_correlate():
    for members in (2, 7, 200):
        z = standard_deviates(members, 3)
        np.testing.assert_allclose(z.mean(axis=1), 0.0, atol=1e-12)
        np.testing.assert_allclose(z.std(axis=1), 1.0)
    assert np.abs(np.corrcoef(standard_deviates(200, 5)) - np.eye(3)).max() < 0.05


@pytest.mark.parametrize("cv", [0.1, 0.9, 1.5])
def test_the_members_keep_the_snow_of_the_cell(cv):
    # The mean of a linear function of depth is that of the mean depth; damping is nearly linear in thin snow.
    thin = {**CELL, "snow_depth": 1e-4, "conductivity_ratio": 1.0}
    still, spread = (
        ttop_ensemble(**thin, snow_depth_cv=c, n_factor_method="kudryavtsev").magt for c in (0.0, cv)
    )
    bare = ttop_ensemble(**{**thin, "snow_depth": 0.0}, snow_depth_cv=cv, n_factor_method="kudryavtsev").magt
    assert spread - bare == pytest.approx(still - bare, rel=2e-3)


def test_the_seed_moves_results_little_and_the_same_seed_not_at_all():
    runs = [ttop_ensemble(**CELL, **SPREAD, seed=s) for s in (1, 1, 2, 3)]
    assert runs[0] == runs[1]
    assert runs[0].magt != runs[2].magt
    assert np.ptp([r.magt for r in runs]) < 0.05
    assert np.ptp([r.permafrost_probability for r in runs]) < 0.05


def test_uneven_snow_cools_taiga():
    # Thin patches cool more than deep ones warm, since damping saturates.
    means = [
        ttop_ensemble(**CELL, snow_depth_cv=cv, n_factor_method="kudryavtsev").magt for cv in (0.0, 0.4, 0.9)
    ]
    assert means == sorted(means, reverse=True)


@given(st.floats(200, 3000), st.floats(0, 500))
def test_a_warmer_summer_is_never_colder_nor_more_probable(thawing, more):
    cold, warm = (
        ttop_ensemble(**{**CELL, "thawing_degree_days": t}, **SPREAD, members=20)
        for t in (thawing, thawing + more)
    )
    assert warm.magt >= cold.magt - 1e-12
    assert warm.permafrost_probability <= cold.permafrost_probability


def fields(n=(4, 6)):
    rng = np.random.default_rng(2)
    ranges = {
        "freezing_degree_days": (1500, 6000, "K d"),
        "thawing_degree_days": (600, 3000, "K d"),
        "n_thawing": (0.6, 1.1, "1"),
        "conductivity_ratio": (0.4, 0.95, "1"),
        "snow_depth_cv": (0.1, 0.9, "1"),
        "n_thawing_sd": (0.05, 0.2, "1"),
        "conductivity_ratio_sd": (0.05, 0.1, "1"),
        "snow_depth": (0.0, 0.5, "m"),
        "snow_depth_max": (0.0, 0.8, "m"),
        "snow_density": (190, 300, "kg m-3"),
        "warmest_month": (6, 20, "degC"),
        "coldest_month": (-40, -20, "degC"),
        "tundra_share": (0, 1, "1"),
    }
    return {
        k: xr.DataArray(rng.uniform(a, b, n), dims=("lat", "lon"), attrs={"units": u})
        for k, (a, b, u) in ranges.items()
    }


def same(a, b):
    xr.testing.assert_allclose(a, b, rtol=1e-12)
    np.testing.assert_array_equal(a["permafrost_zone"], b["permafrost_zone"])


@pytest.mark.parametrize("method", METHODS)
def test_chunks_do_not_change_the_members(method):
    given = fields()
    eager = ttop_ensemble(**given, n_factor_method=method, seed=4)
    with dask.config.set(scheduler=refuse):
        lazy = ttop_ensemble(
            **{k: v.chunk(lat=1 + i % 3, lon=4) for i, (k, v) in enumerate(given.items())},
            n_factor_method=method,
            seed=4,
        )
    same(lazy.compute(scheduler="synchronous"), eager)


def test_the_order_of_the_cells_does_not_change_them():
    given = fields()
    order = np.random.default_rng(0).permutation(6)
    eager = ttop_ensemble(**given)
    same(ttop_ensemble(**{k: v.isel(lon=order) for k, v in given.items()}), eager.isel(lon=order))


def test_a_cell_is_what_it_is_alone_and_an_array_what_a_field_is():
    given = fields()
    eager = ttop_ensemble(**given)
    alone = ttop_ensemble(**{k: float(v[2, 3]) for k, v in given.items()})
    array = ttop_ensemble(**{k: v.values for k, v in given.items()})
    for name in alone._fields:
        assert getattr(alone, name) == pytest.approx(eager[name].values[2, 3], rel=1e-12)
        np.testing.assert_allclose(getattr(array, name), eager[name], rtol=1e-12)


def test_the_result_tells_how_it_came_about():
    out = ttop_ensemble(**fields(), members=50, seed=7, conductivity_method="calonne2011")
    assert out.attrs == {
        "members": 50,
        "seed": 7,
        "n_factor_method": "by_snow_class",
        "snow_conductivity_method": "calonne2011",
    }
    assert "snow_conductivity_method" not in ttop_ensemble(**fields(), n_factor_method="gisnas").attrs
    assert out["magt_sd"].attrs["units"] == "K"
    np.testing.assert_array_equal(out["permafrost_zone"], permafrost_zone(out["permafrost_probability"]))


@pytest.mark.parametrize("name", ["freezing_degree_days", "snow_depth", "snow_depth_cv", "n_thawing"])
def test_missing_values_stay_missing(name):
    given = fields()
    given[name] = given[name].copy()
    given[name][0, 0] = np.nan
    out = ttop_ensemble(**given)
    for result in ("magt", "magt_sd", "permafrost_probability"):
        assert np.isnan(out[result][0, 0])
        assert out[result].isnull().sum() == 1
    assert out["permafrost_zone"][0, 0] == -1


def test_without_spread_it_is_the_equilibrium_chain():
    tas = [-37.2, -33.0, -19.2, -4.5, 7.8, 14.5, 10.9, 9.1, 4.1, -7.5, -27.2, -36.9]
    tas = xr.DataArray([tas], dims=("x", "time"), attrs={"units": "degC"})
    pr = xr.DataArray(np.full((1, 12), 0.8), dims=("x", "time"), attrs={"units": "kg m-2 d-1"})
    cover = xr.DataArray([7.0], dims="x")
    chain = equilibrium_permafrost(tas, pr, ground_parameters(cover), settings=EquilibriumSettings())
    parameters = ensemble_parameters(cover)
    months = {"warmest_month": tas.max("time"), "coldest_month": tas.min("time")}
    tundra = xr.DataArray([0.0], dims="x")
    out = ttop_ensemble(
        chain["freezing_degree_days"],
        chain["thawing_degree_days"],
        n_thawing=parameters["n_factor_thawing"],
        conductivity_ratio=parameters["conductivity_ratio"],
        snow_depth_cv=0.0,
        snow_depth=chain["snow_depth_winter_mean"],
        snow_depth_max=chain["snow_depth_max"],
        snow_density=194.0,
        tundra_share=tundra,
        **{k: v.assign_attrs(units="degC") for k, v in months.items()},
    )
    np.testing.assert_allclose(out["magt"], chain["magt"], rtol=1e-12)


@pytest.mark.parametrize(
    ("change", "error", "text"),
    [
        ({"members": 1}, UsageError, "1 members.*at least 2"),
        ({"members": 20.5}, UsageError, "20.5 members"),
        ({"seed": -1}, UsageError, "-1 is no seed"),
        ({"seed": "today"}, UsageError, "'today' is no seed"),
        ({"n_factor_method": "obu"}, UsageError, "'obu' is not known"),
        ({"conductivity_method": "sturm"}, UsageError, "'sturm' is not known"),
        ({"snow_depth_max": None}, UsageError, "snow_depth_max not given.*another n_factor_method"),
        ({"snow_depth": None, "tundra_share": None}, UsageError, "snow_depth and tundra_share not given"),
        ({"snow_depth_cv": -0.1}, DataError, "snow_depth_cv"),
        ({"snow_depth_cv": 50.0}, DataError, "snow_depth_cv"),
        ({"n_thawing_sd": -0.1}, DataError, "n_thawing_sd"),
        ({"n_thawing": -0.1}, DataError, "n_thawing"),
        ({"conductivity_ratio": 1.4}, DataError, "not the inverse"),
        ({"conductivity_ratio_sd": -0.1}, DataError, "conductivity_ratio_sd"),
        ({"freezing_degree_days": -1.0}, DataError, "freezing degree-days too"),
        ({"thawing_degree_days": -1.0}, DataError, "thawing_degree_days"),
        ({"snow_depth": -0.1}, DataError, "snow_depth"),
        ({"snow_depth_max": 80.0}, DataError, "give the depth in m"),
        ({"snow_density": 0.2}, UnitsError, "multiply by 1000"),
        ({"warmest_month": 292.0}, UnitsError, r"subtract 273\.15"),
        ({"tundra_share": 25.0}, DataError, "divide percentages by 100"),
    ],
)
def test_what_cannot_be_is_refused(change, error, text):
    with pytest.raises(error, match=text):
        ttop_ensemble(**{**CELL, **SPREAD, **change})


def test_every_land_cover_has_its_spread():
    out = ensemble_parameters(xr.DataArray([3.0, 7.0, 13.0, 17.0, 255.0, np.nan], dims="x"))
    means = ground_parameters(xr.DataArray([3.0, 7.0, 13.0, 17.0, 255.0, np.nan], dims="x"))
    xr.testing.assert_identical(out["n_factor_thawing"], means["n_factor_thawing"])
    xr.testing.assert_identical(out["conductivity_ratio"], means["conductivity_ratio"])
    np.testing.assert_array_equal(out["snow_depth_cv"], [0.1, 0.5, 0.9, np.nan, np.nan, np.nan])
    # A quarter of 0.4 to 1.0, 0.6 to 1.0 and 0.9 to 1.4.
    np.testing.assert_allclose(out["n_factor_thawing_sd"][:3], [0.15, 0.1, 0.125])
    np.testing.assert_allclose(out["conductivity_ratio_sd"][:3], [0.1, 0.125, 0.0375])


def test_every_spread_of_snow_lies_in_its_range_and_has_a_source():
    assert set(SNOW_DEPTH_CV) == set(DEFAULTS)
    for group, parameter in SNOW_DEPTH_CV.items():
        assert 0.0 < parameter.low <= parameter.value <= parameter.high, group
        assert "doi" in parameter.source
        assert parameter.tag == "default within the literature range"


def test_numbers_give_a_dict():
    out = ensemble_parameters(3)
    assert out["snow_depth_cv"] == 0.1
    assert out["n_factor_thawing"] == DEFAULTS[Group.FOREST]["n_factor_thawing"].value


def test_cells_of_several_covers_have_the_variance_within_and_between():
    share = xr.DataArray(
        [[0.25, 0.75, 0.0], [0.0, 0.5, 0.5], [1.0, 0.0, 0.0], [0.0, 0.0, 1.0]],
        dims=("x", "igbp"),
        coords={"igbp": [3, 10, 17]},
    )
    out = ensemble_parameters(share, class_dim="igbp")
    # Forest 0.75 +- 0.15, grass 0.95 +- 0.075.
    between = 0.25 * 0.75 * 0.2**2
    expected = np.sqrt(0.25 * 0.15**2 + 0.75 * 0.075**2 + between)
    np.testing.assert_allclose(out["n_factor_thawing_sd"], [expected, 0.075, 0.15, np.nan])
    np.testing.assert_allclose(out["snow_depth_cv"], [0.25 * 0.1 + 0.75 * 0.4, 0.4, 0.1, np.nan])
    means = ground_parameters(share, class_dim="igbp")
    xr.testing.assert_allclose(out["n_factor_thawing"], means["n_factor_thawing"])
    lazy = ensemble_parameters(share.chunk(x=1, igbp=1), class_dim="igbp")
    xr.testing.assert_allclose(lazy.compute(scheduler="synchronous"), out)


def test_defaults_can_be_overridden():
    own = {"forest": {"snow_depth_cv": 0.2, "n_factor_thawing_sd": 0.05, "n_factor_thawing": 0.6}}
    out = ensemble_parameters(np.array([3, 7]), overrides=own)
    np.testing.assert_array_equal(out["snow_depth_cv"], [0.2, 0.5])
    np.testing.assert_allclose(out["n_factor_thawing_sd"], [0.05, 0.1])
    np.testing.assert_array_equal(out["n_factor_thawing"], [0.6, 0.85])


@pytest.mark.parametrize(
    ("call", "error", "text"),
    [
        (lambda: ensemble_parameters(3, overrides={"larch": {}}), UsageError, "'larch'"),
        (
            lambda: ensemble_parameters(3, overrides={"forest": {"organic_thickness": 0.1}}),
            UsageError,
            "organic_thickness.*snow_depth_cv",
        ),
        (
            lambda: ensemble_parameters(3, overrides={"forest": {"snow_depth_cv": -1.0}}),
            DataError,
            "overrides, snow_depth_cv",
        ),
        (
            lambda: ensemble_parameters(3, overrides={"forest": {"conductivity_ratio": 7.0}}),
            DataError,
            "overrides, conductivity_ratio",
        ),
        (
            lambda: ensemble_parameters(np.ones((2, 2)), class_dim="igbp"),
            UsageError,
            "IGBP classes as coordinate 'igbp'",
        ),
        (lambda: ensemble_parameters(np.array([40])), DataError, "land_cover"),
    ],
)
def test_land_covers_that_cannot_be_are_refused(call, error, text):
    with pytest.raises(error, match=text):
        call()
