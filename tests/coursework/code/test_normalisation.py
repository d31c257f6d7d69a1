"""Functions of BatchNorm and LayerNorm, staged and closed, forward and backward."""

import numpy as np
import pytest
from backward_functions import planted

from jacobian_bp import Network, diagnose_code

RNG = np.random.default_rng(31)
FORWARD = """\
def batchnorm_forward(x, gamma, beta, bn_param):
    eps = bn_param.get("eps", 1e-5)
    momentum = bn_param.get("momentum", 0.9)
    N, D = x.shape
    sample_mean = np.mean(x, axis=0)
    sample_var = np.var(x, axis=0)
    x_hat = (x - sample_mean) / np.sqrt(sample_var + eps)
    out = gamma * x_hat + beta
    running_mean = momentum * running_mean + (1 - momentum) * sample_mean
    cache = (x, x_hat, sample_mean, sample_var, gamma, eps)
    return out, cache
"""
STAGED = """\
def batchnorm_backward(dout, cache):
    xhat, gamma, xmu, ivar, sqrtvar, var, eps = cache
    N, D = dout.shape
    dbeta = np.sum(dout, axis=0)
    dgammax = dout
    dgamma = np.sum(dgammax * xhat, axis=0)
    dxhat = dgammax * gamma
    divar = np.sum(dxhat * xmu, axis=0)
    dxmu1 = dxhat * ivar
    dsqrtvar = -1. / (sqrtvar**2) * divar
    dvar = 0.5 * 1. / np.sqrt(var + eps) * dsqrtvar
    dsq = 1. / N * np.ones((N, D)) * dvar
    dxmu2 = 2 * xmu * dsq
    dx1 = (dxmu1 + dxmu2)
    dmu = -1 * np.sum(dxmu1 + dxmu2, axis=0)
    dx2 = 1. / N * np.ones((N, D)) * dmu
    dx = dx1 + dx2
    return dx, dgamma, dbeta
"""
CLOSED = """\
def batchnorm_backward_alt(dout, cache):
    x, x_norm, mean, var, gamma, eps = cache
    m = dout.shape[0]
    dbeta = dout.sum(axis=0)
    dgamma = (dout * x_norm).sum(axis=0)
    dx_norm = dout * gamma
    along = x_norm * (dx_norm * x_norm).sum(axis=0)
    dx = (1 / m) / np.sqrt(var + eps) * (m * dx_norm - dx_norm.sum(axis=0) - along)
    return dx, dgamma, dbeta
"""
PAPER = """\
N = x.shape[0]
mu = x.mean(axis=0)
var = x.var(axis=0)
std = np.sqrt(var + eps)
x_hat = (x - mu) / std
dx_hat = dout * gamma
dvar = np.sum(dx_hat * (x - mu) * -0.5 * (var + eps)**-1.5, axis=0)
dmu = np.sum(-dx_hat / std, axis=0) + dvar * np.mean(-2 * (x - mu), axis=0)
dx = dx_hat / std + dvar * 2 * (x - mu) / N + dmu / N
dgamma = np.sum(dout * x_hat, axis=0)
dbeta = np.sum(dout, axis=0)
"""
LAYER = """\
def layernorm(x, gamma, beta, dout, eps):
    N, D = x.shape
    mu = np.mean(x, axis=1, keepdims=True)
    var = np.var(x, axis=1, keepdims=True)
    xhat = (x - mu) / np.sqrt(var + eps)
    out = gamma * xhat + beta
    dbeta = np.sum(dout, axis=0)
    dgamma = np.sum(dout * xhat, axis=0)
    dxhat = dout * gamma
    along = xhat * (dxhat * xhat).mean(axis=1, keepdims=True)
    dx = 1 / np.sqrt(var + eps) * (dxhat - dxhat.mean(axis=1, keepdims=True) - along)
    return dx, dgamma, dbeta
"""


def run_of(op):
    lines = (f"h = {op}(x, g, c)", "L = HalfSquaredError(h, y)", "J = Mean(L)")
    params = {"g": RNG.normal(size=3), "c": RNG.normal(size=3)}
    return Network.program(*lines, params=params).run(*RNG.normal(size=(2, 11, 3)))


RUNS = {op: run_of(op) for op in ("BatchNorm", "LayerNorm")}
RIGHT = [("BatchNorm", FORWARD), ("BatchNorm", STAGED), ("BatchNorm", CLOSED), ("BatchNorm", PAPER)]
RIGHT += [("LayerNorm", LAYER)]
WRONG = [
    ("BatchNorm", FORWARD, "np.var(x, axis=0)", "np.var(x, axis=1)"),
    ("BatchNorm", FORWARD, "np.sqrt(sample_var + eps)", "np.sqrt(sample_var)"),
    ("BatchNorm", FORWARD, "gamma * x_hat + beta", "gamma * x_hat"),
    ("BatchNorm", STAGED, "np.sum(dgammax * xhat, axis=0)", "np.sum(dgammax * xmu, axis=0)"),
    ("BatchNorm", STAGED, "dxhat = dgammax * gamma", "dxhat = dgammax"),
    ("BatchNorm", STAGED, "dxmu2 = 2 * xmu", "dxmu2 = xmu"),
    ("BatchNorm", STAGED, "dvar = 0.5 * 1.", "dvar = 1."),
    ("BatchNorm", STAGED, "dx = dx1 + dx2", "dx = dx1"),
    ("BatchNorm", CLOSED, "dout.sum(axis=0)\n    dgamma", "dout.mean(axis=0)\n    dgamma"),
    ("BatchNorm", CLOSED, "(m * dx_norm - dx_norm.sum", "(dx_norm - dx_norm.sum"),
    ("BatchNorm", PAPER, "-0.5 * (var", "0.5 * (var"),
    ("BatchNorm", PAPER, "+ dmu / N", "+ dmu"),
    ("LayerNorm", LAYER, "dxhat.mean(axis=1", "dxhat.mean(axis=0"),
    ("LayerNorm", LAYER, "np.sum(dout, axis=0)", "np.sum(dout, axis=1)"),
]


@pytest.mark.parametrize(("op", "text"), RIGHT)
def test_a_right_function_is_right(op, text):
    report = diagnose_code(text, RUNS[op])
    assert (report.right, report.first_wrong, report.ask) == (True, None, None), str(report)
    assert report.sentences[1].startswith(f"Read as {op} of x (7, 5), examples in rows")


@pytest.mark.one_in(4)
@pytest.mark.parametrize(("op", "text", "old", "new"), WRONG)
def test_the_wrong_line_is_named(op, text, old, new):
    wrong, line = planted(text, old, new)
    report = diagnose_code(wrong, RUNS[op])
    assert (report.right, report.first_wrong) == (False, line), str(report)


def test_the_other_normalisation_is_not_taken_for_this_one():
    assert diagnose_code(PAPER, RUNS["LayerNorm"]).right is False
    assert diagnose_code(LAYER, RUNS["BatchNorm"]).right is False
