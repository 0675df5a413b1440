import pickle
import re
from itertools import pairwise
from pathlib import Path

import dask
import geopandas as gpd
import numpy as np
import pytest
import shapely
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st

from geotools.errors import CRSError, DataError, UsageError
from geotools.space.geodesy import geographic_cell_areas, polygon_area
from geotools.space.grid import Grid
from geotools.space.intersect import intersections
from geotools.space.overlap import Overlap

CLASSES = {"flag_values": np.array([1, 2], dtype="int8"), "flag_meanings": "tundra taiga"}


@pytest.fixture
def overlap(zones, grid):
    return Overlap.between(zones, grid, zone_dim="basin")


def as_amounts(field):
    return field.assign_attrs(units="1", cell_methods="area: sum")


def refuse_to_compute(*_args, **_kwargs):
    raise AssertionError("something was computed")


# -- answers by eye ---


def test_mean_by_eye(overlap, nine):
    out = overlap.mean(nine)
    # South: cells 0 and half of 1. West: 0, 3, 6 with areas that shrink to the north.
    a, b, c = geographic_cell_areas([60, 61, 62, 63], [126, 127])[:, 0]
    np.testing.assert_allclose(out, [1 / 3, (3 * b + 6 * c) / (a + b + c), np.nan], rtol=1e-7)
    assert out.dims == ("basin",)
    assert out["basin"].values.tolist() == ["south", "west", "away"]
    assert out["valid_fraction"].values.tolist() == [1, 1, 0]
    assert out.name == "csoil"
    assert out.attrs == {"units": "kg m-2", "cell_methods": "area: mean"}


def test_total_by_eye(overlap, nine):
    out = overlap.total(nine)
    a, b, c = geographic_cell_areas([60, 61, 62, 63], [126, 127])[:, 0]
    np.testing.assert_allclose(out, [a / 2, 3 * b + 6 * c, np.nan], rtol=1e-7)
    assert out.attrs["units"] == "kg"
    assert out.attrs["cell_methods"] == "area: sum"


def test_sum_by_eye(overlap, nine):
    np.testing.assert_allclose(overlap.sum(as_amounts(nine)), [0.5, 9, np.nan], rtol=1e-7)


def test_area_by_class_by_eye(overlap, grid, nine):
    field = nine.copy(data=[[1, 2, 1], [1, 1, 1], [2, 1, 1]]).astype("int8").assign_attrs(CLASSES, units="1")
    a, b, c = geographic_cell_areas([60, 61, 62, 63], [126, 127])[:, 0]
    out = overlap.area_by_class(field)
    assert out.dims == ("class", "basin")
    np.testing.assert_allclose(out.sel({"class": "tundra"}), [a, a + b, np.nan], rtol=1e-7)
    np.testing.assert_allclose(out.sel({"class": "taiga"}), [a / 2, c, np.nan], rtol=1e-7)
    assert out["flag_value"].values.tolist() == [1, 2]
    assert out.attrs["units"] == "m2"
    share = overlap.class_fraction(field)
    np.testing.assert_allclose(share.sel(basin="south"), [2 / 3, 1 / 3], rtol=1e-7)
    assert share.attrs["units"] == "1"


def test_fraction_by_eye(overlap):
    out = overlap.fraction
    assert out.dims == ("basin", "lat", "lon")
    np.testing.assert_allclose(out.sel(basin="south"), [[1, 0.5, 0], [0, 0, 0], [0, 0, 0]], atol=1e-7)
    assert (out.sel(basin="away") == 0).all()


def test_quantile_by_eye(overlap, nine):
    one = overlap.quantile(nine, 0.5)
    assert one.dims == ("basin",)
    assert np.isnan(one.sel(basin="away"))
    both = overlap.quantile(nine, [0.1, 0.9])
    # Cell 0 has two thirds of the weight and stands at 1/3, half of cell 1 at 5/6.
    np.testing.assert_allclose(both.sel(basin="south"), [0, 1], rtol=1e-7)
    assert one.sel(basin="south").item() == pytest.approx(1 / 3, rel=1e-6)
    assert "cell_methods" not in both.attrs


def test_quantile_of_equal_areas_is_hazen():
    grid = Grid.regular((0, 0, 5e4, 5e4), 1e4, "EPSG:6931")
    zone = gpd.GeoDataFrame(geometry=[shapely.box(*grid.bounds)], crs="EPSG:6931")
    values = np.random.default_rng(0).normal(size=(5, 5))
    out = Overlap.between(zone, grid).quantile(grid.wrap(values), [0, 0.1, 0.5, 0.9, 1])
    np.testing.assert_allclose(out[:, 0], np.quantile(values, [0, 0.1, 0.5, 0.9, 1], method="hazen"))


def test_points_take_the_value_of_their_cell(grid, nine):
    towns = gpd.GeoDataFrame(
        geometry=gpd.points_from_xy([126.5, 127.0, 129.0, 130.0], [60.5, 61.0, 63.0, 60.0]),
        index=["a", "b", "c", "d"],
        crs=4326,
    )
    overlap = Overlap.between(towns, grid)
    out = overlap.mean(nine)
    np.testing.assert_array_equal(out, [0, 4, 8, np.nan])
    assert out.dims == ("point",)
    assert out["valid_fraction"].values.tolist() == [1, 1, 1, 0]
    with pytest.raises(UsageError, match="total was asked of points, which have no area"):
        overlap.total(nine)


# -- missing data and zones that leave the grid ---


def test_an_all_missing_zone_is_nan_and_never_0(overlap, nine):
    field = nine.where(nine > 2)
    for out in (overlap.total(field), overlap.mean(field), overlap.sum(as_amounts(field))):
        assert np.isnan(out.sel(basin="south"))
        assert out["valid_fraction"].sel(basin="south") == 0


def test_valid_fraction_counts_area(overlap, nine):
    a, b, c = geographic_cell_areas([60, 61, 62, 63], [126, 127])[:, 0]
    field = nine.where(nine != 0)
    assert overlap.total(field)["valid_fraction"][1] == pytest.approx((b + c) / (a + b + c))
    assert overlap.mean(field)[1] == pytest.approx((3 * b + 6 * c) / (b + c))
    out = overlap.valid_fraction(field)
    assert out[1] == pytest.approx((b + c) / (a + b + c))
    assert out.name == "valid_fraction"
    assert set(out.coords) == {"basin"}


def test_min_valid_fraction(overlap, nine):
    field = nine.where(nine != 0)
    assert np.isnan(overlap.mean(field, min_valid_fraction=0.9).sel(basin="west"))
    assert overlap.mean(field, min_valid_fraction=0.6).sel(basin="west").notnull()
    assert overlap.mean(nine, min_valid_fraction=1.0).sel(basin=["south", "west"]).notnull().all()


def test_a_zone_that_leaves_the_grid_shows_it(grid, nine):
    zone = gpd.GeoDataFrame(geometry=[shapely.box(128, 60, 130, 61)], index=["half"], crs=4326)
    overlap = Overlap.between(zone, grid)
    out = overlap.mean(nine)
    assert out.item() == 2
    assert out["valid_fraction"].item() == pytest.approx(0.5, rel=1e-7)
    assert out["covered_fraction"].item() == overlap.covered_fraction.item() == pytest.approx(0.5, rel=1e-7)
    assert overlap.zone_areas.item() == pytest.approx(polygon_area(shapely.box(128, 60, 130, 61)), rel=1e-12)


def test_nan_codes_are_missing_and_unknown_codes_an_error(overlap, nine):
    field = nine.copy(data=[[1, np.nan, 1], [1, 1, 1], [2, 1, 1]]).assign_attrs(CLASSES)
    assert overlap.class_fraction(field)["valid_fraction"].sel(basin="south") == pytest.approx(2 / 3)
    with pytest.raises(DataError, match="class codes 0 occur but have no meaning; expected one of 1, 2"):
        overlap.area_by_class(field.fillna(0))


# -- wrong calls ---


@pytest.mark.parametrize(
    ("call", "kind", "advice"),
    [
        ("mean", "amount", r"mean\(\) was called on an amount per cell.*call sum\(field\)"),
        ("mean", "class", r"mean\(\) was called on a class.*call area_by_class\(field\)"),
        ("total", "intensive", r"total\(\) was called on an intensive quantity.*call mean\(field\)"),
        ("total", "amount", r"total\(\) was called on an amount per cell.*call sum\(field\)"),
        ("sum", "density", r"sum\(\) was called on a density per area.*or total\(field\)"),
        ("sum", "intensive", r"sum\(\) was called on an intensive quantity.*call mean\(field\)"),
        ("area_by_class", "intensive", r"area_by_class\(\) was called on an intensive quantity"),
    ],
)
def test_the_wrong_call_names_the_right_one(overlap, nine, call, kind, advice):
    attrs = {
        "amount": {"units": "1", "cell_methods": "area: sum"},
        "class": {"units": "1", **CLASSES},
        "intensive": {"units": "degC"},
        "density": {"units": "kg m-2"},
    }[kind]
    field = nine.drop_attrs(deep=False).assign_attrs(attrs)
    with pytest.raises(UsageError, match=advice):
        getattr(overlap, call)(field)


def test_another_grid_names_both(overlap, nine):
    moved = nine.assign_coords(lon=nine["lon"] + 0.5)
    with pytest.raises(
        DataError, match=r"another grid.*lon 126.5 to 129.5.*grid of the overlap.*lon 126 to 129"
    ):
        overlap.mean(moved)
    with pytest.raises(DataError, match="an axis runs the other way"):
        overlap.mean(nine[::-1])
    projected = Grid.regular((0, 0, 3e3, 3e3), 1e3, "EPSG:3995").wrap(np.zeros((3, 3)))
    with pytest.raises(DataError, match=r"EPSG:3995.*EPSG:4326"):
        overlap.mean(projected)


def test_undecoded_fill_values(overlap, nine):
    packed = nine.astype("int16").assign_attrs(_FillValue=np.int16(-9999))
    with pytest.raises(DataError, match=r"attribute _FillValue = .*-9999.* says the values are not decoded"):
        overlap.mean(packed)


def test_dataset_text_and_numpy(overlap, nine):
    with pytest.raises(UsageError, match="a Dataset was given"):
        overlap.mean(nine.to_dataset())
    with pytest.raises(UsageError, match="a ndarray was given"):
        overlap.mean(nine.values)
    with pytest.raises(DataError, match="it holds <U1"):
        overlap.mean(nine.astype(str).astype("<U1"))


def test_zones_without_crs(grid, zones):
    with pytest.raises(CRSError, match="zones: there is no coordinate reference system"):
        Overlap.between(gpd.GeoDataFrame(geometry=list(zones.geometry)), grid)


def test_target_of_no_known_kind(grid):
    with pytest.raises(UsageError, match="the target of an overlap is a list"):
        Overlap.between([1, 2], grid)


def test_field_with_the_dimension_of_the_zones(overlap, nine):
    with pytest.raises(
        DataError, match="has a dimension 'basin', which is also the dimension of the targets"
    ):
        overlap.mean(nine.expand_dims(basin=2))


# -- properties ---


def columns_of(grid, cuts):
    """Zones between meridians on cell edges, which tile the domain."""
    west, south, east, north = grid.bounds
    x = [west, *sorted(cuts), east]
    return gpd.GeoDataFrame(geometry=[shapely.box(a, south, b, north) for a, b in pairwise(x)], crs=4326)


@settings(max_examples=20, deadline=None)
@given(st.sets(st.integers(1, 39), min_size=1, max_size=6), st.integers(0, 1000))
def test_zones_that_tile_the_domain_conserve_the_total(cuts, seed):
    # Cuts at quarters of cells, whose shares float32 holds exactly.
    grid = Grid.regular((120, 50, 130, 60), 1)
    field = grid.wrap(np.random.default_rng(seed).gamma(2, size=grid.shape)).assign_attrs(units="kg m-2")
    overlap = Overlap.between(columns_of(grid, [120 + c / 4 for c in cuts]), grid)
    true = float((field * grid.cell_areas()).sum())
    assert float(overlap.total(field).sum()) == pytest.approx(true, rel=1e-12)
    amounts = field.assign_attrs(units="t", cell_methods="area: sum")
    assert float(overlap.sum(amounts).sum()) == pytest.approx(float(field.sum()), rel=1e-12)


@settings(max_examples=20, deadline=None)
@given(st.floats(-1e6, 1e6), st.integers(0, 2**9 - 1))
def test_mean_of_a_constant_is_the_constant(value, mask):
    grid = Grid.regular((126, 60, 129, 63), 1)
    known = np.array([mask >> k & 1 for k in range(9)], dtype=bool).reshape(3, 3)
    field = grid.wrap(np.where(known, value, np.nan))
    zone = gpd.GeoDataFrame(geometry=[shapely.Point(127.5, 61.5).buffer(1.3)], crs=4326)
    out = Overlap.between(zone, grid).mean(field).item()
    assert np.isnan(out) if not known.any() else out == pytest.approx(value, rel=1e-12, abs=1e-12)


def test_order_of_the_zones_does_not_matter(grid, zones, nine):
    one = Overlap.between(zones, grid).total(nine)
    other = Overlap.between(zones.iloc[::-1], grid).total(nine)
    xr.testing.assert_identical(one, other.sel(zone=one["zone"]))


def test_nested_zones_both_count(grid, nine):
    nested = gpd.GeoDataFrame(
        geometry=[shapely.box(126, 60, 129, 63), shapely.box(126, 60, 127, 61)],
        index=["all", "part"],
        crs=4326,
    )
    out = Overlap.between(nested, grid).sum(as_amounts(nine + 1))
    np.testing.assert_allclose(out, [45, 1], rtol=1e-7)


def test_nothing_is_computed_early(overlap, grid, nine):
    series = nine.expand_dims(time=6, depth=2).chunk(time=2, lat=1, lon=2)
    codes = series.astype("int8").assign_attrs(CLASSES)
    finer = Overlap.between(Grid.regular((126, 60, 129, 63), 0.5), grid)
    inside = Overlap.between(gpd.GeoDataFrame(geometry=[shapely.box(126, 60, 127, 61)], crs=4326), grid)
    with dask.config.set(scheduler=refuse_to_compute):
        results = [
            overlap.mean(series),
            overlap.total(series),
            overlap.sum(as_amounts(series)),
            overlap.valid_fraction(series),
            overlap.quantile(series, 0.5),
            overlap.variance(series),
            overlap.minimum(series),
            overlap.maximum(series),
            overlap.area_by_class(codes),
            overlap.class_fraction(codes),
            overlap.mean_by_class(series, codes.isel(time=0, depth=0)),
            finer.regrid(series),
            inside.spread(xr.DataArray([1.0], coords={"zone": [0]}, attrs={"units": "t"}), series)["amount"],
        ]
    for result in results:
        assert result.chunks is not None
    assert results[0]["valid_fraction"].chunks is not None


def test_the_same_call_has_the_same_name_in_dask(zones, grid, nine):
    lazy = nine.chunk()
    one, other = (Overlap.between(zones, grid).mean(lazy) for _ in range(2))
    assert one.data.name == other.data.name


def test_leading_dimensions_and_coordinates_survive(overlap, nine):
    series = nine.expand_dims(time=[10, 20], depth=[0.1]).assign_coords(month=("time", [1, 2]), height=2.0)
    out = overlap.mean(series)
    assert out.dims == ("time", "depth", "basin")
    assert out["valid_fraction"].dims == out.dims
    assert {"time", "depth", "month", "height"} <= set(out.coords)
    assert "spatial_ref" not in out.coords


def test_a_field_under_other_names(overlap, nine):
    out = overlap.mean(nine.rename(lat="latitude", lon="longitude"))
    np.testing.assert_array_equal(out, overlap.mean(nine))


def test_order_of_the_axes_of_a_field(overlap, nine):
    series = nine.expand_dims(time=2)
    for field in (series, series.chunk(time=1)):
        out = overlap.mean(field.transpose("lon", "time", "lat"))
        np.testing.assert_array_equal(out, overlap.mean(series))


def test_bounds_that_stay_behind_in_the_dataset(zones):
    data = xr.DataArray(
        np.ones((3, 2)),
        dims=("lat", "lon"),
        coords={
            "lat": ("lat", [60.4, 61.2, 62.6], {"units": "degrees_north", "bounds": "lat_bnds"}),
            "lon": ("lon", [126.5, 127.5], {"units": "degrees_east"}),
        },
        attrs={"units": "degC"},
    ).to_dataset(name="tas")
    data["lat_bnds"] = (("lat", "bnds"), [[60, 60.8], [60.8, 61.9], [61.9, 63]])
    overlap = Overlap.between(zones, data)
    np.testing.assert_allclose(overlap.mean(data["tas"]), [1, 1, np.nan])
    with pytest.raises(DataError, match="'lat' is irregular"):
        overlap.mean(data["tas"].assign_coords(lat=data["lat"] - [1, 0, 0]))


def test_a_field_of_one_cell():
    one = Grid.regular((126, 60, 127, 61), 1)
    cell = gpd.GeoDataFrame(geometry=[shapely.box(126, 60, 127, 61)], crs=4326)
    assert Overlap.between(cell, one).mean(one.wrap([[5.0]])).item() == 5


def test_it_travels_to_other_processes(overlap, nine):
    there = pickle.loads(pickle.dumps(overlap))
    xr.testing.assert_identical(there.mean(nine), overlap.mean(nine))


def test_columns_as_names_and_coordinates(grid, zones, nine):
    frame = zones.assign(code=["S", "W", "A"], size_class=[1, 2, 3])
    out = Overlap.between(frame, grid, column="code", coordinates=["size_class"]).mean(nine)
    assert out.dims == ("code",)
    assert out["code"].values.tolist() == ["S", "W", "A"]
    assert out["size_class"].values.tolist() == [1, 2, 3]


def test_matrix_and_identity(overlap, zones, grid, nine):
    assert overlap.area.shape == (3, 9)
    np.testing.assert_allclose(overlap.area @ nine.values.ravel(), overlap.total(nine).fillna(0))
    assert overlap.key == Overlap.between(zones, nine, zone_dim="basin").key
    assert overlap.key != Overlap.between(zones.iloc[:2], nine, zone_dim="basin").key
    assert "3 zones [basin] on 3 x 3 cells" in repr(overlap)
    assert overlap.labels.tolist() == ["south", "west", "away"]


def test_amounts_of_regions_go_to_basins_through_intersections():
    regions = gpd.GeoDataFrame(
        geometry=[shapely.box(120, 60, 124, 64), shapely.box(124, 60, 128, 64)], index=["R1", "R2"], crs=4326
    ).rename_axis("region")
    basins = gpd.GeoDataFrame(geometry=[shapely.box(123, 60, 126, 64)], index=["B"], crs=4326).rename_axis(
        "basin"
    )
    shared = intersections(regions, basins)
    assert shared.dims == ("region", "basin")
    np.testing.assert_allclose(shared[:, 0] / shared["area_a"], [0.25, 0.5], rtol=1e-12)
    np.testing.assert_allclose(shared["area_a"], polygon_area(np.array(regions.geometry)), rtol=1e-12)
    curved = basins.assign(geometry=basins.geometry.segmentize(0.01)).to_crs("EPSG:3995")
    np.testing.assert_allclose(intersections(regions, curved), shared, rtol=1e-6)
    with pytest.raises(UsageError, match="both sets of zones have the dimension 'basin'"):
        intersections(basins, basins)


PAGE = Path(__file__).parents[2] / "docs" / "overlap.md"


@pytest.mark.parametrize("snippet", re.findall(r"```python\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL))
def test_snippets_of_the_page(snippet, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    exec(compile(snippet, str(PAGE), "exec"), {})
