"""Figures say what they show: units, labels of origin, sources."""

import sys
from itertools import pairwise

import geopandas as gpd
import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
import shapely
import xarray as xr
from matplotlib.backends.backend_agg import FigureCanvasAgg

from geotools.report import basin_map, ground_cross_section, transect_profile
from geotools.report.cross_section import to_depth, to_height
from geotools.report.map import MapLayers
from geotools.report.profile import spread_apart
from geotools.report.profile_parts import ExtraPanel
from geotools.report.style import ZONE_COLOURS, save
from geotools.vocabulary import Zone

mpl.use("Agg")


def texts(figure):
    found = [t.get_text() for t in figure.findobj(mpl.text.Text)]
    return " | ".join(t for t in found if t)


LINES = (
    "maat", "mean_annual_ground_surface_temperature", "magt", "surface_offset", "thermal_offset", "snow_depth_max",
    "snow_depth_winter_mean", "annual_precipitation", "n_factor_freezing", "permafrost_probability",
    "active_layer_thickness", "thaw_depth",
)  # fmt: skip


def table(*more):
    rows = []
    for i, distance in enumerate((10.0, 30.0, 50.0)):
        place = {
            "segment": i,
            "distance_km": distance,
            "lat": 48.0 + 2 * i,
            "lon": 126.0,
            "valid_fraction": 1.0,
        }
        for name in (*LINES, *more):
            values = {"mean": 0.5, "p10": 0.4, "p90": 0.6, "lo95": 0.2, "hi95": 0.9}
            rows.append({**place, "variable": name, "class": "", **values})
        for name, share in (("continuous", 0.25), ("sporadic", 0.75)):
            rows.append({**place, "variable": "permafrost_zone", "class": name, "mean": share})
        for name, share in (
            ("water", 0.125),
            ("open_shrubland", 0.875),
            *((f"rare_{k}", 0.0) for k in range(9)),
        ):
            rows.append({**place, "variable": "land_cover", "class": name, "mean": share})
    return pd.DataFrame(rows)


def profile(rows, places=(), **more):
    figure = transect_profile(
        rows, list(places), title="A to B", sources="Sources: test data", label="modelled from test", **more
    )
    figure.canvas.draw()
    return figure


def panel(figure, title):
    """The panel that a title stands beside."""
    return next(axes for axes in figure.axes if title in [t.get_text() for t in axes.texts])


def test_profile_names_units_origin_places_and_sources():
    said = texts(profile(table(), [("Harbin", 0.0), ("Tiksi", 55.0)]))
    for word in (
        "°C", "mm yr", "(km)", "modelled from test", "Harbin", "Tiksi", "Sources: test data", "50°N", "MAGST − MAAT",
        "Light bands",
    ):  # fmt: skip
        assert word in said, word


def test_profile_leaves_out_panels_without_data():
    full = [a for a in profile(table("orog", "csoil_0_1m")).axes if a.texts]
    assert len(full) == 11
    rows = table()
    rows.loc[rows["variable"] == "active_layer_thickness", "mean"] = np.nan
    rows = rows[~rows["variable"].isin(["thaw_depth", "n_factor_freezing"])]
    figure = profile(rows)
    assert len([a for a in figure.axes if a.texts]) == 7
    for word in ("Active layer", "n-factor", "Elevation", "carbon", "nival"):
        assert word not in texts(figure), word
    assert figure.get_figheight() <= 11.2


FLUXES = ("net_ecosystem_exchange", "fossil_emissions")
EXTRA = [
    ExtraPanel("orog", "surface altitude", "my heights"),
    ExtraPanel("ndvi", "largest NDVI", "a sensor"),
    ExtraPanel("burned", "burned share of the land in the years since records of fires began", "my count"),
    ExtraPanel("far", "far away"),
]


def rich():
    """A table with all panels, two layers of one's own and the fluxes of the budget."""
    rows = table("orog", "csoil_0_1m", "csoil_1_3m", "nival_offset", "ndvi", "burned", "far", *FLUXES)
    rows["unit"] = rows["variable"].map({"burned": "% yr-1", "ndvi": "1"}).fillna("m")
    rows["tier"] = rows["variable"].map({"fossil_emissions": "proxied"}).fillna("modelled")
    rows.loc[rows["variable"] == "far", ["mean", "p10", "p90"]] = np.nan
    return rows


def test_layers_that_the_profile_does_not_know_have_the_panels_they_are_told():
    figure = profile(rich(), extra=EXTRA)
    said = texts(figure)
    for word in ("my heights", "Largest NDVI", "a sensor", "% yr$^{-1}$", "my count"):
        assert word in said, word
    assert "Far away" not in said, "it has no values"
    assert "surface altitude" not in said, "elevation has words of its own"
    assert panel(figure, "Largest NDVI").get_ylabel() == ""
    assert "Largest NDVI" not in texts(profile(rich())), "nobody told what it is"


def test_fluxes_are_drawn_with_their_intervals_and_tiers():
    rows = rich()
    nee = rows["variable"] == "net_ecosystem_exchange"
    rows.loc[nee, ["mean", "lo95", "hi95"]] = [-30.0, -90.0, 25.0]
    fossil = rows["variable"] == "fossil_emissions"
    rows.loc[fossil, "mean"] = [0.0, 40.0, 60_000.0]
    rows.loc[fossil, ["lo95", "hi95"]] = [0.0, 120_000.0]
    figure = profile(rows)
    axes, emitted = panel(figure, "Net ecosystem exchange"), panel(figure, "Fossil CO$_2$ emissions")
    low, high = axes.get_ylim()
    assert low < -90
    assert high > 25
    (band,) = [c for c in axes.collections if c.get_alpha() == 0.16]
    assert set(band.get_paths()[0].vertices[:, 1]) == {-90.0, 25.0}
    # A segment without a town is at 0 up to its end, where the next begins.
    steps = emitted.lines[0]
    assert steps.get_drawstyle() == "steps-mid"
    np.testing.assert_array_equal(steps.get_ydata(), [0.0, 40.0, 60_000.0])
    assert emitted.get_ylim()[0] == 0
    assert emitted.get_ylim()[1] > 120_000
    assert 0 < emitted.transData.transform((0, 40.0))[1] < emitted.transData.transform((0, 60_000.0))[1]
    said = texts(figure)
    assert "modelled from land cover" in said
    assert "proxied by population of towns" in said


def test_classes_of_a_layer_leave_segments_without_data_blank():
    rows = table()
    share = rows[rows["variable"] == "permafrost_zone"].assign(variable="yedoma")
    share.loc[share["segment"] == 0, "mean"] = np.nan
    figure = profile(pd.concat([rows, share]), extra=[ExtraPanel("yedoma", "Yedoma", "a map")])
    bars = [p for p in panel(figure, "Yedoma").patches if p.get_height() > 0]
    assert min(b.get_x() for b in bars) == 20
    assert max(b.get_x() + b.get_width() for b in bars) == 60


@pytest.mark.parametrize("extra", [[], EXTRA])
def test_what_stands_beside_a_panel_does_not_run_into_the_next(extra):
    rows = rich()
    cover = rows["variable"] == "land_cover"
    rows.loc[cover, "mean"] = 1 / 11
    figure = profile(rows, extra=extra)
    # Without a canvas that draws, labels are not where they will be.
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    panels = [a for a in figure.axes if a.texts]
    assert len(panels) == 13 + (2 if extra else 0)
    beside = [[a.get_legend(), *(t for t in a.texts if len(t.get_text()) > 1)] for a in panels]
    boxes = [[thing.get_window_extent() for thing in things] for things in beside]
    for above, below in pairwise(boxes):
        assert min(b.y0 for b in above) > max(b.y1 for b in below)
    # Nothing is cut off at the left, and the sources keep off the axis of latitude.
    picture = np.asarray(canvas.buffer_rgba())
    assert (picture[:, :4] == 255).all()
    assert (picture[:, -4:] == 255).all()
    sources = next(t for t in figure.texts if t.get_text().startswith("Sources"))
    axis = next(c for c in panels[-1].child_axes)
    assert sources.get_window_extent().y1 < axis.get_tightbbox().y0


def test_profile_draws_every_zone_that_occurs():
    bars = [
        p
        for p in panel(profile(table()), "Permafrost zones").patches
        if p.get_height() == pytest.approx(0.25)
    ]
    assert {mpl.colors.to_hex(b.get_facecolor()) for b in bars} == {ZONE_COLOURS[Zone.CONTINUOUS]}
    # From the start of the line to its end.
    assert min(b.get_x() for b in bars) == 0
    assert max(b.get_x() + b.get_width() for b in bars) == 60


def test_profile_draws_land_cover_in_shares_and_leaves_out_what_does_not_occur():
    axes = panel(profile(table()), "Land cover")
    names = [t.get_text() for t in axes.get_legend().get_texts()]
    assert names == ["water", "open shrubland"]
    heights = {round(p.get_height(), 3) for p in axes.patches}
    assert heights == {0.125, 0.875}


def test_rare_classes_of_land_cover_are_drawn_as_one():
    rows = table()
    cover = rows["variable"] == "land_cover"
    rows.loc[cover, "mean"] = np.where(rows.loc[cover, "class"].str.startswith("rare"), 0.1, 0.05)
    axes = panel(profile(rows), "Land cover")
    names = [t.get_text() for t in axes.get_legend().get_texts()]
    assert len(names) == 8
    assert names[-1] == "other"
    top = max(p.get_y() + p.get_height() for p in axes.patches)
    assert top == pytest.approx(1.0)


def test_observations_are_circles_at_their_distance_and_mean_with_a_bar_over_the_years():
    seen = pd.DataFrame(
        {
            "name": ["R1", "R1", "B"],
            "distance_km": [20.0, 20.0, 40.0],
            "variable": ["active_layer_thickness", "active_layer_thickness", "magt"],
            "value": [1.0, 1.5, -2.0],
            "depth_m": [np.nan, np.nan, 15.0],
        }
    )
    figure = profile(table(), observations=seen)
    thaw, temperature = panel(figure, "Active layer"), panel(figure, "Temperature, mean annual")
    (circle,) = [c for c in thaw.collections if isinstance(c, mpl.collections.PathCollection)]
    assert circle.get_offsets().tolist() == [[20.0, 1.25]]
    (bar,) = [c for c in thaw.collections if isinstance(c, mpl.collections.LineCollection)]
    np.testing.assert_array_equal(bar.get_segments()[0], [[20.0, 1.0], [20.0, 1.5]])
    said = texts(figure)
    assert "observed, 1 station" in said
    assert "MAGT observed at 15 m" in said
    low, high = sorted(temperature.get_ylim())
    assert low < -2 < high
    without = profile(table(), observations=seen.drop(columns="depth_m"))
    assert "MAGT observed (depth not told)" in texts(without)
    assert "Circles" in texts(without)


def test_names_of_places_close_together_do_not_touch():
    near = [("Skovorodino", 20.0), ("Tynda", 20.5), ("Neryungri", 21.0), ("Tiksi", 59.9)]
    figure = profile(table(), near)
    names = {t.get_text(): t for a in figure.axes for t in a.texts if t.get_text() in dict(near)}
    at = [figure.dpi_scale_trans.inverted().transform(names[n].get_window_extent())[0][0] for n, _ in near]
    assert (np.diff(at) > 0.15).all()


@pytest.mark.parametrize(
    ("places", "wanted"),
    [
        ([0.1, 0.5, 0.9], [0.1, 0.5, 0.9]),
        ([0.5, 0.5], [0.45, 0.55]),
        ([0.4, 0.5, 0.52, 0.54], [0.34, 0.44, 0.54, 0.64]),
        ([], []),
    ],
)
def test_places_are_spread_as_little_as_it_takes(places, wanted):
    np.testing.assert_allclose(spread_apart(places, 0.1), wanted)


def test_the_profile_is_saved_as_picture_and_as_text_that_can_be_searched(tmp_path):
    paths = [tmp_path / "p.png", tmp_path / "p.pdf"]
    save(profile(table()), *paths)
    again = [tmp_path / "q.png", tmp_path / "q.pdf"]
    save(profile(table()), *again)
    assert [p.read_bytes() for p in paths] == [p.read_bytes() for p in again]
    assert b"/TrueType" in paths[1].read_bytes() or b"/CIDFontType2" in paths[1].read_bytes()


def test_a_transect_of_one_segment_is_drawn():
    rows = table()
    figure = profile(rows[rows["segment"] == 0])
    assert panel(figure, "Land cover").get_xlim() == (0.0, 20.0)


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


def ground_section(frozen=True):
    depth = np.array([0.0, 0.5, 1.0, 2.0, 10.0, 20.0, 60.0, 500.0])
    mean = (np.array([3.0, -2.0, -6.0]) if frozen else np.array([3.0, 4.0, 5.0]))[:, None] + 0.02 * depth
    along = {
        name: ("segment", values if frozen else np.full(3, np.nan))
        for name, values in (
            ("active_layer_thickness", np.array([np.nan, 1.5, 0.8])),
            ("permafrost_base_depth", np.array([np.nan, 100.0, 900.0])),
            ("permafrost_base_depth_ttop", np.array([np.nan, 80.0, 300.0])),
        )
    }
    return xr.Dataset(
        {
            "tsl_mean": (("segment", "depth"), mean),
            "simulated": ("depth", (depth <= 60).astype("int8")),
            "zero_annual_amplitude_depth": ("segment", [9.0, 12.0, 15.0]),
            "maat": ("segment", [1.0, -6.0, -12.0]),
            "ground_temperature_top": ("segment", [3.0, -2.0, -6.0]),
            "ttop": ("segment", [2.0, -3.0, -5.0]),
            **along,
        },
        coords={
            "depth": depth,
            "distance_km": ("segment", [10.0, 30.0, 50.0]),
            "lat": ("segment", [48.0, 58.0, 68.0]),
        },
    )


def drawn(section):
    return ground_cross_section(
        section,
        [("Harbin", 10.0), ("Tiksi", 50.0)],
        title="A to B",
        sources="Sources: test data",
        label="modelled from test",
    )


def test_the_cross_section_names_lines_units_places_and_what_is_assumed():
    figure = drawn(ground_section())
    said = texts(figure)
    for word in (
        "mean annual ground temperature (°C)", "depth (m)", "distance (km)", "latitude", "modelled from test", "Harbin",
        "base of the active layer", "zero annual amplitude", "permafrost base, heat flux assumed", "0 °C",
        "below 60 m: geothermal gradient, heat flux assumed", "Sources: test data", "52°N",
    ):  # fmt: skip
        assert word in said, word


def test_temperatures_are_drawn_symmetric_about_0_degC_which_is_white():
    figure = drawn(ground_section())
    filled = next(
        c for c in figure.axes[1].collections if isinstance(c, mpl.contour.QuadContourSet) and c.filled
    )
    np.testing.assert_allclose(filled.levels, -filled.levels[::-1])
    assert filled.cmap(filled.norm(0.0))[:3] == (1.0, 1.0, 1.0)
    cold, warm = filled.cmap(filled.norm(-5.0)), filled.cmap(filled.norm(5.0))
    assert cold[2] > cold[0]
    assert warm[0] > warm[2]


def test_three_scales_of_depth_meet_and_turn_back():
    depth = np.array([0.0, 1.0, 2.0, 11.0, 20.0, 260.0, 500.0, 700.0])
    np.testing.assert_allclose(to_depth(to_height(depth)), depth)
    assert np.all(np.diff(to_height(np.linspace(0, 700, 2000))) > 0)


def test_a_line_without_permafrost_can_be_drawn():
    assert "base of the active layer" in texts(drawn(ground_section(frozen=False)))


def test_pdf_and_png_of_equal_figures_are_equal_files(tmp_path):
    for ending in ("png", "pdf"):
        for name in ("a", "b"):
            save(drawn(ground_section()), tmp_path / f"{name}.{ending}")
        assert (tmp_path / f"a.{ending}").read_bytes() == (tmp_path / f"b.{ending}").read_bytes()


def test_figures_do_not_touch_the_backend_of_a_notebook(tmp_path, monkeypatch):
    """A run that had chosen a backend left no figure of the cells after it."""
    monkeypatch.setitem(sys.modules, "matplotlib.pyplot", None)
    save(drawn(ground_section()), tmp_path / "section.png")
    save(profile(table()), tmp_path / "profile.png")
    assert (tmp_path / "profile.png").stat().st_size > 10_000
