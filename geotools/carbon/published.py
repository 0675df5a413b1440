"""Published numbers as ledger terms."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from geotools.carbon.term import Term
from geotools.errors import DataError
from geotools.vocabulary import Account, Species, Tier

if TYPE_CHECKING:
    import pandas as pd


def published_terms(table: pd.DataFrame) -> list[Term]:
    """Turn a table of published numbers into terms of tier ``published``.

    Parameters
    ----------
    table : pandas.DataFrame
        With the columns of the bundled table; see docs/published_numbers.md.

    Returns
    -------
    list of Term
        The kind of the published interval stands in `method`.

    Raises
    ------
    DataError
        When a row names an unknown account or species, or breaks a rule of the ledger.
    """
    return [_term(row) for row in table.to_dict("records")]


def _term(row: dict[Any, Any]) -> Term:
    where = f"published numbers, {row['zone']} {row['term']} ({row['reference']})"
    try:
        species = Species(row["species"])
        account = Account(row["account"]) if row["account"] else None
    except ValueError as error:
        raise DataError(
            str(error),
            where=where,
            expected="a species and an account of the vocabulary",
            todo="correct the row",
        ) from error
    kind = row["interval_kind"] or "none"
    interval = "no interval published" if kind == "none" else f"95 % interval from {kind}"
    return Term(
        zone=str(row["zone"]),
        term=str(row["term"]),
        value=float(row["value"]),
        lo95=float(row["lo95"]),
        hi95=float(row["hi95"]),
        unit=str(row["unit"]),
        tier=Tier.PUBLISHED,
        method=f"published value; {interval}",
        source=str(row["reference"]),
        species=species,
        account=account,
        components=frozenset(tag for tag in str(row["components"]).split("+") if tag),
        period_start=str(row["period_start"]),
        period_end=str(row["period_end"]),
        depth_top_m=float(row["depth_top_m"]),
        depth_bottom_m=float(row["depth_bottom_m"]),
        site=str(row["site"]),
        confidence=str(row["confidence"]),
        status=str(row["status"]),
        doi=str(row["doi"]),
        note=str(row["note"]),
    )
