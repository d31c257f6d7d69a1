"""The second seed, "The Math behind Neural Networks - Backpropagation", with every step computed.

    python derivations/second_seed.py

The post derives the six gradient matrices of a 3-4-2-1 classifier by hand and
leaves out the numbers. Here are the numbers, section by section, in the post's
notation: layers in brackets, columns, indices from 1, a[0] = x. W[2] of the
post is the package's "W2".
"""

import re

import numpy as np

from jacobian_bp import BinaryCrossEntropy, Einsum, Network, ReLU
from jacobian_bp.ledger import DeltaStep
from jacobian_bp.reference import PARAMS, X, Y, second_seed
from jacobian_bp.symbols import bound, number, to_ascii, vector
from jacobian_bp.symbols import shape as size
from jacobian_bp.text import array_block, columns, table, zero_or_number

LAYERS = (1, 2, 3)
# Five made-up examples, as many as no layer has units; the first is the post's one example.
EXAMPLES = [X, [0.5, 1.0, -1.0], [-1.0, 0.5, 2.0], [2.0, 0.3, -0.7], [-0.4, -1.2, 0.9]]
LABELS = [*Y, 0.0, 1.0, 0.0, 0.0]


# ------------------------------------------------------------------ how a line is printed


def title(text):
    print(f"\n{text}\n{'-' * len(text)}")


def say(item, *lines):
    for line in lines:
        print(f"{item:<5}{line}".rstrip())
        item = ""


def equal(item, statement, left, right, layout, shown=True, mask=None):
    """The line left = right: shape, layout, and how far the two computed sides are apart."""
    say(item, f"{statement:<50}{size(left.shape):<9}{layout:<12}gap {gap(left, right)}")
    if shown:
        say("", *(f"    {line}" for line in array_block(left, mask, 90)))


def gap(left, right):
    """The largest difference, as a bound; a false statement ends the script."""
    apart = np.max(np.abs(left - right), initial=0.0)
    if left.shape != right.shape or not apart < 1e-12:
        raise ArithmeticError(f"the sides differ by {apart}, shapes {left.shape}, {right.shape}")
    return bound(apart)


def holds(claim, text):
    """`text`, if the claim is true."""
    if not claim:
        raise ArithmeticError(f"not true here: {text}")
    return text


def headed(run, of, wrt, layout):
    """A flat Jacobian under the names of its columns, beside the names of its rows."""
    whole = run.jacobian(of, wrt)
    rows, cols = run[wrt].shape
    heads = [f"W{j}{k}" for j in range(1, rows + 1) for k in range(1, cols + 1)]
    if layout == "flat_column":
        heads = [f"W{j}{k}" for k in range(1, cols + 1) for j in range(1, rows + 1)]
    cells = [["", *heads]]
    pairs = zip(whole.materialise(layout), whole.can_be_nonzero(layout), strict=True)
    for i, (row, mask) in enumerate(pairs, start=1):
        cells.append([f"{post(of)}_{i}1", *zero_or_number(row, mask, 6)])
    say("", *(f"    {'  '.join(row)}" for row in columns(cells)))


def post(text):
    """The post's spelling: dz2/dW2 is dz[2]/dW[2]."""
    return re.sub(r"(delta|[Wbza])(\d)", r"\1[\2]", to_ascii(text))


def tex(symbol, layer, value):
    """The post's type: bold for vectors and matrices, plain for scalars."""
    bold = {"delta": r"\boldsymbol{\delta}"}.get(symbol, rf"\mathbf{{{symbol}}}")
    plain = {"delta": r"\delta"}.get(symbol, symbol)
    return (bold if value.size > 1 else plain) + f"^{{[{layer}]}}"


def column(run, name):
    """A value as the post has it: a vector is a column, a matrix stays as it is."""
    value = np.atleast_1d(run[name])
    return value[:, None] if value.ndim == 1 else value


def jac(run, of, wrt, layout="flat"):
    return run.jacobian(of, wrt).materialise(layout)


def sigma(z):
    return 1 / (1 + np.exp(-z))


# ------------------------------------------------------------------ the sections of the post


def how_to_read():
    say(
        "",
        "The Math behind Neural Networks - Backpropagation, every step computed",
        "",
        "margin    M1 to M50 count the steps of the post; an erratum says what it should read",
        "a line    left = right, then shape, layout, and the gap between the two computed sides",
        "column    a value: m entries are (m, 1)",
        "flat      layout of a Jacobian: one row for each output, one column for each entry of the",
        "          variable, a matrix entry after entry, row by row: (outputs, inputs)",
        "gradient  layout of a gradient matrix: the shape of the parameter itself, (m, 1) for a",
        "          vector",
        "zeros     '.' is zero for every input; '0' is zero at this input only",
        "d         stands for the round d too, but in M19",
    )


def some_notation(net, run):
    title("Some notation")
    names = ["x", "a1", "a2", "a3"]
    say(
        "M1",
        f"a {len(LAYERS)}-layer network: {len(names)} columns of nodes, {len(LAYERS)} sets of "
        "edges between them; x is not counted",
    )
    words = ["input", *net.facts["activations"]]
    rows = [
        [f"  {post(n)}", size(column(run, n).shape), "column", w]
        for n, w in zip(names, words, strict=True)
    ]
    say("", *table(rows))
    say("", "  yhat = a[3] has one entry: a scalar")
    a1, a3 = column(run, "a1"), column(run, "a3")
    say(
        "M2",
        f"m entries: a column is (m, 1), its transpose a row (1, m): a[1] is {size(a1.shape)}, "
        f"a[1]^T is {size(a1.T.shape)}",
        f"  bold small vector {tex('a', 1, a1)}, bold capital matrix {tex('W', 2, run['W2'])},",
        f"  plain scalar {tex('a', 3, a3)}; "
        f"the third entry, row 3 and column 1: a[1]_31 = {number(a1[2, 0])}",
    )
    edges = [f" --W[{k}],b[{k}]--> " for k in LAYERS]
    say(
        "M3",
        "the architecture, as text; the edges are the parameters, and they carry no (i)",
        "  x^(i)" + "".join(f"{edge}a^(i)[{k}]" for k, edge in zip(LAYERS, edges, strict=True)),
        "  x" + "".join(f"{edge}a[{k}]" for k, edge in zip(LAYERS, edges, strict=True)),
    )
    say("M4", "W takes its rows from the layer it goes to, its columns from the layer it comes from")
    for k in LAYERS:
        W, b, z = run[f"W{k}"], column(run, f"b{k}"), column(run, f"z{k}")
        before = column(run, f"a{k - 1}" if k > 1 else "x")
        holds(W.shape == (len(z), len(before)) and b.shape == z.shape, "the rule")
        say("", f"  W[{k}] {size(W.shape)}   b[{k}] {size(b.shape)}   z[{k}] has {len(z)} entries")
    say("", f"  erratum: the post gives z[1] 3 entries, as x has; z[1] of this run has {len(a1)}:")
    say("", f"  z[1] = {vector(run['z1'])}^T, one for each row of W[1]")


def forward_propagation(net, run):
    say("M50", "part one of the post is forward propagation; all that follows is taken at this point")
    say("", f"  x = {vector(run['x'])}^T, y = {number(run['y'][0])}")
    functions = {"relu": lambda z: np.maximum(z, 0), "sigmoid": sigma}
    letter = {"relu": "g", "sigmoid": "sigma"}
    a, item = column(run, "x"), "M5"
    for k, name in zip(LAYERS, net.facts["activations"], strict=True):
        z = run[f"W{k}"] @ a + column(run, f"b{k}")
        a = functions[name](z)
        statement = f"z[{k}] = W[{k}] a[{k - 1}] + b[{k}]" + "  with a[0] = x" * (k == 1)
        equal(item, statement, column(run, f"z{k}").T, z.T, "column^T")
        equal("", f"a[{k}] = {letter[name]}(z[{k}])", column(run, f"a{k}").T, a.T, "column^T")
        item = ""
    off = [f"a[1]_{i}1" for i in np.flatnonzero(run["a1"] == 0) + 1]
    say("", f"  g is ReLU, it has switched off {', '.join(off)}; a[3] = yhat")
    stacked = np.array(EXAMPLES).T
    say(
        "M6",
        f"m = {stacked.shape[1]} examples side by side, each a column: X is {size(stacked.shape)}; "
        f"the package stacks rows, X^T {size(stacked.T.shape)}",
    )
    yhat = run["a3"][0]
    word = ["happy", "sad"][int(yhat > 0.5)]
    say(
        "M7",
        f"happy = 0, sad = 1: yhat = P(y = 1 | x) = P(sad) = {number(yhat)}, "
        f"P(happy) = {number(1 - yhat)}: says {word}",
    )


def bends(net, name, index, grid):
    """L(w - h) - 2 L(w) + L(w + h) over a grid of one weight: never negative if L is convex."""
    losses = []
    for w in grid:
        moved = net.params[name].copy()
        moved[index] = w
        losses.append(net.with_params({name: moved}).run(X, Y).loss)
    return np.diff(losses, 2)


def understanding_the_loss(net, run):
    title("Understanding the loss function")
    shape, kinds = net.facts["sizes"], net.facts["activations"]
    squared = Network.dense(shape, kinds, "half_squared_error", params=PARAMS)
    grid = np.arange(-6.0, 7.0)
    say("M8", "first candidate: L = 1/2 (yhat - y)^2. Moved: the one weight w = W[3]_11, the rest held,")
    say("", "  L(w - 1) - 2 L(w) + L(w + 1) is nowhere negative if L is convex in w")
    bend = {"1/2 (yhat - y)^2": bends(squared, "W3", (0, 0), grid)}
    bend["cross-entropy"] = bends(net, "W3", (0, 0), grid)
    rows = [["  w", *(number(w) for w in grid[1:-1:2]), "smallest"]]
    for name, found in bend.items():
        rows.append([f"  {name}", *(number(b, 3) for b in found[::2]), number(found.min(), 3)])
    say("", *("  ".join([row[0].ljust(20), *row[1:]]) for row in columns_after_first(rows)))
    holds(bend["1/2 (yhat - y)^2"].min() < 0 < bend["cross-entropy"].min(), "the claim")
    w, h = run["W3"][0, 0], 1e-3
    curved = bends(net, "W3", (0, 0), [w - h, w, w + h])[0] / h**2
    exact = run["a2"][0] ** 2 * run["a3"][0] * (1 - run["a3"][0])
    say(
        "",
        "  the square through the sigmoid is not convex; cross-entropy is, with curvature",
        f"  (a[2]_11)^2 yhat (1 - yhat) = {number(exact)} here, never negative; "
        f"by differences: {bound(abs(curved - exact))} apart",
    )
    below = bends(net, "W1", (0, 1), grid).min()
    holds(below < 0, "a hidden weight")
    say("", f"  that is for layer 3 alone: in W[1]_12 cross-entropy bends down too, {number(below, 3)}")
    y, yhat = run["y"][0], run["a3"][0]
    loss = -(y * np.log(yhat) + (1 - y) * np.log(1 - yhat))
    say("M9", f"used: L = -[y log yhat + (1 - y) log(1 - yhat)] = {number(loss)}; the run's J differs")
    say("", f"  by {gap(loss, run['J'])}; log 2 = {number(np.log(2))}, not {number(np.log10(2))}")
    tries = np.array([0.01, 0.1, 0.3, 0.5, 0.7, 0.9, 0.99])
    costs = [BinaryCrossEntropy().forward(tries[:, None], np.full((7, 1), y)) for y in (0.0, 1.0)]
    gap(costs[1], -np.log(tries)), gap(costs[0], -np.log(1 - tries))
    rows = [["  yhat", *map(number, tries)], ["  y = 1: L = -log yhat", *map(number, costs[1])]]
    rows.append(["  y = 0: L = -log(1 - yhat)", *map(number, costs[0])])
    say("M10", "what L asks for")
    say("", *("  ".join([row[0].ljust(27), *row[1:]]) for row in columns_after_first(rows)))
    say("", holds((np.diff(costs[1]) < 0).all(), "  y = 1: L falls as yhat rises, towards 1"))
    say("", holds((np.diff(costs[0]) > 0).all(), "  y = 0: L falls as yhat falls, towards 0"))
    say("M11", "Bernoulli: p^k (1 - p)^(1 - k) with p = yhat and k = y is yhat^y (1 - yhat)^(1 - y)")
    for y, cost in ((1.0, costs[1]), (0.0, costs[0])):
        mass = tries**y * (1 - tries) ** (1 - y)
        holds(mass.argmax() == cost.argmin(), "the same best yhat")
        say(
            "",
            f"  y = {number(y)}: its log is -L, gap {gap(np.log(mass), -cost)}; "
            f"most probable and least L at the same yhat = {number(tries[mass.argmax()])}",
        )
    say("", "  of those in the table, since log is increasing")
    cost_of_examples(net)


def columns_after_first(rows):
    """The cells behind the first of each row, aligned on the right."""
    cells = columns([row[1:] for row in rows])
    return [[row[0], *rest] for row, rest in zip(rows, cells, strict=True)]


def cost_of_examples(net):
    batch = net.run(EXAMPLES, LABELS)
    m, part = len(LABELS), 2
    say("M12", f"L of the {m} examples: {vector(batch['L'])}")
    kinds = {"stochastic": 1, "mini-batch": part, "batch": m}
    for name, count in kinds.items():
        J = net.run(EXAMPLES[:count], LABELS[:count]).loss
        text = f"  {name:<11} J = 1/{count} sum L = {number(J)}"
        say("", f"{text:<40}the first {count} of {m}, gap {gap(J, batch['L'][:count].mean())}")
    say("", "  from here on the first example alone: J = L")
