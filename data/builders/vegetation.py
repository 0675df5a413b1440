"""Largest NDVI of a cell at 0.05 degree, cropped to the domain, water left out."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import rasterio
import xarray as xr

from builders.common import EAST, NORTH, SOUTH, WEST, SourceError, locate, write_text
from builders.grids import encoding, file_attributes, on_axes
from builders.landcover import STEP, crop_window

PACKAGE = "bess-jpl"
INNER = "BESS_JPL/NDVI_maximum.tif"
LICENCE = "bess_jpl-1.28.0.dist-info/licenses/LICENSE"
# Stored in steps of 0.005, a fifth of the error of the index itself, so that a signed byte, the only one that all
# readers of packed data know, holds -0.2 to 1 around the middle.
PACKED_STEP, MIDDLE, MISSING = 0.005, 0.4, -128
LOWEST = -0.2
WATER = 0

HISTORY = (
    "Cropped from NDVI_maximum.tif of bess-jpl 1.28.0 to 70..145E, 20..75N, and turned to ascending latitude. The "
    "source names the ellipsoid Clarke 1866, as files of the MODIS climate modelling grid do; it is read as WGS 84. "
    "Cells whose majority class is water in MODIS MCD12C1 of 2019 were set missing: the source has values there "
    "(0.6 on the middle of Lake Baikal) that no plant has given. Stored in steps of 0.005."
)
NOTICE = """\
Notice for vegetation/ndvi_maximum.nc

Derived from NDVI_maximum.tif of BESS-JPL 1.28.0 (https://github.com/JPL-Evapotranspiration-Algorithms/BESS-JPL),
by G. H. Halverson and others, NASA Jet Propulsion Laboratory, which is made available under the Apache License,
Version 2.0. The file was changed by geotools: cropped, water left out, rounded to steps of 0.005 and written as NetCDF.
The text of the licence follows.

"""


def crop(source: rasterio.DatasetReader) -> np.ndarray:
    """Values of the domain, north to south, NaN where the source has none.

    Raises
    ------
    SourceError
        When the grid is not the global one of 0.05 degree, or a value is no NDVI.
    """
    if (source.width, source.height) != (7200, 3600) or source.bounds.left != -180:
        raise SourceError(f"{PACKAGE}: {INNER} is not the global 0.05 degree grid")
    values: np.ndarray = source.read(1, window=crop_window()).astype("float64")
    values[values == source.nodata] = np.nan
    low, high = np.nanmin(values), np.nanmax(values)
    # What MODIS calls valid ends there.
    if not LOWEST - 1e-6 <= low <= high <= 1.0 + 1e-6:
        raise SourceError(f"{PACKAGE}: {INNER} holds values {low:g} to {high:g}, which are no NDVI")
    return values


def without_water(values: np.ndarray, classes: np.ndarray) -> np.ndarray:
    """Values, NaN where the majority of the cell is water."""
    return np.where(classes == WATER, np.nan, values)


def canonical(values: np.ndarray) -> xr.Dataset:
    """CF variables, from values given north to south."""
    field = xr.DataArray(
        values[::-1].astype("float32"),
        dims=("lat", "lon"),
        name="ndvi",
        attrs={
            "standard_name": "normalized_difference_vegetation_index",
            "long_name": "largest NDVI of the cell",
            "units": "1",
            "cell_methods": "area: mean time: maximum",
            "coverage_content_type": "physicalMeasurement",
            "comment": "over which years the largest value was taken is not known",
        },
    )
    attrs = file_attributes(
        title="Largest NDVI of a cell, 0.05 degree, 70-145E 20-75N",
        summary="Maximum over time of the normalized difference vegetation index, an upper bound of greenness, for the "
        "Lena and Amur basins and their surroundings.",
        keywords="NDVI, vegetation, Lena, Amur",
        institution="NASA Jet Propulsion Laboratory (package the data were taken from)",
        source="NDVI_maximum.tif, as packed in bess-jpl 1.28.0",
        references="https://github.com/JPL-Evapotranspiration-Algorithms/BESS-JPL",
        history=HISTORY,
        comment="The package names neither sensor nor period nor compositing. The missing-value code -3000, the valid "
        "range -0.2 to 1, steps of 0.0001 and the grid are those of the MODIS vegetation indices MOD13C1 and "
        "MOD13C2; that the values come from them is inferred. Not for trends or single years.",
        license="Apache-2.0 (package); see LICENSE-Apache-2.0.txt beside the file",
        acknowledgement="NDVI maximum from BESS-JPL, NASA Jet Propulsion Laboratory",
        id="ndvi_maximum",
    )
    rows, columns = values.shape
    # Divided and not multiplied, so that centres have the digits a reader expects.
    cells = round(1 / STEP)
    lat = SOUTH + (2 * np.arange(rows) + 1) / (2 * cells)
    lon = WEST + (2 * np.arange(columns) + 1) / (2 * cells)
    if not (lat[-1] < NORTH and lon[-1] < EAST):
        raise SourceError(f"{PACKAGE}: {INNER} gave {rows} x {columns} cells, more than the domain holds")
    return on_axes(field, lat, lon, STEP).assign_attrs(attrs)


def build(sources: Path, out: Path) -> None:
    """Write vegetation/ndvi_maximum.nc and its licence."""
    with rasterio.open(locate(sources, PACKAGE, INNER)) as source:
        values = crop(source)
    with rasterio.open(out / "landcover" / "modis_igbp_2019.tif") as cover:
        values = without_water(values, cover.read(1))
    target = out / "vegetation" / "ndvi_maximum.nc"
    target.parent.mkdir(parents=True, exist_ok=True)
    packed = encoding(
        "ndvi",
        (110, 150),
        dtype="int8",
        _FillValue=np.int8(MISSING),
        # Single precision, so that readers decode to it.
        scale_factor=np.float32(PACKED_STEP),
        add_offset=np.float32(MIDDLE),
    )
    canonical(values).to_netcdf(target, engine="netcdf4", format="NETCDF4", encoding=packed)
    text = locate(sources, PACKAGE, LICENCE).read_text(encoding="utf-8")
    write_text(out / "vegetation" / "LICENSE-Apache-2.0.txt", NOTICE + text)
