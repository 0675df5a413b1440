"""Closing a budget: net fluxes of a zone from one value per component, and what they lack."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from geotools.carbon.draws import ASSUMED_HALF_WIDTH, ROCK_SHARE_OF_DIC, Draws, Sampler, bounds
from geotools.carbon.equivalence import to_species
from geotools.carbon.selection import UNIT, Selection, candidates, check_preferred, select, weakest_tier
from geotools.carbon.term import Term
from geotools.errors import DataError, UsageError
from geotools.vocabulary import Account, Species

if TYPE_CHECKING:
    import pandas as pd

# What a whole budget would hold, by account. A part without a row is named as missing, never taken for 0.
EXPECTED: Mapping[Account, tuple[str, ...]] = {
    Account.NATURAL: ("nee_ecosystem", "fire", "crop_harvest", "wood_harvest", "river_evasion", "lake_evasion",
                      "wetland_ch4", "lake_ch4"),
    Account.LATERAL: ("doc", "dic", "poc", "product_trade"),
    Account.TERRITORIAL: ("fossil", "cement", "carbonation"),
}  # fmt: skip
LEAST_DRAWS = 5000
SEED = 20260101


@dataclass(frozen=True)
class ZoneBudget:
    """One zone of a closed budget.

    Parameters
    ----------
    zone : str
    selections : dict of Account to Selection
    rows : tuple of Term
        Derived rows.
    missing : tuple of str
        Components without a row.
    """

    zone: str
    selections: Mapping[Account, Selection]
    rows: tuple[Term, ...]
    missing: tuple[str, ...]

    @property
    def complete(self) -> bool:
        """Whether nothing is missing."""
        return not self.missing


@dataclass(frozen=True)
class ClosedBudget:
    """Derived rows of all zones, with the rows they were made of.

    Parameters
    ----------
    zones : dict of str to ZoneBudget
    draws, seed : int
    """

    zones: Mapping[str, ZoneBudget]
    draws: int
    seed: int

    @property
    def rows(self) -> tuple[Term, ...]:
        """The derived rows. They are memo rows: their parts stand in the ledger already."""
        return tuple(row for zone in self.zones.values() for row in zone.rows)

    def to_frame(self) -> pd.DataFrame:
        """The derived rows with the columns of budget.csv."""
        from geotools.carbon.ledger import Ledger

        return Ledger(self.rows).to_frame()

    def choices(self) -> pd.DataFrame:
        """Every candidate: whether it was taken, and if not, why.

        Returns
        -------
        pandas.DataFrame
            `zone`, `account`, `term`, `components`, `value`, `source`, `taken`, `reason`.
        """
        import pandas as pd

        out = []
        for zone in self.zones.values():
            for account, chosen in zone.selections.items():
                pairs = [(t, True, "") for t in chosen.chosen] + [
                    (t, False, why) for t, why in chosen.set_aside
                ]
                out += [
                    (
                        zone.zone,
                        account.value,
                        t.term,
                        "+".join(sorted(t.components)),
                        t.value,
                        t.source,
                        taken,
                        why,
                    )
                    for t, taken, why in pairs
                ]
        names = ["zone", "account", "term", "components", "value", "source", "taken", "reason"]
        return pd.DataFrame(out, columns=names)


def close(
    terms: Iterable[Term],
    *,
    zones: Sequence[str] | None = None,
    prefer: Sequence[str] = (),
    joint: Mapping[str, Sequence[str]] | None = None,
    mouths: Mapping[str, str] | None = None,
    draws: int = 10_000,
    seed: int = SEED,
) -> ClosedBudget:
    """Close the budget of each zone; see `Ledger.close`."""
    rows = list(terms)
    if draws < LEAST_DRAWS:
        raise UsageError(f"{draws} draws", where="close", expected=f"at least {LEAST_DRAWS} draws")
    check_preferred(rows, prefer)
    joint, mouths = joint or {}, mouths or {}
    names = list(dict.fromkeys(t.zone for t in rows)) if zones is None else list(zones)
    known = {t.zone for t in rows}
    for name in names:
        if name not in known:
            raise UsageError(
                f"zone {name!r} has no rows",
                where="close",
                expected=f"one of {', '.join(sorted(known)) or 'none'}",
            )
    sampler = Sampler(draws, seed)
    picked = {
        z: _selections(rows, z, prefer, mouths) for z in {*names, *(p for ps in joint.values() for p in ps)}
    }
    out = {}
    for zone in names:
        own, absent = picked[zone], list[str]()
        if zone in joint:
            own, absent = _joined(zone, own, [(part, picked[part]) for part in joint[zone]])
        budget = _budget(zone, own, absent, sampler)
        if budget is not None:
            out[zone] = budget
    return ClosedBudget(out, draws, seed)


def _selections(
    rows: list[Term], zone: str, prefer: Sequence[str], mouths: Mapping[str, str]
) -> dict[Account, Selection]:
    found = {}
    for account in EXPECTED:
        # A basin with a closed part shares its mouth with the basin without it.
        source = mouths.get(zone, zone) if account is Account.LATERAL else zone
        of_zone = candidates([t for t in rows if t.zone == source], account)
        found[account] = select(
            of_zone, prefer=prefer, where=f"close, zone {zone!r}, account {account.value!r}"
        )
    return found


def _joined(
    zone: str, own: dict[Account, Selection], parts: Sequence[tuple[str, dict[Account, Selection]]]
) -> tuple[dict[Account, Selection], list[str]]:
    """The rows of a zone that is made of disjoint parts: its own, and for the rest those of the parts."""
    out, absent = {}, []
    for account, selection in own.items():
        chosen, aside = list(selection.chosen), list(selection.set_aside)
        for part, of_part in parts:
            for term in of_part[account].chosen:
                if term.components & selection.components:
                    if not term.components <= selection.components:
                        raise DataError(
                            f"{term.term!r} of {part!r} is partly in the rows of {zone!r}", where="close, joint",
                            expected="rows of the whole that hold all of it or none", todo="prefer another source",
                        )  # fmt: skip
                    aside.append((term, f"in the rows of {zone} itself"))
                else:
                    chosen.append(term)
            whole = selection.components | of_part[account].components
            absent += [f"{tag} of {part}" for tag in EXPECTED[account] if tag not in whole]
        out[account] = Selection(tuple(chosen), tuple(aside))
    return out, absent


def _budget(
    zone: str, selections: dict[Account, Selection], absent: list[str], sampler: Sampler
) -> ZoneBudget | None:
    if not any(s.chosen for s in selections.values()):
        return None
    lacking = {
        account: [tag for tag in tags if tag not in selections[account].components]
        for account, tags in EXPECTED.items()
    }
    missing = tuple(dict.fromkeys([*absent, *(t for tags in lacking.values() for t in tags if not absent)]))
    natural, lateral, fossil = (list(selections[a].chosen) for a in EXPECTED)
    rows: list[Term] = []

    def enter(term: str, parts: list[Term], accounts: Sequence[Account], value: float, drawn: Draws,
              species: Species, formula: str) -> None:  # fmt: skip
        tags = {tag for a in accounts for tag in EXPECTED[a]}
        lacks = [m for m in missing if m.split(" of ")[0] in tags]
        low, high = bounds(drawn, value)
        assumed = [t.term for t in parts if math.isnan(t.lo95)]
        text = f"{formula}; {'incomplete: missing ' + _listed(lacks) if lacks else 'complete'}"
        if assumed:
            text += f"; no interval published for {', '.join(assumed)}, -/+ {ASSUMED_HALF_WIDTH:.0%} assumed"
        rows.append(
            Term(
                zone=zone, term=term, value=value, lo95=low, hi95=high, unit=UNIT, species=species,
                account=Account.MEMO, components=frozenset().union(*(t.components for t in parts)),
                tier=weakest_tier(parts), method=text, source="; ".join(dict.fromkeys(t.source for t in parts)),
                confidence="low", status="computed",
                note="; ".join(f"{t.term} {t.value:.4g} {t.unit} {t.species.value} ({t.zone})" for t in parts),
            )
        )  # fmt: skip

    has_nee = "nee_ecosystem" in selections[Account.NATURAL].components
    nbe, nbe_draws = sampler.total(natural, Species.C, unit=UNIT)
    if has_nee:
        enter("net_biome_exchange", natural, [Account.NATURAL], nbe, nbe_draws, Species.C,
              f"NBE = {_plus(natural)}")  # fmt: skip
    if has_nee and lateral:
        with_dic = any(t.components == {"dic"} for t in lateral)
        rock = f", {ROCK_SHARE_OF_DIC[0]:.0%} of dic taken for rock carbon" if with_dic else ""
        out, out_draws = sampler.total(lateral, Species.C, unit=UNIT, living=True)
        enter("net_biome_production", natural + lateral, [Account.NATURAL, Account.LATERAL], -nbe - out,
              -nbe_draws - out_draws, Species.C,
              f"NBP = -NBE - ({_plus(lateral)}){rock}")  # fmt: skip
    if fossil:
        emitted, emitted_draws = sampler.total(fossil, Species.CO2, unit=UNIT)
        enter("territorial_emissions", fossil, [Account.TERRITORIAL], emitted, emitted_draws, Species.CO2,
              f"E = {_plus(fossil)}")  # fmt: skip
        if has_nee:
            ratio = to_species(1.0, Species.CO2, Species.C)
            enter("net_carbon_exchange", natural + fossil, [Account.NATURAL, Account.TERRITORIAL],
                  nbe + emitted * ratio, nbe_draws + emitted_draws * ratio, Species.C,
                  "NCE = NBE + E x 12.011/44.009")  # fmt: skip
    return ZoneBudget(zone, selections, tuple(rows), missing)


def _plus(terms: list[Term]) -> str:
    return " + ".join(sorted({t.term for t in terms}))


def _listed(missing: list[str]) -> str:
    """``fire of lena, fire of amur`` as ``fire of lena and amur``."""
    places: dict[str, list[str]] = {}
    for entry in missing:
        tag, _, part = entry.partition(" of ")
        places.setdefault(tag, []).append(part)
    return ", ".join(
        f"{tag} of {' and '.join(parts)}" if all(parts) else tag for tag, parts in places.items()
    )
