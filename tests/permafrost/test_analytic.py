"""Exact solutions of heat conduction against published figures and against the equations they solve."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from geotools.errors import DataError, UsageError
from geotools.permafrost import lunardini_solution, neumann_solution, periodic_solution

GROUND = {
    "conductivity_thawed": 1.0,
    "conductivity_frozen": 1.8,
    "heat_capacity_thawed": 2.8e6,
    "heat_capacity_frozen": 2.0e6,
    "latent_heat": 3.34e8 * 0.4,
}
THAW = {"surface_temperature": 5.0, "initial_temperature": -2.0, **GROUND}
LUNARDINI = {
    "surface_temperature": -6.0,
    "initial_temperature": 4.0,
    "residual_temperature": -1.0,
    "conductivities": (3.464352, 2.941352, 2.418352),
    "heat_capacity": 690360.0,
    "latent_heat": 334720 * 1680 * (0.2 - 0.0782),
}


def test_neumann_front_and_temperatures_are_the_known_ones():
    solution = neumann_solution([10.0, 30.0, 100.0], [0.25, 0.5, 1.0, 2.0, 3.0, 5.0], **THAW)
    assert round(solution.coefficient, 10) == 0.2105850602
    np.testing.assert_allclose(solution.front, [0.2339566, 0.4052248, 0.7398359], atol=5e-8)
    known = [3.2883, 1.5939, -0.1207, -0.5619, -0.9501, -1.5187]
    np.testing.assert_allclose(solution.temperature[-1], known, atol=5e-5)


def test_neumann_with_ground_at_the_freezing_point_is_the_one_phase_problem():
    solution = neumann_solution(100.0, **THAW | {"initial_temperature": 0.0})
    assert round(solution.coefficient, 10) == 0.2250550720
    assert round(solution.front, 7) == 0.7906725


def test_freezing_is_thawing_with_the_properties_exchanged():
    thaw = neumann_solution(50.0, [0.1, 2.0], **THAW)
    mirror = {
        "conductivity_thawed": 1.8,
        "conductivity_frozen": 1.0,
        "heat_capacity_thawed": 2.0e6,
        "heat_capacity_frozen": 2.8e6,
    }
    freeze = neumann_solution(
        50.0, [0.1, 2.0], **THAW | mirror | {"surface_temperature": -5.0, "initial_temperature": 2.0}
    )
    assert freeze.front == thaw.front
    np.testing.assert_allclose(freeze.temperature, -thaw.temperature)


@given(st.floats(0.5, 20), st.floats(-15, 0), st.floats(0.3, 3), st.floats(0.5, 3), st.floats(0.05, 0.8))
def test_neumann_front_takes_the_heat_that_it_needs(surface, initial, thawed, frozen, water):
    ground = {
        "conductivity_thawed": thawed,
        "conductivity_frozen": frozen,
        "heat_capacity_thawed": 2.8e6,
        "heat_capacity_frozen": 2.0e6,
        "latent_heat": 3.34e8 * water,
    }
    day, step = 40.0, 1e-6
    temperatures = {"surface_temperature": surface, "initial_temperature": initial}
    front = neumann_solution(day, **temperatures, **ground).front
    above = neumann_solution(day, front - step, **temperatures, **ground).temperature / step
    below = -neumann_solution(day, front + step, **temperatures, **ground).temperature / step
    speed = front / (2 * day * 86400)
    assert thawed * above - frozen * below == pytest.approx(ground["latent_heat"] * speed, rel=1e-3)


def test_the_stefan_formula_is_above_the_one_phase_front():
    front = neumann_solution(100.0, **THAW | {"initial_temperature": 0.0}).front
    assert np.sqrt(2 * 86400 * 100 * 5 / GROUND["latent_heat"]) == pytest.approx(front * 1.017, rel=1e-3)


def test_lunardini_fronts_are_the_known_ones():
    solution = lunardini_solution(1.0, **LUNARDINI)
    assert round(solution.psi, 8) == 0.13738705
    assert round(solution.gamma, 8) == 2.06003856
    assert round(solution.frozen_front, 7) == 0.1809280
    assert round(solution.freezing_front, 7) == 0.2497117


@pytest.mark.parametrize("residual", [-1.0, -4.0])
def test_lunardini_zones_meet_at_their_temperatures_without_a_step_in_the_flux(residual):
    given_ = LUNARDINI | {"residual_temperature": residual}
    solution = lunardini_solution(2.0, **given_)
    for front, value, (above, below) in (
        (solution.frozen_front, residual, given_["conductivities"][:2]),
        (solution.freezing_front, 0.0, given_["conductivities"][1:]),
    ):
        h = 1e-6
        t = lunardini_solution(2.0, [front - h, front, front + h], **given_).temperature
        assert t[1] == pytest.approx(value, abs=1e-4)
        assert above * (t[1] - t[0]) == pytest.approx(below * (t[2] - t[1]), rel=1e-3)


def test_lunardini_far_from_the_surface_is_the_initial_ground():
    assert lunardini_solution(1.0, 8.0, **LUNARDINI).temperature == pytest.approx(4.0)


def test_the_annual_wave_is_damped_and_late_by_known_amounts():
    wave = {"mean": -5.0, "amplitude": 20.0, "diffusivity": 1e-6}
    time = np.linspace(0, 365.25, 20001)
    five = periodic_solution(time, 5.0, **wave)
    assert (five.max() - five.min()) / 2 == pytest.approx(4.129460, abs=1e-5)
    assert time[five.argmax()] - 365.25 / 4 == pytest.approx(91.7072, abs=0.02)
    deep = periodic_solution(time, 16.7925, **wave)
    assert deep.max() + 5.0 == pytest.approx(0.1, abs=1e-4)


def test_shapes_are_those_of_times_and_depths():
    wave = {"mean": 0.0, "amplitude": 10.0, "diffusivity": 1e-6}
    assert isinstance(periodic_solution(1.0, 1.0, **wave), float)
    assert periodic_solution([1.0, 2.0], [0.0, 1.0, 2.0], **wave).shape == (2, 3)
    assert periodic_solution(1.0, [0.0, 1.0, 2.0], **wave).shape == (3,)
    assert isinstance(neumann_solution(1.0, 1.0, **THAW).front, float)
    assert neumann_solution([1.0, 2.0], 1.0, **THAW).temperature.shape == (2,)


def test_a_surface_on_the_side_of_the_ground_is_refused():
    with pytest.raises(UsageError, match="both sides of the freezing point"):
        neumann_solution(1.0, **THAW | {"initial_temperature": 2.0})
    with pytest.raises(UsageError, match="surface below residual below freezing"):
        lunardini_solution(1.0, **LUNARDINI | {"residual_temperature": -7.0})


def test_properties_and_times_of_no_ground_are_refused():
    with pytest.raises(DataError, match="conductivity_thawed"):
        neumann_solution(1.0, **THAW | {"conductivity_thawed": -1.0})
    with pytest.raises(DataError, match="time_days"):
        neumann_solution(0.0, **THAW)
    with pytest.raises(DataError, match="diffusivity"):
        periodic_solution(1.0, 1.0, mean=0.0, amplitude=1.0, diffusivity=0.0)
