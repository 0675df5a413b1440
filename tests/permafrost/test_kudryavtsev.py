"""Kudryavtsev's model: known answers, the column, limits, and the mistakes of a public implementation."""

import dask
import numpy as np
import pandas as pd
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st

from geotools.climate import degree_days_sinusoid
from geotools.errors import DataError, UnitsError, UsageError
from geotools.permafrost import (
    SoilColumn,
    SoilLayer,
    SpinUp,
    ground_heat_capacity,
    kudryavtsev,
    kudryavtsev_snow_offset,
    simulate,
    ttop,
)
from geotools.permafrost.annual_penetration import penetration

SNOW = {"snow_density": 250.0, "conductivity_method": "sturm1997", "snow_heat_capacity": 2090.0}
GROUND = {
    "melted_water_fraction": 0.4,
    "thawed_conductivity": 1.0,
    "frozen_conductivity": 1.8,
    "thawed_heat_capacity": 2.6e6,
    "frozen_heat_capacity": 2.0e6,
}
K1 = {"maat": -10.0, "amplitude": 20.0, "snow_depth": 0.2, **SNOW, **GROUND}
K3 = {**K1, "snow_depth": 0.0, "thawed_conductivity": 1.8}
MOSS = {
    "vegetation_height_winter": 0.1,
    "vegetation_height_summer": 0.1,
    "vegetation_diffusivity_winter": 1.4e-6,
    "vegetation_diffusivity_summer": 5.6e-8,
}


def refuse(*args, **kwargs):
    pytest.fail("something was computed early")


def arrays(*values):
    return [np.asarray(v, dtype="float64") for v in values]


def run(**changes):
    return kudryavtsev(**{**K1, **changes})


def test_the_first_known_answer():
    out = kudryavtsev(**K1)
    assert round(out.snow_offset, 4) == 2.8571
    assert round(out.mean_annual_ground_surface_temperature, 4) == -7.1429
    assert round(out.ground_surface_amplitude, 4) == 18.1811
    assert round(out.magt, 4) == -8.3289
    assert round(out.active_layer_thickness, 4) == 0.7642
    assert np.isnan(out.seasonal_frost_depth)
    assert round(out.thermal_offset, 4) == round(-8.3289 + 7.1429, 4)


def test_what_lies_between_in_the_first_known_answer():
    depth, middle, simple = penetration(*arrays(18.1811, -8.3289, 1.0, 2.6e6, 3.34e8 * 0.4), 365.25)
    assert [round(float(v), 4) for v in (depth, middle, simple)] == [0.7642, 13.0464, 0.4999]


def test_the_third_known_answer():
    out = kudryavtsev(**K3)
    assert round(out.magt, 4) == -10.0
    assert round(out.active_layer_thickness, 4) == 0.9828
    assert out.thermal_offset == pytest.approx(0.0, abs=1e-12)


@pytest.mark.parametrize(
    ("case", "magt", "thaw"), [(K1, -8.285, 0.876), (K3, -9.999, 1.063)], ids=["K1", "K3"]
)
def test_the_column_agrees(case, magt, thaw):
    ku = kudryavtsev(**case)
    layer = SoilLayer(
        float("inf"),
        water=0.4,
        porosity=0.4,
        conductivity_thawed=case["thawed_conductivity"],
        conductivity_frozen=case["frozen_conductivity"],
        heat_capacity_thawed=case["thawed_heat_capacity"],
        heat_capacity_frozen=case["frozen_heat_capacity"],
    )
    surface = ku.mean_annual_ground_surface_temperature + ku.ground_surface_amplitude * np.sin(
        2 * np.pi * np.arange(365) / 365
    )
    series = xr.DataArray(
        surface,
        dims="time",
        coords={"time": pd.date_range("2001-01-01", periods=365)},
        attrs={"units": "degC"},
    )
    column = SoilColumn([layer], depth=40.0, geothermal_flux=0.0)
    result = simulate(column, series, depths=[0.0, 20.0], spin_up=SpinUp(60, 60, 1, 1.0))
    assert result.magt.item() == pytest.approx(magt, abs=0.05)
    assert result.active_layer_thickness.item() == pytest.approx(thaw, abs=0.03)
    assert abs(ku.magt - result.magt.item()) < 0.15
    assert 0.82 <= ku.active_layer_thickness / result.active_layer_thickness.item() <= 1.0


@pytest.mark.parametrize("mean", [-12.0, -7.1429, -1.0, 0.5, 4.0, 30.0, -30.0])
def test_the_temperature_is_the_mean_of_conductivity_times_temperature(mean):
    # A public implementation has pi squared in place of the squared temperature, and is 0.17 K off in K1.
    out = run(maat=mean, amplitude=18.1811, snow_depth=0.0)
    wave = mean + 18.1811 * np.sin(2 * np.pi * (np.arange(100_000) + 0.5) / 100_000)
    flux = np.where(wave > 0, 1.0, 1.8) * wave
    expected = flux.mean() / (1.8 if flux.mean() <= 0 else 1.0)
    assert out.magt == pytest.approx(expected, abs=1e-6)


def test_the_mistake_with_pi_would_be_seen():
    t, a, kt, kf = -7.1429, 18.1811, 1.0, 1.8
    wrong = 0.5 * t * (kf + kt) + a * (kt - kf) / np.pi * (
        t / a * np.arcsin(t / a) + np.sqrt(1 - np.pi**2 / a**2)
    )
    assert wrong / kf == pytest.approx(-8.497, abs=0.001)
    assert abs(kudryavtsev(**K1).magt - wrong / kf) > 0.15


def test_water_enters_the_heat_capacity_with_its_density():
    # 4190 J kg-1 K-1 times a fraction of the volume is not a heat capacity of a volume.
    thawed, frozen = ground_heat_capacity(np.array([0.0, 0.4]), 0.4)
    assert np.diff(thawed).item() == pytest.approx(4.19e6 * 0.4)
    assert np.diff(frozen).item() == pytest.approx(1.93e6 * 0.4)
    assert thawed[0] == frozen[0] == pytest.approx(0.6 * 2.1e6)


def test_a_heat_capacity_of_a_mass_is_refused():
    with pytest.raises(DataError, match=r"thawed_heat_capacity.*times the density"):
        run(thawed_heat_capacity=2600.0)


def test_heat_capacity_and_organic_ground():
    out = ground_heat_capacity(xr.DataArray([0.8], dims="x"), 0.85, 1.0)
    assert out["thawed_heat_capacity"].item() == pytest.approx(0.15 * 2.5e6 + 0.8 * 4.19e6)
    assert out["frozen_heat_capacity"].attrs["units"] == "J m-3 K-1"
    with pytest.raises(DataError, match="a porosity that holds the water"):
        ground_heat_capacity(0.5, 0.4)
    with pytest.raises(DataError, match="argument 'porosity'"):
        ground_heat_capacity(0.3, 40.0)


def field(values):
    return np.array(values, dtype="float64")


def test_inputs_are_not_changed_and_cells_do_not_touch():
    # The public implementation writes frozen conductivities into the array of thawed ones.
    inputs = {
        "maat": field([-10.0, 3.0, -2.0]),
        "thawed_conductivity": field([1.0, 1.1, 1.2]),
        "frozen_conductivity": field([1.8, 1.9, 2.0]),
        "thawed_heat_capacity": field([2.6e6, 2.7e6, 2.8e6]),
    }
    before = {k: v.copy() for k, v in inputs.items()}
    first, second = run(**inputs), run(**inputs)
    for name, value in inputs.items():
        np.testing.assert_array_equal(value, before[name])
    assert np.isfinite(first.active_layer_thickness).tolist() == [True, False, True]
    for i in range(3):
        alone = run(**{k: float(v[i]) for k, v in inputs.items()})
        np.testing.assert_array_equal([part[i] for part in first], alone)
        np.testing.assert_array_equal([part[i] for part in second], alone)


TEMPERATURE, AMPLITUDE = st.floats(-25, 15), st.floats(0, 35)
DEPTH = st.floats(0, 1.5)


@given(TEMPERATURE, AMPLITUDE, DEPTH, st.floats(0, 5))
def test_a_warmer_climate_is_never_colder_below_and_never_thaws_less(maat, amplitude, depth, more):
    cold, warm = (run(maat=t, amplitude=amplitude, snow_depth=depth) for t in (maat, maat + more))
    assert warm.magt >= cold.magt - 1e-9
    if np.isfinite(warm.active_layer_thickness):
        assert warm.active_layer_thickness >= cold.active_layer_thickness - 1e-9
    if np.isfinite(cold.seasonal_frost_depth):
        assert warm.seasonal_frost_depth <= cold.seasonal_frost_depth + 1e-9


@given(TEMPERATURE, AMPLITUDE, DEPTH, st.floats(0, 1))
def test_more_snow_never_cools(maat, amplitude, depth, more):
    thin, thick = (run(maat=maat, amplitude=amplitude, snow_depth=d) for d in (depth, depth + more))
    assert thick.magt >= thin.magt - 1e-9


@given(st.floats(-20, -3), st.floats(10, 30), st.floats(0.05, 0.8), st.floats(0, 0.2))
def test_more_ice_never_thaws_deeper(maat, amplitude, water, more):
    dry, wet = (
        run(maat=maat, amplitude=amplitude, melted_water_fraction=w).active_layer_thickness
        for w in (water, water + more)
    )
    assert np.isnan(dry) or wet <= dry + 1e-9


@given(TEMPERATURE, AMPLITUDE)
def test_on_bare_ground_it_is_ttop(maat, amplitude):
    thawing, freezing = degree_days_sinusoid(maat, amplitude)
    factors = {"n_freezing": 1.0, "n_thawing": 1.0, "conductivity_ratio": 1.0 / 1.8}
    out = run(maat=maat, amplitude=amplitude, snow_depth=0.0)
    assert out.magt == pytest.approx(ttop(freezing, thawing, **factors), abs=1e-9)


@given(TEMPERATURE, AMPLITUDE, DEPTH, st.booleans())
def test_every_year_has_one_kind_of_ground(maat, amplitude, depth, moss):
    out = run(maat=maat, amplitude=amplitude, snow_depth=depth, **(MOSS if moss else {}))
    assert np.isfinite(out.magt)
    assert (out.magt <= 0.0) == np.isfinite(out.active_layer_thickness)
    assert np.isnan(out.active_layer_thickness) != np.isnan(out.seasonal_frost_depth)
    assert np.nanmax([out.active_layer_thickness, out.seasonal_frost_depth]) >= 0.0
    assert out.ground_surface_amplitude >= 0.0


@pytest.mark.parametrize("amplitude", [0.0, 5.0, 14.999])
def test_ground_that_never_thaws_has_no_active_layer_and_no_offset(amplitude):
    out = run(maat=-15.0, amplitude=amplitude, snow_depth=0.0)
    assert out.magt == pytest.approx(-15.0)
    assert out.active_layer_thickness == 0.0
    assert out.thermal_offset == pytest.approx(0.0, abs=1e-12)


@pytest.mark.parametrize("moss", [{}, MOSS], ids=["bare", "moss"])
def test_ground_that_never_freezes_has_no_frost(moss):
    out = run(maat=15.0, amplitude=5.0, snow_depth=0.0, **moss)
    assert out.seasonal_frost_depth == 0.0
    assert np.isnan(out.active_layer_thickness)
    assert out.magt == pytest.approx(out.mean_annual_ground_surface_temperature)


def test_no_climate_at_all_is_no_thaw():
    out = run(maat=0.0, amplitude=0.0, snow_depth=0.0)
    assert (out.magt, out.active_layer_thickness) == (0.0, 0.0)


def test_thaw_ends_where_the_seasons_do_without_a_jump():
    depths = [run(maat=-10.0, amplitude=a, snow_depth=0.0).active_layer_thickness for a in (10.0001, 10.01)]
    assert 0.0 < depths[0] < depths[1] < 0.05


@given(st.floats(-15, -0.5), st.floats(16, 30))
def test_without_water_the_wave_ends_where_it_has_shrunk_to_the_mean(maat, amplitude):
    ground = {"melted_water_fraction": 0.0, "frozen_conductivity": 1.0, "frozen_heat_capacity": 2.6e6}
    out = run(maat=maat, amplitude=amplitude, snow_depth=0.0, **ground)
    d = np.sqrt(1.0 / 2.6e6 * 365.25 * 86400 / np.pi)
    assert out.active_layer_thickness == pytest.approx(d * np.log(amplitude / -maat))


def test_dry_ground_at_zero_has_no_bottom():
    ground = {"melted_water_fraction": 0.0, "frozen_conductivity": 1.0}
    assert run(maat=0.0, snow_depth=0.0, **ground).active_layer_thickness == np.inf


def test_seasonal_frost_mirrors_thaw():
    # The same ground, turned about 0 degC: frozen and thawed properties change places.
    mirrored = {
        "thawed_conductivity": GROUND["frozen_conductivity"],
        "frozen_conductivity": GROUND["thawed_conductivity"],
        "thawed_heat_capacity": GROUND["frozen_heat_capacity"],
        "frozen_heat_capacity": GROUND["thawed_heat_capacity"],
    }
    thaw = run(snow_depth=0.0)
    frost = run(maat=10.0, snow_depth=0.0, **mirrored)
    assert frost.magt == pytest.approx(-thaw.magt)
    assert frost.seasonal_frost_depth == pytest.approx(thaw.active_layer_thickness)


def test_snow_is_that_of_the_n_factor():
    snow = {"snow_density": 250.0, "conductivity_method": "sturm1997", "heat_capacity": 2090.0}
    offset = kudryavtsev_snow_offset(20.0, 0.2, **snow)
    assert kudryavtsev(**K1).snow_offset == offset


def test_vegetation_by_hand():
    out = run(snow_depth=0.0, **MOSS)
    # A third of the year is thawed: asin(-1/2) = -pi/6.
    year = 365.25 * 86400
    winter, summer = 2 / 3 * year, 1 / 3 * year
    a1 = 30.0 * (1 - np.exp(-0.1 * np.sqrt(np.pi / (2 * 1.4e-6 * winter))))
    a2 = 10.0 * (1 - np.exp(-0.1 * np.sqrt(np.pi / (2 * 5.6e-8 * summer))))
    assert out.vegetation_offset == pytest.approx(2 / np.pi * (a1 * 2 / 3 - a2 / 3))
    assert out.ground_surface_amplitude == pytest.approx(20.0 - (a1 * 2 / 3 + a2 / 3))


def test_where_snow_leaves_no_winter_moss_damps_the_summer_alone():
    climate = {"maat": -2.0, "amplitude": 10.0, "snow_depth": 3.0}
    bare, out = run(**climate), run(**climate, **MOSS)
    mean, swing = bare.mean_annual_ground_surface_temperature, bare.ground_surface_amplitude
    assert mean > swing
    share = 0.5 + np.arcsin(-0.2) / np.pi
    ratio = np.exp(-0.1 * np.sqrt(np.pi / (2 * 5.6e-8 * share * 365.25 * 86400)))
    assert out.vegetation_offset == pytest.approx(-2 / np.pi * (swing + mean) * (1 - ratio) * share)


def test_moss_that_insulates_more_in_summer_cools_the_surface_and_thins_the_active_layer():
    bare, mossy = run(), run(**MOSS)
    assert mossy.vegetation_offset < 0.0
    assert mossy.mean_annual_ground_surface_temperature < bare.mean_annual_ground_surface_temperature
    assert mossy.active_layer_thickness < bare.active_layer_thickness


@pytest.mark.parametrize("name", ["maat", "snow_depth", "melted_water_fraction", "vegetation_height_winter"])
def test_missing_values_stay_missing(name):
    out = run(**{**MOSS, name: field([np.nan, K1.get(name, 0.1)])})
    assert np.isnan(out.active_layer_thickness).tolist() == [True, False]
    assert np.isnan(out.seasonal_frost_depth).all()


def test_every_kind_of_input_gives_the_same_and_tells_the_snow_conductivity():
    rng = np.random.default_rng(0)
    maat = xr.DataArray(rng.uniform(-15, 5, (4, 5)), dims=("lat", "lon"), attrs={"units": "degC"})
    snow = xr.DataArray(rng.uniform(0, 0.6, 5), dims="lon", attrs={"units": "m"})
    fixed = {k: v for k, v in K1.items() if k not in ("maat", "snow_depth")}
    eager = kudryavtsev(maat, snow_depth=snow, **fixed)
    kelvin = (maat + 273.15).assign_attrs(units="K").chunk(lat=1, lon=3)
    with dask.config.set(scheduler=refuse):
        lazy = kudryavtsev(kelvin, snow_depth=snow, **fixed)
    xr.testing.assert_allclose(lazy.compute(scheduler="synchronous"), eager, rtol=1e-9)
    array = kudryavtsev(maat.values, snow_depth=snow.values, **fixed)
    for name, values in array._asdict().items():
        np.testing.assert_array_equal(eager[name], values)
    assert eager.attrs["snow_conductivity_method"] == "sturm1997"
    assert eager["magt"].attrs["snow_conductivity_method"] == "sturm1997"
    assert eager["magt"].attrs["units"] == "degC"
    assert eager["snow_offset"].attrs["units_metadata"] == "temperature: difference"


@pytest.mark.parametrize(
    ("change", "error", "text"),
    [
        ({"maat": 263.15}, UnitsError, "subtract 273.15"),
        ({"amplitude": -1.0}, DataError, "argument 'amplitude'"),
        ({"amplitude": 290.0}, UnitsError, "amplitude of 290 K"),
        ({"snow_depth": 60.0}, DataError, "give the depth in m"),
        ({"snow_density": 0.25}, UnitsError, "multiply by 1000"),
        ({"conductivity_method": "sturm"}, UsageError, "'sturm' is not known"),
        ({"melted_water_fraction": 40.0}, DataError, "divide per cent by 100"),
        ({"thawed_conductivity": 0.0}, DataError, "thawed_conductivity"),
        ({"frozen_conductivity": -1.0}, DataError, "frozen_conductivity"),
        ({"vegetation_height_winter": 0.1}, UsageError, "vegetation_diffusivity_winter.*m2 s-1"),
        ({**MOSS, "vegetation_height_summer": 30.0}, DataError, "give the height in m"),
        ({**MOSS, "vegetation_diffusivity_summer": 0.056}, DataError, "vegetation_diffusivity_summer"),
    ],
)
def test_what_cannot_be_is_refused(change, error, text):
    with pytest.raises(error, match=text):
        run(**change)
