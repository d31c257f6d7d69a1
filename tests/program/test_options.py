"""A printed step reads back as the same step, with its options."""

import numpy as np
import pytest
from network_cases import refusal

from jacobian_bp import JacobianError, Network, SpecError, ops
from jacobian_bp.program.options import of_made, parameters_of
from jacobian_bp.program.program_text import OPS, read_program

RNG = np.random.default_rng(1009)


class Elu(ops.Activation):
    """An op with an option as a user writes one."""

    def __init__(self, alpha=1.0):
        super().__init__()
        self.alpha = alpha

    def forward(self, z):
        return np.where(z > 0, z, self.alpha * np.expm1(z))

    def jacobians(self, z):
        return self.diagonal("elu'(z)", np.where(z > 0, 1, self.alpha * np.exp(z)))

    def vjp(self, a_bar, z):
        return {"z": a_bar * np.where(z > 0, 1, self.alpha * np.exp(z))}


class Blend(Elu):
    """Several options, one by name only, one without which there is no op."""

    def __init__(self, share, alpha=0.25, *, kind="plain"):
        super().__init__(alpha)
        self.share, self.kind = share, kind


class Doubled(Elu):
    """What it keeps under the option's name is not what it was given."""

    def __init__(self, alpha=1.0):
        super().__init__(2 * alpha)


class Hidden(Elu):
    """It keeps its option under another name."""

    def __init__(self, scale=1.0):
        super().__init__(scale)


NORMS = {"LayerNorm": "x, g, b", "RMSNorm": "x, g", "BatchNorm": "x, g, b", "GroupNorm": "x, g, b"}
OWN = {"Elu": Elu, "Blend": Blend, "Doubled": Doubled, "Hidden": Hidden}
ENTRYWISE = ("Identity", "Sigmoid", "Tanh", "Softplus", "Multiply", "Exp", "Log", "Sqrt", "SiLU")
ENTRYWISE += ("Sin", "Cos")
AXES = dict.fromkeys(ENTRYWISE, "'r,c'")
# each op that takes options, as it is written behind the inputs
WRITTEN = [
    *AXES.items(),
    ("ReLU", "'r,c', 0.5"),
    ("ReLU", "at_zero=0.25"),
    ("LeakyReLU", "slope=0.2"),
    ("LeakyReLU", "'r', -0.3, at_zero=0.7"),
    ("ELU", "alpha=0.5"),
    ("GELU", "approximate=True"),
    ("Abs", "at_zero=-0.5"),
    ("Power", "-0.5, 'r,c'"),
    ("Power", "2"),
    *((name, "0.25") for name in NORMS if name != "GroupNorm"),
    ("Conv1d", "2, padding=1"),
    ("Conv1d", "groups=2"),
    ("Conv2d", "stride=(1, 2)"),
    ("ConvTranspose1d", "2, output_padding=1"),
    ("ConvTranspose2d", "stride=(1, 2), groups=3"),
    ("MaxPool1d", "3"),
    ("MaxPool2d", "2, stride=1"),
    ("AvgPool1d", "2, padding=1"),
    ("AvgPool2d", "(2, 3)"),
    ("Pad", "2, after=1"),
    ("Part", "'1:3'"),
    ("Slice", "1, step=2"),
    ("Slice", "1, None, -1"),
    ("Slice", "step=-1"),
    ("Transpose", "'i,j -> j,i'"),
    ("Add", "'r,c'"),
    ("Einsum", "'ij,j->i'"),
    ("Mean", "'k'"),
    ("Sum", "'k'"),
    ("Mean", "over='n,t'"),
    ("Sum", "over='t'"),
    ("Softmax", "'t'"),
    ("LogSoftmax", "axis='t'"),
    ("Subtract", "'r,c'"),
    ("Divide", "'r,c'"),
    ("Max", "over='t'"),
    ("Min", "'k'"),
    ("Reshape", "(2, 3, -1)"),
    ("Reshape", "-1, 'c,i,j'"),
    ("Flatten", "'c,i,j'"),
    ("Dropout", "0.5"),
    ("Dropout", "keep=0.75, axes='r,c'"),
    ("CrossEntropy", "(1.0, 2.5, 0.5)"),
    ("CrossEntropyFromLogits", "weights=(1, 2), ignore=-100"),
    ("GroupNorm", "2, axes='c'"),
    ("MeanOverOutputs", "3"),
    ("Huber", "0.1"),
    ("Huber", "delta=1.0"),
    ("L1Penalty", "0.01, 'k', -0.5"),
    ("L2Penalty", "0.01, axes='k'"),
    ("HalfL2Penalty", "rate=1e-300"),
    ("Elu", "0.5"),
    ("Elu", "alpha=1e999"),
    ("Elu", "-3"),
    ("Elu", "False"),
    ("Elu", "'a\\nb'"),
    ("Blend", "0.1, 0.2, kind='other'"),
    ("Doubled", "0.5"),
    ("Hidden", "0.5"),
]


def step_of(line):
    (step,) = read_program([line], OWN)
    return step


def test_every_op_that_takes_options_is_tried():
    takes = {kind for kind, op in OPS.items() if parameters_of(op) and op.options is None}
    assert takes <= {kind for kind, _ in WRITTEN}


PAIRS = (
    "Dropout",
    "CrossEntropy",
    "CrossEntropyFromLogits",
    "Add",
    "Subtract",
    "Multiply",
    "Divide",
    "Einsum",
    "Huber",
)


def reads_of(kind):
    return NORMS.get(kind, "x, y" if kind in PAIRS else "x")


@pytest.mark.parametrize(("kind", "options"), WRITTEN)
def test_what_is_written_is_printed_and_reads_back_as_the_same_op(kind, options):
    reads = reads_of(kind)
    line = f"z = {kind}({reads}, {options})"
    step = step_of(line)
    assert str(step) == line
    again = step_of(str(step))
    assert vars(again.op) == vars(step.op)
    plain = OPS.get(kind, OWN.get(kind))
    if not any(p.default is p.empty for p in parameters_of(plain).values()):
        lost = step_of(f"z = {kind}({reads})")
        assert str(lost) == f"z = {kind}({reads})"
        assert options == "delta=1.0" or vars(lost.op) != vars(step.op)


@pytest.mark.parametrize(("kind", "options"), WRITTEN)
def test_an_op_that_no_text_wrote_prints_options_that_make_it_again(kind, options):
    """…, which no text may hold, stands for what the op does not keep."""
    reads = reads_of(kind)
    op = step_of(f"z = {kind}({reads}, {options})").op
    shown = ", ".join((reads, *of_made(op)))
    if kind in ("Doubled", "Hidden"):
        assert shown == {"Doubled": "x, …", "Hidden": "x, …"}[kind]
        assert refusal(SpecError, step_of, f"z = {kind}({shown})").startswith("line 1: ")
    else:
        assert vars(step_of(f"z = {kind}({shown})").op) == vars(op)


@pytest.mark.parametrize(
    ("op", "options"),
    [
        (Elu(), ()),
        (Elu(0.5), ("0.5",)),
        (Elu(np.float64(0.1)), ("0.1",)),
        (Elu(-np.inf), ("-1e999",)),
        (Elu(np.nan), ("…",)),
        (Elu(np.array([0.5, 1.5])), ("…",)),
        (Blend(0.5, kind="other"), ("0.5", "kind='other'")),
        (ops.LeakyReLU(), ()),
        (ops.LeakyReLU(slope=0.2), ("slope=0.2",)),
        (ops.ReLU("r,c", 0.5), ("'r,c'", "0.5")),
        (ops.Linear(), ()),
    ],
)
def test_what_an_op_fills_in_by_itself_is_left_out(op, options):
    assert of_made(op) == options


def test_a_network_of_layers_reads_back_with_the_options_of_its_ops():
    own = {"elu": Elu(0.5), "leaky": ops.LeakyReLU(slope=0.2), "half": ops.ReLU(at_zero=0.5)}
    net = Network.dense([2, 3, 5, 7], ["elu", "leaky", "half"], "huber", ops=own, seed=4)
    x, y = RNG.normal(size=(11, 2)), RNG.normal(size=(11, 7))
    assert net.steps[1::2][:3] == (
        "a1 = Elu(z1, 0.5)",
        "a2 = LeakyReLU(z2, slope=0.2)",
        "a3 = ReLU(z3, at_zero=0.5)",
    )
    again = Network.program(*net.steps, params=net.params, ops={"Elu": Elu})
    assert again.steps == net.steps
    np.testing.assert_array_equal(again(x), net(x))
    lost = [step.replace(", 0.5", "") for step in net.steps]
    assert not np.array_equal(
        Network.program(*lost, params=net.params, ops={"Elu": Elu})(x), net(x)
    )
    assert again.run(x, y).derivation().text() != ""


def test_an_op_that_was_given_made_is_printed_by_the_name_that_it_was_given():
    own = {"Half": Elu(0.5), "Elu": Elu(0.25), "One": Elu, "Any": Elu}
    lines = ("u = Half(x)", "v = Elu(u)", "w = One(v)", "a = Any(w, 0.75)")
    net = Network.program(*lines, ops=own)
    assert net.steps == lines
    x = RNG.normal(size=7)
    np.testing.assert_array_equal(Network.program(*net.steps, ops=own)(x), net(x))


def test_a_class_without_options_is_printed_by_its_own_name():
    own = {"Mine": Elu, "Made": ops.Tanh()}
    net = Network.program("u = Mine(x)", "a = Made(u)", ops=own)
    assert net.steps == ("u = Elu(x)", "a = Tanh(u)")


def test_a_derivation_prints_the_options_of_its_steps():
    net = Network.program(
        "a = Elu(W, 0.5)", "J = SquaredError(a, y)", params={"W": [1.0, -2.0]}, ops=OWN
    )
    text = net.run(y=[0.5, 0.25]).derivation().text()
    assert "a = Elu(W, 0.5)" in text
    assert "a = Elu(W)" not in text
    assert r"a&=\mathrm{Elu}(W,\,0.5)" in net.latex()


@pytest.mark.parametrize(
    ("said", "shown"), [((0.5,), "(0.5,)"), ("0.5", "'0.5'"), (["0.5"], "['0.5']")]
)
def test_options_that_an_op_says_are_a_tuple_of_strings(said, shown):
    message = (
        f"ops['Says']: the options of Says are {shown}, not a tuple of strings.\n"
        "  Leave `options` out: a step prints what __init__ keeps under the option's name."
    )
    own = {"Says": type("Says", (Elu,), {"options": property(lambda self: said)})}
    assert refusal(SpecError, Network.program, "a = Says(x)", ops=own) == message
    assert refusal(SpecError, Network.dense, [2, 3], "Says", ops=own) == message
    left_out = Network.dense([2, 3], "Elu", ops={"Elu": Elu(0.5)}, seed=1)
    assert left_out.steps[1] == "a1 = Elu(z1, 0.5)"
    right = type("Says", (Elu,), {"options": ("0.5",)})
    net = Network.dense([2, 3], "Says", ops={"Says": right(0.5)}, seed=1)
    assert net.steps[1] == "a1 = Says(z1, 0.5)"


class Odd(Elu):
    """One of its methods divides by the option, which is 0, or looks for what is not there."""

    def __init__(self, method, alpha=1.0):
        super().__init__(alpha)
        self.method = method

    def forward(self, z):
        return super().forward(z) if self.method != "forward" else z * {}["no such\nkey"]

    def jacobians(self, z):
        return super().jacobians(z) if self.method != "jacobians" else 1 // 0

    def vjp(self, a_bar, z):
        return super().vjp(a_bar, z) if self.method != "vjp" else z.no

    def admit(self, names, z):
        return (z,) if self.method != "admit" else next(iter(()))


RAISED = {
    "forward": (KeyError, "KeyError: 'no such\\nkey'"),
    "jacobians": (ZeroDivisionError, "ZeroDivisionError: integer division or modulo by zero"),
    "vjp": (AttributeError, "AttributeError: 'numpy.ndarray' object has no attribute 'no'"),
    "admit": (StopIteration, "StopIteration"),
}


@pytest.mark.parametrize("method", RAISED)
def test_what_an_op_of_ones_own_raises_has_the_step_in_front(method):
    line = f"a = Odd(W, '{method}', 0.5)"
    own = {"Odd": Odd}
    net = Network.program(line, "J = SquaredError(a, y)", params={"W": [0.5, -2.0]}, ops=own)

    def asked():
        run = net.run(y=[1.0, 2.0])
        run.gradients("vjp" if method == "vjp" else "full")

    kind, words = RAISED[method]
    with pytest.raises(JacobianError) as caught:
        asked()
    assert str(caught.value) == (
        f"Odd 'a': {method}() raises {words}.\n  Mend Odd.{method}, or what it is given: {line}."
    )
    assert isinstance(caught.value.__cause__, kind)
    sound = Network.program("a = Odd(W, 'none')", params={"W": [0.5, -2.0]}, ops=own)
    assert sound.run()["a"].shape == (2,)


def test_an_option_of_the_wrong_type_names_the_step():
    net = Network.program("a = Elu(x, 'x')", ops=OWN)
    text = refusal(JacobianError, net, RNG.normal(size=3))
    assert text.startswith("Elu 'a': forward() raises UFuncTypeError: ufunc 'multiply' did not ")
    assert text.endswith(".\n  Mend Elu.forward, or what it is given: a = Elu(x, 'x').")
