"""How much memory this process may use, and who says so."""

from __future__ import annotations

import os
from pathlib import Path


def limit() -> tuple[int, str]:
    """The memory limit of this process and its origin.

    Returns
    -------
    (int, str)
        Bytes, and what set the limit: SLURM, the cgroup, or the machine's size.
    """
    physical = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    candidates = [(physical, "physical memory")]
    for name, factor in (
        ("SLURM_MEM_PER_NODE", 1),
        ("SLURM_MEM_PER_CPU", int(os.environ.get("SLURM_CPUS_ON_NODE", "1"))),
    ):
        value = os.environ.get(name, "")
        if value.isdigit() and int(value) > 0:
            candidates.append((int(value) * factor * 1024**2, name))
    for file in ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"):
        try:
            text = Path(file).read_text().strip()
        except OSError:
            continue
        if text.isdigit():
            candidates.append((int(text), "cgroup"))
    return min(candidates)
