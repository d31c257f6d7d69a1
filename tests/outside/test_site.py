"""The site: every page of the documentation in it, every link, every option; and it is built."""

import argparse
import importlib.util
import re
import shutil
import subprocess
import sys

import pytest
from project import DOCS, ROOT

from jacobian_bp import cli

SPEC = importlib.util.spec_from_file_location("build_site", DOCS / "build_site.py")
build_site = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(build_site)
NEEDED = ("sphinx", "myst_parser", "furo")


def test_every_page_stands_in_one_chapter():
    listed = [page for pages in build_site.CHAPTERS.values() for page in pages]
    pages = [page.relative_to(DOCS).with_suffix("").as_posix() for page in DOCS.rglob("*.md")]
    own = {"site/index"}  # the first page
    mistakes = {page for page in pages if page.startswith("mistakes/")} - {"mistakes/README"}
    assert sorted(listed) == sorted({*pages} - own - mistakes)


def test_every_name_of_the_package_is_in_the_reference(tmp_path):
    build_site._reference(tmp_path)
    import jacobian_bp

    text = "".join(page.read_text("utf-8") for page in (tmp_path / "reference").glob("*.rst"))
    found = re.findall(r"^\.\. auto(?:class|function):: jacobian_bp\.(\w+)$", text, re.M)
    assert sorted(found) == sorted(set(jacobian_bp.__all__) - {"LAYOUTS", "__version__"})


def test_what_an_object_inherits_from_a_base_that_is_not_offered_is_in_the_reference(tmp_path):
    build_site._reference(tmp_path)
    import jacobian_bp

    def options(page, name):
        text = (tmp_path / "reference" / f"{page}.rst").read_text("utf-8")
        own = text.partition(f".. autoclass:: jacobian_bp.{name}\n")[2].partition("\n\n")[0]
        return own.rstrip().split("\n")

    assert "coo" not in vars(jacobian_bp.Jacobian)  # J.coo() stands on a base
    assert options("jacobians", "Jacobian") == ["   :members:", "   :inherited-members:"]
    assert "gradients_over" not in vars(jacobian_bp.Network)
    assert options("networks", "Network") == ["   :members:", "   :inherited-members:"]
    assert options("coursework", "Diagnosis")[1].startswith("   :inherited-members: Mapping,")
    assert options("errors", "SpecError") == ["   :members:"]  # and nothing of Exception


def test_every_option_of_every_command_is_in_the_reference():
    text = build_site.command_line()
    assert re.findall(r"^## (.*)$", text, re.M)[0] == "jacobian-bp"
    for name in cli._NAMES:
        section = text.partition(f"## jacobian-bp {name}\n")[2].partition("\n## ")[0]
        parser = cli._parser([name])
        subparsers = next(a for a in parser._actions if isinstance(a, argparse._SubParsersAction))
        for action in subparsers.choices[name]._actions:
            if action.help != argparse.SUPPRESS:
                assert [o for o in action.option_strings if o not in section] == []
    assert "--secret-file" not in text.partition("## jacobian-bp derive")[2].partition("## ")[0]


def test_a_link_that_leads_nowhere_and_what_is_loaded_from_elsewhere_are_found(tmp_path):
    (tmp_path / "b").mkdir()
    (tmp_path / "a.html").write_text(
        '<p id="here"><a href="b/c.html#there">x</a><a href="#here">x</a><a href="#gone">x</a>'
        '<a href="b/d.html">x</a><a href="https://example.org">x</a><img src="b/e.svg">'
        '<script src="https://example.org/x.js"></script><img src="data:image/png;base64,AA">'
    )
    (tmp_path / "b" / "c.html").write_text('<p id="there"><a href="../a.html#t">x</a>')
    assert build_site.leading_nowhere(tmp_path) == [
        "a.html: loads https://example.org/x.js from elsewhere",
        "a.html: #gone leads to no place there",
        "a.html: b/d.html leads to no file",
        "a.html: b/e.svg leads to no file",
        f"{build_site.Path('b/c.html')}: ../a.html#t leads to no place there",
    ]


@pytest.mark.full
def test_the_site_is_built_without_a_warning_and_says_nothing_in_a_browser(tmp_path):
    missing = [name for name in NEEDED if importlib.util.find_spec(name) is None]
    if missing:
        pytest.skip(f"{', '.join(missing)}: not installed; pip install 'jacobian-bp[docs]'")
    command = [sys.executable, "docs/build_site.py", str(tmp_path / "site")]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    first = (tmp_path / "site" / "index.html").read_text("utf-8")
    assert 'src="pages/second_seed.html"' in first
    browser = shutil.which("chromium") or shutil.which("chromium-browser")
    if browser is None:
        pytest.skip("no browser is installed")
    for page in ("index", "docs/gallery", "reference/ops"):
        look = [browser, "--headless", "--no-sandbox", "--disable-gpu", "--enable-logging=stderr"]
        place = (tmp_path / "site" / f"{page}.html").as_uri()
        seen = subprocess.run(
            [*look, f"--user-data-dir={tmp_path / 'profile'}", "--dump-dom", place],
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert "</html>" in seen.stdout
        assert re.findall(r"CONSOLE.*", seen.stderr) == []
