"""How the numbers were made, in short paragraphs with references, and what is known to be wrong."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from geotools.report.run_files import RunFiles
from geotools.report.sections import settings

_N_FACTORS = {
    "by_snow_class": "the regression of Gisnås et al. for soft taiga snow and the damping of Kudryavtsev for "
    "wind-packed tundra snow, mixed by the warmest month",
    "gisnas": "the regression of Gisnås et al. on the largest monthly snow depth",
    "kudryavtsev": "the damping of the annual wave by the snow after Kudryavtsev",
    "nelson_outcalt": "the damped winter of Nelson and Outcalt's surface frost number",
}


@dataclass(frozen=True)
class Method:
    """A paragraph.

    Parameters
    ----------
    title, text : str
    references : list of (str, str)
        What it is called and its DOI.
    """

    title: str
    text: str
    references: list[tuple[str, str]]


def methods(files: RunFiles) -> list[Method]:
    """The methods of a run, with the settings of its recipe."""
    snow, climate = settings(files, "snow"), settings(files, "climate")
    permafrost, moved = settings(files, "permafrost"), settings(files, "uncertainty")
    factor = _N_FACTORS.get(str(snow.get("n_factor_method")), "the method named in the recipe")
    found = [
        Method(
            "Areas and means",
            "Values of cells go to basins, regions and segments through areas shared on the WGS84 ellipsoid: a cell "
            "that is cut by an outline counts with the part inside. Every mean and total carries the share of the "
            "zone's area that had data.",
            [("Karney (2013)", "10.1007/s00190-012-0578-z")],
        ),
        Method(
            "Degree-days",
            "Thawing and freezing degree-days from monthly mean air temperature, with daily temperatures normal about "
            f"it (standard deviation {_of(climate, 'submonthly_sd_K')} K).",
            [("Calov and Greve (2005)", "10.3189/172756505781829601")],
        ),
        Method(
            "Snow",
            f"A monthly degree-day model: melt {_of(snow, 'melt_factor')} kg m⁻² K⁻¹ d⁻¹, refreezing coefficient "
            f"{_of(snow, 'refreezing_coefficient')}, sublimated share {_of(snow, 'sublimation_fraction')}; bulk "
            f"density {_of(snow, 'taiga_snow_density')} kg m⁻³ in the taiga and "
            f"{_of(snow, 'tundra_snow_density')} kg m⁻³ on the tundra.",
            [
                ("Hock (2003)", "10.1016/S0022-1694(03)00257-9"),
                ("Zhong et al. (2014)", "10.5194/tc-8-785-2014"),
                ("Sturm et al. (2010)", "10.1175/2010JHM1202.1"),
            ],
        ),
        Method(
            "Freezing n-factor",
            f"How much of the winter's cold gets through the snow to the ground surface: {factor}.",
            [
                ("Gisnås et al. (2014)", "10.5194/tc-8-2063-2014"),
                ("Anisimov et al. (1997)", "10.1016/S0921-8181(97)00009-X"),
                ("Nelson and Outcalt (1987)", "10.2307/1551363"),
            ],
        ),
        Method(
            "Ground temperature (TTOP)",
            "Mean annual temperature at the top of permafrost, or at the base of seasonal frost, from degree-days, "
            "n-factors and the ratio of thawed to frozen conductivity. The ground is taken to be in balance with "
            "the mean year.",
            [("Smith and Riseborough (2002)", "10.1002/ppp.410")],
        ),
        Method(
            "Probability, zones and area of permafrost",
            "The chance that the ground temperature is below 0 °C, with an error of "
            f"{_of(permafrost, 'magt_sd_K')} K. Its mean over a zone is the share underlain by permafrost. Zones: "
            "continuous from 90 %, discontinuous 50 %, sporadic 10 %, isolated 1 %.",
            [("Obu et al. (2019)", "10.1016/j.earscirev.2019.04.023")],
        ),
        Method(
            "Thaw depth",
            "The Stefan equation, layer by layer through an organic layer and mineral soil by land cover. It is the "
            "active-layer thickness only where there is permafrost.",
            [("Xie and Gough (2013)", "10.1002/ppp.1770")],
        ),
        Method(
            "Published numbers",
            "Taken from the cited source. An interval of another kind is converted to 95 %: a standard deviation or "
            "error times 1.96, a range as it stands. Where none was published, there is none here. Several sources "
            "of a term stand side by side; they are neither averaged nor added.",
            [],
        ),
        Method(
            "Monte Carlo intervals",
            f"The chain is run again in {_of(moved, 'draws')} draws (seed {_of(moved, 'seed')}) with air temperature "
            f"moved by {_of(moved, 'air_temperature_sd_K')} K, precipitation by {_percent(moved, 'precipitation_cv')}, "
            f"the n-factors by {_of(moved, 'n_freezing_sd')} (freezing) and {_of(moved, 'n_thawing_sd')} (thawing) and "
            "the ground's properties within their literature ranges (one standard deviation each). The bounds are the "
            "2.5 and 97.5 percentiles. These are judgements, not estimates from data.",
            [],
        ),
    ]  # fmt: skip
    budget = files.table("budget.csv")
    if budget is not None:
        found += [method for term, method in _CARBON if term in set(budget["term"])]
    if files.table("trade_balance.csv") is not None:
        found.append(
            Method(
                "Emissions embodied in trade",
                "Direct: trade times the emission per value of the exporting sector. EEBT (emissions embodied in "
                "bilateral trade): with the supply chain inside the exporting country. Near balance the two can "
                "disagree on the sign, so each has its interval. Regions are split by a proxy named on every row.",
                [("Peters and Hertwich (2008)", "10.1021/es072023k")],
            )
        )
    return found


# Of budgets that have a certain term; told in full in docs/carbon_budget.md.
_CARBON = (
    (
        "net_ecosystem_exchange",
        Method(
            "Natural fluxes scaled from land cover",
            "The area of each land-cover class times a published flux per area, with wide intervals. A class whose "
            "name does not mean what the flux was measured on is left out and named.",
            [("Virkkala et al. (2021)", "10.1111/gcb.15659")],
        ),
    ),
    (
        "fossil_emissions",
        Method(
            "Territorial emissions",
            "Emissions of the administrative regions, spread within each region by the population of towns. It is a "
            "proxy: a large plant far from a town is put in the wrong place. Totals of the regions are kept.",
            [("Xiao et al. (2021)", "10.1038/s41597-021-00966-z")],
        ),
    ),
    (
        "net_biome_exchange",
        Method(
            "Closed budget",
            "One row is taken for each component, by confidence, interval and period, and they are added with "
            "Monte Carlo draws. What is missing is named on the row. Carbon and CO₂ are converted by molar mass.",
            [("Ciais et al. (2022)", "10.5194/gmd-15-1289-2022")],
        ),
    ),
)

# What docs/validation.md, docs/permafrost.md and docs/published_numbers.md tell of the default run.
LIMITS = (
    "The equilibrium model overestimates permafrost in the Amur: the map of Brown et al. has far less. The Amur's "
    "permafrost lies in valley bottoms, and a cell of a quarter of a degree has one temperature for valley and slope. "
    "See docs/validation.md.",
    "In the Lena the share underlain agrees with the map, but too little of it is cold enough to be called "
    "continuous: an error of 2 K smears the zones (docs/validation.md).",
    "Modelled thaw depths are mostly too large, by half and more in wet, mossy ground, and the Lena delta comes out 2 "
    "to 4 K too warm (docs/validation.md, docs/permafrost.md).",
    "The step of ground temperature between Kyusyur and Tiksi follows from the change of snow class and is uncertain "
    "by several kelvins (docs/permafrost.md).",
    "The cross-section takes the surface from the same n-factors as TTOP, which decide its temperature. With the snow "
    "itself (ground_column.winter: snow) it is 1.7 K warmer in the mean of the default transect, and half of its "
    "permafrost is not in balance (docs/cross_section.md).",
    "The ground under towns is that of the grid cell in balance with a climate. The second climate of the default run "
    "is a given warming and no projection; the strength tables were recalled (docs/ground_under_towns.md).",
    "Permafrost that outlived a colder climate is not in the model, nor are excess ice, taliks, winter inversions "
    "and fire in the ground (docs/permafrost.md).",
    "The intervals hold what moves all cells alike. They do not hold errors of the model's form "
    "(docs/uncertainty.md).",
    "Rows marked as recalled were not read in their source and must be checked before they are quoted. For the Amur "
    "no published DIC or POC load and no evasion was found, for the Lena no fire emission of the basin "
    "(docs/published_numbers.md). A term that is missing is not zero.",
)


def _of(section: dict[str, Any], name: str) -> str:
    value = section.get(name)
    return "not recorded" if value is None else f"{value:g}" if isinstance(value, float) else str(value)


def _percent(section: dict[str, Any], name: str) -> str:
    value = section.get(name)
    return f"{100 * value:.3g} %" if isinstance(value, int | float) else "not recorded"
