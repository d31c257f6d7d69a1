"""A wrong shape of any input of any op: refused as such, before a number is looked at."""

import numpy as np
import pytest
from network_cases import refusal

from jacobian_bp import AxisError, DomainError, JacobianError, Network, SpecError
from jacobian_bp.derivation.op_examples import all_ops, example_of

CLASSES = [cls for classes in all_ops().values() for cls in classes]


def refused(cls, victim, shape):
    """What is said where one input has another shape; nothing where the op takes it."""
    entry = example_of(cls)
    values = zip(entry.step.args, entry.state.inputs_of(entry.step), strict=True)
    arrays = {name: np.resize(a, shape) if name == victim else a for name, a in values}
    params = {name: arrays.pop(name) for name in cls.parameters if name in arrays}
    try:
        Network.program(str(entry.step), params=params).run(**arrays)
    except JacobianError as error:
        return error
    return None


@pytest.mark.one_in(3)
@pytest.mark.parametrize("cls", CLASSES, ids=lambda cls: cls.__name__)
def test_a_wrong_shape_is_refused_by_name(cls):
    """With too few axes; with no entries where the op has no value then; with one more entry."""
    entry = example_of(cls)
    for operand in entry.op.parsed.inputs:
        shape = entry.state.values[operand.name].shape
        if not shape:
            continue
        refused(cls, operand.name, (*shape[:-1], 0))  # no error but one of the package
        refused(cls, operand.name, (*shape[:-1], shape[-1] + 1))
        short = refused(cls, operand.name, shape[1:])
        if operand.name not in entry.op.labels:
            assert isinstance(short, AxisError)
            assert f"{operand.name} has shape" in str(short)


def test_no_probability_without_a_class():
    net = Network.program("P = CausalSoftmax(s)", "a = Identity(P, 't,u')")
    assert refusal(AxisError, net.run, s=np.zeros((2, 0))) == (
        "CausalSoftmax 'P': axis u has no entries.\n"
        "  s[t,u] has shape (2, 0), so u = 0\n"
        "  Pass s with at least one entry along u."
    )
    assert net.run(s=np.zeros((2, 1)))["a"].shape == (2, 1)


def test_the_two_states_of_an_lstm_have_the_same_units():
    params = {"W": np.ones((8, 3)), "U": np.ones((8, 2))}
    net = Network.program("h, c = LSTMCell(x, h0, c0, W, U)", params=params)
    assert refusal(AxisError, net.run, np.ones(3), h0=np.ones(2), c0=np.ones(5)) == (
        "LSTMCarry: the states have different units.\n"
        "  h0 has shape (2,), so there are 2\n"
        "  c0 has shape (5,), so there are 5\n"
        "  Pass h0 and c0 with the same number of units."
    )
    assert net.run(np.ones(3), h0=np.ones(2), c0=np.ones(2))["h"].shape == (2,)


def test_the_classes_are_missing_and_not_the_labels():
    net = Network.program("L = CrossEntropy(p, y)", params={})
    assert refusal(AxisError, net.run, p=0.5, y=0) == (
        "CrossEntropy 'L': p has shape (), 0 axes; p[k] has 1 axis, or 2 for a batch with its "
        "examples in front.\n"
        "  Pass p with the axes p[k]."
    )


@pytest.mark.parametrize(
    ("line", "who"),
    [
        ("Tanh(x, 'i,i')", "Tanh(axes='i,i')"),
        ("ReLU(x, 'i,i')", "ReLU(axes='i,i')"),
        ("Power(x, 3, 'i,i')", "Power(axes='i,i')"),
        ("Add(x, x, 'i,i')", "Add(axes='i,i')"),
        ("Multiply(x, 2, 'i,i')", "Multiply(axes='i,i')"),
        ("Dropout(x, m, 0.5, 'i,i')", "Dropout(axes='i,i')"),
        ("Reshape(x, (3, 2), 'i,i')", "Reshape('i,i')"),
        ("Flatten(x, 'i,i')", "Flatten('i,i')"),
        ("GroupNorm(x, g, b, 2, axes='i,i')", "GroupNorm(axes='i,i')"),
    ],
)
def test_two_axes_of_one_name_are_refused_and_the_advice_is_taken(line, who):
    message = refusal(AxisError, Network.program, f"a = {line}")
    assert message == (
        f'{who}: two axes are called i.\n  Give each axis a name of its own, such as "i,j".'
    )
    advised = message.split('"')[1]
    assert Network.program(f"a = {line.replace('i,i', advised)}").steps


RNG = np.random.default_rng(29)
IMAGE, KERNEL, TABLE = (
    RNG.normal(size=(2, 3, 7, 5)),
    RNG.normal(size=(4, 3, 2, 3)),
    RNG.normal(size=(7, 4)),
)
ROWS, UNITS = RNG.normal(size=(12, 2)), RNG.normal(size=(12, 3))
SWAPPED = np.moveaxis(IMAGE, 1, -1)
LSTM = "h, c = LSTMCell(x, h0, c0, W, U)"
STATES = {"x": RNG.normal(size=2), "h0": np.zeros(3), "c0": np.zeros(3)}

# the lines, the parameters, the data; what is said to be written; the three when it is followed
FOLLOWED = {
    "channels last": (
        (["z = Conv2d(x, K)"], {"K": KERNEL}, {"x": SWAPPED}),
        "x looks to have its channels last: pass np.moveaxis(x, -1, -3).",
        (["z = Conv2d(x, K)"], {"K": KERNEL}, {"x": np.moveaxis(SWAPPED, -1, -3)}),
    ),
    "kernels last": (
        (["z = Conv2d(x, K)"], {"K": KERNEL.transpose(2, 3, 1, 0)}, {"x": IMAGE[:, :, :, 1:]}),
        "",  # 3 rows of the kernel may be 3 channels: what fits is not refused
        None,
    ),
    "kernels last, of other sizes": (
        (["z = Conv2d(x, K)"], {"K": RNG.normal(size=(5, 2, 3, 4))}, {"x": IMAGE}),
        "K looks to have its channels and kernels last: pass K.transpose(3, 2, 0, 1).",
        (["z = Conv2d(x, K)"], {"K": RNG.normal(size=(4, 3, 5, 2))}, {"x": IMAGE}),
    ),
    "a kernel a channel": (
        (["z = Conv2d(x, K)"], {"K": KERNEL[:3, :1]}, {"x": IMAGE}),
        "A kernel reads 1 channel: with groups=3 each reads its own part of the 3 channels of x.",
        (["z = Conv2d(x, K, groups=3)"], {"K": KERNEL[:3, :1]}, {"x": IMAGE}),
    ),
    "one channel": (
        (["z = Conv2d(x, K)"], {"K": KERNEL[:, :1]}, {"x": IMAGE[0, 0]}),
        "It is one channel: pass x[None].",
        (["z = Conv2d(x, K)"], {"K": KERNEL[:, :1]}, {"x": IMAGE[0, 0][None]}),
    ),
    "an image for a layer": (
        (
            ["z = Conv2d(x, K)", "h = Linear(z, W)"],
            {"K": KERNEL, "W": RNG.normal(size=(5, 72))},
            {"x": IMAGE},
        ),
        "An example of z has 72 entries: read z_row = Flatten(z) here.",
        (
            ["z = Conv2d(x, K)", "z_row = Flatten(z)", "h = Linear(z_row, W)"],
            {"K": KERNEL, "W": RNG.normal(size=(5, 72))},
            {"x": IMAGE},
        ),
    ),
    "images for a batch norm": (
        (["h = BatchNorm(x, g, c)"], {"g": np.ones(3), "c": np.zeros(3)}, {"x": IMAGE}),
        "Of images the axes are named in a step before: read x_image = Identity(x, 'c,i,j') here.",
        (
            ["x_image = Identity(x, 'c,i,j')", "h = BatchNorm(x_image, g, c)"],
            {"g": np.ones(3), "c": np.zeros(3)},
            {"x": IMAGE},
        ),
    ),
    "two matrices turned": (
        ([LSTM], {"W": ROWS.T, "U": UNITS.T}, STATES),
        "W and U look transposed: pass W.T, shape (12, 2), and U.T, shape (12, 3).",
        ([LSTM], {"W": ROWS, "U": UNITS}, STATES),
    ),
    "one-hot rows for positions": (
        (["e = Embedding(u, E)"], {"E": TABLE}, {"u": np.eye(7)[[1, 2, 2]]}),
        "Pass u.argmax(-1): its rows are one-hot.",
        (["e = Embedding(u, E)"], {"E": TABLE}, {"u": np.array([1, 2, 2])}),
    ),
    "the table in front of its positions": (
        (["e = Embedding(E, u)"], {"E": TABLE}, {"u": np.array([1, 2, 2])}),
        "The positions stand in the other place: e = Embedding(u, E).",
        (["e = Embedding(u, E)"], {"E": TABLE}, {"u": np.array([1, 2, 2])}),
    ),
    "a mask to be added": (
        (["P = Softmax(s, m)"], {"s": TABLE}, {"m": np.where(np.tri(7, 4) > 0, 0.0, -1e9)}),
        "Pass m == 0.",
        (["P = Softmax(s, m)"], {"s": TABLE}, {"m": np.tri(7, 4) > 0}),
    ),
    "examples in an equation": (
        (["s = Einsum(x, W, 'nti,ui->ntu')"], {"W": TABLE}, {"x": RNG.normal(size=(3, 5, 4))}),
        "Write 'ti,ui->tu', which is lifted to a batch by itself; axes={…} of the run names what "
        "has it in front.",
        (["s = Einsum(x, W, 'ti,ui->tu')"], {"W": TABLE}, {"x": RNG.normal(size=(3, 5, 4))}),
    ),
    "a pool of padding": (
        (["a = MaxPool2d(x, 2, padding=2)"], {}, {"x": IMAGE}),
        "Write a padding below the width, from 0 to 1.",
        (["a = MaxPool2d(x, 2, padding=1)"], {}, {"x": IMAGE}),
    ),
    "inputs that lack": (
        (["h = LayerNorm(x)"], {}, {"x": TABLE}),
        "Write h = LayerNorm(x, gamma, beta).",
        (
            ["h = LayerNorm(x, gamma, beta)"],
            {"gamma": np.ones(4), "beta": np.zeros(4)},
            {"x": TABLE},
        ),
    ),
    "an input too many": (
        (
            ["z = Linear(x, W, b, d)"],
            {"W": TABLE, "b": np.ones(7), "d": np.ones(7)},
            {"x": TABLE[0]},
        ),
        "Write z = Linear(x, W, b), without d.",
        (["z = Linear(x, W, b)"], {"W": TABLE, "b": np.ones(7)}, {"x": TABLE[0]}),
    ),
}


def ran(lines, params, data):
    """The run, or what is said."""
    try:
        return Network.program(*lines, params=params).run(**data)
    except JacobianError as error:
        return error


@pytest.mark.parametrize("name", FOLLOWED)
def test_what_is_advised_fits_when_it_is_followed(name):
    wrong, advice, right = FOLLOWED[name]
    found = ran(*wrong)
    if right is None:
        assert not isinstance(found, JacobianError), found
        return
    assert isinstance(found, AxisError | DomainError | SpecError), found
    assert str(found).splitlines()[-1] == f"  {advice}"
    assert not isinstance(ran(*right), JacobianError)


def test_channels_that_fit_in_no_way_get_no_guess():
    found = ran(["z = Conv2d(x, K)"], {"K": RNG.normal(size=(4, 2, 3, 3))}, {"x": IMAGE})
    assert str(found).splitlines()[-1] == (
        "  Give x and K the same size along it; nothing is broadcast."
    )
