"""What building an overlap costs: it must not grow with the number of cells of the grid."""

import tracemalloc

import geopandas as gpd
import numpy as np
import pytest
import shapely

from geotools.space import Grid, Overlap
from geotools.space import grid as grid_module

LONGITUDES, LATITUDES = (-179, -120, -60, 0, 60, 120, 178), (45, 52, 58, 65, 71, 80, 84)


def circles():
    """Small zones all over a circumpolar grid."""
    angle = np.linspace(0, 2 * np.pi, 200)[:-1]
    shapes = [
        shapely.Polygon(np.column_stack((x + 0.3 * np.cos(angle), y + 0.1 * np.sin(angle))))
        for x, y in zip(LONGITUDES, LATITUDES, strict=True)
    ]
    return gpd.GeoDataFrame(geometry=shapes, crs=4326)


def points():
    return gpd.GeoDataFrame(geometry=gpd.points_from_xy(LONGITUDES, LATITUDES), crs=4326)


def peak_of(build):
    build()
    tracemalloc.start()
    try:
        build()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("targets", [circles, points])
@pytest.mark.parametrize(
    "grid",
    [
        Grid.regular((-180, 30, 180, 90), 0.01),
        Grid.regular((-5e6, -5e6, 5e6, 5e6), 1000, "EPSG:6931"),
        Grid.regular((-5e6, -5e6, 5e6, 5e6), 1000, "EPSG:3995"),
    ],
    ids=["degrees", "equal-area", "stereographic"],
)
def test_memory_does_not_grow_with_the_cells_of_the_grid(grid, targets):
    zones = targets()
    assert grid.size >= 1e8
    # A byte for each cell would be 100 MB.
    assert peak_of(lambda: Overlap.between(zones, grid)) < 5e6


@pytest.mark.parametrize("block", [1, 7, 512])
def test_areas_of_scattered_cells_are_those_of_the_grid(monkeypatch, block):
    grid = Grid.regular((-3e6, -3e6, 3e6, 3e6), 100_000, "EPSG:3995")
    cells = np.random.default_rng(0).choice(grid.size, 300, replace=False)
    monkeypatch.setattr(grid_module, "_BLOCK", block)
    np.testing.assert_allclose(grid.areas_of(cells), grid.cell_areas().ravel()[cells], rtol=1e-8)


def test_areas_do_not_depend_on_the_blocks_they_are_computed_in(monkeypatch):
    grid = Grid(
        np.cumsum(np.linspace(8e4, 12e4, 41)) - 2e6, np.linspace(2e6, -2e6, 31), "EPSG:3995", "x", "y"
    )
    cells = np.random.default_rng(0).permutation(grid.size)[:500]
    whole = grid.areas_of(cells)
    monkeypatch.setattr(grid_module, "_BLOCK", 5)
    np.testing.assert_allclose(grid.areas_of(cells), whole, rtol=1e-9)
