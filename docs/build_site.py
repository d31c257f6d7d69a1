"""Build the documentation as a site that needs no server and loads nothing from elsewhere.

    python docs/build_site.py FOLDER

It is made from docs/, the scripts in derivations/ with what they print, the docstrings and the
parser of the command line, by Sphinx (`pip install 'jacobian-bp[docs]'`). Every warning is an
error, and so is a link that leads to no file or place in FOLDER.
"""

import contextlib
import inspect
import io
import os
import re
import shutil
import sys
import tempfile
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote

ROOT = Path(__file__).resolve().parent.parent
HERE = Path(__file__).resolve().parent
CHAPTERS = {
    "Begin": [
        *("site/tutorial", "paths", "command_line", "derivations", "page", "gallery"),
        "matrix_calculus",
    ],
    "How to": [
        *("tables", "add_an_op", "puzzles", "exercises", "grading", "course", "check_gradient"),
        *("diagnose", "diagnose_line", "diagnose_code", "compare", "source"),
        *("models", "interop", "larger_than_memory", "second_derivatives"),
    ],
    "Why": [
        *("site/layouts", "site/two_zeros", "site/routes", "conventions", "costs", "counting"),
        "architecture",
    ],
    "Look up": ["site/sources", "items", "mistakes/README", "ops", "promises"],
}
GROUPS = {
    "networks": ("Networks and runs", ("network", "derivation", "formulas", "numbers")),
    "jacobians": ("Jacobians, Hessians, chains", ("algebra", "curvature", "routes")),
    "checks": ("Checks", ("checks",)),
    "coursework": ("Diagnosis", ("coursework",)),
    "ops": ("Ops", ("ops",)),
    "errors": ("Errors", ("errors",)),
}
CONFIGURATION = """\
project = "jacobian_bp"
extensions = ["myst_parser", "sphinx.ext.autodoc", "plain_docstrings"]
html_theme = "furo"
html_title = "jacobian_bp"
html_copy_source = False
html_show_copyright = False
html_use_index = False
myst_heading_anchors = 4
myst_enable_extensions = []
suppress_warnings = ["misc.highlighting_failure"]
autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_preserve_defaults = True
highlight_language = "none"
html_extra_path = ["extra"]
html_static_path = ["static"]
html_css_files = ["paper.css"]
"""
PAPER = "@media print { pre { white-space: pre-wrap; overflow-wrap: anywhere } }\n"
PLAIN_DOCSTRINGS = """\
import re

from build_site import restructured


def setup(app):
    def process(app, what, name, obj, options, lines):
        lines[:] = restructured(lines)

    def short(app, what, name, obj, options, signature, returns):
        names = r"~[\\w.]+\\."  # the rooms in which the types stand
        return tuple(part and re.sub(names, "", part) for part in (signature, returns))

    app.connect("autodoc-process-docstring", process)
    app.connect("autodoc-process-signature", short)
"""
FRAME = """\
```{raw} html
<iframe src="pages/second_seed.html" title="The gradient of a 3-4-2-1 classifier, step by step"
 style="width:100%;height:70vh;border:1px solid #8888;border-radius:6px"></iframe>
<p><a href="pages/second_seed.html">The same on a page of its own</a>; also
<a href="pages/first_seed.html">in the notation of the first source</a>,
<a href="pages/softmax.html">a batch with a softmax</a>,
<a href="pages/mistakes.html">with mistakes to choose from</a>, and
<a href="pages/second.html">the second derivatives</a>.</p>
```
"""


def main(folder: Path) -> int:
    """Build the site; the exit code is 0 where nothing was warned of and every link leads on."""
    from sphinx.cmd.build import build_main

    with tempfile.TemporaryDirectory() as scratch:
        source = Path(scratch) / "source"
        stage(source)
        sys.path[:0] = [str(source), str(HERE)]
        shutil.rmtree(folder, ignore_errors=True)
        options = ["-q", "-W", "--keep-going", "-b", "html", "-d", str(Path(scratch) / "trees")]
        code = build_main([*options, str(source), str(folder)])
    wrong = leading_nowhere(folder)
    for line in wrong:
        print(line, file=sys.stderr)
    if not code and not wrong:
        print(f"built: {folder}, {len(list(folder.rglob('*.html')))} pages")
    return 1 if code or wrong else 0


def stage(source: Path) -> None:
    """Everything that Sphinx reads, in a folder of its own; relative links stay as they are."""
    python = shutil.ignore_patterns("*.py", "__pycache__")
    shutil.copytree(HERE, source / "docs", ignore=python)
    shutil.copytree(ROOT / "derivations", source / "derivations", ignore=_unread)
    for page in (source / "derivations").rglob("*.md"):  # led to, in no chapter
        page.write_text(f"---\norphan: true\n---\n{page.read_text('utf-8')}", "utf-8")
    (source / "conf.py").write_text(CONFIGURATION, "utf-8")
    (source / "plain_docstrings.py").write_text(PLAIN_DOCSTRINGS, "utf-8")
    (source / "static").mkdir()
    (source / "static" / "paper.css").write_text(PAPER, "utf-8")
    first = (HERE / "site" / "index.md").read_text("utf-8").replace("](../", "](docs/")
    first = re.sub(r"\]\((\w+\.md)", r"](docs/site/\1", first)
    first = first.replace("<!-- derivation -->", FRAME)
    chapters = [_tree(name, [f"docs/{page}" for page in CHAPTERS[name]]) for name in CHAPTERS]
    chapters.append(_tree("Reference", ["reference/command_line", *_reference(source)]))
    (source / "index.md").write_text("\n".join([first, *chapters]), "utf-8")
    (source / "docs" / "site" / "index.md").unlink()
    _mistakes(source / "docs" / "mistakes")
    (source / "reference" / "command_line.md").write_text(command_line(), "utf-8")
    _pages(source / "extra" / "pages")


def _unread(folder: str, names: list[str]) -> list[str]:
    return [name for name in names if name in ("__pycache__", "trained")]


def _tree(caption: str, pages: list[str], hidden: bool = True) -> str:
    shown = ":hidden:\n" if hidden else ""
    return "\n".join(["```{toctree}", f":caption: {caption}\n{shown}", *pages, "```", ""])


def _mistakes(folder: Path) -> None:
    """The list of the mistakes has each of their pages below it, and that of layers its own."""
    pages = sorted(page.stem for page in folder.glob("*.md") if page.stem != "README")
    for below in sorted(page.parent for page in folder.glob("*/README.md")):
        _mistakes(below)
        pages.append(f"{below.name}/README")
    first = folder / "README.md"
    tree = "\n".join(["```{toctree}\n:hidden:\n", *pages, "```", ""])
    first.write_text(f"{first.read_text('utf-8')}\n{tree}", "utf-8")


def _pages(folder: Path) -> None:
    """Pages as the package writes them."""
    import numpy as np

    from jacobian_bp import Network
    from jacobian_bp.coursework.exercises.mistakes_of_run import explored
    from jacobian_bp.reference import X, Y, second_seed

    folder.mkdir(parents=True)
    run, rng = second_seed().run(X, Y), np.random.default_rng(0)
    batch = Network.dense([3, 5, 2], ["tanh", "softmax"], "cross_entropy", seed=0)
    derivation = run.derivation()
    derivation.save(folder / "second_seed.html")
    derivation.save(folder / "mistakes.html", explored=explored(run, derivation))
    run.derivation("first_seed").save(folder / "first_seed.html")
    several = batch.run(rng.normal(size=(7, 3)), rng.integers(0, 2, 7))
    several.derivation().save(folder / "softmax.html")
    run.second_derivation().save(folder / "second.html")


def _reference(source: Path) -> list[str]:
    """A page for each group of the names that the package offers, from their docstrings."""
    import jacobian_bp

    folder = source / "reference"
    folder.mkdir()
    for page, (title, rooms) in GROUPS.items():
        lines = [title, "=" * len(title), ""]
        for name in jacobian_bp.__all__:
            offered = getattr(jacobian_bp, name)
            module = getattr(offered, "__module__", "").removeprefix("jacobian_bp.")
            if module.partition(".")[0] not in rooms:
                continue
            kind = "class" if inspect.isclass(offered) else "function"
            lines.append(f".. auto{kind}:: jacobian_bp.{name}")
            lines += ["   :members:"] * ((kind == "class" and page != "ops") or name == "Op")
            if kind == "class" and page != "ops":
                lines += _inherited(offered)
            lines.append("")
        (folder / f"{page}.rst").write_text("\n".join(lines), "utf-8")
    return [f"reference/{page}" for page in GROUPS]


def _inherited(offered: type) -> list[str]:
    """What is inherited is listed too, where it stands on a base of ours that is not offered."""
    import jacobian_bp

    bases = [base for base in offered.__mro__[1:] if base is not object]
    others = [base.__name__ for base in bases if not base.__module__.startswith("jacobian_bp")]
    if {base.__name__ for base in bases} <= {*others, *jacobian_bp.__all__}:
        return []
    return [f"   :inherited-members: {','.join(others)}".rstrip()]


def restructured(docstring: list[str]) -> list[str]:
    """A docstring of ours for Sphinx: indented lines and examples stay as they are set.

    >>> restructured(["The sum of *all* `x`.", "", "    z = Σ_k x[k]", "", ">>> 1 + 1", "2"])
    ['The sum of \\\\*all\\\\* ``x``.', '', '::', '', '    z = Σ_k x[k]', '', '>>> 1 + 1', '2']
    """
    found: list[str] = []
    kind = ""
    for line in docstring:
        if not line.strip():
            found.append("")
            kind = "" if kind == "example" else kind
        elif line.startswith(">>>") or kind == "example":
            found += [""] * bool(kind != "example" and found and found[-1]) + [line]
            kind = "example"
        elif line.startswith("  "):
            if kind != "literal":
                found += [""] * bool(found and found[-1]) + ["::", ""]
            found.append("    " + line.strip() if not line.startswith("    ") else line)
            kind = "literal"
        else:
            found += [""] * (kind == "literal" and bool(found and found[-1])) + [_prose(line)]
            kind = "prose"
    return found


def _prose(line: str) -> str:
    parts = line.split("`")
    if len(parts) % 2 == 0:  # a backtick without its second
        return re.sub(r"([\\*|_`])", r"\\\1", line)
    bold = r"(\*\*[^\s*][^*]*\*\*)"

    def harmless(words: str) -> str:
        pieces = re.split(bold, words)
        return "".join(
            piece if place % 2 else re.sub(r"([\\*|_])", r"\\\1", piece)
            for place, piece in enumerate(pieces)
        )

    return "".join(
        f"``{part}``" if place % 2 else harmless(part) for place, part in enumerate(parts)
    )


def command_line() -> str:
    """The options of every command, as its parser prints them."""
    from jacobian_bp import cli

    os.environ["COLUMNS"] = "99"
    found = [
        "# The command line, option by option",
        "",
        "As `jacobian-bp COMMAND -h` prints it.",
        "",
    ]
    calls = [[], *([name] for name in cli._NAMES)]
    calls += [["exercise", action] for action in ("list", "new", "check", "hint", "audit")]
    for words in sorted(calls):
        out = io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.suppress(SystemExit):
            cli._parser(words).parse_args([*words, "-h"])
        found += [
            f"## {' '.join(['jacobian-bp', *words])}",
            "",
            "```text",
            out.getvalue(),
            "```",
            "",
        ]
    return "\n".join(found)


class _Links(HTMLParser):
    """Where a page leads, what it loads, and the places in it."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.leads: list[str] = []
        self.loads: list[str] = []
        self.places: set[str] = {""}
        self.feed(text)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        given = {key: value or "" for key, value in attributes}
        self.places |= {given[key] for key in ("id", "name") if key in given}
        for key in ("href", "src"):
            if key in given:
                (self.leads if tag == "a" else self.loads).append(given[key])


def leading_nowhere(folder: Path) -> list[str]:
    """Each link that leads to no file or place in the folder, and whatever is loaded from afar."""
    pages = {page: _Links(page.read_text("utf-8")) for page in sorted(folder.rglob("*.html"))}
    wrong = []
    for page, links in pages.items():
        name = page.relative_to(folder)
        for link in links.loads:
            if re.match(r"[a-z]+:|//", link) and not link.startswith("data:"):
                wrong.append(f"{name}: loads {link} from elsewhere")
        for link in [*links.leads, *links.loads]:
            if re.match(r"[a-z]+:|//", link):
                continue
            path, _, place = link.partition("#")
            target = page if not path else page.parent / unquote(path.partition("?")[0])
            target = Path(os.path.normpath(target))
            if not target.is_file():
                wrong.append(f"{name}: {link} leads to no file")
            elif target in pages and unquote(place) not in pages[target].places:
                wrong.append(f"{name}: {link} leads to no place there")
    return wrong


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1] if len(sys.argv) > 1 else "build/site").resolve()))
