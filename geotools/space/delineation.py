"""Basins from a digital elevation model: burn rivers, route water, trace upstream, draw the outline.

Arrays are in row and column order. `pyflwdir` does the routing and is imported when it is needed.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from types import ModuleType
from typing import TYPE_CHECKING

import numpy as np
import shapely
from numpy.typing import ArrayLike, NDArray

from geotools.errors import DataError, GeometryError, UsageError

if TYPE_CHECKING:
    from affine import Affine
    from shapely.geometry.base import BaseGeometry

Cell = tuple[int, int]

NODATA = -9999.0
EIGHT = np.ones((3, 3), dtype=bool)


def cell_at(x: float, y: float, *, transform: Affine, shape: tuple[int, int]) -> Cell:
    """Row and column of the cell that holds a point.

    Parameters
    ----------
    x, y : float
        Coordinates in the CRS of the grid, for instance longitude and latitude in degrees.
    transform : affine.Affine
        From column and row to coordinates of the grid.
    shape : tuple of int
        Rows and columns of the grid.

    Returns
    -------
    tuple of int
        Row and column.

    Raises
    ------
    DataError
        When it lies outside the grid.

    Examples
    --------
    >>> from affine import Affine
    >>> cell_at(100.7, 49.2, transform=Affine(0.5, 0, 100, 0, -0.5, 50), shape=(4, 4))
    (1, 1)
    """
    back = ~transform
    column, row = back.a * x + back.b * y + back.c, back.d * x + back.e * y + back.f
    if not (0 <= row < shape[0] and 0 <= column < shape[1]):
        raise DataError(
            "the point lies outside the grid",
            where=f"point {x:g}, {y:g}",
            expected=f"a point inside the {shape[0]} x {shape[1]} cells of the grid",
            todo="check the order of the coordinates and the extent of the elevation model",
        )
    return int(row), int(column)


def lowest_cell(elevation: ArrayLike, *, around: Cell, radius: int) -> Cell:
    """Lowest cell in a square window, the first in row order when several are equally low.

    Parameters
    ----------
    elevation : array_like [y, x; m]
        Surface height.
    around : tuple of int
        Row and column of the middle of the window.
    radius : int
        Half width of the window in cells; the window is cut at the edges of the grid.

    Returns
    -------
    tuple of int
        Row and column.
    """
    heights = np.asarray(elevation, dtype=float)
    top, left = max(around[0] - radius, 0), max(around[1] - radius, 0)
    window = heights[top : around[0] + radius + 1, left : around[1] + radius + 1]
    row, column = np.unravel_index(int(np.nanargmin(window)), window.shape)
    return top + int(row), left + int(column)


def burn_rivers(
    elevation: ArrayLike,
    rivers: Iterable[BaseGeometry],
    *,
    transform: Affine,
    depth_m: float = 1000.0,
) -> NDArray[np.float64]:
    """Lower every cell that a mapped river touches.

    Parameters
    ----------
    elevation : array_like [y, x; m]
        Surface height.
    rivers : iterable of shapely geometries
        River lines in the CRS of the grid. A line should run on to its outlet: a burned river that stops
        short has to climb out of its own trench.
    transform : affine.Affine
        From column and row to coordinates of the grid.
    depth_m : float, optional
        By how much river cells are lowered.

    Returns
    -------
    numpy.ndarray [y, x; m]
        A lowered copy.

    Notes
    -----
    A depth larger than the relief makes the mapped network drain before any other cell. All touched cells are
    lowered, so that a line is connected over corners as well.
    """
    from rasterio.features import rasterize

    if not depth_m > 0:
        raise UsageError(f"depth_m is {depth_m:g}", where="burn_rivers", expected="a positive depth in m")
    burned = np.array(elevation, dtype=float)
    lines = [line for line in rivers if line is not None and not line.is_empty]
    if lines:
        touched = rasterize(lines, burned.shape, transform=transform, all_touched=True, dtype="uint8")
        burned[touched == 1] -= depth_m
    return burned


def flow_directions(elevation: ArrayLike, *, mask: ArrayLike, outlets: Sequence[Cell]) -> NDArray[np.uint8]:
    """D8 flow directions by flooding from the outlets.

    Parameters
    ----------
    elevation : array_like [y, x; m]
        Surface height, usually with burned rivers; finite wherever `mask` is true.
    mask : array_like of bool [y, x]
        Cells that take part. Water does not cross its edge except at an outlet.
    outlets : sequence of tuple of int
        Row and column of each cell where water leaves: river mouths, coast cells, bottoms of closed basins.
        Every other depression is filled to its lowest rim and drains over it.

    Returns
    -------
    numpy.ndarray of uint8 [y, x]
        1 east, 2 south-east, 4 south and so on clockwise to 128 (for a grid whose rows run southward),
        0 at outlets, 247 outside the mask.

    Raises
    ------
    DataError
        When an outlet lies outside the mask, a part of the mask has none, or a height is missing.
    UsageError
        When pyflwdir is not installed.

    References
    ----------
    Wang and Liu (2006), doi:10.1080/13658810500433453
    """
    from scipy.ndimage import label

    heights = np.asarray(elevation, dtype=float)
    inside = _mask_like(mask, heights.shape)
    if not outlets:
        raise DataError(
            "no outlet is given",
            where="flow_directions",
            todo="give the river mouth, the coast cells or the bottom of the closed basin",
        )
    for outlet in outlets:
        _require_inside(outlet, inside)
    missing = int(np.count_nonzero(inside & ~np.isfinite(heights)))
    if missing:
        raise DataError(
            f"elevation is missing in {missing} cells of the mask",
            where="flow_directions",
            todo="cut these cells from the mask or fill the elevation model",
        )
    parts, count = label(inside, structure=EIGHT)
    drained = {int(parts[outlet]) for outlet in outlets}
    if len(drained) < count:
        raise DataError(
            f"{count - len(drained)} of {count} separate parts of the mask have no outlet",
            todo="cut islands from the mask or add an outlet for each",
        )
    flat = np.unique([row * heights.shape[1] + column for row, column in outlets]).astype(np.intp)
    _, directions = _pyflwdir().dem.fill_depressions(
        np.where(inside, heights, NODATA), idxs_pit=flat, nodata=NODATA
    )
    return np.asarray(directions, dtype=np.uint8)


def trace_upstream(directions: ArrayLike, *, outlets: Sequence[Cell], mask: ArrayLike) -> NDArray[np.int32]:
    """Label the cells whose water reaches each outlet.

    Parameters
    ----------
    directions : array_like of uint8 [y, x]
        From :func:`flow_directions`.
    outlets : sequence of tuple of int
        Row and column of each. Where one lies upstream of another, the upper basin keeps its own label.
    mask : array_like of bool [y, x]
        Cells that take part.

    Returns
    -------
    numpy.ndarray of int32 [y, x]
        1 for the first outlet, 2 for the second and so on; 0 for cells that reach none of them.

    Raises
    ------
    DataError
        When an outlet lies outside the mask.
    """
    routed = np.asarray(directions, dtype=np.uint8)
    inside = _mask_like(mask, routed.shape)
    for outlet in outlets:
        _require_inside(outlet, inside)
    flow = _pyflwdir().from_array(routed, ftype="d8", mask=inside)
    flat = np.array([row * routed.shape[1] + column for row, column in outlets], dtype=np.intp)
    return np.asarray(flow.basins(idxs=flat), dtype=np.int32)


def mask_to_polygon(mask: ArrayLike, *, transform: Affine) -> shapely.Polygon | shapely.MultiPolygon:
    """Outline of the true cells, along cell edges.

    Parameters
    ----------
    mask : array_like of bool [y, x]
        Cells inside.
    transform : affine.Affine
        From column and row to coordinates of the grid.

    Returns
    -------
    shapely.Polygon or shapely.MultiPolygon
        Valid, in the CRS of the grid. Cells that meet in one corner only become separate parts.

    Raises
    ------
    GeometryError
        When no cell is true.
    """
    from rasterio.features import shapes

    inside = np.asarray(mask, dtype=bool)
    if not inside.any():
        raise GeometryError(
            "the mask is empty", where="mask_to_polygon", todo="check that the outlet lies on the river"
        )
    pieces = [
        shapely.geometry.shape(geometry)
        for geometry, _ in shapes(inside.astype(np.uint8), mask=inside, transform=transform)
    ]
    outline: shapely.Polygon | shapely.MultiPolygon = shapely.orient_polygons(
        shapely.normalize(shapely.union_all(pieces))
    )
    return outline


def _mask_like(mask: ArrayLike, shape: tuple[int, ...]) -> NDArray[np.bool_]:
    inside = np.asarray(mask, dtype=bool)
    if inside.ndim != 2 or inside.shape != shape:
        raise DataError(
            f"the mask has the shape {inside.shape}",
            where="delineation",
            expected=f"two dimensions and the shape {shape} of the elevation or flow directions",
            todo="put both on one grid",
        )
    return inside


def _require_inside(outlet: Cell, inside: NDArray[np.bool_]) -> None:
    row, column = outlet
    on_grid = 0 <= row < inside.shape[0] and 0 <= column < inside.shape[1]
    if not on_grid or not inside[row, column]:
        raise DataError(
            "the outlet lies outside the mask",
            where=f"outlet at row {row}, column {column}",
            expected="a cell inside the mask of the elevation model",
            todo="give a point on the river upstream of the mouth",
        )


def _pyflwdir() -> ModuleType:
    try:
        import pyflwdir
    except ImportError as error:
        raise UsageError(
            "pyflwdir is not installed",
            where="basin delineation",
            todo='pip install "lena-amur-geotools[delineate]"',
        ) from error
    module: ModuleType = pyflwdir
    return module
