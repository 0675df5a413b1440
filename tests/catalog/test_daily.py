"""Daily series from files: what a user's table may look like, and every way in which it is wrong."""

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from geotools.catalog import daily_series, open_catalog
from geotools.errors import DataError, UnitsError, UsageError

COLUMNS = {"tas": {"name": "T", "units": "degC"}, "snd": {"name": "snow", "units": "cm"}}
ROWS = ["date,T,snow", "2001-01-30,-40.1,30", "2001-01-31,-39,31", "2001-02-01,-38.5,31", "2001-02-02,,32"]


def table(tmp_path, lines=ROWS, name="station.csv", encoding="utf-8"):
    path = tmp_path / name
    path.write_text("\n".join(lines) + "\n", encoding=encoding)
    return path


def changed(tmp_path, line, text):
    return table(tmp_path, [*ROWS[: line - 1], text, *ROWS[line:]])


def test_a_table_becomes_canonical(tmp_path):
    out = daily_series(table(tmp_path), COLUMNS)
    np.testing.assert_array_equal(out.tas, [-40.1, -39, -38.5, np.nan])
    np.testing.assert_allclose(out.snd, [0.3, 0.31, 0.31, 0.32])
    assert out.snd.attrs["units"] == "m"
    assert out.tas.attrs["standard_name"] == "air_temperature"
    assert out.time.values[0] == np.datetime64("2001-01-30")
    assert "station.csv" in out.attrs["history"]


def test_kelvins_are_converted_by_their_units(tmp_path):
    path = table(tmp_path, ["date,T", "2001-01-01,233.15", "2001-01-02,243.15"])
    out = daily_series(path, {"tas": {"name": "T", "units": "K"}})
    np.testing.assert_allclose(out.tas, [-40, -30])


def test_european_tables_with_columns_of_year_month_and_day(tmp_path):
    lines = [
        "made in Yakutsk",
        "год;месяц;день;T;Q",
        "2001;1;30;-40,1;0",
        "2001;1;31;-39,0;9",
        "2001;02;01;9999;0",
    ]
    path = table(tmp_path, lines, name="station.txt", encoding="cp1251")
    out = daily_series(
        path,
        {"tas": {"name": "T", "units": "degC", "nodata": 9999}},
        date=("год", "месяц", "день"),
        separator=";",
        decimal=",",
        encoding="cp1251",
        skip_lines=1,
        quality={"tas": "Q"},
    )
    np.testing.assert_array_equal(out.tas, [-40.1, np.nan, np.nan])


def test_rows_in_any_order_are_sorted(tmp_path):
    out = daily_series(table(tmp_path, [ROWS[0], ROWS[3], ROWS[1], "", ROWS[4], ROWS[2]]), COLUMNS)
    xr.testing.assert_identical(out.drop_attrs(), daily_series(table(tmp_path), COLUMNS).drop_attrs())


def test_stations_may_have_records_of_their_own_length(tmp_path):
    lines = [
        "id,day,T",
        "24959,01.01.2001,-40",
        "24959,02.01.2001,-41",
        "31168,02.01.2001,-20",
        "31168,03.01.2001,-21",
    ]
    out = daily_series(
        table(tmp_path, lines),
        {"tas": {"name": "T", "units": "degC"}},
        date="day",
        station="id",
        date_format="%d.%m.%Y",
    )
    assert out.tas.dims == ("station", "time")
    assert out.station.values.tolist() == ["24959", "31168"]
    np.testing.assert_array_equal(out.tas, [[-40, -41, np.nan], [np.nan, -20, -21]])


def test_gaps_come_in_as_missing_when_asked_for(tmp_path):
    path = table(tmp_path, [*ROWS[:3], *ROWS[4:]])
    out = daily_series(path, COLUMNS, gaps="missing")
    assert out.sizes["time"] == 4
    assert np.isnan(out.snd.sel(time="2001-02-01")).all()
    np.testing.assert_allclose(out.snd.sel(time="2001-02-02"), 0.32)


def test_a_catalogue_may_name_daily_tables(tmp_path):
    table(tmp_path)
    (tmp_path / "mine.yml").write_text(
        "yakutsk:\n  path: station.csv\n  daily: {date: date}\n"
        "  variables: {tas: {name: T, units: degC}, snd: {name: snow, units: cm}}\n"
    )
    out = open_catalog(tmp_path / "mine.yml").open("yakutsk")
    xr.testing.assert_identical(out, daily_series(table(tmp_path), COLUMNS))


@pytest.mark.parametrize(
    ("line", "text", "match"),
    [
        (3, "2001-01-30,-39,31", "the day 2001-01-30 stands in lines 2, 3;.*column that tells the station"),
        (3, "2001-02-29,-39,31", "'2001-02-29' in line 3 is no date"),
        (3, "31.01.2001,-39,31", r"'31.01.2001' in line 3 is no date.*date_format='%d.%m.%Y'"),
        (3, "2001-01-31,minus 39,31", "column 'T' holds 'minus 39' in line 3;.*nodata"),
        (3, "2001-01-31,-39,31,7", "line 3 has 4 cells, the header 3"),
        (4, "2001-02-12,-39,31", "10 days are left out in 2 places, the first after 2001-01-31 in line 3"),
        (3, "2001-01-31,-999,31", "'degC', but its values run from -999.*set `nodata: -999`"),
        (3, "2001-01-31,-39,-1", "'cm', but its values run from -1"),
        (5, "2001-02-02", "line 5 has 1 cells"),
        (2, '2001-01-30,"-40', "the table cannot be read"),
        (1, "date;T;snow", "expected columns separated by ','.*set separator=';'"),
        (1, "day,T,snow", "there is no column 'date'; expected one of T, day, snow"),
    ],
)
def test_what_is_wrong_in_a_table_is_told_with_its_line(tmp_path, line, text, match):
    with pytest.raises((DataError, UsageError), match=match):
        daily_series(changed(tmp_path, line, text), COLUMNS)


def test_a_wrong_separator_is_named(tmp_path):
    with pytest.raises(DataError, match=r"the header is one column, 'date;T;snow'.*separator=';'"):
        daily_series(table(tmp_path, [row.replace(",", ";") for row in ROWS]), COLUMNS)


def test_a_decimal_comma_is_recognised(tmp_path):
    lines = ["date;T;snow", "2001-01-30;-40,1;30", "2001-01-31;-39,0;31"]
    with pytest.raises(DataError, match=r"column 'T' holds '-40,1' in line 2 \(and 1 more\).*decimal=','"):
        daily_series(table(tmp_path, lines), COLUMNS, separator=";")


def test_missing_units_are_asked_for_with_a_guess(tmp_path):
    path = table(tmp_path, ["date,T", "2001-01-01,233.15", "2001-01-02,243.15"])
    with pytest.raises(
        UnitsError, match=r"has no units; its values run from 233\.15 to 243\.15; expected units, such as 'K'"
    ):
        daily_series(path, {"tas": {"name": "T"}})
    with pytest.raises(UnitsError, match="set `units: K`"):
        daily_series(path, {"tas": {"name": "T", "units": "degC"}})


def test_centimetres_of_snow_called_metres_are_refused(tmp_path):
    metres = {"snd": {"name": "snow", "units": "m"}}
    with pytest.raises(UnitsError, match=r"a snow depth of 32 m.*divide by 100"):
        daily_series(table(tmp_path), metres)
    # Little snow gives itself away by its whole numbers.
    little = table(tmp_path, ["date,snow", "2001-01-01,1", "2001-01-02,2", "2001-01-03,4", "2001-01-04,0"])
    with pytest.raises(UnitsError, match="a snow depth of 4 m, and only whole metres"):
        daily_series(little, metres)


def test_impossible_dates_of_three_columns_are_refused(tmp_path):
    lines = ["y,m,d,T", "2001,2,28,-30", "2001,2,30,-31"]
    with pytest.raises(DataError, match="'2001-02-30' in line 3 is no date"):
        daily_series(table(tmp_path, lines), {"tas": {"name": "T", "units": "degC"}}, date=("y", "m", "d"))
    lines[2] = "2001,,30,-31"
    with pytest.raises(DataError, match="in line 3 is no date"):
        daily_series(table(tmp_path, lines), {"tas": {"name": "T", "units": "degC"}}, date=("y", "m", "d"))


def test_a_gap_of_one_station_is_no_days_of_another(tmp_path):
    lines = [
        "id,date,T",
        "a,2001-01-01,1",
        "a,2001-01-03,1",
        "b,2001-01-01,1",
        "b,2001-01-02,1",
        "b,2001-01-03,1",
    ]
    with pytest.raises(DataError, match=r"station 'a': 1 days are left out.*after 2001-01-01 in line 2"):
        daily_series(table(tmp_path, lines), {"tas": {"name": "T", "units": "degC"}}, station="id")


@pytest.mark.parametrize(
    ("arguments", "error", "match"),
    [
        ({"variables": {}}, UsageError, "no variables are named"),
        ({"variables": {"temperature": {"units": "degC"}}}, UsageError, "unknown canonical variable"),
        ({"variables": {"tas": {"column": "T"}}}, UsageError, r"variables\.tas\.column"),
        ({"variables": {"tas": {"name": "TT", "units": "degC"}}}, UsageError, "no column 'TT'"),
        ({"variables": COLUMNS, "quality": {"pr": "T"}}, UsageError, "quality: unknown variable 'pr'"),
        ({"variables": COLUMNS, "encoding": "no-such"}, DataError, "cannot be read"),
        ({"variables": COLUMNS, "gaps": "fill"}, UsageError, "gaps"),
    ],
)
def test_calls_that_do_not_fit_are_refused(tmp_path, arguments, error, match):
    with pytest.raises(error, match=match):
        daily_series(table(tmp_path), **arguments)


def test_other_bytes_are_no_text(tmp_path):
    path = tmp_path / "station.csv"
    path.write_bytes("дата,T\n2001-01-01,1\n".encode("cp1251"))
    with pytest.raises(DataError, match="set separator, encoding"):
        daily_series(path, {"tas": {"name": "T", "units": "degC"}}, date="дата")


def test_an_empty_table_and_no_file_are_refused(tmp_path):
    with pytest.raises(DataError, match="no rows"):
        daily_series(table(tmp_path, ROWS[:1]), COLUMNS)
    with pytest.raises(UsageError, match="does not exist"):
        daily_series(tmp_path / "nothing.csv", COLUMNS)


def grid(tmp_path, time, units="K"):
    values = np.full((len(time), 2, 3), 260.0, dtype="float32")
    lat = ("lat", [60.0, 61.0], {"units": "degrees_north"})
    lon = ("lon", [120.0, 121.0, 122.0], {"units": "degrees_east"})
    data = xr.Dataset(
        {"t2m": (("time", "lat", "lon"), values, {"units": units})},
        coords={"time": time, "lat": lat, "lon": lon},
    )
    path = tmp_path / "grid.nc"
    data.to_netcdf(path)
    return path


def test_grids_come_through_harmonisation_lazily(tmp_path):
    path = grid(tmp_path, pd.date_range("2001-01-01", periods=40))
    out = daily_series(path, {"tas": {"name": "t2m"}})
    assert out.tas.chunks is not None
    assert out.tas.dims == ("time", "lat", "lon")
    np.testing.assert_allclose(out.tas.isel(time=0), -13.15, atol=1e-3)


@pytest.mark.parametrize(
    ("time", "match"),
    [
        (pd.date_range("2001-01-01", periods=24, freq="MS"), "steps of 28 to 31 d.*daily_from_monthly"),
        (pd.date_range("2001-01-01", periods=24, freq="6h"), r"steps of 0.25 to 0.25 d.*resample"),
        (
            pd.date_range("2001-01-01", periods=9).delete(4),
            "1 days are left out in 1 places, the first after 2001-01-04",
        ),
        (pd.DatetimeIndex(["2001-01-01", "2001-01-02", "2001-01-02"]), "stands twice"),
        (pd.date_range("2001-01-01", periods=1), "1 steps in time"),
    ],
)
def test_grids_without_whole_days_are_refused(tmp_path, time, match):
    with pytest.raises(DataError, match=match):
        daily_series(grid(tmp_path, time), {"tas": {"name": "t2m"}})


def test_gaps_of_grids_may_come_in_as_missing(tmp_path):
    path = grid(tmp_path, pd.date_range("2001-01-01", periods=9).delete(4))
    out = daily_series(path, {"tas": {"name": "t2m"}}, gaps="missing")
    assert out.sizes["time"] == 9
    assert np.isnan(out.tas.isel(time=4)).all()
