"""Monte Carlo over inputs and parameters: zone and segment means of every draw."""

from __future__ import annotations

from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import xarray as xr

from geotools.metadata import VARIABLES
from geotools.recipe.blocks import FOLDER, Block
from geotools.recipe.context import DRAWS, SUMMARISED, Context
from geotools.recipe.files import replacing
from geotools.recipe.steps.fields import label_of, permafrost_settings

if TYPE_CHECKING:
    from geotools.permafrost.equilibrium import Spread


_KINDS = {"zone": "zones", "segment": "segments"}
_DRAWN = tuple(name for name in SUMMARISED if name != "permafrost_zone")
# Draws of a block take some seconds: a killed run loses no more, and writing them costs nothing beside that.
_CELL_DRAWS, _MOST_DRAWS = 440_000, 20


def blocks(context: Context) -> list[Block]:
    """Draws in a row, fewer of them the more cells there are."""
    rows, columns = context.grid.shape
    draws, size = context.recipe.uncertainty.draws, max(1, min(_MOST_DRAWS, _CELL_DRAWS // (rows * columns)))
    digits = len(str(draws - 1))
    found = []
    for start in range(0, draws, size):
        stop = min(start + size, draws)
        name = f"uncertainty/{start:0{digits}d}-{stop - 1:0{digits}d}"
        found.append(Block(name, f"{__name__}:block", {"start": start, "stop": stop}, f"{FOLDER}/{name}.nc"))
    return found


def block(context: Context, path: Path, *, start: int, stop: int) -> None:
    """Write the means of some draws.

    Parameters
    ----------
    context : Context
    path : pathlib.Path
    start, stop : int
        Number of the first draw, and of the one after the last.
    """
    from geotools.permafrost.equilibrium import draw_perturbations, equilibrium_permafrost
    from geotools.permafrost.parameters import FIELDS

    fields = context.fields()
    ground = fields[list(FIELDS)]
    # All draws before these are drawn as well, so that a draw has the same perturbations in any block.
    rng = np.random.default_rng(context.recipe.uncertainty.seed)
    perturbations = islice(draw_perturbations(spread_of(context), stop, rng), start, stop)
    means: dict[str, list[np.ndarray]] = {dim: [] for dim in _KINDS}
    for perturbation in perturbations:
        modelled = equilibrium_permafrost(
            fields["tas"],
            fields["pr"],
            ground,
            settings=permafrost_settings(context),
            perturbation=perturbation,
        )
        # One array for all variables: the bookkeeping of 30 separate means would cost more than the physics.
        stacked = xr.concat(
            [modelled[n].drop_attrs(deep=False) for n in _DRAWN],
            xr.Variable("variable", list(_DRAWN)),
            coords="minimal",
        )
        stacked.attrs["units"] = "1"
        for dim, kind in _KINDS.items():
            means[dim].append(context.overlap(kind).mean(stacked).transpose("variable", dim).values)
    found = {dim: (("draw", "variable", dim), np.stack(values)) for dim, values in means.items()}
    xr.Dataset({f"{dim}_means": of for dim, of in found.items()}).to_netcdf(path, engine="netcdf4")


def run(context: Context) -> list[Path]:
    """Write the means of every draw as draws.nc, from the blocks."""
    path = context.out / DRAWS
    data = _joined(context, [context.out / each.output for each in blocks(context)])
    with replacing(path) as temporary:
        data.to_netcdf(temporary, engine="netcdf4")
    return [path]


def _joined(context: Context, paths: list[Path]) -> xr.Dataset:
    """Means of the modelled variables by draw [draw, zone] and [draw, segment]: `<name>_zone`, `<name>_segment`."""
    out = xr.Dataset(
        attrs={
            "title": f"{context.recipe.title}: Monte Carlo draws of zone and segment means",
            "comment": f"{label_of(context)}; every draw moves each input and parameter everywhere alike",
            "seed": context.recipe.uncertainty.seed,
            "Conventions": "CF-1.11",
        }
    )
    parts = [xr.load_dataset(path, engine="netcdf4") for path in paths]
    for dim, kind in _KINDS.items():
        labels = context.overlap(kind).zone_areas[dim].values
        out = out.assign_coords({dim: labels})
        empty = np.empty((0, len(_DRAWN), labels.size))
        means = np.concatenate([empty, *(part[f"{dim}_means"].values for part in parts)])
        for i, name in enumerate(_DRAWN):
            attrs = {
                "units": VARIABLES[name].units,
                "long_name": f"{VARIABLES[name].long_name}, mean of the {dim}",
            }
            out[f"{name}_{dim}"] = (("draw", dim), means[:, i], attrs)
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
