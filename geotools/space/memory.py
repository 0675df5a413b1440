"""Memory that is no longer used, given back to the system."""

from __future__ import annotations

import ctypes
import sys


def give_back() -> None:
    """Give freed memory back to the system where the C library keeps it for itself (glibc); elsewhere do nothing.

    glibc returns what lies at the end of its heap only. After the shapes of a large overlap were cut up, tens of
    megabytes of free memory lie between what is left, and count against the limit of a job for as long as it runs.
    """
    if not sys.platform.startswith("linux"):
        return
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:  # musl has none
        trim(0)
