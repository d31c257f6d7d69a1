"""Which function of a text puts its layers together; its layers alone where none does."""

import ast
import re
from dataclasses import dataclass

from .classes import Class, called, calls_back, layer_functions, layers_of

DATA = {"x", "y", "t", "inputs", "targets", "x_train", "y_train", "x_batch", "y_batch", "labels"}
BACK_OR_GRADIENT = re.compile("back|grad", re.IGNORECASE)


@dataclass(frozen=True)
class Parts:
    """Layers that nothing puts together: classes, or functions such as affine_backward."""

    classes: tuple[Class, ...]
    functions: tuple[ast.FunctionDef, ...]


@dataclass(frozen=True)
class Composition:
    """The function that is walked, None for the text itself; or the layers by themselves."""

    function: ast.FunctionDef | None
    parts: Parts | None = None
    inner: str | None = None  # the function that it calls for each example


def composition(tree: ast.Module, classes: dict[str, Class]) -> Composition | None:
    """How a text of layers is put together; None for a text that has none."""
    layers = layers_of(classes)
    loose = [s for s in tree.body if not isinstance(s, ast.FunctionDef | ast.ClassDef)]
    functions = [n for n in ast.walk(tree) if isinstance(n, ast.FunctionDef)]
    owned = {id(f): c for c in classes.values() for f in c.own.values()}
    own = [f for f in functions if id(f) not in owned]
    single = layer_functions(own)
    if adds_up := _caller_of_each_example(functions):
        caller, inner = adds_up
        return Composition(caller, inner=inner)
    if not layers and not single:
        return None
    of_layers = {id(f) for c in classes.values() for f in c.own.values() if _is_below(c, layers)}
    names = {f.name for f in single}

    def drives(node: ast.AST) -> bool:
        calls = {called(n) for n in ast.walk(node)}
        return (bool(layers) and calls_back(node)) or bool(calls & names)

    free = [f for f in functions if id(f) not in of_layers and f not in single]
    driving = [f for f in free if drives(f)]
    for f in driving:  # what calls backward(self, grad) has the loss, too
        if not {a.arg.lower().strip("_") for a in f.args.args} & DATA:
            driving += [g for g in free if g not in driving and f.name in _calls(g)]
    roots = [f for f in driving if not any(f.name in _calls(g) for g in driving if g is not f)]
    if any(drives(s) for s in loose) and not roots:
        return Composition(None)
    if roots:
        return Composition(max(roots, key=lambda f: (bool(BACK_OR_GRADIENT.search(f.name)), _n(f))))
    others = [f for f in free if BACK_OR_GRADIENT.search(f.name) and _n(f) > 1]
    if others:
        return None
    return Composition(None, Parts(tuple(layers), tuple(single)))


def _caller_of_each_example(
    functions: list[ast.FunctionDef],
) -> tuple[ast.FunctionDef, str] | None:
    """for x, y in mini_batch: … = self.backprop(x, y): what adds the examples up, and backprop."""
    back = {f.name for f in functions if BACK_OR_GRADIENT.search(f.name) and _n(f) > 1}
    for function in functions:
        for loop in (n for n in ast.walk(function) if isinstance(n, ast.For)):
            each = {n.id for n in ast.walk(loop.target) if isinstance(n, ast.Name)}
            for call in (n for n in ast.walk(loop) if isinstance(n, ast.Call)):
                given = {n.id for n in call.args if isinstance(n, ast.Name)}
                if called(call) in back and len(each) == 2 and each <= given:
                    return function, called(call)
    return None


def _is_below(of: Class, layers: list[Class]) -> bool:
    """Whether a class is a layer, a base of one, or a loss."""
    return of.is_layer or of.is_loss or any(layer.is_a(of.name) for layer in layers)


def _calls(node: ast.AST) -> set[str]:
    return {called(n) for n in ast.walk(node)}


def _n(function: ast.FunctionDef) -> int:
    kinds = ast.Assign | ast.AugAssign | ast.AnnAssign
    return sum(isinstance(n, kinds) for n in ast.walk(function))
