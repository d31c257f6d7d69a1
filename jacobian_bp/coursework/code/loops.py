"""Statements one after the other, and loops unrolled: where a walk is, and how it goes on there."""

import ast
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from ..lines.vocabulary import words
from . import functions
from .assembly import Assembly
from .assignments import State, is_mask, last_of
from .classes import called
from .limits import MOST_LOOPED, ONE_ROUND, NotReadError, ShapesError, TooMuchError
from .resuming import Body, Checkpoint, Frame, LayerCalls, Rounds, copied
from .scope import Instance
from .store import Store

PARAMETERS = {"params", "parameters", "grads", "gradients", "model"}
KNOWN = words(  # the attributes that have what a walk knows at a place
    "stored maker globals reads knows unknown scope scopes instances weighted made declared "
    "layer_called layer_of updated of_updated unread_back unread_steps bound computed"
)
Returned = tuple[Any, ...]


class Loops(Assembly):
    """The order in which statements are walked; with `instead` another statement for one, by id.

    A walk that `keeps` leaves a checkpoint before each statement of the text's own level, and
    in `reached` how many there were when a statement was first come to.
    """

    instead: Mapping[int, ast.stmt]
    own_level = False  # whether the statements that are walked are the text's own

    def __init__(self, *given: Any) -> None:
        super().__init__(*given)
        self.frames: list[Frame] = []
        self.checkpoints: list[Checkpoint] = []
        self.reached: dict[int, int] = {}

    def _statement(self, statement: ast.stmt) -> Returned | None:
        raise NotImplementedError

    def block(self, body: Iterable[ast.stmt]) -> Returned | None:
        """Walk statements; what a return gives, or None."""
        return self._go_on_in(Body(tuple(body)))

    def _go_on_in(self, where: Body) -> Returned | None:
        follows = self.own_level and not self.depth
        if follows:
            self.frames.append(where)
        while where.place < len(where.statements):
            statement = where.statements[where.place]
            if follows and self.keeps:
                self.checkpoints.append(self._checkpoint())
            self.reached.setdefault(id(statement), len(self.checkpoints))
            returned = self._walked(self.instead.get(id(statement), statement))
            if returned is not None:
                return returned
            where.place += 1
        if follows:
            self.frames.pop()
        return None

    def _walked(self, statement: ast.stmt) -> Returned | None:
        try:
            return self._statement(statement)
        except (NotReadError, ShapesError, TooMuchError) as error:
            if self.lenient and not isinstance(error, TooMuchError):
                self.declare(statement)
                return None
            if not isinstance(error, ShapesError):
                error.line = error.line or statement.lineno
            raise

    def before_call(self, calls: LayerCalls) -> None:
        self.frames = [calls]
        if self.keeps:
            self.checkpoints.append(self._checkpoint())

    # ---------------------------------------------------------------- to go on from a place

    def _checkpoint(self) -> Checkpoint:
        seen = self._kept_as_they_are()
        known = {name: copied(getattr(self, name), seen) for name in KNOWN}
        known |= {"example": self.example, "time": self.time}
        return Checkpoint(len(self.stores), known, [copied(frame, seen) for frame in self.frames])

    def _kept_as_they_are(self) -> dict[int, Any]:
        """The lists of the run, which are told by which object they are."""
        return {id(own): own for own in self.quantities.lists.values()}

    def resume(self, start: Checkpoint, stores: list[Store], states: list[State]) -> None:
        """Go on from a checkpoint of another walk, which made these stores."""
        seen = self._kept_as_they_are()
        for name, value in start.known.items():
            setattr(self, name, copied(value, seen))
        self.stores = stores[: start.count]
        self.states = states[: start.count]
        todo = [copied(frame, seen) for frame in start.frames]
        self.own_level = True
        for depth in range(len(todo) - 1, -1, -1):
            frame, self.frames = todo[depth], todo[:depth]
            if isinstance(frame, LayerCalls):
                self.call_layers(frame)
                return
            if isinstance(frame, Rounds):
                if self._is_last_round(frame):
                    continue
                frame.number += 1
                returned = self._go_round(frame)
            else:
                frame.place += depth < len(todo) - 1  # the statement that what is inside belongs to
                returned = self._go_on_in(frame)
            if returned is not None:
                return

    # ---------------------------------------------------------------- loops

    def _unread_loop(self, body: list[ast.stmt], error: NotReadError) -> None:
        """A loop over what nothing tells: none of its lines is read."""
        for statement in [part for one in body for part in ast.walk(one)]:
            if isinstance(statement, ast.Assign | ast.AugAssign):
                targets = getattr(statement, "targets", None) or [statement.target]  # type: ignore[union-attr]
                for target in targets:
                    path = self._path_or_none(target)
                    if isinstance(target, ast.Subscript) and is_mask(target):
                        path = self._path_or_none(target.value)  # a part of it is stored
                    self._unread(statement, target, path, error)
            elif isinstance(statement, ast.Expr | ast.Return):
                self.leaves_back_out(statement, str(error))

    def _gone_through(self, source: ast.expr, target: ast.expr, body: list[ast.stmt]) -> Any:
        """What a loop goes through: of a dictionary of parameters, their names."""
        pairs, keyed = False, source
        match source:
            case ast.Call(func=ast.Attribute(value=of, attr="keys" | "items" as which), args=[]):
                pairs, keyed = which == "items", of
        keyed = self.meant(keyed)
        if isinstance(keyed, ast.Name | ast.Attribute) and last_of(keyed).lower() in PARAMETERS:
            path = self._path_or_none(keyed)
            if not (pairs and isinstance(self.stored.get(path or ""), dict)):
                return self._entries_of_parameters(keyed, pairs)
        known = dict(self.unknown)
        try:
            return self.of(source)
        except NotReadError:
            own = self._put_in(keyed) if pairs else []
            if own:
                self.unknown = known
                return own
            of_range = isinstance(source, ast.Call) and called(source) == "range"
            used = {name for one in body for name in _names(one)}
            if not of_range or used & _names(target):
                raise
            self.unknown = known
            return range(1)  # so many rounds of training: each is judged like the first

    def _put_in(self, bag: ast.expr) -> list[tuple[Any, Any]]:
        """Key and array of each entry of a dictionary that the text has filled with arrays."""
        path = self._path_or_none(bag)
        own = self.entries_under(path) if path else {}
        arrays = all(isinstance(value, np.ndarray) for value in own.values())
        return [*own.items()] if arrays else []

    def _entries_of_parameters(self, bag: ast.Name | ast.Attribute, pairs: bool) -> list[Any]:
        """W1, b1, W2, …, the keys of a dictionary of parameters or of gradients, or pairs."""
        numbers = range(1, self.quantities.layers + 1)
        kinds = "Wb" if self.quantities.bias == "own" else "W"
        first = self.quantities.naming.first - 1
        names = [f"{kind}{number + first}" for number in numbers for kind in kinds]
        if not pairs:
            return names
        entries = (ast.Subscript(value=bag, slice=ast.Constant(n), ctx=ast.Load()) for n in names)
        return [
            (n, self.of(ast.copy_location(e, bag))) for n, e in zip(names, entries, strict=True)
        ]

    def _loop(
        self, target: ast.expr, source: Any, statements: Iterable[ast.stmt]
    ) -> Returned | None:
        """Round after round, as long as one differs from the one before it."""
        long = isinstance(source, range) and functions.rounds(source) > MOST_LOOPED
        items = source if long else self.listed(source)
        body = tuple(statements)
        if not items:
            for statement in body:
                self.leaves_back_out(statement, "a loop over nothing")
            return None
        over_examples = not long and self._goes_over_examples(target, items, body)
        loop = Rounds(target, items, body, over_examples, long, self.example)
        inner = self.time is not None and not self.depth  # a loop back from a step
        loop.times = None if long or inner else self.quantities.times(list(items))
        if loop.times:
            self.quantities.goes_through(body)
        loop.outer_time = self.time
        return self._go_round(loop)

    def _go_round(self, loop: Rounds) -> Returned | None:
        """The rounds of a loop from its own number on."""
        while True:
            if loop.number >= MOST_LOOPED:
                raise TooMuchError(f"a loop of more than {MOST_LOOPED:,} rounds.", ONE_ROUND)
            self.bind(loop.target, loop.items[loop.number])
            loop.first = len(self.stores)
            self.example = loop.number if loop.over_examples else loop.outer
            self.time = loop.times[loop.number] if loop.times else loop.outer_time
            returned = self._round(loop)
            if returned is not None or self._is_last_round(loop):
                return returned
            loop.number += 1

    def _round(self, loop: Rounds) -> Returned | None:
        follows = self.own_level and not self.depth
        if follows:
            self.frames.append(loop)
        try:
            returned = self.block(loop.body)
        except TooMuchError as error:
            error.instead = ONE_ROUND
            raise
        finally:
            self.example, self.time = loop.outer, loop.outer_time
        if follows:
            self.frames.pop()
        return returned

    def _is_last_round(self, loop: Rounds) -> bool:
        """Whether a loop ends with the round that has just been walked."""
        self.example, self.time = loop.outer, loop.outer_time
        stored = self.stores[loop.first :]
        if self._trains(loop.target, loop.items[loop.number], loop.body):
            return True
        if loop.is_long and _alike(loop.before, stored):
            return True
        loop.before = stored
        return loop.number + 1 >= functions.length(loop.items)

    def _goes_over_examples(self, target: ast.expr, items: Any, body: tuple[ast.stmt, ...]) -> bool:
        """for x, y in zip(X, Y), or for i in range(m) with X[i] or X[:, i] in its lines."""
        quantities = self.quantities
        if self.quiet or quantities.layout.one or len(items) != quantities.examples:
            return False
        first = items[0] if isinstance(items[0], tuple | list) else [items[0]]
        found = any(quantities.is_example(one, 0) for one in first)
        if not found:
            own = _names(target)
            places = [n for one in body for n in ast.walk(one) if isinstance(n, ast.Subscript)]
            found = any(own & _names(n.slice) and self._is_batch(n.value) for n in places)
        quantities.by_example |= found
        return found

    def _is_batch(self, node: ast.expr) -> bool:
        """Whether a name is that of the inputs or of the labels."""
        if not isinstance(node, ast.Name | ast.Attribute):
            return False
        kept = list(self.reads), set(self.knows), dict(self.unknown)
        try:
            value = self.of(node)
        except (NotReadError, ShapesError):
            return False
        finally:
            self.reads, self.knows, self.unknown = kept
        is_array = isinstance(value, np.ndarray)
        return is_array and any(np.array_equal(value, one) for one in self.quantities.data)

    def _trains(self, target: ast.expr, item: Any, body: tuple[ast.stmt, ...]) -> bool:
        """Whether each round of a loop gives the same parameters new values: one is judged."""
        own, here = _names(target), self.scope.number
        if any(scope == here and not own & _names(of) for of, scope in self.updated.values()):
            return True
        if all(scope == here for _, scope in self.updated.values()):
            return False
        places = [n for one in body for n in ast.walk(one) if isinstance(n, ast.Subscript)]
        parts = item if isinstance(item, tuple | list) else [item]
        of_layers = any(isinstance(part, Instance) for part in parts)
        return not of_layers and not any(own & _names(place) for place in places)


def _alike(first: list[Store], second: list[Store]) -> bool:
    """Whether two rounds of a loop store the same under the same names."""
    if len(first) != len(second):
        return False
    pairs = zip(first, second, strict=True)
    return all(a.path == b.path and np.array_equal(a.value, b.value) for a, b in pairs)


def _names(node: ast.AST) -> set[str]:
    return {part.id for part in ast.walk(node) if isinstance(part, ast.Name)}
