"""What is taken along a transect is what lies there."""

import dask
import dask.array as da
import numpy as np
import pandas as pd
import pytest
import shapely
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st

from geotools.errors import DataError, GeometryError, UsageError
from geotools.space import CurvilinearGrid, Grid, Overlap, Transect

GRID = Grid.regular((120, 55, 132, 70), 0.25)
LON, LAT = np.meshgrid(GRID.x, GRID.y)
MERIDIAN = Transect([(57.0, 126.0), (68.0, 126.0)], half_width_km=40)
BENT = Transect([(57.0, 124.0), (62.0, 129.0), (68.0, 125.0)], half_width_km=50)


def field(values, name="tas", units="degC", grid=GRID, **attrs):
    attrs = {"units": units, "long_name": "a field", **attrs}
    return grid.wrap(values).rename(name).assign_attrs(attrs)


def classes(codes, grid=GRID):
    meanings = {"flag_values": np.array([1, 2, 5], "int8"), "flag_meanings": "lake forest tundra"}
    return grid.wrap(codes).rename("cover").assign_attrs(meanings, long_name="cover")


def not_to_be_computed(graph, keys, **more):
    raise AssertionError("computed")


def test_two_halves_of_the_strip_have_a_known_mean_and_spread():
    """0 west of the line and 10 east of it: mean 5, standard deviation 5, tenth and ninetieth percentile 0 and 10."""
    out = MERIDIAN.extract(field(np.where(LON < 126, 0.0, 10.0)))
    np.testing.assert_allclose(out["tas_mean"], 5, atol=1e-9)
    np.testing.assert_allclose(out["tas_sd"], 5, atol=1e-9)
    np.testing.assert_array_equal(out["tas_p10"], 0)
    np.testing.assert_array_equal(out["tas_p90"], 10)
    np.testing.assert_allclose(out["tas_coverage"], 1, atol=1e-12)


def test_a_gradient_along_the_line_is_met_in_the_middle_of_each_segment():
    out = MERIDIAN.extract(field(LAT))
    # Cells are 0.25 degrees high.
    np.testing.assert_allclose(out["tas_mean"], out["lat"], atol=0.02)
    assert (out["tas_p10"] <= out["tas_median"]).all()
    assert (out["tas_median"] <= out["tas_p90"]).all()
    # Some segments lie in one row of cells.
    assert ((out["tas_p10"] < out["tas_p90"]).sum() > 30).item()


def test_statistics_are_those_of_the_overlap_and_cells_are_counted():
    rng = np.random.default_rng(1)
    values = rng.normal(size=GRID.shape)
    values[rng.random(GRID.shape) < 0.3] = np.nan
    tas = field(values)
    overlap = Overlap.between(BENT, GRID)
    out = BENT.extract(tas, statistics=("mean", "sd", "median", "p25", "minimum", "maximum"), min_coverage=0)
    np.testing.assert_array_equal(out["tas_mean"], overlap.mean(tas))
    np.testing.assert_array_equal(out["tas_sd"], np.sqrt(overlap.variance(tas)))
    np.testing.assert_array_equal(out["tas_p25"], overlap.quantile(tas, 0.25))
    np.testing.assert_array_equal(out["tas_maximum"], overlap.maximum(tas))
    touched = overlap.area.toarray() > 0
    np.testing.assert_array_equal(out["tas_cells"], (touched & ~np.isnan(values).ravel()).sum(axis=1))
    assert out["tas_cells"].dtype.kind == "i"


def test_segments_with_less_than_half_of_their_area_known_are_missing():
    """Data only east of a meridian 15 km east of the line cover less than half of each segment, 15 km west more."""
    for shift, known in ((0.3, False), (-0.3, True)):
        east = shift < LON - 126
        out = MERIDIAN.extract(
            {
                "tas": field(np.where(east, 1.0, np.nan)),
                "cover": classes(np.where(east, 2.0, np.nan)),
                "people": field(np.where(east, 1.0, np.nan), units="1", cell_methods="area: sum"),
            }
        )
        for name in ("tas_mean", "tas_median", "tas_sd", "cover_fraction", "people_sum"):
            assert bool(np.isfinite(out[name]).all()) is known, name
        assert ((out["tas_coverage"] > 0.5) == known).all()
        assert (out["tas_cells"] > 0).all()


def test_shares_of_classes_add_up_and_keep_their_names():
    codes = np.select([LON < 125.7, LAT < 62], [1, 2], 5)
    out = MERIDIAN.extract({"cover": classes(codes.astype("int8"))})
    share = out["cover_fraction"]
    assert out["cover_class"].values.tolist() == ["lake", "forest", "tundra"]
    np.testing.assert_allclose(share.sum("cover_class"), 1)
    assert (share.sel(cover_class="forest").where(out["lat"] > 63, drop=True) == 0).all()
    assert ((share.sel(cover_class="lake") > 0.2) & (share.sel(cover_class="lake") < 0.4)).all()
    assert share.attrs["standard_name"] == "area_fraction"


def test_attributes_say_what_was_done():
    out = MERIDIAN.extract(field(LAT, standard_name="air_temperature", cell_methods="time: mean"))
    assert out["tas_mean"].attrs["cell_methods"] == "time: mean area: mean"
    assert out["tas_median"].attrs["cell_methods"] == "time: mean area: median"
    assert out["tas_sd"].attrs["cell_methods"] == "time: mean area: standard_deviation"
    assert out["tas_sd"].attrs["units"] == "K"
    assert out["tas_sd"].attrs["units_metadata"] == "temperature: difference"
    assert out["tas_p90"].attrs["long_name"] == "a field, 90% quantile of the area of the segment"
    assert {out[n].attrs["standard_name"] for n in ("tas_mean", "tas_sd", "tas_p10")} == {"air_temperature"}
    for name in out["tas_mean"].attrs["ancillary_variables"].split():
        assert name in out


def test_places_and_bounds_of_segments_come_along():
    out, segments = BENT.extract(field(LAT), statistics=("mean",)), BENT.segments
    bounds = out[out["distance_km"].attrs["bounds"]]
    np.testing.assert_array_equal(bounds[:, 0], segments["distance_start_km"])
    np.testing.assert_array_equal(bounds[:, 1], segments["distance_end_km"])
    np.testing.assert_array_equal(out["lon"], segments["lon"])
    assert out["segment_area"].sum().item() == pytest.approx(100e3 * BENT.length_km * 1e3, rel=1e-3)


def test_lazy_data_stay_lazy_and_give_the_same(tmp_path):
    rng = np.random.default_rng(2)
    tas = GRID.wrap(rng.normal(size=(3, *GRID.shape)), ("time",)).rename("tas").assign_attrs(units="degC")
    data = {"tas": tas, "cover": classes(rng.choice([1, 2, 5], GRID.shape).astype("int8"))}
    lazy = {n: v.chunk({"lat": 13, "lon": 17}) for n, v in data.items()}
    with dask.config.set(scheduler=not_to_be_computed):
        segments, points = BENT.extract(lazy), BENT.sample(lazy)
    for found, wanted in ((segments, BENT.extract(data)), (points, BENT.sample(data))):
        assert any(isinstance(v.data, da.Array) for v in found.data_vars.values())
        xr.testing.assert_allclose(found.compute(), wanted, rtol=1e-12)


def test_a_dataset_gives_all_variables_on_its_grid_and_passes_over_others():
    data = xr.Dataset(
        {"a": field(LAT, "a"), "b": field(LON, "b"), "lat_bnds": (("lat", "nv"), np.zeros((60, 2)))}
    )
    out = MERIDIAN.extract(data, statistics=("mean",))
    assert {"a_mean", "b_mean"} <= set(out)
    assert not [n for n in out if str(n).startswith("lat_bnds")]


def test_grids_of_their_own_and_other_dimensions_are_kept():
    coarse = Grid.regular((110, 50, 140, 75), 1.0)
    layers = (
        GRID.wrap(np.zeros((2, *GRID.shape)), ("depth",))
        .assign_coords(depth=[0.5, 2.0])
        .assign_attrs(units="degC")
    )
    out = MERIDIAN.extract(
        {"fine": layers, "coarse": field(np.ones(coarse.shape), grid=coarse)}, statistics=("mean",)
    )
    assert out["fine_mean"].dims == ("depth", "segment")
    assert out["depth"].values.tolist() == [0.5, 2.0]
    assert (out["fine_cells"].isel(depth=0) > out["coarse_cells"]).all()


@settings(deadline=None, max_examples=20)
@given(st.floats(-50, 50), st.floats(-50, 50))
def test_a_change_of_scale_moves_the_mean_and_stretches_the_spread(shift, scale):
    values = np.random.default_rng(3).normal(size=GRID.shape)
    one, other = BENT.extract(field(values)), BENT.extract(field(shift + scale * values))
    np.testing.assert_allclose(other["tas_mean"], shift + scale * one["tas_mean"], atol=1e-9)
    np.testing.assert_allclose(other["tas_sd"], abs(scale) * one["tas_sd"], atol=1e-9)
    low, high = ("tas_p10", "tas_p90") if scale >= 0 else ("tas_p90", "tas_p10")
    np.testing.assert_allclose(other["tas_p10"], shift + scale * one[low], atol=1e-9)
    np.testing.assert_allclose(other["tas_p90"], shift + scale * one[high], atol=1e-9)


@pytest.mark.parametrize("box", [(120, 55, 132, 70), (120, 70, 132, 55), (-240, 55, -228, 70)])
def test_bilinear_values_of_a_plane_are_exact(box):
    west, south, east, north = box
    x, y = np.linspace(west, east, 25), np.linspace(south, north, 31)
    grid = Grid(x, y, "EPSG:4326")
    lon, lat = np.meshgrid(grid.x, grid.y)
    lon = lon % 360
    out = BENT.sample(field(2 * lat - 0.5 * lon + 3, grid=grid))
    np.testing.assert_allclose(out["tas"], 2 * out["lat"] - 0.5 * out["lon"] + 3, atol=1e-9)
    assert out["tas"].attrs["comment"].startswith("bilinear between centres of cells of about")
    assert out["tas"].attrs["cell_methods"] == "area: point"
    assert np.diff(out["distance_km"])[:-1] == pytest.approx(10)


def test_bilinear_values_of_a_plane_on_a_projected_grid_are_exact():
    from pyproj import Transformer

    crs = "+proj=laea +lat_0=90 +lon_0=126"
    grid = Grid(np.arange(-1e6, 1e6 + 1, 25e3), np.arange(-4e6, 0.1, 25e3), crs)
    x, y = np.meshgrid(grid.x, grid.y)
    out = BENT.sample(field((x + 2 * y) / 1e5, grid=grid))
    to = Transformer.from_crs("EPSG:4326", grid.crs, always_xy=True)
    px, py = to.transform(out["lon"].values, out["lat"].values)
    np.testing.assert_allclose(out["tas"], (px + 2 * py) / 1e5, atol=1e-9)


def test_the_first_and_last_column_of_a_globe_are_neighbours():
    grid = Grid.regular((0, -90, 360, 90), 1.0)
    line = Transect([(60.0, -2.0), (60.0, 2.0)])
    lon = np.broadcast_to((grid.x + 180) % 360 - 180, grid.shape)
    out = line.sample(field(lon, grid=grid))
    np.testing.assert_allclose(out["tas"], out["lon"], atol=1e-9)


def test_beyond_the_grid_there_is_no_value_and_in_its_last_half_cell_that_of_the_edge():
    grid = Grid.regular((124.0, 57.0, 128.0, 60.0), 1.0)
    line = Transect([(58.0, 126.0), (62.0, 126.0)])
    out = line.sample(field(np.broadcast_to(grid.y[:, None], grid.shape), grid=grid))
    np.testing.assert_array_equal(np.isnan(out["tas"]), out["lat"] > 60)
    last = out["tas"].where((out["lat"] > 59.5) & (out["lat"] < 60), drop=True)
    assert last.size > 0
    np.testing.assert_allclose(last, 59.5)


def test_a_missing_neighbour_is_left_out_until_half_of_the_weight_is_gone():
    grid = Grid.regular((124.0, 57.0, 128.0, 63.0), 1.0)
    values = np.broadcast_to(np.where(grid.y > 60, np.nan, 7.0)[:, None], grid.shape)
    out = Transect([(58.0, 126.5), (62.0, 126.5)]).sample(field(values, grid=grid))
    np.testing.assert_array_equal(np.isfinite(out["tas"]), out["lat"] <= 60)
    np.testing.assert_allclose(out["tas"].dropna("point"), 7)


def test_cells_finer_than_the_spacing_are_averaged_around_the_point():
    fine = Grid.regular((124, 59, 128, 63), 0.02)
    lon, lat = np.meshgrid(fine.x, fine.y)
    stripes = np.indices(fine.shape)[1] % 2 * 10.0
    line = Transect([(60.0, 126.0), (62.0, 126.0)])
    out = line.sample(
        {"stripes": field(stripes, grid=fine), "plane": field(lat + lon, grid=fine)}, spacing_km=20
    )
    np.testing.assert_allclose(out["stripes"], 5, atol=0.5)
    np.testing.assert_allclose(out["plane"], out["lat"] + out["lon"], atol=0.01)
    assert out["plane"].attrs["comment"] == "mean within 10 km of the point"
    assert out["plane"].attrs["cell_methods"] == "area: mean"


def test_cells_given_by_corners_are_averaged_over_a_circle_as_wide_as_a_cell():
    lon, lat = np.meshgrid(np.arange(120.0, 133.0, 0.5), np.arange(55.0, 70.5, 0.5))
    corners = (slice(None, -1), slice(None, -1)), (slice(None, -1), slice(1, None)), (slice(1, None),) * 2, (
        slice(1, None), slice(None, -1)
    )  # fmt: skip
    middle = field(lat[:-1, :-1] + 0.25, grid=CurvilinearGrid(lon, lat))
    data = middle.to_dataset()
    for name, values in (("lon", lon), ("lat", lat)):
        data[name].attrs["bounds"] = f"{name}_bnds"
        data[f"{name}_bnds"] = ((*middle.dims, "nv"), np.stack([values[c] for c in corners], axis=-1))
    out = MERIDIAN.sample(data)
    np.testing.assert_allclose(out["tas"], out["lat"], atol=0.25)
    assert "bilinear" not in out["tas"].attrs["comment"]
    np.testing.assert_allclose(MERIDIAN.extract(data)["tas_mean"], MERIDIAN.segments["lat"], atol=0.15)


def test_classes_are_those_of_the_cell_that_holds_the_point():
    codes = np.where(LAT < 62, 2, 5).astype("int8")
    out = MERIDIAN.sample({"cover": classes(codes)})
    np.testing.assert_array_equal(out["cover"], np.where(out["lat"] < 62, 2, 5))
    assert out["cover"].attrs["flag_meanings"] == "lake forest tundra"


def test_amounts_per_cell_have_no_value_at_a_point():
    with pytest.raises(UsageError, match=r"sample\(\) was called on an amount per cell"):
        MERIDIAN.sample(field(LAT, units="1", cell_methods="area: sum"))


def test_a_circle_over_the_antimeridian_is_refused():
    fine = Grid.regular((170, 65, 180, 67), 0.1)
    with pytest.raises(
        GeometryError, match=r"the circle around the point at 4\d\d km reaches a pole or the antimeridian"
    ):
        Transect([(66.0, 170.0), (66.0, 179.9)]).sample(field(np.zeros(fine.shape), grid=fine), spacing_km=20)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda f: MERIDIAN.extract(f, statistics=("mode",)), UsageError, "there is no statistic 'mode'"),
        (lambda f: MERIDIAN.extract(f, statistics="mean"), UsageError, "statistics is the text 'mean'"),
        (lambda f: MERIDIAN.extract(f, statistics=("sd", "sd")), UsageError, "one twice"),
        (lambda f: MERIDIAN.extract(f, min_coverage=50), UsageError, "min_coverage is 50"),
        (lambda f: MERIDIAN.sample(f, min_coverage=-1), UsageError, "min_coverage is -1"),
        (lambda f: MERIDIAN.sample(f, spacing_km=0), UsageError, "spacing_km is 0"),
        (lambda f: MERIDIAN.extract(f.rename(None)), UsageError, "the DataArray has no name"),
        (lambda f: MERIDIAN.extract({}), UsageError, "nothing was given to extract from"),
        (lambda f: MERIDIAN.extract(f.values), UsageError, "a ndarray was given to extract from"),
        (lambda f: MERIDIAN.extract({"a": f.values}), UsageError, "a ndarray was given; expected an xarray"),
        (
            lambda f: MERIDIAN.extract(
                {"a": f.expand_dims(time=[1, 2]), "b": f.expand_dims(time=[1, 3])}
            ),
            DataError,
            "variable 'b': its 'time' is another",
        ),
    ],
)  # fmt: skip
def test_what_cannot_be_extracted_is_told(call, error, message):
    with pytest.raises(error, match=message):
        call(field(LAT))


def test_stations_within_the_buffer_are_told_from_those_outside():
    north = MERIDIAN.points(100)
    table = pd.DataFrame(
        {
            "name": ["far", "near", "near", "on"],
            "lat": [60.0, 60.0, 60.0, float(north["lat"].iloc[1])],
            "lon": [128.0, 126.5, 126.5, 126.0],
            "value": [1.0, 2.0, 3.0, 4.0],
        },
        index=[7, 8, 9, 10],
    )
    within, outside = MERIDIAN.stations(table)
    assert within["name"].tolist() == ["on", "near", "near"]
    assert within["value"].tolist() == [4.0, 2.0, 3.0]
    assert outside["name"].tolist() == ["far"]
    assert outside["offset_km"].item() > 50
    assert outside["segment"].item() == -1
    assert within["distance_km"].iloc[0] == pytest.approx(100)
    segments = MERIDIAN.segments
    for _, station in within.iterrows():
        assert segments.geometry[station["segment"]].covers(shapely.Point(station["lon"], station["lat"]))
    assert len(MERIDIAN.stations(table, buffer_km=200).outside) == 0


def test_stations_beyond_an_end_count_by_their_distance_to_it():
    table = pd.DataFrame({"lat": [56.7, 56.0], "lon": [126.0, -234.0]})
    within, outside = MERIDIAN.stations(table)
    assert within["lat"].tolist() == [56.7]
    assert within["segment"].tolist() == [0]
    assert not within["beside"].any()
    assert outside["distance_km"].tolist() == [0.0]


def test_stations_without_a_place_are_named():
    with pytest.raises(UsageError, match="has no column lon"):
        MERIDIAN.stations(pd.DataFrame({"lat": [60.0]}))
    with pytest.raises(DataError, match="1 station has no place on Earth: 'B' is at latitude 126"):
        MERIDIAN.stations(pd.DataFrame({"name": ["A", "B"], "lat": [60, 126], "lon": [126, 60]}))
    with pytest.raises(UsageError, match="buffer_km is -1"):
        MERIDIAN.stations(pd.DataFrame({"lat": [60.0], "lon": [126.0]}), buffer_km=-1)


def test_routes_by_name():
    assert Transect.named("meridian_126e").length_km == pytest.approx(2974.07, abs=0.01)
    default = Transect.named("harbin_tiksi", half_width_km=100, segment_length_km=50)
    assert default.half_width_km == 100
    assert default.vertices["name"].tolist() == [
        "Harbin", "Heihe", "Skovorodino", "Tynda", "Neryungri", "Aldan", "Yakutsk", "Zhigansk", "Kyusyur", "Tiksi",
    ]  # fmt: skip
    with pytest.raises(
        UsageError, match="there is no route 'silk'; expected one of harbin_tiksi, meridian_126e"
    ):
        Transect.named("silk")
