"""What is computed entry by entry as a tree: its value, and its slope as another tree.

    (W x − y)^2     (** (− t y) 2), its slope by t:  (* 2 (− t y))

A slope is simplified where a reader would do it at once (0 + a, 1·a, −(−a)), and no further.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import reduce
from typing import Any, NamedTuple

import numpy as np

from ..algebra.expression import Dense
from ..numbers.stable import sigmoid, softplus
from .activations import Activation, LeakyReLU
from .smooth import ELU, GELU, SiLU


@dataclass(frozen=True)
class Tree:
    """An operation and what it is applied to; a name or a number has nothing below it.

    `at` is where it stands in the text from which it was read.
    """

    op: str
    args: tuple["Tree", ...] = ()
    text: str = ""
    at: tuple[int, int] = field(default=(0, 0), compare=False)


def num(value: float) -> Tree:
    """A number."""
    return Tree("num", (), repr(float(value)))


def name(text: str) -> Tree:
    """An array by its name."""
    return Tree("name", (), text)


def call(function: str, inside: Tree) -> Tree:
    """A function of each entry."""
    return Tree("f", (inside,), function)


def number_of(tree: Tree) -> float | None:
    """The value of a number, None for all else."""
    return float(tree.text) if tree.op == "num" else None


class EntryFunction(NamedTuple):
    """A function of one number: its value, and its slope at a tree."""

    value: Callable[[Any], Any]
    slope: Callable[[Tree], Tree]


_LEAKY = LeakyReLU()


def _leg(u: Tree) -> Tree:
    """sqrt((1 − u) (1 + u)), which loses nothing near 1, where 1 − u² does."""
    return call("sqrt", times(less(num(1), u), plus(num(1), u)))


def _relu(z: Any) -> Any:
    return np.maximum(z, 0) + 0.0


def _relu_slope(z: Any) -> Any:
    return np.heaviside(z, 0.0)


def _leaky_slope(z: Any) -> Any:
    return _LEAKY.vjp(np.ones_like(z), z)["z"]


def _tanh_slope(z: Any) -> Any:
    e = np.exp(-2 * np.abs(z))
    return 4 * e / (1 + e) / (1 + e)


def _sigmoid_slope(z: Any) -> Any:
    e = np.exp(-np.abs(z))
    return e / (1 + e) / (1 + e)


def _of_op(op: Activation, third: Callable[[Tree], Tree]) -> dict[str, EntryFunction]:
    """An activation by its op, f with f' and f'': what its forward, vjp and second compute."""
    f = op.activation

    def value(z: Any) -> Any:
        return op.forward(np.asarray(z))

    def first(z: Any) -> Any:
        z = np.asarray(z)
        return op.vjp(np.ones_like(z), z)["z"]

    def second(z: Any) -> Any:
        z = np.asarray(z)
        (term,) = op.second(np.atleast_1d(z))["z", "z"].terms
        return term.of(Dense)[0].array.reshape(z.shape)

    return {
        f: EntryFunction(value, lambda u: call(f"{f}'", u)),
        f"{f}'": EntryFunction(first, lambda u: call(f"{f}''", u)),
        f"{f}''": EntryFunction(second, third),
    }


def _silu_third(u: Tree) -> Tree:
    """σ' (3 (1 − 2σ) + u ((1 − 2σ)² − 2σ'))"""
    slope, odd = call("sigmoid'", u), less(num(1), times(num(2), call("sigmoid", u)))
    bend = less(power(odd, 2), times(num(2), slope))
    return times(slope, plus(times(num(3), odd), times(u, bend)))


def _gelu_third(u: Tree) -> Tree:
    """φ(u) (u³ − 4u)"""
    bell = times(num(1 / math.sqrt(2 * math.pi)), call("exp", times(num(-0.5), power(u, 2))))
    return times(bell, less(power(u, 3), times(num(4), u)))


ENTRY_FUNCTIONS: dict[str, EntryFunction] = {
    "exp": EntryFunction(np.exp, lambda u: call("exp", u)),
    "log": EntryFunction(np.log, lambda u: over(num(1), u)),
    "sqrt": EntryFunction(np.sqrt, lambda u: over(num(0.5), call("sqrt", u))),
    "sin": EntryFunction(np.sin, lambda u: call("cos", u)),
    "cos": EntryFunction(np.cos, lambda u: minus(call("sin", u))),
    "tan": EntryFunction(np.tan, lambda u: over(num(1), power(call("cos", u), 2))),
    "arcsin": EntryFunction(np.arcsin, lambda u: over(num(1), _leg(u))),
    "arccos": EntryFunction(np.arccos, lambda u: over(num(-1), _leg(u))),
    "arctan": EntryFunction(np.arctan, lambda u: over(num(1), plus(num(1), power(u, 2)))),
    "tanh": EntryFunction(np.tanh, lambda u: call("tanh'", u)),
    "sigmoid": EntryFunction(sigmoid, lambda u: call("sigmoid'", u)),
    "softplus": EntryFunction(softplus, lambda u: call("sigmoid", u)),
    "relu": EntryFunction(_relu, lambda u: call("relu'", u)),
    "abs": EntryFunction(np.abs, lambda u: call("sign", u)),
    "sign": EntryFunction(np.sign, lambda u: num(0)),
    "relu'": EntryFunction(_relu_slope, lambda u: num(0)),
    "tanh'": EntryFunction(
        _tanh_slope, lambda u: times(num(-2), times(call("tanh", u), call("tanh'", u)))
    ),
    "sigmoid'": EntryFunction(
        _sigmoid_slope,
        lambda u: times(call("sigmoid'", u), less(num(1), times(num(2), call("sigmoid", u)))),
    ),
    "leaky_relu": EntryFunction(_LEAKY.forward, lambda u: call("leaky_relu'", u)),
    "leaky_relu'": EntryFunction(_leaky_slope, lambda u: num(0)),
    **_of_op(ELU(), lambda u: call("elu''", u)),
    **_of_op(SiLU(), _silu_third),
    **_of_op(GELU(), _gelu_third),
}
KINKED = {"relu", "leaky_relu", "abs"}  # where what they are of is 0


def plus(a: Tree, b: Tree) -> Tree:
    """a + b."""
    if number_of(a) == 0:
        return b
    if number_of(b) == 0:
        return a
    if a.op == b.op == "num":
        return num(float(a.text) + float(b.text))
    if b.op == "neg":
        return less(a, b.args[0])
    return times(num(2), a) if a == b else Tree("+", (a, b))


def less(a: Tree, b: Tree) -> Tree:
    """a − b."""
    if a == b:
        return num(0)
    if number_of(b) == 0:
        return a
    if a.op == b.op == "num":
        return num(float(a.text) - float(b.text))
    return minus(b) if number_of(a) == 0 else Tree("-", (a, b))


def minus(a: Tree) -> Tree:
    """−a."""
    value = number_of(a)
    if value is not None:
        return num(-value)
    return a.args[0] if a.op == "neg" else Tree("neg", (a,))


def times(a: Tree, b: Tree) -> Tree:
    """a b, its number in front."""
    (c, mine), (d, other) = product_of(a), product_of(b)
    if c * d == 0:
        return num(0)
    factors = mine + other
    if not factors:
        return num(c * d)
    product = reduce(lambda left, right: Tree("*", (left, right)), factors)
    if c * d == 1:
        return product
    return minus(product) if c * d == -1 else Tree("*", (num(c * d), product))


def over(a: Tree, b: Tree) -> Tree:
    """a / b."""
    if number_of(a) == 0 or number_of(b) == 1:
        return a
    return Tree("/", (a, b))


def power(a: Tree, exponent: float) -> Tree:
    """a to a constant exponent."""
    if exponent == 0:
        return num(1)
    return a if exponent == 1 else Tree("**", (a, num(exponent)))


def product_of(tree: Tree) -> tuple[float, list[Tree]]:
    """A product as its number and its other factors; a quotient has 1/b among them."""
    value = number_of(tree)
    if value is not None:
        return value, []
    if tree.op == "neg":
        c, factors = product_of(tree.args[0])
        return -c, factors
    if tree.op == "*":
        (c, mine), (d, other) = map(product_of, tree.args)
        return c * d, mine + other
    if tree.op == "/":
        (c, mine), below = product_of(tree.args[0]), number_of(tree.args[1])
        if below:
            return c / below, mine
        return c, [*mine, Tree("/", (num(1), tree.args[1]))]
    return 1.0, [tree]


def names_in(tree: Tree) -> tuple[str, ...]:
    """The names that a tree reads, each once, in their order."""
    if tree.op == "name":
        return (tree.text,)
    return tuple(dict.fromkeys(n for arg in tree.args for n in names_in(arg)))


def slope(tree: Tree, by: str) -> Tree:
    """∂tree/∂by, for numbers.

    >>> t, y = name("t"), name("y")
    >>> slope(power(less(t, y), 2), "t") == times(num(2), less(t, y))
    True
    """
    if tree.op == "name":
        return num(1 if tree.text == by else 0)
    if by not in names_in(tree):
        return num(0)
    if tree.op == "neg":
        return minus(slope(tree.args[0], by))
    if tree.op == "f":
        inside = tree.args[0]
        return times(ENTRY_FUNCTIONS[tree.text].slope(inside), slope(inside, by))
    a, b = tree.args
    if tree.op == "**":
        exponent = float(b.text)
        return times(times(num(exponent), power(a, exponent - 1)), slope(a, by))
    da, db = slope(a, by), slope(b, by)
    if tree.op == "+":
        return plus(da, db)
    if tree.op == "-":
        return less(da, db)
    if tree.op == "*":
        return plus(times(da, b), times(a, db))
    return less(times(da, over(num(1), b)), times(db, times(a, over(num(1), power(b, 2)))))


def value_of(tree: Tree, at: Mapping[str, Any]) -> Any:
    """The value of a tree at numbers."""
    if tree.op == "num":
        return float(tree.text)
    if tree.op == "name":
        return at[tree.text]
    if tree.op == "f":
        return ENTRY_FUNCTIONS[tree.text].value(value_of(tree.args[0], at))
    if tree.op == "neg":
        return -value_of(tree.args[0], at)
    a, b = tree.args
    if tree.op == "+":
        return value_of(a, at) + value_of(b, at)
    if tree.op == "-":
        return value_of(a, at) - value_of(b, at)
    if tree.op == "*":
        return value_of(a, at) * value_of(b, at)
    if tree.op == "/":
        return value_of(a, at) / value_of(b, at)
    return np.power(value_of(a, at), value_of(b, at))


def constant_of(tree: Tree) -> float | None:
    """The value of what is made of numbers alone, which may be infinite; None for all else."""
    if tree.op not in ("num", "f", "neg", "+", "-", "*", "/", "**"):
        return None
    if tree.op != "num" and None in map(constant_of, tree.args):
        return None
    with np.errstate(all="ignore"):
        return float(value_of(tree, {}))


def magnitude_of(tree: Tree, at: Mapping[str, Any]) -> Any:
    """The same with every sum over absolute values: the scale at which it is rounded."""
    if tree.op in ("+", "-"):
        return magnitude_of(tree.args[0], at) + magnitude_of(tree.args[1], at)
    if tree.op == "*":
        return magnitude_of(tree.args[0], at) * magnitude_of(tree.args[1], at)
    if tree.op == "/":
        return magnitude_of(tree.args[0], at) / np.abs(value_of(tree.args[1], at))
    if tree.op == "neg":
        return magnitude_of(tree.args[0], at)
    return np.abs(value_of(tree, at))
