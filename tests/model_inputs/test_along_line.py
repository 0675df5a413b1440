"""Files along a line are discrete sampling geometries of CF, and say which."""

import numpy as np
import pytest
import shapely
import xarray as xr

from geotools.errors import DataError
from geotools.model_inputs import prepare_line, tidy_table, write_netcdf
from geotools.space import Transect

ACDD = {"title": "a line", "summary": "test", "licence": "CC0-1.0", "source": "test", "history": "made"}
PERIOD = ("2000-01-01", "2001-12-31")
LINE = Transect(
    {"Harbin": (45.75, 126.65), "Heihe": (50.25, 127.5), "Tynda": (55.15, 124.72)}, half_width_km=40
)
COORDS = {
    "depth": [0.1, 1.0, 5.0],
    "time": np.array(["2000-07-01", "2001-07-01"], "datetime64[ns]"),
    "class": ["forest", "tundra"],
}


def along(**variables):
    """A dataset on the segments; each variable is told by its further dimensions."""
    segments = LINE.segments
    places = {n: ("segment", segments[n].to_numpy()) for n in ("lat", "lon", "distance_km")}
    out = xr.Dataset(coords={"segment": segments.index.to_numpy(), **places})
    for k, (name, dims) in enumerate(variables.items()):
        out = out.assign_coords({d: COORDS[d] for d in dims})
        shape = [len(COORDS[d]) for d in dims] + [len(segments)]
        values = 100 * k + np.arange(np.prod(shape), dtype="float64").reshape(shape)
        attrs = {"units": "degC", "long_name": name, "cell_methods": "area: mean"}
        out[name] = ((*dims, "segment"), values, attrs)
    return out


def written(data, path, **how):
    how = {"transect": LINE, "period": PERIOD, **how}
    write_netcdf(prepare_line(data, **how, **ACDD), path)
    return xr.open_dataset(path)


@pytest.mark.parametrize(
    ("variables", "period", "feature", "role"),
    [
        ({"magt": ()}, PERIOD, "timeSeries", "timeseries_id"),
        ({"tas": ("time",), "orog": ()}, None, "timeSeries", "timeseries_id"),
        ({"tsl": ("depth",), "alt": ()}, PERIOD, "profile", "profile_id"),
        ({"tsl": ("time", "depth")}, None, "timeSeriesProfile", "timeseries_id"),
    ],
)
def test_the_feature_type_follows_from_the_coordinates(tmp_path, variables, period, feature, role):
    with written(along(**variables), tmp_path / "line.nc", period=period) as back:
        assert back.attrs["featureType"] == feature
        assert back["segment"].attrs["cf_role"] == role
        assert back["time"].attrs["standard_name"] == "time"
        for name, dims in variables.items():
            assert back[name].dims == ("segment", *dims)
            np.testing.assert_array_equal(back[name], along(**variables)[name].transpose("segment", *dims))


def test_without_any_time_there_is_no_feature_type(tmp_path):
    """CF 9.1: the orthogonal arrays without the attribute, for paths that lack a time."""
    with written(along(magt=()), tmp_path / "line.nc", period=None) as back:
        assert "featureType" not in back.attrs
        assert "cf_role" not in back["segment"].attrs
        assert "time" not in back.variables


def test_a_period_is_a_time_with_bounds_that_hold_its_last_day(tmp_path):
    with written(along(magt=()), tmp_path / "line.nc") as back:
        bounds = back[back["time"].attrs["bounds"]].values
        assert bounds.astype("datetime64[D]").tolist() == [
            np.datetime64("2000-01-01").item(), np.datetime64("2002-01-01").item()
        ]  # fmt: skip
        assert bounds[0] < back["time"].values < bounds[1]
        assert back["time"].ndim == 0


def test_a_single_time_of_their_own_serves_as_well(tmp_path):
    data = along(tsl=("depth",)).assign_coords(time=np.datetime64("2001-07-01", "ns"))
    with written(data, tmp_path / "line.nc", period=None) as back:
        assert back.attrs["featureType"] == "profile"
        assert back["time"].values == data["time"].values


def test_preparing_leaves_the_data_as_they_were():
    data = along(tsl=("depth",), alt=())
    before = data.copy(deep=True)
    prepare_line(data, transect=LINE, period=PERIOD, **ACDD)
    xr.testing.assert_identical(data, before)


def test_depth_is_a_vertical_axis_that_points_down(tmp_path):
    with written(along(tsl=("depth",)), tmp_path / "line.nc") as back:
        told = back["depth"].attrs
        assert (told["standard_name"], told["positive"], told["axis"], told["units"]) == (
            "depth",
            "down",
            "Z",
            "m",
        )


def test_polygons_of_the_segments_come_back_from_the_file(tmp_path):
    with written(along(magt=()), tmp_path / "line.nc") as back:
        container = back[back["magt"].attrs["geometry"]].attrs
        lon, lat = (back[name].values for name in container["node_coordinates"].split())
        counts = back[container["node_count"]].values
    pieces = np.split(np.column_stack((lon, lat)), np.cumsum(counts)[:-1])
    found = [shapely.Polygon(piece) for piece in pieces]
    assert all(polygon.exterior.is_ccw for polygon in found)
    assert len(found) == len(LINE.segments)
    for polygon, geometry in zip(found, LINE.segments.geometry, strict=True):
        assert polygon.equals_exact(geometry, 1e-9, normalize=True)


def test_another_library_finds_features_and_polygons(tmp_path):
    import cf_xarray  # noqa: F401
    from cf_xarray.geometry import cf_to_shapely

    with written(along(tsl=("depth",)), tmp_path / "line.nc") as back:
        assert back.cf.cf_roles == {"profile_id": ["segment"]}
        assert back.cf["vertical"].name == "depth"
        found = cf_to_shapely(back, container="swath")
    for polygon, geometry in zip(found.values, LINE.segments.geometry, strict=True):
        assert polygon.equals_exact(geometry, 1e-9, normalize=True)


def test_lazy_data_are_written_as_they_are(tmp_path):
    data = along(tsl=("depth",), magt=())
    with written(data.chunk({"segment": 7}), tmp_path / "line.nc") as back:
        np.testing.assert_array_equal(back["tsl"].transpose("depth", "segment"), data["tsl"])


def test_segments_in_parts_and_with_holes_keep_their_rings(tmp_path):
    ring = shapely.Polygon(shapely.box(0, 0, 4, 4).exterior, [shapely.box(1, 1, 2, 2).exterior])
    parts = shapely.MultiPolygon([shapely.box(5, 0, 6, 1), shapely.box(7, 0, 8, 1)])
    line = Transect([(1.0, 1.0), (1.0, 1.4)])
    assert len(line.segments) == 2
    line.segments["geometry"] = [ring, parts]
    places = {n: ("segment", line.segments[n].to_numpy()) for n in ("lat", "lon", "distance_km")}
    data = xr.Dataset(
        {"x": ("segment", [1.0, 2.0], {"units": "1", "long_name": "x", "cell_methods": "area: mean"})},
        coords={"segment": [0, 1], **places},
    )
    with written(data, tmp_path / "line.nc", transect=line) as back:
        container = back["swath"].attrs
        assert back[container["node_count"]].values.tolist() == [10, 10]
        assert back[container["part_node_count"]].values.tolist() == [5, 5, 5, 5]
        assert back[container["interior_ring"]].values.tolist() == [0, 1, 0, 0]


@pytest.mark.parametrize("dtype", ["int8", "uint8", "int16"])
def test_classes_keep_the_type_of_their_codes_and_may_be_missing(tmp_path, dtype):
    data = along(zone=())
    data["zone"] = (data["zone"] * 0 + 2).assign_attrs(
        data["zone"].attrs, units="1", flag_values=np.array([0, 2], dtype), flag_meanings="none all"
    )
    data["zone"][3] = np.nan
    with written(data, tmp_path / "line.nc") as back:
        assert back["zone"].encoding["dtype"] == dtype
        np.testing.assert_array_equal(back["zone"], data["zone"])


def test_labels_are_text_beside_their_dimension_and_come_back_in_the_table(tmp_path):
    data = along(cover=("class",))
    with written(data, tmp_path / "line.nc") as back:
        assert back["class_name"].values.tolist() == ["forest", "tundra"]
        table = tidy_table(back)
    for each in (table, tidy_table(data)):
        assert each["class"].value_counts().tolist() == [data.sizes["segment"]] * 2
        row = each.query("segment == 3 and `class` == 'tundra'").iloc[0]
        assert row["value"] == data["cover"].sel({"segment": 3, "class": "tundra"}).item()


def test_the_table_has_one_row_per_value_with_its_place_and_unit():
    data = along(tsl=("depth",), alt=())
    data["alt"][2] = np.nan
    table = tidy_table(data)
    segments = data.sizes["segment"]
    assert len(table) == 3 * segments + segments - 1
    assert list(table) == ["segment", "distance_km", "lat", "lon", "depth", "variable", "value", "unit"]
    row = table.query("segment == 4 and depth == 1.0").iloc[0]
    assert row["value"] == data["tsl"].sel(segment=4, depth=1.0).item()
    assert row["distance_km"] == pytest.approx(LINE.segments["distance_km"][4])
    assert row["unit"] == "degC"
    assert table.query("variable == 'alt'")["depth"].isna().all()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda d: d.drop_vars("lat"), "the coordinates lat are missing"),
        (lambda d: d.assign(magt=d["magt"].drop_attrs()), "'magt' has no units and no long_name"),
        (lambda _: along(tsl=("depth",), tas=("time",)), "'tsl' .segment, depth., 'tas' .segment, time."),
        (lambda d: d.assign(tsl=along(tsl=("depth",))["tsl"]).isel(depth=[1, 0, 2]), "depth does not increase"),
        (lambda d: d.isel(segment=slice(3, None)), "and the data have .* of other places"),
    ],
)  # fmt: skip
def test_what_cannot_be_written_is_refused(change, message):
    with pytest.raises(DataError, match=message):
        prepare_line(change(along(magt=())), transect=LINE, period=PERIOD, **ACDD)


def test_a_period_that_ends_before_it_starts_and_attributes_that_are_missing_are_refused():
    with pytest.raises(DataError, match="the period ends before it starts: 2001-01-01 to 2000-01-01"):
        prepare_line(along(magt=()), period=("2001-01-01", "2000-01-01"), **ACDD)
    with pytest.raises(DataError, match="global attributes are missing: licence"):
        prepare_line(along(magt=()), **{**ACDD, "licence": ""})
