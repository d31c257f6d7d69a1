"""A small network around each kind of layer: its program, the shapes of its parameters, its data.

The list is that of layers whose derivatives lean4-mlir proves: dense, rectifier, softmax with
cross-entropy, convolution, depthwise convolution, max pool, batch and layer normalisation,
residual, squeeze-and-excite, attention.
"""

import numpy as np

from jacobian_bp import Network, ops

# name: (lines, shapes of parameters, shapes of data, labels)
LAYERS = {
    "dense": ("z = Linear(x, W, b); J = SquaredError(z, y)", {"W": (3, 5), "b": (3,)}, (5,), (3,)),
    "rectifier": (
        "z = Linear(x, W, b); a = ReLU(z); J = SquaredError(a, y)",
        {"W": (3, 5), "b": (3,)},
        (5,),
        (3,),
    ),
    "softmax and cross-entropy": (
        "z = Linear(x, W, b); p = Softmax(z); J = CrossEntropy(p, y)",
        {"W": (3, 5), "b": (3,)},
        (5,),
        "a class of 3",
    ),
    "convolution": (
        "z = Conv2d(x, K, b); J = Form(z, V, z)",
        {"K": (2, 2, 2, 3), "b": (2,), "V": (2, 2, 4)},
        (2, 3, 6),
        None,
    ),
    "depthwise convolution": (
        "z = Conv2d(x, K, groups=2); J = Form(z, V, z)",
        {"K": (2, 1, 2, 3), "V": (2, 2, 3)},
        (2, 3, 5),
        None,
    ),
    "max pool": (
        "z = Conv2d(x, K, b); a = MaxPool2d(z, 2); J = Form(a, V, a)",
        {"K": (2, 2, 2, 2), "b": (2,), "V": (2, 1, 2)},
        (2, 3, 5),
        None,
    ),
    "batch norm": (
        "z = Linear(x, W, b); a = BatchNorm(z, gamma, beta); L = SquaredError(a, y); J = Mean(L)",
        {"W": (3, 2), "b": (3,), "gamma": (3,), "beta": (3,)},
        (5, 2),
        (5, 3),
    ),
    "layer norm": (
        "z = Linear(x, W, b); a = LayerNorm(z, gamma, beta); J = SquaredError(a, y)",
        {"W": (3, 5), "b": (3,), "gamma": (3,), "beta": (3,)},
        (5,),
        (3,),
    ),
    "residual": (
        "z = Linear(x, W, b); a = Tanh(z); r = Add(a, x); J = SquaredError(r, y)",
        {"W": (3, 3), "b": (3,)},
        (3,),
        (3,),
    ),
    "squeeze and excite": (
        "s = Mean(x, over='i'); h = Linear(s, W1, b1); a = ReLU(h); z = Linear(a, W2, b2); "
        "g = Sigmoid(z); v = Excite(g, x); J = Form2(v, V, v)",
        {"W1": (2, 3), "b1": (2,), "W2": (3, 2), "b2": (3,), "V": (3, 5)},
        (3, 5),
        None,
    ),
    "attention": (
        "q = Linear(x, Wq); k = Linear(x, Wk); v = Linear(x, Wv); s = Score(q, k); "
        "P = Softmax(s); o = Read(P, v); J = Form2(o, V, o)",
        {"Wq": (2, 2), "Wk": (2, 2), "Wv": (2, 2), "V": (3, 2)},
        (3, 2),
        None,
    ),
}
EINSUMS = {
    "Form": "dop,dop,dop->",
    "Form2": "td,td,td->",
    "Excite": "c,ci->ci",
    "Score": "td,ud->tu",
    "Read": "tu,ud->td",
}
AXES = {"squeeze and excite": {"x": "c,i"}, "attention": {"x": "t,d"}}


def layer_run(name, seed=11):
    """The run of the network of one layer, on random numbers."""
    lines, shapes, x, y = LAYERS[name]
    rng = np.random.default_rng(seed)
    text = [line.strip() for line in lines.split(";")]
    used = {op: ops.Einsum(e) for op, e in EINSUMS.items() if f" {op}(" in lines}
    params = {n: rng.normal(size=shape) for n, shape in shapes.items()}
    net = Network.program(*text, params=params, ops=used)
    data = {"x": rng.normal(size=x)}
    if y is not None:
        data["y"] = np.int64(1) if isinstance(y, str) else rng.normal(size=y)
    return net.run(**data, axes=AXES.get(name))
