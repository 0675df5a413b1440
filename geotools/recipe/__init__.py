"""Recipes: what a run reads and computes, and how it is planned, executed and recorded."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
