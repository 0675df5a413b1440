"""One polygon, one tiling and one regridding through every kind of grid."""

import geopandas as gpd
import numpy as np
import pytest
import shapely
import xarray as xr
from pyproj import CRS, Transformer

from geotools.space import CurvilinearGrid, Grid, Overlap
from geotools.space.crs import same_crs
from geotools.space.geodesy import geographic_cell_areas, polygon_area

ROTATED = "+proj=ob_tran +o_proj=longlat +o_lon_p=0 +o_lat_p=39.25 +lon_0=18 +R=6371229"
ROTATED_CF = {
    "grid_mapping_name": "rotated_latitude_longitude",
    "grid_north_pole_latitude": 39.25,
    "grid_north_pole_longitude": -162.0,
}
ROTATED_EAST = "+proj=ob_tran +o_proj=longlat +o_lon_p=0 +o_lat_p=31 +lon_0=115 +R=6371229"
SINUSOIDAL = "+proj=sinu +R=6371007.181 +units=m"
SPHERE = "+proj=longlat +R=6371229"

# Bounds, step, and how well a zone closes. Edges of the zone bend between the vertices that densifying adds, and so do
# sides of cells between those of their outlines.
GRIDS = {
    "EPSG:4326": ((90, 40, 160, 80), 0.25, 1e-12),
    SPHERE: ((90, 40, 160, 80), 0.25, 1e-12),
    "EPSG:6931": ((-4e6, -4e6, 4e6, 4e6), 2e4, 2e-7),
    "EPSG:3571": ((-5e6, -5e6, 5e6, 5e6), 2e4, 2e-7),
    "ESRI:102025": ((-3e6, 2e6, 5e6, 6e6), 2e4, 2e-7),
    "ESRI:54008": ((2e6, 4e6, 1.2e7, 8e6), 2e4, 3e-7),
    SINUSOIDAL: ((2e6, 4e6, 1.2e7, 8e6), 2e4, 5e-7),
    "EPSG:3995": ((-4e6, -4e6, 4e6, 4e6), 2e4, 2e-7),
    "EPSG:3413": ((-4e6, -4e6, 4e6, 4e6), 2e4, 2e-7),
    "EPSG:32652": ((-1.5e6, 5e6, 2.5e6, 8e6), 2e4, 2e-7),
    "EPSG:3395": ((1e7, 5e6, 1.7e7, 1.2e7), 2e4, 2e-7),
}
BASIN = shapely.Polygon([(112, 52), (132, 56), (126, 68), (114, 66)])


def frame(*shapes, crs=4326):
    return gpd.GeoDataFrame(geometry=list(shapes), crs=crs)


def grid_in(crs):
    bounds, step, _ = GRIDS[crs]
    return Grid.regular(bounds, step, crs)


@pytest.mark.parametrize("crs", GRIDS)
def test_zones_are_as_large_as_on_the_ellipsoid(crs):
    hole = shapely.box(120, 58, 123, 60)
    zones = frame(
        BASIN,
        BASIN.difference(hole),
        shapely.union(BASIN, shapely.box(135, 60, 138, 62)),
        shapely.box(116, 56, 119, 58),
    )
    overlap = Overlap.between(zones, grid_in(crs))
    assert (overlap.covered_fraction == 1).all()
    np.testing.assert_allclose(overlap.zone_areas, polygon_area(np.array(zones.geometry)), rtol=GRIDS[crs][2])


@pytest.mark.parametrize("crs", GRIDS)
def test_tilings_share_out_every_cell(crs):
    """The areas of cells depend on the grid only, not on which of them a zone asks for."""
    points = shapely.MultiPoint(np.random.default_rng(0).uniform((112, 52), (132, 68), (6, 2)))
    tiles = shapely.get_parts(shapely.voronoi_polygons(points, extend_to=shapely.box(100, 45, 145, 75)))
    grid = grid_in(crs)
    overlap = Overlap.between(frame(*tiles), grid)
    shared = np.asarray(overlap.area.sum(axis=0)).ravel()
    # Cells that lie well inside the tiled domain; at its outline they are covered in part.
    inner = np.unique(Overlap.between(frame(BASIN), grid).area.indices)
    np.testing.assert_allclose(shared[inner], grid.cell_areas().ravel()[inner], rtol=1e-12)
    alone = [Overlap.between(frame(tile), grid).matrix.row_sums[0] for tile in tiles]
    np.testing.assert_allclose(overlap.matrix.row_sums, alone, rtol=1e-13)


@pytest.mark.parametrize("crs", GRIDS)
def test_zones_on_the_other_side_of_the_earth_are_empty_and_kept(crs):
    """A projection tears apart or turns inside out what lies opposite to its grid."""
    zones = frame(BASIN, shapely.box(-80, -60, -60, -50), shapely.box(-180, -90, 180, -60))
    overlap = Overlap.between(zones, grid_in(crs))
    assert overlap.covered_fraction.values.tolist() == [1, 0, 0]


@pytest.mark.parametrize("crs", ["EPSG:3995", "EPSG:6931", "EPSG:3571"])
def test_over_the_antimeridian_on_polar_grids(crs):
    zone = shapely.Polygon([(165, 62), (195, 60), (190, 70), (170, 71)])
    overlap = Overlap.between(frame(zone), grid_in(crs))
    assert overlap.zone_areas.item() == pytest.approx(polygon_area(zone), rel=4e-6)


@pytest.mark.parametrize("crs", [SINUSOIDAL, "EPSG:3395"])
def test_over_the_seam_of_a_projection_the_near_part_counts(crs):
    grid = grid_in(crs)
    zone = shapely.box(150, 50, 200, 55)
    overlap = Overlap.between(frame(zone), grid)
    near = Overlap.between(frame(shapely.box(150, 50, 179.9, 55)), grid)
    assert near.matrix.row_sums[0] <= overlap.matrix.row_sums[0] <= near.matrix.row_sums[0] * 1.02


def test_a_zone_round_the_pole_on_a_lonlat_grid():
    ring = np.column_stack((np.arange(-180, 180, 0.05), np.full(7200, 70.0)))
    x, y = Transformer.from_crs(4326, 3995, always_xy=True).transform(*ring.T)
    cap = shapely.Polygon(np.column_stack((x, y)))
    true = geographic_cell_areas([70, 90], [-180, 180])[0, 0]
    for grid in (Grid.regular((-180, 50, 180, 90), 1), Grid.regular((0, -90, 360, 90), 5)):
        assert Overlap.between(frame(cap, crs=3995), grid).zone_areas.item() == pytest.approx(true, rel=1e-6)
        belt = cap.difference(shapely.Point(0, 0).buffer(1e6))
        both = Overlap.between(frame(belt, cap.intersection(shapely.Point(0, 0).buffer(1e6)), crs=3995), grid)
        assert both.zone_areas.sum().item() == pytest.approx(true, rel=1e-6)


@pytest.mark.parametrize("how", ["proj", "cf", "cf with a radius"])
def test_the_rotated_pole_is_not_longitude_and_latitude(how):
    """Latitudes of the model's sphere are taken as they are, on the ellipsoid."""
    crs = (
        CRS(ROTATED)
        if how == "proj"
        else CRS.from_cf(ROTATED_CF | ({"earth_radius": 6371229.0} if how == "cf with a radius" else {}))
    )
    grid = Grid.regular((-28.375, -23.375, 18.155, 21.835), 0.11, crs, x_dim="rlon", y_dim="rlat")
    assert not grid.is_lonlat
    assert not same_crs(grid.crs, CRS.from_epsg(4326))
    zone = shapely.Polygon([(0, 42), (30, 45), (28, 60), (5, 58)])
    overlap = Overlap.between(frame(zone), grid)
    assert overlap.zone_areas.item() == pytest.approx(polygon_area(zone), rel=1e-6)
    # The middle of the rotated system lies at 18 E, 50.75 N.
    lon, lat = Transformer.from_crs(crs, 4326, always_xy=True).transform(0.0, 0.0)
    assert (lon, lat) == pytest.approx((18, 50.75))
    corners = Transformer.from_crs(crs, 4326, always_xy=True).transform(
        *np.meshgrid(grid.x_edges[250:271], grid.y_edges[200:221])
    )
    outline = shapely.Polygon(
        [*zip(corners[0][0], corners[1][0], strict=True), *zip(corners[0][1:, -1], corners[1][1:, -1], strict=True),
         *zip(corners[0][-1, -2::-1], corners[1][-1, -2::-1], strict=True),
         *zip(corners[0][-2:0:-1, 0], corners[1][-2:0:-1, 0], strict=True)]
    )  # fmt: skip
    window = grid.cell_areas(slice(200, 220), slice(250, 270))
    assert window.sum() == pytest.approx(polygon_area(outline), rel=1e-5)


def test_a_regional_model_by_its_file():
    rlon, rlat = np.arange(-5, 5.1, 0.5), np.arange(-4, 4.1, 0.5)
    lon, lat = Transformer.from_crs(CRS.from_cf(ROTATED_CF), 4326, always_xy=True).transform(
        *np.meshgrid(rlon, rlat)
    )
    data = xr.Dataset(
        {"tas": (("rlat", "rlon"), lat, {"units": "degC", "grid_mapping": "rotated_pole"})},
        coords={
            "rlon": ("rlon", rlon, {"standard_name": "grid_longitude", "units": "degrees"}),
            "rlat": ("rlat", rlat, {"standard_name": "grid_latitude", "units": "degrees"}),
            "lon": (("rlat", "rlon"), lon, {"units": "degrees_east"}),
            "lat": (("rlat", "rlon"), lat, {"units": "degrees_north"}),
            "rotated_pole": ((), 0, ROTATED_CF),
        },
    )
    overlap = Overlap.between(frame(shapely.box(16, 49, 20, 52)), data["tas"])
    assert overlap.grid.dims == ("rlat", "rlon")
    assert overlap.mean(data["tas"]).item() == pytest.approx(50.5, abs=0.03)
    again = overlap.grid.wrap(lat)
    assert again["rlon"].attrs["standard_name"] == "grid_longitude"
    assert Grid.from_dataarray(again).matches(overlap.grid)


def test_gaussian_latitudes_with_bounds():
    sine, _ = np.polynomial.legendre.leggauss(64)
    lat = np.rad2deg(np.arcsin(sine))
    edges = np.concatenate(([-90], (lat[1:] + lat[:-1]) / 2, [90]))
    grid = Grid(np.arange(0, 360.1, 2.8125), edges, 4326, "lon", "lat")
    assert Overlap.between(frame(BASIN), grid).zone_areas.item() == pytest.approx(
        polygon_area(BASIN), rel=1e-12
    )


def curved(grid):
    x, y = np.meshgrid(grid.x_edges, grid.y_edges)
    if not grid.is_lonlat:
        x, y = Transformer.from_crs(grid.crs, 4326, always_xy=True).transform(x, y)
    return CurvilinearGrid(x, y)


LONLAT = Grid.regular((100, 50, 130, 68), 1)
LAMBERT = Grid.regular((-1.5e6, -1.5e6, 1.5e6, 1.5e6), 5e4, "+proj=laea +lat_0=59 +lon_0=115 +datum=WGS84")
POLAR = Grid.regular((0.2e6, -1e6, 5.2e6, 4.2e6), 5e4, "EPSG:3995")
MODEL = Grid.regular((-12, -12, 12, 12), 0.5, ROTATED_EAST)
PAIRS = {
    "lonlat to LAEA": (Grid.regular((70, 40, 160, 80), 0.5), LAMBERT),
    "polar stereographic to lonlat": (POLAR, Grid.regular((108, 56, 122, 66), 1)),
    "rotated to lonlat": (MODEL, Grid.regular((105, 54, 125, 64), 1)),
    "curvilinear to lonlat": (curved(LAMBERT), Grid.regular((105, 54, 125, 64), 1)),
    "lonlat to curvilinear": (Grid.regular((70, 40, 160, 80), 0.5), curved(LAMBERT)),
    "curvilinear to curvilinear": (curved(LAMBERT), curved(Grid.regular((-6, -5, 6, 5), 0.5, MODEL.crs))),
    "curvilinear to LAEA": (curved(MODEL), Grid.regular((-6e5, -6e5, 6e5, 6e5), 1e5, LAMBERT.crs)),
}  # fmt: skip


def latitudes(grid):
    """A field with a latitude gradient on any grid, without which planar methods look good."""
    if isinstance(grid, CurvilinearGrid):
        _, lat = grid.centres
    else:
        _, lat = Transformer.from_crs(grid.crs, 4326, always_xy=True).transform(*np.meshgrid(grid.x, grid.y))
    return grid.wrap(10 + 0.5 * (np.asarray(lat) - 58)).assign_attrs(units="kg m-2")


@pytest.mark.parametrize("pair", PAIRS)
def test_regridding_keeps_the_integral(pair):
    """The target lies on the source: what the covered shares of the source hold comes out, holes or not."""
    source, target = PAIRS[pair]
    overlap = Overlap.between(target, source)
    assert (overlap.covered_fraction > 0.999).all()
    field = latitudes(source)
    shares = np.asarray(overlap.area.sum(axis=0)).ravel()
    areas = overlap.zone_areas
    out = overlap.regrid(field)
    assert float((out * out["valid_fraction"] * areas).sum()) == pytest.approx(
        float(shares @ field.values.ravel()), rel=1e-12
    )
    np.testing.assert_allclose(out, latitudes(target), atol=0.3)
    holes = field.where(np.random.default_rng(0).random(field.shape) > 0.3)
    some = overlap.regrid(holes)
    kept = float((some * some["valid_fraction"] * areas).sum())
    assert kept == pytest.approx(float(shares @ holes.fillna(0).values.ravel()), rel=1e-12)
    np.testing.assert_allclose(overlap.regrid(holes * 0 + 3).fillna(3), 3, rtol=1e-12)
    np.testing.assert_allclose(areas, np.where(np.isnan(areas), areas, target.cell_areas()), rtol=2e-4)


@pytest.mark.parametrize("pair", ["lonlat to curvilinear", "curvilinear to lonlat"])
def test_both_ways_are_the_same_areas(pair):
    """The edges of a cell get further vertices where they bend; a cell is good to 1e-5 of itself."""
    source, target = PAIRS[pair]
    there, back = Overlap.between(target, source), Overlap.between(source, target)
    assert abs(there.area - back.area.T).max() < 1e-5 * target.cell_areas().max()


def test_cells_that_the_target_fills_are_shared_out_wholly():
    """Source cells inside the target lose nothing: the integral of the source itself."""
    source, target = curved(Grid.regular((-3, -3, 3, 3), 0.5, MODEL.crs)), Grid.regular((100, 50, 130, 68), 1)
    overlap = Overlap.between(target, source)
    np.testing.assert_allclose(
        np.asarray(overlap.area.sum(axis=0)).ravel(), source.cell_areas().ravel(), rtol=1e-7
    )
