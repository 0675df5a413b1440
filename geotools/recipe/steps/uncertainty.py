"""Monte Carlo over inputs and parameters: zone and segment means of every draw."""

from __future__ import annotations

from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from geotools.metadata import VARIABLES
from geotools.recipe.blocks import FOLDER, Block
from geotools.recipe.context import DRAWS, SUMMARISED, Context, at_once
from geotools.recipe.files import replacing
from geotools.recipe.steps.fields import label_of, permafrost_settings

if TYPE_CHECKING:
    from geotools.permafrost.equilibrium import Perturbation, Spread


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
    from dask.config import set as configured

    from geotools.permafrost.equilibrium import draw_perturbations

    # All draws before these are drawn as well, so that a draw has the same perturbations in any block.
    rng = np.random.default_rng(context.recipe.uncertainty.seed)
    perturbations = islice(draw_perturbations(spread_of(context), stop, rng), start, stop)
    height = context.grid.shape[0]
    # A grid of one chunk is read once for all draws.
    held = _fields_of(context, slice(0, height)) if context.chunk_rows >= height else None
    means: dict[str, list[np.ndarray]] = {dim: [] for dim in _KINDS}
    for perturbation in perturbations:
        drawn = _lazily_drawn(context, perturbation, held)
        # One chunk after the other, for several at once would hold as much as the whole grid.
        with configured(scheduler="synchronous"):
            found = at_once({dim: context.overlap(kind).mean(drawn) for dim, kind in _KINDS.items()})[0]
        for dim, mean in found.items():
            means[dim].append(mean.transpose("variable", dim).values)
    stacked = {dim: (("draw", "variable", dim), np.stack(values)) for dim, values in means.items()}
    xr.Dataset({f"{dim}_means": of for dim, of in stacked.items()}).to_netcdf(path, engine="netcdf4")


def _fields_of(context: Context, rows: slice) -> xr.Dataset:
    """What a draw starts from, on some rows of the grid, in memory."""
    from geotools.permafrost.parameters import FIELDS

    return context.fields()[["tas", "pr", *FIELDS]].isel(lat=rows).load()


def _lazily_drawn(context: Context, perturbation: Perturbation, held: xr.Dataset | None) -> xr.DataArray:
    """The modelled fields of one draw [variable, lat, lon], one task for each chunk of rows."""
    from dask import array
    from dask.delayed import delayed

    def of_rows(first: int, last: int) -> np.ndarray:
        # The context as an argument would be searched for lazy arrays, and all its inputs be read.
        return _drawn(context, perturbation, first, last, held)

    lazily: Any = delayed(of_rows, pure=False)
    joined: Any = array.concatenate
    wrapped: Any = array.from_delayed
    height, width = context.grid.shape
    chunks = [
        (first, min(first + context.chunk_rows, height)) for first in range(0, height, context.chunk_rows)
    ]
    parts = [
        wrapped(lazily(first, last), (len(_DRAWN), last - first, width), "float64") for first, last in chunks
    ]
    # One array for all variables: the bookkeeping of 30 separate means would cost more than the physics.
    field = context.grid.wrap(joined(parts, axis=1), ("variable",))
    return field.assign_coords(variable=list(_DRAWN)).assign_attrs(units="1")


def _drawn(
    context: Context, perturbation: Perturbation, first: int, last: int, held: xr.Dataset | None
) -> np.ndarray:
    """The modelled fields of some rows [variable, lat, lon], made in bands like those of the fields themselves."""
    from geotools.permafrost.equilibrium import equilibrium_permafrost
    from geotools.permafrost.parameters import FIELDS

    fields = _fields_of(context, slice(first, last)) if held is None else held
    step = context.bands[0][1] - context.bands[0][0]
    parts = []
    for start in range(0, last - first, step):
        band = fields.isel(lat=slice(start, start + step))
        modelled = equilibrium_permafrost(
            band["tas"],
            band["pr"],
            band[list(FIELDS)],
            settings=permafrost_settings(context),
            perturbation=perturbation,
        )
        parts.append(np.stack([modelled[name].values for name in _DRAWN]))
    return np.concatenate(parts, axis=1)


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
