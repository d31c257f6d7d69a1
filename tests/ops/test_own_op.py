"""An op in one file of one's own gets everything that the built-in ops have."""

import importlib.util
from textwrap import dedent

import numpy as np
import pytest

from jacobian_bp import DomainError, Network, SpecError, check_op, diagnose, diagnose_line, ops
from jacobian_bp.compare.cost.cost_card import cost_card
from jacobian_bp.compare.timing.peer_ops import evaluate
from jacobian_bp.ops.facts import OF_THE_CLASS, Facts
from jacobian_bp.ops.kernels import GENERAL, kernel
from jacobian_bp.ops.names import ACTIVATIONS, named
from jacobian_bp.ops.peer_functions import NUMPY
from jacobian_bp.ops.textbook import Textbook

FILE = '''
"""An activation, a loss and a layer, each with what it says of itself."""

import numpy as np

from jacobian_bp import Op, delta, dense
from jacobian_bp.ops import Activation
from jacobian_bp.ops.kernels import kernel
from jacobian_bp.ops.textbook import Textbook


@kernel(in_place=True)
def softsign(op, at):
    (z,), a, (z_bar,) = at.inputs, at.value, at.input_bars
    r, one = at.buffer(), at.number(1)

    def forward():
        np.abs(z, out=r)
        np.add(r, one, out=r)
        np.reciprocal(r, out=r)
        np.multiply(z, r, out=a)

    def backward():
        np.multiply(r, r, out=r)
        np.multiply(at.bar, r, out=z_bar)

    return forward, backward


class Softsign(Activation):
    formula = "z / (1 + |z|)"
    compiled_as = softsign
    textbook = Textbook(
        "softsign",
        value=lambda z: z / (1 + np.abs(z)),
        slope=lambda z: 1 / (1 + np.abs(z)) ** 2,
        by_output=lambda a: (1 - np.abs(a)) ** 2,
        written="(1 − |a|)²",
    )

    def forward(self, z):
        return z / (1 + np.abs(z))

    def jacobians(self, z):
        return self.diagonal("softsign'(z)", 1 / (1 + np.abs(z)) ** 2)

    def vjp(self, a_bar, z):
        return {"z": a_bar / (1 + np.abs(z) * (2 + np.abs(z)))}

    def peer(self, xp, z):
        return z / (1 + abs(z))


class LogCosh(Op):
    signature = "a[k], y[k] -> L[]"
    formula = "Σ log cosh(a − y)"
    labels = constants = ("y",)
    reasons = {"a": "log cosh has slope tanh"}

    def forward(self, a, y):
        return np.log(np.cosh(a - y)).sum(axis=-1)

    def jacobians(self, a, y):
        return {"a": dense("tanh(a − y)[k']", np.tanh(a - y))}

    def vjp(self, L_bar, a, y):
        e = np.exp(2 * (a - y))
        return {"a": L_bar[..., None] * (e - 1) / (e + 1)}

    def peer(self, xp, a, y):
        return (xp.softplus(2 * (a - y)) - (a - y) - np.log(2)).sum(-1)


class Gain(Op):
    signature = "a[k], g[k] -> z[k]"
    parameters = ("g",)
    formula = "g * a, entry by entry"
    reasons = {"a": "unit k has its own gain", "g": "gain k scales unit k only"}
    shows_nonfinite = True

    def forward(self, a, g):
        return g * a

    def jacobians(self, a, g):
        return {"a": delta("k,k'") * dense("g[k]", g), "g": delta("k,k'") * dense("a[k]", a)}

    def vjp(self, z_bar, a, g):
        return {"a": z_bar * g, "g": (z_bar * a).sum(axis=0) if a.ndim > 1 else z_bar * a}

    def peer(self, xp, a, g):
        return a * g
'''
RNG = np.random.default_rng(8)
X, Y = RNG.normal(size=(5, 3)), RNG.normal(size=(5, 2))
GIVEN = {
    "Softsign": {"z": X},
    "LogCosh": {"a": X, "y": RNG.normal(size=X.shape)},
    "Gain": {"a": X, "g": RNG.normal(size=3)},
}
each_op = pytest.mark.parametrize("name", GIVEN)


@pytest.fixture(scope="module")
def own(tmp_path_factory):
    """The module of the file, imported from where it lies."""
    path = tmp_path_factory.mktemp("own") / "own_ops.py"
    path.write_text(dedent(FILE), encoding="utf-8")
    spec = importlib.util.spec_from_file_location("own_ops", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def net(own):
    """3-4-2, the activation and the loss by names that the caller gives."""
    names = {"softsign": own.Softsign, "log_cosh": own.LogCosh}
    return Network.dense([3, 4, 2], ["softsign", "identity"], "log_cosh", seed=3, ops=names)


@pytest.fixture(scope="module")
def layered(own):
    """The three ops in a program, the layer between two linear ones."""
    lines = ["u = Linear(x, V, b)", "h = Softsign(u)", "g = Gain(h, s)", "out = Linear(g, W, c)"]
    shapes = {"V": (4, 3), "b": (4,), "s": (4,), "W": (2, 4), "c": (2,)}
    params = {name: RNG.normal(size=shape) for name, shape in shapes.items()}
    names = {"Softsign": own.Softsign, "LogCosh": own.LogCosh, "Gain": own.Gain}
    return Network.program(*lines, "L = LogCosh(out, y)", "J = Mean(L)", params=params, ops=names)


@pytest.fixture(params=["net", "layered"])
def either(request):
    return request.getfixturevalue(request.param)


@each_op
def test_it_is_checked(own, name):
    report = check_op(getattr(own, name), GIVEN[name])
    assert report.ok, str(report)


def test_its_routes_agree(either):
    report = either.run(X, Y).check()
    assert report.ok, str(report)


def test_it_is_printed_with_its_reason(either):
    text = str(either.run(X[0], Y[0]).derivation())
    for words in (
        "/ (1 + |",
        "softsign'(",
        "entry k reads entry k only",
        "log cosh has slope tanh",
    ):
        assert words in text


def test_a_layer_is_printed_with_its_reason(layered):
    text = str(layered.run(X[0], Y[0]).derivation())
    for words in ("s * h, entry by entry", "gain k scales unit k only"):
        assert words in text


def test_it_is_compiled_by_its_kernel(monkeypatch, own, either):
    made, own_kernel = [], own.Softsign.compiled_as
    counting = kernel(in_place=True)(lambda op, at: made.append(op) or own_kernel(op, at))
    monkeypatch.setattr(own.Softsign, "compiled_as", counting)
    step = either.compile(batch=5)
    step(either.params, -X, Y)
    cost, found = step(either.params, X, Y)
    run = either.run(X, Y)
    assert len(made) == 1
    np.testing.assert_allclose(cost, run.loss, rtol=1e-14)
    for name, expected in run.gradients().items():
        np.testing.assert_allclose(found[name], expected, rtol=1e-12, atol=1e-15)


def test_what_it_costs_is_counted(net):
    """As a tanh in its place: both slopes stand on a diagonal."""
    twin = Network.dense([3, 4, 2], ["tanh", "identity"], "half_squared_error", seed=3)
    counted, expected = cost_card(net.run(X, Y)), cost_card(twin.run(X, Y))
    assert [c.multiplications for c in counted] == [c.multiplications for c in expected]


def test_a_peer_computes_it(either):
    run = either.run(X, Y)
    values = {"x": X, "y": Y, **either.params}
    np.testing.assert_allclose(evaluate(run.forward_pass.program, NUMPY, values, "J"), run.loss)


def test_a_mistake_in_its_slope_is_named(net):
    run = net.run(X, Y)
    incoming = run.vjp("J", "a1", 1.0)
    z, a = run["z1"], run["a1"]
    mistakes = {
        "missing-slope": incoming,
        "value-for-slope": incoming * a,
        "slope-at-activation": incoming / (1 + np.abs(a)) ** 2,
        "slope-of-preactivation-formula": incoming * (1 - np.abs(z)) ** 2,
    }
    for label, delta in mistakes.items():
        found = diagnose(run, {"z1": delta})["z1"]
        assert found.label == label
    assert diagnose(run, {"z1": run.vjp("J", "z1", 1.0)}).ok
    assert "softsign'(z1)" in str(diagnose(run, {"z1": incoming}))


def test_a_mistake_at_its_loss_and_its_layer_is_named(layered):
    run = layered.run(X, Y)
    right = {value: run.vjp("J", value, 1.0) for value in ("out", "h", "s")}
    assert diagnose(run, right).ok
    labels = {value: diagnose(run, {value: -right[value]})[value].label for value in right}
    assert labels == dict.fromkeys(right, "sign")
    assert diagnose(run, {"out": 5 * right["out"]})["out"].label == "missing-batch-mean"


def test_without_formulas_its_slope_is_computed(monkeypatch, own, net):
    monkeypatch.setattr(own.Softsign, "textbook", None)
    run = net.run(X, Y)
    delta = run.vjp("J", "a1", 1.0) / (1 + np.abs(run["a1"])) ** 2
    assert diagnose(run, {"z1": delta})["z1"].label == "slope-at-activation"


def test_a_line_for_it_is_corrected(net):
    report = diagnose_line("d1 = d2 @ W2", net.run(X, Y))
    assert report.meant == "d2 @ W2 * slope(z1)"


def test_a_notebook_shows_it(net):
    run = net.run(X[0], Y[0])
    assert r"\mathrm{softsign}'" in run.jacobian("a1", "z1").latex()
    assert "Softsign" in net._repr_html_()
    assert "softsign" in run.derivation()._repr_html_()


def test_a_name_stands_for_an_op_of_one_kind(own):
    """A loss is no activation: the message lists what is."""
    names = {"softsign": own.Softsign, "log_cosh": own.LogCosh}
    with pytest.raises(SpecError, match="the activation of layer 1 is 'log_cosh'") as caught:
        Network.dense([3, 2], "log_cosh", None, ops=names)
    assert str(caught.value).endswith(f"Write one of {', '.join(ACTIVATIONS)}, softsign.")


def test_a_loss_of_probabilities_asks_what_an_activation_gives(own):
    class Likely(ops.Activation):
        """σ(z), which says what it gives."""

        gives = ("probabilities",)
        forward, jacobians, vjp = ops.Sigmoid.forward, ops.Sigmoid.jacobians, ops.Sigmoid.vjp

    names = {"likely": Likely, "softsign": own.Softsign}
    assert Network.dense([3, 2], "likely", "bce", ops=names).run(X[0], [0, 1]).check().ok
    with pytest.raises(DomainError, match="the last activation is 'softsign'") as caught:
        Network.dense([3, 2], "softsign", "bce", ops=names)
    assert "Make the last activation 'sigmoid' or 'softmax' or 'likely'" in str(caught.value)


def test_a_module_of_the_package_is_collected():
    """The familiar names first, in the order of the messages."""
    said = {"activation": "probe", "__module__": "jacobian_bp.ops.probe"}
    probe = type("Probe", (ops.Activation,), said)
    assert named("activation") == {**ACTIVATIONS, "probe": probe}
    assert list(named("activation")) == [*ACTIVATIONS, "probe"]


def test_a_subclass_does_not_inherit_how_its_base_is_computed(own):
    class Doubled(own.Softsign):
        def forward(self, z):
            return 2 * super().forward(z)

    assert Doubled.compiled_as is GENERAL
    assert all(getattr(Doubled, fact) == vars(Facts)[fact] for fact in OF_THE_CLASS)
    assert Doubled.formula == own.Softsign.formula


# ---------------------------------------------------------------- planted mistakes


def half_as_large(op, at):
    forward, backward = ops.Tanh.compiled_as(op, at)
    return forward, lambda: (backward(), np.multiply(at.input_bars[0], 0.5, at.input_bars[0]))


def of_the_mean(op, at):
    """A kernel that takes the cotangent for its mean; a softmax sends one number to nothing."""
    forward, backward = ops.Softmax.compiled_as(op, at)

    def without_differences():
        at.bar[...] = at.bar.mean()
        backward()

    return forward, without_differences


def planted(base, **facts):
    """A built-in op as one's own, one fact of it wrong."""
    return type("Planted", (base,), facts)


PLANTED = {
    "a peer's rule": (planted(ops.Tanh, peer=lambda self, xp, z: xp.sigmoid(z)), "peer() gives"),
    "no peer's rule": (planted(ops.Tanh, peer=lambda self, xp, z: xp.tan(z)), "peer() raises"),
    "a kernel": (planted(ops.Tanh, compiled_as=kernel()(half_as_large)), "compiled_as gives"),
    "a kernel's value": (
        planted(ops.Tanh, compiled_as=ops.Sigmoid.compiled_as),
        "compiled_as gives",
    ),
    "a kernel of the mean": (
        planted(ops.Softmax, compiled_as=kernel()(of_the_mean)),
        "compiled_as gives",
    ),
    "a value": (planted(ops.Tanh, textbook=Textbook("f", np.sin, np.cos)), "textbook.value gives"),
    "a slope": (planted(ops.Tanh, textbook=Textbook("f", np.tanh, np.cos)), "textbook.slope gives"),
    "a formula by a": (
        planted(
            ops.Tanh,
            textbook=Textbook("f", np.tanh, lambda z: 1 / np.cosh(z) ** 2, np.cos, "cos a"),
        ),
        "textbook.by_output gives",
    ),
    "probabilities": (planted(ops.Tanh, gives=("probabilities",)), "gives says probabilities"),
    "a distribution": (planted(ops.Tanh, gives=("a distribution",)), "gives says a distribution"),
    "what is not shown": (planted(ops.Tanh, shows_nonfinite=True), "shows_nonfinite is said"),
    "the factor of a loss": (planted(ops.SquaredError, residual=1.0), "residual gives"),
    "a fused op": (
        planted(ops.HalfSquaredError, fused=lambda self, before: ops.SquaredError()),
        "fused().forward() gives",
    ),
    "the formula of a loss": (
        planted(
            ops.HalfSquaredError, residual=None, loss_textbook=ops.BinaryCrossEntropy.loss_textbook
        ),
        "loss_textbook.by_output gives",
    ),
    "stages": (
        planted(ops.Tanh, stages=lambda self: (("half = Divide(z, 2)", "a = Tanh(half)"),)),
        "stages() gives",
    ),
    "stages of another slope": (
        planted(ops.Softplus, stages=lambda self: (("a = ReLU(z)",),)),
        "stages() gives",
    ),
    "passing on": (planted(ops.Multiply, passes_on=True), "passes_on gives"),
}


@pytest.mark.parametrize(("op", "words"), PLANTED.values(), ids=PLANTED)
def test_a_wrong_fact_is_caught(op, words):
    names = [operand.name for operand in op().parsed.inputs]
    report = check_op(op, dict(zip(names, (X, X[::-1]), strict=False)))
    assert not report.ok
    assert words in str(report.findings[0])


def test_the_whole_message_of_a_wrong_rule():
    op, _ = PLANTED["a peer's rule"]
    assert str(check_op(op, {"z": [0.0, 1.0]})) == (
        "Planted: WRONG\n"
        "  peer() gives 0.5 at [0]; forward() gives 0\n"
        "  ∂a/∂z (2, 2): VJP differs by less than 1e-15, finite differences by less than 1e-08\n"
        "  ∂²a/∂z² (2, 2, 2): differences of jacobians() differ by less than 1e-08"
    )
