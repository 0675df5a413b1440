"""The recipe: one YAML file that says what a run reads, computes and writes.

Every key has a default that `geotools init` writes out, and unknown keys are refused.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from geotools.catalog.schema import Entry
from geotools.space.routes import ROUTES

BUNDLED_CLIMATE = "era5_climatology"
BUNDLED_LAND_COVER = "modis_igbp_2019"
BUNDLED_ELEVATION = "etopo5"
BUNDLED_NDVI = "ndvi_maximum"

DEFAULT_ROUTE = "harbin_tiksi"


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


Positive = Annotated[float, Field(gt=0)]
NotNegative = Annotated[float, Field(ge=0)]
# As of variables in a NetCDF file.
LayerName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]


class Inputs(_Section):
    """What is read: the name of a catalogue entry, or an entry written out in place."""

    climate: str | Entry = Field(BUNDLED_CLIMATE, description="monthly tas and pr of a mean year")
    land_cover: str | Entry = Field(BUNDLED_LAND_COVER, description="IGBP classes as land_cover")
    soil_carbon: list[str | Entry] = Field(
        default_factory=list,
        description="csoil (kg m-2) with depth_top_m and depth_bottom_m; none is bundled",
    )
    elevation: str | Entry | None = Field(
        BUNDLED_ELEVATION, description="orog (m) along the transect; null leaves it out"
    )
    ndvi: str | Entry | None = Field(
        BUNDLED_NDVI, description="vegetation index along the transect; null leaves it out"
    )
    transect_layers: dict[LayerName, str | Entry] = Field(
        default_factory=dict,
        description="more rasters along the transect by name, each a panel of the profile: burned area, CH4 flux ...",
    )
    published: list[Path] = Field(
        default_factory=list, description="tables of published numbers beside the bundled one, same columns"
    )
    observations: list[Path] = Field(
        default_factory=list,
        description="tables of stations to draw on the profile: name, lat, lon, variable, value, year, depth_m",
    )


class ZoneSettings(_Section):
    """The areas that are summarised."""

    basins: list[str] = Field(
        default_factory=lambda: ["lena", "amur", "amur_with_kherlen", "lena_amur"],
        description="keys of bundled basins",
    )
    regions: list[str] = Field(
        default_factory=list, description="ISO 3166-2 codes of first-order regions, e.g. RU-SA"
    )
    polygons: Path | None = Field(None, description="a file with further polygons")
    key: str = Field("zone", description="column of that file that names the polygons")


class TransectSettings(_Section):
    """A line of places with a swath around it."""

    name: str = ROUTES[DEFAULT_ROUTE].title
    points: list[tuple[str, float, float]] = Field(
        default_factory=lambda: list(ROUTES[DEFAULT_ROUTE].points),
        description=f"name, latitude, longitude of places in order; or the name of a route: {', '.join(ROUTES)}",
        min_length=2,
    )
    segment_length_km: Positive = Field(25.0, description="length of a segment along the line")
    half_width_km: Positive = Field(25.0, description="half the width of the swath")

    @model_validator(mode="before")
    @classmethod
    def _named(cls, given: Any) -> Any:
        """Put the places of a route in place of its name, so that the record of a run holds them."""
        if not isinstance(given, dict) or not isinstance(given.get("points"), str):
            return given
        name = given["points"]
        if name not in ROUTES:
            raise ValueError(
                f"there is no route {name!r}; points are a list of places or one of {', '.join(ROUTES)}"
            )
        return {"name": ROUTES[name].title, **given, "points": list(ROUTES[name].points)}


class GridSettings(_Section):
    """The joint grid on which all fields are brought together (longitude and latitude, WGS84)."""

    west: float = Field(101.875, description="western edge of the first column, degrees east")
    south: float = Field(40.875, description="southern edge of the first row, degrees north")
    east: float = Field(143.125, description="eastern edge of the last column, degrees east")
    north: float = Field(74.125, description="northern edge of the last row, degrees north")
    resolution_deg: Positive = Field(0.25, description="cell size, degrees")

    @model_validator(mode="after")
    def _whole_cells(self) -> GridSettings:
        for low, high, names in (
            (self.west, self.east, "west and east"),
            (self.south, self.north, "south and north"),
        ):
            cells = (high - low) / self.resolution_deg
            if cells < 1 or abs(cells - round(cells)) > 1e-6:
                raise ValueError(f"{names} are {cells:g} cells apart; a whole number, at least 1, is needed")
        return self


class ClimateSettings(_Section):
    """Degree-days from monthly means."""

    submonthly_sd_K: NotNegative = Field(
        5.0,
        description="standard deviation of daily about monthly mean temperature; 5 K for a climatology of many years, "
        "4 K for a single year",
    )


class SnowSettings(_Section):
    """The monthly degree-day snow model and what snow does to heat."""

    all_snow_below_degC: float = Field(
        0.0, description="daily temperature below which all precipitation is snow"
    )
    all_rain_above_degC: float = Field(
        2.0, description="daily temperature above which all precipitation is rain"
    )
    melt_factor: Positive = Field(3.0, description="kg m-2 K-1 d-1; 2.4 forest to 3.5 open, Kuusisto 1980")
    refreezing_coefficient: NotNegative = Field(
        0.05, description="refreezing per negative degree-day over melt per degree-day, as in HBV"
    )
    sublimation_fraction: Annotated[float, Field(ge=0, lt=1)] = Field(
        0.08, description="share of the snowfall that sublimates; up to 0.2 to 0.4 where it is windy"
    )
    taiga_snow_density: Positive = Field(194.0, description="kg m-3; 194 +- 46 in Zhong et al. 2014")
    tundra_snow_density: Positive = Field(300.0, description="kg m-3; 243 to 363, Sturm et al. 2010")
    n_factor_method: Literal["by_snow_class", "gisnas", "kudryavtsev", "nelson_outcalt"] = Field(
        "by_snow_class",
        description="how snow lessens freezing degree-days; by_snow_class is gisnas in the taiga, kudryavtsev beyond "
        "the tree line",
    )
    conductivity_method: Literal["sturm1997", "calonne2011", "yen1981", "devaux"] = Field(
        "sturm1997", description="thermal conductivity of snow from its density; the formulas differ two-fold"
    )


class PermafrostSettings(_Section):
    """Permafrost at equilibrium with the climate (TTOP)."""

    magt_sd_K: Positive = Field(
        2.0, description="error of a cell's ground temperature; RMSE against boreholes in Obu et al. 2019"
    )
    ground: dict[str, dict[str, float]] = Field(
        default_factory=dict,
        description="values in place of the defaults by land-cover group, e.g. forest with n_factor_thawing 0.6",
    )


class GroundColumnSettings(_Section):
    """The transient column under the transect and the towns, in balance with the mean year."""

    depth_m: Annotated[float, Field(ge=20, le=500)] = Field(
        60.0, description="simulated depth; below it temperatures follow the geothermal gradient"
    )
    soil_depth_m: Annotated[float, Field(ge=2)] = Field(10.0, description="soil by land cover; rock below")
    geothermal_flux_W_m2: Annotated[float, Field(gt=0, le=0.5)] = Field(
        0.05, description="assumed; 0.03 to 0.07 in most of the region"
    )
    rock_conductivity_W_m1_K1: Annotated[float, Field(gt=0, le=10)] = Field(
        2.5, description="assumed; 1.5 to 3.5 in most rocks"
    )
    winter: Literal["n_factor", "snow"] = Field(
        "n_factor",
        description="between air and ground: the freezing n-factor, as in the fields, or the snow itself",
    )
    snow_conductivity_method: Literal["sturm1997", "calonne2011", "yen1981", "devaux"] = Field(
        "yen1981", description="of the snow on the column; decides where the ground is near 0 degC"
    )
    years: Annotated[int, Field(ge=10, le=2000)] = Field(
        40, description="that a profile is stepped, once its first guess is near balance"
    )

    @model_validator(mode="after")
    def _reaches_rock(self) -> GroundColumnSettings:
        if self.soil_depth_m >= self.depth_m:
            raise ValueError(
                f"soil of {self.soil_depth_m:g} m in a column of {self.depth_m:g} m; it must reach into the rock"
            )
        return self


class TownSettings(_Section):
    """Ground under towns in two climates; the second is that of the run with a warming that is given, no projection."""

    min_population: Annotated[int, Field(ge=0)] = Field(
        5000,
        description="towns of the zones with as many persons; the places of the transect are always told",
    )
    warming_K: Annotated[float, Field(ge=-20, le=20)] = Field(
        1.0,
        description="added to every month of the climate, its snow kept: a sensitivity; unused with second_climate",
    )
    second_climate: str | Entry | None = Field(
        None,
        description="catalogue name or entry of another mean year with tas and pr, in place of a warming",
    )
    depth_m: Annotated[float, Field(gt=0, le=20)] = Field(
        10.0, description="where ground temperature is told"
    )
    pile_side_m: Annotated[float, Field(gt=0, le=5)] = Field(0.35, description="side of the square pile")
    pile_depth_m: Annotated[float, Field(gt=0, le=20)] = Field(10.0, description="depth of its end")
    soil: Literal["clay", "sand"] = Field("clay", description="strength table of the frozen soil")
    excess_ice: Annotated[float, Field(ge=0, le=1)] | None = Field(
        None,
        description="volume of excess ice; null tells nothing of settlement, as no ground ice is bundled",
    )


class TradeSettings(_Section):
    """CO2 embodied in the trade of Russia and China."""

    year: int | None = Field(None, description="null is the latest year with both flows published")
    reporter: str = Field("GACC", description="customs authority whose figures are taken")
    methods: tuple[Literal["direct", "eebt"], ...] = Field(
        ("direct", "eebt"),
        description="direct counts the exporting sector alone, eebt its whole domestic supply chain",
    )
    regional_proxy: Literal["trade_anchor", "co2_share"] = Field(
        "trade_anchor", description="how national flows are split to regions; a proxy, and labelled as one"
    )
    price_index: dict[str, float] = Field(
        default_factory=dict,
        description="price of a sector in the year of the trade over that of the intensities",
    )
    sector_cv: NotNegative = Field(0.2, description="relative error of a sector's emissions")
    national_cv: NotNegative = Field(0.04, description="relative error of a nation's emissions")
    vintage_cv_per_year: NotNegative = Field(
        0.03, description="further error per year between trade and intensities"
    )
    proxy_cv: NotNegative = Field(0.5, description="relative error of a region's share")


class UncertaintySettings(_Section):
    """Monte Carlo over inputs and parameters; each draw moves a parameter everywhere alike."""

    draws: Annotated[int, Field(ge=0)] = Field(
        200, description="0 leaves the intervals of modelled values blank"
    )
    seed: int = Field(20260101, description="seed of the random generator")
    air_temperature_sd_K: NotNegative = Field(1.0, description="common error of air temperature")
    precipitation_cv: NotNegative = Field(0.15, description="relative common error of precipitation")
    n_freezing_sd: NotNegative = Field(
        0.12,
        description="common error of the freezing n-factor; the methods differ by 0.2 to 0.4 from each other",
    )
    n_thawing_sd: NotNegative = Field(0.08, description="error of the thawing n-factor")
    conductivity_ratio_sd: NotNegative = Field(0.07, description="error of thawed over frozen conductivity")
    thaw_conductivity_cv: NotNegative = Field(0.2, description="relative error of thawed conductivity")
    melted_water_cv: NotNegative = Field(0.2, description="relative error of the water that melts")


Statistic = Annotated[str, Field(pattern=r"^(mean|minimum|maximum|variance|total|sum|p[1-9]?[0-9])$")]


class SeriesSettings(_Section):
    """One source of series: statistics of zones and segments for each of its time steps."""

    source: str | Entry = Field(BUNDLED_CLIMATE, description="catalogue name, or an entry written out")
    variables: tuple[str, ...] = Field(..., min_length=1)
    statistics: tuple[Statistic, ...] = Field(("mean",), min_length=1)
    targets: tuple[Literal["zones", "segments"], ...] = Field(("zones", "segments"), min_length=1)
    time_block: Literal["auto"] | Annotated[int, Field(ge=1)] = "auto"

    @field_validator("variables", "statistics", "targets")
    @classmethod
    def _once(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        twice = [name for name in names if names.count(name) > 1]
        if twice:
            raise ValueError(f"{twice[0]!r} stands twice")
        return names


class Limits(_Section):
    """What is refused, and how large the pieces are that a run is cut into, which may differ when it goes on."""

    min_valid_fraction: Annotated[float, Field(ge=0, le=1)] = Field(
        0.5, description="a zone with a smaller share of valid area stops the run; 0 only refuses empty zones"
    )
    block_memory_mb: Positive = Field(
        256.0, description="arrays that one block of rows may hold at a time; results do not depend on it"
    )
    memory_mb: Positive | None = Field(
        None, description="memory that a plan may come to; null is what the machine or the batch job gives"
    )


class ClusterSettings(_Section):
    """SLURM jobs of `--cluster slurm`; no number depends on them, and they may differ when a run goes on."""

    jobs: Annotated[int, Field(ge=1)] = Field(2, description="jobs that are kept running")
    cores: Annotated[int, Field(ge=1)] = Field(
        1, description="cores of a job; each works on one block at a time"
    )
    memory_GB: Positive = Field(4.0, description="memory of a job, shared by its cores")
    walltime_h: Annotated[float, Field(ge=0.1)] = Field(
        1.0, description="longest duration of a job, hours; a new one follows while there is work"
    )
    queue: str | None = Field(None, description="partition; null is that of the cluster")
    account: str | None = Field(None, description="account that is charged")
    interface: str | None = Field(None, description="network that all nodes share, e.g. ib0")
    scratch: str | None = Field(None, description="disk of the node; null is $SLURM_TMPDIR, $TMPDIR or /tmp")
    setup: list[str] = Field(
        default_factory=list, description="shell lines of a job before its worker starts"
    )
    options: list[str] = Field(
        default_factory=list, description="further options of sbatch, e.g. --exclusive"
    )
    start_timeout_h: Positive = Field(
        24.0, description="stop when there has been no worker for so long, hours"
    )


class Recipe(_Section):
    """All settings of a run."""

    recipe: Literal[1] = Field(1, description="version of this file format")
    title: str = "Lena and Amur on the bundled climatology"
    catalogs: list[Path] = Field(default_factory=list, description="catalogue files of your own")
    inputs: Inputs = Field(default_factory=Inputs)
    zones: ZoneSettings = Field(default_factory=ZoneSettings)
    transect: TransectSettings = Field(default_factory=TransectSettings)
    grid: GridSettings = Field(default_factory=GridSettings)
    climate: ClimateSettings = Field(default_factory=ClimateSettings)
    snow: SnowSettings = Field(default_factory=SnowSettings)
    permafrost: PermafrostSettings = Field(default_factory=PermafrostSettings)
    ground_column: GroundColumnSettings = Field(default_factory=GroundColumnSettings)
    towns: TownSettings = Field(default_factory=TownSettings)
    trade: TradeSettings = Field(default_factory=TradeSettings)
    uncertainty: UncertaintySettings = Field(default_factory=UncertaintySettings)
    series: tuple[SeriesSettings, ...] = Field(
        (SeriesSettings(variables=("tas", "pr"), statistics=("mean", "p10", "p90")),),
        description="source, variables, statistics (mean, minimum, maximum, variance, total, sum, p10 ...), targets "
        "(zones, segments) and time_block (steps of a block, or auto)",
    )
    limits: Limits = Field(default_factory=Limits)
    cluster: ClusterSettings = Field(default_factory=ClusterSettings)

    @field_validator("zones")
    @classmethod
    def _some_zone(cls, zones: ZoneSettings) -> ZoneSettings:
        if not (zones.basins or zones.regions or zones.polygons):
            raise ValueError("no zone is named; name a basin, a region or a file of polygons")
        return zones
