"""Frost numbers, snow damping, Stefan thaw depth, TTOP, permafrost zones, and their chain; no files."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
