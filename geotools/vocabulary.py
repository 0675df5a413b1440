"""The enumerations every table of geotools draws from."""

from __future__ import annotations

from enum import StrEnum


class Account(StrEnum):
    """To which set of books a row belongs; rows of different accounts are never added."""

    NATURAL = "natural"
    LATERAL = "lateral"
    TERRITORIAL = "territorial"
    PRODUCTION = "production"
    CONSUMPTION = "consumption"
    EMBODIED_DIRECT = "embodied_direct"
    EMBODIED_EEBT = "embodied_eebt"
    EMBODIED_MRIO = "embodied_mrio"
    MEMO = "memo"


class Species(StrEnum):
    """What a mass is a mass of. Carbon and carbon dioxide are different species."""

    C = "C"
    CO2_C = "CO2-C"
    CH4_C = "CH4-C"
    CO2 = "CO2"
    CH4 = "CH4"
    N2O_N = "N2O-N"
    N2O = "N2O"
    CO2_EQ = "CO2-eq"
    WATER = "H2O"
    NONE = ""


class Tier(StrEnum):
    """How a value came about."""

    OBSERVED = "observed"
    PUBLISHED = "published"
    MODELLED = "modelled"
    SCALED = "scaled"
    PROXIED = "proxied"


class Interval(StrEnum):
    """What a published interval is, before its conversion to 95 %."""

    CI95 = "ci95"
    SD = "sd"
    SE = "se"
    RANGE = "range"
    EXPERT_RANGE = "expert_range"
    NONE = "none"


class Zone(StrEnum):
    """Permafrost zones after Brown et al. (1997) and Obu et al. (2019), by probability."""

    NONE = "none"
    ISOLATED = "isolated"
    SPORADIC = "sporadic"
    DISCONTINUOUS = "discontinuous"
    CONTINUOUS = "continuous"


class Kind(StrEnum):
    """What a field is per cell, which decides how it may be aggregated."""

    INTENSIVE = "intensive"
    DENSITY = "density"
    AMOUNT = "amount"
    CLASS = "class"


# Rows of these accounts leave or enter the books only as information; no sum takes them in.
NEVER_SUMMED = frozenset(
    {Account.MEMO, Account.CONSUMPTION, Account.EMBODIED_DIRECT, Account.EMBODIED_EEBT, Account.EMBODIED_MRIO}
)
