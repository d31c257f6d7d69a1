"""A step as the text that numba compiles: loops in planned buffers, large products by BLAS.

    def step(W1, b1, x, y, own_float64): … return J

Every value, cotangent and gradient is a part of the workspace that is handed in. What may hide
an infinity from the cost is watched: where the squares of all of it add up to too much, the
step gives NaN, and the caller looks closer.
"""

import ast
import copy
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..program.forward_pass import Pass
from ..routes.compiled.plan import watched
from .entries import Style
from .loop_source import InlineReader, LoopSource, changed_by
from .nests import Nests
from .numpys_blas import product_text

BY_BLAS = 1500  # multiplications of a product, from which a call of BLAS is quicker than loops
BY_ROWS = 256  # entries that are added up over the examples, row after row
LIMITS = {np.dtype(np.float64): 1e200, np.dtype(np.float32): 1e30}  # of the squares that add up

OWN_NAMES = {
    *("njit", "types", "intrinsic", "ir", "zero", "squares", "exp", "power_of_two"),
    *("gemm", "by_blas", "SIGNATURE", "own_float64", "own_float32", "sizes"),
}  # of what the file has beside the step

SQUARES = '''@njit(error_model="numpy", fastmath={"reassoc", "contract"}, cache=True)
def squares(entries):
    """The sum of the squares, in any order."""
    total = zero
    for place in range(entries.size):
        total += entries[place] * entries[place]
    return total'''


# e^x = 2^n e^r, |r| ≤ ½ log 2, by 14 terms of the series: within 1 unit in the last place. The
# power is two factors, so that what is subnormal is rounded once. Several are taken at once.
EXPONENTIAL = '''@intrinsic
def power_of_two(typing_context, exponent):
    """2^n for a whole number n, by its bits."""

    def written(context, builder, signature, args):
        whole = ir.IntType(64)
        bits = builder.shl(builder.add(args[0], ir.Constant(whole, 1023)), ir.Constant(whole, 52))
        return builder.bitcast(bits, ir.DoubleType())

    return types.float64(types.int64), written


@njit(error_model="numpy", fastmath={"contract"}, forceinline=True, cache=True)
def exp(x):
    t = min(max(x, -746.0), 710.0)
    n = np.floor(t * 1.4426950408889634 + 0.5)
    r = t - n * 0.6931471803691238 - n * 1.9082149292705877e-10
    p = 1.6059043836821613e-10
    p = p * r + 2.08767569878681e-09
    p = p * r + 2.505210838544172e-08
    p = p * r + 2.755731922398589e-07
    p = p * r + 2.7557319223985893e-06
    p = p * r + 2.48015873015873e-05
    p = p * r + 0.0001984126984126984
    p = p * r + 0.001388888888888889
    p = p * r + 0.008333333333333333
    p = p * r + 0.041666666666666664
    p = p * r + 0.16666666666666666
    p = p * r + 0.5
    p = p * r * r + r + 1.0
    half = np.int64(n) >> 1
    found = p * power_of_two(half) * power_of_two(np.int64(n) - half)
    return found if x == x else x'''


@dataclass(frozen=True)
class Room:
    """Where an array lies: in which workspace, from where on, and its shape."""

    dtype: np.dtype
    start: int
    shape: tuple[int, ...]

    @property
    def stop(self) -> int:
        return self.start + int(np.prod(self.shape))


@dataclass(frozen=True)
class NumbaText:
    """The text of a step, and the plan of its workspace."""

    text: str
    arguments: tuple[str, ...]
    rooms: Mapping[str, Room]  # by the names of the text
    sizes: Mapping[np.dtype, int]  # entries of each workspace
    gradients: Mapping[str, str]  # of each parameter, under which name
    called: Mapping[str, str]  # each value, under which name
    watched: int  # entries at the front of the workspace that are watched

    def array(self, name: str, own: Mapping[np.dtype, np.ndarray]) -> np.ndarray:
        """The part of the workspace that an array has."""
        room = self.rooms[name]
        return own[room.dtype][room.start : room.stop].reshape(room.shape)


class NumbaSource(LoopSource):
    """The text for one forward pass."""

    reader_class = InlineReader
    style = Style(typed=True)
    taken = LoopSource.taken | OWN_NAMES

    def __init__(self, state: Pass) -> None:
        super().__init__(state)
        self.known: dict[str, Any] = {}
        self.products: set[int] = set()
        self.product = product_text(state.dtype)
        self.result: NumbaText | None = None
        self.bar_names: set[str] = set()

    def planned(self) -> NumbaText:
        """The text and its plan."""
        self.written()
        assert self.result is not None
        return self.result

    # ------------------------------------------------------------ statements

    def statements(self, read: Sequence[str]) -> list[tuple[ast.stmt, ast.stmt]]:
        """Those that are needed; what is computed twice is computed once."""
        found = [s for s, _ in self.text.needed(read)]
        self.known, _ = self._examples(found)
        changed = {n for s in found for n in changed_by(s)}
        twice = {n for n in changed if sum(n in changed_by(s) for s in found) > 1}
        seen: dict[str, str] = {}
        alias: dict[str, str] = {}
        shared = []
        for origin in found:
            statement = origin
            match statement:
                case ast.Assign([ast.Name(name)], value) if name not in twice:
                    text = ast.unparse(_Renaming(alias).visit(copy.deepcopy(value)))
                    reads = {n.id for n in ast.walk(value) if isinstance(n, ast.Name)}
                    if isinstance(value, ast.Name) and value.id not in twice:
                        alias[name] = alias.get(value.id, value.id)
                    elif text in seen and name not in read and not reads & twice:
                        alias[name] = seen[text]
                        value = ast.Name(seen[text], ast.Load())
                        statement = ast.Assign([ast.Name(name, ast.Store())], value, lineno=0)
                    else:
                        seen.setdefault(text, name)
            shared.append((origin, statement))
        return shared

    def _lifted(self, statement: ast.stmt) -> list[ast.stmt]:
        """Running sums and large products, each a statement of its own."""
        found = []
        for part in super()._lifted(statement):
            if isinstance(part, ast.Assign) and isinstance(part.targets[0], ast.Name):
                lifting = _Products(self, part.targets[0].id, part.value)
                value = lifting.visit(copy.deepcopy(part.value))
                found += lifting.before
                if lifting.before or lifting.is_whole:
                    part = ast.Assign(part.targets, value, lineno=0)
                if lifting.is_whole:
                    self.products.add(id(part))
            found.append(part)
        return found

    def _written_as_loops(self, nests: Nests, statement: ast.stmt, kept: set[str]) -> None:
        match statement:
            case ast.Assign([ast.Name(name)], ast.BinOp(left, ast.MatMult(), right)) if (
                id(statement) in self.products
            ):
                texts = [_operand(nests, side) for side in (left, right)]
                reads = [side.id for side in map(_named, (left, right))]
                nests.own.add(name)
                flat = any(np.ndim(nests.examples[read]) != 2 for read in reads)
                called = "np.dot" if flat or not self.product else "by_blas"
                nests.whole(f"{called}({texts[0]}, {texts[1]}, {_token(name)})", name, reads)
            case ast.Assign([ast.Name(name)], value) if base := _summed_rows(nests, value):
                n, k = nests.examples[base].shape
                base = nests.alias.get(base, base)
                zero = self.style.number(0.0, self.state.dtype)
                nests.own.add(name)
                nests.whole(
                    f"for k_ in range({k}):\n    {_token(name)}[k_] = {zero}\n"
                    f"for n_ in range({n}):\n    for k_ in range({k}):\n"
                    f"        {_token(name)}[k_] += {_token(base)}[n_, k_]",
                    name,
                    [base],
                )
            case _:
                super()._written_as_loops(nests, statement, kept)

    # ------------------------------------------------------------ the file

    def _cotangent(self, name: str) -> str:
        found = super()._cotangent(name)
        self.bar_names.add(found)
        return found

    def _file(self, forward: int, gradients: Mapping[str, str]) -> str:
        state, cost = self.state, self.called[self.state.cost]
        nests = self.nests(forward, [cost, *gradients.values()])
        hidden = {self.called[name] for name in watched(self.steps)}
        inputs = {self.called[n] for n in (*self.inputs, *state.program.params)}
        kept = {cost, *gradients.values(), *hidden} | {
            nests.alias.get(name, name) for name in hidden
        }
        direct, pairs = self._uncovered(nests, gradients)
        direct |= hidden & inputs
        kept |= pairs - inputs
        values = {self.called[step.name] for step in self.steps} | self.bar_names
        rooms, sizes, front = self._rooms(nests, kept, values, set(gradients.values()))
        body = nests.lines(kept, lambda name: _part(name, rooms))
        given = [self.called[n] for n in (*state.program.params, *self.inputs)]
        own = [f"own_{dtype}" for dtype in sizes]
        shapes = {
            self.called[n]: state.values[n].shape for n in (*state.program.params, *self.inputs)
        }
        wrong = " or ".join(
            f"{name}.shape[{axis}] != {size}"
            for name, shape in shapes.items()
            for axis, size in enumerate(shape)
        )
        main = f"own_{state.dtype}"
        looked = [f"squares({main}[0:{front}])"] if front else []
        looked += [
            f"squares({_flat(name, rooms)})"
            for name in sorted(direct)
            if not (name in rooms and rooms[name].stop <= front)
        ]
        watch = [f"sizes = {' + '.join(looked)}"] if looked else []
        far = f"sizes < {LIMITS[state.dtype]!r}" if looked else "True"
        result = f"{cost}" if np.shape(nests.examples[cost]) == () else f"{cost}[()]"
        signature = ", ".join([*given, *own])
        functions = self.functions()
        takes_exp = any(re.search(r"\bexp\(", line) for line in (*body, *functions))
        lines = [
            f'"""The cost {state.cost} and its gradients for numba, {state.dtype}."""',
            "",
            "import math",
            "",
            "import numpy as np",
            *(["from llvmlite import ir"] if takes_exp else []),
            "from numba import njit, types",
            *(["from numba.extending import intrinsic"] if takes_exp else []),
            "",
            f"zero = np.{state.dtype}(0.0)",
            "",
            "",
            SQUARES,
            *(["", "", EXPONENTIAL] if takes_exp else []),
            *(["", "", self.product] if any("by_blas(" in line for line in body) else []),
            *functions,
            "",
            "",
            f"SIGNATURE = {self._signature(shapes, sizes)}",
            "",
            "",
            '@njit(SIGNATURE, error_model="numpy", cache=True)',
            f"def step({signature}):",
            *([f"    if {wrong}:", "        return np.nan"] if wrong else []),
            *(f"    {line}" if line else "" for line in body),
            *(f"    {line}" for line in watch),
            f"    return np.float64({result}) if {far} else np.nan",
        ]
        text = "\n".join(lines) + "\n"
        names = {n: nests.renamed.get(a, a) for n, a in gradients.items()}
        called = {
            n: nests.renamed.get(a, a)
            for n, a in ((n, nests.alias.get(c, c)) for n, c in self.called.items())
        }
        self.result = NumbaText(text, tuple(given), rooms, sizes, names, called, front)
        return text

    def functions(self) -> list[str]:
        found = super().functions()
        found = [line.replace("np.exp(", "exp(") for line in found]
        decorator = '@njit(error_model="numpy", cache=True)\ndef '
        return [decorator + text[4:] if text.startswith("def ") else text for text in found]

    def _signature(
        self, shapes: Mapping[str, tuple[int, ...]], sizes: Mapping[np.dtype, int]
    ) -> str:
        arrays = [
            f'types.Array(types.{self.state.dtype}, {len(shape)}, "C", readonly=True)'
            for shape in shapes.values()
        ]
        arrays += [f"types.{dtype}[::1]" for dtype in sizes]
        return f"types.float64({', '.join(arrays)})"

    def _uncovered(self, nests: Nests, gradients: Mapping[str, str]) -> tuple[set[str], set[str]]:
        """Gradients to be looked at themselves, and arrays whose sizes bound the others.

        |Σ_n δ[n,k] a[n,i]| is at most the root of Σ δ² Σ a²: where these are known to be no
        larger than the limit, the gradient is none of those that overflow.
        """
        direct: set[str] = set()
        bounding: set[str] = set()
        large = {self.called[n] for n in self.inputs}
        statements: dict[str, list[ast.stmt]] = {}
        for statement in self.final:
            for name in changed_by(statement):
                statements.setdefault(name, []).append(statement)
        for mine in gradients.values():
            made = statements.get(mine, [])
            parts = _factors(made[0]) if len(made) == 1 else None
            if parts is None:
                direct.add(mine)
                continue
            parts = {nests.alias.get(part, part) for part in parts}
            given = parts & large
            extra = sum(np.size(nests.examples[g]) for g in given)
            values = {self.called[s.name] for s in self.steps} | self.bar_names
            inside = all(
                part in given or part in values or nests.renamed.get(part) in values
                for part in parts
            )
            if not inside or extra > np.size(nests.examples[mine]):
                direct.add(mine)
            else:
                direct |= given
                bounding |= parts - given
        return direct, bounding

    def _rooms(
        self, nests: Nests, kept: set[str], values: set[str], gradients: set[str]
    ) -> tuple[dict[str, Room], dict[np.dtype, int], int]:
        """A part of the workspace for each array; what is watched lies in front."""
        numbers = nests.only_here(kept)
        arrays: dict[str, np.ndarray] = {}
        for nest in nests.found:
            for name in nest.made:
                if name not in numbers and (np.shape(nests.examples[name]) or name in gradients):
                    arrays[nests.renamed.get(name, name)] = np.asarray(nests.examples[name])

        def order(name: str) -> int:
            if name in gradients:
                return 2
            return 0 if name in values else 1

        rooms: dict[str, Room] = {}
        sizes: dict[np.dtype, int] = {self.state.dtype: 0}
        front = 0
        for name in sorted(arrays, key=order):
            array = arrays[name]
            start = sizes.get(array.dtype, 0)
            rooms[name] = Room(array.dtype, start, array.shape)
            sizes[array.dtype] = start + -(-max(array.size, 1) // 16) * 16
            if order(name) == 0 and array.dtype == self.state.dtype:
                front = rooms[name].stop
        return rooms, sizes, front


class _Renaming(ast.NodeTransformer):
    """Names by the first that has the same array."""

    def __init__(self, alias: Mapping[str, str]) -> None:
        self.alias = alias

    def visit_Name(self, node: ast.Name) -> ast.expr:
        return ast.Name(self.alias.get(node.id, node.id), node.ctx)


class _Products(ast.NodeTransformer):
    """Takes large products of matrices out of a statement; each gets a name of its own."""

    def __init__(self, source: NumbaSource, target: str, value: ast.expr) -> None:
        self.source, self.target, self.value = source, target, value
        self.before: list[ast.stmt] = []
        self.is_whole = self._is_large(value)
        self.shape = np.shape(source.known.get(target, 0.0))
        self.top = True

    def _is_large(self, node: ast.expr) -> bool:
        if not (isinstance(node, ast.BinOp) and isinstance(node.op, ast.MatMult)):
            return False
        try:
            left, right = (
                np.shape(_value(side, self.source.known)) for side in (node.left, node.right)
            )
        except NameError:
            return False
        dims = max(len(left), len(right)) == 2 and min(len(left), len(right)) >= 1
        return dims and int(np.prod(left)) * int(np.prod(right[1:])) >= BY_BLAS

    def visit_BinOp(self, node: ast.BinOp) -> ast.expr:
        is_top, self.top = self.top, False
        large = self._is_large(node)
        self.generic_visit(node)
        if not large:
            return node
        for side in ("left", "right"):
            operand = getattr(node, side)
            if _named_or_none(operand) is None:
                setattr(node, side, self._own_name(operand, "factor"))
        if is_top:
            return node
        same = self.shape == np.shape(_value(node, self.source.known))
        name = self.target if same and not self._taken() else ""
        return self._own_name(node, "product", name, True)

    def _taken(self) -> bool:
        """Whether the target is read by the statement, or made before it already."""
        read = {n.id for n in ast.walk(self.value) if isinstance(n, ast.Name)}
        return self.target in read or any(self.target in changed_by(s) for s in self.before)

    def _own_name(
        self, node: ast.expr, wanted: str, name: str = "", product: bool = False
    ) -> ast.Name:
        name = name or self.source.text.new_name(wanted)
        statement = ast.Assign([ast.Name(name, ast.Store())], node, lineno=0)
        self.source.known.setdefault(name, _value(node, self.source.known))
        self.before.append(statement)
        if product:
            self.source.products.add(id(statement))
        return ast.Name(name, ast.Load())


def _value(node: ast.expr, known: Mapping[str, Any]) -> Any:
    expression = ast.fix_missing_locations(ast.Expression(copy.deepcopy(node)))
    with np.errstate(all="ignore"):
        return eval(compile(expression, "<step>", "eval"), {"np": np}, dict(known))


def _named_or_none(node: ast.expr) -> ast.Name | None:
    """W1 of W1 and of W1.T."""
    match node:
        case ast.Name():
            return node
        case ast.Attribute(ast.Name() as name, "T"):
            return name
    return None


def _named(node: ast.expr) -> ast.Name:
    found = _named_or_none(node)
    assert found is not None
    return found


def _token(name: str) -> str:
    return f"⟦{name}|*⟧"


def _operand(nests: Nests, node: ast.expr) -> str:
    name = _named(node).id
    turned = ".T" if isinstance(node, ast.Attribute) else ""
    return _token(nests.alias.get(name, name)) + turned


def _summed_rows(nests: Nests, value: ast.expr) -> str:
    """delta2 of delta2.sum(axis=0), where it has many entries."""
    match value:
        case ast.Call(
            ast.Attribute(ast.Name(base), "sum"), [], [ast.keyword("axis", ast.Constant(0))]
        ):
            shape = np.shape(nests.examples.get(base, 0.0))
            if len(shape) == 2 and int(np.prod(shape)) >= BY_ROWS:
                return base
    return ""


def _factors(statement: ast.stmt) -> set[str] | None:
    """The arrays whose squares bound what a statement gives; None where they do not."""
    match statement:
        case ast.Assign(
            [ast.Name()],
            ast.BinOp(ast.Attribute(ast.Name(left), "T"), ast.MatMult(), ast.Name(right)),
        ):
            return {left, right}
        case ast.Assign(
            [ast.Name()], ast.BinOp(ast.Subscript(ast.Name(left)), ast.Mult(), ast.Name(right))
        ):
            return {left, right}
        case ast.Assign(
            [ast.Name()], ast.Call(ast.Attribute(ast.Name("np"), "array"), [ast.Name(name)])
        ):
            return {name}
        case ast.Assign([ast.Name()], ast.Call(ast.Attribute(ast.Name(name), "sum"))):
            return {name}
    return None


def _part(name: str, rooms: Mapping[str, Room]) -> str:
    room = rooms[name]
    return f"{name} = own_{room.dtype}[{room.start}:{room.stop}].reshape({room.shape})"


def _flat(name: str, rooms: Mapping[str, Room]) -> str:
    if name not in rooms:
        return f"{name}.reshape(-1)"
    room = rooms[name]
    return f"own_{room.dtype}[{room.start}:{room.stop}]"
