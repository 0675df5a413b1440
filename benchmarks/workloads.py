"""The zonal workloads: grids, polygons and fields, generated."""

import geopandas as gpd
import numpy as np
import shapely


def grid(kind):
    """Cell centres of the coarse (750 x 350, 120 steps) or fine (7500 x 4200, 12 steps) grid over 70-145E, 40-75N."""
    nx, ny, steps = (750, 350, 120) if kind == "coarse" else (7500, 4200, 12)
    dx, dy = 75 / nx, 35 / ny
    return 70 + dx * (np.arange(nx) + 0.5), 75 - dy * (np.arange(ny) + 0.5), steps


def polygons(n=100, seed=1):
    """Star-shaped zones with 1,000 to 20,000 vertices that overlap each other about 2.5 times."""
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


def field(kind, seed=0):
    """float32 [time, y, x], about 9 % missing, with a latitude gradient."""
    x, y, steps = grid(kind)
    rng = np.random.default_rng(seed)
    base = (
        10
        + 5 * np.sin(np.deg2rad(7 * x))[None, :] * np.cos(np.deg2rad(11 * y))[:, None]
        + 0.2 * (y[:, None] - 57)
    )
    a = rng.standard_normal((steps, y.size, x.size), dtype="f4")
    a += base.astype("f4")
    a[:, np.sin(np.deg2rad(23 * x))[None, :] * np.sin(np.deg2rad(31 * y))[:, None] > 0.75] = np.nan
    for step in a:
        step.ravel()[rng.integers(0, step.size, step.size // 100)] = np.nan
    return a
