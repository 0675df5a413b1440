"""How kernels are compiled: without the interpreter lock, and kept on disk where that is possible."""

from __future__ import annotations

import glob
import os
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numba

# Sums may be reordered, so that they use vector registers; NaN keeps its meaning.
_REORDERED = {"reassoc", "nsz", "contract"}


def kernel(function: Callable[..., Any], *, reorder: bool = False) -> Callable[..., Any]:
    """Compile a function on its first call.

    Parameters
    ----------
    function : callable
    reorder : bool
        Whether sums may be taken in another order.

    Notes
    -----
    Kernels are serial and release the lock; threads come from outside. Numba's own threads abort the process
    when dask threads enter them together.
    """
    options: dict[str, Any] = {"nogil": True, "fastmath": _REORDERED if reorder else False}
    try:
        compiled: Callable[..., Any] = numba.njit(cache=True, **options)(function)
    except RuntimeError:  # there is no place for a cache, as on a node whose disks are read-only
        compiled = numba.njit(**options)(function)
    return compiled


def reordering_kernel(function: Callable[..., Any]) -> Callable[..., Any]:
    """Compile a function whose sums may be taken in another order."""
    return kernel(function, reorder=True)


def is_compiled(function: Callable[..., Any]) -> bool:
    """Whether a kernel was compiled before, for any types, and is kept where this process looks."""
    dispatcher: Any = function
    if dispatcher.signatures:
        return True
    folder, made = dispatcher.stats.cache_path, dispatcher.py_func
    if folder is None:
        return False
    stem = f"{made.__module__.rpartition('.')[2]}.{made.__qualname__}-"
    return any(Path(folder).glob(f"{glob.escape(stem)}*.nbi"))


def available_cores() -> int:
    """Number of cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def run_all(tasks: Sequence[Callable[[], Any]], threads: int) -> list[Any]:
    """Results of the tasks in their order, from this thread and as many more as asked for."""
    if threads <= 1 or len(tasks) <= 1:
        return [task() for task in tasks]
    results: list[Any] = [None] * len(tasks)
    waiting = deque(enumerate(tasks))

    def work() -> None:
        while True:
            try:
                number, task = waiting.popleft()
            except IndexError:
                return
            results[number] = task()

    # This thread works too: starting a thread takes as long as adding up many rows.
    with ThreadPoolExecutor(min(threads, len(tasks)) - 1) as pool:
        others = [pool.submit(work) for _ in range(min(threads, len(tasks)) - 1)]
        try:
            work()
        finally:
            # After an error nothing more is begun.
            waiting.clear()
        for other in others:
            other.result()
    return results
