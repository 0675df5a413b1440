"""Exclusions: which values they mask, from a table, and that none is silently without effect."""

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from geotools.catalog import Exclusion, apply_exclusions, read_exclusions
from geotools.errors import DataError, UsageError


@pytest.fixture
def records():
    time = pd.date_range("2000-01-01", periods=4)
    return xr.Dataset(
        {
            "tsl": (("station", "time", "depth"), np.ones((2, 4, 2))),
            "tas": (("station", "time"), np.ones((2, 4))),
        },
        coords={"station": [1, 2], "time": time, "depth": [0.2, 1.6]},
        attrs={"history": "made"},
    )


def test_without_a_station_all_are_masked(records):
    out = apply_exclusions(records, [Exclusion("late", start="2000-01-03")])
    assert np.isnan(out["tsl"].sel(time=slice("2000-01-03", None))).all()
    assert int(np.isfinite(out["tas"]).sum()) == 4
    assert np.isfinite(records["tas"]).all()


def test_a_depth_does_not_touch_variables_without_depth(records):
    out = apply_exclusions(records, [Exclusion("probe", station=2, depth=1.6)])
    assert np.isfinite(out["tas"]).all()
    assert np.isnan(out["tsl"].sel(station=2, depth=1.6)).all()
    assert np.isfinite(out["tsl"].sel(station=1)).all()


def test_the_last_day_is_masked_whole_in_hourly_records():
    time = pd.date_range("2000-01-01", periods=72, freq="h")
    hourly = xr.Dataset(
        {"tas": (("station", "time"), np.ones((1, 72)))}, coords={"station": [1], "time": time}
    )
    out = apply_exclusions(hourly, [Exclusion("bad", start="2000-01-01", end="2000-01-02")])
    assert int(np.isnan(out["tas"]).sum()) == 48


def test_the_history_counts_each_exclusion(records):
    out = apply_exclusions(
        records, [Exclusion("a", variable="tas", station=1), Exclusion("b", variable="tas")]
    )
    assert out.attrs["history"].splitlines() == [
        "made",
        "4 values masked: station 1, tas, the beginning to the end: a",
        "4 values masked: all stations, tas, the beginning to the end: b",
    ]


@pytest.mark.parametrize(
    ("exclusion", "message"),
    [
        (Exclusion("x", station=3), "there is no station 3"),
        (Exclusion("x", variable="snd"), "there is no variable 'snd'"),
        (Exclusion("x", depth=3.2), "there is no depth 3.2"),
    ],
)
def test_an_exclusion_that_fits_nothing_is_refused(records, exclusion, message):
    with pytest.raises(UsageError, match=message):
        apply_exclusions(records, [exclusion])


def test_exclusions_come_from_a_table(tmp_path):
    path = tmp_path / "drop.csv"
    path.write_text(
        "station,variable,depth,start,end,reason\n24266,tsl,1.6,1980-01-01,1982-12-31,bad probe\n,,,2022-07-01,,late\n"
    )
    first, second = read_exclusions(path)
    assert first == Exclusion("bad probe", 24266, "tsl", "1980-01-01", "1982-12-31", 1.6)
    assert second == Exclusion("late", start="2022-07-01")


def test_a_table_without_reasons_is_refused(tmp_path):
    path = tmp_path / "drop.csv"
    path.write_text("station,variable,depth,start,end,reason\n24266,,,,,\n")
    with pytest.raises(DataError, match="no reason in line 2"):
        read_exclusions(path)


@pytest.mark.parametrize(
    ("days", "message"),
    [(("spring", None), "the start 'spring'"), (("2001-01-01", "2000-01-01"), "a start before the end")],
)
def test_days_that_cannot_be(days, message):
    with pytest.raises(UsageError, match=message):
        Exclusion("x", start=days[0], end=days[1])
