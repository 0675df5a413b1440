"""Daily station records of RIHMI-WDC from small files in their layouts."""

import gzip

import numpy as np
import pytest
import xarray as xr

from geotools.catalog import Exclusion, Station, read_rihmi_air, read_rihmi_snow, read_rihmi_soil
from geotools.errors import DataError, UsageError

PLACES = {24959: Station("Yakutsk", 62.02, 129.72), 24266: Station("Verkhoyansk", 67.55, 133.38)}


def air_line(station, year, month, day, low, mean, high, rain, kind=0, flags="0000"):
    cells = ["     " if v is None else f"{v:5.1f}" for v in (low, mean, high, rain)]
    head = f"{station:5d} {year:4d} {month:2d} {day:2d} 0"
    temperatures = " ".join(f"{c} {f}" for c, f in zip(cells[:3], flags, strict=False))
    return f"{head} {temperatures} {cells[3]} {kind} {flags[3]}"


def snow_line(station, year, month, day, depth, cover=10, kind=0, flag=0, temperature_flag=0):
    return (
        f"{station:5d} {year:4d} {month:2d} {day:2d} {depth:4d} {cover:2d} {kind} {flag} {temperature_flag}"
    )


def soil_line(station, year, month, day, values):
    cells = " ".join(f"{v:5.1f} {f}" for v, f in values)
    return f"{station:5d} {year:4d} {month:2d} {day:2d} {cells}"


EMPTY = (999.9, 9)


def write(path, lines, end="\r\n"):
    text = (end.join(lines) + end).encode("ascii")
    path.write_bytes(gzip.compress(text) if path.suffix == ".gz" else text)
    return path


@pytest.fixture
def air(tmp_path):
    lines = [
        air_line(24266, 1990, 1, 1, -50.1, -48.0, -45.5, 0.0, 2),
        air_line(24266, 1990, 1, 2, None, None, -44.0, 1.5, 0, "9900"),
        air_line(24266, 1990, 1, 4, -60.0, -55.0, -51.0, 3.0, 1, "0100"),
        air_line(24959, 1990, 1, 2, -40.0, -38.0, -35.0, 0.3, 0, "0001"),
    ]
    return write(tmp_path / "air.txt.gz", lines)


def test_values_stand_at_their_station_and_day(air):
    records = read_rihmi_air(air, stations=PLACES)
    assert records["tas"].dims == ("station", "time")
    assert records["station"].values.tolist() == [24266, 24959]
    np.testing.assert_array_equal(records["tasmax"].sel(station=24266), [-45.5, -44.0, np.nan, -51.0])
    assert records["tas"].sel(station=24959, time="1990-01-02").item() == -38.0
    assert records["tas"].attrs["units"] == "degC"
    assert records["pr"].attrs["units"] == "kg m-2 d-1"


def test_blanks_and_flagged_values_are_masked(air):
    records = read_rihmi_air(air)
    tas, pr = records["tas"].sel(station=24266), records["pr"].sel(station=24266)
    np.testing.assert_array_equal(tas, [-48.0, np.nan, np.nan, np.nan])
    # The last one fell in several days, and the one at Yakutsk is doubted.
    np.testing.assert_array_equal(pr, [0.0, 1.5, np.nan, np.nan])
    assert np.isnan(records["pr"].sel(station=24959)).all()
    assert "3 values with a quality flag masked" in records.attrs["history"]


def test_flagged_values_are_kept_on_request_and_blanks_never(air):
    records = read_rihmi_air(air, keep_flagged=True)
    np.testing.assert_array_equal(records["tas"].sel(station=24266), [-48.0, np.nan, np.nan, -55.0])
    assert records["pr"].sel(station=24266, time="1990-01-04").item() == 3.0


def test_the_records_are_a_discrete_sampling_geometry(air, tmp_path):
    records = read_rihmi_air(air, stations=PLACES)
    assert records.attrs["featureType"] == "timeSeries"
    assert records["station"].attrs["cf_role"] == "timeseries_id"
    assert records["lat"].sel(station=24959).item() == 62.02
    assert records["lon"].attrs["standard_name"] == "longitude"
    assert records["station_name"].values.tolist() == ["Verkhoyansk", "Yakutsk"]
    records.to_netcdf(tmp_path / "air.nc")


def test_selected_stations_come_in_the_order_asked_for(air):
    assert read_rihmi_air(air, select=[24959, 24266])["tas"]["station"].values.tolist() == [24959, 24266]
    only = read_rihmi_air(air, select=[24959], stations={24959: PLACES[24959]})
    assert only["tas"].values.tolist() == [[-38.0]]


def test_snow_is_metres_and_shares(tmp_path):
    lines = [
        snow_line(24959, 2000, 1, 1, 38),
        snow_line(24959, 2000, 1, 2, 9999, 99, 9),
        snow_line(24959, 2000, 1, 3, 40, 8, 0, 1),
        snow_line(24959, 2000, 1, 4, 41, 8, 0, 0, 1),
        snow_line(24959, 2000, 1, 5, 0, 0, 1),
    ]
    snow = read_rihmi_snow(write(tmp_path / "snow.txt", lines, "\n")).isel(station=0)
    np.testing.assert_allclose(snow["snd"], [0.38, np.nan, np.nan, np.nan, 0.0])
    np.testing.assert_allclose(snow["snc"], [1.0, np.nan, 0.8, 0.8, 0.0])
    assert snow["snd"].attrs["units"] == "m"
    kept = read_rihmi_snow(tmp_path / "snow.txt", keep_flagged=True).isel(station=0)
    np.testing.assert_allclose(kept["snd"], [0.38, np.nan, 0.40, 0.41, 0.0])


@pytest.fixture
def soil(tmp_path):
    warm = [(float(i), 0) for i in range(12)]
    lines = [
        soil_line(24959, 2001, 2, 28, warm),
        *(soil_line(24959, 2001, 2, day, [EMPTY] * 12) for day in (29, 30, 31)),
        soil_line(24959, 2001, 3, 1, [*warm[:10], (-1.5, 5), EMPTY]),
    ]
    return write(tmp_path / "soil.txt.gz", lines)


def test_soil_has_twelve_depths_and_no_days_that_do_not_exist(soil):
    records = read_rihmi_soil(soil)
    assert records["tsl"].dims == ("station", "time", "depth")
    assert records.attrs["featureType"] == "timeSeriesProfile"
    assert records["depth"].values.tolist() == [
        0.02, 0.05, 0.1, 0.15, 0.2, 0.4, 0.6, 0.8, 1.2, 1.6, 2.4, 3.2,
    ]  # fmt: skip
    assert records["depth"].attrs["positive"] == "down"
    assert records.sizes["time"] == 2
    assert records["tsl"].sel(depth=1.6, time="2001-02-28").item() == 9.0
    assert np.isnan(records["tsl"].sel(depth=2.4, time="2001-03-01")).all()
    assert "3 lines of days that no calendar has left out, with 0 values" in records.attrs["history"]


def test_coordinates_are_written_without_fill_values(soil, tmp_path):
    read_rihmi_soil(soil, stations={24959: PLACES[24959]}).to_netcdf(tmp_path / "soil.nc")
    with xr.open_dataset(tmp_path / "soil.nc", mask_and_scale=False) as written:
        for name in ("depth", "lat", "lon"):
            assert "_FillValue" not in written[name].attrs


def test_999_9_is_missing_even_with_flag_0(tmp_path):
    path = write(tmp_path / "soil.txt", [soil_line(24959, 2001, 1, 1, [(1.0, 0), *[(999.9, 0)] * 11])])
    assert np.isfinite(read_rihmi_soil(path)["tsl"].values).sum() == 1


def test_exclusions_mask_what_they_name_and_say_why(soil):
    bad = Exclusion("moved", station=24959, variable="tsl", depth=1.6, start="2001-03-01")
    records = read_rihmi_soil(soil, exclude=[bad])
    assert np.isnan(records["tsl"].sel(time="2001-03-01", depth=1.6)).all()
    assert records["tsl"].sel(time="2001-02-28", depth=1.6).item() == 9.0
    assert records["tsl"].sel(time="2001-03-01", depth=1.2).item() == 8.0
    assert (
        "1 values masked: station 24959, tsl, 1.6 m, 2001-03-01 to the end: moved" in records.attrs["history"]
    )


GOOD = air_line(24959, 1990, 1, 1, -50.1, -48.0, -45.5, 0.0)


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ([GOOD, GOOD[:30]], r"line 2: 30 characters; expected 52 .* cut off here"),
        ([GOOD[:30], GOOD], r"line 1: 30 characters; expected 52 .* check that this is such a file"),
        ([GOOD, GOOD + " 0"], r"line 2: 54 characters"),
        ([GOOD, GOOD.replace("-48.0", "-4x.0")], r"line 2: column 'tas' holds '-4x.0'; expected a number"),
        ([GOOD, GOOD.replace("-48.0", "  nan")], r"line 2: column 'tas' holds 'nan'"),
        ([GOOD.replace("24959", "2495x")], r"line 1: column 'station' holds '2495x'"),
        ([GOOD.replace("24959 1990", "24959_1990")], r"line 1: character 6 is '_'"),
        ([GOOD.replace("1990  1", "1990 13")], r"line 1: month 13; expected a month from 1 to 12"),
        ([GOOD, GOOD], r"line 2: station 24959 has 1990-01-01 for the second time, after line 1"),
        ([GOOD.replace("-48.0", "999.9")], r"line 1: column 'tas' holds 999.9; expected -90 to 80"),
        ([GOOD.replace(" 1  1 0", "    1 0")], r"line 1: column 'month' holds ''; expected a whole number"),
    ],
)
def test_broken_lines_are_named(tmp_path, lines, message):
    with pytest.raises(DataError, match=message):
        read_rihmi_air(write(tmp_path / "air.txt", lines))


def test_an_unknown_station_is_named_with_its_line(tmp_path):
    lines = [GOOD, GOOD.replace("24959", "31004")]
    with pytest.raises(DataError, match=r"line 2: station 31004 is not known; expected one of 24959, 24266"):
        read_rihmi_air(write(tmp_path / "air.txt", lines), stations=PLACES)


def test_a_station_that_is_not_there_cannot_be_selected(air):
    with pytest.raises(UsageError, match="there is no station 31004; expected one of 24266, 24959"):
        read_rihmi_air(air, select=[31004])


def test_files_that_are_no_records(tmp_path):
    broken = tmp_path / "broken.txt.gz"
    broken.write_bytes(gzip.compress((GOOD + "\n").encode() * 500)[:60])
    with pytest.raises(DataError, match="cut off or damaged"):
        read_rihmi_air(broken)
    empty = tmp_path / "empty.txt"
    empty.write_bytes(b"\n")
    with pytest.raises(DataError, match="an empty file"):
        read_rihmi_air(empty)
    with pytest.raises(UsageError, match="does not exist"):
        read_rihmi_air(tmp_path / "none.txt")
    with pytest.raises(DataError, match="a folder"):
        read_rihmi_air(tmp_path)
    with pytest.raises(DataError, match=r"52 characters; expected 30 characters, as the daily snow cover"):
        read_rihmi_snow(write(tmp_path / "air.txt", [GOOD]))
    soil = [soil_line(24959, 2001, 2, 30, [EMPTY] * 12)]
    with pytest.raises(DataError, match="no day that exists"):
        read_rihmi_soil(write(tmp_path / "soil.txt", soil))


def test_a_last_line_without_its_end_is_a_line(tmp_path):
    path = tmp_path / "air.txt"
    path.write_text(GOOD)
    assert read_rihmi_air(path)["tas"].item() == -48.0


def test_places_off_the_earth_are_refused():
    with pytest.raises(DataError, match="lat of Nowhere"):
        Station("Nowhere", 97.0, 10.0)
