"""What a function returns: of the text's own level, and of a function that is called."""

import ast
import re
from typing import Any

import numpy as np

from ..lines.vocabulary import Quantity
from .assignments import is_place
from .limits import NotReadError, ShapesError
from .loops import Loops, Returned
from .returned_parts import FORWARD, ReturnedPart
from .scope import goal_of_return, value_that_it_is
from .store import BREAK, PLAIN, UNREAD, UPDATE, Store

OF_GRADIENTS = re.compile(r"back|grad|bprop", re.IGNORECASE)


class Returns(Loops):
    """Loops and what stands in them, with the values that a return hands out as stores."""

    def _returned_part(self, part: ReturnedPart) -> None:
        """A store for what is computed in the return itself."""
        self._fresh()
        value, goal = part.value, self._goal_of_part(part)
        if is_place(value):
            name = self.quantities.goal_of(self._path_or_none(value) or "")
            said_by_key = self.quantities.goal_of(part.key or "")
            if said_by_key is None or said_by_key.kind != "gradient" or name == goal:
                self._is_output_of_forward(part)
                return  # {"dW1": dW1}, {"a1": a1}
        if self._returns_an_update(part):
            return
        unknown = dict(self.unknown)
        store = Store(part.lineno, part.path, None, part, self.reads, self.knows)
        store.place, store.is_local, store.is_returned = goal, True, True
        try:
            if isinstance(value, ast.ListComp) and _is_plain(value):
                self._put_each(store, value)
                return
            found = self.of(value)
        except ShapesError as error:
            store.kind, store.error = BREAK, str(error)
        except NotReadError as error:
            store.kind, store.error = UNREAD, str(error)
            if goal is None and not self._reads_derivatives():
                self.unknown = unknown  # such as a loss: nothing is to be asked
        else:
            self._put_values(store, found, value)
            return
        store.reads, store.knows = self.reads, self.knows
        self._put(store)

    def _is_output_of_forward(self, part: ReturnedPart) -> None:
        """return A, of a forward function: what was stored last under A is the output."""
        path = self._path_or_none(part.value)
        made = self.maker.get(path or "", ())
        store = self.stores[made[0]] if len(made) == 1 else None
        if store is None or self.quantities.goal(store) is not None:
            return
        if part.is_first and FORWARD.search(part.function) and self._has_shape_of_output(store):
            store.place = Quantity("value", self.quantities.output)

    def _put_values(self, store: Store, found: Any, value: ast.expr) -> None:
        """The value, or each of those that a list has, which a comprehension makes."""
        if isinstance(found, list | tuple):
            for number, one in enumerate(found):
                each = Store(store.line, f"{store.path}[{number}]", None, store.statement)
                each.is_local, each.is_returned = True, True
                self._put_values(each, one, value)
            return
        is_number = isinstance(found, int | float | np.generic) and not isinstance(found, bool)
        made = isinstance(found, np.ndarray) and (is_place(value) or not self.makers_of(found))
        if not (is_number or made):
            return
        store.value, store.reads, store.knows = found, list(self.reads), set(self.knows)
        named = (self._gradient_under(node, store.place) for node in ast.walk(value))
        drafts = {n for n in named if n and np.shape(self.stored[n]) == np.shape(found)}
        if len(drafts) == 1 and not is_place(value):
            store.path, store.is_local = drafts.pop(), False  # dW1 / m, as dW1 = dW1 / m
        elif store.place is None and self._is_output(store):
            store.place = Quantity("value", self.quantities.output)
        self._put(store)

    def _put_each(self, store: Store, value: ast.ListComp) -> None:
        """[w / m for w in nabla_w]: each entry with what it reads, and its place in nabla_w."""
        each = value.generators[0]
        whole = self.of(each.iter)
        of_text = isinstance(whole, list) and self.quantities.kind_of_list(whole) is None
        path = self._path_or_none(each.iter) if of_text and is_place(each.iter) else None
        for number, item in enumerate(self.listed(whole)):
            self.bind(each.target, item)
            self._fresh()
            one = Store(store.line, f"{store.path}[{number}]", None, store.statement)
            one.is_local, one.is_returned = True, True
            one.place = self.quantities.slot(whole, number, path) if path else None
            self._put_values(one, self.of(value.elt), value.elt)

    def _goal_of_part(self, part: ReturnedPart) -> Quantity | None:
        """What its key says: {"dW1": …}, and {"W1": …} of a function of gradients."""
        if part.key is None:
            return None
        said = self.quantities.goal_of(part.key)
        of_gradients = OF_GRADIENTS.search(part.function)
        if said and said.kind == "value" and of_gradients and said.of[0] in "Wb":
            return self.quantities.goal_of(f"grads[{part.key!r}]")
        is_value = said is not None and said.kind == "value"
        return None if is_value and not FORWARD.search(part.function) else said

    def _gradient_under(self, node: ast.AST, said: Quantity | None) -> str | None:
        """The name of a gradient that the text has stored, such as dW1 of dW1 / m."""
        if not isinstance(node, ast.Name | ast.Attribute | ast.Subscript):
            return None
        path = self._path_or_none(node)
        goal = self.quantities.goal_of(path) if path in self.stored and path else None
        if goal is None or not goal.is_parameter_gradient or said not in (None, goal):
            return None
        return path

    def _returns_an_update(self, part: ReturnedPart) -> bool:
        """return W1 - lr * dW1, which takes lr * dW1 off as W1 -= lr * dW1 does."""
        match part.value:
            case ast.BinOp(left=left, op=ast.Sub() | ast.Add() as op, right=right) if is_place(
                left
            ) and self._holds(left, self._path_or_none(left)):
                self._update(part, left, isinstance(op, ast.Add), right)
                return True
        return False

    def _is_output(self, store: Store) -> bool:
        """Whether it is what a forward function returns, alone or first, and has its shape."""
        part = store.statement
        if not isinstance(part, ReturnedPart) or not part.is_first:
            return False
        if not FORWARD.search(part.function) or store.path != part.path:
            return False
        return self._has_shape_of_output(store)

    def _has_shape_of_output(self, store: Store) -> bool:
        """Whether it may be the output: as large, and no other value of the network."""
        output = Quantity("value", self.quantities.output)
        right = self.quantities.known.get(output)
        if right is None or not isinstance(store.value, np.ndarray | np.generic):
            return False
        if store.value.shape != right.shape:
            return False
        return value_that_it_is(store.value, self.quantities) in (None, output)

    def _reads_derivatives(self) -> bool:
        """Whether what is being walked has read a derivative that the text has stored."""
        values = (self.stores[number].value for number in self.reads)
        return any(m.quantity.is_derivative for v in values for m in self.quantities.matches(v))

    def _return(self, statement: ast.Return) -> Returned:
        value = statement.value
        if not self.depth:
            return ("end",)  # its parts stand before it, as statements of their own
        if value is None:
            return (None,)
        if self.quiet or isinstance(value, ast.Dict):
            return (self.of(value),)
        parts = value.elts if isinstance(value, ast.Tuple) else [value]
        given, read = [], []
        for number, part in enumerate(parts):
            self._fresh()
            given.append(self._handed_out(statement, part, number, len(parts)))
            read += self.reads
        self.reads = read
        return (tuple(given) if isinstance(value, ast.Tuple) else given[0],)

    def _handed_out(self, statement: ast.Return, part: ast.expr, number: int, count: int) -> Any:
        """One of the values that a function returns: a store, where it is computed there."""
        kind, error, found = PLAIN, "", None
        try:
            found = self.of(part)
        except ShapesError as broken:
            kind, error = BREAK, str(broken)
        except NotReadError:
            own = [s.kind for s in self.stores if s.calls == self.scope.calls]
            if self.scope.instance is None and BREAK not in own and UNREAD not in own:
                raise
            return None  # such as a loss; what is not read, or refused, has a line of its own
        if kind == PLAIN and (is_place(part) or not isinstance(found, np.ndarray)):
            self._is_what_is_given(found, number)
            return found
        path = f"{self.scope.function}()" + f"[{number}]" * (count > 1)
        store = Store(part.lineno, path, found, statement, self.reads, self.knows, kind)
        store.error = error
        if number == 0:
            store.place = goal_of_return(self.scope, self.quantities)
        self._put(store)
        self.reads = [len(self.stores) - 1]
        return store.value

    def _is_what_is_given(self, value: Any, number: int) -> None:
        """out[x <= 0] = 0 and then return out: the store is what the layer's function gives."""
        made = self.makers_of(value)
        store = self.stores[made[0]] if made and number == 0 else None
        own = store is not None and store.calls == self.scope.calls
        if store is None or not own or store.place is not None or store.kind in (UPDATE, UNREAD):
            return
        if self.quantities.goal(store) is None:
            store.place = goal_of_return(self.scope, self.quantities)


def _is_plain(value: ast.ListComp) -> bool:
    """Whether a list goes over one other, and takes all of it."""
    return len(value.generators) == 1 and not value.generators[0].ifs
