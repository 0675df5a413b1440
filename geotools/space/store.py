"""An overlap in one file: its targets, the grid of its cells, and the matrix.

A NumPy archive (npz) without pickled objects. Its member `header` is JSON: what the file is, the version of the
format and of the algorithm, names and attributes, and the sha256 of all the rest. A file that is damaged, of
another version or not ours is an error and never a wrong number.
"""

from __future__ import annotations

import hashlib
import json
import os
import uuid
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from pyproj import CRS
from pyproj.exceptions import CRSError as PyprojCRSError

from geotools.errors import DataError, UsageError
from geotools.space.coverage import ALGORITHM
from geotools.space.curvilinear import CurvilinearGrid
from geotools.space.grid import Grid
from geotools.space.grids import AnyGrid
from geotools.space.matrix import CellMatrix
from geotools.space.runs import Matrix, RunMatrix
from geotools.space.targets import Target

FORMAT = 2
_KIND = "geotools overlap"
# Text, numbers, truth values and dates: what NumPy writes without pickling.
_STORABLE = "UiufbM"
_GRIDS: dict[str, type[Any]] = {"rectilinear": Grid, "curvilinear": CurvilinearGrid}
_STORAGES: dict[str, type[Any]] = {"runs": RunMatrix, "cells": CellMatrix}
_BUILD_AGAIN = "build it again with Overlap.between and save it"

Parts = Mapping[str, NDArray[Any]]


class Stored(NamedTuple):
    """What a file holds; `key` is the text it was written under."""

    matrix: Matrix
    target: Target
    grid: AnyGrid
    key: str


def write(path: str | os.PathLike[str], stored: Stored) -> None:
    """Write an overlap to one file, whole or not at all.

    Parameters
    ----------
    path : path
        A file there is replaced.
    stored : Stored

    Raises
    ------
    UsageError
        When labels cannot be written.
    OSError
        When the disk refuses.
    """
    arrays = _arrays(stored)
    header = _header(stored)
    header["content"] = _digest(header, arrays)
    member = np.frombuffer(json.dumps(header).encode(), dtype="uint8")
    path = Path(path)
    # Under a name of its own, so that several processes may write the same file.
    temporary = path.with_name(f".{path.name}.{uuid.uuid4().hex}.tmp")
    try:
        with temporary.open("xb") as stream:
            members: dict[str, Any] = {"header": member, **arrays}
            np.savez(stream, **members)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def read(path: str | os.PathLike[str]) -> Stored:
    """Read an overlap that `write` wrote.

    Parameters
    ----------
    path : path

    Returns
    -------
    Stored

    Raises
    ------
    UsageError
        When there is no such file, or it may not be read.
    DataError
        When it is something else, damaged, or of another version of the format or the algorithm.
    """
    where = str(path)
    try:
        stream = Path(path).open("rb")  # noqa: SIM115 - the error of opening is another than those of reading
    except OSError as error:
        raise UsageError(
            f"the overlap cannot be opened ({error.strerror})", where=where, todo="correct the path"
        ) from error
    with stream:
        try:
            archive = np.load(stream, allow_pickle=False)
            header = json.loads(archive["header"].tobytes())
            is_ours = header["kind"] == _KIND
        except Exception as error:  # what zipfile, NumPy and JSON make of any other file, or of a part of one
            raise DataError(
                f"no overlap can be read from it ({_said(error)})",
                where=where,
                expected="a whole file written by Overlap.save",
                todo=_BUILD_AGAIN,
            ) from error
        if not is_ours:
            raise DataError(f"it holds a {header['kind']!r}", where=where, expected=repr(_KIND))
        _ensure_version(header, where)
        try:
            arrays = {name: archive[name] for name in archive.files if name != "header"}
            _ensure(_digest(header, arrays) == header["content"], "its content is not what was written")
            return _assembled(header, arrays)
        except Exception as error:  # as above
            raise DataError(
                f"the file is damaged ({_said(error)})", where=where, todo=_BUILD_AGAIN
            ) from error


def _said(error: Exception) -> str:
    text = str(error).strip() or type(error).__name__
    return text.splitlines()[0].rstrip(".")


def _ensure_version(header: Mapping[str, Any], where: str) -> None:
    for name, expected in (("format", FORMAT), ("algorithm", ALGORITHM)):
        if header.get(name) != expected:
            raise DataError(
                f"it was written with version {header.get(name)!r} of the {name}",
                where=where,
                expected=f"version {expected}",
                todo=_BUILD_AGAIN,
            )


def _ensure(holds: Any, text: str) -> None:
    if not holds:
        raise ValueError(text)


def _digest(header: Mapping[str, Any], arrays: Parts) -> str:
    """The sha256 of all arrays and of the header but for that sum itself."""
    described = {name: value for name, value in header.items() if name != "content"}
    digest = hashlib.sha256(json.dumps(described, sort_keys=True).encode())
    for name in sorted(arrays):
        part = np.ascontiguousarray(arrays[name])
        digest.update(f"|{name}|{part.dtype.str}|{part.shape}|".encode())
        # Through bytes, for dates have no buffer of their own.
        digest.update(part.reshape(-1).view("uint8").data)
    return digest.hexdigest()


def _arrays(stored: Stored) -> dict[str, NDArray[Any]]:
    """Everything that is large, by the name of its member."""
    matrix, target, grid = stored.matrix, stored.target, stored.grid
    out = {f"matrix_{name}": part for name, part in matrix.parts().items()}
    out |= {"areas": target.areas} | {f"grid_{name}": part for name, part in _placed(grid).items()}
    if target.grid is not None:
        return out | {f"target_grid_{name}": part for name, part in _placed(target.grid).items()}
    for number, (name, (_, values, *_attrs)) in enumerate(target.coords.items()):
        if np.asarray(values).dtype.kind not in _STORABLE:
            raise UsageError(
                f"the column {name!r} holds {np.asarray(values).dtype}, which cannot be written",
                where="labels of the targets",
                expected="text, numbers or dates, of one kind in each column",
                todo=f"turn it into text, zones[{name!r}].astype(str), or leave it out",
            )
        out[f"label_{number}"] = np.asarray(values)
    return out


def _header(stored: Stored) -> dict[str, Any]:
    target = stored.target
    storage = next(name for name, kind in _STORAGES.items() if isinstance(stored.matrix, kind))
    labels = [] if target.grid is not None else [
        {"name": name, "dims": _as_list(dims), "attrs": attrs[0] if attrs else {}}
        for name, (dims, _, *attrs) in target.coords.items()
    ]  # fmt: skip
    return {
        "kind": _KIND,
        "format": FORMAT,
        "algorithm": ALGORITHM,
        "key": stored.key,
        "storage": storage,
        "grid": _described(stored.grid),
        "target": {
            "dims": list(target.dims),
            "shape": list(target.shape),
            "what": target.what,
            "key": target.key,
            "labels": labels,
            "grid": None if target.grid is None else _described(target.grid),
        },
    }


def _as_list(dims: str | tuple[str, ...]) -> list[str]:
    return [dims] if isinstance(dims, str) else list(dims)


def _placed(grid: AnyGrid) -> dict[str, NDArray[Any]]:
    """What says where the cells of a grid lie, by the names that its class has for it."""
    if isinstance(grid, Grid):
        return {"x_edges": grid.x_edges, "y_edges": grid.y_edges}
    return {"x_corners": grid.x_corners, "y_corners": grid.y_corners, "missing": np.asarray(grid.missing)}


def _described(grid: AnyGrid) -> dict[str, Any]:
    # A PROJ string keeps digits that WKT rounds, but only WKT says the same to every version of PROJ.
    return {
        "cells": next(name for name, kind in _GRIDS.items() if isinstance(grid, kind)),
        "x_dim": grid.x_dim,
        "y_dim": grid.y_dim,
        "wkt": grid.crs.to_wkt(),
        "crs": grid.crs.srs,
    }


def _grid(described: Mapping[str, str], arrays: Parts, prefix: str) -> AnyGrid:
    crs = CRS.from_wkt(described["wkt"])
    try:
        as_given = CRS.from_user_input(described["crs"])
        crs = as_given if as_given.to_wkt() == described["wkt"] else crs
    except PyprojCRSError:
        pass  # a name that this version of PROJ does not know
    places = {name.removeprefix(prefix): part for name, part in arrays.items() if name.startswith(prefix)}
    grid: AnyGrid = _GRIDS[described["cells"]](
        **places, crs=crs, x_dim=described["x_dim"], y_dim=described["y_dim"]
    )
    return grid


def _assembled(header: Mapping[str, Any], arrays: Parts) -> Stored:
    """The overlap of a header and its arrays, once they fit each other."""
    told = header["target"]
    grid = _grid(header["grid"], arrays, "grid_")
    shape = tuple(told["shape"])
    count = int(np.prod(shape))
    areas = arrays["areas"]
    _ensure(
        areas.shape == (count,) and areas.dtype == "float64", "the number of areas is not that of targets"
    )
    target_grid = None
    if told["grid"] is not None:
        target_grid = _grid(told["grid"], arrays, "target_grid_")
        _ensure(target_grid.shape == shape, "the target grid has another shape")
        coords = target_grid.coordinates()
    else:
        coords = {
            label["name"]: (
                label["dims"][0] if len(label["dims"]) == 1 else tuple(label["dims"]),
                arrays[f"label_{number}"],
                label["attrs"],
            )
            for number, label in enumerate(told["labels"])
        }
    for dims, values, *_ in coords.values():
        sizes = [dict(zip(told["dims"], shape, strict=True))[dim] for dim in _as_list(dims)]
        _ensure(list(np.shape(values)) == sizes, "the number of labels is not that of targets")
    parts = {
        name.removeprefix("matrix_"): part for name, part in arrays.items() if name.startswith("matrix_")
    }
    _ensure(header["storage"] == "cells" or isinstance(grid, Grid), "runs on cells that have no rows")
    _ENSURE_PARTS[header["storage"]](parts, count, grid)
    matrix = _STORAGES[header["storage"]].from_parts(parts, count, grid)
    target = Target(tuple(told["dims"]), shape, coords, areas, told["what"], told["key"], target_grid)
    return Stored(matrix, target, grid, header["key"])


def _ensure_runs(parts: Parts, targets: int, grid: Grid) -> None:
    """Compiled kernels do not look whether an index is within its array."""
    rows, columns = grid.shape
    run, edge, share = parts["run"], parts["edge"], parts["share"]
    _ensure(run.dtype == edge.dtype == "int32" and share.dtype == "float64", "numbers of another type")
    _ensure(run.shape[:-1] == (4,) and edge.shape == (3, share.size), "runs of another shape")
    _ensure_within(run[0], targets)
    _ensure_within(edge[0], targets)
    _ensure_within(run[1], rows)
    _ensure_within(edge[1], rows)
    _ensure_within(run[2:], columns)
    _ensure_within(edge[2], columns)
    _ensure((run[2] <= run[3]).all(), "a run ends before it starts")
    _ensure(((share > 0) & (share < 1)).all(), "a covered share is not between 0 and 1")
    _ensure(parts["row_sums"].shape == (targets,), "the number of sums is not that of targets")
    if not grid.plane_is_equal_area:
        row = run[1].astype("int64") * columns
        order = np.argsort(row + run[2], kind="stable")
        begin, stop = (row + run[2])[order], (row + run[3] + 1)[order]
        reached = np.maximum.accumulate(np.append(0, stop))[:-1]
        covered = np.maximum(stop - np.maximum(begin, reached), 0).sum()
        _ensure(parts["weights"].shape == (covered,), "the number of cell areas is not that of cells")
        _ensure(parts["edge_area"].shape == share.shape, "the number of areas is not that of edge cells")


def _ensure_cells(parts: Parts, targets: int, grid: AnyGrid) -> None:
    cells, indices, indptr = parts["cells"], parts["indices"], parts["indptr"]
    _ensure_within(cells, grid.size)
    _ensure((np.diff(cells) > 0).all(), "cells are not in order")
    _ensure_within(indices, cells.size)
    _ensure(indptr.shape == (targets + 1,) and (np.diff(indptr) >= 0).all(), "rows are not in order")
    _ensure(indptr[0] == 0 and indptr[-1] == indices.size == parts["data"].size, "rows of another length")
    _ensure(parts["row_sums"].shape == (targets,), "the number of sums is not that of targets")


def _ensure_within(index: NDArray[Any], size: int) -> None:
    _ensure(index.size == 0 or (index.min() >= 0 and index.max() < size), "an index is out of range")


_ENSURE_PARTS: dict[str, Callable[..., None]] = {"runs": _ensure_runs, "cells": _ensure_cells}
