"""Every relative link of the documentation leads to a file that is there, and a place in it."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from project import DOCS, ROOT

PAGES = [*(ROOT / f"{name}.md" for name in ("README", "CONTRIBUTING", "CHANGELOG"))]
PAGES += sorted(DOCS.rglob("*.md"))
LINK = re.compile(r"\]\(\s*<?([^)\s>]+)>?(?:\s+[\"'][^)]*)?\)|^\[[^\]]+\]:\s*<?(\S+?)>?\s*$", re.M)
ELSEWHERE = re.compile(r"[a-z][a-z0-9+.-]*:", re.I)  # https:, mailto:


def prose(text: str) -> str:
    """A page without its blocks of code, in which a # begins no heading, and nothing is a link."""
    return re.sub(r"^(```+|~~~+).*?^\1[ \t]*$", "", text, flags=re.M | re.S)


def links(text: str) -> Iterator[str]:
    """Where the links and pictures of a page lead, code in `backticks` left out."""
    for match in LINK.finditer(re.sub(r"`[^`\n]*`", "code", prose(text))):
        yield match[1] or match[2]


def anchors(text: str) -> set[str]:
    """The names of the headings, as GitHub makes them, and those that a page gives itself."""
    names: list[str] = []
    for heading in re.findall(r"^#{1,6}[ \t]+(.*?)[ \t#]*$", prose(text), re.M):
        shown = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading)
        name = re.sub(r"[^\w\- ]", "", shown.lower()).replace(" ", "-")
        again = sum(
            re.fullmatch(rf"{re.escape(name)}(-\d+)?", other) is not None for other in names
        )
        names.append(f"{name}-{again}" if again else name)
    return {*names, *re.findall(r"<a (?:id|name)=\"([^\"]+)\"", text)}


def leads_nowhere(page: Path, text: str) -> list[str]:
    """The relative links of a page that lead to no file, or to no heading or line of it."""
    return [link for link in links(text) if not ELSEWHERE.match(link) and not led(page, text, link)]


def led(page: Path, text: str, link: str) -> bool:
    """Whether a relative link leads to a file of the project, and its anchor to a place there."""
    name, _, anchor = link.partition("#")
    target = page.parent / name if name else page
    if not target.exists() or not target.resolve().is_relative_to(ROOT):
        return False
    if not anchor:
        return True
    there = target.read_text("utf-8") if name else text
    if target.suffix == ".md":
        return anchor in anchors(there)
    lines = re.fullmatch(r"L(\d+)(?:-L(\d+))?", anchor)
    return lines is not None and 0 < int(lines[2] or lines[1]) <= len(there.splitlines())


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_every_relative_link_leads_somewhere(page):
    assert leads_nowhere(page, page.read_text("utf-8")) == []


def test_links_that_lead_nowhere_are_found_and_others_are_not():
    page = DOCS / "grading.md"
    text = (
        "# One `x` & two\n## Same\n## Same\n```\n# no heading\n[no](link.md)\n```\n"
        "[a](#one-x--two) [b](#same-1) [c](grading.md#seeds) [d](../README.md) [e](mistakes)\n"
        "[f](https://example.org/#x) `[g](code.md)` ![h](costs.md \"title\")\n[i]: tables.md\n"
        "[q](#same-2) [r](#no-heading) [s](grading.md#seed) [t](gone.md) ![u](gone.png)\n"
        "[v](../../elsewhere.md)\n[w]: gone2.md\n"
        "[x](../.importlinter#L1) [y](../.importlinter#L9999) [z](../.importlinter#here)\n"
    )  # fmt: skip
    assert leads_nowhere(page, text) == [
        *("#same-2", "#no-heading", "grading.md#seed", "gone.md", "gone.png"),
        *("../../elsewhere.md", "gone2.md", "../.importlinter#L9999", "../.importlinter#here"),
    ]
    assert len(list(links(text))) == 18
    assert sum(len(list(links(page.read_text("utf-8")))) for page in PAGES) > 40
