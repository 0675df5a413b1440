"""`geotools status`: what is done, left and failed, while a run goes on and after it."""

import json
import re

import pytest

from geotools.errors import DataError, UsageError
from geotools.recipe import journal
from geotools.recipe.lock import locked
from geotools.recipe.status import status
from geotools.recipe.steps import STEPS
from tests.recipe.test_blocks import Killed, Stopping, kill, perform


@pytest.fixture
def stopped(recipe_file, tmp_path):
    """A run that was killed after two of three blocks of a step."""
    recipe = recipe_file(series=[{"source": "era5_climatology", "variables": ["tas"], "time_block": 4}])
    with pytest.raises(Killed):
        perform(recipe, tmp_path / "out", "fields", "series", pool=Stopping(2, kill))
    return recipe, tmp_path / "out"


def states(found):
    return {step.name: step.state for step in found.steps}


def test_a_stopped_run_tells_what_is_done_and_left_and_how_to_go_on(stopped):
    _, out = stopped
    found = status(out)
    assert (found.state, found.exit_code) == ("stopped", 6)
    assert states(found)["fields"] == "done"
    assert states(found)["series"] == "begun"
    assert states(found)["budget"] == "left"
    series = next(step for step in found.steps if step.name == "series")
    assert (series.blocks_done, series.blocks) == (2, 3)
    assert series.seconds > 0
    text = found.text()
    assert re.search(rf"stopped; 1 of {len(STEPS)} steps done", text)
    assert re.search(r"series +begun +2 of 3 blocks", text)
    assert f"`geotools run --out {out}` goes on" in text


def test_a_run_that_goes_on_is_told_and_nothing_is_touched(stopped):
    _, out = stopped
    with locked(out):
        before = {p: p.stat().st_mtime_ns for p in out.rglob("*") if p.name != ".geotools.lock"}
        found = status(out)
        assert {p: p.stat().st_mtime_ns for p in before} == before
    assert (found.state, found.exit_code) == ("going on", 5)
    assert "process" in found.owner
    assert states(found)["series"] == "going on"
    assert list(states(found).values()).count("going on") == 1
    assert "goes on" not in found.text().splitlines()[-1]


def test_a_failure_is_told_with_its_place_until_the_run_goes_on(stopped):
    recipe, out = stopped

    def fail():
        raise DataError("the snow is black", where="snow")

    with pytest.raises(DataError, match="black"):
        perform(recipe, out, "fields", "series", pool=Stopping(0, fail))
    found = status(out)
    assert found.state == "failed"
    assert states(found)["series"] == "failed"
    assert re.search(r"last failure, \d{4}-.*Z, series: snow: the snow is black", found.text())
    perform(recipe, out, "fields", "series")
    found = status(out)
    assert found.state == "stopped"
    assert states(found)["series"] == "done"


def test_files_that_are_missing_are_told(stopped):
    _, out = stopped
    (out / "fields.nc").unlink()
    assert states(status(out))["fields"] == "files missing"


def test_other_code_is_told(stopped):
    _, out = stopped
    assert "has changed since" not in status(out).text()
    journal.Journal(out).add_start("0.0.1+abc", host="x", pid=1)
    assert "geotools has changed since, so that every step will be done again" in status(out).text()


def test_a_folder_that_is_claimed_and_no_more_has_a_status(tmp_path):
    (tmp_path / journal.MARKER).write_text(json.dumps({"title": "mine"}))
    found = status(tmp_path)
    assert found.title == "mine"
    assert set(states(found).values()) == {"left"}


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda p: None, "the folder does not exist"),
        (lambda p: p.mkdir(), "this is no folder of a run"),
        (lambda p: p.write_text("x"), r"(?i)no folder of a run|does not exist|cannot be read"),
        (lambda p: (p.mkdir(), (p / "recipe.json").write_text("{half")), "cannot be read"),
        (lambda p: (p.mkdir(), (p / "recipe.json").write_bytes(b"\xff\xfe")), "cannot be read"),
    ],
)
def test_a_folder_that_is_no_run_is_an_error_and_no_traceback(tmp_path, make, message):
    make(tmp_path / "x")
    with pytest.raises(UsageError, match=message):
        status(tmp_path / "x")


def test_a_damaged_journal_still_has_a_status(stopped):
    _, out = stopped
    with (out / "journal.jsonl").open("ab") as file:
        file.write(b'\x00\xff{"step": 3\n{"failed": "x"}\n')
    assert status(out).state == "stopped"
