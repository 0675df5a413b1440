"""A run that is killed again and again at random moments, and what it leaves behind in the end.

`python -m benchmarks.resume --kills 30 --json OUT` compares its arrays and tables, bit by bit, with those of an
undisturbed run, counts blocks that were done twice, and looks for temporary files. It also fills the disk, takes an
input away, and lets two runs meet in one folder.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import numpy as np
import xarray as xr
import yaml

# Says when and by what the run was made, so that it differs by nature.
NOT_COMPARED = {"run.json", "report.html", "journal.jsonl"}
RECIPE = {
    "recipe": 1,
    "title": "resume",
    "zones": {"basins": ["lena"]},
    "transect": {
        "points": [["Yakutsk", 62.03, 129.73], ["Zhigansk", 66.77, 123.37]],
        "segment_length_km": 100,
    },
    "grid": {"west": 102.0, "south": 51.0, "east": 142.0, "north": 75.0, "resolution_deg": 1.0},
    "uncertainty": {"draws": 100},
    "series": [
        {
            "source": "era5_climatology",
            "variables": ["tas", "pr"],
            "statistics": ["mean", "p10", "p90"],
            "time_block": 2,
        }
    ],
}


def command(recipe: Path | None, out: Path) -> list[str]:
    """The command line of a run."""
    code = "from geotools.cli import main; main()"
    named = [str(recipe)] if recipe else []
    return [sys.executable, "-c", code, "run", *named, "--out", str(out)]


def run(recipe: Path | None, out: Path, **options: object) -> subprocess.CompletedProcess[str]:
    """Run to the end."""
    return subprocess.run(command(recipe, out), capture_output=True, text=True, check=False, **options)  # type: ignore[call-overload, no-any-return]


def kill_when(recipe: Path, out: Path, moment: float, *, writing: bool) -> bool:
    """Start a run and kill it after some time, or at the first write after it; whether it was still going."""
    process = subprocess.Popen(command(recipe, out), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        process.wait(moment)
        return False
    except subprocess.TimeoutExpired:
        pass
    while writing and process.poll() is None and not any(out.rglob(".*.part-*")):
        time.sleep(0.0005)
    going = process.poll() is None
    process.send_signal(signal.SIGKILL)
    process.wait()
    return going


def differences(one: Path, other: Path) -> list[str]:
    """Arrays and tables that are not the same to the last bit."""
    found = []
    names = [{p.relative_to(folder) for p in folder.rglob("*") if p.is_file()} for folder in (one, other)]
    found += [f"only in one of both: {name}" for name in sorted(names[0] ^ names[1])]
    for name in sorted(names[0] & names[1]):
        a, b = one / name, other / name
        if name.name in NOT_COMPARED or any(part.endswith(".zarr") for part in name.parts):
            continue
        if name.suffix == ".nc":
            found += _different_arrays(a, b, str(name))
        elif name.suffix == ".gpkg":
            found += _different_polygons(a, b, str(name))
        elif a.read_bytes() != b.read_bytes():
            found.append(str(name))
    for store in sorted(one.rglob("*.zarr")):
        name = store.relative_to(one)
        found += _different_arrays(store, other / name, str(name))
    return found


def _different_arrays(a: Path, b: Path, name: str) -> list[str]:
    options = {"engine": "zarr" if a.suffix == ".zarr" else "netcdf4", "decode_cf": False}
    with xr.open_dataset(a, **options) as x, xr.open_dataset(b, **options) as y:
        if set(x.variables) != set(y.variables):
            return [f"{name}: variables"]
        return [
            f"{name}: {v}"
            for v in x.variables
            if np.asarray(x[v].values).tobytes() != np.asarray(y[v].values).tobytes()
            and not (x[v].dtype == object and np.array_equal(x[v].values, y[v].values))
        ]


def _different_polygons(a: Path, b: Path, name: str) -> list[str]:
    import geopandas as gpd

    # The format writes down when it was written.
    return [] if gpd.read_file(a).equals(gpd.read_file(b)) else [name]


def repeated(out: Path) -> list[str]:
    """Blocks and steps that the journal names as done more than once."""
    lines = [json.loads(line) for line in (out / "journal.jsonl").read_text().splitlines() if _whole(line)]
    keys = Counter(e["key"] for e in lines if "block" in e) + Counter(
        f"{e['step']} {e['key']}" for e in lines if "step" in e
    )
    return [key for key, times in keys.items() if times > 1]


def _whole(line: str) -> bool:
    try:
        json.loads(line)
    except ValueError:
        return False
    return True


def leftovers(out: Path) -> list[str]:
    """Hidden files and folders, which a finished run has none of."""
    hidden = (
        p for p in out.rglob(".*") if not any(part.endswith(".zarr") for part in p.relative_to(out).parts)
    )
    return sorted(str(p.relative_to(out)) for p in hidden)


def main() -> None:
    """Print and write what was found; exit code 1 when anything is not as promised."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--kills", type=int, default=30)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--draws", type=int, default=RECIPE["uncertainty"]["draws"])  # type: ignore[index]
    parser.add_argument("--json", type=Path)
    parser.add_argument("--keep", type=Path, help="folder to work in and keep; a temporary one by default")
    options = parser.parse_args()
    work = options.keep or Path(tempfile.mkdtemp())
    work.mkdir(parents=True, exist_ok=True)
    try:
        result: dict[str, object] = {"killed": stress(work, options.kills, options.seed, options.draws)}
        result["input_vanished"] = vanished_input(work)
        result["two_runs"] = two_runs(work)
        result["disk_full"] = full_disk(work)
    finally:
        if not options.keep:
            shutil.rmtree(work)
    print(json.dumps(result, indent=2))
    if options.json:
        options.json.write_text(json.dumps(result, indent=2) + "\n")
    promised = [part["as_promised"] for part in result.values() if isinstance(part, dict)]
    raise SystemExit(0 if all(promised) else 1)


def stress(work: Path, kills: int, seed: int, draws: int) -> dict[str, object]:
    """Kill runs until `kills` of them were hit, finish the last, and compare it with an undisturbed one."""
    recipe = work / "recipe.yml"
    recipe.write_text(yaml.safe_dump({**RECIPE, "uncertainty": {"draws": draws}}))
    whole, out, chance = work / "whole", work / "killed", random.Random(seed)
    start = time.monotonic()
    first = run(recipe, whole)
    if first.returncode:
        raise SystemExit(f"the undisturbed run failed:\n{first.stderr}")
    length = time.monotonic() - start
    done, while_writing, restarts = 0, 0, 0
    while done < kills:
        print(
            f"{done} of {kills} kills, {restarts} runs came to their end before", file=sys.stderr, flush=True
        )
        # Starting takes seconds in which nothing is written; most kills are to come after that.
        moment, writing = chance.uniform(0.1, 0.5 * length), chance.random() < 0.5
        if kill_when(recipe, out, moment, writing=writing):
            done += 1
            while_writing += any(out.rglob(".*.part-*")) if out.exists() else 0
        else:
            # It came to its end before it was killed: from the start again, and what it made is compared as well.
            wrong = differences(whole, out) + repeated(out) + leftovers(out)
            if wrong:
                break
            restarts += 1
            shutil.rmtree(out)
    last = run(recipe, out)
    result: dict[str, object] = {
        "kills": done,
        "kills_that_left_a_file_half_written": while_writing,
        "runs_finished_between_kills": restarts + 1,
        "seconds_of_an_undisturbed_run": round(length, 1),
        "exit_code_of_the_last_run": last.returncode,
        "different": differences(whole, out),
        "done_twice": repeated(out),
        "leftovers": leftovers(out),
    }
    result["as_promised"] = last.returncode == 0 and not any(
        result[name] for name in ("different", "done_twice", "leftovers")
    )
    return result


def ended(out: Path, whole: Path, run_: subprocess.CompletedProcess[str]) -> dict[str, object]:
    """What is to be told of a run that came to its end in the second try."""
    found: dict[str, object] = {
        "exit_code_of_the_last_run": run_.returncode,
        "different": differences(whole, out) if run_.returncode == 0 else [run_.stderr[-500:]],
        "done_twice": repeated(out),
        "leftovers": leftovers(out),
    }
    return found


def vanished_input(work: Path) -> dict[str, object]:
    """Take a Zarr store away while a run reads it, and put it back."""
    import geotools

    store, aside, out, whole = (
        work / name for name in ("my.zarr", "aside.zarr", "vanished", "vanished_whole")
    )
    climate = geotools.open_catalog().open("era5_climatology")[["tas", "pr"]]
    climate.chunk(time=1, lat=60, lon=80).drop_encoding().to_zarr(store, zarr_format=2)
    source = {"path": str(store), "variables": {"tas": {}, "pr": {}}}
    recipe = work / "vanished.yml"
    series = [{"source": source, "variables": ["tas", "pr"], "statistics": ["mean", "p50"], "time_block": 1}]
    recipe.write_text(yaml.safe_dump({**RECIPE, "uncertainty": {"draws": 4}, "series": series}))
    if (first := run(recipe, whole)).returncode:
        raise SystemExit(f"the undisturbed run failed:\n{first.stderr}")
    process = subprocess.Popen(
        command(recipe, out), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    )
    journal = out / "journal.jsonl"
    while process.poll() is None and not (journal.exists() and '"series/' in journal.read_text()):
        time.sleep(0.002)
    store.rename(aside)
    assert process.stderr is not None
    _, said = process.communicate()
    aside.rename(store)
    found = ended(out, whole, run(recipe, out))
    result = {"exit_code": process.returncode, "message": said.strip().splitlines()[-1], **found}
    result["as_promised"] = (
        process.returncode == 3
        and "Traceback" not in said
        and found["exit_code_of_the_last_run"] == 0
        and not any(found[name] for name in ("different", "done_twice", "leftovers"))
    )
    return result


def two_runs(work: Path) -> dict[str, object]:
    """Start a second run in the folder of one that goes on."""
    out = work / "two"
    recipe = work / "vanished.yml"
    first = subprocess.Popen(command(recipe, out), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while first.poll() is None and not (out / "journal.jsonl").exists():
        time.sleep(0.002)
    second = run(recipe, out)
    first.wait()
    found = ended(out, work / "vanished_whole", run(recipe, out))
    result = {"exit_codes": [first.returncode, second.returncode], **found}
    result["as_promised"] = (
        result["exit_codes"] == [0, 2]
        and "a run goes on in this folder" in second.stderr
        and not any(found[name] for name in ("different", "done_twice", "leftovers"))
    )
    return result


def full_disk(work: Path) -> dict[str, object] | str:
    """Run on small disks that are enlarged until the run fits."""
    disk = work / "disk"
    disk.mkdir(exist_ok=True)
    if (
        os.geteuid() != 0
        or subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", disk], check=False).returncode
    ):
        return "not tried: it takes a user who may mount a small file system"
    recipe, out, codes, said = work / "vanished.yml", disk / "out", [], []
    try:
        for kilobytes in (64, 400, 700, 1000, 1400, 40_000):
            subprocess.run(["mount", "-o", f"remount,size={kilobytes}k", disk], check=True)
            last = run(recipe, out)
            codes.append(last.returncode)
            said.append(last.stderr)
        found = ended(out, work / "vanished_whole", last)
    finally:
        subprocess.run(["umount", disk], check=True)
    result = {"exit_codes": codes, **found}
    result["as_promised"] = (
        codes[-1] == 0
        and set(codes[:-1]) == {4}
        and all("No space left on device" in text and "Traceback" not in text for text in said[:-1])
        and not any(found[name] for name in ("different", "done_twice", "leftovers"))
    )
    return result


if __name__ == "__main__":
    main()
