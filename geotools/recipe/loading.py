"""Recipes from and to YAML."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, get_args

from pydantic import BaseModel, ValidationError

from geotools.catalog.catalog import require_file
from geotools.catalog.keys import closest
from geotools.catalog.schema import Entry
from geotools.errors import GeotoolsError, ProblemsError, UsageError
from geotools.recipe.model import Recipe, SeriesSettings


def load(source: str | Path | Recipe | None) -> Recipe:
    """A recipe with absolute paths.

    Parameters
    ----------
    source : path, Recipe or None
        A YAML file, a recipe made in Python, or nothing for the default recipe.

    Returns
    -------
    Recipe

    Raises
    ------
    UsageError, ProblemsError
        When the file is missing, is not YAML, or has unknown or wrong keys; all of them are named.
    """
    if source is None:
        return Recipe()
    if isinstance(source, Recipe):
        return _absolute(source, Path.cwd())
    path = Path(source)
    require_file(path)
    import yaml

    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise UsageError(
            f"not YAML ({' '.join(str(error).split())})", where=str(path), todo="mend the named line"
        ) from error
    if not isinstance(content, dict):
        raise UsageError(
            "the recipe is empty or no mapping",
            where=str(path),
            expected="keys with values",
            todo="start from `geotools init`",
        )
    try:
        recipe = Recipe.model_validate(content)
    except ValidationError as error:
        raise _explain(error, path) from error
    return _absolute(recipe, path.resolve().parent)


def continued(folder: Path) -> Recipe:
    """The recipe of the run that a folder holds, or the default recipe where it holds none.

    Parameters
    ----------
    folder : pathlib.Path

    Returns
    -------
    Recipe

    Raises
    ------
    UsageError
        When recipe.json is not one that this version wrote.
    """
    from geotools.recipe.journal import MARKER

    path = folder / MARKER
    if not path.is_file():
        return Recipe()
    try:
        return Recipe.model_validate_json(path.read_bytes())
    except ValidationError as error:
        raise UsageError(
            f"the recipe in the folder is of another version of geotools or damaged ({error.error_count()} problems)",
            where=str(path),
            todo="name the recipe file, or choose another folder with --out",
        ) from error


def to_yaml(recipe: Recipe) -> str:
    """A recipe as commented YAML with every key, as `geotools init` writes it."""
    lines = [
        "# A geotools recipe. Every key is shown with its value; a key left out takes this default.",
        "# `geotools check` opens all inputs, `geotools plan` says what a run needs, `geotools run` runs it.",
    ]
    _section(recipe, "", lines)
    return "\n".join(lines) + "\n"


def resolved(recipe: Recipe) -> dict[str, Any]:
    """A recipe as plain JSON types, every default filled in."""
    return recipe.model_dump(mode="json")


def _section(model: BaseModel, indent: str, lines: list[str]) -> None:
    for name, field in type(model).model_fields.items():
        value = getattr(model, name)
        if isinstance(value, BaseModel) and not isinstance(value, Entry):
            lines += ["", f"{indent}# {(value.__doc__ or '').strip().splitlines()[0]}", f"{indent}{name}:"]
            _section(value, indent + "  ", lines)
            continue
        comment = f"  # {field.description}" if field.description else ""
        plain = model.model_dump(mode="json", include={name})[name]
        if isinstance(plain, list) and plain and isinstance(plain[0], list | dict):
            lines.append(f"{indent}{name}:{comment}")
            lines += [f"{indent}  - {json.dumps(row, ensure_ascii=False)}" for row in plain]
        else:
            lines.append(f"{indent}{name}: {json.dumps(plain, ensure_ascii=False)}{comment}")


def _absolute(recipe: Recipe, folder: Path) -> Recipe:
    def located(source: str | Entry | None) -> str | Entry | None:
        return source.located(folder) if isinstance(source, Entry) else source

    def path(value: Path) -> Path:
        return (folder / value.expanduser()).resolve()

    inputs = recipe.inputs.model_copy(
        update={
            "climate": located(recipe.inputs.climate),
            "land_cover": located(recipe.inputs.land_cover),
            "soil_carbon": [located(s) for s in recipe.inputs.soil_carbon],
            "elevation": located(recipe.inputs.elevation),
            "ndvi": located(recipe.inputs.ndvi),
            "transect_layers": {n: located(s) for n, s in recipe.inputs.transect_layers.items()},
            "published": [path(p) for p in recipe.inputs.published],
            "observations": [path(p) for p in recipe.inputs.observations],
        }
    )
    series = tuple(s.model_copy(update={"source": located(s.source)}) for s in recipe.series)
    towns = recipe.towns
    if towns.second_climate is not None:
        towns = towns.model_copy(update={"second_climate": located(towns.second_climate)})
    zones = recipe.zones
    if zones.polygons is not None:
        zones = zones.model_copy(update={"polygons": path(zones.polygons)})
    return recipe.model_copy(
        update={
            "inputs": inputs,
            "zones": zones,
            "series": series,
            "towns": towns,
            "catalogs": [path(p) for p in recipe.catalogs],
        }
    )


def _explain(error: ValidationError, path: Path) -> GeotoolsError:
    problems: list[GeotoolsError] = []
    for item in error.errors():
        # pydantic puts the tried member of a union into the place; users know only their keys.
        place = [str(p) for p in item["loc"] if str(p) != "str" and "Entry" not in str(p)]
        key = ".".join(place)
        if item["type"] == "extra_forbidden":
            problems.append(
                UsageError(
                    f"unknown key {key!r}",
                    where=str(path),
                    expected=closest(place[-1], _siblings(place[:-1])),
                    todo="remove or correct it; `geotools init` writes all keys",
                )
            )
        elif item["type"] != "string_type" or not isinstance(item["input"], dict):
            message = item["msg"].removeprefix("Value error, ")
            problems.append(
                UsageError(
                    f"key {key!r}: {message[0].lower()}{message[1:]} (found {_short(item['input'])})",
                    where=str(path),
                    todo="correct the value",
                )
            )
    return problems[0] if len(problems) == 1 else ProblemsError(problems)


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."


def _siblings(place: list[str]) -> list[str]:
    model: Any = Recipe
    for part in place:
        if part.isdigit():
            continue
        annotation = (
            model.model_fields[part].annotation if part in getattr(model, "model_fields", {}) else None
        )
        # Of a list of sections the section.
        annotation = next((a for a in get_args(annotation) if a is SeriesSettings), annotation)
        model = annotation if isinstance(annotation, type) and issubclass(annotation, BaseModel) else Entry
    return list(model.model_fields)


def write_default(path: Path, *, force: bool = False) -> None:
    """Write the default recipe to a file.

    Raises
    ------
    UsageError
        When the file is there already, or its folder cannot be written.
    """
    if path.exists() and not force:
        raise UsageError(
            "the file is there already", where=str(path), todo="choose another name, or use --force"
        )
    try:
        path.write_text(to_yaml(Recipe()), encoding="utf-8")
    except OSError as error:
        raise UsageError(
            f"the file cannot be written ({error.strerror})",
            where=str(path),
            expected="a folder you may write to",
        ) from error
