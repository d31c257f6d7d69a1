"""Expressions of a text, evaluated by a fixed list of forms and never run by Python."""

import ast
import re
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np

from ..lines.vocabulary import Quantity
from . import functions
from .limits import (
    LARGEST_NUMBER,
    LONGEST_WORD,
    MOST_LOOPED,
    MOST_PRODUCTS,
    MOST_STEPS,
    ONE_ROUND,
    NotReadError,
    ShapesError,
    TooMuchError,
    shown,
)
from .quantities import Quantities
from .scope import Instance
from .store import Store

BINARY: dict[type[ast.operator], Callable[..., Any]] = {
    ast.Add: np.add,
    ast.Sub: np.subtract,
    ast.Mult: np.multiply,
    ast.Div: np.divide,
    ast.FloorDiv: np.floor_divide,
}
COMPARED: dict[type[ast.cmpop], Callable[..., Any]] = {
    ast.Gt: np.greater,
    ast.GtE: np.greater_equal,
    ast.Lt: np.less,
    ast.LtE: np.less_equal,
    ast.Eq: np.equal,
    ast.NotEq: np.not_equal,
}
ATTRIBUTES = ("shape", "size", "ndim")
NUMPY = ("np", "numpy")


class Slots(list):
    """A list with one entry a layer, such as nabla_w = [np.zeros(w.shape) for w in weights]."""

    kind: str | None = None


class Bag:
    """A dictionary or an object that is only read by keys: cache, params, self."""


class Alias(NamedTuple):
    """What a name is another one for: p of p = self.params, which is the same dictionary."""

    of: ast.expr


class Expressions:
    """The values of expressions, by the names stored so far and by what names mean."""

    def __init__(self, quantities: Quantities) -> None:
        self.quantities = quantities
        self.stored: dict[str, Any] = {}
        self.maker: dict[str, tuple[int, ...]] = {}  # the stores that a name was last given by
        self.globals: dict[str, Any] = {}  # objects of the text's own classes, and lists of them
        self.stores: list[Store] = []
        self.reads: list[int] = []
        self.knows: set[Quantity] = set()
        self.unknown: dict[str, int] = {}  # names that nothing tells, and their lines
        self.computed: frozenset[str] = frozenset()  # derivatives that the text stores itself
        self.bound: set[str] = set()  # the variables of loops
        self.time: int | None = None
        self.depth = 0
        self.steps = 0
        self.entries = 0

    def step(self) -> None:
        self.steps += 1
        if self.steps > MOST_STEPS:
            raise TooMuchError(f"it takes more than {MOST_STEPS:,} steps.")

    def charge(self, entries: int) -> None:
        self.entries += entries
        if self.entries > MOST_PRODUCTS:
            raise TooMuchError(f"its arrays have more than {MOST_PRODUCTS:,} entries together.")

    def of(self, node: ast.expr) -> Any:
        """The value of an expression; NotReadError for what is not in the language."""
        self.step()
        value = self._of(node)
        self.charge(value.size if isinstance(value, np.ndarray) else 0)
        return value

    def _of(self, node: ast.expr) -> Any:
        match node:
            case ast.Name() | ast.Attribute() | ast.Subscript():  # the frequent ones first
                return self.read(node)
            case ast.Constant(value=value):
                return _constant(value)
            case ast.BinOp():
                return self._binary(node)
            case ast.Call():
                return self.call(node)
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                return -functions.number_like(self.of(operand))
            case ast.UnaryOp(op=ast.UAdd(), operand=operand):
                return self.of(operand)
            case ast.UnaryOp(op=ast.Not(), operand=operand):
                return not self.truth(operand)
            case ast.UnaryOp(op=ast.Invert(), operand=operand):
                return functions.apply(np.logical_not, self.of(operand))
            case ast.Compare(left=left, ops=[op], comparators=[right]):
                return self._compared(op, left, right)
            case ast.BoolOp(op=op, values=values):
                test = all if isinstance(op, ast.And) else any
                return test(self.truth(value) for value in values)
            case ast.IfExp(test=test, body=body, orelse=other):
                return self.of(body if self.truth(test) else other)
            case ast.List(elts=parts):
                return [self.of(part) for part in parts]
            case ast.Tuple(elts=parts):
                return tuple(self.of(part) for part in parts)
            case ast.Dict(keys=keys, values=parts):
                return {str(self.of(k)): self.of(p) for k, p in zip(keys, parts, strict=True) if k}
            case ast.JoinedStr(values=parts):
                return _word("".join(self._formatted(part) for part in parts))
            case ast.ListComp(elt=element, generators=[each]) if not each.ifs:
                return self._listed_comprehension(element, each)
        raise NotReadError(shown(ast.unparse(node)))

    def truth(self, node: ast.expr) -> bool:
        value = self.of(node)
        if isinstance(value, np.ndarray) and value.size != 1:
            raise NotReadError("the truth of an array")
        return bool(value)

    def _binary(self, node: ast.BinOp) -> Any:
        first, second = self.of(node.left), self.of(node.right)
        if isinstance(first, str) and isinstance(node.op, ast.Mod):
            return filled(first, second)
        if isinstance(first, str) or isinstance(second, str):
            if not isinstance(node.op, ast.Add) or type(first) is not type(second):
                raise NotReadError(shown(ast.unparse(node)))
            return _word(first + second)
        if isinstance(first, list) and isinstance(node.op, ast.Mult):
            count = functions.whole(second)
            if len(first) * count > MOST_LOOPED:
                raise TooMuchError(f"a list of more than {MOST_LOOPED:,} entries.")
            return Slots(first * count)
        if isinstance(node.op, ast.MatMult):
            self.charge(int(np.size(functions.number_like(first))))
            return functions.contract(np.matmul, first, second)
        if isinstance(node.op, ast.Pow):
            return functions.power(first, second)
        if isinstance(node.op, ast.BitAnd | ast.BitOr):
            both = isinstance(node.op, ast.BitAnd)
            return functions.apply(np.logical_and if both else np.logical_or, first, second)
        if isinstance(node.op, ast.Mod) and not isinstance(first, np.ndarray):
            return functions.apply(np.mod, first, second)
        if type(node.op) not in BINARY:
            raise NotReadError(shown(ast.unparse(node)))
        return functions.apply(BINARY[type(node.op)], first, second)

    def _compared(self, op: ast.cmpop, left: ast.expr, right: ast.expr) -> Any:
        first, second = self.of(left), self.of(right)
        if isinstance(op, ast.Is | ast.IsNot):
            return (first is second) == isinstance(op, ast.Is)
        if type(op) not in COMPARED:
            raise NotReadError("a comparison")
        if not all(
            isinstance(v, bool | int | float | np.ndarray | np.generic) for v in (first, second)
        ):
            if not isinstance(op, ast.Eq | ast.NotEq):
                raise NotReadError("a comparison")
            try:
                return bool(first == second) == isinstance(op, ast.Eq)
            except ValueError:  # of lists of arrays
                raise NotReadError("a comparison of arrays within lists") from None
        return functions.apply(COMPARED[type(op)], first, second)

    def _formatted(self, part: ast.expr) -> str:
        if isinstance(part, ast.FormattedValue) and part.format_spec is None:
            value = self.of(part.value)
            if isinstance(value, int | str | np.integer):
                return str(value)
        elif isinstance(part, ast.Constant):
            return str(part.value)
        raise NotReadError("a formatted text")

    def _listed_comprehension(self, element: ast.expr, each: ast.comprehension) -> Slots:
        found, source = Slots(), self.of(each.iter)
        for item in self.listed(source):
            self.bind(each.target, item)
            found.append(self.of(element))
        found.kind = self.quantities.kind_of_list(source)
        return found

    # ---------------------------------------------------------------- loops and names

    def listed(self, value: Any) -> list[Any]:
        """What a loop goes through: of a dictionary its keys."""
        if isinstance(value, dict) and value:
            value = list(value)
        if isinstance(value, list | tuple | range) or (
            isinstance(value, np.ndarray) and value.ndim
        ):
            count = functions.rounds(value) if isinstance(value, range) else len(value)
            if count > MOST_LOOPED:
                raise TooMuchError(f"a loop of more than {MOST_LOOPED:,} rounds.", ONE_ROUND)
            return list(value)
        raise NotReadError("a loop over what is no list")

    def bind(self, target: ast.expr, value: Any) -> None:
        """The variable of a loop."""
        if isinstance(target, ast.Name):
            self.stored[target.id] = value
            self.bound.add(target.id)
            self.maker[target.id] = tuple(self.makers_of(value))
        elif isinstance(target, ast.Tuple | ast.List) and isinstance(value, tuple | list):
            if len(target.elts) != len(value):
                raise ShapesError("a loop with more names than values")
            for part, item in zip(target.elts, value, strict=True):
                self.bind(part, item)
        else:
            raise NotReadError("the variable of a loop")

    def makers_of(self, value: Any) -> list[int]:
        """The last store of this very array."""
        if not isinstance(value, np.ndarray):
            return []
        same = (n for n in range(len(self.stores) - 1, -1, -1) if self.stores[n].value is value)
        number = next(same, None)
        return [] if number is None else [number]

    def meant(self, node: ast.expr) -> ast.expr:
        """The place that a name is another one for, or the place itself."""
        found = self.stored.get(node.id) if isinstance(node, ast.Name) else None
        return found.of if isinstance(found, Alias) else node

    def path(self, node: ast.expr) -> str | None:
        """A place as one word: self.W2, grads['dW2'], nabla_w[-1]."""
        match self.meant(node):
            case ast.Name(id=name):
                return name
            case ast.Attribute(value=base, attr=name):
                if (object_ := self.instance(base)) is not None:
                    return object_.path(name)
                before = self.path(base)
                return f"{before}.{name}" if before else None
            case ast.Subscript(value=base, slice=key) if not isinstance(key, ast.Slice | ast.Tuple):
                before, found = self.path(base), self._key(key)
                return f"{before}[{found!r}]" if before and found is not None else None
        return None

    def _is_word(self, key: ast.expr) -> bool:
        """Whether a key is a string, also one that is put together."""
        if isinstance(key, ast.Slice | ast.Tuple | ast.Compare):
            return False
        reads, knows, unknown = list(self.reads), set(self.knows), dict(self.unknown)
        try:
            return isinstance(self.of(key), str)
        except (NotReadError, ShapesError):
            return False
        finally:  # in place: a store whose value is being read holds the same objects
            self.reads[:] = reads
            self.knows.clear()
            self.knows.update(knows)
            self.unknown.clear()
            self.unknown.update(unknown)

    def _key(self, node: ast.expr) -> int | str | None:
        if isinstance(node, ast.Compare):
            return None
        value = self.of(node)
        if isinstance(value, np.integer):
            return int(value)
        return value if isinstance(value, int | str) else None

    def read(self, node: ast.expr) -> Any:
        """A name, an attribute or an entry: stored before, or known by its name."""
        node = self.meant(node)
        if isinstance(node, ast.Attribute):
            if node.attr == "T":
                return functions.apply(np.transpose, self.of(node.value))
            if node.attr in ATTRIBUTES:
                value = self.quantities.as_the_text_has(self.of(node.value))
                array = np.asarray(functions.number_like(value))
                return getattr(array, node.attr)
            if node.attr == "newaxis":
                return None
        if isinstance(node, ast.Subscript) and _is_of_numpy(node.value, ("c_", "r_")):
            parts = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
            name = "column_stack" if getattr(node.value, "attr", "") == "c_" else "concatenate"
            return functions.call_numpy(name, [[self.of(part) for part in parts]], {})
        path = self._path_or_none(node)
        if path in self.stored:
            return self._stored(path)
        if isinstance(node, ast.Name) and path in self.globals:
            return self.globals[path]
        if (own := self.own(node, path)) is not None:
            self.knows |= self.quantities.named(own)
            return own
        if isinstance(node, ast.Subscript):
            base = self._base(node.value)
            if isinstance(base, np.ndarray | list) and self._is_word(node.slice):
                base = Bag()  # p["W1"], batch["x"]: no probability, and no list of pairs
            if isinstance(base, dict) and (key := self._key(node.slice)) in base:
                self._read_of_list(base[key])
                return base[key]
            if not isinstance(base, Bag | dict):
                return self._entry(base, node)
            if isinstance(node.slice, ast.Slice):
                return self.of(node.value)  # which says what is not read
            word, bag = str(self.of(node.slice)), self.path(node.value) or ""
            if isinstance(base, dict) and self.quantities.holds_gradients(bag):
                raise NotReadError(f"what {shown(path or word)} is")  # the text fills it itself
        else:
            word, bag = (node.id if isinstance(node, ast.Name) else node.attr), ""  # type: ignore[attr-defined]
        computes = path in self.computed or bag in self.computed
        self.quantities.stands(self.time, self.depth > 0)
        found = None if computes else self.quantities.lookup(word, bag)
        if found is not None and self.quantities.is_given(found) and self._computes(found):
            found = None  # the text has it under another name: this one is a slip
        if found is None and path:
            found = self.quantities.guessed.get(path)
        if found is None:
            self.unknown.setdefault(path or word, node.lineno)
            raise NotReadError(f"what {shown(path or word)} is")
        self.knows |= self.quantities.named(found)
        return found

    def _computes(self, given: Any) -> bool:
        """Whether a store so far is the same derivative."""
        (quantity,) = self.quantities.named(given)
        return any(
            match.quantity == quantity
            for store in self.stores
            if store.path.isidentifier()
            for match in self.quantities.matches(store.value)[:1]
        )

    def _path_or_none(self, node: ast.expr) -> str | None:
        try:
            return self.path(node)
        except (NotReadError, ShapesError):
            return None

    def _stored(self, path: str) -> Any:
        value = self.stored[path]
        self.reads += self.maker.get(path, ())
        if value is None:
            raise NotReadError(f"{shown(path)}, whose own line is not read")
        return value

    def _base(self, node: ast.expr) -> Any:
        """What stands before [ ]: an array, a list, or a bag of names."""
        try:
            value = self.of(node)
        except NotReadError:
            path = self._path_or_none(node)
            if path:
                self.unknown.pop(path, None)
            return Bag()
        return value

    def _entry(self, base: Any, node: ast.Subscript) -> Any:
        try:
            if isinstance(base, list | tuple | range):
                found = base[self._index(node.slice)]
                self._read_of_list(found)
                return found
            if isinstance(base, np.ndarray):
                return self._selected(base, node.slice)
            if (first := getattr(base, "first", None)) is not None and self._index(node.slice) == 0:
                return first  # the input of a step, which stands first in its cache
        except (IndexError, TypeError, ValueError) as error:
            raise ShapesError(str(error)) from None
        raise NotReadError(shown(ast.unparse(node)))

    def _selected(self, base: np.ndarray, key: ast.expr) -> Any:
        """A part of an array; of the data the examples of a batch, X[batch_idx], are all."""
        known, is_data = dict(self.unknown), any(base is one for one in self.quantities.data)
        try:
            found = base[self.index(key)]
            every = is_data and found.shape == base.shape and np.array_equal(found, base)
            return base if every else found
        except NotReadError:
            parts = key.elts if isinstance(key, ast.Tuple) else [key]
            axis = 1 if self.quantities.columns else 0
            others = [part for n, part in enumerate(parts) if n != axis]
            if not is_data or len(parts) <= axis or not all(map(_is_whole, others)):
                raise
            self.unknown = known
            return base

    def _read_of_list(self, found: Any) -> None:
        self.knows |= self.quantities.named(found)
        if isinstance(found, np.ndarray):
            self.reads += [n for n, store in enumerate(self.stores) if store.value is found]

    def _index(self, node: ast.expr) -> Any:
        if isinstance(node, ast.Slice):
            sides = (node.lower, node.upper, node.step)
            return slice(*(None if s is None else functions.whole(self.of(s)) for s in sides))
        return functions.whole(self.of(node))

    def index(self, node: ast.expr) -> Any:
        """The index of an array: slices, masks, numbers, rows with their labels."""
        parts = node.elts if isinstance(node, ast.Tuple) else [node]
        found: list[Any] = []
        for part in parts:
            if isinstance(part, ast.Slice):
                found.append(self._index(part))
                continue
            value = self.of(part)
            if isinstance(value, range):
                value = np.arange(len(self.listed(value)))
            if isinstance(value, list) and any(isinstance(one, np.ndarray) for one in value):
                value = np.asarray(value)  # list(y)
            labels = isinstance(value, np.ndarray) and value.dtype != bool and value.ndim == 2
            if labels and len(parts) == 2:  # y is one-hot here: its class is meant
                value = value.argmax(0 if self.quantities.columns else 1)
            elif labels:
                value = self.quantities.as_the_text_has(value)
            elif self.quantities.is_label_of_one(value):
                value = int(value.argmax())  # dW[:, y[i]], of the class of one example
            found.append(value)
        return tuple(found) if isinstance(node, ast.Tuple) else found[0]

    def call(self, node: ast.Call) -> Any:
        raise NotImplementedError

    def instance(self, node: ast.expr) -> Instance | None:
        """The object of a class of the text that an expression is."""
        raise NotImplementedError

    def own(self, node: ast.expr, path: str | None) -> Any:
        """What a name stands for that only the call tells in which it stands."""
        raise NotImplementedError

    def options(self, node: ast.Call) -> Mapping[str, Any]:
        return {
            k.arg: self.of(k.value)
            for k in node.keywords
            if k.arg and k.arg not in ("dtype", "out")
        }


def _is_of_numpy(node: ast.expr, names: tuple[str, ...]) -> bool:
    module = node.value if isinstance(node, ast.Attribute) and node.attr in names else None
    return isinstance(module, ast.Name) and module.id in NUMPY


def _is_whole(part: ast.expr) -> bool:
    return isinstance(part, ast.Slice) and part.lower is part.upper is part.step is None


def filled(text: str, values: Any) -> str:
    """ "W%d" % 2 is "W2": whole numbers and words in their places, and nothing else."""
    parts = re.split(r"%[dis]", text)
    given = values if isinstance(values, tuple) else (values,)
    if "%" in "".join(parts) or len(given) != len(parts) - 1:
        raise NotReadError("a formatted text")
    if not all(isinstance(each, int | str | np.integer) for each in given):
        raise NotReadError("a formatted text")
    return _word(parts[0] + "".join(f"{a}{b}" for a, b in zip(given, parts[1:], strict=True)))


def _constant(value: Any) -> Any:
    if isinstance(value, str):
        return _word(value)
    if isinstance(value, bool) or value is None:
        return value
    if isinstance(value, int | float) and abs(value) <= LARGEST_NUMBER:
        return value
    raise NotReadError(
        "a number as large as that" if isinstance(value, int | float) else "a constant"
    )


def _word(text: str) -> str:
    if len(text) > LONGEST_WORD:
        raise TooMuchError(f"a string of more than {LONGEST_WORD} characters.")
    return text
