"""SLURM from a login node: jobs that hold workers, and follow each other while there is work."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
import tempfile
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from geotools.errors import GeotoolsError, UsageError
from geotools.recipe.cluster.places import Waiting, count_attempts

if TYPE_CHECKING:
    from dask_jobqueue import SLURMCluster
    from distributed import Client

    from geotools.recipe.model import ClusterSettings

# Put where the node has its own disk; the shell of the node fills it in.
_LOCAL = "${SLURM_TMPDIR:-${TMPDIR:-/tmp}}"
# Seconds between two questions to SLURM, which its administrators do not want to hear too often.
_ASK_S = 10.0
_ALIVE = {"PENDING", "CONFIGURING", "RUNNING", "SUSPENDED", "REQUEUED", "STAGE_OUT", "SIGNALING", "STOPPED"}


class LoginNode:
    """Jobs that are submitted from a login node, and submitted again when they end while there is work.

    Parameters
    ----------
    settings : ClusterSettings
    logs : pathlib.Path
        Where the jobs write.
    say : callable
    """

    def __init__(self, settings: ClusterSettings, logs: Path, say: Callable[[str], None]) -> None:
        if shutil.which("sbatch") is None:
            raise UsageError(
                "there is no `sbatch` here",
                where="--cluster slurm",
                expected="a login node of a SLURM cluster, or an allocation",
                todo="run it there, or use --cluster processes",
            )
        self._settings, self._logs, self._say = settings, logs, say
        self._name = f"geotools-{uuid.uuid4().hex[:6]}"
        self._begun: Counter[str] = Counter()
        self._waiting = Waiting(settings.start_timeout_h * 3600, say)
        # Jobs that ended without a worker, since one last came up.
        self._stillborn = 0
        self._known: set[str] = set()
        self._here: set[str] = set()
        self._asked = 0.0
        self._cluster: SLURMCluster

    def start(self) -> AbstractContextManager[Client]:
        """Submit the jobs."""
        return self._submitted()

    @contextmanager
    def _submitted(self) -> Iterator[Client]:
        import dask

        before = signal.getsignal(signal.SIGINT)
        from dask_jobqueue import SLURMCluster
        from distributed import Client

        # dask_jobqueue makes an interrupt end the process at once, which would leave the jobs behind.
        signal.signal(signal.SIGINT, before)
        self._logs.mkdir(parents=True, exist_ok=True)
        with (
            SLURMCluster(**self.options(dask.config.get("distributed.worker.memory"))) as cluster,
            Client(cluster, set_as_default=False) as client,
        ):
            self._cluster = cluster
            self._refuse_what_slurm_refuses()
            self._begun = count_attempts(cluster.scheduler)
            cluster.scale(jobs=self._settings.jobs)
            s = self._settings
            self._say(
                f"{s.jobs} SLURM jobs of {s.cores} x {s.memory_GB / s.cores:.1f} GB (cluster.memory_GB) for "
                f"{s.walltime_h:g} h; they write to {self._logs}"
            )
            yield client

    def options(self, memory_settings: dict[str, Any]) -> dict[str, Any]:
        """What dask-jobqueue is given.

        Parameters
        ----------
        memory_settings : dict
            How a worker minds its memory; the jobs have an environment of their own.

        Returns
        -------
        dict
        """
        s = self._settings
        lifetime, stagger = lifetime_s(s.walltime_h * 3600)
        exports = [
            f"export DASK_DISTRIBUTED__WORKER__MEMORY__{name.upper()}={value}"
            for name, value in memory_settings.items()
            if name in {"target", "spill", "pause", "terminate"}
        ]
        return {
            "cores": s.cores,
            "processes": s.cores,
            "memory": f"{s.memory_GB}GB",
            "walltime": _clock(s.walltime_h * 3600),
            "queue": s.queue,
            "account": s.account,
            "interface": s.interface,
            "local_directory": s.scratch or _LOCAL,
            "log_directory": str(self._logs),
            "job_name": self._name,
            "job_extra_directives": list(s.options),
            "job_script_prologue": [*s.setup, *exports],
            "worker_extra_args": ["--lifetime", f"{lifetime}s", "--lifetime-stagger", f"{stagger}s"],
            "python": sys.executable,
            "death_timeout": 120,
            "scheduler_options": {"dashboard": False, "dashboard_address": ":0"},
        }

    def _refuse_what_slurm_refuses(self) -> None:
        """Ask SLURM whether it would take the job, since errors of a later submission end in dask's log."""
        with tempfile.NamedTemporaryFile("w", suffix=".sh") as script:
            script.write(self._cluster.job_script())
            script.flush()
            done = subprocess.run(
                ["sbatch", "--test-only", script.name], capture_output=True, text=True, check=False
            )
        if done.returncode:
            raise UsageError(
                f"SLURM does not take the job: {' '.join(done.stderr.split())}",
                where="section cluster of the recipe",
                expected="a queue, account, memory and walltime that this cluster has",
                todo="correct it; `sinfo` lists the queues",
            )

    def watch(self, client: Client) -> None:
        """Submit jobs again in place of those that ended, and say what keeps those that wait."""
        here = {str(w["name"]) for w in client.scheduler_info(n_workers=-1)["workers"].values()}
        if here - self._known:
            self._stillborn = 0
        lost, self._here = self._here - here, here
        self._known |= here
        # At once when a worker has gone, since its job may have.
        if not lost and time.monotonic() - self._asked < _ASK_S:
            return
        self._asked = time.monotonic()
        jobs = {name: str(job.job_id) for name, job in dict(self._cluster.workers).items()}
        states = self._states()
        if states is None:
            return
        ended = {name: job for name, job in jobs.items() if states.get(job, ("",))[0] not in _ALIVE}
        for name, job in ended.items():
            if not any(known == name or known.startswith(f"{name}-") for known in self._known):
                self._stillborn += 1
            self._say(f"SLURM job {job} ended; its blocks are done elsewhere, and another job is submitted")
        if self._stillborn > max(3, self._settings.jobs):
            raise GeotoolsError(
                f"{self._stillborn} SLURM jobs in a row ended before they had a worker",
                where="--cluster slurm",
                expected="jobs that find this Python and reach this node",
                todo=f"read what they wrote to {self._logs}; often cluster.setup must load a module, or "
                "cluster.interface name the network that nodes and login node share",
            )
        if ended:
            self._cluster.sync(self._forget, list(ended))
            self._cluster.scale(jobs=self._settings.jobs)
        waiting = sorted({f"{state.lower()} ({reason})" for state, reason in states.values()})
        self._waiting.look(len(here), f"{len(states)} jobs {', '.join(waiting)}" if states else "no job runs")

    async def _forget(self, names: list[str]) -> None:
        # Under new names, since dask may still be about to close the old ones.
        for name in names:
            self._cluster.workers.pop(name, None)
            self._cluster.worker_spec.pop(name, None)

    def _states(self) -> dict[str, tuple[str, str]] | None:
        """State and reason of the jobs of this run by number; None when SLURM does not answer now."""
        done = subprocess.run(
            ["squeue", "--noheader", f"--name={self._name}", "--format=%A|%T|%r"],
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            return None
        rows = [line.strip().split("|", 2) for line in done.stdout.splitlines() if line.strip()]
        return {job: (state, reason) for job, state, reason in rows}

    def attempts(self, key: str) -> int:
        """How often a block was begun."""
        return self._begun[key]

    def advice(self) -> str:
        """What to change when a block ends its worker."""
        s = self._settings
        return (
            f"a worker had {s.memory_GB / s.cores:.1f} GB and {s.walltime_h:g} h; set cluster.memory_GB or "
            f"cluster.walltime_h higher, and see {self._logs}; the same command goes on with the blocks that are left"
        )


def lifetime_s(walltime_s: float) -> tuple[int, int]:
    """After how many seconds a worker leaves by itself, and by how many that varies from one to another.

    Parameters
    ----------
    walltime_s : float

    Returns
    -------
    (int, int)
        Their sum is below the walltime by a minute, or by 2 % of it, so that no worker is ended by SLURM.

    Examples
    --------
    >>> lifetime_s(3600)
    (3348, 180)
    """
    stagger = int(min(0.05 * walltime_s, 300))
    return int(walltime_s - max(60, 0.02 * walltime_s)) - stagger, stagger


def _clock(seconds: float) -> str:
    minutes = round(seconds / 60)
    return f"{minutes // 60:02d}:{minutes % 60:02d}:00"


__all__ = ["LoginNode", "lifetime_s"]
