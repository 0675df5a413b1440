import numpy as np
import pytest
import shapely
from pyproj import Geod

from geotools.errors import CRSError, DataError, GeometryError
from geotools.space.geodesy import (
    areal_scale,
    authalic_ordinate,
    densify,
    distance,
    equal_area_crs,
    geographic_cell_areas,
    polygon_area,
)

EARTH_KM2 = 510_065_622


@pytest.mark.parametrize(
    ("lower_edge", "step", "km2"),
    [(45, 1, 8686.495), (60, 1, 6123.141), (70, 1, 4158.119), (60.0, 0.25, 387.0907)],
)
def test_cell_whose_lower_edge_is_at_the_latitude(lower_edge, step, km2):
    area = geographic_cell_areas([lower_edge, lower_edge + step], [0, step])[0, 0] / 1e6
    assert area == pytest.approx(km2, abs=6e-4 if step == 1 else 6e-5)


def test_the_whole_earth():
    assert geographic_cell_areas([-90, 90], [-180, 180])[0, 0] / 1e6 == pytest.approx(EARTH_KM2, abs=0.5)


def test_cells_add_up_to_their_band():
    fine = geographic_cell_areas(np.linspace(40, 75, 36), np.linspace(70, 145, 76)).sum()
    assert fine == pytest.approx(geographic_cell_areas([40, 75], [70, 145])[0, 0], rel=1e-14)


def test_a_sphere_is_too_small_here():
    sphere = np.deg2rad(1) * (np.sin(np.deg2rad(71)) - np.sin(np.deg2rad(70))) * 6371.0072**2
    assert sphere == pytest.approx(4127.249, abs=1e-3)
    assert sphere / (geographic_cell_areas([70, 71], [0, 1])[0, 0] / 1e6) - 1 == pytest.approx(
        -0.0074, abs=1e-4
    )


def test_latitude_beyond_a_pole():
    with pytest.raises(DataError, match=r"latitude edges reach 90.5 degrees; expected -90 to 90"):
        geographic_cell_areas([89.5, 90.5], [0, 1])


@pytest.mark.parametrize(
    ("lat", "factor"),
    [(45, 1.2981), (50, 1.2132), (55, 1.1435), (60, 1.0869), (65, 1.0415), (70, 1.0060), (72, 0.9943)],
)
def test_polar_stereographic_pixels_are_not_equal_area(lat, factor):
    assert areal_scale("EPSG:3995", lat, 126) == pytest.approx(factor, abs=5.1e-5)


def test_polygon_with_straight_edges_in_degrees_against_geodesics():
    triangle = shapely.Polygon([(110, 50), (135, 55), (120, 71)])
    dense = shapely.segmentize(triangle, 0.005)
    geodesic = abs(Geod(ellps="WGS84").geometry_area_perimeter(dense)[0])
    assert polygon_area(triangle) == pytest.approx(geodesic, rel=1e-7)


def test_same_polygon_in_several_projections():
    box = shapely.box(115, 60, 125, 66)
    true = geographic_cell_areas([60, 66], [115, 125])[0, 0]
    dense = densify(box, 0.005)
    from pyproj import Transformer

    for crs in ("EPSG:3995", "EPSG:6931", equal_area_crs(63, 120), "EPSG:32651"):
        to = Transformer.from_crs(4326, crs, always_xy=True)
        projected = shapely.transform(dense, lambda c, to=to: np.column_stack(to.transform(c[:, 0], c[:, 1])))
        assert polygon_area(projected, crs) == pytest.approx(true, rel=1e-7)


def test_a_circle_round_the_pole_in_polar_stereographic():
    from pyproj import Transformer

    lon = np.linspace(-180, 180, 20001)
    x, y = Transformer.from_crs(4326, 3995, always_xy=True).transform(lon, np.full(lon.size, 60.0))
    cap = geographic_cell_areas([60, 90], [-180, 180])[0, 0]
    assert polygon_area(shapely.Polygon(np.column_stack((x, y))), "EPSG:3995") == pytest.approx(cap, rel=1e-6)


def test_arrays_and_holes():
    outer, hole = shapely.box(120, 60, 124, 64), shapely.box(121, 61, 122, 62)
    areas = polygon_area(np.array([outer, hole, outer.difference(hole)]))
    assert areas[2] == pytest.approx(areas[0] - areas[1], rel=1e-13)


def test_no_crs():
    with pytest.raises(CRSError, match="no coordinate reference system"):
        polygon_area(shapely.box(0, 0, 1, 1), None)


def test_coordinates_of_another_crs():
    with pytest.raises(GeometryError, match="cannot show"):
        polygon_area(shapely.box(1e9, 1e9, 2e9, 2e9), "EPSG:32651")


def test_meridian_from_harbin_to_the_delta():
    assert distance(45.8, 126, 72.5, 126) / 1000 == pytest.approx(2974.07, abs=0.01)


def test_ordinate_is_odd_and_ends_at_a_half_earth():
    assert authalic_ordinate(-60) == -authalic_ordinate(60)
    assert authalic_ordinate(90) * 720 / 1e6 == pytest.approx(EARTH_KM2, abs=0.5)
