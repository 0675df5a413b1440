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
    import pandas as pd

    dim = str(overlap.zone_areas.dims[0])
    if kind_of(field) is Kind.CLASS:
        share = overlap.class_fraction(field)
        valid = np.broadcast_to(share["valid_fraction"].values[:, None], share.transpose(dim, "class").shape)
        frame = share.transpose(dim, "class").to_series().rename("mean").reset_index()
        return frame.assign(
            variable=str(field.name), p10=np.nan, p90=np.nan, valid_fraction=valid.ravel(), unit="1"
        )
    mean = overlap.mean(field)
    low, high = (overlap.quantile(field, q) for q in quantiles)
    return pd.DataFrame(
        {
            dim: mean[dim].values,
            "variable": str(field.name),
            "class": "",
            "mean": mean.values,
            "p10": low.values,
            "p90": high.values,
            "valid_fraction": mean["valid_fraction"].values,
            "unit": field.attrs["units"],
        }
    )
