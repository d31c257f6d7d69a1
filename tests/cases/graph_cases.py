"""Graphs that are no chain, for the tests of the diagnosis: a skip connection, a layer norm."""

import numpy as np

from jacobian_bp import Network, Op, delta, dense, one


def skip(batch):
    """s = x + tanh(W1 x + b1), then t = s + tanh(W2 s + b2), squared error."""
    normal = np.random.default_rng(31).normal
    P = {
        "W1": normal(size=(3, 3)),
        "b1": normal(size=3),
        "W2": normal(size=(3, 3)),
        "b2": normal(size=3),
    }
    net = Network.program(
        "z1 = Linear(x, W1, b1)",
        "a1 = Tanh(z1)",
        "s = Add(a1, x)",
        "z2 = Linear(s, W2, b2)",
        "a2 = Tanh(z2)",
        "t = Add(a2, s)",
        "L = SquaredError(t, y)",
        "J = Mean(L)",
        params=P,
    )
    shape = (7, 3) if batch else (3,)
    x, y = normal(size=shape), normal(size=shape)
    run, m = net.run(x, y), 7 if batch else 1
    dt = 2 * (run["t"] - y) / m
    dz2 = dt * (1 - run["a2"] ** 2)
    return run, P, x, dt, dz2


def through_s(run, x, ds):
    dz1 = ds * (1 - run["a1"] ** 2)
    W1 = dz1.T @ x if x.ndim == 2 else np.outer(dz1, x)
    return {"s": ds, "z1": dz1, "W1": W1, "b1": dz1.sum(0) if x.ndim == 2 else dz1}


class LayerNorm(Op):
    """y = g (x − mean)/std + h within one example."""

    signature = "x[k], g[k], h[k] -> y[k]"
    parameters = ("g", "h")

    def parts(self, x):
        c = x - x.mean(-1, keepdims=True)
        s = np.sqrt((c * c).mean(-1, keepdims=True) + 1e-5)
        return c / s, s

    def forward(self, x, g, h):
        return g * self.parts(x)[0] + h

    def jacobians(self, x, g, h):
        n, (u, s) = x.shape[-1], self.parts(x)
        s = s[..., 0]
        G = dense("g[k]", g)
        full = delta("k,k'") - (1 / n) * (one("k,k'") + dense("u[k]", u) * dense("u[k']", u))
        return {
            "x": G * dense("1/s", 1 / s) * full,
            "g": delta("k,k'") * dense("u[k]", u),
            "h": delta("k,k'"),
        }

    def vjp(self, bar, x, g, h):
        u, s = self.parts(x)
        d = bar * g
        pulled = (d - d.mean(-1, keepdims=True) - u * (d * u).mean(-1, keepdims=True)) / s
        total = (lambda a: a.sum(0)) if bar.ndim == 2 else (lambda a: a)
        return {"x": pulled, "g": total(bar * u), "h": total(bar)}
