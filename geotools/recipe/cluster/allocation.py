"""SLURM from inside an allocation: the tasks of one `srun` are scheduler, client and workers."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from geotools.errors import UsageError
from geotools.recipe import memory
from geotools.recipe.cluster.places import Waiting, count_workers

if TYPE_CHECKING:
    from distributed import Client

    from geotools.recipe.model import ClusterSettings


def in_allocation() -> bool:
    """Whether this process is one of several tasks that `srun` started.

    Returns
    -------
    bool
        False on a login node.

    Raises
    ------
    UsageError
        Inside a job, but not as several tasks: jobs are not submitted from within a job.
    """
    if "SLURM_JOB_ID" not in os.environ:
        return False
    # A batch script has a task number as well; only srun says how many tasks its step has.
    tasks = os.environ.get("SLURM_STEP_NUM_TASKS", "1")
    if tasks.isdigit() and int(tasks) >= 3:
        return True
    raise UsageError(
        f"inside the SLURM job {os.environ['SLURM_JOB_ID']}, but started as {tasks} "
        f"task{'s' if tasks != '1' else ''}",
        where="--cluster slurm",
        expected="at least 3 tasks of one `srun`: one hands out blocks, one counts them, the others work",
        todo="start it by `srun geotools run ...` as in docs/hpc.md, or use --cluster processes on one node",
    )


@contextmanager
def allocation(settings: ClusterSettings, say: Callable[[str], None]) -> Iterator[Allocation]:
    """The tasks of this step as a cluster; returns in one of them only, the others serve it until it ends.

    Parameters
    ----------
    settings : ClusterSettings
        `scratch` and `interface` are used.
    say : callable
    """
    before = signal.getsignal(signal.SIGINT)
    from dask_jobqueue.slurm import SLURMRunner

    class Runner(SLURMRunner):  # type: ignore[misc]
        async def get_scheduler_address(self) -> str:
            # The file may be seen before it is whole, over a network all the more.
            while True:
                try:
                    return str(json.loads(self.scheduler_file.read_text())["address"])
                except (OSError, ValueError):
                    await asyncio.sleep(0.2)

    bound, origin = memory.share()
    # A requeued job keeps its number, and must not find the scheduler of its former life.
    life = "-".join(os.environ.get(f"SLURM_{name}", "0") for name in ("JOB_ID", "STEP_ID", "RESTART_COUNT"))
    file = Path(f".geotools-scheduler-{life}.json").absolute()
    network = {"interface": settings.interface} if settings.interface else {}
    scratch = settings.scratch or os.environ.get("SLURM_TMPDIR") or tempfile.gettempdir()
    runner = Runner(
        scheduler_file=str(file),
        scheduler_options={"dashboard": False, "dashboard_address": ":0", **network},
        worker_class="distributed.Nanny",
        worker_options={
            "nthreads": 1,
            "memory_limit": bound,
            # A worker that was just started again when the run ended would wait for the scheduler for ever.
            "death_timeout": 120,
            "local_directory": os.path.expandvars(scratch),
            **network,
        },
    )
    # Serving tasks end by the handler that dask_jobqueue sets; this one is a user's again.
    signal.signal(signal.SIGINT, before)
    try:
        with runner:
            yield Allocation(runner, settings, say, f"{bound / 1e9:.1f} GB ({origin})")
    finally:
        file.unlink(missing_ok=True)


class Allocation:
    """The working tasks of an allocation.

    Parameters
    ----------
    runner : dask_jobqueue.slurm.SLURMRunner
    settings : ClusterSettings
    say : callable
    share : str
        Memory of a worker, in words.
    """

    def __init__(
        self, runner: Any, settings: ClusterSettings, say: Callable[[str], None], share: str
    ) -> None:
        self._runner, self._say, self._share = runner, say, share
        self._waiting = Waiting(settings.start_timeout_h * 3600, say)

    def start(self) -> AbstractContextManager[Client]:
        """Connect to the task that hands out the blocks."""
        return self._connected()

    @contextmanager
    def _connected(self) -> Iterator[Client]:
        from distributed import Client

        with Client(self._runner.scheduler_address, set_as_default=False) as client:
            self._say(f"{self._runner.n_workers} tasks of the allocation work, with {self._share} each")
            yield client

    def watch(self, client: Client) -> None:
        """Stop when no task has come up for too long."""
        self._waiting.look(count_workers(client), "no task of the allocation has connected")

    def attempts(self, key: str) -> int:
        """Not known here; the scheduler gives up by itself."""
        return 0

    def advice(self) -> str:
        """What to change when a block ends its worker."""
        return (
            f"a task had {self._share}; ask for more memory or fewer tasks per node in the job script; "
            "the same script goes on with the blocks that are left"
        )


__all__ = ["Allocation", "allocation", "in_allocation"]
