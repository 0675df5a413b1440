"""What a user may give the column that cannot be, and what it is told."""

import pickle

import numpy as np
import pytest
import xarray as xr

from geotools.errors import DataError, GeotoolsWarning, UnitsError, UsageError
from geotools.permafrost import (
    ForcingGapError,
    MushyZone,
    PowerLaw,
    SnowCover,
    SoilColumn,
    SoilLayer,
    SpinUp,
    VanGenuchten,
    column_state,
    simulate,
)
from tests.permafrost.columns import DEEP, SNOW, air, column, run, snow_like


def bad_layer(**changes):
    return lambda: SoilLayer(**{"thickness": DEEP, "water": 0.3, "porosity": 0.4, **changes})


@pytest.mark.parametrize(
    ("make", "error", "match"),
    [
        (bad_layer(porosity=1.2), DataError, "porosity.*at most 1"),
        (bad_layer(porosity=42.0), DataError, "not per cent"),
        (bad_layer(water=0.6), DataError, "fills 0.6 of the volume, the pores 0.4"),
        (bad_layer(water=-0.1), DataError, "water"),
        (bad_layer(conductivity_frozen=-1.0), DataError, "conductivity_frozen.*above 0"),
        (bad_layer(conductivity_thawed=0.0), DataError, "conductivity_thawed.*above 0"),
        (bad_layer(heat_capacity_thawed=2.8), DataError, "J m-3 K-1"),
        (bad_layer(thickness=-1.0), DataError, "thickness"),
        (lambda: MushyZone(0.0), DataError, "width"),
        (lambda: MushyZone(0.1, 2.0), DataError, "upper"),
        (lambda: PowerLaw(-0.1), DataError, "factor"),
        (lambda: VanGenuchten(1.0, 0.9), DataError, "above 1"),
        (lambda: VanGenuchten(1.0, 1.5, 1.5), DataError, "residual"),
        (lambda: column(edges=[0.0, 0.2, 0.1, 5.0]), DataError, "0.1 m follows 0.2 m"),
        (lambda: column(edges=[0.1, 0.2, 0.3]), DataError, "from 0 down"),
        (lambda: column(geothermal_flux=50.0), DataError, "50 mW m-2 are 0.05"),
        (lambda: column(conductivity_blend="harmonic"), UsageError, "geometric or arithmetic or three_zone"),
        (bad_layer(water=0.8, name="ice complex"), DataError, "layer 'ice complex'.*counts the excess ice"),
        (bad_layer(porosity=float("nan")), DataError, "layer, porosity: NaN"),
        (bad_layer(porosity="0.4"), UsageError, "'0.4' is no number"),
        (bad_layer(water=None), UsageError, "layer, water: None is no number"),
        (bad_layer(porosity=[0.3, 0.4]), UsageError, "wrap it in a DataArray"),
        (bad_layer(porosity=np.array(1.4)), DataError, "not per cent"),
        (bad_layer(conductivity_frozen=2000.0), DataError, "at most 20 W m-1 K-1"),
        (
            bad_layer(conductivity_frozen=xr.DataArray([1.0], dims="x")),
            UnitsError,
            "frozen: no units attribute",
        ),
        (bad_layer(freezing_curve="mushy"), UsageError, "'mushy' is no freezing curve.*MushyZone, PowerLaw"),
        (lambda: SoilColumn([bad_layer()(), bad_layer()()]), DataError, "layer 0 is infinite, and 1 more"),
        (lambda: SoilColumn(bad_layer()()), UsageError, "a SoilLayer; expected a list of SoilLayer"),
        (lambda: SoilColumn(["silt"]), UsageError, "a list of SoilLayer"),
        (lambda: column(edges=["a", "b"]), UsageError, "are no numbers"),
        (lambda: column(edges=[0.0, -1.0, -2.0]), DataError, "-1 m follows 0 m.*positive down"),
        (lambda: column(depth="15"), UsageError, "argument 'depth': '15' is no number"),
        (lambda: column(depth=-15.0), DataError, "argument 'depth'"),
        (lambda: SnowCover(0.2, conductivity=0.1), UnitsError, "multiply by 1000"),
        (lambda: SnowCover("fresh", conductivity=0.1), UsageError, "density: 'fresh' is no number"),
        (lambda: SnowCover(200.0, conductivity=0.1, heat_capacity=2.1), DataError, "ice has 2100"),
        (lambda: SpinUp(max_years=10), UsageError, "max_years=10; expected.*at least 50"),
        (lambda: SpinUp(min_years=2.5), UsageError, "a whole number of years"),
        (lambda: SpinUp(cycle_years=0), UsageError, "at least 1"),
        (lambda: SpinUp(tolerance=-1.0), UsageError, "tolerance=-1.0; expected a number above 0"),
        (lambda: SoilColumn([]), UsageError, "no layers"),
        (lambda: SoilColumn([bad_layer(thickness=2.0)()], depth=10.0), DataError, "layers end at 2 m"),
        (lambda: SnowCover(200.0), UsageError, "choose a method"),
        (lambda: SnowCover(200.0, conductivity_method="jordan"), UsageError, "conductivity_method"),
        (lambda: SnowCover(200.0, conductivity=-0.1), DataError, "snow conductivity"),
    ],
)
def test_ground_and_snow_that_cannot_be_are_refused(make, error, match):
    with pytest.raises(error, match=match):
        make()


def test_fields_that_cannot_be_are_refused_too():
    porosity = xr.DataArray([0.4, 0.2], dims="lon", attrs={"units": "1"})
    forcing = air(end="2001-12-31", shape=(1, 2)).isel(lat=0)
    ground = SoilColumn([SoilLayer(DEEP, water=0.3, porosity=porosity)], depth=5.0)
    with pytest.raises(DataError, match=r"fills 0\.3 of the volume, the pores 0\.2"):
        simulate(ground, forcing, initial_temperature=0.0)


@pytest.mark.parametrize(
    ("options", "error", "match"),
    [
        ({"depths": [0.0, 20.0]}, DataError, "20 m in a column of 15 m"),
        ({"depths": [1.0, 0.5]}, DataError, "depths that grow"),
        ({"depths": [-0.5, 0.5]}, DataError, "positive down"),
        ({"depths": [0.0, float("nan")]}, DataError, "depths that grow"),
        ({"depths": 1.0}, UsageError, "put a single depth in brackets"),
        ({"depths": []}, UsageError, "no depths"),
        ({"depths": ["1 m"]}, UsageError, "are no numbers"),
        ({"initial_temperature": "cold"}, UsageError, "'cold' is no number"),
        (
            {"spin_up": 50, "initial_temperature": None},
            UsageError,
            "argument 'spin_up': a int; expected a SpinUp",
        ),
        (
            {"state": "state.nc", "initial_temperature": None},
            UsageError,
            "argument 'state': a str; expected a Dataset",
        ),
        ({"snow": 200.0, "snow_depth": snow_like(air(end="2001-12-31"))}, UsageError, "expected a SnowCover"),
        ({"outputs": ("daily",)}, UsageError, "annual or series or profiles"),
        ({"snow": SNOW}, UsageError, "only one of snow_depth and snow"),
        ({"initial_temperature": 270.0}, UnitsError, "initial_temperature"),
    ],
)
def test_options_that_do_not_fit_are_refused(options, error, match):
    with pytest.raises(error, match=match):
        run(air(end="2001-12-31"), **options)


def test_kelvins_called_degrees_are_refused():
    with pytest.raises(UnitsError, match=r"subtract 273\.15"):
        run((air() + 273.15).assign_attrs(units="degC"))
    with pytest.raises(UnitsError, match="no units attribute"):
        run(air().drop_attrs())


def test_centimetres_of_snow_called_metres_are_refused():
    forcing = air()
    with pytest.raises(UnitsError, match="divide by 100"):
        run(forcing, snow_depth=(100 * snow_like(forcing)).assign_attrs(units="m"), snow=SNOW)


def test_a_forcing_shorter_than_a_year_has_no_annual_statistics():
    short = air(end="2001-10-31")
    with pytest.raises(DataError, match="hold no whole calendar year"):
        run(short)
    with pytest.raises(DataError, match="a spin-up"):
        simulate(column(), short, outputs=("series",), depths=[0.5])
    assert run(short, outputs=("series",)).tsl.sizes["time"] == short.sizes["time"]


@pytest.mark.parametrize(
    ("change", "match"),
    [
        (lambda f: f.isel(time=slice(None, None, -1)), "times that grow"),
        (lambda f: f.isel(time=[0, 1, 1, 2]), "times that grow"),
        (lambda f: f.isel(time=[0]), "at least two steps"),
        (lambda f: f.isel(time=[0, 31, 59, 90]), "steps of one length.*daily_from_monthly"),
        (lambda f: f.assign_coords(time=f.time.where(f.time.dt.dayofyear != 5)), "step 5 has no date"),
    ],
)
def test_times_that_make_no_steps_are_refused(change, match):
    with pytest.raises(DataError, match=match):
        run(change(air()))


def test_forcing_without_labels_is_refused():
    with pytest.raises(UsageError, match="expected a DataArray"):
        run(np.zeros(400))
    with pytest.raises(UsageError, match="a dimension 'time'"):
        run(air().rename(time="t"))
    with pytest.raises(UsageError, match="'cell'"):
        run(air(shape=(1, 1)).rename(lat="cell"))


def test_snow_of_other_times_is_refused():
    with pytest.raises(DataError, match="the same times"):
        run(air(), snow_depth=snow_like(air(end="2002-12-31")), snow=SNOW)


def test_a_name_in_place_of_a_column_is_refused():
    with pytest.raises(UsageError, match="argument 'column': a str; expected a SoilColumn"):
        simulate("turf over silt", air())


def test_times_that_are_numbers_are_no_dates():
    with pytest.raises(UsageError, match=r"times of type int64; expected dates.*date_range"):
        run(air().assign_coords(time=np.arange(1095)))


def coded(value, at=100):
    forcing = air()
    forcing[at] = value
    return forcing


@pytest.mark.parametrize(
    ("forcing", "error", "match"),
    [
        (coded(-9999.0), DataError, r"such as -9999.*mask the fill value"),
        (coded(999.9), DataError, r"such as 999\.9.*mask the fill value"),
        (coded(np.inf), DataError, r"such as inf.*mask the fill value"),
        # Within what temperatures may be, but written by no thermometer.
        (coded(99.9), DataError, r"1 of 1095 values are 99\.9.*field\.where\(field != 99\.9\)"),
        (coded(-99.9).astype("float32"), DataError, r"1 of 1095 values are -99\.9"),
        (air(units="K"), DataError, "set the units attribute to 'degC' if 273.15 was taken off twice"),
        (air().astype(str), DataError, "expected numbers"),
        (air().astype(object), DataError, "values of type object"),
        (air(units="m"), UnitsError, "argument 'surface_temperature': units 'm' cannot be converted"),
    ],
)
@pytest.mark.parametrize("lazy", [False, True])
def test_values_that_are_no_temperatures_are_refused(forcing, error, match, lazy):
    with pytest.raises(error, match=match):
        run(forcing.chunk() if lazy else forcing).compute(scheduler="synchronous")


def test_snow_that_cannot_be_is_refused():
    forcing = air()
    snow = snow_like(forcing)
    whole = (snow * 16).round().assign_attrs(units="m")
    for depth, error, match in (
        (whole, UnitsError, "a snow depth of 5 m, and only whole metres.*centimetres"),
        (snow.where(snow < 0.29, 9999.0).assign_attrs(units="m"), UnitsError, "9999 m.*mask the fill value"),
        (snow.where(snow < 0.29, -1.0).assign_attrs(units="m"), DataError, "snow depths are negative"),
        (snow.assign_attrs(units="kg m-2"), UnitsError, "argument 'snow_depth': units 'kg m-2'"),
        (snow.drop_attrs(), UnitsError, "argument 'snow_depth': no units attribute"),
    ):
        with pytest.raises(error, match=match):
            run(forcing, snow_depth=depth, snow=SNOW)


def test_few_snow_depths_may_be_whole_metres():
    forcing = air(end="2001-12-31")
    deep = xr.full_like(forcing, 3.0).assign_attrs(units="m")
    assert np.isfinite(run(forcing, snow_depth=deep, snow=SNOW).magt).all()


def test_snow_that_is_missing_in_summer_gets_a_hint():
    forcing = air()
    snow = snow_like(forcing)
    with pytest.raises(ForcingGapError, match=r"snow_depth: no value at 2001-04-2.*snow_depth\.fillna\(0\)"):
        run(forcing, snow_depth=snow.where(snow > 0), snow=SNOW)


def test_columns_that_differ_are_told_by_name():
    forcing = air(end="2001-12-31", shape=(1, 2)).isel(lat=0)
    flux = xr.DataArray([0.04, 0.05, 0.06], dims="lon", attrs={"units": "W m-2"})
    with pytest.raises(
        UsageError, match="geothermal and surface_temperature differ along 'lon': 3 and 2 values"
    ):
        simulate(column(geothermal_flux=flux), forcing, initial_temperature=0.0)
    here, there = (forcing.assign_coords(lon=at) for at in ([120.0, 121.0], [120.0, 122.0]))
    with pytest.raises(UsageError, match="differ along 'lon' in their coordinates"):
        run(here, snow_depth=snow_like(there).expand_dims(lon=there.lon), snow=SNOW)


def test_a_field_in_wrong_units_is_told_by_its_layer():
    water = xr.DataArray([0.3, 0.2], dims="lon", attrs={"units": "kg m-3"})
    ground = SoilColumn([SoilLayer(DEEP, water=water, porosity=0.42)], depth=15.0)
    with pytest.raises(UnitsError, match="layer 0 water: units 'kg m-3' cannot be converted"):
        simulate(ground, air(shape=(1, 2)).isel(lat=0), initial_temperature=0.0)


def test_forcing_without_any_value_gives_nothing_and_says_so():
    forcing = air(end="2001-12-31")
    with pytest.warns(GeotoolsWarning, match="all forcing is missing"):
        assert np.isnan(run(forcing.where(False)).magt).all()


def test_an_output_may_be_named_alone():
    assert "tsl" in run(air(end="2001-12-31"), outputs="series")


@pytest.mark.parametrize("kind", ["times", "values"])
def test_a_lazy_run_goes_on_behind_its_gap(kind, tmp_path):
    forcing = air(shape=(2, 2))
    whole = run(forcing)
    if kind == "times":
        holed = forcing.drop_sel(time=["2002-06-10", "2002-06-11"])
        with pytest.raises(ForcingGapError, match="no forcing between 2002-06-09 and 2002-06-12") as caught:
            run(holed.chunk(lat=1))
        state = caught.value.state
    else:
        holed = forcing.copy()
        holed.loc[{"time": "2002-06-10"}] = np.nan
        lazy = run(holed.chunk(lat=1))
        with pytest.raises(ForcingGapError, match=r"no value at 2002-06-10.*run the times before") as caught:
            lazy.compute(scheduler="synchronous")
        before = holed.sel(time=holed.time < caught.value.time)
        state = column_state(run(before.chunk(lat=1)))
    state.to_netcdf(tmp_path / "state.nc")
    with xr.open_dataset(tmp_path / "state.nc") as stored:
        rest = run(
            forcing.sel(time=slice("2002-06-10", None)).chunk(lat=1),
            state=stored.load(),
            initial_temperature=None,
        )
    np.testing.assert_array_equal(rest.tsl_mean, whole.tsl_mean.sel(year=[2002, 2003]))


def test_the_time_of_a_gap_comes_back_from_another_process():
    with pytest.raises(ForcingGapError) as caught:
        run(air().drop_sel(time="2002-06-10"))
    again = pickle.loads(pickle.dumps(caught.value))
    assert again.time == np.datetime64("2002-06-10")
    xr.testing.assert_identical(again.state, caught.value.state)
