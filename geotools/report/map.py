"""The map of both basins with permafrost zones and the transect."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from geotools.report.style import GREY, INK, ORANGE, RC, VERMILION, ZONE_COLOURS, sources_line
from geotools.vocabulary import Zone

if TYPE_CHECKING:
    import geopandas as gpd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Equal-area, so that shares of the map are shares of the land.
_PROJECTION = "+proj=laea +lat_0=58 +lon_0=123 +datum=WGS84 +units=m"


@dataclass(frozen=True)
class MapLayers:
    """Lines and polygons under and over the field.

    Parameters
    ----------
    land, lakes, rivers, borders : geopandas.GeoDataFrame
    """

    land: gpd.GeoDataFrame
    lakes: gpd.GeoDataFrame
    rivers: gpd.GeoDataFrame
    borders: gpd.GeoDataFrame


def basin_map(
    zone: xr.DataArray,
    basins: gpd.GeoDataFrame,
    transect: gpd.GeoDataFrame,
    places: list[tuple[str, float, float]],
    layers: MapLayers,
    *,
    title: str,
    sources: str,
) -> Figure:
    """Draw permafrost zones, basins and the transect on an equal-area map.

    Parameters
    ----------
    zone : xarray.DataArray [lat, lon; class codes with CF flags]
        Permafrost zones, negative where there is no land.
    basins : geopandas.GeoDataFrame [index: key]
        Outlines. A key that holds ``_with_`` is drawn dashed, joined ones are left out by the caller.
    transect : geopandas.GeoDataFrame
        Swath polygons of the segments.
    places : list of (name, lat, lon)
        Vertices of the transect.
    layers : MapLayers
    title, sources : str

    Returns
    -------
    matplotlib.figure.Figure
    """
    import matplotlib as mpl
    from matplotlib.figure import Figure

    with mpl.rc_context(RC):
        figure = Figure(figsize=(7.2, 9.0))
        axes = figure.add_axes((0.02, 0.1, 0.96, 0.865))
        axes.set_facecolor("#e9eef2")
        extent = _extent(zone)
        layers.land.to_crs(_PROJECTION).plot(ax=axes, color="#f2f0ec", zorder=0)
        _zones(axes, zone)
        layers.lakes.to_crs(_PROJECTION).plot(
            ax=axes, color="#ffffff", edgecolor="#7aa6c2", linewidth=0.3, zorder=3
        )
        _rivers(axes, layers.rivers.to_crs(_PROJECTION))
        layers.borders.to_crs(_PROJECTION).plot(
            ax=axes, color=GREY, linewidth=0.7, linestyle=(0, (6, 2)), zorder=4
        )
        _coast(axes, layers.land)
        _basins(axes, basins)
        _transect(axes, transect, places)
        _graticule(axes, extent)
        axes.set_xlim(extent[0], extent[1])
        axes.set_ylim(extent[2], extent[3])
        axes.set_aspect("equal")
        axes.set_xlabel("")
        axes.set_ylabel("")
        axes.set_xticks([])
        axes.set_yticks([])
        for spine in axes.spines.values():
            spine.set_visible(True)
            spine.set_color(GREY)
        axes.set_title(title)
        _legend(axes, basins)
        sources_line(figure, sources, width=138)
    return figure


def _to_map(lon: Any, lat: Any) -> tuple[Any, Any]:
    from pyproj import Transformer

    return Transformer.from_crs("EPSG:4326", _PROJECTION, always_xy=True).transform(lon, lat)


def _extent(zone: xr.DataArray) -> tuple[float, float, float, float]:
    west, east = float(zone["lon"].min()), float(zone["lon"].max())
    south, north = float(zone["lat"].min()), float(zone["lat"].max())
    # Meridians converge: the frame is as wide as the field halfway up, and its lower corners are cut off.
    x, _ = _to_map(np.array([west, east]), np.full(2, 0.6 * south + 0.4 * north))
    _, y = _to_map(np.full(2, 123.0), np.array([south, north]))
    return float(x[0]), float(x[1]), float(y[0]) + 60_000, float(y[1])


def _coast(axes: Axes, land: gpd.GeoDataFrame) -> None:
    import shapely

    # The polygons are clipped to a box, whose edges are no coast.
    west, south, east, north = land.total_bounds
    inside = shapely.box(west + 0.02, south + 0.02, east - 0.02, north - 0.02)
    coast = land.boundary.intersection(inside)
    coast = coast[~coast.is_empty]
    if len(coast):
        coast.to_crs(_PROJECTION).plot(ax=axes, color="#555555", linewidth=0.4, zorder=4)


def _zones(axes: Axes, zone: xr.DataArray) -> None:
    from matplotlib.colors import BoundaryNorm, ListedColormap

    edges = [np.r_[v[0] - (v[1] - v[0]) / 2, (v[1:] + v[:-1]) / 2, v[-1] + (v[-1] - v[-2]) / 2] for v in
             (zone["lon"].values, zone["lat"].values)]  # fmt: skip
    x, y = _to_map(*np.meshgrid(*edges))
    meanings = str(zone.attrs["flag_meanings"]).split()
    codes = np.asarray(zone.attrs["flag_values"])
    colours = ListedColormap([ZONE_COLOURS[Zone(m)] for m in meanings])
    values = np.ma.masked_less(np.ma.masked_invalid(zone.transpose("lat", "lon").values), codes.min())
    norm = BoundaryNorm(np.r_[codes - 0.5, codes.max() + 0.5], colours.N)
    axes.pcolormesh(x, y, values, cmap=colours, norm=norm, zorder=1, rasterized=True)


def _rivers(axes: Axes, rivers: gpd.GeoDataFrame) -> None:
    rank = rivers["scalerank"].astype(float) if "scalerank" in rivers else np.full(len(rivers), 5.0)
    widths = np.clip(1.5 - 0.15 * np.asarray(rank), 0.3, 1.4)
    rivers.plot(ax=axes, color="#5aa9d6", linewidth=widths, zorder=3)


def _basins(axes: Axes, basins: gpd.GeoDataFrame) -> None:
    for key, row in basins.to_crs(_PROJECTION).iterrows():
        style = (0, (4, 2)) if "_with_" in str(key) else "solid"
        outline = basins.loc[[key]].to_crs(_PROJECTION).boundary
        outline.plot(ax=axes, color=INK, linewidth=1.4, linestyle=style, zorder=5)
        if "_with_" not in str(key):
            centre = row.geometry.representative_point()
            axes.annotate(
                str(row["name"]),
                (centre.x, centre.y),
                fontsize=12,
                fontstyle="italic",
                color=INK,
                ha="center",
                zorder=7,
                path_effects=_halo(),
            )


def _transect(axes: Axes, transect: gpd.GeoDataFrame, places: list[tuple[str, float, float]]) -> None:
    swath = transect.to_crs(_PROJECTION)
    swath.plot(ax=axes, facecolor=ORANGE, edgecolor="none", alpha=0.35, zorder=5)
    lon, lat = transect["lon"].to_numpy(), transect["lat"].to_numpy()
    x, y = _to_map(lon, lat)
    axes.plot(x, y, color=VERMILION, linewidth=1.6, zorder=6)
    for name, place_lat, place_lon in places:
        px, py = _to_map(place_lon, place_lat)
        axes.plot(px, py, "o", color="white", markeredgecolor=INK, markersize=4.5, zorder=8)
        axes.annotate(
            name,
            (px, py),
            xytext=(6, 2),
            textcoords="offset points",
            fontsize=7.5,
            zorder=9,
            path_effects=_halo(),
        )


def _halo() -> list[Any]:
    from matplotlib.patheffects import withStroke

    return [withStroke(linewidth=2.2, foreground="white")]


def _graticule(axes: Axes, extent: tuple[float, float, float, float]) -> None:
    for meridian in range(90, 161, 10):
        lat = np.linspace(35, 80, 120)
        x, y = _to_map(np.full_like(lat, meridian), lat)
        axes.plot(x, y, color="#999999", linewidth=0.35, zorder=2)
        i = int(np.argmin(np.abs(y - extent[2])))
        if extent[0] < x[i] < extent[1]:
            axes.annotate(
                f"{meridian}°E", (x[i], extent[2]), xytext=(2, 3), textcoords="offset points", fontsize=6.5
            )
    for parallel in range(40, 76, 5):
        lon = np.linspace(80, 165, 150)
        x, y = _to_map(lon, np.full_like(lon, parallel))
        axes.plot(x, y, color="#999999", linewidth=0.35, zorder=2)
        i = int(np.argmin(np.abs(x - extent[0])))
        if extent[2] < y[i] < extent[3]:
            axes.annotate(
                f"{parallel}°N", (extent[0], y[i]), xytext=(3, 2), textcoords="offset points", fontsize=6.5
            )


def _legend(axes: Axes, basins: gpd.GeoDataFrame) -> None:
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    limits = {
        Zone.CONTINUOUS: "continuous (90 % and more)", Zone.DISCONTINUOUS: "discontinuous (50-90 %)",
        Zone.SPORADIC: "sporadic (10-50 %)", Zone.ISOLATED: "isolated (1-10 %)", Zone.NONE: "none (under 1 %)",
    }  # fmt: skip
    handles: list[Any] = [
        Patch(facecolor=ZONE_COLOURS[z], edgecolor=GREY, linewidth=0.4, label=text)
        for z, text in limits.items()
    ]
    handles.append(Line2D([], [], color=INK, linewidth=1.4, label="basin"))
    if any("_with_" in str(k) for k in basins.index):
        handles.append(
            Line2D([], [], color=INK, linewidth=1.4, linestyle=(0, (4, 2)), label="with Kherlen and Hulun")
        )
    handles.append(Line2D([], [], color=VERMILION, linewidth=1.6, label="transect and its swath"))
    box = axes.legend(
        handles=handles, title="Permafrost zone\n(share of the area underlain)", loc="upper left", frameon=True,
        framealpha=0.93, edgecolor=GREY, alignment="left",
    )  # fmt: skip
    box.set_zorder(10)
