"""Statistics of the segments of a transect, and samples along its line, as one dataset with a dimension along it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from geotools.errors import DataError, UsageError
from geotools.metadata import kind_of
from geotools.space.cache import Cache
from geotools.space.curvilinear import CurvilinearGrid
from geotools.space.fields import ensure_field, ensure_kind, label_of, result_attrs
from geotools.space.grid import Grid
from geotools.space.grids import AnyGrid, grid_of
from geotools.space.line_samples import around, bilinear, cell_size_km, holding
from geotools.space.overlap import Overlap
from geotools.space.reductions import Counts, Sums
from geotools.vocabulary import Kind

if TYPE_CHECKING:
    from geotools.space.transect import Transect

Source = xr.Dataset | xr.DataArray | Mapping[str, xr.DataArray]

STATISTICS = ("mean", "median", "p10", "p90", "sd")
_QUANTILE = re.compile(r"p([1-9]?[0-9])")
_SIMPLE = ("mean", "minimum", "maximum")
# Of results, for one field each; the dataset holds them as variables of their own.
_BESIDE = ("valid_fraction", "covered_fraction", "flag_value")
# The attribute of CF that leads from a statistic to its coverage.
_BY = "ancillary_variables"
# A fully covered half may come out at 0.5 - 1e-16.
_ROUNDING = 1e-9
_PLACES = {
    "distance_km": {"long_name": "distance from the start of the transect", "units": "km"},
    "lat": {"standard_name": "latitude", "long_name": "latitude of the middle", "units": "degrees_north"},
    "lon": {"standard_name": "longitude", "long_name": "longitude of the middle", "units": "degrees_east"},
}


def extract(
    transect: Transect,
    data: Source,
    *,
    statistics: Sequence[str],
    min_coverage: float,
    overlap: Overlap | None = None,
    cache: Cache = None,
) -> xr.Dataset:
    """Statistics of every segment; see `Transect.extract`."""
    levels = _levels(statistics)
    _check_share(min_coverage)
    overlaps: dict[str, Overlap] = {}
    out = xr.Dataset()
    for name, field, grid in _fields(data):
        if grid.key not in overlaps:
            overlaps[grid.key] = overlap or Overlap.between(transect, grid, cache=cache)
        found = _of_field(overlaps[grid.key], field.rename(name), statistics, levels)
        out = _joined(out, {f"{name}_{statistic}": result for statistic, result in found.items()}, "segment")
    out = covered(out, min_coverage)
    segments = transect.segments
    edges = segments[["distance_start_km", "distance_end_km"]].to_numpy()
    area = next(iter(overlaps.values())).zone_areas
    out["segment_area"] = (
        "segment", area.values, {"long_name": "area of the segment", "standard_name": "cell_area", "units": "m2"}
    )  # fmt: skip
    out["distance_km_bnds"] = (("segment", "nv"), edges)
    out = out.assign_coords({"segment": segments.index.to_numpy(), **_places(segments, "segment")})
    out["distance_km"].attrs["bounds"] = "distance_km_bnds"
    width = f"{2 * transect.half_width_km:g} km"
    comment = (
        f"Statistics of the cells of each segment of {transect.name}, a strip {width} wide; missing where "
    )
    return out.assign_attrs(comment=f"{comment}less than {min_coverage:.0%} of a segment had data.")


def covered(extracted: xr.Dataset, min_coverage: float) -> xr.Dataset:
    """Statistics without those of segments of which a smaller share had data.

    Parameters
    ----------
    extracted : xarray.Dataset [any dims, segment]
        From `extract`.
    min_coverage : float
        Share of the area of a segment.

    Returns
    -------
    xarray.Dataset [any dims, segment]
    """
    out = extracted.copy()
    for name, field in extracted.data_vars.items():
        beside = next((n for n in field.attrs.get(_BY, "").split() if n.endswith("_coverage")), None)
        if beside is not None:
            # As variables: comparing the coordinates of two lazy arrays would compute them.
            enough: Any = extracted[beside].variable >= min_coverage - _ROUNDING
            out[name] = field.variable.where(enough)  # type: ignore[no-untyped-call]
    return out


def sample(
    transect: Transect, data: Source, *, spacing_km: float, min_coverage: float, tell_outside: bool = True
) -> xr.Dataset:
    """Values at points of the line; see `Transect.sample`. Callers may tell of points outside by themselves."""
    _check_share(min_coverage)
    points = transect.points(spacing_km).rename_axis("point")
    weights: dict[tuple[str, bool], tuple[Overlap, str]] = {}
    out = xr.Dataset()
    for name, field, grid in _fields(data):
        kind = kind_of(field)
        if kind is Kind.AMOUNT:
            ensure_kind(field, (Kind.INTENSIVE, Kind.DENSITY, Kind.CLASS), "sample")
        classes = kind is Kind.CLASS
        key = (grid.key, classes)
        if key not in weights:
            weights[key] = _weights(points, grid, classes, spacing_km, tell_outside)
        overlap, how = weights[key]
        checked = overlap.checked(field.rename(name))
        missing = field.encoding.get("_FillValue")
        if classes and missing is not None and field.dtype.kind in "iu":
            checked = checked.where(checked != missing)
        values, _ = overlap.apply(Sums(True, False, min_coverage), checked)
        attrs = result_attrs(field, "mean" if how.startswith("mean") else "point")
        if classes:
            attrs |= {k: field.attrs[k] for k in ("flag_values", "flag_meanings") if k in field.attrs}
        out = _joined(out, {name: values.assign_attrs({**attrs, "comment": how})}, "point")
    out = out.assign_coords({"point": points.index.to_numpy(), **_places(points, "point")})
    return out.assign_attrs(comment=f"Values every {spacing_km:g} km along {transect.name}.")


def _weights(
    points: Any, grid: AnyGrid, classes: bool, spacing_km: float, tell_outside: bool
) -> tuple[Overlap, str]:
    """Weights of the cells for each point, and in words how they were chosen."""
    cells = holding(points, grid, tell_outside=tell_outside)
    if classes:
        return cells, "class of the cell that holds the point"
    size = cell_size_km(cells)
    if isinstance(grid, Grid) and not size <= spacing_km:
        return bilinear(points, grid), f"bilinear between centres of cells of about {size:.3g} km"
    # Cells with four corners have no axes to interpolate along: the circle is then as wide as a cell at least.
    radius = max(spacing_km, size) / 2 if isinstance(grid, CurvilinearGrid) else spacing_km / 2
    return around(
        points, grid, radius, tell_outside=tell_outside
    ), f"mean within {radius:.3g} km of the point"


def _fields(data: Source) -> Iterator[tuple[str, xr.DataArray, AnyGrid]]:
    """Names, fields and their grids; variables of a dataset that lie on no grid are passed over."""
    if isinstance(data, xr.DataArray):
        if data.name is None:
            raise UsageError("the DataArray has no name", todo="field.rename('name')")
        yield str(data.name), *_on_grid(data, grid_of(ensure_field(data)))
        return
    if isinstance(data, xr.Dataset):
        grid = grid_of(data)
        bounds = {v.attrs.get("bounds", v.encoding.get("bounds")) for v in data.variables.values()}
        fields = {
            str(n): v for n, v in data.data_vars.items() if set(grid.dims) <= set(v.dims) and n not in bounds
        }
        if not fields:
            raise UsageError("the dataset holds no variable on its grid", expected=f"dimensions {grid.dims}")
        # A variable that is taken out of a dataset brings its coordinates with it, and nothing else.
        mappings = {str(v.attrs.get("grid_mapping", v.encoding.get("grid_mapping"))) for v in fields.values()}
        data = data.set_coords(mappings & set(map(str, data.data_vars)))
        yield from ((n, *_on_grid(data[n], grid)) for n in fields if data[n].dtype.kind in "biuf")
        return
    if not isinstance(data, Mapping) or not data:
        raise UsageError(
            f"{'nothing' if isinstance(data, Mapping) else f'a {type(data).__name__}'} was given to extract from",
            expected="a Dataset, a DataArray or a mapping of names to DataArrays",
        )
    yield from ((str(name), *_on_grid(field, grid_of(ensure_field(field)))) for name, field in data.items())


def _on_grid(field: xr.DataArray, grid: AnyGrid) -> tuple[xr.DataArray, AnyGrid]:
    """A field with its grid; coordinates of its other dimensions, which are small, are read."""
    small = {n: c.compute() for n, c in field.coords.items() if c.chunks and not set(grid.dims) & set(c.dims)}
    return field.assign_coords(small), grid


def _of_field(
    overlap: Overlap, field: xr.DataArray, statistics: Sequence[str], levels: dict[str, float]
) -> dict[str, xr.DataArray]:
    """Statistics of one field by name, with the coverage and the number of cells beside them."""
    kind, name = kind_of(field), str(field.name)
    what = str(field.attrs.get("long_name", name))
    if kind is Kind.CLASS:
        share = overlap.class_fraction(field, class_dim=f"{name}_class")
        found = {"fraction": share.assign_attrs(standard_name="area_fraction")}
    elif kind is Kind.AMOUNT:
        found = {"sum": overlap.sum(field)}
    else:
        found = _continuous(overlap, field, statistics, levels)
    counts, _ = overlap.apply(Counts(), overlap.checked(field))
    beside = {
        "coverage": next(iter(found.values()))["valid_fraction"].assign_attrs(
            long_name=f"share of the segment that had data of {what}", units="1"
        ),
        "cells": counts.astype("int32").assign_attrs(
            long_name=f"cells with data of {what} that the segment touches",
            standard_name="number_of_observations",
            units="1",
        ),
    }
    for result in found.values():
        result.attrs[_BY] = " ".join(f"{name}_{key}" for key in beside)
    return {**found, **beside}


def _continuous(
    overlap: Overlap, field: xr.DataArray, statistics: Sequence[str], levels: dict[str, float]
) -> dict[str, xr.DataArray]:
    what = str(field.attrs.get("long_name", field.name))
    found: dict[str, xr.DataArray] = {}
    spread = overlap.quantile(field, list(levels.values())) if levels else None
    for statistic in statistics:
        if spread is not None and statistic in levels:
            result = spread.isel(quantile=list(levels).index(statistic)).drop_vars("quantile")
            words = f"{levels[statistic]:.0%} quantile of the area of the segment"
            if statistic == "median":
                result.attrs, words = result_attrs(field, "median"), "median of the segment"
        elif statistic == "sd":
            result, words = _root(overlap.variance(field), field), "standard deviation of the segment"
        else:
            result, words = getattr(overlap, statistic)(field), f"{statistic} of the segment"
        found[statistic] = result.assign_attrs(long_name=f"{what}, {words}")
    return found


def _root(variance: xr.DataArray, field: xr.DataArray) -> xr.DataArray:
    attrs = result_attrs(field, "standard_deviation")
    if attrs.get("units") in ("degC", "K"):
        # A spread is a difference, whose kelvins must not be shifted when units are converted.
        attrs |= {"units": "K", "units_metadata": "temperature: difference"}
    root: xr.DataArray = variance.copy(data=np.sqrt(variance.variable).data)
    root.attrs = attrs
    return root


def _joined(out: xr.Dataset, found: Mapping[str, xr.DataArray], line: str) -> xr.Dataset:
    """A dataset with more variables, whose further axes have to be those that it has already."""
    for name, result in found.items():
        for axis, coordinate in result.coords.items():
            if not coordinate.dims or line in coordinate.dims or axis in _BESIDE:
                continue
            if axis in out.coords and not np.array_equal(out[axis].values, coordinate.values):
                raise DataError(
                    f"its {axis!r} is another than that of the variables before it",
                    where=label_of(result),
                    todo="extract it by itself",
                )
            out = out.assign_coords({axis: coordinate.variable})
        out = out.assign({name: result.variable})
    return out


def _places(table: Any, dim: str) -> dict[str, Any]:
    return {name: (dim, table[name].to_numpy(), dict(attrs)) for name, attrs in _PLACES.items()}


def _levels(statistics: Sequence[str]) -> dict[str, float]:
    """The quantiles among some statistics, by name."""
    if isinstance(statistics, str):
        raise UsageError(f"statistics is the text {statistics!r}", expected="a sequence of names")
    found = {}
    for name in statistics:
        match = _QUANTILE.fullmatch(name)
        if match or name == "median":
            found[name] = int(match[1]) / 100 if match else 0.5
        elif name not in (*_SIMPLE, "sd"):
            raise UsageError(
                f"there is no statistic {name!r}",
                expected=f"some of {', '.join((*_SIMPLE, 'median', 'sd', 'p1 to p99'))}",
            )
    if not statistics or len(set(statistics)) != len(statistics):
        raise UsageError("no statistic is named, or one twice", expected="some names, each once")
    return found


def _check_share(share: float) -> None:
    if not 0 <= share <= 1:
        raise UsageError(f"min_coverage is {share!r}", expected="a share from 0 to 1")
