from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
import shapely

from geotools.space.grid import Grid


def pytest_collection_modifyitems(items):
    # The zones below hold one off the grid on purpose; tests of the warning itself expect it by name.
    here = Path(__file__).parent
    for item in items:
        if item.path.is_relative_to(here):
            item.add_marker(pytest.mark.filterwarnings("ignore:zones? .* wholly outside the grid"))


@pytest.fixture(autouse=True)
def no_cache_from_outside(monkeypatch):
    monkeypatch.delenv("GEOTOOLS_CACHE", raising=False)


@pytest.fixture
def grid():
    """Nine cells of one degree; with three columns the answers can be done by eye."""
    return Grid.regular((126, 60, 129, 63), 1)


@pytest.fixture
def nine(grid):
    """0 to 8, from the south-west to the north-east."""
    return grid.wrap(np.arange(9.0).reshape(3, 3)).rename("csoil").assign_attrs(units="kg m-2")


@pytest.fixture
def zones():
    """A row and a half, the three cells of the west, nothing on the grid."""
    return gpd.GeoDataFrame(
        geometry=[shapely.box(126, 60, 127.5, 61), shapely.box(126, 60, 127, 63), shapely.box(0, 0, 1, 1)],
        index=["south", "west", "away"],
        crs="EPSG:4326",
    )


@pytest.fixture
def stars():
    """Make star-shaped polygons with a few hundred vertices that overlap each other."""
    return make_stars


def make_stars(n, *, seed=0, bounds=(72, 42, 143, 73)):
    rng, shapes = np.random.default_rng(seed), []
    while len(shapes) < n:
        vertices = int(rng.integers(50, 500))
        angle = np.sort(rng.uniform(0, 2 * np.pi, vertices))
        radius = rng.uniform(1, 5) * (1 + 0.3 * rng.uniform(-1, 1, vertices))
        x = rng.uniform(bounds[0] + 8, bounds[2] - 8) + 1.4 * radius * np.cos(angle)
        y = rng.uniform(bounds[1] + 7, bounds[3] - 7) + radius * np.sin(angle)
        shape = shapely.Polygon(np.column_stack((x, y)))
        if shape.is_valid:
            shapes.append(shape)
    return np.array(shapes, dtype=object)
