"""Clusters that need no queue: processes of this machine, and a dask scheduler that runs already."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import TYPE_CHECKING, Any

from geotools.errors import GeotoolsError, UsageError
from geotools.recipe import memory

if TYPE_CHECKING:
    from distributed import Client, Scheduler

_CONNECT = "20s"
# What a worker needs before it has read anything: the libraries and compiled kernels.
_LEAST_BYTES = 1_000_000_000


class Processes:
    """Worker processes of one thread on this machine, as many as cores and memory allow.

    Parameters
    ----------
    say : callable
    """

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say = say
        self._begun: Counter[str] = Counter()
        self._share = 0

    def start(self) -> AbstractContextManager[Client]:
        """Start the processes."""
        return self._started()

    @contextmanager
    def _started(self) -> Iterator[Client]:
        from distributed import Client, LocalCluster

        bound, origin = memory.limit()
        count = workers_that_fit(bound)
        # This process holds the fields of the run as well, so it takes a share.
        self._share = bound // (count + 1)
        with (
            LocalCluster(
                n_workers=count,
                threads_per_worker=1,
                memory_limit=self._share,
                dashboard_address=":0",
                silence_logs=None,
            ) as cluster,
            Client(cluster, set_as_default=False) as client,
        ):
            self._begun = count_attempts(cluster.scheduler)
            self._say(f"{_count(count, 'process', 'es')} with {self._share / 1e9:.1f} GB each ({origin})")
            yield client

    def watch(self, client: Client) -> None:
        """Nothing to do: dask starts a process again that ended."""

    def attempts(self, key: str) -> int:
        """How often a block was begun."""
        return self._begun[key]

    def advice(self) -> str:
        """What to change when a block ends its process."""
        return (
            f"a process had {self._share / 1e9:.1f} GB; use --cluster threads, which gives all memory to one block, "
            "or a machine with more memory; the same command goes on with the blocks that are left"
        )


class Address:
    """Workers of a scheduler that was started by somebody else and runs on afterwards.

    Parameters
    ----------
    address : str
    say : callable
    patience_s : float
        How long to wait for a worker.
    """

    def __init__(self, address: str, say: Callable[[str], None], patience_s: float) -> None:
        self._address, self._say = address, say
        self._waiting = Waiting(patience_s, say)

    def start(self) -> AbstractContextManager[Client]:
        """Connect to the scheduler."""
        return self._connected()

    @contextmanager
    def _connected(self) -> Iterator[Client]:
        from distributed import Client

        try:
            client = Client(self._address, set_as_default=False, timeout=_CONNECT)
        except (OSError, ValueError) as error:
            raise UsageError(
                f"no dask scheduler answers at {self._address!r}",
                where="--cluster",
                expected="the address that `dask scheduler` prints when it starts",
                todo="start the scheduler, or correct the address",
            ) from error
        with client:
            workers = client.scheduler_info(n_workers=-1)["workers"].values()
            self._say(f"{_count(len(workers), 'worker')} at {self._address}")
            if any(worker["nthreads"] > 1 for worker in workers):
                self._say(
                    "the workers have several threads; each does one block at a time, so start them with one"
                )
            yield client

    def watch(self, client: Client) -> None:
        """Stop when there has been no worker for too long."""
        self._waiting.look(count_workers(client), "none is connected to the scheduler")

    def attempts(self, key: str) -> int:
        """Not known here; the scheduler gives up by itself."""
        return 0

    def advice(self) -> str:
        """What to change when a block ends its worker."""
        return "start workers with more memory; the same command goes on with the blocks that are left"


class Waiting:
    """Patience with a cluster that has no workers.

    Parameters
    ----------
    patience_s : float
        How long to wait.
    say : callable
    """

    # Between two lines that say the same.
    _REPEAT_S = 300.0

    def __init__(self, patience_s: float, say: Callable[[str], None]) -> None:
        self._patience, self._say = patience_s, say
        self._since: float | None = None
        self._told = 0.0

    def look(self, workers: int, why: str) -> None:
        """Take note of how many workers there are.

        Parameters
        ----------
        workers : int
        why : str
            What keeps them, for the message.

        Raises
        ------
        GeotoolsError
            When there has been none for too long.
        """
        now = time.monotonic()
        if workers:
            self._since = None
            return
        if self._since is None:
            self._since = self._told = now
        if now - self._since >= self._patience:
            raise GeotoolsError(
                f"no worker for {self._patience / 3600:.2g} h: {why}",
                where="--cluster",
                expected="a worker within cluster.start_timeout_h",
                todo="start again when there is room, which goes on with the blocks that are left, or ask for less "
                "(section cluster of the recipe)",
            )
        if now - self._told >= self._REPEAT_S or now == self._since:
            self._told = now
            self._say(f"waiting for a worker: {why}")


def workers_that_fit(bound: int) -> int:
    """Number of worker processes for the cores and the memory of this process.

    Parameters
    ----------
    bound : int
        Memory limit, bytes.

    Returns
    -------
    int
        At least 1.
    """
    from dask.system import CPU_COUNT

    # One share is that of the process which hands out the blocks.
    return max(1, min(int(CPU_COUNT), bound // _LEAST_BYTES - 1))


def count_workers(client: Client) -> int:
    """Number of workers that are connected."""
    return len(client.scheduler_info(n_workers=-1)["workers"])


def count_attempts(scheduler: Scheduler) -> Counter[str]:
    """A count, kept by a scheduler in this process, of how often each task was begun.

    Parameters
    ----------
    scheduler : distributed.Scheduler

    Returns
    -------
    collections.Counter
    """
    from distributed import SchedulerPlugin

    begun: Counter[str] = Counter()

    class _Count(SchedulerPlugin):
        def transition(self, key: Any, start: str, finish: str, *_: Any, **__: Any) -> None:
            if finish == "processing":
                begun[str(key)] += 1

    scheduler.add_plugin(_Count())
    return begun


def _count(number: int, noun: str, plural: str = "s") -> str:
    return f"{number} {noun}{'' if number == 1 else plural}"
