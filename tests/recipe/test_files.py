"""Files that are whole or absent, also after a kill or on a full disk."""

import errno
import os

import pytest

from geotools.errors import DataError, StorageError
from geotools.recipe import files


class Killed(BaseException):
    """Stands for SIGKILL: no clean-up comes after it."""


def store(path, text):
    path.mkdir()
    (path / "chunk").write_text(text)


def test_a_file_appears_whole_and_without_leftovers(tmp_path):
    with files.replacing(tmp_path / "sub" / "a.nc") as temporary:
        temporary.write_text("new")
        assert temporary.suffix == ".nc"
        assert not (tmp_path / "sub" / "a.nc").exists()
    assert [p.name for p in (tmp_path / "sub").iterdir()] == ["a.nc"]


def test_a_failed_write_keeps_the_old_file_and_folder(tmp_path):
    (tmp_path / "a.csv").write_text("old")
    store(tmp_path / "a.zarr", "old")
    for name in ("a.csv", "a.zarr"):
        with pytest.raises(DataError, match="broken"), files.replacing(tmp_path / name):
            raise DataError("broken")
    assert (tmp_path / "a.csv").read_text() == "old"
    assert (tmp_path / "a.zarr" / "chunk").read_text() == "old"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.csv", "a.zarr"]


def test_a_store_takes_the_place_of_an_older_one(tmp_path):
    store(tmp_path / "a.zarr", "old")
    with files.replacing(tmp_path / "a.zarr") as temporary:
        store(temporary, "new")
    assert (tmp_path / "a.zarr" / "chunk").read_text() == "new"
    assert [p.name for p in tmp_path.iterdir()] == ["a.zarr"]


@pytest.mark.parametrize("calls", [0, 1, 2])
def test_a_store_is_whole_after_a_kill_at_any_moment_of_the_swap(tmp_path, monkeypatch, calls):
    path = tmp_path / "a.zarr"
    store(path, "old")
    real, done = os.rename, []

    def rename(old, new):
        if len(done) == calls:
            raise Killed
        done.append(1)
        real(old, new)

    # Removing stands for what the process would have done after the kill.
    monkeypatch.setattr("pathlib.Path.rename", lambda self, target: rename(self, target))
    monkeypatch.setattr(files.shutil, "rmtree", lambda _: (_ for _ in ()).throw(Killed()))
    with pytest.raises(Killed), files.replacing(path) as temporary:
        store(temporary, "new")
    if path.exists():
        assert (path / "chunk").read_text() in ("old", "new")
    monkeypatch.undo()
    files.tidy(tmp_path)
    assert (path / "chunk").read_text() == ("new" if calls == 2 else "old")
    assert [p.name for p in tmp_path.iterdir()] == ["a.zarr"]


def test_a_folder_is_never_seen_half_removed(tmp_path, monkeypatch):
    store(tmp_path / "a.zarr", "old")
    monkeypatch.setattr(files.shutil, "rmtree", lambda _: (_ for _ in ()).throw(Killed()))
    with pytest.raises(Killed):
        files.remove(tmp_path / "a.zarr")
    assert not (tmp_path / "a.zarr").exists()
    monkeypatch.undo()
    files.tidy(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_tidying_leaves_everything_else_alone(tmp_path):
    names = ("a.nc", ".hidden", "part.csv", ".zattrs", ".config.json")
    for name in names:
        (tmp_path / name).write_text("x")
    (tmp_path / ".a.part-0123abcd.nc").write_text("x")
    (tmp_path / ".a.part-0123abcd.gpkg-journal").write_text("x")
    files.tidy(tmp_path)
    assert sorted(p.name for p in tmp_path.iterdir()) == sorted(names)


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS])
def test_a_full_disk_is_one_message_that_says_what_to_do(tmp_path, number):
    def write():
        with files.replacing(tmp_path / "a.csv") as temporary:
            temporary.write_text("half")
            raise OSError(number, os.strerror(number))

    with pytest.raises(StorageError, match=r"a\.csv: it could not be written: .*free.*goes on") as caught:
        write()
    assert caught.value.exit_code == 4
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_is_told_from_other_errors_of_libraries_by_trying(tmp_path, monkeypatch):
    with pytest.raises(RuntimeError, match="HDF error"), files.storing(tmp_path / "a.nc"):
        raise RuntimeError("NetCDF: HDF error")

    def full(_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(files.os, "fsync", full)
    with (
        pytest.raises(StorageError, match=r"a\.nc: it could not be written: No space"),
        files.storing(tmp_path / "a.nc"),
    ):
        raise RuntimeError("NetCDF: HDF error")
    assert list(tmp_path.iterdir()) == []


def test_an_error_of_geotools_is_not_taken_for_a_full_disk(tmp_path):
    with pytest.raises(DataError, match="empty"), files.storing(tmp_path / "a.nc"):
        raise DataError("the polygon is empty")
