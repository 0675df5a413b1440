"""Where stations lie along a transect, and which lie too far beside it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd

from geotools.errors import DataError, UsageError

if TYPE_CHECKING:
    from geotools.space.transect import Transect


class Stations(NamedTuple):
    """Rows of a table of stations that lie near a transect, and the others.

    Parameters
    ----------
    within, outside : pandas.DataFrame
        The columns of the table and `distance_km`, `offset_km`, `beside` of `Transect.project`, and the number of the
        `segment` (-1 outside), in the order of the distance along the line.
    """

    within: pd.DataFrame
    outside: pd.DataFrame


def stations_along(transect: Transect, table: pd.DataFrame, buffer_km: float) -> Stations:
    """Project stations to a transect; see `Transect.stations`."""
    if not (np.isfinite(buffer_km) and buffer_km > 0):
        raise UsageError(f"buffer_km is {buffer_km!r}", expected="a positive number of kilometres")
    missing = [name for name in ("lat", "lon") if name not in table]
    if missing:
        raise UsageError(
            f"the table of stations has no column {' and no column '.join(missing)}",
            expected="lat and lon in degrees",
            todo="rename its columns",
        )
    lat, lon = (pd.to_numeric(table[name], errors="coerce").to_numpy("float64") for name in ("lat", "lon"))
    wrong = np.flatnonzero(
        ~(np.isfinite(lat) & np.isfinite(lon) & (np.abs(lat) <= 90) & (np.abs(lon) <= 360))
    )
    if wrong.size:
        first = table.iloc[int(wrong[0])]
        label = first["name"] if "name" in table else table.index[int(wrong[0])]
        raise DataError(
            f"{wrong.size} station{'s have' if wrong.size > 1 else ' has'} no place on Earth: {label!r} is at "
            f"latitude {first['lat']}, longitude {first['lon']}",
            where="table of stations",
            expected="latitudes of -90 to 90 and longitudes of -180 to 360 degrees",
            todo="correct them or leave them out",
        )
    # Many rows are the years of one station, and projecting takes a search for each place.
    places, row = np.unique(np.column_stack((lat, lon)), axis=0, return_inverse=True)
    found = transect.project(places[:, 0], places[:, 1]).iloc[np.ravel(row)]
    out = table.assign(**{str(name): column.to_numpy() for name, column in found.items()})
    near = out["offset_km"].abs().to_numpy() <= buffer_km
    ends = transect.segments["distance_end_km"].to_numpy()
    segment = np.minimum(np.searchsorted(ends, out["distance_km"].to_numpy()), ends.size - 1)
    out = out.assign(segment=np.where(near, segment, -1))
    within, outside = out[near], out[~near]
    return Stations(
        within.sort_values("distance_km", kind="stable"), outside.sort_values("distance_km", kind="stable")
    )
