"""Ground parameters by land cover."""

import dask
import numpy as np
import pytest
import xarray as xr

from geotools.errors import DataError, UsageError
from geotools.permafrost import ground_parameters
from geotools.permafrost.parameters import DEFAULTS, FIELDS, IGBP, Group


def refuse(*args, **kwargs):
    pytest.fail("something was computed early")


def classes(values):
    return xr.DataArray(np.array(values, dtype="float64"), dims="cell")


def test_every_default_lies_in_its_range_and_has_a_source():
    for group, fields in DEFAULTS.items():
        assert list(fields) == list(FIELDS), group
        for name, parameter in fields.items():
            assert parameter.low <= parameter.value <= parameter.high, (group, name)
            assert parameter.source


def test_every_class_has_a_group():
    assert set(IGBP) == set(range(18))
    assert set(IGBP.values()) == set(Group)


def test_classes_give_the_values_of_their_group():
    out = ground_parameters(classes([3, 7, 0, 15, 17, 255, np.nan]))
    assert list(out) == list(FIELDS)
    forest, tundra = DEFAULTS[Group.FOREST], DEFAULTS[Group.SHRUB_TUNDRA]
    for name in FIELDS:
        expected = [forest[name].value, tundra[name].value, *[np.nan] * 5]
        np.testing.assert_array_equal(out[name], expected)
        assert out[name].attrs["units"] == FIELDS[name].units


def test_numbers_and_arrays():
    assert ground_parameters(3)["n_factor_thawing"] == DEFAULTS[Group.FOREST]["n_factor_thawing"].value
    np.testing.assert_array_equal(
        ground_parameters(np.array([[3], [17]]))["organic_thickness"], [[0.1], [np.nan]]
    )


def test_overrides():
    out = ground_parameters(classes([3, 10]), overrides={"forest": {"n_factor_thawing": 0.6}})
    np.testing.assert_array_equal(out["n_factor_thawing"], [0.6, 0.95])


def test_fractions_are_a_mean_over_the_ground():
    fractions = xr.DataArray(
        [[0.25, 0.25, 0.5], [0.0, 0.0, 1.0]], dims=("cell", "igbp"), coords={"igbp": [3, 10, 17]}
    )
    out = ground_parameters(fractions, class_dim="igbp")["n_factor_thawing"]
    np.testing.assert_allclose(out, [0.5 * (0.75 + 0.95), np.nan])


def test_lazy():
    with dask.config.set(scheduler=refuse):
        lazy = ground_parameters(classes([3, 7, 17]).chunk(cell=1))
    xr.testing.assert_identical(lazy.compute(scheduler="synchronous"), ground_parameters(classes([3, 7, 17])))


@pytest.mark.parametrize(
    ("call", "error", "text"),
    [
        (lambda: ground_parameters(classes([18])), DataError, "give IGBP classes"),
        (lambda: ground_parameters(classes([0.4])), DataError, "whole IGBP classes.*class_dim="),
        (lambda: ground_parameters(3, overrides={"taiga": {}}), UsageError, "'taiga' with.*expected groups"),
        (lambda: ground_parameters(3, overrides={"forest": {"albedo": 1.0}}), UsageError, r"\['albedo'\]"),
        (
            lambda: ground_parameters(3, overrides={"forest": {"conductivity_ratio": 1.5}}),
            DataError,
            "overrides, conductivity_ratio",
        ),
        (lambda: ground_parameters(classes([1.0]), class_dim="igbp"), UsageError, "without the classes"),
    ],
)
def test_what_cannot_be_is_refused(call, error, text):
    with pytest.raises(error, match=text):
        call()
