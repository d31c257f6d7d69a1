"""Copies and values that are read once are folded, and nothing else."""

import ast
from collections import Counter

import pytest

from jacobian_bp.source.folding import folded, reads_of


def after(text, passing=(), outputs=(), elsewhere=""):
    """The statements of a text, folded."""
    lines = [(statement, "") for statement in ast.parse(text).body]
    read = reads_of([s for s, _ in lines] + ast.parse(elsewhere).body) + Counter(outputs)
    found = folded(lines, set(passing), read)
    return "; ".join(ast.unparse(ast.fix_missing_locations(s)) for s, _ in found)


FOLDED = [
    ("t = x / 9; q = f(t)", "q = f(x / 9)"),
    ("t = x + 1; u = t * 2; q = f(u)", "q = f((x + 1) * 2)"),
    ("t = x / 9; q = f(t) + t", "t = x / 9; q = f(t) + t"),  # it is read twice
    ("t = f(x); x = 2; q = t", "q = f(x); x = 2"),  # a copy, renamed where it is made
    ("t = f(x); x = 2; q = t + 1", "t = f(x); x = 2; q = t + 1"),  # x is another one there
    ("t = f(x); x += 2; q = t + 1", "t = f(x); x += 2; q = t + 1"),
    ("t = f(x); x[0] = 2; q = t + 1", "t = f(x); x[0] = 2; q = t + 1"),
    ("m = f(x); q = m + 1", "m = f(x); q = m + 1"),  # an op's own name
    ("t = f(x); t[0] = 1; q = t + 1", "t = f(x); t[0] = 1; q = t + 1"),
]


@pytest.mark.parametrize(("text", "want"), FOLDED)
def test_what_is_read_once_stands_where_it_is_read(text, want):
    assert after(text, passing=("t", "u"), outputs=("q",)) == want


def test_a_value_that_another_part_reads_keeps_its_name():
    text = "t = f(x); q = t"
    assert after(text, outputs=("q",)) == "q = f(x)"
    assert after(text, outputs=("q",), elsewhere="d = t * 2") == text
    assert (
        after("t = f(x); q = g(t)", passing=("t",), elsewhere="d = t * 2") == "t = f(x); q = g(t)"
    )


def test_a_copy_whose_name_is_in_use_before_stays():
    text = "t = f(x); g(q); q = t"
    assert after(text, outputs=("q",)) == text
    assert after("t = f(x); t[0] = 2; q = t", outputs=("q",)) == "q = f(x); q[0] = 2"


def test_a_line_is_not_made_too_wide():
    wide = " + ".join(f"number_{n}" for n in range(9))
    text = f"t = {wide}; q = f(t)"
    assert after(text, passing=("t",), outputs=("q",)) == text
