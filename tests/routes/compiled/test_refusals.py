"""What a compiled step refuses, at the first call and at every later one, as a run refuses it."""

from collections.abc import Mapping

import numpy as np
import pytest
from compiled_cases import END, LAYER, X, Y, both_say, kept, opened, planned
from network_cases import BATCH, data, network, refusal, same_bits

from jacobian_bp import (
    AxisError,
    DomainError,
    MemoryLimitError,
    Network,
    Op,
    SpecError,
    memory_limit,
    ops,
)

# ---------------------------------------------------------------- refusals at every call


def at(array, index, value):
    changed = np.array(array, float)
    changed[index] = value
    return changed


BAD = [  # loss, x, y
    ("squared_error", at(X, (3, 1), np.nan), Y),
    ("squared_error", at(X, (3, 1), -np.inf), Y),
    ("squared_error", X, at(Y, (2, 1), np.nan)),
    ("squared_error", X, at(Y, (2, 1), np.inf)),
    ("squared_error", X, Y[:, :1]),
    ("squared_error", X, Y[:6]),
    ("squared_error", X, Y[0]),
    ("squared_error", X, Y + 0j),
    ("squared_error", X, Y.astype(str)),
    ("squared_error", X, np.ma.masked_less(Y, 0)),
    ("squared_error", X, [[1.0, 2.0], [3.0]]),
    ("squared_error", X, 1e200 * Y),
    ("bce", X, at(0 * Y, (4, 0), 2.0)),
    ("bce", X, 2 * (Y > 0) - 1),
    ("bce", X, at(0 * Y, (4, 0), np.nan)),
    ("bce", X, 0 * Y[:, :1]),
    ("cross_entropy", X, np.array([0, 1, 0, 2, 0, 1, 1])),
    ("cross_entropy", X, [0, 1, 0, -1, 0, 1, 1]),
    ("cross_entropy", X, [0.0, 1, 0, 1, 0, 1, 1]),
    ("cross_entropy", X, [0, 1, 0]),
    ("cross_entropy", X, np.full((7, 2), 0.75)),
]


@pytest.mark.parametrize(("loss", "x", "y"), BAD)
def test_bad_data_is_refused_as_a_run_refuses_it(loss, x, y):
    net = network("tanh", loss)
    good = data(loss, batch=True)
    net, step = planned(net, *good)
    expected = kept(step(net.params, *good))
    with pytest.raises((AxisError, DomainError)) as caught:
        net.run(x, y)
    text = both_say(caught.type, net, step, x, y)
    assert refusal(caught.type, net.compile(batch=BATCH), net.params, x, y) == text
    same_bits(kept(step(net.params, *good)), expected)


def test_two_of_the_messages_whole():
    net, (x, y) = network("tanh", "bce"), data("bce", True)
    step = planned(net, x, y)[1]
    assert refusal(DomainError, step, net.params, x, at(y, (4, 0), 2.0)) == (
        "y[4,0] is 2; a label of binary cross-entropy lies between 0 and 1.\n"
        '  Use 0 and 1 for the two classes, or loss="squared_error" for a regression.'
    )
    assert refusal(AxisError, step, net.params, x, y[:, :1]) == (
        "the labels do not have the shape of the outputs.\n"
        "  a2 has shape (7, 2)\n"
        "  y has shape (7, 1)\n"
        "  Pass one label for each output; nothing is broadcast."
    )


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("squash", ["sigmoid", "tanh", "relu", "softplus", "softmax"])
def test_what_an_activation_would_hide_is_refused(squash, value):
    """tanh(inf) is 1, σ(−inf) is 0: the loss is an ordinary number."""
    net, step = planned(network("tanh", squash_input=squash))
    text = both_say(DomainError, net, step, at(X, (3, 1), value), Y)
    assert text.startswith(f"x[3,1] is {value}; 1 of 35 entries of x are not finite.")


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_parameter_that_is_not_finite_is_named(value):
    net, step = planned()
    params = {**opened(net), "W2": at(net.params["W2"], (1, 2), value)}
    for call in (step, net.compile(batch=BATCH)):
        assert refusal(DomainError, call, params, X, Y) == (
            f"W2[1,2] is {value}; 1 of 6 entries of W2 are not finite.\n"
            "  A parameter is a finite number."
        )


def unfused():
    lines = ["z = Linear(x, W, b)", "L = BinaryCrossEntropy(z, y)", "J = Mean(L)"]
    return Network.program(*lines, params={"W": np.zeros((2, 5)), "b": np.full(2, 0.5)})


def test_a_domain_is_judged_by_the_values_of_this_call():
    net, y = unfused(), np.zeros((BATCH, 2))
    step = planned(net, X, y)[1]
    good = kept(step(net.params, X, y))
    below = {"W": net.params["W"], "b": np.array([0.5, -0.5])}
    text = both_say(DomainError, net, step, X, y, below)
    assert text.startswith("z[0,1] is -0.5; binary cross-entropy takes probabilities")
    same_bits(kept(step(net.params, X, y)), good)


class Positive(Op):
    """z = |a| for what is not negative."""

    signature = "a[k] -> z[k]"

    def forward(self, a):
        return np.abs(a)

    def vjp(self, z_bar, a):
        return {"a": z_bar}

    def admit(self, names, a):
        if (a < 0).any():
            raise DomainError(f"{names['a']} has an entry below 0.\n  Square it first.")
        return (a,)


def test_an_op_of_ones_own_is_asked_at_every_call():
    params = {"W": np.zeros((2, 5)), "b": np.ones(2)}
    net = Network.program(
        "a = Linear(x, W, b)", "z = Positive(a)", *END, params=params, ops={"Positive": Positive}
    )
    step = planned(net)[1]
    params = {**params, "b": np.array([1.0, -1.0])}
    text = both_say(DomainError, net, step, X, Y, params)
    assert text == "a has an entry below 0.\n  Square it first."


class Distance(Op):
    """A loss without a word on its labels."""

    signature = "a[k], y[k] -> L[]"
    labels = ("y",)

    def forward(self, a, y):
        return ((a - y) ** 2).sum(axis=-1)

    def vjp(self, L_bar, a, y):
        slope = 2 * L_bar[..., None] * (a - y)
        return {"a": slope, "y": -slope}


def test_labels_are_never_broadcast():
    lines = ["z = Linear(x, W, b)", "L = Distance(z, y)", "J = Mean(L)"]
    net = Network.program(*lines, params=LAYER, ops={"Distance": Distance})
    step = planned(net)[1]
    both_say(AxisError, net, step, X, np.ones((7, 3)))
    refusal(AxisError, step, net.params, X, Y[:1])


@pytest.mark.parametrize("gives", [1.0, np.ones(2), np.ones((2, 7))])
def test_a_vjp_of_the_wrong_shape_is_refused_and_not_broadcast(gives):
    class Wrong(ops.Tanh):
        def vjp(self, a_bar, z):
            return {"z": gives}

    lines = ["a = Linear(x, W, b)", "z = Wrong(a)", *END]
    net = Network.program(*lines, params=LAYER, ops={"Wrong": Wrong})
    text = refusal(AxisError, net.run(X, Y).gradients)
    assert refusal(AxisError, net.compile(batch=BATCH), net.params, X, Y) == text


# ---------------------------------------------------------------- shapes, names, options


def test_a_shape_that_is_not_the_planned_one():
    net, step = planned()
    params = {**net.params, "W1": net.params["W1"].T}
    message = (
        "{} does not fit the compiled step.\n"
        "  {} has shape {}\n"
        "  the step is planned for shape {}\n"
        "  Compile another step for other shapes."
    )
    found = refusal(AxisError, step, params, X, Y)
    assert found == message.format("W1", "W1", "(5, 3)", "(3, 5)")
    found = refusal(AxisError, step, net.params, X[:6], Y[:6])
    assert found == message.format("x", "x", "(6, 5)", "(7, 5)")
    found = refusal(AxisError, step, net.params, X[0], Y[0])
    assert found == message.format("x", "x", "(5,)", "(7, 5)")


def test_a_first_call_of_another_batch():
    net = network()
    assert refusal(AxisError, net.compile(batch=5), net.params, X, Y) == (
        "the compiled step takes a batch of 5.\n"
        "  x has shape (7, 5): a batch of 7\n"
        "  Write net.compile(batch=7)."
    )
    assert refusal(AxisError, net.compile(batch=7), net.params, X[0], Y[0]) == (
        "the compiled step takes a batch of 7.\n"
        "  x has shape (5,): one example without a batch axis\n"
        "  Write net.compile()."
    )
    assert refusal(AxisError, net.compile(), net.params, X[:1], Y[:1]) == (
        "the compiled step takes one example without a batch axis.\n"
        "  x has shape (1, 5): a batch of 1\n"
        "  Write net.compile(batch=1)."
    )
    params = {**net.params, "W1": net.params["W1"].T}
    text = refusal(AxisError, net.compile(batch=7), params, X, Y)
    assert text.endswith("  W1 looks transposed: pass W1.T, shape (3, 5).")


def test_what_is_missing_is_told():
    net, step = planned()
    fresh = net.compile(batch=7)
    short = {name: net.params[name] for name in ("W1", "b1", "W2")}
    assert refusal(SpecError, fresh, short, X, Y) == (
        "the parameter b2 is missing.\n  The step reads W1, b1, W2, b2."
    )
    assert refusal(SpecError, step, short, X, Y) == (
        "b2 is missing.\n  The step reads b2 at every call."
    )
    no_y = "y is missing.\n  Write step(params, x, y)."
    assert [refusal(SpecError, call, net.params, X) for call in (fresh, step)] == [no_y] * 2
    assert refusal(SpecError, fresh, net.params, y=Y) == (
        "x is missing.\n  Write step(params, x, y)."
    )
    assert refusal(SpecError, step, net.params, y=Y) == (
        "x is missing.\n  The step reads x at every call."
    )


@pytest.mark.parametrize(
    ("params", "kind"), [(None, "a NoneType"), ([1.0], "a list"), (np.ones(3), "an ndarray")]
)
def test_parameters_that_are_no_mapping(params, kind):
    assert refusal(SpecError, network().compile(batch=7), params, X, Y) == (
        f"params is {kind}, not a mapping of names to arrays.\n"
        '  Write params={"W1": W1, "b1": b1}.'
    )


def test_unknown_names_are_refused_where_the_step_is_planned():
    net = network()
    text = refusal(SpecError, net.run, X, Y, xs=X)
    assert refusal(SpecError, net.compile(batch=7), net.params, X, Y, xs=X) == text
    net = network(loss=None)
    text = refusal(SpecError, net.run, X, Y)
    assert refusal(SpecError, net.compile(batch=7), net.params, X, Y) == text


def test_a_parameter_that_the_network_does_not_have():
    net, step = planned()
    for call in (net.compile(batch=7), step):
        assert refusal(SpecError, call, {**net.params, "W9": np.ones(1)}, X, Y) == (
            "no parameter is named 'W9'.\n  The parameters are W1, b1, W2, b2."
        )


class Fresh(Mapping):
    """A mapping that makes its arrays anew, as a reader of a file does."""

    def __init__(self, arrays):
        self.arrays = arrays

    def __getitem__(self, name):
        return self.arrays[name].copy()

    def __iter__(self):
        return iter(self.arrays)

    def __len__(self):
        return len(self.arrays)


def test_a_parameter_is_not_tied_to_itself_however_its_array_is_made():
    net = network()
    params = opened(net)
    expected = kept(planned(net)[1](net.params, X, Y))
    same_bits(kept(net.compile(batch=BATCH)(Fresh(params), X, Y)), expected)
    params["W1"][1, 2] = np.nan  # equal to nothing, itself included
    assert refusal(DomainError, net.compile(batch=BATCH), Fresh(params), X, Y) == refusal(
        DomainError, net.compile(batch=BATCH), params, X, Y
    )


def test_two_arrays_for_a_tied_parameter():
    W, end = np.random.default_rng(1).standard_normal((3, 3)), ["L = SquaredError(v, y)"]
    params = {"W1": W, "b": np.zeros(3), "W2": W, "c": np.ones(3)}
    net = Network.program("u = Linear(x, W1, b)", "v = Linear(u, W2, c)", *end, params=params)
    x, y, step = np.ones(3), np.zeros(3), net.compile()
    two = {**net.params, "W2": 5 * W}
    text = refusal(SpecError, step, two, x, y)
    assert text == "W2 and W1 are tied, and get two arrays.\n  Give one of them."
    assert refusal(SpecError, net.with_params, two) == text
    loss, _ = step({**net.params, "W2": W.copy()}, x, y)  # one matrix, given twice
    assert step(net.params, x, y)[0] == loss
    assert refusal(SpecError, step, two, x, y) == text


def test_labels_of_another_name_are_asked_for_by_it():
    net = Network.program("z = Linear(x, W, b)", "J = SquaredError(z, t)", params=LAYER)
    for call in (net.run, lambda x, y: net.compile()(net.params, x, y)):
        assert refusal(SpecError, call, X[0], Y[0]) == (
            "the network has no input named 'y'.\n  Its inputs are x, t; give t=… by name."
        )


def test_a_network_without_a_loss():
    net = network(loss=None)
    for batch, x in [(7, X), (None, X[0])]:
        text = refusal(AxisError, net.run(x).gradients)
        assert refusal(AxisError, net.compile(batch=batch), net.params, x) == text


@pytest.mark.parametrize("batch", [0, -1, True, 2.5, "7"])
def test_a_batch_that_is_no_count(batch):
    assert refusal(SpecError, network().compile, batch=batch) == (
        f"batch is {batch!r}.\n  Write a whole number from 1 up, or None."
    )
    assert network().compile(batch=np.int64(7)).batch == 7


def test_the_workspace_is_refused_before_it_is_allocated(monkeypatch):
    net = network()
    step = net.compile(batch=7)
    with memory_limit("1 KiB"), monkeypatch.context() as patch:
        patch.setattr("jacobian_bp.routes.compiled.plan.arena", None)
        assert refusal(MemoryLimitError, step, net.params, X, Y) == (
            "the workspace of a step has shape (182,): 182 entries, 1.4 KiB; "
            "the limit is 1.0 KiB.\n  Use a smaller batch."
        )
    assert step(net.params, X, Y)[0] == pytest.approx(net.run(X, Y).loss)
