"""Lines about what stands inside the formula of an op: right ones, and mistakes with the report."""

import numpy as np

from jacobian_bp import Network

RNG = np.random.default_rng(113)
INPUTS, UNITS, OUTPUTS, BATCH = 3, 5, 2, 7


def draw(*shape):
    return RNG.standard_normal(shape)


PARAMS = {
    "W1": draw(UNITS, INPUTS), "b1": draw(UNITS), "W2": draw(OUTPUTS, UNITS), "b2": draw(OUTPUTS),
}  # fmt: skip
GAIN = {"gamma1": draw(UNITS), "beta1": draw(UNITS)}
CELL = {"U": draw(UNITS, UNITS)}
X, LABELS = draw(BATCH, INPUTS), np.eye(OUTPUTS)[RNG.integers(0, OUTPUTS, BATCH)]
STATE, MASK = draw(BATCH, UNITS), (RNG.random((BATCH, UNITS)) > 0.4) * 1.0
ENDS = ["z2 = Linear({}, W2, b2)", "a2 = Softmax(z2)", "L = CrossEntropy(a2, y)", "J = Mean(L)"]


def net(*lines, last="a1", **more):
    text = [*lines, *(line.format(last) for line in ENDS)]
    every = PARAMS | GAIN | CELL
    used = {n: a for n, a in every.items() if any(f" {n}" in line for line in text)}
    return Network.program("\n".join(text), params=used).run(X, LABELS, **more)


LINEAR = "z1 = Linear(x, W1, b1)"
NORM = "y1 = {}(z1, gamma1, beta1)"
RUNS = {
    "batch": net(LINEAR, NORM.format("BatchNorm"), "a1 = ReLU(y1)"),
    "layer": net(LINEAR, NORM.format("LayerNorm"), "a1 = Tanh(y1)"),
    "rms": net(LINEAR, "y1 = RMSNorm(z1, gamma1)", "a1 = Tanh(y1)"),
    "softmax": net(LINEAR, "a1 = ReLU(z1)"),
    "dropout": net(LINEAR, "a1 = Tanh(z1)", "q1 = Dropout(a1, k1, 0.8)", last="q1", k1=MASK),
    "cell": net("h1 = RNNCell(x, h0, W1, U, b1)", last="h1", h0=STATE),
}

RIGHT = {
    "batch": """
        mu = np.mean(x, axis=0)
        mu = 1./N * np.sum(x, axis=0)
        sample_var = np.var(x, axis=0)
        var = 1./N * np.sum((x - mu)**2, axis=0)
        var = np.std(x, axis=0)**2
        sqrtvar = np.sqrt(var + eps)
        ivar = 1. / np.sqrt(var + eps)
        x_hat = (x - mu) / np.sqrt(var + eps)
        z_norm = (z1 - mu) / np.sqrt(var + eps)
        xhat = xmu * ivar
        out = gamma * xhat + beta
        z_tilde = gamma * z_norm + beta
        dbeta = np.sum(dout, axis=0)
        dgamma = (dout * x_hat).sum(0)
        dxhat = dout * gamma
        divar = np.sum(dxhat * xmu, axis=0)
        dxmu1 = dxhat * ivar
        dsqrtvar = -1. / (sqrtvar**2) * divar
        dvar = 0.5 * 1. / np.sqrt(var + eps) * dsqrtvar
        dsq = 1. / N * np.ones_like(x) * dvar
        dxmu2 = 2 * xmu * dsq
        dx1 = dxmu1 + dxmu2
        dmu = -1 * np.sum(dxmu1 + dxmu2, axis=0)
        dx2 = 1. / N * np.ones_like(x) * dmu
        dx = dx1 + dx2
        dvar = np.sum(dxhat * (x - mu) * -0.5 * (var + eps)**-1.5, axis=0)
        dmu = np.sum(-dxhat / np.sqrt(var + eps), axis=0) + dvar * np.mean(-2 * (x - mu), axis=0)
        dx = dxhat / np.sqrt(var + eps) + dvar * 2 * (x - mu) / N + dmu / N
        dx = (1. / N) * ivar * (N * dxhat - np.sum(dxhat, axis=0) - xhat * (dxhat * xhat).sum(0))
        dx = gamma * ivar / N * (N * dout - dbeta - xhat * dgamma)
        dz1 = dx_hat / std + dvar * 2 * (z1 - mu) / m + dmu / m
        """,
    "layer": """
        mu = x.mean(axis=1, keepdims=True)
        var = x.var(axis=-1, keepdims=True)
        x_hat = (x - mu) * ivar
        out = gamma * x_hat + beta
        dgamma = (dout * x_hat).sum(axis=0)
        dx = ivar * (dxhat - dxhat.mean(1)[:, None] - xhat * (dxhat * xhat).mean(1)[:, None])
        dx = ivar / D * (D * dxhat - dxhat.sum(1)[:, None] - xhat * (dxhat * xhat).sum(1)[:, None])
        dvar = np.sum(dxhat * (x - mu), axis=1, keepdims=True) * -0.5 * np.power(var + eps, -1.5)
        dmu = np.sum(-dxhat / std, axis=1, keepdims=True)
        dx = dxhat / std + 2 * dvar * (x - mu) / x.shape[1] + dmu / x.shape[1]
        """,
    "rms": """
        rms = np.sqrt(np.mean(x**2, axis=1, keepdims=True) + eps)
        ms = np.mean(np.square(x), axis=-1)
        out = gamma * x / rms
        dgamma = np.sum(dout * x / rms, axis=0)
        """,
    "softmax": """
        exp_scores = np.exp(z2)
        exp_z = np.exp(z2 - np.max(z2, axis=1, keepdims=True))
        probs = exp_scores / np.sum(exp_scores, axis=1, keepdims=True)
        sum_exp = exp_scores.sum(axis=1)
        p = exp_scores / sum_exp
        dsum_exp = -np.sum(da2 * exp_scores, axis=1, keepdims=True) / sum_exp**2
        dexps = da2 / total + dtotal
        dz2 = dexp_scores * exp_scores
        shifted = z2 - z2.max(axis=1, keepdims=True)
        exps = np.exp(shifted)
        """,
    "dropout": """
        dA1 = np.dot(dz2, W2) * D1 / keep_prob
        da1 = dq1 * mask / keep_prob
        q1 = a1 * mask / keep_prob
        """,
    "cell": """
        raw = x @ W1.T + h0 @ U.T + b1
        dhraw = (1 - h1**2) * dh1
        dU = dhraw.T @ h0
        dh0 = dhraw @ U
        """,
}  # fmt: skip

READ_AS = "x is read as z1, and out as y1: what {} reads and gives."
WRONG = [  # the run, the line, what is meant, and a sentence
    ("batch", "dxhat = dout * beta", "dy1 * gamma1", READ_AS.format("BatchNorm")),
    ("batch", "dvar = 0.5 / (var + eps) * dstd", "dstd / (2 * std)", ""),
    ("batch", "dmu = np.sum(dxhat / std, axis=0)", "-np.sum(dxhat / std, axis=0)", ""),
    ("batch", "x_hat = (x - mu) / (var + eps)", "xmu * ivar", READ_AS.format("BatchNorm")),
    ("batch", "mu = np.mean(x, axis=1)", "np.mean(x, axis=0)", READ_AS.format("BatchNorm")),
    ("batch", "dxmu1 = dxhat * std", "dx_hat * ivar", READ_AS.format("BatchNorm")),
    (
        "batch",
        "dx = dxhat * ivar + dvar * 2 * xmu / N",
        "dxmu + ones_like(z1) * dmu / z1.shape[0]",
        "In the delta of z1 (layer 1) what is computed from several entries is taken for a "
        "constant: mu taken for a constant.",
    ),
    (
        "layer",
        "dxhat = dout",
        "dy1 * gamma1",
        "In the delta of x_hat the factor gamma1 is left out: it stands in ∂scaled/∂x_hat.",
    ),
    ("layer", "dgamma = (dout * x_hat).sum(axis=1)", "(dout * x_hat).sum(axis=0)", ""),
    ("layer", "var = x.var(axis=0)", "x.var(axis=1)", READ_AS.format("LayerNorm")),
    (
        "layer",
        "dx = dxhat / std",
        "dxmu + ones_like(z1) * dmu / z1.shape[1]",
        READ_AS.format("LayerNorm"),
    ),
    ("softmax", "total = np.sum(exps)", "np.sum(exps, axis=1)", ""),
    ("softmax", "dz2 = dexps * total", "dexps * slope(z2)", ""),
    ("dropout", "q1 = a1 * mask", None, "Every entry is 0.8 times the right one."),
    ("cell", "dhraw = (1 - h1) * dh1", "dh1 * (1 - h1**2)", ""),
]
