"""Rasters along the transect only: elevation, vegetation index and layers of one's own, from file to panel."""

import warnings

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
import rasterio
import xarray as xr
import yaml
from pyproj import Transformer
from rasterio.transform import from_origin

import geotools
from geotools.errors import DataError, GeotoolsError, GeotoolsWarning, ProblemsError, UnitsError, UsageError
from geotools.recipe import transect_layers
from geotools.recipe.check import check
from geotools.recipe.context import Context
from geotools.recipe.loading import continued, load, to_yaml
from geotools.recipe.model import Recipe
from geotools.recipe.plan import plan
from geotools.recipe.steps import STEPS, figures
from tests.recipe.conftest import SMALL, merged, perform

LAT, LON = np.arange(50.25, 76, 0.5), np.arange(110.25, 140, 0.5)
FIRE = {"burned": {"name": "band_1", "units": "% yr-1", "long_name": "burned share of the land"}}
FLUX = {"ch4_flux": {"name": "flux", "long_name": "methane flux"}}


def on_grid(values, units, name="flux", lat=LAT, lon=LON, **attrs):
    return xr.Dataset(
        {name: (("lat", "lon"), np.broadcast_to(values, (len(lat), len(lon))), {"units": units, **attrs})},
        coords={
            "lat": ("lat", lat, {"units": "degrees_north"}),
            "lon": ("lon", lon, {"units": "degrees_east"}),
        },
    )


def methane(lat):
    """Linear, so that bilinear samples are exact."""
    return 5.0 + 0.5 * (lat - 60.0)


def write_geotiff(path, values):
    transform = from_origin(110, 76, 0.5, 0.5)
    profile = {"driver": "GTiff", "dtype": "float32", "count": 1, "crs": "EPSG:4326", "nodata": -1.0}
    with rasterio.open(path, "w", **profile, width=60, height=52, transform=transform) as out:
        out.write(values.astype("float32"), 1)


def write_layers(folder):
    """Burned area as GeoTIFF that ends at 65N, a flux, heights and classes as NetCDF, and one of another country."""
    burned = np.full((52, 60), 2.5)
    burned[:22] = -1.0
    write_geotiff(folder / "fire.tif", burned)
    on_grid(methane(LAT)[:, None], "g m-2 yr-1").to_netcdf(folder / "ch4.nc")
    on_grid(0.3, "km", "dem").to_netcdf(folder / "dem.nc")
    on_grid((LON < 126.0).astype("int8"), "1", "yedoma").to_netcdf(folder / "yedoma.nc")
    far = {"lat": np.arange(10.0, 14.0), "lon": np.arange(10.0, 14.0)}
    on_grid(1.0, "1", "far", **far).to_netcdf(folder / "far.nc")
    return {
        "elevation": {"path": "dem.nc", "variables": {"orog": {"name": "dem"}}, "label": "my heights"},
        "transect_layers": {
            "burned": {"path": "fire.tif", "variables": FIRE, "label": "my count", "tier": "observed"},
            "ch4_flux": {"path": "ch4.nc", "variables": FLUX},
            "yedoma": {
                "path": "yedoma.nc",
                "variables": {"yedoma": {"flags": {0: "none", 1: "Yedoma"}, "long_name": "Yedoma"}},
            },
            "far": {"path": "far.nc", "variables": {"far": {"long_name": "far away"}}},
        },
    }


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    folder = tmp_path_factory.mktemp("run")
    recipe = merged(SMALL, {"inputs": write_layers(folder), "uncertainty": {"draws": 0}})
    (folder / "recipe.yml").write_text(yaml.safe_dump(recipe))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", GeotoolsWarning)
        return geotools.run(folder / "recipe.yml", folder / "out")


@pytest.fixture(scope="module")
def default(tmp_path_factory):
    folder = tmp_path_factory.mktemp("default")
    (folder / "recipe.yml").write_text(yaml.safe_dump(merged(SMALL, {"uncertainty": {"draws": 0}})))
    return geotools.run(folder / "recipe.yml", folder / "out")


def rows(result, variable):
    return result.transect[result.transect["variable"] == variable].reset_index(drop=True)


def drawn(result):
    context = Context(continued(result.out), result.out)
    figure = figures._profile(context)
    return figure, words_of(figure)


def words_of(figure):
    return " ".join(" | ".join(t.get_text() for t in figure.findobj(mpl.text.Text)).split())


def test_bundled_heights_and_vegetation_are_those_of_the_places(default):
    height, ndvi = rows(default, "orog"), rows(default, "ndvi")
    # Yakutsk lies at 95 m on the Lena and so does all of the line, below the plateau beside it.
    assert 80 < height["mean"].iloc[0] < 250
    assert height["mean"].max() < 500
    assert (height["p90"] > height["p10"]).all()
    assert ndvi["mean"].between(0.6, 0.9).all()
    assert set(height["unit"]) == {"m"}
    assert set(height["source"]) == {"etopo5"}
    assert set(ndvi["source"]) == {"ndvi_maximum"}
    assert set(ndvi["tier"]) == {"observed"}
    assert (height["cells"] > 60).all(), "on its own grid, and not on that of 1 degree"


def test_tables_and_files_hold_the_same(default):
    with xr.open_dataset(default.out / "transect.nc") as data:
        for name in ("orog", "ndvi"):
            for statistic in ("mean", "median", "sd", "p10", "p90"):
                np.testing.assert_allclose(
                    data[f"{name}_{statistic}"], rows(default, name)[statistic], rtol=1e-6
                )
        assert data["orog_mean"].attrs["standard_name"] == "surface_altitude"
        assert data["ndvi_mean"].attrs["cell_methods"] == "time: maximum area: mean"
        # The file has the years of the climate, which are not those of the index.
        assert "a period that its source does not state" in data["ndvi_mean"].attrs["comment"]
        assert "etopo5; ndvi_maximum" in data.attrs["source"]
        assert "Apache-2.0" in data.attrs["license"]
    with xr.open_dataset(default.out / "transect_line.nc") as line:
        assert 80 < float(line["orog"][0]) < 250
        assert float(line["ndvi"].count()) > 0.9 * line.sizes["point"]


def test_both_have_a_panel_and_so_do_the_fluxes_of_the_budget(default):
    figure, said = drawn(default)
    for words in (
        "Elevation", "ETOPO5", "Largest NDVI of a cell", "BESS-JPL", "Net ecosystem exchange",
        "scaled from land cover", "Fossil CO$_2$ emissions", "proxied by population of towns", "NOAA",
        "Carbon fluxes: flux densities by land cover", "Xiao et al. 2021",
    ):  # fmt: skip
        assert words in said, words
    axes = next(a for a in figure.axes if "Net ecosystem exchange" in [t.get_text() for t in a.texts])
    budget = default.budget.set_index("zone")
    nee = budget.loc[budget["term"] == "net_ecosystem_exchange"].filter(like="segment", axis=0)
    areas = budget.loc[budget["term"] == "area"].filter(like="segment", axis=0)["value"]
    # Tg yr-1 on km2, as g m-2 yr-1.
    np.testing.assert_allclose(axes.lines[0].get_ydata(), nee["value"] / areas * 1e6, rtol=1e-9)
    low, high = axes.get_ylim()
    assert low < (nee["lo95"] / areas * 1e6).min()
    assert (nee["hi95"] / areas * 1e6).max() < high


def test_layers_of_ones_own_have_the_values_of_their_files(done):
    burned, flux = rows(done, "burned"), rows(done, "ch4_flux")
    known = burned["valid_fraction"] > 0
    np.testing.assert_allclose(burned["mean"][known], 2.5, rtol=1e-6)
    assert 0 < known.sum() < len(burned), "the file ends at 65N"
    assert set(burned["unit"]) == {"% yr-1"}
    assert set(burned["tier"]) == {"observed"}
    np.testing.assert_allclose(flux["mean"], methane(flux["lat"]), atol=0.1)
    with xr.open_dataset(done.out / "transect_line.nc") as line:
        np.testing.assert_allclose(line["ch4_flux"], methane(line["lat"]), rtol=1e-5)
    # Given in km.
    np.testing.assert_allclose(rows(done, "orog")["mean"], 300.0, rtol=1e-6)


def test_classes_of_ones_own_are_shares(done):
    table = rows(done, "yedoma")
    shares = table.pivot_table(index="segment", columns="class", values="mean")
    np.testing.assert_allclose(shares.sum(axis=1), 1.0, rtol=1e-6)
    places = table.groupby("segment")["lon"].first()
    # Segments of 100 km that lie far enough from 126E to be on one side of it.
    west, east = places < 124.3, places > 127.7
    assert west.any()
    assert east.any()
    np.testing.assert_allclose(shares["Yedoma"][west], 1.0)
    np.testing.assert_allclose(shares["none"][east], 1.0)


def test_each_layer_has_a_panel_with_its_words_units_and_origin(done):
    figure, said = drawn(done)
    for words in ("Burned share of the land", "% yr$^{-1}$", "my count", "Methane flux", "g m$^{-2}$ yr$^{-1}$",
                  "Yedoma", "my heights"):  # fmt: skip
        assert words in said, words
    assert "far away" not in said.lower()
    heights = [a for a in figure.axes if "Elevation" in [t.get_text() for t in a.texts]]
    assert heights[0].lines[0].get_ydata() == pytest.approx(300.0)


def test_a_layer_that_misses_the_line_is_told_with_a_valid_fraction_of_0(done):
    table = rows(done, "far")
    assert (table["valid_fraction"] == 0).all()
    assert (table["cells"] == 0).all()
    assert table["mean"].isna().all()
    assert "without data along the transect, and without a panel: far\n" in done.text()


def test_a_layer_that_misses_the_line_is_warned_of_by_its_name_and_nothing_else(recipe_file, tmp_path):
    context = Context(load(recipe_file(inputs=write_layers(tmp_path))), tmp_path / "out")
    by_name = {layer.name: layer for layer in transect_layers.layers(context)}
    for name in ("burned", "far"):
        found, _ = (
            each.compute() for each in transect_layers.along(context, by_name[name], min_coverage=0.5)
        )
        if name == "burned":
            # It ends on the way, which its valid fractions tell.
            transect_layers.tell_if_missing(context, by_name[name], found)
    with pytest.warns(GeotoolsWarning, match=r"far \(.*far\.nc\) has data in none of the 6 segments"):
        transect_layers.tell_if_missing(context, by_name["far"], found)


def test_a_check_tells_how_much_of_the_line_a_layer_reaches(recipe_file, tmp_path):
    said = "\n".join(check(recipe_file(inputs=write_layers(tmp_path))))
    assert "transect layers: orog, ndvi, burned, ch4_flux, far, yedoma" in said
    assert "(ch4_flux): ch4.nc, lat 52 x lon 60, reaches 6 of 6 segments" in said
    assert (
        "(far): far.nc, lat 4 x lon 4, reaches 0 of 6 segments of the transect; its panel is left out" in said
    )


def test_a_run_without_them_has_no_rows_and_no_panels(recipe_file, tmp_path):
    inputs = {"elevation": None, "ndvi": None}
    context = Context(load(recipe_file(inputs=inputs, uncertainty={"draws": 0})), tmp_path / "out")
    context.out.mkdir()
    for step in STEPS:
        if step.name in ("fields", "uncertainty", "transect", "budget"):
            perform(step, context)
    table = pd.read_csv(context.out / "transect.csv")
    assert "maat" in set(table["variable"])
    assert not {"orog", "ndvi"} & set(table["variable"])
    said = words_of(figures._profile(context))
    assert "Elevation" not in said
    assert "NDVI" not in said
    assert "Net ecosystem exchange" in said


def test_the_plan_counts_what_the_layers_read(recipe_file, tmp_path):
    def transect(**inputs):
        return next(need for need in plan(recipe_file(inputs=inputs)).steps if need.step == "transect")

    without, small = transect(elevation=None, ndvi=None), transect(ndvi=None)
    assert small.read_bytes > without.read_bytes
    assert small.loads > without.loads
    assert transect().read_bytes > small.read_bytes
    # Half a gigabyte around the strip.
    fine = {"lat": np.arange(60.0, 69.0, 0.001), "lon": np.arange(121.0, 131.0, 0.001)}
    zeros = xr.DataArray(np.zeros(1, "int8"), dims="t").data
    data = on_grid(zeros, "1", "fine", **fine).chunk({"lat": 500})
    data.to_netcdf(tmp_path / "fine.nc", encoding={"fine": {"zlib": True, "chunksizes": (500, 10000)}})
    layer = {"path": "fine.nc", "variables": {"fine": {"long_name": "fine"}}}
    large = transect(transect_layers={"fine": layer})
    assert large.peak_bytes > without.peak_bytes + 100e6


BAD = [
    ({"elevation": {"path": "gone.nc", "variables": {"orog": {}}}}, UsageError, r"gone\.nc: the file does not exist"),
    ({"elevation": "etopo"}, UsageError, "no catalogue entry 'etopo'; expected .*etopo5"),
    ({"elevation": "ndvi_maximum"}, UsageError, "'ndvi_maximum' for 'elevation' has no orog"),
    (
        {"elevation": {"path": "dem.nc", "variables": {"orog": {"name": "dem", "units": "degC"}}}},
        UnitsError,
        "'degC' cannot be converted to 'm'",
    ),
    (
        {"ndvi": {"path": "ch4.nc", "variables": {"ndvi": {"name": "flux", "units": "1"}}}},
        UnitsError,
        "values run from 0.125 to 12.875; expected -1 to 1",
    ),
    ({"transect_layers": {"maat": {"path": "ch4.nc", "variables": FLUX}}}, UsageError, "'maat' is taken"),
    ({"transect_layers": {"csoil_0_1m": {"path": "ch4.nc", "variables": FLUX}}}, UsageError, "is taken"),
    ({"transect_layers": {"orog": "etopo5"}}, UsageError, "give it as inputs.elevation"),
    ({"transect_layers": {"lat": "etopo5"}}, UsageError, "'lat' is taken"),
    ({"transect_layers": {"ch4_flux": {"path": "ch4.nc"}}}, UsageError, "the entry has no variables"),
    (
        {"transect_layers": {"ch4_flux": {"path": "ch4.nc", "variables": {"flux": {}}}}},
        UsageError,
        "says what it is by `long_name:`",
    ),
    (
        {"transect_layers": {"f": {"path": "ch4.nc", "variables": {**FLUX, "b": {"long_name": "b"}}}}},
        UsageError,
        "several variables and none of that name",
    ),
    ({"transect_layers": {"CH4 flux": "etopo5"}}, UsageError, "CH4 flux"),
    ({"transect_layers": {"f": "towns"}}, UsageError, "the entry has no variables"),
    (
        {"transect_layers": {"f": {"path": "year.nc", "variables": FLUX}}},
        DataError,
        "it has 12 steps of time.*expected one map",
    ),
    (
        {"transect_layers": {"f": {"path": "amount.nc", "variables": {"population": {"name": "flux"}}}}},
        DataError,
        "amounts per cell",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("inputs", "kind", "message"), BAD)
def test_layers_that_cannot_be_right_are_refused_before_anything_is_computed(
    recipe_file, tmp_path, inputs, kind, message
):
    write_layers(tmp_path)
    once = on_grid(methane(LAT)[:, None], "g m-2 yr-1")
    months = np.array([f"2001-{m:02d}-15" for m in range(1, 13)], dtype="datetime64[ns]")
    once.expand_dims(time=months).to_netcdf(tmp_path / "year.nc")
    on_grid(3.0, "1").to_netcdf(tmp_path / "amount.nc")
    with pytest.raises(GeotoolsError, match=message) as told:
        check(recipe_file(inputs=inputs))
    problems = told.value.problems if isinstance(told.value, ProblemsError) else [told.value]
    assert any(isinstance(problem, kind) for problem in problems)


def test_a_layer_on_a_polar_projection_is_taken_where_it_lies(recipe_file, tmp_path):
    size, step = 350, 20_000.0
    edge = -size * step / 2
    centres = edge + step * (np.arange(size) + 0.5)
    x, y = np.meshgrid(centres, centres[::-1])
    _, lat = Transformer.from_crs(3995, 4326, always_xy=True).transform(x, y)
    profile = {"driver": "GTiff", "dtype": "float32", "count": 1, "crs": "EPSG:3995", "nodata": -1.0}
    transform = from_origin(edge, -edge, step, step)
    with rasterio.open(
        tmp_path / "polar.tif", "w", **profile, width=size, height=size, transform=transform
    ) as out:
        out.write(lat.astype("float32"), 1)
    variable = {"name": "band_1", "units": "degree", "long_name": "latitude of the cell"}
    entry = {"path": "polar.tif", "variables": {"there": variable}}
    context = Context(load(recipe_file(inputs={"transect_layers": {"there": entry}})), tmp_path / "out")
    layer = transect_layers.layers(context)[-1]
    assert transect_layers.around(context, layer).size < 0.2 * size**2, "only what lies around the strip"
    found, points = (each.compute() for each in transect_layers.along(context, layer, min_coverage=0.5))
    np.testing.assert_allclose(found["there_mean"], found["lat"], atol=0.05)
    np.testing.assert_allclose(points["there"], points["lat"], atol=0.05)


def test_a_map_of_one_step_needs_no_other_file(recipe_file, tmp_path):
    data = on_grid(methane(LAT)[:, None], "g m-2 yr-1")
    data.expand_dims(time=np.array(["2001-07-15"], dtype="datetime64[ns]")).to_netcdf(tmp_path / "july.nc")
    layers = {"f": {"path": "july.nc", "variables": FLUX}}
    assert any(
        "(f): july.nc, lat 52 x lon 60" in line
        for line in check(recipe_file(inputs={"transect_layers": layers}))
    )


def test_another_layer_asks_for_the_transect_and_not_for_the_basins_of_it():
    step = {each.name: each for each in STEPS}
    assert step["transect"].reads("transect_layer_3")
    assert step["transect"].reads("elevation")
    assert not step["basins"].reads("elevation")
    assert "budget" in step["figures"].needs


def test_a_recipe_written_out_is_read_again(tmp_path):
    text = to_yaml(Recipe())
    (tmp_path / "again.yml").write_text(text)
    assert 'elevation: "etopo5"' in text
    assert "transect_layers: {}" in text
    assert load(tmp_path / "again.yml").inputs == Recipe().inputs


def test_fluxes_of_segments_known_in_less_than_half_are_left_out(default):
    context = Context(continued(default.out), default.out)
    path = default.out / "budget.csv"
    whole = path.read_text()
    table = pd.read_csv(path, keep_default_na=False, na_values=[""])
    hit = (table["zone"] == "segment_002") & (table["term"] == "net_ecosystem_exchange")
    assert hit.sum() == 1
    table.loc[hit, "valid_fraction"] = 0.4
    try:
        table.to_csv(path, index=False)
        found = figures._fluxes(context)
    finally:
        path.write_text(whole)
    places = context.transect.segments["distance_km"]
    nee = found[found["variable"] == "net_ecosystem_exchange"]
    assert places[2] not in set(nee["distance_km"])
    assert len(nee) == len(places) - 1
