"""The monthly degree-day snow model: water balance, limits, and three stations of the Lena basin."""

from pathlib import Path

import dask
import numpy as np
import pandas as pd
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from geotools.climate import snow_from_monthly
from geotools.climate.calendar import MEAN_YEAR
from geotools.errors import DataError, UnitsError, UsageError

YAKUTSK = [-37.2, -33.0, -19.2, -4.5, 7.8, 16.5, 19.3, 15.1, 6.1, -7.5, -27.2, -36.9]
PR = [0.3, 0.3, 0.2, 0.3, 0.6, 1.0, 1.3, 1.2, 1.0, 0.6, 0.6, 0.3]
ROOT = Path(__file__).parents[2]
STATIONS = ROOT.parent / "shared" / "data" / "stations" / "rihmi_snow_yakutsk_verkhoyansk_zhigansk.txt.gz"
CLIMATOLOGY = ROOT / "data" / "climate" / "era5_monthly_climatology.nc"


def refuse(*args, **kwargs):
    pytest.fail("something was computed early")


def cube(x=3):
    shift = np.linspace(0, 10, x)
    dims, month = ("time", "x"), range(1, 13)
    tas = xr.DataArray(np.array(YAKUTSK)[:, None] + shift, dims=dims, coords={"time": month})
    pr = xr.DataArray(np.repeat(np.array(PR)[:, None], x, axis=1), dims=dims, coords={"time": month})
    return tas.assign_attrs(units="degC"), pr.assign_attrs(units="kg m-2 d-1")


def test_by_hand_without_spread():
    # Six months at -10 and six at +10 degC, 1 kg m-2 d-1: snow for 182.25 days, then gone within the first.
    tas = [-10.0] * 3 + [10.0] * 6 + [-10.0] * 3
    days = np.array(MEAN_YEAR)
    snd, snw, winter, largest = snow_from_monthly(
        tas, np.ones(12), submonthly_sd=0, sublimation_fraction=0, snow_density=200, melt_factor=30
    )
    ends = np.cumsum(days[[9, 10, 11, 0, 1, 2]])
    middles = ends - days[[9, 10, 11, 0, 1, 2]] / 2
    np.testing.assert_allclose(snw[[9, 10, 11, 0, 1, 2]], middles)
    gone = ends[-1] / 300.0  # days until the snow is gone at 300 kg m-2 d-1
    assert snw[3] == pytest.approx(0.5 * ends[-1] * gone / 30)
    np.testing.assert_array_equal(snw[4:9], 0.0)
    np.testing.assert_allclose(snd, snw / 200)
    assert largest == snd.max()
    assert winter == pytest.approx(np.average(middles, weights=days[[9, 10, 11, 0, 1, 2]]) / 200)


@pytest.mark.parametrize(("tas", "share"), [(-5.0, 1.0), (0.0, 1.0), (0.5, 0.75), (1.0, 0.5), (2.0, 0.0)])
def test_the_share_of_snow_falls_linearly(tas, share):
    out = snow_from_monthly(
        [tas, *[20.0] * 11],
        [1.0, *[0.0] * 11],
        submonthly_sd=0,
        melt_factor=1e-9,
        sublimation_fraction=0,
    )
    # Nothing melts: the second of two winters has the first below it.
    assert out[1][1] == pytest.approx(2 * 31 * share)


def test_refreezing_holds_the_snow_of_a_cold_autumn():
    with_it = snow_from_monthly(YAKUTSK, PR)
    without = snow_from_monthly(YAKUTSK, PR, refreezing_coefficient=0.0)
    assert without[1][9] < 0.8 * with_it[1][9]


def test_where_nothing_freezes_there_is_no_winter():
    snd, _, winter, largest = snow_from_monthly(np.full(12, 25.0), np.ones(12))
    assert winter == largest == snd.sum() == 0.0


@given(hnp.arrays("float64", 12, elements=st.floats(0, 10)), st.floats(1, 3))
def test_more_precipitation_never_gives_less_snow(pr, factor):
    less, more = snow_from_monthly(YAKUTSK, pr), snow_from_monthly(YAKUTSK, pr * factor)
    assert np.all(more[0] >= less[0] - 1e-12)


@given(st.floats(0, 10))
def test_a_cold_climate_does_not_gain_snow_by_warming(warming):
    assert snow_from_monthly(np.array(YAKUTSK) + warming, PR)[3] <= snow_from_monthly(YAKUTSK, PR)[3] + 1e-12


def test_every_kind_of_input_gives_the_same():
    tas, pr = cube()
    eager = snow_from_monthly(tas, pr)
    with dask.config.set(scheduler=refuse):
        lazy = snow_from_monthly(tas.chunk(time=5, x=2), pr.chunk(time=12, x=2))
    xr.testing.assert_allclose(lazy.compute(scheduler="synchronous"), eager)
    arrays = snow_from_monthly(tas.values.T, pr.values.T)
    for name, array in zip(("snd", "snw", "snow_depth_winter_mean", "snow_depth_max"), arrays, strict=True):
        np.testing.assert_allclose(eager[name].values, array.T)
    assert eager["snd"].dims == ("time", "x")
    assert eager["snd"].attrs["standard_name"] == "surface_snow_thickness"
    np.testing.assert_array_equal(eager["time"], tas["time"])


def test_a_missing_month_is_not_a_month_without_snow():
    tas, pr = cube()
    pr[3, 1] = np.nan
    out = snow_from_monthly(tas, pr)
    assert np.isnan(out["snd"].isel(x=1)).all()
    assert np.isnan(out["snow_depth_max"][1])
    assert not np.isnan(out["snd"].isel(x=0)).any()


@pytest.mark.parametrize(
    ("change", "error", "text"),
    [
        ({"pr": np.full(12, -1.0)}, DataError, "argument 'pr': 12 of 12.*check the units"),
        ({"tas": np.full(12, 280.0)}, UnitsError, "subtract 273.15"),
        ({"snow_density": 0.2}, DataError, "give kg m-3, not g cm-3"),
        ({"sublimation_fraction": 20.0}, DataError, "sublimation_fraction"),
        ({"melt_factor": 0.0}, DataError, "melt_factor"),
        ({"all_rain_above": 0.0}, UsageError, "all_rain_above is not above"),
        ({"pr": np.ones(11)}, UsageError, "on the last axis"),
    ],
)
def test_what_cannot_be_is_refused(change, error, text):
    arguments = {"tas": YAKUTSK, "pr": PR, **change}
    with pytest.raises(error, match=text):
        snow_from_monthly(**arguments)


def test_two_years_are_not_a_mean_year():
    time = xr.date_range("2003-01-01", periods=24, freq="MS")
    tas = xr.DataArray(np.zeros(24), dims="time", coords={"time": time}, attrs={"units": "degC"})
    with pytest.raises(UsageError, match=r"24 months along 'time'.*average first"):
        snow_from_monthly(tas, tas.assign_attrs(units="kg m-2 d-1"))


def test_only_one_dataarray_is_refused():
    with pytest.raises(UsageError, match="only one of tas and pr"):
        snow_from_monthly(cube()[0], PR)


@pytest.fixture(scope="module")
def observed():
    """Mean daily snow depth of the months 2000-2021 [m], by station."""
    if not STATIONS.exists():
        pytest.skip("the station records of RIHMI-WDC are not here (../shared/data)")
    if not CLIMATOLOGY.exists():
        pytest.skip("the climatology is not here (data/climate)")
    names = ["wmo", "year", "month", "day", "depth", "cover", "info", "flag", "more"]
    table = pd.read_fwf(STATIONS, widths=[5, 5, 3, 3, 5, 3, 2, 2, 2], names=names, compression="gzip")
    table = table[(table["flag"] == 0) & (table["depth"] < 999) & table["year"].between(2000, 2021)]
    return table.groupby(["wmo", "month"])["depth"].mean() / 100.0


@pytest.mark.parametrize(
    ("station", "lat", "lon", "tolerance"),
    [(24959, 62.02, 129.72, 0.05), (24266, 67.55, 133.38, 0.08), (24343, 66.77, 123.40, 0.17)],
    ids=["Yakutsk", "Verkhoyansk", "Zhigansk"],
)
def test_winter_snow_at_stations(observed, station, lat, lon, tolerance):
    with xr.open_dataset(CLIMATOLOGY) as climate:
        here = climate.sel(lat=lat, lon=lon, method="nearest").load()
    out = snow_from_monthly(here["tas"], here["pr"], submonthly_sd=5.0)
    seen = observed.loc[station].to_numpy()
    frozen = here["tas"].values < 0
    assert float(out["snow_depth_winter_mean"]) == pytest.approx(
        np.average(seen[frozen], weights=np.array(MEAN_YEAR)[frozen]), abs=tolerance
    )
    assert float(out["snow_depth_max"]) == pytest.approx(seen.max(), abs=tolerance)
    if station == 24959:
        assert 0.2 <= float(out["snow_depth_winter_mean"]) <= 0.3
        assert 0.25 <= float(out["snow_depth_max"]) <= 0.4
