"""National trade by sector: published totals times published shares."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from geotools.errors import DataError, UsageError

if TYPE_CHECKING:
    import pandas as pd

FLOWS = {"RU_to_CN": ("RU", "CN"), "CN_to_RU": ("CN", "RU")}
_CLOSES = 1e-4


def latest_year(totals: pd.DataFrame, *, reporter: str = "GACC") -> int:
    """The latest year for which a reporter gives both flows.

    Parameters
    ----------
    totals : pandas.DataFrame
        With `reporter`, `flow` and `year`.
    reporter : str

    Returns
    -------
    int

    Raises
    ------
    DataError
        When there is none.
    """
    rows = totals[totals["reporter"] == reporter]
    years = set.intersection(*(set(rows.loc[rows["flow"] == flow, "year"]) for flow in FLOWS))
    if not years:
        raise DataError(
            f"{reporter!r} gives no year with both flows",
            where="table of national trade",
            expected="exports and imports of one year",
            todo=f"choose a reporter out of {', '.join(sorted(set(totals['reporter'])))}",
        )
    return int(max(years))


def check_totals(totals: pd.DataFrame, *, tolerance: float = 1e-3) -> None:
    """Refuse negative flows, and turnovers that are not the sum of the two flows.

    Parameters
    ----------
    totals : pandas.DataFrame
        With `reporter`, `flow`, `year`, `vintage`, `value` and `unit`.
    tolerance : float
        Largest relative difference, for rounding.

    Raises
    ------
    DataError
    """
    refuse_bad_values(totals, "value", where="table of national trade")
    for (reporter, year, unit), rows in totals.groupby(["reporter", "year", "unit"]):
        by_flow = rows.set_index("flow")["value"]
        if not {*FLOWS, "turnover"} <= set(by_flow.index) or not by_flow.index.is_unique:
            continue
        gap = float(by_flow["turnover"] - sum(by_flow[flow] for flow in FLOWS))
        if abs(gap) > tolerance * by_flow["turnover"]:
            raise DataError(
                f"the flows of {reporter} in {year} miss the turnover by {gap:g} {unit}",
                where="table of national trade",
                expected=f"a sum within {tolerance:g}",
                todo="check the vintages of the three numbers",
            )


def sector_trade(
    totals: pd.DataFrame, shares: pd.DataFrame, *, year: int, reporter: str = "GACC"
) -> pd.DataFrame:
    """Trade of both directions by sector.

    Parameters
    ----------
    totals : pandas.DataFrame
        One row per reporter, flow (``RU_to_CN``, ``CN_to_RU``), year and vintage, with `value`, `unit`,
        `price_basis` and `reference`.
    shares : pandas.DataFrame
        One row per exporter, importer, year and sector, with `share` of the exporter's goods and `reference`.
    year : int
    reporter : str
        GACC (Chinese customs), FCS (Russian customs) or another name in `totals`; reporters are never mixed.

    Returns
    -------
    pandas.DataFrame
        `exporter`, `importer`, `sector`, `year`, `value`, `unit`, `trade_basis` and `source`. The structure is that
        of the latest year that is not after `year`, and `trade_basis` names it.

    Raises
    ------
    UsageError
        When the year has no total by that reporter.
    DataError
        When there are two vintages of a total, no shares, shares that do not sum to 1, or a negative number.
    """
    import pandas as pd

    check_totals(totals)
    parts = []
    for flow, (exporter, importer) in FLOWS.items():
        rows = totals[(totals["reporter"] == reporter) & (totals["flow"] == flow) & (totals["year"] == year)]
        if len(rows) != 1:
            own = totals[(totals["reporter"] == reporter) & (totals["flow"] == flow)]
            known = ", ".join(str(y) for y in sorted(set(own["year"])))
            error = UsageError if rows.empty else DataError
            raise error(
                f"{len(rows)} totals of {flow} by {reporter} for {year}",
                where="table of national trade",
                expected=f"one of the years {known}" if rows.empty and known else "one row",
                todo="choose another year or reporter" if rows.empty else "keep one vintage",
            )
        total = rows.iloc[0]
        chosen = _structure(shares, exporter, importer, year)
        structure = int(chosen["year"].iloc[0])
        parts.append(
            pd.DataFrame(
                {
                    "exporter": exporter,
                    "importer": importer,
                    "sector": chosen["sector"].to_numpy(),
                    "year": year,
                    "value": float(total["value"]) * chosen["share"].to_numpy(),
                    "unit": total["unit"],
                    "trade_basis": f"{reporter} {year} ({total['price_basis']}), structure of {structure}",
                    "source": f"{total['reference']}; structure: {chosen['reference'].iloc[0]}",
                }
            )
        )
    return pd.concat(parts, ignore_index=True)


def refuse_bad_values(table: pd.DataFrame, column: str, *, where: str) -> None:
    """Raise when a value is negative or missing.

    Raises
    ------
    DataError
    """
    values = table[column].to_numpy(dtype=float)
    bad = np.flatnonzero(~(values >= 0))
    if bad.size:
        row = table.iloc[int(bad[0])]
        labels = " ".join(
            str(row[c]) for c in ("exporter", "importer", "flow", "sector", "year") if c in table
        )
        missing = np.isnan(values[bad[0]])
        raise DataError(
            f"the {column} of {labels} is {'missing' if missing else f'{values[bad[0]]:g}'}",
            where=where,
            expected="zero or more, and 0 only where there was none",
            todo="leave suppressed flows out and say so"
            if missing
            else "give exports and imports as positive numbers",
        )


def _structure(shares: pd.DataFrame, exporter: str, importer: str, year: int) -> pd.DataFrame:
    own = shares[
        (shares["exporter"] == exporter) & (shares["importer"] == importer) & (shares["year"] <= year)
    ]
    if own.empty:
        raise DataError(
            f"there are no sector shares of {exporter} to {importer} for {year} or before",
            where="table of sector shares",
            expected="shares of the exports by sector",
            todo="add them, or choose a later year",
        )
    chosen: pd.DataFrame = own[own["year"] == own["year"].max()].copy()
    refuse_bad_values(chosen, "share", where="table of sector shares")
    total = float(chosen["share"].sum())
    if abs(total - 1) > _CLOSES:
        raise DataError(
            f"the shares of {exporter} to {importer} in {chosen['year'].iloc[0]} sum to {total:g}",
            where="table of sector shares",
            expected="1",
            todo="add a sector for the rest",
        )
    # What the rounding of the shares leaves is spread over all of them, so that the total stays the total.
    chosen["share"] /= total
    return chosen
