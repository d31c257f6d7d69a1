"""Functions of PyTorch that are several ops here: forward and gradients, and slopes at limits."""

import numpy as np
import pytest

from jacobian_bp import Network
from jacobian_bp.errors import SpecError

torch = pytest.importorskip("torch", reason="the extra torch is not installed")
nn, F = torch.nn, torch.nn.functional

N, T, D = 3, 5, 6


class Of(nn.Module):
    """A module whose forward is a function of it and x; its parts are given."""

    def __init__(self, forward, **parts):
        super().__init__()
        self._forward = forward
        for name, part in parts.items():
            setattr(self, name, part)

    def forward(self, x):
        return self._forward(self, x)


def ones(*shape):
    return nn.Parameter(torch.ones(shape))


def between(*activations):
    """Linear maps with activations between them."""
    return nn.Sequential(*(part for a in activations for part in (nn.Linear(D, D), a)))


def grouped_queries(m, x):
    """Two heads of queries share each head of keys, as their entries are repeated."""
    k = m.k(x).view(N, T, 1, 3).transpose(1, 2).repeat_interleave(2, 1)
    q = m.q(x).view(N, T, 2, 3).transpose(1, 2)
    return F.scaled_dot_product_attention(q, k, k, is_causal=True).transpose(1, 2).flatten(2)


ROWS, TOKENS, IMAGES = (N, D), (N, T, D), (N, 4, 6, 10)
CASES = {
    "limited": (between(nn.ReLU6(), nn.Hardtanh(-0.5, 2), nn.SELU()), ROWS),
    "gated": (between(nn.Hardswish(), nn.Mish(), nn.Softsign(), nn.Softplus(2.0)), ROWS),
    "sloped": (between(nn.PReLU(), nn.LogSigmoid(), nn.PReLU(D)), ROWS),
    "half of it a gate": (nn.Sequential(nn.Linear(D, 8), nn.GLU()), TOKENS),
    "two inputs of one": (Of(lambda m, x: m.b(x, x), b=nn.Bilinear(D, D, 4)), ROWS),
    "rows of length 1": (
        Of(lambda m, x: F.linear(F.normalize(x), F.normalize(m.w)), w=ones(4, D)),
        ROWS,
    ),
    "standardised": (Of(lambda m, x: m.f((x - x.mean(1, keepdim=True)) / x.std(1, keepdim=True)),
                        f=nn.Linear(D, 4)), TOKENS),
    "weight norm": (nn.utils.parametrizations.weight_norm(nn.Linear(D, 4)), ROWS),
    "weight norm of a kernel": (nn.utils.parametrizations.weight_norm(nn.Conv2d(4, 2, 3)), IMAGES),
    "spectral norm": (nn.utils.parametrizations.spectral_norm(nn.Linear(D, 4)).eval(), ROWS),
    "instances": (nn.Sequential(nn.Conv2d(4, 2, 3), nn.InstanceNorm2d(2, affine=True)), IMAGES),
    "the largest": (
        Of(lambda m, x: torch.cat([m.c(x).max(1, True)[0], x.amax((2, 3), True) * m.c(x)], 1),
           c=nn.Conv2d(4, 4, 1)),
        IMAGES,
    ),
    "pooled to one place": (
        nn.Sequential(nn.Conv2d(4, 3, 3, padding="same"), nn.AdaptiveMaxPool2d((3, 2))), IMAGES
    ),
    "pixels": (
        nn.Sequential(nn.Conv2d(4, 8, (2, 4), padding="same"), nn.PixelShuffle(2),
                      nn.Upsample(scale_factor=2), nn.ConvTranspose2d(2, 3, 2, stride=2)),
        IMAGES,
    ),
    "windows that are written, and overlap": (
        nn.Sequential(nn.ConvTranspose2d(4, 6, (3, 4), (2, 1), (0, 1), (1, 0), groups=2),
                      nn.ConvTranspose2d(6, 2, 2, dilation=(1, 2), bias=False)),
        IMAGES,
    ),
    "angles": (Of(lambda m, x: torch.sin(m.f(x)) * x.cos(), f=nn.Linear(D, D)), TOKENS),
    "relu through time, forth and back": (
        Of(lambda m, x: m.r(x)[0].flatten(1),
           r=nn.RNN(D, 3, 2, "relu", batch_first=True, bidirectional=True)),
        TOKENS,
    ),
    "a cell of relu": (
        Of(lambda m, x: m.c(x[:, 1], m.c(x[:, 0])), c=nn.RNNCell(D, 4, nonlinearity="relu")), TOKENS
    ),
    "between pixels": (
        nn.Sequential(nn.Conv2d(4, 2, 3), nn.Upsample(scale_factor=2, mode="bilinear"),
                      nn.Upsample((7, 5), mode="bilinear", align_corners=True),
                      nn.Upsample(scale_factor=(1, 3), mode="bicubic"),
                      nn.Upsample(scale_factor=0.5, mode="bilinear"), nn.Upsample((4, 10))),
        IMAGES,
    ),
    "means of unequal windows": (
        nn.Sequential(nn.AdaptiveAvgPool2d((4, 3)), nn.Conv2d(4, 2, 3)), IMAGES
    ),
    "a batch norm of the images themselves": (
        nn.Sequential(nn.BatchNorm2d(4), nn.ReLU(), nn.Conv2d(4, 2, 3)), IMAGES
    ),
    "angle and distance": (
        Of(lambda m, x: F.cosine_similarity(m.a(x), m.b(x)) * F.pairwise_distance(m.a(x), x[:, :4]),
           a=nn.Linear(D, 4), b=nn.Linear(D, 4)),
        ROWS,
    ),
    "the larger and the smaller": (
        Of(lambda m, x: torch.maximum(m.a(x), m.b(x)) - torch.minimum(m.a(x), x).tanh(),
           a=nn.Linear(D, D), b=nn.Linear(D, D)),
        TOKENS,
    ),
    "one number of each example": (
        Of(lambda m, x: 1.5 * torch.sigmoid(m.a(x).squeeze(-1)) + x.norm(dim=1).clamp(min=0.5),
           a=nn.Linear(D, 1)),
        ROWS,
    ),
    "padded, rolled, turned round": (
        Of(lambda m, x: m.c(torch.roll(F.pad(x, (1, 0, 0, 2), value=0.5), (2, 1), (2, 3)).flip(3)),
           c=nn.Conv2d(4, 2, 3)),
        IMAGES,
    ),
    "weighed by what is expanded": (
        Of(lambda m, x: x * m.f(x.mean((2, 3))).view(N, 4, 1, 1).expand_as(x), f=nn.Linear(4, 4)),
        IMAGES,
    ),
    "grouped queries": (Of(grouped_queries, q=nn.Linear(D, 6), k=nn.Linear(D, 3)), TOKENS),
    "states of the module's own zeros": (
        Of(lambda m, x: m.c(x[:, 1], m.c(x[:, 0], x.new_zeros(N, 4))), c=nn.GRUCell(D, 4)), TOKENS
    ),
    "a constant matrix": (
        Of(lambda m, x: m.f(torch.tanh(x @ torch.ones(D, 2, dtype=x.dtype).cumsum(0))),
           f=nn.Linear(2, 4)),
        ROWS,
    ),
    "what is added to a product": (
        Of(lambda m, x: torch.addmm(m.b, x.view(-1, D), m.w).view(N, T, 4),
           w=ones(D, 4), b=ones(4)),
        TOKENS,
    ),
    "a number times a cost": (
        Of(lambda m, x: -0.5 * torch.sum(1 + m.f(x) - m.f(x).exp()), f=nn.Linear(D, 4)), ROWS
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_forward_and_gradients_are_those_of_pytorch(name):
    module, shape = CASES[name]
    torch.manual_seed(7)
    module = module.double()
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.add_(0.3 * torch.randn_like(parameter))
    x = torch.randn(shape, dtype=torch.float64)
    net, expected = Network.from_torch(module, x), module(x)
    np.testing.assert_allclose(net(x.numpy()), expected.detach().numpy(), rtol=0, atol=1e-13)
    bar = torch.randn_like(expected)
    named = dict(module.named_parameters())
    gradients = torch.autograd.grad((expected * bar).sum(), list(named.values()))
    run, last = net.run(x.numpy()), net.steps[-1].partition(" = ")[0]
    back = bar.numpy() if bar.ndim else float(bar)
    for key, gradient in zip(named, gradients, strict=True):
        own = key.replace(".", "_")
        found = run.vjp(last, f"p{own}" if own[0].isdigit() else own, back)
        np.testing.assert_allclose(found, gradient.numpy(), rtol=0, atol=2e-12, err_msg=key)


@pytest.mark.parametrize(
    "limited",
    [
        F.relu6,
        lambda z: F.hardtanh(z, -0.5, 2.0),
        lambda z: z.clamp(-1, 0.5),
        lambda z: z.clamp(min=0),
        lambda z: torch.maximum(z, 3 * z),
        lambda z: torch.minimum(z, 2 * z),
    ],
)
def test_at_a_limit_the_slope_is_that_of_pytorch(limited):
    x = torch.tensor([[-1.0, -0.5, 0.0], [0.5, 2.0, 6.0]], dtype=torch.float64, requires_grad=True)
    module = Of(lambda m, x: limited(x) * m.w, w=nn.Parameter(torch.ones(3).double()))
    (gradient,) = torch.autograd.grad(module(x).sum(), x)
    net = Network.from_torch(module, x)
    run, last = net.run(x.detach().numpy()), net.steps[-1].partition(" = ")[0]
    assert np.array_equal(run.vjp(last, "x", np.ones((2, 3))), gradient.numpy())


def test_a_padding_row_of_an_embedding_has_no_gradient_and_keeps_its_numbers():
    torch.manual_seed(1)
    module = nn.Sequential(nn.Embedding(7, D, padding_idx=2), nn.Linear(D, 4)).double()
    with torch.no_grad():
        module[0].weight[2] = 1.5
    u = torch.tensor([[0, 2, 6], [2, 2, 5]])
    net, expected = Network.from_torch(module, u), module(u)
    np.testing.assert_allclose(net(u.numpy()), expected.detach().numpy(), rtol=0, atol=1e-14)
    expected.sum().backward()
    found = net.run(u.numpy()).vjp("v1", "p0_weight", np.ones(expected.shape))
    assert not found[2].any()
    np.testing.assert_allclose(found, module[0].weight.grad.numpy(), rtol=0, atol=1e-14)


REFUSED = {
    "windows that differ in size": (
        nn.AdaptiveMaxPool2d((4, 3)),
        "aten.adaptive_max_pool2d: its windows differ in size: from (6, 10) to (4, 3)",
    ),
    "a padding of the edges": (
        nn.ReflectionPad2d(1), "aten.pad: its mode is 'reflect'; pad with a constant"
    ),
    "a limit far away": (
        Of(lambda m, x: x.clamp(-1e9, 1)),
        "aten.clamp: it is limited to -1000000000.0 and 1.0, and limits are read up to 100",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_not_read_is_named_with_what_to_write(name):
    module, line = REFUSED[name]
    with pytest.raises(SpecError) as caught:
        Network.from_torch(module, torch.randn(IMAGES))
    assert str(caught.value) == (
        f"{type(module).__name__} cannot be written as a program: 1 problem.\n  {line}\n"
        "  What is read stands in docs/models.md; leave the rest out, or write it as a program."
    )


def test_a_rule_that_is_wrong_is_found_before_the_network_is_handed_out(monkeypatch):
    """The planted mistakes: another function, and axes that stay where they are."""
    from jacobian_bp.network.models import place_rules, rules

    turned = Of(lambda m, x: m.f(x.transpose(0, 1)).transpose(0, 1).tanh(), f=nn.Linear(D, 2))
    monkeypatch.setitem(rules.RULES, "mish", rules.RULES["softsign"])
    monkeypatch.setattr(place_rules, "turned", lambda b, called, value, order: value)
    for module in (nn.Mish(), Of(lambda m, x: m.f(x).transpose(1, 2), f=nn.Linear(D, T))):
        with pytest.raises(SpecError, match="the program does not give what the model gives"):
            Network.from_torch(module, torch.randn(TOKENS))
    assert Network.from_torch(turned, torch.randn(TOKENS)).steps[0].startswith("f = Linear(x")
