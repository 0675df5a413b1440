"""Routes from China to the Arctic Ocean that go by a name."""

from __future__ import annotations

from dataclasses import dataclass

from geotools.errors import UsageError


@dataclass(frozen=True)
class Route:
    """A named line.

    Parameters
    ----------
    title : str
    points : tuple of (name, lat, lon) [degrees_north, degrees_east]
    """

    title: str
    points: tuple[tuple[str, float, float], ...]


ROUTES = {
    # Coordinates of GeoNames, but for Kyusyur, which it lacks as a town, and Tiksi, which it puts 6 km into the hills.
    "harbin_tiksi": Route(
        "Harbin to Tiksi",
        (
            ("Harbin", 45.75, 126.65),
            ("Heihe", 50.25, 127.50),
            ("Skovorodino", 53.98, 123.94),
            ("Tynda", 55.15, 124.72),
            ("Neryungri", 56.66, 124.72),
            ("Aldan", 58.61, 125.39),
            ("Yakutsk", 62.03, 129.73),
            ("Zhigansk", 66.77, 123.37),
            ("Kyusyur", 70.68, 127.37),
            ("Tiksi", 71.64, 128.87),
        ),
    ),
    # From the latitude of Harbin to the mouths of the Lena without leaving a meridian: nothing but latitude changes.
    "meridian_126e": Route(
        "Meridian 126°E, 45.8 to 72.5°N", (("45.8°N", 45.8, 126.0), ("72.5°N", 72.5, 126.0))
    ),
}


def route(name: str) -> Route:
    """The route of a name.

    Raises
    ------
    UsageError
        Naming those there are.
    """
    if name not in ROUTES:
        raise UsageError(f"there is no route {name!r}", expected=f"one of {', '.join(ROUTES)}")
    return ROUTES[name]
