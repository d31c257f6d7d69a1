"""Where a wrong value comes from a call: what it is given, or a line of what it calls."""

import ast
from collections.abc import Mapping
from typing import Any, TypeGuard

from ..lines.vocabulary import Quantity
from .arguments import in_another_order
from .blame import Found
from .edits import edits
from .store import Store
from .trace import Trace, near
from .trials import Trials

RETURNED = "in the order in which they are returned"


class Called:
    """The calls of one text, with the right values that are put in for the wrong ones so far."""

    def __init__(self, trials: Trials, mended: Mapping[int, Any]) -> None:
        self.trials, self.mended, self.quantities = trials, mended, trials.quantities

    def to_blame(self, found: Found, trace: Trace) -> int | None:
        """The line to blame, where it is another one than that of the store; `found` says how."""
        if found.change == RETURNED:
            return None
        if line := in_another_order(found, trace.stores[found.number], self.trials):
            return line
        line = self._call_to_blame(found, trace)
        return line or self._line_inside(found, trace) or self._helper_to_blame(found, trace)

    def out_of_order(self, number: int, goal: Quantity, trace: Trace) -> Found | None:
        """dW2, dW1 = backward(…), which returns dW1, dW2: a gradient under the name of another."""
        store = trace.stores[number]
        match store.statement:
            case ast.Assign(targets=[ast.Tuple(names) as target], value=ast.Call()):
                pass
            case _:
                return None
        first = number
        while first and trace.stores[first - 1].statement is store.statement:
            first -= 1
        handed = trace.stores[first : first + len(names)]
        if len(handed) != len(names):
            return None
        said = [self.quantities.goal(each) for each in handed]
        is_now = [self._gradient(each, trace) for each in handed]
        if is_now[number - first] in (None, goal) or None in is_now or set(said) != set(is_now):
            return None
        meant = [names[said.index(quantity)] for quantity in is_now]
        instead = ast.Assign([ast.Tuple(meant, ast.Store())], store.statement.value)
        ast.copy_location(instead, store.statement)
        ast.copy_location(instead.targets[0], target)
        is_said = str(is_now[number - first])
        return Found(number, goal, "is", is_said, instead=instead, change=RETURNED)

    def _gradient(self, store: Store, trace: Trace) -> Quantity | None:
        """The gradient of a parameter that a store is, as often as the others."""
        found = self.quantities.matches(store.value)
        return next(
            (
                m.quantity
                for m in found
                if m.quantity.is_parameter_gradient and trace.legitimate(m.factor) and not m.turned
            ),
            None,
        )

    def _call_to_blame(self, found: Found, trace: Trace) -> int | None:
        """The line of a call whose arguments are wrong: the same line inside is right elsewhere."""
        stores, own = trace.stores, trace.stores[found.number]
        if not own.calls or own.example is not None:
            return None
        if own.time is not None:
            return self._step_to_blame(found, trace)
        for number, store in enumerate(stores):
            other = store.statement is own.statement and store.calls != own.calls
            goal = self.quantities.goal(store) if other and number not in self.mended else None
            factor = trace.matching(store.value, goal) if goal else None
            if factor is not None and (
                trace.legitimate(factor) if goal and goal.is_derivative else near(factor, 1)
            ):
                found.why, found.instead, found.change = "argument", None, ""
                return own.calls[-1]
        return None

    def _step_to_blame(self, found: Found, trace: Trace) -> int | None:
        """The call of a step's function that hands over another derivative than its name says."""
        own = trace.stores[found.number]
        made = {s.path for s in trace.stores if s.calls == own.calls and s.holder == own.holder}
        for name, value in own.visible.items():
            given = name not in made and name.isidentifier()
            if given and self.quantities.contradicts(name, value, own.time):
                found.why, found.instead, found.change = "argument", None, ""
                return own.calls[-1]
        return None

    def _line_inside(self, found: Found, trace: Trace) -> int | None:
        """The line of a function that is called, of which one change makes this store right."""
        store, goal = trace.stores[found.number], found.quantity
        if goal is None or found.instead is not None or store.example is not None:
            return None
        todo, seen = [store.statement], set()
        while todo:
            for call in [n for n in ast.walk(todo.pop()) if isinstance(n, ast.Call)]:
                name = getattr(call.func, "id", getattr(call.func, "attr", ""))
                if name not in self.trials.helpers or name in seen:
                    continue
                seen.add(name)
                todo.append(self.trials.helpers[name])
                words = _words_of(self.trials.helpers[name])
                for part in ast.walk(self.trials.helpers[name]):
                    if not isinstance(part, ast.Assign | ast.AugAssign | ast.Return):
                        continue
                    for change, instead in edits(part):
                        if not _is_of_its_words(instead, part, words):
                            continue
                        self.trials.swapped[id(part)] = instead
                        self.quantities.as_written = True
                        gives = self.trials.gives(found.number, goal, trace, self.mended)
                        self.quantities.as_written = False
                        if gives:
                            found.why, found.detail = "inside", str(store.line)
                            found.instead, found.change = instead, change
                            return part.lineno
                        del self.trials.swapped[id(part)]
        return None

    def _helper_to_blame(self, found: Found, trace: Trace) -> int | None:
        """The line of a function of the text that is not what its name says."""
        statement = trace.stores[found.number].statement
        called = {
            n.func.id if isinstance(n.func, ast.Name) else getattr(n.func, "attr", "")
            for n in ast.walk(statement)
            if isinstance(n, ast.Call)
        }
        for name in sorted(called & set(self.trials.helpers)):
            fewer = {k: v for k, v in self.trials.helpers.items() if k != name}
            if found.quantity and self.trials.gives(
                found.number, found.quantity, trace, self.mended, helpers=fewer
            ):
                returns = [
                    n for n in ast.walk(self.trials.helpers[name]) if isinstance(n, ast.Return)
                ]
                self.trials.helpers = fewer
                found.why, found.detail = "helper", name
                return max((n.lineno for n in returns), default=None)
        return None


def _words_of(function: ast.FunctionDef) -> set[str]:
    """The names that a function has."""
    words = {n.id for n in ast.walk(function) if _id(n)}
    return words | {argument.arg for argument in function.args.args}


def _is_of_its_words(instead: ast.stmt, written: ast.stmt, words: set[str]) -> bool:
    """Whether a line reads only names that its function has, calls what is one, and not itself."""
    read = {n.id for n in ast.walk(instead) if _id(n)}
    stored = {n.id for n in ast.walk(instead) if _id(n) and isinstance(n.ctx, ast.Store)}
    anew = stored & {n.id for n in ast.walk(instead) if _id(n) and isinstance(n.ctx, ast.Load)}
    before = {n.id for n in ast.walk(written) if _id(n) and isinstance(n.ctx, ast.Load)}
    calls = [n.func for n in ast.walk(instead) if isinstance(n, ast.Call)]
    turned = any(isinstance(f, ast.Attribute) and f.attr == "T" for f in calls)
    return read <= words and anew <= before and not turned


def _id(node: ast.AST) -> TypeGuard[ast.Name]:
    return isinstance(node, ast.Name)
