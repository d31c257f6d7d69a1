"""Each page of a mistake in a layer is a planted mistake of an exercise, line by line."""

import ast
import re

import pytest
from project import DOCS

from jacobian_bp.coursework.exercises.catalogue import find_exercise

FOLDER = DOCS / "mistakes/layers"
PAGES = {path.stem: path.read_text("utf-8") for path in sorted(FOLDER.glob("*.md"))}
INDEX = PAGES.pop("README")
SECTIONS = [
    "The right line",
    "The wrong line",
    "What it looks like",
    "Why people write it",
    "How to find it by hand",
    "See also",
]


def told(page):
    """The exercise, the planted mistake, and (name, line) of the right and of the wrong line."""
    exercise = find_exercise(int(re.search(r"find_exercise\((\d+)\)", page)[1]))
    name = re.search(r'each\.name == "([^"]*)"', page)[1]
    lines = re.findall(r"^```python\n(\w+) = (.*)\n```$", page, re.M)
    (planted,) = [each for each in exercise.make(7).mistakes if each.name == name]
    return exercise, planted, lines


def plain(line):
    """A line in one spelling, whatever its quotes and blanks."""
    return ast.unparse(ast.parse(line))


def faults(label, page):
    """What is wrong with a page; its example is run with all others."""
    exercise, planted, lines = told(page)
    (question, right), (other, wrong) = lines
    solutions = {each.name: each.solution for each in exercise.make(7).questions}
    if planted.tag != label:
        yield "another mistake"
    if plain(right) != plain(solutions.get(question, "")):
        yield "the right line"
    if other != question or plain(wrong) != plain(planted.answers.get(question, "")):
        yield "the wrong line"
    if re.findall(r"^## (.*)$", page, re.M) != SECTIONS:
        yield "sections"
    if f"# `{label}`\n" != page[: len(label) + 5]:
        yield "title"
    if f"{question} wrong: {planted.says}" not in page:
        yield "what is said"
    if max(map(len, page.splitlines())) > 110:
        yield "too long"
    if f"Exercise {exercise.number}," not in page.replace("\n", " "):
        yield "the exercise"
    if not all((FOLDER / link).is_file() for link in re.findall(r"\]\(([^)#:]+)\)", page)):
        yield "dead link"


@pytest.mark.parametrize("label", PAGES)
def test_a_page_is_the_planted_mistake_that_it_names(label):
    assert list(faults(label, PAGES[label])) == []


def test_a_page_that_is_not_true_would_be_seen():
    page = PAGES["symmetric-rule"]
    for old, new, fault in (
        ("df_dx = 2 * A.T @ C @ r", "df_dx = 3 * A.T @ C @ r", "the wrong line"),
        ("df_dx = A.T @ (C + C.T) @ r", "df_dx = A.T @ (C - C.T) @ r", "the right line"),
        ("## Why people write it", "## Why", "sections"),
        ("find_exercise(25)", "find_exercise(25)  #", None),
        ("(../transposed.md)", "(../turned.md)", "dead link"),
        ("as if C were symmetric", "as if C were diagonal", "what is said"),
    ):
        assert old in page
        assert list(faults("symmetric-rule", page.replace(old, new))) == [fault] * bool(fault)


def test_the_index_has_every_page_with_its_sentence():
    entries = dict(re.findall(r"^- \[`([a-z-]+)`\]\(\1\.md\): (.*(?:\n  .*)*)$", INDEX, re.M))
    said = {label: " ".join(text.split()) for label, text in entries.items()}
    sentences = {label: " ".join(page.split("\n\n")[1].split()) for label, page in PAGES.items()}
    assert said == sentences
    assert len(PAGES) == 10
