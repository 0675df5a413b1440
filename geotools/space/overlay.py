"""What an overlap holds: targets, source grid and the areas they share."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from functools import cached_property
from typing import Any, Self

import numpy as np
import xarray as xr
from numpy.typing import NDArray
from scipy import sparse

from geotools.errors import DataError, UsageError
from geotools.space.apply import over_targets
from geotools.space.fields import ensure_field, ensure_on_grid, label_of, spatial_coordinates
from geotools.space.grids import AnyGrid
from geotools.space.reductions import Reduction
from geotools.space.runs import Matrix, RunMatrix
from geotools.space.store import Stored, read, write
from geotools.space.targets import Target

_VALID_ATTRS = {"long_name": "share of the area of the target that had data", "units": "1"}
_COVERED_ATTRS = {"long_name": "share of the area of the target that lies on the grid", "units": "1"}


class Overlay:
    """Areas shared by targets and source cells, and the way from a core to a labelled result.

    Parameters
    ----------
    matrix : CellMatrix or RunMatrix
    target : Target
    grid : Grid or CurvilinearGrid
        Of the source cells.
    """

    def __init__(self, matrix: Matrix, target: Target, grid: AnyGrid) -> None:
        self.matrix, self.target, self.grid = matrix, target, grid

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the overlap to one file, from which `Overlap.load` makes an equal one.

        Parameters
        ----------
        path : path
            Such as ``basins.npz``. A file there is replaced once the new one is whole.

        Raises
        ------
        UsageError
            When the file cannot be written, or names or carried columns are neither text, numbers nor dates.
        """
        try:
            write(path, Stored(self.matrix, self.target, self.grid, self.key))
        except OSError as error:
            raise UsageError(
                f"the overlap cannot be written ({error.strerror})",
                where=str(path),
                todo="choose a folder that exists, is writable and has space",
            ) from error

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Self:
        """Read an overlap that `save` wrote.

        Parameters
        ----------
        path : path

        Returns
        -------
        Overlap
            All its results equal those of the one that was saved, bit by bit.

        Raises
        ------
        DataError
            When the file is no overlap, damaged, or of another version of the format or the algorithm.
        UsageError
            When it cannot be opened.
        """
        stored = read(path)
        return cls(stored.matrix, stored.target, stored.grid)

    @property
    def zone_dim(self) -> str:
        """Dimension of the zones, points or segments."""
        return next(iter(self.zone_size("zone_dim")))

    @property
    def labels(self) -> NDArray[Any]:
        """Names of the zones, points or segments."""
        return np.asarray(self.target.coords[self.zone_dim][1])

    @property
    def area(self) -> sparse.csr_array:
        """Shared areas [target, source cell in row order; m2]; 1 where a cell holds a point."""
        return self.matrix.csr

    @cached_property
    def key(self) -> str:
        """Identity of targets and grid, for caches."""
        return hashlib.sha256(f"{self.target.key}|{self.target.dims}|{self.grid.key}".encode()).hexdigest()

    @property
    def zone_areas(self) -> xr.DataArray:
        """Whole area of the targets on the ellipsoid [target; m2], also where they leave the grid."""
        attrs = {"long_name": "area on the WGS84 ellipsoid", "units": "m2", "cell_methods": "area: sum"}
        return self.wrap(self.target.areas, "area", attrs)

    @property
    def covered_fraction(self) -> xr.DataArray:
        """Share of each target that lies on the grid [target; 1]."""
        return self.wrap(self._covered, "covered_fraction", dict(_COVERED_ATTRS))

    @cached_property
    def _covered(self) -> NDArray[np.float64]:
        return self.matrix.row_sums / self.target.areas

    @property
    def fraction(self) -> xr.DataArray:
        """Share of each source cell that each target covers [target, y, x; 1]; dense, so for few targets."""
        self.refuse_points("fraction")
        self.zone_size("fraction")
        shares = np.zeros(self.matrix.shape)
        for row, (cells, areas) in zip(shares, self.matrix.rows(), strict=True):
            row[cells] = areas / self.grid.areas_of(cells)
        out = self.grid.wrap(shares.reshape(*self.target.shape, *self.grid.shape), self.target.dims)
        # The segments of a transect carry lat and lon of their centres, which the cells need for themselves.
        coords = {k: v for k, v in self.target.coords.items() if k not in out.coords}
        out = out.assign_coords(coords)
        return out.rename("fraction").assign_attrs(long_name="share of the cell inside the zone", units="1")

    def lazy_fraction(self, rows: int, targets: Sequence[int] | None = None) -> xr.DataArray:
        """As `fraction` of polygons, in lazy chunks of some rows, so that large grids are never held whole.

        Parameters
        ----------
        rows : int
            Rows of a chunk.
        targets : sequence of int, optional
            Places of the targets that are wanted; all by default.

        Returns
        -------
        xarray.DataArray [target, y, x; 1; lazy]
        """
        from dask import array
        from dask.delayed import delayed

        self.refuse_points("fraction")
        self.zone_size("fraction")
        assert isinstance(self.matrix, RunMatrix)
        height, width = self.grid.shape
        # dask has no types.
        shares: Any = delayed(_shares)
        wrapped: Any = array.from_delayed
        joined: Any = array.concatenate
        wanted = np.arange(self.target.shape[0]) if targets is None else np.asarray(targets, dtype="int64")
        parts = [
            wrapped(
                shares(self.matrix, start, min(start + rows, height), wanted),
                (wanted.size, min(rows, height - start), width),
                dtype="float64",
            )
            for start in range(0, height, rows)
        ]
        out = self.grid.wrap(joined(parts, axis=1), self.target.dims)
        named = xr.Dataset(coords={k: v for k, v in self.target.coords.items() if k not in out.coords})
        out = out.assign_coords(named.isel({self.zone_dim: wanted}).coords)
        return out.rename("fraction").assign_attrs(long_name="share of the cell inside the zone", units="1")

    def checked(self, field: Any) -> xr.DataArray:
        """A field that fits this overlap, without its spatial coordinates, or an error."""
        out = ensure_field(field)
        dims = ensure_on_grid(out, self.grid)
        # Cells are known by their place in the array from here on, under the names of the grid.
        out = out.drop_vars(spatial_coordinates(out, dims))
        if dims != self.grid.dims:
            out = out.rename(dict(zip(dims, self.grid.dims, strict=True)))
        clash = (set(out.dims) - set(self.grid.dims)) & set(self.target.dims)
        if clash:
            raise DataError(
                f"the field has a dimension {clash.pop()!r}, which is also the dimension of the targets",
                where=label_of(out),
                todo="rename it, or build the overlap with another zone_dim",
            )
        return out

    def refuse_points(self, call: str) -> None:
        """Points have no area."""
        if self.target.what == "points":
            raise UsageError(f"{call} was asked of points, which have no area", todo="call mean(field)")

    def zone_size(self, call: str) -> dict[str, int]:
        """Dimension and number of the targets, which must not be cells."""
        if self.target.what == "cells":
            raise UsageError(f"{call} was asked of an overlap between two grids", expected="zones")
        return {self.target.dims[0]: self.target.shape[0]}

    def apply(
        self, reduction: Reduction, *fields: xr.DataArray, sizes: dict[str, int] | None = None
    ) -> tuple[xr.DataArray, xr.DataArray]:
        """Values and valid fractions of checked fields, with the coordinates of the targets.

        Parameters
        ----------
        reduction : Reduction
        *fields : xarray.DataArray [any dims, y, x]
        sizes : dict of str to int, optional
            Dimensions of the result besides the leading ones of the field; those of the targets by default.
        """
        values, valid = over_targets(
            reduction,
            fields,
            matrix=self.matrix,
            target_areas=self.target.areas,
            source_dims=self.grid.dims,
            sizes=sizes or self.sizes,
        )
        return values.assign_coords(self.target.coords), valid.assign_coords(self.target.coords)

    def dress(
        self, values: xr.DataArray, valid: xr.DataArray, name: Any, attrs: dict[str, Any]
    ) -> xr.DataArray:
        """A result with its attributes and the shares that go with it."""
        if "spatial_ref" in self.target.coords:
            attrs = {**attrs, "grid_mapping": "spatial_ref"}
        covered = (self.target.dims, self._covered.reshape(self.target.shape), _COVERED_ATTRS)
        out = values.assign_coords(valid_fraction=valid.variable, covered_fraction=covered)
        out["valid_fraction"].attrs = dict(_VALID_ATTRS)
        out = out.rename(name)
        out.attrs = attrs
        return out

    @property
    def sizes(self) -> dict[str, int]:
        """Dimensions of the targets."""
        return dict(zip(self.target.dims, self.target.shape, strict=True))

    def wrap(self, values: NDArray[np.float64], name: str, attrs: dict[str, Any]) -> xr.DataArray:
        """A plain DataArray over the targets."""
        shaped = values.reshape(self.target.shape)
        return xr.DataArray(shaped, dims=self.target.dims, coords=self.target.coords, name=name, attrs=attrs)

    def __repr__(self) -> str:
        number = " x ".join(map(str, self.target.shape))
        dims = ", ".join(self.target.dims)
        return f"{type(self).__name__}({number} {self.target.what} [{dims}] on {self.grid})"


def _shares(matrix: RunMatrix, start: int, stop: int, targets: NDArray[np.int64]) -> NDArray[np.float64]:
    return matrix.shares(slice(start, stop), targets)
