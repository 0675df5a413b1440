"""Array core of `simulate`: columns in blocks, spin-up, and the check that energy closes."""

from __future__ import annotations

import warnings
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from geotools.errors import GeotoolsError, GeotoolsWarning
from geotools.guards import Array
from geotools.permafrost.cell_properties import build_ground, enthalpy_of, shared, steady_temperature
from geotools.permafrost.column_arrays import Forcing, Ground, Ledger, Requests, State, Work, lanes_array
from geotools.permafrost.column_kernel import march
from geotools.permafrost.column_plan import Plan, SpinUp
from geotools.permafrost.soil_properties import Layers, layer_properties
from geotools.space.compiled import run_all
from geotools.space.lanes import WIDTH

ENERGY_TOLERANCE = 1e-9
_REMEMBERED = ("enthalpy", "snow", "total", "low", "high")


class EnergyError(GeotoolsError):
    """A run whose heat content did not change by what went in and out."""


def run_columns(
    plan: Plan,
    surface: Array,
    snow_depth: Array | None,
    snow_conductivity: Array,
    snow_capacity: Array,
    geothermal: Array,
    initial: Array,
    layers: Mapping[tuple[int, str], Array],
    state: Mapping[str, Array] | None,
) -> dict[str, Array]:
    """Run columns through their forcing.

    Parameters
    ----------
    plan : Plan
    surface : array [column, time; degC]
        A column that is missing all the time gives missing results; others have no gaps.
    snow_depth : array, optional [column, time; m]
    snow_conductivity, snow_capacity, geothermal, initial : array [column; W m-1 K-1, J m-3 K-1, W m-2, degC]
        `initial` is the surface temperature of the steady profile at the start.
    layers : mapping of (int, str) to array [column]
        Fields of layers that vary over columns.
    state : mapping of str to array [column, ...], optional
        As results with names that begin in "state".

    Returns
    -------
    dict of str to array [column, ...]

    Raises
    ------
    EnergyError
        When a run does not close.
    """
    count = surface.shape[0]
    ground = layer_properties(plan.column, layers, count)
    out = _results(plan, count, surface.shape[1])
    given = [np.stack([snow_conductivity, snow_capacity, geothermal, initial]), *ground]
    usable = ~np.isnan(surface[:, 0]) & ~np.any([np.isnan(g).any(axis=0) for g in given], axis=0)
    if state is not None:
        usable &= ~np.isnan(state["state_enthalpy"]).any(axis=1)
    where = np.flatnonzero(usable)

    # By what was given, and not by its values, which other chunks may not share.
    alike = not layers

    def block(members: NDArray[np.int64]) -> None:
        # The lanes that are left over repeat the last column; their results are not read.
        lanes = np.concatenate([members, np.full(WIDTH - members.size, members[-1])])
        forcing = Forcing(
            surface=np.ascontiguousarray(surface[lanes].T, dtype="float64"),
            snow_depth=np.zeros((0, WIDTH))
            if snow_depth is None
            else np.ascontiguousarray(snow_depth[lanes].T, dtype="float64"),
            snow_conductivity=snow_conductivity[None, lanes],
            snow_capacity=snow_capacity[None, lanes],
            geothermal=geothermal[None, lanes],
            step=plan.step,
        )
        old = None if state is None else {k: v[lanes] for k, v in state.items()}
        part = Layers(*(field[:, lanes] for field in ground))
        for name, values in _run_block(plan, part, forcing, initial[lanes], old, members.size, alike).items():
            # The lane is the last axis in a block, and the first of the results.
            out[name][members] = np.moveaxis(values, -1, 0)[: members.size]

    blocks = [where[i : i + WIDTH] for i in range(0, where.size, WIDTH)]
    run_all([lambda b=b: block(b) for b in blocks], plan.threads)  # type: ignore[misc]
    if plan.spin_up is not None and where.size:
        _tell_unsettled(plan.spin_up, out["spin_up_change"], out["spin_up_years"])
    return out


def _tell_unsettled(how: SpinUp, change: Array, years: Array) -> None:
    late = change > how.tolerance
    if late.any():
        warnings.warn(
            f"{int(late.sum())} of {change.size} columns were not in balance after {np.nanmax(years):g} years of "
            f"spin-up: a temperature still changed by {np.nanmax(change):.3g} K in a repetition; raise max_years, or "
            "see spin_up_change for where",
            GeotoolsWarning,
            stacklevel=2,
        )


def _results(plan: Plan, count: int, steps: int) -> dict[str, Array]:
    depths, cells = plan.depths.size, plan.column.edges.size - 1
    shapes: dict[str, tuple[int, ...]] = {
        "energy_residual": (),
        "nested_share": (),
        "state_enthalpy": (cells,),
        "state_snow": (2,),
        "state_total": (cells + 2,),
        "state_low": (cells + 2,),
        "state_high": (cells + 2,),
    }
    if plan.spin_up is not None:
        shapes |= {"spin_up_years": (), "spin_up_change": ()}
    if plan.annual:
        shapes |= {"annual": (plan.years, 3, depths), "thaw": (plan.years, 2)}
    if plan.series:
        shapes |= {"series": (steps, depths)}
    if plan.profiles:
        shapes |= {"profile": (steps, cells), "liquid": (steps, cells)}
    return {name: np.full((count, *shape), np.nan) for name, shape in shapes.items()}


def _run_block(
    plan: Plan,
    layers: Layers,
    forcing: Forcing,
    initial: Array,
    old: Mapping[str, Array] | None,
    members: int,
    alike: bool,
) -> dict[str, Array]:
    ground = build_ground(plan.column, layers)
    rows = ground.thickness.size + 2
    work = _work(rows)
    if old is None:
        start = steady_temperature(ground, initial, forcing.geothermal[0])
        state = _state(enthalpy_of(ground, start), np.zeros((2, WIDTH)), rows)
    else:
        total, low, high = (_rows(old[f"state_{k}"]) for k in ("total", "low", "high"))
        enthalpy, snow = _rows(old["state_enthalpy"]), _rows(old["state_snow"])
        state = State(enthalpy, snow, total, low, high, np.array([plan.counted]))
    if alike:
        ground = shared(ground)
    out: dict[str, Array] = {}
    if plan.spin_up is not None:
        state, out["spin_up_years"], out["spin_up_change"] = _spin_up(
            plan, plan.spin_up, ground, forcing, state, work, members
        )
    requests = _requests(plan, forcing.surface.shape[0])
    residual, counts = _march(ground, forcing, state, requests, work, members)[:2]
    out["energy_residual"] = residual
    out["nested_share"] = counts[1:] / forcing.surface.shape[0]
    if plan.annual:
        out["annual"], out["thaw"] = requests.annual, requests.thaw
    if plan.series:
        out["series"] = requests.series
    if plan.profiles:
        out["profile"], out["liquid"] = requests.profile, requests.liquid
    for name in _REMEMBERED:
        out[f"state_{name}"] = getattr(state, name)
    return out


def _spin_up(
    plan: Plan, how: SpinUp, ground: Ground, forcing: Forcing, state: State, work: Work, members: int
) -> tuple[State, Array, Array]:
    """State in balance, the years it took and the last change [lane; a, K]."""
    cycle = forcing._replace(
        surface=forcing.surface[: plan.cycle_steps], snow_depth=forcing.snow_depth[: plan.cycle_steps]
    )
    nothing = _requests(None, 0)
    near = plan.column.centres <= max(how.depth, plan.column.centres[0])
    settled = _state(state.enthalpy, state.snow, work.temperature.shape[0])
    years, change = np.full(WIDTH, np.nan), np.full(WIDTH, np.inf)
    # Each column stops by itself, so that its result does not depend on its neighbours.
    open_, before, passed = np.ones(WIDTH, bool), None, 0
    while open_[:members].any():
        temperature = _march(ground, cycle, state, nothing, work, members)[2]
        passed += plan.cycle_years
        if before is not None:
            change[open_] = np.abs(temperature - before)[near].max(axis=0)[open_]
        before = temperature
        ends = open_ & (passed >= how.min_years) & ((change <= how.tolerance) | (passed >= how.max_years))
        settled.enthalpy[:, ends], settled.snow[:, ends] = state.enthalpy[:, ends], state.snow[:, ends]
        years[ends] = passed
        open_ &= ~ends
    return settled, years, change


def _march(
    ground: Ground, forcing: Forcing, state: State, requests: Requests, work: Work, members: int
) -> tuple[Array, NDArray[np.int64], Array]:
    """Step the block; returns the energy residual, the counts of the ledger and the last temperatures."""
    cells = ground.thickness.size
    ledger = Ledger(
        np.zeros(WIDTH),
        np.zeros(WIDTH),
        np.zeros((cells, WIDTH)),
        np.zeros(1 + WIDTH, "int64"),
        np.zeros(WIDTH, bool),
    )
    begin = state.enthalpy.copy()
    march(ground, forcing, state, requests, ledger, work)
    if ledger.stuck[:members].any():
        raise EnergyError(
            "the nested Newton iterations did not converge",
            expected="finite forcing and positive properties",
            todo="check the forcing for values that are no temperatures",
        )
    change = (ground.thickness[:, None] * (state.enthalpy - begin)).sum(axis=0)
    missed = np.abs(change - ledger.gain)
    # What rounding alone leaves open when hardly any heat moves.
    content = (ground.thickness[:, None] * np.abs(state.enthalpy)).sum(axis=0)
    rounding = np.finfo(float).eps * content * forcing.surface.shape[0]
    closes = missed <= ENERGY_TOLERANCE * ledger.turnover + rounding
    if not closes[:members].all():
        at = int(np.argmin(closes[:members]))
        raise EnergyError(
            f"heat content changed by {change[at]:.9g} J m-2, and {ledger.gain[at]:.9g} J m-2 went in",
            where="energy balance of a column",
            expected=f"a difference of at most {ENERGY_TOLERANCE:g} of what went in and out",
            todo="report this with the column and its forcing",
        )
    residual = missed / np.where(ledger.turnover > 0.0, ledger.turnover, 1.0)
    return residual, ledger.counts, ledger.temperature


def _state(enthalpy: Array, snow: Array, rows: int) -> State:
    total, low, high = (lanes_array(rows) for _ in range(3))
    return State(_rows(enthalpy.T), _rows(snow.T), total, low, high, np.zeros(1, "int64"))


def _rows(values: Array) -> Array:
    """[lane, row] as the kernel has it."""
    out = lanes_array(values.shape[1])
    out[:] = values.T
    return out


def _work(rows: int) -> Work:
    return Work(*(lanes_array(n) for n in [rows] * 13 + [1, 2, 2]))


def _requests(plan: Plan | None, steps: int) -> Requests:
    """Places for the results; without a plan nothing is kept."""
    if plan is None:
        none = np.zeros(0, "int64")
        empty = np.zeros((0, 0, WIDTH))
        return Requests(
            none, np.zeros(0), np.zeros(0), none, np.zeros(0, bool), empty, empty, empty,
            np.zeros((0, 3, 0, WIDTH)), np.zeros((0, 2, WIDTH)),
        )  # fmt: skip
    cells, depths = plan.column.edges.size - 1, plan.depths.size
    centres = np.concatenate([[0.0], plan.column.centres, [plan.column.depth]])
    rows = np.clip(np.searchsorted(centres, plan.depths, side="right") - 1, 0, cells)
    weights = (plan.depths - centres[rows]) / (centres[rows + 1] - centres[rows])
    years = plan.years if plan.annual else 0
    return Requests(
        rows=rows.astype("int64"),
        weights=weights,
        centres=centres,
        year=plan.year if plan.annual else np.full(steps, -1),
        reset=plan.reset,
        series=np.zeros((steps if plan.series else 0, depths, WIDTH)),
        profile=np.zeros((steps if plan.profiles else 0, cells, WIDTH)),
        liquid=np.zeros((steps if plan.profiles else 0, cells, WIDTH)),
        annual=np.zeros((years, 3, depths, WIDTH)),
        thaw=np.zeros((years, 2, WIDTH)),
    )
