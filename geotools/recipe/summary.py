"""The last lines a run prints."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

_SHOWN = (
    ("maat", "air temperature", "degC", 1),
    ("annual_precipitation", "precipitation", "mm per year", 0),
    ("magt", "ground temperature at the top of permafrost", "degC", 1),
    ("permafrost_probability", "share underlain by permafrost", "", 2),
    ("active_layer_thickness", "active-layer thickness", "m", 2),
)


def summary(out: Path, basins: pd.DataFrame) -> str:
    """Main numbers of each zone and where the files are.

    Parameters
    ----------
    out : pathlib.Path
    basins : pandas.DataFrame
        basins.csv.

    Returns
    -------
    str
    """
    lines = []
    for zone in dict.fromkeys(basins["zone"]):
        lines.append(str(zone))
        rows = basins[(basins["zone"] == zone)].set_index("variable")
        for name, words, unit, digits in _SHOWN:
            row = rows.loc[name]
            interval = ""
            if row["lo95"] == row["lo95"]:
                interval = f" (95 % {row['lo95']:.{digits}f} to {row['hi95']:.{digits}f})"
            lines.append(
                f"  {words:44} {row['mean']:8.{digits}f}{interval} {unit}  [{row['method']}; "
                f"{row['valid_fraction']:.0%} of the area valid]"
            )
    if missing := _without_data(out):
        lines.append(f"without data along the transect, and without a panel: {', '.join(missing)}")
    lines.append(f"written to {out}; open report.html first")
    return "\n".join(lines)


def _without_data(out: Path) -> list[str]:
    """Variables of the transect that no segment has a value of; a layer that lies elsewhere would pass unseen."""
    import pandas as pd

    table = pd.read_csv(out / "transect.csv", usecols=["variable", "valid_fraction"])
    known = table.groupby("variable", sort=False)["valid_fraction"].max() > 0
    return [str(name) for name in known.index[~known]]
