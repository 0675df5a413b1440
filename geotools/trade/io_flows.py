"""Emissions by input-output model: accounts of the regions, and flows between two of them by three methods."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from geotools.errors import UsageError
from geotools.trade.io_model import InputOutput

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Accounts:
    """Production-based, consumption-based, imported and exported emissions [regions; mass of CO2]."""

    regions: tuple[str, ...]
    production: Array
    consumption: Array
    imports: Array
    exports: Array


def production_and_consumption(table: InputOutput) -> Accounts:
    """The accounts of every region by the multi-regional model.

    Parameters
    ----------
    table : InputOutput
        With emissions of every region.

    Returns
    -------
    Accounts

    Raises
    ------
    DataError
        When a region has no emissions.

    Notes
    -----
    With E[r, s] the emissions in r for the final demand of s: production is the sum of F and F_Y of a region,
    consumption is M Y + F_Y, exports are the sums of E[r, s] over s other than r, imports those over r other than s.
    Production and consumption add to the same world total, and
    consumption = production - exports + imports in every region.

    References
    ----------
    Kanemoto et al. (2012), doi:10.1021/es202239t.
    """
    flows = np.array([[_mrio(table, r, s) for s in table.regions] for r in table.regions])
    final = _final(table)
    own = np.diag(flows)
    return Accounts(
        regions=table.regions,
        production=np.array([table.F[table.rows(r)].sum() for r in table.regions]) + final,
        consumption=table.multiplier @ table.Y + final,
        imports=flows.sum(axis=0) - own,
        exports=flows.sum(axis=1) - own,
    )


def bilateral_exports(table: InputOutput, exporter: str, importer: str) -> Array:
    """Gross exports by sector, intermediate and final.

    Parameters
    ----------
    table : InputOutput
    exporter, importer : str
        Two regions.

    Returns
    -------
    array [sectors of the exporter; money]

    Notes
    -----
    T[r, s] = Z[r, s] 1 + Y[r, s].
    """
    if exporter == importer:
        raise UsageError(
            f"{exporter!r} is named as exporter and importer", expected="two regions", todo="name a partner"
        )
    rows, columns = table.rows(exporter), table.rows(importer)
    demand = table.Y[rows, table.regions.index(importer)]
    return np.asarray(table.Z[np.ix_(rows, columns)].sum(axis=1) + demand)


def embodied_flows(table: InputOutput, exporter: str, importer: str) -> dict[str, Array]:
    """Emissions in the exports of one region to another, by exporting sector and by three methods.

    Parameters
    ----------
    table : InputOutput
    exporter, importer : str

    Returns
    -------
    dict of str to array [sectors of the exporter; mass of CO2]
        ``direct`` is S_r T, ``eebt`` S_r (I - A_rr)^-1 T. With emissions of every region also ``mrio``, the
        emissions of r, by emitting sector, for the final demand of s: a memo item, for it answers another
        question than the other two and does not compare with bilateral trade in money.

    References
    ----------
    Peters (2008), doi:10.1016/j.ecolecon.2007.10.014.
    """
    traded = bilateral_exports(table, exporter, importer)
    direct, total = table.domestic(exporter)
    flows = {"direct": direct * traded, "eebt": total * traded}
    rows = table.rows(exporter)
    demand = table.Y[:, table.regions.index(importer)]
    # Row r of S L Y needs the emissions of r only, whatever is known of the others.
    flows["mrio"] = direct * (table.leontief[rows] @ demand)
    return flows


def pollution_terms_of_trade(emissions: tuple[float, float], trade: tuple[float, float]) -> float:
    """How much dirtier one region's exports are than its imports, per unit of money.

    Parameters
    ----------
    emissions : (float, float) [mass of CO2]
        In the exports and in the imports.
    trade : (float, float) [money]
        Exports and imports.

    Returns
    -------
    float [1]
        Above 1 the exports are the dirtier ones; NaN without trade or emissions in one direction.
    """
    if min(*trade, emissions[1]) <= 0:
        return float("nan")
    return (emissions[0] / trade[0]) / (emissions[1] / trade[1])


def _mrio(table: InputOutput, emitter: str, consumer: str) -> float:
    rows = table.rows(emitter)
    table.domestic(emitter)  # refuses a region without emissions
    demand = table.Y[:, table.regions.index(consumer)]
    return float(table.intensity[rows] @ table.leontief[rows] @ demand)


def _final(table: InputOutput) -> Array:
    assert table.F_Y is not None
    return table.F_Y
