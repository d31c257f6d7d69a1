"""The documentation site in a real browser: nothing is loaded, nothing sticks out, all can be read.

Skipped where the site's generator, playwright or Chromium is missing.
"""

import subprocess
import sys

import pytest
from browsers import CHROMIUM, CONTRAST, NO_CHROMIUM, chromium
from project import DOCS

pytest.importorskip("sphinx", reason="no generator: pip install -e '.[docs]'")
pytest.importorskip("playwright.sync_api", reason="no playwright: pip install -e '.[browser]'")
pytestmark = [
    pytest.mark.full,
    pytest.mark.skipif(not CHROMIUM, reason=NO_CHROMIUM),
    pytest.mark.filterwarnings("ignore"),  # of the generator
]


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    folder = tmp_path_factory.mktemp("site") / "html"
    # In a process of its own: the generator puts its marks into the defaults of functions.
    build = [sys.executable, str(DOCS / "build_site.py"), str(folder)]
    done = subprocess.run(build, capture_output=True, timeout=600)
    assert done.returncode == 0, done.stderr.decode()
    return folder


@pytest.fixture(scope="module")
def browser():
    with chromium() as opened:
        yield opened


# What ends to the right of the window, and in nothing narrow that is scrolled by itself (the
# whole text of a page is no such thing). A closed drawer waits there.
STICKS_OUT = """() => [...document.querySelectorAll('body *')].filter(e => {
  if (e.closest('.toc-drawer, .sidebar-drawer, svg *')) return false
  if (!e.getClientRects().length || e.getBoundingClientRect().right <= innerWidth + 1) return false
  for (let over = e.parentElement; over !== document.body; over = over.parentElement)
    if (over.matches('pre, .table-wrapper, .math-wrapper')) return false
  return true
}).map(e => e.tagName + ' ' + Math.round(e.getBoundingClientRect().right) + ' px')"""


def opened(browser, wrong, **how):
    context = browser.new_context(offline=True, reduced_motion="reduce", **how)
    tab = context.new_page()
    tab.on("pageerror", lambda error: wrong.append(str(error)))
    tab.on("console", lambda said: wrong.append(said.text) if said.type == "error" else None)
    tab.on("request", lambda asked: wrong.append(asked.url) if foreign(asked.url) else None)
    return tab


def foreign(address):
    return not address.startswith(("file:", "data:", "about:"))


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_page_fits_and_every_text_can_be_read(site, browser, scheme):
    wrong = []
    tab = opened(browser, wrong, color_scheme=scheme)
    pages = sorted(page for page in site.rglob("*.html") if "pages" not in page.parts)
    assert len(pages) > 90
    for page in pages:
        tab.goto(page.as_uri())
        name = page.relative_to(site)
        for width in (1600, 1280, 768, 390):
            tab.set_viewport_size({"width": width, "height": 900})
            wrong += [f"{name}, {width} px: {part}" for part in tab.evaluate(STICKS_OUT, "")]
        wrong += [f"{name}: {text}" for text in tab.evaluate(CONTRAST, "")]
    assert wrong == []


def test_a_wide_or_pale_text_or_a_request_is_noticed(site, browser):
    wrong = []
    tab = opened(browser, wrong, viewport={"width": 390, "height": 900})
    tab.goto((site / "index.html").as_uri())
    tab.evaluate("document.querySelector('h1').style.color = '#999'")
    assert len(tab.evaluate(CONTRAST, "")) >= 1
    tab.evaluate("document.querySelector('h1').style.width = '500px'")
    assert [part.split()[0] for part in tab.evaluate(STICKS_OUT, "")] == ["H1"]
    tab.evaluate("new Image().src = 'https://example.org/x.png'")
    tab.wait_for_timeout(100)
    assert "https://example.org/x.png" in wrong


def test_without_a_script_the_derivation_stands_on_the_first_page(site, browser):
    wrong = []
    tab = opened(browser, wrong, java_script_enabled=False)
    tab.goto((site / "index.html").as_uri())
    tables = tab.frame_locator("iframe").locator("table.grid")
    assert tables.count() > 10
    assert tables.first.is_visible()
    assert wrong == []


def test_on_paper_no_line_of_code_is_cut_off(site, browser):
    wrong = []
    tab = opened(browser, wrong, viewport={"width": 700, "height": 900})  # about an A4 page
    cut_off = """() => [...document.querySelectorAll('pre')]
      .filter(e => e.scrollWidth > e.clientWidth + 1).map(e => e.textContent.slice(0, 30))"""
    for name in ("docs/site/layouts.html", "docs/gallery.html", "docs/command_line.html"):
        tab.goto((site / name).as_uri())
        assert tab.evaluate(cut_off, "") != [], name  # on a screen it is scrolled
        tab.emulate_media(media="print")
        assert tab.evaluate(cut_off, "") == [], name
        tab.emulate_media(media="screen")
    assert wrong == []
