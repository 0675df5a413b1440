import numpy as np
import pytest
import shapely

from geotools.errors import GeometryError, UsageError
from geotools.space.geodesy import distance, polygon_area
from geotools.space.grid import Grid
from geotools.space.overlap import Overlap
from geotools.space.transect import Transect
from geotools.space.transect_check import check_inside

TOWNS = {
    "Harbin": (45.8, 126.6),
    "Heihe": (50.3, 127.5),
    "Skovorodino": (54.0, 123.9),
    "Tynda": (55.2, 124.7),
    "Neryungri": (56.7, 124.7),
    "Aldan": (58.6, 125.4),
    "Yakutsk": (62.0, 129.7),
    "Zhigansk": (66.8, 123.4),
    "Kyusyur": (70.7, 127.4),
    "Tiksi": (71.6, 128.9),
}


def areas(transect):
    return polygon_area(np.array(transect.segments.geometry))


def test_the_meridian_from_harbin_to_the_delta():
    """45.8 N to 72.5 N along 126 E, on the ellipsoid."""
    transect = Transect([(45.8, 126), (72.5, 126)])
    assert transect.length_km == pytest.approx(2974.07, abs=0.01)
    segments = transect.segments
    assert len(segments) == 119
    assert segments.index.name == "segment"
    assert segments.crs.to_epsg() == 4326
    np.testing.assert_allclose(segments["lon"], 126, atol=1e-9)
    np.testing.assert_allclose(
        segments["distance_end_km"] - segments["distance_start_km"], 2974.07 / 119, rtol=1e-5
    )
    np.testing.assert_array_equal(segments["distance_start_km"][1:], segments["distance_end_km"][:-1])


def test_area_of_a_straight_strip():
    """Length times width, less (half width)^2 / (6 R^2) for a curved Earth."""
    transect = Transect([(45.8, 126), (72.5, 126)], half_width_km=50)
    assert areas(transect).sum() / 1e6 / (transect.length_km * 100) == pytest.approx(1, abs=2e-5)


@pytest.mark.parametrize("half_width_km", [25, 50, 100])
def test_segments_with_bends_cover_once_and_leave_no_gap(half_width_km):
    transect = Transect(TOWNS, half_width_km=half_width_km)
    segments = transect.segments
    assert segments.is_valid.all()
    assert set(segments.geom_type) == {"Polygon"}
    union = polygon_area(transect.swath)
    assert areas(transect).sum() == pytest.approx(union, rel=1e-7)
    assert union / 1e6 == pytest.approx(2 * half_width_km * transect.length_km, rel=1e-4)
    assert transect.swath.buffer(1e-4).contains(transect.line)


def test_towns_are_ends_of_segments():
    transect = Transect(TOWNS)
    ends = {0.0, *transect.segments["distance_end_km"].round(6)}
    assert {round(d, 6) for d in transect.vertices["distance_km"]} <= ends
    assert transect.vertices["name"].tolist() == list(TOWNS)
    lengths = transect.segments["distance_end_km"] - transect.segments["distance_start_km"]
    assert lengths.between(20, 30).all()


def test_a_hairpin_counts_no_land_twice():
    transect = Transect([(60, 120), (62, 121), (60, 122)], half_width_km=50)
    assert areas(transect).sum() == pytest.approx(polygon_area(transect.swath), rel=1e-6)
    assert polygon_area(transect.swath) / 1e6 < 100 * transect.length_km


def test_a_place_and_its_segment():
    segments = Transect(TOWNS).segments
    for (lat, lon), km in zip(
        zip(segments["lat"], segments["lon"], strict=True), segments["distance_km"], strict=True
    ):
        assert segments.geometry.contains(shapely.Point(lon, lat)).sum() == 1
        assert km > 0


def test_swath_sides_are_half_a_width_away():
    transect = Transect([(60, 120), (60, 140)], half_width_km=25)
    corners = shapely.get_coordinates(transect.swath)
    inner = transect.project(corners[:, 1], corners[:, 0])
    np.testing.assert_allclose(inner["offset_km"].abs().max(), 25, rtol=1e-6)


def test_points_keep_their_distance():
    transect = Transect(TOWNS)
    points = transect.points(10)
    np.testing.assert_allclose(np.diff(points["distance_km"])[:-1], 10, rtol=1e-9)
    assert points["distance_km"].iloc[-1] == pytest.approx(transect.length_km)
    step = distance(points["lat"][:-1], points["lon"][:-1], points["lat"][1:], points["lon"][1:]) / 1000
    assert np.median(step) == pytest.approx(10, rel=1e-9)
    with pytest.raises(UsageError, match="spacing_km is 0"):
        transect.points(0)


def test_stations_are_projected_at_right_angles():
    transect = Transect([(60, 120), (70, 120)])
    out = transect.project([65.0, 65.0, 59.0], [121.0, 119.0, 120.0])
    assert out["offset_km"][0] == pytest.approx(-out["offset_km"][1])
    assert out["offset_km"][0] > 0
    assert out["beside"].tolist() == [True, True, False]
    assert out["distance_km"][2] == 0
    assert abs(out["offset_km"][2]) == pytest.approx(float(distance(59, 120, 60, 120)) / 1000)
    # The foot of the perpendicular is the nearest point: none of the line is nearer.
    near = transect.points(0.5)
    assert out["offset_km"][0] == pytest.approx(
        distance(near["lat"], near["lon"], 65, 121).min() / 1000, abs=1e-3
    )


def test_towns_project_to_themselves():
    transect = Transect(TOWNS)
    lat, lon = np.array(list(TOWNS.values())).T
    out = transect.project(lat, lon)
    np.testing.assert_allclose(out["distance_km"], transect.vertices["distance_km"], atol=1e-5)
    np.testing.assert_allclose(out["offset_km"], 0, atol=1e-5)


def test_places_by_name():
    transect = Transect(["Yakutsk", (66.8, 123.4)], places=TOWNS)
    assert transect.vertices["name"].tolist() == ["Yakutsk", ""]
    with pytest.raises(GeometryError, match="the place 'Irkutsk' is unknown; expected one of Aldan"):
        Transect(["Irkutsk", (66.8, 123.4)], places=TOWNS)


@pytest.mark.parametrize(
    ("points", "message"),
    [
        (
            [(126.6, 45.8), (62.0, 129.7)],
            "place 0 is at latitude 126.6, longitude 45.8; expected .latitude, longitude",
        ),
        ([(60, 120), (60, 120)], "places 0 and 1 are the same: 60 N, 120 E"),
        ([(60, 120)], "a transect of 1 places; expected two or more"),
        ([(60, 120), (np.nan, 120)], "place 1 is at latitude nan"),
        ([(60, 170), (60, -170)], "the line crosses the antimeridian"),
    ],
)
def test_places_that_make_no_line(points, message):
    with pytest.raises(GeometryError, match=message):
        Transect(points)


def test_a_strip_without_width():
    with pytest.raises(UsageError, match="half_width_km is 0; expected a positive number"):
        Transect([(60, 120), (61, 120)], half_width_km=0)


def test_a_transect_is_a_set_of_zones(grid, nine):
    transect = Transect([(60.4, 127.5), (62.6, 127.5)], half_width_km=20)
    out = Overlap.between(transect, nine).mean(nine)
    assert out.dims == ("segment",)
    assert {"distance_km", "lat", "lon", "valid_fraction"} <= set(out.coords)
    assert out.values[0] == pytest.approx(1)
    assert out.values[-1] == pytest.approx(7)
    assert (np.diff(out) >= -1e-12).all()
    assert Overlap.between(transect, nine).fraction.dims == ("segment", "lat", "lon")


def test_a_transect_that_leaves_the_data(grid):
    check_inside(Transect([(60.4, 127.5), (62.6, 127.5)]), grid)
    with pytest.raises(
        GeometryError, match=r"the transect leaves the data in 4 of 15 segments: 11 \(270 to 294 km"
    ):
        check_inside(Transect([(60.4, 127.5), (63.7, 127.5)]), grid)


def test_a_transect_beyond_the_pole():
    with pytest.raises(GeometryError, match="reaches a pole or the antimeridian"):
        _ = Transect([(88, 120), (89.9, 120)]).segments


def test_there_and_back_counts_the_land_once():
    there, back = Transect([(60, 120), (62, 120)]), Transect([(60, 120), (62, 120), (60, 120)])
    assert areas(back).sum() == pytest.approx(polygon_area(back.swath), rel=1e-6)
    # At the turning point the strip reaches on by its half width.
    assert areas(back).sum() == pytest.approx(areas(there).sum() + 25e3 * 50e3, rel=2e-3)


def test_a_place_in_the_strip_of_another():
    with pytest.raises(GeometryError, match="lies wholly in the strip of earlier segments"):
        _ = Transect([(60, 120), (62, 120), (62, 123), (61, 120.1), (61.2, 120.1)]).segments


def test_a_global_grid_holds_it():
    check_inside(Transect(TOWNS), Grid.regular((-180, -90, 180, 90), 1))
