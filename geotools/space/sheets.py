"""Cells of a grid drawn in one equal-area plane."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import shapely
from numpy.typing import NDArray
from pyproj import CRS

from geotools.space.geodesy import CYLINDER


@dataclass(frozen=True)
class Sheet:
    """Cells of a grid in one equal-area plane.

    Parameters
    ----------
    crs : pyproj.CRS
        Of the plane, which is equal-area.
    cells : numpy.ndarray [cell]
        Flat numbers in row order, ascending.
    corners : numpy.ndarray [cell, 4, 2]
        In the plane, round the cell.
    rings : dict of int to numpy.ndarray [vertex, 2]
        Outlines of the few cells, by position in `cells`, with vertices of their own between the corners.
    outlines : numpy.ndarray [cell, vertex, 2], optional
        Outlines of all cells, where the edges are not straight in the plane.
    pole : float [degrees_north]
        The pole that the plane is centred on; 0 on other sheets.
    seams : dict of int to numpy.ndarray [vertex, 2], optional
        Outlines of the cells of the cylindrical plane that share an edge with another sheet, with the vertices that
        the edge has there. The cell is the same without them; it takes them along to a third plane.
    """

    crs: CRS
    cells: NDArray[np.int64]
    corners: NDArray[np.float64]
    rings: dict[int, NDArray[np.float64]]
    outlines: NDArray[np.float64] | None = None
    pole: float = 0.0
    seams: dict[int, NDArray[np.float64]] = field(default_factory=dict)

    @property
    def is_cylindrical(self) -> bool:
        """Whether this is the cylindrical plane, which has no beginning in longitude."""
        return self.crs is CYLINDER

    @cached_property
    def boxes(self) -> NDArray[np.float64]:
        """Least x and y, greatest x and y of each cell [4, cell]."""
        points = self.corners if self.outlines is None else self.outlines
        low, high = points.min(axis=1), points.max(axis=1)
        for k, ring in self.rings.items():
            low[k], high[k] = ring.min(axis=0), ring.max(axis=0)
        return np.concatenate((low, high), axis=1).T

    @cached_property
    def areas(self) -> NDArray[np.float64]:
        """True areas of the cells [cell; m2]."""
        out = np.abs(twice_area(self.corners if self.outlines is None else self.outlines)) / 2
        for k, ring in self.rings.items():
            out[k] = abs(twice_area(ring[None])[0]) / 2
        return out

    def vertices(
        self, which: NDArray[np.int64], *, seams: bool = False
    ) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Outlines of cells, by their position in `cells`, counter-clockwise, and on demand with their seams.

        Returns
        -------
        start : numpy.ndarray [cell + 1]
        points : numpy.ndarray [vertex, 2]
        """
        points = (self.corners if self.outlines is None else self.outlines)[which]
        turned = twice_area(points) < 0
        points[turned] = points[turned, ::-1]
        count = np.full(which.size, points.shape[1])
        known = {**self.rings, **self.seams} if seams else self.rings
        own = [k for k, cell in enumerate(which.tolist()) if cell in known] if known else []
        rings = [known[int(which[k])] for k in own]
        count[own] = [len(ring) for ring in rings]
        start = np.concatenate(([0], np.cumsum(count)))
        out = np.empty((int(start[-1]), 2))
        plain = np.ones(which.size, dtype=bool)
        plain[own] = False
        place = start[:-1][plain, None] + np.arange(points.shape[1])
        out[place] = points[plain]
        for k, ring in zip(own, rings, strict=True):
            out[start[k] : start[k + 1]] = ring if twice_area(ring[None])[0] > 0 else ring[::-1]
        return start, out

    def polygons(self, which: NDArray[np.int64] | None = None, *, seams: bool = False) -> NDArray[np.object_]:
        """Cells, by their position in `cells` or all, as shapely polygons in the plane."""
        which = np.arange(self.cells.size) if which is None else which
        start, points = self.vertices(which, seams=seams)
        number = np.repeat(np.arange(which.size), np.diff(start))
        return np.asarray(shapely.polygons(shapely.linearrings(points, indices=number)), dtype=object)


def twice_area(rings: NDArray[np.float64]) -> NDArray[np.float64]:
    """Twice the signed area of rings [ring, vertex, 2], positive counter-clockwise."""
    # From the first vertex, so that far from the origin no digits are lost.
    x, y = np.moveaxis(rings - rings[:, :1], -1, 0)
    return np.asarray((x[:, :-1] * y[:, 1:] - x[:, 1:] * y[:, :-1]).sum(axis=1))
