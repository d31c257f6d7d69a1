"""Programs and helpers for the tests of the compiled step."""

from dataclasses import replace

import numpy as np
import pytest
from network_cases import BATCH, close, data, network, refusal, term_sums

from jacobian_bp import Network, Op, delta, dense, ops
from jacobian_bp.ops.kernels import GENERAL

FORMS = ["one", "batch of one", "batch"]
by_form = pytest.mark.parametrize("form", FORMS)
X, Y = data(batch=True)
END = ["L = SquaredError(z, y)", "J = Mean(L)"]
LAYER = {"W": np.random.default_rng(4).standard_normal((2, 5)), "b": np.array([0.5, -0.25])}

# the ops that have a kernel of their own
KERNELS = [op for op in map(vars(ops).get, ops.__all__) if getattr(op, "compiled_as", None)]
KERNELS = [op for op in KERNELS if op.compiled_as is not GENERAL]


def put_kernel(monkeypatch, op, make):
    """Another kernel in the place of an op's own, with what is said of it."""
    monkeypatch.setattr(op, "compiled_as", replace(op.compiled_as, make=make))


def shaped(form, x, y):
    """The drawn batch, or its first example with or without an axis of 1 in front."""
    if form == "batch":
        return x, y
    return (x[:1], y[:1]) if form == "batch of one" else (x[0], y[0])


def compiled(net, form, m=BATCH):
    return net.compile(batch={"one": None, "batch of one": 1, "batch": m}[form])


def apart(net, step, x=None, y=None, **more):
    """The names in which the step's second call and the run are apart; the first has other x, y."""
    inputs = {name: value for name, value in {"x": x, "y": y, **more}.items() if value is not None}
    step(net.params, **{name: np.flip(value) for name, value in inputs.items()})
    loss, gradients = step(net.params, **inputs)
    run = net.run(**inputs)
    expected = run.gradients()
    scale = term_sums(run)
    assert list(gradients) == list(expected)
    found = [n for n, g in gradients.items() if not close(g, expected[n], scale[n])]
    J = run["J"]
    terms = any(step.startswith("L = KLDivergence") for step in net.steps)  # near 1, and cancel
    return found + ["J"] * (not close(np.asarray(loss, J.dtype), J, np.abs(J) + terms))


def planned(net=None, x=X, y=Y):
    """The network and a step that has been called once."""
    net = net or network()
    step = net.compile(batch=len(x))
    step(net.params, x, y)
    return net, step


def opened(net):
    """The parameters as arrays of one's own."""
    return {name: np.array(array) for name, array in net.params.items()}


def kept(result):
    loss, gradients = result
    return {**{n: g.copy() for n, g in gradients.items()}, "J": np.array(loss)}


def both_say(error, net, step, x, y, params=None):
    """The step and the run refuse with one message, which is given back."""
    params = net.params if params is None else params
    text = refusal(error, lambda: net.with_params(params).run(x, y))
    assert refusal(error, step, params, x, y) == text
    return text


class Scale(Op):
    """z = s a, s a parameter of its own."""

    signature = "a[k], s[] -> z[k]"
    parameters = ("s",)

    def forward(self, a, s):
        return s * a

    def jacobians(self, a, s):
        return {"a": delta("k,k'") * dense("s", s), "s": dense("a[k]", a)}

    def vjp(self, z_bar, a, s):
        return {"a": s * z_bar, "s": (z_bar * a).sum()}


class Distance(Op):
    """A loss that leaves its labels as they come."""

    signature = "a[k], y[k] -> L[]"
    labels = ("y",)

    def forward(self, a, y):
        return ((a - y) ** 2).sum(axis=-1)

    def jacobians(self, a, y):
        residual = dense("(a − y)[k']", a - y)
        return {"a": 2 * residual, "y": -2 * residual}

    def vjp(self, L_bar, a, y):
        return {"a": 2 * L_bar[..., None] * (a - y), "y": 2 * L_bar[..., None] * (y - a)}


OUT = ["L = SquaredError(out, y)", "J = Mean(L)"]
OWN = {
    "Scale": Scale,
    "Distance": Distance,
    "Outer": ops.Einsum("k,i->ki"),
    "Apply": ops.Einsum("ki,i->k"),
    "AtZero": ops.ReLU(at_zero=0.5),
}
# name -> the lines, the shapes of the parameters, the shapes of further inputs in a batch
PROGRAMS = {
    "skip": (["z = Linear(x, W, b)", "a = Tanh(z)", "out = Add(a, z)", *OUT], "W52 b2", {}),
    "fan-out": (
        ["z = Linear(x, W, b)", "p = Sigmoid(z)", "q = Tanh(z)", "out = Multiply(p, q)", *OUT],
        "W52 b2",
        {},
    ),
    "waves": (
        ["z = Linear(x, W, b)", "p = Sin(z)", "q = Cos(z)", "out = Multiply(p, q)", *OUT],
        "W52 b2",
        {},
    ),
    "square": (["z = Linear(x, W, b)", "out = Multiply(z, z)", *OUT], "W52 b2", {}),
    "double": (["z = Linear(x, W, b)", "out = Add(z, z)", *OUT], "W52 b2", {}),
    "one bias twice": (
        ["u = Linear(x, V, b)", "v = Linear(x, W, b)", "out = Add(u, v)", *OUT],
        "V52 W52 b2",
        {},
    ),
    "a bias that is a factor too": (
        ["z = Linear(x, W, b)", "out = Multiply(z, b)", *OUT],
        "W52 b2",
        {},
    ),
    "a bias that is an input of its own activation": (
        ["z = Linear(x, W, b)", "a = Tanh(z)", "c = Sigmoid(b)", "out = Multiply(a, c)", *OUT],
        "W52 b2",
        {},
    ),
    "tied layers": (
        ["u = Linear(h, W, b)", "v = Tanh(u)", "out = Linear(v, W, b)", *OUT],
        "W22 b2",
        {"h": (BATCH, 2)},
    ),
    "einsum": (
        ["z = Linear(x, W, b)", "out = Apply(M, z)", *OUT],
        "W53 b3 M32",
        {},
    ),
    "parameter read by an op": (
        ["z = Linear(x, W, b)", "g = Add(z, p)", "out = Scale(g, s)", *OUT],
        "W52 b2 p2 s",
        {},
    ),
    "computed weights": (
        ["W = Outer(u, v)", "out = Linear(x, W, b)", *OUT],
        "u2 v5 b2",
        {},
    ),
    "computed bias": (
        ["b = Tanh(c)", "out = Linear(x, W, b)", *OUT],
        "W52 c2",
        {},
    ),
    "two inputs": (
        ["u = Linear(x, V, b)", "v = Linear(h, W, c)", "out = Add(u, v)", *OUT],
        "V52 b2 W32 c2",
        {"h": (BATCH, 3)},
    ),
    "labels of its own": (
        ["z = Linear(x, W, b)", "L = Distance(z, y)", "J = Sum(L)"],
        "W52 b2",
        {},
    ),
    "a loss between values": (
        [
            "z = Linear(x, W, b)",
            "a = Tanh(z)",
            "d = HalfSquaredError(a, z)",
            "e = SquaredError(z, y)",
            "L = Plus(d, e)",
            "J = Mean(L)",
        ],
        "W52 b2",
        {},
    ),
    "the input as label": (
        ["a = Linear(h, V, b)", "out = Linear(a, W, c)", "L = SquaredError(out, h)", "J = Mean(L)"],
        "V23 b3 W32 c2",
        {"h": (BATCH, 2)},
    ),
    "the slope at a kink": (
        ["z = Linear(x, W, b)", "out = AtZero(z)", *OUT],
        "W52 b2",
        {},
    ),
    "a dead branch": (
        ["z = Linear(x, V, b)", "dead = Tanh(z)", "out = Linear(x, W, b)", *OUT],
        "V52 W52 b2",
        {},
    ),
    "unfused": (
        [
            "z = Linear(x, W, b)",
            "p = Sigmoid(z)",
            "a = Identity(p)",
            "L = BinaryCrossEntropy(a, t)",
            "J = Mean(L)",
        ],
        "W52 b2",
        {"t": (BATCH, 2)},
    ),
}
OWN["Plus"] = ops.Add("")


def program(name):
    """The network, and its inputs for a batch: sizes 5 → 2 or 3, written W52 for W[2,5]."""
    lines, words, more = PROGRAMS[name]
    rng = np.random.default_rng(17)
    shapes = {word.rstrip("0123456789"): tuple(map(int, word[1:]))[::-1] for word in words.split()}
    params = {n: rng.standard_normal(shape) / 2 for n, shape in shapes.items()}
    text = "\n".join(lines)
    own = {n: op for n, op in OWN.items() if f"{n}(" in text}
    net = Network.program(*lines, params=params, ops=own)
    known = {"x": (BATCH, 5), "y": (BATCH, 2), **more}
    inputs = {n: rng.standard_normal(known[n]) for n in net._program.inputs}
    if "t" in inputs:
        inputs["t"] = rng.choice([0.0, 0.25, 1.0], known["t"])
    return net, inputs
