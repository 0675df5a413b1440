"""Piles frozen into permafrost: known answers by hand, monotonicity, and input that is wrong."""

import numpy as np
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st

from geotools.errors import DataError, UnitsError, UsageError
from geotools.permafrost import (
    FrozenStrength,
    Pile,
    bearing_capacity_change,
    pile_bearing_capacity,
    thaw_settlement,
)
from geotools.permafrost.frozen_strength import STRENGTHS

DEPTHS = [0.0, 2.0, 5.0, 10.0, 20.0]


def even(temperature):
    return np.full(len(DEPTHS), temperature)


def test_shaft_and_end_of_a_pile_in_even_ground_add_up_as_by_hand():
    # Square, 0.35 m, frozen from 2 m to 10 m at -2 degC: 1.4 m x 8 m x 150 kPa + 0.1225 m2 x 1250 kPa.
    assert pile_bearing_capacity(even(-2.0), 2.0, depths=DEPTHS) == pytest.approx(1680.0 + 153.125, rel=1e-12)
    # Round, 0.4 m, 6 m deep, frozen from 1 m, at -1 degC: pi 0.4 x 5 x 100 + pi 0.04 x 950.
    round_pile = Pile(0.4, 6.0, "round")
    expected = np.pi * 0.4 * 5.0 * 100.0 + np.pi * 0.04 * 950.0
    assert pile_bearing_capacity(even(-1.0), 1.0, depths=DEPTHS, pile=round_pile) == pytest.approx(expected)


def test_strength_is_linear_between_columns_of_the_table_and_down_to_the_freezing_point():
    # Halfway between -4 and -6 degC: 275 and 1850 kPa; at -0.15 degC half of the first column.
    assert pile_bearing_capacity(even(-5.0), 2.0, depths=DEPTHS) == pytest.approx(
        11.2 * 275.0 + 0.1225 * 1850.0
    )
    assert pile_bearing_capacity(even(-0.15), 2.0, depths=DEPTHS) == pytest.approx(
        11.2 * 20.0 + 0.1225 * 400.0
    )
    # Below the coldest column the strength of that column.
    assert pile_bearing_capacity(even(-30.0), 2.0, depths=DEPTHS) == pytest.approx(
        pile_bearing_capacity(even(-10.0), 2.0, depths=DEPTHS)
    )


def test_a_profile_is_integrated_along_the_shaft():
    # From -1 degC at the surface to -1.5 degC at 10 m shear is linear from 100 to 130 kPa: 115 in the mean.
    line = np.interp(DEPTHS, [0.0, 10.0, 20.0], [-1.0, -1.5, -2.0])
    assert pile_bearing_capacity(line, 0.0, depths=DEPTHS) == pytest.approx(14.0 * 115.0 + 0.1225 * 1100.0)


def test_coefficients_of_the_code_multiply_the_whole():
    plain = pile_bearing_capacity(even(-2.0), 2.0, depths=DEPTHS)
    other = Pile(temperature_factor=1.1, conditions_factor=0.9)
    assert pile_bearing_capacity(even(-2.0), 2.0, depths=DEPTHS, pile=other) == pytest.approx(0.99 * plain)


def test_nothing_is_borne_without_permafrost_or_with_permafrost_below_the_pile():
    assert pile_bearing_capacity(even(-2.0), np.nan, depths=DEPTHS) == 0.0
    assert pile_bearing_capacity(even(-2.0), 10.0, depths=DEPTHS) == 0.0
    assert pile_bearing_capacity(even(3.0), 2.0, depths=DEPTHS) == 0.0


def test_missing_temperatures_count_only_where_they_hold_the_pile():
    gap_above = np.array([np.nan, -2.0, -2.0, -2.0, -2.0])
    assert pile_bearing_capacity(gap_above, 2.0, depths=DEPTHS) == pytest.approx(1833.125)
    gap_at_pile = np.array([-2.0, -2.0, np.nan, -2.0, -2.0])
    assert np.isnan(pile_bearing_capacity(gap_at_pile, 2.0, depths=DEPTHS))


profiles = st.lists(st.floats(-15.0, 5.0), min_size=len(DEPTHS), max_size=len(DEPTHS)).map(np.array)


@given(profiles, st.floats(0.0, 12.0), st.floats(0.0, 5.0), st.sampled_from(sorted(STRENGTHS)))
def test_warmer_ground_never_bears_more(profile, thaw, warming, soil):
    before = pile_bearing_capacity(profile, thaw, depths=DEPTHS, soil=soil)
    after = pile_bearing_capacity(profile + warming, thaw, depths=DEPTHS, soil=soil)
    assert after <= before + 1e-9


@given(profiles, st.floats(0.0, 12.0), st.floats(0.0, 5.0))
def test_a_deeper_active_layer_never_bears_more(profile, thaw, deepening):
    before = pile_bearing_capacity(profile, thaw, depths=DEPTHS)
    assert pile_bearing_capacity(profile, thaw + deepening, depths=DEPTHS) <= before + 1e-9


@pytest.mark.parametrize("soil", sorted(STRENGTHS))
def test_strength_tables_grow_towards_the_cold(soil):
    table = STRENGTHS[soil]
    for strength in ("shear", "pressure"):
        assert np.all(np.diff(table.at(np.linspace(0.0, -12.0, 500), strength)) >= 0.0)
        assert table.at(np.array([0.0, 5.0]), strength).tolist() == [0.0, 0.0]


def test_labelled_lazy_profiles_give_what_arrays_give_with_method_and_references():
    field = xr.DataArray(
        np.stack([even(-2.0), even(-5.0)]) + 273.15,
        dims=("town", "depth"),
        coords={"depth": DEPTHS, "town": ["a", "b"]},
        attrs={"units": "K"},
    )
    thaw = xr.DataArray([200.0, np.nan], dims="town", coords={"town": ["a", "b"]}, attrs={"units": "cm"})
    out = pile_bearing_capacity(field.chunk({"town": 1}), thaw.chunk({"town": 1}))
    assert out.chunks is not None
    np.testing.assert_allclose(out.values, [1833.125, 0.0], rtol=1e-9)
    assert out.attrs["units"] == "kN"
    assert "square pile, 0.35 m" in out.attrs["method"]
    assert "10.1657/1938-4246-44.3.368" in out.attrs["references"]
    assert "recalled" in out.attrs["strength"]


def test_a_table_of_the_user_replaces_that_of_the_code():
    own = FrozenStrength((-1.0, -5.0), (100.0, 300.0), (1000.0, 2000.0), freezing_point=-0.2)
    assert pile_bearing_capacity(even(-3.0), 0.0, depths=DEPTHS, soil=own) == pytest.approx(
        14 * 200 + 0.1225 * 1500
    )
    assert pile_bearing_capacity(even(-0.2), 0.0, depths=DEPTHS, soil=own) == 0.0


def test_change_is_relative_to_the_first_period_and_missing_without_one():
    assert bearing_capacity_change(2000.0, 1500.0) == -25.0
    assert bearing_capacity_change(2000.0, 0.0) == -100.0
    assert np.isnan(bearing_capacity_change(0.0, 100.0))


def test_settlement_is_the_ice_of_the_newly_thawed_layer():
    assert thaw_settlement(1.5, 1.9, excess_ice=0.25) == pytest.approx(0.1)
    assert thaw_settlement(1.9, 1.5, excess_ice=0.25) == 0.0
    assert np.isnan(thaw_settlement(1.5, np.nan, excess_ice=0.25))


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: pile_bearing_capacity(even(-2.0), -1.0, depths=DEPTHS), DataError, "active_layer_thickness"),
        (lambda: pile_bearing_capacity(even(271.0), 1.0, depths=DEPTHS), UnitsError, "degC"),
        (lambda: pile_bearing_capacity(even(-2.0), 1.0), UsageError, "without their depths"),
        (lambda: pile_bearing_capacity(even(-2.0), 1.0, depths=DEPTHS, soil="loess"), UsageError, "clay"),
        (
            lambda: pile_bearing_capacity(even(-2.0), 1.0, depths=DEPTHS, pile=Pile(embedment=25.0)),
            DataError,
            "25 m",
        ),
        (lambda: pile_bearing_capacity(even(-2.0), 1.0, depths=DEPTHS[::-1]), DataError, "depths that grow"),
        (lambda: Pile(side=-0.3), DataError, "side"),
        (lambda: Pile(section="star"), UsageError, "square or round"),
        (lambda: FrozenStrength((-5.0, -1.0), (1.0, 2.0), (1.0, 2.0)), DataError, "from warm to cold"),
        (lambda: FrozenStrength((-1.0, -5.0), (2.0, 1.0), (1.0, 2.0)), DataError, "colder ground"),
        (lambda: FrozenStrength((-1.0, -5.0), (1.0,), (1.0, 2.0)), UsageError, "as many of each"),
        (lambda: bearing_capacity_change(-1.0, 2.0), DataError, "before"),
        (lambda: thaw_settlement(1.0, 2.0, excess_ice=25.0), DataError, "per cent"),
    ],
)
def test_input_that_cannot_be_right_is_refused(call, error, words):
    with pytest.raises(error, match=words):
        call()
