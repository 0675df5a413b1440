"""Class fields: their codes and meanings, and the area of each class."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from geotools.errors import DataError
from geotools.space.fields import ensure_kind, label_of, result_attrs
from geotools.space.overlay import Overlay
from geotools.space.reductions import ClassAreas, ClassMeans
from geotools.vocabulary import Kind


def class_meanings(
    field: xr.DataArray, classes: Mapping[int, str] | None
) -> tuple[NDArray[Any], NDArray[np.str_]]:
    """Codes [class] and meanings [class] of a class field, from a mapping or its CF flag attributes.

    Raises
    ------
    DataError
        When there are none or they do not fit each other.
    """
    if classes is not None:
        return np.array(list(classes)), np.array([str(v) for v in classes.values()])
    values = np.atleast_1d(np.asarray(field.attrs.get("flag_values", [])))
    meanings = str(field.attrs.get("flag_meanings", "")).split()
    if values.size == 0 or values.size != len(meanings):
        raise DataError(
            f"it has {values.size} flag_values and {len(meanings)} flag_meanings",
            where=label_of(field),
            expected="one meaning per value",
            todo="set both attributes, or pass classes={code: meaning}",
        )
    if len(set(values.tolist())) != values.size or len(set(meanings)) != len(meanings):
        raise DataError("a flag value or meaning comes twice", where=label_of(field))
    return values, np.array(meanings)


def by_class(
    overlay: Overlay,
    field: xr.DataArray,
    classes: Mapping[int, str] | None,
    class_dim: str,
    *,
    fraction: bool,
) -> xr.DataArray:
    """Area, or share of the valid area, of each class; see `Overlap.area_by_class`."""
    field, codes, meanings = _checked_classes(
        overlay, field, classes, "class_fraction" if fraction else "area_by_class"
    )
    values, valid = overlay.apply(
        ClassAreas(codes, fraction), field, sizes={class_dim: codes.size, **overlay.sizes}
    )
    attrs = {
        "units": "1" if fraction else "m2",
        "cell_methods": "area: mean" if fraction else "area: sum",
    }
    long_name = f"{'share' if fraction else 'area'} of {field.attrs.get('long_name', field.name or 'class')}"
    return overlay.dress(
        values.assign_coords(_labels(class_dim, codes, meanings)),
        valid.isel({class_dim: 0}),
        field.name,
        {"long_name": long_name, **attrs},
    )


def mean_by_class(
    overlay: Overlay,
    field: xr.DataArray,
    classes: xr.DataArray,
    meanings: Mapping[int, str] | None,
    class_dim: str,
) -> xr.DataArray:
    """Mean of a field over each class; see `Overlap.mean_by_class`."""
    overlay.refuse_points("mean_by_class")
    field = overlay.checked(field)
    ensure_kind(field, (Kind.INTENSIVE, Kind.DENSITY), "mean_by_class")
    kinds, codes, names = _checked_classes(overlay, classes, meanings, "mean_by_class")
    if set(kinds.dims) != set(overlay.grid.dims):
        field, kinds = xr.broadcast(field, kinds)
    kinds = kinds.drop_vars([n for n in kinds.coords if n not in kinds.dims])
    sizes = {class_dim: codes.size, **overlay.sizes}
    values, valid = overlay.apply(ClassMeans(codes), field, kinds, sizes=sizes)
    # Of a mean over part of a zone, both in the words of CF.
    out = overlay.dress(
        values.assign_coords(_labels(class_dim, codes, names)),
        valid,
        field.name,
        result_attrs(field, "mean"),
    )
    out["valid_fraction"].attrs["long_name"] = "share of the area of the class in the target that had data"
    return out


def _labels(class_dim: str, codes: NDArray[Any], meanings: NDArray[np.str_]) -> dict[str, Any]:
    return {class_dim: meanings, "flag_value": (class_dim, codes, {"long_name": "code of the class"})}


def _checked_classes(
    overlay: Overlay, field: xr.DataArray, classes: Mapping[int, str] | None, call: str
) -> tuple[xr.DataArray, NDArray[Any], NDArray[np.str_]]:
    """A field of classes on the grid of the overlap, its codes and their meanings."""
    field = overlay.checked(field)
    if classes is None:
        ensure_kind(field, (Kind.CLASS,), call)
    codes, meanings = class_meanings(field, classes)
    missing = field.encoding.get("_FillValue")
    if missing is not None and field.dtype.kind in "iu":
        # A field in memory that would be written with this code for missing, as it would be read again.
        field = field.where(field != missing)
    return field, codes, meanings
