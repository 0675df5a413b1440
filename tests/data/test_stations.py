"""The readers of station records on the real files of RIHMI-WDC and CALM."""

import numpy as np
import pytest

from geotools.catalog import (
    Exclusion,
    Station,
    read_calm,
    read_rihmi_air,
    read_rihmi_snow,
    read_rihmi_soil,
)
from geotools.errors import GeotoolsWarning

PLACES = {
    24959: Station("Yakutsk", 62.02, 129.72),
    24266: Station("Verkhoyansk", 67.55, 133.38),
    24343: Station("Zhigansk", 66.77, 123.40),
}
NAME = "rihmi_{}_yakutsk_verkhoyansk_zhigansk.txt.gz"


def path(shared, kind):
    file = shared / "stations" / NAME.format(kind)
    if not file.is_file():
        pytest.skip(f"no {file.name} in shared/data/stations")
    return file


def test_air_of_three_stations(shared):
    air = read_rihmi_air(path(shared, "air_precip"), stations=PLACES)
    assert air.sizes["station"] == 3
    assert air["tas"].sel(station=24266, time="1885-01-01").item() == -47.0
    yakutsk = air["tas"].sel(station=24959, time=slice("1991", "2020"))
    assert not np.isnan(yakutsk).any()
    january = yakutsk.groupby("time.month").mean().sel(month=1)
    assert -38.5 < float(january) < -36.0
    # Verkhoyansk has no air temperature from August 1995 to the end of 1996.
    assert np.isnan(air["tas"].sel(station=24266, time=slice("1996-01-01", "1996-12-31"))).all()
    # 1900 was no leap year, whatever the file says.
    assert "2 lines of days that no calendar has left out, with 1 values" in air.attrs["history"]


def test_snow_of_three_stations(shared):
    snow = read_rihmi_snow(path(shared, "snow"), stations=PLACES)["snd"].sel(time=slice("1991", "2020"))
    largest = snow.groupby("time.year").max().mean("year")
    assert largest.min() > 0.2
    assert largest.max() < 0.7
    assert largest.idxmax("station") == 24343


def test_soil_of_three_stations(shared):
    soil = read_rihmi_soil(path(shared, "soil_temperature"), stations=PLACES)
    assert soil["tsl"].dims == ("station", "time", "depth")
    # No unflagged value at 0.6 m, and Zhigansk was read at 3.2 m in the cold season only.
    assert np.isnan(soil["tsl"].sel(depth=0.6)).all()
    deep = soil["tsl"].sel(station=24343, depth=3.2, time=slice(None, "1990")).dropna("time")
    assert set(np.unique(deep["time"].dt.month)) <= {1, 2, 3, 4, 5, 10, 11, 12}
    assert "1233 lines of days that no calendar has left out, with 0 values" in soil.attrs["history"]
    kept = read_rihmi_soil(path(shared, "soil_temperature"), keep_flagged=True)
    more = int(kept["tsl"].notnull().sum() - soil["tsl"].notnull().sum())
    assert f"{more} values with a quality flag masked" in soil.attrs["history"]
    assert more == 5745


def test_bad_periods_are_given_and_not_built_in(shared):
    file = path(shared, "soil_temperature")
    bad = Exclusion("bad", station=24266, depth=1.6, start="1980-01-01", end="1982-12-31")
    plain, masked = (read_rihmi_soil(file, select=[24266], exclude=e) for e in ([], [bad]))
    span = {"depth": 1.6, "time": slice("1980", "1982")}
    assert plain["tsl"].sel(**span).notnull().sum() > 1000
    assert masked["tsl"].sel(**span).notnull().sum() == 0
    assert masked["tsl"].sel(depth=3.2).equals(plain["tsl"].sel(depth=3.2))


def test_thaw_depths_of_calm(shared):
    file = shared / "stations" / "calm_thaw_depth.csv"
    if not file.is_file():
        pytest.skip("no calm_thaw_depth.csv in shared/data/stations")
    with pytest.warns(GeotoolsWarning, match="M12 F 109 km from M12"):
        calm = read_calm(file, corrections={"R29 B": {"lon": (71.41917, 129.41917)}})
    assert (calm["year"].values[0], calm["year"].values[-1]) == (1990, 2025)
    assert calm["thaw_depth"].sel(station="R42", year=2008).item() == pytest.approx(2.03)
    assert calm["thaw_depth"].sel(station="R51").count() == 23
    assert calm["lon"].sel(station="R29 B").item() == 129.41917
    # Six depths of CN3 and CN5 stand as ">263" and the like.
    assert int(calm["thaw_exceeds_depth"].sum()) == 6
    assert calm["remark"].sel(station="M2 B").item() == "2025: inactive"
