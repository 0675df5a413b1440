"""From fields over any dimensions to the columns of the array core and back, lazily."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

import numpy as np
import xarray as xr

from geotools.errors import UsageError
from geotools.guards import Array, ensure_celsius, ensure_range
from geotools.permafrost.column_forcing import TimeAxis, ensure_forcing, first_gap, gap_error, in_units
from geotools.permafrost.column_plan import Plan, SpinUp, make_plan, steps_of_last_year
from geotools.permafrost.column_results import RESULTS, STATE, Coordinates, dress
from geotools.permafrost.column_run import run_columns
from geotools.permafrost.snow_conductivity import snow_thermal_conductivity
from geotools.permafrost.snow_cover import SnowCover
from geotools.permafrost.soil_checks import LAYER_UNITS, ensure_geothermal, number_text
from geotools.permafrost.soil_column import SoilColumn
from geotools.space.compiled import available_cores
from geotools.units import convert

METHOD = (
    "heat conduction with phase change, enthalpy as the unknown, finite volumes, backward Euler with conductivities "
    "of the start of the step, Newton iterations with nested Newton (Casulli-Zanolli) where they do not converge"
)
_OURS = {"year", "depth", "cell", "row", "snow_property"}


def is_lazy(fields: Mapping[str, xr.DataArray]) -> bool:
    """Whether any of the fields is chunked."""
    return any(f.chunks is not None for f in fields.values())


def run_fields(
    column: SoilColumn,
    fields: dict[str, xr.DataArray],
    axis: TimeAxis,
    outputs: Collection[str],
    *,
    snow: SnowCover | None,
    depths: Sequence[float],
    spin_up: SpinUp | None,
    initial_temperature: Any,
    state: xr.Dataset | None,
) -> xr.Dataset:
    """Run `column` under fields that have no gap; arguments as in `simulate`."""
    time = fields["surface_temperature"]["time"]
    lazy = is_lazy(fields)
    taken = _OURS & {str(d) for f in fields.values() for d in f.dims}
    if taken:
        raise UsageError(
            f"a dimension {sorted(taken)[0]!r}",
            where="forcing",
            expected="another name, as the results have this one",
        )
    plan, years = make_plan(
        column, axis, time, outputs, depths, spin_up, state, 1 if lazy else available_cores()
    )
    inputs, cores, numbers = _gather(column, fields, snow, initial_temperature, state)
    names = _result_names(plan)
    used = {dim for name in names for dim in RESULTS[name][0]}
    results = xr.apply_ufunc(
        _core(plan, list(inputs), cores, numbers, names, time.values, lazy),
        *(
            value.drop_vars([c for c in value.coords if c not in value.dims], errors="ignore")
            for value in inputs.values()
        ),
        input_core_dims=[cores[name] for name in inputs],
        output_core_dims=[list(RESULTS[name][0]) for name in names],
        dask="parallelized",
        output_dtypes=["float64"] * len(names),
        join="exact",
        dask_gufunc_kwargs={"output_sizes": {k: v for k, v in _sizes(plan).items() if k in used}},
    )
    arrays = dict(zip(names, results, strict=True))
    arrays = {k: v.transpose(*RESULTS[k][0], ...) for k, v in arrays.items()}
    attrs = {
        "method": METHOD,
        "column": column.describe(),
        "geothermal_flux": number_text(column.geothermal_flux, "W m-2"),
        "snow": "none" if snow is None else snow.describe(),
        "spin_up": "none" if spin_up is None else repr(spin_up),
        "step_seconds": plan.step,
        "steps_of_year": steps_of_last_year(axis, plan),
    }
    out = dress(arrays, Coordinates(time, years, plan.depths, column.centres), attrs)
    # Coordinates that are no dimensions, such as names of stations or longitudes of a curvilinear grid.
    surface = fields["surface_temperature"]
    kept = {c: v for c, v in surface.coords.items() if c not in surface.dims and "time" not in v.dims}
    return out.assign_coords({c: v for c, v in kept.items() if c not in out.coords})


def _gather(
    column: SoilColumn,
    fields: Mapping[str, xr.DataArray],
    snow: SnowCover | None,
    initial_temperature: Any,
    state: xr.Dataset | None,
) -> tuple[dict[str, xr.DataArray], dict[str, list[str]], dict[str, Any]]:
    """What varies over columns, with its dimensions that are no column's, and what does not."""
    inputs, cores = dict(fields), {name: ["time"] for name in fields}
    given: dict[str, tuple[Any, str]] = {
        "geothermal": (column.geothermal_flux, "W m-2"),
        "initial": (initial_temperature, "degC"),
        "snow_conductivity": (1.0, "W m-1 K-1"),
        "snow_capacity": (1.0, "J m-3 K-1"),
    }
    if snow is not None:
        density = convert(snow.density, "kg m-3") if isinstance(snow.density, xr.DataArray) else snow.density
        conductivity = snow.conductivity
        if snow.conductivity_method is not None:
            conductivity = snow_thermal_conductivity(density, method=snow.conductivity_method)
        capacity = density * snow.heat_capacity
        if isinstance(capacity, xr.DataArray):
            capacity = capacity.assign_attrs(units="J m-3 K-1")
        given |= {"snow_conductivity": (conductivity, "W m-1 K-1"), "snow_capacity": (capacity, "J m-3 K-1")}
    for number, layer in enumerate(column.layers):
        for name, unit in LAYER_UNITS.items():
            if isinstance(getattr(layer, name), xr.DataArray):
                given[f"layer {number} {name}"] = getattr(layer, name), unit
    numbers = {}
    for name, (value, unit) in given.items():
        if isinstance(value, xr.DataArray):
            inputs[name] = in_units(value, unit, name) if "units" in value.attrs or unit != "1" else value
            cores[name] = []
        else:
            numbers[name] = value
    if state is not None:
        for name, (dims, _) in STATE.items():
            inputs[name], cores[name] = state[name], list(dims)
            if state[name].chunks is not None:
                inputs[name] = state[name].chunk(dict.fromkeys(dims, -1))
    ensure_alike(inputs)
    return inputs, cores, numbers


def ensure_alike(inputs: Mapping[str, xr.DataArray]) -> None:
    """Refuse inputs whose columns are not the same.

    Raises
    ------
    UsageError
    """
    first: dict[Any, tuple[str, xr.DataArray]] = {}
    for name, field in inputs.items():
        for dim in field.dims:
            other, known = first.setdefault(dim, (name, field))
            labelled = dim in field.coords and dim in known.coords
            if field.sizes[dim] == known.sizes[dim] and (
                not labelled or field.indexes[dim].equals(known.indexes[dim])
            ):
                continue
            sizes = f"{field.sizes[dim]} and {known.sizes[dim]} values"
            raise UsageError(
                f"{name} and {other} differ along {dim!r}"
                + (f": {sizes}" if field.sizes[dim] != known.sizes[dim] else " in their coordinates"),
                where="columns of the run",
                expected="the same columns in the forcing, the layers, the snow and the state",
                todo="select the columns that all have, or bring them to one grid first",
            )


def _sizes(plan: Plan) -> dict[str, int]:
    cells = plan.column.edges.size - 1
    return {
        "year": plan.years,
        "depth": plan.depths.size,
        "cell": cells,
        "row": cells + 2,
        "snow_property": 2,
    }


def _result_names(plan: Plan) -> list[str]:
    names = ["energy_residual", "nested_share"]
    if plan.spin_up is not None:
        names += ["spin_up_years", "spin_up_change"]
    if plan.annual:
        names += ["tsl_mean", "tsl_minimum", "tsl_maximum", "active_layer_thickness", "magt"]
    if plan.series:
        names += ["tsl"]
    if plan.profiles:
        names += ["tsl_profile", "liquid_share"]
    return names + list(STATE)


def _core(
    plan: Plan,
    order: list[str],
    cores: Mapping[str, list[str]],
    numbers: Mapping[str, Any],
    names: list[str],
    times: Any,
    lazy: bool,
) -> Callable[..., tuple[Array, ...]]:
    """The function of arrays [column dims..., core dims...] that xarray maps over chunks."""

    def core(*arrays: Array) -> tuple[Array, ...]:
        given = dict(zip(order, arrays, strict=True))
        loops = [a.shape[: a.ndim - len(cores[n])] for n, a in given.items()]
        shape = np.broadcast_shapes(*loops)
        count = int(np.prod(shape, dtype=int))

        def flat(name: str) -> Array:
            value = np.asarray(given[name]) if name in given else np.asarray(numbers[name], dtype="float64")
            tail = value.shape[value.ndim - len(cores.get(name, [])) :]
            return np.broadcast_to(value, (*shape, *tail)).reshape(count, *tail)

        surface = flat("surface_temperature")
        snow_depth = flat("snow_depth") if "snow_depth" in given else None
        if lazy:
            ensure_forcing(surface, snow_depth)
            gap = first_gap(surface, snow_depth)
            if gap is not None:
                raise gap_error(gap, times[gap.step], plan.step, resumable=False)
        if numbers.get("initial", 0.0) is None:
            whole = plan.cycle_steps or surface.shape[1]
            initial = surface[:, :whole].mean(axis=1, dtype="float64")
        else:
            initial = flat("initial").astype("float64")
        ensure_celsius("initial_temperature", initial)
        geothermal = flat("geothermal").astype("float64")
        ensure_geothermal(geothermal)
        conductivity, capacity = flat("snow_conductivity"), flat("snow_capacity")
        ensure_range("snow conductivity", conductivity, 0.0, 3.0, "W m-1 K-1", above=True)
        layers = {}
        for name in given:
            if name.startswith("layer "):
                _, number, field = name.split(" ")
                layers[int(number), field] = flat(name)
        state = {n: flat(n) for n in STATE} if "state_enthalpy" in given else None
        results = run_columns(
            plan, surface, snow_depth, conductivity, capacity, geothermal, initial, layers, state
        )
        parts = [_pick(results, name) for name in names]
        return tuple(part.reshape((*shape, *part.shape[1:])) for part in parts)

    return core


_PARTS = {
    "tsl_mean": ("annual", (slice(None), slice(None), 0)),
    "tsl_minimum": ("annual", (slice(None), slice(None), 1)),
    "tsl_maximum": ("annual", (slice(None), slice(None), 2)),
    "active_layer_thickness": ("thaw", (slice(None), slice(None), 0)),
    "magt": ("thaw", (slice(None), slice(None), 1)),
    "tsl": ("series", ()),
    "tsl_profile": ("profile", ()),
    "liquid_share": ("liquid", ()),
}


def _pick(results: Mapping[str, Array], name: str) -> Array:
    source, part = _PARTS.get(name, (name, ()))
    return results[source][part]
