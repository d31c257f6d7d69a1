"""Functions that are kept whole: written once above the step, with what they call in turn."""

import ast
import builtins
import copy
import inspect
import types
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..errors import SpecError
from .known_or_code import NotPlainError, literal
from .plain_text import PlainText
from .texts import tree_of

PACKAGE = __name__.partition(".")[0]


def is_of_package(function: Any) -> bool:
    """Whether the text of a function is to be written out: the package's own, or a user's op's."""
    plain = inspect.unwrap(getattr(function, "__func__", function))
    module = getattr(plain, "__module__", None) or ""
    if not isinstance(plain, types.FunctionType):
        return False
    return module.partition(".")[0] == PACKAGE or isinstance(function, types.MethodType)


@dataclass
class Kept:
    """A function above the step: its name, its text, and whose method it is."""

    name: str
    owner: Any  # kept, so that no other object gets its id
    text: str = ""


class Helpers:
    """The functions, imports and constants above a step, by what they stand for."""

    def __init__(self, text: PlainText) -> None:
        self.text = text
        self.functions: dict[Any, Kept] = {}
        self.imports: dict[str, str] = {}

    def keep(self, function: Callable[..., Any]) -> str:
        """The name under which a function of the package stands above the step."""
        owner = getattr(function, "__self__", None)
        plain = inspect.unwrap(getattr(function, "__func__", function))
        key = (plain, id(owner))
        if key not in self.functions:
            kind = f"{type(owner).__name__.lower()}_" if owner is not None else ""
            kept = Kept(self.text.new_name(kind + plain.__name__.strip("_")), owner)
            self.functions[key] = kept
            text = self._text_of(plain, owner, kept.name)
            same = self._same(text, kept) or kept
            self.functions[key] = Kept(same.name, owner, same.text or text)
        return self.functions[key].name

    def _same(self, text: str, kept: Kept) -> Kept | None:
        """A function that stands there already, but for its name."""
        for other in self.functions.values():
            if other.text and other.text == text.replace(f"def {kept.name}(", f"def {other.name}("):
                return other
        return None

    def _text_of(self, plain: Callable[..., Any], owner: Any, name: str) -> str:
        """The function's own text, with options in the place of self, and helpers under theirs."""
        if not isinstance(plain, types.FunctionType) or plain.__closure__:
            raise SpecError(f"{plain!r} cannot be written out: it is made by another function.")
        tree = copy.deepcopy(tree_of(plain))
        tree.name, tree.decorator_list, tree.returns = name, [], None
        for argument in ast.walk(tree.args):
            if isinstance(argument, ast.arg):
                argument.annotation = None
        if owner is not None:
            first = tree.args.args.pop(0).arg
            tree = _Owned(self, first, owner).visit(tree)
        tree = _Names(self, plain.__globals__, _local_names(tree)).visit(tree)
        said = (inspect.getdoc(plain) or "").partition("\n\n")[0]
        if said and '"' not in said and "\\" not in said:
            tree.body.insert(0, ast.Expr(ast.Constant(said)))
        return ast.unparse(ast.fix_missing_locations(tree))

    def mark(self) -> tuple[dict[Any, Kept], dict[str, str]]:
        """What stands above the step so far, to come back to."""
        return dict(self.functions), dict(self.imports)

    def back_to(self, mark: tuple[dict[Any, Kept], dict[str, str]]) -> None:
        self.functions, self.imports = mark

    def imported(self, thing: Any, name: str) -> str:
        """The name of something of the standard library."""
        module = thing.__module__
        self.imports[name] = f"from {module} import {thing.__name__}"
        return name

    def lines(self) -> list[str]:
        """Imports, then the functions, each after what it calls."""
        found = [*sorted(set(self.imports.values())), "", "import numpy as np"]
        if not self.imports:
            found = ["import numpy as np"]
        for text in dict.fromkeys(kept.text for kept in reversed(self.functions.values())):
            found += ["", "", text]
        return found


def _local_names(tree: ast.FunctionDef) -> set[str]:
    """What a function gives a name to itself."""
    stored = {
        n.id for n in ast.walk(tree) if isinstance(n, ast.Name) and not isinstance(n.ctx, ast.Load)
    }
    return stored | {a.arg for a in ast.walk(tree) if isinstance(a, ast.arg)}


class _Names(ast.NodeTransformer):
    """What a function reads from around it: other helpers, constants, the standard library."""

    def __init__(self, helpers: Helpers, around: dict[str, Any], local: set[str]) -> None:
        self.helpers, self.around, self.local = helpers, around, local

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.stmt:
        assert node.value is not None
        return ast.Assign([node.target], self.visit(node.value), lineno=0)

    def visit_Name(self, node: ast.Name) -> ast.expr:
        name = node.id
        if name in self.local or name not in self.around or not isinstance(node.ctx, ast.Load):
            return node
        held = self.around[name]
        if held is np:
            return node
        return _stands_for(self.helpers, held, name)


class _Owned(ast.NodeTransformer):
    """self.eps and self.windows(x): an option as a number, a method as a helper of its own."""

    def __init__(self, helpers: Helpers, first: str, owner: Any) -> None:
        self.helpers, self.first, self.owner = helpers, first, owner

    def visit_Attribute(self, node: ast.Attribute) -> ast.expr:
        if isinstance(node.value, ast.Name) and node.value.id == self.first:
            return _stands_for(self.helpers, getattr(self.owner, node.attr), node.attr)
        return ast.Attribute(self.visit(node.value), node.attr, node.ctx)

    def visit_Name(self, node: ast.Name) -> ast.expr:
        if node.id == self.first:
            raise SpecError(f"{type(self.owner).__name__} cannot be written out: it reads itself.")
        return node


def _stands_for(helpers: Helpers, held: Any, name: str) -> ast.expr:
    """How something from around a function is written."""
    if is_of_package(held):
        return ast.Name(helpers.keep(held), ast.Load())
    try:
        return literal(held)
    except NotPlainError:
        pass
    if isinstance(held, types.ModuleType):
        helpers.imports[name] = f"import {held.__name__}"
        return ast.Name(name, ast.Load())
    module = getattr(held, "__module__", None) or ""
    if callable(held) and module.partition(".")[0] not in ("", PACKAGE):
        return ast.Name(helpers.imported(held, name), ast.Load())
    if getattr(builtins, name, None) is held:
        return ast.Name(name, ast.Load())
    raise SpecError(f"{name} = {held!r} cannot be written out: it has no literal.")
