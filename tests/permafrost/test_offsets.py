"""Surface, thermal and nival offsets."""

import dask
import numpy as np
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st

from geotools.errors import DataError, UnitsError, UsageError
from geotools.permafrost import (
    mean_annual_ground_surface_temperature,
    nival_offset,
    surface_offset,
    thermal_offset,
    ttop,
)

AIR = [-37.2, -33.0, -19.2, -4.5, 7.8, 16.5, 19.3, 15.1, 6.1, -7.5, -27.2, -36.9]
GROUND = [-12.0, -14.0, -11.0, -3.0, 6.0, 14.0, 17.0, 14.0, 6.0, -1.0, -4.0, -9.0]
DAYS = np.array([31, 28.25, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31])


def refuse(*args, **kwargs):
    pytest.fail("something was computed early")


def months(values, coords=True):
    named = {"month": np.arange(1, 13)} if coords else {}
    return xr.DataArray(values, dims="month", coords=named, attrs={"units": "degC"})


def daily(start="2001-01-01", end="2003-12-31", calendar="standard"):
    time = xr.date_range(start, end, calendar=calendar, use_cftime=calendar != "standard")
    day = xr.DataArray(time, dims="time").dt.dayofyear.values
    air = -8.0 + 28.0 * np.cos(2 * np.pi * (day - 200) / 365.25)
    ground = np.where(air < 0, 0.4 * air, air)
    attrs = {"units": "degC"}
    return tuple(xr.DataArray(v, dims="time", coords={"time": time}, attrs=attrs) for v in (ground, air))


def test_the_offsets_join_air_and_permafrost():
    climate = (3500.0, 1200.0)
    factors = {"n_freezing": 0.45, "n_thawing": 0.85}
    maat = (1200.0 - 3500.0) / 365.25
    magst = mean_annual_ground_surface_temperature(*climate, **factors)
    magt = ttop(*climate, conductivity_ratio=0.7, **factors)
    # By hand: ((0.85 - 1) TDD + (1 - 0.45) FDD) / P, and (0.7 - 1) 0.85 TDD / P.
    assert surface_offset(magst, maat) == pytest.approx((-0.15 * 1200 + 0.55 * 3500) / 365.25)
    assert thermal_offset(magt, magst) == pytest.approx(-0.3 * 0.85 * 1200 / 365.25)
    assert maat + surface_offset(magst, maat) + thermal_offset(magt, magst) == pytest.approx(magt)


def test_offsets_are_differences_of_temperatures_whatever_their_units():
    magst = xr.DataArray([-3.5, np.nan], dims="x", attrs={"units": "degC"})
    kelvin = xr.DataArray([264.15, 264.15], dims="x", attrs={"units": "K"})
    for offset in (surface_offset(magst, kelvin), thermal_offset(magst, kelvin)):
        np.testing.assert_allclose(offset, [5.5, np.nan])
        assert offset.attrs["units"] == "K"
        assert offset.attrs["units_metadata"] == "temperature: difference"
    assert surface_offset(magst, kelvin).name == "surface_offset"
    assert thermal_offset(magst, kelvin).name == "thermal_offset"


@pytest.mark.parametrize("offset", [surface_offset, thermal_offset])
@pytest.mark.parametrize("pair", [(270.0, -3.0), (-3.0, 270.0)])
def test_kelvins_are_refused(offset, pair):
    with pytest.raises(UnitsError, match=r"subtract 273\.15"):
        offset(*pair)


@pytest.mark.parametrize("coords", [True, False])
def test_a_mean_year_by_hand(coords):
    out = nival_offset(months(GROUND, coords), months(AIR, coords), dim="month")
    winter = np.array(AIR) < 0
    expected = ((np.array(GROUND) - AIR) * DAYS)[winter].sum() / DAYS[winter].sum()
    assert out["nival_offset"].item() == pytest.approx(expected)
    assert out["winter_days"].item() == DAYS[winter].sum()
    assert out["nival_offset"].attrs["winter"] == "air temperature below 0 degC"
    assert "year" not in out.dims


def test_the_months_of_winter_can_be_named():
    out = nival_offset(months(GROUND), months(AIR), winter=[12, 1, 2], dim="month")
    rows = [11, 0, 1]
    expected = ((np.array(GROUND) - AIR) * DAYS)[rows].sum() / DAYS[rows].sum()
    assert out["nival_offset"].item() == pytest.approx(expected)
    assert out["winter_days"].item() == 90.25
    assert out["nival_offset"].attrs["winter"] == "months 12, 1, 2"


def test_a_missing_month_makes_the_winter_missing():
    ground = months(GROUND)
    ground[6] = np.nan  # whether a month without data is winter cannot be known
    assert np.isnan(nival_offset(ground, months(AIR), dim="month")["nival_offset"])


def test_daily_winters_are_whole_and_named_after_their_autumn():
    ground, air = daily()
    out = nival_offset(ground, air)
    np.testing.assert_array_equal(out["year"], [2001, 2002, 2003])
    np.testing.assert_array_equal(np.isnan(out["nival_offset"]), [False, False, True])
    one = air.sel(time=slice("2001-07-01", "2002-06-30"))
    cold = one[one < 0]
    assert out["nival_offset"][0].item() == pytest.approx(-0.6 * cold.mean().item())
    assert out["winter_days"][0].item() == cold.size


@pytest.mark.parametrize("calendar", ["noleap", "360_day"])
def test_other_calendars(calendar):
    end = "2003-12-30" if calendar == "360_day" else "2003-12-31"
    ground, air = daily(end=end, calendar=calendar)
    out = nival_offset(ground, air, winter=[12, 1, 2])
    assert out["winter_days"][0].item() == 90
    assert np.isfinite(out["nival_offset"][0])


@pytest.mark.parametrize(("lost", "accepted"), [(10, True), (11, False)])
def test_gaps_in_either_series_count(lost, accepted):
    ground, air = daily()
    ground[250 : 250 + lost // 2] = np.nan  # September 2001
    air[250 + lost // 2 : 250 + lost] = np.nan
    out = nival_offset(ground, air)
    assert np.isfinite(out["nival_offset"][0]) == accepted
    assert np.isfinite(out["nival_offset"][1])


def test_days_absent_from_the_dates_are_missing_days():
    ground, air = daily()
    keep = np.r_[0:250, 280 : air.size]
    out = nival_offset(ground[keep], air[keep])
    assert np.isnan(out["nival_offset"][0])
    loose = nival_offset(ground[keep], air[keep], max_missing_share=0.1, max_gap_days=30)
    assert np.isfinite(loose["nival_offset"][0])


def test_a_year_without_winter_has_no_offset():
    ground, air = daily()
    out = nival_offset((ground + 40).assign_attrs(units="degC"), (air + 40).assign_attrs(units="degC"))
    assert np.isnan(out["nival_offset"]).all()
    assert out["winter_days"][0].item() == 0


def test_monthly_series_give_every_whole_winter():
    time = xr.date_range("2001-03-01", periods=36, freq="MS")
    rows = time.month.values - 1
    attrs = {"units": "degC"}
    ground, air = (
        xr.DataArray(np.array(v)[rows], dims="time", coords={"time": time}, attrs=attrs)
        for v in (GROUND, AIR)
    )
    out = nival_offset(ground, air)
    np.testing.assert_array_equal(out["year"], [2001, 2002])
    # November to March and October, April: the same in both winters, neither with 29 February.
    lengths = np.array([31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31])
    winter = np.array(AIR) < 0
    expected = ((np.array(GROUND) - AIR) * lengths)[winter].sum() / lengths[winter].sum()
    np.testing.assert_allclose(out["nival_offset"], expected)
    with pytest.raises(DataError, match="without twelve from month 2 on"):
        nival_offset(ground[:13], air[:13], year_start_month=2)


def test_daily_and_monthly_data_agree_on_named_months():
    ground, air = daily()
    monthly = [f.resample(time="MS").mean(keep_attrs=True) for f in (ground, air)]
    a = nival_offset(ground, air, winter=[11, 12, 1, 2, 3])["nival_offset"]
    b = nival_offset(*monthly, winter=[11, 12, 1, 2, 3])["nival_offset"]
    np.testing.assert_allclose(a[:2], b, rtol=1e-9)


@given(st.floats(0.0, 15.0))
def test_a_surface_that_is_warmer_by_so_much_has_that_offset(more):
    out = nival_offset((months(AIR) + more).assign_attrs(units="degC"), months(AIR), dim="month")
    assert out["nival_offset"].item() == pytest.approx(more, abs=1e-9)


def test_lazy_fields_stay_lazy_and_agree():
    rng = np.random.default_rng(0)
    shift = xr.DataArray(rng.normal(0, 3, (2, 3)), dims=("lat", "lon"))
    ground, air = ((f + shift).assign_attrs(units="degC") for f in daily())
    eager = nival_offset(ground, air)
    with dask.config.set(scheduler=refuse):
        lazy = nival_offset(ground.chunk(time=100, lat=1), air.chunk(time=300, lon=2))
    xr.testing.assert_allclose(lazy.compute(scheduler="synchronous"), eager)
    assert eager["nival_offset"].dims[0] == "year"


@pytest.mark.parametrize(
    ("change", "options", "error", "text"),
    [
        (lambda t: t, {"winter": "cold"}, UsageError, "'cold' is no winter.*air_below_zero"),
        (lambda t: t, {"winter": [13]}, UsageError, "no winter"),
        (lambda t: t, {"winter": 12}, UsageError, "12 is no winter"),
        (lambda t: t, {"winter": []}, UsageError, "no winter"),
        (lambda t: t, {"year_start_month": 13}, UsageError, "13 is no month"),
        (lambda t: t, {"max_gap_days": -1}, DataError, "max_gap_days"),
        (lambda t: t[::10], {}, UsageError, "10 days apart"),
        (lambda t: t.values, {}, UsageError, "a ndarray"),
        (lambda t: t.drop_vars("time"), {}, UsageError, "holds no dates"),
        (lambda t: t.assign_coords(time=np.arange(t.size)), {}, UsageError, "holds no dates"),
        (lambda t: t.rename(time="day"), {}, UsageError, "dim="),
        (lambda t: (t + 273.15).assign_attrs(units="degC"), {}, UnitsError, "subtract 273.15"),
        (lambda t: t.drop_attrs(), {}, UnitsError, "no units attribute"),
    ],
)
def test_what_is_no_pair_of_series_is_refused(change, options, error, text):
    ground, air = (change(f) for f in daily())
    with pytest.raises(error, match=text):
        nival_offset(ground, air, **options)


def test_a_monthly_series_with_a_hole_is_refused():
    time = xr.date_range("2001-01-01", periods=36, freq="MS").delete(20)
    field = xr.DataArray(np.zeros(35), dims="time", coords={"time": time}, attrs={"units": "degC"})
    with pytest.raises(DataError, match="without gaps, in order"):
        nival_offset(field, field)


def test_series_of_different_times_are_refused():
    ground, air = daily()
    with pytest.raises(DataError, match=r"1094 and 1095 values at different times.*xarray\.align"):
        nival_offset(ground[1:], air)
