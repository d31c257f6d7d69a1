"""What holds before every test: signals, the size of the terminal, the numbers that are drawn."""

import gc
import os
import signal
import sys
from functools import partial

import pytest
from sampled import mark_the_others_full

HANDLED = {"SIGINT": signal.default_int_handler, "SIGHUP": signal.SIG_DFL}


def pytest_configure():
    """Each module is compiled once, also where the environment of a container forbids it.

    Else every worker and every process that a test starts compiles the whole package anew.
    """
    sys.dont_write_bytecode = False
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)


@pytest.hookimpl(wrapper=True)
def pytest_collection():
    """What is collected stays to the end: nothing in it is looked at for cycles."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.enable()
        gc.freeze()


@pytest.hookimpl(tryfirst=True)  # before -m chooses
def pytest_collection_modifyitems(items):
    """What is marked one_in(n) is sampled."""
    mark_the_others_full(items)


@pytest.fixture(scope="session", autouse=True)
def signals_end_a_process():
    """What starts the suite may ignore signals, as a shell in the background or nohup does."""
    known = {name: how for name, how in HANDLED.items() if hasattr(signal, name)}
    before = {name: signal.signal(getattr(signal, name), how) for name, how in known.items()}
    yield
    for name, how in before.items():
        signal.signal(getattr(signal, name), how)


@pytest.fixture(scope="session", autouse=True)
def no_terminal_has_a_size():
    """A worker of pytest-xdist, and a shell that exports them, has COLUMNS and LINES."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("COLUMNS", "LINES"):
            patch.delenv(name, raising=False)
        yield


@pytest.fixture(
    scope="session",
    params=[4, pytest.param(1, marks=pytest.mark.full)],
    ids=["a quarter of the points", "all points"],
)
def points(request):
    """The points of a dtype, at which a function is compared with its exact value."""
    from oracle import all_points  # which loads mpmath

    return partial(all_points, one_in=request.param)


@pytest.fixture(autouse=True)
def drawn_anew(request):
    """A test draws the same numbers from its module's RNG, whichever tests ran before it."""
    generator = getattr(getattr(request.node, "module", None), "RNG", None)
    if generator is None:
        yield
        return
    before = generator.bit_generator.state
    yield
    generator.bit_generator.state = before
