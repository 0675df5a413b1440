"""Conservative regridding, one function per method; each runs in a process of its own.

The case `lonlat` goes from 0.1 to 0.36 degrees, the case `polar` from longitude and latitude to 25 km cells of the
polar equal-area grid EPSG:6931 that hold the whole source. Fields have a latitude gradient: without one, planar
methods look far better than they are.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks import timing, workloads

_POLAR = "EPSG:6931"
_CELL = 25_000.0


class Case:
    """Source and target grid, and a field between them."""

    def __init__(self, name: str, missing: bool, quick: bool) -> None:
        from geotools.space import Grid

        west, south, east, north = (
            (72.0, 36.0, 144.0, 72.0) if name == "lonlat" else (100.0, 50.0, 140.0, 75.0)
        )
        step = 0.4 if quick else 0.1
        self.step, self.name = step, name
        columns, rows = round((east - west) / step), round((north - south) / step)
        self.x = west + step * np.arange(columns + 1)
        self.y = north - step * np.arange(rows + 1)
        self.source = Grid(self.x, self.y, "EPSG:4326", "lon", "lat")
        if name == "lonlat":
            self.target_step = 3.6 * step
            over, up = round((east - west) / self.target_step), round((north - south) / self.target_step)
            self.target_x = west + self.target_step * np.arange(over + 1)
            self.target_y = north - self.target_step * np.arange(up + 1)
            self.target = Grid(self.target_x, self.target_y, "EPSG:4326", "lon", "lat")
        else:
            self.target_step = _CELL * (4 if quick else 1)
            self.target_x, self.target_y = _polar_edges(self.x, self.y, self.target_step)
            self.target = Grid(self.target_x, self.target_y, _POLAR, "x", "y")
        centres = (0.5 * (e[1:] + e[:-1]) for e in (self.x, self.y))
        self.values = np.stack(list(workloads.steps(*centres, 2 if quick else 24, missing=missing)))

    @property
    def field(self) -> Any:
        """The values as a labelled array."""
        return self.source.wrap(self.values, ("time",)).assign_attrs(units="kg m-2")


def _polar_edges(x: Any, y: Any, step: float) -> tuple[Any, Any]:
    """Edges of polar cells that hold a rectangle of longitude and latitude."""
    from pyproj import Transformer

    lon = np.concatenate((x, x, np.full(y.size, x[0]), np.full(y.size, x[-1])))
    lat = np.concatenate((np.full(x.size, y[0]), np.full(x.size, y[-1]), y, y))
    east, north = Transformer.from_crs("EPSG:4326", _POLAR, always_xy=True).transform(lon, lat)
    low = [math.floor(v.min() / step) - 1 for v in (east, north)]
    high = [math.ceil(v.max() / step) + 1 for v in (east, north)]
    return step * np.arange(low[0], high[0] + 1), step * np.arange(high[1], low[1] - 1, -1.0)


def truth(name: str, missing: bool, quick: bool, path: str) -> dict[str, Any]:
    """Means of the valid part and valid areas of target cells, into a file.

    Between grids of longitude and latitude the areas that cells share are a product of what their latitudes share
    on the ellipsoid and what their longitudes share: the truth there needs no overlap.
    """
    case = Case(name, missing, quick)
    known = ~np.isnan(case.values)
    filled = np.where(known, case.values, 0).astype("float64")
    if name == "lonlat":
        from geotools.space.geodesy import authalic_ordinate

        across = _shared(case.target_x, case.x)
        along = _shared(-authalic_ordinate(case.target_y), -authalic_ordinate(case.y))
        sums, areas = (along @ part @ across.T for part in (filled, known.astype("float64")))
    else:
        from geotools.space import Overlap

        matrix = Overlap.between(case.target, case.source).area
        shape = (len(filled), *case.target.shape)
        sums, areas = (
            (matrix @ part.reshape(len(part), -1).astype("float64").T).T.reshape(shape)
            for part in (filled, known)
        )
    with np.errstate(invalid="ignore"):
        np.savez(path, means=sums / areas, areas=areas, whole=case.target.cell_areas())
    return {"empty_cells": int((areas[0] == 0).sum()), "cells": int(areas[0].size)}


def _shared(target: Any, source: Any) -> Any:
    """Lengths that intervals share [target, source], both ascending."""
    low = np.maximum(target[:-1, None], source[None, :-1])
    high = np.minimum(target[1:, None], source[None, 1:])
    return np.maximum(0.0, high - low)


def _report(case: Case, call: Callable[[], Any], runs: int, path: str) -> dict[str, Any]:
    """Times, memory, and the values against the truth."""
    call()
    out, memory = timing.peak_of(call)
    values = np.asarray(out, dtype="float64")
    right = np.load(path)
    means, areas = right["means"], right["areas"]
    source_areas = case.source.cell_areas()
    lost = []
    for step, found, area in zip(case.values, values, areas, strict=True):
        known = ~np.isnan(step)
        whole = math.fsum((step[known].astype("float64") * source_areas[known]).tolist())
        # A value stands for the valid part of its cell: what is NaN there, or was left out, is lost.
        kept = math.fsum(np.where(np.isnan(found), 0.0, found * area)[area > 0].tolist())
        lost.append(abs(kept - whole) / abs(whole))
    both = ~np.isnan(values) & ~np.isnan(means)
    apart = np.abs(values - means)[both]
    return {
        **timing.median_of(timing.seconds_of(call, runs)),
        **memory,
        "conservation_error": float(np.max(lost)),
        "largest_difference_from_truth": float(apart.max()),
        "cells_wrongly_nan": int((np.isnan(values) & ~np.isnan(means)).sum()),
        "cells_wrongly_filled": int((~np.isnan(values) & np.isnan(means)).sum()),
    }


def geotools_reused(name: str, missing: bool, quick: bool, path: str, runs: int) -> dict[str, Any]:
    """Regridding with an overlap that is there already."""
    from geotools.space import Overlap

    case = Case(name, missing, quick)
    overlap, field = Overlap.between(case.target, case.source), case.field
    return _report(case, lambda: overlap.regrid(field).values, runs, path)


def geotools_once(name: str, missing: bool, quick: bool, path: str, runs: int) -> dict[str, Any]:
    """Building the overlap and regridding."""
    from geotools.space import Overlap

    case = Case(name, missing, quick)
    field = case.field
    return _report(case, lambda: Overlap.between(case.target, case.source).regrid(field).values, runs, path)


def xarray_regrid_conservative(name: str, missing: bool, quick: bool, path: str, runs: int) -> dict[str, Any]:
    """xarray-regrid, conservative with its spherical correction; it normalises by the valid part (skipna)."""
    import xarray as xr
    import xarray_regrid  # noqa: F401

    if name != "lonlat":
        return {"skipped": "it regrids between longitude-latitude grids only"}
    case = Case(name, missing, quick)
    # It takes ascending coordinates, without the scalar of the CRS.
    field = case.field.drop_vars("spatial_ref").sortby("lat")
    target = xr.Dataset(coords={"lat": np.sort(case.target.y), "lon": case.target.x})
    return _report(
        case,
        lambda: (
            field.regrid.conservative(target, latitude_coord="lat", skipna=missing)
            .transpose("time", "lat", "lon")
            .values[:, ::-1]
        ),
        runs,
        path,
    )


def rasterio_average(name: str, missing: bool, quick: bool, path: str, runs: int) -> dict[str, Any]:
    """GDAL's warper through rasterio with the average of the valid part, in the plane of the grids."""
    from rasterio.transform import Affine
    from rasterio.warp import Resampling, reproject

    case = Case(name, missing, quick)
    source = Affine(case.step, 0, case.x[0], 0, -case.step, case.y[0])
    target = Affine(case.target_step, 0, case.target_x[0], 0, -case.target_step, case.target_y[0])

    def call() -> Any:
        out = np.full((len(case.values), *case.target.shape), np.nan, dtype="f4")
        reproject(
            case.values, out, src_transform=source, src_crs="EPSG:4326", src_nodata=np.nan,
            dst_transform=target, dst_crs=str(case.target.crs.to_string()), dst_nodata=np.nan,
            resampling=Resampling.average,
            # Otherwise a cell without data in one step is left out of all.
            UNIFIED_SRC_NODATA="NO",
        )  # fmt: skip
        return out

    return _report(case, call, runs, path)
