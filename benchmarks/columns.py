"""Columns of frozen ground: this library against two ways to write the same scheme with NumPy and SciPy.

``python -m benchmarks.columns --json OUT`` writes column-days per second, ratios and peak memory. All methods solve
the same equations with the same stopping rule (Newton iterations on enthalpy until no cell leaves its line):
``numpy`` over all columns at once with a loop over cells, ``solve_banded`` column by column. Every method runs in a
process of its own; kernels are compiled before the clock starts. The forcing is an annual cycle with weather
(first-order autoregressive, 5 K, 0.7 from day to day). Agreement of the three says that they did the same work, and
nothing about its being right: exact solutions do that, in the tests.

``permamodel_ku`` is the Kudryavtsev model of permamodel, where that is installed (extra ``bench``): the equilibrium of
a year in closed form, another problem, and told in columns per second.
"""

from __future__ import annotations

import argparse
import json
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

CELLS = 80
WIDTH = 0.05  # K, of the mushy zone
DAY = 86400.0
FLUX = 0.05
# Columns and years: the slow methods get fewer, their rate does not depend on it.
SIZES = {
    "geotools": (2048, 4),
    "geotools_snow": (2048, 4),
    "geotools_power_law": (512, 4),
    "geotools_one_core": (1024, 4),
    "numpy": (512, 1),
    "solve_banded": (1, 1),
}
PEER, PEER_SIDE = "permamodel_ku", 316
RUNS = {
    "geotools": 7,
    "geotools_snow": 3,
    "geotools_power_law": 3,
    "geotools_one_core": 3,
    "numpy": 3,
    "solve_banded": 3,
}
GROUND = {"kt": 1.0, "kf": 1.8, "ct": 2.8e6, "cf": 2.0e6, "water": 0.4}


def edges() -> np.ndarray:
    """Faces of 80 cells: 0.02 m to 1 m depth, growing to 50 m below."""
    steps = np.full(CELLS, 0.02)
    for i in range(50, CELLS):
        steps[i] = steps[i - 1] * 1.215
    return np.concatenate([[0.0], np.cumsum(steps)])


def weather(columns: int, years: int) -> np.ndarray:
    """Daily air temperature [time, column; degC]."""
    rng = np.random.default_rng(20)
    days = 365 * years
    shocks = rng.normal(0.0, 5.0 * np.sqrt(1 - 0.7**2), (days, columns))
    for n in range(1, days):
        shocks[n] += 0.7 * shocks[n - 1]
    cycle = 25.0 * np.cos(2 * np.pi * (np.arange(days) - 200) / 365.0)
    return np.linspace(-12.0, -4.0, columns) + cycle[:, None] + shocks


def with_geotools(forcing: np.ndarray, snow: bool, power: bool, cores: int) -> Callable[[], np.ndarray]:
    """A run of `simulate` with annual statistics; returns the last temperatures [column, cell]."""
    import xarray as xr

    from geotools.permafrost import (
        MushyZone,
        PowerLaw,
        SnowCover,
        SoilColumn,
        SoilLayer,
        column_fields,
        simulate,
    )

    layer = SoilLayer(
        float("inf"),
        water=GROUND["water"],
        porosity=0.45,
        conductivity_thawed=GROUND["kt"],
        conductivity_frozen=GROUND["kf"],
        heat_capacity_thawed=GROUND["ct"],
        heat_capacity_frozen=GROUND["cf"],
        freezing_curve=PowerLaw() if power else MushyZone(WIDTH),
    )
    column = SoilColumn([layer], edges=edges(), geothermal_flux=FLUX)
    times = xr.date_range("2001-01-01", periods=forcing.shape[0], calendar="noleap", use_cftime=True)
    air = xr.DataArray(forcing, dims=("time", "x"), coords={"time": times}, attrs={"units": "degC"})
    options: dict[str, Any] = {"initial_temperature": -5.0, "depths": column.centres}
    if snow:
        day = np.arange(forcing.shape[0])
        depth = 0.35 * np.clip(np.cos(2 * np.pi * (day - 20) / 365.0), 0.0, None)
        options["snow_depth"] = xr.DataArray(depth, dims="time", coords={"time": times}, attrs={"units": "m"})
        options["snow"] = SnowCover(200.0, conductivity_method="calonne2011")

    def run() -> np.ndarray:
        # Here and not above: each run sets the number for itself.
        column_fields.available_cores = lambda: cores
        out = simulate(column, air, **options)
        return np.asarray(out["state_enthalpy"].transpose("x", "cell").values)

    return run


def _start(columns: int) -> tuple[np.ndarray, ...]:
    dz = np.diff(edges())
    heat = 3.34e8 * GROUND["water"] + 0.5 * (GROUND["cf"] + GROUND["ct"]) * WIDTH
    half = 0.5 * dz / GROUND["kf"]
    start = -5.0 + FLUX * (np.cumsum(2 * half) - half)
    enthalpy = GROUND["cf"] * (start + WIDTH)
    return dz, np.repeat(enthalpy[:, None], columns, axis=1), np.float64(heat)


def _lines(h: np.ndarray, heat: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    part = np.where(h < 0.0, 0, np.where(h > heat, 2, 1))
    slope = np.array([GROUND["cf"], heat / WIDTH, GROUND["ct"]])[part]
    intercept = np.where(part == 2, heat, slope * WIDTH)
    return slope, intercept, part


def _conductances(h: np.ndarray, heat: float, dz: np.ndarray) -> np.ndarray:
    share = np.clip(h / heat, 0.0, 1.0)
    k = GROUND["kf"] ** (1 - share) * GROUND["kt"] ** share
    half = 0.5 * dz.reshape(-1, *(1,) * (h.ndim - 1)) / k
    return 1.0 / np.concatenate([half[:1], half[:-1] + half[1:]])


def with_numpy(forcing: np.ndarray) -> Callable[[], np.ndarray]:
    """All columns at once, [cell, column]."""

    def run() -> np.ndarray:
        dz, h, heat = _start(forcing.shape[1])
        storage = dz[:, None] / DAY
        factor, carried = np.empty_like(h), np.empty_like(h)
        low, high = np.array([-np.inf, 0.0, heat]), np.array([0.0, heat, np.inf])
        for surface in forcing:
            g, before = _conductances(h, heat, dz), h
            running = np.ones(h.shape[1], bool)
            for _ in range(30):
                slope, intercept, part = _lines(h, heat)
                known = storage * (before - intercept)
                known[0] += g[0] * surface
                known[-1] += FLUX
                below = np.concatenate([g[1:], np.zeros((1, h.shape[1]))])
                pivot = storage * slope + below + g
                factor[0], carried[0] = below[0] / pivot[0], known[0] / pivot[0]
                for i in range(1, CELLS):
                    inverse = 1.0 / (pivot[i] - g[i] * factor[i - 1])
                    factor[i] = below[i] * inverse
                    carried[i] = (known[i] + g[i] * carried[i - 1]) * inverse
                t = carried
                for i in range(CELLS - 2, -1, -1):
                    t[i] += factor[i] * t[i + 1]
                new = slope * t + intercept
                h = np.where(running, new, h)
                left = ((new < low[part] - 1e-5) | (new > high[part] + 1e-5)).any(axis=0)
                running &= left
                if not running.any():
                    break
        return h.T

    return run


def with_solve_banded(forcing: np.ndarray) -> Callable[[], np.ndarray]:
    """Column by column with the banded solver of LAPACK."""
    from scipy.linalg import solve_banded

    def run() -> np.ndarray:
        dz, start, heat = _start(forcing.shape[1])
        storage = dz / DAY
        bands = np.zeros((3, CELLS))
        for c in range(forcing.shape[1]):
            h = start[:, c]
            for surface in forcing[:, c]:
                g, before = _conductances(h, heat, dz), h
                for _ in range(30):
                    slope, intercept, part = _lines(h, heat)
                    known = storage * (before - intercept)
                    known[0] += g[0] * surface
                    known[-1] += FLUX
                    bands[0, 1:], bands[2, :-1] = -g[1:], -g[1:]
                    bands[1] = storage * slope + g
                    bands[1, :-1] += g[1:]
                    t = solve_banded((1, 1), bands, known, overwrite_b=True, check_finite=False)
                    h = slope * t + intercept
                    if np.array_equal(_lines(h, heat)[2], part):
                        break
            start[:, c] = h
        return start.T

    return run


def measure(method: str) -> dict[str, Any]:
    """Column-days per second and peak memory [MB] of one method."""
    from geotools.space.compiled import available_cores

    columns, years = SIZES[method]
    forcing = weather(columns, years)
    if method.startswith("geotools"):
        cores = 1 if method == "geotools_one_core" else available_cores()
        run = with_geotools(forcing, method == "geotools_snow", method == "geotools_power_law", cores)
        # A small run with the same types compiles the kernel.
        with_geotools(forcing[:365, :8], method == "geotools_snow", method == "geotools_power_law", 1)()
    else:
        cores = 1
        run = {"numpy": with_numpy, "solve_banded": with_solve_banded}[method](forcing)
    walls, busy, last = [], [], None
    for _ in range(RUNS[method]):
        wall, cpu = time.perf_counter(), time.process_time()
        last = run()
        walls.append(time.perf_counter() - wall)
        busy.append(time.process_time() - cpu)
    work = columns * forcing.shape[0] / 1e6
    assert last is not None
    return {
        "columns": columns,
        "years": years,
        "cores": cores,
        "million_column_days_per_second": work / statistics.median(walls),
        "best": work / min(walls),
        "million_column_days_per_cpu_second": work / statistics.median(busy),
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3,
        "mean_enthalpy_of_first_column": float(last[0].mean()) if years == 1 else None,
    }


def measure_peer() -> dict[str, Any]:
    """Columns per second of the equilibrium model of permamodel, or that it is not there."""
    from benchmarks.permamodel_ku import installed, with_permamodel

    if not installed():
        return {"missing": "permamodel is not installed: pip install 'lena-amur-geotools[bench]'"}
    run = with_permamodel(PEER_SIDE)
    run()
    walls = []
    for _ in range(7):
        wall = time.perf_counter()
        thaw, temperature = run()
        walls.append(time.perf_counter() - wall)
    assert np.isfinite(thaw).all()
    return {
        "problem": "equilibrium of one year, in closed form; not the transient column",
        "columns": PEER_SIDE**2,
        "columns_per_second": PEER_SIDE**2 / statistics.median(walls),
        "active_layer_of_first_column": float(thaw[0]),
        "temperature_of_first_column": float(temperature[0]),
    }


def memory(years: int) -> float:
    """Peak memory [MB] of a spin-up of so many years over one year of forcing."""
    import xarray as xr

    from geotools.permafrost import SoilColumn, SoilLayer, SpinUp, simulate

    column = SoilColumn([SoilLayer(float("inf"), water=0.35, porosity=0.42)], depth=50.0)
    times = xr.date_range("2001-01-01", periods=365)
    air = xr.DataArray(weather(64, 1), dims=("time", "x"), coords={"time": times}, attrs={"units": "degC"})
    simulate(column, air, spin_up=SpinUp(years, years, 1, 1e9))
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3


def _alone(*arguments: str) -> Any:
    command = [sys.executable, "-m", "benchmarks.columns", *arguments]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def main() -> None:
    """Measure, print and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", type=Path, help="file to write")
    parser.add_argument("--one", choices=[*SIZES, PEER], help=argparse.SUPPRESS)
    parser.add_argument("--memory", type=int, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.one:
        print(json.dumps(measure_peer() if given.one == PEER else measure(given.one)))
        return
    if given.memory:
        print(json.dumps(memory(given.memory)))
        return
    found: dict[str, Any] = {"cells": CELLS, "mushy_zone_K": WIDTH}
    for method in SIZES:
        found[method] = _alone("--one", method)
        print(method, json.dumps(found[method]), flush=True)
    ours = found["geotools"]["million_column_days_per_second"]
    for method in ("numpy", "solve_banded"):
        found[f"ratio_{method}"] = ours / found[method]["million_column_days_per_second"]
    found[PEER] = _alone("--one", PEER)
    # What a column costs that is stepped through a century, beside one whose equilibrium is computed.
    found["geotools_columns_of_a_century_per_second"] = ours * 1e6 / 36525.0
    print(PEER, json.dumps(found[PEER]), flush=True)
    found["peak_mb_by_years_of_spin_up"] = {str(n): _alone("--memory", str(n)) for n in (10, 100, 1000)}
    print(json.dumps({k: v for k, v in found.items() if not isinstance(v, dict) or k.startswith("peak")}))
    if given.json:
        given.json.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
