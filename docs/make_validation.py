"""Write docs/validation.md: a finished default run beside maps, stations and published numbers.

    geotools run --out RUN
    python docs/make_validation.py RUN

The observations are not part of the project. They are looked for in `--data`, by default in shared/data beside
the checkout. Every number on the page is computed here.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
import warnings
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import xarray as xr
from pyproj import Geod
from scipy.special import ndtri
from scipy.stats import spearmanr

from geotools.catalog import (
    Station,
    basins,
    published_numbers,
    read_calm,
    read_rihmi_air,
    read_rihmi_soil,
)
from geotools.climate.calendar import MEAN_YEAR
from geotools.errors import GeotoolsWarning
from geotools.permafrost.equilibrium import equilibrium_permafrost
from geotools.permafrost.parameters import FIELDS
from geotools.permafrost.zonation import LIMITS
from geotools.recipe.context import Context
from geotools.recipe.model import Recipe
from geotools.recipe.steps.fields import label_of, permafrost_settings
from geotools.space import Grid, Overlap, check_zones, intersections

ROOT = Path(__file__).resolve().parents[1]
BASINS = ("lena", "amur", "amur_with_kherlen")
OTHER_METHOD = "kudryavtsev"
# Shares of the ground that the classes of the map stand for.
CLASS_BOUNDS = {
    "continuous": (0.9, 1.0),
    "discontinuous": (0.5, 0.9),
    "sporadic": (0.1, 0.5),
    "isolated": (0.0, 0.1),
}
# What was expected of the basin means before the first run; no single source.
EXPECTED = {
    "lena": ("about -7.4", "about 495"),
    "amur": ("0.3 to 0.8", "590 to 660"),
    "amur_with_kherlen": ("0.3 to 0.8", "590 to 660"),
}
STATIONS = {
    24959: Station("Yakutsk", 62.02, 129.72),
    24266: Station("Verkhoyansk", 67.55, 133.38),
    24343: Station("Zhigansk", 66.77, 123.40),
}
SOIL = "stations/rihmi_soil_temperature_yakutsk_verkhoyansk_zhigansk.txt.gz"
AIR = "stations/rihmi_air_precip_yakutsk_verkhoyansk_zhigansk.txt.gz"
CALM = "stations/calm_thaw_depth.csv"
CRU = "climate/absolute.nc"
COMPARED_DEPTHS = (1.6, 2.4, 3.2)
# The probe at 3.2 m in Zhigansk was read from October to April only: no annual mean can be made of it.
PARTIAL = {(24343, 3.2)}
STATION_YEARS = ("2000-01-01", "2021-12-31")
MIN_DAYS, MIN_YEARS = 20, 5
# Places that the list of sites has wrong: as given, as they must be.
CALM_CORRECTIONS = {"R29 B": {"lon": (71.41917, 129.41917)}}
WGS84 = Geod(ellps="WGS84")


@dataclass
class Run:
    """A finished run.

    Parameters
    ----------
    folder : pathlib.Path
    """

    folder: Path

    @cached_property
    def record(self) -> dict[str, Any]:
        """What run.json says."""
        path = self.folder / "run.json"
        record: dict[str, Any] = json.loads(path.read_text()) if path.is_file() else {}
        if record.get("status") != "finished":
            sys.exit(f"{self.folder} holds no finished run; make one with: geotools run --out {self.folder}")
        return record

    @cached_property
    def context(self) -> Context:
        """The recipe of the run."""
        return Context(Recipe.model_validate(self.record["recipe"]), self.folder)

    @cached_property
    def fields(self) -> xr.Dataset:
        """The fields on the joint grid."""
        return self.context.fields()

    @cached_property
    def table(self) -> pd.DataFrame:
        """The table of the basins."""
        return pd.read_csv(self.folder / "basins.csv")

    @cached_property
    def other(self) -> xr.Dataset:
        """The same chain with the other freezing n-factor."""
        from dataclasses import replace

        settings = replace(permafrost_settings(self.context), n_factor_method=OTHER_METHOD)
        fields = self.fields
        return equilibrium_permafrost(fields["tas"], fields["pr"], fields[list(FIELDS)], settings=settings)

    def basin(self, zone: str, variable: str) -> dict[str, Any]:
        """The row of a basin and a variable."""
        rows = self.table[(self.table["zone"] == zone) & (self.table["variable"] == variable)]
        return {str(k): v for k, v in rows.iloc[0].items()}

    def cell(self, name: str, lat: float, lon: float) -> xr.Dataset:
        """The nearest cell that has the variable, with its `distance_km`."""
        with_value = self.fields[name].to_series().dropna().index
        lats, lons = (with_value.get_level_values(axis).to_numpy() for axis in ("lat", "lon"))
        *_, metres = WGS84.inv(np.full(lats.size, lon), np.full(lats.size, lat), lons, lats)
        at = int(np.argmin(metres))
        chosen = {"lat": float(lats[at]), "lon": float(lons[at])}
        return self.fields.sel(chosen).assign(
            distance_km=metres[at] / 1000, other_magt=self.other["magt"].sel(chosen)
        )


def markdown(columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> list[str]:
    """Lines of a table."""
    head = ["| " + " | ".join(columns) + " |", "|" + "---|" * len(columns)]
    return [*head, *("| " + " | ".join(str(v) for v in row) + " |" for row in rows), ""]


def per_cent(share: float) -> str:
    """A share as per cent with one decimal."""
    return f"{100 * share:.1f}"


def signed(value: float) -> str:
    """A number with its sign and one decimal, without a minus before zero."""
    return f"{value + 0.0:+.1f}"


def thousands(area_m2: float) -> str:
    """An area in 1000 km2."""
    return f"{area_m2 / 1e9:.0f}"


# The map of permafrost


def map_class(data: Path, pattern: str, name: str) -> gpd.GeoDataFrame:
    """The polygons of one class of the map, with names and valid."""
    frame = gpd.read_file(data / "permafrost" / pattern.format(name))[["geometry"]]
    frame.index = pd.Index([f"{name}_{i}" for i in range(len(frame))], name="polygon")
    return check_zones(frame, repair=True)


def mapped_areas(data: Path) -> dict[str, dict[str, float]]:
    """Area [m2] that each class of the map has in each basin, and `basin`, the whole area."""
    found: dict[str, dict[str, float]] = {name: {} for name in BASINS}
    for pattern, zones, classes in (
        ("Arctic_{}.shp", ["lena"], list(CLASS_BOUNDS)),
        ("permafrost_{}.shp", ["amur", "amur_with_kherlen"], list(CLASS_BOUNDS)[1:]),
    ):
        for name in classes:
            shared = intersections(basins(zones), map_class(data, pattern, name), dims=("basin", "polygon"))
            for zone in zones:
                found[zone][name] = float(shared.sel(basin=zone).sum())
                found[zone]["basin"] = float(shared["area_a"].sel(basin=zone))
    return found


def continuous_of_amur(areas: dict[str, dict[str, float]]) -> float:
    """Area [m2] of the continuous class in the Amur as the published numbers have it, by elimination."""
    table = published_numbers()
    row = table[
        (table["zone"] == "amur_with_kherlen") & (table["term"] == "permafrost_fraction_continuous")
    ].iloc[0]
    return float(row["value"]) * areas["amur_with_kherlen"]["basin"]


def underlain(areas: dict[str, float]) -> tuple[float, float, float]:
    """Lower bound, middle and upper bound of the share underlain, by the bounds of the classes."""
    sums = np.zeros(3)
    for name, (low, high) in CLASS_BOUNDS.items():
        sums += areas.get(name, 0.0) * np.array([low, (low + high) / 2, high])
    low, middle, high = sums / areas["basin"]
    return low, middle, high


def modelled_classes(run: Run, modelled: xr.Dataset) -> dict[str, dict[str, float]]:
    """Share of each class in the valid area [zone x class], and region and area [m2]."""
    overlap = run.context.overlap("zones")
    zones = modelled["permafrost_zone"]
    areas = overlap.area_by_class(zones.where(zones >= 0))
    probability = overlap.mean(modelled["permafrost_probability"])
    out = {}
    for zone in BASINS:
        of = {str(name): float(areas.sel({"zone": zone, "class": name})) for name in areas["class"].values}
        valid, share = sum(of.values()), float(probability.sel(zone=zone))
        out[zone] = {name: area / valid for name, area in of.items()}
        out[zone] |= {"probability": share, "region": valid - of["none"], "area": share * valid}
    return out


def permafrost_section(run: Run, data: Path) -> list[str]:
    """Classes, region and area of the basins beside the map."""
    mapped = mapped_areas(data)
    continuous = continuous_of_amur(mapped)
    ours, theirs = modelled_classes(run, run.fields), modelled_classes(run, run.other)
    method = permafrost_settings(run.context).n_factor_method
    sd = permafrost_settings(run.context).magt_sd_K
    lines = [
        "## Permafrost classes beside the map of Brown et al.",
        "",
        f"Modelled from ERA5 with the freezing n-factor `{method}` (the default) and, to show the spread "
        f"between "
        f"methods, `{OTHER_METHOD}`, beside the Circum-Arctic map of permafrost and ground-ice conditions "
        f"(Brown et "
        "al. 2002, doi:10.7265/skbg-kf16). The map was cut with the outlines of this package as polygons, "
        "in an "
        "equal-area plane of the ellipsoid, so that no cell is involved. Shares in per cent of the basin.",
        "",
    ]
    for zone in BASINS:
        area, amur = mapped[zone], zone != "lena"
        rest = 1 - sum(v for k, v in area.items() if k != "basin") / area["basin"]
        rows: list[tuple[Any, ...]] = []
        for name in CLASS_BOUNDS:
            there = per_cent(area[name] / area["basin"]) if name in area else "not in the files"
            rows.append((name, per_cent(ours[zone][name]), per_cent(theirs[zone][name]), there))
        rows.append(("none", per_cent(ours[zone]["none"]), per_cent(theirs[zone]["none"]), ""))
        rows.append(("in no class of the files", "", "", per_cent(rest)))
        half = ["continuous", "discontinuous"]
        known = sum(area.get(n, continuous if amur else 0.0) for n in half) / area["basin"]
        rows.append(
            (
                "continuous and discontinuous",
                *(per_cent(sum(t[zone][n] for n in half)) for t in (ours, theirs)),
                per_cent(known) + (" (a)" if amur else ""),
            )
        )
        with_all = {**area, "continuous": continuous} if amur else area
        everything = sum(v for k, v in with_all.items() if k != "basin")
        note = " (a)" if amur else ""
        rows.append(
            (
                "permafrost region, 1000 km2",
                *(thousands(t[zone]["region"]) for t in (ours, theirs)),
                thousands(everything) + note,
            )
        )
        low, middle, high = underlain(with_all)
        rows.append(
            (
                "permafrost area, 1000 km2",
                *(thousands(t[zone]["area"]) for t in (ours, theirs)),
                f"{thousands(middle * area['basin'])}{note}",
            )
        )
        row = run.basin(zone, "permafrost_probability")
        rows.append(
            (
                "share underlain",
                f"{per_cent(ours[zone]['probability'])} ({per_cent(row['lo95'])} to {per_cent(row['hi95'])})",
                per_cent(theirs[zone]["probability"]),
                f"{per_cent(middle)} ({per_cent(low)} to {per_cent(high)}){note}",
            )
        )
        if amur:
            low, middle, high = underlain(area)
            only = f"{per_cent(middle)} ({per_cent(low)} to {per_cent(high)})"
            rows.append(("share underlain, three classes only", "", "", only))
        title = basins(zone)["name"].iloc[0]
        lines += [f"### {title} (`{zone}`), {thousands(area['basin'])} thousand km2", ""]
        lines += markdown(
            ("", f"modelled from ERA5, `{method}`", f"modelled from ERA5, `{OTHER_METHOD}`", "map"), rows
        )
    lena, amur_row = ours["lena"], ours["amur"]
    lena, amur_row = ours["lena"], ours["amur"]
    bounds = {
        zone: underlain({**mapped[zone], **({"continuous": continuous} if zone != "lena" else {})})
        for zone in BASINS
    }
    inside = sum(v for k, v in mapped["lena"].items() if k != "basin") / mapped["lena"]["basin"]
    against = "; ".join(
        f"`{zone}` {signed(100 * (ours[zone]['probability'] - bounds[zone][1]))} with `{method}` and "
        f"{signed(100 * (theirs[zone]['probability'] - bounds[zone][1]))} with `{OTHER_METHOD}`"
        for zone in BASINS
    )
    lines += [
        "(a) The files at hand lack the continuous class south of the Lena. Its area "
        f"({thousands(continuous)} thousand km2) is that of the bundled published numbers, found by "
        f"elimination for the "
        "Amur with the Kherlen. It lies in the Stanovoy, upper Shilka and Bureya ranges, and is taken to "
        "be in `amur` "
        "as a whole.",
        "",
        "The interval of the modelled share is the 95 % interval of the draws of the run. That of the map "
        "follows from "
        "the bounds of its classes (90 to 100, 50 to 90, 10 to 50, 0 to 10 %), and the value from their "
        "middles. The "
        "`permafrost region` is the area of all cells or polygons in any class, the `permafrost area` what "
        "is underlain: "
        "probability times area, or class middles times area. One must not be compared with the other. In "
        "the Lena the "
        "part in no class is water, land without permafrost, or beyond the outline the files were cut "
        "with; of the part "
        f"in a class {per_cent(bounds['lena'][1] / inside)} % is underlain.",
        "",
        "### Why the two differ",
        "",
        f"Modelled less mapped share underlain, in per cent of the basin: {against}.",
        "",
        f"* **Classes of a probability are not classes of a map.** A cell becomes continuous from "
        f"{per_cent(LIMITS[3])} % "
        f"on, which with an error of {sd:g} K takes a ground temperature of {-ndtri(LIMITS[3]) * sd:.1f} "
        f"degC. In the Lena "
        f"{per_cent(lena['continuous'])} % of the area gets there and {per_cent(lena['discontinuous'])} % "
        f"stays below, "
        "although "
        f"{per_cent(lena['continuous'] + lena['discontinuous'])} % is more likely frozen than not. At the "
        f"warm end the "
        f"same error makes sporadic or isolated permafrost of ground that is up to "
        f"{-ndtri(LIMITS[0]) * sd:.1f} K above "
        f"zero: {per_cent(amur_row['isolated'] + amur_row['sporadic'])} % of the Amur, and none is left "
        f"only in "
        f"{per_cent(amur_row['none'])} %. The share underlain and the sum of the two coldest classes "
        f"suffer less.",
        "* **The freezing n-factor.** The regression for taiga snow is of Norwegian mountains. The two "
        "columns tell how "
        "much hangs on it; hold them against the ground temperatures below before preferring the one that "
        "is nearer "
        "to the map.",
        "* **Snow.** Its depth is made from monthly ERA5 precipitation, and wind does not move it. Where "
        "the winter is "
        "dry, as in much of the Amur, a little more snow would warm the ground by much.",
        "* **Valleys and slopes of the Amur.** Its permafrost lies in valley bottoms with winter "
        "inversions, moss and "
        "peat, and its slopes are mostly free of it. A cell of a quarter of a degree with one organic "
        "layer per land "
        "cover sees neither, and gets one temperature for both.",
        "* **Equilibrium against relict.** The model knows the mean year only. The map has the permafrost "
        "that is there, "
        "much of which outlived a colder climate. This makes the modelled share smaller, never larger.",
        f"* **Age.** The map draws on work of the 1960s to 1990s, the climate is that of "
        f"{run.context.period[0][:4]} to "
        f"{run.context.period[1][:4]}; see the warming between the two below. This, too, makes the "
        f"modelled share "
        "smaller.",
        "* **Land cover.** Grass, crops and bare ground get a warm surface and a thin or no organic layer "
        "wherever the "
        "map of land cover has them, the wet ground of the delta included.",
        "",
    ]
    return lines


# Climate


def monthly_climatology(record: xr.DataArray) -> tuple[pd.Series, int]:
    """Means of the twelve calendar months [month], and the smallest number of years behind one.

    A month counts with `MIN_DAYS` days, and a calendar month with `MIN_YEARS` years; otherwise it is missing, and
    with it the mean of the year. Years that lack a season do not shift the mean in this way.
    """
    values = pd.Series(record.values, pd.DatetimeIndex(record["time"].values)).dropna()
    grouped = values.groupby([values.index.year, values.index.month])
    means = grouped.mean()[grouped.count() >= MIN_DAYS]
    months = means.groupby(level=1).agg(["mean", "count"]).reindex(range(1, 13))
    years = int(months["count"].fillna(0).min())
    return months["mean"].where(months["count"] >= MIN_YEARS), years


def of_year(months: pd.Series) -> float:
    """Mean of the year, months weighted with their lengths; missing when one is."""
    return float((months.to_numpy() * MEAN_YEAR).sum() / sum(MEAN_YEAR))


def cru_means(run: Run, data: Path) -> pd.Series:
    """Mean annual temperature of the basins in the 5 degree normals of 1961 to 1990."""
    with xr.open_dataset(data / CRU, decode_times=False) as found:
        field = found["tem"].load().sortby("lat")
    grid = Grid.regular((-180, -90, 180, 90), 5, crs="EPSG:4326")
    weights = xr.DataArray(list(MEAN_YEAR), dims="time", coords={"time": field["time"]})
    mean = field.weighted(weights).mean("time").assign_attrs(units="degC", cell_methods="area: mean")
    return Overlap.between(run.context.zones, grid).mean(mean).to_series()


def climate_section(run: Run, data: Path) -> list[str]:
    """Basin means of the input, and the three stations."""
    cru = cru_means(run, data)
    rows: list[tuple[Any, ...]] = []
    for zone in BASINS:
        air, rain = run.basin(zone, "maat"), run.basin(zone, "annual_precipitation")
        expected = EXPECTED[zone]
        rows.append(
            (
                f"`{zone}`",
                f"{air['mean']:.2f}",
                expected[0],
                f"{cru[zone]:.1f}",
                f"{rain['mean']:.0f}",
                expected[1],
            )
        )
    start, end = (d[:4] for d in run.context.period)
    gaps = [run.basin(z, "maat")["mean"] - cru[z] for z in BASINS]
    lines = [
        "## Climate of the basins",
        "",
        f"The input of the run, ERA5 of {start} to {end}, beside what was expected beforehand (general "
        f"knowledge, no "
        "single source), and beside station normals of 1961 to 1990 on a grid of 5 degrees (Climatic "
        "Research Unit), cut with the same outlines. The normals are colder, as the climate was, by "
        f"{min(gaps):.1f} to {max(gaps):.1f} K, of which some is owed to their large cells.",
        "",
        *markdown(
            ("basin", "air, degC", "expected", "1961-1990, degC", "precipitation, mm", "expected"),
            rows,
        ),
    ]
    records = read_rihmi_air(data / AIR, stations=STATIONS).sel(time=slice(*STATION_YEARS))
    rows = []
    for wmo, place in STATIONS.items():
        own = records.sel(station=wmo)
        warmth, air_years = monthly_climatology(own["tas"])
        water, rain_years = monthly_climatology(own["pr"])
        cell = run.cell("maat", place.lat, place.lon)
        seen, fallen = of_year(warmth), of_year(water) * sum(MEAN_YEAR)
        here, there = float(cell["maat"]), float(cell["annual_precipitation"])
        coldest = float(cell["tas"].min()) - float(warmth.min())
        rows.append(
            (
                place.name, f"{seen:.1f}", f"{here:.1f}", signed(here - seen), signed(coldest),
                f"{fallen:.0f}", f"{there:.0f}", f"{there / fallen:.2f}", f"{air_years}, {rain_years}",
            )
        )  # fmt: skip
    first, last = (d[:4] for d in STATION_YEARS)
    return [
        *lines,
        f"At stations of RIHMI-WDC ({first} to {last}), against the nearest cell:",
        "",
        *markdown(
            (
                "station", "air observed, degC", "ERA5", "difference, K", "difference in the coldest "
                "month, K",
                "precipitation observed, mm", "ERA5", "ratio", "years (air, precipitation)",
            ),
            rows,
        ),
        "Gauges catch too little snow, so that a ratio somewhat above 1 is no proof of an error. In the "
        "valleys the coldest month shows the winter inversion that ERA5 does not resolve.",
        "",
    ]  # fmt: skip


# Ground


def soil_section(run: Run, data: Path) -> list[str]:
    """Ground temperature against the soil records of three stations."""
    records = read_rihmi_soil(data / SOIL, stations=STATIONS)["tsl"].sel(time=slice(*STATION_YEARS))
    rows, errors = [], {"this": [], "other": []}  # type: tuple[list[tuple[Any, ...]], dict[str, list[float]]]
    for wmo, place in STATIONS.items():
        cell = run.cell("magt", place.lat, place.lon)
        modelled, other = float(cell["magt"]), float(cell["other_magt"])
        for depth in COMPARED_DEPTHS:
            if (wmo, depth) in PARTIAL:
                continue
            months, years = monthly_climatology(records.sel(station=wmo, depth=depth))
            seen = of_year(months)
            if not np.isfinite(seen):
                continue
            errors["this"].append(modelled - seen)
            errors["other"].append(other - seen)
            rows.append(
                (
                    place.name, f"{depth:.1f}", f"{seen:.1f}", years, f"{modelled:.1f}", signed(modelled - seen),
                    f"{other:.1f}", signed(other - seen), f"{float(cell['distance_km']):.0f}",
                )
            )  # fmt: skip
    first, last = (d[:4] for d in STATION_YEARS)
    method = permafrost_settings(run.context).n_factor_method
    bias = {k: float(np.mean(v)) for k, v in errors.items()}
    return [
        "## Ground temperature",
        "",
        f"Modelled from ERA5 at the nearest cell, beside soil temperatures of RIHMI-WDC, {first} to "
        f"{last}, days with "
        f"quality flag 0 only. The observed value is the mean of the means of the twelve calendar months, "
        f"each from "
        f"months with at least {MIN_DAYS} days, so that missing seasons do not shift it; `years` is the "
        f"smallest "
        "number of years behind a month. Zhigansk at 3.2 m was read in the cold season only and is left "
        "out, as are "
        "depths without records, dates that do not exist, and all after June 2022, when the records change.",
        "",
        *markdown(
            (
                "station", "depth, m", "observed, degC", "years", f"modelled from ERA5, `{method}`",
                "difference, K",
                f"modelled from ERA5, `{OTHER_METHOD}`", "difference, K", "distance of the cell centre, km",
            ),
            rows,
        ),
        f"The mean difference is {signed(bias['this'])} K with `{method}` and {signed(bias['other'])} K "
        f"with `{OTHER_METHOD}`, "
        f"over {len(rows)} rows from {len(STATIONS)} stations. The rows of a station are not independent.",
        "",
        "The stations stand in the open, on plots without trees and with little moss. At Zhigansk and "
        "Yakutsk their "
        "ground is warmer than that of the taiga around, for which lower values are reported (see "
        "[published_numbers.md](published_numbers.md)); the model gives the top of permafrost as a mean of "
        "the cell, so "
        "that a cold difference is expected there. At Verkhoyansk ERA5 is too warm (table above), which "
        "makes up for "
        "ground that would otherwise come out colder still. No method was fitted to these records, but "
        "they were known "
        "when the default was chosen, so that this is no independent test. Each station probably changed "
        "its site or "
        "probe once.",
        "",
    ]  # fmt: skip


def calm_sites(data: Path) -> pd.DataFrame:
    """Mean thaw depth [m], first and last year and number of years of each site."""
    with warnings.catch_warnings():
        # Plots of a Mongolian site outside of the domain.
        warnings.simplefilter("ignore", GeotoolsWarning)
        calm = read_calm(data / CALM, corrections=CALM_CORRECTIONS)
    rows = []
    for code in calm["station"].values:
        site = calm.sel(station=code)
        depths = site["thaw_depth"].dropna("year")
        if depths.size:
            years = depths["year"].values
            place = (code, site["station_name"].item(), float(site["lat"]), float(site["lon"]))
            rows.append((*place, float(depths.mean()), years[0], years[-1], years.size))
    return pd.DataFrame(rows, columns=["code", "name", "lat", "lon", "observed", "first", "last", "years"])


def thaw_section(run: Run, data: Path) -> list[str]:
    """Stefan thaw depth against the sites of CALM inside the domain."""
    grid, sites = run.context.recipe.grid, calm_sites(data)
    inside = sites["lat"].between(grid.south, grid.north) & sites["lon"].between(grid.west, grid.east)
    sites = sites[inside].sort_values("lat", ascending=False)
    points = gpd.GeoSeries(gpd.points_from_xy(sites["lon"], sites["lat"]), index=sites.index, crs=4326)
    held = {n: points.within(basins(n).geometry.iloc[0]) for n in BASINS}
    cells = [run.cell("thaw_depth", lat, lon) for lat, lon in zip(sites["lat"], sites["lon"], strict=True)]
    sites["modelled"] = [float(c["thaw_depth"]) for c in cells]
    sites["magt"] = [float(c["magt"]) for c in cells]
    sites["km"] = [float(c["distance_km"]) for c in cells]
    sites["cover"] = [str(c["class"].values[int(np.argmax(c["land_cover_fraction"].values))]) for c in cells]
    sites["basin"] = [next((n for n in BASINS if held[n][i]), "outside") for i in sites.index]
    rows = [
        (
            s["code"], s["name"], s["basin"], f"{s['first']}-{s['last']} ({s['years']})", f"{s['observed']:.2f}",
            f"{s['modelled']:.2f}", f"{s['modelled'] - s['observed']:+.2f}", f"{s['magt']:.1f}",
            s["cover"].replace("_", " "), f"{s['km']:.0f}",
        )
        for s in sites.to_dict("records")
    ]  # fmt: skip

    def statistics(chosen: pd.DataFrame) -> tuple[Any, ...]:
        difference = chosen["modelled"] - chosen["observed"]
        rank = spearmanr(chosen["modelled"], chosen["observed"]).statistic if len(chosen) > 2 else np.nan
        return (
            len(chosen), f"{difference.mean():+.2f}", f"{difference.median():+.2f}",
            f"{(chosen['modelled'] / chosen['observed']).median():.2f}", f"{rank:+.2f}",
        )  # fmt: skip

    parts: dict[str, Callable[[pd.DataFrame], pd.Series]] = {
        "all sites": lambda s: s["observed"] > 0,
        "sites in the basins": lambda s: s["basin"] != "outside",
        "modelled permafrost": lambda s: s["magt"] <= 0,
        "observed thaw below 3 m": lambda s: s["observed"] < 3,
    }
    return [
        "## Thaw depth",
        "",
        "Stefan thaw depth in two layers, modelled from ERA5 at the nearest cell with ground, beside the "
        "end-of-season "
        "thaw depths of the Circumpolar Active Layer Monitoring network inside the domain (means of all "
        "years "
        "with a number, the number of years in brackets; depths in m). Cells of the list that hold dashes, "
        "blanks or "
        "remarks are missing, and it has "
        + " and ".join(
            f"{code} at {wrong:.2f} E, which was taken as {right:.2f} E"
            for code, changes in CALM_CORRECTIONS.items()
            for wrong, right in changes.values()
        )
        + ".",
        "",
        *markdown(
            (
                "site", "name", "basin", "years", "observed", "modelled from ERA5", "difference",
                "modelled ground, degC",
                "main land cover", "distance, km",
            ),
            rows,
        ),
        *markdown(
            ("", "n", "mean difference", "median difference", "median ratio", "rank correlation"),
            ((label, *statistics(sites[choose(sites)])) for label, choose in parts.items()),
        ),
        f"The depth is too large at {int((sites['modelled'] > sites['observed']).sum())} of {len(sites)} "
        f"sites. A grid "
        "of 100 m or a single tube stands for itself, a cell of a quarter of a degree for the mean of its "
        "land covers. "
        "The wet, mossy sites of delta and valleys thaw least and are overrated most: where the map of "
        "land cover has "
        "bare ground or grass, the cell gets a thin or no organic layer and little ice to melt. The "
        "deepest sites are "
        "dry steppe where thaw went deeper in most years, which no Stefan equation follows. The order of "
        "the sites is right "
        "and the range too small; with so few of them the rank correlation is uncertain. The transient column, "
        "forced by the records of a weather station, is compared with the site beside Yakutsk in "
        "[station_validation.md](station_validation.md).",
        "",
    ]  # fmt: skip


# The page


def digest(path: Path) -> str:
    """First twelve digits of the sha256 of a file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()[:12]


def head(run: Run, data: Path) -> list[str]:
    """Title, how the page was made and from what."""
    record, files = run.record, [SOIL, AIR, CALM, CRU]
    files += [f"permafrost/Arctic_{name}.shp" for name in CLASS_BOUNDS]
    files += [f"permafrost/permafrost_{name}.shp" for name in list(CLASS_BOUNDS)[1:]]
    inputs = [
        (f"`{v['name']}`", v["description"], f"`{v['sha256'][:12]}`")
        for role, v in record["inputs"].items()
        if v["sha256"] and not role.startswith("map_")
    ]
    seen = [(f"`{name}`", "outside the project", f"`{digest(data / name)}`") for name in files]
    return [
        "# Validation of the default run",
        "",
        "The default run beside maps, stations and published numbers. This page is written by",
        "",
        "```",
        "geotools run --out RUN",
        "python docs/make_validation.py RUN --data ../shared/data",
        "```",
        "",
        "and every number on it, the expected climate apart, is computed by that script. Change the "
        "script, not the "
        "page. "
        f"Ground temperature, permafrost and thaw depth are {label_of(run.context)} throughout. No "
        f"parameter of theirs "
        "was fitted to what is shown here, but the default freezing n-factor was chosen knowing it. Areas "
        "and agreement of the basin outlines stand in [basins.md](basins.md), "
        "the equations in [permafrost.md](permafrost.md).",
        "",
        f"Run with code {record['code']}, seed {record['seed']}, "
        f"{record['recipe']['uncertainty']['draws']} draws; first digits of the sha256 of what was read:",
        "",
        *markdown(("input", "what", "sha256"), [*inputs, *seen]),
    ]


def main() -> None:
    """Write the page."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("run", type=Path, help="folder of a finished run")
    parser.add_argument(
        "--data", type=Path, default=ROOT.parent / "shared" / "data", help="folder of the observations"
    )
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "validation.md", help="page to write")
    options = parser.parse_args()
    if not options.data.is_dir():
        sys.exit(f"there is no folder {options.data}; give that of the observations with --data")
    run = Run(options.run)
    lines = head(run, options.data)
    for section in (permafrost_section, climate_section, soil_section, thaw_section):
        lines += section(run, options.data)
    options.out.write_text("\n".join(lines).rstrip() + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
