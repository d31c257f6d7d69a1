"""A plugin of pytest: which functions of the package each test calls, and its seconds.

    python -m pytest -p callers --callers=FILE [--callers-within=SECONDS] tests/algebra

A function that runs in another process, or whose answer an earlier test has left in a cache,
is not seen: what calls nothing may still need it.
"""

import json
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

PACKAGE = f"{Path.cwd() / 'jacobian_bp'}/"
TESTS = {}


def pytest_addoption(parser):
    parser.addoption("--callers", type=Path, required=True, help="where to write, as JSON")
    parser.addoption("--callers-within", type=float, default=1e9, help="seconds; the rest is left")


def pytest_collection_modifyitems(items):
    """The first case of every test, then the second of every test, and so on."""
    cases = Counter()
    for place, item in enumerate(items):
        name = item.nodeid.split("[")[0]
        items[place] = (cases[name], place, item)
        cases[name] += 1
    items[:] = [item for *_, item in sorted(items)]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item):
    if time.process_time() > item.config.getoption("--callers-within"):
        item.session.shouldstop = "the time is up"
    codes = {}

    def note(frame, event, argument):
        codes[id(frame.f_code)] = frame.f_code

    before, began = sys.gettrace(), time.process_time()
    sys.settrace(note)
    try:
        return (yield)
    finally:
        sys.settrace(before)
        names = {
            f"{code.co_filename.removeprefix(PACKAGE)} {code.co_qualname.replace('.<locals>', '')}"
            for code in codes.values()
            if code.co_filename.startswith(PACKAGE)
        }
        TESTS[item.nodeid] = [time.process_time() - began, sorted(names)]


def pytest_sessionfinish(session):
    session.config.getoption("--callers").write_text(json.dumps(TESTS), "utf-8")
