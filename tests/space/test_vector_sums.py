"""Sums of segments in vectors: the same numbers as one by one, wherever a segment lies in its array."""

from __future__ import annotations

import math
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from geotools.space.compiled import is_compiled, kernel
from geotools.space.lanes import WIDTH, across, store
from geotools.space.vector_sums import WIDE, known_sum


@kernel
def _taken_across(values, at, stride, count, out):  # type: ignore[no-untyped-def]
    store(out, 0, across(values, at, stride, count))


@pytest.mark.parametrize("dtype", ["f4", "f8", "u1", "i1", "i2", "u2", "i4", "u4", "i8"])
def test_values_of_every_type_are_added(dtype: str) -> None:
    values = (np.arange(100) % 120).astype(dtype)
    assert known_sum(values, 10, 50, 0) == (sum(range(10, 60)), 50)


def test_signs_are_kept_and_large_unsigned_numbers_do_not_turn_negative() -> None:
    assert known_sum(np.full(40, -3, "i2"), 0, 40, 0)[0] == -120.0
    assert known_sum(np.full(40, 250, "u1"), 0, 40, 0)[0] == 10000.0
    assert known_sum(np.full(40, 2**32 - 1, "u4"), 0, 40, 0)[0] == 40.0 * (2**32 - 1)


@given(
    size=st.integers(1, 3 * WIDE),
    cut=st.tuples(st.integers(0, 3 * WIDE), st.integers(0, 3 * WIDE)),
    missing=st.floats(0.0, 1.0),
    ahead=st.sampled_from([0, 1, 750, 2**20, 2**40]),
    seed=st.integers(0, 2**16),
)
def test_a_segment_is_added_to_the_last_digits_and_values_beside_it_are_not(
    size: int, cut: tuple[int, int], missing: float, ahead: int, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    first, stop = sorted(min(c, size) for c in cut)
    values = rng.normal(0.0, 1e3, size)
    values[rng.random(size) < missing] = np.nan
    values[:first], values[stop:] = np.inf, np.inf
    inside = values[first:stop]
    total, count = known_sum(values, first, stop - first, ahead)
    assert count == np.count_nonzero(~np.isnan(inside))
    assert total == pytest.approx(math.fsum(inside[~np.isnan(inside)]), rel=1e-12, abs=1e-9)


def test_an_infinite_value_stays_infinite_and_nothing_gives_nothing() -> None:
    values = np.zeros(40)
    values[20] = -np.inf
    assert known_sum(values, 0, 40, 0) == (-np.inf, 40)
    assert known_sum(values, 21, 19, 0) == (0.0, 19)
    assert known_sum(np.full(40, np.nan, "f4"), 0, 40, 0) == (0.0, 0)
    assert known_sum(values, 7, 0, 0) == (0.0, 0)


@pytest.mark.parametrize("count", range(1, WIDTH + 1))
def test_steps_behind_the_last_repeat_it_and_are_never_read(count: int) -> None:
    values = np.arange(5 * count, dtype="i2").reshape(count, 5)
    out = np.empty((1, WIDTH))
    _taken_across(values.reshape(-1), 3, 5, count, out)
    expected = values[np.minimum(np.arange(WIDTH), count - 1), 3]
    np.testing.assert_array_equal(out[0], expected)


def test_a_kernel_is_known_to_be_compiled_here_or_in_a_process_before(tmp_path):
    from geotools.space import row_kernels

    @kernel
    def added(a, b):  # type: ignore[no-untyped-def]
        return a + b

    assert not is_compiled(added)
    assert added(1, 2) == 3
    assert is_compiled(added)

    class Kept:
        """A kernel of which this process knows a folder only."""

        signatures: tuple[()] = ()
        py_func = row_kernels.row_sums.py_func
        stats = SimpleNamespace(cache_path=str(tmp_path))

    assert not is_compiled(Kept)
    (tmp_path / "row_kernels.row_sums-1.py311.nbi").touch()
    assert is_compiled(Kept)
