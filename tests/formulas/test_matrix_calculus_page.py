"""docs/matrix_calculus.md is what the package makes of its exercises, and each line is right."""

import importlib.util

import pytest
from project import DOCS

SPEC = importlib.util.spec_from_file_location(
    "build_matrix_calculus", DOCS / "build_matrix_calculus.py"
)
build = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(build)
ALL = [exercise for exercises in build.EXERCISES.values() for exercise in exercises]


def test_the_page_is_the_one_that_the_program_makes():
    committed = (DOCS / "matrix_calculus.md").read_text(encoding="utf-8")
    assert committed == build.page(), "run python docs/build_matrix_calculus.py"
    assert len(ALL) >= 40


@pytest.mark.parametrize("title", build.EXERCISES)
def test_every_derivative_of_a_section_is_right(title):
    for exercise in build.EXERCISES[title]:
        found = build.found(exercise)
        assert found.agreement.ok, exercise.text
        assert found.unlike == {}, exercise.text
        assert {row.route for row in found.agreement.rows} == {"full", "structured", "difference"}
        assert all(row.compared == row.total for row in found.agreement.rows), exercise.text


def test_a_derivative_of_another_exercise_is_not_taken_for_right():
    one, other = (build.found(build.Exercise(t, ("x",))) for t in ("x.T @ A @ x", "x.T @ A.T @ x"))
    other.first.texts["x"] = "2 A x"
    arrays = {"x": other.array("x")}
    assert other.first.unlike(other._all_values, arrays, other.sizes)
    assert one.derivatives["x"] == "(A + Aᵀ) x"
