"""A fifth list of mistakes in layers, written down before the diagnosis was tried on them.

As in fresh_mistakes: the right derivatives are those of the vjp route, and a plant has the labels
whose sentence is true of it. Its name is the sentence that somebody beside the student would say.
"""

import numpy as np
from equation_cases import Plant, sigmoid, softmax
from fresh_mistakes import Scene, net

EPS = 1e-5


def tokens(lines, out, params, **data):
    """A program of tokens whose cost is Σ g y over the texts, their tokens and the entries."""
    axes = dict.fromkeys(data, "n,t")
    ends = [f"L = Einsum({out}, g, 'k,k->')", "M = Sum(L, over='t')"]
    return Scene([*lines, *ends], "M", params, axes, **data)


def norms(normal):
    """A layer norm of tokens, a batch norm behind a layer, an RMS norm and a group norm."""
    v, g, gain, shift = normal(size=(3, 4, 5)), normal(size=(3, 4, 5)), *normal(size=(2, 5))
    params = {"gain": gain, "shift": shift}
    here = tokens(["q = LayerNorm(v, gain, shift)"], "q", params, v=v, g=g)
    s = np.sqrt(v.var(-1, keepdims=True) + EPS)
    u, dq, d = (v - v.mean(-1, keepdims=True)) / s, here.d("q"), here.d("q") * gain
    mean, along = d.mean(-1, keepdims=True), (d * u).mean(-1, keepdims=True)
    assert np.allclose((d - mean - u * along) / s, here.d("v"))
    yield here.plant(
        "the gain is multiplied into the first term only",
        "v",
        (d - dq.mean(-1, keepdims=True) - u * (dq * u).mean(-1, keepdims=True)) / s,
        "factor-missing",
        "q",
    )
    yield here.plant(
        "the deviation is not divided by s in the last term",
        "v",
        (d - mean - u * s * (d * u * s).mean(-1, keepdims=True)) / s,
        "wrong-factor|factor-missing",
        "q",
    )
    yield here.plant(
        "the means are those of the tokens",
        "v",
        (d - d.mean(1, keepdims=True) - u * (d * u).mean(1, keepdims=True)) / s,
        "wrong-contraction",
        "q",
    )
    yield here.plant(
        "the shift's gradient has the mean over the tokens",
        "shift",
        dq.sum(0).mean(0),
        "wrong-contraction|constant-factor",
        "q",
    )
    x, W, b, g = normal(size=(7, 3)), normal(size=(5, 3)), normal(size=5), normal(size=(7, 5))
    lines = ["z = Linear(x, W, b)", "o = BatchNorm(z, gain, shift)", "a = ReLU(o)"]
    params |= {"W": W, "b": b}
    here = net(lines, "a", "k", params, x=x, g=g)
    z, do = here["z"], here.d("o")
    s, d = np.sqrt(z.var(0) + EPS), do * gain
    u = (z - z.mean(0)) / s
    assert np.allclose((d - d.mean(0) - u * (d * u).mean(0)) / s, here.d("z"))
    sample = np.sqrt(z.var(0, ddof=1) + EPS)
    yield here.plant(
        "the spread is the one with N − 1",
        "z",
        (d - d.mean(0) - u * (d * u).mean(0)) / sample,
        "wrong-factor",
        "o",
    )
    yield here.plant(
        "the mean of d x̂ is added and not subtracted",
        "z",
        (d - d.mean(0) + u * (d * u).mean(0)) / s,
        "sign-of-a-term",
        "o",
    )
    yield here.plant(
        "the gradient of W uses the delta behind the norm",
        "W",
        do.T @ x,
        "wrong-delta",
        "o",
        "z",
    )
    r = np.sqrt((v**2).mean(-1, keepdims=True) + EPS)
    g = normal(size=v.shape)
    here = tokens(["q = RMSNorm(v, gain)"], "q", {"gain": gain}, v=v, g=g)
    u, d = v / r, here.d("q") * gain
    yield here.plant(
        "the size is taken for a constant",
        "v",
        d / r,
        "statistics-as-constants|term-missing",
        "q",
    )
    yield here.plant(
        "the sum of d u is not divided by the number of entries",
        "v",
        (d - u * (d * u).sum(-1, keepdims=True)) / r,
        "factor-missing|wrong-contraction",
        "q",
    )
    m, w = normal(size=(3, 6, 2, 2)), normal(size=(3, 6, 2, 2))
    params = {"gain": normal(size=6), "shift": normal(size=6)}
    here = net(["q = GroupNorm(m, gain, shift, groups=3)"], "q", "coq", params, m=m, g=w)
    d = here.d("q") * params["gain"][:, None, None]
    rows = m.reshape(3, 3, -1)
    s = np.sqrt(rows.var(-1, keepdims=True) + EPS)
    u, d = (rows - rows.mean(-1, keepdims=True)) / s, d.reshape(3, 3, -1)
    assert np.allclose(
        ((d - d.mean(-1, keepdims=True) - u * (d * u).mean(-1, keepdims=True)) / s).ravel(),
        here.d("m").ravel(),
    )
    yield here.plant(
        "the spread of a group is taken for a constant",
        "m",
        ((d - d.mean(-1, keepdims=True)) / s).reshape(m.shape),
        "statistics-as-constants|term-missing",
        "q",
    )


def convolutions(normal):
    """Sequences with padding and a bias, images with a stride."""
    x, K, b = normal(size=(3, 2, 7)), normal(size=(5, 2, 3)), normal(size=5)
    g = normal(size=(3, 5, 7))
    params = {"K": K, "b": b}
    here = net(["z = Conv1d(x, K, b, padding=1)", "a = Tanh(z)"], "a", "do", params, x=x, g=g)
    dz, padded = here.d("z"), np.pad(x, ((0, 0), (0, 0), (1, 1)))

    def kernel(data, delta):
        seen = np.lib.stride_tricks.sliding_window_view(data, 3, 2)
        return np.einsum("ndo,ncor->dcr", delta, seen)

    def back(weights):
        wide = np.pad(dz, ((0, 0), (0, 0), (1, 1)))
        seen = np.lib.stride_tricks.sliding_window_view(wide, 3, 2)
        return np.einsum("ndir,dcr->nci", seen, weights)

    assert np.allclose(kernel(padded, dz), here.d("K"))
    assert np.allclose(back(K[:, :, ::-1]), here.d("x"))
    yield here.plant(
        "the kernel is not flipped on the way back", "x", back(K), "factor-flipped", "z"
    )
    yield here.plant(
        "the kernel's gradient is flipped",
        "K",
        here.d("K")[:, :, ::-1],
        "factor-flipped",
        "z",
    )
    yield here.plant(
        "the slope of tanh is left out in the kernel's gradient alone",
        "K",
        kernel(padded, here.d("a")),
        "wrong-delta|missing-slope",
        "a",
        "z",
    )
    yield here.plant(
        "the bias has the mean over the places",
        "b",
        dz.mean(2).sum(0),
        "constant-factor|wrong-contraction",
        "z",
    )
    yield here.plant(
        "each channel of the input is read by all kernels' first channel",
        "x",
        back(np.broadcast_to(K[:, :1, ::-1], K.shape)),
        "wrong-factor|wrong-weight|wrong-contraction",
        "z",
    )
    m, F, g = normal(size=(2, 3, 7, 5)), normal(size=(5, 3, 3, 3)), normal(size=(2, 5, 3, 2))
    here = net(["z = Conv2d(m, F, stride=2)"], "z", "doq", {"F": F}, m=m, g=g)
    dz = here.d("z")

    def images(step, delta=dz):
        seen = np.lib.stride_tricks.sliding_window_view(m, (3, 3), (2, 3))
        return np.einsum("ndoq,ncoqrs->dcrs", delta, seen[:, :, ::step, ::step][:, :, :3, :2])

    assert np.allclose(images(2), here.d("F"))
    yield here.plant("the stride is forgotten in dF", "F", images(1), "other-places", "z")
    yield here.plant(
        "rows and columns of the kernel are exchanged",
        "F",
        images(2).transpose(0, 1, 3, 2),
        "axes-exchanged",
        "z",
    )
    wrong = np.zeros_like(m)
    for o in range(3):
        for q in range(2):
            share = np.einsum("nd,dcrs->ncrs", dz[:, :, o, q], F)
            wrong[:, :, 2 * o : 2 * o + 3, 2 * q : 2 * q + 3] = share
    yield here.plant("a window overwrites the one before", "m", wrong, "summand-overwritten", "z")


def pools(normal):
    """A mean pool with padding, and a max pool."""
    x, g = normal(size=(3, 2, 8)), normal(size=(3, 2, 5))
    here = net(["q = AvgPool1d(x, 2, stride=2, padding=1)"], "q", "co", x=x, g=g)
    dq, right = here.d("q"), here.d("x")
    count = np.array([1, 2, 2, 2, 1])
    wrong = np.repeat(dq / count, 2, axis=2)[:, :, 1:-1]
    assert np.allclose(np.repeat(dq / 2, 2, axis=2)[:, :, 1:-1], right)
    yield here.plant("padding is not counted in the mean", "x", wrong, "wrong-factor", "q")
    yield here.plant(
        "the mean's share is left out",
        "x",
        2 * right,
        "constant-factor|factor-missing",
        "q",
    )
    yield here.plant(
        "the windows start without the padding",
        "x",
        np.repeat(dq / 2, 2, axis=2)[:, :, :-2],
        "other-places",
        "q",
    )
    m, g = normal(size=(2, 3, 6, 4)), normal(size=(2, 3, 3, 2))
    here = net(["q = MaxPool2d(m, 2)"], "q", "coq", m=m, g=g)
    dq = here.d("q")
    spread = dq.repeat(2, 2).repeat(2, 3)
    yield here.plant("every entry of a window gets the delta", "m", spread, "factor-missing", "q")
    yield here.plant(
        "every entry gets a quarter", "m", spread / 4, "factor-missing|wrong-factor", "q"
    )
    yield here.plant(
        "the positive entries get it",
        "m",
        spread * (m > 0),
        "wrong-factor|other-places",
        "q",
    )


def attention(normal):
    """Two layers of queries and keys, a causal softmax and its values."""
    x, g = normal(size=(2, 5, 3)), normal(size=(2, 5, 3))
    W = {name: normal(size=(3, 3)) for name in ("Wq", "Wk", "Wv")}
    lines = [
        "Q = Linear(x, Wq)",
        "K = Linear(x, Wk)",
        "V = Linear(x, Wv)",
        "A = Einsum(Q, K, 'th,uh->tu')",
        "S = Multiply(A, 0.5)",
        "P = CausalSoftmax(S)",
        "O = Einsum(P, V, 'tu,uh->th')",
    ]
    here = net(lines, "O", "th", W, {"x": "n,t"}, x=x, g=g)
    P, dP, dS, dA = here["P"], here.d("P"), here.d("S"), here.d("A")
    Q, K = here["Q"], here["K"]
    inner = (dP * P).sum(-1, keepdims=True)
    assert np.allclose(P * (dP - inner), dS)
    yield here.plant(
        "only the diagonal of the softmax",
        "S",
        dP * P * (1 - P),
        "softmax-as-elementwise|diagonal-only",
        "P",
    )
    yield here.plant(
        "the sum runs over the queries",
        "S",
        P * (dP - (dP * P).sum(-2, keepdims=True)),
        "wrong-contraction",
        "P",
    )
    yield here.plant(
        "the scale is forgotten for Q",
        "Q",
        dS @ K,
        "constant-factor|wrong-delta|factor-missing",
        "S",
        "A",
    )
    yield here.plant("Q stands for K", "Q", dA @ Q, "wrong-factor", "A")
    yield here.plant(
        "the scores are not turned for K", "K", dA @ Q, "factor-turned|weight-not-transposed", "A"
    )
    yield here.plant(
        "x has what comes through the values alone",
        "x",
        here.d("V") @ W["Wv"],
        "fan-out-overwritten",
        "Q",
        "K",
        "V",
    )
    yield here.plant(
        "dWk has the deltas of Q",
        "Wk",
        np.einsum("nth,nti->hi", here.d("Q"), x),
        "wrong-delta|check-of-wrong-quantity",
        "Q",
        "K",
    )


def words(normal):
    """An embedding that is added to places, and read by a layer."""
    E, R, u = normal(size=(7, 3)), normal(size=(4, 3)), np.array([[2, 5, 2, 0], [1, 1, 6, 2]])
    W, g = normal(size=(5, 3)), normal(size=(2, 4, 5))
    lines = ["e = Embedding(u, E)", "h = Add(e, R)", "a = Tanh(h)", "z = Linear(a, W)"]
    here = tokens(lines, "z", {"E": E, "R": R, "W": W}, u=u, g=g)
    dh = here.d("h")
    wrong = np.zeros_like(E)
    wrong[u] = dh
    yield here.plant("rows are assigned", "E", wrong, "overwritten-index|summand-overwritten", "h")
    wrong = np.zeros_like(E)
    for row in range(2):
        wrong[u[row]] += dh[row]
    yield here.plant(
        "+= with a repeated index", "E", wrong, "overwritten-index|summand-overwritten", "h"
    )
    wrong = np.zeros_like(E)
    np.add.at(wrong, (u - 1) % 7, dh)
    yield here.plant("indices are counted from 1", "E", wrong, "other-places", "h")
    yield here.plant(
        "places have the mean over the texts",
        "R",
        dh.mean(0),
        "constant-factor|wrong-contraction|batch-mean-twice",
        "h",
    )


def cells(normal):
    """A plain cell, an LSTM and a GRU, each at three times."""
    k, T, n = 3, 3, 5
    xs = {f"x{t}": normal(size=(n, 2)) for t in range(1, T + 1)}
    h0, c0, g = normal(size=(n, k)), normal(size=(n, k)), normal(size=(n, k))
    params = {"W": normal(size=(k, 2)), "U": normal(size=(k, k)), "b": normal(size=k)}
    lines = [f"h{t} = RNNCell(x{t}, h{t - 1}, W, U, b)" for t in range(1, T + 1)]
    here = net(lines, f"h{T}", "k", params, h0=h0, g=g, **xs)
    dz = {t: here.d(f"h{t}") * (1 - here[f"h{t}"] ** 2) for t in range(1, T + 1)}
    times = range(1, T + 1)
    assert np.allclose(sum(dz[t].T @ xs[f"x{t}"] for t in times), here.d("W"))
    bare = sum(here.d(f"h{t}").T @ xs[f"x{t}"] for t in times)
    yield here.plant(
        "the slope is left out in dW alone",
        "W",
        bare,
        "wrong-delta|missing-slope|factor-missing",
        "h3",
        "h2",
        "h1",
    )
    same = sum(dz[t].T @ here[f"h{t}"] for t in times)
    yield here.plant(
        "dU has the new state", "U", same, "wrong-factor|wrong-layer-activation", "h3", "h2", "h1"
    )
    yield here.plant(
        "dW of the last step", "W", dz[3].T @ xs["x3"], "last-step-only", "h3", "h2", "h1"
    )
    yield here.plant(
        "the recurrent weight is not turned",
        "h2",
        dz[3] @ params["U"].T,
        "weight-not-transposed|factor-turned",
        "h3",
    )
    rows = {"W": normal(size=(4 * k, 2)), "U": normal(size=(4 * k, k)), "b": normal(size=4 * k)}
    lines = [f"h{t}, c{t} = LSTMCell(x{t}, h{t - 1}, c{t - 1}, W, U, b)" for t in times]
    here = net(lines, f"h{T}", "k", rows, h0=h0, c0=c0, g=g, **xs)

    def lstm(steps=(1, 2, 3), tanh=True, by_f=True, gate=False):
        found, dh, dc = np.zeros((4 * k, 2)), here.d("h3"), 0
        for t in (3, 2, 1):
            z = xs[f"x{t}"] @ rows["W"].T + (here[f"h{t - 1}"] if t > 1 else h0) @ rows["U"].T
            i, f, o = (sigmoid((z + rows["b"])[:, q * k : q * k + k]) for q in (0, 1, 3))
            new, old = (
                np.tanh((z + rows["b"])[:, 2 * k : 3 * k]),
                here[f"c{t - 1}"] if t > 1 else c0,
            )
            c = here[f"c{t}"]
            do = dh * (np.tanh(c) if tanh else c)
            dc = dc + dh * o * (1 - np.tanh(c) ** 2)
            slope = new * (1 - new) if gate else 1 - new**2
            parts = dc * new * i * (1 - i), dc * old * f * (1 - f), dc * i * slope, do * o * (1 - o)
            stacked = np.hstack(parts)
            found += (t in steps) * stacked.T @ xs[f"x{t}"]
            dh, dc = stacked @ rows["U"], dc * (f if by_f else 1)
        return found

    assert np.allclose(lstm(), here.d("W"))
    yield here.plant(
        "c stands for tanh c",
        "W",
        lstm(tanh=False),
        "wrong-factor|value-for-slope|preactivation-for-activation",
        "h3",
    )
    yield here.plant(
        "g has σ's slope g (1 − g)",
        "W",
        lstm(gate=True),
        "wrong-layer-slope|wrong-factor|slope-of-preactivation-formula",
        "h3",
    )
    yield here.plant(
        "the state is handed on without f", "W", lstm(by_f=False), "factor-missing", "h3"
    )
    yield here.plant(
        "dW of the last step of an LSTM", "W", lstm(steps=(3,)), "last-step-only", "h3"
    )
    rows = {"W": normal(size=(3 * k, 2)), "U": normal(size=(3 * k, k))}
    lines = [f"h{t} = GRUCell(x{t}, h{t - 1}, W, U)" for t in times]
    here = net(lines, f"h{T}", "k", rows, h0=h0, g=g, **xs)

    def gru(swap=False, reset=True):
        found, dh = np.zeros((3 * k, 2)), here.d("h3")
        for t in (3, 2, 1):
            old = here[f"h{t - 1}"] if t > 1 else h0
            front, back = xs[f"x{t}"] @ rows["W"].T, old @ rows["U"].T
            r, z = (sigmoid((front + back)[:, q * k : q * k + k]) for q in (0, 1))
            new = np.tanh(front[:, 2 * k :] + r * back[:, 2 * k :])
            dn = dh * (z if swap else 1 - z) * (1 - new**2)
            dz, dr = dh * (old - new) * z * (1 - z), dn * back[:, 2 * k :] * r * (1 - r)
            found += np.hstack([dr, dz, dn]).T @ xs[f"x{t}"]
            dh = np.hstack([dr, dz, dn * (r if reset else 1)]) @ rows["U"] + dh * z
        return found

    assert np.allclose(gru(), here.d("W"))
    yield here.plant(
        "z and 1 − z are exchanged in a GRU's candidate", "W", gru(swap=True), "wrong-factor", "h3"
    )
    yield here.plant(
        "the reset gate is left out on the way back", "W", gru(reset=False), "factor-missing", "h3"
    )


def losses(normal):
    """Costs and their labels."""
    z, y = normal(size=(7, 4)), np.eye(4)[[0, 2, 1, 3, 0, 2, 1]]
    here = net(["C = CrossEntropyFromLogits(z, y)"], "C", "", z=z, y=y, g=np.full(7, 1 / 7))
    p = softmax(z)
    assert np.allclose((p - y) / 7, here.d("z"))
    yield here.plant(
        "labels are counted from 1",
        "z",
        (p - np.roll(y, 1, 1)) / 7,
        "wrong-factor|check-of-wrong-quantity|flat-labels",
    )
    yield here.plant(
        "labels of the example before",
        "z",
        (p - np.roll(y, 1, 0)) / 7,
        "wrong-factor|check-of-wrong-quantity|flat-labels",
    )
    yield here.plant(
        "p itself", "z", p / 7, "wrong-factor|term-missing|factor-missing|check-of-wrong-quantity"
    )
    yield here.plant(
        "softmax's slope once more", "z", (p - y) * p * (1 - p) / 7, "extra-output-slope"
    )
    a, t, g = normal(size=(7, 3)), normal(size=(7, 3)), normal(size=7)
    here = net(["C = SquaredError(a, t)"], "C", "", a=a, t=t, g=g)
    yield here.plant("the 2 is lost", "a", g[:, None] * (a - t), "constant-factor")
    yield here.plant("the sign of a − t", "a", g[:, None] * (t - a) * 2, "sign")
    here = net(["C = Huber(a, t)"], "C", "", a=a, t=t, g=g)
    yield here.plant(
        "the sign alone", "a", g[:, None] * np.sign(a - t), "check-of-wrong-quantity|wrong-factor"
    )


def entries(normal):
    """Gates, dropout, functions of one entry, sums along an axis, parts of a vector."""
    x, g = normal(size=(5, 7)), normal(size=(5, 7))
    here = net(["q = CumSum(x)"], "q", "k", x=x, g=g)
    dq = here.d("q")
    yield here.plant(
        "summed from the wrong end",
        "x",
        np.cumsum(dq, 1),
        "factor-flipped|factor-turned|other-places|weight-not-transposed",
        "q",
    )
    yield here.plant(
        "differences for sums",
        "x",
        np.diff(dq, axis=1, prepend=0),
        "wrong-factor|other-places",
        "q",
    )
    yield here.plant("dq alone", "x", dq, "factor-missing|diagonal-only|missing-slope", "q")
    m = (normal(size=(5, 7)) > 0) * 1.0
    here = net(["d = Dropout(x, m, keep=0.8)", "q = SiLU(d)"], "q", "k", x=x, m=m, g=g)
    dd = here.d("d")
    yield here.plant("the mask is left out", "x", dd / 0.8, "factor-missing", "d")
    yield here.plant("the scale is left out", "x", dd * m, "constant-factor|factor-missing", "d")
    yield here.plant(
        "SiLU's slope without its second term",
        "d",
        here.d("q") * sigmoid(here["d"]),
        "term-missing|wrong-factor|value-for-slope",
        "q",
    )
    W, V = normal(size=(3, 7)), normal(size=(3, 7))
    lines = ["u = Linear(x, W)", "w = Linear(x, V)", "s = Sigmoid(w)", "q = Multiply(u, s)"]
    here = net(lines, "q", "k", {"W": W, "V": V}, x=x, g=normal(size=(5, 3)))
    dq, s, u = here.d("q"), here["s"], here["u"]
    yield here.plant(
        "the gate's own value is not multiplied in", "s", dq, "factor-missing|missing-slope", "q"
    )
    yield here.plant("u passes by its gate", "u", dq, "factor-missing|missing-slope", "q")
    yield here.plant(
        "the gate's slope at its value",
        "w",
        dq * u * sigmoid(s) * (1 - sigmoid(s)),
        "slope-at-activation",
        "q",
        "s",
    )
    p = softmax(x)
    here = net(["l = LogSoftmax(x)"], "l", "k", x=x, g=g)
    dl = here.d("l")
    yield here.plant(
        "p is left out in front of the sum",
        "x",
        dl - dl.sum(1, keepdims=True),
        "factor-missing|wrong-factor",
        "l",
    )
    yield here.plant(
        "p times the delta, not its sum",
        "x",
        dl - p * dl,
        "diagonal-only|wrong-contraction|term-missing|softmax-as-elementwise",
        "l",
    )
    b = normal(size=(5, 2))
    here = net(["q = Concat(x, b)", "r = Tanh(q)"], "r", "k", x=x, b=b, g=normal(size=(5, 9)))
    yield here.plant(
        "the second part from the front",
        "b",
        here.d("q")[:, :2],
        "other-places|reshape-order|wrong-contraction",
        "q",
    )


SCENES = (norms, convolutions, pools, attention, words, cells, losses, entries)


def plants(seed=59, scenes=SCENES):
    """Every mistake, with a generator of its own for each scene."""
    for scene in scenes:
        generator = np.random.default_rng([seed, len(scene.__name__)])
        for name, run, arrays, key, labels in scene(generator.normal):
            title = f"{scene.__name__}: {name}"
            yield Plant(title, run, arrays, key, frozenset(labels.split("|")))
