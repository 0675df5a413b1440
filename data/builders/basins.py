"""Outlines of the Lena and Amur basins from MERIT Hydro megabasins and a 5' elevation model."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyogrio
import shapely
from affine import Affine
from numpy.typing import NDArray
from pyproj import Geod
from rasterio.features import rasterize
from scipy.interpolate import RectBivariateSpline
from scipy.ndimage import binary_dilation, distance_transform_edt
from shapely.geometry.base import BaseGeometry

from builders.common import SourceError, locate, round_coordinates, write_text
from geotools.space.delineation import (
    burn_rivers,
    cell_at,
    flow_directions,
    lowest_cell,
    mask_to_polygon,
    trace_upstream,
)

MEGABASINS = ("delineator", "delineator/data/megabasins.db")
HEIGHTS = ("itur", "itur/data/1511")
RIVERS = ("libmagics++-data", "usr/share/magics/10m/ne_10m_rivers_lake_centerlines.shp")

LENA, AMUR_AND_NEIGHBOURS = 34, 42

WEST, SOUTH, EAST, NORTH = 106, 33, 143, 57
CELLS_PER_DEGREE = 48
BURN_DEPTH_M = 1000.0

SIMPLIFY_DEGREES = 0.015
DECIMALS = 4
# Noding on a grid ten times finer than the written coordinates makes neighbours share every vertex.
NODING_GRID = 1e-5
SMALLEST_PART_KM2 = 50.0

# Between the capes Pronge and Ozerpakh.
AMUR_MOUTH = (141.08, 52.957)

# Rivers that the map lacks or cuts short: the Amur ends before its mouth, and over flat divides the
# 5' heights lose the upper Huolin to the Liao, the Nimelen to the Tugur and the Borzya to the Torey
# lakes.
GUIDES = (
    shapely.LineString([(140.0, 53.2), (140.75, 53.15), (140.9, 53.1), AMUR_MOUTH]),
    shapely.LineString([(121.47, 45.06), (122.35, 45.0), (123.0, 44.95), (124.2, 45.3), (124.5, 45.45)]),
    shapely.LineString([(135.6, 52.78), (136.05, 52.85), (136.3, 52.72), (136.45, 52.48)]),
    shapely.LineString([(116.95, 50.7), (116.53, 50.39), (116.1, 50.5), (115.65, 50.64)]),
)

# Closed basins that belong to the Amur in the wide definition. Both spill to it in wet years only.
HULUN = (117.40, 48.95)
TOREY = (115.65, 50.00)

# Bottoms of closed steppe basins that no definition counts: the marsh where the Ulgai ends and its
# neighbour, Dalai Nur (Hexigten), the depressions around Qagan Nur, Matad and west of Buir Nur.
STEPPE = (
    (117.62, 45.54),
    (117.88, 46.46),
    (116.62, 43.29),
    (116.29, 45.21),
    (114.71, 46.71),
    (116.55, 48.08),
)
SINK_SEARCH_DEGREES = 0.2

AMUR_SOURCE = (
    "MERIT Hydro megabasin 42, from delineator 2.2.4; inner divides traced with pyflwdir on the "
    "heights of Recommendation ITU-R P.1511-2 as packaged in itur 0.4.0, with Natural Earth rivers"
)
LICENCE = "ODbL-1.0"

FEATURES: tuple[dict[str, Any], ...] = (
    {
        "key": "lena",
        "name": "Lena",
        "name_ru": "Лена",
        "name_zh": "勒拿河",
        "definition": (
            "MERIT Hydro megabasin 34 without its one separate island (120 km2): everything that "
            "drains to the Lena, the whole delta, and the short coastal streams on both sides of it "
            "that the megabasin does not separate. The outlet is Stolb island at the head of the delta."
        ),
        "outlet_lon": 126.70,
        "outlet_lat": 72.40,
        "published_area_km2": 2_490_000,
        "published_area_source": (
            "State Water Register of the Russian Federation, entry Lena (at the mouth)"
        ),
        "source": "MERIT Hydro megabasin 34, from delineator 2.2.4",
    },
    {
        "key": "amur",
        "name": "Amur (Heilongjiang)",
        "name_ru": "Амур",
        "name_zh": "黑龙江",
        "definition": (
            "The part of MERIT Hydro megabasin 42 that drains to the mouth of the Amur between the "
            "capes Pronge and Ozerpakh. Out: the closed basin of Lake Hulun (Dalai) with the "
            "Kherlen, the Khalkh and Lake Buir; the closed basin of the Torey lakes with the Uldz; "
            "the closed steppe basins south of them. In: the Hailar and the rest of the Argun, the "
            "Songhua with the closed flats of the Songnen plain, the Amgun."
        ),
        "outlet_lon": AMUR_MOUTH[0],
        "outlet_lat": AMUR_MOUTH[1],
        "published_area_km2": 1_855_000,
        "published_area_source": (
            "Encyclopedia of Earth, Amur-Argun (Heilong Jiang): the traditional figure"
        ),
        "source": AMUR_SOURCE,
    },
    {
        "key": "amur_with_kherlen",
        "name": "Amur (Heilongjiang) with the Kherlen",
        "name_ru": "Амур с Керуленом",
        "name_zh": "黑龙江（含克鲁伦河）",
        "definition": (
            "The basin amur and the two closed basins that spill to it in wet years: Lake Hulun "
            "(Dalai) with the Kherlen, the Khalkh and Lake Buir, and the Torey lakes with the Uldz. "
            "Out: the closed steppe basins of the Ulgai and its northern neighbour, of Dalai Nur "
            "and Qagan Nur, of Matad and west of Lake Buir."
        ),
        "outlet_lon": AMUR_MOUTH[0],
        "outlet_lat": AMUR_MOUTH[1],
        "published_area_km2": 2_100_563,
        "published_area_source": (
            "UNECE (2011), Second Assessment of Transboundary Rivers, Lakes and Groundwaters, "
            "part IV, chapter 2"
        ),
        "source": AMUR_SOURCE,
    },
)

ATTRIBUTION = (
    "Contains information from MERIT Hydro (Yamazaki et al. 2019, doi:10.1029/2019WR024873), made "
    "available under the Open Database License (ODbL) 1.0; megabasins from delineator (M. Heberger). "
    "Divides inside megabasin 42 use topographic heights of Recommendation ITU-R P.1511-2 and rivers "
    "made with Natural Earth."
)
ODBL = "https://opendatacommons.org/licenses/odbl/1-0/"
NOTICE = (
    f"This database is made available under the Open Database License 1.0: {ODBL}. "
    "Any rights in individual contents of the database are licensed under the Database Contents "
    "License: https://opendatacommons.org/licenses/dbcl/1-0/."
)
LICENCE_TEXT = f"""\
basins.geojson

{NOTICE}

{ATTRIBUTION}

MERIT Hydro: Yamazaki, D., Ikeshima, D., Sosa, J., Bates, P. D., Allen, G. H. and Pavelsky, T. M.
(2019). MERIT Hydro: A high-resolution global hydrography map based on latest topography dataset.
Water Resources Research 55, 5053-5073, https://doi.org/10.1029/2019WR024873. Its data are offered
under CC BY-NC 4.0 or ODbL 1.0; here they are used under ODbL 1.0.

delineator: https://github.com/mheberger/delineator (package under the MIT licence).

You may share, adapt and use this database, also commercially, as long as you keep this notice,
attribute it as above, and offer a database that you derive from it under the same licence. Results
computed with the outlines, such as tables, maps and totals over a basin, are produced works: they
need the attribution only. This is a summary; the text of the licence at the address above decides.

Changes made: megabasins 34 and 42 were divided along traced watersheds, simplified and rounded. The
property `definition` of each feature says what is in and what is out.
"""

GEOD = Geod(ellps="WGS84")


def area_km2(geometry: BaseGeometry) -> float:
    """Area on the WGS84 ellipsoid."""
    return abs(float(GEOD.geometry_area_perimeter(geometry)[0])) / 1e6


def main_part(geometry: BaseGeometry) -> shapely.Polygon:
    """Largest polygon; megabasins carry islands along."""
    return max(shapely.get_parts(geometry), key=lambda part: part.area)


def grid() -> tuple[Affine, tuple[int, int]]:
    """Transform and shape of the working grid."""
    step = 1 / CELLS_PER_DEGREE
    shape = ((NORTH - SOUTH) * CELLS_PER_DEGREE, (EAST - WEST) * CELLS_PER_DEGREE)
    return Affine(step, 0, WEST, 0, -step, NORTH), shape


def heights(sources: Path, transform: Affine, shape: tuple[int, int]) -> NDArray[np.float64]:
    """Surface height in m on the working grid, by a cubic spline through the 5' nodes."""

    def array(name: str) -> NDArray[np.float64]:
        with np.load(locate(sources, HEIGHTS[0], f"{HEIGHTS[1]}/{name}.npz")) as archive:
            return np.asarray(archive["arr_0"], dtype=float)

    lat, lon, metres = array("v2_lat")[:, 0], array("v2_lon")[0], array("v2_topo")
    # The Recommendation speaks of km; the file holds m.
    if not 5000 < metres.max() < 9000:
        raise SourceError(f"v2_topo: highest value {metres.max():.0f}, expected the Himalaya in m")
    # A spline, because ridges of a bilinear surface follow the rows and columns of its nodes.
    # The spline wants ascending latitudes; the file has them descending.
    rows = np.flatnonzero((lat > SOUTH - 1) & (lat < NORTH + 1))[::-1]
    columns = np.flatnonzero((lon > WEST - 1) & (lon < EAST + 1))
    surface = RectBivariateSpline(lat[rows], lon[columns], metres[np.ix_(rows, columns)])
    x = transform.c + transform.a * (np.arange(shape[1]) + 0.5)
    y = transform.f + transform.e * (np.arange(shape[0]) + 0.5)
    return np.asarray(surface(y[::-1], x))[::-1]


def touched_cells(geometries: Any, transform: Affine, shape: tuple[int, int]) -> NDArray[np.bool_]:
    """Cells that a geometry touches."""
    values = rasterize(geometries, shape, transform=transform, all_touched=True, dtype="uint8")
    return np.asarray(values == 1)


def amur_zones(sources: Path, megabasins: Mapping[int, BaseGeometry]) -> dict[str, BaseGeometry]:
    """Divide megabasin 42 into the open Amur, the closed part that counts, and the rest."""
    transform, shape = grid()
    mainland = main_part(megabasins[AMUR_AND_NEIGHBOURS])
    box = shapely.box(WEST, SOUTH, EAST, NORTH)
    # The megabasin is the mask: without it the Gobi spills in over the flat southern steppe.
    mask = touched_cells([mainland], transform, shape)
    land = touched_cells([p for p in megabasins.values() if p.intersects(box)], transform, shape)
    coast = mask & binary_dilation(~land, np.ones((3, 3)))

    surface = heights(sources, transform, shape)
    lines = pyogrio.read_dataframe(locate(sources, *RIVERS)).geometry
    rivers = [line for line in lines if line is not None and line.intersects(box)]
    burned = burn_rivers(surface, [*rivers, *GUIDES], transform=transform, depth_m=BURN_DEPTH_M)

    radius = round(SINK_SEARCH_DEGREES * CELLS_PER_DEGREE)
    sinks = [
        lowest_cell(surface, around=cell_at(*point, transform=transform, shape=shape), radius=radius)
        for point in (HULUN, TOREY, *STEPPE)
    ]
    mouth = cell_at(*AMUR_MOUTH, transform=transform, shape=shape)
    shore = [(int(row), int(column)) for row, column in np.argwhere(coast)]
    directions = flow_directions(burned, mask=mask, outlets=[mouth, *sinks, *shore])
    labels = trace_upstream(directions, outlets=[mouth, *sinks[:2]], mask=mask)

    # Labels run on beyond the mask, so that the cut with the megabasin gives its edge, not that of cells.
    nearest = distance_transform_edt(~mask, return_distances=False, return_indices=True)
    labels = labels[tuple(nearest)]
    names = {"amur": (1,), "closed": (2, 3), "rest": (0,)}
    return {
        name: mask_to_polygon(np.isin(labels, values), transform=transform).intersection(mainland)
        for name, values in names.items()
    }


def share_edges(zones: Mapping[str, BaseGeometry]) -> dict[str, BaseGeometry]:
    """Node all outlines together and simplify them once, so that neighbours keep one border."""
    names = list(zones)
    lines = shapely.union_all([zone.boundary for zone in zones.values()], grid_size=NODING_GRID)
    faces = shapely.get_parts(shapely.polygonize(shapely.get_parts(lines)))
    inside: dict[str, list[BaseGeometry]] = {name: [] for name in names}
    for face in faces:
        point = face.representative_point()
        # The first name wins where outlines overlap by rounding: the Lena over the Amur.
        owner = next((name for name in names if zones[name].contains(point)), None)
        if owner is not None:
            inside[owner].append(face)
    merged = [shapely.union_all(inside[name]) for name in names]
    simple = shapely.coverage_simplify(merged, SIMPLIFY_DEGREES)
    return dict(zip(names, simple, strict=True))


def without_small_parts(geometry: BaseGeometry) -> BaseGeometry:
    """Drop islands and crumbs of the raster below the size that matters, and holes of that size."""
    kept = []
    for part in shapely.get_parts(geometry):
        holes = [r for r in part.interiors if area_km2(shapely.Polygon(r)) >= SMALLEST_PART_KM2]
        if area_km2(part) >= SMALLEST_PART_KM2:
            kept.append(shapely.Polygon(part.exterior, holes))
    return shapely.union_all(kept)


def outlines(sources: Path) -> dict[str, BaseGeometry]:
    """Return the three basins as they are written."""
    frame = pyogrio.read_dataframe(locate(sources, *MEGABASINS), layer="megabasins")
    megabasins = dict(zip(frame["basin"].astype(int), frame.geometry, strict=True))
    zones = {"lena": main_part(megabasins[LENA]), **amur_zones(sources, megabasins)}
    zones = share_edges(zones)
    amur = without_small_parts(zones["amur"])
    wide = without_small_parts(shapely.union_all([zones["amur"], zones["closed"]]))
    basins = {"lena": without_small_parts(zones["lena"]), "amur": amur, "amur_with_kherlen": wide}
    basins = {
        key: shapely.orient_polygons(shapely.normalize(round_coordinates(basin, DECIMALS)))
        for key, basin in basins.items()
    }
    for key, basin in basins.items():
        if not basin.is_valid:
            raise SourceError(f"{key}: {shapely.is_valid_reason(basin)} after rounding")
    return basins


def collection(basins: Mapping[str, BaseGeometry]) -> str:
    """Return the GeoJSON text, one feature per line."""
    lines = []
    for feature in FEATURES:
        basin = basins[feature["key"]]
        properties = {**feature, "area_km2": round(area_km2(basin)), "licence": LICENCE}
        item = {
            "type": "Feature",
            "properties": properties,
            "geometry": shapely.geometry.mapping(basin),
        }
        lines.append(json.dumps(item, ensure_ascii=False, separators=(",", ":")))
    members = {"license": LICENCE, "attribution": ATTRIBUTION, "notice": NOTICE}
    head = '{"type":"FeatureCollection","name":"basins",'
    head += json.dumps(members, ensure_ascii=False, separators=(",", ":"))[1:-1]
    return head + ',"features":[\n' + ",\n".join(lines) + "\n]}\n"


def build(sources: Path, out: Path) -> None:
    """Write basins/basins.geojson and basins/LICENSE-ODbL.txt."""
    text = collection(outlines(sources))
    write_text(out / "basins" / "basins.geojson", text)
    write_text(out / "basins" / "LICENSE-ODbL.txt", LICENCE_TEXT)
