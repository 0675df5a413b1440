"""What the issue promises of the default run: files, limits, and basin means near the known ones."""

import json
import sys
from pathlib import Path

import pandas as pd

out = Path(sys.argv[1])
record = json.loads((out / "run.json").read_text())
basins = pd.read_csv(out / "basins.csv").set_index(["zone", "variable"])["mean"]
for name in (
    "budget.csv",
    "transect.csv",
    "transect.nc",
    "transect_line.nc",
    "basins.gpkg",
    "figures/basins_map.png",
    "figures/transect_profile.png",
    "figures/transect_profile.pdf",
    "figures/cross_section.png",
    "figures/cross_section.pdf",
    "cross_section.nc",
    "town_ground.csv",
):
    assert (out / name).stat().st_size > 1000, name
assert record["peak_memory_bytes"] < 2e9, record["peak_memory_bytes"]
expected = {
    ("lena", "maat"): (-7.7, -7.1),
    ("lena", "annual_precipitation"): (485, 505),
    ("amur", "maat"): (0.3, 0.8),
    ("amur", "annual_precipitation"): (590, 660),
    ("amur_with_kherlen", "maat"): (0.3, 0.8),
    ("amur_with_kherlen", "annual_precipitation"): (590, 660),
}
for key, (low, high) in expected.items():
    assert low <= basins[key] <= high, f"{key}: {basins[key]}"
print(
    f"{record['total_duration_s']:.0f} s, {record['peak_memory_bytes'] / 1e9:.2f} GB, {len(record['outputs'])} outputs"
)
