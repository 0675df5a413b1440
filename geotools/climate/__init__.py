"""Degree-days, snow and seasonal statistics from monthly climate; no files, no permafrost."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
