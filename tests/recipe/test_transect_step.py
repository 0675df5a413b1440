"""What a run writes along its transect: the same numbers as table and as files, and the stations near it."""

import json

import numpy as np
import pandas as pd
import pytest
import shapely
import xarray as xr
import yaml

import geotools
from geotools.errors import DataError, UsageError
from geotools.recipe.check import check
from geotools.recipe.context import Context
from geotools.recipe.loading import continued
from geotools.recipe.steps.observations import read_observations
from geotools.space import Overlap
from tests.recipe.conftest import SMALL, merged

OBSERVED = """\
name,lat,lon,variable,value,year,depth_m
R42,62.1,129.7,active_layer_thickness,1.2,2003,
R42,62.1,129.7,active_layer_thickness,1.4,2004,
Zhigansk,66.77,123.4,magt,-3.1,2001,3.2
Irkutsk,52.3,104.3,magt,2.0,2001,10
"""


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    folder = tmp_path_factory.mktemp("run")
    (folder / "stations.csv").write_text(OBSERVED)
    recipe = merged(SMALL, {"inputs": {"observations": ["stations.csv"]}, "uncertainty": {"draws": 0}})
    (folder / "recipe.yml").write_text(yaml.safe_dump(recipe))
    return geotools.run(folder / "recipe.yml", folder / "out")


def test_the_file_holds_the_numbers_of_the_table_where_half_is_known(done):
    table = done.transect[done.transect["class"].isna()]
    with xr.open_dataset(done.out / "transect.nc") as data:
        assert data.attrs["featureType"] == "timeSeries"
        assert data.attrs["time_coverage_start"] == "2000-01-01"
        for name, rows in table.groupby("variable"):
            known = rows["valid_fraction"].to_numpy() >= 0.5
            for statistic in ("mean", "median", "sd", "p10", "p90"):
                found = data[f"{name}_{statistic}"].values
                np.testing.assert_array_equal(np.isfinite(found), known & rows["mean"].notna())
                np.testing.assert_allclose(found[known], rows[statistic][known], rtol=1e-6)
            np.testing.assert_array_equal(data[f"{name}_cells"], rows["cells"])
        polygons = data["swath_node_count"].sizes["segment"]
        assert polygons == rows["segment"].nunique()


def test_every_kind_of_row_has_its_cells(done):
    assert done.transect["cells"].notna().all()
    assert (done.transect["cells"] > 0).all()


def test_shares_of_classes_in_the_file_add_up(done):
    with xr.open_dataset(done.out / "transect.nc") as data:
        np.testing.assert_allclose(
            data["permafrost_zone_fraction"].sum("permafrost_zone_class"), 1, rtol=1e-6
        )
        np.testing.assert_allclose(data["land_cover_fraction_mean"].sum("class"), 1, rtol=1e-6)
        assert "water" in data["class_name"].values.tolist()


def test_offsets_are_the_differences_of_the_temperatures(done):
    wide = done.transect.pivot_table(index="segment", columns="variable", values="mean")
    ground = wide["mean_annual_ground_surface_temperature"]
    np.testing.assert_allclose(wide["surface_offset"], ground - wide["maat"], atol=1e-5)
    np.testing.assert_allclose(wide["thermal_offset"], wide["magt"] - ground, atol=1e-5)
    assert set(done.transect.query("variable == 'thermal_offset'")["unit"]) == {"K"}
    # In winter the surface has the air temperature times the freezing n-factor.
    fields = done.fields.set_coords("crs")
    air = fields["tas"]
    days = xr.DataArray([31, 28.25, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31], dims="time")
    cold = air.where(air < 0.0)
    mean = (cold * days).sum("time") / (days * (cold < 0.0)).sum("time")
    line = Context(continued(done.out), done.out).transect
    expected = Overlap.between(line, mean).mean(
        ((fields["n_factor_freezing"] - 1.0) * mean).assign_attrs(units="K")
    )
    np.testing.assert_allclose(wide["nival_offset"], expected, atol=1e-4)


def test_points_of_the_line_lie_between_the_cells_of_the_fields(done):
    with (
        xr.open_dataset(done.out / "transect_line.nc") as line,
        xr.open_dataset(done.out / "fields.nc") as fields,
    ):
        assert np.diff(line["distance_km"])[:-1] == pytest.approx(10)
        there = fields["maat"].interp(lat=line["lat"], lon=line["lon"])
        np.testing.assert_allclose(line["maat"], there, atol=1e-4)
        assert line["maat"].attrs["cell_methods"].endswith("area: point")
        nearest = fields["permafrost_zone"].sel(lat=line["lat"], lon=line["lon"], method="nearest")
        np.testing.assert_array_equal(line["permafrost_zone"], nearest)


def test_stations_are_placed_and_those_too_far_off_are_listed(done):
    table = pd.read_csv(done.out / "transect_stations.csv").set_index("name")
    assert table["within"].to_dict() == {"R42": True, "Zhigansk": True, "Irkutsk": False}
    assert table.loc["Irkutsk", "offset_km"] != 0
    assert (table.loc["R42", "distance_km"] < 20).all()


def test_the_profile_is_there_as_pdf(done):
    assert (done.out / "figures" / "transect_profile.pdf").read_bytes()[:5] == b"%PDF-"


def test_observations_are_recorded_with_their_hash(done):
    found = json.loads((done.out / "run.json").read_text())["inputs"]["observations_0"]
    assert found["name"] == "stations.csv"
    assert len(found["sha256"]) == 64


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            ("active_layer", "aktive_layer"),
            r"there is no variable 'aktive_layer_thickness' on the profile .line 2",
        ),
        (("1.2,2003", "120,2003"), r"active_layer_thickness of 'R42' is 120 in line 2; expected 0 to 50 m"),
        (("lat,lon", "latitude,lon"), "columns are missing: lat"),
        (("2001,3.2", "2001,deep"), "column 'depth_m' holds 'deep' in line 4"),
        (("62.1,129.7", "129.7,62.1"), "2 stations have no place on Earth"),
    ],
)
def test_tables_of_observations_that_cannot_be_right_are_refused(tmp_path, change, message):
    path = tmp_path / "stations.csv"
    path.write_text(OBSERVED.replace(*change))
    with pytest.raises(DataError, match=message):
        geotools.Transect.named("harbin_tiksi").stations(read_observations(path))


def test_a_table_of_observations_that_is_not_there_is_named(recipe_file):
    with pytest.raises(UsageError, match=r"stations\.csv: the file does not exist"):
        check(recipe_file(inputs={"observations": ["stations.csv"]}))


def test_a_check_of_the_recipe_opens_the_observations(recipe_file, tmp_path):
    (tmp_path / "stations.csv").write_text(OBSERVED.replace("1.2,2003", "x,2003"))
    with pytest.raises(DataError, match="column 'value' holds 'x' in line 2"):
        check(recipe_file(inputs={"observations": ["stations.csv"]}))
    (tmp_path / "stations.csv").write_text(OBSERVED)
    assert "ok: input observations stations.csv: 4 rows" in check(
        recipe_file(inputs={"observations": ["stations.csv"]})
    )


def test_the_swath_of_the_file_is_that_of_the_transect(done):
    recipe = SMALL["transect"]
    line = geotools.Transect(
        {name: (lat, lon) for name, lat, lon in recipe["points"]},
        segment_length_km=recipe["segment_length_km"],
    )
    with xr.open_dataset(done.out / "transect.nc") as data:
        nodes = np.column_stack((data["swath_lon"], data["swath_lat"]))
        first = shapely.Polygon(nodes[: int(data["swath_node_count"][0])])
    assert first.equals_exact(line.segments.geometry.iloc[0], 1e-9, normalize=True)
