"""Ground temperatures of boreholes from the layouts of GTN-P, PANGAEA and tables like them."""

import gzip

import numpy as np
import pytest

from geotools.catalog import Exclusion, Station, read_boreholes
from geotools.errors import DataError, UnitsError, UsageError

WIDE = "Date/Depth,0.5,1,2\n2005-08-31 00:00:00,4.5,1.0,-999.0\n2005-09-01 00:00:00,4.0,0.9,-1.5\n"
LONG = """dataset_id,date,depth,temperature
17,2005-08-31,1.0,2.0
17,2005-08-31,0.5,4.0
18,2005-09-01,0.5,3.0
"""
PANGAEA = """/* DATA DESCRIPTION:
Citation:\tSomebody (2010): Ground temperatures, 1.5 m
*/
Event\tDate/Time\tDepth soil [m]\tT soil [°C]
SaSoil2002\t2005-08-31T12:00\t0.10\t5.1
SaSoil2002\t2005-08-31T12:00\t0.71\t-1.2
"""


def write(tmp_path, text, name="hole.csv"):
    path = tmp_path / name
    path.write_bytes(gzip.compress(text.encode()) if name.endswith(".gz") else text.encode())
    return path


def test_the_wide_export_of_gtnp(tmp_path):
    found = read_boreholes(write(tmp_path, WIDE, "Borehole_1.csv.gz"))
    assert found["tsl"].dims == ("station", "time", "depth")
    assert found["station"].values.tolist() == ["Borehole_1"]
    assert found["depth"].values.tolist() == [0.5, 1.0, 2.0]
    np.testing.assert_allclose(found["tsl"][0], [[4.5, 1.0, np.nan], [4.0, 0.9, -1.5]])
    assert found.attrs["featureType"] == "timeSeriesProfile"


def test_the_long_export_of_gtnp(tmp_path):
    places = {"17": Station("Samoylov", 72.37, 126.48), "18": Station("Tiksi", 71.6, 128.9)}
    found = read_boreholes(write(tmp_path, LONG), stations=places)
    assert found["station"].values.tolist() == ["17", "18"]
    assert found["tsl"].sel(station="17", depth=0.5, time="2005-08-31").item() == 4.0
    assert np.isnan(found["tsl"].sel(station="18", depth=1.0)).all()
    assert found["lat"].values.tolist() == [72.37, 71.6]


def test_pangaea_with_its_comment_and_units(tmp_path):
    found = read_boreholes(write(tmp_path, PANGAEA, "pangaea.tab"))
    assert found["station"].values.tolist() == ["SaSoil2002"]
    np.testing.assert_allclose(found["tsl"].values, [[[5.1, -1.2]]])
    assert found["depth"].values.tolist() == [0.10, 0.71]


@pytest.mark.parametrize(
    "header",
    [
        "0.5 m,1 m,2 m",
        "50cm,100cm,200cm",
        "T_0.5m,T_1m,T_2m",
        "T soil [°C] (0.5 m),T soil [°C] (1 m),T soil [°C] (2 m)",
    ],
)
def test_depths_are_read_from_the_names_of_columns(tmp_path, header):
    found = read_boreholes(write(tmp_path, WIDE.replace("Date/Depth,0.5,1,2", f"timestamp,{header}")))
    assert found["depth"].values.tolist() == [0.5, 1.0, 2.0]


def test_semicolons_decimal_commas_and_centimetres(tmp_path):
    text = "date;50;100\n2005-08-31;4,5;1,0\n"
    found = read_boreholes(write(tmp_path, text), depth_units="cm")
    assert found["depth"].values.tolist() == [0.5, 1.0]
    np.testing.assert_allclose(found["tsl"].values, [[[4.5, 1.0]]])


def test_kelvins_are_converted_by_header_or_option(tmp_path):
    text = "time,depth [cm],temperature [K]\n2005-08-31,50,273.15\n"
    assert read_boreholes(write(tmp_path, text))["tsl"].item() == pytest.approx(0.0)
    wide = WIDE.replace("4.5", "277.65").replace("4.0", "277.15").replace("1.0,", "274.15,")
    wide = wide.replace("0.9", "274.05").replace("-1.5", "271.65")
    found = read_boreholes(write(tmp_path, wide), units="K")
    assert found["tsl"].isel(time=0, depth=0).item() == pytest.approx(4.5)
    with pytest.raises(UnitsError, match=r"line 2: 277.65 degC at 0.5 m, read as degC"):
        read_boreholes(write(tmp_path, wide))


def test_heights_become_depths_on_request(tmp_path):
    text = "date,-0.5,-1\n2005-08-31,4.5,1.0\n"
    assert read_boreholes(write(tmp_path, text), depth_positive="up")["depth"].values.tolist() == [0.5, 1.0]
    with pytest.raises(DataError, match=r"a depth of -0.5 m, above the ground; .*depth_positive='up'"):
        read_boreholes(write(tmp_path, text))


def test_other_columns_are_told(tmp_path):
    text = "Date/Depth,0.5,remark\n2005-08-31,1.0,fine\n"
    assert "columns not read: remark" in read_boreholes(write(tmp_path, text)).attrs["history"]


def test_exclusions_hold_here_too(tmp_path):
    bad = Exclusion("iced", station="hole", depth=0.5, end="2005-08-31")
    found = read_boreholes(write(tmp_path, WIDE), exclude=[bad])
    np.testing.assert_allclose(found["tsl"].sel(depth=0.5)[0], [np.nan, 4.0])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (WIDE.replace("0.9,-1.5", "0.9"), r"line 3: 3 cells; expected 4 cells"),
        (WIDE.replace("0.9", "o.9"), r"line 3: column '1' holds 'o.9'"),
        (WIDE.replace("2005-09-01", "01.09.2005"), r"line 3: the time '01.09.2005 00:00:00'"),
        (
            WIDE.replace("2005-09-01", "2005-08-31"),
            r"line 3: 2005-08-31 00:00:00 at 0.5 m for the second time",
        ),
        (WIDE.replace("Date/Depth", "Day"), r"no column of times among Day, 0.5, 1, 2"),
        (WIDE.replace("0.5,1,2", "a,b,c"), r"no depths in the header"),
        (WIDE.replace("0.5,1,2", "0.5,1,1.0"), r"two columns for 1 m"),
        ("Date/Depth,0.5\n", r"2 columns and 0 rows"),
        (LONG.replace("temperature", "value"), r"0 columns of temperature beside 'depth'"),
        (LONG.replace("1.0,2.0", ",2.0"), r"line 2: no depth"),
        ("/* never ends\n", r"a comment that does not end"),
        (PANGAEA.replace("-1.2", "cold"), r"line 6: column 'T soil \[°C\]' holds 'cold'"),
    ],
)
def test_broken_tables_are_named(tmp_path, text, message):
    with pytest.raises(DataError, match=message):
        read_boreholes(write(tmp_path, text))


def test_units_must_be_one_and_known(tmp_path):
    with pytest.raises(UnitsError, match="depths in 'ft'"):
        read_boreholes(write(tmp_path, PANGAEA.replace("[m]", "[ft]")))
    with pytest.raises(UnitsError, match=r"temperatures in K and °C"):
        read_boreholes(write(tmp_path, WIDE.replace("0.5,1,2", "0.5 m [K],1 m [°C],2 m [K]")))


def test_a_station_without_a_place_is_refused(tmp_path):
    with pytest.raises(DataError, match="station '18' is not known; expected one of 17"):
        read_boreholes(write(tmp_path, LONG), stations={"17": Station("Samoylov", 72.37, 126.48)})


def test_options_must_be_known(tmp_path):
    with pytest.raises(UsageError, match="'inch' is not known"):
        read_boreholes(write(tmp_path, WIDE), depth_units="inch")
    with pytest.raises(UsageError, match="'left' is not known"):
        read_boreholes(write(tmp_path, WIDE), depth_positive="left")
