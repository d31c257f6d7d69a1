"""A small network around each kind of layer: its program, the shapes of its parameters, its data.

The list is that of the layers whose derivatives lean4-mlir proves: dense, rectifier, softmax with
cross-entropy, convolution, depthwise convolution, max pool, batch and layer normalisation,
residual, squeeze-and-excite, attention. Where no loss reads such values the cost is J = Σ y z:
y is what comes back to the layer.
"""

import numpy as np

from jacobian_bp import Network, ops

# name: lines, shapes of the parameters, shape of x, shape of y
LAYERS = {
    "dense": (
        ["z = Linear(x, W, b)", "J = SquaredError(z, y)"],
        {"W": (2, 3), "b": (2,)},
        (3,),
        (2,),
    ),
    "rectifier": (
        ["z = Linear(x, W, b)", "a = ReLU(z)", "J = SquaredError(a, y)"],
        {"W": (3, 2), "b": (3,)},
        (2,),
        (3,),
    ),
    "softmax and cross-entropy": (
        ["z = Linear(x, W, b)", "p = Softmax(z)", "J = CrossEntropy(p, y)"],
        {"W": (3, 2), "b": (3,)},
        (2,),
        (),
    ),
    "convolution": (
        ["z = Conv2d(x, K, b)", "J = Images(y, z)"],
        {"K": (2, 1, 2, 2), "b": (2,)},
        (1, 2, 3),
        (2, 1, 2),
    ),
    "depthwise convolution": (
        ["z = Conv2d(x, K, groups=2)", "J = Images(y, z)"],
        {"K": (2, 1, 2, 2)},
        (2, 3, 2),
        (2, 2, 1),
    ),
    "max pool": (
        ["a = MaxPool2d(x, 2)", "J = Images(y, a)"],
        {"x": (2, 2, 4)},
        None,
        (2, 1, 2),
    ),
    "batch norm": (
        ["z = Linear(x, W)", "a = BatchNorm(z, gamma, beta)", "L = Vectors(y, a)", "J = Sum(L)"],
        {"W": (1, 2), "gamma": (1,), "beta": (1,)},
        (3, 2),
        (3, 1),
    ),
    "layer norm": (
        ["z = Linear(x, W)", "a = LayerNorm(z, gamma, beta)", "J = SquaredError(a, y)"],
        {"W": (3, 2), "gamma": (3,), "beta": (3,)},
        (2,),
        (3,),
    ),
    "residual": (
        ["z = Linear(x, W, b)", "a = Tanh(z)", "r = Add(a, x)", "J = SquaredError(r, y)"],
        {"W": (3, 3), "b": (3,)},
        (3,),
        (3,),
    ),
    "squeeze and excite": (
        [
            "s = Squeeze(x)",
            "h = Linear(s, W1)",
            "a = ReLU(h)",
            "z = Linear(a, W2)",
            "g = Sigmoid(z)",
            "v = Excite(g, x)",
            "J = Matrices(y, v)",
        ],
        {"W1": (1, 2), "W2": (2, 1)},
        (2, 3),
        (2, 3),
    ),
    "attention": (
        ["s = Score(q, k)", "P = Softmax(s)", "o = Read(P, v)", "J = Matrices(y, o)"],
        {"q": (2, 1), "k": (3, 1), "v": (3, 1)},
        None,
        (2, 1),
    ),
}
EINSUMS = {
    "Images": "dop,dop->",
    "Matrices": "td,td->",
    "Vectors": "k,k->",
    "Squeeze": "ci->c",
    "Excite": "c,ci->ci",
    "Score": "td,ud->tu",
    "Read": "tu,ud->td",
}


def layer_run(name, seed):
    """The run of the network of one layer, on random numbers."""
    lines, shapes, x, y = LAYERS[name]
    rng = np.random.default_rng(seed)
    used = {op: ops.Einsum(e) for op, e in EINSUMS.items() if any(f" {op}(" in s for s in lines)}
    params = {n: rng.normal(size=shape) for n, shape in shapes.items()}
    net = Network.program(*lines, params=params, ops=used)
    data = {"x": rng.normal(size=x)} if x else {}
    data["y"] = rng.normal(size=y) if y else np.int64(1)
    return net.run(**data)
