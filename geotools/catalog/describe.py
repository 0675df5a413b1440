"""A data source in words, for the command line."""

from __future__ import annotations

from pathlib import Path

from geotools.catalog.catalog import identity, open_catalog, open_entry


def describe(name: str, *catalogs: Path) -> str:
    """Where an entry is, what it holds and its licence.

    Parameters
    ----------
    name : str
        Name of an entry.
    *catalogs : pathlib.Path
        Catalogue files beside the bundled one.

    Returns
    -------
    str

    Raises
    ------
    UsageError
        When there is no such entry or its file is missing.
    DataError
        When its file cannot be used.
    """
    entry = open_catalog(*catalogs)[name]
    content = open_entry(entry)
    facts = {
        "description": entry.description,
        "file": str(entry.path),
        "sha256": identity(entry.path),
        "format": entry.kind,
        "tier": entry.tier.value,
        "period": " to ".join(entry.period) if entry.period else "",
        "licence": entry.licence,
        "attribution": entry.attribution,
        "citation": entry.citation,
    }
    lines = [name] + [f"  {key:12} {value}" for key, value in facts.items() if value]
    if entry.variables:
        sizes = ", ".join(f"{d} {n}" for d, n in content.sizes.items() if d != "nv")
        lines.append(f"  {'size':12} {sizes}")
        for variable in entry.variables:
            attrs = content[variable].attrs
            lines.append(f"  {variable:12} {attrs['long_name']} [{attrs['units']}]")
    else:
        lines.append(f"  {'rows':12} {len(content)}")
        lines.append(f"  {'columns':12} {', '.join(map(str, content.columns))}")
    return "\n".join(lines)
