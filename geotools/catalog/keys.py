"""Keys of tables and polygons."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import pandas as pd

from geotools.errors import DataError, UsageError


def refuse_duplicates(
    frame: pd.DataFrame, key: str | Sequence[str], *, where: str, row: str, first: int
) -> None:
    """Raise when a key stands in more than one row.

    Parameters
    ----------
    frame : pandas.DataFrame
    key : str or sequence of str
        Column, or columns together, that identify a row.
    where : str
        File name for the message.
    row : str
        What a row is called in the message: ``line`` or ``feature``.
    first : int
        Number of the first row, as an editor or GIS counts it.

    Raises
    ------
    DataError
    """
    names = [key] if isinstance(key, str) else list(key)
    double = frame.index[frame.duplicated(names, keep=False)]
    if len(double):
        value = ", ".join(f"{n}={frame.loc[double[0], n]!r}" for n in names)
        same = frame.index[(frame[names] == frame.loc[double[0], names]).all(axis=1)]
        raise DataError(
            f"the key {value} stands more than once ({row}s {', '.join(str(i + first) for i in same[:5])})",
            where=where,
            expected=f"one {row} per key",
            todo=f"remove or merge the duplicate {row}s",
        )


def closest(word: str, known: Iterable[str]) -> str:
    """What was expected instead of an unknown word: the nearest known one, or a list.

    Examples
    --------
    >>> closest("lenna", ["lena", "amur"])
    "a known name; the nearest is 'lena'"
    >>> closest("ob", ["lena", "amur"])
    'one of amur, lena'
    """
    from difflib import get_close_matches

    known = sorted(known)
    near = get_close_matches(word, known, n=1)
    if near:
        return f"a known name; the nearest is {near[0]!r}"
    return f"one of {', '.join(known[:12])}{' ...' if len(known) > 12 else ''}"


def require_known(names: Iterable[str], known: Iterable[str], *, what: str, where: str, todo: str) -> None:
    """Raise when a name is not among the known ones.

    Raises
    ------
    UsageError
        Names the first unknown word and the nearest known one.
    """
    known = set(known)
    for name in names:
        if name not in known:
            raise UsageError(
                f"unknown {what} {name!r}", where=where, expected=closest(name, known), todo=todo
            )
