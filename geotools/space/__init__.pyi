from .curvilinear import CurvilinearGrid
from .delineation import burn_rivers, cell_at, flow_directions, lowest_cell, mask_to_polygon, trace_upstream
from .geodesy import areal_scale, densify, distance, geographic_cell_areas, polygon_area
from .grid import Grid
from .intersect import intersections
from .overlap import Overlap
from .routes import ROUTES
from .stations import Stations
from .transect import Transect
from .transect_check import check_inside
from .zones import check_zones

__all__ = [
    "ROUTES",
    "CurvilinearGrid",
    "Grid",
    "Overlap",
    "Stations",
    "Transect",
    "areal_scale",
    "burn_rivers",
    "cell_at",
    "check_inside",
    "check_zones",
    "densify",
    "distance",
    "flow_directions",
    "geographic_cell_areas",
    "intersections",
    "lowest_cell",
    "mask_to_polygon",
    "polygon_area",
    "trace_upstream",
]
