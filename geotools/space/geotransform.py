"""The affine transform that GDAL and rioxarray write beside a CRS, against the coordinates of the field."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from geotools.errors import DataError

# Centres and edges may lie this far off the lattice of the transform, in cells.
_OFF = 0.01


def ensure_transform_fits(
    field: xr.DataArray | xr.Dataset,
    edges: dict[str, NDArray[np.float64]],
    *,
    turn: float | None = None,
) -> None:
    """Refuse coordinates that are not those of the transform which the field carries.

    Parameters
    ----------
    field : xarray.DataArray or xarray.Dataset
        Where there is no `GeoTransform`, nothing is checked.
    edges : dict of str to numpy.ndarray [edge; units of the CRS]
        Cell edges of the x and of the y dimension, in this order.
    turn : float, optional
        Period of x, 360 for longitudes.

    Raises
    ------
    DataError
        When the transform is rotated, the spacing is irregular or another, or the cells are shifted. A part
        of the cells, every n-th cell and blocks of n cells are no contradiction: xarray keeps the transform
        of the whole when it selects or coarsens.
    """
    found = _transform(field)
    if found is None:
        return
    name, (x0, dx, turned_x, y0, turned_y, dy) = found
    if turned_x or turned_y or not dx or not dy:
        raise DataError(
            f"its GeoTransform is rotated or has no cell size ({dx:g} {turned_x:g} {turned_y:g} {dy:g})",
            where=f"coordinate {name!r}",
            expected="rows and columns along the axes, as one-dimensional coordinates have them",
            todo="warp the raster to a grid that is not rotated",
        )
    for (dim, line), start, step, period in zip(edges.items(), (x0, y0), (dx, dy), (turn, None), strict=True):
        problem = _contradiction(line, start, abs(step), period)
        if problem:
            raise DataError(
                f"the coordinate {dim!r} {problem}",
                where=f"coordinate {name!r}",
                expected=f"cells of {abs(step):g} that start at {start:g}, as its GeoTransform says",
                todo=f"find out which one is right; if the coordinates are, drop the attribute: "
                f"del field[{name!r}].attrs['GeoTransform']",
            )


def _contradiction(edges: NDArray[np.float64], start: float, step: float, period: float | None) -> str | None:
    widths = np.abs(np.diff(edges))
    # Edges of float32 coordinates wander by their rounding.
    slack = _OFF * step + float(np.finfo("float32").eps) * float(np.abs(edges).max())
    # Global grids may end in a cut cell at the pole.
    inner = widths[1:-1] if widths.size > 2 else widths
    if np.ptp(inner) > slack:
        return f"is irregular, with cells of {widths.min():g} to {widths.max():g}"
    times = max(1, round(float(np.median(widths)) / step))
    if abs(float(np.median(widths)) - times * step) > slack:
        return f"has cells of {np.median(widths):g}"

    def off_lattice(values: NDArray[np.float64], origin: float) -> Any:
        away = np.mod(values - origin + step / 2, step) - step / 2
        return np.abs(away).max() > slack

    inside, centres = edges[1:-1] if edges.size > 2 else edges, (edges[:-1] + edges[1:]) / 2
    origins = (start,) if period is None else (start, start + period, start - period)
    # Every n-th cell has its centres on those of the transform, blocks of n cells their edges.
    if all(off_lattice(inside, o) and off_lattice(centres, o + step / 2) for o in origins):
        return f"is shifted, with edges such as {edges[0]:.9g}"
    return None


def _transform(field: xr.DataArray | xr.Dataset) -> tuple[str, tuple[float, ...]] | None:
    variables = field.variables if isinstance(field, xr.Dataset) else field.coords
    fields = [field, *(field.data_vars.values() if isinstance(field, xr.Dataset) else ())]
    named = [f.attrs.get("grid_mapping") or f.encoding.get("grid_mapping") for f in fields]
    # CF allows "mapping: x y"; the first word is the variable.
    for name in (*(str(n).split(":")[0].split()[0] for n in named if n), "spatial_ref", "crs"):
        text = variables[name].attrs.get("GeoTransform") if name in variables else None
        if text is None:
            continue
        try:
            numbers = tuple(map(float, text.split() if isinstance(text, str) else text))
        except (TypeError, ValueError):
            numbers = ()
        if len(numbers) != 6 or not np.isfinite(numbers).all():
            raise DataError(
                f"its GeoTransform is {text!r}", where=f"coordinate {name!r}", expected="six numbers"
            )
        return name, numbers
    return None
