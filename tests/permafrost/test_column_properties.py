"""Freezing curves, properties of layers, and the cells of a column."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from geotools.permafrost import MushyZone, PowerLaw, SoilColumn, SoilLayer, VanGenuchten, column_edges
from geotools.permafrost.cell_properties import build_ground, enthalpy_of
from geotools.permafrost.freezing_curves import curve_table
from geotools.permafrost.soil_properties import johansen_conductivity, layer_properties
from geotools.space.lanes import WIDTH

DEEP = float("inf")


def test_half_the_zone_is_half_frozen():
    np.testing.assert_allclose(MushyZone(0.1).liquid_share([-0.2, -0.05, 0.0, 1.0], 0.3, 0.4), [0, 0.5, 1, 1])


def test_the_power_law_by_hand():
    # 0.05 / sqrt(4) is 0.025 of liquid water, of 0.4 in all; freezing begins where 0.05 / sqrt(d) is 0.4.
    curve = PowerLaw(0.05, 0.5)
    assert curve.liquid_share(-4.0, 0.4, 0.5) == pytest.approx(0.0625)
    assert curve.freezing_point(0.4, 0.5) == pytest.approx(-((0.05 / 0.4) ** 2))


def test_van_genuchten_by_hand():
    # At -1 degC the head is -334000 / (9.80665 * 273.15) = -124.69 m.
    curve = VanGenuchten(alpha=1.0, n=2.0)
    assert curve.freezing_point(0.4, 0.4) == 0.0
    assert curve.liquid_share(-1.0, 0.4, 0.4) == pytest.approx((1 + 124.6884**2) ** -0.5, rel=1e-5)


def test_drier_ground_freezes_at_a_lower_temperature():
    curve = VanGenuchten(alpha=1.0, n=1.5)
    assert curve.freezing_point(0.2, 0.4) < curve.freezing_point(0.39, 0.4) < 0.0
    assert curve.liquid_share(curve.freezing_point(0.2, 0.4), 0.2, 0.4) == pytest.approx(1.0)


CURVES = st.one_of(
    st.builds(MushyZone, st.floats(0.005, 2.0), st.floats(-1, 0)),
    st.builds(PowerLaw, st.floats(0.01, 0.3), st.floats(0.2, 0.9), st.floats(-0.5, 0)),
    st.builds(VanGenuchten, st.floats(0.2, 10), st.floats(1.1, 4.0), st.floats(0, 0.05)),
)


@given(CURVES, st.floats(0.08, 0.6))
def test_tables_follow_their_curves(curve, water):
    water, porosity = np.array([water]), np.array([0.6])
    nodes, share = curve_table(curve, water, porosity)
    assert (np.diff(nodes[:, 0]) > 0).all()
    assert (np.diff(share[:, 0]) >= 0).all()
    between = np.linspace(nodes[0, 0], nodes[-1, 0], 997)
    exact = curve.liquid_share(between[:, None], water, porosity)[:, 0]
    assert np.abs(np.interp(between, nodes[:, 0], share[:, 0]) - exact).max() < 0.01


@given(CURVES, st.floats(0.08, 0.4))
def test_enthalpy_grows_by_the_latent_heat_and_the_warming(curve, water):
    layer = SoilLayer(
        DEEP,
        water=water,
        porosity=0.42,
        freezing_curve=curve,
        heat_capacity_thawed=2e6,
        heat_capacity_frozen=2e6,
    )
    column = SoilColumn([layer], depth=1.0)
    ground = build_ground(column, layer_properties(column, {}, WIDTH))
    shape = (column.centres.size, WIDTH)
    cold, warm = (enthalpy_of(ground, np.full(shape, t))[0, 0] for t in (-60.0, 5.0))
    unfrozen = float(np.min(curve.liquid_share(-60.0, water, 0.42)))
    expected = 2e6 * 65 + 3.34e8 * water * (1 - unfrozen)
    assert warm - cold == pytest.approx(expected, rel=2e-3)


def test_saturated_johansen_by_hand():
    # 3^0.6 0.57^0.4 and 3^0.6 2.2^0.4.
    thawed, frozen = johansen_conductivity(np.array(0.4), np.array(0.4), np.array(0.0), np.array(3.0))
    assert thawed == pytest.approx(1.54394, rel=1e-4)
    assert frozen == pytest.approx(2.65005, rel=1e-4)


def test_dry_ground_conducts_least_and_frozen_peat_best_when_wet():
    water = np.array([0.0, 0.2, 0.8])
    thawed, frozen = johansen_conductivity(water, np.full(3, 0.85), np.ones(3), np.full(3, 3.0))
    assert (np.diff(thawed) > 0).all()
    assert (np.diff(frozen) > 0).all()
    assert thawed[0] == frozen[0] == pytest.approx(0.05)
    # The range of the literature for moss and peat.
    assert 0.3 < thawed[2] < 0.6
    assert 1.0 < frozen[2] < 1.9


def test_capacities_are_sums_of_their_parts():
    column = SoilColumn([SoilLayer(DEEP, water=0.3, porosity=0.4)], depth=2.0)
    layers = layer_properties(column, {}, 1)
    assert layers.capacity_thawed.item() == pytest.approx(0.6 * 2.1e6 + 0.3 * 4.19e6)
    assert layers.capacity_frozen.item() == pytest.approx(0.6 * 2.1e6 + 0.3 * 1.93e6)


@given(
    st.floats(1.0, 300.0),
    st.floats(0.005, 0.1),
    st.lists(st.floats(0.001, 0.95), max_size=4, unique=True),
)
def test_cells_reach_from_the_surface_to_the_base_through_all_interfaces(depth, spacing, interfaces):
    edges = column_edges(depth, spacing=spacing, interfaces=interfaces)
    assert edges[0] == 0.0
    assert edges[-1] == depth
    assert (np.diff(edges) > 0).all()
    assert set(interfaces) <= set(edges.tolist())


def test_a_layer_thinner_than_a_cell_keeps_its_place():
    thin = SoilLayer(0.005, water=0.1, porosity=0.9, name="litter")
    column = SoilColumn([thin, SoilLayer(DEEP, water=0.3, porosity=0.4)], depth=5.0)
    ground = build_ground(column, layer_properties(column, {}, WIDTH))
    assert ground.material[:2, 0].tolist() == [0, 1]
    assert ground.thickness[0] == pytest.approx(0.005)


def test_a_changed_layer_leaves_the_others():
    column = SoilColumn([SoilLayer(0.1, water=0.4, porosity=0.8), SoilLayer(DEEP, water=0.3, porosity=0.4)])
    changed = column.with_layer(0, water=0.5)
    assert changed.layers[0].water == 0.5
    assert changed.layers[1] is column.layers[1]
    np.testing.assert_array_equal(changed.edges, column.edges)
