"""A report in each format: text, json, gradescope, junit; for an instructor html, tex, md.

FORMATS["gradescope"](report)    the text of a results.json
FORMATS["html"](report)          a page with the causes, the record, and what the file printed
"""

import json
from collections.abc import Callable
from pathlib import PurePath
from typing import Any
from xml.etree import ElementTree

from ...document.as_html import page
from ...document.as_latex import article
from ...document.as_markdown import markdown
from ...document.as_text import set_already
from ...writing.signs import safe, to_ascii
from ..exercises.verdict import LEVELS
from .grade_report import PASSED, GradeReport, Mark

RECORD = "jacobian-bp grade 1"  # what a full record calls itself
FOR_AN_INSTRUCTOR = ("html", "tex", "md")
CAUSE = LEVELS.index("cause")


def format_for(out: str | None) -> str:
    """The format that the ending of a file asks for: a report's own, else text.

    >>> format_for("ada.html"), format_for("ada.json"), format_for(None)
    ('html', 'text', 'text')
    """
    ending = PurePath(out or "").suffix.lower().removeprefix(".")
    return ending if ending in FOR_AN_INSTRUCTOR else "text"


def as_text(report: GradeReport) -> str:
    """Lines of at most 99 columns."""
    return f"{report}\n"


def as_json(report: GradeReport) -> str:
    """Everything, the messages of all levels and the instructor's record too."""
    document = {
        "format": RECORD,
        "exercise": report.exercise,
        "title": report.title,
        "whose": safe(report.whose),
        "score": report.score,
        "max_score": report.max_score,
        "ok": report.ok,
        "failure": safe(report.failure),
        "labels": list(report.labels),
        "notes": [safe(note) for note in report.notes],
        "seconds": report.seconds,
        "marks": [_mark(mark) for mark in report.marks],
        "record": report.record,
    }
    return _dumped(document)


def as_gradescope(report: GradeReport) -> str:
    """results.json: points, names, tags, the messages of one level; no seed.

    Gradescope adds up the points of the tests. A total is there only where no tests are, as
    it would hold the points on fresh numbers, which are not for everybody yet.
    """
    said = [report.failure, *report.notes]
    total = {} if report.marks else {"score": report.score}
    document: dict[str, Any] = {
        **total,
        "execution_time": report.seconds,
        "output": "\n".join(safe(line) for line in said if line),
        "output_format": "text",
        "visibility": "visible",
        "stdout_visibility": "hidden",
        "tests": [_test(mark, report.level) for mark in report.marks],
        "extra_data": {
            "format": RECORD,
            "exercise": report.exercise,
            "score": report.score,
            "max_score": report.max_score,
            "labels": list(report.labels),
        },
    }
    return _dumped(document)


def as_junit(report: GradeReport) -> str:
    """JUnit's XML: a test case a mark; what is not full is a failure.

    Its type is the mistake's tag at the level that tells causes, else "wrong".
    """
    failed = sum(mark.status != PASSED for mark in report.marks)
    errors = int(bool(report.failure))
    counts = {"tests": len(report.marks) + errors, "failures": failed, "errors": errors}
    attributes = {name: str(count) for name, count in counts.items()}
    attributes |= {"skipped": "0", "time": f"{report.seconds:.3f}"}
    name = f"exercise {report.exercise}"
    root = ElementTree.Element("testsuites", attributes)
    suite = ElementTree.SubElement(root, "testsuite", {"name": name, **attributes})
    points = {"score": f"{report.score:g}", "max_score": f"{report.max_score:g}"}
    _properties(suite, points | ({"whose": safe(report.whose)} if report.whose else {}))
    if report.failure:
        case = _case(suite, name, "the file comes to its end")
        ElementTree.SubElement(
            case, "error", {"message": safe(report.failure), "type": report.kind or "failure"}
        )
    for mark in report.marks:
        case = _case(suite, name, f"{mark.number} {mark.name}")
        _properties(case, {"score": f"{mark.score:g}", "max_score": f"{mark.max_score:g}"})
        if mark.status != PASSED:
            said = safe(mark.messages[report.level]) or mark.status
            kind = mark.tags[0] if mark.tags and report.level == CAUSE else "wrong"
            ElementTree.SubElement(case, "failure", {"message": said, "type": kind}).text = said
    if report.notes:
        out = ElementTree.SubElement(suite, "system-out")
        out.text = "\n".join(safe(note) for note in report.notes)
    ElementTree.indent(root)
    return (
        "<?xml version='1.0' encoding='UTF-8'?>\n"
        + ElementTree.tostring(root, encoding="unicode")
        + "\n"
    )


def log_lines(report: GradeReport) -> list[str]:
    """For the instructor: seeds, times, why the file stopped, what it printed."""
    lines = set_already(report.circumstances())
    printed = str(report.record.get("output", "")).splitlines()
    return [*lines, *(f"printed   {safe(line)[:200]}" for line in printed[:20])]


def _mark(mark: Mark) -> dict[str, Any]:
    return {
        "number": mark.number,
        "name": mark.name,
        "object": mark.object,
        "aspect": mark.aspect,
        "score": mark.score,
        "max_score": mark.max_score,
        "status": mark.status,
        "tags": list(mark.tags),
        "fresh": mark.fresh,
        "messages": [safe(message) for message in mark.messages],
    }


def _test(mark: Mark, level: int) -> dict[str, Any]:
    return {
        "number": mark.number,
        "name": mark.name,
        "score": mark.score,
        "max_score": mark.max_score,
        "status": "passed" if mark.status == PASSED else "failed",
        "output": safe(mark.messages[level]),
        "output_format": "text",
        "tags": list(mark.tags),
        "visibility": "after_published" if mark.fresh else "visible",
    }


def _case(suite: ElementTree.Element, suite_name: str, name: str) -> ElementTree.Element:
    return ElementTree.SubElement(suite, "testcase", {"classname": suite_name, "name": safe(name)})


def _properties(element: ElementTree.Element, values: dict[str, str]) -> None:
    properties = ElementTree.SubElement(element, "properties")
    for name, value in values.items():
        ElementTree.SubElement(properties, "property", {"name": name, "value": value})


def _dumped(document: dict[str, Any]) -> str:
    """Strict JSON in ASCII, so that no reader stumbles over an encoding."""
    return json.dumps(document, indent=1, allow_nan=False) + "\n"


FORMATS: dict[str, Callable[[GradeReport], str]] = {
    "text": lambda report: to_ascii(as_text(report)),
    "json": as_json,
    "gradescope": as_gradescope,
    "junit": as_junit,
    "html": lambda report: page(report.document()),
    "tex": lambda report: article(report.document()),
    "md": lambda report: markdown(report.document()),
}
