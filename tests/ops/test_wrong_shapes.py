"""A wrong shape of any input of any op: refused as such, before a number is looked at."""

import numpy as np
import pytest
from network_cases import refusal

from jacobian_bp import AxisError, JacobianError, Network
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
