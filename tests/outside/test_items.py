"""Every item of the three seeds is shown, and the table that says where is up to date."""

import importlib.util

from project import DOCS

SPEC = importlib.util.spec_from_file_location("build_items", DOCS / "build_items.py")
items = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(items)


def test_no_item_is_missing():
    assert len(items.ITEMS) == 138
    assert [item for item, where in items.places().items() if not where] == []


def test_the_table_is_the_one_that_the_program_makes():
    assert (DOCS / "items.md").read_text(encoding="utf-8") == items.table()


def test_a_missing_item_would_be_seen(tmp_path, monkeypatch):
    monkeypatch.setattr(items, "DERIVATIONS", tmp_path)
    (tmp_path / "first_seed.txt").write_text("J1   a line\n     J2 not in the margin\n")
    missing = [item for item, where in items.places().items() if not where]
    assert "J1" not in missing
    assert "J2" in missing
