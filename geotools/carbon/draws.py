"""Monte Carlo draws from a value and its 95 % interval."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from geotools.carbon.equivalence import to_species
from geotools.carbon.term import Term
from geotools.units import conversion
from geotools.vocabulary import Species

Draws = NDArray[np.float64]
_NUMBERS = ("value", "lo95", "hi95", "valid_fraction")
# Quantile of the standard normal distribution at 97.5 %.
Z95 = 1.959963984540054
# Where a source gives no interval, this share of the value stands for half of one, and the row says so.
ASSUMED_HALF_WIDTH = 0.5
# Best value and range. Half of the bicarbonate of carbonate weathering is carbon of the rock; how much of the rock is
# carbonate is not known here.
ROCK_SHARE_OF_DIC = (0.25, 0.0, 0.5)


def two_piece(
    value: float, lo95: float, hi95: float, z: NDArray[np.float64], *, positive: bool = False
) -> NDArray[np.float64]:
    """Draws whose median is a value and whose 2.5 and 97.5 percentiles are its bounds.

    Parameters
    ----------
    value, lo95, hi95 : float [any]
        With ``lo95 <= value <= hi95``.
    z : numpy.ndarray [draw; 1]
        Standard normal draws.
    positive : bool
        Cut at 0, for terms that cannot be negative.

    Returns
    -------
    numpy.ndarray [draw; unit of the value]

    Notes
    -----
    A normal distribution with a width of its own on either side of the median. It keeps the bounds of lopsided
    intervals, which a symmetric one would not.
    """
    width = np.where(z < 0, value - lo95, hi95 - value) / Z95
    drawn = value + width * z
    return np.maximum(drawn, 0.0) if positive else drawn


def bounds(draws: NDArray[np.float64], value: float) -> tuple[float, float]:
    """2.5 and 97.5 percentiles, widened to hold the central value.

    Medians do not add, so the central value of a lopsided sum can leave a narrow band.
    """
    low, high = np.quantile(draws, [0.025, 0.975])
    return min(float(low), value), max(float(high), value)


class Sampler:
    """Draws of ledger rows: each row has its own stream, so that neither order nor company changes them.

    Parameters
    ----------
    draws, seed : int
    """

    def __init__(self, draws: int, seed: int) -> None:
        self.draws, self.seed = draws, seed

    def total(
        self, terms: Iterable[Term], species: Species, *, unit: str, living: bool = False
    ) -> tuple[float, Draws]:
        """Sum of rows as one species, and its draws.

        Parameters
        ----------
        terms : iterable of Term
        species : Species
        unit : str
            Of the result.
        living : bool
            Leave out the part of dissolved inorganic carbon that comes from rock.

        Returns
        -------
        (float, numpy.ndarray [draw])
        """
        value, drawn = 0.0, np.zeros(self.draws)
        for term in terms:
            scale = conversion(term.unit, unit)[0] * to_species(1.0, term.species, species)
            share, shares = 1.0, np.ones(self.draws)
            if living and term.components == frozenset({"dic"}):
                best, low, high = ROCK_SHARE_OF_DIC
                share = 1.0 - best
                shares = 1.0 - self._stream("rock share of dic").uniform(low, high, self.draws)
            value += term.value * scale * share
            drawn = drawn + self.of(term) * scale * shares
        return value, drawn

    def of(self, term: Term) -> Draws:
        """Draws of one row [draw; unit of the row]."""
        low, high = term.lo95, term.hi95
        if math.isnan(low) or math.isnan(high):
            half = ASSUMED_HALF_WIDTH * abs(term.value)
            low, high = term.value - half, term.value + half
        # Named by what the row is and not by its numbers, whose rounding would make other draws.
        key = {k: v for k, v in replace(term, note="").row().items() if k not in _NUMBERS}
        z = self._stream(repr(sorted(key.items()))).standard_normal(self.draws)
        return two_piece(term.value, low, high, z, positive=low >= 0)

    def _stream(self, name: str) -> np.random.Generator:
        digest = hashlib.sha256(name.encode()).digest()[:8]
        return np.random.default_rng([self.seed, int.from_bytes(digest, "big")])
