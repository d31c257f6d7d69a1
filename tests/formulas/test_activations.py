"""Activations in a formula are those of their ops: value, slope and bend, far out and on a kink."""

import mpmath
import numpy as np
import pytest

from jacobian_bp import Network, SpecError, formula, ops
from jacobian_bp.formulas.reading import read
from jacobian_bp.formulas.reading_printed import evaluated
from jacobian_bp.ops.entry_trees import ENTRY_FUNCTIONS, call, name, slope, value_of

OPS = {
    "relu": ops.ReLU(),
    "leaky_relu": ops.LeakyReLU(),
    "elu": ops.ELU(),
    "silu": ops.SiLU(),
    "gelu": ops.GELU(),
    "sigmoid": ops.Sigmoid(),
    "tanh": ops.Tanh(),
    "softplus": ops.Softplus(),
    "abs": ops.Abs(),
}
EXACT = {  # as their papers have them
    "relu": lambda z: max(z, mpmath.mpf(0)),
    "leaky_relu": lambda z: z if z > 0 else mpmath.mpf(0.01) * z,
    "elu": lambda z: z if z > 0 else mpmath.expm1(z),
    "silu": lambda z: z / (1 + mpmath.exp(-z)),
    "gelu": lambda z: z * mpmath.erfc(-z / mpmath.sqrt(2)) / 2,
    "sigmoid": lambda z: 1 / (1 + mpmath.exp(-z)),
    "tanh": mpmath.tanh,
    "softplus": lambda z: mpmath.log1p(mpmath.exp(z)),
    "abs": abs,
}
SMOOTH = ["elu", "silu", "gelu"]
POINTS = np.array([-31.7, -7.3, -1.9, -0.4, -1e-9, 1e-9, 0.3, 1.1, 5.9, 23.1])


def test_every_activation_of_the_package_is_read_by_its_name():
    known = {op.activation for op in vars(ops).values() if getattr(op, "activation", "")}
    assert known - {"identity"} <= {*ENTRY_FUNCTIONS, "softmax"}
    assert known - {"identity", "softmax"} <= {*OPS}


@pytest.mark.parametrize("function", OPS)
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_the_value_and_the_slopes_are_those_of_the_op_and_of_its_paper(function, dtype):
    op, z = OPS[function], POINTS.astype(dtype)
    tree = call(function, name("z"))
    once = slope(tree, "z")
    units = {np.float64: 4e-15, np.float32: 2e-6}[dtype]
    value = value_of(tree, {"z": z})
    np.testing.assert_array_max_ulp(value, op.forward(z), 1)
    np.testing.assert_allclose(
        np.broadcast_to(value_of(once, {"z": z}), z.shape),
        op.vjp(np.ones_like(z), z)["z"],
        rtol=units,
    )
    with mpmath.workdps(60):
        for order, found in enumerate((tree, once, slope(once, "z"))):
            numbers = np.broadcast_to(value_of(found, {"z": z}), z.shape)
            for at, number in zip(z, numbers, strict=True):
                exact = mpmath.diff(
                    EXACT[function], mpmath.mpf(float(at)), order, h=mpmath.mpf(1e-20)
                )
                least = 1 if order == 2 and function not in SMOOTH else 0  # of what cancels
                scale = max(abs(float(exact)), np.finfo(dtype).tiny, least)
                assert abs(float(number) - float(exact)) <= 40 * units * scale, (at, order)


@pytest.mark.parametrize("function", SMOOTH)
@pytest.mark.parametrize("primes", ["", "'", "''"])
def test_the_printed_function_is_read_again_as_itself_and_as_no_other(function, primes):
    text = f"{function}{primes}"
    x = np.array([-1.7, -0.3, 0.6])
    found = evaluated(f"{text}(x)", {"x": x}, {"k": 3}, ("k'",))
    np.testing.assert_allclose(found, ENTRY_FUNCTIONS[text].value(x), rtol=1e-13)
    for other in ("", "'", "''"):
        if other != primes:
            assert not np.allclose(found, ENTRY_FUNCTIONS[function + other].value(x))


@pytest.mark.parametrize("function", ["relu", "leaky_relu", *SMOOTH])
def test_a_layer_with_it_is_derived_and_has_the_gradient_of_the_network(function):
    found = formula(f"sum(({function}(W @ x + b) - y)**2)")
    assert found.ok, found.unlike
    assert f"{function}'(" in found.derivatives["W"]
    W, b, x, y = (found.arrays[n] for n in ("W", "b", "x", "y"))
    net = Network.dense([len(x), len(y)], function, params={"W1": W, "b1": b})
    gradients = net.run(x, y).gradients()
    np.testing.assert_allclose(found.array("W"), gradients["W1"], rtol=1e-13)
    np.testing.assert_allclose(found.array("b"), gradients["b1"], rtol=1e-13)
    assert found.second_ok, found.second_unlike


def test_what_it_is_stands_on_the_page_and_what_is_taken_at_its_kink():
    signs = {
        "sum(relu(x))": ["relu'(0) = 0 is taken at the kink, where the slopes 0 and 1 meet"],
        "sum(leaky_relu(x))": [
            "leaky_relu(u): u where it is above 0, else 0.01 u",
            "leaky_relu'(0) = 0.01 is taken at the kink, where the slopes 0.01 and 1 meet",
        ],
        "norm1(x)": ["sign(0) = 0 is taken at the kink of abs, where the slopes −1 and 1 meet"],
        "sum(silu(x))": ["silu(u) = u/(1 + e^−u)"],
        "sum(gelu(x))": [
            "gelu(u) = u Φ(u), Φ the distribution function of the normal distribution"
        ],
        "sum(elu(x))": ["elu(u): u where it is above 0, else e^u − 1"],
        "sum(sign(x) * y)": [],
        "sum(tanh(x))": [],
    }
    every = {line for lines in signs.values() for line in lines}
    for text, lines in signs.items():
        page = str(formula(text))
        assert [line for line in every if line in page] == [line for line in every if line in lines]
    z = np.zeros(1)
    taken = {"relu'": 0, "leaky_relu'": 0.01, "sign": 0}
    assert {f: float(ENTRY_FUNCTIONS[f].value(z)[0]) for f in taken} == taken


def test_a_rectifier_and_other_operations_are_read_under_their_other_words():
    assert read("max(0, x - y)") == read("maximum(x - y, 0.0)") == read("relu(x - y)")
    assert read("min(x, 0)") == read("np.minimum(0, x)") == read("-relu(-x)")
    assert read("np.square(x)") == read("x**2")
    assert read("reciprocal(x)") == read("1 / x")
    assert read("swish(x)") == read("silu(x)")
    assert read("max(0, x)") != read("min(0, x)")


NUMBERED = {
    "leaky_relu(x - y, 0.2)": (
        "leaky_relu has the slope 0.01 left of 0.\n  leaky_relu(x - y, 0.2)\n"
        "                    ^^^\n  Write relu(x - y) - 0.2 * relu(-(x - y)).",
        lambda z: np.where(z > 0, z, 0.2 * z),
    ),
    "elu(x - y, alpha=c + 1)": (
        "elu has alpha = 1.\n  elu(x - y, alpha=c + 1)\n                   ^^^^^\n"
        "  Write relu(x - y) + (c + 1) * (exp(-relu(-(x - y))) - 1).",
        lambda z, c: np.where(z > 0, z, (c + 1) * np.expm1(z)),
    ),
}


@pytest.mark.parametrize("text", NUMBERED)
def test_a_number_behind_an_activation_is_told_what_to_write_and_that_is_it(text):
    message, exact = NUMBERED[text]
    with pytest.raises(SpecError) as caught:
        formula(text)
    assert str(caught.value) == message
    told = message.rpartition("Write ")[2].removesuffix(".")
    found = formula(told, scalars=["c"] * ("c" in told))
    others = [found.arrays["c"]] if "c" in told else []
    z = found.arrays["x"] - found.arrays["y"]
    np.testing.assert_allclose(found.value, exact(z, *others), rtol=1e-12)
    assert found.ok, found.unlike
