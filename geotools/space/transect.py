"""A transect: a line of geodesics, its segments, and the strip of land along it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import ArrayLike, NDArray

from geotools.errors import GeometryError, UsageError
from geotools.space.geodesy import GEOD, destination, distance
from geotools.space.legs import Place, nearest_on_legs, read_places
from geotools.space.routes import route
from geotools.space.stations import Stations, stations_along
from geotools.space.swath import leg_strips, without_double_cover

if TYPE_CHECKING:
    import xarray as xr

    from geotools.space.cache import Cache
    from geotools.space.overlap import Overlap
    from geotools.space.transect_extract import Source


class Transect:
    """Geodesics through some places, cut into segments with a strip on both sides.

    Parameters
    ----------
    points : sequence of (lat, lon) or str, or mapping of str to (lat, lon)
        At least two places in order [degrees_north, degrees_east]. Text is looked up in `places`.
    segment_length_km : float
        Wanted length of the segments. Each leg between two places is cut into equal segments of about that
        length, so that every place is an end of a segment.
    half_width_km : float
        How far the strip reaches on either side.
    name : str
    places : mapping of str to (lat, lon), optional
        Where named places lie.

    Raises
    ------
    GeometryError
        When a place is off the Earth or unknown, two in a row are the same, or the strip reaches a pole or
        the antimeridian.

    Examples
    --------
    >>> meridian = Transect([(45.8, 126.0), (72.5, 126.0)], name="meridian")
    >>> round(meridian.length_km), len(meridian.segments)
    (2974, 119)
    """

    def __init__(
        self,
        points: Sequence[Place] | Mapping[str, tuple[float, float]],
        *,
        segment_length_km: float = 25.0,
        half_width_km: float = 25.0,
        name: str = "transect",
        places: Mapping[str, tuple[float, float]] | None = None,
    ) -> None:
        for value, what in ((segment_length_km, "segment_length_km"), (half_width_km, "half_width_km")):
            if not (np.isfinite(value) and value > 0):
                raise UsageError(f"{what} is {value!r}", expected="a positive number of kilometres")
        self.name = name
        self.segment_length_km, self.half_width_km = float(segment_length_km), float(half_width_km)
        self._lat, self._lon, self._names = read_places(points, places or {})
        self._leg_m = distance(self._lat[:-1], self._lon[:-1], self._lat[1:], self._lon[1:])
        if (self._leg_m < 1.0).any():
            k = int(self._leg_m.argmin())
            raise GeometryError(
                f"places {k} and {k + 1} are the same: {self._lat[k]:g} N, {self._lon[k]:g} E",
                where=f"transect {name!r}",
                expected="consecutive places at least 1 m apart",
            )
        if not ((self._lon >= -180) & (self._lon <= 180)).all() or np.abs(np.diff(self._lon)).max() > 180:
            raise GeometryError(
                "the line crosses the antimeridian",
                where=f"transect {name!r}",
                expected="longitudes of -180 to 180 degrees without a leap",
            )

    @classmethod
    def named(cls, name: str, *, segment_length_km: float = 25.0, half_width_km: float = 25.0) -> Transect:
        """A route that goes by a name.

        Parameters
        ----------
        name : str
            ``harbin_tiksi``, from town to town through Heihe, Skovorodino, Tynda, Neryungri, Aldan, Yakutsk,
            Zhigansk and Kyusyur; or ``meridian_126e``, from 45.8 to 72.5 degrees north.
        segment_length_km, half_width_km : float
            As for any transect.

        Returns
        -------
        Transect

        Raises
        ------
        UsageError
            Naming the routes there are.

        Examples
        --------
        >>> Transect.named("meridian_126e", half_width_km=50)
        Transect('Meridian 126°E, 45.8 to 72.5°N', 2974 km, 2 places)
        """
        found = route(name)
        return cls(
            {place: (lat, lon) for place, lat, lon in found.points},
            segment_length_km=segment_length_km,
            half_width_km=half_width_km,
            name=found.title,
        )

    @cached_property
    def _start_m(self) -> NDArray[np.float64]:
        """Distance from the origin at which each place lies [place; m]."""
        return np.concatenate(([0.0], np.cumsum(self._leg_m)))

    @property
    def length_km(self) -> float:
        """Length along the geodesics [km]."""
        return float(self._start_m[-1] / 1000)

    @cached_property
    def vertices(self) -> gpd.GeoDataFrame:
        """The places: name, distance_km from the origin, and the point."""
        return gpd.GeoDataFrame(
            {"name": self._names, "distance_km": self._start_m / 1000},
            geometry=shapely.points(self._lon, self._lat),
            crs="EPSG:4326",
        )

    @cached_property
    def line(self) -> shapely.LineString:
        """The line in longitude and latitude, with a vertex every 5 km at most."""
        lat, lon = self._at(self._stations(5000.0))
        return shapely.LineString(np.column_stack((lon, lat)))

    def _stations(self, spacing_m: float) -> NDArray[np.float64]:
        """Distances that cut every leg into equal parts of at most some length; all places are among them."""
        parts = np.maximum(1, np.ceil(self._leg_m / spacing_m - 1e-9)).astype(int)
        legs = [
            np.linspace(start, start + leg, n, endpoint=False)
            for start, leg, n in zip(self._start_m, self._leg_m, parts, strict=False)
        ]
        return np.concatenate([*legs, self._start_m[-1:]])

    def _leg_of(self, along_m: NDArray[np.float64]) -> NDArray[np.int64]:
        leg = np.searchsorted(self._start_m, along_m, side="right") - 1
        return np.clip(leg, 0, self._leg_m.size - 1)

    def _at(self, along_m: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Latitude and longitude at distances from the origin."""
        leg = self._leg_of(along_m)
        return destination(self._lat[leg], self._lon[leg], self._azimuth[leg], along_m - self._start_m[leg])

    @cached_property
    def _azimuth(self) -> NDArray[np.float64]:
        """Azimuth at the start of each leg [leg; degrees]."""
        return np.asarray(GEOD.inv(self._lon[:-1], self._lat[:-1], self._lon[1:], self._lat[1:])[0])

    @cached_property
    def _arrival(self) -> NDArray[np.float64]:
        """Azimuth in which each leg arrives at its end [leg; degrees]."""
        back = np.asarray(GEOD.inv(self._lon[:-1], self._lat[:-1], self._lon[1:], self._lat[1:])[1])
        return back + 180.0

    @cached_property
    def segments(self) -> gpd.GeoDataFrame:
        """The segments, with their pieces of the strip as geometry.

        Returns
        -------
        geopandas.GeoDataFrame
            Indexed by `segment` from 0. Columns: distance_km (centre), distance_start_km, distance_end_km
            from the origin, lat and lon of the centre, and the polygon in EPSG:4326. Pieces do not overlap:
            at a bend they end on its bisector, and where a strip wider than its legs still meets itself the
            segment nearer the origin keeps the land.

        Raises
        ------
        GeometryError
            When the strip reaches a pole or the antimeridian, or a later part lies wholly in an earlier one.
        """
        turn = (self._azimuth[1:] - self._arrival[:-1] + 180.0) % 360.0 - 180.0
        bends = np.concatenate(([0.0], turn, [0.0]))
        strips, edges = [], []
        for leg, length in enumerate(self._leg_m):
            n = max(1, round(length / 1000 / self.segment_length_km))
            cuts = np.linspace(0.0, length, n + 1)
            strips += leg_strips(
                (self._lat[leg], self._lon[leg], self._azimuth[leg]),
                cuts,
                self.half_width_km * 1000,
                (bends[leg], bends[leg + 1]),
            )
            edges.append(cuts + self._start_m[leg])
        start = np.concatenate([e[:-1] for e in edges])
        end = np.concatenate([e[1:] for e in edges])
        centre = (start + end) / 2
        lat, lon = self._at(centre)
        return gpd.GeoDataFrame(
            {
                "distance_km": centre / 1000,
                "distance_start_km": start / 1000,
                "distance_end_km": end / 1000,
                "lat": lat,
                "lon": lon,
            },
            geometry=without_double_cover(strips, f"transect {self.name!r}"),
            index=pd.RangeIndex(start.size, name="segment"),
            crs="EPSG:4326",
        )

    @cached_property
    def swath(self) -> shapely.Geometry:
        """The whole strip in longitude and latitude."""
        # A tenth of a millimetre closes the hairlines between neighbours that a union would keep.
        return shapely.union_all(self.segments.geometry.array, grid_size=1e-9)

    def points(self, spacing_km: float = 10.0) -> gpd.GeoDataFrame:
        """Points along the line.

        Parameters
        ----------
        spacing_km : float
            Distance from point to point along the geodesics; the end of the line is added.

        Returns
        -------
        geopandas.GeoDataFrame
            Columns distance_km, lat, lon and the point.
        """
        if not spacing_km > 0:
            raise UsageError(f"spacing_km is {spacing_km!r}", expected="a positive number of kilometres")
        along = np.arange(0.0, self._start_m[-1] - 1.0, spacing_km * 1000)
        along = np.concatenate((along, self._start_m[-1:]))
        lat, lon = self._at(along)
        return gpd.GeoDataFrame(
            {"distance_km": along / 1000, "lat": lat, "lon": lon},
            geometry=shapely.points(lon, lat),
            crs="EPSG:4326",
        )

    def project(self, lat: ArrayLike, lon: ArrayLike) -> pd.DataFrame:
        """Where places such as stations lie along the line and beside it.

        Parameters
        ----------
        lat, lon : array_like [place; degrees]

        Returns
        -------
        pandas.DataFrame
            `distance_km` from the origin of the nearest point of the line; `offset_km` from there, positive
            to the right; `beside`, whether a perpendicular of the line meets the place. Off a bend or beyond
            an end of the line there is none, and the nearest point is the bend or the end.
        """
        lat, lon = np.atleast_1d(np.asarray(lat, "float64")), np.atleast_1d(np.asarray(lon, "float64"))
        leg, along, across, beside = nearest_on_legs(
            (self._lat[:-1], self._lon[:-1], self._azimuth), self._leg_m, lat, lon
        )
        distance_km = (self._start_m[leg] + along) / 1000
        return pd.DataFrame({"distance_km": distance_km, "offset_km": across / 1000, "beside": beside})

    def stations(self, table: pd.DataFrame, *, buffer_km: float = 50.0) -> Stations:
        """Stations near the line with their distance along it and beside it, and those that lie too far off.

        Parameters
        ----------
        table : pandas.DataFrame
            Columns `lat` and `lon` [degrees]; any others, such as name, variable, value and year, are kept. A
            station may have many rows.
        buffer_km : float
            How far from the line a station may lie.

        Returns
        -------
        Stations
            `within` and `outside`: the rows with `distance_km`, `offset_km` and `beside` of `project`, and
            `segment`, the number of the segment at that distance (-1 outside). Beyond an end of the line the
            offset is the distance to that end.

        Raises
        ------
        UsageError
            When a column is missing or the buffer is no positive number.
        DataError
            When a station has no place on Earth.
        """
        return stations_along(self, table, buffer_km)

    def extract(
        self,
        data: Source,
        *,
        statistics: Sequence[str] = ("mean", "median", "p10", "p90", "sd"),
        min_coverage: float = 0.5,
        overlap: Overlap | None = None,
        cache: Cache = None,
    ) -> xr.Dataset:
        """Statistics of gridded data in every segment of the strip.

        Parameters
        ----------
        data : xarray.Dataset, DataArray or mapping of str to DataArray [any dims, y, x; any units]
            Continuous variables, classes (`flag_values`) and amounts per cell. Those of a mapping may lie on grids of
            their own; variables of a dataset without its two axes are passed over.
        statistics : sequence of str
            Of continuous variables: mean, median, sd, minimum, maximum, p1 to p99; all weighted by area, but for the
            extremes. Classes give the share of each class and amounts their sum.
        min_coverage : float
            Segments of which a smaller share has data become missing.
        overlap : Overlap, optional
            Of this transect with the grid of all variables, where there is one already.
        cache : path or False, optional
            As for `Overlap.between`.

        Returns
        -------
        xarray.Dataset [any dims, segment]
            For each variable `<name>_<statistic>` [units of the variable; K for the sd of a temperature], or
            `<name>_fraction` [``<name>_class``, segment; 1], or `<name>_sum`; `<name>_coverage`, the share of the
            segment with data [1]; and `<name>_cells`, the number of cells with data that it touches.
            Coordinates `distance_km` (with bounds), `lat` and `lon` of the middle; `segment_area` [m2]. Lazy for
            lazy data. CF attributes are those of the variable, with what was done to it in `cell_methods`;
            quantiles have no word in CF.

        Raises
        ------
        UsageError
            When a statistic is unknown, or nothing lies on a grid.
        DataError, CRSError
            When a grid cannot be read, classes have no meaning, or two variables have different times or depths.
        """
        from geotools.space.transect_extract import extract

        return extract(
            self, data, statistics=statistics, min_coverage=min_coverage, overlap=overlap, cache=cache
        )

    def sample(
        self,
        data: Source,
        *,
        spacing_km: float = 10.0,
        min_coverage: float = 0.5,
    ) -> xr.Dataset:
        """Values of gridded data at points of the line.

        Parameters
        ----------
        data : xarray.Dataset, DataArray or mapping of str to DataArray [any dims, y, x; any units]
            Continuous variables and classes.
        spacing_km : float
            From point to point along the geodesics.
        min_coverage : float
            Points whose cells with data hold a smaller share of the weight become missing.

        Returns
        -------
        xarray.Dataset [any dims, point; units of the variables]
            Bilinear between the centres of cells larger than the spacing (root of their area), the mean within half a
            spacing of smaller ones (and within half a cell of curvilinear ones), and of classes that of the cell that
            holds the point; `comment` of each variable says which. Coordinates `distance_km`, `lat`, `lon`. Lazy for
            lazy data.

        Raises
        ------
        UsageError
            For amounts per cell, which no point has, and when nothing lies on a grid.
        DataError, CRSError
            As for `extract`.
        """
        from geotools.space.transect_extract import sample

        return sample(self, data, spacing_km=spacing_km, min_coverage=min_coverage)

    def __repr__(self) -> str:
        return f"Transect({self.name!r}, {self.length_km:.0f} km, {self._lat.size} places)"
