"""Modules of PyTorch as people write them: states of 0 joined by hand, masks, tokens in front."""

import numpy as np
import pytest

from jacobian_bp import Network
from jacobian_bp.errors import SpecError

torch = pytest.importorskip("torch", reason="the extra torch is not installed")
nn, F = torch.nn, torch.nn.functional

N, T, D, K = 3, 5, 6, 4
DOUBLE = {"dtype": torch.float64}
LATER = torch.ones(T, T, dtype=torch.bool).triu(1)
PADDED = torch.arange(T).expand(N, T) >= T - 2
FAR = -(torch.arange(T)[:, None] - torch.arange(T)).abs() * torch.tensor([1.0, 0.5])[:, None, None]


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

    def forward(self, x):
        return self._forward(self, x)


def cell_by_hand(m, x):
    """h = tanh(W [x, h] + b) from a state of 0, the states of all steps side by side."""
    states = [torch.zeros(x.size(0), K, dtype=x.dtype)]
    for t in range(x.size(1)):
        states.append(torch.tanh(m.f(torch.cat([x[:, t], states[-1]], 1))))
    return torch.stack(states, 1)


def gates_apart(m, x):
    """The gates of x and of a state of 0 are computed apart, and added."""
    h = c = x.new_zeros(x.shape[0], K)
    for t in range(2):
        pairs = zip(m.w(x[:, t]).chunk(4, 1), (h @ m.u).chunk(4, 1), strict=True)
        i, f, o, g = (a + b for a, b in pairs)
        c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
        h = torch.sigmoid(o) * torch.tanh(c)
    return h


def heads(**options):
    return nn.MultiheadAttention(D, 2, **options)


def drawn(*shape):
    return nn.Parameter(torch.randn(shape, generator=torch.Generator().manual_seed(3)))


CASES = {
    "a cell, its state joined to the input": (Of(cell_by_hand, f=nn.Linear(D + K, K)), (N, T, D)),
    "gates of input and state apart": (
        Of(gates_apart, w=nn.Linear(D, 4 * K), u=drawn(K, 4 * K)), (N, T, D)
    ),
    "a column of ones": (
        Of(lambda m, x: torch.cat([x, x.new_ones(N, T, 1)], -1) @ m.w, w=drawn(D + 1, K)), (N, T, D)
    ),
    "a token that is repeated in front": (
        Of(lambda m, x: m.f(torch.cat([m.c.repeat(N, 1, 1), x], 1)), c=drawn(1, 1, D),
           f=nn.Linear(D, K)),
        (N, T, D),
    ),
    "a token that is expanded from a vector": (
        Of(lambda m, x: m.f(torch.cat([m.c.expand(N, 1, D), x], 1)), c=drawn(D),
           f=nn.Linear(D, K)),
        (N, T, D),
    ),
    "two masks": (
        Of(lambda m, x: m.a(x, x, x, attn_mask=LATER, key_padding_mask=PADDED)[0],
           a=heads(batch_first=True)),
        (N, T, D),
    ),
    "numbers added to the scores of each head": (
        Of(lambda m, x: m.a(x, x, x, attn_mask=m.far.repeat(N, 1, 1))[0],
           a=heads(batch_first=True), far=FAR),
        (N, T, D),
    ),
    "scores with numbers added": (
        Of(lambda m, x: F.scaled_dot_product_attention(m.q(x), x, x, attn_mask=m.far[0]),
           q=nn.Linear(D, D), far=FAR),
        (N, T, D),
    ),
    "attention to itself, twice": (
        Of(lambda m, x: m.a(*3 * [x + m.a(x, x, x)[0]])[0], a=heads(batch_first=True)), (N, T, D)
    ),
    "queries that are learned": (
        Of(lambda m, x: m.a(m.q.expand(N, -1, -1), x, x)[0], q=drawn(1, 2, D),
           a=heads(batch_first=True)),
        (N, T, D),
    ),
    "a layer of an encoder, tokens in front": (
        Of(lambda m, x: m.e(x.transpose(0, 1)).transpose(0, 1),
           e=nn.TransformerEncoderLayer(D, 2, 7, dropout=0.0)),
        (N, T, D),
    ),
    "a norm over channels and places": (
        nn.Sequential(nn.Conv2d(2, 4, 2), nn.LayerNorm([4, 4, 3]), nn.RMSNorm([4, 3])), (N, 2, 5, 4)
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
    x, other = torch.randn(shape, **DOUBLE), torch.randn(shape, **DOUBLE)[:1]
    net, expected = Network.from_torch(module, x), module(x)
    np.testing.assert_allclose(net(x.numpy()), expected.detach().numpy(), rtol=0, atol=1e-13)
    bar = torch.randn_like(expected)
    named = dict(module.named_parameters())
    gradients = torch.autograd.grad((expected * bar).sum(), list(named.values()))
    run, last = net.run(x.numpy()), net.steps[-1].partition(" = ")[0]
    for key, gradient in zip(named, gradients, strict=True):
        own = key.replace(".", "_")
        own = f"p{own}" if own[0].isdigit() else own
        found = run.vjp(last, own, bar.numpy())
        np.testing.assert_allclose(found, gradient.numpy(), rtol=0, atol=2e-12, err_msg=key)
        assert not np.allclose(run.vjp(last, own, bar.numpy() + 1), gradient.numpy(), atol=1e-9)
    assert net(other.numpy()).shape == (1, *expected.shape[1:])


class Reversed(torch.autograd.Function):
    """What is given, with the sign of its slope turned round."""

    @staticmethod
    def forward(ctx, x):
        return x.clone()

    @staticmethod
    def backward(ctx, bar):
        return -bar


class Elsewhere(torch.autograd.Function):
    """tanh by numpy."""

    @staticmethod
    def forward(ctx, x):
        return torch.from_numpy(np.tanh(x.detach().numpy()))

    @staticmethod
    def backward(ctx, bar):
        return bar


def own_function(which):
    return Of(lambda m, x: which.apply(m.f(x)), f=nn.Linear(D, K))


def test_a_backward_of_the_modules_own_is_said_not_to_be_read():
    module, x = own_function(Reversed), torch.randn(N, D)
    net = Network.from_torch(module, x)
    said = (
        "the backward of Reversed, a torch.autograd.Function, is not read: the derivatives are "
        "those of its forward"
    )
    assert repr(net) == f"<Network of 1 steps, 28 parameters; {said}>"
    assert net.facts.remarks == (said,)
    assert "of Reversed" in str(
        net.followed_by("J = Sum(f, over='n,k')").run(x.numpy()).derivation()
    )
    assert not Network.from_torch(nn.Linear(D, K), x).facts.remarks
    normal = nn.Sequential(nn.Linear(D, K), nn.BatchNorm1d(K), own_function(Reversed))
    normal[2].f = nn.Linear(K, K)
    assert Network.from_torch(normal, x).facts.remarks == (said,)
    module(x).sum().backward()
    found = net.run(x.numpy()).vjp("f", "f_weight", np.ones((N, K)))
    np.testing.assert_allclose(found, -module.f.weight.grad.numpy(), rtol=1e-5)


def refused(call):
    with pytest.raises(SpecError) as caught:
        call()
    return str(caught.value)


def test_a_function_that_leaves_pytorch_is_named():
    told = refused(lambda: Network.from_torch(own_function(Elsewhere), torch.randn(N, D)))
    first, last = told.split("\n")
    assert first.startswith("Network.from_torch: torch.export cannot trace Of: RuntimeError: ")
    assert last == (
        "  Write its forward without branches on numbers of a tensor, and that of Elsewhere, "
        "torch.autograd.Function, in functions of torch alone."
    )


REFUSED = {
    "rows of a parameter for each example": (
        Of(lambda m, x: m.f(x + m.z), f=nn.Linear(D, K), z=nn.Parameter(torch.zeros(N, D))),
        (N, D),
        "aten.add.Tensor: a parameter of shape (3, 6) has entries of its own for each example; "
        "give it one row, or make it an input",
    ),
    "rows of a parameter that are joined": (
        Of(lambda m, x: torch.cat([x, m.z], 1), z=nn.Parameter(torch.zeros(N, K))),
        (N, D),
        "aten.cat: a parameter that it joins has the shape (3, 4), with an axis of the examples; "
        "give it one row, and repeat that: h.expand(len(x), -1)",
    ),
    "constants that differ and are joined": (
        Of(lambda m, x: m.f(torch.cat([x, m.z], 1)), f=nn.Linear(D + 1, K), z=drawn(N, 1).detach()),
        (N, D),
        "aten.cat: a constant that it reads differs between examples; make it an input",
    ),
    "constants that differ, behind a layer": (
        Of(lambda m, x: m.f(x) + m.f(m.z), f=nn.Linear(D, K), z=drawn(N, D).detach()),
        (N, D),
        "aten.add.Tensor: numbers of shape (3, 4) have an axis of the examples; make them an input",
    ),
    "a mask for each example": (
        Of(lambda m, x: m.a(x, x, x, key_padding_mask=PADDED ^ LATER[:N])[0],
           a=heads(batch_first=True)),
        (N, T, D),
        "module 'a', MultiheadAttention: its mask differs between examples; give all of them one "
        "mask",
    ),
    "a batch that is not first": (
        Of(lambda m, x: m.a(x, x, x)[0], a=heads()),
        (N, T, D),
        "module 'a', MultiheadAttention: its batch is not first; make it with batch_first=True",
    ),
    "states that are projected": (
        Of(lambda m, x: m.r(x)[0], r=nn.LSTM(D, K, batch_first=True, proj_size=2)),
        (N, T, D),
        "module 'r', aten.lstm.input: it projects its states; make it with proj_size=0",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_not_read_is_named_with_what_to_write(name):
    module, shape, line = REFUSED[name]
    assert refused(lambda: Network.from_torch(module, torch.randn(shape))) == (
        f"Of cannot be written as a program: 1 problem.\n  {line}\n"
        "  What is read stands in docs/models.md; leave the rest out, or write it as a program."
    )


def test_a_loss_that_fails_is_said_to_be_the_loss():
    x, rows, classes = torch.randn(N, D), torch.randn(N, 2), torch.tensor([0, K, 1])
    model = nn.Linear(D, K)
    assert refused(lambda: Network.from_torch(model, (x, rows), loss=nn.MSELoss())) == (
        "Network.from_torch: the loss MSELoss does not run on what Linear gives: RuntimeError: The "
        "size of tensor a (4) must match the size of tensor b (2) at non-singleton dimension 1\n"
        "  It is given (3, 4) and labels of shape (3, 2), torch.float32: write a loss that reads "
        "both, or give other labels."
    )
    assert refused(lambda: Network.from_torch(model, (x, classes), loss=F.cross_entropy)) == (
        "Network.from_torch: the loss cross_entropy does not run on what Linear gives: IndexError: "
        "Target 4 is out of bounds.\n"
        "  It is given (3, 4) and labels of shape (3,), torch.int64: write a loss that reads both, "
        "or give other labels."
    )
    assert refused(lambda: Network.from_torch(model, (x[:, 1:], rows), loss=nn.MSELoss())) == (
        "Network.from_torch: Linear does not run on the example: RuntimeError: mat1 and mat2 "
        "shapes cannot be multiplied (3x5 and 6x4)\n"
        "  Its inputs have the shapes (3, 5): give what the module reads, with its axis of "
        "examples."
    )

    def branches(a, y):
        return a.sum() if a[0, 0] > 0 else y

    branching = refused(lambda: Network.from_torch(model, (x, rows), loss=branches))
    assert branching.startswith("Network.from_torch: torch.export cannot trace the loss branches: ")
    own = refused(
        lambda: Network.from_torch(model, (x, rows), loss=lambda a, y: a.cumprod(1).sum() + y[0, 0])
    )
    assert "\n  the loss, aten.cumprod: it is not known\n" in own
