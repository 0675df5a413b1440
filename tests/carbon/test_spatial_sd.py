"""Errors of sums over cells whose errors are alike."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from geotools.carbon import spatial, spatial_sd
from geotools.errors import DataError, UsageError

AREAS = [1e10] * 100


def grid_distances():
    x, y = np.meshgrid(np.arange(10) * 100.0, np.arange(10) * 100.0)
    return np.hypot(x.ravel()[:, None] - x.ravel(), y.ravel()[:, None] - y.ravel())


@pytest.mark.parametrize(("rho", "known"), [(0.0, 5.0), (0.2, 22.8035), (1.0, 50.0)])
def test_known_answers_of_a_common_correlation(rho, known):
    assert spatial_sd(50.0, AREAS, rho=rho) / 1e12 == pytest.approx(known, abs=5e-5)


@pytest.mark.parametrize(("length", "known"), [(50.0, 6.7726), (1000.0, 39.1606)])
def test_known_answers_of_a_falling_correlation(length, known):
    found = spatial_sd(50.0, AREAS, length_km=length, distances_km=grid_distances())
    assert found / 1e12 == pytest.approx(known, abs=5e-5)


def test_strips_do_not_change_the_answer(monkeypatch):
    rng = np.random.default_rng(1)
    lat, lon = rng.uniform(50, 70, 40), rng.uniform(110, 140, 40)
    area, sd = rng.uniform(1, 2, 40) * 1e9, rng.uniform(0, 30, 40)
    whole = spatial_sd(sd, area, length_km=300.0, lat=lat, lon=lon)
    monkeypatch.setattr(spatial, "_PAIRS", 120)
    assert spatial_sd(sd, area, length_km=300.0, lat=lat, lon=lon) == pytest.approx(whole, rel=1e-12)


def test_places_give_great_circles():
    # A degree along the equator.
    apart = np.pi * 6371.0072 / 180
    by_place = spatial_sd(1.0, [1.0, 1.0], length_km=100.0, lat=[0, 0], lon=[10, 11])
    by_length = spatial_sd(1.0, [1.0, 1.0], length_km=100.0, distances_km=[[0, apart], [apart, 0]])
    assert by_place == pytest.approx(by_length, rel=1e-9)


@given(st.lists(st.tuples(st.floats(0, 1e3), st.floats(0, 1e3)), min_size=1, max_size=8), st.floats(0, 1))
def test_between_independent_and_common(cells, rho):
    sd, area = np.array(cells).T
    found = spatial_sd(sd, area, rho=rho)
    least, most = spatial_sd(sd, area, rho=0.0), spatial_sd(sd, area, rho=1.0)
    assert least * (1 - 1e-9) - 1e-9 <= found <= most * (1 + 1e-9) + 1e-9
    assert spatial_sd(sd[::-1], area[::-1], rho=rho) == pytest.approx(found, rel=1e-9, abs=1e-9)


def test_long_and_short_lengths_meet_the_limits():
    far = grid_distances()
    assert spatial_sd(50.0, AREAS, length_km=1e9, distances_km=far) / 1e12 == pytest.approx(50.0, rel=1e-5)
    assert spatial_sd(50.0, AREAS, length_km=1e-3, distances_km=far) / 1e12 == pytest.approx(5.0)


@pytest.mark.parametrize("given_by", [{}, {"rho": 0.5, "length_km": 10.0}])
def test_the_correlation_is_said_once(given_by):
    with pytest.raises(UsageError, match=r"either rho or length_km.*rho=0 if"):
        spatial_sd(1.0, [1.0], **given_by)


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"rho": 1.5}, UsageError, "rho is 1.5"),
        ({"length_km": -1.0, "lat": [0], "lon": [0]}, UsageError, "length_km is -1.0"),
        ({"length_km": 10.0}, UsageError, "distances are not given"),
        ({"length_km": 10.0, "distances_km": [[0, 1], [1, 0]]}, DataError, r"shape \(2, 2\)"),
        ({"length_km": 10.0, "lat": [0, 1], "lon": [0, 1]}, DataError, r"lat has the shape \(2,\)"),
    ],
)
def test_bad_correlations(options, error, message):
    with pytest.raises(error, match=message):
        spatial_sd(1.0, [1.0], **options)


def test_bad_cells():
    with pytest.raises(DataError, match="negative or missing"):
        spatial_sd(1.0, [-1.0], rho=0)
    with pytest.raises(DataError, match="negative or missing"):
        spatial_sd([np.nan], [1.0], rho=0)
    with pytest.raises(DataError, match="one number per cell"):
        spatial_sd([1.0, 2.0], [1.0], rho=0)
