"""A line of a program may be a formula: one example, a batch, a batch of sequences."""

import re

import numpy as np
import pytest

from jacobian_bp import Network, Op, SpecError, delta

RNG = np.random.default_rng(1516)
PARAMS = {"W": RNG.normal(size=(3, 5)), "b": RNG.normal(size=3), "lam": np.array(0.3)}
TYPED = ("z = W @ x + b", "a = tanh(z)", "L = sum((a - y)**2) + lam * sum(a * a)", "J = Mean(L)")


@pytest.mark.parametrize("front", [(), (7,), (2, 7)])
def test_a_network_of_formulas_has_the_cost_and_gradients_of_each_example(front):
    x, y = RNG.normal(size=(*front, 5)), RNG.normal(size=(*front, 3))
    axes = {"x": "n,t", "y": "n,t"} if len(front) == 2 else None
    over = (*TYPED[:-1], "J = Mean(L, over='n,t')") if len(front) == 2 else TYPED
    run = Network.program(*over, params=PARAMS).run(x, y, axes=axes)
    a = np.tanh(x @ PARAMS["W"].T + PARAMS["b"])
    losses = ((a - y) ** 2).sum(axis=-1) + PARAMS["lam"] * (a * a).sum(axis=-1)
    assert run.loss == pytest.approx(losses.mean(), rel=1e-13)
    delta = 2 * ((a - y) + PARAMS["lam"] * a) * (1 - a * a) / max(1, losses.size)
    want = delta.reshape(-1, 3).T @ x.reshape(-1, 5)
    np.testing.assert_allclose(run.gradients()["W"], want, rtol=1e-11)
    assert run.check().ok, str(run.check())


def test_a_vector_and_a_number_of_each_example_meet():
    net = Network.program(
        "s = w @ x",
        "L = sum((x - s * c)**2)",
        "J = Mean(L)",
        params={"w": RNG.normal(size=5), "c": RNG.normal(size=5)},
    )
    x = RNG.normal(size=(7, 5))
    run = net.run(x)
    s = x @ net.params["w"]
    assert run.loss == pytest.approx(((x - s[:, None] * net.params["c"]) ** 2).sum(axis=1).mean())
    assert run.check().ok, str(run.check())


def test_a_wrong_line_is_named():
    with pytest.raises(SpecError) as caught:
        Network.program("z = Linear(x, W, b)", "q = z @ flubb(z)", params=PARAMS)
    assert str(caught.value).startswith(
        "line 2: 'q = z @ flubb(z)': no function is named flubb.\n  z @ flubb(z)\n      ^^^^^^^^\n"
    )
    with pytest.raises(SpecError) as caught:
        Network.program("q = x @ x", "z = Linaer(x, W, b)", params=PARAMS)
    assert str(caught.value).startswith("line 2: 'z = Linaer(x, W, b)': no op is named Linaer.")
    with pytest.raises(SpecError) as caught:
        Network.program("z = x * trace(A + eye)", params={"A": np.ones((2, 2))})
    assert str(caught.value) == (
        "line 1: 'z = x * trace(A + eye)': a program knows no lengths beforehand, and eye has that "
        "of what it meets.\n"
        "  Give the identity a name, and pass it among the data: A + E, E=np.eye(3)."
    )
    run = Network.program("z = x * trace(A + E)", params={"A": np.ones((3, 3))}).run(
        x=np.ones(2), E=np.eye(3)
    )
    assert run["z"].tolist() == [6, 6]


ARRAYS = {
    "W": RNG.normal(size=(3, 5)),
    "V": RNG.normal(size=(3, 5)),
    "S": RNG.normal(size=(5, 5)) + 3 * np.eye(5),
    "A": RNG.normal(size=(2, 3)),
    "b": RNG.normal(size=3),
    "c": RNG.normal(size=5),
}
LINES = {  # a line, and numpy's words for one example
    "x[0:3] * x[2:5] + mean(x)": lambda x, W, V, S, A, b, c: x[0:3] * x[2:5] + x.mean(),
    "(x - mean(x)) / sqrt(mean((x - mean(x))**2) + 0.1)": lambda x, W, V, S, A, b, c: (
        (x - x.mean()) / np.sqrt(((x - x.mean()) ** 2).mean() + 0.1)
    ),
    "mean(outer(b, x), axis=0) * sum(x)": lambda x, W, V, S, A, b, c: (
        np.outer(b, x).mean(axis=0) * x.sum()
    ),
    "mean(outer(b, x), axis=1)": lambda x, W, V, S, A, b, c: np.outer(b, x).mean(axis=1),
    "W[0:2,1:3] @ x[0:2] * x[4]": lambda x, W, V, S, A, b, c: W[0:2, 1:3] @ x[0:2] * x[4],
    "x[1:] - x[:-1] * x[-1]": lambda x, W, V, S, A, b, c: x[1:] - x[:-1] * x[-1],
    "W[-1] * x + sum(x[1:-2])": lambda x, W, V, S, A, b, c: W[-1] * x + x[1:-2].sum(),
    "(W @ x)[0:2] / norm(x)": lambda x, W, V, S, A, b, c: (W @ x)[0:2] / np.linalg.norm(x),
    "W * x + V * c": lambda x, W, V, S, A, b, c: W * x + V * c,
    "W.T @ log(1 + exp(W @ x))": lambda x, W, V, S, A, b, c: W.T @ np.log1p(np.exp(W @ x)),
    "inv(S) @ x * det(S)": lambda x, W, V, S, A, b, c: np.linalg.solve(S, x) * np.linalg.det(S),
    "x - max(x) + min(W @ x)": lambda x, W, V, S, A, b, c: x - x.max() + (W @ x).min(),
    "diag(x) @ S + trace(outer(x, c))": lambda x, W, V, S, A, b, c: np.diag(x) @ S + x @ c,
    "diag(outer(x, x) @ S)": lambda x, W, V, S, A, b, c: np.diag(np.outer(x, x) @ S),
    "kron(A, outer(b, x))": lambda x, W, V, S, A, b, c: np.kron(A, np.outer(b, x)),
    "vec(outer(b, x)) + kron(x, b)": lambda x, W, V, S, A, b, c: 2 * np.kron(x, b),
    "arctan(x) * tan(x) * softmax(S @ x)": lambda x, W, V, S, A, b, c: (
        np.arctan(x) * np.tan(x) * np.exp(S @ x) / np.exp(S @ x).sum()
    ),
}


@pytest.mark.parametrize("text", LINES)
def test_a_line_is_what_numpy_makes_of_each_example(text):
    read = {name: ARRAYS[name] for name in ARRAYS if re.search(rf"\b{name}\b", text)}
    lines = (f"q = {text}", "L = sum(q * q)", "J = Mean(L, over='n,t')")
    net = Network.program(*lines, params=read) if read else None
    for front in [(), (7,), (2, 3)]:
        x = RNG.normal(size=(*front, 5))
        axes = {"x": "n,t"} if len(front) == 2 else None
        found = Network.program(lines[0], params=read).run(x, axes=axes)["q"]
        rows = [LINES[text](row, **ARRAYS) for row in x.reshape(-1, 5)]
        want = np.reshape(rows, (*front, *np.shape(rows[0])))
        np.testing.assert_allclose(found, want, rtol=1e-11, atol=1e-12)
        assert not np.allclose(found, want * 1.001 + 0.001)
        if net and len(front) == 2:
            agreement = net.run(x, axes=axes).check()
            assert agreement.ok, str(agreement)


class Doubled(Op):
    """2u."""

    formula = "2u"
    signature = "u[k] -> v[k]"
    reasons = {"u": "entry k reads entry k only"}

    def forward(self, u):
        return 2 * u

    def jacobians(self, u):
        return {"u": delta("k,k'") * 2}

    def vjp(self, v_bar, u):
        return {"u": 2 * v_bar}


def test_lines_behind_a_network_of_formulas_and_own_ops_are_as_if_written_with_it():
    front, behind = ("q = tanh(W @ x) * x", "d = Doubled(q)"), ("r = W @ d", "J = sum((r - y)**2)")
    own, params = {"Doubled": Doubled}, {"W": RNG.normal(size=(5, 5))}
    x, y = RNG.normal(size=5), RNG.normal(size=5)
    once = Network.program(*front, *behind, params=params, ops=own).run(x, y).gradients()
    net = Network.program(*front, params=params, ops=own).followed_by(*behind)
    np.testing.assert_array_equal(net.run(x, y).gradients()["W"], once["W"])
    more = Network.program(front[0], params=params).followed_by(front[1], *behind, ops=own)
    np.testing.assert_array_equal(more.run(x, y).gradients()["W"], once["W"])
    behind_it = ("r = V @ q", "J = sum((r - y)**2)")
    V = RNG.normal(size=(5, 5))
    whole = Network.program(front[0], *behind_it, params=params | {"V": V}).run(x, y).gradients()
    ends = Network.program(front[0], params=params).followed_by(*behind_it, params={"V": V})
    np.testing.assert_array_equal(ends.run(x, y).gradients()["V"], whole["V"])
    with pytest.raises(SpecError) as info:
        ends.followed_by("t = W @ r", params={"W": V})
    assert str(info.value) == (
        "the network has a parameter W.\n"
        "  Give the new one another name; with_params replaces the array of one."
    )
    with pytest.raises(SpecError) as info:
        net.followed_by("q = x + x")
    assert str(info.value).startswith("two values are named q: q = ")
