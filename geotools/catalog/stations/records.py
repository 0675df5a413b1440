"""Daily records of stations as arrays over station and time, with CF discrete sampling geometry."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from geotools.errors import UsageError
from geotools.guards import Array, ensure_range
from geotools.metadata import CONVENTIONS


@dataclass(frozen=True)
class Station:
    """Where a record was taken.

    Parameters
    ----------
    name : str
    lat, lon : float
        [degrees_north, degrees_east]
    altitude : float, optional
        Above sea level [m].

    Raises
    ------
    DataError
        When the place is off the Earth.

    Examples
    --------
    >>> Station("Yakutsk", 62.02, 129.72)
    Station(name='Yakutsk', lat=62.02, lon=129.72, altitude=None)
    """

    name: str
    lat: float
    lon: float
    altitude: float | None = None

    def __post_init__(self) -> None:
        for key, value, bound in (("lat", self.lat, 90.0), ("lon", self.lon, 360.0)):
            ensure_range(
                f"{key} of {self.name}", np.asarray(value, dtype="float64"), -bound, bound, "degrees"
            )


def daily_cube(
    stations: NDArray[np.int64], days: NDArray[np.datetime64], values: Array
) -> tuple[list[int], pd.DatetimeIndex, Array]:
    """Lay records out over station and day; days without a record are NaN.

    Parameters
    ----------
    stations : array [record]
    days : array [record; datetime64 of whole days]
    values : array [record, any]

    Returns
    -------
    (list of int, pandas.DatetimeIndex, array [station, time, any])
    """
    names = np.unique(stations)
    time = pd.date_range(days.min(), days.max(), freq="D", unit="ns")
    cube = np.full((names.size, time.size, values.shape[1]), np.nan)
    at = (days - days.min()).astype("timedelta64[D]").astype("int64")
    cube[np.searchsorted(names, stations), at] = values
    return [int(n) for n in names], time, cube


def dress_stations(
    dataset: xr.Dataset,
    stations: Mapping[Any, Station] | None,
    *,
    feature_type: str,
    attrs: Mapping[str, str],
) -> xr.Dataset:
    """Add names, places and the attributes of a discrete sampling geometry.

    Parameters
    ----------
    dataset : xarray.Dataset [station, time, ...]
    stations : mapping of station to Station, optional
        Without it there are no places.
    feature_type : {"timeSeries", "timeSeriesProfile"}
    attrs : mapping of str to str
        Of the dataset.
    """
    ids = dataset["station"].values
    where = [stations[i.item() if hasattr(i, "item") else i] for i in ids] if stations else []
    out = dataset.assign_coords(
        station_name=(
            "station",
            [s.name for s in where] or [str(i) for i in ids],
            {"long_name": "station name"},
        )
    )
    out["station"].attrs = {"long_name": "station", "cf_role": "timeseries_id"}
    if where:
        places = {
            "lat": ([s.lat for s in where], "latitude", "degrees_north"),
            "lon": ([s.lon for s in where], "longitude", "degrees_east"),
        }
        if all(s.altitude is not None for s in where):
            places["alt"] = ([float(s.altitude or 0.0) for s in where], "altitude", "m")
        for name, (values, standard, units) in places.items():
            out = out.assign_coords({name: ("station", values, {"standard_name": standard, "units": units})})
        if "alt" in out:
            out["alt"].attrs |= {"positive": "up", "axis": "Z"}
    out["time"].attrs = {"standard_name": "time", "long_name": "time", "axis": "T"}
    if "depth" in out.dims:
        out["depth"].attrs = {
            "standard_name": "depth",
            "long_name": "depth below the ground surface",
            "units": "m",
            "positive": "down",
            "axis": "Z",
        }
    for axis in set(out.coords) & {"depth", "lat", "lon", "alt"}:
        # CF allows no fill value where none can be missing; xarray would write one.
        out[axis].encoding["_FillValue"] = None
    out.attrs = {"Conventions": CONVENTIONS, "featureType": feature_type, **attrs}
    return out


def select_stations(wanted: Sequence[int] | None, found: Sequence[int], where: str) -> list[int]:
    """The stations that are wanted; all without a wish.

    Raises
    ------
    UsageError
        When one is not in the file.
    """
    if wanted is None:
        return list(found)
    missing = [w for w in wanted if w not in found]
    if missing:
        raise UsageError(
            f"there is no station {missing[0]}",
            where=where,
            expected=f"one of {', '.join(str(f) for f in found[:12])}{' ...' if len(found) > 12 else ''}",
            todo="correct the argument 'select'",
        )
    return list(wanted)
