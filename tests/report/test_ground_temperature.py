"""Figures of ground temperatures: what stands in them, and what they refuse."""

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
import xarray as xr

from geotools.errors import UsageError
from geotools.permafrost import compare_with_observations, periodic_solution, trumpet_curve
from geotools.report import comparison_figure, trumpet_figure

mpl.use("Agg")

DEPTHS = np.array([0.4, 1.6, 3.2])


def ground(mean):
    time = np.arange(730) + 0.5
    values = periodic_solution(time, DEPTHS, mean=mean, amplitude=12.0, diffusivity=5e-7, period_days=365.0)
    coords = {"time": pd.date_range("2001-01-01", periods=730), "depth": ("depth", DEPTHS, {"units": "m"})}
    return xr.DataArray(values, dims=("time", "depth"), coords=coords, attrs={"units": "degC"})


@pytest.fixture(autouse=True)
def _close():
    import matplotlib.pyplot as plt

    yield
    plt.close("all")


def texts(figure):
    return [t.get_text() for axes in figure.axes for t in axes.texts] + [t.get_text() for t in figure.texts]


def test_trumpets_have_a_panel_per_place_with_depth_downward():
    curves = {"Yakutsk": trumpet_curve(ground(-2.0)), "Zhigansk": trumpet_curve(ground(-1.0))}
    figure = trumpet_figure(curves, title="Ground", sources="nobody")
    assert [axes.get_title(loc="left") for axes in figure.axes] == ["Yakutsk", "Zhigansk"]
    bottom, top = figure.axes[0].get_ylim()
    assert bottom > 3.2 > top >= 0.0
    assert any("observed: -2.0 °C at 3.2 m, 2001 to 2002" in t for t in texts(figure))
    assert any("nobody" in t for t in texts(figure))


def test_modelled_trumpets_are_lines_beside_the_points():
    seen, ours = trumpet_curve(ground(-2.0)), trumpet_curve(ground(-3.0))
    figure = trumpet_figure({"A": seen}, {"A": ours}, title="Ground", sources="x", label="column")
    points = [line for line in figure.axes[0].lines if line.get_marker() == "o"]
    lines = [
        line
        for line in figure.axes[0].lines
        if line.get_marker() in ("None", "") and len(line.get_xdata()) == 3
    ]
    assert len(points) == len(lines) == 3
    np.testing.assert_allclose(lines[1].get_xdata(), ours["tsl_mean"])
    assert any("column: -3.0 °C at 3.2 m" in t for t in texts(figure))


def test_series_carry_their_scores():
    seen, ours = ground(-2.0), ground(-3.0)
    scores = compare_with_observations(ours, seen).assign(station="A")
    figure = comparison_figure(
        {"A": seen}, {"A": ours}, scores, title="Ground", sources="x", since={"A": "2002-01-01"}
    )
    assert len(figure.axes) == 3
    assert any("A, 1.6 m: bias -1.00 K, RMSE 1.00 K, n = 730" in t for t in texts(figure))
    with_reference = compare_with_observations(ours, seen, reference=ours - 1.0).assign(station="A")
    again = comparison_figure({"A": seen}, {"A": ours}, with_reference, title="Ground", sources="x")
    assert any("climatology 2.00 K" in t for t in texts(again))


def test_places_without_scores_are_drawn_all_the_same():
    nothing = pd.DataFrame({"station": [], "depth_m": []})
    figure = comparison_figure({"A": ground(-2.0)}, {"A": ground(-3.0)}, nothing, title="t", sources="x")
    assert "A, 0.4 m" in texts(figure)


def test_nothing_to_draw_and_models_without_observations_are_refused():
    curves = trumpet_curve(ground(-2.0))
    with pytest.raises(UsageError, match="no place"):
        trumpet_figure({}, title="t", sources="x")
    with pytest.raises(UsageError, match="no observations of 'B'"):
        trumpet_figure({"A": curves}, {"B": curves}, title="t", sources="x")
