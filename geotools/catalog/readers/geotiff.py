"""GeoTIFF and what else GDAL reads as bands."""

from __future__ import annotations

from pathlib import Path

import xarray as xr

from geotools.errors import DataError


def read(path: Path) -> xr.Dataset:
    """Open the bands of a raster lazily as variables `band_1`, `band_2` and so on.

    Parameters
    ----------
    path : pathlib.Path

    Returns
    -------
    xarray.Dataset [y, x; lazy; a declared nodata value is NaN]

    Raises
    ------
    DataError
        When GDAL cannot open the file.
    """
    # rioxarray takes seconds to import, and a run without GeoTIFFs does not need it.
    import rasterio
    import rioxarray

    try:
        bands = rioxarray.open_rasterio(path, chunks={"x": 2048, "y": 2048}, masked=True, lock=False)
    except (rasterio.errors.RasterioError, OSError) as error:
        raise DataError(
            f"the file cannot be opened as a raster ({str(error).splitlines()[0]})",
            where=str(path),
            expected="a complete GeoTIFF",
            todo="fetch or write the file again; it is probably truncated or of another format",
        ) from error
    assert isinstance(bands, xr.DataArray)
    out = xr.Dataset({f"band_{int(b)}": bands.sel(band=b, drop=True) for b in bands["band"].values})
    # rioxarray always adds the variable; without a CRS it holds only the transform.
    if bands.rio.crs is None:
        out = out.drop_vars("spatial_ref", errors="ignore")
    return out
