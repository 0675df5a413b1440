"""report.html: a finished run on one page that needs nothing beside itself."""

from __future__ import annotations

import os
import re
from functools import partial
from importlib.resources import files as resources
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from geotools.report import answer, charts, images, run_files, sections, town_ground, trade
from geotools.report.methods import LIMITS, methods
from geotools.report.names import is_region

if TYPE_CHECKING:
    from markupsafe import Markup

    from geotools.report.run_files import RunFiles

_DOI = re.compile(r"10\.\d{4,9}/[^\s;,<>\"]*[^\s;,.<>\"]")
_KNOWN = {
    "basins_map": "Permafrost zones, basins and transect on an equal-area map",
    "cross_section": "Ground temperature over depth and latitude along the transect, in balance with the climate",
    "transect_profile": "Elevation, climate, snow, permafrost, land cover and carbon fluxes along the transect",
}
_ALONG = ("transect", "cross_section")


def write(run_dir: str | Path) -> Path:
    """Write report.html of a finished run.

    Parameters
    ----------
    run_dir : path
        The directory of the run.

    Returns
    -------
    pathlib.Path
        `run_dir`/report.html, one file with its figures inside, written whole or not at all.

    Raises
    ------
    UsageError
        When the folder is missing, the run is not finished, or a file of it is not whole.
    """
    files = run_files.read(run_dir)
    path = files.folder / "report.html"
    temporary = path.with_name(".report.part.html")
    try:
        temporary.write_text(render(files), encoding="utf-8")
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)
    return path


def render(files: RunFiles) -> str:
    """The page as text.

    Parameters
    ----------
    files : RunFiles

    Returns
    -------
    str
        HTML.
    """
    from jinja2 import Environment, StrictUndefined

    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters["doi"] = _doi_link
    environment.filters["dois"] = _doi_links
    source = resources("geotools.report").joinpath("templates/report.html.j2").read_text(encoding="utf-8")
    return environment.from_string(source).render(_content(files))


def _content(files: RunFiles) -> dict[str, Any]:
    record = files.record
    tier_tables, tier_rows = sections.tiers(files)
    maps, profiles = _figures(files)
    return {
        "title": str(record.get("title") or files.folder.name),
        "finished": str(record.get("finished", ""))[:10],
        "version": str((record.get("versions") or {}).get("lena-amur-geotools", "not recorded")),
        "missing": files.missing,
        "cards": answer.cards(files, [z for z in answer.zones(files) if not is_region(z)]),
        "regions": answer.cards(files, [z for z in answer.zones(files) if is_region(z)]),
        "budget_chart": _budget_chart(files),
        "maps": maps,
        "profiles": profiles,
        "transect": str(sections.settings(files, "transect").get("name") or "Transect"),
        "towns": sections.towns(files),
        "swath": sections.swath(files),
        "ground": town_ground.section(files),
        "trade": trade.section(files),
        "tier_tables": tier_tables,
        "tier_rows": tier_rows,
        "published": sections.published(files),
        "inputs": sections.inputs(files),
        "notices": [str(n) for n in record.get("notices") or []],
        "methods": methods(files),
        "limits": LIMITS,
        "again": sections.reproduction(files),
    }


def _budget_chart(files: RunFiles) -> Markup | None:
    from markupsafe import Markup

    budget = files.table("budget.csv")
    shown = [z for z in answer.zones(files) if not is_region(z)]
    figure = charts.budget(budget, shown) if budget is not None else None
    if figure is None:
        return None
    text = "Budget terms of each basin as dots with 95 % intervals. The numbers stand in the tables above."
    # The markup is matplotlib's own, which escapes what it was given.
    return Markup(images.inline_svg(figure, "budget", text))


def _figures(files: RunFiles) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Maps and other figures, and those of the transect."""
    maps: list[dict[str, Any]] = []
    profiles: list[dict[str, Any]] = []
    encode = partial(images.data_uri, limit_bytes=images.BUDGET_BYTES // max(1, len(files.figures)))
    for path in files.figures:
        uri, width, height = encode(path)
        words = _KNOWN.get(path.stem, path.stem.replace("_", " ").capitalize())
        shown = {
            "uri": uri,
            "width": width,
            "height": height,
            "caption": words,
            "file": f"figures/{path.name}",
        }
        (profiles if path.stem.startswith(_ALONG) else maps).append(shown)
    return maps, profiles


def _doi_link(doi: str, words: str = "") -> Markup | str:
    """A DOI as a link, behind other words if given; what is no DOI stays plain text."""
    from markupsafe import Markup

    if not _DOI.fullmatch(doi):
        return words or doi
    return Markup('<a href="https://doi.org/{}">{}</a>').format(quote(doi, safe="/()"), words or f"doi:{doi}")


def _doi_links(text: str) -> Markup:
    """Text in which each DOI is a link."""
    from markupsafe import Markup, escape

    parts, end = [], 0
    for found in re.finditer(rf"(?:doi:)({_DOI.pattern})", text):
        doi = found[1]
        # A bracket around the DOI is not part of it.
        while doi.endswith(")") and doi.count(")") > doi.count("("):
            doi = doi[:-1]
        parts += [escape(text[end : found.start()]), _doi_link(doi)]
        end = found.start(1) + len(doi)
    return Markup("").join([*parts, escape(text[end:])])
