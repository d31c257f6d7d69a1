"""The affine map of a layer."""

from math import prod

from ..algebra.expression import delta, dense
from .base import Op, outer, over_batch


class Linear(Op):
    """Affine map.

        z[k] = Σ_i W[k,i] a[i] + b[k],  or without b

    Unit k reads only row k of W, hence δ[k,k'] in ∂z/∂W, and only its own bias,
    hence ∂z/∂b = δ[k,k']. Linear in W and in a, not in both at once: W[k,i] weighs a[i] alone,
    hence ∂²z/∂W∂a = δ[k,k'] δ[i',i'']. Source: first seed, J45 and J50; second seed, M32 and M35.
    """

    formula = "W a + b"
    signature = "a[i], W[k,i], b[k]? -> z[k]"
    parameters = ("W", "b")
    reasons = {
        "a": "unit k weighs a by row k of W",
        "W": "unit k reads only row k of W",
        "b": "each unit has its own bias",
    }
    shows_nonfinite = True

    def reading(self, count):
        read = super().reading(count)
        if read is not self:
            read.formula = "W a"
        return read

    def instead(self, names, shapes):
        """Rows that are read where all entries of an example were meant."""
        a, W, called = shapes["a"], shapes["W"], names["a"]
        if len(W) != 2 or len(a) < 2 or a[-1] == W[1]:
            return ""
        if W[1] not in (prod(a), prod(a[1:])):
            return ""
        flat = f"{called}_row"
        return f"An example of {called} has {W[1]} entries: read {flat} = Flatten({called}) here."

    def forward(self, a, W, b=None):
        return a @ W.T if b is None else a @ W.T + b

    def jacobians(self, a, W, b=None):
        return {
            "a": dense("W[k,i']", W),
            "W": delta("k,k'") * dense("a[i']", a),
            "b": delta("k,k'"),
        }

    def second(self, a, W, b=None):
        return {("W", "a"): delta("k,k'") * delta("i',i''")}

    def vjp(self, z_bar, a, W, b=None, wanted=("a", "W", "b")):
        found = {}
        if "a" in wanted:
            found["a"] = z_bar @ W
        if "W" in wanted:
            found["W"] = outer(z_bar, a)
        if "b" in wanted:
            found["b"] = over_batch(z_bar)
        return found

    # written out: lambdas would take as long as a small layer itself
    vjp.on_demand = True  # type: ignore[attr-defined]

    def peer(self, xp, a, W, b=None):
        return a @ W.T if b is None else a @ W.T + b
