"""Clocks that jump, calls that take no time, and exponents with a known error."""

import contextlib
import gc
import math
import os
import signal
import time

import numpy as np
import pytest

from jacobian_bp import Linear
from jacobian_bp.compare.cost.cost_card import cost_card
from jacobian_bp.compare.report.parts import screen_lines
from jacobian_bp.compare.report.result_tables import exponent, growth_table
from jacobian_bp.compare.timing import stopping
from jacobian_bp.compare.timing.fit import growth, student
from jacobian_bp.compare.timing.growth import THEORY, growths
from jacobian_bp.compare.timing.measure import Journal, measure, peak_bytes, same_numbers, sampled
from jacobian_bp.compare.timing.result import Result, ratio
from jacobian_bp.compare.timing.subjects import ROUTES, Subject, route_subjects
from jacobian_bp.compare.timing.timer import (
    FEWEST_ROUNDS,
    MOST_CALLS,
    ROUNDS,
    Sample,
    Timer,
    quantile,
)
from jacobian_bp.compare.timing.workload import drawn
from jacobian_bp.routes.structured import records


class Clock:
    """A clock that moves only when a call moves it; `jumps` are added to single readings."""

    def __init__(self, jumps=None):
        self.now, self.readings, self.jumps = 0.0, 0, jumps or {}

    def __call__(self):
        self.readings += 1
        self.now += self.jumps.get(self.readings, 0.0)
        return self.now

    def takes(self, seconds):
        def call():
            self.now += seconds

        return call


def test_minimum_median_and_spread():
    sample = Sample(1, [7.0, 2.0, 3.0, 5.0, 11.0])
    assert (sample.minimum, sample.median, sample.spread) == (2.0, 5.0, 4.0)
    assert Sample(1, [3.0]).spread == 0.0


@pytest.mark.parametrize("count", [1, 2, 5, 12])
def test_quantiles_are_those_of_numpy(count):
    values = list(np.random.default_rng(count).standard_normal(count))
    for share in (0.0, 0.25, 0.5, 0.75, 1.0):
        assert math.isclose(quantile(values, share), np.quantile(values, share), abs_tol=1e-15)


def test_short_calls_are_timed_in_batches_and_long_ones_alone():
    clock = Clock()
    calls = {"short": clock.takes(1e-6), "long": clock.takes(0.5)}
    samples = Timer(rounds=3, clock=clock).measure(calls)
    assert samples["short"].calls == 256
    assert samples["long"].calls == 1
    assert math.isclose(samples["short"].minimum, 1e-6, rel_tol=1e-6)
    assert math.isclose(samples["long"].minimum, 0.5)


def test_a_call_that_takes_no_time_divides_nothing_by_zero():
    samples = Timer(rounds=2, clock=Clock()).measure({"nothing": lambda: None})
    assert samples["nothing"].calls == 1
    assert samples["nothing"].seconds == [0.0, 0.0]
    row = Result("t", "q", "nothing").timed(samples["nothing"], True)
    assert ratio(row, row) is None


def test_one_round_has_no_spread():
    clock = Clock()
    sample = Timer(rounds=1, clock=clock).measure({"f": clock.takes(0.25)})["f"]
    assert (sample.rounds, sample.minimum, sample.median, sample.spread) == (1, 0.25, 0.25, 0.0)


def test_a_clock_that_runs_backwards_is_read_again():
    clock = Clock({4: -100.0})  # the end of the first timed round; 1 and 2 warm up
    sample = Timer(rounds=2, clock=clock).measure({"f": clock.takes(0.25)})["f"]
    assert sample.seconds == [0.25, 0.25]


def test_a_clock_that_always_runs_backwards_gives_zero():
    clock = Clock(dict.fromkeys(range(2, 999, 2), -1e9))
    sample = Timer(rounds=2, clock=clock).measure({"f": clock.takes(0.25)})["f"]
    assert sample.seconds == [0.0, 0.0]


@pytest.mark.parametrize(("step", "most"), [(0.0, 32 + 3), (-1.0, 3 * (32 + 3))])
def test_a_clock_that_shows_nothing_does_not_make_the_calls_more(step, most):
    """It stands still, or runs backwards: there is no batch that it could time."""
    clock, done = Clock(dict.fromkeys(range(1, 10**6), step)), []
    sample = Timer(rounds=3, clock=clock).measure({"f": lambda: done.append(1)})["f"]
    assert (sample.calls, sample.seconds) == (1, [0.0] * 3)
    assert len(done) <= most


def test_a_coarse_clock_is_given_longer_batches():
    """It moves in steps of 10 us, of a call of 1 us: the first batches may show nothing."""
    clock = Clock()
    coarse = Timer(rounds=1, clock=lambda: math.floor(clock() * 1e5) / 1e5)
    sample = coarse.measure({"f": clock.takes(1.03e-6)})["f"]
    assert sample.calls == 256
    assert math.isclose(sample.minimum, 1.03e-6, rel_tol=0.1)


def test_calls_in_a_batch_have_a_limit():
    clock = Clock()
    assert Timer(rounds=1, clock=clock).measure({"f": clock.takes(1e-12)})["f"].calls == MOST_CALLS


def test_a_jump_forward_leaves_minimum_and_median_alone():
    clock = Clock({6: 1000.0})
    sample = Timer(rounds=5, clock=clock).measure({"f": clock.takes(0.25)})["f"]
    assert (sample.minimum, sample.median, sample.spread) == (0.25, 0.25, 0.0)
    assert max(sample.seconds) > 1000


def test_candidates_take_turns():
    clock, order = Clock(), []

    def call(name):
        def run():
            order.append(name)
            clock.now += 0.25

        return run

    Timer(rounds=3, clock=clock).measure({"f": call("f"), "g": call("g")})
    assert order == ["f", "g", *"fgfgfg"]  # warm-up first


def test_a_slow_candidate_has_fewer_rounds_unless_they_are_asked_for():
    for rounds, expected in ((None, FEWEST_ROUNDS), (5, 5)):
        clock = Clock()
        calls = {"slow": clock.takes(2.0), "quick": clock.takes(0.001)}
        samples = Timer(rounds, clock).measure(calls)
        assert samples["slow"].rounds == expected
        assert samples["quick"].rounds == rounds or ROUNDS


def test_an_interruption_leaves_the_rounds_that_were_done():
    clock, samples, done = Clock(), {}, []

    def call():
        clock.now += 0.25
        done.append(1)
        if len(done) == 4:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Timer(rounds=9, clock=clock).measure({"f": call}, samples)
    assert samples["f"].seconds == [0.25, 0.25]
    assert gc.isenabled()


def test_the_collector_is_off_meanwhile_and_as_before_afterwards():
    seen = []
    Timer(rounds=1).measure({"f": lambda: seen.append(gc.isenabled())}, {})
    assert not any(seen)
    assert gc.isenabled()
    gc.disable()
    try:
        Timer(rounds=1).measure({"f": lambda: None})
        assert not gc.isenabled()
    finally:
        gc.enable()


# ---------------------------------------------------------------- exponents


def test_an_exact_power_has_no_margin():
    fit = growth([3, 5, 11, 17], [7 * n**2.5 for n in (3, 5, 11, 17)])
    assert math.isclose(fit.exponent, 2.5)
    assert fit.margin < 1e-12
    assert fit.points == 4


def test_the_margin_is_that_of_the_textbook():
    sizes, values = [2, 4, 8, 16], [3.0, 5.0, 13.0, 29.0]
    u, v = np.log(sizes), np.log(values)
    (slope, cut), square = np.polyfit(u, v, 1), ((u - u.mean()) ** 2).sum()
    left_over = ((v - slope * u - cut) ** 2).sum()
    fit = growth(sizes, values)
    assert math.isclose(fit.exponent, slope)
    assert math.isclose(fit.margin, 4.303 * math.sqrt(left_over / 2 / square))


def test_the_interval_covers_the_truth_as_often_as_it_says():
    generator, sizes, hits = np.random.default_rng(0), [2, 4, 8, 16, 32], 0
    for _ in range(2000):
        values = np.array(sizes) ** 3 * np.exp(0.1 * generator.standard_normal(5))
        fit = growth(sizes, list(values))
        hits += abs(fit.exponent - 3) <= fit.margin
    assert 0.93 < hits / 2000 < 0.97


@pytest.mark.parametrize(("freedom", "expected"), [(1, 12.706), (20, 2.086), (21, 2.0796)])
def test_the_quantile_of_students_t_is_that_of_the_tables(freedom, expected):
    assert math.isclose(student(freedom), expected, abs_tol=6e-4)


def test_too_few_points_have_no_exponent():
    assert growth([2, 4], [1.0, 2.0]) is None
    assert growth([2, 4, 8], [1.0, 0.0, 2.0]) is None
    assert growth([], []) is None


def test_the_overhead_is_taken_off_and_short_calls_are_left_out():
    def rows(sizes):
        return [
            Result("t", "gradient", "vjp", "width", n, minimum=1e-3 + 1e-5 * n**2, complete=True)
            for n in sizes
        ]

    (found,) = growths("width", rows([2, 3, 8, 16]), {"vjp": 1e-3})
    assert found.seconds is None  # of 8 and 16 alone a call is so much longer
    (found,) = growths("width", rows([2, 3, 8, 16, 32]), {"vjp": 1e-3})
    assert math.isclose(found.seconds.exponent, 2)
    assert (found.seconds.points, found.rows_used) == (3, "8 up")
    assert (found.theory_time, found.theory_bytes) == (2, 2)
    (slack,) = growths("width", rows([2, 3, 8, 16, 32]), {})
    assert slack.seconds.exponent < 1.5  # the overhead left in pulls the exponent down
    assert any(
        line.startswith("  seconds: of the whole call")
        for line in screen_lines(growth_table("w", [slack]))
    )
    assert any(
        line.startswith("  seconds: without those")
        for line in screen_lines(growth_table("w", [found]))
    )


def test_size_1_is_not_fitted_where_its_own_time_is_taken_off():
    """What is left of it is the noise between two measurements of the same call."""

    def row(n, seconds):
        return Result("t", "gradient", "vjp", "depth", n, minimum=seconds, complete=True)

    rows = [row(1, 1.3e-3), row(2, 3e-3), row(4, 5e-3), row(8, 9e-3)]  # the 1.3 was disturbed
    (found,) = growths("depth", rows, {"vjp": 1e-3})
    assert math.isclose(found.seconds.exponent, 1)
    assert (found.seconds.points, found.rows_used) == (3, "2 up")
    (found,) = growths("depth", rows[:3], {"vjp": 1e-3})
    assert (found.seconds, found.rows_used) == (None, "too few")
    (found,) = growths("depth", rows, {})  # nothing taken off: it is a size like the others
    assert (found.seconds.points, found.rows_used) == (4, "1 up")


def test_an_interval_that_leaves_the_theory_out_is_said():
    def lines(power):
        rows = [
            Result("t", "gradient", "vjp", "width", n, minimum=n**power, complete=True)
            for n in (2, 3, 5, 7)
        ]
        return "\n".join(screen_lines(growth_table("width", growths("width", rows, {}))))

    away = "  vjp: the theory of the seconds lies outside the interval: smaller terms, or the"
    assert away in lines(1.2)
    assert away not in lines(2)


def test_an_interval_wider_than_the_value_says_nothing():
    wide = growth([2, 4, 8], [3.0, 1.0, 7.0])
    assert wide.margin > wide.exponent
    assert exponent(wide) == "not known"
    assert exponent(growth([2, 4, 8], [3.0, 11.0, 43.0])) == "1.92 ± 0.34"
    assert exponent(None) == "-"


def test_there_is_a_theory_for_every_route():
    assert all(set(routes) == set(ROUTES) for routes in THEORY.values())


# ---------------------------------------------------------------- bytes and numbers


def test_the_peak_counts_what_dies_within_the_call():
    def call():
        first = np.ones(500_000)
        return (first * 2).sum()

    peak, _ = peak_bytes(call)
    # A thread of the test runner may receive a message meanwhile: tens of kilobytes.
    assert 8_000_000 <= peak < 8_200_000


def test_mapped_pages_are_counted_also_where_the_result_does_not_lie_in_them():
    jacobian = drawn([89, 89], None).run.jacobian("z1", "W1")  # 5.6 MB, on pages of its own
    row = np.linspace(-1, 1, 89)
    for call in (jacobian.materialise, lambda: np.tensordot(row, jacobian.materialise(), 1)):
        peak, _ = peak_bytes(call)
        assert jacobian.nbytes <= peak < jacobian.nbytes + 200_000


def test_pages_that_are_let_go_are_not_counted_twice():
    jacobian = drawn([89, 89], None).run.jacobian("z1", "W1")

    def one_after_the_other():
        for _ in range(3):
            jacobian.materialise()

    assert peak_bytes(one_after_the_other)[0] < 1.1 * jacobian.nbytes


@pytest.mark.parametrize("route", ["structured", "full, reverse"])
def test_each_call_makes_its_own_local_jacobians(monkeypatch, route):
    task, made = drawn([7, 5, 3], 11), []
    right = Linear.jacobians
    monkeypatch.setattr(Linear, "jacobians", lambda *given: made.append(1) or right(*given))
    (call,) = (s.prepare() for s in route_subjects(task) if s.name == route)
    made.clear()
    call()
    each = len(made)
    call()
    assert len(made) == 2 * each > 0


def test_the_algebra_of_structured_is_recorded_before_it_is_measured(monkeypatch):
    """Also where a call is so slow that it is made once: its bytes are those of a replay."""
    task = drawn([7, 5, 3], 11)
    recorded = records(task.run.forward_pass.program)
    (subject,) = (s for s in route_subjects(task) if s.name == "structured")
    seen = []

    def counted(call):
        before = len(recorded)
        found = peak_bytes(call)
        seen.append((before, len(recorded)))
        return found

    monkeypatch.setattr("jacobian_bp.compare.timing.measure.peak_bytes", counted)
    clock = Clock(dict.fromkeys(range(999), 2.0))  # every call takes two seconds
    for timer in (Timer(rounds=1, clock=clock), Timer(rounds=1)):
        recorded.clear()
        measure(Result("t", "q", ""), [subject], Journal(), timer)
    recorded.clear()
    counted(lambda: task.run.gradients("structured"))
    *measured, unprepared = seen
    assert unprepared[0] == 0 < unprepared[1]
    assert len(measured) >= 2
    assert set(measured) == {(unprepared[1], unprepared[1])}


def test_what_structured_takes_is_no_less_than_predicted():
    task = drawn([61, 53, 47], 43)
    rows = measure(
        Result("t", "q", ""),
        [s for s in route_subjects(task) if s.name == "structured"],
        Journal(),
        Timer(rounds=1),
        cost_card(task.run),
    )
    assert rows[0].measured_bytes >= rows[0].predicted_bytes


def test_a_slow_call_is_not_warmed_up_again_and_a_very_slow_one_timed_once():
    for length, calls in ((0.5, 2 + 1 + 15), (2.0, 1 + 3), (20.0, 1 + 1)):
        clock, done, said = Clock(), [], []

        def call(clock=clock, done=done, length=length):
            done.append(1)
            clock.now += length

        subject = Subject("f", lambda call=call: call)
        timer = Timer(clock=clock)
        measure(Result("t", "q", ""), [subject], Journal(), timer, reached=said.append)
        assert len(done) == min(calls, 2 + 1 + 7)  # of half a second: 3.5 s are enough
        slow = [f"  f: {length} s for one call; no further one to warm up"]
        assert said == (slow if length > 1 else [])


def test_a_swallowed_interruption_still_ends_the_rounds():
    done = []

    def call():
        done.append(1)
        with contextlib.suppress(KeyboardInterrupt):
            if len(done) == 3:
                os.kill(os.getpid(), signal.SIGINT)
                time.sleep(1)

    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt), stopping.termination_as_interrupt():
        Timer(rounds=9, shortest=0.0).measure({"f": call})
    assert len(done) == 3
    assert signal.getsignal(signal.SIGINT) is before


def test_results_are_compared_by_shape_and_entries():
    right = {"W": np.arange(35.0).reshape(5, 7)}
    assert same_numbers(sampled(right), sampled({"W": right["W"] + 1e-9}))
    assert not same_numbers(sampled({"W": right["W"] + 1e-3}), sampled(right))
    assert not same_numbers(sampled({"W": right["W"].T}), sampled(right))
    assert not same_numbers(sampled({"b": right["W"]}), sampled(right))
    bad = right["W"].copy()
    bad[2, 3] = np.nan
    assert not same_numbers(sampled({"W": bad}), sampled(right))
