"""The transient column against exact solutions, and what heat must do whatever the forcing."""

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st

from geotools.permafrost import (
    MushyZone,
    PowerLaw,
    SnowCover,
    SoilColumn,
    SoilLayer,
    SpinUp,
    VanGenuchten,
    column_edges,
    lunardini_solution,
    neumann_solution,
    periodic_solution,
    simulate,
)

DEEP = float("inf")
NEUMANN = {
    "conductivity_thawed": 1.0,
    "conductivity_frozen": 1.8,
    "heat_capacity_thawed": 2.8e6,
    "heat_capacity_frozen": 2.0e6,
}


def series(values, step="1D", start="2001-01-01", **attrs):
    values = np.asarray(values, dtype="float64")
    time = pd.date_range(start, periods=values.shape[0], freq=step)
    dims = ("time", "x")[: values.ndim]
    return xr.DataArray(values, dims=dims, coords={"time": time}, attrs={"units": "degC", **attrs})


def front(result, column):
    return (result.liquid_share * xr.DataArray(column.thickness, dims="cell")).sum("cell").values


@pytest.mark.parametrize(
    ("spacing", "hours", "error"), [(0.05, 24, 0.013), (0.02, 24, 0.01), (0.02, 6, 0.005), (0.01, 3, 0.003)]
)
def test_the_front_of_neumann_is_met(spacing, hours, error):
    layer = SoilLayer(DEEP, water=0.4, porosity=0.4, freezing_curve=MushyZone(0.01), **NEUMANN)
    edges = column_edges(20.0, spacing=spacing, uniform_depth=2.0)
    column = SoilColumn([layer], edges=edges, geothermal_flux=0.0)
    steps = 100 * 24 // hours
    depths = [0.25, 0.5, 1.0, 2.0, 3.0, 5.0]
    result = simulate(
        column,
        series(np.full(steps, 5.0), f"{hours}h"),
        outputs=("profiles", "series"),
        depths=depths,
        initial_temperature=-2.0,
    )
    exact = neumann_solution(
        100.0,
        depths,
        surface_temperature=5.0,
        initial_temperature=-2.0,
        latent_heat=3.34e8 * 0.4,
        **NEUMANN,
    )
    assert front(result, column)[-1] == pytest.approx(exact.front, rel=error)
    np.testing.assert_allclose(result.tsl.values[-1], exact.temperature, atol=0.06 * spacing / 0.05)


@pytest.mark.parametrize("residual", [-1.0, -4.0])
def test_the_fronts_of_lunardini_are_met(residual):
    conductivities, capacity = (3.464352, 2.941352, 2.418352), 690360.0
    latent = 334720 * 1680 * (0.2 - 0.0782)
    layer = SoilLayer(
        DEEP,
        water=latent / 3.34e8,
        porosity=0.4,
        conductivity_thawed=conductivities[2],
        conductivity_frozen=conductivities[0],
        heat_capacity_thawed=capacity,
        heat_capacity_frozen=capacity,
        freezing_curve=MushyZone(width=-residual),
    )
    edges = column_edges(6.0, spacing=0.0025, uniform_depth=0.5, growth=1.1)
    column = SoilColumn([layer], edges=edges, geothermal_flux=0.0, conductivity_blend="three_zone")
    result = simulate(
        column, series(np.full(288, -6.0), "300s"), outputs=("profiles",), initial_temperature=4.0
    )
    exact = lunardini_solution(
        1.0,
        surface_temperature=-6.0,
        initial_temperature=4.0,
        residual_temperature=residual,
        conductivities=conductivities,
        heat_capacity=capacity,
        latent_heat=latent,
    )
    last, centres = result.tsl_profile.values[-1], column.centres
    assert np.interp(residual, last, centres) == pytest.approx(exact.frozen_front, rel=0.01)
    assert np.interp(0.0, last, centres) == pytest.approx(exact.freezing_front, rel=0.01)


def test_the_annual_wave_without_water_is_met_to_three_metres():
    layer = SoilLayer(
        DEEP,
        water=0.0,
        porosity=0.1,
        conductivity_thawed=2.0,
        conductivity_frozen=2.0,
        heat_capacity_thawed=2.0e6,
        heat_capacity_frozen=2.0e6,
    )
    column = SoilColumn([layer], depth=60.0, geothermal_flux=0.0)
    time = np.arange(1, 365 * 12 + 1)
    air = series(-5 + 20 * np.sin(2 * np.pi * time / 365.25))
    depths = [0.5, 1.0, 3.0]
    result = simulate(column, air, depths=depths, outputs=("series",), initial_temperature=-5.0)
    last = result.tsl.values[-365:]
    exact = periodic_solution(time[-365:], depths, mean=-5.0, amplitude=20.0, diffusivity=1e-6)
    amplitude = np.ptp(last, axis=0) / np.ptp(exact, axis=0)
    np.testing.assert_allclose(amplitude, 1.0, atol=0.005)
    lag = last.argmax(axis=0) - exact.argmax(axis=0)
    assert np.abs(lag).max() <= 1


def test_a_steady_profile_follows_from_the_flux_and_the_resistances():
    layer = SoilLayer(DEEP, water=0.1, porosity=0.2, conductivity_thawed=1.5, conductivity_frozen=2.0)
    column = SoilColumn([layer], depth=200.0, geothermal_flux=0.05)
    air = series(np.full(4000, -5.0))
    result = simulate(column, air, depths=[0.0, 100.0, 200.0], outputs=("series",), initial_temperature=-5.0)
    # 25 K per km: the base of permafrost lies at 200 m.
    np.testing.assert_allclose(result.tsl.values[-1], [-5.0, -2.5, 0.0], atol=2e-3)


CURVES = (
    MushyZone(0.01),
    MushyZone(0.1),
    PowerLaw(0.05, 0.5),
    PowerLaw(0.01, 0.9, -0.1),
    VanGenuchten(1.0, 1.5, 0.02),
    VanGenuchten(4.0, 2.5),
)


@pytest.mark.parametrize("curve", CURVES, ids=repr)
@pytest.mark.parametrize("hours", [1, 24, 240, 720])
@pytest.mark.parametrize("snowy", [False, True])
def test_white_noise_always_converges_and_closes(curve, hours, snowy):
    rng = np.random.default_rng(5)
    turf = SoilLayer(0.1, water=0.5, porosity=0.85, organic=1.0)
    silt = SoilLayer(DEEP, water=0.4, porosity=0.42, freezing_curve=curve)
    column = SoilColumn([turf, silt], depth=30.0)
    air = series(rng.normal(0, 20, (60, 16)), f"{hours}h")
    snow = {}
    if snowy:
        depth = air.copy(data=np.clip(rng.normal(0, 0.3, (60, 16)), 0, None)).assign_attrs(units="m")
        snow = {"snow_depth": depth, "snow": SnowCover(200.0, conductivity_method="yen1981")}
    result = simulate(column, air, outputs=("profiles",), initial_temperature=-1.0, **snow)
    assert float(result.energy_residual.max()) < 1e-9
    assert np.isfinite(result.tsl_profile).all()


def test_white_noise_needs_the_nested_iterations():
    # Otherwise the test above would not say that they work.
    rng = np.random.default_rng(5)
    layer = SoilLayer(DEEP, water=0.4, porosity=0.42, freezing_curve=MushyZone(0.01))
    air = series(rng.normal(0, 20, (100, 8)), "240h")
    result = simulate(SoilColumn([layer], depth=30.0), air, outputs=(), initial_temperature=-1.0)
    assert float(result.nested_share.min()) > 0.05


def test_heat_content_changes_by_what_went_in():
    # By hand: no flux from below, and all heat that the surface gave is in the cells, as warmth or as water.
    layer = SoilLayer(DEEP, water=0.4, porosity=0.4, freezing_curve=MushyZone(0.01), **NEUMANN)
    edges = column_edges(20.0, spacing=0.02, uniform_depth=2.0)
    column = SoilColumn([layer], edges=edges, geothermal_flux=0.0)
    air = series(np.full(50, 5.0))
    result = simulate(
        column, air, depths=[0.0, 0.01], outputs=("profiles", "series"), initial_temperature=-2.0
    )
    t, share = result.tsl_profile.values, result.liquid_share.values
    warm = np.where(share == 1.0, 2.8e6 * t, 2.0e6 * t)
    content = ((warm + 3.34e8 * 0.4 * share) * column.thickness).sum(axis=1)
    before = (2.0e6 * -2.0 * column.thickness).sum()
    # k from the first step on is that of thawed ground between surface and first centre, but for the first one.
    flux = (result.tsl.values[:, 0] - t[:, 0]) / 0.01 * 86400
    flux[0] *= 1.8
    assert content[-1] - before == pytest.approx(flux.sum(), rel=2e-3)


YEARS = SpinUp(min_years=20, max_years=20, cycle_years=1, tolerance=10.0)


def annual_cycle(mean, amplitude=22.0, years=1):
    day = np.arange(365 * years)
    return series(mean + amplitude * np.cos(2 * np.pi * (day - 200) / 365.0))


def with_snow(depth):
    day = np.arange(365)
    values = depth * np.clip(np.cos(2 * np.pi * (day - 20) / 365.0), 0, None)
    return {
        "snow_depth": series(values).assign_attrs(units="m"),
        "snow": SnowCover(200.0, conductivity_method="calonne2011"),
    }


def permafrost_column():
    turf = SoilLayer(0.1, water=0.4, porosity=0.85, organic=1.0)
    return SoilColumn([turf, SoilLayer(DEEP, water=0.35, porosity=0.42)], depth=30.0)


def test_colder_when_frozen_ground_conducts_better():
    # Kudryavtsev's case K1 without snow: conductivities 1.0 and 1.8 make the ground colder than its surface.
    layer = SoilLayer(
        DEEP,
        water=0.4,
        porosity=0.4,
        conductivity_thawed=1.0,
        conductivity_frozen=1.8,
        heat_capacity_thawed=2.6e6,
        heat_capacity_frozen=2.0e6,
    )
    column = SoilColumn([layer], depth=40.0, geothermal_flux=0.0)
    day = np.arange(365)
    air = series(-7.1429 + 18.1811 * np.sin(2 * np.pi * day / 365))
    result = simulate(column, air, depths=[0.0, 20.0], spin_up=SpinUp(60, 60, 1, 1.0))
    assert result.magt.item() == pytest.approx(-8.285, abs=0.05)
    assert result.active_layer_thickness.item() == pytest.approx(0.876, abs=0.03)


def test_without_that_the_mean_goes_down_unchanged():
    layer = SoilLayer(
        DEEP,
        water=0.4,
        porosity=0.4,
        conductivity_thawed=1.8,
        conductivity_frozen=1.8,
        heat_capacity_thawed=2.6e6,
        heat_capacity_frozen=2.0e6,
    )
    column = SoilColumn([layer], depth=40.0, geothermal_flux=0.0)
    air = series(-10 + 20 * np.sin(2 * np.pi * np.arange(365) / 365))
    result = simulate(column, air, depths=[0.0, 20.0], spin_up=SpinUp(60, 60, 1, 1.0))
    assert result.magt.item() == pytest.approx(-9.999, abs=0.01)
    assert result.active_layer_thickness.item() == pytest.approx(1.063, abs=0.02)


@settings(max_examples=8, deadline=None)
@given(st.floats(-14, -6), st.floats(0.2, 3.0))
def test_a_warmer_surface_never_thaws_less(mean, more):
    thaw = [
        simulate(permafrost_column(), annual_cycle(m), spin_up=YEARS).active_layer_thickness.item()
        for m in (mean, mean + more)
    ]
    assert thaw[1] >= thaw[0]


@settings(max_examples=8, deadline=None)
@given(st.floats(0.0, 0.5), st.floats(0.02, 0.3))
def test_more_snow_never_cools_the_ground(depth, more):
    air = annual_cycle(-12.0)
    deep = [
        simulate(permafrost_column(), air, depths=[8.0], spin_up=YEARS, **with_snow(d)).tsl_mean.item()
        for d in (depth, depth + more)
    ]
    assert deep[1] >= deep[0] - 1e-9


def test_no_snow_depth_is_the_same_as_no_snow():
    air = annual_cycle(-10.0)
    bare = simulate(permafrost_column(), air, initial_temperature=-8.0)
    none = simulate(permafrost_column(), air, initial_temperature=-8.0, **with_snow(0.0))
    np.testing.assert_allclose(none.tsl_mean, bare.tsl_mean, atol=1e-9)


def test_steady_snow_is_a_resistance_in_series():
    # 0.3 m of snow at 0.1 W m-1 K-1 and 4 m of ground at 2: with 0.05 W m-2 from below, 0.15 K and 0.1 K.
    layer = SoilLayer(DEEP, water=0.1, porosity=0.2, conductivity_thawed=1.5, conductivity_frozen=2.0)
    column = SoilColumn([layer], depth=4.0, geothermal_flux=0.05)
    air = series(np.full(6000, -10.0))
    snow = {
        "snow_depth": air.copy(data=np.full(6000, 0.3)).assign_attrs(units="m"),
        "snow": SnowCover(200.0, conductivity=0.1),
    }
    result = simulate(column, air, depths=[0.0, 4.0], outputs=("series",), initial_temperature=-10.0, **snow)
    np.testing.assert_allclose(result.tsl.values[-1], [-9.85, -9.75], atol=1e-4)


def test_snow_keeps_its_surface_at_the_melting_point():
    air = series(np.full(30, 5.0))
    snow = {
        "snow_depth": air.copy(data=np.full(30, 0.2)).assign_attrs(units="m"),
        "snow": SnowCover(300.0, conductivity=0.3),
    }
    result = simulate(permafrost_column(), air, outputs=("series",), initial_temperature=-3.0, **snow)
    assert float(result.tsl.max()) <= 0.0


def test_a_year_of_snow_that_comes_and_goes_closes():
    result = simulate(permafrost_column(), annual_cycle(-9.0), initial_temperature=-5.0, **with_snow(0.4))
    assert float(result.energy_residual) < 1e-9


def test_a_fine_and_a_coarse_grid_agree():
    layers = [
        SoilLayer(0.2, water=0.5, porosity=0.85, organic=1.0),
        SoilLayer(DEEP, water=0.35, porosity=0.42),
    ]
    thaw = [
        simulate(
            SoilColumn(layers, edges=column_edges(30.0, spacing=d, interfaces=[0.2])),
            annual_cycle(-9.0),
            spin_up=YEARS,
        ).active_layer_thickness.item()
        for d in (0.01, 0.04)
    ]
    assert thaw[1] == pytest.approx(thaw[0], rel=0.02)
