"""Mistakes in the layers that exercises ask for, each written out by hand.

A plant is (name, run, arrays handed in, wrong key, labels of which one is expected, joined by "|").
Each layer is on sizes that are pairwise different, but where a mistake needs equal ones. A label is
expected where its sentence is true of what was done.
"""

import numpy as np
from equation_cases import Plant

from jacobian_bp import Network


def windows(x, taps, stride, padding, dilation=1):
    """x padded, and its windows [c,o,r]."""
    padded = np.pad(x, ((0, 0), (padding, padding)))
    places = (padded.shape[1] - dilation * (taps - 1) - 1) // stride + 1
    at = stride * np.arange(places)[:, None] + dilation * np.arange(taps)
    return padded, at, padded[:, at]


def added(shape, at, shares):
    """Shares [c,o,r] added up at their places."""
    found = np.zeros(shape)
    for o, row in enumerate(at):
        for r, place in enumerate(row):
            found[:, place] += shares[:, o, r]
    return found


def convolution(normal):
    """Two channels to three, or square: stride 2, padding 1."""
    for name, (c, d) in {"conv": (2, 3), "square conv": (3, 3)}.items():
        K, b, x = normal(size=(d, c, 3)), normal(size=d), normal(size=(c, 9))
        padded, at, xw = windows(x, 3, 2, 1)
        g = normal(size=(d, len(at)))
        net = Network.program(
            "y = Conv1d(x, K, b, stride=2, padding=1)",
            "J = Einsum(y, g, 'do,do->')",
            params={"K": K, "b": b},
        )
        run = net.run(x=x, g=g)
        dK = np.einsum("do,cor->dcr", g, xw)

        def back(kernel, at=at, g=g, shape=padded.shape):
            return added(shape, at, np.einsum("do,dcr->cor", g, kernel))[:, 1:-1]

        assert np.allclose(back(K), run.vjp("J", "x", 1.0))
        yield f"{name}: kernel flipped in dx", run, {"x": back(K[..., ::-1])}, "x", "factor-flipped"
        yield f"{name}: taps of dK flipped", run, {"K": dK[..., ::-1]}, "K", "factor-flipped"
        last = np.zeros(padded.shape)
        last[:, at] = np.einsum("do,dcr->cor", g, K)
        yield f"{name}: dx overwritten", run, {"x": last[:, 1:-1]}, "x", "summand-overwritten"
        yield (
            f"{name}: mean over places",
            run,
            {"K": dK / len(at)},
            "K",
            ("constant-factor|wrong-contraction"),
        )
        yield (
            f"{name}: db of the last place",
            run,
            {"b": g[:, -1]},
            "b",
            ("summand-overwritten|last-step-only|wrong-contraction"),
        )
        yield (
            f"{name}: db over channels",
            run,
            {"b": g.sum(0)},
            "b",
            ("bias-wrong-axis|wrong-contraction"),
        )
        yield (
            f"{name}: db not summed",
            run,
            {"b": g},
            "b",
            ("bias-not-summed|wrong-contraction|check-of-wrong-quantity"),
        )
        yield f"{name}: sign of dK", run, {"K": -dK}, "K", "sign"
        yield (
            f"{name}: K missing",
            run,
            {"x": back(np.ones_like(K))},
            "x",
            ("weight-missing|factor-missing"),
        )
        if c == d:
            yield (
                f"{name}: channels of K",
                run,
                {"x": back(K.swapaxes(0, 1))},
                "x",
                ("factor-turned|weight-not-transposed"),
            )
            yield (
                f"{name}: channels of dK",
                run,
                {"K": dK.swapaxes(0, 1)},
                "K",
                ("transposed|factor-turned|wrong-contraction|axes-exchanged"),
            )


def pools(normal):
    """Windows of four, two further each time."""
    x, net = normal(size=(3, 11)), {}
    _, at, xw = windows(x, 4, 2, 0)
    g = normal(size=(3, len(at)))
    for kind in ("Max", "Avg"):
        net[kind] = Network.program(
            f"y = {kind}Pool1d(x, 4, stride=2)", "J = Einsum(y, g, 'co,co->')"
        ).run(x=x, g=g)
    top = xw == xw.max(-1, keepdims=True)
    share = g[..., None] * top
    dx = added(x.shape, at, share)
    assert np.allclose(dx, net["Max"].vjp("J", "x", 1.0))
    last = np.zeros(x.shape)
    for o, row in enumerate(at):
        last[np.arange(3), row[top[:, o].argmax(-1)]] = g[:, o]
    yield "max: overwritten", net["Max"], {"x": last}, "x", "summand-overwritten"
    yield "max: no g", net["Max"], {"x": added(x.shape, at, 1.0 * top)}, "x", "upstream-missing"
    whole = added(x.shape, at, np.broadcast_to(g[..., None], xw.shape))
    yield "max: whole windows", net["Max"], {"x": whole}, "x", "factor-missing|missing-slope"
    yield "max: sign", net["Max"], {"x": -dx}, "x", "sign"
    mean = added(x.shape, at, np.broadcast_to(g[..., None] / 4, xw.shape))
    yield "mean: no share", net["Avg"], {"x": 4 * mean}, "x", "constant-factor|factor-missing"
    last = np.zeros(x.shape)
    last[:, at] = np.broadcast_to(g[..., None] / 4, xw.shape)
    yield "mean: overwritten", net["Avg"], {"x": last}, "x", "summand-overwritten"
    ones = added(x.shape, at, np.full(xw.shape, 0.25))
    yield "mean: no g", net["Avg"], {"x": ones}, "x", "upstream-missing"


def norms(normal):
    """Batch and layer norm, gain and shift."""
    x, g = normal(size=(7, 5)), normal(size=(7, 5))
    gamma, beta = normal(size=(2, 5))
    for kind, axis in (("Batch", 0), ("Layer", 1)):
        run = Network.program(
            f"y = {kind}Norm(x, gamma, beta, eps=0.01)",
            "L = Einsum(y, g, 'k,k->')",
            "J = Sum(L)",
            params={"gamma": gamma, "beta": beta},
        ).run(x, g=g)
        c = x - x.mean(axis, keepdims=True)
        s = np.sqrt((c**2).mean(axis, keepdims=True) + 0.01)
        u, du = c / s, g * gamma

        def mean(of, axis=axis):
            return of.mean(axis, keepdims=True)

        right = (du - mean(du) - u * mean(du * u)) / s
        assert np.allclose(right, run.vjp("J", "x", 1.0))
        of_each = "statistics-as-constants|term-missing"
        yield f"{kind}: both held", run, {"x": du / s}, "x", of_each
        yield f"{kind}: mean held", run, {"x": (du - u * mean(du * u)) / s}, "x", of_each
        yield f"{kind}: spread held", run, {"x": (du - mean(du)) / s}, "x", of_each
        yield (
            f"{kind}: a plus",
            run,
            {"x": (du - mean(du) + u * mean(du * u)) / s},
            "x",
            ("sign-of-a-term"),
        )
        yield (
            f"{kind}: gain missing",
            run,
            {"x": (g - mean(g) - u * mean(g * u)) / s},
            "x",
            ("factor-missing"),
        )
        yield f"{kind}: 1/s missing", run, {"x": right * s}, "x", "factor-missing|wrong-factor"
        yield f"{kind}: 1/s twice", run, {"x": right / s}, "x", "factor-twice"
        yield (
            f"{kind}: x for u",
            run,
            {"gamma": (g * x).sum(0)},
            "gamma",
            ("preactivation-for-activation|wrong-factor|wrong-layer-activation"),
        )
        yield f"{kind}: gain not summed", run, {"gamma": g * u}, "gamma", "bias-not-summed"
        yield (
            f"{kind}: gain averaged",
            run,
            {"gamma": (g * u).mean(0)},
            "gamma",
            ("constant-factor|wrong-contraction|batch-mean-twice"),
        )
        yield (
            f"{kind}: shift is last",
            run,
            {"beta": g[-1]},
            "beta",
            ("last-step-only|wrong-contraction|summand-overwritten"),
        )
        yield (
            f"{kind}: gain in shift",
            run,
            {"beta": (g * gamma).sum(0)},
            "beta",
            ("extra-factor"),
        )


def embedding(normal):
    """A text in which words come again."""
    E, u = normal(size=(7, 3)), np.array([2, 5, 2, 0, 5])
    g = normal(size=(5, 3))
    run = Network.program(
        "e = Embedding(u, E)", "J = Einsum(e, g, 'td,td->')", params={"E": E}
    ).run(u=u, g=g, axes={"u": "t"})
    right = np.zeros(E.shape)
    np.add.at(right, u, g)
    assert np.allclose(right, run.gradients()["E"])
    last, first = np.zeros(E.shape), np.zeros(E.shape)
    last[u] = g
    first[u[::-1]] = g[::-1]
    yield "embedding: last", run, {"E": last}, "E", "overwritten-index"
    yield "embedding: first", run, {"E": first}, "E", "overwritten-index"
    yield "embedding: mean", run, {"E": right / 5}, "E", "constant-factor|batch-mean-twice"
    ones = np.zeros(E.shape)
    np.add.at(ones, u, np.ones(g.shape))
    yield "embedding: no g", run, {"E": ones}, "E", "upstream-missing"
    yield "embedding: sign", run, {"E": -right}, "E", "sign"


def masked(normal):
    """Scores of which some may not be chosen."""
    z, g = normal(size=(3, 5)), normal(size=(3, 5))
    mask = np.array([[1, 1, 0, 1, 1], [0, 1, 1, 0, 1], [1, 1, 1, 1, 0]])
    run = Network.program("p = Softmax(z, mask)", "L = Einsum(p, g, 'k,k->')", "J = Sum(L)").run(
        z=z, mask=mask, g=g
    )
    p = np.exp(z) * mask / (np.exp(z) * mask).sum(1, keepdims=True)
    right = p * (g - (g * p).sum(1, keepdims=True))
    assert np.allclose(right, run.vjp("J", "z", 1.0))
    alone = "softmax-as-elementwise|diagonal-only"
    yield "mask: elementwise", run, {"z": p * (1 - p) * g}, "z", alone
    yield "mask: over examples", run, {"z": p * (g - (g * p).sum(0))}, "z", "wrong-contraction"
    yield (
        "mask: mean",
        run,
        {"z": p * (g - (g * p).mean(1, keepdims=True))},
        "z",
        ("wrong-contraction"),
    )
    yield "mask: one term", run, {"z": p * g}, "z", "term-missing"
    yield (
        "mask: a plus",
        run,
        {"z": p * (g + (g * p).sum(1, keepdims=True))},
        "z",
        ("sign-of-a-term"),
    )
    yield "mask: p missing", run, {"z": g - (g * p).sum(1, keepdims=True)}, "z", ("factor-missing")
    q = np.exp(z) / np.exp(z).sum(1, keepdims=True)
    after = mask * q * (g - (g * q).sum(1, keepdims=True))
    yield "mask: after the softmax", run, {"z": after}, "z", "wrong-order"


def attention(normal):
    """One head, four tokens."""
    X, g = normal(size=(4, 5)), normal(size=(4, 3))
    Wq, Wk, Wv = normal(size=(3, 3, 5)) / 2
    run = Network.program(
        "Q = Einsum(X, Wq, 'ti,hi->th')",
        "K = Einsum(X, Wk, 'ti,hi->th')",
        "V = Einsum(X, Wv, 'ti,hi->th')",
        "S = Einsum(Q, K, c, 'th,uh,->tu')",
        "P = Softmax(S)",
        "O = Einsum(P, V, 'tu,uh->th')",
        "J = Einsum(O, g, 'th,th->')",
        params={"Wq": Wq, "Wk": Wk, "Wv": Wv},
    ).run(X=X, g=g, c=1 / np.sqrt(3))
    Q, K, V, P = (run[name] for name in "QKVP")
    dP, dV = g @ V.T, P.T @ g
    dS = P * (dP - (dP * P).sum(1, keepdims=True))
    dQ, dK = dS @ K / np.sqrt(3), dS.T @ Q / np.sqrt(3)
    dX = dQ @ Wq + dK @ Wk + dV @ Wv
    assert np.allclose(dX, run.vjp("J", "X", 1.0))
    lost = "factor-missing|constant-factor"
    yield "attention: 1/sqrt(d) of dQ", run, {"S": dS, "Q": dS @ K}, "Q", lost
    yield "attention: 1/sqrt(d) of dK", run, {"S": dS, "K": dS.T @ Q}, "K", lost
    yield "attention: 1/d", run, {"S": dS, "Q": dS @ K / 3}, "Q", "factor-twice|constant-factor"
    yield (
        "attention: dS turned",
        run,
        {"S": dS, "Q": dS.T @ K / np.sqrt(3)},
        "Q",
        ("wrong-contraction|factor-turned|mixed-layouts"),
    )
    yield (
        "attention: Q for K",
        run,
        {"S": dS, "Q": dS @ Q / np.sqrt(3)},
        "Q",
        ("wrong-factor|wrong-weight"),
    )
    yield "attention: P turned", run, {"V": P @ g}, "V", "factor-turned|weight-not-transposed"
    yield (
        "attention: columns",
        run,
        {"P": dP, "S": P * (dP - (dP * P).sum(0))},
        "S",
        ("wrong-contraction"),
    )
    yield (
        "attention: elementwise",
        run,
        {"P": dP, "S": P * (1 - P) * dP},
        "S",
        ("softmax-as-elementwise|diagonal-only"),
    )
    yield (
        "attention: mean over tokens",
        run,
        {"Q": dQ, "Wq": dQ.T @ X / 4},
        "Wq",
        ("constant-factor|batch-mean-twice|wrong-contraction"),
    )
    yield (
        "attention: dK for dQ",
        run,
        {"Q": dQ, "K": dK, "Wq": dK.T @ X},
        "Wq",
        ("wrong-delta|check-of-wrong-quantity"),
    )
    parts = {"Q": dQ, "K": dK, "V": dV}
    yield (
        "attention: no value path",
        run,
        {**parts, "X": dQ @ Wq + dK @ Wk},
        "X",
        ("fan-out-overwritten"),
    )
    yield (
        "attention: Wk for Wq",
        run,
        {**parts, "X": dQ @ Wk + dK @ Wk + dV @ Wv},
        "X",
        ("wrong-weight|wrong-factor"),
    )


def recurrent(normal):
    """Three steps with the same weights."""
    W, U, b = normal(size=(3, 2)), normal(size=(3, 3)) / 2, normal(size=3)
    data = {f"x{t}": normal(size=2) for t in (1, 2, 3)} | {
        "h0": normal(size=3),
        "y": normal(size=3),
    }
    lines = []
    for t in (1, 2, 3):
        lines += [f"r{t} = Linear(x{t}, W, b)", f"q{t} = Linear(h{t - 1}, U)"]
        lines += [f"s{t} = Add(r{t}, q{t})", f"h{t} = Tanh(s{t})"]
    params = {"W": W, "U": U, "b": b}
    run = Network.program(*lines, "J = HalfSquaredError(h3, y)", params=params).run(**data)
    h = [data["h0"], *(run[f"h{t}"] for t in (1, 2, 3))]
    x = [None, *(data[f"x{t}"] for t in (1, 2, 3))]
    d3 = (h[3] - data["y"]) * (1 - h[3] ** 2)
    d2 = U.T @ d3 * (1 - h[2] ** 2)
    d1 = U.T @ d2 * (1 - h[1] ** 2)
    deltas = {"s3": d3, "s2": d2, "s1": d1}
    outer = np.outer
    dU = outer(d3, h[2]) + outer(d2, h[1]) + outer(d1, h[0])
    assert np.allclose(dU, run.gradients()["U"])
    yield (
        "cell: U not turned",
        run,
        {"s3": d3, "s2": U @ d3 * (1 - h[2] ** 2)},
        "s2",
        ("weight-not-transposed"),
    )
    yield "cell: no slope", run, {"s3": d3, "s2": U.T @ d3}, "s2", "missing-slope"
    yield (
        "cell: slope of h3",
        run,
        {"s3": d3, "s2": U.T @ d3 * (1 - h[3] ** 2)},
        "s2",
        ("wrong-layer-slope"),
    )
    yield "cell: value", run, {"s3": (h[3] - data["y"]) * h[3]}, "s3", "value-for-slope"
    yield "cell: last step of U", run, {**deltas, "U": outer(d3, h[2])}, "U", "last-step-only"
    two = outer(d3, h[2]) + outer(d2, h[1])
    yield (
        "cell: first step left out",
        run,
        {**deltas, "U": two},
        "U",
        ("last-step-only|fan-out-overwritten|term-missing"),
    )
    after = outer(d3, h[3]) + outer(d2, h[2]) + outer(d1, h[1])
    yield (
        "cell: the state after",
        run,
        {**deltas, "U": after},
        "U",
        ("wrong-layer-activation|wrong-factor"),
    )
    yield "cell: last step of W", run, {**deltas, "W": outer(d3, x[3])}, "W", "last-step-only"
    yield "cell: last step of b", run, {**deltas, "b": d3}, "b", "last-step-only"
    yield "cell: mean over steps", run, {**deltas, "U": dU / 3}, "U", "constant-factor"


def dropout(normal):
    """Between two layers, a batch of seven."""
    params = {"W1": normal(size=(5, 3)), "b1": normal(size=5), "W2": normal(size=(2, 5))}
    x, y = normal(size=(7, 3)), normal(size=(7, 2))
    mask = (normal(size=(7, 5)) > -0.5) * 1
    run = Network.program(
        "z1 = Linear(x, W1, b1)",
        "a1 = Tanh(z1)",
        "d1 = Dropout(a1, mask, 0.75)",
        "z2 = Linear(d1, W2)",
        "L = HalfSquaredError(z2, y)",
        "J = Mean(L)",
        params=params,
    ).run(x=x, y=y, mask=mask)
    d2 = (run["z2"] - y) / 7
    dd = d2 @ params["W2"]
    da = dd * mask / 0.75
    slope = 1 - run["a1"] ** 2
    assert np.allclose(da, run.vjp("J", "a1", 1.0))
    yield (
        "dropout: scale lost",
        run,
        {"d1": dd, "a1": dd * mask},
        "a1",
        ("factor-missing|constant-factor"),
    )
    yield "dropout: mask lost", run, {"d1": dd, "a1": dd / 0.75}, "a1", "factor-missing"
    yield (
        "dropout: left out",
        run,
        {"d1": dd, "a1": dd},
        "a1",
        ("missing-slope|factor-missing|check-of-wrong-quantity"),
    )
    yield (
        "dropout: scale twice",
        run,
        {"d1": dd, "a1": da / 0.75},
        "a1",
        ("factor-twice|constant-factor"),
    )
    yield (
        "dropout: keep for its inverse",
        run,
        {"d1": dd, "a1": dd * mask * 0.75},
        "a1",
        ("constant-factor"),
    )
    yield (
        "dropout: a1 for d1",
        run,
        {"z2": d2, "W2": d2.T @ run["a1"]},
        "W2",
        ("wrong-layer-activation|preactivation-for-activation|wrong-factor"),
    )
    yield "dropout: no slope", run, {"a1": da, "z1": da}, "z1", "missing-slope"
    yield (
        "dropout: d1 in the slope",
        run,
        {"a1": da, "z1": da * (1 - run["d1"] ** 2)},
        "z1",
        ("wrong-layer-slope|slope-at-activation"),
    )
    yield "dropout: no mean", run, {"z2": 7 * d2}, "z2", "missing-batch-mean"
    yield (
        "dropout: bias averaged",
        run,
        {"z1": da * slope, "b1": (da * slope).mean(0)},
        "b1",
        ("constant-factor|batch-mean-twice"),
    )


SCENES = (convolution, pools, norms, embedding, masked, attention, recurrent, dropout)


def plants(seed=17):
    """Every mistake, with a generator of its own for each scene."""
    for scene in SCENES:
        generator = np.random.default_rng([seed, len(scene.__name__)])
        for name, run, arrays, key, labels in scene(generator.normal):
            yield Plant(name, run, arrays, key, frozenset(labels.split("|")))
