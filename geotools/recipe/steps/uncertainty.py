"""Monte Carlo over inputs and parameters: zone and segment means of every draw."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import xarray as xr

from geotools.metadata import VARIABLES
from geotools.recipe.context import DRAWS, SUMMARISED, Context
from geotools.recipe.files import replacing
from geotools.recipe.steps.fields import label_of, permafrost_settings

if TYPE_CHECKING:
    from geotools.permafrost.equilibrium import Spread
    from geotools.space import Overlap


def run(context: Context) -> list[Path]:
    """Write the means of every draw as draws.nc."""
    path = context.out / DRAWS
    data = compute(context)
    with replacing(path) as temporary:
        data.to_netcdf(temporary, engine="netcdf4")
    return [path]


def compute(context: Context) -> xr.Dataset:
    """Means of the modelled variables by draw, for zones and for segments.

    Returns
    -------
    xarray.Dataset [draw, zone] and [draw, segment]
        Variables `<name>_zone` and `<name>_segment`.
    """
    from geotools.permafrost.equilibrium import draw_perturbations, equilibrium_permafrost
    from geotools.permafrost.parameters import FIELDS

    settings = context.recipe.uncertainty
    fields = context.fields()
    ground = fields[list(FIELDS)]
    rng = np.random.default_rng(settings.seed)
    overlaps = {"zone": context.overlap("zones"), "segment": context.overlap("segments")}
    names = [name for name in SUMMARISED if name != "permafrost_zone"]
    collected: dict[str, list[np.ndarray]] = {dim: [] for dim in overlaps}
    for perturbation in draw_perturbations(spread_of(context), settings.draws, rng):
        modelled = equilibrium_permafrost(
            fields["tas"],
            fields["pr"],
            ground,
            settings=permafrost_settings(context),
            perturbation=perturbation,
        )
        # One array for all variables: the bookkeeping of 30 separate means would cost more than the physics.
        stacked = xr.concat(
            [modelled[n].drop_attrs(deep=False) for n in names],
            xr.Variable("variable", names),
            coords="minimal",
        )
        stacked.attrs["units"] = "1"
        for dim, overlap in overlaps.items():
            collected[dim].append(overlap.mean(stacked).transpose("variable", dim).values)
    return _dataset(context, names, collected, overlaps)


def _dataset(
    context: Context, names: list[str], collected: dict[str, list[np.ndarray]], overlaps: dict[str, Overlap]
) -> xr.Dataset:
    out = xr.Dataset(
        attrs={
            "title": f"{context.recipe.title}: Monte Carlo draws of zone and segment means",
            "comment": f"{label_of(context)}; every draw moves each input and parameter everywhere alike",
            "seed": context.recipe.uncertainty.seed,
            "Conventions": "CF-1.11",
        }
    )
    for dim, draws in collected.items():
        out = out.assign_coords({dim: overlaps[dim].zone_areas[dim].values})
        for i, name in enumerate(names):
            values = np.array([draw[i] for draw in draws]).reshape(len(draws), out.sizes[dim])
            attrs = {
                "units": VARIABLES[name].units,
                "long_name": f"{VARIABLES[name].long_name}, mean of the {dim}",
            }
            out[f"{name}_{dim}"] = (("draw", dim), values, attrs)
    return out


def intervals(context: Context, dim: str) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Lower and upper 95 % bounds of each modelled variable by zone or segment.

    Parameters
    ----------
    context : Context
    dim : {"zone", "segment"}

    Returns
    -------
    dict of str to (numpy.ndarray, numpy.ndarray) [zone or segment]
    """
    found = {}
    with xr.open_dataset(context.out / DRAWS) as data:
        for name, field in data.data_vars.items():
            if not str(name).endswith(f"_{dim}") or not data.sizes["draw"]:
                continue
            draws = field.transpose("draw", dim).values
            bounds = np.full((2, draws.shape[1]), np.nan)
            # Active layers are missing where a draw has no permafrost; the bounds are then over the other draws.
            some = np.isfinite(draws).any(axis=0)
            bounds[:, some] = np.nanquantile(draws[:, some], [0.025, 0.975], axis=0)
            found[str(name).removesuffix(f"_{dim}")] = (bounds[0], bounds[1])
    return found


def spread_of(context: Context) -> Spread:
    """The spread of the recipe as the science takes it."""
    from geotools.permafrost.equilibrium import Spread

    u = context.recipe.uncertainty
    return Spread(
        air_temperature_sd_K=u.air_temperature_sd_K,
        precipitation_cv=u.precipitation_cv,
        n_freezing_sd=u.n_freezing_sd,
        n_thawing_sd=u.n_thawing_sd,
        conductivity_ratio_sd=u.conductivity_ratio_sd,
        thaw_conductivity_cv=u.thaw_conductivity_cv,
        melted_water_cv=u.melted_water_cv,
    )
