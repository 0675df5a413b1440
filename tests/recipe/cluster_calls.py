"""Calls that the tests of clusters send to workers, which import this module."""

import os
import signal
from pathlib import Path

from geotools.errors import DataError, ProblemsError, UsageError


class Named:
    def __init__(self, name):
        self.name = name


def square(x):
    return x * x, os.getpid()


def sum_of_chunks(n):
    """With the scheduler that dask uses for it, and the threads that compute."""
    import threading

    import dask
    import dask.array as da

    threads = set()

    def seen(part):
        threads.add(threading.get_ident())
        return part

    total = da.ones(n, chunks=10).map_blocks(seen, dtype=float, meta=da.ones(0).compute()).sum().compute()
    return float(total), threads == {threading.get_ident()}, dask.config.get("scheduler")


def killed_at_first(number, folder):
    """Ends its worker once, as a job that is cancelled does."""
    marker = Path(folder) / str(number)
    if number == 1 and not marker.exists():
        marker.write_text("")
        os.kill(os.getpid(), signal.SIGKILL)
    return number


def killed_always(block):
    os.kill(os.getpid(), signal.SIGKILL)


def killed_then_long(block, folder):
    killed_at_first(1, folder)
    slow(60)


def bad_input():
    raise DataError("no tas", where="a.nc", expected="tas", todo="add it")


def problems():
    raise ProblemsError([UsageError("one"), DataError("two")])


def bug(block):
    return 1 / 0


def marked(number, folder):
    (Path(folder) / str(number)).write_text("")
    slow(0.1)


def slow(seconds):
    import time

    time.sleep(seconds)
    return seconds
