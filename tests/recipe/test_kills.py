"""Real kills of real runs; `python -m benchmarks.resume` does the same thirty times and more."""

from benchmarks.resume import stress


def test_a_run_that_is_killed_again_and_again_ends_as_if_it_had_not_been(tmp_path):
    found = stress(tmp_path, kills=3, seed=2, draws=24)
    assert found["kills"] == 3
    assert found["exit_code_of_the_last_run"] == 0
    assert found["different"] == []
    assert found["done_twice"] == []
    assert found["leftovers"] == []
