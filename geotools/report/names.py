"""What zones, terms, variables, accounts and tiers are called on the page."""

from __future__ import annotations

import re
from functools import lru_cache

from geotools.vocabulary import Account, Tier

_ZONES = {
    "lena": "Lena",
    "amur": "Amur (Heilongjiang)",
    "amur_with_kherlen": "Amur with Kherlen and Hulun",
    "lena_amur": "Lena and Amur joined",
    "transect_swath": "Whole swath of the transect",
}
_TERMS = {
    "doc_export": "Dissolved organic carbon (DOC) export",
    "dic_export": "Dissolved inorganic carbon (DIC) export",
    "poc_export": "Particulate organic carbon (POC) export",
    "toc_export": "Total organic carbon (TOC) export",
    "inland_water_evasion": "Evasion from inland waters",
    "fire_emission": "Fire emission",
    "net_biome_exchange": "Net biome exchange (positive to the atmosphere)",
    "net_biome_production": "Net biome production (positive to the land)",
    "net_carbon_exchange": "Net carbon exchange, natural and territorial (positive to the atmosphere)",
    "territorial_emissions": "Territorial emissions, all terms",
    "soil_organic_carbon": "Soil organic carbon",
    "drainage_area": "Drainage area",
    "permafrost_area": "Permafrost area",
    "permafrost_region_area": "Area of the permafrost region",
    "permafrost_fraction_total": "Share underlain by permafrost",
    "permafrost_fraction_continuous": "Share in the continuous zone",
    "mean_annual_ground_temperature": "Ground temperature, mean annual",
    "active_layer_thickness": "Active-layer thickness",
    "snow_water_storage_max": "Largest snow water storage",
}
ACCOUNTS = {
    Account.NATURAL: "Natural exchange with the atmosphere (positive to the atmosphere)",
    Account.LATERAL: "Lateral export by the river (positive out of the zone)",
    Account.TERRITORIAL: "Territorial emissions (positive to the atmosphere)",
    Account.PRODUCTION: "Production-based emissions",
    Account.CONSUMPTION: "Consumption-based emissions (never summed)",
    Account.EMBODIED_DIRECT: "Embodied in trade, direct (never summed)",
    Account.EMBODIED_EEBT: "Embodied in trade, EEBT (never summed)",
    Account.EMBODIED_MRIO: "Embodied in trade, MRIO (never summed)",
    Account.MEMO: "For information (never summed)",
}
TIERS = {
    Tier.OBSERVED: "Measured at the ground or from space, and summarised here.",
    Tier.PUBLISHED: "Taken from a publication with its reference; not computed in this run.",
    Tier.MODELLED: "Computed by a model, in this run or behind one of its inputs (a reanalysis is a model too).",
    Tier.SCALED: "A flux per area from elsewhere times an area in the zone.",
    Tier.PROXIED: "A total split by something that stands in for it, such as population.",
}
_REGION = re.compile(r"(RU|CN|MN)(-[A-Z0-9_]{1,4})?")
_COUNTRIES = {"RU": "Russia", "CN": "China", "MN": "Mongolia"}


def is_region(zone: str) -> bool:
    """Whether a key is that of a country or of one of its regions."""
    return _REGION.fullmatch(zone) is not None


@lru_cache(maxsize=1)
def _regions() -> dict[str, str]:
    from geotools.catalog import admin_regions

    return {str(k): str(v) for k, v in admin_regions()["name"].items()}


def zone_name(zone: str) -> str:
    """A zone as a reader calls it.

    Examples
    --------
    >>> zone_name("lena"), zone_name("my_catchment"), zone_name("RU-_X")
    ('Lena', 'my_catchment', 'Rest of Russia')
    """
    if zone in _ZONES:
        return _ZONES[zone]
    if is_region(zone):
        if zone in _COUNTRIES:
            return _COUNTRIES[zone]
        if zone.endswith("-_X"):
            return f"Rest of {_COUNTRIES[zone[:2]]}"
        return _regions().get(zone, zone)
    return zone


def term_name(term: str) -> str:
    """A term as a reader calls it.

    Examples
    --------
    >>> term_name("doc_export"), term_name("lake_ch4_emission")
    ('Dissolved organic carbon (DOC) export', 'Lake CH₄ emission')
    """
    if term in _TERMS:
        return _TERMS[term]
    words = [
        {"ch4": "CH₄", "co2": "CO₂", "n2o": "N₂O", "doc": "DOC", "dic": "DIC", "poc": "POC", "toc": "TOC"}.get(w, w)
        for w in term.split("_")
    ]  # fmt: skip
    text = " ".join(words)
    return text[:1].upper() + text[1:]


def account_name(account: str) -> str:
    """The heading under which rows of an account stand."""
    return ACCOUNTS.get(Account(account), account) if account in set(Account) else account or "Stocks"
