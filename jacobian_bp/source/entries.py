"""One entry of an expression: NumPy over whole arrays read as numbers.

    x @ W1.T + b1  at [n, k]     is     Σ_i x[n, i] * W1[k, i], and b1[k]

A sum becomes a loop that stands before the statement, as far out as its own indices let it.
"""

import ast
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from .known_or_code import literal

At = tuple[str, ...]

SIGNS: dict[type, str] = {
    **{ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/", ast.Pow: "**", ast.Mod: "%"},
    **{ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">=", ast.Eq: "==", ast.NotEq: "!="},
    **{ast.BitAnd: "and", ast.BitOr: "or"},
}
OF_ONE_NUMBER = {
    *("exp", "expm1", "log", "log1p", "tanh", "cosh", "sinh", "sqrt", "sin", "cos", "rint"),
    *("sign", "isfinite", "isnan", "isinf", "arctan", "tan", "floor", "ceil", "square"),
}
OF_TWO_NUMBERS = {"maximum", "minimum", "copysign", "ldexp", "hypot", "arctan2", "power"}
BY_NAME = {
    **{"add": ast.Add(), "subtract": ast.Sub(), "multiply": ast.Mult(), "divide": ast.Div()},
    **{"true_divide": ast.Div()},
}
AS_THEY_ARE = {"array", "asarray", "ascontiguousarray", "broadcast_to", "copy"}
REDUCED = {"sum": "+", "max": "maximum", "min": "minimum", "prod": "*", "mean": "+", "argmax": ">"}


class NoLoopsError(Exception):
    """An expression that has no reading entry by entry here."""


@dataclass
class Scope:
    """A loop that is open: its variable, its size, and the lines inside it so far."""

    variable: str = ""
    size: int = 0
    lines: list[Any] = field(default_factory=list)  # texts, and (variable, size, lines)


@dataclass
class Style:
    """How numbers are written: as they are, or each with its type, as a compiler needs them."""

    typed: bool = False

    def number(self, value: Any, dtype: np.dtype | None) -> str:
        """A constant; `dtype` is that of the array which it meets."""
        if not self.typed or dtype is None or dtype.kind != "f":
            return ast.unparse(literal(value))
        plain = ast.unparse(literal(float(value)))
        return plain if dtype == np.float64 else f"np.{dtype}({plain})"

    def function(self, name: str) -> str:
        """A function of one number; what a compiler knows by another name has that."""
        return f"math.{name}" if self.typed and name in ("ldexp", "frexp") else f"np.{name}"

    def exponential(self, text: str, dtype: np.dtype | None) -> str:
        """e^z; compiled loops have a function of their own, several entries at once."""
        if not self.typed:
            return f"np.exp({text})"
        return f"np.float32(exp(np.float64({text})))" if dtype == np.float32 else f"exp({text})"

    def cast(self, text: str, before: np.dtype, after: np.dtype, asked: bool = False) -> str:
        """An entry in another dtype."""
        if before == after or not (self.typed or asked):
            return text
        return f"np.{'bool_' if after.kind == 'b' else after}({text})"


class Entries:
    """Writes entries of expressions; what each name holds is known by an example.

    `read` is told each name that is read, and where, and gives the text for it. `letter` names
    the variable of a sum over an axis of some size.
    """

    def __init__(
        self,
        examples: dict[str, Any],
        style: Style,
        read: Callable[[str, At], str],
        letter: Callable[[int, set[str]], str],
        fresh: Callable[[str], str],
    ) -> None:
        self.examples, self.style = examples, style
        self.read, self.letter, self.fresh = read, letter, fresh
        self.scopes: list[Scope] = []
        self.kept: dict[str, Any] = {}
        self.functions: dict[str, Any] = {}  # above the step, each of one number

    # ------------------------------------------------------------ what an expression gives

    def example(self, node: ast.expr) -> Any:
        """The array that an expression gives for the examples."""
        key = ast.unparse(node)
        if key not in self.kept:
            space = {"np": np, "__builtins__": {"slice": slice, "abs": abs, "range": range}}
            space |= self.functions
            expression = ast.fix_missing_locations(ast.Expression(node))
            with np.errstate(all="ignore"):
                self.kept[key] = eval(compile(expression, "<step>", "eval"), space, self.examples)
        return self.kept[key]

    def shape(self, node: ast.expr) -> tuple[int, ...]:
        return np.shape(self.example(node))

    def dtype(self, node: ast.expr) -> np.dtype | None:
        """None for a plain number, which takes the dtype of what it meets."""
        found = self.example(node)
        return None if type(found) in (bool, int, float) else np.asarray(found).dtype

    def forget(self) -> None:
        """Another statement begins: names may hold something else."""
        self.kept = {}

    # ------------------------------------------------------------ one entry

    def entry(self, node: ast.expr, at: At, meets: np.dtype | None = None) -> str:
        """The text for one entry, in the dtype that it meets."""
        dtype = self.dtype(node)
        if dtype is None:
            return self.style.number(self.example(node), meets)
        text = self._entry(node, at)
        return text if meets is None else self.style.cast(text, dtype, meets)

    def several(self, node: ast.expr, at: At) -> str:
        """The entries that a function of one number gives together."""
        match node:
            case ast.Call(ast.Attribute(ast.Name("np"), "frexp"), [inner]):
                return f"{self.style.function('frexp')}({self.entry(inner, at)})"
            case ast.Call(ast.Name(name), args, []) if name in self.functions:
                return f"{name}({', '.join(self.broadcast(a, at) for a in args)})"
        raise NoLoopsError(ast.unparse(node))

    def broadcast(self, node: ast.expr, at: At, meets: np.dtype | None = None) -> str:
        """The entry that meets [at] of a larger array."""
        shape = self.shape(node)
        last = at[len(at) - len(shape) :]
        own = tuple("0" if size == 1 else i for i, size in zip(last, shape, strict=True))
        return self.entry(node, own, meets)

    def _entry(self, node: ast.expr, at: At) -> str:
        dtype = self.dtype(node)
        match node:
            case ast.Name(name):
                return self.read(name, at)
            case ast.UnaryOp(ast.USub(), inner):
                return f"(-{self.entry(inner, at, dtype)})"
            case ast.UnaryOp(ast.Invert(), inner):
                return f"(not {self.entry(inner, at)})"
            case ast.BinOp(left, ast.MatMult(), right):
                return self._product(left, right, at)
            case ast.BinOp(left, ast.Pow(), ast.Constant(2)) if isinstance(left, ast.Name):
                base = self.broadcast(left, at, dtype)
                return f"({base} * {base})"
            case ast.BinOp(left, ast.Pow(), right):
                base, power = self.broadcast(left, at, dtype), self._power(right, at)
                return self._cast(f"{base} ** {power}", dtype)
            case ast.BinOp(left, operator, right):
                sign = self._sign(operator)
                texts = [self.broadcast(side, at, dtype) for side in (left, right)]
                return f"({texts[0]} {sign} {texts[1]})"
            case ast.Compare(left, [operator], [right]):
                both = np.result_type(*(self.example(side) for side in (left, right)))
                texts = [self.broadcast(side, at, both) for side in (left, right)]
                return f"({texts[0]} {self._sign(operator)} {texts[1]})"
            case ast.Attribute(base, "T"):
                return self.entry(base, at[::-1])
            case ast.Subscript(base, index):
                return self._part(base, index, at)
            case ast.Call(ast.Attribute(ast.Name("np"), name), args, keywords):
                return self._of_numpy(node, name, args, keywords, at)
            case ast.Call(ast.Attribute(base, name), args, keywords):
                return self._method(node, base, name, args, keywords, at)
            case ast.Call(ast.Name("abs"), [inner]):
                return f"abs({self.entry(inner, at)})"
            case ast.Call(ast.Name(name), args, []) if name in self.functions:
                return f"{name}({', '.join(self.broadcast(a, at, dtype) for a in args)})"
        raise NoLoopsError(ast.unparse(node))

    def _cast(self, text: str, dtype: np.dtype | None) -> str:
        if not self.style.typed or dtype is None or dtype == np.float64:
            return f"({text})"
        return f"np.{dtype}({text})"

    def _sign(self, operator: ast.AST) -> str:
        if type(operator) not in SIGNS:
            raise NoLoopsError(type(operator).__name__)
        return SIGNS[type(operator)]

    def _power(self, node: ast.expr, at: At) -> str:
        found = self.example(node)
        return repr(found) if type(found) in (int, float) else self.broadcast(node, at)

    def _of_numpy(
        self,
        node: ast.expr,
        name: str,
        args: Sequence[ast.expr],
        keywords: Sequence[ast.keyword],
        at: At,
    ) -> str:
        dtype = self.dtype(node)
        if name in ("abs", "absolute"):
            return f"abs({self.entry(args[0], at)})"
        if name in OF_ONE_NUMBER and len(args) == 1 and not keywords:
            text = self.entry(args[0], at)
            return self.style.exponential(text, dtype) if name == "exp" else f"np.{name}({text})"
        if name in OF_TWO_NUMBERS and len(args) == 2 and not keywords:
            return self._of_two(name, args, at, dtype)
        if name in BY_NAME and len(args) == 2 and {k.arg for k in keywords} <= {"order"}:
            return self._entry(ast.BinOp(args[0], BY_NAME[name], args[1]), at)
        if name == "where" and len(args) == 3:
            test, then, other = args
            texts = [self.broadcast(side, at, dtype) for side in (then, other)]
            return f"({texts[0]} if {self.broadcast(test, at)} else {texts[1]})"
        if name in ("zeros_like", "zeros", "ones", "ones_like"):
            return self.style.number(float(name.startswith("one")), dtype)
        if name in ("full", "full_like"):
            return self.broadcast(args[1], at, dtype)
        if name == "arange" and len(args) == 1:
            return at[0]
        if name == "broadcast_to" or name in AS_THEY_ARE:
            return self.broadcast(args[0], at, dtype)
        if name == "expand_dims" or (name == "reshape" and len(args) == 2):
            return self._reshaped(args[0], node, at)
        if name == "swapaxes":
            order = list(range(len(at)))
            i, j = (int(self.example(a)) for a in args[1:])
            order[i], order[j] = order[j], order[i]
            return self.entry(args[0], tuple(at[place] for place in order))
        if name == "moveaxis":
            numbered = np.empty(tuple(range(len(at))))  # each axis as long as its number
            places = np.moveaxis(numbered, *map(self.example, args[1:])).shape
            return self.entry(args[0], tuple(at[places.index(axis)] for axis in range(len(at))))
        if name == "concatenate":
            return self._joined(node, args[0], keywords, at)
        if name == "einsum":
            return self._einsum(args, at)
        if name in REDUCED and args:
            return self._reduced(node, args[0], name, args[1:], keywords, at)
        if name in ("float64", "float32") and len(args) == 1:
            return self.style.cast(self.entry(args[0], at), np.dtype("O"), np.dtype(name), True)
        raise NoLoopsError(f"np.{name}")

    def _of_two(self, name: str, args: Sequence[ast.expr], at: At, dtype: Any) -> str:
        if name == "ldexp":
            texts = [self.broadcast(side, at) for side in args]
        else:
            texts = [self.broadcast(side, at, dtype) for side in args]
        return f"{self.style.function(name)}({', '.join(texts)})"

    def _method(
        self,
        node: ast.expr,
        base: ast.expr,
        name: str,
        args: Sequence[ast.expr],
        keywords: Sequence[ast.keyword],
        at: At,
    ) -> str:
        dtype = self.dtype(node)
        if name == "astype":
            assert dtype is not None
            before = self.dtype(base)
            return self.style.cast(self.entry(base, at), before or dtype, dtype, asked=True)
        if name in REDUCED:
            return self._reduced(node, base, name, args, keywords, at)
        if name in ("reshape", "ravel"):
            return self._reshaped(base, node, at)
        if name == "copy":
            return self.entry(base, at)
        if name == "transpose":
            order = self.example(args[0]) if len(args) == 1 else [self.example(a) for a in args]
            own = [""] * len(at)
            for place, axis in enumerate(order):
                own[axis] = at[place]
            return self.entry(base, tuple(own))
        if name == "swapaxes":
            swapped = list(at)
            i, j = (int(self.example(a)) for a in args)
            swapped[i], swapped[j] = swapped[j], swapped[i]
            return self.entry(base, tuple(swapped))
        raise NoLoopsError(f".{name}")

    # ------------------------------------------------------------ where an entry is read

    def _part(self, base: ast.expr, index: ast.expr, at: At) -> str:
        """x[..., None] and x[:, 1:]: the same entry, read at another place."""
        given = index.elts if isinstance(index, ast.Tuple) else [index]
        shape, left = self.shape(base), list(at)
        plain = [g for g in given if not (_is(g, None) or _is(g, Ellipsis))]
        own: list[str] = []
        for part in given:
            if _is(part, Ellipsis):
                for _ in range(len(shape) - len(plain)):
                    own.append(left.pop(0))
            elif _is(part, None):
                left.pop(0)
            elif isinstance(part, ast.Slice):
                ends = [None if e is None else self.example(e) for e in _ends(part)]
                start, _, step = slice(*ends).indices(shape[len(own)])
                own.append(_placed(start, step, left.pop(0)))
            else:
                if type(self.example(part)) is not int:
                    raise NoLoopsError("an entry that is looked up")
                own.append(str(self.example(part) % shape[len(own)]))
        return self.entry(base, (*own, *left))

    def _reshaped(self, base: ast.expr, node: ast.expr, at: At) -> str:
        """Axes of one entry come and go; other shapes have another order of entries."""
        before, after = self.shape(base), self.shape(node)
        if [n for n in before if n > 1] != [n for n in after if n > 1]:
            raise NoLoopsError("a reshape")
        kept = [i for i, size in zip(at, after, strict=True) if size > 1]
        return self.entry(base, tuple(kept.pop(0) if size > 1 else "0" for size in before))

    def _joined(
        self, node: ast.expr, parts: ast.expr, keywords: Sequence[ast.keyword], at: At
    ) -> str:
        if not isinstance(parts, ast.List | ast.Tuple):
            raise NoLoopsError("np.concatenate")
        dtype = self.dtype(node)
        axis = next((self.example(k.value) for k in keywords if k.arg == "axis"), 0) % len(at)
        sizes = [self.shape(part)[axis] for part in parts.elts]
        text, start = "", sum(sizes)
        for part, size in reversed(list(zip(parts.elts, sizes, strict=True))):
            start -= size
            if not size:
                continue
            own = (*at[:axis], _placed(-start, 1, at[axis]), *at[axis + 1 :])
            if size == 1:
                own = (*at[:axis], "0", *at[axis + 1 :])
            mine = self.entry(part, own, dtype)
            text = f"({mine} if {at[axis]} < {start + size} else {text})" if text else mine
        return text

    # ------------------------------------------------------------ sums

    def _product(self, left: ast.expr, right: ast.expr, at: At) -> str:
        """Σ_i left[…, i] right[…, i, …]"""
        first, second = self.shape(left), self.shape(right)
        size, ours, theirs = first[-1], max(len(first) - 1, 0), max(len(second) - 1, 0)
        dtype = np.result_type(self.example(left), self.example(right))

        def term(i: str) -> str:
            rows = at[: len(at) - (len(second) > 1)] if ours else ()
            columns = (at[-1],) if len(second) > 1 else ()
            lead = rows[:-1] if len(first) > 1 else rows
            own = (*self._lead(lead, len(first) - 2), *rows[-1:], i) if len(first) > 1 else (i,)
            other = (*self._lead(lead, len(second) - 2), i, *columns) if theirs else (i,)
            x, y = self.broadcast(left, own, dtype), self.broadcast(right, other, dtype)
            return f"{x} * {y}"

        return self.summed([size], at, dtype, lambda names: term(names[0]))

    @staticmethod
    def _lead(lead: At, count: int) -> At:
        return lead[len(lead) - count :] if count > 0 else ()

    def _einsum(self, args: Sequence[ast.expr], at: At) -> str:
        written = str(self.example(args[0])).replace(" ", "")
        inputs, _, out = written.partition("->")
        operands = args[1:]
        words = inputs.split(",")
        shapes = [self.shape(operand) for operand in operands]
        free = [c for c in "ABCDEFGHIJKLMNOPQRSTUVWXYZ" if c not in written]
        ranks = [
            len(s) - len(w.replace("...", ""))
            for w, s in zip(words, shapes, strict=True)
            if "..." in w
        ]
        dots = "".join(free[: max(ranks, default=0)])
        words = [
            w.replace("...", dots[len(dots) - (len(s) - len(w.replace("...", ""))) :])
            for w, s in zip(words, shapes, strict=True)
        ]
        out = out.replace("...", dots)
        sizes: dict[str, int] = {}
        for word, shape in zip(words, shapes, strict=True):
            for c, size in zip(word, shape, strict=True):
                sizes[c] = max(sizes.get(c, 1), size)
        dtype = np.result_type(*(self.example(operand) for operand in operands))
        fixed = dict(zip(out, at, strict=True))
        summed = [c for c in sizes if c not in out]

        def term(names: Sequence[str]) -> str:
            place = fixed | dict(zip(summed, names, strict=True))
            texts = [
                self.broadcast(operand, tuple(place[c] for c in word), dtype)
                for operand, word in zip(operands, words, strict=True)
            ]
            return " * ".join(texts)

        if not summed:
            return f"({term(())})"
        return self.summed([sizes[c] for c in summed], at, dtype, term)

    def _reduced(
        self,
        node: ast.expr,
        base: ast.expr,
        name: str,
        args: Sequence[ast.expr],
        keywords: Sequence[ast.keyword],
        at: At,
    ) -> str:
        said = {k.arg: self.example(k.value) for k in keywords}
        if args:
            said["axis"] = self.example(args[0])
        shape, axis = self.shape(base), said.pop("axis", None)
        keeps = bool(said.pop("keepdims", False))
        dtype = np.dtype(said.pop("dtype", None) or self.dtype(base))
        if said:
            raise NoLoopsError(f".{name}")
        axes = range(len(shape)) if axis is None else np.atleast_1d(axis)
        gone = {int(a) % len(shape) for a in axes}
        outer = iter([i for place, i in enumerate(at) if not (keeps and place in gone)])
        places = [None if place in gone else next(outer) for place in range(len(shape))]
        sizes = [shape[place] for place in sorted(gone)]

        def term(names: Sequence[str]) -> str:
            given = iter(names)
            own = tuple(next(given) if i is None else i for i in places)
            return self.entry(base, own, dtype)

        if name in ("sum", "mean"):
            text = self.summed(sizes, at, dtype, term)
            share = self.style.number(float(np.prod(sizes)), dtype)
            return f"({text} / {share})" if name == "mean" else text
        if name in ("max", "min", "argmax") and len(sizes) == 1:
            return self._largest(name, sizes[0], dtype, term)
        raise NoLoopsError(f".{name}")

    def summed(
        self,
        sizes: Sequence[int],
        at: At,
        dtype: np.dtype,
        term: Callable[[Sequence[str]], str],
    ) -> str:
        """The name of a running sum; its loops stand before what reads it."""
        zero = self.style.number(0.0, dtype)
        return self._loop("s", [zero], sizes, term, lambda name, text: [f"{name} += {text}"])

    def _largest(
        self, name: str, size: int, dtype: np.dtype, term: Callable[[Sequence[str]], str]
    ) -> str:
        """The largest entry, or its place: the first where several are equal, NaN before all."""
        sign, first = "<" if name == "min" else ">", term(["0"])
        if name != "argmax":
            better = f"np.{REDUCED[name]}"
            return self._loop(
                "top", [first], [size], term, lambda top, text: [f"{top} = {better}({top}, {text})"]
            )
        place = self.fresh("place")

        def write(top: str, text: str, variable: str) -> list[Any]:
            return [
                f"if {text} {sign} {top}:",
                f"    {top}, {place} = {text}, {variable}",
            ]

        self._loop("top", [first], [size], term, write, also=f"{place} = 0")
        return place

    def _loop(
        self,
        wanted: str,
        start: Sequence[str],
        sizes: Sequence[int],
        term: Callable[[Sequence[str]], str],
        write: Callable[..., list[Any]],
        also: str = "",
    ) -> str:
        """Loops over the sizes, in the outermost scope in which all that they read is known."""
        inside = len(self.scopes)
        taken = {scope.variable for scope in self.scopes}
        names: list[str] = []
        for size in sizes:
            names.append(self.letter(size, taken | set(names)))
            self.scopes.append(Scope(names[-1], size))
        text = term(names)
        opened = self.scopes[inside:]
        del self.scopes[inside:]
        read = set(re.findall(r"[A-Za-z_]\w*", text)) | {
            word for scope in opened for line in _texts(scope.lines) for word in _words(line)
        }
        depth = max(
            (place for place, scope in enumerate(self.scopes) if scope.variable in read), default=0
        )
        before = self.scopes[depth]
        # what a later statement of this scope may read stands in its scope, too
        depth = max([depth, *(p for p, s in enumerate(self.scopes) if _gives(s.lines) & read)])
        before = self.scopes[depth]
        total = self.fresh(wanted)
        lines = write(total, text, names[-1]) if also else write(total, text)
        inner: Any = [*opened[-1].lines, *lines]
        for place in range(len(opened) - 1, -1, -1):
            inner = [(names[place], sizes[place], inner)]
            if place:
                inner = [*opened[place - 1].lines, *inner]
        before.lines.extend([f"{total} = {start[0]}", *([also] if also else []), *inner])
        return total


def _is(node: ast.expr, value: Any) -> bool:
    return isinstance(node, ast.Constant) and node.value is value


def _ends(part: ast.Slice) -> list[ast.expr | None]:
    return [part.lower, part.upper, part.step]


def _placed(start: int, step: int, variable: str) -> str:
    """start + step · variable, as one writes it."""
    if variable.isdigit():
        return str(start + step * int(variable))
    text = variable if abs(step) == 1 else f"{abs(step)} * {variable}"
    if step < 0:
        return f"{start} - {text}"
    return text if not start else f"{text} {'+' if start > 0 else '-'} {abs(start)}"


def _texts(lines: Sequence[Any]) -> list[str]:
    found: list[str] = []
    for line in lines:
        found += [line] if isinstance(line, str) else _texts(line[2])
    return found


def _words(line: str) -> set[str]:
    return set(re.findall(r"[A-Za-z_]\w*", line))


def _gives(lines: Sequence[Any]) -> set[str]:
    """The names that the lines of a scope give values to."""
    return {t.partition(" = ")[0].strip() for t in _texts(lines) if " = " in t}
