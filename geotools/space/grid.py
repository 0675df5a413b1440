"""The value object `Grid`: where the cells of a rectilinear grid lie and how large they are."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray
from pyproj import CRS

from geotools.errors import DataError
from geotools.space.cell_areas import cell_areas
from geotools.space.crs import as_crs, is_equal_area, is_lonlat, name_of, read_crs, same_crs
from geotools.space.edges import ensure_monotonic, ensure_on_earth
from geotools.space.geodesy import authalic_ordinate, geographic_cell_areas
from geotools.space.geotransform import ensure_transform_fits

# Edges read from float32 coordinates of a fine grid wander by a few thousandths of a cell.
_SAME_WITHIN = 0.01
# Rows and columns of the windows in which areas of scattered cells are computed.
_BLOCK = 512
# Of the scale across a cell, in both directions together: at 2 it would be 0 in a corner.
_STEEPEST = 1.9


@dataclass(frozen=True, eq=False)
class Grid:
    """Cells between edges of x and y, in one coordinate reference system.

    Parameters
    ----------
    x_edges : numpy.ndarray [x + 1; units of the CRS]
        Cell edges in the order of the array; strictly ascending or strictly descending.
    y_edges : numpy.ndarray [y + 1; units of the CRS]
    crs : pyproj.CRS
        Anything pyproj reads is taken.
    x_dim, y_dim : str
        Names of the dimensions.

    Raises
    ------
    DataError
        When edges are not finite, not monotonic, beyond a pole or more than once round the Earth.
    CRSError
        When there is no CRS.

    Examples
    --------
    >>> grid = Grid.regular((126, 60, 128, 61), 0.5)
    >>> grid.shape, (grid.cell_areas().sum() / 1e6).round(3).item()
    ((2, 4), 12246.282)
    """

    x_edges: NDArray[np.float64]
    y_edges: NDArray[np.float64]
    crs: CRS
    x_dim: str = "x"
    y_dim: str = "y"

    def __post_init__(self) -> None:
        object.__setattr__(self, "crs", as_crs(self.crs))
        for name in ("x_edges", "y_edges"):
            edges = np.array(getattr(self, name), dtype="float64")
            ensure_monotonic(edges, name)
            edges.flags.writeable = False
            object.__setattr__(self, name, edges)
        if self.is_lonlat:
            ensure_on_earth(self.x_edges, self.y_edges)

    @classmethod
    def regular(
        cls,
        bounds: tuple[float, float, float, float],
        resolution: float | tuple[float, float],
        crs: Any = "EPSG:4326",
        *,
        x_dim: str | None = None,
        y_dim: str | None = None,
    ) -> Grid:
        """Grid of equal steps, y ascending.

        Parameters
        ----------
        bounds : tuple of float [units of the CRS]
            x and y of the lower left, x and y of the upper right outer edge.
        resolution : float or (float, float) [units of the CRS]
            Step, or step in x and step in y. The bounds must be a whole number of steps apart.
        crs : optional
            WGS84 longitude and latitude by default.
        x_dim, y_dim : str, optional
            ``lon`` and ``lat`` for longitude and latitude, otherwise ``x`` and ``y``.
        """
        crs = as_crs(crs)
        steps = resolution if isinstance(resolution, tuple) else (resolution, resolution)
        edges = []
        for low, high, step in zip(bounds[:2], bounds[2:], steps, strict=True):
            n = round((high - low) / step)
            if n < 1 or abs(n * step - (high - low)) > 1e-6 * step * max(n, 1):
                raise DataError(
                    f"bounds from {low:g} to {high:g} are not a whole number of steps of {step:g}",
                    todo="change the bounds or the resolution",
                )
            edges.append(np.linspace(low, high, n + 1))
        names = ("lon", "lat") if is_lonlat(crs) else ("x", "y")
        return cls(edges[0], edges[1], crs, x_dim or names[0], y_dim or names[1])

    @classmethod
    def from_dataarray(cls, field: xr.DataArray | xr.Dataset) -> Grid:
        """Read the grid of a field from its coordinates.

        Parameters
        ----------
        field : xarray.DataArray or xarray.Dataset
            One-dimensional x and y coordinates. Cell edges come from CF bounds when the dataset holds them;
            otherwise the spacing of the centres must be regular. The CRS comes from the grid mapping, from a
            `spatial_ref` coordinate, or is WGS84 when the coordinates have the CF units of longitude and
            latitude.

        Returns
        -------
        Grid

        Raises
        ------
        DataError
            When coordinates are absent, not finite, unsorted, irregular without bounds, of one cell without
            bounds, or out of range; or a `GeoTransform` beside the CRS contradicts them.
        CRSError
            When there is no CRS; none is assumed.
        """
        from geotools.space.coordinates import read_edges

        axes = read_edges(field)
        crs = read_crs(field, lonlat_units=axes.lonlat_units)
        x_edges, y_edges = axes.edges_in(crs)
        turn = 360.0 if is_lonlat(crs) else None
        ensure_transform_fits(field, {axes.x_dim: x_edges, axes.y_dim: y_edges}, turn=turn)
        return cls(x_edges, y_edges, crs, axes.x_dim, axes.y_dim)

    @property
    def shape(self) -> tuple[int, int]:
        """Number of cells in y and in x."""
        return self.y_edges.size - 1, self.x_edges.size - 1

    @property
    def size(self) -> int:
        """Number of cells."""
        return self.shape[0] * self.shape[1]

    @property
    def dims(self) -> tuple[str, str]:
        """Names of the y and the x dimension."""
        return self.y_dim, self.x_dim

    @property
    def bounds(self) -> tuple[float, float, float, float]:
        """Outer edges: least x, least y, greatest x, greatest y."""
        x, y = self.x_edges, self.y_edges
        return float(x.min()), float(y.min()), float(x.max()), float(y.max())

    @property
    def x(self) -> NDArray[np.float64]:
        """Centres in x."""
        return (self.x_edges[:-1] + self.x_edges[1:]) / 2

    @property
    def y(self) -> NDArray[np.float64]:
        """Centres in y."""
        return (self.y_edges[:-1] + self.y_edges[1:]) / 2

    @cached_property
    def is_lonlat(self) -> bool:
        """Whether x and y are longitude and latitude in degrees."""
        return is_lonlat(self.crs)

    @cached_property
    def is_global(self) -> bool:
        """Whether the cells go once round the Earth in longitude."""
        return self.is_lonlat and abs(self.x_edges[-1] - self.x_edges[0]) > 360 - 1e-6

    @cached_property
    def plane_is_equal_area(self) -> bool:
        """Whether a share of a cell in the plane of `plane_edges` is the same share of its true area."""
        return self.is_lonlat or is_equal_area(self.crs)

    def plane_edges(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Edges in the plane in which cells are compared.

        For longitude and latitude that is the cylindrical equal-area plane, in which cells stay rectangles;
        otherwise it is the CRS of the grid.
        """
        return self.x_edges, authalic_ordinate(self.y_edges) if self.is_lonlat else self.y_edges

    def cell_areas(self, rows: slice = slice(None), columns: slice = slice(None)) -> NDArray[np.float64]:
        """True areas of the cells on the WGS84 ellipsoid.

        Parameters
        ----------
        rows, columns : slice, optional
            A window, so that a few cells of a large projected grid do not cost all of them.

        Returns
        -------
        numpy.ndarray [y, x; m2]
        """
        j, i = rows.indices(self.shape[0]), columns.indices(self.shape[1])
        x, y = self.x_edges[i[0] : i[1] + 1], self.y_edges[j[0] : j[1] + 1]
        return cell_areas(x, y, self.crs, centre=self._middle)

    @property
    def _middle(self) -> tuple[float, float]:
        """Centre of the plane in which areas are taken: that of the grid, whichever cells are asked for."""
        west, south, east, north = self.bounds
        return (west + east) / 2, (south + north) / 2

    def areas_of(self, cells: NDArray[np.int64]) -> NDArray[np.float64]:
        """True areas [m2] of some cells, given by their flat index in row order."""
        if cells.size == 0:
            return np.zeros(0)
        j, i = np.divmod(cells, self.shape[1])
        if self.is_lonlat:
            height = geographic_cell_areas(self.y_edges, [0, 1])[:, 0]
            area: NDArray[np.float64] = height[j] * np.abs(np.diff(self.x_edges))[i]
            return area
        out = np.empty(cells.size)
        for part in self._blocks_of(j, i):
            (j0, j1), (i0, i1) = ((at[part].min(), at[part].max() + 1) for at in (j, i))
            out[part] = self.cell_areas(slice(j0, j1), slice(i0, i1))[j[part] - j0, i[part] - i0]
        return out

    def scale_gradients_of(self, cells: NDArray[np.int64]) -> NDArray[np.float64]:
        """How the scale of areas changes across some cells, given by their flat index in row order.

        Returns
        -------
        numpy.ndarray [2, cell; 1]
            Change of the true area of a unit of the plane from one side of the cell to the other, relative to the
            mean of the cell, towards ascending x and y. From the areas of the cell and its neighbours.
        """
        out = np.zeros((2, cells.size))
        j, i = np.divmod(cells, self.shape[1])
        sides = np.abs(np.diff(self.x_edges)), np.abs(np.diff(self.y_edges))
        for part in self._blocks_of(j, i):
            # With neighbours on both sides, or three cells at a border of the grid, whichever cells are asked for.
            rows, columns = (
                slice(max(0, at[part].min() - 2), min(at[part].max() + 3, size))
                for at, size in zip((j, i), self.shape, strict=True)
            )
            scale = self.cell_areas(rows, columns) / np.outer(sides[1][rows], sides[0][columns])
            at = j[part] - rows.start, i[part] - columns.start
            for k, (centres, window, axis) in enumerate(((self.x, columns, 1), (self.y, rows, 0))):
                if scale.shape[axis] > 1:
                    order = min(2, scale.shape[axis] - 1)
                    with np.errstate(invalid="ignore", divide="ignore"):
                        slope = np.gradient(scale, centres[window], axis=axis, edge_order=order)[at]
                        out[k, part] = slope * sides[k][(i, j)[k][part]] / scale[at]
        # A neighbour may have no place on Earth, and nowhere in a cell is the scale below 0.
        out[:, ~np.isfinite(out).all(axis=0)] = 0.0
        steep: NDArray[np.float64] = out * np.minimum(
            1.0, _STEEPEST / np.maximum(np.abs(out).sum(axis=0), 1e-300)
        )
        return steep

    def _blocks_of(self, j: NDArray[np.int64], i: NDArray[np.int64]) -> list[NDArray[np.int64]]:
        """Positions of the cells of each block, or two far places would cost all that lies between them."""
        if j.size == 0:
            return []
        block = (j // _BLOCK) * (self.shape[1] // _BLOCK + 1) + i // _BLOCK
        order = np.argsort(block, kind="stable")
        return np.split(order, np.flatnonzero(np.diff(block[order])) + 1)

    def area(self) -> xr.DataArray:
        """True cell areas as a DataArray [y, x; m2] with coordinates and CRS."""
        attrs = {"long_name": "cell area on the WGS84 ellipsoid", "standard_name": "cell_area", "units": "m2"}
        return self.wrap(self.cell_areas()).rename("cell_area").assign_attrs(attrs)

    def coordinates(self) -> dict[str, Any]:
        """The CF coordinates of a field on this grid, with `spatial_ref`."""
        if self.is_lonlat:
            names, units = ("longitude", "latitude"), ("degrees_east", "degrees_north")
        elif self.crs.is_geographic:
            # A rotated pole: degrees, but not of longitude and latitude.
            names, units = ("grid_longitude", "grid_latitude"), ("degrees", "degrees")
        else:
            names = ("projection_x_coordinate", "projection_y_coordinate")
            units = (_udunits(self.crs.axis_info[0].unit_name), _udunits(self.crs.axis_info[1].unit_name))
        axes = ((self.x_dim, self.x, "X"), (self.y_dim, self.y, "Y"))
        coordinates: dict[str, Any] = {
            dim: (dim, centres, {"standard_name": name, "units": unit, "axis": axis})
            for (dim, centres, axis), name, unit in zip(axes, names, units, strict=True)
        }
        coordinates["spatial_ref"] = ((), 0, self.crs.to_cf())
        return coordinates

    def wrap(self, values: ArrayLike, dims: tuple[str, ...] = ()) -> xr.DataArray:
        """A DataArray of values [*dims, y, x] on this grid."""
        field = xr.DataArray(values, dims=(*dims, *self.dims), coords=self.coordinates())
        return field.assign_attrs(grid_mapping="spatial_ref")

    @cached_property
    def key(self) -> str:
        """Identity of the grid: the same for equal edges, CRS and dimension names."""
        digest = hashlib.sha256()
        for part in (self.x_edges, self.y_edges):
            digest.update(np.ascontiguousarray(part).tobytes() + b"|")
        digest.update("|".join((self.crs.to_wkt(), *self.dims)).encode())
        return digest.hexdigest()

    def __eq__(self, other: object) -> bool:
        return self.key == other.key if isinstance(other, Grid) else NotImplemented

    def __hash__(self) -> int:
        return hash(self.key)

    def matches(self, other: Grid) -> bool:
        """Whether two grids have the same cells, in the same order, to a hundredth of a cell."""
        return (
            self.shape == other.shape
            and same_crs(self.crs, other.crs)
            and _close(self.x_edges, other.x_edges)
            and _close(self.y_edges, other.y_edges)
        )

    def __str__(self) -> str:
        x, y = self.x_edges, self.y_edges
        return (
            f"{self.shape[0]} x {self.shape[1]} cells, {self.y_dim} {y[0]:g} to {y[-1]:g}, "
            f"{self.x_dim} {x[0]:g} to {x[-1]:g}, {name_of(self.crs)}"
        )


def _udunits(unit: str) -> str:
    return {"metre": "m", "kilometre": "km", "degree": "degrees"}.get(unit, unit)


def _close(one: NDArray[np.float64], other: NDArray[np.float64]) -> bool:
    return bool(np.all(np.abs(one - other)[:-1] <= _SAME_WITHIN * np.abs(np.diff(one))))
