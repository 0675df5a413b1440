from .cross_section import ground_cross_section
from .ground_temperature import comparison_figure, trumpet_figure
from .map import basin_map
from .page import write
from .profile import transect_profile

__all__ = [
    "basin_map",
    "comparison_figure",
    "ground_cross_section",
    "transect_profile",
    "trumpet_figure",
    "write",
]
