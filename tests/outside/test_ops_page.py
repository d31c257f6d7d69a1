"""docs/ops.md is the table that the ops make of themselves."""

import importlib.util

from project import DOCS

SPEC = importlib.util.spec_from_file_location("build_ops", DOCS / "build_ops.py")
build_ops = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(build_ops)


def test_the_page_is_the_one_that_the_program_makes():
    made, committed = build_ops.page(), (DOCS / "ops.md").read_text(encoding="utf-8")
    assert committed == made, "run python docs/build_ops.py > docs/ops.md"


def test_a_changed_formula_would_be_seen(monkeypatch):
    from jacobian_bp import CumSum

    monkeypatch.setattr(CumSum, "reasons", {"x": "another reason"})
    assert (DOCS / "ops.md").read_text(encoding="utf-8") != build_ops.page()
