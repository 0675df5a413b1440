"""One run at a time in a run directory, on one machine or on many that share a disk."""

from __future__ import annotations

import errno
import fcntl
import json
import os
import socket
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from geotools.errors import UsageError
from geotools.recipe.files import storing

FILE = ".geotools.lock"
# A living run writes its lock anew this often; one that was not written for so long is of a dead one.
BEAT_SECONDS = 5.0
PATIENCE_SECONDS = 30.0
_NO_FLOCK = {errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOLCK, errno.EINVAL}


class Lock:
    """The lock of a run that goes on.

    Parameters
    ----------
    path : pathlib.Path
    descriptor : int
        Of the open file, locked where the file system can.
    """

    def __init__(self, path: Path, descriptor: int) -> None:
        self._path, self._descriptor = path, descriptor
        self._owner = {**_here(), "token": uuid.uuid4().hex, "started": _now()}
        self._over = threading.Event()
        self._beats = 0
        self._write()
        self._thread = threading.Thread(target=self._beat, name="lock", daemon=True)
        self._thread.start()

    def ensure(self) -> None:
        """See that the lock is still this run's.

        Raises
        ------
        UsageError
            When another run took the folder over, because this process stood still for long.
        """
        owner = read(self._path)
        if owner is None or owner.get("token") != self._owner["token"]:
            raise UsageError(
                f"another run has taken the folder over ({owner_text(owner) or 'it has ended since'})",
                where=str(self._path.parent),
                expected="one run at a time",
                todo="let that one finish; `geotools status` shows how far it is",
            )

    def release(self) -> None:
        """Stop and remove the lock."""
        self._over.set()
        self._thread.join()
        owner = read(self._path)
        if owner is not None and owner.get("token") == self._owner["token"]:
            self._path.unlink(missing_ok=True)
        os.close(self._descriptor)

    def _beat(self) -> None:
        while not self._over.wait(BEAT_SECONDS):
            # A full disk or a share that is away for a moment must not stop the run.
            with suppress(OSError, UsageError):
                self.ensure()
                self._write()

    def _write(self) -> None:
        self._beats += 1
        text = json.dumps({**self._owner, "beats": self._beats}).encode() + b"\n"
        os.pwrite(self._descriptor, text, 0)
        os.ftruncate(self._descriptor, len(text))


@contextmanager
def locked(folder: Path) -> Iterator[Lock]:
    """Hold the lock of a run directory.

    Parameters
    ----------
    folder : pathlib.Path

    Yields
    ------
    Lock

    Raises
    ------
    UsageError
        When another run goes on there. The lock of a process that was killed does not count: on the same machine at
        once, on another after `PATIENCE_SECONDS` in which it did not change.
    """
    path = folder / FILE
    with storing(path):
        descriptor = _open(path)
        try:
            lock = Lock(path, descriptor)
        except OSError:
            path.unlink(missing_ok=True)
            os.close(descriptor)
            raise
    try:
        yield lock
    finally:
        lock.release()


def read(path: Path) -> dict[str, Any] | None:
    """Who holds a lock, or held it when it was killed; nothing when there is no lock."""
    try:
        found = json.loads(path.read_bytes() or b"{}")
    except FileNotFoundError:
        return None
    except ValueError:
        # Read while it was written, or cut by a full disk.
        return {}
    return found if isinstance(found, dict) else {}


def alive(folder: Path) -> dict[str, Any] | None:
    """The owner of the lock of a folder when a run goes on there, without touching the lock.

    Parameters
    ----------
    folder : pathlib.Path

    Returns
    -------
    dict or None
        `host`, `pid` and `started`.
    """
    path = folder / FILE
    owner = read(path)
    if owner is None:
        return None
    try:
        if _is_locked(path):
            return owner
        if _same_machine(owner):
            return None
    except FileNotFoundError:
        return None
    except OSError:
        # No locks on this file system, or not for us.
        if _same_machine(owner):
            return owner if _runs(owner) else None
    with suppress(OSError):
        return owner if time.time() - path.stat().st_mtime < PATIENCE_SECONDS else None
    return None


def _is_locked(path: Path) -> bool:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


def _open(path: Path) -> int:
    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
        try:
            _acquire(path, descriptor)
            # Between opening and locking, the run that held it may have ended and removed the file.
            with suppress(FileNotFoundError):
                if os.stat(path).st_ino == os.fstat(descriptor).st_ino:
                    return descriptor
        except BaseException:
            os.close(descriptor)
            raise
        os.close(descriptor)


def _acquire(path: Path, descriptor: int) -> None:
    exclusive = _flock(path, descriptor)
    owner = read(path)
    if not owner:
        return
    if _same_machine(owner):
        if not exclusive and _runs(owner):
            raise _taken(path, owner)
        return
    # On some file systems flock holds for one machine only, so that an owner on another shows only by its beats.
    until = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < until:
        time.sleep(min(1.0, PATIENCE_SECONDS / 10))
        now = read(path)
        if now is None:
            return
        if now.get("beats") != owner.get("beats") or now.get("token") != owner.get("token"):
            raise _taken(path, now)


def _flock(path: Path, descriptor: int) -> bool:
    """Lock an open file; whether the file system can."""
    # Somebody may only be asking for the status, which takes a moment.
    until = time.monotonic() + 0.5
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > until:
                raise _taken(path, read(path)) from None
            time.sleep(0.05)
        except OSError as error:
            if error.errno not in _NO_FLOCK:
                raise
            return False
        else:
            return True


def _taken(path: Path, owner: dict[str, Any] | None) -> UsageError:
    return UsageError(
        f"a run goes on in this folder ({owner_text(owner) or 'it just started'})",
        where=str(path.parent),
        expected="one run at a time",
        todo="wait for it (`geotools status` shows how far it is), stop it, or choose another folder with --out",
    )


def owner_text(owner: dict[str, Any] | None) -> str:
    """Process, machine and start of the owner of a lock, as far as they are known."""
    if not owner:
        return ""
    return f"process {owner.get('pid')} on {owner.get('host')} since {owner.get('started')}"


def _here() -> dict[str, Any]:
    return {
        "host": socket.gethostname(),
        "machine": _machine(),
        "pid": os.getpid(),
        "born": _born(os.getpid()),
    }


def _machine() -> str:
    """What tells machines of the same name apart, and one from itself before it was started anew."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return socket.gethostname()


def _same_machine(owner: dict[str, Any]) -> bool:
    return owner.get("machine") == _machine()


def _runs(owner: dict[str, Any]) -> bool:
    """Whether the process is there and no other one that was given its number since."""
    pid = owner.get("pid")
    if not isinstance(pid, int):
        return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return owner.get("born") == _born(pid)


def _born(pid: int) -> str:
    try:
        # The name of the command, in brackets, may hold anything; the start is the 20th field after it.
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]
    except (OSError, IndexError):
        return ""


def _now() -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
