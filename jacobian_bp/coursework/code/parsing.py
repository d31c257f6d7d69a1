"""A text as statements: the backward function, the forward one before it, helper functions."""

import ast
import re
from dataclasses import dataclass, field
from functools import cached_property
from textwrap import dedent

from ...writing.signs import did_you_mean, type_of
from .classes import Class, called, classes_of, kind_of
from .composition import Parts, composition
from .each_written import written_out
from .filled_bags import entries_stored, is_gradient_of_text
from .limits import DEEPEST, LONGEST_TEXT, MOST_NODES, refuse, shown
from .returned_parts import FORWARD, ReturnedPart, with_returned_parts

BACKWARD = re.compile(r"back|grad|train|update|step|fit", re.IGNORECASE)
STORES = ast.Assign | ast.AugAssign | ast.AnnAssign
READ = ("__init__", "__name__")  # super().__init__(), if __name__ == "__main__"
REFUSED = {  # what no backward function needs, and what is read instead
    ast.While: ("a while loop", "Write for … in range(…)."),
    ast.Lambda: ("a lambda", "Write a def."),
    ast.Delete: ("del", "Leave it out."),
    ast.Try: ("try", "Write its body alone."),
    ast.AsyncFunctionDef: ("an async def", "Write def."),
    ast.Yield: ("yield", "Write return."),
    ast.Await: ("await", "Leave it out."),
    ast.NamedExpr: ("an assignment inside an expression", "Write it as a line of its own."),
}


@dataclass(frozen=True)
class Parsed:
    """What is walked, in order, and the functions that it may call."""

    lines: tuple[str, ...]
    forward: tuple[ast.stmt, ...]
    body: tuple[ast.stmt, ...]
    helpers: dict[str, ast.FunctionDef]
    function: str | None
    classes: dict[str, Class] = field(default_factory=dict)
    owner: str | None = None  # the class of the function
    setup: tuple[ast.stmt, ...] = ()  # the statements outside of it
    parts: Parts | None = None  # the layers of a text that does not put them together
    inner: str | None = None  # what the function calls for each example of a mini-batch
    defaults: dict[str, float] = field(default_factory=dict)  # 1 of backward(self, dout=1)

    @cached_property
    def walked(self) -> str:
        """The lines that are walked: a function that nothing calls tells nothing of the layout."""
        if self.function is None or self.parts or self.classes:
            return "\n".join(self.lines)
        nodes, seen = [*self.forward, *self.body], set[str]()
        for node in nodes:
            fresh = {called(part) for part in ast.walk(node)} & set(self.helpers) - seen
            seen |= fresh
            nodes += [statement for name in sorted(fresh) for statement in self.helpers[name].body]
        numbers = {
            n for node in nodes for n in range(node.lineno, (node.end_lineno or node.lineno) + 1)
        }
        return "\n".join(self.lines[n - 1] for n in sorted(numbers) if n <= len(self.lines))

    @property
    def has_no_weights(self) -> bool:
        """Whether it is an activation by itself, or several."""
        if self.parts is None or any(kind_of(f.name) == "linear" for f in self.parts.functions):
            return False
        return not any(of.is_linear for of in self.parts.classes)

    @cached_property
    def plain_targets(self) -> frozenset[str]:
        """The plain names that the backward function gives a value by =."""
        nodes = [n for n in _all(self.body) if isinstance(n, ast.Assign)]
        targets = [part for n in nodes for target in n.targets for part in ast.walk(target)]
        return frozenset(
            p.id for p in targets if isinstance(p, ast.Name) and isinstance(p.ctx, ast.Store)
        )

    @cached_property
    def of_gradients(self) -> frozenset[str]:
        """The dictionaries that are filled with gradients under the names of their parameters.

        g of g["W2"] = A1.T @ d2 is one; new of new["W2"] = W2 - lr * dW2 is not.
        """
        functions = [*self.helpers.values()]
        nodes = [*_all((*self.forward, *self.body)), *(n for f in functions for n in ast.walk(f))]
        entries = [entry for node in nodes for entry in entries_stored(node)]
        bags = {bag for bag, _, _ in entries}
        return frozenset(
            bag
            for bag in bags
            if all(is_gradient_of_text(key, value) for of, key, value in entries if of == bag)
        )

    @cached_property
    def filled(self) -> frozenset[str]:
        """The names that are given values, and whose entries are: grads of grads['dW2'] = ...."""
        nodes = [n for n in _all((*self.forward, *self.body)) if isinstance(n, STORES)]
        each = (n.targets if isinstance(n, ast.Assign) else [n.target] for n in nodes)
        targets = [target for some in each for target in some]
        parts = [part for target in targets for part in getattr(target, "elts", [target])]
        return frozenset(
            ast.unparse(part.value if isinstance(part, ast.Subscript) else part) for part in parts
        )


def parse(text: object, function: object = None, of_one_op: bool = False) -> Parsed:
    """The statements of a text, or SpecError with the line that cannot be read.

    A text `of_one_op` is the function of that op, which no other one puts together.
    """
    if not isinstance(text, str):
        refuse(
            f"the text is {type_of(text)}, not a string.",
            '  Pass the source of the function: open("backward.py").read().',
        )
    if len(text) > LONGEST_TEXT:
        refuse(
            f"the text has {len(text):,} characters; {LONGEST_TEXT:,} is the most.",
            "  Pass the backward function and its helpers alone.",
        )
    tree = _tree(dedent(text.expandtabs(4)))
    found = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]
    classes = classes_of(tree)
    lines = tuple(text.expandtabs(4).splitlines())
    if function is None and not of_one_op and (whole := composition(tree, classes)):
        main = whole.function
        parts, inner = whole.parts, whole.inner
    else:
        main = _named(found, function) if function is not None else _main(tree, found)
        parts, inner = None, None
    helpers = {node.name: node for node in found if node is not main}
    owner = next((c.name for c in classes.values() if main in c.own.values()), None)
    if owner:
        helpers |= {n: f for n, f in classes[owner].methods.items() if f is not main}
    own = set(map(id, classes[owner].methods.values())) if owner else set[int]()
    others = {id(f) for c in classes.values() for f in c.own.values()} - own
    before_it = [f for f in found if f is not main and id(f) not in others]
    if of_one_op and main is not None and _loops(main):
        before_it = list(filter(_loops, before_it))  # all steps, not the function of one
    forward = next(filter(_is_forward, before_it), None)
    alone = main is None or any(FORWARD.search(called(n)) for n in ast.walk(main))
    body = tuple(_loose(tree.body)) if main is None else with_returned_parts(main.body, main.name)
    if parts is None and not any(isinstance(node, STORES | ReturnedPart) for node in _all(body)):
        where = f"the function {shown(main.name)}" if main else "the text"
        refuse(f"{where} stores nothing.", "  Write lines such as dW2 = d2.T @ a1.")
    before: tuple[ast.stmt, ...] = ()
    if forward is not None and not alone and not parts:
        before = with_returned_parts(forward.body, forward.name)
    name = main.name if main else None
    setup = () if main is None else tuple(_loose(tree.body))
    numbers = {} if main is None else _defaults(main)
    return Parsed(lines, before, body, helpers, name, classes, owner, setup, parts, inner, numbers)


def _defaults(function: ast.FunctionDef) -> dict[str, float]:
    """The arguments of a function that are a number where they are not given."""
    names, values = function.args.args, function.args.defaults
    pairs = zip(names[len(names) - len(values) :], values, strict=True)
    return {
        argument.arg: value.value
        for argument, value in pairs
        if isinstance(value, ast.Constant)
        and isinstance(value.value, int | float)
        and not isinstance(value.value, bool)
    }


def _loose(body: list[ast.stmt]) -> list[ast.stmt]:
    """The statements of a module, those under if __name__ == "__main__" among them."""
    found: list[ast.stmt] = []
    for statement in body:
        match statement:
            case ast.If(test=ast.Compare(left=ast.Name(id="__name__")), body=inside):
                found += inside
            case _:
                found.append(statement)
    return found


def _tree(text: str) -> ast.Module:
    try:
        tree = ast.parse(text)
    except SyntaxError as error:
        line = error.lineno or 1
        refuse(f"line {line} is no Python: {shown(error.msg)}.", "  Mend it, then ask again.")
    except (ValueError, RecursionError, MemoryError, OverflowError):
        refuse("the text is no Python that can be parsed.", "  Write one operation after another.")
    todo: list[tuple[ast.AST, int]] = [(tree, 0)]
    count = 0
    while todo:
        node, depth = todo.pop()
        count += 1
        line = getattr(node, "lineno", 1)
        if depth > DEEPEST or count > MOST_NODES:
            refuse(f"line {line}: too deep or too long an expression.", "  Write it in parts.")
        for kind, (what, instead) in REFUSED.items():
            if isinstance(node, kind):
                refuse(f"line {line}: {what} is not read.", f"  {instead}")
        name = node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", "")
        if isinstance(name, str) and name.startswith("__") and name not in READ:
            refuse(
                f"line {line}: {shown(name)} is not read.", "  Names of arrays are: dW2, self.W2."
            )
        todo += [(child, depth + 1) for child in ast.iter_child_nodes(node)]
    return written_out(tree)


def _all(body: tuple[ast.stmt, ...]) -> list[ast.AST]:
    return [node for statement in body for node in ast.walk(statement)]


def _stores(node: ast.AST) -> int:
    return sum(isinstance(n, STORES) for n in ast.walk(node))


def _named(found: list[ast.FunctionDef], name: object) -> ast.FunctionDef:
    names = [node.name for node in found]
    for node in found:
        if node.name == name:
            return node
    known = ", ".join(map(shown, names[:6])) or "none"
    hint = did_you_mean(name, names) if isinstance(name, str) else ""
    refuse(
        f"the text has no function {shown(repr(name))}.{hint}",
        f"  Its functions: {known}." if names else "  It has none: leave function out.",
    )


def _main(tree: ast.Module, found: list[ast.FunctionDef]) -> ast.FunctionDef | None:
    """The backward function; None where the text is statements without one."""
    loose = [s for s in tree.body if isinstance(s, ast.Assign | ast.AugAssign | ast.For)]
    if not found or len(loose) > 3:
        return None
    if not any(_stores(f) for f in found):
        return None

    names = {called(node) for node in ast.walk(tree)}

    def rank(node: ast.FunctionDef) -> tuple[bool, bool, bool, int]:
        stores = _stores(node)
        back = bool(re.search("back|grad", node.name, re.IGNORECASE)) and stores > 1
        named = bool(BACKWARD.search(node.name)) and stores > 1
        return back, node.name not in names, named, stores

    return max(found, key=rank)


def _loops(node: ast.FunctionDef) -> bool:
    return any(isinstance(part, ast.For) for part in ast.walk(node))


def _is_forward(node: ast.FunctionDef) -> bool:
    return bool(FORWARD.search(node.name)) and _stores(node) > 1
