"""One value per component: which of several rows a closed budget takes, and which it sets aside."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from geotools.carbon.ledger import refuse_double_counting
from geotools.carbon.term import Term
from geotools.errors import DataError, UnitsError, UsageError
from geotools.units import conversion
from geotools.vocabulary import NEVER_SUMMED, Account, Species, Tier

UNIT = "Tg yr-1"
# Masses of carbon, whatever compound it is in. Gases by their own mass are another thing.
CARBON = frozenset({Species.C, Species.CO2_C, Species.CH4_C})
# Accounts that a closed budget is made of. `production` books the same emissions as `territorial` does.
IN_BUDGET = frozenset({Account.NATURAL, Account.LATERAL, Account.TERRITORIAL})
_CONFIDENCE = {"high": 0, "medium": 1, "low": 2}
_TIERS = (Tier.OBSERVED, Tier.PUBLISHED, Tier.MODELLED, Tier.SCALED, Tier.PROXIED)


@dataclass(frozen=True)
class Selection:
    """The rows of one zone and account that are added, and why others are not.

    Parameters
    ----------
    chosen : tuple of Term
    set_aside : tuple of (Term, str)
        With the reason.
    """

    chosen: tuple[Term, ...] = ()
    set_aside: tuple[tuple[Term, str], ...] = field(default=())

    @property
    def components(self) -> frozenset[str]:
        """What the chosen rows include together."""
        return frozenset().union(*(t.components for t in self.chosen))


def weakest_tier(terms: Iterable[Term]) -> Tier:
    """The tier of a sum: that of its weakest part."""
    return max((t.tier for t in terms), key=_TIERS.index)


def candidates(terms: Iterable[Term], account: Account) -> list[Term]:
    """The rows of an account that are fluxes of a whole zone."""
    return [
        t for t in terms if t.account is account and not t.site and math.isnan(t.depth_top_m) and is_flux(t)
    ]


def is_flux(term: Term) -> bool:
    """Whether a row is a mass per time."""
    try:
        conversion(term.unit, UNIT)
    except UnitsError:
        return False
    return True


def select(terms: Sequence[Term], *, prefer: Sequence[str] = (), where: str) -> Selection:
    """Take the best row of each component.

    Parameters
    ----------
    terms : sequence of Term
        Candidates of one zone and account.
    prefer : sequence of str
        Sources to take before others, the first most of all.
    where : str
        For messages.

    Returns
    -------
    Selection

    Raises
    ------
    DataError
        When two preferred rows share a component, or rows of different species would be added.

    Notes
    -----
    Rows are gone through in the order: preferred source; confidence high, medium, low; with an interval before without;
    later end of period; tier observed, published, modelled, scaled, proxied; more components; name of the source. A row
    that shares a component with one already taken is set aside.
    """
    ranked = sorted(terms, key=lambda t: _rank(t, prefer))
    chosen: list[Term] = []
    aside: list[tuple[Term, str]] = []
    for term in ranked:
        rivals = [c for c in chosen if c.components & term.components]
        if not rivals:
            chosen.append(term)
            continue
        shared = ", ".join(sorted(rivals[0].components & term.components))
        if term.source in prefer and rivals[0].source in prefer and term.source != rivals[0].source:
            raise DataError(
                f"component {shared!r} is in {term.term!r} ({term.source}) and in {rivals[0].term!r} "
                f"({rivals[0].source}), and both are preferred",
                where=where, expected="preferred sources that share no component", todo="prefer one of them",
            )  # fmt: skip
        aside.append((term, f"{shared} taken from {rivals[0].source}"))
    _one_kind(chosen, where)
    return Selection(tuple(sorted(chosen, key=lambda t: (t.term, t.source))), tuple(aside))


def check_preferred(terms: Iterable[Term], prefer: Sequence[str]) -> None:
    """Refuse preferred sources that are not there, or whose rows no budget takes in.

    Raises
    ------
    UsageError
    """
    rows = list(terms)
    for source in prefer:
        of_source = [t for t in rows if t.source == source]
        if not of_source:
            known = ", ".join(sorted({repr(t.source) for t in rows if t.account in IN_BUDGET})) or "none"
            raise UsageError(
                f"no row has the source {source!r}", where="close, prefer", expected=f"one of {known}"
            )
        if all(t.account not in IN_BUDGET for t in of_source):
            accounts = ", ".join(sorted({t.account.value if t.account else "none" for t in of_source}))
            raise UsageError(
                f"rows of the account {accounts} never enter a budget ({source})", where="close, prefer",
                expected="rows of natural, lateral or territorial fluxes",
                todo="report embodied emissions beside the budget; they are emitted elsewhere or counted already",
            )  # fmt: skip


def sum_of(terms: Sequence[Term], *, where: str = "sum") -> tuple[float, str]:
    """The sum of rows that may be added.

    Parameters
    ----------
    terms : sequence of Term
    where : str
        For messages.

    Returns
    -------
    (float, str)
        Sum and its unit, that of the first row.

    Raises
    ------
    UsageError
        When there is nothing to add, or an account is never summed.
    DataError
        When accounts, species or depths differ, or a component is there twice.
    """
    if not terms:
        raise UsageError("there is nothing to add", where=where)
    never = sorted({t.account.value for t in terms if t.account in NEVER_SUMMED})
    if never:
        raise UsageError(
            f"rows of account {', '.join(never)} would be added to "
            f"{', '.join(sorted({_account(t) for t in terms} - set(never))) or 'each other'}",
            where=where, expected="territorial and natural rows; embodied emissions are a re-allocation of them",
            todo="show them beside the sum",
        )  # fmt: skip
    accounts = sorted({_account(t) for t in terms})
    if len(accounts) > 1:
        raise DataError(
            f"the rows are of several accounts: {', '.join(accounts)}", where=where, expected="one account",
            todo="let close() join them, which converts and signs each account",
        )  # fmt: skip
    _one_kind(terms, where)
    refuse_double_counting(list(terms), where=where)
    unit = terms[0].unit
    total = 0.0
    for term in terms:
        scale, offset = conversion(term.unit, unit)
        total += term.value * scale + offset
    return total, unit


def _account(term: Term) -> str:
    return term.account.value if term.account else "none"


def _one_kind(terms: Sequence[Term], where: str) -> None:
    """Carbon in several compounds may be added as carbon; carbon and CO2 may not."""
    species = {t.species for t in terms}
    if len(species) > 1 and not species <= CARBON:
        raise DataError(
            f"{' and '.join(sorted(s.value for s in species))} would be added", where=where, expected="one species",
            todo="convert by molar mass first (to_species)",
        )  # fmt: skip


def _rank(term: Term, prefer: Sequence[str]) -> tuple[object, ...]:
    preferred = prefer.index(term.source) if term.source in prefer else len(prefer)
    # Digits of years and dates, so that later sorts first; a blank period sorts last.
    later = tuple(-ord(c) for c in term.period_end) or (0,)
    return (
        preferred, _CONFIDENCE.get(term.confidence, 3), math.isnan(term.lo95), later, _TIERS.index(term.tier),
        -len(term.components), term.source, term.term, sorted(term.components), term.value,
    )  # fmt: skip
