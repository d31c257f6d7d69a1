"""Modules of PyTorch as networks: forward, gradients, names, and what is refused."""

import copy

import numpy as np
import pytest

from jacobian_bp import Network

torch = pytest.importorskip("torch", reason="the extra torch is not installed")
nn, F = torch.nn, torch.nn.functional

N, T, D = 3, 5, 6
CAUSAL = torch.triu(torch.ones(T, T, dtype=torch.bool), 1)


class Of(nn.Module):
    """A module whose forward is a function of it and x; its parts are given."""

    def __init__(self, forward, **parts):
        super().__init__()
        self._forward = forward
        for name, part in parts.items():
            if isinstance(part, torch.Tensor) and not isinstance(part, nn.Parameter):
                self.register_buffer(name, part)
            else:
                setattr(self, name, part)

    def forward(self, *given):
        return self._forward(self, *given)


def heads(z, count):
    return z.view(z.shape[0], z.shape[1], count, -1).transpose(1, 2)


def own_attention(m, x):
    """As it is often written: views, a product, a mask filled in, a softmax."""
    q, k, v = (heads(a, 2) for a in m.qkv(x).split(D, dim=2))
    s = (q @ k.transpose(-2, -1)) * (1.0 / 3**0.5)
    s = s.masked_fill(m.mask[:T, :T], float("-inf"))
    o = (torch.softmax(s, -1) @ v).transpose(1, 2).contiguous().view(x.shape)
    return x + m.out(o)


def cells(m, x):
    h, c = m.lstm(x[:, 0])
    h, c = m.lstm(x[:, 1], (h, c))
    g = m.gru(h)
    g = m.gru(x[:, 2, :4], g)
    return torch.cat([m.rnn(x[:, 3], m.rnn(x[:, 4])), g, c], 1)


class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.norm1, self.norm2 = nn.LayerNorm(D), nn.LayerNorm(D)
        self.attention = nn.MultiheadAttention(D, 2, batch_first=True)
        self.mlp = nn.Sequential(nn.Linear(D, 11), nn.GELU(), nn.Linear(11, D), nn.Dropout(0.0))
        self.register_buffer("mask", CAUSAL)

    def forward(self, x):
        u = self.norm1(x)
        x = x + self.attention(u, u, u, attn_mask=self.mask, need_weights=False)[0]
        return x + self.mlp(self.norm2(x))


class Transformer(nn.Module):
    def __init__(self):
        super().__init__()
        self.token, self.place = nn.Embedding(7, D), nn.Embedding(T, D)
        self.blocks = nn.ModuleList([Block() for _ in range(2)])
        self.norm, self.head = nn.LayerNorm(D), nn.Linear(D, 7, bias=False)

    def forward(self, u):
        x = self.token(u) + self.place(torch.arange(u.shape[1]))
        for block in self.blocks:
            x = block(x)
        return self.head(self.norm(x))


MODULES = {
    "layers": lambda: nn.Sequential(nn.Linear(D, 7), nn.ReLU(), nn.Linear(7, 2, bias=False)),
    "activations": lambda: nn.Sequential(
        *(nn.Linear(D, D), nn.Tanh(), nn.Linear(D, D), nn.Sigmoid(), nn.Linear(D, D), nn.SiLU()),
        *(nn.Linear(D, D), nn.ELU(0.7), nn.Linear(D, D), nn.LeakyReLU(0.2), nn.Linear(D, D)),
        *(nn.Softplus(), nn.Linear(D, D), nn.GELU(), nn.GELU(approximate="tanh")),
    ),
    "softmax": lambda: nn.Sequential(
        nn.Linear(D, 5), nn.Softmax(-1), nn.Linear(5, 2), nn.LogSoftmax(1)
    ),
    "norms": lambda: nn.Sequential(
        nn.Linear(D, 7), nn.LayerNorm(7), nn.BatchNorm1d(7), nn.RMSNorm(7), nn.Dropout(0.0)
    ),
    "norms without parameters": lambda: nn.Sequential(
        nn.Linear(D, 7),
        nn.LayerNorm(7, eps=1e-3, elementwise_affine=False),
        nn.BatchNorm1d(7, affine=False),
    ),
    "evaluation": lambda: nn.Sequential(
        nn.Linear(D, 7), nn.BatchNorm1d(7), nn.Tanh(), nn.Dropout(0.5)
    ).eval(),
    "arithmetic": lambda: Of(
        lambda m, x: (
            (2.0 * m.a(x) - x / 3 + m.s * x) * torch.exp(-(x**2)) + (1 - x) / (4 + x.abs())
        ),
        a=nn.Linear(D, D),
        s=nn.Parameter(torch.linspace(0.5, 2, D)),
    ),
    "concatenation": lambda: Of(
        lambda m, x: torch.cat([m.a(x)[:, 1:4], x[:, ::2], m.a(x).chunk(2, 1)[1]], 1),
        a=nn.Linear(D, 8),
    ),
}
IMAGES = {
    "convolution": lambda: nn.Sequential(
        nn.Conv2d(2, 4, 3, stride=2, padding=1, groups=2),
        nn.BatchNorm2d(4),
        nn.ReLU(),
        nn.MaxPool2d(2, stride=1),
        nn.GroupNorm(2, 4),
        nn.Flatten(),
        nn.Linear(4 * 3 * 2, 5),
    ),
    "pools": lambda: nn.Sequential(
        nn.Conv2d(2, 3, (3, 2), dilation=(1, 2), bias=False),
        nn.Tanh(),
        nn.AvgPool2d((2, 1), padding=(1, 0)),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(3, 2),
    ),
    "mean over places": lambda: Of(
        lambda m, x: m.f(torch.relu(m.c(x)).mean(dim=(2, 3))),
        c=nn.Conv2d(2, 3, 3),
        f=nn.Linear(3, 2),
    ),
}
TOKENS = {
    "one token after another": lambda: nn.Sequential(nn.Linear(D, 7), nn.ReLU(), nn.LayerNorm(7)),
    "conv1d": lambda: nn.Sequential(
        nn.Conv1d(T, 4, 3, padding=1), nn.MaxPool1d(2), nn.Flatten(1), nn.Linear(12, 3)
    ),
    "a block": Block,
    "attention to all": lambda: Of(
        lambda m, x: m.a(x, x, x)[0], a=nn.MultiheadAttention(D, 3, batch_first=True)
    ),
    "attention to others": lambda: Of(
        lambda m, x: m.a(x, m.b(x), m.b(x), need_weights=False)[0],
        a=nn.MultiheadAttention(D, 2, batch_first=True, kdim=4, vdim=4),
        b=nn.Linear(D, 4),
    ),
    "attention whose values are the queries": lambda: Of(
        lambda m, x: m.a(x, m.k(x), x)[0],
        a=nn.MultiheadAttention(D, 2, batch_first=True),
        k=nn.Linear(D, D),
    ),
    "attention of three": lambda: Of(
        lambda m, x: m.a(m.q(x), x, m.v(x))[0],
        a=nn.MultiheadAttention(D, 2, batch_first=True),
        q=nn.Linear(D, D),
        v=nn.Linear(D, D),
    ),
    "attention as it is often written": lambda: Of(
        own_attention, qkv=nn.Linear(D, 3 * D), out=nn.Linear(D, D), mask=CAUSAL
    ),
    "scaled dot product": lambda: Of(
        lambda m, x: F.scaled_dot_product_attention(m.q(x), x, m.q(x), is_causal=True),
        q=nn.Linear(D, D),
    ),
    "an encoder layer": lambda: nn.TransformerEncoderLayer(
        D, 2, 7, dropout=0.0, batch_first=True, norm_first=True
    ),
    "places": lambda: Of(
        lambda m, x: m.f(x + m.p[:, :T]), p=nn.Parameter(torch.randn(1, 8, D)), f=nn.Linear(D, 2)
    ),
    "mean over tokens": lambda: Of(lambda m, x: m.f(x).mean(1), f=nn.Linear(D, 4)),
    "the last token": lambda: Of(lambda m, x: m.f(x[:, -1]), f=nn.Linear(D, 4)),
    "cells": lambda: Of(cells, lstm=nn.LSTMCell(D, 4), gru=nn.GRUCell(4, 3), rnn=nn.RNNCell(D, 2)),
    "lstm": lambda: Of(lambda m, x: m.l(x)[0], l=nn.LSTM(D, 4, batch_first=True)),
    "two layers of gru": lambda: Of(
        lambda m, x: m.g(x)[0][:, -1], g=nn.GRU(D, 4, 2, batch_first=True)
    ),
    "rnn, its last state": lambda: Of(
        lambda m, x: m.r(x)[1][0], r=nn.RNN(D, 4, batch_first=True, bias=False)
    ),
    "lstm in both directions, twice": lambda: Of(
        lambda m, x: (lambda o, s: torch.cat([o[:, -1], s[0][-2], s[1][1]], 1))(*m.l(x)),
        l=nn.LSTM(D, 4, 2, batch_first=True, bidirectional=True),
    ),
    "the states of all layers": lambda: Of(
        lambda m, x: m.f(m.g(x)[1].transpose(0, 1).reshape(N, -1)),
        g=nn.GRU(D, 4, 2, batch_first=True),
        f=nn.Linear(8, 2),
    ),
    "an encoder and a decoder": lambda: Of(
        lambda m, x: m.f(m.d(torch.tanh(m.i(x)), m.e(x)[1])[0]),
        e=nn.GRU(D, 4, batch_first=True),
        i=nn.Linear(D, 3),
        d=nn.GRU(3, 4, batch_first=True),
        f=nn.Linear(4, 2),
    ),
    "tokens in front within": lambda: Of(
        lambda m, x: m.f(m.r(x.transpose(0, 1) + m.p)[0]).transpose(0, 1),
        r=nn.RNN(D, 4),
        p=nn.Parameter(torch.randn(T, 1, D)),
        f=nn.Linear(4, 2),
    ),
    "queries, keys and values of one product, unbound": lambda: Of(
        lambda m, x: (
            (lambda q, k, v: (q @ k.transpose(-2, -1)).softmax(-1) @ v)(
                *m.f(x).reshape(N, T, 3, 2, 4).permute(2, 0, 3, 1, 4).unbind(0)
            )
            .transpose(1, 2)
            .reshape(N, T, 8)
        ),
        f=nn.Linear(D, 24),
    ),
    "tokens in the rows": lambda: Of(
        lambda m, x: m.f(x.reshape(-1, D)).view(N, T, 4), f=nn.Linear(D, 4)
    ),
    "einsum": lambda: Of(
        lambda m, x: torch.einsum("nti,ki->ntk", x, m.w), w=nn.Parameter(torch.randn(4, D))
    ),
}
X = {"rows": (N, D), "images": (N, 2, 7, 5), "tokens": (N, T, D)}
CASES = [
    *((name, make, X["rows"]) for name, make in MODULES.items()),
    *((name, make, X["images"]) for name, make in IMAGES.items()),
    *((name, make, X["tokens"]) for name, make in TOKENS.items()),
]


def far(found, expected, terms):
    """Whether an array is farther off than the rounding of so many terms allows."""
    scale = max(1.0, float(np.max(np.abs(expected), initial=0)))
    return np.max(np.abs(found - expected), initial=0) > 16 * np.finfo(float).eps * terms * scale


def with_gradients(module, x, y, loss):
    cost = loss(module(x), y)
    cost.backward()
    return float(cost.detach()), {n: p.grad.numpy() for n, p in module.named_parameters()}


@pytest.mark.parametrize(("name", "make", "shape"), CASES, ids=[c[0] for c in CASES])
def test_forward_and_gradients_are_those_of_pytorch(name, make, shape):
    torch.manual_seed(5)
    module = make().double()
    for buffer_name, buffer in module.named_buffers():
        if buffer_name.endswith("running_var"):
            buffer.uniform_(0.5, 2)
    x = torch.randn(shape, dtype=torch.float64)
    before = copy.deepcopy(module.state_dict())
    net = Network.from_torch(module, x)
    expected = copy.deepcopy(module)(x)
    y = torch.randn(expected.shape, dtype=torch.float64)
    assert not far(net(x.numpy()), expected.detach().numpy(), 1000)
    whole = Network.from_torch(module, (x, y), loss=nn.MSELoss())
    assert all(torch.equal(before[k], v) for k, v in module.state_dict().items())
    cost, gradients = with_gradients(copy.deepcopy(module), x, y, nn.MSELoss())
    run = whole.run(x.numpy(), y.numpy())
    assert not far(run.loss, cost, 100)
    found = run.gradients()
    assert sorted(found) == sorted(name_of(key) for key in gradients)
    for key, gradient in gradients.items():
        assert not far(found[name_of(key)], gradient, 2000), key
    state = whole.state_dict()
    assert list(state) == list(before)
    assert all(torch.equal(state[k], before[k]) for k in before)


def name_of(key):
    plain = key.replace(".", "_")
    return f"p{plain}" if plain[0].isdigit() else plain
