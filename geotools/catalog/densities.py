"""Flux densities by land cover, bundled and the user's own."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from geotools.catalog.locations import data_dir
from geotools.catalog.readers import table

if TYPE_CHECKING:
    import pandas as pd

KEY = ("group", "term", "species")
NUMBERS = ("value", "lo", "hi", "lo95", "hi95")
TEXT = (
    "group", "igbp_classes", "term", "area_basis", "species", "account", "components", "period_start", "period_end",
    "interval_kind", "unit", "confidence", "site", "reference", "doi", "status", "note",
)  # fmt: skip
COLUMNS = (*TEXT, *NUMBERS)


def flux_densities(path: Path | None = None) -> pd.DataFrame:
    """A table of carbon fluxes per area by group of land-cover classes.

    Parameters
    ----------
    path : pathlib.Path, optional
        A table of the user's own with the same columns; the bundled one when absent.

    Returns
    -------
    pandas.DataFrame
        One row per group, term and species: the IGBP classes it stands for, the value with its 95 % interval, unit,
        components, reference and status. Positive to the atmosphere.

    Raises
    ------
    DataError
        When columns are missing, a number is text, or a key stands twice.

    Examples
    --------
    >>> flux_densities().set_index(["group", "term"]).loc[("open_woodland", "net_ecosystem_exchange"), "value"].item()
    -29.0
    """
    path = path or data_dir() / "published" / "flux_densities.csv"
    return table.read(path, key=KEY, columns=COLUMNS, numbers=NUMBERS, text=TEXT)
