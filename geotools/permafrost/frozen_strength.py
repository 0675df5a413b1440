"""Design strength of frozen soils against their temperature, after the Russian building code."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from geotools.errors import DataError, UsageError
from geotools.guards import Array, ensure_range

_TABLE_SOURCE = (
    "SNiP 2.02.04-88, appendix 2 (SP 25.13330.2012, annex V); recalled and not compared with the printed tables: "
    "override for anything but relative changes"
)
# Temperatures of the columns of the code's tables [degC].
_AT = (-0.3, -0.5, -1.0, -1.5, -2.0, -2.5, -3.0, -3.5, -4.0, -6.0, -8.0, -10.0)


@dataclass(frozen=True)
class FrozenStrength:
    """Design strength of a frozen soil against its temperature.

    Parameters
    ----------
    temperature : tuple of float [degC]
        From warm to cold.
    shear : tuple of float [kPa]
        Along the surface where pile and soil are frozen together (R_af).
    pressure : tuple of float [kPa]
        Below the end of the pile (R).
    freezing_point : float [degC]
        Above it nothing is borne; from the first temperature of the table to it strength falls linearly.
    source : str
        Where the numbers come from.

    Raises
    ------
    DataError
        When temperatures do not fall, or strength falls with them.
    UsageError
        When there are not as many values of each.
    """

    temperature: tuple[float, ...]
    shear: tuple[float, ...]
    pressure: tuple[float, ...]
    freezing_point: float = 0.0
    source: str = "given by the user"

    def __post_init__(self) -> None:
        rows = [np.asarray(v, dtype="float64") for v in (self.temperature, self.shear, self.pressure)]
        where = f"FrozenStrength ({self.source})"
        if rows[0].size < 2 or len({row.size for row in rows}) > 1:
            raise UsageError(
                f"{', '.join(str(row.size) for row in rows)} values of temperature, shear and pressure",
                where=where,
                expected="as many of each, at least two",
            )
        if np.any(np.diff(rows[0]) >= 0.0) or rows[0][0] >= self.freezing_point:
            raise DataError(
                f"temperatures {self.temperature} and a freezing point of {self.freezing_point:g} degC",
                where=where,
                expected="temperatures that fall, from below the freezing point",
                todo="sort the table from warm to cold",
            )
        for name, row in zip(("shear", "pressure"), rows[1:], strict=True):
            ensure_range(f"{where}, {name}", row, 0.0, 1e5, "kPa", todo="give kPa, not MPa or kgf cm-2")
            if np.any(np.diff(row) < 0.0):
                raise DataError(
                    f"a {name} strength that falls as the ground gets colder",
                    where=where,
                    expected="colder ground that is at least as strong",
                )

    def at(self, temperature: Array, strength: str) -> Array:
        """Strength [kPa] at temperatures [degC]: linear between columns of the table, and constant beyond its end."""
        values = (0.0, *getattr(self, strength))
        points = (self.freezing_point, *self.temperature)
        return np.asarray(np.interp(temperature, points[::-1], values[::-1]))


# Pressure is that below piles 10 m deep in ground with little ice (up to 0.2 of the volume): an end of 0.1 m2 carries
# about a tenth, so that the table for other depths would change little.
STRENGTHS: dict[str, FrozenStrength] = {
    "clay": FrozenStrength(
        _AT,
        (40.0, 60.0, 100.0, 130.0, 150.0, 180.0, 200.0, 230.0, 250.0, 300.0, 340.0, 380.0),
        (800.0, 850.0, 950.0, 1100.0, 1250.0, 1350.0, 1450.0, 1600.0, 1700.0, 2000.0, 2600.0, 3000.0),
        source=_TABLE_SOURCE,
    ),
    "sand": FrozenStrength(
        _AT,
        (50.0, 80.0, 130.0, 160.0, 200.0, 230.0, 260.0, 290.0, 330.0, 380.0, 440.0, 500.0),
        (1000.0, 1550.0, 1650.0, 1750.0, 2000.0, 2100.0, 2200.0, 2300.0, 2500.0, 3000.0, 3500.0, 4000.0),
        source=_TABLE_SOURCE,
    ),
}
