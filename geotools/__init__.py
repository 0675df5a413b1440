"""Carbon budgets, permafrost transects and joint model inputs for the Lena and Amur basins."""

from typing import Any

import lazy_loader

_lazy, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)


def __getattr__(name: str) -> Any:
    if name == "__version__":
        from importlib.metadata import version

        return version("lena-amur-geotools")
    return _lazy(name)
