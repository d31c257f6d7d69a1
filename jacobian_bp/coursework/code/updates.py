"""Updates of parameters in a walk: W -= lr * G, W = c * W - lr * G, and lists of weights."""

import ast
import re
from typing import Any

import numpy as np

from ..lines.vocabulary import Quantity
from . import functions
from .calls import Helpers
from .classes import Class
from .limits import NotReadError, ShapesError
from .objects import Objects
from .quantities import Quantities
from .rates import Rates
from .scope import BIAS, WEIGHT, last_name, value_that_it_is
from .store import BREAK, UPDATE, Store

ADAPTIVE = re.compile(r"/ *\(?(?:np\.)?sqrt\(|\*\* *0?\.5")
ENTRY = re.compile(r"(\w+)\[(-?\d+)\]")
ALMOST_NOTHING = 1e-100  # more than NEXT_TO_NOTHING times any number of a run


class Updates(Objects):
    """Expressions and calls, with the statements that give a parameter a new value."""

    def __init__(
        self, quantities: Quantities, helpers: Helpers, classes: dict[str, Class] | None = None
    ) -> None:
        super().__init__(quantities, helpers, classes)
        # the parameters that were given new values, and in which call
        self.updated: dict[str, tuple[ast.expr, int]] = {}
        self.of_updated: dict[str, Quantity] = {}

    def parameter(self, path: str | None) -> Quantity | None:
        """The gradient that an update of this name takes; of a layer's own W by what W is."""
        kept = self.stored.get(path) if path in self.bound else self._in_list(path)
        if own := self._parameter_that_it_is(kept):
            return own
        if path is None or not (path.startswith("#") or not self.scope.of_network):
            return self.quantities.parameter(path)
        if last_name(path).lower() not in WEIGHT | BIAS:
            return None
        found = value_that_it_is(self.stored.get(path), self.quantities)
        if found is None and path in self.updated:
            return self.of_updated.get(path)
        number = re.match(r"#(\d+)\.", path)
        if path not in self.stored and number and int(number[1]) in self.layer_of:
            kind = "W" if last_name(path).lower() in WEIGHT else "b"
            found = Quantity("value", f"{kind}{self.layer_of[int(number[1])]}")
        if found is None or found.of[0] not in "Wb":
            return None
        self.of_updated[path] = Quantity("gradient", found.of)
        return self.of_updated[path]

    def _in_list(self, path: str | None) -> Any:
        """W1 for Ws[0] of Ws = [W1, W2]; None where it is in no list of the text."""
        entry = ENTRY.fullmatch(path or "")
        kept = self.stored.get(entry[1]) if entry else None
        place = int(entry[2]) if entry else 0
        inside = isinstance(kept, list) and -len(kept) <= place < len(kept)
        return kept[place] if inside and isinstance(kept, list) else None

    def _parameter_that_it_is(self, value: Any) -> Quantity | None:
        """∂J/∂W1 for p of for p, g in zip([W1, b1], grads), in the round of W1."""
        named = self.quantities.named(value)
        found = next((q for q in named if q.kind == "value" and q.of[0] in "Wb"), None)
        return Quantity("gradient", found.of) if found else None

    def _assign(self, statement: ast.stmt, target: ast.expr, value: ast.expr) -> None:
        raise NotImplementedError

    def _put(self, store: Store, path: str | None = None) -> None:
        raise NotImplementedError

    def _fresh(self) -> None:
        self.reads, self.knows = [], set()

    def _holds(self, node: ast.expr, path: str | None) -> bool:
        """Whether an expression is the parameter that a name means, as the run has it."""
        of = self.parameter(path)
        if of is None or not isinstance(node, ast.Name | ast.Attribute | ast.Subscript):
            return False
        kept = list(self.reads), set(self.knows)
        try:
            value = self.of(node)
        except (NotReadError, ShapesError):
            return False
        finally:
            self.reads, self.knows = kept
        return isinstance(value, np.ndarray) and np.array_equal(value, self.quantities.value(of.of))

    def _update(
        self,
        statement: ast.stmt,
        target: ast.expr,
        plus: bool,
        value: ast.expr,
        of_rate: ast.expr | None = None,
    ) -> None:
        """W -= lr * G stores the gradient that it takes, and gives the name a new value."""
        path = self._path_or_none(target)
        self._fresh()
        if ADAPTIVE.search(ast.unparse(value)):
            return  # divided by what an optimiser has kept of the gradients
        found, kind, error, rate = None, UPDATE, "", 1.0
        try:
            found = self.of(value)
            rate = Rates(self).of(of_rate or value)
        except ShapesError as broken:
            kind, error = BREAK, str(broken)
        except NotReadError:
            return
        if kind == UPDATE and rate != 1 and isinstance(found, np.ndarray | float | int):
            found = found / rate
        place = self.parameter(path)
        store = Store(
            statement.lineno, f"update of {path}", found, statement, self.reads, self.knows
        )
        store.kind, store.place, store.sign, store.error = kind, place, -1 if plus else 1, error
        store.before = None if place is None else self._before(path, place)
        store.decays = self._is_penalty_alone(value, found)
        self._put(store)
        if path is not None and place is not None:
            self._renew(path, target, place, store, rate)

    def _before(self, path: str | None, place: Quantity) -> np.ndarray:
        """The parameter that an update finds."""
        kept = self.stored.get(path) if path else None
        return np.asarray(self.quantities.value(place.of) if kept is None else kept)

    def _is_penalty_alone(self, value: ast.expr, found: Any) -> bool:
        """Whether nothing is left of what an update takes where the penalty is next to nothing."""
        words = {getattr(part, "id", getattr(part, "attr", "")) for part in ast.walk(value)}
        if not words & self.quantities.penalties or not isinstance(found, np.ndarray):
            return False
        return self.quantities.penalised or not np.abs(found).max(initial=0) > ALMOST_NOTHING

    def _renew(
        self, path: str, target: ast.expr, place: Quantity, store: Store, rate: float
    ) -> None:
        """What is read under the name from here on is the updated value."""
        before = store.before
        taken = np.asarray(0.0 if store.value is None else functions.number_like(store.value))
        self.updated[path] = target, self.scope.number
        if taken.size not in (1, before.size) or taken.squeeze().shape not in (
            (),
            before.squeeze().shape,
        ):
            return  # the wrong update is named itself: what is read after it is judged as before
        taken = taken.reshape(before.shape if taken.size > 1 else ())
        self.stored[path] = before - store.sign * rate * taken
        if not self.quiet:
            self.maker[path] = (len(self.stores) - 1,)

    def _decayed(self, value: ast.expr, path: str | None) -> tuple[bool, ast.expr, ast.expr] | None:
        """W = c * W - lr * G takes (1 - c) * W + lr * G off: whether it adds, that, its lr * G."""
        rest: ast.expr | None = None
        plus = False
        match value:
            case ast.BinOp(left=left, op=ast.Sub() | ast.Add() as op, right=right):
                value, rest, plus = left, right, isinstance(op, ast.Add)
        if not (isinstance(value, ast.BinOp) and isinstance(value.op, ast.Mult)):
            return None
        for held, times in ((value.left, value.right), (value.right, value.left)):
            if self._holds(held, path) and self._scalar(times):
                share = product(_difference(ast.Constant(1), times), held)
                if rest is None:
                    return plus, share, share
                taken = _difference(rest, share) if plus else _sum(rest, share)
                return plus, ast.fix_missing_locations(ast.copy_location(taken, value)), rest
        return None

    def _scalar(self, node: ast.expr) -> bool:
        kept = list(self.reads), set(self.knows)
        try:
            return np.ndim(functions.number_like(self.of(node))) == 0
        except (NotReadError, ShapesError):
            return False
        finally:
            self.reads, self.knows = kept

    def _updates_list(self, statement: ast.stmt, target: ast.expr, value: ast.ListComp) -> bool:
        """self.weights = [w - eta * nw for w, nw in zip(…)] updates one layer after the other."""
        path = self._path_or_none(target)
        each = value.generators[0]
        if len(value.generators) > 1 or each.ifs or not self.quantities.parameter(f"{path}[0]"):
            return False
        try:
            items = self.listed(self.of(each.iter))
        except (NotReadError, ShapesError):
            return False
        for number, item in enumerate(items):
            self.bind(each.target, item)
            entry = ast.Subscript(value=target, slice=ast.Constant(number), ctx=ast.Store())
            ast.fix_missing_locations(ast.copy_location(entry, target))
            self._assign(statement, entry, value.elt)
        return True


def _sum(left: ast.expr, right: ast.expr) -> ast.BinOp:
    return ast.BinOp(left=left, op=ast.Add(), right=right)


def _difference(left: ast.expr, right: ast.expr) -> ast.BinOp:
    return ast.BinOp(left=left, op=ast.Sub(), right=right)


def product(left: ast.expr, right: ast.expr) -> ast.BinOp:
    return ast.BinOp(left=left, op=ast.Mult(), right=right)
