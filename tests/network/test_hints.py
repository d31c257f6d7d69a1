"""Each hint is followed, and then it works: what is wrong, what is advised, the advice done.

The hint is the last line of the message. What is done after it is what it says, no more.
"""

import numpy as np
import pytest

from jacobian_bp import CrossEntropyFromLogits, Linear, Network, check_op, memory_limit
from jacobian_bp.errors import JacobianError

RNG = np.random.default_rng(59)
W, B, X = RNG.standard_normal((2, 3)), RNG.standard_normal(2), RNG.standard_normal((7, 3))
Y, ONE = RNG.standard_normal((7, 2)), RNG.standard_normal(3)
TOKENS = RNG.standard_normal((7, 5, 2))
NET = Network.dense([3, 2], "tanh", params={"W1": W, "b1": B})
TWO = Network.dense([3, 2], "sigmoid", "bce", params={"W1": W, "b1": B})
CLASSES = Network.dense([3, 5], "softmax", "cross_entropy", seed=3)
SQUARE = W[:, :2].copy()
TIED = Network.dense([2, 2, 2], params={"W1": SQUARE, "b1": B, "W2": SQUARE, "b2": 2 * B})
NAME = "or ask for run.vjp({!r}, name, v) with a cotangent v."


def program(*lines, **params):
    return Network.program(*lines, params=params)


def dense(**params):
    return Network.dense([3, 2], "tanh", params={"W1": W, "b1": B} | params)


def loss(net, *data, **more):
    return net.run(*data, **more).loss


def limited(limit):
    with memory_limit(limit):
        return loss(NET, ONE, B)


def sequences(*lines, loss="L = SquaredError(a, y)"):
    """A run on 7 sequences of 5 vectors, with these lines behind the loss."""
    net = program("a = Linear(x, W, b)", loss, *lines, W=W, b=B)
    x = np.stack([X[:5] + shift for shift in range(7)])
    y = {"y": x[..., :2]} if "y)" in loss else {}
    return net.run(x, **y, axes={"x": "n,t"})


SQUARES = "L = Multiply(x, w)"
IN_BATCH = program("L = Multiply(x, x)", "s = Einsum(L, 'i->')", "J = Mean(s)")

SHAPES = {
    "rows of a sequence": (
        lambda: NET.run(RNG.random((7, 5, 3))),
        "Make each of its rows an example: x.reshape(-1, 3); "
        'or name the axes in front: net.run(…, axes={"x": "n,t"}).',
        lambda: NET(RNG.random((7, 5, 3)).reshape(-1, 3)),
    ),
    "rows of a sequence, by name": (
        lambda: NET.run(RNG.random((7, 5, 3))),
        "Make each of its rows an example: x.reshape(-1, 3); "
        'or name the axes in front: net.run(…, axes={"x": "n,t"}).',
        lambda: NET.run(RNG.random((7, 5, 3)), axes={"x": "n,t"}),
    ),
    "images": (
        lambda: Network.dense([15, 2], seed=0).run(RNG.random((7, 5, 3))),
        "Flatten each example: x.reshape(7, -1).",
        lambda: Network.dense([15, 2], seed=0)(RNG.random((7, 5, 3)).reshape(7, -1)),
    ),
    "neither": (
        lambda: NET.run(RNG.random((7, 5, 2))),
        "One example has i = 3 numbers: a row of x has 2, an example flattened 10.",
        lambda: NET(RNG.random((7, 5, 3))[:, 0]),
    ),
    "an axis of size 1": (
        lambda: NET.run(RNG.random((7, 1, 3))),
        "Pass x.reshape(7, 3), which has no axis of size 1.",
        lambda: NET(RNG.random((7, 1, 3)).reshape(7, 3)),
    ),
    "axes of size 1 behind": (
        lambda: NET.run(RNG.random((7, 3, 1, 1))),
        "Pass x.reshape(7, 3), which has no axis of size 1.",
        lambda: NET(RNG.random((7, 3, 1, 1)).reshape(7, 3)),
    ),
    "one number in three axes": (
        lambda: program("z = Linear(x, W, b)", W=W[:, :1], b=B).run(np.ones((1, 1, 1))),
        "Make each of its rows an example: x.reshape(-1, 1).",
        lambda: program("z = Linear(x, W, b)", W=W[:, :1], b=B)(np.ones((1, 1, 1)).reshape(-1, 1)),
    ),
    "matrices into a softmax": (
        lambda: program("p = Softmax(z)").run(z=RNG.random((2, 5, 5))),
        "Make each of its rows an example: z.reshape(-1, 5); "
        'or name the axes in front: net.run(…, axes={"z": "n,t"}).',
        lambda: program("p = Softmax(z)").run(z=RNG.random((2, 5, 5)).reshape(-1, 5)),
    ),
    "a bias as a matrix": (
        lambda: program("z = Linear(x, W, b)", W=W, b=B[:, None]).run(ONE),
        "Pass b.reshape(2,), which has no axis of size 1.",
        lambda: program(
            "z = Linear(x, W, b)",
            W=W,
            b=B[:, None].reshape(
                2,
            ),
        )(ONE),
    ),
    "a transposed weight": (
        lambda: dense(W1=W.T),
        "W1 looks transposed: pass W1.T, shape (2, 3).",
        lambda: dense(W1=W.T.T),
    ),
    "a weight of another shape": (
        lambda: dense(W1=W[:, :2]),
        "Pass W1 with shape (2, 3); nothing is broadcast.",
        lambda: dense(W1=RNG.random((2, 3))),
    ),
    "a column for a vector": (
        lambda: NET.run(ONE[:, None]),
        "x looks like a column: pass x[:, 0], shape (3,).",
        lambda: NET(ONE[:, None][:, 0]),
    ),
    "a transposed batch": (
        lambda: NET.run(X.T),
        "Give x and W1 the same size along it; nothing is broadcast.",
        lambda: NET(X),
    ),
    "a transposed batch that is computed": (
        lambda: program("u = ReLU(x)", "z = Linear(u, W, b)", W=W, b=B).run(X.T),
        "Give u and W the same size along it; nothing is broadcast.",
        lambda: program("u = ReLU(x)", "z = Linear(u, W, b)", W=W, b=B)(X),
    ),
    "no batch for a cotangent": (
        lambda: NET.run(ONE).vjp("z1", "W1", 1.0),
        "Pass an array of the shape of z1.",
        lambda: NET.run(ONE).vjp("z1", "W1", np.ones(2)),
    ),
    "a compiled step for one example": (
        lambda: NET.compile()(NET.params, X, Y),
        "Write net.compile(batch=7).",
        lambda: NET.compile(batch=7)(NET.params, X, Y),
    ),
    "a compiled step for a batch": (
        lambda: NET.compile(batch=7)(NET.params, ONE, B),
        "Write net.compile().",
        lambda: NET.compile()(NET.params, ONE, B),
    ),
}

SCALARS = {
    "a mean of vectors": (
        lambda: program("L = Multiply(x, x)", "J = Mean(L)").run(X).loss,
        "It keeps k. Reduce these too: J = Mean(L, over='n,k'); " + NAME.format("J"),
        lambda: program("L = Multiply(x, x)", "J = Mean(L, over='n,k')").run(X).loss,
    ),
    "a mean of vectors, by a cotangent": (
        lambda: program("L = Multiply(x, x)", "J = Mean(L)").run(X).check(),
        "It keeps k. Reduce these too: J = Mean(L, over='n,k'); " + NAME.format("J"),
        lambda: program("L = Multiply(x, x)", "J = Mean(L)").run(X).vjp("J", "x", ONE),
    ),
    "a sum over tokens": (
        lambda: sequences("J = Sum(L, over='t')").loss,
        "It keeps n. Reduce these too: J = Sum(L, over='n,t'); " + NAME.format("J"),
        lambda: sequences("J = Sum(L, over='n,t')").loss,
    ),
    "a mean over the sequences, of a network whose lines are not there to change": (
        lambda: NET.run(RNG.random((7, 5, 3)), TOKENS, axes={"x": "n,t"}).loss,
        "It keeps t. Reduce these too: J = Mean(L, over='n,t'); or, if each row is an example, "
        "pass x.reshape(-1, 3) without axes; " + NAME.format("J"),
        lambda: NET.run(RNG.random((7, 5, 3)).reshape(-1, 3), TOKENS.reshape(-1, 2)).loss,
    ),
    "losses of tokens": (
        lambda: sequences().gradients(),
        "End the program with a reduction over the axes n,t: J = Mean(L, over='n,t'); "
        + NAME.format("L"),
        lambda: sequences("J = Mean(L, over='n,t')").gradients(),
    ),
    "vectors of tokens": (
        lambda: sequences(loss="L = Multiply(a, a)").gradients(),
        "Add up each example, s = Einsum(L, 'i->'), and end with J = Mean(s, over='n,t'); "
        + NAME.format("L"),
        lambda: sequences(
            "s = Einsum(L, 'i->')", "J = Mean(s, over='n,t')", loss="L = Multiply(a, a)"
        ).gradients(),
    ),
    "a vector": (
        lambda: program(SQUARES, w=ONE).run(ONE).gradients(),
        "End the program with a loss, or add up the entries: J = Einsum(L, 'i->'); "
        + NAME.format("L"),
        lambda: program(SQUARES, "J = Einsum(L, 'i->')", w=ONE).run(ONE).gradients(),
    ),
    "a batch of vectors": (
        lambda: program("L = Multiply(x, x)").run(X).gradients(),
        "Add up each example, s = Einsum(L, 'i->'), and end with J = Mean(s); " + NAME.format("L"),
        lambda: IN_BATCH.run(X).gradients(),
    ),
    "a batch of losses": (
        lambda: program("L = SquaredError(x, y)").run(X, X[::-1]).loss,
        "End the program with a reduction over the examples: J = Mean(L); " + NAME.format("L"),
        lambda: program("L = SquaredError(x, y)", "J = Mean(L)").run(X, X[::-1]).loss,
    ),
    "labels that were not given": (
        lambda: NET.run(X).gradients(),
        "End the program with a loss: y was not given; " + NAME.format("a1"),
        lambda: NET.run(X, Y).gradients(),
    ),
}

LABELS = {
    "signs": (
        lambda: TWO.run(ONE, np.array([1, -1])),
        "Pass (y + 1) / 2.",
        lambda: loss(TWO, ONE, (np.array([1, -1]) + 1) / 2),
    ),
    "beyond 1": (
        lambda: TWO.run(ONE, [0, 1.7]),
        'Use 0 and 1 for the two classes, or loss="squared_error" for a regression.',
        lambda: loss(Network.dense([3, 2], "sigmoid", "squared_error", seed=1), ONE, [0, 1.7]),
    ),
    "one for many": (
        lambda: TWO.run(X, [0, 1]),
        "Pass one label for each output; nothing is broadcast.",
        lambda: loss(TWO, X, np.tile([0, 1], (7, 1))),
    ),
    "a class as a float": (
        lambda: CLASSES.run(ONE, np.array(4.0)),
        "Pass y.astype(int), or a row of 5 class weights.",
        lambda: loss(CLASSES, ONE, np.array(4.0).astype(int)),
    ),
    "half a class": (
        lambda: CLASSES.run(X, np.linspace(0, 3, 7)),
        "Pass whole numbers, or a row of 5 class weights.",
        lambda: loss(CLASSES, X, np.full((7, 5), 0.2)),
    ),
    "a class too many": (
        lambda: CLASSES.run(ONE, 5),
        "Count classes from 0, or give the network more outputs.",
        lambda: loss(CLASSES, ONE, 5 - 1),
    ),
    "weights that do not sum to 1": (
        lambda: CLASSES.run(ONE, np.full(5, 0.1)),
        "Divide it by its sum; p − y is the derivative only then.",
        lambda: loss(CLASSES, ONE, np.full(5, 0.1) / np.full(5, 0.1).sum()),
    ),
    "no probabilities": (
        lambda: program("L = BinaryCrossEntropy(x, y)").run([3.0, 0.5], [1, 0]),
        'Put a sigmoid in front: activations "sigmoid".',
        lambda: program("p = Sigmoid(x)", "L = BinaryCrossEntropy(p, y)").run([3.0, 0.5], [1, 0]),
    ),
    "a last activation": (
        lambda: Network.dense([3, 2], "tanh", "bce"),
        "Make the last activation 'sigmoid' or 'softmax'; the two are differentiated as one.",
        lambda: Network.dense([3, 2], "sigmoid", "bce"),
    ),
    "all masked": (
        lambda: check_op(CrossEntropyFromLogits, {"z": [-np.inf] * 3, "y": 0}),
        "Drop or fill such entries before the network sees them.",
        lambda: check_op(CrossEntropyFromLogits, {"z": [0.0] * 3, "y": 0}),
    ),
}

NAMES = {
    "sizes": (
        lambda: Network.dense([3]),
        "Write it such as [3, 4, 2, 1].",
        lambda: Network.dense([3, 4, 2, 1]),
    ),
    "an activation": (
        lambda: Network.dense([3, 2], "rellu"),
        "Write one of identity, sigmoid, tanh, relu, leaky_relu, softplus, elu, silu, gelu, "
        "softmax.",
        lambda: Network.dense([3, 2], "relu"),
    ),
    "activations, one too many": (
        lambda: Network.dense([3, 2], ["relu", "relu"]),
        "Write one name for all layers, or one a layer; the input is not a layer.",
        lambda: Network.dense([3, 2], ["relu"]),
    ),
    "a dtype": (
        lambda: Network.dense([3, 2], dtype=int),
        "Write dtype=np.float64 or np.float32.",
        lambda: Network.dense([3, 2], dtype=np.float32),
    ),
    "an input by another name": (
        lambda: program("z = ReLU(u)").run(x=ONE),
        "Its inputs are u; give u=… by name.",
        lambda: program("z = ReLU(u)").run(u=ONE),
    ),
    "a variable": (
        lambda: NET.run(ONE).jacobian("z1", 3),
        'Write a name such as "W1", or several: run.params.',
        lambda: NET.run(ONE).jacobian("z1", NET.run(ONE).params),
    ),
    "a local Jacobian of no neighbours": (
        lambda: NET.run(ONE).local_jacobian("a1", "W1"),
        "a1 reads z1. For a composed one write run.jacobian('a1', 'W1').",
        lambda: NET.run(ONE).jacobian("a1", "W1"),
    ),
    "labels": (
        lambda: CLASSES.run(ONE, 2).jacobian("J", "y"),
        "Differentiate by one of x, W1, b1, z1, a1, J.",
        lambda: [CLASSES.run(ONE, 2).jacobian("J", n) for n in ["x", "W1", "b1", "z1", "a1", "J"]],
    ),
    "an equation": (
        lambda: program("z = Einsum(x, W, 'ki')", W=W),
        "Write it such as Einsum('ki,i->k').",
        lambda: program("z = Einsum(W, x, 'ki,i->k')", W=W)(ONE),
    ),
    "memory": (
        lambda: limited("lots"),
        "Write a whole number such as 8000000000, or one with a unit such as '8GiB'.",
        lambda: [limited(8000000000), limited("8GiB")],
    ),
    "an op's inputs": (
        lambda: check_op(Linear, {"a": ONE, "b": B}),
        "Give one array for each input of the signature.",
        lambda: check_op(Linear, {"a": ONE, "W": W, "b": B}),
    ),
    "two arrays for one": (
        lambda: TIED.with_params({"W1": W[:, :2], "W2": W[:, 1:]}),
        "Give one of them.",
        lambda: TIED.with_params({"W2": W[:, 1:]}),
    ),
    "parameters of another name": (
        lambda: Network.dense([3, 2], params={"W": W, "b1": B}),
        "The layers have W1, b1.",
        lambda: Network.dense([3, 2], params={"W1": W, "b1": B}),
    ),
}
ROWS = {**SHAPES, **SCALARS, **LABELS, **NAMES}


@pytest.mark.parametrize(("wrong", "hint", "followed"), ROWS.values(), ids=ROWS)
def test_the_hint_is_followed_and_it_works(wrong, hint, followed):
    with pytest.raises(JacobianError) as caught:
        wrong()
    assert str(caught.value).splitlines()[-1].strip() == hint
    followed()


def test_rows_give_what_a_row_alone_gives():
    """The advice does not change what is computed: each row is normalised by itself."""
    matrices = RNG.random((2, 5, 5))
    net = program("p = Softmax(z)")
    rows = net.run(z=matrices.reshape(-1, 5))["p"].reshape(2, 5, 5)
    np.testing.assert_allclose(rows[1, 3], net.run(z=matrices[1, 3])["p"])
    np.testing.assert_allclose(rows.sum(axis=-1), 1)
    assert not np.allclose(net.run(z=matrices.reshape(2, -1))["p"].reshape(2, 5, 5), rows)
