"""Random programs over all ops: vectors, matrices and images, with ties, skips and axes in front.

A value is known by the sizes of its own axes; what stands in front, examples n or examples and
positions t, is carried. Sizes are prime and pairwise different where an op does not force two
to be equal.
"""

from dataclasses import dataclass, field

import numpy as np

from jacobian_bp import Network, ops

FRONTS = {"": (), "n": (3,), "n,t": (2, 3)}
UNITS = (2, 3, 5, 7)
SMOOTH = ["Tanh", "Sigmoid", "Softplus", "SiLU", "GELU", "ELU", "Softmax", "LogSoftmax", "CumSum"]
KINKED = ["ReLU", "LeakyReLU", "Abs", "Sort"]
MOVED = ["Flip", "Slice", "Pad", "Concat"]


@dataclass
class Draft:
    """A program while it is drawn: its lines, its parameters, and the sizes of every value."""

    rng: np.random.Generator
    front: str
    lines: list = field(default_factory=list)
    params: dict = field(default_factory=dict)
    data: dict = field(default_factory=dict)
    sizes: dict = field(default_factory=dict)
    ops: dict = field(default_factory=dict)

    def pick(self, among):
        among = list(among)
        return among[int(self.rng.integers(len(among)))]

    def param(self, *shape):
        """A parameter of this shape, half of the time one that is there already: it is tied."""
        known = [name for name, value in self.params.items() if value.shape == shape]
        if known and self.rng.integers(2):
            return self.pick(known)
        name = f"P{len(self.params)}"
        self.params[name] = self.rng.normal(size=shape) / np.sqrt(max(1, np.prod(shape[1:])))
        return name

    def step(self, call, *sizes):
        name = f"v{len(self.lines)}"
        self.lines.append(f"{name} = {call}")
        self.sizes[name] = sizes
        return name

    def einsum(self, equation, args, *sizes):
        name = f"E{len(self.ops)}"
        self.ops[name] = ops.Einsum(equation)
        return self.step(f"{name}({', '.join(args)})", *sizes)


def along_last(draft, v):
    """An op along the last axis, or entry by entry: whatever stands in front is carried."""
    *outer, size = draft.sizes[v]
    kind = draft.pick(["smooth", "smooth", "kinked", "moved", "norm", "positive", "power", "skip"])
    if kind == "smooth":
        return draft.step(f"{draft.pick(SMOOTH)}({v})", *outer, size)
    if kind == "kinked":
        return draft.step(f"{draft.pick(KINKED)}({v})", *outer, size)
    if kind == "norm":
        norm = draft.pick(["LayerNorm", "RMSNorm"])
        gains = [draft.param(size) for _ in range(1 + (norm == "LayerNorm"))]
        return draft.step(f"{norm}({v}, {', '.join(gains)}, eps=0.25)", *outer, size)
    if kind == "positive":
        above = draft.step(f"Softplus({v})", *outer, size)
        return draft.step(draft.pick(["Log", "Sqrt"]) + f"({above})", *outer, size)
    if kind == "power":
        near = draft.step(f"Tanh({v})", *outer, size)
        return draft.step(draft.pick([f"Power({near}, 3)", f"Exp({near})"]), *outer, size)
    if kind == "skip":
        # equal sizes are not enough for two matrices: their rows have names
        other = v if outer else draft.pick(u for u, s in draft.sizes.items() if s == (size,))
        meet = draft.pick(["Add", "Multiply", "Subtract", "Divide"])
        if meet == "Divide":  # by what lies between 1/e and e
            other = draft.step(f"Exp({draft.step(f'Tanh({other})', *outer, size)})", *outer, size)
        return draft.step(f"{meet}({v}, {other})", *outer, size)
    return moved(draft, v)


def moved(draft, v):
    """Entries at other places: a slice, a flip, padding, joining."""
    *outer, size = draft.sizes[v]
    kind = draft.pick(MOVED)
    if kind == "Flip":
        return draft.step(f"Flip({v})", *outer, size)
    if kind == "Slice" and size > 3:
        return draft.step(f"Slice({v}, 1, step=2)", *outer, size // 2)
    if kind == "Concat":
        return draft.step(f"Concat({v}, {v})", *outer, 2 * size)
    return draft.step(f"Pad({v}, 1, 2, 0.5)", *outer, size + 3)


def of_vector(draft, v):
    """A step from a vector that its length, and only it, fits."""
    (size,) = draft.sizes[v]
    kind = draft.pick(["layer", "layer", "bare layer", "einsum", "outer", "gather"])
    units = draft.pick(UNITS)
    if kind == "layer":
        return draft.step(f"Linear({v}, {draft.param(units, size)}, {draft.param(units)})", units)
    if kind == "bare layer":
        return draft.step(f"Linear({v}, {draft.param(units, size)})", units)
    if kind == "einsum":
        return draft.einsum("i,ij->j", (v, draft.param(size, units)), units)
    if kind == "outer":
        return draft.einsum("i,c->ci", (v, draft.param(units)), units, size)
    if "u" not in draft.data:
        draft.data["u"] = draft.rng.integers(0, size, (5,))
    top = int(draft.data["u"].max())
    return draft.step(f"Gather({v}, u)", 5) if top < size else draft.step(f"Identity({v})", size)


def of_matrix(draft, v):
    """A step from channels and places."""
    c, i = draft.sizes[v]
    kind = draft.pick(["conv", "conv", "pool", "turn", "mean", "einsum"])
    if kind == "turn":
        return draft.step(f"Transpose({v}, 'i,j -> j,i')", i, c)
    if kind == "mean":
        return draft.einsum("ci->c", (v,), c)
    if kind == "einsum":
        return draft.einsum("dc,ci->di", (draft.param(3, c), v), 3, i)
    if i < 5:
        return draft.step(f"Tanh({v})", c, i)
    if kind == "pool":
        pool = draft.pick(["MaxPool1d", "AvgPool1d"])
        width, stride, padding = draft.pick([(2, 2, 0), (3, 2, 1), (3, 1, 0)])
        places = (i + 2 * padding - width) // stride + 1
        return draft.step(f"{pool}({v}, {width}, {stride}, {padding})", c, places)
    stride, padding, dilation, groups = draft.pick(
        [(1, 0, 1, 1), (2, 1, 1, 1), (1, 1, 2, 1), (1, 2, 1, c)]
    )
    out, taps = (2 * c if groups > 1 else 3), 3
    places = (i + 2 * padding - dilation * (taps - 1) - 1) // stride + 1
    reads = [v, draft.param(out, c // groups, taps), draft.param(out)][: draft.pick([2, 3])]
    options = f"stride={stride}, padding={padding}, dilation={dilation}, groups={groups}"
    return draft.step(f"Conv1d({', '.join(reads)}, {options})", out, places)


def of_image(draft, v):
    """A step from channels, rows and columns."""
    c, i, j = draft.sizes[v]
    kind = draft.pick(["conv", "pool", "mean", "rows"])
    if kind == "mean":
        return draft.einsum("cij->c", (v,), c)
    if kind == "rows":
        return draft.einsum("cij->ci", (v,), c, i)
    if min(i, j) < 3:
        return draft.step(f"ReLU({v})", c, i, j)
    if kind == "pool":
        pool = draft.pick(["MaxPool2d", "AvgPool2d"])
        return draft.step(f"{pool}({v}, 2)", c, i // 2, j // 2)
    stride = draft.pick([1, 2])
    read = f"{v}, {draft.param(2, c, 2, 3)}, {draft.param(2)}"
    call = f"Conv2d({read}, stride={stride}, padding=(0, 1))"
    return draft.step(call, 2, (i - 2) // stride + 1, (j - 1) // stride + 1)


GROW = {1: of_vector, 2: of_matrix, 3: of_image}


def begin(draft, kind, ties):
    """The data: a vector, a matrix, an image, or tokens that look rows of a table up."""
    shape = {"vector": (5,), "matrix": (2, 11), "image": (2, 5, 7)}.get(kind)
    front = FRONTS[draft.front]
    if kind == "tokens":
        draft.data["w"] = draft.rng.integers(0, 7, front)
        return draft.step(f"Embedding(w, {draft.param(7, 5)})", 5)
    x = draft.rng.normal(size=(*front, *shape))
    draft.data["x"] = np.round(2 * x) / 2 if ties else x
    draft.sizes["x"] = shape
    if kind == "vector":
        return draft.step(f"Linear(x, {draft.param(3, 5)}, {draft.param(3)})", 3)
    if kind == "matrix":  # where it is only turned, ties stay
        if ties:
            return draft.step("Transpose(x, 'i,j -> j,i')", 11, 2)
        return draft.einsum("dc,ci->di", (draft.param(3, 2), "x"), 3, 11)
    return draft.step(f"Conv2d(x, {draft.param(3, 2, 2, 3)}, padding=(1, 0))", 3, 6, 5)


def loss_of(draft, v):
    """One number from three: from numbers, from probabilities, or from logits."""
    front = FRONTS[draft.front]
    end = draft.pick(["numbers", "classes", "two classes", "form"])
    if end == "form":
        return draft.einsum("i,ij,j->", (v, draft.param(3, 3), v))
    if end == "numbers":
        draft.data["y"] = draft.rng.normal(size=(*front, 3))
        L = draft.step(f"{draft.pick(['SquaredError', 'HalfSquaredError', 'Huber'])}({v}, y)")
        return draft.step(f"MeanOverOutputs({L}, 3)") if draft.rng.integers(2) else L
    if end == "two classes":
        draft.data["y"] = draft.rng.integers(0, 2, (*front, 3)).astype(float)
        losses, squash = ["BinaryCrossEntropy"], "Sigmoid"
    else:
        draft.data["y"] = draft.rng.dirichlet(np.ones(3), front or None)
        losses, squash = ["CrossEntropy", "KLDivergence"], "Softmax"
    loss = draft.pick(losses)
    if draft.rng.integers(2):
        return draft.step(f"{loss}FromLogits({v}, y)")
    return draft.step(f"{loss}({draft.step(f'{squash}({v})', 3)}, y)")


def finish(draft, v):
    """A vector, a loss, its mean or sum over what stands in front, and now and then a penalty."""
    while len(draft.sizes[v]) > 1:
        letters = "cij"[: len(draft.sizes[v])]
        v = draft.einsum(f"{letters}->{letters[:-1]}", (v,), *draft.sizes[v][:-1])
    (size,) = draft.sizes[v]
    if draft.front == "n" and draft.rng.integers(3) == 0:
        v = draft.step(f"BatchNorm({v}, {draft.param(size)}, {draft.param(size)}, eps=0.25)", size)
    W = draft.param(3, size)
    J = loss_of(draft, draft.step(f"Linear({v}, {W}, {draft.param(3)})", 3))
    if draft.front:
        J = draft.step(f"{draft.pick(['Mean', 'Mean', 'Sum'])}({J}, over='{draft.front}')")
    if draft.rng.integers(3) == 0:
        penalty = draft.pick(["L1Penalty", "L2Penalty", "HalfL2Penalty"])
        draft.step(f"Add({J}, {draft.step(f'{penalty}({W}, 0.25)')}, '')")


def wide_program(seed, steps=5):
    """The network, its data, and the names of the axes in front; ties in every fourth."""
    draft = Draft(np.random.default_rng(seed), [*FRONTS][seed % 3])
    kinds = ["vector", "matrix", "image", *["tokens"] * bool(draft.front)]
    v = begin(draft, draft.pick(kinds), ties=seed % 4 == 0)
    for _ in range(steps):
        grow = GROW[len(draft.sizes[v])] if draft.rng.integers(2) else along_last
        v = grow(draft, v)
    finish(draft, v)
    read = {name for line in draft.lines for name in names_read(line)}
    kinds = {line.partition(" = ")[2].partition("(")[0] for line in draft.lines}
    net = Network.program(
        *draft.lines,
        params={name: value for name, value in draft.params.items() if name in read},
        ops={name: op for name, op in draft.ops.items() if name in kinds},
    )
    data = {name: array for name, array in draft.data.items() if name in read}
    carried = {name: draft.front for name in data if name in "xw" and draft.front}
    return net, data, carried or None


def names_read(line):
    """The names between the parentheses of a line."""
    return line.partition("(")[2].rstrip(")").replace(",", " ").split()
