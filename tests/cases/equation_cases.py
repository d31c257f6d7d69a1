"""Mistakes beyond dense layers as a student writes them: attention, gates, convolution, own ops.

Forward and backward are written out by hand; nothing is shared with the diagnosis. A plant is
(name, run, arrays handed in, wrong key, labels of which one is expected, joined by "|").
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from jacobian_bp import Einsum, Network, Op, delta, dense


@dataclass(frozen=True)
class Plant:
    """One mistake, and the labels that say it."""

    name: str
    run: Any
    arrays: dict
    key: str
    labels: tuple[str, ...]


def softmax(z):
    e = np.exp(z - z.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


class RMSNorm(Op):
    """y = g x / rms(x)."""

    signature = "x[k], g[k] -> y[k]"
    parameters = "g"

    def forward(self, x, g):
        return g * x / np.sqrt((x * x).mean(-1, keepdims=True))

    def jacobians(self, x, g):
        rms = np.sqrt((x * x).mean(-1))
        u = x / rms[..., None]
        n = x.shape[-1]
        inside = delta("k,k'") - (1 / n) * (dense("u[k]", u) * dense("u[k']", u))
        return {
            "x": dense("g[k]", g) * dense("1/rms", 1 / rms) * inside,
            "g": delta("k,k'") * dense("u[k]", u),
        }

    def vjp(self, bar, x, g):
        rms = np.sqrt((x * x).mean(-1, keepdims=True))
        u, d = x / rms, bar * g
        total = bar * u
        return {
            "x": (d - u * (d * u).mean(-1, keepdims=True)) / rms,
            "g": total.sum(0) if total.ndim > 1 else total,
        }


def attention(normal):
    """q = Wq x over T memories K, V: scores, softmax, a weighted sum, half squared error."""
    T, d, e, n = 5, 3, 2, 7
    params = {"K": normal(size=(T, d)), "V": normal(size=(T, e)), "G": normal(size=(d, 11))}
    net = Network.program(
        "q = Query(G, x)",
        "s = Score(q, K)",
        "p = Softmax(s)",
        "c = Mix(p, V)",
        "L = HalfSquaredError(c, y)",
        "J = Mean(L)",
        params=params,
        ops={"Query": Einsum("di,i->d"), "Score": Einsum("d,td->t"), "Mix": Einsum("t,te->e")},
    )
    run = net.run(normal(size=(n, 11)), normal(size=(n, e)))
    K, V, q, p = params["K"], params["V"], run["q"], run["p"]
    dc = (run["c"] - run["y"]) / n
    dp = dc @ V.T
    ds = p * (dp - (dp * p).sum(-1, keepdims=True))
    yield (
        "softmax: the inner sum over the batch",
        run,
        {"s": p * (dp - (dp * p).sum(0))},
        "s",
        "wrong-contraction",
    )
    whole = p * (dp - (dp * p).sum())
    yield "softmax: the inner sum over everything", run, {"s": whole}, "s", "wrong-contraction"
    plus = p * (dp + (dp * p).sum(-1, keepdims=True))
    yield "softmax: a plus", run, {"p": dp, "s": plus}, "s", "sign-of-a-term"
    yield "softmax: no upstream", run, {"s": p * (1 - p)}, "s", "upstream-missing"
    yield "dp for ds in q", run, {"q": dp @ K}, "q", "missing-slope|wrong-delta"
    yield "p for ds in K", run, {"s": ds, "K": p.T @ q}, "K", "wrong-delta"
    yield "dK for K", run, {"q": ds @ (ds.T @ q)}, "q", "gradient-for-weight"


def sequence_attention(normal):
    """Self-attention of one sequence, T and d different, queries, keys and values by weights."""
    T, d, e = 5, 3, 2
    params = {"Wq": normal(size=(d, e)), "Wk": normal(size=(d, e)), "Wv": normal(size=(d, e))}
    net = Network.program(
        "q = Project(x, Wq)",
        "k = Project(x, Wk)",
        "v = Project(x, Wv)",
        "s = Score(q, k)",
        "g = Scale(s)",
        "c = Mix(g, v)",
        "o = Pool(c, w)",
        "L = HalfSquaredError(o, y)",
        params=params,
        ops={
            "Project": Einsum("td,de->te"),
            "Score": Einsum("te,ue->tu"),
            "Scale": RowSoftmax,
            "Mix": Einsum("tu,ue->te"),
            "Pool": Einsum("te,t->e"),
        },
    )
    weights = normal(size=T)
    run = net.run(x=normal(size=(T, d)), w=weights, y=normal(size=e))
    x, q, k, v, g = (run[name] for name in ("x", "q", "k", "v", "g"))
    do = run["o"] - run["y"]
    dc = np.outer(weights, do)
    dg = dc @ v.T
    ds = g * (dg - (dg * g).sum(-1, keepdims=True))
    dq, dk = ds @ k, ds.T @ q
    yield (
        "keys: ds not turned",
        run,
        {"s": ds, "k": ds @ q},
        "k",
        "wrong-contraction|factor-turned",
    )
    yield "q for k", run, {"s": ds, "q": ds @ q}, "q", "wrong-factor"
    yield "values: g not turned", run, {"c": dc, "v": g @ dc}, "v", "factor-turned"
    yield "values: g left out", run, {"c": dc, "v": dc}, "v", "factor-missing"
    columns = g * (dg - (dg * g).sum(0, keepdims=True))
    yield "rows: the sum over columns", run, {"g": dg, "s": columns}, "s", "wrong-contraction"
    yield (
        "dk for dq in Wq",
        run,
        {"q": dq, "Wq": x.T @ dk},
        "Wq",
        "wrong-delta|check-of-wrong-quantity",
    )
    dx = dq @ params["Wk"].T + dk @ params["Wk"].T + (g.T @ dc) @ params["Wv"].T
    yield "Wk for Wq", run, {"x": dx}, "x", "wrong-weight"
    yield "v for k", run, {"s": ds, "q": ds @ v}, "q", "wrong-factor"


class RowSoftmax(Op):
    """Softmax of each row."""

    signature = "s[t,u] -> g[t,u]"

    def forward(self, s):
        return softmax(s)

    def jacobians(self, s):
        g = softmax(s)
        inside = delta("u,u'") - dense("g[t,u']", g)
        return {"s": delta("t,t'") * dense("g[t,u]", g) * inside}

    def vjp(self, bar, s):
        g = softmax(s)
        return {"s": g * (bar - (bar * g).sum(-1, keepdims=True))}


def gate(normal):
    """h = σ(f) ⊙ tanh(u), both of them layers of x; a mask by Multiply behind it."""
    n, k, i = 7, 5, 3
    params = {
        "Wf": normal(size=(k, i)),
        "bf": normal(size=k),
        "Wu": normal(size=(k, i)),
        "bu": normal(size=k),
        "gamma": normal(size=k),
    }
    net = Network.program(
        "f = Linear(x, Wf, bf)",
        "s = Sigmoid(f)",
        "u = Linear(x, Wu, bu)",
        "t = Tanh(u)",
        "h = Multiply(s, t)",
        "r = Multiply(h, gamma)",
        "L = SquaredError(r, y)",
        "J = Mean(L)",
        params=params,
    )
    run = net.run(normal(size=(n, i)), normal(size=(n, k)))
    s, t, u, gamma = run["s"], run["t"], run["u"], params["gamma"]
    dr = 2 * (run["r"] - run["y"]) / n
    dh = dr * gamma
    yield "γ left out", run, {"r": dr, "h": dr}, "h", "factor-missing"
    yield "γ twice", run, {"r": dr, "h": dr * gamma**2}, "h", "factor-twice"
    yield "the gate left out", run, {"h": dh, "t": dh}, "t", "factor-missing"
    yield "the other factor of the gate", run, {"h": dh, "s": dh * s}, "s", "wrong-factor"
    yield "u for tanh u", run, {"h": dh, "s": dh * u}, "s", "wrong-factor"
    yield (
        "σ(s) for the slope",
        run,
        {"s": dh * t, "f": dh * t * sigmoid(s)},
        "f",
        "value-for-slope",
    )
    at = (dh * s) * (1 - np.tanh(dh * s) ** 2)
    yield "tanh' at the delta", run, {"t": dh * s, "u": at}, "u", "slope-at-delta"
    formula = (dh * s) * (1 - (dh * s) ** 2)
    yield "1 − δ²", run, {"t": dh * s, "u": formula}, "u", "slope-at-delta"
    yield (
        "γ per example",
        run,
        {"r": dr, "gamma": dr * run["h"]},
        "gamma",
        "bias-not-summed|wrong-contraction",
    )
    apart = dr.sum(0) * run["h"].sum(0)
    yield "γ: sums apart", run, {"r": dr, "gamma": apart}, "gamma", "wrong-contraction"
    yield "γ: h left out", run, {"r": dr, "gamma": dr.sum(0)}, "gamma", "factor-missing"
    yield "γ: dr left out", run, {"r": dr, "gamma": run["h"].sum(0)}, "gamma", "upstream-missing"
    yield "slope alone", run, {"t": dh * s, "u": 1 - t**2}, "u", "upstream-missing"


def convolution(normal):
    """y[o] = Σ_k w[k] x[o+k], as an einsum with a selection of windows, and by an own op."""
    I, K = 7, 3  # noqa: E741
    O = I - K + 1  # noqa: E741
    S = np.zeros((O, K, I))
    for o in range(O):
        S[o, np.arange(K), o + np.arange(K)] = 1
    params = {"W": normal(size=(I, 2)), "w": normal(size=K)}
    net = Network.program(
        "x1 = Layer(W, x)",
        "a = Tanh(x1)",
        "c = Conv(S, w, a)",
        "L = HalfSquaredError(c, y)",
        params=params,
        ops={"Layer": Einsum("ij,j->i"), "Conv": Einsum("oki,k,i->o")},
    )
    run = net.run(x=normal(size=2), S=S, y=normal(size=O))
    a, w = run["a"], params["w"]
    dc = run["c"] - run["y"]
    over = np.zeros(I)
    for o in range(O):
        over[o : o + K] = dc[o] * w
    yield "windows overwrite", run, {"c": dc, "a": over}, "a", "summand-overwritten"
    flipped = np.zeros(I)
    for o in range(O):
        flipped[o : o + K] += dc[o]
    yield "w left out", run, {"c": dc, "a": flipped}, "a", "factor-missing"
    yield "the last window", run, {"c": dc, "w": dc[-1] * a[-K:]}, "w", "summand-overwritten"
    alone = np.array([sum(a[o + k] for o in range(O)) for k in range(K)])
    yield "w: dc left out", run, {"c": dc, "w": alone}, "w", "upstream-missing"


def lookup_by_rows(normal):
    """A table read at T places of each sentence; the loop over places assigns."""
    n, T, V, k = 7, 3, 5, 2
    words = np.random.default_rng(3).integers(0, V, size=(n, T))
    E = normal(size=(V, k))
    net = Network.program(
        "e = Lookup(x, E)",
        "h = Together(e)",
        "L = HalfSquaredError(h, y)",
        "J = Mean(L)",
        params={"E": E},
        ops={"Lookup": Einsum("tv,vk->tk"), "Together": Einsum("tk->k")},
    )
    run = net.run(x=np.eye(V)[words], y=normal(size=(n, k)))
    de = np.repeat(((run["h"] - run["y"]) / n)[:, None, :], T, axis=1)
    each, whole = np.zeros((V, k)), np.zeros((V, k))
    for t in range(T):
        each[words[:, t]] += de[:, t]
        whole[words[:, t]] = de[:, t]
    yield ("+= with an index that comes twice", run, {"e": de, "E": each}, "E", "overwritten-index")
    yield "= in each step", run, {"e": de, "E": whole}, "E", "overwritten-index"


def own_ops(normal):
    """RMS norm and log-softmax: one term left out, with another sign, the diagonal alone."""
    n, k = 7, 5
    g = normal(size=k)
    net = Network.program(
        "r = RMSNorm(x, g)",
        "o = LogSoftmax(r)",
        "L = HalfSquaredError(o, y)",
        "J = Mean(L)",
        params={"g": g},
        ops={"RMSNorm": RMSNorm},
    )
    run = net.run(normal(size=(n, k)), normal(size=(n, k)))
    x, p = run["x"], np.exp(run["o"])
    do = (run["o"] - run["y"]) / n
    dr = do - p * do.sum(-1, keepdims=True)
    rms = np.sqrt((x * x).mean(-1, keepdims=True))
    u, d = x / rms, dr * g
    yield "log-softmax: its diagonal", run, {"o": do, "r": do * (1 - p)}, "r", "diagonal-only"
    yield "log-softmax: the sum left out", run, {"o": do, "r": do}, "r", "term-missing"
    rest = -p * do.sum(-1, keepdims=True)
    yield "log-softmax: the sum alone", run, {"o": do, "r": rest}, "r", "term-missing"
    plus = do + p * do.sum(-1, keepdims=True)
    yield "log-softmax: a plus", run, {"o": do, "r": plus}, "r", "sign-of-a-term"
    yield "rms held", run, {"r": dr, "x": d / rms}, "x", "term-missing"
    inner = (dr - u * (dr * u).mean(-1, keepdims=True)) / rms
    yield "γ left out", run, {"r": dr, "x": inner}, "x", "factor-missing"
    summed = (d - u * (d * u).sum(-1, keepdims=True)) / rms
    yield (
        "a sum for a mean",
        run,
        {"r": dr, "x": summed},
        "x",
        "wrong-contraction|constant-factor",
    )


SCENES = (attention, sequence_attention, gate, convolution, lookup_by_rows, own_ops)


def plants():
    """Every plant of every scene."""
    for scene in SCENES:
        normal = np.random.default_rng(61).normal
        for name, run, arrays, key, labels in scene(normal):
            yield Plant(f"{scene.__name__}: {name}", run, arrays, key, tuple(labels.split("|")))
