"""Small networks of tokens t, and how a compiled step of them is compared with a run."""

import numpy as np
from moved_values import moved_by_rounding
from network_cases import close, term_sums

from jacobian_bp import Network
from jacobian_bp.numbers.rounding import of_sums

MEAN = ["L = HalfSquaredError(z, y)", "J = Mean(L, over='n,t')"]
BLOCK = [
    "n1 = LayerNorm(x1, g1, s1)",
    "q = Einsum(n1, Q, 'ti,hei->hte')",
    "k = Einsum(n1, M, 'ti,hei->hte')",
    "v = Einsum(n1, V, 'ti,hei->hte')",
    "s = Einsum(q, k, 'hte,hue->htu')",
    "A = Softmax(s)",
    "o = Einsum(A, v, 'htu,hue->hte')",
    "u = Einsum(o, O, 'hte,khe->tk')",
    "x2 = Add(x1, u)",
    "n2 = RMSNorm(x2, g2)",
    "h1 = Linear(n2, W1, b1)",
    "h2 = GELU(h1)",
    "h3 = Linear(h2, W2, b2)",
    "z = Add(x2, h3)",
]
SHAPES = {
    "p": (7,),
    "g1": (7,),
    "s1": (7,),
    "Q": (2, 3, 7),
    "M": (2, 3, 7),
    "V": (2, 3, 7),
    "O": (7, 2, 3),
    "g2": (7,),
    "W1": (11, 7),
    "b1": (11,),
    "W2": (7, 11),
    "b2": (7,),
    "G": (5, 7),
    "H": (7, 5),
}
TOKENS = {
    "a transformer block": BLOCK,
    "softmax of tokens": ["z = Softmax(x1)"],
    "softmax along tokens": ["z = Softmax(x1, axis='t')"],
    "softmax over what is not later": [
        "s = Einsum(x1, G, 'ti,ui->tu')",
        "A = CausalSoftmax(s)",
        "z = Einsum(A, H, 'tu,ku->tk')",
    ],
    "a layer norm": ["z = LayerNorm(x1, g1, s1)"],
    "an RMS norm": ["z = RMSNorm(x1, g1)"],
    "a GELU": ["z = GELU(x1)"],
    "an approximate GELU": ["z = GELU(x1, approximate=True)"],
    "a layer of every token": ["h = Linear(x1, W1, b1)", "z = Linear(h, W2, b2)"],
    "scores of a shared table": ["c = Einsum(x1, G, 'ti,ui->tu')", "z = Einsum(c, H, 'tu,ku->tk')"],
    "a sum over a letter of its own": [
        "c = Einsum(x1, G, 'ti,uk->tk')",
        "z = Add(c, x1, 't,i')",
    ],
}


def token_net(name, m, dtype=np.float64):
    """The network, its data, and the names of the axes in front."""
    rng = np.random.default_rng(29)
    lines = ["x1 = Add(x, p)", *TOKENS[name], *MEAN]
    text = "\n".join(lines)
    params = {
        n: (rng.standard_normal(shape) / np.sqrt(shape[-1])).astype(dtype)
        for n, shape in SHAPES.items()
        if any(f"{n}{end}" in text for end in (",", ")"))
    }
    net = Network.program(*lines, params=params)
    data = {n: rng.standard_normal((m, 5, 7)).astype(dtype) for n in ("x", "y")}
    return net, data, {"x": "n,t"}


def apart_in_tokens(name, m, dtype=np.float64, scale=1.0):
    """The parameters whose gradients are farther apart than the rounding bar, and J."""
    net, data, axes = token_net(name, m, dtype)
    data["x"] = data["x"] * dtype(scale)
    step, run = net.compile(batch=m, axes=axes), net.run(**data, axes=axes)
    step(net.params, **{key: np.flip(value) for key, value in data.items()})
    loss, gradients = step(net.params, **data)
    sums = term_sums(run)
    found = [n for n, g in run.gradients().items() if not close(gradients[n], g, sums[n])]
    if found:  # the values are added in another order too
        moved, right = moved_by_rounding(run, list(net.params)), run.gradients()
        bars = {n: of_sums(sums[n], dtype) + moved[n] for n in found}
        found = [n for n in found if np.any(np.abs(gradients[n] - right[n]) > bars[n])]
    far = abs(loss - run.loss) > 16 * np.finfo(dtype).eps * abs(run.loss)
    return [*found, "J"] if far else found
