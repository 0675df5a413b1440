"""Figures say what they show: units, labels of origin, sources."""

import geopandas as gpd
import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
import shapely
import xarray as xr

from geotools.report import basin_map, transect_profile
from geotools.report.map import MapLayers
from geotools.report.style import ZONE_COLOURS, save
from geotools.vocabulary import Zone

mpl.use("Agg")


def texts(figure):
    found = [t.get_text() for t in figure.findobj(mpl.text.Text)]
    return " | ".join(t for t in found if t)


def table():
    rows = []
    for i, distance in enumerate((10.0, 30.0, 50.0)):
        place = {
            "segment": i,
            "distance_km": distance,
            "lat": 48.0 + 2 * i,
            "lon": 126.0,
            "valid_fraction": 1.0,
        }
        for name in (
            "maat", "mean_annual_ground_surface_temperature", "magt", "snow_depth_winter_mean", "annual_precipitation",
            "permafrost_probability", "active_layer_thickness", "thaw_depth",
        ):  # fmt: skip
            values = {"mean": 0.5, "p10": 0.4, "p90": 0.6, "lo95": 0.2, "hi95": 0.9}
            rows.append({**place, "variable": name, "class": "", **values})
        for name, share in (("continuous", 0.25), ("sporadic", 0.75)):
            rows.append({**place, "variable": "permafrost_zone", "class": name, "mean": share})
    return pd.DataFrame(rows)


def test_profile_names_units_origin_places_and_sources():
    figure = transect_profile(
        table(),
        [("Harbin", 0.0), ("Tiksi", 55.0)],
        title="A to B",
        sources="Sources: test data",
        label="modelled from test",
    )
    said = texts(figure)
    for word in (
        "(°C)",
        "(m)",
        "(mm per year)",
        "(km)",
        "modelled from test",
        "Harbin",
        "Tiksi",
        "Sources: test data",
        "50°N",
    ):
        assert word in said, word


def test_profile_draws_every_zone_that_occurs():
    figure = transect_profile(table(), [], title="", sources="", label="")
    bars = [p for p in figure.axes[4].patches if p.get_height() == pytest.approx(0.25)]
    assert {mpl.colors.to_hex(b.get_facecolor()) for b in bars} == {ZONE_COLOURS[Zone.CONTINUOUS]}


def test_zone_colours_keep_their_order_in_grey():
    grey = [np.dot(mpl.colors.to_rgb(ZONE_COLOURS[z]), (0.299, 0.587, 0.114)) for z in Zone]
    assert grey == sorted(grey, reverse=True)


def test_map_names_zones_basins_places_and_sources(tmp_path):
    lat, lon = np.arange(45.0, 75.0, 1.0), np.arange(102.0, 143.0, 1.0)
    zone = xr.DataArray(
        np.tile(np.arange(lat.size)[:, None] % 5, (1, lon.size)).astype("int8"),
        dims=("lat", "lon"),
        coords={"lat": lat, "lon": lon},
        attrs={"flag_values": np.arange(5, dtype="int8"), "flag_meanings": " ".join(z.value for z in Zone)},
    )
    box = gpd.GeoDataFrame(
        {"name": ["Lena"]}, geometry=[shapely.box(110, 55, 130, 70)], index=["lena"], crs=4326
    )
    line = gpd.GeoDataFrame({"scalerank": [3]}, geometry=[box.boundary.iloc[0]], crs=4326)
    layers = MapLayers(land=box, lakes=box, rivers=line, borders=line)
    swath = gpd.GeoDataFrame(
        {"lat": [60.0, 61.0], "lon": [120.0, 120.0]}, geometry=[shapely.box(119, 59, 121, 61)] * 2, crs=4326
    )
    figure = basin_map(
        zone, box, swath, [("Yakutsk", 62.0, 129.7)], layers, title="A map", sources="Sources: test"
    )
    said = texts(figure)
    for word in (
        "continuous (90 % and more)",
        "isolated (1-10 %)",
        "Lena",
        "Yakutsk",
        "Sources: test",
        "60°N",
        "120°E",
    ):
        assert word in said, word
    save(figure, tmp_path / "map.png")
    assert (tmp_path / "map.png").stat().st_size > 10_000
