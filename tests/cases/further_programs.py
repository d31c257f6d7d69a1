"""Random programs over the ops that wide_programs does not draw: cells, masks, windows written."""

import numpy as np
from wide_programs import FRONTS, Draft, loss_of, names_read

from jacobian_bp import Network

UNITS, STEPS = 2, 4


def written(draft, v):
    """The windows of a transposed convolution, or angles."""
    (size,) = draft.sizes[v]
    kind = draft.pick(["Sin", "Cos", "ConvTranspose1d", "ConvTranspose2d"])
    if kind in ("Sin", "Cos"):
        return draft.step(f"{kind}({v})", size)
    places = 1 if kind == "ConvTranspose1d" else 2
    stride, groups, more = (draft.pick(among) for among in ([1, 2, 3], [1, 2], [0, 1]))
    more = min(more, stride - 1)
    x = outer(draft, v, 2)
    if places == 2:
        x = draft.einsum("ci,j->cij", (x, draft.param(2)), 2, size, 2)
    reads = [x, draft.param(2, 3, *[2, 3][:places]), draft.param(3 * groups)][: draft.pick([2, 3])]
    sizes = [stride * (n - 1) + r + more for n, r in zip((size, 2), [2, 3][:places], strict=False)]
    options = f"stride={stride}, output_padding={more}, groups={groups}"
    y = draft.step(f"{kind}({', '.join(reads)}, {options})", 3 * groups, *sizes)
    letters = "cij"[: places + 1]
    return draft.einsum(f"{letters}->c", (y,), 3 * groups)


def cell(draft, v):
    """One step of a recurrent network, whose state before is a parameter."""
    (size,) = draft.sizes[v]
    kind = draft.pick(["RNNCell", "GRUCell", "LSTM"])
    rows = UNITS * {"RNNCell": 1, "GRUCell": 3, "LSTM": 4}[kind]
    state, W, U = draft.param(UNITS), draft.param(rows, size), draft.param(rows, UNITS)
    biases = [draft.param(rows) for _ in range(draft.pick([0, 1, 2] if kind == "GRUCell" else [1]))]
    if kind != "LSTM":
        return draft.step(f"{kind}({', '.join([v, state, W, U, *biases])})", UNITS)
    reads = f"{W}, {U}, {biases[0]}"
    c = draft.step(f"LSTMCarry({v}, {state}, {draft.param(UNITS)}, {reads})", UNITS)
    return draft.step(f"LSTMOutput({v}, {state}, {c}, {reads})", UNITS)


def outer(draft, v, rows):
    (size,) = draft.sizes[v]
    return draft.einsum("i,c->ci", (v, draft.param(rows)), rows, size)


def whole_rows(draft, v):
    return draft.einsum("ij->i", (v,), draft.sizes[v][0])


def of_number(draft, v):
    return draft.einsum(",k->k", (v, draft.param(3)), 3)


def square(draft, v):
    """A matrix near four times the identity, and what is made of it."""
    (size,) = draft.sizes[v]
    E = draft.einsum("ci,ij->cj", (outer(draft, v, 3), draft.param(size, 3)), 3, 3)
    name = f"P{len(draft.params)}"
    draft.params[name] = 4 * np.eye(3)
    M = draft.step(f"Add({draft.step(f'Tanh({E})', 3, 3)}, {name}, 'i,j')", 3, 3)
    kind = draft.pick(["Inverse", "Det", "LogDet"])
    if kind == "Inverse":
        return whole_rows(draft, draft.step(f"Inverse({M})", 3, 3))
    return of_number(draft, draft.step(f"{kind}({M})"))


def matrix(draft, v):
    """A matrix in another form."""
    (size,) = draft.sizes[v]
    kind = draft.pick(["Kron", "Vec", "Diag", "Reshape", "Flatten", "GroupNorm", "CausalSoftmax"])
    if kind == "Kron":
        wide = draft.step(f"Kron({outer(draft, v, 2)}, {draft.param(3, 2)})", 6, 2 * size)
        return whole_rows(draft, wide)
    if kind == "Diag":
        D = draft.step(f"Diag({v})", size, size)
        return draft.einsum("ij,jk->k", (D, draft.param(size, 3)), 3)
    if kind == "GroupNorm":
        gains = f"{draft.param(4)}, {draft.param(4)}"
        call = f"GroupNorm({outer(draft, v, 4)}, {gains}, 2, 0.25, axes='c,i')"
        return whole_rows(draft, draft.step(call, 4, size))
    if kind == "CausalSoftmax":
        P = draft.step(f"CausalSoftmax({outer(draft, v, 3)})", 3, size)
        return draft.einsum("tu,u->t", (P, draft.param(size)), 3)
    pair = outer(draft, v, 2)
    if kind == "Reshape":
        return whole_rows(draft, draft.step(f"Reshape({pair}, ({size}, 2), axes='i,j')", size, 2))
    return draft.step(
        f"{kind}({pair}{', axes=' + repr('i,j') if kind == 'Flatten' else ''})", 2 * size
    )


def entries(draft, v):
    """Some of the entries, a mask on them, or their logarithmic sum."""
    (size,) = draft.sizes[v]
    kind = draft.pick(["Part", "Dropout", "LogSumExp"])
    if kind == "Part" and size > 2:
        return draft.step(f"Part({v}, '1:')", size - 1)
    if kind == "Dropout":
        draft.data[f"m{size}"] = draft.rng.integers(0, 2, size).astype(float)
        return draft.step(f"Dropout({v}, m{size}, 0.5)", size)
    return of_number(draft, draft.step(f"LogSumExp({v})"))


def further_program(seed):
    """The network, its data, and the names of the axes in front."""
    draft = Draft(np.random.default_rng(seed), [*FRONTS][seed % 3])
    front = FRONTS[draft.front]
    draft.data["x"] = draft.rng.normal(size=(*front, 5))
    draft.sizes["x"] = (5,)
    v = draft.step(f"Linear(x, {draft.param(3, 5)}, {draft.param(3)})", 3)
    for _ in range(STEPS):
        v = draft.pick([cell, square, matrix, matrix, entries, written])(draft, v)
    z = draft.step(f"Linear({v}, {draft.param(3, *draft.sizes[v])})", 3)
    if draft.rng.integers(2):
        draft.data["y"] = draft.rng.integers(0, 3, front or ())
        J = draft.step(f"Hinge({z}, y)")
    else:
        J = loss_of(draft, z)
    if draft.front:
        *others, last = draft.front.split(",")
        J = draft.step(f"{draft.pick(['Max', 'Min', 'Mean'])}({J}, over='{last}')")
        if others:
            draft.step(f"Mean({J}, over='n')")
    read = {name for line in draft.lines for name in names_read(line)}
    kinds = {line.partition(" = ")[2].partition("(")[0] for line in draft.lines}
    net = Network.program(
        *draft.lines,
        params={name: value for name, value in draft.params.items() if name in read},
        ops={name: op for name, op in draft.ops.items() if name in kinds},
    )
    data = {name: array for name, array in draft.data.items() if name in read}
    return net, data, {"x": draft.front} if draft.front else None
