"""More mistakes in layers, written down after those of fresh_mistakes were mended, and tried once.

As there: the right derivatives are those of the vjp route, and a plant has the labels whose
sentence is true of it; "unknown" stands where none is.
"""

import numpy as np
from equation_cases import Plant, softmax
from fresh_mistakes import Scene, net


def sequences(normal):
    """A convolution over sequences, its kernel read the other way, and padded means."""
    K, b, x, g = normal(size=(3, 2, 3)), normal(size=3), normal(size=(2, 2, 11)), None
    g = normal(size=(2, 3, 11))
    here = net(["z = Conv1d(x, K, b, padding=1)"], "z", "do", {"K": K, "b": b}, x=x, g=g)
    wide = np.pad(g, ((0, 0), (0, 0), (1, 1)))
    right = sum(np.einsum("ndi,dc->nci", wide[:, :, 2 - r : 13 - r], K[:, :, r]) for r in range(3))
    assert np.allclose(right, here.d("x"))
    wrong = sum(np.einsum("ndi,dc->nci", wide[:, :, r : 11 + r], K[:, :, r]) for r in range(3))
    yield here.plant("correlated for convolved", "x", wrong, "factor-flipped|wrong-factor", "z")
    yield here.plant(
        "db summed and averaged", "b", g.sum(0).mean(1), "constant-factor|wrong-contraction", "z"
    )
    dK = here.d("K")
    yield here.plant("dK a mean over the examples", "K", dK / 2, "batch-mean-twice|constant-factor")
    here = net(
        ["y = AvgPool1d(x, 3, stride=2, padding=1)"], "y", "co", x=x, g=normal(size=(2, 2, 6))
    )
    dy, counted = here.d("y"), np.zeros((2, 2, 13))
    for o in range(6):
        there = min(2 * o + 3, 12) - max(2 * o, 1)
        counted[:, :, 2 * o : 2 * o + 3] += dy[:, :, o, None] / there
    yield here.plant("padding not counted", "x", counted[:, :, 1:12], "wrong-factor", "y")
    here = net(["y = MaxPool1d(x, 2, stride=2)"], "y", "co", x=x, g=normal(size=(2, 2, 5)))
    half = np.repeat(here.d("y"), 2, -1) / 2
    half = np.concatenate([half, np.zeros((2, 2, 1))], -1)
    yield here.plant("a mean pool's share", "x", half, "factor-missing|wrong-factor", "y")


def norms(normal):
    """Layer norm with Bessel's correction, batch norm with a variance for a spread."""
    gamma, beta, x, g = *normal(size=(2, 5)), normal(size=(7, 5)), normal(size=(7, 5))
    params = {"gamma": gamma, "beta": beta}
    here = net(["y = LayerNorm(x, gamma, beta)"], "y", "k", params, x=x, g=g)
    s = np.sqrt(x.var(1, keepdims=True) + 1e-5)
    u, d = (x - x.mean(1, keepdims=True)) / s, g * gamma
    wrong = (d - d.mean(1, keepdims=True) - u * (d * u).sum(1, keepdims=True) / 4) / s
    yield here.plant("Bessel's correction", "x", wrong, "wrong-factor|wrong-contraction", "y")
    yield here.plant("shift averaged", "beta", g.mean(0), "batch-mean-twice|constant-factor", "y")
    late = (d - d.mean(1, keepdims=True) - u * (g * u).mean(1, keepdims=True)) / s
    yield here.plant("gain forgotten in the last term", "x", late, "factor-missing", "y")
    here = net(["y = BatchNorm(x, gamma, beta)"], "y", "k", params, x=x, g=g)
    s = np.sqrt(x.var(0) + 1e-5)
    u = (x - x.mean(0)) / s
    right = (d - d.mean(0) - u * (d * u).mean(0)) / s
    yield here.plant("variance for spread", "x", right / s, "factor-twice", "y")
    wrong = (d - d.mean() - u * (d * u).mean()) / s
    yield here.plant("means of the whole batch", "x", wrong, "wrong-contraction", "y")
    wrong = (d - d.mean(0) - u * d.mean(0) * u.mean(0)) / s
    yield here.plant(
        "a product of means",
        "x",
        wrong,
        "wrong-contraction|term-missing|statistics-as-constants",
        "y",
    )


def classes(normal):
    """Softmax and cross-entropy of a batch, and a logarithm of a sum."""
    z, y = normal(size=(7, 3)), np.eye(3)[[0, 2, 1, 1, 0, 2, 2]]
    here = Scene(["L = CrossEntropyFromLogits(z, y)"], "L", z=z, y=y)
    p = softmax(z)
    yield here.plant("another class", "z", p - np.roll(y, 1, 1), "wrong-factor")
    yield here.plant("divided by the classes", "z", (p - y) / 3, "constant-factor")
    yield here.plant("labels times p", "z", p - y * p, "unknown|wrong-factor")
    here = net(["l = LogSumExp(z)"], "l", "", z=z, g=normal(size=7))
    dl = here.d("l")
    yield here.plant("passed on", "z", dl[:, None] + 0 * z, "factor-missing|missing-slope", "l")
    yield here.plant("e^z for softmax", "z", dl[:, None] * np.exp(z), "wrong-factor", "l")


def attention(normal):
    """Queries, keys and values handed in, five tokens with three numbers each."""
    Q, K, V, g = normal(size=(4, 2, 5, 3))
    lines = [
        "S = Einsum(Q, K, c, 'th,uh,->tu')",
        "P = Softmax(S)",
        "O = Einsum(P, V, 'tu,uh->th')",
    ]
    here = net(lines, "O", "th", None, None, Q=Q, K=K, V=V, g=g, c=np.asarray(3**-0.5))
    P, dP, dS, T = here["P"], here.d("P"), here.d("S"), (0, 2, 1)
    inner = (dP * P).sum(-1, keepdims=True)
    turned = P.transpose(T) * (dP - inner)
    yield here.plant("P turned in its slope", "S", turned, "factor-turned|wrong-factor", "P")
    yield here.plant(
        "scale in the softmax too", "Q", dS @ K / 3, "factor-twice|constant-factor", "S"
    )
    yield here.plant(
        "P for dS", "K", P.transpose(T) @ Q * 3**-0.5, "wrong-delta|upstream-missing", "S"
    )
    yield here.plant("O for V", "P", g @ here["O"].transpose(T), "wrong-factor", "O")


def cells(normal):
    """Cells whose inputs are as long as their states."""
    k = 3
    x, h, c = normal(size=(3, 7, k))
    W, U, b = normal(size=(4 * k, k)), normal(size=(4 * k, k)), normal(size=4 * k)
    params = {"W": W, "U": U, "b": b}
    here = net(
        ["y = LSTMCarry(x, h, c, W, U, b)"], "y", "k", params, x=x, h=h, c=c, g=normal(size=(7, k))
    )
    dW = here.d("W")
    swapped = dW[[3, 4, 5, 0, 1, 2, 6, 7, 8, 9, 10, 11]]
    yield here.plant("input and forget gate exchanged", "W", swapped, "reshape-order|unknown", "y")
    dU = here.d("U")
    yield here.plant("h for x", "W", dU, "wrong-factor|check-of-wrong-quantity", "y")
    params = {name: array[:k] for name, array in params.items()}
    here = net(["y = RNNCell(x, h, W, U, b)"], "y", "k", params, x=x, h=h, g=normal(size=(7, k)))
    z = x @ W[:k].T + h @ U[:k].T + b[:k]
    dy = here.d("y")
    yield here.plant(
        "1 − z² for 1 − tanh² z",
        "b",
        (dy * (1 - z**2)).sum(0),
        "slope-of-preactivation-formula|wrong-factor",
        "y",
    )
    dz = dy * (1 - here["y"] ** 2)
    yield here.plant("W for U", "h", dz @ W[:k], "wrong-factor|wrong-weight", "y")
    yield here.plant(
        "the value for the slope",
        "x",
        (dy * here["y"]) @ W[:k],
        "value-for-slope|wrong-factor",
        "y",
    )


def places(normal):
    """Entries moved: sorted, summed up, transposed, read in another order."""
    x = normal(size=(3, 7))
    here = net(["y = Sort(x)"], "y", "o", x=x, g=normal(size=(3, 7)))
    dy, down = here.d("y"), np.zeros((3, 7))
    np.put_along_axis(down, np.argsort(-x, 1), dy, 1)
    yield here.plant("sorted downwards", "x", down, "other-places|wrong-factor|reshape-order", "y")
    here = net(["y = CumSum(x)"], "y", "o", x=x, g=normal(size=(3, 7)))
    dy = here.d("y")
    yield here.plant(
        "summed up, then turned", "x", np.cumsum(dy, 1)[:, ::-1], "wrong-factor|factor-flipped", "y"
    )
    cube = normal(size=(5, 3, 3, 3))
    here = net(
        ["y = Transpose(x, 'i,j,k -> j,k,i')"], "y", "jki", x=cube, g=normal(size=(5, 3, 3, 3))
    )
    again = here.d("y").transpose(0, 2, 3, 1)
    yield here.plant(
        "the same order for the way back",
        "x",
        again,
        "axes-exchanged|reshape-order|factor-turned",
        "y",
    )


def matrices(normal):
    """Determinants, and a Gauss-Newton product."""
    X, g = normal(size=(5, 3, 3)), normal(size=5)
    here = net(["c = Det(X)"], "c", "", X=X, g=g)
    wrong = here.d("X").transpose(0, 2, 1)
    yield here.plant("adjugate for cofactors", "X", wrong, "factor-turned|axes-exchanged", "c")
    here = net(["c = LogDet(X)"], "c", "", X=X, g=g)
    dc = here.d("c")
    yield here.plant(
        "without its scale", "X", dc[:, None, None] + 0 * X, "factor-missing|missing-slope", "c"
    )
    A, p = normal(size=(3, 2)), softmax(normal(size=(5, 3)))
    lines = ["u = Einsum(v, A, 'j,kj->k')", "L = Einsum(u, p, u, 'k,k,k->')"]
    here = Scene(lines, "L", {"A": A}, None, v=normal(size=(5, 2)), p=p)
    u = here["u"]
    yield here.plant("p twice", "u", 2 * u * p**2, "factor-twice")
    yield here.plant("identity in the middle", "u", 2 * u, "factor-missing")


SCENES = (sequences, norms, classes, attention, cells, places, matrices)


def plants(seed=37, scenes=SCENES):
    """Every mistake, with a generator of its own for each scene."""
    for scene in scenes:
        generator = np.random.default_rng([seed, len(scene.__name__)])
        for name, run, arrays, key, labels in scene(generator.normal):
            title = f"{scene.__name__}: {name}"
            yield Plant(title, run, arrays, key, frozenset(labels.split("|")))
