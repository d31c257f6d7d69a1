"""The classes and functions of a text: which are layers, and what puts them together."""

import ast
import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

from ..lines.function_names import function_of

BACK = re.compile(r"_?(?:back\w*|bprop\w*|grad(?:ient)?)")
OF_A_LAYER = re.compile(  # relu_backward, backward_relu, relu_grad, relu_bwd, drelu
    r"_?(?:back(?:ward|prop\w*)?|b(?:ck)?wd|vjp|bprop|grad(?:ient)?s?)_?|_?forward_?"
    r"|^d_?(?=linear|affine|dense|fc|relu|sigm|tanh|softmax|activ)",
    re.IGNORECASE,
)
HANDED = re.compile(  # the derivative that a layer's function is handed
    r"d(?:[A-Z_]\w*|out\w*|z\w*|a|h\w*|y|next\w*|values|l_\w*)|grad\w*|delta\w*|upstream\w*|err\w*"
)
FORWARD = re.compile(r"_?(?:forward\w*|fprop\w*|__call__)")
LINEAR = re.compile(r"linear|affine|dense|fc|fully|inner_?product", re.IGNORECASE)
LABELS = {"y", "t", "y_true", "labels", "label", "targets", "target", "y_train", "y_batch"}
OPTIMISER = re.compile(r"sgd|adam|adagrad|adadelta|rms_?prop|momentum|nesterov|optimi[sz]er", re.I)
KEPT = re.compile(r"[mvshg]|cache\w*|vel\w*|momentums?|moments?|mean\w*|r|ms|mom\w*", re.I)
LOSS = re.compile(r"loss|cost|mse|cross_?entropy|criterion|_ce\b|objective", re.IGNORECASE)


@dataclass(frozen=True)
class Class:
    """A class of the text, its methods and those of its bases."""

    name: str
    bases: tuple["Class", ...]
    own: dict[str, ast.FunctionDef]

    @cached_property
    def methods(self) -> dict[str, ast.FunctionDef]:
        found: dict[str, ast.FunctionDef] = {}
        for base in reversed(self.bases):
            found |= base.methods
        return found | self.own

    def is_a(self, name: str) -> bool:
        return self.name == name or any(base.is_a(name) for base in self.bases)

    def named(self, pattern: re.Pattern[str]) -> ast.FunctionDef | None:
        """Its method of such a name, an inherited one last."""
        every = [*self.own.items(), *self.methods.items()]
        return next((f for name, f in every if pattern.fullmatch(name)), None)

    @cached_property
    def is_layer(self) -> bool:
        """Whether its backward method is handed a derivative, and calls no other object's."""
        back = self.named(BACK)
        if back is None or (len(back.args.args) < 2 and not self.is_loss):
            return False
        if not self.is_loss and (_is_handed_labels(back) or self._has_numbered_weights):
            return False  # a whole network
        return not any(calls_back(method) for method in self.own.values())

    @cached_property
    def _has_numbered_weights(self) -> bool:
        words = {n.attr for f in self.methods.values() for n in _attributes(f)}
        return any(re.fullmatch(r"(?:[wW]|weights?|theta)_?\d", word) for word in words)

    @property
    def is_loss(self) -> bool:
        return bool(LOSS.search(self.name))

    @cached_property
    def keeps_means(self) -> bool:
        """Whether it is an optimiser that keeps means of gradients from step to step, as Adam does.

        What it takes off a parameter is no gradient. An optimiser that takes off lr * dW is judged.
        """
        if not OPTIMISER.search(self.name) or self.named(BACK) or self.named(FORWARD):
            return False
        kept = [n for f in self.methods.values() for n in _attributes(f)]
        return any(isinstance(n.ctx, ast.Store) and KEPT.fullmatch(n.attr) for n in kept)

    @property
    def is_linear(self) -> bool:
        """Whether it has weights: by its name, or by what its methods store or read."""
        if self.is_loss or function_of(self.name):
            return False
        words = {n.attr.lower() for f in self.methods.values() for n in _attributes(f)}
        return bool(LINEAR.search(self.name) or words & {"w", "weight", "weights", "theta"})


def _is_handed_labels(function: ast.FunctionDef) -> bool:
    return bool({argument.arg.lower() for argument in function.args.args} & LABELS)


def _attributes(node: ast.AST) -> list[ast.Attribute]:
    return [n for n in ast.walk(node) if isinstance(n, ast.Attribute)]


def called(node: ast.AST) -> str:
    """The name of what a call calls, without what stands before its last dot."""
    func = node.func if isinstance(node, ast.Call) else None
    return func.id if isinstance(func, ast.Name) else getattr(func, "attr", "") if func else ""


def calls_back(node: ast.AST) -> bool:
    """Whether code calls the backward method of another object than itself."""
    for call in (n for n in ast.walk(node) if isinstance(n, ast.Call)):
        function = call.func
        of_other = isinstance(function, ast.Attribute) and not _is_self_or_super(function.value)
        if of_other and BACK.fullmatch(called(call)) and called(call) != "gradient":
            return True
    return False


def back_called_in(node: ast.AST) -> str:
    """The backward function that code calls, and does not define; "" for none."""
    calls = (n for n in ast.walk(node) if isinstance(n, ast.Call))
    return next((called(n) for n in calls if BACK.fullmatch(called(n))), "")


def has_own_lines(function: ast.FunctionDef) -> bool:
    """Whether a function is more than pass, raise NotImplementedError or a docstring."""
    body = [s for s in function.body if not _is_docstring(s)]
    returns = [s for s in body if isinstance(s, ast.Return) and s.value is None]
    return not all(isinstance(s, ast.Raise | ast.Pass) or s in returns for s in body)


def _is_self_or_super(node: ast.expr) -> bool:
    if isinstance(node, ast.Call):
        return isinstance(node.func, ast.Name) and node.func.id == "super"
    return isinstance(node, ast.Name) and node.id in ("self", "np", "numpy")


def classes_of(tree: ast.Module) -> dict[str, Class]:
    """Every class of a text by its name."""
    nodes = {n.name: n for n in ast.walk(tree) if isinstance(n, ast.ClassDef)}
    found: dict[str, Class] = {}

    def made(name: str, below: tuple[str, ...]) -> Class:
        node = nodes[name]
        names = [base.id for base in node.bases if isinstance(base, ast.Name)]
        bases = tuple(made(b, (*below, name)) for b in names if b in nodes and b not in below)
        own = {n.name: n for n in node.body if isinstance(n, ast.FunctionDef)}
        return Class(name, tuple(b for b in bases if b.name != name), own)

    for name in nodes:
        found[name] = made(name, (name,))
    return found


def layers_of(classes: dict[str, Class]) -> list[Class]:
    """The classes of layers that are no base of another one's and have a backward of their own."""
    kept = [c for c in classes.values() if c.is_layer and not _is_abstract(c)]
    return [c for c in kept if not any(c.name != o.name and o.is_a(c.name) for o in kept)]


def _is_abstract(of: Class) -> bool:
    back = of.named(BACK)
    return back is None or not has_own_lines(back)


def _is_docstring(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)


def layer_functions(helpers: Iterable[ast.FunctionDef]) -> list[ast.FunctionDef]:
    """Functions such as affine_backward(dout, cache): named after a layer, handed a derivative."""
    return [f for f in helpers if gives_back(f) and kind_of(f.name)]


def gives_back(function: ast.FunctionDef) -> bool:
    """Whether a function is named a backward, or a gradient and is handed a derivative."""
    if re.search("back", function.name, re.IGNORECASE):
        return True
    first = function.args.args[0].arg if len(function.args.args) > 1 else ""
    named = OF_A_LAYER.search(function.name) and "forward" not in function.name.lower()
    return bool(named and HANDED.fullmatch(first))


def kind_of(name: str) -> str:
    """ "linear", an activation's name, or "" for what is neither."""
    stem = OF_A_LAYER.sub("", name)
    if LINEAR.search(stem) and not function_of(stem):
        return "linear"
    function = function_of(stem)
    return (function.op or "activation") if function else ""
