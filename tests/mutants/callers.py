"""A plugin of pytest: which functions of the package each test calls, and its seconds.

    python -m pytest -p callers --callers=FILE tests/algebra

A function that runs in another process, or whose answer an earlier test has left in a cache,
is not seen: what calls nothing may still need it.
"""

import json
import sys
import time
from pathlib import Path

import pytest

PACKAGE = f"{Path.cwd() / 'jacobian_bp'}/"
TESTS = {}


def pytest_addoption(parser):
    parser.addoption("--callers", type=Path, required=True, help="where to write, as JSON")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item):
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
