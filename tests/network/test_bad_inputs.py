"""Bad inputs, kind by kind: the whole message, or the documented result.

The messages stand in bad_inputs.txt: shapes first, then containers and dtypes, values, sizes and
names. Kinds that need more than a message have tests of their own in the other files.
"""

import re
from fractions import Fraction

import numpy as np
import pytest
from network_cases import gradients_of, network, refusal, same_bits
from project import BAD_INPUTS
from rich.cells import cell_len

from jacobian_bp import MemoryLimitError, Network, memory_limit
from jacobian_bp.errors import JacobianError

RNG = np.random.default_rng(71)
NET = network("tanh", "bce")  # 5 → 3 tanh → 2 sigmoid
X, Y = RNG.standard_normal(5), np.array([1.0, 0.0])
MANY, MANY_Y = RNG.standard_normal((7, 5)), RNG.choice([0.0, 1.0], (7, 2))
CLASSES = network("tanh", "cross_entropy", [5, 3, 11])
BLOCKS = BAD_INPUTS.read_text("utf-8")
MESSAGES = dict(re.findall(r"^\[(.*)\]\n((?:.+\n)+)", BLOCKS, re.M))


class Tensor:
    """What a torch tensor looks like from outside."""

    requires_grad = True


class Csr:
    """What a sparse matrix looks like from outside."""

    def tocoo(self):
        return self


def run(x=X, y=Y, net=NET):
    return lambda: net.run(x, y)


def dense(**params):
    return lambda: Network.dense(
        [5, 3, 2], ["tanh", "sigmoid"], "bce", params={**NET.params, **params}
    )


def program(*lines, data=None, **params):
    return lambda: Network.program(*lines, params=params).run(**(data or {"x": X}))


def linear(*shapes):
    """Two layers with parameters of these shapes."""
    lines = ["z1 = Linear(x, W1, b1)", "z2 = Linear(z1, W2, b2)"]
    return program(*lines, **dict(zip(["W1", "b1", "W2", "b2"], map(np.ones, shapes), strict=True)))


CALLS = {
    "transposed W": dense(W1=np.ones((5, 3))),
    "width of the next layer": linear((3, 5), 3, (2, 7), 2),
    "transposed next layer": linear((3, 5), 3, (3, 2), 2),
    "column for a vector": run(X[:, None]),
    "column of labels": run(y=Y[:, None]),
    "contracted axis of size 1": program(
        "z = Einsum('ki,ij->kj', u, v)", data={"u": np.ones((3, 1)), "v": np.ones((5, 4))}
    ),
    "bias of one": dense(b1=np.ones(1)),
    "bias as a column": dense(b1=np.ones((3, 1))),
    "bias of one, in a program": linear((3, 5), 1, (2, 3), 2),
    "labels of one example": run(MANY, Y),
    "class labels of three": run(MANY, [0, 1, 2], CLASSES),
    "batch of 0": run(np.ones((0, 5)), np.ones((0, 2))),
    "layer of 0": lambda: network(sizes=[5, 0, 2]),
    "a number": run(3.0),
    "an axis too many": run(np.ones((7, 5, 3))),
    "ragged": run([[1, 2, 3], [4, 5, 6], [7, 8]]),
    "ragged parameter": lambda: NET.with_params({"W1": [[1] * 5, [2] * 5, [3] * 4]}),
    "no labels": lambda: NET.run(X).gradients(),
    "no reduction": lambda: program(
        "L = SquaredError(x, w)", data={"x": MANY}, w=MANY
    )().gradients(),
    "whole-number weights": lambda: Network.dense([5, 3], dtype=int),
    "fractions": run([Fraction(1, 3)] * 5),
    "complex": run(X + 1j),
    "text": run(["1"] * 5),
    "dates": run(np.array(["2024-02-29"] * 5, "M8[D]")),
    "records": run(np.zeros(5, [("a", float)])),
    "masked": run(np.ma.array(X, mask=[1, 0, 0, 1, 0])),
    "tensor": run(Tensor()),
    "sparse": run(Csr()),
    "NaN in the data": run([1, 2, np.nan, 4, 5]),
    "inf in a weight": dense(W2=[[1, np.inf, 2], [3, 4, -np.inf]]),
    "probability 0 for label 1": program(
        "L = BinaryCrossEntropy(x, y)", data={"x": [0.5, 0.0], "y": [1, 1]}
    ),
    "label 1.7": run(y=[0, 1.7]),
    "labels -1 and 1": run(y=[1, -1]),
    "class -1": run(y=-1, net=CLASSES),
    "class 11 of 11": run(MANY, [0, 1, 2, 11, 4, 5, 6], CLASSES),
    "class 1.0": run(y=1.0, net=CLASSES),
    "soft label": run(y=np.full(11, 0.1), net=CLASSES),
    "weights of 1e300": program(
        "z1 = Linear(x, W1, b1)",
        data={"x": np.full(5, 1e10)},
        W1=np.full((3, 5), 1e300),
        b1=np.ones(3),
    ),
    "names of parameters": lambda: Network.dense([5, 3], params={"W1": X, "b_1": X, "\x1b": X}),
    "a name without letters": lambda: Network.dense([5, 3], params={"W1": X, "b1": X, "": X}),
    "width True": lambda: Network.dense([5, True]),
    "seed -1": lambda: Network.dense([5, 3], seed=-1),
    "seed a": lambda: Network.dense([5, 3], seed="a"),
    "format string": lambda: NET.run(**{"{0.__class__}%s": X}),
    "control characters": lambda: NET.run(X)["\x1b[31m\u202e\ud800\n"],
}


@pytest.mark.parametrize("row", MESSAGES)
def test_the_message_is_the_committed_one(row):
    with pytest.raises(JacobianError) as caught:
        CALLS[row]()
    assert f"{caught.type.__name__}: {caught.value}\n" == MESSAGES[row]


def test_every_call_has_a_message():
    assert list(CALLS) == list(MESSAGES)


FLOATS = np.array([1.0, 0.0, 1.0, 1.0, 0.0])
SAME = {
    "int8": FLOATS.astype(np.int8),
    "bool": FLOATS.astype(bool),
    "longdouble": FLOATS.astype(np.longdouble),
    "big endian": FLOATS.astype(">f8"),
    "a list": [1.0, 0, True, np.float64(1), 0.0],
    "every other entry": np.repeat(FLOATS, 2)[::2],
    "from the end": FLOATS[::-1].copy()[::-1],
    "minus zero": np.where(FLOATS == 0, -0.0, FLOATS),
}


@pytest.mark.parametrize("x", SAME.values(), ids=SAME)
def test_what_is_as_good_as_plain_floats(x):
    same_bits(gradients_of(NET, x, Y), gradients_of(NET, FLOATS, Y))


READ_ONLY = X[None].view()
READ_ONLY.flags.writeable = False
ROWS = {
    "an array": X[None],
    "a matrix": X[None].view(np.matrix),
    "stride 0": np.broadcast_to(X, (1, 5)).view(),
    "read-only": READ_ONLY,
}


@pytest.mark.parametrize("x", ROWS.values(), ids=ROWS)
def test_a_row_of_two_axes_is_a_batch_of_one(x):
    same_bits(gradients_of(NET, x, Y[None]), gradients_of(NET, X, Y))


@pytest.mark.parametrize("route", ["vjp", "full", "structured", "difference"])
def test_stride_0_views_are_as_good_as_copies(route):
    """A finite difference must not move seven examples at once."""
    view, copy = np.broadcast_to(X, (7, 5)), np.tile(X, (7, 1))
    same_bits(NET.run(view, MANY_Y).gradients(route), NET.run(copy, MANY_Y).gradients(route))


@pytest.mark.parametrize("scale", [1e3, 1e-310])
def test_large_and_subnormal_inputs_are_computed_with(scale):
    """There is no warning, and every route agrees."""
    for activation in ("sigmoid", "softplus", "softmax"):
        assert network(activation, "cross_entropy").run(MANY * scale, [0, 1] * 3 + [1]).check().ok


def test_bytes_are_predicted_and_refused():
    J = Network.dense([1024, 1024], "tanh", seed=0).run(np.ones(1024)).jacobian("z1", "W1")
    with memory_limit("1GiB"):
        assert refusal(MemoryLimitError, J.materialise) == (
            "∂z1/∂W1 has shape (1024, 1024, 1024): 1,073,741,824 entries, 8.0 GiB; the limit is "
            "1.0 GiB.\n  Only 1 entry in 1024 can be non-zero (δ[k,k']). "
            'Use J.pull(v), or run.gradients(route="vjp"); '
            "for its entries J.blocks(max_bytes=…), or J.to_zarr(path)."
        )


def test_wide_names_keep_the_columns_aligned():
    """A character that takes two columns counts as two."""
    lines = ["z = Linear(x, 重み, b)", "L = SquaredError(z, y)"]
    net = Network.program(*lines, params={"重み": RNG.standard_normal((3, 5)), "b": [1.0, 2, 3]})
    text = net.run(X, [0.5, 1, 2]).derivation().text().splitlines()
    head = next(line for line in text if line.startswith("step"))
    numbered = [line for line in text if line.startswith("[")]
    assert len(numbered) == 3
    for line in numbered:  # the last "  (" of a row begins its shape; a tensor's stands before
        assert cell_len(line[: line.rindex("  (")]) + 2 == head.index("flat")
    assert "  δ[k,k'] x[i']  (3, 3, 5)  (3, 15)  " in numbered[1]


def test_a_huge_array_is_summarised_with_its_shape():
    text = network("relu", sizes=[101, 53, 2]).run(np.linspace(-1, 1, 101), Y).derivation().text()
    lines = text.splitlines()
    assert len(lines) < 100
    row = "[7]   ∂z1/∂W1   δ[k,k'] x[i']  (53, 53, 101)  (53, 5353)  5,353 of 283,709"
    assert lines[lines.index(row) + 2] == "        [283,709 entries, 2.2 MiB: not built here]"
