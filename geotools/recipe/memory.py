"""How much memory this process may use, and who says so."""

from __future__ import annotations

import os
import re
import resource
from collections.abc import Iterator, Mapping
from pathlib import Path

_MIB = 1024**2
_UNITS = {"": _MIB, "M": _MIB, "K": 1024, "G": 1024**3, "T": 1024**4}


def limit(*, environ: Mapping[str, str] | None = None, proc: Path = Path("/proc")) -> tuple[int, str]:
    """The memory limit of this process and its origin: the least of all that are set.

    Parameters
    ----------
    environ : mapping, optional
        The environment; by default that of this process.
    proc : pathlib.Path
        Where the kernel tells of processes.

    Returns
    -------
    (int, str)
        Bytes, and what set the limit: SLURM, a control group, the limit on the address space, or the machine's size.

    Notes
    -----
    SLURM's figure is that of the whole job on this node; `share` is what one of its tasks may use.
    """
    candidates = [
        *_slurm(os.environ if environ is None else environ),
        *_control_groups(proc),
        *_address_space(),
        (os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"), "physical memory"),
    ]
    # Of equal limits the first is named: what a user asked SLURM for is what they can change.
    return min(candidates, key=lambda candidate: candidate[0])


def share(*, environ: Mapping[str, str] | None = None, proc: Path = Path("/proc")) -> tuple[int, str]:
    """The memory of this process when all tasks of a SLURM step on this node share the limit evenly.

    Parameters
    ----------
    environ, proc
        As for `limit`.

    Returns
    -------
    (int, str)
        Bytes and origin.
    """
    variables = os.environ if environ is None else environ
    bound, origin = limit(environ=variables, proc=proc)
    tasks = tasks_on_node(variables)
    return (bound // tasks, f"{origin}, shared by {tasks} tasks") if tasks > 1 else (bound, origin)


def text(bound: int, origin: str) -> str:
    """The limit in words, as the log has it.

    Parameters
    ----------
    bound : int
        Bytes.
    origin : str

    Returns
    -------
    str

    Examples
    --------
    >>> text(24_000_000_000, "physical memory")
    'memory limit 24.0 GB (physical memory)'
    """
    return f"memory limit {bound / 1e9:.1f} GB ({origin})"


def tasks_on_node(environ: Mapping[str, str]) -> int:
    """Number of tasks of this SLURM step on this node, 1 outside of one.

    Parameters
    ----------
    environ : mapping

    Returns
    -------
    int

    Examples
    --------
    >>> tasks_on_node({"SLURM_STEP_TASKS_PER_NODE": "2(x2),1", "SLURM_NODEID": "2"})
    1
    """
    counts: list[int] = []
    for part in environ.get("SLURM_STEP_TASKS_PER_NODE", "").split(","):
        if found := re.fullmatch(r"(\d+)(?:\(x(\d+)\))?", part.strip()):
            counts += [int(found[1])] * int(found[2] or 1)
    node = environ.get("SLURM_NODEID", "0")
    return counts[int(node)] if node.isdigit() and int(node) < len(counts) else 1


def _slurm(environ: Mapping[str, str]) -> Iterator[tuple[int, str]]:
    """What SLURM granted on this node. It writes MB without a unit, and 0 for all that the node has."""
    for name, counter in (
        ("SLURM_MEM_PER_NODE", None),
        ("SLURM_MEM_PER_CPU", "SLURM_CPUS_ON_NODE"),
        ("SLURM_MEM_PER_GPU", "SLURM_GPUS_ON_NODE"),
    ):
        found = re.fullmatch(r"(\d+)([KMGT]?)B?", environ.get(name, "").strip().upper())
        if not found or not int(found[1]):
            continue
        bound, count = int(found[1]) * _UNITS[found[2]], environ.get(counter or "", "1")
        if counter and count.isdigit() and int(count) > 1:
            yield bound * int(count), f"{name} x {count} {'CPUs' if 'CPU' in name else 'GPUs'}"
        else:
            yield bound, name


def _control_groups(proc: Path) -> Iterator[tuple[int, str]]:
    """The limits of the memory control group of this process and of all groups around it, version 1 and 2."""
    for version, mount, group in _groups(proc):
        name = "memory.max" if version == 2 else "memory.limit_in_bytes"
        # The limit of any group around this one holds as well.
        for place in (group, *group.parents):
            try:
                value = (mount / place / name).read_text().strip()
            except OSError:
                continue
            if value.isdigit():
                where = "" if place == Path() else f" /{place.as_posix()}"
                yield int(value), f"control group{where}"


def _groups(proc: Path) -> Iterator[tuple[int, Path, Path]]:
    """Version, mount point, and the group of this process below that."""
    try:
        memberships = (proc / "self" / "cgroup").read_text().splitlines()
        mounts = (proc / "self" / "mountinfo").read_text().splitlines()
    except OSError:  # no Linux
        return
    paths: dict[int, str] = {}
    for line in memberships:
        _, controllers, path = line.split(":", 2)
        if not controllers:
            paths[2] = path
        elif "memory" in controllers.split(","):
            paths[1] = path
    for line in mounts:
        before, _, after = line.partition(" - ")
        kind, _, options = after.split(" ", 2)
        version = {"cgroup2": 2, "cgroup": 1}.get(kind, 0)
        if version not in paths or (version == 1 and "memory" not in options.split(" ")[-1].split(",")):
            continue
        root, mount = (_unescaped(part) for part in before.split(" ")[3:5])
        group = Path(paths[version])
        # A container may see the path of the host, or one above its own root, and a mount that is its group already.
        inside = group.is_relative_to(root) and ".." not in group.parts
        yield version, Path(mount), group.relative_to(root) if inside else Path()


def _unescaped(path: str) -> str:
    """The kernel writes blanks and the like as octal numbers."""
    return re.sub(r"\\([0-7]{3})", lambda found: chr(int(found[1], 8)), path)


def _address_space() -> Iterator[tuple[int, str]]:
    bound, _ = resource.getrlimit(resource.RLIMIT_AS)
    if bound != resource.RLIM_INFINITY:
        yield bound, "limit on the address space, ulimit -v"
