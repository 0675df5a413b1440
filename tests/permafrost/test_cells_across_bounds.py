"""Cells that lie across bounds of layers: nothing is lost, nothing jumps, and cells of one layer are left alone."""

from dataclasses import replace

import dask
import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st

from geotools.permafrost import (
    MushyZone,
    PowerLaw,
    SoilColumn,
    SoilLayer,
    VanGenuchten,
    column_edges,
    ground_column,
    ground_parameters,
    simulate,
)
from geotools.permafrost.cell_properties import build_ground, enthalpy_of, layer_shares
from geotools.permafrost.freezing_curves import curve_table
from geotools.permafrost.ground_layers import resistance_above
from geotools.permafrost.soil_properties import layer_properties
from geotools.permafrost.stefan import LATENT_HEAT
from geotools.space.lanes import WIDTH
from tests.permafrost.columns import DEEP, SNOW, air, snow_like

EDGES = column_edges(15.0)
CURVES = {
    "one zone": (MushyZone(), MushyZone(), MushyZone()),
    "three zones": (MushyZone(0.05), MushyZone(0.5, -0.2), MushyZone(1.0)),
    "one power law": (PowerLaw(), PowerLaw(), PowerLaw()),
    "three kinds": (VanGenuchten(5.0, 2.0), PowerLaw(0.08, 0.5), MushyZone()),
}
EACH_CURVE = pytest.mark.parametrize("curves", CURVES.values(), ids=CURVES)
THICKNESS = st.floats(0.0, 0.3)


def soil(upper, middle, curves, edges=None, **both):
    """Peat over silt over sand; `edges` None puts faces at the bounds."""
    layers = [
        SoilLayer(upper, water=0.6, porosity=0.85, organic=1.0, freezing_curve=curves[0], **both),
        SoilLayer(middle, water=0.35, porosity=0.42, freezing_curve=curves[1], **both),
        SoilLayer(DEEP, water=0.15, porosity=0.3, freezing_curve=curves[2], **both),
    ]
    return SoilColumn(layers, edges=edges, depth=15.0)


def ground_of(column):
    return build_ground(column, layer_properties(column, {}, WIDTH))


def over(values):
    return xr.DataArray(np.asarray(values, dtype="float64"), dims="x", attrs={"units": "m"})


def by_centre(column):
    """The arrays of `Ground` where every cell is the layer of its centre, worked out layer by layer."""
    layers = layer_properties(column, {}, WIDTH)
    own = np.minimum((column.centres[:, None] >= layers.bottom[:, 0]).sum(axis=1), len(column.layers) - 1)
    curves = [layer.freezing_curve for layer in column.layers]
    cold, warm, latent = layers.capacity_frozen, layers.capacity_thawed, LATENT_HEAT * layers.water
    out = {}
    if all(isinstance(c, MushyZone) for c in curves):
        width = np.array([[c.width] for c in curves])
        end = np.array([[c.upper] for c in curves]) + np.zeros(latent.shape)
        start, heat = end - width, latent + 0.5 * (cold + warm) * width
    else:
        tables = [curve_table(c, *of) for c, *of in zip(curves, layers.water, layers.porosity, strict=True)]
        nodes, shares = (np.array(part) for part in zip(*tables, strict=True))
        warmed = np.zeros(nodes.shape)
        warmed[:, 1:] = np.cumsum(0.5 * (shares[:, 1:] + shares[:, :-1]) * np.diff(nodes, axis=1), axis=1)
        enthalpies = (
            cold[:, None] * (nodes - nodes[:, :1])
            + (warm - cold)[:, None] * warmed
            + latent[:, None] * (shares - shares[:, :1])
        )
        out |= {"temperatures": nodes, "enthalpies": enthalpies, "saturations": shares}
        cold = cold + (warm - cold) * shares[:, 0]
        start, end, heat = nodes[:, 0], nodes[:, -1], enthalpies[:, -1]
    half = 0.5 * column.thickness[:, None]
    return out | {
        "material": np.repeat(own[:, None], WIDTH, axis=1),
        "start": start[own],
        "end": end[own],
        "heat": heat[own],
        "capacity_frozen": cold[own],
        "capacity_between": (heat / (end - start))[own],
        "capacity_thawed": warm[own],
        "resistance_frozen": half / layers.frozen[own],
        "resistance_thawed": half / layers.thawed[own],
        "log_ratio": np.log(layers.frozen[own] / layers.thawed[own]),
    }


@EACH_CURVE
@settings(max_examples=25, deadline=None)
@given(upper=st.floats(0.005, 0.3), middle=st.floats(0.005, 3.0))
def test_where_bounds_are_faces_every_cell_is_one_layer_to_the_last_digit(curves, upper, middle):
    column = soil(upper, middle, curves)
    ground = ground_of(column)
    for name, expected in by_centre(column).items():
        np.testing.assert_array_equal(getattr(ground, name), expected, err_msg=name)


def test_a_bound_that_misses_its_face_by_rounding_makes_no_mixture():
    cover = xr.DataArray([1.0, 5.0, 7.0, 10.0, 11.0, 16.0], dims="x")
    ground = ground_parameters(cover)
    # 10 m less the organic layer and the organic layer again are not always 10 m in binary numbers.
    column = ground_column(ground.assign(organic_thickness=over([0.1, 0.12, 0.02, 0.4, 0.3, 0.7])))
    values = {
        (n, f): getattr(column.layers[n], f).values
        for n in (0, 1)
        for f in ("thickness", "water", "porosity", "conductivity_thawed", "conductivity_frozen")
    }
    bottom = layer_properties(column, values, 6).bottom
    shares = layer_shares(column, bottom)
    deep = column.centres > 5.0
    assert set(np.unique(shares[:, deep])) == {0.0, 1.0}


def test_half_turf_and_half_mineral_ground_by_hand():
    zones = CURVES["one zone"]
    given_ = {"conductivity_thawed": 0.4, "conductivity_frozen": 1.0}
    turf = SoilLayer(
        0.05, 0.6, 0.85, organic=1.0, heat_capacity_thawed=3e6, heat_capacity_frozen=2e6, **given_
    )
    sand = SoilLayer(DEEP, 0.2, 0.3, conductivity_thawed=1.6, conductivity_frozen=4.0, heat_capacity_thawed=2e6,
                     heat_capacity_frozen=1e6, freezing_curve=zones[0])  # fmt: skip
    ground = ground_of(SoilColumn([turf, sand], edges=EDGES))
    assert ground.capacity_thawed[2, 0] == pytest.approx(2.5e6)
    assert ground.capacity_frozen[2, 0] == pytest.approx(1.5e6)
    assert ground.heat[2, 0] == pytest.approx(3.34e8 * 0.4 + 0.05 * 2.0e6)
    # A centimetre of each: 0.01 / 0.4 + 0.01 / 1.6 m2 K W-1 thawed, of which half a cell has half.
    assert 2 * ground.resistance_thawed[2, 0] == pytest.approx(0.03125)
    assert 2 * ground.resistance_frozen[2, 0] == pytest.approx(0.0125)
    assert np.exp(ground.log_ratio[2, 0]) == pytest.approx(2.5)


def test_zones_that_differ_are_weighted_by_their_water():
    curves = (MushyZone(0.1), MushyZone(0.4, -0.5), MushyZone())
    ground = ground_of(soil(0.05, 3.0, curves, EDGES))
    wet = 0.6 / 0.95
    assert ground.end[2, 0] == pytest.approx(-0.5 * (1 - wet))
    assert ground.start[2, 0] == pytest.approx(wet * -0.1 + (1 - wet) * -0.9)


@EACH_CURVE
@settings(max_examples=40, deadline=None)
@given(upper=THICKNESS, middle=THICKNESS)
def test_water_and_latent_heat_of_the_column_are_those_of_its_layers(curves, upper, middle):
    capacities = {"heat_capacity_thawed": 2e6, "heat_capacity_frozen": 2e6}
    column = soil(upper, middle, curves, EDGES, **capacities)
    layers = layer_properties(column, {}, WIDTH)
    thickness = [upper, middle, 15.0 - upper - middle]
    shares = layer_shares(column, layers.bottom)
    np.testing.assert_allclose(
        (shares * column.thickness[:, None]).sum(axis=1)[:, 0], thickness, rtol=1e-11, atol=1e-10
    )

    def heat(of):
        ground = ground_of(of)
        cold, warm = (enthalpy_of(ground, np.full(ground.material.shape, t))[:, 0] for t in (-300.0, 5.0))
        return warm - cold - 2e6 * 305.0

    # Each layer for itself; those below it are out of reach, and keep the kind of the curves.
    deep = [replace(layer, thickness=20.0) for layer in column.layers]
    alone = [SoilColumn([*deep[n:], *deep[:n]], edges=EDGES) for n in range(3)]
    expected = sum(part * heat(one)[0] for part, one in zip(thickness, alone, strict=True))
    assert (heat(column) * column.thickness).sum() == pytest.approx(expected, rel=1e-9)


@settings(max_examples=40, deadline=None)
@given(upper=THICKNESS, middle=THICKNESS, depth=st.floats(1.0, 14.0))
def test_resistance_is_that_of_the_layers_however_the_cells_are_cut(upper, middle, depth):
    edges = column_edges(15.0, interfaces=[depth])
    column = soil(upper, middle, CURVES["one zone"], edges)
    layers, ground = layer_properties(column, {}, WIDTH), ground_of(column)
    above = column.centres < depth
    known = [
        replace(
            layer,
            conductivity_thawed=float(layers.thawed[n, 0]),
            conductivity_frozen=float(layers.frozen[n, 0]),
        )
        for n, layer in enumerate(column.layers)
    ]
    column = SoilColumn(known, edges=edges)
    for frozen, half in ((True, ground.resistance_frozen), (False, ground.resistance_thawed)):
        exact = resistance_above(column, depth, xr.DataArray([frozen], dims="x")).item()
        assert 2.0 * half[above, 0].sum() == pytest.approx(exact, rel=1e-9)


@EACH_CURVE
@settings(max_examples=40, deadline=None)
@given(upper=st.one_of(THICKNESS, st.sampled_from([0.0, 0.02, 0.03, 0.1, 0.11])), middle=THICKNESS)
def test_a_little_more_of_a_layer_changes_a_cell_a_little(curves, upper, middle):
    step = 1e-6
    one, other = (ground_of(soil(t, middle, curves, EDGES)) for t in (upper, upper + step))
    for name in ("resistance_frozen", "resistance_thawed", "capacity_frozen", "capacity_thawed"):
        np.testing.assert_allclose(getattr(one, name), getattr(other, name), rtol=2e-3)
    np.testing.assert_allclose(one.log_ratio, other.log_ratio, atol=2e-3)
    for t in (-40.0, -3.0, -0.7, -0.3, -0.12, -0.04, -0.01, 0.0, 1.0):
        shape = one.material.shape
        first, second = (
            enthalpy_of(g, np.full(shape, t)) - enthalpy_of(g, np.full(shape, -60.0)) for g in (one, other)
        )
        # 5e-5 of a cell: 2e4 J m-3 of latent heat, and as much again for the nodes of tables that move.
        np.testing.assert_allclose(first, second, rtol=0, atol=1e5, err_msg=str(t))


ANY = st.one_of(
    st.builds(MushyZone, st.floats(0.005, 2.0), st.floats(-1, 0)),
    st.builds(PowerLaw, st.floats(0.01, 0.3), st.floats(0.2, 0.9), st.floats(-0.5, 0)),
    st.builds(VanGenuchten, st.floats(0.2, 10), st.floats(1.1, 4.0), st.floats(0, 0.05)),
)


@settings(max_examples=100, deadline=None)
@given(upper=THICKNESS, middle=THICKNESS, curves=st.tuples(ANY, ANY, ANY))
def test_the_curve_of_a_mixture_grows_with_temperature(curves, upper, middle):
    ground = ground_of(soil(upper, middle, curves, EDGES))
    assert (ground.end > ground.start).all()
    assert (ground.capacity_between > 0.0).all()
    if ground.tabulated:
        assert (np.diff(ground.temperatures, axis=1) > 0.0).all()
        assert (np.diff(ground.enthalpies, axis=1) > 0.0).all()
        assert (np.diff(ground.saturations, axis=1) >= 0.0).all()
        np.testing.assert_array_equal(ground.saturations[:, -1], 1.0)


def test_three_layers_in_one_cell_are_one_mixture():
    ground = ground_of(soil(0.005, 0.005, CURVES["three kinds"], EDGES))
    assert ground.material[:2, 0].tolist() == [3, 2]
    water = 0.25 * 0.6 + 0.25 * 0.35 + 0.5 * 0.15
    held = 3.34e8 * water * (1.0 - ground.saturations[3, 0, 0])
    capacity = ground.capacity_thawed[0, 0]
    grown = ground.enthalpies[3, -1, 0]
    assert held < grown < held + capacity * (ground.end - ground.start)[0, 0]


def test_lanes_have_their_own_mixtures():
    column = soil(over([0.01, 0.02, 0.05, 0.2]), 0.1, CURVES["three kinds"], EDGES)
    thickness = np.resize([0.01, 0.02, 0.05, 0.2], WIDTH)
    together = build_ground(column, layer_properties(column, {(0, "thickness"): thickness}, WIDTH))
    shape = together.material.shape
    for lane in range(4):
        alone = ground_of(soil(float(thickness[lane]), 0.1, CURVES["three kinds"], EDGES))
        for t in (-20.0, -1.0, -0.05, 2.0):
            both = (enthalpy_of(g, np.full(shape, t))[:, lane] for g in (together, alone))
            np.testing.assert_array_equal(*both)


def temperatures(thickness, curves, edges):
    forcing = air(end="2002-12-31")
    column = soil(thickness, 0.5, curves, edges)
    return simulate(
        column,
        forcing,
        snow_depth=snow_like(forcing),
        snow=SNOW,
        depths=[0.2, 0.5, 1.0, 2.0],
        initial_temperature=-3.0,
    )


@EACH_CURVE
def test_a_bound_within_a_cell_acts_as_a_face_there(curves):
    # 0.03, 0.05 and 0.09 m are centres of cells, where half a cell of turf or none would be the same to a centre.
    thickness = [0.03, 0.045, 0.05, 0.09, 0.1, 0.11]
    varying = temperatures(over(thickness), curves, EDGES)
    assert varying.energy_residual.max() < 1e-9
    for i, t in enumerate(thickness):
        exact = temperatures(t, curves, column_edges(15.0, interfaces=[t, t + 0.5]))
        found = varying.isel(x=i)
        # 0.05 to 0.12 K and 0.03 to 0.08 m are missed where a cell is all of one layer.
        assert abs(found.tsl_mean - exact.tsl_mean).max() < 0.02
        assert abs(found.active_layer_thickness - exact.active_layer_thickness).max() < 0.01


@EACH_CURVE
def test_temperatures_do_not_jump_while_a_layer_grows(curves):
    out = temperatures(over(np.linspace(0.08, 0.12, 33)), curves, EDGES)
    # 0.04 m of turf change the mean by 0.2 K; whole cells would do that in two jumps.
    assert np.ptp(out.tsl_mean.isel(year=-1, depth=0).values) > 0.1
    assert abs(out.tsl_mean.diff("x")).max() < 0.02


def test_the_active_layer_does_not_jump_while_a_layer_grows():
    out = temperatures(over(np.linspace(0.08, 0.12, 33)), CURVES["one zone"], EDGES)
    assert abs(out.active_layer_thickness.diff("x")).max() < 0.012


@EACH_CURVE
def test_columns_that_share_a_chunk_do_not_change_each_other_where_thickness_varies(curves):
    forcing = air(end="2001-12-31", shape=(1, 11)).isel(lat=0)
    turf = xr.DataArray(np.linspace(0.0, 0.2, 11), dims="lon", attrs={"units": "m"})
    column = soil(turf, 0.5, curves, EDGES)
    eager = simulate(column, forcing, initial_temperature=-4.0)
    with dask.config.set(scheduler="threads"):
        lazy = simulate(column, forcing.chunk(lon=3), initial_temperature=-4.0).compute()
    xr.testing.assert_identical(lazy, eager)
