"""The equilibrium chain: the answer of its parts, what must raise or lower it, and lazy evaluation."""

from dataclasses import fields, replace

import dask
import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st

from geotools.climate import degree_days, snow_from_monthly
from geotools.climate.snow_class import snow_density, tundra_snow_share
from geotools.errors import UsageError
from geotools.permafrost import (
    freezing_n_factor,
    frost_number,
    gisnas_freezing_n_factor,
    ground_parameters,
    layered_stefan_thaw_depth,
    mean_annual_ground_surface_temperature,
    permafrost_probability,
    permafrost_zone,
    ttop,
)
from geotools.permafrost.equilibrium import (
    N_FACTOR_METHODS,
    EquilibriumSettings,
    Perturbation,
    Spread,
    draw_perturbations,
    equilibrium_permafrost,
)
from geotools.permafrost.parameters import FIELDS
from geotools.permafrost.stefan import Layer

DEFAULT = EquilibriumSettings()
STILL = Spread(**{field.name: 0.0 for field in fields(Spread)})
FOREST, WATER = 3, 17
YAKUTSK = [-37.2, -33.0, -19.2, -4.5, 7.8, 16.5, 19.3, 15.1, 6.1, -7.5, -27.2, -36.9]
# The warmest month lies between the limits of taiga and tundra snow.
TREE_LINE = [-33.0, -33.0, -26.0, -16.0, -4.5, 6.0, 11.0, 9.5, 3.0, -10.5, -25.0, -30.0]
PRECIPITATION = [0.3, 0.3, 0.2, 0.3, 0.6, 1.0, 1.3, 1.2, 1.0, 0.6, 0.6, 0.3]


def climate(tas, pr=PRECIPITATION):
    """Two arrays [time, cell] from tas [(cell,) 12] and pr [(cell,) 12]."""
    tas, pr = np.atleast_2d(tas), np.atleast_2d(pr)
    pr = np.broadcast_to(pr, tas.shape)
    coords = {"time": np.arange(1, 13)}
    return (
        xr.DataArray(tas.T.copy(), coords, dims=("time", "cell"), name="tas", attrs={"units": "degC"}),
        xr.DataArray(pr.T.copy(), coords, dims=("time", "cell"), name="pr", attrs={"units": "kg m-2 d-1"}),
    )


def ground(*classes):
    """Parameters [cell] of IGBP classes."""
    return ground_parameters(xr.DataArray(np.array(classes, dtype=float), dims="cell"))


def solve(tas, pr=PRECIPITATION, classes=None, **keys):
    """The chain for tas [(cell,) 12]."""
    tas, pr = climate(tas, pr)
    moved = keys.pop("perturbation", None)
    return equilibrium_permafrost(
        tas,
        pr,
        ground(*(classes or [FOREST] * tas.sizes["cell"])),
        settings=replace(DEFAULT, **keys),
        perturbation=moved,
    )


@pytest.fixture
def region():
    """Twelve cells of different climate and ground, one of them water."""
    rng = np.random.default_rng(7)
    shift, more = rng.uniform(-6.0, 12.0, 12), rng.uniform(0.3, 3.0, 12)
    tas, pr = climate(np.add.outer(shift, YAKUTSK), np.multiply.outer(more, PRECIPITATION))
    return tas, pr, ground(3, 4, 10, 16, 7, 11, WATER, 8, 12, 5, 1, 6)


class RefusedError(Exception):
    pass


def refuse(*args, **kwargs):
    raise RefusedError


# Known answers


def test_bare_ground_by_hand():
    """No precipitation, no spread of the days, no organic layer: every step is one line."""
    year = [-20.0] * 3 + [10.0] * 6 + [-20.0] * 3
    # April to September has 183 d, the rest 182.25 d.
    summer, winter = 183.0, 182.25
    tas, pr = climate(year, [0.0] * 12)
    own = {
        "n_factor_thawing": (0.8, "1"),
        "conductivity_ratio": (0.7, "1"),
        "thawed_conductivity": (1.0, "W m-1 K-1"),
        "melted_water_fraction": (0.35, "1"),
        "organic_thickness": (0.0, "m"),
        "organic_conductivity": (0.3, "W m-1 K-1"),
        "organic_melted_water_fraction": (0.3, "1"),
    }
    parameters = xr.Dataset({k: ("cell", [v], {"units": u}) for k, (v, u) in own.items()})
    out = equilibrium_permafrost(tas, pr, parameters, settings=replace(DEFAULT, submonthly_sd_K=0.0)).isel(
        cell=0
    )
    tdd, fdd = 10.0 * summer, 20.0 * winter
    known = {
        "thawing_degree_days": tdd,
        "freezing_degree_days": fdd,
        "maat": (tdd - fdd) / 365.25,
        "annual_precipitation": 0.0,
        "snow_depth_max": 0.0,
        "n_factor_freezing": 1.0,
        "air_frost_number": fdd**0.5 / (fdd**0.5 + tdd**0.5),
        "surface_frost_number": fdd**0.5 / (fdd**0.5 + (0.8 * tdd) ** 0.5),
        "mean_annual_ground_surface_temperature": (0.8 * tdd - fdd) / 365.25,
        "magt": (0.7 * 0.8 * tdd - fdd) / 365.25,
        "permafrost_zone": 4,
        "thaw_depth": (2 * 86400 * 1.0 * 0.8 * tdd / (3.34e8 * 0.35)) ** 0.5,
    }
    for name, value in known.items():
        assert out[name].item() == pytest.approx(value), name
    assert out["active_layer_thickness"].item() == out["thaw_depth"].item()


@pytest.mark.parametrize("method", N_FACTOR_METHODS)
@pytest.mark.parametrize("year", [YAKUTSK, TREE_LINE])
def test_the_chain_is_the_sum_of_its_parts(year, method):
    """The functions for one place, called in turn, give what the chain gives there."""
    forest = {name: values.item() for name, values in ground_parameters(np.array([FOREST])).items()}
    share = tundra_snow_share(max(year))
    density = snow_density(share)
    tdd, fdd = degree_days(year, submonthly_sd=5.0)
    _, _, winter, largest = snow_from_monthly(year, PRECIPITATION, submonthly_sd=5.0, snow_density=density)
    gisnas = gisnas_freezing_n_factor(largest)
    physical = freezing_n_factor(
        fdd,
        max(year),
        min(year),
        winter,
        snow_density=density,
        method=method if method == "nelson_outcalt" else "kudryavtsev",
    )
    mixed = share * physical + (1 - share) * gisnas
    n_freezing = {"by_snow_class": mixed, "gisnas": gisnas}.get(method, physical)
    factors = {"n_freezing": n_freezing, "n_thawing": forest["n_factor_thawing"]}
    magt = ttop(fdd, tdd, conductivity_ratio=forest["conductivity_ratio"], **factors)
    probability = permafrost_probability(magt, 2.0)
    layers = [
        Layer(
            forest["organic_thickness"],
            forest["organic_conductivity"],
            forest["organic_melted_water_fraction"],
        ),
        Layer(np.inf, forest["thawed_conductivity"], forest["melted_water_fraction"]),
    ]
    known = {
        "thawing_degree_days": tdd,
        "freezing_degree_days": fdd,
        "snow_depth_winter_mean": winter,
        "snow_depth_max": largest,
        "n_factor_freezing": n_freezing,
        "air_frost_number": frost_number(fdd, tdd),
        "surface_frost_number": frost_number(fdd * n_freezing, tdd * forest["n_factor_thawing"]),
        "mean_annual_ground_surface_temperature": mean_annual_ground_surface_temperature(fdd, tdd, **factors),
        "magt": magt,
        "permafrost_probability": probability,
        "permafrost_zone": permafrost_zone(probability),
        "thaw_depth": layered_stefan_thaw_depth(tdd, layers=layers, n_factor=forest["n_factor_thawing"]),
    }
    out = solve(year, n_factor_method=method).isel(cell=0)
    for name, value in known.items():
        assert out[name].item() == pytest.approx(value, rel=1e-12), name


@pytest.mark.parametrize(("summer", "share"), [(15.0, 0.0), (12.0, 0.0), (10.0, 0.5), (8.0, 1.0), (5.0, 1.0)])
def test_the_n_factor_follows_the_snow_class(summer, share):
    year = np.minimum(TREE_LINE, summer)
    year[6] = summer
    mixed, empirical, physical = (
        solve(year, n_factor_method=m)["n_factor_freezing"].item()
        for m in ("by_snow_class", "gisnas", "kudryavtsev")
    )
    assert empirical != physical
    assert mixed == pytest.approx(share * physical + (1 - share) * empirical)


def test_the_densities_of_the_settings_are_used():
    light, heavy = (solve(YAKUTSK, taiga_snow_density=d)["snow_depth_max"].item() for d in (150.0, 300.0))
    assert light == pytest.approx(2 * heavy)


# What must raise or lower the results

SIBERIAN = st.builds(
    lambda mean, amplitude: [mean - amplitude * np.cos(2 * np.pi * (m + 0.5) / 12) for m in range(12)],
    st.floats(-16.0, -2.0),
    st.floats(16.0, 30.0),
)


@settings(max_examples=40, deadline=None)
@given(tas=SIBERIAN, wet=st.floats(0.3, 2.0))
def test_warmer_air_never_thins_the_thaw(tas, wet):
    pr = np.multiply(wet, PRECIPITATION)
    out = solve([tas, np.add(tas, 1.0)], pr)
    assert out["thaw_depth"][1] >= out["thaw_depth"][0]


@settings(max_examples=40, deadline=None)
@given(tas=SIBERIAN, wet=st.floats(0.0, 2.0))
def test_warmer_air_never_cools_the_ground_at_one_n_factor(tas, wet):
    pr = np.multiply(wet, PRECIPITATION)
    out = solve([tas, np.add(tas, 1.0)], pr, perturbation=Perturbation(n_freezing=5.0))
    assert (out["n_factor_freezing"] == 1.0).all()
    assert out["magt"][1] >= out["magt"][0]


@settings(max_examples=40, deadline=None)
@given(tas=SIBERIAN, wet=st.floats(0.3, 2.0), method=st.sampled_from(N_FACTOR_METHODS))
def test_warmer_air_cools_the_ground_only_through_thinner_snow(tas, wet, method):
    """Less snow lets more of the frost in, which can outweigh a kelvin."""
    pr = np.multiply(wet, PRECIPITATION)
    out = solve([tas, np.add(tas, 1.0)], pr, n_factor_method=method)
    if out["magt"][1] < out["magt"][0]:
        assert out["n_factor_freezing"][1] > out["n_factor_freezing"][0]


@settings(max_examples=40, deadline=None)
@given(
    tas=SIBERIAN, wet=st.floats(0.1, 3.0), more=st.floats(0.0, 1.0), method=st.sampled_from(N_FACTOR_METHODS)
)
def test_more_precipitation_never_cools_the_ground(tas, wet, more, method):
    pr = np.multiply.outer([wet, wet + more], PRECIPITATION)
    out = solve([tas, tas], pr, n_factor_method=method)
    assert out["magt"][1] >= out["magt"][0] - 1e-12


@pytest.mark.parametrize("year", [YAKUTSK, TREE_LINE, np.add(YAKUTSK, 14.0)])
@pytest.mark.parametrize(
    ("moved", "raised", "lowered"),
    [
        (
            {"air_temperature_K": 1.0},
            ["maat", "thawing_degree_days", "thaw_depth", "magt"],
            ["freezing_degree_days"],
        ),
        ({"precipitation": 1.3}, ["annual_precipitation", "snow_depth_max", "magt"], ["n_factor_freezing"]),
        ({"n_freezing": 0.1}, ["n_factor_freezing", "surface_frost_number"], ["magt"]),
        ({"n_thawing": 0.1}, ["magt", "thaw_depth"], ["surface_frost_number"]),
        ({"conductivity_ratio": 0.1}, ["magt"], ["permafrost_probability"]),
        ({"thaw_conductivity": 1.3}, ["thaw_depth"], []),
        ({"melted_water": 1.3}, [], ["thaw_depth"]),
    ],
)
def test_each_perturbation_has_its_direction(year, moved, raised, lowered):
    central, other = solve(year), solve(year, perturbation=Perturbation(**moved))
    assert all(other[name].item() > central[name].item() for name in raised)
    assert all(other[name].item() < central[name].item() for name in lowered)


def test_every_field_of_a_perturbation_is_tested_above():
    marks = test_each_perturbation_has_its_direction.pytestmark
    cases = next(m for m in marks if m.args[0] == ("moved", "raised", "lowered")).args[1]
    assert {name for moved, *_ in cases for name in moved} == {field.name for field in fields(Perturbation)}


def test_extreme_perturbations_stay_physical():
    for sign in (-1.0, 1.0):
        moved = Perturbation(n_freezing=3 * sign, n_thawing=3 * sign, conductivity_ratio=3 * sign)
        out = solve(YAKUTSK, perturbation=replace(moved, melted_water=10.0**sign))
        assert 0.0 < out["n_factor_freezing"].item() <= 1.0
        assert np.isfinite(out["magt"].item())
        assert out["thaw_depth"].item() > 0.0


# Draws


def test_draws_without_spread_are_the_central_run(region):
    central = equilibrium_permafrost(*region, settings=DEFAULT)
    for drawn in draw_perturbations(STILL, 3, np.random.default_rng(1)):
        xr.testing.assert_identical(
            equilibrium_permafrost(*region, settings=DEFAULT, perturbation=drawn), central
        )


def test_the_same_seed_gives_the_same_draws():
    one, two, other = (list(draw_perturbations(Spread(), 5, np.random.default_rng(s))) for s in (3, 3, 4))
    assert one == two
    assert not set(map(str, one)) & set(map(str, other))


def test_draws_begin_alike_however_many_there_are():
    few, many = (list(draw_perturbations(Spread(), n, np.random.default_rng(3))) for n in (4, 9))
    assert many[:4] == few


def test_draws_have_the_spread_they_were_given():
    draws = list(draw_perturbations(Spread(), 20000, np.random.default_rng(11)))
    for name, mean, sd in [
        ("air_temperature_K", 0.0, 1.0),
        ("precipitation", 1.0, 0.15),
        ("n_freezing", 0.0, 0.12),
        ("n_thawing", 0.0, 0.08),
        ("conductivity_ratio", 0.0, 0.07),
        ("thaw_conductivity", 1.0, 0.2),
        ("melted_water", 1.0, 0.2),
    ]:
        values = np.array([getattr(d, name) for d in draws])
        assert values.mean() == pytest.approx(mean, abs=4 * sd / len(draws) ** 0.5), name
        assert values.std() == pytest.approx(sd, rel=0.03), name
        if mean == 1.0:
            assert values.min() > 0.0


# Missing values


def test_missing_ground_gives_missing_results(region):
    out = equilibrium_permafrost(*region, settings=DEFAULT)
    water = out.isel(cell=6)
    for name in (
        "surface_frost_number",
        "mean_annual_ground_surface_temperature",
        "magt",
        "permafrost_probability",
        "thaw_depth",
        "active_layer_thickness",
    ):
        assert np.isnan(water[name].item()), name
        if name != "active_layer_thickness":
            assert np.isfinite(out[name].drop_isel(cell=6)).all(), name
    assert water["permafrost_zone"].item() == -1
    # The climate of a lake is known.
    assert np.isfinite(water["maat"].item())


def test_a_missing_month_gives_missing_results(region):
    tas, pr, parameters = region
    tas[4, 2] = np.nan
    out = equilibrium_permafrost(tas, pr, parameters, settings=DEFAULT).isel(cell=2)
    for name in (
        "maat",
        "thawing_degree_days",
        "n_factor_freezing",
        "magt",
        "thaw_depth",
        "active_layer_thickness",
    ):
        assert np.isnan(out[name].item()), name
    assert out["permafrost_zone"].item() == -1


def test_the_active_layer_ends_where_permafrost_does():
    out = solve([YAKUTSK, np.add(YAKUTSK, 14.0)])
    assert out["active_layer_thickness"][0] == out["thaw_depth"][0]
    assert np.isnan(out["active_layer_thickness"][1])
    assert np.isfinite(out["thaw_depth"][1])


# Cells, chunks and units


@settings(max_examples=20, deadline=None)
@given(order=st.permutations(range(12)))
def test_cells_do_not_know_of_each_other(order):
    rng = np.random.default_rng(5)
    tas, pr = climate(np.add.outer(rng.uniform(-6.0, 12.0, 12), YAKUTSK))
    parameters = ground(3, 4, 10, 16, 7, 11, WATER, 8, 12, 5, 1, 6)
    out = equilibrium_permafrost(tas, pr, parameters, settings=DEFAULT)
    mixed = equilibrium_permafrost(
        tas.isel(cell=order), pr.isel(cell=order), parameters.isel(cell=order), settings=DEFAULT
    )
    # The order of a sum, and so its rounding, depends on the layout in memory.
    xr.testing.assert_allclose(mixed, out.isel(cell=order), rtol=1e-12)


@pytest.mark.parametrize("method", N_FACTOR_METHODS)
@pytest.mark.parametrize("chunks", [{"cell": 1}, {"cell": 5}, {"cell": 4, "time": 5}])
def test_lazy_in_lazy_out(region, chunks, method):
    tas, pr, parameters = region
    chosen = replace(DEFAULT, n_factor_method=method)
    lazy_ground = parameters.chunk({"cell": chunks["cell"]})
    with dask.config.set(scheduler=refuse):
        lazy = equilibrium_permafrost(
            tas.chunk(chunks),
            pr.chunk(chunks),
            lazy_ground,
            settings=chosen,
            perturbation=Perturbation(n_freezing=0.05),
        )
        with pytest.raises(RefusedError):
            lazy["magt"].compute()
    assert all(field.chunks is not None for field in lazy.data_vars.values())
    eager = equilibrium_permafrost(
        tas, pr, parameters, settings=chosen, perturbation=Perturbation(n_freezing=0.05)
    )
    xr.testing.assert_allclose(lazy.compute(), eager, rtol=1e-12)
    # As text, because the flag values are an array.
    assert all(str(lazy[name].attrs) == str(field.attrs) for name, field in eager.data_vars.items())


def test_kelvins_and_rates_per_second_with_units(region):
    tas, pr, parameters = region
    out = equilibrium_permafrost(
        (tas + 273.15).assign_attrs(units="K"),
        (pr / 86400).assign_attrs(units="kg m-2 s-1"),
        parameters,
        settings=DEFAULT,
    )
    expected = equilibrium_permafrost(*region, settings=DEFAULT)
    for name in ("magt", "thaw_depth", "snow_depth_max", "annual_precipitation"):
        np.testing.assert_allclose(out[name], expected[name], rtol=1e-9, atol=1e-9)


def test_everything_carries_its_name_and_units(region):
    out = equilibrium_permafrost(*region, settings=DEFAULT)
    units = {
        "maat": "degC",
        "annual_precipitation": "kg m-2",
        "snd": "m",
        "snw": "kg m-2",
        "n_factor_freezing": "1",
        "magt": "degC",
        "permafrost_probability": "1",
        "thaw_depth": "m",
        "active_layer_thickness": "m",
    }
    assert {name: out[name].attrs["units"] for name in units} == units
    assert all(name == field.name and field.attrs["long_name"] for name, field in out.data_vars.items())
    assert set(FIELDS).isdisjoint(out.data_vars)


def test_the_inputs_are_left_alone(region):
    before = [part.copy(deep=True) for part in region]
    equilibrium_permafrost(*region, settings=DEFAULT, perturbation=Perturbation(air_temperature_K=1.0))
    for part, kept in zip(region, before, strict=True):
        xr.testing.assert_identical(part, kept)


def test_an_unknown_method_is_refused(region):
    with pytest.raises(UsageError, match=r"n_factor_method.*by_snow_class or gisnas"):
        equilibrium_permafrost(*region, settings=replace(DEFAULT, n_factor_method="snowdrift"))
