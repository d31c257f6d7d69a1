"""Mutants: each kind is made, one is killed and one survives, the tree stays as it is."""

from dataclasses import replace
from textwrap import dedent

import pytest
import run_mutants
from mutants import mutants

PATH, TEST = "jacobian_bp/algebra/clipping.py", "tests/algebra/test_it.py"
CODE = """\
def clipped(values, most: int = 7):
    total = 0
    for value in values:
        if value < most and not value == 3:
            total += value - 1
    return sorted([total], key=abs) if total else [2.5]
"""
EVERY_KIND = [
    ("comparison", "if (value <= most) and not value == 3:"),
    ("comparison", "if value < most and not (value != 3):"),
    ("and/or", "if (value < most or not value == 3):"),
    ("one side", "if (not value == 3):"),
    ("one side", "if (value < most):"),
    ("condition", "if value < most and (value == 3):"),
    ("condition", "if (not (value < most and (not value == 3))):"),
    ("condition", "return sorted([total], key=abs) if (not total) else [2.5]"),
    ("one side", "total = value - 1"),
    ("arithmetic", "total += (value + 1)"),
    ("statement", "pass"),
    ("constant", "total = 1"),
    ("constant", "total = -1"),
    ("constant", "return sorted([total], key=abs) if total else [5.0]"),
    ("argument", "return sorted([total]) if total else [2.5]"),
    ("argument", "return sorted(key=abs) if total else [2.5]"),
    ("branch", "return sorted([total], key=abs)"),
    ("branch", "return ([2.5])"),
    ("statement", "return"),
    ("constant", "def clipped(values, most: int = 8):"),
]
TESTS = """\
from jacobian_bp.algebra import clipping

def test_small_ones_add():
    assert clipping.clipped([1, 3, 5]) == [4]

def test_nothing_calls_it():
    assert True
"""


@pytest.fixture
def tree(tmp_path):
    """A package of one function, with a test that does not look at its edges."""
    for name, text in (("jacobian_bp/algebra/clipping", CODE), ("tests/algebra/test_it", TESTS)):
        file = tmp_path / f"{name}.py"
        file.parent.mkdir(parents=True)
        file.write_text(text)
    for package in ("jacobian_bp", "jacobian_bp/algebra"):
        (tmp_path / package / "__init__.py").touch()
    return tmp_path


def texts(tree):
    return {file: file.read_text() for file in tree.rglob("*.py")}


def test_every_kind_of_mistake_is_made_once(tree):
    made = [(m.kind, m.after) for m in mutants(PATH, tree)]
    assert [one for one in EVERY_KIND if made.count(one) != 1] == []
    assert {m.within for m in mutants(PATH, tree)} == {"clipped"}


def test_what_is_chosen_is_another_program_and_the_same_for_the_same_seed(tree):
    first, again, other = (
        [m.key for m in run_mutants.chosen("algebra", 9, seed, tree)] for seed in (1, 1, 2)
    )
    assert first == again != other
    kinds = {m.kind for m in run_mutants.chosen("algebra", 9, 1, tree)}
    assert len(kinds) == 9
    every = run_mutants.chosen("algebra", 10**6, 1, tree)
    assert {m.code(tree).decode() for m in every}.isdisjoint({CODE})


def test_annotations_and_the_pieces_of_a_text_are_left_alone(tmp_path):
    code = 'def f(x: "tuple[int, 3]") -> 4:\n    y: Literal[5]\n    return f"{x + 6}"\n'
    (tmp_path / "m.py").write_text(code)
    assert [m.after for m in mutants("m.py", tmp_path)] == ["return"]
    (tmp_path / "m.py").write_text("def f(a, b):\n    return zip(a, b, strict=True) or False\n")
    assert not [m.after for m in mutants("m.py", tmp_path) if "strict=False" in m.after]
    (tmp_path / "m.py").write_text('def f():\n    return ""\n')
    assert mutants("m.py", tmp_path) == []


@pytest.mark.skipif(not run_mutants.confinable(), reason="needs namespaces")
def test_a_mistake_is_killed_by_its_test_an_edge_survives_and_the_tree_stays(tree):
    before = texts(tree)
    room = run_mutants.Room("algebra", tree, quick=60)
    made = {m.after: m for m in mutants(PATH, tree)}
    assert room.kills(made["total += (value + 1)"]) == f"{TEST}::test_small_ones_add"
    assert room.kills(made["if (value <= most) and not value == 3:"]) == ""
    assert list(room.tests(made["total = 1"])) == [[f"{TEST}::test_small_ones_add"]]
    assert texts(tree) == before


@pytest.mark.full
@pytest.mark.skipif(not run_mutants.confinable(), reason="needs namespaces")
def test_a_mutant_without_an_end_is_stopped_and_one_that_writes_elsewhere_reaches_nothing(tree):
    room = run_mutants.Room("algebra", tree)
    room.limit = 5
    mutant = next(m for m in mutants(PATH, tree) if m.after == "total = 1")

    def killer(expression):
        return room.kills(replace(mutant, put=expression.encode()))

    assert killer("0 if most < 9 else 1") == ""
    assert (
        killer("[0 for _ in iter(int, 1)]") == f"pytest ended with exit code {run_mutants.TIME_UP}"
    )
    elsewhere = run_mutants.__file__
    assert killer(f"0 * len(open({elsewhere!r}, 'r').name)") == ""
    assert killer(f"0 * len(open({elsewhere!r}, 'a').name)") == f"{TEST}::test_small_ones_add"
    assert killer(f"0 * len(open({str(tree / PATH)!r}).name)") == f"{TEST}::test_small_ones_add"


def test_every_record_is_a_mutant_of_the_code_as_it_is():
    known = run_mutants.equivalents(run_mutants.EQUIVALENT.read_text("utf-8"))
    assert all(reason.strip() for reason in known.values())


def test_a_record_whose_text_no_longer_stands_is_an_error(tree):
    record = dedent("""
        [[mutant]]
        path = "jacobian_bp/algebra/clipping.py"
        within = "clipped"
        before = "total = 0"
        after = "total = 1"
        reason = "none"
    """)
    key = (PATH, "clipped", "total = 0", "total = 1")
    assert run_mutants.equivalents(record, tree) == {key: "none"}
    (tree / key[0]).write_text(CODE.replace("total = 0", "total = 0.0"))
    with pytest.raises(SystemExit) as caught:
        run_mutants.equivalents(record, tree)
    assert str(caught.value) == (
        "No such mutant can be made of the code as it is:\n"
        "jacobian_bp/algebra/clipping.py | clipped | total = 0 | total = 1\n"
        "Correct the record to what stands there now, or remove it."
    )
