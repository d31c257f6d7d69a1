"""The second seed, "The Math behind Neural Networks - Backpropagation", every step computed.

    python derivations/second_seed.py

The post derives the six gradient matrices of a 3-4-2-1 classifier by hand and
leaves out the numbers. Here they are, section by section, in its own notation:
columns, indices from 1, a[0] = x; W[2] of the post is "W2" in the package. A
statement that does not hold ends the script.
"""

import re

import numpy as np

from jacobian_bp import BinaryCrossEntropy, Einsum, Network, ReLU
from jacobian_bp.ledger import DeltaStep
from jacobian_bp.reference import PARAMS, X, Y, second_seed
from jacobian_bp.symbols import bound, number, to_ascii, vector
from jacobian_bp.symbols import shape as size
from jacobian_bp.text import array_block, columns, table, zero_or_number

NET = second_seed()
RUN = NET.run(X, Y)
GRADIENTS = RUN.gradients()  # by the fast route, which builds no Jacobian
PROBABILITIES = np.array([[0.01], [0.1], [0.3], [0.5], [0.7], [0.9], [0.99]])
EXAMPLES = [X, [0.5, 1.0, -1.0], [-1.0, 0.5, 2.0], [2.0, 0.3, -0.7], [-0.4, -1.2, 0.9]]  # made up
LABELS = [*Y, 0.0, 1.0, 0.0, 0.0]
LAYERS = (1, 2, 3)
FUNCTIONS = {"relu": lambda z: np.maximum(z, 0), "sigmoid": lambda z: 1 / (1 + np.exp(-z))}


def column(name):
    """A value as the post has it: a vector is a column, a matrix stays as it is."""
    return RUN[name] if RUN[name].ndim == 2 else RUN[name].reshape(-1, 1)


x, z1, a1, z2, a2, z3, a3, y = map(column, ("x", "z1", "a1", "z2", "a2", "z3", "a3", "y"))
W1, b1, W2, b2, W3, b3 = map(column, NET.params)


def jac(of, wrt, layout="flat"):
    return RUN.jacobian(of, wrt).materialise(layout)


def require(claim):
    if not claim:
        raise ArithmeticError("this statement does not hold")


def gap(left, right):
    """How far two arrays are apart, as a bound that is the same on every machine."""
    apart = np.max(np.abs(left - right))
    require(left.shape == right.shape and apart < 1e-12)
    return f"gap {bound(apart)}"


def say(item, *lines):
    for line in lines:
        print(f"{item:<5}{line}".rstrip())
        item = ""


def equal(item, statement, left, right, layout, mask=None, shown=True):
    """left = right: shape, layout, the gap between the two computed sides, the numbers."""
    say(item, f"{statement:<48}{size(left.shape):<9}{layout:<13}{gap(left, right)}")
    if shown:
        say("", *(f"    {line}" for line in array_block(left, mask, 90)))


def with_headings(of, wrt, layout):
    """A flattened Jacobian beside the names of its rows, under the names of its columns."""
    whole, (rows, cols) = RUN.jacobian(of, wrt), RUN[wrt].shape
    heads = [f"W{j}{k}" for j in range(1, rows + 1) for k in range(1, cols + 1)]
    cells = [["", *(heads if layout == "flat" else sorted(heads, key=lambda head: head[::-1]))]]
    pairs = zip(whole.materialise(layout), whole.can_be_nonzero(layout), strict=True)
    cells += [[f"{post(of)}_{i}1", *zero_or_number(*pair, 6)] for i, pair in enumerate(pairs, 1)]
    say("", *(f"    {'  '.join(row)}" for row in columns(cells)))


def post(text):
    """The post's spelling: dz2/dW2 is dz[2]/dW[2]."""
    return re.sub(r"(delta|[Wbza])(\d)", r"\1[\2]", to_ascii(text))


def tex(symbol, layer, value):
    """The post's type: bold for vectors and matrices, plain for scalars."""
    bold = {"delta": r"\boldsymbol{\delta}"}.get(symbol, rf"\textbf{{{symbol}}}")
    return (bold if value.size > 1 else symbol.replace("delta", r"\delta")) + f"^{{[{layer}]}}"


def count(layer):
    """M17: the parameters that have their derivative once this layer is done."""
    own = {k: [NET.params[f"{kind}{k}"].size for kind in "Wb"] for k in LAYERS}
    done, total = sum(sum(own[k]) for k in LAYERS if k >= layer), NET.parameter_count
    say("M17", f"{done}/{total} done: layer {layer} gave {own[layer][0]} + {own[layer][1]}; "
        f"{total - done} to go")  # fmt: skip


def how_to_read():
    say("", "The Math behind Neural Networks - Backpropagation, every step computed", "")
    say("", "margin    M1 to M50 number the post's steps; 'erratum': the post says otherwise")
    say("", "gap       how far the two sides of a line left = right are apart, both computed")
    say("", "column    m entries as (m, 1); a row is its transpose, (1, m)")
    say("", "flat      layout of a Jacobian: outputs x flattened inputs, matrices row by row")
    say("", "gradient  layout of a gradient: the parameter's own shape, vectors as columns")
    say("", "zeros     '.' is zero for every input, '0' is zero for this input")


def some_notation():
    say("", "", "SOME NOTATION", "")
    kinds = NET.facts["activations"]
    say("M1", f"a {len(kinds)}-layer network, the input not counted; columns of nodes:")
    say("", f"    x {size(x.shape)}, a[1] {size(a1.shape)} {kinds[0]}, a[2] {size(a2.shape)} {kinds[1]}, "
        f"a[3] = yhat {size(a3.shape)} {kinds[2]}, a scalar")  # fmt: skip
    say("M2", f"m entries are a column (m, 1) or a row (1, m): a[1] {size(a1.shape)}, "
        f"a[1]^T {size(a1.T.shape)}; in LaTeX")  # fmt: skip
    say("", f"    vector {tex('a', 1, a1)}, matrix {tex('W', 2, W2)}, scalar {tex('a', 3, a3)}")
    say("", f"    the third entry of a[1], row 3 and column 1, is a[1]_31 = {number(a1[2, 0])}")
    say("M3", "the architecture as text, with the example index (i) and without it")
    say("", "    x^(i) --W[1],b[1]--> a^(i)[1] --W[2],b[2]--> a^(i)[2] --W[3],b[3]--> a^(i)[3]")
    say("", "    x     --W[1],b[1]--> a[1]     --W[2],b[2]--> a[2]     --W[3],b[3]--> a[3]")
    say("M4", "W takes rows from the layer it goes to, columns from the layer it comes from")
    for k, (W, b, z, a) in enumerate(((W1, b1, z1, x), (W2, b2, z2, a1), (W3, b3, z3, a2)), 1):
        require(W.shape == (z.size, a.size) and b.shape == z.shape)
        say("", f"    W[{k}] {size(W.shape)}  b[{k}] {size(b.shape)}  z[{k}] {size(z.shape)}")
    say("", f"erratum: z[1] has {z1.size} entries, as W[1] has rows; the post says 3, as x has")


def forward_propagation():
    say("", "", "FORWARD PROPAGATION", "")
    say("M50", "part one of the post; everything below is taken at this one point:")
    say("", f"    x = {vector(x[:, 0])}^T, y = {number(y[0, 0])}, and six parameters:")
