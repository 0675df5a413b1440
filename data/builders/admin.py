"""First-order regions of Russia, China and Mongolia keyed by ISO 3166-2."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path

import geopandas as gpd
import numpy as np
import shapely
from pyproj import Geod
from shapely.geometry.base import BaseGeometry

from builders.common import SourceError, locate, read_csv, round_coordinates, write_geojson

PACKAGE = "qgis-common"
INNER = "usr/share/qgis/resources/data/world_map.gpkg"
LAYER = "states_provinces"
DECIMALS = 4
GEOD = Geod(ellps="WGS84")

# Natural Earth name -> ISO 3166-2. The file has no ISO keys, its FIPS codes are incomplete and
# give Sakha the code of Chukotka, so names are the only key; the tests check them by towns.
RUSSIA = {
    "Adygey": "RU-AD",
    "Altay": "RU-ALT",
    "Amur": "RU-AMU",
    "Arkhangel'sk": "RU-ARK",
    "Astrakhan'": "RU-AST",
    "Bashkortostan": "RU-BA",
    "Belgorod": "RU-BEL",
    "Bryansk": "RU-BRY",
    "Buryat": "RU-BU",
    "Chechnya": "RU-CE",
    "Chelyabinsk": "RU-CHE",
    "Chita": "RU-ZAB",
    "Chukchi Autonomous Okrug": "RU-CHU",
    "Chuvash": "RU-CU",
    "City of St. Petersburg": "RU-SPE",
    "Dagestan": "RU-DA",
    "Gorno-Altay": "RU-AL",
    "Ingush": "RU-IN",
    "Irkutsk": "RU-IRK",
    "Ivanovo": "RU-IVA",
    "Kabardin-Balkar": "RU-KB",
    "Kaliningrad": "RU-KGD",
    "Kalmyk": "RU-KL",
    "Kaluga": "RU-KLU",
    "Kamchatka": "RU-KAM",
    "Karachay-Cherkess": "RU-KC",
    "Karelia": "RU-KR",
    "Kemerovo": "RU-KEM",
    "Khabarovsk": "RU-KHA",
    "Khakass": "RU-KK",
    "Khanty-Mansiy": "RU-KHM",
    "Kirov": "RU-KIR",
    "Komi": "RU-KO",
    "Kostroma": "RU-KOS",
    "Krasnodar": "RU-KDA",
    "Krasnoyarsk": "RU-KYA",
    "Kurgan": "RU-KGN",
    "Kursk": "RU-KRS",
    "Leningrad": "RU-LEN",
    "Lipetsk": "RU-LIP",
    "Maga Buryatdan": "RU-MAG",
    "Mariy-El": "RU-ME",
    "Mordovia": "RU-MO",
    "Moskovsskaya": "RU-MOS",
    "Moskva": "RU-MOW",
    "Murmansk": "RU-MUR",
    "Nenets": "RU-NEN",
    "Nizhegorod": "RU-NIZ",
    "North Ossetia": "RU-SE",
    "Novgorod": "RU-NGR",
    "Novosibirsk": "RU-NVS",
    "Omsk": "RU-OMS",
    "Orel": "RU-ORL",
    "Orenburg": "RU-ORE",
    "Penza": "RU-PNZ",
    "Perm'": "RU-PER",
    "Primor'ye": "RU-PRI",
    "Pskov": "RU-PSK",
    "Rostov": "RU-ROS",
    "Ryazan'": "RU-RYA",
    "Sakha (Yakutia)": "RU-SA",
    "Sakhalin": "RU-SAK",
    "Samara": "RU-SAM",
    "Saratov": "RU-SAR",
    "Smolensk": "RU-SMO",
    "Stavropol'": "RU-STA",
    "Sverdlovsk": "RU-SVE",
    "Tambov": "RU-TAM",
    "Tatarstan": "RU-TA",
    "Tomsk": "RU-TOM",
    "Tula": "RU-TUL",
    "Tuva": "RU-TY",
    "Tver'": "RU-TVE",
    "Tyumen'": "RU-TYU",
    "Udmurt": "RU-UD",
    "Ul'yanovsk": "RU-ULY",
    "Vladimir": "RU-VLA",
    "Volgograd": "RU-VGG",
    "Vologda": "RU-VLG",
    "Voronezh": "RU-VOR",
    "Yamal-Nenets": "RU-YAN",
    "Yaroslavl'": "RU-YAR",
    "Yevrey": "RU-YEV",
}
CHINA = {
    "Anhui": "CN-AH",
    "Beijing": "CN-BJ",
    "Chongqing": "CN-CQ",
    "Fujian": "CN-FJ",
    "Gansu": "CN-GS",
    "Guangdong": "CN-GD",
    "Guangxi": "CN-GX",
    "Guizhou": "CN-GZ",
    "Hainan": "CN-HI",
    "Hebei": "CN-HE",
    "Heilongjiang": "CN-HL",
    "Henan": "CN-HA",
    "Hubei": "CN-HB",
    "Hunan": "CN-HN",
    "Inner Mongol": "CN-NM",
    "Jiangsu": "CN-JS",
    "Jiangxi": "CN-JX",
    "Jilin": "CN-JL",
    "Liaoning": "CN-LN",
    "Ningxia": "CN-NX",
    "Qinghai": "CN-QH",
    "Shaanxi": "CN-SN",
    "Shandong": "CN-SD",
    "Shanghai": "CN-SH",
    "Shanxi": "CN-SX",
    "Sichuan": "CN-SC",
    "Tianjin": "CN-TJ",
    "Xinjiang": "CN-XJ",
    "Xizang": "CN-XZ",
    "Yunnan": "CN-YN",
    "Zhejiang": "CN-ZJ",
}
MONGOLIA = {
    "Arhangay": "MN-073",
    "Bayan-Ölgiy": "MN-071",
    "Bayanhongor": "MN-069",
    "Bulgan": "MN-067",
    "Darhan-Uul": "MN-037",
    "Dornod": "MN-061",
    "Dornogovi": "MN-063",
    "Dundgovi": "MN-059",
    "Dzavhan": "MN-057",
    "Govi-Altay": "MN-065",
    "Govĭ-Sümber": "MN-064",
    "Hentiy": "MN-039",
    "Hovd": "MN-043",
    "Hövsgöl": "MN-041",
    "Orhon": "MN-035",
    "Selenge": "MN-049",
    "Sühbaatar": "MN-051",
    "Töv": "MN-047",
    "Ulaanbaatar": "MN-1",
    "Uvs": "MN-046",
    "Ömnögovi": "MN-053",
    "Övörhangay": "MN-055",
}
# ISO lists Crimea and Sevastopol as UA-43 and UA-40; the Paracel Islands are in no ISO list.
LEFT_OUT = {("RUS", "Crimea"), ("RUS", "Sevastopol"), ("CHN", "Paracel Islands")}
# One polygon without a name: an island of 34 km2 in Baydaratskaya Bay, off the Yamal coast.
NAMELESS = "RU-YAN"
NAMELESS_AT = shapely.Point(67.26, 68.79)


def region_key(country: str, name: str | None, geometry: BaseGeometry) -> str | None:
    """ISO 3166-2 key of a source polygon; None for one that is left out on purpose."""
    if (country, name) in LEFT_OUT:
        return None
    if country == "HKG":
        return "CN-HK"
    if country == "MAC":
        return "CN-MO"
    if country == "RUS" and not name:
        if geometry.distance(NAMELESS_AT) > 0.1:
            raise SourceError("the nameless Russian polygon is not the island that was known")
        return NAMELESS
    keys = {"RUS": RUSSIA, "CHN": CHINA, "MNG": MONGOLIA}[country]
    if name not in keys:
        raise SourceError(f"{country}: region {name!r} has no ISO 3166-2 key in builders/admin.py")
    return keys[name]


def close_antimeridian(geometry: BaseGeometry) -> BaseGeometry:
    """Move the cut that the source makes at 179.9 degrees out to 180.

    QGIS trims its world map 0.1 degree short of the antimeridian on either side, which takes a
    strip of 4256 km2 out of Chukotka and Wrangel Island.
    """

    def move(xy: np.ndarray) -> np.ndarray:
        x = np.where(np.round(np.abs(xy[:, 0]), 4) >= 179.9, np.sign(xy[:, 0]) * 180.0, xy[:, 0])
        return np.column_stack([x, xy[:, 1]])

    return shapely.transform(geometry, move)


def area_km2(geometry: BaseGeometry) -> float:
    """Area on the WGS 84 ellipsoid."""
    return abs(GEOD.geometry_area_perimeter(shapely.orient_polygons(geometry))[0]) / 1e6


def gather(frame: gpd.GeoDataFrame) -> dict[str, BaseGeometry]:
    """Join the source polygons of every region."""
    parts: dict[str, list[BaseGeometry]] = defaultdict(list)
    for country, name, geometry in zip(frame["adm0_a3"], frame["name"], frame.geometry, strict=True):
        key = region_key(country, name if isinstance(name, str) else None, geometry)
        if key is not None:
            parts[key].append(close_antimeridian(geometry))
    return {key: shapely.union_all(polygons) for key, polygons in sorted(parts.items())}


def build(sources: Path, out: Path) -> None:
    """Write admin/regions.geojson."""
    path = locate(sources, PACKAGE, INNER)
    frame = gpd.read_file(path, layer=LAYER)
    frame = frame[frame["adm0_a3"].isin(["RUS", "CHN", "MNG", "HKG", "MAC"])]
    regions = gather(frame)

    listed = {r["region"]: r for r in read_csv(out / "admin" / "iso3166_2.csv")}
    wanted = {key for key, row in listed.items() if row["mapped"] == "yes"}
    if set(regions) != wanted:
        raise SourceError(f"regions and iso3166_2.csv differ: {sorted(set(regions) ^ wanted)}")

    # The source is a valid coverage: neighbours share every vertex, and rounding all of them
    # alike keeps that. It is already generalised, so nothing is simplified here.
    rounded = round_coordinates(list(regions.values()), DECIMALS)
    if not shapely.is_valid(rounded).all() or not shapely.coverage_is_valid(rounded):
        raise SourceError("rounding the regions opened gaps or overlaps; use more decimals")

    rows = []
    for key, geometry in zip(regions, rounded, strict=True):
        row = listed[key]
        properties = {
            "region": key,
            "name": row["name"],
            "name_local": row["name_local"],
            "country": row["country"],
            "area_km2": round(area_km2(geometry)),
        }
        rows.append((properties, geometry))
    write_geojson(out / "admin" / "regions.geojson", "regions", rows)
