"""Losses, names, tokens, data of other sizes; and what is refused, with its place."""

import subprocess
import sys
import threading

import numpy as np
import pytest

from jacobian_bp import Network
from jacobian_bp.errors import SpecError

torch = pytest.importorskip("torch", reason="the extra torch is not installed")
nn, F = torch.nn, torch.nn.functional

N, D, K = 5, 3, 7
DOUBLE = {"dtype": torch.float64}


def rows():
    return nn.Sequential(nn.Linear(D, 11), nn.Tanh(), nn.Linear(11, K)).double()


class Language(nn.Module):
    """Tokens in, the cross-entropy of the next ones out, as it is often written."""

    def __init__(self):
        super().__init__()
        self.token, self.head = nn.Embedding(K, D), nn.Linear(D, K, bias=False)
        self.head.weight = self.token.weight

    def forward(self, u, y):
        z = self.head(torch.tanh(self.token(u)))
        return F.cross_entropy(z.view(-1, z.size(-1)), y.view(-1))


def labels(kind):
    torch.manual_seed(3)
    return {
        "classes": torch.randint(0, K, (N,)),
        "numbers": torch.randn(N, K, **DOUBLE),
        "bits": torch.randint(0, 2, (N, K)).double(),
        "rows": torch.softmax(torch.randn(N, K, **DOUBLE), 1),
    }[kind]


LOSSES = {
    "cross_entropy": (nn.CrossEntropyLoss(), "classes"),
    "cross_entropy, summed": (nn.CrossEntropyLoss(reduction="sum"), "classes"),
    "cross_entropy of rows": (nn.CrossEntropyLoss(), "rows"),
    "squared": (nn.MSELoss(), "numbers"),
    "squared, summed": (nn.MSELoss(reduction="sum"), "numbers"),
    "huber": (nn.HuberLoss(delta=0.7), "numbers"),
    "smooth": (nn.SmoothL1Loss(), "numbers"),
    "bce of logits": (nn.BCEWithLogitsLoss(), "bits"),
    "bce": (lambda a, y: F.binary_cross_entropy(torch.sigmoid(a), y), "bits"),
    "nll": (lambda a, y: F.nll_loss(F.log_softmax(a, 1), y), "classes"),
}


@pytest.mark.parametrize("name", LOSSES)
def test_a_loss_and_its_gradients_are_those_of_pytorch(name):
    loss, kind = LOSSES[name]
    torch.manual_seed(1)
    module, x, y = rows(), torch.randn(N, D, **DOUBLE), labels(kind)
    run = Network.from_torch(module, (x, y), loss=loss).run(x.numpy(), y.numpy())
    cost = loss(module(x), y)
    cost.backward()
    assert run.loss == pytest.approx(cost.item(), rel=1e-13)
    for key, parameter in module.named_parameters():
        gradient = run.gradients()["p" + key.replace(".", "_")]
        np.testing.assert_allclose(gradient, parameter.grad.numpy(), rtol=0, atol=1e-14)
    assert run.check().ok


def test_a_module_whose_forward_is_the_loss_of_tied_tokens():
    torch.manual_seed(2)
    module = Language().double()
    u, y = torch.randint(0, K, (N, 2)), torch.randint(0, K, (N, 2))
    net = Network.from_torch(module, (u, y))
    assert net.steps == (
        "token = Embedding(u, token_weight)",
        "tanh = Tanh(token)",
        "head = Linear(tanh, token_weight)",
        "L = CrossEntropyFromLogits(head, y)",
        "J = Mean(L, over='n,t')",
    )
    cost = module(u, y)
    cost.backward()
    run = net.run(u=u.numpy(), y=y.numpy())
    assert run.loss == pytest.approx(cost.item(), rel=1e-13)
    gradient = run.gradients()["token_weight"]
    np.testing.assert_allclose(gradient, module.token.weight.grad.numpy(), rtol=0, atol=1e-14)
    state = net.state_dict()
    assert list(state) == ["token.weight", "head.weight"]
    module.load_state_dict(state)


def test_one_example_and_another_number_of_examples_run_too():
    torch.manual_seed(4)
    module = nn.Sequential(nn.Linear(D, K), nn.LayerNorm(K)).double()
    tokens = torch.randn(N, 2, D, **DOUBLE)
    net = Network.from_torch(module, tokens)
    with torch.no_grad():
        for x in (tokens, torch.randn(2, 4, D, **DOUBLE), tokens[0]):
            np.testing.assert_allclose(net(x.numpy()), module(x).numpy(), rtol=1e-12)
    axes = net.run(tokens.numpy()).jacobian("v1", "x").axes
    assert [axis.name for axis in axes] == ["n", "t", "k", "n'", "t'", "i'"]


def test_float32_stays_float32_and_nothing_is_shared():
    module = nn.Linear(D, K)
    x = torch.randn(N, D)
    net = Network.from_torch(module, x)
    assert net(x.numpy()).dtype == np.float32
    state = net.state_dict()
    state["weight"].zero_()
    assert net.params["weight"].any()
    assert module.weight.abs().sum() > 0
    trained = net.with_params({"weight": np.ones((K, D), np.float32)})
    assert torch.equal(trained.state_dict()["weight"], torch.ones(K, D))
    assert torch.equal(trained.state_dict()["bias"], module.bias.detach())


def test_a_module_is_left_as_it_is_and_random_numbers_go_on():
    module = nn.Sequential(nn.Linear(D, K), nn.BatchNorm1d(K))
    before = {k: v.clone() for k, v in module.state_dict().items()}
    state = torch.random.get_rng_state()
    net = Network.from_torch(module, torch.ones(N, D) * torch.arange(N)[:, None])
    assert torch.equal(torch.random.get_rng_state(), state)
    assert all(torch.equal(v, before[k]) for k, v in module.state_dict().items())
    assert list(net.state_dict()) == list(before)


def test_a_parameter_that_nothing_reads_is_given_back():
    module = nn.Module()
    module.used, module.spare = nn.Linear(D, K), nn.Linear(2, 2)
    module.forward = lambda x: module.used(x)
    net = Network.from_torch(module, torch.randn(N, D))
    assert list(net.params) == ["used_weight", "used_bias"]
    assert list(net.state_dict()) == list(module.state_dict())
    module.load_state_dict(net.state_dict())


class Odd(nn.Module):
    def __init__(self):
        super().__init__()
        self.first, self.drop = nn.Linear(D, K), nn.Dropout(0.5)
        self.act, self.attention = nn.Hardshrink(), nn.MultiheadAttention(K, 1, add_zero_attn=True)

    def forward(self, x):
        z = self.drop(self.act(self.first(x)))
        return self.attention(z[:, None], z[:, None], z[:, None])[0] + torch.cumprod(z, 1)[:, None]


def test_all_that_is_not_known_is_named_with_its_place():
    with pytest.raises(SpecError) as caught:
        Network.from_torch(Odd(), torch.randn(N, D))
    assert str(caught.value) == (
        "Odd cannot be written as a program: 4 problems.\n"
        "  module 'act', aten.hardshrink: it is not known\n"
        "  module 'drop', aten.dropout: it drops out at random in training; call model.eval()\n"
        "  module 'attention', MultiheadAttention: it adds a key of zeros; make it with "
        "add_zero_attn=False\n"
        "  aten.cumprod: it is not known\n"
        "  What is read stands in docs/models.md; leave the rest out, or write it as a program."
    )


REFUSED = {
    "no module": (
        lambda: Network.from_torch(torch.ones(3), torch.ones(3)),
        "Network.from_torch is given a Tensor, not a torch.nn.Module.\n"
        "  Write Network.from_torch(model, x).",
    ),
    "no tensor": (
        lambda: Network.from_torch(nn.Linear(2, 3), "x"),
        "Network.from_torch: input 0 of the example is a str, not a tensor of real numbers.\n"
        "  Give x as the module reads it, or a tuple of its inputs.",
    ),
    "complex numbers": (
        lambda: Network.from_torch(nn.Linear(2, 3), torch.ones(5, 2, dtype=torch.complex64)),
        "Network.from_torch: input 0 of the example is a Tensor of torch.complex64, not a tensor "
        "of real numbers.\n  Give x as the module reads it, or a tuple of its inputs.",
    ),
    "no labels": (
        lambda: Network.from_torch(nn.Linear(2, 3), torch.ones(5, 2), loss=nn.MSELoss()),
        "Network.from_torch is given no labels.\n"
        "  Write Network.from_torch(model, (x, y), loss=torch.nn.CrossEntropyLoss()).",
    ),
    "labels without a loss": (
        lambda: Network.from_torch(nn.Linear(2, 3), (torch.ones(5, 2), torch.ones(5).long())),
        "Network.from_torch: the forward of Linear takes 1 input, input; the example has 2.\n"
        "  If the last holds labels, write Network.from_torch(model, (x, y), "
        "loss=torch.nn.CrossEntropyLoss()).",
    ),
    "numbers as labels without a loss": (
        lambda: Network.from_torch(
            nn.Bilinear(2, 3, 4), tuple(torch.ones(5, k) for k in (2, 3, 4))
        ),
        "Network.from_torch: the forward of Bilinear takes 2 inputs, input1, input2; the example "
        "has 3.\n  If the last holds labels, write Network.from_torch(model, (input1, input2, y), "
        "loss=torch.nn.MSELoss()).",
    ),
    "an input that is missing": (
        lambda: Network.from_torch(nn.Bilinear(2, 3, 4), torch.ones(5, 2)),
        "Network.from_torch: the forward of Bilinear takes 2 inputs, input1, input2; the example "
        "has 1.\n  Give a tuple of input1, input2.",
    ),
    "other columns": (
        lambda: Network.from_torch(nn.Linear(2, 3), torch.ones(5, 7)),
        "Network.from_torch: Linear does not run on the example: RuntimeError: mat1 and mat2 "
        "shapes cannot be multiplied (5x7 and 2x3)\n"
        "  Its inputs have the shapes (5, 7): give what the module reads, with its axis of "
        "examples.",
    ),
    "an image without examples": (
        lambda: Network.from_torch(nn.Conv2d(2, 3, 2), torch.ones(2, 5, 7)),
        "Conv2d cannot be written as a program: 1 problem.\n"
        "  aten.conv2d: it reads 3 axes; give the example with its axis of examples: x[None]\n"
        "  What is read stands in docs/models.md; leave the rest out, or write it as a program.",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_read_says_what_to_write(name):
    call, message = REFUSED[name]
    with pytest.raises(SpecError) as caught:
        call()
    assert str(caught.value) == message


def test_a_forward_with_branches_on_numbers_is_told():
    class Branching(nn.Module):
        def forward(self, x):
            return x if x.sum() > 0 else -x

    with pytest.raises(SpecError, match=r"torch\.export cannot trace Branching"):
        Network.from_torch(Branching(), torch.ones(3, 2))


def test_what_a_pair_without_a_loss_is_told_to_write_is_read():
    x, bits = torch.randn(5, D), torch.ones(5).long()
    net = Network.from_torch(nn.Linear(D, 3), (x, bits), loss=nn.CrossEntropyLoss())
    assert net.steps[-1] == "J = Mean(L)"
    two, z, y = nn.Bilinear(D, 2, 3), torch.randn(5, 2), torch.randn(5, 3)
    run = Network.from_torch(two, (x, z, y), loss=nn.MSELoss()).run(
        input1=x.numpy(), input2=z.numpy(), y=y.numpy()
    )
    cost = F.mse_loss(two(x, z), y)
    cost.backward()
    assert run.loss == pytest.approx(cost.item(), rel=1e-6)
    found = run.gradients()["weight"]
    np.testing.assert_allclose(found, two.weight.grad.numpy(), rtol=0, atol=1e-6)


LOUD = """
import sys
import torch
from jacobian_bp import Network
from jacobian_bp.errors import SpecError

class Branching(torch.nn.Module):
    def forward(self, x):
        print("the forward runs")
        return x if x.sum() > 0 else -x

streams = sys.stdout, sys.stderr
try:
    Network.from_torch(Branching(), torch.ones(3, 2))
except SpecError as error:
    print(str(error).partition(":")[0])
assert (sys.stdout, sys.stderr) == streams
print("heard", file=sys.stderr)
"""


def test_what_pytorch_logs_before_a_refusal_is_not_shown():
    run = subprocess.run(
        [sys.executable, "-c", LOUD], capture_output=True, text=True, timeout=120, check=True
    )
    assert run.stdout == "the forward runs\nNetwork.from_torch\n"
    assert run.stderr == "heard\n"


def test_numbers_that_differ_from_the_module_are_no_network(monkeypatch):
    """The planted mistake: a rule that writes another activation."""
    from jacobian_bp.network.models import entry_rules

    monkeypatch.setitem(entry_rules.SIMPLE, "tanh", "Sigmoid")
    with pytest.raises(SpecError, match="does not give what the model gives"):
        Network.from_torch(rows(), torch.randn(N, D, **DOUBLE))


def test_what_other_threads_print_meanwhile_is_shown(capsys):
    from jacobian_bp.network.models.torch_example import silently

    with silently(torch):
        print("ours")
        other = threading.Thread(target=print, args=("theirs",))
        other.start()
        other.join()
    assert capsys.readouterr().out == "theirs\n"


def test_a_module_of_bfloat16_is_told_to_be_read_in_float32():
    model, x = torch.nn.Linear(3, 2).bfloat16(), torch.randn(5, 3).bfloat16()
    with pytest.raises(SpecError) as caught:
        Network.from_torch(model, x)
    assert str(caught.value) == (
        "Network.from_torch: weight is of torch.bfloat16, which numpy does not have.\n"
        "  Write Network.from_torch(model.float(), x.float()), with a copy of the model if it is "
        "to stay as it is."
    )
    net = Network.from_torch(model.float(), x.float())
    assert net.params["weight"].dtype == np.float32
