"""Frost numbers, snow damping, Stefan, TTOP, zones and their chain; the transient column; no files."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
