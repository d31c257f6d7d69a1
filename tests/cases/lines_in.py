"""The lines of a backward pass as somebody writes them in a convention."""

from jacobian_bp import Convention

NAMES = {"W": ["Theta{l}", "Theta{l-1}", "w{l}"], "delta": ["dZ{l}", "delta{l}", "err{l}"]}


def drawn(rng):
    """A convention at random whose names can stand in numpy, the bias by itself."""
    first = int(rng.integers(0, 3))
    chosen = {str(rng.choice(NAMES[ours])): ours for ours in NAMES if rng.random() < 0.6}
    return Convention(
        examples=str(rng.choice(["rows", "columns"])),
        weights=str(rng.choice(["out,in", "in,out"])),
        mean=str(rng.choice(["delta", "gradient"])),
        first=first,
        names={n: ours for n, ours in chosen.items() if first or "{l-1}" not in n},
    )


class Lines:
    """Right lines of layer 2 of three, and what they are put together from."""

    def __init__(self, convention):
        c, name = convention, convention.name
        self.columns, self.turned = c.examples == "columns", c.weights == "in,out"
        self.d2, self.d3, self.W3 = name("delta2"), name("delta3"), name("W3")
        self.a1, self.a2, self.z1, self.z2 = (name(v) for v in ("a1", "a2", "z1", "z2"))
        self.by_m = " / m" if c.mean == "gradient" else ""
        self.dW2 = f"d{name('W2')}"
        self.db2 = f"d{name('b2')}"

    def back(self, slope=None):
        """δ2 from δ3."""
        W = self.W3 if self.turned == self.columns else f"{self.W3}.T"
        product = f"{W} @ {self.d3}" if self.columns else f"{self.d3} @ {W}"
        return f"{self.d2} = {product}" + (slope or f" * (1 - {self.a2}**2)")

    def weight(self, read=None, turned=None, by_m=None):
        """dW2 from δ2."""
        a, d = read or self.a1, self.d2
        turned = self.turned if turned is None else turned
        left, right = (a, d) if turned else (d, a)
        product = f"{left} @ {right}.T" if self.columns else f"{left}.T @ {right}"
        return f"{self.dW2} = {product}{self.by_m if by_m is None else by_m}"

    def bias(self):
        """db2 from δ2."""
        along = "axis=1, keepdims=True" if self.columns else "axis=0"
        return f"{self.db2} = np.sum({self.d2}, {along}){self.by_m}"

    def right(self):
        return [self.back(), self.weight(), self.bias()]
