"""A dataset along a line as one long table."""

from __future__ import annotations

from typing import TYPE_CHECKING

import xarray as xr

from geotools.model_inputs.along_line import GEOMETRY, line_dim

if TYPE_CHECKING:
    import pandas as pd


def tidy_table(data: xr.Dataset) -> pd.DataFrame:
    """A dataset along a line as one long table.

    Parameters
    ----------
    data : xarray.Dataset [segment or point, any others]
        As for `prepare_line`, or from it.

    Returns
    -------
    pandas.DataFrame
        A row for each value that is not missing: the dimension, `distance_km`, `lat`, `lon`, further dimensions such as
        `time`, `depth` and `class` (blank where a variable has none), `variable`, `value`, `unit`.
    """
    import pandas as pd

    dim = line_dim(data)
    first = [dim, "distance_km", "lat", "lon"]
    if dim not in data.coords:
        data = data.assign_coords({dim: range(data.sizes[dim])})
    names = [
        n for n, v in data.data_vars.items() if dim in v.dims and not str(n).endswith(("_bnds", "_bounds"))
    ]
    # Labels that were set aside for CF come back as those of their dimension.
    labels = {f"{d}_name": str(d) for d in data.dims if f"{d}_name" in data.coords}
    tables = []
    for name in names:
        if data[name].dtype.kind not in "biuf" or str(name).startswith(f"{GEOMETRY}_"):
            continue
        plain = data[name].reset_coords(drop=True)
        frame = plain.to_dataframe("value").reset_index()
        for label, d in labels.items():
            if d in plain.dims:
                frame[d] = data[label].to_series().reindex(frame[d]).to_numpy()
        tables.append(
            frame.dropna(subset="value").assign(variable=str(name), unit=plain.attrs.get("units", ""))
        )
    table = pd.concat(tables, ignore_index=True)
    places = pd.DataFrame({n: data[n].values for n in first[1:]}, index=pd.Index(data[dim].values, name=dim))
    table = table.join(places, on=dim)
    others = [c for c in table.columns if c not in (*first, "variable", "value", "unit")]
    return table[[*first, *others, "variable", "value", "unit"]]
