"""One row of the ledger."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from typing import Any

from geotools.errors import DataError
from geotools.units import require_readable
from geotools.vocabulary import Account, Species, Tier

# The mass that a species' name stands for decides what may be added; C and CO2 differ by 44.009/12.011.
_CARBON_ACCOUNTS = frozenset({Account.NATURAL, Account.LATERAL, Account.TERRITORIAL})


@dataclass(frozen=True, kw_only=True)
class Term:
    """One value of a budget with its identity, interval and origin.

    Parameters
    ----------
    zone : str
        Key of the area the value is for.
    term : str
        What it is, e.g. ``doc_export`` or ``permafrost_area``.
    value : float [`unit`]
        Carbon fluxes are positive to the atmosphere; lateral ones positive out of the zone.
    unit : str
        UDUNITS string.
    tier : Tier
    method, source : str
    species : Species
        What a mass is a mass of; blank where the value is no mass of an element or gas.
    account : Account, optional
        Blank for areas, temperatures and the like, which belong to no account.
    components : frozenset of str
        Tags of what the value includes; two rows that share a tag are never added.
    period_start, period_end : str
        ISO dates or years, blank where the source gives none.
    depth_top_m, depth_bottom_m : float [m]
        Depth interval of a stock, NaN otherwise.
    lo95, hi95 : float [`unit`]
        95 % interval, NaN where there is none.
    valid_fraction : float [1]
        Share of the zone's area that had data, NaN for published values.
    site : str
        Place of a value that stands for a point and not for the zone.
    confidence, status, doi, note : str

    Raises
    ------
    DataError
        When the interval does not hold the value, the unit cannot be read, or the account rules are broken.
    """

    zone: str
    term: str
    value: float
    unit: str
    tier: Tier
    method: str
    source: str
    species: Species = Species.NONE
    account: Account | None = None
    components: frozenset[str] = frozenset()
    period_start: str = ""
    period_end: str = ""
    depth_top_m: float = math.nan
    depth_bottom_m: float = math.nan
    lo95: float = math.nan
    hi95: float = math.nan
    valid_fraction: float = math.nan
    site: str = ""
    confidence: str = ""
    status: str = ""
    doi: str = ""
    note: str = ""

    def __post_init__(self) -> None:
        where = f"term {self.term!r} of zone {self.zone!r} ({self.source})"
        if math.isnan(self.value):
            raise DataError(
                "the value is missing", where=where, expected="a number", todo="leave the row out"
            )
        if self.lo95 > self.value or self.hi95 < self.value or self.lo95 > self.hi95:
            raise DataError(
                f"the interval {self.lo95:g} to {self.hi95:g} does not hold the value {self.value:g}",
                where=where, expected="lo95 <= value <= hi95", todo="correct the row",
            )  # fmt: skip
        if self.account is not None and self.species is Species.NONE:
            raise DataError(
                f"account {self.account.value!r} without a species", where=where,
                expected=f"one of {', '.join(s.value for s in Species if s.value)}",
                todo="say what the mass is a mass of",
            )  # fmt: skip
        if self.account in _CARBON_ACCOUNTS and not self.components:
            raise DataError(
                "a carbon flux without components", where=where, expected="at least one tag such as 'doc' or 'fire'",
                todo="name what the value includes, so that nothing is counted twice",
            )  # fmt: skip
        require_readable(self.unit)

    @property
    def identity(self) -> tuple[Any, ...]:
        """What makes two rows the same row."""
        depths = tuple(None if math.isnan(d) else d for d in (self.depth_top_m, self.depth_bottom_m))
        return (
            self.zone, self.term, self.species, self.account, self.components, self.period_start, self.period_end,
            *depths, self.tier, self.site, self.method, self.source,
        )  # fmt: skip

    def row(self) -> dict[str, Any]:
        """The term as plain values, one per column."""
        out = {name: getattr(self, name) for name in COLUMNS}
        out["species"], out["tier"] = self.species.value, self.tier.value
        out["account"] = self.account.value if self.account else ""
        out["components"] = "+".join(sorted(self.components))
        return out


# The order of the contract first, then what geotools adds.
COLUMNS = (
    "zone", "period_start", "period_end", "term", "species", "account", "components", "depth_top_m",
    "depth_bottom_m", "value", "lo95", "hi95", "unit", "tier", "valid_fraction", "method", "source",
    "site", "confidence", "status", "doi", "note",
)  # fmt: skip
assert set(COLUMNS) == {f.name for f in fields(Term)}
