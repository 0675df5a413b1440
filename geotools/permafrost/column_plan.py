"""What all columns of a run have in common: the steps, the years they make, and what is wanted."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from geotools.errors import DataError, UsageError
from geotools.guards import Array
from geotools.permafrost.column_forcing import TimeAxis
from geotools.permafrost.column_results import ensure_state
from geotools.permafrost.soil_checks import depths_array
from geotools.permafrost.soil_column import SoilColumn

_DAY = 86400.0


@dataclass(frozen=True)
class SpinUp:
    """How to bring the ground into balance with the beginning of the forcing.

    The first years are repeated until a whole repetition changes no temperature down to a depth by more than a
    tolerance.

    Parameters
    ----------
    min_years : int
        Fewest years. Near 0 degC temperatures may rest for decades while ground ice thaws.
    max_years : int
        Most years; a column that is not in balance by then gives a warning.
    cycle_years : int
        Years that are repeated; fewer if the forcing is shorter.
    tolerance : float
        Largest change over a repetition [K].
    depth : float
        Down to which it counts [m].

    Raises
    ------
    UsageError
        When years are no whole numbers, or `max_years` is below `min_years`.
    """

    min_years: int = 50
    max_years: int = 1000
    cycle_years: int = 10
    tolerance: float = 0.01
    depth: float = 10.0

    def __post_init__(self) -> None:
        for name, low in (("min_years", 0), ("max_years", max(1, self.min_years)), ("cycle_years", 1)):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < low:
                raise UsageError(
                    f"{name}={value!r}",
                    where="SpinUp",
                    expected=f"a whole number of years, at least {low}",
                    todo="max_years is at least min_years" if name == "max_years" else None,
                )
        for name in ("tolerance", "depth"):
            if not getattr(self, name) > 0.0:
                raise UsageError(
                    f"{name}={getattr(self, name)!r}", where="SpinUp", expected="a number above 0"
                )


@dataclass(frozen=True)
class Plan:
    """What is common to all columns of a run."""

    column: SoilColumn
    step: float  # [s]
    year: NDArray[np.int64]  # [time]: where the year that ends with the step is written, or -1
    reset: NDArray[np.bool_]  # [time]
    years: int
    counted: int  # steps of the present year that the state has behind it
    depths: Array  # [depth; m]
    annual: bool
    series: bool
    profiles: bool
    spin_up: SpinUp | None
    cycle_steps: int
    cycle_years: int
    threads: int


def make_plan(
    column: SoilColumn,
    axis: TimeAxis,
    time: xr.DataArray,
    outputs: Collection[str],
    depths: Sequence[float],
    spin_up: SpinUp | None,
    state: xr.Dataset | None,
    threads: int,
) -> tuple[Plan, list[int]]:
    """What all columns of a run have in common, and the calendar years with statistics.

    Raises
    ------
    DataError, UsageError
    """
    at = depths_array("argument 'depths'", depths)
    _ensure_depths(at, column.depth)
    counted = 0
    if state is not None:
        counted = _continue(column, axis, time, state)
    begins = np.append(True, axis.year[1:] != axis.year[:-1])
    begins[0] = counted == 0
    # Steps of the present year up to and with each step.
    label = np.cumsum(begins)
    first = np.array([np.argmax(label == k) for k in np.unique(label)])
    steps = np.arange(label.size) - first[label - label[0]] + 1 + np.where(label == label[0], counted, 0)
    whole = axis.last & (np.abs(steps * axis.step - axis.days * _DAY) < 0.5 * axis.step)
    year = np.where(whole, np.cumsum(whole) - 1, -1).astype("int64")
    years = [int(y) for y in axis.year[whole]]
    cycle_steps, cycle_years = _cycle(axis, spin_up) if spin_up is not None else (0, 0)
    if "annual" in outputs and not years:
        raise _too_short(axis, "annual statistics", "ask for other outputs: outputs=('series',)")
    plan = Plan(
        column=column,
        step=axis.step,
        year=year,
        reset=begins.astype(bool),
        years=len(years),
        counted=counted,
        depths=at,
        annual="annual" in outputs,
        series="series" in outputs,
        profiles="profiles" in outputs,
        spin_up=spin_up,
        cycle_steps=cycle_steps,
        cycle_years=cycle_years,
        threads=threads,
    )
    return plan, years


def steps_of_last_year(axis: TimeAxis, plan: Plan) -> int:
    """Number of steps of the present year that a run has behind it when it ends."""
    same = axis.year == axis.year[-1]
    return int(same.sum()) + (plan.counted if same.all() else 0)


def _ensure_depths(depths: Array, deepest: float) -> None:
    if not np.all(np.diff(depths) > 0.0) or not np.all(depths >= 0.0):
        raise DataError(
            f"depths of {', '.join(f'{d:g}' for d in depths.flat)} m",
            where="argument 'depths'",
            expected="depths that grow, from 0 down",
            todo="sort them; depths are positive down",
        )
    if depths[-1] > deepest:
        raise DataError(
            f"a depth of {depths[-1]:g} m in a column of {deepest:g} m",
            where="argument 'depths'",
            expected="depths within the column",
            todo="make the column deeper: SoilColumn(..., depth=...)",
        )


def _too_short(axis: TimeAxis, what: str, todo: str) -> DataError:
    return DataError(
        f"{axis.year.size} steps of {axis.step / _DAY:g} d hold no whole calendar year",
        where="coordinate 'time'",
        expected=f"at least one, January to December, for {what}",
        todo=todo,
    )


def _cycle(axis: TimeAxis, spin_up: SpinUp) -> tuple[int, int]:
    """Steps and years that spin-up repeats."""
    lengths = [axis.days[axis.year == y][0] for y in np.unique(axis.year)][: spin_up.cycle_years]
    ends = np.round(np.cumsum(lengths) * _DAY / axis.step).astype(int)
    years = int(np.sum(ends <= axis.year.size))
    if years == 0:
        raise _too_short(axis, "a spin-up", "give initial_temperature, which needs none")
    return int(ends[years - 1]), years


def _continue(column: SoilColumn, axis: TimeAxis, time: xr.DataArray, state: xr.Dataset) -> int:
    """Steps of the present year behind a state, once it is sure that the forcing goes on from there."""
    ensure_state(state)
    if state.attrs["column"] != column.describe() or state.sizes["cell"] != column.edges.size - 1:
        raise UsageError(
            f"the state is of another column: {state.attrs['column']}",
            where="argument 'state'",
            expected=column.describe(),
        )
    step = float(state.attrs["step_seconds"])
    end = state["state_end"].values[()]
    expected = end + (time.values[1] - time.values[0]) if time.size > 1 else time.values[0]
    if step != axis.step or time.values[0] != expected:
        raise UsageError(
            f"the state ends with the step of {end}, and the forcing begins at {time.values[0]}",
            where="argument 'state'",
            expected=f"forcing from {expected} on, in steps of {step / _DAY:g} d",
            todo="select the times that follow; to leave some out on purpose, change state['state_end']",
        )
    before = int(state["state_end"].dt.year)
    return int(state.attrs["steps_of_year"]) if before == axis.year[0] else 0
