"""Every op once more in jax.numpy, one function an op, each from the op's own formula.

A function reads the op for its options and the arrays as the op has them, whatever stands in
front. Nothing here knows a derivative: JAX makes them. Without JAX the table can be read, not run.
"""

import numpy as np

try:
    import jax
    import jax.numpy as jnp
    from jax import lax
except ImportError:  # the table of names is there without it
    jax = jnp = lax = None


def enable_x64():
    """float64 for as long as the context is open; the caller's precision is as it was behind it."""
    if hasattr(jax, "enable_x64"):
        return jax.enable_x64(True)
    from jax.experimental import enable_x64

    return enable_x64()


def beside(op, *arrays):
    """Each array with an axis of size 1 where the output has one more: b[t] as b[t,1]."""
    whole = op.parsed.output.axes
    for operand, array in zip(op.parsed.inputs, arrays, strict=True):
        front = array.shape[: array.ndim - len(operand.axes)]
        sizes = dict(zip(operand.axes, array.shape[len(front) :], strict=True))
        yield array.reshape(*front, *(sizes.get(axis, 1) for axis in whole))


def arithmetic(function):
    return lambda op, *arrays: function(*beside(op, *arrays))


def cross_entropy(op, log_p, y):
    weights = 1.0 if getattr(op, "weights", None) is None else np.asarray(op.weights)
    return -(weights * y * log_p).sum(-1)


def divergence(log_p, y):
    """y log y is 0 where y is 0."""
    known = jnp.where(y > 0, y * jnp.log(jnp.where(y > 0, y, 1)), 0)
    return (known - y * log_p).sum(-1)


def softmax(op, z, m=None):
    return jax.nn.softmax(z, op.place, where=None if m is None else m != 0)


def log_softmax(op, z, m=None):
    if m is None:
        return jax.nn.log_softmax(z, op.place)
    return jnp.where(m != 0, jax.nn.log_softmax(jnp.where(m != 0, z, -1e9), op.place), 0)


def causal_softmax(op, s):
    t, u = jnp.ogrid[: s.shape[-2], : s.shape[-1]]
    return jax.nn.softmax(s, -1, where=u <= t)


def standardised(x, axes, eps):
    centred = x - x.mean(axes, keepdims=True)
    return centred / jnp.sqrt((centred**2).mean(axes, keepdims=True) + eps)


def beside_places(of_units, letters):
    """One number a unit, beside the places of an image."""
    return of_units.reshape(-1, *[1] * (len(letters) - 1))


def batch_norm(op, x, gamma, beta, mean=None, var=None):
    inside = op.letters[op.place :]
    wide = [beside_places(a, inside) for a in (gamma, beta)]
    if mean is not None:
        mean, var = (beside_places(a, inside) for a in (mean, var))
        return wide[0] * (x - mean) / jnp.sqrt(var + op.eps) + wide[1]
    over = tuple(a for a in range(x.ndim) if a != x.ndim - len(inside))
    return wide[0] * standardised(x, over, op.eps) + wide[1]


def group_norm(op, x, gamma, beta):
    rank = len(op.letters)
    front, example = x.shape[: x.ndim - rank], x.shape[x.ndim - rank :]
    normal = standardised(x.reshape(*front, op.groups, -1), -1, op.eps).reshape(*front, *example)
    wide = [beside_places(a, op.letters) for a in (gamma, beta)]
    return wide[0] * normal + wide[1]


def rms_norm(op, x, gamma):
    return gamma * x / jnp.sqrt((x * x).mean(-1, keepdims=True) + op.eps)


def transposed_convolution(op, x, K, b=None):
    """x with zeros between its entries, read by the kernels turned round."""
    rank, w, groups = len(op.read), op.windows, op.groups
    front, taps = x.shape[: x.ndim - rank - 1], K.shape[2:]
    around = [
        (d * (r - 1) - p, d * (r - 1) - p + more)
        for r, p, d, more in zip(taps, w.padding, w.dilation, op.more, strict=True)
    ]
    turned = jnp.flip(K, range(2, K.ndim)).reshape(groups, -1, *K.shape[1:]).swapaxes(1, 2)
    y = lax.conv_general_dilated(
        x.reshape(-1, *x.shape[x.ndim - rank - 1 :]),
        turned.reshape(groups * K.shape[1], -1, *taps),
        (1,) * rank,
        around,
        lhs_dilation=w.stride,
        rhs_dilation=w.dilation,
        feature_group_count=groups,
    )
    y = y.reshape(*front, *y.shape[1:])
    return y if b is None else y + b.reshape(-1, *[1] * rank)


def convolution(op, x, K, b=None):
    rank, windows = len(op.read), op.windows
    front = x.shape[: x.ndim - rank - 1]
    y = lax.conv_general_dilated(
        x.reshape(-1, *x.shape[x.ndim - rank - 1 :]),
        K,
        windows.stride,
        [(p, p) for p in windows.padding],
        rhs_dilation=windows.dilation,
        feature_group_count=op.groups,
    )
    y = y.reshape(*front, *y.shape[1:])
    return y if b is None else y + b.reshape(-1, *[1] * rank)


def pooled(op, x, around, reduce):
    """The entries of each window one axis after the other, by their places."""
    rank = len(op.widths)
    for along, (width, step, pad) in enumerate(
        zip(op.widths, op.windows.stride, op.windows.padding, strict=True)
    ):
        axis = x.ndim - rank + along
        room = [(pad, pad) if a == axis else (0, 0) for a in range(x.ndim)]
        x = jnp.pad(x, room, constant_values=around)
        starts = np.arange(0, x.shape[axis] - width + 1, step)
        x = reduce(jnp.take(x, starts[:, None] + np.arange(width), axis), axis=axis + 1)
    return x


def einsum(op, *operands):
    pairs = list(zip(op.operands, operands, strict=True))
    words = ["..." * (value.ndim > len(word)) + word for word, value in pairs]
    dots = "..." * any(value.ndim > len(word) for word, value in pairs)
    return jnp.einsum(f"{','.join(words)}->{dots}{op.result}", *operands)


def huber(op, a, y):
    r = jnp.abs(a - y)
    return jnp.where(r <= op.delta, r * r / 2, op.delta * (r - op.delta / 2)).sum(-1)


def hinge(op, z, y):
    margins = z - (y * z).sum(-1, keepdims=True) + 1
    return jnp.where((y == 0) & (margins > 0), margins, 0).sum(-1)


def rnn(op, x, h, W, U, b=0.0):
    return jnp.tanh(x @ W.T + h @ U.T + b)


def lstm_gates(x, h, W, U, b):
    return jnp.split(x @ W.T + h @ U.T + b, 4, -1)


def lstm_carry(op, x, h0, c0, W, U, b=0.0):
    i, f, g, _ = lstm_gates(x, h0, W, U, b)
    return jax.nn.sigmoid(f) * c0 + jax.nn.sigmoid(i) * jnp.tanh(g)


def lstm_output(op, x, h0, c, W, U, b=0.0):
    return jax.nn.sigmoid(lstm_gates(x, h0, W, U, b)[3]) * jnp.tanh(c)


def gru(op, x, h, W, U, b=0.0, d=0.0):
    x_r, x_z, x_n = jnp.split(x @ W.T + b, 3, -1)
    h_r, h_z, h_n = jnp.split(h @ U.T + d, 3, -1)
    r, z = jax.nn.sigmoid(x_r + h_r), jax.nn.sigmoid(x_z + h_z)
    return (1 - z) * jnp.tanh(x_n + r * h_n) + z * h


def reshaped(op, x):
    """The shape of an example follows from the op's own value."""
    example = op.forward(np.zeros(x.shape[x.ndim - len(op.parsed.inputs[0].axes) :]))
    return x.reshape(*x.shape[: x.ndim - len(op.parsed.inputs[0].axes)], *example.shape)


def transposed(op, x):
    read, gives = op.parsed.inputs[0].axes, op.parsed.output.axes
    front = x.ndim - len(read)
    return x.transpose(*range(front), *(front + read.index(a) for a in gives))


def kron(A, B):
    blocks = jnp.einsum("...ij,...kl->...ikjl", A, B)
    return blocks.reshape(*blocks.shape[:-4], A.shape[-2] * B.shape[-2], -1)


IN_JAX = {
    "Identity": lambda op, z: z,
    "LeakyReLU": lambda op, z: jnp.where(z > 0, z, op.slope * z),
    "ReLU": lambda op, z: jnp.where(z > 0, z, 0),
    "Sigmoid": lambda op, z: jax.nn.sigmoid(z),
    "Softplus": lambda op, z: jax.nn.softplus(z),
    "Tanh": lambda op, z: jnp.tanh(z),
    "ELU": lambda op, z: jnp.where(z > 0, z, op.alpha * jnp.expm1(jnp.minimum(z, 0))),
    "GELU": lambda op, z: jax.nn.gelu(z, op.approximate),
    "SiLU": lambda op, z: z * jax.nn.sigmoid(z),
    "Abs": lambda op, z: jnp.abs(z),
    "Exp": lambda op, z: jnp.exp(z),
    "Sin": lambda op, z: jnp.sin(z),
    "Cos": lambda op, z: jnp.cos(z),
    "Log": lambda op, z: jnp.log(z),
    "Sqrt": lambda op, z: jnp.sqrt(z),
    "Power": lambda op, z: z**op.p,
    "Add": arithmetic(lambda a, b: a + b),
    "Subtract": arithmetic(lambda a, b: a - b),
    "Multiply": arithmetic(lambda a, b: a * b),
    "Divide": arithmetic(lambda a, b: a / b),
    "Einsum": einsum,
    "Inverse": lambda op, X: jnp.linalg.inv(X),
    "Det": lambda op, X: jnp.linalg.det(X),
    "LogDet": lambda op, X: jnp.linalg.slogdet(X)[1],
    "Kron": lambda op, A, B: kron(A, B),
    "Vec": lambda op, X: jnp.swapaxes(X, -1, -2).reshape(*X.shape[:-2], -1),
    "Diag": lambda op, x: x[..., None] * jnp.eye(x.shape[-1]),
    "Part": lambda op, X: X[op._index()],
    "Linear": lambda op, a, W, b=0.0: a @ W.T + b,
    "Conv1d": convolution,
    "Conv2d": convolution,
    "ConvTranspose1d": transposed_convolution,
    "ConvTranspose2d": transposed_convolution,
    "MaxPool1d": lambda op, x: pooled(op, x, -np.inf, jnp.max),
    "MaxPool2d": lambda op, x: pooled(op, x, -np.inf, jnp.max),
    "AvgPool1d": lambda op, x: pooled(op, x, 0.0, jnp.mean),
    "AvgPool2d": lambda op, x: pooled(op, x, 0.0, jnp.mean),
    "Softmax": softmax,
    "LogSoftmax": log_softmax,
    "LogSumExp": lambda op, z: jax.nn.logsumexp(z, -1),
    "CausalSoftmax": causal_softmax,
    "LayerNorm": lambda op, x, g, b: g * standardised(x, -1, op.eps) + b,
    "RMSNorm": rms_norm,
    "BatchNorm": batch_norm,
    "GroupNorm": group_norm,
    "Dropout": lambda op, x, m: m * x / op.keep,
    "RNNCell": rnn,
    "LSTMCarry": lstm_carry,
    "LSTMOutput": lstm_output,
    "GRUCell": gru,
    "Embedding": lambda op, u, E: E[u],
    "Gather": lambda op, x, u: jnp.take(x, u, -1),
    "CumSum": lambda op, x: jnp.cumsum(x, -1),
    "Sort": lambda op, x: jnp.sort(x, -1),
    "Concat": lambda op, *parts: jnp.concatenate(parts, -1),
    "Flip": lambda op, x: jnp.flip(x, -1),
    "Pad": lambda op, x: jnp.pad(
        x, [(0, 0)] * (x.ndim - 1) + [(op.before, op.after)], constant_values=op.value
    ),
    "Slice": lambda op, x: x[..., op.start : op.stop : op.step],
    "Transpose": transposed,
    "Flatten": reshaped,
    "Reshape": reshaped,
    "Max": lambda op, L: L.max(op.summed),
    "Min": lambda op, L: L.min(op.summed),
    "Mean": lambda op, L: L.mean(op.summed),
    "Sum": lambda op, L: L.sum(op.summed),
    "MeanOverOutputs": lambda op, L: L / op.outputs,
    "SquaredError": lambda op, a, y: ((a - y) ** 2).sum(-1),
    "HalfSquaredError": lambda op, a, y: ((a - y) ** 2).sum(-1) / 2,
    "Huber": huber,
    "Hinge": hinge,
    "BinaryCrossEntropy": lambda op, a, y: -(y * jnp.log(a) + (1 - y) * jnp.log1p(-a)).sum(-1),
    "BinaryCrossEntropyFromLogits": lambda op, z, y: (
        -(y * jax.nn.log_sigmoid(z) + (1 - y) * jax.nn.log_sigmoid(-z)).sum(-1)
    ),
    "CrossEntropy": lambda op, p, y: cross_entropy(op, jnp.log(p), y),
    "CrossEntropyFromLogits": lambda op, z, y: cross_entropy(op, jax.nn.log_softmax(z), y),
    "KLDivergence": lambda op, p, y: divergence(jnp.log(p), y),
    "KLDivergenceFromLogits": lambda op, z, y: divergence(jax.nn.log_softmax(z), y),
    "L1Penalty": lambda op, W: op.rate * jnp.abs(W).sum(),
    "L2Penalty": lambda op, W: op.rate * (W * W).sum(),
    "HalfL2Penalty": lambda op, W: op.rate / 2 * (W * W).sum(),
}
