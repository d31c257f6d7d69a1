"""Each label of diagnose has a page, and each page says what is true.

The examples run; the wrong line gives the label, the right line is right; no link is dead.
"""

import doctest
import re
from pathlib import Path

import numpy as np
import pytest
from project import DOCS

from jacobian_bp.coursework.diagnosis import LABELS, diagnose
from jacobian_bp.coursework.diagnosis.label_sentences import RIGHT

FOLDER = DOCS / "mistakes"
PAGES = {path.stem: path.read_text(encoding="utf-8") for path in sorted(FOLDER.glob("*.md"))}
INDEX = PAGES.pop("README")
SECTIONS = [
    "The right line",
    "The wrong line",
    "What it looks like",
    "Why people write it",
    "How to find it by hand",
    "See also",
]
PAGE_LENGTH, LINE_LENGTH = (25, 64), 110


# --- reading a page ----------------------------------------------------------------


def sections(page):
    """Heading -> text."""
    parts = re.split(r"^## (.*)\n", page, flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def code(text):
    """The lines of the first block of Python, as one string."""
    found = re.search(r"^```python\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    return found[1] if found else ""


def sentence(page):
    """What stands under the title, in one line."""
    return page.split("\n\n")[1].replace("\n", " ")


def links(text):
    direct = re.findall(r"\]\(([^)#:]+)\)", text)
    return direct + re.findall(r"^\[[^\]]+\]: (\S+)$", text, re.MULTILINE)


# --- what may be wrong with one ----------------------------------------------------


def faults_of_form(label, page):
    lines = page.splitlines()
    if lines[:2] != [f"# `{label}`", ""]:
        yield "title"
    if not sentence(page).endswith("."):
        yield "sentence"
    found = sections(page)
    if list(found) != SECTIONS:
        yield "sections"
    for heading in SECTIONS[:3]:
        if not code(found.get(heading, "")):
            yield f"no code in {heading}"
    if any(not text.strip() for text in found.values()):
        yield "empty section"
    if not PAGE_LENGTH[0] <= len(lines) <= PAGE_LENGTH[1]:
        yield f"{len(lines)} lines"
    yield from faults_of_text(page)


def faults_of_text(text):
    for line in text.splitlines():
        if len(line) > LINE_LENGTH:
            yield f"too long: {line}"
    for target in links(text):
        if not (FOLDER / target).is_file():
            yield f"dead link: {target}"
    shown = (DOCS / "items.md").read_text(encoding="utf-8")
    for item in re.findall(r"\b[JMFX]\d+\b", text):
        if f"| {item} |" not in shown:
            yield f"no item {item}"


def run_examples(label, page):
    """(what fails, the names afterwards)"""
    test = doctest.DocTestParser().get_doctest(page, {}, label, label, 0)
    names, failures = test.globs, []
    runner = doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE, verbose=False)
    runner.run(test, out=failures.append, clear_globs=False)
    shown = [e.want.strip() for e in test.examples if re.match(r"print\(.*\.label\)$", e.source)]
    if label not in shown:
        failures.append("the label is not shown")
    return failures, names


def handed_in(block, names):
    """The arrays that a block of code makes, by the keys of diagnose: d1 is z1, dW1 is W1."""
    names = dict(names)
    with np.errstate(all="ignore"):
        exec(block, names)
    made = dict.fromkeys(re.findall(r"^d(\w+) [-+]?= ", block, re.MULTILINE))
    return {f"z{name}" if name.isdigit() else name: names[f"d{name}"] for name in made}


def faults_of_lines(label, page, names):
    found = sections(page)
    right = diagnose(names["run"], handed_in(code(found["The right line"]), names))
    if not len(right) or not right.ok:
        yield f"the right line is not right:\n{right}"
    wrong = diagnose(names["run"], handed_in(code(found["The wrong line"]), names))
    first = next(iter(wrong)) if label in RIGHT else wrong.first_wrong
    if first is None or wrong[first].label != label or (label in RIGHT and not wrong.ok):
        yield f"the wrong line is something else:\n{wrong}"
    run_too = code(found["What it looks like"])
    for line in code(found["The wrong line"]).splitlines():
        if not re.search(rf"^(>>>|\.\.\.) +{re.escape(line)}$", run_too, re.MULTILINE):
            yield f"not in the example: {line}"


# --- the pages ---------------------------------------------------------------------


def test_each_label_has_a_page_and_each_page_is_a_label():
    assert set(PAGES) == set(LABELS)


@pytest.mark.parametrize("label", PAGES)
def test_a_page_has_all_its_parts(label):
    assert list(faults_of_form(label, PAGES[label])) == []


@pytest.mark.parametrize("label", PAGES)
def test_a_page_says_what_is_true(label):
    failures, names = run_examples(label, PAGES[label])
    assert failures == []
    assert list(faults_of_lines(label, PAGES[label], names)) == []


def test_the_index_has_every_page_with_its_sentence():
    entries = dict(re.findall(r"^- \[`([a-z0-9-]+)`\]\(\1\.md\): (.*(?:\n  .*)*)$", INDEX, re.M))
    said = {label: text.replace("\n  ", " ") for label, text in entries.items()}
    assert said == {label: sentence(page) for label, page in PAGES.items()}
    assert list(faults_of_text(INDEX)) == []


def test_every_page_is_led_to_by_another_one():
    linked = {Path(target).stem for page in PAGES.values() for target in links(page)}
    assert set(LABELS) - linked == set()


# --- and these checks are checks ---------------------------------------------------

PAGE = PAGES["missing-slope"]
PLANTED_IN_FORM = {
    "title": ("# `missing-slope`", "# `missing-slop`"),
    "sections": ("## Why people write it", "## Why"),
    "no code in The wrong line": ("d1 = d2 @ W2\n```", "d1 = d2 @ W2\n``"),
    "dead link: value.md": ("(value-for-slope.md)", "(value.md)"),
    "no item J400": ("item J40", "item J400"),
    "too long: " + "x" * 111: ("## See also", "x" * 111 + "\n## See also"),
}
PLANTED_IN_CODE = {
    "another label": ("\nmissing-slope\n", "\nweight-missing\n"),
    "the right line": ("d1 = (d2 @ W2) * (z1 > 0)", "d1 = (d2 @ W2) * (z1 > 9)"),
    "the wrong line": ("```python\nd1 = d2 @ W2\n", "```python\nd1 = d2 @ W2 * (z1 > 0)\n"),
    "another wrong line": (">>> d1 = d2 @ W2\n", ">>> d1 = (d2 @ W2) * 2\n"),
    "a number": ("0.3348", "0.3349"),
}


def changed(old, new):
    assert PAGE.count(old) == 1
    return PAGE.replace(old, new)


@pytest.mark.parametrize("fault", PLANTED_IN_FORM)
def test_a_page_out_of_form_would_be_seen(fault):
    assert fault in list(faults_of_form("missing-slope", changed(*PLANTED_IN_FORM[fault])))


@pytest.mark.parametrize("fault", PLANTED_IN_CODE)
def test_a_page_that_is_not_true_would_be_seen(fault):
    page = changed(*PLANTED_IN_CODE[fault])
    failures, names = run_examples("missing-slope", page)
    assert failures or list(faults_of_lines("missing-slope", page, names))


def test_an_old_index_would_be_seen():
    assert sentence(PAGE) in INDEX.replace("\n  ", " ")
    assert list(faults_of_text(INDEX.replace("[sign]: sign.md", "[sign]: signs.md"))) == [
        "dead link: signs.md"
    ]
