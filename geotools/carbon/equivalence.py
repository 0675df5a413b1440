"""Carbon, gases and their equivalents: molar masses and global warming potentials by name."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import overload

import numpy as np
from numpy.typing import NDArray

from geotools.errors import UsageError
from geotools.vocabulary import Species

# g mol-1
MOLAR_MASS = MappingProxyType({"C": 12.011, "CO2": 44.009, "CH4": 16.043, "N2O": 44.013, "N": 14.007})

# Element that a species carries, and its own mass per mass of that element.
_CARRIES = MappingProxyType({
    Species.C: ("C", 1.0),
    Species.CO2_C: ("C", 1.0),
    Species.CH4_C: ("C", 1.0),
    Species.CO2: ("C", MOLAR_MASS["CO2"] / MOLAR_MASS["C"]),
    Species.CH4: ("C", MOLAR_MASS["CH4"] / MOLAR_MASS["C"]),
    Species.N2O_N: ("N", 1.0),
    Species.N2O: ("N", MOLAR_MASS["N2O"] / (2 * MOLAR_MASS["N"])),
})  # fmt: skip
_GASES = MappingProxyType({
    Species.CO2: Species.CO2, Species.CO2_C: Species.CO2,
    Species.CH4: Species.CH4, Species.CH4_C: Species.CH4,
    Species.N2O: Species.N2O, Species.N2O_N: Species.N2O,
})  # fmt: skip


@dataclass(frozen=True)
class WarmingPotentials:
    """Global warming potentials of one report and horizon [kg CO2-eq per kg of gas].

    Parameters
    ----------
    report : str
        ``AR6``, ``AR5`` or ``AR4``.
    horizon : int
        Years.
    table : str
        Table of the report.
    doi : str
    ch4_fossil, ch4_non_fossil, n2o : float
    ch4_uncertainty, n2o_uncertainty : float
        Half-width of the 5 to 95 % range, NaN where none is held here.
    """

    report: str
    horizon: int
    table: str
    doi: str
    ch4_fossil: float
    ch4_non_fossil: float
    n2o: float
    ch4_uncertainty: float = float("nan")
    n2o_uncertainty: float = float("nan")

    @property
    def name(self) -> str:
        """The set as it should be cited, e.g. ``GWP100, AR6 WG1 Table 7.15``."""
        return f"GWP{self.horizon}, {self.table}"

    def of(self, species: str | Species, *, fossil: bool | None = None) -> float:
        """The potential of a gas.

        Parameters
        ----------
        species : str or Species
            CO2, CH4 or N2O, also as carbon or nitrogen.
        fossil : bool, optional
            Must be said for methane: the carbon of wetlands, lakes and thaw is not fossil.

        Raises
        ------
        UsageError
        """
        gas = _GASES.get(Species(species))
        if gas is None:
            raise UsageError(
                f"{Species(species).value!r} is not a greenhouse gas of this set", where=self.name,
                expected="CO2, CH4 or N2O, or CO2-C, CH4-C or N2O-N", todo="say which gas the carbon is in",
            )  # fmt: skip
        if gas is Species.CH4 and fossil is None:
            raise UsageError(
                "methane without its origin", where=self.name,
                expected="fossil=False for wetlands, lakes, fires and thaw, fossil=True for coal, oil and gas",
                todo="name the origin",
            )  # fmt: skip
        if gas is Species.CH4:
            return self.ch4_fossil if fossil else self.ch4_non_fossil
        return self.n2o if gas is Species.N2O else 1.0

    def co2_equivalent(
        self,
        value: float,
        species: str | Species,
        *,
        fossil: bool | None = None,
        target: str | Species = "CO2-eq",
    ) -> float:
        """A mass of a gas, or of its carbon or nitrogen, as a mass of CO2-equivalents.

        Parameters
        ----------
        value : float [any mass]
        species : str or Species
        fossil : bool, optional
            Must be said for methane.
        target : {"CO2-eq", "C"}
            ``C`` gives the carbon in that much CO2.

        Returns
        -------
        float [the same mass unit]

        Examples
        --------
        >>> round(gwp().co2_equivalent(38.0, "CH4-C", fossil=False), 2)
        1370.42
        """
        source = Species(species)
        gas = to_species(value, source, _GASES.get(source, source))
        equivalent = gas * self.of(source, fossil=fossil)
        if Species(target) is Species.CO2_EQ:
            return equivalent
        if Species(target) is Species.C:
            return equivalent * MOLAR_MASS["C"] / MOLAR_MASS["CO2"]
        raise UsageError(f"{target!r} is no equivalent", where=self.name, expected="'CO2-eq' or 'C'")


_AR6 = ("AR6 WG1 Table 7.15", "10.1017/9781009157896.009")
_AR5 = ("AR5 WG1 Table 8.7, without climate-carbon feedback", "10.1017/CBO9781107415324.018")
_AR4 = ("AR4 WG1 Table 2.14, one value for all methane", "")
# Fossil methane, other methane, nitrous oxide, then the half-widths of the 5 to 95 % ranges of the two gases.
_SETS = {
    (s.report, s.horizon): s
    for s in (
        WarmingPotentials("AR6", 100, *_AR6, 29.8, 27.0, 273.0, 11.0, 130.0),
        WarmingPotentials("AR6", 20, *_AR6, 82.5, 79.7, 273.0, 25.8, 118.0),
        WarmingPotentials("AR5", 100, *_AR5, 30.0, 28.0, 265.0),
        WarmingPotentials("AR5", 20, *_AR5, 85.0, 84.0, 264.0),
        WarmingPotentials("AR4", 100, *_AR4, 25.0, 25.0, 298.0),
        WarmingPotentials("AR4", 20, *_AR4, 72.0, 72.0, 289.0),
    )
}


def gwp(*, report: str = "AR6", horizon: int = 100) -> WarmingPotentials:
    """Global warming potentials by report and horizon.

    Parameters
    ----------
    report : {"AR6", "AR5", "AR4"}
    horizon : {100, 20}
        Years.

    Returns
    -------
    WarmingPotentials

    Raises
    ------
    UsageError
        When no such set is held. Several values go by the name of AR6: 27.0 and 29.8 of Table 7.15 are used, and not
        27.9 of Table 7.SM.7, which leaves out the CO2 that methane becomes.

    References
    ----------
    Forster et al. (2021), doi:10.1017/9781009157896.009; Myhre et al. (2013), doi:10.1017/CBO9781107415324.018;
    Forster et al. (2007), AR4 WG1 chapter 2.

    Examples
    --------
    >>> gwp().ch4_non_fossil, gwp(horizon=20).ch4_fossil, gwp().name
    (27.0, 82.5, 'GWP100, AR6 WG1 Table 7.15')
    """
    found = _SETS.get((report, horizon))
    if found is None:
        known = ", ".join(f"{r}/{h}" for r, h in _SETS)
        raise UsageError(
            f"there is no set of global warming potentials {report!r} over {horizon!r} years", where="gwp",
            expected=f"one of {known}", todo="name report and horizon; a plain 'GWP' has no value",
        )  # fmt: skip
    return found


@overload
def to_species(value: float, source: str | Species, target: str | Species) -> float: ...
@overload
def to_species(
    value: NDArray[np.float64], source: str | Species, target: str | Species
) -> NDArray[np.float64]: ...
def to_species(
    value: float | NDArray[np.float64], source: str | Species, target: str | Species
) -> float | NDArray[np.float64]:
    """A mass of one species as the mass of another with the same carbon or nitrogen.

    Parameters
    ----------
    value : float or numpy.ndarray [any mass]
    source, target : str or Species
        C, CO2-C, CH4-C, CO2, CH4, or N2O-N, N2O.

    Returns
    -------
    float or numpy.ndarray [the same mass unit]

    Raises
    ------
    UsageError
        When the two do not carry the same element, or one of them is CO2-eq, which needs a named set (`gwp`).

    Notes
    -----
    Molar masses C 12.011, CO2 44.009, CH4 16.043, N2O 44.013, N 14.007 g mol-1.

    Examples
    --------
    >>> round(to_species(38.0, "CH4-C", "CH4"), 4)
    50.7563
    """
    source, target = Species(source), Species(target)
    pair = _CARRIES.get(source), _CARRIES.get(target)
    if pair[0] is None or pair[1] is None or pair[0][0] != pair[1][0]:
        equivalents = Species.CO2_EQ in (source, target)
        raise UsageError(
            f"{source.value!r} cannot be converted to {target.value!r} by molar mass", where="to_species",
            expected="two species that carry the same element",
            todo="use gwp(report=..., horizon=...).co2_equivalent()" if equivalents else "see Species",
        )  # fmt: skip
    return value * (pair[1][1] / pair[0][1])
