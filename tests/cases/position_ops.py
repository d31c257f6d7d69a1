"""Ops of one's own that read at positions: a window, a look-up, a range, a choice."""

import numpy as np

from jacobian_bp import Op, at, delta, dense, one, over_batch, within


class Window(Op):
    """Convolution that keeps the length.

    y[d,i] = Σ_c,r K[d,c,r] x[c,i+r−1] + b[d],  x = 0 outside
    """

    signature = "x[c,i], K[d,c,r], b[d] -> y[d,i]"
    parameters = ("K", "b")
    reasons = {"x": "entry i reads the window that begins one before it"}

    def forward(self, x, K, b):
        return np.einsum("...cir,dcr->...di", self.windows(x, K.shape[-1]), K) + b[:, None]

    def jacobians(self, x, K, b):
        return {
            "x": dense("K[d,c',r]", K) * at("i' = i + r - 1"),
            "K": delta("d,d'") * dense("x[c',j]", x) * at("j = i + r' - 1"),
            "b": delta("d,d'") * one("i"),
        }

    def vjp(self, y_bar, x, K, b):
        width, size = K.shape[-1], x.shape[-1]
        padded = np.zeros((*x.shape[:-1], size + width - 1))
        for r in range(width):
            padded[..., r : r + size] += np.einsum("...di,dc->...ci", y_bar, K[:, :, r])
        K_bar = np.einsum("...di,...cir->...dcr", y_bar, self.windows(x, width))
        return {
            "x": padded[..., 1 : 1 + size],
            "K": over_batch(K_bar, 3),
            "b": over_batch(y_bar.sum(axis=-1)),
        }

    def windows(self, x, width):
        padded = np.pad(x, [(0, 0)] * (x.ndim - 1) + [(1, width - 1)])[
            ..., : x.shape[-1] + width - 1
        ]
        return np.lib.stride_tricks.sliding_window_view(padded, width, axis=-1)


class ShiftedWindow(Window):
    """A mistake: the window begins at the entry itself."""

    def jacobians(self, x, K, b):
        right = super().jacobians(x, K, b)
        return right | {"x": dense("K[d,c',r]", K) * at("i' = i + r")}


class LargestOfTwo(Op):
    """The larger of each entry and the one before it; the first of two equal ones.

    y[c,i] = max_r x[c,i+r−1],  ∂y/∂x = δ[c,c'] Σ_r δ[r,a[c,i]] δ[i',i+r−1]
    """

    signature = "x[c,i] -> y[c,i]"

    def forward(self, x):
        return self.pairs(x).max(axis=-1)

    def jacobians(self, x):
        chosen = at("r = a[c,i]", self.pairs(x).argmax(axis=-1), here=True)
        return {"x": delta("c,c'") * chosen * at("i' = i + r - 1", sizes={"r": 2})}

    def vjp(self, y_bar, x):
        first = self.pairs(x).argmax(axis=-1) == 0
        x_bar = np.where(first, 0.0, y_bar)
        x_bar[..., :-1] += np.where(first, y_bar, 0.0)[..., 1:]
        return {"x": x_bar}

    def branch(self, x):
        before, own = np.moveaxis(self.pairs(x), -1, 0)
        return np.sign(own - before)

    def pairs(self, x):
        before = np.concatenate([np.full((*x.shape[:-1], 1), -np.inf), x[..., :-1]], axis=-1)
        return np.stack([before, x], axis=-1)


class CumSum(Op):
    """y[i] = Σ_j x[j] [j≤i]"""

    signature = "x[i] -> y[i]"

    def forward(self, x):
        return np.cumsum(x, axis=-1)

    def jacobians(self, x):
        return {"x": within("i' <= i")}

    def vjp(self, y_bar, x):
        return {"x": np.cumsum(y_bar[..., ::-1], axis=-1)[..., ::-1]}


class Rows(Op):
    """Rows u of a table.

    e[t,d] = E[u[t],d],  ∂e/∂E = δ[v',u[t]] δ[d,d']
    """

    signature = "E[v,d], u[t] -> e[t,d]"
    parameters, constants = ("E",), ("u",)

    def forward(self, E, u):
        return E[u.astype(int)]

    def jacobians(self, E, u):
        return {"E": at("v' = u[t]", u) * delta("d,d'")}

    def vjp(self, e_bar, E, u):
        E_bar = np.zeros_like(E)
        np.add.at(E_bar, u.astype(int), e_bar)
        return {"E": E_bar}
