"""What starts the suite may ignore signals, as a shell in the background or nohup does."""

import signal

import pytest

HANDLED = {"SIGINT": signal.default_int_handler, "SIGHUP": signal.SIG_DFL}


@pytest.fixture(scope="session", autouse=True)
def signals_end_a_process():
    known = {name: how for name, how in HANDLED.items() if hasattr(signal, name)}
    before = {name: signal.signal(getattr(signal, name), how) for name, how in known.items()}
    yield
    for name, how in before.items():
        signal.signal(getattr(signal, name), how)
