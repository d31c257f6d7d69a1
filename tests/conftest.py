"""What holds before every test: signals, the size of the terminal, the numbers that are drawn."""

import signal
from functools import partial

import pytest
from sampled import mark_the_others_full

HANDLED = {"SIGINT": signal.default_int_handler, "SIGHUP": signal.SIG_DFL}


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
