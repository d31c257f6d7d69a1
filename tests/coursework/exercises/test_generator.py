"""Random networks: every guarantee holds, and every guarantee can fail."""

from dataclasses import replace

import numpy as np
import pytest

from jacobian_bp import Network, SpecError
from jacobian_bp.coursework.exercises.accepted_forms import only
from jacobian_bp.coursework.exercises.generator import (
    Drawn,
    Redraw,
    draw,
    draw_sizes,
    require_guarantees,
)
from jacobian_bp.coursework.exercises.questions import ArrayQuestion
from jacobian_bp.coursework.exercises.task import Exercise, Planted, Task

LAYERS = ["relu", "tanh", "sigmoid"]


def drawn_ones(count, *arguments, **options):
    """The first networks that meet all guarantees."""
    generator, found = np.random.default_rng(3), []
    for _ in range(60 * count):
        try:
            found.append(draw(generator, *arguments, **options))
        except Redraw:
            continue
        if len(found) == count:
            return found
    raise AssertionError("too few")


@pytest.fixture(scope="module")
def good():
    return drawn_ones(1, LAYERS, "half_squared_error")[0]


def refusal(drawn):
    with pytest.raises(Redraw) as caught:
        require_guarantees(drawn)
    return str(caught.value)


def with_params(drawn, **params):
    net = drawn.net.with_params(params)
    return replace(drawn, net=net, run=net.run(drawn.x, drawn.y))


# ---------------------------------------------------------------- they hold


@pytest.mark.parametrize("batch", [True, False])
def test_the_guarantees_of_distinct_networks(batch):
    for drawn in drawn_ones(8, LAYERS, "half_squared_error", batch=batch):
        run = drawn.run
        sizes = [*drawn.sizes, *([len(drawn.x)] if batch else [])]
        assert len(set(sizes)) == len(sizes)
        live = np.atleast_2d(run["a1"] > 0).any(axis=0)
        assert live.any()
        assert not live.all()
        assert min(np.abs(run[f"z{layer}"]).min() for layer in (1, 2, 3)) >= 1e-3
        assert max(np.abs(run[f"z{layer}"]).max() for layer in (2, 3)) <= 4
        assert all(np.abs(g).max() >= 1e-3 for g in run.gradients().values())


def test_a_square_network_has_one_width_and_another_batch():
    for drawn in drawn_ones(5, LAYERS, "half_squared_error", kind="square"):
        assert len(set(drawn.sizes)) == 1
        assert len(drawn.x) != drawn.sizes[0]


def test_a_saturated_network_has_one_flat_example_and_others_that_are_not():
    for drawn in drawn_ones(5, ["relu", "sigmoid"], "bce", kind="saturated", last=1):
        z = np.abs(drawn.run["z2"])
        assert (z > 40).any()
        assert (z < 4).any()


def test_numbers_have_two_decimals_and_no_negative_zero(good):
    for value in good.given.values():
        assert np.array_equal(np.round(value, 2), value)
        assert not np.signbit(value[value == 0]).any()


def test_sizes_are_pairwise_different():
    generator = np.random.default_rng(0)
    for _ in range(20):
        sizes, examples = draw_sizes(generator, 4)
        assert len({*sizes, examples}) == 5


def test_the_global_generator_is_not_touched():
    np.random.seed(5)
    before = np.random.get_state()[1].copy()
    drawn_ones(1, LAYERS, "half_squared_error")
    assert np.array_equal(before, np.random.get_state()[1])


# ---------------------------------------------------------------- they can fail


def test_no_dead_unit_is_refused(good):
    shifted = with_params(good, b1=np.full(good.sizes[1], 30.0))
    assert refusal(shifted) == "every ReLU layer has a live and a dead unit"


def test_no_live_unit_is_refused(good):
    shifted = with_params(good, b1=np.full(good.sizes[1], -30.0))
    assert refusal(shifted) == "every ReLU layer has a live and a dead unit"


def test_a_pre_activation_near_the_kink_is_refused(good):
    bias = np.array(good.run["b1"])
    bias[0] -= good.run["z1"][0, 0] - 5e-4
    assert refusal(with_params(good, b1=bias)) == "no pre-activation is within 0.001 of 0"


def test_a_saturated_tanh_is_refused(good):
    shifted = with_params(good, b2=good.run["b2"] + 9.0)
    assert refusal(shifted) == "no sigmoid or tanh is saturated"


def test_a_tiny_gradient_is_refused(good):
    tiny = with_params(good, W3=good.run["W3"] * 1e-6)
    assert refusal(tiny) == "the gradient by W is not tiny"


def test_two_equal_widths_are_refused():
    net = Network.dense([3, 3, 2], ["relu", "sigmoid"], "half_squared_error", seed=1)
    x, y = np.ones((5, 3)), np.full((5, 2), 0.5)
    drawn = Drawn(net, net.run(x, y), x, y, (3, 3, 2), ("relu", "sigmoid"))
    assert refusal(drawn) == "all widths and the batch are different"


def test_a_saturated_network_without_saturation_is_refused():
    drawn = drawn_ones(1, ["relu", "sigmoid"], "bce", last=1)[0]
    said = "one example saturates the last sigmoid, another does not"
    assert refusal(replace(drawn, kind="saturated")) == said


# ---------------------------------------------------------------- redrawn, and not for ever


def exercise_of(attempt, mistakes):
    return Exercise(3, "a trial", "Statement.", ("a", "b", "c"), attempt, mistakes)


def question(right):
    return ArrayQuestion("v", "v", "v0", only(np.array(right)))


def test_mistakes_that_agree_make_the_exercise_redraw():
    """v0 doubled and v0 squared agree where v0 is 0 or 2."""
    drawn = []

    def attempt(rng):
        value = float(rng.choice([2.0, 5.0]))
        drawn.append(value)
        return Task((question([value]),), {"v0": np.array([value])})

    mistakes = (Planted("twice", {"v": "2 * v0"}), Planted("square", {"v": "v0**2"}))
    tasks = [exercise_of(attempt, mistakes).make(seed) for seed in range(6)]
    assert {float(task.given["v0"][0]) for task in tasks} == {5.0}
    assert 2.0 in drawn


def test_when_nothing_fits_the_error_says_what_stood_in_the_way():
    def attempt(rng):
        if rng.random() < 0.5:
            raise Redraw("no pre-activation is within 0.001 of 0")
        return Task((question([2.0]),), {"v0": np.array([2.0])})

    mistakes = (Planted("twice", {"v": "2 * v0"}), Planted("square", {"v": "v0**2"}))
    with pytest.raises(SpecError) as caught:
        exercise_of(attempt, mistakes).make(7)
    first, *reasons, last = str(caught.value).splitlines()
    assert first == "exercise 3, seed 7: 300 draws, and none is fit for use."
    assert sorted(reason.split(": ")[1] for reason in reasons) == [
        "no pre-activation is within 0.001 of 0",
        "twice and square give the same answers",
    ]
    assert sum(int(reason.split()[0]) for reason in reasons) == 300
    assert last == "  Take another seed."


def test_a_mistake_that_is_none_is_refused():
    def attempt(rng):
        return Task((question([2.0]),), {"v0": np.array([2.0])})

    with pytest.raises(SpecError, match="the solution and harmless give the same answers"):
        exercise_of(attempt, (Planted("harmless", {"v": "v0 + 0"}),)).make(1)
