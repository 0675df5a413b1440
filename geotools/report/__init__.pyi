from .map import basin_map
from .page import write
from .profile import transect_profile

__all__ = ["basin_map", "transect_profile", "write"]
