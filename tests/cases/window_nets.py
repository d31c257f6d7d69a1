"""Small networks that read windows, with inputs; no two sizes that meet are alike."""

import numpy as np

from jacobian_bp import Network, ops

CONVOLVED = {
    "plain": (ops.Conv2d(), (2, 3, 3, 2), (3, 7, 5)),
    "without a bias": (ops.Conv2d(), (2, 3, 3, 2), (3, 7, 5)),
    "stride, padding, dilation": (
        ops.Conv2d((2, 3), (1, 2), (2, 1)),
        (5, 3, 2, 3),
        (3, 7, 11),
    ),
    "groups": (ops.Conv2d(padding=1, groups=2), (4, 3, 3, 2), (6, 5, 3)),
    "a sequence": (ops.Conv1d(2, 2), (2, 3, 5), (3, 11)),
    "max pool": (ops.MaxPool2d(2), None, (3, 5, 7)),
    "max pool, overlapping and padded": (ops.MaxPool2d((3, 2), 1, 1), None, (3, 5, 7)),
    "max pool of a sequence": (ops.MaxPool1d(3, 2), None, (2, 11)),
    "average pool": (ops.AvgPool2d((2, 3)), None, (3, 5, 7)),
    "average pool, overlapping and padded": (ops.AvgPool2d(3, 2, 1), None, (3, 5, 7)),
    "average pool of a sequence": (ops.AvgPool1d(2), None, (2, 11)),
}


def window_net(name, m):
    """A parameter added to x, so that ∂J/∂x is needed; the op; a weight; the cost."""
    op, kernel, size = CONVOLVED[name]
    rng = np.random.default_rng(23)
    letters = "cij"[: len(size)]
    params, reads = {"p": rng.standard_normal(size)}, ["u"]
    if kernel:
        params["K"] = rng.standard_normal(kernel)
        reads.append("K")
    if kernel and name != "without a bias":
        params["c"] = rng.standard_normal(kernel[0])
        reads.append("c")
    x = rng.standard_normal((m, *size))
    places = op.forward(*[x[0] if r == "u" else params[r] for r in reads]).shape
    params["M"] = rng.standard_normal((2, *places)) / 3
    net = Network.program(
        f"u = Add(x, p, '{','.join(letters)}')",
        f"v = Windows({', '.join(reads)})",
        f"z = Einsum(v, M, '{letters},k{letters}->k')",
        "L = HalfSquaredError(z, y)",
        "J = Mean(L)",
        params=params,
        ops={"Windows": op},
    )
    return net, {"x": x, "y": 300 + rng.standard_normal((m, 2))}  # a residual that does not cancel
