"""A printed formula read again and evaluated: a check of what stands on the page.

    2 (W x − y) xᵀ                vectors are columns, a product stands side by side
    (softmax(z) − y) ⊙ 1_k        ⊙ and ⊘ entry by entry
    Σ_i δ[k,k'] (W x)[i] x[i']    the index form: what has brackets is read at axes

The reader shares nothing with the writer but the signs.
"""

import math
import re
from collections.abc import Callable, Mapping
from itertools import pairwise
from typing import Any

import numpy as np

from ..errors import SpecError
from ..numbers.stable import log_softmax, sigmoid, softmax_parts, softplus
from ..writing.signs import RAISED, lowered

_NAME = rf"[^\W\d_ᵀ{RAISED}][^\Wᵀ{RAISED}]*"
_TOKEN = re.compile(
    rf"\s*([1I]_[a-z]|[0-9]+\.?[0-9]*(?:e[+-]?[0-9]+)?|{_NAME}'*\(|{_NAME}|⁻¹|⁻ᵀ|\^∘|[{RAISED}]+|"
    "[‖ᵀ^()+−⊙⊘⊗/])"
)


def _normal(z: Any) -> Any:
    """Φ(z), the distribution function of the normal distribution."""
    return np.vectorize(lambda x: math.erfc(-x / math.sqrt(2)) / 2, otypes=[float])(z)


def _bell(z: Any) -> Any:
    """φ(z), the slope of Φ."""
    return np.exp(-z * z / 2) / math.sqrt(2 * math.pi)


_FUNCTIONS: dict[str, Callable[[Any], Any]] = {
    "exp": np.exp,
    "log": np.log,
    "sqrt": np.sqrt,
    "sin": np.sin,
    "cos": np.cos,
    "tanh": np.tanh,
    "tanh'": lambda z: 1 / np.cosh(z) ** 2,
    "σ": sigmoid,
    "σ'": lambda z: sigmoid(z) * sigmoid(-z),
    "softplus": softplus,
    "relu": lambda z: np.where(z > 0, z, 0.0),
    "relu'": lambda z: np.where(z > 0, 1.0, 0.0),
    "leaky_relu": lambda z: np.where(z > 0, z, 0.01 * z),
    "leaky_relu'": lambda z: np.where(z > 0, 1.0, 0.01),
    "elu": lambda z: np.where(z > 0, z, np.exp(np.minimum(z, 0)) - 1),
    "elu'": lambda z: np.exp(np.minimum(z, 0)),
    "elu''": lambda z: np.where(z > 0, 0.0, np.exp(np.minimum(z, 0))),
    "silu": lambda z: z * sigmoid(z),
    "silu'": lambda z: sigmoid(z) * (1 + z * sigmoid(-z)),
    "silu''": lambda z: sigmoid(z) * sigmoid(-z) * (2 + z * (sigmoid(-z) - sigmoid(z))),
    "gelu": lambda z: z * _normal(z),
    "gelu'": lambda z: _normal(z) + z * _bell(z),
    "gelu''": lambda z: (2 - z * z) * _bell(z),
    "abs": np.abs,
    "sign": np.sign,
    "norm": lambda z: np.sqrt(np.sum(z * z)),
    "tr": np.trace,
    "tan": np.tan,
    "arcsin": np.arcsin,
    "arccos": np.arccos,
    "arctan": np.arctan,
    "vec": lambda X: np.reshape(X, (-1, 1), order="F"),
    "max": np.max,
    "min": np.min,
    "e_max": lambda z: np.equal(z, np.max(z)) * 1.0,
    "e_min": lambda z: np.equal(z, np.min(z)) * 1.0,
    "det": np.linalg.det,
    "logdet": lambda X: np.linalg.slogdet(X)[1],
}


def evaluated(
    text: str, arrays: Mapping[str, np.ndarray], sizes: Mapping[str, int], axes: tuple[str, ...]
) -> np.ndarray:
    """The array that a printed formula says, over these axes. SpecError where it cannot be read.

    >>> x, A = np.array([1.0, 2.0]), np.array([[1.0, 2.0], [3.0, 4.0]])
    >>> evaluated("(A + Aᵀ) x", {"A": A, "x": x}, {"k": 2}, ("k'",))
    array([12., 21.])
    """
    shape = tuple(sizes[axis.rstrip("'")] for axis in axes)
    if "[" in text or len(axes) > 2:
        return _by_index(text, arrays, sizes, axes)
    value = np.asarray(_Reader(text, arrays, sizes).whole())
    if value.shape == () and value == 0:
        return np.zeros(shape)
    if value.size != int(np.prod(shape)):
        raise SpecError(f"{text} has the shape {value.shape}, where {shape} is meant.")
    return value.reshape(shape)


class _Reader:
    """One formula, read from left to right."""

    def __init__(self, text: str, arrays: Mapping[str, np.ndarray], sizes: Mapping[str, int]):
        self.arrays, self.sizes, self.text = arrays, sizes, text
        self.tokens: list[str] = []
        place = 0
        while place < len(text):
            match = _TOKEN.match(text, place)
            if not match:
                raise SpecError(f"{text[place:].strip()} cannot be read in {text}.")
            self.tokens.append(match[1])
            place = match.end()
        self.at, self.inside_norm = 0, False

    def whole(self) -> Any:
        value = self.sum()
        if self.peek():
            raise SpecError(f"{' '.join(self.tokens[self.at :])} is left over in {self.text}.")
        return value

    def peek(self) -> str:
        return self.tokens[self.at] if self.at < len(self.tokens) else ""

    def take(self, expected: str = "") -> str:
        token = self.peek()
        if not token or (expected and token != expected):
            raise SpecError(f"{expected or 'more'} is missing in {self.text}.")
        self.at += 1
        return token

    def sum(self) -> Any:
        negative = self.peek() == "−" and bool(self.take())
        value = self.hadamard()
        value = -value if negative else value
        while self.peek() in ("+", "−"):
            sign = self.take()
            other = self.hadamard()
            self._require_equal(value, other)
            value = value + other if sign == "+" else value - other
        return value

    def hadamard(self) -> Any:
        value = self.product()
        while self.peek() in ("⊙", "⊘", "⊗"):
            sign = self.take()
            other = self.product()
            if sign == "⊗":
                value = np.kron(value, other)
                continue
            self._require_equal(value, other)
            value = value * other if sign == "⊙" else value / other
        return value

    def _require_equal(self, one: Any, other: Any) -> None:
        if np.shape(one) != np.shape(other):
            raise SpecError(f"{np.shape(one)} and {np.shape(other)} meet in {self.text}.")

    def product(self) -> Any:
        value = self.power()
        while self.peek() and self.peek() not in (")", "+", "−", "⊙", "⊘", "⊗"):
            if self.peek() == "‖" and self.inside_norm:
                break
            if self.peek() == "/":
                self.take()
                value = _number(value) / _number(self.power())
                continue
            other = self.power()
            value = value @ other if np.ndim(value) and np.ndim(other) else value * other
        return _number(value)

    def power(self) -> Any:
        value = self.atom()
        while self.peek() in ("ᵀ", "⁻¹", "⁻ᵀ", "^", "^∘") or self.peek()[:1] in [*RAISED]:
            sign = self.take()
            if sign in ("^", "^∘"):
                value = np.power(value, self.exponent())
            elif sign[0] in RAISED:
                value = value ** lowered(sign)
            else:
                value = value if sign == "ᵀ" else np.linalg.inv(value)
                value = value if sign == "⁻¹" else np.transpose(value)
        return value

    def exponent(self) -> float:
        if self.peek() != "(":
            return float(self.take())
        self.take("(")
        negative = self.peek() == "−" and bool(self.take())
        value = float(self.take())
        if self.peek() == "/":
            self.take()
            value /= float(self.take())
        self.take(")")
        return -value if negative else value

    def atom(self) -> Any:
        token = self.take()
        if token == "‖":
            before, self.inside_norm = self.inside_norm, True
            value = self.sum()
            self.inside_norm = before
            self.take("‖")
            return np.sqrt(np.sum(np.square(value)))
        if token.endswith("("):
            return self.call(token[:-1])
        if token[:2] in ("1_", "I_") and len(token) == 3:
            size = self.sizes[token[2]]
            return np.ones((size, 1)) if token[0] == "1" else np.eye(size)
        if token[0].isdigit():
            return float(token)
        if token not in self.arrays:
            raise SpecError(f"{token} has no value in {self.text}.")
        value = self.arrays[token]
        return value[:, None] if value.ndim == 1 else value if value.ndim else float(value)

    def call(self, function: str) -> Any:
        if function == "dim":
            letter = self.take()
            self.take(")")
            return float(self.sizes[letter])
        before, self.inside_norm = self.inside_norm, False
        inside = self.sum()
        self.inside_norm = before
        self.take(")")
        if not function:
            return inside
        if function == "diag":
            return np.diag(inside[:, 0]) if inside.shape[1] == 1 else np.diag(inside)[:, None]
        if function.startswith("mat_"):
            return inside.reshape([self.sizes[letter] for letter in function[4:]])
        if function in ("softmax", "log_softmax", "logsumexp"):
            rows = inside.T if inside.shape[1] == 1 else inside
            if function == "logsumexp":
                found = np.log(np.sum(np.exp(rows), axis=1))
                return float(found[0]) if inside.shape[1] == 1 else found[:, None]
            of_rows = softmax_parts(rows)[0] if function == "softmax" else log_softmax(rows)
            return of_rows.T if inside.shape[1] == 1 else of_rows
        return _FUNCTIONS[function](inside)


def _number(value: Any) -> Any:
    """An inner product, (1, 1), is a number."""
    return float(value[0, 0]) if np.shape(value) == (1, 1) else value


_SIGN = re.compile(r"\s*([+−])\s*")
_PAIR = re.compile(r"dim\((\w)\) ([^\W\d]'*)\+([^\W\d]'*)")
_ENTRY = re.compile(rf"(.*)\[([^\[\]]*)\]([{RAISED}]+|\^[\d.]+|\^\(−?[\d./]+\))?")
_SUMS = re.compile(r"\s*Σ_\{?([\w',]+)\}?\s*")


def _by_index(
    text: str, arrays: Mapping[str, np.ndarray], sizes: Mapping[str, int], axes: tuple[str, ...]
) -> np.ndarray:
    """A sum of terms in index form, each an einsum of its factors."""
    total = np.zeros(tuple(sizes[a.rstrip("'")] for a in axes))
    for sign, term in _split(text):
        factors = _factors(term)
        group = next((f for f in factors if f[0] == "(" and f[-1] == ")" and "[" in f), None)
        if group is None:
            total = total + sign * _index_term(term, arrays, sizes, axes)
            continue
        outside = " ".join(f for f in factors if f is not group)
        for inner, inside in _split(group[1:-1]):
            part = _by_index(f"{outside} {inside}", arrays, sizes, axes)
            total = total + sign * inner * part
    return total


def _split(text: str) -> list[tuple[float, str]]:
    """The terms of a sum, each with its sign."""
    found, begin, sign = [], 0, 1.0
    for place in _outside(text, "+−"):
        if text[begin:place].strip():
            found.append((sign, text[begin:place].strip()))
        sign, begin = (1.0 if text[place] == "+" else -1.0), place + 1
    return [*found, (sign, text[begin:].strip())]


def _outside(text: str, signs: str) -> list[int]:
    """Where such signs stand outside of parentheses, brackets and norms."""
    found, depth, norm = [], 0, False
    for place, character in enumerate(text):
        depth += (character in "([") - (character in ")]")
        norm ^= character == "‖"
        if character in signs and not depth and not norm:
            found.append(place)
    return found


def _index_term(
    term: str, arrays: Mapping[str, np.ndarray], sizes: Mapping[str, int], axes: tuple[str, ...]
) -> np.ndarray:
    sums = _SUMS.search(term)
    rest = f"{term[: sums.start()]} {term[sums.end() :]}" if sums else term
    operands: list[np.ndarray] = []
    words: list[tuple[str, ...]] = []
    scale = 1.0
    lengths, factors = dict(sizes), _factors(rest)
    for factor, sign in sorted(_with_signs(factors), key=lambda one: one[0].startswith("δ[")):
        entry = _ENTRY.fullmatch(factor)
        if entry is None:
            scale *= float(_Reader(factor, arrays, sizes).whole()) ** sign
            continue
        head, tail, power = entry.groups()
        word = tuple(tail.split(","))
        pair = _PAIR.fullmatch(word[-1])
        if head == "δ" and pair:
            word = (word[0], pair[2], pair[3])
            shape = [_length(axis, lengths, term) for axis in word[1:]]
            if sizes[pair[1]] != shape[1]:
                raise SpecError(f"{factor} counts in steps of another length.")
            operands.append(np.eye(shape[0] * shape[1]).reshape(-1, *shape))
        elif head == "δ":
            known = next((a for a in word if a.rstrip("'") in lengths), word[0])
            operands.append(np.eye(_length(known, lengths, term)))
        else:
            value = np.asarray(_Reader(head, arrays, sizes).whole())
            value = np.power(value, sign * _exponent(power))
            operands.append(value.reshape(-1) if len(word) == 1 else value)
        words.append(word)
        for axis, length in zip(word, operands[-1].shape, strict=True):
            lengths.setdefault(axis.rstrip("'"), length)
    letters = {
        axis: chr(97 + n) for n, axis in enumerate(dict.fromkeys(a for w in words for a in w))
    }
    lacking = [a for a in axes if a not in letters]
    if set(letters) - set(axes) != set(sums[1].split(",") if sums else ()):
        raise SpecError(f"the sums of {term} are not over the axes that it has.")
    inside = ",".join("".join(letters[a] for a in word) for word in words)
    result = "".join(letters[a] for a in axes if a in letters)
    value = scale * (np.einsum(f"{inside}->{result}", *operands) if operands else np.ones(()))
    order = [a for a in axes if a in letters]
    shaped = value.reshape([sizes[a.rstrip("'")] if a in order else 1 for a in axes])
    return np.broadcast_to(shaped, [sizes[a.rstrip("'")] for a in axes]) if lacking else shaped


def _with_signs(factors: list[str]) -> list[tuple[str, int]]:
    """Each factor with 1, or −1 where it divides; a divisor in parentheses is several."""
    found: list[tuple[str, int]] = []
    for factor in factors:
        if factor[0] != "/":
            found.append((factor, 1))
        elif factor[1] == "(" and factor[-1] == ")" and "[" in factor:
            found += [(inside, -1) for inside in _factors(factor[2:-1])]
        else:
            found.append((factor[1:], -1))
    return found


def _exponent(sign: str | None) -> float:
    """Of a[k]⁴, a[k]^0.5, a[k]^(−2) and a[k]^(1/3)."""
    if not sign:
        return 1.0
    if sign[0] in RAISED:
        return lowered(sign)
    above, _, below = sign.strip("^()").replace("−", "-").partition("/")
    return float(above) / float(below or 1)


def _length(axis: str, lengths: Mapping[str, int], term: str) -> int:
    if axis.rstrip("'") not in lengths:
        raise SpecError(f"nothing in {term} says how long {axis} is.")
    return lengths[axis.rstrip("'")]


def _factors(text: str) -> list[str]:
    """The factors that stand side by side, outside of parentheses and brackets; /b divides."""
    ends = [0, *_outside(text, " /"), len(text)]
    parts = [text[begin:end].strip() for begin, end in pairwise(ends)]
    return [part for part in parts if part]
