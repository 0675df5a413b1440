"""What is told while a run goes on."""

import io

import pytest

from geotools.recipe import progress


@pytest.fixture
def clock(monkeypatch):
    """A clock that is set by hand."""
    now = [0.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: now[0])
    return now


def test_log_lines_of_blocks_come_at_a_rate_one_can_read(capsys, clock):
    lines = progress.LogLines()
    lines.plan(["fields", "series"])
    lines.step("series")
    for done in range(1001):
        clock[0] = done * 0.1
        lines.blocks("series", done, 1000)
    lines.finish("series", 100.0)
    told = capsys.readouterr().err.splitlines()
    assert len(told) == 2 + 1 + 100 // 5
    assert told[-2].endswith("[2/2] series: 1000 of 1000 blocks done")
    assert told[-1].endswith("series: finished in 100.0 s")


def test_a_terminal_shows_steps_and_blocks(monkeypatch):
    class Terminal(io.StringIO):
        def isatty(self):
            return True

    terminal = Terminal()
    monkeypatch.setattr("sys.stderr", terminal)
    monkeypatch.setenv("TERM", "xterm")
    with progress.reporting() as told:
        told.plan(["fields", "series"])
        told.step("fields", done=True)
        told.step("series")
        told.blocks("series", 3, 7)
        told._bar.refresh()
        told.finish("series", 1.0)
    assert "series" in terminal.getvalue()
    assert "3/7" in terminal.getvalue()
