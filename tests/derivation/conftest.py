"""A browser, and the pages that are opened in it."""

import pytest
from browsers import chromium
from open_pages import PAGES


@pytest.fixture(scope="module")
def browser():
    with chromium() as opened:
        yield opened


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """A folder; a page is written into it when a test first asks for it."""
    folder = tmp_path_factory.mktemp("pages")

    def written(name):
        file = folder / f"{name}.html"
        if not file.exists():
            file.write_text(PAGES[name](), "utf-8")
        return file

    return written


@pytest.fixture
def open_page(browser, files):
    """Opens a page; afterwards nothing was asked for, and nothing went wrong."""
    contexts, wrong = [], []

    def opened(
        name="seed", width=1440, scheme="light", place="", script=True, motion="reduce", forced=None
    ):
        context = browser.new_context(
            viewport={"width": width, "height": 900},
            offline=True,
            color_scheme=scheme,
            reduced_motion=motion,
            forced_colors=forced,
            java_script_enabled=script,
        )
        contexts.append(context)
        tab = context.new_page()
        tab.on("pageerror", lambda error: wrong.append(str(error)))
        tab.on("dialog", lambda dialog: wrong.append(dialog.message))
        tab.on("console", lambda said: wrong.append(said.text) if said.type == "error" else None)
        tab.on("request", lambda asked: wrong.append(asked.url) if asked.url[:5] != "file:" else 0)
        tab.goto(files(name).as_uri() + place)
        return tab

    yield opened
    for context in contexts:
        context.close()
    assert wrong == []
