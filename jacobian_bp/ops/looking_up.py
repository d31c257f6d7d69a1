"""Entries chosen by a look-up: an embedding, a gather, a sort; and the running sum.

A place given by data is given for every value: δ[v',u[t]] is structural. A place chosen by the
values, as in a sort, is so at this input only.
"""

from collections.abc import Mapping

import numpy as np

from ..algebra.expression import delta
from ..algebra.written_positions import at, within
from ..numbers.arrays import quiet
from .base import Op


class Embedding(Op):
    """A row of a table for each token.

        e[d] = E[u,d]
        ∂e/∂E = δ[v',u] δ[d,d']

    It is one-hot times table: row u is read and no other, hence δ[v',u]; entry d alone, hence
    δ[d,d']. A row that several tokens read gets the sum of what comes back from them. u holds
    whole numbers from 0; nothing is differentiated by it.
    """

    signature = "u[] in v, E[v,d] -> e[d]"
    parameters = ("E",)
    constants = ("u",)
    formula = "row u of E"
    reasons: Mapping[str, str] = {"E": "token u reads row u of the table, and no other"}

    def forward(self, u, E):
        return E[u]

    def jacobians(self, u, E):
        return {"E": at("v' = u", u) * delta("d,d'")}

    def second(self, u, E):
        return {}

    def vjp(self, e_bar, u, E):
        E_bar = np.zeros_like(E, dtype=e_bar.dtype)
        np.add.at(E_bar, u, e_bar)
        return {"E": E_bar}


class Gather(Op):
    """Entries of the last axis, by their places: an index may occur again and again.

        y[o] = x[u[o]]
        ∂y/∂x = δ[i',u[o]]

    u holds whole numbers from 0; nothing is differentiated by it.
    """

    signature = "x[i], u[o] in i -> y[o]"
    constants = ("u",)
    formula = "the entries u of x"
    reasons: Mapping[str, str] = {"x": "entry o is entry u[o] of x"}

    def forward(self, x, u):
        x, u = _together(x, u)
        return np.take_along_axis(x, u, axis=-1)

    def jacobians(self, x, u):
        return {"x": at("i' = u[o]", u)}

    def second(self, x, u):
        return {}

    def vjp(self, y_bar, x, u):
        wide, places = _together(x, u)
        x_bar = np.zeros(wide.shape, y_bar.dtype)
        for o in range(places.shape[-1]):
            at_o = places[..., o : o + 1]
            so_far = np.take_along_axis(x_bar, at_o, axis=-1)
            np.put_along_axis(x_bar, at_o, so_far + y_bar[..., o : o + 1], axis=-1)
        extra = x_bar.ndim - x.ndim
        return {"x": x_bar.sum(axis=tuple(range(extra))) if extra else x_bar}


class Sort(Op):
    """The entries of the last axis in ascending order.

        y[o] = x[s[o]],  s the order that sorts x
        ∂y/∂x = δ[i',s[o]]

    s was chosen by the values: the other entries are zero for this input. Equal entries are a
    kink; they keep their order.
    """

    signature = "x[i] -> y[o]; o = i"
    formula = "x in ascending order"
    reasons: Mapping[str, str] = {"x": "entry o is the entry of x that sorting puts there"}
    kink = "two entries are equal; they keep their order"

    def forward(self, x):
        return np.sort(x, axis=-1, kind="stable")

    def jacobians(self, x):
        return {"x": at("i' = s[o]", _order(x), here=True)}

    def second(self, x):
        return {}

    def vjp(self, y_bar, x):
        x_bar = np.empty_like(y_bar)
        np.put_along_axis(x_bar, _order(x), y_bar, axis=-1)
        return {"x": x_bar}

    def branch(self, x):
        order = _order(x)
        ordered = np.take_along_axis(x, order, axis=-1)
        same = ordered[..., 1:] == ordered[..., :-1]
        never = np.zeros((*x.shape[:-1], 1), bool)
        tied = np.concatenate([never, same], -1) | np.concatenate([same, never], -1)
        return np.where(tied, 0, 1 + order)


class CumSum(Op):
    """The running sum along the last axis.

        y[o] = Σ_i≤o x[i]
        ∂y/∂x = [i'≤o]

    Entry o reads what stands at o and before: a triangle of ones. What comes back is the running
    sum from the other end.
    """

    signature = "x[i] -> y[o]; o = i"
    formula = "the running sum of x"
    reasons: Mapping[str, str] = {"x": "entry o adds up what stands at o and before"}

    @quiet
    def forward(self, x):
        return np.cumsum(x, axis=-1)

    def jacobians(self, x):
        return {"x": within("i' <= o")}

    def second(self, x):
        return {}

    @quiet
    def vjp(self, y_bar, x):
        return {"x": np.ascontiguousarray(np.cumsum(y_bar[..., ::-1], axis=-1)[..., ::-1])}


def _order(x: np.ndarray) -> np.ndarray:
    return np.argsort(x, axis=-1, kind="stable")


def _together(x: np.ndarray, u: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Both with the same axes in front."""
    lead = np.broadcast_shapes(x.shape[:-1], u.shape[:-1])
    return np.broadcast_to(x, (*lead, x.shape[-1])), np.broadcast_to(u, (*lead, u.shape[-1]))
