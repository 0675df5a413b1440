"""Places: grids, areas and distances, overlaps, regridding, transects, zones, basin delineation."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
