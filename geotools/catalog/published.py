"""Published basin numbers, bundled and the user's own."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from geotools.catalog.locations import data_dir
from geotools.catalog.readers import table

if TYPE_CHECKING:
    import pandas as pd

KEY = ("zone", "term", "species", "site", "period_start", "reference")
NUMBERS = ("depth_top_m", "depth_bottom_m", "value", "lo", "hi", "lo95", "hi95")
TEXT = (
    "zone", "term", "species", "account", "components", "period_start", "period_end", "interval_kind", "unit",
    "confidence", "site", "reference", "doi", "status", "note",
)  # fmt: skip
COLUMNS = (*TEXT, *NUMBERS)


def published_numbers(path: Path | None = None) -> pd.DataFrame:
    """A table of published numbers for basins and sites.

    Parameters
    ----------
    path : pathlib.Path, optional
        A table of the user's own with the same columns; the bundled one when absent.

    Returns
    -------
    pandas.DataFrame
        One row per zone, term, species, site, period and reference: value, published interval (`lo`, `hi`) with
        its kind, converted 95 % interval (`lo95`, `hi95`), unit, confidence, status.

    Raises
    ------
    DataError
        When columns are missing, a number is text, or a key stands twice.
    """
    path = path or data_dir() / "published" / "basin_numbers.csv"
    return table.read(path, key=KEY, columns=COLUMNS, numbers=NUMBERS, text=TEXT)
