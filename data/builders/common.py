"""What the builders share: the domain, file look-up, and writers that give the same bytes twice."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

WEST, SOUTH, EAST, NORTH = 70.0, 20.0, 145.0, 75.0


class SourceError(Exception):
    """A source package is missing, damaged or does not hold what its pin promises."""


def locate(sources: Path, package: str, inner: str) -> Path:
    """Path of a file inside an unpacked package."""
    path = sources / package / inner
    if not path.is_file():
        raise SourceError(
            f"{package}: file {inner} not found under {sources / package}; "
            "unpack the package again by deleting that folder and running data/build.py"
        )
    return path


def domain() -> shapely.Polygon:
    """Return the bounding box of the bundled maps and grids, in degrees."""
    return shapely.box(WEST, SOUTH, EAST, NORTH)


def round_coordinates(geometries: Any, decimals: int) -> Any:
    """Round coordinates; the same vertex in two neighbours stays the same vertex."""
    return shapely.transform(geometries, lambda xy: np.round(xy, decimals))


def write_geojson(
    path: Path,
    name: str,
    rows: Iterable[tuple[Mapping[str, Any], BaseGeometry]],
) -> None:
    """Write features one per line, so that a change in one of them is one changed line."""
    lines = []
    for properties, geometry in rows:
        if geometry.geom_type in {"Polygon", "MultiPolygon"}:
            # RFC 7946: exterior rings counterclockwise.
            geometry = shapely.orient_polygons(geometry)
        feature = {
            "type": "Feature",
            "properties": dict(properties),
            "geometry": shapely.geometry.mapping(geometry),
        }
        lines.append(json.dumps(feature, ensure_ascii=False, separators=(",", ":")))
    head = '{"type":"FeatureCollection","name":' + json.dumps(name) + ',"features":[\n'
    write_text(path, head + ",\n".join(lines) + "\n]}\n")


def write_csv(path: Path, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Write a UTF-8 table with LF line ends on every platform."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as handle:
        writer = csv.writer(handle, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows(rows)


def read_csv(path: Path) -> list[dict[str, str]]:
    """Read a table as text; the callers convert."""
    with path.open(encoding="utf-8", newline="") as handle:
        return list(csv.DictReader(handle))


def write_text(path: Path, text: str) -> None:
    """Write a text file with LF line ends on every platform."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="\n") as handle:
        handle.write(text)
