"""Axes in front are carried by name: through all routes, a batch of sequences and one alike."""

import numpy as np
import pytest

from jacobian_bp import Network
from jacobian_bp.errors import AxisError, JacobianError, SpecError

RNG = np.random.default_rng(89)
N, T, F, H, K = 5, 11, 3, 7, 2
LAYERS = (
    "z1 = Linear(x, W1, b1)",
    "a1 = Tanh(z1)",
    "s = Add(a1, P)",
    "z2 = Linear(s, W2, b2)",
    "a2 = Softmax(z2)",
    "L = CrossEntropy(a2, y)",
)
PARAMS = {
    name: RNG.standard_normal(shape)
    for name, shape in {
        "W1": (H, F),
        "b1": (H,),
        "P": (T, H),
        "W2": (K, H),
        "b2": (K,),
    }.items()
}
X, Y = RNG.standard_normal((N, T, F)), RNG.integers(0, K, (N, T))
TAGGER = Network.program(*LAYERS, "J = Mean(L, over='n,t')", params=PARAMS)
ATTENTION = (
    "q = Linear(x, Q, bq)",
    "k = Linear(x, U, bq)",
    "v = Linear(x, V, bv)",
    "s = Einsum(q, k, 'td,ud->tu')",
    "p = Softmax(s)",
    "o = Einsum(p, v, 'tu,uj->tj')",
    "L = SquaredError(o, y)",
)


def by_hand(params, x, y):
    """The tagger's cost, token by token."""
    total = 0.0
    for n, t in np.ndindex(y.shape):
        a = np.tanh(params["W1"] @ x[n, t] + params["b1"]) + params["P"][t]
        z = params["W2"] @ a + params["b2"]
        total += np.log(np.exp(z).sum()) - z[y[n, t]]
    return total / y.size


def refusal(call):
    with pytest.raises(JacobianError) as caught:
        call()
    return type(caught.value), str(caught.value)


def test_all_routes_agree_along_examples_and_tokens():
    run = TAGGER.run(X, Y, axes={"x": "n,t"})
    assert run.check().ok
    np.testing.assert_allclose(run.loss, by_hand(PARAMS, X, Y), rtol=1e-13)


def test_the_gradient_is_that_of_a_loop_over_tokens():
    found = TAGGER.run(X, Y, axes={"x": "n,t"}).gradients()
    for name, index in {"W1": (4, 1), "b1": (2,), "P": (8, 3), "W2": (1, 6)}.items():
        moved = {sign: {k: v.copy() for k, v in PARAMS.items()} for sign in (1, -1)}
        for sign, params in moved.items():
            params[name][index] += sign * 1e-6
        slope = (by_hand(moved[1], X, Y) - by_hand(moved[-1], X, Y)) / 2e-6
        np.testing.assert_allclose(found[name][index], slope, rtol=1e-6)


def test_one_sequence_takes_the_same_program():
    one = TAGGER.run(X[0], Y[0], axes={"x": "t"})
    assert one.check().ok
    np.testing.assert_allclose(one.loss, by_hand(PARAMS, X[:1], Y[:1]), rtol=1e-13)
    assert one.jacobian("z1", "x").formula == "δ[t,t'] W1[k,i']"


def test_what_is_carried_stands_in_the_formula():
    run = TAGGER.run(X, Y, axes={"x": "n,t"})
    formulas = {
        ("z1", "x"): "δ[n,n'] δ[t,t'] W1[k,i']",
        ("z1", "W1"): "δ[k,k'] x[n,t,i']",
        ("z1", "b1"): "1[n] 1[t] δ[k,k']",
        ("s", "P"): "1[n] δ[t,t'] δ[k,k']",
        ("J", "L"): "1/55 1[n'] 1[t']",
    }
    for (of, wrt), formula in formulas.items():
        assert run.jacobian(of, wrt).formula == formula


def test_the_page_of_an_einsum_that_names_t_says_no_formula_is_that_of_one_vector():
    net = Network.program(
        'r = Einsum("td,tc->dc", x, x)', 'L = Einsum("dc,dc->", r, r)', "J = Mean(L)"
    )
    page = net.run(x=RNG.normal(size=(2, 3, 5)), axes={"x": "n"}).derivation().text()
    assert "r = td,tc->dc of x, x" in page
    assert "one vector" not in page


def test_the_printed_page_says_what_stands_in_front():
    page = TAGGER.run(X, Y, axes={"x": "n,t"}).derivation().text()
    carried = "a formula leaves out those that its op carries along"
    assert f"axes in front: n = 5, t = 11; {carried}" in page
    assert "1[n] = 1 for every example n: what does not change along n" in page
    assert "1[t] = 1 for every t: what does not change along t" in page
    assert "J = the mean of L over n,t" in page
    assert "each of the N·T entries along n and t counts 1/(N·T)" in page
    assert "all routes agree" in page


@pytest.mark.parametrize("axes", [{"x": "n,t"}, {"x": "t"}], ids=["a batch", "one sequence"])
def test_a_compiled_step_takes_named_axes(axes):
    x, y = (X, Y) if axes["x"] == "n,t" else (X[0], Y[0])
    run = TAGGER.run(x, y, axes=axes)
    step = TAGGER.compile(batch=N if axes["x"] == "n,t" else None, axes=axes)
    for _ in range(2):
        loss, gradients = step(dict(TAGGER.params), x, y)
        np.testing.assert_allclose(loss, run.loss, rtol=1e-14)
        for name, gradient in run.gradients().items():
            np.testing.assert_allclose(gradients[name], gradient, rtol=1e-12, atol=1e-15)


def test_a_compiled_step_for_another_batch_says_what_to_write():
    kind, text = refusal(lambda: TAGGER.compile(2, axes={"x": "n,t"})(dict(PARAMS), X, Y))
    assert (kind, text) == (
        AxisError,
        "the compiled step takes a batch of 2.\n  x has shape (5, 11, 3): a batch of 5\n"
        "  Write net.compile(batch=5, axes={'x': 'n,t'}).",
    )


@pytest.mark.parametrize("shape", [(T,), (N, T)], ids=["one sentence", "a batch of sentences"])
def test_attention_over_an_axis_that_is_carried_elsewhere(shape):
    """Trailing axes take the op's letters: the tokens that Linear carries are Einsum's t and u."""
    names = ",".join(("n", "t")[2 - len(shape) :])
    params = {n: RNG.standard_normal((3, F)) for n in "QU"} | {"V": RNG.standard_normal((2, F))}
    params |= {"bq": RNG.standard_normal(3), "bv": RNG.standard_normal(2)}
    net = Network.program(*ATTENTION, f"J = Mean(L, over='{names}')", params=params)
    x = RNG.standard_normal((*shape, F))
    run = net.run(x, RNG.standard_normal((*shape, 2)), axes={"x": names})
    assert run.check().ok
    q, k, v = (x @ params[m].T + params[b] for m, b in (("Q", "bq"), ("U", "bq"), ("V", "bv")))
    scores = np.exp(q @ np.swapaxes(k, -1, -2))
    np.testing.assert_allclose(run["o"], scores / scores.sum(-1, keepdims=True) @ v, rtol=1e-12)


def test_a_letter_that_is_carried_already_gives_way():
    """h[k,i] is read along i, so that k is carried: the layer's own k becomes j."""
    lines = ("h = Einsum(M, x, 'ki,i->ki')", "z = Linear(h, A, b)", "J = Sum(z, over='n,k,j')")
    params = {"M": RNG.standard_normal((K, F)), "A": RNG.standard_normal((H, F))}
    net = Network.program(*lines, params=params | {"b": RNG.standard_normal(H)})
    run = net.run(X[:, 0])
    assert run.jacobian("z", "A").formula == "δ[j,j'] h[n,k,i']"
    assert run.check().ok


def test_a_mean_over_an_axis_of_one_example_is_kept():
    net = Network.program(*LAYERS, "J = Mean(L)", params=PARAMS)
    one = net.run(X[0], Y[0], axes={"x": "t"})
    np.testing.assert_allclose(one.loss, by_hand(PARAMS, X[:1], Y[:1]), rtol=1e-13)
    assert one.check().ok
    own = Network.program("a = Tanh(x)", "J = Mean(a)").run(X[0, 0])
    np.testing.assert_allclose(own.loss, np.tanh(X[0, 0]).mean(), rtol=1e-15)
    np.testing.assert_allclose(own.jacobian("J", "a").materialise(), np.full(F, 1 / F))


def test_without_names_a_batch_is_reduced_over_its_examples():
    net = Network.program(*LAYERS, "J = Mean(L)", params=PARAMS)
    run = net.run(X, Y, axes={"x": "n,t"})
    np.testing.assert_allclose(run["J"], run["L"].mean(axis=0), rtol=1e-15)


def test_time_may_come_first():
    net = Network.program(*LAYERS[:2], "J = Mean(a1, over='n')", params=PARAMS_OF_LAYER)
    run = net.run(np.swapaxes(X, 0, 1), axes={"x": "t,n"})
    np.testing.assert_allclose(run["J"], np.tanh(run["z1"]).mean(axis=1), rtol=1e-15)


PARAMS_OF_LAYER = {name: PARAMS[name] for name in ("W1", "b1")}

REFUSED = {
    "no names": (
        lambda: TAGGER.run(X, Y),
        AxisError,
        "Linear 'z1': x has shape (5, 11, 3), 3 axes; x[i] has 1 axis, or 2 for a batch with its "
        "examples in front.\n  Make each of its rows an example: x.reshape(-1, 3); or name the "
        'axes in front: net.run(…, axes={"x": "n,t"}).',
    ),
    "a name too few": (
        lambda: TAGGER.run(X, Y, axes={"x": "n"}),
        AxisError,
        "axes names 1 axis in front of x[i]: n.\n"
        "  x has 3 axes and is read as x[i]: 2 of them stand in front\n"
        '  Name these, such as axes={"x": "n,t"}.',
    ),
    "names for one vector": (
        lambda: TAGGER.run(X[0, 0], Y[0, 0], axes={"x": "n,t"}),
        AxisError,
        "axes names 2 axes in front of x[i]: n,t.\n"
        "  x has 1 axis and is read as x[i]: 0 of them stand in front\n"
        "  Leave x out of axes.",
    ),
    "a name twice": (
        lambda: TAGGER.run(X, Y, axes={"x": "n,n"}),
        AxisError,
        "the axes of x are 'n,n'.\n"
        "  Give each axis a name of its own, without a prime: a prime marks the variable's.",
    ),
    "labels": (
        lambda: TAGGER.run(X, Y, axes={"y": "n,t"}),
        SpecError,
        "axes names y, which holds labels.\n"
        "  Leave it out: labels have the axes of the outputs that they are compared with.",
    ),
    "another input": (
        lambda: TAGGER.run(X, Y, axes={"z": "n,t"}),
        SpecError,
        "axes names z, which is not given.\n  Name axes of what is given: x, y.",
    ),
    "no mapping": (
        lambda: TAGGER.run(X, Y, axes="n,t"),
        SpecError,
        "axes is a str, not a mapping of inputs to names of axes.\n"
        '  Write axes={"x": "n,t"} for examples n and tokens t in front.',
    ),
    "a mean over what is not there": (
        lambda: TAGGER.run(X[:, 0], Y[:, 0]),
        AxisError,
        "Mean 'J': it goes over n,t; L has the axes n, and no t.\n"
        '  Write over="n", or name the axes that data has in front: axes={"x": "n,t"}.',
    ),
    "another number of tokens": (
        lambda: TAGGER.run(X[:, :2], Y[:, :2], axes={"x": "n,t"}),
        AxisError,
        "Add 's': axis t has two sizes.\n"
        "  a1[n,t,k] has shape (5, 2, 7), so t = 2\n"
        "  P[t,k]    has shape (11, 7),   so t = 11\n"
        "  Give a1 and P the same size along it; nothing is broadcast.",
    ),
    "fronts that do not match": (
        lambda: Network.program("s = Multiply(x, m)").run(X, m=X[:, 0], axes={"x": "n,t"}),
        AxisError,
        "Multiply 's': the axes in front of x and m do not match.\n"
        "  x[n,t,k] has shape (5, 11, 3) and carries n,t\n"
        "  m[n,k]   has shape (5, 3) and carries n\n"
        "  Beside x, m may carry n,t or t, or nothing.",
    ),
    "labels of one token": (
        lambda: TAGGER.run(X, Y[:, 0], axes={"x": "n,t"}),
        AxisError,
        "y has shape (5,), the outputs have shape (5, 11, 2).\n"
        "  Pass class indices of shape (5, 11), or rows of shape (5, 11, 2).",
    ),
    "a class too many": (
        lambda: TAGGER.run(X, np.where(np.arange(T) == 8, 2, Y), axes={"x": "n,t"}),
        JacobianError,
        "y[0,8] is 2; with 2 classes an index lies from 0 to 1.\n"
        "  Count classes from 0, or give the network more outputs.",
    ),
    "a softmax along what is not there": (
        lambda: Network.program("p = Softmax(x, axis='u')").run(X, axes={"x": "n,t,k"}),
        AxisError,
        "Softmax 'p': it goes along u; x has the axes n,t,k, and no u.\n"
        '  Write axis="n" or axis="t" or axis="k", or name the axes that data has in front: '
        'axes={"x": "n,t"}.',
    ),
    "a softmax of a parameter along what is not there": (
        lambda: Network.program("p = Softmax(P, axis='t')", params={"P": PARAMS["P"]}).run(),
        AxisError,
        "Softmax 'p': it goes along t; P has the axes n,k, and no t.\n"
        '  Write axis="n" or axis="k", or name the axes that data has in front: '
        'axes={"x": "n,t"}.',
    ),
    "an axis that a mean names as well": (
        lambda: Network.program("J = Mean(x, over='t')").run(X, axes={"x": "n,t"}),
        AxisError,
        "axes names t in front of x[t], as it is read, which has it already.\n"
        '  Name all 3 axes of x, such as axes={"x": "n,t,s"}.',
    ),
}


@pytest.mark.parametrize(("call", "kind", "message"), REFUSED.values(), ids=REFUSED)
def test_what_does_not_fit_is_told_with_both_witnesses(call, kind, message):
    found, text = refusal(call)
    assert issubclass(found, kind)
    assert text == message
