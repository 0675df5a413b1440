"""Zonal means of an array in memory, one function per method; each runs in a process of its own.

Every function takes the kind of workload and the number of runs, and gives times, memory and the means of the
first steps [zone, step], for the comparison with the area-weighted truth.
"""

from __future__ import annotations

import inspect
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import timing, workloads

# Steps of which the means are compared.
CHECKED = 2
_FEW = 3
# A mask of all zones on all cells that is larger than this is not tried.
_LARGEST_MASK_GB = 4.0


class Case:
    """Grid, zones and values of a workload."""

    def __init__(self, kind: str) -> None:
        columns, rows, count = workloads.SIZES[kind]
        self.grid = workloads.cell_grid(columns, rows)
        self.zones = workloads.polygons(workloads.ZONES[kind])
        self.values = workloads.field(columns, rows, count)

    @property
    def field(self) -> Any:
        """The values as a labelled array."""
        return self.grid.wrap(self.values, ("time",)).assign_attrs(units="degC")


def _report(call: Callable[[], Any], runs: int, means_of: Callable[[Any], Any] | None) -> dict[str, Any]:
    """Peak memory and means of a first call, and times; the first counts among few calls, for these are long."""
    first: list[Any] = []

    def once() -> None:
        first.append(call())

    times: list[float] = []
    _, memory = timing.peak_of(lambda: times.extend(timing.seconds_of(once, 1)))
    times = times + timing.seconds_of(call, runs - 1) if runs <= _FEW else timing.seconds_of(call, runs)
    found = {**timing.median_of(times), **memory}
    if means_of is not None:
        found["means"] = np.asarray(means_of(first[0]), dtype="float64")[:, :CHECKED].tolist()
    return found


def _compiled() -> None:
    """Compile all kernels that the measurement will use."""
    from geotools.space import Overlap

    case = Case("small")
    Overlap.between(case.zones, case.grid).mean(case.field)


def read(kind: str, runs: int) -> dict[str, Any]:
    """Going through the array once: the limit of what is possible."""
    values = Case(kind).values
    found = _report(lambda: values.max(initial=0, where=True), runs, None)
    return {**found, "input_mb": values.nbytes / 1e6}


def truth(kind: str) -> dict[str, Any]:
    """Area-weighted means, cell by cell in float64 with the areas of the overlap written out as a matrix."""
    from geotools.space import Overlap

    case = Case(kind)
    areas = Overlap.between(case.zones, case.grid).area
    flat = case.values[:CHECKED].reshape(CHECKED, -1).astype("float64")
    known = ~np.isnan(flat)
    sums = areas @ np.where(known, flat, 0.0).T
    return {"means": (sums / (areas @ known.astype("float64").T)).tolist()}


def geotools_reused(kind: str, runs: int) -> dict[str, Any]:
    """A mean with an overlap that is there already."""
    from geotools.space import Overlap

    _compiled()
    case = Case(kind)
    field, overlap = case.field, Overlap.between(case.zones, case.grid)
    overlap.mean(field)
    found = _report(lambda: overlap.mean(field), runs, lambda means: means.values.T)
    return {**found, "overlap_mb": overlap.matrix.nbytes / 1e6}


def geotools_build(kind: str, runs: int) -> dict[str, Any]:
    """Building the overlap alone."""
    from geotools.space import Overlap

    _compiled()
    case = Case(kind)
    return _report(lambda: Overlap.between(case.zones, case.grid), runs, None)


def geotools_once(kind: str, runs: int) -> dict[str, Any]:
    """Building the overlap and one mean."""
    from geotools.space import Overlap

    _compiled()
    case = Case(kind)
    field = case.field
    return _report(
        lambda: Overlap.between(case.zones, case.grid).mean(field), runs, lambda means: means.values.T
    )


def geotools_loaded(kind: str, runs: int) -> dict[str, Any]:
    """Loading a saved overlap and one mean."""
    from geotools.space import Overlap

    if not hasattr(Overlap, "load"):
        return {"skipped": "this version cannot save overlaps"}
    _compiled()
    case = Case(kind)
    field = case.field
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "overlap.npz"
        Overlap.between(case.zones, case.grid).save(path)
        found = _report(lambda: Overlap.load(path).mean(field), runs, lambda means: means.values.T)
        return {**found, "file_mb": path.stat().st_size / 1e6}


def geotools_cached(kind: str, runs: int) -> dict[str, Any]:
    """Overlap.between with a cache folder that holds the overlap already, and one mean."""
    from geotools.space import Overlap

    if "cache" not in inspect.signature(Overlap.between).parameters:
        return {"skipped": "this version has no cache of overlaps"}
    _compiled()
    case = Case(kind)
    field = case.field
    with tempfile.TemporaryDirectory() as folder:
        Overlap.between(case.zones, case.grid, cache=folder)
        return _report(
            lambda: Overlap.between(case.zones, case.grid, cache=folder).mean(field),
            runs,
            lambda means: means.values.T,
        )


def exactextract_by_raster(kind: str, runs: int) -> dict[str, Any]:
    """exactextract, raster-sequential, with an area raster as weights."""
    return _exactextract(kind, runs, "raster-sequential")


def exactextract_by_feature(kind: str, runs: int) -> dict[str, Any]:
    """exactextract, feature-sequential, with an area raster as weights."""
    return _exactextract(kind, runs, "feature-sequential")


def _exactextract(kind: str, runs: int, strategy: str) -> dict[str, Any]:
    from exactextract import exact_extract
    from exactextract.raster import NumPyRasterSource

    case = Case(kind)
    west, south, east, north = case.grid.bounds
    box = {"xmin": west, "ymin": south, "xmax": east, "ymax": north}
    areas = case.grid.cell_areas()

    def call() -> Any:
        bands = [NumPyRasterSource(band, **box, name=f"b{k}") for k, band in enumerate(case.values)]
        weights = NumPyRasterSource(areas, **box, name="area")
        return exact_extract(
            bands, case.zones, "weighted_mean", weights=weights, strategy=strategy, output="pandas"
        )

    return _report(call, runs, lambda table: table.to_numpy(dtype="float64"))


def xvec_exactextract(kind: str, runs: int) -> dict[str, Any]:
    """Zonal statistics of xvec with exactextract, which takes no areas as weights."""
    return _xvec(kind, runs, "exactextract")


def xvec_rasterize(kind: str, runs: int) -> dict[str, Any]:
    """Zonal statistics of xvec with rasterised zones: whole cells by their centre, each in one zone only."""
    return _xvec(kind, runs, "rasterize")


def _xvec(kind: str, runs: int, method: str) -> dict[str, Any]:
    import rioxarray  # noqa: F401  (xvec asks it for the transform)
    import xvec  # noqa: F401

    case = Case(kind)
    field = case.field.rio.write_crs(4326)
    return _report(
        lambda: field.xvec.zonal_stats(case.zones.geometry, "lon", "lat", stats="mean", method=method),
        runs,
        lambda means: means.transpose("geometry", "time").values,
    )


def regionmask_fractions(kind: str, runs: int) -> dict[str, Any]:
    """Approximate shares of regionmask times cell areas as the weights of xarray's weighted mean."""
    import regionmask

    columns, rows, _ = workloads.SIZES[kind]
    mask_gb = workloads.ZONES[kind] * columns * rows * 8 / 1e9
    if mask_gb > _LARGEST_MASK_GB:
        return {"skipped": f"the mask of all zones on all cells would take {mask_gb:.0f} GB"}
    case = Case(kind)
    field, areas = case.field, case.grid.area()

    def call() -> Any:
        regions = regionmask.from_geopandas(case.zones, overlap=True)
        shares = regions.mask_3D_frac_approx(field["lon"], field["lat"], drop=False)
        return field.weighted(shares * areas).mean(("lat", "lon")).transpose("region", "time")

    return _report(call, runs, lambda means: means.values)


def rasterstats_means(kind: str, runs: int) -> dict[str, Any]:
    """Zonal statistics of rasterstats, step by step: whole cells by their centre, without weights."""
    from rasterio.transform import from_bounds
    from rasterstats import zonal_stats

    case = Case(kind)
    columns, rows, _ = workloads.SIZES[kind]
    affine = from_bounds(*workloads.DOMAIN, columns, rows)

    def call() -> Any:
        steps = [
            zonal_stats(case.zones, band, affine=affine, nodata=np.nan, stats="mean") for band in case.values
        ]
        return [[zone["mean"] for zone in step] for step in steps]

    return _report(call, runs, np.transpose)
