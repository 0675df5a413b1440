"""A small, bounded search for the parameters of a column, each round of it one call of the model."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr

from geotools.errors import DataError, GeotoolsWarning, UsageError
from geotools.guards import Array, one_of
from geotools.permafrost.column_plan import SpinUp
from geotools.permafrost.evaluation import matched
from geotools.permafrost.station_model import STATION_PARAMETERS, simulate_station

SEARCHED = (
    "snow_conductivity_factor",
    "turf_thickness",
    "turf_water",
    "soil_porosity",
    "soil_saturation",
    "solid_conductivity",
    "n_thawing",
)
_WIDER = 1.2
_SMALLEST = 1e-4  # of the width of the box


@dataclass(frozen=True)
class Calibration:
    """What a search found.

    Parameters
    ----------
    parameters : dict of str to float
        The best set.
    score : float
        Its score; smaller is better.
    trials : xarray.Dataset [member]
        All sets that were tried, with `score`, `search` and `round`.
    bounds : dict of str to (float, float)
    """

    parameters: dict[str, float]
    score: float
    trials: xr.Dataset
    bounds: dict[str, tuple[float, float]]

    def ranges(self, tolerance: float = 0.05) -> dict[str, tuple[float, float]]:
        """Smallest and largest value of each parameter among sets about as good as the best.

        Parameters
        ----------
        tolerance : float
            How much larger than the best score theirs may be, as a share of it.

        Returns
        -------
        dict of str to (float, float)
            Wide ranges belong to parameters that the observations do not tell apart.
        """
        good = self.trials["score"] <= self.score * (1.0 + tolerance)
        return {
            name: (float(self.trials[name].where(good).min()), float(self.trials[name].where(good).max()))
            for name in self.parameters
        }

    def at_bounds(self, share: float = 0.02) -> list[str]:
        """Parameters whose best value lies at a bound, to within a share of the interval."""
        return [
            name
            for name, value in self.parameters.items()
            if min(value - self.bounds[name][0], self.bounds[name][1] - value)
            <= share * (self.bounds[name][1] - self.bounds[name][0])
        ]


def bounded_search(
    score: Callable[[xr.Dataset], Any],
    bounds: Mapping[str, tuple[float, float]],
    *,
    members: int = 64,
    rounds: int = 10,
    searches: int = 1,
    seed: int = 0,
) -> Calibration:
    """Search a box for the parameters with the smallest score.

    Parameters
    ----------
    score : callable
        Takes a Dataset of parameters [member] and gives scores [member]; NaN is never the best.
    bounds : mapping of str to (float, float)
        The box.
    members : int
        Sets per round; at least four per parameter.
    rounds : int
        Of each search.
    searches : int
        How often to begin anew, with other numbers; the best set of all searches is taken. A search may settle beside
        the best place, the more so the more parameters make up for each other.
    seed : int

    Returns
    -------
    Calibration

    Raises
    ------
    UsageError
        When there are too few members, rounds or searches, or bounds are the wrong way round.
    DataError
        When the scores of a round are no numbers.

    Notes
    -----
    The first round is a Latin hypercube over the box. Each further one is drawn from a normal distribution with the
    mean and covariance of the best sets so far (two per parameter and two more), a fifth wider, and reflected at the
    bounds (cross-entropy method; Rubinstein and Kroese 2004). That needs no derivatives, follows parameters that make
    up for each other, asks the model for all sets of a round at once, and never leaves the bounds. It finds a good
    set and not certainly the best: `Calibration.ranges` tells how far others are as good.

    Examples
    --------
    >>> found = bounded_search(lambda p: (p["x"] - 0.3) ** 2, {"x": (0.0, 1.0)})
    >>> round(found.parameters["x"], 3)
    0.3
    """
    if not bounds or members < 4 * len(bounds) or rounds < 1 or searches < 1:
        raise UsageError(
            f"{members} members, {rounds} rounds and {searches} searches for {len(bounds)} parameters",
            where="bounded_search",
            expected="at least one parameter, one round, one search, and four members per parameter",
        )
    for name, (left, right) in bounds.items():
        if not left < right:
            raise UsageError(
                f"{name} from {left:g} to {right:g}", where="argument 'bounds'", expected="low < high"
            )
    names = list(bounds)
    low, high = np.array([bounds[n] for n in names], dtype="float64").T

    def score_of(shares: Array, number: int) -> Array:
        found = np.asarray(score(_dataset(names, low + (high - low) * shares)), dtype="float64")
        if found.shape != (members,) or np.isnan(found).all():
            raise DataError(
                f"no score among {found.shape} in round {number + 1}",
                where="argument 'score'",
                expected=f"{members} numbers",
                todo="check that model and observations have times in common",
            )
        return found

    found = [
        _search(score_of, np.random.default_rng((seed, k) if k else seed), members, rounds, len(names))
        for k in range(searches)
    ]
    tried, scores = (np.concatenate(part) for part in zip(*found, strict=True))
    sets = low + (high - low) * tried
    trials = _dataset(names, sets)
    trials["score"] = ("member", scores)
    trials["search"] = ("member", np.repeat(np.arange(1, searches + 1), rounds * members))
    trials["round"] = ("member", np.tile(np.repeat(np.arange(1, rounds + 1), members), searches))
    best = int(np.nanargmin(scores))
    return Calibration(
        dict(zip(names, (float(v) for v in sets[best]), strict=True)),
        float(scores[best]),
        trials,
        {n: (float(bounds[n][0]), float(bounds[n][1])) for n in names},
    )


def _search(
    score: Callable[[Array, int], Array],
    generator: np.random.Generator,
    members: int,
    rounds: int,
    count: int,
) -> tuple[Array, Array]:
    """Points [member, parameter] in the unit cube that one search tries, and their scores."""
    tried, scores = np.empty((0, count)), np.empty(0)
    for number in range(rounds):
        if number == 0:
            shares = _latin_hypercube(generator, members, count)
        else:
            shares = _around(generator, members, tried[np.argsort(scores)[: 2 * count + 2]])
        found = score(shares, number)
        tried, scores = np.concatenate([tried, shares]), np.concatenate([scores, found])
    return tried, scores


def _latin_hypercube(generator: np.random.Generator, members: int, count: int) -> Array:
    """Points [member, parameter] in the unit cube of which every one has its own slice of each axis."""
    slices = np.stack([generator.permutation(members) for _ in range(count)], axis=1)
    return np.asarray((slices + generator.random(slices.shape)) / members)


def _around(generator: np.random.Generator, members: int, best: Array) -> Array:
    """Points [member, parameter] in the unit cube, spread as the best ones and a little wider."""
    covariance = np.atleast_2d(np.cov(best.T)) * _WIDER**2
    # Never flat, so that a parameter that all of them share can still move.
    covariance += _SMALLEST**2 * np.eye(best.shape[1])
    drawn = np.abs(generator.multivariate_normal(best.mean(axis=0), covariance, members))
    return np.asarray(np.clip(1.0 - np.abs(1.0 - drawn), 0.0, 1.0))


def _dataset(names: Sequence[str], sets: Array) -> xr.Dataset:
    return xr.Dataset({n: ("member", sets[:, i]) for i, n in enumerate(names)})


def calibrate_station(
    air_temperature: xr.DataArray,
    snow_depth: xr.DataArray,
    observed: xr.DataArray,
    *,
    conductivity_method: str,
    bounds: Mapping[str, tuple[float, float]] | None = None,
    measure: str = "rmse",
    members: int = 64,
    rounds: int = 10,
    searches: int = 1,
    seed: int = 0,
    spin_up: SpinUp | None = None,
) -> Calibration:
    """Parameters of `simulate_station` with the smallest error against observed ground temperatures.

    Parameters
    ----------
    air_temperature, snow_depth : xarray.DataArray [time; their units]
        Daily, of one station, without gaps, over all the years that the model is to run.
    observed : xarray.DataArray [time, depth; its units]
        Of the years and depths that count. Leave out those that are to test the result.
    conductivity_method : str
        As in `simulate_station`.
    bounds : mapping of str to (float, float), optional
        Which parameters are searched and where; the others keep their literature values. By default `SEARCHED` within
        the bounds of `STATION_PARAMETERS`.
    measure : {"rmse", "relative"}
        ``rmse`` is the root mean square error over all days and depths [K]. ``relative`` is that of each depth over the
        standard deviation observed there, and the root of the mean square of these: every depth counts alike, though
        the upper ones vary most. It takes sensors of the active layer to tell wet ground from well insulated ground.
    members, rounds, searches, seed
        As in `bounded_search`.
    spin_up : SpinUp, optional
        As in `simulate_station`.

    Returns
    -------
    Calibration
        Its score is the `measure`.

    Raises
    ------
    UsageError
        When a parameter is not known, or the forcing is of more than one station.
    DataError
        When model and observations have no day in common.
    """
    one_of("measure", measure, ("rmse", "relative"))
    box = bounds or {n: (STATION_PARAMETERS[n].low, STATION_PARAMETERS[n].high) for n in SEARCHED}
    for name, field in (("air_temperature", air_temperature), ("snow_depth", snow_depth)):
        if field.dims != ("time",):
            raise UsageError(
                f"dimensions {field.dims}",
                where=f"argument {name!r}",
                expected="time only: one station at a time",
                todo="select a station: .sel(station=...)",
            )
    depths = [float(d) for d in observed["depth"].values]

    def score(sets: xr.Dataset) -> Any:
        with warnings.catch_warnings():
            # Sets that are far from balance after the longest spin-up do not become the best.
            warnings.simplefilter("ignore", GeotoolsWarning)
            result = simulate_station(
                air_temperature,
                snow_depth,
                conductivity_method=conductivity_method,
                parameters={str(n): v for n, v in sets.data_vars.items()},
                depths=depths,
                spin_up=spin_up,
            )
        model, seen = matched(result["tsl"], observed)
        square = (model - seen) ** 2
        if measure == "rmse":
            return square.mean(("time", "depth")).values ** 0.5
        return (square.mean("time") / seen.var("time")).mean("depth").values ** 0.5

    return bounded_search(score, box, members=members, rounds=rounds, searches=searches, seed=seed)
