"""Small inputs, so that a whole run takes a few seconds."""

import importlib

import numpy as np
import pytest
import xarray as xr
import yaml

from geotools.recipe import files

SMALL = {
    "recipe": 1,
    "title": "small",
    "zones": {"basins": ["lena"]},
    "transect": {
        "points": [["Yakutsk", 62.03, 129.73], ["Zhigansk", 66.77, 123.37]],
        "segment_length_km": 100,
    },
    "uncertainty": {"draws": 3},
    "grid": {"west": 102.0, "south": 51.0, "east": 142.0, "north": 75.0, "resolution_deg": 1.0},
}


def perform(step, context):
    """Do a step (or its module) and its blocks, without a journal; returns the number of blocks."""
    every = step.blocks(context) if hasattr(step, "blocks") else []
    if every and hasattr(step, "prepare"):
        step.prepare(context)
    for each in every:
        module, _, name = each.function.partition(":")
        with files.replacing(context.out / each.output) as temporary:
            getattr(importlib.import_module(module), name)(context, temporary, **each.arguments)
    step.run(context)
    return len(every)


def merged(base, changes):
    out = dict(base)
    for key, value in changes.items():
        out[key] = (
            merged(out[key], value) if isinstance(value, dict) and isinstance(out.get(key), dict) else value
        )
    return out


@pytest.fixture
def recipe_file(tmp_path):
    """Write the small recipe with some keys changed."""

    def write(name="recipe.yml", **changes):
        path = tmp_path / name
        path.write_text(yaml.safe_dump(merged(SMALL, changes)))
        return path

    return write


def mean_year(lat, lon):
    """Monthly fields that are colder to the north, with a cold winter."""
    month = np.arange(12)
    wave = -25.0 * np.cos(2 * np.pi * (month - 0.5) / 12)
    tas = (
        wave[:, None, None]
        - 0.7 * (np.asarray(lat)[None, :, None] - 50.0)
        + 0.0 * np.asarray(lon)[None, None, :]
    )
    pr = np.full(tas.shape, 1.2)
    return xr.Dataset(
        {
            "t2m": (("time", "latitude", "longitude"), tas, {"units": "degC"}),
            "tp": (("time", "latitude", "longitude"), pr, {"units": "kg m-2 d-1"}),
        },
        coords={
            "time": np.array([f"2001-{m:02d}-15" for m in range(1, 13)], dtype="datetime64[ns]"),
            "latitude": ("latitude", lat, {"units": "degrees_north"}),
            "longitude": ("longitude", lon, {"units": "degrees_east"}),
        },
    )


VARIABLES = {"tas": {"name": "t2m"}, "pr": {"name": "tp"}}


@pytest.fixture
def climate_file(tmp_path):
    """Write a climate file of one's own, changed by a function."""

    def write(change=lambda d: d, name="my_climate.nc", lat=None, lon=None):
        data = mean_year(
            np.arange(51.5, 75) if lat is None else lat, np.arange(102.5, 142) if lon is None else lon
        )
        change(data).to_netcdf(tmp_path / name)
        return {"path": name, "variables": VARIABLES, "label": "test climate", "tier": "modelled"}

    return write


class Told:
    """Progress that remembers."""

    def __init__(self):
        self.skipped = []

    def plan(self, names):
        pass

    def step(self, name, *, done=False):
        if done:
            self.skipped.append(name)

    def blocks(self, name, done, total):
        pass

    def finish(self, name, seconds):
        pass

    def note(self, text):
        pass
