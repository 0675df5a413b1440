import geopandas as gpd
import pytest
import shapely

from geotools.errors import CRSError, GeometryError, ProblemsError, UsageError
from geotools.space.zones import check_zones

SQUARE = shapely.box(120, 60, 121, 61)
BOW_TIE = shapely.Polygon([(120, 60), (122, 62), (122, 60), (120, 62)])


def frame(*shapes, names=None, crs=4326):
    return gpd.GeoDataFrame(geometry=list(shapes), index=names or range(len(shapes)), crs=crs)


def test_good_zones_pass():
    zones = frame(SQUARE, SQUARE.buffer(1), names=["inner", "outer"])
    assert check_zones(zones).index.tolist() == ["inner", "outer"]
    assert check_zones(zones.assign(code=["a", "b"]), column="code").index.tolist() == ["a", "b"]


@pytest.mark.parametrize(
    ("shape", "message"),
    [
        (shapely.Polygon(), "zone 'bad': the polygon is empty"),
        (None, "zone 'bad': the polygon is empty"),
        (BOW_TIE, r"zone 'bad': the polygon is invalid: Self-intersection\[121 61\].*repair=True"),
        (shapely.LineString([(0, 0), (1, 1)]), "zone 'bad': the shape is a LineString; expected a polygon"),
        (shapely.box(4e5, 6e6, 5e5, 7e6), "coordinates run from .400000, 6e.06.*check the CRS"),
    ],
)
def test_a_bad_zone_is_named(shape, message):
    with pytest.raises(GeometryError, match=message):
        check_zones(frame(SQUARE, shape, names=["good", "bad"]))


def test_no_area():
    flat = shapely.Polygon([(0, 0), (1, 1), (0, 0), (0, 0)])
    with pytest.raises(GeometryError, match="zone 0: the polygon"):
        check_zones(frame(flat))


def test_no_crs():
    with pytest.raises(CRSError, match=r"zones: there is no coordinate reference system.*set_crs"):
        check_zones(frame(SQUARE, crs=None))


def test_names_that_come_twice():
    with pytest.raises(GeometryError, match="the name 'lena' comes more than once"):
        check_zones(frame(SQUARE, SQUARE, names=["lena", "lena"]))


def test_several_problems_at_once():
    with pytest.raises(ProblemsError, match="2 problems") as caught:
        check_zones(frame(BOW_TIE, shapely.Polygon()))
    assert len(caught.value.problems) == 2


def test_repair_is_recorded():
    out = check_zones(frame(SQUARE, BOW_TIE, names=["good", "tie"]), repair=True)
    assert out.is_valid.all()
    assert out.geometry.iloc[1].area == pytest.approx(2)
    assert "zone 'tie' (Self-intersection[121 61]" in out.attrs["history"]
    assert "history" not in check_zones(frame(SQUARE), repair=True).attrs


def test_not_a_frame():
    with pytest.raises(UsageError, match="zones are a list"):
        check_zones([SQUARE])
    with pytest.raises(UsageError, match="there is no column 'name'; expected one of geometry"):
        check_zones(frame(SQUARE), column="name")
    with pytest.raises(GeometryError, match="there are no zones"):
        check_zones(frame())
