"""Emissions embodied in trade: input-output cores, direct and EEBT balances, regional splits by a named proxy."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
