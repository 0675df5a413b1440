from .cross_section import ground_cross_section
from .map import basin_map
from .page import write
from .profile import transect_profile

__all__ = ["basin_map", "ground_cross_section", "transect_profile", "write"]
