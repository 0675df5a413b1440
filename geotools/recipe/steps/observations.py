"""Tables of what stations observed, to be drawn on the profile of the transect."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from geotools.catalog.catalog import require_file
from geotools.catalog.keys import closest
from geotools.catalog.readers.table import read
from geotools.errors import DataError
from geotools.metadata import VARIABLES
from geotools.recipe.context import SUMMARISED, Context

if TYPE_CHECKING:
    import pandas as pd

COLUMNS = ("name", "lat", "lon", "variable", "value")
# Each may be absent or blank.
_OPTIONAL = ("year", "depth_m")
FILE = "transect_stations.csv"
BUFFER_KM = 50.0


def observations(context: Context) -> pd.DataFrame | None:
    """All tables of observations that the recipe names, or nothing where there is none.

    Raises
    ------
    DataError
        When a column is missing, a variable is not one of the profile, or a value cannot be in its units.
    """
    import pandas as pd

    tables = [read_observations(path) for path in context.recipe.inputs.observations]
    return pd.concat(tables, ignore_index=True) if tables else None


def read_observations(path: Path) -> pd.DataFrame:
    """One table: `name`, `lat`, `lon`, `variable`, `value`, `year`, `depth_m`.

    Parameters
    ----------
    path : pathlib.Path
        CSV. Variables are named as in transect.csv and have its units.

    Returns
    -------
    pandas.DataFrame

    Raises
    ------
    UsageError
        When there is no such file.
    DataError
        When a cell cannot be what its column says.
    """
    require_file(path)
    numbers = ("lat", "lon", "value", *_OPTIONAL)
    table = read(path, columns=COLUMNS, numbers=numbers, text=("name", "variable"))
    for column in _OPTIONAL:
        if column not in table:
            table[column] = float("nan")
    for variable, rows in table.groupby("variable", sort=False):
        name = str(variable)
        line = int(rows.index[0]) + 2
        if name not in SUMMARISED or name == "permafrost_zone":
            raise DataError(
                f"there is no variable {name!r} on the profile (line {line})",
                where=str(path),
                expected=closest(name, [n for n in SUMMARISED if n != "permafrost_zone"]),
                todo="name variables as transect.csv does",
            )
        known = VARIABLES[name]
        low, high = known.valid or (float("-inf"), float("inf"))
        wrong = rows[rows["value"].notna() & ~rows["value"].between(low, high)]
        if len(wrong):
            raise DataError(
                f"{name} of {wrong['name'].iloc[0]!r} is {wrong['value'].iloc[0]:g} in line {int(wrong.index[0]) + 2}",
                where=str(path),
                expected=f"{low:g} to {high:g} {known.units}",
                todo="convert the values, or mend the cell",
            )
    return table[[*COLUMNS, *_OPTIONAL]]
