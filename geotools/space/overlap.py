"""The one idea of geotools: areas shared by targets and source cells, and what follows from them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

import numpy as np
import xarray as xr

from geotools.errors import UsageError
from geotools.space.cache import Cache, overlay_of
from geotools.space.classes import by_class, mean_by_class
from geotools.space.fields import ensure_kind, result_attrs
from geotools.space.grids import AnyGrid, grid_of
from geotools.space.overlay import Overlay
from geotools.space.reductions import Extremes, Quantiles, Reduction, Sums, Variances
from geotools.space.spreading import spread
from geotools.units import times_area, units_of
from geotools.vocabulary import Kind

_AVERAGED = (Kind.INTENSIVE, Kind.DENSITY)


class Overlap(Overlay):
    """Areas shared by targets and the cells of a grid: built once by `Overlap.between`, used for any field.

    Every result is a DataArray whose coordinate `valid_fraction` says which share of the whole target had
    data, and whose coordinate `covered_fraction` says which share lies on the grid at all. Without any valid
    area a result is NaN, never 0. Fields backed by dask give lazy results.

    Examples
    --------
    >>> import geopandas as gpd, shapely, xarray as xr
    >>> from geotools.space import Grid
    >>> grid = Grid.regular((126, 60, 129, 63), 1)
    >>> zones = gpd.GeoDataFrame(geometry=[shapely.box(126, 60, 127.5, 61)], index=["west"], crs=4326)
    >>> overlap = Overlap.between(zones, grid)
    >>> stock = grid.wrap([[10.0, 20.0, 30.0]] * 3).assign_attrs(units="kg m-2")
    >>> overlap.mean(stock).item().__round__(3), overlap.total(stock).attrs["units"]
    (13.333, 'kg')
    """

    @classmethod
    def between(
        cls,
        target: Any,
        source: AnyGrid | xr.DataArray | xr.Dataset,
        *,
        zone_dim: str | None = None,
        column: str | None = None,
        coordinates: Sequence[str] = (),
        cache: Cache = None,
    ) -> Overlap:
        """Overlay targets with the cells of a grid.

        Parameters
        ----------
        target : GeoDataFrame, Transect, Grid, CurvilinearGrid, DataArray or Dataset
            Polygons (zones, which may nest and overlap), points, the segments of a transect, or the cells of
            another grid.
        source : Grid, CurvilinearGrid, DataArray or Dataset
            The grid of the fields to come.
        zone_dim : str, optional
            Dimension of the results, such as ``basin`` or ``region``. By default the name of the index, else
            ``zone`` (``point``, ``segment``).
        column : str, optional
            Column that names zones or points; the index by default.
        coordinates : sequence of str
            Further columns to carry along as coordinates of the results.
        cache : path or False, optional
            Folder in which overlaps are kept from one process to the next; results do not depend on it. By
            default that of the environment variable ``GEOTOOLS_CACHE``, and none without it or with False.

        Returns
        -------
        Overlap

        Raises
        ------
        CRSError, GeometryError, DataError
            When the grid or the targets are not usable.

        Warns
        -----
        GeotoolsWarning
            When zones lie wholly outside the grid (they stay, without a value and with a valid fraction of
            0), and when a file of the cache is damaged or the folder cannot be written.
        """
        grid = grid_of(source)
        found, matrix = overlay_of(target, grid, zone_dim, column, coordinates, cache)
        return cls(matrix, found, grid)

    def mean(self, field: xr.DataArray, *, min_valid_fraction: float = 0.0) -> xr.DataArray:
        """Area-weighted mean of the valid part of each target; for points, the value of their cell.

        Parameters
        ----------
        field : xarray.DataArray [any dims, y, x; any units]
            An intensive quantity or a density.
        min_valid_fraction : float
            Targets with less valid area become NaN. By default any valid area will do.

        Returns
        -------
        xarray.DataArray [any dims, target; units of the field]

        Raises
        ------
        UsageError
            For amounts per cell and classes.
        DataError
            When the field lies on another grid.
        """
        return self._weighted(field, "mean", _AVERAGED, min_valid_fraction=min_valid_fraction)

    def total(self, field: xr.DataArray) -> xr.DataArray:
        """Integral of a density over the valid part of each target.

        Parameters
        ----------
        field : xarray.DataArray [any dims, y, x; units with m-2]

        Returns
        -------
        xarray.DataArray [any dims, target; the units without m-2]
            Nothing is added for land without data: read it with its `valid_fraction`.

        Raises
        ------
        UsageError
            For anything but a density, and for points.
        """
        self.refuse_points("total")
        return self._weighted(field, "total", (Kind.DENSITY,), units=times_area)

    def sum(self, field: xr.DataArray) -> xr.DataArray:
        """Sum of amounts per cell; a cell partly inside gives the share of its area that is inside.

        Parameters
        ----------
        field : xarray.DataArray [any dims, y, x; any units, cell_methods "area: sum"]

        Returns
        -------
        xarray.DataArray [any dims, target; units of the field]

        Raises
        ------
        UsageError
            For anything but amounts per cell, and for points.
        """
        self.refuse_points("sum")
        return self._weighted(field, "sum", (Kind.AMOUNT,))

    def area_by_class(
        self, field: xr.DataArray, *, classes: Mapping[int, str] | None = None, class_dim: str = "class"
    ) -> xr.DataArray:
        """Area of each class in each target.

        Parameters
        ----------
        field : xarray.DataArray [any dims, y, x]
            Codes with `flag_values` and `flag_meanings`.
        classes : mapping of int to str, optional
            Codes and meanings, instead of the attributes.
        class_dim : str
            Dimension of the classes in the result; its coordinate holds the meanings, `flag_value` the codes.

        Returns
        -------
        xarray.DataArray [any dims, class, target; m2]

        Raises
        ------
        UsageError
            When the field is not a class.
        DataError
            When codes have no meaning (for lazy fields, once they are computed).
        """
        return by_class(self, field, classes, class_dim, fraction=False)

    def class_fraction(
        self, field: xr.DataArray, *, classes: Mapping[int, str] | None = None, class_dim: str = "class"
    ) -> xr.DataArray:
        """Share of each class in the valid area of each target [any dims, class, target; 1].

        Takes the same arguments as `area_by_class`.
        """
        return by_class(self, field, classes, class_dim, fraction=True)

    def quantile(
        self, field: xr.DataArray, q: float | Sequence[float], *, min_valid_fraction: float = 0.0
    ) -> xr.DataArray:
        """Area-weighted quantiles of the valid part of each target.

        Parameters
        ----------
        field : xarray.DataArray [any dims, y, x; any units]
        q : float or sequence of float
            Levels from 0 to 1.
        min_valid_fraction : float
            Targets with less valid area become NaN.

        Returns
        -------
        xarray.DataArray [any dims, quantile, target; units of the field]
            Without the dimension for a single level.
        """
        field = self.checked(field)
        ensure_kind(field, _AVERAGED, "quantile")
        levels = np.atleast_1d(np.asarray(q, dtype="float64"))
        if not ((levels >= 0) & (levels <= 1)).all():
            raise UsageError(f"the quantiles are {levels.tolist()}", expected="levels from 0 to 1")
        zones = self.zone_size("quantile")
        reduction = Quantiles(levels, min_valid_fraction)
        values, valid = self.apply(reduction, field, sizes={"quantile": levels.size, **zones})
        values = values.assign_coords(quantile=levels)
        out = self.dress(values, valid.isel(quantile=0), field.name, result_attrs(field, None))
        return out if np.ndim(q) else out.isel(quantile=0)

    def variance(self, field: xr.DataArray, *, min_valid_fraction: float = 0.0) -> xr.DataArray:
        """Area-weighted variance of the cells of each target about their mean.

        Parameters
        ----------
        field : xarray.DataArray [any dims, y, x; any units]
            An intensive quantity or a density.
        min_valid_fraction : float
            Targets with less valid area become NaN.

        Returns
        -------
        xarray.DataArray [any dims, target; units of the field squared]
            Of the valid part, without a correction for the number of cells: ``sum(a (x - mean)^2) / sum(a)``.

        Raises
        ------
        UsageError
            For amounts per cell and classes.
        """
        return self._of_cells(
            field, "variance", Variances(min_valid_fraction), "variance", units=lambda unit: f"({unit})2"
        )

    def minimum(self, field: xr.DataArray, *, min_valid_fraction: float = 0.0) -> xr.DataArray:
        """Least value of all cells that each target touches, however little of a cell it holds.

        Takes and gives what `mean` does.
        """
        return self._of_cells(field, "minimum", Extremes(False, min_valid_fraction), "minimum")

    def maximum(self, field: xr.DataArray, *, min_valid_fraction: float = 0.0) -> xr.DataArray:
        """Greatest value of all cells that each target touches, however little of a cell it holds.

        Takes and gives what `mean` does.
        """
        return self._of_cells(field, "maximum", Extremes(True, min_valid_fraction), "maximum")

    def mean_by_class(
        self,
        field: xr.DataArray,
        classes: xr.DataArray,
        *,
        meanings: Mapping[int, str] | None = None,
        class_dim: str = "class",
    ) -> xr.DataArray:
        """Area-weighted mean of a field over the part of each target that is of each class, in one pass.

        Parameters
        ----------
        field : xarray.DataArray [any dims, y, x; any units]
            An intensive quantity or a density.
        classes : xarray.DataArray [y, x or the dims of the field]
            Codes with `flag_values` and `flag_meanings`, on the same grid.
        meanings : mapping of int to str, optional
            Codes and meanings, instead of the attributes.
        class_dim : str
            Dimension of the classes in the result; its coordinate holds the meanings, `flag_value` the codes.

        Returns
        -------
        xarray.DataArray [any dims, class, target; units of the field]
            `valid_fraction` is the share of the area of the class in the target that had data; NaN where the
            target holds nothing of the class.

        Raises
        ------
        UsageError
            For amounts per cell, and when `classes` are none.
        DataError
            When the grids differ or codes have no meaning (for lazy fields, once they are computed).
        """
        return mean_by_class(self, field, classes, meanings, class_dim)

    def valid_fraction(self, field: xr.DataArray) -> xr.DataArray:
        """Share of the whole area of each target that has data [any dims, target; 1]."""
        field = self.checked(field)
        values, valid = self.apply(Sums(average=True), field)
        out: xr.DataArray = self.dress(values, valid, None, {}).coords["valid_fraction"]
        return out.drop_vars(["valid_fraction", "covered_fraction"])

    def regrid(self, field: xr.DataArray, *, min_valid_fraction: float = 0.0) -> xr.DataArray:
        """Conservative regridding to the cells of the target grid.

        Parameters
        ----------
        field : xarray.DataArray [any dims, y, x; any units]
            Intensive quantities and densities are averaged, amounts per cell are shared out by area.
        min_valid_fraction : float
            A target cell with a smaller valid share of its area becomes NaN. By default the mean of whatever
            part is valid stands for the cell (first-order conservative, normalised by the valid area), so
            that ``value * valid_fraction * cell area`` sums to the integral of the source.

        Returns
        -------
        xarray.DataArray [any dims, target y, target x; units of the field]

        Raises
        ------
        UsageError
            For classes, and when the targets are not cells.
        """
        if self.target.what != "cells":
            raise UsageError(
                f"regrid() was called on an overlap with {self.target.what}",
                expected="an overlap with a grid",
                todo="build it with Overlap.between(grid, field), or call mean()",
            )
        return self._weighted(
            field, "regrid", (*_AVERAGED, Kind.AMOUNT), min_valid_fraction=min_valid_fraction
        )

    def spread(
        self, amounts: xr.DataArray, weights: xr.DataArray | None = None, *, partly_outside: str = "refuse"
    ) -> xr.Dataset:
        """Split the amount of every target over its cells (dasymetric mapping).

        Parameters
        ----------
        amounts : xarray.DataArray [any dims, target; any units]
            Coordinates must name every target.
        weights : xarray.DataArray [any dims, y, x], optional
            Densities and intensive quantities count per area, amounts per cell (persons) as such. NaN
            counts as 0, negative values are refused. Without weights, by area.
        partly_outside : {"refuse", "fold"}
            What to do about targets that lie partly outside the grid: refuse, or put their whole amount into
            the part inside.

        Returns
        -------
        xarray.Dataset
            The amounts per cell [any dims, y, x; units of the amounts], NaN in cells of no target; and
            `fallback` [target], true where all weights were zero and the amount was split by area.
            The cells of a target hold its amount to rounding.

        Raises
        ------
        DataError
            When targets lie outside, names do not fit or weights are negative.
        """
        return spread(self, amounts, weights, partly_outside)

    def _of_cells(
        self,
        field: xr.DataArray,
        call: str,
        reduction: Reduction,
        method: str,
        *,
        units: Callable[[str], str] | None = None,
    ) -> xr.DataArray:
        field = self.checked(field)
        ensure_kind(field, _AVERAGED, call)
        values, valid = self.apply(reduction, field)
        new_units = units(units_of(field)) if units else None
        return self.dress(values, valid, field.name, result_attrs(field, method, units=new_units))

    def _weighted(
        self,
        field: xr.DataArray,
        call: str,
        kinds: Collection[Kind],
        *,
        units: Callable[[str], str] | None = None,
        min_valid_fraction: float = 0.0,
    ) -> xr.DataArray:
        field = self.checked(field)
        kind = ensure_kind(field, kinds, call)
        average = kind is not Kind.AMOUNT and call != "total"
        values, valid = self.apply(Sums(average, kind is Kind.AMOUNT, min_valid_fraction), field)
        new_units = units(units_of(field)) if units else None
        attrs = result_attrs(field, "mean" if average else "sum", units=new_units)
        return self.dress(values, valid, field.name, attrs)
