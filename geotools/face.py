"""The one decorator that turns an array core into a function of floats, NumPy arrays and DataArrays.

A core is a function of NumPy arrays in fixed units. Its face takes the same arguments as plain numbers,
NumPy arrays or DataArrays (eager or dask), converts the units of DataArrays, maps the core over dask chunks
in one task per chunk, and puts CF attributes on what comes back. A core that works along a dimension gets
it as the last axis.
"""

from __future__ import annotations

import functools
import inspect
from collections import namedtuple
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
    keeps: Sequence[str] = (),
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
        Dataset when any input is a DataArray, and a named tuple otherwise.
    core_dim : str, optional
        Dimension that the core consumes. It is the last axis of the arrays the core sees.
    along : sequence of str
        The inputs that carry `core_dim`.
    keeps : sequence of str
        Names of the results that still carry `core_dim`, as their last axis.

    Returns
    -------
    callable
        A decorator.
    """

    def decorate(core: Callable[..., Any]) -> Callable[..., Any]:
        signature = inspect.signature(core)

        @functools.wraps(core)
        def faced(*args: Any, **kwargs: Any) -> Any:
            bound = signature.bind(*args, **kwargs)
            bound.apply_defaults()
            arguments = dict(bound.arguments)
            arrays = {k: arguments.pop(k) for k in inputs if arguments.get(k) is not None}
            return apply_core(
                core,
                arrays,
                units=inputs,
                returns=returns,
                options=arguments,
                core_dim=core_dim,
                along=along,
                keeps=keeps,
            )

        return faced

    return decorate


def apply_core(
    core: Callable[..., Any],
    arrays: Mapping[str, Any],
    *,
    units: Mapping[str, str],
    returns: str | Variable | Sequence[str | Variable],
    options: Mapping[str, Any] | None = None,
    core_dim: str | None = None,
    along: Sequence[str] = (),
    keeps: Sequence[str] = (),
) -> Any:
    """Call a core whose array arguments are only known at run time; `face` is this, fixed at definition.

    Parameters
    ----------
    core : callable
        Takes `arrays` and `options` by name.
    arrays : mapping of str to number, text, NumPy array or DataArray
    units : mapping of str to str
        Units the core takes, for every name in `arrays`.
    returns, core_dim, along, keeps
        As for `face`.
    options : mapping, optional
        Arguments that go to the core as they are.

    Returns
    -------
    float, NumPy array, DataArray, or a named tuple or Dataset of them

    Raises
    ------
    UsageError
        When a NumPy array of more than one value comes together with DataArrays, a Dataset is given, or a
        dimension is missing.
    """
    several = not isinstance(returns, str | Variable)
    named: Sequence[str | Variable] = [returns] if isinstance(returns, str | Variable) else returns
    variables = [VARIABLES[r] if isinstance(r, str) else r for r in named]
    given = {k: parse_quantity(v, units[k]) if isinstance(v, str) else v for k, v in arrays.items()}
    if any(_is_dataarray(v) for v in given.values()):
        out = _map(core, given, dict(options or {}), units, variables, several, core_dim, along, keeps)
        if not several:
            return _dress(out[0], variables[0])
        import xarray as xr

        return xr.Dataset({v.name: _dress(o, v) for v, o in zip(variables, out, strict=True)})
    values = {k: np.asarray(v, dtype="float64") for k, v in given.items()}
    result = core(**values, **(options or {}))
    scalar = all(v.ndim == (1 if k in along else 0) for k, v in values.items())
    results = result if several else (result,)
    plain = tuple(
        np.asarray(r).item() if scalar and v.name not in keeps else r
        for v, r in zip(variables, results, strict=True)
    )
    return _named(tuple(v.name for v in variables))(*plain) if several else plain[0]


@functools.cache
def _named(names: tuple[str, ...]) -> Any:
    # Results of plain arrays unpack like a tuple and have the names that a Dataset would give them.
    return namedtuple("Results", names)


def _is_dataarray(value: Any) -> bool:
    import xarray as xr

    if isinstance(value, xr.Dataset):
        raise UsageError("a Dataset was given", expected="one variable", todo="pass dataset['name']")
    return isinstance(value, xr.DataArray)


def _map(
    core: Callable[..., Any],
    arrays: dict[str, Any],
    options: dict[str, Any],
    units: Mapping[str, str],
    variables: Sequence[Variable],
    several: bool,
    core_dim: str | None,
    along: Sequence[str],
    keeps: Sequence[str],
) -> tuple[Any, ...]:
    import xarray as xr

    names = list(arrays)
    order: tuple[Any, ...] = ()
    for name in names:
        value = arrays[name]
        if not isinstance(value, xr.DataArray):
            if np.ndim(value):
                raise UsageError(
                    f"a plain array of shape {np.shape(value)} came together with DataArrays",
                    where=f"argument {name!r}",
                    expected="a number or a DataArray",
                    todo="wrap it in a DataArray, so that its dimensions have names",
                )
            continue
        value = convert(value, units[name]) if "units" in value.attrs or units[name] != "1" else value
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
        order += tuple(d for d in value.dims if d not in order)
        arrays[name] = value

    def positional(*values: Any) -> Any:
        result = core(
            **{n: np.asarray(v, dtype="float64") for n, v in zip(names, values, strict=True)}, **options
        )
        return tuple(result) if several else result

    out = xr.apply_ufunc(
        positional,
        *arrays.values(),
        input_core_dims=[[core_dim] if n in along else [] for n in names],
        output_core_dims=[[core_dim] if v.name in keeps else [] for v in variables],
        dask="parallelized",
        output_dtypes=["float64"] * len(variables),
        join="exact",
        # "override" and not False: False would strip the attributes of the coordinates too.
        keep_attrs="override",
    )
    results = out if isinstance(out, tuple) else (out,)
    # The core dimension comes back last; put every result in the order in which the inputs came.
    return tuple(o.transpose(*(d for d in order if d in o.dims)) for o in results)


def _dress(field: Any, variable: Variable) -> Any:
    field = field.rename(variable.name)
    field.attrs = variable.attrs()
    return field
