"""The CALM summary table, from small tables with its oddities."""

import numpy as np
import pytest

from geotools.catalog import read_calm
from geotools.errors import DataError, GeotoolsWarning, UsageError

HEADER = (
    "Site Code,Site Name,Location,,Method,THAW DEPTH (cm),,,,Site Code,Site Name\n"
    ",,LAT,LONG,,1990,###,###,1993,,\n"
)


def table(tmp_path, *rows, header=HEADER):
    path = tmp_path / "calm.csv"
    path.write_text(header + "".join(row + "\n" for row in rows), encoding="utf-8")
    return path


ROW = 'R42,"Tuymada, Yakutsk",62.01,129.66,50/TT,203,-, - ,199,R42,x'


def test_centimetres_become_metres_and_dashes_and_blanks_are_missing(tmp_path):
    calm = read_calm(table(tmp_path, ROW, "R51,Samoylov,72.37,126.48,150,,50.5,-,inactive ,R51,x"))
    assert calm["thaw_depth"].dims == ("station", "year")
    assert calm["year"].values.tolist() == [1990, 1991, 1992, 1993]
    np.testing.assert_allclose(
        calm["thaw_depth"], [[2.03, np.nan, np.nan, 1.99], [np.nan, 0.505, np.nan, np.nan]]
    )
    assert calm["thaw_depth"].attrs["units"] == "m"
    assert calm["remark"].values.tolist() == ["", "1993: inactive"]
    assert calm["station_name"].values.tolist() == ["Tuymada, Yakutsk", "Samoylov"]
    assert calm.attrs["featureType"] == "timeSeries"
    assert calm["lon"].values.tolist() == [129.66, 126.48]


def test_lower_bounds_are_no_depths_unless_asked_for(tmp_path):
    path = table(tmp_path, "CN3,Ecology Station,34.7,92.9,T,>263 ,260,-,-,CN3,x")
    calm, kept = read_calm(path), read_calm(path, keep_lower_bounds=True)
    np.testing.assert_allclose(calm["thaw_depth"].values[0, :2], [np.nan, 2.6])
    np.testing.assert_allclose(kept["thaw_depth"].values[0, :2], [2.63, 2.6])
    assert calm["thaw_exceeds_depth"].values.tolist() == [[1, 0, 0, 0]]
    assert "1 lower bounds masked" in calm.attrs["history"]


def test_a_correction_moves_the_site_and_is_told(tmp_path):
    path = table(tmp_path, "R29 B,Bykovsky,71.7855,71.41917,100,-,-,-,26,R29B,x")
    calm = read_calm(path, corrections={"R29 B": {"lon": (71.41917, 129.41917)}})
    assert calm["lon"].item() == 129.41917
    assert calm["lat"].item() == 71.7855
    assert "lon of site R29 B corrected from 71.4192 to 129.419" in calm.attrs["history"]


@pytest.mark.parametrize(
    ("corrections", "message"),
    [
        ({"R29 B": {"lon": (1.0, 2.0)}}, "there is no site 'R29 B'"),
        ({"R42": {"lon": (71.4, 129.4)}}, "the lon of site R42 is 129.66; expected 71.4"),
        ({"R42": {"depth": (71.4, 129.4)}}, "'depth' of site R42"),
    ],
)
def test_a_correction_that_does_not_fit_is_refused(tmp_path, corrections, message):
    with pytest.raises(UsageError, match=message):
        read_calm(table(tmp_path, ROW), corrections=corrections)


def test_plots_of_one_number_that_lie_far_apart_are_told(tmp_path):
    rows = [
        f"M12{c},Dalbay,{lat},100.7,TT,100,-,-,-,M12,x"
        for c, lat in (("", 51.02), (" F", 50.04), (" H", 51.03))
    ]
    with pytest.warns(GeotoolsWarning, match=r"M12 F 109 km from M12\. Correct"):
        read_calm(table(tmp_path, *rows))


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([ROW, "R51,Samoylov,72.37,126.48,150,50"], r"line 4: 6 cells; expected at least 9"),
        ([ROW, ROW], r"line 4: site 'R42' for the second time, after line 3"),
        ([ROW.replace("203", "2O3")], r"line 3: '2O3' for 1990 at site R42"),
        ([ROW.replace("62.01", "north")], r"line 3: the latitude 'north'"),
        ([], "no sites"),
    ],
)
def test_broken_rows_are_named(tmp_path, rows, message):
    with pytest.raises(DataError, match=message):
        read_calm(table(tmp_path, *rows))


@pytest.mark.parametrize(
    ("years", "message"),
    [
        ("1990,###,###,1994", "year 1994 in place 4 after 1990"),
        ("###,###,###,###", "no year"),
        ("1990,next,###,1993", "the years hold 'next'"),
    ],
)
def test_years_must_follow_each_other(tmp_path, years, message):
    header = HEADER.replace("1990,###,###,1993", years)
    with pytest.raises(DataError, match=message):
        read_calm(table(tmp_path, ROW, header=header))


def test_a_file_of_one_line_is_no_table(tmp_path):
    path = tmp_path / "calm.csv"
    path.write_text("a\n")
    with pytest.raises(DataError, match="1 lines; expected two lines of header, and sites"):
        read_calm(path)


def test_another_encoding_is_named_with_its_line(tmp_path):
    path = tmp_path / "calm.csv"
    path.write_bytes(HEADER.encode() + "R1,Nalaikh – pingo".encode("cp1252"))
    with pytest.raises(DataError, match="line 3 is not UTF-8"):
        read_calm(path)
