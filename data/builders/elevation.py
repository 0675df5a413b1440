"""ETOPO5 land heights at 5 arc-minutes, cropped to the domain, the sea left out."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import numpy as np
import shapely
import xarray as xr

from builders.common import EAST, NORTH, SOUTH, WEST, SourceError, locate
from builders.grids import encoding, file_attributes, on_axes

PACKAGE = "ferret-datasets"
INNER = "usr/share/ferret-vis/data/etopo5.cdf"
VARIABLE, AXES = "ROSE", ("ETOPO05_Y", "ETOPO05_X")
CELLS_PER_DEGREE = 12
MISSING = -32768

HISTORY = (
    "Cropped from etopo5.cdf of ferret-datasets 7.6.0-5 (from IRI/LDEO worldbath.nc, updated 1998 from the NGDC CD-ROM "
    "of 29 April 1993) to cell centres 70..145E, 20..75N. Longitudes of the source, which are off the twelfths "
    "of a degree by its rounding, were set to them. Cells whose centre lies outside the land polygons "
    "of Natural Earth (maps/land.geojson), and cells below sea level, hold depths of the sea or its shoals "
    "and were set missing. No height was changed or moved."
)


def crop(source: xr.DataArray) -> np.ndarray:
    """Heights of the cells whose centres lie in the domain or on its edge, south to north.

    Raises
    ------
    SourceError
        When the grid is not the global one, or a value is no whole number of metres.
    """
    sizes = (180 * CELLS_PER_DEGREE + 1, 360 * CELLS_PER_DEGREE)
    if source.shape != sizes:
        raise SourceError(f"{PACKAGE}: {INNER} has {source.shape} values, the global 5 minute grid {sizes}")
    for name, first in zip(AXES, (-90.0, 0.0), strict=True):
        places = source[name].values
        off = np.abs(places - (first + np.arange(places.size) / CELLS_PER_DEGREE)).max()
        if off > 0.1 / CELLS_PER_DEGREE:
            raise SourceError(f"{PACKAGE}: {INNER}: {name} is up to {off:.3f} degrees off the twelfths")
    rows = slice(round((SOUTH + 90) * CELLS_PER_DEGREE), round((NORTH + 90) * CELLS_PER_DEGREE) + 1)
    columns = slice(round(WEST * CELLS_PER_DEGREE), round(EAST * CELLS_PER_DEGREE) + 1)
    heights: np.ndarray = source.values[rows, columns]
    if not np.array_equal(heights, np.round(heights)) or not -12_000 < heights.min() <= heights.max() < 9_000:
        raise SourceError(f"{PACKAGE}: {INNER} does not hold whole metres between -12000 and 9000")
    return heights


def centres(first: float, last: float) -> np.ndarray:
    """Twelfths of a degree from one to another."""
    return first + np.arange(round((last - first) * CELLS_PER_DEGREE) + 1) / CELLS_PER_DEGREE


def without_sea(heights: np.ndarray, land: shapely.Geometry) -> np.ndarray:
    """Heights as float32, NaN off the land and below sea level.

    The source holds no dry land below sea level in the domain: the Turfan depression stands in it as 0 m, while -10 m
    is what all shallow water was set to. A negative value on land is therefore sea that a coarser coast put there.
    """
    shapely.prepare(land)
    lon, lat = np.meshgrid(centres(WEST, EAST), centres(SOUTH, NORTH))
    known = shapely.contains_xy(land, lon, lat) & (heights >= 0)
    return np.where(known, heights, np.nan).astype("float32")


def canonical(heights: np.ndarray) -> xr.Dataset:
    """CF variables."""
    field = xr.DataArray(
        heights,
        dims=("lat", "lon"),
        name="orog",
        attrs={
            "standard_name": "surface_altitude",
            "long_name": "height of the land above sea level",
            "units": "m",
            "cell_methods": "area: point",
            "coverage_content_type": "physicalMeasurement",
            "comment": "the source gives the height of the middle of each cell; lakes stand at their surface",
        },
    )
    attrs = file_attributes(
        title="ETOPO5 land heights, 5 arc-minutes, 70-145E 20-75N",
        summary="Heights of the land above sea level for profiles and overviews of the Lena and Amur basins. "
        "Compiled from sources before 1988 and poor in Siberia: see comment.",
        keywords="elevation, topography, ETOPO5, Lena, Amur",
        institution="NOAA National Geophysical Data Center (source data)",
        source="ETOPO5, as packed in Debian ferret-datasets 7.6.0-5",
        references="National Geophysical Data Center (1988), Data Announcement 88-MGG-02, Digital relief of the "
        "Surface of the Earth, NOAA, Boulder, Colorado",
        history=HISTORY,
        comment="Land heights of Asia come from a coarser data base of the U.S. Navy (10 minutes to 1 degree, steps of "
        "15 to 150 m). Against the heights of Recommendation ITU-R P.1511-2 they differ by 126 m (root mean "
        "square) in the Lena basin, 136 m in the Amur basin and up to 1100 m in single cells, and they lie about "
        "10 minutes too far west and 5 too far north. Not for slopes, valleys or lapse rates of single cells.",
        license="public domain (U.S. Government work)",
        acknowledgement="ETOPO5, NOAA National Geophysical Data Center",
        id="etopo5",
    )
    axes = centres(SOUTH, NORTH), centres(WEST, EAST)
    return on_axes(field, *axes, 1 / CELLS_PER_DEGREE).assign_attrs(attrs)


def build(sources: Path, out: Path) -> None:
    """Write elevation/etopo5.nc."""
    with xr.open_dataset(locate(sources, PACKAGE, INNER), decode_times=False) as source:
        heights = crop(source[VARIABLE].load())
    polygons = gpd.read_file(out / "maps" / "land.geojson").geometry
    result = canonical(without_sea(heights, shapely.union_all(polygons.to_numpy())))
    target = out / "elevation" / "etopo5.nc"
    target.parent.mkdir(parents=True, exist_ok=True)
    packed = encoding("orog", (111, 151), dtype="int16", _FillValue=np.int16(MISSING))
    result.to_netcdf(target, engine="netcdf4", format="NETCDF4", encoding=packed)
