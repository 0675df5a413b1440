"""Where blocks are worked on: this process, processes of this machine, SLURM jobs, or any dask cluster."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from geotools.errors import UsageError
from geotools.recipe.blocks import InTurn, Pool
from geotools.recipe.journal import MARKER

if TYPE_CHECKING:
    from geotools.recipe.model import Recipe

KINDS = ("threads", "processes", "slurm")

# dask's defaults are for graphs of many small tasks. A block returns next to nothing, so there is nothing to spill;
# a worker that paused for want of memory would never go on, since it has no other task that could free any.
SETTINGS: dict[str, Any] = {
    "distributed.worker.memory.target": False,
    "distributed.worker.memory.spill": False,
    "distributed.worker.memory.pause": False,
    "distributed.worker.memory.terminate": 0.95,
    # Compiling kernels holds the interpreter for longer than a worker may be silent by default.
    "distributed.scheduler.worker-ttl": "30 minutes",
    "distributed.scheduler.allowed-failures": 3,
    "distributed.admin.tick.limit": "10 minutes",
    # What ends a block is told by the process that handed it out; a worker would tell it a second time.
    "distributed.nanny.pre-spawn-environ.DASK_LOGGING__DISTRIBUTED": "critical",
}


@contextmanager
def open_pool(
    spec: str,
    recipe: str | Path | Recipe | None,
    out: str | Path,
    *,
    say: Callable[[str], None] = lambda _: None,
) -> Iterator[Pool]:
    """A pool for the blocks of a run. Clusters are started when the first block is sent, and end with the pool.

    Parameters
    ----------
    spec : str
        ``threads``, ``processes``, ``slurm``, or the address of a dask scheduler such as ``tcp://node:8786``.
    recipe : path, Recipe or None
        As for `run`. Its section `cluster` says what ``slurm`` asks for.
    out : path
        The run directory, on a file system that all workers share.
    say : callable, optional
        Is told in a line about workers that come and go.

    Yields
    ------
    Pool

    Raises
    ------
    UsageError
        When `spec` is none of these, or SLURM cannot be used here.

    Notes
    -----
    In a SLURM allocation all tasks of the step call this; it returns in one of them, and the others serve it and
    end with SystemExit.
    """
    place = parse(spec)
    if place == "threads":
        yield InTurn()
        return
    from geotools.recipe.cluster import allocation, places, slurm
    from geotools.recipe.cluster.pool import OnWorkers
    from geotools.recipe.loading import continued, load

    folder = Path(out).resolve()
    settings = (continued(folder) if recipe is None else load(recipe)).cluster
    logs = folder / "logs"
    with ExitStack() as stack:
        _configure(stack, logs)
        workers: Any
        if place == "processes":
            workers = places.Processes(say)
        elif place != "slurm":
            workers = places.Address(place, say, settings.start_timeout_h * 3600)
        elif allocation.in_allocation():
            workers = stack.enter_context(allocation.allocation(settings, say))
        else:
            workers = slurm.LoginNode(settings, logs, say)
        pool = OnWorkers(workers)
        stack.callback(pool.close)
        yield pool


def parse(spec: str) -> str:
    """See that a place is one of the known words or looks like an address.

    Parameters
    ----------
    spec : str

    Returns
    -------
    str

    Raises
    ------
    UsageError

    Examples
    --------
    >>> parse("node17:8786")
    'node17:8786'
    """
    host, colon, port = spec.rpartition(":")
    if spec in KINDS or (colon and host.strip("/") and port.isdigit()):
        return spec
    raise UsageError(
        f"unknown place {spec!r}",
        where="--cluster",
        expected=f"{', '.join(KINDS)}, or the address of a dask scheduler such as tcp://node:8786",
        todo="correct it",
    )


def _configure(stack: ExitStack, logs: Path) -> None:
    """Settings of dask for the time of the pool; what it logs goes to a file and not between a user's lines."""
    import dask

    # Imported first, since importing sets up the logging that is replaced here.
    import distributed  # noqa: F401

    stack.enter_context(dask.config.set(SETTINGS))
    handler = _LateFile(logs / "dask.log")
    handler.setFormatter(logging.Formatter("%(asctime)s %(name)s %(levelname)s %(message)s"))
    for name in [n for n in logging.root.manager.loggerDict if n.split(".")[0] in ("distributed", "tornado")]:
        logger = logging.getLogger(name)
        if logger.handlers:
            stack.callback(setattr, logger, "handlers", logger.handlers)
            logger.handlers = [handler]
    stack.callback(handler.close)


class _LateFile(logging.FileHandler):
    """A log file that comes into being only when the run has claimed its folder and there is something to tell."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, delay=True)

    def emit(self, record: logging.LogRecord) -> None:
        """Write a record, or pass it over while there is no folder."""
        if record.levelno < logging.WARNING:
            return
        folder = Path(self.baseFilename).parent
        if (folder.parent / MARKER).is_file():
            folder.mkdir(exist_ok=True)
            super().emit(record)


__all__ = ["KINDS", "SETTINGS", "open_pool", "parse"]
