"""The ops in the functions of torch: a program's cost and gradients by its autograd.

Each op reads what the signature names, and whatever stands in front. Where torch is not
installed, importing it skips.
"""

import pytest

torch = pytest.importorskip("torch", reason="torch is not installed")
F = torch.nn.functional

TORCH = {
    "Identity": lambda op, z: z,
    "Tanh": lambda op, z: torch.tanh(z),
    "Sigmoid": lambda op, z: torch.sigmoid(z),
    "Softplus": lambda op, z: torch.logaddexp(z, torch.zeros_like(z)),
    "SiLU": lambda op, z: F.silu(z),
    "GELU": lambda op, z: F.gelu(z, approximate="tanh" if op.approximate else "none"),
    "ELU": lambda op, z: F.elu(z, op.alpha),
    "ReLU": lambda op, z: F.relu(z),
    "LeakyReLU": lambda op, z: F.leaky_relu(z, op.slope),
    "Abs": lambda op, z: torch.abs(z),
    "Exp": lambda op, z: torch.exp(z),
    "Log": lambda op, z: torch.log(z),
    "Sin": lambda op, z: torch.sin(z),
    "Cos": lambda op, z: torch.cos(z),
    "Sqrt": lambda op, z: torch.sqrt(z),
    "Power": lambda op, z: z**op.p,
    "Softmax": lambda op, z: torch.softmax(z, -1),
    "LogSoftmax": lambda op, z: torch.log_softmax(z, -1),
    "CumSum": lambda op, x: torch.cumsum(x, -1),
    "Sort": lambda op, x: torch.sort(x, dim=-1, stable=True).values,
    "Flip": lambda op, x: torch.flip(x, [-1]),
    "Slice": lambda op, x: x[..., op.start : op.stop : op.step],
    "Pad": lambda op, x: F.pad(x, (op.before, op.after), value=op.value),
    "Concat": lambda op, *terms: torch.cat(terms, -1),
    "Gather": lambda op, x, u: x[..., u],
    "Embedding": lambda op, u, E: E[u],
    "Transpose": lambda op, x: x.transpose(-1, -2),
    "Add": lambda op, a, b: a + b,
    "Subtract": lambda op, a, b: a - b,
    "Multiply": lambda op, a, b: a * b,
    "Divide": lambda op, a, b: a / b,
    "Linear": lambda op, a, W, b=None: F.linear(a, W, b),
    "LayerNorm": lambda op, x, g, b: F.layer_norm(x, x.shape[-1:], g, b, op.eps),
    "RMSNorm": lambda op, x, g: x / torch.sqrt((x * x).mean(-1, keepdim=True) + op.eps) * g,
    "BatchNorm": lambda op, x, g, b: F.batch_norm(x, None, None, g, b, True, eps=op.eps),
    "SquaredError": lambda op, a, y: ((a - y) ** 2).sum(-1),
    "HalfSquaredError": lambda op, a, y: ((a - y) ** 2).sum(-1) / 2,
    "Huber": lambda op, a, y: F.huber_loss(a, y, reduction="none", delta=op.delta).sum(-1),
    "BinaryCrossEntropy": lambda op, a, y: F.binary_cross_entropy(a, y, reduction="none").sum(-1),
    "BinaryCrossEntropyFromLogits": lambda op, z, y: F.binary_cross_entropy_with_logits(
        z, y, reduction="none"
    ).sum(-1),
    "CrossEntropy": lambda op, p, y: -(y * torch.log(p)).sum(-1),
    "CrossEntropyFromLogits": lambda op, z, y: -(y * torch.log_softmax(z, -1)).sum(-1),
    "KLDivergence": lambda op, p, y: (y * (torch.log(y) - torch.log(p))).sum(-1),
    "KLDivergenceFromLogits": lambda op, z, y: (y * (torch.log(y) - torch.log_softmax(z, -1))).sum(
        -1
    ),
    "MeanOverOutputs": lambda op, L: L / op.outputs,
    "Mean": lambda op, L: L.mean(),
    "Sum": lambda op, L: L.sum(),
    "L1Penalty": lambda op, W: op.rate * torch.abs(W).sum(),
    "L2Penalty": lambda op, W: op.rate * (W * W).sum(),
    "HalfL2Penalty": lambda op, W: op.rate / 2 * (W * W).sum(),
    "Conv1d": lambda op, x, K, b=None: _windows(F.conv1d, op, 2, x, K, b),
    "Conv2d": lambda op, x, K, b=None: _windows(F.conv2d, op, 3, x, K, b),
    "ConvTranspose1d": lambda op, x, K, b=None: _written(F.conv_transpose1d, op, 2, x, K, b),
    "ConvTranspose2d": lambda op, x, K, b=None: _written(F.conv_transpose2d, op, 3, x, K, b),
    "MaxPool1d": lambda op, x: _pooled(F.max_pool1d, op, 2, x),
    "MaxPool2d": lambda op, x: _pooled(F.max_pool2d, op, 3, x),
    "AvgPool1d": lambda op, x: _pooled(F.avg_pool1d, op, 2, x),
    "AvgPool2d": lambda op, x: _pooled(F.avg_pool2d, op, 3, x),
    "Einsum": lambda op, *operands: _einsum(op.equation, operands),
    "CausalSoftmax": lambda op, s: torch.softmax(s.masked_fill(_later(s), -torch.inf), -1),
    "Dropout": lambda op, x, m: x * m / op.keep,
    "Max": lambda op, L: L.max(-1).values,
    "Min": lambda op, L: L.min(-1).values,
    "Inverse": lambda op, X: torch.linalg.inv(X),
    "Det": lambda op, X: torch.linalg.det(X),
    "LogDet": lambda op, X: torch.linalg.slogdet(X)[1],
    "LogSumExp": lambda op, z: torch.logsumexp(z, -1),
    "Kron": lambda op, A, B: torch.einsum("...ij,kl->...ikjl", A, B).reshape(
        *A.shape[:-2], A.shape[-2] * B.shape[-2], A.shape[-1] * B.shape[-1]
    ),
    "Vec": lambda op, X: X.transpose(-1, -2).reshape(*X.shape[:-2], -1),
    "Diag": lambda op, x: torch.diag_embed(x),
    "Part": lambda op, x: x[..., 1:],
    "Reshape": lambda op, x: x.reshape(*x.shape[:-2], x.shape[-1], x.shape[-2]),
    "Flatten": lambda op, x: x.reshape(*x.shape[:-2], -1),
    "GroupNorm": lambda op, x, g, b: _one_front(
        x, 2, lambda x: F.group_norm(x, op.groups, g, b, op.eps)
    ),
    "RNNCell": lambda op, x, h, W, U, b: _cell(torch.rnn_tanh_cell, x, [h], W, U, b),
    "GRUCell": lambda op, x, h, W, U, b=None, d=None: _cell(torch.gru_cell, x, [h], W, U, b, d),
    "LSTMCarry": lambda op, x, h, c, W, U, b: _cell(torch.lstm_cell, x, [h, c], W, U, b)[1],
    "LSTMOutput": lambda op, x, h, c, W, U, b: _output(x, h, c, W, U, b),
    "Hinge": lambda op, z, y: _hinge(z, y.long()),
}


def cost_and_gradients(net, data):
    """The cost of a program of a network, and its gradients by torch, as numpy arrays.

    A loss is read from the logits where the network does so: torch's own is cut off at −100.
    """
    values = {name: torch.tensor(array) for name, array in data.items()}
    params = {name: torch.tensor(p, requires_grad=True) for name, p in net.params.items()}
    values |= params
    for step in (step.active() for step in net._program.steps):
        values[step.name] = TORCH[step.op.name](step.op, *(values[arg] for arg in step.args))
    cost = values[net._program.steps[-1].name]
    found = torch.autograd.grad(cost, list(params.values()))
    return cost.item(), {n: g.numpy() for n, g in zip(params, found, strict=True)}


def _later(s):
    return torch.ones(s.shape[-2:], dtype=torch.bool).triu(1)


def _cell(function, x, states, W, U, b=None, d=None):
    """torch's cells know one axis in front, and have both biases or none."""
    front = x.shape[:-1]
    rows = x.reshape(-1, x.shape[-1])
    wide = [h.expand(*front, h.shape[-1]).reshape(len(rows), -1) for h in states]
    biases = [torch.zeros(len(W), dtype=W.dtype) if v is None else v for v in (b, d)]
    out = function(rows, tuple(wide) if len(wide) > 1 else wide[0], W, U, *biases)
    if isinstance(out, tuple):
        return tuple(o.reshape(*front, -1) for o in out)
    return out.reshape(*front, -1)


def _output(x, h, c, W, U, b):
    """The h of an LSTM from the new c, which torch does not hand out by itself."""
    gate = torch.chunk(x @ W.T + h @ U.T + b, 4, -1)[3]
    return torch.sigmoid(gate) * torch.tanh(c)


def _hinge(z, y):
    true = z.gather(-1, y[..., None])
    return torch.clamp(1 + z - true, min=0).sum(-1) - 1


def _windows(function, op, rank, x, K, b):
    return _one_front(
        x, rank, lambda x: function(x, K, b, op.stride, op.padding, op.dilation, op.groups)
    )


def _written(function, op, rank, x, K, b):
    sizes = op.stride, op.padding, op.output_padding, op.groups, op.dilation
    return _one_front(x, rank, lambda x: function(x, K, b, *sizes))


def _pooled(function, op, rank, x):
    stride = op.width if op.stride is None else op.stride
    return _one_front(x, rank, lambda x: function(x, op.width, stride, op.padding))


def _one_front(x, rank, function):
    """torch's windows know one axis in front: all of them as one."""
    front = x.shape[:-rank]
    out = function(x.reshape(-1, *x.shape[-rank:]))
    return out.reshape(*front, *out.shape[1:])


def _einsum(equation, operands):
    words, _, result = equation.partition("->")
    pairs = zip(words.split(","), operands, strict=True)
    dots = ["..." if value.ndim > len(word) else "" for word, value in pairs]
    words = ",".join(d + w for d, w in zip(dots, words.split(","), strict=True))
    return torch.einsum(f"{words}->{max(dots)}{result}", *operands)
