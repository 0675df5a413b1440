"""Messages are built from four parts, and survive the way back from a worker process."""

import pickle

import pytest

from geotools.errors import DataError, GeotoolsError, ProblemsError, UnitsError, UsageError


def test_message_says_what_where_expected_and_what_to_do():
    error = DataError(
        "the key is twice", where="a.csv, line 3", expected="one row per key", todo="merge the rows"
    )
    assert (
        str(error) == "a.csv, line 3: the key is twice; expected one row per key. To mend it: merge the rows."
    )


def test_parts_that_are_not_known_are_left_out():
    assert str(UsageError("no zone is named")) == "no zone is named."


@pytest.mark.parametrize("error", [UnitsError("a", where="b", expected="c", todo="d"), UsageError("a")])
def test_an_error_comes_back_from_a_process_unchanged(error):
    back = pickle.loads(pickle.dumps(error))
    assert (type(back), str(back), back.todo) == (type(error), str(error), error.todo)


def test_several_problems_are_numbered_and_bad_data_decides_the_exit_code():
    both = ProblemsError([UsageError("one"), DataError("two")])
    assert str(both) == "2 problems\n  1. one.\n  2. two."
    assert both.exit_code == 3
    assert ProblemsError([UsageError("one")]).exit_code == 2
    assert str(pickle.loads(pickle.dumps(both))) == str(both)


def test_every_error_of_the_package_is_of_one_family():
    from geotools import errors

    kinds = [k for k in vars(errors).values() if isinstance(k, type) and issubclass(k, Exception)]
    assert all(issubclass(k, GeotoolsError) for k in kinds if not issubclass(k, Warning))
