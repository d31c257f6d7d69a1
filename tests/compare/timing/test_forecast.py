"""A long comparison says so before it starts, and on a terminal it is asked for."""

from dataclasses import replace

import pytest
from compare_main import QUICK, caller

from jacobian_bp import SpecError, memory_limit
from jacobian_bp.compare.cost.cost_card import RouteCost
from jacobian_bp.compare.timing import forecast
from jacobian_bp.compare.timing.forecast import Call, Forecast, calls_of
from jacobian_bp.writing import terminal

SLOW = Call("full, forward", "width 61", 100_000_000_000, 2**20)
QUICKER = Call("vjp", "width 61", 3721, 2**10)


@pytest.fixture
def call(capsys, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    return caller(capsys)


def refused(calls, rounds=None):
    with pytest.raises(SpecError) as caught:
        Forecast(tuple(calls), rounds).require_yes()
    return str(caught.value)


def test_the_largest_call_is_the_slowest_of_all():
    assert Forecast((QUICKER, SLOW)).lines() == [
        "largest   full, forward at width 61: 100,000,000,000 multiplications, 1.0 MiB at its "
        "peak, about 50 s; all calls: about 2 min"
    ]
    assert Forecast((QUICKER,)).lines() == []
    assert Forecast(()).lines() == []


def test_more_than_a_minute_is_asked_about_and_how_it_is_started_is_said():
    assert refused([QUICKER, SLOW]) == (
        "this comparison takes about 2 min.\n"
        "  Its largest call is full, forward at width 61:\n"
        "  100,000,000,000 multiplications, 1.0 MiB at its peak, about 50 s.\n"
        "  Add --yes to start it, or write smaller sizes."
    )


def test_rounds_that_are_asked_for_count():
    short = replace(SLOW, multiplications=4_000_000_000)
    Forecast((short,)).require_yes()
    assert refused([short], rounds=100).startswith("this comparison takes about 3 min.\n")


def test_more_than_half_of_the_memory_limit_is_asked_about():
    full = replace(QUICKER, peak_bytes=600_000_000)
    with memory_limit("1 GiB"):
        assert refused([QUICKER, full]) == (
            "this comparison takes more than half of the memory limit, 1.0 GiB.\n"
            "  Its fullest call is vjp at width 61:\n"
            "  3,721 multiplications, 572.2 MiB at its peak, less than 1 s.\n"
            "  Add --yes to start it, or write smaller sizes."
        )
    with memory_limit("2 GiB"):
        Forecast((QUICKER, full)).require_yes()


def test_what_is_left_out_or_refused_is_not_counted():
    costs = [RouteCost(r, 7, 7, b, ("J", (7,)), 56) for r, b in (("a", 9), ("b", 11), ("c", 2**30))]
    with memory_limit("1 MiB"):
        assert [c.route for c in calls_of("here", costs, {"b": "left out"})] == ["a"]


@pytest.mark.parametrize("options", ["3-5-2", "--widths 3,5,7"])
def test_on_a_terminal_nothing_is_timed_before_yes(call, monkeypatch, options):
    monkeypatch.setattr(forecast, "PATIENCE", 1e-9)
    monkeypatch.setattr(terminal, "is_watched", lambda: True)
    code, lines, err = call(f"{options} {QUICK} --csv r.csv")
    assert (code, lines) == (2, [])
    assert err.startswith("not written: r.csv; there are no rows\n")
    assert "\njacobian-bp: SpecError: this comparison takes less than 1 s.\n" in err
    assert "Add --yes to start it" in err
    code, lines, err = call(f"{options} {QUICK} --yes")
    assert (code, "SpecError" in err) == (0, False)


@pytest.mark.parametrize("options", ["3-5-2", "--widths 3,5,7"])
def test_in_a_pipe_it_goes_on_and_says_what_it_does_first(call, monkeypatch, options):
    monkeypatch.setattr(forecast, "PATIENCE", 1e-9)
    monkeypatch.setattr(forecast, "ANNOUNCED", 0.0)
    code, lines, _ = call(f"{options} {QUICK}")
    assert code == 0
    told = [at for at, line in enumerate(lines) if line.startswith("largest   full, forward at ")]
    first = [
        at for at, line in enumerate(lines) if line.startswith("measured") or " route " in line
    ]
    assert len(told) == 1
    assert told[0] < first[0]
