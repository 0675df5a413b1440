"""Where the bundled data are: `geotools/_data` in a wheel, `data/` in a checkout."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from geotools.errors import UsageError


@cache
def data_dir() -> Path:
    """The folder of the bundled data.

    Returns
    -------
    pathlib.Path

    Raises
    ------
    UsageError
        When neither an installed nor a checked-out copy is there.
    """
    package = Path(__file__).resolve().parents[1]
    for folder in (package / "_data", package.parent / "data"):
        if (folder / "catalog.yml").is_file():
            return folder
    raise UsageError(
        "the bundled data are missing",
        where=str(package),
        expected="a folder _data in the installed package, or data/ beside it in a checkout",
        todo="install the package again",
    )
