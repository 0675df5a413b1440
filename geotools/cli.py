"""The command line: parse, call, print."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(
    name="geotools",
    help="Basin and transect summaries of permafrost, climate and carbon for the Lena and the Amur.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    epilog="Exit codes: 0 done; 1 a bug; 2 the call or recipe is wrong; 3 stopped on bad data; "
    "4 the disk is full, and the same command goes on once there is space.",
)
catalog_app = typer.Typer(help="The data sources geotools knows.", no_args_is_help=True)
app.add_typer(catalog_app, name="catalog")

RecipePath = Annotated[Path, typer.Argument(help="A recipe file.", show_default=False)]
OptionalRecipe = Annotated[
    Path | None,
    typer.Argument(
        help="A recipe file. When left out, the run that the folder holds goes on, or the default recipe on the "
        "bundled data starts.",
        show_default=False,
    ),
]

DefaultRecipe = Annotated[
    Path | None,
    typer.Argument(
        help="A recipe file; the default recipe on the bundled data when left out.", show_default=False
    ),
]

ClusterPlace = Annotated[
    str,
    typer.Option(
        "--cluster",
        help="Where the work is done: threads of this process, processes of this machine, slurm (jobs from a login "
        "node, the tasks of an allocation), or the address of a dask scheduler. See docs/hpc.md.",
    ),
]


@app.callback(invoke_without_command=True)
def _root(
    version: Annotated[bool, typer.Option("--version", help="Print the version and stop.")] = False,
) -> None:
    if version:
        from importlib.metadata import version as installed

        print(f"geotools {installed('lena-amur-geotools')}")
        raise typer.Exit


@app.command()
def run(
    out: Annotated[Path, typer.Option("--out", help="Folder for the results.", show_default=False)],
    recipe: OptionalRecipe = None,
    cluster: ClusterPlace = "threads",
) -> None:
    """Run a recipe and write all results to a folder; a run that was stopped goes on where it was."""
    from geotools.recipe.cluster import open_pool
    from geotools.recipe.execution import run as run_recipe
    from geotools.recipe.progress import reporting

    with reporting() as progress, open_pool(cluster, recipe, out, say=progress.note) as pool:
        result = run_recipe(recipe, out, progress=progress, pool=pool)
    print(result.text())


@app.command()
def export(
    target: Annotated[str, typer.Argument(help="Target model: generic.", show_default=False)],
    out: Annotated[Path, typer.Option("--out", help="Folder for the results.", show_default=False)],
    recipe: OptionalRecipe = None,
    cluster: ClusterPlace = "threads",
) -> None:
    """Write only the joint inputs for a target model."""
    from geotools.recipe.cluster import open_pool
    from geotools.recipe.execution import export as export_inputs
    from geotools.recipe.progress import reporting

    with reporting() as progress, open_pool(cluster, recipe, out, say=progress.note) as pool:
        paths = export_inputs(target, recipe, out, progress=progress, pool=pool)
    for path in paths:
        print(path)


@app.command()
def report(
    run_dir: Annotated[Path, typer.Argument(help="Folder of a finished run.", show_default=False)],
) -> None:
    """Write the report page of a finished run again."""
    from geotools.report import write

    print(write(run_dir))


@app.command(
    epilog="Exit codes: 0 finished; 5 it goes on; 6 it stopped or failed and can go on; 2 no run there."
)
def status(
    run_dir: Annotated[Path, typer.Argument(help="Folder of a run.", show_default=False)],
) -> None:
    """Say what of a run is done, what is left and what failed, also while it goes on."""
    from geotools.recipe.status import status as status_of

    found = status_of(run_dir)
    print(found.text())
    raise typer.Exit(found.exit_code)


@app.command()
def init(
    path: Annotated[Path, typer.Argument(help="File to write.", show_default=False)],
    force: Annotated[bool, typer.Option("--force", help="Overwrite a file that is there.")] = False,
) -> None:
    """Write the default recipe with every key and what it means."""
    from geotools.recipe.loading import write_default

    write_default(path, force=force)
    print(f"wrote {path}; edit it, then `geotools check {path}`")


@app.command()
def check(recipe: RecipePath) -> None:
    """Open everything a recipe names and report all problems at once."""
    from geotools.recipe.check import check as check_recipe

    for line in check_recipe(recipe):
        print(line)


@app.command()
def plan(recipe: DefaultRecipe = None) -> None:
    """Say what a run reads, how large it is, its steps and the memory it needs."""
    from geotools.recipe.plan import plan as plan_recipe

    print(plan_recipe(recipe).text())


@catalog_app.command("list")
def catalog_list(
    catalog: Annotated[
        list[Path] | None, typer.Option("--catalog", help="A catalogue file of your own.")
    ] = None,
) -> None:
    """List the data sources."""
    from geotools.catalog import open_catalog

    for name, row in open_catalog(*(catalog or [])).table().iterrows():
        print(f"{name:20} {row['format']:8} {row['tier']:10} {row['description']}")


@catalog_app.command("show")
def catalog_show(
    name: Annotated[str, typer.Argument(help="Name of a data source.", show_default=False)],
    catalog: Annotated[
        list[Path] | None, typer.Option("--catalog", help="A catalogue file of your own.")
    ] = None,
) -> None:
    """Show one data source: where it is, what it holds, its licence."""
    from geotools.catalog.describe import describe

    print(describe(name, *(catalog or [])))


def main() -> None:
    """Entry point: errors of geotools become one message and an exit code, without a traceback."""
    from geotools.errors import GeotoolsError

    try:
        app(standalone_mode=True)
    except GeotoolsError as error:
        print(f"error: {error}", file=sys.stderr)
        raise SystemExit(error.exit_code) from None
    except KeyboardInterrupt:
        print("stopped; the same command goes on from the last finished block", file=sys.stderr)
        raise SystemExit(130) from None
