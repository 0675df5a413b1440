"""The workloads: grids, polygons and fields, generated."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import geopandas as gpd
import numpy as np
import shapely

# Degrees: west, south, east, north.
DOMAIN = (70.0, 40.0, 145.0, 75.0)
# Columns, rows, steps.
SIZES = {"coarse": (750, 350, 120), "fine": (7500, 4200, 12), "small": (150, 70, 6)}
ZONES = {"coarse": 100, "fine": 100, "small": 12}


def edges(columns: int, rows: int) -> tuple[Any, Any]:
    """Edges of cells in longitude, and in latitude from the north."""
    west, south, east, north = DOMAIN
    x = west + (east - west) / columns * np.arange(columns + 1)
    y = north - (north - south) / rows * np.arange(rows + 1)
    return x, y


def cell_grid(columns: int, rows: int) -> Any:
    """The grid as geotools knows it."""
    from geotools.space import Grid

    return Grid(*edges(columns, rows), "EPSG:4326", "lon", "lat")


def polygons(n: int = 100, seed: int = 1) -> gpd.GeoDataFrame:
    """Star-shaped zones with 1,000 to 20,000 vertices; 100 of them overlap each other about 2.5 times."""
    rng, zones = np.random.default_rng(seed), []
    while len(zones) < n:
        nv = int(np.exp(rng.uniform(np.log(1000), np.log(20000))))
        radius = np.exp(rng.uniform(np.log(0.8), np.log(7)))
        k = np.arange(1, nv // 4)
        spectrum = np.zeros(nv // 2 + 1, complex)
        spectrum[1 : k.size + 1] = (
            k**-1.3 * np.exp(1j * rng.uniform(0, 2 * np.pi, k.size)) * rng.normal(size=k.size)
        )
        wiggle = np.fft.irfft(spectrum, nv)
        r = radius * np.exp(0.25 * wiggle / wiggle.std())
        angle = np.linspace(0, 2 * np.pi, nv, endpoint=False)
        x, y = rng.uniform(75, 140) + 1.5 * r * np.cos(angle), rng.uniform(44, 71) + r * np.sin(angle)
        zone = shapely.Polygon(np.c_[x, y])
        if x.min() > 70.2 and x.max() < 144.8 and y.min() > 40.2 and y.max() < 74.8 and zone.is_valid:
            zones.append(zone)
    return gpd.GeoDataFrame({"zone": np.arange(n)}, geometry=zones, crs=4326)


def tiling(n: int, seed: int = 2) -> gpd.GeoDataFrame:
    """Polygons that cover the domain without gap or overlap."""
    rng, box = np.random.default_rng(seed), shapely.box(*DOMAIN)
    west, south, east, north = DOMAIN
    seeds = np.column_stack((rng.uniform(west, east, n), rng.uniform(south, north, n)))
    cells = shapely.voronoi_polygons(shapely.MultiPoint(seeds), extend_to=box)
    parts = shapely.intersection(np.array(cells.geoms), box)
    return gpd.GeoDataFrame({"zone": np.arange(len(parts))}, geometry=parts, crs=4326)


def steps(x: Any, y: Any, count: int, seed: int = 0, missing: bool = True) -> Iterator[Any]:
    """One float32 field [y, x] after the other, with a latitude gradient and, unless told, about 9 % missing."""
    rng = np.random.default_rng(seed)
    base = (
        10
        + 5 * np.sin(np.deg2rad(7 * x))[None, :] * np.cos(np.deg2rad(11 * y))[:, None]
        + 0.2 * (y[:, None] - 57)
    ).astype("f4")
    sea = np.sin(np.deg2rad(23 * x))[None, :] * np.sin(np.deg2rad(31 * y))[:, None] > 0.75
    for _ in range(count):
        step = rng.standard_normal(base.shape, dtype="f4")
        step += base
        if missing:
            step[sea] = np.nan
            step.ravel()[rng.integers(0, step.size, step.size // 100)] = np.nan
        yield step


def field(columns: int, rows: int, count: int, seed: int = 0, missing: bool = True) -> Any:
    """The steps as one array [step, y, x; degC]."""
    x, y = (0.5 * (e[1:] + e[:-1]) for e in edges(columns, rows))
    out = np.empty((count, rows, columns), dtype="f4")
    for k, step in enumerate(steps(x, y, count, seed, missing)):
        out[k] = step
    return out
