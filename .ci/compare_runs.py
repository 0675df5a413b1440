"""Two runs of one recipe in different places: the same arrays and tables to the last bit, every block done once."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.resume import differences, leftovers, repeated

one, other = (Path(argument) for argument in sys.argv[1:])
# Logs are there only where a cluster wrote some.
found = [line for line in differences(one, other) if not line.startswith("only in one of both: logs/")]
found += [f"done twice: {key}" for key in repeated(other)]
found += [f"left behind: {name}" for name in leftovers(other)]
if found:
    sys.exit("\n".join([f"{other} differs from {one}", *found]))
compared = [p for p in one.rglob("*") if p.suffix in {".csv", ".nc", ".gpkg", ".png"}]
assert len(compared) >= 10, compared
print(f"{other.name}: {len(compared)} files with the arrays and tables of {one.name}, to the last bit")
