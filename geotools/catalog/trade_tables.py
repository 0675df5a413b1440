"""Bundled tables of Russia-China trade, intensities and emissions, hand-compiled with a reference per row."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from geotools.catalog.keys import require_known
from geotools.catalog.locations import data_dir
from geotools.catalog.readers import table

if TYPE_CHECKING:
    import pandas as pd

# Their names in the catalogue.
TRADE_TABLES = (
    "trade_national", "trade_sector_shares", "trade_intensities", "sector_bridge", "fx", "regional_emissions",
    "regional_anchors", "trade_supply_chains",
)  # fmt: skip
_NOTES = ("status", "confidence", "note")


def national_trade(path: Path | None = None) -> pd.DataFrame:
    """National trade between Russia and China by reporter, flow, year and vintage.

    Parameters
    ----------
    path : pathlib.Path, optional
        A table of your own with the same columns; the bundled one when absent.

    Returns
    -------
    pandas.DataFrame
        `value` in `unit`, with `price_basis` and `reference`. Flows are ``RU_to_CN``, ``CN_to_RU`` and ``turnover``.

    Raises
    ------
    DataError
        When columns are missing, a number is text, or a key stands twice.
    """
    text = ("reporter", "flow", "vintage", "unit", "price_basis", "reference", *_NOTES)
    return _read(path, "national_trade", ("reporter", "flow", "year", "vintage"), text, ("year", "value"))


def sector_shares(path: Path | None = None) -> pd.DataFrame:
    """Shares [1] of the sectors in the exports of each country to the other.

    Parameters
    ----------
    path : pathlib.Path, optional

    Returns
    -------
    pandas.DataFrame
        One row per exporter, importer, year and sector.

    Raises
    ------
    DataError
    """
    text = ("exporter", "importer", "sector", "label", "hs_chapters", "reference", *_NOTES)
    return _read(path, "sector_shares", ("exporter", "importer", "year", "sector"), text, ("year", "share"))


def sector_intensities(path: Path | None = None) -> pd.DataFrame:
    """Direct and total domestic CO2 per gross output of 2011 [kg CO2/USD of 2011] by WIOD sector.

    Parameters
    ----------
    path : pathlib.Path, optional

    Returns
    -------
    pandas.DataFrame
        One row per country and sector; `direct` is blank where a sector has no emissions of its own in the source.

    Raises
    ------
    DataError
    """
    text = ("country", "scheme", "sector", "label", "unit", "source", *_NOTES)
    numbers = ("year", "price_year", "direct", "total_domestic")
    return _read(path, "sector_intensities", ("country", "scheme", "sector", "year"), text, numbers)


def supply_chains(path: Path | None = None) -> pd.DataFrame:
    """Where in the exporter's economy the emissions of a traded sector arise.

    Parameters
    ----------
    path : pathlib.Path, optional

    Returns
    -------
    pandas.DataFrame
        One row per country, traded sector and emitting sector with its `share` [1] of the total domestic intensity;
        emitting sectors of less than 0.5 % stand together as ``rest``.

    Raises
    ------
    DataError
    """
    key = ("country", "scheme", "sector", "emitting_sector")
    return _read(path, "supply_chains", key, (*key, "source", "status"), ("share", "year"))


def sector_bridge(
    from_scheme: str | None = None, to_scheme: str | None = None, *, path: Path | None = None
) -> pd.DataFrame:
    """Weights [1] from the sectors of one scheme to those of another.

    Parameters
    ----------
    from_scheme, to_scheme : str, optional
        ``fcs_group`` to ``wiod35``, or ``hs_sector`` to ``fcs_group``; all rows when absent.
    path : pathlib.Path, optional

    Returns
    -------
    pandas.DataFrame
        One row per exporter (blank for any), code and target; the weights of a code sum to 1.

    Raises
    ------
    UsageError
        When there is no such scheme.
    DataError
    """
    key = ("exporter", "from_scheme", "from_code", "to_scheme", "to_code")
    frame = _read(path, "sector_bridge", key, (*key, "reference", "status", "note"), ("weight",))
    for column, wanted in (("from_scheme", from_scheme), ("to_scheme", to_scheme)):
        if wanted is not None:
            require_known(
                [wanted],
                frame[column],
                what=f"{column.replace('_', ' ')} of sectors",
                where="sector_bridge",
                todo="use a scheme that the table has",
            )
            frame = frame[frame[column] == wanted]
    return frame.reset_index(drop=True)


def exchange_rates(path: Path | None = None) -> pd.DataFrame:
    """Annual means of local currency per USD, with the number of daily quotes behind them.

    Parameters
    ----------
    path : pathlib.Path, optional

    Returns
    -------
    pandas.DataFrame
        One row per currency and year. Means of fewer than 200 quotes are kept and refused where they are used.

    Raises
    ------
    DataError
    """
    text = ("currency", "kind", "reference", *_NOTES)
    return _read(path, "fx", ("currency", "year"), text, ("year", "lcu_per_usd", "n_obs"))


def regional_emissions(path: Path | None = None, *, regions: Sequence[str] | None = None) -> pd.DataFrame:
    """CO2 of the regions that touch the basins, of their nations, and of what is left of these.

    Parameters
    ----------
    path : pathlib.Path, optional
    regions : sequence of str, optional
        Some codes only, such as ``RU-SA``, ``CN``, or ``RU-_X`` for the remainder.

    Returns
    -------
    pandas.DataFrame
        One row per region and year: `value` in `unit`, `role` (nation, region, remainder), `coverage`, `source`.

    Raises
    ------
    UsageError
        When a code is not in the table.
    DataError
    """
    text = ("region", "country", "role", "unit", "coverage", "source", "doi", *_NOTES)
    frame = _read(path, "regional_emissions", ("region", "year"), text, ("year", "value"))
    if regions is not None:
        require_known(
            regions,
            frame["region"],
            what="region of the emission table",
            where="regional_emissions",
            todo="use a code of a region that touches the basins, or the remainder RU-_X or CN-_X",
        )
        frame = frame[frame["region"].isin(list(regions))].reset_index(drop=True)
    return frame


def regional_anchors(path: Path | None = None) -> pd.DataFrame:
    """Published trade of single regions with the partner country, beside the national figure of the year.

    Parameters
    ----------
    path : pathlib.Path, optional

    Returns
    -------
    pandas.DataFrame
        One row per region, partner, year and flow.

    Raises
    ------
    DataError
    """
    text = ("region", "partner", "flow", "unit", "national_unit", "national_reporter", "reference", *_NOTES)
    numbers = ("year", "value", "national_value")
    return _read(path, "regional_anchors", ("region", "partner", "year", "flow"), text, numbers)


def _read(
    path: Path | None, name: str, key: tuple[str, ...], text: tuple[str, ...], numbers: tuple[str, ...]
) -> pd.DataFrame:
    path = path or data_dir() / "trade" / f"{name}.csv"
    return table.read(path, key=key, columns=(*text, *numbers), numbers=numbers, text=text)
