"""The schema of a catalogue entry."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from geotools.vocabulary import Tier

RASTER_SUFFIXES = {
    ".nc": "netcdf",
    ".nc4": "netcdf",
    ".cdf": "netcdf",
    ".zarr": "zarr",
    ".tif": "geotiff",
    ".tiff": "geotiff",
}
VECTOR_SUFFIXES = {".geojson": "vector", ".gpkg": "vector", ".shp": "vector", ".fgb": "vector"}
TABLE_SUFFIXES = {".csv": "table"}
FORMATS = RASTER_SUFFIXES | VECTOR_SUFFIXES | TABLE_SUFFIXES


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class VariableSource(_Model):
    """How one canonical variable is stored in a file.

    Parameters
    ----------
    name : str, optional
        Name in the file; the canonical name when absent. Bands of a GeoTIFF are `band_1`, `band_2` and so on.
    units : str, optional
        Overrides the units attribute of the file, for files whose attribute is wrong or missing.
    nodata : float, optional
        Value that means missing, for files that do not say so themselves.
    flags : dict of int to str, optional
        Class codes and their meanings; makes the variable categorical.
    long_name : str, optional
        What the variable is in words. A name that geotools does not know is taken where it has one: such a variable
        keeps the units of its file.
    valid : (float, float), optional
        Smallest and largest plausible value, in the units of a variable that geotools does not know.
    """

    name: str | None = None
    units: str | None = None
    nodata: float | None = None
    flags: dict[int, str] | None = None
    long_name: str | None = Field(default=None, min_length=1)
    valid: tuple[float, float] | None = None

    @field_validator("valid")
    @classmethod
    def _ascending(cls, valid: tuple[float, float] | None) -> tuple[float, float] | None:
        if valid is not None and not valid[0] < valid[1]:
            raise ValueError(f"the least value {valid[0]:g} is not below the greatest, {valid[1]:g}")
        return valid


class DailyTable(_Model):
    """How a text table of daily station values is written.

    Parameters
    ----------
    date : str or three of them
        Column of dates, or those of year, month and day.
    station : str, optional
        Column that tells stations apart.
    date_format : str, optional
        Such as ``"%d.%m.%Y"``; ISO dates by default.
    separator : str
        One character.
    decimal : {".", ","}
    encoding : str
    skip_lines : int
        Lines above the header.
    quality : dict of str to str
        Canonical name to the column of its quality flags.
    good : tuple of str
        Flags whose values count.
    gaps : {"error", "missing"}
        Refuse a record that leaves out days, or put them in as missing.
    """

    date: str | tuple[str, str, str] = "date"
    station: str | None = None
    date_format: str | None = None
    separator: str = Field(default=",", min_length=1, max_length=1)
    decimal: Literal[".", ","] = "."
    encoding: str = "utf-8"
    skip_lines: int = Field(default=0, ge=0)
    quality: dict[str, str] = Field(default_factory=dict)
    good: tuple[str, ...] = ("0",)
    gaps: Literal["error", "missing"] = "error"


class Entry(_Model):
    """One data source.

    Parameters
    ----------
    path : pathlib.Path
        File; a relative path starts at the folder of the YAML file it stands in.
    format : {"netcdf", "zarr", "geotiff", "vector", "table"}, optional
        Taken from the ending of the file name when absent.
    variables : dict of str to VariableSource
        Canonical name to how it is stored. Rasters and daily tables only.
    daily : DailyTable, optional
        Makes a table one of daily station values.
    crs : str, optional
        CRS of a raster that does not name its own.
    key : str, optional
        Column that identifies a row of a table or a polygon.
    depth_top_m, depth_bottom_m : float, optional
        Depth interval that a soil stock is for.
    label : str
        What fields made from this source are called after: "modelled from ERA5".
    notice : str
        Text that the licence wants carried into every file derived from this one.
    description, licence, attribution, citation : str
    period : (str, str), optional
        First and last day the values stand for, as ISO dates.
    tier : Tier
        What the values are: observed, published, modelled, scaled or proxied.
    """

    path: Path
    format: Literal["netcdf", "zarr", "geotiff", "vector", "table"] | None = None
    variables: dict[str, VariableSource] = Field(default_factory=dict)
    daily: DailyTable | None = None
    crs: str | None = None
    key: str | None = None
    layer: str | None = None
    depth_top_m: float | None = None
    depth_bottom_m: float | None = None
    label: str = ""
    description: str = ""
    licence: str = "not stated"
    attribution: str = ""
    notice: str = ""
    citation: str = ""
    period: tuple[str, str] | None = None
    tier: Tier = Tier.MODELLED

    @model_validator(mode="after")
    def _known_format(self) -> Entry:
        if self.format is None and self.path.suffix.lower() not in FORMATS:
            raise ValueError(
                f"the ending {self.path.suffix!r} of {self.path.name!r} names no known format; "
                f"set `format` to one of netcdf, zarr, geotiff, vector, table"
            )
        return self

    @property
    def kind(self) -> str:
        """The format, read off the file name when the entry does not say."""
        return self.format or FORMATS[self.path.suffix.lower()]

    def located(self, folder: Path) -> Entry:
        """The same entry with an absolute path."""
        path = self.path.expanduser()
        return self.model_copy(update={"path": path if path.is_absolute() else (folder / path).resolve()})
