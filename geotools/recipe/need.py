"""What a step of a run needs: counted by `needs`, told by `plan`."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Need:
    """What a step needs.

    Parameters
    ----------
    step : str
    blocks : int
        Pieces that are journalled one by one; 0 where the step is done in one go.
    loads : int
        Pieces of gridded variables that are read.
    read_bytes : int
        Values of gridded variables that are read, as they are decoded.
    written_bytes : int
        Values of gridded variables that are written, before they are packed.
    peak_bytes : int
        Memory of the process.
    layout : list of str
        How what is read is cut, against how it is stored.
    """

    step: str
    blocks: int = 0
    loads: int = 0
    read_bytes: int = 0
    written_bytes: int = 0
    peak_bytes: int = 0
    layout: list[str] = field(default_factory=list)
