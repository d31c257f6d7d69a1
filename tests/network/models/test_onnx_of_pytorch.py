"""Attention and recurrent layers as PyTorch's two exporters write them into ONNX files."""

import numpy as np
import pytest

from jacobian_bp import Network

torch = pytest.importorskip("torch", reason="the extra torch is not installed")
pytest.importorskip("onnx", reason="the extra onnx is not installed")
pytest.importorskip("onnxscript", reason="onnxscript, which PyTorch exports by, is not installed")
nn, F = torch.nn, torch.nn.functional

N, T, D = 3, 5, 6


class Tokens(nn.Module):
    """Tokens through a recurrent layer, and what a head reads of it."""

    def __init__(self, layer, head, which):
        super().__init__()
        self.layer, self.head, self.which = layer, head, which

    def forward(self, x):
        return self.head(self.which(*self.layer(x)))


def encoder(kind):
    layer = nn.TransformerEncoderLayer(D, 2, 7, batch_first=True, activation=kind)
    return nn.TransformerEncoder(layer, 1, enable_nested_tensor=False)


class Causal(nn.Module):
    def __init__(self):
        super().__init__()
        self.attention = nn.MultiheadAttention(D, 3, batch_first=True)
        self.register_buffer("mask", torch.triu(torch.ones(T, T, dtype=torch.bool), 1))

    def forward(self, x):
        return x + self.attention(x, x, x, attn_mask=self.mask, need_weights=False)[0]


class Waves(nn.Module):
    def __init__(self):
        super().__init__()
        self.channels, self.head = nn.Conv1d(T, 6, 1), nn.Linear(18, 2)
        self.written = nn.ConvTranspose1d(6, 4, 4, 3, 1, 1, groups=2)

    def forward(self, x):
        return self.head(torch.sin(3 * self.written(self.channels(x))))


class Cells(nn.Module):
    """Cells from states of 0, which an exporter folds into copies for each example."""

    def __init__(self):
        super().__init__()
        self.lstm, self.gru, self.rnn = nn.LSTMCell(D, 4), nn.GRUCell(4, 3), nn.RNNCell(D, 3)

    def forward(self, x):
        return F.softplus(self.gru(self.lstm(x[:, 0])[0])) + self.rnn(x[:, 1])


MODULES = {
    "an encoder": lambda: encoder("relu"),
    "causal attention": Causal,
    "lstm in both directions": lambda: Tokens(
        nn.LSTM(D, 4, 2, batch_first=True, bidirectional=True),
        nn.Linear(8, 1),
        lambda out, states: torch.cat((states[0][-2], states[0][-1]), 1),
    ),
    "relu in both directions": lambda: Tokens(
        nn.RNN(D, 4, nonlinearity="relu", batch_first=True, bidirectional=True),
        nn.Linear(8, 2),
        lambda out, state: out[:, -1],
    ),
    "windows written in groups, and angles": Waves,
    "cells from states of 0, and softplus": Cells,
    "gru, each token": lambda: Tokens(
        nn.GRU(D, 4, batch_first=True), nn.Linear(4, 2), lambda out, state: out
    ),
}


def exported(module, x, path, new):
    """The file of an exporter, the new one or the old one."""
    options = {"external_data": False} if new else {}
    torch.onnx.export(module, (x,), path, input_names=["x"], dynamo=new, verbose=False, **options)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.one_in(2)
@pytest.mark.parametrize("new", [True, False], ids=["new exporter", "old exporter"])
@pytest.mark.parametrize("name", MODULES)
def test_a_module_is_read_from_its_file_for_any_number_of_examples(name, new, tmp_path):
    torch.manual_seed(3)
    module = MODULES[name]().eval()
    with torch.no_grad():
        for parameter in module.parameters():  # equal arrays would be one in the file
            parameter.add_(0.1 * torch.randn_like(parameter))
    exported(module, torch.randn(2, T, D), f"{tmp_path}/model.onnx", new)
    net = Network.from_onnx(f"{tmp_path}/model.onnx")
    x = torch.randn(N, T, D, requires_grad=True)
    expected = module(x)
    assert np.abs(net(x.detach().numpy()) - expected.detach().numpy()).max() < 1e-6
    bar = torch.randn_like(expected)
    named = {k.replace(".", "_"): p for k, p in module.named_parameters()}
    wanted = torch.autograd.grad((expected * bar).sum(), [x, *named.values()])
    gradients = dict(zip(("x", *named), wanted, strict=True))
    run, last = net.run(x.detach().numpy()), net.steps[-1].partition(" = ")[0]
    alike = [k for k in net.params if k in named and named[k].shape == net.params[k].shape]
    assert alike
    for key in ("x", *alike):
        found = run.vjp(last, key, bar.numpy())
        scale = float(gradients[key].abs().max())
        assert np.abs(found - gradients[key].numpy()).max() < 2e-5 * max(1, scale), key
