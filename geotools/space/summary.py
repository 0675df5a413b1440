"""Long tables of zonal statistics."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import xarray as xr

from geotools.metadata import kind_of
from geotools.vocabulary import Kind

if TYPE_CHECKING:
    import pandas as pd

    from geotools.space.overlap import Overlap


def summarise(
    overlap: Overlap, field: xr.DataArray, *, quantiles: tuple[float, float] = (0.1, 0.9)
) -> pd.DataFrame:
    """Mean and spread of a field in every zone, or the share of each class.

    Parameters
    ----------
    overlap : Overlap
        Zones by cells.
    field : xarray.DataArray [y, x or lat, lon]
        A continuous field or classes.
    quantiles : (float, float)
        Lower and upper area-weighted quantile of the cells of a zone.

    Returns
    -------
    pandas.DataFrame
        One row per zone (and class): the zone, `variable`, `class`, `mean` (for a class its share of the valid area),
        `p10`, `p90`, `valid_fraction`, `unit`.
    """
    return tabulate(
        statistics(overlap, field, quantiles=quantiles), str(field.name), field.attrs.get("units", "1")
    )


def statistics(
    overlap: Overlap, field: xr.DataArray, *, quantiles: tuple[float, float] = (0.1, 0.9)
) -> dict[str, xr.DataArray]:
    """What `summarise` puts into a table; lazy for a lazy field, so that those of many fields can be had at once.

    Parameters
    ----------
    overlap, field, quantiles
        As for `summarise`.

    Returns
    -------
    dict of str to xarray.DataArray [zone, or class and zone]
        `share` for classes; otherwise `mean`, and `spread` with a dimension for both quantiles.
    """
    if kind_of(field) is Kind.CLASS:
        return {"share": overlap.class_fraction(field)}
    return {"mean": overlap.mean(field), "spread": overlap.quantile(field, quantiles)}


def tabulate(found: dict[str, xr.DataArray], variable: str, unit: str) -> pd.DataFrame:
    """The table of `summarise` from `statistics`.

    Parameters
    ----------
    found : dict of str to xarray.DataArray
        In memory, or they are computed here.
    variable, unit : str
        Of the field.

    Returns
    -------
    pandas.DataFrame
    """
    import pandas as pd

    if "share" in found:
        share = found["share"]
        dim = next(str(d) for d in share.dims if d != "class")
        share = share.transpose(dim, "class")
        valid = np.broadcast_to(share["valid_fraction"].values[:, None], share.shape)
        frame = share.to_series().rename("mean").reset_index()
        return frame.assign(variable=variable, p10=np.nan, p90=np.nan, valid_fraction=valid.ravel(), unit="1")
    mean, spread = found["mean"], found["spread"]
    dim = str(mean.dims[0])
    low, high = spread.transpose("quantile", dim).values
    return pd.DataFrame(
        {
            dim: mean[dim].values,
            "variable": variable,
            "class": "",
            "mean": mean.values,
            "p10": low,
            "p90": high,
            "valid_fraction": mean["valid_fraction"].values,
            "unit": unit,
        }
    )
