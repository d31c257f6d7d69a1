"""A formula that is computed entry by entry, as one op: its Jacobians are its slopes."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from ..algebra.axes import primed, unnamed
from ..algebra.expression import Delta, Dense, Expression, Factor, One
from ..errors import DomainError
from ..numbers.arrays import entry, quiet
from ..writing.signs import number
from .base import Op
from .entry_trees import (
    ENTRY_FUNCTIONS,
    KINKED,
    Tree,
    constant_of,
    magnitude_of,
    names_in,
    slope,
    value_of,
)

DOMAINS = {
    "log": (lambda z: z > 0, "above 0"),
    "sqrt": (lambda z: z >= 0, "from 0 on"),
    "arcsin": (lambda z: np.abs(z) < 1, "between -1 and 1, where it has a slope"),
    "arccos": (lambda z: np.abs(z) < 1, "between -1 and 1, where it has a slope"),
}


class Entrywise(Op):
    """Entries of the operands meet, entry by entry.

        c[k,i] = f(a[k,i], b[i], s)
        ∂c/∂b = δ[i,i'] ∂f/∂b[k,i],  ∂²c/∂b∂s = δ[i,i'] ∂²f/∂b∂s[k,i]

    An operand has the last axes of the value, or all of them: entry k,i reads entry i only, hence
    δ[i,i']; along an axis that a slope does not have it is constant, 1[k]. The Jacobian is the
    slope as a formula; the vector-Jacobian product walks the formula backwards. Raises
    DomainError where a logarithm, a root or a quotient is not defined.
    """

    options = ()

    def __init__(
        self, tree: Tree, axes: Mapping[str, tuple[str, ...]], out: tuple[str, ...]
    ) -> None:
        self.tree, self.axes, self.out = tree, dict(axes), tuple(out)
        words = [f"{name}[{','.join(word)}]" for name, word in self.axes.items()]
        self.signature = f"{', '.join(words)} -> out[{','.join(out)}]"
        self.reasons = dict.fromkeys(self.axes, "an entry reads the entries at its own place only")
        written = slope_label(tree)
        self.formula = written[1:-1] if tree.op in ("+", "-", "*", "/", "neg") else written

    @quiet
    def forward(self, *arrays):
        at = self._aligned(arrays)
        shape = np.broadcast_shapes(*(array.shape for array in at.values()))
        value = value_of(self.tree, at)
        if self.tree.op == "name" or np.shape(value) != shape:
            return np.array(np.broadcast_to(value, shape), copy=True)
        return value

    @quiet
    def jacobians(self, *arrays):
        at = self._aligned(arrays)
        found = {}
        for by, word in self.axes.items():
            deltas = [Delta(axis, mark) for axis, mark in zip(word, primed(word), strict=True)]
            found[by] = self._written(slope(self.tree, by), at, deltas, word)
        return found

    @quiet
    def second(self, *arrays):
        at = self._aligned(arrays)
        found = {}
        names = list(self.axes)
        for place, first in enumerate(names):
            once = slope(self.tree, first)
            for other in names[place:]:
                bend = slope(once, other)
                if constant_of(bend) == 0:
                    continue
                mine, theirs = self.axes[first], self.axes[other]
                marks = primed((*mine, *theirs))
                deltas = [Delta(a, m) for a, m in zip((*mine, *theirs), marks, strict=True)]
                found[first, other] = self._written(bend, at, deltas, (*mine, *theirs))
        return found

    @quiet
    def vjp(self, bar, *arrays):
        at = self._aligned(arrays)
        arrived: dict[str, tuple[Any, ...]] = {name: () for name in self.axes}  # noqa: C420

        def back(tree: Tree, share: Any) -> None:
            """Hand `share`, the cotangent of this part of the formula, to what it reads."""
            if tree.op == "name":
                mine = _summed_to(share, at[tree.text].shape)
                arrived[tree.text] = (*arrived[tree.text], mine)
            elif tree.op == "neg":
                back(tree.args[0], -share)
            elif tree.op == "f":
                inside = tree.args[0]
                back(inside, share * value_of(ENTRY_FUNCTIONS[tree.text].slope(inside), at))
            elif tree.op == "**":
                a, b = tree.args
                power = value_of(b, at)
                back(a, share * power * np.power(value_of(a, at), power - 1))
            elif tree.op != "num":
                a, b = tree.args
                if names_in(a):
                    back(a, _left_share(tree, share, at))
                if names_in(b):
                    back(b, _right_share(tree, share, at))

        back(self.tree, bar)
        found: dict[str, np.ndarray] = {}
        handed_out: tuple[Any, ...] = (bar,)
        for name, array in zip(self.axes, arrays, strict=True):
            mine = _added(arrived[name])
            known = any(mine is other for other in handed_out)
            handed_out = (*handed_out, mine)
            own = mine.copy() if known else mine
            found[name] = own if np.shape(own) == array.shape else own.reshape(array.shape)
        return found

    @quiet
    def branch(self, *arrays):
        at = self._aligned(arrays)
        signs = [np.sign(value_of(t.args[0], at)) for t in _parts(self.tree) if t.text in KINKED]
        if not signs:
            return None
        shape = np.broadcast_shapes(*(array.shape for array in at.values()))
        sides = [np.broadcast_to(sign, shape) for sign in signs]
        at_kink = np.any([side == 0 for side in sides], axis=0)
        code = sum((side > 0) * 2.0**place for place, side in enumerate(sides)) + 1
        return np.where(at_kink, 0, code)

    @quiet
    def admit(self, names, *arrays):
        at = self._aligned(arrays)
        for part in _parts(self.tree):
            inside = part.args[-1] if part.args else part
            if part.text in DOMAINS and part.op == "f":
                allowed, words = DOMAINS[part.text]
                self._require(allowed, inside, at, names, f"{part.text} takes numbers {words}")
            elif part.op == "/":
                self._require(lambda z: z != 0, inside, at, names, "a divisor is not 0")
            elif part.op == "**" and not float(inside.text).is_integer():
                said = f"the power {number(float(inside.text))} takes numbers from 0 on"
                self._require(lambda z: z >= 0, part.args[0], at, names, said)
            elif part.op == "**" and float(inside.text) < 0:
                said = f"the power {number(float(inside.text))} takes numbers other than 0"
                self._require(lambda z: z != 0, part.args[0], at, names, said)
        return arrays

    @staticmethod
    def _require(allowed: Any, tree: Tree, at: Any, names: Any, said: str) -> None:
        values = np.asarray(value_of(tree, at))
        bad = np.argwhere(~allowed(values))
        if not bad.size:
            return
        where = tuple(map(int, bad[0]))
        called = names.get(tree.text, "what it is given") if tree.op == "name" else "its argument"
        raise DomainError(
            f"{said}; {entry(called, where)} is {number(values[where])}.\n"
            "  Pass such numbers, or draw them: positive=[…] in Python, --positive on the line."
        )

    def _aligned(self, arrays: tuple[np.ndarray, ...]) -> dict[str, np.ndarray]:
        """The operands; one with axes in front has length 1 along each axis that it lacks."""
        found = {}
        for (name, word), array in zip(self.axes.items(), arrays, strict=True):
            front, lacks = array.ndim - len(word), len(self.out) - len(word)
            if front and lacks:
                array = array.reshape(*array.shape[:front], *(1,) * lacks, *array.shape[front:])
            found[name] = array
        return found

    def _written(
        self, tree: Tree, at: Any, deltas: list[Delta], covered: tuple[str, ...]
    ) -> Expression:
        """The deltas, the slope over the axes that it has, and 1 along the others."""
        coefficient = constant_of(tree)  # 2, and 1/sqrt(2)
        factors: list[Factor] = list(deltas)
        own: tuple[str, ...] = ()
        if coefficient is None:
            own = max((self.axes[n] for n in names_in(tree)), key=len)
            shape = np.broadcast_shapes(*(np.shape(at[n]) for n in names_in(tree)))
            value, size = (np.broadcast_to(f(tree, at), shape) for f in (value_of, magnitude_of))
            lacks = len(self.out) - len(own)
            if lacks and len(shape) > len(own):  # the axes that `_aligned` put in
                shape = (*shape[: len(shape) - len(self.out)], *shape[len(shape) - len(own) :])
            front = unnamed(len(shape) - len(own), self.out)
            value, size = (np.array(part).reshape(shape) for part in (value, size))
            factors.append(Dense(slope_label(tree), (*front, *own), value, size))
        lacking = [axis for axis in self.out if axis not in (*own, *covered)]
        factors += [One(axis) for axis in lacking]
        return Expression.of(*factors, coefficient=1.0 if coefficient is None else coefficient)


def _left_share(tree: Tree, share: Any, at: Any) -> Any:
    """The cotangent of a in a + b, a − b, a b and a/b."""
    if tree.op in ("+", "-"):
        return share
    if tree.op == "*":
        return share * value_of(tree.args[1], at)
    return share / value_of(tree.args[1], at)


def _right_share(tree: Tree, share: Any, at: Any) -> Any:
    """The cotangent of b in a + b, a − b, a b and a/b."""
    if tree.op in ("+", "-"):
        return share if tree.op == "+" else -share
    if tree.op == "*":
        return share * value_of(tree.args[0], at)
    below = value_of(tree.args[1], at)
    return -share * value_of(tree.args[0], at) / below / below


def _added(shares: tuple[Any, ...]) -> Any:
    total = shares[0]
    for share in shares[1:]:
        total = total + share
    return total


def _summed_to(array: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """The sum over the axes along which what was read is one for all."""
    if array.ndim > len(shape):
        array = array.sum(axis=tuple(range(array.ndim - len(shape))))
    short = [a for a, (n, m) in enumerate(zip(array.shape, shape, strict=True)) if n != m]
    return array.sum(axis=tuple(short), keepdims=True) if short else array


def slope_label(tree: Tree) -> str:
    """A slope as the label of a factor, in parentheses."""
    signs = {"+": " + ", "-": " − ", "*": " ", "/": "/"}
    if tree.op == "name":
        return tree.text
    if tree.op == "num":
        return number(float(tree.text), 12).replace("-", "−")
    if tree.op == "f":
        inside = slope_label(tree.args[0])
        function = {"sigmoid": "σ", "sigmoid'": "σ'"}.get(tree.text, tree.text)
        return f"{function}{inside if inside.startswith('(') else f'({inside})'}"
    if tree.op == "neg":
        return f"(−{slope_label(tree.args[0])})"
    if tree.op == "**":
        return f"{slope_label(tree.args[0])}^{slope_label(tree.args[1])}"
    left, right = map(slope_label, tree.args)
    return f"({left}{signs[tree.op]}{right})"


def _parts(tree: Tree) -> list[Tree]:
    """A tree and all below it."""
    return [tree, *(part for arg in tree.args for part in _parts(arg))]
