"""Columns of ground in balance with a mean year, and the profile down to where permafrost ends."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import xarray as xr

from geotools.climate.disaggregation import daily_from_monthly
from geotools.climate.seasonal import monthly_extremes
from geotools.climate.snow_class import snow_density, tundra_snow_share
from geotools.errors import DataError, UsageError
from geotools.guards import Array
from geotools.metadata import Variable
from geotools.permafrost.column_plan import SpinUp
from geotools.permafrost.column_simulation import simulate
from geotools.permafrost.column_statistics import active_layer_thickness, zero_annual_amplitude_depth
from geotools.permafrost.equilibrium import EquilibriumSettings, equilibrium_permafrost
from geotools.permafrost.ground_layers import ColumnSettings, ground_column, resistance_above
from geotools.permafrost.snow_cover import SnowCover
from geotools.permafrost.soil_column import SoilColumn

# Fine where the active layer is, and coarse where nothing changes.
PROFILE_DEPTHS = (
    *(round(0.1 * i, 1) for i in range(20)),
    *(2.0 + 0.5 * i for i in range(36)),
    *(20.0 + 5.0 * i for i in range(8)),
    *(60.0 + 20.0 * i for i in range(23)),
)
# Any year will do: a mean year has no date.
_YEAR = "2001"
# Deep enough to be below most of the annual wave, shallow enough to follow the surface within the years of a pass.
_REFERENCE_DEPTH = 6.0
_PASSES, _PASS_YEARS = 4, 20
# K below 0 degC at which ground of the default freezing curve still holds water.
_STILL_THAWED = 0.02
# K off 0 degC of a first guess that is to be frozen or thawed.
_JUST = 0.3

_RESULTS = {
    v.name: v
    for v in (
        Variable(
            "permafrost_base_depth",
            "m",
            "depth of the base of permafrost, where the mean annual temperature rises to 0 degC",
            "",
            "area: mean",
        ),
        Variable(
            "permafrost_base_depth_ttop",
            "m",
            "depth of the base of permafrost in balance with the temperature of TTOP",
            "",
            "area: mean",
        ),
        Variable(
            "ground_temperature_top",
            "degC",
            "mean annual ground temperature at the top of permafrost or the base of seasonal frost",
            "soil_temperature",
            "area: mean time: mean",
        ),
        Variable(
            "ttop",
            "degC",
            "the same temperature by TTOP, from the same climate and ground",
            "soil_temperature",
            "area: mean time: mean",
        ),
        Variable("difference_from_ttop", "K", "temperature of the column less that of TTOP"),
        Variable("imbalance", "K year-1", "largest change of a temperature of the column over the last year"),
    )
}


def ground_in_balance(
    tas: xr.DataArray,
    pr: xr.DataArray,
    ground: xr.Dataset,
    *,
    settings: EquilibriumSettings | None = None,
    column: ColumnSettings | None = None,
    snow_tas: xr.DataArray | None = None,
    depths: Sequence[float] = PROFILE_DEPTHS,
    years: int = 40,
) -> xr.Dataset:
    r"""Temperature profiles of the ground in balance with a mean year, by the transient column.

    Parameters
    ----------
    tas : xarray.DataArray [time (12), any dims; its units]
        Monthly mean air temperature.
    pr : xarray.DataArray [time (12), any dims; its units]
        Monthly mean precipitation.
    ground : xarray.Dataset [any dims]
        From `ground_parameters`.
    settings : EquilibriumSettings, optional
        Those of the equilibrium chain, for the snow and for the comparison with TTOP.
    column : ColumnSettings, optional
    snow_tas : xarray.DataArray, optional [time (12), any dims; its units]
        Air temperature that snow and its density follow from, `tas` by default: where only the air is to be warmed,
        that of before. `ttop` knows nothing of it.
    depths : sequence of float [m]
        Of the profile, growing. Those below the column follow the geothermal gradient.
    years : int
        That the final profile is stepped.

    Returns
    -------
    xarray.Dataset [any dims, depth]
        `tsl_mean`, `tsl_minimum` and `tsl_maximum` of the year; `active_layer_thickness` and `magt` as in `simulate`;
        `zero_annual_amplitude_depth`; `permafrost_base_depth`; `ground_temperature_top`, `ttop` and their difference;
        `imbalance`; and along depth `simulated`, which is 0 where the profile only follows the geothermal gradient.
        Missing where climate or ground are.

    Raises
    ------
    UsageError, DataError
        As `equilibrium_permafrost` and `simulate`.

    Notes
    -----
    Air temperature times the thawing n-factor is the temperature of the ground surface in summer. In winter it is air
    temperature times the freezing n-factor, or that of the surface of snow of the modelled depth. Months become days by
    `daily_from_monthly`, so that the weather within a month is left out.

    A deep column takes centuries to follow its surface, and a wrong first guess near 0 degC longer. So the temperature
    at 6 m, less what the geothermal flux adds down to there, is taken for the next first guess, a few times, and a
    column that forms permafrost, or an open talik on top of it, begins again frozen, or thawed; after that little is
    left to settle. `imbalance` tells how much still was.

    Permafrost that outlived another climate is missed, as in all that is in balance: its base is where it would be if
    climate never changed, with a geothermal flux that is assumed.
    """
    settings, below = settings or EquilibriumSettings(), column or ColumnSettings()
    levels = np.asarray(depths, dtype="float64")
    if levels.size < 2 or np.any(np.diff(levels) <= 0.0) or levels[0] < 0.0:
        raise DataError(
            f"depths of {', '.join(f'{d:g}' for d in levels)} m",
            where="argument 'depths'",
            expected="at least two depths that grow, from 0 down",
        )
    if years < 2:
        raise UsageError(
            f"{years} years", where="argument 'years'", expected="two or more, to see what changes"
        )
    known = equilibrium_permafrost(tas, pr, ground, settings=settings)
    snowy = known if snow_tas is None else equilibrium_permafrost(snow_tas, pr, ground, settings=settings)
    snow = None
    if below.winter == "snow":
        snow = _snow(tas if snow_tas is None else snow_tas, settings, below)
    forcing = _forcing(tas, snowy, ground, below)
    layers = ground_column(ground, settings=below)
    guess = known["magt"]
    for _ in range(_PASSES):
        guess = _next_guess(layers, forcing, snow, guess)
    # Lines are found in a fine profile, however few depths are wanted.
    fine = np.union1d([*PROFILE_DEPTHS, below.depth], levels)
    run = _stepped(layers, forcing, snow, guess, fine[fine <= below.depth], years)
    out = _profile(run, known["magt"], levels, below)
    return _dressed(
        out.assign(permafrost_base_depth_ttop=_base_of_ttop(known["magt"], layers, below)), below
    ).assign_attrs(
        {
            "method": "transient column stepped into balance with a mean year, below it the geothermal gradient",
            "ground": below.describe(),
            "winter": snow.describe() if snow else f"freezing n-factor, method {settings.n_factor_method}",
        }
    )


def _snow(tas: xr.DataArray, settings: EquilibriumSettings, below: ColumnSettings) -> SnowCover:
    """The snow that goes with an air temperature, but for its depth."""
    tundra = tundra_snow_share(monthly_extremes(tas)["warmest_month"])
    density = snow_density(
        tundra, taiga_density=settings.taiga_snow_density, tundra_density=settings.tundra_snow_density
    )
    return SnowCover(density, conductivity_method=below.snow_conductivity_method)


def _forcing(tas: xr.DataArray, known: xr.Dataset, ground: xr.Dataset, below: ColumnSettings) -> xr.Dataset:
    """Daily surface temperature, and snow depth where there is any, of one year."""
    time = xr.date_range(f"{_YEAR}-01-01", f"{_YEAR}-12-31")
    air = daily_from_monthly(tas, time=time)
    thawing = ground["n_factor_thawing"]
    freezing = known["n_factor_freezing"] if below.winter == "n_factor" else xr.ones_like(thawing)
    # Missing ground is missing the whole year.
    surface = (air * thawing).where(air > 0.0, air * freezing + 0.0 * thawing)
    out = xr.Dataset({"surface": surface.assign_attrs(units="degC")})
    if below.winter == "snow":
        out["snow"] = daily_from_monthly(known["snd"], time=time).assign_attrs(units="m")
    return out


def _stepped(
    column: SoilColumn,
    forcing: xr.Dataset,
    snow: SnowCover | None,
    guess: xr.DataArray,
    depths: Array,
    years: int,
) -> xr.Dataset:
    """The year after a number of years from the steady profile of a first guess."""
    # The same number of years for all, so that no column warns; what is left is told in the result.
    spin_up = SpinUp(years, years, cycle_years=1, tolerance=np.inf, depth=column.depth)
    out = simulate(
        column,
        forcing["surface"],
        snow_depth=forcing.get("snow"),
        snow=snow,
        depths=depths.tolist(),
        spin_up=spin_up,
        initial_temperature=guess.assign_attrs(units="degC"),
    )
    return out.isel(year=0, drop=True)


def _next_guess(
    column: SoilColumn, forcing: xr.Dataset, snow: SnowCover | None, guess: xr.DataArray
) -> xr.DataArray:
    """Surface temperature of the steady profile that a pass of some years was on its way to."""
    depths = np.arange(0.5, _REFERENCE_DEPTH + 0.25, 0.5)
    run = _stepped(column, forcing, snow, guess, depths, _PASS_YEARS)
    reached = run["tsl_mean"].isel(depth=-1, drop=True)
    table = run["active_layer_thickness"]
    # In balance temperatures rise from the table down, so that ground that never freezes cannot lie on permafrost for
    # good; but thawing or freezing what is below takes centuries, which the next guess leaves out.
    open_talik = ((run["tsl_minimum"] > -_STILL_THAWED) & (run["depth"] < table)).any("depth")
    frozen = table.notnull() & ~((guess <= 0.0) & open_talik)
    steady = reached - column.geothermal_flux * resistance_above(column, _REFERENCE_DEPTH, frozen)
    found: xr.DataArray = steady.clip(max=-_JUST).where(frozen, steady.clip(min=_JUST))
    return found.where(guess.notnull())


def _profile(run: xr.Dataset, ttop: xr.DataArray, levels: Array, below: ColumnSettings) -> xr.Dataset:
    """What the year of a column says, with the profile continued below it."""
    names = ("tsl_mean", "tsl_minimum", "tsl_maximum")
    gradient = below.geothermal_flux / below.rock_conductivity
    depth = xr.DataArray(levels, dims="depth", coords={"depth": levels})
    deepest = run["tsl_mean"].isel(depth=-1, drop=True)
    continued = deepest + gradient * (depth - below.depth)
    out = xr.Dataset()
    for name in names:
        inside = run[name].reindex(depth=levels)
        # Below the column no year differs from its mean.
        field = inside.where(depth <= below.depth, continued)
        out[name] = field.transpose(..., "depth").assign_attrs(run[name].attrs)
    out["simulated"] = (
        (depth <= below.depth)
        .astype("int8")
        .assign_attrs(
            long_name="whether a depth was simulated",
            flag_values=np.array([0, 1], dtype="int8"),
            flag_meanings="geothermal_gradient_with_assumed_flux simulated",
        )
    )
    for name in ("active_layer_thickness", "magt"):
        out[name] = run[name]
    profile = run[[*names]]
    out["zero_annual_amplitude_depth"] = _zero_amplitude(profile)
    base = _base(profile["tsl_mean"], deepest, gradient, below.depth).where(
        run["active_layer_thickness"].notnull()
    )
    out["permafrost_base_depth"] = base
    out["ground_temperature_top"] = run["magt"].fillna(_below_frost(profile))
    out["ttop"] = ttop.drop_attrs()
    out["difference_from_ttop"] = out["ground_temperature_top"] - out["ttop"]
    out["imbalance"] = run["spin_up_change"]
    return out.assign_coords(depth=("depth", levels, run["depth"].attrs))


def _dressed(out: xr.Dataset, below: ColumnSettings) -> xr.Dataset:
    """The results with their attributes."""
    for name, variable in _RESULTS.items():
        out[name].attrs = variable.attrs()
        if name.startswith("permafrost_base"):
            out[name].attrs["comment"] = (
                f"a geothermal flux of {below.geothermal_flux:g} W m-2 and {below.rock_conductivity:g} W m-1 K-1 "
                "of rock are assumed"
            )
    return out


def _base_of_ttop(ttop: xr.DataArray, column: SoilColumn, below: ColumnSettings) -> xr.DataArray:
    """Where a steady frozen profile from the temperature of TTOP comes to 0 degC; missing where that is above."""
    frozen = ttop <= 0.0
    in_soil = ttop + below.geothermal_flux * resistance_above(column, below.soil_depth, frozen)
    gradient = below.geothermal_flux / below.rock_conductivity
    # Within the soil the profile is taken as straight, which is off by less than a metre.
    shallow = below.soil_depth * ttop / (ttop - in_soil)
    base: xr.DataArray = (below.soil_depth - in_soil / gradient).where(in_soil <= 0.0, shallow).where(frozen)
    return base


def _zero_amplitude(profile: xr.Dataset) -> xr.DataArray:
    # Two days of one year, which is all that the function needs to know of it.
    ends = xr.concat([profile["tsl_minimum"], profile["tsl_maximum"]], dim="time").assign_coords(
        time=np.array([f"{_YEAR}-01-01", f"{_YEAR}-07-01"], dtype="datetime64[ns]")
    )
    ends.attrs = {"units": "degC"}
    return zero_annual_amplitude_depth(ends).isel(year=0, drop=True)


def _below_frost(profile: xr.Dataset) -> xr.DataArray:
    """Mean temperature at the depth that frost reaches, where there is no permafrost."""
    mirrored = (-profile["tsl_minimum"]).expand_dims(year=[int(_YEAR)]).assign_attrs(units="degC")
    reach = active_layer_thickness(mirrored).isel(year=0, drop=True)
    return _at_depth(profile["tsl_mean"], reach)


def _at_depth(field: xr.DataArray, depth: xr.DataArray) -> xr.DataArray:
    levels = np.asarray(field["depth"].values, dtype="float64")

    def core(values: Array, at: Array) -> Array:
        below = np.clip(np.searchsorted(levels, np.nan_to_num(at)), 1, levels.size - 1)
        share = (at - levels[below - 1]) / (levels[below] - levels[below - 1])
        upper = np.take_along_axis(values, (below - 1)[..., None], axis=-1)[..., 0]
        lower = np.take_along_axis(values, below[..., None], axis=-1)[..., 0]
        return np.asarray(upper + share * (lower - upper))

    out: xr.DataArray = xr.apply_ufunc(
        core, field, depth, input_core_dims=[["depth"], []], dask="parallelized", output_dtypes=["float64"]
    )
    return out


def _base(mean: xr.DataArray, deepest: xr.DataArray, gradient: float, depth: float) -> xr.DataArray:
    """Depth of the deepest rise of the mean temperature through 0 degC; missing where nothing is frozen."""
    levels = np.asarray(mean["depth"].values, dtype="float64")

    def core(values: Array) -> Array:
        above, below = values[..., :-1], values[..., 1:]
        rises = (above <= 0.0) & (below > 0.0)
        with np.errstate(divide="ignore", invalid="ignore"):
            at = levels[:-1] + np.diff(levels) * above / (above - below)
        found = np.where(rises, at, -np.inf).max(axis=-1)
        return np.where(np.isfinite(found), found, np.nan)

    within: xr.DataArray = xr.apply_ufunc(
        core, mean, input_core_dims=[["depth"]], dask="parallelized", output_dtypes=["float64"]
    )
    below: xr.DataArray = (depth - deepest / gradient).where(deepest <= 0.0, within)
    return below
