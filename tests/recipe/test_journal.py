"""The journal: what a kill within a line may and may not lose."""

import json

import pytest

from geotools.errors import UsageError
from geotools.recipe import journal
from geotools.recipe.journal import Journal


def block(book, name, key):
    path = book._folder / name
    path.write_text(name)
    book.add_block(name, key, name, journal.identity(path), step_key="s", seconds=1.0, peak_memory_bytes=1)


def test_a_block_counts_only_with_its_key_and_an_intact_file(tmp_path):
    book = Journal(tmp_path)
    block(book, "a", "key a")
    again = Journal(tmp_path)
    assert again.has_block("key a")
    assert not again.has_block("key b")
    (tmp_path / "a").write_text("tampered")
    assert not Journal(tmp_path).has_block("key a")
    (tmp_path / "a").unlink()
    assert not Journal(tmp_path).has_block("key a")


def test_a_kill_within_a_line_loses_that_line_and_no_other(tmp_path):
    book = Journal(tmp_path)
    for name in "abc":
        block(book, name, f"key {name}")
    whole = (tmp_path / journal.FILE).read_bytes()
    last = whole[:-1].rfind(b"\n") + 1
    for cut in range(last, len(whole)):
        (tmp_path / journal.FILE).write_bytes(whole[:cut])
        again = Journal(tmp_path)
        assert again.has_block("key a")
        assert again.has_block("key b")
        # The end of the line is not part of what it tells.
        assert again.has_block("key c") == (cut == len(whole) - 1)
        block(again, "d", "key d")
        after = Journal(tmp_path)
        assert all(after.has_block(f"key {name}") for name in "abd")


@pytest.mark.parametrize(
    "rubbish", [b"\x00" * 40, b"\xff\xfe\n", b"[1, 2]\n", b'{"step": "x"}\n', b"12\n", b'"a"\n', b"{}\n"]
)
def test_lines_that_are_no_entry_are_passed_over(tmp_path, rubbish):
    book = Journal(tmp_path)
    block(book, "a", "key a")
    with (tmp_path / journal.FILE).open("ab") as file:
        file.write(rubbish)
    block(Journal(tmp_path), "b", "key b")
    again = Journal(tmp_path)
    assert again.has_block("key a")
    assert again.has_block("key b")
    assert len(again.entries) == 2


def test_void_blocks_are_done_again(tmp_path):
    book = Journal(tmp_path)
    block(book, "a", "key a")
    block(book, "b", "key b")
    book.add_void(["key b"])
    for each in (book, Journal(tmp_path)):
        assert each.has_block("key a")
        assert not each.has_block("key b")


def test_the_hash_of_an_input_is_known_until_the_input_is_changed(tmp_path):
    Journal(tmp_path).add_input("/data/a.nc", "100 5", "abc")
    assert Journal(tmp_path).input_hash("/data/a.nc", "100 5") == "abc"
    assert Journal(tmp_path).input_hash("/data/a.nc", "100 6") is None


def test_the_same_content_has_the_same_key_in_any_order():
    assert journal.key_of({"a": 1, "b": [2, "c"]}) == journal.key_of({"b": [2, "c"], "a": 1})
    assert journal.key_of({"a": 1}) != journal.key_of({"a": 2})


def test_a_folder_is_claimed_also_after_a_kill_while_it_was_claimed(tmp_path):
    (tmp_path / ".recipe.part-0123abcd.json").write_text('{"half')
    (tmp_path / ".geotools.lock").write_text("")
    journal.claim(tmp_path, {"title": "x"})
    assert json.loads((tmp_path / journal.MARKER).read_text()) == {"title": "x"}


def test_a_damaged_recipe_is_an_error_and_no_traceback(tmp_path):
    (tmp_path / journal.MARKER).write_text('{"half')
    with pytest.raises(UsageError, match=r"recipe\.json: the recipe of the run in this folder is damaged"):
        journal.claim(tmp_path, {"title": "x"})
