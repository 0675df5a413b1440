"""Share of tundra snow and the density of the snow cover that follows from it."""

import numpy as np
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st

from geotools.climate.snow_class import (
    TAIGA_DENSITY,
    TUNDRA_DENSITY,
    snow_density,
    tundra_snow_share,
)
from geotools.errors import DataError, UnitsError, UsageError

MONTHS = st.floats(-40.0, 40.0)
SHARES = st.floats(0.0, 1.0)


@pytest.mark.parametrize(
    ("warmest", "share"),
    [(-5.0, 1.0), (8.0, 1.0), (9.0, 0.75), (10.0, 0.5), (11.5, 0.125), (12.0, 0.0), (25.0, 0.0)],
)
def test_share_falls_from_one_to_zero_about_the_tree_line(warmest, share):
    assert tundra_snow_share(warmest) == share


@pytest.mark.parametrize(("share", "density"), [(0.0, 194.0), (0.25, 220.5), (1.0, 300.0)])
def test_density_is_mixed_by_the_share(share, density):
    assert snow_density(share) == density


def test_other_limits_and_densities():
    assert tundra_snow_share(10.0, all_tundra_below=9.0, all_taiga_above=13.0) == 0.75
    assert snow_density(0.5, taiga_density=200.0, tundra_density=400.0) == 300.0


@given(MONTHS, MONTHS)
def test_a_warmer_summer_never_has_more_tundra_snow(one, other):
    cold, warm = sorted((one, other))
    assert 0.0 <= tundra_snow_share(warm) <= tundra_snow_share(cold) <= 1.0


@given(SHARES)
def test_density_lies_between_the_two_classes(share):
    assert TAIGA_DENSITY <= snow_density(share) <= TUNDRA_DENSITY


def test_missing_stays_missing():
    np.testing.assert_array_equal(snow_density(tundra_snow_share(np.array([7.0, np.nan]))), [300.0, np.nan])


def test_units_are_converted_and_written():
    warmest = xr.DataArray([283.15, 290.0], dims="cell", attrs={"units": "K"})
    share = tundra_snow_share(warmest)
    np.testing.assert_allclose(share, [0.5, 0.0], atol=1e-12)
    assert share.name == "tundra_snow_share"
    assert snow_density(share).attrs["units"] == "kg m-3"


def test_lazy_in_lazy_out():
    warmest = xr.DataArray(np.linspace(5.0, 15.0, 9), dims="cell", attrs={"units": "degC"})
    lazy = snow_density(tundra_snow_share(warmest.chunk(cell=2)))
    assert lazy.chunks is not None
    xr.testing.assert_identical(lazy.compute(), snow_density(tundra_snow_share(warmest)))


def test_kelvins_without_units_are_refused():
    with pytest.raises(UnitsError, match="kelvins"):
        tundra_snow_share(283.0)


@pytest.mark.parametrize(("tundra", "taiga"), [(10.0, 10.0), (12.0, 8.0)])
def test_limits_in_the_wrong_order_are_refused(tundra, taiga):
    with pytest.raises(UsageError, match="all_taiga_above"):
        tundra_snow_share(10.0, all_tundra_below=tundra, all_taiga_above=taiga)


@pytest.mark.parametrize("share", [50.0, -0.1])
def test_a_share_that_is_none_is_refused(share):
    with pytest.raises(DataError, match="tundra_share"):
        snow_density(share)
