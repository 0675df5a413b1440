"""What an overlap refuses or warns of, and what it says then; see also test_zones.py and test_grid.py."""

import warnings

import geopandas as gpd
import numpy as np
import pyproj
import pytest
import shapely
import xarray as xr

from geotools.errors import CRSError, DataError, GeometryError, GeotoolsWarning, ProblemsError, UsageError
from geotools.space import Grid, Overlap, Transect, check_inside, check_zones

SQUARE = shapely.box(126.5, 60.5, 127.5, 61.5)


def frame(*shapes, names=None, crs=4326):
    return gpd.GeoDataFrame(geometry=list(shapes), index=names or range(len(shapes)), crs=crs)


def lake_at(lon):
    return shapely.box(lon, 60, lon + 1, 61)


# Zones outside the grid


def test_zones_outside_are_named_and_stay_with_nothing(nine, grid):
    zones = frame(lake_at(10), SQUARE, lake_at(20), names=["a", "in", "b"])
    with pytest.warns(
        GeotoolsWarning, match=r"^zones 'a', 'b' lie wholly outside the grid; their valid fraction is 0$"
    ) as caught:
        overlap = Overlap.between(zones, grid)
    assert caught[0].filename == __file__
    for result in (overlap.mean(nine), overlap.total(nine), overlap.quantile(nine, 0.5)):
        assert result["zone"].values.tolist() == ["a", "in", "b"]
        assert np.isnan(result.values).tolist() == [True, False, True]
        np.testing.assert_allclose(result["valid_fraction"], [0, 1, 0])
        np.testing.assert_allclose(result["covered_fraction"], [0, 1, 0])
    assert overlap.zone_areas.values.min() > 6e9


def test_one_zone_outside_and_very_many(grid):
    with pytest.warns(
        GeotoolsWarning, match="zone 'a' lies wholly outside the grid; its valid fraction is 0"
    ):
        Overlap.between(frame(lake_at(10), SQUARE, names=["a", "in"]), grid)
    with pytest.warns(GeotoolsWarning, match="zones 0, 1, 2, 3, 4 and 3 more lie wholly outside the grid"):
        Overlap.between(frame(*map(lake_at, range(8))), grid)


def test_segments_outside_are_named(grid):
    line = Transect([(60.5, 126.2), (60.5, 132.0)], segment_length_km=80, half_width_km=10)
    with pytest.warns(GeotoolsWarning, match="zones 2, 3 lie wholly outside the grid"):
        Overlap.between(line, grid)


def test_the_check_of_a_transect_raises_and_does_not_warn_before(grid):
    line = Transect([(60.5, 126.2), (60.5, 132.0)], segment_length_km=80, half_width_km=10)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(GeometryError, match="the transect leaves the data in 3 of 4 segments"):
            check_inside(line, grid)


def test_zones_partly_outside_and_cells_outside_do_not_warn(grid):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        Overlap.between(frame(shapely.box(120, 60, 127, 61)), grid)
        Overlap.between(Grid.regular((120, 60, 129, 63), 1), grid)


def test_the_warning_comes_from_the_cache_too(grid, tmp_path):
    for _ in range(2):
        with pytest.warns(GeotoolsWarning, match="zone 'a' lies wholly outside"):
            Overlap.between(frame(lake_at(10), names=["a"]), grid, cache=tmp_path)


# Shapes


@pytest.mark.parametrize(
    ("shapes", "names", "error", "message"),
    [
        ([SQUARE, SQUARE], ["lena", "lena"], GeometryError, "the name 'lena' comes more than once"),
        (
            [shapely.Polygon([(126, 60), (127, 61), (128, 62), (126, 60)])],
            ["flat"],
            GeometryError,
            "zone 'flat': the polygon has no area.*drop the row",
        ),
        (
            [shapely.box(126.5, 60.5, 126.5 + 1e-9, 60.5 + 1e-9)],
            ["dot"],
            GeometryError,
            r"zone 'dot': the polygon has an area of 6.12e-09 m2, which is lost.*as a point",
        ),
        (
            [shapely.Point(127, 61), None],
            ["a", "b"],
            GeometryError,
            "'b' has no place: its coordinates are absent",
        ),
        ([shapely.Point(127, 61), shapely.Point(127, np.nan)], ["a", "b"], GeometryError, "'b' has no place"),
        ([shapely.Point(127, 61), shapely.Point(np.inf, 61)], ["a", "b"], GeometryError, "'b' has no place"),
        ([shapely.Point(127, 61)] * 2, ["a", "a"], GeometryError, "points: 'a' comes more than once"),
        (
            [shapely.Point(61, 127)],
            ["a"],
            GeometryError,
            "point 'a': coordinates run from .61, 127.*check the CRS",
        ),
        (
            [shapely.Point(4e5, 6e6), shapely.Point(4e5, 7e6)],
            ["a", "b"],
            ProblemsError,
            "2 problems.*\n.*point 'a'.*\n.*point 'b'",
        ),
        ([shapely.Point(127, 61), SQUARE], ["a", "b"], GeometryError, "zone 'a': the shape is a Point"),
    ],
)
def test_shapes_that_cannot_be_targets(grid, shapes, names, error, message):
    with pytest.raises(error, match=message):
        Overlap.between(frame(*shapes, names=names), grid)


def with_vertex(x, y):
    with warnings.catch_warnings():
        # Shapely makes the polygon, and NumPy warns of the NaN in it.
        warnings.simplefilter("ignore", RuntimeWarning)
        return shapely.Polygon([(126, 60), (127, 60), (x, y), (126, 61)])


@pytest.mark.parametrize("place", [(np.nan, 61), (127, np.nan), (np.inf, 61), (127, -np.inf)])
@pytest.mark.parametrize("many", [False, True])
def test_a_vertex_without_a_place_is_refused_and_never_repaired_away(grid, place, many):
    bad = with_vertex(*place)
    bad = shapely.MultiPolygon([lake_at(128), bad]) if many else bad
    zones = frame(SQUARE, bad, names=["good", "bad"])
    message = "^zone 'bad': a vertex of the polygon is NaN or infinite.*find out where it belongs"
    with pytest.raises(GeometryError, match=message):
        Overlap.between(zones, grid)
    with pytest.raises(GeometryError, match=message):
        check_zones(zones, repair=True)


def test_a_frame_without_geometry_or_column(grid):
    with pytest.raises(UsageError, match=r"the GeoDataFrame has no geometry.*set_geometry"):
        Overlap.between(gpd.GeoDataFrame({"a": [1]}), grid)
    with pytest.raises(UsageError, match="there is no column 'name'; expected one of geometry"):
        Overlap.between(frame(shapely.Point(127, 61)), grid, column="name")


# Coordinates of grids


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_edges_and_coordinates_that_are_not_finite(bad, nine):
    with pytest.raises(DataError, match="x_edges holds 1 values that are not finite"):
        Grid([126, bad, 128], [60, 61], 4326)
    with pytest.raises(DataError, match="the coordinate 'lon' holds 1 NaN"):
        Overlap.between(frame(SQUARE), nine.assign_coords(lon=[126.5, bad, 128.5]))


# CRS


def test_targets_without_crs(grid):
    for shape in (SQUARE, shapely.Point(127, 61)):
        with pytest.raises(CRSError, match=r"there is no coordinate reference system.*set_crs"):
            Overlap.between(frame(shape, crs=None), grid)


def test_zones_in_another_crs_are_brought_to_that_of_the_grid(grid, nine):
    zones = frame(shapely.segmentize(SQUARE, 0.01), names=["a"])
    here, there = (Overlap.between(z, grid).mean(nine) for z in (zones, zones.to_crs(3995)))
    np.testing.assert_allclose(here, there, rtol=1e-6)


@pytest.mark.parametrize("crs", ["EPSG:4284", "EPSG:4674"])
def test_a_field_in_another_crs_than_the_overlap_is_refused(grid, nine, crs):
    other = Grid(grid.x_edges, grid.y_edges, crs, "lon", "lat")
    field = other.wrap(nine.values).assign_attrs(units="kg m-2").rename("csoil")
    with pytest.raises(
        DataError, match=rf"'csoil': the field lies on another grid than the overlap.*{crs}.*EPSG:4326"
    ):
        Overlap.between(frame(SQUARE), grid).mean(field)


def test_a_projected_field_against_an_overlap_in_degrees(grid):
    field = Grid.regular((0, 0, 3, 3), 1, 3995).wrap(np.zeros((3, 3))).assign_attrs(units="degC")
    with pytest.raises(DataError, match=r"another grid than the overlap.*EPSG:3995.*EPSG:4326"):
        Overlap.between(frame(SQUARE), grid).mean(field)


# An affine transform that contradicts the coordinates


def raster(transform, x=None, y=None, crs=3995, *, mapping="spatial_ref"):
    """Twenty by thirty cells of 25 km, with centres that fit `-250000 25000 0 500000 0 -25000`."""
    x = -250_000 + 25_000 * (np.arange(30) + 0.5) if x is None else x
    y = 500_000 - 25_000 * (np.arange(20) + 0.5) if y is None else y
    attrs = {**pyproj.CRS(crs).to_cf(), "GeoTransform": transform}
    out = xr.DataArray(np.zeros((len(y), len(x))), {"y": y, "x": x}, ("y", "x"), name="ndvi")
    return out.assign_coords({mapping: ((), 0, attrs)}).assign_attrs(grid_mapping=mapping)


RIGHT = "-250000 25000 0 500000 0 -25000"


@pytest.mark.parametrize(
    "change",
    [
        lambda r: r,
        lambda r: r.isel(x=slice(3, 9), y=slice(5, 7)),
        lambda r: r.isel(x=slice(None, None, 2), y=slice(1, None, 3)),
        lambda r: r.sortby("y"),
        lambda r: r.coarsen(x=3, y=2).mean(),
        lambda r: r.coarsen(x=2, y=5).mean().isel(x=slice(2, 5)),
        lambda r: r.astype("float32").assign_coords(x=r.x.astype("float32"), y=r.y.astype("float32")),
    ],
    ids=["whole", "part", "every n-th", "turned", "blocks", "part of blocks", "float32"],
)
@pytest.mark.parametrize("mapping", ["spatial_ref", "crs"])
def test_what_xarray_makes_of_a_raster_does_not_contradict_its_transform(change, mapping):
    given = change(raster(RIGHT, mapping=mapping))
    bare = given.copy()
    bare[mapping].attrs.pop("GeoTransform")
    assert Grid.from_dataarray(given) == Grid.from_dataarray(bare)


def test_longitudes_turned_by_360_do_not_contradict_their_transform():
    world = raster("0 0.7 0 63 0 -0.7", np.arange(0.35, 126, 0.7), 63 - 0.7 * (np.arange(9) + 0.5), 4326)
    assert Grid.from_dataarray(world).bounds[0] == pytest.approx(0)
    turned = world.assign_coords(x=world.x - 360)
    assert Grid.from_dataarray(turned).bounds[0] == pytest.approx(-360)


@pytest.mark.parametrize(
    ("transform", "message"),
    [
        ("-250000 20000 0 500000 0 -20000", "the coordinate 'x' has cells of 25000; expected cells of 20000"),
        ("-250000 25000 0 500000 0 -10000", "the coordinate 'y' has cells of 25000; expected cells of 10000"),
        ("-237500 25000 0 500000 0 -25000", "the coordinate 'x' is shifted, with edges such as -250000"),
        (
            "-250000 25000 0 507000 0 -25000",
            "'y' is shifted, .*start at 507000, as its GeoTransform says.*del field",
        ),
        (
            "-250000 25000 9 500000 9 -25000",
            r"its GeoTransform is rotated or has no cell size .*warp the raster",
        ),
        ("-250000 0 0 500000 0 -25000", "its GeoTransform is rotated or has no cell size"),
        ("-250000 25000 0 500000", "its GeoTransform is '-250000 25000 0 500000'; expected six numbers"),
        ("a b c d e f", "expected six numbers"),
        ("nan 25000 0 500000 0 -25000", "expected six numbers"),
    ],
)
def test_a_transform_that_contradicts_the_coordinates(transform, message):
    with pytest.raises(DataError, match=f"coordinate 'spatial_ref': .*{message}"):
        Grid.from_dataarray(raster(transform))
    with pytest.raises(DataError, match=message):
        Overlap.between(frame(SQUARE), raster(transform))


def test_the_transform_of_a_dataset_is_among_its_variables():
    shifted = raster("-237500 25000 0 500000 0 -25000", mapping="crs").to_dataset().reset_coords("crs")
    with pytest.raises(DataError, match="coordinate 'crs': the coordinate 'x' is shifted"):
        Grid.from_dataarray(shifted)


def test_irregular_cells_with_bounds_are_not_affine():
    edges = np.cumsum(np.linspace(20_000, 30_000, 31)) - 250_000
    field = raster(RIGHT, (edges[:-1] + edges[1:]) / 2).to_dataset()
    field["x"].attrs["bounds"] = "x_bnds"
    field["x_bnds"] = (("x", "two"), np.column_stack((edges[:-1], edges[1:])))
    with pytest.raises(
        DataError, match=r"'x' is irregular, with cells of 20333.3 to 30000; expected cells of 25000"
    ):
        Grid.from_dataarray(field)
    field["spatial_ref"].attrs.pop("GeoTransform")
    np.testing.assert_allclose(Grid.from_dataarray(field).x_edges, edges)


def test_rioxarray_writes_a_transform_that_fits():
    rioxarray = pytest.importorskip("rioxarray")
    assert rioxarray
    field = raster("0 1 0 0 0 1").drop_vars("spatial_ref").rio.write_crs(3995)
    written = field.rio.write_transform()
    assert "GeoTransform" in written["spatial_ref"].attrs
    assert Grid.from_dataarray(written).x_edges[0] == -250_000
    shifted = written.assign_coords(x=written.x + 12_500)
    with pytest.raises(DataError, match="the coordinate 'x' is shifted"):
        Grid.from_dataarray(shifted)
