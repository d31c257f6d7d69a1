"""Networks that are not dense, drawn from one seed: a convolution, a classifier, attention."""

import numpy as np

from ...network.network import Network
from .workload import Workload

Shapes = dict[str, tuple[int, ...]]

CLASSIFIER = (
    "z1 = Conv2d(x, K1, c1, padding=1)",
    "a1 = ReLU(z1)",
    "p1 = MaxPool2d(a1, 2)",
    "z2 = Conv2d(p1, K2, c2, padding=1)",
    "a2 = ReLU(z2)",
    "p2 = MaxPool2d(a2, 2)",
    "f = Einsum(p2, W, 'cij,kcij->k')",
    "z3 = Add(f, b)",
    "L = CrossEntropyFromLogits(z3, y)",
    "J = Mean(L)",
)
BLOCK = (
    "u = LayerNorm(x, g1, e1)",
    "Q = Einsum(u, WQ, 'ti,hki->htk')",
    "K = Einsum(u, WK, 'ti,hki->htk')",
    "V = Einsum(u, WV, 'ti,hji->htj')",
    "s = Einsum(Q, K, 'htk,huk->htu')",
    "P = CausalSoftmax(s)",
    "o = Einsum(P, V, 'htu,huj->htj')",
    "m = Einsum(o, WO, 'htj,ihj->ti')",
    "r = Add(x, m)",
    "v = LayerNorm(r, g2, e2)",
    "z = Linear(v, W1, b1)",
    "a = GELU(z)",
    "f = Linear(a, W2, b2)",
    "q = Add(r, f)",
    "L = HalfSquaredError(q, y)",
    "J = Mean(L, over='n,t')",
)
PIXELS, FILTERS, CLASSES = 28, (8, 16), 10
TOKENS, WIDTH, HEADS, KEY, HIDDEN = 16, 32, 4, 8, 64


def convolution(
    channels: int, width: int, kernels: int, taps: int, dtype: str = "float64", seed: int = 0
) -> Workload:
    """y = Conv2d(x, K) of one square image."""
    rng = np.random.default_rng(seed)
    K = rng.standard_normal((kernels, channels, taps, taps)).astype(dtype)
    x = rng.standard_normal((channels, width, width)).astype(dtype)
    net = Network.program("y = Conv2d(x, K)", "J = Sum(y, over='d,o,q')", params={"K": K})
    label = f"{channels}×{width}×{width} → {kernels}, k {taps}, {dtype}"
    return Workload(label, net, net.run(x), x, None)


def classifier(batch: int, dtype: str = "float64", seed: int = 0) -> Workload:
    """Images of one channel: two convolutions with a pool each, ten classes."""
    rng, (first, second) = np.random.default_rng(seed), FILTERS
    left = PIXELS // 4
    shapes: Shapes = {"K1": (first, 1, 3, 3), "c1": (first,), "K2": (second, first, 3, 3)}
    shapes |= {"c2": (second,), "W": (CLASSES, second, left, left), "b": (CLASSES,)}
    params = _drawn(rng, shapes, dtype)
    x = rng.standard_normal((batch, 1, PIXELS, PIXELS)).astype(dtype)
    y = np.eye(CLASSES, dtype=dtype)[rng.integers(0, CLASSES, batch)]
    net = Network.program(*CLASSIFIER, params=params)
    label = f"two convolutions, {first} and {second} filters, batch {batch}, {dtype}"
    return Workload(label, net, net.run(x, y), x, y)


def attention_block(batch: int, dtype: str = "float64", seed: int = 0) -> Workload:
    """A transformer block on sequences of tokens, each of which sees what is not later."""
    rng = np.random.default_rng(seed)
    shapes: Shapes = dict.fromkeys(("WQ", "WK", "WV"), (HEADS, KEY, WIDTH))
    shapes |= {"WO": (WIDTH, HEADS, KEY), "W1": (HIDDEN, WIDTH), "b1": (HIDDEN,)}
    shapes |= {"W2": (WIDTH, HIDDEN), "b2": (WIDTH,)}
    shapes |= dict.fromkeys(("g1", "e1", "g2", "e2"), (WIDTH,))
    params = _drawn(rng, shapes, dtype)
    x, y = (rng.standard_normal((batch, TOKENS, WIDTH)).astype(dtype) for _ in "xy")
    net, axes = Network.program(*BLOCK, params=params), {"x": "n,t"}
    label = f"a transformer block, {TOKENS} tokens of {WIDTH}, batch {batch}, {dtype}"
    return Workload(label, net, net.run(x, y, axes=axes), x, y, axes=axes)


def _drawn(rng: np.random.Generator, shapes: Shapes, dtype: str) -> dict[str, np.ndarray]:
    """Weights so small that the values of a layer are about as large as what it reads."""
    return {
        name: (rng.standard_normal(shape) / np.prod(shape[1:]) ** 0.5).astype(dtype)
        for name, shape in shapes.items()
    }
