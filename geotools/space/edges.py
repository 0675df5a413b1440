"""What the edges of a grid must be."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from geotools.errors import DataError


def ensure_monotonic(edges: NDArray[np.float64], name: str) -> None:
    """Refuse edges that are not a finite, strictly ascending or descending line.

    Raises
    ------
    DataError
    """
    if edges.ndim != 1 or edges.size < 2:
        raise DataError(f"{name} has the shape {edges.shape}", expected="a line of two or more edges")
    if not np.isfinite(edges).all():
        raise DataError(f"{name} holds {(~np.isfinite(edges)).sum()} values that are not finite")
    steps = np.diff(edges)
    if not ((steps > 0).all() or (steps < 0).all()):
        raise DataError(f"{name} is neither strictly ascending nor strictly descending")


def ensure_on_earth(x: NDArray[np.float64], y: NDArray[np.float64]) -> None:
    """Refuse longitudes x and latitudes y beyond a pole, out of range or more than once round the Earth.

    Raises
    ------
    DataError
    """
    tolerance = 1e-3 * np.abs(np.diff(x)).min()
    if np.abs(y).max() > 90:
        raise DataError(f"latitude edges reach {y[np.abs(y).argmax()]:g}", expected="-90 to 90 degrees")
    if x.min() < -360 - tolerance or x.max() > 540 + tolerance:
        raise DataError(
            f"longitude edges run from {x.min():g} to {x.max():g}", expected="degrees within -360 to 540"
        )
    if abs(x[-1] - x[0]) > 360 + tolerance:
        raise DataError(
            f"longitude edges run from {x.min():g} to {x.max():g}, more than once round the Earth",
            expected="at most 360 degrees",
            todo="drop the columns that come twice",
        )
