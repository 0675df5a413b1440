"""The face of the transient column: labels, chunks, resuming, gaps, and input that is wrong."""

import pickle

import cftime
import dask
import numpy as np
import pandas as pd
import pytest
import xarray as xr

from geotools.errors import GeotoolsWarning, UsageError
from geotools.permafrost import (
    EnergyError,
    ForcingGapError,
    MushyZone,
    PowerLaw,
    SnowCover,
    SoilColumn,
    SoilLayer,
    SpinUp,
    VanGenuchten,
    column_edges,
    column_fields,
    column_run,
    column_state,
    simulate,
)
from tests.permafrost.columns import DEEP, SNOW, air, column, run, snow_like


def test_dimensions_and_attributes_are_those_of_the_forcing_and_of_cf():
    out = run(air(shape=(2, 3)), outputs=("annual", "series", "profiles"))
    assert out.tsl_mean.dims == ("year", "depth", "lat", "lon")
    assert out.tsl.dims == ("time", "depth", "lat", "lon")
    assert out.liquid_share.dims == ("time", "cell", "lat", "lon")
    assert out.year.values.tolist() == [2001, 2002, 2003]
    assert out.tsl.attrs["standard_name"] == "soil_temperature"
    assert out.tsl.attrs["units"] == "degC"
    assert out.depth.attrs["positive"] == "down"
    assert out.active_layer_thickness.attrs["units"] == "m"
    assert "Casulli-Zanolli" in out.attrs["method"]
    assert "turf" in out.attrs["column"]
    assert "geometric" in out.attrs["column"]


def test_names_and_curvilinear_coordinates_stay():
    forcing = air(end="2001-12-31", shape=(1, 2)).assign_coords(
        station=("lon", ["Yakutsk", "Tiksi"]), lat2d=(("lat", "lon"), [[62.0, 71.6]]), height=2.0
    )
    out = run(forcing)
    assert out.tsl_mean.station.values.tolist() == ["Yakutsk", "Tiksi"]
    assert out.lat2d.dims == ("lat", "lon")
    state = column_state(out)
    later = air("2002-01-01", "2002-12-31", shape=(1, 2)).assign_coords(height=10.0)
    assert simulate(column(), later, state=state, depths=[0.5]).height.item() == 10.0


def test_the_snow_conductivity_method_is_told():
    forcing = air()
    out = run(forcing, snow_depth=snow_like(forcing), snow=SNOW)
    assert "calonne2011" in out.attrs["snow"]
    assert run(forcing).attrs["snow"] == "none"


def test_annual_statistics_are_those_of_the_series():
    out = run(air(), outputs=("annual", "series"))
    years = out.tsl.groupby("time.year")
    np.testing.assert_allclose(out.tsl_mean, years.mean("time"), atol=1e-10)
    # Extremes are kept at the centres of cells, and are interpolated like all else.
    np.testing.assert_allclose(out.tsl_minimum, years.min("time"), atol=0.05)
    np.testing.assert_allclose(out.tsl_maximum, years.max("time"), atol=0.05)


def test_the_active_layer_is_where_the_warmest_day_of_the_profiles_has_it():
    out = run(air(), outputs=("annual", "profiles"))
    thickness = xr.DataArray(column().thickness, dims="cell")
    highest = out.liquid_share.groupby("time.year").max("time")
    thawed = (highest.where((highest < 1).cumsum("cell") <= 1, 0.0) * thickness).sum("cell")
    np.testing.assert_allclose(out.active_layer_thickness, thawed, atol=1e-9)


def test_the_mean_temperature_is_that_at_the_permafrost_table():
    depths = np.arange(0.0, 5.0, 0.02)
    out = run(air(), depths=depths)
    at = [
        np.interp(d, depths, row)
        for d, row in zip(out.active_layer_thickness.values, out.tsl_mean.values, strict=True)
    ]
    np.testing.assert_allclose(out.magt, at, atol=0.01)


def test_ground_that_stays_frozen_has_an_active_layer_of_nothing():
    out = run(air(mean=-60.0), initial_temperature=-60.0)
    assert (out.active_layer_thickness == 0.0).all()


def test_ground_without_permafrost_has_no_active_layer():
    out = run(air(mean=12.0), initial_temperature=12.0)
    assert np.isnan(out.active_layer_thickness).all()
    assert np.isnan(out.magt).all()


@pytest.mark.parametrize("curve", [MushyZone(), PowerLaw(), VanGenuchten(1.0, 1.6, 0.02)], ids=repr)
def test_chunks_of_columns_change_nothing_and_compute_nothing_early(curve):
    ground = column().with_layer(1, freezing_curve=curve)
    forcing = air(end="2001-12-31", shape=(3, 5))
    options = {
        "snow_depth": snow_like(forcing),
        "snow": SNOW,
        "outputs": ("annual", "series"),
        "initial_temperature": -4.0,
    }
    eager = simulate(ground, forcing, **options)

    def refuse(*_, **__):
        raise AssertionError("something was computed early")

    with dask.config.set(scheduler=refuse):
        lazy = simulate(ground, forcing.chunk(lat=2, lon=3, time=100), **options)
    with dask.config.set(scheduler="threads"):
        xr.testing.assert_identical(lazy.compute(), eager)


def test_one_task_runs_a_chunk_of_columns(monkeypatch):
    calls = []
    true_run = column_fields.run_columns
    monkeypatch.setattr(
        column_fields, "run_columns", lambda *given: calls.append(given[1].shape) or true_run(*given)
    )
    lazy = run(air(end="2001-12-31", shape=(4, 4)).chunk(lat=2, lon=4, time=50), outputs=("annual", "series"))
    assert calls == []
    lazy.compute(scheduler="synchronous")
    assert calls == [(8, 365), (8, 365)]


def test_missing_columns_stay_missing_and_do_not_touch_others():
    forcing = air(shape=(2, 2))
    holed = forcing.copy(data=np.where(np.arange(4).reshape(2, 2) == 1, np.nan, forcing.values))
    out, whole = run(holed), run(forcing)
    assert np.isnan(out.tsl_mean.isel(lat=0, lon=1)).all()
    xr.testing.assert_identical(out.tsl_mean.isel(lat=1), whole.tsl_mean.isel(lat=1))


def test_layers_and_flux_may_vary_over_columns():
    forcing = air(shape=(1, 2)).isel(lat=0)
    water = xr.DataArray([0.2, 0.4], dims="lon", attrs={"units": "1"})
    turf = xr.DataArray([0.0, 0.2], dims="lon", attrs={"units": "m"})
    flux = xr.DataArray([40.0, 60.0], dims="lon", attrs={"units": "mW m-2"})
    layers = [
        SoilLayer(turf, water=0.5, porosity=0.85, organic=1.0),
        SoilLayer(DEEP, water=water, porosity=0.42, freezing_curve=PowerLaw()),
    ]
    edges = column_edges(15.0)
    together = simulate(
        SoilColumn(layers, edges=edges, geothermal_flux=flux), forcing, initial_temperature=-4.0
    )
    for i in range(2):
        one = [
            SoilLayer(float(turf[i]), water=0.5, porosity=0.85, organic=1.0),
            SoilLayer(DEEP, water=float(water[i]), porosity=0.42, freezing_curve=PowerLaw()),
        ]
        alone = simulate(
            SoilColumn(one, edges=edges, geothermal_flux=float(flux[i]) / 1000),
            forcing.isel(lon=i),
            initial_temperature=-4.0,
        )
        np.testing.assert_allclose(together.tsl_mean.isel(lon=i), alone.tsl_mean, rtol=0, atol=1e-12)


def test_snow_may_vary_over_columns_in_its_own_units():
    forcing = air(end="2001-12-31", shape=(1, 2)).isel(lat=0)
    density = xr.DataArray([0.15, 0.3], dims="lon", attrs={"units": "g cm-3"})
    snow = {"snow_depth": snow_like(forcing)}
    together = run(forcing, snow=SnowCover(density, conductivity_method="yen1981"), **snow)
    for i, one in enumerate((150.0, 300.0)):
        alone = run(forcing.isel(lon=i), snow=SnowCover(one, conductivity_method="yen1981"), **snow)
        np.testing.assert_allclose(together.tsl_mean.isel(lon=i), alone.tsl_mean, atol=1e-9)
    assert (together.tsl_mean.isel(lon=0) > together.tsl_mean.isel(lon=1)).all()


def test_kelvins_and_centimetres_are_converted_by_their_units():
    forcing = air()
    snow = snow_like(forcing)
    plain = run(forcing, snow_depth=snow, snow=SNOW)
    other = run(
        (forcing + 273.15).assign_attrs(units="K"),
        snow_depth=(snow * 100).assign_attrs(units="cm"),
        snow=SNOW,
    )
    np.testing.assert_allclose(other.tsl_mean, plain.tsl_mean, atol=1e-9)


def test_other_calendars_make_their_own_years():
    time = xr.date_range("2001-01-01", periods=720, freq="1D", calendar="360_day", use_cftime=True)
    forcing = xr.DataArray(
        -9 + 24 * np.cos(2 * np.pi * (np.arange(720) - 200) / 360),
        dims="time",
        coords={"time": time},
        attrs={"units": "degC"},
    )
    out = run(forcing)
    assert out.year.values.tolist() == [2001, 2002]
    assert isinstance(out.state_end.item(), cftime.datetime)


def test_years_that_the_record_does_not_hold_whole_are_left_out():
    out = run(air("2001-03-01", "2003-11-30"))
    assert out.year.values.tolist() == [2002]


@pytest.mark.parametrize("cut", ["2001-12-31", "2002-05-17"])
def test_a_run_in_two_parts_is_the_run_in_one(cut, tmp_path):
    forcing = air()
    options = {"snow": SNOW, "outputs": ("annual", "series"), "depths": [0.0, 0.5, 2.0]}
    whole = simulate(column(), forcing, snow_depth=snow_like(forcing), initial_temperature=-4.0, **options)
    first, second = (
        forcing.sel(time=slice(None, cut)),
        forcing.sel(time=slice(pd.Timestamp(cut) + pd.Timedelta("1D"), None)),
    )
    begun = simulate(column(), first, snow_depth=snow_like(first), initial_temperature=-4.0, **options)
    column_state(begun).to_netcdf(tmp_path / "state.nc")
    with xr.open_dataset(tmp_path / "state.nc") as state:
        ended = simulate(column(), second, snow_depth=snow_like(second), state=state.load(), **options)
    np.testing.assert_array_equal(np.concatenate([begun.tsl_mean, ended.tsl_mean]), whole.tsl_mean)
    np.testing.assert_array_equal(np.concatenate([begun.tsl, ended.tsl]), whole.tsl)
    np.testing.assert_array_equal(
        np.concatenate([begun.active_layer_thickness, ended.active_layer_thickness]),
        whole.active_layer_thickness,
    )
    np.testing.assert_array_equal(ended.state_enthalpy, whole.state_enthalpy)


@pytest.mark.parametrize("curve", [PowerLaw(), VanGenuchten(1.0, 1.6, 0.02)], ids=repr)
def test_tables_remember_nothing_that_a_state_does_not_hold(curve):
    # Lines of the tables are kept from step to step; a run that goes on begins without them.
    ground, forcing = column().with_layer(1, freezing_curve=curve), air(end="2002-12-31", shape=(1, 3))
    options = {"depths": [0.5, 2.0], "outputs": ("series",)}
    whole = simulate(ground, forcing, initial_temperature=-1.0, **options)
    state, parts = None, []
    for cut in np.array_split(np.arange(forcing.sizes["time"]), 7):
        start = {"initial_temperature": -1.0} if state is None else {"state": state}
        part = simulate(ground, forcing.isel(time=cut), **start, **options)
        state = column_state(part)
        parts.append(part.tsl)
    np.testing.assert_array_equal(xr.concat(parts, "time"), whole.tsl)


@pytest.mark.parametrize("kind", ["times", "values"])
def test_a_gap_stops_with_a_state_to_go_on_from(kind):
    forcing = air(shape=(1, 2))
    whole = run(forcing)
    gap = slice("2002-06-10", "2002-06-12")
    if kind == "times":
        holed = forcing.drop_sel(time=forcing.sel(time=gap).time.values)
    else:
        holed = forcing.copy()
        holed.loc[{"time": gap}] = np.nan
    with pytest.raises(ForcingGapError, match=r"no (forcing|value).*2002-06-(09|10)") as caught:
        run(holed)
    assert caught.value.time == np.datetime64("2002-06-10")
    rest = simulate(
        column(),
        forcing.sel(time=slice("2002-06-10", None)),
        state=caught.value.state,
        depths=[0.0, 0.5, 2.0],
    )
    np.testing.assert_array_equal(rest.tsl_mean, whole.tsl_mean.sel(year=[2002, 2003]))


def test_a_gap_in_one_column_is_a_gap():
    forcing = air(shape=(1, 3))
    forcing[200, 0, 1] = np.nan
    with pytest.raises(ForcingGapError, match="2001-07-20"):
        run(forcing)


def test_a_gap_in_the_snow_is_a_gap():
    forcing = air()
    snow = snow_like(forcing)
    snow[100] = np.nan
    with pytest.raises(ForcingGapError, match="2001-04-11"):
        run(forcing, snow_depth=snow, snow=SNOW)


def test_a_lazy_gap_is_met_when_it_is_computed():
    forcing = air(end="2001-12-31", shape=(2, 2))
    forcing[200, 1, 1] = np.nan
    lazy = run(forcing.chunk(lat=1))
    with pytest.raises(
        ForcingGapError, match=r"no value at 2001-07-20 in 1 of 2 columns.*times before 2001-07-20"
    ):
        lazy.tsl_mean.compute()


def test_a_state_of_another_column_or_time_is_refused():
    forcing = air(end="2001-12-31")
    state = column_state(run(forcing))
    later = air("2002-01-01", "2002-12-31")
    other = column().with_layer(0, water=0.3)
    with pytest.raises(UsageError, match="another column"):
        simulate(other, later, state=state)
    with pytest.raises(UsageError, match="forcing from 2002-01-01"):
        simulate(column(), air("2002-02-01", "2003-12-31"), state=state)
    with pytest.raises(UsageError, match="argument 'state'"):
        simulate(column(), later, state=later.to_dataset())
    with pytest.raises(UsageError, match="with a spin-up"):
        simulate(column(), later, state=state, initial_temperature=1.0)


def test_spin_up_ends_when_nothing_changes_any_more():
    how = SpinUp(min_years=12, max_years=400, cycle_years=3, tolerance=0.01)
    forcing = air(mean=-12.0)
    out = simulate(column(), forcing, depths=[1.0, 5.0], spin_up=how)
    assert 12 <= out.spin_up_years.item() < 400
    assert out.spin_up_change.item() <= 0.01
    longer = simulate(column(), forcing, depths=[1.0, 5.0], spin_up=SpinUp(500, 500, 3, 1.0))
    np.testing.assert_allclose(out.tsl_mean, longer.tsl_mean, atol=0.15)


def test_spin_up_without_balance_warns():
    with pytest.warns(GeotoolsWarning, match="1 of 1 columns were not in balance"):
        simulate(column(), air(), spin_up=SpinUp(1, 3, 1, 1e-6))


def test_a_run_that_does_not_close_raises(monkeypatch):
    true_march = column_run.march

    def leaking(ground, forcing, state, *rest):
        true_march(ground, forcing, state, *rest)
        state.enthalpy[3] += 1e4

    monkeypatch.setattr(column_run, "march", leaking)
    with pytest.raises(EnergyError, match="heat content changed by"):
        run(air())


def test_an_error_comes_back_whole_from_another_process():
    error = ForcingGapError("no forcing", where="here", todo="fill it")
    again = pickle.loads(pickle.dumps(error))
    assert type(again) is ForcingGapError
    assert again.todo == "fill it"
