"""The affine map of a layer as conventions write it: W turned round, the bias a line of W.

    weights  bias    rows        columns     one example, examples else in rows
    out,in   own     W a + b     W a + b     W a + b
    in,out   own     a W + b     Wᵀ a + b    a W + b
    out,in   first   [1 a] Wᵀ    W [1; a]    W [1; a]
    in,out   first   [1 a] W     Wᵀ [1; a]   [1 a] W
    out,in   last    [a 1] Wᵀ    W [a; 1]    W [a; 1]
    in,out   last    [a 1] W     Wᵀ [a; 1]   [a 1] W

W a + b of rows is that of one row, written as a column. A layer without a bias is a line "own"
without the b: its W has no line of the bias.
"""

import numpy as np

from ..algebra.expression import delta, dense
from ..algebra.written_positions import at
from ..ops.base import Op, outer, over_batch
from .convention import Convention


class Affine(Op):
    """Affine map in a convention, for one example; an array of examples has them in its rows.

        z[k] = Σ_i W[i,k] a[i] + b[k]         W (inputs, outputs)
        z[k] = Σ_j W[k,j] h[j],  h = [1; a]   the bias a line of W

    Unit k reads only its own line of W, hence δ[k,k'] in ∂z/∂W; what stands beside the
    bias in W is 1 for every input, so that ∂z/∂a leaves that line of W out. W and a bend z
    together where one multiplies the other: ∂²z/∂W∂a = δ[k,k'] δ[i',i''], or δ[k,k'] δ[j',i'+1]
    where the bias is the first line of W, and δ[k,k'] δ[j',i'] where it is the last.
    """

    parameters = ("W", "b")

    def __init__(self, convention: Convention, batched: bool, has_bias: bool = True) -> None:
        turned = convention.weights == "in,out"
        bias = convention.bias if has_bias else "own"
        self.turned, self.bias = turned, bias
        is_row = convention.examples == "rows" and (turned or (batched and bias != "own"))
        read = "i" if bias == "own" else "j"
        own = f"W[{read},k]" if turned else f"W[k,{read}]"
        more = ", b[k]" if has_bias and bias == "own" else ""
        self.signature = f"a[i], {own}{more} -> z[k]"
        gap = " " if is_row else "; "
        self.read = {"own": "a", "first": f"[1{gap}a]", "last": f"[a{gap}1]"}[bias]
        if is_row:
            product = f"{self.read} W" if turned else f"{self.read} Wᵀ"
        else:
            product = f"Wᵀ {self.read}" if turned else f"W {self.read}"
        self.formula = product + " + b" * bool(more)
        line = "column" if turned else "row"
        but = "" if bias == "own" else f", the bias left out: {self._without_bias}"
        self.reasons = {
            "a": f"unit k weighs a by {line} k of W{but}",
            "W": f"unit k reads only {line} k of W",
            "b": "each unit has its own bias",
        }

    @property
    def name(self) -> str:
        return "Linear"

    @property
    def _without_bias(self) -> str:
        """W without the line of the bias, as numpy writes it."""
        kept = {"own": "", "first": "1:", "last": ":-1"}[self.bias]
        if not kept:
            return "W"
        return f"W[{kept},:]" if self.turned else f"W[:,{kept}]"

    def _weights(self, W):
        """W (outputs, inputs) without the bias."""
        W = W.T if self.turned else W
        return {"own": W, "first": W[:, 1:], "last": W[:, :-1]}[self.bias]

    def _read(self, a):
        """a, with the 1 that the bias is multiplied by."""
        if self.bias == "own":
            return a
        ones = np.ones((*a.shape[:-1], 1), a.dtype)
        return np.concatenate([ones, a] if self.bias == "first" else [a, ones], axis=-1)

    def forward(self, *inputs):
        a, W, *b = inputs
        if b:
            return a @ self._weights(W).T + b[0]
        return self._read(a) @ (W if self.turned else W.T)

    def jacobians(self, *inputs):
        a, W, *b = inputs
        weights = self._weights(W)
        axes = "[i',k]" if self.turned else "[k,i']"
        read = "i'" if self.bias == "own" else "j'"
        found = {
            "a": dense(self._without_bias + axes, weights.T if self.turned else weights),
            "W": delta("k,k'") * dense(f"{self.read}[{read}]", self._read(a)),
        }
        return found | ({"b": delta("k,k'")} if b else {})

    def second(self, *inputs):
        read = {"own": delta("i',i''"), "first": at("j' = i'+1"), "last": at("j' = i'")}
        return {("W", "a"): delta("k,k'") * read[self.bias]}

    def vjp(self, bar, *inputs):
        a, W, *b = inputs
        read = self._read(a)
        found = {
            "a": bar @ self._weights(W),
            "W": outer(read, bar) if self.turned else outer(bar, read),
        }
        return found | ({"b": over_batch(bar)} if b else {})
