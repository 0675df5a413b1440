"""Blocks on the workers of a dask cluster: sent out, watched, and their ends told in plain words."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any, Protocol

from geotools.errors import GeotoolsError
from geotools.recipe.cluster import task
from geotools.recipe.journal import code_version

if TYPE_CHECKING:
    from distributed import Client, Future

# Seconds between two looks at the workers.
_WATCH = 5.0


class Workers(Protocol):
    """Where a cluster comes from and how it is doing."""

    def start(self) -> AbstractContextManager[Client]:
        """A client of the running cluster; leaving it ends what was started."""
        ...

    def watch(self, client: Client) -> None:
        """Called every few seconds; may replace lost workers, and raises when waiting makes no sense."""
        ...

    def attempts(self, key: str) -> int:
        """How often a call was begun on a worker, 0 when that is not known."""
        ...

    def advice(self) -> str:
        """What to change when a call ends its workers."""
        ...


class OnWorkers:
    """Makes the calls on the workers of a cluster, which is started by the first of them.

    Parameters
    ----------
    workers : Workers
    most_attempts : int
        A call that was begun so often and whose worker ended every time stops the run.
    """

    def __init__(self, workers: Workers, *, most_attempts: int = 6) -> None:
        self._workers, self._most = workers, most_attempts
        self._client: Client | None = None
        self._stack = ExitStack()

    def close(self) -> None:
        """End what was started."""
        self._stack.close()

    def map(
        self, function: Callable[..., Any], arguments: Sequence[tuple[Any, ...]]
    ) -> Iterator[tuple[int, Any]]:
        """Call the function with each tuple; gives its place and the result as they complete, in any order.

        Parameters
        ----------
        function : callable
            A function at the top of a module. It may be called again with the same arguments when a worker was lost.
        arguments : sequence of tuple
            They and the results are pickled. A first argument with a `name` is called by it in messages.

        Yields
        ------
        (int, object)

        Raises
        ------
        GeotoolsError
            From a call, with its message; or when a call ended several workers, or no worker comes.
        """
        if not arguments:
            return
        names = [
            f"the block {getattr(next(iter(call), None), 'name', n)!r}" for n, call in enumerate(arguments)
        ]
        calls = [task.pack(function, call) for call in arguments]
        if self._client is None:
            self._client = self._stack.enter_context(self._workers.start())
        client, batch = self._client, uuid.uuid4().hex[:8]
        keys = [f"{batch}-{n}" for n in range(len(calls))]
        # Not pure: a key that only depends on the call would take a result of an earlier batch.
        futures = client.map(task.perform, calls, code=code_version(), key=keys, pure=False)
        pending = dict(enumerate(futures))
        done: SimpleQueue[int] = SimpleQueue()
        for index, future in pending.items():
            future.add_done_callback(lambda _, index=index: done.put(index))
        seen = time.monotonic()
        try:
            while pending:
                finished = _next(done)
                if time.monotonic() - seen >= _WATCH:
                    self._watch(client, {keys[n]: names[n] for n in pending})
                    seen = time.monotonic()
                if finished is not None:
                    name = names[finished]
                    yield finished, self._result(pending.pop(finished), name)
        finally:
            if pending and client.status == "running":
                client.cancel(list(pending.values()), force=True)

    def _watch(self, client: Client, running: dict[str, str]) -> None:
        self._workers.watch(client)
        for key, name in running.items():
            if (attempts := self._workers.attempts(key)) >= self._most:
                raise GeotoolsError(
                    f"{name} was begun {attempts} times, and every time its worker ended before it",
                    where="--cluster",
                    expected="workers that live longer than a block takes",
                    todo=self._workers.advice(),
                )

    def _result(self, future: Future[Any], name: str) -> Any:
        from distributed import KilledWorker
        from distributed.client import FutureCancelledError

        try:
            return future.result()
        except KilledWorker as error:
            raise GeotoolsError(
                f"{name} ended {error.allowed_failures + 1} workers, the last one {error.last_worker.address}",
                where="--cluster",
                expected="workers that live through a block; most likely it needs more memory than a worker has",
                todo=self._workers.advice(),
            ) from error
        except FutureCancelledError as error:
            raise GeotoolsError(
                f"{name} was lost with the scheduler ({error.reason or 'connection closed'})",
                where="--cluster",
                expected="a scheduler that runs as long as the run does",
                todo="start it again; the same command goes on with the blocks that are left",
            ) from error
        except GeotoolsError:
            raise
        except Exception as error:
            error.add_note(f"in {name}, on a worker of the cluster")
            raise


def _next(done: SimpleQueue[int]) -> int | None:
    try:
        return done.get(timeout=_WATCH)
    except Empty:
        return None
