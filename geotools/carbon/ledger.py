"""The ledger: one long table of terms, and the only place where terms are added."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from geotools.carbon.term import COLUMNS, Term
from geotools.errors import DataError, UsageError
from geotools.vocabulary import NEVER_SUMMED, Account, Species

if TYPE_CHECKING:
    import pandas as pd

    from geotools.carbon.closure import ClosedBudget


class Ledger:
    """Terms of a budget and the rules for adding them.

    Examples
    --------
    >>> from geotools.carbon import Ledger, Term
    >>> from geotools.vocabulary import Account, Species, Tier
    >>> ledger = Ledger()
    >>> ledger.add(Term(zone="lena", term="doc_export", value=6.79, unit="Tg yr-1", tier=Tier.PUBLISHED,
    ...                 method="daily sampling", source="Juhls et al. (2020)", species=Species.C,
    ...                 account=Account.LATERAL, components=frozenset({"doc"})))
    >>> ledger.total("lena", account="lateral", species="C")
    (6.79, 'Tg yr-1')
    """

    def __init__(self, terms: Iterable[Term] = ()) -> None:
        self._terms: dict[tuple[object, ...], Term] = {}
        for term in terms:
            self.add(term)

    def __len__(self) -> int:
        return len(self._terms)

    def add(self, term: Term) -> None:
        """Enter a term.

        Raises
        ------
        DataError
            When the same quantity of the same origin is there already.
        """
        if term.identity in self._terms:
            raise DataError(
                f"term {term.term!r} of zone {term.zone!r} from {term.source!r} is entered twice",
                where="ledger",
                expected="one row per quantity and origin",
                todo="remove one, or let period, depth, site, method or source tell them apart",
            )
        self._terms[term.identity] = term

    def terms(self, zone: str | None = None) -> list[Term]:
        """The terms in the order they were entered, of one zone or of all."""
        return [t for t in self._terms.values() if zone is None or t.zone == zone]

    def total(
        self, zone: str, *, account: str | Account, species: str | Species, terms: Iterable[str] | None = None
    ) -> tuple[float, str]:
        """The sum of the terms of one zone, account and species.

        Parameters
        ----------
        zone : str
        account : str or Account
        species : str or Species
        terms : iterable of str, optional
            Only these terms; all of the account when absent.

        Returns
        -------
        (float, str)
            Sum and its unit, that of the first term.

        Raises
        ------
        UsageError
            When the account is never summed, or there is nothing to add.
        DataError
            When the terms are of several species, of several depths, stand for sites, or share a component.
        """
        account, species = Account(account), Species(species)
        where = f"ledger, zone {zone!r}, account {account.value!r}"
        if account in NEVER_SUMMED:
            raise UsageError(
                f"rows of account {account.value!r} are information and never enter a sum", where=where,
                expected=f"one of {', '.join(a.value for a in Account if a not in NEVER_SUMMED)}",
                todo="read the rows one by one from to_frame()",
            )  # fmt: skip
        named = set(terms) if terms is not None else None
        chosen = [
            t for t in self.terms(zone)
            if t.account is account and not t.site and (named is None or t.term in named)
        ]  # fmt: skip
        if not chosen:
            raise UsageError("there is nothing to add", where=where, todo="see to_frame() for what is there")
        others = {t.species for t in chosen} - {species}
        if others and named is not None:
            raise DataError(
                f"{species.value} would be added to {', '.join(sorted(o.value for o in others))}", where=where,
                expected="one species", todo="convert by molar mass first, or sum each species by itself",
            )  # fmt: skip
        chosen = [t for t in chosen if t.species is species]
        if not chosen:
            raise UsageError(f"no term is of species {species.value!r}", where=where, todo="see to_frame()")
        from geotools.carbon.selection import sum_of

        return sum_of(chosen, where=where)

    def close(
        self,
        *,
        zones: Sequence[str] | None = None,
        prefer: Sequence[str] = (),
        joint: Mapping[str, Sequence[str]] | None = None,
        mouths: Mapping[str, str] | None = None,
        draws: int = 10_000,
        seed: int = 20260101,
    ) -> ClosedBudget:
        """Net fluxes of each zone from one row per component, with Monte Carlo intervals and what they lack.

        Parameters
        ----------
        zones : sequence of str, optional
            Zones to close; all when absent.
        prefer : sequence of str
            Sources to take before others.
        joint : mapping of str to sequence of str, optional
            Zones made of others that share no land, e.g. ``{"lena_amur": ("lena", "amur")}``. What such a zone has no
            row for is taken from its parts.
        mouths : mapping of str to str, optional
            Zones whose river leaves through the mouth of another zone, e.g. ``{"amur_with_kherlen": "amur"}``.
        draws : int
            At least 5000.
        seed : int

        Returns
        -------
        ClosedBudget
            Rows `net_biome_exchange`, `net_biome_production`, `territorial_emissions` and `net_carbon_exchange`, of
            account memo because their parts are in the ledger already.

        Raises
        ------
        UsageError
            When a zone or preferred source is not there, a preferred row is embodied or memo, or draws are too few.
        DataError
            When two preferred rows share a component, or rows of carbon and of CO2 would be added.

        Notes
        -----
        In carbon, positive to the atmosphere: NBE is the sum of the natural rows, NBP = -NBE - lateral export, and
        NCE = NBE + territorial emissions x 12.011/44.009. See docs/carbon_budget.md.

        References
        ----------
        Ciais et al. (2022), doi:10.5194/gmd-15-1289-2022.
        """
        from geotools.carbon.closure import close

        return close(
            self.terms(), zones=zones, prefer=prefer, joint=joint, mouths=mouths, draws=draws, seed=seed
        )

    def summary(self, zone: str) -> pd.DataFrame:
        """The rows of a zone by account and term, alternatives from several sources side by side.

        Raises
        ------
        UsageError
            When the zone has no rows.
        """
        rows = [t.row() for t in self.terms(zone)]
        if not rows:
            known = ", ".join(sorted({t.zone for t in self._terms.values()})) or "none"
            raise UsageError(f"zone {zone!r} has no rows", where="ledger", expected=f"one of {known}")
        frame = self._frame(rows).sort_values(["account", "term", "tier"], kind="stable")
        columns = ["account", "term", "species", "site", "value", "lo95", "hi95", "unit", "tier", "source"]
        return frame[columns].reset_index(drop=True)

    def to_frame(self) -> pd.DataFrame:
        """All rows as a table with the columns of budget.csv."""
        return self._frame([t.row() for t in self._terms.values()])

    @staticmethod
    def _frame(rows: list[dict[str, object]]) -> pd.DataFrame:
        import pandas as pd

        return pd.DataFrame(rows, columns=list(COLUMNS))


def refuse_double_counting(terms: list[Term], *, where: str) -> None:
    """Refuse terms that share a component or whose depth intervals differ.

    Parameters
    ----------
    terms : list of Term
        About to be added.
    where : str
        For the message.

    Raises
    ------
    DataError
    """
    seen: dict[str, Term] = {}
    for term in terms:
        for tag in term.components:
            if tag in seen:
                raise DataError(
                    f"component {tag!r} is in {_name(seen[tag])} and in {_name(term)}",
                    where=where,
                    expected="terms that share no component",
                    todo="choose one of them by terms=, or keep one source per quantity in the ledger",
                )
            seen[tag] = term
    depths = {(t.depth_top_m, t.depth_bottom_m) for t in terms if not math.isnan(t.depth_top_m)}
    if len(depths) > 1:
        raise DataError(
            f"the terms are for different depths: {', '.join(f'{a:g}-{b:g} m' for a, b in sorted(depths))}",
            where=where, expected="one depth interval", todo="sum each depth interval by itself",
        )  # fmt: skip


def _name(term: Term) -> str:
    return f"{term.term!r} ({term.source})"
