"""The one decorator that turns an array core into a function of floats, NumPy arrays and DataArrays.

A core is a function of NumPy arrays in fixed units. Its face takes the same arguments as plain numbers,
NumPy arrays or DataArrays (eager or dask), converts the units of DataArrays, maps the core over dask chunks
in one task per chunk, and puts CF attributes on what comes back. A core that works along a dimension gets
it as the last axis.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from geotools.errors import UsageError
from geotools.metadata import VARIABLES, Variable
from geotools.units import convert, parse_quantity


def face(
    inputs: Mapping[str, str],
    returns: str | Variable | Sequence[str | Variable],
    *,
    core_dim: str | None = None,
    along: Sequence[str] = (),
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Give an array core its public face.

    Parameters
    ----------
    inputs : mapping of str to str
        Parameter name to the units the core takes. Only these parameters are arrays; all others go to the
        core as they are. Bare numbers and NumPy arrays are taken to be in these units already; a text such as
        ``"0 degC"`` is parsed.
    returns : str or Variable, or a sequence of them
        Canonical names (or entries) of what the core returns, in order. A core with several results gives a
        Dataset when any input is a DataArray, and a tuple otherwise.
    core_dim : str, optional
        Dimension that the core consumes. It is the last axis of the arrays the core sees.
    along : sequence of str
        The inputs that carry `core_dim`.

    Returns
    -------
    callable
        A decorator.
    """
    variables = [
        VARIABLES[r] if isinstance(r, str) else r
        for r in ([returns] if isinstance(returns, str | Variable) else returns)
    ]

    def decorate(core: Callable[..., Any]) -> Callable[..., Any]:
        signature = inspect.signature(core)

        @functools.wraps(core)
        def faced(*args: Any, **kwargs: Any) -> Any:
            bound = signature.bind(*args, **kwargs)
            bound.apply_defaults()
            arguments = dict(bound.arguments)
            arrays = {k: arguments.pop(k) for k in inputs if arguments.get(k) is not None}
            for name, value in arrays.items():
                if isinstance(value, str):
                    arrays[name] = parse_quantity(value, inputs[name])
            if any(_is_dataarray(v) for v in arrays.values()):
                return _map(core, arrays, arguments, inputs, variables, core_dim, along)
            values = {k: np.asarray(v, dtype="float64") for k, v in arrays.items()}
            result = core(**values, **arguments)
            scalar = all(v.ndim == (1 if k in along else 0) for k, v in values.items())
            if len(variables) > 1:
                return tuple(_plain(r, scalar) for r in result)
            return _plain(result, scalar)

        return faced

    return decorate


def _is_dataarray(value: Any) -> bool:
    import xarray as xr

    if isinstance(value, xr.Dataset):
        raise UsageError("a Dataset was given", expected="one variable", todo="pass dataset['name']")
    return isinstance(value, xr.DataArray)


def _plain(value: Any, scalar: bool) -> Any:
    return np.asarray(value).item() if scalar else value


def _map(
    core: Callable[..., Any],
    arrays: dict[str, Any],
    options: dict[str, Any],
    inputs: Mapping[str, str],
    variables: Sequence[Variable],
    core_dim: str | None,
    along: Sequence[str],
) -> Any:
    import xarray as xr

    names = list(arrays)
    for name in names:
        value = arrays[name]
        if not isinstance(value, xr.DataArray):
            continue
        value = convert(value, inputs[name]) if "units" in value.attrs or inputs[name] != "1" else value
        if name in along:
            if core_dim not in value.dims:
                raise UsageError(
                    f"the dimensions are {value.dims}",
                    where=f"argument {name!r}",
                    expected=f"a dimension {core_dim!r}",
                    todo="rename the dimension of the DataArray",
                )
            if value.chunks is not None:
                value = value.chunk({core_dim: -1})
        arrays[name] = value

    def positional(*values: Any) -> Any:
        result = core(
            **{n: np.asarray(v, dtype="float64") for n, v in zip(names, values, strict=True)}, **options
        )
        return tuple(result) if len(variables) > 1 else result

    out = xr.apply_ufunc(
        positional,
        *arrays.values(),
        input_core_dims=[[core_dim] if n in along else [] for n in names],
        output_core_dims=[[] for _ in variables],
        dask="parallelized",
        output_dtypes=["float64"] * len(variables),
        join="exact",
        keep_attrs=False,
    )
    if len(variables) == 1:
        return _dress(out, variables[0])
    return xr.Dataset({v.name: _dress(o, v) for v, o in zip(variables, out, strict=True)})


def _dress(field: Any, variable: Variable) -> Any:
    field = field.rename(variable.name)
    field.attrs = variable.attrs()
    return field
