"""Mistakes beyond dense layers, other ones than those that the edits were made with.

Forward and backward are written out by hand. A plant is (name, run, arrays handed in, wrong
key, labels of which one is expected, joined by "|"). What is not named is kept as it is:
the test names it.
"""

import numpy as np
from equation_cases import Plant, sigmoid, softmax

from jacobian_bp import Einsum, Network, Op, delta, dense


def heads(normal):
    """Two heads of attention over one sequence, with a scale, in one einsum each."""
    H, T, d, e = 2, 5, 3, 4
    params = {"A": normal(size=(H, e, d)), "B": normal(size=(H, e, d)), "C": normal(size=(H, e, d))}
    net = Network.program(
        "q = Split(x, A)",
        "k = Split(x, B)",
        "v = Split(x, C)",
        "s = Score(q, k, r)",
        "p = Last(s)",
        "o = Mix(p, v)",
        "m = Join(o)",
        "L = HalfSquaredError(m, y)",
        params=params,
        ops={
            "Split": Einsum("te,hed->htd"),
            "Score": Einsum("htd,hud,->htu"),
            "Last": LastSoftmax,
            "Mix": Einsum("htu,hud->htd"),
            "Join": Einsum("htd->d"),
        },
    )
    root = 1 / np.sqrt(d)
    run = net.run(x=normal(size=(T, e)), r=np.asarray(root), y=normal(size=d))
    x, q, k, v, p = (run[name] for name in ("x", "q", "k", "v", "p"))
    do = np.broadcast_to(run["m"] - run["y"], (H, T, d))
    dp = do @ v.swapaxes(-1, -2)
    ds = p * (dp - (dp * p).sum(-1, keepdims=True))
    dq, dk = root * ds @ k, root * ds.swapaxes(-1, -2) @ q
    dv = p.swapaxes(-1, -2) @ do
    yield "the scale left out", run, {"s": ds, "q": ds @ k}, "q", "factor-missing|constant-factor"
    yield "the scale twice", run, {"s": ds, "k": root * dk}, "k", "factor-twice|constant-factor"
    yield "ds not turned", run, {"s": ds, "k": root * ds @ q}, "k", "factor-turned"
    yield "dp for ds", run, {"p": dp, "q": root * dp @ k}, "q", "missing-slope|wrong-delta"
    axis = p * (dp - (dp * p).sum(-2, keepdims=True))
    yield "softmax along queries", run, {"p": dp, "s": axis}, "s", "wrong-contraction"
    whole = p * (dp - (dp * p).sum((-1, -2), keepdims=True))
    yield "softmax over a whole head", run, {"p": dp, "s": whole}, "s", "wrong-contraction"
    yield (
        "the diagonal",
        run,
        {"p": dp, "s": dp * p * (1 - p)},
        "s",
        "softmax-as-elementwise|diagonal-only",
    )
    yield (
        "v for p",
        run,
        {"o": do, "v": np.einsum("htu,htd->htd", p, do)},
        "v",
        "factor-missing|wrong-contraction|factor-turned",
    )
    one = np.einsum("te,htd->hed", x, dq * 0 + dk)
    yield "dk for dq", run, {"q": dq, "A": one}, "A", "wrong-delta|check-of-wrong-quantity"
    first = np.einsum("htd,hed->te", dq, params["A"])
    yield (
        "one path of three",
        run,
        {"q": dq, "k": dk, "v": dv, "x": first},
        "x",
        "fan-out-overwritten",
    )


class LastSoftmax(Op):
    """Softmax along the last of three axes."""

    signature = "s[h,t,u] -> p[h,t,u]"

    def forward(self, s):
        return softmax(s)

    def jacobians(self, s):
        p = softmax(s)
        inside = delta("u,u'") - dense("p[h,t,u']", p)
        return {"s": delta("h,h'") * delta("t,t'") * dense("p[h,t,u]", p) * inside}

    def vjp(self, bar, s):
        p = softmax(s)
        return {"s": p * (bar - (bar * p).sum(-1, keepdims=True))}


class Mixed(Op):
    """h = (1 − g) u + g v."""

    signature = "g[k], u[k], v[k] -> h[k]"

    def forward(self, g, u, v):
        return (1 - g) * u + g * v

    def jacobians(self, g, u, v):
        same = delta("k,k'")
        return {
            "g": same * dense("v[k]", v) - same * dense("u[k]", u),
            "u": same * dense("(1−g)[k]", 1 - g),
            "v": same * dense("g[k]", g),
        }

    def vjp(self, bar, g, u, v):
        return {"g": bar * (v - u), "u": bar * (1 - g), "v": bar * g}


def recurrent_gate(normal):
    """One step of a gated recurrence: g = σ(W x), c = tanh(U x), h = (1−g) h0 + g c."""
    n, k, i = 7, 5, 3
    params = {
        "W": normal(size=(k, i)),
        "b": normal(size=k),
        "U": normal(size=(k, i)),
        "d": normal(size=k),
    }
    net = Network.program(
        "a = Linear(x, W, b)",
        "g = Sigmoid(a)",
        "e = Linear(x, U, d)",
        "c = Tanh(e)",
        "h = Mixed(g, h0, c)",
        "L = HalfSquaredError(h, y)",
        "J = Mean(L)",
        params=params,
        ops={"Mixed": Mixed},
    )
    run = net.run(x=normal(size=(n, i)), h0=normal(size=(n, k)), y=normal(size=(n, k)))
    g, c, h0, x = run["g"], run["c"], run["h0"], run["x"]
    dh = (run["h"] - run["y"]) / n
    dg, dc = dh * (c - h0), dh * g
    yield "h0 forgotten", run, {"h": dh, "g": dh * c}, "g", "term-missing"
    yield "c plus h0", run, {"h": dh, "g": dh * (c + h0)}, "g", "sign-of-a-term"
    yield "1 − g for g", run, {"h": dh, "c": dh * (1 - g)}, "c", "wrong-factor"
    yield "g for 1 − g", run, {"h": dh, "h0": dh * g}, "h0", "wrong-factor|check-of-wrong-quantity"
    yield "the gate forgotten", run, {"h": dh, "c": dh}, "c", "factor-missing"
    yield "σ(g)", run, {"g": dg, "a": dg * sigmoid(g)}, "a", "value-for-slope"
    yield (
        "σ'(g)",
        run,
        {"g": dg, "a": dg * sigmoid(g) * (1 - sigmoid(g))},
        "a",
        "slope-at-activation",
    )
    yield "c(1 − c) for 1 − c²", run, {"c": dc, "e": dc * c * (1 - c)}, "e", "wrong-layer-slope"
    yield (
        "dU by the gate's delta",
        run,
        {"a": dg * g * (1 - g), "U": (dg * g * (1 - g)).T @ x},
        "U",
        "wrong-delta|check-of-wrong-quantity",
    )
    yield (
        "the slope at W's delta",
        run,
        {"c": dc, "e": dc * (1 - np.tanh(dc) ** 2)},
        "e",
        "slope-at-delta",
    )


class Variance(Op):
    signature = "x[k] -> v[]"

    def forward(self, x):
        return x.var(-1) + 1e-5

    def jacobians(self, x):
        c = x - x.mean(-1, keepdims=True)
        return {"x": (2 / x.shape[-1]) * dense("c[k']", c)}

    def vjp(self, bar, x):
        c = x - x.mean(-1, keepdims=True)
        return {"x": bar[..., None] * 2 * c / x.shape[-1]}


class Average(Op):
    signature = "x[k] -> m[]"

    def forward(self, x):
        return x.mean(-1)

    def jacobians(self, x):
        return {"x": dense("1/K[k']", np.full(x.shape, 1 / x.shape[-1]))}

    def vjp(self, bar, x):
        return {"x": np.repeat(bar[..., None] / x.shape[-1], x.shape[-1], -1)}


class Standard(Op):
    """u = (x − m) / √v."""

    signature = "x[k], m[], v[] -> u[k]"

    def forward(self, x, m, v):
        return (x - m[..., None]) / np.sqrt(v)[..., None]

    def jacobians(self, x, m, v):
        s, u = np.sqrt(v), self.forward(x, m, v)
        return {
            "x": delta("k,k'") * dense("1/s", 1 / s),
            "m": dense("−1/s[k]", -np.repeat(1 / s[..., None], x.shape[-1], -1)),
            "v": dense("−u/2v[k]", -u / (2 * v[..., None])),
        }

    def vjp(self, bar, x, m, v):
        s, u = np.sqrt(v)[..., None], self.forward(x, m, v)
        return {
            "x": bar / s,
            "m": -(bar / s).sum(-1),
            "v": -(bar * u).sum(-1) / (2 * v),
        }


def norm_as_a_program(normal):
    """Mean, variance, standardised, scaled by γ, shifted by β."""
    n, k = 7, 5
    params = {"gamma": normal(size=k), "beta": normal(size=k)}
    net = Network.program(
        "m = Average(x)",
        "v = Variance(x)",
        "u = Standard(x, m, v)",
        "w = Multiply(u, gamma)",
        "o = Add(w, beta)",
        "L = SquaredError(o, y)",
        "J = Mean(L)",
        params=params,
        ops={"Average": Average, "Variance": Variance, "Standard": Standard},
    )
    run = net.run(normal(size=(n, k)), normal(size=(n, k)))
    u, gamma, s = run["u"], params["gamma"], np.sqrt(run["v"])[:, None]
    do = 2 * (run["o"] - run["y"]) / n
    du = do * gamma
    dv = -(du * u).sum(-1) / (2 * run["v"])
    dm = -(du / s).sum(-1)
    x, mean = run["x"], run["m"][:, None]
    yield "γ forgotten", run, {"w": do, "u": do}, "u", "factor-missing"
    yield "mean and variance held", run, {"u": du, "x": du / s}, "x", "statistics-as-constants"
    rest = du / s + dm[:, None] / k
    yield (
        "the variance held",
        run,
        {"u": du, "m": dm, "x": rest},
        "x",
        "statistics-as-constants|fan-out-overwritten",
    )
    yield "dγ without u", run, {"w": do, "gamma": do.sum(0)}, "gamma", "factor-missing"
    yield (
        "dγ with x",
        run,
        {"w": do, "gamma": (do * x).sum(0)},
        "gamma",
        "wrong-factor|preactivation-for-activation",
    )
    yield "dβ per example", run, {"o": do, "beta": do}, "beta", "bias-not-summed|wrong-contraction"
    yield (
        "dβ over the units",
        run,
        {"o": do, "beta": do.sum(1)},
        "beta",
        "bias-wrong-axis|wrong-contraction",
    )
    yield (
        "dv not summed",
        run,
        {"u": du, "v": dv * 0 + (-du * u / (2 * run["v"][:, None]))[:, -1]},
        "v",
        "summand-overwritten",
    )
    right = du / s + dm[:, None] / k + dv[:, None] * 2 * (x - mean) / k
    yield (
        "1/K forgotten",
        run,
        {"u": du, "m": dm, "v": dv, "x": right + dm[:, None] * (1 - 1 / k)},
        "x",
        "factor-missing|wrong-contraction",
    )


class Norm(Op):
    """y = γ (x − mean)/std over the units."""

    signature = "x[k], gamma[k] -> y[k]"
    parameters = ("gamma",)

    def parts(self, x):
        c = x - x.mean(-1, keepdims=True)
        s = np.sqrt((c * c).mean(-1, keepdims=True))
        return c / s, s

    def forward(self, x, gamma):
        return gamma * self.parts(x)[0]

    def jacobians(self, x, gamma):
        (u, s), n = self.parts(x), x.shape[-1]
        ones = dense("1[k,k']", np.ones((n, n)))
        inside = delta("k,k'") - (1 / n) * ones - (1 / n) * (dense("u[k]", u) * dense("u[k']", u))
        return {
            "x": dense("gamma[k]", gamma) * dense("1/s", 1 / s[..., 0]) * inside,
            "gamma": delta("k,k'") * dense("u[k]", u),
        }

    def vjp(self, bar, x, gamma):
        u, s = self.parts(x)
        d = bar * gamma
        pulled = (d - d.mean(-1, keepdims=True) - u * (d * u).mean(-1, keepdims=True)) / s
        return {"x": pulled, "gamma": (bar * u).sum(0) if bar.ndim > 1 else bar * u}


def norm_as_an_own_op(normal):
    """A linear layer, the norm, a softmax inside, a linear layer; float64."""
    n, i, k, c = 7, 3, 5, 2
    params = {
        "W": normal(size=(k, i)),
        "b": normal(size=k),
        "gamma": normal(size=k),
        "V": normal(size=(c, k)),
        "d": normal(size=c),
    }
    net = Network.program(
        "z = Linear(x, W, b)",
        "r = Norm(z, gamma)",
        "p = Softmax(r)",
        "o = Linear(p, V, d)",
        "L = Huber(o, y)",
        "J = Mean(L)",
        params=params,
        ops={"Norm": Norm},
    )
    run = net.run(normal(size=(n, i)), 2 * normal(size=(n, c)))
    p, gamma = run["p"], params["gamma"]
    do = np.clip(run["o"] - run["y"], -1, 1) / n
    dp = do @ params["V"]
    dr = p * (dp - (dp * p).sum(-1, keepdims=True))
    u, s = Norm().parts(run["z"])
    d = dr * gamma
    mean, spread = d.mean(-1, keepdims=True), u * (d * u).mean(-1, keepdims=True)
    yield "no clipping", run, {"o": (run["o"] - run["y"]) / n}, "o", "check-of-wrong-quantity"
    yield (
        "the sign alone",
        run,
        {"o": np.sign(run["o"] - run["y"]) / n},
        "o",
        "check-of-wrong-quantity",
    )
    yield "softmax left out", run, {"p": dp, "r": dp}, "r", "missing-slope"
    yield (
        "softmax with a mean",
        run,
        {"p": dp, "r": p * (dp - (dp * p).mean(-1, keepdims=True))},
        "r",
        "wrong-contraction",
    )
    yield (
        "the outer p left out",
        run,
        {"p": dp, "r": dp - (dp * p).sum(-1, keepdims=True)},
        "r",
        "factor-missing",
    )
    yield (
        "the inner p left out",
        run,
        {"p": dp, "r": p * (dp - dp.sum(-1, keepdims=True))},
        "r",
        "factor-missing",
    )
    yield (
        "the variance held",
        run,
        {"r": dr, "z": (d - mean) / s},
        "z",
        "statistics-as-constants|term-missing",
    )
    yield (
        "γ left out",
        run,
        {
            "r": dr,
            "z": (dr - dr.mean(-1, keepdims=True) - u * (dr * u).mean(-1, keepdims=True)) / s,
        },
        "z",
        "factor-missing",
    )
    yield "1/s left out", run, {"r": dr, "z": d - mean - spread}, "z", "factor-missing"
    yield "times s", run, {"r": dr, "z": (d - mean - spread) * s}, "z", "wrong-factor"
    yield (
        "u left out once",
        run,
        {"r": dr, "z": (d - mean - (d * u).mean(-1, keepdims=True)) / s},
        "z",
        "factor-missing",
    )
    batch = (d - d.mean(0) - u * (d * u).mean(-1, keepdims=True)) / s
    yield "the mean over the examples", run, {"r": dr, "z": batch}, "z", "wrong-contraction"


def divergence(normal):
    """KL against given probabilities behind a softmax, and a squared penalty."""
    n, i, k = 7, 3, 5
    params = {"W": normal(size=(k, i)), "b": normal(size=k)}
    net = Network.program(
        "z = Linear(x, W, b)",
        "p = Softmax(z)",
        "L = KLDivergence(p, y)",
        "J = Mean(L)",
        params=params,
    )
    run = net.run(normal(size=(n, i)), softmax(normal(size=(n, k))))
    p, y = run["p"], run["y"]
    yield "y/p without the slope", run, {"z": -y / p / n}, "z", "missing-output-slope|missing-slope"
    yield (
        "p − y through softmax again",
        run,
        {"z": p * ((p - y) - ((p - y) * p).sum(-1, keepdims=True)) / n},
        "z",
        "extra-output-slope",
    )
    yield "labels forgotten", run, {"z": p / n}, "z", "check-of-wrong-quantity"
    yield (
        "softmax over the batch",
        run,
        {"z": (np.exp(run["z"]) / np.exp(run["z"]).sum(0) - y) / n},
        "z",
        "examples-axis|wrong-contraction",
    )


def three_paths(normal):
    """s = x + a + b, all read again; and an autoencoder with one weight used both ways."""
    n, k, i = 7, 5, 3
    params = {"W": normal(size=(k, i)), "b": normal(size=k)}
    net = Network.program(
        "z = Linear(x, W, b)",
        "h = Tanh(z)",
        "r = Back(h, W)",
        "L = HalfSquaredError(r, y)",
        "J = Mean(L)",
        params=params,
        ops={"Back": Einsum("k,ki->i")},
    )
    run = net.run(normal(size=(n, i)), normal(size=(n, i)))
    W, h, x = params["W"], run["h"], run["x"]
    dr = (run["r"] - run["y"]) / n
    dh = dr @ W.T
    dz = dh * (1 - h**2)
    yield (
        "the decoder's use alone",
        run,
        {"z": dz, "W": h.T @ dr},
        "W",
        "fan-out-overwritten|last-step-only",
    )
    yield (
        "the encoder's use alone",
        run,
        {"z": dz, "W": dz.T @ x},
        "W",
        "fan-out-overwritten|last-step-only",
    )
    yield "the slope twice in one use", run, {"z": dz * (1 - h**2)}, "z", "factor-twice"
    yield (
        "z for h in the decoder",
        run,
        {"r": dr, "W": run["z"].T @ dr + dz.T @ x},
        "W",
        "preactivation-for-activation|wrong-factor",
    )


class Swish(Op):
    """y = x σ(βx), an option of one's own."""

    signature = "x[k] -> y[k]"

    def __init__(self, beta=1.5):
        self.beta = beta

    def forward(self, x):
        return x * sigmoid(self.beta * x)

    def jacobians(self, x):
        s = sigmoid(self.beta * x)
        same = delta("k,k'")
        curved = dense("x[k]", x) * dense("s[k]", s) * dense("(1−s)[k]", 1 - s)
        return {"x": same * dense("s[k]", s) + self.beta * (same * curved)}

    def vjp(self, bar, x):
        s = sigmoid(self.beta * x)
        return {"x": bar * (s + self.beta * x * s * (1 - s))}


class Leaky(Op):
    """y = x where x > 0, else a x, with one slope a unit that is learnt; a vjp only."""

    signature = "x[k], a[k] -> y[k]"
    parameters = ("a",)

    def forward(self, x, a):
        return np.where(x > 0, x, a * x)

    def jacobians(self, x, a):
        raise NotImplementedError

    def vjp(self, bar, x, a):
        by_a = bar * np.where(x > 0, 0, x)
        return {"x": bar * np.where(x > 0, 1, a), "a": by_a.sum(0) if by_a.ndim > 1 else by_a}


def options(normal, kind=np.float64):
    """Own activations with options and parameters, also in single precision."""
    n, k = 7, 5
    net = Network.program(
        "s = Swish(x)",
        "l = Leaky(s, a)",
        "L = HalfSquaredError(l, y)",
        "J = Mean(L)",
        params={"a": normal(size=k).astype(kind)},
        ops={"Swish": Swish, "Leaky": Leaky},
    )
    run = net.run(normal(size=(n, k)).astype(kind), normal(size=(n, k)).astype(kind))
    x, s, a = run["x"], run["s"], net.params["a"]
    dl = ((run["l"] - run["y"]) / n).astype(kind)
    ds = dl * np.where(s > 0, 1, a).astype(kind)
    g = sigmoid(1.5 * x).astype(kind)
    yield "the curved term left out", run, {"s": ds, "x": ds * g}, "x", "term-missing"
    yield (
        "the curved term subtracted",
        run,
        {"s": ds, "x": ds * (g - kind(1.5) * x * g * (1 - g))},
        "x",
        "sign-of-a-term",
    )
    yield "β left out", run, {"s": ds, "x": ds * (g + x * g * (1 - g))}, "x", "factor-missing"
    yield (
        "the slopes not summed",
        run,
        {"l": dl, "a": dl * np.where(s > 0, 0, s).astype(kind)},
        "a",
        "bias-not-summed|wrong-contraction",
    )
    yield "the slope left out", run, {"l": dl, "s": dl}, "s", "missing-slope|factor-missing"


def single(normal):
    """The same in float32."""
    for name, *rest in options(normal, np.float32):
        yield f"float32, {name}", *rest


def reductions(normal):
    """Pooling over places by weights, a bilinear form, stride 2 with two channels."""
    T, k, c, O = 7, 3, 2, 3  # noqa: E741
    S = np.zeros((O, 3, T))
    for o in range(O):
        S[o, np.arange(3), 2 * o + np.arange(3)] = 1
    params = {"F": normal(size=(3, k, c)), "B": normal(size=(c, 4))}
    net = Network.program(
        "a = Tanh(x)",
        "f = Strided(S, F, a)",
        "g = Pool(f, w)",
        "b = Bilinear(g, B, v)",
        "L = HalfSquaredError(b, y)",
        params=params,
        ops={
            "Tanh": Curve,
            "Strided": Einsum("ojt,jkc,tk->oc"),
            "Pool": Einsum("oc,o->c"),
            "Bilinear": Einsum("c,cd,d->c"),
        },
    )
    run = net.run(x=normal(size=(T, k)), S=S, w=normal(size=O), v=normal(size=4), y=normal(size=c))
    F, B, v, w, a, g = params["F"], params["B"], run["v"], run["w"], run["a"], run["g"]
    db = run["b"] - run["y"]
    dg = db * (B @ v)
    df = np.outer(w, dg)
    over, right = np.zeros((T, k)), np.zeros((T, k))
    for o in range(O):
        share = np.einsum("jkc,c->jk", F, df[o])
        over[2 * o : 2 * o + 3] = share
        right[2 * o : 2 * o + 3] += share
    yield "strided windows overwrite", run, {"f": df, "a": over}, "a", "summand-overwritten"
    last = np.einsum("jk,c->jkc", a[4:7], df[-1])
    yield "the kernel from the last window", run, {"f": df, "F": last}, "F", "summand-overwritten"
    yield (
        "pooling weights left out",
        run,
        {"g": dg, "f": np.tile(dg, (O, 1))},
        "f",
        "factor-missing",
    )
    yield (
        "the mean for the weights",
        run,
        {"g": dg, "f": np.tile(dg / O, (O, 1))},
        "f",
        "factor-missing|wrong-factor",
    )
    yield "v left out", run, {"b": db, "g": db * B.sum(1)}, "g", "factor-missing"
    yield "B by g alone", run, {"b": db, "B": np.outer(g, v)}, "B", "upstream-missing"
    yield "B without g", run, {"b": db, "B": np.outer(db, v)}, "B", "factor-missing"
    yield "the slope alone", run, {"a": right, "x": 1 - a**2}, "x", "upstream-missing"
    yield "the activation at a", run, {"a": right, "x": right * np.tanh(a)}, "x", "value-for-slope"


class Curve(Op):
    """tanh on two axes, an op of one's own."""

    signature = "x[t,k] -> a[t,k]"

    def forward(self, x):
        return np.tanh(x)

    def jacobians(self, x):
        return {"x": delta("t,t'") * delta("k,k'") * dense("(1−a²)[t,k]", 1 - np.tanh(x) ** 2)}

    def vjp(self, bar, x):
        return {"x": bar * (1 - np.tanh(x) ** 2)}


SCENES = (
    heads,
    recurrent_gate,
    norm_as_a_program,
    norm_as_an_own_op,
    divergence,
    three_paths,
    options,
    single,
    reductions,
)


def plants():
    """Every plant of every scene."""
    for scene in SCENES:
        normal = np.random.default_rng(83).normal
        for name, run, arrays, key, labels in scene(normal):
            yield Plant(f"{scene.__name__}: {name}", run, arrays, key, tuple(labels.split("|")))
