"""The value object `CurvilinearGrid`: cells given by their corners."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray
from pyproj import CRS, Transformer
from scipy.spatial import cKDTree

from geotools.errors import DataError, UsageError
from geotools.space.charts import draw, place
from geotools.space.corners import on_sphere, read_corners
from geotools.space.crs import WGS84, as_crs, is_lonlat, name_of, same_crs
from geotools.space.geodesy import SEMI_MAJOR_AXIS
from geotools.space.sheets import Sheet

_SAME_WITHIN = 0.01


@dataclass(frozen=True, eq=False)
class CurvilinearGrid:
    """Cells between corners that lie anywhere: tripolar ocean grids, rotated rasters, grids in lost projections.

    Parameters
    ----------
    x_corners, y_corners : numpy.ndarray [y + 1, x + 1; units of the CRS]
        Longitudes (-180 to 180 or 0 to 360) and latitudes by default. Cells with a NaN corner do not exist;
        neither do cells without area. Such cells are never touched.
    crs : optional
        Of the corners; anything pyproj reads.
    x_dim, y_dim : str
        Names of the dimensions.
    missing : numpy.ndarray of bool [y, x], optional
        Further cells that do not exist, such as the halo of an ocean grid.

    Raises
    ------
    DataError
        When shapes do not fit, a cell crosses itself, is too large to be known from its corners, or comes twice.
    GeometryError
        When corners in a projection that is not equal-area reach far over a hemisphere.
    CRSError
        When there is no CRS.

    Notes
    -----
    Edges are straight between their corners in an equal-area plane, so that areas are true ones on the WGS84
    ellipsoid and neighbours share their edges. For longitude and latitude that is the cylindrical plane, in
    which parallels and meridians are straight: corners of a longitude-latitude grid of up to 5 degrees give
    exactly the cells of `Grid`. Cells beyond 60 degrees of latitude with an edge that turns by more than half a
    degree of longitude, and not along a parallel, are drawn in Lambert's azimuthal plane at the pole, where
    such an edge is a chord. An edge depends on its two ends only, and a corner within 0.3 m of a pole is the
    pole, whatever its longitude. Corners in an equal-area CRS are joined there, in any other CRS by lines straight in
    that CRS, in steps of 5 km.

    Examples
    --------
    >>> lon, lat = np.meshgrid([126, 127, 128], [60, 61])
    >>> grid = CurvilinearGrid(lon + lat - 60, lat)
    >>> grid.shape, (grid.cell_areas() / 1e6).round(3).tolist()
    ((1, 2), [[6123.141, 6123.141]])
    """

    x_corners: NDArray[np.float64]
    y_corners: NDArray[np.float64]
    crs: CRS = WGS84
    x_dim: str = "x"
    y_dim: str = "y"
    missing: NDArray[np.bool_] | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "crs", as_crs(self.crs))
        x, y = (np.array(part, dtype="float64") for part in (self.x_corners, self.y_corners))
        if x.ndim != 2 or x.shape != y.shape or min(x.shape) < 2:
            raise DataError(
                f"the corners have the shapes {x.shape} and {y.shape}",
                expected="one shape (y + 1, x + 1), a row and a column more than cells",
            )
        if np.isinf(x).any() or np.isinf(y).any():
            raise DataError("corners are infinite", expected="NaN for the corners of cells that do not exist")
        if self.is_lonlat:
            _ensure_on_earth(x, y)
        missing = np.zeros(self._shape_of(x), dtype=bool) if self.missing is None else np.array(self.missing)
        if missing.shape != self._shape_of(x) or missing.dtype != bool:
            raise DataError(
                f"missing has the shape {missing.shape} and the type {missing.dtype}",
                expected=f"bool of the shape {self._shape_of(x)}",
            )
        for name, part in (("x_corners", x), ("y_corners", y), ("missing", missing)):
            part.flags.writeable = False
            object.__setattr__(self, name, part)
        # Folded cells are an error now and not in the middle of a run.
        _ = self.sheets

    @classmethod
    def from_dataset(
        cls, field: xr.Dataset | xr.DataArray, *, repeated: Literal["refuse", "drop"] = "refuse"
    ) -> CurvilinearGrid:
        """Read the grid of a dataset with two-dimensional latitude and longitude and their CF bounds.

        Parameters
        ----------
        field : xarray.Dataset or xarray.DataArray
            Longitude and latitude [y, x; degrees], with bounds [y, x, 4; degrees] in either order of the
            vertices. Cells with a NaN in their bounds do not exist.
        repeated : {"refuse", "drop"}
            What to do about cells that come twice, as in the halo of ocean grids: refuse, or take the first
            of them and treat the others as cells that do not exist.

        Raises
        ------
        DataError
            When there are no bounds (corners are not guessed from centres), or cells do not share the corners
            of their neighbours.
        """
        if repeated not in ("refuse", "drop"):
            raise UsageError(f"repeated is {repeated!r}", expected="'refuse' or 'drop'")
        lon, lat, missing, y_dim, x_dim = read_corners(field)
        grid = cls(lon, lat, WGS84, x_dim, y_dim, missing)
        twice = grid._twice()
        if twice.size == 0:
            return grid
        if repeated == "refuse":
            raise DataError(
                f"{twice.size} cells come a second time, the first of them {place(int(twice[0]), grid.shape)}",
                expected="every place on Earth in one cell",
                todo="drop the halo (dataset.isel), or call CurvilinearGrid.from_dataset(ds, repeated='drop')",
            )
        missing.ravel()[twice] = True
        return cls(lon, lat, WGS84, x_dim, y_dim, missing)

    def __getstate__(self) -> dict[str, Any]:
        # The sheets are drawn again from the corners where they are needed.
        return {name: value for name, value in vars(self).items() if name != "sheets"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state)

    @classmethod
    def from_affine(
        cls, transform: Any, shape: tuple[int, int], crs: Any, *, x_dim: str = "x", y_dim: str = "y"
    ) -> CurvilinearGrid:
        """Grid of a raster whose affine transform is rotated or sheared.

        Parameters
        ----------
        transform : affine.Affine
            Takes column and row to the upper left corner of a pixel, as rasterio has it.
        shape : (int, int)
            Rows and columns.
        crs
            Of the raster.
        """
        if not all(hasattr(transform, name) for name in "abcdef"):
            raise UsageError(
                f"the transform is a {type(transform).__name__}",
                expected="an affine.Affine, as rasterio has it",
            )
        row, column = np.mgrid[: shape[0] + 1, : shape[1] + 1].astype("float64")
        x = transform.a * column + transform.b * row + transform.c
        y = transform.d * column + transform.e * row + transform.f
        return cls(x, y, crs, x_dim, y_dim)

    @staticmethod
    def _shape_of(corners: NDArray[np.float64]) -> tuple[int, int]:
        return corners.shape[0] - 1, corners.shape[1] - 1

    @property
    def shape(self) -> tuple[int, int]:
        """Number of cells in y and in x."""
        return self._shape_of(self.x_corners)

    @property
    def size(self) -> int:
        """Number of cells, with those that do not exist."""
        return self.shape[0] * self.shape[1]

    @property
    def dims(self) -> tuple[str, str]:
        """Names of the y and the x dimension."""
        return self.y_dim, self.x_dim

    @property
    def is_lonlat(self) -> bool:
        """Whether the corners are longitudes and latitudes in degrees."""
        return is_lonlat(self.crs)

    @property
    def bounds(self) -> tuple[float, float, float, float]:
        """Least x, least y, greatest x and greatest y of the corners; longitudes as they were given."""
        x, y = self.x_corners, self.y_corners
        return float(np.nanmin(x)), float(np.nanmin(y)), float(np.nanmax(x)), float(np.nanmax(y))

    @cached_property
    def sheets(self) -> list[Sheet]:
        """The cells in the equal-area planes in which they are compared."""
        return draw(self.x_corners, self.y_corners, self.crs, ~np.asarray(self.missing))

    @cached_property
    def _areas(self) -> NDArray[np.float64]:
        out = np.zeros(self.size)
        for sheet in self.sheets:
            out[sheet.cells] = sheet.areas
        return out

    def cell_areas(self, rows: slice = slice(None), columns: slice = slice(None)) -> NDArray[np.float64]:
        """True areas of the cells on the WGS84 ellipsoid [y, x; m2], or of a window; 0 where there is no cell."""
        return self._areas.reshape(self.shape)[rows, columns]

    def areas_of(self, cells: NDArray[np.int64]) -> NDArray[np.float64]:
        """True areas [m2] of some cells, given by their flat index in row order."""
        return self._areas[cells]

    def area(self) -> xr.DataArray:
        """True cell areas as a DataArray [y, x; m2] with coordinates and CRS."""
        attrs = {"long_name": "cell area on the WGS84 ellipsoid", "standard_name": "cell_area", "units": "m2"}
        return self.wrap(self.cell_areas()).rename("cell_area").assign_attrs(attrs)

    @cached_property
    def _corner_points(self) -> NDArray[np.float64]:
        """Corners as points of the unit sphere [y + 1, x + 1, 3]."""
        lon, lat = self.x_corners, self.y_corners
        if not self.is_lonlat:
            lon, lat = Transformer.from_crs(self.crs, WGS84, always_xy=True).transform(lon, lat)
        return on_sphere(np.where(np.isfinite(lon), lon, np.nan), np.where(np.isfinite(lat), lat, np.nan))

    @cached_property
    def _centre_points(self) -> NDArray[np.float64]:
        p = self._corner_points
        middle = p[:-1, :-1] + p[:-1, 1:] + p[1:, 1:] + p[1:, :-1]
        middle[np.asarray(self.missing)] = np.nan
        return np.asarray(middle / np.linalg.norm(middle, axis=-1, keepdims=True))

    @property
    def centres(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Longitudes (-180 to 180) and latitudes of the middle of the corners [y, x; degrees]; NaN without a cell."""
        x, y, z = np.moveaxis(self._centre_points, -1, 0)
        return np.rad2deg(np.arctan2(y, x)), np.rad2deg(np.arctan2(z, np.hypot(x, y)))

    def coordinates(self) -> dict[str, Any]:
        """The CF coordinates of a field on this grid: two-dimensional longitude and latitude, `spatial_ref`."""
        lon, lat = self.centres
        long = bool({"lon", "lat"} & set(self.dims))
        return {
            "longitude" if long else "lon": (
                self.dims, lon, {"standard_name": "longitude", "units": "degrees_east"},
            ),
            "latitude" if long else "lat": (
                self.dims, lat, {"standard_name": "latitude", "units": "degrees_north"},
            ),
            "spatial_ref": ((), 0, WGS84.to_cf()),
        }  # fmt: skip

    def wrap(self, values: ArrayLike, dims: tuple[str, ...] = ()) -> xr.DataArray:
        """A DataArray of values [*dims, y, x] on this grid."""
        field = xr.DataArray(values, dims=(*dims, *self.dims), coords=self.coordinates())
        return field.assign_attrs(grid_mapping="spatial_ref")

    def to_dataset(self) -> xr.Dataset:
        """Longitude, latitude and their CF bounds [y, x, 4; degrees], which `from_dataset` reads."""
        p = self._corner_points
        four = np.stack((p[:-1, :-1], p[:-1, 1:], p[1:, 1:], p[1:, :-1]), axis=2)
        four[np.asarray(self.missing)] = np.nan
        x, y, z = np.moveaxis(four, -1, 0)
        out = xr.Dataset(coords=self.coordinates())
        values = (np.rad2deg(np.arctan2(y, x)), np.rad2deg(np.arctan2(z, np.hypot(x, y))))
        for name, bounds in zip([n for n in out.coords if n != "spatial_ref"], values, strict=True):
            out[name].attrs["bounds"] = f"{name}_bnds"
            out[f"{name}_bnds"] = ((*self.dims, "vertex"), bounds)
        return out

    def holds(self, lon: NDArray[np.float64], lat: NDArray[np.float64]) -> bool:
        """Whether longitudes and latitudes [y, x; degrees] lie each near the middle of its own cell."""
        if lon.shape != self.shape or lat.shape != self.shape:
            return False
        p = self._corner_points
        reach = np.maximum(
            np.linalg.norm(p[1:, 1:] - p[:-1, :-1], axis=-1), np.linalg.norm(p[1:, :-1] - p[:-1, 1:], axis=-1)
        )
        off = np.linalg.norm(on_sphere(lon, lat) - self._centre_points, axis=-1)
        return not bool((off > reach / 2).any())

    def _twice(self) -> NDArray[np.int64]:
        """Cells that another one before them repeats."""
        cells = np.flatnonzero(self._areas > 0)
        points = self._centre_points.reshape(-1, 3)[cells]
        near = _SAME_WITHIN * np.sqrt(self._areas[cells]) / SEMI_MAJOR_AXIS
        pairs = cKDTree(points).query_pairs(float(np.median(near)), output_type="ndarray")
        return np.unique(cells[pairs.max(axis=1)]) if len(pairs) else np.zeros(0, dtype="int64")

    @cached_property
    def key(self) -> str:
        """Identity of the grid: the same for equal corners, CRS and dimension names."""
        digest = hashlib.sha256()
        for part in (self.x_corners, self.y_corners, np.asarray(self.missing)):
            digest.update(np.ascontiguousarray(part).tobytes() + b"|")
        digest.update("|".join((self.crs.to_wkt(), *self.dims)).encode())
        return digest.hexdigest()

    def __eq__(self, other: object) -> bool:
        return self.key == other.key if isinstance(other, CurvilinearGrid) else NotImplemented

    def __hash__(self) -> int:
        return hash(self.key)

    def matches(self, other: object) -> bool:
        """Whether two grids have the same cells, in the same order, to a hundredth of a cell."""
        if not isinstance(other, CurvilinearGrid) or self.shape != other.shape:
            return False
        if not same_crs(self.crs, other.crs) or not np.array_equal(self._areas > 0, other._areas > 0):
            return False
        exists = self._areas > 0
        size = np.sqrt(self._areas[exists]) / SEMI_MAJOR_AXIS
        for dj, di in ((0, 0), (0, 1), (1, 1), (1, 0)):
            window = (slice(dj, dj + self.shape[0]), slice(di, di + self.shape[1]))
            one, two = (g._corner_points[window].reshape(-1, 3)[exists] for g in (self, other))
            if (np.linalg.norm(one - two, axis=-1) > _SAME_WITHIN * size).any():
                return False
        return True

    def __str__(self) -> str:
        west, south, east, north = self.bounds
        return (
            f"{self.shape[0]} x {self.shape[1]} curvilinear cells, y {south:g} to {north:g}, "
            f"x {west:g} to {east:g}, {name_of(self.crs)}"
        )


def _ensure_on_earth(lon: NDArray[np.float64], lat: NDArray[np.float64]) -> None:
    if np.isnan(lon).all() or np.isnan(lat).all():
        raise DataError("all corners are NaN", expected="corners of cells")
    if np.nanmax(np.abs(lat)) > 90:
        at = np.unravel_index(int(np.nanargmax(np.abs(lat))), lat.shape)
        raise DataError(
            f"a corner has the latitude {lat[at]:g}",
            where=f"corner {tuple(map(int, at))}",
            expected="-90 to 90 degrees",
        )
    if np.nanmin(lon) < -540 or np.nanmax(lon) > 720:
        raise DataError(
            f"longitudes of the corners run from {np.nanmin(lon):g} to {np.nanmax(lon):g}",
            expected="degrees",
            todo="check the CRS of the corners",
        )
