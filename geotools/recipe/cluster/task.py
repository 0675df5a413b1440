"""What runs on a worker: one block, with dask's own scheduler kept inside it."""

from __future__ import annotations

import pickle
import threading
from collections.abc import Callable
from typing import Any

from geotools.errors import UsageError
from geotools.recipe.journal import code_version

# NetCDF is unsafe under threads in places; a worker with several threads works on one block after another.
_ONE_BLOCK = threading.Lock()


def pack(function: Callable[..., Any], arguments: tuple[Any, ...]) -> bytes:
    """A call as bytes, which the scheduler hands on without looking into it.

    Parameters
    ----------
    function : callable
        A function at the top of a module.
    arguments : tuple

    Returns
    -------
    bytes
    """
    return pickle.dumps((function, arguments), protocol=pickle.HIGHEST_PROTOCOL)


def perform(call: bytes, code: str) -> Any:
    """Make a packed call, when the code here is that of the caller.

    Parameters
    ----------
    call : bytes
        From `pack`.
    code : str
        `journal.code_version` of the caller.

    Returns
    -------
    object
        What the function returns.

    Raises
    ------
    UsageError
        When this worker has another version of geotools.
    """
    import dask

    # Before the call is unpacked, since other code may not have the function, or another one of this name.
    if code_version() != code:
        raise UsageError(
            f"a worker has geotools {code_version()}, and this process has {code}",
            where="--cluster",
            expected="the same code everywhere, since results would be mixed",
            todo="install this version on the workers and start them again, or run from their environment",
        )
    with _ONE_BLOCK, dask.config.set(scheduler="synchronous"):
        # Inside a worker dask would otherwise send the block's own tasks to the cluster, and wait for itself.
        function, arguments = pickle.loads(call)
        return function(*arguments)
