"""Cell edges from the coordinates of an xarray object."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray
from pyproj import CRS

from geotools.errors import CRSError, DataError
from geotools.space.crs import is_lonlat, name_of
from geotools.units import conversion

_NAMES = {
    "X": ("lon", "longitude", "x", "rlon", "xc", "easting"),
    "Y": ("lat", "latitude", "y", "rlat", "yc", "northing"),
}
_STANDARD_NAMES = {
    "X": ("longitude", "projection_x_coordinate", "grid_longitude"),
    "Y": ("latitude", "projection_y_coordinate", "grid_latitude"),
}
# CF section 4.1 and 4.2.
LONLAT_UNITS = {
    "X": ("degrees_east", "degree_east", "degree_E", "degrees_E", "degreeE", "degreesE"),
    "Y": ("degrees_north", "degree_north", "degree_N", "degrees_N", "degreeN", "degreesN"),
}


@dataclass(frozen=True)
class Axes:
    """Cell edges of both axes, as the file has them."""

    x_dim: str
    y_dim: str
    x_edges: NDArray[np.float64]
    y_edges: NDArray[np.float64]
    x_units: str
    y_units: str

    @property
    def lonlat_units(self) -> bool:
        """Whether both coordinates carry the CF units of longitude and latitude."""
        return self.x_units in LONLAT_UNITS["X"] and self.y_units in LONLAT_UNITS["Y"]

    def edges_in(self, crs: CRS) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """The edges in the units of the CRS.

        Raises
        ------
        CRSError
            When the units of the coordinates and of the CRS contradict each other.
        """
        angular = "degree" in crs.axis_info[0].unit_name if crs.axis_info else False
        edges = []
        for values, units, dim in (
            (self.x_edges, self.x_units, self.x_dim),
            (self.y_edges, self.y_units, self.y_dim),
        ):
            degrees = "degree" in units
            if units and degrees != angular:
                raise CRSError(
                    f"the coordinate {dim!r} has the units {units!r} but the grid is in {name_of(crs)}",
                    expected=f"coordinates in {'degrees' if angular else 'metres'}",
                    todo="give the field the CRS its coordinates are in",
                )
            if units and not angular:
                values = values * conversion(units, "m")[0] / crs.axis_info[0].unit_conversion_factor
            if is_lonlat(crs) and np.abs(values).max() > 1000:
                raise CRSError(
                    f"the coordinate {dim!r} reaches {np.abs(values).max():g}, too much for degrees",
                    expected="longitude and latitude in degrees",
                    todo="give the field the CRS its coordinates are in",
                )
            edges.append(values)
        return edges[0], edges[1]


def read_edges(field: xr.DataArray | xr.Dataset) -> Axes:
    """Find the x and y dimensions of a field and the edges of its cells.

    Raises
    ------
    DataError
        When a coordinate is absent or two-dimensional, or its values cannot be cell centres.
    """
    y_dim, x_dim = find_dims(field)
    x_units, y_units = (str(field[dim].attrs.get("units", "")).strip() for dim in (x_dim, y_dim))
    y_edges = _edges(field, y_dim)
    if y_units in LONLAT_UNITS["Y"]:
        y_edges = _cut_at_poles(y_edges, np.asarray(field[y_dim].values, dtype="float64"))
    return Axes(x_dim, y_dim, _edges(field, x_dim), y_edges, x_units, y_units)


def find_dims(field: xr.DataArray | xr.Dataset) -> tuple[str, str]:
    """The y and x dimension of a field."""
    x_dim = _find(field, "X")
    return _find(field, "Y"), x_dim


def centres_lie_in(field: xr.DataArray, edges: dict[str, NDArray[np.float64]]) -> bool:
    """Whether the coordinates of a field lie each in its own cell between edges, given by dimension."""
    for dim, line in edges.items():
        values = np.asarray(field[dim].values, dtype="float64")
        low, high = np.minimum(line[:-1], line[1:]), np.maximum(line[:-1], line[1:])
        if values.shape != low.shape or not ((values > low) & (values < high)).all():
            return False
    return True


def _find(field: xr.DataArray | xr.Dataset, axis: str) -> str:
    """The dimension along an axis, by CF attributes first and by name second."""
    dims = [str(d) for d in field.dims]
    lines = [d for d in dims if d in field.coords and field[d].ndim == 1]

    def by(test: Any) -> list[str]:
        return [d for d in lines if test(d)]

    for found in (
        by(lambda d: field[d].attrs.get("standard_name") in _STANDARD_NAMES[axis]),
        by(lambda d: field[d].attrs.get("units") in LONLAT_UNITS[axis]),
        by(lambda d: field[d].attrs.get("axis") == axis),
        by(lambda d: d.lower() in _NAMES[axis]),
    ):
        if len(found) == 1:
            return found[0]
        if len(found) > 1:
            raise DataError(f"several dimensions lie along {axis.lower()}: {', '.join(found)}")
    curvilinear = [str(n) for n, c in field.coords.items() if c.ndim == 2]
    raise DataError(
        f"no one-dimensional coordinate along {axis.lower()}"
        + (f"; {', '.join(curvilinear)} are two-dimensional" if curvilinear else ""),
        where=f"dimensions ({', '.join(dims)})",
        expected=f"a coordinate named like its dimension, such as {_NAMES[axis][0]!r} or {_NAMES[axis][2]!r}",
        todo="call CurvilinearGrid.from_dataset(dataset) on a dataset with their bounds"
        if curvilinear
        else "assign the coordinate, with its units and standard_name",
    )


def _edges(field: xr.DataArray | xr.Dataset, dim: str) -> NDArray[np.float64]:
    centres = np.asarray(field[dim].values)
    if centres.dtype.kind not in "iuf":
        raise DataError(f"the coordinate {dim!r} holds {centres.dtype}", expected="numbers")
    values = centres.astype("float64")
    if not np.isfinite(values).all():
        raise DataError(f"the coordinate {dim!r} holds {(~np.isfinite(values)).sum()} NaN")
    steps = np.diff(values)
    if (steps == 0).any():
        at = values[:-1][steps == 0][0]
        raise DataError(f"the coordinate {dim!r} holds {at:g} twice", todo=f"drop_duplicates({dim!r})")
    if not ((steps > 0).all() or (steps < 0).all()):
        turn = int(np.flatnonzero(np.sign(steps) != np.sign(steps[0]))[0]) + 1
        raise DataError(
            f"the coordinate {dim!r} is not sorted: it turns at position {turn}, {values[turn]:g}",
            todo=f"sortby({dim!r})",
        )
    bounds = field[dim].attrs.get("bounds") or field[dim].encoding.get("bounds")
    if bounds is not None and bounds in field.coords | getattr(field, "data_vars", {}):
        return _edges_of_bounds(np.asarray(field[bounds].values, dtype="float64"), values, str(bounds))
    if values.size == 1:
        raise DataError(
            f"the coordinate {dim!r} has one cell and no bounds, so the size of the cell is unknown",
            todo="add CF bounds, or build the grid with Grid(x_edges, y_edges, crs)",
        )
    step = (values[-1] - values[0]) / (values.size - 1)
    rounding = 4 * np.finfo(centres.dtype).eps * np.abs(values).max() if centres.dtype.kind == "f" else 0.0
    off = np.abs(steps - step)
    if off.max() > 1e-3 * abs(step) + rounding:
        raise DataError(
            f"the coordinate {dim!r} is irregular: its steps run from {steps[np.abs(steps).argmin()]:g} "
            f"to {steps[np.abs(steps).argmax()]:g}",
            expected="equal steps, or CF bounds",
            todo="add the bounds to the dataset, or build the grid with Grid(x_edges, y_edges, crs)",
        )
    return np.asarray(values[0] + step * (np.arange(values.size + 1) - 0.5))


def _edges_of_bounds(
    bounds: NDArray[np.float64], centres: NDArray[np.float64], name: str
) -> NDArray[np.float64]:
    if bounds.shape != (centres.size, 2) or not np.isfinite(bounds).all():
        raise DataError(
            f"the bounds {name!r} have the shape {bounds.shape}", expected=f"({centres.size}, 2), finite"
        )
    ascending = centres[-1] >= centres[0] if centres.size > 1 else True
    low, high = bounds.min(axis=1), bounds.max(axis=1)
    start, stop = (low, high) if ascending else (high, low)
    gap = np.abs(stop[:-1] - start[1:])
    if (gap > 1e-3 * (high - low)[1:]).any():
        at = int(gap.argmax())
        raise DataError(
            f"the bounds {name!r} leave a gap or overlap between cells {at} and {at + 1}",
            expected="cells that touch",
        )
    if ((centres < low) | (centres > high)).any():
        raise DataError(f"the bounds {name!r} do not hold their centres", todo="check the bounds in the file")
    return np.concatenate((start, stop[-1:]))


def _cut_at_poles(edges: NDArray[np.float64], centres: NDArray[np.float64]) -> NDArray[np.float64]:
    """Global grids with centres on the poles: CF has the cell end at the pole."""
    on_pole = np.isclose(np.abs(centres[[0, -1]]), 90, atol=1e-6)
    out = edges.copy()
    for end, cut in zip((0, -1), on_pole, strict=True):
        # A rounding of float32 centres is no reason to refuse a global grid.
        rounding = 1e-4 * np.abs(np.diff(edges)).max()
        if cut or 90 < abs(out[end]) < 90 + rounding:
            out[end] = np.sign(out[end]) * 90.0
    return out
