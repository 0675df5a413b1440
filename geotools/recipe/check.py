"""Every problem of a recipe's inputs, found before anything is computed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from geotools.errors import GeotoolsError, ProblemsError
from geotools.recipe.context import SECOND_CLIMATE, Context
from geotools.recipe.loading import load
from geotools.recipe.model import Recipe
from geotools.recipe.series_inputs import describe
from geotools.recipe.steps.observations import read_observations
from geotools.recipe.transect_layers import Layer, layers, opened, reached


def check(recipe: str | Path | Recipe | None) -> list[str]:
    """Open everything a recipe names.

    Parameters
    ----------
    recipe : path, Recipe or None

    Returns
    -------
    list of str
        One line for each thing that is in order.

    Raises
    ------
    GeotoolsError
        The only problem, or a ProblemsError that holds all of them.
    """
    return examine(Context(load(recipe), Path()))


def examine(context: Context) -> list[str]:
    """As `check`, for a run that is about to start.

    Parameters
    ----------
    context : Context

    Returns
    -------
    list of str
    """
    fine: list[str] = []
    problems: list[GeotoolsError] = []

    def attempt(what: str, action: Callable[[], str]) -> None:
        try:
            fine.append(f"ok: {what}: {action()}")
        except ProblemsError as error:
            problems.extend(error.problems)
        except GeotoolsError as error:
            problems.append(error)

    attempt("catalogue", lambda: f"{len(context.catalog)} entries")
    if not problems:
        roles: dict[str, Callable[[], str]] = {
            "climate": lambda: _raster(context, "climate", ("tas", "pr"), months=True),
            "land_cover": lambda: _raster(context, "land_cover", ("land_cover",)),
        }
        for number in range(len(context.recipe.inputs.soil_carbon)):
            roles[f"soil_carbon_{number}"] = lambda n=number: _raster(context, f"soil_carbon_{n}", ("csoil",))  # type: ignore[misc]
        if SECOND_CLIMATE in context.inputs:
            roles[SECOND_CLIMATE] = lambda: _raster(context, SECOND_CLIMATE, ("tas", "pr"), months=True)
        attempt("transect layers", lambda: ", ".join(layer.name for layer in layers(context)) or "none")
        if not problems:
            for layer in layers(context):
                roles[f"{layer.role} ({layer.name})"] = lambda one=layer: _layer(context, one)  # type: ignore[misc]
        for number in range(len(context.recipe.inputs.published)):
            roles[f"published_{number}"] = lambda n=number: _published(context, n)  # type: ignore[misc]
        for path in context.recipe.inputs.observations:
            roles[f"observations {path.name}"] = lambda p=path: f"{len(read_observations(p))} rows"  # type: ignore[misc]
        for role, action in roles.items():
            attempt(f"input {role}", action)
        for number in range(len(context.recipe.series)):
            attempt(f"series {number}", lambda n=number: describe(context, n))  # type: ignore[misc]
        before = len(problems)
        for kind in context.zone_kinds:
            attempt(f"zones, {kind}", lambda kind=kind: ", ".join(context.zone_frame(kind).index))  # type: ignore[misc]
        if len(problems) == before:
            # Names may clash between kinds that are in order by themselves.
            attempt("zones", lambda: f"{len(context.zones)} in all")
        attempt("transect", lambda: _transect(context))
        attempt("trade", lambda: _trade(context))
    # Whatever all inputs share is wrong once.
    problems = list({str(problem): problem for problem in problems}.values())
    if len(problems) == 1:
        raise problems[0]
    if problems:
        raise ProblemsError(problems)
    return fine


def _raster(context: Context, role: str, variables: tuple[str, ...], *, months: bool = False) -> str:
    from geotools.errors import DataError

    data = context.open_raster(role, variables)
    path = str(context.inputs[role][1].path)
    if months and data.sizes.get("time") != 12:
        raise DataError(
            f"the time axis has {data.sizes.get('time', 'no')} steps",
            where=path,
            expected="12 monthly means of a mean year",
            todo="average a longer series by month first: data.groupby('time.month').mean()",
        )
    return f"{context.inputs[role][0]}, " + " x ".join(f"{d} {n}" for d, n in data.sizes.items() if d != "nv")


def _layer(context: Context, layer: Layer) -> str:
    sizes = " x ".join(f"{d} {n}" for d, n in opened(context, layer).sizes.items())
    every, inside = len(context.transect.segments), reached(context, layer)
    left_out = "" if inside else "; its panel is left out of the profile"
    return f"{layer.source}, {sizes}, reaches {inside} of {every} segments of the transect{left_out}"


def _published(context: Context, number: int) -> str:
    from geotools.carbon import published_terms
    from geotools.catalog import published_numbers

    path = context.recipe.inputs.published[number]
    return f"{path.name}, {len(published_terms(published_numbers(path)))} rows"


def _transect(context: Context) -> str:
    from geotools.space import check_inside

    check_inside(context.transect, context.grid)
    return f"{context.transect.name}, {context.transect.length_km:.0f} km, {len(context.transect.segments)} segments"


def _trade(context: Context) -> str:
    # The whole table takes a fraction of a second, and nothing less tells whether its year has all it needs.
    from geotools.recipe.steps.trade import compute

    table = compute(context)
    return f"{table['year'].iloc[0]}, {', '.join(sorted(set(table['method'])))}"
