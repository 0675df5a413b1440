"""Paths of the bundled data, and the builder modules, which are no part of the package."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[2]
DATA = ROOT / "data"

if str(DATA) not in sys.path:
    sys.path.insert(0, str(DATA))


@pytest.fixture(scope="session")
def data() -> Path:
    """The folder of the bundled data."""
    return DATA


@pytest.fixture(scope="session")
def build_script() -> ModuleType:
    """data/build.py as a module, under a name that no installed package has."""
    spec = importlib.util.spec_from_file_location("geotools_data_build", DATA / "build.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def shared() -> Path:
    """Real provider files outside the project; tests that need them are skipped without them."""
    folder = Path(__file__).resolve().parents[3] / "shared" / "data"
    if not folder.is_dir():
        pytest.skip("no folder shared/data beside the checkout")
    return folder
