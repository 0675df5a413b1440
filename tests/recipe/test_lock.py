"""One run at a time in a folder, and no lock of a dead one that stands in the way."""

import errno
import fcntl
import json
import os
import signal
import subprocess
import sys
import threading
import time

import pytest

from geotools.errors import StorageError, UsageError
from geotools.recipe import lock
from geotools.recipe.lock import alive, locked

HOLD = """
import sys, time, pathlib
from geotools.recipe.lock import locked
with locked(pathlib.Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(60)
"""


@pytest.fixture
def holder(tmp_path):
    """Another process that holds the lock."""
    process = subprocess.Popen([sys.executable, "-c", HOLD, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "held\n"
    yield process
    process.kill()
    process.wait()
    process.stdout.close()


@pytest.fixture
def hasty(monkeypatch):
    """Wait a second for another machine, not half a minute."""
    monkeypatch.setattr(lock, "PATIENCE_SECONDS", 1.0)
    monkeypatch.setattr(lock, "BEAT_SECONDS", 0.05)


@pytest.fixture
def no_flock(monkeypatch):
    """A file system without locks."""

    def refuse(*_):
        raise OSError(errno.ENOSYS, "Function not implemented")

    monkeypatch.setattr(fcntl, "flock", refuse)


def elsewhere(folder, **changes):
    owner = {
        "host": "node7",
        "machine": "another",
        "pid": 1,
        "born": "1",
        "token": "t",
        "started": "2026",
        "beats": 3,
    }
    (folder / lock.FILE).write_text(json.dumps({**owner, **changes}))


def test_the_lock_is_gone_when_the_run_is_over(tmp_path):
    with locked(tmp_path):
        assert alive(tmp_path)["pid"] == os.getpid()
    assert list(tmp_path.iterdir()) == []
    assert alive(tmp_path) is None


def test_a_second_run_is_refused_and_the_first_named(tmp_path, holder):
    with pytest.raises(
        UsageError, match=rf"a run goes on in this folder \(process {holder.pid} on .*geotools status"
    ):
        locked(tmp_path).__enter__()
    assert alive(tmp_path)["pid"] == holder.pid


def test_the_lock_of_a_killed_process_does_not_count(tmp_path, holder):
    holder.send_signal(signal.SIGKILL)
    holder.wait()
    assert (tmp_path / lock.FILE).exists()
    assert alive(tmp_path) is None
    with locked(tmp_path):
        assert alive(tmp_path)["pid"] == os.getpid()


def test_asking_for_the_status_does_not_keep_a_run_from_starting(tmp_path):
    (tmp_path / lock.FILE).write_text("")
    descriptor = os.open(tmp_path / lock.FILE, os.O_RDONLY)
    fcntl.flock(descriptor, fcntl.LOCK_SH)
    timer = threading.Timer(0.2, os.close, [descriptor])
    timer.start()
    with locked(tmp_path):
        pass
    timer.join()


@pytest.mark.usefixtures("no_flock")
def test_without_locks_of_the_file_system_a_living_process_counts_and_a_dead_one_does_not(tmp_path, holder):
    assert alive(tmp_path)["pid"] == holder.pid
    with pytest.raises(UsageError, match="a run goes on"):
        locked(tmp_path).__enter__()
    holder.kill()
    holder.wait()
    assert alive(tmp_path) is None
    with locked(tmp_path):
        pass


@pytest.mark.usefixtures("no_flock")
def test_a_number_that_another_process_was_given_since_does_not_count(tmp_path):
    here = {"machine": lock._machine(), "pid": os.getpid(), "born": "long ago"}
    elsewhere(tmp_path, **here)
    assert alive(tmp_path) is None
    with locked(tmp_path):
        pass


@pytest.mark.usefixtures("hasty")
def test_a_silent_lock_of_another_machine_is_taken_over(tmp_path):
    elsewhere(tmp_path)
    with locked(tmp_path):
        assert alive(tmp_path)["pid"] == os.getpid()


@pytest.mark.usefixtures("hasty")
def test_a_lock_that_another_machine_renews_is_respected(tmp_path):
    elsewhere(tmp_path)
    code = (
        "import json, sys, time, pathlib\n"
        "p = pathlib.Path(sys.argv[1])\n"
        "for beat in range(4, 400):\n"
        "    owner = json.loads(p.read_text()); owner['beats'] = beat\n"
        "    t = p.with_suffix('.new'); t.write_text(json.dumps(owner)); t.replace(p); time.sleep(0.05)\n"
    )
    process = subprocess.Popen([sys.executable, "-c", code, str(tmp_path / lock.FILE)])
    try:
        with pytest.raises(UsageError, match="process 1 on node7 since 2026"):
            locked(tmp_path).__enter__()
    finally:
        process.kill()
        process.wait()


@pytest.mark.usefixtures("hasty")
def test_a_run_that_was_taken_over_stops_and_leaves_the_lock_of_the_other(tmp_path):
    with locked(tmp_path) as held:
        held.ensure()
        elsewhere(tmp_path)
        with pytest.raises(UsageError, match=r"another run has taken the folder over \(process 1 on node7"):
            held.ensure()
    assert json.loads((tmp_path / lock.FILE).read_text())["token"] == "t"


@pytest.mark.usefixtures("hasty")
def test_a_run_renews_its_lock(tmp_path):
    with locked(tmp_path):
        first, until = lock.read(tmp_path / lock.FILE)["beats"], time.monotonic() + 10
        while (lock.read(tmp_path / lock.FILE) or {}).get(
            "beats", first
        ) == first and time.monotonic() < until:
            time.sleep(0.01)
        assert lock.read(tmp_path / lock.FILE)["beats"] > first


@pytest.mark.parametrize("text", ["", "{half", "[1]", "\x00\x00"])
def test_a_lock_that_was_cut_does_not_count(tmp_path, text):
    (tmp_path / lock.FILE).write_text(text)
    with locked(tmp_path):
        pass
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_is_told_at_the_lock(tmp_path, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(lock.os, "pwrite", full)
    with pytest.raises(StorageError, match="could not be written: No space left"):
        locked(tmp_path).__enter__()
    assert list(tmp_path.iterdir()) == []
