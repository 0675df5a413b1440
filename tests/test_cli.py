"""The command line: output, exit codes, no tracebacks."""

import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path


def geotools(*arguments, **environment):
    return subprocess.run(
        [sys.executable, "-c", "from geotools.cli import main; main()", *map(str, arguments)],
        capture_output=True, text=True, check=False, env={**os.environ, **environment}, timeout=120,
    )  # fmt: skip


def test_version():
    done = geotools("--version")
    assert re.fullmatch(r"geotools \d+\.\d+\.\d+\n", done.stdout)
    assert done.returncode == 0


def test_help_names_the_commands_and_the_exit_codes():
    done = geotools("--help")
    for word in ("run", "export", "report", "status", "init", "check", "plan", "catalog", "Exit codes"):
        assert word in done.stdout


def test_help_imports_no_heavy_library():
    code = (
        "import sys; from geotools.cli import app; import typer.main; typer.main.get_command(app);"
        "print([m for m in ('numpy', 'xarray', 'pandas', 'geopandas', 'rasterio', 'matplotlib') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_import_of_the_package_is_lazy():
    code = "import geotools, sys; print('numpy' in sys.modules, geotools.__version__)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.startswith("False ")


def test_init_check_and_plan(tmp_path):
    path = tmp_path / "recipe.yml"
    assert geotools("init", path).returncode == 0
    again = geotools("init", path)
    assert again.returncode == 2
    assert "is there already" in again.stderr
    check = geotools("check", path)
    assert check.returncode == 0, check.stderr
    assert "ok: input climate: era5_climatology" in check.stdout
    plan = geotools("plan", path)
    assert plan.returncode == 0, plan.stderr
    assert re.search(r"joint grid\s+21,945 cells", plan.stdout)
    assert "GB projected" in plan.stdout
    assert re.search(r"\nfields\s+1\s", plan.stdout)


def test_plan_refuses_what_does_not_fit_and_names_a_size_that_would(tmp_path):
    path = tmp_path / "recipe.yml"
    path.write_text("grid: {resolution_deg: 0.05}\n")
    done = geotools("plan", path, SLURM_MEM_PER_NODE="600")
    assert done.returncode == 2
    assert "0.6 GB are there (SLURM_MEM_PER_NODE)" in done.stderr
    assert re.search(r"set limits\.block_memory_mb to \d+ or less \(now 256\)", done.stderr)


def test_memory_limit_of_slurm_is_honoured_and_named(tmp_path):
    done = geotools("plan", SLURM_MEM_PER_NODE="3000")
    assert "(SLURM_MEM_PER_NODE)" in done.stdout


def test_catalog_list_and_show():
    done = geotools("catalog", "list")
    assert "era5_climatology" in done.stdout
    show = geotools("catalog", "show", "basins")
    assert "ODbL-1.0" in show.stdout
    assert re.search(r"sha256\s+[0-9a-f]{64}", show.stdout)
    missing = geotools("catalog", "show", "basin")
    assert missing.returncode == 2
    assert "the nearest is 'basins'" in missing.stderr


def test_user_error_is_one_message_with_exit_code_2(tmp_path):
    done = geotools("run", tmp_path / "no.yml", "--out", tmp_path / "out")
    assert done.returncode == 2
    assert done.stderr.startswith("error: ")
    assert "Traceback" not in done.stderr


def test_an_unknown_place_for_the_work_is_told_before_anything_is_made(tmp_path):
    done = geotools("run", "--out", tmp_path / "out", "--cluster", "slrum")
    assert done.returncode == 2
    assert done.stderr.startswith(
        "error: --cluster: unknown place 'slrum'; expected threads, processes, slurm"
    )
    assert not (tmp_path / "out").exists()


def test_bad_data_is_one_message_with_exit_code_3(tmp_path):
    (tmp_path / "climate.nc").write_bytes(b"\x89HDF\r\n\x1a\n and no more")
    (tmp_path / "recipe.yml").write_text(
        "inputs: {climate: {path: climate.nc, variables: {tas: {}, pr: {}}}}\nuncertainty: {draws: 0}\n"
    )
    done = geotools("run", tmp_path / "recipe.yml", "--out", tmp_path / "out")
    assert done.returncode == 3
    assert "cannot be opened as netcdf" in done.stderr
    assert "Traceback" not in done.stderr


def test_report_of_an_unfinished_run_is_refused(tmp_path):
    done = geotools("report", tmp_path)
    assert done.returncode == 2
    assert "not finished" in done.stderr


def test_status_of_a_folder_without_a_run_is_one_message(tmp_path):
    for folder in (tmp_path, tmp_path / "no"):
        done = geotools("status", folder)
        assert done.returncode == 2
        assert done.stderr.startswith("error: ")
        assert "Traceback" not in done.stderr


def test_run_without_out_is_a_usage_error():
    done = geotools("run")
    assert done.returncode == 2
    assert "--out" in done.stderr


def test_a_killed_run_goes_on(tmp_path):
    import yaml

    from tests.recipe.conftest import SMALL

    recipe, out = tmp_path / "recipe.yml", tmp_path / "out"
    recipe.write_text(yaml.safe_dump({**SMALL, "uncertainty": {"draws": 60}}))
    command = [
        sys.executable,
        "-c",
        "from geotools.cli import main; main()",
        "run",
        str(recipe),
        "--out",
        str(out),
    ]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    deadline = time.monotonic() + 60
    journal = out / "journal.jsonl"
    while not (journal.exists() and "\n" in journal.read_text()) and time.monotonic() < deadline:
        time.sleep(0.05)
    running = geotools("status", out)
    assert running.returncode == 5
    assert f"going on, process {process.pid}" in running.stdout
    refused = geotools("run", recipe, "--out", out)
    assert refused.returncode == 2
    assert f"a run goes on in this folder (process {process.pid}" in refused.stderr
    process.kill()
    process.communicate()
    assert not (out / "run.json").exists()
    killed = geotools("status", out)
    assert killed.returncode == 6
    assert "stopped" in killed.stdout
    # Without a recipe: the one that the folder holds.
    done = geotools("run", "--out", out)
    assert done.returncode == 0, done.stderr
    assert re.search(r"^\S+ memory limit [0-9.]+ GB \(.+\)$", done.stderr, re.MULTILINE)
    assert json.loads((out / "recipe.json").read_text())["title"] == "small"
    finished = geotools("status", out)
    assert finished.returncode == 0
    assert "finished" in finished.stdout
    assert "fields: done before, kept" in done.stderr
    assert (out / "run.json").exists()
    assert not list(Path(out).rglob(".*part*"))
    assert [p for p in out.iterdir() if p.name.startswith(".")] == []
