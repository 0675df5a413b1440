"""Balances of emissions embodied in trade: exports less imports, of nations and of their regions."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from geotools.errors import DataError
from geotools.trade.embodied import SEED, Embodied, intervals, lognormal
from geotools.trade.regions import REMAINDER
from geotools.vocabulary import Tier

if TYPE_CHECKING:
    import pandas as pd

Array = NDArray[np.float64]

COLUMNS = (
    "region", "partner", "sector", "year", "account", "export_tco2", "import_tco2", "balance_tco2", "lo95", "hi95",
    "sign_certain", "basis", "lo80", "hi80", "tier", "method", "source",
)  # fmt: skip
TOTAL = "total"
_CLOSES = 1e-9


def balance(
    flows: Embodied,
    *,
    reporter: str = "RU",
    partner: str = "CN",
    shares: pd.DataFrame | None = None,
    proxy_cv: float = 0.5,
    rng: np.random.Generator | None = None,
) -> pd.DataFrame:
    """Emissions embodied in exports less those in imports, by sector and in total.

    A positive balance means that the region is a net exporter of embodied CO2.

    Parameters
    ----------
    flows : Embodied
        With flows in both directions.
    reporter, partner : str
        ISO 3166-1 codes; the balance is the reporter's.
    shares : pandas.DataFrame, optional
        Shares of the reporter's regions with the name of their proxy. Rows of other countries are left aside.
    proxy_cv : float [1]
        Relative standard deviation of a region's share, independent for exports and imports.
    rng : numpy.random.Generator, optional
        For the draws of the shares; with the seed [20260101, 1] when absent.

    Returns
    -------
    pandas.DataFrame
        `COLUMNS`; masses in t CO2. `sign_certain` says whether the 95 % interval leaves out zero. Rows of the nation
        have the tier ``scaled``, rows of regions ``proxied``. Regions sum to the nation in every sector.

    Raises
    ------
    DataError
        When a direction is missing, or the shares do not sum to 1.
    """
    import pandas as pd

    t = flows.table
    sides = {"export": (reporter, partner), "import": (partner, reporter)}
    # Another stream than that of the intensities: shares and intensities err independently.
    rng = np.random.default_rng([SEED, 1]) if rng is None else rng
    parts = []
    for year in sorted(set(t["year"])):
        rows = {
            side: t[(t["exporter"] == a) & (t["importer"] == b) & (t["year"] == year)]
            for side, (a, b) in sides.items()
        }
        for side, found in rows.items():
            if found.empty:
                raise DataError(
                    f"there is no flow from {sides[side][0]} to {sides[side][1]} in {year}",
                    where="argument 'flows'",
                    expected="both directions of the trade",
                    todo="add its rows; a missing flow is not zero",
                )
        sectors = list(dict.fromkeys([*rows["export"]["sector"], *rows["import"]["sector"]]))
        values = {side: _by_sector(found, sectors) for side, found in rows.items()}
        drawn = {side: _drawn(flows.draws, found, sectors) for side, found in rows.items()}
        common = {
            "partner": partner,
            "sector": [*sectors, TOTAL],
            "year": year,
            "account": str(t["account"].iloc[0]),
            "method": flows.method,
            "source": "; ".join(
                dict.fromkeys(s for side in rows.values() for s in side["source"].unique() if s)
            ),
        }
        trades = "; ".join(f"{side}s: {rows[side]['trade_basis'].iloc[0]}" for side in rows)
        basis = f"positive = net exporter; {flows.basis}; {trades}"
        parts.append(_rows(reporter, common, basis, Tier.SCALED, values, drawn))
        if shares is None:
            continue
        own = shares[shares["country"] == reporter]
        _check_shares(own, reporter)
        share_draws = {side: _draw_shares(own, proxy_cv, len(flows.draws), rng) for side in rows}
        for i, row in enumerate(own.itertuples()):
            parts.append(
                _rows(
                    str(row.region),
                    common,
                    f"{row.proxy}; share {row.share:.4f}, CV {proxy_cv:g}; {basis}",
                    Tier.PROXIED,
                    {side: value * float(row.share) for side, value in values.items()},  # type: ignore[arg-type]
                    {side: draw * share_draws[side][:, i : i + 1] for side, draw in drawn.items()},
                )
            )
    return pd.concat(parts, ignore_index=True)


def _rows(
    region: str,
    common: dict[str, object],
    basis: str,
    tier: Tier,
    values: dict[str, Array],
    drawn: dict[str, Array],
) -> pd.DataFrame:
    import pandas as pd

    difference = values["export"] - values["import"]
    bounds = intervals(drawn["export"] - drawn["import"], difference)
    table = pd.DataFrame(
        {
            **common,
            "region": region,
            "export_tco2": values["export"],
            "import_tco2": values["import"],
            "balance_tco2": difference,
            **bounds,
            "sign_certain": (bounds["lo95"] > 0) | (bounds["hi95"] < 0),
            "basis": basis,
            "tier": tier.value,
        }
    )
    return table[list(COLUMNS)]


def _by_sector(rows: pd.DataFrame, sectors: list[str]) -> Array:
    values = rows.set_index("sector")["value_tco2"].reindex(sectors, fill_value=0.0).to_numpy(dtype=float)
    return np.append(values, values.sum())


def _drawn(draws: Array, rows: pd.DataFrame, sectors: list[str]) -> Array:
    out = np.zeros((len(draws), len(sectors) + 1))
    place = {sector: i for i, sector in enumerate(sectors)}
    for label, sector in rows["sector"].items():
        out[:, place[sector]] += draws[:, int(str(label))]
    out[:, -1] = out[:, :-1].sum(axis=1)
    return out


def _check_shares(own: pd.DataFrame, reporter: str) -> None:
    total = float(own["share"].sum())
    if own.empty or abs(total - 1) > _CLOSES or (own["share"] < 0).any():
        raise DataError(
            f"the shares of the regions of {reporter} sum to {total:.10g}",
            where="argument 'shares'",
            expected="shares of zero or more that sum to 1",
            todo=f"make them with regional_shares, which adds {reporter}-{REMAINDER}",
        )


def _draw_shares(own: pd.DataFrame, cv: float, draws: int, rng: np.random.Generator) -> Array:
    """Shares [draw, region] that sum to 1 in every draw; the remainder takes up what the regions leave."""
    drawn = own["share"].to_numpy(dtype=float) * lognormal(rng, cv, (draws, len(own)))
    rest = own["region"].astype(str).str.endswith(f"-{REMAINDER}").to_numpy()
    if rest.any():
        drawn[:, rest] = 0.0
        drawn[:, rest] = np.maximum(1.0 - drawn.sum(axis=1, keepdims=True), 0.0)
    return np.asarray(drawn / drawn.sum(axis=1, keepdims=True))
