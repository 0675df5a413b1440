"""Ground in balance with a mean year: exact profiles, both states near 0 degC, and what lies below the column."""

import numpy as np
import pytest
import xarray as xr

from geotools.errors import DataError, UsageError
from geotools.permafrost import ColumnSettings, ground_column, ground_in_balance, ground_parameters
from geotools.permafrost.ground_layers import resistance_above

MONTHS = np.arange(12)
SNOW = ColumnSettings(winter="snow")


def year(mean, amplitude=20.0):
    """Monthly temperatures [time, place] with the coldest month in January."""
    mean = np.atleast_1d(np.asarray(mean, dtype="float64"))
    values = mean - amplitude * np.cos(2 * np.pi * MONTHS / 12)[:, None]
    return xr.DataArray(
        values, dims=("time", "place"), coords={"time": MONTHS + 1}, attrs={"units": "degC"}, name="tas"
    )


def rain(tas, rate):
    return xr.full_like(tas, rate).rename("pr").assign_attrs(units="kg m-2 d-1")


def ground(places, **changes):
    """Forest on every place, with some numbers changed."""
    land = xr.DataArray(np.full(places, 3.0), dims="place", attrs={"units": "1"})
    out = ground_parameters(land)
    return out.assign({k: xr.full_like(out[k], v) for k, v in changes.items()})


DRY = {
    "melted_water_fraction": 0.0,
    "organic_thickness": 0.0,
    "conductivity_ratio": 1.0,
    "n_factor_thawing": 1.0,
}


@pytest.fixture(scope="module")
def dry():
    """No snow, no water, one conductivity: the profile is the mean of the air and the geothermal gradient."""
    tas = year([-10.0, -5.0, 4.0])
    return ground_in_balance(tas, rain(tas, 0.0), ground(3, **DRY))


def test_without_snow_and_water_the_mean_profile_is_exact(dry):
    # Soil of 1.2 W m-1 K-1 to 10 m, rock of 2.5 below, 0.05 W m-2.
    # Months differ in length, and cold ones are short.
    days = np.array([31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31])
    surface = dry["tsl_mean"].sel(depth=0.0)
    expected = (year([-10.0, -5.0, 4.0]).values * days[:, None]).sum(axis=0) / 365
    np.testing.assert_allclose(surface, expected, atol=0.001)
    for depth, added in (
        (5.0, 0.05 * 5 / 1.2),
        (10.0, 0.05 * 10 / 1.2),
        (60.0, 0.05 * (10 / 1.2 + 50 / 2.5)),
    ):
        np.testing.assert_allclose(dry["tsl_mean"].sel(depth=depth) - surface, added, atol=0.02)


def test_the_base_of_permafrost_is_where_the_gradient_reaches_0_degC(dry):
    surface = dry["tsl_mean"].sel(depth=0.0).values[:2]
    expected = 10.0 + (-surface - 0.05 * 10 / 1.2) * 2.5 / 0.05
    np.testing.assert_allclose(dry["permafrost_base_depth"][:2], expected, atol=1.0)
    assert np.isnan(dry["permafrost_base_depth"][2])
    assert np.isnan(dry["active_layer_thickness"][2])


def test_lines_do_not_hang_on_the_depths_that_are_asked_for():
    tas = year([-10.0, -3.0])
    every = ground_in_balance(tas, rain(tas, 0.6), ground(2), years=5)
    few = ground_in_balance(tas, rain(tas, 0.6), ground(2), years=5, depths=[1.0, 20.0])
    assert few["depth"].values.tolist() == [1.0, 20.0]
    for name in ("permafrost_base_depth", "zero_annual_amplitude_depth", "active_layer_thickness"):
        np.testing.assert_allclose(few[name], every[name])
    np.testing.assert_allclose(few["tsl_mean"], every["tsl_mean"].sel(depth=[1.0, 20.0]))


def test_below_the_column_profiles_are_said_to_be_assumed_and_follow_the_gradient(dry):
    below = dry.isel(depth=(dry["simulated"] == 0).values)
    assert below["depth"].min() > 60.0
    np.testing.assert_array_equal(below["tsl_minimum"], below["tsl_maximum"])
    np.testing.assert_allclose(
        below["tsl_mean"].diff("depth") / below["depth"].diff("depth"), 0.02, rtol=1e-9
    )
    assert "assumed" in dry["permafrost_base_depth"].attrs["comment"]
    assert "assumed" in dry.attrs["ground"]


def test_the_amplitude_vanishes_at_the_depth_of_the_periodic_solution(dry):
    # The damping depth of dry soil, and half of 0.1 K as the amplitude that is left, from 20 K at the surface.
    capacity = 2.1e6 * 0.55
    above = np.sqrt(1.2 / capacity * 365 * 86400 / np.pi)
    left = 20.0 * np.exp(-10.0 / above)
    rock = np.sqrt(2.5 / (2.1e6 * 0.97) * 365 * 86400 / np.pi)
    # The wave goes on into rock, with some reflection at the bound.
    expected = 10.0 + rock * np.log(left / 0.05)
    np.testing.assert_allclose(dry["zero_annual_amplitude_depth"], expected, rtol=0.12)


def test_ground_that_conducts_better_frozen_is_colder_below_than_above():
    tas = year(-6.0)
    out = ground_in_balance(tas, rain(tas, 0.0), ground(1))
    offset = (out["magt"] - out["tsl_mean"].sel(depth=0.0)).item()
    assert -2.5 < offset < -0.5
    # The same sign and size as TTOP, with the same ground.
    assert abs(out["difference_from_ttop"].item()) < 1.0
    assert 0.5 < out["active_layer_thickness"].item() < 3.0


@pytest.mark.parametrize("winter", ["n_factor", "snow"])
def test_centuries_more_change_little_on_either_side_of_0_degC(winter):
    tas = year([-14.0, -11.0, 0.0, 2.0])
    pr = rain(tas, 0.8)
    column = ColumnSettings(winter=winter)
    short = ground_in_balance(tas, pr, ground(4), column=column)
    long = ground_in_balance(tas, pr, ground(4), years=300, column=column)
    np.testing.assert_allclose(short["tsl_mean"], long["tsl_mean"], atol=0.05)
    assert float(long["imbalance"].max()) < 0.002


def test_with_the_surface_of_ttop_the_column_finds_its_temperature():
    tas = year([-13.0, -9.0, -5.0, 3.0], 22.0)
    out = ground_in_balance(tas, rain(tas, 0.8), ground(4))
    np.testing.assert_allclose(out["difference_from_ttop"], 0.0, atol=0.15)
    assert out.attrs["winter"] == "freezing n-factor, method by_snow_class"


def test_snow_warms_the_ground_and_its_conductivity_decides_how_much():
    tas = year(-9.0, 24.0)
    bare = ground_in_balance(tas, rain(tas, 0.0), ground(1), column=SNOW)
    tops = [
        ground_in_balance(
            tas,
            rain(tas, 0.8),
            ground(1),
            column=ColumnSettings(winter="snow", snow_conductivity_method=method),
        )["ground_temperature_top"].item()
        for method in ("devaux", "yen1981", "sturm1997")
    ]
    assert bare["ground_temperature_top"].item() < tops[0] - 2.0
    assert tops[0] < tops[1] < tops[2]


def test_permafrost_that_would_thaw_under_deep_snow_is_not_left_as_a_relict():
    tas = year(-8.0, 24.0)
    out = ground_in_balance(tas, rain(tas, 1.0), ground(1), column=SNOW)
    assert out["ttop"].item() < 0.0  # which is where the first guess comes from
    assert np.isnan(out["active_layer_thickness"])
    assert out["tsl_mean"].sel(depth=10.0).item() > 0.2
    assert out["imbalance"].item() < 0.005


def test_warmer_air_means_warmer_ground_and_no_thinner_active_layer():
    means = np.array([-14.0, -12.0, -10.0, -8.0, -6.0])
    tas = year(means)
    out = ground_in_balance(tas, rain(tas, 0.0), ground(5))
    assert np.all(np.diff(out["ground_temperature_top"]) > 0.0)
    assert np.all(np.diff(out["active_layer_thickness"]) > 0.0)
    assert np.all(np.diff(out["permafrost_base_depth"]) < 0.0)


def test_half_the_flux_makes_permafrost_about_twice_as_thick():
    tas = year(-8.0)
    thick = ground_in_balance(tas, rain(tas, 0.0), ground(1), column=ColumnSettings(geothermal_flux=0.03))
    thin = ground_in_balance(tas, rain(tas, 0.0), ground(1), column=ColumnSettings(geothermal_flux=0.06))
    assert (thick["permafrost_base_depth"] / thin["permafrost_base_depth"]).item() == pytest.approx(
        2.0, rel=0.05
    )


def test_places_without_ground_are_missing_and_leave_others_alone():
    tas = year([-9.0, -9.0])
    soil = ground(2)
    soil = soil.where(xr.DataArray([True, False], dims="place"))
    out = ground_in_balance(tas, rain(tas, 0.5), soil)
    alone = ground_in_balance(tas.isel(place=[0]), rain(tas, 0.5).isel(place=[0]), ground(1))
    np.testing.assert_allclose(out["tsl_mean"][0], alone["tsl_mean"][0], atol=1e-9)
    assert out["tsl_mean"][1].isnull().all()
    assert np.isnan(out["permafrost_base_depth"][1])
    assert np.isnan(out["difference_from_ttop"][1])


@pytest.mark.parametrize("winter", ["n_factor", "snow"])
def test_chunks_change_nothing(winter):
    tas = year([-9.0, -3.0, 2.0])
    pr = rain(tas, 0.6)
    options = {"column": ColumnSettings(winter=winter), "years": 5}
    eager = ground_in_balance(tas, pr, ground(3), **options)
    chunk = {"place": 2}
    lazy = ground_in_balance(tas.chunk(chunk), pr.chunk(chunk), ground(3).chunk(chunk), **options)
    assert lazy["tsl_mean"].chunks is not None
    xr.testing.assert_allclose(lazy.compute(), eager, rtol=1e-9, atol=1e-9)


def test_variables_have_units_and_a_name():
    tas = year(-9.0)
    out = ground_in_balance(tas, rain(tas, 0.6), ground(1), years=5)
    for name, field in out.data_vars.items():
        if name != "simulated":
            assert {"units", "long_name"} <= set(field.attrs), name
    assert out["depth"].attrs["positive"] == "down"
    assert "freezing n-factor" in out.attrs["ground"]
    snowy = ground_in_balance(tas, rain(tas, 0.6), ground(1), column=SNOW, years=5)
    assert "yen1981" in snowy.attrs["ground"]
    assert "yen1981" in snowy.attrs["winter"]


def test_layers_take_the_conductivity_ratio_of_ttop_and_ice_for_the_water_of_the_organic_layer():
    column = ground_column(ground(1))
    organic, soil, rock = column.layers
    assert float(soil.conductivity_thawed[0] / soil.conductivity_frozen[0]) == pytest.approx(0.70)
    assert float(organic.conductivity_frozen[0]) == pytest.approx(0.30 * (2.2 / 0.57) ** 0.30)
    assert float(organic.thickness[0] + soil.thickness[0]) == pytest.approx(10.0)
    assert rock.thickness == float("inf")
    assert 10.0 in column.edges


def test_resistance_adds_up_over_the_layers_by_hand():
    column = ground_column(ground(1))
    frozen = xr.DataArray([True], dims="place")
    # 0.1 m of turf and 9.9 m of soil; then 5 m of rock.
    turf, soil = 0.1 / (0.30 * (2.2 / 0.57) ** 0.30), 9.9 / (1.2 / 0.7)
    assert float(resistance_above(column, 15.0, frozen)[0]) == pytest.approx(turf + soil + 5.0 / 2.5)
    assert float(resistance_above(column, 10.0, ~frozen)[0]) == pytest.approx(0.1 / 0.30 + 9.9 / 1.2)


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda t, p, g: ground_in_balance(t, p, g, depths=[1.0, 0.5]), DataError, "depths that grow"),
        (lambda t, p, g: ground_in_balance(t, p, g, years=1), UsageError, "two or more"),
        (
            lambda t, p, g: ground_in_balance(t, p, g.drop_vars("organic_thickness")),
            Exception,
            "organic_thickness",
        ),
        (
            lambda t, p, g: ground_column(g.drop_vars("conductivity_ratio")),
            UsageError,
            "no conductivity_ratio",
        ),
        (lambda t, p, g: ColumnSettings(soil_depth=80.0), UsageError, "reaches into the rock"),
        (lambda t, p, g: ColumnSettings(winter="moss"), UsageError, "n_factor"),
        (lambda t, p, g: ColumnSettings(geothermal_flux=50.0), DataError, "mW m-2"),
        (lambda t, p, g: ColumnSettings(rock_conductivity=-1.0), DataError, "rock_conductivity"),
        (
            lambda t, p, g: ground_in_balance(
                t, p, g, column=ColumnSettings(winter="snow", snow_conductivity_method="fresh")
            ),
            UsageError,
            "yen1981",
        ),
    ],
)
def test_input_that_cannot_be_right_is_refused(call, error, words):
    tas = year(-9.0)
    with pytest.raises(error, match=words):
        call(tas, rain(tas, 0.5), ground(1))
