"""A table whose answers are known by hand, the real fixture where it is present, and small tables."""

from pathlib import Path

import pandas as pd
import pytest

from geotools.trade import InputOutput


def two_by_two(**changes):
    """Two regions of two sectors; the numbers are those of a worked example."""
    parts = {
        "Z": [[10, 20, 5, 5], [10, 10, 0, 10], [0, 5, 30, 20], [5, 5, 20, 40]],
        "Y": [[40, 20], [50, 20], [5, 40], [10, 120]],
        "x": [100, 100, 100, 200],
        "F": [50, 10, 60, 20],
        "region": ["R1", "R1", "R2", "R2"],
        "sector": ["s1", "s2", "s1", "s2"],
    } | changes
    arrays = [parts.pop(name) for name in "ZYxF"]
    return InputOutput(*arrays, **parts)


@pytest.fixture
def table():
    return two_by_two()


@pytest.fixture(scope="session")
def wiod():
    """Russia, China and the rest of the world in 2011; emissions of the first two only."""
    folder = Path(__file__).resolve().parents[3] / "shared" / "data" / "trade"
    if not folder.is_dir():
        pytest.skip("no folder shared/data/trade beside the checkout")
    Z, Y, x = (pd.read_csv(folder / f"wiod2011_3reg_{name}.csv", index_col=0) for name in "ZYx")
    F = pd.read_csv(folder / "wiod2011_RUS_CHN_F_mtco2.csv", index_col=0)["mt_co2"].reindex(x.index)
    labels = [str(label).partition("_") for label in x.index]
    # Whole millions: the rows are out by up to 0.2 %.
    return InputOutput(
        Z, Y, x["x"], F, region=[r for r, _, _ in labels], sector=[s for _, _, s in labels], tolerance=5e-3
    )


def trade_table(value=10.0, unit="bn USD", **columns):
    """One sector in both directions."""
    base = {
        "exporter": ["RU", "CN"],
        "importer": ["CN", "RU"],
        "sector": ["a", "a"],
        "year": [2011, 2011],
        "value": value,
        "unit": unit,
        "trade_basis": "test",
        "source": "test",
    }
    return pd.DataFrame(base | columns)


def intensity_table(**columns):
    base = {
        "country": ["RU", "RU", "CN", "CN"],
        "scheme": "test",
        "sector": ["a", "b", "a", "b"],
        "year": 2011,
        "price_year": 2011,
        "direct": [0.5, 0.1, 0.2, 0.3],
        "total_domestic": [1.0, 0.4, 0.8, 0.9],
        "unit": "kg CO2/USD",
    }
    return pd.DataFrame(base | columns)


def emission_table(**columns):
    base = {
        "region": ["RU", "RU-SA", "RU-AMU", "RU-_X"],
        "country": "RU",
        "role": ["nation", "region", "region", "remainder"],
        "year": 2011,
        "value": [100.0, 10.0, 30.0, 60.0],
        "unit": "Mt CO2",
    }
    return pd.DataFrame(base | columns)
