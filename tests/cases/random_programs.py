"""Random programs: layers, einsums, skip connections, tied weights, reductions, and an own op."""

import numpy as np

from jacobian_bp import Network, Op, delta, dense, ops

SIZE = {"i": 2, "j": 3, "k": 5}
BATCH = 7
SMOOTH = ["Tanh", "Sigmoid", "Softplus", "Softmax", "LogSoftmax"]
KINKED = ["ReLU", "LeakyReLU"]


class Keeper(Op):
    """z = sin a, and whatever it gives is an array that it keeps and writes to at its next call."""

    signature = "a[k] -> z[k]"

    def __init__(self):
        self.held = {}

    def put(self, what, array):
        held = self.held.setdefault((what, array.shape, array.dtype), np.empty_like(array))
        held[...] = array
        return held

    def forward(self, a):
        return self.put("z", np.sin(a))

    def jacobians(self, a):
        return {"a": delta("k,k'") * dense("cos(a)[k]", self.put("slope", np.cos(a)))}

    def second(self, a):
        twice = delta("k,k'") * delta("k,k''")
        return {("a", "a"): twice * dense("(−sin(a))[k]", self.put("bend", -np.sin(a)))}

    def vjp(self, bar, a):
        return {"a": self.put("bar", bar * np.cos(a))}


class Parts:
    """A program while it is drawn: vectors by name, each with the letter of its size."""

    def __init__(self, seed, batch):
        self.rng, self.lines, self.params = np.random.default_rng(seed), [], {}
        self.batch = batch  # a reduction over one example alone is left out
        self.ops, self.vectors = {"Keeper": Keeper()}, {"x": "k"}

    def pick(self, among):
        return among[int(self.rng.integers(len(among)))]

    def param(self, word):
        """A parameter of this shape, half of the time one that is there already."""
        shape = tuple(SIZE[letter] for letter in word)
        known = [name for name, value in self.params.items() if value.shape == shape]
        if known and self.rng.integers(2):
            return self.pick(known)
        name = f"P{len(self.params)}"
        self.params[name] = self.rng.normal(size=shape) / np.sqrt(shape[-1])
        return name

    def step(self, op, args, letter=None):
        name = f"v{len(self.lines)}"
        self.lines.append(f"{name} = {op}({', '.join(args)})")
        if letter:
            self.vectors[name] = letter
        return name

    def einsum(self, equation, args, letter=None):
        name = f"E{len(self.ops)}"
        self.ops[name] = ops.Einsum(equation)
        return self.step(name, args, letter)

    def grow(self):
        """One more step, from any of the vectors."""
        v = self.pick([*self.vectors])
        p, q = self.vectors[v], self.pick("ijk")
        same = [u for u, letter in self.vectors.items() if letter == p]
        kind = self.pick(["layer", "layer", "smooth", "kinked", "own", "skip", "einsum", "einsum"])
        if kind == "layer":
            self.step("Linear", (v, self.param(q + p), self.param(q)), q)
        elif kind in ("smooth", "kinked"):
            self.step(self.pick(SMOOTH if kind == "smooth" else KINKED), (v,), p)
        elif kind == "own":
            self.step("Keeper", (v,), p)
        elif kind == "skip":
            self.step(self.pick(["Add", "Multiply"]), (v, self.pick(same)), p)
        elif p == q:
            self.einsum(f"{p}{p},{p},{p}->{p}", (self.param(p + p), v, self.pick(same)), p)
        else:
            words = self.pick([(p, p + q), (p, p + q, p), (q + p, p + q, p)])
            args = [v if word == p else self.param(word) for word in words]
            self.einsum(f"{','.join(words)}->{q}", args, q)

    def finish(self):
        """A cost: a loss, a quadratic form of one value, or a reduction; then the mean."""
        v = [*self.vectors][-1]
        p = self.vectors[v]
        end = self.pick(["SquaredError", "CrossEntropy", "form", "Sum"])
        if end == "SquaredError":
            L = self.step(end, (v, "y"))
        elif end == "CrossEntropy":
            L = self.step(end, (self.step("Softmax", (v,), p), "y"))
        elif end == "form":
            L = self.einsum(f"{p},{p}{p},{p}->", (v, self.param(p + p), v))
        else:
            self.ops["Total"] = ops.Sum(p) if self.batch else ops.Einsum(f"{p}->")
            L = self.step("Total", (v,))
        self.step("Mean", (L,))
        return p, end


def random_program(seed, steps=5, dtype=np.float64, batch=True):
    """The network and its data: x, and y where the cost reads labels."""
    parts = Parts(seed, batch)
    parts.step("Linear", ("x", parts.param("jk"), parts.param("j")), "j")
    for _ in range(steps):
        parts.grow()
    p, end = parts.finish()
    rng, lead = parts.rng, (BATCH,) * batch
    data = {"x": rng.normal(size=(*lead, SIZE["k"])).astype(dtype)}
    if end == "SquaredError":
        data["y"] = rng.normal(size=(*lead, SIZE[p])).astype(dtype)
    elif end == "CrossEntropy":
        data["y"] = rng.dirichlet(np.ones(SIZE[p]), lead or None).astype(dtype)
    params = {name: value.astype(dtype) for name, value in parts.params.items()}
    used = {n: op for n, op in parts.ops.items() if any(f" {n}(" in line for line in parts.lines)}
    return Network.program(*parts.lines, params=params, ops=used), data
