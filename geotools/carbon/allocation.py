"""Shares of regions in zones and cells by weights; the amount of every region is preserved."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import shapely
import xarray as xr

from geotools.errors import DataError, UsageError
from geotools.space import Grid, Overlap, check_zones, intersections
from geotools.units import times_area

if TYPE_CHECKING:
    import pandas as pd

_POPULATION = "population of towns"


@dataclass(frozen=True)
class TownShares:
    """Which share of each region's amount lies in each zone.

    Parameters
    ----------
    share : pandas.DataFrame [region x zone; 1]
    by_area : pandas.DataFrame [region x zone; 1]
        The same by area alone.
    area_fraction : pandas.DataFrame [region x zone; 1]
        Share of the zone's area that lies in the region.
    fallback : pandas.Series [region]
        True where all weights were zero and the share is that of the area.
    proxy : str
        What the weights are.
    """

    share: pd.DataFrame
    by_area: pd.DataFrame
    area_fraction: pd.DataFrame
    fallback: pd.Series
    proxy: str

    def outside(self, *zones: str) -> pd.Series:
        """Share of each region in none of some zones that share no land [region; 1]."""
        return 1.0 - self.share[list(zones)].sum(axis=1)

    def with_whole(self, name: str, zones: Sequence[str], areas: Sequence[float]) -> TownShares:
        """The same with one more zone that is made of others which share no land.

        Parameters
        ----------
        name : str
        zones : sequence of str
        areas : sequence of float [m2]
            Of those zones.
        """
        weight = np.asarray(areas, dtype="float64") / np.sum(areas)
        return TownShares(
            self.share.assign(**{name: self.share[list(zones)].sum(axis=1)}),
            self.by_area.assign(**{name: self.by_area[list(zones)].sum(axis=1)}),
            self.area_fraction.assign(**{name: self.area_fraction[list(zones)] @ weight}),
            self.fallback,
            self.proxy,
        )


def region_zone_shares(
    regions: gpd.GeoDataFrame,
    zones: gpd.GeoDataFrame,
    weights: gpd.GeoDataFrame | xr.DataArray | None = None,
    *,
    column: str = "population",
) -> TownShares:
    """Shares of regions in zones by the weights that lie in region and zone both.

    Parameters
    ----------
    regions : geopandas.GeoDataFrame [index: region]
    zones : geopandas.GeoDataFrame [index: zone]
        May nest and overlap.
    weights : geopandas.GeoDataFrame or xarray.DataArray, optional
        Points with the weight in `column`, such as towns, or a field on a grid that holds the regions (a density, or an
        amount per cell). Points may name their `region`, which then counts more than where they lie, so that a town on
        a border is not lost. Without weights, by area.
    column : str

    Returns
    -------
    TownShares

    Raises
    ------
    DataError
        When weights are negative or missing, or a region leaves the grid of the weights.

    Notes
    -----
    ``s_r,z = sum of w in r and z / sum of w in r``, through the intersection of region and zone. The product of the
    coverages of a cell by region and by zone would take land of both in one cell for shared land.
    """
    import pandas as pd

    regions, zones = check_zones(regions), check_zones(zones)
    shared = intersections(regions, zones, dims=("region", "zone"))
    by_area = _table(shared / shared["area_a"], regions, zones)
    area_fraction = _table(shared / shared["area_b"], regions, zones)
    if weights is None:
        inside, whole, proxy = by_area, pd.Series(1.0, index=by_area.index), "area"
    elif isinstance(weights, xr.DataArray):
        inside, whole = _by_field(regions, zones, weights)
        proxy = str(weights.attrs.get("long_name") or weights.name or "weights on a grid")
    else:
        inside, whole = _by_points(regions, zones, weights, column)
        proxy = _POPULATION if column == "population" else column
    fallback = whole <= 0
    share = inside.div(whole.where(~fallback, 1.0), axis=0)
    share = share.mask(fallback, by_area)
    return TownShares(share, by_area, area_fraction, fallback, proxy)


def spread_to_cells(
    emissions: pd.Series,
    regions: gpd.GeoDataFrame,
    grid: Grid,
    weights: gpd.GeoDataFrame | None = None,
    *,
    column: str = "population",
    units: str = "Tg yr-1",
) -> xr.Dataset:
    """Spread amounts of regions over the cells of a grid by points.

    Parameters
    ----------
    emissions : pandas.Series [region; `units`]
    regions : geopandas.GeoDataFrame [index: region]
    grid : Grid
    weights : geopandas.GeoDataFrame, optional
        Points such as towns; by area when absent.
    column : str
        Weight of a point.
    units : str
        Of the emissions.

    Returns
    -------
    xarray.Dataset
        `emissions` [y, x; units, per cell], `outside` [region; units], the part of each region that lies beyond the
        grid, and `fallback` [region]. Cells and `outside` together hold all that was given.

    Raises
    ------
    DataError
        When an amount or weight is negative or missing, or a region has no polygon.
    """
    import pandas as pd

    amounts = emissions.astype("float64")
    if not (amounts >= 0).all():
        raise DataError("emissions are negative or missing", where="spread_to_cells", expected="0 or more")
    unknown = [r for r in amounts.index if r not in regions.index]
    if unknown:
        raise DataError(f"no polygon for {', '.join(map(str, unknown[:5]))}", where="spread_to_cells",
                        expected="a polygon for every region")  # fmt: skip
    chosen = check_zones(regions.loc[list(amounts.index)].rename_axis("region"))
    cells, outside = np.zeros(grid.size), amounts.copy()
    fallback = amounts.notna()
    if weights is not None:
        points = _located(weights, chosen, column)
        whole = points.groupby("region")[column].sum().reindex(amounts.index, fill_value=0.0)
        fallback = whole <= 0
        points = points[points["region"].isin(amounts.index[~fallback])]
        if len(points):
            home = points["region"]
            part = amounts[home].to_numpy() * points[column].to_numpy() / whole[home].to_numpy()
            incidence = Overlap.between(gpd.GeoDataFrame(geometry=points.geometry), grid).area.tocoo()
            on, cell = incidence.coords
            np.add.at(cells, cell, part[on])
            landed = pd.Series(part[on]).groupby(home.to_numpy()[on]).sum()
            outside -= landed.reindex(amounts.index, fill_value=0.0)
    if fallback.any():
        by_area = amounts[fallback]
        overlap = Overlap.between(chosen.loc[by_area.index], grid, zone_dim="region")
        for i, region in enumerate(by_area.index):
            row = overlap.area[[i]].toarray().ravel() / float(overlap.zone_areas[i])
            cells += by_area[region] * row
            outside[region] = by_area[region] * (1 - row.sum())
    attrs = {"units": units, "cell_methods": "area: sum", "long_name": "territorial emissions per cell"}
    named = {"region": list(map(str, amounts.index))}
    return xr.Dataset(
        {
            "emissions": grid.wrap(cells.reshape(grid.shape)).assign_attrs(attrs),
            "outside": ("region", outside.to_numpy(), {"units": units, "long_name": "beyond the grid"}),
            "fallback": ("region", fallback.to_numpy(), {"long_name": "split by area for want of weights"}),
        },
        coords=named,
    )


def _table(values: xr.DataArray, regions: gpd.GeoDataFrame, zones: gpd.GeoDataFrame) -> pd.DataFrame:
    import pandas as pd

    return pd.DataFrame(values.values, index=regions.index, columns=zones.index)


def _by_points(
    regions: gpd.GeoDataFrame, zones: gpd.GeoDataFrame, points: gpd.GeoDataFrame, column: str
) -> tuple[pd.DataFrame, pd.Series]:
    located = _located(points, regions, column)
    whole = located.groupby("region")[column].sum().reindex(regions.index, fill_value=0.0)
    # Strictly inside, so that a point on the border of two zones cannot count in both.
    frame = zones[["geometry"]].rename_axis("zone")
    pairs = gpd.sjoin(located, frame.to_crs(located.crs), predicate="within")
    inside = pairs.pivot_table(index="region", columns="zone", values=column, aggfunc="sum")
    return inside.reindex(index=regions.index, columns=zones.index).fillna(0.0), whole


def _located(points: gpd.GeoDataFrame, regions: gpd.GeoDataFrame, column: str) -> gpd.GeoDataFrame:
    """Points with a region: the one they name, else the one they lie in."""
    if column not in points:
        raise UsageError(
            f"the points have no column {column!r}", expected=f"one of {', '.join(points.columns)}"
        )
    if not (points[column] >= 0).all():
        raise DataError("weights are negative or missing", where=column, expected="weights of 0 or more",
                        todo="mend the column")  # fmt: skip
    out = points[[column, "geometry"]].copy()
    out[column] = out[column].astype("float64")
    out["region"] = points.get("region")
    lost = out["region"].isna()
    if lost.any():
        frame = regions[["geometry"]].rename_axis("region_found")
        found = gpd.sjoin(out.loc[lost, ["geometry"]], frame.to_crs(out.crs), predicate="within")[
            "region_found"
        ]
        found = found[~found.index.duplicated()]
        out.loc[found.index, "region"] = found
    return out[out["region"].notna()]


def _by_field(
    regions: gpd.GeoDataFrame, zones: gpd.GeoDataFrame, field: xr.DataArray
) -> tuple[pd.DataFrame, pd.Series]:
    import pandas as pd

    if not (field.fillna(0.0) >= 0).all():
        raise DataError("weights are negative", where=str(field.name), expected="weights of 0 or more")
    filled = field.fillna(0.0).assign_attrs(field.attrs)
    grid = Grid.from_dataarray(field)
    whole = _integral(regions.geometry.rename_axis("zone"), filled, grid)
    left, right = shapely.STRtree(zones.geometry.values).query(
        regions.geometry.values, predicate="intersects"
    )
    pieces, places = [], []
    plane = zones.to_crs(regions.crs)
    for i, j in zip(left, right, strict=True):
        piece = shapely.intersection(regions.geometry.iloc[i], plane.geometry.iloc[j])
        # Where polygons only touch, lines and points are left.
        polygons = [p for p in shapely.get_parts(piece) if shapely.area(p) > 0]
        if polygons:
            pieces.append(shapely.union_all(polygons))
            places.append((i, j))
    inside = np.zeros((len(regions), len(zones)))
    if pieces:
        series = gpd.GeoSeries(pieces, crs=regions.crs).rename_axis("zone")
        for (i, j), value in zip(places, _integral(series, filled, grid), strict=True):
            inside[i, j] = value
    return (
        pd.DataFrame(inside, index=regions.index, columns=zones.index),
        pd.Series(whole, index=regions.index),
    )


def _integral(shapes: gpd.GeoSeries, field: xr.DataArray, grid: Grid) -> np.ndarray:
    overlap = Overlap.between(gpd.GeoDataFrame(geometry=shapes), grid)
    if "area: sum" in str(field.attrs.get("cell_methods", "")):
        total = overlap.sum(field)
    else:
        times_area(str(field.attrs.get("units", "")))
        total = overlap.total(field)
    covered = total["covered_fraction"].values
    if (covered < 1 - 1e-6).any():
        raise DataError(
            "a region leaves the grid of the weights", where=str(field.name),
            expected="weights everywhere in the regions, or their shares would not add up",
            todo="use weights on a larger grid, or towns",
        )  # fmt: skip
    return np.asarray(total.values)
