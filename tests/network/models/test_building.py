"""Nodes by hand, as an importer fills them, beside numpy: no other library is needed."""

import sys

import numpy as np
import pytest

from jacobian_bp import Network
from jacobian_bp.errors import SpecError
from jacobian_bp.network.from_elsewhere import network_of_model
from jacobian_bp.network.models.model import Model, Node, Parameter
from jacobian_bp.network.models.rules import RULES, build

N, T, D, H = 3, 5, 6, 2
RNG = np.random.default_rng(77)
X = RNG.normal(size=(N, T, D))
ROWS, IMAGES = RNG.normal(size=(N, D)), RNG.normal(size=(N, D, 7))
PIXELS = RNG.normal(size=(N, 4, 3, 5))
CLIPPED = np.array(
    [[-2, -1, 0.2, 0.5, 0.7, 0], [1, -0.5, 0.5, -1, 3, -3], [0.1, 0.3, 0.4, 0, 2, 9]]
)
P = {
    "W": RNG.normal(size=(4, D)),
    "b": RNG.normal(size=4),
    "s": RNG.normal(size=D),
    "place": RNG.normal(size=(1, T, D)),
    "in": RNG.normal(size=(3 * D, D)),
    "out": RNG.normal(size=(D, D)),
    "Wx": RNG.normal(size=(4 * 2, D)),
    "Wh": RNG.normal(size=(4 * 2, 2)),
    **{name: RNG.normal(size=(4, D)) for name in ("W4", "V4")},
    **{name: RNG.normal(size=(4, 4)) for name in ("U4", "T4")},
    "front": RNG.normal(size=(T, 1, D)),
    "lengths": RNG.normal(size=(4, 1)),
    "blocks": RNG.normal(size=(1, 2, 3, 2)),
}


def network(x, steps, constants=None):
    """The network of nodes (kind, reads, options), each reading earlier ones; x is the input."""
    model = Model("a model", {"x": x.shape}, {"x": "x"}, constants=dict(constants or {}))
    for place, (kind, reads, shape, options) in enumerate(steps, start=1):
        for key in reads:
            if key in P and key not in model.parameters:
                model.parameters[key] = Parameter(f"own.{key}", P[key])
        model.nodes.append(Node(kind, reads, f"v{place}", shape, f"v{place}", "a node", options))
    model.outputs = (model.nodes[-1].gives,)
    return network_of_model(Network, build(model))


def softmax(z):
    e = np.exp(z - z.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def lstm():
    h = c = np.zeros((N, 2))
    for t in range(T):
        i, f, g, o = np.split(X[:, t] @ P["Wx"].T + h @ P["Wh"].T, 4, axis=1)
        c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
        h = sigmoid(o) * np.tanh(c)
    return h


def both_ways():
    """A cell tanh(W x + U h) along the tokens, and another one back from the last."""
    found = []
    for W, U, order in (("W4", "U4", range(T)), ("V4", "T4", reversed(range(T)))):
        h, at = np.zeros((N, 4)), {}
        for t in order:
            h = at[t] = np.tanh(X[:, t] @ P[W].T + h @ P[U].T)
        found.append(np.stack([at[t] for t in range(T)], 1))
    return np.concatenate(found, 2)


def attention():
    q, k, v = (a.reshape(N, T, H, 3) for a in np.split(X @ P["in"].T, 3, axis=2))
    s = np.einsum("nthk,nuhk->nhtu", q, k) / np.sqrt(3)
    w = softmax(np.where(np.tri(T, dtype=bool), s, -np.inf))
    return np.einsum("nhtu,nuhk->nthk", w, v).reshape(N, T, D) @ P["out"].T


def own_attention():
    """The heads of X attend to themselves, causally."""
    q = X.reshape(N, T, H, 3)
    w = softmax(np.where(np.tri(T, dtype=bool), np.einsum("nthk,nuhk->nhtu", q, q), -np.inf))
    return np.einsum("nhtu,nuhk->nthk", w, q).reshape(N, T, D)


WHOLE = (N, T, D)
ROW = (N, D)
CAUSAL = {"mask": ~np.tri(T, dtype=bool)[None, None]}
CASES = {
    "a linear map": (ROWS, [("linear", ("x", "W", "b"), (N, 4), {})], ROWS @ P["W"].T + P["b"]),
    "a parameter of size 1 in front": (
        X,
        [("add", ("x", "place"), WHOLE, {}), ("tanh", ("v1",), WHOLE, {})],
        np.tanh(X + P["place"]),
    ),
    "a row beside tokens": (X, [("multiply", ("x", "s"), WHOLE, {})], X * P["s"]),
    "a parameter by itself": (
        ROWS,
        [("subtract", ("s", "x"), ROW, {}), ("exp", ("s",), (D,), {}),
         ("multiply", ("v1", "v2"), ROW, {})],
        (P["s"] - ROWS) * np.exp(P["s"]),
    ),
    "what keeps a size of 1": (
        X,
        [("mean", ("x",), (N, T, 1), {"axes": (2,), "keep": True}),
         ("subtract", ("x", "v1"), WHOLE, {})],
        X - X.mean(2, keepdims=True),
    ),
    "the mean of rows, kept": (
        ROWS,
        [("mean", ("x",), (N, 1), {"axes": (1,), "keep": True}),
         ("subtract", ("x", "v1"), ROW, {})],
        ROWS - ROWS.mean(1, keepdims=True),
    ),
    "slices of each axis, joined": (
        X,
        [("slice", ("x",), (N, 3, D), {"axis": 1, "start": 1, "stop": 4}),
         ("slice", ("x",), (N, T, 3), {"axis": 2, "start": 0, "stop": 6, "step": 2}),
         ("reshape", ("v2",), (N, 15), {}), ("reshape", ("v1",), (N, 18), {}),
         ("concat", ("v3", "v4"), (N, 33), {"axis": 1})],
        np.concatenate([X[:, :, ::2].reshape(N, -1), X[:, 1:4].reshape(N, -1)], 1),
    ),
    "stacked along the last axis": (
        ROWS,
        [("tanh", ("x",), ROW, {}), ("stack", ("x", "v1"), (N, D, 2), {"axis": 2})],
        np.stack([ROWS, np.tanh(ROWS)], 2),
    ),
    "examples and tokens in one axis, and apart again": (
        X,
        [("reshape", ("x",), (N * T, D), {}), ("linear", ("v1", "W", "b"), (N * T, 4), {}),
         ("sigmoid", ("v2",), (N * T, 4), {}), ("reshape", ("v3",), (N, T, 4), {})],
        sigmoid(X @ P["W"].T + P["b"]),
    ),
    "scores under a mask": (
        X,
        [("transpose", ("x",), (N, D, T), {"order": (0, 2, 1)}),
         ("matmul", ("x", "v1"), (N, T, T), {}),
         ("masked_fill", ("v2", "mask"), (N, T, T), {"fill": float("-inf")}),
         ("softmax", ("v3",), (N, T, T), {"axis": -1}), ("matmul", ("v4", "x"), WHOLE, {})],
        softmax(np.where(np.tri(T, dtype=bool), X @ X.transpose(0, 2, 1), -np.inf)) @ X,
    ),
    "heads": (
        X,
        [("multi_head", ("x", "x", "x", None, "in", None, None, None, None, "out", None), WHOLE,
          {"width": D, "heads": H, "causal": True, "first": True})],
        attention(),
    ),
    "a layer of cells": (
        X,
        [("recurrent", ("x", "Wx", "Wh"), (N, T, 2), {"cell": "lstm", "layers": (("Wx", "Wh"),)}),
         ("select", ("v1",), (N, 2), {"axis": 1, "index": -1})],
        lstm(),
    ),
    "tokens in front, and behind the examples again": (
        X,
        [("transpose", ("x",), (T, N, D), {"order": (1, 0, 2)}),
         ("add", ("v1", "front"), (T, N, D), {}),
         ("linear", ("v2", "W", "b"), (T, N, 4), {}), ("tanh", ("v3",), (T, N, 4), {}),
         ("slice", ("v4",), (3, N, 4), {"axis": 0, "start": 1, "stop": 4}),
         ("reshape", ("v5",), (3, N, 2, 2), {}),
         ("transpose", ("v6",), (N, 3, 2, 2), {"order": (1, 0, 3, 2)})],
        np.tanh((X + P["front"][:, 0]) @ P["W"].T + P["b"])[:, 1:4]
        .reshape(N, 3, 2, 2).transpose(0, 1, 3, 2),
    ),
    "the mean over tokens in front, with a size of 1": (
        X,
        [("transpose", ("x",), (T, N, D), {"order": (1, 0, 2)}),
         ("mean", ("v1",), (1, N, D), {"axes": (0,), "keep": True}),
         ("subtract", ("v1", "v2"), (T, N, D), {}),
         ("select", ("v3",), ROW, {"axis": 0, "index": 2})],
        X[:, 2] - X.mean(1),
    ),
    "three values in one, then the examples": (
        X,
        [("reshape", ("x",), (N, T, 3, 2), {}),
         ("transpose", ("v1",), (3, N, 2, T), {"order": (2, 0, 3, 1)}),
         ("select", ("v2",), (N, 2, T), {"axis": 0, "index": 0}),
         ("select", ("v2",), (N, 2, T), {"axis": 0, "index": 2}),
         ("multiply", ("v3", "v4"), (N, 2, T), {})],
        (X.reshape(N, T, 3, 2)[:, :, 0] * X.reshape(N, T, 3, 2)[:, :, 2]).transpose(0, 2, 1),
    ),
    "examples and heads in one axis": (
        X,
        [("transpose", ("x",), (T, N, D), {"order": (1, 0, 2)}),
         ("reshape", ("v1",), (T, N * H, 3), {}),
         ("transpose", ("v2",), (N * H, T, 3), {"order": (1, 0, 2)}),
         ("transpose", ("v3",), (N * H, 3, T), {"order": (0, 2, 1)}),
         ("matmul", ("v3", "v4"), (N * H, T, T), {}),
         ("masked_fill", ("v5", "mask"), (N * H, T, T), {"fill": float("-inf")}),
         ("softmax", ("v6",), (N * H, T, T), {"axis": 2}),
         ("matmul", ("v7", "v3"), (N * H, T, 3), {}),
         ("transpose", ("v8",), (T, N * H, 3), {"order": (1, 0, 2)}),
         ("reshape", ("v9",), (T * N, D), {}), ("linear", ("v10", "W", "b"), (T * N, 4), {}),
         ("reshape", ("v11",), (T, N, 4), {}),
         ("transpose", ("v12",), (N, T, 4), {"order": (1, 0, 2)})],
        own_attention() @ P["W"].T + P["b"],
    ),
    "cells in both directions, tokens in front": (
        X,
        [("transpose", ("x",), (T, N, D), {"order": (1, 0, 2)}),
         ("recurrent", ("v1", "W4", "U4", "V4", "T4"), (T, N, 8),
          {"cell": "rnn", "layers": (("W4", "U4"), ("V4", "T4")), "first": False, "directions": 2}),
         ("transpose", ("v2",), (N, T, 8), {"order": (1, 0, 2)})],
        both_ways(),
    ),
    "between limits, the slope 0 at them": (
        CLIPPED,
        [("clip", ("x",), ROW, {"low": -1.0, "high": 0.5}),
         ("multiply", ("v1", "s"), ROW, {})],
        np.clip(CLIPPED, -1, 0.5) * P["s"],
    ),
    "a gate of straight lines": (
        ROWS,
        [("hard_sigmoid", ("x",), ROW, {"alpha": 0.3, "beta": 0.4, "gates": True})],
        ROWS * np.clip(0.3 * ROWS + 0.4, 0, 1),
    ),
    "a slope for each channel": (
        IMAGES,
        [("sloped", ("x", "s"), IMAGES.shape, {})],
        np.where(IMAGES > 0, IMAGES, P["s"][:, None] * IMAGES),
    ),
    "rows of length 1, times the largest": (
        X,
        [("norm", ("x",), (N, T, 1), {"axes": (2,), "keep": True}),
         ("divide", ("x", "v1"), WHOLE, {}),
         ("largest", ("x",), (N, 1, D), {"axes": (1,), "keep": True}),
         ("multiply", ("v2", "v3"), WHOLE, {})],
        X / np.linalg.norm(X, axis=2, keepdims=True) * X.max(1, keepdims=True),
    ),
    "the largest of a row, which keeps its axis": (
        ROWS,
        [("largest", ("x",), (N, 1), {"axes": (1,), "keep": True}),
         ("subtract", ("x", "v1"), ROW, {})],
        ROWS - ROWS.max(1, keepdims=True),
    ),
    "a deviation": (
        X,
        [("variance", ("x",), (N, D), {"axes": (1,), "correction": 1.0, "root": True})],
        X.std(1, ddof=1),
    ),
    "entries repeated, each and as a whole": (
        X,
        [("repeat", ("x",), (N, 2 * T, D), {"counts": (1, 2, 1), "each": True}),
         ("repeat", ("v1",), (N, 2 * T, 3 * D), {"counts": (1, 1, 3)})],
        np.tile(np.repeat(X, 2, 1), (1, 1, 3)),
    ),
    "expanded, then joined": (
        X,
        [("mean", ("x",), (N, 1, D), {"axes": (1,), "keep": True}),
         ("expand", ("v1",), WHOLE, {}), ("concat", ("x", "v2"), (N, T, 2 * D), {"axis": 2})],
        np.concatenate([X, np.broadcast_to(X.mean(1, keepdims=True), X.shape)], 2),
    ),
    "padded, cut, rolled and turned round": (
        X,
        [("pad", ("x",), (N, T + 1, D + 3), {"around": ((0, 0), (2, -1), (0, 3)), "value": 0.25}),
         ("roll", ("v1",), (N, T + 1, D + 3), {"shifts": ((1, 2), (-1, -1))}),
         ("flip", ("v2",), (N, T + 1, D + 3), {"axes": (1,)})],
        np.flip(np.roll(np.pad(X[:, :-1], ((0, 0), (2, 0), (0, 3)), constant_values=0.25),
                        (2, -1), (1, 2)), 1),
    ),
    "blocks of pixels": (
        PIXELS,
        [("shuffled", ("x",), (N, 1, 6, 10), {"times": 2}),
         ("transposed_convolution", ("v1", "blocks"), (N, 2, 18, 20),
          {"stride": (3, 2), "around": ((0, 0), (0, 0))})],
        np.einsum("nij,ors->noirjs",
                  PIXELS.reshape(N, 2, 2, 3, 5).transpose(0, 3, 1, 4, 2).reshape(N, 6, 10),
                  P["blocks"][0]).reshape(N, 2, 18, 20),
    ),
    "a matrix by its lengths": (
        ROWS,
        [("weight_normed", ("W", "lengths"), (4, D), {"axis": 0}),
         ("linear", ("x", "v1", "b"), (N, 4), {})],
        ROWS @ (P["lengths"] * P["W"] / np.linalg.norm(P["W"], axis=1, keepdims=True)).T + P["b"],
    ),
    "pooled": (
        IMAGES,
        [("average_pool", ("x",), (N, D, 3),
          {"width": (3,), "stride": (2,), "padding": (0,), "counts_zeros": True})],
        np.stack([IMAGES[..., o : o + 3].mean(-1) for o in (0, 2, 4)], -1),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_nodes_give_what_numpy_gives_and_the_routes_agree(name):
    x, steps, expected = CASES[name]
    net = network(x, steps, CAUSAL)
    np.testing.assert_allclose(net(x), expected, rtol=0, atol=1e-13)
    output = net.steps[-1].partition(" = ")[0]
    axes = ",".join(net.run(x).forward_pass.names[output])
    cost = net.followed_by(f"J = Sum({output}, over='{axes}')") if axes else net
    if cost.params:
        assert cost.run(x).check().ok
    assert all(key.startswith("own.") for key in (net.state_dict() if net.params else {}))


def test_a_rule_that_is_wrong_is_seen(monkeypatch):
    """The planted mistake: a slice that begins one entry later."""
    x, steps, expected = CASES["slices of each axis, joined"]
    kind, reads, shape, options = steps[0]
    moved = [(kind, reads, shape, options | {"start": 2, "stop": 5}), *steps[1:]]
    assert np.abs(network(x, moved)(x) - expected).max() > 0.1


def test_one_example_and_more_examples_run_through_the_same_steps():
    x, steps, expected = CASES["a parameter of size 1 in front"]
    net = network(x, steps)
    np.testing.assert_allclose(net(x[1]), expected[1], rtol=0, atol=1e-14)
    np.testing.assert_allclose(net(np.concatenate([x, x])), np.concatenate([expected] * 2))


REFUSED = {
    "an unknown kind": (
        [("wavelet", ("x",), ROW, {}), ("tanh", ("v1",), ROW, {}), ("fourier", ("x",), ROW, {})],
        ["a node: wavelet is not known", "a node: fourier is not known"],
    ),
    "examples that are moved": (
        [("transpose", ("x",), (D, N), {"order": (1, 0)})],
        ["a model: its output has another axis in front of the examples; put the examples in "
         "front"],
    ),
    "a row of examples": (
        [("transpose", ("x",), (D, N), {"order": (1, 0)}),
         ("linear", ("v1", "W"), (D, 4), {})],
        ["a node: it reads a row of examples; put the examples in front"],
    ),
    "examples that are cut": (
        [("reshape", ("x",), (2, N, D // 2), {})],
        ["a node: from shape (3, 6) to (2, 3, 3): examples do not stay apart; keep the axis of the "
         "examples in front"],
    ),
    "some of the examples": (
        [("slice", ("x",), (2, D), {"axis": 0, "start": 0, "stop": 2})],
        ["a node: it takes some of the examples"],
    ),
    "a softmax along the examples": (
        [("softmax", ("x",), ROW, {"axis": 0})],
        ["a node: it goes along the examples"],
    ),
    "a mask that no softmax follows": (
        [("masked_fill", ("x", "low"), ROW, {"fill": float("-inf")}), ("tanh", ("v1",), ROW, {})],
        ["a node: it reads a score of -inf that no softmax follows"],
    ),
    "a constant that differs between examples": (
        [("add", ("x", "each"), ROW, {})],
        ["a node: a constant that it reads differs between examples; make it an input"],
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_written_is_told_with_its_place(name):
    steps, lines = REFUSED[name]
    constants = {"low": np.arange(D) > 2, "each": RNG.normal(size=ROW)}
    with pytest.raises(SpecError) as caught:
        network(ROWS, steps, constants)
    count = f"{len(lines)} problem{'s' * (len(lines) > 1)}"
    told = "".join(f"\n  {line}" for line in lines)
    assert str(caught.value) == (
        f"a model cannot be written as a program: {count}.{told}\n"
        "  What is read stands in docs/models.md; leave the rest out, or write it as a program."
    )


def test_every_kind_of_the_importers_has_a_rule():
    from jacobian_bp.network.models.keras_graph import LAYERS
    from jacobian_bp.network.models.keras_layer import ACTIVATIONS
    from jacobian_bp.network.models.onnx_calls import CALLS as ONNX
    from jacobian_bp.network.models.torch_calls import CALLS as TORCH

    assert {kind for kind, _ in ACTIVATIONS.values()} <= set(RULES)
    assert min(len(LAYERS), len(ONNX), len(TORCH)) > 20


@pytest.mark.parametrize(
    ("call", "package"),
    [
        (lambda: Network.from_torch(None, None), "torch"),
        (lambda: Network.from_onnx("x.onnx"), "onnx"),
        (lambda: Network.from_keras("x.keras"), "h5py"),
    ],
    ids=["torch", "onnx", "keras"],
)
def test_a_package_that_is_missing_is_named_with_what_installs_it(call, package, monkeypatch):
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(SpecError) as caught:
        call()
    who = {"torch": "from_torch", "onnx": "from_onnx", "h5py": "from_keras"}[package]
    assert str(caught.value) == (
        f"Network.{who} needs {package}, which is not installed.\n"
        f"  Write pip install 'jacobian-bp[{package}]'."
    )


def test_a_network_of_its_own_has_no_foreign_names():
    with pytest.raises(SpecError) as caught:
        Network.dense([3, 2]).state_dict()
    assert str(caught.value) == (
        "this network is from no model of another library.\n"
        "  Its parameters are net.params, by the names of this package."
    )
